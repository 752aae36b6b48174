//! Commands that change files, run twice on copies: the second run changes nothing, and the undo gives back what was there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command as Process;

use ampls_doctor::diagnose::command::{Command, Language};
use ampls_doctor::diagnose::finding::Fix;

use super::again::{changes, on_windows};
use crate::hosts::Root;
use crate::needs;
use crate::scenarios::observe;

/// What the hosts file holds besides.
const HOSTS: &str = "127.0.0.1 localhost\n10.9.9.9 other.example # NAME\n20.1.2.3 first NAME second\n20.1.2.3\tNAME\n\
                     # 20.1.2.3 NAME\n20.1.2.3 xNAME\n";

/// Runs a change of files for a name twice, and its undo twice.
pub(super) fn run_twice(fix: &Fix, name: &str) {
    let root = Root::new();
    for folder in ["etc/systemd", "etc"] {
        fs::create_dir_all(root.0.join(folder)).expect("a folder");
    }
    fs::write(root.0.join("etc/hosts"), HOSTS.replace("NAME", name)).expect("a file");
    let before = tree(&root.0);
    run(&root.0, &fix.commands);
    let once = tree(&root.0);
    assert_ne!(once, before, "{:?} changed nothing", fix.commands);
    run(&root.0, &fix.commands);
    assert_eq!(tree(&root.0), once, "{:?} changed something again", fix.commands);
    let undo = &fix.undo.as_ref().expect("an undo").commands;
    for _ in 0..2 {
        run(&root.0, undo);
        assert_eq!(tree(&root.0), before, "{undo:?}");
    }
}

/// There is no PowerShell here; Perl reads the same regular expressions, and the command replaces line by line.
#[test]
fn hosts_file_of_windows_is_changed_once() {
    if !needs::programs(&["perl"]) {
        return;
    }
    let embedded = ampls_world::scenario("hosts-entry-public").expect("the world");
    let seen = observe(&embedded.parse().expect("a world")).expect("a run");
    let mut windows = serde_json::to_value(on_windows(&seen.observations)).expect("JSON");
    assert!(super::places::replace(&mut windows, "/seen/*/what/source", r"C:\Windows\System32\drivers\etc\hosts"));
    let windows = serde_json::from_value(windows).expect("observations");
    let mut ran = 0;
    for (fix, name) in changes(&[windows]) {
        let replaces = |command: &&Command| command.as_str().contains("-replace");
        let Some(change) = fix.commands.iter().find(replaces) else { continue };
        let undo = fix.undo.as_ref().and_then(|undo| undo.commands.iter().find(replaces)).expect("an undo");
        let before = HOSTS.replace("NAME", &name);
        let once = replaced(change, &before);
        assert_ne!(once, before, "{change:?}");
        assert_eq!(replaced(change, &once), once, "{change:?}");
        let back = replaced(undo, &once);
        assert_eq!((&back, replaced(undo, &back)), (&before, before.clone()), "{undo:?}");
        ran += 1;
    }
    assert!(ran > 0, "no change of the hosts file of Windows");
}

/// What `-replace 'PATTERN', 'TEXT'` makes of a text.
fn replaced(command: &Command, text: &str) -> String {
    let (_, rest) = command.as_str().split_once("-replace '").expect("a pattern");
    let (pattern, rest) = rest.split_once('\'').expect("its end");
    let with = rest.strip_prefix(", '").and_then(|rest| rest.split_once('\'')).map_or("", |(with, _)| with);
    let root = Root::new();
    let file = root.0.join("hosts");
    fs::write(&file, text).expect("a file");
    let script = "BEGIN { ($p, $w) = splice @ARGV, 0, 2 } s/$p/$w/ig";
    let output = Process::new("perl").args(["-pe", script, pattern, with]).arg(&file).output().expect("perl runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn what_somebody_else_wrote_is_neither_replaced_nor_removed() {
    let embedded = ampls_world::scenarios().iter().find(|it| it.name == "browser-secure").expect("the world");
    let seen = observe(&embedded.parse().expect("a world")).expect("a run");
    let fix = seen.findings.iter().flat_map(|it| &it.fix).find(|fix| touches_files(fix)).expect("a fix").clone();
    let root = Root::new();
    run(&root.0, &fix.commands);
    let (path, _) = tree(&root.0).into_iter().find(|(path, _)| path.ends_with("/ampls.json")).expect("a policy");
    fs::write(root.0.join(&path), "{}").expect("a file");
    let before = tree(&root.0);
    run(&root.0, &fix.commands);
    run(&root.0, &fix.undo.expect("an undo").commands);
    assert_eq!(tree(&root.0), before);
}

/// Whether its commands write files, so that they can be run here.
pub(super) fn touches_files(fix: &Fix) -> bool {
    let writes = |line: &str| line.contains("tee ") || line.contains("sed -i");
    !fix.read_only && fix.commands.iter().any(|it| it.language() == Language::Sh && writes(it.as_str()))
}

/// Runs commands by the real programs, with the files of `root`.
fn run(root: &Path, commands: &[Command]) {
    let moved = |command: &Command| command.as_str().replace("/etc/", &format!("{}/etc/", root.display()));
    let lines: Vec<String> = commands.iter().map(moved).collect();
    let script = format!("sudo() {{ \"$@\"; }}\nsystemctl() {{ :; }}\n{}\n", lines.join("\n"));
    Process::new("/bin/dash").arg("-c").arg(script).output().expect("dash runs");
}

/// Every file with its text.
fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below").display().to_string();
                found.insert(name, fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    found
}
