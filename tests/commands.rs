//! Nothing that a stranger writes becomes a command: not from the wire, not from a saved report, not from a foreign disk.
//!
//! Every text of a run is replaced by hostile ones, all texts of one place in the document at once, and judged. What a command
//! is compared with is its own template with harmless words: shells start the same programs with the same arguments
//! ([`shells`]), PowerShell's grammar and cmd's find the same commands ([`powershell`], [`cmd`]), BIND takes the configuration.
//! `AMPLS_HOSTILE=all` takes every text at every place of every world, as `.ci/nightly` does; `ONLY=name,name` some worlds.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, thread};

use ampls_doctor::diagnose::command::{Command, Language, PLACEHOLDERS};
use ampls_doctor::diagnose::diagnose_facts;
use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::diagnose::finding::Fix;
use ampls_doctor::report::{Report, RunInfo};
use ampls_probes::Observations;
use ampls_world::{Embedded, Scenario};
use uuid::Uuid;

use crate::needs::say;
use crate::scenarios::{observe, side_by_side};
use places::Document;

mod again;
mod cmd;
mod extensions;
pub(crate) mod filled;
mod places;
mod powershell;
mod rows;
mod scripts;
mod shells;
mod texts;
mod twice;
pub(crate) mod windows;

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

/// Places of texts in those worlds, and in all worlds. A place that is gone has to be taken off here.
const PLACES: usize = 115;
const ALL_PLACES: usize = 150;

/// Documents that are judged for each place at least, on the average: many places hold no text but of a few words, and what is
/// set aside there is judged once.
const MOST: usize = 40;

#[test]
fn no_text_of_a_report_changes_what_a_command_does() {
    let all = env::var("AMPLS_HOSTILE").is_ok_and(|which| which == "all");
    let only = env::var("ONLY").unwrap_or_default();
    let wanted = |world: &&Embedded| {
        if only.is_empty() {
            all || WORLDS.contains(&world.name)
        } else {
            only.split(',').any(|name| name == world.name)
        }
    };
    let worlds: Vec<&Embedded> = ampls_world::scenarios().iter().filter(wanted).collect();
    assert!(all || !only.is_empty() || worlds.len() == WORLDS.len(), "a world was renamed");
    let documents = observed(&worlds);
    // What goes wrong with harmless texts already need not wait for the others.
    examine_all(&documents.iter().flat_map(|document| commands_of(document.observations())).collect());
    let texts = texts::all();
    let mut holders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, document) in documents.iter().enumerate() {
        document.places().into_iter().for_each(|place| holders.entry(place).or_default().push(index));
    }
    let mut work = Vec::new();
    for (place, holders) in &holders {
        for (turn, holder) in holders.iter().enumerate() {
            // Every text at every place: in all worlds that have it, or in one of them each.
            let some = texts.iter().enumerate().filter(|(index, _)| all || index % holders.len() == turn);
            work.push((&documents[*holder], place.as_str(), some.map(|(_, text)| *text).collect::<Vec<_>>()));
        }
    }
    let mut tried: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (_, place, texts) in &work {
        tried.entry(place).or_default().extend(texts);
    }
    assert!(tried.values().all(|some| some.len() == texts.len()), "a text was left out at a place");
    let (commands, judged) = judged(&work);
    say(&format!(
        "hostile texts: {} worlds, {} places, {} texts at each ({}), {} documents read, {judged} judged, {} commands",
        worlds.len(),
        holders.len(),
        texts.len(),
        texts::LANGUAGES.map(|(name, texts)| format!("{name} {}", texts.len())).join(", "),
        work.iter().map(|(_, _, texts)| texts.len()).sum::<usize>(),
        commands.len(),
    ));
    let least = if all { ALL_PLACES } else { PLACES };
    assert!(!only.is_empty() || holders.len() >= least, "{} places: {:#?}", holders.len(), holders.keys());
    assert!(judged >= holders.len() * MOST, "{judged} documents were judged");
    examine_all(&commands);
}

