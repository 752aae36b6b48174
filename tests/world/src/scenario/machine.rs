//! World files: the machine, the platform's services, a proxy.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use serde::Deserialize;

use super::front::TcpFault;

/// The machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Machine {
    /// Addresses with their prefix.
    pub interfaces: Vec<IpNet>,
    /// It has a route for global IPv6.
    pub ipv6: bool,
    /// Its trust store has the public root.
    pub public_root: bool,
    /// Lines of the hosts file beside `localhost`: name → address.
    pub hosts: BTreeMap<String, IpAddr>,
    /// Absolute paths of files that this user may not read.
    pub denied_files: Vec<String>,
    /// Absolute paths of folders that never answer.
    pub hanging_folders: Vec<String>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            interfaces: vec![IpNet::new_assert([10, 1, 0, 10].into(), 24)],
            ipv6: false,
            public_root: true,
            hosts: BTreeMap::new(),
            denied_files: Vec::new(),
            hanging_folders: Vec::new(),
        }
    }
}

/// The platform's services: metadata and wire server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Platform {
    /// The metadata service.
    pub metadata: PlatformAnswer,
    /// The wire server.
    pub wire_server: PlatformAnswer,
    /// `azEnvironment`, where it is not that of this world's cloud.
    pub environment: Option<String>,
}

/// How a service of the platform answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlatformAnswer {
    /// As on an Azure VM.
    #[default]
    Azure,
    /// Packets are dropped.
    Silent,
    /// Nobody listens.
    Refused,
    /// No network route.
    Unreachable,
    /// 200 and no document.
    Malformed,
    /// 404.
    NotFound,
    /// 403, as the guest proxy agent refuses.
    Forbidden,
}

/// An HTTP proxy, which resolves names itself, publicly.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Proxy {
    /// Its address.
    pub address: SocketAddr,
    /// Its answer to `CONNECT` when not 200.
    pub status: Option<u16>,
    /// What happens to a SYN.
    pub tcp: Option<TcpFault>,
    /// It accepts and says nothing.
    #[serde(default)]
    pub silent: bool,
}
