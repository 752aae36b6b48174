//! Ways from a stranger's report or disk into a command that existed once, each by its name.
//!
//! Each test first shows that a harmless text of that place does stand in a command of the finding: where it does not, nothing
//! would be shown of a hostile one.

use std::collections::BTreeSet;
use std::fs;

use ampls_doctor::diagnose::command::Command;
use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::finding::Fix;
use ampls_probes::Observations;
use serde_json::Value;

use super::examine_all;
use super::places::replace;
use crate::hosts::{Root, examine};
use crate::scenarios::observe;

/// What the disk holds, as a report.
fn disk(files: &[(&str, &str)]) -> Value {
    let root = Root::new();
    for (path, text) in files {
        let path = root.0.join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    serde_json::to_value(examine(&root.0, &[]).observations).expect("JSON")
}

fn world(name: &str) -> Value {
    let embedded = ampls_world::scenario(name).expect("the world");
    serde_json::to_value(observe(&embedded.parse().expect("a world")).expect("a run").observations).expect("JSON")
}

/// The commands of all findings with a code.
fn commands(json: &Value, code: &str) -> BTreeSet<Command> {
    let observations: Observations = serde_json::from_value(json.clone()).expect("observations");
    let findings = diagnose(&observations);
    assert!(findings.iter().any(|finding| finding.code == code), "no {code}: {findings:?}");
    let fixes = findings.iter().filter(|finding| finding.code == code).flat_map(|finding| &finding.fix);
    fixes.flat_map(Fix::all_commands).cloned().collect()
}

fn holds(commands: &BTreeSet<Command>, text: &str) -> bool {
    commands.iter().any(|command| command.as_str().contains(text))
}

/// A field whose texts reach the commands of a finding as what they are, or not at all.
fn field(json: &Value, code: &str, place: &str, harmless: &str, hostile: &[&str]) {
    let with = |text: &str| {
        let mut json = json.clone();
        assert!(replace(&mut json, place, text), "no text at {place}");
        commands(&json, code)
    };
    assert!(holds(&with(harmless), harmless), "{place} stands in no command of {code}: {:?}", with(harmless));
    for text in hostile {
        examine_all(&with(text));
    }
}

/// A name or zone, wherever it stands in the report: one that begins with `-` stands in no command.
fn option(json: &Value, code: &str, name: &str) {
    renamed(json, code, name, (&format!("0{name}"), &format!("0{name}")), (&format!("-{name}"), &format!("-{name}")));
}

/// The same of any text: a harmless one and a hostile one, each with its part that a command may or must not hold.
fn renamed(json: &Value, code: &str, old: &str, harmless: (&str, &str), hostile: (&str, &str)) {
    let with = |new: &str| {
        let mut json = json.clone();
        rename(&mut json, old, new);
        commands(&json, code)
    };
    let commands = with(harmless.0);
    assert!(holds(&commands, harmless.1), "{old} stands in no command of {code}: {commands:?}");
    let commands = with(hostile.0);
    assert!(!holds(&commands, hostile.1), "{commands:?}");
    examine_all(&commands);
}

fn rename(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::String(text) if text.contains(old) => *text = text.replace(old, new),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, old, new)),
        Value::Object(fields) => {
            let taken = std::mem::take(fields);
            fields.extend(taken.into_iter().map(|(name, mut item)| {
                rename(&mut item, old, new);
                (name.replace(old, new), item)
            }));
        }
        _ => {}
    }
}

/// The first name that a finding is about.
fn concerned(json: &Value, code: &str) -> String {
    let observations: Observations = serde_json::from_value(json.clone()).expect("observations");
    let findings = diagnose(&observations);
    let finding = findings.iter().find(|finding| finding.code == code).expect("the finding");
    finding.endpoints.first().expect("a name").clone()
}

fn name_of(world_name: &str, code: &str) {
    let json = world(world_name);
    let name = concerned(&json, code);
    option(&json, code, &name);
}

const POLICY: &str = r#"{"DnsOverHttpsMode": "secure", "LocalNetworkAccessBlockedForUrls": ["https://[*.]azure.com"]}"#;
const CHROME: &str = "etc/opt/chrome/policies/managed/a.json";
const FILES: [&str; 6] =
    ["$(zq)", "/etc/$(zq).json", "/etc/x'; zq; '.json", "cat 'x';zq;''", "-rf", "/etc/x -e 1e\\ touch\\ P"];

#[test]
fn workspace_of_an_old_agent() {
    let id = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";
    let folder = format!("etc/opt/microsoft/omsagent/{id}/conf/omsadmin.conf");
    let json = disk(&[
        ("etc/opt/microsoft/omsagent/sysconf/installinfo.txt", "1.12.24-0 20200717 Release_Build"),
        (&folder, &format!("WORKSPACE_ID={id}")),
    ]);
    let harmless = "11111111-2d4a-4c8e-9f31-7a5d0c2b9e64";
    let hostile = ["x; touch P #", "-w x", "$(zq)", "x -s y", "{6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64}"];
    field(&json, "AGT001", "/seen/*/found/*/workspaces/*/id", harmless, &hostile);
}

