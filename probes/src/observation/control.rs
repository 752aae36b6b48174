//! What Azure's control service answers to this machine's own identity. No token is ever part of it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::http::HttpFailure;
use super::local::ReadFailure;
use super::proxy::TunnelFailure;
use super::tcp::IoFailure;
use super::{Outcome, Timing};

/// The control service, asked with a token of the metadata service (`--ask-azure`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// How the agent's settings name the identity, and their file; `None` where they name none.
    #[serde(default)]
    pub identity: Option<IdentityNamed>,
    /// Whether there was a token.
    pub token: Outcome<TokenGranted, TokenFailure>,
    /// What was asked with it, in order.
    pub asked: Vec<ControlRequest>,
}

/// Which identity an agent is set to use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityNamed {
    /// The query parameter that names it: `mi_res_id`, `object_id` or `client_id`.
    pub by: String,
    /// The path.
    pub source: String,
}

/// A token was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenGranted {
    /// Seconds until it expires, by this machine's clock; negative where it has. `None` where the service did not say.
    pub expires_in_s: Option<i64>,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenFailure {
    /// The metadata service named no machine: nothing to ask for.
    UnknownMachine,
    /// The process could not be sealed against being dumped.
    NotSealed,
    /// The connection failed.
    Unreachable(IoFailure),
    /// The machine has several identities, and the agent's settings name none.
    SeveralIdentities,
    /// The machine has no identity, or not the one that is named.
    NoIdentity,
    /// Another status than 200.
    Status(u16),
    /// A 200 without a token.
    Malformed,
    /// The agent of Azure Arc named no file of its own that proves who asks: nothing was read.
    ForeignKey,
    /// The file that it named could not be read.
    Key(ReadFailure),
}

/// One question to the control service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlRequest {
    /// The host that was asked.
    pub host: String,
    /// The address that was connected to.
    pub address: Option<SocketAddr>,
    /// The agent's own proxy, where it goes through one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// What was asked for.
    pub about: ControlQuestion,
    /// Our own `x-ms-client-request-id`.
    pub request_id: String,
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What came back.
    #[serde(flatten)]
    pub outcome: Outcome<ControlReply, ControlFailure>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlQuestion {
    /// Which rules apply.
    Rules,
    /// A token for one channel of a rule, by their ids. Its text is never read.
    IngestionToken {
        /// The rule.
        rule: String,
        /// The channel.
        channel: String,
    },
}

/// An answer. All text is untrusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlReply {
    /// Status code.
    pub status: u16,
    /// The code of a refusal, e.g. `InvalidAccess`.
    pub code: Option<String>,
    /// Its sentence.
    pub message: Option<String>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// The host that a 421 names.
    pub associated: Option<String>,
    /// The rules of a 200.
    #[serde(default)]
    pub rules: Vec<RuleGranted>,
}

impl ControlReply {
    /// The service decided against this machine: it was not busy, broken or asked at the wrong place.
    pub fn refuses(&self) -> bool {
        matches!(self.status, 401 | 403)
    }
}

/// A rule that applies to this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleGranted {
    /// `configurationId`.
    pub id: String,
    /// Where its data goes.
    pub channels: Vec<ChannelGranted>,
}

/// A channel of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelGranted {
    /// Its id.
    pub id: String,
    /// `ods`, `gig` or `me`.
    pub protocol: String,
    /// The host that data goes to.
    pub host: Option<String>,
    /// The host that grants tokens.
    pub token_host: Option<String>,
}

/// Why there is no answer, or none that is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlFailure {
    /// The name has no address.
    NoAddress,
    /// No address could be connected to.
    Connect(IoFailure),
    /// The agent's own proxy gave no tunnel.
    Proxy(TunnelFailure),
    /// The handshake failed, or the peer was not verified against both stores: no token was sent.
    NotVerified,
    /// There is no HTTP answer.
    Http(HttpFailure),
    /// The host is none of the control service's own: no token was sent.
    ForeignHost,
    /// A 200 without the document, or a larger one than is read.
    Malformed,
}
