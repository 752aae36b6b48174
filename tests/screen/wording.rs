//! Words that are not used any more: how the program spoke before it spoke plainly.

use std::fs;

use ampls_doctor::render::page::{Detail, Style};
use ampls_doctor::render::{self, Format};
use ampls_doctor::report::{FailOn, Report};

use crate::cli::{ran, text};

/// Each stands for a class; what replaces it stands in the code.
const FORMER: &[&str] = &[
    // Labels and layout.
    "Beyond this machine's sight",
    "nor does it see",
    "nor which ",
    "nor whether ",
    "leads to</th>",
    "(owner: ",
    "\n  look first",
    "soa public",
    "soa private",
    "soa local",
    "  DNS only",
    "(changes every machine",
    "Who says what of each zone",
    "only looks",
    "that would need mending",
    "2 looked at",
    "read on",
    // Headlines and titles.
    "looked up to its end",
    "none was dialled",
    "not dialled",
    "if one is intended",
    "blocked (normal)",
    "no private link in sight",
    "is here and does not run",
    "private zone missing",
    "private zone denies",
    "zone looks empty",
    "bypasses Azure's DNS",
    "led nowhere",
    "leads nowhere",
    "gives what no DNS server says",
    "lead the name different ways",
    "do not answer: a firewall drops",
    "among the running processes",
    "own log says",
    "takes what should go",
    "answers 403: ",
    "and then: silence",
    "the request is sent, and then",
    "cut off after the name",
    "first for a private link",
    "no private link; if",
    "no name was looked up",
    // Fixes and advice.
    "start it, once",
    "to its time source, once",
    "proxy by",
    "that issues as",
    "look whether",
    "look which",
    "look who",
    "look what",
    "look first who",
    "outside this scope lose",
    "in alphabetical order counts",
    "Files that are not there",
    "no reserve, it is another",
    "call the patient",
    "foreign besides",
    "has to be made",
    "is made again",
    "by hand, by the public name",
    "Mend",
    "mend the",
    " mended",
    "mends",
    "anew",
    "at the firewall that refuses",
    "no reserve",
    "goes astray",
    "name for an illness",
    "two faces",
    "it explains: ",
    // Help and errors.
    "DNS question so often",
    "Wait so long at most",
    "every so many seconds",
    "likewise",
    "What a finding counts as",
    "is no GUID",
    "is no report",
    "is no CIDR",
    "is no number",
    "is no JSON",
    "nothing is known of",
    "is no UTF-8",
    "is no whole",
    "like all that end in",
    "like westeurope",
    "Print the result and errors only",
    "Talk:",
    "there is no world",
    "a cause still counts",
    "Look again every so many",
    // JUnit, page.
    "something was looked at",
    "none; not",
    "Follows from it",
    "nothing to mend",
    "folds away",
    "folded away",
    "which command mends",
    "node exporter's own user",
    "beside their place",
    "ruled out",
    "· 1 no answer",
    "sees names and addresses, not",
    "owner: this machine",
    "step the clock",
];

fn former(what: &str, text: &str) -> Vec<String> {
    let found = FORMER.iter().filter(|former| text.contains(**former));
    let line = |former: &str| text.lines().find(|line| line.contains(former)).unwrap_or_default();
    let start = |former: &str| line(former).chars().take(200).collect::<String>();
    found.map(|former| format!("{what} says `{former}`: {}", start(former))).collect()
}

/// Former words in any format of a report.
pub(super) fn faults(report: &Report) -> Vec<String> {
    let mut faults = Vec::new();
    for detail in [Detail::Usual, Detail::More, Detail::Everything] {
        faults.extend(former("the table", &super::rendered(report, &Style { detail, ..Style::default() })));
    }
    for format in [Format::Html, Format::Compact, Format::Junit, Format::Markdown, Format::Ndjson, Format::Metrics] {
        let mut out = Vec::new();
        render::write(format, report, FailOn::Error, &Style::default(), &mut out).expect("memory takes it");
        faults.extend(former(&format!("{format:?}"), &String::from_utf8(out).expect("UTF-8")));
    }
    faults
}

#[test]
fn help_and_pages_use_no_former_words() {
    let mut faults = Vec::new();
    for command in ["check", "plan", "judge", "redact", "compare", "fleet", "what-if", "explain", "demo"] {
        faults.extend(former(command, &text(&ran(&[command, "--help"]).stdout)));
    }
    let root = env!("CARGO_MANIFEST_DIR");
    for page in fs::read_dir(format!("{root}/packaging/docs/codes")).expect("the pages") {
        let page = page.expect("a page").path();
        faults.extend(former(&page.display().to_string(), &fs::read_to_string(&page).expect("UTF-8")));
    }
    for page in ["README.md", "CHANGELOG.md", "SECURITY.md", "packaging/docs/README.md", "packaging/docs/words.md"] {
        faults.extend(former(page, &fs::read_to_string(format!("{root}/{page}")).expect("UTF-8")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
