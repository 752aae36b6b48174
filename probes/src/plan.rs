//! What will be looked at: a pure function of catalogue, options and discoveries.
//!
//! The same input gives the same plan, in the same order. What only the metadata service can tell waits for it; a second
//! plan, made when it has answered, holds everything that the first one held.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::azure::AgentsSeen;
use crate::catalogue::{Catalogue, Pattern};
use crate::endpoint::Endpoint;
use crate::observation::{Agents, Hosts, Instance, Purpose, RecordKind, Resolver};
use crate::options::Options;

pub(crate) use names::unknown_environment;

pub mod follow;
mod names;
mod steps;

/// What was found out before the plan is made.
#[derive(Clone, Debug, Default)]
pub struct Discovered {
    /// The resolver configuration and the servers to ask.
    pub resolver: Option<Resolver>,
    /// The hosts file.
    pub hosts: Option<Hosts>,
    /// What the metadata service answered.
    pub metadata: MetadataState,
    /// What the agents' configuration says. The default: no agent is seen.
    pub agents: AgentsSeen,
    /// The agents themselves; `None` when they were not looked for.
    pub agents_found: Option<Agents>,
}

/// How far the metadata service has been heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MetadataState {
    /// It may still answer: what depends on it waits.
    #[default]
    Pending,
    /// It has answered.
    Answered(Instance),
    /// It will not answer, or is not asked: the public cloud is assumed, the region stays unknown.
    Silent,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Ask the metadata service.
    Metadata,
    /// Ask the wire server.
    WireServer,
    /// Resolve the endpoint's name with the operating system's call.
    Lookup {
        /// [`Endpoint::id`]
        endpoint: String,
    },
    /// Connect to every address of the endpoint, or to the proxy that applies.
    Tcp {
        /// [`Endpoint::id`]
        endpoint: String,
    },
    /// Shake hands over the first connection.
    Tls {
        /// [`Endpoint::id`]
        endpoint: String,
    },
    /// Ask one question over the verified connection.
    Http {
        /// [`Endpoint::id`]
        endpoint: String,
    },
    /// Ask one DNS server one question.
    Ask {
        /// The server.
        server: SocketAddr,
        /// The absolute name, without trailing dot.
        name: String,
        /// The type.
        kind: RecordKind,
        /// Which try, from 0.
        try_number: u32,
        /// Why, and how.
        #[serde(default, skip_serializing_if = "Purpose::is_name")]
        purpose: Purpose,
    },
}

/// How many questions a DNS server gets from a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// The server.
    pub server: SocketAddr,
    /// Questions that are asked in any case.
    pub questions: usize,
    /// The most that there can be: where an answer leaves something open, another question decides it.
    pub at_most: usize,
    /// Lookups of this machine's own resolver that come here first, one question each, two where the machine uses IPv6.
    pub lookups: usize,
}

/// What a run will do, in a deterministic order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// `public`, `usgov` or `china`; empty while the cloud waits for the metadata service, [`UNKNOWN_CLOUD`] where a source
    /// names another one.
    pub cloud: String,
    /// The region, if known.
    pub region: Option<String>,
    /// Endpoints, in catalogue order, those outside the catalogue last.
    pub endpoints: Vec<Endpoint>,
    /// The AMPLS zones of the cloud.
    pub zones: Vec<String>,
    /// Names that wait for what only the metadata service may tell, as templates, e.g. `<region>.handler.control.…`.
    pub waiting: Vec<String>,
    /// Wildcards that a firewall needs besides and that cannot be looked at.
    pub patterns: Vec<Pattern>,
    /// Everything to do. What answers leave open is added while the run goes on, see [`follow`].
    pub steps: Vec<Step>,
    /// What each DNS server is asked, in the order of the servers.
    #[serde(default)]
    pub load: Vec<Load>,
}

/// In the place of a cloud's name: none of the catalogue's names are looked at.
pub const UNKNOWN_CLOUD: &str = "unknown";

/// Plans a run.
pub fn plan(catalogue: &Catalogue, options: &Options, discovered: &Discovered) -> Plan {
    let place = names::Place::of(catalogue, options, discovered);
    let names = names::names(catalogue, options, discovered, &place);
    let zones: Vec<String> = place
        .cloud
        .and_then(|(cloud, _)| catalogue.cloud(cloud))
        .map(|names| names.zones.iter().map(|zone| zone.name.clone()).collect())
        .unwrap_or_default();
    let control = place.cloud.and_then(|(cloud, _)| cloud.facts()).map(|facts| facts.portal.as_str());
    let steps = steps::steps(options, discovered, &names.endpoints, &zones, control);
    let load = steps::load(options, discovered, &names.endpoints, &zones, &steps);
    Plan {
        cloud: match place.cloud {
            _ if place.unknown => UNKNOWN_CLOUD.to_owned(),
            Some((cloud, _)) => cloud.to_string(),
            None => String::new(),
        },
        region: place.region.map(|(region, _)| region.to_string()),
        endpoints: names.endpoints,
        zones,
        waiting: names.waiting,
        patterns: names.patterns,
        steps,
        load,
    }
}

/// Whether the stub of this machine would ask the server that a step asks, see [`ResolverConfig::asks`].
///
/// [`ResolverConfig::asks`]: crate::observation::ResolverConfig::asks
pub(crate) fn takes(discovered: &Discovered, step: &Step) -> bool {
    steps::takes(discovered, step)
}

#[cfg(test)]
mod tests;
