//! Whole machines: which root comes first, and what it explains.

use ampls_probes::Observations;
use ampls_probes::azure::AgentKind;
use ampls_probes::catalogue::refusals::{LineCause, Refusals};
use ampls_probes::endpoint::{Expect, Need};
use ampls_probes::observation::{IoFailure, NameVerdict, Outcome, Refusal, ServerRole, Stop, TlsFailure, Validity};
use ampls_probes::testing::{
    AGENTSVC, API, AZURE, CUSTOM, DCE, HANDLER, IN_AI, METRICS, ODS, OMS, REGIONAL, Says, Scene, Tls, ZONES, agent,
    private_world, public_world,
};
use proptest::prelude::*;

use super::command::Command;
use super::diagnose;
use super::finding::{Certainty, Finding, Fix, Severity};
use super::rules::tests::says_http;

/// Code, severity and root of every finding, in order.
fn outline(scene: &Scene) -> Vec<String> {
    let line = |finding: &Finding| {
        let severity = format!("{:?}", finding.severity).to_lowercase();
        let root = finding.caused_by_id.as_ref().map(|id| format!(" by {id}")).unwrap_or_default();
        format!("{} {severity}{root}", finding.id)
    };
    diagnose(&scene.observations()).iter().map(line).collect()
}

fn black_holed(mut scene: Scene, names: &[&str]) -> Scene {
    for name in names {
        scene = scene.connects(name, &Outcome::TimedOut);
    }
    scene
}

#[test]
fn a_healthy_private_machine_has_no_finding() {
    assert_eq!(outline(&private_world()), Vec::<String>::new());
}

#[test]
fn a_healthy_public_machine_has_nothing_above_information() {
    assert_eq!(outline(&public_world()), ["DNS001 info"]);
    assert_eq!(outline(&public_world().expect(Expect::Public)), Vec::<String>::new());
}

#[test]
fn an_interface_whose_network_is_a_part_of_the_internet_makes_nothing_private() {
    for prefix in ["20.1.1.10/0", "20.1.1.10/3"] {
        assert_eq!(outline(&public_world().interface(prefix)), ["DNS001 info"], "{prefix}");
    }
    assert_eq!(outline(&public_world().interface("20.50.88.10/24")), Vec::<String>::new());
}

#[test]
fn every_documented_refusal_leads_to_exactly_one_finding() {
    let refusals = Refusals::builtin().unwrap();
    for answer in &refusals.answers {
        let body = answer.text.replace('*', "'workspace-1'");
        let scene = says_http(private_world(), HANDLER, 403, &body);
        let found = outline(&scene);
        assert_eq!(found.len(), 1, "{body}: {found:?}");
    }
    for line in &refusals.lines {
        let LineCause::Refused(code) = line.cause else { continue };
        let at = private_world().observations().started_at;
        let refusal =
            Refusal { agent: AgentKind::Ama, code, host: None, at, since: None, count: 1, source: "/log".to_owned() };
        let found = outline(&private_world().agents([agent(AgentKind::Ama, "1.33.1")]).refused(refusal));
        let refused = found.iter().filter(|line| line.starts_with("AGT008")).count();
        assert_eq!(refused, 1, "{:?}: {found:?}", line.words);
    }
}

#[test]
fn optional_public_names_that_are_blocked_are_information() {
    let scene = private_world()
        .name(METRICS, Need::Optional)
        .name(REGIONAL, Need::Optional)
        .everywhere(METRICS, &Says::Public("20.1.1.1"))
        .everywhere(REGIONAL, &Says::Public("20.1.1.2"))
        .connects(REGIONAL, &Outcome::Failed(IoFailure::Refused));
    assert_eq!(outline(&black_holed(scene, &[METRICS])), ["NET001 info", "NET002 info"]);
}

#[test]
fn a_missing_private_link_explains_blocked_public_paths() {
    let scene = black_holed(public_world().expect(Expect::Private), &[HANDLER, ODS, OMS, AGENTSVC]);
    assert_eq!(outline(&scene), ["DNS001 error", "NET001 error by DNS001", "NET005 error by DNS001"]);
}

#[test]
fn without_any_sign_of_a_private_link_a_blocked_path_is_a_root() {
    assert_eq!(outline(&black_holed(public_world(), &[HANDLER])), ["NET001 error", "DNS001 info"]);
}

#[test]
fn a_forwarder_past_azure_dns_explains_what_does_not_answer() {
    let mut scene = public_world();
    for name in [HANDLER, ODS, OMS, AGENTSVC, API, IN_AI] {
        scene = scene.says(AZURE, name, &Says::Private("10.0.0.5"));
    }
    assert_eq!(outline(&scene), ["DNS002 error"]);
    let scene = black_holed(scene, &[HANDLER, ODS]);
    assert_eq!(outline(&scene), ["DNS002 error", "NET001 error by DNS002"]);
}

