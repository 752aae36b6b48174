//! The route of each zone, by the server that was asked.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use ampls_probes::addr;
use ampls_probes::endpoint::Need;
use ampls_probes::observation::IoFailure;
use comfy_table::{ContentArrangement, Table, TableStyle};

use crate::diagnose::facts::{Linked, Route, Status, View, ViewKind};
use crate::diagnose::finding::Severity;
use crate::render::page::{Paragraph, Style, Tint, columns_of};
use crate::render::words::{self, Mark};
use crate::report::{EndpointReport, Report, StepOutcome, fold};

/// The resolver or server of a column.
type Column = (ViewKind, Option<SocketAddr>);

/// A zone and what each resolver gives of its names.
pub(in crate::render) struct Row {
    /// The label by which the zones of one cloud differ.
    pub(in crate::render) zone: String,
    /// How its names are.
    pub(in crate::render) mark: Mark,
    /// Where they lead.
    pub(in crate::render) route: Route,
    /// One cell a column.
    pub(in crate::render) cells: Vec<String>,
    /// The same without addresses.
    words: Vec<String>,
}

/// How much stands in the table, from all to what fits anywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Room {
    /// Addresses everywhere.
    Ample,
    /// Addresses of this machine alone.
    Own,
    /// Azure's DNS without its address.
    Short,
    /// Without what the zone's own authority says.
    Bare,
    /// Servers by number too; a line says which is which, and what is not used here is only not in capitals.
    Numbers,
}

/// Every zone, in the order of the endpoints.
pub(in crate::render) fn rows(report: &Report) -> Vec<Row> {
    rows_with(report, Room::Ample)
}

/// The table: its head, then a line for each zone that `shown` takes, or one for all zones that are alike.
pub(super) fn lines(report: &Report, style: &Style, alike: bool, shown: impl Fn(&Row) -> bool) -> Vec<Paragraph> {
    let mut table = Vec::new();
    for room in [Room::Ample, Room::Own, Room::Short, Room::Bare, Room::Numbers] {
        let all = rows_with(report, room);
        let total = all.len();
        let mut rows: Vec<Row> = all.into_iter().filter(&shown).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        if alike {
            rows = folded(rows, total, room == Room::Numbers);
        }
        let lines = laid_out(&heads_with(report, room), &rows);
        let mark = words::MARK + usize::from(style.ascii);
        let wide = lines.iter().map(|line| columns_of(line) + mark).max().unwrap_or_default();
        let pad = " ".repeat(mark);
        table = marked(&lines, &rows, &pad, style);
        if room >= Room::Numbers {
            table.push(Paragraph::text(Tint::Plain, &pad, &pad, &legend(report)));
        }
        if style.width.is_none_or(|width| wide <= width) {
            break;
        }
    }
    table
}

fn marked(lines: &[String], rows: &[Row], pad: &str, style: &Style) -> Vec<Paragraph> {
    let line = |(number, text): (usize, &String)| match number.checked_sub(1).and_then(|row| rows.get(row)) {
        Some(row) => Paragraph::whole(Tint::Plain, text).marked(row.mark.tint(), row.mark.shown(style.ascii)),
        None => Paragraph::whole(Tint::Bold, &format!("{pad}{text}")),
    };
    lines.iter().enumerate().map(line).collect()
}

/// Rows that differ in nothing but addresses, as one without them; its zones are named, or counted after the first.
fn folded(rows: Vec<Row>, total: usize, counted: bool) -> Vec<Row> {
    let mut groups: Vec<(Row, usize)> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|(first, _)| (first.mark, &first.words) == (row.mark, &row.words)) {
            Some((first, count)) => {
                if !counted {
                    first.zone = format!("{}, {}", first.zone, row.zone);
                }
                first.cells.clone_from(&first.words);
                *count += 1;
            }
            None => groups.push((row, 1)),
        }
    }
    let named = |(row, count): (Row, usize)| match count {
        1 => row,
        _ if count == total => Row { zone: format!("all {total}"), ..row },
        _ if counted => Row { zone: format!("{} +{}", row.zone, count - 1), ..row },
        _ => row,
    };
    groups.into_iter().map(named).collect()
}

