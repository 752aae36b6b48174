//! What changed of the things that a finding is about, as Azure recorded it. A change beside a fault does not prove that it made
//! it: findings say what changed and when, and what is wrong stays what was observed.

use std::collections::BTreeSet;

use ampls_probes::azure::ResourceId;
use jiff::{SignedDuration, Timestamp};

use super::{CHANGED, Held, machine_id, moment, named};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{Argument, Finding};
use crate::facts_file::Change;
use crate::report::note::Note;

/// Changes that one finding, or the note of all, names.
const MOST: usize = 5;

/// How long before a run a change is still named.
const DAYS: i64 = 14;

/// What kind of thing changed, for the findings that it can be about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Zones, their links and records, zone groups.
    Zone,
    /// Networks, their servers, rulesets and resolvers.
    Network,
    /// Private endpoints.
    Endpoint,
    /// Routes and rules of groups.
    Way,
    /// Scopes, workspaces, collection endpoints and rules.
    Monitor,
}

impl Held<'_> {
    /// Adds to each finding what changed of the things it is about: the latest to its title, each to its evidence.
    pub(super) fn add_changes(&self, facts: &Facts<'_>, findings: &mut [Finding]) {
        for finding in findings {
            let zones = zones(facts, finding);
            let about: Vec<&Change> = self
                .near(facts, &zones)
                .filter(|(kind, _)| is_about(finding, *kind))
                .map(|(_, change)| change)
                .collect();
            let Some(latest) = about.first() else { continue };
            finding.title = format!("{}; {}", finding.title, sentence(latest));
            let lines: Vec<String> =
                about.iter().take(MOST).map(|change| format!("{CHANGED}{}", sentence(change))).collect();
            finding.evidence.splice(0..0, lines);
            let ids =
                about.iter().take(MOST).map(|change| format!("{} {} {}", change.at, change.what.as_str(), change.id));
            finding.args.insert("changed".to_owned(), Argument::Many(ids.collect()));
        }
    }

    /// All that changed of this machine's zones, networks, endpoint and scope.
    pub(super) fn recent_changes(&self, facts: &Facts<'_>) -> Option<Note> {
        let zones = facts.observations().zones.iter().map(String::as_str).collect();
        let lines: Vec<String> = self.near(facts, &zones).map(|(_, change)| sentence(change)).collect();
        if lines.is_empty() {
            return None;
        }
        let more = lines.len().saturating_sub(MOST);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let lines = lines.into_iter().take(MOST).collect::<Vec<_>>().join("; ");
        Some(Note::answer(format!("changed in the {DAYS} days before: {lines}{more}")))
    }

    /// Changes of what this machine uses, made before it was looked at, the latest first.
    fn near<'s>(&'s self, facts: &Facts<'_>, zones: &BTreeSet<&str>) -> impl Iterator<Item = (Kind, &'s Change)> {
        let began = facts.observations().started_at;
        let ended =
            later(began, SignedDuration::from_millis(i64::try_from(facts.observations().elapsed_ms).unwrap_or(0)));
        let since = later(began, SignedDuration::from_hours(-24 * DAYS));
        let machine = machine_id(facts.instance());
        let zones: BTreeSet<String> = zones.iter().map(|zone| (*zone).to_owned()).collect();
        let is_placed = self.is_placed();
        self.holdings.changes.iter().filter_map(move |change| {
            let in_time = is_placed && (since..=ended).contains(&change.at);
            let kind = in_time.then(|| self.kind(&change.id, &zones, machine.as_ref())).flatten()?;
            Some((kind, change))
        })
    }

    /// What changed, if this machine uses it.
    fn kind(&self, id: &ResourceId, zones: &BTreeSet<String>, machine: Option<&ResourceId>) -> Option<Kind> {
        let kind = id.kind();
        let parent = id.parent();
        let whole = parent.as_ref().unwrap_or(id);
        let networks: Vec<&ResourceId> =
            self.networks().into_iter().chain(self.network).map(|network| &network.id).collect();
        match kind.as_str() {
            "microsoft.network/privatednszones" => self.is_own_zone(id, zones).then_some(Kind::Zone),
            "microsoft.network/privatednszones/virtualnetworklinks"
            | "microsoft.network/privatednszones/a"
            | "microsoft.network/privatednszones/aaaa" => self.is_own_zone(whole, zones).then_some(Kind::Zone),
            "microsoft.network/virtualnetworks" => networks.contains(&id).then_some(Kind::Network),
            "microsoft.network/virtualnetworks/virtualnetworkpeerings" => {
                networks.contains(&whole).then_some(Kind::Way)
            }
            "microsoft.network/virtualnetworks/subnets" => {
                (self.subnet.map(|subnet| &subnet.id) == Some(id)).then_some(Kind::Way)
            }
            "microsoft.network/routetables" | "microsoft.network/routetables/routes" => {
                let own = self.subnet.and_then(|subnet| subnet.route_table.as_ref());
                (own.is_some_and(|own| own == id || own == whole)).then_some(Kind::Way)
            }
            "microsoft.network/dnsforwardingrulesets"
            | "microsoft.network/dnsforwardingrulesets/forwardingrules"
            | "microsoft.network/dnsforwardingrulesets/virtualnetworklinks" => {
                let linked = |ruleset: &ResourceId| {
                    let known = self.holdings.rulesets.iter().find(|it| it.id == *ruleset);
                    known.is_some_and(|it| it.networks.iter().any(|network| networks.contains(&network)))
                };
                (linked(id) || linked(whole)).then_some(Kind::Network)
            }
            "microsoft.network/privateendpoints" | "microsoft.network/privateendpoints/privatednszonegroups" => {
                let own = self.endpoint.map(|endpoint| &endpoint.id);
                let zone_group = kind.ends_with("privatednszonegroups");
                let is_own = own == Some(id) || own == Some(whole);
                is_own.then_some(if zone_group { Kind::Zone } else { Kind::Endpoint })
            }
            "microsoft.insights/privatelinkscopes"
            | "microsoft.insights/privatelinkscopes/scopedresources"
            | "microsoft.insights/privatelinkscopes/privateendpointconnections" => {
                let own = self.endpoint.map(|endpoint| &endpoint.scope);
                (own == Some(id) || own == Some(whole)).then_some(Kind::Monitor)
            }
            "microsoft.insights/datacollectionruleassociations" => {
                let text = id.as_str().to_ascii_lowercase();
                let owner = text.split("/providers/microsoft.insights/").next().and_then(|owner| owner.parse().ok());
                (owner.is_some() && owner.as_ref() == machine).then_some(Kind::Monitor)
            }
            _ => None,
        }
    }

    /// A zone of one of these names: the one that serves this machine, or one that has been deleted.
    fn is_own_zone(&self, id: &ResourceId, zones: &BTreeSet<String>) -> bool {
        let name = id.name().to_ascii_lowercase();
        let own = self.zone(&name).is_some_and(|zone| zone.id == *id);
        let is_gone = || !self.holdings.zones.iter().any(|zone| zone.id == *id);
        zones.contains(&name) && (own || is_gone())
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

/// The zones that a finding is about.
pub(super) fn zones<'f>(facts: &Facts<'f>, finding: &'f Finding) -> BTreeSet<&'f str> {
    let of_names = finding.endpoints.iter().filter_map(|name| facts.endpoint(name)?.endpoint.zone.as_deref());
    let listed = ["zones", "zone"].into_iter().filter_map(|name| finding.args.get(name)).flat_map(Argument::values);
    of_names.chain(listed.map(String::as_str)).collect()
}

/// Whether a change of this kind can be what a finding saw.
fn is_about(finding: &Finding, kind: Kind) -> bool {
    let code = finding.code.as_str();
    match kind {
        Kind::Zone | Kind::Network => code.starts_with("DNS"),
        Kind::Endpoint => matches!(code, "DNS004" | "DNS014" | "DNS015" | "NET001" | "NET002" | "TLS003" | "HTP001"),
        Kind::Way => code.starts_with("NET") || code == "DNS008",
        Kind::Monitor => matches!(
            code,
            "DNS004" | "HTP001" | "HTP003" | "AGT005" | "AGT007" | "AGT008" | "AGT009" | "AZR007" | "AZR009"
        ),
    }
}

/// What was done to what, and when.
fn sentence(change: &Change) -> String {
    format!("{} was {} {}", subject(&change.id), change.what.as_str(), moment(change.at))
}

fn subject(id: &ResourceId) -> String {
    let name = named(id);
    let parent = || id.parent().map(|parent| named(&parent)).unwrap_or_default();
    match id.kind().as_str() {
        "microsoft.network/privatednszones" => format!("zone {name}"),
        "microsoft.network/privatednszones/virtualnetworklinks" => format!("link {name} of zone {}", parent()),
        "microsoft.network/privatednszones/a" | "microsoft.network/privatednszones/aaaa" => {
            format!("record {name} of zone {}", parent())
        }
        "microsoft.network/virtualnetworks" => format!("virtual network {name}"),
        "microsoft.network/virtualnetworks/subnets" => format!("subnet {name} of virtual network {}", parent()),
        "microsoft.network/virtualnetworks/virtualnetworkpeerings" => {
            format!("peering {name} of virtual network {}", parent())
        }
        "microsoft.network/routetables" => format!("route table {name}"),
        "microsoft.network/routetables/routes" => format!("route {name} of route table {}", parent()),
        "microsoft.network/dnsforwardingrulesets" => format!("DNS forwarding ruleset {name}"),
        "microsoft.network/dnsforwardingrulesets/forwardingrules" => format!("rule {name} of ruleset {}", parent()),
        "microsoft.network/dnsforwardingrulesets/virtualnetworklinks" => format!("link {name} of ruleset {}", parent()),
        "microsoft.network/privateendpoints" => format!("private endpoint {name}"),
        "microsoft.network/privateendpoints/privatednszonegroups" => {
            format!("zone group {name} of private endpoint {}", parent())
        }
        "microsoft.insights/privatelinkscopes" => format!("scope {name}"),
        "microsoft.insights/privatelinkscopes/scopedresources" => format!("resource {name} of scope {}", parent()),
        "microsoft.insights/privatelinkscopes/privateendpointconnections" => {
            format!("connection {name} of scope {}", parent())
        }
        "microsoft.insights/datacollectionruleassociations" => format!("association {name}"),
        other => format!("{other} {name}"),
    }
}
