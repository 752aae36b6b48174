//! A cause in a few words that name what its machines share.

use super::group::{Draft, Named};
use crate::diagnose::rules;

/// Values named of one kind before the others are counted.
const MOST: usize = 3;

/// The words of common causes; what stands in braces is a fact. Where one code has several causes, the word of the argument
/// `cause` stands beside the code. Others are called by the rule's name and all their facts. No word depends on how many
/// servers or zones there are.
const WORDS: &[(&str, &str, &str)] = &[
    ("AGT001", "", "agent below {minimum}: {agent} {version}"),
    ("AGT003", "", "retired agent: {agent}"),
    ("AGT004", "", "agent not running: {agent}"),
    ("DNS002", "", "Azure DNS bypassed by {server}"),
    ("DNS003", "link-or-forwarder-missing", "zone not linked, or not forwarded by {server}: {zone}"),
    ("DNS003", "", "zone not linked, as seen on {server}: {zone}"),
    ("DNS004", "", "record missing, as seen on {server}: {zone}"),
    ("DNS008", "", "no answer from {server}"),
    ("DNS009", "", "failures of {server}"),
    ("DNS010", "", "answers cut and TCP refused by {server}"),
    ("DNS019", "", "changing answers from {server}"),
    ("DNS020", "", "not forwarded by {server}: {suffix}"),
    ("DNS021", "", "Azure's names hidden by a local zone on {server}: {zone}"),
    ("DNS024", "", "private addresses withheld by {server}: {suffix}"),
    ("DNS025", "", "invented answers from {server}"),
    ("PRX001", "", "private names sent through proxy {proxy}"),
    ("PRX002", "", "credentials wanted by proxy {proxy}"),
    ("PRX003", "", "no answer from proxy {proxy}"),
    ("PRX004", "", "requests refused by proxy {proxy}"),
    ("TLS001", "", "TLS intercepted by {issuer}"),
    ("TLS002", "", "issuer not trusted: {issuer}"),
    ("TLS009", "", "incomplete chain of {issuer}"),
];

/// A cause in a few words.
pub(super) fn title_of(draft: &Draft) -> String {
    let unnamed = if draft.unnamed { ", where not named in its digest" } else { "" };
    format!("{}{unnamed}", title(&draft.code, &draft.named))
}

fn title(code: &str, named: &Named) -> String {
    let words = WORDS.iter().filter(|(known, ..)| *known == code).find_map(|(_, cause, words)| {
        let (text, mut named_already) = filled(words, named)?;
        if !cause.is_empty() {
            let (name, values) = named.get_key_value("cause")?;
            let [(only, _)] = values.as_slice() else { return None };
            if only != cause {
                return None;
            }
            named_already.push(name);
        }
        Some((text, named_already))
    });
    let (words, named_already) = words.unwrap_or_else(|| {
        (
            rules::of_code(code)
                .map_or_else(|| "unknown to this version".to_owned(), |rule| rule.name.replace('-', " ")),
            Vec::new(),
        )
    });
    let rest: Vec<String> = named
        .iter()
        .filter(|(name, _)| !named_already.contains(name))
        .map(|(name, values)| format!("{} {}", name.replace('_', " "), several(name, values)))
        .collect();
    if rest.is_empty() { words } else { format!("{words} ({})", rest.join(", ")) }
}

/// The words with their facts, and which these are; `None` where one is missing.
fn filled<'n>(words: &str, named: &'n Named) -> Option<(String, Vec<&'n &'static str>)> {
    let mut text = String::new();
    let mut named_already = Vec::new();
    let mut parts = words.split('{');
    text.push_str(parts.next()?);
    for part in parts {
        let (name, after) = part.split_once('}')?;
        let (name, values) = named.get_key_value(name)?;
        text.extend([&several(name, values), after]);
        named_already.push(name);
    }
    Some((text, named_already))
}

/// The values, the most common first; private zones by what their names differ in.
fn several(name: &str, values: &[(String, usize)]) -> String {
    let short = |value: &str| match name {
        "zone" => value.strip_prefix("privatelink.").unwrap_or(value).to_owned(),
        _ => value.to_owned(),
    };
    let mut shown: Vec<String> = values.iter().take(MOST).map(|(value, _)| short(value)).collect();
    let more = values.len().saturating_sub(MOST);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, all)) => format!("{} and {last}", all.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(facts: &[(&'static str, &[&str])]) -> Named {
        facts.iter().map(|(name, values)| (*name, values.iter().map(|it| ((*it).to_owned(), 1)).collect())).collect()
    }

    #[test]
    fn a_common_cause_is_a_sentence_and_what_it_does_not_say_follows() {
        let one = named(&[("server", &["10.0.0.4"]), ("zone", &["privatelink.monitor.azure.com"])]);
        assert_eq!(title("DNS002", &one), "Azure DNS bypassed by 10.0.0.4 (zone monitor.azure.com)");
        let old = named(&[("agent", &["oms"]), ("version", &["1.12.0"]), ("minimum", &["1.12.25"])]);
        assert_eq!(title("AGT001", &old), "agent below 1.12.25: oms 1.12.0");
    }

    #[test]
    fn a_cause_without_words_of_its_own_is_called_by_its_rule_and_facts() {
        let path = named(&[("reading", &["path"]), ("region", &["westeurope"])]);
        assert_eq!(title("NET001", &path), "connect timeout (reading path, region westeurope)");
        assert_eq!(title("DNS002", &Named::new()), "forwarder bypasses azure dns");
        assert_eq!(title("ZZZ999", &Named::new()), "unknown to this version");
    }

    #[test]
    fn many_values_are_counted() {
        let many = named(&[("server", &["a", "b", "c", "d", "e"])]);
        assert_eq!(title("DNS008", &many), "no answer from a, b, c and 2 more");
    }

    #[test]
    fn the_words_are_of_rules() {
        for (code, ..) in WORDS {
            assert!(rules::of_code(code).is_some(), "{code}");
        }
        // The words for one cause come before those for any.
        assert!(WORDS.windows(2).all(|pair| pair[0].0 < pair[1].0 || pair[0].0 == pair[1].0 && !pair[0].1.is_empty()));
    }

    #[test]
    fn a_cause_of_which_two_are_possible_names_both() {
        let of = |cause| {
            let zone: &[&str] = &["privatelink.ods.opinsights.azure.com"];
            title("DNS003", &named(&[("server", &["10.0.0.4"]), ("zone", zone), ("cause", &[cause])]))
        };
        assert_eq!(
            of("link-or-forwarder-missing"),
            "zone not linked, or not forwarded by 10.0.0.4: ods.opinsights.azure.com"
        );
        let linked = "zone not linked, as seen on 10.0.0.4: ods.opinsights.azure.com (cause link-missing)";
        assert_eq!(of("link-missing"), linked);
    }
}
