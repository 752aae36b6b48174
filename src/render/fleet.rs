//! Many machines in each format, one a file. Everything that came from reports is untrusted text in each of them.

use std::io::{self, Write};

use super::json;
use super::page::Style;
use crate::diagnose::finding::{Certainty, Owner};
use crate::facts_file::InAzure;
use crate::fleet::{Counted, Group, Picture, Whole, rows};
use crate::text::{quote, thousands};

mod csv;
mod html;
mod markdown;
mod metrics;
mod table;

/// Formats of `fleet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people: one screen.
    Table,
    /// The picture, for machines.
    Json,
    /// One flat line a machine and cause.
    Ndjson,
    /// The same for spreadsheets.
    Csv,
    /// For tickets and pull requests.
    Markdown,
    /// One page that needs no network.
    Html,
    /// `OpenMetrics` text.
    Metrics,
}

/// Writes many machines.
pub fn write(format: Format, whole: &Whole, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table => table::write(&whole.picture, style, out),
        Format::Json => json::write(&whole.picture, out),
        Format::Ndjson => rows(whole).try_for_each(|row| json::write_line(&row, out)),
        Format::Csv => csv::write(whole, out),
        Format::Markdown => markdown::write(&whole.picture, out),
        Format::Html => html::write(whole, out),
        Format::Metrics => metrics::write(&whole.picture, out),
    }
}

/// A number of things, with their word.
fn many(number: usize, one: &str, several: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { several })
}

/// A number of machines.
pub(crate) fn machines(number: usize) -> String {
    many(number, "machine", "machines")
}

/// How the machines are, in one line.
fn headline(picture: &Picture) -> String {
    let all = &picture.machines;
    let counts = [
        (all.error, "broken"),
        (all.warning, "with warnings"),
        (all.ok, "without a fault"),
        (all.unexamined, "not examined"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", thousands(*count)))
        .collect();
    format!("{}: {}", machines(all.seen), counts.join(", "))
}

/// How many causes there are, and what was read, in one line.
fn summary(picture: &Picture) -> String {
    let mut parts = vec![many(picture.causes().count(), "cause", "causes")];
    let outliers = picture.outliers().count();
    if outliers > 0 {
        parts.push(many(outliers, "fault of one machine alone", "faults of one machine alone"));
    }
    if let (Some(oldest), Some(newest)) = (picture.machines.oldest, picture.machines.newest) {
        let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
        let (first, last) = (day(oldest), day(newest));
        parts.push(if first == last { format!("reports of {first}") } else { format!("reports of {first} to {last}") });
    }
    if picture.machines.incomplete > 0 {
        parts.push(format!("findings of {} are missing", machines(picture.machines.incomplete)));
    }
    if picture.machines.not_named > 0 {
        parts.push(format!("digests of {} do not name all", machines(picture.machines.not_named)));
    }
    if picture.machines.redacted > 0 {
        parts.push(format!("{} redacted", thousands(picture.machines.redacted)));
    }
    parts.extend(picture.in_azure.as_ref().map(InAzure::sentence));
    parts.join("; ")
}

/// What could not be read, in one line; `None` where all was.
pub(crate) fn broken(picture: &Picture) -> Option<String> {
    let inputs = &picture.inputs;
    let first = inputs.broken_named.first()?;
    let count = many(usize::try_from(inputs.broken).unwrap_or(usize::MAX), "input was", "inputs were");
    Some(format!("{count} not read, e.g. {}: {}", quote(&first.input), first.why))
}

/// The most common values, and how many more there are.
fn most(values: &[Counted], named: usize, all: usize) -> String {
    let shown = |value: &Counted| {
        if value.machines == all {
            value.value.clone()
        } else {
            format!("{} ({})", value.value, thousands(value.machines))
        }
    };
    let mut shown: Vec<String> = values.iter().take(named).map(shown).collect();
    let more = values.len().saturating_sub(named);
    if more > 0 {
        shown.push(format!("{} more", thousands(more)));
    }
    shown.join(", ")
}

/// The cause in a few words, and whether it is no more than the best reading.
fn titled(group: &Group) -> String {
    let likely = if group.certainty == Some(Certainty::Likely) { " (likely)" } else { "" };
    format!("{}{likely}", group.title)
}

/// What a sentence calls those who repair it.
fn team(owner: Option<Owner>) -> &'static str {
    owner.map_or("not known", super::ticket::team)
}

#[cfg(test)]
mod tests;
