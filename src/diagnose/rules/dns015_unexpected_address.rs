//! DNS015: a name has another address than it should have.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ampls_probes::observation::LookupFailure;

use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Status, View};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NO_CONNECTION, rule};

rule! {
    /// ## What it means
    ///
    /// The file of `--expected-records` says which addresses a name should have: what the private endpoint, the zone or an
    /// earlier report holds; the file of `--facts` says it for the zones linked where this machine's names are resolved. This
    /// machine gets others, or none. The evidence says EXPECTED and ACTUAL for each name.
    ///
    /// A name that nobody could be asked about (no server answered) is not compared. Names of the file that are not among the
    /// endpoints of this run are left out.
    ///
    /// ## Why it matters
    ///
    /// A private address looks right in every list and still may be that of another scope's endpoint, or of one that was
    /// deleted: only a comparison with what Azure holds shows it.
    ///
    /// ## How to fix
    ///
    /// Look which private endpoint holds the actual address. A stale record is deleted, and the zone group made to keep it;
    /// where two scopes write the same zone, use one scope, or a zone for each network. If the file is old, create it again.
    ///
    /// ## How to confirm
    ///
    /// Run again with `--expected-records` or `--facts`: every name has its address.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-design>
    /// - <https://learn.microsoft.com/cli/azure/network/private-endpoint>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    DNS015 = "unexpected-address" {
        layer: Dns,
        severity: Error,
        owner: Monitor,
        hops: [Address],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS014", "TLS003", "HTP001"], NO_CONNECTION],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.endpoints().iter().filter_map(|name| differs(facts, name)).collect()
}

fn differs(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let expected = expected(facts, name)?;
    let view = asked(facts, name)?;
    let actual: BTreeSet<IpAddr> = view.addresses.iter().copied().collect();
    if actual == expected {
        return None;
    }
    let (wanted, got) = (listed(&expected), listed(&actual));
    let zone = name.endpoint.zone.as_deref().unwrap_or("ZONE_NAME");
    let unexpected = actual.iter().find(|address| !expected.contains(address));
    let mut draft = Draft::new(
        Severity::Error,
        Owner::Monitor,
        Title::list("not the expected address: ", [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .group(zone)
    .summary("this machine gets other addresses than the expected records hold: a stale record, the endpoint of another scope, or a list that is out of date")
    .evidence([format!("`{}` EXPECTED {wanted} ACTUAL {got}", name.fqdn()), facts.view_line(name, view)])
    .evidence(name.server_views().filter(|view| view.answered()).map(|view| facts.view_line(name, view)))
    .list("expected", [wanted.replace('`', "")])
    .list("actual", [got.replace('`', "")]);
    if let Some(address) = unexpected {
        draft = draft.fix(remedy::endpoint::find_by_address(&address.to_string()));
    }
    let Some(zone) = name.endpoint.zone.as_deref() else { return Some(draft) };
    let look = Fix::look(format!("check what `{zone}` holds now"), [remedy::zone::list_records(zone)]);
    Some(draft.fix([remedy::zone::find(&[zone]), look, remedy::endpoint::complete_zone_group(&[zone])]))
}

/// The addresses that the file names for the public name or for its record; `None` where it names neither.
fn expected(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<BTreeSet<IpAddr>> {
    let records = facts.observations().asked.expected_records.iter().filter(|record| record.is_of(name.endpoint));
    let addresses: BTreeSet<IpAddr> = records.flat_map(|record| record.addresses.iter().copied()).collect();
    (!addresses.is_empty()).then_some(addresses)
}

/// What this machine gets: the system's answer, or the first server's where the system was not asked.
fn asked<'f>(facts: &Facts<'_>, name: &'f EndpointFacts<'_>) -> Option<&'f View> {
    let system = name.system()?;
    match system.status {
        Status::Ok => Some(system),
        Status::Failed => {
            let failure = facts.lookup(name.fqdn()).and_then(|lookup| lookup.outcome.failed());
            (failure == Some(&LookupFailure::NotFound)).then_some(system)
        }
        Status::Skipped => name.server_views().find(|view| view.answered()),
        _ => None,
    }
}

fn listed(addresses: &BTreeSet<IpAddr>) -> String {
    if addresses.is_empty() {
        return "no address".to_owned();
    }
    addresses.iter().map(|address| format!("`{address}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{HANDLER, ODS, Says, alias, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_the_public_name_and_for_the_record() {
        for name in [ODS.to_owned(), alias(ODS)] {
            let found = fires_as_declared(&DNS015, &private_world().expected_record(&name, &["10.0.0.99"]));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
            assert_eq!(found[0].endpoints, [ODS]);
            assert!(found[0].evidence[0].contains("EXPECTED `10.0.0.99` ACTUAL `10.0.0.6`"));
        }
    }

    #[test]
    fn fires_when_an_address_is_missing_or_the_name_denied() {
        assert_eq!(drafts(&DNS015, &private_world().expected_record(ODS, &["10.0.0.6", "10.0.1.6"])).len(), 1);
        let denied = private_world().everywhere(ODS, &Says::DeniedByPrivateZone);
        let found = drafts(&DNS015, &denied.expected_record(ODS, &["10.0.0.6"]));
        assert_eq!(found[0].lists["actual"], ["no address"]);
    }

    #[test]
    fn silent_when_the_addresses_are_as_expected() {
        let scene = private_world().expected_record(ODS, &["10.0.0.6"]).expected_record("other.example", &["10.0.0.7"]);
        assert_eq!(drafts(&DNS015, &scene), []);
        assert_eq!(drafts(&DNS015, &private_world()), []);
    }

    #[test]
    fn silent_when_nobody_could_be_asked() {
        for says in [Says::Silence, Says::ServFail, Says::Unfinished] {
            let scene = private_world().everywhere(HANDLER, &says).expected_record(HANDLER, &["10.0.0.5"]);
            assert_eq!(drafts(&DNS015, &scene), [], "{says:?}");
        }
    }
}
