//! The Log Analytics agent for Windows (Microsoft Monitoring Agent): its version and the workspaces it reports to.
//!
//! The agent of System Center Operations Manager is the same program; what tells the two apart is a workspace. Keys of
//! workspaces and thumbprints of certificates are not read.
//! Sources: <https://learn.microsoft.com/azure/azure-monitor/agents/agent-manage>,
//! <https://learn.microsoft.com/azure/virtual-machines/extensions/oms-windows>

use crate::azure::{AgentsSeen, HostName, WorkspaceId};
use crate::catalogue::agents::{Agents as Known, System};
use crate::observation::{Agent, Installed};
use crate::probe::agent::add_workspace;
use crate::probe::agent::extension::public;
use crate::probe::agent::files::Files;
use crate::probe::agent::settings::{note_cloud, workspace_of};
use crate::registry::Keys;

use super::extensions;

const SETUP: &str = r"HKLM\SOFTWARE\Microsoft\Microsoft Operations Manager\3.0\Setup";
const CONNECTORS: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\HealthService\Parameters\Service Connector Services";
/// What the extension was given; the name is misspelt there.
pub(super) const EXTENSION: &str = r"HKLM\SOFTWARE\Microsoft\Windows Azure\MicrosoftMonitoingAgent";
/// What a connector of a workspace is called, before the workspace's id.
const CONNECTOR_NAMES: [&str; 2] = ["Log Analytics - ", "Azure Operational Insights - "];
/// Workspaces that are kept.
const WORKSPACES: usize = 64;

/// The version that its setup wrote down; a management server of Operations Manager has another one.
pub(super) fn setup(keys: &mut Keys<'_>) -> Option<Installed> {
    if is_operations_manager(keys) {
        return None;
    }
    let version = keys.text(SETUP, "AgentVersion")?;
    Some(Installed { version, source: SETUP.to_owned() })
}

/// Whether this is a management server of Operations Manager, whose service has the agent's name.
pub(super) fn is_operations_manager(keys: &mut Keys<'_>) -> bool {
    let product = keys.text(SETUP, "Product").unwrap_or_default().to_ascii_lowercase();
    keys.text(SETUP, "ServerVersion").is_some() || product.contains("server")
}

/// Version 1.0.N of the extension brings version 10.20.N of the agent.
pub(super) fn of_extension(installed: Installed) -> Installed {
    let agent = installed.version.strip_prefix("1.0.").map(|rest| {
        let build = rest.split('.').next().unwrap_or_default();
        format!("10.20.{build}.0")
    });
    Installed { version: agent.unwrap_or(installed.version), source: installed.source }
}

/// Reads the connectors, and what the extension was given. The first key or file that names a workspace is given.
pub(super) fn read(
    keys: &mut Keys<'_>,
    files: &mut Files<'_>,
    known: &Known,
    agent: &mut Agent,
    seen: &mut AgentsSeen,
) -> Option<String> {
    for name in keys.keys(CONNECTORS) {
        let key = format!(r"{CONNECTORS}\{name}");
        let host = keys.text(&key, "Topology Request Url").as_deref().and_then(HostName::of_url);
        let of_name = CONNECTOR_NAMES.iter().find_map(|start| name.strip_prefix(start)?.trim().parse().ok());
        let Some(id) = host.as_deref().and_then(workspace_of).or(of_name) else { continue };
        add(agent, seen, id, &key);
        if let Some(workspace) = agent.workspaces.iter_mut().find(|workspace| workspace.source == key) {
            workspace.connection = keys.number(&key, "Connection Status");
        }
        if let Some(host) = host {
            note_cloud(seen, &host, &key);
            agent.endpoints.push(host.into());
        }
    }
    for name in ["VMExtensionWorkspaceIdList", "VMExtensionWorkspaceId"] {
        for id in keys.list(EXTENSION, name, &[';', ',']) {
            if let Ok(id) = id.parse() {
                add(agent, seen, id, EXTENSION);
            }
        }
    }
    let extension = known.of(agent.kind, System::Windows).and_then(|agent| agent.extensions.first())?;
    if let Some((document, path)) = extensions::settings(files, &known.windows_extensions_folder, extension)
        && let Some(id) = public(&document).and_then(|public| public.get("workspaceId")?.as_str()?.parse().ok())
    {
        add(agent, seen, id, &path);
    }
    agent.workspaces.first().map(|workspace| workspace.source.clone())
}

fn add(agent: &mut Agent, seen: &mut AgentsSeen, id: WorkspaceId, source: &str) {
    if agent.workspaces.len() < WORKSPACES {
        add_workspace(agent, seen, id, source);
    }
}
