//! World files: what a simulated Azure is made of, and what the doctor must say of it.
//!
//! Everything has a default, so that a file states only what is wrong with its world. Names may contain `<workspace>`,
//! `<dce>` and `<region>`, which stand for the first workspace, the first data collection endpoint (its label and stamp, as
//! in `prod-ab12.westeurope-1`) and the region. It only describes: sockets are opened by [`crate::start`].

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use serde::Deserialize;

use crate::names::Cloud;

/// The workspace of a world that names none.
pub const WORKSPACE: &str = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";

/// A world file that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldFileError {
    /// The name of the file, without folder and extension.
    pub file: String,
    /// What is wrong with it: key, line, what is wanted.
    pub message: String,
}

impl fmt::Display for WorldFileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "world file `{}`: {}", self.file, self.message.trim_end())
    }
}

impl std::error::Error for WorldFileError {}

/// A world file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The file's name, without folder and extension.
    #[serde(skip)]
    pub name: String,
    /// A few words.
    pub title: String,
    /// One sentence for `demo --list`.
    pub story: String,
    /// Arguments of `check` beside those that follow from the rest of the file (`--workspace`, `--dce`, `--timeout`).
    #[serde(default, rename = "arguments")]
    pub more_arguments: Vec<String>,
    /// The cloud whose names exist here.
    #[serde(default)]
    pub cloud: Cloud,
    /// The machine's region.
    #[serde(default = "default_region")]
    pub region: String,
    /// Workspaces that exist, and that are asked for.
    #[serde(default = "default_workspaces")]
    pub workspaces: Vec<String>,
    /// Workspaces that are asked for and do not exist any more.
    #[serde(default)]
    pub deleted_workspaces: Vec<String>,
    /// Data collection endpoints that exist, and that are asked for, as `<label>.<region>-<n>`.
    #[serde(default)]
    pub dces: Vec<String>,
    /// Names of workspaces run through their `privatelink` alias in public DNS.
    #[serde(default = "yes")]
    pub workspaces_aliased: bool,
    /// Added to every answer of every server, in milliseconds.
    #[serde(default)]
    pub latency_ms: u64,
    /// Added to the machine's clock, in seconds.
    #[serde(default)]
    pub clock_shift_s: i64,
    /// The virtual network of this machine: what 168.63.129.16 shows.
    #[serde(default)]
    pub vnet: Vnet,
    /// Another network, for servers that `resolve = "hub"`.
    #[serde(default)]
    pub hub: Vnet,
    /// DNS servers. 168.63.129.16 exists always, and is the configured one where none is described.
    #[serde(default, rename = "server")]
    pub servers: Vec<Server>,
    /// The machine's resolver.
    #[serde(default)]
    pub resolver: Resolver,
    /// How addresses and names answer; the first entry that matches and has the key decides.
    #[serde(default, rename = "front")]
    pub fronts: Vec<Front>,
    /// The machine itself.
    #[serde(default)]
    pub machine: Machine,
    /// The platform's services.
    #[serde(default)]
    pub platform: Platform,
    /// A proxy.
    pub proxy: Option<Proxy>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Files, by absolute path.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What the doctor must say.
    #[serde(default)]
    pub expect: Expected,
}

/// The private zones one virtual network sees.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Vnet {
    /// Zones linked to it, with a record for every name of this world: `monitor`, `oms`, `ods`, `agentsvc`, `blob`.
    pub linked: Vec<String>,
    /// Linked zones without any record.
    pub empty: Vec<String>,
    /// Zones linked with fallback to internet.
    pub fallback: Vec<String>,
    /// Names without a record in their zone.
    pub missing: Vec<String>,
    /// Addresses that differ from the usual ones, by public name.
    pub records: BTreeMap<String, Vec<IpAddr>>,
    /// The subnet of the private endpoint.
    pub endpoints: IpNet,
}