#[test]
fn a_zone_that_is_not_linked_explains_what_does_not_answer() {
    let mut scene = private_world();
    for (name, zone) in [(ODS, ZONES[2]), (OMS, ZONES[1])] {
        scene = scene
            .everywhere(name, &Says::Public("20.150.190.99"))
            .soa(CUSTOM, zone, &Says::PublicZone)
            .soa(AZURE, zone, &Says::PublicZone)
            .connects(name, &Outcome::TimedOut);
    }
    assert_eq!(outline(&scene), ["DNS003 error", "NET001 error by DNS003"]);
    let found = diagnose(&scene.observations());
    assert_eq!(found[0].endpoints, [ODS, OMS]);
    assert!(found[0].title.contains(ZONES[1]) && found[0].title.contains(ZONES[2]), "{}", found[0].title);
}

#[test]
fn an_empty_zone_is_one_finding() {
    let mut scene = public_world().name(DCE, Need::Required);
    for name in [HANDLER, API, IN_AI, DCE] {
        scene = scene.everywhere(name, &Says::DeniedByPrivateZone);
    }
    scene = scene.soa(CUSTOM, ZONES[0], &Says::PrivateZone).soa(AZURE, ZONES[0], &Says::PrivateZone);
    assert_eq!(outline(&scene), ["DNS004 error"]);
    let found = diagnose(&scene.observations());
    assert_eq!((found[0].endpoints.len(), found[0].args["zone_empty"].text()), (6, "yes".to_owned()));
    // A denial by a private zone shows that a private link is meant: the names that are public belong to the same finding.
    assert!(found[0].endpoints.iter().any(|name| name == ODS), "{:?}", found[0].endpoints);
}

#[test]
fn a_hosts_entry_explains_the_address_that_does_not_answer() {
    let scene = private_world().hosts("10.9.9.9", ODS).connects(ODS, &Outcome::TimedOut);
    assert_eq!(outline(&scene), ["DNS006 error", "NET001 error by DNS006"]);
    assert_eq!(outline(&private_world().hosts("0.0.0.0", ODS)), ["DNS006 error", "DNS012 error by DNS006"]);
}

#[test]
fn a_silent_server_on_its_own_is_a_warning() {
    let scene =
        private_world().server("10.1.0.5:53", &[ServerRole::Configured]).server_says("10.1.0.5:53", &Says::Silence);
    assert_eq!(outline(&scene), ["DNS008 warning"]);
}

#[test]
fn when_no_server_answers_nothing_else_is_blamed() {
    let scene = private_world().every_name(&Says::Silence).server_says(CUSTOM, &Says::Silence);
    let scene = scene.says(CUSTOM, ODS, &Says::Unfinished).stopped(Stop::Deadline);
    assert_eq!(outline(&scene), ["DNS008 error", "RUN001 warning"]);
}

#[test]
fn one_workspace_that_does_not_exist_is_one_finding() {
    let mut scene = public_world();
    for name in [ODS, OMS, AGENTSVC] {
        scene = scene.everywhere(name, &Says::NoSuchName);
    }
    assert_eq!(outline(&scene), ["DNS013 error", "DNS001 info"]);
}

#[test]
fn independent_faults_are_both_roots() {
    let scene = private_world()
        .everywhere(OMS, &Says::Public("20.150.190.99"))
        .soa(CUSTOM, ZONES[1], &Says::PublicZone)
        .soa(AZURE, ZONES[1], &Says::PublicZone)
        .tls(HANDLER, Tls::intercepted(HANDLER, "CN=Inspection CA", true));
    assert_eq!(outline(&scene), ["DNS003 error", "TLS001 error"]);
}

#[test]
fn interception_of_many_names_is_one_finding_and_explains_the_rest() {
    let mut scene = private_world();
    for name in [HANDLER, ODS, OMS, AGENTSVC] {
        let tls = Tls::intercepted(name, "CN=Inspection CA", false).verdict(|seen| {
            seen.name = NameVerdict::Other;
            seen.validity = Validity::Expired;
        });
        scene = scene.tls(name, tls);
    }
    let found = outline(&scene);
    assert_eq!(found.first().map(String::as_str), Some("TLS001 error"));
    assert!(found.iter().skip(1).all(|line| line.ends_with("by TLS001")), "{found:?}");
}

#[test]
fn faults_of_evidence_are_information() {
    let scene = private_world().everywhere(API, &Says::DeniedByPrivateZone);
    assert_eq!(outline(&scene), ["DNS004 info"]);
}

