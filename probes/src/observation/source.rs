//! What a run took its knowledge of the machine from, source by source. Not there, not permitted, not read by this build and cut
//! off are different things, and only the first is fine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Agents, Browsers, BrowsersSeen, Control, ControlQuestion, ControlReply, Metadata, MetadataFailure, Observation,
    Observations, Outcome, ReadFailure, Registry, Skip, TokenFailure, Unread, UnreadReason,
};

/// A source and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Which.
    pub source: SourceName,
    /// What came of it.
    pub outcome: SourceOutcome,
    /// Why, where the outcome leaves it open.
    pub because: Option<Because>,
}

/// The sources, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceName {
    /// Files and processes of the monitoring agents.
    Agents,
    /// Which DNS servers this machine uses.
    Resolver,
    /// The hosts file.
    Hosts,
    /// Encrypted DNS of the operating system.
    SystemDns,
    /// Policies and profiles of browsers.
    Browsers,
    /// Proxies of this program's environment.
    Proxies,
    /// This machine's trust store.
    Trust,
    /// The registry, on Windows.
    Registry,
    /// The metadata service.
    Metadata,
    /// The control service, where it was asked.
    Azure,
    /// The resolvers that browsers and the system ask encrypted, where they were to be asked.
    EncryptedView,
}

/// What came of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceOutcome {
    /// It was looked at.
    Seen,
    /// It is not there.
    Absent,
    /// It was left out, because nobody asked for it or nothing needed it.
    Skipped,
    /// This build cannot read it.
    Unsupported,
    /// This user may not read it.
    NotPermitted,
    /// It could not be read for another reason.
    Failed,
    /// It was not read to its end in the time that it had.
    Cancelled,
}

/// Why a source was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// The options left it out.
    NotAsked,
    /// No step of this run needed it.
    NotNeeded,
    /// This build does not read it on this operating system.
    NotInThisBuild,
    /// The examined disk is one of Windows, of which the build that wrote this read nothing.
    WindowsDisk,
    /// It was read, but the machine was not shut down: its last changes lie in logs that are not read.
    Stale,
    /// It was read, but not the settings of accounts that are not signed in: Windows loads them when they do.
    NotSignedIn,
    /// The machine's policies were read; what people set themselves was not asked for.
    PoliciesOnly,
    /// Some of its files need more rights.
    SomeFiles,
    /// Nothing answered.
    NoAnswer,
    /// The metadata service names no machine, or the cloud is not known.
    UnknownMachine,
    /// The machine has several identities, and the agent's settings name none.
    SeveralIdentities,
    /// The machine has no identity.
    NoIdentity,
    /// The service refused.
    Refused,
    /// It named the rules, and neither granted nor refused every token for uploads that it was asked for.
    TokensNotSettled,
    /// The agent of Azure Arc gives tokens to those alone that may read its key.
    KeyNotReadable,
}

impl SourceName {
    /// The word of JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Resolver => "resolver",
            Self::Hosts => "hosts",
            Self::SystemDns => "system-dns",
            Self::Browsers => "browsers",
            Self::Proxies => "proxies",
            Self::Trust => "trust",
            Self::Registry => "registry",
            Self::Metadata => "metadata",
            Self::Azure => "azure",
            Self::EncryptedView => "encrypted-view",
        }
    }

    /// It belongs to the machine, so that it can always be looked at.
    fn is_local(self) -> bool {
        !matches!(self, Self::Metadata | Self::Azure | Self::EncryptedView)
    }
}

impl Source {
    /// A source whose outcome says everything.
    pub fn new(source: SourceName, outcome: SourceOutcome) -> Self {
        Self { source, outcome, because: None }
    }

    /// The same for this reason.
    #[must_use]
    pub fn because(mut self, because: Because) -> Self {
        self.because = Some(because);
        self
    }

    /// It should have been looked at and was not.
    pub fn is_missing(&self) -> bool {
        use SourceOutcome::{Absent, Cancelled, Failed, NotPermitted, Seen, Skipped, Unsupported};
        match self.outcome {
            Seen | Absent | Skipped => false,
            // A metadata service that does not answer has a finding of its own. The control service is a source of those runs alone
            // that are to ask it.
            Unsupported | NotPermitted | Failed | Cancelled => self.source != SourceName::Metadata,
        }
    }

    /// It was looked at, whatever was found.
    pub fn was_looked_at(&self) -> bool {
        matches!(self.outcome, SourceOutcome::Seen | SourceOutcome::Absent)
    }
}

