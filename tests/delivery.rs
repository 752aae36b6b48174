//! A network on which every test is green, with the files of agents that deliver, fail or say nothing: none of them is called
//! healthy without a word about what is known of its data.

use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::diagnose::facts::delivery::Delivery;
use ampls_doctor::diagnose::finding::Severity;
use ampls_doctor::report::{Health, Report, RunInfo};
use ampls_probes::Observations;
use serde::Deserialize;
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::scenarios::{Pace, Seen, observe, side_by_side};

/// Stands for every token.
const SECRET: &str = "geheim";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Machines {
    #[serde(rename = "machine")]
    machines: Vec<Machine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Machine {
    title: String,
    delivery: Delivery,
    /// Findings at warning or above, in order of their codes.
    codes: Vec<String>,
    files: BTreeMap<String, String>,
}

#[test]
fn green_network_is_not_called_healthy_without_a_word_about_the_data() {
    let machines: Machines = toml::from_str(include_str!("delivery.toml")).expect("the machines");
    let silent = machines.machines.iter().filter(|machine| machine.delivery != Delivery::Delivering).count();
    assert!(silent >= 20, "{silent} machines deliver nothing");
    side_by_side(&machines.machines, |machine| machine.title.clone(), examine);
}

/// What is seen of each machine, by name.
pub(crate) fn seen() -> Vec<(String, Observations)> {
    let machines: Machines = toml::from_str(include_str!("delivery.toml")).expect("the machines");
    let seen = |machine: Machine| {
        let seen = look(&machine, Pace::Usual).expect("a run");
        (format!("delivery {}", machine.title), seen.observations)
    };
    machines.machines.into_iter().map(seen).collect()
}

fn look(machine: &Machine, pace: Pace) -> Result<Seen, String> {
    let world = ampls_world::scenario("healthy-private").ok_or("no such world")?;
    let mut scenario = world.parse().map_err(|error| error.to_string())?;
    scenario.files.clone_from(&machine.files);
    pace.set(&mut scenario);
    observe(&scenario)
}

fn examine(machine: &Machine, pace: Pace) -> Result<Vec<String>, String> {
    let Seen { observations, findings, .. } = look(machine, pace)?;
    let facts = Facts::new(&observations);
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
    let report = Report::new(&observations, &facts, findings, run);

    let mut differences = Vec::new();
    let verdict = &report.verdict;
    if verdict.delivery != machine.delivery {
        differences.push(format!("delivery: {:?}, {:?}", verdict.delivery, verdict.delivery_evidence));
    }
    let above_info = report.findings.iter().filter(|finding| finding.severity > Severity::Info);
    let mut codes: Vec<&str> = above_info.map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    if codes != machine.codes {
        differences.push(format!("codes: {codes:?}"));
    }
    let clause = match machine.delivery {
        Delivery::Delivering => "data delivered at ",
        Delivery::Failing => "delivery failing since ",
        Delivery::Unproven => "delivery not proven",
    };
    let called_healthy = verdict.health == Health::Ok || verdict.headline.contains("healthy");
    if (called_healthy || machine.delivery == Delivery::Failing) && !verdict.headline.contains(clause) {
        differences.push(format!("headline: {}", verdict.headline));
    }
    if serde_json::to_string(&report).map_err(|error| error.to_string())?.contains(SECRET) {
        differences.push("a secret is in the report".to_owned());
    }
    Ok(differences)
}
