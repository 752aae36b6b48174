//! Disks whose server is gone: what is to be read of them never comes, and every run ends all the same.
#![cfg(target_os = "linux")]

use std::sync::OnceLock;

use super::super::needs;
use super::signals::{ended, hears};
use super::*;

/// Makes the folder `$0` a FUSE file system that nobody serves, as a share is whose server is gone, and becomes the program that the
/// other arguments name. A thread that reads it sleeps where no signal but one that ends the process wakes it.
pub(crate) const DEAD_MOUNT: &str = "exec 9<>/dev/fuse && mount -i -t fuse \
    -o fd=9,rootmode=40000,user_id=0,group_id=0 dead \"$0\" && exec \"$@\"";

/// Whether such a file system can be made here; without it a test is skipped.
pub(crate) fn possible() -> bool {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    let tried = || {
        let folder = Folder::new("dead-mount-tried");
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", DEAD_MOUNT, &folder.path(""), "true"]);
        command.output().is_ok_and(|output| output.status.success())
    };
    *POSSIBLE.get_or_init(tried) || needs::without("a mount namespace and /dev/fuse")
}

/// The program with these arguments, where this folder is on such a file system. What it says goes to `said` beside the disk.
fn beside(folder: &Folder, dead: &str, arguments: &[&str]) -> Child {
    let said = fs::File::create(folder.path("said")).expect("a file");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", DEAD_MOUNT, dead, "env", "--default-signal=HUP,INT,TERM"]);
    command.arg(env!("CARGO_BIN_EXE_ampls-doctor")).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    command.spawn().expect("a child")
}

/// A disk with some files, and a folder of it.
fn disk(folder: &Folder, place: &str) -> (String, String) {
    let disk = folder.path("disk");
    for path in ["etc", place] {
        fs::create_dir_all(Path::new(&disk).join(path)).expect("a folder");
    }
    for (path, text) in [("etc/os-release", "PRETTY_NAME=\"Some Linux\"\n"), ("etc/passwd", "u:x:1::/home/u:/bin/sh\n")]
    {
        fs::write(Path::new(&disk).join(path), text).expect("a file");
    }
    let dead = Path::new(&disk).join(place).display().to_string();
    (disk, dead)
}

#[test]
fn a_disk_that_never_answers_is_an_error_with_a_message() {
    if !possible() {
        return;
    }
    for command in ["check", "plan"] {
        for place in ["", "etc"] {
            let folder = Folder::new(&format!("dead-disk-{command}-{place}"));
            let (disk, dead) = disk(&folder, place);
            let mut child = beside(&folder, &dead, &[command, "--root", &disk, "--deadline", "1"]);
            let status = ended(&mut child);
            let said = fs::read_to_string(folder.path("said")).expect("what it said");
            assert_eq!((status, said.lines().count()), (Some(3), 1), "{command} {place}: {said}");
            assert!(said.contains("did not answer within 1 s"), "{command} {place}: {said}");
        }
    }
}

#[test]
fn a_folder_that_never_answers_takes_no_more_than_the_deadline_and_is_named() {
    if !possible() {
        return;
    }
    // Without the agents' files nothing is known of what is required; browsers decide nothing.
    let places = [("opt/microsoft", 1), ("etc/opt", 1), ("var/lib", 1), ("home", 0)];
    // Side by side: each takes its whole deadline, in which a busy machine has to read the rest of the disk.
    let runs = places.map(|(place, wanted)| {
        let folder = Folder::new(&format!("dead-{}", place.replace('/', "-")));
        let (disk, dead) = disk(&folder, place);
        let report = folder.path("report.json");
        let arguments =
            ["check", "--root", &disk, "--browsers", "all", "--deadline", "30", "--format", "json", "-o", &report];
        let child = beside(&folder, &dead, &arguments);
        (place, wanted, folder, report, child)
    });
    for (place, wanted, folder, report, mut child) in runs {
        let status = ended(&mut child);
        let said = fs::read_to_string(folder.path("said")).expect("what it said");
        assert_eq!(status, Some(wanted), "{place}: {said}");
        let report = json(&fs::read_to_string(&report).expect("a report"));
        assert_eq!(report["run"]["complete"], false, "{place}: {report:#}");
        let cancelled = report["findings"].to_string().contains("RUN001");
        assert!(cancelled, "{place}: {:#}", report["findings"]);
    }
}

#[test]
fn signals_end_a_run_beside_a_folder_that_never_answers() {
    if !possible() {
        return;
    }
    for signal in ["INT", "TERM", "HUP"] {
        let folder = Folder::new(&format!("dead-signal-{signal}"));
        let (disk, dead) = disk(&folder, "opt/microsoft");
        let report = folder.path("report.json");
        let arguments = ["check", "--root", &disk, "--deadline", "3600", "--format", "json", "-o", &report];
        let mut child = beside(&folder, &dead, &arguments);
        hears(&child);
        assert!(send(&child, signal));
        assert_eq!(ended(&mut child), Some(3), "{signal}: nothing was judged");
        let report = json(&fs::read_to_string(&report).expect("the report so far"));
        assert_eq!(report["run"]["stopped"], "interrupt", "{signal}");
    }
}
