//! How far the way to an endpoint leads: TCP, TLS, HTTP.

use super::{Connection, EndpointFacts, Facts, IpAddr, Observation, Observations, Outcome, Route, Status};

use ampls_probes::endpoint::Expectation;
use ampls_probes::observation::{IoFailure, Source, SourceOutcome, sources};

/// Why no address of an endpoint could be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConnectFault {
    /// Something answers and refuses or resets.
    Refused,
    /// Silence.
    Silent,
    /// The network or this machine says that there is no way.
    Unreachable,
}

/// One step as it bears on the whole way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// It worked.
    Passed,
    /// It did not.
    Failed,
    /// The run ended first.
    Unknown,
    /// It was not taken.
    NotTaken,
}

impl EndpointFacts<'_> {
    /// Whether the endpoint answers: TCP, TLS with a verified chain and name, and an HTTP answer, as far as these steps
    /// were asked for. `None` when nothing was tried or the run ended first.
    pub fn reachable(&self) -> Option<bool> {
        let tunnel = self.tunnel.map_or(Path::NotTaken, |seen| step(&seen.outcome, |_| true));
        let tls = self.handshake.map_or(Path::NotTaken, |seen| match &seen.verification {
            Some(verification)
                if verification.is_open() && seen.outcome.seen().is_some() && self.lacks_only_issuers() =>
            {
                Path::Unknown
            }
            _ => step(&seen.outcome, |_| seen.verified()),
        });
        let http = self.exchange.map_or(Path::NotTaken, |seen| step(&seen.outcome, |_| true));
        let tcp = self.tcp();
        if tcp == Path::NotTaken {
            return None;
        }
        let steps = [tcp, tunnel, tls, http];
        if steps.contains(&Path::Failed) {
            return Some(false);
        }
        (!steps.contains(&Path::Unknown)).then_some(true)
    }

    /// A step on the way to it was ended before it was done.
    pub fn was_cut_off(&self) -> bool {
        self.connections.iter().any(|seen| matches!(seen.outcome, Outcome::Cancelled))
            || self.tunnel.is_some_and(|seen| matches!(seen.outcome, Outcome::Cancelled))
            || self.handshake.is_some_and(|seen| matches!(seen.outcome, Outcome::Cancelled))
            || self.exchange.is_some_and(|seen| matches!(seen.outcome, Outcome::Cancelled))
    }

    /// It was tried and does not answer.
    pub fn unreachable(&self) -> bool {
        self.reachable() == Some(false)
    }

    /// The addresses that were connected to directly and did not answer, in the system's order.
    pub fn dead_addresses(&self) -> Vec<IpAddr> {
        let direct = self.connections.iter().filter(|seen| seen.via.is_none());
        let dead = direct.filter(|seen| connect_fault(seen).is_some());
        dead.filter_map(|seen| seen.address.map(|address| address.ip())).collect()
    }

    /// TCP to any of the addresses.
    pub fn tcp(&self) -> Path {
        tcp_of(self.connections.iter().copied())
    }

    /// Why no address could be connected to directly; `None` when one could, when the run ended before all were tried, or
    /// when the fault is this program's own (no sockets).
    pub fn connect_fault(&self) -> Option<ConnectFault> {
        if self.tcp() != Path::Failed {
            return None;
        }
        let faults = self.connections.iter().filter(|seen| seen.via.is_none()).filter_map(|seen| connect_fault(seen));
        faults.min()
    }
}

impl EndpointFacts<'_> {
    /// It does not resolve, or does not answer.
    pub fn fails(&self) -> bool {
        let unresolved = self.system().is_some_and(|view| {
            matches!(view.status, Status::Failed | Status::NoData | Status::NxDomain | Status::Timeout)
        });
        self.unreachable() || unresolved
    }
}

