//! The endpoints by group: where each leads and what it answers.

use std::io;

use ampls_probes::endpoint::{Group, Need};
use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};
use uuid::Uuid;

use super::matrix;
use crate::diagnose::facts::{Route, Status, ViewKind};
use crate::render::page::{Detail, Page, Style, Tint, inert};
use crate::render::words;
use crate::report::{EndpointReport, Report};
use crate::text::duration_ms;

/// What the columns beside the name need for an IPv4 address and a short answer.
const OTHER_COLUMNS: usize = 38;

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let rows: Vec<(Group, Row)> =
        report.endpoints.iter().map(|endpoint| (endpoint.group, row(endpoint, page.style))).collect();
    let widths = widths(&rows, page.style);
    let mut groups: Vec<Group> = Vec::new();
    for (group, _) in &rows {
        if !groups.contains(group) {
            groups.push(*group);
        }
    }
    for group in groups {
        page.blank()?;
        let rows = rows.iter().filter(|(of, _)| *of == group).map(|(_, row)| row);
        for line in table(group, rows, widths, page.style).lines() {
            page.line(Tint::Plain, &line)?;
        }
    }
    if report.endpoints.iter().any(|endpoint| endpoint.need == Need::Required) {
        page.line(Tint::Plain, "* required")?;
    }
    if page.style.detail == Detail::Everything {
        views(report, page)?;
    }
    Ok(())
}

/// Whether it is required, its name, where it leads, to which address, what it answers.
type Row = [String; 5];

fn row(endpoint: &EndpointReport, style: Style) -> Row {
    let mark = if endpoint.need == Need::Required { "*" } else { "" };
    let name = name(endpoint, style.width >= 110, room(style));
    [mark.to_owned(), name, leads(endpoint), to(endpoint), answers(endpoint, style.detail)]
}

/// The columns of the name.
fn room(style: Style) -> usize {
    style.width.saturating_sub(OTHER_COLUMNS).max(20)
}

/// The width of each column over all groups, so that they stand one under the other.
/// None takes the room of the others.
fn widths(rows: &[(Group, Row)], style: Style) -> [usize; 5] {
    let mut widths = [1, room(style), 12, 18, 1];
    for (width, column) in widths.iter_mut().zip(0..) {
        let cells = rows.iter().filter_map(|(_, row)| row.get::<usize>(column));
        let lines = cells.flat_map(|cell| cell.lines()).map(|line| line.chars().count());
        *width = lines.max().unwrap_or_default().min(*width);
    }
    widths
}

fn table<'a>(group: Group, rows: impl Iterator<Item = &'a Row>, widths: [usize; 5], style: Style) -> Table {
    let mut table = Table::new();
    let rule = if style.ascii { '-' } else { '─' };
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill(rule)));
    let width = u16::try_from(style.width).unwrap_or(u16::MAX);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(["", word(group), "leads", "to", "answers"]);
    table.add_rows(rows);
    for (column, width) in table.column_iter_mut().zip(widths) {
        column.set_padding((0, 2));
        // The answers, last, take what is left.
        let width = u16::try_from(width.saturating_add(2)).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
    if let Some(mark) = table.column_mut(0) {
        mark.set_padding((0, 1)).remove_constraint();
    }
    if let Some(answers) = table.column_mut(4) {
        answers.remove_constraint();
    }
    table
}

fn word(group: Group) -> &'static str {
    match group {
        Group::Agent => "agents",
        Group::Query => "queries",
        Group::AppInsights => "application insights",
        Group::Portal => "portal",
        Group::Automation => "automation",
        Group::Arc => "arc",
        Group::Extra => "by argument",
    }
}

/// The name; a workspace's id is cut to its first group where room is short, as no two begin alike.
fn name(endpoint: &EndpointReport, full: bool, width: usize) -> String {
    let port = if endpoint.port == 443 { String::new() } else { format!(":{}", endpoint.port) };
    let short = match endpoint.fqdn.split_once('.') {
        Some((id, rest)) if !full && Uuid::try_parse(id).is_ok() => {
            format!("{}….{rest}", id.split_inclusive('-').next().unwrap_or(id))
        }
        _ => endpoint.fqdn.clone(),
    };
    broken_at_dots(&format!("{}{port}", inert(&short)), width)
}

/// A name over several lines, each but the first beginning with its dot.
fn broken_at_dots(name: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for (number, label) in name.split('.').enumerate() {
        let label = if number == 0 { label.to_owned() } else { format!(".{label}") };
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.chars().count() + label.chars().count() <= width => {
                line.push_str(&label);
            }
            _ => lines.push(label),
        }
    }
    lines.join("\n  ")
}

fn leads(endpoint: &EndpointReport) -> String {
    let system = endpoint.views.iter().find(|view| view.view == ViewKind::System);
    match (endpoint.route, system.map_or(Status::Skipped, |view| view.status)) {
        (Route::None, Status::Ok) => "sinkhole",
        (Route::None, status) => words::status(status),
        (route, _) => route.label(),
    }
    .to_owned()
}

fn to(endpoint: &EndpointReport) -> String {
    matrix::shown(&endpoint.addresses).trim_start().to_owned()
}

fn answers(endpoint: &EndpointReport, detail: Detail) -> String {
    let mut text = match endpoint.reachable {
        None if endpoint.need == Need::Evidence => "DNS only".to_owned(),
        None => "not tested".to_owned(),
        Some(_) => inert(&words::answer(endpoint)),
    };
    if detail == Detail::Everything {
        let layers = endpoint.timings_ms.layers();
        let steps = layers.iter().filter_map(|(name, ms)| Some(format!("{name} {}", duration_ms((*ms)?))));
        text = std::iter::once(text).chain(steps).collect::<Vec<_>>().join(", ");
    }
    text
}

fn views(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    page.blank()?;
    page.line(Tint::Bold, "Every answer")?;
    for endpoint in &report.endpoints {
        page.wrapped(Tint::Plain, "", "  ", &format!("{}:{}", endpoint.fqdn, endpoint.port))?;
        for view in &endpoint.views {
            let who = view.server.map_or("this VM".to_owned(), |server| server.to_string());
            let addresses: Vec<_> = view.addresses.iter().map(ToString::to_string).collect();
            let chain: Vec<_> = view.cname.iter().map(|name| format!("via {name}")).collect();
            let ttl = view.ttl.map(|ttl| format!(", ttl {ttl}")).unwrap_or_default();
            let status = words::status(view.status);
            let text =
                format!("{status} {} {}{ttl}, {}", addresses.join(" "), chain.join(" "), duration_ms(view.elapsed_ms));
            page.wrapped(Tint::Plain, &format!("  {who} "), "    ", &text)?;
        }
    }
    Ok(())
}
