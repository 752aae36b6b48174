//! What each outcome of a local probe makes of its source, in new observations and in old ones.

use super::*;
use crate::observation::{BrowsersSeen, EncryptedDns, Hosts, RegistrySeen, ResolverConfig, Stop, Timing, Unread};
use crate::testing::private_world;

fn of(observations: &Observations, name: SourceName) -> Source {
    *sources(observations).iter().find(|source| source.source == name).expect("it is listed")
}

fn with_agents(unread: &[(&str, UnreadReason)]) -> Observations {
    let unread = unread.iter().map(|(path, why)| Unread { path: (*path).to_owned(), why: why.clone() }).collect();
    let mut seen = private_world().observations();
    seen.seen.push(Observation::Agents(Agents { unread, ..Agents::default() }));
    seen
}

#[test]
fn agents_whose_files_are_refused_are_not_seen_and_their_logs_decide_nothing() {
    let refused = || UnreadReason::Failed(ReadFailure::NotPermitted);
    let folder = "/etc/opt/microsoft/azuremonitoragent/config-cache/configchunks";
    let agents = of(&with_agents(&[(folder, refused())]), SourceName::Agents);
    assert_eq!((agents.outcome, agents.is_missing()), (SourceOutcome::NotPermitted, true));
    let log = "/var/opt/microsoft/azuremonitoragent/log/mdsd.err";
    assert_eq!(of(&with_agents(&[(log, refused())]), SourceName::Agents).outcome, SourceOutcome::Seen);
    assert_eq!(of(&with_agents(&[]), SourceName::Agents).outcome, SourceOutcome::Seen);
}

#[test]
fn source_of_which_a_key_or_a_file_could_not_be_read_is_not_seen() {
    let refused = UnreadReason::Failed(ReadFailure::NotPermitted);
    let key = r"HKLM\SOFTWARE\Policies\Google\Chrome";
    for (path, why, expected) in [
        (key, refused.clone(), SourceOutcome::NotPermitted),
        (key, UnreadReason::NotUnderstood, SourceOutcome::Failed),
        ("/home/ann/.config/x", UnreadReason::NotUnderstood, SourceOutcome::Seen),
    ] {
        let unread = vec![Unread { path: path.to_owned(), why }];
        let seen = BrowsersSeen { unread: unread.clone(), ..BrowsersSeen::default() };
        let browsers = Browsers { timing: Timing::default(), outcome: Outcome::Seen(seen) };
        assert_eq!(of_browsers(&browsers).outcome, expected, "{path}");
        let seen = RegistrySeen { unread: unread.clone(), ..RegistrySeen::default() };
        let registry = of_registry(&Registry { timing: Timing::default(), outcome: Outcome::Seen(seen) });
        assert!(registry.is_missing(), "{path}");
        let config = ResolverConfig { unread: unread.clone(), ..ResolverConfig::default() };
        let mut seen = private_world().observations();
        let (timing, outcome) = (Timing::default(), Outcome::Seen(Vec::new()));
        seen.seen.push(Observation::EncryptedDns(EncryptedDns { timing, outcome, unread }));
        for seen in &mut seen.seen {
            if let Observation::Resolver(resolver) = seen {
                resolver.outcome = Outcome::Seen(config.clone());
            }
        }
        assert!(of(&seen, SourceName::Resolver).is_missing(), "{path}");
        assert!(of(&seen, SourceName::SystemDns).is_missing(), "{path}");
    }
}

#[test]
fn accounts_that_are_not_signed_in_are_said() {
    let seen = BrowsersSeen { not_signed_in: true, ..BrowsersSeen::default() };
    let source = of_browsers(&Browsers { timing: Timing::default(), outcome: Outcome::Seen(seen) });
    assert_eq!((source.outcome, source.because), (SourceOutcome::Seen, Some(Because::NotSignedIn)));
}

#[test]
fn local_source_that_ended_early_is_cut_off_and_a_missing_file_is_absent() {
    let hosts = |outcome| {
        let mut seen = private_world().observations();
        seen.seen.retain(|seen| !matches!(seen, Observation::Hosts(_)));
        seen.seen.push(Observation::Hosts(Hosts { timing: Timing::default(), outcome, unread: None }));
        of(&seen, SourceName::Hosts)
    };
    assert_eq!(hosts(Outcome::Cancelled).outcome, SourceOutcome::Cancelled);
    assert_eq!(hosts(Outcome::Failed(ReadFailure::Missing)).outcome, SourceOutcome::Absent);
    assert_eq!(hosts(Outcome::Failed(ReadFailure::NotPermitted)).outcome, SourceOutcome::NotPermitted);
    assert!(hosts(Outcome::Failed(ReadFailure::Code(Some(5)))).is_missing());
}

#[test]
fn old_run_that_ended_before_anything_was_read_lost_its_configuration() {
    let mut seen = private_world().observations();
    seen.seen.clear();
    seen.stopped = Some(Stop::Deadline);
    assert_eq!(of(&seen, SourceName::Agents).outcome, SourceOutcome::Cancelled);
    assert_eq!(of(&seen, SourceName::Resolver).outcome, SourceOutcome::Cancelled);
    seen.stopped = None;
    assert_eq!(of(&seen, SourceName::Agents).outcome, SourceOutcome::Skipped);
}

#[test]
fn windows_names_what_this_build_does_not_read() {
    let mut seen = private_world().observations();
    seen.machine.os = "Windows Server 2022 (20348)".to_owned();
    for name in [SourceName::Agents, SourceName::Registry] {
        assert_eq!(of(&seen, name).outcome, SourceOutcome::Unsupported, "{name:?}");
    }
    seen.asked.files_only = true;
    let browsers = Browsers { timing: Timing::default(), outcome: Outcome::Seen(BrowsersSeen::default()) };
    seen.seen.push(Observation::Browsers(browsers));
    let local: Vec<_> = sources(&seen).into_iter().filter(|source| source.source.is_local()).collect();
    assert!(local.iter().all(|source| source.because == Some(Because::WindowsDisk)), "{local:?}");
}

#[test]
fn what_was_recorded_is_not_derived() {
    let mut seen = private_world().observations();
    seen.sources = vec![Source::new(SourceName::Agents, SourceOutcome::Cancelled)];
    assert_eq!(sources(&seen), seen.sources);
}

#[test]
fn words_are_those_of_json() {
    for source in derived(&private_world().observations()) {
        assert_eq!(serde_json::to_value(source.source).expect("JSON"), source.source.as_str());
    }
}
