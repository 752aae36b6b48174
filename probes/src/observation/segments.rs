//! Which sizes of TCP segments pass on the way to an endpoint that accepted a connection and did not answer.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::tcp::IoFailure;
use super::{Outcome, Timing};

/// The step that stalled, taken again with segments of several sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segments {
    /// [`crate::endpoint::Endpoint::id`].
    pub endpoint: String,
    /// The address and port that was connected to.
    pub address: SocketAddr,
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What came of it. A failure is one of this machine: the size of segments could not be bounded.
    #[serde(flatten)]
    pub outcome: Outcome<SegmentsSeen, IoFailure>,
}

/// What passed and what did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentsSeen {
    /// The largest packet that the system itself believes to pass on this way, in octets; `None` where it does not say.
    pub path_mtu: Option<u32>,
    /// In the order in which they were begun; those of one round were made side by side.
    pub tries: Vec<SegmentTry>,
}

/// One connection, and whether the step that stalled was answered over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentTry {
    /// The most octets of data in one segment, in both directions; `None`: as large as both systems make them.
    pub most: Option<u16>,
    /// What came of it.
    pub answer: SegmentAnswer,
    /// Duration in microseconds.
    pub elapsed_us: u64,
}

/// What came of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentAnswer {
    /// The step was answered.
    Answered,
    /// Nothing came within its time.
    Silent,
    /// It ended in another way.
    Failed,
}

/// Octets of a packet besides the data of its segment: the headers of IP and TCP without options (RFC 9293, section 3.7.1; RFC 8200).
pub const fn headers(address: IpAddr) -> u16 {
    match address {
        IpAddr::V4(_) => 20 + 20,
        IpAddr::V6(_) => 40 + 20,
    }
}
