//! Values of arguments: parsed by the options' own parsers, refused in one line that never repeats a secret.

use std::ffi::OsStr;
use std::str::FromStr;

use ampls_probes::azure::BadValue;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::text::{nearest, quote};

/// A value parser from a function of the options.
#[derive(Clone)]
pub(super) struct Checked<T>(fn(&str) -> Result<T, BadValue>);

/// The parser of a type.
pub(super) fn parsed<T: FromStr<Err = BadValue>>() -> Checked<T> {
    Checked(T::from_str)
}

/// A parser that is a function.
pub(super) fn checked<T>(parse: fn(&str) -> Result<T, BadValue>) -> Checked<T> {
    Checked(parse)
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Checked<T> {
    type Value = T;

    fn parse_ref(&self, _command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let text = value.to_str().ok_or_else(|| refusal(argument, "the value is not UTF-8 text"))?;
        (self.0)(text).map_err(|bad| refusal(argument, &bad.to_string()))
    }
}

/// A value parser whose refusal is a message with its values quoted.
#[derive(Clone)]
pub(super) struct Quoted<T>(fn(&str) -> Result<T, String>);

/// A parser of this crate's own.
pub(super) fn quoted<T>(parse: fn(&str) -> Result<T, String>) -> Quoted<T> {
    Quoted(parse)
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Quoted<T> {
    type Value = T;

    fn parse_ref(&self, _command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let text = value.to_str().ok_or_else(|| refusal(argument, "the value is not UTF-8 text"))?;
        (self.0)(text).map_err(|message| refusal(argument, &message))
    }
}

/// A value parser that takes more than the values which it offers to the completion of shells.
#[derive(Clone)]
pub(super) struct Offering<P> {
    parser: P,
    values: fn() -> Vec<&'static str>,
}

/// The same parser, with values for the completion of shells.
pub(super) fn offering<P>(parser: P, values: fn() -> Vec<&'static str>) -> Offering<P> {
    Offering { parser, values }
}

impl<P: TypedValueParser> TypedValueParser for Offering<P> {
    type Value = P::Value;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<P::Value, Error> {
        self.parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.values)().into_iter().map(PossibleValue::new)))
    }
}

/// One of a few words, in any case of letters.
#[derive(Clone)]
pub(super) struct OneOf<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for OneOf<T> {
    type Value = T;

    fn parse_ref(&self, _command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let text = value.to_string_lossy();
        let known = self.0.iter().find(|(name, _)| text.trim().eq_ignore_ascii_case(name));
        known.map(|(_, known)| known.clone()).ok_or_else(|| {
            let names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
            let meant = meant(&text, &names).map(|name| format!("did you mean {}? ", quote(name))).unwrap_or_default();
            let value = quote(&text);
            refusal(argument, &format!("no such value {value}: {meant}give one of {}", names.join(", ")))
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|(name, _)| PossibleValue::new(name))))
    }
}

/// What other programs call the formats, and what is written for the same purpose here.
const SYNONYMS: [(&str, &str); 15] = [
    ("prometheus", "metrics"),
    ("prom", "metrics"),
    ("openmetrics", "metrics"),
    ("xml", "junit"),
    ("md", "markdown"),
    ("htm", "html"),
    ("page", "html"),
    ("jsonl", "ndjson"),
    ("jsonlines", "ndjson"),
    ("csv", "ndjson"),
    ("tsv", "ndjson"),
    ("yaml", "json"),
    ("yml", "json"),
    ("text", "table"),
    ("plain", "table"),
];

/// Which of the names is meant by a word that is none of them.
pub(super) fn meant<'n>(word: &str, names: &[&'n str]) -> Option<&'n str> {
    let word = word.trim().to_ascii_lowercase();
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == word).map(|(_, name)| *name);
    let of_names = |wanted: &str| names.iter().find(|name| **name == wanted).copied();
    synonym.and_then(of_names).or_else(|| nearest(&word, names.iter().copied()).into_iter().next())
}

/// Clap's own message would repeat the value, which may be a connection string or hold control characters.
pub(super) fn refusal(argument: Option<&Arg>, message: &str) -> Error {
    // A message that begins with the option's name needs no other.
    let named = message.starts_with('-');
    let name = argument.filter(|_| !named).and_then(|argument| argument.get_long().map(|long| format!("--{long}: ")));
    Error::raw(ErrorKind::ValueValidation, format!("{}{message}\n", name.unwrap_or_default()))
}
