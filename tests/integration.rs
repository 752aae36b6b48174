//! The one integration binary.
//!
//! - `catalogue`: every known fault has a world, or a reason why none can show it.
//! - `cli`: the built binary as a user calls it: help, exit status, bad input, pipes, output files.
//! - `conventions`: the house's own rules.
//! - `generated`: files made from the code are fresh.
//! - `healthy`: every kind of healthy network has a world without findings.
//! - `netns`: whole machines in network namespaces, with real servers.
//! - `pairs`: every pair of independent faults gives both roots.
//! - `scenarios`: every world of `tests/scenarios` through the real probes.

mod catalogue;
mod cli;
mod conventions;
mod generated;
mod healthy;
mod netns;
mod pairs;
mod scenarios;
