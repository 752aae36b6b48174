//! The agents on this machine, as their own files and the process list show them.

use ampls_probes::azure::AgentKind;
use ampls_probes::observation::{Agent, Agents, Observation, ReadFailure, Refusal, RefusalCode, UnreadReason};

use super::{Facts, delivery};
use crate::text::quote;

impl<'a> Facts<'a> {
    /// The agents; `None` when they were not looked for.
    pub fn agents(&self) -> Option<&'a Agents> {
        self.observations().seen.iter().find_map(|seen| match seen {
            Observation::Agents(agents) => Some(agents),
            _ => None,
        })
    }

    /// One agent, if it is there.
    pub fn agent(&self, kind: AgentKind) -> Option<&'a Agent> {
        self.agents()?.found.iter().find(|agent| agent.kind == kind)
    }

    /// All agents, in the catalogue's order.
    pub fn all_agents(&self) -> &'a [Agent] {
        self.agents().map_or(&[], |agents| agents.found.as_slice())
    }

    /// A refusal of the last day that says that the agent got no token.
    pub fn missing_token(&self) -> Option<&'a Refusal> {
        self.recent_refusals().find(|refusal| refusal.code == RefusalCode::NoToken)
    }

    /// Nothing else was refused in the last day: what a service refused an agent that came with a token has another cause.
    pub fn lacks_only_tokens(&self) -> bool {
        self.recent_refusals().all(|refusal| refusal.code == RefusalCode::NoToken)
    }

    fn recent_refusals(&self) -> impl Iterator<Item = &'a Refusal> {
        let now = self.observations().started_at;
        let refusals = self.agents().map_or(&[][..], |agents| agents.refusals.as_slice());
        refusals.iter().filter(move |refusal| now.duration_since(refusal.at) < delivery::REFUSED_RECENTLY)
    }

    /// The Azure Monitor Agent has its rules from a handler that all machines share, and from no data collection endpoint of its
    /// own. `None` where agents were not looked for, their files cannot be read, or hold no rules yet.
    pub fn lacks_endpoint(&self) -> Option<bool> {
        let agents = self.agents()?;
        let Some(agent) = self.agent(AgentKind::Ama) else { return agents.unread.is_empty().then_some(false) };
        let cached = agent.cached.as_ref()?;
        match (cached.endpoint_handlers.is_empty(), cached.shared_handlers.is_empty()) {
            (false, _) => Some(false),
            (true, false) => Some(true),
            (true, true) => None,
        }
    }

    /// Files of agents that need more rights.
    pub fn agents_hidden(&self) -> bool {
        let refused = UnreadReason::Failed(ReadFailure::NotPermitted);
        self.agents().is_some_and(|agents| agents.unread.iter().any(|unread| unread.why == refused))
    }
}

/// `Log Analytics agent for Linux` `1.14.9-0` (where it was read).
pub fn agent_line(agent: &Agent) -> String {
    match agent.versions.first() {
        Some(installed) => format!("{} {} ({})", agent.name, quote(&installed.version), quote(&installed.source)),
        None => format!("{}, version unknown ({})", agent.name, quote(&agent.source)),
    }
}

/// The workspaces of an agent, each with the file that names it.
pub fn workspace_lines(agent: &Agent) -> impl Iterator<Item = String> {
    agent
        .workspaces
        .iter()
        .map(|workspace| format!("it reports to workspace {} ({})", quote(&workspace.id), quote(&workspace.source)))
}
