//! The report keeps its promises.

use serde_json::Value;

use ampls_probes::observation::{EncryptedResolver, IoFailure, Outcome};
use ampls_probes::testing::{ODS, Scene, private_world};

use super::examples::{finding, healthy, mixed, report};
use super::*;
use crate::diagnose::facts::{Route, Status};

/// Every promised field, as JSON pointers into the report of a mixed world.
const PROMISED: &[&str] = &[
    "/schema",
    "/tool/version",
    "/run/id",
    "/run/started_at",
    "/run/elapsed_ms",
    "/run/complete",
    "/run/expect",
    "/host/name",
    "/host/os",
    "/host/arch",
    "/host/environment",
    "/host/azure",
    "/verdict/route",
    "/verdict/health",
    "/verdict/headline",
    "/endpoints/0/id",
    "/endpoints/0/fqdn",
    "/endpoints/0/port",
    "/endpoints/0/group",
    "/endpoints/0/zone",
    "/endpoints/0/expected",
    "/endpoints/0/need",
    "/endpoints/0/route",
    "/endpoints/0/reachable",
    "/endpoints/0/addresses",
    "/endpoints/0/views/0/view",
    "/endpoints/0/views/0/server",
    "/endpoints/0/views/0/status",
    "/endpoints/0/views/0/route",
    "/endpoints/0/views/0/addresses",
    "/endpoints/0/views/0/cname",
    "/endpoints/0/views/0/ttl",
    "/endpoints/0/views/0/elapsed_ms",
    "/endpoints/0/tcp/0/address",
    "/endpoints/0/tcp/0/outcome",
    "/endpoints/0/tcp/0/local",
    "/endpoints/0/tcp/0/at",
    "/endpoints/0/tcp/0/elapsed_ms",
    "/endpoints/0/tls/version",
    "/endpoints/0/tls/cipher",
    "/endpoints/0/tls/issuer",
    "/endpoints/0/tls/subject",
    "/endpoints/0/tls/not_after",
    "/endpoints/0/tls/verified",
    "/endpoints/0/http/status",
    "/endpoints/0/http/request_id",
    "/endpoints/0/timings_ms/dns",
    "/endpoints/0/timings_ms/tcp",
    "/endpoints/0/timings_ms/tls",
    "/endpoints/0/timings_ms/http",
    "/zones/0/zone",
    "/zones/0/server",
    "/zones/0/soa",
    "/zones/0/linked",
    "/agents",
    "/browsers",
    "/proxies",
    "/servers",
    "/notes",
    "/observations/version",
    "/findings/0/id",
    "/findings/0/code",
    "/findings/0/name",
    "/findings/0/severity",
    "/findings/0/title",
    "/findings/0/summary",
    "/findings/0/endpoints",
    "/findings/0/evidence",
    "/findings/0/args",
    "/findings/0/excludes",
    "/findings/0/owner",
    "/findings/0/certainty",
    "/findings/0/fix/0/text",
    "/findings/0/fix/0/commands",
    "/findings/0/fix/0/read_only",
    "/findings/0/fix/0/blast_radius",
    "/findings/0/fix/0/check_first",
    "/findings/0/fix/0/undo",
    "/findings/0/link",
    "/findings/0/caused_by",
    "/findings/0/caused_by_id",
];

