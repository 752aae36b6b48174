//! What was seen in every world, on every fake machine and in networks of the model, kept with what was said of it.
//!
//! A unit test (`src/judged.rs`) judges it again, word for word, without a socket. Here the kept file has
//! to have all of them; `JUDGED=record cargo test judged::` records all again, then `UPDATE=1 cargo test --lib judged` adds the findings.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::{env, fs};

use ampls_probes::Observations;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::{delivery, encrypted, hosts, model, scenarios};

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/judged.ndjson.gz")
}

#[test]
fn every_world_and_machine_is_judged_beside_the_rules_too() {
    if env::var_os("JUDGED").is_some_and(|wanted| wanted == "record") {
        record();
    }
    let kept = GzDecoder::new(fs::File::open(file()).expect("tests/judged.ndjson.gz"));
    let kept: Vec<String> = serde_json::Deserializer::from_reader(kept)
        .into_iter::<Value>()
        .map(|line| line.expect("JSON")["name"].as_str().expect("a name").to_owned())
        .collect();
    let worlds = ampls_world::scenarios().iter().map(|world| format!("world {}", world.name));
    let hosts = hosts::files();
    let hosts = hosts.iter().map(|file| format!("host {}", file.file_stem().unwrap_or_default().to_string_lossy()));
    let missing: Vec<String> = worlds.chain(hosts).filter(|name| !kept.contains(name)).collect();
    assert!(missing.is_empty(), "nobody looked at {missing:?}: JUDGED=record cargo test judged::");
}

fn record() {
    let mut all: BTreeMap<String, Observations> = BTreeMap::new();
    for world in ampls_world::scenarios() {
        let scenario = world.parse().expect("a world");
        all.insert(format!("world {}", world.name), scenarios::observe(&scenario).expect("a run").observations);
    }
    all.extend(hosts::seen().into_iter().map(|(name, seen)| (format!("host {name}"), seen)));
    all.extend(model::seen());
    all.extend(encrypted::seen());
    all.extend(delivery::seen());
    let mut packed = GzEncoder::new(fs::File::create(file()).expect("tests"), Compression::best());
    for (name, observations) in &all {
        let line = json!({ "name": name, "observations": observations, "said": null });
        writeln!(packed, "{line}").expect("the disk takes it");
    }
    packed.finish().expect("the disk takes it");
}
