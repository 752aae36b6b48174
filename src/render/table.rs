//! The report for people: one screen that holds the answer, or everything behind it.
//!
//! It is made to be read on a terminal and in a ticket: no colour needed, and every command on a line of its own.

use std::io::{self, Write};

use crate::diagnose::finding::{Finding, Severity};
use crate::render::page::{Detail, Page, Style, Tint};
use crate::render::words::machine;
use crate::report::{AgentReport, Note, Report};
use crate::text::duration_ms;

mod browsers;
pub(super) mod causes;
mod endpoints;
pub(super) mod matrix;
pub(super) mod root;
mod screen;

/// Writes the report.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, *style);
    match style.detail {
        Detail::Answer => page.wrapped(screen::tint(report), "", "  ", &report.verdict.headline),
        Detail::Usual => screen::paragraphs(report, style).iter().try_for_each(|paragraph| page.put(paragraph)),
        Detail::More | Detail::Everything => everything(report, &mut page),
    }
}

fn everything(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let style = page.style;
    screen::headline(report, &style).iter().try_for_each(|paragraph| page.put(paragraph))?;
    about(report, page)?;
    agents(report, page)?;
    page.blank()?;
    matrix::lines(report, &style, false, |_| true).iter().try_for_each(|paragraph| page.put(paragraph))?;
    page.wrapped(Tint::Plain, "", "", &endpoints::counted(report))?;
    causes::write(report, page)?;
    endpoints::write(report, page)?;
    browsers::write(report, page)?;
    notes(report, page)?;
    page.blank()?;
    // A terminal shows the end: so the answer stands there again.
    screen::headline(report, &style).iter().try_for_each(|paragraph| page.put(paragraph))?;
    let roots: Vec<&Finding> = report.roots().filter(|root| root.severity > Severity::Info).collect();
    screen::foot(report, &style, &roots).iter().try_for_each(|paragraph| page.put(paragraph))
}

fn about(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let host = &report.host;
    let mut parts = vec![host.os.clone()];
    if let Some(azure) = &host.azure {
        parts.push(format!("Azure {}", azure.region.as_deref().unwrap_or("(region unknown)")));
        parts.extend(azure.subnet.iter().map(|subnet| format!("subnet {subnet}")));
        parts.extend(azure.resource_id.clone());
    }
    parts.push(format!("{:.0}", report.run.started_at));
    parts.push(duration_ms(report.run.elapsed_ms));
    parts.push(format!("ampls-doctor {}", report.tool.version));
    parts.retain(|part| !part.is_empty());
    page.wrapped(Tint::Plain, "", "  ", &parts.join(", "))?;
    let unseen = report.unseen();
    if unseen.is_empty() {
        return Ok(());
    }
    page.wrapped(Tint::Plain, "Not looked at: ", "  ", &unseen.join("; "))
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
    let (answered, open): (Vec<&Note>, Vec<&Note>) = report.notes.iter().partition(|note| note.answered);
    let asked = format!("Not visible from {}. Check in Azure:", machine(report));
    for (title, notes) in [("In Azure:", answered), (asked.as_str(), open)] {
        listed(title, &notes, page)?;
    }
    Ok(())
}

fn listed(title: &str, notes: &[&Note], page: &mut Page<'_>) -> io::Result<()> {
    if notes.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.line(Tint::Bold, title)?;
    for note in notes {
        page.wrapped(Tint::Plain, "- ", "  ", &note.text)?;
        if let Some(command) = &note.command {
            page.line(Tint::Plain, &format!("    {}", command.as_str()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
