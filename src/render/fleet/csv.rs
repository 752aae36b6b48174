//! One line a machine and cause, for spreadsheets.
//!
//! A spreadsheet takes a cell that begins like a formula for one (<https://owasp.org/www-community/attacks/CSV_Injection>):
//! such a cell gets an apostrophe in front. Where lists are separated by semicolons, as in German or French settings, a cell also
//! begins after each of these, in quotes or not. Characters that act on a reader are written as escapes.

use std::io::{self, Write};

use crate::fleet::{Row, Whole, rows};
use crate::render::page::inert;

const COLUMNS: [&str; 22] = [
    "machine",
    "host",
    "resource_id",
    "cloud",
    "subscription",
    "region",
    "subnet",
    "at",
    "run_id",
    "version",
    "redacted",
    "state",
    "route",
    "servers",
    "agents",
    "code",
    "severity",
    "certainty",
    "owner",
    "title",
    "facts",
    "outlier",
];

/// What a formula begins with; some programs know the wide forms.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠'];

/// Writes the lines.
pub(super) fn write(whole: &Whole, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = csv::Writer::from_writer(out);
    lines.write_record(COLUMNS)?;
    for row in rows(whole) {
        lines.write_record(cells(&row).iter().map(|cell| harmless(cell)))?;
    }
    lines.flush()
}

fn cells(row: &Row<'_>) -> [String; COLUMNS.len()] {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    [
        row.machine.to_string(),
        row.host.to_owned(),
        text(row.resource_id),
        text(row.cloud),
        text(row.subscription),
        text(row.region),
        text(row.subnet),
        format!("{:.3}", row.at),
        row.run_id.to_string(),
        row.version.to_owned(),
        word(row.redacted),
        row.state.to_string(),
        row.route.to_owned(),
        row.servers.join(", "),
        row.agents.join(", "),
        text(row.code),
        row.severity.map(|severity| severity.as_str().to_owned()).unwrap_or_default(),
        row.certainty.map(|certainty| certainty.as_str().to_owned()).unwrap_or_default(),
        row.owner.map(|owner| owner.as_str().to_owned()).unwrap_or_default(),
        text(row.title),
        row.facts.join(", "),
        row.outlier.map(word).unwrap_or_default(),
    ]
}

/// The cell as text that no spreadsheet computes. Some programs skip blanks before they look.
fn harmless(cell: &str) -> String {
    let cell = inert(cell);
    let mut safe = String::with_capacity(cell.len());
    for (index, part) in cell.split(';').enumerate() {
        let before = |c: char| c.is_whitespace() || index > 0 && c == '"';
        let begins = part.trim_start_matches(before).starts_with(FORMULA);
        safe.push_str(if index > 0 { ";" } else { "" });
        safe.push_str(if begins { "'" } else { "" });
        safe.push_str(part);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for evil in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "=cmd|'/c calc'!A0", "＝1"] {
            let cell = harmless(evil);
            assert!(cell.starts_with('\'') || cell.starts_with("\\u{"), "{cell}");
        }
        for (evil, wanted) in [
            ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
            ("a; =1;b;-2", "a;' =1;b;'-2"),
            ("a;\"=1\"", "a;'\"=1\""),
            (";;@x", ";;'@x"),
        ] {
            assert_eq!(harmless(evil), wanted);
        }
        for plain in ["vm-1", "10.0.0.4", "", "a=b", "'x", "a;b", "a; b"] {
            assert_eq!(harmless(plain), plain);
        }
    }
}
