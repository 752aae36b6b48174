//! Commands for somebody else's production: text of this program, and typed words in it.
//!
//! Everything that a run, a saved report or a foreign disk holds is a stranger's word, and a command is there to be pasted.
//! So a command has one way to come into being: a template that is written in the source, and [`Word`]s, which only types
//! give that cannot hold anything else. A text that a type refuses leaves a placeholder in capitals in its place.
//!
//! A rule cannot put text of its own into a command:
//!
//! ```compile_fail
//! use ampls_doctor::diagnose::command::command;
//! let observed = String::from("x; id");
//! command!(Any, "nslookup {}", observed);
//! ```
//!
//! ```compile_fail
//! use ampls_doctor::diagnose::command::command;
//! let observed = String::from("x; id");
//! command!(Any, &format!("nslookup {observed}"));
//! ```
//!
//! ```compile_fail
//! use ampls_doctor::diagnose::finding::Fix;
//! Fix::look("ask by hand", [String::from("nslookup x; id")]);
//! ```
//!
//! It has to say what the text is:
//!
//! ```
//! use ampls_doctor::diagnose::command::{Host, command};
//! let ask = |observed| command!(Any, "nslookup {}", Host::new(observed));
//! assert_eq!(ask("a.azure.com").as_str(), "nslookup a.azure.com");
//! assert_eq!(ask("a.azure.com; id").as_str(), "nslookup HOST_NAME");
//! assert_eq!(ask("-port=1").as_str(), "nslookup HOST_NAME");
//! ```

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

pub use placeholder::{PLACEHOLDERS, Placeholder};
pub use word::{
    Address, ArmName, CloudName, FilePath, Guid, Host, HostPattern, HostsFile, NoProxy, Peer, Port, ProxyUrl, Record,
    Region, RegistryKey, ResourceId, ServiceName, ServiceTag, Subnet, UrlPath, VmName, VmResourceId, Word, Zone,
};

mod path;
mod placeholder;
mod quoting;
mod word;

/// What reads a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// POSIX shells, PowerShell and cmd alike: `az`, `nslookup`, this program itself.
    Any,
    /// POSIX shells.
    Sh,
    /// Windows PowerShell 5.1 and PowerShell 7.
    PowerShell,
    /// `cmd.exe`.
    Cmd,
    /// BIND's `named.conf`.
    Bind,
    /// dnsmasq's configuration.
    Dnsmasq,
}

/// One line to be copied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Command {
    language: Language,
    template: &'static str,
    line: String,
    /// What stands in the template's places.
    words: Vec<Word>,
}

impl Command {
    /// What the macro `command!` makes: each `{}` of the template is one of the words, quoted as the
    /// language wants it there.
    #[must_use]
    pub fn new(language: Language, template: &'static str, words: &[Word]) -> Self {
        let line = written(language, template, words, &|_| None);
        Self { language, template, line, words: words.to_vec() }
    }

    /// The same with what is known in the place of placeholders that it asks for. A word stands where the language takes it for
    /// nothing but itself; elsewhere the placeholder stays.
    #[must_use]
    pub fn filled(&self, known: &dyn Fn(&'static str) -> Option<Word>) -> Self {
        let fill = |word: &Word| match word.known() {
            Some(_) => word.clone(),
            None => known(word.unknown()).unwrap_or_else(|| word.clone()),
        };
        let words: Vec<Word> = self.words.iter().map(fill).collect();
        let line = written(self.language, self.template, &words, known);
        Self { language: self.language, template: self.template, line, words }
    }

    /// The word that stands where a placeholder of this name would, if it is known.
    pub fn value(&self, placeholder: &str) -> Option<&str> {
        self.words.iter().filter(|word| word.unknown() == placeholder).find_map(Word::known)
    }

    /// The same command of any machine: a placeholder for each word.
    pub fn of_any_machine(&self) -> String {
        let words = self.words.iter().map(Word::unknown).chain(std::iter::repeat(""));
        let parts = self.template.split(SLOT).zip(std::iter::once("").chain(words));
        parts.flat_map(|(part, word)| [word, part]).collect()
    }

    /// What reads it.
    pub fn language(&self) -> Language {
        self.language
    }

    /// What it was made of: the line with `{}` for each word.
    pub fn template(&self) -> &'static str {
        self.template
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.line
    }

