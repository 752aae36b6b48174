//! The lane of one endpoint: lookup, connection (through the proxy that applies), handshake, request. Each step reads what the
//! one before it saw, and the connection is handed on: four round trips in all.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::Done;
use super::heard::{Asking, LookupRoom};
use super::progress::{At, Stage};
use crate::endpoint::Endpoint;
use crate::observation::{
    Connection, Exchange, Handshake, Lookup, Observation, Outcome, ProxyChoice, Segments, Skip, Timing, Tunnel,
    TunnelFailure,
};
use crate::options::StepKind;
use crate::plan::Step;
use crate::probe::kept::Place;
use crate::probe::proxy::Proxy;
use crate::probe::segments::Stalled;
use crate::probe::tcp::{Connecting, Duplex};
use crate::probe::{Context, http, lookup, proxy, segments, tcp, tls};

/// The addresses of the proxies, each looked up once however many endpoints go through it.
#[derive(Default)]
pub(super) struct Proxies(Mutex<BTreeMap<String, Arc<OnceCell<Lookup>>>>);

impl Proxies {
    async fn addresses(&self, context: &Context, proxy: &Proxy) -> Vec<IpAddr> {
        if let Ok(address) = proxy.host.parse() {
            return vec![address];
        }
        let cell = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(proxy.host.clone()).or_default().clone();
        let lookup = cell.get_or_init(|| lookup::lookup(context, &proxy.host)).await;
        lookup.outcome.seen().map(|found| found.addresses.clone()).unwrap_or_default()
    }

    /// What was looked up, by name.
    pub(super) fn lookups(&self) -> Vec<Observation> {
        let cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cells.values().filter_map(|cell| cell.get().cloned()).map(Observation::Lookup).collect()
    }
}

/// A lookup that is to be made.
pub(super) struct LookingUp {
    pub(super) asking: Asking,
    pub(super) room: LookupRoom,
    /// A place in it, if there was one at once.
    pub(super) place: Option<super::heard::Place>,
}

impl LookingUp {
    async fn lookup(self, context: &Context, name: &str) -> Lookup {
        let Self { asking, room, place } = self;
        let _place = match place {
            Some(place) => Some(place),
            None => context.until_end(room.place()).await.ok(),
        };
        let lookup = lookup::lookup(context, name).await;
        asking.lookup(&lookup);
        lookup
    }
}

/// Which steps of an endpoint were planned.
#[expect(clippy::struct_excessive_bools, reason = "each is a step that was planned or not")]
struct Steps {
    lookup: bool,
    tcp: bool,
    tls: bool,
    http: bool,
    at: At,
}

/// Takes the steps of one endpoint in their order.
pub(super) async fn lane(
    context: Context,
    endpoint: Endpoint,
    steps: Vec<Step>,
    proxies: Arc<Proxies>,
    at: At,
    asking: LookingUp,
    keep: Option<Place>,
) -> Done {
    let planned = Steps {
        lookup: steps.iter().any(|step| matches!(step, Step::Lookup { .. })),
        tcp: steps.iter().any(|step| matches!(step, Step::Tcp { .. })),
        tls: steps.iter().any(|step| matches!(step, Step::Tls { .. })),
        http: steps.iter().any(|step| matches!(step, Step::Http { .. })),
        at,
    };
    let mut done = Record { id: endpoint.id.clone(), done: Vec::new() };
    let needs_address = planned.tcp || planned.tls || planned.http;
    if !planned.lookup && !needs_address {
        return done.done;
    }
    let applies = if context.options.takes(StepKind::Proxy) && needs_address {
        proxy::choose(&context.world, &context.options, &endpoint.fqdn, endpoint.port)
    } else {
        None
    };
    // What stands at the end of the chain needs an address even when only the end was asked for.
    let lookup = asking.lookup(&context, &endpoint.fqdn);
    if let Some(proxy) = applies {
        // Where only the proxy resolves public names, its answer must not wait for a lookup that leads nowhere.
        let mut beyond = Record { id: endpoint.id.clone(), done: Vec::new() };
        let through = through(&context, &endpoint, &planned, &proxy, &proxies, &mut beyond);
        let (looked_up, ()) = tokio::join!(lookup, through);
        done.lookup(&planned, looked_up);
        done.done.append(&mut beyond.done);
        return done.done;
    }
    let looked_up = lookup.await;
    let addresses = looked_up.outcome.seen().map(|found| found.addresses.clone()).unwrap_or_default();
    done.lookup(&planned, looked_up);
    if needs_address {
        direct(&context, &endpoint, &planned, &addresses, keep, &mut done).await;
    }
    done.done
}

