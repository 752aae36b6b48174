//! What a run cannot do without. The operating system is asked for it before the run begins: in its middle a lack of files or
//! threads looks like a fault of the network, or ends the program.

use std::hint::black_box;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use crate::os;

/// Open files without which too little can be looked at: those of [`super::places`] and one of each kind.
const FILES: u64 = 48;
/// Open files that are asked for where the limit is lower and may be raised.
const ENOUGH_FILES: u64 = 1024;
/// Threads: the runtime's own, those for files and lookups, those of the trust store and of signals.
const THREADS: usize = 6;
/// Memory that a usual run takes.
const MEMORY: usize = 24 * 1024 * 1024;

/// Address space that a run has enough of, with the 64 MiB that glibc keeps for each thread that allocates. Just below what is taken,
/// a thread may find none for its first octet, and then the program ends without a word: nothing but the limit itself tells in time.
const ADDRESS_SPACE: u64 = 640 * 1024 * 1024;
/// The same of memory that is written to: what a run takes, and the stacks of its threads.
const DATA: u64 = 48 * 1024 * 1024;

/// Fails, in words for people, where something is missing.
pub(super) fn check() -> io::Result<()> {
    files(os::raise_open_files(ENOUGH_FILES))?;
    room(os::memory_limits())?;
    memory(MEMORY)?;
    threads(THREADS, || memory(MEMORY))
}

fn files(granted: Option<u64>) -> io::Result<()> {
    match granted {
        Some(granted) if granted < FILES => Err(io::Error::other(format!(
            "this process may open {granted} files and sockets, and needs {FILES}: raise the limit (`ulimit -n {ENOUGH_FILES}`)"
        ))),
        _ => Ok(()),
    }
}

fn room([address_space, data]: [Option<u64>; 2]) -> io::Result<()> {
    let mib = |octets: u64| octets / 1024 / 1024;
    for (granted, wanted, what, limit) in
        [(address_space, ADDRESS_SPACE, "address space", "ulimit -v"), (data, DATA, "memory", "ulimit -d")]
    {
        if let Some(granted) = granted.filter(|granted| *granted < wanted) {
            return Err(io::Error::other(format!(
                "this process may have {} MiB of {what}, and needs {}: raise the limit (`{limit} {}`)",
                mib(granted),
                mib(wanted),
                wanted / 1024
            )));
        }
    }
    Ok(())
}

fn memory(wanted: usize) -> io::Result<()> {
    let mut room = Vec::<u8>::new();
    let reserved = room.try_reserve_exact(wanted);
    // What nobody uses the optimiser would not ask for.
    black_box(&room);
    reserved.map_err(|_| {
        let wanted = wanted / 1024 / 1024;
        io::Error::other(format!("this process may not have {wanted} MiB of memory (`ulimit -d`, `ulimit -v`)"))
    })
}

/// All at once, as a run has them, and what is asked for while they live: the C library keeps address space for each thread that
/// allocates (64 MiB in glibc), which is gone for everything else.
fn threads(wanted: usize, meanwhile: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    let (allocated, ready) = mpsc::channel();
    let waiting = (0..wanted).map(|_| {
        let gate = Arc::clone(&gate);
        let allocated = allocated.clone();
        thread::Builder::new().spawn(move || {
            black_box(Box::new(0_u8));
            let _ = allocated.send(());
            drop(gate.lock());
        })
    });
    let waiting: Vec<io::Result<thread::JoinHandle<()>>> = waiting.collect();
    let ready = ready.iter().take(waiting.iter().flatten().count()).count();
    let asked = if ready == wanted { meanwhile() } else { Ok(()) };
    drop(closed);
    let mut refused = None;
    for thread in waiting {
        match thread {
            Ok(thread) => drop(thread.join()),
            Err(error) => refused = Some(error),
        }
    }
    refused.map_or(asked, |error| {
        Err(io::Error::other(format!("this process may not have {wanted} threads (`ulimit -u`): {error}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_what_a_run_needs() {
        assert!(check().is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        let said = files(Some(16)).unwrap_err().to_string();
        assert!(said.contains("may open 16 files") && said.contains("ulimit -n 1024"), "{said}");
        assert!(files(Some(FILES)).is_ok() && files(None).is_ok());
        let said = room([Some(512 * 1024 * 1024), None]).unwrap_err().to_string();
        assert!(
            said.contains("512 MiB of address space, and needs 640") && said.contains("ulimit -v 655360"),
            "{said}"
        );
        let said = room([None, Some(1024)]).unwrap_err().to_string();
        assert!(said.contains("0 MiB of memory, and needs 48") && said.contains("ulimit -d 49152"), "{said}");
        assert!(room([Some(ADDRESS_SPACE), Some(DATA)]).is_ok() && room([None, None]).is_ok());
        let said = memory(usize::MAX / 4).unwrap_err().to_string();
        assert!(said.contains("memory"), "{said}");
    }

    #[test]
    fn memory_is_asked_for_while_the_threads_live() {
        assert!(threads(2, || Ok(())).is_ok());
        let refused = threads(2, || Err(io::Error::other("no room"))).unwrap_err();
        assert_eq!(refused.to_string(), "no room");
    }
}
