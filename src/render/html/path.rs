//! The picture of each path: machine, name server, alias, address, service, coloured by what failed.

use std::io::{self, Write};

use ampls_probes::catalogue::{Expectation, Need};
use ampls_probes::options::Expect;

use super::{breakable, leads, safe};
use crate::diagnose::facts::{Route, Status, View, ViewKind};
use crate::diagnose::finding::{Finding, Severity};
use crate::render::compact::route;
use crate::render::table::matrix::word;
use crate::report::{EndpointReport, Report};

/// The stations of a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hop {
    Server,
    Alias,
    Address,
    Service,
}

/// A station as it is drawn.
struct Station {
    role: &'static str,
    tone: &'static str,
    value: String,
    why: String,
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let dialled = || report.endpoints.iter().filter(|endpoint| endpoint.need != Need::Evidence);
    let failed = |endpoint: &&EndpointReport| {
        stations(report, endpoint).iter().any(|station| matches!(station.tone, "bad" | "warn"))
    };
    let broken = dialled().any(|endpoint| failed(&endpoint));
    // Whole paths are shown where nothing failed: there, seeing the required ones is the news.
    let first = |endpoint: &&EndpointReport| if broken { failed(endpoint) } else { endpoint.need == Need::Required };
    let (shown, folded): (Vec<_>, Vec<_>) = dialled().partition(first);
    let evidence: Vec<_> = report.endpoints.iter().filter(|endpoint| endpoint.need == Need::Evidence).collect();
    writeln!(out, "<section><h2>{}</h2><div class=\"card\">", if broken { "Paths that fail" } else { "Paths" })?;
    for endpoint in shown {
        path(report, endpoint, out)?;
    }
    let more = [("more paths in order", folded), ("names resolved only to understand DNS", evidence)];
    for (what, endpoints) in more.iter().filter(|(_, endpoints)| !endpoints.is_empty()) {
        writeln!(out, "<details><summary>{} {what}</summary>", endpoints.len())?;
        for endpoint in endpoints {
            path(report, endpoint, out)?;
        }
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</div></section>")
}

fn path(report: &Report, endpoint: &EndpointReport, out: &mut dyn Write) -> io::Result<()> {
    let tone = leads(endpoint.route);
    write!(
        out,
        "<div class=\"path\"><h3>{}:{}</h3><div class=\"tags\"><span class=\"tag {tone}\">{}</span>\
         <span class=\"tag\">{}</span><span class=\"soft\">{}</span></div>\n<ol class=\"hops\">",
        safe(&endpoint.fqdn),
        endpoint.port,
        match endpoint.route {
            Route::None => "unresolved",
            other => route(other),
        },
        endpoint.need.as_str(),
        safe(&endpoint.purpose)
    )?;
    for station in stations(report, endpoint) {
        let (mark, said) = match station.tone {
            "ok" => ("\u{2713}", "in order"),
            "warn" => ("!", "doubtful"),
            "bad" => ("\u{2717}", "failed"),
            _ => ("\u{2013}", "not looked at"),
        };
        write!(
            out,
            "<li class=\"{}\"><span class=\"role\"><span>{}</span><span class=\"mark\" role=\"img\" \
             aria-label=\"{said}\">{mark}</span></span><div class=\"value\">{}</div>",
            station.tone,
            station.role,
            breakable(&station.value)
        )?;
        if !station.why.is_empty() {
            write!(out, "<div class=\"why\">{}</div>", safe(&station.why))?;
        }
        write!(out, "</li>")?;
    }
    writeln!(out, "</ol></div>")
}

fn stations(report: &Report, endpoint: &EndpointReport) -> [Station; 5] {
    let worst = |hop: Hop| {
        let concerns = |finding: &&Finding| {
            finding.endpoints.contains(&endpoint.fqdn)
                && finding.severity > Severity::Info
                && self::hop(&finding.code) == Some(hop)
        };
        report.findings.iter().filter(concerns).max_by_key(|finding| finding.severity)
    };
    let station = |role, hop, tone, value: String| {
        let Some(finding) = worst(hop) else { return Station { role, tone, value, why: String::new() } };
        let tone = if finding.severity == Severity::Error { "bad" } else { "warn" };
        Station { role, tone, value, why: format!("{} {}", finding.code, finding.name) }
    };
    [
        Station { role: "machine", tone: "ok", value: report.host.name.clone(), why: String::new() },
        server(endpoint, &station),
        alias(endpoint, &station),
        address(report, endpoint, &station),
        service(endpoint, &station),
    ]
}

type Draw<'a> = dyn Fn(&'static str, Hop, &'static str, String) -> Station + 'a;

fn configured(endpoint: &EndpointReport) -> impl Iterator<Item = &View> {
    endpoint.views.iter().filter(|view| view.view == ViewKind::Server)
}

fn server(endpoint: &EndpointReport, station: &Draw<'_>) -> Station {
    let servers: Vec<&View> = configured(endpoint).collect();
    let shown = servers.iter().take(2).filter_map(|view| view.server.map(|server| (server, view.status)));
    let mut said: Vec<String> = shown.map(|(server, status)| format!("{} {}", server.ip(), word(status))).collect();
    if servers.len() > said.len() {
        said.push(format!("and {} more", servers.len() - said.len()));
    }
    let answered = servers.iter().any(|view| matches!(view.status, Status::Ok | Status::NoData | Status::NxDomain));
    let asked = servers.iter().any(|view| !matches!(view.status, Status::Skipped | Status::Cancelled));
    let tone = match (answered, asked) {
        (true, _) => "ok",
        (false, true) => "bad",
        (false, false) => "off",
    };
    let value = if said.is_empty() { "none asked".to_owned() } else { said.join(", ") };
    station("name server", Hop::Server, tone, value)
}

fn alias(endpoint: &EndpointReport, station: &Draw<'_>) -> Station {
    let chain = configured(endpoint).map(|view| &view.cname).find(|chain| !chain.is_empty());
    let private = chain.and_then(|chain| chain.iter().find(|name| name.contains(".privatelink.")));
    let value = match (private, chain.and_then(|chain| chain.last())) {
        (Some(name), _) | (None, Some(name)) => name.clone(),
        (None, None) => "none".to_owned(),
    };
    let tone = if value == "none" { "off" } else { "ok" };
    station("alias", Hop::Alias, tone, value)
}

/// Whether a public address stands out: some name here is private, or private ones are wanted.
fn private_elsewhere(report: &Report) -> bool {
    report.run.expect == Expect::Private || matches!(report.verdict.route, Route::Private | Route::Mixed)
}

fn address(report: &Report, endpoint: &EndpointReport, station: &Draw<'_>) -> Station {
    let mut shown: Vec<String> = endpoint.addresses.iter().take(2).map(ToString::to_string).collect();
    if endpoint.addresses.len() > shown.len() {
        shown.push(format!("and {} more", endpoint.addresses.len() - shown.len()));
    }
    let tone = match endpoint.route {
        Route::None if endpoint.need == Need::Required => "bad",
        Route::None => "off",
        _ => "ok",
    };
    let value = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
    let mut station = station("address", Hop::Address, tone, value);
    let astray = endpoint.expected == Expectation::Private && matches!(endpoint.route, Route::Public | Route::Mixed);
    if astray && private_elsewhere(report) && station.why.is_empty() {
        station.tone = "warn";
        "not private".clone_into(&mut station.why);
    }
    station
}

fn service(endpoint: &EndpointReport, station: &Draw<'_>) -> Station {
    let connected = endpoint.tcp.iter().flatten().any(|tcp| tcp.outcome == "connected");
    let value = match (&endpoint.http, &endpoint.tls, endpoint.tcp.iter().flatten().next()) {
        (Some(http), _, _) => http.status.map_or_else(|| http.outcome.clone(), |status| format!("HTTP {status}")),
        (None, Some(tls), _) => format!("TLS {}", tls.outcome),
        (None, None, Some(_)) if connected => "TCP connected".to_owned(),
        (None, None, Some(tcp)) => format!("TCP {}", tcp.outcome),
        (None, None, None) => "not dialled".to_owned(),
    };
    let tone = match endpoint.reachable {
        Some(true) => "ok",
        Some(false) if endpoint.need == Need::Required => "bad",
        Some(false) => "warn",
        None => "off",
    };
    station("service", Hop::Service, tone, value)
}

/// Where on the path a finding belongs.
fn hop(code: &str) -> Option<Hop> {
    match code {
        "DNS004" | "DNS013" | "DNS021" | "DNS022" => Some(Hop::Alias),
        "DNS006" | "DNS007" | "DNS011" | "DNS012" | "DNS014" | "DNS015" => Some(Hop::Address),
        _ if code.starts_with("DNS") => Some(Hop::Server),
        _ if ["NET", "TLS", "HTP", "PRX"].iter().any(|layer| code.starts_with(layer)) => Some(Hop::Service),
        _ => None,
    }
}
