//! The agents of Azure Monitor, and what their configuration says about the names that they use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cloud, Dce, Region, WorkspaceId};

/// Which agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentKind {
    /// Log Analytics agent for Windows (Microsoft Monitoring Agent).
    Mma,
    /// Log Analytics agent for Linux (OMS).
    Oms,
    /// Azure Monitor Agent.
    Ama,
    /// Dependency agent.
    Dependency,
    /// Azure Connected Machine agent (Azure Arc).
    Arc,
}

impl AgentKind {
    /// `mma`, `oms`, `ama`, `dependency` or `arc`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mma => "mma",
            Self::Oms => "oms",
            Self::Ama => "ama",
            Self::Dependency => "dependency",
            Self::Arc => "arc",
        }
    }

    /// What people call it, within a sentence.
    pub fn called(self) -> &'static str {
        match self {
            Self::Mma => "the Log Analytics agent (MMA)",
            Self::Oms => "the Log Analytics agent (OMS)",
            Self::Ama => "AMA",
            Self::Dependency => "the Dependency agent",
            Self::Arc => "the Arc agent",
        }
    }

    /// A retired agent that reports to workspaces by itself.
    pub fn is_legacy(self) -> bool {
        matches!(self, Self::Mma | Self::Oms)
    }
}

/// A legacy agent (MMA or OMS) on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LegacyAgent {
    /// None is there.
    #[default]
    Absent,
    /// It is there and reports to no workspace.
    WithoutWorkspace,
    /// It reports to a workspace.
    WithWorkspace,
}

/// What the configuration of the agents on this machine says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentsSeen {
    /// The Azure Monitor Agent is there.
    pub ama: bool,
    /// A legacy agent (MMA or OMS).
    pub legacy: LegacyAgent,
    /// Workspaces of all agents, in the order found.
    pub workspaces: Vec<WorkspaceId>,
    /// Data collection endpoints; [`Dce::hosts`] holds the hosts that channels use.
    pub dces: Vec<Dce>,
    /// A channel for custom metrics (`me`) is cached.
    pub me_channel: bool,
    /// The region that the configuration names.
    pub region: Option<Region>,
    /// The cloud that the configuration names.
    pub cloud: Option<Cloud>,
    /// What the configuration calls a cloud that this version does not know, and the file that names it.
    pub unknown_cloud: Option<(String, String)>,
    /// The identity that the Azure Monitor Agent is set to use: query parameter, value, file.
    pub identity: Option<(String, String, String)>,
}
