//! Azure itself is asked (`--ask-azure`): each answer of the control service has its own outcome, a token goes nowhere else and is seen
//! nowhere, and without the option nobody is asked.

use std::fmt::Write as _;

use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::render::page::{Detail, Style};
use ampls_doctor::render::{self, Format};
use ampls_doctor::report::{FailOn, Report, RunInfo, redact};
use ampls_probes::observation::{
    Control, ControlFailure, ControlQuestion, Observation, Outcome, ReadFailure, SourceName, SourceOutcome,
    TokenFailure, Transport,
};
use ampls_probes::world::METADATA;
use ampls_probes::{Catalogue, Observations};
use ampls_world::{INGESTION_TOKEN, Scenario, TOKEN};
use uuid::Uuid;

use crate::scenarios::options;

/// What a run in a world saw, how often its metadata service and its fronts were connected to, and what was shown meanwhile.
struct Run {
    observations: Observations,
    metadata_asked: u64,
    fronts_asked: u64,
    progress: String,
}

fn run(world: &str, option: Option<&str>) -> Run {
    let arguments = option.map_or_else(String::new, |option| format!("\"{option}\""));
    let text = format!("title = \"t\"\nstory = \"s\"\narguments = [{arguments}]\n{world}");
    let scenario = Scenario::parse("asking", &text).expect("a world");
    let running = ampls_world::start(&scenario).expect("servers");
    let catalogue = Catalogue::builtin().expect("the catalogue");
    let progress = std::sync::Mutex::new(String::new());
    let options = options(&scenario).expect("options");
    let shown = format!("{options:?}");
    let observations = ampls_probes::run::run(running.world.clone(), options, &catalogue, &|now| {
        let _ = writeln!(progress.lock().expect("no thread panics while it holds it"), "{now:?}");
    });
    let metadata_asked = running.asked(Transport::Tcp, METADATA);
    let fronts = running.all_asked().into_iter().filter(|((over, at), _)| *over == Transport::Tcp && at.port() == 443);
    let fronts_asked = fronts.map(|(_, times)| times).sum();
    let progress = progress.into_inner().expect("no thread panicked") + &shown;
    Run { observations: observations.expect("a run"), metadata_asked, fronts_asked, progress }
}

const DCE: &str = "dces = [\"prod-ab12.westeurope-1\"]\n";

/// What a person reads first.
fn headline(observations: &Observations) -> String {
    let (facts, findings) = (Facts::new(observations), diagnose(observations));
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
    Report::new(observations, &facts, findings, run).verdict.headline
}

fn control(observations: &Observations) -> Option<&Control> {
    observations.seen.iter().find_map(|seen| match seen {
        Observation::Control(control) => Some(control),
        _ => None,
    })
}

/// What each question came to, in a word.
fn outcomes(control: &Control) -> Vec<String> {
    let word = |outcome: &Outcome<ampls_probes::observation::ControlReply, ControlFailure>| match outcome {
        Outcome::Seen(reply) => reply.status.to_string(),
        Outcome::Failed(failure) => format!("{failure:?}"),
        other => format!("{other:?}"),
    };
    control.asked.iter().map(|request| word(&request.outcome)).collect()
}

#[test]
fn every_answer_of_the_control_service_has_its_own_outcome() {
    use SourceOutcome::{Failed, NotPermitted, Seen};
    let with = |answers: &str| format!("{DCE}[control]\nanswers = \"{answers}\"\n");
    let foreign = format!("{:?}", ControlFailure::ForeignHost);
    let malformed = format!("{:?}", ControlFailure::Malformed);
    for (world, wanted, source) in [
        (DCE.to_owned(), vec!["421", "200"], Seen),
        (String::new(), vec!["403"], NotPermitted),
        (with("no-rules"), vec!["200"], Seen),
        (with("loop"), vec!["421", "421"], NotPermitted),
        (with("foreign"), vec!["421", foreign.as_str()], Failed),
        (with("refused"), vec!["403"], NotPermitted),
        (with("throttled"), vec!["429"], Failed),
        (with("failing"), vec!["503"], Failed),
        (with("malformed"), vec![malformed.as_str()], Failed),
    ] {
        let seen = run(&world, Some("--ask-azure")).observations;
        let control = control(&seen).expect("an answer");
        assert_eq!(outcomes(control), wanted, "{world}");
        let sources = ampls_probes::observation::sources(&seen);
        let azure = sources.iter().find(|source| source.source == SourceName::Azure);
        assert_eq!(azure.map(|source| source.outcome), Some(source), "{world}");
        let is_healthy = headline(&seen).contains("healthy");
        assert!(!is_healthy || source == Seen, "{world}: {}", headline(&seen));
    }
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let seen = run(&format!("{DCE}[control]\nanswers = \"huge\"\n"), Some("--ask-azure")).observations;
    let control = control(&seen).expect("an answer");
    assert!(
        matches!(control.asked[..], [ref one] if matches!(one.outcome, Outcome::Failed(ControlFailure::Http(_)))),
        "{control:?}"
    );
}

