//! The endpoints: those that fail on the first screen, all of them by group where more is asked for.

use std::io;

use ampls_probes::endpoint::{Expectation, Group, Need};
use comfy_table::{ContentArrangement, Table, TableStyle};

use super::matrix;
use crate::diagnose::facts::{Route, Status, ViewKind};
use crate::diagnose::finding::Severity;
use crate::render::page::{Detail, Page, Paragraph, Tint, columns_of, inert};
use crate::render::words::{self, Mark, machine};
use crate::report::{EndpointReport, Report};
use crate::text::duration_ms;

/// How many of the tested endpoints answer.
pub(super) fn answering(report: &Report) -> String {
    let tested = report.endpoints.iter().filter(|endpoint| endpoint.reachable.is_some());
    let (answer, fail): (Vec<_>, Vec<_>) = tested.partition(|endpoint| !words::fails(report, endpoint));
    match answer.len() + fail.len() {
        0 => "No connection was tested.".to_owned(),
        tested => format!("{} of {tested} tested endpoints answer.", answer.len()),
    }
}

/// The same, how many were only resolved, and what of that is normal.
pub(super) fn counted(report: &Report) -> String {
    let answers = |it: &&EndpointReport| it.reachable.is_some() && !words::fails(report, it);
    let by_design = |it: &&EndpointReport| it.expected != Expectation::Private && it.route == Route::Public;
    let by_design = report.endpoints.iter().filter(answers).filter(by_design).count();
    let untested = report.endpoints.iter().filter(|it| it.reachable.is_none() && !it.addresses.is_empty()).count();
    let blocked = report.endpoints.iter().filter(|endpoint| is_blocked(report, endpoint)).count();
    let mut text = answering(report);
    if by_design > 0 && report.verdict.route != Route::Public {
        text = format!("{}, {by_design} of them public by design.", text.trim_end_matches('.'));
    }
    if untested > 0 {
        text = format!("{text} {untested} {} resolved only, not tested.", plural(untested, "name was", "names were"));
    }
    if blocked > 0 {
        let (names, answer) = (plural(blocked, "name", "names"), plural(blocked, "does", "do"));
        text = format!("{text} {blocked} optional public {names} {answer} not answer (normal in a closed network).");
    }
    text
}

fn plural<'a>(count: usize, one: &'a str, several: &'a str) -> &'a str {
    if count == 1 { one } else { several }
}

/// An optional public name that a closed network keeps away, and that no finding above information is about.
fn is_blocked(report: &Report, endpoint: &EndpointReport) -> bool {
    endpoint.need == Need::Optional
        && endpoint.expected != Expectation::Private
        && endpoint.route == Route::Public
        && endpoint.reachable == Some(false)
        && report.severity_of(endpoint).is_none_or(|severity| severity == Severity::Info)
}

/// The endpoints that do not answer, required ones first: at most so many by name, the others counted. A name that the title of
/// a root shows is not repeated.
pub(super) fn failing(report: &Report, most: usize, ascii: bool) -> Vec<Paragraph> {
    let told = |endpoint: &EndpointReport| report.roots().any(|root| root.title.contains(&endpoint.fqdn));
    let mut failing: Vec<_> = report
        .endpoints
        .iter()
        .filter(|endpoint| words::fails(report, endpoint) && !is_blocked(report, endpoint) && !told(endpoint))
        .collect();
    failing.sort_by_key(|endpoint| endpoint.need != Need::Required);
    // A line that says how many more there are could as well name the one.
    let most = if failing.len() == most + 1 { failing.len() } else { most };
    let mut lines: Vec<Paragraph> = failing
        .iter()
        .take(most)
        .map(|endpoint| {
            let text = format!("{}  {}", place(endpoint), words::result(report, endpoint));
            let mark = if endpoint.need == Need::Required { Mark::Bad } else { Mark::Doubt };
            Paragraph::whole(Tint::Plain, &text).marked(mark.tint(), mark.shown(ascii))
        })
        .collect();
    let more = failing.len().saturating_sub(most);
    if more > 0 && most > 0 {
        let text = format!("and {more} more that fail (-v)");
        lines.push(Paragraph::whole(Tint::Plain, &text).marked(Mark::Bad.tint(), Mark::Bad.shown(ascii)));
    }
    lines
}

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let mut groups: Vec<Group> = Vec::new();
    for endpoint in &report.endpoints {
        if !groups.contains(&endpoint.group) {
            groups.push(endpoint.group);
        }
    }
    for group in groups {
        page.blank()?;
        let endpoints: Vec<_> = report.endpoints.iter().filter(|endpoint| endpoint.group == group).collect();
        group_of(report, group, &endpoints, page)?;
    }
    if report.endpoints.iter().any(|endpoint| endpoint.need == Need::Required) {
        page.line(Tint::Plain, "* required")?;
    }
    if page.style.detail >= Detail::Everything { views(report, page) } else { Ok(()) }
}

