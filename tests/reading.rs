//! What `judge` reads: reports of later versions, hand-made ones of any size, digests wherever they stand.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::cli::{demo, doctor, ran, refused_in_one_line, status, text};

/// Runs the doctor with this on its standard input.
fn fed(arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
    fed_to(doctor(arguments), input)
}

fn fed_to(mut command: Command, input: impl AsRef<[u8]>) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a child");
    // Who refuses an input need not read all of it.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_ref());
    child.wait_with_output().expect("an end")
}

fn saved(world: &str, wanted: i32) -> Value {
    let output = demo(world, "json");
    assert_eq!(status(&output), Some(wanted), "{}", text(&output.stderr));
    read_json(&output.stdout)
}

fn read_json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

fn judged(report: &Value) -> Value {
    let output = fed(&["judge", "-", "--format", "json", "--fail-on", "never"], report.to_string());
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    read_json(&output.stdout)
}

/// The first note, if it is that a later version wrote the report.
fn later(report: &Value) -> Option<&str> {
    report["notes"][0]["text"].as_str().filter(|text| text.contains("later version"))
}

fn place<'v>(value: &'v mut Value, path: &str) -> &'v mut Value {
    value.pointer_mut(path).unwrap_or_else(|| panic!("no {path}"))
}

/// The place of an observation in the report.
fn observation(report: &Value, probe: &str) -> String {
    let seen = report["observations"]["seen"].as_array().expect("observations");
    let at = seen.iter().position(|seen| seen["probe"] == probe && seen["outcome"] != "skipped");
    format!("/observations/seen/{}", at.unwrap_or_else(|| panic!("no {probe}")))
}

/// Every word of a closed list that a report can hold, with the place of one of each.
fn words(report: &Value) -> Vec<String> {
    let of = |probe: &str, rest: &str| format!("{}{rest}", observation(report, probe));
    let mut words: Vec<String> =
        ["asked/expect", "endpoints/0/group", "endpoints/0/expected", "endpoints/0/need", "endpoints/0/origin"]
            .map(|word| format!("/observations/{word}"))
            .to_vec();
    let probes = ["resolver", "hosts", "metadata", "wire-server", "lookup", "answer", "connection", "handshake"];
    words.extend(probes.iter().flat_map(|probe| [of(probe, "/probe"), of(probe, "/outcome")]));
    words.push(of("resolver", "/servers/0/roles/0"));
    words.extend(
        ["machine", "public", "name", "validity"].map(|word| of("handshake", &format!("/verification/{word}"))),
    );
    words.extend(["/kind", "/what/code", "/what/transport"].map(|word| of("answer", word)));
    words
}

#[test]
fn an_unknown_word_of_a_later_version_is_set_aside_with_a_note() {
    let report = saved("healthy-private", 0);
    assert_eq!(later(&judged(&report)), None);
    let before: Vec<String> = codes(&report);
    for word in words(&report) {
        let mut newer = report.clone();
        *place(&mut newer, &word) = "brand-new".into();
        let reread = judged(&newer);
        assert!(later(&reread).is_some(), "{word}: {}", reread["notes"]);
        let unfounded: Vec<_> =
            codes(&reread).into_iter().filter(|code| code != "RUN001" && !before.contains(code)).collect();
        assert!(unfounded.is_empty(), "{word}: {unfounded:?}");
        // What this version would have judged is missed; what it does not have takes nothing from its judgement.
        let missed = ["/outcome", "/need", "/expected", "/verification/machine"];
        if missed.iter().any(|end| word.ends_with(end)) {
            assert!(codes(&reread).contains(&"RUN001".to_owned()), "{word}: {}", reread["verdict"]);
        }
        for part in ["seen", "endpoints", "asked"] {
            assert_eq!(reread["observations"][part], newer["observations"][part], "{word}: written again it is lost");
        }
        assert_eq!(judged(&reread), reread, "{word}");
    }
}

fn codes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["code"].as_str().expect("a code").to_owned()).collect()
}

