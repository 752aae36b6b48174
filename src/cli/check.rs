//! From a world or a saved report to a judged report, written and told as an exit status.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ampls_probes::observation::Observations;
use ampls_probes::plan::{Discovered, MetadataState};
use ampls_probes::run::{discover, run};
use ampls_probes::world::roots_from_pem;
use ampls_probes::{Catalogue, Options, World};
use uuid::Uuid;

use super::args::{
    CheckArgs, CompareArgs, Format, HowArgs, JudgeArgs, OutputArgs, PlanArgs, PlanFormat, TalkArgs, WatchArgs,
};
use super::output::{self, Output, OutputError};
use super::progress::ProgressLine;
use super::{Failure, catalogue, input, watch};
use crate::diagnose::diagnose_with;
use crate::diagnose::facts::Facts;
use crate::diagnose::levels::Levels;
use crate::report::{Report, RunInfo, exit_status};
use crate::text::quote;
use crate::{compare, render};

/// Bytes read of a file of roots: the whole public web fits into a tenth of it.
const MAX_PEM_BYTES: u64 = 4 * 1024 * 1024;

pub(super) fn check(arguments: &CheckArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let mut options = arguments.options()?;
    arguments.watch.apply(&mut options).map_err(Failure::Usage)?;
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
    let look = |options: Options| look(world(), options, &catalogue, &levels, talk);
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

/// One look, judged.
fn look(
    world: World,
    options: Options,
    catalogue: &Catalogue,
    levels: &Levels,
    talk: TalkArgs,
) -> Result<Report, Failure> {
    let line = ProgressLine::new(talk.quiet);
    let observations = run(world, options, catalogue, &|progress| line.show(progress))?;
    Ok(judged(&observations, Uuid::new_v4(), levels.clone()))
}

fn judged(observations: &Observations, id: Uuid, levels: Levels) -> Report {
    let facts = Facts::new(observations);
    let findings = diagnose_with(&facts, &levels);
    let run = RunInfo { id, tool_version: env!("CARGO_PKG_VERSION").to_owned() };
    Report::new(observations, &facts, findings, run).with_rules(levels)
}

pub(super) fn judge(arguments: &JudgeArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let saved = super::judge::read(&arguments.file)?;
    let output = Output::open(arguments.output.output.as_deref())?;
    let given = arguments.output.levels();
    let levels = if given.is_empty() { saved.rules } else { given };
    tell(&judged(&saved.observations, saved.id, levels), &arguments.output, talk, output)
}

pub(super) fn compare(arguments: &CompareArgs, talk: TalkArgs) -> Result<u8, Failure> {
    if input::is_stdin(&arguments.a) && input::is_stdin(&arguments.b) {
        return Err(Failure::Usage("standard input holds one report only; give the other one as a file".to_owned()));
    }
    let report = |path: &Path| {
        let saved = super::judge::read(path)?;
        Ok::<_, Failure>(judged(&saved.observations, saved.id, saved.rules))
    };
    let comparison = compare::compare(&report(&arguments.a)?, &report(&arguments.b)?);
    let status = comparison.exit_status(arguments.fail_on);
    let output = Output::open(arguments.output.as_deref())?;
    let style = output::style(&output, talk);
    let written = output.write(|out| match arguments.format {
        Format::Table => render::compare::write(&comparison, &style, out),
        Format::Json => render::json::write(&comparison, out),
    });
    status_of(written, status)
}

/// Writes a report and gives its exit status.
pub(super) fn tell(report: &Report, face: &OutputArgs, talk: TalkArgs, output: Output) -> Result<u8, Failure> {
    let style = output::style(&output, talk);
    let written = output.write(|out| match face.format {
        Format::Table => render::table::write(report, &style, out),
        Format::Json => render::json::write(report, out),
    });
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
    let discovered =
        Discovered { metadata: MetadataState::Silent, ..discover(&World::from_system(root(&arguments.how)?, None), &options) };
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
