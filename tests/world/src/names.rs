//! What Azure Monitor's names look like in public DNS and in private zones: pure.
//!
//! Chains as seen in the field: the shared names run through their `privatelink` alias for every customer.
//! Source: <https://techcommunity.microsoft.com/t5/fasttrack-for-azure/how-azure-monitor-s-implementation-of-private-link-differs-from/ba-p/3608938>

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;

use crate::scenario::Scenario;

/// A cloud: its names differ in their suffixes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cloud {
    /// Azure
    #[default]
    Public,
    /// Azure Government
    UsGov,
    /// Azure operated by 21Vianet
    China,
}

impl Cloud {
    /// Short names of the zones.
    pub fn zone_names(self) -> &'static [&'static str] {
        match self {
            // A sixth zone of this cloud only; the longer suffix comes first.
            // Source: <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>
            Self::UsGov => &["adx", "monitor", "oms", "ods", "agentsvc", "blob"],
            Self::Public | Self::China => &["monitor", "oms", "ods", "agentsvc", "blob"],
        }
    }

    /// The public suffix of a zone by its short name; empty for an unknown one.
    pub fn suffix(self, zone: &str) -> &'static str {
        match (zone, self) {
            ("adx", _) => "adx.monitor.azure.us",
            ("monitor", Self::Public) => "monitor.azure.com",
            ("monitor", Self::UsGov) => "monitor.azure.us",
            ("monitor", Self::China) => "monitor.azure.cn",
            ("oms", Self::Public) => "oms.opinsights.azure.com",
            ("oms", Self::UsGov) => "oms.opinsights.azure.us",
            ("oms", Self::China) => "oms.opinsights.azure.cn",
            ("ods", Self::Public) => "ods.opinsights.azure.com",
            ("ods", Self::UsGov) => "ods.opinsights.azure.us",
            ("ods", Self::China) => "ods.opinsights.azure.cn",
            ("agentsvc", Self::Public) => "agentsvc.azure-automation.net",
            ("agentsvc", Self::UsGov) => "agentsvc.azure-automation.us",
            ("agentsvc", Self::China) => "agentsvc.azure-automation.cn",
            ("blob", Self::Public) => "blob.core.windows.net",
            ("blob", Self::UsGov) => "blob.core.usgovcloudapi.net",
            ("blob", Self::China) => "blob.core.chinacloudapi.cn",
            _ => "",
        }
    }

    /// `monitor.azure.com` of this cloud.
    pub fn monitor(self) -> &'static str {
        self.suffix("monitor")
    }

    /// The name the metadata service gives it.
    pub fn environment(self) -> &'static str {
        match self {
            Self::Public => "AzurePublicCloud",
            Self::UsGov => "AzureUSGovernmentCloud",
            Self::China => "AzureChinaCloud",
        }
    }
}

/// What public DNS says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Public {
    /// Aliases in their order (perhaps none), then addresses.
    Found { aliases: Vec<String>, v4: Vec<Ipv4Addr>, v6: Vec<Ipv6Addr> },
    /// The name of a zone: no address.
    Zone,
    /// It does not exist.
    Denied,
}

/// A name split into what lies before and the short name of its AMPLS zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split<'a> {
    pub(crate) label: &'a str,
    pub(crate) zone: &'static str,
    /// It is the `privatelink` alias itself.
    pub(crate) alias: bool,
}

/// Other names of a shared endpoint and the name they are aliases of (left of `monitor.azure.com`), public cloud.
const ALIASES: &[(&str, &str)] = &[
    ("api.loganalytics.io", "api"),
    ("api.loganalytics.azure.com", "api"),
    ("api.applicationinsights.io", "api"),
    ("api.applicationinsights.azure.com", "api"),
    ("dc.services.visualstudio.com", "global.in.ai"),
    ("dc.applicationinsights.microsoft.com", "global.in.ai"),
    ("dc.applicationinsights.azure.com", "global.in.ai"),
    ("live.applicationinsights.azure.com", "live"),
    ("rt.applicationinsights.microsoft.com", "live"),
    ("rt.services.visualstudio.com", "live"),
    ("agent.azureserviceprofiler.net", "profiler"),
    ("gateway.azureserviceprofiler.net", "diagservices-query"),
    ("dataplane.diagnosticservices.azure.com", "diagservices-query"),
];