#[test]
fn every_change_says_what_else_it_affects() {
    let scenes = [
        public_world().expect(Expect::Private),
        private_world().everywhere(ODS, &Says::DeniedByPrivateZone),
        private_world().hosts("10.9.9.9", ODS),
        black_holed(private_world(), &[HANDLER, ODS, OMS, AGENTSVC]),
        black_holed(private_world(), &[ODS]),
        private_world().everywhere(ODS, &Says::Plain("0.0.0.0")),
        private_world().everywhere(ODS, &Says::BlockedByPolicy),
        private_world().tls(ODS, Tls::intercepted(ODS, "CN=Inspection CA", true)),
        private_world().tls(ODS, Tls::failed(Outcome::TimedOut)),
    ];
    for fix in scenes.iter().flat_map(|scene| diagnose(&scene.observations())).flat_map(|finding| finding.fix) {
        assert!(fix.read_only || (fix.check_first.is_some() && fix.undo.is_some()), "{fix:?}");
    }
}

#[test]
fn rules_that_are_all_needed_do_not_replace_each_other() {
    let created = |scene: Scene, begins: &str, flag: &str| {
        let found = diagnose(&scene.observations());
        let commands = found.iter().flat_map(|finding| &finding.fix).flat_map(|fix| &fix.commands);
        let lines = commands.map(Command::as_str).filter(|line| line.starts_with(begins));
        let name = |line: &str| line.split(flag).nth(1)?.split(' ').next().map(str::to_owned);
        lines.filter_map(name).collect::<Vec<_>>()
    };
    let reset = Tls::failed(Outcome::Failed(TlsFailure::ClosedAfterClientHello(IoFailure::Reset)));
    let firewall = created(private_world().tls(ODS, reset.clone()).tls(OMS, reset), "az network firewall", " --name ");
    let group = created(black_holed(public_world(), &[HANDLER, ODS]), "az network nsg", " -n ");
    for names in [&firewall, &group] {
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert!(!names.is_empty() && unique.len() == names.len(), "{names:?}");
    }
    assert_eq!(firewall.len(), 2);
}

#[test]
fn what_is_said_of_all_names_is_not_said_where_some_are_not_understood() {
    let seen = public_world().observations();
    let codes = |seen: &Observations| diagnose(seen).into_iter().map(|finding| finding.code).collect::<Vec<_>>();
    assert_eq!(codes(&seen), ["DNS001"]);
    let mut saved = serde_json::to_value(&seen).unwrap();
    saved["endpoints"][0]["expected"] = "by-a-later-version".into();
    let partly: Observations = serde_json::from_value(saved).unwrap();
    assert_eq!(partly.later.counts().names, 1);
    assert_eq!(codes(&partly), ["RUN001"], "that is said instead");
}

#[test]
fn one_finding_of_several_names_is_as_sure_as_the_least_sure_of_them() {
    let public = Says::Public("20.1.1.1");
    let asked = private_world().everywhere(HANDLER, &public).says_of_alias(CUSTOM, HANDLER, &public);
    let certainty = |scene: &Scene| diagnose(&scene.observations())[0].certainty;
    assert_eq!(certainty(&asked), Certainty::Proven);
    // The record of the second name was not asked for.
    let guessed = asked.everywhere(API, &public);
    let found = diagnose(&guessed.observations());
    assert_eq!((found[0].code.as_str(), found[0].endpoints.len()), ("DNS004", 2), "{:?}", outline(&guessed));
    assert_eq!(certainty(&guessed), Certainty::Likely);
}

#[test]
fn one_finding_of_several_names_looks_at_the_first_of_them() {
    let found = diagnose(&black_holed(private_world(), &[HANDLER, ODS, OMS, AGENTSVC]).observations());
    assert_eq!((found[0].code.as_str(), found[0].endpoints.len()), ("NET001", 4));
    let looks: Vec<&Fix> = found[0].fix.iter().filter(|fix| fix.read_only).collect();
    let denied = looks.iter().filter(|fix| fix.text.contains("check whether a rule denies")).count();
    assert_eq!(denied, 1, "{looks:?}");
}

#[test]
fn evidence_beyond_the_limit_is_counted() {
    let dead = |addresses: u8| {
        let scene = private_world().connects(ODS, &Outcome::TimedOut);
        let scene =
            (1..addresses).fold(scene, |scene, last| scene.attempt(ODS, &format!("10.9.0.{last}"), &Outcome::TimedOut));
        let found = diagnose(&scene.observations());
        found.into_iter().find(|finding| finding.code == "NET001").expect("a silent name").evidence
    };
    let (all, cut) = (dead(16), dead(20));
    assert_eq!((all.len(), cut.len()), (16, 17));
    assert!(!all.iter().any(|line| line.contains("more observations")), "{all:?}");
    assert_eq!(cut.last().map(String::as_str), Some("and 4 more observations"));
}

