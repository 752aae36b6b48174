//! Reports of many machines in one text: a report or row a line, JSON of commands that asked many machines, digests among
//! the lines that people read.
//!
//! Nothing here fails: what cannot be read is said of the place where it stands, and the rest goes on.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::error::Category;

use pieces::{At, Piece, of_each};

use super::{Saved, digest, is_read, kind, newer, parse};
use crate::fleet::{KnownDigests, Read, Sighting, Source, read};
use crate::render::page::inert;
use crate::report::SCHEMA;
use crate::report::digest::Digest;

mod pieces;

/// MiB of one whole report of several in a file.
const MOST_MIB: usize = 16;

/// What was found at a place.
#[derive(Debug)]
pub(in crate::cli) enum Found {
    /// What a report says of a machine.
    Sighting(Sighting),
    /// What is wrong with an input.
    Broken {
        /// The file, and the line where it is one of many.
        input: String,
        /// Why it is not read.
        why: String,
    },
}

/// A part of an input: all of it, or whole lines.
#[derive(Debug)]
pub(in crate::cli) struct Block {
    /// The file as the user calls it.
    pub(in crate::cli) file: Arc<str>,
    /// The number of the first line; 0 where this is all of the file.
    pub(in crate::cli) line: u64,
    /// What stands there.
    pub(in crate::cli) bytes: Vec<u8>,
    /// Where a file holds just this, so that a report can be read again.
    pub(in crate::cli) place: Option<Source>,
}

impl Block {
    /// Everything that is found in it, in its order.
    pub(in crate::cli) fn read(&self, known: &KnownDigests) -> Vec<Found> {
        of_each(self, &of_report, &|piece, at| {
            let mut found = Vec::new();
            match piece {
                Piece::Object(text) | Piece::Line(text)
                    if begins_as_a_digest(text)
                        && let Some(sighting) = known.read(text) =>
                {
                    found.push(Found::Sighting(sighting));
                }
                Piece::Object(text) => self.object(text, at, &mut found),
                Piece::Line(text) => {
                    found.extend(digest::digest(text.as_bytes()).map(|digest| self.of_digest(at.line, digest)));
                }
                Piece::List(text) => self.wrapped(text, at.line, &mut found),
                Piece::Digest(digest) => found.push(self.of_digest(at.line, digest.map(|digest| *digest))),
                Piece::Broken(why) => found.push(self.broken(at.line, &why)),
            }
            found
        })
    }

    /// The whole reports in it, with their observations; of everything else where it stands, and why it is not a report. Of the
    /// rows of a run only the first counts.
    pub(in crate::cli) fn reports(&self) -> Vec<Result<Saved, String>> {
        let named = |line: u64, why: String| format!("{}: {why}", self.input(line));
        of_each(self, &|_, _| None, &|piece, at| {
            let read = match piece {
                Piece::Object(text) if is_later_row(text) => return Vec::new(),
                Piece::Object(text) if text.len() >> 20 >= MOST_MIB => Err(format!("is larger than {MOST_MIB} MiB")),
                Piece::Object(text) | Piece::List(text) => parse(text.as_bytes()),
                Piece::Digest(digest) => Err(of_a_digest(digest)),
                Piece::Line(text) => match digest::digest(text.as_bytes()) {
                    None => return Vec::new(),
                    Some(digest) => Err(of_a_digest(digest)),
                },
                Piece::Broken(why) => Err(why),
            };
            vec![read.map_err(|why| named(at.line, why))]
        })
    }

    fn object(&self, text: &str, at: &At, found: &mut Vec<Found>) {
        let line = at.line;
        let document = match ampls_extract::document(text.as_bytes()) {
            Ok(document) => document,
            Err(error) => {
                let before = found.len();
                found.extend(digest::digests(text).into_iter().map(|digest| self.of_digest(line, digest)));
                if found.len() == before {
                    found.push(self.broken(line, &wrong(&error)));
                }
                return;
            }
        };
        let schema = document.schema;
        let read = read(document, text.as_bytes(), at.source.clone());
        match (read, schema) {
            (Ok(Read::Sighting(_) | Read::Digest), Some(schema)) if !is_read(schema) => {
                found.push(self.broken(line, &newer("schema", schema, SCHEMA)));
            }
            (Ok(Read::Sighting(_) | Read::Digest), None) => {
                found.push(self.broken(line, "is not a report: it has no `schema`"));
            }
            (Ok(Read::Sighting(sighting)), _) => found.push(Found::Sighting(sighting)),
            (Ok(Read::Digest), _) => {
                let digest = serde_json::from_str::<Digest>(text).map(Digest::bounded);
                found.push(self.of_digest(
                    line,
                    digest.map_err(|error| format!("is a digest that cannot be read: {}", inert(&error.to_string()))),
                ));
            }
            (Ok(Read::Passed), _) => {}
            (Ok(Read::Other), _) => self.wrapped(text, line, found),
            (Err(why), _) => found.push(self.broken(line, &format!("is not a report: {}", inert(&why)))),
        }
    }

