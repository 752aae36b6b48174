//! What is known of a host name.

use ampls_probes::Catalogue;
use ampls_probes::azure::{is_within, unknown_suffix};
use ampls_probes::catalogue::{CloudNames, Entry, Recognised, User, Zone};
use ampls_probes::endpoint::Expectation;

use super::Topic;
use crate::text::quote;

type Facts = Vec<(&'static str, String)>;

/// Names of zones that circulate and that Azure Monitor does not use. The first two are in no list of Microsoft's; the others
/// are slips seen in published templates.
/// Source: <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>
const FOLKLORE: [&str; 5] = [
    "privatelink.applicationinsights.azure.com",
    "privatelink.services.visualstudio.com",
    "privatelink.agentsvc.azure.automation.net",
    "privatelink.opinsights.azure.com",
    "privatelink.loganalytics.io",
];

/// What is known of a full host name.
pub(super) fn topic(host: &str, catalogue: &Catalogue) -> Topic {
    let facts = catalogue
        .recognise(host)
        .map(|known| endpoint(&known))
        .or_else(|| zone(host, catalogue))
        .or_else(|| record(host, catalogue))
        .or_else(|| forwarded(host, catalogue))
        .or_else(|| pattern(host, catalogue))
        .unwrap_or_else(|| unknown(host, catalogue));
    Topic::Facts(host.to_owned(), facts)
}

fn endpoint(known: &Recognised<'_>) -> Facts {
    let entry = known.entry;
    let mut facts = vec![("purpose", entry.purpose.clone()), ("cloud", known.names.cloud.to_string())];
    facts.push(("private", private(entry, known.names)));
    if let Some(zone) = &entry.zone {
        facts.push(("zone", zone.clone()));
    }
    if let Some(alias) = entry.alias.as_ref().and_then(|alias| alias.fill(&known.values)) {
        facts.push(("record", alias));
    }
    facts.push(("group", entry.group.as_str().to_owned()));
    if !entry.used_by.is_empty() {
        facts.push(("used by", entry.used_by.iter().map(|user| used_by(*user)).collect::<Vec<_>>().join(", ")));
    }
    let tag = entry.service_tag.as_ref().map(|tag| format!(", service tag {tag}")).unwrap_or_default();
    facts.push(("firewall", format!("TCP {}{tag}", entry.port)));
    if !entry.confirmed {
        facts.push(("unconfirmed", "no source proves this name; it is never counted as required".to_owned()));
    }
    facts.push(("source", entry.source.join(", ")));
    facts
}

fn private(entry: &Entry, names: &CloudNames) -> String {
    let scoped = entry.zone.as_ref().is_some_and(|zone| names.zones.iter().any(|known| known.name == *zone));
    match (entry.expected, scoped) {
        (Expectation::Private, true) => "may be: an Azure Monitor private link scope holds a record for it",
        (Expectation::Any, true) => {
            "may be: a private link scope of this cloud may hold a record for it; whether it does is not documented"
        }
        (Expectation::Private | Expectation::Any, _) if entry.zone.is_some() => {
            "may be, through a private endpoint of its own service, never through an Azure Monitor private link scope"
        }
        (Expectation::Any | Expectation::Private, _) => "either is right",
        (Expectation::Public, _) => {
            "never: no private link scope holds a record for it, so a public address is not a fault"
        }
    }
    .to_owned()
}

fn used_by(user: User) -> &'static str {
    match user {
        User::Ama => "Azure Monitor Agent",
        User::Mma => "Log Analytics agent for Windows (retired)",
        User::Oms => "Log Analytics agent for Linux (retired)",
        User::Sdk => "Application Insights SDKs",
        User::People => "people and query tools",
        User::Arc => "Azure Arc",
        User::Worker => "hybrid runbook workers",
    }
}

fn zones(catalogue: &Catalogue) -> impl Iterator<Item = (&CloudNames, &Zone)> {
    catalogue.clouds.iter().flat_map(|names| names.zones.iter().map(move |zone| (names, zone)))
}

