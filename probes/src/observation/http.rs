//! HTTP answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::tcp::IoFailure;
use super::{Outcome, Timing};

/// One request over the examined connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// [`crate::endpoint::Endpoint::id`].
    pub endpoint: String,
    /// The path asked for: `/ping` of a handler, else `/`.
    pub path: String,
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What came back.
    #[serde(flatten)]
    pub outcome: Outcome<HttpResponse, HttpFailure>,
}

/// An HTTP answer. All text is untrusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// `Server`
    pub server: Option<String>,
    /// `x-ms-request-id`, `x-ms-correlation-request-id` or `request-id`.
    pub request_id: Option<String>,
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `Location`
    pub location: Option<String>,
    /// `x-ms-agent-config-endpoint`: the data collection endpoint that is associated with the resource.
    #[serde(default)]
    pub config_endpoint: Option<String>,
    /// `Via`
    pub via: Option<String>,
    /// `Proxy-Authenticate` or `WWW-Authenticate`: the scheme only.
    pub authenticate: Option<String>,
    /// `Date`, if it is one.
    pub date: Option<Timestamp>,
    /// This machine's clock when the head of the answer had come.
    #[serde(serialize_with = "super::moment::to_millisecond")]
    pub received_at: Timestamp,
    /// The first [`MAX_BODY`] bytes of the body; what is not UTF-8 is replaced.
    pub body: String,
    /// There was more.
    pub body_truncated: bool,
}

/// Bytes kept of a body.
pub const MAX_BODY: usize = 2048;

/// Why there is no HTTP answer. Silence is [`Outcome::TimedOut`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpFailure {
    /// The connection ended before an answer.
    Closed(IoFailure),
    /// What came is not HTTP.
    Malformed,
    /// The head is larger than is read.
    HeadTooLarge,
}
