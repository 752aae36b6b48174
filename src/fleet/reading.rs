//! What a document says of a machine.

use std::sync::Arc;

use ampls_extract::{Agent, Document, Found, Object, Server, Word};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::examined::{is_proven_error, is_unexamined};
use super::sighting::{bounded_id, bounded_name};
use super::{AgentSeen, Form, MachineKey, Names, Place, Root, Shared, Sighting, Source};
use crate::diagnose::finding::{Argument, Certainty, Severity};
use crate::report::digest::KIND;
use crate::report::{Health, purpose};

/// What a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// What a report or a row says of a machine.
    Sighting(Sighting),
    /// A digest, which is read by its own type.
    Digest,
    /// A row that says nothing of roots.
    Passed,
    /// Something else.
    Other,
}

/// A line of the format `ndjson`: of kind `run` or `finding`.
#[derive(Debug, Deserialize)]
struct Flat {
    at: Timestamp,
    run_id: Uuid,
    #[serde(default)]
    host: String,
    vm_id: Option<String>,
    resource_id: Option<String>,
    #[serde(default)]
    redacted: bool,
    cloud: Option<String>,
    region: Option<String>,
    subnet: Option<String>,
    version: Option<String>,
    examined: Option<bool>,
    route: Option<String>,
    #[serde(default)]
    health: Word,
    code: Option<String>,
    #[serde(default)]
    severity: Word,
    #[serde(default)]
    certainty: Word,
    #[serde(default)]
    owner: Word,
    caused_by: Option<String>,
    #[serde(default)]
    endpoints: Vec<String>,
    #[serde(default)]
    args: Vec<FlatArgument>,
}

#[derive(Debug, Deserialize)]
struct FlatArgument {
    name: String,
    values: Vec<String>,
}

/// What a document is; `text` is what it was read from. Fails where it is of a known kind and does not hold what that kind holds.
pub fn read(document: Document, text: &[u8], source: Option<Source>) -> Result<Read, String> {
    match document.kind.as_deref() {
        Some(KIND) => Ok(Read::Digest),
        Some("endpoint") => Ok(Read::Passed),
        Some("run" | "finding") => {
            let flat = serde_json::from_slice::<Flat>(text).map_err(|error| error.to_string())?;
            Ok(Read::Sighting(of_row(&flat)))
        }
        None if document.run.is_some() && document.findings.is_some() => {
            of_report(document, text, source).map(Read::Sighting)
        }
        _ => Ok(Read::Other),
    }
}

fn of_report(document: Document, whole: &[u8], source: Option<Source>) -> Result<Sighting, String> {
    let (Some(run), Some(findings)) = (document.run, document.findings) else { return Err("has no run".to_owned()) };
    let (Object(host), Object(verdict)) = (document.host, document.verdict);
    let Object(azure) = host.azure;
    let (vm_id, resource_id) = (azure.vm_id.text(), azure.resource_id.text());
    let name = host.name.text().ok_or("names no host")?;
    let names = document.redacted.as_deref().map_or(Names::Originals, names);
    let servers = document.servers.each().iter().filter(|Object(server)| is_used(server));
    let roots = findings.into_iter().filter(|finding| finding.caused_by.is_none()).map(root);
    let roots: Vec<Root> = roots.collect();
    let proven = roots.iter().any(|root| is_proven_error(&root.code, root.severity));
    let unexamined = is_unexamined(whole, run.stopped.text(), document.sources.each(), proven);
    let agent = |Object(agent): &Object<Agent>| {
        let kind = agent.kind.text()?.to_owned();
        Some(AgentSeen { kind, version: agent.version.text().map(str::to_owned) })
    };
    let shared = Shared {
        form: Form::Report,
        version: document.tool.map(|tool| tool.version).unwrap_or_default(),
        cloud: azure.cloud.text().map(str::to_owned),
        place: Place::new(resource_id, azure.region.text(), azure.subnet.text()),
        route: verdict.route.text().unwrap_or_default().to_owned(),
        names,
        unexamined,
        health: health(&verdict.health),
        servers: servers.filter_map(|Object(server)| server.address.text()).map(str::to_owned).collect(),
        agents: document.agents.each().iter().filter_map(agent).collect(),
        roots: Arc::new(roots),
    };
    Ok(Sighting {
        at: run.started_at,
        run: run.id,
        key: MachineKey::new(vm_id, resource_id, name).within(names, run.id),
        name: bounded_name(name),
        resource_id: resource_id.and_then(bounded_id),
        shared: Arc::new(shared.bounded()),
        source,
    })
}

