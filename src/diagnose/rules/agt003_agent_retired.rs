//! AGT003: a retired agent still reports.

use ampls_probes::observation::Agent;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, agent_line, workspace_lines};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// The Log Analytics agent (MMA on Windows, OMS on Linux) on this machine reports to a workspace. It was retired on
    /// 31 August 2024 and is not supported any more.
    ///
    /// ## Why it matters
    ///
    /// Microsoft turns its ingestion off step by step: uploads may be refused at any time, private link or not, and no
    /// repair of the network brings them back.
    ///
    /// ## How to fix
    ///
    /// Move to the Azure Monitor Agent: install it, associate the machine with data collection rules and, behind a private
    /// link, with a data collection endpoint; then remove the old agent.
    ///
    /// ## How to confirm
    ///
    /// The workspace's `Heartbeat` table shows category `Azure Monitor Agent` for this machine, and no other.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/log-analytics-agent>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-migration>
    AGT003 = "agent-retired" {
        layer: Agent,
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
    let used = |agent: &&Agent| agent.retired.is_some() && !agent.workspaces.is_empty();
    facts.all_agents().iter().filter(used).map(draft).collect()
}

fn draft(agent: &Agent) -> Draft {
    let retired = agent.retired.as_deref().unwrap_or_default();
    Draft::new(Severity::Warning, Owner::Os, Title::plain(format!("{} was retired on {retired}", agent.name)))
        .group(agent.kind.as_str())
        .summary("its uploads are no longer supported and may be refused at any time")
        .evidence([agent_line(agent)])
        .evidence(workspace_lines(agent))
        .list("agent", [agent.kind.as_str()])
        .arg("retired", retired)
        .reaching(Reach::Nothing)
        .fix([Fix::change(BlastRadius::Machine, "move this machine to the Azure Monitor Agent, then remove the retired agent")
            .under(remedy::Right::MACHINE)
            .after("check which data collection rules cover what the old agent collects: its own solutions are not migrated automatically")
            .undone_by("both agents can run during the migration; data collected by both arrives twice")])
}

#[cfg(test)]
mod tests {
    use ampls_probes::azure::AgentKind;
    use ampls_probes::testing::{agent, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_a_legacy_agent_with_a_workspace() {
        let found = fires_as_declared(&AGT003, &private_world().agents([agent(AgentKind::Oms, "1.19.0-0")]));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    }

    #[test]
    fn silent_without_a_workspace_and_for_others() {
        let idle = Agent { workspaces: Vec::new(), ..agent(AgentKind::Oms, "1.19.0") };
        assert_eq!(drafts(&AGT003, &private_world().agents([idle, agent(AgentKind::Ama, "1.33.1")])), []);
    }
}
