//! What a run has seen so far, kept where it can be read whatever hangs, and made into observations at the end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{endpoint, local, questions};
use crate::azure::{Cloud, DceHost};
use crate::catalogue::Catalogue;
use crate::observation::{
    Asked, Browsers, ClaimSource, CloudClaim, Control, EncryptedDns, EncryptedView, Hosts, Instance, Later, Metadata,
    Observation, Observations, Outcome, Registry, Stop, Timing, VERSION, WireServer,
};
use crate::options::{Options, StepKind};
use crate::plan::{Discovered, MetadataState, Plan, Step, UNKNOWN_CLOUD, plan, unknown_environment};
use crate::probe::{browser, mtu, proxy, registry};
use crate::world::World;

/// What is known of a run.
pub(super) struct Board {
    began: Instant,
    started_at: Timestamp,
    known: Mutex<Known>,
}

/// The same, by what has looked.
#[derive(Default)]
pub(super) struct Known {
    pub(super) discovered: Discovered,
    pub(super) plan: Option<Plan>,
    pub(super) metadata: Option<Metadata>,
    pub(super) control: Option<Control>,
    /// Lookups of proxies.
    pub(super) proxies: Vec<Observation>,
    /// What the lanes have done.
    pub(super) done: BTreeMap<Step, Vec<Observation>>,
    pub(super) hosts: Option<Hosts>,
    pub(super) encrypted: Option<EncryptedDns>,
    pub(super) browsers: Option<Browsers>,
    pub(super) registry: Option<Registry>,
    /// What resolvers answered that are asked encrypted.
    pub(super) views: Vec<EncryptedView>,
    pub(super) stopped: Option<Stop>,
}

impl Board {
    /// Of a run that begins now.
    pub(super) fn new(world: &World) -> Self {
        Self { began: Instant::now(), started_at: world.clock.now(), known: Mutex::default() }
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known());
    }

    /// What ended the run, if anything has.
    pub(super) fn stopped(&self) -> Option<Stop> {
        self.known().stopped
    }

    /// What is known of the browsers.
    pub(super) fn browsers(&self) -> Option<Browsers> {
        self.known().browsers.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that was seen, in the plan's order; of what has not ended it is said so. Afterwards the board is empty.
    pub(super) fn observations(&self, world: &World, options: &Options, catalogue: &Catalogue) -> Observations {
        let Known {
            mut discovered,
            plan: made,
            metadata,
            control,
            proxies,
            mut done,
            hosts,
            encrypted,
            browsers,
            registry,
            views,
            stopped,
        } = std::mem::take(&mut *self.known());
        let plan = made.unwrap_or_else(|| plan(catalogue, options, &discovered));
        let clouds = clouds(catalogue, options, &discovered);
        let mut seen = Vec::new();
        seen.extend(discovered.resolver.take().map(Observation::Resolver));
        seen.push(Observation::Hosts(hosts.unwrap_or_else(|| Hosts {
            timing: Timing::default(),
            outcome: Outcome::Cancelled,
            unread: None,
        })));
        seen.extend(discovered.agents_found.take().map(Observation::Agents));
        seen.push(Observation::EncryptedDns(encrypted.unwrap_or_else(|| EncryptedDns {
            timing: Timing::default(),
            outcome: Outcome::Cancelled,
            unread: Vec::new(),
        })));
        seen.push(Observation::Browsers(browsers.unwrap_or_else(browser::cancelled)));
        if world.is_windows() {
            seen.push(Observation::Registry(registry.unwrap_or_else(registry::cancelled)));
        }
        seen.push(Observation::Mtu(mtu::read(world, options, self.began)));
        if options.takes(StepKind::Proxy) {
            seen.extend(proxy::settings(world, options, self.began).map(Observation::ProxySettings));
        }
        seen.extend(metadata.map(Observation::Metadata));
        seen.extend(control.map(Observation::Control));
        seen.extend(proxies);
        for step in &plan.steps {
            match done.remove(step) {
                Some(observations) => seen.extend(observations),
                None => seen.extend(unfinished(step, &plan)),
            }
        }
        seen.extend(views.into_iter().map(Observation::EncryptedView));
        let mut observations = Observations {
            version: VERSION,
            started_at: self.started_at,
            elapsed_ms: millis(self.began.elapsed()),
            stopped,
            asked: asked(world, options, &plan, clouds),
            machine: world.machine.clone(),
            endpoints: plan.endpoints,
            zones: plan.zones,
            unresolved_names: plan.waiting,
            sources: Vec::new(),
            seen,
            later: Later::default(),
        };
        observations.sources = local::sources(&observations, options);
        observations
    }
}

