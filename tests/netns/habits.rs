//! What DNS servers of the field do with answers, with the real programs: rulesets, filters, caches, stubs, closed networks.
//!
//! The machine is 5 ms away from everything; `AMPLS_LAB_DELAYS` names other distances, as `.ci/nightly` does: a verdict must not
//! depend on which answer comes first.

use super::custom;
use super::design::{AZURE_DNS, CUSTOM_DNS, Custom, Design, PUBLIC_DNS, SECOND_DNS, Stub};
use super::doctor::examine;
use super::lab::{Lab, Result, possible};

/// One-way delays in milliseconds.
fn delays() -> Vec<u32> {
    let named = std::env::var("AMPLS_LAB_DELAYS").unwrap_or_else(|_| "5".to_owned());
    named.split(',').map(|delay| delay.parse().expect("milliseconds")).collect()
}

/// Examines the lab of a design at every distance, twice each: what the first run asked must not change the second.
fn everywhere(design: &Design, judged: impl Fn(&super::doctor::Examination)) -> Result<()> {
    if !possible() {
        return Ok(());
    }
    for delay in delays() {
        let lab = Lab::start(&Design { delay_ms: Some(delay), ..design.clone() })?;
        for _ in 0..2 {
            judged(&examine(&lab, &["--timeout", "2"])?);
        }
    }
    Ok(())
}

#[test]
fn a_ruleset_that_takes_the_public_suffixes_is_the_root() -> Result<()> {
    everywhere(&Design { ruleset: true, ..Design::default() }, |seen| {
        seen.judged(1, "error", &["DNS020"], &[]);
        seen.routed("public");
        assert_eq!(seen.finding("DNS020")["args"]["kind"], "ruleset", "{seen}");
    })
}

#[test]
fn dnsmasq_that_stops_rebinding_withholds_and_denies_nothing() -> Result<()> {
    everywhere(&custom(Custom::Guarding), |seen| {
        seen.judged(1, "error", &["DNS024"], &[]);
        seen.routed("none");
    })
}

#[test]
fn unbound_that_removes_private_addresses_is_seen() -> Result<()> {
    everywhere(&custom(Custom::Unbending("private-address: 10.0.0.0/8")), |seen| {
        seen.judged(1, "error", &["DNS024"], &[]);
    })
}

#[test]
fn dnsmasq_that_forwards_the_alias_zones_gets_one_verdict() -> Result<()> {
    everywhere(&custom(Custom::AliasZones), |seen| {
        seen.judged(1, "error", &["DNS020"], &[]);
        seen.routed("public");
    })
}

#[test]
fn a_stub_that_validates_fails_where_its_upstream_answers() -> Result<()> {
    let resolv_conf = "nameserver 127.0.0.53\noptions edns0 timeout:1 attempts:1\n".to_owned();
    everywhere(&Design { stub: Stub::Validating, resolv_conf, ..Design::default() }, |seen| {
        seen.judged(1, "error", &["DNS009"], &[]);
        let said = seen.finding("DNS009").to_string();
        assert!(said.contains("127.0.0.53") && said.contains("validation"), "{seen}");
    })
}

#[test]
fn a_stub_is_judged_by_what_it_answers() -> Result<()> {
    let resolv_conf = "nameserver 127.0.0.53\n".to_owned();
    everywhere(
        &Design { stub: Stub::Asks(AZURE_DNS), resolv_conf: resolv_conf.clone(), ..Design::default() },
        |seen| {
            seen.judged(0, "ok", &[], &[]);
            seen.routed("private");
        },
    )?;
    everywhere(&Design { stub: Stub::Asks(PUBLIC_DNS), resolv_conf, ..Design::default() }, |seen| {
        seen.judged(1, "error", &["DNS002"], &[]);
        seen.routed("public");
    })
}

#[test]
fn a_closed_networks_root_zone_shadows_everything() -> Result<()> {
    let resolv_conf = format!("nameserver {CUSTOM_DNS}\nnameserver {SECOND_DNS}\n");
    let design = Design { custom: Custom::ClosedRoot, second: true, resolv_conf, ..Design::default() };
    everywhere(&design, |seen| {
        seen.judged(1, "error", &["DNS021"], &[]);
        seen.routed("none");
    })
}

#[test]
fn unbound_that_makes_up_a_name_below_a_zone_invents() -> Result<()> {
    everywhere(&custom(Custom::Redirecting), |seen| {
        seen.judged(0, "warning", &["DNS025"], &[]);
        seen.routed("private");
    })
}

/// What systemd-resolved's links are asked for, each.
const SUFFIXES: &str = "~monitor.azure.com ~opinsights.azure.com ~azure-automation.net ~blob.core.windows.net";

fn resolved(own: &'static str, vpn: &'static str) -> Design {
    let resolv_conf = "nameserver 127.0.0.53\noptions edns0 trust-ad\n".to_owned();
    Design { stub: Stub::Resolved { own, vpn }, resolv_conf, ..Design::default() }
}

fn has_resolved() -> bool {
    super::servers::systemd_resolved().is_some() || crate::needs::without("systemd-resolved")
}

#[test]
fn split_dns_with_systemd_resolved_is_right() -> Result<()> {
    if !possible() || !has_resolved() {
        return Ok(());
    }
    everywhere(&resolved(SUFFIXES, "~."), |seen| {
        seen.judged(0, "ok", &[], &[]);
        seen.routed("private");
    })
}

#[test]
fn a_vpn_that_takes_everything_from_systemd_resolved_is_the_root() -> Result<()> {
    if !possible() || !has_resolved() {
        return Ok(());
    }
    everywhere(&resolved("corp.example", "~."), |seen| {
        seen.judged(1, "error", &["DNS002"], &[]);
        seen.routed("public");
        assert!(seen.finding("DNS002").to_string().contains(super::design::VPN_DNS), "{seen}");
    })
}
