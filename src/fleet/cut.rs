//! The machines cut by one dimension.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::counted::percent;
use super::group::Draft;
use super::kin::Kin;
use super::side::Side;
use super::title::title_of;
use super::{Common, Counted, State, UNKNOWN};
use crate::diagnose::finding::Severity;

/// Causes named of each slice.
const MOST: usize = 5;

/// What the machines are cut by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    /// The region.
    Region,
    /// The first subnet.
    Subnet,
    /// The subscription.
    Subscription,
    /// A DNS server that the machine uses.
    Server,
    /// A zone that a cause names.
    Zone,
    /// The code of a root.
    Code,
    /// An agent and its version.
    Agent,
}

impl Dimension {
    /// The word of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Subnet => "subnet",
            Self::Subscription => "subscription",
            Self::Server => "server",
            Self::Zone => "zone",
            Self::Code => "code",
            Self::Agent => "agent",
        }
    }
}

/// The machines, by one dimension.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Cut {
    /// Which.
    pub dimension: Dimension,
    /// Each value: most machines with an error first. A machine with several values stands in each.
    pub slices: Vec<Slice>,
}

/// The machines with one value.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Slice {
    /// The value; `unknown` where the reports do not say it.
    pub value: String,
    /// Machines.
    pub machines: usize,
    /// Of these, with an error.
    pub error: usize,
    /// With warnings only.
    pub warning: usize,
    /// The share of those with an error, in percent.
    pub error_percent: f64,
    /// The causes of most machines among them, by their titles.
    pub causes: Vec<Counted>,
}

pub(super) fn cut(dimension: Dimension, side: &Side) -> Cut {
    let mut slices: BTreeMap<String, Vec<(&Kin, &Common)>> = BTreeMap::new();
    for (kin, common) in side.all() {
        for value in values(dimension, common, &side.drafts) {
            slices.entry(value).or_default().push((kin, common));
        }
    }
    let mut slices: Vec<Slice> = slices.into_iter().map(|(value, kins)| slice(value, &kins, &side.drafts)).collect();
    slices.sort_by(|a, b| (b.error, b.machines, &a.value).cmp(&(a.error, a.machines, &b.value)));
    Cut { dimension, slices }
}

fn values(dimension: Dimension, common: &Common, drafts: &[Draft]) -> BTreeSet<String> {
    let one = |value: &Option<String>| BTreeSet::from([value.clone().unwrap_or_else(|| UNKNOWN.to_owned())]);
    let or_unknown = |values: &[String]| match values {
        [] => BTreeSet::from([UNKNOWN.to_owned()]),
        values => values.iter().cloned().collect(),
    };
    let own = || common.groups.iter().filter_map(|group| drafts.get(*group));
    let place = &common.shared.place;
    match dimension {
        Dimension::Region => one(&place.region),
        Dimension::Subnet => one(&place.subnet),
        Dimension::Subscription => one(&place.subscription),
        Dimension::Server => or_unknown(&common.shared.servers),
        Dimension::Agent => or_unknown(&common.agents),
        Dimension::Code => own().map(|draft| draft.code.clone()).collect(),
        Dimension::Zone => {
            own().filter_map(|draft| draft.named.get("zone")).flatten().map(|(zone, _)| zone.clone()).collect()
        }
    }
}

fn slice(value: String, kins: &[(&Kin, &Common)], drafts: &[Draft]) -> Slice {
    let machines: usize = kins.iter().map(|(kin, _)| kin.machines).sum();
    let count =
        |state| kins.iter().filter(|(_, common)| common.state == state).map(|(kin, _)| kin.machines).sum::<usize>();
    let mut causes: BTreeMap<usize, usize> = BTreeMap::new();
    for (kin, common) in kins {
        common.groups.iter().for_each(|group| *causes.entry(*group).or_default() += kin.machines);
    }
    let named = |(group, machines): (usize, usize)| {
        let draft = drafts.get(group).filter(|draft| draft.severity > Severity::Info)?;
        Some(Counted { value: format!("{} {}", draft.code, title_of(draft)), machines })
    };
    let mut causes: Vec<Counted> = causes.into_iter().filter_map(named).collect();
    causes.sort_by(|a, b| (b.machines, &a.value).cmp(&(a.machines, &b.value)));
    causes.truncate(MOST);
    let error = count(State::Error);
    Slice { value, machines, error, warning: count(State::Warning), error_percent: percent(error, machines), causes }
}
