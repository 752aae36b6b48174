//! DNS004: a private zone is there, the record is not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use ampls_probes::endpoint::Expect;

use crate::diagnose::command::{Record, Zone, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Authorities, EndpointFacts, Facts, Linked, View};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy::{self, scope::Resource};
use crate::diagnose::rule::{NOT_DELIVERED, WRONG_ADDRESS, rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// A private zone of the AMPLS is linked where this machine's DNS resolves, but it holds no record for a name. There are
    /// two forms:
    ///
    /// - The zone denies the name: the public name continues with its `privatelink` alias, and the answer is "no such name".
    ///   The summary says whether the zone may be empty: a landing zone that links an empty `privatelink.monitor.azure.com`
    ///   breaks every client of Azure Monitor, whether it wants a private link or not.
    ///   A private zone of the *public* name (`ods.opinsights.azure.com`), linked to this network, denies the name itself. The
    ///   zone of blobs denies storage accounts that have a private endpoint elsewhere and no record here.
    /// - The zone is linked (its SOA shows it, or other names of it are private), yet this name resolves to a public address,
    ///   and so does its record asked directly: the link allows fallback to internet, which hides what is missing. The
    ///   workspace or data collection endpoint is not in the scope, or its record was lost; from the machine both look alike.
    ///
    /// ## Why it matters
    ///
    /// A denied name stops the agent: `Error resolving address`. A name that falls back is served over the public path, which
    /// a workspace that refuses public ingestion answers with 403; where it does not, data leave publicly unnoticed. That is
    /// why fallback is a warning as long as the name works, and an error when it does not answer or when private paths are
    /// expected with `--expect private`. A denied name that this machine resolves by another server is a warning too.
    ///
    /// ## How to fix
    ///
    /// There are three ways out, the first is the usual one:
    ///
    /// 1. Add the resource (workspace, component, data collection endpoint) to the scope and the zone to the zone group of
    ///    the private endpoint: Azure then keeps the record. Names that all customers share belong to no resource: where
    ///    others are private, the private endpoint is older than the name, and has to be recreated.
    /// 2. Add the record by hand, where the zone group cannot be used. It goes stale when the endpoint is recreated.
    /// 3. Unlink a zone that is empty because no private link is meant, or allow fallback to internet knowingly: it fails
    ///    open, and hides every record that is lost later.
    ///
    /// ## How to confirm
    ///
    /// The name becomes private in the table. `az network private-dns record-set a list` shows the record.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
    /// - <https://learn.microsoft.com/azure/dns/private-dns-fallback>
    /// - <https://github.com/Azure/Azure-Landing-Zones/issues/270>
    DNS004 = "record-missing" {
        layer: Dns,
        severity: Error,
        owner: Monitor,
        hops: [Alias],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS005", "DNS007", "DNS015", "AGT005"], WRONG_ADDRESS, NOT_DELIVERED],
    }
}

/// Fires for a name in one of two forms. `denied`, when all hold:
///
/// 1. A resolving server denies the name.
/// 2. A private zone does it: behind the `privatelink` alias, or by its own authority.
///
/// `fallen back`, for a name of an AMPLS, when all hold:
///
/// 1. No private zone lacks the name on any resolving server: its record is missing for all of them, and `denied` says so.
/// 2. A resolving server has the name public.
/// 3. Azure's DNS, asked from this machine, does not have it private, or that server's zone lacks the record.
/// 4. That server does not change its answers from one try to the next (DNS019), and did not make this one up (DNS025).
/// 5. The zone is linked there: its SOA says so, or another name of it is private.
/// 6. The name's record, asked directly, is not private there: that is a forwarder's fault (DNS020).
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let fallen_back = facts.ampls_endpoints().filter_map(|name| fallen_back(facts, name));
    of_workspaces(facts.endpoints().iter().filter_map(|name| denied(facts, name)).chain(fallen_back).collect())
}

