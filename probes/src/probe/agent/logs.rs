//! Refusals in the agents' own logs: known signatures in a bounded tail, of which code, host and time are taken.
//!
//! These logs hold tokens: a line is looked at and forgotten.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::files::Files;
use crate::azure::{AgentKind, Cloud};
use crate::catalogue::agents::{AgentFile, Agents as Known};
use crate::observation::{Agent, Refusal, RefusalCode};

/// What a line says when it holds all of these words, lower case.
/// Sources: <https://github.com/microsoft/Docker-Provider/blob/ci_prod/source/plugins/go/src/telemetry.go>,
/// <https://github.com/Azure/azure-linux-extensions/issues/1950>
const SIGNATURES: &[(&[&str], RefusalCode)] = &[
    (&["invalidaccess"], RefusalCode::InvalidAccess),
    (&["data collection endpoint must be used"], RefusalCode::InvalidAccess),
    (&["failed to upload to ods: 403"], RefusalCode::IngestionForbidden),
    (&["error resolving address"], RefusalCode::NameNotResolved),
    (&["failed to get msi token"], RefusalCode::NoToken),
    (&["error in ssl handshake"], RefusalCode::Handshake),
    (&["lifetime validation failed"], RefusalCode::TokenExpired),
];

/// Lines of `mdsd.info` that show that the configuration service answered.
const ANSWERED: &[&str] = &["mcs redirected to endpoint", "retrieved gig token"];

/// What such an answer clears; of log ingestion it says nothing.
const CLEARED: &[RefusalCode] =
    &[RefusalCode::InvalidAccess, RefusalCode::NoToken, RefusalCode::Handshake, RefusalCode::TokenExpired];

/// The refusals of each agent's log, by code and host, without those that a later success has cleared.
pub(super) fn read(files: &mut Files<'_>, known: &Known, agents: &[Agent]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for agent in agents {
        match agent.kind {
            AgentKind::Ama => refusals.extend(ama(files, known)),
            AgentKind::Oms => {
                let logs = known.paths(AgentKind::Oms, AgentFile::Log);
                let of = |id: &str| logs.iter().map(move |log| log.replacen('*', id, 1)).collect::<Vec<_>>();
                for path in agent.workspaces.iter().flat_map(|workspace| of(&workspace.id)) {
                    refusals.extend(of_log(files, AgentKind::Oms, &path));
                }
            }
            AgentKind::Mma | AgentKind::Dependency | AgentKind::Arc => {}
        }
    }
    refusals
}

fn ama(files: &mut Files<'_>, known: &Known) -> Vec<Refusal> {
    let logs = known.paths(AgentKind::Ama, AgentFile::Log);
    let mut refusals: Vec<Refusal> = logs.iter().flat_map(|path| of_log(files, AgentKind::Ama, path)).collect();
    let logs = known.paths(AgentKind::Ama, AgentFile::Answers);
    let info: String = logs.iter().filter_map(|path| files.log(path)).collect();
    let answers = dated(&info).filter(|(_, line)| {
        let line = line.to_ascii_lowercase();
        ANSWERED.iter().any(|sign| line.contains(sign))
    });
    let answered = answers.map(|(at, _)| at).max();
    refusals.retain(|refusal| !CLEARED.contains(&refusal.code) || answered.is_none_or(|at| at < refusal.at));
    refusals
}

fn of_log(files: &mut Files<'_>, agent: AgentKind, path: &str) -> Vec<Refusal> {
    let Some(text) = files.log(path) else { return Vec::new() };
    let mut found: BTreeMap<(RefusalCode, Option<String>), (Timestamp, u32)> = BTreeMap::new();
    for (at, line) in dated(&text) {
        let lower = line.to_ascii_lowercase();
        let Some((_, code)) = SIGNATURES.iter().find(|(words, _)| words.iter().all(|word| lower.contains(word))) else {
            continue;
        };
        let (last, count) = found.entry((*code, host_in(&lower))).or_insert((at, 0));
        *last = (*last).max(at);
        *count = count.saturating_add(1);
    }
    let refusal = |((code, host), (at, count))| Refusal { agent, code, host, at, count, source: path.to_owned() };
    found.into_iter().map(refusal).collect()
}

/// Lines with their time. A line without one belongs to the line before it; lines before the first time are left out.
fn dated(text: &str) -> impl Iterator<Item = (Timestamp, &str)> {
    let mut last = None;
    text.lines().filter_map(move |line| {
        last = time(line).or(last);
        Some((last?, line))
    })
}

/// `2021-07-19T18:38:05.1166760Z: …` (AMA) or `2021-07-19 18:38:05 +0000 [error]: …` (OMS).
fn time(line: &str) -> Option<Timestamp> {
    let first = line.split_ascii_whitespace().next()?.trim_end_matches(':');
    if let Ok(at) = first.parse() {
        return Some(at);
    }
    let mut words = line.split_ascii_whitespace();
    let (date, time, offset) = (words.next()?, words.next()?, words.next()?);
    Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", format!("{date} {time} {offset}")).ok()
}

/// The first host of Azure Monitor that a line names.
fn host_in(line: &str) -> Option<String> {
    let words = line.split(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '.' | '-'));
    let host = words.map(|word| word.trim_matches(['.', '-'])).find(|word| {
        Cloud::of_host(word).is_some() && (word.contains("monitor.azure.") || word.contains("opinsights.azure."))
    });
    host.filter(|host| host.len() <= 253).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_both_agents_is_read() {
        let expected: Timestamp = "2021-07-19T18:38:05Z".parse().expect("a time");
        for line in ["2021-07-19T18:38:05.0000000Z: Failed", "2021-07-19 20:38:05 +0200 [error]: x"] {
            assert_eq!(time(line), Some(expected), "{line}");
        }
        assert_eq!(time("Failed to upload"), None);
    }

    #[test]
    fn host_is_taken_and_what_stands_beside_it_is_not() {
        let line = "from https://a-b1.westeurope-1.handler.control.monitor.azure.com/locations?token=abc.azure.com";
        assert_eq!(host_in(line).as_deref(), Some("a-b1.westeurope-1.handler.control.monitor.azure.com"));
        assert_eq!(host_in("token=secret.azure.com"), None);
    }
}
