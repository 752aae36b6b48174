//! Whether data flows, as far as the agents' own files show it. No network test proves it.

use ampls_probes::Observations;
use ampls_probes::azure::AgentKind;
use ampls_probes::observation::{Agent, Agents, Observation, ReadFailure, UnreadReason, Upload, UploadProof};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::quote;

/// What the agents' own counters and logs say of the last minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// An agent that Azure still serves has delivered data.
    Delivering,
    /// An agent says that it fails.
    Failing,
    /// Nothing says either.
    #[default]
    Unproven,
}

/// The state, since when, and what shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// The state.
    pub delivery: Delivery,
    /// The last success of what delivers, the beginning of what fails.
    pub at: Option<Timestamp>,
    /// One sentence with the source.
    pub evidence: Option<String>,
}

/// What counts as now. `mdsd.qos` has a block for each quarter of an hour.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-troubleshoot-linux-vm>
pub const LAST_MINUTES: SignedDuration = SignedDuration::from_mins(20);
/// Older refusals are history.
pub const REFUSED_RECENTLY: SignedDuration = SignedDuration::from_hours(24);
/// A log may be this much ahead of the moment at which the run began.
const AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// What the observations say of the flow of data, by the run's own clock.
pub fn flow(observations: &Observations) -> Flow {
    let agents = observations.seen.iter().find_map(|seen| match seen {
        Observation::Agents(agents) => Some(agents),
        _ => None,
    });
    let Some(agents) = agents else { return Flow::default() };
    let now = observations.started_at;
    if !agents.found.iter().any(sends) {
        return unproven("no agent was found, so no agent sends data".to_owned());
    }
    let delivered = delivered(agents, now);
    if let Some(failing) = failing_upload(agents, now) {
        return failing;
    }
    match delivered {
        Some(flow) => flow,
        None => refused(agents, now).unwrap_or_else(|| unproven(why_unproven(agents, now))),
    }
}

/// Whether something happened in the last minutes before `now`.
pub fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    age <= LAST_MINUTES && age >= -AHEAD
}

/// Whether an upload fails now: it failed in the last minutes, and nothing succeeded since it began to fail.
pub fn fails(upload: &Upload, now: Timestamp) -> Option<Timestamp> {
    upload.failed.filter(|failed| is_recent(*failed, now))?;
    upload.failing_since
}

/// The last success of the last minutes, of an agent that is not stopped: it reached its service, whether or not data went.
pub fn reached_lately(observations: &Observations) -> Option<&Upload> {
    let agents = observations.seen.iter().find_map(|seen| match seen {
        Observation::Agents(agents) => Some(agents),
        _ => None,
    })?;
    let stopped = |upload: &&Upload| {
        let agent = agents.found.iter().find(|agent| agent.kind == upload.agent);
        agent.is_none_or(|agent| agent.running == Some(false))
    };
    let lately = |upload: &&Upload| upload.succeeded.is_some_and(|at| is_recent(at, observations.started_at));
    agents.uploads.iter().filter(lately).filter(|upload| !stopped(upload)).max_by_key(|upload| upload.succeeded)
}

fn unproven(evidence: String) -> Flow {
    Flow { delivery: Delivery::Unproven, at: None, evidence: Some(evidence) }
}

/// Agents that upload data by themselves.
fn sends(agent: &Agent) -> bool {
    matches!(agent.kind, AgentKind::Ama | AgentKind::Mma | AgentKind::Oms)
}

fn place(upload: &Upload) -> String {
    upload.host.as_deref().map_or_else(String::new, |host| format!(" to {}", quote(host)))
}

fn failing_upload(agents: &Agents, now: Timestamp) -> Option<Flow> {
    let failing = agents.uploads.iter().filter_map(|upload| Some((fails(upload, now)?, upload)));
    let (since, upload) = failing.min_by_key(|(since, _)| *since)?;
    let evidence = format!(
        "uploads of {}{} fail since {since:.0}, and none succeeded since ({})",
        upload.agent.called(),
        place(upload),
        quote(&upload.source)
    );
    Some(Flow { delivery: Delivery::Failing, at: Some(since), evidence: Some(evidence) })
}

fn refused(agents: &Agents, now: Timestamp) -> Option<Flow> {
    let recent = agents.refusals.iter().filter(|refusal| {
        let age = now.duration_since(refusal.at);
        age < REFUSED_RECENTLY && age >= -AHEAD
    });
    let refusal = recent.min_by_key(|refusal| refusal.since.unwrap_or(refusal.at))?;
    let since = refusal.since.unwrap_or(refusal.at);
    let evidence = format!(
        "{} was refused at {since:.0}, and no success followed ({})",
        refusal.agent.called(),
        quote(&refusal.source)
    );
    Some(Flow { delivery: Delivery::Failing, at: Some(since), evidence: Some(evidence) })
}

