//! The report for Azure Run Command: ASCII, at most [`MOST`] bytes however much was found.
//!
//! Run Command returns the last 4,096 bytes of what a script prints
//! (<https://learn.microsoft.com/azure/virtual-machines/linux/run-command>). So the answer comes at both ends: people read
//! the first lines, programs the digest and the `VERDICT` at the end. What is least important goes first, whole, and is
//! counted: the table of zones, the commands of later roots, information, the lines of later roots.

use std::io::{self, Write};

use super::page::inert;
use super::table::matrix;
use super::ticket::team;
use super::words::{reach, severity};
use crate::diagnose::command::Command;
use crate::diagnose::facts::Route;
use crate::diagnose::finding::{Advice, Argument, Finding, Fix, Severity};
use crate::report::digest::MaybeKnown;
use crate::report::{Digest, Health, Report};

pub use repeated::{repeat, repeat_for_people};

mod repeated;

/// Bytes of the whole.
pub const MOST: usize = 4_000;

/// Bytes of the digest where there is room for it.
const DIGEST: usize = 2_200;

/// Bytes of the digest where the first root needs the room.
const SHORT_DIGEST: usize = 1_000;

/// Bytes of one line for people; what is longer is cut.
const LINE: usize = 360;

/// Bytes of what is to be done about the first root, and about a later one; what is longer is left out, whole.
const STEPS: (usize, usize) = (2_300, 1_200);

/// Bytes kept for the line that counts what was left out.
const COUNT: usize = 80;

/// Codes of the last line.
const CODES: usize = 60;

/// Writes the report of a run that ends with this exit status.
pub fn write(report: &Report, status: u8, out: &mut dyn Write) -> io::Result<()> {
    put(Digest::new(report, status), lines(report), out)
}

