//! Every changing command of every world, run twice against what it changes: the second run changes nothing or is refused, and
//! what takes it back gives what was there.
//!
//! What is changed is a model of the service that it is for: Azure's resources, the zones of a Windows DNS server, an
//! environment. A shell or PowerShell's grammar reads the line, so the model gets the arguments that the program
//! would get. A variable that is set is the same when it is set again. Commands that change files are
//! run for real ([`super::twice`]).

use std::collections::{BTreeMap, BTreeSet};

use ampls_doctor::diagnose::command::{Command, Language};
use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::finding::{Finding, Fix};
use ampls_probes::Observations;

use super::{observed, powershell, shells, twice};
use crate::needs::say;

/// Things by their names, each with its properties.
type State = BTreeMap<String, BTreeSet<String>>;

/// What one command does to the state; an error is a refusal.
type Step = fn(&mut State, &[String]) -> Result<(), String>;

#[test]
fn every_changing_command_changes_once() {
    let worlds: Vec<_> = ampls_world::scenarios().iter().collect();
    let documents = observed(&worlds);
    let seen: Vec<Observations> = documents
        .iter()
        .flat_map(|document| [document.observations().clone(), on_windows(document.observations())])
        .collect();
    let changes = changes(&seen);
    let templates: BTreeSet<&str> = changes.keys().flat_map(|fix| &fix.commands).map(Command::template).collect();
    say(&format!("changing commands: {} of {} templates", changes.len(), templates.len()));
    assert!(templates.len() >= TEMPLATES, "{} templates: {templates:#?}", templates.len());
    let lines: BTreeSet<&Command> = changes.keys().flat_map(commands).collect();
    let steps = steps(&lines);
    let mut faults = Vec::new();
    let mut files = BTreeSet::new();
    for (change, name) in &changes {
        if twice::touches_files(change) {
            // One of each kind: these are run for real.
            if files.insert(change.commands.iter().map(Command::template).collect::<Vec<_>>()) {
                twice::run_twice(change, name);
            }
            continue;
        }
        faults.extend(fault(change, &steps).map(|fault| format!("{fault}\n    {:?}", change.commands)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(files.len() >= FILES, "{files:?}");
}

/// Every change with commands, and a name that it is for.
pub(super) fn changes(seen: &[Observations]) -> BTreeMap<Fix, String> {
    let findings = seen.iter().flat_map(diagnose);
    let of = |finding: Finding| {
        let name = finding.endpoints.first().cloned().unwrap_or_default();
        finding.fix.into_iter().map(move |fix| (fix, name.clone()))
    };
    findings.flat_map(of).filter(|(fix, _)| !fix.read_only && !fix.commands.is_empty()).collect()
}

/// Templates of changing commands over all worlds.
const TEMPLATES: usize = 47;

/// Kinds of changes among them that write files.
const FILES: usize = 3;

pub(super) fn on_windows(observations: &Observations) -> Observations {
    let mut observations = observations.clone();
    "Windows Server 2022".clone_into(&mut observations.machine.os);
    observations
}

fn commands(fix: &Fix) -> impl Iterator<Item = &Command> {
    fix.commands.iter().chain(fix.undo.iter().flat_map(|undo| &undo.commands))
}

/// What is wrong with a change that is made twice and taken back twice.
fn fault(change: &Fix, steps: &BTreeMap<&str, Vec<(Step, Vec<String>)>>) -> Option<String> {
    let run = |commands: &[Command], state: &State| {
        let mut state = state.clone();
        for command in commands {
            // A refused command ends its own line only: the reader pastes them all.
            for (step, arguments) in steps.get(command.as_str()).into_iter().flatten() {
                if step(&mut state, arguments).is_err() {
                    break;
                }
            }
        }
        state
    };
    let undo = change.undo.as_ref().map(|undo| undo.commands.as_slice()).unwrap_or_default();
    // What is there before: what the way back gives, or a zone of the server's own wherever one is named.
    let called = commands(change).flat_map(|command| steps.get(command.as_str()).into_iter().flatten());
    let zones = called.filter(|(_, arguments)| arguments.iter().any(|it| it == "-ComputerName"));
    let own: State =
        zones.map(|(_, arguments)| (windows_zone(arguments), BTreeSet::from(["Primary".to_owned()]))).collect();
    let has_own = !own.is_empty();
    let mut effective = false;
    for before in [run(undo, &State::new()), own].into_iter().take(if has_own { 2 } else { 1 }) {
        let once = run(&change.commands, &before);
        if run(&change.commands, &once) != once {
            return Some(format!("the second run changes something: {once:?}"));
        }
        if once == before {
            continue;
        }
        effective = true;
        let back = run(undo, &once);
        if !undo.is_empty() && back != before {
            return Some(format!("taken back it is {back:?}, before it was {before:?}"));
        }
        if run(undo, &back) != back {
            return Some(format!("taken back twice it is another: {back:?}"));
        }
    }
    let keeps = change.commands.iter().any(|it| steps.get(it.as_str()).is_some_and(|steps| !steps.is_empty()));
    (keeps && !effective).then(|| "it changes nothing".to_owned())
}

/// What each line does, one step a program, for lines that change what is kept.
fn steps<'a>(lines: &BTreeSet<&'a Command>) -> BTreeMap<&'a str, Vec<(Step, Vec<String>)>> {
    let of = |powershell: bool| -> Vec<&'a Command> {
        lines.iter().copied().filter(|line| (line.language() == Language::PowerShell) == powershell).collect()
    };
    let posix: Vec<&Command> = of(false).into_iter().filter(|line| line.language() != Language::Bind).collect();
    let texts: Vec<String> = posix.iter().map(|command| command.as_str().to_owned()).collect();
    let mut steps = BTreeMap::new();
    for (command, started) in posix.iter().zip(shells::in_dash(&texts)) {
        let programs = started.iter().map(|words| if words[0] == "sudo" { &words[1..] } else { &words[..] });
        steps.insert(command.as_str(), programs.filter_map(|words| meaning(words, command)).collect());
    }
    for command in of(true) {
        let calls = powershell::calls(command.as_str());
        let mut all: Vec<_> = calls.iter().filter_map(|words| meaning(words, command)).collect();
        if let (Some(kind), Some([_, zone @ ..])) = (guarding(command.as_str()), calls.first().map(Vec::as_slice)) {
            let mut arguments = zone.to_vec();
            arguments.push(kind.to_owned());
            all.insert(0, (guard, arguments));
        }
        steps.insert(command.as_str(), all);
    }
    steps
}

