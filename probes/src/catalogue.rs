//! The names of Azure Monitor as data: `catalogue/*.toml`, one file a cloud, one `[[endpoint]]` a name.
//!
//! The files say what a name is, when it is looked at and what is expected of it. Which names follow for one machine is the
//! plan's affair.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use browsers::{BrowserCatalogue, ChromiumPlaces, FirefoxPlaces, Provider};
pub use template::{Parameter, Template, Values};

use crate::azure::{Cloud, CloudFacts, DceHost};
use crate::endpoint::{Expectation, Group, Need};

pub mod agents;
mod browsers;
mod file;
pub mod refusals;
pub mod roots;
pub mod sinkholes;
mod template;

/// The names of all clouds.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// One a cloud, in the order of [`Cloud::ALL`].
    pub clouds: Vec<CloudNames>,
}

/// The names of one cloud.
#[derive(Clone, Debug)]
pub struct CloudNames {
    /// The cloud.
    pub cloud: Cloud,
    /// What is known of the cloud itself: suffixes, regions, domains.
    pub facts: CloudFacts,
    /// Where the facts are from: an address for each key that `source` names.
    pub sources: BTreeMap<String, String>,
    /// The private DNS zones of an Azure Monitor Private Link Scope.
    pub zones: Vec<Zone>,
    /// The names, in the order in which they are looked at.
    pub entries: Vec<Entry>,
    /// Wildcards of firewall tables, which cannot be looked at.
    pub patterns: Vec<Pattern>,
}

/// A private DNS zone of an Azure Monitor Private Link Scope.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Its name, like `privatelink.ods.opinsights.azure.com`.
    pub name: String,
    /// Which of the zones it is, in any cloud.
    pub family: Family,
    /// The public names that a conditional forwarder needs for it.
    pub forwards: Vec<String>,
    /// False when no source proves it.
    #[serde(default = "file::confirmed")]
    pub confirmed: bool,
    /// Where this is from.
    pub source: Vec<String>,
}

/// The zones of a scope by what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Shared records, data collection endpoints.
    Monitor,
    /// Log upload, one record a workspace.
    Ods,
    /// Onboarding of the legacy agents, one record a workspace.
    Oms,
    /// Solutions of the legacy agents, one record a workspace.
    Agentsvc,
    /// One record, for management packs.
    Blob,
    /// Azure Data Explorer's proxy, US Government only.
    Adx,
}

/// One name of the catalogue.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The id of its endpoints, like `ods:<workspace>`.
    pub id: Template,
    /// The host name.
    pub name: Template,
    /// TCP port.
    pub port: u16,
    /// The path that answers without credentials.
    pub path: String,
    /// The group it is listed in.
    pub group: Group,
    /// The AMPLS zone of its record.
    pub zone: Option<String>,
    /// The record, with the zone: the alias in public DNS.
    pub alias: Option<Template>,
    /// What is expected of it.
    pub expected: Expectation,
    /// When it is looked at; the highest need of those that hold counts.
    pub include: Vec<Rule>,
    /// Which host of a data collection endpoint it is.
    pub dce_host: Option<DceHost>,
    /// What it is for.
    pub purpose: String,
    /// Who uses it.
    pub used_by: Vec<User>,
    /// The service tag of a firewall rule.
    pub service_tag: Option<String>,
    /// False when no source proves it; it is never required then.
    pub confirmed: bool,
    /// Where this is from.
    pub source: Vec<String>,
}

/// When a name is looked at, and how much then depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Only with this group; a value that an argument names brings in the group its name is listed in. `None`: with any.
    pub group: Option<Group>,
    /// The condition.
    #[serde(rename = "if")]
    pub condition: Condition,
    /// The need while it holds.
    pub need: Need,
}

