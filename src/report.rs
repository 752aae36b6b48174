//! The report: one versioned JSON document a run.
//!
//! It holds everything twice, on purpose: the judged picture (`verdict`, `endpoints`, `zones`, `findings`) for the people who read
//! it, and the raw `observations` it was made from, so that it can be judged again, offline, by a later version. It is
//! made of values and knows neither clock nor file; how it looks on a screen is the business of [`crate::render`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ampls_probes::Observations;
use ampls_probes::azure::AgentKind;
use ampls_probes::endpoint::{Expect, Need};
use ampls_probes::observation::later::whole;
use ampls_probes::observation::moment::to_millisecond;
use ampls_probes::observation::{Observation, Server, SourceName, Stop};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::diagnose::facts::{EndpointFacts, Facts, Status, View, ViewKind, ZoneFact, complete};
use crate::diagnose::finding::{Finding, Severity};
use crate::diagnose::levels::Levels;
use crate::diagnose::rule::Claim;
use crate::diagnose::rules;

pub use agent::AgentReport;
pub use browser::BrowserReport;
pub use digest::Digest;
pub(crate) use effect::family as purpose;
pub use endpoint::{EndpointReport, HttpReport, TcpReport, Timings, TlsReport};
pub use held::{FactsUsed, Held};
pub use host::{Azure, Environment, Host};
pub use note::Note;
pub use outcome::{StepFailure, StepOutcome};
pub use path::{Path, Reason, Standing, State, Station};
pub(crate) use redact::is_same_everywhere;
pub use redact::{Redactor, redact};
pub(crate) use schema::described;
pub use schema::schema;
pub use source::SourceReport;
pub(crate) use verdict::fold;
pub use verdict::{Health, Verdict};
pub use verify::Verify;

mod agent;
mod browser;
pub mod digest;
mod effect;
mod endpoint;
pub mod held;
mod host;
mod note;
mod outcome;
mod path;
mod redact;
mod schema;
mod source;
mod verdict;
mod verify;

/// The version of the document that this program writes.
pub const SCHEMA: u32 = 2;

/// The oldest version that is still read: its observations are judged again, and its digests repeated.
pub(crate) const OLDEST_SCHEMA: u32 = 1;

/// The exit status of a run that could look at nothing.
pub(crate) const NOTHING_LOOKED_AT: u8 = 3;

/// Whether the finding says no more than that steps did not end.
fn is_unfinished(finding: &Finding) -> bool {
    rules::of_code(&finding.code).is_some_and(|rule| rule.claim == Claim::Unfinished)
}

/// One run, judged.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Report {
    /// Version of this document, [`SCHEMA`].
    #[schemars(extend("const" = SCHEMA))]
    pub schema: u32,
    /// The program that judged.
    pub tool: Tool,
    /// The run.
    pub run: Run,
    /// What was replaced; `None` when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redacted: Option<Redacted>,
    /// The machine.
    pub host: Host,
    /// The answer in one line.
    pub verdict: Verdict,
    /// What was looked at and what was not.
    pub sources: Vec<SourceReport>,
    /// Every endpoint, in the plan's order.
    pub endpoints: Vec<EndpointReport>,
    /// The SOA of every AMPLS zone from every server.
    pub zones: Vec<ZoneFact>,
    /// Agents found on the machine.
    pub agents: Vec<AgentReport>,
    /// Browsers found on the machine.
    pub browsers: Vec<BrowserReport>,
    /// Proxies that apply to an endpoint.
    pub proxies: Vec<ProxyReport>,
    /// DNS servers that were asked, configured ones first.
    pub servers: Vec<Server>,
    /// What a machine cannot see, and how to look at it.
    pub notes: Vec<Note>,
    /// What was found: roots first.
    pub findings: Vec<Finding>,
    /// Everything that was seen, for `judge`; its shape has a `version` of its own.
    #[schemars(with = "schema::Recorded")]
    #[serde(serialize_with = "whole")]
    pub observations: Observations,
}

/// The program that judged.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Tool {
    /// Its version.
    pub version: String,
}

/// The run itself.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Run {
    /// Unique for each run; a later judgement keeps it.
    pub id: Uuid,
    /// When it began, by the machine's clock.
    #[serde(serialize_with = "to_millisecond")]
    #[schemars(with = "Timestamp")]
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Every step was done.
    pub complete: bool,
    /// What ended it early.
    pub stopped: Option<Stop>,
    /// What the paths should be.
    pub expect: Expect,
    /// Severities that the user gave to rules (`--rule`).
    #[serde(default, skip_serializing_if = "Levels::is_empty")]
    pub rules: Levels,
    /// What Azure holds, as far as it was given (`--facts`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<FactsUsed>,
}