#[test]
fn what_was_set_aside_counts_wherever_it_stands() {
    let report = saved("healthy-private", 0);
    let mut newer = report.clone();
    *place(&mut newer, "/observations/endpoints/1/group") = "edge".into();
    *place(&mut newer, "/observations/endpoints/2/need") = "nice-to-have".into();
    *place(&mut newer, "/observations/asked/clouds") = json!([{"cloud": "public", "source": "oracle", "says": "x"}]);
    newer["run"]["rules"] = json!({"DNS001": "critical", "DNS008": "off"});
    newer["observations"]["seen"]
        .as_array_mut()
        .expect("a list")
        .insert(3, json!({"probe": "path-mtu", "bytes": ["quite-many"]}));
    let reread = judged(&newer);
    let note = later(&reread).expect("a note");
    assert!(note.contains("1 observation, 2 endpoints, 2 options"), "{note}");
    assert_eq!(reread["run"]["rules"], json!({"DNS008": "off"}));
    assert_eq!(reread["endpoints"][2]["need"], "optional");
    assert_eq!(later(&judged(&reread)), Some(note));
    let redacted = fed(&["redact", "-", "--format", "json"], newer.to_string());
    let redacted = text(&redacted.stdout);
    assert!(
        !["path-mtu", "quite-many", "nice-to-have", "oracle"].iter().any(|word| redacted.contains(word)),
        "{redacted}"
    );
    assert_eq!(later(&read_json(redacted.as_bytes())), Some(note), "a redacted report tells that it is not all");
}

#[test]
fn fields_of_a_later_version_change_nothing() {
    fn grown(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(grown).collect(),
            Value::Object(fields) => {
                let more = [("x_future".to_owned(), json!({"a": ["new", 1, null]}))];
                Value::Object(fields.iter().map(|(name, value)| (name.clone(), grown(value))).chain(more).collect())
            }
            other => other.clone(),
        }
    }
    for (world, wanted) in [("healthy-private", 0), ("intercepted-untrusted", 1), ("two-faults-server-and-port", 1)] {
        let report = saved(world, wanted);
        let reread = judged(&grown(&report));
        assert_eq!(reread["findings"], report["findings"], "{world}");
    }
    let mut bare = saved("healthy-private", 0);
    bare["redacted"] = json!({"how": "unknown"});
    assert_eq!(judged(&bare)["redacted"], json!({"manifest": {}}));
}

#[test]
fn a_step_that_is_not_understood_leaves_its_endpoint_unjudged() {
    let report = saved("intercepted-untrusted", 1);
    let mut newer = report.clone();
    for seen in newer["observations"]["seen"].as_array_mut().expect("a list") {
        if seen["probe"] == "handshake" && seen["outcome"] == "seen" {
            seen["verification"]["public"] = "post-quantum".into();
        }
    }
    let reread = judged(&newer);
    assert!(!codes(&reread).iter().any(|code| code == "RUN003" || code.starts_with("TLS")), "{:?}", codes(&reread));
    let required = reread["endpoints"].as_array().expect("endpoints").iter().find(|it| it["need"] == "required");
    assert_eq!(required.expect("a required name")["reachable"], Value::Null);
}

#[test]
fn another_schema_and_nonsense_stay_errors() {
    let report = saved("healthy-private", 0);
    let ways: [(&str, Value, &str); 7] = [
        ("/schema", 3.into(), "has schema 3"),
        ("/observations", Value::Null, "no `observations`"),
        ("/observations/version", 2.into(), "observations of version 2"),
        ("/observations/seen", json!({}), "is not a report"),
        ("/observations/seen/0", 7.into(), "is not a report"),
        ("/observations/asked", "all".into(), "is not a report"),
        ("/observations/endpoints/0", json!({"fqdn": "a"}), "is not a report"),
    ];
    for (path, value, wanted) in ways {
        let mut broken = report.clone();
        *place(&mut broken, path) = value;
        let line = refused_in_one_line(&fed(&["judge", "-"], broken.to_string()), 2);
        assert!(line.contains(wanted), "{path}: {line}");
    }
}

