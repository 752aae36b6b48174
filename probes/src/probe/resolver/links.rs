//! The links of systemd-resolved, as its own files and networkd's tell them.
//!
//! What was set over the bus (by `NetworkManager`, by VPN clients) resolved keeps in files of its own, to read them again when it
//! is restarted (`link_save_user` in `resolved-link.c`). Of links that networkd manages, networkd's state holds the same
//! (`link_save` in `networkd-state-file.c`). Both are lists of assignments.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};

use super::DNS_PORT;
use crate::observation::{LinkServers, ReadFailure, Unread, UnreadReason};
use crate::read::{self, Links};
use crate::world::World;

/// Files of resolved itself, by the number of the interface.
const OF_RESOLVED: &str = "/run/systemd/resolve/netif";
/// Files of networkd, in the same form.
const OF_NETWORKD: &str = "/run/systemd/netif/links";
/// Such a file has some twenty lines.
const LIMIT: u64 = 64 * 1024;
/// Machines with containers have hundreds of links; those with servers are few.
const MOST: usize = 512;

/// The links that have servers, by the number of their interface. networkd's word counts for those that it manages. What is there
/// and cannot be read is added to `unread`.
pub(super) fn read(world: &World, unread: &mut Vec<Unread>) -> Vec<LinkServers> {
    let mut links = BTreeMap::new();
    for (name, text) in [OF_RESOLVED, OF_NETWORKD].into_iter().flat_map(|folder| files(world, folder, unread)) {
        let Ok(interface) = name.parse() else { continue };
        let link = parse(interface, &text);
        if !link.servers.is_empty() {
            links.insert(interface, link);
        }
    }
    links.into_values().collect()
}

/// The regular files of a folder by name, with what they hold. What is there and cannot be read is added to `unread`.
pub(super) fn files(world: &World, folder: &str, unread: &mut Vec<Unread>) -> Vec<(String, String)> {
    let mut failed = |path: &str, failure| {
        if !matches!(failure, ReadFailure::Missing | ReadFailure::NotAFile) {
            unread.push(Unread { path: path.to_owned(), why: UnreadReason::Failed(failure) });
        }
    };
    let listed = world.readable(folder).and_then(|place| fs::read_dir(place).map_err(|error| read::failure(&error)));
    let entries = match listed {
        Ok(entries) => entries.flatten().take(MOST),
        Err(failure) => {
            failed(folder, failure);
            return Vec::new();
        }
    };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    let mut files = Vec::new();
    for name in names {
        let path = format!("{folder}/{name}");
        match world.readable(&path).and_then(|place| read::contents(&place, Links::Refuse, LIMIT)) {
            Ok(contents) => files.push((name, String::from_utf8_lossy(&contents.bytes).into_owned())),
            Err(failure) => failed(&path, failure),
        }
    }
    files
}

fn parse(interface: u32, text: &str) -> LinkServers {
    let mut link = LinkServers { interface, ..LinkServers::default() };
    let (mut default_route, mut route_only) = (None, false);
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let words = value.trim_matches('"').split_whitespace();
        match key {
            "SERVERS" | "DNS" => link.servers.extend(words.filter_map(server)),
            "DOMAINS" | "ROUTE_DOMAINS" => {
                for word in words {
                    let domain = word.strip_prefix('~');
                    let only_routes = domain.is_some() || key == "ROUTE_DOMAINS";
                    let name = bare(domain.unwrap_or(word));
                    route_only |= only_routes && name != ROOT;
                    link.domains.push(name);
                }
            }
            "DEFAULT_ROUTE" | "DNS_DEFAULT_ROUTE" => default_route = Some(value.trim() == "yes"),
            _ => {}
        }
    }
    // `dns_scope_is_default_route` of resolved: a domain that only routes is the sign of a link for some names alone.
    link.default_route = default_route.unwrap_or(!route_only);
    link
}

/// What stands for every name.
const ROOT: &str = ".";

/// A domain in lower case, without dots at its ends.
pub(super) fn bare(domain: &str) -> String {
    let name = domain.trim_matches('.');
    if name.is_empty() { ROOT.to_owned() } else { name.to_ascii_lowercase() }
}

/// `10.0.0.4`, `10.0.0.4:53`, `[fd00::4]:53`, each perhaps with `%interface` and `#name`.
pub(super) fn server(word: &str) -> Option<SocketAddr> {
    let word = word.split(['#', '%']).next().unwrap_or_default();
    if let Ok(address) = word.parse::<IpAddr>() {
        return Some(SocketAddr::new(address, DNS_PORT));
    }
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::ResolverConfig;

    const AZURE: &str = "# This is private data. Do not parse.\nLLMNR=yes\nDEFAULT_ROUTE=no\nSERVERS=168.63.129.16\n\
                         DOMAINS=~monitor.azure.com ~opinsights.azure.com\n";
    const VPN: &str =
        "OPER_STATE=routable\nDNS=10.8.0.1:53#dns.corp.example [fd00::8]:5353\nDOMAINS=corp.example\nROUTE_DOMAINS=.\n";

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn files_of_resolved_and_of_networkd_are_read() {
        let azure = parse(2, AZURE);
        assert_eq!((azure.interface, azure.default_route), (2, false));
        assert_eq!(azure.servers, [at("168.63.129.16:53")]);
        assert_eq!(azure.domains, ["monitor.azure.com", "opinsights.azure.com"]);
        let vpn = parse(3, VPN);
        assert_eq!(vpn.servers, [at("10.8.0.1:53"), at("[fd00::8]:5353")]);
        assert_eq!(
            (vpn.domains.as_slice(), vpn.default_route),
            (&["corp.example".to_owned(), ".".to_owned()][..], true)
        );
        assert_eq!(parse(4, "nonsense\n=\nSERVERS=x 300.1.1.1\n").servers, []);
    }

    #[test]
    fn a_link_with_domains_that_only_route_takes_nothing_else() {
        assert!(!parse(1, "SERVERS=10.0.0.4\nDOMAINS=~a.example\n").default_route);
        assert!(parse(1, "SERVERS=10.0.0.4\nDOMAINS=a.example\n").default_route);
        assert!(parse(1, "SERVERS=10.0.0.4\nDOMAINS=~.\n").default_route);
    }

    #[test]
    fn names_are_asked_where_the_longest_domain_is() {
        let config = ResolverConfig { links: vec![parse(2, AZURE), parse(3, VPN)], ..ResolverConfig::default() };
        let (azure, vpn) = (at("168.63.129.16:53"), at("10.8.0.1:53"));
        for (name, of_azure, of_vpn) in [
            ("api.monitor.azure.com", true, false),
            ("monitor.azure.com", true, false),
            ("xmonitor.azure.com", false, true),
            ("host.corp.example", false, true),
        ] {
            assert_eq!((config.asks(azure, name), config.asks(vpn, name)), (of_azure, of_vpn), "{name}");
        }
        let without = ResolverConfig { links: vec![parse(2, AZURE)], ..ResolverConfig::default() };
        assert!(without.asks(vpn, "host.corp.example"), "a server of no link is the stub's own");
        assert!(!without.asks(azure, "host.corp.example"));
        assert!(ResolverConfig::default().asks(vpn, "api.monitor.azure.com"));
    }
}