/// The kind of zone that a line asks for before it does anything.
fn guarding(line: &str) -> Option<&str> {
    let (_, condition) = line.strip_prefix("if ((Get-DnsServerZone ")?.split_once(").ZoneType -eq '")?;
    condition.split('\'').next()
}

fn guard(state: &mut State, arguments: &[String]) -> Result<(), String> {
    let kind = arguments.last().cloned().unwrap_or_default();
    let is_kind = state.get(&windows_zone(arguments)).is_some_and(|zone| zone.contains(&kind));
    if is_kind { Ok(()) } else { Err(format!("not of kind {kind}")) }
}

/// A server has one zone of a name, whatever its kind.
fn new_zone(state: &mut State, arguments: &[String], kind: &str) -> Result<(), String> {
    let zone = windows_zone(arguments);
    if state.contains_key(&zone) {
        return Err("the zone exists".to_owned());
    }
    state.insert(zone, BTreeSet::from([kind.to_owned()]));
    Ok(())
}

/// The step of a program, `None` for one that keeps nothing. A program that is not known here fails the test: somebody has to say
/// what it does when it is run again.
fn meaning(words: &[String], command: &Command) -> Option<(Step, Vec<String>)> {
    let [program, arguments @ ..] = words else { return None };
    let first = arguments.first().map_or("", String::as_str);
    let step: Step = match (program.as_str(), first) {
        ("az", _) => azure,
        ("Add-DnsServerConditionalForwarderZone", _) => |state, arguments| new_zone(state, arguments, "Forwarder"),
        ("Add-DnsServerPrimaryZone", _) => |state, arguments| new_zone(state, arguments, "Primary"),
        ("ConvertTo-DnsServerPrimaryZone", _) => |state, arguments| {
            let zone = state.get_mut(&windows_zone(arguments)).ok_or("no such zone")?;
            *zone = BTreeSet::from(["Primary".to_owned()]);
            Ok(())
        },
        ("Remove-DnsServerZone", _) => {
            |state, arguments| state.remove(&windows_zone(arguments)).map(drop).ok_or_else(|| "no such zone".to_owned())
        }
        ("Add-DnsServerResourceRecordA", _) => |state, arguments| {
            let record = option(arguments, "-Name") + &option(arguments, "-IPv4Address");
            let new = state.entry(records(arguments)).or_default().insert(record);
            if new { Ok(()) } else { Err("the record exists".to_owned()) }
        },
        ("Remove-DnsServerResourceRecord", _) => |state, arguments| {
            let record = option(arguments, "-Name") + &option(arguments, "-RecordData");
            take(state, &records(arguments), &record)
        },
        ("azcmagent", "config") => |state, arguments| {
            let [_, verb, name, value @ ..] = arguments else { return Err("usage".to_owned()) };
            state.remove(name);
            if verb == "set" {
                state.insert(name.clone(), value.iter().cloned().collect());
            }
            Ok(())
        },
        ("reg.exe", "add") => |state, arguments| {
            state.insert(registry_value(arguments), BTreeSet::from([option(arguments, "/d")]));
            Ok(())
        },
        ("reg.exe", "delete") => |state, arguments| {
            state.remove(&registry_value(arguments)).map(drop).ok_or_else(|| "no such value".to_owned())
        },
        // Programs that start, ask or empty something, or bring it to one state: nothing adds up.
        (
            "systemctl", "restart" | "kill" | "status" | "is-active"
        )
        | ("/opt/microsoft/omsagent/bin/service_control", "restart")
        // It takes every workspace off, and puts the same ones on.
        | ("/opt/microsoft/omsagent/bin/omsadmin.sh", "-X" | "-w")
        | ("resolvectl", "flush-caches")
        | ("nscd", "-i")
        | ("chronyc", "makestep")
        | ("w32tm", "/resync")
        | ("rndc", "reconfig" | "flushtree")
        | ("certutil", "-generateSSTFromWU")
        | ("reg.exe", "query")
        | (
            "apt-get" | "dnf" | "Get-Service" | "Set-Service" | "Start-Service" | "Restart-Service" | "Stop-Process" | "Clear-DnsClientCache" | "Clear-DnsServerCache"
            | "Get-DnsServerZone" | "Export-DnsServerZone" | "Get-Content" | "Set-Content"
            // Of commands that change files, which are run for real.
            | "mkdir" | "tee" | "sed" | "cmp" | "rm",
            _,
        ) => return None,
        _ => panic!("what `{program} {first}` does when it is run again is not known: {}", command.as_str()),
    };
    Some((step, arguments.to_vec()))
}

