//! The digest: one line of JSON that keeps what is needed to count, group and repeat verdicts, whatever the report's size.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::verdict::fold;
use super::{FailOn, Health, Report, SCHEMA};
use crate::diagnose::facts::Route;
use crate::diagnose::finding::{Finding, Severity};
use crate::text::escape;

/// What `kind` says.
pub const KIND: &str = "digest";

/// Characters kept of one value.
const LONGEST: usize = 120;

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
    pub at: Timestamp,
    /// Host name.
    pub host: String,
    /// The cloud, as the metadata service names it.
    pub cloud: Option<String>,
    /// The region, likewise.
    pub region: Option<String>,
    /// Names and addresses are pseudonyms.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// The verdict.
    pub verdict: Answer,
    /// Where this machine's own resolver leads, zone by zone.
    pub zones: BTreeMap<String, Route>,
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
    pub route: Route,
    /// The highest severity among the roots.
    pub health: Health,
    /// The exit status of the run.
    pub exit: u8,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Its code.
    pub code: String,
    /// How bad.
    pub severity: Severity,
    /// The code of the root that explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How many endpoints it concerns.
    pub endpoints: usize,
    /// The observed values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

/// How much was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
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
            cloud: azure.and_then(|azure| azure.cloud.as_deref()).map(|cloud| escape(cloud, LONGEST)),
            region: azure.and_then(|azure| azure.region.as_deref()).map(|region| escape(region, LONGEST)),
            redacted: report.redacted.is_some(),
            verdict: Answer { route: report.verdict.route, health: report.verdict.health, exit },
            zones: zones(report),
            servers: report.servers.iter().map(|server| server.address.to_string()).collect(),
            codes: report.findings.iter().map(code).collect(),
            dropped: Dropped::default(),
        }
    }

    /// The line, in ASCII, at most about `most` bytes: values go first, the least important finding's before the others',
    /// then servers, zones and findings.
    pub fn line(mut self, most: usize) -> String {
        loop {
            let line = self.ascii();
            if line.len() <= most || !self.drop_one() {
                return line;
            }
        }
    }

    /// The exit status, repeated.
    pub fn exit_status(&self, fail_on: FailOn) -> u8 {
        if self.verdict.exit == super::NOTHING_LOOKED_AT {
            return self.verdict.exit;
        }
        fail_on.status(self.codes.iter().map(|code| code.severity))
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

    fn drop_one(&mut self) -> bool {
        if let Some(code) = self.codes.iter_mut().rev().find(|code| !code.args.is_empty()) {
            code.args.clear();
            self.dropped.args += 1;
        } else if self.servers.len() > 3 {
            self.servers.pop();
            self.dropped.servers += 1;
        } else if self.zones.len() > 8 {
            self.zones.pop_last();
            self.dropped.zones += 1;
        } else if self.codes.pop().is_some() {
            self.dropped.codes += 1;
        } else {
            return false;
        }
        true
    }

    /// JSON without a character beyond ASCII: Run Command's consoles have code pages of their own.
    fn ascii(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
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
}

fn zones(report: &Report) -> BTreeMap<String, Route> {
    let mut routes: BTreeMap<String, Vec<Route>> = BTreeMap::new();
    for endpoint in &report.endpoints {
        let Some(zone) = &endpoint.zone else { continue };
        routes.entry(escape(zone, LONGEST)).or_default().push(endpoint.route);
    }
    routes.into_iter().map(|(zone, routes)| (zone, fold(routes))).collect()
}

fn code(finding: &Finding) -> Code {
    Code {
        code: finding.code.clone(),
        severity: finding.severity,
        by: finding.caused_by.clone(),
        endpoints: finding.endpoints.len(),
        args: finding.args.iter().map(|(name, value)| (name.clone(), escape(value, LONGEST))).collect(),
    }
}