#[test]
fn without_a_token_the_control_service_is_not_asked() {
    for (identity, wanted) in [
        ("several", TokenFailure::SeveralIdentities),
        ("absent", TokenFailure::NoIdentity),
        ("malformed", TokenFailure::Malformed),
        ("huge", TokenFailure::Malformed),
    ] {
        let seen = run(&format!("{DCE}[control]\nidentity = \"{identity}\"\n"), Some("--ask-azure")).observations;
        let control = control(&seen).expect("a try");
        assert_eq!((&control.token, control.asked.len()), (&Outcome::Failed(wanted), 0), "{identity}");
        assert!(!headline(&seen).contains("healthy"), "{identity}: {}", headline(&seen));
    }
}

#[test]
fn an_expired_token_is_refused_by_the_service() {
    let seen = run(&format!("{DCE}[control]\nidentity = \"expired\"\n"), Some("--ask-azure")).observations;
    let control = control(&seen).expect("a try");
    assert!(control.token.seen().is_some_and(|token| token.expires_in_s.is_some_and(|left| left < 0)), "{control:?}");
    assert_eq!(outcomes(control), ["401"]);
}

#[test]
fn the_identity_of_the_agents_settings_is_the_one_that_is_asked_for() {
    let file =
        "\"/etc/default/azuremonitoragent\" = \"export MANAGED_IDENTITY=mi_res_id#/subscriptions/0/id-ama\\n\"\n";
    let world = format!(
        "{DCE}[files]\n{file}\"/opt/microsoft/azuremonitoragent/bin/mdsd\" = \"\"\n[control]\nidentity = \"several\"\n"
    );
    let seen = run(&world, Some("--ask-azure")).observations;
    let control = control(&seen).expect("a try");
    assert_eq!(control.identity.as_ref().map(|identity| identity.by.as_str()), Some("mi_res_id"));
    assert_eq!(outcomes(control), ["421", "200"]);
}

#[test]
fn a_peer_that_only_this_machine_vouches_for_gets_no_token() {
    let front = "[[front]]\nat = [\"all\"]\ntls = \"intercepted\"\ntrusted = true\n";
    let seen = run(&format!("{DCE}{front}"), Some("--ask-azure")).observations;
    let control = control(&seen).expect("a try");
    assert_eq!(outcomes(control), [format!("{:?}", ControlFailure::NotVerified)]);
}

#[test]
fn tokens_for_channels_are_asked_for_only_when_that_is_asked_for() {
    for (option, wanted) in [("--ask-azure", 0), ("--ask-azure=rules", 0), ("--ask-azure=ingestion", 2)] {
        let seen = run(DCE, Some(option)).observations;
        let control = control(&seen).expect("an answer");
        let tokens = control.asked.iter().filter(|request| request.about != ControlQuestion::Rules);
        let granted: Vec<_> = tokens.filter_map(|request| request.outcome.seen()).map(|reply| reply.status).collect();
        assert_eq!(granted, vec![200; wanted], "{option}");
    }
}

#[test]
fn without_the_option_nobody_is_asked_and_nothing_is_recorded() {
    let off = run(DCE, None);
    assert_eq!((off.metadata_asked, control(&off.observations)), (1, None));
    let on = run(DCE, Some("--ask-azure"));
    assert_eq!(on.metadata_asked, 2);
}

