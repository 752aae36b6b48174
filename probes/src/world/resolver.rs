//! The operating system's own lookup call.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::LazyLock;

use dns_lookup::{AddrFamily, AddrInfoHints, LookupError, LookupErrorKind, SockType, getaddrinfo};

use super::{Boxed, Families, SystemResolver};
use crate::observation::{Found, LookupFailure};
use crate::read::{self, Links};

/// `getaddrinfo`. The runtime's blocking threads bound how many run at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsResolver;

impl SystemResolver for OsResolver {
    fn lookup<'a>(&'a self, name: &'a str, families: Families) -> Boxed<'a, Result<Found, LookupFailure>> {
        let name = name.to_owned();
        Box::pin(async move {
            // The task is lost only when the runtime shuts down.
            tokio::task::spawn_blocking(move || resolve(&name, families)).await.unwrap_or(Err(LookupFailure::Failed))
        })
    }
}

/// `AI_CANONNAME`: the same number on Linux, BSD, macOS and Windows.
const AI_CANONNAME: i32 = 2;

/// Asks without a trailing dot, as agents do: with one, glibc finds nothing in the hosts file. `search` is tried only
/// after the name itself failed, as long as the name has at least `ndots` dots.
fn resolve(name: &str, families: Families) -> Result<Found, LookupFailure> {
    let first = if families == Families::Both { 0 } else { AddrFamily::Inet.into() };
    match of_family(name, first) {
        // The name may have IPv6 addresses alone, or none.
        Err(LookupFailure::NotFound) if first != 0 => of_family(name, 0),
        found => found,
    }
}

fn of_family(name: &str, address: i32) -> Result<Found, LookupFailure> {
    let flags = if *CANONICAL_IS_TEXT { AI_CANONNAME } else { 0 };
    let hints = AddrInfoHints { flags, address, socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let answers = getaddrinfo(Some(name), None, Some(hints)).map_err(|error| failure(&error))?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    let mut known = HashSet::new();
    let mut canonical = None;
    // An address of a family that is not IP is left out.
    for answer in answers.flatten() {
        if known.insert(answer.sockaddr.ip()) {
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
    Ok(Found { addresses, canonical, more: 0 })
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
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn codes_are_distinguished() {
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
