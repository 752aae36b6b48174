//! A report reduced to what does not change by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ampls_probes::addr::{Class, classify};
use ampls_probes::json;
use ampls_probes::observation::{ChainVerdict, HostsEntry, Observation, Resolver, ServerRole};
use ipnet::IpNet;
use serde::Serialize;

use super::LOOKED_AT;
use crate::diagnose::facts::{Route, ViewKind};
use crate::report::{EndpointReport, Report, TlsReport};

/// Which part of the comparison a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Verdict,
    Endpoints,
    Servers,
    Host,
}

/// The name of one value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) section: Section,
    pub(super) subject: String,
    /// Values of one subject are listed in the order of a connection, not of the alphabet.
    pub(super) order: u8,
    pub(super) what: String,
}

impl Key {
    /// Whether the value is a detail that is missing where its subject is missing.
    pub(super) fn is_detail(&self) -> bool {
        self.section == Section::Endpoints && self.order == DETAIL
    }

    /// The key that shows that the endpoint was looked at.
    pub(super) fn of_presence(&self) -> Self {
        Self { order: 0, what: LOOKED_AT.to_owned(), ..self.clone() }
    }
}

/// The place of the details of a handshake.
const DETAIL: u8 = 9;

/// The values of a report. Of single servers only those in `shared` are shown: what a server answered that the other machine never
/// asked does not count as a difference beyond the list of servers.
pub(super) fn picture(report: &Report, shared: &BTreeSet<SocketAddr>) -> BTreeMap<Key, String> {
    let mut values = Values(BTreeMap::new());
    values.put(Section::Verdict, "", 0, "route", Some(word(&report.verdict.route)));
    values.put(Section::Verdict, "", 1, "health", Some(word(&report.verdict.health)));
    for one in &report.endpoints {
        endpoint(one, shared, &report.observations.asked.private_ranges, &mut values);
    }
    servers(report, shared, &mut values);
    host(report, &mut values);
    values.0
}

struct Values(BTreeMap<Key, String>);

impl Values {
    fn put(&mut self, section: Section, subject: &str, order: u8, what: &str, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let key = Key { section, subject: subject.to_owned(), order, what: what.to_owned() };
            self.0.insert(key, value);
        }
    }
}

fn endpoint(endpoint: &EndpointReport, shared: &BTreeSet<SocketAddr>, ranges: &[IpNet], values: &mut Values) {
    let name = match endpoint.port {
        443 => endpoint.fqdn.clone(),
        port => format!("{}:{port}", endpoint.fqdn),
    };
    let mut put =
        |order: u8, what: &str, value: Option<String>| values.put(Section::Endpoints, &name, order, what, value);
    put(0, LOOKED_AT, Some("yes".to_owned()));
    put(1, "need", Some(word(&endpoint.need)));
    put(2, "route", Some(word(&endpoint.route)));
    put(3, "addresses", Some(comparable(endpoint.route, &endpoint.addresses, ranges)));
    for view in &endpoint.views {
        let (who, order) = match (view.view, view.server) {
            (ViewKind::System, _) => ("this machine".to_owned(), 4),
            (_, Some(server)) if shared.contains(&server) => (place(server), 5),
            _ => continue,
        };
        put(order, &format!("{who}: answer"), Some(word(&view.status)));
        if order == 5 {
            put(order, &format!("{who}: route"), Some(word(&view.route)));
            put(order, &format!("{who}: addresses"), Some(comparable(view.route, &view.addresses, ranges)));
        }
    }
    put(6, "reachable", Some(endpoint.reachable.map_or("not tried".to_owned(), |yes| yes_or_no(yes).to_owned())));
    if let Some(tcp) = &endpoint.tcp {
        let connected = tcp.iter().find(|attempt| attempt.is_connected());
        let shown = connected.map_or(tcp.as_slice(), std::slice::from_ref);
        let outcomes: BTreeSet<_> = shown.iter().map(|attempt| attempt.outcome.as_str()).collect();
        let outcomes: Vec<_> = outcomes.into_iter().collect();
        put(7, "tcp", Some(outcomes.join(", ")));
        put(7, "through proxy", tcp.iter().find_map(|attempt| attempt.via.clone()));
    }
    if let Some(tls) = &endpoint.tls {
        put(8, "tls", Some(tls.outcome.to_string()));
        put(DETAIL, "tls version", tls.version.clone());
        put(DETAIL, "tls verified", tls.version.as_ref().map(|_| yes_or_no(tls.verified).to_owned()));
        put(DETAIL, "certificate issued by", issuer(tls));
        if let Some(verification) = &tls.verification {
            put(DETAIL, "chain, for this machine", Some(word(&verification.machine)));
            put(DETAIL, "chain, for the system itself", verification.system.map(|said| word(&said)));
            put(DETAIL, "certificate's name", Some(word(&verification.name)));
            put(DETAIL, "certificate's validity", Some(word(&verification.validity)));
        }
    }
    if let Some(http) = &endpoint.http {
        let status = http.status.map_or_else(|| http.outcome.to_string(), |status| status.to_string());
        put(DETAIL + 1, "http", Some(status));
    }
}

