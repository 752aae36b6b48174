//! The file as the script writes it, and as nobody should.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups";

fn with(field: &str, value: Value) -> Result<Holdings, FactsError> {
    let mut file = json!({
        "kind": KIND, "schema": SCHEMA, "collected_at": "2026-11-29T20:00:00Z",
        "scopes": [{"id": format!("{SUBSCRIPTION}/rg/providers/microsoft.insights/privateLinkScopes/ampls")}],
    });
    file[field] = value;
    read(file.to_string().as_bytes())
}

#[test]
fn a_zone_has_its_links_and_its_records_by_their_full_names() {
    let held = with(
        "zones",
        json!([{
            "id": format!("{SUBSCRIPTION}/rg-dns/providers/Microsoft.Network/privateDnsZones/privatelink.monitor.azure.com"),
            "links": [{"name": "hub", "network": format!("{SUBSCRIPTION}/rg/providers/Microsoft.Network/virtualNetworks/hub"), "policy": "NxDomainRedirect"}],
            "records": [{"name": "api", "addresses": ["10.0.0.4"]}, {"name": "@", "addresses": []}, {"name": "*", "addresses": ["10.0.0.9"]}],
            "tags": {"password": "x"},
        }]),
    )
    .expect("a file");
    let zone = held.zones.first().expect("a zone");
    assert_eq!((zone.name.as_str(), zone.links[0].falls_back), ("privatelink.monitor.azure.com", true));
    let records = zone.records.as_ref().expect("records");
    assert_eq!(
        records.iter().map(|record| record.name.as_str()).collect::<Vec<_>>(),
        ["api.privatelink.monitor.azure.com"]
    );
    assert_eq!(held.left_out, [] as [String; 0]);
}

#[test]
fn what_was_not_collected_is_not_the_same_as_none() {
    assert_eq!(with("associations", Value::Null).expect("a file").associations, None);
    assert_eq!(with("associations", json!([])).expect("a file").associations, Some(Vec::new()));
    assert_eq!(
        with("scopes", json!([{"id": format!("{SUBSCRIPTION}/a/providers/b/c/d")}])).expect("a file").scopes[0]
            .resources,
        None
    );
}

#[test]
fn an_item_that_is_not_of_its_form_is_left_out_with_its_place() {
    let network = |id: &str, prefix: &str| json!({"id": id, "subnets": [{"name": "a", "prefixes": [prefix]}]});
    let good = format!("{SUBSCRIPTION}/rg/providers/Microsoft.Network/virtualNetworks/hub");
    let held =
        with("networks", json!([network("hub", "10.0.0.0/24"), network(&good, "10.0.0.0/40"), 7, {"name": "no id"}]));
    let held = held.expect("a file");
    assert_eq!((held.networks.len(), held.networks[0].subnets[0].prefixes.len()), (1, 0));
    let said = held.left_out.join("\n");
    for wanted in [
        "networks[0].id: `hub` is not the id of a resource",
        "networks[1].subnets[0].prefixes[0]: `10.0.0.0/40` is not an address prefix",
        "networks[2]: invalid type",
        "networks[3]: missing field 'id'",
    ] {
        assert!(said.contains(wanted), "{wanted} is not in\n{said}");
    }
}

#[test]
fn the_order_of_the_file_decides_nothing() {
    let scope =
        |name: &str| json!({"id": format!("{SUBSCRIPTION}/rg/providers/microsoft.insights/privateLinkScopes/{name}")});
    assert_eq!(with("scopes", json!([scope("a"), scope("b")])), with("scopes", json!([scope("b"), scope("a")])));
}

#[test]
fn changes_come_latest_first() {
    let change =
        |at: &str, what: &str| json!({"at": at, "what": what, "id": format!("{SUBSCRIPTION}/rg/providers/a/b/c")});
    let held = with(
        "changes",
        json!([change("2026-11-27T10:00:00Z", "create"), change("2026-11-28T22:14:03.5+00:00", "Delete")]),
    );
    let what: Vec<What> = held.expect("a file").changes.iter().map(|change| change.what).collect();
    assert_eq!(what, [What::Delete, What::Create]);
}

#[test]
fn a_file_that_cannot_be_used_says_why_and_what_to_do() {
    let cases = [
        ("", "is empty"),
        ("{", "the JSON is incomplete or wrong"),
        ("[]", "the JSON is incomplete or wrong"),
        ("{}", "its `kind` is not `azure-facts`"),
        (r#"{"kind":"azure-facts"}"#, "has no `schema`"),
        (r#"{"kind":"azure-facts","schema":9}"#, "has schema 9"),
        (r#"{"kind":"azure-facts","schema":1,"collected_at":"\u001b[2J"}"#, "is not a time"),
        (r#"{"kind":"azure-facts","schema":1,"collected_at":"2026-11-29T20:00:00Z"}"#, "holds no zone"),
        (
            r#"{"kind":"azure-facts","schema":1,"collected_at":"2026-11-29T20:00:00Z","zones":[{"id":"x"}]}"#,
            "zones[0].id",
        ),
        (r#"{"kind":"azure-facts","schema":1,"zones":7}"#, "expected a list"),
    ];
    for (text, wanted) in cases {
        let message = read(text.as_bytes()).expect_err(text).to_string();
        assert!(message.contains(wanted) && message.contains("collect.sh"), "{message}");
        assert!(!message.chars().any(char::is_control), "{message:?}");
    }
    assert!(read(b"\xff\xff\xff").expect_err("not text").to_string().contains("UTF-8"));
    assert!(read("[".repeat(200_000).as_bytes()).is_err());
}

#[test]
fn lists_are_bounded_and_so_is_what_is_said_of_them() {
    let many = "0,".repeat(items::MAX_ITEMS);
    let text =
        format!(r#"{{"kind":"azure-facts","schema":1,"collected_at":"2026-11-29T20:00:00Z","scopes":[{many}0]}}"#);
    assert!(read(text.as_bytes()).expect_err("too many").to_string().contains("more than 100000 items"));
    let held = with("zones", json!(vec![json!({"id": "x".repeat(10_000)}); 1_000])).expect("a scope is left");
    assert_eq!(held.left_out.len(), 101);
    assert!(held.left_out.iter().all(|line| line.chars().count() <= 2 * text::MAX_QUOTED + 1));
    assert_eq!(held.left_out.last().map(String::as_str), Some("900 more"));
}

#[test]
fn what_is_read_is_what_the_schema_describes() {
    let schema = schema();
    let described = schema["properties"].as_object().expect("properties");
    for field in [
        "scopes",
        "endpoints",
        "zones",
        "rulesets",
        "networks",
        "route_tables",
        "interfaces",
        "changes",
        "associations",
    ] {
        assert!(described.contains_key(field), "{field}");
    }
    assert_eq!(schema["properties"]["schema"]["const"], SCHEMA);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_octets_break_the_reader(bytes: Vec<u8>) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_text_in_a_field_reaches_a_terminal_as_it_is(id in ".{0,60}", name in ".{0,60}") {
        if let Ok(held) = with("zones", json!([{"id": id, "links": [{"name": name, "network": id}]}])) {
            prop_assert!(held.left_out.iter().all(|line| !line.chars().any(text::acts_on_output)));
        }
    }
}
