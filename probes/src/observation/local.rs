//! What this machine's own files and interfaces say.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, Timing};

/// The machine that looked.
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Host name.
    pub name: String,
    /// Operating system and its version, e.g. `Debian GNU/Linux 12`.
    pub os: String,
    /// Architecture, e.g. `x86_64`.
    pub arch: String,
    /// Addresses of the interfaces that are up, loopback left out.
    pub interfaces: Vec<Interface>,
    /// There is a route for global IPv4 addresses, or an interface with an address that is not link-local.
    pub has_ipv4: bool,
    /// There is a route for global IPv6 addresses.
    pub has_ipv6: bool,
    /// The system resolver is not the one agents use (static musl builds ignore nsswitch).
    pub resolver_is_not_the_systems: bool,
    /// It is a container: its files are not those of the machine it runs on.
    #[serde(default)]
    pub container: bool,
}

impl Machine {
    /// It runs Windows, or its disk holds Windows.
    pub fn is_windows(&self) -> bool {
        self.os.to_ascii_lowercase().contains("windows")
    }
}

/// An address of an interface with its prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Name of the interface.
    pub name: String,
    /// The interface's own address with its prefix length.
    pub address: IpNet,
}

/// The resolver configuration: `resolv.conf` on Unix, the adapters on Windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolver {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What it says.
    #[serde(flatten)]
    pub outcome: Outcome<ResolverConfig, ReadFailure>,
    /// The servers that are asked: configured ones first, in the system's order.
    pub servers: Vec<Server>,
}

/// How this machine asks.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of resolv.conf that is set or not")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolverConfig {
    /// Where it was read: a path below the root that was examined.
    pub source: String,
    /// `search` or `domain`.
    pub search: Vec<String>,
    /// `options ndots:`
    pub ndots: u32,
    /// `options timeout:` in seconds.
    pub timeout_s: u32,
    /// `options attempts:`
    pub attempts: u32,
    /// `options rotate`
    pub rotate: bool,
    /// `options edns0`: announces a larger UDP size; without it answers over 512 bytes are truncated.
    pub edns0: bool,
    /// `options use-vc`: TCP only.
    pub use_vc: bool,
    /// Servers that are configured but never used: those beyond the third (`MAXNS` of glibc).
    #[serde(default)]
    pub unused_servers: Vec<IpAddr>,
    /// A local stub (systemd-resolved, 127.0.0.53) stands between programs and the upstream servers.
    pub stub: bool,
    /// The links of that stub: which servers each has, and for which names they are asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkServers>,
    /// Rules of Windows' name resolution policy table that are in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<NameRule>,
    /// Adapters of Windows that have DNS servers, those with the lowest metric first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adapters: Vec<AdapterServers>,
    /// A policy keeps Windows from asking the servers of all adapters at once (smart multi-homed name resolution).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_adapter_at_a_time: bool,
    /// Lines that make no sense, by number, 1-based.
    pub bad_lines: Vec<u32>,
    /// Files and keys that decide which servers are asked and could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
}

/// A rule of the name resolution policy table (NRPT): names that Windows asks other servers for than those of its adapters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRule {
    /// Its key in the registry.
    pub source: String,
    /// The names, lower case: `.suffix`, `a.whole.name`, or `.` for all.
    pub namespaces: Vec<String>,
    /// The servers that are asked for them; empty where the rule sets none.
    pub servers: Vec<SocketAddr>,
}

/// An adapter of Windows and its DNS servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdapterServers {
    /// Its name, or its id where only the registry was read.
    pub name: String,
    /// The lowest goes first; `None` where Windows works it out itself.
    pub metric: Option<u32>,
    /// Its servers, in its order.
    pub servers: Vec<SocketAddr>,
    /// DHCP gave them.
    pub by_dhcp: bool,
    /// The suffix of its own that is appended to names of one label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

/// A link of systemd-resolved or of `NetworkManager`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkServers {
    /// The number of its interface.
    pub interface: u32,
    /// Its servers.
    pub servers: Vec<SocketAddr>,
    /// Domains whose names are asked of these servers, lower case, without `~` and trailing dot; the root is `.`.
    pub domains: Vec<String>,
    /// It takes names that no link has a domain for.
    pub default_route: bool,
}

impl Resolver {
    /// Whether this machine asks one of its servers for a name: where a rule of Windows names the servers of the name, those
    /// alone; a server of rules for nothing else; one behind a stub for the names that the stub brings there. What is not
    /// known counts as asked.
    pub fn asks(&self, server: SocketAddr, name: &str) -> bool {
        let Some(config) = self.outcome.seen() else { return true };
        if let Some(rule) = config.rule_of(name) {
            return rule.servers.contains(&server);
        }
        let has = |role| self.servers.iter().any(|known| known.address == server && known.roles.contains(&role));
        has(ServerRole::Configured) || (has(ServerRole::Upstream) && config.asks(server, name))
    }
}

impl ResolverConfig {
    /// Whether the stub asks a server for a name. Of the links those with the longest domain that holds the name are asked, and
    /// those that take all others where there is none; what is known of no link at all is asked for everything.
    /// Source: systemd-resolved.service(8), *Protocols and routing*
    pub fn asks(&self, server: SocketAddr, name: &str) -> bool {
        let of_link = |link: &&LinkServers| link.servers.contains(&server);
        let Some(longest) = self.links.iter().filter_map(|link| link.holds(name)).max() else {
            let mut own = self.links.iter().filter(of_link).peekable();
            return own.peek().is_none() || own.any(|link| link.default_route);
        };
        self.links.iter().filter(of_link).any(|link| link.holds(name) == Some(longest))
    }
}

