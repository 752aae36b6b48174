//! The signals that end a run: SIGINT and SIGTERM, Ctrl-C on Windows.
//!
//! Once tokio has been asked for a signal, the system's own answer to it is gone for the rest of the process. So one thread
//! listens as long as the process lives: while a run listens too it tells the run; otherwise (the report is being written, to
//! a pipe that nobody reads perhaps) the signal ends the process as it would have.

use std::process;
use std::sync::OnceLock;
use std::thread;

use tokio::sync::watch;

/// Signals heard so far.
static HEARD: OnceLock<watch::Sender<u64>> = OnceLock::new();

/// Returns when the run is to end; never, where signals cannot be heard.
pub(super) async fn interrupted() {
    let mut heard = HEARD.get_or_init(listening).subscribe();
    if heard.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn listening() -> watch::Sender<u64> {
    let (sender, _) = watch::channel(0);
    let told = sender.clone();
    let listen = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            loop {
                let status = signalled().await;
                if told.receiver_count() == 0 {
                    process::exit(status);
                }
                told.send_modify(|count: &mut u64| *count = count.wrapping_add(1));
            }
        });
    };
    // Without the thread nothing is asked of tokio, and a signal ends the process as it always does.
    let _ = thread::Builder::new().name("signals".to_owned()).spawn(listen);
    sender
}

/// The next signal, as the exit status that shells give a process that it ended.
async fn signalled() -> i32 {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupt => 130,
        () = terminated() => 143,
    }
}

#[cfg(unix)]
async fn terminated() {
    let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    if signal.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
