//! The report as checks that pass, fail or were not made: what a pipeline counts.

use super::{EndpointReport, FailOn, NOTHING_LOOKED_AT, Report, exit_status};
use crate::diagnose::finding::Finding;

/// What became of a check.
#[derive(Clone, Debug)]
pub enum Check<'r> {
    /// A finding makes the exit status 1: the first that does, and all that tell of it.
    Failed(&'r Finding, Vec<&'r Finding>),
    /// Nothing is known of it.
    NotMade,
    /// No finding makes the exit status 1; these are the others.
    Passed(Vec<&'r Finding>),
}

impl Report {
    /// Whether anything was looked at: what a pipeline must not take for health.
    pub fn was_made(&self, fail_on: FailOn) -> bool {
        exit_status(self, fail_on) != NOTHING_LOOKED_AT
    }

    /// The check of an endpoint: it fails by the findings that count, and is not made where the endpoint was not tested.
    pub fn endpoint_check<'r>(&'r self, endpoint: &'r EndpointReport, fail_on: FailOn) -> Check<'r> {
        let (failing, other): (Vec<&Finding>, Vec<&Finding>) =
            self.findings_about(endpoint).partition(|finding| fail_on.counts(finding.severity));
        match failing.first() {
            Some(first) => Check::Failed(first, failing),
            None if endpoint.reachable.is_none() && other.is_empty() => Check::NotMade,
            None => Check::Passed(other),
        }
    }

    /// The check of a rule, by its code.
    pub fn rule_check(&self, code: &str, fail_on: FailOn) -> Check<'_> {
        let findings: Vec<&Finding> = self.findings.iter().filter(|finding| finding.code == code).collect();
        match findings.iter().find(|finding| fail_on.counts(finding.severity)) {
            Some(first) => Check::Failed(first, findings),
            None => Check::Passed(findings),
        }
    }
}
