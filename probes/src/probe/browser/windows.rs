//! Policies of browsers in the registry of Windows. Only those that say whom a browser asks are read: others may hold tokens.
//!
//! Sources: <https://www.chromium.org/administrators/windows-quick-start/>,
//! <https://mozilla.github.io/policy-templates/>

use serde_json::{Map, Value as Json, json};

use super::Look;
use crate::registry::{Keys, Value};

/// Entries of a list that are kept.
const ENTRIES: usize = 1000;

/// The key of a browser's policies, for the machine (`HKLM`) or an account (`HKU\<id>`).
pub(super) fn policy_key(root: &str, policy: &str) -> String {
    format!(r"{root}\SOFTWARE\Policies\{policy}")
}

/// What the key of a relative of Chromium sets.
#[derive(Default)]
pub(super) struct OfKey {
    /// Policies and their values.
    pub(super) set: Vec<(&'static str, Json)>,
    /// The key.
    pub(super) source: String,
    /// The key, its own or that of recommended policies, that sets any policy.
    pub(super) first: Option<String>,
}

/// The policies of these names that are set below a root: texts, and lists, which are keys of their own.
pub(super) fn chromium(
    look: &mut Look<'_>,
    root: &str,
    policy: &str,
    texts: &[&'static str],
    lists: &[&'static str],
) -> OfKey {
    let Some(registry) = look.world.registry.clone() else { return OfKey::default() };
    let mut keys = Keys::new(registry.as_ref());
    let source = policy_key(root, policy);
    let mut set = Vec::new();
    for name in texts {
        set.extend(keys.text(&source, name).map(|text| (*name, Json::String(text))));
    }
    let below = keys.keys(&source);
    for name in lists {
        if below.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            set.push((*name, list(&mut keys, &format!(r"{source}\{name}"))));
        }
    }
    let recommended = format!(r"{source}\Recommended");
    let mut sets_any = |key: &String| {
        let lists = keys.keys(key).into_iter().any(|name| !name.eq_ignore_ascii_case("Recommended"));
        lists || !keys.names(key).is_empty()
    };
    let first = [source.clone(), recommended].into_iter().find(|key| sets_any(key));
    look.keys_unread(keys);
    OfKey { set, source, first }
}

/// The policies of Firefox that are set below a root, as its `policies.json` would hold them, and their key.
pub(super) fn firefox(look: &mut Look<'_>, root: &str, policy: &str) -> Option<(String, Json)> {
    let registry = look.world.registry.clone()?;
    let mut keys = Keys::new(registry.as_ref());
    let key = policy_key(root, policy);
    let mut found = Map::new();
    let doh = format!(r"{key}\DNSOverHTTPS");
    let mut settings = Map::new();
    for name in ["Enabled", "Locked", "Fallback"] {
        settings.extend(keys.number(&doh, name).map(|number| (name.to_owned(), Json::Bool(number != 0))));
    }
    settings.extend(keys.text(&doh, "ProviderURL").map(|url| ("ProviderURL".to_owned(), Json::String(url))));
    if keys.keys(&doh).iter().any(|name| name.eq_ignore_ascii_case("ExcludedDomains")) {
        settings.insert("ExcludedDomains".to_owned(), list(&mut keys, &format!(r"{doh}\ExcludedDomains")));
    }
    if !settings.is_empty() {
        found.insert("DNSOverHTTPS".to_owned(), Json::Object(settings));
    }
    let preferences = match keys.value(&key, "Preferences") {
        Some(Value::Text(text)) => Some(text),
        Some(Value::List(lines)) => Some(lines.join("\n")),
        _ => None,
    };
    if let Some(preferences) = preferences.and_then(|text| serde_json::from_str::<Json>(&text).ok()) {
        found.insert("Preferences".to_owned(), preferences);
    }
    look.keys_unread(keys);
    (!found.is_empty()).then_some((key, Json::Object(found)))
}

/// The texts of a key whose values are numbered.
fn list(keys: &mut Keys<'_>, key: &str) -> Json {
    let mut names = keys.names(key);
    names.sort_by_key(|name| name.parse::<u32>().unwrap_or(u32::MAX));
    names.truncate(ENTRIES);
    let entries: Vec<String> = names.iter().filter_map(|name| keys.text(key, name)).collect();
    json!(entries)
}
