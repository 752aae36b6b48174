//! Changes of private zones: their links, the fallback of these, and their records.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use ampls_probes::endpoint::ExpectedRecord;

use super::Around;
use super::like::Like;
use super::state::{Answer, Source, State};
use crate::diagnose::facts::{EndpointFacts, Facts, Linked, Route};
use crate::text::quote;

/// Where a name is answered.
struct Place {
    server: SocketAddr,
    is_azure: bool,
    linked: Linked,
    /// Whether the link falls back to public DNS, where that is known.
    falls_back: Option<bool>,
}

/// What a change makes of an answer.
type Make<'z> = dyn Fn(&Place, &EndpointFacts<'_>, &Answer) -> Answer + 'z;

/// The zone is linked where the servers of this machine resolve.
pub(super) fn link(facts: &Facts<'_>, state: &mut State, zone: &str, like: Option<&Like<'_>>) {
    let records = state.records.clone();
    let holds = |name: &EndpointFacts<'_>| match (records.get(name.fqdn()), like) {
        (Some(addresses), _) if addresses.is_empty() => Answer::denied(),
        (Some(addresses), _) => Answer::recorded(facts, addresses.clone()),
        (None, Some(like)) => like.zone_answer(facts, zone, name),
        (None, None) => Answer::Unknown("nothing shows what the zone holds: give --like or --facts".to_owned()),
    };
    let seen = State::new(facts, &Around::default());
    of_names(facts, state, &|name| is_in(name, zone), &|at, name, is| {
        // A link that was removed and comes back: what led past the zone before leads past it again. Whoever leads every name
        // past its zone may lead this one past the new zone too.
        if at.linked == Linked::No && seen.leads_past(zone, at.server, name.fqdn()) {
            return past(at);
        }
        if at.linked == Linked::No && seen.leads_past_every_zone(facts, at.server) {
            let why = format!("`{}` leads other names past the zones that are linked, and may do so here", at.server);
            return Answer::Unknown(why);
        }
        linked(at, zone, is, &|| holds(name))
    });
    of_links(facts, state, zone, |is_azure, linked, falls_back| {
        if linked == Linked::No && is_azure {
            *falls_back = Some(false);
            return Linked::Yes;
        }
        if linked == Linked::No { Linked::Unknown } else { linked }
    });
}

/// The link is removed.
pub(super) fn unlink(facts: &Facts<'_>, state: &mut State, zone: &str) {
    of_names(facts, state, &|name| is_in(name, zone), &|at, _, is| unlinked(at, is));
    of_links(facts, state, zone, |_, linked, falls_back| {
        *falls_back = None;
        if linked == Linked::Yes { Linked::No } else { linked }
    });
}

/// The links fall back to public DNS for names that the zone lacks, or do not.
pub(super) fn fall_back(facts: &Facts<'_>, state: &mut State, zone: &str, on: bool) {
    of_names(facts, state, &|name| is_in(name, zone), &|at, _, is| with_fallback(at, on, is));
    of_links(facts, state, zone, |_, linked, falls_back| {
        *falls_back = (linked == Linked::Yes).then_some(on);
        linked
    });
}

/// The zone of the name holds these addresses, or no record of it.
pub(super) fn record(facts: &Facts<'_>, state: &mut State, record: &ExpectedRecord) {
    let shared = sharing(facts, record);
    let touches = |name: &EndpointFacts<'_>| shared.contains(name.fqdn());
    of_names(facts, state, &touches, &|at, _, is| recorded(facts, at, &record.addresses, is));
    state.records.extend(shared.iter().map(|name| ((*name).to_owned(), record.addresses.clone())));
}

/// The names that a record is of: many names share one record, whichever of them it is called by.
pub(super) fn sharing<'f>(facts: &'f Facts<'_>, record: &ExpectedRecord) -> BTreeSet<&'f str> {
    let of_record = || facts.ampls_endpoints().filter(|name| record.is_of(name.endpoint));
    let aliases: BTreeSet<&str> = of_record().filter_map(|name| name.endpoint.alias.as_deref()).collect();
    let is_shared = |name: &&EndpointFacts<'_>| name.endpoint.alias.as_deref().is_some_and(|it| aliases.contains(it));
    let shared = facts.ampls_endpoints().filter(is_shared);
    of_record().chain(shared).map(|name| name.endpoint.fqdn.as_str()).collect()
}

fn is_in(name: &EndpointFacts<'_>, zone: &str) -> bool {
    name.endpoint.zone.as_deref() == Some(zone)
}

/// A change counts where the servers of the name resolve. Whether any other server resolves there too cannot be seen.
fn of_names(facts: &Facts<'_>, state: &mut State, touches: &dyn Fn(&EndpointFacts<'_>) -> bool, make: &Make<'_>) {
    for name in facts.ampls_endpoints().filter(|name| touches(name)) {
        let fqdn = name.fqdn();
        let zone = name.endpoint.zone.as_deref().unwrap_or_default();
        let asked = state.order(fqdn).to_vec();
        state.touched.insert(fqdn.to_owned());
        for (server, of_server) in &mut state.servers {
            let linked = of_server.linked.get(zone).copied().unwrap_or(Linked::Unknown);
            let falls_back = of_server.falls_back.get(zone).copied();
            let at = Place { server: *server, is_azure: of_server.is_azure, linked, falls_back };
            let Some(is) = of_server.names.get_mut(fqdn) else { continue };
            let changed = make(&at, name, is);
            if asked.contains(server) {
                *is = changed;
            } else if changed != *is {
                *is = Answer::Unknown(format!("whether the change counts where `{server}` resolves cannot be seen"));
            }
        }
    }
}

