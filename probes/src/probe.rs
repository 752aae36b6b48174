//! The probes: one module each, and the context they share.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use crate::endpoint::{Endpoint, Expectation, Group, Need, Origin};
use crate::observation::{Outcome, Timing};
use crate::options::Options;
use crate::world::World;

pub mod agent;
pub mod browser;
pub mod control;
pub mod dns;
pub mod encrypted_dns;
pub mod encrypted_view;
pub mod hosts;
pub mod http;
pub mod imds;
pub mod kept;
pub mod lookup;
#[cfg(test)]
mod loopback;
pub mod mtu;
pub mod proxy;
pub mod registry;
pub mod resolver;
pub mod segments;
pub mod tcp;
pub mod tls;

/// The part of the deadline that local files may take, so that most of it is left for the network.
const FILES_SHARE: u32 = 3;
/// The most that they may take, however long the deadline: as long as one step of the network. What takes longer than that lies on
/// a file system that does not answer.
const FILES_MOST: Duration = Duration::from_secs(5);

/// What every step of one run shares. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The world that is looked at.
    pub world: Arc<World>,
    /// What was asked for.
    pub options: Arc<Options>,
    /// When the run began.
    pub start: Instant,
    /// Becomes true when the run is to end: deadline or signal.
    pub stop: watch::Receiver<bool>,
    /// Bounds the TCP connections that are open at once.
    pub sockets: Arc<Semaphore>,
    /// What the presented certificates prove.
    pub chains: Arc<tls::Chains>,
    /// Connections that are asked over again.
    pub kept: Arc<kept::Kept>,
}

/// Why a step ended without a result of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its own time limit passed.
    TimedOut,
    /// The run ended.
    Cancelled,
}

impl<T, F> From<Ended> for Outcome<T, F> {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::TimedOut => Self::TimedOut,
            Ended::Cancelled => Self::Cancelled,
        }
    }
}

impl Context {
    /// A context with room for `sockets` connections.
    pub fn new(world: Arc<World>, options: Arc<Options>, stop: watch::Receiver<bool>, sockets: usize) -> Self {
        let (sockets, chains, kept) = (Arc::new(Semaphore::new(sockets)), Arc::default(), Arc::default());
        Self { world, options, start: Instant::now(), stop, sockets, chains, kept }
    }

    /// Runs a step within `--timeout` and the run's end.
    pub async fn within<T>(&self, step: impl Future<Output = T>) -> Result<T, Ended> {
        self.within_time(self.options.step_timeout, step).await
    }

    /// Runs a step that only the end of the run bounds.
    pub async fn until_end<T>(&self, step: impl Future<Output = T>) -> Result<T, Ended> {
        self.within_time(self.options.deadline, step).await
    }

    /// How long local files may take. Where nothing else is looked at, that is all the time there is.
    pub fn files_limit(&self) -> Duration {
        let deadline = self.options.deadline;
        if self.options.files_only { deadline } else { (deadline / FILES_SHARE).min(FILES_MOST) }
    }

    /// Runs a step within a limit of its own and the run's end.
    pub async fn within_time<T>(&self, limit: Duration, step: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::select! {
            biased;
            done = step => Ok(done),
            () = self.ended() => Err(Ended::Cancelled),
            () = tokio::time::sleep(limit) => Err(Ended::TimedOut),
        }
    }

    /// Returns when the run is to end.
    pub async fn ended(&self) {
        // A closed channel means that nobody will end the run any more.
        if self.stop.clone().wait_for(|ended| *ended).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The time since `began`, placed on the run's own clock.
    pub fn timing(&self, began: Instant) -> Timing {
        Timing { at_us: micros(began.saturating_duration_since(self.start)), elapsed_us: micros(began.elapsed()) }
    }
}

/// A host that is no endpoint of the plan, as far as the steps need to know of it.
fn peer(id: String, host: &str, port: u16) -> Endpoint {
    Endpoint {
        id,
        fqdn: host.to_owned(),
        port,
        group: Group::Agent,
        zone: None,
        alias: None,
        expected: Expectation::Any,
        need: Need::Optional,
        path: "/".to_owned(),
        purpose: String::new(),
        service_tag: None,
        origin: Origin::Default,
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
