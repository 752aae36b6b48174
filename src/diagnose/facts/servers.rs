//! Which DNS servers this machine uses, and which of them actually resolve.

use std::collections::BTreeSet;

use super::{Answer, EndpointFacts, Facts, Linked, Server, ServerRole, SocketAddr, Status, View};

use ampls_probes::addr::AZURE_DNS;
use ampls_probes::observation::{Authority, ResolverConfig};

/// Who an SOA belongs to.
pub struct Authorities;

impl Authorities {
    /// An Azure private zone.
    pub fn private_zone(soa: &Authority) -> bool {
        super::zone::is_private(soa)
    }

    /// Microsoft's public DNS.
    pub fn microsoft(soa: &Authority) -> bool {
        super::zone::is_microsoft(soa)
    }
}

impl<'a> Facts<'a> {
    /// Every server that was asked, configured ones first, in the system's order.
    pub fn servers(&self) -> &'a [Server] {
        self.resolver.map_or(&[], |resolver| resolver.servers.as_slice())
    }

    /// How this machine asks.
    pub fn resolver_config(&self) -> Option<&'a ResolverConfig> {
        self.resolver.and_then(|resolver| resolver.outcome.seen())
    }

    /// The servers of the resolver configuration, in its order; with a local stub that is the stub. Where rules of Windows
    /// redirect every name of a private link, they are those of the rules.
    pub fn configured_servers(&self) -> Vec<SocketAddr> {
        let (of_rules, configured) = (self.with_role(ServerRole::Rule), self.with_role(ServerRole::Configured));
        let redirects = |name: &EndpointFacts<'_>| {
            self.resolver_config().is_some_and(|config| config.rule_of(name.fqdn()).is_some())
        };
        if of_rules.is_empty() {
            return configured;
        }
        let mut names = self.ampls_endpoints().peekable();
        if names.peek().is_some() && names.all(redirects) {
            return of_rules;
        }
        let more = of_rules.into_iter().filter(|server| !configured.contains(server));
        configured.iter().copied().chain(more).collect()
    }

    /// The servers behind a local stub.
    pub fn upstream_servers(&self) -> Vec<SocketAddr> {
        self.with_role(ServerRole::Upstream)
    }

    /// The servers that resolve for this machine: the configured ones, and for a local stub those behind it.
    pub fn resolving_servers(&self) -> Vec<SocketAddr> {
        self.resolving.clone()
    }

    /// Whether a server resolves for this machine.
    pub fn resolves(&self, server: SocketAddr) -> bool {
        self.resolving_set.contains(&server)
    }

    pub(super) fn find_resolving(&self) -> Vec<SocketAddr> {
        let upstream = self.upstream_servers();
        if upstream.is_empty() || self.stub_asks_others(&upstream) {
            return self.configured_servers();
        }
        let own = self.configured_servers().into_iter().filter(|server| !server.ip().is_loopback());
        let mut servers: Vec<_> = own.collect();
        let known: BTreeSet<SocketAddr> = servers.iter().copied().collect();
        let mut more = BTreeSet::new();
        servers.extend(upstream.into_iter().filter(|server| !known.contains(server) && more.insert(*server)));
        servers
    }

    /// The stub gets its private answers, the SOAs of private zones, and the denials of zones that are not Microsoft's, from none of the servers that its
    /// file lists. Such a file lists the servers of default routes only: a link with routing domains for these names has others.
    /// Source: systemd-resolved.service(8), `/run/systemd/resolve/resolv.conf`
    fn stub_asks_others(&self, upstream: &[SocketAddr]) -> bool {
        let own_zone = |soa: &Authority| !Authorities::microsoft(soa);
        let shows_link = |name: &EndpointFacts<'_>, server: SocketAddr| {
            let record = || name.record_view(server).is_some_and(View::is_private);
            let shows =
                |view: &View| view.is_private() || (view.denied() && view.authority.as_ref().is_some_and(own_zone));
            name.view_of(server).is_some_and(shows) || record()
        };
        let Some(stub) = self.stub() else { return false };
        // No cache keeps the SOA of a zone that nobody asks for.
        let linked =
            |server: SocketAddr| self.zones().iter().any(|fact| fact.server == server && fact.linked == Linked::Yes);
        if linked(stub) && !upstream.iter().any(|server| linked(*server)) {
            return true;
        }
        let shown = self.ampls_endpoints().filter(|name| shows_link(name, stub));
        let shown: Vec<_> = shown.collect();
        // One private answer that no server gives any more may as well be kept in the stub's cache.
        let denied = || shown.iter().any(|name| name.view_of(stub).is_some_and(View::denied));
        (shown.len() > 1 || denied())
            && shown.iter().all(|name| !upstream.iter().any(|server| shows_link(name, *server)))
    }

    /// A stub stands before the servers, and answers nothing of the names of a private link: it may as well ask other servers than
    /// its file lists.
    pub fn stub_tells_nothing(&self) -> bool {
        self.stub()
            .is_some_and(|stub| !self.ampls_endpoints().filter_map(|name| name.view_of(stub)).any(View::answered))
    }

    /// The stub on this machine behind which other servers stand.
    pub fn stub(&self) -> Option<SocketAddr> {
        let known = !self.upstream_servers().is_empty();
        self.configured_servers().into_iter().find(|server| known && server.ip().is_loopback())
    }

    /// The server that is asked first. The order of those behind a stub means nothing: the stub's own answer counts.
    pub fn first_server(&self) -> Option<SocketAddr> {
        self.configured_servers().first().copied()
    }

    /// The servers that some question goes to first: with `rotate` each of them, and what it denies is denied, for the next one
    /// is asked only where it does not answer. What the system got this time says nothing of the next time.
    /// Source: resolv.conf(5)
    pub fn first_servers(&self) -> Vec<SocketAddr> {
        let mut servers = self.configured_servers();
        if !self.resolver_config().is_some_and(|config| config.rotate) {
            servers.truncate(1);
        }
        servers
    }

    /// The server is one of several that some question goes to first.
    pub fn takes_turns(&self, server: SocketAddr) -> bool {
        let first = self.first_servers();
        first.len() > 1 && first.contains(&server)
    }

    /// Every question goes first to a server that is none of these, and that is right.
    pub fn shielded(&self, servers: &[SocketAddr], is_right: impl Fn(SocketAddr) -> bool) -> bool {
        let first = self.first_servers();
        !first.is_empty() && first.into_iter().all(|server| !servers.contains(&server) && is_right(server))
    }

    /// What it means that the first server is right and a later one is not. Windows moves a server that timed out behind the
    /// others, so the order is no shield there.
    /// Source: <https://learn.microsoft.com/troubleshoot/windows-server/networking/dns-client-resolution-timeouts>, and for the
    /// minutes Microsoft's KB 320760 (`ServerPriorityTimeLimit`)
    pub fn behind_the_first(&self) -> &'static str {
        if self.on_windows() {
            "; the first server asks the zones, but each time it is slow Windows asks this one, and goes on asking it first for up to 15 minutes"
        } else {
            "; it is not asked first, and the first server asks the zones: it answers when that one is slow"
        }
    }

    /// What `rotate` means for these servers; empty without it.
    pub fn in_turn(&self, servers: &[SocketAddr]) -> String {
        let turns = servers.iter().filter(|server| self.takes_turns(**server));
        let turns: Vec<String> = turns.map(|server| format!("`{server}`")).collect();
        match turns.as_slice() {
            [] => String::new(),
            _ => format!(
                "; `rotate` is set, so this goes for some questions, those that go to {} first",
                turns.join(" or ")
            ),
        }
    }

    /// The configured server is Azure's own.
    pub fn is_azure_dns(server: SocketAddr) -> bool {
        server == AZURE_DNS
    }

    /// Every question that a server was asked, with its status.
    pub fn asked_of(&self, server: SocketAddr) -> impl Iterator<Item = (&'a Answer, Status)> {
        let answers = self.answers_of.get(&server).map_or(&[][..], Vec::as_slice);
        answers.iter().map(|answer| (*answer, super::view::status(answer)))
    }

    fn with_role(&self, role: ServerRole) -> Vec<SocketAddr> {
        self.servers().iter().filter(|server| server.roles.contains(&role)).map(|server| server.address).collect()
    }
}
