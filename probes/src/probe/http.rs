//! Asks one question over a verified connection and reads a bounded answer.
//!
//! One `GET`, no credentials, no redirects, no second try. What the answer means is not this module's.

use std::error::Error;
use std::future::Future;
use std::io;
use std::time::Instant;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::response::Parts;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::Context;
use super::tcp::Duplex;
use super::tcp::counted::{Counted, Seen, Shared};
use crate::endpoint::Endpoint;
use crate::observation::http::MAX_BODY;
use crate::observation::{Exchange, HttpFailure, HttpResponse, IoFailure, Outcome};
use crate::options::StepKind;
use crate::os::io_failure;

/// Bytes of a head that are read; also the read buffer, and so the most that one connection holds.
const MAX_HEAD: usize = 16 * 1024;
/// Header lines that are read: as many as fit, so that [`MAX_HEAD`] is the one limit.
const MAX_HEADERS: usize = MAX_HEAD / "a:\r\n".len();
/// Bytes that are read of an answer: less than of the session around it, so that it is known which of the two has no end. Interim
/// answers (RFC 9110, section 15.2), of which there may be any number, are part of it.
const MAX_ANSWER: u64 = 256 * 1024;
/// The same where more requests follow, whose answers may be longer.
const MAX_KEPT: u64 = 4 * 1024 * 1024;
/// Characters kept of one header's text.
const MAX_TEXT: usize = 512;
/// Characters kept of the name of an authentication scheme.
const MAX_SCHEME: usize = 32;
/// How this program introduces itself.
pub(super) const USER_AGENT: &str = concat!("ampls-doctor/", env!("CARGO_PKG_VERSION"));

/// Where Azure's services put the identifier that their support asks for, in the order of preference.
const REQUEST_IDS: [&str; 3] = ["x-ms-request-id", "x-ms-correlation-request-id", "request-id"];

/// Asks for [`Endpoint::path`] over a connection whose peer was verified.
///
/// The step's time limit covers head and body together; a body that comes too slowly is cut off, not a failure.
pub async fn request<S: Duplex + 'static>(ctx: &Context, endpoint: &Endpoint, stream: S) -> Exchange {
    exchange(ctx, endpoint, stream, false).await.0
}

/// The same over a connection that is to take another request; it is given where the answer was read to its end.
pub(crate) async fn request_and_keep<S: Duplex + 'static>(
    ctx: &Context,
    endpoint: &Endpoint,
    stream: S,
) -> (Exchange, Option<Open>) {
    exchange(ctx, endpoint, stream, true).await
}

async fn exchange<S: Duplex + 'static>(
    ctx: &Context,
    endpoint: &Endpoint,
    stream: S,
    keep: bool,
) -> (Exchange, Option<Open>) {
    let began = Instant::now();
    let mut kept = None;
    let outcome = match ctx.within(ask(ctx, endpoint, stream, keep)).await {
        Ok(Ok(answer)) => {
            let left = ctx.options.step_timeout.saturating_sub(began.elapsed());
            let mut start = Vec::new();
            // What came until the time was up is what there is.
            let whole = ctx.within_time(left, read(answer.body, &mut start)).await.unwrap_or(false);
            kept = Some(answer.open).filter(|_| keep && whole);
            let mut seen = response(&answer.head, answer.received_at, &start, !whole);
            if !ctx.options.takes(StepKind::Clock) {
                seen.date = None;
            }
            Outcome::Seen(seen)
        }
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(ended) => ended.into(),
    };
    let timing = ctx.timing(began);
    (Exchange { endpoint: endpoint.id.clone(), path: endpoint.path.clone(), timing, outcome }, kept)
}

/// The head of an answer, and the connection that its body comes over.
struct Answering {
    head: Parts,
    received_at: Timestamp,
    body: Incoming,
    open: Open,
}

async fn ask<S: Duplex + 'static>(
    ctx: &Context,
    endpoint: &Endpoint,
    stream: S,
    keep: bool,
) -> Result<Answering, HttpFailure> {
    // A path that cannot be asked for does not come through the catalogue or the options.
    let request = ::http::Request::get(&endpoint.path)
        .header(header::HOST, host(endpoint))
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, if keep { "keep-alive" } else { "close" })
        .body(Empty::<Bytes>::new())
        .map_err(|_| HttpFailure::Malformed)?;
    // A connection is large, and many endpoints are held side by side.
    let most = if keep { MAX_KEPT } else { MAX_ANSWER };
    let (answer, open) = Box::pin(send(request, most, stream)).await?;
    let received_at = ctx.world.clock.now();
    let (head, body) = answer.into_parts();
    Ok(Answering { head, received_at, body, open })
}

