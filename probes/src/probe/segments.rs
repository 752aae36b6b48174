//! Takes a step that stalled again with small TCP segments, and finds the largest that passes.
//!
//! Where the handshake of TCP passes and the first large answer does not, the way may let only smaller packets through and lose
//! the messages that say so. Both ends keep to the size of segments that a SYN names, so a connection that names a small one
//! needs no such message. What that proves is not this module's.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::tcp;
use super::{Context, Ended, http, micros, tls};
use crate::endpoint::Endpoint;
use crate::observation::segments::headers;
use crate::observation::{IoFailure, Outcome, SegmentAnswer, SegmentTry, Segments, SegmentsSeen, Skip};
use crate::os;

/// The segment that every way carries (RFC 9293, section 3.7.1). Our `ClientHello` fits into one of them: cut in two it could pass
/// a filter that reads only the first, and silence would be taken for a matter of size.
pub(super) const SMALL: u16 = 536;
/// The sizes of the first round: below the packets of usual tunnels (1,240 to 1,490 octets) and of Ethernet.
const USUAL: [u16; 6] = [1200, 1300, 1360, 1400, 1430, 1452];
/// Sizes of one later round, evenly between what passes and what does not.
const AT_ONCE: u16 = 6;
/// Rounds at most: enough to find one octet among those of the largest segment.
const ROUNDS: usize = 6;
/// The largest segment that `TCP_MAXSEG` may ask for on Linux (`MAX_TCP_WINDOW`).
const LARGEST: u16 = 32_767;
/// Octets of an Ethernet packet, for systems that do not name their own.
const ETHERNET: u32 = 1500;
/// The part of a step's time that a try waits at least for its answer: a busy machine needs it.
const PATIENCE: u32 = 5;
/// What is left of the deadline for everything else.
const RESERVE: Duration = Duration::from_secs(2);

/// The step that was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stalled {
    /// The handshake.
    Handshake,
    /// The request, over a connection whose peer was verified.
    Request,
}

/// Looks which sizes pass. Nothing is connected to where the system cannot bound them, nor where the run is nearly over: then
/// there is nothing to tell.
pub async fn look(ctx: &Context, endpoint: &Endpoint, address: SocketAddr, stalled: Stalled) -> Option<Segments> {
    let began = Instant::now();
    let outcome = if os::BOUNDS_SEGMENTS {
        Search { ctx, endpoint, address, stalled, path_mtu: None, tries: Vec::new() }.outcome().await?
    } else {
        Outcome::Skipped(Skip::NotOnThisSystem)
    };
    Some(Segments { endpoint: endpoint.id.clone(), address, timing: ctx.timing(began), outcome })
}

struct Search<'a> {
    ctx: &'a Context,
    endpoint: &'a Endpoint,
    address: SocketAddr,
    stalled: Stalled,
    path_mtu: Option<u32>,
    tries: Vec<SegmentTry>,
}

/// How a round ended for one of its sizes.
struct Tried {
    made: SegmentTry,
    path_mtu: Option<u32>,
    error: Option<io::Error>,
}

impl Search<'_> {
    async fn outcome(mut self) -> Option<Outcome<SegmentsSeen, IoFailure>> {
        // A peer that needs longer than half a step is slow, whatever the size of its segments.
        let limit = self.ctx.options.step_timeout / 2;
        match self.round(&[Some(SMALL)], limit).await {
            Err(Ended::Cancelled) => return Some(Outcome::Cancelled),
            Err(Ended::TimedOut) => return None,
            Ok(Some(error)) => return Some(Outcome::Failed(os::io_failure(&error))),
            Ok(None) => {}
        }
        if let [SegmentTry { answer: SegmentAnswer::Answered, elapsed_us, .. }] = self.tries[..] {
            let step = self.ctx.options.step_timeout;
            let limit = (Duration::from_micros(elapsed_us) * 4).clamp(step / PATIENCE, step);
            self.search(limit).await;
        }
        Some(Outcome::Seen(SegmentsSeen { path_mtu: self.path_mtu, tries: self.tries }))
    }

    /// Whether the usual size is silent still, and then the largest that is not. Ends where sizes contradict each other.
    async fn search(&mut self, limit: Duration) {
        if self.round(&[Some(SMALL), None], limit).await.is_err() || self.answer(None) != Some(SegmentAnswer::Silent) {
            return;
        }
        let packet = self.path_mtu.unwrap_or(ETHERNET).saturating_sub(u32::from(headers(self.address.ip())));
        let most = u16::try_from(packet).unwrap_or(LARGEST).min(LARGEST);
        for round in 0..ROUNDS {
            let Some((passes, silent)) = self.bounds(most) else { return };
            let sizes = if round == 0 { first_sizes(passes, most) } else { sizes_between(passes, silent) };
            if sizes.is_empty() || self.round(&sizes, limit).await.is_err() {
                return;
            }
        }
    }

    /// The largest size that passes and the smallest above it that does not; `None` where they are not in order.
    fn bounds(&self, most: u16) -> Option<(u16, u16)> {
        let with = |answer| self.tries.iter().filter(move |it| it.answer == answer).filter_map(|it| it.most);
        let passes = with(SegmentAnswer::Answered).max()?;
        let silent = with(SegmentAnswer::Silent).min().unwrap_or(most.saturating_add(1));
        let failed = self.tries.iter().any(|it| it.answer == SegmentAnswer::Failed);
        (passes < silent && !failed).then_some((passes, silent))
    }

    fn answer(&self, most: Option<u16>) -> Option<SegmentAnswer> {
        self.tries.iter().rev().find(|it| it.most == most).map(|it| it.answer)
    }

    /// Tries sizes side by side. The error that is given is one of bounding them; too little time is left where the round itself
    /// times out.
    async fn round(&mut self, sizes: &[Option<u16>], limit: Duration) -> Result<Option<io::Error>, Ended> {
        let left = self.ctx.options.deadline.saturating_sub(self.ctx.start.elapsed());
        if left < limit + RESERVE {
            return Err(Ended::TimedOut);
        }
        let mut tries = JoinSet::new();
        for (place, most) in sizes.iter().copied().enumerate() {
            let (ctx, endpoint) = (self.ctx.clone(), self.endpoint.clone());
            let (address, stalled) = (self.address, self.stalled);
            tries.spawn(async move { (place, attempt(&ctx, &endpoint, address, most, stalled, limit).await) });
        }
        let mut done: Vec<(usize, Result<Tried, Ended>)> = tries.join_all().await;
        done.sort_by_key(|(place, _)| *place);
        let mut bounding = None;
        for (_, tried) in done {
            let Tried { made, path_mtu, error } = tried?;
            self.path_mtu = self.path_mtu.or(path_mtu);
            self.tries.push(made);
            bounding = bounding.or(error);
        }
        Ok(bounding)
    }
}

