//! What is taken of a document: the few fields that tell machine and roots. Everything else is passed over unread.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::examined::{is_proven_error, is_unexamined};
use super::sighting::{bounded_id, bounded_name};
use super::{AgentSeen, Form, MachineKey, Names, Place, Root, Shared, Sighting, Source};
use crate::diagnose::finding::{Argument, Certainty, Owner, Severity};
use crate::report::digest::KIND;
use crate::report::{Health, purpose};

/// A JSON object, of whatever kind it is.
#[derive(Debug, Deserialize)]
pub struct Document {
    /// Version of the document.
    pub schema: Option<u32>,
    kind: Option<String>,
    tool: Option<Tool>,
    run: Option<Run>,
    host: Option<Value>,
    verdict: Option<Value>,
    findings: Option<Vec<Found>>,
    /// A list in reports, a map in digests.
    agents: Option<Value>,
    servers: Option<Vec<Value>>,
    sources: Option<Value>,
    redacted: Option<Value>,
}

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

#[derive(Debug, Deserialize)]
struct Tool {
    version: String,
}

#[derive(Debug, Deserialize)]
struct Run {
    id: Uuid,
    started_at: Timestamp,
    #[serde(default)]
    stopped: Value,
}

#[derive(Debug, Deserialize)]
struct Found {
    code: String,
    severity: Value,
    #[serde(default)]
    certainty: Value,
    #[serde(default)]
    owner: Value,
    #[serde(default)]
    caused_by: Option<String>,
    #[serde(default)]
    endpoints: Vec<String>,
    #[serde(default)]
    args: BTreeMap<String, Value>,
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
    health: Value,
    code: Option<String>,
    #[serde(default)]
    severity: Value,
    #[serde(default)]
    certainty: Value,
    #[serde(default)]
    owner: Value,
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

impl Document {
    /// What it is; `text` is what it was read from. Fails where it is of a known kind and does not hold what that kind holds.
    pub fn read(self, text: &str, source: Option<Source>) -> Result<Read, String> {
        match self.kind.as_deref() {
            Some(KIND) => Ok(Read::Digest),
            Some("endpoint") => Ok(Read::Passed),
            Some("run" | "finding") => {
                let flat = serde_json::from_str::<Flat>(text).map_err(|error| error.to_string())?;
                Ok(Read::Sighting(flat.sighting()))
            }
            None if self.run.is_some() && self.findings.is_some() => self.report(text, source).map(Read::Sighting),
            _ => Ok(Read::Other),
        }
    }

    fn report(self, whole: &str, source: Option<Source>) -> Result<Sighting, String> {
        let (Some(run), Some(findings)) = (self.run, self.findings) else { return Err("has no run".to_owned()) };
        let (host, verdict) = (self.host.unwrap_or_default(), self.verdict.unwrap_or_default());
        let azure = &host["azure"];
        let (vm_id, resource_id) = (text(&azure["vm_id"]), text(&azure["resource_id"]));
        let name = text(&host["name"]).ok_or("names no host")?;
        let names = self.redacted.as_ref().map_or(Names::Originals, names);
        let servers = self.servers.unwrap_or_default();
        let roots = findings.into_iter().filter(|finding| finding.caused_by.is_none()).map(Found::root);
        let roots: Vec<Root> = roots.collect();
        let proven = roots.iter().any(|root| is_proven_error(&root.code, root.severity));
        let unexamined = is_unexamined(whole, &run.stopped, self.sources.as_ref(), proven);
        let agent = |agent: &Value| {
            let kind = text(&agent["kind"])?.to_owned();
            Some(AgentSeen { kind, version: text(&agent["version"]).map(str::to_owned) })
        };
        let shared = Shared {
            form: Form::Report,
            version: self.tool.map(|tool| tool.version).unwrap_or_default(),
            cloud: text(&azure["cloud"]).map(str::to_owned),
            place: Place::new(resource_id, text(&azure["region"]), text(&azure["subnet"])),
            route: text(&verdict["route"]).unwrap_or_default().to_owned(),
            names,
            unexamined,
            health: health(&verdict["health"]),
            servers: servers
                .iter()
                .filter(|server| is_used(server))
                .filter_map(|it| text(&it["address"]))
                .map(str::to_owned)
                .collect(),
            agents: self.agents.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(agent).collect(),
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
}

/// Whether the machine itself asks the server: Azure's DNS and those of `--resolver` are looked at too.
fn is_used(server: &Value) -> bool {
    let roles = server["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
    roles.is_empty() || roles.iter().any(|role| matches!(role.as_str(), Some("configured" | "upstream")))
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}

/// A severity of a later version counts as an error: nothing shows that it is less.
fn severity(value: &Value) -> Severity {
    Severity::deserialize(value).unwrap_or(Severity::Error)
}

/// Whatever it says of what was replaced: something was, and it must not be taken for the original.
fn names(mark: &Value) -> Names {
    if mark.is_null() || *mark == Value::Bool(false) {
        return Names::Originals;
    }
    mark["set"].as_str().and_then(|set| Uuid::try_parse(set).ok()).map_or(Names::OfOneReport, Names::OfSet)
}

/// A certainty of a later version is not proof.
fn certainty(value: &Value) -> Option<Certainty> {
    (!value.is_null()).then(|| Certainty::deserialize(value).unwrap_or(Certainty::Likely))
}

/// A health of a later version counts as an error, for the same reason.
fn health(value: &Value) -> Option<Health> {
    (!value.is_null()).then(|| Health::deserialize(value).unwrap_or(Health::Error))
}

fn affects(endpoints: &[String]) -> Vec<&'static str> {
    endpoints.iter().map(|name| purpose(name)).collect()
}

impl Found {
    fn root(self) -> Root {
        let argument =
            |value: Value| Argument::deserialize(&value).unwrap_or_else(|_| Argument::One(value.to_string()));
        Root {
            code: self.code,
            severity: severity(&self.severity),
            certainty: certainty(&self.certainty),
            owner: Owner::deserialize(&self.owner).ok(),
            affects: affects(&self.endpoints),
            args: self.args.into_iter().map(|(name, value)| (name, argument(value))).collect(),
            unnamed: false,
        }
    }
}

impl Flat {
    fn sighting(self) -> Sighting {
        let (vm_id, resource_id) = (self.vm_id.as_deref(), self.resource_id.as_deref());
        let names = Names::of_mark(self.redacted);
        let root = |code| Root {
            code,
            severity: severity(&self.severity),
            certainty: certainty(&self.certainty),
            owner: Owner::deserialize(&self.owner).ok(),
            affects: affects(&self.endpoints),
            args: self.args.iter().map(|it| (it.name.clone(), Argument::Many(it.values.clone()))).collect(),
            unnamed: false,
        };
        let shared = Shared {
            form: Form::Rows,
            version: self.version.unwrap_or_default(),
            cloud: self.cloud,
            place: Place::new(resource_id, self.region.as_deref(), self.subnet.as_deref()),
            route: self.route.unwrap_or_default(),
            names,
            unexamined: self.examined == Some(false),
            health: health(&self.health),
            servers: Vec::new(),
            agents: Vec::new(),
            roots: Arc::new(self.code.filter(|_| self.caused_by.is_none()).map(root).into_iter().collect()),
        };
        Sighting {
            at: self.at,
            run: self.run_id,
            key: MachineKey::new(vm_id, resource_id, &self.host).within(names, self.run_id),
            name: bounded_name(&self.host),
            resource_id: resource_id.and_then(bounded_id),
            shared: Arc::new(shared.bounded()),
            source: None,
        }
    }
}
