//! The document as a renderer of Markdown reads it.

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;
use crate::diagnose::command::Command;
use crate::diagnose::finding::Fix;
use crate::report::{crowded, healthy, hostile, mixed, on_a_vm};

const EVIL: &str = "</details><script>alert(1)</script>[a](javascript:alert(1))|`|![x](http://evil.example/x)\n# owned";

fn document(report: &Report) -> String {
    let mut out = Vec::new();
    write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn events(markdown: &str) -> Vec<Event<'_>> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).collect()
}

/// The HTML that is in it, but for comments.
fn html(markdown: &str) -> Vec<String> {
    let raw = events(markdown).into_iter().filter_map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Some(html.trim().to_owned()),
        _ => None,
    });
    raw.filter(|html| html != "<!-- -->").collect()
}

fn evil() -> Report {
    let mut report = mixed();
    report.host.name = EVIL.to_owned();
    report.host.os = EVIL.to_owned();
    report.verdict.headline = EVIL.to_owned();
    report.endpoints[0].fqdn = EVIL.to_owned();
    report.notes[0].text = EVIL.to_owned();
    let root = &mut report.findings[0];
    root.title = EVIL.to_owned();
    root.summary = EVIL.to_owned();
    root.evidence = vec![EVIL.to_owned()];
    root.excludes = vec![EVIL.to_owned()];
    root.endpoints = vec![EVIL.to_owned()];
    root.fix[0].text = EVIL.to_owned();
    report
}

#[test]
fn nothing_but_the_folds_is_markup_and_every_fold_is_closed() {
    for report in [healthy(), mixed(), hostile(), crowded(9, 9, true), evil()] {
        let text = document(&report);
        let html = html(&text).join("\n");
        let allowed = |line: &str| {
            line.is_empty()
                || ["<details>", "</details>"].contains(&line)
                || (line.starts_with("<summary>") && line.ends_with("</summary>") && line.matches('<').count() == 2)
        };
        assert!(html.lines().all(allowed), "{html}");
        assert_eq!(html.matches("<details>").count(), html.matches("</details>").count(), "{text}");
        let acts = |event: &Event<'_>| matches!(event, Event::Start(Tag::Link { .. } | Tag::Image { .. }));
        assert!(!events(&text).iter().any(acts), "{text}");
        let headings = events(&text).iter().filter(|it| matches!(it, Event::Start(Tag::Heading { .. }))).count();
        assert_eq!(headings, 1 + ticket::faults(&report).count(), "{text}");
    }
}

#[test]
fn every_command_can_be_copied_as_it_is() {
    let report = mixed();
    let text = document(&report);
    let mut blocks = String::new();
    let mut within = false;
    for event in events(&text) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => within = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => within = false,
            Event::Text(text) if within => blocks.push_str(&text),
            _ => {}
        }
    }
    let commands: Vec<&Command> = report.roots().flat_map(|root| &root.fix).flat_map(Fix::all_commands).collect();
    assert!(!commands.is_empty());
    for command in commands {
        assert!(blocks.lines().any(|line| line == command.as_str()), "{}", command.as_str());
    }
}

#[test]
fn the_fix_stands_before_the_first_fold() {
    let text = document(&on_a_vm(mixed()));
    let screen = text.split("<details>").next().unwrap();
    for wanted in ["# MIXED", "## DNS003", "**Who:** your DNS team", "**Fix:** ", "/subscriptions/", "| zone |"] {
        assert!(screen.contains(wanted), "{wanted}: {screen}");
    }
}

#[test]
fn a_table_has_a_cell_for_every_column_whatever_is_in_it() {
    let mut report = mixed();
    report.endpoints[0].fqdn = "a|b`c|d".to_owned();
    let mut cells = Vec::new();
    for event in events(&document(&report)) {
        match event {
            Event::Start(Tag::TableHead | Tag::TableRow) => cells.push(0),
            Event::Start(Tag::TableCell) => *cells.last_mut().unwrap() += 1,
            _ => {}
        }
    }
    let zones = matrix::rows(&report).len() + 1;
    assert!(cells[zones..].iter().all(|count| *count == 5), "{cells:?}");
    assert_eq!(cells.len(), zones + 1 + report.endpoints.len());
}

#[test]
fn a_ticket_is_markdown_too() {
    for report in [mixed(), hostile(), evil()] {
        for owner in [Owner::Dns, Owner::Network, Owner::Monitor, Owner::Os, Owner::Security] {
            let mut out = Vec::new();
            write_ticket(&report, owner, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(html(&text), Vec::<String>::new(), "{text}");
            assert!(text.starts_with("# "), "{text}");
        }
    }
}
