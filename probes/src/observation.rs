//! What was seen: the facts of one run, and nothing but facts.
//!
//! [`Observations`] is the artefact between the eyes and the doctor. It is written into every report and is all that a
//! later judgement needs, so it carries its own clock, the options that shaped the run, and everything that could not be
//! looked at together with the reason. It knows no finding, no severity and no wording.
//!
//! Every probe adds one variant to [`Observation`]; each variant names its subject, when it was looked at, and an
//! [`Outcome`] whose failures are typed.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use agent::{
    Agent, AgentProxy, AgentService, AgentWorkspace, Agents, CachedConfiguration, GuestProxy, Installed, Refusal,
    RefusalCode, ServiceStart, Upload, UploadProof,
};
pub use browser::{
    Asks, BrowserFamily, BrowserSetting, Browsers, BrowsersSeen, EncryptedDns, EncryptedResolver, LocalNetwork,
    SecureDnsMode, ServerTemplate, SetBy,
};
pub use control::{
    ChannelGranted, Control, ControlFailure, ControlQuestion, ControlReply, ControlRequest, IdentityNamed, RuleGranted,
    TokenFailure, TokenGranted,
};
pub use dns::{
    Answer, Authority, DnsFailure, ExtendedError, Found, Lookup, LookupFailure, Purpose, Record, RecordData,
    RecordKind, Response, ResponseCode, Transport,
};
pub use encrypted::{EncryptedAnswer, EncryptedFailure, EncryptedProtocol, EncryptedView};
pub use http::{Exchange, HttpFailure, HttpResponse};
pub use later::Later;
pub use local::{
    AdapterServers, Hosts, HostsEntry, HostsFile, Interface, InterfaceMtu, LinkServers, Machine, Mtu, NameRule,
    ReadFailure, Resolver, ResolverConfig, Server, ServerRole, Unread, UnreadReason,
};
pub use metadata::{Instance, Metadata, MetadataFailure, Subnet, WireServer};
pub use proxy::{Exemptions, PlatformProxy, ProxyChoice, ProxySettings, Tunnel, TunnelFailure};
pub use registry::{ProtocolSwitch, ProxyUser, Registry, RegistrySeen, StrongCrypto, SystemProxy};
pub use segments::{SegmentAnswer, SegmentTry, Segments, SegmentsSeen};
pub use source::{Because, Source, SourceName, SourceOutcome, sources};
pub use tcp::{Connected, Connection, IoFailure};
pub use tls::{
    Certificate, ChainVerdict, Handshake, NameVerdict, Session, SystemVerdict, TlsFailure, Validity, Verification,
};

use crate::endpoint::{Endpoint, Expect, ExpectedRecord};
use moment::to_millisecond;

pub mod agent;
pub mod browser;
pub mod control;
pub mod dns;
pub mod encrypted;
pub mod http;
pub mod later;
pub mod local;
pub mod metadata;
pub mod moment;
pub mod proxy;
pub mod registry;
pub mod segments;
pub mod source;
pub mod tcp;
pub mod tls;

/// The version of [`Observations`] that this program writes.
pub const VERSION: u32 = 1;

/// Everything one run saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "later::Document")]
pub struct Observations {
    /// Version of this structure, [`VERSION`].
    pub version: u32,
    /// When the run began, by this machine's clock.
    #[serde(serialize_with = "to_millisecond")]
    pub started_at: Timestamp,
    /// How long the run took, in milliseconds.
    pub elapsed_ms: u64,
    /// What ended the run before its steps were done; `None` when all of them were.
    pub stopped: Option<Stop>,
    /// The options that a judgement depends on.
    pub asked: Asked,
    /// The machine that looked.
    pub machine: Machine,
    /// The endpoints that were planned, in the plan's order.
    pub endpoints: Vec<Endpoint>,
    /// AMPLS zones of the clouds that were looked at, lower case, without trailing dot.
    pub zones: Vec<String>,
    /// Endpoint templates left out because a parameter stayed unknown, e.g. `<region>.handler.control.monitor.azure.com`.
    pub unresolved_names: Vec<String>,
    /// What was looked at and what was not. Versions before 0.2.0 recorded none: [`sources`] derives them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// What each probe saw. The order is that of the plan, never that of arrival.
    pub seen: Vec<Observation>,
    /// What a later version wrote and this one does not understand.
    #[serde(skip_serializing_if = "Later::is_none")]
    pub later: Later,
}

