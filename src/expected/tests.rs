//! Every form of expected records, and the error for those that are none.

use proptest::prelude::*;

use super::*;

const ODS: &str = "11111111-2222-3333-4444-555555555555.ods.opinsights.azure.com";

fn records(text: &str) -> Vec<(String, Vec<String>)> {
    let records = read(text.as_bytes()).expect("records").records;
    let texts = |record: ExpectedRecord| (record.name, record.addresses.iter().map(ToString::to_string).collect());
    records.into_iter().map(texts).collect()
}

fn one(name: &str, addresses: &[&str]) -> (String, Vec<String>) {
    (name.to_owned(), addresses.iter().map(|address| (*address).to_owned()).collect())
}

#[test]
fn private_endpoint_lists_its_names() {
    let text = r#"{
      "name": "ampls-pe", "type": "Microsoft.Network/privateEndpoints", "ipConfigurations": [],
      "customDnsConfigs": [
        {"fqdn": "api.monitor.azure.com", "ipAddresses": ["10.0.0.4"]},
        {"fqdn": "Global.handler.control.monitor.azure.com", "ipAddresses": ["10.0.0.6", "10.0.0.5"]}],
      "privateLinkServiceConnections": [{"groupIds": ["azuremonitor"], "privateLinkServiceConnectionState": {"status": "Approved"}}]
    }"#;
    let wanted = [
        one("api.monitor.azure.com", &["10.0.0.4"]),
        one("global.handler.control.monitor.azure.com", &["10.0.0.5", "10.0.0.6"]),
    ];
    assert_eq!(records(text), wanted);
    assert_eq!(records(&format!("[{text}]")), wanted);
    assert_eq!(
        records(r#"{"properties": {"customDnsConfigs": [{"fqdn": "a.b.net", "ipAddresses": ["10.0.0.4"]}]}}"#).len(),
        1
    );
}

#[test]
fn private_endpoint_with_a_zone_group_says_where_its_records_are() {
    let empty = r#"{"customDnsConfigs": [], "privateLinkServiceConnections": []}"#;
    let error = read(empty.as_bytes()).expect_err("nothing in it").to_string();
    assert!(error.contains("dns-zone-group list") && error.contains("Get-AzPrivateDnsZoneGroup"), "{error}");
}

#[test]
fn zone_group_lists_its_record_sets() {
    let text = format!(
        r#"{{"name": "default", "privateDnsZoneConfigs": [
          {{"name": "ods", "privateDnsZoneId": "/x", "recordSets": [
            {{"fqdn": "{}", "ipAddresses": ["10.0.0.5"], "recordSetName": "1", "recordType": "A", "ttl": 10}}]}},
          {{"name": "blob", "properties": {{"recordSets": [
            {{"fqdn": "scadvisorcontentpl.privatelink.blob.core.windows.net", "ipAddresses": ["10.0.0.7"]}}]}}}},
          {{"name": "empty", "recordSets": null}}]}}"#,
        ODS.replace(".ods.", ".privatelink.ods.")
    );
    let wanted = [one(ODS, &["10.0.0.5"]), one("scadvisorcontentpl.blob.core.windows.net", &["10.0.0.7"])];
    assert_eq!(records(&text), wanted);
    assert_eq!(records(&format!("[{text}]")), wanted);
}

#[test]
fn record_sets_are_read_with_and_without_their_full_name() {
    let zone =
        "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/privatelink.monitor.azure.com";
    let text = format!(
        r#"[
        {{"name": "api", "fqdn": "api.privatelink.monitor.azure.com.", "aRecords": [{{"ipv4Address": "10.0.0.4"}}], "ttl": 10}},
        {{"name": "me-x1y2.westeurope-1.ingest", "id": "{zone}/A/me-x1y2.westeurope-1.ingest",
          "aRecords": [{{"ipv4Address": "10.0.0.8"}}], "aaaaRecords": [{{"ipv6Address": "fd00::8"}}]}},
        {{"name": "@", "fqdn": "privatelink.monitor.azure.com.", "aRecords": null, "soaRecord": {{"host": "azureprivatedns.net"}}}},
        {{"name": "*", "fqdn": "*.privatelink.monitor.azure.com.", "aRecords": [{{"ipv4Address": "10.0.0.9"}}]}}]"#
    );
    assert_eq!(
        records(&text),
        [
            one("api.monitor.azure.com", &["10.0.0.4"]),
            one("me-x1y2.westeurope-1.ingest.monitor.azure.com", &["10.0.0.8", "fd00::8"])
        ]
    );
}

