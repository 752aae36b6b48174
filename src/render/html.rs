//! The report as one page that needs nothing but itself: no script, no request, nothing that a mail filter would remove.
//!
//! The policy in its head forbids everything but the one style sheet. Escaping is a type: a value becomes markup only through
//! `maud`, and what would act on a reader is made visible in the whole page at once. Colour never stands without a word.

use std::io::{self, Write};
use std::sync::LazyLock;

use ampls_probes::json;
use ampls_probes::packed::unpacked;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::table::matrix;
use super::ticket;
use crate::diagnose::facts::Route;
use crate::report::{EndpointReport, Health, Report};
use crate::text::{acts_on_output, duration_ms};

mod about;
mod endpoints;
pub(super) mod findings;
mod path;

/// The whole style of the page.
static STYLE: LazyLock<String> = LazyLock::new(|| unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/style.css.gz"))));

/// What the page may do. A hash of the style would leave bare text wherever a viewer or a mail gateway changes one byte of it;
/// what stands in the page is escaped, and nothing can be loaded.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// Writes the page of a run that ended with this exit status.
pub fn write(report: &Report, status: u8, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", visible(&page(report, status)?.into_string()))
}

/// The head of a page that asks nobody for anything, with styles beside those of every page.
pub(super) fn document_head(policy: &str, title: &str, styles: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            link rel="icon" href="data:,";
            title { (title) }
            style { (PreEscaped(STYLE.as_str())) (PreEscaped(styles)) }
        }
    }
}

fn page(report: &Report, status: u8) -> io::Result<Markup> {
    let verdict = &report.verdict;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            (document_head(POLICY, &format!("{}: {}: ampls-doctor", report.host.name, verdict.headline), ""))
            body {
                main data-route=(verdict.route.as_str()) data-health=(verdict.health.as_str()) data-exit=(status) {
                    (head(report))
                    (findings::section(report))
                    (tickets(report))
                    (zones(report))
                    (path::section(report))
                    (endpoints::section(report))
                    (endpoints::timings(report))
                    (notes(report))
                    (machine(report)?)
                    (about::section(report))
                    footer {
                        "ampls-doctor " (report.tool.version) ", run " (report.run.id.to_string()) ", schema " (report.schema)
                        ". Times are UTC. This page loads nothing."
                    }
                }
            }
        }
    })
}

fn head(report: &Report) -> Markup {
    let verdict = &report.verdict;
    let tone = match verdict.health {
        Health::Ok => "ok",
        Health::Warning => "warn",
        Health::Error => "bad",
    };
    let azure = report.host.azure.as_ref();
    let (started, took) = (format!("{:.0}", report.run.started_at), duration_ms(report.run.elapsed_ms));
    let run = report.run.id.to_string();
    let facts = [
        ("machine", Some(report.host.name.as_str())),
        ("system", Some(report.host.os.as_str())),
        ("region", azure.and_then(|azure| azure.region.as_deref())),
        ("subnet", azure.and_then(|azure| azure.subnet.as_deref())),
        ("checked", Some(started.as_str())),
        ("took", Some(took.as_str())),
        ("ampls-doctor", Some(report.tool.version.as_str())),
        ("resource id", azure.and_then(|azure| azure.resource_id.as_deref())),
        ("VM id", azure.and_then(|azure| azure.vm_id.as_deref())),
        ("run", Some(run.as_str())),
    ];
    html! {
        header class={ "card verdict " (tone) } {
            div class="tags" {
                span class={ "tag big " (leads(verdict.route)) } { (verdict.route.label()) }
                span class="tag big" { (report.condition()) }
                @for (count, class, one, many) in counts(report) {
                    span class={ "tag " (class) } { (count) " " (if count == 1 { one } else { many }) }
                }
                @if report.redacted.is_some() {
                    span class="tag info" { "redacted: names and addresses are pseudonyms" }
                }
                @if !report.run.complete { span class="tag warn" { "cut short" } }
            }
            h1 { (verdict.headline) }
            dl class="facts" {
                @for (name, value) in facts {
                    @if let Some(value) = value.filter(|value| !value.is_empty()) {
                        div { dt { (name) } dd { (value) } }
                    }
                }
            }
        }
    }
}

/// How many faults of each degree there are, and the words for one and for many.
fn counts(report: &Report) -> Vec<(usize, &'static str, &'static str, &'static str)> {
    use crate::diagnose::finding::Severity::{Error, Warning};
    let count = |severity| report.roots().filter(|root| root.severity == severity).count();
    let all = [(count(Error), "bad", "error", "errors"), (count(Warning), "warn", "warning", "warnings")];
    all.into_iter().filter(|(count, ..)| *count > 0).collect()
}