#[test]
fn the_schema_describes_this_version_alone() {
    let validator = jsonschema::draft202012::new(&read_json(&ran(&["schema"]).stdout)).expect("a schema");
    let report = saved("healthy-private", 0);
    assert!(validator.is_valid(&report));
    for (path, value) in
        [("/schema", json!(1)), ("/observations", json!({"version": 1})), ("/observations/version", json!(2))]
    {
        let mut other = report.clone();
        *place(&mut other, path) = value;
        assert!(!validator.is_valid(&other), "{path}");
    }
}

fn compact(world: &str) -> String {
    text(&demo(world, "compact").stdout)
}

fn digest_of(compact: &str) -> Value {
    read_json(compact.lines().rev().nth(1).expect("a digest").as_bytes())
}

#[test]
fn a_digest_is_found_whatever_stands_before_it() {
    let compact = compact("zone-not-linked-ods");
    let line = compact.lines().rev().nth(1).expect("a digest");
    let pretty = serde_json::to_string_pretty(&digest_of(&compact)).expect("JSON");
    let broken = line.replace(",\"", ",\n  \"");
    let inputs: [Vec<u8>; 7] = [
        [b"caf\xe9\n", compact.as_bytes()].concat(),
        [b"\xbc\xb6 cut within a character\n", line.as_bytes()].concat(),
        [b"garbage \xff\xfe { \"digest\" [\n", compact.as_bytes()].concat(),
        format!("[stdout] {line}\n[stderr]\n").into_bytes(),
        pretty.clone().into_bytes(),
        format!("[stdout] {broken}").into_bytes(),
        format!("[stdout]\n{pretty}\nVERDICT\n").into_bytes(),
    ];
    for input in inputs {
        let output = fed(&["judge", "-", "--format", "compact"], &input);
        let shown = String::from_utf8_lossy(&input);
        assert_eq!(status(&output), Some(1), "{shown}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout).lines().last(), compact.lines().last(), "{shown}");
    }
}

#[test]
fn a_digest_of_a_later_version_keeps_its_codes() {
    let digest = digest_of(&compact("zone-not-linked-ods"));
    let ways: [(&str, Value, &str); 5] = [
        ("/codes/0/severity", "critical".into(), "VERDICT mixed error exit=1 DNS003"),
        ("/verdict/route", "hybrid".into(), "VERDICT hybrid error exit=1 DNS003"),
        ("/verdict/health", "critical".into(), "VERDICT mixed critical exit=1 DNS003"),
        ("/zones", json!({"privatelink.monitor.azure.com": "half"}), "VERDICT mixed error exit=1 DNS003"),
        ("/codes/0/args", json!({"n": 5, "m": "x"}), "VERDICT mixed error exit=1 DNS003"),
    ];
    for (path, value, wanted) in ways {
        let mut newer = digest.clone();
        *place(&mut newer, path) = value.clone();
        let output = fed(&["judge", "-", "--format", "compact"], newer.to_string());
        assert_eq!(status(&output), Some(1), "{path}: {}", text(&output.stderr));
        let output = text(&output.stdout);
        assert!(output.lines().last().is_some_and(|line| line.starts_with(wanted)), "{path}: {output}");
        if path != "/codes/0/args" {
            assert_eq!(digest_of(&output).pointer(path), Some(&value));
        }
    }
}

#[test]
fn a_repeated_digest_never_exceeds_its_limit() {
    let digest = digest_of(&compact("zone-not-linked-ods"));
    let many: Vec<Value> =
        (0..5_000).map(|n| json!({"code": format!("ZZZ{n:04}"), "severity": "error", "endpoints": 1})).collect();
    let zones: serde_json::Map<String, Value> =
        (0..2_000).map(|n| (format!("{n}é{}", "z".repeat(200)), "private".into())).collect();
    let ways: [(&str, Value); 9] = [
        ("/codes", many.into()),
        ("/host", "h\u{202e}😀".repeat(3_000).into()),
        ("/version", "v".repeat(9_000).into()),
        ("/cloud", "ü".repeat(9_000).into()),
        ("/region", "\u{1b}".repeat(9_000).into()),
        ("/codes/0/code", "X\n".repeat(3_000).into()),
        ("/codes/0/severity", "é".repeat(3_000).into()),
        ("/servers", vec!["10.0.0.1:53"; 3_000].into()),
        ("/zones", zones.into()),
    ];
    let mut all = digest.clone();
    let each = ways.into_iter().map(|(path, value)| {
        let mut one = digest.clone();
        *place(&mut one, path) = value.clone();
        if path != "/codes/0/severity" && path != "/codes/0/code" {
            *place(&mut all, path) = value;
        }
        (path, one)
    });
    let mut inputs: Vec<_> = each.collect();
    inputs.push(("all", all));
    for (what, input) in inputs {
        let output = fed(&["judge", "-", "--format", "compact"], input.to_string());
        assert_eq!(status(&output), Some(1), "{what}: {}", text(&output.stderr));
        let output = text(&output.stdout);
        assert!(output.len() <= 4_000 && output.is_ascii(), "{what}: {}", output.len());
        assert!(output.lines().last().is_some_and(|line| line.starts_with("VERDICT mixed ")), "{what}: {output}");
        digest_of(&output);
    }
}

#[test]
fn a_digest_is_not_judged_with_other_severities() {
    let digest = digest_of(&compact("zone-not-linked-ods")).to_string();
    let line = refused_in_one_line(&fed(&["judge", "-", "--rule", "DNS003=info"], digest), 2);
    assert!(line.contains("whole report"), "{line}");
}

/// Seconds of processor time: a guard against judgements that never end, which a busy machine does not change. What grows with
/// the square of its input takes many times this.
const MOST_CPU: u32 = 180;

/// The same, ended by the system once it has used more processor time than that.
fn fed_with_a_limit(arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
    let command = doctor(arguments);
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("ulimit -t {MOST_CPU}; exec \"$0\" \"$@\""));
    limited.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    fed_to(limited, input)
}

