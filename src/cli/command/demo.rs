//! `demo`: the doctor at work on a simulated Azure.

use ampls_world::{DEFAULT, Scenario, scenario, scenarios, start};
use clap::Parser;

use super::check::examine;
use super::print;
use crate::cli::args::{CheckArgs, Cli, Command, DemoArgs, TalkArgs};
use crate::cli::exit::Failure;
use crate::cli::message::one_line;
use crate::cli::output::{Output, style};
use crate::expected;
use crate::render::explain::near_misses;
use crate::render::page::{Page, Tint};
use crate::text::quote;

pub(in crate::cli) fn demo(arguments: &DemoArgs, talk: TalkArgs) -> Result<u8, Failure> {
    if arguments.list {
        return list(talk);
    }
    let name = arguments.world.as_deref().unwrap_or(DEFAULT);
    let Some(embedded) = scenario(name) else {
        let near = near_misses(name, scenarios().iter().map(|embedded| embedded.name));
        let hint = if near.is_empty() {
            "`demo --list` names them".to_owned()
        } else {
            format!("did you mean {}? `demo --list` names all", near.join(" or "))
        };
        return Err(Failure::Usage(format!("there is no world {}; {hint}", quote(name))));
    };
    let world = embedded.parse().map_err(|error| Failure::Impossible(error.to_string()))?;
    let check = check(&world)?;
    let mut options = check.options()?;
    arguments.watch.apply(&mut options, &arguments.output).map_err(Failure::Usage)?;
    if let Some(records) = &world.expected_records {
        let read = expected::read(world.expand(records).as_bytes());
        options.expected_records = read.map_err(|error| Failure::Impossible(error.to_string()))?.records;
    }
    let running =
        start(&world).map_err(|error| Failure::Impossible(format!("the world cannot be simulated: {error}")))?;
    examine(&|| running.world.clone(), &options, &arguments.watch, &arguments.output, talk)
}

/// The arguments with which the world is examined.
fn check(world: &Scenario) -> Result<Box<CheckArgs>, Failure> {
    let line = ["ampls-doctor".to_owned(), "check".to_owned()].into_iter().chain(world.arguments());
    let parsed = Cli::try_parse_from(line).map_err(|error| one_line(&error).unwrap_or_default());
    match parsed.map(|cli| cli.command) {
        Ok(Some(Command::Check(check))) => Ok(check),
        Ok(_) => Err(Failure::Impossible(format!("the world {} has no arguments of `check`", quote(&world.name)))),
        Err(line) => Err(Failure::Impossible(format!("the arguments of the world {}: {line}", quote(&world.name)))),
    }
}

fn list(talk: TalkArgs) -> Result<u8, Failure> {
    let style = style(&Output::Stdout, talk);
    let width = scenarios().iter().map(|embedded| embedded.name.len()).max().unwrap_or_default();
    print(|out| {
        let mut page = Page::new(out, style);
        for embedded in scenarios() {
            let story = embedded.parse().map(|world| world.story).unwrap_or_default();
            let first = format!("{:width$}  ", embedded.name);
            page.wrapped(Tint::Plain, &first, &" ".repeat(width + 2), &story)?;
        }
        Ok(())
    })
}
