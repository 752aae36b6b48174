//! What the agents' own logs and counters tell: refusals that no later success answers, and how their uploads went.
//!
//! These files hold tokens: a line is looked at and forgotten. Of a known line the meaning, the host and the time are taken,
//! from the bounded end of a file.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::files::Files;
use crate::azure::AgentKind;
use crate::catalogue::agents::{AgentFile, Agents as Known};
use crate::catalogue::refusals::{Channel, Refusals};
use crate::observation::{Agent, Refusal, RefusalCode, Upload, UploadProof};

mod answered;
mod lines;
mod qos;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Logged {
    /// By agent, code and host.
    pub(super) refusals: Vec<Refusal>,
    /// By agent and place.
    pub(super) uploads: Vec<Upload>,
}

/// What happened, when, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    at: Timestamp,
    what: What,
    /// What the agent was doing; `None` where the line does not say so.
    channel: Option<Channel>,
    target: Option<Target>,
    source: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Succeeded,
    Refused(RefusalCode),
    /// Counted, not said in words.
    Failed,
}

/// A workspace is named by its id alone in some files and by a host in others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Workspace(String),
    Host(String),
}

/// Reads the logs and counters of every agent.
pub(super) fn read(files: &mut Files<'_>, known: &Known, agents: &[Agent]) -> Logged {
    let mut logged = Logged::default();
    let Ok(signs) = Refusals::builtin() else { return logged };
    for agent in agents {
        let events = match agent.kind {
            AgentKind::Ama => of_ama(files, known, &signs),
            AgentKind::Oms => of_oms(files, known, &signs, agent),
            AgentKind::Mma | AgentKind::Dependency | AgentKind::Arc => Vec::new(),
        };
        logged.refusals.extend(refusals(agent, &events));
        logged.uploads.extend(uploads(agent, &events));
    }
    logged
}

fn of_ama(files: &mut Files<'_>, known: &Known, signs: &Refusals) -> Vec<Event> {
    let mut events = Vec::new();
    let paths = |file| known.paths(AgentKind::Ama, file);
    for path in paths(AgentFile::Log).iter().chain(paths(AgentFile::Answers)) {
        let text = files.log(path).unwrap_or_default();
        events.extend(lines::events(&text, path, signs));
    }
    for path in paths(AgentFile::Counters) {
        let text = files.log(path).unwrap_or_default();
        events.extend(qos::events(&text, path));
    }
    events
}

/// Each log is one workspace's own: what names no other place is about it.
fn of_oms(files: &mut Files<'_>, known: &Known, signs: &Refusals, agent: &Agent) -> Vec<Event> {
    let mut events = Vec::new();
    for workspace in &agent.workspaces {
        let own = Target::Workspace(workspace.id.clone());
        for path in known.paths(AgentKind::Oms, AgentFile::Log) {
            let path = path.replacen('*', &workspace.id, 1);
            let text = files.log(&path).unwrap_or_default();
            events.extend(lines::events(&text, &path, signs).map(|event| Event {
                target: event.target.or_else(|| Some(own.clone())),
                channel: event.channel.or(Some(Channel::Upload)),
                ..event
            }));
        }
    }
    events
}

/// The refusals without an answer, each code and host once.
fn refusals(agent: &Agent, events: &[Event]) -> Vec<Refusal> {
    let mut found: BTreeMap<(RefusalCode, Option<String>), Refusal> = BTreeMap::new();
    for event in events {
        let What::Refused(code) = event.what else { continue };
        if answered::is_answered(event, events, agent) {
            continue;
        }
        let host = event.target.as_ref().map(|target| host_of(target, agent));
        let refusal = found.entry((code, host.clone())).or_insert_with(|| Refusal {
            agent: agent.kind,
            code,
            host,
            at: event.at,
            since: Some(event.at),
            count: 0,
            source: event.source.clone(),
        });
        if event.at > refusal.at {
            refusal.at = event.at;
            refusal.source.clone_from(&event.source);
        }
        refusal.since = refusal.since.min(Some(event.at));
        refusal.count = refusal.count.saturating_add(1);
    }
    found.into_values().collect()
}

/// The uploads to each place.
fn uploads(agent: &Agent, events: &[Event]) -> Vec<Upload> {
    let mut of_place: BTreeMap<Option<&Target>, Vec<&Event>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.channel == Some(Channel::Upload)) {
        of_place.entry(event.target.as_ref()).or_default().push(event);
    }
    let upload = |(target, mut events): (Option<&Target>, Vec<&Event>)| {
        events.sort_by_key(|event| event.at);
        let worked = |event: &&&Event| event.what == What::Succeeded;
        let succeeded = events.iter().rev().find(worked).map(|event| event.at);
        let failures = || events.iter().filter(|event| event.what != What::Succeeded).map(|event| event.at);
        Some(Upload {
            agent: agent.kind,
            host: target.map(|target| host_of(target, agent)),
            proof: UploadProof::Delivered,
            succeeded,
            failing_since: failures().find(|at| succeeded.is_none_or(|succeeded| *at > succeeded)),
            failed: failures().next_back(),
            source: events.last()?.source.clone(),
        })
    };
    of_place.into_iter().filter_map(upload).collect()
}

/// The host that the agent's configuration names for a workspace, else its id.
fn host_of(target: &Target, agent: &Agent) -> String {
    match target {
        Target::Host(host) => host.clone(),
        Target::Workspace(id) => {
            let mut hosts = agent.endpoints.iter();
            let ods = hosts.find(|host| host.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with(".ods.")));
            ods.unwrap_or(id).clone()
        }
    }
}