    /// The digests within the texts of a document that is something else itself.
    fn wrapped(&self, text: &str, line: u64, found: &mut Vec<Found>) {
        let digests = digest::digests(text);
        if digests.is_empty() {
            let object = Some(text).filter(|text| text.starts_with('{'));
            let what = object
                .and_then(kind::of_json)
                .unwrap_or_else(|| "is JSON, and no report or digest stands in it".to_owned());
            found.push(self.broken(line, &what));
        }
        found.extend(digests.into_iter().map(|digest| self.of_digest(line, digest)));
    }

    fn of_digest(&self, line: u64, digest: Result<Digest, String>) -> Found {
        match digest {
            Ok(digest) => Found::Sighting(Sighting::from(&digest)),
            Err(why) => self.broken(line, &why),
        }
    }

    fn broken(&self, line: u64, why: &str) -> Found {
        Found::Broken { input: self.input(line), why: why.to_owned() }
    }

    /// How a place in it is called.
    fn input(&self, line: u64) -> String {
        if line == 0 { self.file.to_string() } else { format!("{}, line {line}", self.file) }
    }
}

/// What a line says that is a report as this program writes it. What is wrong with any other is said where all of it is read.
fn of_report(line: &[u8], at: &At) -> Option<Vec<Found>> {
    let document = ampls_extract::report(line).filter(|document| document.schema.is_some_and(is_read))?;
    match read(document, line, at.source.clone()) {
        Ok(Read::Sighting(sighting)) => Some(vec![Found::Sighting(sighting)]),
        _ => None,
    }
}

/// Whether it begins as the digests that this program writes; every other document is looked at more closely.
fn begins_as_a_digest(text: &str) -> bool {
    const BEGINNING: usize = 64;
    text.get(..BEGINNING).is_some_and(|begin| begin.contains("\"kind\":\"digest\""))
}

/// Why a digest cannot be judged.
fn of_a_digest<T>(digest: Result<T, String>) -> String {
    digest.err().unwrap_or_else(|| "is a digest, which holds no observations".to_owned())
}

/// Whether it is a row of the format `ndjson` that stands behind that of its run.
fn is_later_row(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Kind {
        kind: Option<String>,
    }
    let kind = serde_json::from_str::<Kind>(text).ok().and_then(|it| it.kind);
    matches!(kind.as_deref(), Some("endpoint" | "finding"))
}

