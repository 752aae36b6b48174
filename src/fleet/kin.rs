//! Machines that have all in common but name, ids and time: they are counted and grouped together.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::group::Draft;
use super::{Machine, Shared, State};
use crate::diagnose::finding::Severity;

/// Machines with all this in common.
#[derive(Clone, Debug)]
pub(super) struct Kin {
    pub(super) shared: Arc<Shared>,
    /// How many there are.
    pub(super) machines: usize,
    /// When the first of their newest runs began, and the last.
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// All of them, in the order in which machines show them.
#[derive(Debug, Default)]
pub(super) struct Kins {
    pub(super) all: Vec<Kin>,
    /// Where a shared part stands that was seen before, by where it lies: as long as machines hold it, nothing else lies there.
    by_address: HashMap<*const Shared, usize>,
    by_content: BTreeMap<Arc<Shared>, usize>,
}

impl Kins {
    /// Counts a machine.
    pub(super) fn add(&mut self, shared: &Arc<Shared>, at: Timestamp) {
        let place = self.place(shared).unwrap_or_else(|| {
            let place = *self.by_content.entry(Arc::clone(shared)).or_insert(self.all.len());
            self.by_address.insert(Arc::as_ptr(shared), place);
            place
        });
        match self.all.get_mut(place) {
            Some(kin) => {
                kin.machines += 1;
                (kin.first, kin.last) = (kin.first.min(at), kin.last.max(at));
            }
            None => self.all.push(Kin { shared: Arc::clone(shared), machines: 1, first: at, last: at }),
        }
    }

    /// Where the kin of a machine stands that was counted.
    pub(super) fn place(&self, shared: &Arc<Shared>) -> Option<usize> {
        self.by_address.get(&Arc::as_ptr(shared)).copied()
    }
}

/// What a machine of the picture has in common with its kin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// What its report says of it.
    pub shared: Arc<Shared>,
    /// How it is.
    pub state: State,
    /// Its roots that are errors.
    pub errors: usize,
    /// Its roots that are warnings.
    pub warnings: usize,
    /// Its verdict says more than its findings: some of them are missing.
    pub incomplete: bool,
    /// Its digest does not name all that a cause is about.
    pub unnamed: bool,
    /// Its name and addresses are pseudonyms.
    pub redacted: bool,
    /// Its agents, as `kind version`.
    pub agents: Vec<String>,
    /// Its causes, as places in the list of all groups.
    pub groups: Vec<usize>,
}

/// What each kin has in common, with the groups that it stands in.
pub(super) fn commons(kins: &[Kin], drafts: &[Draft]) -> Vec<Common> {
    let mut all: Vec<Common> = kins.iter().map(|kin| common(&kin.shared)).collect();
    for (place, draft) in drafts.iter().enumerate() {
        for member in &draft.members {
            if let Some(common) = all.get_mut(*member) {
                common.groups.push(place);
                common.unnamed |= draft.unnamed;
            }
        }
    }
    all
}

fn common(shared: &Arc<Shared>) -> Common {
    let agent = |agent: &super::AgentSeen| match &agent.version {
        Some(version) => format!("{} {version}", agent.kind),
        None => agent.kind.clone(),
    };
    Common {
        state: shared.state(),
        errors: shared.count(Severity::Error),
        warnings: shared.count(Severity::Warning),
        incomplete: shared.is_incomplete(),
        unnamed: false,
        redacted: shared.names.are_pseudonyms(),
        agents: shared.agents.iter().map(agent).collect(),
        groups: Vec::new(),
        shared: Arc::clone(shared),
    }
}

/// Everything that is known of one set of reports.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) drafts: Vec<Draft>,
    /// The machines, by what tells them apart.
    pub(super) machines: Vec<Machine>,
    pub(super) kins: Vec<Kin>,
    /// What each kin has in common.
    pub(super) commons: Vec<Arc<Common>>,
    /// Of each kin the machines that were seen last, as places in the list of machines.
    pub(super) newest: Vec<Vec<usize>>,
}

impl Side {
    /// The kins of a group, each with what it has in common.
    pub(super) fn members(&self, draft: &Draft) -> impl Iterator<Item = (&Kin, &Common)> {
        let of = |place: &usize| Some((self.kins.get(*place)?, &**self.commons.get(*place)?));
        draft.members.iter().filter_map(of)
    }

    /// All kins.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Kin, &Common)> {
        self.kins.iter().zip(self.commons.iter().map(|common| &**common))
    }

    /// Some machines of a group: those that were seen last.
    pub(super) fn examples(&self, draft: &Draft) -> Vec<&Machine> {
        let places = draft.members.iter().filter_map(|place| self.newest.get(*place)).flatten();
        let mut all: Vec<&Machine> = places.filter_map(|place| self.machines.get(*place)).collect();
        all.sort_by(|a, b| in_order(a, b));
        all.truncate(EXAMPLES);
        all
    }
}

/// Examples of machines in a group.
const EXAMPLES: usize = 3;

/// The machines of each kin that were seen last; `kin` holds the kin of each machine.
pub(super) fn newest_of_each(machines: &[Machine], kin: &[usize], kins: usize) -> Vec<Vec<usize>> {
    let mut newest = vec![Vec::with_capacity(EXAMPLES + 1); kins];
    for (place, (machine, kin)) in machines.iter().zip(kin).enumerate() {
        let Some(of) = newest.get_mut(*kin) else { continue };
        let before = |other: &usize| machines.get(*other).is_some_and(|other| in_order(other, machine).is_lt());
        of.insert(of.partition_point(before), place);
        of.truncate(EXAMPLES);
    }
    newest
}

/// The one that was seen later comes first.
fn in_order(a: &Machine, b: &Machine) -> Ordering {
    (b.at, &a.name, &a.key).cmp(&(a.at, &b.name, &b.key))
}
