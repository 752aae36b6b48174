//! `fleet`: many reports in one picture.

use std::path::PathBuf;

use crate::cli::args::{FleetArgs, TalkArgs};
use crate::cli::exit::{Failure, announce_file, exit_code, say};
use crate::cli::gather::{again, gather};
use crate::cli::input::{self, is_stdin};
use crate::cli::output::{self, Output};
use crate::cli::saved::judged;
use crate::diagnose::finding::Severity;
use crate::facts_file::Holdings;
use crate::fleet::{Fleet, Whole};
use crate::render;
use crate::render::fleet::Format;
use crate::text::{quote, thousands};

/// Groups for which a report is read and judged again.
const MOST_ADVISED: usize = 12;

pub(in crate::cli) fn fleet(arguments: &FleetArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let format = arguments.format().map_err(Failure::Usage)?;
    let all = arguments.paths.iter().chain(&arguments.since);
    if all.filter(|path| is_stdin(path)).count() > 1 {
        return Err(Failure::Usage("standard input can be read only once: give the other reports as files".to_owned()));
    }
    let output = Output::open(arguments.output.as_deref())?;
    let held = input::facts(arguments.held.facts.as_deref())?;
    let now = gathered(&arguments.paths)?;
    let earlier = if arguments.since.is_empty() { None } else { Some(gathered(&arguments.since)?) };
    let mut whole = now.whole(env!("CARGO_PKG_VERSION"), arguments.by, earlier);
    advise(&mut whole, held.as_ref());
    let ids = whole.machines.iter().filter_map(|machine| machine.resource_id.as_deref());
    whole.picture.in_azure = held.as_ref().and_then(|held| held.in_azure(ids));
    let status = whole.picture.exit_status(arguments.fail_on);
    let style = output::style(&output, talk);
    let written = output.write(|out| render::fleet::write(format, &whole, &style, out));
    let status = exit_code(written, status)?;
    // The table on a terminal says it itself.
    let to_file = arguments.output.as_ref().is_some_and(|file| !is_stdin(file));
    if let Some(broken) = render::fleet::broken(&whole.picture).filter(|_| to_file || format != Format::Table) {
        say(talk, &broken);
    }
    let what = format!("Picture of {}", render::fleet::machines(whole.machines.len()));
    announce_file(&what, arguments.output.as_deref(), talk);
    Ok(status)
}

/// What the paths hold; fails where that is not a single machine.
fn gathered(paths: &[PathBuf]) -> Result<Fleet, Failure> {
    let fleet = gather(paths);
    if !fleet.is_empty() {
        return Ok(fleet);
    }
    Err(Failure::Usage(match fleet.broken() {
        (0, _) | (_, None) => "no input holds a report".to_owned(),
        (1, Some(only)) => format!("{}: {}", quote(&only.input), only.why),
        (broken, Some(first)) => {
            let broken = thousands(usize::try_from(broken).unwrap_or(usize::MAX));
            format!("none of {broken} inputs can be read, e.g. {}: {}", quote(&first.input), first.why)
        }
    }))
}

/// Fills in what to do, from a report of each of the first groups.
fn advise(whole: &mut Whole, held: Option<&Holdings>) {
    let groups = whole.picture.groups.iter_mut().zip(&whole.newest);
    for (group, newest) in groups.filter(|(group, _)| group.severity > Severity::Info).take(MOST_ADVISED) {
        let Some(source) = newest else { continue };
        if let Some(saved) = again(source) {
            group.advise(&judged(saved, held));
        }
    }
}
