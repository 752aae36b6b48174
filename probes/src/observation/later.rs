//! Reading observations that a later version wrote, and that may hold what this one does not know.
//!
//! Reports are kept for years and readers are older than writers, so one unknown word must not close a whole report. What is
//! not understood is set aside, counted and judged by nobody; nothing is guessed that could raise a false finding. What was
//! set aside is kept as it came, so that a report written again loses nothing ([`whole`]); serialising [`Observations`]
//! themselves writes only how much there was.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::dns::{MAX_RECORDS, Purpose, RecordKind};
use super::local::ServerRole;
use super::{Asked, Because, CloudClaim, Machine, Observation, Observations, Outcome, Source, SourceOutcome, Stop};
use crate::endpoint::{Endpoint, Expect, Expectation, Group, Need, Origin};
use crate::json;
use list::{List, Raw};

mod list;
mod parts;

/// The probes of this version, as observations name them.
const PROBES: [&str; 19] = [
    "resolver",
    "hosts",
    "agents",
    "browsers",
    "encrypted-dns",
    "registry",
    "mtu",
    "proxy-settings",
    "metadata",
    "control",
    "wire-server",
    "lookup",
    "answer",
    "connection",
    "tunnel",
    "handshake",
    "exchange",
    "segments",
    "encrypted-view",
];

/// How much of a report this version does not understand, and what that is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Later {
    counts: Counts,
    seen: Vec<Raw>,
    endpoints: Vec<Raw>,
    missed: usize,
    names: usize,
    asked: Option<Value>,
    stopped: Option<Value>,
    sources: Option<Value>,
}

/// How much was not understood, or was more than is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Observations set aside, or read in part.
    pub observations: usize,
    /// Endpoints set aside, or read with the reading that accuses least.
    pub endpoints: usize,
    /// Of both, what this version would have judged. A probe that it does not have takes nothing from its judgement.
    pub missed: usize,
    /// Of both, those without which no conclusion holds for all names, or of all servers.
    pub names: usize,
    /// Options of the run.
    pub options: usize,
    /// Records, answers and servers beyond what is judged; no run records so many.
    pub cut: usize,
}

impl Later {
    /// Everything was understood.
    pub fn is_none(&self) -> bool {
        self.counts == Counts::default()
    }

    /// How much was not.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Counts options of the run that stand outside the observations.
    pub fn add_options(&mut self, more: usize) {
        self.counts.options += more;
    }

    /// What a reader of [`whole`] does not find there any more.
    fn lost(&self) -> Counts {
        let options = [&self.asked, &self.stopped, &self.sources].into_iter().flatten().count();
        Counts {
            observations: self.counts.observations.saturating_sub(self.seen.len()),
            endpoints: self.counts.endpoints.saturating_sub(self.endpoints.len()),
            missed: self.counts.missed.saturating_sub(self.missed),
            names: self.counts.names.saturating_sub(self.names),
            options: self.counts.options.saturating_sub(options),
            cut: self.counts.cut,
        }
    }
}

impl Serialize for Later {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.counts.serialize(serializer)
    }
}

