//! Little of what the system gives: files, memory, threads. The program says so in a sentence, and needs little.
#![cfg(target_os = "linux")]

use std::io::Read as _;

use super::super::needs;
use super::rights::{for_everybody, is_root};
use super::*;

/// Runs the program below limits that a shell sets.
fn limited(limits: &str, arguments: &[&str]) -> Output {
    let script = format!("{limits}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_ampls-doctor")]).args(arguments);
    command.output().expect("a shell")
}

#[test]
fn too_few_open_files_are_no_fault_of_the_network() {
    let disk = Folder::new("few-files-disk");
    let line = refused_in_one_line(&limited("ulimit -n 16", &["check", "--root", &disk.path("")]), 3);
    assert!(line.contains("may open 16 files") && line.contains("ulimit -n"), "{line}");
    // The lower of two limits is raised.
    let raised = limited("ulimit -S -n 16", &["check", "--root", &disk.path(""), "-q"]);
    assert!(matches!(status(&raised), Some(0 | 1)), "{}", text(&raised.stderr));
}

#[test]
fn too_little_memory_is_an_error_with_a_message() {
    let disk = Folder::new("little-memory-disk");
    let line = refused_in_one_line(&limited("ulimit -d 20000", &["check", "--root", &disk.path("")]), 3);
    assert!(line.contains("MiB of memory"), "{line}");
}

#[test]
fn too_few_threads_are_an_error_with_a_message() {
    let folder = Folder::new("few-threads");
    let nobody = "setpriv --reuid 54321 --clear-groups --inh-caps -all --bounding-set -all prlimit --nproc=1";
    if !is_root() || !needs::programs(&["setpriv", "prlimit"]) {
        return;
    }
    let (binary, disk) = for_everybody(&folder);
    let script = format!("exec {nobody} '{binary}' check --root '{disk}'");
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    let line = refused_in_one_line(&output, 3);
    assert!(line.contains("threads") && !line.contains(".rs"), "{line}");
}

/// A saved report with a field of so many octets that no version writes like that.
fn swollen(folder: &Folder, octets: usize) -> String {
    let file = report(folder, "healthy-private", 0);
    let text = fs::read_to_string(&file).expect("a report");
    let text = text.replacen('{', &format!("{{\"redacted\":[{}0],", "0,".repeat(octets / 2)), 1);
    fs::write(&file, text).expect("written");
    file
}

#[test]
fn a_report_takes_little_more_memory_than_its_length() {
    let folder = Folder::new("swollen");
    let file = swollen(&folder, 15 * 1024 * 1024);
    let output = limited("ulimit -d 80000", &["judge", &file, "-q"]);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    let file = swollen(&folder, 17 * 1024 * 1024);
    let line = refused_in_one_line(&limited("ulimit -d 80000", &["judge", &file]), 2);
    assert!(line.contains("larger than 16 MiB"), "{line}");
}

#[test]
fn a_signal_leaves_a_document_whole_that_a_reader_has_begun_to_read() {
    let folder = Folder::new("whole");
    let file = report(&folder, "zone-not-linked-ods", 1);
    for signal in ["INT", "TERM"] {
        let mut command = Command::new("env");
        command.args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_ampls-doctor")]);
        command.args(["judge", &file, "--format", "json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a child");
        let mut pipe = child.stdout.take().expect("a pipe");
        let mut document = vec![0];
        pipe.read_exact(&mut document).expect("the first octet");
        assert!(send(&child, signal));
        pipe.read_to_end(&mut document).expect("the rest");
        assert!(document.len() > 70_000, "a pipe must not hold it: {}", document.len());
        assert_eq!(json(&text(&document))["kind"], serde_json::Value::Null);
        child.wait().expect("it ends");
    }
}
