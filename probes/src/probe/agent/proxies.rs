//! Proxies as each agent sees them. A password is used for nothing here: only that there is one is kept.

use serde_json::Value;

use super::files::Files;
use super::settings::{pairs, unquoted};
use crate::azure::AgentKind;
use crate::catalogue::agents::{AgentFile, Agents as Known};
use crate::observation::{Agent, AgentProxy};

/// `DefaultEnvironment=` for all services. Source: systemd-system.conf(5)
const SYSTEM_DROP_INS: [&str; 2] = ["/lib/systemd/system.conf.d", "/etc/systemd/system.conf.d"];
/// Octets of one value that are kept.
const LONGEST: usize = 4096;

/// The settings of each agent that is there, the strongest first.
pub(super) fn read(files: &mut Files<'_>, known: &Known, agents: &[Agent]) -> Vec<AgentProxy> {
    let there = |kind| agents.iter().any(|agent| agent.kind == kind);
    let arc = if there(AgentKind::Arc) { arc(files, known) } else { None };
    let paths = |kind| known.paths(kind, AgentFile::Proxy);
    let mut all = Vec::new();
    if there(AgentKind::Oms) {
        all.extend(effective(
            AgentKind::Oms,
            paths(AgentKind::Oms).iter().filter_map(|path| oms(files, path)).collect(),
        ));
    }
    if there(AgentKind::Ama) {
        // The connected machine's proxy goes before the extension's own, unless it is set to pass the agent by.
        let mut ama: Vec<Setting> = arc.iter().filter(|setting| !setting.passes_ama_by).cloned().collect();
        // What it passes by for itself says nothing about the agent.
        for setting in &mut ama {
            setting.no_proxy.clear();
        }
        ama.extend(paths(AgentKind::Ama).iter().filter_map(|path| ama_settings(files, path)));
        for folder in known.paths(AgentKind::Ama, AgentFile::ServiceEnvironment) {
            ama.extend(drop_ins(files, folder, "Environment"));
        }
        for folder in SYSTEM_DROP_INS.iter().rev() {
            ama.extend(drop_ins(files, folder, "DefaultEnvironment"));
        }
        all.extend(effective(AgentKind::Ama, ama));
    }
    all.extend(effective(AgentKind::Arc, arc.into_iter().collect()));
    all
}

/// One setting, before it is known whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Setting {
    url: String,
    has_credentials: bool,
    source: String,
    no_proxy: String,
    passes_ama_by: bool,
}

fn effective(used_by: AgentKind, settings: Vec<Setting>) -> impl Iterator<Item = AgentProxy> {
    settings.into_iter().enumerate().map(move |(rank, setting)| AgentProxy {
        used_by,
        url: setting.url,
        has_credentials: setting.has_credentials,
        source: setting.source,
        no_proxy: setting.no_proxy,
        effective: rank == 0,
    })
}

/// A proxy's address without its credentials: scheme, host and port; `None` when there is no host in it.
fn masked(value: &str) -> Option<(String, bool)> {
    let value = value.trim();
    if value.is_empty() || value.len() > LONGEST {
        return None;
    }
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password may hold an `@` or, unescaped, a `/`: the host begins after the last `@` of all.
    let (has_credentials, address) = match rest.rsplit_once('@') {
        Some((_, after)) => (true, after.split(['/', '?', '#']).next().unwrap_or_default()),
        None => (false, authority),
    };
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:_[]".contains(&byte));
    let usable = !address.is_empty() && plain(address) && !scheme.is_empty() && plain(scheme);
    usable.then(|| (format!("{}://{}", scheme.to_ascii_lowercase(), address.to_ascii_lowercase()), has_credentials))
}

fn oms(files: &mut Files<'_>, path: &str) -> Option<Setting> {
    let text = files.text(path)?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let (url, has_credentials) = masked(line)?;
    Some(Setting { url, has_credentials, source: path.to_owned(), ..Setting::default() })
}

fn ama_settings(files: &mut Files<'_>, path: &str) -> Option<Setting> {
    let text = files.text(path)?;
    let last = |wanted: &str| pairs(&text).filter(|(key, _)| *key == wanted).map(|(_, value)| value).last();
    // Without a mode it is still used: the connected machine's proxy is written that way.
    if last("MDSD_PROXY_MODE").is_some_and(|mode| mode.eq_ignore_ascii_case("none")) {
        return None;
    }
    let (url, in_url) = masked(last("MDSD_PROXY_ADDRESS")?)?;
    let named = |key: &str| last(key).is_some_and(|value| !value.is_empty());
    let has_credentials = in_url || named("MDSD_PROXY_USERNAME") || named("MDSD_PROXY_PASSWORD");
    Some(Setting { url, has_credentials, source: path.to_owned(), ..Setting::default() })
}

