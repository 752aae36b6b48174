//! What changed since an earlier picture: machines by what tells them apart, causes by what they are.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::group::Draft;
use super::side::Side;
use super::title::title_of;
use super::{Cause, Machine, MachineKey, State};
use crate::diagnose::finding::Severity;

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Since {
    /// Machines in the earlier picture.
    pub before: usize,
    /// Machines in both that are as they were.
    pub same: usize,
    /// Machines with fewer errors, or with as many and fewer warnings.
    pub better: Vec<Change>,
    /// Machines with more errors, or with as many and more warnings.
    pub worse: Vec<Change>,
    /// Machines of which there was no report.
    pub appeared: Vec<Change>,
    /// Machines without a report now.
    pub vanished: Vec<Change>,
    /// Causes of which the number of machines changed, the largest change first.
    pub causes: Vec<CauseChange>,
}

/// A machine that changed.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Change {
    /// Host name.
    pub host: String,
    /// Resource id.
    pub resource_id: Option<String>,
    /// How it was; null where it was not seen.
    pub before: Option<State>,
    /// How it is; null where it is not seen now.
    pub now: Option<State>,
}

/// A cause that more or fewer machines have.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct CauseChange {
    /// The code.
    pub code: String,
    /// The cause in a few words.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Machines that had it.
    pub before: usize,
    /// Machines that have it.
    pub now: usize,
}

pub(super) fn since(before: &Side, now: &Side) -> Since {
    fn by_key(side: &Side) -> BTreeMap<&MachineKey, &Machine> {
        side.machines.iter().map(|machine| (&machine.key, machine)).collect()
    }
    let (old, new) = (by_key(before), by_key(now));
    let mut since = Since { before: old.len(), ..Since::default() };
    for (key, machine) in &new {
        let Some(was) = old.get(key) else {
            since.appeared.push(change(machine, None, Some(machine.common.state)));
            continue;
        };
        let changed = change(machine, Some(was.common.state), Some(machine.common.state));
        match faults(machine).cmp(&faults(was)) {
            std::cmp::Ordering::Less => since.better.push(changed),
            std::cmp::Ordering::Greater => since.worse.push(changed),
            std::cmp::Ordering::Equal => since.same += 1,
        }
    }
    let gone = old.iter().filter(|(key, _)| !new.contains_key(*key));
    since.vanished.extend(gone.map(|(_, machine)| change(machine, Some(machine.common.state), None)));
    since.causes = causes(before, now);
    since
}

fn change(machine: &Machine, before: Option<State>, now: Option<State>) -> Change {
    let resource_id = machine.resource_id.as_deref().map(str::to_owned);
    Change { host: machine.name.to_string(), resource_id, before, now }
}

/// How it is, then errors and warnings: the more, the worse. Its own roots count: how they are grouped depends on other
/// machines.
fn faults(machine: &Machine) -> (State, usize, usize) {
    (machine.common.state, machine.common.errors, machine.common.warnings)
}

/// The group of each cause that is so bad.
type Places<'d> = BTreeMap<(Severity, &'d Cause), usize>;

fn places(drafts: &[Draft]) -> Places<'_> {
    let mut places = BTreeMap::new();
    for (place, draft) in drafts.iter().enumerate() {
        places.extend(draft.causes.iter().map(|cause| ((draft.severity, cause), place)));
    }
    places
}

/// Groups may be cut differently in both pictures; the causes that they stand for are the same.
fn causes(before: &Side, now: &Side) -> Vec<CauseChange> {
    let (old, new) = (places(&before.drafts), places(&now.drafts));
    let with = |side: &Side, places: &Places<'_>, draft: &Draft| {
        let theirs = draft.causes.iter().filter_map(|cause| places.get(&(draft.severity, cause)));
        let groups: BTreeSet<usize> = theirs.copied().collect();
        let members = groups.iter().filter_map(|place| side.drafts.get(*place)).flat_map(|draft| &draft.members);
        let kins: BTreeSet<usize> = members.copied().collect();
        kins.iter().filter_map(|place| side.kins.get(*place)).map(|kin| kin.machines).sum::<usize>()
    };
    let changed = |draft: &Draft, before: usize, now: usize| CauseChange {
        code: draft.code.clone(),
        title: title_of(draft),
        severity: draft.severity,
        before,
        now,
    };
    let mut all: Vec<CauseChange> =
        now.drafts.iter().map(|draft| changed(draft, with(before, &old, draft), draft.machines)).collect();
    let gone = before.drafts.iter().filter(|draft| with(now, &new, draft) == 0);
    all.extend(gone.map(|draft| changed(draft, draft.machines, 0)));
    all.retain(|change| change.before != change.now && change.severity > Severity::Info);
    all.sort_by(|a, b| {
        let size = |change: &CauseChange| change.before.abs_diff(change.now);
        (size(b), &a.code, &a.title).cmp(&(size(a), &b.code, &b.title))
    });
    all
}
