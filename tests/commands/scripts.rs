//! Everything in `packaging` that is written for PowerShell is PowerShell: its grammar reads the scripts, the blocks of the pages,
//! and what the checklist says to run. There is no PowerShell here.

use std::fs;
use std::path::{Path, PathBuf};

use tree_sitter::Parser;

const CHECKLIST: &str = "packaging/windows/CHECKLIST.md";

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files below a folder that have this extension.
fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files(&entry, extension, found);
        } else if entry.extension().is_some_and(|it| it == extension) {
            found.push(entry);
        }
    }
}

/// The lines that the grammar does not understand.
fn errors(text: &str) -> Vec<String> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).expect("the grammar");
    let tree = parser.parse(text, None).expect("a tree");
    let (mut walk, mut found) = (vec![tree.root_node()], Vec::new());
    while let Some(node) = walk.pop() {
        if node.is_error() || node.is_missing() {
            let said = text.get(node.byte_range()).unwrap_or_default();
            found.push(format!("line {}: {said:?}", node.start_position().row + 1));
        }
        let mut cursor = node.walk();
        walk.extend(node.children(&mut cursor));
    }
    found
}

/// What stands between a line that begins a block of PowerShell and the one that ends it.
fn blocks(page: &str) -> Vec<String> {
    let after = page.split("```powershell\n").skip(1);
    after.filter_map(|rest| rest.split_once("\n```").map(|(block, _)| block.to_owned())).collect()
}

/// The commands in the first column of the checklist's tables; a `|` within a cell is written `\|`.
fn commands(checklist: &str) -> Vec<String> {
    const BAR: &str = "\u{0}";
    let rows = checklist.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| run |"));
    let cells = rows.filter_map(|row| row.replace(r"\|", BAR).split('|').nth(1).map(str::to_owned));
    let spans = |cell: String| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(|span| span.replace(BAR, "|")).collect()
    };
    cells.flat_map(spans).collect()
}

#[test]
fn every_script_for_powershell_is_powershell() {
    let mut scripts = Vec::new();
    files(&here("packaging"), "ps1", &mut scripts);
    // Of clap's own making: `.Where{…}` without parentheses is PowerShell, which the grammar does not know.
    scripts.retain(|path| !path.starts_with(here("packaging/completions")));
    let mut pages = Vec::new();
    files(&here("packaging"), "md", &mut pages);
    let mut texts: Vec<(PathBuf, String)> =
        scripts.iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a script"))).collect();
    let blocks_of = |path: &PathBuf| {
        let page = fs::read_to_string(path).expect("a page");
        blocks(&page).into_iter().map(|block| (path.clone(), block)).collect::<Vec<_>>()
    };
    texts.extend(pages.iter().flat_map(blocks_of));
    assert!(scripts.len() >= 2 && texts.len() > scripts.len(), "{} scripts, {} texts", scripts.len(), texts.len());
    let wrong: Vec<String> = texts
        .iter()
        .flat_map(|(path, text)| errors(text).into_iter().map(move |error| format!("{}: {error}", path.display())))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_checklist_says_to_run_is_powershell() {
    let commands = commands(&fs::read_to_string(here(CHECKLIST)).expect("the checklist"));
    assert!(commands.len() >= 30, "{commands:?}");
    let wrong: Vec<String> = commands
        .iter()
        .flat_map(|command| errors(command).into_iter().map(move |error| format!("`{command}`: {error}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_script_of_another_shell_is_not_powershell() {
    for text in ["if [ -e x ]; then echo y; fi", "Get-Content 'x", "foreach ($x in 1..3) {"] {
        assert!(!errors(text).is_empty(), "{text}");
    }
    assert!(errors("Get-Content 'x' | Select-Object -First 1").is_empty());
    assert_eq!(commands("| run | seen |\n|---|---|\n| `a \\| b`, then `c` | `d` |"), ["a | b", "c"]);
    assert_eq!(blocks("x\n```powershell\na\nb\n```\ny"), ["a\nb"]);
}
