//! The picture of each path: machine, DNS server, alias, address, service, coloured by what failed.

use std::cmp::Reverse;
use std::io::{self, Write};

use ampls_probes::endpoint::Need;
use ampls_probes::observation::{HostsEntry, Observation};

use super::{breakable, leads, safe};
use crate::diagnose::facts::{Route, Status, View, ViewKind};
use crate::diagnose::finding::{Finding, Severity};
use crate::diagnose::rule::Hop;
use crate::diagnose::rules;
use crate::render::words;
use crate::report::{EndpointReport, Report};

/// A station as it is drawn.
struct Station {
    role: &'static str,
    tone: &'static str,
    /// A line each.
    value: Vec<String>,
    why: String,
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (mut failing, mut doubtful, mut required, mut unreached, mut orderly, mut evidence) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for endpoint in &report.endpoints {
        let stations = stations(report, endpoint);
        let any = |tone: &str| stations.iter().any(|station| station.tone == tone);
        match endpoint.need {
            Need::Evidence => evidence.push(endpoint),
            _ if any("bad") => failing.push(endpoint),
            _ if any("warn") => doubtful.push(endpoint),
            Need::Required if endpoint.reachable != Some(false) => required.push(endpoint),
            _ if endpoint.reachable == Some(true) => orderly.push(endpoint),
            _ => unreached.push(endpoint),
        }
    }
    let mut shown = vec![
        ("Paths that fail", failing, Some(("more path that fails alike", "more paths that fail alike"))),
        (
            "Paths with warnings",
            doubtful,
            Some(("more path with the same warning", "more paths with the same warning")),
        ),
    ];
    shown.retain(|(_, endpoints, _)| !endpoints.is_empty());
    if shown.is_empty() {
        // Seeing the required paths whole is the news only where no path is worse.
        shown.push(("Paths", std::mem::take(&mut required), None));
    }
    for (number, (head, endpoints, like)) in shown.into_iter().enumerate() {
        let before = if number == 0 { "<section>" } else { "</div>" };
        writeln!(out, "{before}<h2>{head}</h2><div class=\"card\">")?;
        for mut alike in alike(report, endpoints, like.is_some()) {
            let rest = alike.split_off(1);
            alike.iter().try_for_each(|first| path(report, first, out))?;
            if let Some((one, many)) = like {
                folded(report, &rest, (one, many), out)?;
            }
        }
    }
    required.extend(orderly);
    folded(report, &required, ("more path in order", "more paths in order"), out)?;
    folded(report, &unreached, ("optional name that is not reached", "optional names that are not reached"), out)?;
    let understood = ("name resolved only to understand DNS", "names resolved only to understand DNS");
    folded(report, &evidence, understood, out)?;
    writeln!(out, "</div></section>")
}

