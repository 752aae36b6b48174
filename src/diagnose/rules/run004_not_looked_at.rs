//! RUN004: what decides what is required was not looked at.

use ampls_probes::observation::{Because, Source, SourceName, SourceOutcome};

use crate::diagnose::command::command;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, sources};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::rule;

rule! {
    /// ## What it means
    ///
    /// Which names a machine needs follows from its agents, and where they lead follows from the DNS servers it is configured
    /// with. One of these sources could not be read: this build does not read it on this operating system, this user may not
    /// read it, or its file is broken. The evidence says which and why.
    ///
    /// What the agents' logs and the hosts file hold decides nothing about what is required; where those need more rights it
    /// is RUN002. What took too long is RUN001.
    ///
    /// ## Why it matters
    ///
    /// Not looked at is not the same as fine. A workspace or a data collection endpoint that only the agents' files name was
    /// not examined, and a machine whose DNS servers are unknown was judged by its own lookups alone. Such a machine is never
    /// called healthy.
    ///
    /// ## How to fix
    ///
    /// Run the program as a user who may read the files: with `sudo`, or as Administrator. It changes nothing either way. Where
    /// this build cannot read a source, name what the machine uses: `--workspace` and `--dce` for its agents, `--resolver` for
    /// its DNS servers. What is named is examined; the finding stays, because what else the source holds is still unknown.
    ///
    /// ## How to confirm
    ///
    /// `sources` of the report lists `agents` and `resolver` as `seen` or `absent`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-data-collection-endpoint>
    /// - <https://learn.microsoft.com/azure/virtual-machines/linux/run-command>
    RUN004 = "not-looked-at" {
        layer: Run,
        severity: Warning,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let seen = facts.observations();
    let missing: Vec<Source> = sources::missing(seen).into_iter().filter(|source| decides(facts, *source)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let labels: Vec<&str> = missing.iter().map(sources::label).collect();
    let names: Vec<&str> = missing.iter().map(|source| source.source.as_str()).collect();
    vec![
        Draft::new(
            Severity::Warning,
            Owner::Os,
            Title::plain(format!("not read, although it decides what is required: {}", labels.join(", "))),
        )
        .summary("a name that only this source knows was not tested, so this machine is not proven healthy")
        .evidence(missing.iter().map(|source| sources::line(source, seen)))
        .list("sources", &names)
        .reaching(Reach::Nothing)
        .fix(fixes(facts, &missing)),
    ]
}

/// Agents say which names are required, the resolver which servers are. Of a disk nobody asks a server.
fn decides(facts: &Facts<'_>, source: Source) -> bool {
    use SourceOutcome::{Failed, NotPermitted, Unsupported};
    let unreadable = matches!(source.outcome, Unsupported | NotPermitted | Failed);
    unreadable
        && match source.source {
            SourceName::Agents => true,
            SourceName::Resolver => !facts.observations().asked.files_only,
            _ => false,
        }
}

fn fixes(facts: &Facts<'_>, missing: &[Source]) -> Vec<Fix> {
    let outcome = |wanted| missing.iter().any(|source| source.outcome == wanted);
    let mut fixes = Vec::new();
    if outcome(SourceOutcome::NotPermitted) {
        fixes.push(if facts.on_windows() {
            Fix::look("run it in a console opened as Administrator", [command!(Any, "ampls-doctor check")])
        } else {
            Fix::look("run again as a user who may read the files", [command!(Sh, "sudo ampls-doctor check")])
        });
    }
    let disk = missing.iter().any(|source| source.because == Some(Because::WindowsDisk));
    if outcome(SourceOutcome::Unsupported) && !disk {
        fixes.push(Fix::look(
            "name what the agents of this machine use",
            [command!(Any, "ampls-doctor check --workspace WORKSPACE_ID --dce HOST_NAME")],
        ));
    }
    if outcome(SourceOutcome::Failed) {
        fixes.push(Fix::look(
            "name the DNS servers of this machine",
            [command!(Any, "ampls-doctor check --resolver ADDRESS")],
        ));
    }
    fixes
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{
        Agents, Observation, Outcome, ReadFailure, Resolver, Timing, Unread, UnreadReason,
    };
    use ampls_probes::testing::{Scene, private_world, public_world};

    use super::*;
    use crate::diagnose::command::Command;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn resolver_is(outcome: ReadFailure) -> Scene {
        let (timing, outcome) = (Timing::default(), Outcome::Failed(outcome));
        let resolver = Resolver { timing, outcome, servers: Vec::new() };
        public_world().edit(|seen| seen.seen.push(Observation::Resolver(resolver)))
    }

    fn agents_with(path: &str) -> Scene {
        let why = UnreadReason::Failed(ReadFailure::NotPermitted);
        let unread = vec![Unread { path: path.to_owned(), why }];
        private_world().edit(|seen| seen.seen.push(Observation::Agents(Agents { unread, ..Agents::default() })))
    }

    #[test]
    fn fires_when_the_files_of_the_agents_are_refused() {
        let found = fires_as_declared(&RUN004, &agents_with("/etc/opt/microsoft/azuremonitoragent"));
        assert!(found[0].evidence[0].contains("/etc/opt/microsoft/azuremonitoragent"), "{:?}", found[0].evidence);
        assert_eq!(found[0].fix[0].commands.first().map(Command::as_str), Some("sudo ampls-doctor check"));
    }

    #[test]
    fn fires_when_the_servers_are_unknown() {
        for failure in [ReadFailure::NotPermitted, ReadFailure::NotAFile, ReadFailure::Code(Some(5))] {
            assert_eq!(drafts(&RUN004, &resolver_is(failure))[0].lists["sources"], ["resolver"]);
        }
    }

    #[test]
    fn fires_where_this_build_cannot_read_agents() {
        let windows = private_world().edit(|seen| seen.machine.os = "Windows Server 2022 (20348)".to_owned());
        let found = drafts(&RUN004, &windows);
        assert_eq!(found[0].lists["sources"], ["agents"]);
        let command = found[0].fix[0].commands.first().map(Command::as_str);
        assert!(command.is_some_and(|command| command.contains("--workspace")), "{command:?}");
    }

    #[test]
    fn silent_when_all_was_read_or_is_not_there() {
        assert_eq!(drafts(&RUN004, &private_world().agents([])), []);
        assert_eq!(drafts(&RUN004, &resolver_is(ReadFailure::Missing)), []);
    }

    #[test]
    fn silent_about_logs_and_about_what_nobody_asked_for() {
        assert_eq!(drafts(&RUN004, &agents_with("/var/opt/microsoft/azuremonitoragent/log/mdsd.err")), []);
        assert_eq!(drafts(&RUN004, &private_world()), []);
    }
}
