//! What a report says of a machine that other machines have in common with it: all but name, ids and time.
//!
//! A hundred thousand machines stand in a few hundred networks. What is here is kept once for all machines of which it is true.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;

use super::fact::is_kept;
use super::{LONGEST, Names, Place, State};
use crate::diagnose::finding::{Argument, Certainty, Owner, Severity};
use crate::report::Health;
use crate::text::escaped;

/// Roots, servers and agents kept of one report: many times what a run has.
const MOST: usize = 200;

/// The forms of a report, the one that says least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// One line of JSON within the `compact` format.
    Digest,
    /// Lines of the `ndjson` format.
    Rows,
    /// The whole report.
    Report,
}

/// A root cause, as a report says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// Its code.
    pub code: String,
    /// How bad.
    pub severity: Severity,
    /// How sure; `None` where the form does not say it.
    pub certainty: Option<Certainty>,
    /// Whose work; `None` where the form does not say it.
    pub owner: Option<Owner>,
    /// What names that it concerns do for monitoring.
    pub affects: Vec<&'static str>,
    /// The observed values by name.
    pub args: BTreeMap<String, Argument>,
    /// The digest had no room for the things that it names, or for some of them.
    pub unnamed: bool,
}

/// An agent of a machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentSeen {
    /// Which.
    pub kind: String,
    /// Its version.
    pub version: Option<String>,
}

/// What machines may have in common. Of two the greater one counts: the order of the fields decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    /// How much the form says.
    pub form: Form,
    /// The program that judged.
    pub version: String,
    /// The cloud.
    pub cloud: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// Where the names lead; empty where a row does not say it.
    pub route: String,
    /// Where its names and addresses mean the same.
    pub names: Names,
    /// The run could look at nothing.
    pub unexamined: bool,
    /// What its verdict says; findings may be missing that a file or a line lost.
    pub health: Option<Health>,
    /// DNS servers.
    pub servers: Vec<String>,
    /// Agents.
    pub agents: Vec<AgentSeen>,
    /// Root causes; machines of one fault have one list of them.
    pub roots: Arc<Vec<Root>>,
}

impl Shared {
    /// The same within bounds, its lists in an order of their own.
    #[must_use]
    pub(super) fn bounded(mut self) -> Self {
        self.version = escaped(self.version, LONGEST);
        if self.names == Names::OfOneReport {
            self.place.subscription = None;
        }
        self.route = escaped(self.route, LONGEST);
        self.cloud = self.cloud.map(|cloud| escaped(cloud, LONGEST));
        self.servers =
            self.servers.iter().map(|server| escaped(server.trim_end_matches(":53").to_owned(), LONGEST)).collect();
        self.servers.truncate(MOST);
        for agent in &mut self.agents {
            agent.kind = escaped(take(&mut agent.kind), LONGEST);
            agent.version = agent.version.take().map(|version| escaped(version, LONGEST));
        }
        self.agents.sort();
        self.agents.dedup();
        self.agents.truncate(MOST);
        let roots = Arc::make_mut(&mut self.roots);
        for root in &mut *roots {
            root.code = escaped(take(&mut root.code), LONGEST);
            root.affects.sort_unstable();
            root.affects.dedup();
            let kept = take(&mut root.args).into_iter().filter(|(name, _)| is_kept(name));
            root.args = kept.map(|(name, value)| (name, value.map(|text| escaped(text, LONGEST)))).collect();
        }
        roots.sort();
        roots.dedup();
        roots.truncate(MOST);
        self
    }

    /// Takes in what another row of the same run says.
    pub(super) fn unite(&mut self, other: &Self) {
        fn more<T: Ord + Clone>(one: &mut T, other: &T) {
            if other > one {
                one.clone_from(other);
            }
        }
        more(&mut self.version, &other.version);
        more(&mut self.cloud, &other.cloud);
        more(&mut self.place.subscription, &other.place.subscription);
        more(&mut self.place.region, &other.place.region);
        more(&mut self.place.subnet, &other.place.subnet);
        more(&mut self.route, &other.route);
        more(&mut self.health, &other.health);
        more(&mut self.names, &other.names);
        self.unexamined |= other.unexamined;
        let roots = Arc::make_mut(&mut self.roots);
        roots.extend(other.roots.iter().cloned());
        roots.sort();
        roots.dedup();
        roots.truncate(MOST);
    }

    /// How the machine is.
    pub(super) fn state(&self) -> State {
        if self.unexamined { State::Unexamined } else { self.said().max(self.shown()) }
    }

    /// Whether its verdict is worse than all that it names: findings are missing.
    pub(super) fn is_incomplete(&self) -> bool {
        !self.unexamined && self.said() > self.shown()
    }

    /// Its roots of this severity.
    pub(super) fn count(&self, severity: Severity) -> usize {
        self.roots.iter().filter(|root| root.severity == severity).count()
    }

    fn said(&self) -> State {
        match self.health {
            Some(Health::Error) => State::Error,
            Some(Health::Warning) => State::Warning,
            Some(Health::Ok) | None => State::Ok,
        }
    }

    fn shown(&self) -> State {
        match self.roots.iter().map(|root| root.severity).max() {
            Some(Severity::Error) => State::Error,
            Some(Severity::Warning) => State::Warning,
            Some(Severity::Info) | None => State::Ok,
        }
    }
}
