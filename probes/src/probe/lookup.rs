//! Names resolved by the operating system's own call, as the agents of this machine do it.
//!
//! The call cannot be cancelled: it runs on a thread of its own and is left behind when the run ends.

use std::net::IpAddr;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind, SockType, getaddrinfo};

use crate::observation::{Found, Lookup, LookupFailure, Outcome};
use crate::probe::Context;
use crate::read::{self, Links};
use crate::world::{Boxed, SystemResolver};

/// Resolves a name (no trailing dot) with the world's resolver.
///
/// Only the run's end bounds it: the system's lookup may take what `resolv.conf` allows, and a lookup that was cut short
/// would tell nothing about what the agents get.
pub async fn lookup(context: &Context, name: &str) -> Lookup {
    let began = Instant::now();
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let outcome = match context.within_time(Duration::MAX, context.world.resolver.lookup(&name)).await {
        Ok(Ok(found)) => Outcome::Seen(found),
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(ended) => ended.into(),
    };
    Lookup { name, timing: context.timing(began), outcome }
}

/// `getaddrinfo`. The runtime's blocking threads bound how many run at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsResolver;

impl SystemResolver for OsResolver {
    fn lookup<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<Found, LookupFailure>> {
        let name = name.to_owned();
        Box::pin(async move {
            // The task is lost only when the runtime shuts down.
            tokio::task::spawn_blocking(move || resolve(&name)).await.unwrap_or(Err(LookupFailure::Failed))
        })
    }
}

/// `AI_CANONNAME`: the same number on Linux, BSD, macOS and Windows.
const AI_CANONNAME: i32 = 2;

/// Asks without a trailing dot, as agents do: with one, glibc finds nothing in the hosts file. `search` is tried only
/// after the name itself failed, as long as the name has at least `ndots` dots.
fn resolve(name: &str) -> Result<Found, LookupFailure> {
    let flags = if *CANONICAL_IS_TEXT { AI_CANONNAME } else { 0 };
    let hints = AddrInfoHints { flags, socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let answers = getaddrinfo(Some(name), None, Some(hints)).map_err(|error| failure(&error))?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    let mut canonical = None;
    // An address of a family that is not IP is left out.
    for answer in answers.flatten() {
        if !addresses.contains(&answer.sockaddr.ip()) {
            addresses.push(answer.sockaddr.ip());
        }
        canonical = canonical.or(answer.canonname);
    }
    if addresses.is_empty() {
        return Err(LookupFailure::NotFound);
    }
    let canonical = canonical
        .map(|canonical| canonical.trim_end_matches('.').to_ascii_lowercase())
        .filter(|canonical| !canonical.is_empty() && canonical != name);
    Ok(Found { addresses, canonical })
}

/// Whether a canonical name is sure to be text. The binding panics where it is not.
///
/// glibc lets only host names pass that came from DNS (`res_hnok`), but takes any octets from the hosts file; musl and
/// Windows let octets above 127 pass from DNS too.
static CANONICAL_IS_TEXT: LazyLock<bool> = LazyLock::new(|| {
    cfg!(all(target_os = "linux", target_env = "gnu"))
        && read::contents(Path::new("/etc/hosts"), Links::Follow, HOSTS_LIMIT)
            .is_ok_and(|hosts| !hosts.truncated && hosts.bytes.is_ascii())
});

/// Longer hosts files are not searched for odd octets.
const HOSTS_LIMIT: u64 = 1024 * 1024;

fn failure(error: &LookupError) -> LookupFailure {
    match error.kind() {
        LookupErrorKind::NoName | LookupErrorKind::NoData => LookupFailure::NotFound,
        LookupErrorKind::Again => LookupFailure::TryAgain,
        LookupErrorKind::Fail => LookupFailure::Failed,
        _ => LookupFailure::Code(error.error_num()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use rustls::RootCertStore;
    use tokio::sync::watch;

    use super::*;
    use crate::observation::Machine;
    use crate::options::Options;
    use crate::world::{Clock, Network, Roots, World};

    /// Answers after a while.
    struct Slow(Duration);

    impl SystemResolver for Slow {
        fn lookup<'a>(&'a self, _name: &'a str) -> Boxed<'a, Result<Found, LookupFailure>> {
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
            denied: BTreeSet::new(),
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

    #[cfg(target_os = "linux")]
    #[test]
    fn codes_are_told_apart() {
        // EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_NODATA, EAI_MEMORY of netdb.h.
        for (code, expected) in [
            (-2, LookupFailure::NotFound),
            (-3, LookupFailure::TryAgain),
            (-4, LookupFailure::Failed),
            (-5, LookupFailure::NotFound),
            (-10, LookupFailure::Code(-10)),
        ] {
            assert_eq!(failure(&LookupError::new(code)), expected, "{code}");
        }
    }
}
