//! `cmd.exe`, by a grammar, and by its rules for quotes: what a word smuggles in is another command, a variable or a redirection
//! in the tree, or one more argument.

use std::collections::BTreeMap;

use ampls_doctor::diagnose::command::Command;
use tree_sitter::{Node, Parser};

use super::harmless;

/// Fails with the commands that cmd would read as other commands than their templates.
pub(super) fn examine(commands: &[&Command]) {
    let mut templates: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for command in commands {
        let template = command.template();
        let wanted = templates.entry(template).or_insert_with(|| shape(&harmless(template)));
        let given = shape(command.as_str());
        if given != *wanted {
            wrong.push(format!("{}\n    of {template}: {given:?}", command.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether cmd reads two lines as different commands.
pub(super) fn differs(one: &str, other: &str) -> bool {
    shape(one) != shape(other)
}

/// The names of all commands, the kinds of all that is more than a command with arguments, every error, and how many arguments
/// there are.
fn shape(line: &str) -> Vec<String> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_batch::LANGUAGE.into()).expect("the grammar");
    let tree = parser.parse(format!("{line}\n"), None).expect("a tree");
    let mut found = Vec::new();
    walk(tree.root_node(), line, &mut found);
    found.push(arguments(line).to_string());
    found
}

fn walk(node: Node<'_>, line: &str, found: &mut Vec<String>) {
    const PLAIN: [&str; 6] = ["program", "cmd", "argument_list", "argument_value", "string", "command_option"];
    if node.is_error() || node.is_missing() {
        found.push("error".to_owned());
    }
    match node.kind() {
        "command_name" => found.push(line.get(node.byte_range()).unwrap_or_default().to_owned()),
        // In a string a variable is replaced too, and the grammar does not look there.
        "string" if line.get(node.byte_range()).is_some_and(|text| text.contains(['%', '!'])) => {
            found.push("variable".to_owned());
        }
        kind if node.is_named() && !PLAIN.contains(&kind) => found.push(kind.to_owned()),
        _ => {}
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        walk(child, line, found);
    }
}

/// Arguments as the runtime of Microsoft's C splits them: at blanks outside quotes.
/// Source: <https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments>
fn arguments(line: &str) -> usize {
    let (mut count, mut quoted, mut within) = (0, false, false);
    for character in line.chars() {
        quoted ^= character == '"';
        let blank = !quoted && matches!(character, ' ' | '\t');
        count += usize::from(!blank && !within);
        within = !blank;
    }
    count
}
