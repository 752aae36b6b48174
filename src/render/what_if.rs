//! A prediction for people: its coverage first, then how many machines break, then which and why.

use std::io::{self, Write};

use crate::diagnose::facts::Route;
use crate::render::page::{Detail, Page, Style, Tint};
use crate::text::thousands;
use crate::what_if::{Fate, MachinePrediction, NamePrediction, WhatIf};

/// Machines listed on one screen.
const LISTED: usize = 6;
/// Records that are listed.
const RECORDS: usize = 20;

/// Writes the prediction.
pub fn write(what_if: &WhatIf, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, *style);
    page.wrapped(Tint::Plain, "", "  ", &capital(&what_if.coverage.sentence))?;
    if let Some(first) = what_if.coverage.unusable_named.first() {
        let count = usize::try_from(what_if.coverage.unusable).unwrap_or(usize::MAX);
        let inputs = if count == 1 { "input is" } else { "inputs are" };
        page.wrapped(Tint::Yellow, "", "  ", &format!("{} {inputs} not in it, e.g. {first}", thousands(count)))?;
    }
    for change in &what_if.changes {
        page.wrapped(Tint::Bold, "If  ", "    ", change)?;
    }
    let counts = &what_if.machines;
    let all = [
        (counts.breaks, "break"),
        (counts.unknown, "not known"),
        (counts.improves, "improve"),
        (counts.same, "as before"),
    ];
    let words: Vec<String> = all
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", thousands(*count)))
        .collect();
    let tint = match (counts.breaks, counts.unknown) {
        (1.., _) => Tint::Red,
        (0, 1..) => Tint::Yellow,
        _ => Tint::Green,
    };
    page.wrapped(
        tint,
        "",
        "  ",
        &format!("of {} machines: {}", thousands(what_if.coverage.machines), words.join(", ")),
    )?;
    if style.detail == Detail::Answer {
        return Ok(());
    }
    let limit = if style.detail > Detail::Usual { usize::MAX } else { LISTED };
    let touched: Vec<&MachinePrediction> = what_if
        .predictions
        .iter()
        .filter(|it| it.fate != Fate::Same || it.names.iter().any(|name| name.fate != Fate::Same))
        .collect();
    for machine in touched.iter().take(limit) {
        self::machine(machine, &mut page)?;
    }
    let more = touched.len().saturating_sub(limit);
    if more > 0 {
        page.blank()?;
        page.line(Tint::Plain, &format!("{} more (-v)", thousands(more)))?;
    }
    records(what_if, &mut page)
}

fn machine(machine: &MachinePrediction, page: &mut Page<'_>) -> io::Result<()> {
    page.blank()?;
    page.wrapped(tint(machine.fate), "", "  ", &format!("{}: {}", machine.host, word(machine.fate)))?;
    let all = page.style.detail > Detail::Usual;
    for name in machine.names.iter().filter(|name| all || name.fate != Fate::Same) {
        let label = |route: Option<Route>| route.map_or("?", Route::label);
        let required = if name.need == ampls_probes::endpoint::Need::Required { "" } else { ", not required" };
        let (before, after) = (label(name.before), label(name.after));
        let text = format!("{}: {before} -> {after}: {} ({}{required})", name.fqdn, word(name.fate), name.why);
        page.wrapped(tint(name.fate), "  ", "      ", &text)?;
    }
    machine.follows.iter().try_for_each(|what| page.wrapped(Tint::Plain, "  And ", "      ", what))
}

/// What would save the names that break.
fn records(what_if: &WhatIf, page: &mut Page<'_>) -> io::Result<()> {
    let names = what_if.predictions.iter().flat_map(|machine| &machine.names);
    let mut saving: Vec<&String> = names.filter_map(|name: &NamePrediction| name.saved_by.as_ref()).collect();
    saving.sort();
    saving.dedup();
    if saving.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.line(Tint::Bold, "What would save the names that break")?;
    saving.iter().take(RECORDS).try_for_each(|change| page.line(Tint::Plain, &format!("  {change}")))?;
    let more = saving.len().saturating_sub(RECORDS);
    if more > 0 { page.line(Tint::Plain, &format!("  {} more", thousands(more))) } else { Ok(()) }
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Breaks => "breaks",
        Fate::Unknown => "not known",
        Fate::Improves => "improves",
        Fate::Same => "as before",
    }
}

fn tint(fate: Fate) -> Tint {
    match fate {
        Fate::Breaks => Tint::Red,
        Fate::Unknown => Tint::Yellow,
        Fate::Improves => Tint::Green,
        Fate::Same => Tint::Plain,
    }
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
