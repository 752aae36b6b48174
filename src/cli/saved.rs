//! A saved report, read again and judged with the rules of this version.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use ampls_probes::Observations;
use ampls_probes::observation::VERSION;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::input::{self, InputError};
use crate::diagnose::diagnose_with;
use crate::diagnose::facts::Facts;
use crate::diagnose::levels::{Level, Levels};
use crate::render::page::inert;
use crate::report::digest::{Digest, KIND};
use crate::report::{Redacted, Report, RunInfo, SCHEMA};
use crate::text::decode;

/// MiB read of a report; a run of hundreds of endpoints stays under a tenth of it.
const MAX_REPORT: u64 = 64;

/// What a judgement takes from a report.
#[derive(Debug)]
pub(super) struct Saved {
    /// The run's id.
    pub(super) id: Uuid,
    /// Severities that rules were given when the report was made.
    pub(super) rules: Levels,
    /// What was seen.
    pub(super) observations: Observations,
    /// What had been replaced before it was saved.
    pub(super) redacted: Option<Redacted>,
}

/// What can be judged again.
#[derive(Debug)]
pub(super) enum Input {
    /// A report.
    Report(Box<Saved>),
    /// A digest, which can only be repeated.
    Digest(Box<Digest>),
}

/// Reads a report from a file, or from standard input when it is called `-`.
pub(super) fn read(path: &Path) -> Result<Saved, InputError> {
    let bytes = input::bytes(path, MAX_REPORT)?;
    if digest(&bytes).is_some() {
        return Err(InputError::new(
            path,
            "is a digest, which holds no observations; give a report that `ampls-doctor --format json` wrote",
        ));
    }
    parse(&bytes).map_err(|what| InputError::new(path, what))
}

/// Reads a report or a digest; the digest may stand among the other lines of the `compact` format.
pub(super) fn read_any(path: &Path) -> Result<Input, InputError> {
    let bytes = input::bytes(path, MAX_REPORT)?;
    let read = match digest(&bytes) {
        Some(digest) => digest.map(|digest| Input::Digest(Box::new(digest))),
        None => parse(&bytes).map(|saved| Input::Report(Box::new(saved))),
    };
    read.map_err(|what| InputError::new(path, what))
}

/// The fields that show what a document is, read before the rest.
#[derive(Deserialize)]
struct Start {
    schema: Option<u32>,
    kind: Option<String>,
    observations: Option<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: Option<u32>,
}

#[derive(Deserialize)]
struct Document {
    run: Run,
    #[serde(default)]
    redacted: Option<Value>,
    observations: Observations,
}

#[derive(Deserialize)]
struct Run {
    id: Uuid,
    #[serde(default)]
    rules: BTreeMap<String, Value>,
}

/// The last digest of a text, or of a text in what `az … run-command` printed; `None` when there is none. Run Command cuts
/// octets, not characters, so what stands before a digest need not be UTF-8.
fn digest(bytes: &[u8]) -> Option<Result<Digest, String>> {
    let text = decode(bytes).map_or_else(|| String::from_utf8_lossy(bytes), Cow::Owned);
    digest_within(&text).or_else(|| {
        // Quoted within JSON: only then is a document worth another look.
        let answer: Value = text.contains("\\\"digest\\\"").then(|| serde_json::from_str(&text).ok())??;
        texts(&answer).into_iter().rev().find_map(digest_within)
    })
}

