//! Looking again: until a verdict is reached, or for ever.

use std::time::Duration;

use ampls_probes::Options;
use ampls_probes::endpoint::Expectation;
use ampls_probes::observation::Stop;
use ampls_probes::run::Patience;

use super::args::{Format, OutputArgs, TalkArgs, Wanted};
use super::exit::{Failure, announce, exit_code, say, write_report};
use super::output::{self, Output};
use crate::compare::compare;
use crate::diagnose::facts::Route;
use crate::render::page::{Page, Tint};
use crate::render::{self, json};
use crate::report::{EndpointReport, Health, Report, exit_status};
use crate::text::duration_ms;

/// How long `--wait` waits without `--for`.
const PATIENCE: Duration = Duration::from_mins(10);
/// The shortest and the longest pause between two looks, whatever the records' time to live.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(1));
/// The pause where no time to live was seen: a name that is denied has none.
const PAUSE: Duration = Duration::from_secs(10);
/// The shortest time a look is worth.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);

type Look<'l> = &'l dyn Fn(Options) -> Result<Report, Failure>;

/// Looks until the verdict is the wanted one, the time is over or a signal comes. Gives the last whole report and whether
/// it is the wanted one.
pub(super) fn wait(
    look: Look<'_>,
    options: &Options,
    wanted: Wanted,
    within: Option<Duration>,
    talk: TalkArgs,
) -> Result<(Report, bool), Failure> {
    let within = within.unwrap_or(PATIENCE);
    let patience = Patience::new()?;
    let mut last: Option<Report> = None;
    loop {
        let left = within.saturating_sub(patience.elapsed());
        let deadline = options.deadline.min(left.max(SHORTEST_LOOK));
        let report = look(Options { deadline, ..options.clone() })?;
        if interrupted(&report) {
            return Ok((last.unwrap_or(report), false));
        }
        if reached(&report, wanted) {
            return Ok((report, true));
        }
        let left = within.saturating_sub(patience.elapsed());
        if left < SHORTEST_LOOK {
            return Ok((report, false));
        }
        let pause = pause(&report, wanted).min(left.saturating_sub(SHORTEST_LOOK));
        say(
            talk,
            &format!("waiting for {}: {}; next look in {}", wanted.as_str(), report.verdict.headline, shown(pause)),
        );
        if !patience.pause(pause) {
            return Ok((report, false));
        }
        last = Some(report);
    }
}

/// Looks again and again and writes each report, until a signal comes or nobody reads any more.
pub(super) fn every(
    look: Look<'_>,
    options: &Options,
    every: Duration,
    face: &OutputArgs,
    talk: TalkArgs,
    first: Output,
) -> Result<u8, Failure> {
    let patience = Patience::new()?;
    let mut output = Some(first);
    let mut last: Option<Report> = None;
    let mut status = 0;
    loop {
        let began = patience.elapsed();
        let report = look(options.clone())?;
        if last.is_some() && interrupted(&report) {
            return Ok(status);
        }
        let output = match output.take() {
            Some(output) => output,
            None => Output::open(face.output.as_deref())?,
        };
        status = one(&report, last.as_ref(), face, talk, output)?;
        let took = patience.elapsed().saturating_sub(began);
        if interrupted(&report) || !patience.pause(every.saturating_sub(took)) {
            return Ok(status);
        }
        last = Some(report);
    }
}

/// Writes the report of one look of many. A file always holds the last report, whole.
fn one(
    report: &Report,
    last: Option<&Report>,
    face: &OutputArgs,
    talk: TalkArgs,
    output: Output,
) -> Result<u8, Failure> {
    if face.file().is_some() {
        let status = write_report(report, face, talk, output)?;
        if last.is_none_or(|last| last.verdict.headline != report.verdict.headline) {
            announce(report, face, talk);
        }
        return Ok(status);
    }
    let written = match (face.format().map_err(Failure::Usage)?, last) {
        (Format::Json, _) => output.write(|out| json::write_line(report, out)),
        (Format::Table, Some(last)) => {
            let comparison = compare(last, report);
            if talk.quiet && comparison.same {
                return Ok(exit_status(report, face.fail_on));
            }
            let style = output::style(&output, talk);
            let tint = if comparison.same { Tint::Plain } else { Tint::Bold };
            let line = render::compare::line(&comparison);
            output.write(|out| Page::new(out, style).line(tint, &line))
        }
        _ => return write_report(report, face, talk, output),
    };
    exit_code(written, exit_status(report, face.fail_on))
}

fn interrupted(report: &Report) -> bool {
    report.run.stopped == Some(Stop::Interrupt)
}

fn reached(report: &Report, wanted: Wanted) -> bool {
    match wanted {
        Wanted::Private => report.verdict.route == Route::Private,
        Wanted::Healthy => report.verdict.health == Health::Ok,
    }
}

/// The time after which the first of the records that are not as wanted may have changed: the least time to live that a server
/// gave, and a second for its rounding.
fn pause(report: &Report, wanted: Wanted) -> Duration {
    let late = |endpoint: &&EndpointReport| match wanted {
        Wanted::Private => endpoint.expected == Expectation::Private && endpoint.route != Route::Private,
        Wanted::Healthy => endpoint.reachable != Some(true),
    };
    let least = |endpoints: &mut dyn Iterator<Item = &EndpointReport>| {
        endpoints.flat_map(|endpoint| &endpoint.views).filter_map(|view| view.ttl).min()
    };
    let ttl = least(&mut report.endpoints.iter().filter(late)).or_else(|| least(&mut report.endpoints.iter()));
    let ttl = ttl.map_or(PAUSE, |ttl| Duration::from_secs(u64::from(ttl) + 1));
    ttl.clamp(PAUSES.0, PAUSES.1)
}

fn shown(time: Duration) -> String {
    duration_ms(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{healthy, mixed};

    #[test]
    fn verdicts_are_recognised() {
        assert!(reached(&healthy(), Wanted::Private) && reached(&healthy(), Wanted::Healthy));
        assert!(!reached(&mixed(), Wanted::Private) && !reached(&mixed(), Wanted::Healthy));
    }

    #[test]
    fn the_pause_follows_the_times_to_live_of_what_is_not_as_wanted() {
        let mut report = mixed();
        let mut seconds = |ttl: Option<u32>| {
            for endpoint in &mut report.endpoints {
                let late = endpoint.route != Route::Private;
                for view in &mut endpoint.views {
                    view.ttl = if late { ttl } else { Some(1) };
                }
            }
            pause(&report, Wanted::Private).as_secs()
        };
        assert_eq!(seconds(Some(0)), 5);
        assert_eq!(seconds(Some(29)), 30);
        assert_eq!(seconds(Some(u32::MAX)), 60);
        assert_eq!(seconds(None), 5, "then all names count");
    }

    #[test]
    fn without_any_time_to_live_the_pause_is_ten_seconds() {
        let mut report = mixed();
        for view in report.endpoints.iter_mut().flat_map(|endpoint| &mut endpoint.views) {
            view.ttl = None;
        }
        assert_eq!(pause(&report, Wanted::Private), PAUSE);
    }
}
