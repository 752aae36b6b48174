//! Endpoints that are reached through a proxy.

use std::net::SocketAddr;

use super::{Attempt, Clock, Scene, open, socket};
use crate::endpoint::Endpoint;
use crate::observation::{Connection, Observation, Outcome, ProxyChoice, Skip, Timing, Tunnel, TunnelFailure};

/// The proxy of these tests.
pub const PROXY: &str = "10.1.0.9:3128";

/// The way to one endpoint through the proxy.
#[derive(Clone, Debug)]
pub(super) struct Proxied {
    choice: ProxyChoice,
    attempt: Attempt,
    tunnel: Outcome<u16, TunnelFailure>,
}

/// [`PROXY`], set by the environment.
pub fn shell_proxy() -> ProxyChoice {
    ProxyChoice { url: format!("http://{PROXY}"), source: "HTTPS_PROXY".to_owned(), has_credentials: false }
}

impl Scene {
    /// A name goes through [`PROXY`], set by `--proxy` or by a variable, whose answer to `CONNECT` is this.
    #[must_use]
    pub fn tunnel(mut self, name: &str, source: &str, tunnel: Outcome<u16, TunnelFailure>) -> Self {
        let choice = ProxyChoice { source: source.to_owned(), ..shell_proxy() };
        self.proxied.insert(name.to_owned(), Proxied { choice, attempt: open(), tunnel });
        self
    }

    /// A name goes through [`PROXY`], which cannot be connected to.
    #[must_use]
    pub fn dead_proxy(mut self, name: &str, source: &str, attempt: &Attempt) -> Self {
        let choice = ProxyChoice { source: source.to_owned(), ..shell_proxy() };
        let tunnel = Outcome::Skipped(Skip::EarlierStepFailed);
        self.proxied.insert(name.to_owned(), Proxied { choice, attempt: attempt.clone(), tunnel });
        self
    }

    pub(super) fn tunnelled(&self, clock: &mut Clock, endpoint: &Endpoint, proxied: &Proxied) -> Vec<Observation> {
        let address: SocketAddr = socket(PROXY);
        let connection = |address, via, timing, outcome| {
            Observation::Connection(Connection { endpoint: endpoint.id.clone(), address, via, timing, outcome })
        };
        let via = Some(proxied.choice.url.clone());
        let timing = clock.took(if proxied.attempt == Outcome::TimedOut { 5_000_000 } else { 4_000 });
        let mut steps = vec![
            connection(Some(address), via, timing, proxied.attempt.clone()),
            connection(None, None, Timing::default(), Outcome::Skipped(Skip::ThroughProxy)),
        ];
        let timing = clock.took(if proxied.tunnel == Outcome::TimedOut { 5_000_000 } else { 9_000 });
        steps.push(Observation::Tunnel(Tunnel {
            endpoint: endpoint.id.clone(),
            proxy: proxied.choice.clone(),
            address: proxied.attempt.seen().map(|_| address),
            timing,
            outcome: proxied.tunnel.clone(),
        }));
        if proxied.tunnel.seen().is_some() {
            steps.extend(self.secure(clock, endpoint, address));
        }
        steps
    }
}
