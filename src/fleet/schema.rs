//! The schemas of what `fleet` writes, made from the types that write it.

use serde_json::Value;

use super::{Picture, Row};
use crate::report::described;

/// The schema of the picture (2020-12).
pub fn schema() -> Value {
    described::<Picture>("urn:ampls-doctor:fleet:1", "Picture of many machines by ampls-doctor")
}

/// The schema of a row (2020-12).
pub fn row_schema() -> Value {
    described::<Row<'static>>("urn:ampls-doctor:fleet-row:1", "A machine and one of its causes, by ampls-doctor")
}
