//! The report for Azure Run Command: ASCII, at most [`MOST`] bytes however much was found.
//!
//! Run Command returns the last 4,096 bytes of what a script prints
//! (<https://learn.microsoft.com/azure/virtual-machines/linux/run-command>). So the answer comes at both ends: people read
//! the first lines, programs the digest and the `VERDICT` at the end. What is least important goes first, and is counted.

use std::io::{self, Write};

use super::page::inert;
use super::table::matrix;
use super::words::{owner, reach, severity};
use crate::diagnose::command::Command;
use crate::diagnose::facts::Route;
use crate::diagnose::finding::{Advice, Finding, Fix, Severity};
use crate::report::digest::MaybeKnown;
use crate::report::{Digest, Health, Report};

/// Bytes of the whole.
pub const MOST: usize = 4_000;

/// Bytes of the digest.
const DIGEST: usize = 2_200;

/// Bytes of one line for people; what is longer is cut.
const LINE: usize = 360;

/// Bytes of a command with what to look at before and how to take it back; what is longer is left out.
const STEPS: usize = 1_800;

/// Codes of the last line.
const CODES: usize = 60;

/// Writes the report of a run that ends with this exit status.
pub fn write(report: &Report, status: u8, out: &mut dyn Write) -> io::Result<()> {
    let digest = Digest::new(report, status);
    let verdict = verdict(&digest);
    let json = digest.line(DIGEST);
    let left = MOST.saturating_sub(json.len() + verdict.len() + 2);
    for text in fitting(lines(report), left) {
        writeln!(out, "{text}")?;
    }
    writeln!(out, "{json}")?;
    writeln!(out, "{verdict}")
}

/// Writes a digest once more, with nothing but what it holds.
pub fn repeat(digest: &Digest, status: u8, out: &mut dyn Write) -> io::Result<()> {
    let mut digest = digest.clone().bounded();
    digest.verdict.exit = status;
    let answer = &digest.verdict;
    let (route, health) =
        (known_or_token(&answer.route, Route::as_str), known_or_token(&answer.health, Health::as_str));
    let mut lines = vec![
        line(0, &format!("{}, {health}: repeated from a digest", route.to_uppercase())),
        line(1, &format!("{} {:.0}", digest.host, digest.at)),
    ];
    let roots = digest.codes.iter().filter(|code| code.by.is_none()).enumerate();
    lines.extend(
        roots.map(|(index, code)| {
            line(2 + index, &format!("{} {}", known_or_token(&code.severity, severity), code.code))
        }),
    );
    let verdict = verdict(&digest);
    let json = digest.line(DIGEST);
    let left = MOST.saturating_sub(json.len() + verdict.len() + 2);
    for text in fitting(lines, left) {
        writeln!(out, "{text}")?;
    }
    writeln!(out, "{json}")?;
    writeln!(out, "{verdict}")
}

/// The word for a value: this version's, or the one that came, in its form.
fn known_or_token<T: Copy>(value: &MaybeKnown<T>, word: fn(T) -> &'static str) -> String {
    match value {
        MaybeKnown::Known(value) => word(*value).to_owned(),
        MaybeKnown::Unknown(other) => token(other),
    }
}

/// Text from outside as one word of at most twelve characters.
fn token(text: &str) -> String {
    ascii(text).chars().filter(|c| *c != ' ').take(12).collect()
}

/// `VERDICT <route> <health> exit=<n> <codes…>`
fn verdict(digest: &Digest) -> String {
    let answer = &digest.verdict;
    let (route, health) =
        (known_or_token(&answer.route, Route::as_str), known_or_token(&answer.health, Health::as_str));
    let mut text = format!("VERDICT {route} {health} exit={}", answer.exit);
    let codes = digest.distinct_codes();
    for code in codes.iter().take(CODES) {
        text.push(' ');
        text.push_str(&token(code));
    }
    match codes.len().checked_sub(CODES) {
        None | Some(0) => text,
        Some(more) => format!("{text} +{more}"),
    }
}

/// A line and how soon it may go: the greater, the sooner.
struct Line {
    goes: usize,
    text: String,
}

