//! One command a file: what it reads, what it asks the rest of the crate, and what it writes.

use std::io::{self, Write};

use ampls_probes::Catalogue;

use super::exit::Failure;
use super::output::Output;

pub(super) mod check;
pub(super) mod compare;
#[cfg(feature = "demo")]
pub(super) mod demo;
pub(super) mod explain;
pub(super) mod fleet;
pub(super) mod judge;
pub(super) mod manual;
pub(super) mod plan;
pub(super) mod redact;
pub(super) mod what_if;

/// Writes to standard output; fails when it cannot be written.
pub(super) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<u8, Failure> {
    Output::Stdout.write(write)?;
    Ok(0)
}

fn catalogue() -> Result<Catalogue, Failure> {
    Catalogue::builtin().map_err(|error| Failure::Impossible(error.to_string()))
}
