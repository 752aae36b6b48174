//! Precision: every kind of healthy network has its worlds, and nothing at warning or above is said of them that is not true.
//!
//! What the doctor says there is examined by `scenarios`, which knows no root beside those that the world file names; here it
//! is examined that the world files name none.

use ampls_world::Scenario;

/// Kinds of healthy networks, and worlds of that kind.
const HEALTHY: &[(&str, &[&str])] = &[
    ("private", &["healthy-private", "systemd-resolved", "hub-and-spoke"]),
    ("public by design", &["public-wanted", "healthy-public", "healthy-unaliased"]),
    ("shared address space", &["cgnat"]),
    ("--private-range", &["private-range-without-alias"]),
    ("TLS 1.2 only", &["tls12-only"]),
    ("IPv6-only client", &["ipv6-only"]),
    ("IPv4-only client, public names have IPv6", &["without-ipv6"]),
    ("dual stack", &["with-ipv6"]),
    ("locked-down network", &["locked-down"]),
    ("virtual network with public ranges", &["public-range-vnet"]),
    ("endpoints in two subnets", &["endpoints-in-two-subnets"]),
    ("fallback to internet", &["fallback-to-internet"]),
    ("truncated answers, whole over TCP", &["truncated-dns-over-tcp"]),
    ("slow and working", &["slow-dns", "slow-network"]),
    ("proxies with the right exemptions", &["proxy-exempts-private-names", "public-through-proxy"]),
    ("sovereign clouds", &["usgov", "china"]),
    ("a clock within bounds", &["clock-within-bounds"]),
];

/// Codes that are information in the healthy worlds above: no private link is there, a server is slow, a zone is kept by hand.
const INFORMATION: &[&str] = &["DNS001", "DNS016", "DNS017"];

/// Worlds that work and have a finding at warning that is true, with the codes.
const TRUE_WARNINGS: &[(&str, &[&str])] = &[("private-range", &["DNS006"])];

fn world(name: &str) -> Scenario {
    let embedded = ampls_world::scenario(name).unwrap_or_else(|| panic!("no world is called `{name}`"));
    embedded.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_kind_of_healthy_network_has_a_world_without_findings() {
    for (kind, names) in HEALTHY {
        assert!(!names.is_empty(), "{kind} has no world");
        for name in *names {
            let expect = world(name).expect;
            assert_eq!((expect.exit, expect.health.as_deref()), (0, Some("ok")), "`{name}` ({kind})");
            assert!(
                expect.roots.iter().all(|code| INFORMATION.contains(&code.as_str())),
                "`{name}`: {:?}",
                expect.roots
            );
        }
    }
}

#[test]
fn networks_that_work_have_only_warnings_that_are_true() {
    for (name, codes) in TRUE_WARNINGS {
        let expect = world(name).expect;
        assert_eq!((expect.exit, expect.health.as_deref()), (0, Some("warning")), "`{name}`");
        assert!(expect.roots.iter().all(|code| codes.contains(&code.as_str())), "`{name}`: {:?}", expect.roots);
    }
}
