//! A cause in a few words that name what its machines share.

use super::group::Named;
use crate::diagnose::rules;

/// Values named of one kind before the others are counted.
const MOST: usize = 3;

/// The words of common causes; what stands in braces is a fact. Others are called by the rule's name and all their facts.
const WORDS: &[(&str, &str)] = &[
    ("AGT001", "agent {agent} {version} is below {minimum}"),
    ("AGT003", "agent {agent} is retired"),
    ("AGT004", "agent {agent} is not running"),
    ("DNS002", "{server} bypasses Azure DNS"),
    ("DNS003", "zone {zone} is not linked, as {server} shows"),
    ("DNS004", "a record is missing in zone {zone}, as {server} shows"),
    ("DNS008", "{server} does not answer"),
    ("DNS009", "{server} fails"),
    ("DNS010", "{server} cuts answers and refuses TCP"),
    ("DNS019", "{server} changes its answers"),
    ("DNS020", "{server} does not forward {suffix}"),
    ("DNS021", "zone {zone} on {server} hides Azure's names"),
    ("DNS024", "{server} withholds private addresses of {suffix}"),
    ("DNS025", "{server} invents answers"),
    ("PRX001", "proxy {proxy} takes private names"),
    ("PRX002", "proxy {proxy} wants credentials"),
    ("PRX003", "proxy {proxy} does not answer"),
    ("PRX004", "proxy {proxy} refuses"),
    ("TLS001", "TLS is intercepted by {issuer}"),
    ("TLS002", "issuer {issuer} is not trusted"),
    ("TLS009", "the chain of {issuer} is incomplete"),
];

/// The words of a cause.
pub(super) fn title(code: &str, named: &Named) -> String {
    let words = WORDS.iter().find(|(known, _)| *known == code).and_then(|(_, words)| filled(words, named));
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
        assert_eq!(title("DNS002", &one), "10.0.0.4 bypasses Azure DNS (zone monitor.azure.com)");
        let old = named(&[("agent", &["oms"]), ("version", &["1.12.0"]), ("minimum", &["1.12.25"])]);
        assert_eq!(title("AGT001", &old), "agent oms 1.12.0 is below 1.12.25");
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
        assert_eq!(title("DNS008", &many), "a, b, c and 2 more does not answer");
    }

    #[test]
    fn the_words_are_of_rules() {
        for (code, _) in WORDS {
            assert!(rules::of_code(code).is_some(), "{code}");
        }
        assert!(WORDS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