    /// The placeholders that the reader has to fill in before it can be run.
    pub fn asks(&self) -> BTreeSet<&'static str> {
        self.placeholders().filter(|(_, is_given)| !is_given).map(|(name, _)| name).collect()
    }

    /// The placeholders whose values it prints, each under its own name: a column of a query (`VNET_ID=…`), a key of an
    /// output query (`{ZONE_GROUP:name}`), a label of PowerShell's (`l='REPLICATION_SCOPE'`).
    pub fn gives(&self) -> BTreeSet<&'static str> {
        self.placeholders().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }

    /// Each placeholder of the line, and whether the line names its value rather than wanting it.
    fn placeholders(&self) -> impl Iterator<Item = (&'static str, bool)> {
        PLACEHOLDERS.iter().flat_map(move |(name, _)| {
            self.line.match_indices(*name).filter_map(move |(start, _)| {
                let (before, after) = (self.line.get(..start)?, self.line.get(start + name.len()..)?);
                let is_whole = !before.ends_with(is_part) && !after.starts_with(is_part);
                is_whole.then(|| (*name, is_given(before, after)))
            })
        })
    }
}

/// A character of a placeholder's name.
fn is_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// Whether a line names a placeholder's value rather than wanting it, by what stands around it.
fn is_given(before: &str, after: &str) -> bool {
    let is_column = after.starts_with('=') && !after.starts_with("==") && before.ends_with([' ', ',']);
    let is_key = after.starts_with(':') && before.ends_with(['{', ' ', ',']);
    is_column || is_key || before.ends_with("l='")
}

/// A template with its words, and with what is known in the place of its own placeholders.
fn written(
    language: Language,
    template: &'static str,
    words: &[Word],
    known: &dyn Fn(&'static str) -> Option<Word>,
) -> String {
    let mut line = String::with_capacity(template.len());
    let mut words = words.iter();
    let mut parts = template.split(SLOT).peekable();
    while let Some(part) = parts.next() {
        push(language, part, known, &mut line);
        if parts.peek().is_none() {
            break;
        }
        let Some(word) = words.next() else { continue };
        let within = quoting::is_open(language, &line);
        line.push_str(&word.written(language, within));
    }
    line
}

/// The program's own text, with what is known in the place of the placeholders that it asks for.
fn push(language: Language, text: &'static str, known: &dyn Fn(&'static str) -> Option<Word>, line: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            line.extend(rest.chars().next());
            rest = rest.get(rest.chars().next().map_or(1, char::len_utf8)..).unwrap_or_default();
            continue;
        }
        let placeholder = PLACEHOLDERS.iter().map(|(name, _)| *name).find(|it| *it == name);
        let word = placeholder.filter(|_| !is_given(line, after)).and_then(known);
        line.push_str(word.as_ref().and_then(|word| word.bare(language)).unwrap_or(name));
        rest = after;
    }
}

const SLOT: &str = "{}";

/// How many words a template takes.
#[must_use]
pub const fn slots(template: &str) -> usize {
    let bytes = template.as_bytes();
    let (mut at, mut count) = (0, 0);
    while at + 1 < bytes.len() {
        if bytes[at] == b'{' && bytes[at + 1] == b'}' {
            count += 1;
            at += 1;
        }
        at += 1;
    }
    count
}

/// A command: a language, a template, and as many typed words as it has `{}`.
#[macro_export]
#[doc(hidden)]
macro_rules! __command {
    ($language:ident, $template:expr $(, $word:expr)* $(,)?) => {{
        const TEMPLATE: &str = $template;
        const WORDS: usize = <[&str]>::len(&[$(stringify!($word)),*]);
        const { assert!($crate::diagnose::command::slots(TEMPLATE) == WORDS, "as many words as the template has slots") };
        $crate::diagnose::command::Command::new(
            $crate::diagnose::command::Language::$language,
            TEMPLATE,
            &[$($crate::diagnose::command::Word::from($word)),*],
        )
    }};
}
#[doc(inline)]
pub use crate::__command as command;

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.line)
    }
}

impl JsonSchema for Command {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests;
