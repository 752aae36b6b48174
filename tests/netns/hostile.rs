//! Strangers that write into what they answer: their text is in the report, and in no command of it.

use std::collections::BTreeSet;

use ampls_doctor::diagnose::command::Command;
use ampls_probes::Observations;
use serde_json::Value;

use super::design::{AZURE_DNS, CUSTOM_DNS, Custom, Design, Inspection, PROXY};
use super::doctor::{Examination, examine, examine_with};
use super::lab::{Lab, Result, possible};
use super::ods;
use crate::commands::{commands_of, examine_all};
use crate::needs;

/// Parts of the hostile texts below that no text of the program holds.
const MARKS: [&str; 6] = ["touch", "calc", "{", "`", "$(", "zq"];

/// A front that writes what it likes.
const FRONT: &str = "server { listen 10.1.0.20:443 ssl; ssl_certificate @FOLDER@/front.pem; \
                     ssl_certificate_key @FOLDER@/front.key; location / { add_header x-ms-request-id \"`zq`;touch p\" always; \
                     return 503 \"`touch p`\"; } }";

/// A proxy that does.
const REALM: &str = "auth_param basic program /usr/lib/squid/basic_fake_auth\nauth_param basic realm `touch p`;calc.exe\n\
                     acl known proxy_auth REQUIRED\nhttp_access deny !known";

#[test]
fn denial_in_the_name_of_any_zone_gives_no_command() -> Result<()> {
    if !possible() || !needs::programs(&["python3"]) {
        return Ok(());
    }
    let denials = [
        ("ods.opinsights.azure.com", "`{touch,/p}`.corp"),
        ("oms.opinsights.azure.com", "x|calc.exe|.corp"),
        ("agentsvc.azure-automation.net", "$(id)"),
        ("ingest.monitor.azure.com>`touch p`.privatelink.monitor.azure.com", "x;zq #.monitor.azure.com"),
    ];
    let resolv_conf = format!("nameserver {CUSTOM_DNS}\nnameserver {AZURE_DNS}\n");
    let lab = Lab::start(&Design { custom: Custom::Denying(denials), resolv_conf, ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    let shadow = seen.finding("DNS021");
    assert!(shadow["endpoints"].to_string().contains(&ods()), "{seen}");
    // Without what presentation format puts before and for some characters (RFC 1035, 5.1).
    let recorded = seen.report()["observations"].to_string().replace('\\', "");
    for text in ["`{touch,/p}`.corp", "x|calc.exe|.corp", "$(id)", "`touch", "x;zq"] {
        assert!(recorded.contains(text), "`{text}` came over the wire; {seen}");
    }
    no_command_holds_a_mark(&seen)
}

#[test]
fn text_of_certificates_headers_and_proxies_gives_no_command() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let inspected =
        Design { inspection: Inspection::Trusted, inspector: "`touch p`;calc.exe $(zq)", ..Design::default() };
    let answered = Design { front: FRONT, ..Design::default() };
    let proxied = Design { proxy: true, proxy_rules: REALM, linked: Vec::new(), ..Design::default() };
    let proxy = format!("http://{PROXY}:3128");
    for (design, environment, code, mark) in [
        (inspected, None, "TLS001", Some("$(zq)")),
        (answered, None, "HTP004", Some("`zq`;touch p")),
        // Of a realm nothing is kept.
        (proxied, Some(("HTTPS_PROXY", proxy.as_str())), "PRX002", None),
    ] {
        let lab = Lab::start(&design)?;
        let seen = examine_with(&lab, &[], environment.as_slice())?;
        assert!(seen.finding(code).is_object(), "{code}; {seen}");
        let recorded = seen.report()["observations"].to_string();
        assert_eq!(recorded.contains(mark.unwrap_or("touch")), mark.is_some(), "{mark:?} over the wire; {seen}");
        no_command_holds_a_mark(&seen)?;
    }
    Ok(())
}

/// Checks the commands that the built binary prints, and runs them: they are those that its own observations give here.
fn no_command_holds_a_mark(seen: &Examination) -> Result<()> {
    let mut printed = BTreeSet::new();
    collect(&seen.report()["findings"], &mut printed);
    collect(&seen.report()["notes"], &mut printed);
    let observations: Observations = serde_json::from_value(seen.report()["observations"].clone())?;
    let commands = commands_of(&observations);
    let lines: BTreeSet<&str> = commands.iter().map(Command::as_str).collect();
    assert_eq!(printed, lines, "{seen}");
    assert!(printed.len() >= 3, "{printed:?}");
    for command in &commands {
        let own = command.template();
        for mark in MARKS.iter().filter(|mark| !own.contains(**mark)) {
            assert!(!command.as_str().contains(mark), "{}", command.as_str());
        }
    }
    examine_all(&commands);
    Ok(())
}

/// The texts of all fields `command` and `commands`.
fn collect<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, item)| match name.as_str() {
            "command" => found.extend(item.as_str()),
            "commands" => found.extend(item.as_array().into_iter().flatten().filter_map(Value::as_str)),
            _ => collect(item, found),
        }),
        _ => {}
    }
}
