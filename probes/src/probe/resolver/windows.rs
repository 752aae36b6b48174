//! Windows: the DNS servers of its adapters, its search list, and the rules that send some names elsewhere.
//!
//! The running system tells which adapters are up; of a disk the registry names every adapter that ever was.
//! Source: <https://learn.microsoft.com/troubleshoot/windows-client/networking/tcpip-and-nbt-configuration-parameters>

use std::net::{IpAddr, Ipv6Addr};

use super::{Servers, nrpt, sockets};
use crate::observation::{AdapterServers, ReadFailure, ResolverConfig, ServerRole};
use crate::os::{self, Adapter};
use crate::read;
use crate::registry::{Keys, Registry};
use crate::world::{Network, World};

/// IPv4 and IPv6 keep their settings apart.
const PARAMETERS: [&str; 2] = [
    r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters",
    r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters",
];
/// Policies of the DNS client.
const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient";
/// Adapters that are kept.
const ADAPTERS: usize = 256;

pub(super) fn configuration(
    world: &World,
    registry: &dyn Registry,
    servers: &mut Servers,
) -> Result<ResolverConfig, ReadFailure> {
    let mut keys = Keys::new(registry);
    let rules = nrpt::rules(&mut keys);
    for address in rules.iter().flat_map(|rule| &rule.servers) {
        servers.add(*address, ServerRole::Rule);
    }
    let own = world.root == os::root() && matches!(world.network, Network::Real);
    let (source, adapters) = match own.then(os::adapters).flatten() {
        Some(Ok(adapters)) => {
            ("network adapters", adapters.into_iter().map(|adapter| of_system(adapter, &mut keys)).collect())
        }
        Some(Err(error)) => match of_registry(&mut keys) {
            adapters if adapters.is_empty() => return Err(read::failure(&error)),
            adapters => (PARAMETERS[0], adapters),
        },
        None => (PARAMETERS[0], of_registry(&mut keys)),
    };
    let adapters = usable(adapters);
    for address in adapters.iter().flat_map(|adapter| &adapter.servers) {
        servers.add(*address, ServerRole::Configured);
    }
    let search = search(&mut keys);
    let one_adapter_at_a_time = keys.number(POLICY, "DisableSmartNameResolution").is_some_and(|number| number != 0);
    Ok(ResolverConfig {
        source: source.to_owned(),
        search,
        ndots: 1,
        rules,
        adapters,
        one_adapter_at_a_time,
        unread: keys.into_unread(),
        ..ResolverConfig::default()
    })
}

fn of_system(adapter: Adapter, keys: &mut Keys<'_>) -> AdapterServers {
    let suffix = suffix(keys, &format!(r"{}\Interfaces\{}", PARAMETERS[0], adapter.id));
    let (name, servers) = (adapter.name, adapter.servers);
    AdapterServers { name, metric: Some(adapter.metric), servers, by_dhcp: false, suffix }
}

/// The suffix that is set by hand goes before that of DHCP.
fn suffix(keys: &mut Keys<'_>, key: &str) -> Option<String> {
    let suffix = keys.text(key, "Domain").or_else(|| keys.text(key, "DhcpDomain"))?;
    let suffix = suffix.trim_matches('.').to_ascii_lowercase();
    (!suffix.is_empty()).then_some(suffix)
}

/// Servers that are set by hand go before those of DHCP, adapter by adapter.
fn of_registry(keys: &mut Keys<'_>) -> Vec<AdapterServers> {
    let mut adapters: Vec<AdapterServers> = Vec::new();
    for parameters in PARAMETERS {
        let interfaces = format!(r"{parameters}\Interfaces");
        for id in keys.keys(&interfaces) {
            let key = format!(r"{interfaces}\{id}");
            let by_hand = keys.list(&key, "NameServer", &[',', ' ', ';']);
            let by_dhcp = by_hand.is_empty();
            let named = if by_dhcp { keys.list(&key, "DhcpNameServer", &[',', ' ']) } else { by_hand };
            let servers = sockets(&named);
            if servers.is_empty() {
                continue;
            }
            if let Some(known) = adapters.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&id)) {
                known.servers.extend(servers);
                continue;
            }
            let metric = keys.number(&key, "InterfaceMetric").and_then(|metric| u32::try_from(metric).ok());
            if adapters.len() < ADAPTERS {
                let suffix = suffix(keys, &key);
                adapters.push(AdapterServers { name: id, metric, servers, by_dhcp, suffix });
            }
        }
    }
    adapters.sort_by_key(|adapter| adapter.metric.unwrap_or(u32::MAX));
    adapters
}

/// Adapters without servers do not decide anything.
fn usable(mut adapters: Vec<AdapterServers>) -> Vec<AdapterServers> {
    for adapter in &mut adapters {
        adapter.servers.retain(|server| !is_placeholder(server.ip()));
    }
    adapters.retain(|adapter| !adapter.servers.is_empty());
    adapters
}