/// The paths in groups of those that look the same at every station but for names and addresses, each where its first stands.
fn alike<'a>(report: &Report, endpoints: Vec<&'a EndpointReport>, fold: bool) -> Vec<Vec<&'a EndpointReport>> {
    let mut groups: Vec<(Vec<_>, Vec<&EndpointReport>)> = Vec::new();
    for endpoint in endpoints {
        let look: Vec<_> = stations(report, endpoint).into_iter().map(|it| (it.role, it.tone, it.why)).collect();
        match groups.iter_mut().find(|(seen, _)| fold && *seen == look) {
            Some((_, group)) => group.push(endpoint),
            None => groups.push((look, vec![endpoint])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn folded(
    report: &Report,
    endpoints: &[&EndpointReport],
    (one, many): (&str, &str),
    out: &mut dyn Write,
) -> io::Result<()> {
    if endpoints.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>{} {}</summary>", endpoints.len(), if endpoints.len() == 1 { one } else { many })?;
    for endpoint in endpoints {
        path(report, endpoint, out)?;
    }
    writeln!(out, "</details>")
}

fn path(report: &Report, endpoint: &EndpointReport, out: &mut dyn Write) -> io::Result<()> {
    let tone = leads(endpoint.route);
    write!(
        out,
        "<div class=\"path\"><h3>{}:{}</h3><div class=\"tags\"><span class=\"tag {tone}\">{}</span>\
         <span class=\"tag\">{}</span><span class=\"soft\">{}</span></div>\n<ol class=\"hops\">",
        safe(&endpoint.fqdn),
        endpoint.port,
        endpoint.route.label(),
        endpoint.need.as_str(),
        safe(&endpoint.purpose)
    )?;
    for station in stations(report, endpoint) {
        let (mark, meaning) = match station.tone {
            "ok" => ("\u{2713}", "in order"),
            "warn" => ("!", "doubtful"),
            "bad" => ("\u{2717}", "failed"),
            _ if station.why.is_empty() => ("\u{2013}", "not looked at"),
            _ => ("\u{2013}", "for information"),
        };
        write!(
            out,
            "<li class=\"{}\"><span class=\"role\"><span>{}</span><span class=\"mark\" role=\"img\" \
             aria-label=\"{meaning}\">{mark}</span></span><div class=\"value\">{}</div>",
            station.tone,
            station.role,
            station.value.iter().map(|line| breakable(line)).collect::<Vec<_>>().join("<br>")
        )?;
        if !station.why.is_empty() {
            write!(out, "<div class=\"why\">{}</div>", safe(&station.why))?;
        }
        write!(out, "</li>")?;
    }
    writeln!(out, "</ol></div>")
}

fn stations(report: &Report, endpoint: &EndpointReport) -> [Station; 5] {
    // The first of equals: roots stand before what they explain.
    let worst = |hop: Hop| {
        let here = |finding: &&Finding| stands_at(&finding.code, hop);
        report.findings_about(endpoint).filter(here).min_by_key(|finding| Reverse(finding.severity))
    };
    let station = |role, hop, tone: &'static str, value: Vec<String>| {
        let shown = worst(hop).filter(|finding| finding.severity > Severity::Info || tone != "ok");
        let Some(finding) = shown else { return Station { role, tone, value, why: String::new() } };
        Station { role, tone: self::tone(finding.severity), value, why: why(report, finding, hop) }
    };
    let by_hosts_file = by_hosts_file(report, endpoint);
    [
        Station { role: "machine", tone: "ok", value: vec![report.host.name.clone()], why: String::new() },
        if by_hosts_file {
            station("DNS server", Hop::Server, "ok", vec!["hosts file".to_owned()])
        } else {
            server(endpoint, &station)
        },
        if by_hosts_file {
            station("alias", Hop::Alias, "off", vec!["not followed".to_owned()])
        } else {
            alias(endpoint, &station)
        },
        address(report, endpoint, &station),
        service(report, endpoint, &station),
    ]
}

/// A finding in a few words: a root at the same station is named before what follows from it.
fn why(report: &Report, finding: &Finding, hop: Hop) -> String {
    let root = report.roots().find(|root| Some(&root.id) == finding.caused_by_id.as_ref());
    match root {
        Some(root) if stands_at(&root.code, hop) => format!("{} {}", root.code, root.name),
        Some(root) => format!("{} {}, from {}", finding.code, finding.name, root.code),
        None => format!("{} {}", finding.code, finding.name),
    }
}

fn tone(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "bad",
        Severity::Warning => "warn",
        Severity::Info => "off",
    }
}

/// The tone of an endpoint that is not reached: as bad as the findings about it.
pub(super) fn unreached(report: &Report, endpoint: &EndpointReport) -> &'static str {
    report.severity_of(endpoint).map_or(if endpoint.need == Need::Required { "bad" } else { "off" }, tone)
}

type Draw<'a> = dyn Fn(&'static str, Hop, &'static str, Vec<String>) -> Station + 'a;

fn configured(endpoint: &EndpointReport) -> impl Iterator<Item = &View> {
    endpoint.views.iter().filter(|view| view.view == ViewKind::Server)
}

