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
    /// What stands for each word where it is not known.
    unknown: Vec<&'static str>,
}

impl Command {
    /// What the macro `command!` makes: each `{}` of the template is one of the words, quoted as the
    /// language wants it there.
    #[must_use]
    pub fn new(language: Language, template: &'static str, words: &[Word]) -> Self {
        let mut line = String::with_capacity(template.len());
        let unknown = words.iter().map(Word::unknown).collect();
        let mut words = words.iter();
        let mut parts = template.split(SLOT).peekable();
        while let Some(part) = parts.next() {
            line.push_str(part);
            if parts.peek().is_none() {
                break;
            }
            let Some(word) = words.next() else { continue };
            let within = quoting::is_open(language, &line);
            line.push_str(&word.written(language, within));
        }
        Self { language, template, line, unknown }
    }

    /// The same command of any machine: a placeholder for each word.
    pub fn of_any_machine(&self) -> String {
        let words = self.unknown.iter().copied().chain(std::iter::repeat(""));
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
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        PLACEHOLDERS.iter().flat_map(move |(name, _)| {
            self.line.match_indices(*name).filter_map(move |(start, _)| {
                let (before, after) = (self.line.get(..start)?, self.line.get(start + name.len()..)?);
                let is_whole = !before.ends_with(is_part) && !after.starts_with(is_part);
                let is_column = after.starts_with('=') && !after.starts_with("==") && before.ends_with([' ', ',']);
                let is_key = after.starts_with(':') && before.ends_with(['{', ' ', ',']);
                is_whole.then_some((*name, is_column || is_key || before.ends_with("l='")))
            })
        })
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
