//! One run as a document, in which all texts of one place are replaced at once.

use std::collections::BTreeSet;

use ampls_probes::Observations;
use serde_json::Value;

/// What a run saw, and the same as JSON.
pub(super) struct Document {
    json: Value,
    observations: Observations,
}

impl Document {
    pub(super) fn new(observations: Observations) -> Self {
        Self { json: serde_json::to_value(&observations).expect("JSON"), observations }
    }

    pub(super) fn observations(&self) -> &Observations {
        &self.observations
    }

    /// The places of texts: pointers in which every index of a list is `*`.
    pub(super) fn places(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        walk(&self.json, "", &mut found);
        found
    }

    pub(super) fn at<'a>(&'a self, place: &'a str) -> Place<'a> {
        let seen = list(&self.json);
        let changes =
            |item: &Value| place.strip_prefix("/seen/*").is_some_and(|rest| replace(&mut item.clone(), rest, ""));
        let touched: Vec<usize> = (0..seen.len()).filter(|index| seen.get(*index).is_some_and(changes)).collect();
        let mut part = self.json.clone();
        let kept = touched.iter().filter_map(|index| seen.get(*index).cloned()).collect();
        if let Some(field) = part.get_mut("seen") {
            *field = Value::Array(kept);
        }
        Place { document: self, path: place, touched, part, set_aside: None }
    }

    /// The observations with a text at a place, read as a whole.
    fn read(&self, place: &str, text: &str) -> Option<Observations> {
        let mut hostile = self.json.clone();
        replace(&mut hostile, place, text);
        serde_json::from_value(hostile).ok()
    }
}

/// A place of a document. Only the observations that have it are read again for each text; the others are as they were.
pub(super) struct Place<'a> {
    document: &'a Document,
    path: &'a str,
    touched: Vec<usize>,
    part: Value,
    set_aside: Option<Observations>,
}

impl Place<'_> {
    /// What is read when the text stands there; `None` where that is no report, or the one that another text at this place gave:
    /// a reader sets aside whatever a field cannot hold.
    pub(super) fn with(&mut self, text: &str) -> Option<Observations> {
        let mut part = self.part.clone();
        replace(&mut part, self.path, text);
        let part: Observations = serde_json::from_value(part).ok()?;
        if !part.later.is_none() || part.seen.len() != self.touched.len() {
            if self.set_aside.as_ref().is_some_and(|before| is_judged_alike(before, &part)) {
                return None;
            }
            self.set_aside = Some(part);
            return self.document.read(self.path, text);
        }
        let mut whole = part;
        let mut seen = self.document.observations.seen.clone();
        for (index, item) in self.touched.iter().zip(std::mem::take(&mut whole.seen)) {
            if let Some(old) = seen.get_mut(*index) {
                *old = item;
            }
        }
        whole.seen = seen;
        Some(whole)
    }
}

/// Whether all that a judgement reads is the same. What was set aside is counted, and judged by nobody.
fn is_judged_alike(one: &Observations, other: &Observations) -> bool {
    let Observations {
        version,
        started_at,
        elapsed_ms,
        stopped,
        asked,
        machine,
        endpoints,
        zones,
        unresolved_names,
        sources,
        seen,
        later,
    } = one;
    (version, started_at, elapsed_ms, stopped, asked, machine, endpoints, zones, unresolved_names, sources, seen)
        == (
            &other.version,
            &other.started_at,
            &other.elapsed_ms,
            &other.stopped,
            &other.asked,
            &other.machine,
            &other.endpoints,
            &other.zones,
            &other.unresolved_names,
            &other.sources,
            &other.seen,
        )
        && later.counts() == other.later.counts()
}

fn list(json: &Value) -> &[Value] {
    json.get("seen").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn walk(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::String(_) => {
            found.insert(at.to_owned());
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{at}/*"), found)),
        Value::Object(fields) => fields.iter().for_each(|(name, item)| {
            let name = if at.ends_with("/names") { "*" } else { name };
            walk(item, &format!("{at}/{name}"), found);
        }),
        _ => {}
    }
}

/// Puts the text at the place; whether there was one.
pub(super) fn replace(value: &mut Value, place: &str, text: &str) -> bool {
    let parts: Vec<&str> = place.split('/').skip(1).collect();
    put(value, &parts, text)
}

fn put(value: &mut Value, parts: &[&str], text: &str) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        let Value::String(old) = value else { return false };
        text.clone_into(old);
        return true;
    };
    let mut found = false;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| found |= put(item, rest, text)),
        Value::Object(fields) => {
            let wanted = |name: &str| *part == "*" || name == *part;
            fields.iter_mut().filter(|(name, _)| wanted(name)).for_each(|(_, item)| found |= put(item, rest, text));
        }
        _ => {}
    }
    found
}

/// What is read in part must be what is read as a whole.
#[test]
fn a_place_reads_as_the_whole_document_does() {
    let world = ampls_world::scenarios().iter().find(|world| world.name == "browser-secure").expect("the world");
    let seen = crate::scenarios::observe(&world.parse().expect("a world")).expect("a run");
    let document = Document::new(seen.observations);
    let mut compared = 0;
    for place in document.places() {
        let mut at = document.at(&place);
        for text in ["x; zq", "/etc/x", "a.b"] {
            if let Some(part) = at.with(text) {
                assert_eq!(Some(part), document.read(&place, text), "{place}");
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "{compared}");
}
