//! The addresses that names should have.
//!
//! The zone that is linked where this machine's names are resolved says it. Where no private endpoint of the file has the
//! address that the zone holds, and exactly one has the name, the record is stale and the endpoint says it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ampls_probes::endpoint::ExpectedRecord;

use super::{Held, only};
use crate::diagnose::facts::{EndpointFacts, Facts, Route};

impl Held<'_> {
    /// The records of the names that this machine has private addresses of. A name that is public or denied here has a
    /// finding of its own, which says more than a wrong address does.
    pub fn expected(&self, facts: &Facts<'_>) -> Vec<ExpectedRecord> {
        let given = &facts.observations().asked.expected_records;
        let is_open = |name: &&EndpointFacts<'_>| {
            matches!(name.route(), Route::Private | Route::Mixed) && !given.iter().any(|it| it.is_of(name.endpoint))
        };
        let mut records: Vec<ExpectedRecord> = Vec::new();
        for name in facts.ampls_endpoints().filter(is_open) {
            let Some(addresses) = self.addresses(name) else { continue };
            let record = ExpectedRecord { name: name.fqdn().to_owned(), addresses: addresses.into_iter().collect() };
            if !records.iter().any(|known| known.name == record.name) {
                records.push(record);
            }
        }
        records
    }

    /// The addresses of one name.
    fn addresses(&self, name: &EndpointFacts<'_>) -> Option<BTreeSet<IpAddr>> {
        let zone = self.linked_zone(name.endpoint.zone.as_deref()?)?;
        let alias = name.endpoint.alias.as_deref()?;
        let record = zone.records.as_ref()?.iter().find(|record| record.name == alias)?;
        let addresses: BTreeSet<IpAddr> = record.addresses.iter().copied().collect();
        let with_name = self.with_name(name);
        let known = with_name.iter().any(|addresses_of| !addresses.is_disjoint(addresses_of));
        let right = if known { addresses } else { only(with_name.into_iter()).unwrap_or(addresses) };
        (!right.is_empty()).then_some(right)
    }

    /// The addresses that each private endpoint with this name has for it.
    pub(super) fn with_name(&self, name: &EndpointFacts<'_>) -> Vec<BTreeSet<IpAddr>> {
        let public = name.endpoint.alias.as_deref().and_then(|alias| {
            let (owner, zone) = alias.split_once(".privatelink.")?;
            Some(format!("{owner}.{zone}"))
        });
        let is_it = |known: &String| {
            known == name.fqdn() || Some(known) == public.as_ref() || Some(known) == name.endpoint.alias.as_ref()
        };
        let own = self.holdings.interfaces.iter().filter(|interface| interface.endpoint.is_some());
        let of = own.map(|interface| {
            let here = interface.configurations.iter().filter(|it| it.names.iter().any(is_it));
            here.map(|it| it.address).collect::<BTreeSet<IpAddr>>()
        });
        of.filter(|addresses| !addresses.is_empty()).collect()
    }
}
