//! What pseudonyms leave of a picture: of addresses their class, of names that they are there.
//!
//! Two reports that were not redacted together call the same thing by different pseudonyms, and different things by the same.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use ampls_probes::addr::{Class, classify};

use super::picture::{Key, Section};
use crate::diagnose::finding::Finding;
use crate::report::is_same_everywhere;

/// The picture without pseudonyms. Where two subjects have one name without them, they are numbered in their order.
pub(super) fn picture(picture: BTreeMap<Key, String>) -> BTreeMap<Key, String> {
    let mut subjects: BTreeMap<(Section, String), String> = BTreeMap::new();
    let mut used: BTreeMap<(Section, String), usize> = BTreeMap::new();
    let mut reduced = BTreeMap::new();
    for (key, value) in picture {
        let subject = subjects.entry((key.section, key.subject.clone())).or_insert_with(|| {
            let name = text(&key.subject);
            let count = used.entry((key.section, name.clone())).or_default();
            *count += 1;
            if *count == 1 { name } else { format!("{name} ({count})") }
        });
        reduced.insert(Key { subject: subject.clone(), what: text(&key.what), ..key }, list(&value));
    }
    reduced
}

/// The findings with names of endpoints without pseudonyms.
pub(super) fn findings(findings: &[Finding]) -> Vec<Finding> {
    let of = |finding: &Finding| {
        let mut finding = finding.clone();
        finding.endpoints = finding.endpoints.iter().map(|name| text(name)).collect();
        finding.endpoints.sort();
        finding
    };
    findings.iter().map(of).collect()
}

/// Equal parts of a list are counted.
fn list(value: &str) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for part in value.split(", ") {
        *counts.entry(text(part)).or_default() += 1;
    }
    let shown = counts.into_iter().map(|(part, count)| if count == 1 { part } else { format!("{count} times {part}") });
    shown.collect::<Vec<_>>().join(", ")
}

fn text(value: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    let mut reduced = String::with_capacity(value.len());
    let mut rest = value;
    while !rest.is_empty() {
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        reduced.push_str(&self::token(token));
        let end = after.find(part).unwrap_or(after.len());
        let (between, after) = after.split_at(end);
        reduced.push_str(between);
        rest = after;
    }
    reduced
}

fn token(token: &str) -> String {
    let address = token.parse::<IpAddr>().or_else(|_| token.parse::<SocketAddr>().map(|server| server.ip()));
    if let Ok(address) = address {
        return if is_same_everywhere(address) { token.to_owned() } else { class(address).to_owned() };
    }
    let labels = token.split_inclusive(['.', ':']).map(|label| {
        let bare = label.trim_end_matches(['.', ':']);
        format!("{}{}", self::label(bare), label.get(bare.len()..).unwrap_or_default())
    });
    labels.collect()
}

fn class(address: IpAddr) -> &'static str {
    match classify(address, &[]) {
        Class::Private => "PRIVATE_ADDRESS",
        Class::SharedAddressSpace => "SHARED_ADDRESS",
        Class::Sinkhole => "UNUSABLE_ADDRESS",
        Class::Public => "PUBLIC_ADDRESS",
    }
}

/// `name-7` and the ids that [`crate::report::Redactor`] makes are pseudonyms; the rest of a label stays.
fn label(label: &str) -> String {
    if label.ends_with("-0000-4000-8000-000000000000") {
        return "ID".to_owned();
    }
    match label.rsplit_once("name-") {
        Some((before, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{before}NAME")
        }
        _ => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_are_reduced_to_what_they_keep() {
        for (value, reduced) in [
            ("10.9.8.7", "PRIVATE_ADDRESS"),
            ("10.9.8.7, 10.1.1.1, 192.0.2.1", "2 times PRIVATE_ADDRESS, PUBLIC_ADDRESS"),
            ("168.63.129.16", "168.63.129.16"),
            ("[fd00::4]:5353", "[PRIVATE_ADDRESS]:5353"),
            ("00000007-0000-4000-8000-000000000000.ods.opinsights.azure.com", "ID.ods.opinsights.azure.com"),
            ("http://name-3.name-12:3128, set in HTTPS_PROXY", "http://NAME.NAME:3128, set in HTTPS_PROXY"),
            ("aks-name-3", "aks-NAME"),
            ("private", "private"),
        ] {
            assert_eq!(list(value), reduced, "{value}");
        }
    }
}
