//! Shakes hands by the public name and records who answered.
use std::net::SocketAddr;

use tokio_rustls::client::TlsStream;

use super::Context;
use super::tcp::Duplex;
use super::tcp::counted::Counted;
use crate::observation::Handshake;
use crate::plan::Endpoint;

/// A connection whose peer was verified.
pub type Verified<S> = TlsStream<Counted<S>>;

/// stub
pub async fn handshake<S: Duplex>(
    ctx: &Context,
    endpoint: &Endpoint,
    address: Option<SocketAddr>,
    stream: S,
) -> (Handshake, Option<Verified<S>>) {
    todo!()
}
