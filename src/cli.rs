//! The command line's dispatch: the only place of this crate that reads files, asks the terminal and writes.
//!
//! Data goes to standard output, talk to standard error. Every way to fail ends in one line and a promised exit status.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};

use ampls_probes::Catalogue;
use ampls_probes::azure::BadValue;
use ampls_probes::run::RunError;
use clap::Parser;

use args::{Cli, Command};
use input::InputError;
use message::one_line;
use output::{Output, OutputError};

use crate::render::page::inert;
use crate::{render, report};

pub use manual::{commands, completions, manual};

pub mod args;
mod check;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod input;
mod judge;
mod manual;
mod message;
mod output;
mod progress;
mod watch;

/// Runs the program with these arguments, the first being its own name, and returns its exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let Some(line) = one_line(&error) else {
                return said(print(|out| write!(out, "{}", error.render())));
            };
            return said(Err(Failure::Usage(line)));
        }
    };
    said(dispatch(cli))
}

fn dispatch(cli: Cli) -> Result<u8, Failure> {
    let (command, talk) = cli.into_command();
    match command {
        Command::Check(arguments) => check::check(&arguments, talk),
        Command::Plan(arguments) => check::plan(&arguments, talk),
        Command::Judge(arguments) => check::judge(&arguments, talk),
        Command::Redact(arguments) => check::redact(&arguments, talk),
        Command::Compare(arguments) => check::compare(&arguments, talk),
        Command::Explain(arguments) => explain::explain(&arguments, talk),
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => demo::demo(&arguments, talk),
        Command::Schema => print(|out| render::json::write(&report::schema(), out)),
        Command::Completions { shell } => print(|out| out.write_all(&completions(shell))),
        Command::Man { command } => print(|out| manual(command, out)),
    }
}

/// Why there is no report.
#[derive(Debug)]
enum Failure {
    /// Wrong usage, or an input that cannot be read: status 2.
    Usage(String),
    /// The examination could not be done, or the output not be written: status 3.
    Impossible(String),
    /// Whoever read the output has gone: the status stands.
    ReaderGone(u8),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Impossible(message) => formatter.write_str(message),
            Self::ReaderGone(_) => Ok(()),
        }
    }
}

impl From<BadValue> for Failure {
    fn from(error: BadValue) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        if error.is_broken_pipe() { Self::ReaderGone(0) } else { Self::Impossible(error.to_string()) }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::NothingToDo => Self::Usage(error.to_string()),
            RunError::Runtime(_) | RunError::Plan(_) => Self::Impossible(error.to_string()),
        }
    }
}

/// The exit status; a failure is told in one line.
fn said(result: Result<u8, Failure>) -> u8 {
    let failure = match result {
        Ok(status) | Err(Failure::ReaderGone(status)) => return status,
        Err(failure) => failure,
    };
    // With standard error closed too, the status alone has to speak.
    let _ = writeln!(io::stderr(), "ampls-doctor: {}", inert(&failure.to_string()));
    if matches!(failure, Failure::Usage(_)) { 2 } else { 3 }
}

/// Writes to standard output.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<u8, Failure> {
    Output::Stdout.write(write)?;
    Ok(0)
}

fn catalogue() -> Result<Catalogue, Failure> {
    Catalogue::builtin().map_err(|error| Failure::Impossible(error.to_string()))
}