fn zone(host: &str, catalogue: &Catalogue) -> Option<Facts> {
    let (names, zone) = zones(catalogue).find(|(_, zone)| zone.name == host)?;
    let mut facts = vec![
        ("purpose", "a private DNS zone of an Azure Monitor private link scope".to_owned()),
        ("cloud", names.cloud.to_string()),
        ("forward", format!("conditional forwarders need the public names: {}", zone.forwards.join(", "))),
    ];
    if !zone.confirmed {
        facts.push(("unconfirmed", "no source proves this zone".to_owned()));
    }
    facts.push(("source", zone.source.join(", ")));
    Some(facts)
}

/// The record behind a public name.
fn record(host: &str, catalogue: &Catalogue) -> Option<Facts> {
    let entries = catalogue.clouds.iter().flat_map(|names| names.entries.iter().map(move |entry| (names, entry)));
    let found = entries.filter_map(|(names, entry)| Some((names, entry, entry.alias.as_ref()?.matches(host)?)));
    let (names, entry, values) = found.min_by_key(|(_, _, values)| values.len())?;
    Some(vec![
        ("purpose", format!("the record behind {}", entry.name.fill_known(&values))),
        ("cloud", names.cloud.to_string()),
        ("zone", entry.zone.clone().unwrap_or_default()),
        (
            "beware",
            "programs must use the public name: certificates are for that one; and public DNS has this name too, so seeing \
             it in a chain proves nothing"
                .to_owned(),
        ),
    ])
}

fn forwarded(host: &str, catalogue: &Catalogue) -> Option<Facts> {
    let found: Vec<_> = zones(catalogue).filter(|(_, zone)| zone.forwards.iter().any(|name| name == host)).collect();
    let (names, _) = found.first()?;
    let zones: Vec<_> = found.iter().map(|(_, zone)| zone.name.as_str()).collect();
    Some(vec![
        ("purpose", format!("the public name that a conditional forwarder needs for {}", zones.join(", "))),
        ("cloud", names.cloud.to_string()),
    ])
}

fn pattern(host: &str, catalogue: &Catalogue) -> Option<Facts> {
    let patterns = catalogue.clouds.iter().flat_map(|names| names.patterns.iter().map(move |it| (names, it)));
    let covers = |name: &str| {
        name.strip_prefix('*').is_some_and(|suffix| host.len() > suffix.len() && host.ends_with(suffix)) || name == host
    };
    let (names, pattern) = patterns.into_iter().find(|(_, pattern)| covers(&pattern.name))?;
    let private = if pattern.private_capable {
        "may be, through a private endpoint of its own service"
    } else {
        "never through an Azure Monitor private link scope"
    };
    Some(vec![
        ("purpose", pattern.purpose.clone()),
        ("cloud", names.cloud.to_string()),
        ("private", private.to_owned()),
        ("firewall", format!("{} on TCP {}", pattern.name, pattern.port)),
    ])
}

fn unknown(host: &str, catalogue: &Catalogue) -> Facts {
    let below = |zone: &str| is_within(host, zone);
    if let Some(folklore) = FOLKLORE.iter().find(|zone| below(zone)) {
        let known: Vec<_> = catalogue.clouds.first().into_iter().flat_map(|names| &names.zones).collect();
        let known: Vec<_> = known.iter().map(|zone| zone.name.as_str()).collect();
        return vec![
            (
                "warning",
                format!("Azure Monitor uses no zone {}: creating it helps nothing and may hide names", quote(folklore)),
            ),
            ("the zones are", known.join(", ")),
        ];
    }
    if let Some((_, zone)) = zones(catalogue).find(|(_, zone)| below(&zone.name)) {
        return vec![
            ("unknown", format!("no record of this name is known in {}", zone.name)),
            ("beware", "a linked zone without the record denies the name".to_owned()),
        ];
    }
    if let Some(suffix) = unknown_suffix(host) {
        return vec![
            ("unknown", format!("{} belongs to a cloud that this version does not know", quote(suffix))),
            ("look at it", format!("ampls-doctor check --endpoint {host} --public-roots FILE_PATH")),
        ];
    }
    let mut facts = vec![("unknown", "this name is not in the catalogue of Azure Monitor's names".to_owned())];
    if host.split('.').any(|label| label == "privatelink") {
        facts.push((
            "beware",
            "it is neither a zone of an Azure Monitor private link scope nor a record in one".to_owned(),
        ));
    } else {
        facts.push(("look at it", format!("ampls-doctor check --endpoint {host}")));
    }
    facts
}
