//! The command line's dispatch: the only place of this crate that reads files, asks the terminal and writes.
//!
//! Data goes to standard output, talk to standard error. Every way to fail ends in one line and a promised exit status.

use std::ffi::OsString;

use clap::Parser;

use args::{Cli, Command, SchemaOf};
#[cfg(feature = "demo")]
use command::demo::demo;
use command::print;
use command::{
    check::check, compare::compare, explain::explain, fleet::fleet, judge::judge, plan::plan, redact::redact,
    what_if::what_if,
};
use exit::{Failure, finish};
use message::one_line;
use order::command_first;

use crate::{fleet as many, render, report};

pub use command::manual::{commands, completions, manual};
pub use exit::on_panic;

pub mod args;
mod command;
mod exit;
mod gather;
mod input;
mod message;
mod order;
mod output;
#[cfg(any(test, feature = "testing"))]
pub mod parsers;
mod progress;
mod saved;
pub mod splay;
mod watch;

/// Runs the program with these arguments, the first being its own name, and returns its exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(command_first(arguments)) {
        Ok(cli) => cli,
        Err(error) => {
            let Some(line) = one_line(&error) else {
                return finish(print(|out| write!(out, "{}", error.render())));
            };
            return finish(Err(Failure::Usage(line)));
        }
    };
    finish(dispatch(cli))
}

fn dispatch(cli: Cli) -> Result<u8, Failure> {
    let (command, talk) = cli.into_command();
    match command {
        Command::Check(arguments) => check(&arguments, talk),
        Command::Plan(arguments) => plan(&arguments, talk),
        Command::Judge(arguments) => judge(&arguments, talk),
        Command::Redact(arguments) => redact(&arguments, talk),
        Command::Compare(arguments) => compare(&arguments, talk),
        Command::Fleet(arguments) => fleet(&arguments, talk),
        Command::WhatIf(arguments) => what_if(&arguments, talk),
        Command::Explain(arguments) => explain(&arguments, talk),
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => demo(&arguments, talk),
        Command::Schema { of } => print(|out| render::json::write(&schema(of.unwrap_or(SchemaOf::Report)), out)),
        Command::Completions { shell } => print(|out| out.write_all(&completions(shell))),
        Command::Man { command } => print(|out| manual(command, out)),
    }
}

fn schema(of: SchemaOf) -> serde_json::Value {
    match of {
        SchemaOf::Report => report::schema(),
        SchemaOf::Fleet => many::schema(),
        SchemaOf::FleetRow => many::row_schema(),
        SchemaOf::WhatIf => crate::what_if::schema(),
        SchemaOf::AzureFacts => crate::facts_file::schema(),
    }
}
