//! Completions and manual pages, made from the arguments.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::args::Cli;

/// The completion script of a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ampls-doctor", &mut script);
    if shell != Shell::Bash {
        return script;
    }
    // The states of subcommands are set under one name and looked for under another, where the program's has a hyphen
    // (https://github.com/clap-rs/clap/issues/6421).
    String::from_utf8_lossy(&script).replace("ampls__subcmd__doctor__", "ampls__doctor__").into_bytes()
}

/// Every command that has a manual page of its own.
pub fn commands() -> Vec<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// The manual page of a command, or of the whole program, in roff.
pub fn manual(command: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let mut whole = Cli::command();
    whole.build();
    let page = command.and_then(|name| whole.find_subcommand(name)).unwrap_or(&whole).clone();
    let mut text = Vec::new();
    Man::new(page).render(&mut text)?;
    for line in String::from_utf8_lossy(&text).lines() {
        match line {
            // Its date is empty and would be taken for left out: the version would stand in its place.
            _ if line.starts_with(".TH ") => {
                let name = command.map_or_else(|| "ampls-doctor".to_owned(), |name| format!("ampls-doctor-{name}"));
                writeln!(out, ".TH {name} 1 \"\" \"ampls-doctor {}\" \"User Commands\"", env!("CARGO_PKG_VERSION"))?;
            }
            ".SH EXTRA" => writeln!(out, ".SH NOTES")?,
            _ => write_ascii(line, out)?,
        }
    }
    if let Some((_, lines)) = EXIT_STATUS.iter().find(|(name, _)| command == Some(name)) {
        writeln!(out, ".SH \"EXIT STATUS\"")?;
        for (status, meaning) in *lines {
            write!(out, ".TP\n\\fB{status}\\fR\n")?;
            write_ascii(meaning, out)?;
        }
    }
    if command.is_some() {
        writeln!(out, ".SH \"SEE ALSO\"\n\\fBampls\\-doctor\\fR(1)")?;
    }
    Ok(())
}

/// Exit statuses of the commands whose help does not list them.
const EXIT_STATUS: &[(&str, &[(&str, &str)])] = &[
    ("plan", &[("0", "the plan was printed"), ("2", "wrong usage")]),
    (
        "judge",
        &[
            ("0", "no finding at or above \\-\\-fail\\-on"),
            ("1", "at least one finding at or above \\-\\-fail\\-on"),
            ("2", "wrong usage, or a file that cannot be read or parsed"),
        ],
    ),
    (
        "demo",
        &[
            ("0", "no finding at or above \\-\\-fail\\-on"),
            ("1", "at least one finding at or above \\-\\-fail\\-on, or \\-\\-wait waited in vain"),
            ("2", "wrong usage, or no such world"),
            ("3", "the world could not be simulated, or the examination ended before it found anything"),
        ],
    ),
];

/// Not every roff reads UTF-8; all know these escapes (`groff_char(7)`).
fn write_ascii(line: &str, out: &mut dyn Write) -> io::Result<()> {
    for character in line.chars() {
        match character {
            _ if character.is_ascii() => write!(out, "{character}")?,
            _ => write!(out, "\\[u{:04X}]", u32::from(character))?,
        }
    }
    writeln!(out)
}
