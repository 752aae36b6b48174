//! The report as `OpenMetrics` text, for the textfile collector of Prometheus' node exporter.
//!
//! Names, units and labels follow <https://prometheus.io/docs/practices/naming/>. Only gauges are used, so that the text is
//! also valid in the older exposition format, which the collector reads. The host is not a label: the scrape adds it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io::{self, Write};

use super::page::inert;
use crate::diagnose::facts::Route;
use crate::diagnose::finding::Severity;
use crate::report::{Azure, EndpointReport, Health, Report};

const ROUTES: [Route; 4] = [Route::Private, Route::Public, Route::Mixed, Route::None];
const HEALTHS: [Health; 3] = [Health::Ok, Health::Warning, Health::Error];

/// Writes the text of a run that ends with this exit status.
pub fn write(report: &Report, status: u8, out: &mut dyn Write) -> io::Result<()> {
    for family in run(report, status).into_iter().chain(endpoints(report)).chain(findings(report)) {
        family.write(out)?;
    }
    writeln!(out, "# EOF")
}

pub(super) struct Family {
    name: &'static str,
    help: &'static str,
    samples: Vec<(String, String)>,
}

impl Family {
    pub(super) fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, samples: Vec::new() }
    }

    pub(super) fn one(name: &'static str, help: &'static str, value: impl Display) -> Self {
        let mut family = Self::new(name, help);
        family.add(&[], value);
        family
    }

    pub(super) fn add(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.samples.push((labels, format!("{value}")));
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.samples.is_empty() {
            return Ok(());
        }
        writeln!(out, "# HELP {} {}\n# TYPE {} gauge", self.name, self.help, self.name)?;
        for (labels, value) in &self.samples {
            writeln!(out, "{}{labels} {value}", self.name)?;
        }
        Ok(())
    }
}

fn run(report: &Report, status: u8) -> Vec<Family> {
    let mut build = Family::new("ampls_doctor_build_info", "The program that judged; always 1.");
    build.add(&[("version", &report.tool.version)], 1);
    let azure = report.host.azure.as_ref();
    let known = |value: fn(&Azure) -> Option<&str>| azure.and_then(value).unwrap_or_default();
    let mut machine = Family::new("ampls_doctor_machine_info", "The machine as Azure knows it; always 1.");
    machine.add(
        &[
            ("resource_id", known(|azure| azure.resource_id.as_deref())),
            ("vm_id", known(|azure| azure.vm_id.as_deref())),
            ("cloud", known(|azure| azure.cloud.as_deref())),
            ("region", known(|azure| azure.region.as_deref())),
            ("subnet", known(|azure| azure.subnet.as_deref())),
        ],
        1,
    );
    let mut leads =
        Family::new("ampls_doctor_route", "Where the required private-capable names lead: 1 for what holds.");
    for one in ROUTES {
        leads.add(&[("route", one.as_str())], u8::from(report.verdict.route == one));
    }
    let mut healths = Family::new("ampls_doctor_health", "The highest severity among the roots: 1 for what holds.");
    for one in HEALTHS {
        healths.add(&[("health", one.as_str())], u8::from(report.verdict.health == one));
    }
    let mut off =
        Family::new("ampls_doctor_rule_off", "Rules that the user switched off, which found nothing; always 1.");
    for code in report.run.rules.off() {
        off.add(&[("code", code)], 1);
    }
    let began = report.run.started_at.as_second();
    vec![
        build,
        machine,
        off,
        leads,
        healths,
        Family::one("ampls_doctor_exit_status", "The exit status of the run.", status),
        Family::one(
            "ampls_doctor_report_redacted",
            "Whether names and addresses in these labels are pseudonyms.",
            u8::from(report.redacted.is_some()),
        ),
        Family::one("ampls_doctor_run_complete", "Whether every step was done.", u8::from(report.run.complete)),
        Family::one("ampls_doctor_run_start_timestamp_seconds", "When the run began, by the machine's clock.", began),
        Family::one("ampls_doctor_run_duration_seconds", "How long the run took.", seconds(report.run.elapsed_ms)),
    ]
}

