//! The picture on one screen: how the machines are, the causes by machines, and the first of them in full.

use std::io::{self, Write};

use super::{broken, headline, machines, many, most, summary, team, titled};
use crate::diagnose::finding::Severity;
use crate::fleet::{Change, Group, Picture, Since};
use crate::render::page::{Detail, Page, Style, Tint, columns_of};
use crate::render::table::{causes, root};
use crate::render::words::{self, Mark};
use crate::text::thousands;

/// Causes in the list of one screen.
const LISTED: usize = 8;
/// Slices of a cut in the list of one screen.
const SLICES: usize = 8;
/// Values and machines named in one line.
const NAMED: usize = 3;

/// Writes the picture.
pub(super) fn write(picture: &Picture, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, *style);
    let all = &picture.machines;
    let tint = match (all.error, all.warning + all.unexamined) {
        (1.., _) => Tint::Red,
        (0, 1..) => Tint::Yellow,
        _ => Tint::Green,
    };
    page.wrapped(tint, "", "  ", &headline(picture))?;
    if style.detail == Detail::Answer {
        return Ok(());
    }
    page.wrapped(Tint::Plain, "", "  ", &summary(picture))?;
    if let Some(broken) = broken(picture) {
        page.wrapped(Tint::Yellow, "", "  ", &broken)?;
    }
    causes(picture, &mut page)?;
    outliers(picture, &mut page)?;
    cut(picture, &mut page)?;
    if let Some(since) = &picture.since {
        self::since(since, &mut page)?;
    }
    let all = style.detail > Detail::Usual;
    let shown = picture.causes().chain(picture.outliers()).take(if all { usize::MAX } else { 1 });
    for group in shown {
        page.blank()?;
        self::group(group, &mut page)?;
    }
    if !all && picture.groups.iter().any(|group| group.severity > Severity::Info) {
        page.blank()?;
        let more = "More   -v: every cause in full   --by server   -o fleet.html: every machine";
        page.wrapped(Tint::Plain, "", "       ", more)?;
    }
    Ok(())
}

fn causes(picture: &Picture, page: &mut Page<'_>) -> io::Result<()> {
    let causes: Vec<&Group> = picture.causes().collect();
    if causes.is_empty() {
        return Ok(());
    }
    page.blank()?;
    let limit = if page.style.detail > Detail::Usual { usize::MAX } else { LISTED };
    let number = |group: &Group| thousands(group.machines);
    let wide = causes.iter().take(limit).map(|group| columns_of(&number(group))).max().unwrap_or_default();
    for group in causes.iter().take(limit) {
        let mark = Mark::of(group.severity);
        let first = format!(
            "{}{:>wide$} {:>5.1} %  {}  ",
            mark.shown(page.style.ascii),
            number(group),
            group.percent,
            group.code
        );
        let rest = " ".repeat(columns_of(&first));
        page.wrapped(mark.tint(), &first, &rest, &titled(group))?;
    }
    let more = causes.len().saturating_sub(limit);
    if more > 0 {
        page.wrapped(Tint::Plain, "", "", &format!("{} (-v)", many(more, "more cause", "more causes")))?;
    }
    Ok(())
}

fn outliers(picture: &Picture, page: &mut Page<'_>) -> io::Result<()> {
    let outliers: Vec<&Group> = picture.outliers().collect();
    let limit = if page.style.detail > Detail::Usual { usize::MAX } else { NAMED };
    let host = |group: &Group| group.examples.first().map(|it| it.host.clone()).unwrap_or_default();
    let mut named: Vec<String> =
        outliers.iter().take(limit).map(|group| format!("{} {}", host(group), group.code)).collect();
    let more = outliers.len().saturating_sub(limit);
    if more > 0 {
        named.push(format!("{} more", thousands(more)));
    }
    if named.is_empty() { Ok(()) } else { page.wrapped(Tint::Plain, "Alone  ", "       ", &named.join(", ")) }
}

fn cut(picture: &Picture, page: &mut Page<'_>) -> io::Result<()> {
    let Some(cut) = &picture.by else { return Ok(()) };
    page.blank()?;
    page.line(Tint::Bold, &format!("By {}", cut.dimension.as_str()))?;
    let limit = if page.style.detail > Detail::Usual { usize::MAX } else { SLICES };
    for slice in cut.slices.iter().take(limit) {
        let tint = if slice.error > 0 { Tint::Red } else { Tint::Plain };
        let first = slice.causes.first().map(|cause| format!("; {}", cause.value)).unwrap_or_default();
        let text = format!("{}: {} of {} broken{first}", slice.value, thousands(slice.error), machines(slice.machines));
        page.wrapped(tint, "  ", "      ", &text)?;
    }
    let more = cut.slices.len().saturating_sub(limit);
    if more > 0 { page.line(Tint::Plain, &format!("  {} more (-v)", thousands(more))) } else { Ok(()) }
}