fn laid_out(heads: &[String], rows: &[Row]) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(std::iter::once("zone").chain(heads.iter().map(String::as_str)));
    for row in rows {
        table.add_row(std::iter::once(row.zone.as_str()).chain(row.cells.iter().map(String::as_str)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn rows_with(report: &Report, room: Room) -> Vec<Row> {
    let mut zones: Vec<&str> = Vec::new();
    for zone in report.endpoints.iter().filter_map(|endpoint| endpoint.zone.as_deref()) {
        if !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    let columns = columns(report);
    let mut worst: BTreeMap<&str, Severity> = BTreeMap::new();
    for finding in &report.findings {
        for name in &finding.endpoints {
            let severity = worst.entry(name).or_insert(finding.severity);
            *severity = finding.severity.max(*severity);
        }
    }
    zones
        .into_iter()
        .map(|zone| {
            let names: Vec<_> =
                report.endpoints.iter().filter(|endpoint| endpoint.zone.as_deref() == Some(zone)).collect();
            let zone = Zone { report, worst: &worst, id: zone, names };
            Row {
                zone: words::family(zone.id).to_owned(),
                mark: zone.mark(),
                route: zone.route((ViewKind::System, None)),
                cells: columns.iter().map(|&column| zone.cell(column, room, true)).collect(),
                words: columns.iter().map(|&column| zone.cell(column, room, false)).collect(),
            }
        })
        .collect()
}

/// The head of each column.
pub(in crate::render) fn heads(report: &Report) -> Vec<String> {
    heads_with(report, Room::Ample)
}

fn heads_with(report: &Report, room: Room) -> Vec<String> {
    let columns = columns(report).into_iter().enumerate();
    columns
        .map(|(number, column)| match column.1 {
            Some(server) if room >= Room::Short && is_azure(server) => AZURE_DNS.to_owned(),
            Some(_) if room >= Room::Numbers => format!("DNS {number}"),
            _ => who(report, column),
        })
        .collect()
}

/// Which server has which number.
fn legend(report: &Report) -> String {
    let named = columns(report).into_iter().zip(heads_with(report, Room::Numbers)).skip(1);
    let numbered = named.filter(|(_, head)| head != AZURE_DNS);
    numbered.map(|(column, head)| format!("{head}: {}", who(report, column))).collect::<Vec<_>>().join(", ")
}

const AZURE_DNS: &str = "Azure DNS";

fn is_azure(server: SocketAddr) -> bool {
    server == addr::AZURE_DNS
}

fn who(report: &Report, (kind, server): Column) -> String {
    match server {
        _ if kind == ViewKind::System => words::machine(report).to_owned(),
        Some(server) if is_azure(server) => format!("{AZURE_DNS} {}", server.ip()),
        Some(server) if kind == ViewKind::Encrypted => format!("encrypted {}", server.ip()),
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

/// The names of a zone.
struct Zone<'a> {
    report: &'a Report,
    /// The highest severity of the findings about each name.
    worst: &'a BTreeMap<&'a str, Severity>,
    id: &'a str,
    names: Vec<&'a EndpointReport>,
}

impl Zone<'_> {
    fn views(&self, (kind, server): Column) -> Vec<(&EndpointReport, &View)> {
        let of = |view: &&View| if server.is_some() { view.server == server } else { view.view == kind };
        let asked = |view: &&View| view.status != Status::Skipped;
        let views = self.names.iter().filter_map(|endpoint| Some((*endpoint, endpoint.views.iter().find(of)?)));
        views.filter(|(_, view)| asked(view)).collect()
    }

    fn route(&self, column: Column) -> Route {
        fold(self.views(column).iter().map(|(_, view)| view.route))
    }

    /// The worst that is said of its names; without a finding, a name that leads nowhere leaves it open.
    fn mark(&self) -> Mark {
        match self.names.iter().filter_map(|endpoint| self.worst.get(endpoint.fqdn.as_str())).max() {
            Some(Severity::Error) => Mark::Bad,
            Some(Severity::Warning) => Mark::Doubt,
            _ if self.names.iter().any(|endpoint| self.report.is_astray(endpoint)) => Mark::Doubt,
            _ if self
                .names
                .iter()
                .any(|endpoint| endpoint.need == Need::Required && endpoint.reachable == Some(false)) =>
            {
                Mark::Bad
            }
            _ if self.route((ViewKind::System, None)) == Route::None => Mark::Open,
            _ => Mark::Good,
        }
    }

    fn cell(&self, column: Column, room: Room, with_address: bool) -> String {
        let views = self.views(column);
        if views.is_empty() {
            return "not asked".to_owned();
        }
        let own = self.views((ViewKind::System, None));
        let route = self.route(column);
        let mine = column.0 == ViewKind::System;
        let mut text = self.routes(route, &views, column, room);
        let addresses = addresses(&views);
        let telling = with_address && (mine || (room == Room::Ample && addresses != self::addresses(&own)));
        if route != Route::Mixed && telling && !text.contains('(') {
            text.push_str(&shown(&addresses));
        }
        if room < Room::Bare {
            text.push_str(self.authority(route, column));
        }
        if mine {
            text.push_str(&self.unanswered());
        }
        text
    }

    /// What the zone's own authority adds.
    fn authority(&self, route: Route, (_, server): Column) -> &'static str {
        let of = |fact: &&crate::diagnose::facts::ZoneFact| fact.zone == self.id && Some(fact.server) == server;
        let azure = server.is_some_and(is_azure);
        match (self.report.zones.iter().find(of).map(|fact| fact.linked), route) {
            (Some(Linked::Yes), Route::Public | Route::Mixed | Route::None) => ", zone is linked",
            (Some(Linked::No), Route::Public | Route::Mixed) if self.is_wrong() && azure => ", zone not linked here",
            (Some(Linked::No), Route::Public | Route::Mixed) if self.is_wrong() => ", public zone",
            (Some(Linked::No), Route::Private) => ", zone not linked here",
            (Some(Linked::Local), _) => ", local zone",
            _ => "",
        }
    }

    /// Whether its names should be private and are not.
    fn is_wrong(&self) -> bool {
        self.names.iter().any(|endpoint| self.report.is_astray(endpoint))
    }

    fn routes(&self, route: Route, views: &[(&EndpointReport, &View)], (kind, server): Column, room: Room) -> String {
        let count = |route: Route| views.iter().filter(|(_, view)| view.route == route).count();
        let azure_only = kind == ViewKind::Azure && server.is_some_and(is_azure);
        let unused = azure_only && self.route((ViewKind::System, None)) == Route::Private;
        let wanted = views.iter().any(|(endpoint, _)| self.report.should_be_private(endpoint));
        let loud = wanted && !unused && matches!(kind, ViewKind::System | ViewKind::Server | ViewKind::Azure);
        let public = if loud { "PUBLIC" } else { "public" };
        let text = match route {
            Route::Private => "private".to_owned(),
            Route::Public if unused && room < Room::Numbers => "public (not used here)".to_owned(),
            Route::Public => public.to_owned(),
            Route::Mixed => {
                let parts =
                    [(count(Route::Private), "private"), (count(Route::Public), public), (count(Route::Mixed), "both")];
                let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
                parts.collect::<Vec<_>>().join(", ")
            }
            Route::None => return why(views.iter().map(|(_, view)| *view)),
        };
        match count(Route::None) {
            0 => text,
            lost => {
                let without = views.iter().map(|(_, view)| *view).filter(|view| view.route == Route::None);
                format!("{text} ({lost} {})", why(without))
            }
        }
    }

    /// What became of its names when they were connected to.
    fn unanswered(&self) -> String {
        let tested: Vec<_> = self.names.iter().filter(|endpoint| endpoint.reachable.is_some()).collect();
        let failed: Vec<_> = tested
            .iter()
            .filter(|endpoint| words::is_intercepted(self.report, endpoint) || endpoint.reachable == Some(false))
            .collect();
        let Some(first) = failed.first() else { return String::new() };
        let what = match () {
            () if words::is_intercepted(self.report, first) => "intercepted",
            () if first.is_connected() => "FAILS",
            () if failed.iter().all(|endpoint| is_refused(endpoint)) => "REFUSED",
            () => "NO ANSWER",
        };
        if failed.len() == tested.len() { format!(", {what}") } else { format!(", {} {what}", failed.len()) }
    }
}

/// Whether the first address refuses the connection.
fn is_refused(endpoint: &EndpointReport) -> bool {
    endpoint.tcp.iter().flatten().next().is_some_and(|tcp| tcp.outcome == StepOutcome::Failed(IoFailure::Refused))
}

fn why<'a>(mut asked: impl Iterator<Item = &'a View>) -> String {
    match asked.next().map(|view| view.status) {
        Some(Status::Ok) => "SINKHOLED".to_owned(),
        Some(status) => words::status(status).to_owned(),
        None => String::new(),
    }
}

fn addresses(views: &[(&EndpointReport, &View)]) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = Vec::new();
    for address in views.iter().flat_map(|(_, view)| &view.addresses) {
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
        [one, more @ ..] => format!(" {one} +{} more", more.len()),
    }
}
