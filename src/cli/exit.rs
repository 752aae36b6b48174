//! How the program ends: what can go wrong, and the exit status of each way to end.

use std::fmt;
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::path::Path;
use std::process;

use ampls_probes::azure::BadValue;
use ampls_probes::run::RunError;

use super::args::{OutputArgs, TalkArgs};
use super::input::InputError;
use super::output::{self, Output, OutputError};
use crate::render;
use crate::render::page::inert;
use crate::report::{Redacted, Report, exit_status};
use crate::text::quote;

/// Why there is not a report.
#[derive(Debug)]
pub(super) enum Failure {
    /// Wrong usage, or an input that cannot be read: status 2.
    Usage(String),
    /// The examination could not be done, or the output not be written: status 3.
    Impossible(String),
    /// The reader of the output has gone: the status stands.
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
            RunError::Runtime(_) | RunError::Plan(_) | RunError::Silent(_) => Self::Impossible(error.to_string()),
        }
    }
}

/// The exit status; a failure is printed in one line on standard error.
pub(super) fn finish(result: Result<u8, Failure>) -> u8 {
    let failure = match result {
        Ok(status) | Err(Failure::ReaderGone(status)) => return status,
        Err(failure) => failure,
    };
    // With standard error closed too, the status alone is left.
    let _ = writeln!(io::stderr(), "ampls-doctor: {}", inert(&failure.to_string()));
    if matches!(failure, Failure::Usage(_)) { 2 } else { 3 }
}

/// Ends the program when it finds a fault of its own: in one line, without the places of the machine that built it.
pub fn on_panic(fault: &PanicHookInfo<'_>) {
    let said = fault.payload();
    let said = said.downcast_ref::<&str>().copied().or_else(|| said.downcast_ref::<String>().map(String::as_str));
    let said = inert(said.unwrap_or("no reason is known"));
    let _ = writeln!(io::stderr(), "ampls-doctor: a fault of this program ended it: {said}; please report it");
    process::exit(3);
}

/// Writes a report and gives its exit status; fails when the output cannot be written.
pub(super) fn write_report(report: &Report, face: &OutputArgs, talk: TalkArgs, output: Output) -> Result<u8, Failure> {
    let style = output::style(&output, talk);
    let format = face.format().map_err(Failure::Usage)?;
    let written = output.write(|out| render::write(format, report, face.fail_on, &style, out));
    exit_code(written, exit_status(report, face.fail_on))
}

/// Says on standard error what went into a file, since the terminal shows nothing of it.
pub(super) fn announce(report: &Report, face: &OutputArgs, talk: TalkArgs) {
    let of_names = match &report.redacted {
        Some(redacted) => replaced(redacted),
        None => "contains names and addresses; --redact replaces them".to_owned(),
    };
    let what = match face.file() {
        Some(file) => {
            format!("{}. Report: {} ({of_names})", report.verdict.headline, quote(&file.to_string_lossy()))
        }
        None if report.redacted.is_some() => of_names,
        None => return,
    };
    say(talk, &what);
}

/// Says on standard error what went into a file that holds no report.
pub(super) fn announce_file(what: &str, file: Option<&Path>, talk: TalkArgs) {
    if let Some(file) = file.filter(|file| file.as_os_str() != "-") {
        say(talk, &format!("{what}: {}", quote(&file.to_string_lossy())));
    }
}

/// How many values have pseudonyms.
pub(super) fn replaced(redacted: &Redacted) -> String {
    let plural = |kind: &str| match kind {
        "address" => "addresses".to_owned(),
        kind => format!("{kind}s"),
    };
    let counted = redacted.manifest.iter().map(|(kind, count)| match count.values {
        1 => format!("1 {kind}"),
        values => format!("{values} {}", plural(kind)),
    });
    match counted.collect::<Vec<_>>().as_slice() {
        [] => "nothing had to be replaced".to_owned(),
        [all @ .., last] if !all.is_empty() => format!("replaced: {} and {last}", all.join(", ")),
        [one, ..] => format!("replaced: {one}"),
    }
}

/// One line on standard error, unless only the result is wanted.
pub(super) fn say(talk: TalkArgs, line: &str) {
    if !talk.quiet {
        // A message that cannot be written is not a failure.
        let _ = writeln!(io::stderr(), "ampls-doctor: {}", inert(line));
    }
}

/// The exit status, which stands when the reader has gone; fails when the output cannot be written.
pub(super) fn exit_code(written: Result<(), OutputError>, status: u8) -> Result<u8, Failure> {
    match written {
        Ok(()) => Ok(status),
        Err(error) if error.is_broken_pipe() => Err(Failure::ReaderGone(status)),
        Err(error) => Err(error.into()),
    }
}
