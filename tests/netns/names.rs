//! The names and DNS zones of the simulated Azure: which records the public DNS holds, and which the private zones.
//!
//! The shapes are those of the public DNS: the shared names of `monitor.azure.com` run through their `privatelink` alias for
//! every customer, with a private link or without.
//! Source: <https://github.com/Azure/Azure-Landing-Zones/issues/270>

use std::fmt::Write;

/// The workspace of the lab.
pub(super) const WORKSPACE: &str = "6b1c0b7e-52a4-4d3b-9c0e-2f4d3a1b5c6d";
/// The data collection endpoint of the lab, by its ingestion host name.
pub(super) const DCE: &str = "lab-dce-x1y2.westeurope-1.ingest.monitor.azure.com";

/// The AMPLS zones of the public cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Monitor,
    Ods,
    Oms,
    AgentSvc,
    Blob,
}

impl Zone {
    pub(super) const ALL: [Self; 5] = [Self::Monitor, Self::Ods, Self::Oms, Self::AgentSvc, Self::Blob];

    /// The public suffix that the zone shadows.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Monitor => "monitor.azure.com",
            Self::Ods => "ods.opinsights.azure.com",
            Self::Oms => "oms.opinsights.azure.com",
            Self::AgentSvc => "agentsvc.azure-automation.net",
            Self::Blob => "blob.core.windows.net",
        }
    }

    /// The private zone itself.
    pub(super) fn private(self) -> String {
        format!("privatelink.{}", self.suffix())
    }

    /// The public DNS zone that holds the names, and whether it holds the `privatelink` names too or delegates them: both
    /// shapes exist, and the SOA of the private zone's name is then the parent's or its own.
    fn public(self) -> (&'static str, bool) {
        match self {
            Self::Monitor => ("monitor.azure.com", true),
            Self::Ods | Self::Oms => ("opinsights.azure.com", true),
            Self::AgentSvc => ("azure-automation.net", false),
            Self::Blob => ("blob.core.windows.net", false),
        }
    }

    /// Where the zone's public fronts are.
    fn public_address(self) -> &'static str {
        match self {
            Self::Monitor => "20.50.1.1",
            Self::Ods => "20.50.2.1",
            Self::Oms => "20.50.3.1",
            Self::AgentSvc => "20.50.4.1",
            Self::Blob => "20.60.1.1",
        }
    }
}

/// What a private zone answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// The records of a zone group.
    Records,
    /// Nothing: every name is denied.
    Nothing,
    /// No record, but fallback to the internet: names are answered as the public DNS does, the zone's SOA is still private.
    /// Source: <https://learn.microsoft.com/azure/dns/private-dns-fallback>
    PublicAnswers,
}

/// One name that a private link covers.
struct Covered {
    zone: Zone,
    label: String,
    private: String,
}

/// Names without a private record: name, public address.
const PUBLIC_ONLY: [(&str, &str); 9] = [
    ("westeurope.handler.control.monitor.azure.com", "20.50.1.2"),
    ("scadvisorcontent.blob.core.windows.net", "20.60.1.2"),
    ("global.prod.microsoftmetrics.com", "20.50.5.1"),
    ("management.azure.com", "20.50.6.1"),
    ("westeurope.monitoring.azure.com", "20.50.7.1"),
    ("adx.monitor.azure.com", "20.50.1.3"),
    ("adx.loganalytics.azure.com", "20.50.1.3"),
    ("ade.loganalytics.io", "20.50.1.3"),
    ("ade.applicationinsights.io", "20.50.1.3"),
];

/// What every zone of Microsoft's public DNS begins with.
const PUBLIC_HEADER: &str = "$TTL 3600\n@ IN SOA ns1-01.azure-dns.com. msnhst.microsoft.com. 1 3600 300 2419200 60\n\
                             @ IN NS ns1-01.azure-dns.com.\n";

/// Names that are aliases of covered names.
const ALIASES: [(&str, &str); 6] = [
    ("api.loganalytics.azure.com", "api.monitor.azure.com"),
    ("api.applicationinsights.io", "api.monitor.azure.com"),
    ("api.applicationinsights.azure.com", "api.monitor.azure.com"),
    ("api.loganalytics.io", "api.monitor.azure.com"),
    ("dc.services.visualstudio.com", "dc.applicationinsights.azure.com"),
    ("dc.applicationinsights.azure.com", "global.in.ai.monitor.azure.com"),
];

/// Everything the simulated Azure knows by name.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) workspaces: Vec<String>,
    /// By ingestion host name.
    pub(super) dces: Vec<String>,
}

impl Default for Names {
    fn default() -> Self {
        Self { workspaces: vec![WORKSPACE.to_owned()], dces: vec![DCE.to_owned()] }
    }
}

impl Names {
    /// Every host name, for the certificate of the fronts.
    pub(super) fn hosts(&self) -> Vec<String> {
        let covered = self.covered().into_iter().map(|name| format!("{}.{}", name.label, name.zone.suffix()));
        let public = PUBLIC_ONLY.iter().chain(&ALIASES).map(|(name, _)| (*name).to_owned());
        covered.chain(public).collect()
    }

