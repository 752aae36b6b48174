//! What a file is that is not a report, so that its owner knows which one to fetch instead.
//!
//! Each kind is known by how it begins: nothing here reads a document to its end.

use serde::Deserialize;

/// What begins like this is packed.
const PACKED: [(&[u8], &str); 6] = [
    (b"\x1f\x8b", "is packed with gzip: unpack it first"),
    (b"PK\x03\x04", "is a ZIP archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is packed with zstd: unpack it first"),
    (b"BZh", "is packed with bzip2: unpack it first"),
    (b"\xfd7zXZ\0", "is packed with xz: unpack it first"),
    (b"%PDF-", "is a PDF"),
];

/// What the octets are, if they are no text.
pub(super) fn of_octets(bytes: &[u8]) -> Option<&'static str> {
    PACKED.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, what)| *what)
}

/// What the text is, where it is known and no JSON object.
pub(super) fn of_text(text: &str) -> Option<&'static str> {
    let text = text.trim_start();
    let first = text.lines().next().unwrap_or_default().trim_end();
    let lower = text.get(..200).unwrap_or(text).to_ascii_lowercase();
    let lines = || text.lines().map(str::trim_end).filter(|line| !line.is_empty()).take(20);
    let begins = |starts: &[&str]| starts.iter().any(|start| lower.starts_with(start));
    Some(match () {
        () if begins(&["<!doctype html", "<html"]) => "is an HTML page, which holds no observations",
        () if begins(&["<?xml", "<testsuite", "<"]) => "is XML, which holds no observations",
        () if begins(&["# help ", "# type "]) => "is a file of metrics, which holds no observations",
        () if begins(&["private, ", "public, ", "mixed, ", "none, ", "unresolved, ", "files only"]) => {
            "is what the program prints for people, which holds no observations"
        }
        () if begins(&["# "]) && lines().any(|line| line.starts_with("## ") || line.starts_with("- ")) => "is Markdown",
        () if lines().filter(|line| is_logged(line)).count() > lines().count() / 2 => "is a log",
        () if first == "---" || first.starts_with("%YAML") || lines().all(is_yaml) && !text.is_empty() => "is YAML",
        () if lines().count() > 1
            && lines().all(|line| line.split(',').count() == first.split(',').count())
            && first.contains(',') =>
        {
            "is CSV"
        }
        () => return None,
    })
}

/// Whether a line begins with a moment, as lines of logs do.
fn is_logged(line: &str) -> bool {
    let line = line.trim_start_matches(['[', '<', '(']);
    let iso = line.get(..10).is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok());
    let months = ["Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec "];
    let syslog =
        months.iter().any(|month| line.starts_with(month)) && line.get(..15).is_some_and(|at| at.contains(':'));
    let clock = line.get(..8).is_some_and(|at| at.parse::<jiff::civil::Time>().is_ok());
    iso || syslog || clock
}

/// `key: value`, `key:`, an item of a list, a comment.
fn is_yaml(line: &str) -> bool {
    let line = line.trim_start();
    let key = line.split_once(':').is_some_and(|(key, rest)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.\"'".contains(c);
        !key.is_empty() && key.chars().all(plain) && (rest.is_empty() || rest.starts_with(' '))
    });
    key || line.starts_with("- ") || line.starts_with('#')
}

/// Fields by which JSON of other kinds is known.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Marks {
    kind: Option<serde_json::Value>,
    #[serde(rename = "$schema")]
    json_schema: Option<serde::de::IgnoredAny>,
    #[serde(rename = "customDnsConfigs")]
    private_endpoint: Option<serde::de::IgnoredAny>,
    #[serde(rename = "recordType")]
    record_type: Option<serde::de::IgnoredAny>,
    observations: Option<serde::de::IgnoredAny>,
    patterns: Option<serde::de::IgnoredAny>,
    steps: Option<serde::de::IgnoredAny>,
    schema: Option<serde::de::IgnoredAny>,
    value: Option<serde::de::IgnoredAny>,
}

