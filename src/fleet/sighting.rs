//! What one report says of one machine, whatever form it came in.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ampls_probes::addr::AZURE_DNS;
use jiff::Timestamp;
use uuid::Uuid;

use super::examined::is_proven_error;
use super::fact::has_counted_things;
use super::{AgentSeen, Form, LONGEST, LONGEST_ID, MachineKey, Names, Place, Root, Shared};
use crate::diagnose::facts::Route;
use crate::diagnose::finding::Severity;
use crate::report::digest::MaybeKnown;
use crate::report::{Digest, Health, NOTHING_LOOKED_AT};
use crate::text::escape;

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

/// What one report says of one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// When the run began.
    pub at: Timestamp,
    /// The run.
    pub run: Uuid,
    /// What tells the machine from others.
    pub key: MachineKey,
    /// Host name.
    pub name: Box<str>,
    /// Resource id.
    pub resource_id: Option<Box<str>>,
    /// What other machines may have in common with it.
    pub shared: Arc<Shared>,
    /// Where it can be read again.
    pub source: Option<Source>,
}

/// A host name within bounds.
pub(super) fn bounded_name(name: &str) -> Box<str> {
    escape(name.trim(), LONGEST).into()
}

/// A resource id within bounds; `None` where nothing is left of it.
pub(super) fn bounded_id(id: &str) -> Option<Box<str>> {
    Some(escape(id, LONGEST_ID)).filter(|id| !id.is_empty()).map(Into::into)
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
        let shared = Shared {
            form: Form::Digest,
            version: digest.version.clone(),
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
        };
        Self {
            at: digest.at,
            run: digest.id,
            key: MachineKey::new(digest.vm_id.as_deref(), resource_id, &digest.host).within(names, digest.id),
            name: bounded_name(&digest.host),
            resource_id: resource_id.and_then(bounded_id),
            shared: Arc::new(shared.bounded()),
            source: None,
        }
    }
}
