//! The table as it is read.

use super::*;
use crate::render::page::Detail;
use crate::report::{healthy, hostile, mixed};

fn table(report: &Report, style: &Style) -> String {
    let mut out = Vec::new();
    write(report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn wide() -> Style {
    Style { width: 120, ..Style::default() }
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
fn no_line_but_a_command_is_longer_than_the_width() {
    for report in [healthy(), mixed(), hostile()] {
        for style in [Style::default(), Style { detail: Detail::Everything, ascii: true, ..Style::default() }, wide()] {
            for line in table(&report, &style).lines().filter(|line| !line.starts_with("    ")) {
                assert!(line.chars().count() <= style.width, "{line}");
            }
        }
    }
}

#[test]
fn hostile_text_is_inert_in_every_style() {
    for detail in [Detail::Answer, Detail::Usual, Detail::Everything] {
        let text = table(&hostile(), &Style { detail, ..wide() });
        let acting = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{202e}' | '\u{9b}');
        assert!(!text.contains(acting), "{text:?}");
        assert!(!text.lines().skip(1).any(|line| line.starts_with("PRIVATE")), "{text}");
    }
}
