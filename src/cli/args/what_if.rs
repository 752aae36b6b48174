//! `what-if`: which changes, and the reports that they are tried on.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::destination::{self, Destination};
use super::facts::FactsArgs;
use super::output::{COMPARE_FORMATS, Format};
use super::value::OneOf;

pub(super) const EXAMPLES: &str = "\
Changes, made one after the other:
  link ZONE                     link it where these machines' servers resolve;
                                needs --like or --facts
  unlink ZONE                   remove the link
  record NAME=ADDRESS|none      add, change or remove a record
  records FILE                  the records of a private endpoint
  fallback ZONE=on|off          fallback to internet of the links
  forward SERVER SUFFIX=TARGET  a conditional forwarder
  dns ADDRESS,…                 the DNS servers of the virtual network

Nothing is guessed: what the reports do not show is unknown. Machines without
a report are not in it.

Example: who breaks if the platform team links the zone to the hub?
  ampls-doctor what-if --change 'link privatelink.monitor.azure.com' \\
    --like linked-vm.json reports/

Exit status:
  0  no required name breaks, and none is unknown
  1  a required name breaks, or is unknown (unless --allow-unknown)
  2  wrong usage, or no whole report that can be read
  3  the output cannot be written";

/// `what-if`
#[derive(Debug, Args)]
pub struct WhatIfArgs {
    /// Whole reports: files, folders, patterns, `-` for standard input
    #[arg(value_name = "REPORT", required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// A change, e.g. `unlink privatelink.monitor.azure.com`; several are made one after the other
    #[arg(long = "change", value_name = "CHANGE", required = true)]
    pub changes: Vec<String>,
    /// The report of a machine that shows what the change gives: its zone is linked there, or its servers are asked
    #[arg(long, value_name = "REPORT", value_hint = ValueHint::FilePath)]
    pub like: Option<PathBuf>,
    /// What Azure holds: the records of the zone.
    #[command(flatten)]
    pub held: FactsArgs,
    /// Do not exit with 1 for what is unknown
    #[arg(long)]
    pub allow_unknown: bool,
    /// Format of the result [default: table, or what the file's extension says]
    #[arg(long, value_name = "FORMAT", value_parser = OneOf(COMPARE_FORMATS), help_heading = "Output")]
    pub format: Option<Format>,
    /// Write to this file (created 0600; Windows: as its folder), `-` for standard output
    #[arg(short, long, value_name = "FILE", value_parser = Destination, value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub output: Option<PathBuf>,
}

impl WhatIfArgs {
    /// The format that is asked for, or that the file's name asks for; fails where there is none of that name.
    pub fn format(&self) -> Result<Format, String> {
        destination::format(self.format, self.output.as_deref(), COMPARE_FORMATS, Format::Table)
    }
}
