//! The route of each zone, by the server that was asked.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ampls_probes::addr;

use crate::diagnose::facts::{Linked, Route, Status, View, ViewKind};
use crate::render::page::{Page, Tint};
use crate::render::words;
use crate::report::{EndpointReport, Health, Report, fold};

/// The resolver or server of a column.
type Column = (ViewKind, Option<SocketAddr>);

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let rows = rows(report);
    if rows.is_empty() {
        return Ok(());
    }
    page.blank()?;
    let widths: Vec<usize> = (0..rows[0].1.len())
        .map(|column| rows.iter().filter_map(|(_, cells)| cells.get(column)).map(|cell| cell.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let label = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
    let aligned = label + 3 + widths.iter().sum::<usize>() + 3 * widths.len().saturating_sub(1) <= page.style.width;
    for (name, cells) in &rows {
        let mut line = format!("{name:label$}   ");
        let mut empty = true;
        for (cell, &width) in cells.iter().zip(&widths) {
            let cell = if aligned { format!("{cell:width$}") } else { cell.clone() };
            if !empty && line.chars().count() + 3 + cell.chars().count() > page.style.width {
                page.line(Tint::Plain, &line)?;
                line = format!("{:label$} | ", "");
                empty = true;
            }
            if !empty {
                line.push_str(" | ");
            }
            line.push_str(&cell);
            empty = false;
        }
        page.line(Tint::Plain, &line)?;
    }
    Ok(())
}

/// A label for each zone, and the cell of each column.
pub(in crate::render) fn rows(report: &Report) -> Vec<(String, Vec<String>)> {
    let mut zones: Vec<&str> = Vec::new();
    for zone in report.endpoints.iter().filter_map(|endpoint| endpoint.zone.as_deref()) {
        if !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    let columns = columns(report);
    // A public answer is what a machine without a private link should have: so it is not written in capitals.
    let loud = !(report.verdict.route == Route::Public && report.verdict.health == Health::Ok);
    zones
        .into_iter()
        .map(|zone| {
            let names: Vec<_> =
                report.endpoints.iter().filter(|endpoint| endpoint.zone.as_deref() == Some(zone)).collect();
            let own = addresses(&views(&names, (ViewKind::System, None)));
            let cells = columns.iter().map(|&column| cell(report, zone, &names, column, &own, loud)).collect();
            (family(zone).to_owned(), cells)
        })
        .collect()
}

/// The label by which the zones of one cloud differ, e.g. `ods` of `privatelink.ods.opinsights.azure.com`.
pub(super) fn family(zone: &str) -> &str {
    let zone = zone.strip_prefix("privatelink.").unwrap_or(zone);
    zone.split('.').next().unwrap_or(zone)
}

/// The head of each column: every cell of [`rows`] begins with it.
pub(in crate::render) fn heads(report: &Report) -> Vec<String> {
    columns(report).into_iter().map(who).collect()
}

fn who((kind, server): Column) -> String {
    match server {
        _ if kind == ViewKind::System => "this VM".to_owned(),
        Some(server) if server.port() == 53 => server.ip().to_string(),
        Some(server) => server.to_string(),
        None => "?".to_owned(),
    }
}

/// This machine first, then its servers in its order, Azure's view, others. Azure's view has its place also unasked.
fn columns(report: &Report) -> Vec<Column> {
    let mut columns: Vec<Column> = vec![(ViewKind::System, None)];
    for view in report.endpoints.iter().flat_map(|endpoint| &endpoint.views) {
        let same = |&(kind, server): &Column| {
            (kind, server) == (view.view, view.server) || (server.is_some() && server == view.server)
        };
        if !columns.iter().any(same) {
            columns.push((view.view, view.server));
        }
    }
    if !columns.iter().any(|&(kind, server)| kind == ViewKind::Azure || server == Some(addr::AZURE_DNS)) {
        columns.push((ViewKind::Azure, Some(addr::AZURE_DNS)));
    }
    columns
}

fn views<'a>(names: &[&'a EndpointReport], (kind, server): Column) -> Vec<&'a View> {
    let of = |view: &&View| if server.is_some() { view.server == server } else { view.view == kind };
    names.iter().filter_map(|endpoint| endpoint.views.iter().find(of)).collect()
}

fn cell(report: &Report, zone: &str, names: &[&EndpointReport], column: Column, own: &[IpAddr], loud: bool) -> String {
    let (kind, server) = column;
    let who = who(column);
    let views = views(names, column);
    let asked: Vec<_> = views.iter().copied().filter(|view| view.status != Status::Skipped).collect();
    if asked.is_empty() {
        return format!("{who} not asked");
    }
    let route = fold(asked.iter().map(|view| view.route));
    let mut text = format!("{who} {}", routes(route, &asked, loud));
    let addresses = addresses(&asked);
    if route != Route::Mixed && (kind == ViewKind::System || addresses != own) {
        text.push_str(&shown(&addresses));
    }
    let linked = report.zones.iter().find(|fact| fact.zone == zone && Some(fact.server) == server);
    match linked.map(|fact| fact.linked) {
        Some(Linked::Yes) if route != Route::Private => text.push_str(" soa private"),
        Some(Linked::No) => text.push_str(" soa public"),
        Some(Linked::Local) => text.push_str(" soa local"),
        Some(Linked::Yes | Linked::Unknown) | None => {}
    }
    text
}

fn routes(route: Route, asked: &[&View], loud: bool) -> String {
    let count = |route: Route| asked.iter().filter(|view| view.route == route).count();
    let lost = count(Route::None);
    let mut text = match route {
        Route::Private => "private".to_owned(),
        Route::Public if loud => "PUBLIC".to_owned(),
        Route::Public => "public".to_owned(),
        Route::Mixed => {
            let (private, public, both) = (count(Route::Private), count(Route::Public), count(Route::Mixed));
            let parts = [(private, "private"), (public, "public"), (both, "both")];
            let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
            format!("MIXED {}", parts.join(" "))
        }
        Route::None => return why(asked),
    };
    if lost > 0 {
        let without: Vec<_> = asked.iter().copied().filter(|view| view.route == Route::None).collect();
        text = format!("{text} ({lost} {})", why(&without));
    }
    text
}

fn why(asked: &[&View]) -> String {
    match asked.first().map(|view| view.status) {
        Some(Status::Ok) => "SINKHOLED".to_owned(),
        Some(status) => words::status(status).to_owned(),
        None => String::new(),
    }
}

fn addresses(views: &[&View]) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = Vec::new();
    for address in views.iter().flat_map(|view| &view.addresses) {
        if !all.contains(address) {
            all.push(*address);
        }
    }
    all
}

/// The first address, and how many more there are.
pub(super) fn shown(addresses: &[IpAddr]) -> String {
    match addresses {
        [] => String::new(),
        [one] => format!(" {one}"),
        [one, more @ ..] => format!(" {one} +{}", more.len()),
    }
}
