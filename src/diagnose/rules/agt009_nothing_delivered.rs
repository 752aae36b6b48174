//! AGT009: the agent's own counters show failures and no success.

use ampls_probes::observation::{Agents, Upload};
use jiff::Timestamp;

use crate::diagnose::command::{FilePath, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, delivery};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::rule;
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// The agent counts its uploads. In the last minutes all of them failed, and no other rule says why: names resolve, the
    /// service answers, and the agent's log has no line that this program knows.
    ///
    /// ## Why it matters
    ///
    /// A green network does not prove that data arrives. The agent keeps what it cannot send for some time only.
    ///
    /// ## How to fix
    ///
    /// Read the agent's own log from the time shown here on. Then check in Azure what this machine cannot see: whether the
    /// workspace is in the scope, whether it is open to public networks, and whether its daily cap is reached.
    ///
    /// ## How to confirm
    ///
    /// The counters show a success again: `ampls-doctor` says when data was last delivered.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-troubleshoot-linux-vm>
    /// - <https://learn.microsoft.com/azure/azure-monitor/logs/daily-cap>
    AGT009 = "nothing-delivered" {
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

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let now = facts.observations().started_at;
    let Some(agents) = facts.agents() else { return Vec::new() };
    let failing = agents.uploads.iter().filter_map(|upload| Some((delivery::fails(upload, now)?, upload)));
    failing
        .filter(|(_, upload)| !has_a_reason(agents, upload, now))
        .map(|(since, upload)| draft(facts, upload, since))
        .collect()
}

/// A refusal in the agent's log is a finding of its own.
fn has_a_reason(agents: &Agents, upload: &Upload, now: Timestamp) -> bool {
    let recent = |at: Timestamp| now.duration_since(at) < delivery::REFUSED_RECENTLY;
    agents.refusals.iter().any(|refusal| refusal.agent == upload.agent && recent(refusal.at))
}

fn draft(facts: &Facts<'_>, upload: &Upload, since: Timestamp) -> Draft {
    let agent = upload.agent.as_str();
    let planned = upload.host.as_deref().filter(|host| facts.endpoint(host).is_some());
    let to = upload.host.as_deref().map_or_else(String::new, |host| format!(" to {}", quote(host)));
    Draft::new(Severity::Error, Owner::Monitor, Title::plain(format!("{} delivers nothing{to}", upload.agent.called())))
        .group(format!("{agent} {to}"))
        .about(planned)
        .summary("the agent's counters show failed uploads and no success in the last minutes; they do not say why")
        .evidence([format!("every upload{to} fails since {since:.0} ({})", quote(&upload.source))])
        .list("agent", [agent])
        .arg("since", format!("{since:.0}"))
        .reaching(Reach::Nothing)
        .as_stated()
        .likely()
        .fix([Fix::look(
            "read what the agent has logged since then",
            // The agent that counts in one file writes its errors beside it.
            [if facts.on_windows() {
                command!(PowerShell, "Get-Content -Tail 50 -LiteralPath {}", FilePath::new(&upload.source))
            } else {
                command!(Sh, "sudo tail -n 50 {}", FilePath::new(&upload.source.replace("mdsd.qos", "mdsd.err")))
            }],
        )])
}

#[cfg(test)]
mod tests {
    use ampls_probes::azure::AgentKind;
    use ampls_probes::observation::{Refusal, RefusalCode, UploadProof};
    use ampls_probes::testing::{ODS, Scene, agent, private_world};
    use jiff::SignedDuration;

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn scene(succeeded: Option<i64>, failed: i64) -> Scene {
        let minutes_ago = |minutes| private_world().observations().started_at - SignedDuration::from_mins(minutes);
        let (succeeded, failed) = (succeeded.map(minutes_ago), minutes_ago(failed));
        private_world().agents([agent(AgentKind::Ama, "1.33.1")]).uploaded(Upload {
            agent: AgentKind::Ama,
            host: Some(ODS.to_owned()),
            proof: UploadProof::Delivered,
            succeeded,
            failing_since: Some(failed).filter(|failed| succeeded.is_none_or(|succeeded| *failed > succeeded)),
            failed: Some(failed),
            source: "/log/mdsd.qos".to_owned(),
        })
    }

    #[test]
    fn fires_when_every_upload_of_the_last_minutes_failed() {
        for succeeded in [None, Some(60)] {
            let found = fires_as_declared(&AGT009, &scene(succeeded, 5));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
            assert_eq!(found[0].endpoints, [ODS]);
        }
    }

    #[test]
    fn silent_after_a_success_and_about_history() {
        assert_eq!(drafts(&AGT009, &scene(Some(1), 5)), []);
        assert_eq!(drafts(&AGT009, &scene(None, 30)), []);
        assert_eq!(drafts(&AGT009, &private_world()), []);
    }

    #[test]
    fn silent_where_the_log_gives_a_reason() {
        let refusal = Refusal {
            agent: AgentKind::Ama,
            code: RefusalCode::IngestionForbidden,
            host: Some(ODS.to_owned()),
            at: private_world().observations().started_at,
            since: None,
            count: 1,
            source: "/log/mdsd.err".to_owned(),
        };
        assert_eq!(drafts(&AGT009, &scene(None, 5).refused(refusal)), []);
    }
}
