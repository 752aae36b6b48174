//! A saved report, read again and judged with the rules of this version.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ampls_probes::Observations;
use ampls_probes::observation::VERSION;
use serde::Deserialize;
use uuid::Uuid;

use crate::render::page::inert;
use crate::report::digest::{Digest, KIND};
use crate::report::{Redacted, SCHEMA};
use crate::text::quote;

/// Bytes read of a report; a run of hundreds of endpoints stays under a tenth of it.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What a judgement takes from a report.
#[derive(Debug)]
pub(super) struct Saved {
    /// The run's id.
    pub(super) id: Uuid,
    /// What was seen.
    pub(super) observations: Observations,
    /// What had been replaced before it was saved.
    pub(super) redacted: Option<Redacted>,
}

/// What is wrong with an input file, and what is wanted, in one line.
#[derive(Debug)]
pub(super) struct InputError {
    file: String,
    what: String,
}

impl fmt::Display for InputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.file, self.what)
    }
}

impl std::error::Error for InputError {}

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
    load(path, parse)
}

/// Reads a report or a digest likewise; the digest may stand among the other lines of the `compact` format.
pub(super) fn read_any(path: &Path) -> Result<Input, InputError> {
    load(path, |bytes| match digest(bytes) {
        Some(digest) => digest.map(|digest| Input::Digest(Box::new(digest))),
        None => parse(bytes).map(|saved| Input::Report(Box::new(saved))),
    })
}

fn load<T>(path: &Path, parse: impl Fn(&[u8]) -> Result<T, String>) -> Result<T, InputError> {
    let stdin = path.as_os_str() == "-";
    let file = if stdin { "standard input".to_owned() } else { quote(&path.to_string_lossy()) };
    let wrong = |what: String| InputError { file: file.clone(), what };
    let bytes = if stdin { bounded(io::stdin().lock()) } else { File::open(path).and_then(bounded) };
    let bytes = bytes.map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(wrong(format!("is larger than {} MiB; give one report", MAX_BYTES / 1024 / 1024)));
    }
    parse(&bytes).map_err(wrong)
}

fn bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
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
    #[serde(default)]
    redacted: Option<Redacted>,
    observations: Observations,
}

#[derive(Deserialize)]
struct Run {
    id: Uuid,
}

/// The last digest of a text; `None` when it has none.
fn digest(bytes: &[u8]) -> Option<Result<Digest, String>> {
    let text = decode(bytes)?;
    let start = |line: &&str| serde_json::from_str::<Start>(line).is_ok_and(|it| it.kind.as_deref() == Some(KIND));
    let line = text.lines().map(str::trim).filter(|line| line.starts_with('{') && line.contains(KIND)).rfind(start)?;
    let parsed: Result<Digest, _> = serde_json::from_str(line);
    Some(match parsed {
        Err(error) => Err(format!("holds a broken digest: {}", inert(&error.to_string()))),
        Ok(digest) if digest.schema != SCHEMA => Err(newer("schema", digest.schema, SCHEMA)),
        Ok(digest) => Ok(digest),
    })
}

fn newer(what: &str, found: u32, known: u32) -> String {
    format!("has {what} {found}, this version knows {known}; judge it with the version that wrote it, or a later one")
}

fn parse(bytes: &[u8]) -> Result<Saved, String> {
    const WANTED: &str = "give a report that `ampls-doctor --format json` wrote";
    let text = decode(bytes).ok_or_else(|| format!("is no UTF-8 text; {WANTED}"))?;
    if text.trim().is_empty() {
        return Err(format!("is empty; {WANTED}"));
    }
    let wrong = |error: &serde_json::Error| format!("is no report: {}; {WANTED}", inert(&error.to_string()));
    let start: Start = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    if start.kind.as_deref() == Some(KIND) {
        return Err(format!("is a digest, which holds no observations; {WANTED}"));
    }
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
    Ok(Saved { id: document.run.id, observations: document.observations, redacted: document.redacted })
}

/// Text as editors and shells save it: UTF-8, with or without a byte order mark, or the UTF-16 that `>` of Windows PowerShell
/// writes (<https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_character_encoding>).
fn decode(bytes: &[u8]) -> Option<String> {
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        return String::from_utf16(&units).ok();
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    String::from_utf8(bytes.to_vec()).ok()
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
