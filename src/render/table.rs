//! The report for people: the answer, the matrix of zones and resolvers, the causes with their fixes, then the rest.
//!
//! It is made to be read in a ticket: 80 columns, no colour needed, and every command on a line of its own.

use std::io::{self, Write};

use crate::render::page::{Detail, Page, Style, Tint};
use crate::report::{AgentReport, Health, Report};
use crate::text::duration_ms;

mod browsers;
pub(super) mod causes;
mod endpoints;
pub(super) mod matrix;

/// Writes the report.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, *style);
    headline(report, &mut page)?;
    if style.detail == Detail::Answer {
        return causes::write_titles(report, &mut page);
    }
    machine(report, &mut page)?;
    agents(report, &mut page)?;
    matrix::write(report, &mut page)?;
    causes::write(report, &mut page)?;
    endpoints::write(report, &mut page)?;
    browsers::write(report, &mut page)?;
    notes(report, &mut page)
}

fn headline(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let tint = match report.verdict.health {
        Health::Ok => Tint::Green,
        Health::Warning => Tint::Yellow,
        Health::Error => Tint::Red,
    };
    page.wrapped(tint, "", "  ", &report.verdict.headline)
}

fn machine(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let host = &report.host;
    let mut parts = vec![host.name.clone(), host.os.clone()];
    if let Some(azure) = &host.azure {
        parts.push(format!("Azure {}", azure.region.as_deref().unwrap_or("(region unknown)")));
        parts.extend(azure.subnet.iter().map(|subnet| format!("subnet {subnet}")));
    }
    parts.push(format!("{:.0}", report.run.started_at));
    parts.push(duration_ms(report.run.elapsed_ms));
    if report.redacted.is_some() {
        parts.push("redacted".to_owned());
    }
    parts.retain(|part| !part.is_empty());
    page.wrapped(Tint::Plain, "", "  ", &parts.join(", "))
}

/// One line for all agents: `agents: ama 1.33.1 running, oms 1.12.24-0 stopped (needs 1.12.25)`.
fn agents(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.agents.is_empty() {
        return Ok(());
    }
    let described = |agent: &AgentReport| {
        let mut text = agent.kind.as_str().to_owned();
        text.extend(agent.version.iter().map(|version| format!(" {version}")));
        text.push_str(match agent.running {
            Some(true) => " running",
            Some(false) => " not running",
            None => "",
        });
        let minimum = agent.minimum.as_deref().filter(|_| agent.meets_minimum == Some(false));
        text.extend(minimum.map(|minimum| format!(" (needs {minimum})")));
        text
    };
    let all = report.agents.iter().map(described).collect::<Vec<_>>().join(", ");
    page.wrapped(Tint::Plain, "agents: ", "  ", &all)
}

fn notes(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.notes.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.line(Tint::Bold, "Not visible from this machine")?;
    for note in &report.notes {
        page.wrapped(Tint::Plain, "- ", "  ", &note.text)?;
        if let Some(command) = &note.command {
            page.line(Tint::Plain, &format!("    {}", command.as_str()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
