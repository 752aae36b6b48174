//! Nothing that a stranger writes becomes a command: not from the wire, not from a saved report, not from a foreign disk.
//!
//! Every text of a run is replaced by hostile ones, all texts of one place in the document at once, and judged. What a command
//! is compared with is its own template with harmless words: shells start the same programs with as many arguments
//! ([`shells`]), PowerShell's grammar finds the same commands ([`powershell`]), BIND takes the configuration.
//! `AMPLS_HOSTILE=all` takes every world, every place and every text, as `.ci/nightly` does.

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use ampls_doctor::diagnose::command::{Command, Language, PLACEHOLDERS};
use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::diagnose::finding::Fix;
use ampls_doctor::report::{Report, RunInfo};
use ampls_probes::Observations;
use ampls_world::{Embedded, Scenario};
use serde_json::Value;
use uuid::Uuid;

use crate::hosts::{Root, examine};
use crate::scenarios::observe;

mod extensions;
pub(crate) mod filled;
mod powershell;
mod shells;
mod texts;
mod twice;

/// The worlds whose findings hold most kinds of commands.
const WORLDS: [&str; 20] = [
    "split-brain-zone",
    "zone-not-linked-ods",
    "record-missing",
    "empty-monitor-zone",
    "custom-dns-forwards-to-public",
    "forwarder-for-some-suffixes",
    "hosts-entry-public",
    "stale-cache",
    "search-domain-answers",
    "answers-flap",
    "ipv6-bypass",
    "sinkholed",
    "agent-too-old",
    "browser-secure",
    "system-encrypted-dns",
    "proxy-denies",
    "wrong-name",
    "intercepted-untrusted",
    "cloud-mismatch",
    "expected-records-differ",
];

/// Texts tried at one place of one world where not all are: the next world goes on with the next ones.
const AT_A_PLACE: usize = 2;

#[test]
fn no_text_of_a_report_changes_what_a_command_does() {
    let all = env::var("AMPLS_HOSTILE").is_ok_and(|which| which == "all");
    let worlds: Vec<&Embedded> =
        ampls_world::scenarios().iter().filter(|world| all || WORLDS.contains(&world.name)).collect();
    assert!(all || worlds.len() == WORLDS.len(), "a world was renamed");
    let mut commands = BTreeSet::new();
    let (mut turn, mut judged) = (0, 0);
    for world in worlds {
        let scenario = world.parse().unwrap_or_else(|error| panic!("{}: {error}", world.name));
        let seen = observe(&scenario).unwrap_or_else(|error| panic!("{}: {error}", world.name));
        let healthy = serde_json::to_value(&seen.observations).expect("JSON");
        commands.extend(commands_of(&seen.observations));
        for place in places(&healthy) {
            let texts = texts::all();
            let some = if all { texts.len() } else { AT_A_PLACE };
            for _ in 0..some {
                let text = texts[turn % texts.len()];
                turn += 1;
                let mut hostile = healthy.clone();
                replace(&mut hostile, &place, text);
                // What the field's own type refuses is not a report.
                let Ok(observations) = serde_json::from_value::<Observations>(hostile) else { continue };
                judged += 1;
                commands.extend(commands_of(&observations));
            }
        }
    }
    assert!(judged > 500, "{judged} documents were judged");
    examine_all(&commands);
}

#[test]
fn a_hostile_denial_from_the_wire_leaves_no_mark() {
    let owners = [
        ("`{touch,/p}`.corp", "touch"),
        ("x|calc.exe|.corp", "calc"),
        ("$(touch p).ods.opinsights.azure.com", "touch"),
        ("elsewhere.example", "elsewhere"),
    ];
    for (owner, mark) in owners {
        let scenario = format!(
            "title = \"t\"\nstory = \"s\"\nworkspaces = [\"6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64\"]\n\
             [[server]]\naddress = \"10.1.0.4\"\n[[server.zone]]\nname = \"ods.opinsights.azure.com\"\n\
             denied-by = {owner:?}\n[[server]]\naddress = \"10.1.0.5\"\n[expect]\n"
        );
        let scenario = Scenario::parse("hostile-denial", &scenario).expect("a world");
        let seen = observe(&scenario).expect("a run");
        let text = serde_json::to_string(&seen.observations).expect("JSON");
        assert!(text.contains(mark), "the denial came over the wire");
        assert!(seen.findings.iter().any(|it| it.code == "DNS021"), "{:?}", seen.findings);
        let findings = serde_json::to_string(&seen.findings).expect("JSON");
        let commands = commands_of(&seen.observations);
        assert!(!commands.iter().any(|command| command.as_str().contains(mark)), "{commands:?}");
        assert!(
            !seen.findings.iter().any(|it| it.args.values().any(|value| value.text().contains(mark))),
            "{findings}"
        );
        examine_all(&commands);
    }
}

