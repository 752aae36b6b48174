//! The command line's dispatch: the only place of this crate that reads files, asks the terminal and writes.
//!
//! Data goes to standard output, talk to standard error. Every way to fail ends in one line and a promised exit status.

use std::ffi::OsString;

use ampls_probes::packed::unpacked;
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
        Command::Schema { of } => print(|out| out.write_all(schema(of.unwrap_or(SchemaOf::Report)).as_bytes())),
        Command::Completions { shell } => print(|out| out.write_all(&completions(shell))),
        Command::Man { command } => print(|out| manual(command, out)),
    }
}

/// Made from the types that write the documents; what makes it is not part of the program.
fn schema(of: SchemaOf) -> String {
    unpacked(match of {
        SchemaOf::Report => include_bytes!(concat!(env!("OUT_DIR"), "/report.schema.json.gz")),
        SchemaOf::Fleet => include_bytes!(concat!(env!("OUT_DIR"), "/fleet.schema.json.gz")),
        SchemaOf::FleetRow => include_bytes!(concat!(env!("OUT_DIR"), "/fleet-row.schema.json.gz")),
        SchemaOf::WhatIf => include_bytes!(concat!(env!("OUT_DIR"), "/what-if.schema.json.gz")),
        SchemaOf::AzureFacts => include_bytes!(concat!(env!("OUT_DIR"), "/azure-facts.schema.json.gz")),
    })
}
