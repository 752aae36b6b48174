//! The report as JSON, indented for people who open the file.
//!
//! What would act on a terminal is written as an escape: the document means the same, and `cat` is harmless.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Deserializer, Serializer};

use crate::text::acts_on_output;

/// Writes a document and a line end.
pub fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    inert(&indented(&serde_json::to_string(document)?)?, out)?;
    writeln!(out)
}

/// Writes a document on one line: one of many.
pub fn write_line(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    inert(&serde_json::to_string(document)?, out)?;
    writeln!(out)
}

/// A document of one line over many lines. The text is what is indented: a second way of writing for every type that stands in
/// a document is 70 kB of program.
fn indented(json: &str) -> serde_json::Result<String> {
    let mut lines = Vec::with_capacity(json.len() * 2);
    serde_transcode::transcode(&mut Deserializer::from_str(json), &mut Serializer::pretty(&mut lines))?;
    String::from_utf8(lines).map_err(serde::ser::Error::custom)
}

/// Outside of its strings JSON is ASCII and acts only by line ends, which within strings are escaped already (RFC 8259,
/// section 7).
fn inert(json: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut rest = json;
    while let Some((at, character)) = rest.char_indices().find(|(_, c)| *c != '\n' && acts_on_output(*c)) {
        let (before, after) = rest.split_at(at);
        out.write_all(before.as_bytes())?;
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        rest = after.strip_prefix(character).unwrap_or_default();
    }
    out.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped_and_the_value_is_the_same() {
        let evil = "a\u{9b}2J\u{7f}\u{85}\u{2028}\u{202e}\u{200b}\u{feff}\u{e0041}\n\t\u{1b}\"\\é… z";
        let document = json!({ evil: [evil, { "deep": evil }] });
        let mut out = Vec::new();
        write(&document, &mut out).unwrap();
        write_line(&document, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains(|c| c != '\n' && acts_on_output(c)), "{text:?}");
        assert!(
            text.contains("\\u009b2J\\u007f\\u0085\\u2028\\u202e\\u200b\\ufeff\\udb40\\udc41") && text.contains("é… z")
        );
        let documents = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        assert_eq!(documents.map(Result::unwrap).collect::<Vec<_>>(), [document.clone(), document]);
    }
}
