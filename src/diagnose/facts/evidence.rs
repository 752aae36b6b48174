//! Observations as lines of evidence: when, who, what, with every value from outside quoted.

use super::{Connection, EndpointFacts, Facts, Handshake, Outcome, RecordKind, Route, Status, Timing, View, ZoneFact};

use ampls_probes::observation::{Answer, IoFailure, LookupFailure, Observation, TlsFailure};

use crate::text::{self, duration_ms, quote};

/// Addresses and aliases named in one line.
const NAMED: usize = 4;
/// Interfaces named in one line.
const MOST_INTERFACES: usize = 8;

impl Facts<'_> {
    /// What one view says of an endpoint.
    pub fn view_line(&self, endpoint: &EndpointFacts<'_>, view: &View) -> String {
        self.name_line(endpoint.fqdn(), view)
    }

    /// What one view says of any name.
    pub fn name_line(&self, name: &str, view: &View) -> String {
        let Some(server) = view.server else {
            let lookup = self.lookup(name);
            let when = lookup.map_or_else(String::new, |lookup| format!("{} ", self.when(&lookup.timing)));
            let failure = match lookup.and_then(|lookup| lookup.outcome.failed()) {
                Some(LookupFailure::NotFound) => "found no address",
                Some(LookupFailure::TryAgain) => "got no answer from its servers",
                _ => "failed",
            };
            let what = match view.status {
                Status::Ok => format!("gave {}", self.addresses(name, view)),
                Status::Timeout => format!("was silent for {}", duration_ms(view.elapsed_ms)),
                Status::Cancelled => "had not finished when the run ended".to_owned(),
                Status::Skipped => "was not asked".to_owned(),
                _ => failure.to_owned(),
            };
            return format!("{when}this machine's resolver {what} for {}", quote(name));
        };
        let timing = self.asked_at(server, name);
        let when = timing.map_or_else(String::new, |timing| format!("{} ", self.when(&timing)));
        let what = match view.status {
            Status::Ok => format!("gave {} for {}", self.addresses(name, view), quote(name)),
            Status::NxDomain => format!("denied {} (no such name){}", quote(name), denier(view)),
            Status::NoData => format!("has no address for {}{}", quote(name), denier(view)),
            Status::ServFail => format!("failed with SERVFAIL for {}", quote(name)),
            Status::Refused => format!("answered REFUSED for {}", quote(name)),
            Status::FormErr => format!("did not understand the question for {}", quote(name)),
            Status::Truncated => format!("cut its answer for {} short and TCP did not give the rest", quote(name)),
            Status::Malformed => format!("gave no valid DNS answer for {}", quote(name)),
            Status::Timeout => format!("was silent for {} about {}", duration_ms(view.elapsed_ms), quote(name)),
            Status::Unreachable => format!("could not be reached about {}", quote(name)),
            Status::Failed => format!("failed for {}", quote(name)),
            Status::Cancelled => format!("had not answered about {} when the run ended", quote(name)),
            Status::Skipped => format!("was not asked for {}", quote(name)),
        };
        let through =
            if view.cname.is_empty() { String::new() } else { format!(", through {}", text::list(&view.cname, NAMED)) };
        format!("{when}`{server}` {what}{through}")
    }

    /// The SOA of a zone at a server.
    pub fn zone_line(&self, fact: &ZoneFact) -> String {
        let timing = self.answers(fact.server, &fact.zone, RecordKind::Soa).first().map(|answer| answer.timing);
        let when = timing.map_or_else(String::new, |timing| format!("{} ", self.when(&timing)));
        match &fact.soa {
            Some(mname) => format!("{when}`{}` gave the SOA {} for {}", fact.server, quote(mname), quote(&fact.zone)),
            None => format!("{when}`{}` gave no SOA for {}", fact.server, quote(&fact.zone)),
        }
    }

    /// The largest packet of each interface, which a peer sends as long as nothing reports a smaller one on the way.
    pub fn mtu_line(&self) -> Option<String> {
        let interfaces = self.observations().seen.iter().find_map(|seen| match seen {
            Observation::Mtu(mtu) => mtu.outcome.seen(),
            _ => None,
        })?;
        let each = interfaces.iter().take(MOST_INTERFACES).map(|it| format!("{} {}", quote(&it.interface), it.mtu));
        let each = each.collect::<Vec<_>>().join(", ");
        (!each.is_empty()).then(|| format!("largest packet of each interface (MTU), in octets: {each}"))
    }

    /// What became of one question.
    pub fn answer_line(&self, answer: &Answer) -> String {
        let kind = match answer.kind {
            RecordKind::A => "A",
            RecordKind::Aaaa => "AAAA",
            RecordKind::Soa => "SOA",
        };
        let what = match &answer.outcome {
            Outcome::TimedOut => format!("did not answer within {}", elapsed(&answer.timing)),
            Outcome::Failed(ampls_probes::observation::DnsFailure::Unreachable(failure)) => io(*failure).to_owned(),
            Outcome::Cancelled => "had not answered when the run ended".to_owned(),
            _ => "answered".to_owned(),
        };
        format!("{} `{}` {what} ({kind} of {})", self.when(&answer.timing), answer.server, quote(&answer.name))
    }

    /// What became of one connection.
    pub fn connection_line(&self, connection: &Connection) -> String {
        let when = self.when(&connection.timing);
        let to = connection.address.map_or_else(|| "no address".to_owned(), |address| address.to_string());
        let what = match &connection.outcome {
            Outcome::Seen(_) => format!("connected in {}", elapsed(&connection.timing)),
            Outcome::TimedOut => format!("timed out after {}", elapsed(&connection.timing)),
            Outcome::Failed(failure) => format!("{} after {}", io(*failure), elapsed(&connection.timing)),
            Outcome::Cancelled => "had not answered when the run ended".to_owned(),
            Outcome::Skipped(_) => "was not tried".to_owned(),
        };
        format!("{when} `{to}` {what}")
    }

    /// How a handshake ended.
    pub fn handshake_line(&self, endpoint: &EndpointFacts<'_>, handshake: &Handshake) -> String {
        let when = self.when(&handshake.timing);
        let to = handshake.address.map_or_else(|| "no address".to_owned(), |address| address.to_string());
        let name = quote(endpoint.fqdn());
        let what = match &handshake.outcome {
            Outcome::Seen(session) => format!("completed the handshake with {}", quote(&session.version)),
            Outcome::TimedOut => format!("did not finish the handshake within {}", elapsed(&handshake.timing)),
            Outcome::Failed(TlsFailure::ClosedAfterClientHello(failure)) => {
                format!("{} right after the ClientHello", io(*failure))
            }
            Outcome::Failed(TlsFailure::ClosedLater(failure)) => format!("{} during the handshake", io(*failure)),
            Outcome::Failed(TlsFailure::Alert(alert)) => format!("ended the handshake with the alert {}", quote(alert)),
            Outcome::Failed(TlsFailure::ProtocolTooOld) => "offers nothing at or above TLS 1.2".to_owned(),
            Outcome::Failed(TlsFailure::NotTls) => "answered with something that is not TLS".to_owned(),
            Outcome::Failed(TlsFailure::Protocol(error)) => format!("broke the protocol: {}", quote(error)),
            Outcome::Failed(TlsFailure::BadSignature) => "signed the handshake with another key".to_owned(),
            Outcome::Cancelled => "had not finished the handshake when the run ended".to_owned(),
            Outcome::Skipped(_) => "was not contacted".to_owned(),
        };
        format!("{when} `{to}` {what} for {name}")
    }

    fn addresses(&self, name: &str, view: &View) -> String {
        let shown = view.addresses.iter().take(NAMED).map(|address| {
            let class = match self.leads_private(name, *address) {
                Some(true) => "private",
                Some(false) => "public",
                None => "goes nowhere",
            };
            format!("`{address}` ({class})")
        });
        let mut shown = shown.collect::<Vec<_>>().join(", ");
        if view.addresses.len() > NAMED {
            shown.push_str(" …");
        }
        shown
    }

    fn asked_at(&self, server: std::net::SocketAddr, name: &str) -> Option<Timing> {
        let first = |kind| self.answers(server, name, kind).first().map(|answer| answer.timing);
        first(RecordKind::A).or_else(|| first(RecordKind::Aaaa))
    }
}

