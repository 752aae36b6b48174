//! Agents and their proxies, as the report lists them.

use ampls_probes::Observations;
use ampls_probes::azure::AgentKind;
use ampls_probes::observation::{Agent, AgentProxy, Agents, Observation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ProxyReport;

/// An agent found on the machine.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AgentReport {
    /// Which.
    pub kind: AgentKind,
    /// Its newest version.
    pub version: Option<String>,
    /// The least version that works with a private link, where one is documented.
    pub minimum: Option<String>,
    /// Whether the version is at least that; null where either is unknown.
    pub meets_minimum: Option<bool>,
    /// Whether it runs; null when the processes could not be seen.
    pub running: Option<bool>,
    /// Ids of the workspaces it reports to.
    pub workspaces: Vec<String>,
    /// Hosts that its configuration names.
    pub endpoints: Vec<String>,
    /// The proxy it is configured to use, without credentials.
    pub proxy: Option<String>,
    /// Where it was found.
    pub source: String,
}

pub(super) fn seen(observations: &Observations) -> Option<&Agents> {
    observations.seen.iter().find_map(|seen| match seen {
        Observation::Agents(agents) => Some(agents),
        _ => None,
    })
}

pub(super) fn agents(observations: &Observations) -> Vec<AgentReport> {
    seen(observations).map_or_else(Vec::new, |agents| agents.found.iter().map(|agent| of(agent, agents)).collect())
}

fn of(agent: &Agent, agents: &Agents) -> AgentReport {
    let proxy = agents.proxies.iter().find(|proxy| proxy.used_by == agent.kind && proxy.effective);
    AgentReport {
        kind: agent.kind,
        version: agent.versions.first().map(|installed| installed.version.clone()),
        minimum: agent.minimum.clone(),
        meets_minimum: agent.meets_minimum,
        running: agent.running,
        workspaces: agent.workspaces.iter().map(|workspace| workspace.id.clone()).collect(),
        endpoints: agent.endpoints.clone(),
        proxy: proxy.map(|proxy| proxy.url.clone()),
        source: agent.source.clone(),
    }
}

/// The proxies that agents are configured to use. No name was looked at through them.
pub(super) fn proxies(observations: &Observations) -> Vec<ProxyReport> {
    let report = |proxy: &AgentProxy| ProxyReport {
        url: proxy.url.clone(),
        source: proxy.source.clone(),
        has_credentials: proxy.has_credentials,
        used_by: Some(proxy.used_by),
        endpoints: Vec::new(),
    };
    seen(observations)
        .map_or_else(Vec::new, |agents| agents.proxies.iter().filter(|proxy| proxy.effective).map(report).collect())
}
