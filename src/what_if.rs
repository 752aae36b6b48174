//! What a change would do, predicted from reports alone: each name's route before and after, on each machine.
//!
//! Nothing is guessed. A prediction follows from what a report holds: which zones a server sees, which names pass through
//! them, what another server answers. What reports cannot show (whether a server forwards a suffix, records of a zone that
//! nobody asked) is `unknown`, with the reason. Pure: no file is read and nothing is written here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ampls_probes::endpoint::Need;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnose::facts::Route;

pub use around::Around;
pub use change::{Change, TYPES};
pub use document::{Coverage, Machines, WhatIf, schema, unmet, what_if};
pub use like::Like;
pub use predict::predict;

mod around;
mod change;
mod document;
mod like;
mod predict;
mod servers;
mod state;
#[cfg(test)]
mod tests;
mod zones;

/// The version of the document.
pub const SCHEMA: u32 = 1;

/// What becomes of a name, or of a machine: the worst of its names. Ordered from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It leads where it led.
    Same,
    /// It resolves, or leads to the private link, and did not before.
    Improves,
    /// The reports do not show what becomes of it.
    Unknown,
    /// It does not resolve any more, leads past the private link, or is refused.
    Breaks,
}

/// What becomes of one name on one machine.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct NamePrediction {
    /// Full host name.
    pub fqdn: String,
    /// Whether monitoring works without it.
    pub need: Need,
    /// Where it leads now; null where the report does not show it.
    pub before: Option<Route>,
    /// Where it would lead; null where the reports do not show it.
    pub after: Option<Route>,
    /// Addresses that it would have, where they are known.
    pub addresses: Vec<IpAddr>,
    /// What becomes of it.
    pub fate: Fate,
    /// Why.
    pub why: String,
    /// The change that would save it; null where it does not break, or none is known.
    pub saved_by: Option<String>,
}

/// What becomes of one machine.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct MachinePrediction {
    /// Host name.
    pub host: String,
    /// Resource id.
    pub resource_id: Option<String>,
    /// When its run began.
    pub at: Timestamp,
    /// The worst that becomes of its required names; of all its names where none is required.
    pub fate: Fate,
    /// Its names that can be private, in the plan's order.
    pub names: Vec<NamePrediction>,
    /// What else follows.
    pub follows: Vec<String>,
    /// The changes, by their places, that are about something this report looks at.
    #[serde(skip)]
    pub meets: BTreeSet<usize>,
}