#[test]
fn a_hostile_file_name_on_a_foreign_disk_leaves_no_mark() {
    let policy = r#"{"DnsOverHttpsMode": "secure", "InsecurePrivateNetworkRequestsAllowed": false}"#;
    for name in ["x';zq;'.json", "$(zq).json", "x\n zq.json", "-rf.json", "a b.json"] {
        let root = Root::new();
        let folder = root.0.join("etc/opt/chrome/policies/managed");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(name), policy).expect("a file");
        let report = examine(&root.0, &[]);
        assert!(report.findings.iter().any(|it| it.code.starts_with("BRW")), "{name:?}: {:?}", report.findings);
        examine_all(&commands_of(&report.observations));
    }
}

#[test]
fn every_placeholder_is_a_known_one() {
    let known: BTreeSet<&str> = PLACEHOLDERS.iter().map(|(name, _)| *name).collect();
    // Words of other programs.
    let foreign = ["NO_PROXY", "SSL_CERT", "OUTPUT"];
    for world in ampls_world::scenarios().iter().filter(|world| WORLDS.contains(&world.name)) {
        let seen = observe(&world.parse().expect("a world")).expect("a run");
        for command in commands_of(&seen.observations) {
            let words = command.as_str().split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let capital = |word: &&str| {
                word.contains('_') && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            };
            for word in words.filter(capital).filter(|word| !foreign.contains(word)) {
                assert!(known.contains(word), "{word} in {}", command.as_str());
            }
            assert!(!command.as_str().contains(['‹', '›']), "{}", command.as_str());
        }
    }
}

/// Every command of the findings and notes.
fn commands_of(observations: &Observations) -> BTreeSet<Command> {
    let facts = Facts::new(observations);
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
    let report = Report::new(observations, &facts, diagnose(observations), run);
    let fixes = report.findings.iter().flat_map(|finding| &finding.fix);
    let notes = report.notes.iter().filter_map(|note| note.command.clone());
    fixes.flat_map(Fix::all_commands).cloned().chain(notes).collect()
}

fn examine_all(commands: &BTreeSet<Command>) {
    for command in commands {
        let line = command.as_str();
        assert!(!line.chars().any(char::is_control), "{line:?}");
        if command.language() == Language::Any {
            // Between double quotes `|` is itself to every shell: queries are written with it.
            let outside: String = line.split('"').step_by(2).collect();
            assert!(!outside.contains('|'), "{line}");
            assert!(!line.contains(['&', '<', '>', '^', '%', '!', '$', '`', '\\', ';']), "{line}");
        }
    }
    let of = |languages: &[Language]| -> Vec<&Command> {
        commands.iter().filter(|command| languages.contains(&command.language())).collect()
    };
    shells::examine(&of(&[Language::Any, Language::Sh]));
    powershell::examine(&of(&[Language::Any, Language::PowerShell]));
    shells::configuration(&of(&[Language::Bind]));
}

/// A template with harmless words.
fn harmless(template: &str) -> String {
    template.replace("{}", "word1")
}

/// The places of texts in a document: pointers in which every index of a list is `*`.
fn places(document: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::String(_) => {
                found.insert(at.to_owned());
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{at}/*"), found)),
            Value::Object(fields) => fields.iter().for_each(|(name, item)| {
                let name = if at.ends_with("/names") { "*" } else { name };
                walk(item, &format!("{at}/{name}"), found);
            }),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(document, "", &mut found);
    found
}

fn replace(value: &mut Value, place: &str, text: &str) {
    fn walk(value: &mut Value, parts: &[&str], text: &str) {
        let Some((part, rest)) = parts.split_first() else {
            if let Value::String(old) = value {
                text.clone_into(old);
            }
            return;
        };
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, rest, text)),
            Value::Object(fields) => {
                let wanted = |name: &str| *part == "*" || name == *part;
                fields.iter_mut().filter(|(name, _)| wanted(name)).for_each(|(_, item)| walk(item, rest, text));
            }
            _ => {}
        }
    }
    let parts: Vec<&str> = place.split('/').skip(1).collect();
    walk(value, &parts, text);
}

#[test]
fn the_comparison_sees_what_it_should() {
    assert!(shells::differs("nslookup a; zq", "nslookup a"));
    assert!(shells::differs("cat $(zq)", "cat word1"));
    assert!(shells::differs("cat a b", "cat word1"));
    assert!(!shells::differs("cat 'a b'", "cat word1"));
    assert!(powershell::differs("Remove-DnsServerZone -Name x|calc.exe|y", "Remove-DnsServerZone -Name word1"));
    assert!(powershell::differs("cat (zq)", "cat word1"));
    assert!(!powershell::differs("Get-Content 'a b'", "Get-Content word1"));
    let counts: BTreeMap<&str, usize> = texts::LANGUAGES.iter().map(|(name, texts)| (*name, texts.len())).collect();
    assert!(counts.values().all(|count| *count >= 40), "{counts:?}");
}
