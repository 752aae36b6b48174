//! Looking more than once.

use std::time::Duration;

use ampls_probes::Options;
use ampls_probes::options::{Expect, interval, patience};
use clap::Args;

use super::value::{OneOf, checked};

/// Looking more than once.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Look again")]
pub struct WatchArgs {
    /// Look again until the verdict is private (implies --expect private) or healthy; exit with 1 if it never is
    #[arg(long, value_name = "VERDICT", value_parser = OneOf(WANTED), conflicts_with = "every")]
    pub wait: Option<Wanted>,
    /// Wait so long at most, in seconds [default: 600]
    #[arg(long = "for", value_name = "SECS", requires = "wait", value_parser = checked(patience))]
    pub patience: Option<Duration>,
    /// Look again every so many seconds until a signal comes; a table is followed by one line a look, JSON is one document a line
    #[arg(long, value_name = "SECS", value_parser = checked(interval))]
    pub every: Option<Duration>,
}

impl WatchArgs {
    /// Who waits for private paths expects them.
    pub fn apply(&self, options: &mut Options) -> Result<(), String> {
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