/// The options of a run that judging depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// `--expect`.
    pub expect: Expect,
    /// `--private-range`, as CIDR.
    pub private_ranges: Vec<ipnet::IpNet>,
    /// The cloud whose names were used: `public`, `usgov` or `china`.
    pub cloud: String,
    /// The region, when it is known, and how.
    pub region: Option<String>,
    /// `--timeout` in milliseconds.
    pub step_timeout_ms: u64,
    /// `--deadline` in milliseconds.
    pub deadline_ms: u64,
    /// `--repeat`.
    pub repeat: u32,
    /// `--public-roots` replaced the built-in public roots.
    pub public_roots_given: bool,
    /// `--root`: only another machine's files were looked at.
    #[serde(default)]
    pub files_only: bool,
    /// Who names which cloud, the strongest first: arguments, then agents' configuration, then the metadata service.
    #[serde(default)]
    pub clouds: Vec<CloudClaim>,
    /// `--expected-records`, each name once.
    #[serde(default)]
    pub expected_records: Vec<ExpectedRecord>,
    /// `--view encrypted`: resolvers that browsers and the system ask encrypted were to be asked too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub view_encrypted: bool,
}

/// A cloud, and who names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudClaim {
    /// `public`, `usgov` or `china`.
    pub cloud: String,
    /// What kind of source it is.
    pub source: ClaimSource,
    /// Where it says so, e.g. `` `--cloud usgov` ``.
    pub says: String,
}

/// A kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimSource {
    /// An argument.
    Argument,
    /// An agent's configuration.
    Configuration,
    /// The metadata service.
    Metadata,
}

/// What ended a run early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// `--deadline` passed.
    Deadline,
    /// SIGINT, SIGTERM or Ctrl-C.
    Interrupt,
}

/// One thing that was looked at: one variant a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "probe", rename_all = "kebab-case")]
pub enum Observation {
    /// The resolver configuration of this machine.
    Resolver(Resolver),
    /// The hosts file.
    Hosts(Hosts),
    /// The agents of Azure Monitor.
    Agents(Agents),
    /// The browsers' settings.
    Browsers(Browsers),
    /// Encrypted DNS of the operating system.
    EncryptedDns(EncryptedDns),
    /// The registry of Windows, and what it says of TLS and proxies.
    Registry(Registry),
    /// The largest packets of this machine's interfaces.
    Mtu(Mtu),
    /// The proxies that this program's environment names.
    ProxySettings(ProxySettings),
    /// The Azure instance metadata service.
    Metadata(Metadata),
    /// The control service, asked with this machine's own identity.
    Control(Control),
    /// The Azure wire server.
    WireServer(WireServer),
    /// A name resolved by the operating system's own call.
    Lookup(Lookup),
    /// One question to one DNS server.
    Answer(Answer),
    /// One TCP connection attempt.
    Connection(Connection),
    /// A proxy's answer to `CONNECT`.
    Tunnel(Tunnel),
    /// One TLS handshake.
    Handshake(Handshake),
    /// One HTTP request and its answer.
    Exchange(Exchange),
    /// The same again with small segments, where no answer came.
    Segments(Segments),
    /// A resolver that a browser or the system asks encrypted.
    EncryptedView(EncryptedView),
}

/// When something was looked at and how long it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Microseconds since the start of the run.
    pub at_us: u64,
    /// Duration in microseconds.
    pub elapsed_us: u64,
}

/// How looking ended. Not looked at is not the same as fine: it is [`Outcome::Skipped`] with its reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "what", rename_all = "kebab-case")]
pub enum Outcome<T, F> {
    /// It was seen.
    Seen(T),
    /// It failed in a way that says something about the network or the peer.
    Failed(F),
    /// The step's own time limit passed without an answer.
    TimedOut,
    /// The run ended (deadline or signal) before the step did.
    Cancelled,
    /// It was not looked at.
    Skipped(Skip),
}

impl<T, F> Outcome<T, F> {
    /// What was seen, if anything was.
    pub fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen(seen) => Some(seen),
            _ => None,
        }
    }

    /// The typed failure, if it failed.
    pub fn failed(&self) -> Option<&F> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// Why something was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// `--only` or `--skip` left the step out.
    NotAsked,
    /// The endpoint is looked at in DNS only (`need = evidence`).
    EvidenceOnly,
    /// No address of the name is known.
    NoAddress,
    /// The address is a sinkhole (0.0.0.0, loopback, link-local, multicast …): never connected to.
    Sinkholed,
    /// This machine has no route for the address family.
    NoRouteForFamily,
    /// A proxy applies to this name, so no direct connection is made.
    ThroughProxy,
    /// The name has more addresses than are tried.
    TooManyAddresses,
    /// The step before it did not succeed.
    EarlierStepFailed,
    /// The certificate was not verified: nothing is sent over such a connection.
    NotVerified,
    /// The source does not exist on this operating system.
    NotOnThisSystem,
}
