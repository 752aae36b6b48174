//! The signals that end a run: SIGINT, SIGTERM and SIGHUP, on Windows Ctrl-C, Ctrl-Break and the end of console or session; and the one that says a file is too large.
//!
//! Once tokio has been asked for a signal, the system's own answer to it is gone for the rest of the process. So one thread
//! listens as long as the process lives: while a run listens too it tells the run; otherwise (the report is being written, to
//! a pipe that nobody reads perhaps) the signal ends the process as it would have.

use std::process;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::os;

#[cfg(unix)]
use self::unix::Signals;
#[cfg(windows)]
use self::windows::Signals;

/// Open files without which nothing is listened to: tokio panics where it cannot open its own for signals, six at most, beside
/// the standard streams and what is being read or written.
const FILES: u64 = 16;

/// Signals heard so far.
static HEARD: OnceLock<watch::Sender<u64>> = OnceLock::new();

/// Held from the look at who listens to what follows from it, the end of the process included: who begins to listen in the
/// meantime must not begin what that end would leave half done.
static DECIDING: Mutex<()> = Mutex::new(());

/// While it lives, no signal that would end a run ends the process: for moments in which something half done would stay.
#[derive(Debug)]
pub struct Undisturbed(
    #[expect(dead_code, reason = "a listener keeps the process from being ended")] watch::Receiver<u64>,
);

impl Undisturbed {
    /// From now on.
    pub fn begin() -> Self {
        Self(subscribe())
    }
}

/// How long a signal waits for the end of a document that is being written. A reader that stands still does not keep it.
const WRITING: Duration = Duration::from_secs(1);

/// Documents that are being written.
static WRITTEN: OnceLock<watch::Sender<usize>> = OnceLock::new();

fn written() -> &'static watch::Sender<usize> {
    WRITTEN.get_or_init(|| watch::channel(0).0)
}

/// While it lives, a signal that would end the process waits a moment, or for a second signal: half a document is worse than
/// none.
#[derive(Debug)]
pub struct Unbroken(());

impl Unbroken {
    /// From now on.
    pub fn begin() -> Self {
        let _undecided = deciding();
        HEARD.get_or_init(listening);
        written().send_modify(|documents| *documents += 1);
        Self(())
    }
}

impl Drop for Unbroken {
    fn drop(&mut self) {
        written().send_modify(|documents| *documents -= 1);
    }
}