fn wrong(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "is cut off: the JSON is incomplete".to_owned(),
        _ => format!("is not a report: {}", inert(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::fleet::FilePlace;
    use crate::report::{mixed, on_a_vm};

    fn read(bytes: &[u8], line: u64) -> (Vec<Sighting>, Vec<String>) {
        let file = Arc::new(FilePlace { base: Path::new("file").into(), relative: None });
        let place = Some(Source { file, offset: 0, length: 0 });
        let block = Block { file: "file".into(), line, bytes: bytes.to_vec(), place };
        let (mut sightings, mut broken) = (Vec::new(), Vec::new());
        for found in block.read(&KnownDigests::default()) {
            match found {
                Found::Sighting(sighting) => sightings.push(sighting),
                Found::Broken { input, why } => broken.push(format!("{input}: {why}")),
            }
        }
        (sightings, broken)
    }

    /// The digest of a machine of this name.
    fn digest_of(host: &str) -> String {
        let mut digest = Digest::new(&mixed(), 1);
        host.clone_into(&mut digest.host);
        serde_json::to_string(&digest).unwrap()
    }

    fn names(bytes: &[u8], line: u64) -> Vec<String> {
        let (sightings, broken) = read(bytes, line);
        assert_eq!(broken, [""; 0]);
        sightings.into_iter().map(|sighting| sighting.name.into_string()).collect()
    }

    #[test]
    fn a_digest_is_found_in_every_shape_of_run_command() {
        let text = |host: &str| format!("MIXED, 1 error\n{}\nVERDICT mixed error exit=1 DNS003", digest_of(host));
        let linux = serde_json::json!({"value": [{"code": "ProvisioningState/succeeded",
            "message": format!("Enable succeeded: \n[stdout]\n{}\n\n[stderr]\n", text("a"))}]});
        let windows = serde_json::json!({"value": [{"code": "ComponentStatus/StdOut/succeeded", "message": text("a").replace('\n', "\r\n")},
            {"code": "ComponentStatus/StdErr/succeeded", "message": ""}]});
        let view =
            serde_json::json!({"name": "run", "instanceView": {"exitCode": 1, "output": text("a"), "error": ""}});
        for document in [&linux, &windows, &view] {
            assert_eq!(names(document.to_string().as_bytes(), 0), ["a"], "{document}");
            assert_eq!(names(document.to_string().as_bytes(), 1), ["a"], "{document}");
            assert_eq!(names(serde_json::to_string_pretty(document).unwrap().as_bytes(), 0), ["a"], "{document}");
        }
        let set = serde_json::json!([{"instanceView": {"output": text("a")}}, {"instanceView": {"output": text("b")}}]);
        assert_eq!(names(set.to_string().as_bytes(), 0), ["a", "b"]);
        let awx = serde_json::json!({"results": [{"event_data": {"res": {"stdout": text("a")}}}, {"event_data": {"res": {"stdout": text("b")}}}]});
        assert_eq!(names(awx.to_string().as_bytes(), 0), ["a", "b"]);
        assert_eq!(names(format!("{}\n{}\n", text("a"), text("b")).as_bytes(), 0), ["a", "b"]);
        assert_eq!(names(&[b"\x80cut\n".as_slice(), text("a").as_bytes()].concat(), 0), ["a"]);
    }

    #[test]
    fn lines_lists_and_documents_one_after_the_other_are_read() {
        let report = serde_json::to_string(&mixed()).unwrap();
        let pretty = serde_json::to_string_pretty(&mixed()).unwrap();
        let host = mixed().host.name;
        assert_eq!(names(format!("{}\n{report}\n\n", digest_of("a")).as_bytes(), 1), ["a", host.as_str()]);
        assert_eq!(names(format!("{pretty}\n{pretty}").as_bytes(), 0), [host.as_str(); 2]);
        let both = format!(" {pretty}\n{report}");
        for (line, text) in
            [(0, both.clone()), (1, format!("{}\n\n{report} \n", digest_of("a"))), (0, format!("\u{feff}{report}"))]
        {
            let sources: Vec<Source> = read(text.as_bytes(), line).0.into_iter().filter_map(|it| it.source).collect();
            assert!(!sources.is_empty());
            for source in sources {
                let [offset, length] = [source.offset, source.length].map(|it| usize::try_from(it).unwrap());
                assert!(parse(&text.as_bytes()[offset..offset + length]).is_ok(), "{line}");
            }
        }
        assert_eq!(names(format!("[{report},{}]", digest_of("a")).as_bytes(), 0), [host.as_str(), "a"]);
    }

    #[test]
    fn whole_reports_are_found_wherever_machines_are_and_a_run_of_rows_is_one_input() {
        let report = serde_json::to_string(&mixed()).unwrap();
        let pretty = serde_json::to_string_pretty(&mixed()).unwrap();
        let mut rows = Vec::new();
        crate::render::ndjson::write(&mixed(), &mut rows).unwrap();
        let rows = String::from_utf8(rows).unwrap();
        for (line, text, reports, others) in [
            (0, pretty.clone(), 1, 0),
            (0, format!("{pretty}\n{pretty}"), 2, 0),
            (0, format!("[{report},{}]", digest_of("a")), 1, 1),
            (0, format!("a line\n{}\n", digest_of("a")), 0, 1),
            (1, format!("{report}\n{}\n{rows}{{\n", digest_of("a")), 1, 3),
        ] {
            let block = Block { file: "file".into(), line, bytes: text.into_bytes(), place: None };
            let (found, named): (Vec<_>, Vec<_>) = block.reports().into_iter().partition(Result::is_ok);
            assert_eq!((found.len(), named.len()), (reports, others), "{named:?}");
        }
    }

    #[test]
    fn report_digest_and_rows_of_one_run_say_the_same() {
        let report = on_a_vm(mixed());
        let mut rows = Vec::new();
        crate::render::ndjson::write(&report, &mut rows).unwrap();
        let (rows, broken) = read(&rows, 1);
        assert_eq!(broken, [""; 0]);
        let whole = read(serde_json::to_string(&report).unwrap().as_bytes(), 0).0.remove(0);
        let digest = read(serde_json::to_string(&Digest::new(&report, 1)).unwrap().as_bytes(), 0).0.remove(0);
        for sighting in rows.iter().chain([&digest]) {
            assert_eq!((&sighting.key, sighting.at, sighting.run), (&whole.key, whole.at, whole.run));
        }
        assert_eq!(whole.shared.roots.len(), 1);
        let said = |sighting: &Sighting| -> Vec<(String, Vec<String>)> {
            sighting.shared.roots[0].args.iter().map(|(name, value)| (name.clone(), value.values().to_vec())).collect()
        };
        assert_eq!(said(&digest), said(&whole));
        assert_eq!(
            rows.iter().filter(|row| !row.shared.roots.is_empty()).map(said).collect::<Vec<_>>(),
            [said(&whole)]
        );
        let length = serde_json::to_string(&report).unwrap().len();
        assert!(whole.source.is_some_and(|it| (it.offset, it.length) == (0, length as u64)));
        assert!(digest.source.is_none());
    }

    #[test]
    fn a_report_says_the_same_whether_or_not_what_was_seen_is_read() {
        let report = serde_json::to_string(&on_a_vm(mixed())).unwrap();
        let passed_over = [r#""views":"#, r#""observations":"#];
        assert!(passed_over.iter().all(|key| report.contains(key)));
        let brief =
            |report: &str| ampls_extract::brief(report.as_bytes()).map(|brief| String::from_utf8(brief).unwrap());
        assert!(brief(&report).is_some_and(|brief| !passed_over.iter().any(|key| brief.contains(key))));
        let whole = read(report.as_bytes(), 0).0.remove(0).shared;
        let sorted = serde_json::from_str::<serde_json::Value>(&report).unwrap().to_string();
        assert_eq!(brief(&sorted), None, "written by another program, in another order");
        // A later version may have keys of these names further in, and a text what looks like one.
        let further_in = report.replacen(r#""run":{"#, r#""run":{"later":{"a":1,"endpoints":[1]},"#, 1);
        let in_text = report.replacen(r#""run":{"#, r#""run":{"later":",\"endpoints\":[],\"zones\":[","#, 1);
        for text in [
            format!("{report}\n"),
            format!("{report}\r\n"),
            report.clone(),
            format!("{sorted}\n"),
            format!("{further_in}\n"),
            format!("{in_text}\n"),
        ] {
            let (sightings, broken) = read(text.as_bytes(), 1);
            assert_eq!((sightings.len(), broken), (1, Vec::new()));
            assert_eq!(sightings[0].shared, whole);
        }
        for cut in (report.len() / 2..report.len()).step_by(101) {
            let text = report.get(..cut).unwrap_or_default();
            for line in [text.to_owned(), format!("{text}\n")] {
                let (sightings, broken) = read(line.as_bytes(), 1);
                assert_eq!(sightings.len(), 0, "{}", text.get(cut - 40..).unwrap_or_default());
                assert!(broken[0].contains("is cut off"), "{broken:?}");
            }
        }
    }

    #[test]
    fn what_is_broken_is_named_and_the_rest_is_read() {
        let good = digest_of("a");
        let text =
            format!("{good}\n{{\"schema\":2,\n{{\"schema\":9,\"kind\":\"digest\"}}\n{{}}\nnoise\n{}\n", digest_of("b"));
        let (sightings, broken) = read(text.as_bytes(), 7);
        assert_eq!(sightings.len(), 2);
        for (line, wanted) in [
            "file, line 8: is cut off",
            "file, line 9: has schema 9",
            "file, line 10: is JSON, and no report",
            "file, line 11: is not a JSON object",
        ]
        .iter()
        .enumerate()
        {
            assert!(broken[line].starts_with(wanted), "{broken:?}");
        }
        assert_eq!(broken.len(), 4);
        for (bytes, wanted) in [
            (b"".as_slice(), "is empty"),
            (b"{\"schema\":2,", "is cut off"),
            (b"<html>", "is an HTML page"),
            (b"\x00\x01", "is neither JSON"),
            (b"{\"value\":[{\"message\":\"cut\"}]}", "no digest stands in it whole"),
            (b"{\"schema\":2,\"kind\":\"digest\"}", "cannot be read"),
            (b"[1,2]", "is JSON, and no report"),
        ] {
            let (sightings, broken) = read(bytes, 0);
            assert!(sightings.is_empty() && broken.len() == 1, "{broken:?}");
            assert!(broken[0].contains(wanted) && !broken[0].contains(char::is_control), "{broken:?}");
        }
        assert!(read("[".repeat(100_000).as_bytes(), 0).0.is_empty());
        assert!(read("{\"a\":".repeat(100_000).as_bytes(), 1).0.is_empty());
    }
}