/// A workspace whose names are missing in several zones is not in the scope: that is one fault, not one a zone.
fn of_workspaces(drafts: Vec<Draft>) -> Vec<Draft> {
    let workspace = |draft: &Draft| match Resource::of(draft.endpoints.first()?)? {
        Resource::Workspace(id) => Some(id),
        _ => None,
    };
    let mut zones: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for draft in &drafts {
        if let Some(id) = workspace(draft) {
            zones.entry(id).or_default().extend(draft.lists.get("zone").into_iter().flatten().cloned());
        }
    }
    let regrouped = drafts.into_iter().map(|draft| match workspace(&draft) {
        Some(id) if zones.get(&id).is_some_and(|zones| zones.len() > 1) => of_workspace(draft, &id),
        _ => draft,
    });
    regrouped.collect()
}

fn of_workspace(mut draft: Draft, id: &str) -> Draft {
    draft.group = format!("workspace {id}");
    let before = format!("workspace {} is not in the scope, or its records are missing: ", quote(id));
    draft.title = Title::list(&before, draft.endpoints.clone(), "");
    draft.summary = String::from(
        "the zones are linked where this machine's DNS resolves but lack this workspace's records: either it is not in the scope, or the records are missing; the scope's list shows which",
    );
    draft.list("workspace", [id])
}

/// The views of the servers that resolve for this machine.
fn resolving<'f>(facts: &'f Facts<'_>, name: &'f EndpointFacts<'_>) -> Vec<&'f View> {
    name.server_views().filter(|view| view.server.is_some_and(|server| facts.resolves(server))).collect()
}

