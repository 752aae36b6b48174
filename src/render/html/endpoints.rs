//! The endpoints as a table, and how long each step of them took as a waterfall.

use ampls_probes::observation::Observation;
use jiff::Timestamp;
use maud::{Markup, html};

use super::path::tone;
use super::{breakable, led};
use crate::report::{EndpointReport, Report, State, StepOutcome};
use crate::text::duration_ms;

/// Units of the picture's width.
const WIDTH: u64 = 1_000;

/// The columns: a class for their width, and their heads.
const COLUMNS: [(&str, &str); 8] = [
    ("name", "name"),
    ("need", "need"),
    ("need", "expected"),
    ("leads", "route"),
    ("reached", "reachable"),
    ("step", "TCP"),
    ("step", "TLS"),
    ("http", "HTTP"),
];

pub(super) fn section(report: &Report) -> Markup {
    html! {
        @if !report.endpoints.is_empty() {
            section class="unprinted" {
                h2 id="endpoints" { "Endpoints" }
                div class="card" {
                    table class="endpoints stack" role="table" aria-labelledby="endpoints" {
                        thead {
                            tr role="row" {
                                @for (class, head) in COLUMNS { th scope="col" role="columnheader" class=(class) { (head) } }
                            }
                        }
                        tbody { @for endpoint in &report.endpoints { (row(report, endpoint)) } }
                    }
                    (issuers(report))
                }
            }
        }
    }
}

fn row(report: &Report, endpoint: &EndpointReport) -> Markup {
    let (tone, reached) = match endpoint.reachable {
        Some(true) if report.is_astray(endpoint) => (tone(State::Doubtful), "yes, over the public address"),
        Some(true) => (tone(State::Good), "yes"),
        Some(false) => (tone(report.service_state(endpoint)), "no"),
        None if endpoint.addresses.is_empty() => (tone(State::Neutral), "not tested: no address"),
        None => (tone(State::Neutral), "resolved only"),
    };
    let tls = endpoint.tls.as_ref().map(|tls| {
        let trust = if tls.verified { "verified" } else { "not verified" };
        format!("{} {trust}", tls.version.clone().unwrap_or_else(|| tls.outcome.to_string()))
    });
    let http = endpoint.http.as_ref();
    let http = http.map(|http| http.status.map_or_else(|| http.outcome.to_string(), |status| status.to_string()));
    let cells = [
        html! { (endpoint.need.as_str()) },
        html! { (endpoint.expected.as_str()) },
        html! {
            span class="mono" {
                span class={ "tag " (led(report, endpoint)) } { (endpoint.route.label()) }
                @for address in &endpoint.addresses { br; (address.to_string()) }
            }
        },
        html! { span class={ "tag " (tone) } { (reached) } },
        tcp(endpoint),
        html! { (tls.unwrap_or_default()) },
        html! { (http.unwrap_or_default()) },
    ];
    html! {
        tr role="row" {
            th scope="row" role="rowheader" class="mono" { (breakable(&endpoint.fqdn)) ":" (endpoint.port) }
            @for ((_, head), cell) in COLUMNS.iter().skip(1).zip(cells) { td role="cell" data-head=(head) { (cell) } }
        }
    }
}

/// What every connection attempt came to; the address is named only where they differ.
fn tcp(endpoint: &EndpointReport) -> Markup {
    let attempts: Vec<_> = endpoint.tcp.iter().flatten().collect();
    let alike = attempts.first().filter(|first| attempts.iter().all(|tcp| tcp.outcome == first.outcome));
    html! {
        @if let Some(first) = alike {
            (first.outcome.to_string())
        } @else {
            @for (index, tcp) in attempts.iter().take(4).enumerate() {
                @if index > 0 { br; }
                (tcp.address.ip().to_string()) " " (tcp.outcome.to_string())
            }
        }
    }
}

