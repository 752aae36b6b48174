//! What was looked at and what was not, in words.

use ampls_probes::Observations;
use ampls_probes::observation::source::is_log;
use ampls_probes::observation::{
    Because, Observation, ReadFailure, Source, SourceName, SourceOutcome, Unread, UnreadReason, sources,
};

use super::control::last_said;
use crate::text::{list, quote};

/// Files named where a source was not permitted; the rest is counted.
const NAMED: usize = 3;

/// Sources that should have been looked at and were not, in the order of the report.
pub fn missing(observations: &Observations) -> Vec<Source> {
    sources(observations).into_iter().filter(Source::is_missing).collect()
}

/// Whether what an agent or the resolver is configured with was not looked at.
pub fn was_looked_at(observations: &Observations, name: SourceName) -> bool {
    sources(observations).iter().any(|source| source.source == name && source.was_looked_at())
}

/// A source in a sentence, or the part of it that was not looked at.
pub fn label(source: &Source) -> &'static str {
    match source.source {
        SourceName::Azure if source.because == Some(Because::TokensNotSettled) => {
            "whether Azure grants every token for uploads"
        }
        SourceName::Agents => "the agents' files",
        SourceName::Resolver => "the DNS settings of this machine",
        SourceName::Hosts => "the hosts file",
        SourceName::SystemDns => "the system's settings of encrypted DNS",
        SourceName::Browsers => "the browsers' settings",
        SourceName::Proxies => "the proxy settings",
        SourceName::Trust => "the trust store",
        SourceName::Registry => "the registry",
        SourceName::Metadata => "the metadata service",
        SourceName::Azure => "this machine's rules in Azure",
        SourceName::EncryptedView => "resolvers that are asked encrypted",
    }
}

/// Why a source was not looked at; `None` where it was.
pub fn reason(source: &Source, observations: &Observations) -> Option<String> {
    let said = match source.because {
        Some(Because::NotAsked) => "it was not asked for".to_owned(),
        Some(Because::NotNeeded) if source.source == SourceName::EncryptedView => {
            "no browser and no service of this machine asks encrypted".to_owned()
        }
        Some(Because::NotNeeded) => "no step of this run needed it".to_owned(),
        Some(Because::NotInThisBuild) => "this build does not read it on this operating system".to_owned(),
        Some(Because::WindowsDisk) => "the disk holds Windows, of which this build reads no files".to_owned(),
        Some(Because::Stale) => {
            "the machine was not shut down: its last changes lie in logs that are not read".to_owned()
        }
        Some(Because::NotSignedIn) => {
            "policies of accounts that are not signed in are not loaded, and were not read".to_owned()
        }
        Some(Because::PoliciesOnly) => {
            "what people set themselves was not looked at, only policies of the machine; `--browsers all` looks at both"
                .to_owned()
        }
        Some(Because::SomeFiles) => {
            let files = refused(source.source, observations);
            if files.is_empty() {
                "some of its files need more rights".to_owned()
            } else {
                format!("not permitted to read {}", list(&files, NAMED))
            }
        }
        Some(Because::NoAnswer) if source.source == SourceName::EncryptedView => {
            "one of them gave no answer, or the settings do not say where it is".to_owned()
        }
        Some(Because::NoAnswer) => "nothing answers there".to_owned(),
        Some(Because::UnknownMachine) => {
            "the metadata service names no machine to ask for, or the cloud is not known".to_owned()
        }
        Some(Because::SeveralIdentities) => {
            "this machine has several identities, and the agent's settings name none of them".to_owned()
        }
        Some(Because::NoIdentity) => {
            "this machine has no managed identity, or not the one that the agent's settings name".to_owned()
        }
        Some(Because::KeyNotReadable) => {
            "the agent of Azure Arc gives tokens to root and the group `himds` alone (Windows: administrators)"
                .to_owned()
        }
        Some(Because::Refused) => last_said(observations).unwrap_or_else(|| "the service refused".to_owned()),
        Some(Because::TokensNotSettled) => {
            "it named the rules, and not every token was asked for and granted or refused".to_owned()
        }
        None => match source.outcome {
            SourceOutcome::Seen | SourceOutcome::Absent => return None,
            SourceOutcome::Skipped => "it was left out".to_owned(),
            SourceOutcome::Unsupported => "this build cannot read it".to_owned(),
            SourceOutcome::NotPermitted => "this user may not read it".to_owned(),
            SourceOutcome::Failed if source.source == SourceName::Azure => {
                last_said(observations).unwrap_or_else(|| "it could not be asked".to_owned())
            }
            SourceOutcome::Failed => "it could not be read".to_owned(),
            SourceOutcome::Cancelled => "it was not read to its end in the time that it had".to_owned(),
        },
    };
    Some(said)
}

