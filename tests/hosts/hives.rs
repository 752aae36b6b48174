//! Disks of Windows: the hives that hold a host's registry, and what the report says of what only Windows has.

use std::collections::BTreeMap;

use ampls_doctor::report::Report;
use ampls_probes::observation::{Observation, ServerRole, SourceName};
use ampls_probes::registry::Value as Given;
use ampls_probes::registry::writer::{Written, hive};
use ampls_world::scenario::registry::Value;

/// Values by key and name.
pub(super) type Values = BTreeMap<String, BTreeMap<String, Value>>;

const CONFIG: &str = "/Windows/System32/config";

/// The hives of a disk by path; none where the registry holds nothing.
pub(super) fn files(registry: &Values, stale: &[String]) -> BTreeMap<String, Vec<u8>> {
    if registry.is_empty() {
        return BTreeMap::new();
    }
    let mut hives: BTreeMap<String, Written> = BTreeMap::new();
    let number = |name: &str, number| vec![(name.to_owned(), Given::Number(number))];
    let system = hives.entry(format!("{CONFIG}/SYSTEM")).or_default();
    system.insert("Select".to_owned(), number("Current", 1));
    system.insert(r"ControlSet001\Control".to_owned(), Vec::new());
    system.insert(r"ControlSet001\Services\HTTP".to_owned(), number("Start", 3));
    let version = [("ProductName", "Windows Server 2022 Datacenter"), ("CurrentBuild", "20348")];
    let version = version.map(|(name, text)| (name.to_owned(), Given::Text(text.to_owned())));
    let software = hives.entry(format!("{CONFIG}/SOFTWARE")).or_default();
    software.insert(r"Microsoft\Windows NT\CurrentVersion".to_owned(), version.to_vec());
    for (key, values) in registry {
        let (file, path) = place(key, registry);
        let given = values.iter().map(|(name, value)| (name.clone(), value.given(str::to_owned)));
        hives.entry(file).or_default().entry(path).or_default().extend(given);
    }
    let written = |(path, keys): (String, Written)| {
        let mut octets = hive(&keys);
        if stale.iter().any(|name| path.ends_with(name)) {
            octets[4] = octets[4].wrapping_add(1);
        }
        (path, octets)
    };
    hives.into_iter().map(written).collect()
}

/// The hive of a key, and the key in it.
fn place(key: &str, registry: &Values) -> (String, String) {
    let split = |key: &str| key.split_once('\\').map_or((key.to_owned(), String::new()), |(a, b)| (a.into(), b.into()));
    let (root, rest) = split(key);
    let (part, rest) = split(&rest);
    match (root.as_str(), part.as_str()) {
        ("HKLM", "SOFTWARE") => (format!("{CONFIG}/SOFTWARE"), rest),
        ("HKLM", "SYSTEM") => (format!("{CONFIG}/SYSTEM"), rest.replace("CurrentControlSet", "ControlSet001")),
        ("HKU", "S-1-5-18") => (format!("{CONFIG}/DEFAULT"), rest),
        ("HKU", id) => {
            let profile = registry.iter().find(|(key, _)| key.ends_with(&format!(r"ProfileList\{id}")));
            let path = match profile.and_then(|(_, values)| values.get("ProfileImagePath")) {
                Some(Value::Text(path)) => path.replace("C:", "").replace('\\', "/"),
                other => panic!("{key}: no profile ({other:?})"),
            };
            (format!("{path}/NTUSER.DAT"), rest)
        }
        _ => panic!("{key}: in no hive"),
    }
}

/// `id mode by asks`
pub(super) fn browsers(report: &Report) -> Vec<String> {
    let seen = report.observations.seen.iter().find_map(|seen| match seen {
        Observation::Browsers(browsers) => browsers.outcome.seen(),
        _ => None,
    });
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let described = |setting: &ampls_probes::observation::BrowserSetting| {
        let json = |value: serde_json::Result<serde_json::Value>| word(value.expect("JSON"));
        format!(
            "{} {} {} {}",
            setting.id,
            json(serde_json::to_value(setting.mode)),
            json(serde_json::to_value(setting.set_by)),
            json(serde_json::to_value(setting.asks))
        )
    };
    seen.map_or_else(Vec::new, |seen| seen.settings.iter().map(described).collect())
}

/// `address roles`
pub(super) fn servers(report: &Report) -> Vec<String> {
    let own = report.servers.iter().filter(|server| server.roles != [ServerRole::Azure]);
    own.map(|server| {
        let roles: Vec<String> = server.roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
        format!("{} {}", server.address.ip(), roles.join("+"))
    })
    .collect()
}

/// `account url`
pub(super) fn system_proxies(report: &Report) -> Vec<String> {
    let seen = report.observations.seen.iter().find_map(|seen| match seen {
        Observation::Registry(registry) => registry.outcome.seen(),
        _ => None,
    });
    let described = |proxy: &ampls_probes::observation::SystemProxy| {
        let url = proxy.url.as_ref().or(proxy.script.as_ref()).cloned().unwrap_or_default();
        format!("{:?} {url}", proxy.used_by).to_lowercase()
    };
    seen.map_or_else(Vec::new, |seen| seen.proxies.iter().map(described).collect())
}

/// Why the registry is not wholly read.
pub(super) fn source(report: &Report) -> Option<String> {
    report.sources.iter().find(|source| source.source == SourceName::Registry)?.because.clone()
}
