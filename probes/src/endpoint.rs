//! A name and a port that are looked at, what is needed of them and what is expected.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One name and port to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Unique within a run, e.g. `ods:6b1c…` or `handler-global`.
    pub id: String,
    /// The public host name, lower case, without trailing dot.
    pub fqdn: String,
    /// TCP port.
    pub port: u16,
    /// Its group.
    pub group: Group,
    /// The AMPLS zone that would hold its record, if it can have one.
    pub zone: Option<String>,
    /// The full name of that record, e.g. `<workspace>.privatelink.ods.opinsights.azure.com`.
    pub alias: Option<String>,
    /// What is expected of it where a private link is meant.
    pub expected: Expectation,
    /// How much depends on it.
    pub need: Need,
    /// The path of the HTTP request.
    pub path: String,
    /// What it is for.
    pub purpose: String,
    /// The service tag a firewall rule would use.
    pub service_tag: Option<String>,
    /// Why it is looked at: `argument`, `configuration`, `metadata` or `default`.
    pub origin: Origin,
}

impl Endpoint {
    /// An AMPLS may hold a record of its name. Storage accounts live in the `privatelink` zone of blobs too, but only the
    /// agents' own name there belongs to an AMPLS.
    pub fn has_ampls_record(&self) -> bool {
        let foreign = |zone: &String| zone.starts_with("privatelink.blob.") && self.group == Group::Extra;
        self.expected == Expectation::Private && self.zone.as_ref().is_some_and(|zone| !foreign(zone))
    }
}

/// Why an endpoint is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// It always is.
    Default,
    /// The metadata service named the region.
    Metadata,
    /// An agent's configuration names it.
    Configuration,
    /// An argument names it.
    Argument,
}

/// Endpoint groups (`--set`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The monitoring agents.
    Agent,
    /// Query interfaces.
    Query,
    /// Application Insights.
    AppInsights,
    /// The portal.
    Portal,
    /// Azure Automation.
    Automation,
    /// Azure Arc.
    Arc,
    /// A name given with `--endpoint` or `--storage`.
    Extra,
}

impl Group {
    /// Those that `--set` can name.
    pub const SETS: [Self; 6] =
        [Self::Agent, Self::Query, Self::AppInsights, Self::Portal, Self::Automation, Self::Arc];

    /// Its name, as `--set` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Query => "query",
            Self::AppInsights => "app-insights",
            Self::Portal => "portal",
            Self::Automation => "automation",
            Self::Arc => "arc",
            Self::Extra => "extra",
        }
    }
}

/// How much depends on a name. Ordered: the greater needs it more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// Resolved to understand DNS, never connected to.
    Evidence,
    /// Monitoring works without it.
    Optional,
    /// Monitoring does not work without it.
    Required,
}

impl Need {
    /// `evidence`, `optional` or `required`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

/// What kind of address a name should have where a private link is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expectation {
    /// An AMPLS record exists for such a name.
    Private,
    /// It never has one.
    Public,
    /// Either is right.
    Any,
}

impl Expectation {
    /// `private`, `public` or `any`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
            Self::Any => "any",
        }
    }
}

/// What the paths should be (`--expect`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// Private as soon as something shows that a private link is meant.
    #[default]
    Auto,
    /// Private.
    Private,
    /// Public.
    Public,
}

/// The addresses that a name should have (`--expected-records`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedRecord {
    /// The public name of an endpoint or the full name of its record in a `privatelink` zone; lower case, without trailing
    /// dot.
    pub name: String,
    /// Its addresses, in any order, without duplicates.
    pub addresses: Vec<IpAddr>,
}

impl ExpectedRecord {
    /// Whether it is the record behind this name: a private endpoint prints the public name of its record, which many names
    /// that machines ask for share.
    pub fn is_of(&self, endpoint: &Endpoint) -> bool {
        let public = |alias: &str| {
            let (owner, zone) = alias.split_once(".privatelink.")?;
            Some(format!("{owner}.{zone}"))
        };
        let alias = endpoint.alias.as_deref();
        let by_alias = alias.is_some_and(|alias| alias == self.name || public(alias).as_ref() == Some(&self.name));
        self.name == endpoint.fqdn || by_alias
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ampls_record_is_a_private_name_in_a_zone_that_is_not_somebody_elses() {
        let endpoint = |expected, zone: Option<&str>, group| Endpoint {
            id: String::new(),
            fqdn: String::new(),
            port: 443,
            group,
            zone: zone.map(str::to_owned),
            alias: None,
            expected,
            need: Need::Required,
            path: String::new(),
            purpose: String::new(),
            service_tag: None,
            origin: Origin::Default,
        };
        let (monitor, blob) = (Some("privatelink.monitor.azure.com"), Some("privatelink.blob.core.windows.net"));
        let table = [
            (Expectation::Private, monitor, Group::Extra, true),
            (Expectation::Private, blob, Group::Agent, true),
            (Expectation::Private, blob, Group::Extra, false),
            (Expectation::Private, None, Group::Extra, false),
            (Expectation::Public, monitor, Group::Extra, false),
            (Expectation::Any, monitor, Group::Agent, false),
        ];
        for (expected, zone, group, has) in table {
            assert_eq!(endpoint(expected, zone, group).has_ampls_record(), has, "{expected:?} {zone:?} {group:?}");
        }
    }
}
