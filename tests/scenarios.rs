//! Every world of `tests/scenarios` through the real command line, the real probes and all rules: the exit status, the
//! verdict and the roots in their order must be those that the world file names.
//!
//! A root of severity information counts only where the file names it, so that a new piece of information does not concern
//! every world. `ONLY=name,name cargo test scenarios` examines some of them.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::{env, thread};

use ampls_doctor::cli::args::{Cli, Command, Wanted};
use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::facts::{Facts, Route, sources};
use ampls_doctor::diagnose::finding::{Finding, Severity};
use ampls_doctor::expected;
use ampls_doctor::render::page::Style;
use ampls_doctor::render::{self, Format};
use ampls_doctor::report::{FailOn, Health, Report, RunInfo, exit_status, redact, schema};
use ampls_probes::{Catalogue, Observations, Options};
use ampls_world::{Embedded, Scenario};
use clap::Parser;
use uuid::Uuid;

use crate::facts::held;
use crate::{commands, screen};

/// Worlds examined side by side: most of their time they wait for silence.
const SIDE_BY_SIDE: usize = 6;

#[test]
fn every_world_gets_the_findings_it_names() {
    let only = env::var("ONLY").unwrap_or_default();
    let worlds: Vec<&Embedded> = ampls_world::scenarios()
        .iter()
        .filter(|world| only.is_empty() || only.split(',').any(|name| name == world.name))
        .collect();
    assert!(!worlds.is_empty(), "no world is called `{only}`");
    side_by_side(&worlds, |world| world.name.to_owned(), |world, pace| examine(world, pace));
    let _ = writeln!(io::stdout(), "{}", screen::lengths());
    let _ = writeln!(io::stderr(), "{}", held::summary());
    if only.is_empty() {
        commands::filled::summary().unwrap_or_else(|fault| panic!("{fault}"));
    }
}

/// How long a run waits for what a world holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The two and ten seconds of every world.
    Usual,
    /// Many times that: silence of a machine that is busy with something else is no finding.
    Patient,
}

impl Pace {
    /// Gives the runs of a world these limits, but for those that it sets itself.
    pub(crate) fn set(self, scenario: &mut Scenario) {
        if self == Self::Usual {
            return;
        }
        for (option, seconds) in [("--timeout", "12"), ("--deadline", "90")] {
            if !scenario.more_arguments.iter().any(|given| given == option) {
                scenario.more_arguments.extend([option.to_owned(), seconds.to_owned()]);
            }
        }
    }
}

/// Examines several worlds at a time, and those that differ once more, alone and with patience: a busy machine differs in
/// nothing then. Fails with the lines of all those that still have some.
pub(crate) fn side_by_side<T: Sync>(
    worlds: &[T],
    name: impl Fn(&T) -> String + Sync,
    examine: impl Fn(&T, Pace) -> Result<Vec<String>, String> + Sync,
) {
    let next = AtomicUsize::new(0);
    let faults: Mutex<BTreeMap<usize, Vec<String>>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(world) = worlds.get(index) else { return };
                    let found = examine(world, Pace::Usual).unwrap_or_else(|error| vec![error]);
                    if !found.is_empty() {
                        faults.lock().expect("no thread panics while it holds the list").insert(index, found);
                    }
                }
            });
        }
    });
    let mut shown = Vec::new();
    for (index, first) in faults.into_inner().expect("all threads have ended") {
        let again = examine(&worlds[index], Pace::Patient).unwrap_or_else(|error| vec![error]);
        let name = name(&worlds[index]);
        if again.is_empty() {
            let _ = writeln!(
                io::stderr(),
                "{name} differed only while this machine was busy:\n    {}",
                first.join("\n    ")
            );
            continue;
        }
        let (first, again) = (first.join("\n    "), again.join("\n    "));
        shown.push(format!("{name}\n    {first}\n  and with patience\n    {again}"));
    }
    assert!(shown.is_empty(), "{} of {} worlds differ:\n\n{}\n", shown.len(), worlds.len(), shown.join("\n"));
}

