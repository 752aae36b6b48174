//! The one integration binary.
//!
//! - `catalogue`: every known fault of DNS has a world.
//! - `browsers`: fake roots with browsers of every kind and setting.
//! - `cli`: the built binary as a user calls it: help, exit status, bad input, pipes, output files.
//! - `conventions`: the house's own rules.
//! - `generated`: files made from the code are fresh.
//! - `hosts`: fake roots with agents as found on real machines, through `--root`.
//! - `netns`: whole machines in network namespaces, with real servers.
//! - `scenarios`: every world of `tests/scenarios` through the real probes.

mod catalogue;
mod browsers;
mod cli;
mod conventions;
mod generated;
mod hosts;
mod netns;
mod scenarios;