/// A machine with a secret wherever its settings may hold one.
const SECRETS: &str = r#"
dces = ["prod-ab12.westeurope-1"]
environment = { HTTPS_PROXY = "http://user:fixed-secret-nobody-may-see@10.1.0.9:3128", NO_PROXY = "azure.com,azure-automation.net,windows.net,microsoftmetrics.com" }
[files]
"/opt/microsoft/azuremonitoragent/bin/mdsd" = ""
"/opt/microsoft/omsagent/bin/omsagent" = ""
"/etc/opt/microsoft/omsagent/proxy.conf" = "http://user:fixed-secret-nobody-may-see@10.1.0.9:3128\n"
"/etc/opt/microsoft/omsagent/conf/omsadmin.conf" = "WORKSPACE_ID=6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64\nSHARED_KEY=fixed-secret-nobody-may-see\n"
"/var/lib/waagent/Microsoft.Azure.Monitor.AzureMonitorLinuxAgent-1.33.1/config/0.settings" = '{"runtimeSettings": [{"handlerSettings": {"protectedSettings": "fixed-secret-nobody-may-see", "publicSettings": {"proxy": {"mode": "application", "password": "fixed-secret-nobody-may-see"}}}}]}'
[proxy]
address = "10.1.0.9:3128"
"#;

#[test]
fn no_token_and_no_secret_is_seen_in_any_format() {
    let Run { observations, progress, .. } = run(SECRETS, Some("--ask-azure=ingestion"));
    assert!(format!("{:?}", observations.seen).contains("10.1.0.9:3128"), "the settings with a secret were read");
    assert_eq!(outcomes(control(&observations).expect("an answer")), ["421", "200", "200", "200"]);
    let catalogue = Catalogue::builtin().expect("the catalogue");
    let (redacted, manifest) = redact(&observations, &catalogue, [7; 16]).expect("redacted");
    let mut shown = vec![("progress and options", progress), ("the observations", format!("{observations:?}"))];
    shown.push(("the saved observations", serde_json::to_string(&observations).expect("JSON")));
    shown.push(("the manifest", format!("{:?}", manifest.manifest)));
    for seen in [&observations, &redacted] {
        let (facts, findings) = (Facts::new(seen), diagnose(seen));
        let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
        let report = Report::new(seen, &facts, findings, run);
        for format in [
            Format::Table,
            Format::Json,
            Format::Ndjson,
            Format::Compact,
            Format::Html,
            Format::Markdown,
            Format::Junit,
            Format::Metrics,
        ] {
            let style = Style { detail: Detail::Everything, ..Style::default() };
            let mut out = Vec::new();
            render::write(format, &report, FailOn::Error, &style, &mut out).expect("memory takes it");
            shown.push(("a format", String::from_utf8(out).expect("UTF-8")));
        }
    }
    let panicked = std::panic::catch_unwind(|| panic!("{:?}", ampls_probes::secret::Secret::new(TOKEN)));
    let message = panicked.expect_err("a panic");
    shown.push(("the message of a panic", message.downcast_ref::<String>().expect("a text").clone()));
    let secrets = [TOKEN, INGESTION_TOKEN, "nobody-may-see", "customer-secret-path", "/srv/customer"];
    for (what, text) in &shown {
        assert!(!text.is_empty(), "{what}");
        let found: Vec<&str> = secrets.into_iter().filter(|secret| text.contains(secret)).collect();
        assert!(found.is_empty(), "{what} shows {found:?}");
    }
}

#[test]
fn handlers_that_were_examined_are_asked_over_the_same_connections() {
    let [off, on, ingestion] =
        [None, Some("--ask-azure"), Some("--ask-azure=ingestion")].map(|option| run(DCE, option));
    assert_eq!(outcomes(control(&on.observations).expect("an answer")), ["421", "200"]);
    assert_eq!(on.fronts_asked, off.fronts_asked, "no connection more");
    // The body of a token is left unread, so the second of two channels needs a connection of its own.
    assert_eq!(ingestion.fronts_asked, off.fronts_asked + 1);
}