fn endpoints(report: &Report) -> [Family; 4] {
    let mut routes =
        Family::new("ampls_doctor_endpoint_route", "What kind of address the machine's own resolver gives; always 1.");
    let mut reachable = Family::new(
        "ampls_doctor_endpoint_reachable",
        "Whether TCP, TLS with a verified chain and HTTP answered; absent when not tried.",
    );
    let mut durations = Family::new("ampls_doctor_endpoint_step_duration_seconds", "How long each step took.");
    let mut expiry = Family::new(
        "ampls_doctor_endpoint_certificate_not_after_timestamp_seconds",
        "End of the validity of the certificate presented.",
    );
    // A series may occur once only.
    let mut seen = BTreeSet::new();
    for endpoint in report.endpoints.iter().filter(|endpoint| seen.insert((endpoint.fqdn.as_str(), endpoint.port))) {
        let port = endpoint.port.to_string();
        let labels = labels(endpoint, &port);
        routes.add(&with(&labels, "route", endpoint.route.as_str()), 1);
        if let Some(reached) = endpoint.reachable {
            reachable.add(&labels, u8::from(reached));
        }
        for (step, ms) in endpoint.timings_ms.layers() {
            if let Some(ms) = ms {
                durations.add(&with(&labels, "step", step), seconds(ms));
            }
        }
        if let Some(not_after) = endpoint.tls.as_ref().and_then(|tls| tls.not_after) {
            expiry.add(&labels, not_after.as_second());
        }
    }
    [routes, reachable, durations, expiry]
}

fn labels<'a>(endpoint: &'a EndpointReport, port: &'a str) -> Vec<(&'static str, &'a str)> {
    let zone = endpoint.zone.as_deref().unwrap_or_default();
    vec![("fqdn", &endpoint.fqdn), ("port", port), ("zone", zone), ("need", endpoint.need.as_str())]
}

fn with<'a>(labels: &[(&'a str, &'a str)], name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    labels.iter().copied().chain([(name, value)]).collect()
}

/// How many roots there are of each severity, also where there are none: an alert needs a series to look at. Then what each
/// code counts.
fn findings(report: &Report) -> [Family; 2] {
    let mut roots = Family::new("ampls_doctor_roots", "Faults that no other fault explains, by severity.");
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let count = report.roots().filter(|root| root.severity == severity).count();
        roots.add(&[("severity", severity.as_str())], count);
    }
    let mut counts: BTreeMap<(&str, &str, &str, &str), usize> = BTreeMap::new();
    for finding in &report.findings {
        let root = if finding.caused_by.is_none() { "true" } else { "false" };
        *counts.entry((&finding.code, &finding.name, finding.severity.as_str(), root)).or_default() += 1;
    }
    let mut codes =
        Family::new("ampls_doctor_findings", "Findings by code; those with root=\"false\" follow from another.");
    for ((code, name, severity, root), count) in counts {
        codes.add(&[("code", code), ("name", name), ("severity", severity), ("root", root)], count);
    }
    [roots, codes]
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// A label's value: backslash, quote and line break are escaped
/// (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
fn escaped(text: &str) -> String {
    inert(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::report::{crowded, healthy, hostile, mixed, on_a_vm};

    fn text(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, 1, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_series_is_there_once() {
        for report in [healthy(), mixed(), hostile(), crowded(9, 9, true)] {
            let text = text(&report);
            let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
            let series: BTreeSet<_> = samples.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
            assert_eq!(series.len(), samples.len(), "{text}");
            assert!(samples.iter().all(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().is_ok()), "{text}");
            assert!(text.ends_with("\n# EOF\n"));
        }
    }

    #[test]
    fn what_holds_is_one_and_what_does_not_is_zero() {
        let text = text(&mixed());
        assert!(text.contains("\nampls_doctor_route{route=\"mixed\"} 1\n"), "{text}");
        assert!(text.contains("\nampls_doctor_route{route=\"private\"} 0\n"), "{text}");
        assert!(text.contains("\nampls_doctor_exit_status 1\n"), "{text}");
        assert!(text.contains("\nampls_doctor_report_redacted 0\n"), "{text}");
        let finding =
            "ampls_doctor_findings{code=\"DNS003\",name=\"zone-not-linked\",severity=\"error\",root=\"true\"} 1";
        assert!(text.contains(finding), "{text}");
        assert!(text.contains("\nampls_doctor_roots{severity=\"error\"} 1\n"), "{text}");
    }

    #[test]
    fn an_alert_has_a_series_when_all_is_well() {
        for severity in ["error", "warning"] {
            let series = format!("\nampls_doctor_roots{{severity=\"{severity}\"}} 0\n");
            assert!(text(&healthy()).contains(&series), "{series}");
        }
    }

    #[test]
    fn an_endpoint_has_one_series_for_its_route_and_the_machine_its_ids() {
        let report = on_a_vm(mixed());
        let text = text(&report);
        assert_eq!(text.matches("\nampls_doctor_endpoint_route{").count(), report.endpoints.len(), "{text}");
        let id = report.host.azure.as_ref().and_then(|azure| azure.resource_id.as_deref()).expect("an Azure VM");
        assert!(text.contains(&format!("\nampls_doctor_machine_info{{resource_id=\"{id}\",vm_id=")), "{text}");
    }
}
