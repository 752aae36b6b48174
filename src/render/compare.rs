//! A comparison for people: both verdicts, then what differs, the first report's value before the second's.

use std::io::{self, Write};

use crate::compare::{Change, Comparison, Fate, FindingChange, Side, Subject};
use crate::diagnose::finding::Severity;
use crate::render::page::{Detail, Page, Style, Tint};
use crate::report::Health;

/// Endpoints named in one line.
const NAMED: usize = 3;

/// Writes the comparison.
pub fn write(comparison: &Comparison, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, *style);
    side("A", &comparison.a, &mut page)?;
    side("B", &comparison.b, &mut page)?;
    if comparison.by_class {
        let text = "These reports do not share their pseudonyms: addresses are compared by their class, names of machines not at \
                    all. To compare them too, redact both with one `ampls-doctor redact A B -o DIR`.";
        page.wrapped(Tint::Plain, "   ", "   ", text)?;
    }
    page.blank()?;
    if comparison.same {
        return page.line(Tint::Green, "no difference");
    }
    if style.detail == Detail::Answer {
        return page.wrapped(Tint::Plain, "", "  ", &changes(comparison));
    }
    for change in &comparison.verdict {
        value("verdict: ", change, &mut page)?;
    }
    for finding in &comparison.findings {
        finding_change(finding, &mut page)?;
    }
    subjects("Endpoints", &comparison.endpoints, &mut page)?;
    subjects("DNS servers", &comparison.servers, &mut page)?;
    subjects("Machine and run", &comparison.host, &mut page)
}

/// The second report in one line: when, its verdict, and what changed since the first.
pub fn line(comparison: &Comparison) -> String {
    format!("{:.0} {}; {}", comparison.b.started_at, comparison.b.headline, changes(comparison))
}

fn changes(comparison: &Comparison) -> String {
    if comparison.same {
        return "no change".to_owned();
    }
    let mut parts: Vec<String> = comparison
        .findings
        .iter()
        .map(|finding| format!("{} {} {}", finding.code, finding.name, fate(finding.fate)))
        .collect();
    for subject in comparison.endpoints.iter().take(NAMED) {
        let first = subject.changes.first().map(arrow).unwrap_or_default();
        parts.push(format!("{} {first}", subject.name));
    }
    if let Some(more) = comparison.endpoints.len().checked_sub(NAMED).filter(|more| *more > 0) {
        parts.push(format!("{more} more endpoints differ"));
    }
    if !comparison.servers.is_empty() {
        parts.push("DNS servers differ".to_owned());
    }
    if !comparison.host.is_empty() {
        parts.push("machine or run differ".to_owned());
    }
    if parts.is_empty() {
        parts.extend(comparison.verdict.iter().map(arrow));
    }
    parts.join("; ")
}

fn side(name: &str, side: &Side, page: &mut Page<'_>) -> io::Result<()> {
    let tint = match side.health {
        Health::Ok => Tint::Green,
        Health::Warning => Tint::Yellow,
        Health::Error => Tint::Red,
    };
    let text = format!("{}, {:.0}: {}", side.host, side.started_at, side.headline);
    page.wrapped(tint, &format!("{name}  "), "   ", &text)?;
    if side.redacted {
        let text = "redacted: its names and addresses are pseudonyms";
        page.wrapped(Tint::Plain, "   ", "   ", text)?;
    }
    Ok(())
}

fn finding_change(finding: &FindingChange, page: &mut Page<'_>) -> io::Result<()> {
    let tint = match (finding.fate, finding.severity) {
        (Fate::Gone, _) => Tint::Green,
        (_, Severity::Error) => Tint::Red,
        (_, Severity::Warning) => Tint::Yellow,
        (_, Severity::Info) => Tint::Plain,
    };
    let severity = finding.severity.as_str();
    let root = if finding.root { "" } else { ", a consequence" };
    let head = format!("{} {} {} ({severity}{root})", fate(finding.fate), finding.code, finding.name);
    page.wrapped(tint, "", "  ", &format!("{head}: {}", finding.title))?;
    finding.changes.iter().try_for_each(|change| value("  ", change, page))
}

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Appeared => "appeared",
        Fate::Gone => "gone",
        Fate::Changed => "changed",
    }
}

fn subjects(title: &str, subjects: &[Subject], page: &mut Page<'_>) -> io::Result<()> {
    if subjects.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.line(Tint::Bold, title)?;
    for subject in subjects {
        let mut indent = "  ";
        if !subject.name.is_empty() {
            page.wrapped(Tint::Plain, "  ", "      ", &subject.name)?;
            indent = "    ";
        }
        subject.changes.iter().try_for_each(|change| value(indent, change, page))?;
    }
    Ok(())
}

fn value(indent: &str, change: &Change, page: &mut Page<'_>) -> io::Result<()> {
    let rest = format!("{}  ", " ".repeat(indent.chars().count()));
    page.wrapped(Tint::Plain, indent, &rest, &arrow(change))
}

fn arrow(change: &Change) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(nothing)".to_owned());
    format!("{}: {} -> {}", change.what, shown(&change.a), shown(&change.b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;
    use crate::report::{healthy, hostile, mixed};

    fn page(comparison: &Comparison) -> String {
        let mut out = Vec::new();
        write(comparison, &Style::default(), &mut out).expect("memory");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_lost_zone_beside_a_healthy_machine() {
        insta::assert_snapshot!(page(&compare(&healthy(), &mixed())));
    }

    #[test]
    fn sameness_is_reported() {
        assert!(page(&compare(&mixed(), &mixed())).ends_with("no difference\n"));
        assert!(line(&compare(&mixed(), &mixed())).ends_with("; no change"));
    }

    #[test]
    fn a_line_names_what_changed() {
        let line = line(&compare(&healthy(), &mixed()));
        assert!(line.contains("DNS003 zone-not-linked appeared"), "{line}");
        assert!(line.contains(".ods.opinsights.azure.com route: private -> public"), "{line}");
    }

    #[test]
    fn a_name_too_long_for_the_terminal_stays_whole() {
        let mut out = Vec::new();
        let narrow = Style { width: Some(50), ..Style::default() };
        write(&compare(&healthy(), &mixed()), &narrow, &mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(
            text.contains("\n  6b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d.ods.opinsights.azure.com\n    route:"),
            "{text}"
        );
    }

    #[test]
    fn hostile_text_is_inert() {
        let text = page(&compare(&healthy(), &hostile()));
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    }
}