impl Default for Vnet {
    fn default() -> Self {
        Self {
            linked: ["monitor", "oms", "ods", "agentsvc", "blob"].map(str::to_owned).to_vec(),
            empty: Vec::new(),
            fallback: Vec::new(),
            missing: Vec::new(),
            records: BTreeMap::new(),
            endpoints: IpNet::new_assert([10, 1, 2, 0].into(), 24),
        }
    }
}

/// A DNS server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// Its address; port 53.
    pub address: IpAddr,
    /// Where its answers come from.
    #[serde(default)]
    pub resolves: View,
    /// Where answers for names below a suffix come from instead; the longest suffix decides.
    #[serde(default)]
    pub forward: BTreeMap<String, View>,
    /// What is wrong with it.
    pub fault: Option<ServerFault>,
    /// The fault concerns names below these suffixes only; empty means all.
    #[serde(default)]
    pub fault_below: Vec<String>,
    /// Added to every answer, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// Zones it serves itself: split-brain DNS.
    #[serde(default, rename = "zone")]
    pub zones: Vec<LocalZone>,
    /// The machine's resolver configuration names it.
    #[serde(default = "yes")]
    pub configured: bool,
}

/// Where a DNS server's answers come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// This virtual network.
    #[default]
    Azure,
    /// The other one.
    Hub,
    /// Public DNS.
    Public,
}

/// What can be wrong with a DNS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerFault {
    /// Nothing comes back.
    Silent,
    /// Nobody listens on port 53.
    Closed,
    /// ICMP host unreachable.
    HostUnreachable,
    /// SERVFAIL.
    Servfail,
    /// REFUSED.
    Refused,
    /// FORMERR.
    Formerr,
    /// NXDOMAIN without an authority.
    Nxdomain,
    /// UDP answers are truncated, TCP gives the rest.
    Truncated,
    /// UDP answers are truncated, TCP is dropped.
    TruncatedTcpDropped,
    /// The answer carries the right id and ends in the middle.
    Malformed,
    /// Every other question is answered from public DNS.
    Flaps,
    /// Every name has the address 0.0.0.0.
    Sinkhole,
    /// Azure's own DNS security policy blocks.
    BlockPolicy,
    /// A chain of aliases that closes.
    Loop,
}

/// A zone of a DNS server's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LocalZone {
    /// Its name.
    pub name: String,
    /// Addresses by full name.
    #[serde(default)]
    pub records: BTreeMap<String, Vec<IpAddr>>,
    /// Primary server of its SOA.
    #[serde(default = "default_mname")]
    pub mname: String,
}

/// The machine's resolver.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Resolver {
    /// `search`
    pub search: Vec<String>,
    /// `options`, as in `resolv.conf`.
    pub options: Vec<String>,
    /// A systemd-resolved stub stands between programs and the configured servers.
    pub stub: bool,
    /// Answers kept from earlier: programs get these, whatever the servers say.
    pub cached: BTreeMap<String, Vec<IpAddr>>,
}

/// How addresses and names answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Front {
    /// What it is about: names, `*.suffix`, addresses, CIDRs, `private`, `public`, `all`.
    pub at: Vec<String>,
    /// What happens to a SYN.
    pub tcp: Option<TcpFault>,
    /// What happens to a `ClientHello`.
    pub tls: Option<TlsFault>,
    /// Common name of the authority that signs (`intercepted`).
    pub issuer: Option<String>,
    /// This machine trusts that authority.
    #[serde(default)]
    pub trusted: bool,
    /// The alert of `tls = "alert"`, by its number.
    pub alert: Option<u8>,
    /// What is wrong with the HTTP answer.
    pub http: Option<HttpFault>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// Headers of the answer, in place of the service's.
    pub headers: Option<BTreeMap<String, String>>,
    /// Body of the answer.
    pub body: Option<String>,
    /// Added to the `Date` header, in seconds.
    pub date_shift_s: Option<i64>,
}

/// What can happen to a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TcpFault {
    /// Dropped.
    Drop,
    /// Answered with RST.
    Refuse,
    /// ICMP host unreachable.
    HostUnreachable,
    /// No route on this machine.
    NetworkUnreachable,
    /// This machine's own firewall refuses.
    NotPermitted,
}

