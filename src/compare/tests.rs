//! What counts as a difference between two reports, and what does not.

use jiff::SignedDuration;
use uuid::Uuid;

use super::*;
use crate::report::{healthy, hostile, mixed};

fn codes(comparison: &Comparison, fate: Fate) -> Vec<&str> {
    let findings = comparison.findings.iter().filter(|finding| finding.fate == fate);
    findings.map(|finding| finding.code.as_str()).collect()
}

/// The same machine in the same state, looked at later.
fn later(report: &Report) -> Report {
    let mut later = report.clone();
    later.run.id = Uuid::from_u128(7);
    later.run.started_at += SignedDuration::from_hours(24);
    later.run.elapsed_ms += 777;
    "0.0.9".clone_into(&mut later.tool.version);
    later.host.name.push('2');
    if let Some(azure) = &mut later.host.azure {
        azure.vm_id = Some("other".to_owned());
        azure.resource_id = Some("/other".to_owned());
    }
    for endpoint in &mut later.endpoints {
        endpoint.timings_ms.tcp = Some(999);
        for view in &mut endpoint.views {
            view.ttl = Some(3);
            view.elapsed_ms += 5;
            view.addresses.reverse();
            if view.route == Route::Public {
                view.addresses = vec!["20.9.9.9".parse().expect("an address")];
            }
        }
        if endpoint.route == Route::Public {
            endpoint.addresses = vec!["20.9.9.9".parse().expect("an address")];
        }
        for attempt in endpoint.tcp.iter_mut().flatten() {
            attempt.local = Some("10.0.0.9:50123".parse().expect("an address"));
            attempt.elapsed_ms += 3;
        }
        if let Some(http) = &mut endpoint.http {
            http.request_id = Some("another".to_owned());
        }
    }
    for finding in &mut later.findings {
        finding.title.push_str(" at another time");
        finding.evidence.clear();
    }
    later
}

#[test]
fn what_always_differs_does_not_count() {
    for report in [healthy(), mixed(), hostile()] {
        let comparison = compare(&report, &later(&report));
        assert!(comparison.same, "{comparison:#?}");
        assert_eq!(comparison.exit_status(FailOn::Warning), 0);
    }
}

#[test]
fn a_zone_that_was_lost_shows_in_verdict_finding_and_endpoint() {
    let comparison = compare(&healthy(), &mixed());
    let route = comparison.verdict.iter().find(|change| change.what == "route").expect("a change");
    assert_eq!((route.a.as_deref(), route.b.as_deref()), (Some("private"), Some("mixed")));
    assert!(codes(&comparison, Fate::Appeared).contains(&"DNS003"), "{comparison:#?}");
    let ods = comparison.endpoints.iter().find(|subject| subject.name.contains(".ods.")).expect("ods");
    let whats: Vec<&str> = ods.changes.iter().map(|change| change.what.as_str()).collect();
    assert!(whats.contains(&"route") && whats.contains(&"addresses") && whats.contains(&"reachable"), "{whats:?}");
    assert!(!comparison.endpoints.iter().any(|subject| subject.name.starts_with("global.handler")));
    assert_eq!(comparison.exit_status(FailOn::Error), 1);
    assert_eq!(comparison.exit_status(FailOn::Never), 0);
}

#[test]
fn what_became_better_does_not_fail() {
    let comparison = compare(&mixed(), &healthy());
    assert!(!comparison.same);
    assert!(codes(&comparison, Fate::Gone).contains(&"DNS003"));
    assert!(codes(&comparison, Fate::Appeared).is_empty());
    assert_eq!(comparison.exit_status(FailOn::Warning), 0);
}

#[test]
fn a_finding_on_more_endpoints_is_worse() {
    let (a, mut b) = (mixed(), mixed());
    b.findings[0].endpoints.push("x.ods.opinsights.azure.com".to_owned());
    let worse = compare(&a, &b);
    assert_eq!(codes(&worse, Fate::Changed), [b.findings[0].code.as_str()]);
    assert_eq!(worse.exit_status(FailOn::Error), 1);
    let better = compare(&b, &a);
    assert_eq!((better.findings.len(), better.exit_status(FailOn::Error)), (1, 0));
}

#[test]
fn an_endpoint_of_one_report_differs_in_that_alone() {
    let (a, mut b) = (healthy(), healthy());
    let gone = b.endpoints.remove(0);
    let comparison = compare(&a, &b);
    let subject = comparison.endpoints.iter().find(|subject| subject.name == gone.fqdn).expect("it");
    let changes: Vec<_> = subject.changes.iter().map(|change| (change.what.as_str(), change.b.as_deref())).collect();
    assert_eq!(changes, [(LOOKED_AT, Some("no"))]);
}

