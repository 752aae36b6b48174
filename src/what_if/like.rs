//! Another machine, whose servers show what a change gives.

use std::net::SocketAddr;

use ampls_probes::Observations;

use super::state::{Answer, Source, answer};
use crate::diagnose::facts::{Facts, Linked, Route};
use crate::text::quote;

/// A machine whose servers show what the change would give: the zone is linked there, or the target is asked.
#[derive(Clone, Debug)]
pub struct Like<'a>(Facts<'a>);

impl<'a> Like<'a> {
    /// What was seen on that machine.
    pub fn new(observations: &'a Observations) -> Self {
        Self(Facts::new(observations))
    }

    /// What a linked zone holds for a name: private, denied, or not known.
    pub(super) fn zone_answer(&self, zone: &str, fqdn: &str) -> Answer {
        let unknown = || Answer::Unknown(format!("nobody asked the zone for {}", quote(fqdn)));
        let Some(name) = self.0.endpoint(fqdn) else { return unknown() };
        let linked = self
            .0
            .servers()
            .iter()
            .map(|server| server.address)
            .filter(|server| self.0.linked(zone, *server) == Linked::Yes);
        for server in linked {
            match answer(&self.0, name, server) {
                Answer::Leads { route: Route::Private, addresses, source: Source::Zone } => {
                    return Answer::private(addresses);
                }
                // Without a fallback of its own the new link denies what the zone lacks.
                Answer::Leads { route: Route::None, source: Source::Zone, .. }
                | Answer::Leads { source: Source::Fallback, .. } => {
                    return Answer::denied();
                }
                _ => {}
            }
        }
        unknown()
    }

    /// What a server answers of a name, asked from that machine.
    pub(super) fn server_answer(&self, server: SocketAddr, fqdn: &str) -> Option<Answer> {
        let name = self.0.endpoint(fqdn)?;
        name.view_of(server).map(|_| answer(&self.0, name, server))
    }
}
