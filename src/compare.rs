//! What differs between two reports: one machine at two moments, or a good machine and a bad one.
//!
//! Both sides are reduced to what does not change by itself; then the two pictures are laid side by side. Left out are times,
//! durations, ids, ports of this machine, serial numbers, names and addresses of the machines themselves, wording, the public
//! addresses of public names (they are handed out in turn) and the issuer of a certificate that ends in a public root
//! (services rotate theirs). Pure: no file is read and nothing is written here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use jiff::Timestamp;
use serde::Serialize;

use crate::diagnose::facts::Route;
use crate::diagnose::finding::{Finding, Severity};
use crate::report::{FailOn, Health, Redacted, Report, is_same_everywhere, least_severity};
use picture::{Key, Section, picture};

mod faceless;
mod picture;

/// The version of the document that this program writes.
pub const SCHEMA: u32 = 1;

/// Two reports, laid side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Version of this document, [`SCHEMA`].
    pub schema: u32,
    /// `comparison`
    pub kind: &'static str,
    /// Nothing differs.
    pub same: bool,
    /// The reports do not share their pseudonyms: addresses were compared by their class, names of machines not at all.
    pub by_class: bool,
    /// The first report.
    pub a: Side,
    /// The second report.
    pub b: Side,
    /// Where the verdicts differ.
    pub verdict: Vec<Change>,
    /// Findings that came, went or changed, in the order of the reports.
    pub findings: Vec<FindingChange>,
    /// Endpoints that differ, by name.
    pub endpoints: Vec<Subject>,
    /// DNS servers, and the zones as each of them shows them.
    pub servers: Vec<Subject>,
    /// The machines and how they were asked.
    pub host: Vec<Subject>,
}

/// What a report is about; none of it counts as a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The machine's name.
    pub host: String,
    /// When its run began.
    #[serde(serialize_with = "ampls_probes::observation::moment::to_millisecond")]
    pub started_at: Timestamp,
    /// Its verdict's route.
    pub route: Route,
    /// Its verdict's health.
    pub health: Health,
    /// Its verdict in one line.
    pub headline: String,
    /// Its names and addresses are pseudonyms.
    pub redacted: bool,
}

/// One value on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What differs.
    pub what: String,
    /// The first report's value; `None` where it has none.
    pub a: Option<String>,
    /// The second report's.
    pub b: Option<String>,
}

/// Something that has values, and those that differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// What differs.
    pub changes: Vec<Change>,
}

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// Only the second report has it.
    Appeared,
    /// Only the first report has it.
    Gone,
    /// Both have it, not alike.
    Changed,
}

/// A finding that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingChange {
    /// What became of it.
    pub fate: Fate,
    /// The code.
    pub code: String,
    /// The rule's name.
    pub name: String,
    /// How bad, in the last report that has it.
    pub severity: Severity,
    /// No other finding explains it there.
    pub root: bool,
    /// One line, from there.
    pub title: String,
    /// It became worse, or concerns more endpoints.
    pub worse: bool,
    /// What differs.
    pub changes: Vec<Change>,
}

impl Comparison {
    /// The exit status: 1 when the second report has a finding at or above `fail_on` that the first one lacks, or has to a
    /// lesser degree; else 0.
    pub fn exit_status(&self, fail_on: FailOn) -> u8 {
        let Some(least) = least_severity(fail_on) else { return 0 };
        u8::from(self.findings.iter().any(|finding| finding.worse && finding.severity >= least))
    }
}

/// Lays two reports side by side.
pub fn compare(a: &Report, b: &Report) -> Comparison {
    let shared: BTreeSet<SocketAddr> = {
        let of_a: BTreeSet<_> = a.servers.iter().map(|server| server.address).collect();
        b.servers.iter().map(|server| server.address).filter(|address| of_a.contains(address)).collect()
    };
    let by_class = !is_one_set(a.redacted.as_ref(), b.redacted.as_ref());
    let shared = shared.into_iter().filter(|server| !by_class || is_same_everywhere(server.ip())).collect();
    let pictured = |report: &Report| {
        let picture = picture(report, &shared);
        if by_class { faceless::picture(picture) } else { picture }
    };
    let mut sections = differences(&pictured(a), &pictured(b));
    let found = |report: &Report| if by_class { faceless::findings(&report.findings) } else { report.findings.clone() };
    let mut section = |section: Section| sections.remove(&section).unwrap_or_default();
    let verdict = section(Section::Verdict).into_iter().flat_map(|subject| subject.changes).collect();
    let mut comparison = Comparison {
        schema: SCHEMA,
        kind: "comparison",
        same: false,
        by_class,
        a: side(a),
        b: side(b),
        verdict,
        findings: findings(&found(a), &found(b)),
        endpoints: section(Section::Endpoints),
        servers: section(Section::Servers),
        host: section(Section::Host),
    };
    comparison.same = comparison.verdict.is_empty()
        && comparison.findings.is_empty()
        && comparison.endpoints.is_empty()
        && comparison.servers.is_empty()
        && comparison.host.is_empty();
    comparison
}

