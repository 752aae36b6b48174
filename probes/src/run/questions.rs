//! Questions to DNS servers: how many at once, how often, and when a server is given up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::Done;
use super::heard::{Asking, LookupRoom, share_room};
use crate::observation::{
    Answer, DnsFailure, Observation, Outcome, Resolver, Response, Server, ServerRole, Skip, Timing,
};
use crate::plan::Step;
pub(super) use crate::probe::dns::Question;
use crate::probe::{Context, Ended, dns};

/// Azure's DNS is a hop away in Azure and nowhere else: a machine elsewhere should not wait the whole step limit for it.
const AZURE_PATIENCE: Duration = Duration::from_millis(1500);

/// How long a server that was silent to earlier questions until their time was over is listened to for each further one.
const SHORT_PATIENCE: Duration = Duration::from_millis(500);

/// What is known of a server while the run goes on.
pub(super) struct ServerState {
    room: Arc<Semaphore>,
    has_answered: AtomicBool,
    was_silent: AtomicBool,
    patience: Option<Duration>,
}

/// The servers of a run.
pub(super) struct Servers {
    known: BTreeMap<SocketAddr, Arc<ServerState>>,
    in_flight: usize,
    /// Where lookups of the operating system go.
    pub(super) lookups: LookupRoom,
}

impl Servers {
    /// `in_flight` questions at once for each; a lookup is so many questions.
    pub(super) fn new(servers: &[Server], in_flight: usize, of_lookup: u32) -> Self {
        let is = |server: &Server, role| server.roles.contains(&role);
        let has_stub = servers.iter().any(|server| is(server, ServerRole::Upstream));
        let common = Arc::new(Semaphore::new(in_flight));
        let mut known = BTreeMap::new();
        let mut rooms = Vec::new();
        for server in servers {
            let shares = share_room(server.address, is(server, ServerRole::Upstream), has_stub);
            let room = if shares { Arc::clone(&common) } else { Arc::new(Semaphore::new(in_flight)) };
            let used = server.roles.iter().any(|role| role.is_used());
            if used && !rooms.iter().any(|other| Arc::ptr_eq(other, &room)) {
                rooms.push(Arc::clone(&room));
            }
            known.insert(server.address, Arc::new(ServerState::new(&server.roles, room)));
        }
        Self { known, in_flight, lookups: LookupRoom::new(rooms, in_flight, of_lookup) }
    }

    pub(super) fn of(&mut self, address: SocketAddr) -> Arc<ServerState> {
        let in_flight = self.in_flight;
        let new = || Arc::new(ServerState::new(&[], Arc::new(Semaphore::new(in_flight))));
        self.known.entry(address).or_insert_with(new).clone()
    }
}

impl ServerState {
    fn new(roles: &[ServerRole], room: Arc<Semaphore>) -> Self {
        Self {
            room,
            has_answered: AtomicBool::new(false),
            was_silent: AtomicBool::new(false),
            patience: (roles == [ServerRole::Azure]).then_some(AZURE_PATIENCE),
        }
    }

    /// How long to listen, where that is less than the whole step.
    fn patience(&self) -> Option<Duration> {
        let silent = self.was_silent.load(Ordering::Relaxed) && !self.has_answered.load(Ordering::Relaxed);
        if silent { Some(SHORT_PATIENCE) } else { self.patience }
    }
}

/// How this machine asks.
pub(super) fn style(resolver: Option<&Resolver>) -> dns::AskStyle {
    resolver
        .and_then(|resolver| resolver.outcome.seen())
        .map(|config| dns::AskStyle { edns0: config.edns0, use_vc: config.use_vc })
        .unwrap_or_default()
}

/// Asks one question as often as planned, one try after the other.
pub(super) async fn lane(
    context: Context,
    server: Arc<ServerState>,
    question: Question,
    steps: Vec<Step>,
    style: dns::AskStyle,
    asking: Asking,
) -> Done {
    let mut done = Vec::with_capacity(steps.len());
    for step in steps {
        let Step::Ask { try_number, .. } = &step else { continue };
        let answer = one_try(&context, &server, &question, *try_number, &style).await;
        asking.answer(&answer);
        done.push((step, vec![Observation::Answer(answer)]));
    }
    done
}

async fn one_try(
    context: &Context,
    server: &ServerState,
    question: &Question,
    try_number: u32,
    style: &dns::AskStyle,
) -> Answer {
    // Waiting for room is bounded by the end of the run alone: it is our own queue, not the server's silence.
    let Ok(Ok(_room)) = context.until_end(server.room.acquire()).await else {
        return without_answer(question, try_number, Outcome::Cancelled);
    };
    if try_number > 0 && !server.has_answered.load(Ordering::Relaxed) {
        return without_answer(question, try_number, Outcome::Skipped(Skip::EarlierStepFailed));
    }
    let began = Instant::now();
    let ask = dns::ask(context, question, try_number, style);
    let answer = match server.patience() {
        None => ask.await,
        Some(patience) => {
            tokio::pin!(ask);
            match context.within_time(patience, &mut ask).await {
                Ok(answer) => answer,
                Err(Ended::TimedOut) if server.has_answered.load(Ordering::Relaxed) => ask.await,
                Err(ended) => {
                    Answer { timing: context.timing(began), ..without_answer(question, try_number, ended.into()) }
                }
            }
        }
    };
    match &answer.outcome {
        Outcome::Seen(_) => server.has_answered.store(true, Ordering::Relaxed),
        Outcome::TimedOut => server.was_silent.store(true, Ordering::Relaxed),
        _ => {}
    }
    answer
}

/// An answer that never came, for the record.
pub(super) fn without_answer(question: &Question, try_number: u32, outcome: Outcome<Response, DnsFailure>) -> Answer {
    let Question { server, name, kind, purpose } = question.clone();
    Answer { server, name, kind, try_number, purpose, timing: Timing::default(), outcome }
}
