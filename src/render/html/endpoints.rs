//! The endpoints as a table, and how long each step of them took as a waterfall.

use std::io::{self, Write};

use ampls_probes::observation::Observation;
use jiff::Timestamp;

use super::{leads, safe};
use crate::render::compact::route;
use crate::report::{EndpointReport, Report};
use crate::text::duration_ms;

/// Units of the picture's width.
const WIDTH: u64 = 1_000;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.endpoints.is_empty() {
        return Ok(());
    }
    write!(out, "<section><h2>Endpoints</h2><div class=\"card scroll\"><table><thead><tr>")?;
    for head in ["name", "need", "expected", "route", "reachable", "addresses", "TCP", "TLS", "HTTP"] {
        write!(out, "<th scope=\"col\">{head}</th>")?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for endpoint in &report.endpoints {
        row(endpoint, out)?;
    }
    writeln!(out, "</tbody></table></div></section>")
}

fn row(endpoint: &EndpointReport, out: &mut dyn Write) -> io::Result<()> {
    let (tone, reached) = match endpoint.reachable {
        Some(true) => ("ok", "yes"),
        Some(false) => ("bad", "no"),
        None => ("off", "not tried"),
    };
    let leads = leads(endpoint.route);
    let addresses: Vec<String> = endpoint.addresses.iter().map(|address| safe(&address.to_string())).collect();
    let tcp: Vec<String> =
        endpoint.tcp.iter().flatten().take(4).map(|tcp| safe(&format!("{} {}", tcp.address, tcp.outcome))).collect();
    let tls = endpoint.tls.as_ref().map_or_else(String::new, |tls| {
        let issuer = tls.issuer.as_deref().map(|issuer| format!(", issued by {issuer}")).unwrap_or_default();
        let trust = if tls.verified { "verified" } else { "not verified" };
        format!("{} {trust}{issuer}", tls.version.as_deref().unwrap_or(&tls.outcome))
    });
    let http = endpoint
        .http
        .as_ref()
        .map_or_else(String::new, |http| http.status.map_or_else(|| http.outcome.clone(), |status| status.to_string()));
    writeln!(
        out,
        "<tr><th scope=\"row\" class=\"mono\">{}:{}</th><td>{}</td><td>{}</td><td><span class=\"tag {leads}\">{}</span></td>\
         <td><span class=\"tag {tone}\">{reached}</span></td><td class=\"mono keep\">{}</td><td class=\"mono keep\">{}</td>\
         <td>{}</td><td>{}</td></tr>",
        safe(&endpoint.fqdn),
        endpoint.port,
        endpoint.need.as_str(),
        endpoint.expected.as_str(),
        route(endpoint.route),
        addresses.join("<br>"),
        tcp.join("<br>"),
        safe(&tls),
        safe(&http)
    )
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
    write!(out, "<section><h2>Timings <span class=\"soft\">")?;
    for (class, name) in [("dns", "DNS"), ("tcp", "TCP"), ("tls", "TLS"), ("http", "HTTP")] {
        write!(out, "<span class=\"key {class}\"></span>{name}")?;
    }
    writeln!(out, "</span></h2><div class=\"card\"><table class=\"waterfall\"><tbody>")?;
    for (endpoint, steps) in rows {
        let said: Vec<String> =
            steps.iter().map(|(step, _, took)| format!("{} {}", step.to_uppercase(), duration_ms(*took))).collect();
        let said = said.join(", ");
        let total: u64 = steps.iter().map(|(_, _, took)| took).sum();
        write!(
            out,
            "<tr><th scope=\"row\" class=\"mono name\">{}</th><td><svg class=\"bar\" viewBox=\"0 0 {WIDTH} 14\" \
             preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{said}\"><title>{said}</title>",
            safe(&endpoint.fqdn)
        )?;
        for (step, at, took) in &steps {
            let (x, width) = (at * WIDTH / end, (took * WIDTH / end).max(3));
            write!(out, "<rect class=\"{step}\" x=\"{x}\" y=\"0\" width=\"{width}\" height=\"14\"/>")?;
        }
        writeln!(out, "</svg></td><td class=\"total\">{}</td></tr>", duration_ms(total))?;
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
    let first = endpoint.tcp.iter().flatten().find(|tcp| tcp.outcome == "connected");
    let first = first.or(endpoint.tcp.iter().flatten().find(|tcp| tcp.outcome != "skipped"));
    steps.extend(first.map(|tcp| ("tcp", since(tcp.at), tcp.elapsed_ms)));
    steps.extend(endpoint.tls.as_ref().map(|tls| ("tls", since(tls.at), tls.elapsed_ms)));
    steps.extend(endpoint.http.as_ref().map(|http| ("http", since(http.at), http.elapsed_ms)));
    steps
}