/// The sources of a run: as it recorded them, or, for observations of versions that recorded none, as what was seen shows.
pub fn sources(observations: &Observations) -> Vec<Source> {
    if observations.sources.is_empty() { derived(observations) } else { observations.sources.clone() }
}

/// What the observations themselves show of each source.
pub fn derived(observations: &Observations) -> Vec<Source> {
    let windows = observations.machine.is_windows();
    let registry = find(observations, |seen| match seen {
        Observation::Registry(registry) => Some(registry),
        _ => None,
    });
    let mut sources = vec![
        agents(observations),
        resolver(observations),
        hosts(observations),
        system_dns(observations),
        browsers(observations),
        proxies(observations),
        trust(observations),
    ];
    match registry {
        Some(registry) => sources.push(of_registry(registry)),
        None if windows => {
            sources
                .push(Source::new(SourceName::Registry, SourceOutcome::Unsupported).because(Because::NotInThisBuild));
        }
        None => {}
    }
    sources.push(metadata(observations));
    sources.extend(azure(observations));
    sources.extend(encrypted_view(observations));
    if windows && observations.asked.files_only && registry.is_none() {
        for source in sources.iter_mut().filter(|source| source.source.is_local()) {
            *source = Source::new(source.source, SourceOutcome::Unsupported).because(Because::WindowsDisk);
        }
    }
    sources
}

/// What stands for a source of which nothing was recorded.
fn unrecorded(source: SourceName) -> Source {
    Source::new(source, SourceOutcome::Skipped).because(Because::NotAsked)
}

/// Versions that recorded no sources lost the resolver, which every run reads, together with the agents when reading them was
/// cut off.
fn configuration_was_cut_off(observations: &Observations) -> bool {
    observations.stopped.is_some() && find(observations, of_resolver).is_none()
}

fn agents(observations: &Observations) -> Source {
    let found = find(observations, |seen| match seen {
        Observation::Agents(agents) => Some(agents),
        _ => None,
    });
    match found {
        Some(agents) => of_agents(agents),
        None if observations.machine.is_windows() => {
            Source::new(SourceName::Agents, SourceOutcome::Unsupported).because(Because::NotInThisBuild)
        }
        None if configuration_was_cut_off(observations) => Source::new(SourceName::Agents, SourceOutcome::Cancelled),
        None => unrecorded(SourceName::Agents),
    }
}

/// What of their configuration could not be read. What an agent's logs would add decides nothing about what is required.
fn of_agents(agents: &Agents) -> Source {
    let mut of_configuration =
        agents.unread.iter().filter(|unread| !is_log(&unread.path)).filter_map(|unread| match &unread.why {
            UnreadReason::Failed(failure) => Some(failure),
            _ => None,
        });
    if of_configuration.clone().any(|failure| *failure == ReadFailure::NotPermitted) {
        return Source::new(SourceName::Agents, SourceOutcome::NotPermitted).because(Because::SomeFiles);
    }
    if of_configuration.any(|failure| matches!(failure, ReadFailure::Code(_))) {
        return Source::new(SourceName::Agents, SourceOutcome::Failed);
    }
    Source::new(SourceName::Agents, SourceOutcome::Seen)
}

/// A path of a log of an agent.
pub fn is_log(path: &str) -> bool {
    path.split('/').any(|part| part == "log")
}

fn of_resolver(seen: &Observation) -> Option<&super::Resolver> {
    match seen {
        Observation::Resolver(resolver) => Some(resolver),
        _ => None,
    }
}

fn resolver(observations: &Observations) -> Source {
    match find(observations, of_resolver) {
        Some(super::Resolver { outcome: Outcome::Seen(config), .. }) if !config.unread.is_empty() => {
            partly(SourceName::Resolver, &config.unread)
        }
        Some(resolver) => of_outcome(SourceName::Resolver, &resolver.outcome),
        None if configuration_was_cut_off(observations) => Source::new(SourceName::Resolver, SourceOutcome::Cancelled),
        None => unrecorded(SourceName::Resolver),
    }
}

fn hosts(observations: &Observations) -> Source {
    let hosts = find(observations, |seen| match seen {
        Observation::Hosts(hosts) => Some(hosts),
        _ => None,
    });
    match hosts {
        Some(hosts) => of_outcome(SourceName::Hosts, &hosts.outcome),
        None => unrecorded(SourceName::Hosts),
    }
}

