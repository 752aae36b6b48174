//! The browsers in one line.

use std::io;

use ampls_probes::observation::Asks;

use crate::render::page::{Page, Tint};
use crate::report::Report;

/// Browsers named before the rest is counted.
const NAMED: usize = 6;

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let mut words: Vec<String> = Vec::new();
    for browser in &report.browsers {
        let word = format!("{} {}", browser.name, asks(browser.asks));
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.is_empty() {
        return Ok(());
    }
    let more = words.len().saturating_sub(NAMED);
    words.truncate(NAMED);
    if more > 0 {
        words.push(format!("{more} more"));
    }
    page.blank()?;
    page.wrapped(Tint::Plain, "", "  ", &format!("browsers: {}", words.join(", ")))
}

fn asks(asks: Asks) -> &'static str {
    match asks {
        Asks::System => "asks this machine's resolver",
        Asks::EncryptedFirst => "asks encrypted first",
        Asks::EncryptedOnly => "asks encrypted only",
    }
}
