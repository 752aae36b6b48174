//! Firefox' preference files (`prefs.js`, `user.js`, defaults of the system), read line by line, so that a file of any length
//! takes no memory.
//!
//! Source: <https://firefox-source-docs.mozilla.org/modules/libpref/index.html>

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};

/// Octets that are read: more than a million lines.
pub(super) const FILE_LIMIT: u64 = 128 * 1024 * 1024;
/// Octets of a line that are looked at; lists of add-ons are longer and of no concern.
const LINE_LIMIT: u64 = 16 * 1024;

/// The preferences that decide whom Firefox asks.
pub(super) const NAMES: [&str; 8] = [
    "network.trr.mode",
    "network.trr.uri",
    "network.trr.custom_uri",
    "network.trr.bootstrapAddr",
    "network.trr.excluded-domains",
    "network.trr.allow-rfc1918",
    "doh-rollout.mode",
    "doh-rollout.uri",
];

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(i64),
    Text(String),
    Flag(bool),
}

/// A preference as a file sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Preference {
    pub(super) value: Value,
    /// `lockPref`, or the attribute `locked`.
    pub(super) locked: bool,
}

/// The preferences of [`NAMES`] that a file sets, by name; the last line wins. True when the file is longer than is read.
pub(super) fn parse(input: impl Read) -> io::Result<(BTreeMap<&'static str, Preference>, bool)> {
    let mut input = BufReader::new(input).take(FILE_LIMIT);
    let mut found = BTreeMap::new();
    let mut line = Vec::new();
    let mut comment = false;
    loop {
        line.clear();
        if (&mut input).take(LINE_LIMIT).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.last() != Some(&b'\n') {
            skip_line(&mut input)?;
        }
        found.extend(preferences(&line, &mut comment));
    }
    let truncated = input.limit() == 0 && !input.get_mut().fill_buf()?.is_empty();
    Ok((found, truncated))
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|octet| *octet == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        input.consume(length);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// The preferences of [`NAMES`] that a line sets. `comment` is whether the line begins inside `/* … */`.
fn preferences(line: &[u8], comment: &mut bool) -> Vec<(&'static str, Preference)> {
    let mut found = Vec::new();
    let Some(text) = outside_comments(line, comment) else { return found };
    // Several statements may share a line.
    for statement in text.split_inclusive(';') {
        found.extend(preference(statement));
    }
    found
}

fn outside_comments<'a>(line: &'a [u8], comment: &mut bool) -> Option<&'a str> {
    let mut text = line.trim_ascii();
    while *comment || text.starts_with(b"/*") {
        let from = if *comment { 0 } else { 2 };
        let rest = text.get(from..).unwrap_or_default();
        let Some(end) = rest.windows(2).position(|pair| pair == b"*/") else {
            *comment = true;
            return None;
        };
        *comment = false;
        text = rest.get(end + 2..).unwrap_or_default().trim_ascii();
    }
    std::str::from_utf8(text).ok()
}

fn preference(text: &str) -> Option<(&'static str, Preference)> {
    let open = text.find('(')?;
    let (keyword, rest) = (text.get(..open)?.trim(), text.get(open + 1..)?.trim_start());
    let locked = match keyword {
        "user_pref" | "pref" | "sticky_pref" | "defaultPref" => false,
        "lockPref" => true,
        _ => return None,
    };
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (name, rest) = rest.get(1..)?.split_once(quote)?;
    let name = NAMES.into_iter().find(|known| *known == name)?;
    let rest = rest.trim_start().strip_prefix(',')?.trim_start();
    let (value, rest) = value(rest)?;
    let attributes = rest.split(')').next().unwrap_or_default();
    let locked = locked || attributes.split(',').any(|attribute| attribute.trim() == "locked");
    Some((name, Preference { value, locked }))
}

/// The value that a text begins with, and what follows it.
fn value(text: &str) -> Option<(Value, &str)> {
    let quote = text.chars().next()?;
    if !matches!(quote, '"' | '\'') {
        let end = text.find([',', ')'])?;
        let (word, rest) = (text.get(..end)?.trim(), text.get(end..)?);
        return match word {
            "true" => Some((Value::Flag(true), rest)),
            "false" => Some((Value::Flag(false), rest)),
            _ => Some((Value::Number(word.parse().ok()?), rest)),
        };
    }
    let mut content = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => content.extend(characters.next().map(|(_, escaped)| escaped)),
            _ if character == quote => return Some((Value::Text(content), text.get(at + 1..)?)),
            _ => content.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(text: &[u8]) -> Option<Preference> {
        parse(text).unwrap().0.remove("network.trr.mode")
    }

    #[test]
    fn last_sound_line_wins() {
        let text = b"user_pref(\"network.trr.mode\", 2);\n  user_pref( 'network.trr.mode' , 3 ) ;\r\n\
            user_pref(\"network.trr.mode\", three);\nuser_pref(\"network.trr.mode\"\n\xff\xfe\0\n";
        assert_eq!(mode(text), Some(Preference { value: Value::Number(3), locked: false }));
    }

    #[test]
    fn statements_may_share_a_line() {
        let text = b"user_pref(\"network.trr.uri\", \"https://a/\"); user_pref(\"network.trr.mode\", 3);";
        assert_eq!(parse(&text[..]).unwrap().0.len(), 2);
    }

    #[test]
    fn comments_set_nothing() {
        assert_eq!(mode(b"// user_pref(\"network.trr.mode\", 2);\n# user_pref(\"network.trr.mode\", 2);\n"), None);
        assert_eq!(mode(b"/* a\nuser_pref(\"network.trr.mode\", 2);\n*/\n/* */"), None);
        assert!(mode(b"/* a\nb */ user_pref(\"network.trr.mode\", 2);").is_some());
    }

    #[test]
    fn locks_are_seen() {
        for text in ["lockPref(\"network.trr.mode\", 5);", "pref(\"network.trr.mode\", 5, sticky, locked);"] {
            assert!(mode(text.as_bytes()).is_some_and(|preference| preference.locked), "{text}");
        }
    }

    #[test]
    fn texts_are_unescaped() {
        let text = br#"user_pref("network.trr.uri", "https://a/\"q\"");"#;
        let found = parse(&text[..]).unwrap().0;
        assert_eq!(found["network.trr.uri"].value, Value::Text("https://a/\"q\"".to_owned()));
    }

    #[test]
    fn endless_line_is_passed_over() {
        let mut text = vec![b'x'; 1_000_000];
        text.extend(b"\nuser_pref(\"network.trr.mode\", 3);\n");
        assert!(mode(&text).is_some());
    }
}