#[test]
fn network_interface_lists_the_names_it_serves() {
    let text = r#"{"ipConfigurations": [
        {"name": "a", "privateIPAddress": "10.0.0.4", "privateLinkConnectionProperties": {"fqdns": ["api.monitor.azure.com"]}},
        {"name": "b", "privateIpAddress": "10.0.0.5", "privateLinkConnectionProperties": {"fqdns": ["x.monitor.azure.com"]}},
        {"name": "c", "privateIpAddress": "10.0.0.6"}]}"#;
    let wanted = [one("api.monitor.azure.com", &["10.0.0.4"]), one("x.monitor.azure.com", &["10.0.0.5"])];
    assert_eq!(records(text), wanted);
}

#[test]
fn earlier_report_gives_what_was_private() {
    let report = crate::report::mixed();
    let text = serde_json::to_string(&report).expect("JSON");
    let records = records(&text);
    assert!(records.contains(&one("global.handler.control.monitor.azure.com", &["10.0.0.5"])), "{records:?}");
    assert!(records.iter().all(|(name, _)| !name.contains(".ods.")), "{records:?}");
}

#[test]
fn portal_lines_are_read_beside_and_below_each_other() {
    let text = format!(
        "\u{feff}FQDN\tIP addresses\r\n\r\n{ODS}\t10.0.0.5\r\n\
         privatelink-monitor-azure-com\tprivatelink.monitor.azure.com\tapi.privatelink.monitor.azure.com\t10.0.0.4\tSucceeded\r\n\
         # a remark\r\nglobal.handler.control.monitor.azure.com\r\n10.0.0.6\r\n10.0.0.7\r\n"
    );
    assert_eq!(
        records(&text),
        [
            one(ODS, &["10.0.0.5"]),
            one("api.monitor.azure.com", &["10.0.0.4"]),
            one("global.handler.control.monitor.azure.com", &["10.0.0.6", "10.0.0.7"]),
        ]
    );
    assert_eq!(records("10.0.0.4 api.monitor.azure.com"), [one("api.monitor.azure.com", &["10.0.0.4"])]);
}

#[test]
fn text_that_powershell_saved_is_read() {
    let utf16: Vec<u8> =
        "\u{feff}api.monitor.azure.com 10.0.0.4\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16).map(|expected| expected.records.len()), Ok(1));
}

