//! The blocking face of the probes: owns the runtime, the limits and the deadline.
//!
//! Everything runs side by side. A *lane* is what has to happen in order: the steps of one endpoint (lookup, connect,
//! handshake, request), or the tries of one question to one server. Lanes know nothing of each other; only names that need
//! what the metadata service may still tell are planned a second time when it has spoken.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::azure::{AgentsSeen, Cloud, DceHost};
use crate::catalogue::Catalogue;
use crate::observation::{
    Agents, Asked, ClaimSource, CloudClaim, Instance, Later, Metadata, Observation, Observations, Outcome, Stop,
    VERSION,
};
use crate::options::{Options, StepKind};
use crate::plan::{Discovered, MetadataState, Plan, Step, plan};
use crate::probe::{Context, agent, browser, encrypted_dns, hosts, imds, proxy, resolver};
use crate::world::World;

pub use patience::Patience;
use places::Places;
use progress::{At, Awaited, with_progress};
pub use progress::{Progress, Stage, Waiting};
pub use signal::{Undisturbed, oversize_is_an_error};

mod endpoint;
mod patience;
mod places;
mod progress;
mod questions;
mod signal;

/// How long the steps have to wind up after the run was asked to end. What is still busy then is left behind.
const GRACE: Duration = Duration::from_millis(200);

/// Why no examination took place. A network that answers nothing is not such a reason.
#[derive(Debug)]
pub enum RunError {
    /// The operating system gave no runtime.
    Runtime(io::Error),
    /// The options leave nothing to look at.
    NothingToDo,
    /// The catalogue cannot be read: a fault of the program.
    Plan(String),
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Runtime(error) => write!(f, "the examination could not start: {error}"),
            Self::NothingToDo => f.write_str("the options leave nothing to look at"),
            Self::Plan(why) => write!(f, "the plan could not be made: {why}"),
        }
    }
}

impl std::error::Error for RunError {}

/// What is known before anything is asked: this machine's own configuration.
pub fn discover(world: &World, options: &Options) -> Discovered {
    let metadata = if options.takes(StepKind::Imds) { MetadataState::Pending } else { MetadataState::Silent };
    let resolver = Some(resolver::read(world, options));
    let (agents_found, agents) = agents(world, options, Instant::now()).unzip();
    Discovered { resolver, metadata, agents: agents.unwrap_or_default(), agents_found, ..Discovered::default() }
}

/// [`discover`] within the run's deadline: files on a share that nobody serves any more never answer.
async fn configured(context: &Context) -> Discovered {
    let (world, options) = (context.world.clone(), context.options.clone());
    let reading = tokio::task::spawn_blocking(move || discover(&world, &options));
    context.until_end(reading).await.ok().and_then(Result::ok).unwrap_or_default()
}

/// The agents, if they are to be looked for and this system's sources are known.
fn agents(world: &World, options: &Options, start: Instant) -> Option<(Agents, AgentsSeen)> {
    let known = !cfg!(windows) || world.root != crate::os::root();
    (known && options.takes(StepKind::Agent)).then(|| agent::read(world, start))
}

/// Looks at everything at once and returns what was seen, at the latest shortly after `options.deadline`, whatever the peers
/// do. `progress` is called at the beginning, whenever something is done, and twice a second, from this thread.
pub fn run(
    world: World,
    options: Options,
    catalogue: &Catalogue,
    progress: &(dyn Fn(&Progress) + Sync),
) -> Result<Observations, RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(Places::here(1).lookups)
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let seen = runtime.block_on(examine(Arc::new(world), Arc::new(options), catalogue, progress));
    // A resolver call of the operating system cannot be cancelled: waiting for its thread would outlive the deadline.
    runtime.shutdown_background();
    seen
}

