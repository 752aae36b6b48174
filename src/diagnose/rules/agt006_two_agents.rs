//! AGT006: two agents, or two versions of one extension.

use ampls_probes::azure::AgentKind;
use ampls_probes::observation::{Agent, Installed};

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, agent_line};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::rule::rule;
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// A retired Log Analytics agent and the Azure Monitor Agent are both on this machine, or an extension has left the
    /// folder of an earlier version beside the one in use.
    ///
    /// ## Why it matters
    ///
    /// Two agents send the same data twice, and pay for it twice; a fault of one hides behind the other's heartbeat. A
    /// leftover version is harmless unless its programs still run.
    ///
    /// ## How to fix
    ///
    /// After the move to the Azure Monitor Agent remove the old one. A leftover folder goes with the next update of the
    /// extension.
    ///
    /// During a migration both agents run side by side on purpose: then compare what both send before the old one goes.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor` lists one agent with one version.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-migration>
    AGT006 = "two-agents" {
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

/// Where VM extensions are unpacked, one folder a version.
const EXTENSIONS: [&str; 2] = ["/var/lib/waagent/", "C:\\Packages\\Plugins\\"];

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let agents = facts.all_agents();
    let legacy = agents.iter().find(|agent| agent.kind.is_legacy());
    let ama = agents.iter().find(|agent| agent.kind == AgentKind::Ama);
    let both = legacy.zip(ama).map(|(legacy, ama)| {
        draft("the retired agent and the Azure Monitor Agent are both installed", "both")
            .evidence([agent_line(legacy), agent_line(ama)])
    });
    both.into_iter().chain(agents.iter().filter_map(leftovers)).collect()
}

fn leftovers(agent: &Agent) -> Option<Draft> {
    let folders: Vec<&Installed> = agent.versions.iter().filter(|installed| is_folder(installed)).collect();
    (folders.len() > 1).then(|| {
        draft(&format!("{} has {} versions", agent.name, folders.len()), agent.kind.as_str()).evidence(
            folders.iter().map(|installed| format!("{} ({})", quote(&installed.version), quote(&installed.source))),
        )
    })
}

fn is_folder(installed: &Installed) -> bool {
    EXTENSIONS.iter().any(|place| installed.source.starts_with(place))
}

fn draft(title: &str, group: &str) -> Draft {
    Draft::new(Severity::Info, Owner::Os, Title::plain(title))
        .group(group)
        .summary("data that both collect arrives twice, and each hides faults of the other")
        .reaching(Reach::Nothing)
        .as_stated()
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{agent, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_the_old_and_the_new_agent() {
        let scene = private_world().agents([agent(AgentKind::Oms, "1.19.0"), agent(AgentKind::Ama, "1.33.1")]);
        assert_eq!(fires_as_declared(&AGT006, &scene)[0].severity, Severity::Info);
    }

    #[test]
    fn fires_for_two_folders_of_one_extension() {
        let folder =
            |version: &str| Installed { version: version.into(), source: format!("/var/lib/waagent/x-{version}") };
        let versions = vec![folder("1.33.1"), folder("1.30.3")];
        let two = Agent { versions, ..agent(AgentKind::Ama, "1.33.1") };
        assert_eq!(drafts(&AGT006, &private_world().agents([two]))[0].evidence.len(), 2);
    }

    #[test]
    fn silent_about_two_places_that_are_no_folders_of_extensions() {
        let place = |source: &str| Installed { version: "1.33.1".into(), source: source.to_owned() };
        let versions = vec![place("/var/lib/dpkg/status"), place("/opt/microsoft/azuremonitoragent/version")];
        let once = Agent { versions, ..agent(AgentKind::Ama, "1.33.1") };
        assert_eq!(drafts(&AGT006, &private_world().agents([once])), []);
    }

    #[test]
    fn silent_for_one_agent_of_one_version() {
        let scene = private_world().agents([agent(AgentKind::Ama, "1.33.1"), agent(AgentKind::Arc, "1.44")]);
        assert_eq!(drafts(&AGT006, &scene), []);
    }
}
