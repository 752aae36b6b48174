//! The one integration binary.
//!
//! - `browsers`: fake roots with browsers of every kind and setting.
//! - `catalogue`: every known fault has a world, or a reason why none can show it.
//! - `cli`: the built binary as a user calls it: help, exit status, bad input, pipes, output files.
//! - `conventions`: the house's own rules.
//! - `generated`: files made from the code are fresh.
//! - `healthy`: every kind of healthy network has a world without findings.
//! - `hosts`: fake roots with agents as found on real machines, through `--root`.
//! - `netns`: whole machines in network namespaces, with real servers.
//! - `pairs`: every pair of independent faults gives both roots.
//! - `scenarios`: every world of `tests/scenarios` through the real probes.

mod browsers;
mod catalogue;
mod cli;
mod conventions;
mod generated;
mod healthy;
mod hosts;
mod netns;
mod pairs;
mod scenarios;
