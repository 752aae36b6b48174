//! Worlds made by a machine: random networks from a grammar, what is truly wrong with them, and what the doctor says.
//!
//! A network is a description. `see` computes from it what every probe would see, without sockets; `oracle` computes from
//! it, never from observations, what is wrong. `diagnose` judges the observations, and `invariants` compares. A failing
//! world is shrunk and printed as the description that a world file can be made of.
//!
//! `MODEL_WORLDS` examines more or fewer of them, `.ci/nightly random_networks` a million; `MODEL_FAULTS=Bypass,Flaps` only
//! those with these faults, `MODEL_SIZE=2` only those with so many; `MODEL_SHOW` is how many failures are made small and shown.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::thread;

use ampls_probes::Observations;
use faults::{Fault, KINDS, Kind};
use invariants::{Mistake, World, describe, mistakes};
use network::Shape;
use random::Random;

mod alike;
mod changed;
mod compared;
mod faults;
mod invariants;
mod network;
mod oracle;
mod predicted;
mod random;
mod resolve;
mod see;
mod shrink;
mod sockets;

/// Worlds of one run of `cargo test`: every kind, every pair of kinds and some triples. More of each are for the night.
const WORLDS: usize = 20_000;
/// Worlds that every kind and every pair of kinds has at least.
const ENOUGH: usize = 20;
/// Networks with three faults whose judgement is kept.
const TRIPLES: usize = 60;
/// Draws of a network before faults are said to exclude each other.
const DRAWS: usize = 400;

/// What was counted for one set of kinds.
#[derive(Clone, Debug, Default)]
struct Count {
    worlds: usize,
    exact: usize,
    broken: usize,
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<Vec<Kind>, Count>,
    /// The first failing world of each set of kinds and sort of mistake.
    failures: BTreeMap<(Vec<Kind>, String), (usize, World, Mistake)>,
    impossible: Vec<Vec<Kind>>,
}

impl Tally {
    fn unite(&mut self, other: Self) {
        for (kinds, count) in other.counts {
            let own = self.counts.entry(kinds).or_default();
            own.worlds += count.worlds;
            own.exact += count.exact;
            own.broken += count.broken;
        }
        for (key, (times, world, mistake)) in other.failures {
            self.failures.entry(key).or_insert((0, world, mistake)).0 += times;
        }
        self.impossible.extend(other.impossible);
    }

    fn of_size(&self, size: usize) -> Count {
        let mut sum = Count::default();
        for count in self.counts.iter().filter(|(kinds, _)| kinds.len() == size).map(|(_, count)| count) {
            sum.worlds += count.worlds;
            sum.exact += count.exact;
            sum.broken += count.broken;
        }
        sum
    }
}

/// The sets of kinds to examine, each with its seed: healthy networks, single faults, every pair, triples. Those that
/// `MODEL_FAULTS` and `MODEL_SIZE` choose are the same worlds as in a run of all.
fn sets(worlds: usize) -> Vec<(usize, Vec<Kind>)> {
    let mut pairs = Vec::new();
    for (index, one) in KINDS.iter().enumerate() {
        pairs.extend(KINDS[index + 1..].iter().map(|other| vec![*one, *other]));
    }
    let mut sets: Vec<Vec<Kind>> = Vec::new();
    let mut random = Random::new(7);
    let each_pair = (worlds * 13 / 20 / pairs.len()).max(1);
    for pair in &pairs {
        sets.extend(std::iter::repeat_n(pair.clone(), each_pair));
    }
    let each = (worlds * 3 / 20 / KINDS.len()).max(1);
    for kind in KINDS {
        sets.extend(std::iter::repeat_n(vec![*kind], each));
    }
    sets.extend(std::iter::repeat_n(Vec::new(), worlds / 20));
    while sets.len() < worlds {
        let mut kinds = KINDS.to_vec();
        random.shuffle(&mut kinds);
        kinds.truncate(3);
        kinds.sort();
        sets.push(kinds);
    }
    let mut sets: Vec<(usize, Vec<Kind>)> = sets.into_iter().enumerate().collect();
    if let Ok(only) = env::var("MODEL_FAULTS") {
        let only: Vec<&str> = only.split(',').filter(|name| !name.is_empty()).collect();
        sets.retain(|(_, set)| {
            set.len() == only.len() && set.iter().all(|kind| only.contains(&format!("{kind:?}").as_str()))
        });
    }
    if let Ok(size) = env::var("MODEL_SIZE") {
        sets.retain(|(_, set)| set.len().to_string() == size);
    }
    sets
}

fn world(kinds: &[Kind], random: &mut Random) -> Option<World> {
    (0..DRAWS).find_map(|_| {
        let shape = Shape::random(random);
        let faults: Option<Vec<Fault>> = kinds.iter().map(|kind| Fault::random(*kind, &shape, random)).collect();
        faults.map(|faults| World { shape, faults })
    })
}

/// Networks of every kind of fault alone and of three at once, by name, and what is seen in them.
pub(crate) fn seen() -> Vec<(String, Observations)> {
    let of_size = |size: usize| sets(WORLDS).into_iter().filter(move |(_, kinds)| kinds.len() == size);
    let mut chosen: BTreeMap<Vec<Kind>, usize> = BTreeMap::new();
    for (seed, kinds) in of_size(1).chain(of_size(3).take(TRIPLES)) {
        chosen.entry(kinds).or_insert(seed);
    }
    let see = |(kinds, seed): (Vec<Kind>, usize)| {
        let world = world(&kinds, &mut Random::new(u64::try_from(seed).unwrap_or_default()))?;
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("{kind:?}")).collect();
        Some((format!("model {}", kinds.join(" ")), see::see(&world.network())))
    };
    chosen.into_iter().filter_map(see).collect()
}