/// An open connection that takes requests, one after the other; what it gives lasts as long as it does.
pub struct Open {
    sender: http1::SendRequest<Empty<Bytes>>,
    read: Shared,
    _driver: Driver,
}

impl Open {
    /// Sends one more request.
    pub(super) async fn send(
        &mut self,
        request: ::http::Request<Empty<Bytes>>,
    ) -> Result<::http::Response<Incoming>, HttpFailure> {
        let failed = |error: hyper::Error| failure(&error, self.read.seen());
        self.sender.ready().await.map_err(failed)?;
        self.sender.send_request(request).await.map_err(failed)
    }

    /// The peer has closed it: nothing that is sent would arrive.
    pub(super) async fn is_gone(&mut self) -> bool {
        self.sender.ready().await.is_err()
    }
}

/// Sends a request over a connection of its own, of which at most `most` octets are read.
pub(super) async fn send<S: Duplex + 'static>(
    request: ::http::Request<Empty<Bytes>>,
    most: u64,
    stream: S,
) -> Result<(::http::Response<Incoming>, Open), HttpFailure> {
    let (stream, read) = Counted::up_to(most, stream);
    let failed = |error: hyper::Error| failure(&error, read.seen());
    let (sender, connection) = client().handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let driver = Driver::spawn(async move {
        // Its errors also reach the request or the body.
        let _ = connection.await;
    });
    let mut open = Open { sender, read, _driver: driver };
    Ok((open.send(request).await?, open))
}

/// An HTTP/1.1 client that reads a bounded head.
pub(super) fn client() -> http1::Builder {
    let mut client = http1::Builder::new();
    client.max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS);
    client
}

fn host(endpoint: &Endpoint) -> String {
    if endpoint.port == 443 { endpoint.fqdn.clone() } else { format!("{}:{}", endpoint.fqdn, endpoint.port) }
}

/// Reads the start of a body; whether that was all of it.
async fn read(mut body: Incoming, start: &mut Vec<u8>) -> bool {
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let Some(data) = frame.data_ref() else { continue };
        let room = MAX_BODY.saturating_sub(start.len());
        start.extend(data.iter().take(room));
        if data.len() > room {
            return false;
        }
    }
    true
}

fn response(head: &Parts, received_at: Timestamp, start: &[u8], body_truncated: bool) -> HttpResponse {
    let headers = &head.headers;
    let text = |name: HeaderName| headers.get(name).map(bounded);
    let challenge = headers.get(header::PROXY_AUTHENTICATE).or_else(|| headers.get(header::WWW_AUTHENTICATE));
    HttpResponse {
        status: head.status.as_u16(),
        server: text(header::SERVER),
        request_id: request_id(headers),
        content_type: text(header::CONTENT_TYPE),
        location: text(header::LOCATION),
        config_endpoint: headers.get("x-ms-agent-config-endpoint").map(bounded),
        via: text(header::VIA),
        authenticate: challenge.and_then(scheme_of),
        date: date(headers),
        received_at,
        body: String::from_utf8_lossy(start).into_owned(),
        body_truncated,
    }
}

/// The `Date` of an answer, in the one form that RFC 9110 section 5.6.7 lets senders use.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// The service's identifier of a request.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    REQUEST_IDS.iter().find_map(|name| headers.get(*name)).map(bounded)
}

pub(super) fn bounded(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).chars().take(MAX_TEXT).collect()
}

/// The authentication scheme that a challenge begins with (RFC 9110, section 11.3); its parameters are left out.
pub(super) fn scheme_of(challenge: &HeaderValue) -> Option<String> {
    let text = challenge.to_str().ok()?;
    let scheme: String = text.trim_start().chars().take_while(char::is_ascii_graphic).take(MAX_SCHEME).collect();
    (!scheme.is_empty()).then_some(scheme)
}

/// What an error of the HTTP client means. Silence is not among them: the caller's time limit ends that.
pub(super) fn failure(error: &hyper::Error, read: Seen) -> HttpFailure {
    if read.is_full() {
        return HttpFailure::HeadTooLarge;
    }
    if error.is_parse() {
        // hyper does not tell a head that is too large from one that is wrong.
        let full = read.count() >= MAX_HEAD as u64;
        return if full { HttpFailure::HeadTooLarge } else { HttpFailure::Malformed };
    }
    HttpFailure::Closed(io_error(error).map_or(IoFailure::Closed, io_failure))
}

/// The input or output error at the bottom of an error, if there is one.
pub(super) fn io_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut error = Some(error);
    while let Some(layer) = error {
        if let Some(found) = layer.downcast_ref() {
            return Some(found);
        }
        error = layer.source();
    }
    None
}

/// The task that drives a connection; it ends with this value.
pub(super) struct Driver(JoinHandle<()>);

impl Driver {
    pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
