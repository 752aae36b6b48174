//! Commands that change files, run twice on copies: the second run changes nothing, and the undo gives back what was there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command as Process;

use ampls_doctor::diagnose::command::{Command, Language};
use ampls_doctor::diagnose::finding::Fix;

use crate::hosts::Root;
use crate::scenarios::observe;

/// Worlds with commands that change files, and what the machine holds there.
const WORLDS: [(&str, &[(&str, &str)]); 3] = [
    (
        "hosts-entry-public",
        &[(
            "etc/hosts",
            "127.0.0.1 localhost\n10.9.9.9 other.example # NAME\n20.1.2.3 first NAME second\n20.1.2.3\tNAME\n# 20.1.2.3 NAME\n20.1.2.3 xNAME\n",
        )],
    ),
    ("browser-secure", &[("etc/hosts", "")]),
    ("system-encrypted-dns", &[("etc/hosts", "")]),
];

#[test]
fn the_second_run_changes_nothing_and_the_undo_gives_back_what_was_there() {
    let mut changed = 0;
    for (world, files) in WORLDS {
        let embedded = ampls_world::scenarios().iter().find(|it| it.name == world).expect("the world");
        let seen = observe(&embedded.parse().expect("a world")).expect("a run");
        let name = seen.findings.iter().find_map(|it| it.endpoints.first()).cloned().unwrap_or_default();
        let fixes = seen.findings.iter().flat_map(|it| &it.fix).filter(|fix| touches_files(fix));
        for fix in fixes {
            let root = Root::new();
            for folder in ["etc/systemd", "etc"] {
                fs::create_dir_all(root.0.join(folder)).expect("a folder");
            }
            for (path, text) in files {
                fs::write(root.0.join(path), text.replace("NAME", &name)).expect("a file");
            }
            let before = tree(&root.0);
            run(&root.0, &fix.commands);
            let once = tree(&root.0);
            assert_ne!(once, before, "{world}: {:?} changed nothing", fix.commands);
            run(&root.0, &fix.commands);
            assert_eq!(tree(&root.0), once, "{world}: {:?} changed something again", fix.commands);
            let undo = &fix.undo.as_ref().expect("an undo").commands;
            for _ in 0..2 {
                run(&root.0, undo);
                assert_eq!(tree(&root.0), before, "{world}: {undo:?}");
            }
            changed += 1;
        }
    }
    assert!(changed >= 3, "{changed}");
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

fn touches_files(fix: &Fix) -> bool {
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
