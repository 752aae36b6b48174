//! AGT008: the agent's own log records a refusal.

use ampls_probes::observation::{Refusal, RefusalCode};
use jiff::SignedDuration;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Route};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::remedy::{
    machine,
    scope::{self, Resource},
};
use crate::diagnose::rule::rule;
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// The agent itself has written down, within the last day and without a later success, that it was refused. A later
    /// success of the same kind for the same workspace or host, in any of its files, makes a refusal history. Only known
    /// lines are recognised; what is shown is their meaning, the host and the time, never the line, because these logs hold
    /// tokens.
    ///
    /// ## Why it matters
    ///
    /// It is the best evidence: what the agent met on its own path, with its own identity. `InvalidAccess` means that
    /// a data collection endpoint is required; a 403 of log ingestion, that the workspace is not in this scope or the request
    /// came over a public address; an address that cannot be resolved, DNS; a missing token, the metadata service.
    ///
    /// ## How to fix
    ///
    /// Fix what the other findings name first: most of them are the cause. Where there is none, follow the remedy of the
    /// refusal shown here.
    ///
    /// ## How to confirm
    ///
    /// Restart the agent and run `ampls-doctor` after ten minutes: the time of the last refusal does not move.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-troubleshoot-linux-vm>
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-vm>
    AGT008 = "agent-was-refused" {
        layer: Agent,
        severity: Error,
        owner: Monitor,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

/// Older refusals are history.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let Some(agents) = facts.agents() else { return Vec::new() };
    let recent = |refusal: &&Refusal| {
        let age = facts.observations().started_at.duration_since(refusal.at);
        // The clock may have been set back a little since; a day ahead is no time of this log.
        age < RECENT && age > -RECENT
    };
    agents.refusals.iter().filter(recent).map(|refusal| draft(facts, refusal)).collect()
}

/// The workspace that refused, where the host's name or the agents' configuration tells it.
fn workspace(facts: &Facts<'_>, host: Option<&str>) -> Resource {
    let named = host.and_then(Resource::of);
    named.or_else(|| scope::workspaces(facts).into_iter().next().map(Resource::Workspace)).unwrap_or(Resource::Any)
}

fn draft(facts: &Facts<'_>, refusal: &Refusal) -> Draft {
    let Meaning { code, says, mut summary, owner } = meaning(refusal.code);
    let host = refusal.host.as_deref();
    let planned = host.filter(|host| facts.endpoint(host).is_some());
    let at = host.map_or_else(String::new, |host| format!(" at {}", quote(host)));
    let agent = refusal.agent.as_str();
    // A name that is private in every view leaves one of the two readings, unless DNS was fixed since.
    let narrowed = refusal.code == RefusalCode::IngestionForbidden && ingestion_is_private(facts, planned);
    if narrowed {
        summary = "log ingestion is private in every view of this machine, so the request came over the private link: the workspace is not in this scope";
    }
    let fixes = match refusal.code {
        RefusalCode::InvalidAccess => machine::associate_endpoint(facts),
        RefusalCode::IngestionForbidden => {
            vec![scope::add(&workspace(facts, host))]
        }
        _ => Vec::<Fix>::new(),
    };
    let times = if refusal.count == 1 { "once".to_owned() } else { format!("{} times", refusal.count) };
    let draft = Draft::new(Severity::Error, owner, Title::plain(format!("{} logged: {says}", refusal.agent.called())))
        .group(format!("{agent} {code}"))
        .about(planned)
        .summary(summary)
        .evidence([format!(
            "last at {:.0}, {times} in the part of {} that was read: `{code}`{at}",
            refusal.at,
            quote(&refusal.source)
        )])
        .list("agent", [agent])
        .arg("code", code)
        .arg("at", format!("{:.0}", refusal.at))
        .reaching(Reach::Nothing)
        .as_stated()
        .fix(fixes);
    if narrowed { draft.likely() } else { draft }
}

fn ingestion_is_private(facts: &Facts<'_>, host: Option<&str>) -> bool {
    let meant = |name: &&EndpointFacts<'_>| match host {
        Some(host) => name.fqdn() == host,
        None => name.fqdn().contains(".ods.opinsights."),
    };
    let mut views = facts.endpoints().iter().filter(meant).flat_map(|name| &name.views).peekable();
    views.peek().is_some() && views.all(|view| view.route == Route::Private)
}

struct Meaning {
    code: &'static str,
    says: &'static str,
    summary: &'static str,
    owner: Owner,
}

