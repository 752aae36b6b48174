//! What `judge` and `check` read of files, each as one function from octets: what a replay and a fuzzer call.

use std::sync::Arc;

use ampls_probes::testing::parsers::Parser;

use super::gather;
use super::saved::many::{Block, Found};
use super::saved::{self, Input};
use crate::fleet::KnownDigests;
use crate::render::page::Style;
use crate::render::{self, Format};
use crate::report::FailOn;
use crate::what_if::Change;
use crate::{expected, facts_file};

/// The parsers, each by the name of its corpus.
pub const PARSERS: [(&str, Parser); 7] = [
    ("azure-facts", azure_facts),
    ("change", change),
    ("digest", digest),
    ("expected-records", expected_records),
    ("many", many),
    ("packed", packed),
    ("report", report),
];

/// A change that `what-if` takes.
fn change(bytes: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(bytes).ok()?;
    Change::parse(text, &|_| Err(String::new())).ok().map(|change| change.to_string().len())
}

/// Reports of many machines, as all of a file and as lines of one.
fn many(bytes: &[u8]) -> Option<usize> {
    let block = |line| Block { file: Arc::from("fuzzed"), line, bytes: bytes.to_vec(), place: None };
    let found = [0, 1].map(|line| block(line).read(&KnownDigests::default()));
    let understood = found.iter().flatten().any(|found| matches!(found, Found::Sighting(_)));
    let sizes = found.iter().map(|found| format!("{found:?}").len());
    let reports = [0, 1].map(|line| block(line).reports()).into_iter().map(|reports| format!("{reports:?}").len());
    let most = sizes.chain(reports).max();
    most.filter(|_| understood)
}

/// Reports of many machines, packed by gzip or zstd: what comes of one of them.
fn packed(bytes: &[u8]) -> Option<usize> {
    let (mut most, mut understood) = (0, false);
    gather::of_octets(bytes, |found| {
        understood |= matches!(found, Found::Sighting(_));
        most = most.max(format!("{found:?}").len());
    });
    understood.then_some(most)
}

/// A digest, wherever it stands.
fn digest(bytes: &[u8]) -> Option<usize> {
    match saved::of_bytes(bytes).ok()? {
        Input::Digest(digest) => Some(digest.bounded().line(usize::MAX).len()),
        Input::Report(_) => None,
    }
}

/// A report: read, judged, and written in two formats.
fn report(bytes: &[u8]) -> Option<usize> {
    let Input::Report(saved) = saved::of_bytes(bytes).ok()? else { return None };
    let report = saved::judged(*saved, None);
    let mut out = Vec::new();
    for format in [Format::Compact, Format::Table] {
        render::write(format, &report, FailOn::Error, &Style::default(), &mut out).ok()?;
    }
    Some(out.len())
}

fn azure_facts(bytes: &[u8]) -> Option<usize> {
    Some(format!("{:?}", facts_file::read(bytes).ok()?).len())
}

fn expected_records(bytes: &[u8]) -> Option<usize> {
    let read = expected::read(bytes).ok()?;
    Some(read.records.iter().map(|record| record.name.len() + 16 * record.addresses.len()).sum())
}

#[cfg(test)]
mod tests {
    #[test]
    fn corpora_are_understood_and_what_is_kept_of_them_is_bounded() {
        ampls_probes::testing::parsers::replay(&super::PARSERS);
    }
}