/// The addresses. Public ones change from one answer to the next: it only counts that there are some.
fn comparable(route: Route, addresses: &[IpAddr], ranges: &[IpNet]) -> String {
    const SOME: &str = "public ones";
    if route == Route::Public {
        return SOME.to_owned();
    }
    let rotates = |address: &IpAddr| route == Route::Mixed && classify(*address, ranges) == Class::Public;
    let kept: BTreeSet<&IpAddr> = addresses.iter().filter(|address| !rotates(address)).collect();
    let mut shown: Vec<String> = kept.iter().map(ToString::to_string).collect();
    shown.extend(addresses.iter().any(rotates).then(|| SOME.to_owned()));
    shown.join(", ")
}

/// The issuer, unless the chain leads to a public root: services change between the authorities below it.
fn issuer(tls: &TlsReport) -> Option<String> {
    match tls.verification.as_ref().map(|verification| &verification.public) {
        Some(ChainVerdict::Trusted) => Some("an authority below the public roots".to_owned()),
        _ => tls.issuer.clone(),
    }
}

fn servers(report: &Report, shared: &BTreeSet<SocketAddr>, values: &mut Values) {
    let listed = |role: ServerRole| {
        let servers = report.servers.iter().filter(|server| server.roles.contains(&role));
        servers.map(|server| place(server.address)).collect::<Vec<_>>().join(", ")
    };
    for (order, role) in
        [ServerRole::Configured, ServerRole::Upstream, ServerRole::Extra, ServerRole::Rule].into_iter().enumerate()
    {
        let order = u8::try_from(order).unwrap_or(u8::MAX);
        values.put(Section::Servers, "", order, &word(&role), Some(listed(role)));
    }
    for fact in report.zones.iter().filter(|fact| shared.contains(&fact.server)) {
        let subject = place(fact.server);
        values.put(Section::Servers, &subject, 0, &format!("{} linked", fact.zone), Some(word(&fact.linked)));
    }
}

fn host(report: &Report, values: &mut Values) {
    let host = &report.host;
    let observations = &report.observations;
    let mut put = |subject: &str, what: &str, value: Option<String>| values.put(Section::Host, subject, 0, what, value);
    put("machine", "system", Some(host.os.clone()));
    put("machine", "architecture", Some(host.arch.clone()));
    put("machine", "environment", Some(word(&host.environment)));
    put("machine", "IPv4 route", Some(yes_or_no(observations.machine.has_ipv4).to_owned()));
    put("machine", "IPv6 route", Some(yes_or_no(observations.machine.has_ipv6).to_owned()));
    if let Some(azure) = &host.azure {
        put("machine", "cloud", azure.cloud.clone());
        put("machine", "region", azure.region.clone());
        put("machine", "subnet", azure.subnet.clone());
    }
    let asked = &observations.asked;
    put("run", "expect", Some(word(&asked.expect)));
    put("run", "rules", (!report.run.rules.is_empty()).then(|| word(&report.run.rules)));
    put("run", "complete", Some(yes_or_no(report.run.complete).to_owned()));
    put("run", "cloud asked for", Some(asked.cloud.clone()));
    put("run", "region asked for", asked.region.clone());
    let ranges: BTreeSet<String> = asked.private_ranges.iter().map(ToString::to_string).collect();
    put("run", "private ranges", Some(ranges.into_iter().collect::<Vec<_>>().join(", ")));
    put("run", "own public roots", Some(yes_or_no(asked.public_roots_given).to_owned()));
    for seen in &observations.seen {
        match seen {
            Observation::Resolver(config) => resolver(config, &mut put),
            Observation::Hosts(hosts) => {
                let entries = hosts.outcome.seen().map(|file| file.entries.as_slice()).unwrap_or_default();
                put("hosts file", "entries", Some(hosts_entries(entries)));
            }
            _ => {}
        }
    }
    for proxy in &report.proxies {
        put("proxies", &format!("{}, set in {}", proxy.url, proxy.source), Some("used".to_owned()));
    }
}

fn resolver(resolver: &Resolver, put: &mut impl FnMut(&str, &str, Option<String>)) {
    let Some(config) = resolver.outcome.seen() else { return };
    let mut options = vec![
        format!("ndots:{}", config.ndots),
        format!("timeout:{}", config.timeout_s),
        format!("attempts:{}", config.attempts),
    ];
    for (name, set) in
        [("rotate", config.rotate), ("edns0", config.edns0), ("use-vc", config.use_vc), ("a local stub", config.stub)]
    {
        options.extend(set.then(|| name.to_owned()));
    }
    put("resolver", "options", Some(options.join(" ")));
    put("resolver", "search", Some(config.search.join(" ")));
}

fn hosts_entries(entries: &[HostsEntry]) -> String {
    let entries: BTreeSet<String> = entries.iter().map(|entry| format!("{} {}", entry.address, entry.name)).collect();
    entries.into_iter().collect::<Vec<_>>().join(", ")
}

/// A server as people name it: the port only where it is not DNS's own.
fn place(server: SocketAddr) -> String {
    if server.port() == 53 { server.ip().to_string() } else { server.to_string() }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// A value as the report writes it.
pub(super) fn word(value: &impl Serialize) -> String {
    match json::value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
