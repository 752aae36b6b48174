//! This machine's own files: read on threads of their own, so that a file system that does not answer holds up nothing else.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{FILES, agents};
use crate::observation::source::derived;
use crate::observation::{
    Because, EncryptedDns, Hosts, Observation, Observations, Registry, Source, SourceName, SourceOutcome,
};
use crate::options::{Options, StepKind};
use crate::plan::{Discovered, MetadataState};
use crate::probe::{Context, registry, resolver};
use crate::world::World;

/// What is known before anything is asked, as far as it can be read within [`Context::files_limit`]. A folder of an agent
/// that never answers does not take the servers with it, nor they the agents.
pub(super) async fn configured(context: &Context) -> Discovered {
    let limit = context.files_limit();
    let (world, options) = (context.world.clone(), context.options.clone());
    let servers = aside(move || resolver::read(&world, &options));
    let (world, options) = (context.world.clone(), context.options.clone());
    let agents = aside(move || agents(&world, &options, Instant::now()));
    let (servers, agents) = tokio::join!(context.within_time(limit, servers), context.within_time(limit, agents));
    let servers = servers.ok().flatten().unwrap_or_else(|| resolver::unread(&context.options));
    let (agents_found, agents) = agents.ok().flatten().flatten().unzip();
    let metadata = if context.options.takes(StepKind::Imds) { MetadataState::Pending } else { MetadataState::Silent };
    let agents = agents.unwrap_or_default();
    Discovered { resolver: Some(servers), metadata, agents, agents_found, ..Discovered::default() }
}

/// The small files that are read when all names are known; nothing of those that lie on a share whose server is gone.
pub(super) async fn small_files(
    hosts: impl FnOnce() -> Hosts + Send + 'static,
    encrypted: impl FnOnce() -> EncryptedDns + Send + 'static,
) -> (Option<Hosts>, Option<EncryptedDns>) {
    let (hosts, encrypted) = tokio::join!(timeout(FILES, aside(hosts)), timeout(FILES, aside(encrypted)));
    (hosts.ok().flatten(), encrypted.ok().flatten())
}

/// What the registry says of the whole system; `None` where the examined system has none.
pub(super) async fn registry(world: Arc<World>, start: Instant, limit: Duration) -> Option<Registry> {
    world.registry.as_ref()?;
    let looked = timeout(limit, aside(move || registry::read(&world, start))).await;
    Some(looked.ok().flatten().flatten().unwrap_or_else(registry::cancelled))
}

/// Does something on a thread of its own, which is left behind when nobody waits for it any more; `None` where there is no
/// thread to be had.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, done) = oneshot::channel();
    let work = move || {
        // Nobody waits any more where it took too long.
        let _ = sender.send(work());
    };
    thread::Builder::new().name("files".to_owned()).spawn(work).ok()?;
    done.await.ok()
}

/// What came of each source: what the observations show, and of the agents and proxies what only the run knows.
pub(super) fn sources(seen: &Observations, options: &Options) -> Vec<Source> {
    let agents_were_read = seen.seen.iter().any(|seen| matches!(seen, Observation::Agents(_)));
    let mut sources = derived(seen);
    for source in &mut sources {
        match source.source {
            SourceName::Agents if !options.takes(StepKind::Agent) => {
                *source = Source::new(SourceName::Agents, SourceOutcome::Skipped).because(Because::NotAsked);
            }
            SourceName::Agents if !agents_were_read && source.outcome == SourceOutcome::Skipped => {
                *source = Source::new(SourceName::Agents, SourceOutcome::Cancelled);
            }
            SourceName::Proxies if !options.takes(StepKind::Proxy) && source.outcome == SourceOutcome::Absent => {
                *source = Source::new(SourceName::Proxies, SourceOutcome::Skipped).because(Because::NotAsked);
            }
            SourceName::Metadata if !options.takes(StepKind::Imds) => {
                *source = Source::new(SourceName::Metadata, SourceOutcome::Skipped).because(Because::NotAsked);
            }
            _ => {}
        }
    }
    sources
}
