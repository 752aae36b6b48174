//! Names of one workspace in the public cloud, as the catalogue would plan them.

use super::{Scene, ip};
use crate::endpoint::{Endpoint, Expectation, ExpectedRecord, Group, Need, Origin};

/// The workspace.
pub const WORKSPACE: &str = "6b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d";
/// AMA's control service: shared by all agents.
pub const HANDLER: &str = "global.handler.control.monitor.azure.com";
/// The regional handler: it has no record.
pub const REGIONAL: &str = "westeurope.handler.control.monitor.azure.com";
/// A data collection endpoint's configuration name.
pub const DCE: &str = "prod-ab12.westeurope-1.handler.control.monitor.azure.com";
/// Log upload.
pub const ODS: &str = "6b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d.ods.opinsights.azure.com";
/// Onboarding of the legacy agents.
pub const OMS: &str = "6b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d.oms.opinsights.azure.com";
/// Solutions of the legacy agents.
pub const AGENTSVC: &str = "6b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d.agentsvc.azure-automation.net";
/// Log queries.
pub const API: &str = "api.monitor.azure.com";
/// Application Insights ingestion.
pub const IN_AI: &str = "global.in.ai.monitor.azure.com";
/// AMA's metrics service: always public.
pub const METRICS: &str = "global.prod.microsoftmetrics.com";

/// The AMPLS zones of the public cloud.
pub const ZONES: [&str; 5] = [
    "privatelink.monitor.azure.com",
    "privatelink.oms.opinsights.azure.com",
    "privatelink.ods.opinsights.azure.com",
    "privatelink.agentsvc.azure-automation.net",
    "privatelink.blob.core.windows.net",
];

/// The record of a name in its AMPLS zone, e.g. `api.privatelink.monitor.azure.com`.
pub fn alias(fqdn: &str) -> String {
    split(fqdn).map_or_else(|| fqdn.to_owned(), |(label, zone)| format!("{label}.{zone}"))
}

/// One of the names of this module as planned.
pub fn endpoint(fqdn: &str, need: Need) -> Endpoint {
    let recordless = [REGIONAL, METRICS].contains(&fqdn);
    let zone = split(fqdn).filter(|_| !recordless).map(|(_, zone)| zone.to_owned());
    Endpoint {
        id: fqdn.to_owned(),
        fqdn: fqdn.to_owned(),
        port: 443,
        group: Group::Agent,
        alias: zone.as_ref().map(|_| alias(fqdn)),
        expected: match fqdn {
            REGIONAL => Expectation::Any,
            METRICS => Expectation::Public,
            _ => Expectation::Private,
        },
        zone,
        need,
        path: if fqdn.contains(".handler.") { "/ping".to_owned() } else { "/".to_owned() },
        purpose: "monitoring".to_owned(),
        service_tag: Some("AzureMonitor".to_owned()),
        origin: Origin::Default,
    }
}

fn split(fqdn: &str) -> Option<(&str, &'static str)> {
    ZONES.iter().find_map(|zone| {
        let suffix = zone.strip_prefix("privatelink.")?;
        let label = fqdn.strip_suffix(suffix)?.strip_suffix('.')?;
        Some((label, *zone))
    })
}

impl Scene {
    /// A line of `--expected-records`.
    #[must_use]
    pub fn expected_record(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| ip(address)).collect();
        self.observations.asked.expected_records.push(ExpectedRecord { name: name.to_owned(), addresses });
        self
    }
}
