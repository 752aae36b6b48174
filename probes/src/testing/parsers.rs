//! Parsers of what strangers write, each as one function from octets: what a replay and a fuzzer call. Of the wire server nothing
//! is read but the status of its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rustls::RootCertStore;
use serde::Serialize;

use crate::catalogue::CloudNames;
use crate::observation::{Machine, Resolver};
use crate::options::{self, BrowserSettings, ConnectionString, ExtraEndpoint, Options};
use crate::probe::{agent, browser, dns, encrypted_dns, hosts, imds, resolver, tls};
use crate::world::{Clock, Network, OsResolver, Roots};
use crate::{Observations, World, no_proxy, registry};

/// A parser: the size of what it kept, as JSON or as it shows itself; `None` where it understood nothing.
pub type Parser = fn(&[u8]) -> Option<usize>;

/// The parsers, each by the name of its corpus.
pub const PARSERS: [(&str, Parser); 16] = [
    ("agent-files", agent_files),
    ("arguments", arguments),
    ("browser-files", browser_files),
    ("catalogue", catalogue),
    ("certificate", certificate),
    ("dns-message", dns_message),
    ("dpkg", dpkg),
    ("encrypted-dns", unbound),
    ("hive", hive),
    ("hosts", hosts_file),
    ("links", links),
    ("metadata", metadata),
    ("no-proxy", exemptions),
    ("observations", observations),
    ("resolver", resolver_file),
    ("rpm", rpm),
];

const RESOLV_CONF: &str = "/etc/resolv.conf";
const HOSTS: &str = "/etc/hosts";