/// Every text of a document: Azure's commands disagree on where the output of a script stands.
fn texts(document: &Value) -> Vec<&str> {
    match document {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The last digest of a text, whatever stands before it on its line and wherever its own lines are broken.
fn digest_within(text: &str) -> Option<Result<Digest, String>> {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    if !text.contains("\"digest\"") {
        return None;
    }
    let from = |at: usize| text.get(at..).unwrap_or_default();
    let is_digest = |at: &usize| {
        let mut start = serde_json::Deserializer::from_str(from(*at)).into_iter::<Kind>();
        matches!(start.next(), Some(Ok(start)) if start.kind == KIND)
    };
    let begins = |at: usize| {
        // A tool that sorts the fields leaves it at the beginning of a line, or of the whole.
        from(at + 1).trim_start().starts_with("\"schema\"")
            || text.get(..at).is_some_and(|before| before.trim_end_matches([' ', '\t']).ends_with(['\n', '\r']))
            || text.get(..at).is_some_and(|before| before.trim().is_empty())
    };
    let places: Vec<usize> = text.match_indices('{').map(|(at, _)| at).filter(|at| begins(*at)).collect();
    let at = places.into_iter().rev().find(is_digest)?;
    let parsed = serde_json::Deserializer::from_str(from(at)).into_iter::<Digest>().next()?;
    Some(match parsed {
        Err(error) => Err(format!("is a digest that cannot be read: {}", inert(&error.to_string()))),
        Ok(digest) if digest.schema != SCHEMA => Err(newer("schema", digest.schema, SCHEMA)),
        Ok(digest) => Ok(digest.bounded()),
    })
}

fn newer(what: &str, found: u32, known: u32) -> String {
    format!("has {what} {found}, this version knows {known}; judge it with the version that wrote it, or a later one")
}

fn parse(bytes: &[u8]) -> Result<Saved, String> {
    const WANTED: &str = "give a report that `ampls-doctor --format json` wrote";
    let text = decode(bytes).ok_or_else(|| format!("is not UTF-8 text; {WANTED}"))?;
    if text.trim().is_empty() {
        return Err(format!("is empty; {WANTED}"));
    }
    if text.contains("\"kind\":\"digest\"") && !text.trim_start().starts_with('{') {
        return Err(format!("holds a digest whose line is broken: give it in one line; or {WANTED}"));
    }
    if text.trim_start().starts_with(|c: char| c != '{') {
        return Err(format!("is not a JSON object; {WANTED}"));
    }
    let wrong = |error: &serde_json::Error| format!("is not a report: {}; {WANTED}", inert(&error.to_string()));
    let start: Start = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    if start.kind.as_deref() == Some(KIND) {
        return Err(format!("is a digest, which holds no observations; {WANTED}"));
    }
    match start.schema {
        None => return Err(format!("is not a report: it has no `schema`; {WANTED}")),
        Some(schema) if schema != SCHEMA => return Err(newer("schema", schema, SCHEMA)),
        Some(_) => {}
    }
    match start.observations.and_then(|observations| observations.version) {
        None => return Err(format!("is not a whole report: it has no `observations`; {WANTED}")),
        Some(version) if version != VERSION => return Err(newer("observations of version", version, VERSION)),
        Some(_) => {}
    }
    let document: Document = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    let Document { run, redacted, mut observations } = document;
    let given = run.rules.len();
    let known = run.rules.into_iter().filter_map(|(code, level)| Some((code, Level::deserialize(level).ok()?)));
    let known: BTreeMap<String, Level> = known.collect();
    observations.later.add_options(given - known.len());
    // Whatever the manifest holds, something was replaced: it must not pass for the original.
    let redacted = redacted.map(|manifest| Redacted::deserialize(manifest).unwrap_or_default());
    Ok(Saved { id: run.id, rules: known.into_iter().collect(), observations, redacted })
}

/// The report of what was seen, with the rules of this version.
pub(super) fn judged(saved: Saved) -> Report {
    let facts = Facts::new(&saved.observations);
    let findings = diagnose_with(&facts, &saved.rules);
    let run = RunInfo { id: saved.id, tool_version: env!("CARGO_PKG_VERSION").to_owned() };
    let report = Report::new(&saved.observations, &facts, findings, run);
    Report { redacted: saved.redacted, ..report.with_rules(saved.rules) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{healthy, hostile, mixed};

    #[test]
    fn a_report_is_read_back_as_it_was_seen() {
        for report in [healthy(), mixed(), hostile()] {
            let text = serde_json::to_string_pretty(&report).unwrap();
            let saved = parse(text.as_bytes()).unwrap();
            assert_eq!((saved.id, saved.observations), (report.run.id, report.observations));
        }
    }

    #[test]
    fn a_report_that_powershell_saved_is_read() {
        let text = serde_json::to_string(&mixed()).unwrap();
        let mut utf16 = vec![0xff, 0xfe];
        utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        assert!(parse(&utf16).is_ok());
        assert!(parse(&[&[0xef, 0xbb, 0xbf], text.as_bytes()].concat()).is_ok());
    }

    #[test]
    fn what_is_not_a_report_gives_one_harmless_line() {
        let mut newer = serde_json::to_value(mixed()).unwrap();
        newer["observations"]["version"] = 99.into();
        let newer = newer.to_string();
        let cases: &[(&[u8], &str)] = &[
            (b"", "is empty"),
            (b"\xff\xff", "not UTF-8"),
            (b"{", "is not a report: EOF while parsing an object at line 1 column 1"),
            (b"[]", "is not a JSON object"),
            (b"{}", "has no `schema`"),
            (b"{\"schema\":7}", "has schema 7"),
            (b"{\"schema\":1}", "has no `observations`"),
            (b"{\"schema\":1,\"kind\":\"digest\"}", "is a digest"),
            (b"{\"schema\":\"\\u001b[2J\\n\"}", "is not a report"),
            (newer.as_bytes(), "has observations of version 99"),
        ];
        for (bytes, wanted) in cases {
            let message = parse(bytes).unwrap_err();
            assert!(message.contains(wanted), "{message}");
            assert!(!message.contains(|c: char| c.is_control()), "{message:?}");
        }
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }
}
