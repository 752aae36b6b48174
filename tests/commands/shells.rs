//! POSIX shells, by running: programs on PATH note that they were started, and with which arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::panic::resume_unwind;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::LazyLock;
use std::{fs, thread};

use ampls_doctor::diagnose::command::Command;

use super::harmless;
use crate::hosts::Root;
use crate::needs;

/// All shells that the commands are run in, where they are installed.
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
    "findmnt",
    "getent",
    "grep",
    "head",
    "id",
    "ip",
    "journalctl",
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

/// Programs, each with its arguments.
type Started = Vec<Vec<String>>;

/// Lines that one process of a shell runs.
const AT_ONCE: usize = 4_000;

/// What stands between the arguments of a note, and after it. No command holds them.
const BETWEEN: char = '\u{1f}';
const AFTER: char = '\u{1e}';

/// Fails with the commands that start other programs than their templates do, or give them other arguments.
pub(super) fn examine(commands: &[&Command]) {
    if commands.is_empty() {
        return;
    }
    let templates: Vec<&str> =
        commands.iter().map(|command| command.template()).collect::<BTreeSet<_>>().into_iter().collect();
    let wrong: Vec<String> = thread::scope(|scope| {
        let shells: Vec<_> = shells().map(|shell| scope.spawn(|| examine_in(shell, commands, &templates))).collect();
        shells.into_iter().flat_map(|shell| shell.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn shells() -> impl Iterator<Item = &'static [&'static str]> {
    let name = |shell: &&'static [&'static str]| shell[0].rsplit('/').next().unwrap_or_default();
    SHELLS.into_iter().filter(move |shell| needs::programs(&[name(shell)]))
}

fn examine_in(shell: &[&str], commands: &[&Command], templates: &[&str]) -> Vec<String> {
    let harmless: Vec<String> = templates.iter().map(|template| harmless(template)).collect();
    let wanted: BTreeMap<&str, Started> = templates.iter().copied().zip(run(shell, &harmless)).collect();
    assert!(wanted.values().any(|started| !started.is_empty()), "nothing was started in {shell:?}");
    let mut wrong = Vec::new();
    for some in commands.chunks(AT_ONCE) {
        let lines: Vec<String> = some.iter().map(|command| command.as_str().to_owned()).collect();
        for (command, given) in some.iter().zip(run(shell, &lines)) {
            let wanted = &wanted[command.template()];
            if !is_alike(command.as_str(), &given, wanted) {
                wrong.push(format!("{shell:?}: {}\n    started {given:?}\n    not {wanted:?}", command.as_str()));
            }
        }
    }
    wrong
}

/// Whether two lines start different programs in some shell.
pub(super) fn differs(one: &str, other: &str) -> bool {
    shells().any(|shell| {
        let started = run(shell, &[one.to_owned(), other.to_owned()]);
        !is_alike(one, &started[0], &started[1])
    })
}

/// What each line starts in a POSIX shell, one after the other.
pub(super) fn in_dash(lines: &[String]) -> Vec<Vec<Vec<String>>> {
    run(SHELLS[1], lines)
}

/// Whether the same programs were started, in any order: a pipe has none. An argument is the template's with some text for each
/// word, which stands in the line as it came: nothing was made of it.
fn is_alike(line: &str, given: &Started, wanted: &Started) -> bool {
    let plain = |text: &str| text.replace(['\'', '"', '\\'], "");
    let line = plain(line);
    let fits = |given: &str, wanted: &str| fits(given, wanted) && line.contains(&plain(given));
    let mut left: Vec<&Vec<String>> = wanted.iter().collect();
    let all = given.iter().all(|given| {
        let found = left.iter().position(|wanted| {
            given.len() == wanted.len()
                && given.iter().zip(*wanted).all(|(given, wanted)| given == wanted || fits(given, wanted))
        });
        found.map(|at| left.swap_remove(at)).is_some()
    });
    all && left.is_empty()
}

/// Whether the argument is the wanted one with at least a character for each word.
fn fits(given: &str, wanted: &str) -> bool {
    let parts: Vec<&str> = wanted.split("word1").collect();
    let [first, between @ .., last] = parts.as_slice() else { return given == wanted };
    let Some(mut rest) = given.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    for part in between {
        let Some((begin, _)) = rest.char_indices().nth(1) else { return false };
        let Some((_, after)) = rest[begin..].split_once(part) else { return false };
        rest = after;
    }
    !rest.is_empty()
}

/// Runs all lines in one process of a shell, each in a subshell, in a folder with two files and a network namespace of its own
/// where that is allowed.
fn run(shell: &[&str], lines: &[String]) -> Vec<Started> {
    let root = Root::new();
    let (stubs, work, notes) = (root.0.join("stubs"), root.0.join("work"), root.0.join("notes"));
    fs::create_dir(&stubs).expect("a folder");
    fs::create_dir(&work).expect("a folder");
    // What fits a pattern: an asterisk that a shell reads becomes two arguments.
    for file in ["a", "b"] {
        fs::write(work.join(file), "").expect("a file");
    }
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
    let before: &[&str] = if has_namespaces() { &["unshare", "-rn"] } else { &[] };
    let words: Vec<&str> = before.iter().chain(shell).copied().collect();
    let status = Process::new(find(words[0]))
        .args(&words[1..])
        .arg("../script")
        .current_dir(&work)
        .env_clear()
        .env("PATH", &stubs)
        .env("NOTES", &notes)
        .env("HOME", "/of somebody")
        .env("AFTER", AFTER.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .expect("the shell runs");
    let errors = fs::read_to_string(root.0.join("errors")).unwrap_or_default();
    assert!(!errors.contains("not found"), "{shell:?} ({status}): a program without a stub: {errors}");
    let left: BTreeMap<_, _> = fs::read_dir(&work)
        .expect("the folder")
        .filter_map(Result::ok)
        .map(|it| (it.file_name(), it.metadata().map_or(1, |it| it.len())))
        .collect();
    assert_eq!(left, BTreeMap::from([("a".into(), 0), ("b".into(), 0)]), "files were made or written");
    let mut started: Vec<Started> = vec![Vec::new(); lines.len()];
    let notes = fs::read_to_string(&notes).unwrap_or_default();
    for note in notes.split(AFTER).map(|note| note.trim_start_matches(BETWEEN)).filter(|note| !note.is_empty()) {
        let mut fields = note.split_terminator(BETWEEN).map(str::to_owned);
        let number: usize = fields.next().and_then(|it| it.parse().ok()).expect("a number first");
        started[number].push(fields.collect());
    }
    started
}

fn has_namespaces() -> bool {
    static ALLOWED: LazyLock<bool> = LazyLock::new(|| {
        Process::new("unshare").args(["-rn", "true"]).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
    });
    *ALLOWED
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

    fs::write(path, "#!/bin/dash\nprintf '%s\\037' \"$ID\" \"${0##*/}\" \"$@\" \"$AFTER\" >> \"$NOTES\"\n")
        .expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// Lines of BIND's configuration, by BIND's own parser: as many zones as lines, and nothing else.
pub(super) fn configuration(commands: &[&Command]) {
    if commands.is_empty() || !needs::programs(&["named-checkconf"]) {
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
