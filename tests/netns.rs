//! Whole machines: the built binary in a network namespace, real DNS servers, fronts, firewalls and proxies in another.
//!
//! Needs root (or the right to make namespaces) and the programs of `.ci/packages`; without them the tests are skipped
//! and fail where `CI` is set. Nothing here can leave the machine.

#![cfg(target_os = "linux")]

mod browsers;
mod certificates;
mod design;
mod doctor;
mod encrypted;
mod habits;
mod hanging;
mod hostile;
mod lab;
mod names;
mod namespace;
mod packets;
mod parity;
mod router;
mod run_command;
mod sealed;
mod servers;
mod speed;
mod worlds;

use std::fs;

use design::{AZURE_DNS, CUSTOM_DNS, Custom, Design, Inspection, PROXY, PUBLIC_DNS};
use doctor::{examine, examine_unaided, examine_with};
use lab::{Lab, Result, possible};
use names::{DCE, WORKSPACE, Zone};

use super::needs;

/// Steps that wait for silence wait shortly.
const IMPATIENT: [&str; 4] = ["--timeout", "1", "--deadline", "6"];

/// The hosts file is asked before any DNS server, `options` bound what the system's own lookup waits.
const SHORT: &str = "options timeout:1 attempts:1\n";

fn ods() -> String {
    format!("{WORKSPACE}.{}", Zone::Ods.suffix())
}

fn all_but(zone: Zone) -> Vec<Zone> {
    Zone::ALL.into_iter().filter(|other| *other != zone).collect()
}

fn custom(custom: Custom) -> Design {
    Design { custom, resolv_conf: format!("nameserver {CUSTOM_DNS}\n"), ..Design::default() }
}

#[test]
fn a_healthy_private_machine_has_nothing_to_fix() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design::default())?;
    let seen = examine(&lab, &[])?;
    seen.judged(0, "ok", &[], &[]);
    seen.routed("private");
    seen.required_answer("private");
    seen.is_on_azure();
    Ok(())
}

#[test]
fn a_healthy_public_machine_has_nothing_to_fix() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { linked: Vec::new(), ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    seen.judged(0, "ok", &[], &[]);
    seen.routed("public");
    seen.required_answer("public");
    assert_eq!(seen.finding("DNS001")["severity"], "info", "{seen}");

    let wanted = examine(&lab, &["--expect", "private"])?;
    wanted.judged(1, "error", &["DNS001"], &[]);
    Ok(())
}

#[test]
fn custom_dns_servers_that_forward_to_azure_are_healthy() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    for server in [Custom::Unbound(AZURE_DNS), Custom::Bind(AZURE_DNS), Custom::Dnsmasq(AZURE_DNS)] {
        let lab = Lab::start(&custom(server))?;
        let seen = examine(&lab, &[])?;
        seen.judged(0, "ok", &[], &[]);
        seen.required_answer("private");
    }
    Ok(())
}

#[test]
fn a_custom_dns_server_that_forwards_to_the_internet_bypasses_azure() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&custom(Custom::Dnsmasq(PUBLIC_DNS)))?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["DNS002"], &[]);
    seen.routed("public");
    assert!(seen.finding("DNS002").to_string().contains(CUSTOM_DNS), "the server is named; {seen}");
    Ok(())
}

#[test]
fn one_zone_that_is_not_linked_is_named() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { linked: all_but(Zone::Ods), ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["DNS003"], &[]);
    seen.routed("mixed");
    assert!(seen.finding("DNS003").to_string().contains(&Zone::Ods.private()), "the zone is named; {seen}");
    Ok(())
}

#[test]
fn an_empty_private_zone_denies_every_shared_name() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { empty: vec![Zone::Monitor], ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["DNS004"], &[]);
    assert_eq!(seen.endpoint("global.handler.control.monitor.azure.com")["route"], "none", "{seen}");
    assert_eq!(seen.endpoint(DCE)["route"], "none", "{seen}");
    assert_eq!(seen.endpoint(&ods())["reachable"], true, "{seen}");
    Ok(())
}

#[test]
fn a_hosts_entry_that_leads_nowhere_explains_the_silence() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { hosts: format!("10.9.9.9 {}\n", ods()), ..Design::default() })?;
    let seen = examine(&lab, &IMPATIENT)?;
    seen.judged(1, "error", &["DNS006"], &[("NET001", "DNS006")]);
    Ok(())
}

#[test]
fn a_dropped_port_times_out() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { firewall: "ip daddr 10.1.0.20 tcp dport 443 drop", ..Design::default() })?;
    let seen = examine(&lab, &IMPATIENT)?;
    seen.judged(1, "error", &["NET001"], &[]);
    seen.routed("private");
    assert_eq!(seen.finding("NET001")["endpoints"], serde_json::json!([ods()]), "{seen}");
    assert_eq!(seen.endpoint(&ods())["reachable"], false, "{seen}");
    Ok(())
}

