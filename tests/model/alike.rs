//! Faults that look alike: where two networks with different faults show the same, no finding may be proven.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::hash::Hasher;

use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::finding::Certainty;
use ampls_probes::testing::{API, HANDLER, ODS, ZONES};

use super::faults::{Fault, KINDS, Kind};
use super::invariants::{World, describe, fits, roots};
use super::network::{Agents, Egress, Network, Shape, Stub, Topology};
use super::oracle::claims;
use super::see::see;

/// Shapes that differ in what stands between the machine and the zones, and in what the public way does.
fn shapes() -> Vec<Shape> {
    let topologies = [
        Topology::Azure,
        Topology::Forwarders,
        Topology::SuffixForwarders,
        Topology::Hub,
        Topology::HubAndLinks,
        Topology::Premises,
    ];
    let mut shapes = Vec::new();
    for topology in topologies {
        for (more_servers, stub) in [(0, Stub::None), (1, Stub::None), (0, Stub::Resolved), (0, Stub::RoutingDomains)] {
            if topology == Topology::Azure && more_servers > 0 {
                continue;
            }
            for (expect_named, fallback, egress, agents) in
                [(false, false, Egress::Open, Agents::None), (true, true, Egress::Dropped, Agents::Ama)]
            {
                let plain = Shape::default();
                shapes.push(Shape { topology, more_servers, stub, expect_named, agents, egress, fallback, ..plain });
            }
        }
    }
    shapes
}

/// Single faults of name resolution in a shape, each change of the description once: what is wrong behind an address shows
/// itself there.
fn worlds(shape: &Shape) -> Vec<World> {
    let base = Network::new(shape);
    let mut worlds: BTreeMap<u64, World> = BTreeMap::new();
    let of_resolution = KINDS.iter().filter(|kind| **kind <= Kind::StubRejects);
    let by_name = [HANDLER, ODS, API].into_iter().flat_map(|name| [0, 1, 2, 3].map(|variant| (name, 0, variant)));
    let by_zone = (0..ZONES.len()).flat_map(|zone| [0, 9].map(|variant| (ODS, zone, variant)));
    let values: Vec<_> = by_name.chain(by_zone).collect();
    for kind in of_resolution {
        for (name, zone, variant) in values.iter().copied() {
            for server in 0..base.servers.len() {
                let fault = Fault { kind: *kind, name, zone, server, variant };
                if fault.is_possible(&base) {
                    let world = World { shape: shape.clone(), faults: vec![fault] };
                    worlds.entry(hash(&world.network())).or_insert(world);
                }
            }
        }
    }
    worlds.into_values().collect()
}

/// A hash of what is written, so that nothing long has to be kept.
struct Hashed(DefaultHasher);

impl Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

fn hash(value: &impl fmt::Debug) -> u64 {
    let mut hashed = Hashed(DefaultHasher::new());
    // It takes everything.
    let _ = write!(hashed, "{value:?}");
    hashed.0.finish()
}

#[test]
fn faults_that_look_alike_are_never_proven() {
    let mut by_look: BTreeMap<u64, Vec<World>> = BTreeMap::new();
    for shape in shapes() {
        for world in worlds(&shape) {
            by_look.entry(hash(&see(&world.network()))).or_default().push(world);
        }
    }
    let several = |worlds: &&Vec<World>| worlds.iter().any(|world| world.faults[0].kind != worlds[0].faults[0].kind);
    let alike: Vec<&Vec<World>> = by_look.values().filter(several).collect();
    assert!(alike.len() >= ALIKE, "only {} looks have several causes", alike.len());
    let mut wrong = Vec::new();
    for worlds in alike {
        for root in roots(&diagnose(&see(&worlds[0].network()))) {
            // A root that each of the causes entitles to in the same words is right whichever it is.
            let codes = |world: &World| -> BTreeSet<Vec<&'static str>> {
                let claims = claims(&world.base(), &world.faults);
                claims.into_iter().filter(|claim| fits(claim, root)).map(|claim| claim.codes).collect()
            };
            let first = codes(&worlds[0]);
            let other = worlds.iter().find(|world| first.is_empty() || codes(world) != first);
            if let Some(other) = other
                && root.certainty == Certainty::Proven
            {
                let one = describe(&worlds[0]);
                wrong.push(format!("{} is proven:\n{one}looks like\n{}", root.code, describe(other)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} looks:\n{}", wrong.len(), wrong.join("\n"));
}

/// Looks with several causes that there are at least, so that the test cannot pass by comparing nothing.
const ALIKE: usize = 10;