fn lines(report: &Report) -> Vec<Line> {
    let mut lines = vec![line(0, &report.verdict.headline)];
    if report.redacted.is_some() {
        lines.push(line(0, "redacted: names and addresses are pseudonyms"));
    }
    if !report.observations.later.is_none() {
        lines.push(line(0, "not all of this report was understood and judged: a newer ampls-doctor does"));
    }
    let azure = report.host.azure.as_ref();
    let region = azure.and_then(|azure| azure.region.as_deref()).unwrap_or("-");
    lines.push(line(1, &format!("{} {} {region} {:.0}", report.host.name, report.host.os, report.run.started_at)));
    let heads = matrix::heads(report);
    for row in matrix::rows(report) {
        let cells: Vec<String> = heads.iter().zip(&row.cells).map(|(head, cell)| format!("{head} {cell}")).collect();
        lines.push(line(30, &format!("{}: {}", row.zone, cells.join(" | "))));
    }
    for (index, root) in report.roots().enumerate() {
        // Information never pushes out the fix of a fault.
        let goes = if root.severity == Severity::Info { 1_000 } else { 2 } + index;
        let title = format!("{} {} {}: {}", severity(root.severity), root.code, root.name, root.title);
        lines.push(line(goes, &title));
        lines.extend(root.evidence.first().map(|seen| line(goes + 60, &format!("  evidence: {seen}"))));
        lines.extend(remedy(root, goes + 20));
    }
    let symptoms = report.findings.len() - report.roots().count();
    if symptoms > 0 {
        let follow = if symptoms == 1 { "finding follows" } else { "findings follow" };
        lines.push(line(90, &format!("{symptoms} more {follow} from these")));
    }
    lines
}

fn remedy(root: &Finding, goes: usize) -> Vec<Line> {
    let Some(fix) = root.fix.iter().find(|fix| !fix.read_only).or(root.fix.first()) else {
        return Vec::new();
    };
    let affected = if fix.read_only { "only looks".to_owned() } else { format!("affects {}", reach(fix.blast_radius)) };
    let mut lines = vec![line(goes, &format!("  fix ({}; {affected}): {}", owner(root.owner), fix.text))];
    // Half of a command is none, and no change goes without what to look at before and how to take it back.
    let text = steps(fix).join("\n");
    match text.len() {
        0 => {}
        1..=STEPS => lines.push(Line { goes: goes + 20, text }),
        _ => lines.push(line(
            goes + 20,
            "    too long for here: the table and `ampls-doctor judge` of the full report show it",
        )),
    }
    lines
}

/// What to look at, the command, and how to take it back.
fn steps(fix: &Fix) -> Vec<String> {
    let mut steps = Vec::new();
    if !fix.read_only {
        steps.extend(fix.check_first.as_ref().map(|advice| with_commands("before you change anything", advice)));
        steps.extend(fix.needs.as_deref().map(|right| format!("  needs: {}", ascii(right))));
    }
    if !fix.read_only && !fix.commands.is_empty() {
        steps.push(if fix.check_first.is_some() { "  then run:" } else { "  run:" }.to_owned());
    }
    steps.extend(fix.commands.iter().map(command));
    if !fix.read_only {
        steps.extend(fix.undo.as_ref().map(|advice| with_commands("undo", advice)));
    }
    steps
}

fn with_commands(label: &str, advice: &Advice) -> String {
    let label = format!("  {label}: {}", ascii(&advice.text));
    let lines = [label.trim_end().to_owned()].into_iter().chain(advice.commands.iter().map(command));
    lines.collect::<Vec<_>>().join("\n")
}

fn command(command: &Command) -> String {
    format!("    {}", ascii(command.as_str()))
}

/// The lines that fit, in their order, and how many did not.
fn fitting(lines: Vec<Line>, most: usize) -> Vec<String> {
    const COUNT: usize = 80;
    let total = lines.len();
    let mut order: Vec<usize> = (0..total).collect();
    order.sort_by_key(|index| lines.get(*index).map(|line| line.goes));
    let mut used = COUNT;
    let mut kept = vec![false; total];
    for index in order {
        let (Some(line), Some(kept)) = (lines.get(index), kept.get_mut(index)) else { continue };
        if used + line.text.len() < most {
            used += line.text.len() + 1;
            *kept = true;
        }
    }
    let left_out = kept.iter().filter(|kept| !**kept).count();
    let mut texts: Vec<String> =
        lines.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(line, _)| line.text).collect();
    if left_out > 0 {
        texts.push(format!("{left_out} of {total} lines left out; `--format json` has everything"));
    }
    texts
}

fn line(goes: usize, text: &str) -> Line {
    Line { goes, text: cut(&ascii(text)) }
}

