//! The same machines through `fleet` and through engines that run the SQL of `packaging/fleet`: equal answers.
//!
//! `fleet` answers from its groups and machines, an engine from the rows that `fleet --format ndjson` wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use uuid::Uuid;

use super::gather;
use crate::diagnose::finding::Severity;
use crate::fleet::company::Vm;
use crate::fleet::{Change, Fleet, Group, Whole};
use crate::render::compact;
use crate::render::fleet::{Format, write};
use crate::render::page::Style;
use crate::report::digest::Digest;
use crate::report::{FailOn, Report, exit_status};

const MACHINES: usize = 5_000;
/// Machines of two days before, and those among them of which nothing was seen since.
const BEFORE: usize = 1_000;
const VANISHED: usize = 25;
/// Codes of servers that answer nothing wrong.
const NOT_MISLEADING: [&str; 4] = ["DNS008", "DNS009", "DNS010", "DNS016"];

/// A folder that is gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("engines-{name}-{}", Uuid::new_v4()));
        fs::create_dir_all(path.join("rows")).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes a whole report of each tenth of these machines, the digest of the others.
fn write_reports(file: &Path, machines: Range<usize>, report: fn(Vm) -> Report) {
    let lines = &|machines: Range<usize>| {
        let mut text = Vec::new();
        for number in machines {
            let report = report(Vm { number });
            if number % 10 == 0 {
                serde_json::to_writer(&mut text, &report).unwrap();
            } else {
                serde_json::to_writer(&mut text, &Digest::new(&report, exit_status(&report, FailOn::Error))).unwrap();
            }
            text.push(b'\n');
        }
        text
    };
    let middle = usize::midpoint(machines.start, machines.end);
    let halves = [machines.start..middle, middle..machines.end];
    let texts = thread::scope(|scope| {
        let halves = halves.map(|half| scope.spawn(move || lines(half)));
        halves.map(|half| half.join().unwrap())
    });
    fs::write(file, texts.concat()).unwrap();
}

fn gathered(file: &Path) -> Fleet {
    let fleet = gather(&[file.to_owned()]);
    assert_eq!(fleet.broken().0, 0, "{:?}", fleet.broken());
    fleet
}

/// The rows of the picture, as `fleet --format ndjson` writes them.
fn rows(whole: &Whole, folder: &Path, name: &str) {
    let mut out = Vec::new();
    write(Format::Ndjson, whole, &Style::default(), &mut out).unwrap();
    fs::write(folder.join("rows").join(name), out).unwrap();
}

/// The answers of `fleet`, to each question as rows in no order.
fn answers(whole: &Whole) -> BTreeMap<String, BTreeSet<String>> {
    let picture = &whole.picture;
    let faults = || picture.groups.iter().enumerate().filter(|(_, group)| group.severity > Severity::Info);
    let members = |place: usize| whole.machines.iter().filter(move |machine| machine.common.groups.contains(&place));
    let causes =
        faults().map(|(_, it)| json!([it.severity, it.code, it.title, it.owner, it.machines, it.percent, it.id]));
    let machines = faults().flat_map(|(place, it)| {
        members(place).map(move |of| {
            let (at, key) = (&of.common.shared.place, of.key.to_string());
            json!([it.severity, it.code, it.id, of.name, of.resource_id, at.subscription, at.region, at.subnet, key])
        })
    });
    let since = picture.since.as_ref().unwrap();
    let change = |what: &'static str, all: &[Change]| -> Vec<Value> {
        all.iter().map(|it| json!([what, it.host, it.before, it.now, it.resource_id])).collect()
    };
    let changes = [
        change("better", &since.better),
        change("worse", &since.worse),
        change("appeared", &since.appeared),
        change("vanished", &since.vanished),
    ];
    let mut misled: BTreeMap<(String, String, Severity), BTreeSet<usize>> = BTreeMap::new();
    for (place, group) in faults().filter(|(_, group)| misleads(&group.code)) {
        for server in values(group, "server") {
            let of = misled.entry((server, group.code.clone(), group.severity)).or_default();
            of.extend((0..whole.machines.len()).filter(|at| whole.machines[*at].common.groups.contains(&place)));
        }
    }
    let servers = misled.into_iter().map(|((server, code, severity), misled)| {
        let users = whole.machines.iter().filter(|machine| machine.common.shared.servers.contains(&server)).count();
        json!([server, code, severity, misled.len(), users])
    });
    let mut old: BTreeMap<[String; 3], usize> = BTreeMap::new();
    for group in picture.groups.iter().filter(|group| group.code == "AGT001") {
        let one = |name| {
            let values = values(group, name);
            assert!(values.len() < 2, "{}", group.id);
            values.into_iter().next().unwrap_or_else(|| "not named".to_owned())
        };
        *old.entry([one("agent"), one("version"), one("minimum")]).or_default() += group.machines;
    }
    let agents = old.into_iter().map(|([agent, version, minimum], count)| json!([agent, version, minimum, count]));
    let set = |rows: &mut dyn Iterator<Item = Value>| rows.map(|row| row.to_string()).collect::<BTreeSet<String>>();
    let all = [
        set(&mut causes.into_iter()),
        set(&mut machines.into_iter()),
        set(&mut changes.into_iter().flatten()),
        set(&mut servers.into_iter()),
        set(&mut agents.into_iter()),
    ];
    all.into_iter().zip(1..).map(|(rows, question)| (question.to_string(), rows)).collect()
}

