//! The machine's own lookup: a stub resolver that behaves like glibc's `getaddrinfo` and asks the simulated servers.
//!
//! Hosts file first; then at most three configured servers in their order, on to the next on silence, SERVFAIL or REFUSED;
//! A and AAAA side by side; TCP after truncation; search domains after a denial.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ampls_probes::observation::{Found, LookupFailure, ResolverConfig, Transport};
use ampls_probes::world::{Boxed, Families, Route, Routes, SystemResolver, receive};
use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// glibc uses the first three `nameserver` lines.
/// Source: resolv.conf(5), `MAXNS`
const MAX_SERVERS: usize = 3;

/// A resolver like glibc's.
pub(crate) struct Glibc {
    pub(crate) routes: Arc<Routes>,
    pub(crate) servers: Vec<SocketAddr>,
    /// Rules of Windows name other servers for some names.
    pub(crate) rules: ResolverConfig,
    pub(crate) timeout: Duration,
    pub(crate) attempts: u32,
    /// It asks with EDNS (`options edns0`).
    pub(crate) edns0: bool,
    pub(crate) search: Vec<String>,
    pub(crate) hosts: BTreeMap<String, Vec<IpAddr>>,
    pub(crate) cached: BTreeMap<String, Vec<IpAddr>>,
    /// IPv6 addresses come first where the machine can use them (RFC 6724).
    pub(crate) ipv6: bool,
}

/// Why one question has no addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Denied,
    NoData,
    Unanswered,
}

impl SystemResolver for Glibc {
    fn lookup<'a>(&'a self, name: &'a str, families: Families) -> Boxed<'a, Result<Found, LookupFailure>> {
        Box::pin(self.resolve(name, families))
    }
}

impl Glibc {
    async fn resolve(&self, name: &str, families: Families) -> Result<Found, LookupFailure> {
        let absolute = name.ends_with('.');
        let name = name.trim_end_matches('.').to_lowercase();
        if let Some(addresses) = self.hosts.get(&name).or_else(|| self.cached.get(&name)) {
            return Ok(Found { addresses: addresses.clone(), canonical: None, more: 0 });
        }
        let failure = match self.found(&name, families).await {
            Ok(found) => return Ok(found),
            Err(failure) => failure,
        };
        if failure == LookupFailure::NotFound && !absolute {
            for suffix in &self.search {
                let full = format!("{name}.{suffix}");
                if let Ok(found) = self.found(&full, families).await {
                    return Ok(Found { canonical: found.canonical.or(Some(full)), ..found });
                }
            }
        }
        Err(failure)
    }

    async fn found(&self, name: &str, families: Families) -> Result<Found, LookupFailure> {
        if families == Families::V4First {
            match self.ask(name, RecordType::A).await {
                Ok((addresses, canonical)) => {
                    let canonical = canonical.filter(|canonical| canonical != name);
                    return Ok(Found { addresses, canonical, more: 0 });
                }
                Err(Missing::Unanswered) => return Err(LookupFailure::TryAgain),
                Err(Missing::Denied | Missing::NoData) => {}
            }
        }
        self.both(name).await
    }

