//! What is known of the networks around a machine from elsewhere than its report.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// What Azure holds around one machine, as far as a prediction follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Servers that are inbound endpoints of a resolver: they answer as Azure's DNS does in their own network.
    pub inbound: BTreeSet<SocketAddr>,
    /// Whether the link of a zone falls back to public DNS, by the zone and the server that resolves in the linked network.
    pub falls_back: BTreeMap<(String, SocketAddr), bool>,
}

impl Around {
    pub(super) fn link_falls_back(&self, zone: &str, server: SocketAddr) -> Option<bool> {
        self.falls_back.get(&(zone.to_owned(), server)).copied()
    }
}
