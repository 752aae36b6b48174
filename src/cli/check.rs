//! From a world or a saved report to a judged report, written and told as an exit status.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ampls_probes::plan::{Discovered, MetadataState};
use ampls_probes::run::{discover, run};
use ampls_probes::world::roots_from_pem;
use ampls_probes::{Catalogue, Options, World};
use uuid::Uuid;

use super::args::{
    CheckArgs, CompareArgs, Format, HowArgs, JudgeArgs, OutputArgs, PlanArgs, PlanFormat, RedactArgs, TalkArgs,
    WatchArgs,
};
use super::judge::{Input, Saved};
use super::output::{self, Output, OutputError};
use super::progress::ProgressLine;
use super::{Failure, catalogue, input, watch};
use crate::diagnose::diagnose_with;
use crate::diagnose::facts::Facts;
use crate::diagnose::levels::Levels;
use crate::report::digest::Digest;
use crate::report::{self, FailOn, Report, RunInfo, exit_status};
use crate::text::quote;
use crate::{compare, render};

/// Bytes read of a file of roots: the whole public web fits into a tenth of it.
const MAX_PEM_BYTES: u64 = 4 * 1024 * 1024;

pub(super) fn check(arguments: &CheckArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let mut options = arguments.options()?;
    arguments.watch.apply(&mut options, &arguments.output).map_err(Failure::Usage)?;
    options.expected_records = input::expected_records(arguments.how.expected_records.as_deref())?;
    let roots = match arguments.how.public_roots.as_deref() {
        Some(path) => Some(roots_from_pem(&pem(path)?).map_err(|failure| roots_failure(path, &failure.to_string()))?),
        None => None,
    };
    // What a machine is configured to do may change between two looks.
    let root = root(&arguments.how)?;
    let world = || World::from_system(root, roots.as_deref());
    examine(&world, &options, &arguments.watch, &arguments.output, talk)
}

/// Looks at a world, real or simulated, once or as often as asked, and tells.
pub(super) fn examine(
    world: &dyn Fn() -> World,
    options: &Options,
    often: &WatchArgs,
    face: &OutputArgs,
    talk: TalkArgs,
) -> Result<u8, Failure> {
    let output = Output::open(face.output.as_deref())?;
    let catalogue = catalogue()?;
    let levels = face.levels();
    let key = face.redact.then(key);
    let look = |options: Options| look(world(), options, &catalogue, (&levels, key), talk);
    if let Some(wanted) = often.wait {
        let (report, reached) = watch::wait(&look, options, wanted, often.patience, talk)?;
        let status = tell(&report, face, talk, output)?;
        return Ok(if reached { status } else { status.max(1) });
    }
    if let Some(every) = often.every {
        return watch::every(&look, options, every, face, talk, output);
    }
    tell(&look(options.clone())?, face, talk, output)
}

/// One look, judged; under pseudonyms where there is a key for them.
fn look(
    world: World,
    options: Options,
    catalogue: &Catalogue,
    (levels, key): (&Levels, Option<[u8; 16]>),
    talk: TalkArgs,
) -> Result<Report, Failure> {
    let line = ProgressLine::new(talk.quiet || key.is_some());
    let observations = run(world, options, catalogue, &|progress| line.show(progress))?;
    let seen = Saved { id: Uuid::new_v4(), rules: levels.clone(), observations, redacted: None };
    Ok(judged(match key {
        Some(key) => redacted(seen, catalogue, key)?,
        None => seen,
    }))
}

fn judged(seen: Saved) -> Report {
    let facts = Facts::new(&seen.observations);
    let findings = diagnose_with(&facts, &seen.rules);
    let run = RunInfo { id: seen.id, tool_version: env!("CARGO_PKG_VERSION").to_owned() };
    let report = Report::new(&seen.observations, &facts, findings, run);
    Report { redacted: seen.redacted, ..report.with_rules(seen.rules) }
}

pub(super) fn judge(arguments: &JudgeArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let output = Output::open(arguments.output.output.as_deref())?;
    let input = super::judge::read_any(&arguments.file)?;
    let mut saved = match input {
        Input::Report(saved) => *saved,
        Input::Digest(digest) => return repeat(&digest, &arguments.output, output),
    };
    let given = arguments.output.levels();
    if !given.is_empty() {
        saved.rules = given;
    }
    if arguments.output.redact {
        saved = redacted(saved, &catalogue()?, key())?;
    }
    tell(&judged(saved), &arguments.output, talk, output)
}

