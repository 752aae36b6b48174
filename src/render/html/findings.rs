//! The findings: roots in full with their fixes, what they explain folded below them.

use std::io::{self, Write};

use super::{commands, prose, safe};
use crate::diagnose::command::Command;
use crate::diagnose::finding::{Advice, Finding, Fix, Severity};
use crate::render::words::{label, reach, team};
use crate::report::Report;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<section><h2>Findings</h2>")?;
    if report.findings.is_empty() {
        writeln!(out, "<p class=\"card\">Nothing was found that needs a fix.</p>")?;
    }
    for root in report.roots() {
        finding(report, root, out)?;
    }
    writeln!(out, "</section>")
}

fn finding(report: &Report, root: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let (tone, word) = tone(root.severity);
    let sure = root.certainty.as_str();
    write!(
        out,
        "<article class=\"card finding {tone}\"><div class=\"tags\"><span class=\"tag\">{word}</span>\
         <span class=\"code\">{}</span><span class=\"soft\">{}, {sure}, who: {}</span></div>\n<h3>{}</h3>",
        safe(&root.code),
        safe(&root.name),
        safe(&team(report, root.owner)),
        prose(&root.title)
    )?;
    if !root.summary.is_empty() {
        write!(out, "<p>{}</p>", prose(&root.summary))?;
    }
    let mut changes = 0;
    for fix in &root.fix {
        changes += usize::from(!fix.read_only);
        self::fix(label(fix, changes == 1), fix, out)?;
    }
    if !root.evidence.is_empty() || !root.excludes.is_empty() {
        write!(out, "<details><summary>Evidence ({})</summary><ul>", root.evidence.len())?;
        for seen in &root.evidence {
            write!(out, "<li>{}</li>", prose(seen))?;
        }
        for excluded in &root.excludes {
            write!(out, "<li>ruled out: {}</li>", prose(excluded))?;
        }
        write!(out, "</ul></details>")?;
    }
    names(root, out)?;
    symptoms(report, root, out)?;
    // A report that was saved could name any scheme.
    if root.link.starts_with("https://") {
        write!(
            out,
            "<p><a href=\"{}\" rel=\"noreferrer noopener\">More about {}</a></p>",
            safe(&root.link),
            safe(&root.code)
        )?;
    }
    writeln!(out, "</article>")
}

fn fix(label: &str, fix: &Fix, out: &mut dyn Write) -> io::Result<()> {
    let reach = if fix.read_only { "read-only".to_owned() } else { format!("affects {}", reach(fix.blast_radius)) };
    let tone = if fix.read_only { "off" } else { "warn" };
    let joins =
        if matches!(label, "or" | "and") { format!("<span class=\"joins\">{label}</span> ") } else { String::new() };
    write!(out, "<div class=\"fix\"><p>{joins}{} <span class=\"tag {tone}\">{reach}</span></p>", prose(&fix.text))?;
    if let Some(check) = &fix.check_first {
        advice("Before you change anything", check, out)?;
    }
    for (label, text) in [("Needs", &fix.needs), ("Policy", &fix.policy)] {
        if let Some(text) = text {
            write!(out, "<p class=\"label\">{label}</p><p>{}</p>", prose(text))?;
        }
    }
    if !fix.commands.is_empty() {
        write!(out, "<p class=\"label\">Run</p>{}", commands(fix.commands.iter().map(Command::as_str)))?;
    }
    if let Some(undo) = &fix.undo {
        advice("Undo", undo, out)?;
    }
    writeln!(out, "</div>")
}

fn advice(label: &str, advice: &Advice, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<p class=\"label\">{label}</p>")?;
    if !advice.text.is_empty() {
        write!(out, "<p>{}</p>", prose(&advice.text))?;
    }
    if !advice.commands.is_empty() {
        write!(out, "{}", commands(advice.commands.iter().map(Command::as_str)))?;
    }
    Ok(())
}

fn names(root: &Finding, out: &mut dyn Write) -> io::Result<()> {
    if root.endpoints.is_empty() {
        return Ok(());
    }
    write!(out, "<details><summary>Names ({})</summary><ul>", root.endpoints.len())?;
    for name in &root.endpoints {
        write!(out, "<li><code>{}</code></li>", safe(name))?;
    }
    writeln!(out, "</ul></details>")
}

fn symptoms(report: &Report, root: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let symptoms: Vec<_> = report.explained_by(root).collect();
    if symptoms.is_empty() {
        return Ok(());
    }
    write!(
        out,
        "<details><summary>{} {}</summary><ul>",
        symptoms.len(),
        if symptoms.len() == 1 { "consequence" } else { "consequences" }
    )?;
    for symptom in symptoms {
        write!(
            out,
            "<li><code>{}</code> {}: {} {}",
            safe(&symptom.code),
            safe(&symptom.name),
            prose(&symptom.title),
            prose(&symptom.summary)
        )?;
        if !symptom.evidence.is_empty() {
            write!(out, "<ul>")?;
            for seen in &symptom.evidence {
                write!(out, "<li>{}</li>", prose(seen))?;
            }
            write!(out, "</ul>")?;
        }
        write!(out, "</li>")?;
    }
    writeln!(out, "</ul></details>")
}

fn tone(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Error => ("bad", "error"),
        Severity::Warning => ("warn", "warning"),
        Severity::Info => ("info", "information"),
    }
}
