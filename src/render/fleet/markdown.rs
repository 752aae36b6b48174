//! The picture for tickets and pull requests.

use std::io::{self, Write};

use super::{broken, headline, machines, most, summary, team, titled};
use crate::diagnose::finding::Severity;
use crate::fleet::{Group, Picture};
use crate::render::markdown::parts;
use crate::render::markdown::text::{cell, code, prose};
use crate::render::{ticket, words};
use crate::text::thousands;

/// Values named in one line.
const NAMED: usize = 5;
/// Causes of one machine alone that are listed.
const OUTLIERS: usize = 50;
/// Changes of causes that are listed.
const CHANGES: usize = 20;

/// Writes the picture.
pub(super) fn write(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## {}\n\n{}", prose(&headline(picture)), prose(&summary(picture)))?;
    if let Some(broken) = broken(picture) {
        writeln!(out, "\n{}", prose(&broken))?;
    }
    let causes: Vec<&Group> = picture.causes().collect();
    if !causes.is_empty() {
        writeln!(out, "\n| machines | share | code | severity | who | cause |\n|--:|--:|---|---|---|---|")?;
    }
    for group in &causes {
        let (number, percent, severity) = (thousands(group.machines), group.percent, words::severity(group.severity));
        let (id, who, title) = (cell(&group.code), team(group.owner), cell(&titled(group)));
        writeln!(out, "| {number} | {percent:.1} % | {id} | {severity} | {who} | {title} |")?;
    }
    let outliers: Vec<&Group> = picture.outliers().collect();
    if !outliers.is_empty() {
        writeln!(out, "\n### Machines alone with a fault\n\n| machine | code | severity | fault |\n|---|---|---|---|")?;
    }
    for group in outliers.iter().take(OUTLIERS) {
        let host = group.examples.first().map(|example| cell(&example.host)).unwrap_or_default();
        let (id, severity, title) = (cell(&group.code), words::severity(group.severity), cell(&titled(group)));
        writeln!(out, "| {host} | {id} | {severity} | {title} |")?;
    }
    if outliers.len() > OUTLIERS {
        writeln!(out, "\n{} more", thousands(outliers.len() - OUTLIERS))?;
    }
    cut(picture, out)?;
    since(picture, out)?;
    causes.iter().try_for_each(|group| self::group(group, out))
}

fn cut(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    let Some(cut) = &picture.by else { return Ok(()) };
    let what = cut.dimension.as_str();
    writeln!(out, "\n### By {what}\n\n| {what} | machines | broken | first cause |\n|---|--:|--:|---|")?;
    for slice in &cut.slices {
        let cause = slice.causes.first().map(|cause| cell(&cause.value)).unwrap_or_default();
        writeln!(
            out,
            "| {} | {} | {} | {cause} |",
            cell(&slice.value),
            thousands(slice.machines),
            thousands(slice.error)
        )?;
    }
    Ok(())
}

fn since(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    let Some(since) = &picture.since else { return Ok(()) };
    let number = |changes: &[crate::fleet::Change]| thousands(changes.len());
    writeln!(
        out,
        "\n### Since then\n\n{} better, {} worse, {} as before, {} appeared, {} vanished",
        number(&since.better),
        number(&since.worse),
        thousands(since.same),
        number(&since.appeared),
        number(&since.vanished)
    )?;
    if !since.causes.is_empty() {
        writeln!(out, "\n| before | now | code | cause |\n|--:|--:|---|---|")?;
    }
    for cause in since.causes.iter().take(CHANGES) {
        let (before, now) = (thousands(cause.before), thousands(cause.now));
        writeln!(out, "| {before} | {now} | {} | {} |", cell(&cause.code), cell(&cause.title))?;
    }
    Ok(())
}

fn group(group: &Group, out: &mut dyn Write) -> io::Result<()> {
    let all = group.machines;
    writeln!(out, "\n### {}: {}\n\n{}\n", code(&group.code), machines(all), prose(&titled(group)))?;
    let examples: Vec<String> = group.examples.iter().map(|example| code(&example.host)).collect();
    let seen = format!("{:.0} to {:.0}", group.first_seen, group.last_seen);
    for (word, text) in [
        ("Who", team(group.owner).to_owned()),
        ("Affects", prose(&most(&group.affects, NAMED, all))),
        ("Regions", prose(&most(&group.regions, NAMED, all))),
        ("Subnets", prose(&most(&group.subnets, NAMED, all))),
        ("Subscriptions", prose(&most(&group.subscriptions, NAMED, all))),
        ("Agents", prose(&most(&group.agents, NAMED, all))),
        ("Examples", examples.join(", ")),
        ("Seen", seen),
        ("Only fault on", machines(group.only_fault)),
    ] {
        if !text.is_empty() {
            writeln!(out, "- {word}: {text}")?;
        }
    }
    if group.severity == Severity::Info {
        return Ok(());
    }
    writeln!(out)?;
    let change = group.fix.iter().position(|fix| !fix.read_only);
    for (place, fix) in group.fix.iter().enumerate() {
        parts(&ticket::fix(fix, if Some(place) == change { "Change" } else { "Or" }, true), out)?;
    }
    if let Some(host) = &group.fix_from {
        writeln!(out, "As on {}, whose report was judged again.\n", code(host))?;
    }
    match words::explain(&group.code) {
        Some(command) => writeln!(out, "{}", code(&command)),
        None => Ok(()),
    }
}
