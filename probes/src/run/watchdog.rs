//! The watchdog: the thread that called holds the promise that a run ends, whatever happens to the one that examines.
//!
//! Inside the runtime everything is bounded, but the runtime itself may hang: a driver that never returns from a call, a thread
//! that the system does not schedule. Then what has been seen so far is returned, and the rest is left behind.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::board::Board;
use super::{Job, Progress, RunError, examine, needs, progress, runtime, signal};
use crate::catalogue::Catalogue;
use crate::observation::{Observations, Stop};
use crate::options::Options;
use crate::world::World;

/// How long after its deadline, or after a signal, a run may still end by itself.
pub(super) const LEEWAY: Duration = Duration::from_secs(5);

/// What is heard of the examination.
enum Event {
    Progress(Progress),
    Done(Result<Box<Observations>, RunError>),
}

/// Examines on another thread, and ends the run when that thread does not.
pub(super) fn watch(
    world: Arc<World>,
    options: Arc<Options>,
    catalogue: &Catalogue,
    progress: &(dyn Fn(&Progress) + Sync),
    leeway: Duration,
) -> Result<Observations, RunError> {
    needs::check().map_err(RunError::Runtime)?;
    let board = Arc::new(Board::new(&world));
    let job = Job { world, options, catalogue: catalogue.clone(), board };
    let (world, options, board) = (job.world.clone(), job.options.clone(), job.board.clone());
    let mut signals = signal::subscribe();
    let began = Instant::now();
    let mut limit = options.deadline.saturating_add(leeway);
    let (sender, events) = mpsc::channel();
    let examination = move || {
        let seen = examination(&job, &sender);
        // Nobody listens any more where it took too long.
        let _ = sender.send(Event::Done(seen.map(Box::new)));
    };
    thread::Builder::new().name("examination".to_owned()).spawn(examination).map_err(RunError::Runtime)?;
    let mut stop = Stop::Deadline;
    loop {
        if signals.has_changed().unwrap_or(false) {
            signals.mark_unchanged();
            (limit, stop) = (limit.min(began.elapsed() + leeway), Stop::Interrupt);
        }
        let left = limit.saturating_sub(began.elapsed());
        match events.recv_timeout(left.min(progress::TICK)) {
            Ok(Event::Progress(made)) => progress(&made),
            Ok(Event::Done(seen)) => return seen.map(|seen| *seen),
            Err(RecvTimeoutError::Timeout) if left > Duration::ZERO => {}
            Err(_) => break,
        }
    }
    board.note(|known| known.stopped = known.stopped.or(Some(stop)));
    Ok(board.observations(&world, &options, catalogue))
}

fn examination(job: &Job, sender: &Sender<Event>) -> Result<Observations, RunError> {
    let runtime = runtime().map_err(RunError::Runtime)?;
    let report = |made: &Progress| {
        let _ = sender.send(Event::Progress(made.clone()));
    };
    let seen = runtime.block_on(examine(job, &report));
    // A resolver call of the operating system cannot be cancelled: waiting for its thread would outlive the deadline.
    runtime.shutdown_background();
    seen
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use rustls::RootCertStore;

    use super::*;
    use crate::observation::{Found, LookupFailure, Machine, Observation, Outcome};
    use crate::world::{Boxed, Clock, Families, Network, Roots, Routes, SystemResolver};

    /// Never returns, on the thread that asks: what a driver that hangs does to the runtime.
    struct Hanging;

    impl SystemResolver for Hanging {
        fn lookup<'a>(&'a self, _name: &'a str, _families: Families) -> Boxed<'a, Result<Found, LookupFailure>> {
            loop {
                thread::park();
            }
        }
    }

    #[test]
    fn run_whose_threads_all_hang_ends_with_what_there_is() {
        let empty = Arc::new(RootCertStore::empty());
        let world = World {
            root: "/nonexistent".into(),
            environment: BTreeMap::new(),
            network: Network::Simulated(Arc::new(Routes::default())),
            resolver: Arc::new(Hanging),
            clock: Clock::default(),
            roots: Roots::new(Arc::clone(&empty), empty),
            machine: Machine::default(),
            fetches_roots: false,
            registry: None,
            denied: BTreeSet::new(),
            hanging: BTreeSet::new(),
        };
        let options = Options { deadline: Duration::from_millis(300), ..Options::default() };
        let catalogue = Catalogue::builtin().unwrap();
        let leeway = Duration::from_millis(700);
        let seen = watch(Arc::new(world), Arc::new(options), &catalogue, &|_| {}, leeway).unwrap();
        assert_eq!(seen.stopped, Some(Stop::Deadline));
        let cancelled =
            |step: &Observation| matches!(step, Observation::Lookup(lookup) if lookup.outcome == Outcome::Cancelled);
        assert!(
            seen.seen.iter().filter(|step| cancelled(step)).count() >= seen.endpoints.len(),
            "each is said to be unfinished"
        );
        assert!(!seen.endpoints.is_empty());
    }
}
