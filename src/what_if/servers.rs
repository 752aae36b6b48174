//! Changes of servers: a conditional forwarder, and other servers for the machine.

use std::net::SocketAddr;

use super::like::Like;
use super::state::{Answer, ServerState, Source, State};
use crate::diagnose::command::Zone;
use crate::diagnose::facts::{EndpointFacts, Facts, Linked, Route};

/// The machine asks these servers.
pub(super) fn ask(facts: &Facts<'_>, like: Option<&Like<'_>>, state: &mut State, servers: &[SocketAddr]) {
    for server in servers {
        if !state.servers.contains_key(server) {
            let of_server = elsewhere(facts, like, state, *server);
            state.servers.insert(*server, of_server);
        }
    }
    state.ask(facts, servers);
}

/// Names below the suffix are asked of the target.
pub(super) fn forward(
    facts: &Facts<'_>,
    like: Option<&Like<'_>>,
    state: &mut State,
    (server, suffix, target): (SocketAddr, &str, SocketAddr),
) {
    let before = state.clone();
    for name in facts.ampls_endpoints() {
        let fqdn = name.fqdn();
        let below_alias = name.endpoint.alias.as_deref().is_some_and(|alias| below(alias, suffix));
        if !below(fqdn, suffix) && !below_alias {
            continue;
        }
        if !before.order(fqdn).contains(&server) {
            unseen_path(state, fqdn, server);
        }
        let Some(of_server) = before.servers.get(&server) else { continue };
        let (Some(is), own_zone) = (of_server.names.get(fqdn), of_own_zone(facts, name, server)) else { continue };
        let answer = match is {
            // A dead server stays dead, and a zone of its own stands above its forwarders.
            Answer::Silent => continue,
            _ if own_zone == Some(true) => continue,
            _ if !below(fqdn, suffix) || own_zone == Some(false) => Answer::Unknown(format!(
                "whether `{server}` follows an alias into a zone that it forwards or holds cannot be seen"
            )),
            Answer::Unknown(why) => Answer::Unknown(format!("{why}, so what the change gives is not known")),
            Answer::Leads { route: Route::None, addresses, .. } if !addresses.is_empty() => {
                Answer::Unknown(format!("whether `{server}` itself leads it nowhere cannot be seen"))
            }
            Answer::Leads { source: Source::Own, .. } => Answer::Unknown(format!(
                "`{server}` seems to answer it by a rule of its own or of a filter, which may go before"
            )),
            Answer::Leads { .. } if leads_past(of_server, name) => {
                Answer::Unknown(format!("`{server}` may have a forwarder for this name alone, which would go before"))
            }
            Answer::Leads { .. } => given(like, &before, name, (server, target)),
        };
        state.answer(server, fqdn, answer);
    }
    if let Some(of_server) = state.servers.get_mut(&server) {
        let zones =
            of_server.linked.iter_mut().filter(|(zone, linked)| below(zone, suffix) && **linked != Linked::Local);
        for (zone, linked) in zones {
            *linked = Linked::Unknown;
            of_server.falls_back.remove(zone);
        }
    }
}

/// What the target answers the server.
fn given(
    like: Option<&Like<'_>>,
    state: &State,
    name: &EndpointFacts<'_>,
    (server, target): (SocketAddr, SocketAddr),
) -> Answer {
    let fqdn = name.fqdn();
    let target_is_azure = Facts::is_azure_dns(target);
    // What Azure's DNS answers depends on the network that asks: the server's, not this machine's.
    let own = name.view_of(target).filter(|_| !target_is_azure).and_then(|_| state.servers.get(&target));
    let answer = match own.and_then(|of_target| of_target.names.get(fqdn)) {
        Some(own) => own.clone(),
        None => of_other_machine(like, state, fqdn, target).unwrap_or_else(|| {
            let where_from = if target_is_azure { format!(" in the network of `{server}`") } else { String::new() };
            Answer::Unknown(format!("no report holds what `{target}` answers{where_from}"))
        }),
    };
    match answer {
        // The server may well reach what this machine cannot.
        Answer::Silent => silent(target),
        Answer::Leads { route, addresses, source: Source::Zone | Source::Fallback } => {
            Answer::Leads { route, addresses, source: Source::Unseen }
        }
        known => known,
    }
}

/// What a server answers that other machine, which knows nothing of changes that were made before.
fn of_other_machine(like: Option<&Like<'_>>, state: &State, fqdn: &str, server: SocketAddr) -> Option<Answer> {
    let answer = like?.server_answer(server, fqdn)?;
    if state.touched.contains(fqdn) {
        let why = format!("whether the change before it counts where `{server}` resolves cannot be seen");
        return Some(Answer::Unknown(why));
    }
    Some(if answer == Answer::Silent { silent(server) } else { answer })
}

fn silent(server: SocketAddr) -> Answer {
    Answer::Unknown(format!("`{server}` does not answer the machine of the report"))
}

/// Whether the server leads a name past a linked zone of which it leads others into theirs.
fn leads_past(of_server: &ServerState, name: &EndpointFacts<'_>) -> bool {
    let zone = name.endpoint.zone.as_deref().unwrap_or_default();
    let is_past = of_server.names.get(name.fqdn()).is_some_and(|is| {
        matches!(is, Answer::Leads { route: Route::Public, source: Source::Elsewhere | Source::Fallback, .. })
    });
    let leads_into = || of_server.names.values().any(|is| matches!(is, Answer::Leads { source: Source::Zone, .. }));
    of_server.linked.get(zone) == Some(&Linked::Yes) && is_past && leads_into()
}

/// Whether a zone of the server's own holds the name; or else the alias behind it, which a forwarder may or may not come to.
/// `None` where it has no such zone.
fn of_own_zone(facts: &Facts<'_>, name: &EndpointFacts<'_>, server: SocketAddr) -> Option<bool> {
    let zone = name.endpoint.zone.as_deref().unwrap_or_default();
    let is_local = facts.linked(zone, server) == Linked::Local;
    is_local.then(|| name.view_of(server).is_some_and(|view| view.cname.is_empty()))
}

/// The servers of the machine may or may not ask the one that forwards.
fn unseen_path(state: &mut State, fqdn: &str, server: SocketAddr) {
    for asked in state.order(fqdn).to_vec() {
        let is = state.servers.get(&asked).and_then(|of_server| of_server.names.get(fqdn));
        if is.is_some_and(|is| *is != Answer::Silent) {
            let why = format!("whether `{asked}` asks `{server}` cannot be seen");
            state.answer(asked, fqdn, Answer::Unknown(why));
        }
    }
}

/// Whether a name is a suffix's own or below it.
pub(super) fn below(name: &str, suffix: &str) -> bool {
    Zone::new(suffix).is_some_and(|suffix| suffix.covers(name))
}

/// What a server says that this machine does not use now.
fn elsewhere(facts: &Facts<'_>, like: Option<&Like<'_>>, state: &State, server: SocketAddr) -> ServerState {
    let of = |name: &EndpointFacts<'_>| {
        let like = like.filter(|_| !Facts::is_azure_dns(server));
        let given = of_other_machine(like, state, name.fqdn(), server);
        given.unwrap_or_else(|| Answer::Unknown(format!("no report holds what `{server}` answers")))
    };
    ServerState {
        names: facts.ampls_endpoints().map(|name| (name.fqdn().to_owned(), of(name))).collect(),
        ..ServerState::default()
    }
}
