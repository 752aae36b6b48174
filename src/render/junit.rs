//! The report as test cases, for pipelines: one suite of the run itself, one of endpoints, one of rules.
//!
//! A case fails exactly when what it is about makes the exit status 1; the run is in error exactly when that is 3. The elements
//! are those that the common readers agree on (<https://github.com/testmoapp/junitxml>).

use std::io::{self, Write};

use super::markup;
use super::page::inert;
use super::words::{label, severity};
use crate::diagnose::finding::Finding;
use crate::diagnose::rules::RULES;
use crate::report::{Check, FailOn, Report};

/// Writes the document.
pub fn write(report: &Report, fail_on: FailOn, out: &mut dyn Write) -> io::Result<()> {
    let suites =
        [("run", run(report, fail_on)), ("endpoints", endpoints(report, fail_on)), ("rules", rules(report, fail_on))];
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"ampls-doctor\" {} time=\"{}\" timestamp=\"{:.0}\">",
        counts(all()),
        seconds(report.run.elapsed_ms),
        report.run.started_at
    )?;
    for (name, cases) in &suites {
        writeln!(
            out,
            "  <testsuite name=\"{name}\" hostname=\"{}\" {} time=\"{}\" timestamp=\"{:.0}\">",
            escaped(&report.host.name),
            counts(cases.iter()),
            seconds(cases.iter().map(|case| case.elapsed_ms).sum()),
            report.run.started_at
        )?;
        if *name == "endpoints" {
            properties(report, out)?;
        }
        for case in cases {
            self::case(name, case, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

struct Case {
    name: String,
    elapsed_ms: u64,
    state: State,
}

enum State {
    Passed(String),
    Skipped(String),
    Failed { message: String, kind: String, text: String },
    Errored(String),
}

fn run(report: &Report, fail_on: FailOn) -> Vec<Case> {
    let state = if report.was_made(fail_on) {
        State::Passed(String::new())
    } else {
        State::Errored(report.verdict.headline.clone())
    };
    vec![Case { name: "run completed".to_owned(), elapsed_ms: 0, state }]
}

fn endpoints(report: &Report, fail_on: FailOn) -> Vec<Case> {
    report
        .endpoints
        .iter()
        .map(|endpoint| {
            let route = endpoint.route.as_str();
            let state = match report.endpoint_check(endpoint, fail_on) {
                Check::Failed(first, findings) => {
                    State::Failed { message: first.title.clone(), kind: first.code.clone(), text: texts_of(&findings) }
                }
                Check::NotMade => State::Skipped(format!("{route}; not tested")),
                Check::Passed(findings) if findings.is_empty() => State::Passed(format!("route {route}")),
                Check::Passed(findings) => State::Passed(format!("route {route}\n{}", texts_of(&findings))),
            };
            Case {
                name: format!("{}:{}", endpoint.fqdn, endpoint.port),
                elapsed_ms: endpoint.timings_ms.total(),
                state,
            }
        })
        .collect()
}

fn rules(report: &Report, fail_on: FailOn) -> Vec<Case> {
    let known = RULES.iter().map(|rule| (rule.code, rule.name));
    let found = report.findings.iter().map(|finding| (finding.code.as_str(), finding.name.as_str()));
    let mut named: Vec<(&str, &str)> = Vec::new();
    for (code, name) in known.chain(found) {
        if !named.iter().any(|(seen, _)| *seen == code) {
            named.push((code, name));
        }
    }
    named
        .into_iter()
        .map(|(code, name)| {
            let state = match report.rule_check(code, fail_on) {
                Check::Failed(first, findings) => {
                    State::Failed { message: first.title.clone(), kind: name.to_owned(), text: texts_of(&findings) }
                }
                Check::NotMade => State::Skipped("not judged".to_owned()),
                Check::Passed(findings) => State::Passed(texts_of(&findings)),
            };
            Case { name: format!("{code} {name}"), elapsed_ms: 0, state }
        })
        .collect()
}

fn texts_of(findings: &[&Finding]) -> String {
    findings.iter().map(|finding| text_of(finding)).collect::<Vec<_>>().join("\n")
}

/// A finding as lines of text.
fn text_of(finding: &Finding) -> String {
    let mut lines =
        vec![format!("{} {} {}: {}", severity(finding.severity), finding.code, finding.name, finding.title)];
    lines.extend(finding.caused_by.iter().map(|root| format!("explained by {root}")));
    lines.extend(Some(&finding.summary).filter(|summary| !summary.is_empty()).cloned());
    lines.extend(finding.evidence.iter().map(|seen| format!("evidence: {seen}")));
    let mut changes = 0;
    for fix in &finding.fix {
        changes += usize::from(!fix.read_only);
        lines.push(format!("{}: {}", label(fix, changes == 1), fix.text));
        lines.extend(fix.commands.iter().map(|command| format!("    {}", command.as_str())));
    }
    // What breaks a line within any of these is not ours.
    lines.iter().map(|line| inert(line)).collect::<Vec<_>>().join("\n")
}

fn properties(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "    <properties>")?;
    for (name, value) in [
        ("version", report.tool.version.as_str()),
        ("run", &report.run.id.to_string()),
        ("route", report.verdict.route.as_str()),
        ("health", report.verdict.health.as_str()),
        ("headline", &report.verdict.headline),
        ("redacted", if report.redacted.is_some() { "true" } else { "false" }),
    ] {
        writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", escaped(value))?;
    }
    writeln!(out, "    </properties>")
}

fn case(suite: &str, case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let name = escaped(&case.name);
    let time = seconds(case.elapsed_ms);
    write!(out, "    <testcase name=\"{name}\" classname=\"ampls-doctor.{suite}\" time=\"{time}\"")?;
    match &case.state {
        State::Passed(text) if text.is_empty() => writeln!(out, "/>"),
        State::Passed(text) => writeln!(out, "><system-out>{}</system-out></testcase>", escaped_lines(text)),
        State::Skipped(why) => writeln!(out, "><skipped message=\"{}\"/></testcase>", escaped(why)),
        State::Errored(why) => {
            writeln!(out, "><error message=\"{}\" type=\"nothing-looked-at\"/></testcase>", escaped(why))
        }
        State::Failed { message, kind, text } => writeln!(
            out,
            "><failure message=\"{}\" type=\"{}\">{}</failure></testcase>",
            escaped(message),
            escaped(kind),
            escaped_lines(text)
        ),
    }
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        failures += usize::from(matches!(case.state, State::Failed { .. }));
        errors += usize::from(matches!(case.state, State::Errored(_)));
        skipped += usize::from(matches!(case.state, State::Skipped(_)));
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// One line of text for an attribute or an element.
fn escaped(text: &str) -> String {
    escaped_lines(&inert(text))
}

/// Text whose line breaks are our own.
fn escaped_lines(text: &str) -> String {
    // XML 1.0 2.2: no characters.
    markup::escaped(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::command::command;
    use crate::report::{NOTHING_LOOKED_AT, crowded, exit_status, healthy, hostile, mixed};

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
        assert!(text.contains("\n    zone &quot;a&quot; { };\n    zone &quot;b&quot; { };"), "{text}");
        assert!(!text.contains("\\u{a}"), "{text}");
    }

    #[test]
    fn every_rule_and_endpoint_is_a_case() {
        let report = mixed();
        let text = document(&report, FailOn::Error);
        let parsed = roxmltree::Document::parse(&text).unwrap();
        let cases = parsed.descendants().filter(|node| node.has_tag_name("testcase")).count();
        assert!(cases >= RULES.len() + report.endpoints.len());
    }
}