fn examine(sets: &[(usize, Vec<Kind>)]) -> Tally {
    let mut tally = Tally::default();
    for (seed, kinds) in sets {
        let mut random = Random::new(u64::try_from(*seed).unwrap_or_default());
        let Some(world) = world(kinds, &mut random) else {
            tally.impossible.push(kinds.clone());
            continue;
        };
        let found = mistakes(&world, &mut random);
        let count = tally.counts.entry(kinds.clone()).or_default();
        count.worlds += 1;
        count.exact += usize::from(found.is_empty());
        count.broken += usize::from(found.iter().any(Mistake::is_invariant));
        for mistake in found {
            let sort = format!("{mistake:?}").split('(').next().unwrap_or_default().to_owned();
            tally.failures.entry((kinds.clone(), sort)).or_insert((0, world.clone(), mistake)).0 += 1;
        }
    }
    tally
}

fn examine_all(sets: Vec<(usize, Vec<Kind>)>) -> Tally {
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let mut shares: Vec<Vec<(usize, Vec<Kind>)>> = vec![Vec::new(); threads];
    for (place, set) in sets.into_iter().enumerate() {
        shares[place % threads].push(set);
    }
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let running: Vec<_> = shares.iter().map(|share| scope.spawn(|| examine(share))).collect();
        for thread in running {
            tally.unite(thread.join().expect("no world makes the doctor panic"));
        }
    });
    tally
}

#[test]
fn healthy_networks_of_every_shape_have_no_fault() {
    let mut tally = examine_all(vec![Vec::new(); 1_000].into_iter().enumerate().collect());
    assert!(too_bad(&tally).is_empty(), "{}", report(&mut tally));
}

#[test]
#[expect(clippy::print_stderr, reason = "the table is what the run is for")]
fn random_networks_are_diagnosed_exactly() {
    let worlds = env::var("MODEL_WORLDS").ok().and_then(|count| count.parse().ok()).unwrap_or(WORLDS);
    let mut tally = examine_all(sets(worlds));
    eprintln!("{}", report(&mut tally));
    let mut bad = too_bad(&tally);
    if worlds >= WORLDS {
        bad.extend(too_few(&tally));
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// The table, and the smallest world of each kind of failure.
fn report(tally: &mut Tally) -> String {
    let mut text = String::new();
    for size in 0..=3 {
        let count = tally.of_size(size);
        let _ = writeln!(
            text,
            "{size} faults: {} worlds, {} exact, {} break an invariant",
            count.worlds, count.exact, count.broken
        );
    }
    for kind in KINDS {
        let count = tally.counts.get(&vec![*kind]).cloned().unwrap_or_default();
        let _ = writeln!(text, "  {kind:?}: {} worlds, {} exact, {} broken", count.worlds, count.exact, count.broken);
    }
    tally.impossible.sort();
    tally.impossible.dedup();
    let _ = writeln!(text, "no room in a draw for: {:?}", tally.impossible);
    let mut failures: Vec<_> = tally.failures.iter().collect();
    failures.sort_by_key(|((kinds, sort), (times, _, mistake))| {
        (!mistake.is_invariant(), kinds.len(), std::cmp::Reverse(*times), kinds.clone(), sort.clone())
    });
    let shown = env::var("MODEL_SHOW").ok().and_then(|count| count.parse().ok()).unwrap_or(10);
    let mut known: Vec<World> = Vec::new();
    for ((kinds, sort), (times, world, mistake)) in failures.into_iter().take(shown) {
        let small = shrink::smallest(world, &|world| shrink::fails_alike(world, mistake));
        if known.contains(&small) {
            let _ = writeln!(text, "{kinds:?} {sort}, {times} worlds: as above");
            continue;
        }
        let found = mistakes(&small, &mut Random::new(0));
        let _ = writeln!(text, "{kinds:?} {sort}, {times} worlds\n{}", describe(&small));
        for mistake in found {
            let _ = writeln!(text, "    !! {mistake}");
        }
        known.push(small);
    }
    text
}

/// Sets of one kind and of two that were hardly seen. What no network has room for is seen never.
fn too_few(tally: &Tally) -> Vec<String> {
    let few = |(kinds, count): (&Vec<Kind>, &Count)| {
        let wanted = (1..=2).contains(&kinds.len()) && count.worlds < ENOUGH;
        wanted.then(|| format!("{kinds:?}: {} worlds", count.worlds))
    };
    // A rare shape may have failed to come up once for kinds that other draws gave often enough.
    let never = |kinds: &&Vec<Kind>| kinds.len() < 3 && !tally.counts.contains_key(*kinds);
    let impossible = tally.impossible.iter().filter(never).map(|kinds| format!("{kinds:?}: none"));
    tally.counts.iter().filter_map(few).chain(impossible).collect()
}

/// Which promises are not kept.
fn too_bad(tally: &Tally) -> Vec<String> {
    let mut bad = Vec::new();
    for size in 0..=3 {
        let count = tally.of_size(size);
        let wanted = [1_000, 1_000, 990, 970][size];
        if count.broken > 0 {
            bad.push(format!("{} worlds with {size} faults break an invariant", count.broken));
        }
        if count.exact * 1_000 < count.worlds * wanted {
            bad.push(format!("{size} faults: {} of {} worlds exact", count.exact, count.worlds));
        }
    }
    for (kinds, count) in tally.counts.iter().filter(|(kinds, count)| kinds.len() == 2 && count.worlds >= ENOUGH) {
        if count.exact * 100 < count.worlds * 95 {
            bad.push(format!("{kinds:?}: {} of {} worlds exact", count.exact, count.worlds));
        }
    }
    bad
}