#[test]
fn every_promised_field_is_there_under_its_name() {
    let report = serde_json::to_value(mixed()).unwrap();
    let missing: Vec<_> = PROMISED.iter().filter(|pointer| report.pointer(pointer).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_route_is_never_null() {
    let mut report = mixed();
    report.endpoints[0].route = Route::None;
    let report = serde_json::to_value(report).unwrap();
    assert_eq!(report.pointer("/endpoints/0/route"), Some(&Value::from("none")));
}

#[test]
fn a_healthy_private_machine_says_so_and_what_is_known_of_its_data() {
    let verdict = healthy().verdict;
    assert_eq!(verdict.headline, "PRIVATE, network healthy; delivery not proven");
    assert_eq!((verdict.route, verdict.health), (Route::Private, Health::Ok));
}

#[test]
fn nobody_is_called_healthy_whose_required_names_do_not_work() {
    let report = healthy();
    let mut silent = report.endpoints.clone();
    silent[0].reachable = Some(false);
    let headline = Verdict::new(&report.observations, &silent, &[]).headline;
    assert!(headline.starts_with("PRIVATE, unexplained: "), "{headline}");

    let mut nowhere = report.endpoints.clone();
    for endpoint in &mut nowhere {
        endpoint.route = Route::None;
    }
    let headline = Verdict::new(&report.observations, &nowhere, &[]).headline;
    assert!(headline.starts_with("UNRESOLVED, unexplained: none of "), "{headline}");
    for view in nowhere.iter_mut().flat_map(|endpoint| &mut endpoint.views) {
        view.status = Status::Skipped;
    }
    let headline = Verdict::new(&report.observations, &nowhere, &[]).headline;
    assert!(headline.starts_with("UNRESOLVED, healthy: no name was resolved"), "{headline}");
}

#[test]
fn the_headline_counts_the_roots_and_names_what_they_do() {
    let report = healthy();
    let mut symptom = finding("NET001", "connect-timeout", Severity::Error);
    symptom.caused_by = Some("AZR002".to_owned());
    let warning = finding("AZR002", "clock-skew", Severity::Warning);
    let error = finding("AGT001", "agent-below-minimum", Severity::Error);
    let info = finding("AGT002", "no-agent", Severity::Info);
    let headline = |findings: &[Finding]| Verdict::new(&report.observations, &report.endpoints, findings).headline;
    assert_eq!(headline(std::slice::from_ref(&info)), headline(&[]));
    assert_eq!(headline(&[symptom.clone(), warning.clone()]), "PRIVATE, 1 warning: the clock is wrong (AZR002)");
    assert_eq!(
        headline(&[warning.clone(), error.clone(), symptom, info]),
        "PRIVATE, 1 error, 1 warning: the agent is too old for Private Link (AGT001); the clock is wrong (AZR002)"
    );
    let mut other = error.clone();
    other.code = "AGT009".to_owned();
    let more = ["BRW001", "BRW002", "PRX005"].map(|code| finding(code, "some-rule", Severity::Warning));
    let all: Vec<Finding> = [warning, error, other].into_iter().chain(more).collect();
    assert_eq!(
        headline(&all),
        "PRIVATE, 2 errors, 4 warnings: the agent is too old for Private Link (AGT001); the agent delivers nothing \
         (AGT009); the clock is wrong (AZR002); 3 more"
    );
}

#[test]
fn a_mixed_machine_says_what_is_public() {
    assert_eq!(mixed().verdict.headline, "MIXED, 1 error: log upload is PUBLIC (DNS003)");
}

#[test]
fn a_name_that_refuses_is_tried_and_not_reachable() {
    let report = mixed();
    assert_eq!(report.endpoints[0].reachable, Some(true));
    assert_eq!(report.endpoints[1].reachable, Some(false));
    assert_eq!(report.endpoints[1].tls, None);
}

#[test]
fn what_was_never_tried_is_not_called_unreachable() {
    let without_sockets = private_world().connects(ODS, &Outcome::Failed(IoFailure::NoSockets));
    let report = report(&without_sockets);
    let ods = report.endpoints.iter().find(|endpoint| endpoint.fqdn == ODS).unwrap();
    assert_eq!(ods.reachable, None);
    assert_eq!(serde_json::to_value(ods).unwrap()["reachable"], Value::Null);
}

#[test]
fn the_exit_status_counts_from_the_severity_that_was_asked() {
    let mut report = healthy();
    assert_eq!(exit_status(&report, FailOn::Warning), 0);
    report.findings.push(finding("DNS006", "hosts-file-override", Severity::Warning));
    assert_eq!(exit_status(&report, FailOn::Error), 0);
    assert_eq!(exit_status(&report, FailOn::Warning), 1);
    report.findings.push(finding("NET001", "connect-timeout", Severity::Error));
    assert_eq!(exit_status(&report, FailOn::Error), 1);
    assert_eq!(exit_status(&report, FailOn::Never), 0);
    report.observations.seen.clear();
    assert_eq!(exit_status(&report, FailOn::Never), 3);
}

#[test]
fn a_run_that_was_ended_before_any_required_name_was_judged_is_status_three() {
    let judged = |change: fn(&mut Report)| {
        let mut report = healthy();
        report.run.stopped = Some(Stop::Interrupt);
        for endpoint in &mut report.endpoints {
            endpoint.reachable = None;
            for view in &mut endpoint.views {
                view.status = Status::Cancelled;
            }
        }
        report.findings = vec![finding("RUN001", "not-finished", Severity::Warning)];
        change(&mut report);
        [FailOn::Error, FailOn::Warning, FailOn::Never].map(|fail_on| exit_status(&report, fail_on))
    };
    assert_eq!(judged(|_| ()), [3, 3, 3]);
    assert_eq!(judged(|report| report.endpoints.clear()), [3, 3, 3], "no name was known yet");
    assert_eq!(judged(|report| report.run.stopped = Some(Stop::Deadline)), [0, 1, 0], "time is the network's affair");
    assert_eq!(judged(|report| report.endpoints[0].reachable = Some(false)), [0, 1, 0]);
    assert_eq!(judged(|report| report.endpoints[0].views[0].status = Status::Timeout), [0, 1, 0]);
    let proven = judged(|report| {
        report.findings.push(finding("AGT001", "agent-below-minimum", Severity::Error));
    });
    assert_eq!(proven, [1, 1, 3]);
}

#[test]
fn what_windows_is_set_to_do_with_names_is_said_to_be_read_and_not_seen() {
    let encrypted = EncryptedResolver {
        service: "Windows DNS client".to_owned(),
        source: r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient".to_owned(),
        setting: "DoHPolicy=3".to_owned(),
        strict: true,
        servers: Vec::new(),
        in_use: true,
        zones: Vec::new(),
        templates: Vec::new(),
    };
    let said = |scene: &Scene| report(scene).notes.iter().any(|note| note.text.contains("not seen in effect"));
    assert!(said(&private_world().windows().encrypted_dns(encrypted.clone())));
    assert!(!said(&private_world().windows()) && !said(&private_world().encrypted_dns(encrypted)));
}