/// Serialises observations with what was set aside in its old place: for a report that is written again. It may hold
/// anything, so it is not part of the observations elsewhere.
pub fn whole<S: Serializer>(observations: &Observations, serializer: S) -> Result<S::Ok, S::Error> {
    let later = &observations.later;
    if later.is_none() {
        return observations.serialize(serializer);
    }
    let mut value = json::value(observations).map_err(S::Error::custom)?;
    list::restore(&mut value, "seen", &later.seen);
    list::restore(&mut value, "endpoints", &later.endpoints);
    if let Some(fields) = value.as_object_mut() {
        let replaced = [("asked", &later.asked), ("stopped", &later.stopped), ("sources", &later.sources)];
        fields.extend(replaced.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
        fields.remove("later");
        let lost = later.lost();
        if lost != Counts::default() {
            fields.insert("later".to_owned(), json::value(&lost).map_err(S::Error::custom)?);
        }
    }
    value.serialize(serializer)
}

/// Observations as they are written, before it is known how much of them is understood.
#[derive(Deserialize)]
pub(super) struct Document {
    version: u32,
    #[serde(deserialize_with = "super::moment::from_millisecond")]
    started_at: jiff::Timestamp,
    elapsed_ms: u64,
    #[serde(default, deserialize_with = "list::short")]
    stopped: Option<Value>,
    #[serde(deserialize_with = "list::short")]
    asked: Value,
    machine: Machine,
    endpoints: List<Endpoint>,
    #[serde(deserialize_with = "list::names")]
    zones: Vec<String>,
    #[serde(deserialize_with = "list::names")]
    unresolved_names: Vec<String>,
    #[serde(default)]
    sources: Value,
    seen: List<Observation>,
    #[serde(default)]
    later: Counts,
}

impl TryFrom<Document> for Observations {
    type Error = serde_json::Error;

    fn try_from(document: Document) -> Result<Self, Self::Error> {
        let mut later = Later { counts: document.later, ..Later::default() };
        let asked = asked(document.asked, &mut later)?;
        let stopped = stopped(document.stopped, &mut later)?;
        let sources = sources(document.sources, &mut later)?;
        let mut seen = document.seen;
        set_company_aside(&mut seen);
        let (mut seen, of_seen) = seen.parted();
        let (endpoints, of_endpoints) = document.endpoints.parted();
        later.counts.observations += of_seen.len();
        later.counts.endpoints += of_endpoints.len();
        later.names = of_seen.iter().filter(|raw| names_a_server(raw)).count()
            + of_endpoints.iter().filter(|raw| !raw.read || unknown::<Expectation>(&raw.value, "expected")).count();
        later.missed = of_seen.iter().filter(|raw| !raw.read && of_known_probe(raw)).count()
            + of_endpoints.iter().filter(|raw| !raw.read || judged_by(&raw.value)).count();
        later.counts.names += later.names;
        later.counts.missed += later.missed;
        let all = seen.len();
        later.counts.cut += bound(&mut seen, endpoints.len());
        // Without some of their neighbours nothing has its old place.
        if seen.len() == all {
            later.seen = of_seen;
        } else {
            later.names = 0;
            later.missed = of_endpoints.iter().filter(|raw| !raw.read || judged_by(&raw.value)).count();
        }
        later.endpoints = of_endpoints;
        Ok(Self {
            version: document.version,
            started_at: document.started_at,
            elapsed_ms: document.elapsed_ms,
            stopped,
            asked,
            machine: document.machine,
            endpoints,
            zones: document.zones,
            unresolved_names: document.unresolved_names,
            sources,
            seen,
            later,
        })
    }
}

/// The options. An unknown expectation is read as `auto`, which expects what the network itself shows; an unknown source of a
/// cloud says nothing.
fn asked(value: Value, later: &mut Later) -> Result<Asked, serde_json::Error> {
    let refused = match Asked::deserialize(&value) {
        Ok(asked) => return Ok(asked),
        Err(error) => error,
    };
    let mut known = value.clone();
    let mut changed = parts::reword::<Expect>(&mut known, "/expect", "auto");
    changed |= parts::retain::<CloudClaim>(&mut known, "/clouds");
    let asked = Asked::deserialize(&known)?;
    if !changed {
        return Err(refused);
    }
    later.counts.options += 1;
    later.asked = Some(value);
    Ok(asked)
}

/// What ended the run. Something did, so it must not be taken for a whole one; that it was interrupted accuses nobody.
fn stopped(value: Option<Value>, later: &mut Later) -> Result<Option<Stop>, serde_json::Error> {
    let Some(value) = value else { return Ok(None) };
    if let Ok(stopped) = Option::<Stop>::deserialize(&value) {
        return Ok(stopped);
    }
    if !value.is_string() {
        return Err(serde::de::Error::custom("`stopped` is not a word"));
    }
    later.counts.options += 1;
    later.stopped = Some(value);
    Ok(Some(Stop::Interrupt))
}

/// The sources. One that this version does not have decides nothing here; of one that it has, an unknown outcome is not taken
/// for a look.
fn sources(value: Value, later: &mut Later) -> Result<Vec<Source>, serde_json::Error> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    let refused = match Vec::<Source>::deserialize(&value) {
        Ok(sources) => return Ok(sources),
        Err(error) => error,
    };
    let mut known = value.clone();
    let Some(items) = known.as_array_mut() else { return Err(refused) };
    for item in items.iter_mut() {
        parts::reword::<SourceOutcome>(item, "/outcome", "failed");
        if unknown::<Because>(item, "because")
            && let Some(fields) = item.as_object_mut()
        {
            fields.insert("because".to_owned(), Value::Null);
        }
    }
    parts::retain::<Source>(&mut known, "");
    let sources = Vec::<Source>::deserialize(&known)?;
    later.counts.options += 1;
    later.sources = Some(value);
    Ok(sources)
}

