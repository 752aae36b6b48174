//! `redact`: a saved report under pseudonyms.

use ampls_probes::Catalogue;
use uuid::Uuid;

use super::catalogue;
use crate::cli::args::{RedactArgs, TalkArgs};
use crate::cli::exit::{Failure, exit_code};
use crate::cli::output::{self, Output};
use crate::cli::saved::{self, Saved, judged};
use crate::render;
use crate::report::{self, FailOn};

pub(in crate::cli) fn redact(arguments: &RedactArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let output = Output::open(arguments.output.as_deref())?;
    let saved = redacted(saved::read(&arguments.file)?, &catalogue()?, key())?;
    let style = output::style(&output, talk);
    let report = judged(saved);
    exit_code(output.write(|out| render::write(arguments.format, &report, FailOn::Error, &style, out)), 0)
}

/// A key for pseudonyms, forgotten when the program ends.
pub(super) fn key() -> [u8; 16] {
    Uuid::new_v4().into_bytes()
}

/// What was seen, under pseudonyms that nobody can undo; fails when a replaced value no longer fits its field. The run's id would lead back to the original.
pub(super) fn redacted(seen: Saved, catalogue: &Catalogue, key: [u8; 16]) -> Result<Saved, Failure> {
    let (observations, redacted) = report::redact(&seen.observations, catalogue, key)
        .map_err(|error| Failure::Impossible(format!("the report cannot be redacted: {error}")))?;
    Ok(Saved { id: Uuid::new_v4(), rules: seen.rules.of_known_codes(), observations, redacted: Some(redacted) })
}
