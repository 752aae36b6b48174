//! What is wrong, as machines share it: a code, and the things that its arguments name.
//!
//! A fault that names nothing shared lies in the network around the machine, which the subscription and the region narrow
//! down: no virtual network spans two of either.

use std::net::{IpAddr, SocketAddr};

use super::fact::{KINDS, THINGS};
use super::{Fact, LONGEST, Names, Place, Root};
use crate::diagnose::finding::Argument;
use crate::diagnose::rule::Layer;
use crate::diagnose::rules;
use crate::text::escape;

/// A code and its facts, in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// The code.
    pub code: String,
    /// The facts, by name.
    pub facts: Vec<Fact>,
    /// Facts are missing: the digest had no room for them.
    pub unnamed: bool,
}

/// Words that say that the fault lies in the links or rulesets of the machine's own virtual network.
const OF_THIS_NETWORK: [&str; 2] = ["link-missing", "ruleset"];

/// Kinds of things that are Azure's, an agent's or a browser's, so that they are never replaced by pseudonyms.
const OF_NOBODY: [&str; 5] = ["agent", "browser", "cloud", "service", "zone"];
/// The argument that holds a text of the machine's own, beside the things.
const OWN_WORD: &str = "search";

/// Things of one kind that one finding may name before they count as one.
const MOST_THINGS: usize = 16;
/// Causes that one finding may stand for.
const MOST_CAUSES: usize = 64;

/// The causes that a root of a machine at this place stands for. Pseudonyms that mean nothing in other reports are no part of
/// them; those of a set of reports stand beside that set.
pub(super) fn causes(root: &Root, place: &Place, names: Names) -> Vec<Cause> {
    let mut things: Vec<(&'static str, Vec<String>)> = Vec::new();
    for (argument, kind) in THINGS {
        let Some(values) = root.args.get(argument).map(|value| values(argument, value)).filter(|it| !it.is_empty())
        else {
            continue;
        };
        if names == Names::OfOneReport && !OF_NOBODY.contains(&kind) {
            continue;
        }
        match things.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, known)) => known.extend(values),
            None => things.push((kind, values)),
        }
    }
    for (_, values) in &mut things {
        values.sort();
        values.dedup();
        if values.len() > MOST_THINGS {
            *values = vec![escape(&values.join(", "), LONGEST)];
        }
    }
    if things.iter().map(|(_, values)| values.len()).product::<usize>() > MOST_CAUSES {
        for (_, values) in &mut things {
            *values = vec![escape(&values.join(", "), LONGEST)];
        }
    }
    let mut facts = kinds(root);
    match names {
        Names::Originals => {}
        Names::OfOneReport => facts.retain(|fact| fact.name != OWN_WORD),
        Names::OfSet(set) => facts.push(Fact { name: "redacted", value: set.to_string() }),
    }
    let mut causes = vec![Cause { code: root.code.clone(), facts, unnamed: root.unnamed }];
    if is_of_the_network(root, &things) {
        let around = [("subscription", &place.subscription), ("region", &place.region)];
        let known = around.into_iter().filter_map(|(name, value)| Some(Fact { name, value: value.clone()? }));
        let known: Vec<Fact> = known.collect();
        for cause in &mut causes {
            cause.facts.extend(known.iter().cloned());
        }
    }
    for (name, values) in things {
        let with = |cause: &Cause, value: &String| {
            let mut cause = cause.clone();
            cause.facts.push(Fact { name, value: value.clone() });
            cause
        };
        causes = causes.iter().flat_map(|cause| values.iter().map(move |value| with(cause, value))).collect();
    }
    for cause in &mut causes {
        cause.facts.sort();
    }
    causes
}

fn kinds(root: &Root) -> Vec<Fact> {
    let kept = |name: &&'static str| {
        let value = root.args.get(*name)?.text();
        (!value.is_empty()).then(|| Fact { name, value: escape(&value, LONGEST) })
    };
    KINDS.iter().filter_map(kept).collect()
}

/// Whether machines elsewhere do not share the fault, although it looks the same there.
fn is_of_the_network(root: &Root, things: &[(&str, Vec<String>)]) -> bool {
    let words = ["cause", "kind"].iter().filter_map(|name| root.args.get(*name));
    if words.flat_map(Argument::values).any(|word| OF_THIS_NETWORK.contains(&word.as_str())) {
        return true;
    }
    let shared = |(kind, values): &(&str, Vec<String>)| match *kind {
        "server" => values.iter().any(|server| !is_own(server)),
        // A zone or a suffix of that name exists in many networks.
        "zone" | "suffix" => false,
        _ => true,
    };
    let on_the_path = |layer| matches!(layer, Layer::Dns | Layer::Tcp | Layer::Tls | Layer::Http | Layer::Proxy);
    let layer = rules::of_code(&root.code).map(|rule| rule.layer);
    layer.is_some_and(on_the_path) && !things.iter().any(shared)
}

/// Whether each machine has a server of that address for itself.
fn is_own(server: &str) -> bool {
    let address = server.parse::<SocketAddr>().map(|socket| socket.ip()).or_else(|_| server.parse::<IpAddr>());
    address.is_ok_and(|address| address.is_loopback())
}

