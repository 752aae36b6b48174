//! What is said of every world, every fake machine and networks of the model, word for word.
//!
//! `tests/judged.ndjson.gz` holds what was seen of each, and the findings (`tests/judged.rs` records it). A change to one rule shows here
//! what else it changes; `UPDATE=1 cargo test --lib judged` keeps the new findings.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::{env, fs};

use ampls_probes::Observations;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::diagnose::diagnose;
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::Finding;
use crate::report::{Report, RunInfo};

#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    observations: Observations,
    said: Option<Said>,
}

/// What is said of a machine, and of a Windows machine that saw the same.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Said {
    verdict: Value,
    findings: Vec<Value>,
    on_windows: Vec<Value>,
}

impl Said {
    fn of(observations: &Observations) -> Self {
        let facts = Facts::new(observations);
        let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
        let report = Report::new(observations, &facts, diagnose(observations), run);
        let mut windows = observations.clone();
        "Windows Server 2022 (20348)".clone_into(&mut windows.machine.os);
        let values = |findings: &[Finding]| findings.iter().map(|it| serde_json::to_value(it).expect("JSON")).collect();
        Self {
            verdict: serde_json::to_value(&report.verdict).expect("JSON"),
            findings: values(&report.findings),
            on_windows: values(&diagnose(&windows)),
        }
    }
}

/// Faults that a failure shows.
const SHOWN: usize = 20;

#[test]
fn what_is_said_of_every_world_is_what_was_said() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judged.ndjson.gz");
    let lines = BufReader::new(GzDecoder::new(fs::File::open(&file).expect("tests/judged.ndjson.gz"))).lines();
    let mut kept: Vec<Kept> =
        lines.map(|line| serde_json::from_str(&line.expect("gzip of lines")).expect("a kept world")).collect();
    assert!(kept.len() > 400, "{} worlds", kept.len());
    let mut faults = Vec::new();
    for world in &mut kept {
        let now = Said::of(&world.observations);
        match &world.said {
            Some(before) if *before == now => continue,
            Some(before) => faults.push(difference(&world.name, before, &now)),
            None => faults.push(format!("{}: nothing was said\n", world.name)),
        }
        world.said = Some(now);
    }
    if env::var_os("UPDATE").is_some() && !faults.is_empty() {
        let mut packed = GzEncoder::new(fs::File::create(&file).expect("tests"), Compression::best());
        for world in &kept {
            writeln!(packed, "{}", serde_json::to_string(world).expect("JSON")).expect("the disk takes it");
        }
        packed.finish().expect("the disk takes it");
    } else {
        let count = faults.len();
        faults.truncate(SHOWN);
        assert!(count == 0, "of {count} worlds something else is said:\n{}", faults.concat());
    }
}

/// The findings that went, those that came, and in those that stayed what changed.
fn difference(world: &str, before: &Said, after: &Said) -> String {
    let mut text = format!("{world}\n");
    changed(&mut text, "verdict", &before.verdict, &after.verdict);
    let id = |finding: &Value| finding["id"].as_str().unwrap_or_default().to_owned();
    let order = |findings: &[Value]| findings.iter().map(id).collect::<Vec<_>>().join(" ");
    for (old, new) in [(&before.findings, &after.findings), (&before.on_windows, &after.on_windows)] {
        if order(old) != order(new) {
            let _ = writeln!(text, "  - {}\n  + {}", order(old), order(new));
        }
        for old in old {
            if let Some(new) = new.iter().find(|new| id(new) == id(old)) {
                changed(&mut text, &id(old), old, new);
            }
        }
    }
    text
}

fn changed(text: &mut String, what: &str, old: &Value, new: &Value) {
    for (key, value) in old.as_object().into_iter().flatten().filter(|(key, value)| new[key.as_str()] != **value) {
        let _ = writeln!(text, "  {what} {key}\n  - {value}\n  + {}", new[key.as_str()]);
    }
}
