//! The first page of the folder of code pages, and the page of words: a small site in Markdown.

use std::fmt::Write;

use super::RulePage;
use super::glossary::TERMS;

/// The parts of the index: how codes begin, and what they are about.
const PARTS: [(&str, &str); 9] = [
    ("DNS", "Names"),
    ("NET", "Connections"),
    ("TLS", "Certificates and TLS"),
    ("HTP", "Answers of the services"),
    ("PRX", "Proxies"),
    ("AGT", "Agents"),
    ("BRW", "Browsers and encrypted DNS"),
    ("AZR", "Azure and the machine"),
    ("RUN", "The run itself"),
];

/// The index: every page, with its usual severity, who repairs it, and its first sentence.
pub fn index(rules: &[RulePage]) -> String {
    let mut page = "# What ampls-doctor finds\n\n\
                    Each code has a page: what it means, why it matters, how to fix it, how to confirm it.\n\
                    `ampls-doctor explain CODE` prints the same page. The [words](words.md) of reports are explained, too.\n"
        .to_owned();
    let known = |code: &str| PARTS.iter().any(|(start, _)| code.starts_with(start));
    let of_part = |start: &str| rules.iter().filter(|rule| rule.code.starts_with(start)).collect::<Vec<_>>();
    let others = rules.iter().filter(|rule| !known(&rule.code)).collect::<Vec<_>>();
    let parts = PARTS.iter().map(|(start, title)| (*title, of_part(start))).chain([("Others", others)]);
    for (title, rules) in parts.filter(|(_, rules)| !rules.is_empty()) {
        let _ = write!(page, "\n## {title}\n\n| Code | What is wrong | Usually | Who |\n|---|---|---|---|\n");
        for rule in rules {
            let (code, name) = (&rule.code, &rule.name);
            let (severity, owner) = (rule.severity.as_str(), rule.who());
            let gist = rule.gist().replace('|', "\\|");
            let _ = writeln!(page, "| [{code}](codes/{code}.md) | {name}: {gist} | {severity} | {owner} |");
        }
    }
    page
}

/// The words, in the order of the alphabet.
pub fn words() -> String {
    let mut page =
        "# Words of reports\n\n`ampls-doctor explain WORD` prints the same. Back to the [codes](README.md).\n"
            .to_owned();
    let mut terms: Vec<_> = TERMS.iter().collect();
    terms.sort_by_key(|term| term.names);
    for term in terms {
        let [name, also @ ..] = term.names else { continue };
        let _ = write!(page, "\n## {name}\n\n{}\n", term.means);
        if !also.is_empty() {
            let _ = write!(page, "\nAlso: {}.\n", also.join(", "));
        }
        let more: Vec<String> = term.more.iter().map(|more| linked(more)).collect();
        if !more.is_empty() {
            let _ = write!(page, "\nMore: {}.\n", more.join(", "));
        }
    }
    page
}

/// A link to the page of a code or to a word on this page; other names as `explain` takes them.
fn linked(what: &str) -> String {
    if PARTS.iter().any(|(start, _)| what.starts_with(start)) {
        return format!("[{what}](codes/{what}.md)");
    }
    match super::glossary::find(what) {
        Some(term) => format!("[{what}](#{})", term.names.first().copied().unwrap_or_default().replace(' ', "-")),
        None => format!("`{what}`"),
    }
}
