//! `NetworkManager`'s own files: which servers its dnsmasq asks, and for which names.
//!
//! Only the keys named here are read. The profiles hold passwords too; nothing else of them is kept.
//! Source: NetworkManager.conf(5), *global-dns section*; nm-settings-keyfile(5); `nm-dns-dnsmasq.c`

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::links::{self, files};
use crate::observation::{LinkServers, Unread};
use crate::read::ini;
use crate::world::World;

/// The state of each device that it manages, by the number of its interface.
const DEVICES: &str = "/run/NetworkManager/devices";
/// Stored profiles, and those that last until the next start.
const PROFILES: [&str; 2] = ["/etc/NetworkManager/system-connections", "/run/NetworkManager/system-connections"];
/// Later ones count more, and a file in `/etc` hides one of the same name.
const SETTINGS: [&str; 2] = ["/usr/lib/NetworkManager/conf.d", "/etc/NetworkManager/conf.d"];
/// The number of no interface: settings of the whole machine.
const EVERYWHERE: u32 = 0;

/// The links that have servers, by interface. The machine's own settings replace what the links have. What decides them and cannot
/// be read is added to `unread`.
pub(super) fn read(world: &World, unread: &mut Vec<Unread>) -> Vec<LinkServers> {
    let global = global(world, unread);
    if !global.is_empty() {
        return global;
    }
    let mut refused = Vec::new();
    let profiles = profiles(world, &mut refused);
    let mut links = Vec::new();
    for (name, text) in files(world, DEVICES, unread) {
        let Ok(interface) = name.parse() else { continue };
        let Some(uuid) = value(&text, "device", "connection-uuid") else { continue };
        match profiles.get(&uuid) {
            Some(link) if link.servers.is_empty() => {}
            Some(link) => links.push(LinkServers { interface, ..link.clone() }),
            // The profiles are root's own: one that is in use may be among those that this user may not read.
            None => unread.append(&mut refused),
        }
    }
    links.sort_by_key(|link| link.interface);
    links
}

fn profiles(world: &World, unread: &mut Vec<Unread>) -> BTreeMap<String, LinkServers> {
    let all = PROFILES.into_iter().flat_map(|folder| files(world, folder, unread));
    all.filter_map(|(_, text)| Some((value(&text, "connection", "uuid")?, profile(&text)))).collect()
}

fn profile(text: &str) -> LinkServers {
    let mut link = LinkServers::default();
    let mut only_routes = false;
    for section in ["ipv4", "ipv6"] {
        for word in words(text, section, "dns") {
            link.servers.extend(server(&word));
        }
        for word in words(text, section, "dns-search") {
            only_routes |= word.starts_with('~') && word != "~.";
            link.domains.push(domain(&word));
        }
    }
    link.domains.dedup();
    let never = ["ipv4", "ipv6"].iter().any(|it| value(text, it, "never-default").as_deref() == Some("true"));
    link.default_route = !never && !only_routes;
    link
}

/// `[global-dns-domain-*]` is for every name, `[global-dns-domain-example.com]` for those below it.
fn global(world: &World, unread: &mut Vec<Unread>) -> Vec<LinkServers> {
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    for folder in SETTINGS {
        settings.extend(files(world, folder, unread));
    }
    let mut links: BTreeMap<String, LinkServers> = BTreeMap::new();
    for text in settings.values() {
        for name in ini::headings(text).filter_map(|section| section.strip_prefix("global-dns-domain-")) {
            let section = format!("global-dns-domain-{name}");
            let servers: Vec<SocketAddr> =
                words(text, &section, "servers").iter().filter_map(|word| server(word)).collect();
            let everything = name == "*";
            let domains = if everything { Vec::new() } else { vec![domain(name)] };
            let link = LinkServers { interface: EVERYWHERE, servers, domains, default_route: everything };
            links.insert(name.to_owned(), link);
        }
    }
    // Without the section for every name the others are not used.
    if links.contains_key("*") {
        links.into_values().filter(|link| !link.servers.is_empty()).collect()
    } else {
        Vec::new()
    }
}

/// `~` marks a domain that only routes.
fn domain(word: &str) -> String {
    links::bare(word.trim_start_matches('~'))
}

/// As [`links::server`] reads it, perhaps as a URL; servers over TLS are `dns+tls://…` and not asked plain.
fn server(word: &str) -> Option<SocketAddr> {
    links::server(word.strip_prefix("dns+udp://").unwrap_or(word))
}

/// The last value of a key below a heading.
fn value(text: &str, heading: &str, key: &str) -> Option<String> {
    let set = ini::settings(text, heading).into_iter().rfind(|(name, _)| *name == key);
    set.map(|(_, value)| value.to_owned())
}

fn words(text: &str, section: &str, key: &str) -> Vec<String> {
    let value = value(text, section, key).unwrap_or_default();
    value.split([';', ',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn profile_tells_its_servers_and_domains_and_nothing_else() {
        let link = profile(
            "[connection]\nid=azure\nuuid=u1\n[wifi-security]\npsk=geheim\ndns=9.9.9.9;\n\
             [ipv4]\nmethod=auto\ndns=168.63.129.16;10.0.0.5;nonsense;\ndns-search=~monitor.azure.com;~Opinsights.azure.com.;\n",
        );
        assert_eq!(link.servers, [at("168.63.129.16:53"), at("10.0.0.5:53")]);
        assert_eq!(link.domains, ["monitor.azure.com", "opinsights.azure.com"]);
        assert!(!link.default_route);
        assert!(!format!("{link:?}").contains("geheim"));
        assert!(profile("[ipv4]\ndns=10.0.0.5;\ndns-search=corp.example;\n").default_route);
        assert!(!profile("[ipv4]\ndns=10.0.0.5;\nnever-default=true\n").default_route);
        assert_eq!(profile("[ipv6]\ndns=fd00::4;\n").servers, [at("[fd00::4]:53")]);
    }

    #[test]
    fn servers_may_have_names_and_ports_and_those_over_tls_are_left_out() {
        assert_eq!(server("10.0.0.4#dns.example"), Some(at("10.0.0.4:53")));
        assert_eq!(server("dns+udp://10.0.0.4:5353"), Some(at("10.0.0.4:5353")));
        assert_eq!(server("dns+tls://1.1.1.1"), None);
    }
}
