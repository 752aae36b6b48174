//! The commands that the findings of each code print, with placeholders for what was observed.
//!
//! The list is made from the findings of the simulated worlds by the test that keeps generated files fresh; a page cannot know
//! them otherwise, because rules make their commands from what they saw.

use std::fmt::Write;
use std::sync::LazyLock;

use ampls_probes::packed::unpacked;

use crate::diagnose::command::PLACEHOLDERS;

/// `CODE`, then lines of a kind and a command each.
static LIST: LazyLock<String> =
    LazyLock::new(|| unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/commands.txt.gz"))));

/// What a command does, and what its block on a page is called.
const KINDS: [(&str, &str); 4] = [
    ("look", "Look first; this changes nothing:"),
    ("run", "Then the change; read above what it affects:"),
    ("or", "Or one of these instead, where the first does not fit:"),
    ("undo", "To take it back:"),
];

/// The section of a page with the commands of a code; empty where its findings print none.
pub(super) fn section(code: &str) -> String {
    let lines = LIST.lines().skip_while(|line| *line != code).skip(1).take_while(|line| line.contains(": "));
    let commands: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let mut section = String::new();
    if commands.is_empty() {
        return section;
    }
    section.push_str("\n## Commands\n\nA finding fills in what it knows. What is in capitals is yours to fill in.\n");
    for (kind, title) in KINDS {
        let of_kind: Vec<&str> = commands.iter().filter(|(known, _)| *known == kind).map(|(_, line)| *line).collect();
        if !of_kind.is_empty() {
            let _ = write!(section, "\n{title}\n\n```text\n{}\n```\n", of_kind.join("\n"));
        }
    }
    let used = |name: &str| {
        let words = commands.iter().flat_map(|(_, line)| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        words.into_iter().any(|word| word == name)
    };
    let names: Vec<_> = PLACEHOLDERS.iter().filter(|(name, _)| used(name)).collect();
    if !names.is_empty() {
        section.push('\n');
        for (name, what) in names {
            let _ = writeln!(section, "- `{name}`: {what}");
        }
    }
    section
}
