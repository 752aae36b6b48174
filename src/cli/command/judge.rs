//! `judge`: a saved report once more, with the rules of this version.

use super::catalogue;
use super::redact::{NOT_UNDER_PSEUDONYMS, key, redacted};
use crate::cli::args::{Format, JudgeArgs, OutputArgs, TalkArgs};
use crate::cli::exit::{Failure, announce, exit_code, write_report};
use crate::cli::input;
use crate::cli::output::{self, Output};
use crate::cli::saved::{Input, judged, read_any};
use crate::render;
use crate::report::digest::Digest;

pub(in crate::cli) fn judge(arguments: &JudgeArgs, talk: TalkArgs) -> Result<u8, Failure> {
    arguments.output.format().map_err(Failure::Usage)?;
    let output = Output::open(arguments.output.output.as_deref())?;
    let held = input::facts(arguments.held.facts.as_deref())?;
    let input = read_any(&arguments.file)?;
    let mut saved = match input {
        Input::Report(saved) => *saved,
        Input::Digest(_) if held.is_some() => {
            return Err(Failure::Usage(
                "a digest holds no observations: give the whole report with --facts".to_owned(),
            ));
        }
        Input::Digest(digest) => return repeat(&digest, &arguments.output, talk, output),
    };
    if held.is_some() && (arguments.output.redact || saved.redacted.is_some()) {
        return Err(Failure::Usage(NOT_UNDER_PSEUDONYMS.to_owned()));
    }
    let given = arguments.output.levels();
    if !given.is_empty() {
        saved.rules = given;
    }
    if arguments.output.redact {
        saved = redacted(saved, &catalogue()?, key())?;
    }
    let report = judged(saved, held.as_ref());
    let status = write_report(&report, &arguments.output, talk, output)?;
    announce(&report, &arguments.output, talk);
    Ok(status)
}

/// A digest holds no observations: its codes are repeated.
fn repeat(digest: &Digest, face: &OutputArgs, talk: TalkArgs, output: Output) -> Result<u8, Failure> {
    if face.redact {
        return Err(Failure::Usage("a digest cannot be redacted: give the whole report".to_owned()));
    }
    // What a rule explains takes part in how bad its root is, and a digest holds only the outcome.
    if !face.levels().is_empty() {
        return Err(Failure::Usage(
            "a digest cannot be judged with other severities: give the whole report".to_owned(),
        ));
    }
    let status = digest.exit_status(face.fail_on);
    let written = match face.format().map_err(Failure::Usage)? {
        Format::Table => {
            let style = output::style(&output, talk);
            output.write(|out| render::compact::repeat_for_people(digest, status, style, out))
        }
        Format::Compact => output.write(|out| render::compact::repeat(digest, status, out)),
        Format::Json => output.write(|out| render::json::write(digest, out)),
        _ => {
            return Err(Failure::Usage(
                "a digest holds no observations: give the whole report for this format".to_owned(),
            ));
        }
    };
    exit_code(written, status)
}
