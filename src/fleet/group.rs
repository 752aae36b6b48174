//! From causes of single machines to groups: what the same machines show is one.
//!
//! A fault of five zones on one server is found zone by zone, since not every machine asks all of them. Zones of one server
//! that are seen on the same machines, or on some of them, belong to one group; servers, proxies and issuers only where
//! exactly the same machines see them, for each of them has to be repaired by itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::cause::{Cause, causes};
use super::fact::names_things;
use super::kin::Kin;
use super::{Root, Source};
use crate::diagnose::finding::{Certainty, Owner, Severity};
use crate::diagnose::rules;

/// What is known of a cause beside the machines that have it now.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// The newest whole report that shows it.
    pub(super) newest: Option<(Timestamp, Uuid, Source)>,
}

/// What the facts of a group name: of each kind the values, with the machines that show them.
pub(super) type Named = BTreeMap<&'static str, Vec<(String, usize)>>;

/// A kind of fact, and its values.
type Values = (&'static str, BTreeSet<String>);

/// A group of machines with one cause.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) code: String,
    pub(super) named: Named,
    /// The kins of its machines, as places in the list of kins, in their order.
    pub(super) members: Vec<usize>,
    /// How many machines these are.
    pub(super) machines: usize,
    pub(super) severity: Severity,
    /// Likely as soon as it is on one machine.
    pub(super) certainty: Option<Certainty>,
    pub(super) owner: Option<Owner>,
    /// What it affects, with the machines on which it does.
    pub(super) affects: BTreeMap<&'static str, usize>,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// Digests had no room for what these machines share: they may belong to other groups of the code.
    pub(super) unnamed: bool,
    /// The causes that it stands for.
    pub(super) causes: BTreeSet<Cause>,
}

/// Kinds of things that are one group where some machines show a part of them only.
const IN_PARTS: [&str; 2] = ["zone", "suffix"];
/// Kinds of things that are one group where the same machines show them.
const TOGETHER: [&str; 8] = ["agent", "browser", "cloud", "issuer", "primary", "proxy", "server", "service"];
/// Values of one kind among which parts are looked for: more than there are zones.
const MOST_PARTS: usize = 200;

/// The groups, the worst and largest first.
pub(super) fn drafts(kins: &[Kin], spans: &BTreeMap<Cause, Span>) -> Vec<Draft> {
    let mut drafts = of_single_causes(kins, spans);
    for kind in IN_PARTS {
        drafts = joined(drafts, kind, true);
    }
    for kind in TOGETHER {
        drafts = joined(drafts, kind, false);
    }
    drafts.sort_by(|a, b| {
        let rank = |draft: &Draft| (std::cmp::Reverse(draft.severity), std::cmp::Reverse(draft.machines));
        (rank(a), &a.code, &a.named).cmp(&(rank(b), &b.code, &b.named))
    });
    drafts
}

fn of_single_causes(kins: &[Kin], spans: &BTreeMap<Cause, Span>) -> Vec<Draft> {
    let all = kins.iter().flat_map(|kin| kin.shared.roots.iter());
    let codes: BTreeSet<&str> = all.filter(|root| names_things(&root.args)).map(|root| root.code.as_str()).collect();
    // As a warning on one machine and an error on another it is two: each machine stands under what it has.
    let mut found: BTreeMap<(Cause, Severity), (Draft, BTreeMap<Owner, usize>)> = BTreeMap::new();
    for (place, kin) in kins.iter().enumerate() {
        for root in &*kin.shared.roots {
            for mut cause in causes(root, &kin.shared.place, kin.shared.names) {
                let span = spans.get(&cause);
                // Whether a code names anything shows in other reports.
                cause.unnamed &= !root.args.is_empty() || codes.contains(root.code.as_str());
                let (draft, owners) = found.entry((cause, root.severity)).or_insert_with_key(|(cause, severity)| {
                    (Draft { severity: *severity, ..empty(cause, span, kin.first) }, BTreeMap::new())
                });
                draft.certainty = draft.certainty.max(root.certainty);
                (draft.first, draft.last) = (draft.first.min(kin.first), draft.last.max(kin.last));
                // Two findings of one code may differ in what does not distinguish causes.
                if draft.members.last() == Some(&place) {
                    continue;
                }
                draft.members.push(place);
                draft.machines += kin.machines;
                root.affects.iter().for_each(|what| *draft.affects.entry(what).or_default() += kin.machines);
                if let Some(owner) = owner(root) {
                    *owners.entry(owner).or_default() += kin.machines;
                }
            }
        }
    }
    let whose = |owners: BTreeMap<Owner, usize>| {
        owners
            .into_iter()
            .max_by_key(|(owner, machines)| (*machines, std::cmp::Reverse(*owner)))
            .map(|(owner, _)| owner)
    };
    found.into_values().map(|(draft, owners)| Draft { owner: whose(owners), ..draft }).collect()
}