#[test]
fn what_cannot_be_read_is_reported_with_its_place_in_one_harmless_line() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let table: &[(&str, &str)] = &[
        ("", "is empty"),
        ("  \n", "is empty"),
        ("{", "the JSON is incomplete or wrong: EOF while parsing an object at line 1 column 1"),
        ("{}", "none of the forms"),
        ("[]", "no record"),
        ("[1]", "$[0]: an object"),
        ("{}", "Get-AzPrivateEndpoint -ResourceGroupName"),
        ("{}", "az network private-endpoint dns-zone-group list"),
        (r#"{"name": "vm1"}"#, "none of the forms"),
        (r#"{"customDnsConfigs": {}}"#, "$.customDnsConfigs: a list"),
        (r#"{"customDnsConfigs": [7]}"#, "$.customDnsConfigs[0]: an object"),
        (r#"{"customDnsConfigs": [{"ipAddresses": []}]}"#, "$.customDnsConfigs[0]: has no `fqdn`"),
        (r#"{"customDnsConfigs": [{"fqdn": "a b"}]}"#, "$.customDnsConfigs[0].fqdn: `a b` is not a full host name"),
        (r#"{"customDnsConfigs": [{"fqdn": "a.net"}]}"#, "$.customDnsConfigs[0]: has no `ipAddresses`"),
        (
            r#"{"customDnsConfigs": [{"fqdn": "a.net", "ipAddresses": ["10.0.0.4", "10.0.0.999"]}]}"#,
            "$.customDnsConfigs[0].ipAddresses[1]: `10.0.0.999` is not an address",
        ),
        (r#"[{"fqdn": "a.net", "aRecords": [{"ipv4Address": null}]}]"#, "$[0].aRecords[0].ipv4Address: an address"),
        (r#"{"schema": 1, "kind": "digest"}"#, "is a digest"),
        (r#"{"schema": 1}"#, "without `endpoints`"),
        (r#"{"schema": 1, "endpoints": []}"#, "no name was private"),
        (r#"{"customDnsConfigs": [{"fqdn": "\u001b[2J\n", "ipAddresses": []}]}"#, "is not a full host name"),
        ("hello world", "no record"),
        ("FQDN IP\na.net 10.0.0.999", "line 2: `10.0.0.999` is not an address"),
        ("\n10.0.0.4", "line 2: an address without a host name"),
        ("a.net\nb.net", "line 1: `a.net` has no address"),
        (&deep, "the JSON is incomplete or wrong"),
    ];
    for (text, wanted) in table {
        let error = read(text.as_bytes()).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{error}");
        assert!(!error.chars().any(char::is_control), "{error:?}");
    }
    assert!(read(&[0xff, 0xff, 0x00]).is_err());
}

#[test]
fn every_shape_that_azures_tools_print_gives_the_record() {
    const API: &str = "api.monitor.azure.com";
    let shapes = [
        r#"{"customDnsConfigs":[{"fqdn":"api.monitor.azure.com","ipAddresses":["10.0.0.4"]}]}"#,
        r#"[{"fqdn":"api.monitor.azure.com","ipAddresses":["10.0.0.4"]}]"#,
        r#"{"value":[{"name":"pe","properties":{"customDnsConfigs":[{"fqdn":"api.monitor.azure.com","ipAddresses":["10.0.0.4"]}]}}]}"#,
        r#"{"Name":"pe","CustomDnsConfigs":[{"Fqdn":"api.monitor.azure.com","IpAddresses":["10.0.0.4"]}]}"#,
        r#"[{"Name":"pe","CustomDnsConfigs":{"Fqdn":"api.monitor.azure.com","IpAddresses":"10.0.0.4"}}]"#,
        r#"{"privateDnsZoneConfigs":[{"recordSets":[{"fqdn":"api.privatelink.monitor.azure.com","ipAddresses":["10.0.0.4"]}]}]}"#,
        r#"{"PrivateDnsZoneConfigs":[{"RecordSets":[{"Fqdn":"api.privatelink.monitor.azure.com","IpAddresses":["10.0.0.4"]}]}]}"#,
        r#"[{"name":"@","fqdn":"privatelink.monitor.azure.com.","soaRecord":{}},{"name":"api","fqdn":"api.privatelink.monitor.azure.com.","aRecords":[{"ipv4Address":"10.0.0.4"}]}]"#,
        r#"[{"Name":"api","ZoneName":"privatelink.monitor.azure.com","RecordType":0,"Records":[{"Ipv4Address":"10.0.0.4"}]}]"#,
        r#"[{"FQDNs":["api.monitor.azure.com"],"IPAddress":"10.0.0.4"}]"#,
        r#"[[{"fqdn":"api.monitor.azure.com","ipAddresses":["10.0.0.4"]}]]"#,
        "| FQDN | IP |\n| --- | --- |\n| `api.monitor.azure.com` | `10.0.0.4` |\n",
        "10.0.0.4\tapi.monitor.azure.com\n",
        "api.monitor.azure.com\t['10.0.0.4']\n",
    ];
    for text in shapes {
        let wanted = [one(API, &["10.0.0.4"])];
        assert_eq!(records(text), wanted, "{text}");
        let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let read = read(&utf16).expect(text);
        assert_eq!((read.records.len(), read.left_out.len()), (1, 0), "{text}: {:?}", read.left_out);
    }
}

#[test]
fn what_cannot_be_used_is_named_and_the_rest_is_used() {
    let table = [
        ("a.net\nb.net 10.0.0.4", "line 1: `a.net` has no address"),
        ("a.net 10.0.0.999\nb.net 10.0.0.4", "line 1: `10.0.0.999` is not an address"),
        (
            r#"[{"fqdn":"a.net","ipAddresses":["10.0.0.5","10.0.0.999"]},{"fqdn":"b.net","ipAddresses":["10.0.0.4"]}]"#,
            "$[0].ipAddresses[1]: `10.0.0.999` is not an address",
        ),
        (r#"[7,{"fqdn":"b.net","ipAddresses":["10.0.0.4"]}]"#, "$[0]: an object is wanted"),
    ];
    for (text, wanted) in table {
        let found = read(text.as_bytes()).expect(wanted);
        assert_eq!(found.left_out, [wanted], "{text}");
        assert_eq!(found.records.iter().map(|record| record.name.as_str()).collect::<Vec<_>>(), ["b.net"], "{text}");
    }
}

#[test]
fn bounds_are_named() {
    let lines: Vec<String> = (0..=MAX_NAMES).map(|n| format!("n{n}.example.net 10.0.0.4")).collect();
    let many = lines.join("\n");
    let error = read(many.as_bytes()).expect_err("too many").to_string();
    assert!(error.starts_with("line 10001: more than 10000 names"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_text_is_read_or_refused_in_one_line(text in "[a-z0-9.:,\\[\\]{}\" \t\n\u{1b}]{0,120}") {
        if let Err(error) = read(text.as_bytes()) {
            prop_assert!(!error.to_string().chars().any(char::is_control));
        }
    }
}
