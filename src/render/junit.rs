//! The report as test cases, for pipelines: one suite of the run itself, one of rules, one of endpoints.
//!
//! A fault fails once, at its rule: an endpoint that it is about and a rule that it explains name it and are skipped, as is a
//! rule that nothing could be said of. So a case fails exactly when the exit status is 1, and the run is in error exactly when
//! that is 3. The elements are those that the common readers agree on (<https://github.com/testmoapp/junitxml>).

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report as Document, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::page::inert;
use super::words::{label, severity};
use crate::diagnose::finding::Finding;
use crate::diagnose::rule::Rule;
use crate::diagnose::rules::RULES;
use crate::report::{EndpointReport, FailOn, NOTHING_LOOKED_AT, Report, exit_status};

mod judged;

/// Writes the document.
pub fn write(report: &Report, fail_on: FailOn, out: &mut dyn Write) -> io::Result<()> {
    let mut document = Document::new("ampls-doctor");
    document.timestamp = format!("{:.0}", report.run.started_at).parse().ok();
    document.set_time(Duration::from_millis(report.run.elapsed_ms));
    let mut run = suite(report, "run", vec![run(report, fail_on)]);
    properties(report, &mut run);
    document.add_test_suites([
        run,
        suite(report, "rules", rules(report, fail_on)),
        suite(report, "endpoints", endpoints(report, fail_on)),
    ]);
    document.serialize(out).map_err(io::Error::other)
}

fn suite(report: &Report, name: &str, cases: Vec<TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.timestamp = format!("{:.0}", report.run.started_at).parse().ok();
    suite.set_time(cases.iter().filter_map(|case| case.time).sum());
    suite.extra.insert("hostname".into(), text(&report.host.name));
    for mut case in cases {
        case.set_classname(format!("ampls-doctor.{name}"));
        suite.add_test_case(case);
    }
    suite
}

/// What a pipeline must not take for health: nothing fails where nothing was looked at.
fn run(report: &Report, fail_on: FailOn) -> TestCase {
    let mut status = TestCaseStatus::success();
    if exit_status(report, fail_on) == NOTHING_LOOKED_AT {
        status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("nothing-looked-at").set_message(text(&report.verdict.headline));
    }
    let mut case = TestCase::new("run completed", status);
    case.set_time(Duration::from_millis(report.run.elapsed_ms));
    case
}

/// A case for each root, then one for each rule that is no root's.
fn rules(report: &Report, fail_on: FailOn) -> Vec<TestCase> {
    let roots = report.roots().map(|root| at_its_place(root, fail_on));
    let others = RULES.iter().filter(|rule| !report.roots().any(|root| root.code == rule.code));
    roots.chain(others.map(|rule| without_a_root(report, rule))).collect()
}

/// A root: its own case, and the only one that fails for it.
fn at_its_place(root: &Finding, fail_on: FailOn) -> TestCase {
    let name = format!("{} {}", root.id, root.name);
    if fail_on.counts(root.severity) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(text(&root.code)).set_message(text(&root.title)).set_description(lines(&text_of(root)));
        return TestCase::new(text(&name), status);
    }
    let mut case = TestCase::new(text(&name), TestCaseStatus::success());
    case.set_system_out(lines(&text_of(root)));
    case
}

fn without_a_root(report: &Report, rule: &Rule) -> TestCase {
    let name = format!("{} {}", rule.code, rule.name);
    let symptom = report.findings.iter().find(|finding| finding.code == rule.code);
    let root = symptom.and_then(|symptom| symptom.caused_by_id.as_deref());
    match root.map(|root| format!("explained by {root}")).or_else(|| judged::unjudged(report, rule)) {
        Some(why) => skipped(&name, &why),
        None => TestCase::new(text(&name), TestCaseStatus::success()),
    }
}

fn endpoints(report: &Report, fail_on: FailOn) -> Vec<TestCase> {
    let case = |endpoint: &EndpointReport| {
        let name = format!("{}:{}", endpoint.fqdn, endpoint.port);
        let mut case = match unwell(report, endpoint, fail_on) {
            Some(why) => skipped(&name, &why),
            None => TestCase::new(text(&name), TestCaseStatus::success()),
        };
        case.set_time(Duration::from_millis(endpoint.timings_ms.total()));
        case.set_system_out(text(&format!("route {}, {}", endpoint.route.as_str(), endpoint.need.as_str())));
        case
    };
    report.endpoints.iter().map(case).collect()
}