fn system_dns(observations: &Observations) -> Source {
    let encrypted = find(observations, |seen| match seen {
        Observation::EncryptedDns(encrypted) => Some(encrypted),
        _ => None,
    });
    match encrypted {
        Some(encrypted) if encrypted.outcome.seen().is_some() && !encrypted.unread.is_empty() => {
            partly(SourceName::SystemDns, &encrypted.unread)
        }
        Some(encrypted) => of_outcome(SourceName::SystemDns, &encrypted.outcome),
        None => unrecorded(SourceName::SystemDns),
    }
}

fn browsers(observations: &Observations) -> Source {
    let browsers = find(observations, |seen| match seen {
        Observation::Browsers(browsers) => Some(browsers),
        _ => None,
    });
    match browsers {
        Some(browsers) => of_browsers(browsers),
        None => unrecorded(SourceName::Browsers),
    }
}

/// A person's own file that is damaged says nothing of the machine; a key or a file that could not be read may.
fn of_browsers(browsers: &Browsers) -> Source {
    let counts = |unread: &&Unread| {
        is_key(&unread.path)
            || matches!(unread.why, UnreadReason::Failed(ReadFailure::NotPermitted | ReadFailure::Code(_)))
    };
    let Some(seen) = browsers.outcome.seen() else { return of_outcome(SourceName::Browsers, &browsers.outcome) };
    let lost: Vec<Unread> = seen.unread.iter().filter(counts).cloned().collect();
    let read = Source::new(SourceName::Browsers, SourceOutcome::Seen);
    match seen {
        _ if !lost.is_empty() => partly(SourceName::Browsers, &lost),
        BrowsersSeen { policies_only: true, .. } => read.because(Because::PoliciesOnly),
        BrowsersSeen { not_signed_in: true, .. } => read.because(Because::NotSignedIn),
        _ => read,
    }
}

