//! The one integration binary.
//!
//! - `catalogue`: every known fault of DNS has a world.
//! - `browsers`: fake roots with browsers of every kind and setting.
//! - `cli`: the built binary as a user calls it: help, exit status, bad input, pipes, output files.
//! - `conventions`: the house's own rules.
//! - `formats`: the faces of a report as the built binary writes them: digests, redaction, metrics, saved reports.
//! - `generated`: files made from the code are fresh.
//! - `hosts`: fake roots with agents as found on real machines, through `--root`.
//! - `netns`: whole machines in network namespaces, with real servers.
//! - `output`: disks that are full, folders that take nothing.
//! - `page`: the page in a browser.
//! - `scenarios`: every world of `tests/scenarios` through the real probes.

mod catalogue;
mod browsers;
mod cli;
mod conventions;
mod formats;
mod generated;
mod hosts;
mod netns;
mod output;
mod page;
mod scenarios;
