//! One catalogue file: TOML to valid types. An unknown field, a bad value or a broken promise names the file and the key.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    CatalogueError, CloudNames, Entry, Expectation, Group, Need, Parameter, Pattern, Rule, Template, User, Zone,
};
use crate::options::{Cloud, DceHost};

pub(super) const fn confirmed() -> bool {
    true
}

pub(super) const fn https() -> u16 {
    443
}

fn root() -> String {
    String::from("/")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cloud: CloudTable,
    #[serde(rename = "zone")]
    zones: Vec<Zone>,
    #[serde(rename = "endpoint")]
    endpoints: Vec<EndpointTable>,
    #[serde(rename = "pattern", default)]
    patterns: Vec<Pattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloudTable {
    name: Cloud,
    azure_environments: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointTable {
    id: String,
    name: String,
    #[serde(default = "https")]
    port: u16,
    #[serde(default = "root")]
    path: String,
    group: Group,
    zone: Option<String>,
    record: Option<String>,
    expected: Expectation,
    include: Vec<Rule>,
    dce_host: Option<DceHost>,
    purpose: String,
    used_by: Vec<User>,
    service_tag: Option<String>,
    #[serde(default = "confirmed")]
    confirmed: bool,
    source: Vec<String>,
}

impl CloudNames {
    /// Parses a catalogue file.
    pub fn parse(file: &str, text: &str) -> Result<Self, CatalogueError> {
        let parsed: File = toml::from_str(text)
            .map_err(|error| CatalogueError { file: file.to_owned(), message: place(text, &error) })?;
        let wrong = |message: String| CatalogueError { file: file.to_owned(), message };
        for zone in &parsed.zones {
            if !zone.name.starts_with("privatelink.") || zone.forwards.is_empty() {
                return Err(wrong(format!("zone `{}`: `name` must begin with `privatelink.` and `forwards` hold a name", zone.name)));
            }
        }
        let mut ids = BTreeSet::new();
        let mut entries = Vec::new();
        for table in parsed.endpoints {
            let id = table.id.clone();
            if !ids.insert(id.clone()) {
                return Err(wrong(format!("endpoint `{id}`: `id` is used twice")));
            }
            entries.push(entry(table, &parsed.zones).map_err(|message| wrong(format!("endpoint `{id}`: {message}")))?);
        }
        Ok(Self {
            cloud: parsed.cloud.name,
            environments: parsed.cloud.azure_environments,
            zones: parsed.zones,
            entries,
            patterns: parsed.patterns,
        })
    }
}

fn entry(table: EndpointTable, zones: &[Zone]) -> Result<Entry, String> {
    let id = Template::parse(&table.id).map_err(|error| format!("`id`: {error}"))?;
    let name = Template::parse(&table.name).map_err(|error| format!("`name`: {error}"))?;
    let alias = match (&table.zone, &table.record) {
        (None, None) => None,
        (Some(zone), Some(record)) => {
            Some(Template::parse(&format!("{record}.{zone}")).map_err(|error| format!("`record`: {error}"))?)
        }
        _ => return Err("`zone` and `record` belong together".into()),
    };
    let parameters: BTreeSet<Parameter> = name.parameters().collect();
    if id.parameters().collect::<BTreeSet<_>>() != parameters {
        return Err("`id` and `name` must have the same parameters".into());
    }
    if alias.as_ref().is_some_and(|alias| !alias.parameters().all(|parameter| parameters.contains(&parameter))) {
        return Err("`record` has a parameter that `name` has not".into());
    }
    let zone = match &table.zone {
        Some(name) => Some(zones.iter().find(|zone| zone.name == *name).ok_or("`zone` is no zone of this file")?),
        None => None,
    };
    if table.expected == Expectation::Private && !zone.is_some_and(|zone| zone.confirmed) {
        return Err("`expected` is `private` without a record in a confirmed AMPLS zone".into());
    }
    if !table.confirmed && table.include.iter().any(|rule| rule.need == Need::Required) {
        return Err("`include` requires a name that is not confirmed".into());
    }
    if table.dce_host.is_some() != parameters.contains(&Parameter::Dce) {
        return Err("`dce_host` and `<dce>` belong together".into());
    }
    if table.name.chars().any(char::is_uppercase) || !table.path.starts_with('/') || table.source.is_empty() {
        return Err("`name` must be lower case, `path` begin with `/`, `source` name one".into());
    }
    Ok(Entry {
        id,
        name,
        port: table.port,
        path: table.path,
        group: table.group,
        zone: table.zone,
        alias,
        expected: table.expected,
        include: table.include,
        dce_host: table.dce_host,
        purpose: table.purpose,
        used_by: table.used_by,
        service_tag: table.service_tag,
        confirmed: table.confirmed,
        source: table.source,
    })
}

/// Line, key and message of a TOML error, in one line.
fn place(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().lines().collect::<Vec<_>>().join(" ");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return message;
    };
    let number = before.matches('\n').count();
    let line = text.lines().nth(number).unwrap_or_default();
    let key = line.split_once('=').map_or(line, |(key, _)| key).trim();
    format!("line {}, `{key}`: {message}", number + 1)
}
