//! The agents of Azure Monitor: their files and processes, and what follows from them for the plan.
//!
//! Each source has a module of its own below, so that its Windows twin (registry, event log) stands beside it. What the files
//! hold besides versions, workspaces, hosts and proxies is not kept: keys, passwords and tokens are never taken.

use std::time::Instant;

use self::files::Files;
use self::packages::Packages;
use self::processes::Processes;
use crate::azure::{AgentKind, AgentsSeen, LegacyAgent};
use crate::catalogue::agents::{Agents as Known, KnownAgent, System};
use crate::observation::{Agent, AgentWorkspace, Agents, Installed, Timing};
use crate::probe::micros;
use crate::version::Version;
use crate::world::World;

mod ama;
mod arc;
mod files;
mod guest_proxy;
#[cfg_attr(not(test), expect(dead_code, reason = "the files are read on Windows, beside the registry"))]
mod health;
mod logs;
mod oms;
mod packages;
mod processes;
mod proxies;
mod settings;

/// Reads everything. `start` is when the run began. Nothing that the files hold makes it fail.
pub fn read(world: &World, start: Instant) -> (Agents, AgentsSeen) {
    let began = Instant::now();
    let mut found = Found::default();
    let mut files = Files::new(world);
    if let Ok(known) = Known::builtin() {
        look(&known, &mut files, &mut found, world);
    }
    found.agents.unread = files.into_unread();
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
    fn of(&mut self, kind: AgentKind) -> Option<&mut Agent> {
        self.agents.found.iter_mut().find(|agent| agent.kind == kind)
    }
}

fn look(known: &Known, files: &mut Files<'_>, found: &mut Found, world: &World) {
    let packages = Packages::read(files);
    let processes = Processes::read(world);
    for agent in known.agents.iter().filter(|agent| agent.system == System::Linux) {
        let installed = installed(known, agent, &packages, files);
        let running = processes.running(&agent.programs);
        let mut agent = of_catalogue(agent, installed, running, files);
        let configured = match agent.kind {
            AgentKind::Oms => oms::read(files, known, &mut agent, &mut found.seen),
            AgentKind::Ama => ama::read(files, known, &mut agent, &mut found.seen),
            AgentKind::Arc => arc::read(files, known, &mut found.seen),
            AgentKind::Dependency | AgentKind::Mma => None,
        };
        if agent.source.is_empty() {
            // Configuration that a removed agent left behind still says what this machine is meant to do.
            let Some(source) = configured else { continue };
            agent.source = source;
        }
        agent.endpoints.sort();
        agent.endpoints.dedup();
        found.agents.found.push(agent);
    }
    found.agents.proxies = proxies::read(files, known, &found.agents.found);
    found.agents.guest_proxy = guest_proxy::read(files);
    let logs = logs::read(files, known, &found.agents.found);
    found.agents.refusals = logs.refusals;
    found.agents.uploads = logs.uploads;
}

/// The versions of an agent, newest first.
fn installed(known: &Known, agent: &KnownAgent, packages: &Packages, files: &mut Files<'_>) -> Vec<Installed> {
    let mut versions: Vec<Installed> = agent.packages.iter().flat_map(|name| packages.versions(name)).collect();
    for extension in &agent.extensions {
        versions.extend(extension_versions(files, &known.extensions_folder, extension));
    }
    if agent.kind == AgentKind::Oms {
        versions.extend(oms::install_info(files, known));
    }
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

fn extension_versions(files: &mut Files<'_>, folder: &str, extension: &str) -> Vec<Installed> {
    let mut versions = Vec::new();
    for name in files.folders(folder) {
        let Some(version) = name.strip_prefix(extension).and_then(|rest| rest.strip_prefix('-')) else { continue };
        let source = format!("{folder}/{name}");
        let state = files.text(&format!("{source}/config/HandlerState"));
        if version.parse::<Version>().is_err() || state.is_some_and(|state| state.trim() == "NotInstalled") {
            continue;
        }
        versions.push(Installed { version: version.to_owned(), source });
    }
    versions
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
        workspaces: Vec::new(),
        endpoints: Vec::new(),
        cached: None,
        source: source.or_else(|| running.and_then(|runs| runs.then(|| "processes".to_owned()))).unwrap_or_default(),
    }
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
        agent.workspaces.push(AgentWorkspace { id: text, source: source.to_owned() });
    }
    if !seen.workspaces.contains(&id) {
        seen.workspaces.push(id);
    }
}

#[cfg(test)]
mod tests;
