//! One request with a token, over a connection that both stores verify.

use std::net::SocketAddr;

use ::http::header::{self, HeaderValue};
use ::http::response::Parts;
use ::http::{Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::endpoint::Endpoint;
use crate::observation::{AgentProxy, ControlFailure, HttpFailure, IoFailure, Outcome};
use crate::probe::http::{Open, USER_AGENT, send};
use crate::probe::proxy::{self, Proxy};
use crate::probe::tcp::{self, Duplex};
use crate::probe::{Context, Ended, lookup, peer, tls};
use crate::secret::Secret;

/// Bytes that are read of an answer. Documents of machines with many rules have tens of KiB.
const MAX_BODY: usize = 1024 * 1024;
/// Bytes that are read over one connection of its own: a few answers.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;

/// How much of an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Head and body.
    Whole,
    /// The head alone; what comes after it stays in the socket.
    Head,
}

type Unanswered = Result<ControlFailure, Ended>;

/// Asks a host of the control service, through the agent's own proxy where it has one. The address is the one that was connected
/// to.
pub(super) async fn get(
    ctx: &Context,
    proxy: Option<&AgentProxy>,
    host: &str,
    path: &str,
    token: &Secret,
    id: &str,
    reading: Reading,
) -> (Option<SocketAddr>, Result<(Parts, Vec<u8>), Unanswered>) {
    let question = Question { host, path, token, id, reading };
    if proxy.is_none()
        && let Ok(Some(mut kept)) = ctx.within(ctx.kept.take(host)).await
        && !kept.open.is_gone().await
    {
        let address = Some(kept.address);
        match ctx.within(again(&mut kept.open, &question)).await {
            // The peer had closed it meanwhile: what is only read may be asked again.
            Ok(Err(HttpFailure::Closed(_))) => {}
            Ok(Err(failure)) => return (address, Err(Ok(ControlFailure::Http(failure)))),
            Err(ended) => return (address, Err(Err(ended))),
            Ok(Ok(answer)) => {
                if reading == Reading::Whole {
                    ctx.kept.place(host).leave(kept.address, kept.open);
                }
                return (address, Ok(answer));
            }
        }
    }
    let endpoint = peer(format!("control {host}"), host, 443);
    let (stream, proxy) = match proxy {
        None => (connected(ctx, &endpoint, host, None).await, None),
        Some(proxy) => match proxy::of_agent(proxy) {
            Some(proxy) => (connected(ctx, &endpoint, &proxy.host, Some(&proxy)).await, Some(proxy)),
            None => return (None, Err(Ok(ControlFailure::NoAddress))),
        },
    };
    let stream = match stream {
        Ok(stream) => stream,
        Err(unanswered) => return (None, Err(unanswered)),
    };
    let address = stream.address();
    let answer = match proxy {
        None => over(ctx, &endpoint, address, stream, question, true).await,
        Some(proxy) => match proxy::tunnel(ctx, &endpoint, &proxy, Some(address), stream).await {
            (_, Some(stream)) => over(ctx, &endpoint, address, stream, question, false).await,
            (seen, None) => Err(match seen.outcome {
                Outcome::Failed(failure) => Ok(ControlFailure::Proxy(failure)),
                Outcome::Cancelled => Err(Ended::Cancelled),
                _ => Err(Ended::TimedOut),
            }),
        },
    };
    (Some(address), answer)
}

/// What is asked, and with what.
struct Question<'a> {
    host: &'a str,
    path: &'a str,
    token: &'a Secret,
    id: &'a str,
    reading: Reading,
}

/// A connection to the host, or to the proxy.
async fn connected(
    ctx: &Context,
    endpoint: &Endpoint,
    host: &str,
    proxy: Option<&Proxy>,
) -> Result<tcp::Stream, Unanswered> {
    let addresses = match host.parse() {
        Ok(address) => vec![address],
        Err(_) => match lookup::lookup(ctx, host).await.outcome {
            Outcome::Seen(found) if !found.addresses.is_empty() => found.addresses,
            Outcome::Cancelled => return Err(Err(Ended::Cancelled)),
            _ => return Err(Ok(ControlFailure::NoAddress)),
        },
    };
    let mut connecting = match proxy {
        Some(proxy) => proxy::connect_proxy(ctx, endpoint, proxy, &addresses),
        None => tcp::connect_all(ctx, endpoint, &addresses),
    };
    if let Some(stream) = connecting.first().await {
        return Ok(stream);
    }
    let failed = connecting.finish().await.into_iter().find_map(|connection| connection.outcome.failed().copied());
    Err(failed.map_or(Err(Ended::TimedOut), |failure| Ok(ControlFailure::Connect(failure))))
}

/// Shakes hands by the host's name, and asks where both stores vouch for the peer.
async fn over<S: Duplex + 'static>(
    ctx: &Context,
    endpoint: &Endpoint,
    address: SocketAddr,
    stream: S,
    question: Question<'_>,
    direct: bool,
) -> Result<(Parts, Vec<u8>), Unanswered> {
    let (handshake, stream) = tls::handshake(ctx, endpoint, Some(address), stream).await;
    let Some(stream) = stream.filter(|_| tls::known_to_both(&handshake)) else {
        return Err(match handshake.outcome {
            Outcome::TimedOut => Err(Ended::TimedOut),
            Outcome::Cancelled => Err(Ended::Cancelled),
            _ => Ok(ControlFailure::NotVerified),
        });
    };
    let (host, reading) = (question.host.to_owned(), question.reading);
    let answered = ctx.within(ask(question, stream)).await.map_err(Err)?;
    let (answer, open) = answered.map_err(|failure| Ok(ControlFailure::Http(failure)))?;
    if direct && reading == Reading::Whole {
        ctx.kept.place(&host).leave(address, open);
    }
    Ok(answer)
}

async fn ask<S: Duplex + 'static>(question: Question<'_>, stream: S) -> Result<((Parts, Vec<u8>), Open), HttpFailure> {
    let (answer, open) = send(question.request()?, MAX_ANSWER, stream).await?;
    Ok((question.read(answer).await?, open))
}

async fn again(open: &mut Open, question: &Question<'_>) -> Result<(Parts, Vec<u8>), HttpFailure> {
    let answer = open.send(question.request()?).await?;
    question.read(answer).await
}

impl Question<'_> {
    fn request(&self) -> Result<Request<Empty<Bytes>>, HttpFailure> {
        let bearer = format!("Bearer {}", self.token.expose());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| HttpFailure::Malformed)?;
        bearer.set_sensitive(true);
        let request = Request::get(self.path)
            .header(header::HOST, self.host)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, bearer)
            .header("x-ms-client-request-id", self.id)
            .header(header::CONNECTION, "keep-alive");
        request.body(Empty::new()).map_err(|_| HttpFailure::Malformed)
    }

    async fn read(&self, answer: Response<Incoming>) -> Result<(Parts, Vec<u8>), HttpFailure> {
        let (head, body) = answer.into_parts();
        let body = if self.reading == Reading::Whole { whole(body).await? } else { Vec::new() };
        Ok((head, body))
    }
}

async fn whole(body: Incoming) -> Result<Vec<u8>, HttpFailure> {
    // What is too long is not asked for again, as what was cut off may be.
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        if error.is::<LengthLimitError>() { HttpFailure::Malformed } else { HttpFailure::Closed(IoFailure::Closed) }
    };
    Ok(Limited::new(body, MAX_BODY).collect().await.map_err(failed)?.to_bytes().to_vec())
}
