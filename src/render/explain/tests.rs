//! Whatever is asked gets a useful answer.

use super::*;

fn rules() -> Vec<RulePage> {
    let page = |code: &str, name: &str| RulePage {
        code: code.to_owned(),
        name: name.to_owned(),
        severity: Severity::Error,
        owner: Owner::Dns,
        explains: Vec::new(),
        page: format!(
            "# {code} {name}\n\n## What it means\n\nOne\nparagraph.\n\n- an item\n  that goes on\n\n```\naz  x\n```\n"
        ),
    };
    vec![page("DNS003", "zone-not-linked"), page("DNS004", "record-missing"), page("NET001", "connect-timeout")]
}

fn explained(what: &str) -> String {
    let catalogue = Catalogue::builtin().unwrap();
    let topic = find(what, &catalogue, &rules()).unwrap();
    let mut out = Vec::new();
    write(&topic, &Style::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_code_and_a_name_in_any_case_give_the_page() {
    let page = "DNS003 zone-not-linked\n\nWhat it means\n\nOne paragraph.\n\n- an item that goes on\n\n    az  x\n";
    assert_eq!(explained("dns003"), page);
    assert_eq!(explained("Zone-Not-Linked"), page);
}

#[test]
fn an_address_is_distinguished_by_its_class() {
    let cases = [
        ("10.0.0.4", "private"),
        ("fd00::1", "unique local"),
        ("100.64.1.1", "RFC 6598"),
        ("127.0.0.1", "never a destination"),
        ("20.50.1.2", "public"),
        ("168.63.129.16", "wire server"),
        ("169.254.169.254", "metadata service"),
        ("64:ff9b::a00:4", "10.0.0.4"),
        ("[fe80::1%eth0]", "link-local"),
    ];
    for (address, wanted) in cases {
        assert!(explained(address).contains(wanted), "{address}: {}", explained(address));
    }
}

#[test]
fn a_heartbeat_address_gives_the_machines_own() {
    assert!(explained("fd40:1085:12:6d79:7712:100:c0a8:4").contains("192.168.0.4"));
}

#[test]
fn an_address_is_found_in_what_people_paste() {
    for pasted in [
        "10.0.0.5",
        "10.0.0.5:443",
        "10.0.0.0/8",
        "https://10.0.0.5/x",
        "::ffff:10.0.0.5",
        "[fd00::4]:53",
        "https://[fd40:1085:12:6d79:7712:100:c0a8:4]/x",
        "https://user@[fd00::4]:8443/x?y#z",
    ] {
        let text = explained(pasted);
        assert!(text.contains("class        private"), "{pasted}: {text}");
    }
}

#[test]
fn what_is_unknown_names_what_comes_near() {
    let catalogue = Catalogue::builtin().unwrap();
    let failed = |what: &str| find(what, &catalogue, &rules()).unwrap_err();
    assert_eq!(failed("DNS03"), "unknown code, word or name `DNS03`; did you mean `DNS003`?");
    assert!(failed("connect").contains("`connect-timeout`"));
    assert!(failed("\u{1b}[2J\n").contains("explain --list"));
    assert!(!failed("\u{1b}[2J\nx").contains(|c: char| c.is_control()));
    assert!(failed("").contains("explain --list"));
}

#[test]
fn a_number_is_no_address() {
    let catalogue = Catalogue::builtin().unwrap();
    assert!(find("4", &catalogue, &rules()).is_err());
}

#[test]
fn a_link_is_never_broken() {
    let link = format!("https://learn.microsoft.com/{}", "a.b/".repeat(20));
    let page = format!("# X\n\n- Read <{link}> first.\n- then\n");
    let mut out = Vec::new();
    write(&Topic::Page(page), &Style { width: Some(80), ..Style::default() }, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text, format!("X\n\n- Read\n  <{link}>\n  first.\n- then\n"));
}

#[test]
fn names_that_microsoft_lists_are_known() {
    let table = [
        ("adx.loganalytics.azure.com", "never"),
        ("x.adx.loganalytics.azure.com", "proxy"),
        ("adx.applicationinsights.azure.com", "never"),
        ("x.adx.monitor.azure.com", "proxy"),
        ("adx.loganalytics.azure.us", "never"),
        ("adx.applicationinsights.azure.cn", "never"),
        ("live.monitor.azure.com", "live.privatelink.monitor.azure.com"),
        ("275test-01li.eastus2euap-1.canary.ingest.monitor.azure.com", "may be"),
        ("westeurope.in.applicationinsights.azure.com", "either"),
        ("login.windows.net", "never"),
        ("stamp2.app.insightsportal.visualstudio.com", "never"),
        ("insightsportal-prod2-cdn.aisvc.visualstudio.com", "never"),
        ("guestnotificationservice.azure.com", "never"),
        ("x.gw.arc.azure.com", "gateway"),
        ("prod.la.ingest.monitor.core.windows.net", "alias"),
        ("x.ods.opinsights.sovcloud-api.fr", "does not know"),
        ("global.handler.control.monitor.azure.eaglex.ic.gov", "does not know"),
    ];
    for (name, wanted) in table {
        let page = explained(name).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains(wanted), "{name}: {page}");
    }
}

#[test]
fn undocumented_record_is_not_denied() {
    assert!(!explained("dc.applicationinsights.azure.cn").contains("never through"));
}

#[test]
fn folklore_is_warned_of() {
    assert!(explained("privatelink.applicationinsights.azure.com").contains("warning"));
    assert!(explained("x.privatelink.services.visualstudio.com").contains("warning"));
}

#[test]
fn a_name_nobody_knows_says_so() {
    assert!(explained("www.example.com").contains("not in the catalogue"));
}

#[test]
fn the_list_has_code_severity_name_and_meaning() {
    let mut out = Vec::new();
    write_list(&rules(), &Style::default(), &mut out).unwrap();
    let list = String::from_utf8(out).unwrap();
    assert_eq!(list.lines().next(), Some("DNS003  error    zone-not-linked: One paragraph"));
    assert_eq!(list.lines().take_while(|line| !line.is_empty()).count(), 3);
    assert!(list.contains("\n\nWords: ampls, "), "{list}");
}