/// The proxy that the drop-ins of a unit set, later files over earlier ones. Source: systemd.unit(5)
fn drop_ins(files: &mut Files<'_>, folder: &str, key: &str) -> Option<Setting> {
    let (mut proxy, mut no_proxy) = (None, String::new());
    for name in files.names(folder, "conf") {
        let path = format!("{folder}/{name}");
        let Some(text) = files.text(&path) else { continue };
        for (variable, value) in text.lines().flat_map(|line| assignments(line, key)) {
            match variable.to_ascii_lowercase().as_str() {
                // An empty value takes an earlier one back.
                "https_proxy" => proxy = Some((value, path.clone())).filter(|(value, _)| !value.is_empty()),
                "no_proxy" => no_proxy = value,
                _ => {}
            }
        }
    }
    let (value, source) = proxy?;
    let (url, has_credentials) = masked(&value)?;
    no_proxy.retain(|character| !character.is_control());
    no_proxy.truncate(no_proxy.floor_char_boundary(LONGEST));
    Some(Setting { url, has_credentials, source, no_proxy, ..Setting::default() })
}

/// The variables of `Environment="A=b c" D=e`: whole assignments may stand in quotes. Source: systemd.exec(5)
fn assignments(line: &str, key: &str) -> Vec<(String, String)> {
    let Some(value) = line.trim().strip_prefix(key).and_then(|rest| rest.trim_start().strip_prefix('=')) else {
        return Vec::new();
    };
    let mut words = vec![String::new()];
    let mut quote = None;
    for character in value.chars() {
        match quote {
            Some(open) if open == character => quote = None,
            None if character == '"' || character == '\'' => quote = Some(character),
            None if character.is_whitespace() => words.push(String::new()),
            _ => words.last_mut().into_iter().for_each(|word| word.push(character)),
        }
    }
    let pair = |word: &String| word.split_once('=').map(|(key, value)| (key.to_owned(), unquoted(value).to_owned()));
    words.iter().filter_map(pair).collect()
}

fn arc(files: &mut Files<'_>, known: &Known) -> Option<Setting> {
    let path = known.paths(AgentKind::Arc, AgentFile::Proxy).first()?;
    let settings = files.json(path)?;
    let value = |key: &str| {
        let nested = key.split('.').try_fold(&settings, |value, part| value.get(part));
        settings.get(key).or(nested)
    };
    let (url, has_credentials) = masked(value("proxy.url")?.as_str()?)?;
    let bypass = services(value("proxy.bypass"));
    let passes_ama_by = bypass.iter().any(|service| service == "ama");
    let no_proxy =
        bypass.iter().flat_map(|service| known.hosts_of(service)).map(String::as_str).collect::<Vec<_>>().join(",");
    Some(Setting { url, has_credentials, source: path.clone(), no_proxy, passes_ama_by })
}

fn services(value: Option<&Value>) -> Vec<String> {
    let words: Vec<&str> = match value {
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(words)) => words.split(',').collect(),
        _ => Vec::new(),
    };
    words.into_iter().map(|word| word.trim().to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_however_they_are_written() {
        let table = [
            ("http://proxy:3128", Some(("http://proxy:3128", false))),
            ("proxy.corp:8080", Some(("http://proxy.corp:8080", false))),
            ("HTTPS://User:geheim@Proxy:443/", Some(("https://proxy:443", true))),
            ("http://u:ge@he/im@proxy:3128", Some(("http://proxy:3128", true))),
            ("u:geheim@proxy:3128", Some(("http://proxy:3128", true))),
            ("http://[fd00::1]:3128", Some(("http://[fd00::1]:3128", false))),
            ("http://u:geheim@", None),
            ("http://pro xy:1", None),
            ("", None),
        ];
        for (value, expected) in table {
            let found = masked(value);
            assert_eq!(found, expected.map(|(url, has)| (url.to_owned(), has)), "{value}");
        }
    }

    #[test]
    fn drop_in_may_hold_several_assignments_in_quotes() {
        let line = r#"Environment="https_proxy=http://p:1" 'no_proxy=a b' X=1 "#;
        let found = assignments(line, "Environment");
        assert_eq!(
            found,
            [("https_proxy", "http://p:1"), ("no_proxy", "a b"), ("X", "1")].map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
        assert_eq!(assignments("EnvironmentFile=/etc/x", "Environment"), []);
    }
}