/// Whether both reports use one set of names: their own, or pseudonyms that were made together.
fn is_one_set(a: Option<&Redacted>, b: Option<&Redacted>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.set.is_some() && a.set == b.set,
        _ => false,
    }
}

fn side(report: &Report) -> Side {
    Side {
        host: report.host.name.clone(),
        started_at: report.run.started_at,
        route: report.verdict.route,
        health: report.verdict.health,
        headline: report.verdict.headline.clone(),
        redacted: report.redacted.is_some(),
    }
}

/// The value that an endpoint has when it was looked at.
const LOOKED_AT: &str = "looked at";

type Picture = BTreeMap<Key, String>;

fn differences(a: &Picture, b: &Picture) -> BTreeMap<Section, Vec<Subject>> {
    let mut sections: BTreeMap<Section, Vec<Subject>> = BTreeMap::new();
    let keys: BTreeSet<&Key> = a.keys().chain(b.keys()).collect();
    for key in keys {
        let (of_a, of_b) = (a.get(key), b.get(key));
        let presence = key.what == LOOKED_AT;
        let detail_of_nothing = key.is_detail() && (of_a.is_none() || of_b.is_none());
        if of_a == of_b || detail_of_nothing || (!presence && one_sided(key, a, b)) {
            continue;
        }
        let shown = |value: Option<&String>| value.cloned().or_else(|| presence.then(|| "no".to_owned()));
        let change = Change { what: key.what.clone(), a: shown(of_a), b: shown(of_b) };
        let subjects = sections.entry(key.section).or_default();
        match subjects.last_mut() {
            Some(last) if last.name == key.subject => last.changes.push(change),
            _ => subjects.push(Subject { name: key.subject.clone(), changes: vec![change] }),
        }
    }
    sections
}

/// An endpoint that one report does not know differs in that alone.
fn one_sided(key: &Key, a: &Picture, b: &Picture) -> bool {
    let looked_at = key.of_presence();
    key.section == Section::Endpoints && a.contains_key(&looked_at) != b.contains_key(&looked_at)
}

/// Pairs findings of one code: first those on the same endpoints, then in their order.
fn findings(a: &[Finding], b: &[Finding]) -> Vec<FindingChange> {
    let mut left: Vec<&Finding> = a.iter().collect();
    let mut take = |wanted: &dyn Fn(&Finding) -> bool| {
        let place = left.iter().position(|finding| wanted(finding))?;
        Some(left.remove(place))
    };
    let mut pairs: Vec<(Option<&Finding>, &Finding)> =
        b.iter().map(|new| (take(&|old| old.code == new.code && old.endpoints == new.endpoints), new)).collect();
    for (old, new) in pairs.iter_mut().filter(|(old, _)| old.is_none()) {
        *old = take(&|candidate| candidate.code == new.code);
    }
    let mut changes: Vec<FindingChange> = pairs.into_iter().filter_map(|(old, new)| finding(old, new)).collect();
    changes.extend(left.into_iter().map(|old| one(old, Fate::Gone, Vec::new(), false)));
    changes
}

fn finding(old: Option<&Finding>, new: &Finding) -> Option<FindingChange> {
    let Some(old) = old else { return Some(one(new, Fate::Appeared, Vec::new(), true)) };
    let mut changes = Vec::new();
    if old.severity != new.severity {
        changes.push(Change {
            what: "severity".to_owned(),
            a: Some(picture::word(&old.severity)),
            b: Some(picture::word(&new.severity)),
        });
    }
    if old.caused_by != new.caused_by {
        changes.push(Change { what: "explained by".to_owned(), a: old.caused_by.clone(), b: new.caused_by.clone() });
    }
    let only = |these: &Finding, those: &Finding| -> Vec<String> {
        these.endpoints.iter().filter(|name| !those.endpoints.contains(name)).cloned().collect()
    };
    let (went, came) = (only(old, new), only(new, old));
    if !went.is_empty() || !came.is_empty() {
        let joined = |names: &[String]| (!names.is_empty()).then(|| names.join(", "));
        changes.push(Change { what: "endpoints, only".to_owned(), a: joined(&went), b: joined(&came) });
    }
    let worse = new.severity > old.severity || !came.is_empty();
    (!changes.is_empty()).then(|| one(new, Fate::Changed, changes, worse))
}

fn one(finding: &Finding, fate: Fate, changes: Vec<Change>, worse: bool) -> FindingChange {
    FindingChange {
        fate,
        code: finding.code.clone(),
        name: finding.name.clone(),
        severity: finding.severity,
        root: finding.caused_by.is_none(),
        title: finding.title.clone(),
        worse,
        changes,
    }
}

#[cfg(test)]
mod tests;