/// Text that is ASCII already, on one line.
fn cut(text: &str) -> String {
    match text.get(..LINE) {
        Some(start) if text.len() > LINE => format!("{start}..."),
        _ => text.to_owned(),
    }
}

/// One line of printable ASCII; what has no place there is written as an escape.
fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in inert(text).chars() {
        match character {
            '\u{2039}' => plain.push('<'),
            '\u{203a}' => plain.push('>'),
            '\u{2026}' => plain.push_str("..."),
            _ if character.is_ascii() => plain.push(character),
            _ => plain.extend(character.escape_unicode()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::command::command;
    use crate::diagnose::finding::BlastRadius;
    use crate::report::{FailOn, crowded, exit_status, healthy, hostile, mixed};

    fn compact(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, exit_status(report, FailOn::Error), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn digest(text: &str) -> Digest {
        serde_json::from_str(text.lines().rev().nth(1).unwrap()).unwrap()
    }

    #[test]
    fn people_read_the_start_and_programs_the_end() {
        let text = compact(&mixed());
        assert!(text.starts_with("MIXED, 1 error: "), "{text}");
        assert!(text.ends_with("\nVERDICT mixed error exit=1 DNS003 NET002\n"), "{text}");
        assert!(text.lines().rev().nth(1).unwrap().starts_with("{\"schema\":2,\"kind\":\"digest\","), "{text}");
    }

    #[test]
    fn no_changing_command_goes_without_what_to_look_at_and_how_to_take_it_back() {
        let compacted = |findings: usize, length: usize| {
            let mut report = crowded(findings, findings, false);
            for finding in &mut report.findings {
                finding.fix = vec![
                    Fix::change(BlastRadius::Vnet, "link it")
                        .with([command!(Any, "make-change")])
                        .after_looking("mind this", [command!(Any, "show-zone")])
                        .undone_with("", vec![command!(Any, "take-back"); length]),
                ];
            }
            compact(&report)
        };
        for length in [1, 20, 150] {
            let text = compacted(20, length);
            for line in [
                "  before you change anything: mind this\n    show-zone\n  then run:\n    make-change\n  undo:\n    take-back",
                "make-change",
            ] {
                assert_eq!(text.matches(line).count(), text.matches("make-change").count(), "{text}");
            }
            assert!(text.len() <= MOST);
        }
        assert!(compacted(3, 1).contains("make-change"), "{}", compacted(3, 1));
        assert!(compacted(3, 150).contains("too long for here"), "{}", compacted(3, 150));
    }

    #[test]
    fn sixty_endpoints_and_twenty_findings_fit_and_keep_their_roots() {
        for hostile_text in [false, true] {
            let report = crowded(60, 20, hostile_text);
            let text = compact(&report);
            assert!(text.len() <= MOST, "{}", text.len());
            assert!(text.contains("left out"), "{text}");
            let roots: Vec<_> = report.roots().map(|root| root.code.clone()).collect();
            let digest = digest(&text);
            let kept: Vec<_> = digest.codes.iter().filter(|it| it.by.is_none()).map(|it| it.code.clone()).collect();
            assert_eq!(kept, roots);
            assert_eq!(digest.exit_status(FailOn::Error), exit_status(&report, FailOn::Error));
        }
    }

    #[test]
    fn no_number_of_findings_exceeds_the_limit() {
        for (endpoints, findings) in [(0, 0), (1, 1), (7, 40), (400, 300)] {
            let text = compact(&crowded(endpoints, findings, true));
            assert!(text.len() <= MOST, "{endpoints} {findings}: {}", text.len());
            assert!(text.lines().last().unwrap().starts_with("VERDICT "), "{text}");
            digest(&text);
        }
    }

    #[test]
    fn every_character_is_ascii_and_harmless() {
        for report in [healthy(), mixed(), hostile(), crowded(60, 20, true)] {
            let text = compact(&report);
            assert!(text.chars().all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic()), "{text}");
            assert_eq!(text.lines().filter(|line| line.starts_with("VERDICT ")).count(), 1, "{text}");
        }
    }

    #[test]
    fn a_digest_repeated_says_the_same() {
        let text = compact(&mixed());
        let mut out = Vec::new();
        repeat(&digest(&text), 1, &mut out).unwrap();
        let again = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().last(), again.lines().last());
        assert_eq!(text.lines().rev().nth(1), again.lines().rev().nth(1));
    }
}
