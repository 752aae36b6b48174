//! The machine, as the report names it.

use ampls_probes::Observations;
use ampls_probes::azure::{AgentKind, Cloud};
use ampls_probes::observation::{Instance, Observation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agent;

/// The machine that looked.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Host {
    /// Host name.
    pub name: String,
    /// Operating system and its version.
    pub os: String,
    /// Architecture.
    pub arch: String,
    /// What kind of machine it is.
    pub environment: Environment,
    /// What Azure's metadata service gives about it; `None` when it did not answer.
    pub azure: Option<Azure>,
}

/// What kind of machine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// An Azure VM.
    Vm,
    /// An Azure Arc machine.
    Arc,
    /// A node of Azure Kubernetes Service.
    AksNode,
    /// A container.
    Container,
    /// Anything else.
    Other,
}

/// The machine in Azure.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Azure {
    /// `public`, `usgov`, `china`, or the name the metadata service gave.
    pub cloud: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// VM id.
    pub vm_id: Option<String>,
    /// Resource id.
    pub resource_id: Option<String>,
    /// The first subnet, as CIDR.
    pub subnet: Option<String>,
}

impl Host {
    pub(super) fn new(observations: &Observations) -> Self {
        let instance = observations.seen.iter().find_map(|seen| match seen {
            Observation::Metadata(metadata) => metadata.outcome.seen(),
            _ => None,
        });
        let machine = &observations.machine;
        Self {
            name: machine.name.clone(),
            os: machine.os.clone(),
            arch: machine.arch.clone(),
            environment: environment(observations, instance),
            azure: instance.map(azure),
        }
    }
}

/// AKS names its nodes `aks-<pool>-…` and keeps them in a resource group `MC_<group>_<cluster>_<region>`.
/// Source: <https://learn.microsoft.com/azure/aks/faq>
fn environment(observations: &Observations, instance: Option<&Instance>) -> Environment {
    if observations.machine.container {
        return Environment::Container;
    }
    let connected =
        agent::seen(observations).is_some_and(|agents| agents.found.iter().any(|a| a.kind == AgentKind::Arc));
    let Some(instance) = instance else {
        return if connected { Environment::Arc } else { Environment::Other };
    };
    let node = instance.name.as_deref().is_some_and(|name| name.starts_with("aks-"));
    let group = instance.resource_id.as_deref().unwrap_or_default().to_ascii_lowercase();
    if node && group.contains("/resourcegroups/mc_") { Environment::AksNode } else { Environment::Vm }
}

fn azure(instance: &Instance) -> Azure {
    Azure {
        cloud: instance.environment.as_deref().map(cloud),
        region: instance.location.clone(),
        vm_id: instance.vm_id.clone(),
        resource_id: instance.resource_id.clone(),
        subnet: instance.subnets.first().map(|subnet| subnet.cidr.to_string()),
    }
}

fn cloud(environment: &str) -> String {
    Cloud::of_az_name(environment).map_or_else(|| environment.to_owned(), |cloud| cloud.to_string())
}