    /// The zones of the public DNS: origin and text.
    pub(super) fn public_zones(&self) -> Vec<(String, String)> {
        let mut zones = Vec::new();
        for origin in [
            ".",
            "trafficmanager.net",
            "cloudapp.azure.com",
            "management.azure.com",
            "monitoring.azure.com",
            "microsoftmetrics.com",
            "loganalytics.io",
            "loganalytics.azure.com",
            "applicationinsights.io",
            "visualstudio.com",
            "applicationinsights.azure.com",
            "monitor.azure.com",
            "opinsights.azure.com",
            "azure-automation.net",
            "privatelink.agentsvc.azure-automation.net",
            "blob.core.windows.net",
            "privatelink.blob.core.windows.net",
        ] {
            zones.push((origin.to_owned(), PUBLIC_HEADER.to_owned()));
        }
        let mut add = |origin: &str, record: String| {
            if let Some((_, text)) = zones.iter_mut().find(|(zone, _)| zone == origin) {
                text.push_str(&record);
            }
        };
        // A root zone holds the address of its own DNS server.
        add(".", "ns1-01.azure-dns.com. 3600 IN A 20.99.0.1\n".to_owned());
        for (number, name) in self.covered().into_iter().enumerate() {
            let (origin, holds_private) = name.zone.public();
            let private = name.zone.private();
            let (label, suffix) = (&name.label, name.zone.suffix());
            let front = format!("weu-{number}");
            add(origin, format!("{label}.{suffix}. 300 IN CNAME {label}.{private}.\n"));
            let private_origin = if holds_private { origin } else { &private };
            add(private_origin, format!("{label}.{private}. 300 IN CNAME {front}.trafficmanager.net.\n"));
            add("trafficmanager.net", format!("{front} 60 IN CNAME {front}.westeurope.cloudapp.azure.com.\n"));
            let address = name.zone.public_address();
            add("cloudapp.azure.com", format!("{front}.westeurope 10 IN A {address}\n"));
        }
        for (name, data, kind) in PUBLIC_ONLY
            .iter()
            .map(|(name, address)| (name, (*address).to_owned(), "A"))
            .chain(ALIASES.iter().map(|(name, target)| (name, format!("{target}."), "CNAME")))
        {
            let origin = zones
                .iter()
                .map(|(origin, _)| origin)
                .filter(|origin| name.ends_with(origin.as_str()))
                .max_by_key(|origin| origin.len());
            let Some(origin) = origin.cloned() else { continue };
            if let Some((_, text)) = zones.iter_mut().find(|(zone, _)| *zone == origin) {
                let _ = writeln!(text, "{name}. 300 IN {kind} {data}");
            }
        }
        zones
    }

    /// A private zone: origin and text.
    pub(super) fn private_zone(&self, zone: Zone, holds: Holds) -> (String, String) {
        let mut text = String::from(
            "$TTL 3600\n@ IN SOA azureprivatedns.net. azureprivatedns-host.microsoft.com. 1 3600 300 2419200 10\n\
             @ IN NS azureprivatedns.net.\n",
        );
        for (number, name) in self.covered().iter().enumerate().filter(|(_, name)| name.zone == zone) {
            let _ = match holds {
                Holds::Records => writeln!(text, "{} 10 IN A {}", name.label, name.private),
                Holds::PublicAnswers => writeln!(text, "{} 300 IN CNAME weu-{number}.trafficmanager.net.", name.label),
                Holds::Nothing => Ok(()),
            };
        }
        (zone.private(), text)
    }

    fn covered(&self) -> Vec<Covered> {
        let mut names = Vec::new();
        let mut add = |zone, label: &str, private: String| {
            names.push(Covered { zone, label: label.to_owned(), private });
        };
        let shared = [
            "api",
            "global.in.ai",
            "westeurope-5.in.ai",
            "live",
            "westeurope.livediagnostics",
            "profiler",
            "snapshot",
            "diagservices-query",
            "global.handler.control",
        ];
        for (host, label) in (4..).zip(shared) {
            add(Zone::Monitor, label, format!("10.1.0.{host}"));
        }
        for (host, dce) in (30..).step_by(3).zip(&self.dces) {
            let stem = dce.split(".ingest.").next().unwrap_or(dce);
            for (offset, kind) in (0..).zip(["handler.control", "ingest", "metrics.ingest"]) {
                add(Zone::Monitor, &format!("{stem}.{kind}"), format!("10.1.0.{}", host + offset));
            }
        }
        // Workspaces of one region share their addresses.
        for workspace in &self.workspaces {
            add(Zone::Ods, workspace, "10.1.0.20".to_owned());
            add(Zone::Oms, workspace, "10.1.0.21".to_owned());
            add(Zone::AgentSvc, workspace, "10.1.0.22".to_owned());
        }
        add(Zone::Blob, "scadvisorcontentpl", "10.1.0.23".to_owned());
        names
    }
}
