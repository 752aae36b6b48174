//! `compare`: what differs between two saved reports.

use std::path::Path;

use crate::cli::args::{CompareArgs, Format, TalkArgs};
use crate::cli::exit::{Failure, exit_code};
use crate::cli::output::{self, Output};
use crate::cli::{input, saved};
use crate::{compare, render};

pub(in crate::cli) fn compare(arguments: &CompareArgs, talk: TalkArgs) -> Result<u8, Failure> {
    if input::is_stdin(&arguments.a) && input::is_stdin(&arguments.b) {
        return Err(Failure::Usage("standard input holds one report only; give the other one as a file".to_owned()));
    }
    let output = Output::open(arguments.output.as_deref())?;
    let report = |path: &Path| Ok::<_, Failure>(saved::judged(saved::read(path)?));
    let comparison = compare::compare(&report(&arguments.a)?, &report(&arguments.b)?);
    let status = comparison.exit_status(arguments.fail_on);
    let style = output::style(&output, talk);
    let written = output.write(|out| match arguments.format {
        Format::Json => render::json::write(&comparison, out),
        _ => render::compare::write(&comparison, &style, out),
    });
    exit_code(written, status)
}
