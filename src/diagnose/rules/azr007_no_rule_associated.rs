//! AZR007: Azure associates no data collection rule with this machine.

use ampls_probes::azure::AgentKind;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};

rule! {
    /// ## What it means
    ///
    /// `--ask-azure` asked the control service, with this machine's own identity, which data collection rules apply. The service
    /// answered, and named none: no rule is associated with this machine.
    ///
    /// ## Why it matters
    ///
    /// The Azure Monitor Agent collects what its rules say. Without one it sends at most a heartbeat, however good the network is,
    /// and no name, port or certificate shows it.
    ///
    /// ## How to fix
    ///
    /// Associate a data collection rule with this machine. A policy that associates rules may not have reached it yet, or may leave
    /// it out: look at its assignment before you do it by hand.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor --ask-azure` no longer reports AZR007. A new association takes some minutes.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-associations>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-troubleshoot-linux-vm>
    AZR007 = "no-rule-associated" {
        layer: Agent,
        severity: Warning,
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
    let dialogue = facts.dialogue()?;
    if !dialogue.lacks_rules() {
        return None;
    }
    let agent = facts.agent(AgentKind::Ama);
    Some(
        Draft::new(
            Severity::Warning,
            Owner::Monitor,
            Title::plain("Azure has no data collection rule for this machine: the agent collects nothing"),
        )
        .summary("the control service answered this machine's own identity, and named no rule")
        .evidence([facts.control_line(dialogue.last)])
        .evidence(agent.map(crate::diagnose::facts::agent_line))
        .excludes("DNS, the network path and TLS: the control service itself answered")
        .reaching(Reach::Machine)
        .as_stated()
        .fix([crate::diagnose::finding::Fix::look(
            "list the rules and the endpoint that are associated with this machine",
            remedy::machine::list_associations(facts),
        )]),
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{ControlQuestion, ControlReply, RuleGranted};
    use ampls_probes::testing::{Scene, asked, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn answered(status: u16, rules: Vec<RuleGranted>) -> Scene {
        let reply = ControlReply { status, rules, ..ControlReply::default() };
        private_world().control(vec![asked(ControlQuestion::Rules, reply)])
    }

    #[test]
    fn fires_where_the_service_names_no_rule() {
        let found = fires_as_declared(&AZR007, &answered(200, Vec::new()));
        assert!(found[0].evidence[0].contains("no rule is associated"), "{:?}", found[0].evidence);
    }

    #[test]
    fn silent_where_it_names_one_refuses_or_was_not_asked() {
        let rule = RuleGranted { id: "dcr-1".to_owned(), channels: Vec::new() };
        assert_eq!(drafts(&AZR007, &answered(200, vec![rule])), []);
        assert_eq!(drafts(&AZR007, &answered(503, Vec::new())), []);
        assert_eq!(drafts(&AZR007, &private_world()), []);
    }
}
