//! Agents of a scene.

use super::{Scene, WORKSPACE};
use crate::azure::AgentKind;
use crate::catalogue::agents::{Agents as Known, System};
use crate::observation::{
    Agent, AgentProxy, AgentWorkspace, Agents, CachedConfiguration, GuestProxy, Installed, Observation, Refusal, Upload,
};
use crate::version::Version;

impl Scene {
    /// The agents that were looked for and found; an empty list stands for none.
    #[must_use]
    pub fn agents(mut self, found: impl IntoIterator<Item = Agent>) -> Self {
        let agents = Agents { found: found.into_iter().collect(), ..Agents::default() };
        self.observations.seen.push(Observation::Agents(agents));
        self
    }

    /// A refusal in an agent's log.
    #[must_use]
    pub fn refused(mut self, refusal: Refusal) -> Self {
        self.of_agents().refusals.push(refusal);
        self
    }

    /// What an agent's files say of an upload.
    #[must_use]
    pub fn uploaded(mut self, upload: Upload) -> Self {
        self.of_agents().uploads.push(upload);
        self
    }

    /// The guest proxy agent is here.
    #[must_use]
    pub fn guest_proxy(mut self, enforced: Option<bool>) -> Self {
        let source = "/var/log/azure-proxy-agent/status.json".to_owned();
        self.of_agents().guest_proxy = Some(GuestProxy { metadata_enforced: enforced, source });
        self
    }

    /// A proxy that an agent is set to use.
    #[must_use]
    pub fn agent_proxy(mut self, proxy: AgentProxy) -> Self {
        self.of_agents().proxies.push(proxy);
        self
    }

    fn of_agents(&mut self) -> &mut Agents {
        let seen = &mut self.observations.seen;
        let at = seen.iter().position(|seen| matches!(seen, Observation::Agents(_))).unwrap_or_else(|| {
            seen.push(Observation::Agents(Agents::default()));
            seen.len() - 1
        });
        match &mut seen[at] {
            Observation::Agents(agents) => agents,
            _ => unreachable!("the position is that of the agents"),
        }
    }
}

/// A running agent of this version, which reports to [`WORKSPACE`] if its kind does so by itself.
pub fn agent(kind: AgentKind, version: &str) -> Agent {
    let known = Known::builtin().unwrap_or_else(|error| panic!("{error}"));
    let system = if kind == AgentKind::Mma { System::Windows } else { System::Linux };
    let known = known.of(kind, system).unwrap_or_else(|| panic!("no {kind:?} in the catalogue"));
    let at_least = |minimum: &String| version.parse::<Version>().ok() >= minimum.parse::<Version>().ok();
    let of_workspace = AgentWorkspace { id: WORKSPACE.to_owned(), source: "/conf".to_owned(), connection: None };
    Agent {
        kind,
        name: known.name.clone(),
        versions: vec![Installed { version: version.to_owned(), source: "/var/lib/dpkg/status".to_owned() }],
        minimum: known.minimum.clone(),
        meets_minimum: known.minimum.as_ref().map(at_least),
        retired: known.retired.clone(),
        running: Some(true),
        services: Vec::new(),
        workspaces: if kind.is_legacy() { vec![of_workspace] } else { Vec::new() },
        endpoints: Vec::new(),
        cached: (kind == AgentKind::Ama).then(CachedConfiguration::default),
        source: "/var/lib/dpkg/status".to_owned(),
    }
}
