//! `what-if`: changes tried on saved reports.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use ampls_probes::Observations;
use ampls_probes::endpoint::ExpectedRecord;
use ampls_probes::observation::Observation;
use jiff::Timestamp;
use uuid::Uuid;

use crate::cli::args::{Format, TalkArgs, WhatIfArgs};
use crate::cli::exit::{Failure, announce_file, exit_code};
use crate::cli::gather::{Input, each};
use crate::cli::input::{self, is_stdin};
use crate::cli::output::{self, Output};
use crate::cli::saved::{self, Saved};
use crate::diagnose::facts::Facts;
use crate::facts_file::Holdings;
use crate::fleet::{MachineKey, Names};
use crate::render;
use crate::report::Held;
use crate::text::{escape, quote};
use crate::what_if::{self, Around, Change, Coverage, Like, MachinePrediction, predict};

/// Inputs without observations that are named.
const MOST_NAMED: usize = 20;
/// Characters kept of what is said of one of them.
const LONGEST: usize = 300;

/// Who shows what a change gives.
struct Shown<'a> {
    /// Everything that was given.
    whole: Option<Like<'a>>,
    /// The same without what Azure holds: under pseudonyms no record is found in it, and that is no denial.
    like: Option<Like<'a>>,
    held: Option<&'a Holdings>,
}

/// What one report gives: when and in which run, whether it is redacted, and what becomes of the machine.
type Made = (Timestamp, Uuid, bool, MachinePrediction);

pub(in crate::cli) fn what_if(arguments: &WhatIfArgs, talk: TalkArgs) -> Result<u8, Failure> {
    let format = arguments.format().map_err(Failure::Usage)?;
    let parsed = arguments.changes.iter().map(|text| Change::parse(text, &records));
    let changes: Vec<Change> =
        parsed.collect::<Result<_, _>>().map_err(|why| Failure::Usage(format!("--change: {why}")))?;
    if arguments.like.is_none()
        && arguments.held.facts.is_none()
        && let Some(change) = changes.iter().find(|change| change.needs_like())
    {
        return Err(Failure::Usage(format!(
            "--change {}: give with --like the report of a machine where the zone is linked, or with --facts what Azure holds: \
             nothing else shows its records",
            quote(&change.to_string())
        )));
    }
    let inputs = arguments.paths.iter().chain(&arguments.like);
    if inputs.filter(|path| is_stdin(path)).count() > 1 {
        return Err(Failure::Usage("standard input can be read only once: give the other reports as files".to_owned()));
    }
    let output = Output::open(arguments.output.as_deref())?;
    let like = arguments.like.as_deref().map(saved::read).transpose()?;
    let held = input::facts(arguments.held.facts.as_deref())?;
    let like = like.as_ref().map(|like| &like.observations);
    let shown = Shown { whole: Like::new(like, held.as_ref()), like: Like::new(like, None), held: held.as_ref() };
    let (predictions, mut coverage) = predicted(arguments, &changes, &shown);
    let ids = predictions.iter().filter_map(|machine| machine.resource_id.as_deref());
    coverage.in_azure = held.as_ref().and_then(|held| held.in_azure(ids));
    if predictions.is_empty() {
        let why = coverage.unusable_named.first().map(|first| format!(": {first}")).unwrap_or_default();
        return Err(Failure::Usage(format!("no whole report can be read{why}")));
    }
    if let Some(change) = what_if::unmet(&changes, &predictions).first() {
        let pseudonyms = if coverage.redacted > 0 { " (those of redacted reports are pseudonyms)" } else { "" };
        return Err(Failure::Usage(format!(
            "--change {}: no report looks at a name that this is about{pseudonyms}",
            quote(&change.to_string())
        )));
    }
    let document = what_if::what_if(env!("CARGO_PKG_VERSION"), &changes, coverage, predictions);
    let status = document.exit_status(arguments.allow_unknown);
    let style = output::style(&output, talk);
    let written = output.write(|out| match format {
        Format::Json => render::json::write(&document, out),
        _ => render::what_if::write(&document, &style, out),
    });
    let status = exit_code(written, status)?;
    announce_file("Prediction", arguments.output.as_deref(), talk);
    Ok(status)
}

/// The newest report of each machine, under the changes.
fn predicted(arguments: &WhatIfArgs, changes: &[Change], shown: &Shown<'_>) -> (Vec<MachinePrediction>, Coverage) {
    let of = |saved: &Saved| -> (MachineKey, Made) {
        let seen = &saved.observations;
        let key = key(seen).within(Names::of(saved.redacted.as_ref()), saved.id);
        let redacted = saved.redacted.is_some();
        let like = if redacted { &shown.like } else { &shown.whole };
        let around = shown.held.filter(|_| !redacted).map(|held| around(held, seen)).unwrap_or_default();
        (key, (seen.started_at, saved.id, redacted, predict(seen, changes, like.as_ref(), &around)))
    };
    let parse = |input: &Input| match input {
        Input::Block(block) => {
            let reports = block.reports().into_iter();
            reports.map(|report| report.map(|saved| of(&saved))).collect()
        }
        Input::Broken { input, why } => vec![Err(format!("{input}: {why}"))],
    };
    let mut machines: BTreeMap<MachineKey, Made> = BTreeMap::new();
    let (mut unusable, mut named) = (0, BTreeSet::new());
    each(&arguments.paths, &parse, |made: Result<(MachineKey, Made), String>| match made {
        Ok((key, made)) => {
            let newer = machines.get(&key).is_none_or(|known| (known.0, known.1) < (made.0, made.1));
            if newer {
                machines.insert(key, made);
            }
        }
        Err(why) => {
            unusable += 1;
            named.insert(escape(&why, LONGEST));
            if named.len() > MOST_NAMED {
                named.pop_last();
            }
        }
    });
    let redacted = machines.values().filter(|(_, _, redacted, _)| *redacted).count();
    let coverage = Coverage { redacted, unusable, unusable_named: named.into_iter().collect(), ..Coverage::default() };
    (machines.into_values().map(|(.., prediction)| prediction).collect(), coverage)
}

/// What the file says of the networks around a machine.
fn around(held: &Holdings, seen: &Observations) -> Around {
    let facts = Facts::new(seen);
    let held = Held::new(held, &facts);
    let servers: Vec<SocketAddr> = facts.servers().iter().map(|server| server.address).collect();
    let links = seen.zones.iter().flat_map(|zone| servers.iter().map(move |server| (zone.clone(), *server)));
    Around {
        falls_back: links.filter_map(|link| Some((link.clone(), held.falls_back(&link.0, link.1)?))).collect(),
        inbound: servers.iter().copied().filter(|server| held.is_inbound(*server)).collect(),
    }
}

fn key(observations: &Observations) -> MachineKey {
    let instance = observations.seen.iter().find_map(|seen| match seen {
        Observation::Metadata(metadata) => metadata.outcome.seen(),
        _ => None,
    });
    let given =
        |of: fn(&ampls_probes::observation::Instance) -> Option<&String>| instance.and_then(of).map(String::as_str);
    MachineKey::new(given(|it| it.vm_id.as_ref()), given(|it| it.resource_id.as_ref()), &observations.machine.name)
}

fn records(file: &str) -> Result<Vec<ExpectedRecord>, String> {
    input::expected_records(Some(Path::new(file))).map_err(|error| error.to_string())
}
