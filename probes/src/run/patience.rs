//! Waiting between runs, with an ear for the signals that end a run.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{RunError, signal};

/// The clock of a series of runs. Signals are heard from its beginning on: during a run, during a pause and between them. When it is
/// dropped nobody listens for it any more: a signal then ends the process as it would have.
#[derive(Debug)]
pub struct Patience {
    began: Instant,
    ended: Arc<(Mutex<bool>, Condvar)>,
    #[expect(dead_code, reason = "its end is what the listener waits for")]
    listening: oneshot::Sender<()>,
}

impl Patience {
    /// Begins to listen.
    pub fn new() -> Result<Self, RunError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RunError::Runtime)?;
        let ended = Arc::new((Mutex::new(false), Condvar::new()));
        let heard = ended.clone();
        let (listening, gone) = oneshot::channel();
        let listen = move || {
            let interrupted = runtime.block_on(async {
                tokio::select! {
                    () = signal::interrupted() => true,
                    _ = gone => false,
                }
            });
            if !interrupted {
                return;
            }
            *heard.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            heard.1.notify_all();
        };
        thread::Builder::new().name("patience".to_owned()).spawn(listen).map_err(RunError::Runtime)?;
        Ok(Self { began: Instant::now(), ended, listening })
    }

    /// The time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits; `false` when a signal came, before or meanwhile.
    pub fn pause(&self, time: Duration) -> bool {
        let (ended, heard) = &*self.ended;
        let guard = ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = heard.wait_timeout_while(guard, time, |ended| !*ended);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_takes_its_time() {
        let patience = Patience::new().expect("a runtime");
        assert!(patience.pause(Duration::from_millis(30)));
        assert!(patience.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn a_pause_after_a_signal_is_none() {
        let patience = Patience::new().expect("a runtime");
        *patience.ended.0.lock().expect("a lock") = true;
        assert!(!patience.pause(Duration::from_mins(1)));
        assert!(patience.elapsed() < Duration::from_secs(30));
    }
}