/// A machine of one file, gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn new(files: &[(&str, &[u8])]) -> std::io::Result<Self> {
        let disk = Self(std::env::temp_dir().join(format!("parsers-{}", uuid::Uuid::new_v4())));
        for (path, bytes) in files {
            let file = disk.0.join(path.trim_start_matches('/'));
            fs::create_dir_all(file.parent().unwrap_or(&disk.0))?;
            fs::write(file, bytes)?;
        }
        Ok(disk)
    }

    /// What reads the files of a disk. No parser looks at trust stores: those of this machine are left alone.
    fn world(&self) -> World {
        let none = Arc::new(RootCertStore::empty());
        World {
            root: self.0.clone(),
            environment: BTreeMap::new(),
            network: Network::Simulated(Arc::default()),
            resolver: Arc::new(OsResolver),
            clock: Clock::default(),
            roots: Roots::new(Arc::clone(&none), none),
            registry: registry::of_disk(&self.0),
            fetches_roots: false,
            machine: Machine::default(),
            denied: BTreeSet::new(),
            hanging: BTreeSet::new(),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn size(kept: &impl Serialize) -> Option<usize> {
    serde_json::to_vec(kept).ok().map(|octets| octets.len())
}

/// The size of a value that has no JSON, as it shows itself.
fn shown<T: Debug, E>(kept: Result<T, E>) -> Option<usize> {
    kept.ok().map(|kept| format!("{kept:?}").len())
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Files of agents: the first octet, a letter, chooses which file the rest is.
const AGENT_FILES: [&str; 8] = [
    "/etc/opt/microsoft/omsagent/conf/omsadmin.conf",
    "/etc/opt/microsoft/azuremonitoragent/config-cache/configchunks/1.json",
    "/etc/default/azuremonitoragent",
    "/etc/systemd/system/azuremonitoragent.service.d/proxy.conf",
    "/var/opt/azcmagent/localconfig.json",
    "/var/opt/microsoft/azuremonitoragent/log/mdsd.err",
    "/var/opt/microsoft/azuremonitoragent/log/mdsd.info",
    "/etc/opt/microsoft/omsagent/sysconf/installinfo.txt",
];

fn agent_files(bytes: &[u8]) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    let path = AGENT_FILES.get(usize::from(first.checked_sub(b'a')?))?;
    let read = |bytes: &[u8]| {
        let disk = Disk::new(&[("/opt/microsoft/azuremonitoragent/bin/mdsd", b""), (path, bytes)]).ok()?;
        Some(agent::read(&disk.world(), Instant::now()).0)
    };
    let (agents, of_nothing) = (read(rest)?, read(b"")?);
    // The agent itself is found whatever the file says.
    let understood = agents.unread.is_empty() && agents != of_nothing;
    understood.then(|| size(&agents)).flatten()
}

/// Files of browsers: the first octet, a letter, chooses which file the rest is.
const BROWSER_FILES: [&str; 6] = [
    "/etc/opt/chrome/policies/managed/a.json",
    "/etc/opt/edge/policies/recommended/a.json",
    "/etc/firefox/policies/policies.json",
    "/home/user/.config/google-chrome/Local State",
    "/home/user/.mozilla/firefox/a.default/prefs.js",
    "/home/user/.mozilla/firefox/a.default/user.js",
];

fn browser_files(bytes: &[u8]) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    let path = BROWSER_FILES.get(usize::from(first.checked_sub(b'a')?))?;
    let passwd = b"user:x:0:0::/home/user:/bin/sh\n";
    let disk = Disk::new(&[("/etc/passwd", passwd), ("/usr/bin/firefox", b""), (path, rest)]).ok()?;
    let seen = browser::read(&Arc::new(disk.world()), &[], BrowserSettings::All);
    let kept = seen.seen().filter(|seen| !seen.settings.is_empty() && seen.unread.is_empty())?;
    size(&kept.settings)
}

fn catalogue(bytes: &[u8]) -> Option<usize> {
    shown(CloudNames::parse("fuzzed", text(bytes)?))
}

fn observations(bytes: &[u8]) -> Option<usize> {
    size(&serde_json::from_slice::<Observations>(bytes).ok()?)
}

fn dpkg(bytes: &[u8]) -> Option<usize> {
    let disk = Disk::new(&[("/var/lib/dpkg/status", bytes)]).ok()?;
    let (agents, _) = agent::read(&disk.world(), Instant::now());
    (!agents.found.is_empty()).then(|| size(&agents)).flatten()
}

fn rpm(bytes: &[u8]) -> Option<usize> {
    let disk = Disk::new(&[("/usr/lib/sysimage/rpm/Packages.db", bytes)]).ok()?;
    let (agents, _) = agent::read(&disk.world(), Instant::now());
    (!agents.found.is_empty()).then(|| size(&agents)).flatten()
}

/// The keys of a hive that are walked, and names of one key.
const WALKED: usize = 50;

/// The most that any one question to the registry of a disk gives.
fn hive(bytes: &[u8]) -> Option<usize> {
    let disk = Disk::new(&[("/Windows/System32/config/SOFTWARE", bytes)]).ok()?;
    let registry = registry::of_disk(&disk.0)?;
    let root = r"HKLM\SOFTWARE";
    registry.keys(root).ok()?;
    let (mut keys, mut most) = (vec![root.to_owned()], 0);
    for place in 0..WALKED {
        let Some(key) = keys.get(place).cloned() else { break };
        let names = registry.names(&key).unwrap_or_default();
        let below = registry.keys(&key).unwrap_or_default();
        let values = names.iter().take(WALKED).filter_map(|name| shown(registry.value(&key, name)));
        let lengths = [&names, &below].map(|list| list.iter().map(String::len).sum());
        most = values.chain(lengths).fold(most, usize::max);
        keys.extend(below.iter().take(WALKED).map(|name| format!(r"{key}\{name}")));
    }
    Some(most)
}

fn arguments(bytes: &[u8]) -> Option<usize> {
    let text = text(bytes)?;
    let taken = [
        shown(text.parse::<ConnectionString>()),
        shown(text.parse::<ExtraEndpoint>()),
        shown(options::workspace(text)),
        shown(options::data_collection_endpoint(text)),
        shown(options::app_insights(text)),
        shown(options::storage_account(text)),
        shown(options::private_range(text)),
        shown(options::resolver(text)),
        shown(options::proxy(text)),
        shown(options::deadline(text)),
        shown(options::repeat(text)),
    ];
    taken.into_iter().flatten().max()
}

fn certificate(bytes: &[u8]) -> Option<usize> {
    let read = tls::certificate_of(bytes);
    (!read.subject.is_empty()).then(|| size(&read)).flatten()
}

fn dns_message(bytes: &[u8]) -> Option<usize> {
    size(&dns::answer_of(bytes)?)
}

/// A device of `NetworkManager` that uses the profile below.
const DEVICE: (&str, &[u8]) = ("/run/NetworkManager/devices/2", b"[device]\nconnection-uuid=u1\n");
const PROFILE: (&str, &[u8]) =
    ("/etc/NetworkManager/system-connections/a.nmconnection", b"[connection]\nuuid=u1\n[ipv4]\ndns=10.0.0.4;\n");
/// Files that say which servers a link has: the first octet, a letter, chooses which file the rest is. With each stands the stub
/// behind which such files are looked for.
const LINK_FILES: [(&str, &[u8]); 5] = [
    (PROFILE.0, b"nameserver 127.0.0.1\n"),
    ("/etc/NetworkManager/conf.d/a.conf", b"nameserver 127.0.0.1\n"),
    (DEVICE.0, b"nameserver 127.0.0.1\n"),
    ("/run/systemd/resolve/netif/2", b"nameserver 127.0.0.53\n"),
    ("/run/systemd/netif/links/2", b"nameserver 127.0.0.53\n"),
];

fn links(bytes: &[u8]) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    let (path, resolv_conf) = LINK_FILES.get(usize::from(first.checked_sub(b'a')?))?;
    // The file itself comes last, in the place of what makes the others count.
    let needed = if path.starts_with("/etc/NetworkManager/conf.d") { &[][..] } else { &[DEVICE, PROFILE] };
    let files = [needed, &[(RESOLV_CONF, *resolv_conf), (*path, rest)]].concat();
    let disk = Disk::new(&files).ok()?;
    let read = resolver::read(&disk.world(), &Options::default());
    let config = read.outcome.seen().filter(|config| config.links.iter().any(|link| !link.servers.is_empty()))?;
    size(&config.links)
}

