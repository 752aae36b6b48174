//! The report for a ticket or a pull request: the answer and what to do, then the rest, folded.

use std::io::{self, Write};

use super::markup::escaped;
use super::page::inert;
use super::table::matrix;
use super::ticket::{self, Part};
use crate::diagnose::finding::{Finding, Owner, Severity};
use crate::report::{EndpointReport, Report};
use text::{block, cell, prose};

pub(super) mod text;

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}\n", prose(&report.verdict.headline))?;
    parts(&ticket::machine(report), out)?;
    zones(report, out)?;
    for root in ticket::faults(report) {
        self::root(report, root, out)?;
    }
    let faults = ticket::faults(report).count();
    if faults == 0 {
        writeln!(out, "No problem was found.\n")?;
    }
    if let Some(verify) = ticket::verify(report) {
        parts(&[verify], out)?;
    }
    noted(report, out)?;
    endpoints(report, out)?;
    not_visible(report, out)
}

/// Writes a ticket for this owner.
pub fn write_ticket(report: &Report, owner: Owner, out: &mut dyn Write) -> io::Result<()> {
    parts(&ticket::ticket(report, owner), out)
}

/// Parts one after the other; the first heading is that of the whole.
pub(super) fn parts(parts: &[Part], out: &mut dyn Write) -> io::Result<()> {
    let mut listed = false;
    for (index, part) in parts.iter().enumerate() {
        let item = matches!(part, Part::Item(_));
        if listed && !item {
            writeln!(out)?;
        }
        listed = item;
        match part {
            Part::Heading(heading) => {
                let level = if index == 0 { "#" } else { "##" };
                writeln!(out, "{level} {}\n", prose(heading))?;
            }
            Part::Said(label, said) => writeln!(out, "{}\n", format!("**{label}:** {}", prose(said)).trim_end())?,
            Part::Item(item) => writeln!(out, "- {}", prose(item))?,
            Part::Commands(commands) => writeln!(out, "{}", block(commands.iter().map(String::as_str)))?,
        }
    }
    if listed { writeln!(out) } else { Ok(()) }
}

fn zones(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rows = matrix::rows(report);
    if rows.is_empty() {
        return Ok(());
    }
    let heads = matrix::heads(report);
    let head = heads.iter().map(|head| format!(" {} |", prose(head))).collect::<Vec<_>>().concat();
    writeln!(out, "| zone |{head}\n|---|{}", "---|".repeat(heads.len()))?;
    for matrix::Row { zone, cells, .. } in rows {
        let said = |(cell, head): (&String, &String)| {
            let cell = cell.strip_prefix(head.as_str()).unwrap_or(cell).trim_start();
            format!(" {} |", prose(cell))
        };
        let cells: String = cells.iter().zip(&heads).map(said).collect();
        writeln!(out, "| {} |{cells}", prose(&zone))?;
    }
    writeln!(out)
}

/// A root: who, the first look, the fix; then, folded, what shows it and what else can be done.
fn root(report: &Report, root: &Finding, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## {}\n", prose(&ticket::title(root)))?;
    let change = root.fix.iter().position(|fix| !fix.read_only);
    let look = root.fix.iter().position(|fix| fix.read_only);
    let needed = |index: &usize| root.fix.get(*index).is_some_and(|fix| !fix.read_only && !fix.alternative);
    let others = (0..root.fix.len()).filter(|index| change.is_some_and(|change| *index > change)).filter(needed);
    let shown: Vec<usize> = look.into_iter().chain(change).chain(others).collect();
    let mut first = vec![Part::Said("Who", ticket::team(root.owner).to_owned())];
    for (index, fix) in shown.iter().filter_map(|index| Some((*index, root.fix.get(*index)?))) {
        first.extend(ticket::fix(fix, if Some(index) == change { "Fix" } else { "And" }, false));
    }
    if change.is_none() {
        first.push(Part::Said("Fix", format!("none from here; give this to {}", ticket::team(root.owner))));
    }
    parts(&first, out)?;

    let mut rest = Vec::new();
    if !root.summary.is_empty() {
        rest.push(Part::Said("Symptom", root.summary.clone()));
    }
    if !root.endpoints.is_empty() {
        rest.push(Part::Said("Names", ticket::quoted(&root.endpoints)));
    }
    rest.extend(ticket::evidence(report, root));
    let undone = shown.iter().filter_map(|index| root.fix.get(*index)).filter_map(|fix| fix.undo.as_ref());
    rest.extend(undone.flat_map(|undo| ticket::advice("Undo", undo)));
    for (index, fix) in root.fix.iter().enumerate().filter(|(index, _)| !shown.contains(index)) {
        rest.extend(ticket::fix(fix, if ticket::is_first_change(root, index) { "Fix" } else { "Or" }, true));
    }
    let consequences: Vec<&Finding> = report.explained_by(root).collect();
    if !consequences.is_empty() {
        rest.push(Part::Said("Consequences", consequences.len().to_string()));
        rest.extend(consequences.iter().map(|it| Part::Item(format!("{} {}: {}", it.code, it.name, it.title))));
    }
    rest.push(Part::Said("More", format!("`ampls-doctor explain {}`", root.code)));
    folded(&format!("Evidence, undo and other ways: {}", root.id), out, |out| parts(&rest, out))
}

/// What opens by a click.
fn folded(summary: &str, out: &mut dyn Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    writeln!(out, "<details>\n<summary>{}</summary>\n", escaped(&inert(summary)))?;
    write(out)?;
    writeln!(out, "</details>\n")
}

fn noted(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let infos: Vec<&Finding> = report.roots().filter(|root| root.severity == Severity::Info).collect();
    if infos.is_empty() {
        return Ok(());
    }
    folded(&format!("Noted, and no fault ({})", infos.len()), out, |out| {
        for info in infos {
            writeln!(out, "- {}", prose(&format!("{} {}: {}", info.code, info.name, info.title)))?;
        }
        writeln!(out)
    })
}

fn endpoints(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let answering = report.endpoints.iter().filter(|endpoint| endpoint.reachable == Some(true)).count();
    let tested = report.endpoints.iter().filter(|endpoint| endpoint.reachable.is_some()).count();
    folded(&format!("Endpoints: {answering} of {tested} tested answer"), out, |out| {
        writeln!(out, "| name | need | route | addresses | reachable |\n|---|---|---|---|---|")?;
        for endpoint in &report.endpoints {
            let addresses: Vec<String> = endpoint.addresses.iter().map(ToString::to_string).collect();
            writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                cell(&format!("{}:{}", endpoint.fqdn, endpoint.port)),
                endpoint.need.as_str(),
                endpoint.route.as_str(),
                addresses.join(" "),
                reached(endpoint)
            )?;
        }
        writeln!(out)
    })
}

fn reached(endpoint: &EndpointReport) -> &'static str {
    match endpoint.reachable {
        Some(true) => "ok",
        Some(false) => "no",
        None if endpoint.addresses.is_empty() => "not tested: no address",
        None => "resolved only",
    }
}

fn not_visible(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for (title, answered) in [("In Azure", true), ("Not visible from this machine", false)] {
        let mut notes = report.notes.iter().filter(|note| note.answered == answered).peekable();
        if notes.peek().is_none() {
            continue;
        }
        folded(title, out, |out| {
            for note in notes.by_ref() {
                writeln!(out, "{}\n", prose(&note.text))?;
                if let Some(command) = &note.command {
                    writeln!(out, "{}", block(std::iter::once(command.as_str())))?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
