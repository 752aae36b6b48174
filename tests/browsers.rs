//! Machines as folders of `tests/hosts/browsers-*`: what the probe makes of their browsers, and the exact findings behind a
//! private link.
//!
//! `expected.toml` beside each `root` names the machine's DNS servers, a line for each browser, the files that could not be
//! used, and the findings.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ampls_doctor::diagnose::diagnose;
use ampls_probes::World;
use ampls_probes::observation::{BrowserSetting, Browsers, BrowsersSeen, Observation, Outcome, Timing};
use ampls_probes::options::BrowserSettings;
use ampls_probes::testing::private_world;
use serde::Deserialize;
use serde_json::Value;

use super::cli::{json, ran, text};

/// What a machine must give.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Expected {
    story: String,
    #[serde(default)]
    servers: Vec<IpAddr>,
    #[serde(default)]
    browsers: Vec<String>,
    #[serde(default)]
    unread: Vec<String>,
    #[serde(default)]
    findings: Vec<String>,
}

#[test]
fn every_machine_has_the_browsers_and_findings_it_names() {
    let mut faults = Vec::new();
    let machines = machines();
    assert!(machines.len() >= 8, "{machines:?}");
    for machine in &machines {
        let text = fs::read_to_string(machine.join("expected.toml")).expect("what is expected");
        let expected: Expected = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", machine.display()));
        let seen = read(machine, &expected.servers);
        let found = Expected {
            browsers: seen.settings.iter().map(line).collect(),
            unread: seen.unread.iter().map(|unread| format!("{} {:?}", unread.path, unread.why)).collect(),
            findings: findings(&seen),
            ..Expected {
                story: expected.story.clone(),
                servers: expected.servers.clone(),
                browsers: Vec::new(),
                unread: Vec::new(),
                findings: Vec::new(),
            }
        };
        if found != expected {
            faults.push(format!(
                "{}\nbrowsers = {:#?}\nunread = {:#?}\nfindings = {:#?}",
                machine.display(),
                found.browsers,
                found.unread,
                found.findings
            ));
        }
    }
    assert!(faults.is_empty(), "{} of {} machines differ\n\n{}", faults.len(), machines.len(), faults.join("\n\n"));
}

#[test]
fn nothing_of_another_home_is_in_what_was_seen() {
    let machine = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/browsers-hostile");
    let text = serde_json::to_string(&read(&machine, &[])).expect("it serialises");
    assert!(!text.contains("5f3a9c"), "{text}");
    assert!(text.contains("link"), "the refused link is said; {text}");
}

/// Who looks at many machines as root collects what administrators set, unless people's own settings are asked for.
#[test]
fn people_are_left_out_where_only_policies_are_looked_at() {
    let (mut profiles, mut policies) = (0, 0);
    for machine in machines() {
        let root = machine.join("root");
        let report = |which: &[&str]| {
            let always = ["check", "--root", root.to_str().expect("UTF-8"), "--fail-on", "never", "--format", "json"];
            json(&text(&ran(&[&always, which].concat()).stdout))
        };
        let of_people = |report: &Value| {
            let browsers = report["browsers"].as_array().expect("browsers");
            browsers.iter().filter(|browser| !browser["profile"].is_null()).count()
        };
        let source = |report: &Value| {
            let sources = report["sources"].as_array().expect("sources");
            let source = sources.iter().find(|source| source["source"] == "browsers").expect("the source");
            (source["outcome"].clone(), source["because"].as_str().unwrap_or_default().to_owned())
        };

        let all = report(&["--browsers", "all"]);
        profiles += of_people(&all);
        assert!(!source(&all).1.contains("only policies"), "{}", machine.display());

        let few = report(&["--browsers", "policies"]);
        assert_eq!(of_people(&few), 0, "{}", machine.display());
        policies += few["browsers"].as_array().expect("browsers").len();
        let (outcome, because) = source(&few);
        assert!(outcome == "seen" && because.contains("`--browsers all`"), "{}: {because}", machine.display());

        let none = report(&["--browsers", "none"]);
        assert_eq!((source(&none).0, none["browsers"].as_array().map(Vec::len)), ("skipped".into(), Some(0)));

        // The tests have no terminal.
        let usual = if ampls_probes::os::is_root() { &few } else { &all };
        assert_eq!(source(&report(&[])), source(usual), "{}", machine.display());
    }
    assert!(profiles > 5 && policies > 2, "{profiles} profiles, {policies} policies");
}

#[test]
fn every_kind_of_browser_has_a_machine() {
    let found: BTreeSet<String> =
        machines().iter().flat_map(|machine| read(machine, &[]).settings).map(|setting| setting.id).collect();
    for id in [
        "brave",
        "chrome",
        "chromium",
        "chromium-snap",
        "edge",
        "firefox",
        "firefox-esr",
        "firefox-flatpak",
        "firefox-snap",
        "opera",
        "vivaldi",
    ] {
        assert!(found.contains(id), "no machine has `{id}`: {found:?}");
    }
}

fn machines() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts");
    let entries = fs::read_dir(folder).expect("tests/hosts").map(|entry| entry.expect("an entry").path());
    let ours = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("browsers-"));
    let mut machines: Vec<PathBuf> = entries.filter(ours).collect();
    machines.sort();
    machines
}

fn read(machine: &Path, servers: &[IpAddr]) -> BrowsersSeen {
    let world = World::from_system(Some(&machine.join("root")), None);
    match ampls_probes::probe::browser::read(&world.into(), servers, BrowserSettings::All) {
        Outcome::Seen(seen) => seen,
        other => panic!("{}: {other:?}", machine.display()),
    }
}

/// `id profile: mode by whom in source, asks … resolver`.
fn line(setting: &BrowserSetting) -> String {
    let word = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    let trr = setting.trr_mode.map(|mode| format!(" trr {mode}")).unwrap_or_default();
    let resolver = setting.template.as_ref().or(setting.upgraded_to.as_ref());
    let resolver = resolver.map(|resolver| format!(" of {resolver}")).unwrap_or_default();
    let private = if setting.allows_private && trr.len() > 1 { ", private answers taken" } else { "" };
    let profile = setting.profile.as_deref().unwrap_or("-");
    let source = if setting.source.is_empty() { "-" } else { &setting.source };
    let (mode, by, asks) = (word(&setting.mode), word(&setting.set_by), word(&setting.asks));
    format!("{} {profile}: {mode}{trr} by {by} in {source}, asks {asks}{resolver}{private}", setting.id)
}

fn findings(seen: &BrowsersSeen) -> Vec<String> {
    let browsers = Browsers { timing: Timing::default(), outcome: Outcome::Seen(seen.clone()) };
    let scene = private_world().edit(|observations| observations.seen.push(Observation::Browsers(browsers)));
    let found = diagnose(&scene.observations());
    found.iter().map(|finding| format!("{} {:?} {}", finding.code, finding.severity, finding.title)).collect()
}
