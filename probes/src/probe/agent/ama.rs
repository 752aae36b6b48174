//! The Azure Monitor Agent: the data collection rules it has cached, and whom it got them from.
//!
//! Source: <https://github.com/Azure/azure-linux-extensions/tree/master/AzureMonitorAgent/ama_tst>, `helpers.py`

use serde_json::Value;

use super::files::Files;
use super::settings::{note_cloud, workspace_of};
use super::{Agent, add_workspace};
use crate::azure::{AgentKind, AgentsSeen, Cloud, Dce, DceHost, HostName, Region};
use crate::catalogue::agents::{AgentFile, Agents as Known};
use crate::observation::{CachedConfiguration, UnreadReason};

/// Hosts and protocols that are kept of each kind.
const KEPT: usize = 64;

/// Reads the cache. Its folder is given if it holds a channel.
pub(super) fn read(files: &mut Files<'_>, known: &Known, agent: &mut Agent, seen: &mut AgentsSeen) -> Option<String> {
    let mut cache = Cache::default();
    for folder in known.paths(AgentKind::Ama, AgentFile::Configuration) {
        cache.read(files, folder, '/', agent, seen);
    }
    cache.add_to(agent, seen)
}

/// What the data collection rules in a cache say, as far as they have been read.
#[derive(Default)]
pub(super) struct Cache {
    cached: CachedConfiguration,
    places: Places,
    source: Option<String>,
}

impl Cache {
    /// Takes in every file of a folder of rules.
    pub(super) fn read(
        &mut self,
        files: &mut Files<'_>,
        folder: &str,
        separator: char,
        agent: &mut Agent,
        seen: &mut AgentsSeen,
    ) {
        for name in files.names(folder, "json") {
            let path = format!("{folder}{separator}{name}");
            let Some(chunk) = files.json(&path) else { continue };
            // A chunk of kind `AgentSettings` has no channels; what else is unknown has none that are understood.
            let Some(object) = chunk.as_object() else {
                files.note(&path, UnreadReason::NotUnderstood);
                continue;
            };
            let channels = object.get("channels").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            self.take(channels, &path, folder, agent, seen);
        }
    }

    /// Takes in the channels of one file.
    pub(super) fn take(
        &mut self,
        channels: &[Value],
        path: &str,
        folder: &str,
        agent: &mut Agent,
        seen: &mut AgentsSeen,
    ) {
        if channels.iter().any(Value::is_object) {
            self.cached.chunks += 1;
            self.source.get_or_insert_with(|| folder.to_owned());
        }
        for channel in channels {
            read_channel(channel, path, &mut self.cached, &mut self.places, agent, seen);
        }
    }

    /// No file with a channel has been read.
    pub(super) fn is_empty(&self) -> bool {
        self.cached.chunks == 0
    }

    /// Ends reading: what follows for the agent and the plan. The folder is given if it holds a channel.
    pub(super) fn add_to(self, agent: &mut Agent, seen: &mut AgentsSeen) -> Option<String> {
        self.places.add_to(&self.cached, seen);
        agent.cached = Some(self.cached);
        self.source
    }
}

/// Regions by where they are named, and data collection endpoints by their use.
#[derive(Default)]
struct Places {
    of_handlers: Vec<Region>,
    of_tokens: Vec<Region>,
    of_metrics: Vec<Region>,
    handlers: Vec<Dce>,
    others: Vec<Dce>,
}

impl Places {
    /// A configuration endpoint is in the machine's own region, one for ingestion in its workspace's.
    fn add_to(self, cached: &CachedConfiguration, seen: &mut AgentsSeen) {
        let of_endpoint = self.handlers.first().map(|dce| dce.region.clone());
        let regions = self.of_handlers.into_iter().chain(of_endpoint).chain(self.of_tokens).chain(self.of_metrics);
        seen.region = seen.region.take().or_else(|| { regions }.next());
        let dces = self.handlers.into_iter().chain(self.others);
        for dce in dces {
            if !seen.dces.contains(&dce) && seen.dces.len() < KEPT {
                seen.dces.push(dce);
            }
        }
        let hosts = cached.shared_handlers.iter().chain(&cached.endpoint_handlers);
        seen.cloud = seen.cloud.or_else(|| hosts.into_iter().find_map(|host| Cloud::of_host(host)));
    }
}

fn read_channel(
    channel: &Value,
    path: &str,
    cached: &mut CachedConfiguration,
    places: &mut Places,
    agent: &mut Agent,
    seen: &mut AgentsSeen,
) {
    let text = |key: &str| channel.get(key).and_then(Value::as_str);
    let Some(protocol) = text("protocol") else { return };
    let endpoint = text("endpoint").or_else(|| text("endpointUriTemplate")).and_then(HostName::of_url);
    match protocol {
        "ods" => {
            let id = endpoint.as_deref().and_then(workspace_of);
            if let Some(id) = id.filter(|_| agent.workspaces.len() < KEPT) {
                add_workspace(agent, seen, id, path);
            }
            let suffix = endpoint.as_deref().and_then(|host| host.split_once(".ods."));
            if let Some((_, suffix)) = suffix {
                note_cloud(seen, &format!(".{suffix}"), path);
            }
        }
        "me" => {
            seen.me_channel = true;
            let region = endpoint.as_deref().and_then(|host| host.split('.').next()?.parse().ok());
            places.of_metrics.extend(region);
        }
        "gig" => places.others.extend(endpoint.as_deref().and_then(|host| host.parse::<Dce>().ok())),
        _ => keep(&mut cached.unknown_protocols, protocol.chars().take(40).collect()),
    }
    if let Some(host) = endpoint {
        keep(&mut agent.endpoints, host.into());
    }
    let Some(token) = text("tokenEndpointUri") else { return };
    places.of_tokens.extend(location(token));
    let Some(handler) = HostName::of_url(token) else { return };
    if let Ok(dce) = handler.parse::<Dce>() {
        if dce.hosts.contains(&DceHost::Handler) {
            keep(&mut cached.endpoint_handlers, handler.to_string());
        }
        places.handlers.push(dce);
    } else if let Some((place, _)) = handler.split_once(".handler.control.").filter(|(place, _)| !place.contains('.')) {
        keep(&mut cached.shared_handlers, handler.to_string());
        places.of_handlers.extend(place.parse::<Region>().ok().filter(|_| place != GLOBAL));
    }
    keep(&mut agent.endpoints, handler.into());
}

fn keep(list: &mut Vec<String>, value: String) {
    if list.len() < KEPT && !list.contains(&value) {
        list.push(value);
    }
}

/// The place in the name of the handler that serves every region.
const GLOBAL: &str = "global";

/// The region in the query of a token's address: `operatingLocation=<region>`, `Location=<region>` in older ones.
/// Source: <https://github.com/microsoft/Docker-Provider/blob/ci_prod/source/plugins/go/src/ingestion_token_utils.go>
fn location(uri: &str) -> Option<Region> {
    let query = uri.split_once('?')?.1;
    let value = |(key, value): (&str, &str)| {
        let names_it = key.eq_ignore_ascii_case("operatingLocation") || key.eq_ignore_ascii_case("Location");
        names_it.then(|| value.parse().ok()).flatten()
    };
    query.split('&').filter_map(|part| part.split_once('=')).find_map(value)
}