fn asked(world: &World, options: &Options, plan: &Plan, clouds: Vec<CloudClaim>) -> Asked {
    Asked {
        expect: options.expect,
        private_ranges: options.private_ranges.clone(),
        cloud: plan.cloud.clone(),
        region: plan.region.clone(),
        step_timeout_ms: millis(options.step_timeout),
        deadline_ms: millis(options.deadline),
        repeat: options.repeat,
        public_roots_given: world.roots.public_given(),
        files_only: options.files_only,
        clouds,
        expected_records: options.expected_records.clone(),
        view_encrypted: options.view_encrypted,
    }
}

/// Who names which cloud.
fn clouds(catalogue: &Catalogue, options: &Options, discovered: &Discovered) -> Vec<CloudClaim> {
    let claim = |cloud: Cloud, source, says: String| CloudClaim { cloud: cloud.to_string(), source, says };
    let arguments = options.cloud_evidence().into_iter();
    let mut clouds: Vec<CloudClaim> =
        arguments.map(|(cloud, says)| claim(cloud, ClaimSource::Argument, says)).collect();
    let agents = &discovered.agents;
    let configured = agents.cloud.into_iter().map(|cloud| (cloud, "the agents' configuration".to_owned()));
    let dces = agents
        .dces
        .iter()
        .map(|dce| (dce.cloud, format!("the agents' data collection endpoint `{}`", dce.host(DceHost::Handler))));
    clouds.extend(configured.chain(dces).map(|(cloud, says)| claim(cloud, ClaimSource::Configuration, says)));
    if let MetadataState::Answered(Instance { environment: Some(environment), .. }) = &discovered.metadata
        && let Some(cloud) = catalogue.cloud_of_environment(environment)
    {
        let says = format!("the metadata service (`{environment}`)");
        clouds.push(claim(cloud, ClaimSource::Metadata, says));
    }
    let unknown = |source, says: String| CloudClaim { cloud: UNKNOWN_CLOUD.to_owned(), source, says };
    if let Some((name, path)) = &agents.unknown_cloud {
        clouds.push(unknown(ClaimSource::Configuration, format!("`{path}` (`{name}`)")));
    }
    if let Some(environment) = unknown_environment(catalogue, discovered) {
        clouds.push(unknown(ClaimSource::Metadata, format!("the metadata service (`{environment}`)")));
    }
    clouds
}

/// What is recorded of a step whose lane never reported.
fn unfinished(step: &Step, plan: &Plan) -> Option<Observation> {
    match step {
        Step::Metadata => None,
        Step::WireServer => {
            Some(Observation::WireServer(WireServer { timing: Timing::default(), outcome: Outcome::Cancelled }))
        }
        Step::Ask { server, name, kind, try_number, purpose } => {
            let question = questions::Question { server: *server, name: name.clone(), kind: *kind, purpose: *purpose };
            Some(Observation::Answer(questions::without_answer(&question, *try_number, Outcome::Cancelled)))
        }
        Step::Lookup { endpoint } | Step::Tcp { endpoint } | Step::Tls { endpoint } | Step::Http { endpoint } => {
            let endpoint = plan.endpoints.iter().find(|planned| planned.id == *endpoint)?;
            Some(endpoint::unfinished(step, endpoint))
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
