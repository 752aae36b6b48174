//! AZR009: the control service grants no token for uploads.

use std::collections::BTreeSet;

use ampls_probes::observation::{ControlQuestion, ControlReply, ControlRequest};

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, Route};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::remedy::{
    machine,
    scope::{self, Resource},
};
use crate::diagnose::rule::{NOT_DELIVERED, rule};

rule! {
    /// ## What it means
    ///
    /// `--ask-azure=ingestion` asked the control service, with this machine's own identity, for the token of each place that its
    /// data collection rules send to. The service answered and refused. Of such an answer nothing but the status line is read.
    ///
    /// ## Why it matters
    ///
    /// The agent asks for the same token before it uploads anything. Without it the data stays on the machine and is lost when
    /// its cache is full, although every name resolves and every port is open.
    ///
    /// ## How to fix
    ///
    /// Over a private link: add what the rule sends to, the workspace or the data collection endpoint, to the scope. Otherwise
    /// look whether the rule is still associated with this machine, and whether what it sends to still exists.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor --ask-azure=ingestion` no longer reports AZR009.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-vm>
    /// - <https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-associations>
    AZR009 = "upload-token-refused" {
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
    let Some(control) = facts.control() else { return Vec::new() };
    let refused: Vec<&ControlRequest> = control.asked.iter().filter(|request| is_refused(request)).collect();
    if refused.is_empty() { Vec::new() } else { vec![draft(facts, &refused)] }
}

fn is_refused(request: &ControlRequest) -> bool {
    request.about != ControlQuestion::Rules && request.outcome.seen().is_some_and(ControlReply::refuses)
}

fn draft(facts: &Facts<'_>, refused: &[&ControlRequest]) -> Draft {
    let hosts: BTreeSet<&str> = refused.iter().filter_map(|request| sent_to(facts, request)).collect();
    let title = if hosts.is_empty() {
        Title::plain("Azure refuses this machine the tokens for its uploads")
    } else {
        Title::list("Azure refuses this machine the token for uploads to ", hosts.iter().copied(), "")
    };
    let is_private = |host: &&str| facts.endpoint(host).is_some_and(|name| name.route() == Route::Private);
    let private: BTreeSet<Resource> =
        hosts.iter().copied().filter(|host| is_private(&host)).filter_map(Resource::of).collect();
    let mut fixes = vec![Fix::look(
        "see which rules are associated with this machine, and whether what they send to still exists",
        machine::list_associations(facts),
    )];
    fixes.extend(private.iter().map(scope::add));
    let channels = refused.iter().filter_map(|request| match &request.about {
        ControlQuestion::IngestionToken { channel, .. } => Some(channel.as_str()),
        ControlQuestion::Rules => None,
    });
    Draft::new(Severity::Error, Owner::Monitor, title)
        .about(hosts.iter().copied().filter(|host| facts.endpoint(host).is_some()))
        .summary("the control service answered this machine's own identity and refused the token that an upload needs; it does not say why")
        .evidence(refused.iter().map(|request| facts.control_line(request)))
        .list("channel", channels)
        .excludes("DNS, the network path and TLS to the control service: it answered")
        .reaching(Reach::Machine)
        .as_stated()
        .fix(fixes)
}

/// Where a channel sends to, as the rules of the same dialogue say.
fn sent_to<'a>(facts: &Facts<'a>, request: &ControlRequest) -> Option<&'a str> {
    let ControlQuestion::IngestionToken { rule, channel } = &request.about else { return None };
    let reply = facts.dialogue()?.reply;
    let channels = reply.rules.iter().filter(|known| known.id == *rule).flat_map(|known| &known.channels);
    channels.filter(|known| known.id == *channel).find_map(|known| known.host.as_deref())
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{ChannelGranted, RuleGranted};
    use ampls_probes::testing::{ODS, Scene, asked, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn answered(scene: Scene, status: u16) -> Scene {
        let channel = ChannelGranted {
            id: "ods-1".to_owned(),
            protocol: "ods".to_owned(),
            host: Some(ODS.to_owned()),
            token_host: None,
        };
        let rules = vec![RuleGranted { id: "dcr-1".to_owned(), channels: vec![channel] }];
        let about = ControlQuestion::IngestionToken { rule: "dcr-1".to_owned(), channel: "ods-1".to_owned() };
        scene.control(vec![
            asked(ControlQuestion::Rules, ControlReply { status: 200, rules, ..ControlReply::default() }),
            asked(about, ControlReply { status, ..ControlReply::default() }),
        ])
    }

    #[test]
    fn fires_for_a_refusal_and_names_where_the_uploads_go() {
        let found = fires_as_declared(&AZR009, &answered(private_world(), 403));
        assert_eq!(found[0].endpoints, [ODS]);
        assert!(found[0].evidence[0].contains("answered 403"), "{:?}", found[0].evidence);
        let adds = |found: &[Draft]| found[0].fix.iter().any(|fix| fix.lines().contains("scoped-resource create"));
        assert!(adds(&found));
        assert!(!adds(&drafts(&AZR009, &answered(public_world(), 403))), "public: the scope decides nothing");
    }

    #[test]
    fn silent_where_a_token_is_granted_or_the_service_did_not_decide() {
        for status in [200, 408, 421, 429, 503] {
            assert_eq!(drafts(&AZR009, &answered(private_world(), status)), [], "{status}");
        }
        let rules = asked(ControlQuestion::Rules, ControlReply { status: 403, ..ControlReply::default() });
        assert_eq!(drafts(&AZR009, &private_world().control(vec![rules])), []);
    }
}
