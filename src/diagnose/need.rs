//! In which order names and zones are said: what the machine needs most comes first, then the plan's order.

use std::cmp::Reverse;

use ampls_probes::endpoint::Need;

use super::facts::{Facts, is_blob_zone};

/// Sorts host names by what depends on them.
pub(super) type Rank = (Reverse<Option<Need>>, usize);

/// The rank of a host name; a name that is no endpoint comes last.
pub(super) fn rank(facts: &Facts<'_>, fqdn: &str) -> Rank {
    let ports = facts.endpoints().iter().enumerate().filter(|(_, name)| name.fqdn() == fqdn);
    ports.map(|(place, name)| (Reverse(Some(name.endpoint.need)), place)).min().unwrap_or((Reverse(None), usize::MAX))
}

/// The rank of a zone: that of its most needed name.
fn rank_of_zone(facts: &Facts<'_>, zone: &str) -> Rank {
    let names = facts.ampls_endpoints().filter(|name| name.endpoint.zone.as_deref() == Some(zone));
    names.map(|name| rank(facts, name.fqdn())).min().unwrap_or((Reverse(None), usize::MAX))
}

/// Zones with one fault, by what this machine needs of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Zones {
    /// A required name is in it; where none is in any of them, all but blobs.
    pub(super) now: Vec<String>,
    /// Only optional names are in it: they serve retired agents.
    pub(super) later: Vec<String>,
    /// The zone of all storage accounts.
    pub(super) blob: Vec<String>,
    /// All, the most needed first.
    pub(super) all: Vec<String>,
}

impl Zones {
    /// Sorts zones.
    pub(super) fn of<'z>(facts: &Facts<'_>, zones: impl IntoIterator<Item = &'z str>) -> Self {
        let mut all: Vec<&str> = zones.into_iter().collect();
        all.sort_by_key(|zone| (rank_of_zone(facts, zone), *zone));
        all.dedup();
        let mut sorted = Self { all: all.iter().map(|zone| (*zone).to_owned()).collect(), ..Self::default() };
        for zone in all {
            let place = match rank_of_zone(facts, zone).0.0 {
                _ if is_blob_zone(zone) => &mut sorted.blob,
                Some(Need::Required) => &mut sorted.now,
                Some(Need::Optional) => &mut sorted.later,
                // Nothing on this machine uses it.
                Some(Need::Evidence) | None => continue,
            };
            place.push(zone.to_owned());
        }
        if sorted.now.is_empty() {
            sorted.now = sorted.all.iter().filter(|zone| !is_blob_zone(zone)).cloned().collect();
            sorted.later.clear();
        }
        if sorted.now.is_empty() {
            sorted.now = std::mem::take(&mut sorted.blob);
        }
        sorted
    }

    /// All but those that are needed now.
    pub(super) fn optional(&self) -> Vec<&str> {
        self.all.iter().filter(|zone| !self.now.contains(zone)).map(String::as_str).collect()
    }
}

/// Borrowed, as remedies take them.
pub(super) fn borrowed(zones: &[String]) -> Vec<&str> {
    zones.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{ODS, Scene, ZONES, private_world};

    use super::*;

    fn sorted(scene: &Scene, zones: &[&str]) -> Zones {
        let seen = scene.observations();
        Zones::of(&Facts::new(&seen), zones.iter().copied())
    }

    #[test]
    fn what_is_required_comes_first_and_blobs_last() {
        let zones = sorted(&private_world(), &[ZONES[4], ZONES[3], ZONES[2], ZONES[1]]);
        assert_eq!(zones.now.first().map(String::as_str), Some(ZONES[2]), "{zones:?}");
        assert!(!zones.now.iter().any(|zone| zone == ZONES[4]), "{zones:?}");
    }

    #[test]
    fn where_nothing_is_required_the_finding_is_about_what_there_is() {
        assert_eq!(sorted(&private_world(), &[ZONES[4]]).now, [ZONES[4]]);
    }

    #[test]
    fn a_name_that_was_not_planned_comes_last() {
        let seen = private_world().observations();
        let facts = Facts::new(&seen);
        assert!(rank(&facts, ODS) < rank(&facts, "other.example"));
    }
}
