//! The browsers: policies of the machine and settings of every user on it, weighed as the browsers weigh them.
//!
//! Whom a browser asks follows from its sources mechanically; whether that is a fault is not judged here. Files of users are
//! read below their homes only, through no link that leads elsewhere, and bounded.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::catalogue::BrowserCatalogue;
use crate::observation::{
    Browsers, BrowsersSeen, Outcome, ReadFailure, Resolver, ServerRole, Skip, Timing, Unread, UnreadReason,
};
use crate::options::{BrowserSettings, StepKind};
use crate::probe::Context;
use crate::read::below;
use crate::registry::Keys;
use crate::world::World;

mod chromium;
mod firefox;
mod homes;
mod json;
mod policies;
mod portal;
mod prefs;
mod windows;

/// Looks at all browsers. A file system that does not answer holds nobody up but this.
pub async fn look(context: &Context, resolver: Option<&Resolver>) -> Browsers {
    let began = Instant::now();
    if !context.options.takes(StepKind::Browser) {
        return Browsers { timing: context.timing(began), outcome: Outcome::Skipped(Skip::NotAsked) };
    }
    let servers = configured(resolver);
    let (world, which) = (context.world.clone(), context.options.browsers);
    let task = tokio::task::spawn_blocking(move || read(&world, &servers, which));
    let outcome = match context.within_time(context.files_limit(), task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) | Err(_) => Outcome::Cancelled,
    };
    Browsers { timing: context.timing(began), outcome }
}

/// What is recorded of browsers that nothing was heard of.
pub fn cancelled() -> Browsers {
    Browsers { timing: Timing::default(), outcome: Outcome::Cancelled }
}

/// Reads what lies below the root; asks nobody. `servers` are the machine's own, in its order.
pub fn read(world: &Arc<World>, servers: &[IpAddr], which: BrowserSettings) -> Outcome<BrowsersSeen, ReadFailure> {
    let Ok(catalogue) = BrowserCatalogue::builtin() else { return Outcome::Seen(BrowsersSeen::default()) };
    let mut look = Look { world, servers, catalogue: &catalogue, homes: Vec::new(), seen: BrowsersSeen::default() };
    match which {
        BrowserSettings::All => look.homes = homes::homes(world, &mut look.seen),
        BrowserSettings::Policies | BrowserSettings::None => look.seen.policies_only = true,
    }
    for places in &catalogue.chromium {
        chromium::look(&mut look, places);
    }
    for places in &catalogue.firefox {
        firefox::look(&mut look, places);
    }
    for places in &catalogue.firefox {
        firefox::look_at_policies(&mut look, places);
    }
    Outcome::Seen(look.seen)
}

/// The servers that the system's own resolver asks.
pub fn configured(resolver: Option<&Resolver>) -> Vec<IpAddr> {
    let servers = resolver.map(|resolver| resolver.servers.as_slice()).unwrap_or_default();
    let own = servers.iter().filter(|server| server.roles.contains(&ServerRole::Configured));
    own.map(|server| server.address.ip()).collect()
}

/// A place below a home, as the examined system writes it.
fn written(world: &World, home: &homes::Home, below: &str) -> String {
    let path = format!("{}/{below}", home.path);
    if world.is_windows() { path.replace('/', r"\") } else { path }
}

/// What one look at all browsers shares.
struct Look<'a> {
    world: &'a World,
    servers: &'a [IpAddr],
    catalogue: &'a BrowserCatalogue,
    homes: Vec<homes::Home>,
    seen: BrowsersSeen,
}

impl Look<'_> {
    /// Remembers a file that is there and could not be used.
    fn unread(&mut self, path: &str, why: UnreadReason) {
        let known = self.seen.unread.iter().any(|unread| unread.path == path);
        if !known && !below::is_missing(&why) {
            self.seen.unread.push(Unread { path: path.to_owned(), why });
        }
    }

    /// The same of keys.
    fn keys_unread(&mut self, keys: Keys<'_>) {
        for unread in keys.into_unread() {
            self.unread(&unread.path, unread.why);
        }
    }
}

#[cfg(test)]
mod tests;