#[test]
fn the_limit_of_processor_time_ends_a_program() {
    let mut endless = Command::new("sh");
    endless.args(["-c", "ulimit -t 1; while :; do :; done"]);
    assert_eq!(status(&fed_to(endless, "")), None, "a signal ended it");
}

#[test]
fn an_answer_with_thousands_of_aliases_takes_little_work() {
    let mut report = saved("healthy-private", 0);
    let answer = observation(&report, "answer");
    let name = place(&mut report, &answer)["name"].clone();
    let alias = |n: u32| {
        let owner = if n == 0 { name.clone() } else { format!("c{n}.x").into() };
        json!({"owner": owner, "ttl": 1, "data": {"cname": format!("c{}.x", n + 1)}})
    };
    *place(&mut report, &format!("{answer}/what/records")) = (0..16_000).map(alias).collect();
    let output = fed_with_a_limit(&["judge", "-", "--format", "json", "--fail-on", "never"], report.to_string());
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    let reread = read_json(&output.stdout);
    assert!(
        reread["notes"][0]["text"].as_str().is_some_and(|note| note.contains("15936 records, ")),
        "{}",
        reread["notes"]
    );
}

#[test]
fn thousands_of_servers_take_little_work() {
    let report = saved("custom-dns-forwards-to-public", 1);
    for (names, servers, format) in [(60, 2_000, "metrics"), (1, 4_000, "compact"), (2_000, 3_000, "metrics")] {
        let crowd = crowd(&report, names, servers).to_string();
        let output = fed_with_a_limit(&["judge", "-", "--format", format], crowd);
        assert!(matches!(status(&output), Some(0 | 1)), "{names} {servers}: {}", text(&output.stderr));
    }
}