fn denied(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let views: Vec<&View> = resolving(facts, name).into_iter().filter(|view| denies(facts, view)).collect();
    let first = views.first()?;
    let private = first.authority.as_ref().filter(|soa| Authorities::private_zone(soa));
    let zone = private.map(|soa| soa.zone.as_str()).or(name.endpoint.zone.as_deref())?;
    let denying: Vec<SocketAddr> = views.iter().filter_map(|view| view.server).collect();
    let turns = facts.in_turn(&denying);
    let resolves = turns.is_empty()
        && name.system().is_some_and(|view| !view.addresses.is_empty())
        && facts.answered_by_search(name).is_none();
    let severity = if resolves { Severity::Warning } else { Severity::Error };
    let (empty, examined) = emptiness(facts, zone, first);
    let contents = match empty {
        Some(true) => format!("the zone may be empty: none of the {examined} names tested exists"),
        Some(false) => "the zone is not empty: other names in it exist".to_owned(),
        None => "no other name of the zone was tested, so it may be empty".to_owned(),
    };
    let empty = match empty {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let mut draft = Draft::new(
        severity,
        Owner::Monitor,
        Title::list("no record for ", [name.fqdn()], format!(" in the private zone `{zone}`")),
    )
    .group(format!("denied {zone}"))
    .summary(format!(
        "the private zone {} is linked where this machine's DNS resolves and denies the name; {contents}{turns}",
        quote(zone)
    ))
    .showing_private_link()
    .arg("kind", "denied")
    .arg("zone_empty", empty);
    draft = common(facts, draft, name, zone, &views);
    let reach = reach_of_zone(&views);
    if empty == "yes" && is_of_scope(facts, name, zone) && !anything_private(facts) {
        draft = draft.fix([unlink(zone, reach)]);
    }
    // Azure offers fallback for these zones only.
    if zone.starts_with("privatelink.") {
        draft = draft.fix([remedy::zone::fall_back(zone, reach).instead()]);
    }
    Some(if first.cname.is_empty() {
        draft.excludes("a deleted workspace or mistyped name: a private zone lacks it, not Microsoft's public DNS")
    } else {
        draft.excludes("a deleted workspace or mistyped name: the public name continues with its `privatelink` alias")
    })
}

/// A private zone lacks the name: behind its alias, or, where a zone of a public name is linked, the name itself.
fn denies(facts: &Facts<'_>, view: &View) -> bool {
    let by_private_zone = || view.authority.as_ref().is_some_and(Authorities::private_zone);
    facts.denied_by_private_zone(view) || (view.denied() && !view.blocked_by_policy() && by_private_zone())
}

/// The zone group of an AMPLS keeps the name's record there. Storage accounts have private endpoints of their own.
fn is_of_scope(facts: &Facts<'_>, name: &EndpointFacts<'_>, zone: &str) -> bool {
    name.ampls_zone(facts.observations()) == Some(zone)
}

/// The scope has records elsewhere, so it is in use.
fn anything_private(facts: &Facts<'_>) -> bool {
    facts.ampls_endpoints().flat_map(|name| &name.views).any(View::is_private)
}

/// A zone that a custom server answers from is a hub's: it serves every network that asks this server.
fn reach_of_zone(views: &[&View]) -> BlastRadius {
    let custom = |server: SocketAddr| !Facts::is_azure_dns(server) && !server.ip().is_loopback();
    if views.iter().filter_map(|view| view.server).any(custom) {
        return BlastRadius::EveryNetworkOnThisDns;
    }
    BlastRadius::Vnet
}

/// Whether every name of the zone is denied by this server; `None` when only one was examined.
fn emptiness(facts: &Facts<'_>, zone: &str, view: &View) -> (Option<bool>, usize) {
    let names = facts.ampls_endpoints().filter(|name| name.endpoint.zone.as_deref() == Some(zone));
    let views: Vec<&View> = names
        .filter_map(|name| view.server.and_then(|server| name.view_of(server)))
        .filter(|view| view.answered())
        .collect();
    if views.iter().any(|view| view.is_private()) {
        return (Some(false), views.len());
    }
    let all = views.iter().all(|view| facts.denied_by_private_zone(view));
    ((views.len() > 1).then_some(all), views.len())
}

/// The zone is linked, yet the name and its record asked directly are public.
fn fallen_back(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let zone = name.endpoint.zone.as_deref()?;
    let resolving = resolving(facts, name);
    if resolving.iter().any(|view| denies(facts, view)) {
        return None;
    }
    let private_at_azure = || name.azure().is_some_and(View::is_private);
    let lacks_record = |view: &View| view.server.is_some_and(|server| facts.lacks_record(name, server));
    let flaps = |view: &View| view.server.is_some_and(|server| facts.flaps(server));
    let has_fallen_back = |view: &&View| {
        view.is_public()
            && (!private_at_azure() || lacks_record(view))
            && !flaps(view)
            && !facts.is_invented(view)
            && is_linked(facts, zone, view)
            && record_is_public(facts, name, view)
    };
    let views: Vec<&View> = resolving.into_iter().filter(has_fallen_back).collect();
    let route = views.first()?.route;
    let severity = match facts.expect() {
        Expect::Public => Severity::Info,
        Expect::Private => Severity::Error,
        Expect::Auto if name.unreachable() => Severity::Error,
        Expect::Auto => Severity::Warning,
    };
    let public = name.route() == route;
    let servers = views.iter().filter_map(|view| view.server);
    let records: Vec<&View> = servers.filter_map(|server| name.record_view(server)).collect();
    let alias = name.endpoint.alias.as_deref().unwrap_or_default();
    // The public name of a workspace may lead past the alias as long as no scope holds the workspace.
    let denied = records.iter().any(|view| view.denied());
    let (title, what) = if denied {
        (
            "record missing, the public name leads past the zone: ",
            "yet the zone denies this name's record, and the public name does not lead through it: the resource is not in the scope, or the record is missing",
        )
    } else {
        (
            "record missing, fallback to internet answers: ",
            "yet this name and its record resolve to public addresses: fallback to internet hides that the record is missing, or that the resource is not in the scope",
        )
    };
    let draft = Draft::new(severity, Owner::Monitor, Title::list(title, [name.fqdn()], format!(" (zone `{zone}`)")))
        .group(format!("{} {zone}", if denied { "past" } else { "fallback" }))
        .summary(format!(
            "the private zone {} is linked where this machine's DNS resolves, {what}; the machine cannot tell which",
            quote(zone)
        ))
        .arg("kind", if denied { "past-the-zone" } else { "fallback" })
        .excludes("a missing link: the zone's SOA or its other names show it linked")
        .reaching(if public { Reach::Own } else { Reach::Split { only: Vec::new(), own: &["DNS005"] } });
    let draft = if records.is_empty() { draft.likely() } else { draft }.maybe_meant();
    let draft = common(facts, draft, name, zone, &views);
    let soas = facts
        .zones()
        .iter()
        .filter(|fact| fact.zone == zone && views.iter().any(|view| view.server == Some(fact.server)));
    let draft = draft.evidence(records.iter().map(|view| facts.name_line(alias, view)));
    Some(draft.evidence(soas.map(|fact| facts.zone_line(fact))))
}

fn is_linked(facts: &Facts<'_>, zone: &str, view: &View) -> bool {
    let Some(server) = view.server else {
        return false;
    };
    let siblings = facts.ampls_endpoints().filter(|name| name.endpoint.zone.as_deref() == Some(zone));
    facts.linked(zone, server) == Linked::Yes || siblings.filter_map(|name| name.view_of(server)).any(View::is_private)
}

/// A record that is private where its public name is not is a forwarder's fault; one that the zone denies is missing.
fn record_is_public(facts: &Facts<'_>, name: &EndpointFacts<'_>, view: &View) -> bool {
    let record = view.server.and_then(|server| name.record_view(server));
    let held = view.server.is_some_and(|server| facts.holds_record(name, server));
    !held && record.is_none_or(|record| !record.is_private())
}

fn common(facts: &Facts<'_>, draft: Draft, name: &EndpointFacts<'_>, zone: &str, views: &[&View]) -> Draft {
    let aliases = views.iter().flat_map(|view| &view.cname).chain(&name.endpoint.alias).map(String::as_str);
    let mut records = aliases.chain([name.fqdn()]).filter_map(|owner| Zone::new(zone)?.record(owner));
    let record = records.next();
    let of_scope =
        if is_of_scope(facts, name, zone) { in_scope(facts, name, zone, record.as_ref()) } else { Vec::new() };
    let is_added = of_scope.iter().any(|fix| fix.text.contains(ADDS_RECORD));
    let by_hand = (!is_added).then(|| add_record(name, zone, record.as_ref(), "add what is missing by hand").instead());
    let servers: Vec<String> = views.iter().filter_map(|view| view.server).map(|server| server.to_string()).collect();
    draft
        .about([name.fqdn()])
        .list("zone", [zone])
        .list("record", [record.as_ref().map_or("RECORD_NAME", Record::as_str)])
        .list("server", &servers)
        .evidence(views.iter().map(|view| facts.view_line(name, view)))
        .excludes("a DNS server that does not ask Azure's DNS: the private zone itself answers")
        .fix(Resource::of(name.fqdn()).filter(|_| is_of_scope(facts, name, zone)).map(|_| remedy::scope::look()))
        .fix([
            remedy::zone::find(&[zone]),
            Fix::look(format!("check which records `{zone}` holds"), [remedy::zone::list_records(zone)]),
        ])
        .fix(of_scope)
        .fix(by_hand)
        .fix(remedy::machine::restart_agent(facts))
}

/// How Azure comes to keep the name's record.
fn in_scope(facts: &Facts<'_>, name: &EndpointFacts<'_>, zone: &str, record: Option<&Record>) -> Vec<Fix> {
    let complete = || remedy::endpoint::complete_zone_group(&[zone]);
    if let Some(resource) = Resource::of(name.fqdn()) {
        return vec![remedy::scope::add(&resource), complete().instead()];
    }
    let look = || {
        Fix::look(
            "check whether a private endpoint holds the name, and with which address",
            [remedy::endpoint::find_by_name(name.fqdn())],
        )
    };
    let same_zone = |other: &&EndpointFacts<'_>| other.endpoint.zone.as_deref() == Some(zone);
    if facts.ampls_endpoints().filter(same_zone).flat_map(|other| &other.views).any(View::is_private) {
        // Only where the endpoint lacks the name does it have to be replaced: adding the record takes nothing away.
        return vec![
            look(),
            add_record(name, zone, record, "where the private endpoint holds the name, add its record"),
            remedy::endpoint::replace(zone).instead(),
        ];
    }
    if anything_private(facts) {
        return vec![look(), complete(), remedy::endpoint::replace(zone).instead()];
    }
    vec![remedy::scope::add(&Resource::Any), complete().instead()]
}

/// What a record by hand is good for.
const ADDS_RECORD: &str = "(it goes stale when the endpoint is recreated)";

fn add_record(name: &EndpointFacts<'_>, zone: &str, record: Option<&Record>, what: &str) -> Fix {
    Fix::change(BlastRadius::EveryNetworkOnThisDns, format!("{what} {ADDS_RECORD}"))
        .under(remedy::Right::ZONE_RECORDS)
        .with([command!(
            Any,
            "az network private-dns record-set a add-record --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {} -a PRIVATE_ENDPOINT_ADDRESS",
            Zone::new(zone),
            record
        )])
        .after_looking(
            "none, or several addresses of one name: stop and ask; every network linked to the zone gets the record",
            [remedy::zone::find_command(zone), remedy::endpoint::find_by_name(name.fqdn())],
        )
        .undone_with("", [command!(
            Any,
            "az network private-dns record-set a remove-record --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {} -a PRIVATE_ENDPOINT_ADDRESS",
            Zone::new(zone),
            record
        )])
}

fn unlink(zone: &str, reach: BlastRadius) -> Fix {
    remedy::zone::unlink(
        zone,
        reach,
        format!("if no private link is meant, unlink the empty zone `{zone}`"),
        "if it holds only an SOA, nobody loses a private path",
    )
    .instead()
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Answer, Observation, Outcome, RecordData, ServerRole};
    use ampls_probes::testing::{
        API, AZURE, CUSTOM, HANDLER, IN_AI, ODS, OMS, Says, ZONES, private_world, public_world,
    };

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_without_repeating_in_a_command_what_would_act_there() {
        let mut seen = private_world().everywhere(ODS, &Says::DeniedByPrivateZone).observations();
        for observation in &mut seen.seen {
            if let Observation::Answer(Answer { outcome: Outcome::Seen(response), .. }) = observation {
                for record in &mut response.records {
                    if let RecordData::Cname(target) = &mut record.data {
                        *target = format!("$(id).{}", ZONES[2]);
                    }
                }
            }
        }
        let found = check(&Facts::new(&seen));
        assert!(!found.is_empty());
        let fixes = format!("{:?}", found.iter().map(|draft| &draft.fix).collect::<Vec<_>>());
        assert!(!fixes.contains("$("), "{fixes}");
    }

    #[test]
    fn fires_when_a_private_zone_denies_a_name() {
        let found = fires_as_declared(&DNS004, &private_world().everywhere(ODS, &Says::DeniedByPrivateZone));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(found[0].lists["zone"], [ZONES[2]]);
        assert_eq!(found[0].args["zone_empty"], "unknown");
    }

    #[test]
    fn fires_for_an_empty_zone_without_any_private_link() {
        let mut scene = public_world();
        for name in [HANDLER, API, IN_AI] {
            scene = scene.everywhere(name, &Says::DeniedByPrivateZone);
        }
        let found = drafts(&DNS004, &scene);
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|draft| draft.args["zone_empty"] == "yes"));
        assert!(found[0].fix.iter().any(|fix| fix.text.contains("unlink")));
    }

    fn changes(draft: &Draft) -> String {
        draft.fix.iter().filter(|fix| !fix.read_only).map(|fix| fix.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn fires_for_a_shared_name_without_asking_for_a_resource() {
        let found = drafts(&DNS004, &private_world().everywhere(API, &Says::DeniedByPrivateZone));
        assert!(!changes(&found[0]).contains("Private Link Scope"), "{}", changes(&found[0]));
        assert!(changes(&found[0]).contains("add its record"), "{}", changes(&found[0]));
        let deletes = |fix: &&Fix| fix.lines().contains("delete");
        assert!(found[0].fix.iter().filter(deletes).all(|fix| fix.alternative), "no deletion as the first way out");
        let found = drafts(&DNS004, &public_world().everywhere(API, &Says::DeniedByPrivateZone));
        assert!(changes(&found[0]).contains("any of them makes the shared records appear"), "{}", changes(&found[0]));
    }

    #[test]
    fn fires_once_for_a_workspace_whose_names_are_missing_in_several_zones() {
        let missing = private_world().everywhere(ODS, &Says::DeniedByPrivateZone);
        let missing = missing.everywhere(OMS, &Says::DeniedByPrivateZone);
        let found = drafts(&DNS004, &missing);
        let groups: BTreeSet<&str> = found.iter().map(|draft| draft.group.as_str()).collect();
        assert_eq!((found.len(), groups.len()), (2, 1), "{groups:?}");
        assert_eq!(found[0].lists["workspace"], [ODS.split('.').next().unwrap()]);
        assert!(found.iter().all(|draft| draft.title.text().contains("is not in the scope")));
    }

    #[test]
    fn fires_without_unlinking_a_zone_that_may_be_in_use() {
        let found = drafts(&DNS004, &private_world().everywhere(ODS, &Says::DeniedByPrivateZone));
        assert!(!changes(&found[0]).contains("unlink"), "{}", changes(&found[0]));
        let found = drafts(&DNS004, &public_world().everywhere(API, &Says::DeniedByPrivateZone));
        assert!(!changes(&found[0]).contains("unlink"), "{}", changes(&found[0]));
    }

    #[test]
    fn fires_with_the_reach_of_the_zone_that_a_custom_server_answers_from() {
        let found = drafts(&DNS004, &private_world().everywhere(ODS, &Says::DeniedByPrivateZone));
        let fallback = found[0].fix.iter().find(|fix| fix.text.contains("allow fallback"));
        assert_eq!(fallback.map(|fix| fix.blast_radius), Some(BlastRadius::EveryNetworkOnThisDns));
    }

    #[test]
    fn fires_for_a_storage_account_without_scope_remedies() {
        let mut account = ampls_probes::testing::endpoint(ODS, ampls_probes::endpoint::Need::Required);
        (account.id, account.fqdn) = ("account".to_owned(), "account.blob.core.windows.net".to_owned());
        (account.zone, account.alias) = (None, None);
        account.expected = ampls_probes::endpoint::Expectation::Public;
        let scene = private_world().endpoint(account);
        let found = drafts(&DNS004, &scene.everywhere("account.blob.core.windows.net", &Says::DeniedByPrivateZone));
        assert_eq!((found.len(), found[0].lists["record"].as_slice()), (1, ["account".to_owned()].as_slice()));
        assert_eq!(found[0].lists["zone"], [ZONES[4]]);
        assert!(!found[0].fix.iter().any(|fix| fix.text.contains("Scope")));
    }

    #[test]
    fn fires_when_nobody_says_who_denies_the_alias() {
        let found = drafts(&DNS004, &private_world().everywhere(HANDLER, &Says::DeniedAnonymously));
        assert_eq!(found[0].args["zone_empty"], "no");
        assert!(!found[0].fix.iter().any(|fix| fix.text.contains("unlink")));
    }

    #[test]
    fn fires_as_warning_while_fallback_to_internet_works() {
        let scene = private_world().everywhere(ODS, &Says::Public("20.150.190.99"));
        let scene = scene.says_of_alias(CUSTOM, ODS, &Says::Public("20.150.190.99"));
        let found = drafts(&DNS004, &scene);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].args["kind"], "fallback");
        assert_eq!(drafts(&DNS004, &scene.clone().expect(Expect::Private))[0].severity, Severity::Error);
        assert_eq!(drafts(&DNS004, &scene.connects(ODS, &Outcome::TimedOut))[0].severity, Severity::Error);
    }

    #[test]
    fn fires_when_a_public_name_leads_past_a_zone_that_denies_its_record() {
        let scene = private_world().everywhere(ODS, &Says::Plain("20.150.190.99"));
        let found = drafts(&DNS004, &scene.says_of_alias(CUSTOM, ODS, &Says::DeniedByPrivateZone));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].args["kind"], "past-the-zone");
    }

    #[test]
    fn silent_when_the_record_asked_directly_is_private() {
        let scene = private_world().everywhere(ODS, &Says::Public("20.150.190.99"));
        assert_eq!(drafts(&DNS004, &scene.says_of_alias(CUSTOM, ODS, &Says::Private("10.0.0.6"))), []);
    }

    #[test]
    fn silent_when_only_azures_view_denies() {
        assert_eq!(drafts(&DNS004, &public_world().says(AZURE, ODS, &Says::DeniedByPrivateZone)), []);
    }

    #[test]
    fn silent_when_the_public_name_does_not_exist() {
        assert_eq!(drafts(&DNS004, &private_world().everywhere(ODS, &Says::NoSuchName)), []);
        assert_eq!(drafts(&DNS004, &private_world().everywhere(ODS, &Says::BlockedByPolicy)), []);
    }

    #[test]
    fn silent_in_healthy_worlds() {
        assert_eq!(drafts(&DNS004, &private_world()), []);
        assert_eq!(drafts(&DNS004, &public_world()), []);
    }

    #[test]
    fn fires_for_an_empty_zone_without_unlinking_it_while_the_scope_has_records_elsewhere() {
        let mut scene = private_world();
        for name in [HANDLER, API, IN_AI] {
            scene = scene.everywhere(name, &Says::DeniedByPrivateZone);
        }
        let found = drafts(&DNS004, &scene);
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|draft| draft.args["zone_empty"] == "yes" && !changes(draft).contains("unlink")));
    }

    #[test]
    fn fires_with_the_reach_of_this_network_behind_a_stub_and_where_azure_is_asked() {
        for server in ["127.0.0.53:53", AZURE] {
            let scene = private_world().no_servers().server(server, &[ServerRole::Configured]);
            let scene = scene.server_says(server, &Says::Private("10.0.0.5"));
            let found = drafts(&DNS004, &scene.everywhere(ODS, &Says::DeniedByPrivateZone));
            let fallback = found[0].fix.iter().find(|fix| fix.text.contains("allow fallback"));
            assert_eq!(fallback.map(|fix| fix.blast_radius), Some(BlastRadius::Vnet), "{server}");
        }
    }

    #[test]
    fn fires_as_likely_where_the_record_was_not_asked_for() {
        let found = drafts(&DNS004, &private_world().everywhere(ODS, &Says::Public("20.150.190.99")));
        assert_eq!((found.len(), found[0].certainty), (1, Certainty::Likely));
    }

    #[test]
    fn silent_about_fallback_of_a_name_that_azures_view_has_private() {
        let scene = private_world().says(CUSTOM, ODS, &Says::Public("20.150.190.99"));
        assert_eq!(drafts(&DNS004, &scene), []);
    }
}