fn metadata(bytes: &[u8]) -> Option<usize> {
    size(&imds::instance_of(bytes)?)
}

fn unbound(bytes: &[u8]) -> Option<usize> {
    let disk = Disk::new(&[("/etc/unbound/unbound.conf", bytes), (RESOLV_CONF, b"nameserver 127.0.0.1\n")]).ok()?;
    let world = disk.world();
    let servers: Resolver = resolver::read(&world, &Options::default());
    let seen = encrypted_dns::read(&world, Instant::now(), Some(&servers));
    seen.outcome.seen().filter(|found| !found.is_empty()).and_then(size)
}

fn hosts_file(bytes: &[u8]) -> Option<usize> {
    let disk = Disk::new(&[(HOSTS, bytes)]).ok()?;
    let names = BTreeSet::from(["api.monitor.azure.com".to_owned()]);
    let hosts = hosts::read(&disk.world(), Instant::now(), &names);
    hosts.outcome.seen().filter(|found| !found.entries.is_empty()).and_then(size)
}

/// It keeps nothing: the list is read for one name.
fn exemptions(bytes: &[u8]) -> Option<usize> {
    no_proxy::exempts(text(bytes)?, "api.monitor.azure.com").then_some(1)
}

fn resolver_file(bytes: &[u8]) -> Option<usize> {
    let disk = Disk::new(&[(RESOLV_CONF, bytes)]).ok()?;
    let read = resolver::read(&disk.world(), &Options::default());
    (!read.servers.is_empty()).then(|| size(&read)).flatten()
}

/// Octets that may be kept beside those of a parser's input: the default of each field.
const LEAST: usize = 16 * 1024;
/// How many times its size an input may become: a name in an answer is two octets that point to 250.
const MOST_TIMES: usize = 64;

/// Calls a parser by name with what a fuzzer made up.
///
/// # Panics
///
/// Where what is kept is out of proportion to what was read, or no parser has that name.
pub fn fuzz(parsers: &[(&str, Parser)], name: &str, bytes: &[u8]) {
    let (_, parser) = parsers.iter().find(|(known, _)| *known == name).expect("a parser of this name");
    let kept = parser(bytes);
    assert!(is_in_proportion(kept, bytes.len()), "{} octets became {kept:?}", bytes.len());
}

fn is_in_proportion(kept: Option<usize>, length: usize) -> bool {
    kept.is_none_or(|kept| kept <= LEAST + MOST_TIMES * length)
}

/// Reads the files of each parser's corpus, whole and cut: those whose names begin with `ok` have to be understood, the others
/// must not, and what is kept of any is bounded.
///
/// # Panics
///
/// Where that is not so.
pub fn replay(parsers: &[(&str, Parser)]) {
    let corpora = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/corpora"));
    for (name, parser) in parsers {
        let files = fs::read_dir(corpora.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut files: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
        files.sort();
        assert!((2..=40).contains(&files.len()), "{name}: {} files", files.len());
        let is_ok = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ok"));
        assert!(files.iter().any(is_ok), "{name}: no file that is understood");
        for file in &files {
            let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            // Cut anywhere, it may say less but ends and stays small.
            for length in (0..bytes.len()).step_by(bytes.len() / 8 + 1) {
                let kept = parser(bytes.get(..length).unwrap_or_default());
                assert!(is_in_proportion(kept, length), "{} cut at {length}: {kept:?}", file.display());
            }
            let kept = parser(&bytes);
            assert_eq!(kept.is_some(), is_ok(file), "{}", file.display());
            assert!(is_in_proportion(kept, bytes.len()), "{}: {kept:?}", file.display());
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn corpora_are_understood_and_what_is_kept_of_them_is_bounded() {
        super::replay(&super::PARSERS);
    }
}