/// The usual sizes between those two, and the largest that may pass.
fn first_sizes(passes: u16, most: u16) -> Vec<Option<u16>> {
    let usual = USUAL.into_iter().filter(|size| (passes + 1..most).contains(size));
    usual.chain([most]).map(Some).collect()
}

/// Sizes evenly between one that passes and one that does not.
fn sizes_between(passes: u16, silent: u16) -> Vec<Option<u16>> {
    let between = silent.saturating_sub(passes).saturating_sub(1);
    let parts = AT_ONCE.min(between);
    let step = |part: u16| u32::from(part) * u32::from(between + 1) / u32::from(parts + 1);
    (1..=parts).filter_map(|part| u16::try_from(u32::from(passes) + step(part)).ok()).map(Some).collect()
}

async fn attempt(
    ctx: &Context,
    endpoint: &Endpoint,
    address: SocketAddr,
    most: Option<u16>,
    stalled: Stalled,
    limit: Duration,
) -> Result<Tried, Ended> {
    // Where there is none for so long, the search ends: the run has better use for them.
    let _place = ctx.within_time(limit, tcp::place(ctx)).await?.ok_or(Ended::Cancelled)?;
    let began = Instant::now();
    let (mut path_mtu, mut error) = (None, None);
    // A handshake is large, and several are held side by side.
    let whole = Box::pin(async {
        let stream = match connect(ctx, address, most).await {
            Ok(stream) => stream,
            Err(failed) => {
                error =
                    matches!(failed.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput).then_some(failed);
                return SegmentAnswer::Failed;
            }
        };
        path_mtu = ctx.world.path_mtu(&stream);
        step(ctx, endpoint, address, stream, stalled).await
    });
    let answer = match ctx.within_time(limit, whole).await {
        Ok(answer) => answer,
        Err(Ended::TimedOut) => SegmentAnswer::Silent,
        Err(Ended::Cancelled) => return Err(Ended::Cancelled),
    };
    Ok(Tried { made: SegmentTry { most, answer, elapsed_us: micros(began.elapsed()) }, path_mtu, error })
}

async fn connect(ctx: &Context, address: SocketAddr, most: Option<u16>) -> io::Result<TcpStream> {
    match most {
        Some(most) => ctx.world.connect_bounded(address, most).await,
        None => ctx.world.connect(address).await,
    }
}

/// Takes the step that stalled, and what comes before it.
async fn step(
    ctx: &Context,
    endpoint: &Endpoint,
    address: SocketAddr,
    stream: TcpStream,
    stalled: Stalled,
) -> SegmentAnswer {
    let (handshake, stream) = tls::handshake(ctx, endpoint, Some(address), stream).await;
    if stalled == Stalled::Handshake {
        return answer(&handshake.outcome);
    }
    match stream {
        Some(stream) => answer(&http::request(ctx, endpoint, stream).await.outcome),
        // Its handshake passed before.
        None => match answer(&handshake.outcome) {
            SegmentAnswer::Silent => SegmentAnswer::Silent,
            _ => SegmentAnswer::Failed,
        },
    }
}

fn answer<T, F>(outcome: &Outcome<T, F>) -> SegmentAnswer {
    match outcome {
        Outcome::Seen(_) => SegmentAnswer::Answered,
        Outcome::TimedOut => SegmentAnswer::Silent,
        _ => SegmentAnswer::Failed,
    }
}

#[cfg(test)]
mod tests;