pub(super) fn redact(arguments: &RedactArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let output = Output::open(arguments.output.as_deref())?;
    let saved = redacted(super::judge::read(&arguments.file)?, &catalogue()?, key())?;
    let style = output::style(&output, talk);
    let report = judged(saved);
    status_of(output.write(|out| render::write(arguments.format, &report, FailOn::Error, &style, out)), 0)
}

/// A key for pseudonyms, forgotten when the program ends.
fn key() -> [u8; 16] {
    Uuid::new_v4().into_bytes()
}

/// What was seen, under pseudonyms that nobody can undo. The run's id would lead back to the original.
fn redacted(seen: Saved, catalogue: &Catalogue, key: [u8; 16]) -> Result<Saved, Failure> {
    let (observations, redacted) = report::redact(&seen.observations, catalogue, key)
        .map_err(|error| Failure::Impossible(format!("the report cannot be redacted: {error}")))?;
    Ok(Saved { id: Uuid::new_v4(), rules: seen.rules.of_known_codes(), observations, redacted: Some(redacted) })
}

/// A digest holds no observations: its codes are repeated.
fn repeat(digest: &Digest, face: &OutputArgs, output: Output) -> Result<u8, Failure> {
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
    let written = match face.format {
        Format::Table | Format::Compact => output.write(|out| render::compact::repeat(digest, status, out)),
        Format::Json => output.write(|out| render::json::write(digest, out)),
        _ => {
            return Err(Failure::Usage(
                "a digest holds no observations: give the whole report for this format".to_owned(),
            ));
        }
    };
    status_of(written, status)
}

pub(super) fn compare(arguments: &CompareArgs, talk: TalkArgs) -> Result<u8, Failure> {
    if input::is_stdin(&arguments.a) && input::is_stdin(&arguments.b) {
        return Err(Failure::Usage("standard input holds one report only; give the other one as a file".to_owned()));
    }
    let output = Output::open(arguments.output.as_deref())?;
    let report = |path: &Path| Ok::<_, Failure>(judged(super::judge::read(path)?));
    let comparison = compare::compare(&report(&arguments.a)?, &report(&arguments.b)?);
    let status = comparison.exit_status(arguments.fail_on);
    let style = output::style(&output, talk);
    let written = output.write(|out| match arguments.format {
        Format::Json => render::json::write(&comparison, out),
        _ => render::compare::write(&comparison, &style, out),
    });
    status_of(written, status)
}

/// Writes a report and gives its exit status.
pub(super) fn tell(report: &Report, face: &OutputArgs, talk: TalkArgs, output: Output) -> Result<u8, Failure> {
    let style = output::style(&output, talk);
    let written = output.write(|out| render::write(face.format, report, face.fail_on, &style, out));
    status_of(written, exit_status(report, face.fail_on))
}

/// The exit status, which stands when whoever reads has gone.
pub(super) fn status_of(written: Result<(), OutputError>, status: u8) -> Result<u8, Failure> {
    match written {
        Ok(()) => Ok(status),
        Err(error) if error.is_broken_pipe() => Err(Failure::ReaderGone(status)),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn plan(arguments: &PlanArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let mut options = arguments.options()?;
    options.expected_records = input::expected_records(arguments.how.expected_records.as_deref())?;
    let output = Output::open(arguments.output.as_deref())?;
    // Nothing is asked, so nothing can be waited for.
    let discovered = Discovered {
        metadata: MetadataState::Silent,
        ..discover(&World::from_system(root(&arguments.how)?, None), &options)
    };
    let plan = ampls_probes::plan::plan(&catalogue()?, &options, &discovered);
    let style = output::style(&output, talk);
    output.write(|out| match arguments.format {
        PlanFormat::Table => render::plan::table(&plan, style.width, out),
        PlanFormat::Json => render::plan::json(&plan, out),
        PlanFormat::Firewall => render::plan::firewall(&plan, out),
    })?;
    Ok(0)
}

/// `--root`, if it is a folder.
fn root(how: &HowArgs) -> Result<Option<&Path>, Failure> {
    let Some(root) = how.root.as_deref() else { return Ok(None) };
    let wrong = |what: &str| Failure::Usage(format!("--root {}: {what}", quote(&root.to_string_lossy())));
    match root.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(Some(root)),
        Ok(_) => Err(wrong("is no folder")),
        Err(error) => Err(wrong(&format!("cannot be read: {error}"))),
    }
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
