//! The findings: roots in full, what they explain folded away.

use std::io;

use crate::diagnose::finding::{BlastRadius, Certainty, Finding, Fix, Owner, Severity};
use crate::render::page::{Detail, Page, Tint};
use crate::report::Report;

/// Lines of evidence shown unless everything is asked for.
const EVIDENCE: usize = 4;

/// Programs whose names begin a command; what else stands in `check_first` is a sentence. `PowerShell` shows by its verbs.
const PROGRAMS: &[&str] = &[
    "az",
    "azcmagent",
    "cat",
    "curl",
    "dig",
    "getent",
    "grep",
    "host",
    "ip",
    "ipconfig",
    "named-checkconf",
    "nc",
    "nslookup",
    "openssl",
    "resolvectl",
    "rndc",
    "ss",
    "sudo",
    "systemctl",
    "timedatectl",
    "unbound-checkconf",
];

/// The roots by their titles alone.
pub(super) fn write_titles(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    for root in report.roots().filter(|root| root.severity > Severity::Info) {
        title(root, page)?;
    }
    Ok(())
}

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let brief = |root: &&Finding| root.severity == Severity::Info && page.style.detail != Detail::Everything;
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
    let shown = if page.style.detail == Detail::Everything { root.evidence.len() } else { EVIDENCE };
    for evidence in root.evidence.iter().take(shown) {
        page.wrapped(Tint::Plain, "  seen       ", "             ", evidence)?;
    }
    if let Some(more) = root.evidence.len().checked_sub(shown).filter(|more| *more > 0) {
        page.line(Tint::Plain, &format!("             and {more} more (-v shows them)"))?;
    }
    for excluded in &root.excludes {
        page.wrapped(Tint::Plain, "  ruled out  ", "             ", excluded)?;
    }
    let mut label = "fix";
    for fix in &root.fix {
        remedy(if fix.read_only { "check" } else { label }, fix, page)?;
        if !fix.read_only {
            label = "or";
        }
    }
    explains(report, root, page)?;
    page.wrapped(Tint::Plain, "  read on    ", "             ", &format!("ampls-doctor explain {}", root.code))
}

fn remedy(label: &str, fix: &Fix, page: &mut Page<'_>) -> io::Result<()> {
    let mut text = fix.text.clone();
    if !fix.read_only {
        text = format!("{text} (changes {})", reach(fix.blast_radius));
    }
    page.wrapped(Tint::Bold, &format!("  {label:10} "), "             ", &text)?;
    if let Some(check) = &fix.check_first {
        advice("look first", check, page)?;
    }
    if let Some(change) = &fix.command {
        if !fix.read_only {
            page.line(Tint::Plain, if fix.check_first.is_some() { "  then run" } else { "  run" })?;
        }
        commands(change, page)?;
    }
    if let Some(undo) = &fix.undo {
        advice("to undo", undo, page)?;
    }
    Ok(())
}

/// A command on lines of its own, or a sentence beside its label, or a command and what to bear in mind with it.
fn advice(label: &str, text: &str, page: &mut Page<'_>) -> io::Result<()> {
    let (command, sentence) = parts(text);
    let label = format!("  {label:10} ");
    if command.is_empty() || !sentence.is_empty() {
        page.wrapped(Tint::Plain, &label, "             ", sentence)?;
    } else {
        page.line(Tint::Plain, &label)?;
    }
    commands(command, page)
}

/// Text such as `az … list; mind this` or `az … list (mind this)`, taken apart. Either part may be empty.
pub(in crate::render) fn parts(text: &str) -> (&str, &str) {
    if !is_command(text) {
        return ("", text);
    }
    // Two commands may be joined in the same way.
    let sentence = text.match_indices("; ").find(|(at, join)| !text.get(at + join.len()..).is_some_and(is_command));
    if let Some((at, join)) = sentence {
        return (text.get(..at).unwrap_or_default(), text.get(at + join.len()..).unwrap_or_default());
    }
    let aside = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    aside.unwrap_or((text, ""))
}

fn is_command(text: &str) -> bool {
    let program = text.split([' ', '\n']).next().unwrap_or_default();
    let cmdlet = program
        .split_once('-')
        .is_some_and(|(verb, noun)| [verb, noun].iter().all(|part| part.starts_with(|c: char| c.is_ascii_uppercase())));
    cmdlet || PROGRAMS.contains(&program)
}

/// Each line by itself, never broken: to be copied.
fn commands(text: &str, page: &mut Page<'_>) -> io::Result<()> {
    for line in text.lines() {
        page.line(Tint::Plain, &format!("    {line}"))?;
    }
    Ok(())
}

fn explains(report: &Report, root: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let symptoms: Vec<_> = report.explained_by(root).collect();
    if symptoms.is_empty() {
        return Ok(());
    }
    if page.style.detail == Detail::Everything {
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

/// An owner in a word or two.
pub(in crate::render) fn owner(owner: Owner) -> &'static str {
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

/// How far a change reaches.
pub(in crate::render) fn reach(radius: BlastRadius) -> &'static str {
    match radius {
        BlastRadius::Machine => "this machine only",
        BlastRadius::Vnet => "every machine of this virtual network",
        BlastRadius::EveryNetworkOnThisDns => "every network that uses this DNS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_from_what_is_said_about_it() {
        let query = "az x list --query \"[?contains(a, 'b')]\" -o table";
        assert_eq!(parts(query), (query, ""));
        assert_eq!(parts("az x list (an empty zone breaks names)"), ("az x list", "an empty zone breaks names"));
        assert_eq!(parts("Get-DnsServerZone | fl; mind others"), ("Get-DnsServerZone | fl", "mind others"));
        assert_eq!(parts("dig @10.1.0.4; dig @10.1.0.5"), ("dig @10.1.0.4; dig @10.1.0.5", ""));
        assert_eq!(parts("remove these lines, then: rndc reconfig"), ("", "remove these lines, then: rndc reconfig"));
    }
}
