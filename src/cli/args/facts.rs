//! What Azure holds, collected elsewhere: the file that several commands take.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// `--facts`
#[derive(Clone, Debug, Default, Args)]
pub struct FactsArgs {
    /// What Azure holds, as packaging/azure-facts collected it elsewhere: fills in commands, answers what a VM cannot see, says what changed
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What Azure holds")]
    pub facts: Option<PathBuf>,
}
