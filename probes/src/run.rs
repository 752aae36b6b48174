//! The blocking face of the probes: owns the runtime, the limits and the deadline.
//!
//! Everything runs side by side. A *lane* is what has to happen in order: the steps of one endpoint (lookup, connect,
//! handshake, request), or the tries of one question to one server. Lanes know nothing of each other; only names that need
//! what the metadata service may still tell are planned a second time when it has spoken.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::azure::{AgentKind, AgentsSeen};
use crate::catalogue::Catalogue;
use crate::endpoint::Endpoint;
use crate::observation::{
    Agents, EncryptedDns, EncryptedView, IdentityNamed, Metadata, Observation, Observations, Outcome, Resolver, Stop,
};
use crate::options::{AskAzure, Options, StepKind};
use crate::plan::{Discovered, MetadataState, Plan, Step, follow, plan};
use crate::probe::control::{self, Asking, Identity};
use crate::probe::{Context, agent, browser, encrypted_dns, encrypted_view, hosts, imds, resolver};
use crate::world::{Families, World};

use board::Board;
use endpoint::LookingUp;
use heard::Heard;
pub use patience::Patience;
use places::Places;
use progress::{At, Awaited, with_progress};
pub use progress::{Progress, Stage, Waiting};
pub use signal::{Unbroken, Undisturbed, oversize_is_an_error};

mod board;
mod endpoint;
mod heard;
mod local;
mod needs;
mod patience;
mod places;
mod progress;
mod questions;
mod signal;
mod watchdog;

/// How long the steps have to wind up after the run was asked to end. What is still busy then is left behind.
const GRACE: Duration = Duration::from_millis(200);

/// How long the files that are read at the end may take: they are small, and on most machines in memory already.
const FILES: Duration = Duration::from_secs(1);

