//! DNS over HTTPS (RFC 8484) on a connection that is there: `POST`, over HTTP/2 or, where that is all the resolver speaks, HTTP/1.1.

use std::time::Instant;

use ::http::header;
use ::http::{Request, Response as HttpResponse, StatusCode, Version};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::resolvers::Place;
use super::{Unanswered, answer, questions};
use crate::observation::{EncryptedAnswer, EncryptedFailure, HttpFailure, IoFailure, Outcome, Response, Transport};
use crate::probe::Context;
use crate::probe::dns::{Heard, Packet, Wants};
use crate::probe::http::{Driver, USER_AGENT, client, failure};
use crate::probe::tcp::Duplex;
use crate::probe::tcp::counted::{Counted, Shared};

/// The media type of a DNS message (RFC 8484, section 6).
const MEDIA_TYPE: &str = "application/dns-message";
/// Octets of the largest DNS message.
const MESSAGE: usize = 65_535;
/// Octets that are read over one connection.
const MOST: u64 = 1024 * 1024;

/// Asks for every name, one after the other. `two` is true where HTTP/2 was agreed upon.
pub(super) async fn ask<S: Duplex + 'static>(
    context: &Context,
    place: &Place,
    two: bool,
    stream: S,
    names: &[String],
) -> Result<Vec<EncryptedAnswer>, Unanswered> {
    let opened = context.within(Client::open(two, stream)).await.map_err(Err)?;
    let mut client = opened.map_err(|failure| Ok(EncryptedFailure::Http(failure)))?;
    let mut answers = Vec::new();
    for (name, kind) in questions(context, names) {
        let began = Instant::now();
        let asked = match Packet::new(name, kind, Wants::default()) {
            Some(packet) => context.within(client.exchange(place, &packet)).await,
            None => Ok(Err(EncryptedFailure::Malformed)),
        };
        let outcome = match asked {
            Ok(Ok(response)) => Outcome::Seen(response),
            Ok(Err(failure)) => Outcome::Failed(failure),
            Err(ended) => ended.into(),
        };
        let goes_on = !matches!(outcome, Outcome::Failed(EncryptedFailure::Http(_)) | Outcome::Cancelled);
        answers.push(answer(context, name, kind, began, outcome));
        if !goes_on {
            break;
        }
    }
    Ok(answers)
}

enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

/// A connection and what was read of it.
struct Client {
    sender: Sender,
    read: Shared,
    _driver: Driver,
}

impl Client {
    async fn open<S: Duplex + 'static>(two: bool, stream: S) -> Result<Self, HttpFailure> {
        let (stream, read) = Counted::up_to(MOST, stream);
        let failed = |error: hyper::Error| failure(&error, read.seen());
        let stream = TokioIo::new(stream);
        // The errors of a connection reach its requests too.
        let (sender, driver) = if two {
            let (sender, connection) =
                http2::Builder::new(TokioExecutor::new()).handshake(stream).await.map_err(failed)?;
            (Sender::Two(sender), Driver::spawn(async move { connection.await.unwrap_or_default() }))
        } else {
            let (sender, connection) = client().handshake(stream).await.map_err(failed)?;
            (Sender::One(sender), Driver::spawn(async move { connection.await.unwrap_or_default() }))
        };
        Ok(Self { sender, read, _driver: driver })
    }

    async fn exchange(&mut self, place: &Place, question: &Packet) -> Result<Response, EncryptedFailure> {
        let answer = self.send(place, question).await.map_err(EncryptedFailure::Http)?;
        if answer.status() != StatusCode::OK {
            return Err(EncryptedFailure::Status(answer.status().as_u16()));
        }
        let media_type = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if media_type.is_some_and(|named| !named.trim_start().to_ascii_lowercase().starts_with(MEDIA_TYPE)) {
            return Err(EncryptedFailure::Malformed);
        }
        let body = Limited::new(answer.into_body(), MESSAGE).collect().await;
        let body = body.map_err(|_| EncryptedFailure::Closed(IoFailure::Closed))?.to_bytes();
        match question.hear(&body, Transport::Https) {
            Heard::Answer(response) => Ok(response),
            Heard::Truncated | Heard::Malformed | Heard::SomethingElse => Err(EncryptedFailure::Malformed),
        }
    }

    async fn send(&mut self, place: &Place, question: &Packet) -> Result<HttpResponse<Incoming>, HttpFailure> {
        let body = Full::new(Bytes::copy_from_slice(question.bytes()));
        let two = matches!(self.sender, Sender::Two(_));
        let authority = place.authority();
        let target = if two { format!("https://{authority}{}", place.path) } else { place.path.clone() };
        let request = Request::post(target)
            .version(if two { Version::HTTP_2 } else { Version::HTTP_11 })
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, MEDIA_TYPE)
            .header(header::CONTENT_TYPE, MEDIA_TYPE);
        let request = if two { request } else { request.header(header::HOST, authority) };
        let request = request.body(body).map_err(|_| HttpFailure::Malformed)?;
        let failed = |error: hyper::Error| failure(&error, self.read.seen());
        match &mut self.sender {
            Sender::One(sender) => {
                sender.ready().await.map_err(failed)?;
                sender.send_request(request).await.map_err(failed)
            }
            Sender::Two(sender) => {
                sender.ready().await.map_err(failed)?;
                sender.send_request(request).await.map_err(failed)
            }
        }
    }
}
