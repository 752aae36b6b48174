//! The name resolution policy table (NRPT) of Windows: which names are asked of other servers than those of the adapters.
//!
//! Sources: <https://learn.microsoft.com/openspecs/windows_protocols/ms-gpnrpt/>,
//! <https://learn.microsoft.com/powershell/module/dnsclient/add-dnsclientnrptrule>

use super::sockets;
use crate::observation::NameRule;
use crate::registry::Keys;

/// Rules of a group policy. If there are any, those of the machine itself are not in force.
const OF_POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient\DnsPolicyConfig";
const OWN: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters\DnsPolicyConfig";
/// `ConfigOptions`: the rule names servers of its own.
const GENERIC_SERVERS: u64 = 0x8;
/// Rules that are kept, and namespaces of one rule.
const RULES: usize = 256;
const NAMESPACES: usize = 256;

/// The rules in force, in the registry's order.
pub(super) fn rules(keys: &mut Keys<'_>) -> Vec<NameRule> {
    for table in [OF_POLICY, OWN] {
        let ids = keys.keys(table);
        if !ids.is_empty() {
            return ids.iter().take(RULES).filter_map(|id| rule(keys, format!(r"{table}\{id}"))).collect();
        }
    }
    Vec::new()
}

fn rule(keys: &mut Keys<'_>, source: String) -> Option<NameRule> {
    let names = keys.list(&source, "Name", &[';']);
    let namespaces: Vec<String> = names.into_iter().filter_map(|name| namespace(&name)).take(NAMESPACES).collect();
    let options = keys.number(&source, "ConfigOptions").unwrap_or_default();
    let listed = keys.list(&source, "GenericDNSServers", &[';', ',']);
    let servers = if options & GENERIC_SERVERS == 0 { Vec::new() } else { sockets(&listed) };
    (!namespaces.is_empty()).then_some(NameRule { source, namespaces, servers })
}

/// `.` for all, `.suffix`, or a whole name. One label alone is the beginning of names, which no name of Azure has.
fn namespace(name: &str) -> Option<String> {
    let name = name.trim().to_ascii_lowercase();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    (plain && name.contains('.')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Value;
    use crate::registry::memory::Memory;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn read(values: &[(&str, &str, Value)]) -> Vec<(String, Vec<String>, Vec<String>)> {
        let registry = Memory::of(values);
        let rules = rules(&mut Keys::new(registry.as_ref()));
        rules
            .into_iter()
            .map(|rule| {
                let id = rule.source.rsplit('\\').next().unwrap_or_default().to_owned();
                (id, rule.namespaces, rule.servers.iter().map(ToString::to_string).collect())
            })
            .collect()
    }

    #[test]
    fn policy_hides_the_machines_own_rules() {
        let (policy, own) = (format!(r"{OF_POLICY}\Rule1"), format!(r"{OWN}\{{b}}"));
        let of = |key, server| {
            [
                (key, "Name", text(".azure.com")),
                (key, "ConfigOptions", Value::Number(8)),
                (key, "GenericDNSServers", text(server)),
            ]
        };
        let both = [of(policy.as_str(), "10.0.0.1"), of(own.as_str(), "10.0.0.2")].concat();
        assert_eq!(read(&both), [("Rule1".to_owned(), vec![".azure.com".to_owned()], vec!["10.0.0.1:53".to_owned()])]);
        assert_eq!(read(&of(own.as_str(), "10.0.0.2"))[0].2, ["10.0.0.2:53"]);
    }

    #[test]
    fn servers_count_only_where_the_rule_says_so() {
        let key = format!(r"{OWN}\1");
        let rule = |options| {
            read(&[
                (&key, "Name", Value::List(vec![".A.example".to_owned(), "b.example".to_owned(), "host".to_owned()])),
                (&key, "ConfigOptions", Value::Number(options)),
                (&key, "GenericDNSServers", text("10.0.0.1; fd00::1;nonsense")),
            ])
            .remove(0)
        };
        assert_eq!(rule(0xa).1, [".a.example", "b.example"]);
        assert_eq!(rule(0xa).2, ["10.0.0.1:53", "[fd00::1]:53"]);
        assert!(rule(2).2.is_empty(), "DNSSEC alone redirects nothing");
    }

    #[test]
    fn rule_without_names_is_none() {
        let key = format!(r"{OWN}\1");
        assert_eq!(read(&[(&key, "ConfigOptions", Value::Number(8))]), []);
        assert_eq!(read(&[]), []);
    }
}