fn delivered(agents: &Agents, now: Timestamp) -> Option<Flow> {
    let delivers = |upload: &&Upload| {
        let agent = agents.found.iter().find(|agent| agent.kind == upload.agent);
        let alive = agent.is_some_and(|agent| agent.running != Some(false) && agent.retired.is_none());
        alive && upload.proof == UploadProof::Delivered && upload.succeeded.is_some_and(|at| is_recent(at, now))
    };
    let upload = agents.uploads.iter().filter(delivers).max_by_key(|upload| upload.succeeded)?;
    let at = upload.succeeded?;
    let evidence =
        format!("{} delivered data{} at {at:.0} ({})", upload.agent.called(), place(upload), quote(&upload.source));
    Some(Flow { delivery: Delivery::Delivering, at: Some(at), evidence: Some(evidence) })
}

fn why_unproven(agents: &Agents, now: Timestamp) -> String {
    let sending = || agents.found.iter().filter(|agent| sends(agent));
    if sending().all(|agent| agent.retired.is_some()) {
        let names: Vec<&str> = sending().map(|agent| agent.name.as_str()).collect();
        let retired = format!("{} is retired: Azure may no longer take this agent's data", names.join(", "));
        return own_word(agents).map_or(retired.clone(), |word| format!("{retired}; {word}"));
    }
    if let Some(stopped) = sending().find(|agent| agent.running == Some(false) && agent.retired.is_none()) {
        return format!("{} is not running, so it sends nothing", stopped.name);
    }
    let reached = agents
        .uploads
        .iter()
        .find(|upload| upload.proof == UploadProof::Reached && upload.succeeded.is_some_and(|at| is_recent(at, now)));
    if let Some(upload) = reached {
        return format!(
            "{} reaches the service{}, which does not prove that data arrives ({})",
            upload.agent.called(),
            place(upload),
            quote(&upload.source)
        );
    }
    let refused = UnreadReason::Failed(ReadFailure::NotPermitted);
    if agents.unread.iter().any(|unread| unread.why == refused) {
        return "the agent's own files need more rights to read".to_owned();
    }
    match agents.uploads.iter().filter_map(|upload| upload.succeeded).filter(|at| *at <= now).max() {
        Some(at) => format!("the agent's own files show no upload since {at:.0}"),
        None => "the agent's own files show no upload".to_owned(),
    }
}

