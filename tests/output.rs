//! Disks that are full and folders that take nothing: a mount namespace of the test's own stands for them.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Command, Output};

use super::cli::{Folder, report, text};
use super::needs;

/// Runs a script in a mount namespace where `$folder` is a file system of its own; `None` where that is not possible.
fn in_own_mounts(folder: &Folder, script: &str) -> Option<Output> {
    let possible = Command::new("unshare").args(["-m", "true"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        needs::without("a mount namespace");
        return None;
    }
    let script = format!("set -e\nmount -t tmpfs -o size=64k,mode=0700 none \"$folder\"\n{script}");
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", &script]);
    command.env("folder", &folder.0).env("doctor", env!("CARGO_BIN_EXE_ampls-doctor"));
    Some(command.output().expect("unshare runs"))
}

#[test]
fn a_full_disk_leaves_the_old_report_whole_and_nothing_beside_it() {
    let (folder, saved) = (Folder::new("full"), Folder::new("full-saved"));
    let file = report(&saved, "zone-not-linked-ods", 1);
    assert!(fs::metadata(&file).expect("the report").len() > 70_000, "the report has to be larger than the disk");
    let script = format!(
        "echo old > \"$folder/report.json\"\n\
         \"$doctor\" judge '{file}' --format json -o \"$folder/report.json\" && exit 9 || echo \"status $?\"\n\
         cat \"$folder/report.json\"\nls -A \"$folder\""
    );
    let Some(output) = in_own_mounts(&folder, &script) else { return };
    assert_eq!(text(&output.stdout), "status 3\nold\nreport.json\n", "{}", text(&output.stderr));
    let line = text(&output.stderr);
    assert!(line.lines().count() == 1 && line.starts_with("ampls-doctor: cannot write `"), "{line}");
}

#[test]
fn a_read_only_folder_is_refused_before_the_work() {
    let (folder, saved) = (Folder::new("read-only"), Folder::new("read-only-saved"));
    let file = report(&saved, "healthy-private", 0);
    let script = format!(
        "mount -o remount,ro \"$folder\"\n\
         \"$doctor\" judge '{file}' --format html -o \"$folder/page.html\" && exit 9 || echo \"status $?\"\n\
         ls -A \"$folder\""
    );
    let Some(output) = in_own_mounts(&folder, &script) else { return };
    assert_eq!(text(&output.stdout), "status 3\n", "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
}
