//! Machines of the picture, and what each has in common with its kin.

use std::sync::Arc;

use uuid::Uuid;

use super::{AgentSeen, MachineKey, Shared, State};
use crate::diagnose::finding::Severity;

/// A machine of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// What tells it from others.
    pub key: MachineKey,
    /// Host name.
    pub name: Box<str>,
    /// Resource id.
    pub resource_id: Option<Box<str>>,
    /// When its newest run began.
    pub at: jiff::Timestamp,
    /// That run.
    pub run: Uuid,
    /// What it has in common with others.
    pub common: Arc<Common>,
}

/// What a machine of the picture has in common with its kin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// What its report says of it.
    pub shared: Arc<Shared>,
    /// How it is.
    pub state: State,
    /// Its roots that are errors.
    pub errors: usize,
    /// Its roots that are warnings.
    pub warnings: usize,
    /// Its verdict says more than its findings: some of them are missing.
    pub incomplete: bool,
    /// Its digest does not name all that a cause is about.
    pub unnamed: bool,
    /// Its name and addresses are pseudonyms.
    pub redacted: bool,
    /// Its agents, as `kind version`.
    pub agents: Vec<String>,
    /// Its causes, as places in the list of all groups.
    pub groups: Vec<usize>,
}

impl Common {
    /// What follows from a shared part, in no group yet.
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let agent = |agent: &AgentSeen| match &agent.version {
            Some(version) => format!("{} {version}", agent.kind),
            None => agent.kind.clone(),
        };
        Self {
            state: shared.state(),
            errors: shared.count(Severity::Error),
            warnings: shared.count(Severity::Warning),
            incomplete: shared.is_incomplete(),
            unnamed: false,
            redacted: shared.names.are_pseudonyms(),
            agents: shared.agents.iter().map(agent).collect(),
            groups: Vec::new(),
            shared: Arc::clone(shared),
        }
    }
}
