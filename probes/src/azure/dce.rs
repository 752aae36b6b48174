//! Data collection endpoints, by any of their host names.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::host::HostName;
use super::{BadValue, Cloud, Region, quoted, unknown_cloud, unknown_suffix};

/// The hosts of a data collection endpoint.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-endpoint-overview>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DceHost {
    /// Configuration access, `….handler.control.…`
    Handler,
    /// Log ingestion, `….ingest.…`
    Ingest,
    /// Metrics ingestion, `….metrics.ingest.…`
    MetricsIngest,
}

impl DceHost {
    /// All of them. One that another ends with comes after it.
    pub const ALL: [Self; 3] = [Self::Handler, Self::MetricsIngest, Self::Ingest];

    /// What stands between the region and the cloud's suffix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handler => "handler.control",
            Self::Ingest => "ingest",
            Self::MetricsIngest => "metrics.ingest",
        }
    }
}

/// A data collection endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dce {
    /// The first label of its hosts, like `name-x1y2`.
    pub label: String,
    /// Its region.
    pub region: Region,
    /// The number after the region.
    pub number: u32,
    /// It belongs to a canary region: `canary` stands behind the number.
    /// Source: <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    pub canary: bool,
    /// Its cloud.
    pub cloud: Cloud,
    /// The hosts it was named by or, where it was found in an agent's configuration, that a channel uses.
    pub hosts: BTreeSet<DceHost>,
}

impl Dce {
    /// `<label>.<region>-<number>`: what its three hosts have in common.
    pub fn stem(&self) -> String {
        let ring = if self.canary { CANARY } else { "" };
        format!("{}.{}-{}{ring}", self.label, self.region, self.number)
    }

    /// One of its hosts.
    pub fn host(&self, host: DceHost) -> String {
        format!("{}.{}.{}", self.stem(), host.as_str(), self.cloud.monitor_suffix())
    }
}

impl FromStr for Dce {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || {
            BadValue::new(format!(
                "{} is not a data collection endpoint: give one of its host names or URLs, like \
                 `name-x1y2.westeurope-1.ingest.monitor.azure.com` (data collection endpoint › Overview)",
                quoted(text)
            ))
        };
        let host = HostName::of_argument(text).ok_or_else(bad)?;
        if let Some(suffix) = unknown_suffix(&host) {
            return Err(unknown_cloud(suffix));
        }
        let (cloud, rest) = Cloud::ALL
            .into_iter()
            .find_map(|cloud| Some((cloud, host.strip_suffix(cloud.monitor_suffix())?.strip_suffix('.')?)))
            .ok_or_else(bad)?;
        let (named_by, stem) = DceHost::ALL
            .into_iter()
            .find_map(|form| Some((form, rest.strip_suffix(form.as_str())?.strip_suffix('.')?)))
            .ok_or_else(bad)?;
        let (stem, canary) = stem.strip_suffix(CANARY).map_or((stem, false), |stem| (stem, true));
        let (label, region, number) = split_stem(stem).ok_or_else(bad)?;
        Ok(Self { label: label.to_owned(), region, number, canary, cloud, hosts: BTreeSet::from([named_by]) })
    }
}

const CANARY: &str = ".canary";

/// Splits `<label>.<region>-<number>`.
fn split_stem(stem: &str) -> Option<(&str, Region, u32)> {
    let (label, place) = stem.split_once('.')?;
    let (region, number) = stamp(place)?;
    Some((label, region, number))
}

/// Splits `<region>-<number>`.
pub(crate) fn stamp(text: &str) -> Option<(Region, u32)> {
    let (region, number) = text.rsplit_once('-')?;
    let canonical = (!number.starts_with('0') || number == "0") && number.bytes().all(|b| b.is_ascii_digit());
    if !canonical {
        return None;
    }
    Some((region.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_host_or_url_names_the_endpoint() {
        let table = [
            ("a-b1.westeurope-1.ingest.monitor.azure.com", DceHost::Ingest, Cloud::Public),
            ("https://a-b1.westeurope-1.handler.control.monitor.azure.com/", DceHost::Handler, Cloud::Public),
            ("https://a-b1.westeurope-1.handler.control.monitor.azure.com:443/ping?x", DceHost::Handler, Cloud::Public),
            ("A-B1.WestEurope-1.metrics.ingest.monitor.azure.com.", DceHost::MetricsIngest, Cloud::Public),
            ("a-b1.westeurope-1.ingest.monitor.azure.us", DceHost::Ingest, Cloud::UsGov),
            ("a-b1.westeurope-1.metrics.ingest.monitor.azure.cn", DceHost::MetricsIngest, Cloud::China),
        ];
        for (text, host, cloud) in table {
            let dce: Dce = text.parse().expect(text);
            assert_eq!((dce.stem().as_str(), dce.cloud), ("a-b1.westeurope-1", cloud), "{text}");
            assert_eq!(dce.hosts, BTreeSet::from([host]), "{text}");
            assert_eq!(dce.host(host).parse::<Dce>().expect("its own host"), dce);
        }
    }

    #[test]
    fn endpoint_in_a_canary_region_is_one() {
        let dce: Dce = "275test-01li.eastus2euap-1.canary.ingest.monitor.azure.com".parse().expect("an endpoint");
        assert_eq!((dce.region.as_str(), dce.number, dce.canary), ("eastus2euap", 1, true));
        let handler = "275test-01li.eastus2euap-1.canary.handler.control.monitor.azure.com";
        assert_eq!(dce.host(DceHost::Handler), handler);
    }

    #[test]
    fn endpoint_of_an_unknown_cloud_is_refused_with_what_helps() {
        let text = "a-b1.usnateast-1.ingest.monitor.azure.eaglex.ic.gov";
        let message = text.parse::<Dce>().expect_err("another cloud").to_string();
        assert!(message.contains("does not know") && message.contains("--public-roots"), "{message}");
    }

    #[test]
    fn anything_else_is_refused_in_one_line() {
        let table = [
            "",
            "a-b1",
            "westeurope-1.ingest.monitor.azure.com",
            "a-b1.westeurope.ingest.monitor.azure.com",
            "a-b1.westeurope-1.ingest.monitor.azure.xyz",
            "a-b1.westeurope-1.control.monitor.azure.com",
            "x.a-b1.westeurope-1.ingest.monitor.azure.com",
            "global.handler.control.monitor.azure.com",
            "a b.westeurope-1.ingest.monitor.azure.com",
            "a-b1.westeurope-99999999999.ingest.monitor.azure.com",
            "https://",
            "a\n.westeurope-1.ingest.monitor.azure.com",
        ];
        for text in table {
            let message = text.parse::<Dce>().expect_err(text).to_string();
            assert!(message.contains("is not a data collection endpoint") && !message.contains('\n'), "{message}");
        }
    }
}