/// A path of the registry.
fn is_key(path: &str) -> bool {
    [r"HKLM\", r"HKU\"].iter().any(|root| path.starts_with(root))
}

/// A source of which some could not be read, because this user may not or for another reason.
fn partly(name: SourceName, unread: &[Unread]) -> Source {
    if unread.iter().any(|unread| unread.why == UnreadReason::Failed(ReadFailure::NotPermitted)) {
        Source::new(name, SourceOutcome::NotPermitted).because(Because::SomeFiles)
    } else {
        Source::new(name, SourceOutcome::Failed)
    }
}

fn of_registry(registry: &Registry) -> Source {
    let source = of_outcome(SourceName::Registry, &registry.outcome);
    match registry.outcome.seen() {
        Some(seen) if !seen.unread.is_empty() => partly(SourceName::Registry, &seen.unread),
        Some(seen) if !seen.stale.is_empty() => source.because(Because::Stale),
        _ => source,
    }
}

fn proxies(observations: &Observations) -> Source {
    let set = observations.seen.iter().any(|seen| match seen {
        Observation::ProxySettings(_) => true,
        Observation::Registry(registry) => registry.outcome.seen().is_some_and(|seen| !seen.proxies.is_empty()),
        _ => false,
    });
    Source::new(SourceName::Proxies, if set { SourceOutcome::Seen } else { SourceOutcome::Absent })
}

/// The store is read for the first certificate.
fn trust(observations: &Observations) -> Source {
    let mut verdicts = observations.seen.iter().filter_map(|seen| match seen {
        Observation::Handshake(handshake) => handshake.verification.as_ref(),
        _ => None,
    });
    match verdicts.next() {
        Some(first) if first.machine == super::ChainVerdict::NoRoots => {
            Source::new(SourceName::Trust, SourceOutcome::Failed)
        }
        Some(_) => Source::new(SourceName::Trust, SourceOutcome::Seen),
        None => Source::new(SourceName::Trust, SourceOutcome::Skipped).because(Because::NotNeeded),
    }
}

fn metadata(observations: &Observations) -> Source {
    let answer = find(observations, |seen| match seen {
        Observation::Metadata(metadata) => Some(metadata),
        _ => None,
    });
    let Some(Metadata { outcome, .. }) = answer else {
        return unrecorded(SourceName::Metadata);
    };
    match outcome {
        Outcome::Seen(_) => Source::new(SourceName::Metadata, SourceOutcome::Seen),
        Outcome::TimedOut | Outcome::Failed(MetadataFailure::Unreachable(_)) => {
            Source::new(SourceName::Metadata, SourceOutcome::Absent).because(Because::NoAnswer)
        }
        Outcome::Failed(_) => Source::new(SourceName::Metadata, SourceOutcome::Failed),
        Outcome::Cancelled => Source::new(SourceName::Metadata, SourceOutcome::Cancelled),
        Outcome::Skipped(_) => Source::new(SourceName::Metadata, SourceOutcome::Skipped).because(Because::NotAsked),
    }
}

/// The control service is a source of those runs alone that asked it.
fn azure(observations: &Observations) -> Option<Source> {
    let control = find(observations, |seen| match seen {
        Observation::Control(control) => Some(control),
        _ => None,
    })?;
    let source = |outcome| Source::new(SourceName::Azure, outcome);
    let rules = control.asked.iter().rev().find(|request| request.about == ControlQuestion::Rules);
    Some(match (&control.token, rules.map(|request| &request.outcome)) {
        (Outcome::Failed(TokenFailure::UnknownMachine), _) => {
            source(SourceOutcome::Failed).because(Because::UnknownMachine)
        }
        (Outcome::Failed(TokenFailure::SeveralIdentities), _) => {
            source(SourceOutcome::Failed).because(Because::SeveralIdentities)
        }
        (Outcome::Failed(TokenFailure::NoIdentity), _) => source(SourceOutcome::Failed).because(Because::NoIdentity),
        (Outcome::Failed(TokenFailure::Key(ReadFailure::NotPermitted)), _) => {
            source(SourceOutcome::NotPermitted).because(Because::KeyNotReadable)
        }
        (Outcome::Seen(_), Some(Outcome::Seen(reply))) => match reply.status {
            200 if tokens_are_settled(control, reply) => source(SourceOutcome::Seen),
            200 => source(SourceOutcome::Failed).because(Because::TokensNotSettled),
            status if status == 421 || reply.refuses() => source(SourceOutcome::NotPermitted).because(Because::Refused),
            _ => source(SourceOutcome::Failed),
        },
        (Outcome::Cancelled, _) | (Outcome::Seen(_), Some(Outcome::Cancelled)) => source(SourceOutcome::Cancelled),
        _ => source(SourceOutcome::Failed),
    })
}

/// Whether every token for uploads that was to be asked for was asked for, and granted or refused.
fn tokens_are_settled(control: &Control, rules: &ControlReply) -> bool {
    let mut tokens = control.asked.iter().filter(|request| request.about != ControlQuestion::Rules).peekable();
    if tokens.peek().is_none() {
        return true;
    }
    let channels = rules.rules.iter().flat_map(|rule| &rule.channels).filter(|channel| channel.token_host.is_some());
    let settled = tokens.filter_map(|request| request.outcome.seen()).filter(|it| it.status == 200 || it.refuses());
    settled.count() >= channels.count()
}

/// Resolvers that are asked encrypted are a source of those runs alone that were to ask them.
fn encrypted_view(observations: &Observations) -> Option<Source> {
    if !observations.asked.view_encrypted {
        return None;
    }
    let views = || {
        observations.seen.iter().filter_map(|seen| match seen {
            Observation::EncryptedView(view) => Some(view),
            _ => None,
        })
    };
    let source = |outcome| Source::new(SourceName::EncryptedView, outcome);
    Some(if views().next().is_none() {
        source(SourceOutcome::Absent).because(Because::NotNeeded)
    } else if views().any(|view| view.outcome == Outcome::Cancelled) {
        source(SourceOutcome::Cancelled)
    } else if views().all(super::EncryptedView::answered) {
        source(SourceOutcome::Seen)
    } else {
        source(SourceOutcome::Failed).because(Because::NoAnswer)
    })
}

fn of_outcome<T>(source: SourceName, outcome: &Outcome<T, ReadFailure>) -> Source {
    match outcome {
        Outcome::Seen(_) => Source::new(source, SourceOutcome::Seen),
        Outcome::Failed(ReadFailure::Missing) => Source::new(source, SourceOutcome::Absent),
        Outcome::Failed(ReadFailure::NotPermitted) => Source::new(source, SourceOutcome::NotPermitted),
        Outcome::Failed(ReadFailure::NotAFile | ReadFailure::Code(_)) => Source::new(source, SourceOutcome::Failed),
        Outcome::TimedOut | Outcome::Cancelled => Source::new(source, SourceOutcome::Cancelled),
        Outcome::Skipped(Skip::NotOnThisSystem) => {
            Source::new(source, SourceOutcome::Unsupported).because(Because::NotInThisBuild)
        }
        Outcome::Skipped(_) => Source::new(source, SourceOutcome::Skipped).because(Because::NotAsked),
    }
}

fn find<'a, T>(observations: &'a Observations, of: impl Fn(&'a Observation) -> Option<&'a T>) -> Option<&'a T> {
    // Of several the last counts, as everywhere.
    observations.seen.iter().rev().find_map(of)
}

#[cfg(test)]
mod tests;