/// The lines for people, the digest and the verdict, within [`MOST`].
fn put(digest: Digest, lines: Vec<Line>, out: &mut dyn Write) -> io::Result<()> {
    let verdict = verdict(&digest);
    let room = MOST.saturating_sub(verdict.len() + 2);
    let needed: usize = lines.iter().filter(|line| line.goes < AT_WILL).map(|line| line.text.len() + 1).sum();
    let json = digest.line(room.saturating_sub(needed + COUNT).clamp(SHORT_DIGEST, DIGEST));
    for text in fitting(lines, room.saturating_sub(json.len())) {
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

/// What goes sooner than this is what the digest may push out.
const AT_WILL: usize = 100;

/// How soon the lines of a later root go.
const LATER: usize = 1_000;
/// How soon information goes.
const INFORMATION: usize = 2_000;
/// How soon the commands of a later root go.
const COMMANDS: usize = 3_000;
/// How soon that goes which the digest says too.
const BESIDE: usize = 4_000;

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
    let (host, tool) = (&report.host, &report.tool.version);
    let (name, os, at) = (&host.name, &host.os, report.run.started_at);
    lines.push(line(1, &format!("{name} {os} {region} {at:.0} ampls-doctor {tool}")));
    let id = azure.and_then(|azure| azure.resource_id.as_deref());
    lines.extend(id.map(|id| line(1, id)));
    let heads = matrix::heads(report);
    for row in matrix::rows(report) {
        let cells: Vec<String> = heads.iter().zip(&row.cells).map(|(head, cell)| format!("{head} {cell}")).collect();
        lines.push(line(BESIDE, &format!("{}: {}", row.zone, cells.join(" | "))));
    }
    for (index, root) in report.roots().enumerate() {
        match (root.severity, index) {
            // Information never pushes out the fix of a fault.
            (Severity::Info, _) => lines.push(line(INFORMATION + index, &title(root))),
            (_, 0) => lines.extend(first(root)),
            _ => {
                lines.push(line(LATER + index, &title(root)));
                lines.push(line(LATER + index, &who(root)));
                lines.extend(steps(root, COMMANDS + index, STEPS.1));
            }
        }
    }
    let symptoms = report.findings.len() - report.roots().count();
    if symptoms > 0 {
        let follow = if symptoms == 1 { "finding follows" } else { "findings follow" };
        lines.push(line(COMMANDS, &format!("{symptoms} more {follow} from these")));
    }
    lines
}

/// The root to fix first: all that is needed to fix it stays.
fn first(root: &Finding) -> Vec<Line> {
    let mut lines = vec![line(2, &title(root)), line(3, &who(root))];
    for (name, value) in &root.args {
        let Argument::Many(values) = value else { continue };
        if values.len() > 1 && !values.iter().all(|value| root.title.contains(value.as_str())) {
            let text = ascii(&format!("{}: {}", name.replace('_', " "), values.join(" ")));
            lines.push(Line { goes: 4, text: text.get(..STEPS.1).unwrap_or(&text).to_owned() });
        }
    }
    lines.extend(steps(root, 5, STEPS.0));
    lines.extend(root.evidence.first().map(|seen| line(BESIDE, &format!("evidence: {seen}"))));
    lines
}

fn title(root: &Finding) -> String {
    format!("{} {} {}: {}", severity(root.severity), root.code, root.name, root.title)
}

fn who(root: &Finding) -> String {
    let change = root.fix.iter().find(|fix| !fix.read_only);
    let needs = change.and_then(|change| change.needs.as_deref()).map(|needs| format!(" (needs {needs})"));
    let affects = change.map(|change| format!("; affects {}", reach(change.blast_radius)));
    format!("who: {}{}{}", team(root.owner), needs.unwrap_or_default(), affects.unwrap_or_default())
}

/// What is to be done: the look, every change that is needed with what comes before it, and how to take it back. Half of it
/// is none: it stays or goes as a whole.
fn steps(root: &Finding, goes: usize, most: usize) -> Option<Line> {
    let look = root.fix.iter().find(|fix| fix.read_only).map(looked);
    let first = root.fix.iter().position(|fix| !fix.read_only);
    let needed = |(index, fix): &(usize, &Fix)| !fix.read_only && (!fix.alternative || Some(*index) == first);
    let changes: Vec<String> = root.fix.iter().enumerate().filter(needed).map(|(_, fix)| changed(fix)).collect();
    let Some((change, others)) = changes.split_first() else {
        return look.map(|text| Line { goes, text: if text.len() <= most { text } else { too_long() } });
    };
    let all = changes.join("\n");
    let with_look = look.map(|look| format!("{look}\n{all}"));
    let one = match others.len() {
        0 => None,
        1 => Some(format!("{change}\n1 more change is needed: the full report shows it")),
        more => Some(format!("{change}\n{more} more changes are needed: the full report shows them")),
    };
    let text = [with_look, Some(all), one].into_iter().flatten().find(|text| text.len() <= most);
    Some(Line { goes, text: text.unwrap_or_else(too_long) })
}

fn too_long() -> String {
    "the fix is too long for here: the table and `ampls-doctor judge` of the full report show it".to_owned()
}

fn looked(look: &Fix) -> String {
    said("look (read-only)", &look.text, &look.commands)
}

fn changed(change: &Fix) -> String {
    let advice = |label, advice: &Advice| said(label, &advice.text, &advice.commands);
    let mut steps: Vec<String> = Vec::new();
    steps.extend(change.check_first.as_ref().map(|check| advice("before you change anything", check)));
    let label = if change.commands.is_empty() { "fix" } else { "run (changes production)" };
    steps.push(said(label, &change.text, &change.commands));
    steps.extend(change.undo.as_ref().map(|undo| advice("undo", undo)));
    steps.join("\n")
}

/// A labelled sentence, and the commands below it.
fn said(label: &str, text: &str, commands: &[Command]) -> String {
    let first = format!("{label}: {}", ascii(text)).trim_end().to_owned();
    let commands = commands.iter().map(|command| format!("    {}", ascii(command.as_str())));
    std::iter::once(first).chain(commands).collect::<Vec<_>>().join("\n")
}

/// The lines that fit, in their order, and how many did not.
fn fitting(lines: Vec<Line>, most: usize) -> Vec<String> {
    let total = lines.len();
    let mut order: Vec<usize> = (0..total).collect();
    order.sort_by_key(|index| lines.get(*index).map(|line| line.goes));
    let mut used = COUNT;
    let mut kept = vec![false; total];
    for index in order {
        let (Some(line), Some(kept)) = (lines.get(index), kept.get_mut(index)) else { continue };
        // What goes sooner never stays in its stead: a line without the one before it misleads.
        if used + line.text.len() >= most {
            break;
        }
        used += line.text.len() + 1;
        *kept = true;
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
    use crate::report::{FailOn, crowded, exit_status, healthy, hostile, mixed, on_a_vm};

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
        for length in [1, 20, 300] {
            let text = compacted(20, length);
            for line in [
                "before you change anything: mind this\n    show-zone\nrun (changes production): link it\n    make-change\nundo:\n    take-back",
                "make-change",
            ] {
                assert_eq!(text.matches(line).count(), text.matches("make-change").count(), "{text}");
            }
            assert!(text.len() <= MOST);
        }
        assert!(compacted(3, 1).contains("make-change"), "{}", compacted(3, 1));
        assert!(compacted(3, 300).contains("too long for here"), "{}", compacted(3, 300));
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
    fn looks_and_changes_are_labelled_and_the_machine_is_named_whole() {
        let report = on_a_vm(mixed());
        let text = compact(&report);
        let id = report.host.azure.as_ref().and_then(|azure| azure.resource_id.clone()).unwrap();
        for wanted in [id.as_str(), "\nwho: your DNS team", "\nlook (read-only): ", "\nrun (changes production): "] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
        let digest = digest(&text);
        assert_eq!(digest.resource_id.as_deref(), Some(id.as_str()));
        assert_eq!(digest.vm_id, report.host.azure.as_ref().and_then(|azure| azure.vm_id.clone()));
    }

    #[test]
    fn of_the_first_root_every_zone_and_every_command_stays_whatever_else_was_found() {
        let zones: Vec<String> = (0..5).map(|n| format!("privatelink.zone-{n}.opinsights.azure.com")).collect();
        let mut report = crowded(60, 20, true);
        let root = &mut report.findings[0];
        root.title = "zones are not linked".to_owned();
        root.args = [("zones".to_owned(), Argument::Many(zones.clone()))].into_iter().collect();
        let change =
            "az network private-dns link vnet create --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z ZONE_ID";
        root.fix = vec![
            Fix::look("find the zones", [command!(Any, "az graph query -q resources")]),
            Fix::change(BlastRadius::Vnet, "link them")
                .with(vec![command!(Any, "az network private-dns link vnet create --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z ZONE_ID"); 5])
                .after_looking("none, or several? Stop", [command!(Any, "az network private-dns record-set a show")])
                .undone_with("", vec![command!(Any, "az network private-dns link vnet delete -g DNS_RESOURCE_GROUP --yes"); 5]),
        ];
        let text = compact(&report);
        assert!(text.len() <= MOST);
        assert_eq!(text.matches(change).count(), 5, "{text}");
        for wanted in ["look (read-only): find", "before you change anything: none", "undo:"] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
        assert!(text.contains(&format!("zones: {}", zones.join(" "))), "{text}");
        let first = &digest(&text).codes[0];
        assert_eq!(first.args.get("zones"), Some(&Argument::Many(zones)), "{text}");
    }

    #[test]
    fn the_commands_of_a_later_root_go_before_information_and_that_before_its_lines() {
        let mut last = (true, true, true);
        for findings in 1..60 {
            let mut report = mixed();
            let template = report.findings[0].clone();
            let long = "words ".repeat(40);
            report.findings.truncate(1);
            for index in 0..findings {
                let mut later = template.clone();
                later.id = format!("LAT{index:03}");
                later.code.clone_from(&later.id);
                later.title = format!("later {long}");
                later.fix = vec![Fix::change(BlastRadius::Vnet, "later change").with([command!(Any, "later-command")])];
                report.findings.push(later);
            }
            let mut info = template.clone();
            (info.id, info.code, info.severity) = ("INF001".to_owned(), "INF001".to_owned(), Severity::Info);
            report.findings.push(info);
            let text = compact(&report);
            let people = text.split("\n{\"schema\"").next().unwrap();
            let all = |what: &str, wanted: usize| people.matches(what).count() == wanted;
            let now = (all("later-command", findings), all("info INF001", 1), all("ERROR LAT", findings));
            assert!(now.0 <= now.1 && now.1 <= now.2, "{findings}: {now:?} {text}");
            last = now;
        }
        assert_eq!(last, (false, false, false));
    }
}
