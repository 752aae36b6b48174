//! Input files, read within bounds.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use ampls_probes::endpoint::ExpectedRecord;

use crate::expected;
use crate::facts_file::{self, Holdings};
use crate::render::page::inert;
use crate::text::quote;

/// What is wrong with an input file, and what is wanted, in one line.
#[derive(Debug)]
pub(super) struct InputError {
    file: String,
    what: String,
}

impl InputError {
    /// What is wrong with the file at this path.
    pub(super) fn new(path: &Path, what: impl Into<String>) -> Self {
        Self { file: shown(path), what: what.into() }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.file, self.what)
    }
}

impl std::error::Error for InputError {}

/// Whether a path means standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn shown(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { quote(&path.to_string_lossy()) }
}

/// Reads a file, or standard input where the path is `-`; more than `most` MiB are refused.
pub(super) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, InputError> {
    let limit = most * 1024 * 1024;
    let bounded = |source: &mut dyn Read| {
        let mut bytes = Vec::new();
        source.take(limit + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    let read = if is_stdin(path) {
        bounded(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| bounded(&mut file))
    };
    let bytes = read.map_err(|error| InputError::new(path, format!("cannot be read: {error}")))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(InputError::new(path, format!("is larger than {most} MiB; give one document")));
    }
    Ok(bytes)
}

/// MiB read of a file of expected records: parsed as a tree, a file takes many times its size.
const MAX_EXPECTED: u64 = 16;

/// Reads `--expected-records`.
pub(super) fn expected_records(path: Option<&Path>) -> Result<Vec<ExpectedRecord>, InputError> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let read = expected::read(&bytes(path, MAX_EXPECTED)?);
    let file = || format!("--expected-records {}", shown(path));
    let expected = read.map_err(|error| InputError { file: file(), what: error.to_string() })?;
    not_used(&file(), &expected.left_out);
    Ok(expected.records)
}

/// MiB read of a file of Azure facts: the networks of a large tenant take a tenth of it.
const MAX_FACTS: u64 = 64;

/// Reads `--facts`.
pub(super) fn facts(path: Option<&Path>) -> Result<Option<Holdings>, InputError> {
    let Some(path) = path else { return Ok(None) };
    let read = facts_file::read(&bytes(path, MAX_FACTS)?);
    let file = || format!("--facts {}", shown(path));
    let held = read.map_err(|error| InputError { file: file(), what: error.to_string() })?;
    not_used(&file(), &held.left_out);
    Ok(Some(held))
}

/// Says what a file holds that cannot be used.
fn not_used(file: &str, left_out: &[String]) {
    for left_out in left_out {
        let _ = writeln!(io::stderr(), "ampls-doctor: {}", inert(&format!("{file}: not used: {left_out}")));
    }
}
