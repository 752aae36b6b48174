//! The agents of Azure Monitor: their files and processes, and what follows from them for the plan.
//!
//! Each source has a module of its own below; which of them are read on which system, `linux` and `windows` say. What the files
//! hold besides versions, workspaces, hosts and proxies is not kept: keys, passwords and tokens are never taken.

use std::time::Instant;

use self::files::Files;
use crate::azure::{AgentKind, AgentsSeen, LegacyAgent};
use crate::catalogue::agents::{Agents as Known, KnownAgent};
use crate::observation::{Agent, AgentWorkspace, Agents, Installed, Timing};
use crate::probe::micros;
use crate::version::Version;
use crate::world::World;

mod ama;
mod arc;
mod extension;
mod files;
mod guest_proxy;
mod health;
mod identity;
mod linux;
mod logs;
mod oms;
mod packages;
mod processes;
mod proxies;
mod settings;
mod windows;

/// Reads everything. `start` is when the run began. Nothing that the files hold makes it fail.
pub fn read(world: &World, start: Instant) -> (Agents, AgentsSeen) {
    let began = Instant::now();
    let mut found = Found::default();
    let mut files = Files::new(world);
    if let Ok(known) = Known::builtin() {
        match &world.registry {
            Some(registry) => windows::look(&known, &mut files, registry.as_ref(), &mut found, world),
            None => linux::look(&known, &mut files, &mut found, world),
        }
    }
    found.agents.unread.splice(0..0, files.into_unread());
    found.seen.ama = found.of(AgentKind::Ama).is_some();
    found.seen.legacy = legacy(&found.agents);
    found.agents.timing =
        Timing { at_us: micros(began.saturating_duration_since(start)), elapsed_us: micros(began.elapsed()) };
    (found.agents, found.seen)
}

/// What has been found so far: the facts, and what follows for the plan.
#[derive(Default)]
struct Found {
    agents: Agents,
    seen: AgentsSeen,
}

impl Found {
    /// Keeps an agent that is here, and one that was removed and left its configuration behind: that still says what this machine
    /// is meant to do.
    fn keep(&mut self, mut agent: Agent, configured: Option<String>) {
        if agent.source.is_empty() {
            let Some(source) = configured else { return };
            agent.source = source;
        }
        agent.endpoints.sort();
        agent.endpoints.dedup();
        self.agents.found.push(agent);
    }

    fn of(&mut self, kind: AgentKind) -> Option<&mut Agent> {
        self.agents.found.iter_mut().find(|agent| agent.kind == kind)
    }
}

fn of_catalogue(agent: &KnownAgent, versions: Vec<Installed>, running: Option<bool>, files: &mut Files<'_>) -> Agent {
    let sign = agent.signs.iter().find(|sign| files.exists(sign));
    let source = versions.first().map(|installed| installed.source.clone()).or_else(|| sign.cloned());
    let newest = versions.first().and_then(|installed| installed.version.parse::<Version>().ok());
    let minimum = agent.minimum.as_ref().and_then(|minimum| minimum.parse::<Version>().ok());
    Agent {
        kind: agent.kind,
        name: agent.name.clone(),
        versions,
        minimum: agent.minimum.clone(),
        meets_minimum: newest.zip(minimum).map(|(version, minimum)| version >= minimum),
        retired: agent.retired.clone(),
        running,
        services: Vec::new(),
        workspaces: Vec::new(),
        endpoints: Vec::new(),
        cached: None,
        source: source.or_else(|| running.and_then(|runs| runs.then(|| "processes".to_owned()))).unwrap_or_default(),
    }
}

/// The versions, newest first, each once. What is no version is left out.
fn newest_first(mut versions: Vec<Installed>) -> Vec<Installed> {
    versions.sort_by_key(|installed| std::cmp::Reverse(installed.version.parse::<Version>().ok()));
    let mut unique: Vec<Installed> = Vec::new();
    for installed in versions {
        let Ok(version) = installed.version.parse::<Version>() else { continue };
        if !unique.iter().any(|known| known.version.parse::<Version>().is_ok_and(|known| known == version)) {
            unique.push(installed);
        }
    }
    unique
}

fn legacy(agents: &Agents) -> LegacyAgent {
    let mut legacy = agents.found.iter().filter(|agent| agent.kind.is_legacy()).peekable();
    if legacy.peek().is_none() {
        return LegacyAgent::Absent;
    }
    if legacy.any(|agent| !agent.workspaces.is_empty()) {
        LegacyAgent::WithWorkspace
    } else {
        LegacyAgent::WithoutWorkspace
    }
}

/// Adds a workspace to an agent and to the plan, each once.
fn add_workspace(agent: &mut Agent, seen: &mut AgentsSeen, id: crate::azure::WorkspaceId, source: &str) {
    let text = id.to_string();
    if !agent.workspaces.iter().any(|known| known.id == text) {
        agent.workspaces.push(AgentWorkspace { id: text, source: source.to_owned(), connection: None });
    }
    if !seen.workspaces.contains(&id) {
        seen.workspaces.push(id);
    }
}

#[cfg(test)]
mod tests;
