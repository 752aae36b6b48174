//! The sources of a run, as the report lists them: not looked at is not the same as fine.

use ampls_probes::Observations;
use ampls_probes::observation::{Observation, SourceName, SourceOutcome, sources};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnose::facts::control;
use crate::diagnose::facts::sources::reason;

/// One source.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SourceReport {
    /// Which.
    pub source: SourceName,
    /// What came of it.
    pub outcome: SourceOutcome,
    /// Why it was not looked at; `None` where it was.
    pub because: Option<String>,
    /// The service's ids of the requests that were made.
    pub request_ids: Vec<String>,
}

pub(super) fn reports(observations: &Observations) -> Vec<SourceReport> {
    let report = |source: &ampls_probes::observation::Source| SourceReport {
        source: source.source,
        outcome: source.outcome,
        because: reason(source, observations),
        request_ids: if source.source == SourceName::Azure { request_ids(observations) } else { Vec::new() },
    };
    sources(observations).iter().map(report).collect()
}

/// Ours of every request, and the service's own of what it did not grant.
fn request_ids(observations: &Observations) -> Vec<String> {
    let mut ids = Vec::new();
    for request in control(observations).map_or(&[][..], |control| control.asked.as_slice()) {
        ids.push(request.request_id.clone());
        let refused = request.outcome.seen().filter(|reply| reply.status != 200);
        ids.extend(refused.and_then(|reply| reply.request_id.clone()));
    }
    ids.retain(|id| !id.is_empty());
    ids
}

/// Anything was looked at: a source of the machine, or a step over the network that got so far as to be tried.
pub(super) fn anything_was_looked_at(observations: &Observations) -> bool {
    sources(observations).iter().any(|source| {
        source.was_looked_at() && !matches!(source.source, SourceName::Proxies | SourceName::EncryptedView)
    }) || observations.seen.iter().any(was_tried)
}

fn was_tried(step: &Observation) -> bool {
    use ampls_probes::observation::Outcome::{Cancelled, Skipped};
    match step {
        Observation::Lookup(seen) => !matches!(seen.outcome, Cancelled | Skipped(_)),
        Observation::Answer(seen) => !matches!(seen.outcome, Cancelled | Skipped(_)),
        Observation::Connection(seen) => !matches!(seen.outcome, Cancelled | Skipped(_)),
        Observation::Metadata(seen) => !matches!(seen.outcome, Cancelled | Skipped(_)),
        Observation::WireServer(seen) => !matches!(seen.outcome, Cancelled | Skipped(_)),
        _ => false,
    }
}
