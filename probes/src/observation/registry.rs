//! What the registry of Windows says of the system as a whole: its TLS, its roots, its proxies. What it says of agents, names
//! and browsers stands with those.

use serde::{Deserialize, Serialize};

use super::{Outcome, ReadFailure, Timing, Unread};

/// The registry, of the running system or of a disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registry {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What it says.
    #[serde(flatten)]
    pub outcome: Outcome<RegistrySeen, ReadFailure>,
}

/// What it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistrySeen {
    /// Hives of a disk whose last changes lie in logs that are not read.
    pub stale: Vec<String>,
    /// Switches of the system's own TLS (`SChannel`) for clients, those that are set.
    pub protocols: Vec<ProtocolSwitch>,
    /// Cipher suites that a policy allows, in its order; empty where no policy names any.
    pub cipher_suites: Vec<String>,
    /// What the .NET Framework is set to, which the Log Analytics agent runs on; those that are set.
    pub strong_crypto: Vec<StrongCrypto>,
    /// A policy keeps Windows from fetching roots, or whether one does could not be read.
    pub root_updates_off: bool,
    /// Proxies of the system and of its accounts. The agents of Azure Monitor read none of them.
    pub proxies: Vec<SystemProxy>,
    /// Keys that could not be read.
    pub unread: Vec<Unread>,
}

/// A switch of a version of TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolSwitch {
    /// E.g. `TLS 1.2`.
    pub protocol: String,
    /// `Enabled`; `None` where it is not set.
    pub enabled: Option<bool>,
    /// `DisabledByDefault`; `None` where it is not set.
    pub disabled_by_default: Option<bool>,
    /// Its key.
    pub source: String,
}

/// What the .NET Framework is set to. A program that asks for no version of TLS gets an old one without these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrongCrypto {
    /// `SchUseStrongCrypto`.
    pub strong: Option<bool>,
    /// `SystemDefaultTlsVersions`.
    pub system_default: Option<bool>,
    /// Its key.
    pub source: String,
}

/// A proxy that is set for the system or for one of its accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemProxy {
    /// Who uses it.
    pub used_by: ProxyUser,
    /// `http://host:port`, without credentials; `None` where only a script decides.
    pub url: Option<String>,
    /// It comes with credentials (which are not kept).
    pub has_credentials: bool,
    /// The address of a script that decides, without credentials.
    pub script: Option<String>,
    /// What it is not used for, as it is written there.
    pub exempt: String,
    /// Its key.
    pub source: String,
}

/// Who uses a proxy of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyUser {
    /// Services that ask `WinHTTP` for its default.
    Winhttp,
    /// The account `SYSTEM`.
    System,
    /// The account `LOCAL SERVICE`.
    LocalService,
    /// The account `NETWORK SERVICE`.
    NetworkService,
    /// A person's account.
    Person,
    /// Every account, by policy.
    Everybody,
}
