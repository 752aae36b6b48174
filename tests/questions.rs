//! How many questions DNS servers get from a run: counted by the servers themselves, lookups of the operating system included.
//!
//! Thousands of machines may share a server. Before questions were asked again only where an answer leaves something open, a run
//! sent [`BEFORE`].

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;

use ampls_probes::observation::{Observation, Transport};
use ampls_probes::plan::{Discovered, MetadataState, plan};
use ampls_probes::world::AZURE_DNS;
use ampls_probes::{Catalogue, Observations};
use ampls_world::Scenario;

use crate::scenarios::options;

/// One server gets no more than this at once.
const AT_ONCE: u64 = 40;

/// Names that are looked at, custom servers beside Azure's own, and what all servers together were asked before.
const BEFORE: [(usize, usize, u64); 4] = [(12, 0, 87), (12, 2, 213), (42, 1, 462), (42, 2, 651)];

const CUSTOM: [&str; 2] = ["10.1.0.4", "10.1.0.5"];

struct Counted {
    observations: Observations,
    /// What each server was asked, and how often at once.
    asked: Vec<(SocketAddr, u64, u64)>,
    /// What the plan said: in any case with lookups, and at most.
    planned: Vec<(SocketAddr, u64, u64)>,
}

fn count(text: &str) -> Counted {
    let scenario = Scenario::parse("counted", text).expect("a world");
    let options = options(&scenario).expect("options");
    let running = ampls_world::start(&scenario).expect("sockets");
    let catalogue = Catalogue::builtin().expect("the catalogue");
    let observations =
        ampls_probes::run::run(running.world.clone(), options.clone(), &catalogue, &|_| {}).expect("a run");
    let resolver = observations.seen.iter().find_map(|seen| match seen {
        Observation::Resolver(resolver) => Some(resolver.clone()),
        _ => None,
    });
    let discovered = Discovered { resolver, metadata: MetadataState::Silent, ..Discovered::default() };
    let load = plan(&catalogue, &options, &discovered).load;
    let number = |count: usize| u64::try_from(count).expect("a count");
    let planned = load.iter().map(|load| {
        let lookups = number(load.lookups);
        (load.server, number(load.questions) + lookups, number(load.at_most) + 2 * lookups)
    });
    let of = |load: &ampls_probes::plan::Load| {
        let asked = running.asked(Transport::Udp, load.server) + running.asked(Transport::Tcp, load.server);
        (load.server, asked, running.most_at_once(load.server))
    };
    Counted { asked: load.iter().map(of).collect(), planned: planned.collect(), observations }
}

fn world(names: usize, custom: usize, more: &str) -> String {
    let arguments = match names {
        12 => "",
        _ => ", \"--set\", \"agent,query,app-insights,portal,arc\", \"--endpoint\", \"api.monitor.azure.com\"",
    };
    let mut text = format!(
        "title = \"t\"\nstory = \"s\"\ndces = [\"prod-ab12.westeurope-1\"]\nlatency-ms = 20\narguments = [\"--region\", \"westeurope\"{arguments}]\n{more}\n"
    );
    for address in CUSTOM.iter().take(custom) {
        let _ = writeln!(text, "[[server]]\naddress = \"{address}\"");
    }
    text
}

#[test]
fn a_healthy_network_is_asked_half_as_much_as_before_and_never_too_much_at_once() {
    let mut table = String::new();
    for (names, custom, before) in BEFORE {
        for (kind, more) in [("private", ""), ("public", "[vnet]\nlinked = []\n")] {
            let counted = count(&world(names, custom, more));
            let fqdns: BTreeSet<&str> = counted.observations.endpoints.iter().map(|one| one.fqdn.as_str()).collect();
            let all: u64 = counted.asked.iter().map(|(_, asked, _)| asked).sum();
            // Where there are more or fewer names than the row says, what was asked before is counted for those.
            let before = before * u64::try_from(fqdns.len()).expect("a count") / u64::try_from(names).expect("a count");
            let _ = writeln!(
                table,
                "{kind} {} names, {custom} custom: {before} before, {all} now {:?}",
                fqdns.len(),
                counted.asked
            );
            assert!(all * 2 <= before, "{table}");
            for ((server, asked, most), (_, planned, at_most)) in counted.asked.iter().zip(&counted.planned) {
                assert!(asked <= at_most, "{server}: {asked}, planned at most {at_most}; {table}");
                assert!(asked >= planned || *server == AZURE_DNS, "{server}: {asked}, planned {planned}; {table}");
                assert!(*most <= AT_ONCE, "{server}: {most} at once; {table}");
            }
        }
    }
    assert!(table.lines().count() == 2 * BEFORE.len(), "{table}");
    // Not `println!`: the test harness would hide it.
    std::io::stdout().write_all(table.as_bytes()).expect("standard output");
}