#[test]
fn a_reset_is_a_refusal() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let firewall = "ip daddr 10.1.0.20 tcp dport 443 reject with tcp reset";
    let lab = Lab::start(&Design { firewall, ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["NET002"], &[]);
    assert_eq!(seen.finding("NET002")["endpoints"], serde_json::json!([ods()]), "{seen}");
    Ok(())
}

#[test]
fn an_administrative_prohibition_is_unreachable() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let firewall = "ip daddr 10.1.0.20 tcp dport 443 reject with icmpx type admin-prohibited";
    let lab = Lab::start(&Design { firewall, ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["NET003"], &[]);
    assert_eq!(seen.finding("NET003")["endpoints"], serde_json::json!([ods()]), "{seen}");
    Ok(())
}

#[test]
fn inspection_that_the_machine_trusts_is_still_inspection() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { inspection: Inspection::Trusted, ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["TLS001"], &[]);
    seen.routed("private");
    assert!(seen.finding("TLS001").to_string().contains("Contoso Inspection"), "the issuer is named; {seen}");
    Ok(())
}

#[test]
fn mitmproxy_is_inspection_and_gets_no_request() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    if servers::mitmdump().is_none() {
        needs::without("mitmdump");
        return Ok(());
    }
    let lab = Lab::start(&Design { inspection: Inspection::Mitmproxy, ..Design::default() })?;
    let log = lab.folder().join("access.log");
    let before = requests(&log);
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["TLS001"], &[]);
    assert!(seen.finding("TLS001").to_string().contains("mitmproxy"), "the issuer is named; {seen}");
    assert_eq!(requests(&log), before, "nothing is sent over an unverified connection");
    Ok(())
}

/// Requests that the fronts have answered.
fn requests(log: &std::path::Path) -> usize {
    fs::read_to_string(log).unwrap_or_default().lines().filter(|line| line.starts_with("443 ")).count()
}

#[test]
fn a_silent_dns_server_explains_that_nothing_resolves() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let resolv_conf = format!("nameserver {CUSTOM_DNS}\n{SHORT}");
    let lab = Lab::start(&Design { resolv_conf, ..Design::default() })?;
    let seen = examine(&lab, &IMPATIENT)?;
    seen.judged(1, "error", &["DNS008"], &[]);
    seen.routed("none");
    Ok(())
}

#[test]
fn a_silent_dns_server_before_one_that_answers_is_a_warning() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let resolv_conf = format!("nameserver {CUSTOM_DNS}\nnameserver {AZURE_DNS}\n{SHORT}");
    let lab = Lab::start(&Design { resolv_conf, ..Design::default() })?;
    let seen = examine(&lab, &["--timeout", "2", "--deadline", "8"])?;
    seen.judged(0, "warning", &["DNS008"], &[]);
    seen.routed("private");
    Ok(())
}

#[test]
fn silence_after_the_connection_is_a_stalled_handshake() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    // What a broken path MTU does: the handshake of TCP passes, everything larger vanishes.
    let firewall = "ip daddr 10.1.0.20 tcp dport 443 ip length > 120 drop";
    let lab = Lab::start(&Design { firewall, ..Design::default() })?;
    let seen = examine(&lab, &IMPATIENT)?;
    seen.judged(1, "error", &["TLS007"], &[]);
    assert_eq!(seen.finding("TLS007")["endpoints"], serde_json::json!([ods()]), "{seen}");
    Ok(())
}

#[test]
fn two_faults_are_two_roots() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let design = Design {
        linked: all_but(Zone::Ods),
        firewall: "ip daddr 10.1.0.30 tcp dport 443 reject with tcp reset",
        ..Design::default()
    };
    let lab = Lab::start(&design)?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["DNS003", "NET002"], &[]);
    Ok(())
}

#[test]
fn a_machine_behind_a_proxy_is_healthy_through_it() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let firewall = "ip saddr 10.0.0.10 tcp dport 443 drop";
    let lab = Lab::start(&Design { proxy: true, firewall, ..Design::default() })?;
    let proxy = format!("http://{PROXY}:3128");
    let seen = examine_with(&lab, &[], &[("HTTPS_PROXY", &proxy)])?;
    seen.judged(0, "ok", &[], &[]);
    seen.required_answer("private");
    let tcp = seen.endpoint(&ods())["tcp"].to_string();
    assert!(tcp.contains(&format!("{PROXY}:3128")), "the connection is the proxy's; {tcp}");
    Ok(())
}