    async fn both(&self, name: &str) -> Result<Found, LookupFailure> {
        let (v4, v6) = tokio::join!(self.ask(name, RecordType::A), self.ask(name, RecordType::AAAA));
        let missing = [&v4, &v6].map(|result| result.as_ref().err().copied());
        let mut parts = [v4.unwrap_or_default(), v6.unwrap_or_default()];
        if self.ipv6 {
            parts.reverse();
        }
        let canonical = parts.iter().find_map(|(_, canonical)| canonical.clone());
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in parts.into_iter().flat_map(|(addresses, _)| addresses) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if !addresses.is_empty() {
            return Ok(Found { addresses, canonical: canonical.filter(|canonical| canonical != name), more: 0 });
        }
        if missing.contains(&Some(Missing::Unanswered)) {
            return Err(LookupFailure::TryAgain);
        }
        Err(LookupFailure::NotFound)
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Result<(Vec<IpAddr>, Option<String>), Missing> {
        let servers = self.rules.rule_of(name).map_or(&self.servers, |rule| &rule.servers);
        for _ in 0..self.attempts.max(1) {
            for server in servers.iter().take(MAX_SERVERS) {
                let Ok(Some(answer)) = tokio::time::timeout(self.timeout, self.answer(*server, name, kind)).await
                else {
                    continue;
                };
                match answer.metadata.response_code {
                    ResponseCode::NoError => return addresses(&answer),
                    ResponseCode::NXDomain => return Err(Missing::Denied),
                    _ => {}
                }
            }
        }
        Err(Missing::Unanswered)
    }

    /// A server that takes EDNS for a wrong question is asked without it, as glibc does (`RES_F_EDNS0ERR`); silence is silence.
    async fn answer(&self, server: SocketAddr, name: &str, kind: RecordType) -> Option<Message> {
        let answer = self.exchange(server, name, kind, self.edns0).await?;
        if self.edns0 && answer.metadata.response_code == ResponseCode::FormErr {
            return self.exchange(server, name, kind, false).await;
        }
        Some(answer)
    }

    async fn exchange(&self, server: SocketAddr, name: &str, kind: RecordType, edns: bool) -> Option<Message> {
        let mut question = Message::query();
        question.metadata.recursion_desired = true;
        let mut absolute = Name::from_str(name).ok()?;
        absolute.set_fqdn(true);
        question.add_query(Query::query(absolute, kind));
        if edns {
            question.set_edns(Edns::new());
        }
        let bytes = question.to_vec().ok()?;

        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.ok()?;
        socket.connect(self.target(Transport::Udp, server).await?).await.ok()?;
        socket.send(&bytes).await.ok()?;
        let mut buffer = vec![0_u8; 4096];
        let size = receive(&socket, &mut buffer).await.ok()?;
        let answer = Message::from_vec(buffer.get(..size)?).ok()?;
        if !answer.metadata.truncation {
            return Some(answer);
        }
        let mut stream = TcpStream::connect(self.target(Transport::Tcp, server).await?).await.ok()?;
        stream.write_u16(u16::try_from(bytes.len()).ok()?).await.ok()?;
        stream.write_all(&bytes).await.ok()?;
        let size = usize::from(stream.read_u16().await.ok()?);
        let mut buffer = vec![0_u8; size];
        stream.read_exact(&mut buffer).await.ok()?;
        Message::from_vec(&buffer).ok()
    }

    async fn target(&self, transport: Transport, server: SocketAddr) -> Option<SocketAddr> {
        match self.routes.to.get(&(transport, server)).unwrap_or(&Route::Drop) {
            Route::To(target) => Some(*target),
            Route::Drop => std::future::pending().await,
            Route::HostUnreachable | Route::NetworkUnreachable | Route::NotPermitted => None,
        }
    }
}

/// The addresses behind the question's name: glibc follows the aliases in their order, and passes over the records of others.
fn addresses(answer: &Message) -> Result<(Vec<IpAddr>, Option<String>), Missing> {
    let mut addresses = Vec::new();
    let mut canonical = None;
    let mut owner = answer.queries.first().map(Query::name).ok_or(Missing::NoData)?;
    for record in &answer.answers {
        if !record.name.eq_ignore_root(owner) {
            continue;
        }
        let address = match &record.data {
            RData::A(address) => IpAddr::V4(address.0),
            RData::AAAA(address) => IpAddr::V6(address.0),
            RData::CNAME(alias) => {
                owner = &alias.0;
                continue;
            }
            _ => continue,
        };
        addresses.push(address);
        canonical = Some(record.name.to_ascii().trim_end_matches('.').to_lowercase());
    }
    if addresses.is_empty() { Err(Missing::NoData) } else { Ok((addresses, canonical)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;

    const HANDLER: &str = "global.handler.control.monitor.azure.com";

    #[tokio::test]
    async fn next_server_is_asked_when_the_first_fails() {
        let running = world(
            "resolver = { options = [\"timeout:1\", \"attempts:1\"] }\n\
             [[server]]\naddress = \"10.1.0.4\"\nfault = \"silent\"\n[[server]]\naddress = \"10.1.0.5\"\n",
        );
        let found = running.world.resolver.lookup(HANDLER, Families::Both).await.expect("the second server's answer");
        assert_eq!(found.addresses, [IpAddr::from([10, 1, 2, 10])]);
        assert_eq!(found.canonical.as_deref(), Some("global.handler.control.privatelink.monitor.azure.com"));
    }

    #[tokio::test]
    async fn servers_that_all_fail_are_try_again() {
        let running = world("[[server]]\naddress = \"10.1.0.4\"\nfault = \"servfail\"\n");
        assert_eq!(running.world.resolver.lookup(HANDLER, Families::Both).await, Err(LookupFailure::TryAgain));
    }

    #[tokio::test]
    async fn denied_name_is_not_found() {
        let running = world("");
        assert_eq!(
            running.world.resolver.lookup("nothing.example", Families::Both).await,
            Err(LookupFailure::NotFound)
        );
    }

    #[tokio::test]
    async fn a_rule_of_windows_names_the_servers_of_the_names_below_it_alone() {
        let table = r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters\DnsPolicyConfig\{1}";
        let running = world(&format!(
            "[[server]]\naddress = \"168.63.129.16\"\n\
             [[server]]\naddress = \"10.0.0.53\"\nresolves = \"public\"\nconfigured = false\n\
             [registry.'{table}']\nName = [\".monitor.azure.com\"]\nConfigOptions = 8\nGenericDNSServers = \"10.0.0.53\"\n"
        ));
        let ods = format!("{}.ods.opinsights.azure.com", crate::scenario::WORKSPACE);
        let mut private = Vec::new();
        for name in [HANDLER, &ods] {
            let found = running.world.resolver.lookup(name, Families::Both).await.expect("an answer");
            private.push(found.addresses.iter().all(|address| matches!(address, IpAddr::V4(v4) if v4.is_private())));
        }
        assert_eq!(private, [false, true]);
    }

    #[tokio::test]
    async fn hosts_file_comes_before_every_server() {
        let running = world(&format!("[machine]\nhosts = {{ \"{HANDLER}\" = \"10.9.9.9\" }}\n"));
        let found = running.world.resolver.lookup(HANDLER, Families::Both).await.expect("the file's answer");
        assert_eq!(found.addresses, [IpAddr::from([10, 9, 9, 9])]);
        assert!(running.all_asked().is_empty(), "no server is asked");
        let file = std::fs::read_to_string(running.world.path("/etc/hosts")).expect("a hosts file");
        assert!(file.contains(&format!("10.9.9.9 {HANDLER}")));
    }
}
