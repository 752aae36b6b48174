//! Few rights: another user, filters of system calls, what the shipped unit takes away, and the limits of a shell one by one. What
//! asks a network runs in a network namespace with nothing in it.
#![cfg(target_os = "linux")]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::OnceLock;

use super::super::needs;
use super::signals::{black_hole, ended};
use super::*;

/// Whether this user is root; else the test is skipped.
pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) || needs::without("root")
}

/// Whether root may have namespaces of its own here, which it may not in most containers, and these programs are installed; else
/// the test is skipped.
fn may_be_alone(programs: &[&str]) -> bool {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    let tried = || alone("true", &[]).status.success();
    is_root()
        && needs::programs(&["unshare"])
        && needs::programs(programs)
        && (*POSSIBLE.get_or_init(tried) || needs::without("a mount namespace"))
}

/// The program and an empty disk where everybody can read them: nobody else reads the folder of this build.
pub(super) fn for_everybody(folder: &Folder) -> (String, String) {
    let (binary, disk) = (folder.path("ampls-doctor"), folder.path("disk"));
    fs::copy(env!("CARGO_BIN_EXE_ampls-doctor"), &binary).expect("a copy");
    fs::create_dir(&disk).expect("a folder");
    for path in [&folder.path(""), &binary, &disk] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }
    (binary, disk)
}

/// What a shell does with `$0`, and `$@` behind it, in a network namespace of its own.
fn alone(script: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "sh", "-c", script]).args(arguments).stdin(Stdio::null());
    command.output().expect("unshare runs")
}

/// The arguments of a run that asks a network without anything in it.
const ASKS: [&str; 9] = ["check", "--timeout", "1", "--deadline", "600", "--region", "westeurope", "--format", "json"];

/// Its report: whole, and of a run that ended by itself. Without a network a name that is required does not resolve.
fn report_of(output: &Output) -> Value {
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    assert_eq!(status(output), Some(1), "{}", text(&output.stdout));
    let report = json(&text(&output.stdout));
    assert_eq!(report["verdict"]["health"], "error");
    assert!(report["endpoints"].as_array().is_some_and(|endpoints| endpoints.len() > 3));
    report
}

#[test]
fn a_run_gains_no_rights() {
    let folder = Folder::new("rights");
    let mut child = black_hole(&folder);
    let read = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("the child's status");
    let of_threads = fs::read_dir(format!("/proc/{}/task", child.id())).expect("its threads").flatten();
    let of_threads: Vec<String> =
        of_threads.filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok()).collect();
    assert!(send(&child, "TERM"));
    ended(&mut child);
    assert!(of_threads.len() > 2, "{read}");
    assert!(of_threads.iter().all(|status| status.contains("NoNewPrivs:\t1")), "{read}");
}

#[test]
fn a_user_without_rights_gets_a_report() {
    if !may_be_alone(&["setpriv"]) {
        return;
    }
    let folder = Folder::new("nobody");
    let (binary, _) = for_everybody(&folder);
    let script =
        "exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \"$0\" \"$@\"";
    let report = report_of(&alone(script, &[&[binary.as_str()], &ASKS[..]].concat()));
    // What root would have read is not said to be absent.
    let sources = report["sources"].as_array().expect("sources");
    assert!(sources.iter().any(|source| source["outcome"] == "not-permitted"), "{sources:#?}");
    assert!(!report["findings"].to_string().contains("RUN003"), "{:#}", report["findings"]);
}

/// Runs the program under a filter of system calls.
#[cfg(target_arch = "x86_64")]
fn filtered(filter: &str, arguments: &[&str]) -> Output {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/filter.py");
    let script = "exec python3 \"$0\" \"$@\"";
    alone(script, &[&[own, filter, env!("CARGO_BIN_EXE_ampls-doctor")], arguments].concat())
}

