//! One object a line, for log collectors: first the run, then each endpoint, then each finding.
//!
//! Every line stands alone: it names run, machine and time. Each `kind` has the same columns in every report, and what is an
//! array in the report is one here: files can be put one after the other and read as one table.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::json;
use crate::diagnose::finding::{Argument, Finding};
use crate::report::{EndpointReport, FailOn, NOTHING_LOOKED_AT, Report, exit_status};

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
    let azure = report.host.azure.as_ref();
    let common = json!({
        "schema": report.schema,
        "kind": kind,
        "at": format!("{:.3}", report.run.started_at),
        "run_id": report.run.id,
        "host": report.host.name,
        "vm_id": azure.and_then(|azure| azure.vm_id.as_ref()),
        "resource_id": azure.and_then(|azure| azure.resource_id.as_ref()),
        "redacted": report.redacted.is_some(),
    });
    let mut fields = Map::new();
    for part in [common, more] {
        if let Value::Object(part) = part {
            fields.extend(part);
        }
    }
    json::write_line(&fields, out)
}

fn run(report: &Report) -> Value {
    let azure = report.host.azure.as_ref();
    json!({
        "version": report.tool.version,
        "os": report.host.os,
        "environment": report.host.environment,
        "cloud": azure.and_then(|azure| azure.cloud.as_ref()),
        "region": azure.and_then(|azure| azure.region.as_ref()),
        "subnet": azure.and_then(|azure| azure.subnet.as_ref()),
        "complete": report.run.complete,
        "examined": exit_status(report, FailOn::Error) != NOTHING_LOOKED_AT,
        "elapsed_ms": report.run.elapsed_ms,
        "route": report.verdict.route,
        "health": report.verdict.health,
        "headline": report.verdict.headline,
        "delivery": report.verdict.delivery,
        "delivery_evidence": report.verdict.delivery_evidence,
        "codes": report.roots().map(|root| root.code.as_str()).collect::<Vec<_>>(),
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
        "addresses": endpoint.addresses,
        "tcp": endpoint.tcp.as_ref().and_then(|tcp| tcp.first()).map(|tcp| &tcp.outcome),
        "tls_verified": endpoint.tls.as_ref().map(|tls| tls.verified),
        "tls_issuer": endpoint.tls.as_ref().and_then(|tls| tls.issuer.as_ref()),
        "http_status": endpoint.http.as_ref().and_then(|http| http.status),
        "request_id": endpoint.http.as_ref().and_then(|http| http.request_id.as_ref()),
        "dns_ms": endpoint.timings_ms.dns,
        "tcp_ms": endpoint.timings_ms.tcp,
        "tls_ms": endpoint.timings_ms.tls,
        "http_ms": endpoint.timings_ms.http,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "finding": finding.id,
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "owner": finding.owner,
        "certainty": finding.certainty,
        "title": finding.title,
        "summary": finding.summary,
        "endpoints": finding.endpoints,
        "evidence": finding.evidence,
        // A column for each argument would come and go with the codes.
        "args": finding.args.iter().map(argument).collect::<Vec<_>>(),
        "fix": finding.fix,
        "caused_by": finding.caused_by,
        "caused_by_id": finding.caused_by_id,
    })
}

fn argument((name, value): (&String, &Argument)) -> Value {
    json!({ "name": name, "values": value.values() })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::report::{crowded, healthy, hostile, mixed, on_a_vm};

    fn lines(report: &Report) -> Vec<Value> {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_stands_alone_and_each_kind_has_its_columns_in_every_report() {
        let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for report in [healthy(), mixed(), hostile(), crowded(3, 4, true)].map(on_a_vm) {
            let lines = lines(&report);
            assert_eq!(lines.len(), 1 + report.endpoints.len() + report.findings.len());
            for line in &lines {
                let fields = line.as_object().unwrap();
                let names: BTreeSet<String> = fields.keys().cloned().collect();
                let kind = line["kind"].as_str().unwrap().to_owned();
                assert_eq!(columns.entry(kind).or_insert_with(|| names.clone()), &names, "{line}");
                assert_eq!(line["run_id"], report.run.id.to_string());
                assert_eq!(line["resource_id"], report.host.azure.as_ref().unwrap().resource_id.clone().unwrap());
            }
        }
        assert_eq!(columns.len(), 3);
    }

    #[test]
    fn what_is_an_array_in_the_report_is_one_here() {
        let report = mixed();
        let lines = lines(&report);
        let root = lines.iter().find(|line| line["kind"] == "finding").unwrap();
        assert_eq!(root["endpoints"], serde_json::to_value(&report.findings[0].endpoints).unwrap());
        assert_eq!(root["fix"], serde_json::to_value(&report.findings[0].fix).unwrap());
        let args = root["args"].as_array().unwrap();
        assert!(
            args.iter().any(|arg| arg["name"] == "server" && arg["values"].as_array().unwrap().len() == 1),
            "{root}"
        );
        assert_eq!(lines[1]["addresses"], serde_json::to_value(&report.endpoints[0].addresses).unwrap());
    }

    #[test]
    fn the_first_line_is_the_verdict() {
        let first = &lines(&mixed())[0];
        assert_eq!((first["kind"].as_str(), first["route"].as_str()), (Some("run"), Some("mixed")));
    }
}
