//! Many reports, one picture: which few causes break how many machines.
//!
//! A [`Sighting`] is what one report says of one machine, whatever form it came in. The [`Fleet`] folds sightings in any order:
//! it keeps the newest of each machine, so what it holds grows with machines and not with reports. The [`Picture`] groups
//! machines by what they share: a code and the server, zone, version … that its arguments name. Pure: no file is read here.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use cause::Cause;
pub use common::{Common, Machine};
pub use counted::Counted;
pub use cut::{Cut, Dimension, Slice};
pub use fact::Fact;
pub use fold::{Fleet, Whole};
pub use known_digests::KnownDigests;
pub use machine::{MachineKey, Names, Place};
pub use picture::{BrokenInput, Example, FactValues, Group, Inputs, Machines, Picture};
pub use reading::{Read, read};
pub use row::{Row, rows};
pub use schema::{row_schema, schema};
pub use shared::{AgentSeen, Form, Root, Shared};
pub use sighting::{FilePlace, Sighting, Source};
pub use since::{CauseChange, Change, Since};

mod advice;
mod cause;
mod common;
#[cfg(test)]
pub(crate) mod company;
mod counted;
mod cut;
mod examined;
mod fact;
mod fold;
mod group;
mod kin;
mod known_digests;
mod machine;
mod picture;
mod reading;
mod row;
mod schema;
mod shared;
mod side;
mod sighting;
mod since;
#[cfg(test)]
mod tests;
mod title;

/// The version of the picture and of its rows.
pub const SCHEMA: u32 = 1;

/// Characters kept of a value: as many as a digest keeps, so that a cause is the same in every form of a report.
const LONGEST: usize = 120;

/// Characters kept of a resource id, as in a digest.
const LONGEST_ID: usize = 400;

/// The word for what a report does not say.
const UNKNOWN: &str = "unknown";

/// How a machine is. Ordered from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, schemars::JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No root is worse than information.
    Ok,
    /// The worst root is a warning.
    Warning,
    /// A root is an error.
    Error,
    /// Its run could look at nothing.
    Unexamined,
}

impl State {
    /// The word of JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Unexamined => "unexamined",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