/// Each value; reports of schema 1 wrote several into one text.
fn values(argument: &str, value: &Argument) -> Vec<String> {
    let all: Vec<String> = match value {
        // How many there are tells nothing of which.
        Argument::Counted { .. } => Vec::new(),
        // Names of issuers hold commas of their own.
        Argument::One(text) if argument != "issuer" => text.split(", ").map(str::to_owned).collect(),
        value => value.values().to_vec(),
    };
    let kept = all.iter().map(|text| text.trim().trim_end_matches(":53")).filter(|text| !text.is_empty());
    kept.map(|text| escape(text, LONGEST)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::diagnose::finding::Severity;

    fn root(code: &str, args: &[(&str, &[&str])]) -> Root {
        let list = |values: &[&str]| Argument::Many(values.iter().map(|value| (*value).to_owned()).collect());
        let args = args.iter().map(|(name, values)| ((*name).to_owned(), list(values))).collect();
        Root {
            code: code.to_owned(),
            severity: Severity::Error,
            certainty: None,
            owner: None,
            affects: Vec::new(),
            args,
            unnamed: false,
        }
    }

    fn place() -> Place {
        Place::new(Some("/subscriptions/s1/x"), Some("westeurope"), Some("10.0.0.0/24"))
    }

    fn shown(root: &Root) -> Vec<String> {
        let line = |cause: Cause| {
            cause.facts.iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect::<Vec<_>>().join(" ")
        };
        causes(root, &place(), Names::Originals).into_iter().map(line).collect()
    }

    #[test]
    fn each_server_and_zone_is_a_cause_and_their_order_tells_nothing() {
        let one =
            root("DNS002", &[("server", &["10.0.0.5:53", "10.0.0.4:53"]), ("zones", &["b", "a"]), ("names", &["5"])]);
        assert_eq!(
            shown(&one),
            ["server=10.0.0.4 zone=a", "server=10.0.0.4 zone=b", "server=10.0.0.5 zone=a", "server=10.0.0.5 zone=b"]
        );
    }

    #[test]
    fn what_lies_in_the_virtual_network_is_kept_apart_by_subscription_and_region() {
        let link =
            root("DNS003", &[("server", &["168.63.129.16:53"]), ("zones", &["z"]), ("cause", &["link-missing"])]);
        assert_eq!(shown(&link), ["cause=link-missing region=westeurope server=168.63.129.16 subscription=s1 zone=z"]);
        let path = root("NET001", &[("reading", &["path"]), ("address", &["10.0.0.9"]), ("port", &["443"])]);
        assert_eq!(shown(&path), ["reading=path region=westeurope subscription=s1"]);
    }

    #[test]
    fn a_stub_on_each_machine_is_not_one_server() {
        let stub = root("DNS009", &[("server", &["127.0.0.53:53"]), ("code", &["SERVFAIL"])]);
        assert_eq!(shown(&stub), ["code=SERVFAIL region=westeurope server=127.0.0.53 subscription=s1"]);
        let shared = root("DNS009", &[("server", &["10.0.0.4:53"]), ("code", &["SERVFAIL"])]);
        assert_eq!(shown(&shared), ["code=SERVFAIL server=10.0.0.4"]);
    }

    #[test]
    fn what_lies_on_the_machine_is_shared_wherever_machines_stand() {
        let old = root("AGT001", &[("agent", &["oms"]), ("version", &["1.12.0"]), ("minimum", &["1.12.25"])]);
        assert_eq!(shown(&old), ["agent=oms minimum=1.12.25 version=1.12.0"]);
        assert_eq!(shown(&root("AGT002", &[])), [""]);
        assert_eq!(shown(&root("ZZZ999", &[])), [""]);
    }

    #[test]
    fn texts_of_schema_1_name_the_same_causes() {
        let text = |value: &str| Argument::One(value.to_owned());
        let args = BTreeMap::from([
            ("server".to_owned(), text("10.0.0.5:53, 10.0.0.4:53")),
            ("zone".to_owned(), text("privatelink.ods.opinsights.azure.com")),
        ]);
        let old = Root { args, ..root("DNS003", &[]) };
        let zone: &[&str] = &["privatelink.ods.opinsights.azure.com"];
        let new = root("DNS003", &[("server", &["10.0.0.4:53", "10.0.0.5:53"]), ("zones", zone)]);
        let of = |root| causes(root, &place(), Names::Originals);
        assert_eq!(of(&old), of(&new));
    }

    #[test]
    fn a_finding_that_names_endlessly_many_things_is_one_cause() {
        let many: Vec<String> = (0..2_000).map(|number| format!("10.0.{}.{}", number / 256, number % 256)).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let count = |values: &[&str]| {
            causes(&root("DNS002", &[("server", values), ("zones", values)]), &place(), Names::Originals).len()
        };
        assert_eq!((count(&many), count(&many[..12])), (1, 1));
    }

    #[test]
    fn pseudonyms_of_one_report_are_shared_with_nobody_and_those_of_a_set_within_it() {
        let one = root("TLS001", &[("issuer", &["CN=name-5"]), ("store", &["foreign"])]);
        let facts = |names| -> Vec<String> {
            let facts = causes(&one, &place(), names).into_iter().flat_map(|cause| cause.facts);
            facts.map(|fact| format!("{}={}", fact.name, fact.value)).collect()
        };
        assert_eq!(facts(Names::OfOneReport), ["region=westeurope", "store=foreign", "subscription=s1"]);
        let set = uuid::Uuid::from_u128(7);
        assert_eq!(facts(Names::OfSet(set)), ["issuer=CN=name-5", &format!("redacted={set}"), "store=foreign"]);
        assert_eq!(facts(Names::Originals), ["issuer=CN=name-5", "store=foreign"]);
    }
}
