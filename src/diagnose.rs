//! Runs every rule, then explains findings by their root causes.

pub mod facts;
pub mod finding;
