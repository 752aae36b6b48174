//! Options before the command: they are its own, wherever they stand.

use std::ffi::OsString;

use clap::{ArgAction, CommandFactory};

use super::args::Cli;

/// The arguments with the command first, since `-v demo` means `demo -v`, and with `help` and `version`, which are options
/// here, in their place.
pub(super) fn command_first(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let Some(place) = command(&arguments) else { return arguments };
    if let Some(front) = arguments.get_mut(1..=place) {
        front.rotate_right(1);
    }
    match arguments.get(1).and_then(|name| name.to_str()) {
        Some("help") => {
            // Of `help check` the rest is a command, of `help` alone nothing is left.
            arguments.remove(1);
            arguments = command_first(arguments);
            arguments.push("--help".into());
        }
        Some("version") => arguments = arguments.into_iter().take(1).chain(["--version".into()]).collect(),
        _ => {}
    }
    arguments
}

/// Where the first argument stands that is neither an option nor the value of one.
fn command(arguments: &[OsString]) -> Option<usize> {
    let cli = Cli::command();
    let takes_value = |wanted: &dyn Fn(&clap::Arg) -> bool| {
        let option = cli.get_arguments().find(|option| wanted(option));
        option.is_some_and(|option| matches!(option.get_action(), ArgAction::Set | ArgAction::Append))
    };
    let mut place = 1;
    while let Some(argument) = arguments.get(place) {
        let text = argument.to_string_lossy();
        let value_follows = if let Some(long) = text.strip_prefix("--") {
            if long.is_empty() {
                return None;
            }
            takes_value(&|option| option.get_long() == Some(long))
        } else if let Some(shorts) = text.strip_prefix('-').filter(|shorts| !shorts.is_empty()) {
            // The first of them that takes a value takes the rest of the word, or the next one where nothing is left.
            let first =
                shorts.char_indices().find(|(_, short)| takes_value(&|option| option.get_short() == Some(*short)));
            first.is_some_and(|(at, short)| at + short.len_utf8() == shorts.len())
        } else {
            return Some(place);
        };
        place += if value_follows { 2 } else { 1 };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(line: &str) -> String {
        let arguments = line.split(' ').map(OsString::from);
        let ordered = command_first(arguments).into_iter().map(|argument| argument.into_string().expect("UTF-8"));
        ordered.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn options_before_a_command_are_its_own() {
        for (line, wanted) in [
            ("x -v demo", "x demo -v"),
            ("x --format json demo zone", "x demo --format json zone"),
            ("x --format=json -qo file demo", "x demo --format=json -qo file"),
            ("x -ofile judge a", "x judge -ofile a"),
            ("x --color never -o demo judge a", "x judge --color never -o demo a"),
            ("x -v tail", "x tail -v"),
            ("x demo -v", "x demo -v"),
            ("x -v", "x -v"),
            ("x --expect private", "x --expect private"),
            ("x -- demo", "x -- demo"),
            ("x", "x"),
        ] {
            assert_eq!(ordered(line), wanted);
        }
    }

    #[test]
    fn help_and_version_are_commands_too() {
        for (line, wanted) in [
            ("x help", "x --help"),
            ("x help check", "x check --help"),
            ("x -v help judge", "x judge -v --help"),
            ("x version", "x --version"),
            ("x explain help", "x explain help"),
        ] {
            assert_eq!(ordered(line), wanted);
        }
    }
}
