//! `compare`: what differs between two saved reports.

use super::catalogue;
use super::redact::{key, redacted};
use crate::cli::args::{CompareArgs, Format, TalkArgs};
use crate::cli::exit::{Failure, announce_file, exit_code};
use crate::cli::input;
use crate::cli::output::{self, Output};
use crate::cli::saved::{self, Saved};
use crate::{compare, render};

pub(in crate::cli) fn compare(arguments: &CompareArgs, talk: TalkArgs) -> Result<u8, Failure> {
    if input::is_stdin(&arguments.a) && input::is_stdin(&arguments.b) {
        return Err(Failure::Usage("standard input holds one report only; give the other one as a file".to_owned()));
    }
    let format = arguments.format().map_err(Failure::Usage)?;
    let output = Output::open(arguments.output.as_deref())?;
    let (mut a, mut b) = (saved::read(&arguments.a)?, saved::read(&arguments.b)?);
    // Where one has pseudonyms, the other gets some too: then both are reduced to what pseudonyms leave.
    if a.redacted.is_some() != b.redacted.is_some() {
        let plain = if a.redacted.is_none() { &mut a } else { &mut b };
        let seen = Saved {
            id: plain.id,
            rules: plain.rules.clone(),
            observations: plain.observations.clone(),
            redacted: None,
        };
        *plain = redacted(seen, &catalogue()?, key())?;
    }
    let comparison = compare::compare(&saved::judged(a, None), &saved::judged(b, None));
    let status = comparison.exit_status(arguments.fail_on);
    let style = output::style(&output, talk);
    let written = output.write(|out| match format {
        Format::Json => render::json::write(&comparison, out),
        _ => render::compare::write(&comparison, &style, out),
    });
    let status = exit_code(written, status)?;
    announce_file("Comparison", arguments.output.as_deref(), talk);
    Ok(status)
}
