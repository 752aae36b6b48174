//! The fold: sightings in any order, the newest of each machine kept.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::cause::{Cause, causes};
use super::group::{Draft, Span, drafts};
use super::kin::Kins;
use super::picture::{BrokenInput, Inputs, Picture};
use super::side::{Side, commons, newest_of_each};
use super::{Common, Dimension, Form, Machine, MachineKey, Root, Shared, Sighting, Source, cut, picture, since};
use crate::text::escape;

/// Broken inputs that are named; all of them are counted.
const MOST_BROKEN: usize = 100;
/// Characters kept of the name of an input and of what is wrong with it.
const LONGEST_REASON: usize = 300;

/// Machines, as the newest report of each shows them.
#[derive(Debug, Default)]
pub struct Fleet {
    machines: Machines,
    known: Known,
    reports: u64,
    digests: u64,
    rows: u64,
    broken: u64,
    named: BTreeSet<BrokenInput>,
}

/// The newest sighting of each machine. They stand in a list of their own: the nodes of a tree are half empty.
#[derive(Debug, Default)]
struct Machines {
    places: BTreeMap<MachineKey, u32>,
    seen: Vec<Seen>,
}

/// What is kept of a machine: of a hundred thousand each byte counts.
#[derive(Debug)]
struct Seen {
    at: Timestamp,
    run: Uuid,
    name: Box<str>,
    resource_id: Option<Box<str>>,
    shared: Arc<Shared>,
    source: Option<Box<Source>>,
}

/// What machines have in common, each once however many machines have it, and when it was seen in any report.
#[derive(Debug, Default)]
struct Known {
    all: Vec<(Arc<Shared>, Span)>,
    /// Where each of them stands, by where it lies: nothing of it is ever let go.
    by_address: HashMap<*const Shared, usize>,
    by_content: BTreeMap<Arc<Shared>, usize>,
    /// Each list of root causes once.
    roots: BTreeSet<Arc<Vec<Root>>>,
}

/// Everything that is written: the picture, and each machine of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// The picture.
    pub picture: Picture,
    /// The machines, by what tells them apart.
    pub machines: Vec<Machine>,
    /// For each group the newest whole report that shows it.
    pub newest: Vec<Option<Source>>,
}

impl Fleet {
    /// Takes in what one report says.
    pub fn add(&mut self, sighting: Sighting) {
        match sighting.shared.form {
            Form::Report => self.reports += 1,
            Form::Digest => self.digests += 1,
            Form::Rows => self.rows += 1,
        }
        let Sighting { at, run, key, name, resource_id, shared, source } = sighting;
        let newest = source.clone().map(|source| (at, run, source));
        let shared = self.known.seen(shared, Span { first: at, last: at, newest });
        self.machines.add(key, Seen { at, run, name, resource_id, shared, source: source.map(Box::new) });
    }

    /// Counts an input that cannot be read; the first ones by name are named.
    pub fn add_broken(&mut self, input: &str, why: &str) {
        self.broken += 1;
        self.named.insert(BrokenInput { input: escape(input, LONGEST_REASON), why: escape(why, LONGEST_REASON) });
        if self.named.len() > MOST_BROKEN {
            self.named.pop_last();
        }
    }

    /// Whether no machine was seen.
    pub fn is_empty(&self) -> bool {
        self.machines.seen.is_empty()
    }

    /// Broken inputs, and the first of them.
    pub fn broken(&self) -> (u64, Option<&BrokenInput>) {
        (self.broken, self.named.first())
    }

    /// The picture, cut by a dimension and compared with an earlier one where that is wanted.
    pub fn whole(self, version: &str, by: Option<Dimension>, earlier: Option<Self>) -> Whole {
        let inputs = Inputs {
            reports: self.reports,
            digests: self.digests,
            rows: self.rows,
            broken: self.broken,
            broken_named: self.named.into_iter().collect(),
        };
        let spans = self.known.spans();
        let side = grouped(self.machines, &spans);
        let earlier = earlier.map(|earlier| grouped(earlier.machines, &earlier.known.spans()));
        let picture = Picture {
            by: by.map(|by| cut::cut(by, &side)),
            since: earlier.map(|earlier| since::since(&earlier, &side)),
            ..picture::picture(version, inputs, &side)
        };
        let newest = side.drafts.iter().map(|draft| newest(draft, &spans)).collect();
        Whole { picture, machines: side.machines, newest }
    }
}

