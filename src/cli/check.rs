//! From a world or a saved report to a judged report, written and told as an exit status.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ampls_probes::plan::{Discovered, MetadataState};
use ampls_probes::run::{discover, run};
use ampls_probes::world::roots_from_pem;
use ampls_probes::{Options, World};
use uuid::Uuid;

use super::args::{self, CheckArgs, JudgeArgs, OutputArgs, PlanArgs, PlanFormat, RedactArgs, TalkArgs};
use super::judge::{Input, Saved};
use super::output::{self, Output, OutputError};
use super::progress::ProgressLine;
use super::{Failure, catalogue};
use crate::diagnose::diagnose_facts;
use crate::diagnose::facts::Facts;
use crate::render::{self, Format};
use crate::report::digest::Digest;
use crate::report::{self, FailOn, Report, RunInfo, exit_status};
use crate::text::quote;

/// Bytes read of a file of roots: the whole public web fits into a tenth of it.
const MAX_PEM_BYTES: u64 = 4 * 1024 * 1024;

pub(super) fn check(arguments: &CheckArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let options = arguments.options()?;
    let roots = match arguments.how.public_roots.as_deref() {
        Some(path) => Some(roots_from_pem(&pem(path)?).map_err(|failure| roots_failure(path, &failure.to_string()))?),
        None => None,
    };
    let output = Output::open(arguments.output.output.as_deref())?;
    examine(World::from_system(None, roots.as_deref()), options, &arguments.output, talk, output)
}

/// Looks at a world, real or simulated, and tells.
pub(super) fn examine(
    world: World,
    options: Options,
    face: &OutputArgs,
    talk: TalkArgs,
    output: Output,
) -> Result<u8, Failure> {
    let catalogue = catalogue()?;
    let line = ProgressLine::new(talk.quiet || face.redact);
    let observations = run(world, options, &catalogue, &|progress| line.show(progress))?;
    drop(line);
    tell(Saved { id: Uuid::new_v4(), observations, redacted: None }, face, talk, output)
}

pub(super) fn judge(arguments: &JudgeArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let input = super::judge::read_any(&arguments.file)?;
    let output = Output::open(arguments.output.output.as_deref())?;
    match input {
        Input::Report(saved) => tell(*saved, &arguments.output, talk, output),
        Input::Digest(digest) => repeat(&digest, &arguments.output, output),
    }
}

pub(super) fn redact(arguments: &RedactArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let saved = super::judge::read(&arguments.file)?;
    let output = Output::open(arguments.output.as_deref())?;
    let face = OutputArgs { format: arguments.format, output: None, redact: true, fail_on: args::FailOn::Never };
    tell(saved, &face, talk, output)?;
    Ok(0)
}

/// What was seen, under pseudonyms that nobody can undo: the key is gone when this returns.
fn redacted(seen: &Saved) -> Result<Saved, Failure> {
    let key = Uuid::new_v4().into_bytes();
    let replaced = report::redact(&seen.observations, &catalogue()?, key);
    let (observations, redacted) =
        replaced.map_err(|error| Failure::Impossible(format!("the report cannot be redacted: {error}")))?;
    Ok(Saved { id: Uuid::new_v4(), observations, redacted: Some(redacted) })
}

/// A digest holds no observations: its codes are repeated.
fn repeat(digest: &Digest, face: &OutputArgs, output: Output) -> Result<u8, Failure> {
    if face.redact {
        return Err(Failure::Usage("a digest cannot be redacted: give the whole report".to_owned()));
    }
    let status = digest.exit_status(fail_on(face));
    let written = match face.format {
        Format::Table | Format::Compact => output.write(|out| render::compact::repeat(digest, status, out)),
        Format::Json => output.write(|out| render::json::write(digest, out)),
        _ => {
            return Err(Failure::Usage(
                "a digest holds no observations: give the whole report for this format".to_owned(),
            ));
        }
    };
    ended(written, status)
}

fn ended(written: Result<(), OutputError>, status: u8) -> Result<u8, Failure> {
    match written {
        Ok(()) => Ok(status),
        Err(error) if error.is_broken_pipe() => Err(Failure::ReaderGone(status)),
        Err(error) => Err(error.into()),
    }
}

fn tell(seen: Saved, face: &OutputArgs, talk: TalkArgs, output: Output) -> Result<u8, Failure> {
    let seen = if face.redact { redacted(&seen)? } else { seen };
    let facts = Facts::new(&seen.observations);
    let findings = diagnose_facts(&facts);
    let run = RunInfo { id: seen.id, tool_version: env!("CARGO_PKG_VERSION").to_owned() };
    let mut report = Report::new(&seen.observations, &facts, findings, run);
    report.redacted = seen.redacted;
    let status = exit_status(&report, fail_on(face));
    let style = output::style(&output, talk);
    let written = output.write(|out| render::write(face.format, &report, fail_on(face), &style, out));
    ended(written, status)
}

fn fail_on(face: &OutputArgs) -> FailOn {
    match face.fail_on {
        args::FailOn::Error => FailOn::Error,
        args::FailOn::Warning => FailOn::Warning,
        args::FailOn::Never => FailOn::Never,
    }
}

pub(super) fn plan(arguments: &PlanArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let options = arguments.options()?;
    let output = Output::open(arguments.output.as_deref())?;
    // Nothing is asked, so nothing can be waited for.
    let discovered =
        Discovered { metadata: MetadataState::Silent, ..discover(&World::from_system(None, None), &options) };
    let plan = ampls_probes::plan::plan(&catalogue()?, &options, &discovered);
    let style = output::style(&output, talk);
    output.write(|out| match arguments.format {
        PlanFormat::Table => render::plan::table(&plan, style.width, out),
        PlanFormat::Json => render::plan::json(&plan, out),
        PlanFormat::Firewall => render::plan::firewall(&plan, out),
    })?;
    Ok(0)
}

fn pem(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_PEM_BYTES).read_to_end(&mut bytes));
    read.map_err(|error| roots_failure(path, &format!("cannot be read: {error}")))?;
    Ok(bytes)
}

fn roots_failure(path: &Path, what: &str) -> Failure {
    Failure::Usage(format!("--public-roots {}: {what}", quote(&path.to_string_lossy())))
}
