//! The one integration binary.
//!
//! - `catalogue`: every known fault of DNS has a world.
//! - `cli`: the built binary as a user calls it: help, exit status, bad input, pipes, output files.
//! - `conventions`: the house's own rules.
//! - `generated`: files made from the code are fresh.
//! - `netns`: whole machines in network namespaces, with real servers.
//! - `pairs`: every pair of independent faults gives both roots.
//! - `scenarios`: every world of `tests/scenarios` through the real probes.

mod catalogue;
mod cli;
mod conventions;
mod generated;
mod netns;
mod pairs;
mod scenarios;