/// What becomes of the links of a zone, and of what is known of their fallback.
fn of_links(
    facts: &Facts<'_>,
    state: &mut State,
    zone: &str,
    make: impl Fn(bool, Linked, &mut Option<bool>) -> Linked,
) {
    let names = facts.ampls_endpoints().filter(|name| is_in(name, zone));
    let asked: BTreeSet<SocketAddr> = names.flat_map(|name| state.order(name.fqdn())).copied().collect();
    for (server, of_server) in &mut state.servers {
        let mut falls_back = of_server.falls_back.remove(zone);
        let Some(linked) = of_server.linked.get_mut(zone) else { continue };
        let (was, known) = (*linked, falls_back);
        *linked = make(of_server.is_azure, was, &mut falls_back);
        if !asked.contains(server) && (*linked, falls_back) != (was, known) {
            (*linked, falls_back) = (Linked::Unknown, None);
        }
        if let Some(falls_back) = falls_back {
            of_server.falls_back.insert(zone.to_owned(), falls_back);
        }
    }
}

fn linked(at: &Place, zone: &str, is: &Answer, holds: &dyn Fn() -> Answer) -> Answer {
    let server = at.server;
    match at.linked {
        // A zone of the server's own, or the same zone already.
        Linked::Yes | Linked::Local => is.clone(),
        Linked::Unknown => {
            Answer::Unknown(format!("it cannot be seen whether the zone is linked where `{server}` resolves"))
        }
        Linked::No if !at.is_azure => {
            let suffix = zone.trim_start_matches("privatelink.");
            Answer::Unknown(format!(
                "it cannot be seen whether `{server}` asks Azure's DNS for {}; if it is known to, give --change {} instead",
                quote(suffix),
                quote(&format!("forward {server} {suffix}=168.63.129.16"))
            ))
        }
        Linked::No => match is {
            Answer::Leads { source: Source::Own, .. } => own(at),
            // A name that public DNS denies has no alias that could lead into the zone.
            Answer::Leads { route: Route::Private | Route::None, .. } => is.clone(),
            Answer::Leads { .. } => holds(),
            Answer::Silent => Answer::Silent,
            Answer::Unknown(why) => still_unknown(why),
        },
    }
}

/// Behind the public name stands an alias that goes on in public DNS, or there would be no private record of it.
fn unlinked(at: &Place, is: &Answer) -> Answer {
    if let Some(unknown) = unseen(at, is) {
        return unknown;
    }
    match is {
        Answer::Leads { source: Source::Zone, .. } => Answer::public(),
        _ => is.clone(),
    }
}

fn with_fallback(at: &Place, on: bool, is: &Answer) -> Answer {
    if let Some(unknown) = unseen(at, is) {
        return unknown;
    }
    match (at.linked, is) {
        (Linked::Yes, Answer::Leads { route: Route::None, addresses, source: Source::Zone })
            if on && addresses.is_empty() =>
        {
            Answer::fallback()
        }
        (Linked::Yes, Answer::Leads { source: Source::Fallback, .. }) if on => is.clone(),
        (Linked::Yes, Answer::Leads { source: Source::Fallback, .. }) if at.is_azure => Answer::denied(),
        (Linked::Yes, Answer::Leads { route: Route::Public, source, .. }) if *source != Source::Zone => past(at),
        _ => is.clone(),
    }
}

fn recorded(facts: &Facts<'_>, at: &Place, given: &[IpAddr], is: &Answer) -> Answer {
    if let Some(unknown) = unseen(at, is) {
        return unknown;
    }
    let Answer::Leads { route, addresses, source } = is else { return is.clone() };
    if at.linked != Linked::Yes {
        return is.clone();
    }
    // Whether the public name is led into the zone at all shows only where Azure's DNS itself falls back.
    let passes = *source == Source::Zone || (*source == Source::Fallback && at.is_azure);
    match at.falls_back {
        _ if !passes => past(at),
        _ if !given.is_empty() => {
            // The zone holds an IPv6 address of it too, which stays.
            let stays = |address: &&IpAddr| *route == Route::Mixed && address.is_ipv6();
            let kept = addresses.iter().filter(stays).filter(|_| given.iter().all(IpAddr::is_ipv4));
            Answer::recorded(facts, given.iter().chain(kept).copied().collect())
        }
        Some(true) => Answer::fallback(),
        Some(false) => Answer::denied(),
        None => Answer::Unknown("it cannot be seen whether the link falls back to public DNS".to_owned()),
    }
}

/// What a change of the zone gives is not known where an answer comes from somewhere that the SOA does not show, or where
/// the answer or the link was not known before.
fn unseen(at: &Place, is: &Answer) -> Option<Answer> {
    let unknown = |why: &str| Some(Answer::Unknown(why.to_owned()));
    match (at.linked, is) {
        (Linked::Local, _) | (_, Answer::Silent) => None,
        (_, Answer::Unknown(why)) => Some(still_unknown(why)),
        (_, Answer::Leads { source: Source::Unseen, .. }) => {
            unknown("it is answered out of a private zone, although none shows where its server resolves")
        }
        (_, Answer::Leads { source: Source::Own, .. }) => Some(own(at)),
        (Linked::Unknown, Answer::Leads { .. }) => unknown("it cannot be seen whether the zone is linked there"),
        (Linked::Yes | Linked::No, Answer::Leads { .. }) => None,
    }
}

fn past(at: &Place) -> Answer {
    Answer::Unknown(format!("it cannot be seen why `{}` leads past a zone that is linked", at.server))
}

fn own(at: &Place) -> Answer {
    Answer::Unknown(format!("`{}` seems to answer it by a rule of its own or of a filter", at.server))
}

/// What was not known before is not known after a change that touches it.
fn still_unknown(why: &str) -> Answer {
    Answer::Unknown(format!("{why}, so what the change gives is not known"))
}
