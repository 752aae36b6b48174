//! A private world, and files that say what Azure holds around it.

use ampls_probes::Observations;
use ampls_probes::endpoint::ExpectedRecord;
use ampls_probes::observation::{Metadata, Observation, Outcome, ServerRole, Timing};
use ampls_probes::testing::{AZURE, CUSTOM, HANDLER, ODS, Says, Scene, ZONES, private_world};
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::diagnose::command::Command;
use crate::diagnose::diagnose_facts;
use crate::diagnose::finding::Fix;
use crate::diagnose::rules::tests::says_http;
use crate::facts_file;
use crate::report::RunInfo;

const GROUPS: &str = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups";
const ODS_ZONE: &str = ZONES[2];

fn machine() -> String {
    format!("{GROUPS}/rg-vm/providers/Microsoft.Compute/virtualMachines/vm1")
}

fn network(name: &str) -> String {
    format!("{GROUPS}/rg-net/providers/Microsoft.Network/virtualNetworks/{name}")
}

fn zone(group: &str, name: &str) -> String {
    format!("{GROUPS}/{group}/providers/Microsoft.Network/privateDnsZones/{name}")
}

/// A file whose zones are those of the private world, all linked to the spoke in which the machine is.
fn file() -> Value {
    let endpoint = format!("{GROUPS}/rg-pe/providers/Microsoft.Network/privateEndpoints/pe-ampls");
    let scope = format!("{GROUPS}/rg-ampls/providers/microsoft.insights/privateLinkScopes/ampls");
    let id = ODS.split('.').next().unwrap_or_default();
    let workspace = format!("{GROUPS}/rg-law/providers/Microsoft.OperationalInsights/workspaces/law1");
    let zones: Vec<Value> = ZONES
        .iter()
        .map(|name| json!({"id": zone("rg-dns", name), "links": [{"name": "spoke-x", "network": network("spoke")}], "records": [{"name": id, "addresses": ["10.0.0.6"]}]}))
        .collect();
    json!({
        "kind": "azure-facts", "schema": 1, "collected_at": "2026-11-29T20:00:00Z",
        "subscriptions": ["00000000-0000-4000-8000-000000000001"],
        "scopes": [{"id": scope, "ingestion": "PrivateOnly", "queries": "Open", "resources": [workspace]}],
        "endpoints": [{"id": endpoint, "scope": scope, "subnet": format!("{}/subnets/snet-pe", network("spoke")), "status": "Approved", "zone_groups": [{"name": "default", "zones": [zone("rg-dns", ZONES[0])]}]}],
        "zones": zones,
        "networks": [
            {"id": network("spoke"), "region": "westeurope", "subnets": [{"name": "snet-vm", "prefixes": ["10.1.0.0/24"]}, {"name": "snet-pe", "prefixes": ["10.0.0.0/24"]}]},
            {"id": network("hub"), "region": "westeurope", "subnets": [{"name": "snet-dns", "prefixes": ["10.9.0.0/24"]}]},
        ],
        "interfaces": [
            {"id": format!("{GROUPS}/rg-vm/providers/Microsoft.Network/networkInterfaces/vm1-nic"), "machine": machine(), "configurations": [{"address": "10.1.0.4", "subnet": format!("{}/subnets/snet-vm", network("spoke"))}]},
            {"id": format!("{GROUPS}/rg-pe/providers/Microsoft.Network/networkInterfaces/pe-nic"), "endpoint": endpoint, "configurations": [{"address": "10.0.0.6", "subnet": format!("{}/subnets/snet-pe", network("spoke")), "names": [ODS]}]},
        ],
        "workspaces": [{"id": workspace, "workspace": id, "ingestion": "Disabled", "queries": "Enabled", "ingestion_status": "OverQuota"}],
        "associations": [{"machine": machine(), "name": "configurationAccessEndpoint", "endpoint": format!("{GROUPS}/rg-mon/providers/Microsoft.Insights/dataCollectionEndpoints/dce1")}],
    })
}

fn held(file: &Value) -> Holdings {
    let held = facts_file::read(file.to_string().as_bytes()).expect("a file");
    assert_eq!(held.left_out, [] as [String; 0]);
    held
}

/// The machine asks Azure's DNS, and the metadata service says what it is called.
fn in_azure(scene: Scene) -> Observations {
    let scene = scene.server(CUSTOM, &[ServerRole::Extra]).server(AZURE, &[ServerRole::Configured, ServerRole::Azure]);
    called(scene.observations(), &machine(), &["10.1.0.0/24"])
}

