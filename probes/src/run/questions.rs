//! Questions to DNS servers: how many at once, how often, and when a server is given up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::Done;
use crate::observation::{
    Answer, DnsFailure, Observation, Outcome, RecordKind, Resolver, Response, Server, ServerRole, Skip, Timing,
};
use crate::plan::Step;
use crate::probe::{Context, Ended, dns};

/// Azure's DNS is a hop away in Azure and nowhere else: a machine elsewhere should not wait the whole step limit for it.
const AZURE_PATIENCE: Duration = Duration::from_millis(1500);

/// One question to one server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    pub(super) server: SocketAddr,
    pub(super) name: String,
    pub(super) kind: RecordKind,
}

/// What is known of a server while the run goes on.
pub(super) struct ServerState {
    room: Semaphore,
    has_answered: AtomicBool,
    patience: Option<Duration>,
}

/// The servers of a run.
pub(super) struct Servers {
    known: BTreeMap<SocketAddr, Arc<ServerState>>,
    in_flight: usize,
}

impl Servers {
    /// `in_flight` questions at once for each.
    pub(super) fn new(servers: &[Server], in_flight: usize) -> Self {
        let state = |server: &Server| (server.address, Arc::new(ServerState::new(&server.roles, in_flight)));
        Self { known: servers.iter().map(state).collect(), in_flight }
    }

    pub(super) fn of(&mut self, address: SocketAddr) -> Arc<ServerState> {
        self.known.entry(address).or_insert_with(|| Arc::new(ServerState::new(&[], self.in_flight))).clone()
    }
}

impl ServerState {
    fn new(roles: &[ServerRole], in_flight: usize) -> Self {
        Self {
            room: Semaphore::new(in_flight),
            has_answered: AtomicBool::new(false),
            patience: (roles == [ServerRole::Azure]).then_some(AZURE_PATIENCE),
        }
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
) -> Done {
    let mut done = Vec::with_capacity(steps.len());
    for step in steps {
        let Step::Ask { try_number, .. } = &step else { continue };
        let answer = one_try(&context, &server, &question, *try_number, &style).await;
        done.push((step, vec![answer]));
    }
    done
}

async fn one_try(
    context: &Context,
    server: &ServerState,
    question: &Question,
    try_number: u32,
    style: &dns::AskStyle,
) -> Observation {
    let Question { server: address, name, kind } = question;
    // Waiting for room is bounded by the end of the run alone: it is our own queue, not the server's silence.
    let Ok(Ok(_room)) = context.until_end(server.room.acquire()).await else {
        return without_answer(*address, name, *kind, try_number, Outcome::Cancelled);
    };
    if try_number > 0 && !server.has_answered.load(Ordering::Relaxed) {
        return without_answer(*address, name, *kind, try_number, Outcome::Skipped(Skip::EarlierStepFailed));
    }
    let began = Instant::now();
    let ask = dns::ask(context, *address, name, *kind, try_number, style);
    let answer = match server.patience {
        None => ask.await,
        Some(patience) => {
            tokio::pin!(ask);
            match context.within_time(patience, &mut ask).await {
                Ok(answer) => answer,
                Err(Ended::TimedOut) if server.has_answered.load(Ordering::Relaxed) => ask.await,
                Err(ended) => Answer {
                    server: *address,
                    name: name.clone(),
                    kind: *kind,
                    try_number,
                    timing: context.timing(began),
                    outcome: ended.into(),
                },
            }
        }
    };
    if answer.outcome.seen().is_some() {
        server.has_answered.store(true, Ordering::Relaxed);
    }
    Observation::Answer(answer)
}

/// An answer that never came, for the record.
pub(super) fn without_answer(
    server: SocketAddr,
    name: &str,
    kind: RecordKind,
    try_number: u32,
    outcome: Outcome<Response, DnsFailure>,
) -> Observation {
    Observation::Answer(Answer { server, name: name.to_owned(), kind, try_number, timing: Timing::default(), outcome })
}