/// Windows lists `fec0:0:0:ffff::1` to `::3` where no IPv6 server is configured: deprecated site-local addresses that
/// nobody answers (RFC 3879).
fn is_placeholder(server: IpAddr) -> bool {
    let IpAddr::V6(server) = server else { return false };
    (1..=3).any(|last| server == Ipv6Addr::new(0xfec0, 0, 0, 0xffff, 0, 0, 0, last))
}

/// A policy goes before the machine's own list; without a list the machine's own domain is appended.
fn search(keys: &mut Keys<'_>) -> Vec<String> {
    for key in [POLICY, PARAMETERS[0]] {
        let list = keys.list(key, "SearchList", &[',', ' ']);
        if !list.is_empty() {
            return list.into_iter().map(|domain| domain.trim_matches('.').to_ascii_lowercase()).collect();
        }
    }
    let domain = keys.text(PARAMETERS[0], "Domain").or_else(|| keys.text(PARAMETERS[0], "DhcpDomain"));
    domain.into_iter().map(|domain| domain.trim_matches('.').to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Value;
    use crate::registry::memory::Memory;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn configured(values: &[(&str, &str, Value)]) -> (ResolverConfig, Vec<(String, Vec<ServerRole>)>) {
        let registry = Memory::of(values);
        let world = World::from_system(Some(std::path::Path::new("/nonexistent")), None);
        let mut servers = Servers::default();
        let config = configuration(&world, registry.as_ref(), &mut servers).unwrap();
        (config, servers.0.iter().map(|server| (server.address.to_string(), server.roles.clone())).collect())
    }

    const A: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{a}";
    const B: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{b}";
    const A6: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters\Interfaces\{A}";

    #[test]
    fn servers_set_by_hand_go_before_those_of_dhcp_and_the_lowest_metric_first() {
        let (config, servers) = configured(&[
            (A, "NameServer", text("")),
            (A, "DhcpNameServer", text("168.63.129.16 10.0.0.9")),
            (A6, "NameServer", text("fd00::53,fec0:0:0:ffff::1")),
            (B, "NameServer", text("10.0.0.4,10.0.0.5")),
            (B, "DhcpNameServer", text("10.0.0.6")),
            (B, "InterfaceMetric", Value::Number(10)),
            (B, "DhcpDomain", text("dhcp.example")),
            (A, "DhcpDomain", text("dhcp.example")),
            (A, "Domain", text("Own.example.")),
        ]);
        let suffixes: Vec<_> = config.adapters.iter().map(|adapter| adapter.suffix.as_deref()).collect();
        assert_eq!(suffixes, [Some("dhcp.example"), Some("own.example")]);
        let names: Vec<_> = servers.iter().map(|(address, _)| address.as_str()).collect();
        assert_eq!(names, ["10.0.0.4:53", "10.0.0.5:53", "168.63.129.16:53", "10.0.0.9:53", "[fd00::53]:53"]);
        let by_dhcp: Vec<_> = config.adapters.iter().map(|adapter| (adapter.name.as_str(), adapter.by_dhcp)).collect();
        assert_eq!(by_dhcp, [("{b}", false), ("{a}", true)]);
    }

    #[test]
    fn policy_of_suffixes_goes_before_the_machines_own_and_that_before_its_domain() {
        let own = (PARAMETERS[0], "SearchList", text("corp.example,Example.org."));
        let domain = (PARAMETERS[0], "Domain", text("ad.example"));
        let policy = (POLICY, "SearchList", text("policy.example"));
        assert_eq!(configured(&[policy, own.clone(), domain.clone()]).0.search, ["policy.example"]);
        assert_eq!(configured(&[own, domain.clone()]).0.search, ["corp.example", "example.org"]);
        assert_eq!(configured(&[domain]).0.search, ["ad.example"]);
    }

    #[test]
    fn policy_keeps_windows_from_asking_all_adapters_at_once() {
        let of = |number| configured(&[(POLICY, "DisableSmartNameResolution", Value::Number(number))]).0;
        assert!(of(1).one_adapter_at_a_time && !of(0).one_adapter_at_a_time);
        assert!(!configured(&[]).0.one_adapter_at_a_time);
    }

    #[test]
    fn server_of_a_rule_is_asked_for_its_names_only() {
        let rule = r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters\DnsPolicyConfig\{1}";
        let (config, servers) = configured(&[
            (A, "NameServer", text("10.0.0.4")),
            (rule, "Name", Value::List(vec![".monitor.azure.com".to_owned()])),
            (rule, "ConfigOptions", Value::Number(8)),
            (rule, "GenericDNSServers", text("10.9.0.4;10.0.0.4")),
        ]);
        assert_eq!(servers[0], ("10.9.0.4:53".to_owned(), vec![ServerRole::Rule]));
        assert_eq!(servers[1], ("10.0.0.4:53".to_owned(), vec![ServerRole::Configured, ServerRole::Rule]));
        assert_eq!(config.rules.len(), 1);
    }

    #[test]
    fn site_local_placeholders_are_no_servers() {
        assert!(is_placeholder("fec0:0:0:ffff::2".parse().unwrap()));
        assert!(!is_placeholder("fd00::2".parse().unwrap()));
        assert!(!is_placeholder("10.0.0.4".parse().unwrap()));
    }
}
