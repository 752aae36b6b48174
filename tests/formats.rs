//! The faces of a report as the built binary writes them: the schema, digests, redaction, metrics, saved reports.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::cli::{Folder, demo, doctor, json, ran, refused_in_one_line, report, status, text};

/// Runs the doctor with this on its standard input.
fn fed(arguments: &[&str], input: &str) -> Output {
    let mut command = doctor(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a child");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    child.wait_with_output().expect("an end")
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn the_schema_is_printed() {
    let output = ran(&["schema"]);
    assert_eq!(status(&output), Some(0));
    let schema = json(&text(&output.stdout));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let mut bare = Vec::new();
    undescribed(&schema, "", &mut bare);
    assert!(bare.is_empty(), "without a description: {bare:?}");
}

/// The fields without a description, at any depth.
fn undescribed(schema: &serde_json::Value, path: &str, bare: &mut Vec<String>) {
    let fields = schema["properties"].as_object().into_iter().flatten();
    // The one field of a variant is what the variant's own description is about.
    let variant = schema.get("description").is_some() && schema["additionalProperties"] == false;
    for (name, field) in fields.filter(|_| !variant) {
        if field.get("description").is_none() && field.get("const").is_none() {
            bare.push(format!("{path}/{name}"));
        }
    }
    let nested = schema.as_object().into_iter().flatten().flat_map(|(name, value)| match value {
        serde_json::Value::Array(items) => items.iter().map(|item| (name, item)).collect::<Vec<_>>(),
        other => vec![(name, other)],
    });
    for (name, value) in nested.filter(|(_, value)| value.is_object()) {
        undescribed(value, &format!("{path}/{name}"), bare);
    }
}

#[test]
fn a_schema_that_asks_for_more_refuses_a_report() {
    let folder = Folder::new("schema");
    let mut saved = json(&fs::read_to_string(report(&folder, "healthy-private", 0)).expect("the report"));
    let validator = jsonschema::draft202012::new(&json(&text(&ran(&["schema"]).stdout))).expect("a schema");
    assert!(validator.is_valid(&saved));
    saved["verdict"]["route"] = "sideways".into();
    assert!(!validator.is_valid(&saved));
}

#[test]
fn a_digest_is_repeated_with_its_codes_and_status() {
    for (world, wanted) in [("healthy-private", 0), ("two-faults-server-and-port", 1)] {
        let compact = demo(world, "compact");
        assert_eq!(status(&compact), Some(wanted));
        let compact = text(&compact.stdout);
        assert!(compact.is_ascii() && compact.len() <= 4_000, "{compact}");
        let digest = compact.lines().rev().nth(1).expect("a digest");
        for input in [compact.as_str(), digest] {
            for format in ["table", "compact"] {
                let again = fed(&["judge", "-", "--format", format], input);
                assert_eq!(status(&again), Some(wanted), "{}", text(&again.stderr));
                assert_eq!(last_line(&text(&again.stdout)), last_line(&compact));
            }
        }
        assert_eq!(json(&text(&fed(&["judge", "-", "--format", "json"], digest).stdout))["kind"], "digest");
        let page = fed(&["judge", "-", "--format", "html"], digest);
        assert!(refused_in_one_line(&page, 2).contains("whole report"));
        assert!(refused_in_one_line(&fed(&["judge", "-", "--redact"], digest), 2).contains("redact"));
    }
}

#[test]
fn a_digest_is_found_in_what_azures_commands_print() {
    let compact = text(&demo("zone-not-linked-ods", "compact").stdout);
    let linux = format!("Enable succeeded: \n[stdout]\n{compact}\n\n[stderr]\n");
    let cut = &compact[compact.len() - 400..];
    for (answer, status) in [
        (serde_json::json!({"value": [{"code": "ProvisioningState/succeeded", "message": linux, "time": null}]}), 1),
        (
            serde_json::json!({"value": [{"code": "ComponentStatus/StdOut/succeeded", "message": compact},
                                      {"code": "ComponentStatus/StdErr/succeeded", "message": ""}]}),
            1,
        ),
        (
            serde_json::json!({"name": "ampls-doctor", "instanceView": {"exitCode": 0, "output": compact, "error": ""}}),
            1,
        ),
        (serde_json::json!([{"value": [{"message": linux.replace('\n', "\r\n")}]}]), 1),
        (serde_json::json!({"value": [{"message": cut}]}), 2),
        (serde_json::json!({"value": [{"message": "a \"digest\" of nothing"}]}), 2),
    ] {
        let judged = fed(&["judge", "-"], &answer.to_string());
        assert_eq!(judged.status.code(), Some(status), "{answer}: {}", text(&judged.stderr));
        assert_eq!(text(&judged.stdout).contains("VERDICT mixed error exit=1 DNS003"), status == 1, "{answer}");
    }
}

#[test]
fn a_broken_digest_is_one_line_of_error() {
    for input in ["{\"schema\":1,\"kind\":\"digest\"}", "{\"schema\":1,\"kind\":\"digest\",\"host\":\"\\u001b[2J\"}"] {
        assert!(refused_in_one_line(&fed(&["judge", "-"], input), 2).contains("digest"));
    }
}

#[test]
fn a_redacted_report_is_judged_alike_and_holds_no_original() {
    let folder = Folder::new("redact");
    let file = report(&folder, "zone-not-linked-ods", 1);
    let plain = fs::read_to_string(&file).expect("the report");
    let output = ran(&["redact", &file]);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    let redacted = text(&output.stdout);
    let (before, after) = (json(&plain), json(&redacted));
    assert_eq!(before["verdict"]["route"], after["verdict"]["route"]);
    assert_eq!(before["findings"][0]["code"], after["findings"][0]["code"]);
    assert!(after["redacted"]["manifest"]["address"]["values"].as_u64().is_some_and(|count| count > 3), "{redacted}");
    let host = before["host"]["name"].as_str().expect("a name");
    let workspace = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";
    for original in [host, workspace, "10.1.2.23", "20.150.190.24"] {
        assert!(plain.contains(original) && !redacted.contains(original), "{original}");
    }
    let again = fed(&["judge", "-", "--format", "json"], &redacted);
    assert_eq!(status(&again), Some(1));
    let again = json(&text(&again.stdout));
    assert_eq!((&again["redacted"], &again["findings"]), (&after["redacted"], &after["findings"]));
    let other = text(&ran(&["redact", &file]).stdout);
    assert_ne!(json(&other)["endpoints"][0]["addresses"], after["endpoints"][0]["addresses"], "two runs share a key");
    for format in ["table", "ndjson", "compact", "html", "markdown", "junit", "metrics"] {
        let shown = text(&ran(&["judge", &file, "--redact", "--format", format]).stdout);
        assert!(!shown.is_empty() && !shown.contains(workspace) && !shown.contains(host), "{format}");
    }
}

#[test]
fn reports_of_earlier_versions_stay_readable() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports");
    let mut read = 0;
    for version in fs::read_dir(folder).expect("saved reports").map(|entry| entry.expect("an entry").path()) {
        for file in fs::read_dir(version).expect("a version").map(|entry| entry.expect("an entry").path()) {
            let output = ran(&["judge", file.to_str().expect("UTF-8"), "--format", "json"]);
            let saved = json(&fs::read_to_string(&file).expect("a report"));
            assert!(matches!(status(&output), Some(0 | 1)), "{}: {}", file.display(), text(&output.stderr));
            let again = json(&text(&output.stdout));
            assert_eq!(again["verdict"]["route"], saved["verdict"]["route"], "{}", file.display());
            assert_eq!(again["findings"][0]["code"], saved["findings"][0]["code"], "{}", file.display());
            read += 1;
        }
    }
    assert!(read >= 3);
}

#[test]
fn promtool_accepts_the_metrics() {
    let promtool = std::env::var("AMPLS_PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    if Command::new(&promtool).arg("--version").output().is_err() {
        super::needs::without("promtool");
        return;
    }
    for world in ["healthy-private", "two-faults-server-and-port", "intercepted-untrusted"] {
        let metrics = demo(world, "metrics");
        let mut child = Command::new(&promtool)
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool");
        child.stdin.take().expect("a pipe").write_all(&metrics.stdout).expect("written");
        let output = child.wait_with_output().expect("an end");
        assert!(output.status.success(), "{world}: {}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.stderr.is_empty() && output.stdout.is_empty(), "{}", text(&output.stderr));
    }
}