async fn direct(
    context: &Context,
    endpoint: &Endpoint,
    planned: &Steps,
    addresses: &[IpAddr],
    keep: Option<Place>,
    done: &mut Record,
) {
    planned.at.set(Stage::Tcp);
    let mut connecting = tcp::connect_all(context, endpoint, addresses);
    let first = connecting.first().await;
    let rest = async {
        let Some(stream) = first else { return (without_connection(endpoint, planned), None) };
        let address = stream.address();
        let ends = match keep {
            Some(place) => secure_and_keep(context, endpoint, planned, address, stream, place).await,
            None => secure(context, endpoint, planned, Some(address), stream).await,
        };
        let again = match stalled(&ends) {
            Some(stalled) => {
                planned.at.set(Stage::Segments);
                segments::look(context, endpoint, address, stalled).await
            }
            None => None,
        };
        (ends, again)
    };
    // The other addresses are still being connected to while the first is spoken to.
    let ((rest, again), connections) = tokio::join!(rest, connecting.finish());
    done.connections(planned, connections);
    done.ends(rest);
    done.again(again);
}

/// The step that accepted everything and gave nothing back. An end or garbage is an answer of some size.
fn stalled((handshake, exchange): &Ends) -> Option<Stalled> {
    match (handshake.as_ref().map(|it| &it.outcome), exchange.as_ref().map(|it| &it.outcome)) {
        (Some(Outcome::TimedOut), _) => Some(Stalled::Handshake),
        (_, Some(Outcome::TimedOut)) => Some(Stalled::Request),
        _ => None,
    }
}

async fn through(
    context: &Context,
    endpoint: &Endpoint,
    planned: &Steps,
    proxy: &Proxy,
    proxies: &Proxies,
    done: &mut Record,
) {
    planned.at.set(Stage::Proxy);
    let addresses = proxies.addresses(context, proxy).await;
    let mut connecting: Connecting = proxy::connect_proxy(context, endpoint, proxy, &addresses);
    let first = connecting.first().await;
    let rest = async {
        let Some(stream) = first else {
            let outcome = if addresses.is_empty() {
                Outcome::Failed(TunnelFailure::NoAddress)
            } else {
                Outcome::Skipped(Skip::EarlierStepFailed)
            };
            return (without_tunnel(endpoint, &proxy.choice, outcome), without_connection(endpoint, planned));
        };
        let address = stream.address();
        let (tunnel, stream) = proxy::tunnel(context, endpoint, proxy, Some(address), stream).await;
        let rest = match stream {
            Some(stream) => secure(context, endpoint, planned, Some(address), stream).await,
            None => without_connection(endpoint, planned),
        };
        (tunnel, rest)
    };
    let ((tunnel, rest), mut connections) = tokio::join!(rest, connecting.finish());
    connections.push(Connection {
        endpoint: endpoint.id.clone(),
        address: None,
        via: None,
        timing: Timing::default(),
        outcome: Outcome::Skipped(Skip::ThroughProxy),
    });
    done.connections(planned, connections);
    done.tunnel(tunnel);
    done.ends(rest);
}

type Ends = (Option<Handshake>, Option<Exchange>);

async fn secure<S: Duplex + 'static>(
    context: &Context,
    endpoint: &Endpoint,
    planned: &Steps,
    address: Option<SocketAddr>,
    stream: S,
) -> Ends {
    if !planned.tls && !planned.http {
        return (None, None);
    }
    planned.at.set(Stage::Tls);
    let (handshake, stream) = tls::handshake(context, endpoint, address, stream).await;
    let exchange = match stream {
        _ if !planned.http => None,
        Some(stream) => {
            planned.at.set(Stage::Http);
            Some(http::request(context, endpoint, stream).await)
        }
        None if handshake.outcome.seen().is_some() => {
            Some(without_request(endpoint, Outcome::Skipped(Skip::NotVerified)))
        }
        None => Some(without_request(endpoint, Outcome::Skipped(Skip::EarlierStepFailed))),
    };
    // Other addresses may still be connected to.
    planned.at.set(Stage::Tcp);
    (planned.tls.then_some(handshake), exchange)
}