/// What can be read of an item that is not understood as a whole.
trait InPart: DeserializeOwned + Serialize {
    /// The field that every item has, whichever version wrote it.
    const NAMED_BY: &'static str;

    /// Leaves out or rewords what is not known; the result is tried again.
    fn reduce(value: &mut Value);
}

impl InPart for Endpoint {
    const NAMED_BY: &'static str = "id";

    /// A name keeps its zone, because what follows for a zone depends on all of its names. Of the rest the reading is taken
    /// from which least follows: faults of an optional name are warnings at most, a name that may be public or private is no
    /// evidence of a private link, and a name outside all groups is nobody's shared one.
    fn reduce(value: &mut Value) {
        parts::reword::<Need>(value, "/need", Need::Optional.as_str());
        parts::reword::<Expectation>(value, "/expected", Expectation::Any.as_str());
        parts::reword::<Group>(value, "/group", Group::Extra.as_str());
        parts::reword::<Origin>(value, "/origin", "default");
    }
}

impl InPart for Observation {
    const NAMED_BY: &'static str = "probe";

    fn reduce(value: &mut Value) {
        parts::reduce(value);
    }
}

/// Sets aside what must not be judged without an observation that was not understood: the other steps of the same way to an
/// endpoint (a handshake that is unknown would make it look reachable, or silent), and the other answers of the same server
/// for the same name (public IPv6 addresses alone would make it look public).
fn set_company_aside(seen: &mut List<Observation>) {
    let (mut ways, mut questions) = (BTreeSet::new(), BTreeSet::new());
    for value in seen.unread() {
        let text = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
        match text("probe").as_deref() {
            Some("connection" | "tunnel" | "handshake" | "exchange") => ways.extend(text("endpoint")),
            // A question of another kind is one that this version does not ask.
            Some("answer") if matches!(text("kind").as_deref(), Some("A" | "AAAA")) && !of_later_purpose(value) => {
                questions.extend(text("server").zip(text("name")));
            }
            _ => {}
        }
    }
    if ways.is_empty() && questions.is_empty() {
        return;
    }
    seen.set_aside(|observation| match observation {
        Observation::Connection(step) => ways.contains(&step.endpoint),
        Observation::Tunnel(step) => ways.contains(&step.endpoint),
        Observation::Handshake(step) => ways.contains(&step.endpoint),
        Observation::Exchange(step) => ways.contains(&step.endpoint),
        Observation::Answer(answer) => questions.contains(&(answer.server.to_string(), answer.name.clone())),
        _ => false,
    });
}

/// Whether an observation is of a probe that this version has.
fn of_known_probe(raw: &Raw) -> bool {
    raw.value.get("probe").and_then(Value::as_str).is_some_and(|probe| PROBES.contains(&probe))
}

/// Whether an endpoint has a word that faults are judged by and that is not known.
fn judged_by(endpoint: &Value) -> bool {
    unknown::<Need>(endpoint, "need") || unknown::<Expectation>(endpoint, "expected")
}

