//! The parts of an observation without which the rest of it still holds.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::observation::agent::{Refusal, Upload};
use crate::observation::browser::BrowserSetting;
use crate::observation::dns::Transport;
use crate::observation::local::{ServerRole, Unread};

/// Words that have a value beside them, as `{"code": 13}`: failures, reasons, verdicts and records.
const TAGS: [&str; 20] = [
    "a",
    "aaaa",
    "alert",
    "closed",
    "closed-after-client-hello",
    "closed-later",
    "cname",
    "code",
    "failed",
    "invalid",
    "longer-than",
    "no-answer",
    "other",
    "protocol",
    "soa",
    "status",
    "truncated",
    "unreachable",
    "unsupported-scheme",
    "wants-credentials",
];

/// Leaves out of an observation what is not known and on which nothing else depends: roles of servers, refusals in the logs
/// of agents, settings of browsers, the transport of an answer, and what stands beside a word with a value. Agents stay whole:
/// without one of them it would look as if no agent were there, or none that reports to a workspace.
pub(super) fn reduce(observation: &mut Value) {
    for place in ["/verification/machine", "/verification/public", "/what/code"] {
        alone(observation, place);
    }
    for list in ["/unread", "/what/unread"] {
        each(observation, list, |unread| alone(unread, "/why"));
    }
    if observation.get("outcome").is_some_and(|outcome| outcome == "failed") {
        alone(observation, "/what");
    }
    reword::<Transport>(observation, "/what/transport", "udp");
    // A record of a kind that is not known stays, and so sets the answer aside: without it the answer would look denied.
    each(observation, "/what/records", |record| alone(record, "/data"));
    each(observation, "/servers", |server| {
        retain::<ServerRole>(server, "/roles");
    });
    retain::<Refusal>(observation, "/refusals");
    retain::<Upload>(observation, "/uploads");
    retain::<BrowserSetting>(observation, "/what/settings");
    retain::<Unread>(observation, "/what/unread");
}

/// Replaces a word that is none of `T`; whether it did.
pub(super) fn reword<T: DeserializeOwned>(item: &mut Value, place: &str, known: &str) -> bool {
    let Some(word) = item.pointer_mut(place) else { return false };
    if !word.is_string() || T::deserialize(&*word).is_ok() {
        return false;
    }
    *word = known.into();
    true
}

/// Leaves the items out that are none of `T`; whether there were any.
pub(super) fn retain<T: DeserializeOwned>(item: &mut Value, place: &str) -> bool {
    let Some(Value::Array(items)) = item.pointer_mut(place) else { return false };
    let before = items.len();
    items.retain(|item| T::deserialize(item).is_ok());
    items.len() != before
}

fn each(item: &mut Value, place: &str, change: impl Fn(&mut Value)) {
    if let Some(Value::Array(items)) = item.pointer_mut(place) {
        items.iter_mut().for_each(change);
    }
}

/// Leaves out what stands beside a word with a value, there and within.
fn alone(item: &mut Value, place: &str) {
    let Some(Value::Object(fields)) = item.pointer_mut(place) else { return };
    let known: Vec<&str> = TAGS.into_iter().filter(|tag| fields.contains_key(*tag)).collect();
    let [tag] = known.as_slice() else { return };
    fields.retain(|name, _| name == tag);
    // The fields of an SOA are not words.
    if let Some(value) = fields.get_mut(*tag).filter(|_| *tag != "soa") {
        alone(value, "");
    }
}
