//! unbound: which zones it forwards encrypted, and whether this machine asks it.
//!
//! Source: <https://nlnetlabs.nl/documentation/unbound/unbound.conf/>

use std::net::IpAddr;

use super::{Files, SERVERS};
use crate::observation::EncryptedResolver;

const MAIN: &str = "/etc/unbound/unbound.conf";
/// What the packages of Debian, and of Red Hat and Fedora, include: files that end in `.conf` only.
const DROP_INS: [&str; 2] = ["/etc/unbound/unbound.conf.d", "/etc/unbound/conf.d"];

/// What it sends encrypted; `asked` are the servers that this machine asks.
pub(super) fn read(files: &mut Files<'_>, asked: &[IpAddr]) -> Option<EncryptedResolver> {
    let mut paths = vec![MAIN.to_owned()];
    for folder in DROP_INS {
        paths.extend(files.settings(folder).iter().map(|name| format!("{folder}/{name}")));
    }
    let mut all = Settings::default();
    for path in paths {
        if let Some(text) = files.text(&path) {
            all.read(&text, &path);
        }
    }
    all.resolver(asked)
}

#[derive(Debug, Default)]
struct Settings {
    /// `tls-upstream` of the server itself, with its file.
    all_encrypted: Option<(String, String)>,
    interfaces: Vec<String>,
    zones: Vec<Zone>,
}

/// A `forward-zone` or `stub-zone`.
#[derive(Debug, Default)]
struct Zone {
    name: String,
    servers: Vec<String>,
    encrypted: Option<String>,
    source: String,
}

impl Settings {
    fn read(&mut self, text: &str, path: &str) {
        let mut in_zone = false;
        for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim(), value.trim().trim_matches('"'));
            match (key, value) {
                ("forward-zone" | "stub-zone", "") => {
                    in_zone = true;
                    self.zones.push(Zone { source: path.to_owned(), ..Zone::default() });
                }
                (_, "") => in_zone = false,
                ("tls-upstream" | "ssl-upstream", "yes") if !in_zone => {
                    self.all_encrypted = Some((line.to_owned(), path.to_owned()));
                }
                ("interface", address) if !in_zone => self.interfaces.push(address.to_owned()),
                _ => {}
            }
            let Some(zone) = self.zones.last_mut().filter(|_| in_zone) else { continue };
            match (key, value) {
                ("name", name) => zone.name = name.trim_end_matches('.').to_ascii_lowercase(),
                ("forward-addr" | "forward-host" | "stub-addr" | "stub-host", server) => {
                    zone.servers.push(with_hash(text, server));
                }
                (
                    "forward-tls-upstream" | "forward-ssl-upstream" | "stub-tls-upstream" | "stub-ssl-upstream",
                    "yes",
                ) => {
                    zone.encrypted = Some(line.to_owned());
                }
                _ => {}
            }
        }
    }

    fn resolver(&self, asked: &[IpAddr]) -> Option<EncryptedResolver> {
        let encrypted: Vec<&Zone> = self.zones.iter().filter(|zone| zone.encrypted.is_some()).collect();
        let everything = self.all_encrypted.is_some() || encrypted.iter().any(|zone| zone.name.is_empty());
        let (setting, source) = match (&self.all_encrypted, encrypted.first()) {
            (Some((setting, source)), _) => (setting.clone(), source.clone()),
            (None, Some(zone)) => (zone.encrypted.clone()?, zone.source.clone()),
            (None, None) => return None,
        };
        let counted = |zone: &&Zone| self.all_encrypted.is_some() || zone.encrypted.is_some();
        let mut servers: Vec<String> =
            self.zones.iter().filter(counted).flat_map(|zone| zone.servers.clone()).collect();
        servers.truncate(SERVERS);
        let zones = encrypted.iter().map(|zone| zone.name.clone());
        Some(EncryptedResolver {
            service: "unbound".to_owned(),
            source,
            setting,
            strict: true,
            servers,
            in_use: asked.iter().any(|server| self.listens_on(*server)),
            zones: if everything { Vec::new() } else { zones.collect() },
            templates: Vec::new(),
        })
    }

    /// Without an `interface` it listens on loopback.
    fn listens_on(&self, server: IpAddr) -> bool {
        // That is systemd's own stub, on which nothing else can listen.
        if super::is_systemd_stub(server) {
            return false;
        }
        if self.interfaces.is_empty() {
            return server.is_loopback();
        }
        self.interfaces.iter().any(|interface| {
            let address = interface.split('@').next().unwrap_or_default();
            address
                .parse::<IpAddr>()
                .is_ok_and(|address| address == server || (address.is_unspecified() && server.is_loopback()))
        })
    }
}

/// `1.1.1.1@853#cloudflare-dns.com`: the name behind `#` is not a comment.
fn with_hash(text: &str, server: &str) -> String {
    let whole =
        text.split_whitespace().find(|word| word.strip_prefix(server).is_some_and(|rest| rest.starts_with('#')));
    whole.unwrap_or(server).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, asked: &str) -> Option<EncryptedResolver> {
        let mut settings = Settings::default();
        settings.read(text, "/etc/unbound/unbound.conf");
        settings.resolver(&[asked.parse().expect("an address")])
    }

    const ONE_ZONE: &str = "server:\n  interface: 127.0.0.1\nforward-zone:\n  name: \"corp.example.\"\n  forward-tls-upstream: yes\n  \
                            forward-addr: 1.1.1.1@853#cloudflare-dns.com\nforward-zone:\n  name: \".\"\n  forward-addr: 168.63.129.16\n";

    #[test]
    fn encrypted_zone_is_distinguished_from_the_others() {
        let found = read(ONE_ZONE, "127.0.0.1").expect("an encrypted zone");
        assert_eq!((found.zones, found.in_use), (vec!["corp.example".to_owned()], true));
        assert_eq!(found.servers, ["1.1.1.1@853#cloudflare-dns.com"]);
    }

    #[test]
    fn root_zone_and_the_servers_own_setting_are_everything() {
        let root = "forward-zone:\n name: \".\"\n forward-tls-upstream: yes\n forward-addr: 9.9.9.9@853\n";
        let server = "server:\n tls-upstream: yes\nforward-zone:\n name: \"x.example\"\n forward-addr: 9.9.9.9@853\n";
        for text in [root, server] {
            let found = read(text, "127.0.0.1").expect("encrypted");
            assert!(found.zones.is_empty() && found.servers == ["9.9.9.9@853"], "{found:?}");
        }
        assert_eq!(read("forward-zone:\n name: \".\"\n forward-addr: 10.1.0.4\n", "127.0.0.1"), None);
    }

    #[test]
    fn in_use_only_where_this_machine_asks_it() {
        let table = [
            ("server:\n interface: 10.1.0.5\n", "127.0.0.1", false),
            ("server:\n interface: 10.1.0.5\n", "10.1.0.5", true),
            ("server:\n interface: 0.0.0.0\n", "127.0.0.1", true),
            ("", "127.0.0.1", true),
            ("", "127.0.0.53", false),
            ("", "10.1.0.4", false),
        ];
        for (server, asked, expected) in table {
            let text = format!("{server}forward-zone:\n name: \".\"\n forward-tls-upstream: yes\n");
            assert_eq!(read(&text, asked).map(|found| found.in_use), Some(expected), "{server:?} {asked}");
        }
    }
}
