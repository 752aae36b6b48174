//! AZR005: the metadata service refuses this program.

use ampls_probes::observation::{GuestProxy, MetadataFailure, Outcome};

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// 169.254.169.254 answers this program with 403. On a VM with the Metadata Security Protocol a proxy agent intercepts every
    /// connection to the metadata service and lets through only whom the VM's allow list names. Its status file shows it; without
    /// that file another reason is possible: in a pod, pod identity or the cluster's own restriction answers so too.
    ///
    /// ## Why it matters
    ///
    /// The agents take their tokens from this service. The allow list may let the agent through and not this program: it is a
    /// warning unless the agent's own log shows that it gets no token either.
    ///
    /// ## How to fix
    ///
    /// Name the agent's programs in the allow list of this VM (`inVMAccessControlProfileReferenceId`), and this program if it is
    /// to see cloud and region by itself. Else name them with `--cloud` and `--region`.
    ///
    /// ## How to confirm
    ///
    /// `curl --noproxy '*' -H Metadata:true "http://169.254.169.254/metadata/instance?api-version=2021-02-01"` prints a
    /// document, run as the agent's user.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-machines/metadata-security-protocol/overview>
    /// - <https://github.com/Azure/GuestProxyAgent>
    AZR005 = "metadata-access-denied" {
        layer: Metadata,
        severity: Warning,
        owner: Os,
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
    let metadata = facts.metadata()?;
    if metadata.outcome != Outcome::Failed(MetadataFailure::Status(403)) {
        return None;
    }
    let guest_proxy = facts.agents().and_then(|agents| agents.guest_proxy.as_ref());
    let without_token = facts.missing_token();
    let severity = if without_token.is_some() { Severity::Error } else { Severity::Warning };
    let draft = Draft::new(severity, Owner::Os, Title::plain("the metadata service refuses this program (HTTP 403)"))
        .summary(match without_token {
            Some(_) => "this program may not ask, and the agent's own log shows that it gets no token either",
            None => "this program may not ask; the agent may be let through",
        })
        .evidence([format!("{} `169.254.169.254:80` answered `403`", facts.when(&metadata.timing))])
        .evidence(guest_proxy.map(proxy_line))
        .evidence(without_token.map(|refusal| {
            format!("{} got no token, last at {:.0} ({})", refusal.agent.called(), refusal.at, quote(&refusal.source))
        }))
        .excludes("a firewall or a route: something answers")
        .reaching(if without_token.is_some() && facts.lacks_only_tokens() { Reach::Machine } else { Reach::Nothing })
        .as_stated()
        .fix([remedy::machine::show_metadata_protection(facts)])
        .fix([Fix::change(
            BlastRadius::Machine,
            "add the agent's programs to this VM's allow list for the metadata service",
        )
        .under(remedy::Right::AZURE_MACHINE)
        .after("the profile may serve other machines too")
        .undone_by("set the former version of the profile again")]);
    let proven = guest_proxy.is_some_and(|proxy| proxy.metadata_enforced == Some(true));
    Some(if proven { draft } else { draft.likely() })
}

fn proxy_line(proxy: &GuestProxy) -> String {
    let what = match proxy.metadata_enforced {
        Some(true) => "the guest proxy agent enforces its allow list for the metadata service",
        Some(false) => "the guest proxy agent is installed and enforces no allow list for the metadata service",
        None => "the guest proxy agent is installed",
    };
    format!("{what} ({})", quote(&proxy.source))
}

#[cfg(test)]
mod tests {
    use ampls_probes::azure::AgentKind;
    use ampls_probes::observation::{Metadata, Observation, Refusal, RefusalCode, Timing};
    use ampls_probes::testing::{Scene, agent, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn answers(status: u16) -> Scene {
        private_world().edit(|seen| {
            let outcome = Outcome::Failed(MetadataFailure::Status(status));
            seen.seen.push(Observation::Metadata(Metadata { timing: Timing::default(), outcome }));
        })
    }

    #[test]
    fn fires_as_likely_unless_the_proxy_agent_says_that_it_enforces() {
        let found = fires_as_declared(&AZR005, &answers(403));
        assert_eq!((found.len(), found[0].certainty), (1, Certainty::Likely));
        for (enforced, certainty) in
            [(Some(true), Certainty::Proven), (Some(false), Certainty::Likely), (None, Certainty::Likely)]
        {
            let found = drafts(&AZR005, &answers(403).guest_proxy(enforced));
            assert_eq!((found[0].severity, found[0].certainty), (Severity::Warning, certainty), "{enforced:?}");
        }
    }

    #[test]
    fn fires_as_error_where_the_agent_gets_no_token() {
        let found = drafts(&AZR005, &refused(&[RefusalCode::NoToken]));
        assert_eq!(found[0].severity, Severity::Error);
    }

    fn refused(codes: &[RefusalCode]) -> Scene {
        let scene = answers(403).agents([agent(AgentKind::Ama, "1.33.1")]);
        let at = scene.observations().started_at;
        codes.iter().fold(scene, |scene, code| {
            scene.refused(Refusal {
                agent: AgentKind::Ama,
                code: *code,
                host: None,
                at,
                since: None,
                count: 1,
                source: "/log/mdsd.err".to_owned(),
            })
        })
    }

    #[test]
    fn fires_and_explains_the_missing_token_and_nothing_that_has_another_cause() {
        let cause_of_the_refusal = |codes: &[RefusalCode]| {
            let found = diagnose(&refused(codes).observations());
            found.into_iter().find(|seen| seen.code == "AGT008").and_then(|seen| seen.caused_by)
        };
        assert_eq!(cause_of_the_refusal(&[RefusalCode::NoToken]).as_deref(), Some("AZR005"));
        assert_eq!(cause_of_the_refusal(&[RefusalCode::NoToken, RefusalCode::IngestionForbidden]), None);
    }

    #[test]
    fn silent_for_other_answers() {
        assert_eq!(drafts(&AZR005, &answers(404)), []);
        assert_eq!(drafts(&AZR005, &private_world()), []);
    }
}
