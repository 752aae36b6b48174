//! A saved report, read again and judged with the rules of this version.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use ampls_probes::Observations;
use ampls_probes::observation::VERSION;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::input::{self, InputError};
use crate::diagnose::diagnose_with;
use crate::diagnose::facts::Facts;
use crate::diagnose::levels::{Level, Levels};
use crate::facts_file::Holdings;
use crate::render::page::inert;
use crate::report::digest::{Digest, KIND};
use crate::report::{Held, OLDEST_SCHEMA, Redacted, Report, RunInfo, SCHEMA};
use crate::text::{decode, thousands};

mod digest;
mod kind;
pub(super) mod many;

/// MiB read of a report; a run of hundreds of endpoints stays under half of it.
const MAX_REPORT: u64 = 16;
/// Severities of rules that are read of a report: many times the number of rules.
const MAX_RULES: usize = 1_000;

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
    if digest::digest(&bytes).is_some() {
        return Err(InputError::new(
            path,
            "is a digest, which holds no observations; give a report that `ampls-doctor --format json` wrote",
        ));
    }
    parse(&bytes).map_err(|what| InputError::new(path, what))
}

/// A whole report that was read once more.
pub(super) fn of_report(bytes: &[u8]) -> Option<Saved> {
    parse(bytes).ok()
}

/// Reads a report or a digest; the digest may stand among the other lines of the `compact` format.
pub(super) fn read_any(path: &Path) -> Result<Input, InputError> {
    let bytes = input::bytes(path, MAX_REPORT)?;
    of_bytes(&bytes).map_err(|what| InputError::new(path, what))
}

/// The same from memory.
pub(super) fn of_bytes(bytes: &[u8]) -> Result<Input, String> {
    match digest::digest(bytes) {
        Some(digest) => digest.map(|digest| Input::Digest(Box::new(digest))),
        None => parse(bytes).map(|saved| Input::Report(Box::new(saved))),
    }
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

/// What is judged; everything else is passed over unread.
#[derive(Deserialize)]
struct Document<'t> {
    run: Run,
    #[serde(default, borrow)]
    redacted: Option<&'t RawValue>,
    observations: Observations,
}

#[derive(Deserialize)]
struct Run {
    id: Uuid,
    #[serde(default)]
    rules: Rules,
}

/// The severities that rules were given, and how many of them are not understood.
#[derive(Default)]
struct Rules {
    known: BTreeMap<String, Level>,
    unknown: usize,
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
    }
}

impl<'de> Visitor<'de> for Rules {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("severities of rules")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut rules: A) -> Result<Self, A::Error> {
        while let Some(code) = rules.next_key::<String>()? {
            match serde_json::from_str(rules.next_value::<&RawValue>()?.get()) {
                Ok(level) if self.known.len() < MAX_RULES => _ = self.known.insert(code, level),
                _ => self.unknown += 1,
            }
        }
        Ok(self)
    }
}

/// Whether this version reads documents of that one.
fn is_read(schema: u32) -> bool {
    (OLDEST_SCHEMA..=SCHEMA).contains(&schema)
}

fn newer(what: &str, found: u32, known: u32) -> String {
    format!("has {what} {found}, this version knows {known}; judge it with the version that wrote it, or a later one")
}

fn parse(bytes: &[u8]) -> Result<Saved, String> {
    const WANTED: &str = "give a report that `ampls-doctor --format json` wrote";
    if let Some(what) = kind::of_octets(bytes) {
        return Err(format!("{what}; {WANTED}"));
    }
    let text = decode(bytes).ok_or_else(|| format!("is not UTF-8 text; {WANTED}"))?;
    if text.trim().is_empty() {
        return Err(format!("is empty; {WANTED}"));
    }
    if text.contains("\"kind\":\"digest\"") && !text.trim_start().starts_with('{') {
        return Err(format!("holds a digest whose line is broken: give it in one line; or {WANTED}"));
    }
    if text.trim_start().starts_with(|c: char| c != '{') {
        return Err(format!("{}; {WANTED}", kind::of_text(&text).unwrap_or("is not a JSON object")));
    }
    let other = || kind::of_json(&text).map(|what| format!("{what}; {WANTED}"));
    let wrong = |error: &serde_json::Error| match error.classify() {
        Category::Eof => {
            format!("is cut off after {} bytes: the JSON is incomplete; fetch it again", thousands(bytes.len()))
        }
        _ => format!("is not a report: {}; {WANTED}", inert(&error.to_string())),
    };
    let start: Start = serde_json::from_str(&text).map_err(|error| other().unwrap_or_else(|| wrong(&error)))?;
    if start.kind.as_deref() == Some(KIND) {
        return Err(format!("is a digest, which holds no observations; {WANTED}"));
    }
    if let Some(what) = start.observations.is_none().then(other).flatten() {
        return Err(what);
    }
    match start.schema {
        None => return Err(format!("is not a report: it has no `schema`; {WANTED}")),
        Some(schema) if !is_read(schema) => return Err(newer("schema", schema, SCHEMA)),
        Some(_) => {}
    }
    match start.observations.and_then(|observations| observations.version) {
        None => return Err(format!("is not a whole report: it has no `observations`; {WANTED}")),
        Some(version) if version != VERSION => return Err(newer("observations of version", version, VERSION)),
        Some(_) => {}
    }
    let document: Document = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    let Document { run, redacted, mut observations } = document;
    observations.later.add_options(run.rules.unknown);
    // Whatever it says of what was replaced: something was, and it must not be taken for the original.
    let redacted = redacted.map(|manifest| serde_json::from_str::<Redacted>(manifest.get()).unwrap_or_default());
    Ok(Saved { id: run.id, rules: run.rules.known.into_iter().collect(), observations, redacted })
}