/// Whether the machine itself asks the server: Azure's DNS and those of `--resolver` are looked at too.
fn is_used(server: &Server) -> bool {
    let roles = server.roles.each();
    roles.is_empty() || roles.iter().any(|role| matches!(role.text(), Some("configured" | "upstream")))
}

/// A severity of a later version counts as an error: nothing shows that it is less.
fn severity(word: &Word) -> Severity {
    word.known().unwrap_or(Severity::Error)
}

/// Whatever it says of what was replaced: something was, and it must not be taken for the original.
fn names(mark: &RawValue) -> Names {
    let mark = serde_json::from_str(mark.get()).unwrap_or(Value::Bool(true));
    if mark.is_null() || mark == Value::Bool(false) {
        return Names::Originals;
    }
    mark["set"].as_str().and_then(|set| Uuid::try_parse(set).ok()).map_or(Names::OfOneReport, Names::OfSet)
}

/// A certainty of a later version is not proof.
fn certainty(word: &Word) -> Option<Certainty> {
    word.known_or(Certainty::Likely)
}

/// A health of a later version counts as an error, for the same reason.
fn health(word: &Word) -> Option<Health> {
    word.known_or(Health::Error)
}

fn affects(endpoints: &[String]) -> Vec<&'static str> {
    endpoints.iter().map(|name| purpose(name)).collect()
}

/// A value of a later version is kept as a text, the same however it was laid out.
fn argument(value: &RawValue) -> Argument {
    match serde_json::from_str(value.get()) {
        Ok(Value::String(text)) => Argument::One(text),
        Ok(value) => Argument::deserialize(&value).unwrap_or_else(|_| Argument::One(value.to_string())),
        Err(_) => Argument::One(value.get().to_owned()),
    }
}

fn root(found: Found) -> Root {
    Root {
        code: found.code,
        severity: severity(&found.severity),
        certainty: certainty(&found.certainty),
        owner: found.owner.known(),
        affects: affects(&found.endpoints),
        args: found.args.into_iter().map(|(name, value)| (name, argument(&value))).collect(),
        unnamed: false,
    }
}

fn of_row(row: &Flat) -> Sighting {
    let (vm_id, resource_id) = (row.vm_id.as_deref(), row.resource_id.as_deref());
    let names = Names::of_mark(row.redacted);
    let root = |code| Root {
        code,
        severity: severity(&row.severity),
        certainty: certainty(&row.certainty),
        owner: row.owner.known(),
        affects: affects(&row.endpoints),
        args: row.args.iter().map(|it| (it.name.clone(), Argument::Many(it.values.clone()))).collect(),
        unnamed: false,
    };
    let shared = Shared {
        form: Form::Rows,
        version: row.version.clone().unwrap_or_default(),
        cloud: row.cloud.clone(),
        place: Place::new(resource_id, row.region.as_deref(), row.subnet.as_deref()),
        route: row.route.clone().unwrap_or_default(),
        names,
        unexamined: row.examined == Some(false),
        health: health(&row.health),
        servers: Vec::new(),
        agents: Vec::new(),
        roots: Arc::new(row.code.clone().filter(|_| row.caused_by.is_none()).map(root).into_iter().collect()),
    };
    Sighting {
        at: row.at,
        run: row.run_id,
        key: MachineKey::new(vm_id, resource_id, &row.host).within(names, row.run_id),
        name: bounded_name(&row.host),
        resource_id: resource_id.and_then(bounded_id),
        shared: Arc::new(shared.bounded()),
        source: None,
    }
}
