//! The fold: sightings in any order, the newest of each machine kept.

use std::collections::{BTreeMap, BTreeSet};

use super::cause::{Cause, causes};
use super::group::{Draft, Span, drafts};
use super::picture::{BrokenInput, Inputs, Picture};
use super::{Dimension, Form, Machine, MachineKey, Sighting, Source, cut, picture, since};
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
    pub fn add(&mut self, sighting: Sighting) {
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
        let (drafts, machines) = self.grouped();
        let earlier = earlier.map(|earlier| earlier.grouped());
        let groups = picture::groups(&drafts, &machines);
        let newest = drafts.iter().map(|draft| self.newest(draft)).collect();
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

    fn grouped(&self) -> (Vec<Draft>, Vec<Machine>) {
        let sightings: Vec<&Sighting> = self.machines.values().collect();
        let drafts = drafts(&sightings, &self.spans);
        let mut machines: Vec<Machine> = sightings.iter().map(|sighting| machine(sighting)).collect();
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

    fn newest(&self, draft: &Draft) -> Option<Source> {
        let spans = draft.causes.iter().filter_map(|cause| self.spans.get(cause));
        spans.filter_map(|span| span.newest.as_ref()).max().map(|(.., source)| source.clone())
    }
}

fn machine(sighting: &Sighting) -> Machine {
    let agent = |agent: &super::AgentSeen| {
        agent.version.as_ref().map_or_else(|| agent.kind.clone(), |version| format!("{} {version}", agent.kind))
    };
    Machine {
        key: sighting.key.clone(),
        name: sighting.name.clone(),
        resource_id: sighting.resource_id.clone(),
        cloud: sighting.cloud.clone(),
        place: sighting.place.clone(),
        state: sighting.state(),
        errors: sighting.count(Severity::Error),
        warnings: sighting.count(Severity::Warning),
        incomplete: sighting.is_incomplete(),
        unnamed: false,
        route: sighting.route.clone(),
        at: sighting.at,
        run: sighting.run,
        version: sighting.version.clone(),
        redacted: sighting.names.are_pseudonyms(),
        servers: sighting.servers.clone(),
        agents: sighting.agents.iter().map(agent).collect(),
        groups: Vec::new(),
    }
}
