//! AZR001: the metadata service does not answer.

use ampls_probes::azure::AgentKind;
use ampls_probes::observation::{MetadataFailure, Outcome};

use crate::diagnose::command::command;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::{NOT_DELIVERED, rule};

rule! {
    /// ## What it means
    ///
    /// `http://169.254.169.254` gives no instance document: it is silent, or it answers with something else. A 403 is an answer:
    /// something there refuses this program, such as the proxy agent of the Metadata Security Protocol. Where the wire server (168.63.129.16) is silent too, this is most
    /// likely not an Azure VM, and nothing is wrong. Where the wire server answers, this is one, and something on the
    /// machine hides the metadata service: a guest firewall, a route, a container network.
    ///
    /// ## Why it matters
    ///
    /// On an Azure VM the agents take their tokens from this service and report nothing without it: with the Azure Monitor Agent
    /// this is an error. This program learns cloud and region from it; without it, name them with `--cloud` and `--region`.
    ///
    /// ## How to fix
    ///
    /// On an Azure VM: allow 169.254.169.254 on port 80 in the guest firewall, and let its route lead to the primary
    /// interface. Elsewhere nothing is to be done.
    ///
    /// ## How to confirm
    ///
    /// `curl --noproxy '*' -H Metadata:true "http://169.254.169.254/metadata/instance?api-version=2021-02-01"` prints a
    /// document.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
    /// - <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
    AZR001 = "metadata-silent" {
        layer: Metadata,
        severity: Info,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["AZR003"], NOT_DELIVERED],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    draft(facts).into_iter().collect()
}

