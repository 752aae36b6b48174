//! Worlds for the tests of this crate.

use crate::scenario::Scenario;
use crate::start::{Running, start};

/// A scenario that differs from the healthy one by some lines.
pub(crate) fn scenario(lines: &str) -> Scenario {
    let text = format!("title = \"t\"\nstory = \"s\"\n{lines}");
    match Scenario::parse("test", &text) {
        Ok(scenario) => scenario,
        Err(error) => panic!("{error}"),
    }
}

/// The same, running.
pub(crate) fn world(lines: &str) -> Running {
    match start(&scenario(lines)) {
        Ok(running) => running,
        Err(error) => panic!("{error}"),
    }
}
