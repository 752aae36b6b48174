//! The Azure Monitor Agent for Windows: its data store, in which the cached rules lie as on Linux, or as one document of XML.
//!
//! The store's name differs from installation to installation; tokens that lie beside the rules are not read.
//! Source: <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-troubleshoot-windows-vm>

use serde_json::{Value, json};

use crate::azure::{AgentKind, AgentsSeen, HostName};
use crate::catalogue::agents::{AgentFile, Agents as Known, System};
use crate::observation::{Agent, Refusal, UnreadReason, Upload};
use crate::probe::agent::ama::Cache;
use crate::probe::agent::files::Files;
use crate::probe::agent::health;
use crate::registry::Keys;

/// What the installer for client computers leaves.
const CLIENT: &str = r"HKLM\SOFTWARE\Microsoft\AzureMonitorAgent";
/// The rules as one document: in use, and the last that worked.
const DOCUMENTS: [&str; 2] = ["mcsconfig.latest.xml", "mcsconfig.lkg.xml"];
/// Addresses that are taken from one document.
const ADDRESSES: usize = 256;

/// Reads the stores. The folder is given if one holds a channel, else the key of the client's installer.
pub(super) fn read(
    files: &mut Files<'_>,
    known: &Known,
    keys: &mut Keys<'_>,
    agent: &mut Agent,
    seen: &mut AgentsSeen,
) -> Option<String> {
    let mut cache = Cache::default();
    for store in stores(files, known) {
        let folder = format!(r"{store}\mcs");
        cache.read(files, &format!(r"{folder}\configchunks"), '\\', agent, seen);
        if !cache.is_empty() {
            continue;
        }
        for name in DOCUMENTS {
            let path = format!(r"{folder}\{name}");
            let Some(text) = files.text(&path) else { continue };
            match channels(&text) {
                Some(channels) => cache.take(&channels, &path, &folder, agent, seen),
                None => files.note(&path, UnreadReason::NotUnderstood),
            }
            if !cache.is_empty() {
                break;
            }
        }
    }
    cache.add_to(agent, seen).or_else(|| keys.exists(CLIENT).then(|| CLIENT.to_owned()))
}

/// Whether the agent reached its services, by its own two files.
pub(super) fn health(files: &mut Files<'_>, known: &Known, agents: &[Agent]) -> (Vec<Upload>, Vec<Refusal>) {
    let (mut uploads, mut refusals) = (Vec::new(), Vec::new());
    if !agents.iter().any(|agent| agent.kind == AgentKind::Ama) {
        return (uploads, refusals);
    }
    for store in stores(files, known) {
        for name in ["monagentcore.hr.json", "monagentmanager.hr.json"] {
            let path = format!(r"{store}\mcs\{name}");
            let Some(written) = files.written(&path) else { continue };
            let Some(document) = files.json(&path) else { continue };
            uploads.extend(health::uploads(&document, written, &path));
            refusals.extend(health::refusals(&document, written, &path));
        }
    }
    (uploads, refusals)
}

/// The folders of data stores.
fn stores(files: &mut Files<'_>, known: &Known) -> Vec<String> {
    let parents = known.paths_on(System::Windows, AgentKind::Ama, AgentFile::Configuration);
    let mut stores = Vec::new();
    for parent in parents {
        let names = files.folders(parent).into_iter();
        let is_store = |name: &String| name.contains("AMADataStore") || name.starts_with("AMA_MT_DataStore");
        stores.extend(names.filter(is_store).map(|name| format!(r"{parent}\{name}")));
    }
    stores
}

/// The channels in a document of XML, as the files of rules name them: what matters of each is an address of a known service.
fn channels(text: &str) -> Option<Vec<Value>> {
    let document = roxmltree::Document::parse(text).ok()?;
    let texts = document.descendants().filter_map(|node| node.text().filter(|_| node.is_text()));
    let attributes = document.descendants().flat_map(|node| node.attributes()).map(|attribute| attribute.value());
    let mut channels: Vec<Value> = Vec::new();
    for address in texts.chain(attributes).flat_map(addresses).take(ADDRESSES) {
        let Some(host) = HostName::of_url(address) else { continue };
        let channel = if host.contains(".ods.opinsights.") {
            json!({"protocol": "ods", "endpoint": address})
        } else if host.contains(".metrics.ingest.monitor.") {
            continue;
        } else if host.contains(".ingest.monitor.") {
            json!({"protocol": "gig", "endpoint": address})
        } else if host.contains(".handler.control.monitor.") {
            json!({"protocol": "ods", "tokenEndpointUri": address})
        } else {
            continue;
        };
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    Some(channels)
}

/// The `https` addresses in a text.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("https://").filter_map(|(at, _)| {
        let rest = text.get(at..)?;
        let end = rest.find(|c: char| c.is_whitespace() || "\"'<>\\".contains(c)).unwrap_or(rest.len());
        rest.get(..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODS: &str = "https://6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64.ods.opinsights.azure.com";
    const TOKEN: &str =
        "https://conf-a1b2.westeurope-1.handler.control.monitor.azure.com/x?operatingLocation=westeurope";

    #[test]
    fn addresses_are_found_in_texts_and_attributes_each_once() {
        let inner = format!("&lt;Channel endpoint=\"{ODS}\" token='{TOKEN}&amp;y=1'/&gt;");
        let text = format!(
            "<MonitoringManagement><EventStreamingAnnotations><EventStreamingAnnotation name=\"{ODS}\"><OMS><Content>{inner}\
             </Content></OMS></EventStreamingAnnotation></EventStreamingAnnotations></MonitoringManagement>"
        );
        let found = channels(&text).expect("XML");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.contains(&json!({"protocol": "ods", "endpoint": ODS})), "{found:?}");
        assert!(found.iter().any(|channel| channel["tokenEndpointUri"] == format!("{TOKEN}&y=1")), "{found:?}");
    }

    #[test]
    fn others_addresses_are_no_channels_and_half_a_document_is_none() {
        assert_eq!(channels("<a b=\"https://example.org/x\">https://login.microsoftonline.com</a>"), Some(Vec::new()));
        assert_eq!(channels("<a><b>"), None);
    }
}
