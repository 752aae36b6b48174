//! The digest: one line of JSON that keeps what is needed to count, group and repeat verdicts, whatever the report's size.

use std::collections::BTreeMap;

use ampls_probes::observation::moment::to_millisecond;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::verdict::fold;
use super::{AgentReport, FailOn, Health, Report, SCHEMA};
use crate::diagnose::facts::Route;
use crate::diagnose::finding::{Argument, Finding, Severity};
use crate::text::escape;
pub use maybe_known::MaybeKnown;

mod maybe_known;

/// The value of `kind`.
pub const KIND: &str = "digest";

/// Characters kept of one value.
const LONGEST: usize = 120;

/// Characters kept of a resource id: names of groups and machines have at most 90 and 64
/// (<https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>).
const LONGEST_ID: usize = 400;

/// Characters kept of a value when there is no room for more.
const SHORT: usize = 24;

/// Findings, servers and zones kept of a digest that is read; as much as its writer puts into one line is far below.
const MOST: usize = 1_000;

/// A report in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Version of this document, [`SCHEMA`].
    pub schema: u32,
    /// [`KIND`]
    pub kind: String,
    /// The program that judged.
    pub version: String,
    /// The run.
    pub id: Uuid,
    /// When the run began, UTC.
    #[serde(serialize_with = "to_millisecond")]
    pub at: Timestamp,
    /// Host name.
    pub host: String,
    /// The machine's id within Azure.
    #[serde(default)]
    pub vm_id: Option<String>,
    /// The machine's resource id: a host name may occur in any subscription.
    #[serde(default)]
    pub resource_id: Option<String>,
    /// The cloud, as the metadata service names it.
    pub cloud: Option<String>,
    /// The region, as the metadata service names it.
    pub region: Option<String>,
    /// The first subnet, as CIDR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// The agents' versions, by kind; empty where one has no version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, String>,
    /// Names and addresses are pseudonyms.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// The verdict.
    pub verdict: Answer,
    /// Where this machine's own resolver leads, zone by zone.
    pub zones: BTreeMap<String, MaybeKnown<Route>>,
    /// The configured servers, in their order.
    pub servers: Vec<String>,
    /// The findings in the report's order: roots first.
    pub codes: Vec<Code>,
    /// What was left out to keep it short.
    #[serde(default, skip_serializing_if = "Dropped::is_none")]
    pub dropped: Dropped,
}

/// The verdict without its headline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Where the names lead.
    pub route: MaybeKnown<Route>,
    /// The highest severity among the roots.
    pub health: MaybeKnown<Health>,
    /// The exit status of the run.
    pub exit: u8,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Its code.
    pub code: String,
    /// How bad.
    pub severity: MaybeKnown<Severity>,
    /// The code of the root that explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How many endpoints it concerns.
    pub endpoints: usize,
    /// The observed values by name.
    #[serde(default, deserialize_with = "maybe_known::arguments", skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, Argument>,
}

/// How much was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dropped {
    /// Agents.
    pub agents: usize,
    /// Findings without their values.
    pub args: usize,
    /// Findings.
    pub codes: usize,
    /// Servers.
    pub servers: usize,
    /// Zones.
    pub zones: usize,
}

impl Dropped {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Digest {
    /// The digest of a report whose run ended with this exit status.
    pub fn new(report: &Report, exit: u8) -> Self {
        let azure = report.host.azure.as_ref();
        Self {
            schema: SCHEMA,
            kind: KIND.to_owned(),
            version: report.tool.version.clone(),
            id: report.run.id,
            at: report.run.started_at,
            host: escape(&report.host.name, LONGEST),
            vm_id: azure.and_then(|azure| azure.vm_id.as_deref()).map(|id| escape(id, LONGEST)),
            resource_id: azure.and_then(|azure| azure.resource_id.as_deref()).map(|id| escape(id, LONGEST_ID)),
            cloud: azure.and_then(|azure| azure.cloud.as_deref()).map(|cloud| escape(cloud, LONGEST)),
            region: azure.and_then(|azure| azure.region.as_deref()).map(|region| escape(region, LONGEST)),
            subnet: azure.and_then(|azure| azure.subnet.as_deref()).map(|subnet| escape(subnet, LONGEST)),
            agents: report.agents.iter().map(agent).collect(),
            redacted: report.redacted.is_some(),
            verdict: Answer { route: report.verdict.route.into(), health: report.verdict.health.into(), exit },
            zones: zones(report),
            servers: report.servers.iter().map(|server| server.address.to_string()).collect(),
            codes: report.findings.iter().map(code).collect(),
            dropped: Dropped::default(),
        }
    }

