//! What one report says of one machine, whatever form it came in.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ampls_probes::addr::AZURE_DNS;
use jiff::Timestamp;
use uuid::Uuid;

use super::examined::is_proven_error;
use super::fact::{has_counted_things, is_kept};
use super::{LONGEST, LONGEST_ID, MachineKey, Names, Place, State};
use crate::diagnose::facts::Route;
use crate::diagnose::finding::{Argument, Certainty, Owner, Severity};
use crate::report::digest::MaybeKnown;
use crate::report::{Digest, Health, NOTHING_LOOKED_AT};
use crate::text::escape;

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

/// Where a whole report can be read again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The file.
    pub file: Arc<FilePlace>,
    /// The bytes before it.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
}

/// A file as it was opened: its displayed name may be that of another file.
#[derive(Clone, Debug)]
pub struct FilePlace {
    /// The file, or the folder that no link leads out of.
    pub base: Arc<Path>,
    /// The file in that folder.
    pub relative: Option<PathBuf>,
}

impl FilePlace {
    fn path(&self) -> Cow<'_, Path> {
        self.relative.as_ref().map_or(Cow::Borrowed(&*self.base), |relative| Cow::Owned(self.base.join(relative)))
    }
}

/// A file is the same whichever folder of it was named.
impl PartialEq for FilePlace {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl Eq for FilePlace {}

impl PartialOrd for FilePlace {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FilePlace {
    fn cmp(&self, other: &Self) -> Ordering {
        self.path().cmp(&other.path())
    }
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

/// What one report says of one machine. Of two sightings the greater one counts: the order of the fields decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// When the run began.
    pub at: Timestamp,
    /// The run.
    pub run: Uuid,
    /// How much the form says.
    pub form: Form,
    /// The program that judged.
    pub version: String,
    /// What tells the machine from others.
    pub key: MachineKey,
    /// Host name.
    pub name: String,
    /// Resource id.
    pub resource_id: Option<String>,
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
    /// Where it can be read again.
    pub source: Option<Source>,
}

impl Sighting {
    /// The same within bounds, its lists in an order of their own.
    #[must_use]
    pub(super) fn bounded(mut self) -> Self {
        self.name = escape(self.name.trim(), LONGEST);
        self.version = escape(&self.version, LONGEST);
        if self.names == Names::OfOneReport {
            self.place.subscription = None;
        }
        self.route = escape(&self.route, LONGEST);
        self.resource_id = self.resource_id.map(|id| escape(&id, LONGEST_ID)).filter(|id| !id.is_empty());
        self.cloud = self.cloud.map(|cloud| escape(&cloud, LONGEST));
        self.servers = self.servers.iter().map(|server| escape(server.trim_end_matches(":53"), LONGEST)).collect();
        self.servers.truncate(MOST);
        for agent in &mut self.agents {
            agent.kind = escape(&agent.kind, LONGEST);
            agent.version = agent.version.take().map(|version| escape(&version, LONGEST));
        }
        self.agents.sort();
        self.agents.dedup();
        self.agents.truncate(MOST);
        let roots = Arc::make_mut(&mut self.roots);
        for root in &mut *roots {
            root.code = escape(&root.code, LONGEST);
            root.affects.sort_unstable();
            root.affects.dedup();
            root.args.retain(|name, _| is_kept(name));
            root.args.values_mut().for_each(|value| *value = value.clone().map(|text| escape(&text, LONGEST)));
        }
        roots.sort();
        roots.dedup();
        roots.truncate(MOST);
        self
    }

    /// Whether both are rows of one run.
    pub(super) fn is_rows_of_the_same_run(&self, other: &Self) -> bool {
        (self.at, self.run, self.form) == (other.at, other.run, Form::Rows) && other.form == Form::Rows
    }

    /// Takes in what another row of the same run says.
    pub(super) fn unite(&mut self, other: Self) {
        fn more<T: Ord>(one: &mut T, other: T) {
            if other > *one {
                *one = other;
            }
        }
        more(&mut self.version, other.version);
        more(&mut self.name, other.name);
        more(&mut self.resource_id, other.resource_id);
        more(&mut self.cloud, other.cloud);
        more(&mut self.place.subscription, other.place.subscription);
        more(&mut self.place.region, other.place.region);
        more(&mut self.place.subnet, other.place.subnet);
        more(&mut self.route, other.route);
        more(&mut self.health, other.health);
        more(&mut self.names, other.names);
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

/// Azure's DNS is asked by every run, and stands last in a digest unless the machine itself uses it.
fn used(servers: &[String]) -> Vec<String> {
    let is_azure = |server: &String| server.parse::<SocketAddr>() == Ok(AZURE_DNS);
    match servers.split_last() {
        Some((last, others)) if !others.is_empty() && is_azure(last) => others.to_vec(),
        _ => servers.to_vec(),
    }
}

fn agent((kind, version): (&String, &String)) -> AgentSeen {
    AgentSeen { kind: kind.clone(), version: Some(version.clone()).filter(|version| !version.is_empty()) }
}

impl From<&Digest> for Sighting {
    fn from(digest: &Digest) -> Self {
        let (resource_id, region) = (digest.resource_id.as_deref(), digest.region.as_deref());
        let failed = digest.verdict.exit != 0;
        let names = Names::of_mark(digest.redacted);
        // How bad a severity of a later version is shows in the exit status alone.
        let severity = |it: &MaybeKnown<Severity>| {
            it.known().copied().unwrap_or(if failed { Severity::Error } else { Severity::Info })
        };
        let roots = digest.codes.iter().filter(|code| code.by.is_none()).map(|code| Root {
            code: code.code.clone(),
            severity: severity(&code.severity),
            certainty: None,
            owner: None,
            affects: Vec::new(),
            args: code.args.clone(),
            unnamed: has_counted_things(&code.args) || code.args.is_empty() && digest.dropped.args > 0,
        });
        let roots: Vec<Root> = roots.collect();
        let proven = roots.iter().any(|root| is_proven_error(&root.code, root.severity));
        let route = match &digest.verdict.route {
            MaybeKnown::Known(route) => Route::as_str(*route).to_owned(),
            MaybeKnown::Unknown(word) => word.clone(),
        };
        Self {
            at: digest.at,
            run: digest.id,
            form: Form::Digest,
            version: digest.version.clone(),
            key: MachineKey::new(digest.vm_id.as_deref(), resource_id, &digest.host).within(names, digest.id),
            name: digest.host.clone(),
            resource_id: digest.resource_id.clone(),
            cloud: digest.cloud.clone(),
            place: Place::new(resource_id, region, digest.subnet.as_deref()),
            route,
            names,
            // With `--fail-on never` a run ends so whatever it found before it was ended.
            unexamined: digest.verdict.exit == NOTHING_LOOKED_AT && !proven,
            health: match &digest.verdict.health {
                MaybeKnown::Known(health) => Some(*health),
                MaybeKnown::Unknown(_) => failed.then_some(Health::Error),
            },
            servers: used(&digest.servers),
            agents: digest.agents.iter().map(agent).collect(),
            roots: Arc::new(roots),
            source: None,
        }
        .bounded()
    }
}