fn since(since: &Since, page: &mut Page<'_>) -> io::Result<()> {
    page.blank()?;
    let counts = [
        (since.better.len(), "better"),
        (since.worse.len(), "worse"),
        (since.same, "as before"),
        (since.appeared.len(), "appeared"),
        (since.vanished.len(), "vanished"),
    ];
    let counts: Vec<String> = counts.iter().map(|(count, word)| format!("{} {word}", thousands(*count))).collect();
    page.wrapped(Tint::Bold, "Since  ", "       ", &counts.join(", "))?;
    for (word, changes, tint) in [
        ("worse", &since.worse, Tint::Red),
        ("better", &since.better, Tint::Green),
        ("vanished", &since.vanished, Tint::Yellow),
    ] {
        hosts(word, changes, tint, page)?;
    }
    let limit = if page.style.detail > Detail::Usual { usize::MAX } else { NAMED };
    for cause in since.causes.iter().take(limit) {
        let tint = if cause.now > cause.before { Tint::Red } else { Tint::Green };
        let numbers = format!("{} -> {}", thousands(cause.before), thousands(cause.now));
        page.wrapped(tint, "  ", "      ", &format!("{} {}: {numbers} machines", cause.code, cause.title))?;
    }
    Ok(())
}

fn hosts(word: &str, changes: &[Change], tint: Tint, page: &mut Page<'_>) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let limit = if page.style.detail > Detail::Usual { usize::MAX } else { NAMED };
    let mut named: Vec<String> = changes.iter().take(limit).map(|change| change.host.clone()).collect();
    let more = changes.len().saturating_sub(limit);
    if more > 0 {
        named.push(format!("{} more", thousands(more)));
    }
    page.wrapped(tint, &format!("  {word}: "), "      ", &named.join(", "))
}

fn group(group: &Group, page: &mut Page<'_>) -> io::Result<()> {
    let mark = Mark::of(group.severity);
    let head = format!("{}  {}: {}", group.code, machines(group.machines), titled(group));
    page.wrapped(mark.tint(), mark.shown(page.style.ascii), "  ", &head)?;
    let all = group.machines;
    let mut line = |label: &str, text: &str| {
        if text.is_empty() { Ok(()) } else { page.wrapped(Tint::Plain, &format!("  {label:<8}"), "          ", text) }
    };
    line("Who", &root::who(team(group.owner), &group.fix))?;
    line("Affects", &most(&group.affects, NAMED, all))?;
    let known = |values: &[crate::fleet::Counted]| values.iter().any(|value| value.value != "unknown");
    let mut places = Vec::new();
    for (word, values) in [("", &group.regions), ("subnet ", &group.subnets), ("subscription ", &group.subscriptions)] {
        if known(values) {
            places.push(format!("{word}{}", most(values, NAMED, all)));
        }
    }
    line("Where", &places.join("; "))?;
    if known(&group.agents) {
        line("Agents", &most(&group.agents, NAMED, all))?;
    }
    let hosts: Vec<&str> = group.examples.iter().map(|example| example.host.as_str()).collect();
    line("E.g.", &hosts.join(", "))?;
    if group.only_fault > 0 && !group.outlier {
        line("Only", &format!("fault on {} of them", thousands(group.only_fault)))?;
    }
    line("Seen", &format!("{:.0} to {:.0}", group.first_seen, group.last_seen))?;
    fix(group, page)
}

/// What to do on one machine of the group: the first look and the change, or everything; the page of the code says the rest.
fn fix(group: &Group, page: &mut Page<'_>) -> io::Result<()> {
    if page.style.detail > Detail::Usual {
        let mut changes = 0;
        for fix in &group.fix {
            changes += usize::from(!fix.read_only);
            causes::remedy(words::label(fix, changes == 1), fix, page)?;
        }
    } else if !group.fix.is_empty() {
        root::to_do(&group.fix, team(group.owner)).iter().try_for_each(|step| page.put(step))?;
    }
    if let Some(host) = &group.fix_from {
        page.wrapped(Tint::Plain, "  As on   ", "          ", &format!("{host}, whose report was judged again"))?;
    }
    match words::explain(&group.code) {
        Some(command) => page.line(Tint::Plain, &format!("  Why     {command}")),
        None => Ok(()),
    }
}