fn meaning(code: RefusalCode) -> Meaning {
    let of = |code, says, summary, owner| Meaning { code, says, summary, owner };
    match code {
        RefusalCode::InvalidAccess => of(
            "InvalidAccess",
            "a data collection endpoint is required",
            "the control service refused configuration over the private link: the machine is not associated with a data collection endpoint of the scope",
            Owner::Monitor,
        ),
        RefusalCode::IngestionForbidden => of(
            "ODS 403",
            "log ingestion refused its upload",
            "the workspace does not accept data from public networks and the request came over a public address, or the workspace is not in this scope",
            Owner::Monitor,
        ),
        RefusalCode::NameNotResolved => of(
            "Error resolving address",
            "a name had no address",
            "the agent could not resolve a name of the service: see the findings on DNS",
            Owner::Dns,
        ),
        RefusalCode::NoToken => of(
            "Failed to get MSI token",
            "it got no token",
            "the metadata service, or himds on an Arc machine, gave no token: it is blocked, caught by a proxy, or the machine has no identity",
            Owner::Os,
        ),
        RefusalCode::ConfigurationNotObtained => of(
            "Could not obtain configuration",
            "it could not get its data collection rules",
            "the agent asked for its rules and got none; the line does not say why: see the findings on that name",
            Owner::Monitor,
        ),
        RefusalCode::UploadTokenNotObtained => of(
            "Failed to get gig token",
            "it got no token for uploads",
            "the control service gave no upload token: it did not answer, or it refused; the line does not say which",
            Owner::Monitor,
        ),
        RefusalCode::IngestionLimited => of(
            "ODS 429",
            "log ingestion accepts no more data for now",
            "the workspace's daily cap is reached, or too much is sent at once",
            Owner::Monitor,
        ),
        RefusalCode::UploadFailed => of(
            "Failed to upload",
            "its uploads fail",
            "the agent could not upload; the line does not say why: see the findings on that name",
            Owner::Monitor,
        ),
        RefusalCode::Handshake => of(
            "Error in SSL handshake",
            "a TLS handshake failed",
            "something inspects or breaks the agent's TLS, or its trust store lacks a root",
            Owner::Security,
        ),
        RefusalCode::TokenExpired => of(
            "Lifetime validation failed",
            "its token was rejected as expired",
            "this machine's clock differs from the service's",
            Owner::Os,
        ),
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::azure::AgentKind;
    use ampls_probes::testing::{HANDLER, ODS, agent, private_world, public_world};
    use jiff::Timestamp;

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn refusal(code: RefusalCode, hours_ago: i64) -> Refusal {
        let now: Timestamp = private_world().observations().started_at;
        Refusal {
            agent: AgentKind::Ama,
            code,
            host: Some(HANDLER.to_owned()),
            at: now - SignedDuration::from_hours(hours_ago),
            since: None,
            count: 3,
            source: "/var/opt/microsoft/azuremonitoragent/log/mdsd.err".to_owned(),
        }
    }

    #[test]
    fn a_refusal_of_what_is_private_in_every_view_is_the_scopes_own() {
        let ods = |count| Refusal { host: Some(ODS.to_owned()), count, ..refusal(RefusalCode::IngestionForbidden, 1) };
        let private = drafts(&AGT008, &private_world().agents([agent(AgentKind::Ama, "1.33.1")]).refused(ods(1)));
        assert_eq!(private[0].certainty, Certainty::Likely);
        assert!(!private[0].summary.contains("public"), "{}", private[0].summary);
        assert!(private[0].evidence[0].contains(", once in the part"), "{:?}", private[0].evidence);
        let public = drafts(&AGT008, &public_world().agents([agent(AgentKind::Ama, "1.33.1")]).refused(ods(2)));
        assert!(public[0].summary.contains("public") && public[0].evidence[0].contains(", 2 times "));
    }

    #[test]
    fn fires_for_every_known_refusal_of_the_last_day() {
        for code in [
            RefusalCode::InvalidAccess,
            RefusalCode::IngestionForbidden,
            RefusalCode::NameNotResolved,
            RefusalCode::NoToken,
            RefusalCode::Handshake,
            RefusalCode::TokenExpired,
            RefusalCode::ConfigurationNotObtained,
            RefusalCode::UploadTokenNotObtained,
            RefusalCode::IngestionLimited,
            RefusalCode::UploadFailed,
        ] {
            let scene = private_world().agents([agent(AgentKind::Ama, "1.33.1")]).refused(refusal(code, 23));
            let found = drafts(&AGT008, &scene);
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{code:?}");
            assert_eq!(found[0].endpoints, [HANDLER]);
        }
    }

    #[test]
    fn fires_for_an_endpoint_that_is_missing() {
        let scene = private_world().agents([agent(AgentKind::Ama, "1.33.1")]);
        fires_as_declared(&AGT008, &scene.refused(refusal(RefusalCode::InvalidAccess, 1)));
    }

    #[test]
    fn a_day_before_and_a_day_ahead_are_no_refusals_of_today() {
        for (hours_ago, expected) in [(24, 0), (23, 1), (-23, 1), (-24, 0)] {
            let scene = private_world().agents([agent(AgentKind::Ama, "1.33.1")]);
            let found = drafts(&AGT008, &scene.refused(refusal(RefusalCode::InvalidAccess, hours_ago)));
            assert_eq!(found.len(), expected, "{hours_ago}");
        }
    }

    #[test]
    fn silent_about_history() {
        let scene = private_world().refused(refusal(RefusalCode::InvalidAccess, 25));
        assert_eq!(drafts(&AGT008, &scene), []);
        assert_eq!(drafts(&AGT008, &private_world()), []);
    }
}
