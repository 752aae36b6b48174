//! How far a run has come, as data: how it is shown, and whether, is the caller's affair.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// How often progress is reported, whether or not something happened. Twice a second leaves no second out.
pub(super) const TICK: Duration = Duration::from_millis(500);

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: usize,
    /// Steps planned so far.
    pub total: usize,
    /// Since the run began.
    pub elapsed: Duration,
    /// What is still waited for, each once; empty for a moment at most.
    pub waiting_for: Vec<Waiting>,
}

/// Something that a run waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waiting {
    /// The files in which this machine and its agents are configured.
    Configuration,
    /// The metadata service.
    Metadata,
    /// The control service.
    Control,
    /// The wire server.
    WireServer,
    /// Questions to this DNS server.
    Dns(IpAddr),
    /// A step of an endpoint.
    Endpoint {
        /// The step.
        stage: Stage,
        /// The endpoint's host name.
        name: String,
    },
    /// The settings of browsers.
    Browsers,
    /// Resolvers that browsers and the system ask encrypted.
    Encrypted,
}

/// A step of an endpoint, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The system's own lookup.
    Lookup,
    /// The proxy's address, its port, its tunnel.
    Proxy,
    /// The connection.
    Tcp,
    /// The handshake.
    Tls,
    /// The request.
    Http,
    /// The step that stalled, with smaller segments.
    Segments,
}

/// The step at which the lane of an endpoint is.
#[derive(Clone)]
pub(super) struct At(Arc<Mutex<Stage>>);

impl At {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Stage::Lookup)))
    }

    pub(super) fn set(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    fn stage(&self) -> Stage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the end of a lane is waited for.
pub(super) enum Awaited {
    Fixed(Waiting),
    Endpoint { at: At, name: String },
}

impl Awaited {
    pub(super) fn now(&self) -> Waiting {
        match self {
            Self::Fixed(waiting) => waiting.clone(),
            Self::Endpoint { at, name } => Waiting::Endpoint { stage: at.stage(), name: name.clone() },
        }
    }
}

/// Waits for one thing and reports so, at once and at every tick.
pub(super) async fn with_progress<T>(future: impl Future<Output = T>, report: impl Fn()) -> T {
    tokio::pin!(future);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            ready = &mut future => return ready,
            _ = tick.tick() => report(),
        }
    }
}
