//! Everything that is known of one set of reports: groups, and the machines that stand in them.

use std::cmp::Ordering;
use std::sync::Arc;

use super::group::Draft;
use super::kin::Kin;
use super::{Common, Machine};

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

/// What each kin has in common, with the groups that it stands in.
pub(super) fn commons(kins: &[Kin], drafts: &[Draft]) -> Vec<Common> {
    let mut all: Vec<Common> = kins.iter().map(|kin| Common::new(&kin.shared)).collect();
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
