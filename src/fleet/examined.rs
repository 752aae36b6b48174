//! Whether a run looked at anything that is required: that its report names no fault is no health otherwise.

use ampls_extract::{Looked, Object};
use serde::Deserialize;
use serde_json::Value;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Claim;
use crate::diagnose::rules;

/// What is read once more, and only where a run was ended or no source was looked at.
#[derive(Deserialize)]
struct Judged {
    endpoints: Vec<Value>,
}

/// Whether a run could look at nothing, or was ended by somebody before any required name was judged and any error proven:
/// status 3 of that run, as `report::exit_status` has it.
pub(super) fn is_unexamined(report: &[u8], stopped: Option<&str>, sources: &[Object<Looked>], proven: bool) -> bool {
    let interrupted = stopped == Some("interrupt");
    // Reports of schema 1 list no sources.
    let blind = !sources.is_empty() && !sources.iter().any(was_looked_at);
    if !interrupted && !blind {
        return false;
    }
    // An odd octet within a text changes nothing of what is asked for here.
    let judged = serde_json::from_str::<Judged>(&String::from_utf8_lossy(report));
    // Nothing shows that a name was judged where they cannot be read.
    let endpoints = judged.map(|judged| judged.endpoints).unwrap_or_default();
    if blind && !endpoints.iter().any(was_judged) {
        return true;
    }
    let mut required = endpoints.iter().filter(|endpoint| endpoint["need"] == "required");
    interrupted && !required.any(was_judged) && !proven
}

/// Whether it is broken whatever else the run would have seen.
pub(super) fn is_proven_error(code: &str, severity: Severity) -> bool {
    let unfinished = rules::of_code(code).is_some_and(|rule| rule.claim == Claim::Unfinished);
    severity == Severity::Error && !unfinished
}

fn was_looked_at(Object(looked): &Object<Looked>) -> bool {
    let shows_nothing_alone = matches!(looked.source.text(), Some("proxies" | "encrypted-view"));
    !shows_nothing_alone && matches!(looked.outcome.text(), Some("seen" | "absent"))
}

/// Whether this machine's own view of the name, or a connection to it, came to an end.
fn was_judged(endpoint: &Value) -> bool {
    let views = endpoint["views"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own = views.iter().filter(|view| matches!(view["view"].as_str(), Some("system" | "server")));
    let mut settled = own.filter(|view| !matches!(view["status"].as_str(), Some("cancelled" | "skipped")));
    endpoint["reachable"].is_boolean() || settled.next().is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_shows_nothing_alone_is_no_look_at_a_machine() {
        let unexamined = |source: &str| {
            let sources =
                json!([{"source": source, "outcome": "seen"}, {"source": "hosts", "outcome": "not-permitted"}]);
            let sources: Vec<Object<Looked>> = serde_json::from_value(sources).unwrap();
            is_unexamined(br#"{"endpoints": []}"#, None, &sources, false)
        };
        assert_eq!(["proxies", "encrypted-view", "resolver"].map(unexamined), [true, true, false]);
        let odd = b"{\"endpoints\": [{\"fqdn\": \"\xff\", \"need\": \"required\", \"views\": []}]}";
        assert!(is_unexamined(odd, Some("interrupt"), &[], false));
        assert!(is_unexamined(b"{\"endpoints\": [{!}]}", Some("interrupt"), &[], false));
    }
}
