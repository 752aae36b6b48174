//! One flat object a line, for log collectors: first the run, then each endpoint, then each finding.
//!
//! Every line stands alone: it names run, host and time. Lists are joined by commas, so that no value is nested.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::json;
use crate::diagnose::finding::Finding;
use crate::report::{EndpointReport, Report};

/// Writes the lines.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    line(report, "run", run(report), out)?;
    for endpoint in &report.endpoints {
        line(report, "endpoint", self::endpoint(endpoint), out)?;
    }
    for finding in &report.findings {
        line(report, "finding", self::finding(finding), out)?;
    }
    Ok(())
}

fn line(report: &Report, kind: &str, more: Value, out: &mut dyn Write) -> io::Result<()> {
    let mut fields = Map::new();
    fields.insert("schema".to_owned(), report.schema.into());
    fields.insert("kind".to_owned(), kind.into());
    fields.insert("at".to_owned(), report.run.started_at.to_string().into());
    fields.insert("run".to_owned(), report.run.id.to_string().into());
    fields.insert("host".to_owned(), report.host.name.clone().into());
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    json::write_line(&fields, out)
}

fn run(report: &Report) -> Value {
    let azure = report.host.azure.as_ref();
    json!({
        "version": report.tool.version,
        "redacted": report.redacted.is_some(),
        "os": report.host.os,
        "cloud": azure.and_then(|azure| azure.cloud.as_ref()),
        "region": azure.and_then(|azure| azure.region.as_ref()),
        "complete": report.run.complete,
        "elapsed_ms": report.run.elapsed_ms,
        "route": report.verdict.route,
        "health": report.verdict.health,
        "headline": report.verdict.headline,
    })
}

fn endpoint(endpoint: &EndpointReport) -> Value {
    json!({
        "endpoint": endpoint.id,
        "fqdn": endpoint.fqdn,
        "port": endpoint.port,
        "group": endpoint.group,
        "zone": endpoint.zone,
        "expected": endpoint.expected,
        "need": endpoint.need,
        "route": endpoint.route,
        "reachable": endpoint.reachable,
        "addresses": joined(&endpoint.addresses),
        "tcp": endpoint.tcp.as_ref().and_then(|tcp| tcp.first()).map(|tcp| &tcp.outcome),
        "tls_verified": endpoint.tls.as_ref().map(|tls| tls.verified),
        "tls_issuer": endpoint.tls.as_ref().and_then(|tls| tls.issuer.as_ref()),
        "http_status": endpoint.http.as_ref().and_then(|http| http.status),
        "dns_ms": endpoint.timings_ms.dns,
        "tcp_ms": endpoint.timings_ms.tcp,
        "tls_ms": endpoint.timings_ms.tls,
        "http_ms": endpoint.timings_ms.http,
    })
}

fn finding(finding: &Finding) -> Value {
    let mut fields = json!({
        "finding": finding.id,
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "owner": finding.owner,
        "certainty": finding.certainty,
        "title": finding.title,
        "endpoints": joined(&finding.endpoints),
        "caused_by": finding.caused_by,
    });
    if let Value::Object(fields) = &mut fields {
        for (name, value) in &finding.args {
            fields.insert(format!("arg_{name}"), value.text().into());
        }
    }
    fields
}

fn joined<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{healthy, hostile, mixed};

    fn lines(report: &Report) -> Vec<Value> {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_endpoint_and_finding_has_a_line_without_nesting() {
        for report in [healthy(), mixed(), hostile()] {
            let lines = lines(&report);
            assert_eq!(lines.len(), 1 + report.endpoints.len() + report.findings.len());
            for line in &lines {
                let fields = line.as_object().unwrap();
                assert!(fields.values().all(|value| !value.is_object() && !value.is_array()), "{line}");
                assert_eq!(line["run"], report.run.id.to_string());
            }
        }
    }

    #[test]
    fn the_first_line_is_the_verdict() {
        let first = &lines(&mixed())[0];
        assert_eq!((first["kind"].as_str(), first["route"].as_str()), (Some("run"), Some("mixed")));
    }
}