/// Suffixes below which every name exists in public DNS.
const PUBLIC_SUFFIXES: &[&str] = &[
    "azure.com",
    "azure.us",
    "azure.cn",
    "microsoft.com",
    "microsoftonline.com",
    "microsoftonline.us",
    "microsoftmetrics.com",
    "windows.net",
    "usgovcloudapi.net",
    "chinacloudapi.cn",
    "azure-automation.net",
    "azure-automation.us",
    "azure-automation.cn",
    "visualstudio.com",
    "loganalytics.io",
    "loganalytics.us",
    "applicationinsights.io",
    "applicationinsights.us",
    "azureserviceprofiler.net",
    "msecnd.net",
    "trafficmanager.net",
];

/// The names of one world.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    cloud: Cloud,
    region: String,
    workspaces: Vec<String>,
    dces: Vec<String>,
    workspaces_aliased: bool,
    /// Names with a public address of their own, by which tests tell them apart.
    own: BTreeMap<String, u8>,
}

/// Public addresses that all names without one of their own share.
const SHARED: u8 = 32;

impl Names {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let mut names = Self {
            cloud: scenario.cloud,
            region: scenario.region.clone(),
            workspaces: scenario.workspaces.iter().map(|workspace| workspace.to_lowercase()).collect(),
            dces: scenario.dces.iter().map(|dce| dce.to_lowercase()).collect(),
            workspaces_aliased: scenario.workspaces_aliased,
            own: BTreeMap::new(),
        };
        let mut own: Vec<String> = names.recorded().into_iter().collect();
        own.push(format!("{}.handler.control.{}", names.region, names.cloud.monitor()));
        for front in &scenario.fronts {
            let literal = front.at.iter().filter(|at| at.contains('.') && !at.contains(['*', '/']));
            own.extend(literal.filter(|at| at.parse::<IpAddr>().is_err()).map(|at| scenario.expand(at).to_lowercase()));
        }
        for name in own {
            let next = u8::try_from(names.own.len()).unwrap_or(u8::MAX);
            names.own.entry(name).or_insert(next);
        }
        names
    }

    /// Public names that have a record in an AMPLS zone here, in a fixed order.
    pub(crate) fn recorded(&self) -> Vec<String> {
        let monitor = self.cloud.monitor();
        let region = &self.region;
        let mut names: Vec<String> = ["api", "global.in.ai", "live", "profiler", "snapshot", "diagservices-query"]
            .iter()
            .chain(&["global.handler.control"])
            .map(|label| format!("{label}.{monitor}"))
            .collect();
        names.extend((0..8).map(|stamp| format!("{region}-{stamp}.in.ai.{monitor}")));
        names.push(format!("{region}.livediagnostics.{monitor}"));
        for dce in &self.dces {
            names.extend(["handler.control", "ingest", "metrics.ingest"].map(|kind| format!("{dce}.{kind}.{monitor}")));
        }
        for zone in ["oms", "ods", "agentsvc"] {
            names.extend(self.workspaces.iter().map(|workspace| format!("{workspace}.{}", self.cloud.suffix(zone))));
        }
        names.push(format!("scadvisorcontentpl.{}", self.cloud.suffix("blob")));
        names
    }

    /// The AMPLS zone a name lies in.
    pub(crate) fn split<'a>(&self, name: &'a str) -> Option<Split<'a>> {
        for zone in self.cloud.zone_names().iter().copied() {
            let Some(rest) = name.strip_suffix(self.cloud.suffix(zone)) else { continue };
            let rest = match rest.strip_suffix('.') {
                Some(rest) => rest,
                None if rest.is_empty() => "",
                None => continue,
            };
            if rest == "privatelink" {
                return Some(Split { label: "", zone, alias: true });
            }
            return Some(match rest.strip_suffix(".privatelink") {
                Some(label) => Split { label, zone, alias: true },
                None => Split { label: rest, zone, alias: false },
            });
        }
        None
    }

    /// The public name of a split one.
    pub(crate) fn public_name(&self, split: Split<'_>) -> String {
        format!("{}.{}", split.label, self.cloud.suffix(split.zone))
    }

    /// The whole chain of a name in public DNS.
    pub(crate) fn public(&self, name: &str) -> Public {
        if let Some(split) = self.split(name) {
            return self.public_split(split);
        }
        if let Some((_, label)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
            return self.public_through(&format!("{label}.{}", self.cloud.monitor()));
        }
        if let Some(stamp) = name.strip_suffix(".in.applicationinsights.azure.com") {
            return self.public_through(&format!("{stamp}.in.ai.{}", self.cloud.monitor()));
        }
        if PUBLIC_SUFFIXES.contains(&name) {
            return Public::Zone;
        }
        let known = self.own.contains_key(name)
            || PUBLIC_SUFFIXES.iter().any(|suffix| name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')));
        if !known {
            return Public::Denied;
        }
        Public::Found { aliases: Vec::new(), v4: vec![self.public_v4(name)], v6: Vec::new() }
    }

    fn public_split(&self, split: Split<'_>) -> Public {
        if split.label.is_empty() {
            return Public::Zone;
        }
        let per_workspace = matches!(split.zone, "oms" | "ods" | "agentsvc");
        if per_workspace && !self.workspaces.iter().any(|workspace| workspace == split.label) {
            return Public::Denied;
        }
        let has_alias = match split.zone {
            "monitor" => self.shared_or_dce(split.label),
            "blob" => split.label == "scadvisorcontentpl",
            _ => self.workspaces_aliased,
        };
        if split.zone == "monitor" && !has_alias && !Self::plain_monitor_name(split.label) {
            return Public::Denied;
        }
        if split.alias && !has_alias {
            return Public::Denied;
        }
        let public = self.public_name(split);
        let mut aliases = Vec::new();
        if has_alias && !split.alias {
            aliases.push(format!("{}.privatelink.{}", split.label, self.cloud.suffix(split.zone)));
        }
        // Workspaces of a region share their front ends, as in `usw3-oi-ods.trafficmanager.net`.
        let host = if per_workspace {
            format!("{}-oi-{}", self.region, split.zone)
        } else {
            format!("{}-{}", public.split('.').next().unwrap_or("name"), split.zone)
        };
        aliases.push(format!("{host}.trafficmanager.net"));
        aliases.push(format!("{host}.{}.cloudapp.azure.com", self.region));
        // Application Insights ingestion is dual-stack in public DNS.
        let dual = split.label.ends_with("in.ai") || split.label == "live";
        let v6 = if dual { vec![Self::public_v6(&public)] } else { Vec::new() };
        Public::Found { aliases, v4: vec![self.public_v4(&public)], v6 }
    }

    fn public_through(&self, target: &str) -> Public {
        match self.public(target) {
            Public::Found { mut aliases, v4, v6 } => {
                aliases.insert(0, target.to_owned());
                Public::Found { aliases, v4, v6 }
            }
            other => other,
        }
    }

    fn shared_or_dce(&self, label: &str) -> bool {
        let dce = ["handler.control", "metrics.ingest", "ingest"].iter().find_map(|kind| label.strip_suffix(kind));
        if let Some(dce) = dce {
            let dce = dce.trim_end_matches('.');
            return dce == "global" || self.dces.iter().any(|known| known == dce);
        }
        matches!(label, "api" | "live" | "profiler" | "snapshot" | "diagservices-query")
            || label.ends_with(".in.ai")
            || label.ends_with(".livediagnostics")
    }

    /// Names of the monitor suffix that have no record and no alias: `<region>.handler.control`, `js`, `adx`, …
    fn plain_monitor_name(label: &str) -> bool {
        match label.strip_suffix(".handler.control") {
            Some(region) => !region.contains('.'),
            None => !label.ends_with("ingest"),
        }
    }

    /// All public addresses that names can have here.
    pub(crate) fn public_addresses(&self) -> Vec<(IpAddr, Option<String>)> {
        let mut addresses: Vec<(IpAddr, Option<String>)> =
            self.own.iter().map(|(name, index)| (IpAddr::V4(own_v4(*index)), Some(name.clone()))).collect();
        addresses.extend((0..SHARED).map(|index| (IpAddr::V4(shared_v4(index)), None)));
        addresses.extend((0..SHARED).map(|index| (IpAddr::V6(shared_v6(index)), None)));
        addresses
    }

    fn public_v4(&self, name: &str) -> Ipv4Addr {
        match self.own.get(name) {
            Some(index) => own_v4(*index),
            None => shared_v4(bucket(name)),
        }
    }

    fn public_v6(name: &str) -> Ipv6Addr {
        shared_v6(bucket(name))
    }
}

fn own_v4(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(20, 150, 190, index.saturating_add(4))
}

fn shared_v4(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(20, 50, 88, 200_u8.saturating_add(index))
}

fn shared_v6(index: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2603, 0x1020, 0x206, 0, 0, 0, 0x6b, u16::from(index))
}

/// FNV-1a: the same name has the same address in every run.
fn bucket(name: &str) -> u8 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    u8::try_from(hash % u64::from(SHARED)).unwrap_or(0)
}
