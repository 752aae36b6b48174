//! AGT001: the agent is too old for a private link.

use ampls_probes::azure::AgentKind;
use ampls_probes::observation::Agent;

use crate::diagnose::command::{Command, Guid, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, agent_line, workspace_lines};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// The legacy agent on this machine reports to a workspace and is older than the first version that works with a private
    /// link: 10.20.18038.0 for Windows, 1.12.25 for Linux. Versions are compared by number; package revisions do not count.
    ///
    /// ## Why it matters
    ///
    /// Names may resolve to private addresses and connections may open, yet the agent's uploads fail.
    ///
    /// ## How to fix
    ///
    /// Upgrade the agent, or better replace it: it was retired on 31 August 2024, and the Azure Monitor Agent is its
    /// successor. Where the Linux agent cannot be upgraded, Microsoft's way is to onboard it again with `omsadmin.sh -X` and
    /// `omsadmin.sh -w <workspace> -s <key>`. `-X` removes every workspace: list them with `-l` first.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor` shows the new version, and the workspace gets a heartbeat from this machine.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-security>
    /// - <https://github.com/microsoft/OMS-Agent-for-Linux>
    AGT001 = "agent-below-minimum" {
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
    let old =
        |agent: &&Agent| agent.kind.is_legacy() && !agent.workspaces.is_empty() && agent.meets_minimum == Some(false);
    facts.all_agents().iter().filter(old).map(draft).collect()
}

fn draft(agent: &Agent) -> Draft {
    let version = agent.versions.first().map_or("", |installed| installed.version.as_str());
    let minimum = agent.minimum.as_deref().unwrap_or_default();
    let title = format!("{} {} is too old for Private Link: it needs at least `{minimum}`", agent.name, quote(version));
    let mut draft = Draft::new(Severity::Error, Owner::Os, Title::plain(title))
        .group(agent.kind.as_str())
        .summary("uploads of this version over a private link fail, even where DNS and the network are in order")
        .evidence([agent_line(agent)])
        .evidence(workspace_lines(agent))
        .list("agent", [agent.kind.as_str()])
        .arg("version", version)
        .arg("minimum", minimum)
        .reaching(Reach::Nothing)
        .fix([Fix::change(BlastRadius::Machine, format!("replace it with the Azure Monitor Agent (AGT003); until then upgrade it to `{minimum}` or later"))
            .under(remedy::Right::MACHINE)
            .after("the agent is retired: check whether the Azure Monitor Agent already collects the same data, which would then arrive twice")
            .undone_by("install the earlier version again")]);
    if agent.kind == AgentKind::Oms {
        draft = draft.fix([onboard_again(agent)]);
    }
    draft
}

fn onboard_again(agent: &Agent) -> Fix {
    let admin = |workspace: Option<Guid>| {
        command!(Sh, "sudo /opt/microsoft/omsagent/bin/omsadmin.sh -w {} -s WORKSPACE_KEY", workspace)
    };
    let onboard: Vec<Command> = agent.workspaces.iter().map(|workspace| admin(Guid::new(&workspace.id))).collect();
    let remove = command!(Sh, "sudo /opt/microsoft/omsagent/bin/omsadmin.sh -X");
    let commands: Vec<Command> = std::iter::once(remove).chain(onboard.iter().cloned()).collect();
    Fix::change(BlastRadius::Machine, "onboard the agent again, where it cannot be upgraded")
        .under(remedy::Right::MACHINE)
        .instead()
        .with(commands)
        .after_looking(
            "`-X` removes every workspace listed there, `-x WORKSPACE_ID` one; a key on a command line is visible in the process list and in the shell's history",
            [command!(Sh, "sudo /opt/microsoft/omsagent/bin/omsadmin.sh -l")],
        )
        .undone_with(
            "onboard each workspace of the list again",
            onboard,
        )
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{WORKSPACE, agent, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_below_the_first_version_for_a_private_link() {
        for (kind, version) in
            [(AgentKind::Oms, "1.12.24-0"), (AgentKind::Oms, "1.12.9"), (AgentKind::Mma, "10.20.18029.0")]
        {
            let found = fires_as_declared(&AGT001, &private_world().agents([agent(kind, version)]));
            assert_eq!(found.len(), 1, "{version}");
            assert_eq!(found[0].severity, Severity::Error);
        }
    }

    #[test]
    fn fires_with_the_commands_for_this_workspace() {
        let found = drafts(&AGT001, &private_world().agents([agent(AgentKind::Oms, "1.12.24-0")]));
        let again = found[0].fix[1].lines();
        assert!(again.contains("-X") && again.contains(&format!("-w {WORKSPACE} -s WORKSPACE_KEY")), "{again}");
        assert!(found[0].fix[1].check_first.as_ref().is_some_and(|check| check.lines().ends_with("omsadmin.sh -l")));
    }

    #[test]
    fn silent_from_that_version_on() {
        for (kind, version) in [
            (AgentKind::Oms, "1.12.25-0"),
            (AgentKind::Oms, "1.13.4"),
            (AgentKind::Mma, "10.20.18067.0"),
            (AgentKind::Ama, "1.0.0"),
        ] {
            assert_eq!(drafts(&AGT001, &private_world().agents([agent(kind, version)])), [], "{version}");
        }
    }

    #[test]
    fn silent_without_a_workspace_and_without_a_version() {
        let idle = Agent { workspaces: Vec::new(), ..agent(AgentKind::Oms, "1.0") };
        let unknown = Agent { versions: Vec::new(), meets_minimum: None, ..agent(AgentKind::Mma, "1.0") };
        assert_eq!(drafts(&AGT001, &private_world().agents([idle, unknown])), []);
    }
}
