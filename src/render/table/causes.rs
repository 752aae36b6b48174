//! The findings in every detail: roots in full, what they explain folded away.

use std::io;

use crate::diagnose::command::Command;
use crate::diagnose::finding::{Advice, Finding, Fix, Severity};
use crate::render::page::{Detail, Page, Tint};
use crate::render::words::{self, label, reach, team};
use crate::report::Report;

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    for root in report.roots() {
        page.blank()?;
        cause(report, root, page)?;
    }
    Ok(())
}

fn cause(report: &Report, root: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let (word, tint) = (words::severity(root.severity), tint(root.severity));
    let head =
        format!("{word} {} {} (who: {}, {})", root.code, root.name, team(report, root.owner), root.certainty.as_str());
    page.wrapped(tint, "", "  ", &head)?;
    page.wrapped(Tint::Bold, "  ", "  ", &root.title)?;
    if !root.summary.is_empty() {
        page.wrapped(Tint::Plain, "  ", "  ", &root.summary)?;
    }
    for evidence in &root.evidence {
        page.wrapped(Tint::Plain, "  evidence   ", "             ", evidence)?;
    }
    for excluded in &root.excludes {
        page.wrapped(Tint::Plain, "  Not        ", "             ", excluded)?;
    }
    let mut changes = 0;
    for fix in &root.fix {
        changes += usize::from(!fix.read_only);
        remedy(label(fix, changes == 1), fix, page)?;
    }
    explains(report, root, page)?;
    page.wrapped(Tint::Plain, "  more       ", "             ", &format!("ampls-doctor explain {}", root.code))
}

pub(in crate::render) fn remedy(label: &str, fix: &Fix, page: &mut Page<'_>) -> io::Result<()> {
    let mut text = fix.text.clone();
    if !fix.read_only {
        text = format!("{text} (affects {})", reach(fix.blast_radius));
    }
    page.wrapped(Tint::Bold, &format!("  {label:10} "), "             ", &text)?;
    if let Some(check) = &fix.check_first {
        advice("Before you change anything:", check, page)?;
    }
    if let Some(right) = &fix.needs {
        page.wrapped(Tint::Plain, "  needs      ", "             ", right)?;
    }
    if let Some(policy) = &fix.policy {
        page.wrapped(Tint::Plain, "  policy     ", "             ", policy)?;
    }
    if !fix.commands.is_empty() {
        if !fix.read_only {
            page.line(Tint::Plain, "  Run:")?;
        }
        commands(&fix.commands, page)?;
    }
    if let Some(undo) = &fix.undo {
        advice("Undo:", undo, page)?;
    }
    Ok(())
}

/// A sentence beside its label, then the commands on lines of their own.
fn advice(label: &str, advice: &Advice, page: &mut Page<'_>) -> io::Result<()> {
    if advice.text.is_empty() {
        page.line(Tint::Plain, &format!("  {label}"))?;
    } else {
        page.wrapped(Tint::Plain, &format!("  {label:10} "), "             ", &advice.text)?;
    }
    commands(&advice.commands, page)
}

/// Each line by itself, never broken: to be copied.
fn commands(commands: &[Command], page: &mut Page<'_>) -> io::Result<()> {
    commands.iter().try_for_each(|command| page.line(Tint::Plain, &format!("    {}", command.as_str())))
}

fn explains(report: &Report, root: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let symptoms: Vec<_> = report.explained_by(root).collect();
    if symptoms.is_empty() {
        return Ok(());
    }
    if page.style.detail >= Detail::Everything {
        for symptom in symptoms {
            let text = format!("{} {}: {}", symptom.code, symptom.name, symptom.title);
            page.wrapped(Tint::Plain, "  explains   ", "             ", &text)?;
        }
        return Ok(());
    }
    let mut codes: Vec<&str> = Vec::new();
    for symptom in &symptoms {
        if !codes.contains(&symptom.code.as_str()) {
            codes.push(&symptom.code);
        }
    }
    let text = format!("{} more: {}", symptoms.len(), codes.join(", "));
    page.wrapped(Tint::Plain, "  explains   ", "             ", &text)
}

fn tint(severity: Severity) -> Tint {
    match severity {
        Severity::Error => Tint::Red,
        Severity::Warning => Tint::Yellow,
        Severity::Info => Tint::Bold,
    }
}
