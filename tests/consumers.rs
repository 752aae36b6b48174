//! Each format, loaded by a program that people load it with. What our own tests of a format cannot know is whether others
//! read it as it is meant.

use std::fs;
use std::process::Command;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

use super::cli::{Folder, json, ran, report, text};
use super::needs;

/// Runs a script of Python with the readers that `.ci/run` installs, and gives what it prints as JSON.
fn python(script: &str, arguments: &[&str]) -> Option<Value> {
    let python = std::env::var("AMPLS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_readers = Command::new(&python).args(["-c", "import junitparser, duckdb"]).output();
    if !has_readers.is_ok_and(|output| output.status.success()) {
        needs::without("junitparser and duckdb for Python");
        return None;
    }
    let output = Command::new(&python).arg("-c").arg(script).args(arguments).output().expect("Python runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    Some(json(&text(&output.stdout)))
}

/// A world's report in another format, as a file.
fn face(saved: &str, format: &str) -> String {
    let file = format!("{saved}.{format}");
    let output = ran(&["judge", saved, "--format", format, "-o", &file]);
    assert!(fs::exists(&file).expect("the folder"), "{}", text(&output.stderr));
    file
}

const JUNIT: &str = "
import json, sys
from junitparser import JUnitXml, Skipped, Failure, Error
document = JUnitXml.fromfile(sys.argv[1])
cases = [case for suite in document for case in suite]
failed = [[case.name, result.type, result.message] for case in cases for result in case.result if isinstance(result, Failure)]
skipped = {case.name: result.message for case in cases for result in case.result if isinstance(result, Skipped)}
errors = [result.type for case in cases for result in case.result if isinstance(result, Error)]
print(json.dumps({'cases': len(cases), 'tests': document.tests, 'failures': document.failures, 'skips': document.skipped,
                  'failed': failed, 'skipped': skipped, 'errors': errors, 'hosts': [suite.hostname for suite in document]}))";

#[test]
fn a_reader_of_junit_counts_each_fault_once() {
    let folder = Folder::new("junit-reader");
    for (world, wanted) in [("healthy-private", 0), ("zone-not-linked-ods", 1), ("two-faults-server-and-port", 1)] {
        let saved = report(&folder, world, wanted);
        let Some(read) = python(JUNIT, &[&face(&saved, "junit")]) else { return };
        let report = json(&fs::read_to_string(&saved).expect("the report"));
        let roots = report["findings"].as_array().expect("findings").iter();
        let roots: Vec<&Value> =
            roots.filter(|finding| finding["caused_by"].is_null() && finding["severity"] == "error").collect();
        let failed = read["failed"].as_array().expect("failures");
        assert_eq!((failed.len(), &read["failures"]), (roots.len(), &failed.len().into()), "{world}: {read}");
        for (failed, root) in failed.iter().zip(roots) {
            assert_eq!((&failed[1], &failed[2]), (&root["code"], &root["title"]), "{world}");
        }
        assert_eq!(read["cases"], read["tests"], "{world}");
        assert_eq!(read["skips"], read["skipped"].as_object().expect("names").len(), "{world}: {read}");
        assert_eq!(read["errors"].as_array().map(Vec::len), Some(0), "{world}");
        assert!(read["hosts"].as_array().expect("hosts").iter().all(|host| *host == report["host"]["name"]), "{read}");
    }
}

#[test]
fn a_reader_of_junit_takes_nothing_for_passed_that_was_not_judged() {
    let folder = Folder::new("junit-skipped");
    let saved = report(&folder, "black-hole", 1);
    let Some(read) = python(JUNIT, &[&face(&saved, "junit")]) else { return };
    for (case, why) in [
        ("TLS001 intercepted", "no TLS handshake was made"),
        ("HTP001 access-denied-by-scope", "no HTTP request was sent"),
        ("DNS003 zone-not-linked", "no DNS server answered"),
        ("AGT001 agent-below-minimum", "no agent is installed"),
    ] {
        assert_eq!(read["skipped"][case], why, "{case}: {read}");
    }
}

const DUCKDB: &str = "
import duckdb, json, sys
rows = lambda sql: duckdb.sql(sql).fetchall()
table = lambda file: f\"read_json('{file}', format='newline_delimited')\"
columns = lambda file: sorted(row[0] for row in rows(f'describe select * from {table(file)}'))
broken, other = sys.argv[1:]
both = f\"read_json(['{broken}', '{other}'], format='newline_delimited', union_by_name=true)\"
types = dict((row[0], row[1]) for row in rows(f'describe select * from {both}'))
print(json.dumps({
    'columns': [columns(broken), columns(other)],
    'types': {name: types[name] for name in ['at', 'run_id', 'addresses', 'endpoints', 'evidence', 'codes', 'port', 'reachable']},
    'args': types['args'], 'fix': types['fix'],
    'machines': rows(f\"select count(distinct resource_id), count(distinct run_id) from {both}\")[0],
    'addresses': rows(f\"select fqdn, unnest(addresses) from {table(broken)} where kind = 'endpoint' order by all\"),
    'commands': rows(f\"select unnest(step.commands) from (select unnest(fix) as step from {table(broken)} where kind = 'finding')\"),
    'values': rows(f\"select unnest(args).name from {table(broken)} where code = 'DNS003'\"),
}, default=str))";

#[test]
fn a_database_reads_the_lines_as_one_table() {
    let folder = Folder::new("ndjson-reader");
    let (broken, other) = (report(&folder, "zone-not-linked-ods", 1), report(&folder, "only-monitor-linked", 1));
    let files = [face(&broken, "ndjson"), face(&other, "ndjson")];
    let Some(read) = python(DUCKDB, &[&files[0], &files[1]]) else { return };
    let saved = json(&fs::read_to_string(&broken).expect("the report"));
    assert_eq!(read["columns"][0], read["columns"][1], "the columns come and go");
    for (name, kind) in [
        ("at", "TIMESTAMP WITH TIME ZONE"),
        ("run_id", "UUID"),
        ("addresses", "VARCHAR[]"),
        ("endpoints", "VARCHAR[]"),
        ("evidence", "VARCHAR[]"),
        ("codes", "VARCHAR[]"),
        ("port", "BIGINT"),
        ("reachable", "BOOLEAN"),
    ] {
        assert_eq!(read["types"][name], kind, "{name}");
    }
    assert_eq!(read["args"], "STRUCT(\"name\" VARCHAR, \"values\" VARCHAR[])[]");
    assert_eq!(read["machines"][1], 2, "{read}");
    let endpoints = saved["endpoints"].as_array().expect("endpoints");
    let addresses: usize = endpoints.iter().map(|it| it["addresses"].as_array().expect("addresses").len()).sum();
    assert_eq!(read["addresses"].as_array().map(Vec::len), Some(addresses));
    assert!(read["commands"].as_array().is_some_and(|commands| !commands.is_empty()), "{read}");
    assert!(read["values"].as_array().is_some_and(|values| values.iter().any(|row| row[0] == "server")), "{read}");
}

/// The headings, and every line of every block of code, as a renderer of Markdown sees them.
fn rendered(markdown: &str) -> (Vec<String>, Vec<String>) {
    let (mut headings, mut lines) = (Vec::new(), Vec::new());
    let (mut heading, mut block): (Option<String>, Option<String>) = (None, None);
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Start(Tag::CodeBlock(_)) => block = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => headings.extend(heading.take()),
            Event::End(TagEnd::CodeBlock) => {
                lines.extend(block.take().unwrap_or_default().lines().map(str::to_owned));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(open) = heading.as_mut().or(block.as_mut()) {
                    open.push_str(&text);
                }
            }
            _ => {}
        }
    }
    (headings, lines)
}

#[test]
fn a_renderer_of_markdown_shows_every_fault_and_every_command() {
    let folder = Folder::new("markdown-reader");
    for (world, wanted) in [("healthy-private", 0), ("zone-not-linked-ods", 1), ("intercepted-untrusted", 1)] {
        let saved = report(&folder, world, wanted);
        let markdown = fs::read_to_string(face(&saved, "markdown")).expect("the document");
        let (headings, lines) = rendered(&markdown);
        let report = json(&fs::read_to_string(&saved).expect("the report"));
        let plain = |text: &Value| text.as_str().expect("a text").replace('`', "");
        assert_eq!(headings[0], plain(&report["verdict"]["headline"]), "{world}");
        let findings = report["findings"].as_array().expect("findings").iter();
        let faults: Vec<_> = findings.filter(|it| it["caused_by"].is_null() && it["severity"] != "info").collect();
        assert_eq!(headings.len(), 1 + faults.len(), "{world}: {headings:?}");
        for (fault, heading) in faults.iter().zip(&headings[1..]) {
            assert!(heading.contains(fault["code"].as_str().expect("a code")), "{world}: {heading}");
            assert!(heading.contains(&plain(&fault["title"])), "{world}: {heading}");
            for command in fault["fix"].as_array().expect("fixes").iter().filter_map(|fix| fix["commands"].as_array()) {
                let all =
                    command.iter().all(|command| lines.iter().any(|line| line == command.as_str().expect("text")));
                assert!(all, "{world}: {command:?}");
            }
        }
    }
}

#[test]
fn a_ticket_is_for_its_owner() {
    let folder = Folder::new("ticket");
    let saved = report(&folder, "zone-not-linked-ods", 1);
    let ticket = |owner: &str| ran(&["judge", &saved, "--format", "markdown", "--ticket", owner]);
    let dns = text(&ticket("dns").stdout);
    let (headings, lines) = rendered(&dns);
    assert_eq!(headings.len(), 2, "{dns}");
    assert!(lines.iter().any(|line| line.starts_with("az network private-dns link vnet create ")), "{dns}");
    for wanted in ["**For:** your DNS team", "**Evidence:**", "**Change:**", "**Undo:**", "**Verify:**", "Z (UTC)"] {
        assert!(dns.contains(wanted), "{wanted}: {dns}");
    }
    let network = text(&ticket("network").stdout);
    assert!(network.contains("no warning and no error is for your network team"), "{network}");
    assert_eq!(ticket("dns").status.code(), Some(1), "the status is the same in every format");
    for refused in [&["--ticket", "dns"][..], &["--ticket", "dns", "--format", "html"]] {
        let output = ran(&[&["judge", &saved], refused].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("--format markdown"), "{}", text(&output.stderr));
    }
}