#[test]
fn an_endpoint_that_nobody_named_costs_one_connection() {
    let world = "dces = [\"prod-ab12.westeurope-1\"]\n";
    let [off, on] = [None, Some("--ask-azure")].map(|option| {
        let arguments = option.map_or_else(String::new, |option| format!("\"{option}\""));
        let text = format!("title = \"t\"\nstory = \"s\"\narguments = [{arguments}]\n{world}");
        let mut scenario = Scenario::parse("asking", &text).expect("a world");
        let running = ampls_world::start(&scenario).expect("servers");
        scenario.dces.clear();
        let options = options(&scenario).expect("options");
        let catalogue = Catalogue::builtin().expect("the catalogue");
        let seen = ampls_probes::run::run(running.world.clone(), options, &catalogue, &|_| {}).expect("a run");
        let fronts = running.all_asked().into_iter().filter(|((_, at), _)| at.port() == 443).map(|(_, times)| times);
        (control(&seen).map(outcomes), fronts.sum::<u64>())
    });
    assert_eq!(on.0, Some(vec!["421".to_owned(), "200".to_owned()]));
    assert_eq!(on.1, off.1 + 1);
}

const ARC: &str = "[platform]\nmetadata = \"unreachable\"\nwire-server = \"unreachable\"\n[files]\n\"/opt/azcmagent/bin/azcmagent\" = \"\"\n";

#[test]
fn a_machine_of_azure_arc_shows_that_it_may_read_the_key_that_its_agent_names() {
    for (arc, wanted) in [
        ("challenge", Ok(vec!["421", "200"])),
        ("elsewhere", Err(TokenFailure::ForeignKey)),
        ("gone", Err(TokenFailure::Key(ReadFailure::Missing))),
        ("absent", Err(TokenFailure::UnknownMachine)),
    ] {
        let seen = run(&format!("{DCE}{ARC}[control]\narc = \"{arc}\"\n"), Some("--ask-azure"));
        let control = control(&seen.observations).expect("a try");
        match wanted {
            Ok(answers) => {
                assert_eq!(outcomes(control), answers, "{arc}");
                let text = format!("{:?} {}", seen.observations, seen.progress);
                assert!(!text.contains(ampls_world::ARC_KEY) && !text.contains(TOKEN), "{text}");
            }
            Err(failure) => assert_eq!((&control.token, control.asked.len()), (&Outcome::Failed(failure), 0), "{arc}"),
        }
    }
}

#[test]
fn the_agents_own_proxy_is_gone_through_and_no_other() {
    let agent = "\"/opt/microsoft/azuremonitoragent/bin/mdsd\" = \"\"\n";
    let of_agent = "\"/etc/default/azuremonitoragent\" = \"export MDSD_PROXY_ADDRESS=http://10.1.0.9:3128\\nexport MDSD_PROXY_MODE=application\\n\"\n";
    let proxy = "[proxy]\naddress = \"10.1.0.9:3128\"\n";
    let of_shell = "environment = { HTTPS_PROXY = \"http://10.1.0.9:3128\" }\n";
    let via = |world: &str| {
        let seen = run(world, Some("--ask-azure")).observations;
        let control = control(&seen).expect("a try").clone();
        control.asked.iter().map(|request| request.via.clone()).collect::<Vec<_>>()
    };
    let through = Some("http://10.1.0.9:3128".to_owned());
    let own = via(&format!("{DCE}[files]\n{agent}{of_agent}{proxy}"));
    assert!(!own.is_empty() && own.iter().all(|via| *via == through), "{own:?}");
    let shells = via(&format!("{DCE}{of_shell}[files]\n{agent}{proxy}"));
    assert!(!shells.is_empty() && shells.iter().all(Option::is_none), "{shells:?}");
    let refuses =
        run(&format!("{DCE}[files]\n{agent}{of_agent}{proxy}status = 407\n"), Some("--ask-azure")).observations;
    let control = control(&refuses).expect("a try");
    assert!(
        matches!(control.asked[..], [ref one] if matches!(one.outcome, Outcome::Failed(ControlFailure::Proxy(_)))),
        "{control:?}"
    );
}
