//! Completions and manual pages, made from the arguments.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;

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
    let version = format!("ampls-doctor {}", env!("CARGO_PKG_VERSION"));
    let mut text = Vec::new();
    Man::new(page).source(version).manual("ampls-doctor").render(&mut text)?;
    out.write_all(String::from_utf8_lossy(&text).replace("\n.SH EXTRA\n", "\n.SH NOTES\n").as_bytes())?;
    if command.is_some() {
        writeln!(out, ".SH \"SEE ALSO\"\n\\fBampls\\-doctor\\fR(1)")?;
    }
    Ok(())
}