/// Whether an item that was not understood tells where a name leads, or which servers are used.
fn names_a_server(raw: &Raw) -> bool {
    match raw.value.get("probe").and_then(Value::as_str) {
        Some("resolver") => {
            let servers = raw.value.get("servers").and_then(Value::as_array);
            let known = |role: &Value| ServerRole::deserialize(role).is_ok();
            let lost = |server: &Value| {
                !server.get("roles").and_then(Value::as_array).is_some_and(|roles| roles.iter().any(known))
            };
            !raw.read || servers.is_some_and(|servers| servers.iter().any(lost))
        }
        Some("lookup") => !raw.read,
        Some("answer") => !raw.read && !unknown::<RecordKind>(&raw.value, "kind") && !of_later_purpose(&raw.value),
        _ => false,
    }
}

/// Whether an answer was asked for a purpose that this version does not have: it says nothing about the name.
fn of_later_purpose(answer: &Value) -> bool {
    answer.get("purpose").is_some_and(|word| Purpose::deserialize(word).is_err())
}

fn unknown<T: DeserializeOwned>(item: &Value, field: &str) -> bool {
    item.get(field).is_none_or(|word| T::deserialize(word).is_err())
}

/// Names times servers that are judged: each of them is a view of the report.
const MAX_VIEWS: usize = 50_000;

/// Servers that are judged however many names there are.
const MIN_SERVERS: usize = 16;

/// Tries of one question that are judged; `--repeat` goes up to 10.
const MAX_TRIES: usize = 20;

/// Cuts what no run records, because the time of a judgement grows with it, and says how much that was.
fn bound(seen: &mut Vec<Observation>, endpoints: usize) -> usize {
    let servers = (MAX_VIEWS / endpoints.max(1)).max(MIN_SERVERS);
    let mut tries: BTreeMap<(SocketAddr, RecordKind), BTreeMap<String, usize>> = BTreeMap::new();
    let mut cut = 0;
    seen.retain_mut(|observation| match observation {
        Observation::Answer(answer) => {
            let tries = tries.entry((answer.server, answer.kind)).or_default();
            let tries = tries.entry(answer.name.clone()).or_default();
            *tries += 1;
            if let Outcome::Seen(response) = &mut answer.outcome {
                cut += response.records.len().saturating_sub(MAX_RECORDS);
                response.records.truncate(MAX_RECORDS);
            }
            cut += usize::from(*tries > MAX_TRIES);
            *tries <= MAX_TRIES
        }
        Observation::Lookup(lookup) => {
            if let Outcome::Seen(found) = &mut lookup.outcome {
                cut += found.addresses.len().saturating_sub(MAX_RECORDS);
                found.addresses.truncate(MAX_RECORDS);
            }
            true
        }
        Observation::Resolver(resolver) => {
            cut += resolver.servers.len().saturating_sub(servers);
            resolver.servers.truncate(servers);
            true
        }
        _ => true,
    });
    cut
}

impl<'de, T: InPart> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(list::Items::new(T::NAMED_BY, |value: Value| {
            if !value.get(T::NAMED_BY).is_some_and(Value::is_string) {
                return Err(D::Error::custom(format!("an item without `{}`", T::NAMED_BY)));
            }
            if let Ok(item) = T::deserialize(&value) {
                return Ok((Some(item), None));
            }
            let mut known = value.clone();
            T::reduce(&mut known);
            Ok((T::deserialize(&known).ok(), Some(value)))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probes_are_those_of_the_observations() {
        let unknown = |probe: &str| {
            let refused = serde_json::from_value::<Observation>(serde_json::json!({ "probe": probe })).unwrap_err();
            refused.to_string()
        };
        let listed = unknown("weather");
        assert_eq!(listed.matches('`').count(), 2 + 2 * PROBES.len(), "{listed}");
        for probe in PROBES {
            assert!(listed.contains(&format!("`{probe}`")) && !unknown(probe).contains("unknown variant"), "{listed}");
        }
    }
}