    /// The line, in ASCII, at most about `most` bytes. Values go first, the least important finding's before the others'; then
    /// servers and zones, what follows from a root and information, later roots. The lists of the first root stay to the last.
    pub fn line(mut self, most: usize) -> String {
        loop {
            let line = ascii(&self);
            let mut over = line.len().saturating_sub(most);
            if over == 0 {
                return line;
            }
            // What one item takes is known: the whole is written again only when it may fit.
            while over > 0 {
                let Some(freed) = self.drop_one() else { return ascii(&self) };
                over = over.saturating_sub(freed);
            }
        }
    }

    /// The same within bounds: what is read may come from anywhere.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        for text in self.texts() {
            cut(text, LONGEST);
        }
        self.vm_id.iter_mut().for_each(|id| cut(id, LONGEST));
        self.resource_id.iter_mut().for_each(|id| cut(id, LONGEST_ID));
        self.verdict.route.cut(SHORT);
        self.verdict.health.cut(SHORT);
        self.dropped.codes += self.codes.len().saturating_sub(MOST);
        self.codes.truncate(MOST);
        for code in &mut self.codes {
            cut(&mut code.code, SHORT);
            code.severity.cut(SHORT);
            if let Some(by) = &mut code.by {
                cut(by, SHORT);
            }
            for value in code.args.values_mut() {
                bound(value);
            }
        }
        self.dropped.servers += self.servers.len().saturating_sub(MOST);
        self.servers.truncate(MOST);
        self.servers.iter_mut().for_each(|server| cut(server, LONGEST));
        let agents = std::mem::take(&mut self.agents);
        self.dropped.agents += agents.len().saturating_sub(MOST);
        for (mut kind, mut version) in agents.into_iter().take(MOST) {
            cut(&mut kind, SHORT);
            cut(&mut version, LONGEST);
            self.agents.insert(kind, version);
        }
        let zones = std::mem::take(&mut self.zones);
        self.dropped.zones += zones.len().saturating_sub(MOST);
        for (mut zone, mut route) in zones.into_iter().take(MOST) {
            cut(&mut zone, LONGEST);
            route.cut(SHORT);
            self.zones.insert(zone, route);
        }
        self
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let known = [&mut self.version, &mut self.host].into_iter().chain(&mut self.cloud);
        known.chain(&mut self.region).chain(&mut self.subnet)
    }

    /// The exit status, repeated.
    pub fn exit_status(&self, fail_on: FailOn) -> u8 {
        if self.verdict.exit == super::NOTHING_LOOKED_AT {
            return self.verdict.exit;
        }
        let known = self.codes.iter().filter_map(|code| code.severity.known().copied());
        match fail_on.status(known) {
            // How bad a severity of a later version is shows in the exit status it wrote.
            0 if fail_on != FailOn::Never && self.codes.iter().any(|code| code.severity.known().is_none()) => {
                u8::from(self.verdict.exit != 0)
            }
            status => status,
        }
    }

    /// The codes, each once: roots first.
    pub fn distinct_codes(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = Vec::new();
        for code in &self.codes {
            if !codes.contains(&code.code.as_str()) {
                codes.push(&code.code);
            }
        }
        codes
    }

    /// Leaves out what is least important, and returns how many bytes that frees at most.
    fn drop_one(&mut self) -> Option<usize> {
        if let Some(agent) = self.agents.pop_last() {
            self.dropped.agents += 1;
            return Some(freed(&agent));
        }
        let counts = |value: &&mut Argument| value.values().len() > 1;
        if let Some(list) = self.codes.iter_mut().skip(1).rev().flat_map(|code| code.args.values_mut()).find(counts) {
            return Some(counted(list));
        }
        if let Some(code) = self.codes.iter_mut().skip(1).rev().find(|code| !code.args.is_empty()) {
            self.dropped.args += 1;
            return Some(freed(&std::mem::take(&mut code.args)));
        }
        if self.servers.len() > 3 {
            self.dropped.servers += 1;
            return self.servers.pop().map(|server| freed(&server));
        }
        if self.zones.len() > 8 {
            self.dropped.zones += 1;
            return self.zones.pop_last().map(|zone| freed(&zone));
        }
        if let Some(text) = self.texts().find(|text| text.chars().count() > SHORT + 1) {
            let whole = freed(text);
            cut(text, SHORT);
            return Some(whole);
        }
        let information = |code: &Code| code.by.is_some() || code.severity.known() == Some(&Severity::Info);
        if let Some(index) = self.codes.iter().skip(1).rposition(information) {
            self.dropped.codes += 1;
            return Some(freed(&self.codes.remove(index + 1)));
        }
        if let Some(server) = self.servers.pop() {
            self.dropped.servers += 1;
            return Some(freed(&server));
        }
        if let Some(zone) = self.zones.pop_last() {
            self.dropped.zones += 1;
            return Some(freed(&zone));
        }
        self.drop_of_roots()
    }

    /// Nothing but roots is left. Of the first one lists, which name its zones, stay to the last.
    fn drop_of_roots(&mut self) -> Option<usize> {
        let alone = self.codes.len() == 1;
        let first = self.codes.first_mut()?;
        let single = first.args.iter().find(|(_, value)| matches!(value, Argument::One(_)));
        if let Some(name) = single.map(|(name, _)| name.clone()) {
            return first.args.remove(&name).map(|value| freed(&value) + name.len());
        }
        if !alone {
            self.dropped.codes += 1;
            return self.codes.pop().map(|code| freed(&code));
        }
        if let Some(list) = first.args.values_mut().find(|value| value.values().len() > 1) {
            return Some(counted(list));
        }
        if !first.args.is_empty() {
            self.dropped.args += 1;
            return Some(freed(&std::mem::take(&mut first.args)));
        }
        self.dropped.codes += 1;
        self.codes.pop().map(|code| freed(&code))
    }
}