/// Sentences that hold a command, and commands that end in a remark: neither can be copied.
fn muddled(fix: &Fix) -> Vec<String> {
    let programs =
        ["az", "dig", "sudo", "cat", "ls", "env", "rndc", "nslookup", "resolvectl", "ampls-doctor", "chronyc"];
    let begins = |text: &str| programs.contains(&text.split(' ').next().unwrap_or_default());
    let mut found = Vec::new();
    if fix.text.starts_with("or ") {
        found.push(fix.text.clone());
    }
    for advice in [&fix.check_first, &fix.undo].into_iter().flatten() {
        let sentence = &advice.text;
        let parts = sentence.split(['`', ';', ':', '(']).map(str::trim);
        if sentence.contains(" -") || parts.into_iter().any(begins) {
            found.push(sentence.clone());
        }
        let remark = |line: &&str| line.ends_with(')') && !line.contains('"') && !line.contains('\'');
        found.extend(advice.commands.iter().map(Command::as_str).filter(remark).map(str::to_owned));
    }
    found
}

/// Every way in which names, servers and paths can be set in the builder, at random.
fn any_scene() -> impl Strategy<Value = Scene> {
    let says = prop_oneof![
        3 => Just(Says::Private("10.0.0.5")),
        3 => Just(Says::Public("20.1.1.1")),
        1 => Just(Says::Plain("0.0.0.0")),
        1 => Just(Says::DeniedByPrivateZone),
        1 => Just(Says::NoSuchName),
        1 => Just(Says::ServFail),
        1 => Just(Says::Silence),
        1 => Just(Says::BlockedByPolicy),
    ];
    let attempt = prop_oneof![Just(Outcome::TimedOut), Just(Outcome::Failed(IoFailure::Refused))];
    let names = [HANDLER, ODS, OMS, AGENTSVC, API, IN_AI];
    let change = (0..names.len(), says, 0..3_u8, prop::option::of(attempt), any::<bool>());
    (any::<bool>(), prop::collection::vec(change, 0..6)).prop_map(move |(private, changes)| {
        let mut scene = if private { private_world() } else { public_world() };
        for (name, says, to, attempt, intercepted) in changes {
            let name = names[name];
            scene = match to {
                0 => scene.says(CUSTOM, name, &says),
                1 => scene.says(AZURE, name, &says),
                _ => scene.everywhere(name, &says),
            };
            if let Some(attempt) = attempt {
                scene = scene.connects(name, &attempt);
            }
            if intercepted {
                scene = scene.tls(name, Tls::intercepted(name, "CN=Inspection CA", true));
            }
        }
        scene
    })
}

fn any_order() -> impl Strategy<Value = (Observations, Observations)> {
    any_scene().prop_flat_map(|scene| {
        let seen = scene.observations();
        let steps = Just(seen.seen.clone()).prop_shuffle();
        (Just(seen), steps).prop_map(|(seen, steps)| (seen.clone(), Observations { seen: steps, ..seen }))
    })
}

proptest! {
    #[test]
    fn the_order_of_observations_does_not_matter((seen, shuffled) in any_order()) {
        prop_assert_eq!(diagnose(&seen), diagnose(&shuffled));
    }

    #[test]
    fn what_is_read_and_what_is_copied_stand_apart(scene in any_scene()) {
        for fix in diagnose(&scene.observations()).into_iter().flat_map(|finding| finding.fix) {
            prop_assert_eq!(muddled(&fix), Vec::<String>::new());
        }
    }

    #[test]
    fn what_only_looks_comes_before_every_change(scene in any_scene()) {
        for finding in diagnose(&scene.observations()) {
            prop_assert!(finding.fix.is_sorted_by_key(|fix| !fix.read_only), "{}", finding.code);
            let first = finding.fix.iter().find(|fix| !fix.read_only);
            prop_assert!(!first.is_some_and(|fix| fix.alternative), "{}", finding.code);
        }
    }

    #[test]
    fn every_symptom_names_a_root_that_is_there(scene in any_scene()) {
        let found = diagnose(&scene.observations());
        let roots = found.iter().take_while(|finding| finding.caused_by.is_none()).count();
        for finding in &found[roots..] {
            let root = found[..roots].iter().find(|root| Some(&root.id) == finding.caused_by_id.as_ref());
            prop_assert!(root.is_some_and(|root| root.severity >= finding.severity));
        }
        prop_assert!(found[..roots].is_sorted_by(|one, next| one.severity >= next.severity));
    }

    #[test]
    fn what_was_not_expected_to_work_is_never_an_error(scene in any_scene()) {
        let mut scene = scene;
        for name in [HANDLER, ODS, OMS, AGENTSVC] {
            scene = scene.name(name, Need::Optional);
        }
        for finding in diagnose(&scene.observations()) {
            prop_assert!(finding.severity <= Severity::Warning || finding.endpoints.is_empty(), "{finding:?}");
        }
    }
}