/// A value of the registry: its key, and its name.
fn registry_value(arguments: &[String]) -> String {
    format!("{} {}", arguments.get(1).map_or("", String::as_str), option(arguments, "/v"))
}

fn windows_zone(arguments: &[String]) -> String {
    let zone = option(arguments, "-ZoneName");
    let zone = if zone.is_empty() { option(arguments, "-Name") } else { zone };
    format!("{} {zone}", option(arguments, "-ComputerName"))
}

fn records(arguments: &[String]) -> String {
    format!("records of {}", windows_zone(arguments))
}

fn option(arguments: &[String], name: &str) -> String {
    arguments.iter().skip_while(|argument| *argument != name).nth(1).cloned().unwrap_or_default()
}

fn take(state: &mut State, thing: &str, property: &str) -> Result<(), String> {
    let Some(properties) = state.get_mut(thing) else { return Err(format!("no {thing}")) };
    let taken = properties.remove(property);
    if properties.is_empty() {
        state.remove(thing);
    }
    if taken { Ok(()) } else { Err(format!("{thing} has no {property}")) }
}

/// Azure's resource manager: `create`, `set` and `update` put a resource, whole; the same again is the same resource. What adds to
/// a list or takes from it does so by content.
/// Sources: <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>,
/// <https://learn.microsoft.com/cli/azure/network/private-dns/record-set/a>
fn azure(state: &mut State, arguments: &[String]) -> Result<(), String> {
    const NAMES: [&str; 14] = [
        "-g",
        "-n",
        "--name",
        "-z",
        "--nsg-name",
        "--endpoint-name",
        "--scope-name",
        "--vm-name",
        "--policy-name",
        "--rcg-name",
        "--collection-name",
        "--vnet-name",
        "--resource",
        "--publisher",
    ];
    let path: Vec<&str> = arguments.iter().map(String::as_str).take_while(|word| !word.starts_with('-')).collect();
    let [nouns @ .., verb] = path.as_slice() else { return Err("usage".to_owned()) };
    let (mut names, mut properties) = (BTreeSet::new(), BTreeSet::new());
    let options = &arguments[path.len()..];
    let begins: Vec<usize> = (0..options.len()).filter(|at| options[*at].starts_with('-')).collect();
    for (turn, begin) in begins.iter().enumerate() {
        let end = begins.get(turn + 1).copied().unwrap_or(options.len());
        let list = if NAMES.contains(&options[*begin].as_str()) { &mut names } else { &mut properties };
        list.insert(options[*begin..end].join(" "));
    }
    let thing = format!("{} {names:?}", nouns.join(" "));
    let all = properties.iter().cloned().collect::<Vec<_>>().join(" ");
    match *verb {
        "create" | "set" | "update" => {
            state.insert(thing, properties);
            Ok(())
        }
        "delete" => state.remove(&thing).map(drop).ok_or_else(|| format!("no {thing}")),
        // The address of a record, a zone of a group, a rule of a collection: the group takes away by the name alone.
        "add-record" => {
            state.entry(thing).or_default().insert(all);
            Ok(())
        }
        "remove-record" => take(state, &thing, &all),
        // Without `--identities` it is the machine's own that is assigned, as often as one likes.
        "assign" if nouns.ends_with(&["identity"]) => {
            state.entry(format!("{thing} {}", option(arguments, "--ids"))).or_default().insert("[system]".to_owned());
            Ok(())
        }
        "remove" if nouns.ends_with(&["identity"]) => {
            take(state, &format!("{thing} {}", option(arguments, "--ids")), &option(arguments, "--identities"))
        }
        // The model of the set is applied once more.
        "update-instances" => Ok(()),
        "add" => {
            let entry = option(arguments, "--zone-name") + &option(arguments, "--name");
            state.entry(thing).or_default().insert(entry);
            Ok(())
        }
        "remove" => take(state, &thing, &(option(arguments, "--zone-name") + &option(arguments, "--name"))),
        _ => panic!("what `az {}` changes is not known", path.join(" ")),
    }
}
