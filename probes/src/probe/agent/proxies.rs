//! Proxies as each agent sees them. A password is used for nothing here: only that there is one is kept.

use serde_json::Value;

use super::files::Files;
use crate::azure::AgentKind;
use crate::catalogue::agents::{AgentFile, Agents as Known};
use crate::observation::{Agent, AgentProxy};
use crate::probe::proxy::masked::masked;

pub(super) mod ama;
mod units;

/// Octets of one value that are kept.
const LONGEST: usize = 4096;

/// The settings of each agent that is there, the strongest first.
pub(super) fn read(files: &mut Files<'_>, known: &Known, agents: &[Agent]) -> Vec<AgentProxy> {
    let there = |kind| agents.iter().any(|agent| agent.kind == kind);
    let arc =
        if there(AgentKind::Arc) { arc(files, known.paths(AgentKind::Arc, AgentFile::Proxy), known) } else { None };
    let mut all = Vec::new();
    if there(AgentKind::Oms) {
        let paths = known.paths(AgentKind::Oms, AgentFile::Proxy);
        all.extend(effective(AgentKind::Oms, paths.iter().filter_map(|path| oms(files, path)).collect()));
    }
    if there(AgentKind::Ama) {
        let (switched_off, settings) = ama::settings(files, known, arc.as_ref());
        all.extend(
            effective(AgentKind::Ama, settings)
                .map(|proxy| AgentProxy { effective: proxy.effective && !switched_off, ..proxy }),
        );
    }
    all.extend(effective(AgentKind::Arc, arc.into_iter().collect()));
    all
}

/// One setting, before it is known whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) url: String,
    pub(super) has_credentials: bool,
    pub(super) source: String,
    pub(super) no_proxy: String,
    pub(super) passes_ama_by: bool,
}

/// The settings of an agent, the strongest first.
pub(super) fn effective(used_by: AgentKind, settings: Vec<Setting>) -> impl Iterator<Item = AgentProxy> {
    settings.into_iter().enumerate().map(move |(rank, setting)| AgentProxy {
        used_by,
        url: setting.url,
        has_credentials: setting.has_credentials,
        source: setting.source,
        no_proxy: setting.no_proxy,
        effective: rank == 0,
    })
}

fn oms(files: &mut Files<'_>, path: &str) -> Option<Setting> {
    let text = files.text(path)?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let (url, has_credentials) = masked(line)?;
    Some(Setting { url, has_credentials, source: path.to_owned(), ..Setting::default() })
}

/// What Azure Arc's agent is set to.
pub(super) fn arc(files: &mut Files<'_>, paths: &[String], known: &Known) -> Option<Setting> {
    let path = paths.first()?;
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