#[test]
fn source_of_a_policy_that_encrypts() {
    field(&disk(&[(CHROME, POLICY)]), "BRW001", "/seen/*/what/settings/*/source", "/etc/other.json", &FILES);
}

#[test]
fn policy_file_of_a_browser_that_may_encrypt() {
    let policy = r#"{"policies": {"DNSOverHTTPS": {"Enabled": true, "ProviderURL": "https://doh.example/dns-query"}}}"#;
    let json = disk(&[("etc/firefox/policies/policies.json", policy)]);
    field(&json, "BRW002", "/seen/*/what/settings/*/source", "/etc/other/policies.json", &FILES);
    let policies = FILES.map(|file| format!("{file}/policies.json"));
    field(
        &json,
        "BRW002",
        "/seen/*/what/settings/*/source",
        "/etc/other/policies.json",
        &policies.each_ref().map(String::as_str),
    );
    let mut by_user = json;
    assert!(replace(&mut by_user, "/seen/*/what/settings/*/set_by", "user"));
    field(&by_user, "BRW002", "/seen/*/what/settings/*/policy_file", "/etc/other.json", &FILES);
}

#[test]
fn source_of_a_policy_that_blocks_private_addresses() {
    field(
        &disk(&[(CHROME, POLICY)]),
        "BRW003",
        "/seen/*/what/settings/*/local_network/source",
        "/etc/other.json",
        &FILES,
    );
}

#[test]
fn name_of_a_policy_file_on_a_foreign_disk() {
    let names = [
        ("a.json", true),
        ("-rf.json", true),
        ("a b.json", true),
        ("x';zq;'.json", true),
        ("$(zq).json", true),
        ("x\nzq.json", false),
    ];
    for (name, stands) in names {
        let json = disk(&[(&format!("etc/opt/chrome/policies/managed/{name}"), POLICY)]);
        for code in ["BRW001", "BRW003"] {
            let commands = commands(&json, code);
            let shown = format!("cat '/etc/opt/chrome/policies/managed/{}'", name.replace('\'', r"'\''"));
            let plain = shown.replace('\'', "");
            assert_eq!(holds(&commands, &shown) || holds(&commands, &plain), stands, "{code}: {commands:?}");
            examine_all(&commands);
        }
    }
}

#[test]
fn source_of_a_service_that_encrypts() {
    let text = "forward-zone:\n name: \".\"\n forward-tls-upstream: yes\n forward-addr: 1.1.1.1@853\n";
    let json = disk(&[("etc/unbound/unbound.conf", text)]);
    field(&json, "DNS018", "/seen/*/what/*/source", "/etc/other.conf", &FILES);
}

#[test]
fn source_of_a_hosts_entry() {
    let json = world("hosts-entry-public");
    // No command changes another file than the system's own, whatever a report names.
    let hostile = ["/etc/hosts -e 1e\\ touch\\ P", "/etc/shadow", "$(zq)", "-i"];
    let mut other = json.clone();
    assert!(replace(&mut other, "/seen/*/what/source", "/etc/shadow"));
    assert!(!holds(&commands(&other, "DNS006"), "shadow"));
    field(&json, "DNS006", "/seen/*/what/source", "/etc/hosts", &hostile);
}

#[test]
fn name_in_another_certificate_begins_like_an_option() {
    name_of("wrong-name", "TLS003");
}

#[test]
fn name_behind_a_filter_begins_like_an_option() {
    name_of("reset-after-client-hello", "TLS006");
}

#[test]
fn name_with_half_a_chain_begins_like_an_option() {
    name_of("chain-incomplete", "TLS009");
}

#[test]
fn name_with_a_long_answer_begins_like_an_option() {
    name_of("dns-over-tcp-blocked", "DNS010");
}

#[test]
fn zone_of_a_stale_record_begins_like_an_option() {
    let json = world("stale-record");
    let name = concerned(&json, "NET001");
    let zone = json["endpoints"].as_array().into_iter().flatten().find(|endpoint| endpoint["fqdn"] == name.as_str());
    let zone = zone.and_then(|endpoint| endpoint["zone"].as_str()).expect("a zone");
    option(&json, "NET001", zone);
}

#[test]
fn proxy_that_is_dead_begins_like_an_option() {
    let json = world("proxy-dead");
    let (harmless, hostile) =
        (("http://proxy.example:3128", "proxy.example"), ("http://-oProxyCommand:3128", "-oProxy"));
    renamed(&json, "PRX003", "http://10.1.0.9:3128", harmless, hostile);
}

#[test]
fn names_that_a_proxy_is_kept_from_begin_like_an_option() {
    let json = world("proxy-catches-metadata");
    let former = ".azure.com,.azure-automation.net,.windows.net";
    for hostile in [("-x;zq", "-x"), ("x' zq='y", "zq"), ("$(zq)", "zq")] {
        renamed(&json, "PRX005", former, (".other.example", ".other.example"), hostile);
    }
}