#[test]
fn no_child_process_is_started() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design::default())?;
    let trace = lab.folder().join("trace");
    // The path is part of the trace, and a checkout may have any name.
    let binary = lab.folder().join("clone, fork(execve(");
    std::os::unix::fs::symlink(doctor::binary(), &binary)?;
    let mut command = lab.on_machine("strace");
    command.args(["-f", "-e", "trace=clone,clone3,fork,vfork,execve,execveat", "-o"]).arg(&trace).arg(binary);
    command.args(["check", "--workspace", WORKSPACE, "--region", "westeurope", "--public-roots"]);
    namespace::run(command.arg(lab.public_roots()))?;
    let trace = fs::read_to_string(&trace)?;
    let calls: Vec<(&str, &str)> = trace.lines().filter_map(called).collect();
    let executed = calls.iter().filter(|(name, _)| name.starts_with("exec"));
    assert_eq!(executed.count(), 1, "only the doctor itself: {trace}");
    let is_thread = |call: &(&str, &str)| call.0.starts_with("clone") && call.1.contains("CLONE_THREAD");
    let begun = calls.into_iter().filter(|(name, _)| !name.starts_with("exec"));
    let (threads, children): (Vec<_>, Vec<_>) = begun.partition(is_thread);
    assert!(children.is_empty(), "{children:?}");
    assert!(!threads.is_empty(), "threads are seen at all: {trace}");
    Ok(())
}

/// Name and arguments of the system call that begins in a line of strace's (`1234  clone3({flags=…`); the end of one that was
/// interrupted (`1234  <... clone3 resumed>`) and signals begin none.
fn called(line: &str) -> Option<(&str, &str)> {
    let (name, arguments) = line.split_once(char::is_whitespace)?.1.trim_start().split_once('(')?;
    let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    is_name.then_some((name, arguments))
}

#[test]
fn a_machine_outside_azure_is_no_fault() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let firewall = "ip daddr { 168.63.129.16, 169.254.169.254 } drop";
    let lab = Lab::start(&Design { firewall, linked: Vec::new(), ..custom(Custom::Dnsmasq(PUBLIC_DNS)) })?;
    let seen = examine(&lab, &["--timeout", "2"])?;
    seen.judged(0, "ok", &[], &[]);
    seen.required_answer("public");
    Ok(())
}

#[test]
fn a_dns_server_that_refuses_is_not_a_silent_one() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&custom(Custom::Refusing))?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["DNS009"], &[]);
    seen.routed("none");
    Ok(())
}

#[test]
fn a_workspace_that_does_not_exist_is_distinguished_from_a_missing_record() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design::default())?;
    let deleted = "aaaaaaaa-0000-4000-8000-000000000000";
    let seen = examine(&lab, &["--workspace", deleted])?;
    seen.judged(1, "error", &["DNS013"], &[]);
    assert!(seen.finding("DNS013")["endpoints"].to_string().contains(deleted), "{seen}");
    assert_eq!(seen.endpoint(&ods())["reachable"], true, "{seen}");
    Ok(())
}

#[test]
fn a_trust_store_without_the_public_root_is_the_machines_fault() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { distrustful: true, ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["TLS002"], &[]);
    Ok(())
}

#[test]
fn a_reset_after_the_client_hello_is_a_filter() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let firewall = "ip daddr 10.1.0.20 tcp dport 443 ip length > 120 reject with tcp reset";
    let lab = Lab::start(&Design { firewall, ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["TLS006"], &[]);
    assert_eq!(seen.finding("TLS006")["endpoints"], serde_json::json!([ods()]), "{seen}");
    Ok(())
}

#[test]
fn blocked_public_addresses_behind_a_wrong_forwarder_are_its_symptom() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let firewall = "ip daddr 20.0.0.0/8 tcp dport 443 drop";
    let lab = Lab::start(&Design { firewall, ..custom(Custom::Dnsmasq(PUBLIC_DNS)) })?;
    let seen = examine(&lab, &IMPATIENT)?;
    seen.judged(1, "error", &["DNS002"], &[("NET001", "DNS002")]);
    Ok(())
}

#[test]
fn blocked_public_addresses_of_one_zone_are_the_missing_links_symptom() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let firewall = "ip daddr 20.0.0.0/8 tcp dport 443 reject with tcp reset";
    let lab = Lab::start(&Design { linked: all_but(Zone::Ods), firewall, ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    seen.judged(1, "error", &["DNS003"], &[("NET002", "DNS003")]);
    Ok(())
}

#[test]
fn a_missing_record_behind_fallback_to_the_internet_is_seen() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design { fallback: vec![Zone::Ods], ..Design::default() })?;
    let seen = examine(&lab, &[])?;
    seen.judged(0, "warning", &["DNS004"], &[]);
    seen.routed("mixed");

    let wanted = examine(&lab, &["--expect", "private"])?;
    wanted.judged(1, "error", &["DNS004"], &[]);
    Ok(())
}

#[test]
fn an_azure_machine_needs_no_argument() -> Result<()> {
    if !possible() {
        return Ok(());
    }
    let lab = Lab::start(&Design::default())?;
    let seen = examine_unaided(&lab)?;
    seen.judged(0, "ok", &[], &[]);
    seen.routed("private");
    seen.is_on_azure();
    let regional = seen.endpoint("westeurope.handler.control.monitor.azure.com");
    assert_eq!(regional["reachable"], true, "the metadata service names the region; {seen}");
    Ok(())
}