/// A world as the doctor saw it.
pub(crate) struct Seen {
    pub(crate) observations: Observations,
    pub(crate) findings: Vec<Finding>,
    /// Some server of the world was asked something.
    asked: bool,
}

/// Runs the real probes in a world and all rules over what they saw.
pub(crate) fn observe(scenario: &Scenario) -> Result<Seen, String> {
    let options = options(scenario)?;
    let running = ampls_world::start(scenario).map_err(|error| error.to_string())?;
    let catalogue = Catalogue::builtin().map_err(|error| error.to_string())?;
    let observations = ampls_probes::run::run(running.world.clone(), options, &catalogue, &|_| {})
        .map_err(|error| error.to_string())?;
    let findings = diagnose(&observations);
    Ok(Seen { observations, findings, asked: !running.all_asked().is_empty() })
}

/// What differs from the world file, line by line.
fn examine(embedded: &Embedded, pace: Pace) -> Result<Vec<String>, String> {
    let mut scenario = embedded.parse().map_err(|error| error.to_string())?;
    pace.set(&mut scenario);
    let Seen { observations, findings, asked } = observe(&scenario)?;
    let facts = Facts::new(&observations);
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
    let report = Report::new(&observations, &facts, findings.clone(), run);

    let mut faults = compare(&scenario, &report);
    if !asked {
        faults.push("no server of this world was ever asked".to_owned());
    }
    faults.extend(commands::filled::examine(&report.findings));
    faults.extend(commands::windows::examine(&observations));
    faults.extend(held::examine(&observations, &report));
    faults.extend(verification(&scenario, &report).err());
    faults.extend(judged_again(&observations, &findings).err());
    faults.extend(faces(&report));
    faults.extend(screen::faults(&report));
    let catalogue = Catalogue::builtin().map_err(|error| error.to_string())?;
    faults.extend(redacted_alike(&observations, &catalogue, &findings).err());
    if !faults.is_empty() {
        faults.push(format!("headline: {}", report.verdict.headline));
        faults.extend(report.findings.iter().map(line));
    }
    Ok(faults)
}

/// The arguments that verify a repair must be accepted beside those of the run, and must not succeed on what is not repaired.
fn verification(scenario: &Scenario, report: &Report) -> Result<(), String> {
    let bad = report.roots().any(|root| root.severity > Severity::Info);
    let more = match (bad, report.verify()) {
        (false, None) => return Ok(()),
        (false, Some(more)) => return Err(format!("verify: nothing to verify, yet {more:?}")),
        (true, more) => more.ok_or("verify: a fault that nothing verifies")?.words,
    };
    let own = scenario.arguments();
    let all = ["ampls-doctor".to_owned(), "check".to_owned()].into_iter().chain(own).chain(more.iter().cloned());
    let (command, _) = Cli::try_parse_from(all).map_err(|error| format!("verify: {error}"))?.into_command();
    let Command::Check(check) = command else { return Err("verify: not `check`".to_owned()) };
    let vain = match check.watch.wait {
        Some(Wanted::Private) => report.verdict.route != Route::Private,
        Some(Wanted::Healthy) => report.verdict.health != Health::Ok,
        None => exit_status(report, check.output.fail_on) != 0,
    };
    if vain { Ok(()) } else { Err(format!("verify: {more:?} succeeds on what is not repaired")) }
}

