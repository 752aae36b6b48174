//! What the Azure platform says of this machine.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::tcp::IoFailure;
use super::{Outcome, Timing};

/// The instance metadata service, 169.254.169.254.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What came back.
    #[serde(flatten)]
    pub outcome: Outcome<Instance, MetadataFailure>,
}

/// What is taken from `/metadata/instance`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// `compute.location`, e.g. `westeurope`.
    pub location: Option<String>,
    /// `compute.azEnvironment`, e.g. `AzurePublicCloud`.
    pub environment: Option<String>,
    /// `compute.vmId`
    pub vm_id: Option<String>,
    /// `compute.resourceId`
    pub resource_id: Option<String>,
    /// `compute.name`
    pub name: Option<String>,
    /// `network.interface[].ipv4.subnet[]`
    pub subnets: Vec<Subnet>,
}

/// One subnet of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// As CIDR.
    pub cidr: IpNet,
}

/// Why there is no metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetadataFailure {
    /// The connection failed.
    Unreachable(IoFailure),
    /// An HTTP status other than 200.
    Status(u16),
    /// A 200 whose body is not a metadata document: something else answers there.
    Malformed,
}

/// The wire server, `http://168.63.129.16/?comp=versions`: seen is the HTTP status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireServer {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What came back.
    #[serde(flatten)]
    pub outcome: Outcome<u16, IoFailure>,
}
