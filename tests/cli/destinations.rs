//! Where the result goes.

use super::*;

#[test]
fn a_dash_is_standard_output() {
    let folder = Folder::new("dash");
    let file = report(&folder, "healthy-private", 0);
    let table: &[&[&str]] = &[
        &["judge", &file, "--format", "compact", "-o", "-"],
        &["redact", &file, "-o", "-"],
        &["compare", &file, &file, "-o", "-"],
        &["plan", "--skip", "imds", "--cloud", "public", "-o", "-"],
        &["demo", "healthy-private", "--format", "compact", "-o-"],
    ];
    for arguments in table {
        let output = doctor(arguments).current_dir(&folder.0).output().expect("the binary runs");
        assert_eq!(status(&output), Some(0), "{arguments:?}: {}", text(&output.stderr));
        assert!(!output.stdout.is_empty(), "{arguments:?}");
        assert!(!folder.0.join("-").exists(), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_name_as_long_as_the_file_system_takes_is_taken() {
    let folder = Folder::new("long");
    let file = report(&folder, "healthy-private", 0);
    let long = folder.path(&"n".repeat(255));
    let output = ran(&["judge", &file, "--format", "compact", "-o", &long]);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    assert!(fs::read_to_string(&long).expect("the report").contains("VERDICT"));
    let line = refused_in_one_line(&ran(&["judge", &file, "-o", &folder.path(&"n".repeat(256))]), 3);
    assert!(line.contains("cannot write"), "{line}");
}

#[test]
fn many_documents_that_do_not_follow_one_another_need_a_file() {
    for format in ["html", "markdown", "junit", "metrics"] {
        for target in [&[][..], &["-o", "-"]] {
            let arguments = [&["demo", "healthy-private", "--every", "1", "--format", format], target].concat();
            let line = refused_in_one_line(&ran(&arguments), 2);
            assert!(line.contains("--every") && line.contains(format) && line.contains("-o"), "{line}");
        }
    }
}

#[test]
fn json_on_a_terminal_acts_on_nothing() {
    let folder = Folder::new("inert-json");
    let file = report(&folder, "zone-not-linked-ods", 1);
    let mut report = json(&fs::read_to_string(&file).expect("the report"));
    let evil = "\u{9b}2J\u{7f}\u{2028}\u{202e}\u{e0041}end";
    report["observations"]["machine"]["name"] = evil.into();
    fs::write(&file, report.to_string()).expect("written");
    for format in ["json", "ndjson"] {
        let output = text(&ran(&["judge", &file, "--format", format]).stdout);
        let acts = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{202e}' | '\u{e0041}');
        assert!(!output.contains(acts), "{format}");
        assert!(output.contains("\\u009b2J\\u007f\\u2028\\u202e\\udb40\\udc41end"), "{format}");
        let first = if format == "json" { output.as_str() } else { output.lines().next().expect("a line") };
        let host = json(first);
        assert_eq!(host.pointer("/host/name").unwrap_or(&host["host"]), evil, "{format}: the value is the same");
    }
}