fn called(mut seen: Observations, id: &str, subnets: &[&str]) -> Observations {
    seen.seen.retain(|seen| !matches!(seen, Observation::Metadata(_)));
    let subnets = subnets.iter().map(|cidr| ampls_probes::observation::Subnet { cidr: cidr.parse().expect("CIDR") });
    let instance = Instance {
        location: Some("westeurope".to_owned()),
        resource_id: Some(id.to_owned()),
        subnets: subnets.collect(),
        ..Instance::default()
    };
    seen.seen.push(Observation::Metadata(Metadata { timing: Timing::default(), outcome: Outcome::Seen(instance) }));
    seen
}

fn report(seen: &Observations, held: Option<&Holdings>) -> Report {
    let facts = Facts::new(seen);
    let run = RunInfo { id: Uuid::nil(), tool_version: String::new() };
    let report = Report::new(seen, &facts, diagnose_facts(&facts), run);
    match held {
        Some(held) => report.with_facts(held, &facts),
        None => report,
    }
}

fn without_ods() -> Scene {
    let scene = private_world().everywhere(ODS, &Says::Public("20.150.190.99"));
    scene.soa(CUSTOM, ODS_ZONE, &Says::PublicZone).soa(AZURE, ODS_ZONE, &Says::PublicZone)
}

/// The file, with the zone of log upload linked to another network.
fn unlinked() -> Value {
    let mut file = file();
    let zones = file["zones"].as_array_mut().expect("zones");
    for zone in zones.iter_mut().filter(|zone| zone["id"].as_str().is_some_and(|id| id.ends_with(ODS_ZONE))) {
        zone["links"] = json!([{"name": "hub-x", "network": network("hub")}]);
    }
    file
}

fn commands(report: &Report) -> Vec<&Command> {
    report.findings.iter().flat_map(|finding| &finding.fix).flat_map(Fix::all_commands).collect()
}

#[test]
fn an_inbound_endpoint_and_how_links_fall_back_are_found_by_the_network_of_the_server() {
    let address = "10.9.0.4";
    let (custom, azure) = (format!("{address}:53").parse().expect("a server"), AZURE.parse().expect("a server"));
    let subnet = format!("{}/subnets/snet-dns", network("hub"));
    let mut file = unlinked();
    file["zones"][2]["links"][0]["policy"] = "NxDomainRedirect".into();
    let of = |file: &Value, seen: &Observations| {
        let holdings = held(file);
        let held = Held::new(&holdings, &Facts::new(seen));
        let falls_back =
            [custom, azure].map(|server| (held.falls_back(ODS_ZONE, server), held.falls_back(ZONES[0], server)));
        (held.is_inbound(custom), falls_back)
    };
    let seen = called(private_world().observations(), &machine(), &["10.1.0.0/24"]);
    assert_eq!(of(&file, &seen), (false, [(None, None), (None, Some(false))]), "nothing stands at that address");
    let inbound = format!("{GROUPS}/rg-dns/providers/Microsoft.Network/dnsResolvers/r/inboundEndpoints/in");
    file["inbound"] = json!([{"id": inbound, "address": address, "subnet": subnet}]);
    assert_eq!(of(&file, &seen), (true, [(Some(true), None), (None, Some(false))]));
    // The same address in two networks is one of them, and which is not known.
    let other = format!("{}/subnets/other", network("other"));
    let networks = file["networks"].as_array_mut().expect("networks");
    networks.push(json!({"id": network("other"), "subnets": [{"name": "other", "prefixes": ["10.1.0.0/24"]}]}));
    let interfaces = file["interfaces"].as_array_mut().expect("interfaces");
    let nic = format!("{GROUPS}/rg-x/providers/Microsoft.Network/networkInterfaces/x");
    interfaces.push(json!({"id": nic, "configurations": [{"address": address, "subnet": other}]}));
    assert!(!of(&file, &seen).0);
}

#[test]
fn a_machine_is_found_by_its_interface_and_by_its_subnet() {
    let by_interface = report(&in_azure(private_world()), Some(&held(&file())));
    let used = by_interface.run.facts.expect("facts");
    assert_eq!((used.network, used.resolved_in), (Some(network("spoke")), vec![network("spoke")]));
    let mut without = file();
    without["interfaces"] = json!([]);
    let by_subnet = report(&in_azure(private_world()), Some(&held(&without)));
    assert_eq!(by_subnet.run.facts.and_then(|facts| facts.network), Some(network("spoke")));
}