#[cfg(target_arch = "x86_64")]
#[test]
fn filters_of_system_calls_hinder_nothing() {
    if !may_be_alone(&["python3"]) {
        return;
    }
    let disk = Folder::new("filtered-disk");
    for filter in ["docker", "old", "unit"] {
        let mode = alone(
            "exec python3 \"$0\" \"$1\" cat /proc/self/status",
            &[concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/filter.py"), filter],
        );
        assert!(text(&mode.stdout).contains("Seccomp:\t2"), "{filter}: {}", text(&mode.stderr));
        report_of(&filtered(filter, &ASKS));
        let of_files = filtered(filter, &["check", "--root", &disk.path(""), "--format", "json"]);
        assert!(of_files.stderr.is_empty(), "{filter}: {}", text(&of_files.stderr));
        assert!(json(&text(&of_files.stdout))["verdict"].is_object(), "{filter}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_filter_that_refuses_threads_is_an_error_with_a_message() {
    if !may_be_alone(&["python3"]) {
        return;
    }
    let disk = Folder::new("no-threads-disk");
    for arguments in [&ASKS[..], &["check", "--root", &disk.path("")], &["plan", "--region", "westeurope"]] {
        let line = refused_in_one_line(&filtered("threads", arguments), 3);
        assert!(line.contains("threads") && !line.contains(".rs"), "{arguments:?}: {line}");
    }
}

/// The mounts and rights of `packaging/systemd/ampls-doctor.service`: nothing can be written but its own folder, homes are empty,
/// of all rights only the one to read everything is left.
#[test]
fn what_the_shipped_unit_takes_away_hinders_nothing() {
    if !may_be_alone(&["setpriv"]) {
        return;
    }
    let unit = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/systemd/ampls-doctor.service"));
    let unit = unit.expect("the unit");
    for line in
        ["AmbientCapabilities=CAP_DAC_READ_SEARCH", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes"]
    {
        assert!(unit.lines().any(|of_unit| of_unit == line), "{line} is what this test stands for");
    }
    let folder = Folder::new("unit");
    let (binary, state) = (for_everybody(&folder).0, folder.path("state"));
    fs::create_dir(&state).expect("a folder");
    std::os::unix::fs::chown(&state, Some(65_534), Some(65_534)).expect("another owner");
    let script = format!(
        "set -e\nmount -t tmpfs none /home\nmount -t tmpfs none /root\nmount --bind '{state}' '{state}'\n\
         mount --bind / /\nmount -o remount,bind,ro /\n\
         exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \
         --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search \"$0\" \"$@\""
    );
    let output = alone(&script, &[&[binary.as_str()], &ASKS[..]].concat());
    let report = report_of(&output);
    assert!(!report["findings"].to_string().contains("RUN002"), "all files may be read: {:#}", report["findings"]);
    let (kept, refused) = (format!("{state}/report.json"), folder.path("report.json"));
    let written = alone(&script, &[&[binary.as_str()], &ASKS[..], &["-o", &kept]].concat());
    assert_eq!(status(&written), Some(1), "{}", text(&written.stderr));
    assert!(json(&fs::read_to_string(&kept).expect("the report"))["verdict"].is_object());
    let line = refused_in_one_line(&alone(&script, &[&[binary.as_str()], &ASKS[..], &["-o", &refused]].concat()), 3);
    assert!(line.contains("cannot write"), "{line}");
}

/// Runs the program below a limit that a shell sets: a report, or one sentence and status 3.
fn below(limit: &str, disk: &str) -> Option<i32> {
    let script = format!("{limit}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_ampls-doctor"), "check", "--root", disk, "--format", "json"]);
    let output = command.stdin(Stdio::null()).output().expect("a shell");
    if status(&output) == Some(3) {
        let line = refused_in_one_line(&output, 3);
        assert!(
            line.starts_with("ampls-doctor: ") && !line.contains(".rs") && !line.contains("a fault"),
            "{limit}: {line}"
        );
    } else {
        assert!(matches!(status(&output), Some(0 | 1)), "{limit}: {:?} {}", output.status, text(&output.stderr));
        assert!(output.stderr.is_empty(), "{limit}: {}", text(&output.stderr));
        assert!(json(&text(&output.stdout))["verdict"].is_object(), "{limit}");
    }
    status(&output)
}

#[test]
fn every_step_of_a_ladder_of_limits_is_a_report_or_a_sentence() {
    let disk = Folder::new("ladder-disk");
    let disk = disk.path("");
    for (files, enough) in [(16, false), (32, false), (47, false), (48, true), (64, true), (256, true)] {
        let found = below(&format!("ulimit -n {files}"), &disk);
        assert_eq!(found != Some(3), enough, "{files} files");
    }
    // Kibibytes of memory.
    for memory in [2_000, 8_000, 16_000, 20_000, 24_000, 28_000, 32_000, 48_000, 64_000, 96_000] {
        below(&format!("ulimit -d {memory}"), &disk);
    }
    // Of address space, beyond what the program's own file takes at most.
    let own = fs::metadata(env!("CARGO_BIN_EXE_ampls-doctor")).expect("the program").len() / 1024;
    for more in [0, 8_000, 16_000, 24_000, 32_000, 48_000, 64_000, 80_000, 96_000, 112_000, 128_000, 192_000, 256_000] {
        below(&format!("ulimit -v {}", own + more), &disk);
    }
    assert_ne!(below(&format!("ulimit -v {}", own + 1_000_000), &disk), Some(3));
}