/// The report must be valid by its schema, and every format must tell the same verdict and codes.
fn faces(report: &Report) -> Vec<String> {
    static SCHEMA: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::draft202012::new(&schema()).expect("the schema is one"));
    let mut faults = Vec::new();
    let rendered = |format| {
        let mut out = Vec::new();
        render::write(format, report, FailOn::Error, &Style::default(), &mut out).expect("memory takes it");
        String::from_utf8(out).expect("UTF-8")
    };
    let json: serde_json::Value = serde_json::from_str(&rendered(Format::Json)).expect("JSON");
    faults.extend(SCHEMA.iter_errors(&json).map(|error| format!("schema: {}: {error}", error.instance_path)));

    let route = format!("{:?}", report.verdict.route).to_lowercase();
    let health = format!("{:?}", report.verdict.health).to_lowercase();
    let exit = exit_status(report, FailOn::Error);
    let mut codes: Vec<&str> = Vec::new();
    for finding in &report.findings {
        if !codes.contains(&finding.code.as_str()) {
            codes.push(&finding.code);
        }
    }
    let spaced = codes.iter().fold(String::new(), |all, code| all + " " + code);
    let compact = rendered(Format::Compact);
    if compact.len() > render::compact::MOST || !compact.is_ascii() {
        faults.push(format!("compact: {} bytes, ASCII: {}", compact.len(), compact.is_ascii()));
    }
    let mut wanted = vec![
        (Format::Compact, format!("\nVERDICT {route} {health} exit={exit}{spaced}\n")),
        (Format::Ndjson, format!("\"route\":\"{route}\"")),
        (Format::Ndjson, format!("\"health\":\"{health}\"")),
        (Format::Junit, format!("name=\"route\" value=\"{route}\"")),
        (Format::Junit, format!("name=\"health\" value=\"{health}\"")),
        (Format::Metrics, format!("ampls_doctor_route{{route=\"{route}\"}} 1\n")),
        (Format::Metrics, format!("ampls_doctor_health{{health=\"{health}\"}} 1\n")),
        (Format::Metrics, format!("ampls_doctor_exit_status {exit}\n")),
        (Format::Html, format!("data-route=\"{route}\" data-health=\"{health}\" data-exit=\"{exit}\"")),
    ];
    for code in codes {
        wanted.push((Format::Ndjson, format!("\"code\":\"{code}\"")));
        wanted.push((Format::Junit, format!("{code} ")));
        wanted.push((Format::Metrics, format!("ampls_doctor_findings{{code=\"{code}\"")));
        wanted.push((Format::Html, format!(">{code}<")));
    }
    faults.extend(
        wanted
            .into_iter()
            .filter(|(format, text)| !rendered(*format).contains(text))
            .map(|(format, text)| format!("{format:?} lacks `{text}`")),
    );
    if rendered(Format::Junit).contains("<failure") != (exit == 1) {
        faults.push("junit fails otherwise than the exit status".to_owned());
    }
    faults
}

/// What `check` is given in a world.
pub(super) fn options(scenario: &Scenario) -> Result<Options, String> {
    let arguments = ["ampls-doctor".to_owned(), "check".to_owned()].into_iter().chain(scenario.arguments());
    let (command, _) = Cli::try_parse_from(arguments).map_err(|error| error.to_string())?.into_command();
    let Command::Check(check) = command else { return Err("its arguments are not those of `check`".to_owned()) };
    let mut options = check.options().map_err(|error| error.to_string())?;
    if let Some(records) = &scenario.expected_records {
        options.expected_records =
            expected::read(scenario.expand(records).as_bytes()).map_err(|error| error.to_string())?.records;
    }
    Ok(options)
}

