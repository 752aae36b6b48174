//! What the registry of Windows says of the system as a whole. Whether that is wanted is not judged here.

use std::time::Instant;

use crate::observation::{Outcome, Registry, RegistrySeen, Timing};
use crate::probe::micros;
use crate::registry::{Keys, lost};
use crate::world::World;

mod proxies;
mod tls;

/// Reads it; `None` where the examined system has none. `start` is when the run began.
pub fn read(world: &World, start: Instant) -> Option<Registry> {
    let registry = world.registry.as_ref()?;
    let began = Instant::now();
    let mut keys = Keys::new(registry.as_ref());
    let mut seen = RegistrySeen::default();
    tls::read(&mut keys, &mut seen);
    seen.proxies = proxies::read(&mut keys);
    seen.unread = keys.into_unread();
    seen.unread.extend(lost(registry.as_ref()));
    seen.stale = registry.stale();
    let timing = Timing { at_us: micros(began.saturating_duration_since(start)), elapsed_us: micros(began.elapsed()) };
    Some(Registry { timing, outcome: Outcome::Seen(seen) })
}

/// What is recorded of a registry that was not read to its end.
pub fn cancelled() -> Registry {
    Registry { timing: Timing::default(), outcome: Outcome::Cancelled }
}