/// Why no examination took place. A network that answers nothing is not such a reason.
#[derive(Debug)]
pub enum RunError {
    /// The operating system gave no runtime.
    Runtime(io::Error),
    /// The options leave nothing to look at.
    NothingToDo,
    /// The catalogue cannot be read: a fault of the program.
    Plan(String),
    /// What is read first did not answer within this time: a disk without its server.
    Silent(Duration),
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Runtime(error) => write!(f, "the examination could not start: {error}"),
            Self::NothingToDo => f.write_str("the options leave nothing to look at"),
            Self::Plan(why) => write!(f, "the plan could not be made: {why}"),
            Self::Silent(limit) => write!(
                f,
                "the examination could not start: the files that are read first did not answer within {} s",
                limit.as_secs_f64()
            ),
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

/// Does what a run needs first, such as reading [`World::from_system`], and waits no longer than `limit` for it: the files that it
/// reads may lie on a share whose server is gone.
pub fn prepared<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Result<T, RunError> {
    // Here, too, a thread without room for its first octet would end the program without a word.
    needs::check().map_err(RunError::Runtime)?;
    let (sender, done) = mpsc::sync_channel(1);
    let work = move || {
        // Nobody waits any more where it took too long.
        let _ = sender.send(work());
    };
    thread::Builder::new().name("preparation".to_owned()).spawn(work).map_err(|error| {
        RunError::Runtime(io::Error::other(format!("this process may not have more threads (`ulimit -u`): {error}")))
    })?;
    done.recv_timeout(limit).map_err(|error| match error {
        mpsc::RecvTimeoutError::Timeout => RunError::Silent(limit),
        mpsc::RecvTimeoutError::Disconnected => {
            RunError::Runtime(io::Error::other("a fault of the program while it read the first files"))
        }
    })
}

/// The agents, if they are to be looked for.
fn agents(world: &World, options: &Options, start: Instant) -> Option<(Agents, AgentsSeen)> {
    options.takes(StepKind::Agent).then(|| agent::read(world, start))
}

/// Looks at everything at once and returns what was seen, at the latest shortly after `options.deadline`, whatever the peers
/// do. `progress` is called at the beginning, whenever something is done, and twice a second, from this thread.
pub fn run(
    world: World,
    options: Options,
    catalogue: &Catalogue,
    progress: &(dyn Fn(&Progress) + Sync),
) -> Result<Observations, RunError> {
    watchdog::watch(Arc::new(world), Arc::new(options), catalogue, progress, watchdog::LEEWAY)
}

/// What a run looks at and with, and what it has seen so far.
struct Job {
    world: Arc<World>,
    options: Arc<Options>,
    catalogue: Catalogue,
    board: Arc<Board>,
}

impl Job {
    /// What the resolvers answer that browsers and the system ask encrypted, for names that many customers share.
    async fn views(
        &self,
        context: &Context,
        plan: &Plan,
        resolver: Option<&Resolver>,
        system: Option<&EncryptedDns>,
    ) -> Vec<EncryptedView> {
        let shared = plan.endpoints.iter().filter(|endpoint| endpoint.has_ampls_record());
        let shared = shared.map(|endpoint| &endpoint.fqdn).filter(|name| self.catalogue.is_shared(name));
        let names: BTreeSet<String> = shared.cloned().collect();
        let names: Vec<String> = names.into_iter().collect();
        let browsers = self.board.browsers();
        encrypted_view::look(context, browsers.as_ref(), system, resolver, &names).await
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).max_blocking_threads(Places::here(1).lookups).enable_all().build()
}

async fn examine(job: &Job, progress: &(dyn Fn(&Progress) + Sync)) -> Result<Observations, RunError> {
    let Job { world, options, catalogue, board } = job;
    let (stop, stopped) = watch::channel(false);
    let context = Context::new(world.clone(), options.clone(), stopped, Places::here(1).connections);
    end_of_run(stop, options.deadline, Arc::clone(board));
    if options.takes(StepKind::Tls) {
        world.roots.begin();
    }

    let reading = Progress { done: 0, total: 0, elapsed: Duration::ZERO, waiting_for: vec![Waiting::Configuration] };
    let mut discovered = with_progress(local::configured(&context), || {
        progress(&Progress { elapsed: context.start.elapsed(), ..reading.clone() });
    })
    .await;
    let servers = discovered.resolver.as_ref().map_or(0, |resolver| resolver.servers.len());
    let mut lanes = Lanes::new(context.clone(), &discovered, Places::here(servers).questions, Arc::clone(board));
    let mut plan = plan(catalogue, options, &discovered);
    board.note(|known| (known.discovered, known.plan) = (discovered.clone(), Some(plan.clone())));
    if plan.steps.is_empty() && plan.waiting.is_empty() && !options.takes(StepKind::Agent) {
        return Err(RunError::NothingToDo);
    }
    lanes.start(&plan);
    let mut browsers = Some(tokio::spawn({
        let (context, resolver) = (context.clone(), discovered.resolver.clone());
        async move { browser::look(&context, resolver.as_ref()).await }
    }));
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
        plan = crate::plan::plan(catalogue, options, &discovered);
        board.note(|known| {
            (known.discovered, known.plan, known.metadata) = (discovered.clone(), Some(plan.clone()), answer);
        });
        lanes.start(&plan);
    }
    let control = options.ask_azure.map(|ask| {
        let (context, asking) = (context.clone(), asking(ask, &plan, &discovered));
        tokio::spawn(async move { control::ask(&context, &asking).await })
    });
    for round in [follow::open_questions, follow::records] {
        lanes.quiet(progress).await;
        if *lanes.context.stop.borrow() {
            break;
        }
        let more = lanes.after(&plan, discovered.resolver.as_ref(), round);
        plan.steps.extend(more.into_iter().filter(|step| crate::plan::takes(&discovered, step)));
        board.note(|known| known.plan = Some(plan.clone()));
        lanes.start(&plan);
    }
    // What the machine's files say of the names is read while their answers are on their way.
    let names: BTreeSet<String> = plan.endpoints.iter().map(|endpoint| endpoint.fqdn.clone()).collect();
    let settings = tokio::spawn({
        let (world, start, limit) = (world.clone(), context.start, context.files_limit());
        async move { local::registry(world, start, limit).await }
    });
    let files = tokio::spawn(local::small_files(
        {
            let (world, start) = (world.clone(), context.start);
            move || hosts::read(&world, start, &names)
        },
        {
            let (world, start, resolver) = (world.clone(), context.start, discovered.resolver.clone());
            move || encrypted_dns::read(&world, start, resolver.as_ref())
        },
    ));
    lanes.finish(progress).await;
    if let Some(control) = control {
        let answers = with_progress(control, || progress(&lanes.progress(Some(Waiting::Control)))).await;
        board.note(|known| known.control = answers.ok());
    }
    // What comes when all is done cuts nothing off.
    let mut stopped = board.stopped();
    let (hosts, encrypted) = files.await.unwrap_or_default();
    board.note(|known| (known.hosts, known.encrypted) = (hosts, encrypted.clone()));
    if options.view_encrypted {
        // Whom to ask stands in the settings.
        if let Some(browsers) = browsers.take() {
            let seen = with_progress(browsers, || progress(&lanes.progress(Some(Waiting::Browsers)))).await;
            board.note(|known| known.browsers = seen.ok());
        }
        let views = job.views(&context, &plan, discovered.resolver.as_ref(), encrypted.as_ref());
        let views = with_progress(views, || progress(&lanes.progress(Some(Waiting::Encrypted)))).await;
        board.note(|known| known.views = views);
        stopped = board.stopped();
    }