fn compare(scenario: &Scenario, report: &Report) -> Vec<String> {
    let expected = &scenario.expect;
    let mut faults = Vec::new();
    let mut differ = |what: &str, wanted: String, found: String| {
        if wanted != found {
            faults.push(format!("{what}: wanted {wanted}, found {found}"));
        }
    };
    differ("exit", expected.exit.to_string(), exit_status(report, FailOn::Error).to_string());
    if let Some(route) = &expected.route {
        differ("route", route.clone(), format!("{:?}", report.verdict.route).to_lowercase());
    }
    if let Some(health) = &expected.health {
        differ("health", health.clone(), format!("{:?}", report.verdict.health).to_lowercase());
    }
    let counts = |root: &&Finding| root.severity > Severity::Info || expected.roots.contains(&root.code);
    let roots: Vec<&Finding> = report.roots().filter(counts).collect();
    let codes: Vec<&str> = roots.iter().map(|root| root.code.as_str()).collect();
    differ("roots", expected.roots.join(" "), codes.join(" "));
    for (symptom, cause) in &expected.caused {
        let by = report.findings.iter().filter(|finding| finding.code == *symptom);
        let by: Vec<&str> = by.map(|finding| finding.caused_by.as_deref().unwrap_or("nothing")).collect();
        if by.is_empty() || by.iter().any(|found| found != cause) {
            differ(&format!("{symptom} explained by"), cause.clone(), by.join(" "));
        }
    }
    let texts: Vec<&str> = roots
        .iter()
        .flat_map(|root| [&root.title, &root.summary].into_iter().chain(&root.evidence).chain(&root.endpoints))
        .map(String::as_str)
        .collect();
    let seen = &report.observations;
    let unseen: Vec<String> = sources::missing(seen).iter().map(|source| sources::line(source, seen)).collect();
    for text in &expected.unseen {
        if !unseen.iter().any(|line| line.contains(text)) {
            differ("not looked at", format!("`{text}`"), format!("{unseen:?}"));
        }
    }
    for text in &expected.text {
        let text = scenario.expand(text);
        if !texts.iter().any(|shown| shown.contains(&text)) {
            differ("text of the roots", format!("`{text}`"), format!("{texts:?}"));
        }
    }
    faults
}

/// A saved report has to give the same findings, byte for byte.
pub(crate) fn judged_again(observations: &Observations, findings: &[Finding]) -> Result<(), String> {
    let json = |findings: &[Finding]| serde_json::to_string_pretty(findings).map_err(|error| error.to_string());
    let findings = json(findings)?;
    let saved = serde_json::to_vec_pretty(observations).map_err(|error| error.to_string())?;
    let read: Observations =
        serde_json::from_slice(&saved).map_err(|error| format!("saved and read again: {error}"))?;
    if read != *observations {
        return Err("saved and read again, the observations differ".to_owned());
    }
    if json(&diagnose(&read))? != findings {
        return Err("judged again from the saved observations, the findings differ".to_owned());
    }
    for order in 0..4 {
        let mut shuffled = read.clone();
        shuffle(&mut shuffled.seen, order);
        if json(&diagnose(&shuffled))? != findings {
            return Err("judged again with the observations in another order, the findings differ".to_owned());
        }
    }
    Ok(())
}

/// Under pseudonyms the findings have to be the same, and no name of the world's own may be left.
fn redacted_alike(seen: &Observations, catalogue: &Catalogue, findings: &[Finding]) -> Result<(), String> {
    let outline = |findings: &[Finding]| {
        let mut outline: Vec<String> =
            findings.iter().map(|it| format!("{} {:?} {:?}", it.code, it.severity, it.caused_by)).collect();
        outline.sort();
        outline.join(", ")
    };
    let (redacted, manifest) = redact(seen, catalogue, [9; 16]).map_err(|error| format!("redacted: {error}"))?;
    if !seen.seen.is_empty() && manifest.manifest.is_empty() {
        return Err("redacted: nothing was replaced".to_owned());
    }
    let (wanted, found) = (outline(findings), outline(&diagnose(&redacted)));
    if wanted == found { Ok(()) } else { Err(format!("redacted: wanted {wanted}, found {found}")) }
}

/// Another order for each seed; the same seed gives the same order.
fn shuffle<T>(items: &mut [T], seed: usize) {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    for last in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(last, (state >> 33) % (last + 1));
    }
}

pub(crate) fn line(finding: &Finding) -> String {
    let by = finding.caused_by_id.as_deref().map(|by| format!(" (by {by})")).unwrap_or_default();
    format!("{:?} {}{by}: {}", finding.severity, finding.id, finding.title)
}
