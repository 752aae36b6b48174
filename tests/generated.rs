//! Files that are made from the code: checked on every run, rewritten by `UPDATE=1 cargo test`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ampls_doctor::cli::{commands, completions, manual};
use ampls_doctor::diagnose::rules::RULES;
use ampls_doctor::report::schema;
use clap_complete::Shell;

use super::screen;

#[test]
fn code_pages_are_fresh() {
    let folder = packaging("docs/codes");
    let mut expected = BTreeSet::new();
    for rule in RULES {
        let file = folder.join(format!("{}.md", rule.code));
        check(&file, &rule.page_markdown());
        expected.insert(file);
    }
    let present: BTreeSet<PathBuf> =
        fs::read_dir(&folder).expect("the folder of pages").map(|entry| entry.expect("an entry").path()).collect();
    let stray: Vec<_> = present.difference(&expected).collect();
    assert!(stray.is_empty(), "pages without a rule: {stray:?}");
}

#[test]
fn the_schema_is_fresh() {
    let mut text = serde_json::to_string_pretty(&schema()).expect("JSON");
    text.push('\n');
    check(&packaging("report.schema.json"), &text);
}

#[test]
fn completions_are_fresh() {
    for (shell, name) in [
        (Shell::Bash, "ampls-doctor.bash"),
        (Shell::Zsh, "_ampls-doctor"),
        (Shell::Fish, "ampls-doctor.fish"),
        (Shell::PowerShell, "ampls-doctor.ps1"),
        (Shell::Elvish, "ampls-doctor.elv"),
    ] {
        let text = String::from_utf8(completions(shell)).expect("UTF-8");
        check(&packaging("completions").join(name), &text);
    }
}

/// The first page points to the others.
#[test]
fn manual_pages_are_fresh() {
    let folder = packaging("man");
    let mut expected = BTreeSet::new();
    for command in commands().iter().map(|name| Some(name.as_str())).chain([None]) {
        let file = folder.join(command.map_or("ampls-doctor.1".to_owned(), |name| format!("ampls-doctor-{name}.1")));
        let mut page = Vec::new();
        manual(command, &mut page).expect("memory takes it");
        check(&file, &String::from_utf8(page).expect("UTF-8"));
        expected.insert(file);
    }
    let present = fs::read_dir(&folder).expect("the folder of pages").map(|entry| entry.expect("an entry").path());
    assert_eq!(present.collect::<BTreeSet<PathBuf>>(), expected, "a page for each command, and no other");
}

/// The pictures beside them are drawn from the same reports by `packaging/pictures/draw`.
#[test]
fn the_readmes_screens_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = root.join("README.md");
    let mut rest = fs::read_to_string(&readme).expect("the readme");
    let mut fresh = String::new();
    let mut screens = 0;
    while let Some((before, after)) = rest.split_once("<!-- screen ") {
        let (world, after) = after.split_once(" -->\n").expect("the name of a world");
        let (_, after) = after.split_once("<!-- end -->").expect("the end of a screen");
        let shown = screen::of_report(&root.join(format!("tests/reports/0.1.0/{world}.json")));
        assert!(shown.contains("vm-app-01") && !shown.contains("```"), "{world}: {shown}");
        fresh = format!("{fresh}{before}<!-- screen {world} -->\n```text\n{shown}```\n<!-- end -->");
        rest = after.to_owned();
        screens += 1;
    }
    assert_eq!(screens, 3, "one healthy and two broken worlds");
    check(&readme, &(fresh + &rest));
}

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name)
}

/// Compares a file with what it should be, or writes it when asked to.
fn check(file: &Path, content: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().expect("a folder")).expect("the folder can be made");
        fs::write(file, content).expect("the file can be written");
        return;
    }
    let present = fs::read_to_string(file).unwrap_or_default();
    assert!(present == content, "{} is out of date: UPDATE=1 cargo test", file.display());
}
