//! `demo`: the doctor at work on a simulated Azure.

use std::collections::BTreeSet;

use ampls_world::{DEFAULT, Scenario, scenario, scenarios, start};
use clap::Parser;

use super::check::examine;
use super::print;
use crate::cli::args::{CheckArgs, Cli, Command, DemoArgs, TalkArgs};
use crate::cli::exit::Failure;
use crate::cli::message::one_line;
use crate::cli::output::{Output, style};
use crate::expected;
use crate::render::page::{Page, Tint};
use crate::text::{meant, quote};

pub(in crate::cli) fn demo(arguments: &DemoArgs, talk: TalkArgs) -> Result<u8, Failure> {
    if arguments.list {
        return list(arguments.world.as_deref(), talk);
    }
    let name = arguments.world.as_deref().unwrap_or(DEFAULT);
    let Some(embedded) = scenario(name) else {
        let near = meant(name, scenarios().iter().map(|embedded| embedded.name));
        let like = scenarios().iter().filter(|embedded| embedded.name.contains(name)).count();
        let all =
            if like > 1 { format!("`demo --list {name}` lists them") } else { "`demo --list` lists all".to_owned() };
        return Err(Failure::Usage(format!("unknown world {}{near}{} {all}", quote(name), after(&near))));
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
    examine(&|| Ok(running.world.clone()), &options, &arguments.watch, (&arguments.output, None), talk)
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

/// The worlds by what is wrong in them, one line each; of a filter those whose name, title or group holds it.
fn list(filter: Option<&str>, talk: TalkArgs) -> Result<u8, Failure> {
    let wanted = filter.unwrap_or_default().to_lowercase();
    let mut groups: Vec<(&str, Vec<(&str, String)>)> = GROUPS.iter().map(|group| (*group, Vec::new())).collect();
    for embedded in scenarios() {
        let Ok(world) = embedded.parse() else { continue };
        let group = group(&world);
        let holds = [embedded.name, &world.title, group].iter().any(|text| text.to_lowercase().contains(&wanted));
        if let Some((_, worlds)) = groups.iter_mut().find(|(name, _)| holds && *name == group) {
            worlds.push((embedded.name, world.title));
        }
    }
    groups.retain(|(_, worlds)| !worlds.is_empty());
    if groups.is_empty() {
        let near = meant(&wanted, scenarios().iter().map(|embedded| embedded.name));
        let line = format!("no world is called like {}{near}{} `demo --list` lists all", quote(&wanted), after(&near));
        return Err(Failure::Usage(line));
    }
    let style = style(&Output::Stdout, talk);
    let width = groups.iter().flat_map(|(_, worlds)| worlds).map(|(name, _)| name.len()).max().unwrap_or_default();
    print(|out| {
        let mut page = Page::new(out, style);
        for (number, (group, worlds)) in groups.iter().enumerate() {
            if number > 0 {
                page.blank()?;
            }
            page.line(Tint::Bold, group)?;
            for (name, title) in worlds {
                page.line(Tint::Plain, &format!("  {name:width$}  {title}"))?;
            }
        }
        Ok(())
    })
}

/// What stands between a suggestion, which ends with a question mark, and the next hint.
fn after(suggestion: &str) -> &'static str {
    if suggestion.is_empty() { ";" } else { "" }
}

/// What a user sees of a world, in the order of a connection.
const GROUPS: [&str; 9] = [
    "Healthy, or nothing to repair",
    "Names: DNS, hosts file, zones and records",
    "Connections: ports, firewalls, routes",
    "TLS: certificates and interception",
    "Answers of the service",
    "Proxies",
    "Agents, browsers and their settings",
    "Azure and the machine itself",
    "Several faults at once",
];

/// The group of a world, by what the doctor must say of it.
fn group(world: &Scenario) -> &'static str {
    let codes: BTreeSet<&String> = world.expect.roots.iter().collect();
    let kind = match codes.first() {
        _ if world.expect.exit == 0 && world.expect.health.as_deref() == Some("ok") => 0,
        _ if codes.len() > 1 => 8,
        None => 0,
        Some(code) => match code.get(..3) {
            Some("DNS") => 1,
            Some("NET") => 2,
            Some("TLS") => 3,
            Some("HTP") => 4,
            Some("PRX") => 5,
            Some("AGT" | "BRW") => 6,
            _ => 7,
        },
    };
    GROUPS.get(kind).copied().unwrap_or_default()
}
