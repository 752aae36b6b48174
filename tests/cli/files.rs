//! Files that are given: reports to compare, expected records, and reports that somebody has tampered with.

use super::*;

fn written(folder: &Folder, name: &str, content: &str) -> String {
    let file = folder.path(name);
    fs::write(&file, content).expect("a file");
    file
}

#[test]
fn reports_of_one_state_do_not_differ() {
    let folder = Folder::new("same");
    for world in ["healthy-private", "healthy-public", "intercepted-trusted", "public-through-proxy", "hosts-entry"] {
        let looked = |file: &str| {
            let file = folder.path(file);
            let output = ran(&["demo", world, "--format", "json", "-o", &file]);
            assert!(matches!(status(&output), Some(0 | 1)), "{}", text(&output.stderr));
            file
        };
        let (first, second) = (looked("first"), looked("second"));
        let output = ran(&["compare", &first, &second]);
        assert_eq!(status(&output), Some(0));
        assert!(text(&output.stdout).ends_with("no difference\n"), "{world}: {}", text(&output.stdout));
        let document = json(&text(&ran(&["compare", &first, &second, "--format", "json"]).stdout));
        assert_eq!(document["same"], Value::Bool(true), "{document:#}");
    }
}

#[test]
fn what_became_worse_is_status_one_and_what_became_better_is_not() {
    let folder = Folder::new("differ");
    let good = report(&folder, "healthy-private", 0);
    let bad = report(&folder, "zone-not-linked-ods", 1);
    let worse = ran(&["compare", &good, &bad]);
    assert_eq!(status(&worse), Some(1));
    let output = text(&worse.stdout);
    assert!(output.contains("appeared DNS003") && output.contains("route: private -> public"), "{output}");
    assert_eq!(status(&ran(&["compare", &bad, &good])), Some(0));
    assert_eq!(status(&ran(&["compare", &good, &bad, "--fail-on", "never"])), Some(0));
    let document = json(&text(&ran(&["compare", &good, &bad, "--format", "json"]).stdout));
    assert_eq!(document["kind"], "comparison");
    assert_eq!(document["findings"][0]["code"], "DNS003");
    assert_eq!(document["findings"][0]["fate"], "appeared");

    let line = refused_in_one_line(&ran(&["compare", "-", "-"]), 2);
    assert!(line.contains("standard input"), "{line}");
    let line = refused_in_one_line(&ran(&["compare", &good, &folder.path("missing")]), 2);
    assert!(line.contains("missing") && line.contains("cannot be read"), "{line}");
    let digest = written(&folder, "digest", "{\"schema\":1,\"kind\":\"digest\"}");
    let line = refused_in_one_line(&ran(&["compare", &digest, &good]), 2);
    assert!(line.contains('`') && line.contains("is a digest"), "{line}");
}

#[test]
fn expected_records_that_cannot_be_read_are_refused_with_their_place() {
    let folder = Folder::new("expected");
    // `plan` reads what `check` would read, and asks nobody.
    let plan = |file: &str| ran(&["plan", "--expected-records", file, "--cloud", "public", "--region", "westeurope"]);
    let table = [
        ("empty", "", "is empty"),
        ("cut.json", "{\"customDnsConfigs\": [", "line 1 column"),
        ("none.json", "{\"customDnsConfigs\": []}", "dns-zone-group list"),
        ("other.json", "{\"name\": \"vm1\"}", "none of the forms"),
        (
            "bad.json",
            "{\"customDnsConfigs\": [{\"fqdn\": \"a.b.net\", \"ipAddresses\": [\"ten\"]}]}",
            "$.customDnsConfigs[0].ipAddresses[0]",
        ),
        ("paste", "\nc.d.net 10.0.0.400", "line 2: `10.0.0.400`"),
        ("digest", "{\"schema\":1,\"kind\":\"digest\"}", "is a digest"),
        ("evil", "{\"customDnsConfigs\": [{\"fqdn\": \"\\u001b[2J\\n\"}]}", "customDnsConfigs[0].fqdn"),
    ];
    for (name, content, wanted) in table {
        let line = refused_in_one_line(&plan(&written(&folder, name, content)), 2);
        assert!(line.contains("--expected-records `") && line.contains(name) && line.contains(wanted), "{line}");
    }
    let line = refused_in_one_line(&plan(&folder.path("missing")), 2);
    assert!(line.contains("cannot be read"), "{line}");
    let good = plan(&written(&folder, "good", "api.monitor.azure.com\t10.0.0.4\n"));
    assert_eq!(status(&good), Some(0), "{}", text(&good.stderr));
    let partly = plan(&written(&folder, "partly", "a.b.net 10.0.0.4\nc.d.net 10.0.0.400\n"));
    assert_eq!(status(&partly), Some(0), "{}", text(&partly.stderr));
    assert!(text(&partly.stderr).contains("not used: line 2: `10.0.0.400`"), "{}", text(&partly.stderr));
}

#[cfg(unix)]
#[test]
fn a_file_without_an_end_is_refused() {
    let line = refused_in_one_line(&ran(&["judge", "/dev/zero"]), 2);
    assert!(line.contains("larger than 16 MiB"), "{line}");
    let line = refused_in_one_line(&ran(&["plan", "--expected-records", "/dev/zero"]), 2);
    assert!(line.contains("larger than 16 MiB"), "{line}");
}

#[test]
fn a_report_that_was_tampered_with_is_refused_by_name_and_place() {
    let folder = Folder::new("tampered");
    let whole = fs::read_to_string(report(&folder, "zone-not-linked-ods", 1)).expect("the report");
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut report = json(&whole);
        edit(&mut report);
        report.to_string()
    };
    let deep = format!("{{\"schema\":1,\"run\":{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    let cases: Vec<(&str, String, &str)> = vec![
        ("newer", edited(&|report| report["schema"] = 3.into()), "has schema 3"),
        ("observed", edited(&|report| report["observations"]["version"] = 9.into()), "observations of version 9"),
        ("digest", edited(&|report| report["kind"] = "digest".into()), "is a digest"),
        ("bare", edited(&|report| report["observations"] = Value::Null), "no `observations`"),
        ("typed", edited(&|report| report["observations"]["seen"] = "\u{1b}[2J\n".into()), "line 1 column"),
        ("id", edited(&|report| report["run"]["id"] = "x".into()), "line 1 column"),
        ("many", edited(&|report| report["observations"]["elapsed_ms"] = (-1).into()), "line 1 column"),
        ("half", whole[..whole.len() / 2].to_owned(), "is cut off after "),
        ("deep", deep, "is cut off after "),
    ];
    for (name, content, wanted) in cases {
        let line = refused_in_one_line(&ran(&["judge", &written(&folder, name, &content)]), 2);
        assert!(line.contains(name) && line.contains(wanted), "{line}");
    }
    let huge = edited(&|report| {
        report["observations"]["seen"] = Value::Array(vec![report["observations"]["seen"][0].clone(); 20_000]);
    });
    let output = ran(&["judge", &written(&folder, "huge", &huge), "-q"]);
    assert!(matches!(status(&output), Some(0 | 1)), "{}", text(&output.stderr));
}
