//! What tests need of the machine beside the Rust toolchain, a C compiler and the programs that every Debian has.
//!
//! A test that misses something is skipped and says so at once; the last line of the whole run says how many were skipped and
//! what they need. Where the environment variable `CI` is set nothing may be skipped: there a missing program is a failure.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

/// How many tests were skipped, and what they need.
static SKIPPED: Mutex<(usize, BTreeSet<String>)> = Mutex::new((0, BTreeSet::new()));

/// Whether all of these programs are installed; without one of them the test is skipped.
pub(super) fn programs(names: &[&str]) -> bool {
    let missing: Vec<&str> = names.iter().copied().filter(|name| !on_path(name)).collect();
    missing.is_empty() || without(&missing.join(", "))
}

/// Skips the test for want of something, or of several things with `, ` between them; always `false`.
pub(super) fn without(need: &str) -> bool {
    static LAST_LINE: Once = Once::new();

    let required = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!required, "this test needs {need} (see .ci/packages), and where CI is set it must not be skipped");
    LAST_LINE.call_once(|| {
        shutdown_hooks::add_shutdown_hook(summary);
    });
    let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    skipped.0 += 1;
    skipped.1.extend(need.split(", ").map(str::to_owned));
    let thread = std::thread::current();
    say(&format!("SKIPPED {}: needs {need}", thread.name().unwrap_or_default()));
    false
}

extern "C" fn summary() {
    let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    let needs: Vec<&str> = skipped.1.iter().map(String::as_str).collect();
    say(&format!("skipped {}: needs {}", skipped.0, needs.join(", ")));
}

/// A line that the test harness does not hide, as it would that of `eprintln!`.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether a program can be found.
pub(super) fn on_path(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}