/// Whose work a fault is; `None` of a code of a later version where its report does not say it.
fn owner(root: &Root) -> Option<Owner> {
    root.owner.or_else(|| rules::of_code(&root.code).map(|rule| rule.owner))
}

fn empty(cause: &Cause, span: Option<&Span>, at: Timestamp) -> Draft {
    let mut named = Named::new();
    for fact in &cause.facts {
        named.entry(fact.name).or_default().push((fact.value.clone(), 0));
    }
    Draft {
        code: cause.code.clone(),
        named,
        members: Vec::new(),
        machines: 0,
        severity: Severity::Info,
        certainty: None,
        owner: None,
        affects: BTreeMap::new(),
        first: span.map_or(at, |span| span.first),
        last: span.map_or(at, |span| span.last),
        unnamed: cause.unnamed,
        causes: BTreeSet::from([cause.clone()]),
    }
}

/// Drafts that differ in one kind of thing alone, as one where the same machines show them, or a part of these.
fn joined(drafts: Vec<Draft>, kind: &'static str, in_parts: bool) -> Vec<Draft> {
    let mut alike: BTreeMap<(String, Severity, bool, Vec<Values>), Vec<Draft>> = BTreeMap::new();
    let mut all = Vec::new();
    for mut draft in drafts {
        let count = draft.machines;
        let Some(values) = draft.named.get_mut(kind) else {
            all.push(draft);
            continue;
        };
        for (_, machines) in values {
            *machines = count;
        }
        let rest = draft.values().filter(|(name, _)| *name != kind).collect();
        alike.entry((draft.code.clone(), draft.severity, draft.unnamed, rest)).or_default().push(draft);
    }
    for mut bucket in alike.into_values() {
        bucket.sort_by(|a, b| (b.machines, &a.named).cmp(&(a.machines, &b.named)));
        let parts = in_parts && bucket.len() <= MOST_PARTS;
        let mut kept: Vec<Draft> = Vec::new();
        let mut places: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for draft in bucket {
            let same = places.get(&draft.members).copied();
            let within = |whole: &Draft| is_part(&draft.members, &whole.members);
            let place = same.or_else(|| kept.iter().position(within).filter(|_| parts));
            if let Some(whole) = place.and_then(|place| kept.get_mut(place)) {
                whole.absorb(draft);
            } else {
                places.insert(draft.members.clone(), kept.len());
                kept.push(draft);
            }
        }
        all.extend(kept);
    }
    all
}

/// Whether each of these stands in the other list too; both are in order.
fn is_part(part: &[usize], whole: &[usize]) -> bool {
    let mut whole = whole.iter();
    part.len() <= whole.len() && part.iter().all(|wanted| whole.by_ref().find(|it| *it >= wanted) == Some(wanted))
}

impl Draft {
    fn absorb(&mut self, other: Self) {
        for (kind, theirs) in other.named {
            let values = self.named.entry(kind).or_default();
            for (value, machines) in theirs {
                match values.iter_mut().find(|(known, _)| *known == value) {
                    Some((_, known)) => *known = machines.max(*known),
                    None => values.push((value, machines)),
                }
            }
            values.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        }
        self.certainty = self.certainty.max(other.certainty);
        (self.first, self.last) = (self.first.min(other.first), self.last.max(other.last));
        for (what, machines) in other.affects {
            let known = self.affects.entry(what).or_default();
            *known = machines.max(*known);
        }
        self.causes.extend(other.causes);
    }

    /// What it names, however many machines show it.
    fn values(&self) -> impl Iterator<Item = Values> {
        let values = |values: &Vec<(String, usize)>| values.iter().map(|(value, _)| value.clone()).collect();
        self.named.iter().map(move |(name, all)| (*name, values(all)))
    }

    /// What tells it from other groups, in one line that is the same as long as the cause is.
    pub(super) fn key(&self) -> String {
        let facts = self.values().map(|(name, values)| {
            let values: Vec<String> = values.iter().map(|value| word(value)).collect();
            format!(" {name}={}", values.join(","))
        });
        let severity = match self.severity {
            Severity::Error => "",
            Severity::Warning => " (warning)",
            Severity::Info => " (info)",
        };
        let unnamed = if self.unnamed { " (not named)" } else { "" };
        format!("{}{}{severity}{unnamed}", word(&self.code), facts.collect::<String>())
    }
}

/// A value in one word: as a text of JSON where it holds what stands between values, so that no two causes read the same.
fn word(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '/');
    if !value.is_empty() && value.chars().all(plain) { value.to_owned() } else { json!(value).to_string() }
}

impl Span {
    pub(super) fn widen(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        if other.newest > self.newest {
            self.newest = other.newest;
        }
    }
}
