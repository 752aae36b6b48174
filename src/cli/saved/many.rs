//! Reports of many machines in one text: a report or row a line, JSON of commands that asked many machines, digests among
//! the lines that people read.
//!
//! Nothing here fails: what cannot be read is said of the place where it stands, and the rest goes on.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{Saved, digest, is_read, kind, newer, parse};
use crate::fleet::{Document, Read, Sighting, Source};
use crate::render::page::inert;
use crate::report::SCHEMA;
use crate::report::digest::Digest;
use crate::text::decode;

/// What was found at a place.
#[derive(Debug)]
pub(in crate::cli) enum Found {
    /// What a report says of a machine.
    Sighting(Box<Sighting>),
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

/// A place in a block.
struct At {
    line: u64,
    /// Where a file holds what stands there.
    source: Option<Source>,
}

impl Block {
    /// Everything that is found in it, in its order.
    pub(in crate::cli) fn read(&self) -> Vec<Found> {
        let mut found = Vec::new();
        if self.line == 0 {
            self.whole(&mut found);
        } else {
            let mut offset = 0;
            for (number, line) in (self.line..).zip(self.bytes.split(|byte| *byte == b'\n')) {
                self.line(&At { line: number, source: self.source(offset, line.len()) }, line, &mut found);
                offset += line.len() + 1;
            }
        }
        found
    }

    /// The whole reports in it, with their observations; of everything else where it stands, and why it is not a report.
    pub(in crate::cli) fn reports(&self) -> Vec<Result<Saved, String>> {
        let named = |line: u64, why: String| match line {
            0 => format!("{}: {why}", self.file),
            line => format!("{}, line {line}: {why}", self.file),
        };
        if self.line == 0 {
            return vec![parse(&self.bytes).map_err(|why| named(0, why))];
        }
        let lines = (self.line..).zip(self.bytes.split(|byte| *byte == b'\n'));
        let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
        lines.map(|(number, line)| parse(line).map_err(|why| named(number, why))).collect()
    }

    /// Where so many bytes of it can be read again.
    fn source(&self, offset: usize, length: usize) -> Option<Source> {
        let place = self.place.as_ref()?;
        let offset = place.offset.checked_add(u64::try_from(offset).ok()?)?;
        Some(Source { file: Arc::clone(&place.file), offset, length: u64::try_from(length).ok()? })
    }

    fn line(&self, at: &At, line: &[u8], found: &mut Vec<Found>) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_start_matches('\u{feff}').trim();
        // The last line of the `compact` format repeats what its digest says.
        if text.is_empty() || text.starts_with("VERDICT ") {
            return;
        }
        if text.starts_with(['{', '[']) {
            self.json(text, at, found);
        } else {
            found.push(self.broken(at.line, "is not a JSON object"));
        }
    }

    fn whole(&self, found: &mut Vec<Found>) {
        let text = match std::str::from_utf8(&self.bytes) {
            Ok(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
            Err(_) => decode(&self.bytes).map_or_else(|| String::from_utf8_lossy(&self.bytes), Cow::Owned),
        };
        let begin = text.trim_start();
        if begin.is_empty() {
            return found.push(self.broken(0, "is empty"));
        }
        if begin.starts_with(['{', '[']) {
            let before = found.len();
            // Of a text in another encoding only the whole file is known.
            let before_it = (text.len() == self.bytes.len()).then(|| text.len() - begin.len());
            let failed = self.documents(begin, before_it, found);
            // A log may begin with a brace and hold a digest further down.
            if failed.is_some() && found.len() == before {
                found.extend(digest::digest(&self.bytes).into_iter().map(|digest| self.of_digest(0, digest)));
            }
            if let Some(why) = failed.filter(|_| found.len() == before) {
                found.push(self.broken(0, &why));
            }
            return;
        }
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with('{') && line.contains("\"digest\""));
        let digests: Vec<Found> =
            lines.filter_map(|line| digest::digest(line.as_bytes())).map(|digest| self.of_digest(0, digest)).collect();
        if !digests.is_empty() {
            return found.extend(digests);
        }
        let only = digest::digest(&self.bytes).map(|digest| self.of_digest(0, digest));
        found.push(only.unwrap_or_else(|| {
            let what = kind::of_octets(&self.bytes).or_else(|| kind::of_text(&text));
            self.broken(0, what.unwrap_or("is neither JSON nor holds a digest"))
        }));
    }

    /// One document after the other; gives why the last one cannot be read.
    fn documents(&self, text: &str, offset: Option<usize>, found: &mut Vec<Found>) -> Option<String> {
        let mut number = 0;
        let mut documents = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        while let Some(document) = documents.next() {
            number += 1;
            match document {
                Ok(document) => {
                    let length = document.get().len();
                    let source = match offset {
                        Some(offset) => self.source((offset + documents.byte_offset()).saturating_sub(length), length),
                        None => self.source(0, self.bytes.len()),
                    };
                    self.json(document.get(), &At { line: 0, source }, found);
                }
                Err(error) if number > 1 => {
                    found.push(self.broken(0, &format!("document {number} {}", wrong(&error))));
                    return None;
                }
                Err(error) => return Some(wrong(&error)),
            }
        }
        None
    }

    /// A document, or each of a list of them.
    fn json(&self, text: &str, at: &At, found: &mut Vec<Found>) {
        if text.starts_with('{') {
            return self.object(text, at, found);
        }
        let line = at.line;
        let objects = serde_json::from_str::<Vec<&RawValue>>(text);
        match objects {
            Ok(objects) if !objects.is_empty() && objects.iter().all(|object| object.get().starts_with('{')) => {
                for object in objects {
                    self.object(object.get(), &At { line, source: None }, found);
                }
            }
            Ok(_) => self.wrapped(text, line, found),
            Err(error) => found.push(self.broken(line, &wrong(&error))),
        }
    }

    fn object(&self, text: &str, at: &At, found: &mut Vec<Found>) {
        let line = at.line;
        let document: Document = match serde_json::from_str(text) {
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
        let read = document.read(text, at.source.clone());
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
            Ok(digest) => Found::Sighting(Box::new(Sighting::from(&digest))),
            Err(why) => self.broken(line, &why),
        }
    }

    fn broken(&self, line: u64, why: &str) -> Found {
        let input = if line == 0 { self.file.to_string() } else { format!("{}, line {line}", self.file) };
        Found::Broken { input, why: why.to_owned() }
    }
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
        for found in block.read() {
            match found {
                Found::Sighting(sighting) => sightings.push(*sighting),
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
        sightings.into_iter().map(|sighting| sighting.name).collect()
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
        assert_eq!(whole.roots.len(), 1);
        let said = |sighting: &Sighting| -> Vec<(String, Vec<String>)> {
            sighting.roots[0].args.iter().map(|(name, value)| (name.clone(), value.values().to_vec())).collect()
        };
        assert_eq!(said(&digest), said(&whole));
        assert_eq!(rows.iter().filter(|row| !row.roots.is_empty()).map(said).collect::<Vec<_>>(), [said(&whole)]);
        let length = serde_json::to_string(&report).unwrap().len();
        assert!(whole.source.is_some_and(|it| (it.offset, it.length) == (0, length as u64)));
        assert!(digest.source.is_none());
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