/// What can happen to a `ClientHello`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsFault {
    /// None: an entry that takes a part out of a wider one.
    Ok,
    /// RST.
    Reset,
    /// FIN.
    Close,
    /// Silence.
    Silent,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is for another name.
    WrongName,
    /// Somebody else's authority signs.
    Intercepted,
    /// The certificate signs itself.
    SelfSigned,
    /// The intermediate certificate is not sent.
    LeafOnly,
    /// `protocol_version`: nothing at or above TLS 1.2.
    TooOld,
    /// Another alert.
    Alert,
    /// HTTP without TLS.
    PlainHttp,
    /// Bytes without meaning.
    Garbage,
}

/// What can be wrong with an HTTP answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpFault {
    /// None comes.
    Silent,
    /// The connection closes instead.
    Close,
    /// Bytes that are no HTTP.
    Garbage,
    /// Headers without end.
    EndlessHeaders,
    /// A body without end.
    EndlessBody,
    /// A login page.
    Html,
}

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
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            interfaces: vec![IpNet::new_assert([10, 1, 0, 10].into(), 24)],
            ipv6: false,
            public_root: true,
            hosts: BTreeMap::new(),
            denied_files: Vec::new(),
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

/// What the doctor must say of a world.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expected {
    /// Exit status.
    pub exit: u8,
    /// `verdict.route`
    pub route: Option<String>,
    /// `verdict.health`
    pub health: Option<String>,
    /// Codes of the roots, in order; informational ones only where they are named here.
    pub roots: Vec<String>,
    /// Symptoms and the root that explains them.
    pub caused: BTreeMap<String, String>,
    /// Text that the roots carry somewhere.
    pub text: Vec<String>,
}

impl Scenario {
    /// Reads a world file; `name` is what errors call it.
    pub fn parse(name: &str, text: &str) -> Result<Self, WorldFileError> {
        let wrong = |message: String| WorldFileError { file: name.to_owned(), message };
        let mut scenario: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        name.clone_into(&mut scenario.name);
        for (part, vnet) in [("vnet", &scenario.vnet), ("hub", &scenario.hub)] {
            for zone in vnet.linked.iter().chain(&vnet.empty).chain(&vnet.fallback) {
                if !scenario.cloud.zone_names().contains(&zone.as_str()) {
                    let known = scenario.cloud.zone_names().join("`, `");
                    return Err(wrong(format!("`{part}` names the zone `{zone}`; known are `{known}`")));
                }
            }
        }
        Ok(scenario)
    }

    /// The arguments of `check` for this world.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = Vec::new();
        for workspace in self.workspaces.iter().chain(&self.deleted_workspaces) {
            arguments.extend(["--workspace".to_owned(), workspace.clone()]);
        }
        for dce in &self.dces {
            arguments.extend(["--dce".to_owned(), format!("{dce}.ingest.{}", self.cloud.monitor())]);
        }
        // A dead end costs a demonstration two seconds, not the five of a real network.
        for (option, value) in [("--timeout", "2"), ("--deadline", "10")] {
            if !self.more_arguments.iter().any(|given| given == option) {
                arguments.extend([option.to_owned(), value.to_owned()]);
            }
        }
        arguments.extend(self.more_arguments.iter().map(|argument| self.expand(argument)));
        arguments
    }

    /// A text with `<workspace>`, `<dce>` and `<region>` filled in.
    pub fn expand(&self, text: &str) -> String {
        let workspace = self.workspaces.first().map_or(WORKSPACE, String::as_str);
        let dce = self.dces.first().map_or("<dce>", String::as_str);
        text.replace("<workspace>", workspace).replace("<dce>", dce).replace("<region>", &self.region)
    }
}

fn yes() -> bool {
    true
}

fn default_region() -> String {
    "westeurope".to_owned()
}

fn default_workspaces() -> Vec<String> {
    vec![WORKSPACE.to_owned()]
}

fn default_mname() -> String {
    "dc1.corp.example".to_owned()
}
