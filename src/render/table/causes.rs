//! The findings: roots in full, what they explain folded away.

use std::io;

use crate::diagnose::finding::{BlastRadius, Certainty, Finding, Fix, Owner, Severity};
use crate::render::page::{Page, Tint};
use crate::report::Report;

/// Lines of evidence shown unless everything is asked for.
const EVIDENCE: usize = 6;

/// Programs whose names begin a command; what else stands in `check_first` is a sentence.
const PROGRAMS: &[&str] = &[
    "az",
    "azcmagent",
    "curl",
    "dig",
    "getent",
    "grep",
    "ip",
    "ipconfig",
    "nc",
    "nslookup",
    "openssl",
    "resolvectl",
    "ss",
    "sudo",
    "systemctl",
    "Get-DnsClientServerAddress",
    "Resolve-DnsName",
    "Test-NetConnection",
];

/// The roots by their titles alone.
pub(super) fn write_titles(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    for root in report.roots().filter(|root| root.severity > Severity::Info) {
        title(root, page)?;
    }
    Ok(())
}

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let brief = |root: &&Finding| root.severity == Severity::Info && !page_is_verbose(page);
    let (brief, full): (Vec<_>, Vec<_>) = report.roots().partition(brief);
    for root in full {
        page.blank()?;
        cause(report, root, page)?;
    }
    if !brief.is_empty() {
        page.blank()?;
    }
    for root in brief {
        title(root, page)?;
    }
    Ok(())
}

fn page_is_verbose(page: &Page<'_>) -> bool {
    page.style.verbose
}

fn title(root: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let (word, tint) = severity(root.severity);
    let tint = if root.severity == Severity::Info { Tint::Plain } else { tint };
    page.wrapped(tint, "", "  ", &format!("{word} {} {}: {}", root.code, root.name, root.title))
}

fn cause(report: &Report, root: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let (word, tint) = severity(root.severity);
    let head = format!("{word} {} {} (owner: {}, {})", root.code, root.name, owner(root.owner), sure(root.certainty));
    page.wrapped(tint, "", "  ", &head)?;
    page.wrapped(Tint::Bold, "  ", "  ", &root.title)?;
    if !root.summary.is_empty() {
        page.wrapped(Tint::Plain, "  ", "  ", &root.summary)?;
    }
    let shown = if page.style.verbose { root.evidence.len() } else { EVIDENCE };
    for evidence in root.evidence.iter().take(shown) {
        page.wrapped(Tint::Plain, "  seen       ", "             ", evidence)?;
    }
    if let Some(more) = root.evidence.len().checked_sub(shown).filter(|more| *more > 0) {
        page.line(Tint::Plain, &format!("             and {more} more (-v shows them)"))?;
    }
    for excluded in &root.excludes {
        page.wrapped(Tint::Plain, "  ruled out  ", "             ", excluded)?;
    }
    for (number, fix) in root.fix.iter().enumerate() {
        remedy(number, fix, page)?;
    }
    explains(report, root, page)?;
    page.wrapped(Tint::Plain, "  read on    ", "             ", &format!("ampls-doctor explain {}", root.code))
}

fn remedy(number: usize, fix: &Fix, page: &mut Page<'_>) -> io::Result<()> {
    let first = if number == 0 { "  fix        " } else { "  or         " };
    let first = if fix.read_only { "  look       " } else { first };
    let mut text = fix.text.clone();
    if !fix.read_only {
        text = format!("{text} (changes {})", reach(fix.blast_radius));
    }
    page.wrapped(Tint::Bold, first, "             ", &text)?;
    if let Some(check) = &fix.check_first {
        command("look first", check, page)?;
    }
    if let Some(change) = &fix.command {
        let label = if fix.check_first.is_some() { "then run" } else { "run" };
        page.line(Tint::Plain, &format!("  {label}"))?;
        page.line(Tint::Plain, &format!("    {change}"))?;
    }
    if let Some(undo) = &fix.undo {
        command("to undo", undo, page)?;
    }
    Ok(())
}

/// A command on a line of its own, or a sentence beside its label.
fn command(label: &str, text: &str, page: &mut Page<'_>) -> io::Result<()> {
    let program = text.split(' ').next().unwrap_or_default();
    if !PROGRAMS.contains(&program) {
        return page.wrapped(Tint::Plain, &format!("  {label:10} "), "             ", text);
    }
    page.line(Tint::Plain, &format!("  {label}"))?;
    page.line(Tint::Plain, &format!("    {text}"))
}

fn explains(report: &Report, root: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let symptoms: Vec<_> = report.explained_by(root).collect();
    if symptoms.is_empty() {
        return Ok(());
    }
    if page.style.verbose {
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

fn severity(severity: Severity) -> (&'static str, Tint) {
    match severity {
        Severity::Error => ("ERROR", Tint::Red),
        Severity::Warning => ("WARNING", Tint::Yellow),
        Severity::Info => ("info", Tint::Bold),
    }
}

fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Dns => "DNS",
        Owner::Network => "network",
        Owner::Monitor => "Azure Monitor",
        Owner::Os => "this machine",
        Owner::Security => "security",
    }
}

fn sure(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proven => "proven",
        Certainty::Likely => "likely",
    }
}

fn reach(radius: BlastRadius) -> &'static str {
    match radius {
        BlastRadius::Machine => "this machine only",
        BlastRadius::Vnet => "every machine of this virtual network",
        BlastRadius::EveryNetworkOnThisDns => "every network that uses this DNS",
    }
}
