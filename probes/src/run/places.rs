//! How much is open at once: less where the operating system grants this process few open files.

use crate::os;

/// TCP connections that may be open at once: well under the usual limit of 1,024 files a process.
const MAX_CONNECTIONS: usize = 256;

/// Threads for the operating system's resolver call, which blocks.
const MAX_LOOKUPS: usize = 96;

/// Questions in flight at one server, lookups of the operating system included. Thousands of machines may share it, and ten
/// at once for every name have been seen to lose datagrams.
const MAX_QUESTIONS: usize = 40;

/// Files that are open besides: the standard streams, the runtime's own, what is being read or written.
const OTHERS: u64 = 32;

/// How much may be open at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// TCP connections.
    pub(super) connections: usize,
    /// Calls of the operating system's resolver, each of which may have a file and a socket open.
    pub(super) lookups: usize,
    /// Questions in flight at each DNS server.
    pub(super) questions: usize,
}

impl Places {
    /// What this process may have open, shared between the kinds; `servers` is how many DNS servers are asked.
    pub(super) fn here(servers: usize) -> Self {
        Self::within(os::open_files(), servers)
    }

    fn within(files: Option<u64>, servers: usize) -> Self {
        let spare =
            files.map_or(usize::MAX, |files| usize::try_from(files.saturating_sub(OTHERS)).unwrap_or(usize::MAX));
        Self {
            connections: (spare / 2).clamp(1, MAX_CONNECTIONS),
            lookups: (spare / 8).clamp(1, MAX_LOOKUPS),
            questions: (spare / 4 / servers.max(1)).clamp(1, MAX_QUESTIONS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_limits_change_nothing() {
        let most = Places { connections: MAX_CONNECTIONS, lookups: MAX_LOOKUPS, questions: MAX_QUESTIONS };
        assert_eq!(Places::within(None, 8), most);
        assert_eq!(Places::within(Some(1_048_576), 8), most);
        assert_eq!(Places::within(Some(1_024), 3), most);
    }

    #[test]
    fn few_files_are_enough_for_all_together() {
        for (files, servers) in [(64, 1), (128, 2), (128, 4), (256, 3), (512, 5)] {
            let places = Places::within(Some(files), servers);
            let open = places.connections + 2 * places.lookups + servers * places.questions;
            assert!(u64::try_from(open).is_ok_and(|open| open + OTHERS <= files), "{files}: {places:?}");
        }
        assert_eq!(Places::within(Some(8), 4), Places { connections: 1, lookups: 1, questions: 1 });
    }
}