#[test]
fn a_machine_that_is_not_found_gets_nothing_and_says_so() {
    let seen = in_azure(without_ods());
    let plain = report(&seen, None);
    let mut twice = file();
    twice["interfaces"] = json!([]);
    twice["networks"][1]["subnets"][0]["prefixes"] = json!(["10.1.0.0/24"]);
    let mut elsewhere = file();
    elsewhere["networks"][0]["subnets"][0]["prefixes"] = json!(["10.7.0.0/24"]);
    for (file, why) in [(twice, "not exactly one subnet `10.1.0.0/24`"), (elsewhere, "it is out of date")] {
        let with = report(&seen, Some(&held(&file)));
        assert_eq!(with.findings, plain.findings);
        assert!(
            with.notes[0].text.contains("are not used") && with.notes[0].text.contains(why),
            "{}",
            with.notes[0].text
        );
        assert_eq!(with.notes.get(1..), Some(plain.notes.as_slice()));
    }
}

#[test]
fn facts_leave_what_was_observed_as_it_was() {
    let seen = in_azure(without_ods());
    let (plain, with) = (report(&seen, None), report(&seen, Some(&held(&unlinked()))));
    assert_eq!(with.observations, plain.observations);
    assert_eq!((with.verdict, with.endpoints, with.zones), (plain.verdict, plain.endpoints, plain.zones));
    let codes =
        |findings: &[crate::diagnose::finding::Finding]| findings.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
    assert_eq!(codes(&with.findings), codes(&plain.findings));
}

#[test]
fn commands_name_what_the_file_holds() {
    let with = report(&in_azure(without_ods()), Some(&held(&unlinked())));
    let lines: Vec<&str> = commands(&with).into_iter().map(Command::as_str).collect();
    let link = format!(
        "az network private-dns link vnet create --subscription 00000000-0000-4000-8000-000000000001 -g rg-dns -z {ODS_ZONE} -n spoke-link -v {} -e false",
        network("spoke")
    );
    assert!(lines.contains(&link.as_str()), "{lines:#?}");
    let add = lines.iter().find(|line| line.contains("dns-zone-group add")).expect("a zone group");
    assert!(add.contains("-g rg-pe --endpoint-name pe-ampls -n default --private-dns-zone /subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-dns/"), "{add}");
    // The reports of other machines are no resources of Azure.
    let others = ["LINKED_REPORT", "REPORTS_FOLDER"];
    let looks_up = |command: &&Command| command.asks().iter().any(|name| !others.contains(name));
    let asked: Vec<_> = commands(&with).into_iter().filter(looks_up).collect();
    assert_eq!(asked, [] as [&Command; 0], "nothing is left to look up");
}

#[test]
fn a_link_that_is_there_is_called_by_its_own_name() {
    let with = report(&in_azure(private_world().everywhere(ODS, &Says::DeniedByPrivateZone)), Some(&held(&file())));
    let lines: Vec<&str> = commands(&with).into_iter().map(Command::as_str).collect();
    let update = lines.iter().find(|line| line.contains("link vnet update")).expect("a change of the link");
    assert!(update.contains("-g rg-dns") && update.contains("-n spoke-x"), "{update}");
}

#[test]
fn several_things_of_which_none_is_shown_to_be_the_machines_leave_the_placeholder() {
    let mut file = unlinked();
    file["zones"].as_array_mut().expect("zones").push(json!({"id": zone("rg-other", ODS_ZONE)}));
    let with = report(&in_azure(without_ods()), Some(&held(&file)));
    let create = commands(&with).into_iter().find(|it| it.as_str().contains("link vnet create")).expect("a link");
    assert!(create.asks().contains("DNS_RESOURCE_GROUP") && !create.as_str().contains("VNET_ID"), "{create:?}");
}

#[test]
fn notes_are_answered() {
    let with = report(&in_azure(private_world()), Some(&held(&file())));
    let text: Vec<&str> = with.notes.iter().filter(|note| note.answered).map(|note| note.text.as_str()).collect();
    let said = text.join("\n");
    for wanted in [
        "this machine is in subnet `snet-vm` of virtual network `spoke`",
        "access modes of scope `ampls`: ingestion PrivateOnly, queries Open",
        "scope `ampls` holds `law1`",
        "ingestion from public networks Disabled, queries Enabled; it is in scope `ampls`",
        "data collection rules none; configuration endpoint `dce1`",
    ] {
        assert!(said.contains(wanted), "{wanted} is not in\n{said}");
    }
    assert!(with.notes.iter().filter(|note| note.answered).all(|note| note.command.is_none()));
}

