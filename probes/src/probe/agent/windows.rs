//! Agents on Windows: the registry, VM extensions, files, services and processes.

use self::installed::Installations;
use super::files::Files;
use super::processes::Processes;
use super::{Found, arc, newest_first, of_catalogue};
use crate::azure::AgentKind;
use crate::catalogue::agents::{AgentFile, Agents as Known, KnownAgent, System};
use crate::observation::{AgentService, Installed, ServiceStart};
use crate::registry::{Keys, Registry, lost};
use crate::version::Version;
use crate::world::World;

mod ama;
mod extensions;
mod installed;
mod mma;
mod proxies;

const SERVICES: &str = r"HKLM\SYSTEM\CurrentControlSet\Services";

/// Reads the registry, files and processes.
pub(super) fn look(known: &Known, files: &mut Files<'_>, registry: &dyn Registry, found: &mut Found, world: &World) {
    let mut keys = Keys::new(registry);
    let installations = Installations::read(&mut keys);
    let processes = Processes::read(world);
    for agent in known.agents.iter().filter(|agent| agent.system == System::Windows) {
        let versions = versions(known, agent, &installations, &mut keys, files);
        let running = processes.running_by_name(&agent.programs);
        let services = services(&agent.services, &mut keys);
        let mut agent = of_catalogue(agent, versions, running, files);
        if agent.source.is_empty() {
            agent.source = services.first().map(|service| service.source.clone()).unwrap_or_default();
        }
        agent.services = services;
        let configured = match agent.kind {
            AgentKind::Mma => mma::read(&mut keys, files, known, &mut agent, &mut found.seen),
            AgentKind::Ama => {
                found.seen.identity = identity(files, known);
                ama::read(files, known, &mut keys, &mut agent, &mut found.seen)
            }
            AgentKind::Arc => {
                let paths = known.paths_on(System::Windows, AgentKind::Arc, AgentFile::Configuration);
                arc::read(files, paths, &mut found.seen)
            }
            AgentKind::Dependency | AgentKind::Oms => None,
        };
        if agent.kind == AgentKind::Mma && agent.workspaces.is_empty() && mma::is_operations_manager(&mut keys) {
            continue;
        }
        found.keep(agent, configured);
    }
    found.agents.installers = services(&known.windows_installers, &mut keys);
    found.agents.proxies = proxies::read(&mut keys, files, known, &found.agents.found);
    let health = ama::health(files, known, &found.agents.found);
    (found.agents.uploads, found.agents.refusals) = health;
    found.agents.unread.extend(keys.into_unread());
    found.agents.unread.extend(lost(registry));
}

/// The identity that the Azure Monitor Agent is set to use.
fn identity(files: &mut Files<'_>, known: &Known) -> Option<(String, String, String)> {
    let agent = known.of(AgentKind::Ama, System::Windows)?;
    let (document, path) = extensions::settings(files, &known.windows_extensions_folder, agent.extensions.first()?)?;
    super::identity::of_document(&document, &path)
}

/// What is listed for uninstallation goes before what an extension left in its folder.
fn versions(
    known: &Known,
    agent: &KnownAgent,
    installations: &Installations,
    keys: &mut Keys<'_>,
    files: &mut Files<'_>,
) -> Vec<Installed> {
    let mut versions: Vec<Installed> = agent.packages.iter().flat_map(|name| installations.versions(name)).collect();
    if agent.kind == AgentKind::Mma {
        versions.extend(mma::setup(keys));
    }
    let mut all = newest_first(versions);
    for extension in &agent.extensions {
        let of_folders = extensions::versions(files, &known.windows_extensions_folder, extension);
        let of_folders = of_folders.into_iter().map(|installed| match agent.kind {
            AgentKind::Mma => mma::of_extension(installed),
            _ => installed,
        });
        let number = |installed: &Installed| installed.version.parse::<Version>().ok();
        let more = newest_first(of_folders.collect());
        all.extend(
            more.into_iter().filter(|one| !all.iter().any(|known| number(known) == number(one))).collect::<Vec<_>>(),
        );
    }
    all
}

/// `Start` of a service. What starts with the machine may do so late.
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/install/hklm-system-currentcontrolset-services-registry-tree>
fn services(names: &[String], keys: &mut Keys<'_>) -> Vec<AgentService> {
    let mut services = Vec::new();
    for name in names {
        let source = format!(r"{SERVICES}\{name}");
        let start = match keys.number(&source, "Start") {
            Some(0..=2) => ServiceStart::Automatic,
            Some(3) => ServiceStart::Manual,
            Some(4) => ServiceStart::Disabled,
            _ => continue,
        };
        services.push(AgentService { name: name.clone(), start, source });
    }
    services
}

#[cfg(test)]
mod tests;
