//! What Azure holds for the machine of one report: its networks found in the file of `--facts`, and what follows from them.
//!
//! Facts change nothing that was observed. They say which addresses names should have, fill in commands, answer notes and say
//! what changed. Where the machine's network is not found in the file, none of that is done: two networks may have zones of
//! one name, and only one of them is this machine's.

use std::net::SocketAddr;

use ampls_probes::azure::ResourceId;
use ampls_probes::observation::Instance;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::diagnose::facts::Facts;
use crate::facts_file::{Holdings, Interface, Network, PrivateEndpoint, Subnet, Zone};
use crate::text::quote;

mod changed;
mod filled;
mod links;
mod place;
mod records;
mod shown;
#[cfg(test)]
mod tests;

/// How a line of evidence begins that says what changed.
pub const CHANGED: &str = "changed: ";

/// The facts that a report was judged with (`--facts`).
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct FactsUsed {
    /// When they were collected.
    pub collected_at: Timestamp,
    /// The virtual network of this machine; null where the file does not hold it.
    pub network: Option<String>,
    /// Virtual networks in which the names of this machine are resolved.
    pub resolved_in: Vec<String>,
}

impl FactsUsed {
    /// Whose facts they are, for a screen.
    pub fn sentence(&self) -> String {
        let at = moment(self.collected_at);
        let network = self.network.as_ref().or(self.resolved_in.first());
        match network.and_then(|id| id.rsplit('/').next()) {
            Some(name) => format!("Azure facts of {at}, for virtual network {}.", quote(name)),
            None => format!("Azure facts of {at} are not used: this machine's network is not in them (-v)."),
        }
    }
}

/// What Azure holds, seen from one machine.
#[derive(Clone, Debug)]
pub struct Held<'h> {
    holdings: &'h Holdings,
    interface: Option<&'h Interface>,
    subnet: Option<&'h Subnet>,
    network: Option<&'h Network>,
    /// DNS servers of this machine, and the network in which each resolves.
    resolving: Vec<(SocketAddr, Option<&'h Network>)>,
    endpoint: Option<&'h PrivateEndpoint>,
    /// Why the machine's network is not known.
    unplaced: Option<String>,
}

impl<'h> Held<'h> {
    /// Finds a machine's networks.
    pub fn new(holdings: &'h Holdings, facts: &Facts<'_>) -> Self {
        let mut held = Self {
            holdings,
            interface: None,
            subnet: None,
            network: None,
            resolving: Vec::new(),
            endpoint: None,
            unplaced: None,
        };
        held.find_machine(facts);
        held.resolving = held.find_resolving(facts);
        held.endpoint = held.find_endpoint(facts);
        held
    }

    /// The machine's own network, or one in which its names are resolved, is in the file.
    fn is_placed(&self) -> bool {
        self.network.is_some() || self.resolving.iter().any(|(_, network)| network.is_some())
    }

    /// The networks whose links decide what this machine's names resolve to, each once.
    fn networks(&self) -> Vec<&'h Network> {
        let mut networks: Vec<&Network> = Vec::new();
        for network in self.resolving.iter().filter_map(|(_, network)| *network) {
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        networks
    }

    /// The zone of this name that serves this machine: the one that is linked where its names are resolved, else the only one
    /// of that name.
    fn zone(&self, name: &str) -> Option<&'h Zone> {
        if !self.is_placed() {
            return None;
        }
        if let Some(linked) = self.linked_zone(name) {
            return Some(linked);
        }
        only(self.holdings.zones.iter().filter(|zone| zone.name == name))
    }

    /// The zone of this name that is linked where this machine's names are resolved.
    fn linked_zone(&self, name: &str) -> Option<&'h Zone> {
        let networks = self.networks();
        let linked = |zone: &&Zone| zone.links.iter().any(|link| networks.iter().any(|it| it.id == link.network));
        only(self.holdings.zones.iter().filter(|zone| zone.name == name).filter(linked))
    }

    /// The server is an inbound endpoint of a resolver: it answers as Azure's DNS does in the network of its subnet.
    pub fn is_inbound(&self, server: SocketAddr) -> bool {
        let network = self.network_in_which(server);
        let mut inbound = self.holdings.inbound.iter().filter(|it| it.address == server.ip());
        network.is_some() && inbound.any(|it| self.network_of(Some(&it.subnet)) == network)
    }

    /// Whether the link of the zone of this name to the network in which a server resolves falls back to public DNS.
    pub fn falls_back(&self, zone: &str, server: SocketAddr) -> Option<bool> {
        let network = self.network_in_which(server)?;
        let zones = self.holdings.zones.iter().filter(|known| known.name == zone);
        only(zones.flat_map(|known| &known.links).filter(|link| link.network == network.id)).map(|link| link.falls_back)
    }

    fn network_in_which(&self, server: SocketAddr) -> Option<&'h Network> {
        if !self.is_placed() {
            return None;
        }
        if Facts::is_azure_dns(server) { self.network } else { self.network_with(server.ip()) }
    }

    /// The network of a subnet.
    fn network_of(&self, subnet: Option<&ResourceId>) -> Option<&'h Network> {
        self.holdings.network_of(subnet?)
    }
}

/// The only item; `None` where there are none or several.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

/// This machine's id in Azure.
fn machine_id(instance: Option<&Instance>) -> Option<ResourceId> {
    instance?.resource_id.as_deref()?.parse().ok()
}

impl Report {
    /// The report with what Azure holds: commands filled in, notes answered, and what changed. What was observed stays.
    #[must_use]
    pub fn with_facts(mut self, holdings: &Holdings, facts: &Facts<'_>) -> Self {
        let held = Held::new(holdings, facts);
        held.add_changes(facts, &mut self.findings);
        held.add_links(facts, &mut self.findings);
        held.add_shown(facts, &mut self.findings);
        held.fill(&mut self.findings);
        self.notes = held.notes(facts, std::mem::take(&mut self.notes));
        self.run.facts = Some(FactsUsed {
            collected_at: holdings.collected_at,
            network: held.network.map(|network| network.id.to_string()),
            resolved_in: held.networks().iter().map(|network| network.id.to_string()).collect(),
        });
        self
    }
}

/// A resource by its name, in backticks.
fn named(id: &ResourceId) -> String {
    quote(id.name())
}

/// A moment as people read it: `2026-11-28 22:14:03 UTC`.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
