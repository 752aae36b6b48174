//! AGT007: the workspace that was named is none of the agents'.

use ampls_probes::endpoint::Origin;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, workspace_lines};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::rule::rule;

rule! {
    /// ## What it means
    ///
    /// `--workspace` names a workspace that none of the agents on this machine reports to, as far as their own configuration
    /// says.
    ///
    /// ## Why it matters
    ///
    /// The paths to that workspace were looked at as asked, yet this machine's data goes to another one: that data is
    /// missed in the named workspace is not a fault of DNS or the network.
    ///
    /// The id may also be mistyped, or be that of another environment: it is the workspace's id (a GUID), not its name and
    /// not the id of the resource.
    ///
    /// ## How to fix
    ///
    /// Run without `--workspace` to look at the workspaces that the agents use. If the named one is right, change the
    /// destination in the data collection rule, or onboard the agent to it.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor` lists the workspace with the agent.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-overview>
    AGT007 = "workspace-not-reported-to" {
        layer: Agent,
        severity: Warning,
        owner: Monitor,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let agents = facts.all_agents();
    let known: Vec<&str> =
        agents.iter().flat_map(|agent| &agent.workspaces).map(|workspace| workspace.id.as_str()).collect();
    if known.is_empty() {
        return Vec::new();
    }
    let named = facts.endpoints().iter().filter(|name| name.endpoint.origin == Origin::Argument);
    let missing = named.filter_map(|name| {
        let (id, rest) = name.fqdn().split_once('.')?;
        (rest.starts_with("ods.") && !known.contains(&id)).then(|| (id, name.fqdn()))
    });
    missing
        .map(|(id, fqdn)| {
            Draft::new(
                Severity::Warning,
                Owner::Monitor,
                Title::list("no agent on this machine reports to workspace ", [id], ""),
            )
            .about([fqdn])
            .summary("the workspace is not in the agents' configuration, so this machine's data goes elsewhere")
            .evidence(agents.iter().flat_map(workspace_lines))
            .list("workspace", [id])
            .reaching(Reach::Nothing)
            .as_stated()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ampls_probes::azure::AgentKind;
    use ampls_probes::endpoint::{Endpoint, Need};
    use ampls_probes::observation::{Agent, AgentWorkspace};
    use ampls_probes::testing::{ODS, Scene, WORKSPACE, agent, endpoint, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn named() -> Scene {
        private_world().endpoint(Endpoint { origin: Origin::Argument, ..endpoint(ODS, Need::Required) })
    }

    fn of(id: &str) -> Agent {
        let workspaces = vec![AgentWorkspace { id: id.to_owned(), source: "/conf".to_owned(), connection: None }];
        Agent { workspaces, ..agent(AgentKind::Oms, "1.19.0") }
    }

    #[test]
    fn fires_when_the_agents_report_elsewhere() {
        let found = fires_as_declared(&AGT007, &named().agents([of("00000000-0000-0000-0000-000000000001")]));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].lists["workspace"], [WORKSPACE]);
    }

    #[test]
    fn silent_when_an_agent_does_or_none_is_known() {
        assert_eq!(drafts(&AGT007, &named().agents([of(WORKSPACE)])), []);
        assert_eq!(drafts(&AGT007, &named().agents([])), []);
        let unnamed =
            private_world().endpoint(Endpoint { origin: Origin::Configuration, ..endpoint(ODS, Need::Required) });
        assert_eq!(drafts(&AGT007, &unnamed.agents([of("00000000-0000-0000-0000-000000000001")])), []);
    }
}
