//! The picture of each path: machine, DNS server, alias, address, service, coloured by what failed.

use maud::{Markup, html};

use super::{breakable, led};
use crate::diagnose::facts::{Status, View};
use crate::diagnose::rule::Hop;
use crate::render::words;
use crate::report::{EndpointReport, Path, Reason, Report, Standing, State, Station};

/// The words for one more path and for several.
type Words = (&'static str, &'static str);

const ALIKE: Words = ("more path that fails alike", "more paths that fail alike");
const DOUBTED: Words = ("more path with the same warning", "more paths with the same warning");
const IN_ORDER: Words = ("more path in order", "more paths in order");
const UNREACHED: Words = ("optional name that is not reached", "optional names that are not reached");
const UNDERSTOOD: Words = ("name resolved only to understand DNS", "names resolved only to understand DNS");

pub(super) fn section(report: &Report) -> Markup {
    let mut paths = report.paths();
    let mut take = |standing| paths.extract_if(.., |path| path.standing() == standing).collect::<Vec<_>>();
    let (failing, doubtful) = (take(Standing::Failing), take(Standing::Doubtful));
    let (mut required, in_order) = (take(Standing::Required), take(Standing::InOrder));
    let (unreached, evidence) = (take(Standing::Unreached), take(Standing::Evidence));
    let mut shown = vec![
        ("Paths that fail", Path::groups(failing), ALIKE),
        ("Paths with warnings", Path::groups(doubtful), DOUBTED),
    ];
    shown.retain(|(_, groups, _)| !groups.is_empty());
    if shown.is_empty() {
        // Seeing the required paths whole is the news only where no path is worse.
        let each = std::mem::take(&mut required).into_iter().map(|path| vec![path]);
        shown.push(("Paths", each.collect(), IN_ORDER));
    }
    required.extend(in_order);
    let last = shown.len() - 1;
    html! {
        section {
            @for (number, (head, groups, words)) in shown.iter().enumerate() {
                h2 { (head) }
                div class="card" {
                    @for group in groups {
                        @if let Some((first, rest)) = group.split_first() {
                            (path(report, first))
                            (folded(report, rest, *words))
                        }
                    }
                    @if number == last {
                        (folded(report, &required, IN_ORDER))
                        (folded(report, &unreached, UNREACHED))
                        (folded(report, &evidence, UNDERSTOOD))
                    }
                }
            }
        }
    }
}

fn folded(report: &Report, paths: &[Path<'_>], (one, many): Words) -> Markup {
    html! {
        @if !paths.is_empty() {
            details {
                summary { (paths.len()) " " (if paths.len() == 1 { one } else { many }) }
                @for path in paths { (self::path(report, path)) }
            }
        }
    }
}

fn path(report: &Report, path: &Path<'_>) -> Markup {
    let endpoint = path.endpoint;
    html! {
        div class="path" {
            h3 { (endpoint.fqdn) ":" (endpoint.port) }
            div class="tags" {
                span class={ "tag " (led(report, endpoint)) } { (endpoint.route.label()) }
                span class="tag" { (endpoint.need.as_str()) }
                span class="soft" { (endpoint.purpose) }
            }
            ol class="hops" {
                (drawn("machine", State::Good, std::slice::from_ref(&report.host.name), ""))
                @for station in &path.stations { (self::station(path, station)) }
            }
        }
    }
}

fn station(path: &Path<'_>, station: &Station<'_>) -> Markup {
    let endpoint = path.endpoint;
    let (role, value) = match station.hop {
        Hop::Server if path.by_hosts_file => ("DNS server", vec!["hosts file".to_owned()]),
        Hop::Server => ("DNS server", servers(endpoint)),
        Hop::Alias if path.by_hosts_file => ("alias", vec!["not followed".to_owned()]),
        Hop::Alias => ("alias", vec![alias(endpoint)]),
        Hop::Address => ("address", addresses(endpoint)),
        Hop::Service if endpoint.reachable == Some(true) => ("service", vec!["ok".to_owned()]),
        Hop::Service => ("service", vec![words::answer(endpoint)]),
    };
    drawn(role, station.state, &value, &why(station))
}

fn drawn(role: &str, state: State, value: &[String], why: &str) -> Markup {
    let (mark, meaning) = match state {
        State::Good => ("\u{2713}", "in order"),
        State::Doubtful => ("!", "doubtful"),
        State::Failed => ("\u{2717}", "failed"),
        State::Neutral if why.is_empty() => ("\u{2013}", "not looked at"),
        State::Neutral => ("\u{2013}", "for information"),
    };
    html! {
        li class=(tone(state)) {
            span class="role" {
                span { (role) }
                span class="mark" role="img" aria-label=(meaning) { (mark) }
            }
            div class="value" {
                @for (index, line) in value.iter().enumerate() {
                    @if index > 0 { br; }
                    (breakable(line))
                }
            }
            @if !why.is_empty() { div class="why" { (why) } }
        }
    }
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
        Some(Reason::OverPublic) => "answers, over the public address".to_owned(),
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