#[test]
fn a_server_that_one_machine_never_asked_is_listed_once() {
    let (a, mut b) = (mixed(), mixed());
    let (old, new) = ("10.1.0.4:53".parse().expect("an address"), "10.9.0.4:53".parse().expect("an address"));
    for server in b.servers.iter_mut().filter(|server| server.address == old) {
        server.address = new;
    }
    for view in b.endpoints.iter_mut().flat_map(|endpoint| &mut endpoint.views) {
        view.server = view.server.map(|server| if server == old { new } else { server });
    }
    let comparison = compare(&a, &b);
    assert!(comparison.endpoints.is_empty(), "{:#?}", comparison.endpoints);
    if !a.servers.is_empty() {
        assert_eq!(comparison.servers.len(), 1, "{:#?}", comparison.servers);
    }
}

#[test]
fn an_authority_below_the_public_roots_may_change_and_a_foreign_one_may_not() {
    use ampls_probes::observation::ChainVerdict;
    let (mut a, mut b) = (healthy(), healthy());
    let issue = |report: &mut Report, issuer: &str, chain: &ChainVerdict| {
        let tls = report.endpoints.iter_mut().find_map(|endpoint| endpoint.tls.as_mut()).expect("a handshake");
        tls.issuer = Some(issuer.to_owned());
        tls.verification.as_mut().expect("a verification").public = chain.clone();
    };
    issue(&mut a, "CN=Issuing CA 03", &ChainVerdict::Trusted);
    issue(&mut b, "CN=Issuing CA 07", &ChainVerdict::Trusted);
    assert!(compare(&a, &b).same);
    issue(&mut b, "CN=Contoso Inspection", &ChainVerdict::UnknownIssuer);
    let comparison = compare(&a, &b);
    let change = &comparison.endpoints[0].changes[0];
    assert_eq!((change.what.as_str(), change.b.as_deref()), ("certificate issued by", Some("CN=Contoso Inspection")));
}

fn redacted_apart(report: &Report, key: u8) -> Report {
    let catalogue = ampls_probes::Catalogue::builtin().expect("the catalogue");
    let (seen, redacted) = crate::report::redact(&report.observations, &catalogue, [key; 16]).expect("redacted");
    judged(&seen, redacted)
}

fn judged(seen: &ampls_probes::Observations, redacted: Redacted) -> Report {
    let facts = crate::diagnose::facts::Facts::new(seen);
    let run = crate::report::RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
    let findings = crate::diagnose::diagnose_facts(&facts);
    Report { redacted: Some(redacted), ..Report::new(seen, &facts, findings, run) }
}

#[test]
fn reports_that_were_redacted_apart_differ_in_what_redaction_keeps_alone() {
    for report in [healthy(), mixed(), hostile()] {
        let comparison = compare(&redacted_apart(&report, 1), &redacted_apart(&report, 2));
        assert!(comparison.same && comparison.by_class, "{comparison:#?}");
    }
    let (plain, apart) =
        (compare(&healthy(), &mixed()), compare(&redacted_apart(&healthy(), 1), &redacted_apart(&mixed(), 2)));
    let whats = |comparison: &Comparison| -> Vec<String> {
        comparison.endpoints.iter().flat_map(|subject| &subject.changes).map(|change| change.what.clone()).collect()
    };
    assert_eq!(codes(&apart, Fate::Appeared), codes(&plain, Fate::Appeared));
    assert!(whats(&apart).contains(&"route".to_owned()) && whats(&apart).len() <= whats(&plain).len(), "{apart:#?}");
    let said = serde_json::to_string(&apart.endpoints).expect("JSON");
    assert!(!said.contains("name-") && !said.contains("-4000-8000-"), "{said}");
}

#[test]
fn reports_that_were_redacted_together_differ_like_the_originals() {
    let (good, bad) = (healthy(), mixed());
    let catalogue = ampls_probes::Catalogue::builtin().expect("the catalogue");
    let all = [&good.observations, &bad.observations];
    let redactor = crate::report::Redactor::new(&all, &catalogue, [3; 16]).expect("redacted");
    let together =
        all.map(|seen| redactor.redact(seen).map(|(seen, redacted)| judged(&seen, redacted)).expect("redacted"));
    let (plain, redacted) = (compare(&good, &bad), compare(&together[0], &together[1]));
    assert!(!redacted.by_class);
    assert_eq!(redacted.endpoints.len(), plain.endpoints.len());
    assert_eq!(redacted.findings.len(), plain.findings.len());
}
