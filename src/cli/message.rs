//! What is wrong with the arguments, in one line of this program's own style.

use clap::ValueEnum;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap_complete::Shell;

use super::args::COMMANDS;
use crate::render::page::inert;
use crate::text::quote;

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

/// What may have been meant.
fn meant(error: &clap::Error) -> String {
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let near = kinds.iter().filter_map(|kind| error.get(*kind)).flat_map(strings).map(|near| quote(near));
    match near.collect::<Vec<_>>() {
        near if near.is_empty() => choices(error),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
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
