//! Resolvers that browsers and the system ask encrypted (`--view encrypted`): who is asked for what, what follows, and that nobody
//! is asked without the option.

use std::net::SocketAddr;

use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::diagnose::finding::{Certainty, Finding, Severity};
use ampls_doctor::report::{Report, RunInfo, redact};
use ampls_probes::observation::{
    EncryptedFailure, EncryptedView, Observation, Outcome, SourceName, SourceOutcome, Transport, sources,
};
use ampls_probes::{Catalogue, Observations};
use ampls_world::Scenario;
use uuid::Uuid;

use crate::scenarios::options;

const ASKED: [&str; 2] = ["--view", "encrypted"];
const RESOLVER: &str = "8.8.8.8:443";
const DCE: &str = "prod-ab12.westeurope-1";

/// A browser that asks `https://dns.google/dns-query`, which is at 8.8.8.8, and whatever else is wrong.
fn world(state: &str, front: &str) -> String {
    format!(
        "dces = [\"{DCE}\"]\nmachine = {{ hosts = {{ \"dns.google\" = \"8.8.8.8\" }} }}\n\
         [files]\n\"/home/anna/.config/google-chrome/Local State\" = '{state}'\n[[front]]\nat = [\"8.8.8.8\"]\n{front}\n"
    )
}

const SECURE: &str = r#"{"dns_over_https": {"mode": "secure", "templates": "https://dns.google/dns-query{?dns}"}}"#;
const AUTOMATIC: &str =
    r#"{"dns_over_https": {"mode": "automatic", "templates": "https://dns.google/dns-query{?dns}"}}"#;

/// What the resolver does, how bad that is, whether it is known, and what is said.
const FRONTS: [(&str, (Severity, Certainty), &str); 6] = [
    ("dns = \"public\"", (Severity::Warning, Certainty::Proven), "does not give the private addresses"),
    ("dns = \"azure\"", (Severity::Info, Certainty::Likely), "for the names that it was asked for"),
    ("tcp = \"refuse\"", (Severity::Warning, Certainty::Likely), "cannot be connected to"),
    ("tls = \"self-signed\"", (Severity::Warning, Certainty::Likely), "does not trust its certificate"),
    ("status = 503", (Severity::Warning, Certainty::Likely), "answers with status 503"),
    ("http = \"garbage\"", (Severity::Warning, Certainty::Likely), "gives no HTTP answer"),
];

/// What is seen in each of these worlds, by name.
pub(crate) fn seen() -> Vec<(String, Observations)> {
    let of_state = |(how, state)| {
        FRONTS.map(|(front, ..)| (format!("encrypted {how} {front}"), run(&world(state, front), &ASKED).0))
    };
    [("only", SECURE), ("first", AUTOMATIC)].into_iter().flat_map(of_state).collect()
}

/// What was seen, and how often the resolver was connected to.
fn run(world: &str, arguments: &[&str]) -> (Observations, u64) {
    let text = format!("title = \"t\"\nstory = \"s\"\narguments = {arguments:?}\n{world}");
    let scenario = Scenario::parse("encrypted", &text).expect("a world");
    let running = ampls_world::start(&scenario).expect("servers");
    let catalogue = Catalogue::builtin().expect("the catalogue");
    let options = options(&scenario).expect("options");
    let seen = ampls_probes::run::run(running.world.clone(), options, &catalogue, &|_| {}).expect("a run");
    let resolver: SocketAddr = RESOLVER.parse().expect("an address");
    (seen, running.asked(Transport::Tcp, resolver))
}

fn views(seen: &Observations) -> Vec<&EncryptedView> {
    let views = seen.seen.iter().filter_map(|seen| match seen {
        Observation::EncryptedView(view) => Some(view),
        _ => None,
    });
    views.collect()
}

fn only(findings: &[Finding], code: &str) -> (Severity, Certainty, String) {
    let found =
        findings.iter().find(|finding| finding.code == code).unwrap_or_else(|| panic!("no {code}: {findings:?}"));
    (found.severity, found.certainty, format!("{} {:?}", found.summary, found.evidence))
}

#[test]
fn without_the_option_nobody_is_asked_and_the_finding_is_likely() {
    let (seen, connections) = run(&world(SECURE, "dns = \"public\""), &[]);
    assert_eq!((views(&seen).len(), connections), (0, 0));
    assert!(sources(&seen).iter().all(|source| source.source != SourceName::EncryptedView));
    let text = serde_json::to_string(&seen).expect("JSON");
    assert!(!text.contains("view_encrypted") && !text.contains("encrypted-view"), "{text}");
    let (severity, certainty, _) = only(&diagnose(&seen), "BRW001");
    assert_eq!((severity, certainty), (Severity::Warning, Certainty::Likely));
}

