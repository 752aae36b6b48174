//! Files that are made from the code: checked on every run, rewritten by `UPDATE=1 cargo test`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ampls_doctor::cli::{commands, completions, manual};
use ampls_doctor::diagnose::command::Command;
use ampls_doctor::diagnose::finding::Finding;
use ampls_doctor::diagnose::rules::RULES;
use ampls_doctor::render::explain::{RulePage, index};
use ampls_doctor::report::schema;
use ampls_doctor::what_if;
use ampls_doctor::{facts_file, fleet};
use ampls_world::Scenario;
use clap_complete::Shell;

use super::scenarios::{observe, side_by_side};
use super::screen;

#[test]
fn code_pages_are_fresh() {
    let folder = packaging("docs/codes");
    let mut expected = BTreeSet::new();
    for page in pages() {
        let file = folder.join(format!("{}.md", page.code));
        check(&file, &page.page);
        expected.insert(file);
    }
    let present: BTreeSet<PathBuf> =
        fs::read_dir(&folder).expect("the folder of pages").map(|entry| entry.expect("an entry").path()).collect();
    let stray: Vec<_> = present.difference(&expected).collect();
    assert!(stray.is_empty(), "pages without a rule: {stray:?}");
}

/// Every page is linked from the first one, and every link leads to a page.
#[test]
fn the_index_of_the_pages_is_fresh() {
    let folder = packaging("docs");
    let (index, words) = (index::index(&pages()), index::words());
    check(&folder.join("README.md"), &index);
    check(&folder.join("words.md"), &words);
    let linked = |page: &str| -> BTreeSet<String> {
        let ends = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        ends.filter(|target| Path::new(target).extension().is_some_and(|it| it == "md")).map(str::to_owned).collect()
    };
    let codes: BTreeSet<String> = RULES.iter().map(|rule| format!("codes/{}.md", rule.code)).collect();
    assert!(linked(&index).is_superset(&codes), "a page without a link");
    for target in linked(&index).union(&linked(&words)) {
        assert!(folder.join(target).is_file(), "{target}");
    }
    let headings: BTreeSet<String> =
        words.lines().filter_map(|line| line.strip_prefix("## ")).map(|title| title.replace(' ', "-")).collect();
    for anchor in words.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(headings.contains(anchor), "{anchor}");
    }
}

/// The commands of each code, from the first world in which it is found, a root before a consequence.
#[test]
fn the_commands_of_the_codes_are_fresh() {
    let parsed: Vec<Scenario> =
        ampls_world::scenarios().iter().map(|world| world.parse().unwrap_or_else(|error| panic!("{error}"))).collect();
    let chosen: BTreeMap<&str, &Scenario> = RULES
        .iter()
        .filter_map(|rule| {
            let root = |world: &&Scenario| world.expect.roots.iter().any(|code| code == rule.code);
            let caused = |world: &&Scenario| world.expect.caused.contains_key(rule.code);
            Some((rule.code, parsed.iter().find(root).or_else(|| parsed.iter().find(caused))?))
        })
        .collect();
    let found: Mutex<BTreeMap<&str, String>> = Mutex::default();
    let worlds: Vec<(&str, &Scenario)> = chosen.into_iter().collect();
    side_by_side(
        &worlds,
        |(code, world)| format!("{code} in {}", world.name),
        |(code, world), pace| {
            let mut world = (*world).clone();
            pace.set(&mut world);
            let seen = observe(&world)?;
            let Some(lines) = seen.findings.iter().find(|finding| finding.code == *code).map(commands_of) else {
                return Ok(vec!["is not found".to_owned()]);
            };
            found.lock().expect("no thread panics while it holds the list").insert(*code, lines);
            Ok(Vec::new())
        },
    );
    let found = found.into_inner().expect("all threads have ended");
    let list: String = found.iter().flat_map(|(code, lines)| [code, "\n", lines.as_str()]).collect();
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/render/explain/commands.txt"), &list);
}

/// A line each, without repetitions: what only looks, what changes, what takes it back.
fn commands_of(finding: &Finding) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |kind: &str, commands: &[Command]| {
        for command in commands {
            let line = format!("{kind}: {}\n", command.of_any_machine());
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    };
    for fix in &finding.fix {
        add("look", fix.check_first.as_ref().map(|advice| advice.commands.as_slice()).unwrap_or_default());
        let kind = match (fix.read_only, fix.alternative) {
            (true, _) => "look",
            (false, true) => "or",
            (false, false) => "run",
        };
        add(kind, &fix.commands);
        add("undo", fix.undo.as_ref().map(|advice| advice.commands.as_slice()).unwrap_or_default());
    }
    lines.concat()
}

fn pages() -> Vec<RulePage> {
    RULES.iter().map(|rule| RulePage::from(*rule)).collect()
}

#[test]
fn the_schemas_are_fresh() {
    for (name, schema) in [
        ("report", schema()),
        ("fleet", fleet::schema()),
        ("fleet-row", fleet::row_schema()),
        ("what-if", what_if::schema()),
        ("azure-facts", facts_file::schema()),
    ] {
        let mut text = serde_json::to_string_pretty(&schema).expect("JSON");
        text.push('\n');
        check(&packaging(&format!("{name}.schema.json")), &text);
    }
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
    assert_eq!(screens, 2, "a healthy and a broken world");
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