/// Returns when the run is to end; never, where signals cannot be heard.
pub(super) async fn interrupted() {
    let mut heard = subscribe();
    if heard.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Changes with each signal that is heard; while it lives none of them ends the process. An earlier signal counts too: it may
/// have come while nothing ran that it could stop, and no new work starts after it.
pub(super) fn subscribe() -> watch::Receiver<u64> {
    let _undecided = deciding();
    subscribed(HEARD.get_or_init(listening))
}

fn subscribed(heard: &watch::Sender<u64>) -> watch::Receiver<u64> {
    let mut signals = heard.subscribe();
    if *signals.borrow() > 0 {
        signals.mark_changed();
    }
    signals
}

fn deciding() -> MutexGuard<'static, ()> {
    DECIDING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listening() -> watch::Sender<u64> {
    let (sender, _) = watch::channel(0);
    let counter = sender.clone();
    let listen = move || {
        if os::open_files().is_some_and(|files| files < FILES) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let mut signals = runtime.block_on(async { Signals::listen() });
        loop {
            let status = runtime.block_on(signals.next());
            let _decided = deciding();
            if counter.receiver_count() == 0 {
                runtime.block_on(end_of_documents(&mut signals));
                process::exit(status);
            }
            counter.send_modify(|count: &mut u64| *count = count.wrapping_add(1));
        }
    };
    // Without the thread nothing is asked of tokio, and a signal ends the process as it always does.
    let _ = thread::Builder::new().name("signals".to_owned()).spawn(listen);
    sender
}

/// Waits until no document is being written, for a moment only, and no longer than to the next signal.
async fn end_of_documents(signals: &mut Signals) {
    let mut documents = written().subscribe();
    tokio::select! {
        _ = timeout(WRITING, documents.wait_for(|documents| *documents == 0)) => {}
        _ = signals.next() => {}
    }
}

/// Makes a write beyond the limit on the size of files (`ulimit -f`) an error of that write (EFBIG), where the system would end
/// the process with SIGXFSZ.
pub fn oversize_is_an_error() {
    #[cfg(unix)]
    unix::catch_oversize();
}

#[cfg(unix)]
mod unix {
    use std::future::poll_fn;
    use std::task::Poll;

    use rustix::process::{Resource, Signal as Number, getrlimit};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// What ends a run.
    const ENDS: [Number; 3] = [Number::INT, Number::TERM, Number::HUP];
    const HANGUP: i32 = Number::HUP.as_raw();

    /// Those that this process hears, each with the exit status that shells give a process that it ended.
    pub(super) struct Signals(Vec<(Signal, i32)>);

    impl Signals {
        pub(super) fn listen() -> Self {
            let ignored = ignored();
            let numbers = ENDS.map(Number::as_raw).into_iter();
            // `nohup` has it ignored, and that is to last.
            let heard = numbers.filter(|number| *number != HANGUP || ignored >> (number - 1) & 1 == 0);
            Self(heard.filter_map(|number| Some((signal(SignalKind::from_raw(number)).ok()?, 128 + number))).collect())
        }

        pub(super) async fn next(&mut self) -> i32 {
            poll_fn(|context| {
                for (signal, status) in &mut self.0 {
                    if signal.poll_recv(context) == Poll::Ready(Some(())) {
                        return Poll::Ready(*status);
                    }
                }
                Poll::Pending
            })
            .await
        }
    }

    /// The signals that are ignored, the lowest bit being signal 1 (`SigIgn` of `proc_pid_status(5)`); none where it is not known.
    fn ignored() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
    }

    pub(super) fn catch_oversize() {
        if getrlimit(Resource::Fsize).current.is_none() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        // The handler outlives its listener: from now on the signal does nothing.
        runtime.block_on(async { drop(signal(SignalKind::from_raw(Number::XFSZ.as_raw()))) });
    }
}

/// Windows: keys, and the end of the console, the session or the machine. It ends the process some seconds after each of the
/// latter, which is enough for a report.
#[cfg(windows)]
mod windows {
    use std::future::poll_fn;
    use std::task::{Context, Poll};

    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};

    /// Says whether a signal has come.
    type Listener = Box<dyn FnMut(&mut Context<'_>) -> Poll<Option<()>> + Send>;

    /// What is listened to, and the status of a process that it ends.
    pub(super) struct Signals(Vec<(Listener, i32)>);

    impl Signals {
        pub(super) fn listen() -> Self {
            let mut heard: Vec<(Listener, i32)> = Vec::new();
            macro_rules! listen {
                ($($signal:ident: $status:literal),*) => {$(
                    if let Ok(mut one) = $signal() {
                        heard.push((Box::new(move |context: &mut Context<'_>| one.poll_recv(context)), $status));
                    }
                )*};
            }
            listen!(ctrl_c: 130, ctrl_break: 130, ctrl_close: 143, ctrl_logoff: 143, ctrl_shutdown: 143);
            Self(heard)
        }

        pub(super) async fn next(&mut self) -> i32 {
            poll_fn(|context| {
                for (listener, status) in &mut self.0 {
                    if listener(context) == Poll::Ready(Some(())) {
                        return Poll::Ready(*status);
                    }
                }
                Poll::Pending
            })
            .await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_after_a_signal_hears_of_it_too() {
        let heard = watch::channel(0).0;
        let early = subscribed(&heard);
        assert!(!early.has_changed().expect("it is open"));
        heard.send_modify(|count| *count += 1);
        let mut late = subscribed(&heard);
        for listener in [&early, &late] {
            assert!(listener.has_changed().expect("it is open"));
        }
        // Once.
        late.mark_unchanged();
        assert!(!late.has_changed().expect("it is open"));
    }
}
