//! Agents on Linux: packages, VM extensions, files and processes.

use super::files::Files;
use super::packages::Packages;
use super::processes::Processes;
use super::{Found, ama, arc, guest_proxy, identity, logs, newest_first, of_catalogue, oms, proxies};
use crate::azure::AgentKind;
use crate::catalogue::agents::{AgentFile, Agents as Known, KnownAgent, System};
use crate::observation::Installed;
use crate::version::Version;
use crate::world::World;

/// Reads packages, files and processes.
pub(super) fn look(known: &Known, files: &mut Files<'_>, found: &mut Found, world: &World) {
    let packages = Packages::read(files);
    let processes = Processes::read(world);
    for agent in known.agents.iter().filter(|agent| agent.system == System::Linux) {
        let installed = installed(known, agent, &packages, files);
        let running = processes.running(&agent.programs);
        let mut agent = of_catalogue(agent, installed, running, files);
        let configured = match agent.kind {
            AgentKind::Oms => oms::read(files, known, &mut agent, &mut found.seen),
            AgentKind::Ama => {
                found.seen.identity = identity::on_linux(files, known);
                ama::read(files, known, &mut agent, &mut found.seen)
            }
            AgentKind::Arc => arc::read(files, known.paths(AgentKind::Arc, AgentFile::Configuration), &mut found.seen),
            AgentKind::Dependency | AgentKind::Mma => None,
        };
        found.keep(agent, configured);
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
    newest_first(versions)
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