#[test]
fn a_finding_says_what_changed_before_it_and_not_what_changed_after() {
    let seen = in_azure(without_ods());
    let at = |hours: i64| (seen.started_at + SignedDuration::from_hours(hours)).to_string();
    let link = format!("{}/virtualNetworkLinks/spoke-link", zone("rg-dns", ODS_ZONE));
    let mut file = unlinked();
    let other = format!("{}/virtualNetworkLinks/y", zone("rg-dns", ZONES[0]));
    file["changes"] = json!([
        {"at": at(-22), "what": "Delete", "id": link}, {"at": at(2), "what": "Create", "id": link},
        {"at": at(-24 * 15), "what": "Update", "id": link}, {"at": at(-1), "what": "Update", "id": other},
    ]);
    let with = report(&seen, Some(&held(&file)));
    let found = with.findings.iter().find(|finding| finding.code == "DNS003").expect("a zone that is not linked");
    let wanted = format!(
        "link `spoke-link` of zone `{ODS_ZONE}` was deleted {}",
        moment(seen.started_at + SignedDuration::from_hours(-22))
    );
    assert!(found.title.ends_with(&wanted), "{}", found.title);
    let changed: Vec<&String> = found.evidence.iter().filter(|line| line.starts_with("changed: ")).collect();
    assert_eq!(changed, [&format!("changed: {wanted}")]);
    assert!(with.notes.iter().any(|note| note.text.contains("link `y`")), "the other zone is this machine's too");
}

fn expectations(seen: &Observations, file: &Value) -> Vec<ExpectedRecord> {
    let facts = Facts::new(seen);
    Held::new(&held(file), &facts).expected(&facts)
}

#[test]
fn a_name_should_have_what_the_linked_zone_holds() {
    let seen = in_azure(private_world());
    let expected = expectations(&seen, &file());
    let of_ods: Vec<_> = expected.iter().filter(|record| record.name == ODS).collect();
    assert_eq!(of_ods.len(), 1, "{expected:?}");
    assert_eq!(of_ods[0].addresses, ["10.0.0.6".parse::<std::net::IpAddr>().expect("an address")]);
    assert!(expectations(&seen, &unlinked()).iter().all(|record| record.name != ODS), "the zone is not linked here");
    assert!(
        expectations(&in_azure(without_ods()), &file()).iter().all(|record| record.name != ODS),
        "it is public here"
    );
}

#[test]
fn a_record_that_no_private_endpoint_has_is_stale_where_one_has_the_name() {
    let mut stale = file();
    for zone in stale["zones"].as_array_mut().expect("zones") {
        zone["records"][0]["addresses"] = json!(["10.0.0.99"]);
    }
    let expected = expectations(&in_azure(private_world()), &stale);
    let of = |name: &str| expected.iter().find(|record| record.name == name).map(|record| record.addresses.clone());
    assert_eq!(of(ODS), Some(vec!["10.0.0.6".parse().expect("an address")]), "the endpoint has it");
    assert_eq!(of(HANDLER), None, "nobody has a record of it");
}

/// What a finding says of what Azure holds.
fn evidence(report: &Report, code: &str) -> Vec<String> {
    let found = report.findings.iter().find(|finding| finding.code == code);
    let found = found
        .unwrap_or_else(|| panic!("no {code}: {:?}", report.findings.iter().map(|it| &it.code).collect::<Vec<_>>()));
    found.evidence.iter().filter(|line| line.starts_with("in Azure: ")).cloned().collect()
}

/// A machine whose public log upload is silent.
fn silent_ods() -> Scene {
    without_ods().connects(ODS, &Outcome::TimedOut)
}

