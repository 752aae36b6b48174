//! Values, and how many machines have them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::UNKNOWN;

/// A value, and the machines that have it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Counted {
    /// The value; `unknown` where the reports do not say it.
    pub value: String,
    /// Machines.
    pub machines: usize,
}

/// A share in percent, with one decimal.
pub(super) fn percent(part: usize, whole: usize) -> f64 {
    let tenths = (part * 1_000 + whole / 2) / whole.max(1);
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

/// How many machines have each value, the most common first.
pub(super) fn counted<'v>(values: impl Iterator<Item = (Option<&'v String>, usize)>) -> Vec<Counted> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (value, machines) in values {
        *counts.entry(value.map_or(UNKNOWN, String::as_str)).or_default() += machines;
    }
    by_machines(counts.into_iter().map(|(value, machines)| (value.to_owned(), machines)).collect())
}

pub(super) fn by_machines(counts: BTreeMap<String, usize>) -> Vec<Counted> {
    let mut all: Vec<Counted> = counts.into_iter().map(|(value, machines)| Counted { value, machines }).collect();
    all.sort_by(|a, b| (b.machines, &a.value).cmp(&(a.machines, &b.value)));
    all
}
