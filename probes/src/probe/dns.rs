//! One question to one DNS server.

use std::net::SocketAddr;

use crate::observation::{Answer, RecordKind};
use crate::probe::Context;

/// How this machine asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AskStyle {
    /// Announce a UDP size of 1232 octets by EDNS (`options edns0`); without it answers over 512 octets are truncated.
    pub edns0: bool,
    /// Ask over TCP only (`options use-vc`).
    pub use_vc: bool,
}

/// Asks one server for one type of an absolute name (without trailing dot).
pub async fn ask(
    _context: &Context,
    _server: SocketAddr,
    _name: &str,
    _kind: RecordKind,
    _try_number: u32,
    _style: &AskStyle,
) -> Answer {
    unimplemented!()
}
