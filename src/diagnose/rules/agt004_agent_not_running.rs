//! AGT004: an agent is installed and does not run.

use ampls_probes::azure::AgentKind;
use ampls_probes::observation::Agent;

use crate::diagnose::command::command;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, agent_line};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// A package, an extension's folder or a cached configuration shows that the agent belongs on this machine, and none of
    /// its programs is among running processes.
    ///
    /// ## Why it matters
    ///
    /// Nothing is sent, however good the network is: every test of a path may be green.
    ///
    /// ## How to fix
    ///
    /// Look at the service's state and its own log, fix what stopped it (a full disk, a missing certificate bundle, a half
    /// removed version) and start it. An agent that should be gone leaves files behind: remove it properly, through the
    /// extension or the package that brought it, so that its folder and cached configuration go with it.
    ///
    /// Processes of other users may be hidden from a plain user: then the agent counts as unknown, not as stopped.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor` shows the agent as running, and a heartbeat arrives within minutes.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-troubleshoot-linux-vm>
    AGT004 = "agent-not-running" {
        layer: Agent,
        severity: Error,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    // A legacy agent without a workspace has nothing to start for.
    let stopped =
        |agent: &&Agent| agent.running == Some(false) && (!agent.kind.is_legacy() || !agent.workspaces.is_empty());
    facts.all_agents().iter().filter(stopped).map(draft).collect()
}

fn draft(agent: &Agent) -> Draft {
    Draft::new(Severity::Error, Owner::Os, Title::plain(format!("{} is installed but not running", agent.name)))
        .group(agent.kind.as_str())
        .summary("none of its processes runs, so it sends no data")
        .evidence([agent_line(agent)])
        .list("agent", [agent.kind.as_str()])
        .reaching(Reach::Nothing)
        .fix(fixes(agent))
}

fn fixes(agent: &Agent) -> Vec<Fix> {
    let start_again = if agent.retired.is_some() {
        "if it is still to send data until it is replaced (AGT003), remove what stopped it, then start it"
    } else {
        "remove what stopped it, then start it"
    };
    let (look, start) = match agent.kind {
        AgentKind::Mma => (
            vec![command!(PowerShell, "Get-Service HealthService")],
            command!(PowerShell, "Start-Service HealthService"),
        ),
        AgentKind::Ama => (
            vec![command!(Sh, "systemctl status azuremonitoragent"), command!(Sh, "df -h /var /etc")],
            command!(Sh, "sudo systemctl restart azuremonitoragent"),
        ),
        AgentKind::Oms => (
            vec![command!(Sh, "systemctl status 'omsagent-*'"), command!(Sh, "df -h /var")],
            command!(Sh, "sudo /opt/microsoft/omsagent/bin/service_control restart"),
        ),
        AgentKind::Dependency => (
            vec![command!(Sh, "systemctl status microsoft-dependency-agent")],
            command!(Sh, "sudo systemctl restart microsoft-dependency-agent"),
        ),
        AgentKind::Arc => {
            (vec![command!(Sh, "systemctl status himdsd")], command!(Sh, "sudo systemctl restart himdsd"))
        }
    };
    vec![
        Fix::look("check the state of its service and the free disk space", look),
        Fix::change(BlastRadius::Machine, start_again)
            .under(remedy::Right::MACHINE)
            .with([start])
            .after(
                "read what the command above says; an agent that was removed on purpose leaves files behind and should stay stopped",
            )
            .undone_by("stop the service again"),
    ]
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{agent, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn stopped(kind: AgentKind) -> Agent {
        Agent { running: Some(false), ..agent(kind, "1.33.1") }
    }

    #[test]
    fn fires_for_every_kind_that_is_installed_and_stopped() {
        for kind in [AgentKind::Ama, AgentKind::Oms, AgentKind::Mma, AgentKind::Dependency, AgentKind::Arc] {
            assert_eq!(
                fires_as_declared(&AGT004, &private_world().agents([stopped(kind)]))[0].severity,
                Severity::Error
            );
        }
    }

    #[test]
    fn fires_and_shows_the_state_of_the_service() {
        for kind in [AgentKind::Ama, AgentKind::Oms, AgentKind::Mma, AgentKind::Dependency, AgentKind::Arc] {
            let found = drafts(&AGT004, &private_world().agents([stopped(kind)]));
            let look = found[0].fix[0].lines();
            assert!(look.starts_with("systemctl status ") || look.starts_with("Get-Service "), "{look}");
        }
    }

    #[test]
    fn silent_when_it_runs_or_nobody_could_see() {
        let unseen = Agent { running: None, ..stopped(AgentKind::Ama) };
        let idle = Agent { workspaces: Vec::new(), ..stopped(AgentKind::Oms) };
        assert_eq!(drafts(&AGT004, &private_world().agents([unseen, idle, agent(AgentKind::Arc, "1.44")])), []);
    }
}