/// Names and addresses in this report are pseudonyms: the same original has the same pseudonym throughout, and none can be
/// undone.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Redacted {
    /// What was replaced, by kind: `address`, `id`, `name`, `fingerprint`.
    pub manifest: BTreeMap<String, Replaced>,
    /// Reports that were redacted together have the same, and the same pseudonym for the same original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<Uuid>,
}

/// How often a kind of value was replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Replaced {
    /// Different values.
    pub values: usize,
    /// Occurrences of any of them.
    pub occurrences: usize,
}

/// What a report cannot take from the observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// [`Run::id`]
    pub id: Uuid,
    /// [`Tool::version`]
    pub tool_version: String,
}

/// A proxy and the endpoints it applies to.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ProxyReport {
    /// `http://host:port`, without credentials.
    pub url: String,
    /// Where it is set.
    pub source: String,
    /// It comes with credentials.
    pub has_credentials: bool,
    /// The agent that is configured to use it; null for the proxy of this run.
    #[serde(default)]
    pub used_by: Option<AgentKind>,
    /// Full host names, in the plan's order.
    pub endpoints: Vec<String>,
}

/// The least severity that makes the exit status 1 (`--fail-on`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailOn {
    /// Errors.
    #[default]
    Error,
    /// Warnings and errors.
    Warning,
    /// Nothing.
    Never,
}

impl Report {
    /// Puts a report together from what was seen and what it means. `findings` come in the order of the report.
    pub fn new(observations: &Observations, facts: &Facts<'_>, findings: Vec<Finding>, run: RunInfo) -> Self {
        assemble(observations, facts.endpoints(), facts.zones(), findings, run)
    }

    /// Notes the severities that the user gave to rules when the findings were made. The headline names those that are off: a
    /// verdict without them is not the whole truth.
    #[must_use]
    pub fn with_rules(mut self, rules: Levels) -> Self {
        let off: Vec<&str> = rules.off().collect();
        match off.as_slice() {
            [] => {}
            [one] => self.verdict.headline.extend([" (1 rule is off: ", one, ")"]),
            more => {
                let _ = write!(self.verdict.headline, " ({} rules are off: {})", more.len(), more.join(", "));
            }
        }
        self.run.rules = rules;
        self
    }

    /// The findings that no other finding explains, in their order.
    pub fn roots(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.caused_by.is_none())
    }

    /// The findings about an endpoint, in their order.
    pub fn findings_about<'a>(&'a self, endpoint: &'a EndpointReport) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(|finding| finding.endpoints.contains(&endpoint.fqdn))
    }

    /// The highest severity of the findings about an endpoint; `None` where there is no finding.
    pub fn severity_of(&self, endpoint: &EndpointReport) -> Option<Severity> {
        self.findings_about(endpoint).map(|finding| finding.severity).max()
    }

    /// The control service would answer what a root leaves open: which rules and which endpoint Azure has for this machine.
    pub fn offers_to_ask_azure(&self) -> bool {
        let asked = self.sources.iter().any(|source| source.source == SourceName::Azure);
        let machine = self.host.azure.as_ref().is_some_and(|azure| azure.resource_id.is_some());
        machine && !asked && self.roots().any(|root| LEFT_OPEN.contains(&root.code.as_str()))
    }

    /// The findings that a root explains, in their order.
    pub fn explained_by<'a>(&'a self, root: &'a Finding) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.caused_by_id.as_deref() == Some(&root.id))
    }
}

/// What the agent was refused, or never got, without a word of why: the service says it to the machine's own identity.
const LEFT_OPEN: [&str; 4] = ["AGT005", "AGT008", "AGT009", "HTP003"];

/// The exit status: 0 nothing at or above `fail_on`, 1 something, 3 nothing could be looked at, or no required name was before
/// a signal came.
pub fn exit_status(report: &Report, fail_on: FailOn) -> u8 {
    if !source::anything_was_looked_at(&report.observations) {
        return NOTHING_LOOKED_AT;
    }
    let proven = |finding: &Finding| !is_unfinished(finding) && fail_on.counts(finding.severity);
    if ended_too_early(report) && !report.findings.iter().any(proven) {
        return NOTHING_LOOKED_AT;
    }
    fail_on.status(report.findings.iter().map(|finding| finding.severity))
}

/// Somebody ended the run before any required name was judged: a caller must not take that for health.
fn ended_too_early(report: &Report) -> bool {
    let own = |view: &&View| matches!(view.view, ViewKind::System | ViewKind::Server);
    let settled = |view: &View| !matches!(view.status, Status::Cancelled | Status::Skipped);
    let judged =
        |endpoint: &&EndpointReport| endpoint.reachable.is_some() || endpoint.views.iter().filter(own).any(settled);
    let mut required = report.endpoints.iter().filter(|endpoint| endpoint.need == Need::Required);
    report.run.stopped == Some(Stop::Interrupt) && !required.any(|endpoint| judged(&endpoint))
}