impl Machines {
    fn add(&mut self, key: MachineKey, seen: Seen) {
        match self.places.entry(key) {
            Entry::Occupied(place) => {
                let known = usize::try_from(*place.get()).ok().and_then(|place| self.seen.get_mut(place));
                match known {
                    Some(known) if known.is_rows_of_the_same_run(&seen) => known.unite(seen),
                    Some(known) if known.rank() < seen.rank() => *known = seen,
                    _ => {}
                }
            }
            // Four billions of machines do not fit into memory.
            Entry::Vacant(place) => {
                if let Ok(last) = u32::try_from(self.seen.len()) {
                    place.insert(last);
                    self.seen.push(seen);
                }
            }
        }
    }

    /// Each of them, by what tells them apart; what is kept of one is given away as it comes.
    fn into_order(self) -> impl Iterator<Item = (MachineKey, Seen)> {
        let mut seen: Vec<Option<Seen>> = self.seen.into_iter().map(Some).collect();
        let mut of = move |place: u32| seen.get_mut(usize::try_from(place).ok()?)?.take();
        self.places.into_iter().filter_map(move |(key, place)| Some((key, of(place)?)))
    }
}

impl Seen {
    /// Of two sightings of a machine the one that ranks higher counts.
    fn rank(&self) -> impl Ord {
        let shared = &self.shared;
        (self.at, self.run, shared.form, &shared.version, &self.name, &self.resource_id, shared, &self.source)
    }

    /// Whether both are rows of one run.
    fn is_rows_of_the_same_run(&self, other: &Self) -> bool {
        (self.at, self.run, self.shared.form) == (other.at, other.run, Form::Rows) && other.shared.form == Form::Rows
    }

    /// Takes in what another row of the same run says.
    fn unite(&mut self, other: Self) {
        self.name = std::mem::take(&mut self.name).max(other.name);
        self.resource_id = self.resource_id.take().max(other.resource_id);
        Arc::make_mut(&mut self.shared).unite(&other.shared);
    }
}

impl Known {
    /// Takes in when something was seen; gives what is kept of it.
    fn seen(&mut self, mut shared: Arc<Shared>, span: Span) -> Arc<Shared> {
        let by_address = self.by_address.get(&Arc::as_ptr(&shared));
        let place = by_address.or_else(|| self.by_content.get(&shared)).copied();
        if let Some((known, all)) = place.and_then(|place| self.all.get_mut(place)) {
            all.widen(span);
            return Arc::clone(known);
        }
        match self.roots.get(&shared.roots) {
            Some(roots) if Arc::ptr_eq(roots, &shared.roots) => {}
            Some(roots) => Arc::make_mut(&mut shared).roots = Arc::clone(roots),
            None => _ = self.roots.insert(Arc::clone(&shared.roots)),
        }
        self.by_address.insert(Arc::as_ptr(&shared), self.all.len());
        self.by_content.insert(Arc::clone(&shared), self.all.len());
        self.all.push((Arc::clone(&shared), span));
        shared
    }

    /// When each cause was seen.
    fn spans(&self) -> BTreeMap<Cause, Span> {
        let mut spans: BTreeMap<Cause, Span> = BTreeMap::new();
        for (shared, span) in &self.all {
            for cause in shared.roots.iter().flat_map(|root| causes(root, &shared.place, shared.names)) {
                spans.entry(cause).and_modify(|known| known.widen(span.clone())).or_insert_with(|| span.clone());
            }
        }
        spans
    }
}

/// The groups, and the machines that stand in them: each takes over what its report says.
fn grouped(seen: Machines, spans: &BTreeMap<Cause, Span>) -> Side {
    let mut kins = Kins::default();
    let count = seen.seen.len();
    // In their order by what tells them apart, so that no order of inputs shows.
    for place in seen.places.values().filter_map(|place| usize::try_from(*place).ok()) {
        seen.seen.get(place).into_iter().for_each(|seen| kins.add(&seen.shared, seen.at));
    }
    let drafts = drafts(&kins.all, spans);
    let all: Vec<Arc<Common>> = commons(&kins.all, &drafts).into_iter().map(Arc::new).collect();
    let mut machines = Vec::with_capacity(count);
    let mut kin = Vec::with_capacity(count);
    for (key, seen) in seen.into_order() {
        let place = kins.place(&seen.shared);
        let Some((place, common)) = place.and_then(|place| Some((place, all.get(place)?))) else { continue };
        let Seen { at, run, name, resource_id, .. } = seen;
        machines.push(Machine { key, name, resource_id, at, run, common: Arc::clone(common) });
        kin.push(place);
    }
    Side { drafts, commons: all, newest: newest_of_each(&machines, &kin, kins.all.len()), machines, kins: kins.all }
}

fn newest(draft: &Draft, spans: &BTreeMap<Cause, Span>) -> Option<Source> {
    let spans = draft.causes.iter().filter_map(|cause| spans.get(cause));
    spans.filter_map(|span| span.newest.as_ref()).max().map(|(.., source)| source.clone())
}
