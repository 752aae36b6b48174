//! A saved report, read again and judged with the rules of this version.

use std::path::Path;

use ampls_probes::Observations;
use ampls_probes::observation::VERSION;
use serde::Deserialize;
use uuid::Uuid;

use super::input::{self, InputError};
use crate::diagnose::levels::Levels;
use crate::render::page::inert;
use crate::report::SCHEMA;
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
}

/// Reads a report from a file, or from standard input when it is called `-`.
pub(super) fn read(path: &Path) -> Result<Saved, InputError> {
    parse(&input::bytes(path, MAX_REPORT)?).map_err(|what| InputError::new(path, what))
}

/// The fields that tell what a document is, before all of it is believed.
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
    observations: Observations,
}

#[derive(Deserialize)]
struct Run {
    id: Uuid,
    #[serde(default)]
    rules: Levels,
}

fn parse(bytes: &[u8]) -> Result<Saved, String> {
    const WANTED: &str = "give a report that `ampls-doctor --format json` wrote";
    let text = decode(bytes).ok_or_else(|| format!("is no UTF-8 text; {WANTED}"))?;
    if text.trim().is_empty() {
        return Err(format!("is empty; {WANTED}"));
    }
    let wrong = |error: &serde_json::Error| format!("is no report: {}; {WANTED}", inert(&error.to_string()));
    let start: Start = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    if start.kind.as_deref() == Some("digest") {
        return Err(format!("is a digest, which holds no observations; {WANTED}"));
    }
    let newer = |what: &str, found: u32, known: u32| {
        format!(
            "has {what} {found}, this version knows {known}; judge it with the version that wrote it, or a later one"
        )
    };
    match start.schema {
        None => return Err(format!("is no report: it has no `schema`; {WANTED}")),
        Some(schema) if schema != SCHEMA => return Err(newer("schema", schema, SCHEMA)),
        Some(_) => {}
    }
    match start.observations.and_then(|observations| observations.version) {
        None => return Err(format!("is no whole report: it has no `observations`; {WANTED}")),
        Some(version) if version != VERSION => return Err(newer("observations of version", version, VERSION)),
        Some(_) => {}
    }
    let document: Document = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    Ok(Saved { id: document.run.id, rules: document.run.rules, observations: document.observations })
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
    fn what_is_no_report_is_said_in_one_harmless_line() {
        let mut newer = serde_json::to_value(mixed()).unwrap();
        newer["observations"]["version"] = 99.into();
        let newer = newer.to_string();
        let cases: &[(&[u8], &str)] = &[
            (b"", "is empty"),
            (b"\xff\xff", "no UTF-8"),
            (b"{", "is no report: EOF while parsing an object at line 1 column 1"),
            (b"[]", "is no report"),
            (b"{}", "has no `schema`"),
            (b"{\"schema\":7}", "has schema 7"),
            (b"{\"schema\":1}", "has no `observations`"),
            (b"{\"schema\":1,\"kind\":\"digest\"}", "is a digest"),
            (b"{\"schema\":\"\\u001b[2J\\n\"}", "is no report"),
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
