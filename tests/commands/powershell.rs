//! PowerShell, by its grammar: a command that a word smuggles in is a command in the tree.

use std::collections::BTreeMap;

use ampls_doctor::diagnose::command::Command;
use tree_sitter::{Node, Parser};

use super::harmless;

/// Fails with the commands that call other commands than their templates do, or that are not PowerShell.
pub(super) fn examine(commands: &[&Command]) {
    let mut templates: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for command in commands {
        let template = command.template();
        let wanted = templates.entry(template).or_insert_with(|| names(&harmless(template)));
        if names(command.as_str()) != *wanted {
            wrong.push(format!("{}\n    of {template}: {:?}", command.as_str(), names(command.as_str())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether two lines call different commands.
pub(super) fn differs(one: &str, other: &str) -> bool {
    names(one) != names(other)
}

/// The names of all commands in their order, what is computed otherwise by its kind, and every error.
fn names(line: &str) -> Vec<String> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).expect("the grammar");
    let tree = parser.parse(line, None).expect("a tree");
    let mut found = Vec::new();
    walk(tree.root_node(), line, &mut found);
    found
}

fn walk(node: Node<'_>, line: &str, found: &mut Vec<String>) {
    const TELLING: [&str; 8] = [
        "sub_expression",
        "script_block_expression",
        "parenthesized_expression",
        "array_expression",
        "variable",
        "redirection",
        "invokation_expression",
        "command_invokation_operator",
    ];
    if node.is_error() || node.is_missing() {
        found.push("error".to_owned());
    }
    match node.kind() {
        "command_name" => found.push(line.get(node.byte_range()).unwrap_or_default().to_owned()),
        kind if TELLING.contains(&kind) => found.push(kind.to_owned()),
        _ => {}
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        walk(child, line, found);
    }
}
