//! What is wrong with the arguments, in one line of this program's own style.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::args::{COMMANDS, Cli};
use crate::render::page::inert;
use crate::text::{distance, or_list, quote};

/// What a parse error says, in one line; `None` for help and version, which are not errors.
pub(super) fn one_line(error: &clap::Error) -> Option<String> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return None;
    }
    let mut text = error.to_string();
    for (_, value) in error.context() {
        // Quoted, a value cannot be taken for the lines below that are left out. Clap puts dots behind what may be repeated.
        for value in strings(value) {
            text = text.replace(&format!("'{value}'"), &quote(value.strip_suffix("...").unwrap_or(value)));
        }
    }
    // Clap's tips (`to pass '--x' as a value, use '-- --x'`) are wrong where nothing takes such a value.
    let left_out = |line: &str| line.is_empty() || line.starts_with("tip:") || line.starts_with("For more information");
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let line = lines.filter(|line| !left_out(line)).collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches("error: ");
    let line = if error.kind() == ErrorKind::UnknownArgument { line.trim_end_matches(" found") } else { line };
    Some(inert(&format!("{line}{}", meant(error))))
}

/// What may have been meant, the nearest first.
fn meant(error: &clap::Error) -> String {
    let unknown = error.kind() == ErrorKind::UnknownArgument;
    if let Some(hint) = argument(error, ContextKind::InvalidArg).filter(|_| unknown).and_then(of_another_place) {
        return hint;
    }
    let typed = [ContextKind::InvalidSubcommand, ContextKind::InvalidArg, ContextKind::InvalidValue];
    let typed = typed.iter().find_map(|kind| argument(error, *kind)).unwrap_or_default();
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let mut near: Vec<&String> = kinds.iter().filter_map(|kind| error.get(*kind)).flat_map(strings).collect();
    near.sort_by_key(|near| distance(typed, near));
    match near.as_slice() {
        [] => choices(error),
        near => format!("; did you mean {}?", or_list(near)),
    }
}

/// What an option is that this command does not have: a format, an option of another program, or one of another command.
fn of_another_place(option: &str) -> Option<String> {
    let name = option.strip_prefix("--")?.split('=').next()?;
    if let Some((_, meant)) = ELSEWHERE.iter().find(|(known, _)| *known == name) {
        return Some(format!("; did you mean `{meant}`?"));
    }
    let cli = Cli::command();
    let has = |command: &clap::Command| command.get_arguments().any(|known| known.get_long() == Some(name));
    let commands: Vec<&str> =
        cli.get_subcommands().filter(|command| has(command)).map(clap::Command::get_name).collect();
    let with = if name == "for" { " with `--wait`" } else { "" };
    (!commands.is_empty()).then(|| format!("; it belongs to {}{with}", or_list(&commands)))
}

/// Options of other programs, and what they are here.
const ELSEWHERE: [(&str, &str); 17] = [
    ("json", "--format json"),
    ("ndjson", "--format ndjson"),
    ("html", "--format html"),
    ("junit", "--format junit"),
    ("xml", "--format junit"),
    ("metrics", "--format metrics"),
    ("prometheus", "--format metrics"),
    ("markdown", "--format markdown"),
    ("compact", "--format compact"),
    ("table", "--format table"),
    ("no-color", "--color never"),
    ("no-colour", "--color never"),
    ("colour", "--color"),
    ("silent", "--quiet"),
    ("debug", "--verbose"),
    ("ignore", "--rule CODE=off"),
    ("watch", "--every SECS"),
];

fn argument(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    error.get(kind).and_then(|value| strings(value).first()).map(String::as_str)
}

/// The choices, where no suggestion comes close.
fn choices(error: &clap::Error) -> String {
    let names: Vec<String> = match error.kind() {
        ErrorKind::InvalidSubcommand => COMMANDS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        ErrorKind::MissingRequiredArgument if lacks(error, "<SHELL>") => {
            Shell::value_variants().iter().map(ToString::to_string).collect()
        }
        _ => return String::new(),
    };
    format!("; give one of {}", names.join(", "))
}

fn lacks(error: &clap::Error, name: &str) -> bool {
    error.get(ContextKind::InvalidArg).is_some_and(|value| strings(value).iter().any(|it| it == name))
}

fn strings(value: &ContextValue) -> &[String] {
    match value {
        ContextValue::String(value) => std::slice::from_ref(value),
        ContextValue::Strings(values) => values,
        _ => &[],
    }
}
