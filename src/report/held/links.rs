//! What Azure holds of the links of the zones that a finding is about: it stands beside what DNS showed and decides nothing.

use super::{Held, changed, named};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::Finding;
use crate::facts_file::{Network, Zone};
use crate::text::quote;

/// Findings whose causes lie in the links of zones, or in the servers that should ask where they are.
const CODES: [&str; 6] = ["DNS001", "DNS002", "DNS003", "DNS004", "DNS017", "DNS020"];

impl Held<'_> {
    /// Adds to the evidence of such findings which of their zones are linked where this machine's names are resolved.
    pub(super) fn add_links(&self, facts: &Facts<'_>, findings: &mut [Finding]) {
        if !self.is_placed() {
            return;
        }
        for finding in findings.iter_mut().filter(|finding| CODES.contains(&finding.code.as_str())) {
            let zones = changed::zones(facts, finding).into_iter().map(str::to_owned).collect::<Vec<_>>();
            let lines = zones.iter().flat_map(|zone| self.links(zone)).collect::<Vec<_>>();
            finding.evidence.extend(lines);
        }
    }

    fn links(&self, zone: &str) -> Vec<String> {
        let Some(known) = self.zone(zone) else { return Vec::new() };
        self.networks().into_iter().map(|network| line(known, network)).collect()
    }
}

fn line(zone: &Zone, network: &Network) -> String {
    let (zone_name, network_name) = (named(&zone.id), named(&network.id));
    match zone.links.iter().find(|link| link.network == network.id) {
        None => format!("in Azure: zone {zone_name} has no link to {network_name}"),
        Some(link) => {
            let falls_back = if link.falls_back { " with fallback to internet" } else { "" };
            format!("in Azure: zone {zone_name} is linked to {network_name} by {}{falls_back}", quote(&link.name))
        }
    }
}
