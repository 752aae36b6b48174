//! One catalogue file: TOML to valid types. An unknown field, a bad value or a broken promise names the file and the key.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{CatalogueError, CloudNames, Entry, Parameter, Pattern, Rule, Template, User, Zone};
use crate::azure::{CloudFacts, DceHost, taken, values};
use crate::endpoint::{Expectation, Group, Need};

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
    cloud: CloudFacts,
    sources: BTreeMap<String, String>,
    #[serde(rename = "zone")]
    zones: Vec<Zone>,
    #[serde(rename = "endpoint")]
    endpoints: Vec<EndpointTable>,
    #[serde(rename = "pattern", default)]
    patterns: Vec<Pattern>,
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
        let parsed = values(text).and_then(|values| Self::of(&values));
        parsed.map_err(|message| CatalogueError { file: file.to_owned(), message })
    }

    /// Takes in what a catalogue file holds, or says what is wrong with it.
    pub(super) fn of(values: &Value) -> Result<Self, String> {
        let parsed: File = taken(values)?;
        for zone in &parsed.zones {
            if !zone.name.starts_with("privatelink.") || zone.forwards.is_empty() {
                return Err(format!(
                    "zone `{}`: `name` must begin with `privatelink.` and `forwards` hold a name",
                    zone.name
                ));
            }
        }
        if let Some(fault) = parsed.cloud.fault(&parsed.sources) {
            return Err(fault);
        }
        let cited = parsed.zones.iter().flat_map(|zone| &zone.source);
        let cited = cited.chain(parsed.endpoints.iter().flat_map(|table| &table.source));
        let mut cited = cited.chain(parsed.patterns.iter().flat_map(|pattern| &pattern.source));
        if let Some(unknown) = cited.find(|key| !parsed.sources.contains_key(*key)) {
            return Err(format!("`source` names `{unknown}`, which `[sources]` does not hold"));
        }
        let mut ids = BTreeSet::new();
        let mut entries = Vec::new();
        for table in parsed.endpoints {
            let id = table.id.clone();
            if !ids.insert(id.clone()) {
                return Err(format!("endpoint `{id}`: `id` is used twice"));
            }
            entries.push(entry(table, &parsed.zones).map_err(|message| format!("endpoint `{id}`: {message}"))?);
        }
        Ok(Self {
            cloud: parsed.cloud.name,
            facts: parsed.cloud,
            sources: parsed.sources,
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
        Some(name) => Some(zones.iter().find(|zone| zone.name == *name).ok_or("`zone` is not a zone of this file")?),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::Cloud;
    use crate::catalogue::{Catalogue, Condition, Family};

    const FILE: &str = r#"
[cloud]
name = "public"
azure_environments = ["AzurePublicCloud"]
az_names = []
monitor_suffix = "example.net"
suffixes = []
portal = "portal.example.net"
source = ["doc"]
date = "2026-11-22"
[cloud.regions]
prefixes = []
names = []
source = ["doc"]
date = "2026-11-22"
[cloud.domains]
authorities = []
private_authorities = []
mailboxes = []
redirects = []
infrastructure = []
source = ["doc"]
date = "2026-11-22"
[sources]
doc = "https://example.net"
[[zone]]
name = "privatelink.example.net"
family = "ods"
forwards = ["example.net"]
source = ["doc"]
[[endpoint]]
id = "a:<workspace>"
name = "<workspace>.example.net"
group = "agent"
zone = "privatelink.example.net"
record = "<workspace>"
expected = "private"
include = [{ group = "agent", if = "always", need = "required" }]
purpose = "log upload"
used_by = ["ama"]
source = ["doc"]
"#;

    #[test]
    fn promises_are_checked_and_errors_name_file_and_key() {
        assert!(CloudNames::parse("a.toml", FILE).is_ok());
        let table = [
            ("purpose =", "porpoise =", "porpoise"),
            ("\"private\"", "\"secret\"", "expected"),
            ("if = \"always\"", "if = \"sometimes\"", "include"),
            ("record =", "port = 4\nrocord =", "rocord"),
            ("zone = \"privatelink.example.net\"\nrecord = \"<workspace>\"\n", "", "`expected`"),
            ("record = \"<workspace>\"\n", "", "`record`"),
            ("record = \"<workspace>\"", "record = \"<region>\"", "`record`"),
            ("used_by", "confirmed = false\nused_by", "`include`"),
            ("forwards = [\"example.net\"]", "forwards = [\"example.net\"]\nconfirmed = false", "`expected`"),
            ("id = \"a:<workspace>\"", "id = \"a\"", "`id`"),
            ("id = \"a:<workspace>\"", "id = \"a:<workshop>\"", "<workshop>"),
            ("zone = \"privatelink", "zone = \"privatlink", "`zone`"),
            ("used_by", "dce_host = \"ingest\"\nused_by", "`dce_host`"),
            ("name = \"public\"", "name = \"private\"", "name"),
            ("doc = ", "dok = ", "`source`"),
            ("date = \"2026-11-22\"\n[sources]", "date = \"soon\"\n[sources]", "`cloud.domains`"),
            ("names = []\nsource = [\"doc\"]", "names = []\nsource = []", "`cloud.regions`"),
        ];
        for (from, to, key) in table {
            assert!(FILE.contains(from), "{from}");
            let error = CloudNames::parse("a.toml", &FILE.replace(from, to)).expect_err(to).to_string();
            assert!(error.contains("`a.toml`") && error.contains(key) && !error.contains('\n'), "{to}: {error}");
        }
    }

    fn builtin() -> Catalogue {
        Catalogue::builtin().expect("the built-in catalogue")
    }

    #[test]
    fn every_cloud_has_its_file_and_its_zones() {
        let catalogue = builtin();
        for cloud in Cloud::ALL {
            let names = catalogue.cloud(cloud).expect("a file");
            let families: BTreeSet<Family> = names.zones.iter().map(|zone| zone.family).collect();
            assert_eq!(families.len(), if cloud == Cloud::UsGov { 6 } else { 5 }, "{cloud}");
            assert_eq!(names.zones.len(), families.len());
        }
        assert_eq!(catalogue.cloud_of_environment("AzureUSGovernmentCloud"), Some(Cloud::UsGov));
        assert_eq!(catalogue.cloud_of_environment("AzureGermanCloud"), None);
    }

    #[test]
    fn every_known_record_belongs_to_a_name() {
        let monitor = [
            "api",
            "global.in.ai",
            "<stamp>.in.ai",
            "live",
            "<region>.livediagnostics",
            "profiler",
            "snapshot",
            "diagservices-query",
            "global.handler.control",
            "<dce>.handler.control",
            "<dce>.ingest",
            "<dce>.metrics.ingest",
        ];
        for names in builtin().clouds {
            let aliases: BTreeSet<String> =
                names.entries.iter().filter_map(|entry| Some(entry.alias.as_ref()?.to_string())).collect();
            for zone in &names.zones {
                let records: &[&str] = match zone.family {
                    Family::Monitor => &monitor,
                    Family::Ods | Family::Oms | Family::Agentsvc => &["<workspace>"],
                    Family::Blob => &["scadvisorcontentpl"],
                    // No source names a record of it.
                    Family::Adx => &[],
                };
                for record in records {
                    assert!(aliases.contains(&format!("{record}.{}", zone.name)), "{record}.{}", zone.name);
                }
            }
        }
    }

    #[test]
    fn names_without_a_record_are_never_expected_private() {
        let without = [
            "<region>.handler.control.monitor.azure.com",
            "management.azure.com",
            "<region>.monitoring.azure.com",
            "global.prod.microsoftmetrics.com",
            "scadvisorcontent.blob.core.windows.net",
            "<storage>.blob.core.windows.net",
            "<amw>.<region>.prometheus.monitor.azure.com",
        ];
        for name in without {
            let catalogue = builtin();
            let public = catalogue.cloud(Cloud::Public).expect("a file");
            let entry = public.entries.iter().find(|entry| entry.name.to_string() == name).expect(name);
            assert!(entry.expected != Expectation::Private && entry.zone.is_none() && entry.alias.is_none(), "{name}");
        }
    }

    #[test]
    fn china_expects_nothing_to_be_private() {
        let catalogue = builtin();
        let china = catalogue.cloud(Cloud::China).expect("a file");
        assert!(china.zones.iter().all(|zone| !zone.confirmed));
        assert!(china.entries.iter().all(|entry| entry.expected != Expectation::Private));
        assert!(china.entries.iter().any(|entry| entry.include.iter().any(|rule| rule.need == Need::Required)));
    }

    #[test]
    fn custom_metrics_exist_in_the_public_cloud_only() {
        for names in builtin().clouds {
            let has = names.entries.iter().any(|e| e.include.iter().any(|rule| rule.condition == Condition::MeChannel));
            assert_eq!(has, names.cloud == Cloud::Public);
        }
    }

    #[test]
    fn host_names_are_recognised() {
        let catalogue = builtin();
        let table = [
            ("global.handler.control.monitor.azure.us", Cloud::UsGov, "handler-global"),
            ("westeurope-5.in.applicationinsights.azure.com", Cloud::Public, "ingestion:westeurope-5"),
            ("scadvisorcontent.blob.core.windows.net", Cloud::Public, "content-public"),
            ("abc.blob.core.windows.net", Cloud::Public, "storage:abc"),
            ("a-b1.chinaeast2-1.ingest.monitor.azure.cn", Cloud::China, "ingest-dce:a-b1.chinaeast2-1"),
        ];
        for (host, cloud, id) in table {
            let known = catalogue.recognise(host).expect(host);
            assert_eq!((known.names.cloud, known.entry.id.fill(&known.values).as_deref()), (cloud, Some(id)));
        }
        assert!(catalogue.recognise("example.net").is_none());
    }
}
