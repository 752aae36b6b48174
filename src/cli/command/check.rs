//! `check`: a world looked at once or several times, judged and written.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ampls_probes::options::BrowserSettings;
use ampls_probes::run::{prepared, run};
use ampls_probes::world::roots_from_pem;
use ampls_probes::{Catalogue, Options, World};
use uuid::Uuid;

use super::catalogue;
use super::redact::{NOT_UNDER_PSEUDONYMS, key, redacted};
use crate::cli::args::{CheckArgs, HowArgs, OutputArgs, TalkArgs, WatchArgs, doubts};
use crate::cli::exit::{Failure, announce, say, write_report};
use crate::cli::output::Output;
use crate::cli::progress::ProgressLine;
use crate::cli::saved::{Saved, judged};
use crate::cli::{input, splay, watch};
use crate::diagnose::levels::Levels;
use crate::facts_file::Holdings;
use crate::report::Report;
use crate::text::quote;

/// Bytes read of a file of roots: the whole public web fits into a tenth of it.
const MAX_PEM_BYTES: u64 = 4 * 1024 * 1024;

pub(in crate::cli) fn check(arguments: &CheckArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let mut options = arguments.options()?;
    options.browsers = browsers(arguments.how.browsers, io::stdin().is_terminal(), ampls_probes::os::is_root());
    arguments.watch.apply(&mut options, &arguments.output).map_err(Failure::Usage)?;
    options.expected_records = input::expected_records(arguments.how.expected_records.as_deref())?;
    let roots = match arguments.how.public_roots.as_deref() {
        Some(path) => Some(roots_from_pem(&pem(path)?).map_err(|failure| roots_failure(path, &failure.to_string()))?),
        None => None,
    };
    // What a machine is configured to do may change between two looks.
    let root = root(&arguments.how, options.deadline)?;
    for doubt in doubts(&arguments.look, &arguments.how) {
        say(talk, &doubt);
    }
    let limit = options.deadline;
    let world = || {
        let (root, roots) = (root.clone(), roots.clone());
        Ok(prepared(limit, move || World::from_system(root.as_deref(), roots.as_deref()))?)
    };
    let held = input::facts(arguments.held.facts.as_deref())?;
    if held.is_some() && arguments.output.redact {
        return Err(Failure::Usage(NOT_UNDER_PSEUDONYMS.to_owned()));
    }
    examine(&world, &options, &arguments.watch, (&arguments.output, held.as_ref()), talk)
}

/// What people set in their browsers is not collected from many machines by accident: who may read everybody's files and is not
/// sitting there asks for it.
fn browsers(asked: Option<BrowserSettings>, attended: bool, is_root: bool) -> BrowserSettings {
    asked.unwrap_or(if is_root && !attended { BrowserSettings::Policies } else { BrowserSettings::All })
}

/// Looks at a world, real or simulated, once or as often as asked, and writes each report.
pub(in crate::cli) fn examine(
    world: &dyn Fn() -> Result<World, Failure>,
    options: &Options,
    often: &WatchArgs,
    (face, held): (&OutputArgs, Option<&Holdings>),
    talk: TalkArgs,
) -> Result<u8, Failure> {
    face.format().map_err(Failure::Usage)?;
    let output = Output::open(face.output.as_deref())?;
    let catalogue = catalogue()?;
    let levels = face.levels();
    let key = face.redact.then(key);
    let splayed = often.splay.map(|most| splay::wait(most, options.deadline, talk)).transpose()?;
    let look = |options: Options| look(world()?, options, &catalogue, (&levels, key, held), talk);
    if let Some(wanted) = often.wait {
        let (report, reached) = watch::wait(&look, options, wanted, often.patience, talk)?;
        drop(splayed);
        let status = write_report(&report, face, talk, output)?;
        announce(&report, face, talk);
        return Ok(if reached { status } else { status.max(1) });
    }
    if let Some(every) = often.every {
        return watch::every(&look, options, every, face, talk, output);
    }
    let report = look(options.clone())?;
    // From here on a signal ends the process, whatever the reader of the report does.
    drop(splayed);
    let status = write_report(&report, face, talk, output)?;
    announce(&report, face, talk);
    Ok(status)
}

/// One look, judged; under pseudonyms where there is a key for them.
fn look(
    world: World,
    options: Options,
    catalogue: &Catalogue,
    (levels, key, held): (&Levels, Option<[u8; 16]>, Option<&Holdings>),
    talk: TalkArgs,
) -> Result<Report, Failure> {
    let line = ProgressLine::new(talk.quiet || key.is_some(), options.deadline);
    let observations = run(world, options, catalogue, &|progress| line.show(progress))?;
    let seen = Saved { id: Uuid::new_v4(), rules: levels.clone(), observations, redacted: None };
    let seen = match key {
        Some(key) => redacted(seen, catalogue, key)?,
        None => seen,
    };
    Ok(judged(seen, held))
}

/// `--root`, if it is a folder.
pub(super) fn root(how: &HowArgs, limit: Duration) -> Result<Option<PathBuf>, Failure> {
    let Some(root) = how.root.clone() else { return Ok(None) };
    let wrong = |what: &str| Failure::Usage(format!("--root {}: {what}", quote(&root.to_string_lossy())));
    let looked_at = root.clone();
    match prepared(limit, move || looked_at.metadata())? {
        Ok(metadata) if metadata.is_dir() => Ok(Some(root)),
        Ok(_) => Err(wrong("is not a folder")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_set_is_read_where_somebody_sits_there_or_asks() {
        use BrowserSettings::{All, None as Nothing, Policies};
        for (asked, attended, is_root, wanted) in [
            (None, false, true, Policies),
            (None, true, true, All),
            (None, false, false, All),
            (Some(All), false, true, All),
            (Some(Nothing), true, false, Nothing),
        ] {
            assert_eq!(browsers(asked, attended, is_root), wanted, "{asked:?} {attended} {is_root}");
        }
    }
}