/// Why an endpoint is not taken for well: the fault that counts elsewhere, or that it was not tested.
fn unwell(report: &Report, endpoint: &EndpointReport, fail_on: FailOn) -> Option<String> {
    let fault = report.findings_about(endpoint).find(|finding| fail_on.counts(finding.severity));
    let root = fault.map(|fault| fault.caused_by_id.as_deref().unwrap_or(&fault.id));
    match (root, endpoint.reachable) {
        (Some(root), _) => Some(format!("not well, and counted once: see rules, {root}")),
        (None, None) => Some("resolved only, not tested".to_owned()),
        (None, Some(false)) => Some("does not answer; no finding counts this as a fault".to_owned()),
        (None, Some(true)) => None,
    }
}

fn skipped(name: &str, why: &str) -> TestCase {
    let mut status = TestCaseStatus::skipped();
    status.set_message(text(why));
    TestCase::new(text(name), status)
}

/// A finding as lines of text.
fn text_of(finding: &Finding) -> String {
    let mut lines =
        vec![format!("{} {} {}: {}", severity(finding.severity), finding.code, finding.name, finding.title)];
    lines.extend(Some(&finding.summary).filter(|summary| !summary.is_empty()).cloned());
    lines.extend(finding.evidence.iter().map(|seen| format!("evidence: {seen}")));
    let mut changes = 0;
    for fix in &finding.fix {
        changes += usize::from(!fix.read_only);
        lines.push(format!("{}: {}", label(fix, changes == 1), fix.text));
        if let Some(check) = &fix.check_first {
            lines.push(format!("before you change anything: {}", check.text));
            lines.extend(check.commands.iter().map(|command| format!("    {}", command.as_str())));
        }
        if !fix.commands.is_empty() && !fix.read_only {
            lines.push("run:".to_owned());
        }
        lines.extend(fix.commands.iter().map(|command| format!("    {}", command.as_str())));
        if let Some(undo) = &fix.undo {
            lines.push(format!("undo: {}", undo.text));
            lines.extend(undo.commands.iter().map(|command| format!("    {}", command.as_str())));
        }
    }
    // What breaks a line within any of these is not ours.
    lines.iter().map(|line| inert(line).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn properties(report: &Report, suite: &mut TestSuite) {
    let azure = report.host.azure.as_ref();
    for (name, value) in [
        ("version", Some(report.tool.version.as_str())),
        ("run", Some(report.run.id.to_string().as_str())),
        ("resource_id", azure.and_then(|azure| azure.resource_id.as_deref())),
        ("vm_id", azure.and_then(|azure| azure.vm_id.as_deref())),
        ("route", Some(report.verdict.route.as_str())),
        ("health", Some(report.verdict.health.as_str())),
        ("headline", Some(report.verdict.headline.as_str())),
        ("redacted", Some(if report.redacted.is_some() { "true" } else { "false" })),
    ] {
        if let Some(value) = value {
            suite.add_property(Property::new(name, text(value)));
        }
    }
}

/// One line of text from outside.
fn text(text: &str) -> XmlString {
    lines(&inert(text))
}

/// Text whose line breaks are our own.
fn lines(text: &str) -> XmlString {
    // XML 1.0, 2.2: these two are no characters, and the library lets them through.
    XmlString::new(text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ampls_probes::observation::SourceOutcome;

    use crate::diagnose::command::command;
    use crate::diagnose::levels::Level;
    use crate::report::{crowded, exit_status, healthy, hostile, mixed};

    fn document(report: &Report, fail_on: FailOn) -> String {
        let mut out = Vec::new();
        write(report, fail_on, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_case_fails_exactly_when_the_exit_status_does() {
        for report in [healthy(), mixed(), hostile(), crowded(3, 4, true)] {
            for fail_on in [FailOn::Error, FailOn::Warning, FailOn::Never] {
                let text = document(&report, fail_on);
                let parsed = roxmltree::Document::parse(&text).unwrap();
                let failures = parsed.descendants().filter(|node| node.has_tag_name("failure")).count();
                assert_eq!(failures > 0, exit_status(&report, fail_on) == 1, "{text}");
                let counted = parsed.root_element().attribute("failures").unwrap();
                assert_eq!(counted, failures.to_string());
            }
        }
    }

    #[test]
    fn the_run_is_in_error_exactly_when_the_exit_status_is_3() {
        let mut nothing = healthy();
        nothing.observations.seen.clear();
        for (report, wanted) in [(nothing, 1), (healthy(), 0), (mixed(), 0)] {
            for fail_on in [FailOn::Error, FailOn::Warning, FailOn::Never] {
                assert_eq!(exit_status(&report, fail_on) == NOTHING_LOOKED_AT, wanted == 1);
                let text = document(&report, fail_on);
                let parsed = roxmltree::Document::parse(&text).unwrap();
                let errors = parsed.descendants().filter(|node| node.has_tag_name("error")).count();
                assert_eq!(errors, wanted, "{text}");
                assert_eq!(parsed.root_element().attribute("errors"), Some(wanted.to_string().as_str()));
            }
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        let mut report = mixed();
        report.host.name = "\"/><script>&\u{1b}\u{ffff}]]>".to_owned();
        report.findings[0].title = "</failure><failure>".to_owned();
        let text = document(&report, FailOn::Error);
        let parsed = roxmltree::Document::parse(&text).unwrap();
        assert!(!parsed.descendants().any(|node| node.has_tag_name("script")));
        let message = parsed.descendants().find_map(|node| node.attribute("message")).unwrap();
        assert!(parsed.descendants().any(|node| node.attribute("message") == Some("</failure><failure>")), "{message}");
    }

    #[test]
    fn a_command_of_several_lines_keeps_them() {
        let mut report = mixed();
        report.findings[0].fix[0].commands = vec![command!(Bind, "zone \"a\" { };"), command!(Bind, "zone \"b\" { };")];
        let text = document(&report, FailOn::Error);
        let parsed = roxmltree::Document::parse(&text).unwrap();
        let failure = parsed.descendants().find(|node| node.has_tag_name("failure")).and_then(|node| node.text());
        assert!(failure.unwrap().contains("\n    zone \"a\" { };\n    zone \"b\" { };"), "{text}");
        assert!(!text.contains("\\u{a}"), "{text}");
    }

    #[test]
    fn every_rule_and_endpoint_is_a_case() {
        let report = mixed();
        let text = document(&report, FailOn::Error);
        let parsed = roxmltree::Document::parse(&text).unwrap();
        let cases: Vec<_> =
            parsed.descendants().filter(|node| node.has_tag_name("testcase")).map(|it| it.attribute("name")).collect();
        let distinct: std::collections::BTreeSet<_> = cases.iter().collect();
        assert_eq!((cases.len(), distinct.len()), (1 + RULES.len() + report.endpoints.len(), cases.len()));
    }

    /// What is said of the case of this name: `failure`, `skipped` or nothing, and its type or message.
    fn said(text: &str, name: &str) -> Option<(String, String)> {
        let parsed = roxmltree::Document::parse(text).unwrap();
        let case = parsed.descendants().find(|node| node.attribute("name") == Some(name)).expect(name);
        let state = case.children().find(|node| node.has_tag_name("failure") || node.has_tag_name("skipped"))?;
        let what = state.attribute("type").or(state.attribute("message")).unwrap_or_default();
        Some((state.tag_name().name().to_owned(), what.to_owned()))
    }

    #[test]
    fn a_fault_fails_once_with_its_code() {
        let report = mixed();
        let text = document(&report, FailOn::Error);
        assert_eq!(text.matches("<failure").count(), 1, "{text}");
        assert_eq!(said(&text, "DNS003 zone-not-linked"), Some(("failure".to_owned(), "DNS003".to_owned())));
        let explained = ("skipped".to_owned(), "explained by DNS003".to_owned());
        assert_eq!(said(&text, "NET002 connect-refused"), Some(explained));
        let fqdn = &report.findings[0].endpoints[0];
        let (state, why) = said(&text, &format!("{fqdn}:443")).expect("not passed");
        assert_eq!((state.as_str(), why.contains("DNS003")), ("skipped", true), "{why}");
    }

    #[test]
    fn what_could_not_be_judged_is_skipped_with_the_reason() {
        let mut report = healthy();
        for endpoint in &mut report.endpoints {
            (endpoint.tls, endpoint.http) = (None, None);
        }
        let why = |report: &Report, name: &str| said(&document(report, FailOn::Error), name).map(|(_, why)| why);
        assert_eq!(why(&report, "TLS001 intercepted").as_deref(), Some("no TLS handshake was made"));
        assert_eq!(why(&report, "HTP004 service-error").as_deref(), Some("no HTTP request was sent"));
        assert_eq!(why(&report, "PRX003 proxy-unreachable").as_deref(), Some("no proxy is set"));
        assert_eq!(why(&report, "NET001 connect-timeout"), None);
        report.agents.clear();
        report.sources.iter_mut().for_each(|source| source.outcome = SourceOutcome::Absent);
        assert_eq!(why(&report, "AGT001 agent-below-minimum").as_deref(), Some("no agent is installed"));
        report.run.rules = [("NET001", Level::Off)].into_iter().collect();
        assert_eq!(why(&report, "NET001 connect-timeout").as_deref(), Some("switched off with --rule"));
        assert_eq!(why(&healthy(), "TLS001 intercepted"), None);
    }
}