    let settings = settings.await.ok().flatten();
    board.note(|known| known.registry = settings);
    if let Some(browsers) = browsers {
        let browsers = with_progress(browsers, || progress(&lanes.progress(Some(Waiting::Browsers)))).await;
        board.note(|known| known.browsers = browsers.ok());
    }
    board.note(|known| (known.proxies, known.stopped) = (lanes.proxies.lookups(), stopped));
    Ok(board.observations(world, options, catalogue))
}

/// Who asks the control service, as the metadata service and the agent's settings name it.
fn asking(ask: AskAzure, plan: &Plan, discovered: &Discovered) -> Asking {
    let instance = match &discovered.metadata {
        MetadataState::Answered(instance) => Some(instance.clone()),
        MetadataState::Pending | MetadataState::Silent => None,
    };
    let identity = discovered.agents.identity.clone().map(|(by, value, source)| {
        let named = IdentityNamed { by, source };
        Identity { named, value }
    });
    let agents = discovered.agents_found.as_ref();
    let arc = agents.is_some_and(|agents| agents.found.iter().any(|agent| agent.kind == AgentKind::Arc));
    let proxies = agents.map(|agents| agents.proxies.as_slice()).unwrap_or_default();
    let proxy = proxies.iter().find(|proxy| proxy.used_by == AgentKind::Ama && proxy.effective).cloned();
    Asking { cloud: plan.cloud.parse().ok(), instance, identity, arc, proxy, ask }
}

/// Ends the run at its deadline or at a signal, and notes which it was.
fn end_of_run(stop: watch::Sender<bool>, deadline: Duration, board: Arc<Board>) {
    tokio::spawn(async move {
        let ended_by = tokio::select! {
            () = tokio::time::sleep(deadline) => Stop::Deadline,
            () = signal::interrupted() => Stop::Interrupt,
        };
        board.note(|known| known.stopped = Some(ended_by));
        // Nobody listens any more once every lane is done, which is not a failure.
        let _ = stop.send(true);
    });
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
    heard: Arc<Heard>,
    servers: questions::Servers,
    style: crate::probe::dns::AskStyle,
    proxies: Arc<endpoint::Proxies>,
    started: BTreeSet<Step>,
    busy: JoinSet<Done>,
    waiting: BTreeMap<tokio::task::Id, Awaited>,
    metadata: MetadataStep,
    done: usize,
    board: Arc<Board>,
}