#[test]
fn a_silent_public_name_shows_the_route_that_leads_its_packets_away_and_a_subnet_without_outbound_access() {
    let table = format!("{GROUPS}/rg-net/providers/Microsoft.Network/routeTables/rt-spoke");
    let with = |routes: Value, outbound: bool| {
        let mut file = unlinked();
        file["route_tables"] = json!([{"id": table, "routes": routes}]);
        file["networks"][0]["subnets"][0]["route_table"] = table.clone().into();
        file["networks"][0]["subnets"][0]["outbound"] = outbound.into();
        evidence(&report(&in_azure(silent_ods()), Some(&held(&file))), "NET001").join("\n")
    };
    let to_appliance = json!([
        {"prefix": "0.0.0.0/0", "next_hop": "VirtualAppliance", "address": "10.9.0.9"},
        {"prefix": "10.0.0.0/8", "next_hop": "None"},
    ]);
    let said = with(to_appliance, true);
    assert!(said.contains("route table `rt-spoke` leads `0.0.0.0/0` to `VirtualAppliance` `10.9.0.9`"), "{said}");
    assert!(!said.contains("None") && !said.contains("outbound"), "{said}");
    let dropped = with(
        json!([{"prefix": "20.150.0.0/16", "next_hop": "None"}, {"prefix": "0.0.0.0/0", "next_hop": "Internet"}]),
        false,
    );
    assert!(dropped.contains("`rt-spoke` drops what goes to `20.150.0.0/16`"), "{dropped}");
    assert!(dropped.contains("subnet `snet-vm` has no default outbound access and no NAT gateway"), "{dropped}");
    assert!(!with(json!([{"prefix": "0.0.0.0/0", "next_hop": "Internet"}]), true).contains("route table"));
}

#[test]
fn a_connection_that_is_not_approved_and_servers_that_differ_stand_beside_a_missing_route() {
    let seen = in_azure(without_ods());
    let said = |change: &dyn Fn(&mut Value)| {
        let mut file = unlinked();
        change(&mut file);
        evidence(&report(&seen, Some(&held(&file))), "DNS003").join("\n")
    };
    let plain = said(&|_| {});
    assert!(!plain.contains("Approved") && !plain.contains("DNS servers"), "{plain}");
    for status in ["Pending", "Rejected", "Disconnected"] {
        let text = said(&|file| file["endpoints"][0]["status"] = status.into());
        let wanted = format!("connection of private endpoint `pe-ampls` to scope `ampls` is `{status}`, not Approved");
        assert!(text.contains(&wanted), "{text}");
    }
    let text = said(&|file| file["networks"][0]["dns"] = json!(["10.9.0.4"]));
    assert!(text.contains("`spoke` is set to the DNS servers `10.9.0.4`; this machine asks `168.63.129.16`"), "{text}");
}

#[test]
fn a_refusal_shows_whom_the_scope_lets_in_and_what_is_associated() {
    let body = r#"{"error":{"code":"InsufficientAccessError","innererror":{"code":"NspValidationFailedError","message":"Access to workspace 'w' from '20.1.2.3' is denied."}}}"#;
    let seen = in_azure(says_http(private_world(), ODS, 403, body));
    let with = |file: &Value| evidence(&report(&seen, Some(&held(file))), "HTP001").join("\n");
    let said = with(&file());
    assert!(
        said.contains("scope `ampls` has access mode PrivateOnly for ingestion: only what the scope holds"),
        "{said}"
    );
    assert!(said.contains("workspace `law1` has ingestion from public networks `Disabled`"), "{said}");
    assert!(said.contains("workspace `law1` takes no data: its ingestion status is `OverQuota`"), "{said}");
    assert!(!said.contains("for queries") && !said.contains("is not in scope"), "{said}");
    let mut outside = file();
    outside["scopes"][0]["resources"] = json!([]);
    assert!(with(&outside).contains("workspace `law1` is not in scope `ampls`"));

    let refused = r#"{"error":{"code":"InvalidAccess","message":"Data collection endpoint must be used to access configuration over private link."}}"#;
    let seen = in_azure(says_http(private_world(), HANDLER, 403, refused));
    let with = |file: &Value| evidence(&report(&seen, Some(&held(file))), "HTP003").join("\n");
    let said = with(&file());
    assert!(said.contains("no data collection rule is associated with this machine"), "{said}");
    assert!(!said.contains("no data collection endpoint"), "{said}");
    let mut none = file();
    none["associations"] = json!([]);
    assert!(with(&none).contains("no data collection endpoint is associated with this machine"));
    for (field, value) in [
        ("not_read", json!(["associations of vm-2"])),
        ("subscriptions", json!(["00000000-0000-4000-8000-0000000000ff"])),
    ] {
        let mut part = none.clone();
        part[field] = value;
        assert!(!with(&part).contains("is associated"), "{field}: what was not read is not missing");
    }
    none.as_object_mut().expect("a file").remove("associations");
    assert!(!with(&none).contains("is associated"), "what was not collected is not missing");
}