/// The report with so many names like its first one of an AMPLS, and so many servers more.
fn crowd(report: &Value, names: usize, servers: usize) -> Value {
    let mut report = report.clone();
    let seen = &mut report["observations"];
    let endpoints = seen["endpoints"].as_array().expect("endpoints");
    let first = endpoints.iter().find(|endpoint| !endpoint["zone"].is_null()).expect("a name of a zone").clone();
    let all = seen["seen"].as_array().expect("observations").clone();
    let own = |it: &&Value| it["name"] == first["fqdn"] || it["endpoint"] == first["id"];
    let about = |it: &&Value| it.get("name").is_some() || it.get("endpoint").is_some();
    let mut observations: Vec<Value> = all.iter().filter(|it| !about(it)).cloned().collect();
    let mut planned = Vec::new();
    for n in 0..names {
        let (id, name) = (format!("e{n}"), format!("a{n:05}.ods.opinsights.azure.com"));
        let mut endpoint = first.clone();
        (endpoint["id"], endpoint["fqdn"], endpoint["alias"]) = (id.clone().into(), name.clone().into(), Value::Null);
        planned.push(endpoint);
        for mut it in all.iter().filter(own).cloned() {
            for (field, value) in [("name", &name), ("endpoint", &id)] {
                if it.get(field).is_some() {
                    it[field] = value.clone().into();
                }
            }
            for record in it["what"].get_mut("records").and_then(Value::as_array_mut).into_iter().flatten() {
                record["owner"] = name.clone().into();
            }
            observations.push(it);
        }
    }
    for resolver in observations.iter_mut().filter(|it| it["probe"] == "resolver") {
        let more = (0..servers).map(
            |n| json!({"address": format!("10.{}.{}.{}:53", n >> 16, n >> 8 & 255, n & 255), "roles": ["configured"]}),
        );
        resolver["servers"].as_array_mut().expect("servers").extend(more);
    }
    seen["endpoints"] = planned.into();
    seen["seen"] = observations.into();
    report
}

/// A report that version 0.1.0 wrote.
fn of_the_first_version(world: &str) -> String {
    format!("{}/tests/reports/0.1.0/{world}.json", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn reports_of_the_first_version_are_judged_and_compared() {
    for world in ["healthy-private", "intercepted-untrusted", "zone-not-linked-ods"] {
        let file = of_the_first_version(world);
        let stored = read_json(&std::fs::read(&file).expect("the stored report"));
        assert_eq!(stored["schema"], 1);
        let reread = judged(&stored);
        assert_eq!(reread["schema"], 2, "{world}");
        assert_eq!(reread["verdict"]["route"], stored["verdict"]["route"], "{world}");
        assert_eq!(reread["verdict"]["health"], stored["verdict"]["health"], "{world}: {}", reread["verdict"]);
        assert_eq!(codes(&reread).first(), codes(&stored).first(), "{world}");
        let sources = reread["sources"].as_array().expect("sources");
        let seen = |name: &str| sources.iter().any(|source| source["source"] == name && source["outcome"] == "seen");
        assert!(seen("resolver") && seen("hosts"), "{world}: what it looked at shows in what it saw: {sources:?}");
        assert_eq!(judged(&reread), reread, "{world}: judged again");
        assert_eq!(status(&ran(&["compare", &file, &file])), Some(0), "{world}");
    }
    let differ =
        ran(&["compare", &of_the_first_version("healthy-private"), &of_the_first_version("zone-not-linked-ods")]);
    assert!(text(&differ.stdout).contains("appeared DNS003"), "{}", text(&differ.stdout));
}

#[test]
fn digests_of_the_first_schema_are_repeated() {
    let digest = r#"{"schema":1,"kind":"digest","version":"0.1.0","id":"00000000-0000-0000-0000-000000000000","at":"2026-11-22T10:00:00Z","host":"vm1","cloud":null,"region":null,"verdict":{"route":"mixed","health":"error","exit":1},"zones":{"privatelink.ods.opinsights.azure.com":"public"},"servers":["10.1.0.4:53"],"codes":[{"code":"DNS003","severity":"error","endpoints":1,"args":{"server":"10.1.0.4:53","zone":"privatelink.ods.opinsights.azure.com, privatelink.oms.opinsights.azure.com"}}]}"#;
    let output = fed(&["judge", "-"], digest);
    assert_eq!(status(&output), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("DNS003"), "{}", text(&output.stdout));
    let later = fed(&["judge", "-"], digest.replacen("\"schema\":1", "\"schema\":3", 1));
    assert_eq!(status(&later), Some(2));
    assert!(text(&later.stderr).contains("has schema 3"), "{}", text(&later.stderr));
}
