//! POSIX shells, by running: programs on PATH note that they were started, and with how many arguments.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use ampls_doctor::diagnose::command::Command;

use super::harmless;
use crate::hosts::Root;

/// All shells that the commands are run in.
const SHELLS: [&[&str]; 3] = [&["/bin/bash", "--norc"], &["/bin/dash"], &["/bin/busybox", "sh"]];

/// Every program of the templates, and those that hostile texts try to start.
const PROGRAMS: &[&str] = &[
    "ampls-doctor",
    "apt-get",
    "awk",
    "az",
    "azcmagent",
    "calc.exe",
    "cat",
    "certutil",
    "chronyc",
    "cmp",
    "curl",
    "df",
    "dig",
    "dnf",
    "env",
    "getent",
    "grep",
    "head",
    "id",
    "ip",
    "ls",
    "mkdir",
    "named-checkconf",
    "nslookup",
    "openssl",
    "ping",
    "resolvectl",
    "rm",
    "rndc",
    "route",
    "sed",
    "sudo",
    "systemctl",
    "tail",
    "tee",
    "timedatectl",
    "touch",
    "tracepath",
    "w32tm",
    "word1",
    "zq",
];

/// Programs by name, with the number of their arguments, sorted: a pipe starts them in any order.
type Started = Vec<String>;

/// Fails with the commands that start other programs than their templates do, or with more or fewer arguments.
pub(super) fn examine(commands: &[&Command]) {
    if commands.is_empty() {
        return;
    }
    let mut lines: Vec<String> = commands.iter().map(|command| command.as_str().to_owned()).collect();
    lines.extend(commands.iter().map(|command| harmless(command.template())));
    for shell in SHELLS {
        let started = run(shell, &lines);
        let (given, wanted) = started.split_at(commands.len());
        let wrong: Vec<String> = commands
            .iter()
            .zip(given.iter().zip(wanted))
            .filter(|(_, (given, wanted))| given != wanted)
            .map(|(command, (given, wanted))| {
                format!("{}\n    started {given:?}\n    not {wanted:?}", command.as_str())
            })
            .collect();
        assert!(wrong.is_empty(), "{shell:?}:\n{}", wrong.join("\n"));
        assert!(given.iter().any(|started| !started.is_empty()), "nothing was started in {shell:?}");
    }
}

/// Whether two lines start different programs in some shell.
pub(super) fn differs(one: &str, other: &str) -> bool {
    SHELLS.iter().any(|shell| {
        let started = run(shell, &[one.to_owned(), other.to_owned()]);
        started[0] != started[1]
    })
}

/// Runs all lines in one process of a shell, each in a subshell, in an empty folder and a network namespace of its own where
/// that is allowed.
fn run(shell: &[&str], lines: &[String]) -> Vec<Started> {
    let root = Root::new();
    let (stubs, work, notes) = (root.0.join("stubs"), root.0.join("work"), root.0.join("notes"));
    fs::create_dir(&stubs).expect("a folder");
    fs::create_dir(&work).expect("a folder");
    stub(&stubs.join("stub"));
    for program in PROGRAMS {
        std::os::unix::fs::symlink("stub", stubs.join(program)).expect("a link");
    }
    let mut script = String::new();
    for (number, line) in lines.iter().enumerate() {
        let quoted = line.replace('\'', r"'\''");
        writeln!(script, "ID={number}; export ID; ( eval '{quoted}' ) 2>>../errors").expect("memory takes it");
    }
    fs::write(root.0.join("script"), script).expect("a file");
    let alone =
        Process::new("unshare").args(["-rn", "true"]).stderr(Stdio::null()).status().is_ok_and(|it| it.success());
    let before: &[&str] = if alone { &["unshare", "-rn"] } else { &[] };
    let words: Vec<&str> = before.iter().chain(shell).copied().collect();
    let status = Process::new(find(words[0]))
        .args(&words[1..])
        .arg("../script")
        .current_dir(&work)
        .env_clear()
        .env("PATH", &stubs)
        .env("NOTES", &notes)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .expect("the shell runs");
    let errors = fs::read_to_string(root.0.join("errors")).unwrap_or_default();
    assert!(!errors.contains("not found"), "{shell:?} ({status}): a program without a stub: {errors}");
    let left: Vec<_> =
        fs::read_dir(&work).expect("the folder").filter_map(Result::ok).map(|it| it.file_name()).collect();
    assert!(left.is_empty(), "files were made: {left:?}");
    let mut started: Vec<Started> = vec![Vec::new(); lines.len()];
    for note in fs::read_to_string(&notes).unwrap_or_default().lines() {
        let (number, what) = note.split_once(' ').expect("a number first");
        started[number.parse::<usize>().expect("a number")].push(what.to_owned());
    }
    for it in &mut started {
        it.sort();
    }
    started
}

fn find(program: &str) -> String {
    let places = ["/usr/bin", "/bin", "/usr/sbin"].map(|folder| format!("{folder}/{program}"));
    if program.starts_with('/') {
        return program.to_owned();
    }
    places.into_iter().find(|place| Path::new(place).exists()).expect("the program")
}

fn stub(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    fs::write(path, "#!/bin/dash\nprintf '%s %s %s\\n' \"$ID\" \"${0##*/}\" \"$#\" >> \"$NOTES\"\n").expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// Lines of BIND's configuration, by BIND's own parser: as many zones as lines, and nothing else.
pub(super) fn configuration(commands: &[&Command]) {
    if commands.is_empty() {
        return;
    }
    let lines: BTreeSet<&str> = commands.iter().map(|command| command.as_str()).collect();
    let root = Root::new();
    let file = root.0.join("named.conf");
    fs::write(&file, lines.iter().copied().collect::<Vec<_>>().join("\n")).expect("a file");
    let output = Process::new(find("named-checkconf")).arg("-p").arg(&file).output().expect("named-checkconf runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", lines.iter().copied().collect::<Vec<_>>().join("\n"));
    assert_eq!(text.matches("zone \"").count(), lines.len(), "{text}");
    assert!(!text.contains("include") && !text.contains("type master"), "{text}");
}