/// What the JSON object is, where it is known and no report.
pub(super) fn of_json(text: &str) -> Option<String> {
    let first = text.trim_start().lines().next().unwrap_or_default();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let several = lines.next().is_some_and(is_object) && lines.next().is_some_and(is_object);
    if several || first.contains("\"record_type\"") && is_object(first) {
        return Some("is NDJSON, which holds no observations".to_owned());
    }
    let marks: Marks = serde_json::from_str(text).ok()?;
    if marks.observations.is_some() {
        return None;
    }
    let kind = marks.kind.as_ref().and_then(serde_json::Value::as_str);
    Some(match kind {
        Some("digest") => "is a digest, which holds no observations".to_owned(),
        Some("comparison") => "is what `compare` writes: give one of the two reports".to_owned(),
        Some("fleet") => "is what `fleet` writes, a picture of many reports: give one of them".to_owned(),
        Some(other) if marks.schema.is_some() => {
            format!("is a document of kind {}, not a report", crate::text::quote(other))
        }
        _ if marks.json_schema.is_some() => "is a JSON Schema: it describes reports".to_owned(),
        _ if marks.private_endpoint.is_some() || marks.record_type.is_some() => {
            "is what `az` prints of a private endpoint or zone: give it with --expected-records".to_owned()
        }
        _ if marks.steps.is_some() && marks.patterns.is_some() => "is a plan: nothing was looked at".to_owned(),
        _ if marks.value.is_some() => "is what an `az` command printed, and no digest stands in it whole".to_owned(),
        _ => return None,
    })
}

fn is_object(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('{') && line.ends_with('}') && serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_known_by_how_they_begin() {
        for (text, wanted) in [
            ("<!DOCTYPE html>\n<html>", Some("an HTML page")),
            ("<?xml version=\"1.0\"?><testsuites/>", Some("is XML")),
            ("# HELP ampls_doctor_up x\n", Some("metrics")),
            ("PRIVATE, healthy: 5 of 5", Some("for people")),
            ("2026-11-28T19:45:55Z started\n2026-11-28T19:45:56Z done", Some("is a log")),
            ("Nov 28 19:45:55 vm agent[1]: x\nNov 28 19:45:56 vm agent[1]: y", Some("is a log")),
            ("[2026-11-28 19:45:55] x", Some("is a log")),
            ("---\na: 1", Some("is YAML")),
            ("schema: 2\nrun:\n  id: x\nitems:\n- a", Some("is YAML")),
            ("# Title\n\n- item", Some("is Markdown")),
            ("a,b,c\n1,2,3\n", Some("is CSV")),
            ("hello", None),
            ("[1, 2]", None),
            ("", None),
        ] {
            let what = of_text(text);
            assert!(what.is_some() == wanted.is_some(), "{text}: {what:?}");
            assert!(what.unwrap_or_default().contains(wanted.unwrap_or_default()), "{text}: {what:?}");
        }
    }

    #[test]
    fn objects_are_known_by_their_fields() {
        for (text, wanted) in [
            ("{\"a\":1}\n{\"a\":2}\n", "is NDJSON"),
            ("{\"schema\":2,\"kind\":\"digest\"}", "is a digest"),
            ("{\"schema\":1,\"kind\":\"comparison\"}", "`compare`"),
            ("{\"schema\":1,\"kind\":\"other`\\n\"}", "is a document of kind `other'"),
            ("{\"$schema\":\"https://json-schema.org/x\"}", "JSON Schema"),
            ("{\"customDnsConfigs\":[]}", "--expected-records"),
            ("{\"value\":[{\"message\":\"cut\"}]}", "no digest stands in it whole"),
        ] {
            let what = of_json(text).unwrap_or_default();
            assert!(what.contains(wanted), "{text}: {what}");
            assert!(!what.contains(char::is_control), "{what:?}");
        }
        for text in ["{}", "{\"schema\":2}", "{\n\"a\":{}\n}", "{\"observations\":{}}", "{"] {
            assert_eq!(of_json(text), None, "{text}");
        }
    }
}
