//! What the files and processes of Azure Monitor's agents say. Keys, passwords and tokens are never part of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Timing, Unread};
use crate::azure::AgentKind;

/// The agents of this machine, as their own files and the process list show them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agents {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// The agents, in the order of the catalogue.
    pub found: Vec<Agent>,
    /// Proxies that they are set to use, the strongest setting of each agent first.
    pub proxies: Vec<AgentProxy>,
    /// Refusals in their own recent logs that no later success answers.
    pub refusals: Vec<Refusal>,
    /// What their own files say of their uploads.
    #[serde(default)]
    pub uploads: Vec<Upload>,
    /// The guest proxy agent of the Metadata Security Protocol; `None` where nothing shows it.
    #[serde(default)]
    pub guest_proxy: Option<GuestProxy>,
    /// Services of Windows that install VM extensions and start what they bring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub installers: Vec<AgentService>,
    /// Files that say something and could not be read to their end, or not be understood.
    pub unread: Vec<Unread>,
}

/// The guest proxy agent, which takes every connection to the metadata service and lets through whom its list names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestProxy {
    /// Whether it refuses programs that its list does not name; `None` where its status does not say so.
    pub metadata_enforced: Option<bool>,
    /// What shows it: a path.
    pub source: String,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Which.
    pub kind: AgentKind,
    /// Its name, for people.
    pub name: String,
    /// Its versions, newest first, each once; more than one are leftovers. Empty when none could be read.
    pub versions: Vec<Installed>,
    /// The least version that works with a private link, where one is documented.
    pub minimum: Option<String>,
    /// Whether the newest version is at least that; `None` where either is unknown.
    pub meets_minimum: Option<bool>,
    /// The day it was retired, `YYYY-MM-DD`.
    pub retired: Option<String>,
    /// Whether one of its programs runs; `None` when the processes could not be seen.
    pub running: Option<bool>,
    /// Its services that are registered with Windows; empty on other systems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<AgentService>,
    /// Workspaces that it reports to, each once, in the order found.
    pub workspaces: Vec<AgentWorkspace>,
    /// Hosts that its configuration names, lower case, each once, sorted.
    pub endpoints: Vec<String>,
    /// What configuration of the service is cached; `None` for agents that have none.
    pub cached: Option<CachedConfiguration>,
    /// What showed that it is there: a path.
    pub source: String,
}

/// A service of Windows, as it is registered. Whether it runs the process list shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentService {
    /// Its name, e.g. `HealthService`.
    pub name: String,
    /// When it is started.
    pub start: ServiceStart,
    /// Its key in the registry.
    pub source: String,
}

/// When Windows starts a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceStart {
    /// With the machine.
    Automatic,
    /// When something asks for it.
    Manual,
    /// Never.
    Disabled,
}

/// A version and where it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// As written there, e.g. `1.14.9-0`.
    pub version: String,
    /// The path.
    pub source: String,
}

/// A workspace that an agent reports to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentWorkspace {
    /// Its id: a GUID, lower case.
    pub id: String,
    /// The path.
    pub source: String,
    /// What the Log Analytics agent for Windows says of its connection: 0 is connected. It does not say since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<u64>,
}

/// The data collection rules that the Azure Monitor Agent has cached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedConfiguration {
    /// Files with at least one channel.
    pub chunks: u32,
    /// Handlers that every customer shares (`global.handler.control.…`, `<region>.handler.control.…`) and that gave them:
    /// no data collection endpoint is used.
    #[serde(alias = "regional_handlers")]
    pub shared_handlers: Vec<String>,
    /// Handlers of data collection endpoints that gave them.
    pub endpoint_handlers: Vec<String>,
    /// Protocols of channels that this program does not know.
    pub unknown_protocols: Vec<String>,
}

/// A proxy that an agent is set to use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentProxy {
    /// By which agent it is used.
    pub used_by: AgentKind,
    /// `http://host:port`, without credentials.
    pub url: String,
    /// It comes with credentials (which are not kept).
    pub has_credentials: bool,
    /// The path of the file that sets it.
    pub source: String,
    /// What it is not used for, as `NO_PROXY` has it.
    pub no_proxy: String,
    /// No stronger setting of the same agent overrides it.
    pub effective: bool,
}

/// A refusal in an agent's own log: the line itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The agent.
    pub agent: AgentKind,
    /// What it was refused.
    pub code: RefusalCode,
    /// The host, where the line names one of Azure Monitor.
    pub host: Option<String>,
    /// When it was last refused.
    pub at: Timestamp,
    /// When that began, in the part of the log that was read.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// How often, in the part of the log that was read.
    pub count: u32,
    /// The path of the log.
    pub source: String,
}

/// What an agent's own files say of its uploads to one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The agent.
    pub agent: AgentKind,
    /// The host it sends to, or the workspace's id where only that is written; `None` where nothing names it.
    pub host: Option<String>,
    /// What a success proves.
    pub proof: UploadProof,
    /// The last success.
    pub succeeded: Option<Timestamp>,
    /// The first failure after the last success, in the part of the files that was read.
    pub failing_since: Option<Timestamp>,
    /// The last failure.
    pub failed: Option<Timestamp>,
    /// The path of the file that holds the latest of these.
    pub source: String,
}

/// What the success of an upload proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UploadProof {
    /// The service took data.
    Delivered,
    /// The agent reached the service; whether it took data is not known.
    Reached,
}

/// What the known lines of the agents' logs mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCode {
    /// `InvalidAccess`: a data collection endpoint must be used.
    InvalidAccess,
    /// 403 of log ingestion.
    IngestionForbidden,
    /// A name has no address.
    NameNotResolved,
    /// No token of the machine's identity.
    NoToken,
    /// The data collection rules could not be had.
    ConfigurationNotObtained,
    /// No token for an upload.
    UploadTokenNotObtained,
    /// 429 of log ingestion: a rate limit or a daily cap.
    IngestionLimited,
    /// An upload failed for a reason that the line does not give.
    UploadFailed,
    /// The handshake failed.
    Handshake,
    /// The token's lifetime does not fit the clock.
    TokenExpired,
}
