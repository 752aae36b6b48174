//! What is being waited for, on standard error, and only if a person looks at it.

use std::io::{IsTerminal, stderr};

use ampls_probes::run::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::render::page::inert;

/// A line that shows how far a run has come, and is gone when the run is over.
#[derive(Debug)]
pub(super) struct ProgressLine {
    bar: ProgressBar,
}

impl ProgressLine {
    /// A line on a terminal; nothing at all elsewhere or when `quiet`.
    pub(super) fn new(quiet: bool) -> Self {
        let bar = ProgressBar::no_length();
        bar.set_draw_target(if quiet || !stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        });
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} looked at, {elapsed}; {wide_msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Shows how far it is.
    pub(super) fn show(&self, progress: &Progress) {
        self.bar.set_length(u64::try_from(progress.total).unwrap_or(u64::MAX));
        self.bar.set_position(u64::try_from(progress.done).unwrap_or(u64::MAX));
        let waiting = progress.waiting_for.as_deref().unwrap_or_default();
        self.bar.set_message(if waiting.is_empty() {
            String::new()
        } else {
            format!("waiting for {}", inert(waiting))
        });
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