impl Facts<'_> {
    /// Monitoring does not depend on this name and no private link is to hold it, it is public, and no name that matters is
    /// cut off in the same way: a network that is locked down blocks it on purpose.
    pub fn rightly_blocked(&self, name: &EndpointFacts<'_>) -> bool {
        let unneeded = |name: &EndpointFacts<'_>| !name.required() && name.endpoint.expected != Expectation::Private;
        let needed = self.endpoints().iter().filter(|other| other.route() == Route::Public && !unneeded(other));
        let fault = name.connect_fault();
        fault.is_some()
            && name.route() == Route::Public
            && unneeded(name)
            && needed.into_iter().all(|other| other.connect_fault() != fault)
    }

    /// Whether other names answer on TCP at their private addresses: those of the same zone, or all of them where the zone has
    /// no other that was tried. `None` when there is nothing to compare with.
    pub fn private_siblings_answer(&self, name: &EndpointFacts<'_>) -> Option<bool> {
        let others = || self.endpoints().iter().filter(|other| other.endpoint.id != name.endpoint.id);
        let tried = |other: &&EndpointFacts<'_>| self.tcp_to_private(other).is_some();
        let same_zone: Vec<_> =
            others().filter(|other| other.endpoint.zone == name.endpoint.zone).filter(tried).collect();
        let compared: Vec<_> = if same_zone.is_empty() { others().filter(tried).collect() } else { same_zone };
        (!compared.is_empty()).then(|| compared.iter().any(|other| self.tcp_to_private(other) == Some(true)))
    }

    /// Whether a private address of the name, or the proxy that takes it, could be connected to; `None` where none was tried.
    fn tcp_to_private(&self, name: &EndpointFacts<'_>) -> Option<bool> {
        let public = |seen: &Connection| {
            seen.via.is_none()
                && seen.address.is_some_and(|address| self.leads_private(name.fqdn(), address.ip()) == Some(false))
        };
        if !matches!(name.route(), Route::Private | Route::Mixed) {
            return None;
        }
        // That a public address of the same name answers says nothing of the way to the private endpoint.
        match tcp_of(name.connections.iter().copied().filter(|seen| !public(seen))) {
            Path::Passed => Some(true),
            Path::Failed => Some(false),
            Path::Unknown | Path::NotTaken => None,
        }
    }
}

/// The best of several attempts.
fn tcp_of<'a>(attempts: impl Iterator<Item = &'a Connection>) -> Path {
    let path = |seen: &Connection| match seen.outcome {
        // It was never tried.
        Outcome::Failed(IoFailure::NoSockets) => Path::Unknown,
        _ => step(&seen.outcome, |_| true),
    };
    let steps: Vec<Path> = attempts.map(path).collect();
    [Path::Passed, Path::Unknown, Path::Failed].into_iter().find(|path| steps.contains(path)).unwrap_or(Path::NotTaken)
}

/// What one attempt says about the network.
fn connect_fault(connection: &Connection) -> Option<ConnectFault> {
    match &connection.outcome {
        Outcome::TimedOut | Outcome::Failed(IoFailure::KernelTimeout) => Some(ConnectFault::Silent),
        Outcome::Failed(IoFailure::Refused | IoFailure::Reset | IoFailure::Closed) => Some(ConnectFault::Refused),
        Outcome::Failed(IoFailure::NoSockets) | Outcome::Seen(_) | Outcome::Cancelled | Outcome::Skipped(_) => None,
        Outcome::Failed(_) => Some(ConnectFault::Unreachable),
    }
}

/// Every step of a run ended, and every source was read to its end: a signal or the deadline that came when all was done cut
/// nothing off.
pub fn complete(observations: &Observations) -> bool {
    let read = |source: &Source| source.outcome != SourceOutcome::Cancelled;
    !observations.seen.iter().any(cut_off) && sources(observations).iter().all(read)
}

fn cut_off(step: &Observation) -> bool {
    match step {
        Observation::Resolver(seen) => matches!(seen.outcome, Outcome::Cancelled),
        Observation::Hosts(seen) => matches!(seen.outcome, Outcome::Cancelled),
        Observation::Metadata(seen) => matches!(seen.outcome, Outcome::Cancelled),
        Observation::WireServer(seen) => matches!(seen.outcome, Outcome::Cancelled),
        Observation::Lookup(seen) => matches!(seen.outcome, Outcome::Cancelled),
        Observation::Answer(seen) => matches!(seen.outcome, Outcome::Cancelled),
        Observation::Connection(seen) => matches!(seen.outcome, Outcome::Cancelled),
        Observation::Tunnel(seen) => matches!(seen.outcome, Outcome::Cancelled),
        Observation::Handshake(seen) => matches!(seen.outcome, Outcome::Cancelled),
        Observation::Exchange(seen) => matches!(seen.outcome, Outcome::Cancelled),
        _ => false,
    }
}

