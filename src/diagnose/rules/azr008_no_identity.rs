//! AZR008: the agent has no managed identity to ask for its rules with.

use ampls_probes::azure::AgentKind;
use ampls_probes::observation::{Outcome, TokenFailure};

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, agent_line};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};

rule! {
    /// ## What it means
    ///
    /// `--ask-azure` asked the metadata service for a token, as the Azure Monitor Agent does. The service answered that this
    /// machine has no managed identity, that it lacks the one that the agent's settings name, or that it has several while the
    /// settings name none.
    ///
    /// ## Why it matters
    ///
    /// The agent proves with this token which machine it is. Without one it gets no rules and delivers nothing, however good
    /// the network is.
    ///
    /// ## How to fix
    ///
    /// Give the machine the identity: a system-assigned one, or the user-assigned one that the agent's settings name. Where it has
    /// several user-assigned identities, name one in the settings of the agent's extension (`authentication.managedIdentity`).
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor --ask-azure` names the machine's rules. A new identity takes some minutes.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-requirements>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-manage>
    /// - <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
    AZR008 = "no-identity" {
        layer: Agent,
        severity: Error,
        owner: Monitor,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [NOT_DELIVERED],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    draft(facts).into_iter().collect()
}

fn draft(facts: &Facts<'_>) -> Option<Draft> {
    // Who has no agent needs no identity for it.
    let agent = facts.agent(AgentKind::Ama)?;
    let control = facts.control()?;
    let named = control.identity.as_ref();
    let (title, summary, fixes) = match (&control.token, named) {
        (Outcome::Failed(TokenFailure::NoIdentity), Some(_)) => (
            "this machine lacks the managed identity that the agent's settings name: the agent gets no rules",
            "the metadata service answered that this machine has no such identity",
            remedy::machine::name_identity(facts),
        ),
        (Outcome::Failed(TokenFailure::NoIdentity), None) => (
            "this machine has no managed identity: the agent gets no rules",
            "the metadata service answered that this machine has no identity",
            remedy::machine::assign_identity(facts),
        ),
        // Whoever may not read the settings does not know whether they name one.
        (Outcome::Failed(TokenFailure::SeveralIdentities), _) if facts.agents()?.unread.is_empty() => (
            "this machine has several managed identities and the agent's settings name none: the agent gets no rules",
            "the metadata service answered that several identities exist and one has to be named",
            remedy::machine::name_identity(facts),
        ),
        _ => return None,
    };
    let asked = named.map(|named| format!("asked with `{}` of {}", named.by, crate::text::quote(&named.source)));
    Some(
        Draft::new(Severity::Error, Owner::Monitor, Title::plain(title))
            .summary(summary)
            .evidence([format!("{} {summary}", facts.when(&control.timing))])
            .evidence(asked)
            .evidence([agent_line(agent)])
            .excludes("a blocked metadata service: it answered")
            .reaching(Reach::Machine)
            .as_stated()
            .fix(fixes),
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{IdentityNamed, IoFailure, Observation, ReadFailure, Unread, UnreadReason};
    use ampls_probes::testing::{Scene, agent, private_world};

    use super::*;
    use crate::diagnose::finding::BlastRadius;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn with_agent() -> Scene {
        private_world().agents([agent(AgentKind::Ama, "1.33.1")])
    }

    #[test]
    fn fires_where_the_metadata_service_says_that_there_is_none_or_no_single_one() {
        for (why, said, remedy) in [
            (TokenFailure::NoIdentity, "has no managed identity", "az vm identity assign"),
            (TokenFailure::SeveralIdentities, "several managed identities", "extension"),
        ] {
            let found = fires_as_declared(&AZR008, &with_agent().no_token(why));
            assert!(found[0].title.text().contains(said), "{:?}", found[0].title);
            let steps = found[0].fix.iter().map(|fix| format!("{} {}", fix.text, fix.lines()));
            assert!(steps.collect::<String>().contains(remedy), "{:?}", found[0].fix);
        }
    }

    #[test]
    fn an_identity_that_is_named_and_not_there_is_not_assigned_by_another() {
        let scene = with_agent().no_token(TokenFailure::NoIdentity).edit(|seen| {
            let Some(Observation::Control(control)) = seen.seen.last_mut() else { panic!("the control service") };
            let source = "/etc/default/azuremonitoragent".to_owned();
            control.identity = Some(IdentityNamed { by: "mi_res_id".to_owned(), source });
        });
        let found = drafts(&AZR008, &scene);
        assert!(found[0].evidence.iter().any(|line| line.contains("`mi_res_id`")), "{:?}", found[0].evidence);
        assert!(!found[0].fix.iter().any(|fix| fix.lines().contains("identity assign")), "{:?}", found[0].fix);
    }

    #[test]
    fn whoever_may_not_read_the_settings_does_not_say_that_they_name_none() {
        let why = UnreadReason::Failed(ReadFailure::NotPermitted);
        let unread = |scene: Scene| {
            scene.edit(|seen| {
                let Some(Observation::Agents(agents)) =
                    seen.seen.iter_mut().find(|it| matches!(it, Observation::Agents(_)))
                else {
                    panic!("agents")
                };
                agents.unread.push(Unread { path: "/etc/default/azuremonitoragent".to_owned(), why: why.clone() });
            })
        };
        assert_eq!(drafts(&AZR008, &unread(with_agent().no_token(TokenFailure::SeveralIdentities))), []);
        assert_eq!(drafts(&AZR008, &unread(with_agent().no_token(TokenFailure::NoIdentity))).len(), 1);
    }

    #[test]
    fn an_instance_of_a_scale_set_gets_its_identity_from_the_set() {
        let id = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/3";
        let scene = with_agent().resource_id(id).no_token(TokenFailure::NoIdentity);
        let fix = drafts(&AZR008, &scene).remove(0).fix.remove(0);
        assert!(fix.text.contains("scale set") && fix.blast_radius != BlastRadius::Machine, "{fix:?}");
        let lines = fix.lines();
        assert!(lines.contains("az vmss identity assign") && lines.contains("-n set"), "{lines}");
        assert!(lines.contains("az vmss update-instances") && lines.contains("--instance-ids 3"), "{lines}");
    }

    #[test]
    fn silent_without_an_agent_or_where_nothing_was_said() {
        assert_eq!(drafts(&AZR008, &private_world().no_token(TokenFailure::NoIdentity)), []);
        let refused = TokenFailure::Unreachable(IoFailure::Refused);
        assert_eq!(drafts(&AZR008, &with_agent().no_token(refused)), []);
        assert_eq!(drafts(&AZR008, &with_agent().control(Vec::new())), []);
        assert_eq!(drafts(&AZR008, &with_agent()), []);
    }
}
