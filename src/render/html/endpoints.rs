//! The endpoints as a table, and how long each step of them took as a waterfall.

use std::io::{self, Write};

use ampls_probes::observation::Observation;
use jiff::Timestamp;

use super::path::tone;
use super::{breakable, leads, safe};
use crate::report::{EndpointReport, Report, StepOutcome};
use crate::text::duration_ms;

/// Units of the picture's width.
const WIDTH: u64 = 1_000;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.endpoints.is_empty() {
        return Ok(());
    }
    write!(
        out,
        "<section><h2 id=\"endpoints\">Endpoints</h2><div class=\"card\">\
         <table class=\"endpoints stack\" role=\"table\" aria-labelledby=\"endpoints\"><thead><tr role=\"row\">"
    )?;
    for (class, head) in COLUMNS {
        write!(out, "<th scope=\"col\" role=\"columnheader\" class=\"{class}\">{head}</th>")?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for endpoint in &report.endpoints {
        row(report, endpoint, out)?;
    }
    writeln!(out, "</tbody></table>")?;
    issuers(report, out)?;
    writeln!(out, "</div></section>")
}

/// The columns beside the name: a class for their width, and their heads.
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

fn row(report: &Report, endpoint: &EndpointReport, out: &mut dyn Write) -> io::Result<()> {
    let tone = tone(report.service_state(endpoint));
    let reached = match endpoint.reachable {
        Some(true) => "yes",
        Some(false) => "no",
        None if endpoint.addresses.is_empty() => "not tested: no address",
        None => "resolved only",
    };
    let mut to = vec![format!("<span class=\"tag {}\">{}</span>", leads(endpoint.route), endpoint.route.label())];
    to.extend(endpoint.addresses.iter().map(|address| safe(&address.to_string())));
    let tls = endpoint.tls.as_ref().map_or_else(String::new, |tls| {
        let trust = if tls.verified { "verified" } else { "not verified" };
        format!("{} {trust}", tls.version.clone().unwrap_or_else(|| tls.outcome.to_string()))
    });
    let http = endpoint.http.as_ref().map_or_else(String::new, |http| {
        http.status.map_or_else(|| http.outcome.to_string(), |status| status.to_string())
    });
    write!(
        out,
        "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\" class=\"mono\">{}:{}</th>",
        breakable(&endpoint.fqdn),
        endpoint.port
    )?;
    let cells = [
        safe(endpoint.need.as_str()),
        safe(endpoint.expected.as_str()),
        format!("<span class=\"mono\">{}</span>", to.join("<br>")),
        format!("<span class=\"tag {tone}\">{reached}</span>"),
        tcp(endpoint),
        safe(&tls),
        safe(&http),
    ];
    for ((_, head), cell) in COLUMNS.iter().skip(1).zip(cells) {
        write!(out, "<td role=\"cell\" data-head=\"{head}\">{cell}</td>")?;
    }
    writeln!(out, "</tr>")
}

/// What every connection attempt came to; the address is named only where they differ.
fn tcp(endpoint: &EndpointReport) -> String {
    let attempts: Vec<_> = endpoint.tcp.iter().flatten().collect();
    let Some(first) = attempts.first() else { return String::new() };
    if attempts.iter().all(|tcp| tcp.outcome == first.outcome) {
        return safe(&first.outcome.as_str());
    }
    let shown = attempts.iter().take(4).map(|tcp| safe(&format!("{} {}", tcp.address.ip(), tcp.outcome)));
    shown.collect::<Vec<_>>().join("<br>")
}

/// Who issued the certificates, and for how many names; which ones only where issuers differ.
fn issuers(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut issuers: Vec<(&str, Vec<&str>)> = Vec::new();
    for endpoint in &report.endpoints {
        let Some(issuer) = endpoint.tls.as_ref().and_then(|tls| tls.issuer.as_deref()) else { continue };
        match issuers.iter_mut().find(|(seen, _)| *seen == issuer) {
            Some((_, names)) => names.push(&endpoint.fqdn),
            None => issuers.push((issuer, vec![&endpoint.fqdn])),
        }
    }
    if let [(issuer, _)] = issuers.as_slice() {
        return writeln!(out, "<p class=\"soft\">All certificates are issued by <code>{}</code>.</p>", safe(issuer));
    }
    for (issuer, names) in issuers {
        let names: Vec<String> = names.into_iter().map(breakable).collect();
        writeln!(out, "<p class=\"soft\">Issued by <code>{}</code>: {}</p>", safe(issuer), names.join(", "))?;
    }
    Ok(())
}

/// A step: its name, when it began after the run did, and how long it took, in milliseconds.
type Step = (&'static str, u64, u64);

/// The waterfall.
pub(super) fn timings(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<(&EndpointReport, Vec<Step>)> = report
        .endpoints
        .iter()
        .map(|endpoint| (endpoint, steps(report, endpoint)))
        .filter(|(_, steps)| !steps.is_empty())
        .collect();
    let Some(end) = rows.iter().flat_map(|(_, steps)| steps).map(|(_, at, took)| at + took).max() else {
        return Ok(());
    };
    let end = end.max(1);
    write!(out, "<section><h2 id=\"timings\">Timings <span class=\"soft\">")?;
    for (class, name) in [("dns", "DNS"), ("tcp", "TCP"), ("tls", "TLS"), ("http", "HTTP")] {
        write!(out, "<span class=\"key {class}\"></span>{name}")?;
    }
    writeln!(
        out,
        "</span></h2><div class=\"card\"><table class=\"waterfall\" role=\"table\" aria-labelledby=\"timings\">\
         <thead><tr role=\"row\"><th scope=\"col\" role=\"columnheader\" class=\"name\"><span class=\"unseen\">name</span></th>\
         <th scope=\"col\" role=\"columnheader\"><span class=\"unseen\">steps</span></th>\
         <th scope=\"col\" role=\"columnheader\" class=\"total\"><span class=\"unseen\">together</span></th></tr></thead><tbody>"
    )?;
    for (endpoint, steps) in rows {
        let text: Vec<String> =
            steps.iter().map(|(step, _, took)| format!("{} {}", step.to_uppercase(), duration_ms(*took))).collect();
        let text = text.join(", ");
        let total: u64 = steps.iter().map(|(_, _, took)| took).sum();
        write!(
            out,
            "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\" class=\"mono name\">{}</th><td role=\"cell\" class=\"steps\"><svg class=\"bar\" viewBox=\"0 0 {WIDTH} 14\" \
             preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{text}\"><title>{text}</title>",
            breakable(&endpoint.fqdn)
        )?;
        for (step, at, took) in &steps {
            let (x, width) = (at * WIDTH / end, (took * WIDTH / end).max(3));
            write!(out, "<rect class=\"{step}\" x=\"{x}\" y=\"0\" width=\"{width}\" height=\"14\"/>")?;
        }
        writeln!(out, "</svg></td><td role=\"cell\" class=\"total\">{}</td></tr>", duration_ms(total))?;
    }
    writeln!(out, "</tbody></table></div></section>")
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