/// Whether a line of the hosts file gave the address: no server was asked for it then.
fn by_hosts_file(report: &Report, endpoint: &EndpointReport) -> bool {
    let file = report.observations.seen.iter().find_map(|seen| match seen {
        Observation::Hosts(hosts) => hosts.outcome.seen(),
        _ => None,
    });
    let names = |entry: &HostsEntry| entry.name == endpoint.fqdn && endpoint.addresses.contains(&entry.address);
    file.is_some_and(|file| file.entries.iter().any(names))
}

fn answered(view: &View) -> bool {
    matches!(view.status, Status::Ok | Status::NoData | Status::NxDomain)
}

fn server(endpoint: &EndpointReport, station: &Draw<'_>) -> Station {
    let servers: Vec<&View> = configured(endpoint).collect();
    let shown = servers.iter().take(2).filter_map(|view| view.server.map(|server| (server, view.status)));
    let mut value: Vec<String> = shown
        .map(|(server, status)| match status {
            Status::Ok => server.ip().to_string(),
            other => format!("{} {}", server.ip(), words::status(other)),
        })
        .collect();
    if servers.len() > value.len() {
        value.push(format!("and {} more", servers.len() - value.len()));
    }
    let answered = servers.iter().any(|view| answered(view));
    let asked = servers.iter().any(|view| !matches!(view.status, Status::Skipped | Status::Cancelled));
    let tone = match (answered, asked) {
        (true, _) => "ok",
        (false, true) if endpoint.need == Need::Required => "bad",
        (false, _) => "off",
    };
    if value.is_empty() {
        value.push("none asked".to_owned());
    }
    station("DNS server", Hop::Server, tone, value)
}

fn alias(endpoint: &EndpointReport, station: &Draw<'_>) -> Station {
    let chain = configured(endpoint).map(|view| &view.cname).find(|chain| !chain.is_empty());
    let private = chain.and_then(|chain| chain.iter().find(|name| name.contains(".privatelink.")));
    let value = match (private, chain.and_then(|chain| chain.last())) {
        (Some(name), _) | (None, Some(name)) => name.clone(),
        (None, None) if configured(endpoint).any(answered) => "none".to_owned(),
        (None, None) => unsettled(endpoint).unwrap_or("not known").to_owned(),
    };
    let tone = if chain.is_none() { "off" } else { "ok" };
    station("alias", Hop::Alias, tone, vec![value])
}

/// Why it is not known what this machine's own resolver gives.
fn unsettled(endpoint: &EndpointReport) -> Option<&'static str> {
    let system = endpoint.views.iter().find(|view| view.view == ViewKind::System)?;
    matches!(system.status, Status::Skipped | Status::Cancelled).then(|| words::status(system.status))
}

fn address(report: &Report, endpoint: &EndpointReport, station: &Draw<'_>) -> Station {
    let mut shown: Vec<String> = endpoint.addresses.iter().take(2).map(ToString::to_string).collect();
    if endpoint.addresses.len() > shown.len() {
        shown.push(format!("and {} more", endpoint.addresses.len() - shown.len()));
    }
    let tone = match endpoint.route {
        Route::None if unsettled(endpoint).is_some() => "off",
        Route::None if endpoint.need == Need::Required => "bad",
        Route::None => "off",
        _ => "ok",
    };
    if shown.is_empty() {
        shown.push(unsettled(endpoint).unwrap_or("none").to_owned());
    }
    let mut station = station("address", Hop::Address, tone, shown);
    if report.is_astray(endpoint) && station.why.is_empty() {
        station.tone = "warn";
        "not private".clone_into(&mut station.why);
    }
    station
}

fn service(report: &Report, endpoint: &EndpointReport, station: &Draw<'_>) -> Station {
    let tone = match endpoint.reachable {
        Some(true) => "ok",
        Some(false) => unreached(report, endpoint),
        None => "off",
    };
    station("service", Hop::Service, tone, vec![words::answer(endpoint)])
}

/// Whether a finding of this code is drawn at this station.
fn stands_at(code: &str, hop: Hop) -> bool {
    rules::of_code(code).is_some_and(|rule| rule.hops.contains(&hop))
}
