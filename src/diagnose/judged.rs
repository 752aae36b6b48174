//! What is said of every world, every fake machine and networks of the model, word for word.
//!
//! `tests/judged.ndjson.gz` holds what was seen of each, and the findings (`tests/judged.rs` looks anew). Whoever changes what rules
//! say sees here what else changes; `UPDATE=1 cargo test --lib judged` keeps it.

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

use super::diagnose;

#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    observations: Observations,
    findings: Vec<Value>,
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
        let found = serde_json::to_value(diagnose(&world.observations)).expect("JSON");
        let Value::Array(found) = found else { panic!("findings are a list") };
        if found != world.findings {
            faults.push(difference(&world.name, &world.findings, &found));
            world.findings = found;
        }
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
fn difference(world: &str, before: &[Value], after: &[Value]) -> String {
    let mut text = format!("{world}\n");
    let id = |finding: &Value| finding["id"].as_str().unwrap_or_default().to_owned();
    let order = |findings: &[Value]| findings.iter().map(id).collect::<Vec<_>>().join(" ");
    if order(before) != order(after) {
        let _ = writeln!(text, "  - {}\n  + {}", order(before), order(after));
    }
    for old in before {
        let Some(new) = after.iter().find(|new| id(new) == id(old)) else { continue };
        for (key, value) in old.as_object().into_iter().flatten().filter(|(key, value)| new[key.as_str()] != **value) {
            let _ = writeln!(text, "  {} {key}\n  - {value}\n  + {}", id(old), new[key.as_str()]);
        }
    }
    text
}
