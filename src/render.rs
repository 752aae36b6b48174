//! The faces of a report: one format a file, each written to the `Write` it is given.
//!
//! A face decides nothing: it takes the report as it is. Everything that was observed is untrusted text, and [`page`] makes
//! it inert before it reaches a terminal.

use std::io::{self, Write};

use crate::diagnose::finding::Owner;
use crate::report::{FailOn, Report, exit_status};
use page::Style;

pub mod compact;
pub mod compare;
pub mod explain;
pub mod fleet;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod markup;
pub mod metrics;
pub mod ndjson;
pub mod page;
pub mod plan;
pub mod table;
mod ticket;
pub mod what_if;
mod words;

/// Formats of a report (`--format`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// Everything, for machines.
    Json,
    /// One flat line an endpoint and finding, for log collectors.
    Ndjson,
    /// At most 4,000 bytes of ASCII, for Azure Run Command.
    Compact,
    /// One page with everything in it.
    Html,
    /// For tickets and pull requests: the answer, then the rest, folded.
    Markdown,
    /// A ticket for this owner, in Markdown.
    Ticket(Owner),
    /// Test cases, for pipelines.
    Junit,
    /// `OpenMetrics` text, for the textfile collector of Prometheus' node exporter.
    Metrics,
}

/// Writes the report of a run whose exit status counts from this severity.
pub fn write(format: Format, report: &Report, fail_on: FailOn, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let status = exit_status(report, fail_on);
    match format {
        Format::Table => table::write(report, style, out),
        Format::Json => json::write(report, out),
        Format::Ndjson => ndjson::write(report, out),
        Format::Compact => compact::write(report, status, out),
        Format::Html => html::write(report, status, out),
        Format::Markdown => markdown::write(report, out),
        Format::Ticket(owner) => markdown::write_ticket(report, owner, out),
        Format::Junit => junit::write(report, fail_on, out),
        Format::Metrics => metrics::write(report, status, out),
    }
}

#[cfg(test)]
mod redacted;