/// Files of a source that this user may not read, in the order seen.
pub fn refused(name: SourceName, observations: &Observations) -> Vec<&str> {
    let refused = |unread: &&Unread| unread.why == UnreadReason::Failed(ReadFailure::NotPermitted);
    let unread = observations.seen.iter().flat_map(|seen| match (name, seen) {
        (SourceName::Agents, Observation::Agents(agents)) => agents.unread.as_slice(),
        (SourceName::Resolver, Observation::Resolver(resolver)) => {
            resolver.outcome.seen().map_or(&[][..], |config| config.unread.as_slice())
        }
        (SourceName::Browsers, Observation::Browsers(browsers)) => {
            browsers.outcome.seen().map_or(&[][..], |seen| seen.unread.as_slice())
        }
        (SourceName::SystemDns, Observation::EncryptedDns(encrypted)) => encrypted.unread.as_slice(),
        (SourceName::Registry, Observation::Registry(registry)) => {
            registry.outcome.seen().map_or(&[][..], |seen| seen.unread.as_slice())
        }
        _ => &[],
    });
    let decides = |unread: &&Unread| name != SourceName::Agents || !is_log(&unread.path);
    unread.filter(refused).filter(decides).map(|unread| unread.path.as_str()).collect()
}

/// A source and why it was not looked at, as a line of evidence.
pub fn line(source: &Source, observations: &Observations) -> String {
    let reason = reason(source, observations).unwrap_or_default();
    format!("not looked at: {} ({}): {reason}", label(source), quote(source.source.as_str()))
}

#[cfg(test)]
mod tests {
    use ampls_probes::azure::AgentKind;
    use ampls_probes::testing::{agent, private_world};

    use super::*;

    #[test]
    fn a_source_was_looked_at_where_it_and_not_only_another_was() {
        let without_agents = private_world().observations();
        assert!(!was_looked_at(&without_agents, SourceName::Agents));
        assert!(was_looked_at(&without_agents, SourceName::Resolver));
        assert!(was_looked_at(&private_world().agents([]).observations(), SourceName::Agents));
    }

    #[test]
    fn what_was_not_needed_is_told_by_what_would_need_it() {
        let seen = private_world().observations();
        let why = |source, because| {
            reason(&Source { source, outcome: SourceOutcome::Skipped, because: Some(because) }, &seen)
                .unwrap_or_default()
        };
        assert!(why(SourceName::EncryptedView, Because::NotNeeded).contains("asks encrypted"));
        assert!(why(SourceName::EncryptedView, Because::NoAnswer).contains("one of them"));
        assert_eq!(why(SourceName::Metadata, Because::NotNeeded), "no step of this run needed it");
        assert_eq!(why(SourceName::Metadata, Because::NoAnswer), "nothing answers there");
    }

    #[test]
    fn a_log_that_may_not_be_read_keeps_nothing_of_the_agents_back() {
        let mut seen = private_world().agents([agent(AgentKind::Ama, "1.33.1")]).observations();
        let paths = ["/etc/opt/microsoft/azuremonitoragent/mdsd.json", "/var/opt/microsoft/agent/log/mdsd.err"];
        for step in &mut seen.seen {
            if let Observation::Agents(agents) = step {
                agents.unread.extend(paths.map(|path| Unread {
                    path: path.to_owned(),
                    why: UnreadReason::Failed(ReadFailure::NotPermitted),
                }));
            }
        }
        assert_eq!(refused(SourceName::Agents, &seen), [paths[0]]);
        assert_eq!(refused(SourceName::Browsers, &seen), [""; 0]);
    }
}