fn step<T, F>(outcome: &Outcome<T, F>, good: impl Fn(&T) -> bool) -> Path {
    match outcome {
        Outcome::Seen(seen) if good(seen) => Path::Passed,
        Outcome::Seen(_) | Outcome::Failed(_) | Outcome::TimedOut => Path::Failed,
        Outcome::Cancelled => Path::Unknown,
        // Where an earlier step failed, that step's own outcome tells.
        Outcome::Skipped(_) => Path::NotTaken,
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::endpoint::Need;
    use ampls_probes::observation::{HttpFailure, Skip, Stop};
    use ampls_probes::testing::{API, CUSTOM, DCE, HANDLER, ODS, Says, Scene, Tls, empty_world, open, private_world};

    use std::collections::HashSet;

    use super::*;

    fn reachable(scene: &Scene) -> Option<bool> {
        Facts::new(&scene.observations()).endpoint(ODS).and_then(EndpointFacts::reachable)
    }

    fn without(scene: &Scene, what: &str) -> Option<bool> {
        let mut seen = scene.observations();
        for observation in &mut seen.seen {
            use ampls_probes::Observation::{Connection, Exchange, Handshake};
            match observation {
                Connection(step) if what.contains("tcp") => step.outcome = Outcome::Skipped(Skip::NotAsked),
                Handshake(step) if what.contains("tls") => step.outcome = Outcome::Skipped(Skip::NotAsked),
                Exchange(step) if what.contains("http") => step.outcome = Outcome::Skipped(Skip::NotAsked),
                _ => {}
            }
        }
        Facts::new(&seen).endpoint(ODS).and_then(EndpointFacts::reachable)
    }

    #[test]
    fn reachable_means_tcp_tls_and_http() {
        assert_eq!(reachable(&private_world()), Some(true));
        assert_eq!(reachable(&private_world().connects(ODS, &Outcome::TimedOut)), Some(false));
        assert_eq!(reachable(&private_world().tls(ODS, Tls::intercepted(ODS, "CN=X", false))), Some(false));
        let malformed = Outcome::Failed(HttpFailure::Malformed);
        assert_eq!(reachable(&private_world().http(ODS, malformed)), Some(false));
    }

    #[test]
    fn one_address_that_connects_is_enough() {
        let scene = private_world().attempt(ODS, "10.0.0.9", &Outcome::TimedOut).attempt(ODS, "10.0.0.6", &open());
        assert_eq!(reachable(&scene), Some(true));
    }

    #[test]
    fn steps_that_were_not_asked_for_do_not_count() {
        assert_eq!(without(&private_world(), "http"), Some(true));
        assert_eq!(without(&private_world(), "tls http"), Some(true));
        assert_eq!(without(&private_world(), "tcp tls http"), None);
    }

    #[test]
    fn a_connection_without_a_socket_says_nothing_of_the_endpoint() {
        assert_eq!(reachable(&private_world().connects(ODS, &Outcome::Failed(IoFailure::NoSockets))), None);
    }

    #[test]
    fn what_was_not_tried_or_not_finished_is_unknown() {
        assert_eq!(reachable(&private_world().connects(ODS, &Outcome::Cancelled)), None);
        assert_eq!(reachable(&private_world().tls(ODS, Tls::failed(Outcome::Cancelled))), None);
        let seen = private_world().observations();
        assert_eq!(Facts::new(&seen).endpoint(API).and_then(EndpointFacts::reachable), None);
    }

    #[test]
    fn names_of_the_same_zone_decide_before_those_of_others() {
        let siblings = |scene: &Scene| {
            let seen = scene.observations();
            let facts = Facts::new(&seen);
            facts.endpoint(HANDLER).and_then(|name| facts.private_siblings_answer(name))
        };
        let alone = private_world().connects(HANDLER, &Outcome::TimedOut);
        assert_eq!(siblings(&alone), Some(true), "no other name of its zone was tried");
        let dce = alone.name(DCE, Need::Required).everywhere(DCE, &Says::Private("10.0.0.20"));
        assert_eq!(siblings(&dce.clone().connects(DCE, &open())), Some(true));
        assert_eq!(siblings(&dce.clone().connects(DCE, &Outcome::TimedOut)), Some(false), "though others answer");
        assert_eq!(siblings(&dce.connects(DCE, &Outcome::Cancelled)), Some(true), "which says nothing");
        let single = empty_world().name(HANDLER, Need::Required).system(HANDLER, &Says::Private("10.0.0.5"));
        assert_eq!(siblings(&single.connects(HANDLER, &open())), None, "nothing to compare with");
    }

    #[test]
    fn a_run_is_complete_unless_a_step_was_cut_off() {
        let complete = |scene: &Scene| super::complete(&scene.observations());
        assert!(complete(&private_world()));
        assert!(complete(&private_world().stopped(Stop::Deadline)), "when all was done");
        assert!(!complete(&private_world().connects(ODS, &Outcome::Cancelled)));
        assert!(!complete(&private_world().says(CUSTOM, ODS, &Says::Unfinished)));
        assert!(complete(&private_world().connects(ODS, &Outcome::TimedOut)));
    }

    #[test]
    fn a_step_of_any_kind_that_was_cut_off_is_missing() {
        let mut whole = private_world().tunnel(HANDLER, "HTTPS_PROXY", Outcome::Seen(200)).observations();
        // The step alone shows it, whatever the list of sources says.
        whole.sources = sources(&whole);
        let mut kinds = HashSet::new();
        for place in 0..whole.seen.len() {
            let mut seen = whole.clone();
            if let Some(kind) = seen.seen.get_mut(place).and_then(cancel) {
                assert!(!super::complete(&seen), "{kind:?}");
                kinds.insert(kind);
            }
        }
        assert_eq!(kinds.len(), 8, "{kinds:?}");
    }

    /// Ends a step before it was done; what kind it is.
    fn cancel(step: &mut Observation) -> Option<std::mem::Discriminant<Observation>> {
        match step {
            Observation::Resolver(seen) => seen.outcome = Outcome::Cancelled,
            Observation::Hosts(seen) => seen.outcome = Outcome::Cancelled,
            Observation::Lookup(seen) => seen.outcome = Outcome::Cancelled,
            Observation::Answer(seen) => seen.outcome = Outcome::Cancelled,
            Observation::Connection(seen) => seen.outcome = Outcome::Cancelled,
            Observation::Tunnel(seen) => seen.outcome = Outcome::Cancelled,
            Observation::Handshake(seen) => seen.outcome = Outcome::Cancelled,
            Observation::Exchange(seen) => seen.outcome = Outcome::Cancelled,
            _ => return None,
        }
        Some(std::mem::discriminant(step))
    }

    #[test]
    fn times_of_steps_are_whole_milliseconds_of_the_ones_that_came_to_something() {
        let timings = |scene: &Scene| {
            let mut seen = scene.observations();
            for step in &mut seen.seen {
                use ampls_probes::Observation::{Connection, Exchange, Handshake};
                match step {
                    Connection(step) if step.endpoint == ODS => step.timing.elapsed_us = 12_999,
                    Handshake(step) if step.endpoint == ODS => step.timing.elapsed_us = 3_000,
                    Exchange(step) if step.endpoint == ODS => step.timing.elapsed_us = 999,
                    _ => {}
                }
            }
            let timings = Facts::new(&seen).endpoint(ODS).expect("it was planned").timings();
            (timings.tcp, timings.tls, timings.http)
        };
        assert_eq!(timings(&private_world()), (Some(12), Some(3), Some(0)));
        assert_eq!(timings(&private_world().connects(ODS, &Outcome::TimedOut)).0, None);
    }
}
