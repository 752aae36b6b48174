//! Signals: what they end, what they leave, and what the exit status then means.
#![cfg(target_os = "linux")]

use std::process::Child;
use std::time::{Duration, Instant};

use super::super::needs;
use super::*;

/// The exit status of a child that has to end.
pub(crate) fn ended(child: &mut Child) -> Option<i32> {
    let began = Instant::now();
    while began.elapsed() < HANGS {
        if let Some(ended) = child.try_wait().expect("a child") {
            return ended.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    panic!("the program does not end");
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(&folder.0).expect("the folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// Looks at a world in which nothing answers and returns as soon as the run hears signals; its report goes to a file.
pub(super) fn black_hole(folder: &Folder) -> Child {
    listening(Command::new("env"), folder)
}

/// The same, started by this command.
fn listening(mut command: Command, folder: &Folder) -> Child {
    // What runs under `nohup`, or in the background of a script, hands ignored signals on to its children.
    command.args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_ampls-doctor")]);
    command.args(["demo", "black-hole", "--format", "json", "-o", &folder.path("report.json")]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child");
    hears(&child);
    child
}

/// Waits until the doctor's run hears signals.
pub(crate) fn hears(child: &Child) {
    /// SIGHUP, SIGINT and SIGTERM in the mask of `proc_pid_status(5)`.
    const ENDS: u64 = 1 | 1 << 1 | 1 << 14;

    let hears = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("the child's status");
        let of = |name| status.lines().find_map(|line: &str| line.strip_prefix(name)).expect("a line").trim();
        let caught = u64::from_str_radix(of("SigCgt:"), 16).expect("a mask");
        // Before it becomes the doctor it may be a program that has handlers of its own.
        of("Name:") == "ampls-doctor" && caught & ENDS == ENDS
    };
    let began = Instant::now();
    while !hears() {
        assert!(began.elapsed() < HANGS, "no run begins");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_run_that_is_ended_before_anything_was_judged_is_not_a_success() {
    /// The step's time limit of that world, in milliseconds: nothing is judged before.
    const STEP: u64 = 1_000;

    for signal in ["INT", "TERM", "HUP"] {
        let began = Instant::now();
        // A busy machine may bring the signal too late: then it is sent to another run.
        let (folder, status_of_run, report) = loop {
            let folder = Folder::new(&format!("early-{signal}"));
            let mut child = black_hole(&folder);
            assert!(send(&child, signal));
            let ended = ended(&mut child);
            assert_eq!(names(&folder), ["report.json"], "{signal}");
            let report = json(&fs::read_to_string(folder.path("report.json")).expect("the report so far"));
            if report["run"]["elapsed_ms"].as_u64().is_some_and(|elapsed| elapsed < STEP) {
                break (folder, ended, report);
            }
            assert!(began.elapsed() < HANGS, "no signal comes in time");
        };
        assert_eq!(status_of_run, Some(3), "{signal}");
        assert_eq!(report["run"]["stopped"], "interrupt");
        assert!(report["findings"].to_string().contains("RUN001"), "{report:#}");
        let again = ran(&["judge", &folder.path("report.json")]);
        assert_eq!(status(&again), Some(3), "{}", text(&again.stdout));
    }
}

#[test]
fn a_signal_ends_the_wait_before_the_first_look() {
    for signal in ["INT", "TERM", "HUP"] {
        let folder = Folder::new(&format!("splay-{signal}"));
        let mut command = Command::new("env");
        command.args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_ampls-doctor"), "demo", "healthy-private"]);
        command.args(["--splay", "86400", "--format", "json", "-o", &folder.path("report.json")]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a child");
        hears(&child);
        assert!(send(&child, signal));
        assert_eq!(ended(&mut child), Some(3), "{signal}");
        let said = std::io::read_to_string(child.stderr.take().expect("a pipe")).expect("text");
        assert!(said.contains("--splay") && said.lines().count() == 1, "{said}");
        assert!(names(&folder).is_empty(), "{:?}", names(&folder));
    }
}

#[test]
fn two_signals_leave_no_draft_behind() {
    for (signal, pause) in [("INT", 0), ("INT", 10), ("INT", 40), ("HUP", 5), ("TERM", 5)] {
        let folder = Folder::new(&format!("twice-{signal}-{pause}"));
        let mut child = black_hole(&folder);
        assert!(send(&child, signal));
        std::thread::sleep(Duration::from_millis(pause));
        // By now it may have ended.
        let _ = send(&child, signal);
        assert!(matches!(ended(&mut child), Some(3 | 129 | 130 | 143)));
        assert!(names(&folder).iter().all(|name| name == "report.json"), "{:?}", names(&folder));
    }
}

/// The debugger makes the moment long in which the process ends, and the one in which the draft exists longer: a signal that comes
/// just before the draft ends the program before there is one.
#[test]
fn a_signal_just_before_the_draft_leaves_none_behind() {
    if !needs::programs(&["strace"]) {
        return;
    }
    let folder = Folder::new("just-before");
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-o", "/dev/null", "-e", "trace=exit_group,fsync"]);
    command.args(["-e", "inject=exit_group:delay_enter=500000", "-e", "inject=fsync:delay_enter=3000000", "env"]);
    let mut child = listening(command, &folder);
    // The first signal ends the run; another comes between that and the report, unless the machine is very busy.
    let script = "while kill -s INT \"$0\"; do sleep 0.001; done";
    let mut sending = Command::new("sh");
    let sending = sending.args(["-c", script, &child.id().to_string()]).stderr(Stdio::null()).spawn();
    let ended = ended(&mut child);
    sending.expect("a shell").wait().expect("an end");
    assert!(matches!(ended, Some(3 | 130)), "{ended:?}");
    assert!(names(&folder).iter().all(|name| name == "report.json"), "{:?}", names(&folder));
}

#[test]
fn a_hangup_that_was_to_be_ignored_is_ignored() {
    use std::io::{BufRead, BufReader};

    let binary = env!("CARGO_BIN_EXE_ampls-doctor");
    let script = format!("trap '' HUP; exec '{binary}' demo healthy-private --every 1 --format ndjson");
    let mut child =
        Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a child");
    let mut runs = BufReader::new(child.stdout.take().expect("a pipe"))
        .lines()
        .map_while(Result::ok)
        .filter(|line| line.contains("\"kind\":\"run\""));
    assert!(runs.next().is_some());
    assert!(send(&child, "HUP"));
    assert!(runs.next().is_some() && runs.next().is_some(), "`nohup` has to work");
    assert!(send(&child, "TERM"));
    assert_eq!(ended(&mut child), Some(0));
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_with_a_message() {
    let (saved, folder) = (Folder::new("limit-saved"), Folder::new("limit"));
    let file = report(&saved, "zone-not-linked-ods", 1);
    let target = folder.path("again.json");
    for to in [format!("-o '{target}'"), format!("> '{target}'")] {
        let binary = env!("CARGO_BIN_EXE_ampls-doctor");
        let script = format!("ulimit -f 1; exec '{binary}' judge '{file}' --format json {to}");
        let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
        let line = refused_in_one_line(&output, 3);
        assert!(line.contains("cannot write"), "{line}");
        if to.starts_with("-o") {
            assert!(names(&folder).is_empty(), "{:?}", names(&folder));
        }
    }
}

#[test]
fn few_open_files_are_no_reason_to_fall_over() {
    let folder = Folder::new("few-files");
    let file = report(&folder, "healthy-private", 0);
    let binary = env!("CARGO_BIN_EXE_ampls-doctor");
    for files in 6..12 {
        let target = folder.path("again");
        let script = format!("ulimit -n {files}; exec '{binary}' judge '{file}' -q -o '{target}'");
        let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
        assert_eq!(status(&output), Some(0), "{files}: {}", text(&output.stderr));
        assert!(output.stderr.is_empty(), "{files}: {}", text(&output.stderr));
    }
}