/// The same, and what is asked over again is left in its place.
async fn secure_and_keep<S: Duplex + 'static>(
    context: &Context,
    endpoint: &Endpoint,
    planned: &Steps,
    address: SocketAddr,
    stream: S,
    place: Place,
) -> Ends {
    if !planned.tls || !planned.http {
        return secure(context, endpoint, planned, Some(address), stream).await;
    }
    planned.at.set(Stage::Tls);
    let (handshake, stream) = tls::handshake(context, endpoint, Some(address), stream).await;
    let Some(stream) = stream else {
        let exchange = match handshake.outcome.seen() {
            Some(_) => without_request(endpoint, Outcome::Skipped(Skip::NotVerified)),
            None => without_request(endpoint, Outcome::Skipped(Skip::EarlierStepFailed)),
        };
        return (Some(handshake), Some(exchange));
    };
    planned.at.set(Stage::Http);
    let (exchange, open) = http::request_and_keep(context, endpoint, stream).await;
    planned.at.set(Stage::Tcp);
    if let Some(open) = open.filter(|_| tls::known_to_both(&handshake)) {
        place.leave(address, open);
    }
    (Some(handshake), Some(exchange))
}

fn without_connection(endpoint: &Endpoint, planned: &Steps) -> Ends {
    let handshake = planned.tls.then(|| without_handshake(&endpoint.id, Outcome::Skipped(Skip::EarlierStepFailed)));
    let exchange = planned.http.then(|| without_request(endpoint, Outcome::Skipped(Skip::EarlierStepFailed)));
    (handshake, exchange)
}

/// What a lane has seen so far, by step.
struct Record {
    id: String,
    done: Done,
}

impl Record {
    fn lookup(&mut self, planned: &Steps, lookup: Lookup) {
        if planned.lookup {
            self.done.push((Step::Lookup { endpoint: self.id.clone() }, vec![Observation::Lookup(lookup)]));
        }
    }

    fn connections(&mut self, planned: &Steps, connections: Vec<Connection>) {
        if planned.tcp {
            let connections = connections.into_iter().map(Observation::Connection).collect();
            self.done.push((Step::Tcp { endpoint: self.id.clone() }, connections));
        }
    }

    /// A tunnel belongs to the connection it was asked over.
    fn tunnel(&mut self, tunnel: Tunnel) {
        let tcp = Step::Tcp { endpoint: self.id.clone() };
        match self.done.iter_mut().find(|(step, _)| *step == tcp) {
            Some((_, seen)) => seen.push(Observation::Tunnel(tunnel)),
            None => self.done.push((tcp, vec![Observation::Tunnel(tunnel)])),
        }
    }

    fn ends(&mut self, (handshake, exchange): Ends) {
        if let Some(handshake) = handshake {
            self.done.push((Step::Tls { endpoint: self.id.clone() }, vec![Observation::Handshake(handshake)]));
        }
        if let Some(exchange) = exchange {
            self.done.push((Step::Http { endpoint: self.id.clone() }, vec![Observation::Exchange(exchange)]));
        }
    }

    /// The second look belongs to the last step, which is the one that stalled or comes after it.
    fn again(&mut self, again: Option<Segments>) {
        if let (Some(again), Some((_, seen))) = (again, self.done.last_mut()) {
            seen.push(Observation::Segments(again));
        }
    }
}

fn without_tunnel(endpoint: &Endpoint, proxy: &ProxyChoice, outcome: Outcome<u16, TunnelFailure>) -> Tunnel {
    Tunnel { endpoint: endpoint.id.clone(), proxy: proxy.clone(), address: None, timing: Timing::default(), outcome }
}

fn without_handshake(
    endpoint: &str,
    outcome: Outcome<crate::observation::Session, crate::observation::TlsFailure>,
) -> Handshake {
    Handshake {
        endpoint: endpoint.to_owned(),
        address: None,
        timing: Timing::default(),
        outcome,
        chain: Vec::new(),
        verification: None,
    }
}

fn without_request(
    endpoint: &Endpoint,
    outcome: Outcome<crate::observation::HttpResponse, crate::observation::HttpFailure>,
) -> Exchange {
    Exchange { endpoint: endpoint.id.clone(), path: endpoint.path.clone(), timing: Timing::default(), outcome }
}

/// What is recorded of a step whose lane was left behind when the run ended.
pub(super) fn unfinished(step: &Step, endpoint: &Endpoint) -> Observation {
    match step {
        Step::Tcp { .. } => Observation::Connection(Connection {
            endpoint: endpoint.id.clone(),
            address: None,
            via: None,
            timing: Timing::default(),
            outcome: Outcome::Cancelled,
        }),
        Step::Tls { .. } => Observation::Handshake(without_handshake(&endpoint.id, Outcome::Cancelled)),
        Step::Http { .. } => Observation::Exchange(without_request(endpoint, Outcome::Cancelled)),
        _ => Observation::Lookup(Lookup {
            name: endpoint.fqdn.clone(),
            timing: Timing::default(),
            outcome: Outcome::Cancelled,
        }),
    }
}
