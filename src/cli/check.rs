//! From a world or a saved report to a judged report, written and told as an exit status.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ampls_probes::observation::Observations;
use ampls_probes::plan::{Discovered, MetadataState};
use ampls_probes::run::{discover, run};
use ampls_probes::world::roots_from_pem;
use ampls_probes::{Options, World};
use uuid::Uuid;

use super::args::{self, CheckArgs, Format, JudgeArgs, OutputArgs, PlanArgs, PlanFormat, TalkArgs};
use super::output::{self, Output};
use super::progress::ProgressLine;
use super::{Failure, catalogue};
use crate::diagnose::diagnose_facts;
use crate::diagnose::facts::Facts;
use crate::render;
use crate::report::{FailOn, Report, RunInfo, exit_status};
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
    let line = ProgressLine::new(talk.quiet);
    let observations = run(world, options, &catalogue, &|progress| line.show(progress))?;
    drop(line);
    tell(&observations, Uuid::new_v4(), face, talk, output)
}

pub(super) fn judge(arguments: &JudgeArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let saved = super::judge::read(&arguments.file)?;
    let output = Output::open(arguments.output.output.as_deref())?;
    tell(&saved.observations, saved.id, &arguments.output, talk, output)
}

fn tell(
    observations: &Observations,
    id: Uuid,
    face: &OutputArgs,
    talk: TalkArgs,
    output: Output,
) -> Result<u8, Failure> {
    let facts = Facts::new(observations);
    let findings = diagnose_facts(&facts);
    let run = RunInfo { id, tool_version: env!("CARGO_PKG_VERSION").to_owned() };
    let report = Report::new(observations, &facts, findings, run);
    let status = exit_status(&report, fail_on(face));
    let style = output::style(&output, talk);
    let written = output.write(|out| match face.format {
        Format::Table => render::table::write(&report, &style, out),
        Format::Json => render::json::write(&report, out),
    });
    match written {
        Ok(()) => Ok(status),
        Err(error) if error.is_broken_pipe() => Err(Failure::ReaderGone(status)),
        Err(error) => Err(error.into()),
    }
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