/// The report of what was seen, with the rules of this version, and with what Azure holds where that is given.
pub(super) fn judged(mut saved: Saved, held: Option<&Holdings>) -> Report {
    // Under pseudonyms no network is found, and what the file holds must not stand beside them.
    let held = held.filter(|_| saved.redacted.is_none());
    if let Some(held) = held {
        let facts = Facts::new(&saved.observations);
        let expected = Held::new(held, &facts).expected(&facts);
        saved.observations.asked.expected_records.extend(expected);
    }
    let facts = Facts::new(&saved.observations);
    let findings = diagnose_with(&facts, &saved.rules);
    let run = RunInfo { id: saved.id, tool_version: env!("CARGO_PKG_VERSION").to_owned() };
    let report = Report::new(&saved.observations, &facts, findings, run);
    let report = match held {
        Some(held) => report.with_facts(held, &facts),
        None => report,
    };
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
    fn severities_that_are_not_understood_are_counted_and_of_others_a_bounded_number_is_kept() {
        let mut report = serde_json::to_value(mixed()).unwrap();
        report["run"]["rules"] = (0..MAX_RULES + 5).map(|n| (format!("R{n}"), "off")).collect();
        report["run"]["rules"]["A"] = serde_json::json!([0, 0, 0]);
        report["redacted"] = serde_json::json!([0, 0, 0]);
        let saved = parse(report.to_string().as_bytes()).unwrap();
        assert_eq!(saved.observations.later.counts().options, 6);
        assert_eq!(saved.redacted, Some(Redacted::default()), "it must not be taken for the original");
    }

    /// A report with these observations, zones and an unknown option.
    fn with(seen: &str, zones: &str, option: &str) -> Result<Saved, String> {
        let mut report = serde_json::to_value(mixed()).unwrap();
        for (field, text) in [("seen", seen), ("zones", zones)] {
            if !text.is_empty() {
                report["observations"][field] = serde_json::from_str(text).unwrap();
            }
        }
        if !option.is_empty() {
            report["observations"]["asked"]["later"] = serde_json::from_str(option).unwrap();
        }
        parse(report.to_string().as_bytes())
    }

    fn zeros(octets: usize) -> String {
        format!("[{}0]", "0,".repeat(octets / 2))
    }

    struct Whole<'o>(&'o Observations);

    impl serde::Serialize for Whole<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            ampls_probes::observation::later::whole(self.0, serializer)
        }
    }

    #[test]
    fn of_an_item_that_is_longer_than_any_only_the_name_is_kept() {
        let (long, short) = (zeros(1024 * 1024), zeros(10));
        let seen = format!(r#"[{{"probe":"later","a":{long}}},{{"probe":"later","a":{short}}}]"#);
        let saved = with(&seen, "", "").unwrap();
        assert_eq!(saved.observations.later.counts().observations, 2);
        let again = serde_json::to_string(&Whole(&saved.observations)).unwrap();
        assert!(again.contains(r#""seen":[{"probe":"later"},{"a":[0,0,0,0,0,0],"probe":"later"}]"#), "{again}");
    }

    #[test]
    fn items_beyond_the_room_for_all_are_counted_and_not_kept() {
        let item = format!(r#"{{"probe":"later","a":{}}}"#, zeros(1_000_000));
        let saved = with(&format!("[{}]", vec![item; 6].join(",")), "", "").unwrap();
        assert_eq!(saved.observations.later.counts().observations, 6);
        assert!(serde_json::to_string(&Whole(&saved.observations)).unwrap().len() < 4_500_000);
    }

    #[test]
    fn options_and_names_that_no_run_has_are_refused() {
        let names = format!("[{}\"\"]", "\"\",".repeat(100_000));
        assert!(with("", &names, "").unwrap_err().contains("names"));
        assert!(with("", "", &zeros(1024 * 1024)).unwrap_err().contains("octets"));
        assert!(with("", "", "").is_ok());
    }

    #[test]
    fn what_is_not_a_report_gives_one_harmless_line() {
        let mut newer = serde_json::to_value(mixed()).unwrap();
        newer["observations"]["version"] = 99.into();
        let newer = newer.to_string();
        let cases: &[(&[u8], &str)] = &[
            (b"", "is empty"),
            (b"\xff\xff", "not UTF-8"),
            (b"{", "is cut off after 1 bytes"),
            (b"\x1f\x8b\x08", "is packed with gzip"),
            (b"<html></html>", "is an HTML page"),
            (b"{\"a\":1}\n{\"b\":1}\n", "is NDJSON"),
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
