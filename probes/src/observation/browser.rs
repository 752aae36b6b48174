//! What the browsers of this machine are set to do with DNS.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, ReadFailure, Timing, Unread};

/// All browsers of the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Browsers {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What their files say.
    #[serde(flatten)]
    pub outcome: Outcome<BrowsersSeen, ReadFailure>,
}

/// What the files of all browsers say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowsersSeen {
    /// One entry for each profile, or for a browser that has policies and no profile; by browser, then by profile.
    pub settings: Vec<BrowserSetting>,
    /// Files that are there and could not be used, in the order met.
    pub unread: Vec<Unread>,
    /// There were more users, profiles or files than are looked at.
    pub truncated: bool,
    /// There are accounts of Windows that are not signed in: it has not loaded what is set for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_signed_in: bool,
    /// Only policies of the machine were asked for; what people set themselves was not looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub policies_only: bool,
}

/// What one profile of a browser does with DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserSetting {
    /// The browser's id in the catalogue, e.g. `chrome`.
    pub id: String,
    /// Its name, e.g. `Google Chrome`.
    pub name: String,
    /// How it is built.
    pub family: BrowserFamily,
    /// The folder of the user data or profile; `None` when there are policies only.
    pub profile: Option<String>,
    /// The mode that holds after every source has been weighed.
    pub mode: SecureDnsMode,
    /// `network.trr.mode` of Firefox, as it holds.
    pub trr_mode: Option<u8>,
    /// Who set the mode.
    pub set_by: SetBy,
    /// What follows: whom it asks.
    pub asks: Asks,
    /// URI templates of the resolvers, separated by spaces.
    pub template: Option<String>,
    /// The address of the resolver, where the browser does not ask the system for it (`network.trr.bootstrapAddr`, Firefox).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<IpAddr>,
    /// The known provider that this machine's first DNS server belongs to, where automatic mode then upgrades to it.
    pub upgraded_to: Option<String>,
    /// The file that decides, a path below the root; empty when nothing does.
    pub source: String,
    /// Firefox chose the mode by itself (`doh-rollout.mode`).
    pub rolled_out: bool,
    /// Domains that are not asked encrypted (Firefox).
    pub excluded_domains: Vec<String>,
    /// Private addresses in encrypted answers are taken (`network.trr.allow-rfc1918`, Firefox).
    pub allows_private: bool,
    /// A policy about requests to private addresses (Chromium).
    pub local_network: Option<LocalNetwork>,
    /// Where a policy of this machine belongs: the file to write.
    pub policy_file: String,
}

/// How a browser is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BrowserFamily {
    /// Chromium and its relatives.
    Chromium,
    /// Firefox.
    Firefox,
}

/// A browser's mode for DNS over HTTPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecureDnsMode {
    /// Never.
    Off,
    /// First, with plain DNS to fall back to.
    Automatic,
    /// Only.
    Secure,
    /// Nothing sets it: the browser's own default.
    Unset,
}

/// Who set a mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SetBy {
    /// A policy of the machine.
    Policy,
    /// The user's own settings.
    User,
    /// Nobody.
    Default,
}

/// Whom a browser asks for the names of Azure Monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asks {
    /// This machine's own resolver.
    System,
    /// An encrypted resolver first, this machine's own when that fails.
    EncryptedFirst,
    /// An encrypted resolver only.
    EncryptedOnly,
}

/// What a policy says of requests from the portal to private addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalNetwork {
    /// The policy that decides, e.g. `LocalNetworkAccessBlockedForUrls`.
    pub policy: String,
    /// The pattern of it that the portal matches.
    pub pattern: String,
    /// The portal, e.g. `https://portal.azure.com`.
    pub portal: String,
    /// It is blocked; otherwise allowed.
    pub blocked: bool,
    /// The file, a path below the root.
    pub source: String,
}

/// What the operating system does with DNS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncryptedDns {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// The services that ask encrypted, by file.
    #[serde(flatten)]
    pub outcome: Outcome<Vec<EncryptedResolver>, ReadFailure>,
    /// Files and keys that are there and could not be read: what they set is not among the services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
}

/// A service of the operating system that asks encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptedResolver {
    /// E.g. `systemd-resolved`.
    pub service: String,
    /// The file that sets it, a path below the root.
    pub source: String,
    /// The setting, e.g. `DNSOverTLS=yes`.
    pub setting: String,
    /// Plain DNS is never used instead.
    pub strict: bool,
    /// The servers it is set to ask, as written.
    pub servers: Vec<String>,
    /// This machine's resolver configuration leads to it.
    pub in_use: bool,
    /// The zones that it asks encrypted, lower case, without trailing dot; empty where that holds for every name.
    #[serde(default)]
    pub zones: Vec<String>,
    /// The URI templates of servers that are asked over HTTPS (Windows).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<ServerTemplate>,
}

/// A server and its URI template for DNS over HTTPS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerTemplate {
    /// The server, which is asked at this address.
    pub server: IpAddr,
    /// The template.
    pub template: String,
}
