//! The picture of each path: machine, DNS server, alias, address, service, coloured by what failed.

use std::io::{self, Write};

use super::{breakable, leads, safe};
use crate::diagnose::facts::{Status, View};
use crate::diagnose::rule::Hop;
use crate::render::words;
use crate::report::{EndpointReport, Path, Reason, Report, Standing, State, Station};

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut paths = report.paths();
    let mut take = |standing| paths.extract_if(.., |path| path.standing() == standing).collect::<Vec<_>>();
    let (failing, doubtful) = (take(Standing::Failing), take(Standing::Doubtful));
    let (mut required, in_order) = (take(Standing::Required), take(Standing::InOrder));
    let (unreached, evidence) = (take(Standing::Unreached), take(Standing::Evidence));
    let mut shown = vec![
        ("Paths that fail", Path::groups(failing), ("more path that fails alike", "more paths that fail alike")),
        (
            "Paths with warnings",
            Path::groups(doubtful),
            ("more path with the same warning", "more paths with the same warning"),
        ),
    ];
    shown.retain(|(_, groups, _)| !groups.is_empty());
    if shown.is_empty() {
        // Seeing the required paths whole is the news only where no path is worse.
        let each = std::mem::take(&mut required).into_iter().map(|path| vec![path]);
        shown.push(("Paths", each.collect(), ("", "")));
    }
    for (number, (head, groups, like)) in shown.into_iter().enumerate() {
        let before = if number == 0 { "<section>" } else { "</div>" };
        writeln!(out, "{before}<h2>{head}</h2><div class=\"card\">")?;
        for group in groups {
            let Some((first, rest)) = group.split_first() else { continue };
            path(report, first, out)?;
            folded(report, rest, like, out)?;
        }
    }
    required.extend(in_order);
    folded(report, &required, ("more path in order", "more paths in order"), out)?;
    folded(report, &unreached, ("optional name that is not reached", "optional names that are not reached"), out)?;
    let understood = ("name resolved only to understand DNS", "names resolved only to understand DNS");
    folded(report, &evidence, understood, out)?;
    writeln!(out, "</div></section>")
}

fn folded(report: &Report, paths: &[Path<'_>], (one, many): (&str, &str), out: &mut dyn Write) -> io::Result<()> {
    if paths.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>{} {}</summary>", paths.len(), if paths.len() == 1 { one } else { many })?;
    for path in paths {
        self::path(report, path, out)?;
    }
    writeln!(out, "</details>")
}

fn path(report: &Report, path: &Path<'_>, out: &mut dyn Write) -> io::Result<()> {
    let endpoint = path.endpoint;
    write!(
        out,
        "<div class=\"path\"><h3>{}:{}</h3><div class=\"tags\"><span class=\"tag {}\">{}</span>\
         <span class=\"tag\">{}</span><span class=\"soft\">{}</span></div>\n<ol class=\"hops\">",
        safe(&endpoint.fqdn),
        endpoint.port,
        leads(endpoint.route),
        endpoint.route.label(),
        endpoint.need.as_str(),
        safe(&endpoint.purpose)
    )?;
    draw("machine", State::Good, &[report.host.name.clone()], "", out)?;
    for station in &path.stations {
        let (role, value) = match station.hop {
            Hop::Server if path.by_hosts_file => ("DNS server", vec!["hosts file".to_owned()]),
            Hop::Server => ("DNS server", servers(endpoint)),
            Hop::Alias if path.by_hosts_file => ("alias", vec!["not followed".to_owned()]),
            Hop::Alias => ("alias", vec![alias(endpoint)]),
            Hop::Address => ("address", addresses(endpoint)),
            Hop::Service => ("service", vec![words::answer(endpoint)]),
        };
        draw(role, station.state, &value, &why(station), out)?;
    }
    writeln!(out, "</ol></div>")
}

fn draw(role: &str, state: State, value: &[String], why: &str, out: &mut dyn Write) -> io::Result<()> {
    let (mark, meaning) = match state {
        State::Good => ("\u{2713}", "in order"),
        State::Doubtful => ("!", "doubtful"),
        State::Failed => ("\u{2717}", "failed"),
        State::Neutral if why.is_empty() => ("\u{2013}", "not looked at"),
        State::Neutral => ("\u{2013}", "for information"),
    };
    write!(
        out,
        "<li class=\"{}\"><span class=\"role\"><span>{role}</span><span class=\"mark\" role=\"img\" \
         aria-label=\"{meaning}\">{mark}</span></span><div class=\"value\">{}</div>",
        tone(state),
        value.iter().map(|line| breakable(line)).collect::<Vec<_>>().join("<br>")
    )?;
    if !why.is_empty() {
        write!(out, "<div class=\"why\">{}</div>", safe(why))?;
    }
    write!(out, "</li>")
}

/// The class of the page's style sheet.
pub(super) fn tone(state: State) -> &'static str {
    match state {
        State::Good => "ok",
        State::Doubtful => "warn",
        State::Failed => "bad",
        State::Neutral => "off",
    }
}

/// The reason in a few words.
fn why(station: &Station<'_>) -> String {
    match station.reason {
        Some(Reason::Finding(finding, Some(root))) => format!("{} {}, from {}", finding.code, finding.name, root.code),
        Some(Reason::Finding(finding, None)) => format!("{} {}", finding.code, finding.name),
        Some(Reason::NotPrivate) => "not private".to_owned(),
        None => String::new(),
    }
}

fn servers(endpoint: &EndpointReport) -> Vec<String> {
    let servers: Vec<&View> = endpoint.server_views().collect();
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
    if value.is_empty() {
        value.push("none asked".to_owned());
    }
    value
}

fn alias(endpoint: &EndpointReport) -> String {
    let chain = endpoint.chain();
    let private = chain.and_then(|chain| chain.iter().find(|name| name.contains(".privatelink.")));
    match (private, chain.and_then(<[String]>::last)) {
        (Some(name), _) | (None, Some(name)) => name.clone(),
        (None, None) if endpoint.server_views().any(View::answered) => "none".to_owned(),
        (None, None) => endpoint.unsettled().map_or("not known", words::status).to_owned(),
    }
}

fn addresses(endpoint: &EndpointReport) -> Vec<String> {
    let mut shown: Vec<String> = endpoint.addresses.iter().take(2).map(ToString::to_string).collect();
    if endpoint.addresses.len() > shown.len() {
        shown.push(format!("and {} more", endpoint.addresses.len() - shown.len()));
    }
    if shown.is_empty() {
        shown.push(endpoint.unsettled().map_or("none", words::status).to_owned());
    }
    shown
}
