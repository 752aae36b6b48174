//! The built binary as a user calls it. Nothing here looks at real addresses: only `demo`, `plan`, `judge`, `explain` and
//! refused arguments are run.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::Child;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::Value;

mod again;
mod destinations;
mod files;
pub(crate) mod hanging;
mod limits;
mod progress;
pub(crate) mod refusals;
mod rights;
mod shell;
pub(crate) mod signals;

/// A guard against a program that never ends, no measurement.
pub(crate) const HANGS: Duration = Duration::from_mins(15);

pub(super) fn doctor(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ampls-doctor"));
    command.args(arguments).stdin(Stdio::null()).env_remove("NO_COLOR");
    for proxy in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"] {
        command.env_remove(proxy);
    }
    command
}

pub(super) fn ran(arguments: &[&str]) -> Output {
    doctor(arguments).output().expect("the binary runs")
}

pub(super) fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

/// Sends a signal by the shell's own `kill`: not every machine has one that is a program.
#[cfg(unix)]
pub(crate) fn send(child: &Child, signal: &str) -> bool {
    let mut command = Command::new("sh");
    command.args(["-c", "kill -s \"$0\" \"$1\"", signal, &child.id().to_string()]).stderr(Stdio::null());
    command.status().expect("a shell").success()
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// One harmless line on standard error, nothing on standard output.
pub(super) fn refused_in_one_line(output: &Output, wanted: i32) -> String {
    let line = text(&output.stderr);
    assert_eq!(status(output), Some(wanted), "{line}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    assert_eq!(line.lines().count(), 1, "{line:?}");
    assert!(!line.trim_end().contains(|c: char| c.is_control()), "{line:?}");
    line
}

/// A folder of one test's own.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ampls-doctor-cli-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a folder");
        Self(path)
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What `demo` writes of a world in a format. A world is examined once for all tests that only read it.
pub(super) fn demo(world: &str, format: &str) -> Arc<Output> {
    static WRITTEN: Mutex<BTreeMap<String, Arc<OnceLock<Arc<Output>>>>> = Mutex::new(BTreeMap::new());

    let written = {
        let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(written.entry(format!("{world} {format}")).or_default())
    };
    Arc::clone(written.get_or_init(|| Arc::new(ran(&["demo", world, "--format", format]))))
}

/// A report of a simulated world, written to a file.
pub(super) fn report(folder: &Folder, world: &str, wanted: i32) -> String {
    let file = folder.path(&format!("{world}.json"));
    let output = demo(world, "json");
    assert_eq!(status(&output), Some(wanted), "{}", text(&output.stderr));
    fs::write(&file, &output.stdout).expect("a file");
    file
}

pub(super) fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn help_and_version_go_to_standard_output() {
    for arguments in [&["--help"][..], &["-h"], &["check", "--help"], &["judge", "--help"], &["--version"]] {
        let output = ran(arguments);
        assert_eq!(status(&output), Some(0), "{arguments:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{arguments:?}");
    }
    assert!(text(&ran(&["--help"]).stdout).contains("Exit status"));
}

#[test]
fn bad_input_is_one_line_of_error_with_what_is_wanted() {
    // `plan` takes the arguments of `check`, and touches nothing should one of them be taken after all.
    let table: &[(&[&str], &str)] = &[
        (&["plan", "--workspace", "not-a-guid"], "workspace"),
        (&["plan", "--workspace", "\u{1b}[2J\n"], "workspace"),
        (&["plan", "--dce", "https://"], "dce"),
        (&["plan", "--endpoint", "no spaces allowed"], "endpoint"),
        (&["plan", "--private-range", "10.0.0.0/99"], "private-range"),
        (&["plan", "--app-insights", "nonsense"], "app-insights"),
        (&["plan", "--resolver", "8.8.8"], "resolver"),
        (&["plan", "--region", "West Europe!"], "region"),
        (&["plan", "--cloud", "moon"], "public"),
        (&["plan", "--expect", "maybe"], "private"),
        (&["plan", "--timeout", "0"], "timeout"),
        (&["plan", "--repeat", "0"], "repeat"),
        (&["plan", "--only", "luck"], "dns"),
        (&["demo", "--format", "yaml"], "json"),
        (&["plan", "--bogus"], "--bogus"),
        (&["bogus"], "bogus"),
        (&["plan", "-q", "-v"], "--verbose"),
        (&["judge"], "FILE"),
        (&["compare", "a.json"], "<B>"),
        (&["explain"], "WHAT"),
        (&["demo", "atlantis"], "demo --list"),
        (&["demo", "healthy-privat"], "did you mean `healthy-private`?"),
        (&["xyzzy"], "unrecognized subcommand `xyzzy`; give one of check, plan, "),
        (&["plan", "--timeout", "-1"], "--timeout: "),
        (&["completions"], "<SHELL>; give one of bash, "),
        (&["completions", "tcsh"], "bash"),
    ];
    for (arguments, wanted) in table {
        let line = refused_in_one_line(&ran(arguments), 2);
        assert!(line.contains(wanted), "{arguments:?}: {line}");
        assert!(line.starts_with("ampls-doctor: "), "{line}");
    }
}

#[test]
fn a_refusal_is_one_sentence_with_values_in_backticks_and_no_wrong_advice() {
    for (arguments, wanted) in [
        (&["judge", "X", "--deadline", "3"][..], "unexpected argument `--deadline`; it belongs to `check` or `plan`"),
        (&["judge", "X", "Y"], "unexpected argument `Y`"),
        (&["judge", "X", "--it's"], "unexpected argument `--it's`"),
        (&["plan", "--expct", "private"], "unexpected argument `--expct`; did you mean `--expect`?"),
        (&["juge", "X"], "unrecognized subcommand `juge`; did you mean `judge`?"),
        (&["plan", "-q", "-v"], "the argument `--quiet` cannot be used with `--verbose`"),
        (&["plan", "--dce"], "a value is required for `--dce <HOST…>` but none was supplied"),
        (&["judge"], "the following required arguments were not provided: <FILE|->"),
        (&["judge", "X", "--quiet=3"], "unexpected value `3` for `--quiet` found; no more were expected"),
        (
            &["completions", "tcsh"],
            "invalid value `tcsh` for `<SHELL>` [possible values: bash, elvish, fish, powershell, zsh]; did you mean `zsh`?",
        ),
        (&["plan", "--region", "a-b"], ""),
    ] {
        let line = refused_in_one_line(&ran(arguments), 2);
        assert!(wanted.is_empty() || line == format!("ampls-doctor: {wanted}\n"), "{arguments:?}: {line}");
        assert!(!line.contains("tip:") && !line.contains(" \'"), "{line}");
    }
}

#[test]
fn a_world_has_its_exit_status() {
    let healthy = ran(&["demo", "healthy-private"]);
    assert_eq!(status(&healthy), Some(0), "{}", text(&healthy.stdout));
    assert!(text(&healthy.stdout).starts_with("PRIVATE, network healthy; "), "{}", text(&healthy.stdout));
    assert!(healthy.stderr.is_empty(), "{}", text(&healthy.stderr));
    let broken = ran(&["demo", "zone-not-linked-ods"]);
    assert_eq!(status(&broken), Some(1));
    assert!(text(&broken.stdout).contains("\n✗ DNS003  "), "{}", text(&broken.stdout));
    let forgiven = ran(&["demo", "zone-not-linked-ods", "--fail-on", "never", "-q"]);
    assert_eq!(status(&forgiven), Some(0));
}

#[test]
fn worlds_are_listed_in_their_order() {
    let names = text(&ran(&["demo", "--list"]).stdout);
    assert!(names.contains("healthy-private") && names.contains("zone-not-linked-ods"));
}

#[test]
fn a_pipe_carries_whole_lines_without_colour_however_wide_the_terminal_was() {
    let arguments = ["demo", "zone-not-linked-ods", "-v"];
    let told = |columns: &str| text(&doctor(&arguments).env("COLUMNS", columns).output().expect("it runs").stdout);
    for output in [told("20"), told("200")] {
        assert!(!output.contains('\u{1b}'));
        for whole in ["6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64.ods.opinsights.azure.com  ", "(HTTP 404)", "  -v VNET_ID"] {
            assert!(output.contains(whole.trim_start()), "{whole}: {output}");
        }
        let shortest = output.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(shortest > 120, "no line is broken: {output}");
    }
    let tinted = ran(&["demo", "zone-not-linked-ods", "--color", "always", "-q"]);
    assert!(text(&tinted.stdout).contains("\u{1b}[1;31m"));
}

#[test]
fn each_v_says_more_and_q_only_the_headline() {
    let lines = |more: &[&str]| text(&ran(&[&["demo", "zone-not-linked-ods"], more].concat()).stdout).lines().count();
    assert_eq!(lines(&["-q"]), 1);
    let (usual, more, all) = (lines(&[]), lines(&["-v"]), lines(&["-vv"]));
    assert!(1 < usual && usual <= 22 && usual < more && more < all, "{usual} {more} {all}");
}

#[test]
fn a_reader_that_leaves_early_changes_nothing() {
    for (world, wanted) in [("healthy-private", 0), ("zone-not-linked-ods", 1)] {
        for format in ["table", "json", "ndjson", "compact", "html", "markdown", "junit", "metrics"] {
            let mut command = doctor(&["demo", world, "--format", format]);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a child");
            drop(child.stdout.take());
            let output = child.wait_with_output().expect("an end");
            assert_eq!(status(&output), Some(wanted), "{world} {format}");
            assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_verdict() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let output = doctor(&["demo", "healthy-private"]).stdout(full).output().expect("the binary runs");
    refused_in_one_line(&output, 3);
}

#[test]
fn an_output_file_that_cannot_be_written_is_refused() {
    let folder = Folder::new("refused");
    let missing = folder.path("no/such/folder.json");
    let here = folder.0.to_str().expect("UTF-8");
    for file in [missing.as_str(), here] {
        let line = refused_in_one_line(&ran(&["demo", "healthy-private", "-o", file]), 3);
        assert!(line.contains("cannot write"), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn an_output_file_is_for_its_owner_and_never_goes_through_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = Folder::new("link");
    let (victim, link) = (folder.path("victim"), folder.path("link.json"));
    fs::write(&victim, "precious").expect("a file");
    symlink(&victim, &link).expect("a link");
    let output = ran(&["demo", "healthy-private", "--format", "json", "-o", &link]);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
    assert_eq!(fs::read_to_string(&victim).expect("the victim"), "precious");
    let written = fs::symlink_metadata(&link).expect("the file");
    assert!(written.is_file());
    assert_eq!(written.permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = fs::read_dir(&folder.0).expect("the folder").collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_saved_report_is_judged_alike() {
    let folder = Folder::new("judge");
    let file = report(&folder, "zone-not-linked-ods", 1);
    let saved = fs::read_to_string(&file).expect("the report");
    let again = ran(&["judge", &file, "--format", "json"]);
    assert_eq!(status(&again), Some(1));
    let (saved, again) = (json(&saved), json(&text(&again.stdout)));
    for part in ["schema", "run", "host", "verdict", "endpoints", "zones", "findings", "notes", "observations"] {
        assert_eq!(saved.get(part), again.get(part), "{part}");
    }
    assert_eq!(saved.pointer("/findings/0/code"), Some(&Value::from("DNS003")));

    let mut child =
        doctor(&["judge", "-", "-q"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a child");
    child.stdin.take().expect("a pipe").write_all(saved.to_string().as_bytes()).expect("written");
    let piped = child.wait_with_output().expect("an end");
    assert_eq!(status(&piped), Some(1));
    assert!(text(&piped.stdout).starts_with("MIXED, 1 error: "), "{}", text(&piped.stdout));
}

#[test]
fn what_is_no_report_is_refused_by_its_name() {
    let folder = Folder::new("garbage");
    let cases: &[(&str, &[u8])] = &[
        ("empty", b""),
        ("text", b"hello\x1b[2J"),
        ("list", b"[1,2,3]"),
        ("other", b"{\"schema\":2}"),
        ("cut", b"{\"schema\":1,\"observations\":{\"version\":1"),
        ("bytes", &[0xff, 0x00, 0xfe]),
    ];
    for (name, bytes) in cases {
        let file = folder.path(name);
        fs::write(&file, bytes).expect("a file");
        let line = refused_in_one_line(&ran(&["judge", &file]), 2);
        assert!(line.contains(name) && line.contains('`'), "{line}");
    }
    let missing = refused_in_one_line(&ran(&["judge", &folder.path("missing")]), 2);
    assert!(missing.contains("cannot be read"), "{missing}");
    assert!(Path::new(&folder.0).is_dir());
}

#[test]
fn a_hostile_report_is_harmless_on_a_terminal() {
    let folder = Folder::new("hostile");
    let file = report(&folder, "zone-not-linked-ods", 1);
    let mut report = json(&fs::read_to_string(&file).expect("the report"));
    let evil = "\u{1b}]0;owned\u{7}\u{202e}\nPRIVATE, healthy: all is well";
    report["observations"]["machine"]["name"] = evil.into();
    for endpoint in report["observations"]["endpoints"].as_array_mut().expect("endpoints") {
        endpoint["purpose"] = evil.into();
    }
    fs::write(&file, report.to_string()).expect("written");
    for verbosity in ["-v", "--color=never"] {
        let output = text(&ran(&["judge", &file, verbosity]).stdout);
        assert!(!output.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{output:?}");
        assert!(!output.lines().any(|line| line.starts_with("PRIVATE")), "{output}");
    }
}

#[test]
fn a_plan_touches_nothing_and_is_the_same_each_time() {
    let arguments = ["plan", "--region", "westeurope", "--cloud", "public", "--skip", "imds", "--format", "json"];
    let (one, two) = (ran(&arguments), ran(&arguments));
    assert_eq!(status(&one), Some(0), "{}", text(&one.stderr));
    assert_eq!(one.stdout, two.stdout);
    assert!(json(&text(&one.stdout)).get("endpoints").is_some());
}

#[test]
fn explain_knows_codes_addresses_and_names() {
    for (what, wanted) in [
        ("DNS003", "What it means"),
        ("zone-not-linked", "How to fix"),
        ("168.63.129.16", "wire server"),
        ("fd40:1085:12:6d79:7712:100:c0a8:4", "192.168.0.4"),
        ("global.handler.control.monitor.azure.com", "privatelink.monitor.azure.com"),
        ("privatelink.ods.opinsights.azure.com", "private DNS zone"),
        ("www.example.com", "not in the catalogue"),
    ] {
        let output = ran(&["explain", what]);
        assert_eq!(status(&output), Some(0), "{what}");
        assert!(text(&output.stdout).contains(wanted), "{what}: {}", text(&output.stdout));
    }
    assert!(text(&ran(&["explain", "--list"]).stdout).contains("DNS003"));
    let line = refused_in_one_line(&ran(&["explain", "DNS03"]), 2);
    assert!(line.contains("`DNS003`"), "{line}");
}
