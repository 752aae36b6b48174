//! Names resolved by the operating system's own call, as the agents of this machine do it.
//!
//! The call cannot be cancelled: it runs on a thread of its own and is left behind when the run ends.

use std::time::{Duration, Instant};

use crate::observation::{Lookup, Outcome};
use crate::probe::Context;
use crate::world::Families;

/// Resolves a name (no trailing dot) with the world's resolver.
///
/// Only the run's end bounds it: the system's lookup may take what `resolv.conf` allows, and a lookup that was cut short
/// would tell nothing about what the agents get.
pub async fn lookup(context: &Context, name: &str) -> Lookup {
    let began = Instant::now();
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let families = Families::of(&context.world.machine);
    let outcome = match context.within_time(Duration::MAX, context.world.resolver.lookup(&name, families)).await {
        Ok(Ok(found)) => Outcome::Seen(found.bounded()),
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(ended) => ended.into(),
    };
    Lookup { name, timing: context.timing(began), outcome }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::net::IpAddr;
    use std::sync::Arc;

    use rustls::RootCertStore;
    use tokio::sync::watch;

    use super::*;
    use crate::observation::{Found, LookupFailure, Machine};
    use crate::options::Options;
    use crate::world::{Boxed, Clock, Families, Network, OsResolver, Roots, SystemResolver, World};

    /// Answers after a while.
    struct Slow(Duration);

    impl SystemResolver for Slow {
        fn lookup<'a>(&'a self, _name: &'a str, _families: Families) -> Boxed<'a, Result<Found, LookupFailure>> {
            Box::pin(async {
                tokio::time::sleep(self.0).await;
                Err(LookupFailure::TryAgain)
            })
        }
    }

    fn context(resolver: Arc<dyn SystemResolver>, stop: watch::Receiver<bool>) -> Context {
        let empty = Arc::new(RootCertStore::empty());
        let world = World {
            root: "/nonexistent".into(),
            environment: BTreeMap::new(),
            network: Network::Real,
            resolver,
            clock: Clock::default(),
            roots: Roots::new(Arc::clone(&empty), empty),
            machine: Machine::default(),
            fetches_roots: false,
            registry: None,
            denied: BTreeSet::new(),
            hanging: BTreeSet::new(),
        };
        let options = Options { step_timeout: Duration::from_millis(10), ..Options::default() };
        Context::new(Arc::new(world), Arc::new(options), stop, 1)
    }

    #[tokio::test]
    async fn system_resolves_the_name_of_this_machine() {
        let (_stop, stopped) = watch::channel(false);
        let lookup = lookup(&context(Arc::new(OsResolver), stopped), "LocalHost").await;
        assert_eq!(lookup.name, "localhost");
        let found = lookup.outcome.seen().unwrap();
        assert!(found.addresses.iter().all(IpAddr::is_loopback) && !found.addresses.is_empty());
        assert!(found.addresses.iter().all(|one| found.addresses.iter().filter(|other| one == *other).count() == 1));
    }

    /// Answers with thousands of addresses.
    struct Many;

    impl SystemResolver for Many {
        fn lookup<'a>(&'a self, _name: &'a str, _families: Families) -> Boxed<'a, Result<Found, LookupFailure>> {
            let addresses = (0..3_900_u32).map(|number| IpAddr::from((0x0a00_0000 + number).to_be_bytes())).collect();
            Box::pin(async { Ok(Found { addresses, canonical: None, more: 0 }) })
        }
    }

    #[tokio::test]
    async fn of_thousands_of_addresses_the_first_are_kept_and_the_rest_is_counted() {
        let (_stop, stopped) = watch::channel(false);
        let lookup = lookup(&context(Arc::new(Many), stopped), "a.test").await;
        let found = lookup.outcome.seen().unwrap();
        assert_eq!((found.addresses.len(), found.more), (64, 3_836));
        assert_eq!(found.addresses[0], IpAddr::from([10, 0, 0, 0]));
    }

    #[tokio::test]
    async fn slow_lookup_is_not_cut_by_the_step_timeout() {
        let (_stop, stopped) = watch::channel(false);
        let lookup = lookup(&context(Arc::new(Slow(Duration::from_millis(100))), stopped), "a.test").await;
        assert_eq!(lookup.outcome, Outcome::Failed(LookupFailure::TryAgain));
        assert!(lookup.timing.elapsed_us >= 100_000);
    }

    #[tokio::test]
    async fn end_of_the_run_ends_a_lookup() {
        let (stop, stopped) = watch::channel(false);
        let context = context(Arc::new(Slow(Duration::from_mins(1))), stopped);
        let (lookup, ()) = tokio::join!(lookup(&context, "a.test"), async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            stop.send(true).unwrap();
        });
        assert_eq!(lookup.outcome, Outcome::Cancelled);
    }
}