/// A table where its lines fit, otherwise each name on a line of its own.
fn group_of(report: &Report, group: Group, endpoints: &[&EndpointReport], page: &mut Page<'_>) -> io::Result<()> {
    let rows: Vec<[String; 5]> = endpoints.iter().map(|endpoint| row(report, endpoint)).collect();
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([word(group), "route", "address", "result", "took"]);
    table.add_rows(&rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let fits = |width| lines.iter().all(|line| columns_of(line) <= width);
    if page.style.width.is_none_or(fits) {
        for (number, line) in lines.iter().enumerate() {
            page.line(if number == 0 { Tint::Bold } else { Tint::Plain }, line)?;
        }
        return Ok(());
    }
    page.line(Tint::Bold, &format!("{}: route, address, result", word(group)))?;
    for [name, rest @ ..] in rows {
        page.line(Tint::Plain, &name)?;
        let rest: Vec<String> = rest.into_iter().filter(|cell| !cell.is_empty()).collect();
        page.wrapped(Tint::Plain, "    ", "    ", &rest.join("  "))?;
    }
    Ok(())
}

fn row(report: &Report, endpoint: &EndpointReport) -> [String; 5] {
    let mark = if endpoint.need == Need::Required { "*" } else { " " };
    let layers = endpoint.timings_ms.layers();
    let steps = layers.iter().filter_map(|(name, ms)| Some(format!("{name} {}", duration_ms((*ms)?))));
    [
        format!("{mark} {}", place(endpoint)),
        route(endpoint),
        matrix::shown(&endpoint.addresses).trim_start().to_owned(),
        result(report, endpoint),
        steps.collect::<Vec<_>>().join(", "),
    ]
}

fn place(endpoint: &EndpointReport) -> String {
    let port = if endpoint.port == 443 { String::new() } else { format!(":{}", endpoint.port) };
    format!("{}{port}", inert(&endpoint.fqdn))
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

fn route(endpoint: &EndpointReport) -> String {
    let system = endpoint.views.iter().find(|view| view.view == ViewKind::System);
    match (endpoint.route, system.map_or(Status::Skipped, |view| view.status)) {
        (Route::None, Status::Ok) => "sinkholed",
        (Route::None, status) => words::status(status),
        (route, _) => route.label(),
    }
    .to_owned()
}

/// The result, and the status code behind it.
fn result(report: &Report, endpoint: &EndpointReport) -> String {
    let result = inert(&words::result(report, endpoint));
    let status = endpoint.http.as_ref().and_then(|http| http.status);
    match status {
        Some(status) if endpoint.reachable == Some(true) => format!("{result} (HTTP {status})"),
        _ => result,
    }
}

fn views(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    page.blank()?;
    page.line(Tint::Bold, "Every answer")?;
    for endpoint in &report.endpoints {
        page.wrapped(Tint::Plain, "", "  ", &format!("{}:{}", endpoint.fqdn, endpoint.port))?;
        for view in &endpoint.views {
            let who = view.server.map_or(machine(report).to_owned(), |server| server.to_string());
            let who = if view.view == ViewKind::Encrypted { format!("{who}, encrypted") } else { who };
            let addresses: Vec<_> = view.addresses.iter().map(ToString::to_string).collect();
            let chain: Vec<_> = view.cname.iter().map(|name| format!("via {name}")).collect();
            let ttl = view.ttl.map(|ttl| format!("ttl {ttl}"));
            let mut parts = vec![words::status(view.status).to_owned()];
            parts.extend(addresses.into_iter().chain(chain));
            let mut text = parts.join(" ");
            for more in ttl.into_iter().chain([duration_ms(view.elapsed_ms)]) {
                text = format!("{text}, {more}");
            }
            page.wrapped(Tint::Plain, &format!("  {who} "), "    ", &text)?;
        }
    }
    Ok(())
}