impl ResolverConfig {
    /// The rule that redirects a name: that of the whole name, else that of the longest suffix. One without servers leaves the
    /// name to the adapters.
    /// Source: <https://learn.microsoft.com/windows-server/networking/dns/queries-lookups#name-resolution-policy-table>
    pub fn rule_of(&self, name: &str) -> Option<&NameRule> {
        let held = |rule: &&NameRule| rule.holds(name);
        // Of two that hold it alike the first one counts.
        let strongest = self.rules.iter().filter(|rule| rule.holds(name).is_some()).rev().max_by_key(held)?;
        (!strongest.servers.is_empty()).then_some(strongest)
    }
}

impl NameRule {
    /// How much of a name the longest of its namespaces holds; a whole name counts more than every suffix.
    fn holds(&self, name: &str) -> Option<usize> {
        let weight = |namespace: &String| match namespace.as_str() {
            "." => Some(0),
            whole if whole == name => Some(usize::MAX),
            suffix if suffix.starts_with('.') && (name.ends_with(suffix) || suffix.get(1..) == Some(name)) => {
                Some(suffix.len())
            }
            _ => None,
        };
        self.namespaces.iter().filter_map(weight).max()
    }
}

impl LinkServers {
    /// How many labels the longest of its domains has that holds a name.
    fn holds(&self, name: &str) -> Option<usize> {
        let within = |domain: &&String| {
            domain.as_str() == "."
                || name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let labels = |domain: &String| domain.split('.').filter(|label| !label.is_empty()).count();
        self.domains.iter().filter(within).map(labels).max()
    }
}

/// A DNS server and why it is asked. One server may be asked for several reasons.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Server {
    /// Address and port.
    pub address: SocketAddr,
    /// Why it is asked, in the order of [`ServerRole`].
    pub roles: Vec<ServerRole>,
}

/// Why a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerRole {
    /// This machine's resolver configuration names it and the resolver uses it (glibc: the first three).
    Configured,
    /// It stands behind a local stub.
    Upstream,
    /// Azure's own DNS, 168.63.129.16.
    Azure,
    /// `--resolver`
    Extra,
    /// A rule of Windows' name resolution policy table asks it for the names of the rule, and for no others.
    Rule,
}

impl ServerRole {
    /// Programs of this machine get answers from such a server.
    pub fn is_used(self) -> bool {
        matches!(self, Self::Configured | Self::Upstream | Self::Rule)
    }
}

/// The hosts file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hosts {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What it says.
    #[serde(flatten)]
    pub outcome: Outcome<HostsFile, ReadFailure>,
    /// The file, or the key of the registry that says where it lies, that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

/// The lines of a hosts file that concern the endpoints of this run; nothing else of it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostsFile {
    /// Where it was read.
    pub source: String,
    /// The entries, in the file's order.
    pub entries: Vec<HostsEntry>,
    /// The file was longer than is read.
    pub truncated: bool,
}

/// A line of the hosts file that names an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostsEntry {
    /// Line number, 1-based.
    pub line: u32,
    /// The address.
    pub address: IpAddr,
    /// The endpoint's name, lower case.
    pub name: String,
}

/// The largest packets of this machine's interfaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mtu {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// Those that are up, by name, without loopback.
    #[serde(flatten)]
    pub outcome: Outcome<Vec<InterfaceMtu>, ReadFailure>,
}

/// The largest packet of one interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceMtu {
    /// Name of the interface.
    pub interface: String,
    /// In octets, with the IP header.
    pub mtu: u32,
}

/// A file that says less than it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The path on the examined system.
    pub path: String,
    /// Why.
    pub why: UnreadReason,
}

/// Why a file says less than it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnreadReason {
    /// It could not be opened or read.
    Failed(ReadFailure),
    /// A symbolic link stands on its way below the user's home.
    Link,
    /// It is longer than is read: only this many octets (of a folder: entries) were looked at.
    LongerThan(u64),
    /// It is not what it should be: no JSON, another shape.
    NotUnderstood,
}

/// Why a local source could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadFailure {
    /// It is not there.
    Missing,
    /// It needs more rights.
    NotPermitted,
    /// It is not a regular file.
    NotAFile,
    /// Any other failure of the platform.
    Code(Option<i32>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(namespaces: &[&str], server: Option<&str>) -> NameRule {
        NameRule {
            source: namespaces.concat(),
            namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
            servers: server.map(|server| format!("{server}:53").parse().unwrap()).into_iter().collect(),
        }
    }

    #[test]
    fn longest_namespace_decides_and_a_whole_name_before_it() {
        let config = ResolverConfig {
            rules: vec![
                rule(&["."], Some("10.0.0.1")),
                rule(&[".azure.com"], Some("10.0.0.2")),
                rule(&[".monitor.azure.com", ".x"], Some("10.0.0.3")),
                rule(&["api.monitor.azure.com"], Some("10.0.0.4")),
                rule(&[".opinsights.azure.com"], None),
            ],
            ..ResolverConfig::default()
        };
        for (name, server) in [
            ("api.monitor.azure.com", Some("10.0.0.4:53")),
            ("b.api.monitor.azure.com", Some("10.0.0.3:53")),
            ("monitor.azure.com", Some("10.0.0.3:53")),
            ("notmonitor.azure.com", Some("10.0.0.2:53")),
            ("example.org", Some("10.0.0.1:53")),
            ("a.ods.opinsights.azure.com", None),
        ] {
            let found = config.rule_of(name).and_then(|rule| rule.servers.first()).map(ToString::to_string);
            assert_eq!(found.as_deref(), server, "{name}");
        }
        assert_eq!(ResolverConfig::default().rule_of("a"), None);
    }
}