fn draft(facts: &Facts<'_>) -> Option<Draft> {
    let metadata = facts.metadata()?;
    let (kind, what) = match &metadata.outcome {
        // A service that refuses is neither silent nor hidden: that is AZR005.
        Outcome::Failed(MetadataFailure::Status(403)) | Outcome::Seen(_) | Outcome::Cancelled | Outcome::Skipped(_) => {
            return None;
        }
        Outcome::TimedOut => ("silence", "is silent".to_owned()),
        Outcome::Failed(MetadataFailure::Unreachable(_)) => ("unreachable", "cannot be connected to".to_owned()),
        Outcome::Failed(MetadataFailure::Status(status)) => ("status", format!("answers `{status}`")),
        Outcome::Failed(MetadataFailure::Malformed) => {
            ("malformed", "answers something that is not an instance document".to_owned())
        }
    };
    let elsewhere = facts.platform_is_silent();
    let hidden = facts.wire_server().is_some_and(|wire| wire.outcome.seen().is_some());
    let look = if facts.on_windows() {
        vec![
            command!(Any, "route print 169.254.169.254"),
            command!(PowerShell, "Get-NetFirewallRule -Direction Outbound -Action Block -Enabled True"),
        ]
    } else {
        vec![
            command!(Sh, "ip route get 169.254.169.254"),
            command!(Sh, "sudo iptables -S OUTPUT"),
            command!(Sh, "sudo nft list ruleset"),
        ]
    };
    // An Arc machine takes its tokens from himds.
    // A machine that is too busy to hear either service in time hides nothing.
    let prompt = metadata.outcome != Outcome::TimedOut
        || facts
            .wire_server()
            .is_some_and(|wire| wire.timing.elapsed_us.saturating_mul(4) <= metadata.timing.elapsed_us);
    let needed = hidden && prompt && facts.agent(AgentKind::Ama).is_some() && facts.agent(AgentKind::Arc).is_none();
    let draft = Draft::new(
        if needed { Severity::Error } else { Severity::Info },
        Owner::Os,
        Title::plain(if elsewhere {
            "no metadata service and no wire server: most likely not an Azure VM".to_owned()
        } else {
            format!("the metadata service `169.254.169.254` {what}")
        }),
    )
    .summary(if needed {
        "this is an Azure VM with the Azure Monitor Agent, and something on it hides the metadata service: the agent gets no token and sends nothing"
    } else if hidden {
        "the wire server answers, so this is an Azure VM, and something on it hides the metadata service: agents get no token without it"
    } else if elsewhere {
        "neither platform service answers; that is normal outside Azure, but on an Azure VM something hides both"
    } else {
        "cloud and region are unknown unless arguments or agents name them; on an Azure VM, agents get no token without it"
    })
    .evidence([format!("{} `169.254.169.254:80` {what}", facts.when(&metadata.timing))])
    .evidence(facts.wire_server().map(|wire| {
        let said = match &wire.outcome {
            Outcome::Seen(status) => format!("answered `{status}`"),
            Outcome::TimedOut => "was silent".to_owned(),
            Outcome::Failed(_) => "could not be connected to".to_owned(),
            Outcome::Cancelled | Outcome::Skipped(_) => "was not heard".to_owned(),
        };
        format!("{} `168.63.129.16:80` {said}", facts.when(&wire.timing))
    }))
    .arg("kind", kind)
    .arg("azure_vm", if hidden { "yes" } else { "unknown" })
    // A machine outside Azure has none of the platform's services; on one in Azure the agent is refused because it has no token.
    .reaching(if elsewhere || (needed && facts.lacks_only_tokens()) { Reach::Machine } else { Reach::Nothing });
    let draft = if elsewhere { draft.likely() } else { draft };
    let draft = if needed { draft.as_stated() } else { draft };
    Some(if elsewhere {
        draft
    } else {
        draft.fix([Fix::look("check what blocks the way from this machine to its host", look)])
    })
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{IoFailure, Metadata, Observation, Refusal, RefusalCode, Timing, WireServer};
    use ampls_probes::testing::{Scene, agent, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn scene(
        metadata: Outcome<ampls_probes::observation::Instance, MetadataFailure>,
        wire: Outcome<u16, IoFailure>,
    ) -> Scene {
        private_world().edit(|seen| {
            let timing = Timing::default();
            seen.seen.push(Observation::Metadata(Metadata { timing, outcome: metadata }));
            seen.seen.push(Observation::WireServer(WireServer { timing, outcome: wire }));
        })
    }

    #[test]
    fn fires_where_nothing_of_the_platform_answers() {
        let found = fires_as_declared(&AZR001, &scene(Outcome::TimedOut, Outcome::TimedOut));
        assert_eq!((found.len(), found[0].severity, &found[0].reach), (1, Severity::Info, &Reach::Machine));
        assert!(found[0].title.text().contains("not an Azure VM"));
    }

    #[test]
    fn fires_on_an_azure_vm_that_hides_it() {
        for failure in [
            Outcome::TimedOut,
            Outcome::Failed(MetadataFailure::Unreachable(IoFailure::NotPermitted)),
            Outcome::Failed(MetadataFailure::Status(404)),
            Outcome::Failed(MetadataFailure::Malformed),
        ] {
            let found = drafts(&AZR001, &scene(failure, Outcome::Seen(200)));
            assert_eq!((found[0].args["azure_vm"].as_str(), found[0].fix.len()), ("yes", 1));
        }
    }

    #[test]
    fn fires_as_error_on_an_azure_vm_with_the_agent() {
        let vm = || scene(Outcome::TimedOut, Outcome::Seen(200));
        let found = drafts(&AZR001, &vm().agents([agent(AgentKind::Ama, "1.33.1")]));
        assert_eq!(found[0].severity, Severity::Error);
        let arc = vm().agents([agent(AgentKind::Ama, "1.33.1"), agent(AgentKind::Arc, "1.44")]);
        assert_eq!(drafts(&AZR001, &arc)[0].severity, Severity::Info);
    }

    #[test]
    fn fires_as_the_cause_of_the_missing_token() {
        let cause = |code: RefusalCode| {
            let scene = scene(Outcome::TimedOut, Outcome::Seen(200)).agents([agent(AgentKind::Ama, "1.33.1")]);
            let at = scene.observations().started_at;
            let source = "mdsd.err".to_owned();
            let refusal = Refusal { code, at, agent: AgentKind::Ama, source, host: None, since: None, count: 1 };
            let found = diagnose(&scene.refused(refusal).observations());
            found.into_iter().find(|finding| finding.code == "AGT008").expect("the refusal").caused_by
        };
        assert_eq!(cause(RefusalCode::NoToken).as_deref(), Some("AZR001"));
        assert_eq!(cause(RefusalCode::IngestionForbidden), None);
    }

    #[test]
    fn silent_about_a_refusal() {
        assert_eq!(drafts(&AZR001, &scene(Outcome::Failed(MetadataFailure::Status(403)), Outcome::Seen(200))), []);
    }

    #[test]
    fn silent_when_it_answers_or_was_not_asked() {
        assert_eq!(
            drafts(&AZR001, &scene(Outcome::Seen(ampls_probes::observation::Instance::default()), Outcome::TimedOut)),
            []
        );
        assert_eq!(drafts(&AZR001, &scene(Outcome::Cancelled, Outcome::TimedOut)), []);
        assert_eq!(drafts(&AZR001, &private_world()), []);
    }
}
