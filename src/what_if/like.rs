//! Who shows what a change gives: another machine and its servers, or what Azure holds.

use std::net::SocketAddr;

use ampls_probes::Observations;

use super::state::{Answer, Source, answer};
use crate::diagnose::facts::{EndpointFacts, Facts, Linked, Route};
use crate::facts_file::Holdings;
use crate::text::quote;

/// A machine whose servers show what the change would give (the zone is linked there, or the target is asked), and what Azure
/// holds. Either may be missing.
#[derive(Clone, Debug)]
pub struct Like<'a> {
    machine: Option<Facts<'a>>,
    held: Option<&'a Holdings>,
}

impl<'a> Like<'a> {
    /// What was seen on that machine, and what Azure holds; `None` where neither is given.
    pub fn new(observations: Option<&'a Observations>, held: Option<&'a Holdings>) -> Option<Self> {
        let given = observations.is_some() || held.is_some();
        given.then(|| Self { machine: observations.map(Facts::new), held })
    }

    /// What a linked zone holds for a name of the machine that `facts` are of: private, denied, or not known.
    pub(super) fn zone_answer(&self, facts: &Facts<'_>, zone: &str, name: &EndpointFacts<'_>) -> Answer {
        let of_machine = self.machine.as_ref().map(|machine| of_machine(machine, zone, name.fqdn()));
        match (of_machine, self.held) {
            (Some(known), _) if !matches!(known, Answer::Unknown(_)) => known,
            (_, Some(held)) => of_file(held, facts, zone, name),
            (Some(unknown), None) => unknown,
            (None, None) => Answer::Unknown("nothing shows what the zone holds".to_owned()),
        }
    }

    /// What a server answers of a name, asked from that machine.
    pub(super) fn server_answer(&self, server: SocketAddr, fqdn: &str) -> Option<Answer> {
        let machine = self.machine.as_ref()?;
        let name = machine.endpoint(fqdn)?;
        name.view_of(server).map(|_| answer(machine, name, server))
    }
}

/// The zone of that name as Azure holds it. A file holds a zone whole: what is not in it is denied.
fn of_file(held: &Holdings, facts: &Facts<'_>, zone: &str, name: &EndpointFacts<'_>) -> Answer {
    let mut zones = held.zones.iter().filter(|known| known.name == zone);
    let (Some(known), None) = (zones.next(), zones.next()) else {
        let count = held.zones.iter().filter(|known| known.name == zone).count();
        return Answer::Unknown(match count {
            0 => format!("the Azure facts hold no zone {}", quote(zone)),
            count => format!("the Azure facts hold {count} zones {}: which one is meant is not known", quote(zone)),
        });
    };
    let Some(records) = &known.records else {
        return Answer::Unknown(format!(
            "the records of zone {} were not read when the facts were collected",
            quote(zone)
        ));
    };
    let Some(alias) = name.endpoint.alias.as_deref() else {
        return Answer::Unknown(format!("the record behind {} is not known", quote(name.fqdn())));
    };
    match records.iter().find(|record| record.name == alias) {
        Some(record) if !record.addresses.is_empty() => Answer::recorded(facts, record.addresses.clone()),
        _ => Answer::denied(),
    }
}

fn of_machine(machine: &Facts<'_>, zone: &str, fqdn: &str) -> Answer {
    let unknown = || Answer::Unknown(format!("nobody asked the zone for {}", quote(fqdn)));
    let Some(name) = machine.endpoint(fqdn) else { return unknown() };
    let servers = machine.servers().iter().map(|server| server.address);
    for server in servers.filter(|server| machine.linked(zone, *server) == Linked::Yes) {
        match answer(machine, name, server) {
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
