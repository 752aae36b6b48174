//! Finding a digest in whatever stands around it: the lines of the `compact` format, what `az … run-command` printed.
//!
//! The text is somebody else's, so the work is bounded by its length: what is parsed in search of a digest is counted.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{is_read, newer};
use crate::render::page::inert;
use crate::report::SCHEMA;
use crate::report::digest::{Digest, KIND};
use crate::text::decode;

/// Octets of a digest: some thousand times what is written.
const LONGEST: usize = 1024 * 1024;
/// How often a text may be parsed over in search of a digest: objects within objects, each from its own beginning.
const MOST_TIMES: usize = 8;

/// The last digest of a text, or of a text in what `az … run-command` printed; `None` when there is none. Run Command cuts
/// octets, not characters, so what stands before a digest need not be UTF-8.
pub(super) fn digest(bytes: &[u8]) -> Option<Result<Digest, String>> {
    let text = decode(bytes).map_or_else(|| String::from_utf8_lossy(bytes), Cow::Owned);
    within(&text).or_else(|| {
        // Quoted within JSON: only then is a document worth another look.
        if !text.contains("\\\"digest\\\"") {
            return None;
        }
        let mut texts = Vec::new();
        Texts(&mut texts).deserialize(&mut serde_json::Deserializer::from_str(&text)).ok()?;
        texts.iter().rev().find_map(|text| within(text))
    })
}

/// The digest of each text of a JSON document: what one command printed of many machines.
pub(super) fn digests(document: &str) -> Vec<Result<Digest, String>> {
    if !document.contains("\\\"digest\\\"") {
        return Vec::new();
    }
    let mut texts = Vec::new();
    let read = Texts(&mut texts).deserialize(&mut serde_json::Deserializer::from_str(document));
    if read.is_err() {
        return Vec::new();
    }
    texts.iter().filter_map(|text| within(text)).collect()
}

/// The last digest of a text, whatever stands before it on its line and wherever its own lines are broken.
fn within(text: &str) -> Option<Result<Digest, String>> {
    found(text, &Cell::new(text.len().saturating_mul(MOST_TIMES).saturating_add(LONGEST)))
}

/// The same; what may still be parsed is counted down.
fn found(text: &str, left: &Cell<usize>) -> Option<Result<Digest, String>> {
    let last = text.rfind("\"digest\"")?;
    let first = text.len() - text.trim_start().len();
    let begins = |at: usize| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        // A program that sorts the fields leaves it at the beginning of a line, or of the whole.
        at == first
            || after.trim_start().starts_with("\"schema\"")
            || before.trim_end_matches([' ', '\t']).ends_with(['\n', '\r'])
    };
    let from = |at: usize| {
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        rest.get(..LONGEST).unwrap_or(rest)
    };
    let is_digest = |at: usize| {
        #[derive(Deserialize)]
        struct Kind {
            kind: String,
        }
        let rest = Counted { rest: from(at), left };
        let start = serde_json::Deserializer::from_reader(rest).into_iter::<Kind>().next();
        matches!(start, Some(Ok(start)) if start.kind == KIND)
    };
    let before = text.get(..last)?;
    let places = before.rmatch_indices('{').map(|(at, _)| at).take_while(|_| left.get() > 0);
    let at = places.filter(|at| begins(*at)).find(|at| is_digest(*at))?;
    let parsed = serde_json::Deserializer::from_slice(from(at)).into_iter::<Digest>().next()?;
    Some(match parsed {
        Err(error) => Err(format!("is a digest that cannot be read: {}", inert(&error.to_string()))),
        Ok(digest) if !is_read(digest.schema) => Err(newer("schema", digest.schema, SCHEMA)),
        Ok(digest) => Ok(digest.bounded()),
    })
}

/// Octets whose reading is counted, and ends when too many were read.
struct Counted<'t> {
    rest: &'t [u8],
    left: &'t Cell<usize>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(self.left.get());
        let read = self.rest.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        self.left.set(self.left.get() - read);
        Ok(read)
    }
}

/// Takes every text of a document that may hold a digest, and nothing else: Azure's commands disagree on where the output of a
/// script stands.
struct Texts<'t>(&'t mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Texts<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<(), D::Error> {
        document.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a document")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if text.contains("\"digest\"") {
            self.0.push(text.to_owned());
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Texts(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while fields.next_key::<serde::de::IgnoredAny>()?.is_some() {
            fields.next_value_seed(Texts(self.0))?;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::mixed;

    fn line() -> String {
        serde_json::to_string(&Digest::new(&mixed(), 1)).unwrap()
    }

    /// What is parsed of a text in search of a digest, in octets.
    fn parsed(text: &str) -> usize {
        let left = Cell::new(usize::MAX);
        assert!(found(text, &left).is_none());
        usize::MAX - left.get()
    }

    #[test]
    fn digest_is_found_wherever_it_stands() {
        let line = line();
        let az =
            serde_json::json!({"value": [{"message": format!("[stdout]\n{line}\n[stderr]\n")}, 1, null, true, 1.5]});
        let pretty = serde_json::to_string_pretty(&Digest::new(&mixed(), 1)).unwrap();
        for text in [line.clone(), format!("  \n {line}"), format!("noise {line}\n{{}}\n"), az.to_string(), pretty] {
            assert!(matches!(digest(text.as_bytes()), Some(Ok(_))), "{text}");
        }
        assert!(digest(&[b"\x80\xfe\xff".as_slice(), b"cut\n", line.as_bytes()].concat()).is_some());
        assert!(digest(b"{\"kind\":\"digest").is_none());
    }

    #[test]
    fn braces_after_many_blanks_are_each_looked_at_once() {
        let count = 100_000;
        let text = format!("{}{}\"digest\"", " ".repeat(count), "{".repeat(count));
        assert!(parsed(&text) <= 2 * text.len(), "{}", parsed(&text));
    }

    #[test]
    fn objects_within_objects_are_parsed_a_few_times_over_and_not_for_each_of_them() {
        for part in ["{\"schema\":[", "\n{\"a\":"] {
            let text = format!("{}\"digest\"", part.repeat(20_000));
            let left = Cell::new(text.len() * MOST_TIMES);
            assert!(found(&text, &left).is_none());
            assert!(within(&text).is_none());
        }
    }

    #[test]
    fn text_that_is_longer_than_a_digest_is_not_read_as_one() {
        let long = line().replacen("\"servers\":[", &format!("\"servers\":[{}", "\"\",".repeat(LONGEST)), 1);
        assert!(!matches!(digest(long.as_bytes()), Some(Ok(_))));
    }
}
