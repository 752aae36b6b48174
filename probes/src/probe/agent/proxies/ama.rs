//! Where the Azure Monitor Agent for Linux reads a proxy, the strongest place first.
//!
//! Sources: <https://github.com/Azure/azure-linux-extensions/blob/master/AzureMonitorAgent/agent.py>,
//! <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>, and the support article
//! `AMA Linux: Check agent proxy settings` for the order of the variables and the connected machine's proxy.

use serde_json::Value;

use super::Setting;
use super::units::{self, Environment};
use crate::azure::AgentKind;
use crate::catalogue::agents::{AgentFile, Agents as Known, System};
use crate::probe::agent::extension::{newest_settings, public};
use crate::probe::agent::files::Files;
use crate::probe::agent::settings::pairs;
use crate::probe::proxy::masked::masked;
use crate::version::Version;

/// The first one that is set counts, since version 1.24.2.
const VARIABLES: [&str; 5] = ["MDSD_http_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

/// Whether the agent is set to use no proxy at all, and the settings that name one.
pub(super) fn settings(files: &mut Files<'_>, known: &Known, arc: Option<&Setting>) -> (bool, Vec<Setting>) {
    let Some(agent) = known.of(AgentKind::Ama, System::Linux) else { return (false, Vec::new()) };
    // The environment of the service, which the extension writes.
    let path = known.paths(AgentKind::Ama, AgentFile::Proxy).first().map_or("", String::as_str);
    let text = files.text(path).unwrap_or_default();
    let switched_off = last(&text, "MDSD_PROXY_MODE").is_some_and(|mode| mode.eq_ignore_ascii_case("none"));
    // The connected machine's proxy goes before the extension's own, unless it is set to pass the agent by. What it passes
    // by for itself says nothing about the agent.
    let of_machine = arc.filter(|setting| !setting.passes_ama_by);
    let mut all: Vec<Setting> =
        of_machine.map(|setting| Setting { no_proxy: String::new(), ..setting.clone() }).into_iter().collect();
    all.extend(of_extension_file(&text, path));
    let mut own = Environment::default();
    own.read(&text, path);
    for (rank, unit) in agent.services.iter().enumerate() {
        let mut environment = units::of_unit(files, unit);
        if rank == 0 {
            environment.overlay(own.clone());
        }
        all.extend(of_environment(&environment));
    }
    all.extend(of_environment(&units::of_all(files)));
    all.extend(of_extension_settings(files, &known.extensions_folder, agent.extensions.first()));
    (switched_off, all)
}

fn last<'t>(text: &'t str, wanted: &str) -> Option<&'t str> {
    pairs(text).filter(|(key, _)| *key == wanted).map(|(_, value)| value).last()
}

/// Without a mode the address is still used: the connected machine's proxy is written that way.
fn of_extension_file(text: &str, path: &str) -> Option<Setting> {
    let (url, in_url) = masked(last(text, "MDSD_PROXY_ADDRESS")?)?;
    let named = |key: &str| last(text, key).is_some_and(|value| !value.is_empty());
    let has_credentials = in_url || named("MDSD_PROXY_USERNAME") || named("MDSD_PROXY_PASSWORD");
    Some(Setting { url, has_credentials, source: path.to_owned(), ..Setting::default() })
}

fn of_environment(environment: &Environment) -> Option<Setting> {
    let (value, source) = VARIABLES.iter().find_map(|name| environment.of(name))?;
    let (url, has_credentials) = masked(value)?;
    let mut no_proxy =
        ["NO_PROXY", "no_proxy"].iter().find_map(|name| environment.of(name)).map_or("", |found| found.0).to_owned();
    no_proxy.retain(|character| !character.is_control());
    no_proxy.truncate(no_proxy.floor_char_boundary(super::LONGEST));
    Some(Setting { url, has_credentials, source: source.to_owned(), no_proxy, ..Setting::default() })
}

/// `proxy` in the newest public settings of the newest version. The protected settings, which hold the password, are
/// encrypted and not looked at. Mode `none` is not a proxy of its own: before 2026 the extension did not write it down, and what
/// the environment held was used all the same.
/// Source: <https://github.com/Azure/azure-linux-extensions/pull/2162>
fn of_extension_settings(files: &mut Files<'_>, extensions: &str, extension: Option<&String>) -> Option<Setting> {
    let extension = extension?.as_str();
    let version = |name: &String| {
        name.strip_prefix(extension)?.strip_prefix('-').and_then(|version| version.parse::<Version>().ok())
    };
    let folder = files.folders(extensions).into_iter().filter(|name| version(name).is_some()).max_by_key(version)?;
    let folder = format!("{extensions}/{folder}/config");
    let (document, path) = newest_settings(files, &folder, '/')?;
    of_document(&document, &path)
}

/// `proxy` in the public settings of an extension.
pub(in crate::probe::agent) fn of_document(document: &Value, path: &str) -> Option<Setting> {
    let proxy = public(document)?.get("proxy")?;
    let text = |key: &str| proxy.get(key).and_then(Value::as_str);
    if text("mode") != Some("application") {
        return None;
    }
    let (url, in_url) = masked(text("address")?)?;
    let has_credentials = in_url || text("auth").is_some_and(|auth| auth.eq_ignore_ascii_case("true"));
    Some(Setting { url, has_credentials, source: path.to_owned(), ..Setting::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_of_the_five_variables_counts() {
        let mut environment = Environment::default();
        environment
            .read("http_proxy=http://five:1\nHTTPS_PROXY=http://u:geheim@two:1\nhttps_proxy=http://three:1\n", "/f");
        let found = of_environment(&environment).expect("a proxy");
        assert_eq!((found.url.as_str(), found.has_credentials), ("http://two:1", true));
        environment.read("export MDSD_http_proxy=http://one:1\nNO_PROXY=.corp", "/g");
        let found = of_environment(&environment).expect("a proxy");
        assert_eq!(
            (found.url.as_str(), found.source.as_str(), found.no_proxy.as_str()),
            ("http://one:1", "/g", ".corp")
        );
        environment.read("MDSD_http_proxy=", "/h");
        assert_eq!(of_environment(&environment).expect("a proxy").url, "http://two:1");
    }
}
