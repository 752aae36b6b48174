//! Looking more than once.

use std::time::Duration;

use ampls_probes::Options;
use ampls_probes::endpoint::Expect;
use ampls_probes::options::{interval, patience, splay};
use clap::Args;

use super::output::{Format, OutputArgs};
use super::value::{OneOf, checked};

/// Looking more than once.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Repeat")]
pub struct WatchArgs {
    /// Look again until the verdict is private (implies --expect private) or healthy; exit with 1 if it never is
    #[arg(long, value_name = "VERDICT", value_parser = OneOf(WANTED), conflicts_with = "every")]
    pub wait: Option<Wanted>,
    /// Give up after SECS seconds [default: 600]
    #[arg(long = "for", value_name = "SECS", requires = "wait", allow_negative_numbers = true, value_parser = checked(patience))]
    pub patience: Option<Duration>,
    /// Look again every SECS seconds until a signal comes; a table is followed by one line a look, JSON is one document a line; html, markdown, junit and metrics need -o
    #[arg(long, value_name = "SECS", allow_negative_numbers = true, value_parser = checked(interval))]
    pub every: Option<Duration>,
    /// Wait up to SECS seconds before the first look, each machine as long as its own id says: machines that are started together do not ask their servers together
    #[arg(long, value_name = "SECS", allow_negative_numbers = true, value_parser = checked(splay))]
    pub splay: Option<Duration>,
}

impl WatchArgs {
    /// `--wait private` implies `--expect private`. `--every` to standard output needs a format whose documents may follow one
    /// another. Fails when arguments contradict each other.
    pub fn apply(&self, options: &mut Options, face: &OutputArgs) -> Result<(), String> {
        let format = match face.format()? {
            Format::Html => Some("html"),
            Format::Markdown | Format::Ticket(_) => Some("markdown"),
            Format::Junit => Some("junit"),
            Format::Metrics => Some("metrics"),
            Format::Table | Format::Json | Format::Ndjson | Format::Compact => None,
        };
        if let Some(format) = format.filter(|_| self.every.is_some() && face.file().is_none()) {
            return Err(format!(
                "--every with --format {format} would write one document after the other to standard output: give a file with -o, \
                 which is replaced each time"
            ));
        }
        if self.wait == Some(Wanted::Private) {
            match options.expect {
                Expect::Public => {
                    return Err("--wait private contradicts --expect public: leave one of them out".to_owned());
                }
                Expect::Auto | Expect::Private => options.expect = Expect::Private,
            }
        }
        Ok(())
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Every required private-capable name is private.
    Private,
    /// No warning and no error.
    Healthy,
}

impl Wanted {
    /// The word of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Healthy => "healthy",
        }
    }
}

const WANTED: &[(&str, Wanted)] = &[("private", Wanted::Private), ("healthy", Wanted::Healthy)];