/// What the Log Analytics agent for Windows says of its connections. It has no time, so that it proves nothing of the last
/// minutes.
fn own_word(agents: &Agents) -> Option<String> {
    let workspaces = agents.found.iter().flat_map(|agent| &agent.workspaces);
    let said = workspaces.filter_map(|workspace| Some((workspace, workspace.connection?)));
    let (workspace, status) = said.max_by_key(|(_, status)| *status != 0)?;
    let (id, source) = (quote(&workspace.id), quote(&workspace.source));
    Some(match status {
        0 => format!("it says itself that it is connected to {id} ({source})"),
        status => format!("it says itself that it is not connected to {id}: status {status} ({source})"),
    })
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Refusal, RefusalCode, Unread};
    use ampls_probes::testing::{ODS, Scene, agent, private_world};

    use super::*;

    fn minutes_ago(minutes: i64) -> Timestamp {
        private_world().observations().started_at - SignedDuration::from_mins(minutes)
    }

    fn upload(kind: AgentKind, succeeded: Option<i64>, failed: Option<i64>) -> Upload {
        let (succeeded, failed) = (succeeded.map(minutes_ago), failed.map(minutes_ago));
        Upload {
            agent: kind,
            host: Some(ODS.to_owned()),
            proof: UploadProof::Delivered,
            succeeded,
            failing_since: failed.filter(|failed| succeeded.is_none_or(|succeeded| *failed > succeeded)),
            failed,
            source: "/log/mdsd.qos".to_owned(),
        }
    }

    fn state_of(scene: &Scene) -> (Delivery, String) {
        let flow = flow(&scene.observations());
        (flow.delivery, flow.evidence.unwrap_or_default())
    }

    #[test]
    fn evidence_of_the_last_minutes_decides() {
        let ama = || private_world().agents([agent(AgentKind::Ama, "1.33.1")]);
        let table = [
            (Some(1), None, Delivery::Delivering),
            (Some(1), Some(2), Delivery::Delivering),
            (Some(5), Some(2), Delivery::Failing),
            (Some(200), Some(2), Delivery::Failing),
            (None, Some(2), Delivery::Failing),
            (Some(21), None, Delivery::Unproven),
            (Some(-30), None, Delivery::Unproven),
            (None, Some(21), Delivery::Unproven),
        ];
        for (succeeded, failed, expected) in table {
            let scene = ama().uploaded(upload(AgentKind::Ama, succeeded, failed));
            assert_eq!(state_of(&scene).0, expected, "{succeeded:?} {failed:?}");
        }
        assert_eq!(state_of(&ama()).0, Delivery::Unproven);
    }

    #[test]
    fn refusal_counts_unless_data_flows_all_the_same() {
        let refusal = Refusal {
            agent: AgentKind::Ama,
            code: RefusalCode::NoToken,
            host: None,
            at: minutes_ago(60),
            since: Some(minutes_ago(90)),
            count: 2,
            source: "/log/mdsd.err".to_owned(),
        };
        let scene = private_world().agents([agent(AgentKind::Ama, "1.33.1")]).refused(refusal.clone());
        let old = Refusal { at: minutes_ago(24 * 60), ..refusal };
        let of_yesterday = private_world().agents([agent(AgentKind::Ama, "1.33.1")]).refused(old);
        assert_eq!(state_of(&of_yesterday).0, Delivery::Unproven);
        assert_eq!(flow(&scene.observations()).at, Some(minutes_ago(90)));
        assert_eq!(state_of(&scene.uploaded(upload(AgentKind::Ama, Some(1), None))).0, Delivery::Delivering);
    }

    #[test]
    fn what_proves_it_names_the_host_or_says_why_there_is_no_proof() {
        let ama = || private_world().agents([agent(AgentKind::Ama, "1.33.1")]);
        let said = |upload| state_of(&ama().uploaded(upload)).1;
        let with_host = said(upload(AgentKind::Ama, Some(1), None));
        assert!(with_host.contains(&format!("delivered data to `{ODS}` at ")), "{with_host}");
        let without = said(Upload { host: None, ..upload(AgentKind::Ama, Some(1), None) });
        assert!(without.contains("delivered data at "), "{without}");
        let unproven = |why: UnreadReason| {
            let mut seen = ama().observations();
            let unread = Unread { path: "/var/opt/x".to_owned(), why };
            seen.seen.iter_mut().for_each(|step| {
                if let Observation::Agents(agents) = step {
                    agents.unread.push(unread.clone());
                }
            });
            flow(&seen).evidence.unwrap_or_default()
        };
        assert!(unproven(UnreadReason::Failed(ReadFailure::NotPermitted)).contains("need more rights"));
        assert_eq!(unproven(UnreadReason::Link), "the agent's own files show no upload");
    }

    #[test]
    fn retired_stopped_and_missing_agents_never_deliver() {
        let success = |kind| upload(kind, Some(1), None);
        let retired = private_world().agents([agent(AgentKind::Oms, "1.19.0")]).uploaded(success(AgentKind::Oms));
        let (state, why) = state_of(&retired);
        assert!(state == Delivery::Unproven && why.contains("may no longer take"), "{why}");
        let stopped = Agent { running: Some(false), ..agent(AgentKind::Ama, "1.33.1") };
        let (state, why) = state_of(&private_world().agents([stopped]).uploaded(success(AgentKind::Ama)));
        assert!(state == Delivery::Unproven && why.contains("not running"), "{why}");
        assert!(state_of(&private_world().agents([])).1.contains("no agent"));
        assert_eq!(flow(&private_world().observations()), Flow::default());
    }

    #[test]
    fn what_a_retired_agent_says_of_its_connection_is_passed_on_and_proves_nothing() {
        for (status, says) in [(0, "it says itself that it is connected to"), (3, "not connected to")] {
            let mut mma = agent(AgentKind::Mma, "10.20.18069.0");
            mma.workspaces[0].connection = Some(status);
            let (state, why) = state_of(&private_world().windows().agents([mma]));
            assert!(state == Delivery::Unproven && why.contains(says), "{why}");
        }
    }

    #[test]
    fn reaching_a_service_is_no_delivery() {
        let reached = Upload { proof: UploadProof::Reached, ..upload(AgentKind::Ama, Some(1), None) };
        let (state, why) = state_of(&private_world().agents([agent(AgentKind::Ama, "1.33.1")]).uploaded(reached));
        assert!(state == Delivery::Unproven && why.contains("does not prove"), "{why}");
    }
}
