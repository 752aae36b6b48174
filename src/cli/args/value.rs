//! Values of arguments: parsed by the options' own parsers, refused in one line that never repeats a secret.

use std::ffi::OsStr;
use std::str::FromStr;

use ampls_probes::azure::BadValue;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::text::quote;

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

/// One of a few words.
#[derive(Clone)]
pub(super) struct OneOf<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for OneOf<T> {
    type Value = T;

    fn parse_ref(&self, _command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let known = self.0.iter().find(|(name, _)| value == OsStr::new(name));
        known.map(|(_, known)| known.clone()).ok_or_else(|| {
            let names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
            let value = quote(&value.to_string_lossy());
            refusal(argument, &format!("no such value {value}: give one of {}", names.join(", ")))
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|(name, _)| PossibleValue::new(name))))
    }
}

/// Clap's own message would repeat the value, which may be a connection string or hold control characters.
fn refusal(argument: Option<&Arg>, message: &str) -> Error {
    let name = argument.and_then(|argument| argument.get_long().map(|long| format!("--{long}: ")));
    Error::raw(ErrorKind::ValueValidation, format!("{}{message}\n", name.unwrap_or_default()))
}
