//! Where the result goes, and what counts as failure.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::destination::{self, Destination};
use super::offered;
use super::value::{OneOf, offering, quoted};
use crate::diagnose::finding::Owner;
use crate::diagnose::levels::{Level, Levels};
use crate::diagnose::rules::{RULES, explain_page};
pub use crate::render::Format;
use crate::report;
use crate::text::{meant, quote};

/// Where the result goes and what counts as failure.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Format of the result [default: table, or what the file's extension says]
    #[arg(long, value_name = "FORMAT", value_parser = OneOf(FORMATS))]
    pub format: Option<Format>,
    /// A ticket for that owner of faults (with --format markdown): dns, network, monitor, os or security
    #[arg(long, value_name = "OWNER", value_parser = OneOf(OWNERS))]
    pub ticket: Option<Owner>,
    /// Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .html, .md, .xml and .prom choose the format
    #[arg(short, long, value_name = "FILE", value_parser = Destination, value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Replace names and addresses with stable pseudonyms
    #[arg(long)]
    pub redact: bool,
    /// Exit with 1 from this severity
    #[arg(long, value_name = "SEVERITY", default_value = "error", value_parser = OneOf(FAIL_ON))]
    pub fail_on: report::FailOn,
    /// Override severity: off, info, warning or error. A root cause keeps the severity of what it explains
    #[arg(
        long = "rule",
        value_name = "CODE=LEVEL…",
        value_delimiter = ',',
        value_parser = offering(quoted(rule), offered::levels),
        hide_possible_values = true
    )]
    pub rules: Vec<(&'static str, Level)>,
}

impl OutputArgs {
    /// The format that is asked for, or that the file's name asks for; fails where there is none of that name, and where a
    /// ticket is asked for in another format than Markdown.
    pub fn format(&self) -> Result<Format, String> {
        match (destination::format(self.format, self.file(), FORMATS, Format::Table)?, self.ticket) {
            (format, None) => Ok(format),
            (Format::Markdown, Some(owner)) => Ok(Format::Ticket(owner)),
            (_, Some(owner)) => Err(format!("--ticket {} goes with --format markdown", owner.as_str())),
        }
    }

    /// The file that the result goes to; `None` for standard output.
    pub fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|file| file.as_os_str() != "-")
    }

    /// The severities that the user gave to rules; the last one given to a rule holds.
    pub fn levels(&self) -> Levels {
        self.rules.iter().copied().collect()
    }
}

pub(super) const FORMATS: &[(&str, Format)] = &[
    ("table", Format::Table),
    ("json", Format::Json),
    ("ndjson", Format::Ndjson),
    ("compact", Format::Compact),
    ("html", Format::Html),
    ("markdown", Format::Markdown),
    ("junit", Format::Junit),
    ("metrics", Format::Metrics),
];

const OWNERS: &[(&str, Owner)] = &[
    ("dns", Owner::Dns),
    ("network", Owner::Network),
    ("monitor", Owner::Monitor),
    ("os", Owner::Os),
    ("security", Owner::Security),
];

/// Those that `compare` has.
pub(super) const COMPARE_FORMATS: &[(&str, Format)] = &[("table", Format::Table), ("json", Format::Json)];

pub(super) const FAIL_ON: &[(&str, report::FailOn)] =
    &[("error", report::FailOn::Error), ("warning", report::FailOn::Warning), ("never", report::FailOn::Never)];

pub(super) const LEVELS: [(&str, Level); 4] =
    [("off", Level::Off), ("info", Level::Info), ("warning", Level::Warning), ("error", Level::Error)];

fn rule(text: &str) -> Result<(&'static str, Level), String> {
    let Some((code, level)) = text.split_once('=') else {
        return Err(format!("{} names no level: give CODE=off, info, warning or error", quote(text)));
    };
    let rule = explain_page(code).ok_or_else(|| {
        let meant = meant(code, RULES.iter().flat_map(|rule| [rule.code, rule.name]));
        let all = if meant.is_empty() { "; `ampls-doctor explain --list` names them" } else { "" };
        format!("there is no code {}{meant}{all}", quote(code))
    })?;
    let known = LEVELS.iter().find(|(name, _)| level.trim().eq_ignore_ascii_case(name));
    known
        .map(|(_, level)| (rule.code, *level))
        .ok_or_else(|| format!("{} is not a level: give off, info, warning or error", quote(level)))
}
