//! Encrypted DNS of the operating system: systemd-resolved, local stubs that forward encrypted, Windows' own. Configuration only;
//! whether that is wanted is not judged here. What may not be read is listed and hides nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::Instant;

use crate::observation::{
    EncryptedDns, EncryptedResolver, Outcome, ReadFailure, Resolver, Timing, Unread, UnreadReason,
};
use crate::probe::{browser, micros};
use crate::read::{self, Links, ini};
use crate::registry::Keys;
use crate::world::World;

mod unbound;
mod windows;

/// Octets of a configuration file.
const LIMIT: u64 = 1024 * 1024;
/// Files of a folder of drop-ins.
const FILES: usize = 256;
/// Servers that are kept of one service.
const SERVERS: usize = 32;

/// Files that are recorded as unreadable.
const UNREAD: usize = 100;

/// Reads the configuration of every known service.
pub fn read(world: &World, start: Instant, resolver: Option<&Resolver>) -> EncryptedDns {
    let began = Instant::now();
    let (found, unread) = look(world, resolver);
    let timing = Timing { at_us: micros(began.saturating_duration_since(start)), elapsed_us: micros(began.elapsed()) };
    EncryptedDns { timing, outcome: Outcome::Seen(found), unread }
}

fn look(world: &World, resolver: Option<&Resolver>) -> (Vec<EncryptedResolver>, Vec<Unread>) {
    let servers = browser::configured(resolver);
    if let Some(registry) = &world.registry {
        let mut keys = Keys::new(registry.as_ref());
        let found = windows::read(&mut keys, &servers);
        return (found.into_iter().collect(), keys.into_unread());
    }
    // The stub of systemd is a server of its own: it stands for no other program on loopback.
    let local = servers.iter().any(|server| server.is_loopback() && !is_systemd_stub(*server));
    let systemd = servers.iter().any(|server| is_systemd_stub(*server));
    let mut files = Files { world, unread: Vec::new() };
    let mut found: Vec<EncryptedResolver> = Vec::new();
    found.extend(resolved(&mut files, systemd));
    for stub in [dnscrypt_proxy, cloudflared, stubby] {
        found.extend(stub(&mut files).map(|resolver| EncryptedResolver { in_use: local, ..resolver }));
    }
    found.extend(unbound::read(&mut files, &servers));
    (found, files.unread)
}

/// Reads files and remembers those that are there and could not be read.
struct Files<'w> {
    world: &'w World,
    unread: Vec<Unread>,
}

impl Files<'_> {
    /// The text of a file; what is not text in it is replaced.
    fn text(&mut self, path: &str) -> Option<String> {
        let read = self.world.readable(path).and_then(|place| read::contents(&place, Links::Follow, LIMIT));
        let contents = self.seen(path, read)?;
        Some(String::from_utf8_lossy(&contents.bytes).into_owned())
    }

    /// The names of a folder's files that end in `.conf`, sorted.
    fn settings(&mut self, folder: &str) -> Vec<String> {
        let listed = self.world.readable(folder).and_then(|place| {
            let entries = fs::read_dir(place).map_err(|error| read::failure(&error))?;
            Ok(entries.flatten().take(FILES).filter_map(|entry| entry.file_name().into_string().ok()).collect())
        });
        let mut names: Vec<String> = self.seen(folder, listed).unwrap_or_default();
        names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "conf"));
        names.sort();
        names
    }

    fn first(&mut self, paths: &[&str]) -> Option<(String, String)> {
        paths.iter().find_map(|path| Some(((*path).to_owned(), self.text(path)?)))
    }

    fn seen<T>(&mut self, path: &str, read: Result<T, ReadFailure>) -> Option<T> {
        match read {
            Ok(seen) => return Some(seen),
            Err(ReadFailure::Missing) => {}
            Err(failure) => {
                if self.unread.len() < UNREAD {
                    self.unread.push(Unread { path: path.to_owned(), why: UnreadReason::Failed(failure) });
                }
            }
        }
        None
    }
}

/// 127.0.0.53 answers from caches and hosts, 127.0.0.54 passes questions on.
fn is_systemd_stub(address: IpAddr) -> bool {
    [IpAddr::from([127, 0, 0, 53]), IpAddr::from([127, 0, 0, 54])].contains(&address)
}

/// The main file and the folders of drop-ins, least important first.
/// Source: <https://www.freedesktop.org/software/systemd/man/latest/resolved.conf.html>
const RESOLVED: [&str; 3] =
    ["/usr/lib/systemd/resolved.conf", "/run/systemd/resolved.conf", "/etc/systemd/resolved.conf"];
