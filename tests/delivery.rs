//! A network on which every test is green, with the files of agents that deliver, fail or say nothing: none of them is called
//! healthy without a word about what is known of its data, and where Azure knows the cause it is named.

use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::diagnose::facts::delivery::Delivery;
use ampls_doctor::diagnose::finding::Severity;
use ampls_doctor::facts_file;
use ampls_doctor::report::{Health, Report, RunInfo};
use ampls_probes::Observations;
use ampls_world::Scenario;
use ampls_world::scenario::Control;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::facts::held::file;

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
    /// Who knows the cause, and what they say.
    #[serde(default, rename = "cause")]
    causes: Vec<Cause>,
    /// Why neither the control service nor what Azure holds knows it.
    unknown: Option<String>,
}

/// What Azure says of a machine that delivers nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "by")]
enum Cause {
    /// The control service, asked by the machine itself.
    AskAzure {
        /// The option.
        option: String,
        #[serde(default)]
        control: Control,
        /// An endpoint is associated.
        #[serde(default = "associated")]
        endpoint: bool,
        /// The root that explains what the agent wrote.
        root: String,
    },
    /// A file of what Azure holds.
    Facts {
        holds: Holds,
        /// What stands beside the finding, or among the notes where there is none.
        says: String,
    },
}

fn associated() -> bool {
    true
}

/// What is wrong with what Azure holds.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Holds {
    /// The scope does not hold the workspace.
    WorkspaceOutside,
    /// The workspace is closed to public networks.
    WorkspaceClosed,
    /// The daily cap is reached.
    OverQuota,
    /// No rule is associated with the machine.
    NoRule,
}

#[test]
fn green_network_is_not_called_healthy_without_a_word_about_the_data() {
    let machines: Machines = toml::from_str(include_str!("delivery.toml")).expect("the machines");
    let silent = machines.machines.iter().filter(|machine| machine.delivery != Delivery::Delivering).count();
    assert!(silent >= 20, "{silent} machines deliver nothing");
    side_by_side(&machines.machines, |machine| machine.title.clone(), examine);
}

/// What a machine shows beside what it wrote: the control service's word by its own identity, or what Azure holds.
#[test]
fn azure_names_the_cause_where_nothing_is_delivered_and_it_can() {
    let machines: Machines = toml::from_str(include_str!("delivery.toml")).expect("the machines");
    let silent: Vec<Machine> =
        machines.machines.into_iter().filter(|machine| machine.delivery != Delivery::Delivering).collect();
    for machine in &silent {
        assert!(machine.causes.is_empty() == machine.unknown.is_some(), "{}: who knows the cause?", machine.title);
    }
    side_by_side(
        &silent,
        |machine| machine.title.clone(),
        |machine, pace| {
            let differences = machine.causes.iter().map(|cause| differences(machine, cause, pace));
            Ok(differences.collect::<Result<Vec<_>, _>>()?.concat())
        },
    );
}

fn differences(machine: &Machine, cause: &Cause, pace: Pace) -> Result<Vec<String>, String> {
    match cause {
        Cause::AskAzure { option, control, endpoint, root } => {
            let seen = look_at(machine, pace, |scenario| {
                scenario.more_arguments.push(option.clone());
                scenario.control = *control;
                scenario.dces = endpoint.then(|| "prod-ab12.westeurope-1".to_owned()).into_iter().collect();
            })?;
            let found = &seen.findings;
            let Some(root_cause) = found.iter().find(|finding| finding.code == *root && finding.caused_by.is_none())
            else {
                return Ok(vec![format!("{option}: no root {root}")]);
            };
            // What the agent wrote follows from it.
            let wrote = found.iter().filter(|it| matches!(it.code.as_str(), "AGT008" | "AGT009"));
            let apart = wrote.filter(|it| it.caused_by_id.as_ref() != Some(&root_cause.id));
            Ok(apart.map(|it| format!("{option}: {} is not explained by {root}", it.id)).collect())
        }
        Cause::Facts { holds, says } => {
            let Seen { observations, findings, .. } = look(machine, pace)?;
            let facts = Facts::new(&observations);
            let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
            let report = Report::new(&observations, &facts, findings, run);
            let mut file = file(&report).ok_or("no machine in Azure")?;
            change(&mut file, *holds, &report);
            let held = facts_file::read(file.to_string().as_bytes()).map_err(|error| error.to_string())?;
            let report = report.with_facts(&held, &facts);
            let notes = report.notes.iter().map(|note| &note.text);
            let evidence = report.findings.iter().flat_map(|finding| &finding.evidence);
            let said = evidence.chain(notes).any(|line| line.contains(says.as_str()));
            Ok(if said { Vec::new() } else { vec![format!("facts: not said: {says}")] })
        }
    }
}

fn change(file: &mut Value, holds: Holds, report: &Report) {
    let id = report.host.azure.as_ref().and_then(|azure| azure.resource_id.as_deref());
    file["subscriptions"] = json!([id.and_then(|id| id.split('/').nth(2))]);
    let workspaces = |file: &mut Value, field: &str, word: &str| {
        for workspace in file["workspaces"].as_array_mut().expect("workspaces") {
            workspace[field] = word.into();
        }
    };
    match holds {
        Holds::WorkspaceOutside => file["scopes"][0]["resources"] = json!([]),
        Holds::WorkspaceClosed => workspaces(file, "ingestion", "Disabled"),
        Holds::OverQuota => workspaces(file, "ingestion_status", "OverQuota"),
        Holds::NoRule => file["associations"] = json!([]),
    }
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
    look_at(machine, pace, |_| ())
}

fn look_at(machine: &Machine, pace: Pace, change: impl FnOnce(&mut Scenario)) -> Result<Seen, String> {
    let world = ampls_world::scenario("healthy-private").ok_or("no such world")?;
    let mut scenario = world.parse().map_err(|error| error.to_string())?;
    scenario.files.clone_from(&machine.files);
    change(&mut scenario);
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
