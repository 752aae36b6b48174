//! Asks the resolvers that browsers and the system ask encrypted (`--view encrypted`), for names that many customers share.
//!
//! Each is reached as its user reaches it: its name is looked up by this machine's own resolver, unless the settings give an
//! address. Nothing is asked over a connection that this machine does not vouch for. Which resolvers there are is for
//! `resolvers`; what their answers mean is not decided here.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::tcp::Duplex;
use super::{Context, Ended, dns, lookup, peer, tcp, tls};
use crate::observation::{
    Browsers, DnsFailure, EncryptedAnswer, EncryptedDns, EncryptedFailure, EncryptedProtocol, EncryptedView, Outcome,
    RecordKind, Resolver, Response, Timing, Transport,
};
use crate::world::Families;
use resolvers::{Place, Target};

mod https;
mod resolvers;

/// Names that one resolver is asked for.
const NAMES: usize = 32;

type Unanswered = Result<EncryptedFailure, Ended>;

/// Asks every resolver, side by side, and gives them in the order of the settings.
pub async fn look(
    context: &Context,
    browsers: Option<&Browsers>,
    system: Option<&EncryptedDns>,
    resolver: Option<&Resolver>,
    names: &[String],
) -> Vec<EncryptedView> {
    let targets = resolvers::resolvers(browsers, system, resolver);
    let asked = targets.iter().map(|target| {
        let (context, target, names) = (context.clone(), target.clone(), target.names(names));
        tokio::spawn(async move { one(&context, &target, &names).await })
    });
    let asked: Vec<_> = asked.collect();
    let mut views = Vec::with_capacity(targets.len());
    for (task, target) in asked.into_iter().zip(&targets) {
        views.push(task.await.unwrap_or_else(|_| target.view(None, Timing::default(), Outcome::Cancelled)));
    }
    views
}

async fn one(context: &Context, target: &Target, names: &[String]) -> EncryptedView {
    let began = Instant::now();
    let mut address = None;
    let outcome = match exchange(context, target, names, &mut address).await {
        Ok(answers) => Outcome::Seen(answers),
        Err(Ok(failure)) => Outcome::Failed(failure),
        Err(Err(ended)) => ended.into(),
    };
    target.view(address, context.timing(began), outcome)
}

async fn exchange(
    context: &Context,
    target: &Target,
    names: &[String],
    address: &mut Option<SocketAddr>,
) -> Result<Vec<EncryptedAnswer>, Unanswered> {
    let place = target.place.as_ref().ok_or(Ok(EncryptedFailure::Unknown))?;
    let found = addresses(context, place).await?;
    let endpoint = peer(format!("encrypted {}", place.host), &place.host, place.port);
    let mut connecting = tcp::connect_all(context, &endpoint, &found);
    let Some(stream) = connecting.first().await else {
        let failed = connecting.finish().await.into_iter().find_map(|connection| connection.outcome.failed().copied());
        return Err(failed.map_or(Err(Ended::TimedOut), |failure| Ok(EncryptedFailure::Connect(failure))));
    };
    drop(connecting);
    *address = Some(stream.address());
    let protocols: &[&str] = match place.protocol {
        EncryptedProtocol::Https => &["h2", "http/1.1"],
        EncryptedProtocol::Tls => &["dot"],
    };
    let (handshake, stream) = tls::handshake_offering(context, &endpoint, *address, stream, protocols).await;
    let Some(stream) = stream else {
        return Err(match handshake.outcome {
            Outcome::Failed(failure) => Ok(EncryptedFailure::Tls(failure)),
            Outcome::TimedOut => Err(Ended::TimedOut),
            Outcome::Cancelled => Err(Ended::Cancelled),
            Outcome::Seen(_) | Outcome::Skipped(_) => Ok(EncryptedFailure::NotVerified),
        });
    };
    match place.protocol {
        EncryptedProtocol::Tls => Ok(over_tls(context, stream, names).await),
        EncryptedProtocol::Https => {
            let two = handshake.outcome.seen().is_some_and(|session| session.alpn.as_deref() == Some("h2"));
            // A connection is large, and several resolvers are asked side by side.
            Box::pin(https::ask(context, place, two, stream, names)).await
        }
    }
}

/// Where the resolver is: as the settings say, else as this machine's own resolver does, which browsers ask for it too.
async fn addresses(context: &Context, place: &Place) -> Result<Vec<IpAddr>, Unanswered> {
    if let Some(address) = place.address {
        return Ok(vec![address]);
    }
    match lookup::lookup(context, &place.host).await.outcome {
        Outcome::Seen(found) if !found.addresses.is_empty() => Ok(found.addresses),
        Outcome::Cancelled => Err(Err(Ended::Cancelled)),
        _ => Err(Ok(EncryptedFailure::NoAddress)),
    }
}

/// The questions about names: for the addresses that this machine can use.
fn questions<'n>(context: &Context, names: &'n [String]) -> impl Iterator<Item = (&'n String, RecordKind)> {
    let kinds: &[RecordKind] = match Families::of(&context.world.machine) {
        Families::Both => &[RecordKind::A, RecordKind::Aaaa],
        Families::V4First => &[RecordKind::A],
    };
    names.iter().take(NAMES).flat_map(|name| kinds.iter().map(move |kind| (name, *kind)))
}

async fn over_tls<S: Duplex>(context: &Context, mut stream: S, names: &[String]) -> Vec<EncryptedAnswer> {
    let mut answers = Vec::new();
    for (name, kind) in questions(context, names) {
        let began = Instant::now();
        let asked = match dns::Packet::new(name, kind, dns::Wants::default()) {
            Some(packet) => context.within(dns::over_stream(&mut stream, &packet, Transport::Tls)).await,
            None => Ok(Err(DnsFailure::Malformed)),
        };
        let outcome = match asked {
            Ok(Ok(response)) => Outcome::Seen(response),
            Ok(Err(DnsFailure::Unreachable(failure))) => Outcome::Failed(EncryptedFailure::Closed(failure)),
            Ok(Err(_)) => Outcome::Failed(EncryptedFailure::Malformed),
            Err(ended) => ended.into(),
        };
        // What comes late would be taken for the answer to the next question.
        let goes_on = matches!(outcome, Outcome::Seen(_));
        answers.push(answer(context, name, kind, began, outcome));
        if !goes_on {
            break;
        }
    }
    answers
}

fn answer(
    context: &Context,
    name: &str,
    kind: RecordKind,
    began: Instant,
    outcome: Outcome<Response, EncryptedFailure>,
) -> EncryptedAnswer {
    EncryptedAnswer { name: name.to_owned(), kind, timing: context.timing(began), outcome }
}