#[test]
fn only_names_that_many_customers_share_are_asked_for() {
    let (seen, connections) = run(&world(SECURE, "dns = \"public\""), &[&ASKED[..], &["--set", "all"]].concat());
    let views = views(&seen);
    let [view] = views.as_slice() else { panic!("{views:?}") };
    assert_eq!(
        (view.url.as_str(), view.browsers.as_slice()),
        ("https://dns.google/dns-query{?dns}", &["chrome".to_owned()][..])
    );
    let asked: Vec<&str> = view.answers().iter().map(|answer| answer.name.as_str()).collect();
    for name in ["global.handler.control.monitor.azure.com", "api.monitor.azure.com", "dc.services.visualstudio.com"] {
        assert!(asked.contains(&name), "{name} is not among {asked:?}");
    }
    let telling = asked.iter().filter(|name| name.contains(DCE) || name.contains(ampls_world::scenario::WORKSPACE));
    assert_eq!(telling.count(), 0, "{asked:?}");
    assert!(
        view.answers().iter().all(|answer| answer.outcome.seen().is_some_and(|it| it.transport == Transport::Https))
    );
    assert_eq!(connections, 1, "one connection takes all questions");
}

#[test]
fn the_answer_decides_how_bad_it_is_and_whether_that_is_known() {
    for (state, code) in [(SECURE, "BRW001"), (AUTOMATIC, "BRW002")] {
        for (front, wanted, says) in FRONTS {
            let (seen, _) = run(&world(state, front), &ASKED);
            let (severity, certainty, text) = only(&diagnose(&seen), code);
            assert_eq!((severity, certainty), wanted, "{code} {front}: {text}");
            assert!(text.contains(says), "{code} {front}: {text}");
            let source = sources(&seen).into_iter().find(|source| source.source == SourceName::EncryptedView);
            let outcome = if front.starts_with("dns") { SourceOutcome::Seen } else { SourceOutcome::Failed };
            assert_eq!(source.map(|source| source.outcome), Some(outcome), "{front}");
        }
    }
}

#[test]
fn what_is_not_trusted_is_asked_nothing() {
    let (seen, connections) = run(&world(SECURE, "tls = \"intercepted\""), &ASKED);
    let views = views(&seen);
    assert_eq!(
        views.iter().map(|view| &view.outcome).collect::<Vec<_>>(),
        [&Outcome::Failed(EncryptedFailure::NotVerified)]
    );
    assert_eq!(connections, 1);
}

#[test]
fn a_machine_that_asks_nobody_encrypted_says_so() {
    let (seen, _) = run("", &ASKED);
    assert_eq!(views(&seen).len(), 0);
    let source = sources(&seen).into_iter().find(|source| source.source == SourceName::EncryptedView);
    assert_eq!(source.map(|source| source.outcome), Some(SourceOutcome::Absent));
}

#[test]
fn the_view_stands_beside_the_others_and_its_resolver_is_redacted_where_it_is_ones_own() {
    let own = r#"{"dns_over_https": {"mode": "secure", "templates": "https://doh.secret-company.example/dns-query"}}"#;
    let text = world(own, "dns = \"azure\"").replace("\"dns.google\"", "\"doh.secret-company.example\"");
    let (seen, _) = run(&text, &ASKED);
    let catalogue = Catalogue::builtin().expect("the catalogue");
    let (redacted, _) = redact(&seen, &catalogue, [7; 16]).expect("redacted");
    for observations in [&seen, &redacted] {
        let (facts, findings) = (Facts::new(observations), diagnose(observations));
        let (severity, certainty, _) = only(&findings, "BRW001");
        // The workspace's names are private here, and nobody was asked for them.
        assert_eq!((severity, certainty), (Severity::Info, Certainty::Likely));
        let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
        let report = serde_json::to_value(Report::new(observations, &facts, findings, run)).expect("JSON");
        let endpoints = report["endpoints"].as_array().expect("endpoints");
        let views = endpoints.iter().flat_map(|endpoint| endpoint["views"].as_array().expect("views"));
        let encrypted: Vec<_> = views.filter(|view| view["view"] == "encrypted").collect();
        assert!(!encrypted.is_empty() && encrypted.iter().all(|view| view["route"] == "private"), "{encrypted:?}");
        assert_eq!(report.to_string().contains("secret-company"), std::ptr::eq(observations, &raw const seen));
    }
}
