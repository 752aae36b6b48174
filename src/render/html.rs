//! The report as one page that needs nothing but itself: no script, no request, nothing that a mail filter would remove.
//!
//! The policy in its head forbids everything but the one style sheet, by its hash; and no value from outside is ever written
//! but through `safe`. Colour never stands without a word.

use std::io::{self, Write};

use super::markup::escaped;
use super::page::inert;
use super::table::matrix;
use crate::diagnose::facts::Route;
use crate::report::{Health, Report};
use crate::text::duration_ms;

mod endpoints;
mod findings;
mod path;

/// The whole style of the page.
const STYLE: &str = include_str!("html/style.css");

/// SHA-256 of [`STYLE`], as the policy names it.
const STYLE_HASH: &str = "sha256-VVGa/iWD6kKh6sspQ0MYRPUjMxK2W33dATaknkhUHRE=";

/// Writes the page of a run that ended with this exit status.
pub fn write(report: &Report, status: u8, out: &mut dyn Write) -> io::Result<()> {
    let verdict = &report.verdict;
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{STYLE_HASH}'; \
         img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{}: ampls-doctor</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <main data-route=\"{}\" data-health=\"{}\" data-exit=\"{status}\">\n",
        safe(&verdict.headline),
        verdict.route.as_str(),
        verdict.health.as_str(),
    )?;
    head(report, out)?;
    zones(report, out)?;
    findings::write(report, out)?;
    path::write(report, out)?;
    endpoints::write(report, out)?;
    endpoints::timings(report, out)?;
    notes(report, out)?;
    machine(report, out)?;
    write!(
        out,
        "<footer>ampls-doctor {}, run {}, schema {}. Times are UTC. This page loads nothing.</footer>\n</main>\n</body>\n</html>\n",
        safe(&report.tool.version),
        report.run.id,
        report.schema
    )
}

fn head(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let verdict = &report.verdict;
    let tone = match verdict.health {
        Health::Ok => "ok",
        Health::Warning => "warn",
        Health::Error => "bad",
    };
    write!(
        out,
        "<header class=\"card verdict {tone}\"><div class=\"tags\"><span class=\"tag big {}\">{}</span>\
         <span class=\"tag big\">{}</span>",
        leads(verdict.route),
        verdict.route.label(),
        report.condition()
    )?;
    if report.redacted.is_some() {
        write!(out, "<span class=\"tag info\">redacted: names and addresses are pseudonyms</span>")?;
    }
    if !report.run.complete {
        write!(out, "<span class=\"tag warn\">cut short</span>")?;
    }
    write!(out, "</div>\n<h1>{}</h1>\n<dl class=\"facts\">", safe(&verdict.headline))?;
    let azure = report.host.azure.as_ref();
    let subnet = azure.and_then(|azure| azure.subnet.as_deref()).unwrap_or_default();
    for (name, value) in [
        ("machine", report.host.name.as_str()),
        ("system", &report.host.os),
        ("region", azure.and_then(|azure| azure.region.as_deref()).unwrap_or_default()),
        ("subnet", subnet),
        ("looked at", &format!("{:.0}", report.run.started_at)),
        ("took", &duration_ms(report.run.elapsed_ms)),
    ] {
        if !value.is_empty() {
            write!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", safe(value))?;
        }
    }
    writeln!(out, "</dl></header>")
}

fn zones(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rows = matrix::rows(report);
    if rows.is_empty() {
        return Ok(());
    }
    let heads = matrix::heads(report);
    write!(
        out,
        "<section><h2 id=\"zones\">What each DNS server answers, by zone</h2><div class=\"card scroll\">\
         <table class=\"stack\" role=\"table\" aria-labelledby=\"zones\"><thead><tr role=\"row\">\
         <th scope=\"col\" role=\"columnheader\">zone</th>"
    )?;
    for head in &heads {
        write!(out, "<th scope=\"col\" role=\"columnheader\">{}</th>", safe(head))?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for row in rows {
        write!(out, "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">{}</th>", safe(&row.zone))?;
        for (cell, head) in row.cells.iter().zip(&heads) {
            // The matrix writes what is wrong in capitals.
            let tone = if cell.contains("PUBLIC") { " odd" } else { "" };
            let (head, cell) = (safe(head), safe(cell));
            write!(out, "<td role=\"cell\" class=\"mono{tone}\" data-head=\"{head}\">{cell}</td>")?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div></section>")
}

fn notes(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.notes.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section><h2>Not visible from this machine</h2><div class=\"card\">")?;
    for note in &report.notes {
        writeln!(out, "<p>{}</p>", prose(&note.text))?;
        if let Some(command) = &note.command {
            writeln!(out, "{}", commands(std::iter::once(command.as_str())))?;
        }
    }
    writeln!(out, "</div></section>")
}

/// What else was found on the machine, as it stands in the report.
fn machine(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let found = [
        ("agents", serde_json::to_value(&report.agents)?),
        ("browsers", serde_json::to_value(&report.browsers)?),
        ("proxies", serde_json::to_value(&report.proxies)?),
        ("servers", serde_json::to_value(&report.servers)?),
    ];
    writeln!(out, "<section><h2>On this machine</h2><div class=\"card\">")?;
    for (name, value) in found {
        let count = value.as_array().map_or(0, Vec::len);
        writeln!(out, "<details><summary>{name} ({count})</summary>")?;
        for item in value.as_array().into_iter().flatten() {
            writeln!(out, "{}", commands(serde_json::to_string_pretty(item)?.lines()))?;
        }
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</div></section>")
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

/// Text that can neither leave its element nor its attribute, nor act in any other way.
fn safe(text: &str) -> String {
    escaped(&inert(text))
}

/// The same, with places where a long name may be broken.
fn breakable(text: &str) -> String {
    safe(text).replace('.', ".<wbr>")
}

/// A sentence: what stands in backticks is shown as code.
fn prose(text: &str) -> String {
    let parts = inert(text);
    let mut html = String::new();
    for (index, part) in parts.split('`').enumerate() {
        let part = escaped(part);
        if index % 2 == 0 {
            html.push_str(&part);
        } else {
            html.push_str("<code>");
            html.push_str(&part);
            html.push_str("</code>");
        }
    }
    html
}

/// Lines to be copied.
fn commands<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<String> = lines.map(safe).collect();
    format!("<pre><code>{}</code></pre>", lines.join("\n"))
}

#[cfg(test)]
mod tests;