async fn examine(
    world: Arc<World>,
    options: Arc<Options>,
    catalogue: &Catalogue,
    progress: &(dyn Fn(&Progress) + Sync),
) -> Result<Observations, RunError> {
    let started_at = world.clock.now();
    let (stop, stopped) = watch::channel(false);
    let context = Context::new(world.clone(), options.clone(), stopped, Places::here(1).connections);
    let cause = end_of_run(stop, options.deadline);

    let reading = Progress { done: 0, total: 0, elapsed: Duration::ZERO, waiting_for: vec![Waiting::Configuration] };
    let mut discovered = with_progress(configured(&context), || {
        progress(&Progress { elapsed: context.start.elapsed(), ..reading.clone() });
    })
    .await;
    let servers = discovered.resolver.as_ref().map_or(0, |resolver| resolver.servers.len());
    let mut lanes = Lanes::new(context.clone(), &discovered, Places::here(servers).questions);
    let mut plan = plan(catalogue, &options, &discovered);
    if plan.steps.is_empty() && plan.waiting.is_empty() && discovered.agents_found.is_none() {
        return Err(RunError::NothingToDo);
    }
    lanes.start(&plan);
    let browsers = tokio::spawn({
        let (context, resolver) = (context.clone(), discovered.resolver.clone());
        async move { browser::look(&context, resolver.as_ref()).await }
    });
    let mut metadata = None;
    if plan.steps.contains(&Step::Metadata) {
        let mut wait = tokio::spawn({
            let context = context.clone();
            async move { imds::metadata(&context).await }
        });
        // While it is on its way the other lanes run; only the names in `plan.waiting` need its answer.
        lanes.metadata = MetadataStep::Pending;
        let answer = lanes.until(&mut wait, progress).await.ok();
        lanes.metadata = MetadataStep::Done;
        discovered.metadata = match answer.as_ref().map(|metadata: &Metadata| &metadata.outcome) {
            Some(Outcome::Seen(instance)) => MetadataState::Answered(instance.clone()),
            _ => MetadataState::Silent,
        };
        metadata = answer;
        plan = crate::plan::plan(catalogue, &options, &discovered);
        lanes.start(&plan);
    }
    lanes.finish(progress).await;

    let stopped = *cause.lock().unwrap_or_else(PoisonError::into_inner);
    let names: BTreeSet<String> = plan.endpoints.iter().map(|endpoint| endpoint.fqdn.clone()).collect();
    let mut seen = Vec::new();
    let encrypted = encrypted_dns::read(&world, context.start, discovered.resolver.as_ref());
    seen.extend(discovered.resolver.take().map(Observation::Resolver));
    seen.push(Observation::Hosts(hosts::read(&world, context.start, &names)));
    seen.extend(discovered.agents_found.take().map(Observation::Agents));
    seen.push(Observation::EncryptedDns(encrypted));
    let browsers = with_progress(browsers, || progress(&lanes.progress(Some(Waiting::Browsers)))).await;
    seen.push(Observation::Browsers(browsers.unwrap_or_else(|_| browser::cancelled())));
    if options.takes(StepKind::Proxy) {
        seen.extend(proxy::settings(&world, &options, context.start).map(Observation::ProxySettings));
    }
    seen.extend(metadata.map(Observation::Metadata));
    seen.extend(lanes.collect(&plan));
    Ok(Observations {
        version: VERSION,
        started_at,
        elapsed_ms: millis(context.start.elapsed()),
        stopped,
        asked: asked(&world, &options, &plan, clouds(catalogue, &options, &discovered)),
        machine: world.machine.clone(),
        endpoints: plan.endpoints,
        zones: plan.zones,
        unresolved_names: plan.waiting,
        seen,
        later: Later::default(),
    })
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
    clouds
}

/// Ends the run at its deadline or at a signal, and remembers which it was.
fn end_of_run(stop: watch::Sender<bool>, deadline: Duration) -> Arc<Mutex<Option<Stop>>> {
    let cause = Arc::new(Mutex::new(None));
    let remembered = cause.clone();
    tokio::spawn(async move {
        let ended_by = tokio::select! {
            () = tokio::time::sleep(deadline) => Stop::Deadline,
            () = signal::interrupted() => Stop::Interrupt,
        };
        *remembered.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended_by);
        // Nobody listens any more once every lane is done, which is not a failure.
        let _ = stop.send(true);
    });
    cause
}

/// A thing that happens in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    WireServer,
    Endpoint(String),
    Question(questions::Question),
}

type Done = Vec<(Step, Vec<Observation>)>;

/// The question to the metadata service, which no lane asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MetadataStep {
    NotPlanned,
    Pending,
    Done,
}

/// All lanes of a run.
struct Lanes {
    context: Context,
    servers: questions::Servers,
    style: crate::probe::dns::AskStyle,
    proxies: Arc<endpoint::Proxies>,
    started: BTreeSet<Step>,
    busy: JoinSet<Done>,
    waiting: BTreeMap<tokio::task::Id, Awaited>,
    metadata: MetadataStep,
    done: BTreeMap<Step, Vec<Observation>>,
}

impl Lanes {
    fn new(context: Context, discovered: &Discovered, questions: usize) -> Self {
        let resolver = discovered.resolver.as_ref();
        Self {
            servers: questions::Servers::new(resolver.map_or(&[], |resolver| &resolver.servers), questions),
            style: questions::style(resolver),
            proxies: Arc::new(endpoint::Proxies::default()),
            context,
            started: BTreeSet::new(),
            busy: JoinSet::new(),
            waiting: BTreeMap::new(),
            metadata: MetadataStep::NotPlanned,
            done: BTreeMap::new(),
        }
    }

