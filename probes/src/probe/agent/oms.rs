//! The Log Analytics agent for Linux: its version and the workspaces it is onboarded to.
//!
//! Source: <https://github.com/microsoft/OMS-Agent-for-Linux/blob/master/installer/scripts/omsadmin.sh>

use super::files::Files;
use super::settings::{note_cloud, pairs};
use super::{Agent, Installed, add_workspace};
use crate::azure::{AgentKind, AgentsSeen, HostName, WorkspaceId};
use crate::catalogue::agents::{AgentFile, Agents as Known};

/// `1.14.9-0 20210304 Release_Build`
pub(super) fn install_info(files: &mut Files<'_>, known: &Known) -> Option<Installed> {
    let path = known.paths(AgentKind::Oms, AgentFile::Version).first()?;
    let text = files.text(path)?;
    let version = text.split_whitespace().next()?;
    Some(Installed { version: version.to_owned(), source: path.clone() })
}

/// Reads `omsadmin.conf` in both places: one folder a workspace, and `conf`, which is the only one of old versions and
/// leads to the first workspace in newer ones. The path of the first file is given.
pub(super) fn read(files: &mut Files<'_>, known: &Known, agent: &mut Agent, seen: &mut AgentsSeen) -> Option<String> {
    let mut first = None;
    // `scom` and `LAD` are pseudo workspaces of other programs that share the layout: their names are not GUIDs.
    let mut places: Vec<(String, Option<WorkspaceId>)> = Vec::new();
    for path in known.paths(AgentKind::Oms, AgentFile::Configuration) {
        let Some((folder, rest)) = path.split_once("/*") else {
            places.push((path.clone(), None));
            continue;
        };
        for name in files.folders(folder) {
            places.extend(name.parse().ok().map(|id| (format!("{folder}/{name}{rest}"), Some(id))));
        }
    }
    for (path, of_folder) in places {
        if !files.exists(&path) {
            continue;
        }
        let text = files.text(&path).unwrap_or_default();
        let id = pairs(&text).filter(|(key, _)| *key == "WORKSPACE_ID").find_map(|(_, value)| value.parse().ok());
        // A file that was being written names no workspace yet, its folder does.
        let Some(id) = id.or(of_folder) else { continue };
        add_workspace(agent, seen, id, &path);
        for (key, value) in pairs(&text) {
            match key {
                "OMS_ENDPOINT" | "DSC_ENDPOINT" | "CERTIFICATE_UPDATE_ENDPOINT" => {
                    agent.endpoints.extend(HostName::of_url(value).map(String::from));
                }
                "URL_TLD" => note_cloud(seen, &format!(".{value}"), &path),
                _ => {}
            }
        }
        first = first.or(Some(path));
    }
    first
}
