//! The table as it is read.

use super::*;
use crate::render::page::Detail;
use crate::report::{healthy, hostile, mixed};

fn table(report: &Report, style: &Style) -> String {
    let mut out = Vec::new();
    write(report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn terminal() -> Style {
    Style { width: Some(80), ..Style::default() }
}

fn wide() -> Style {
    Style { width: Some(120), ..Style::default() }
}

#[test]
fn a_healthy_machine_in_a_pipe() {
    insta::assert_snapshot!(table(&healthy(), &Style::default()));
}

#[test]
fn a_mixed_machine_in_a_pipe() {
    insta::assert_snapshot!(table(&mixed(), &Style::default()));
}

#[test]
fn a_healthy_machine_on_a_terminal() {
    insta::assert_snapshot!(table(&healthy(), &terminal()));
}

#[test]
fn a_mixed_machine_on_a_terminal() {
    insta::assert_snapshot!(table(&mixed(), &terminal()));
}

#[test]
fn a_mixed_machine_on_an_old_console() {
    insta::assert_snapshot!(table(&mixed(), &Style { ascii: true, ..terminal() }));
}

#[test]
fn a_mixed_machine_in_more_detail() {
    insta::assert_snapshot!(table(&mixed(), &Style { detail: Detail::More, ..terminal() }));
}

#[test]
fn a_mixed_machine_on_a_wide_terminal() {
    insta::assert_snapshot!(table(&mixed(), &wide()));
}

#[test]
fn a_mixed_machine_in_every_detail() {
    insta::assert_snapshot!(table(&mixed(), &Style { detail: Detail::Everything, ..Style::default() }));
}

#[test]
fn a_mixed_machine_in_a_hurry() {
    insta::assert_snapshot!(table(&mixed(), &Style { detail: Detail::Answer, ..Style::default() }));
}

#[test]
fn a_hostile_network_in_a_pipe() {
    insta::assert_snapshot!(table(&hostile(), &Style::default()));
}

#[test]
fn no_line_of_words_is_longer_than_the_terminal_is_wide() {
    for report in [healthy(), mixed()] {
        for style in [terminal(), Style { detail: Detail::Everything, ascii: true, ..terminal() }, wide()] {
            let width = style.columns();
            for line in table(&report, &style).lines().filter(|line| !line.starts_with("    ")) {
                let words = line.split(' ').all(|word| word.chars().count() < width / 2);
                assert!(!words || line.chars().count() <= width, "{line}");
            }
        }
    }
}

#[test]
fn a_fault_says_so_without_colour_too() {
    for ascii in [false, true] {
        let text = table(&mixed(), &Style { ascii, ..terminal() });
        let mark = if ascii { "XX " } else { "✗ " };
        assert!(text.lines().any(|line| line.starts_with(&format!("{mark}ods"))), "{text}");
        assert!(text.lines().any(|line| line.starts_with(&format!("{mark}DNS003"))), "{text}");
    }
}

#[test]
fn hostile_text_is_inert_in_every_style() {
    for detail in [Detail::Answer, Detail::Usual, Detail::More, Detail::Everything] {
        let text = table(&hostile(), &Style { detail, ..wide() });
        let acting = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{202e}' | '\u{9b}');
        assert!(!text.contains(acting), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("PRIVATE, healthy")), "{text}");
    }
}
