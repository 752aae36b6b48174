//! What was asked for, parsed and valid.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// What the paths should be (`--expect`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// Steps that `--only` and `--skip` name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// Questions to DNS servers and the system's lookups.
    Dns,
    /// TCP connections.
    Tcp,
    /// TLS handshakes.
    Tls,
    /// HTTP requests.
    Http,
    /// The metadata service and the wire server.
    Imds,
    /// Agents' files and processes.
    Agent,
    /// Browsers' settings.
    Browser,
    /// Proxies.
    Proxy,
    /// The clock.
    Clock,
}

/// Which proxy to use (`--proxy`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyOption {
    /// What the environment says.
    #[default]
    Environment,
    /// None (`--proxy none`).
    Direct,
    /// This one, for every name.
    Url(url::Url),
}

/// Everything a run is asked to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--expect`
    pub expect: Expect,
    /// `--private-range`
    pub private_ranges: Vec<IpNet>,
    /// `--resolver`
    pub resolvers: Vec<SocketAddr>,
    /// `--proxy`
    pub proxy: ProxyOption,
    /// `--timeout`: one step.
    pub step_timeout: Duration,
    /// `--deadline`: the whole run.
    pub deadline: Duration,
    /// `--repeat`: how often each DNS question is asked of each server.
    pub repeat: u32,
    /// Steps to take; empty means all.
    pub only: Vec<StepKind>,
    /// Steps to leave out.
    pub skip: Vec<StepKind>,
}

impl Options {
    /// Whether a kind of step is to be taken.
    pub fn takes(&self, step: StepKind) -> bool {
        (self.only.is_empty() || self.only.contains(&step)) && !self.skip.contains(&step)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            expect: Expect::Auto,
            private_ranges: Vec::new(),
            resolvers: Vec::new(),
            proxy: ProxyOption::Environment,
            step_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(15),
            repeat: 2,
            only: Vec::new(),
            skip: Vec::new(),
        }
    }
}