/// [`Route::as_str`]
pub fn route_word(route: Route) -> &'static str {
    route.as_str()
}

fn denier(view: &View) -> String {
    view.authority.as_ref().map_or_else(String::new, |authority| {
        format!(", by the zone {} of {}", quote(&authority.zone), quote(&authority.mname))
    })
}

pub(super) fn elapsed(timing: &Timing) -> String {
    duration_ms(timing.elapsed_us / 1_000)
}

pub(super) fn io(failure: IoFailure) -> &'static str {
    match failure {
        IoFailure::Refused => "refused the connection",
        IoFailure::Reset => "reset the connection",
        IoFailure::Closed => "closed the connection",
        IoFailure::HostUnreachable => "was reported unreachable (host unreachable)",
        IoFailure::NetworkUnreachable => "was reported unreachable (network unreachable)",
        IoFailure::NotPermitted => "was blocked by this machine itself (not permitted)",
        IoFailure::NoLocalAddress => "was not tested: no local address or port was free",
        IoFailure::NoSockets => "was not tested: this process may open no more sockets",
        IoFailure::KernelTimeout => "timed out",
        IoFailure::Code(_) => "failed",
    }
}

/// A certificate as evidence: subject, issuer, validity and names; an authority's is for no name.
pub fn certificate_line(certificate: &ampls_probes::observation::Certificate) -> String {
    let date = |at: Option<jiff::Timestamp>| at.map_or_else(|| "?".to_owned(), |at| format!("{at:.0}"));
    let line = format!(
        "certificate {} issued by {}, valid {} to {}",
        quote(&certificate.subject),
        quote(&certificate.issuer),
        date(certificate.not_before),
        date(certificate.not_after),
    );
    if certificate.names.is_empty() {
        return line;
    }
    format!("{line}, for {}", text::list(&certificate.names, NAMED))
}