/// Conditions of the catalogue. A name with a parameter is looked at once for each of its values, besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Always.
    Always,
    /// The Azure Monitor Agent is seen.
    Ama,
    /// The Azure Monitor Agent is seen, or no agent is.
    AmaOrNoAgent,
    /// The Azure Monitor Agent is seen and no legacy agent.
    OnlyAma,
    /// A legacy agent is seen, or no agent is.
    LegacyOrNoAgent,
    /// A legacy agent with a workspace is seen, or no agent is.
    LegacyWithWorkspaceOrNoAgent,
    /// The Azure Monitor Agent has a channel for custom metrics.
    MeChannel,
    /// An argument names the value of the parameter.
    Named,
    /// An argument names this very host of a data collection endpoint, or a channel uses it.
    HostInUse,
}

/// Who uses a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum User {
    /// Azure Monitor Agent.
    Ama,
    /// Microsoft Monitoring Agent (Windows).
    Mma,
    /// Operations Management Suite agent (Linux).
    Oms,
    /// Application Insights SDKs and agents.
    Sdk,
    /// People with a browser, and query tools.
    People,
    /// Azure Arc's agent.
    Arc,
    /// Hybrid runbook workers.
    Worker,
}

/// A wildcard of a firewall table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Like `*.his.arc.azure.com`.
    pub name: String,
    /// TCP port.
    #[serde(default = "file::https")]
    pub port: u16,
    /// Its group.
    pub group: Group,
    /// What it is for.
    pub purpose: String,
    /// The service tag of a firewall rule.
    pub service_tag: Option<String>,
    /// A private link of some kind exists for it.
    #[serde(default)]
    pub private_capable: bool,
    /// Where this is from.
    pub source: Vec<String>,
}

/// A host name found in the catalogue.
#[derive(Clone, Debug)]
pub struct Recognised<'a> {
    /// Its cloud.
    pub names: &'a CloudNames,
    /// Its place in [`CloudNames::entries`].
    pub index: usize,
    /// What it is.
    pub entry: &'a Entry,
    /// The values of its parameters.
    pub values: Values,
}

/// What is wrong with a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueError {
    /// The file.
    pub file: String,
    /// The key and what is wrong with it.
    pub message: String,
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "catalogue `{}`: {}", self.file, self.message)
    }
}

impl std::error::Error for CatalogueError {}

impl Catalogue {
    /// The catalogue inside the program. A test parses it: it fails only in a build that never passed its tests.
    pub fn builtin() -> Result<Self, CatalogueError> {
        let parse = |cloud: Cloud| {
            let (file, values) = cloud.file();
            values
                .map_err(String::clone)
                .and_then(CloudNames::of)
                .map_err(|message| CatalogueError { file: file.to_owned(), message })
        };
        let clouds = Cloud::ALL.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { clouds })
    }

    /// The names of a cloud.
    pub fn cloud(&self, cloud: Cloud) -> Option<&CloudNames> {
        self.clouds.iter().find(|names| names.cloud == cloud)
    }

    /// The cloud that the metadata service calls so (`azEnvironment`).
    pub fn cloud_of_environment(&self, environment: &str) -> Option<Cloud> {
        let is = |names: &&CloudNames| {
            names.facts.azure_environments.iter().any(|name| name.eq_ignore_ascii_case(environment))
        };
        self.clouds.iter().find(is).map(|names| names.cloud)
    }

    /// A name that many customers ask for alike: nothing in it says whose machine asks. A workspace, an endpoint, an account or
    /// a name that an argument gave is not shared.
    pub fn is_shared(&self, host: &str) -> bool {
        let of_a_region = |parameter| matches!(parameter, Parameter::Region | Parameter::Stamp | Parameter::RegionCode);
        self.recognise(host).is_some_and(|known| known.entry.name.parameters().all(of_a_region))
    }

    /// What a host name is: lower case, without trailing dot. Names without parameters win over templates.
    pub fn recognise(&self, host: &str) -> Option<Recognised<'_>> {
        let all = || {
            self.clouds
                .iter()
                .flat_map(|names| names.entries.iter().enumerate().map(move |(index, entry)| (names, index, entry)))
        };
        let exact = all().filter(|(_, _, entry)| entry.name.parameters().next().is_none());
        let templates = all().filter(|(_, _, entry)| entry.name.parameters().next().is_some());
        exact.chain(templates).find_map(|(names, index, entry)| {
            Some(Recognised { names, index, entry, values: entry.name.matches(host)? })
        })
    }
}