fn misleads(code: &str) -> bool {
    code.starts_with("DNS") && !NOT_MISLEADING.contains(&code)
}

fn values(group: &Group, name: &str) -> Vec<String> {
    let facts = group.facts.iter().filter(|fact| fact.name == name);
    facts.flat_map(|fact| fact.values.iter().map(|it| it.value.clone())).collect()
}

/// The answers of an engine; `None` where it is not installed. Where nothing may be skipped that is a failure.
fn asked(engine: &str, module: &str, folder: &Path) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let python = std::env::var("AMPLS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let installed = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        let required = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        assert!(!required, "this test needs {module} for Python, and where CI is set it must not be skipped");
        return None;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(&python);
    command.arg(here.join("tests/engines/ask.py")).arg(engine).arg(here.join("packaging/fleet")).current_dir(folder);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: BTreeMap<String, Vec<Vec<Value>>> = serde_json::from_slice(&output.stdout).unwrap();
    let rows = |(question, rows): (String, Vec<Vec<Value>>)| {
        let count = rows.len();
        let rows: BTreeSet<String> =
            rows.into_iter().map(|row| Value::from(compared(&question, row)).to_string()).collect();
        assert_eq!(rows.len(), count, "question {question} has a row twice");
        (question, rows)
    };
    Some(answers.into_iter().map(rows).collect())
}

/// Without what `fleet` does not say there: when a machine was seen stands in question 2, and its key in question 3.
fn compared(question: &str, mut row: Vec<Value>) -> Vec<Value> {
    match question {
        "2" => _ = row.remove(8),
        "3" => _ = row.remove(5),
        _ => {}
    }
    row
}

fn same_answers(engine: &str, module: &str) {
    let folder = Folder::new(engine);
    let here = &folder.0;
    let files = [here.join("before.ndjson"), here.join("now.ndjson")];
    write_reports(&files[0], 0..BEFORE, Vm::report_before);
    write_reports(&files[1], VANISHED..VANISHED + MACHINES, Vm::report);
    let before = || gathered(&files[0]);
    rows(&before().whole("0.1.0", None, None), here, "before.ndjson");
    let now = gathered(&files[1]).whole("0.1.0", None, Some(before()));
    rows(&now, here, "now.ndjson");
    // What arrives twice counts once.
    fs::copy(here.join("rows/now.ndjson"), here.join("rows/again.ndjson")).unwrap();

    let wanted = answers(&now);
    let Some(answers) = asked(engine, module, here) else { return };
    for (question, rows) in &wanted {
        assert!(!rows.is_empty(), "question {question} asks nothing of this company");
    }
    for (question, rows) in &wanted {
        let of = &answers[question];
        let (missing, more): (Vec<_>, Vec<_>) =
            (rows.difference(of).take(3).collect(), of.difference(rows).take(3).collect());
        assert_eq!((&missing[..], &more[..]), (&[][..], &[][..]), "question {question}: missing, and more");
    }
}

#[test]
fn duckdb_gives_the_same_answers() {
    same_answers("duckdb", "duckdb");
}

#[test]
#[ignore = "needs Spark: .ci/nightly spark"]
fn spark_gives_the_same_answers() {
    same_answers("spark", "pyspark");
}

/// Files for `tests/bench/fleet`: the digests of `FLEET_MACHINES` machines as a file each and as one, and `FLEET_REPORTS` reports.
#[test]
#[ignore = "writes gigabytes: tests/bench/fleet"]
fn a_company_is_written_for_benchmarks() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok()).unwrap_or_default();
    let out = PathBuf::from(std::env::var_os("FLEET_OUT").unwrap());
    let file = |name: &str| BufWriter::new(File::create(out.join(name)).unwrap());
    let (mut digests, mut reports) = (file("digests.ndjson"), file("reports.ndjson"));
    for number in 0..number("FLEET_MACHINES") {
        let report = Vm { number }.report();
        let digest = Digest::new(&report, exit_status(&report, FailOn::Error));
        serde_json::to_writer(&mut digests, &digest).unwrap();
        digests.write_all(b"\n").unwrap();
        let folder = out.join("digests").join((number / 1_000).to_string());
        fs::create_dir_all(&folder).unwrap();
        let mut one = Vec::new();
        compact::write(&report, exit_status(&report, FailOn::Error), &mut one).unwrap();
        fs::write(folder.join(format!("{number}.txt")), one).unwrap();
    }
    for number in 0..number("FLEET_REPORTS") {
        serde_json::to_writer(&mut reports, &Vm { number }.report()).unwrap();
        reports.write_all(b"\n").unwrap();
    }
    digests.flush().and_then(|()| reports.flush()).unwrap();
}
