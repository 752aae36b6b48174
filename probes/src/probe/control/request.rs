//! One request with a token, over a connection that both stores verify.

use std::net::SocketAddr;

use ::http::header::{self, HeaderValue};
use ::http::response::Parts;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;

use crate::observation::{ChainVerdict, ControlFailure, Handshake, HttpFailure, IoFailure, Outcome};
use crate::probe::http::{USER_AGENT, send};
use crate::probe::tcp::{self, Duplex};
use crate::probe::{Context, Ended, lookup, peer, tls};
use crate::secret::Secret;

/// Bytes that are read of an answer. Documents of machines with many rules have tens of KiB.
const MAX_ANSWER: u64 = 1024 * 1024;

/// How much of an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Head and body.
    Whole,
    /// The head alone; what comes after it stays in the socket.
    Head,
}

type Unanswered = Result<ControlFailure, Ended>;

/// Asks a host of the control service. The address is the one that was connected to.
pub(super) async fn get(
    ctx: &Context,
    host: &str,
    path: &str,
    token: &Secret,
    id: &str,
    reading: Reading,
) -> (Option<SocketAddr>, Result<(Parts, Vec<u8>), Unanswered>) {
    let endpoint = peer(format!("control {host}"), host, 443);
    let found = lookup::lookup(ctx, host).await;
    let addresses = match found.outcome {
        Outcome::Seen(found) if !found.addresses.is_empty() => found.addresses,
        Outcome::Cancelled => return (None, Err(Err(Ended::Cancelled))),
        _ => return (None, Err(Ok(ControlFailure::NoAddress))),
    };
    let mut connecting = tcp::connect_all(ctx, &endpoint, &addresses);
    let Some(stream) = connecting.first().await else {
        let failed = connecting.finish().await.into_iter().find_map(|connection| connection.outcome.failed().copied());
        return (None, Err(failed.map_or(Err(Ended::TimedOut), |failure| Ok(ControlFailure::Connect(failure)))));
    };
    drop(connecting);
    let address = stream.address();
    let (handshake, stream) = tls::handshake(ctx, &endpoint, Some(address), stream).await;
    let Some(stream) = stream.filter(|_| known_to_both(&handshake)) else {
        let ended = match handshake.outcome {
            Outcome::TimedOut => Err(Ended::TimedOut),
            Outcome::Cancelled => Err(Ended::Cancelled),
            _ => Ok(ControlFailure::NotVerified),
        };
        return (Some(address), Err(ended));
    };
    let asked = ctx.within(ask(host, path, token, id, reading, stream)).await;
    (
        Some(address),
        asked.map_err(Err).and_then(|answered| answered.map_err(|failure| Ok(ControlFailure::Http(failure)))),
    )
}

/// The public roots vouch for the peer as well as this machine's own store.
fn known_to_both(handshake: &Handshake) -> bool {
    let verification = handshake.verification.as_ref();
    verification.is_some_and(|seen| seen.verified() && seen.is_trusted() && seen.public == ChainVerdict::Trusted)
}

async fn ask<S: Duplex + 'static>(
    host: &str,
    path: &str,
    token: &Secret,
    id: &str,
    reading: Reading,
    stream: S,
) -> Result<(Parts, Vec<u8>), HttpFailure> {
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| HttpFailure::Malformed)?;
    bearer.set_sensitive(true);
    let request = ::http::Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, bearer)
        .header("x-ms-client-request-id", id)
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| HttpFailure::Malformed)?;
    let (answer, _driver) = send(request, MAX_ANSWER, stream).await?;
    let (head, body) = answer.into_parts();
    let body = if reading == Reading::Whole { whole(body).await? } else { Vec::new() };
    Ok((head, body))
}

async fn whole(body: Incoming) -> Result<Vec<u8>, HttpFailure> {
    let collected = body.collect().await.map_err(|_| HttpFailure::Closed(IoFailure::Closed))?;
    Ok(collected.to_bytes().to_vec())
}
