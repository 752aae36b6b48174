//! What was heard of names while the run goes on, and when everything that was asked so far has come to its end.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::observation::{Answer, Lookup};

/// Answers and lookups so far.
pub(super) struct Heard {
    known: Mutex<Known>,
    open: watch::Sender<usize>,
}

/// The same.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub(super) lookups: Vec<Lookup>,
    pub(super) answers: Vec<Answer>,
}

impl Heard {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { known: Mutex::default(), open: watch::Sender::new(0) })
    }

    /// Something is asked until the result is dropped.
    pub(super) fn asking(self: &Arc<Self>) -> Asking {
        self.open.send_modify(|open| *open += 1);
        Asking(Arc::clone(self))
    }

    /// Returns when nothing is being asked.
    pub(super) async fn quiet(&self) {
        // The sender lives as long as `self`.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    pub(super) fn known(&self) -> Known {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that is being asked.
pub(super) struct Asking(Arc<Heard>);

impl Asking {
    pub(super) fn answer(&self, answer: &Answer) {
        self.0.lock().answers.push(answer.clone());
    }

    pub(super) fn lookup(&self, lookup: &Lookup) {
        self.0.lock().lookups.push(lookup.clone());
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

/// Room for lookups: each is a question, or two, to the servers that this machine uses, beside those of the run itself.
#[derive(Clone)]
pub(super) struct LookupRoom {
    own: Arc<Semaphore>,
    rooms: Vec<Arc<Semaphore>>,
    questions: u32,
}

/// A place for one lookup.
pub(super) struct Place(#[expect(dead_code, reason = "a place is held, not read")] Vec<OwnedSemaphorePermit>);

impl LookupRoom {
    /// In these rooms, of `room` places each, for lookups of so many questions. A part is left to the run's own questions:
    /// lookups at a silent server last long.
    pub(super) fn new(mut rooms: Vec<Arc<Semaphore>>, room: usize, questions: u32) -> Self {
        let own = room - room.div_ceil(4);
        if own < 1 {
            rooms.clear();
        }
        let questions = questions.min(u32::try_from(own).unwrap_or(u32::MAX)).max(1);
        Self { own: Arc::new(Semaphore::new(own.max(1))), rooms, questions }
    }

    /// A place, if there is one at once.
    pub(super) fn now(&self) -> Option<Place> {
        let all = [&self.own].into_iter().chain(&self.rooms);
        all.map(|room| Arc::clone(room).try_acquire_many_owned(self.questions).ok()).collect::<Option<_>>().map(Place)
    }

    /// Waits for a place.
    pub(super) async fn place(&self) -> Place {
        let mut held = Vec::new();
        for room in [&self.own].into_iter().chain(&self.rooms) {
            // Nobody closes a room.
            held.extend(Arc::clone(room).acquire_many_owned(self.questions).await.ok());
        }
        Place(held)
    }
}

/// Whether a server shares a room with others: a stub on this machine passes on what it is asked, so it is counted with those
/// behind it.
pub(super) fn share_room(server: SocketAddr, behind_stub: bool, has_stub: bool) -> bool {
    has_stub && (behind_stub || server.ip().is_loopback())
}