impl FailOn {
    /// Whether a finding of this severity makes the exit status 1.
    pub fn counts(self, severity: Severity) -> bool {
        least_severity(self).is_some_and(|least| severity >= least)
    }

    fn status(self, severities: impl IntoIterator<Item = Severity>) -> u8 {
        u8::from(severities.into_iter().any(|severity| self.counts(severity)))
    }
}

/// The severity from which a finding counts; `None` where none does.
pub(crate) fn least_severity(fail_on: FailOn) -> Option<Severity> {
    match fail_on {
        FailOn::Never => None,
        FailOn::Warning => Some(Severity::Warning),
        FailOn::Error => Some(Severity::Error),
    }
}

fn assemble(
    observations: &Observations,
    endpoints: &[EndpointFacts<'_>],
    zones: &[ZoneFact],
    findings: Vec<Finding>,
    run: RunInfo,
) -> Report {
    let endpoints: Vec<EndpointReport> =
        endpoints.iter().map(|facts| EndpointReport::new(facts, observations.started_at)).collect();
    let host = Host::new(observations);
    let verdict = Verdict::new(observations, &endpoints, &findings);
    let notes = note::notes(&host, &endpoints, observations);
    Report {
        schema: SCHEMA,
        tool: Tool { version: run.tool_version },
        run: Run {
            id: run.id,
            started_at: observations.started_at,
            elapsed_ms: observations.elapsed_ms,
            complete: complete(observations),
            stopped: observations.stopped,
            expect: observations.asked.expect,
            rules: Levels::default(),
            facts: None,
        },
        redacted: None,
        host,
        verdict,
        sources: source::reports(observations),
        endpoints,
        zones: zones.to_vec(),
        agents: agent::agents(observations),
        browsers: browser::browsers(observations),
        proxies: proxies(observations),
        servers: servers(observations),
        notes,
        findings,
        observations: observations.clone(),
    }
}

fn servers(observations: &Observations) -> Vec<Server> {
    let resolver = observations.seen.iter().find_map(|seen| match seen {
        Observation::Resolver(resolver) => Some(resolver),
        _ => None,
    });
    resolver.map(|resolver| resolver.servers.clone()).unwrap_or_default()
}

fn proxies(observations: &Observations) -> Vec<ProxyReport> {
    let mut fqdns: BTreeMap<&str, &String> = BTreeMap::new();
    for endpoint in &observations.endpoints {
        fqdns.entry(&endpoint.id).or_insert(&endpoint.fqdn);
    }
    let mut proxies: Vec<ProxyReport> = Vec::new();
    let mut places: BTreeMap<(&str, &str), (usize, BTreeSet<&String>)> = BTreeMap::new();
    for seen in &observations.seen {
        let Observation::Tunnel(tunnel) = seen else { continue };
        let name = fqdns.get(tunnel.endpoint.as_str()).copied().unwrap_or(&tunnel.endpoint);
        let key = (tunnel.proxy.url.as_str(), tunnel.proxy.source.as_str());
        let (place, names) = places.entry(key).or_insert_with(|| (proxies.len(), BTreeSet::new()));
        if !names.insert(name) {
            continue;
        }
        match proxies.get_mut(*place) {
            Some(proxy) => proxy.endpoints.push(name.clone()),
            None => proxies.push(ProxyReport {
                url: tunnel.proxy.url.clone(),
                source: tunnel.proxy.source.clone(),
                has_credentials: tunnel.proxy.has_credentials,
                used_by: None,
                endpoints: vec![name.clone()],
            }),
        }
    }
    proxies.extend(agent::proxies(observations));
    proxies.extend(system_proxies(observations));
    proxies
}

/// Proxies that Windows is set to. No name was looked at through them, and no agent uses them.
fn system_proxies(observations: &Observations) -> impl Iterator<Item = ProxyReport> {
    let seen = observations.seen.iter().filter_map(|seen| match seen {
        Observation::Registry(registry) => registry.outcome.seen(),
        _ => None,
    });
    seen.flat_map(|seen| &seen.proxies).filter_map(|proxy| {
        let url = proxy.url.as_ref().or(proxy.script.as_ref())?.clone();
        let (source, has_credentials) = (proxy.source.clone(), proxy.has_credentials);
        Some(ProxyReport { url, source, has_credentials, used_by: None, endpoints: Vec::new() })
    })
}

#[cfg(test)]
mod examples;
#[cfg(test)]
pub(crate) use examples::{crowded, healthy, hostile, mixed, on_a_vm};

#[cfg(test)]
mod tests;
