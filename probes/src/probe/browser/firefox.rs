//! Firefox: `policies.json`, preference files of the system, `prefs.js` and `user.js` of every profile.
//!
//! A locked policy wins over the user, the user over a policy that is not locked, that over the system's preferences.
//! Source: <https://mozilla.github.io/policy-templates/#dnsoverhttps>

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde_json::Value as Json;

use super::homes::Home;
use super::prefs::{self, NAMES, Preference, Value};
use super::{Look, windows, written};
use crate::catalogue::FirefoxPlaces;
use crate::observation::{Asks, BrowserFamily, BrowserSetting, ReadFailure, SecureDnsMode, SetBy, UnreadReason};
use crate::read::{self, Links, below};

/// Octets of a `policies.json`.
const POLICY_LIMIT: u64 = 1024 * 1024;
/// Octets of a `compatibility.ini`.
const COMPATIBILITY_LIMIT: u64 = 16 * 1024;
/// Entries of a folder of profiles.
const PROFILES: usize = 256;
/// Characters of a template that are kept.
const TEMPLATE_LIMIT: usize = 1000;
/// Domains that are kept.
const DOMAINS: usize = 100;

/// The resolver that is asked when none is set. Source: `network.trr.default_provider_uri`.
const DEFAULT_RESOLVER: &str = "https://mozilla.cloudflare-dns.com/dns-query";

/// Adds every profile.
pub(super) fn look(look: &mut Look<'_>, places: &FirefoxPlaces) {
    let on_windows = look.world.is_windows();
    let folders = match &places.windows {
        Some(places) if on_windows => &places.profiles,
        None if on_windows => return,
        _ => &places.profiles,
    };
    let machine = Machine::read(look, places);
    for home in look.homes.clone() {
        let of_account = of_account(look, places, &home);
        let sources = machine.with_account(of_account);
        for folder in folders {
            for (profile, user) in of_home(look, places, &home, folder) {
                look.seen.settings.push(setting(places, &sources, Some(profile), &user, &machine.policy_file));
            }
        }
    }
}

/// Adds policies that no profile obeys; those that several packages share only once.
pub(super) fn look_at_policies(look: &mut Look<'_>, places: &FirefoxPlaces) {
    let machine = Machine::read(look, places);
    let obeyed = |setting: &BrowserSetting| {
        let is_shared = setting.policy_file == machine.policy_file;
        setting.family == BrowserFamily::Firefox && (is_shared || setting.id == places.id)
    };
    let sources = machine.with_account(None);
    if sources.sets_anything() && !look.seen.settings.iter().any(obeyed) {
        look.seen.settings.push(setting(places, &sources, None, &Layer::new(), &machine.policy_file));
    }
}

/// What a key or a file of policies sets, and which it is.
type Policies = (String, Json);

/// What the machine sets, and the file or key where a policy belongs.
#[derive(Default)]
struct Machine {
    keys: Option<Policies>,
    file: Option<Policies>,
    system: Layer,
    policy_file: String,
}

impl Machine {
    fn read(look: &mut Look<'_>, places: &FirefoxPlaces) -> Self {
        if look.world.is_windows() {
            let Some(on_windows) = &places.windows else { return Self::default() };
            let keys = windows::firefox(look, "HKLM", &on_windows.policy);
            let file = policies(look, &on_windows.policies);
            let policy_file = windows::policy_key("HKLM", &on_windows.policy);
            return Self { keys, file, policy_file, ..Self::default() };
        }
        let file = policies(look, &places.policies);
        let mut system = Layer::new();
        for path in &places.defaults {
            match read::open(&look.world.path(path), Links::Follow) {
                Ok(file) => take_file(look, &mut system, path, file),
                Err(failure) => look.unread(path, UnreadReason::Failed(failure)),
            }
        }
        let written = file.as_ref().map(|(path, _)| path).or(places.policies.first());
        let policy_file = written.cloned().unwrap_or_default();
        Self { file, system, policy_file, ..Self::default() }
    }

    /// The same with what is set for one account: the machine's keys go before those, and those before the file, policy by
    /// policy.
    fn with_account(&self, of_account: Option<Policies>) -> Sources {
        let mut sources = Sources { system: self.system.clone(), ..Sources::default() };
        let mut taken: Vec<String> = Vec::new();
        for (path, mut found) in [self.keys.clone(), of_account, self.file.clone()].into_iter().flatten() {
            if let Some(policies) = found.as_object_mut() {
                policies.retain(|name, _| !taken.contains(name));
                taken.extend(policies.keys().cloned());
            }
            sources.take_policies(&found, &path);
        }
        sources
    }
}

/// What Windows keeps for the account of a home.
fn of_account(look: &mut Look<'_>, places: &FirefoxPlaces, home: &Home) -> Option<Policies> {
    let (account, places) = home.account.as_ref().zip(places.windows.as_ref())?;
    windows::firefox(look, &format!(r"HKU\{account}"), &places.policy)
}