const RESOLVED_DROP_INS: [&str; 4] = [
    "/usr/lib/systemd/resolved.conf.d",
    "/usr/local/lib/systemd/resolved.conf.d",
    "/run/systemd/resolved.conf.d",
    "/etc/systemd/resolved.conf.d",
];

fn resolved(files: &mut Files<'_>, in_use: bool) -> Option<EncryptedResolver> {
    // Of the main files the most important one counts; drop-ins add to it in the order of their names, and of two with the
    // same name the more important one counts.
    let main = RESOLVED.iter().rev().find(|path| files.world.path(path).is_file()).map(|path| (*path).to_owned());
    let mut drop_ins: BTreeMap<String, String> = BTreeMap::new();
    for folder in RESOLVED_DROP_INS {
        let names = files.settings(folder).into_iter();
        drop_ins.extend(names.map(|name| (name.clone(), format!("{folder}/{name}"))));
    }
    let mut setting: Option<(String, String)> = None;
    let mut servers: Vec<String> = Vec::new();
    for path in main.into_iter().chain(drop_ins.into_values()) {
        let Some(text) = files.text(&path) else { continue };
        for (key, value) in ini::settings(&text, "Resolve") {
            match key {
                "DNSOverTLS" => setting = Some((value.to_owned(), path.clone())),
                "DNS" if value.is_empty() => servers.clear(),
                "DNS" => servers.extend(value.split_whitespace().map(str::to_owned)),
                _ => {}
            }
        }
    }
    let (value, source) = setting?;
    let strict = match value.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => true,
        "opportunistic" => false,
        _ => return None,
    };
    servers.truncate(SERVERS);
    let setting = format!("DNSOverTLS={value}");
    Some(EncryptedResolver {
        service: "systemd-resolved".to_owned(),
        source,
        setting,
        strict,
        servers,
        in_use,
        zones: Vec::new(),
        templates: Vec::new(),
    })
}

/// Source: <https://github.com/DNSCrypt/dnscrypt-proxy/wiki/Configuration>
fn dnscrypt_proxy(files: &mut Files<'_>) -> Option<EncryptedResolver> {
    let paths = [
        "/etc/dnscrypt-proxy/dnscrypt-proxy.toml",
        "/etc/dnscrypt-proxy.toml",
        "/opt/dnscrypt-proxy/dnscrypt-proxy.toml",
    ];
    let (path, text) = files.first(&paths)?;
    let document: Option<toml::Table> = text.parse().ok();
    let names = document.as_ref().and_then(|document| document.get("server_names")).and_then(toml::Value::as_array);
    let names = names.into_iter().flatten().filter_map(toml::Value::as_str);
    Some(stub("dnscrypt-proxy", path, "server_names", names.map(str::to_owned).collect()))
}

/// Options of cloudflared's service, as its packages and guides set it up.
const OPTIONS: &str = "/etc/default/cloudflared";

/// Source: <https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/dns-over-https-client/>
fn cloudflared(files: &mut Files<'_>) -> Option<EncryptedResolver> {
    let paths = [
        "/etc/cloudflared/config.yml",
        "/etc/cloudflared/config.yaml",
        "/usr/local/etc/cloudflared/config.yml",
        OPTIONS,
    ];
    let (path, text) = files.first(&paths)?;
    // The options of the service name the servers; that it is one for DNS stands in its unit. A tunnel has none.
    let says = |word: &str| text.lines().any(|line| line.contains(word) && !line.trim_start().starts_with('#'));
    let is_for_dns = says("proxy-dns") || (path == OPTIONS && says("--upstream"));
    if !is_for_dns {
        return None;
    }
    Some(stub("cloudflared", path, "proxy-dns", urls(&text)))
}

/// Source: <https://dnsprivacy.org/dns_privacy_daemon_-_stubby/configuring_stubby/>
fn stubby(files: &mut Files<'_>) -> Option<EncryptedResolver> {
    let (path, text) = files.first(&["/etc/stubby/stubby.yml", "/usr/local/etc/stubby/stubby.yml"])?;
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let servers = lines.filter_map(|line| line.strip_prefix("- address_data:")).map(|value| value.trim().to_owned());
    Some(stub("stubby", path, "upstream_recursive_servers", servers.collect()))
}

/// A stub that only ever asks encrypted.
fn stub(service: &str, source: String, setting: &str, mut servers: Vec<String>) -> EncryptedResolver {
    servers.truncate(SERVERS);
    EncryptedResolver {
        service: service.to_owned(),
        source,
        setting: setting.to_owned(),
        strict: true,
        servers,
        in_use: false,
        zones: Vec::new(),
        templates: Vec::new(),
    }
}

fn urls(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '='));
    words.filter(|word| word.starts_with("https://")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
