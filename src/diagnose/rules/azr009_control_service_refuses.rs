//! AZR009: the control service refuses this machine's rules, or the tokens for its uploads.

use std::collections::BTreeSet;

use ampls_probes::observation::{ControlQuestion, ControlReply, ControlRequest};

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Dialogue, Facts, Route};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::remedy::{
    machine,
    scope::{self, Resource},
};
use crate::diagnose::rule::{NOT_DELIVERED, rule};

rule! {
    /// ## What it means
    ///
    /// `--ask-azure` asked the control service, with this machine's own identity, for its data collection rules, and
    /// `--ask-azure=ingestion` for the token of each place that they send to. The service answered and refused. Where a data
    /// collection endpoint is all that is missing, HTP003 says it instead. Of an answer about a token only the status and the headers
    /// are read.
    ///
    /// ## Why it matters
    ///
    /// The agent asks the same. Without its rules it collects nothing. Without the token it uploads nothing: the data stays on
    /// the machine and is lost when its cache is full, although every name resolves and every port is open.
    ///
    /// ## How to fix
    ///
    /// For tokens over a private link: add what the rule sends to, the workspace or the data collection endpoint, to the scope.
    /// Otherwise check whether the rule is still associated with this machine, and whether what it sends to still exists. A 401
    /// means that the token of this machine's identity was not accepted: look at the identity.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor --ask-azure=ingestion` no longer reports AZR009.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-vm>
    /// - <https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-associations>
    AZR009 = "control-service-refuses" {
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
    // HTP003 is about names that were examined. The host that a 421 names may be none of them.
    let is_other =
        |dialogue: &Dialogue<'_>| !dialogue.lacks_endpoint() || facts.endpoint(&dialogue.last.host).is_none();
    let rules = facts.dialogue().filter(|dialogue| dialogue.reply.refuses() && is_other(dialogue));
    if let Some(dialogue) = rules {
        return vec![of_rules(facts, &dialogue)];
    }
    let tokens = control.asked.iter().filter(|request| request.about != ControlQuestion::Rules);
    let refused: Vec<_> = tokens.filter(|it| it.outcome.seen().is_some_and(ControlReply::refuses)).collect();
    if refused.is_empty() { Vec::new() } else { vec![of_tokens(facts, &refused)] }
}

fn of_rules(facts: &Facts<'_>, dialogue: &Dialogue<'_>) -> Draft {
    let token = facts.control().and_then(|control| control.token.seen());
    let expired = token.and_then(|token| token.expires_in_s).is_some_and(|left| left < 0);
    let expired = expired
        .then(|| "the token that the metadata service gave had expired, or this machine's clock is ahead".to_owned());
    draft(facts, &[dialogue.last], Title::plain("Azure refuses this machine its data collection rules"))
        .about([dialogue.last.host.as_str()].into_iter().filter(|host| facts.endpoint(host).is_some()))
        .summary("the control service answered this machine's own identity and refused to tell which rules apply to it")
        .evidence(expired)
        .fix(looks(facts, dialogue.reply))
        .fix(Resource::of(&dialogue.last.host).filter(|_| dialogue.lacks_endpoint()).map(|it| scope::add(&it)))
}

fn of_tokens(facts: &Facts<'_>, refused: &[&ControlRequest]) -> Draft {
    let hosts: BTreeSet<&str> = refused.iter().filter_map(|request| sent_to(facts, request)).collect();
    let title = if hosts.is_empty() {
        Title::plain("Azure refuses this machine the tokens for its uploads")
    } else {
        Title::list("Azure refuses this machine the token for uploads to ", hosts.iter().copied(), "")
    };
    let is_private = |host: &&str| facts.endpoint(host).is_some_and(|name| name.route() == Route::Private);
    // A network that is kept out gets 403; a 401 is about the identity.
    let kept_out = refused.iter().filter(|request| request.outcome.seen().is_some_and(|reply| reply.status == 403));
    let kept_out = kept_out.filter_map(|request| sent_to(facts, request)).filter(is_private);
    let private: BTreeSet<Resource> = kept_out.filter_map(Resource::of).collect();
    let first = refused.iter().find_map(|request| request.outcome.seen());
    let channels = refused.iter().filter_map(|request| match &request.about {
        ControlQuestion::IngestionToken { channel, .. } => Some(channel.as_str()),
        ControlQuestion::Rules => None,
    });
    // HTP001 explains refusals of the network that it has seen. It says nothing of another host, or of an identity.
    let of_network = |request: &&ControlRequest| {
        let is_kept_out = request.outcome.seen().is_some_and(|reply| reply.status == 403);
        is_kept_out && sent_to(facts, request).is_some_and(|host| facts.endpoint(host).is_some())
    };
    let about = if refused.iter().all(of_network) { hosts.clone() } else { BTreeSet::new() };
    draft(facts, refused, title)
        .about(about)
        .summary("the control service answered this machine's own identity and refused the token that an upload needs; it does not say why")
        .list("channel", channels)
        .fix(first.map(|reply| looks(facts, reply)).unwrap_or_default())
        .fix(private.iter().map(scope::add))
}

fn draft(facts: &Facts<'_>, refused: &[&ControlRequest], title: Title) -> Draft {
    Draft::new(Severity::Error, Owner::Monitor, title)
        .evidence(refused.iter().map(|request| facts.control_line(request)))
        .excludes("DNS, the network path and TLS to the control service: it answered")
        .reaching(Reach::Machine)
        .as_stated()
}

/// What to look at first: the identity where its token was not accepted, else what is associated with the machine.
fn looks(facts: &Facts<'_>, reply: &ControlReply) -> Vec<Fix> {
    if reply.status == 401 {
        return machine::name_identity(facts);
    }
    vec![Fix::look(
        "see which rules are associated with this machine, and whether what they send to still exists",
        machine::list_associations(facts),
    )]
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
    use ampls_probes::observation::{ChannelGranted, Observation, Outcome, RuleGranted, TokenGranted};
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
        let of_identity = drafts(&AZR009, &answered(private_world(), 401));
        assert!(of_identity[0].endpoints.is_empty() && !adds(&of_identity), "no refusal of a network explains it");
    }

    #[test]
    fn fires_where_the_rules_are_refused_for_another_reason_than_a_missing_endpoint() {
        let rules = |status, code: Option<&str>| {
            let reply = ControlReply { status, code: code.map(str::to_owned), ..ControlReply::default() };
            private_world().control(vec![asked(ControlQuestion::Rules, reply)])
        };
        let found = fires_as_declared(&AZR009, &rules(403, Some("Forbidden")));
        assert!(found[0].title.text().contains("data collection rules"), "{:?}", found[0].title);
        let expired = rules(401, None).edit(|seen| {
            let Some(Observation::Control(control)) = seen.seen.last_mut() else { panic!("the control service") };
            control.token = Outcome::Seen(TokenGranted { expires_in_s: Some(-60) });
        });
        let found = drafts(&AZR009, &expired);
        assert!(found[0].evidence.iter().any(|line| line.contains("had expired")), "{:?}", found[0].evidence);
        let steps = found[0].fix.iter().map(Fix::lines).collect::<String>();
        assert!(steps.contains("identity show") && !steps.contains("association list"), "{steps}");
        for (status, code) in [(400, None), (404, None), (421, None), (429, None), (503, None)] {
            assert_eq!(drafts(&AZR009, &rules(status, code)), [], "{status}");
        }
        assert_eq!(
            drafts(&AZR009, &rules(403, Some("InvalidAccess"))),
            [],
            "HTP003 says it of a name that was examined"
        );
    }

    #[test]
    fn fires_where_an_endpoint_is_refused_that_only_the_service_named() {
        let code = Some("InvalidAccess".to_owned());
        let mut request = asked(ControlQuestion::Rules, ControlReply { status: 403, code, ..ControlReply::default() });
        request.host = "other-x1.westeurope-1.handler.control.monitor.azure.com".to_owned();
        let found = fires_as_declared(&AZR009, &private_world().control(vec![request]));
        assert!(found[0].evidence[0].contains("`InvalidAccess`"), "{:?}", found[0].evidence);
        assert!(found[0].fix.iter().any(|fix| fix.lines().contains("scoped-resource create")), "{:?}", found[0].fix);
    }

    #[test]
    fn silent_where_a_token_is_granted_or_the_service_did_not_decide() {
        for status in [200, 408, 421, 429, 503] {
            assert_eq!(drafts(&AZR009, &answered(private_world(), status)), [], "{status}");
        }
        assert_eq!(drafts(&AZR009, &private_world()), []);
    }
}
