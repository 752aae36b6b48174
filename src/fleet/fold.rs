//! The fold: sightings in any order, the newest of each machine kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cause::{Cause, causes};
use super::group::{Draft, Span, drafts};
use super::picture::{BrokenInput, Inputs, Picture};
use super::{Dimension, Form, Machine, MachineKey, Root, Sighting, Source, cut, picture, since};
use crate::diagnose::finding::Severity;
use crate::text::escape;

/// Broken inputs that are named; all of them are counted.
const MOST_BROKEN: usize = 100;
/// Characters kept of the name of an input and of what is wrong with it.
const LONGEST_REASON: usize = 300;

/// Machines, as the newest report of each shows them.
#[derive(Debug, Default)]
pub struct Fleet {
    machines: BTreeMap<MachineKey, Sighting>,
    spans: BTreeMap<Cause, Span>,
    /// Each list of root causes once, however many machines have it.
    roots: BTreeSet<Arc<Vec<Root>>>,
    reports: u64,
    digests: u64,
    rows: u64,
    broken: u64,
    named: BTreeSet<BrokenInput>,
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
    pub fn add(&mut self, mut sighting: Sighting) {
        match self.roots.get(&sighting.roots) {
            Some(known) => sighting.roots = Arc::clone(known),
            None => _ = self.roots.insert(Arc::clone(&sighting.roots)),
        }
        match sighting.form {
            Form::Report => self.reports += 1,
            Form::Digest => self.digests += 1,
            Form::Rows => self.rows += 1,
        }
        for cause in sighting.roots.iter().flat_map(|root| causes(root, &sighting.place, sighting.names)) {
            let newest = sighting.source.clone().map(|source| (sighting.at, sighting.run, source));
            let seen = Span { first: sighting.at, last: sighting.at, newest };
            self.spans.entry(cause).and_modify(|span| span.widen(&seen)).or_insert(seen);
        }
        match self.machines.get_mut(&sighting.key) {
            Some(known) if known.is_rows_of_the_same_run(&sighting) => known.unite(sighting),
            Some(known) if *known < sighting => *known = sighting,
            Some(_) => {}
            None => _ = self.machines.insert(sighting.key.clone(), sighting),
        }
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
        self.machines.is_empty()
    }

    /// Broken inputs, and the first of them.
    pub fn broken(&self) -> (u64, Option<&BrokenInput>) {
        (self.broken, self.named.first())
    }

    /// The picture, cut by a dimension and compared with an earlier one where that is wanted.
    pub fn whole(self, version: &str, by: Option<Dimension>, earlier: Option<Self>) -> Whole {
        let (drafts, machines) = grouped(self.machines, &self.spans);
        let earlier = earlier.map(|earlier| grouped(earlier.machines, &earlier.spans));
        let groups = picture::groups(&drafts, &machines);
        let newest = drafts.iter().map(|draft| newest(draft, &self.spans)).collect();
        let inputs = Inputs {
            reports: self.reports,
            digests: self.digests,
            rows: self.rows,
            broken: self.broken,
            broken_named: self.named.into_iter().collect(),
        };
        let picture = Picture {
            by: by.map(|by| cut::cut(by, &machines, &drafts)),
            since: earlier.map(|(old, before)| since::since((&old, &before), (&drafts, &machines))),
            ..picture::picture(version, inputs, &machines, groups)
        };
        Whole { picture, machines, newest }
    }
}

/// The groups, and the machines that stand in them: each takes over what its report says.
fn grouped(sightings: BTreeMap<MachineKey, Sighting>, spans: &BTreeMap<Cause, Span>) -> (Vec<Draft>, Vec<Machine>) {
    let drafts = drafts(&sightings.values().collect::<Vec<_>>(), spans);
    let mut machines: Vec<Machine> = sightings.into_values().map(machine).collect();
    for (place, draft) in drafts.iter().enumerate() {
        for member in &draft.members {
            if let Some(machine) = machines.get_mut(*member) {
                machine.groups.push(place);
                machine.unnamed |= draft.unnamed;
            }
        }
    }
    (drafts, machines)
}

fn newest(draft: &Draft, spans: &BTreeMap<Cause, Span>) -> Option<Source> {
    let spans = draft.causes.iter().filter_map(|cause| spans.get(cause));
    spans.filter_map(|span| span.newest.as_ref()).max().map(|(.., source)| source.clone())
}

fn machine(sighting: Sighting) -> Machine {
    let agent = |agent: super::AgentSeen| match agent.version {
        Some(version) => format!("{} {version}", agent.kind),
        None => agent.kind,
    };
    Machine {
        state: sighting.state(),
        errors: sighting.count(Severity::Error),
        warnings: sighting.count(Severity::Warning),
        incomplete: sighting.is_incomplete(),
        unnamed: false,
        key: sighting.key,
        name: sighting.name,
        resource_id: sighting.resource_id,
        cloud: sighting.cloud,
        place: sighting.place,
        route: sighting.route,
        at: sighting.at,
        run: sighting.run,
        version: sighting.version,
        redacted: sighting.names.are_pseudonyms(),
        servers: sighting.servers,
        agents: sighting.agents.into_iter().map(agent).collect(),
        groups: Vec::new(),
    }
}
