//! RUN003: a required name does not work, and no other rule says why.

use ampls_probes::observation::Stop;

use crate::diagnose::command::command;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::rule;

rule! {
    /// ## What it means
    ///
    /// A name that monitoring needs does not resolve, does not answer, or resolves to a public address where private paths are
    /// expected, and none of the other rules recognises the fault. What was observed is listed, step by step, without an
    /// interpretation.
    ///
    /// ## Why it matters
    ///
    /// Monitoring does not work over this name, whatever the cause. A failure without a known cause is still
    /// a failure.
    ///
    /// ## How to fix
    ///
    /// Look at the evidence, beginning with the first step that failed: lookup, connection, handshake, request. The report
    /// holds every detail; `-v` prints more of it.
    ///
    /// ## How to confirm
    ///
    /// Run the program again: the name is private or public as it should be, and answers.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
    RUN003 = "unexplained-failure" {
        layer: Run,
        severity: Error,
        owner: Network,
        hops: [],
        claim: Unexplained,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    // A run that was stopped says itself what it did not finish.
    if facts.observations().stopped == Some(Stop::Interrupt) {
        return Vec::new();
    }
    let required = facts.endpoints().iter().filter(|name| name.required());
    required.filter(|name| name.fails() || facts.leads_astray(name)).map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let (owner, group, title, summary) = if name.fails() {
        (
            Owner::Network,
            "fails",
            "does not work, for an unknown reason: ",
            "monitoring needs this name and it does not work; the observations fit none of the known faults",
        )
    } else {
        (
            Owner::Dns,
            "public",
            "public although private is expected, for an unknown reason: ",
            "monitoring needs this name, others show that a private link is meant, and this one resolves to a public address; the observations fit none of the known faults",
        )
    };
    let mut draft = Draft::new(Severity::Error, owner, Title::list(title, [name.fqdn()], ""))
        .about([name.fqdn()])
        .group(group)
        .summary(summary)
        .likely()
        .evidence(name.views.iter().map(|view| facts.view_line(name, view)))
        .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
        .reaching(Reach::Nothing)
        .fix([Fix::look(
            "keep the whole report, every observation included, and look at the first step that failed",
            [command!(Any, "ampls-doctor check -o report.json")],
        )]);
    if let Some(handshake) = name.handshake {
        draft = draft.evidence([facts.handshake_line(name, handshake)]);
    }
    draft
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{HANDLER, ODS, Says, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_the_system_finds_nothing_although_every_server_answers() {
        let scene = private_world().system(ODS, &Says::ServFail);
        assert_eq!(fires_as_declared(&RUN003, &scene).len(), 1);
        let found = diagnose(&scene.observations());
        assert!(
            found.iter().any(|finding| finding.severity == Severity::Error),
            "a dead name is never healthy: {found:?}"
        );
    }

    #[test]
    fn silent_when_everything_works() {
        assert_eq!(drafts(&RUN003, &private_world()), []);
    }

    #[test]
    fn silent_where_another_rule_says_why() {
        let scene = private_world().attempt(HANDLER, "10.0.0.10", &ampls_probes::observation::Outcome::TimedOut);
        let found = diagnose(&scene.observations());
        assert!(found.iter().all(|finding| finding.code != "RUN003"), "{found:?}");
    }
}
