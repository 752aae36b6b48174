//! PowerShell, by its grammar: a command, a parameter or an argument that a word smuggles in is one in the tree.

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

/// The names of all commands in their order, each with its parameters and the number of its arguments, what is computed otherwise
/// by its kind, and every error.
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
    let text = || line.get(node.byte_range()).unwrap_or_default();
    match node.kind() {
        "command_elements" => found.push(arguments(node).to_string()),
        "command_name" => found.push(text().to_owned()),
        // What stands behind `=` is an argument within the word.
        "command_parameter" => match text().split_once('=') {
            Some((name, _)) => found.push(format!("{name}=")),
            None => found.push(text().to_owned()),
        },
        kind if TELLING.contains(&kind) => found.push(kind.to_owned()),
        _ => {}
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        walk(child, line, found);
    }
}

fn arguments(elements: Node<'_>) -> usize {
    let mut cursor = elements.walk();
    let named = elements.named_children(&mut cursor);
    named.filter(|child| !matches!(child.kind(), "command_argument_sep" | "command_parameter")).count()
}

/// Every command with its arguments, in their order, without quotes.
pub(super) fn calls(line: &str) -> Vec<Vec<String>> {
    fn walk(node: Node<'_>, line: &str, found: &mut Vec<Vec<String>>) {
        let text =
            |node: Node<'_>| line.get(node.byte_range()).unwrap_or_default().trim_matches(['\'', '"', ' ']).to_owned();
        let mut cursor = node.walk();
        if node.kind() == "command" {
            let mut words: Vec<String> = node.child_by_field_name("command_name").map(text).into_iter().collect();
            let mut within = node.walk();
            let elements = node.child_by_field_name("command_elements");
            let elements =
                elements.iter().flat_map(|elements| elements.named_children(&mut within).collect::<Vec<_>>());
            words.extend(elements.filter(|it| it.kind() != "command_argument_sep").map(text));
            found.push(words);
        }
        node.children(&mut cursor).for_each(|child| walk(child, line, found));
    }
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).expect("the grammar");
    let mut found = Vec::new();
    walk(parser.parse(line, None).expect("a tree").root_node(), line, &mut found);
    found
}
