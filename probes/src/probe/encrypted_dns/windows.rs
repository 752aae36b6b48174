//! DNS over HTTPS of Windows itself: a policy for the machine, and templates for servers of single adapters. Read as it is set;
//! whether it is in effect is not seen.
//!
//! Sources: <https://learn.microsoft.com/windows-server/networking/dns/doh-client-support>,
//! <https://learn.microsoft.com/windows/client-management/mdm/policy-csp-admx-dnsclient>

use std::net::IpAddr;

use crate::observation::{EncryptedResolver, ServerTemplate};
use crate::registry::Keys;

const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient";
const ADAPTERS: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\InterfaceSpecificParameters";
const KNOWN: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters\DohWellKnownServers";
/// Servers that are kept.
const SERVERS: usize = 32;
/// Characters of a template that are kept.
const TEMPLATE_LIMIT: usize = 1000;

/// `DoHPolicy`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Unset,
    Prohibit,
    Allow,
    Require,
}

/// `servers` are the machine's own.
pub(super) fn read(keys: &mut Keys<'_>, servers: &[IpAddr]) -> Option<EncryptedResolver> {
    let policy = match keys.number(POLICY, "DoHPolicy") {
        Some(1) => Policy::Prohibit,
        Some(2) => Policy::Allow,
        Some(3) => Policy::Require,
        _ => Policy::Unset,
    };
    if policy == Policy::Prohibit {
        return None;
    }
    let (set, source) = of_adapters(keys);
    let mut encrypted: Vec<IpAddr> =
        set.into_iter().filter(|server| servers.is_empty() || servers.contains(server)).collect();
    if policy != Policy::Unset {
        // What a policy allows or requires is done where Windows knows a server's template.
        let known = keys.keys(KNOWN);
        let known = servers.iter().filter(|server| known.iter().any(|known| known.parse() == Ok(**server)));
        encrypted.extend(known.filter(|server| !encrypted.contains(server)).copied().collect::<Vec<_>>());
    }
    let templates = encrypted.iter().take(SERVERS).filter_map(|server| template(keys, *server)).collect();
    let strict = policy == Policy::Require;
    if encrypted.is_empty() && !strict {
        return None;
    }
    let (setting, source) = match policy {
        Policy::Require => ("DoHPolicy=3", POLICY.to_owned()),
        Policy::Allow => ("DoHPolicy=2", POLICY.to_owned()),
        _ => ("DohFlags", source.unwrap_or_else(|| ADAPTERS.to_owned())),
    };
    Some(EncryptedResolver {
        service: "Windows DNS client".to_owned(),
        source,
        setting: setting.to_owned(),
        strict,
        servers: encrypted.iter().take(SERVERS).map(ToString::to_string).collect(),
        in_use: true,
        zones: Vec::new(),
        templates,
    })
}

/// The template of a server: the one that an adapter has for it, else the one that Windows knows.
fn template(keys: &mut Keys<'_>, server: IpAddr) -> Option<ServerTemplate> {
    let family = if server.is_ipv4() { "Doh" } else { "Doh6" };
    let of_adapter = |adapter: String| format!(r"{ADAPTERS}\{adapter}\DohInterfaceSettings\{family}\{server}");
    let mut places: Vec<_> = keys.keys(ADAPTERS).into_iter().map(|key| (of_adapter(key), "DohTemplate")).collect();
    places.push((format!(r"{KNOWN}\{server}"), "Template"));
    let found = places.into_iter().find_map(|(key, value)| keys.text(&key, value).filter(|text| !text.is_empty()));
    Some(ServerTemplate { server, template: found?.chars().take(TEMPLATE_LIMIT).collect() })
}

/// Servers for which a template is switched on, and the first adapter's key.
fn of_adapters(keys: &mut Keys<'_>) -> (Vec<IpAddr>, Option<String>) {
    let (mut servers, mut source) = (Vec::new(), None);
    for adapter in keys.keys(ADAPTERS) {
        for family in ["Doh", "Doh6"] {
            let folder = format!(r"{ADAPTERS}\{adapter}\DohInterfaceSettings\{family}");
            for name in keys.keys(&folder) {
                let key = format!(r"{folder}\{name}");
                let Ok(server) = name.parse() else { continue };
                if keys.number(&key, "DohFlags").unwrap_or_default() != 0 && !servers.contains(&server) {
                    servers.push(server);
                    source.get_or_insert(key);
                }
            }
        }
    }
    (servers, source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Value;
    use crate::registry::memory::Memory;

    const SERVER: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\InterfaceSpecificParameters\{a}\DohInterfaceSettings\Doh\10.0.0.4";

    fn found(values: &[(&str, &str, Value)]) -> Option<(String, bool, Vec<String>)> {
        let registry = Memory::of(values);
        let servers = ["10.0.0.4".parse().unwrap(), "8.8.8.8".parse().unwrap()];
        let found = read(&mut Keys::new(registry.as_ref()), &servers)?;
        Some((found.setting, found.strict, found.servers))
    }

    fn policy(number: u64) -> (&'static str, &'static str, Value) {
        (POLICY, "DoHPolicy", Value::Number(number))
    }

    #[test]
    fn policy_that_requires_it_is_strict_whatever_the_servers() {
        assert_eq!(found(&[policy(3)]), Some(("DoHPolicy=3".to_owned(), true, Vec::new())));
    }

    #[test]
    fn policy_that_allows_it_needs_a_server_whose_template_is_known() {
        assert_eq!(found(&[policy(2)]), None);
        let known = format!(r"{KNOWN}\8.8.8.8");
        let template = (known.as_str(), "Template", Value::Text("https://dns.google/dns-query".to_owned()));
        assert_eq!(found(&[policy(2), template]), Some(("DoHPolicy=2".to_owned(), false, vec!["8.8.8.8".to_owned()])));
    }

    #[test]
    fn adapter_sets_it_unless_a_policy_prohibits_it() {
        let on = (SERVER, "DohFlags", Value::Number(1));
        assert_eq!(found(std::slice::from_ref(&on)), Some(("DohFlags".to_owned(), false, vec!["10.0.0.4".to_owned()])));
        assert_eq!(found(&[on, policy(1)]), None);
        assert_eq!(found(&[(SERVER, "DohFlags", Value::Number(0))]), None);
    }
}
