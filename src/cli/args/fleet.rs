//! `fleet`: which reports, and what is made of them.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::destination::{self, Destination};
use super::facts::FactsArgs;
use super::output::FAIL_ON;
use super::value::OneOf;
use crate::fleet::Dimension;
use crate::render::fleet::Format;
use crate::report::FailOn;

pub(super) const EXAMPLES: &str = "\
Reads reports (JSON, NDJSON), digests (the compact format), and what az vm
run-command, az vmss run-command, Ansible and AWX print of them, compressed with
gzip or zstd or not. The newest report of each machine counts. What cannot be
read is counted and named, and the rest goes on.

Examples:
  ampls-doctor fleet reports/
  az vmss run-command list … | ampls-doctor fleet -
  ampls-doctor fleet reports/ --by server
  ampls-doctor fleet today/ --since yesterday/ -o fleet.html

Exit status:
  0  no machine has a root cause at or above --fail-on
  1  at least one machine has, or could not be examined
  2  wrong usage, or no input that can be read
  3  no machine was examined, or the output cannot be written";

/// `fleet`
#[derive(Debug, Args)]
pub struct FleetArgs {
    /// Files, folders, patterns, `-` for standard input
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Also group the machines by this: region, subnet, subscription, server, zone, code or agent
    #[arg(long, value_name = "WHAT", value_parser = OneOf(DIMENSIONS))]
    pub by: Option<Dimension>,
    /// Compare with earlier reports: what got better, worse, appeared, vanished
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub since: Vec<PathBuf>,
    /// What Azure holds.
    #[command(flatten)]
    pub held: FactsArgs,
    /// Format of the result [default: table, or what the file's extension says]
    #[arg(long, value_name = "FORMAT", value_parser = OneOf(FORMATS), help_heading = "Output")]
    pub format: Option<Format>,
    /// Write to this file (created 0600; Windows: as its folder), `-` for standard output; .json, .ndjson, .csv, .md, .html and .prom choose the format
    #[arg(short, long, value_name = "FILE", value_parser = Destination, value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Exit with 1 from this severity
    #[arg(long, value_name = "SEVERITY", default_value = "error", value_parser = OneOf(FAIL_ON), help_heading = "Output")]
    pub fail_on: FailOn,
}

impl FleetArgs {
    /// The format that is asked for, or that the file's name asks for; fails where there is none of that name.
    pub fn format(&self) -> Result<Format, String> {
        destination::format(self.format, self.output.as_deref(), FORMATS, Format::Table)
    }
}

const DIMENSIONS: &[(&str, Dimension)] = &[
    ("region", Dimension::Region),
    ("subnet", Dimension::Subnet),
    ("subscription", Dimension::Subscription),
    ("server", Dimension::Server),
    ("zone", Dimension::Zone),
    ("code", Dimension::Code),
    ("agent", Dimension::Agent),
];

const FORMATS: &[(&str, Format)] = &[
    ("table", Format::Table),
    ("json", Format::Json),
    ("ndjson", Format::Ndjson),
    ("csv", Format::Csv),
    ("markdown", Format::Markdown),
    ("html", Format::Html),
    ("metrics", Format::Metrics),
];
