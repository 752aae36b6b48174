//! Changes of servers: a conditional forwarder, and other servers for the machine.

use std::net::SocketAddr;

use ampls_probes::addr;

use super::like::Like;
use super::state::{Answer, ServerState, State, answer};
use crate::diagnose::facts::{EndpointFacts, Facts};

/// The machine asks these servers.
pub(super) fn ask(facts: &Facts<'_>, like: Option<&Like<'_>>, state: &mut State, servers: &[SocketAddr]) {
    for server in servers {
        state.servers.entry(*server).or_insert_with(|| elsewhere(facts, like, *server));
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
    let target_is_azure = target == addr::AZURE_DNS;
    let given = |name: &EndpointFacts<'_>| -> Answer {
        // What Azure's DNS answers depends on the network that asks: the server's, not this machine's.
        let own = if target_is_azure { None } else { name.view_of(target).map(|_| answer(facts, name, target)) };
        own.or_else(|| like.and_then(|like| like.server_answer(target, name.fqdn()))).unwrap_or_else(|| {
            let where_from = if target_is_azure { format!("in the network of `{server}`") } else { String::new() };
            Answer::Unknown(format!("no report holds what `{target}` answers {where_from}").trim_end().to_owned())
        })
    };
    let Some(of_server) = state.servers.get_mut(&server) else { return };
    for name in facts.ampls_endpoints() {
        let Some(is) = of_server.names.get_mut(name.fqdn()) else { continue };
        if below(name.fqdn(), suffix) {
            *is = given(name);
        } else if name.endpoint.alias.as_deref().is_some_and(|alias| below(alias, suffix)) {
            *is = Answer::Unknown(format!(
                "whether `{server}` follows an alias into a zone that it forwards cannot be seen"
            ));
        }
    }
}

/// Whether a name is a suffix's own or below it.
pub(super) fn below(name: &str, suffix: &str) -> bool {
    name == suffix || name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'))
}

/// What a server says that this machine does not use now.
fn elsewhere(facts: &Facts<'_>, like: Option<&Like<'_>>, server: SocketAddr) -> ServerState {
    let of = |name: &EndpointFacts<'_>| {
        let given = like.filter(|_| server != addr::AZURE_DNS).and_then(|like| like.server_answer(server, name.fqdn()));
        given.unwrap_or_else(|| Answer::Unknown(format!("no report holds what `{server}` answers")))
    };
    ServerState {
        names: facts.ampls_endpoints().map(|name| (name.fqdn().to_owned(), of(name))).collect(),
        ..ServerState::default()
    }
}