/// Preferences, each with the file that sets it.
type Layer = BTreeMap<&'static str, (Preference, String)>;

/// What the machine sets.
#[derive(Default)]
struct Sources {
    /// Policies that the user cannot change.
    locked: Layer,
    /// Policies that the user may change.
    policy: Layer,
    /// Preference files of the system.
    system: Layer,
    /// Preferences of the user that a policy clears.
    cleared: Vec<&'static str>,
}

impl Sources {
    fn sets_anything(&self) -> bool {
        !self.locked.is_empty() || !self.policy.is_empty() || self.system.contains_key("network.trr.mode")
    }

    fn take_policies(&mut self, policies: &Json, path: &str) {
        if let Some(doh) = policies.get("DNSOverHTTPS") {
            self.take_doh(doh, path);
        }
        let Some(preferences) = policies.get("Preferences").and_then(Json::as_object) else { return };
        for name in NAMES {
            let Some(set) = preferences.get(name) else { continue };
            // Before Firefox 81 a preference was given by its value alone, and locked.
            let status = set.get("Status").and_then(Json::as_str).unwrap_or("default");
            let status = if set.is_object() { status } else { "locked" };
            if status == "clear" {
                self.cleared.push(name);
            } else if let Some(value) = value_of(set.get("Value").unwrap_or(set)) {
                self.set(name, value, status != "default", path);
            }
        }
    }

    fn take_doh(&mut self, doh: &Json, path: &str) {
        let locked = doh.get("Locked").and_then(Json::as_bool).unwrap_or(false);
        if let Some(enabled) = doh.get("Enabled").and_then(Json::as_bool) {
            let strict = doh.get("Fallback").and_then(Json::as_bool) == Some(false);
            let mode = if strict {
                3
            } else if enabled {
                2
            } else {
                5
            };
            self.set("network.trr.mode", Value::Number(mode), locked, path);
        }
        if let Some(url) = doh.get("ProviderURL").and_then(Json::as_str) {
            self.set("network.trr.uri", Value::Text(url.to_owned()), locked, path);
        }
        if let Some(domains) = doh.get("ExcludedDomains").and_then(Json::as_array) {
            let domains: Vec<&str> = domains.iter().filter_map(Json::as_str).take(DOMAINS).collect();
            self.set("network.trr.excluded-domains", Value::Text(domains.join(",")), locked, path);
        }
    }

    fn set(&mut self, name: &'static str, value: Value, locked: bool, path: &str) {
        let layer = if locked { &mut self.locked } else { &mut self.policy };
        layer.insert(name, (Preference { value, locked }, path.to_owned()));
    }

    /// The value that holds, who sets it and where.
    fn weigh<'a>(&'a self, user: &'a Layer, name: &str) -> Option<(&'a Value, SetBy, &'a str)> {
        let of = |layer: &'a Layer, by| layer.get(name).map(|(set, path)| (&set.value, by, path.as_str()));
        let system_lock = self.system.get(name).filter(|(set, _)| set.locked);
        let user = if self.cleared.contains(&name) { None } else { of(user, SetBy::User) };
        of(&self.locked, SetBy::Policy)
            .or_else(|| system_lock.map(|(set, path)| (&set.value, SetBy::Policy, path.as_str())))
            .or(user)
            .or_else(|| of(&self.policy, SetBy::Policy))
            .or_else(|| of(&self.system, SetBy::Policy))
    }
}

fn value_of(value: &Json) -> Option<Value> {
    match value {
        Json::Bool(flag) => Some(Value::Flag(*flag)),
        Json::String(text) => Some(Value::Text(text.clone())),
        _ => value.as_i64().map(Value::Number),
    }
}

/// The first file of policies that exists, and the policies in it. One that exists and is broken hides the others.
fn policies(look: &mut Look<'_>, files: &[String]) -> Option<(String, Json)> {
    for path in files {
        let why = match read::contents(&look.world.path(path), Links::Follow, POLICY_LIMIT) {
            Ok(contents) if contents.truncated => UnreadReason::LongerThan(POLICY_LIMIT),
            Ok(contents) => match serde_json::from_slice::<Json>(&contents.bytes) {
                Ok(mut document) => {
                    let found = document.get_mut("policies").map(Json::take).unwrap_or_default();
                    return Some((path.clone(), found));
                }
                Err(_) => UnreadReason::NotUnderstood,
            },
            Err(ReadFailure::Missing) => continue,
            Err(failure) => UnreadReason::Failed(failure),
        };
        look.unread(path, why);
        return None;
    }
    None
}