/// Leaves the number of values in their place.
fn counted(list: &mut Argument) -> usize {
    let whole = freed(list);
    let count = Argument::Counted { count: list.values().len() };
    let left = ascii(&count).len();
    *list = count;
    whole.saturating_sub(left).max(1)
}

/// The bytes of an item, with what joins it to the others.
fn freed(item: &impl Serialize) -> usize {
    const JOINED: usize = 16;
    ascii(item).len() + JOINED
}

/// JSON without a character beyond ASCII: Run Command's consoles have code pages of their own.
fn ascii(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() && character != '\u{7f}' {
            line.push(character);
        } else {
            let mut units = [0; 2];
            line.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    line
}

/// Cuts a text that is longer than so many characters; one that was cut so before stays as it is.
fn cut(text: &mut String, most: usize) {
    if text.chars().nth(most + 1).is_some() {
        *text = text.chars().take(most).chain(['…']).collect();
    }
}

/// Cuts an argument that comes from anywhere.
fn bound(value: &mut Argument) {
    match value {
        Argument::One(text) => cut(text, LONGEST),
        Argument::Many(values) if values.len() > MOST => *value = Argument::Counted { count: values.len() },
        Argument::Many(values) => values.iter_mut().for_each(|text| cut(text, LONGEST)),
        Argument::Counted { .. } => {}
    }
}

fn agent(agent: &AgentReport) -> (String, String) {
    (agent.kind.as_str().to_owned(), escape(agent.version.as_deref().unwrap_or_default(), LONGEST))
}

fn zones(report: &Report) -> BTreeMap<String, MaybeKnown<Route>> {
    let mut routes: BTreeMap<String, Vec<Route>> = BTreeMap::new();
    for endpoint in &report.endpoints {
        let Some(zone) = &endpoint.zone else { continue };
        routes.entry(escape(zone, LONGEST)).or_default().push(endpoint.route);
    }
    routes.into_iter().map(|(zone, routes)| (zone, fold(routes).into())).collect()
}

fn code(finding: &Finding) -> Code {
    Code {
        code: finding.code.clone(),
        severity: finding.severity.into(),
        by: finding.caused_by.clone(),
        endpoints: finding.endpoints.len(),
        args: finding.args.iter().map(|(name, value)| (name.clone(), escaped(value))).collect(),
    }
}

fn escaped(value: &Argument) -> Argument {
    value.clone().map(|text| escape(&text, LONGEST))
}