/// Who issued the certificates, and for how many names; which ones only where issuers differ.
fn issuers(report: &Report) -> Markup {
    let mut issuers: Vec<(&str, Vec<&str>)> = Vec::new();
    for endpoint in &report.endpoints {
        let Some(issuer) = endpoint.tls.as_ref().and_then(|tls| tls.issuer.as_deref()) else { continue };
        match issuers.iter_mut().find(|(seen, _)| *seen == issuer) {
            Some((_, names)) => names.push(&endpoint.fqdn),
            None => issuers.push((issuer, vec![&endpoint.fqdn])),
        }
    }
    html! {
        @if let [(issuer, _)] = issuers.as_slice() {
            p class="soft" { "All certificates are issued by " code { (issuer) } "." }
        } @else {
            @for (issuer, names) in &issuers {
                p class="soft" {
                    "Issued by " code { (issuer) } ": "
                    @for (index, name) in names.iter().enumerate() {
                        @if index > 0 { ", " }
                        (breakable(name))
                    }
                }
            }
        }
    }
}

/// A step: its name, when it began after the run did, and how long it took, in milliseconds.
type Step = (&'static str, u64, u64);

/// The waterfall.
pub(super) fn timings(report: &Report) -> Markup {
    let rows: Vec<(&EndpointReport, Vec<Step>)> = report
        .endpoints
        .iter()
        .map(|endpoint| (endpoint, steps(report, endpoint)))
        .filter(|(_, steps)| !steps.is_empty())
        .collect();
    let end = rows.iter().flat_map(|(_, steps)| steps).map(|(_, at, took)| at + took).max().unwrap_or_default().max(1);
    html! {
        @if !rows.is_empty() {
            section class="unprinted" {
                h2 id="timings" {
                    "Timings "
                    span class="soft" {
                        @for (class, name) in [("dns", "DNS"), ("tcp", "TCP"), ("tls", "TLS"), ("http", "HTTP")] {
                            span class={ "key " (class) } {}
                            (name)
                        }
                    }
                }
                div class="card" {
                    table class="waterfall" role="table" aria-labelledby="timings" {
                        thead {
                            tr role="row" {
                                @for (class, head) in [("name", "name"), ("", "steps"), ("total", "together")] {
                                    th scope="col" role="columnheader" class=(class) { span class="unseen" { (head) } }
                                }
                            }
                        }
                        tbody { @for (endpoint, steps) in &rows { (bar(endpoint, steps, end)) } }
                    }
                }
            }
        }
    }
}

fn bar(endpoint: &EndpointReport, steps: &[Step], end: u64) -> Markup {
    let text: Vec<String> =
        steps.iter().map(|(step, _, took)| format!("{} {}", step.to_uppercase(), duration_ms(*took))).collect();
    let text = text.join(", ");
    let total: u64 = steps.iter().map(|(_, _, took)| took).sum();
    let view = format!("0 0 {WIDTH} 14");
    html! {
        tr role="row" {
            th scope="row" role="rowheader" class="mono name" { (breakable(&endpoint.fqdn)) }
            td role="cell" class="steps" {
                svg class="bar" viewBox=(view) preserveAspectRatio="none" role="img" aria-label=(text) {
                    title { (text) }
                    @for (step, at, took) in steps {
                        rect class=(step) x=(at * WIDTH / end) y="0" width=((took * WIDTH / end).max(3)) height="14" {}
                    }
                }
            }
            td role="cell" class="total" { (duration_ms(total)) }
        }
    }
}

fn steps(report: &Report, endpoint: &EndpointReport) -> Vec<Step> {
    let began = report.run.started_at;
    let since = |at: Timestamp| u64::try_from(at.as_millisecond() - began.as_millisecond()).unwrap_or_default();
    let looked_up = report.observations.seen.iter().find_map(|seen| match seen {
        Observation::Lookup(lookup) if lookup.name == endpoint.fqdn => Some(lookup.timing.at_us / 1_000),
        _ => None,
    });
    let mut steps = Vec::new();
    steps.extend(endpoint.timings_ms.dns.map(|took| ("dns", looked_up.unwrap_or_default(), took)));
    let first = endpoint.tcp.iter().flatten().find(|tcp| tcp.is_connected());
    let first = first.or(endpoint.tcp.iter().flatten().find(|tcp| tcp.outcome != StepOutcome::Skipped));
    steps.extend(first.map(|tcp| ("tcp", since(tcp.at), tcp.elapsed_ms)));
    steps.extend(endpoint.tls.as_ref().map(|tls| ("tls", since(tls.at), tls.elapsed_ms)));
    steps.extend(endpoint.http.as_ref().map(|http| ("http", since(http.at), http.elapsed_ms)));
    steps
}