/// The profiles of a folder that this Firefox used last.
fn of_home(look: &mut Look<'_>, places: &FirefoxPlaces, home: &Home, folder: &str) -> Vec<(String, Layer)> {
    let path = written(look.world, home, folder);
    let (names, more) = match below::entries_in(&home.place, Path::new(folder), PROFILES, look.world.case()) {
        Ok(found) => found,
        Err(why) => {
            look.unread(&path, why);
            return Vec::new();
        }
    };
    look.seen.truncated |= more;
    let mut profiles = Vec::new();
    for name in names {
        let place = Path::new(folder).join(&name);
        let profile = written(look.world, home, &format!("{folder}/{}", name.to_string_lossy()));
        let mut user = Layer::new();
        let mut found = false;
        for file in ["prefs.js", "user.js"] {
            let shown = written(look.world, home, &format!("{folder}/{}/{file}", name.to_string_lossy()));
            match below::open_in(&home.place, &place.join(file), look.world.case()) {
                Ok(open) => {
                    found = true;
                    take_file(look, &mut user, &shown, open);
                }
                Err(why) => look.unread(&shown, why),
            }
        }
        if found && used_by(look, places, home, &place, folder) {
            profiles.push((profile, user));
        }
    }
    profiles
}

fn take_file(look: &mut Look<'_>, layer: &mut Layer, path: &str, file: impl Read) {
    match prefs::parse(file) {
        Ok((found, truncated)) => {
            if truncated {
                look.unread(path, UnreadReason::LongerThan(prefs::FILE_LIMIT));
            }
            layer.extend(found.into_iter().map(|(name, preference)| (name, (preference, path.to_owned()))));
        }
        Err(error) => look.unread(path, UnreadReason::Failed(read::failure(&error))),
    }
}

/// Two packages may share a folder of profiles: each profile belongs to the one that used it last.
fn used_by(look: &Look<'_>, places: &FirefoxPlaces, home: &Home, profile: &Path, folder: &str) -> bool {
    let installed =
        below::open_in(&home.place, &profile.join("compatibility.ini"), look.world.case()).ok().and_then(|file| {
            let mut bytes = Vec::new();
            file.take(COMPATIBILITY_LIMIT).read_to_end(&mut bytes).ok()?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.lines().find_map(|line| line.strip_prefix("LastPlatformDir=")).map(|place| place.trim_end().to_owned())
        });
    let belongs = |places: &FirefoxPlaces| {
        places.installed.as_ref().is_some_and(|end| installed.as_ref().is_some_and(|place| place.ends_with(end)))
    };
    let others = look.catalogue.firefox.iter().filter(|other| other.profiles.iter().any(|known| known == folder));
    let claimed: Vec<&str> = others.filter(|other| belongs(other)).map(|other| other.id.as_str()).collect();
    if claimed.is_empty() { places.installed.is_none() } else { claimed.contains(&places.id.as_str()) }
}

fn setting(
    places: &FirefoxPlaces,
    machine: &Sources,
    profile: Option<String>,
    user: &Layer,
    policy_file: &str,
) -> BrowserSetting {
    let number = |name: &str| match machine.weigh(user, name) {
        Some((Value::Number(number), by, path)) => Some((*number, by, path.to_owned())),
        _ => None,
    };
    let text = |name: &str| match machine.weigh(user, name) {
        Some((Value::Text(text), ..)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let trr = number("network.trr.mode");
    let rollout = number("doh-rollout.mode").filter(|(mode, ..)| matches!(mode, 2 | 3));
    let rolled_out = trr.as_ref().is_none_or(|(mode, ..)| *mode == 0) && rollout.is_some();
    let (number, set_by, source) = match (rolled_out, rollout, &trr) {
        (true, Some((mode, _, path)), _) => (mode, SetBy::Default, path),
        (_, _, Some(set)) => set.clone(),
        _ => (0, SetBy::Default, String::new()),
    };
    let (mode, asks) = match number {
        2 => (SecureDnsMode::Automatic, Asks::EncryptedFirst),
        3 => (SecureDnsMode::Secure, Asks::EncryptedOnly),
        _ if trr.is_none() => (SecureDnsMode::Unset, Asks::System),
        _ => (SecureDnsMode::Off, Asks::System),
    };
    let template = (asks != Asks::System).then(|| {
        let set = text("network.trr.uri").or_else(|| text("doh-rollout.uri").filter(|_| rolled_out));
        set.unwrap_or_else(|| DEFAULT_RESOLVER.to_owned()).chars().take(TEMPLATE_LIMIT).collect()
    });
    let excluded = text("network.trr.excluded-domains").unwrap_or_default();
    let excluded = excluded.split(',').map(|domain| domain.trim().to_ascii_lowercase());
    let allows = matches!(machine.weigh(user, "network.trr.allow-rfc1918"), Some((Value::Flag(true), ..)));
    BrowserSetting {
        id: places.id.clone(),
        name: places.name.clone(),
        family: BrowserFamily::Firefox,
        profile,
        mode,
        trr_mode: u8::try_from(trr.map_or(0, |(mode, ..)| mode)).ok(),
        set_by,
        asks,
        template,
        bootstrap: text("network.trr.bootstrapAddr").and_then(|text| text.parse().ok()),
        upgraded_to: None,
        source,
        rolled_out,
        excluded_domains: excluded.filter(|domain| !domain.is_empty()).take(DOMAINS).collect(),
        allows_private: allows,
        local_network: None,
        policy_file: policy_file.to_owned(),
    }
}