/// For each who has something to do, what to send them: a click marks all of it.
fn tickets(report: &Report) -> Markup {
    let owners = ticket::owners(report);
    html! {
        @if !owners.is_empty() {
            section class="unprinted" {
                h2 { "To hand over" }
                div class="card" {
                    p class="soft" { "A click marks the whole text, to be copied into a ticket." }
                    @for owner in owners {
                        details {
                            summary { "Ticket for " (ticket::team(owner)) }
                            pre data-ticket=(owner.as_str()) { (ticket::plain(&ticket::ticket(report, owner))) }
                        }
                    }
                }
            }
        }
    }
}

fn zones(report: &Report) -> Markup {
    let (heads, rows) = (matrix::heads(report), matrix::rows(report));
    html! {
        @if !rows.is_empty() {
            section {
                h2 id="zones" { "What each DNS server answers, by zone" }
                div class="card scroll" {
                    table class="stack" role="table" aria-labelledby="zones" {
                        thead {
                            tr role="row" {
                                th scope="col" role="columnheader" { "zone" }
                                @for head in &heads { th scope="col" role="columnheader" { (head) } }
                            }
                        }
                        tbody {
                            @for row in &rows {
                                tr role="row" {
                                    th scope="row" role="rowheader" { (row.zone) }
                                    @for (cell, head) in row.cells.iter().zip(&heads) { (zone_cell(cell, head)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn zone_cell(cell: &str, head: &str) -> Markup {
    let cell = cell.strip_prefix(head).unwrap_or(cell).trim_start();
    // The matrix writes what is not private in capitals.
    let odd = cell.contains("PUBLIC") || cell.contains("MIXED");
    html! { td role="cell" class={ "mono" @if odd { " odd" } } data-head=(head) { (cell) } }
}

fn notes(report: &Report) -> Markup {
    html! {
        @for (title, answered) in [("In Azure", true), ("Not visible from this machine", false)] {
            @if report.notes.iter().any(|note| note.answered == answered) {
                section class="unprinted" {
                    h2 { (title) }
                    div class="card" {
                        @for note in report.notes.iter().filter(|note| note.answered == answered) {
                            p { (prose(&note.text)) }
                            @if let Some(command) = &note.command { (commands(std::iter::once(command.as_str()))) }
                        }
                    }
                }
            }
        }
    }
}

/// What else was found on the machine.
fn machine(report: &Report) -> io::Result<Markup> {
    let found = [
        ("agents", json::value(&report.agents)?),
        ("browsers", json::value(&report.browsers)?),
        ("proxies", json::value(&report.proxies)?),
        ("DNS servers", json::value(&report.servers)?),
        ("sources", json::value(&report.sources)?),
    ];
    Ok(html! {
        section class="unprinted" {
            h2 { "On this machine" }
            div class="card" {
                @for (name, items) in &found {
                    @let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
                    details {
                        summary { (name) " (" (items.len()) ")" }
                        @for item in items {
                            dl class="facts item" {
                                @for (key, value) in item.as_object().into_iter().flatten() {
                                    @let value = words(value);
                                    @if !value.is_empty() { div { dt { (key.replace('_', " ")) } dd { (value) } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// A value of the report in words; empty where there is none.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| format!("{key} {}", words(value))).collect::<Vec<_>>().join(", ")
        }
    }
}

/// The tone of a route.
fn leads(route: Route) -> &'static str {
    match route {
        Route::Private => "ok",
        Route::Public => "info",
        Route::Mixed => "warn",
        Route::None => "off",
    }
}

/// The tone of the route of one name: public is bad only where it should be private.
fn led(report: &Report, endpoint: &EndpointReport) -> &'static str {
    report.route_state(endpoint).map_or_else(|| leads(endpoint.route), path::tone)
}

/// The whole page with everything that acts on a reader made visible: control characters, and what reorders or hides text.
pub(super) fn visible(page: &str) -> String {
    let mut safe = String::with_capacity(page.len());
    for character in page.chars() {
        if character != '\n' && acts_on_output(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// A long name, with places where it may be broken.
fn breakable(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('.').enumerate() {
            @if index > 0 { "." wbr; }
            (part)
        }
    }
}

/// A sentence: what stands in backticks is shown as code.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// Lines to be copied.
pub(super) fn commands<'a>(lines: impl Iterator<Item = &'a str>) -> Markup {
    html! { pre { code { (lines.collect::<Vec<_>>().join("\n")) } } }
}

#[cfg(test)]
mod tests;