    /// Starts every step that has not been started yet.
    fn start(&mut self, plan: &Plan) {
        let mut lanes: BTreeMap<Lane, Vec<Step>> = BTreeMap::new();
        for step in &plan.steps {
            let Some(lane) = lane_of(step) else { continue };
            if self.started.insert(step.clone()) {
                lanes.entry(lane).or_default().push(step.clone());
            }
        }
        for (lane, steps) in lanes {
            let context = self.context.clone();
            let (handle, awaited) = match lane {
                Lane::WireServer => {
                    let handle = self.busy.spawn(async move {
                        vec![(Step::WireServer, vec![Observation::WireServer(imds::wire_server(&context).await)])]
                    });
                    (handle, Awaited::Fixed(Waiting::WireServer))
                }
                Lane::Endpoint(id) => {
                    let Some(endpoint) = plan.endpoints.iter().find(|endpoint| endpoint.id == id) else { continue };
                    let at = At::new();
                    let lane = endpoint::lane(context, endpoint.clone(), steps, self.proxies.clone(), at.clone());
                    (self.busy.spawn(lane), Awaited::Endpoint { at, name: endpoint.fqdn.clone() })
                }
                Lane::Question(question) => {
                    let awaited = Awaited::Fixed(Waiting::Dns(question.server.ip()));
                    let server = self.servers.of(question.server);
                    (self.busy.spawn(questions::lane(context, server, question, steps, self.style)), awaited)
                }
            };
            self.waiting.insert(handle.id(), awaited);
        }
    }

    /// Takes results until `other` is ready or the run has ended.
    async fn until<T>(
        &mut self,
        other: &mut tokio::task::JoinHandle<T>,
        progress: &(dyn Fn(&Progress) + Sync),
    ) -> Result<T, tokio::task::JoinError> {
        let mut tick = tokio::time::interval(progress::TICK);
        loop {
            tokio::select! {
                biased;
                ready = &mut *other => return ready,
                Some(done) = self.busy.join_next_with_id() => self.take(done),
                _ = tick.tick() => {}
            }
            progress(&self.progress(None));
        }
    }

    /// Takes results until every lane is done, or shortly after the run was asked to end.
    async fn finish(&mut self, progress: &(dyn Fn(&Progress) + Sync)) {
        let context = self.context.clone();
        let ended = async move {
            context.ended().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::pin!(ended);
        let mut tick = tokio::time::interval(progress::TICK);
        loop {
            tokio::select! {
                biased;
                done = self.busy.join_next_with_id() => match done {
                    Some(done) => self.take(done),
                    None => return,
                },
                () = &mut ended => {
                    self.busy.abort_all();
                    return;
                }
                _ = tick.tick() => {}
            }
            progress(&self.progress(None));
        }
    }

    fn take(&mut self, done: Result<(tokio::task::Id, Done), tokio::task::JoinError>) {
        match done {
            Ok((id, steps)) => {
                self.waiting.remove(&id);
                self.done.extend(steps);
            }
            Err(error) => {
                self.waiting.remove(&error.id());
            }
        }
    }

    /// How far it is; `besides` is waited for too.
    fn progress(&self, besides: Option<Waiting>) -> Progress {
        let metadata = (self.metadata == MetadataStep::Pending).then_some(Waiting::Metadata);
        let waiting: BTreeSet<Waiting> =
            self.waiting.values().map(Awaited::now).chain(metadata).chain(besides).collect();
        Progress {
            done: self.done.len() + usize::from(self.metadata == MetadataStep::Done),
            total: self.started.len() + usize::from(self.metadata != MetadataStep::NotPlanned),
            elapsed: self.context.start.elapsed(),
            waiting_for: waiting.into_iter().collect(),
        }
    }

    /// Everything that was seen, in the plan's order. A step without a result did not finish: it is recorded as cancelled.
    fn collect(mut self, plan: &Plan) -> Vec<Observation> {
        let mut seen: Vec<Observation> = self.proxies.lookups();
        for step in &plan.steps {
            match self.done.remove(step) {
                Some(observations) => seen.extend(observations),
                None => seen.extend(unfinished(step, plan)),
            }
        }
        seen
    }
}

fn lane_of(step: &Step) -> Option<Lane> {
    match step {
        // Asked apart from the lanes, because the second plan waits for it.
        Step::Metadata => None,
        Step::WireServer => Some(Lane::WireServer),
        Step::Lookup { endpoint } | Step::Tcp { endpoint } | Step::Tls { endpoint } | Step::Http { endpoint } => {
            Some(Lane::Endpoint(endpoint.clone()))
        }
        Step::Ask { server, name, kind, .. } => {
            Some(Lane::Question(questions::Question { server: *server, name: name.clone(), kind: *kind }))
        }
    }
}

/// What is recorded of a step whose lane never reported.
fn unfinished(step: &Step, plan: &Plan) -> Option<Observation> {
    match step {
        Step::Metadata => None,
        Step::WireServer => Some(Observation::WireServer(crate::observation::WireServer {
            timing: crate::observation::Timing::default(),
            outcome: Outcome::Cancelled,
        })),
        Step::Ask { server, name, kind, try_number } => {
            Some(questions::without_answer(*server, name, *kind, *try_number, Outcome::Cancelled))
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
