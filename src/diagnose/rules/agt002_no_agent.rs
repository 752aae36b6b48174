//! AGT002: no monitoring agent on this machine.

use ampls_probes::azure::AgentKind;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::rule::rule;

rule! {
    /// ## What it means
    ///
    /// Neither the Azure Monitor Agent nor a Log Analytics agent was found on this machine: no package, no VM extension, no
    /// configuration, no process.
    ///
    /// ## Why it matters
    ///
    /// It is normal where only an application sends telemetry by itself, and on a machine that is used to look at the
    /// network. On a machine whose logs are missed it is the reason.
    ///
    /// ## How to fix
    ///
    /// Nothing, unless this machine should send its own logs: then install the Azure Monitor Agent and associate the
    /// machine with a data collection rule.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor` lists the agent with its version.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-manage>
    /// - <https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-overview>
    AGT002 = "no-agent" {
        layer: Agent,
        severity: Info,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let Some(agents) = facts.agents() else { return Vec::new() };
    let sends = |kind: AgentKind| kind.is_legacy() || kind == AgentKind::Ama;
    if agents.found.iter().any(|agent| sends(agent.kind)) {
        return Vec::new();
    }
    let draft = Draft::new(Severity::Info, Owner::Os, Title::plain("no monitoring agent was found on this machine"))
        .summary(
            "this is normal where only applications send telemetry; the endpoints of all agents were tested instead",
        )
        .reaching(Reach::Nothing)
        .as_stated();
    // What could not be read may be what an agent has left.
    vec![if agents.unread.is_empty() { draft } else { draft.likely() }]
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Agents, Observation, ReadFailure, Unread, UnreadReason};
    use ampls_probes::testing::{agent, private_world};

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_nothing_sends() {
        assert_eq!(fires_as_declared(&AGT002, &private_world().agents([]))[0].severity, Severity::Info);
        assert_eq!(drafts(&AGT002, &private_world().agents([agent(AgentKind::Arc, "1.44")])).len(), 1);
    }

    #[test]
    fn is_not_proven_where_not_everything_could_be_read() {
        let seen = |unread: Vec<Unread>| {
            private_world().edit(|seen| seen.seen.push(Observation::Agents(Agents { unread, ..Agents::default() })))
        };
        let certainty = |unread| drafts(&AGT002, &seen(unread))[0].certainty;
        assert_eq!(certainty(Vec::new()), Certainty::Proven);
        for why in [ReadFailure::NotPermitted, ReadFailure::Code(None)] {
            let path = r"C:\Windows\System32\config\SOFTWARE".to_owned();
            assert_eq!(certainty(vec![Unread { path, why: UnreadReason::Failed(why) }]), Certainty::Likely);
        }
    }

    #[test]
    fn silent_with_an_agent_and_when_none_was_looked_for() {
        for kind in [AgentKind::Ama, AgentKind::Oms, AgentKind::Mma] {
            assert_eq!(drafts(&AGT002, &private_world().agents([agent(kind, "1.30")])), []);
        }
        assert_eq!(drafts(&AGT002, &private_world()), []);
    }
}
