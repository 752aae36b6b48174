//! Machines that have all in common but name, ids and time: they are counted and grouped together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::Shared;

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