/// What each world gives, several at a time: most of their time they wait for silence.
fn observed(worlds: &[&Embedded]) -> Vec<Document> {
    let documents: Mutex<BTreeMap<&str, Document>> = Mutex::default();
    side_by_side(
        worlds,
        |world| world.name.to_owned(),
        |world, pace| {
            let mut scenario = world.parse().map_err(|error| error.to_string())?;
            pace.set(&mut scenario);
            let document = Document::new(observe(&scenario)?.observations);
            documents.lock().expect("no thread panics while it holds the list").insert(world.name, document);
            Ok(Vec::new())
        },
    );
    documents.into_inner().expect("all threads have ended").into_values().collect()
}

/// Every command of the documents with the texts at the places, and how many documents there were to judge.
fn judged(work: &[(&Document, &str, Vec<&str>)]) -> (BTreeSet<Command>, usize) {
    let next = AtomicUsize::new(0);
    let worker = || {
        let (mut commands, mut judged) = (BTreeSet::new(), 0);
        while let Some((document, place, texts)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            commands.extend(commands_of(document.observations()));
            let mut place = document.at(place);
            for observations in texts.iter().filter_map(|text| place.with(text)) {
                judged += 1;
                commands.extend(commands_of(&observations));
            }
        }
        (commands, judged)
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let results = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        results.fold((BTreeSet::new(), 0), |(mut commands, judged), (more, some)| {
            commands.extend(more);
            (commands, judged + some)
        })
    })
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
pub(crate) fn commands_of(observations: &Observations) -> BTreeSet<Command> {
    let facts = Facts::new(observations);
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
    let report = Report::new(observations, &facts, diagnose_facts(&facts), run);
    let fixes = report.findings.iter().flat_map(|finding| &finding.fix);
    let notes = report.notes.iter().filter_map(|note| note.command.clone());
    fixes.flat_map(Fix::all_commands).cloned().chain(notes).collect()
}

/// Runs or parses each by what reads it.
pub(crate) fn examine_all(commands: &BTreeSet<Command>) {
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
    cmd::examine(&of(&[Language::Any, Language::Cmd]));
    shells::configuration(&of(&[Language::Bind]));
}

/// A template with harmless words.
fn harmless(template: &str) -> String {
    template.replace("{}", "word1")
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
    assert!(shells::differs("cat *", "cat word1") && shells::differs("cat ?", "cat word1"));
    assert!(shells::differs("cat ~root", "cat word1") && shells::differs("cat {x,y}", "cat word1"));
    assert!(shells::differs("cat x$HOME", "cat word1") && shells::differs("cat x # y", "cat word1 y"));
    assert!(powershell::differs("Get-Content a b", "Get-Content word1"));
    assert!(powershell::differs("Get-Content -Force", "Get-Content word1"));
    let (port, asked) = ("nslookup -port=word1 word1 word1", "nslookup -port=53 a.b 10.1.0.4");
    assert!(!powershell::differs(asked, port) && !cmd::differs(asked, port) && !shells::differs(asked, port));
    assert!(powershell::differs("nslookup -port=53;calc.exe a.b 10.1.0.4", port));
    assert!(powershell::differs("nslookup -vc=53 a.b 10.1.0.4", port));
    for text in [
        "x & calc.exe",
        "x|calc.exe",
        "%PATH%",
        "\"%PATH%\"",
        "x > p",
        "x y",
        "\"x\" & calc.exe & \"y\"",
        "x\ncalc.exe",
    ] {
        assert!(cmd::differs(&format!("nslookup {text}"), "nslookup word1"), "{text}");
    }
    assert!(!cmd::differs("nslookup \"a b\"", "nslookup word1") && !cmd::differs("nslookup a.b-c", "nslookup word1"));
    let counts: BTreeMap<&str, usize> = texts::LANGUAGES.iter().map(|(name, texts)| (*name, texts.len())).collect();
    assert!(counts.values().all(|count| *count >= 40), "{counts:?}");
}