impl Lanes {
    fn new(context: Context, discovered: &Discovered, questions: usize, board: Arc<Board>) -> Self {
        let resolver = discovered.resolver.as_ref();
        let servers = resolver.map_or(&[][..], |resolver| &resolver.servers);
        let of_lookup = Families::of(&context.world.machine).questions();
        Self {
            servers: questions::Servers::new(servers, questions, of_lookup),
            heard: Heard::new(),
            style: questions::style(resolver),
            proxies: Arc::new(endpoint::Proxies::default()),
            context,
            started: BTreeSet::new(),
            busy: JoinSet::new(),
            waiting: BTreeMap::new(),
            metadata: MetadataStep::NotPlanned,
            done: 0,
            board,
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
                    let room = self.servers.lookups.clone();
                    let lookup = LookingUp { asking: self.heard.asking(), place: room.now(), room };
                    let proxies = self.proxies.clone();
                    let keep = self.keeps(endpoint).then(|| context.kept.place(&endpoint.fqdn));
                    let lane = endpoint::lane(context, endpoint.clone(), steps, proxies, at.clone(), lookup, keep);
                    (self.busy.spawn(lane), Awaited::Endpoint { at, name: endpoint.fqdn.clone() })
                }
                Lane::Question(question) => {
                    let awaited = Awaited::Fixed(Waiting::Dns(question.server.ip()));
                    let server = self.servers.of(question.server);
                    let lane = questions::lane(context, server, question, steps, self.style, self.heard.asking());
                    (self.busy.spawn(lane), awaited)
                }
            };
            self.waiting.insert(handle.id(), awaited);
        }
    }

    /// The control service is asked over the connections to its handlers, where it is to be asked.
    fn keeps(&self, endpoint: &Endpoint) -> bool {
        self.context.options.ask_azure.is_some() && endpoint.port == 443 && endpoint.fqdn.contains(".handler.control.")
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

    /// Takes results until nothing is being asked of DNS any more, or the run is to end.
    async fn quiet(&mut self, progress: &(dyn Fn(&Progress) + Sync)) {
        let (context, heard) = (self.context.clone(), Arc::clone(&self.heard));
        let quiet = async move {
            tokio::select! {
                () = heard.quiet() => {}
                () = context.ended() => {}
            }
        };
        tokio::pin!(quiet);
        let mut tick = tokio::time::interval(progress::TICK);
        loop {
            tokio::select! {
                biased;
                () = &mut quiet => return,
                Some(done) = self.busy.join_next_with_id() => self.take(done),
                _ = tick.tick() => {}
            }
            progress(&self.progress(None));
        }
    }

    /// What is to be asked after what was heard.
    fn after(
        &self,
        plan: &Plan,
        resolver: Option<&Resolver>,
        round: fn(&Plan, &Options, &follow::Heard<'_>) -> Vec<Step>,
    ) -> Vec<Step> {
        if !self.context.options.takes(StepKind::Dns) {
            return Vec::new();
        }
        let known = self.heard.known();
        let heard = follow::Heard {
            servers: resolver.map_or(&[], |resolver| &resolver.servers),
            edns0: self.style.edns0,
            lookups: &known.lookups,
            answers: &known.answers,
        };
        round(plan, &self.context.options, &heard)
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
                self.done += steps.len();
                self.board.note(|known| known.done.extend(steps));
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
            done: self.done + usize::from(self.metadata == MetadataStep::Done),
            total: self.started.len() + usize::from(self.metadata != MetadataStep::NotPlanned),
            elapsed: self.context.start.elapsed(),
            waiting_for: waiting.into_iter().collect(),
        }
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
        Step::Ask { server, name, kind, purpose, .. } => {
            let (server, name, kind, purpose) = (*server, name.clone(), *kind, *purpose);
            Some(Lane::Question(questions::Question { server, name, kind, purpose }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_answers_is_left_behind_and_what_answers_is_given() {
        let silent = prepared(Duration::from_millis(10), || {
            loop {
                thread::park();
            }
        });
        let silent: Result<(), RunError> = silent;
        assert_eq!(
            silent.unwrap_err().to_string(),
            "the examination could not start: the files that are read first did not answer within 0.01 s"
        );
        assert_eq!(prepared(Duration::from_hours(1), || 7).unwrap(), 7);
        let fault: Result<(), RunError> = prepared(Duration::from_hours(1), || std::panic::resume_unwind(Box::new(())));
        assert!(fault.unwrap_err().to_string().contains("a fault of the program"));
    }
}
