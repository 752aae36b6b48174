//! Application Insights connection strings: the endpoints are taken, the key never is.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::azure::{BadValue, Cloud, HostName, Region, quoted, stamp, unknown_cloud, unknown_suffix};

/// The longest connection string that SDKs accept.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/app/connection-strings>
const LONGEST: usize = 4096;
/// Where SDKs send telemetry when neither an endpoint nor a suffix is given.
const LAST_RESORT: &str = "dc.services.visualstudio.com";

/// What an endpoint of Application Insights is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppInsightsRole {
    /// Telemetry.
    Ingestion,
    /// Live metrics.
    Live,
    /// The profiler.
    Profiler,
    /// The snapshot debugger.
    Snapshot,
}

impl AppInsightsRole {
    /// The key of the connection string, in lower case, and the prefix that SDKs put before `EndpointSuffix`.
    const KEYS: [(Self, &str, &str); 4] = [
        (Self::Ingestion, "ingestionendpoint", "dc"),
        (Self::Live, "liveendpoint", "live"),
        (Self::Profiler, "profilerendpoint", "profiler"),
        (Self::Snapshot, "snapshotendpoint", "snapshot"),
    ];
}

/// One endpoint that an application uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppInsightsEndpoint {
    /// What for.
    pub role: AppInsightsRole,
    /// Its host.
    pub host: HostName,
    /// Its port.
    pub port: u16,
}

/// The endpoints of an Application Insights connection string. Of its keys nothing is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionString {
    /// The endpoints, ingestion first.
    pub endpoints: Vec<AppInsightsEndpoint>,
    /// The cloud whose suffix an endpoint has.
    pub cloud: Option<Cloud>,
    /// The region and number of regional ingestion, like `westeurope-5`.
    pub stamp: Option<(Region, u32)>,
    /// The region that `Location`, or regional ingestion without a number, names.
    pub place: Option<Region>,
}

impl ConnectionString {
    /// The region of its ingestion.
    pub fn region(&self) -> Option<&Region> {
        self.stamp.as_ref().map(|(region, _)| region).or(self.place.as_ref())
    }
}

impl FromStr for ConnectionString {
    type Err = BadValue;

    /// No message repeats a value that may be a key.
    fn from_str(text: &str) -> Result<Self, BadValue> {
        const WANTED: &str = "give it as the portal shows it, like \
                              `InstrumentationKey=…;IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/` \
                              (Application Insights › Overview)";
        if text.len() > LONGEST {
            return Err(BadValue::new(format!("connection string is longer than {LONGEST} characters: {WANTED}")));
        }
        let mut suffix = None;
        let mut location: Option<Region> = None;
        let mut given: Vec<AppInsightsEndpoint> = Vec::new();
        let mut has_key = false;
        for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(BadValue::new(format!("connection string is not made of KEY=VALUE pairs: {WANTED}")));
            };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            if key == "instrumentationkey" {
                if uuid::Uuid::try_parse(value).is_err() {
                    return Err(BadValue::new(format!(
                        "connection string has an InstrumentationKey that is not a GUID: {WANTED}"
                    )));
                }
                has_key = true;
            }
            if key == "endpointsuffix" {
                let host = HostName::of_argument(value).ok_or_else(|| bad_endpoint("EndpointSuffix", value))?;
                suffix = Some(host);
                continue;
            }
            if key == "location" && !value.is_empty() {
                location = Some(value.parse().map_err(|_| bad_endpoint("Location", value))?);
                continue;
            }
            let Some((role, _, _)) = AppInsightsRole::KEYS.into_iter().find(|(_, name, _)| *name == key) else {
                continue;
            };
            let endpoint = endpoint(role, value).ok_or_else(|| bad_endpoint(pair_key(pair), value))?;
            given.push(endpoint);
        }
        if !has_key && suffix.is_none() && given.is_empty() {
            return Err(BadValue::new(format!("connection string names no endpoint and no key: {WANTED}")));
        }
        let hosts = suffix.iter().chain(given.iter().map(|endpoint| &endpoint.host));
        if let Some(suffix) = hosts.into_iter().find_map(|host| unknown_suffix(host)) {
            return Err(unknown_cloud(suffix));
        }
        let endpoints: Vec<_> = AppInsightsRole::KEYS
            .into_iter()
            .filter_map(|(role, _, prefix)| {
                let named = given.iter().find(|endpoint| endpoint.role == role).cloned();
                named.or_else(|| {
                    // The location stands before the prefix, as SDKs of that time put it.
                    let place = location.as_ref().map(|location| format!("{location}.")).unwrap_or_default();
                    let host = match &suffix {
                        Some(suffix) => HostName::of_name(&format!("{place}{prefix}.{suffix}")),
                        // Without any endpoint SDKs send to the oldest of the global names.
                        None if role == AppInsightsRole::Ingestion => HostName::of_name(LAST_RESORT),
                        None => None,
                    };
                    host.map(|host| AppInsightsEndpoint { role, host, port: 443 })
                })
            })
            .collect();
        // The name of last resort says nothing about the cloud.
        let names_cloud = suffix.is_some() || !given.is_empty();
        let cloud = names_cloud.then(|| endpoints.iter().find_map(|endpoint| Cloud::of_host(&endpoint.host))).flatten();
        let stamp = endpoints.iter().find_map(|endpoint| {
            let (place, rest) = endpoint.host.split_once('.')?;
            rest.starts_with("in.applicationinsights.").then(|| stamp(place)).flatten()
        });
        // The location says nothing about an endpoint that is named in full.
        let used = location.filter(|_| given.iter().all(|endpoint| endpoint.role != AppInsightsRole::Ingestion));
        let place = used.or_else(|| {
            endpoints.iter().find_map(|endpoint| {
                let (place, rest) = endpoint.host.split_once('.')?;
                rest.starts_with("in.applicationinsights.").then(|| place.parse().ok()).flatten()
            })
        });
        if let Some((one, other)) = two_clouds(&endpoints) {
            return Err(BadValue::new(format!(
                "connection string has endpoints of clouds `{one}` and `{other}`: {WANTED}"
            )));
        }
        Ok(Self { endpoints, cloud, stamp, place })
    }
}

fn pair_key(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(key, _)| key.trim())
}

fn bad_endpoint(key: &str, value: &str) -> BadValue {
    BadValue::new(format!(
        "connection string: {} {} is not an https URL: copy the whole string again (Application Insights › Overview)",
        quoted(key),
        quoted(value)
    ))
}

fn endpoint(role: AppInsightsRole, value: &str) -> Option<AppInsightsEndpoint> {
    let host = HostName::of_argument(value)?;
    let port = match url::Url::parse(value) {
        Ok(url) if url.host_str().is_some() => url.port().unwrap_or(443),
        _ => 443,
    };
    Some(AppInsightsEndpoint { role, host, port })
}

fn two_clouds(endpoints: &[AppInsightsEndpoint]) -> Option<(Cloud, Cloud)> {
    let mut clouds = endpoints
        .iter()
        .filter(|endpoint| endpoint.host.as_str() != LAST_RESORT)
        .filter_map(|endpoint| Cloud::of_host(&endpoint.host));
    let first = clouds.next()?;
    clouds.find(|cloud| *cloud != first).map(|other| (first, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "InstrumentationKey=0f0f0f0f-2222-3333-4444-555555555555";

    fn hosts(text: &str) -> Vec<(AppInsightsRole, String)> {
        let parsed: ConnectionString = text.parse().expect("a connection string");
        parsed.endpoints.into_iter().map(|endpoint| (endpoint.role, endpoint.host.into())).collect()
    }

    #[test]
    fn endpoints_and_stamp_are_taken_and_the_key_is_not() {
        let text = format!(
            "{KEY};IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;\
             LiveEndpoint=https://westeurope.livediagnostics.monitor.azure.com/;ApplicationId=0f0f0f0f-1"
        );
        let parsed: ConnectionString = text.parse().expect("a connection string");
        assert_eq!(parsed.stamp, Some(("westeurope".parse().expect("a region"), 5)));
        assert_eq!(parsed.cloud, Some(Cloud::Public));
        assert_eq!(parsed.endpoints.len(), 2);
        assert!(!format!("{parsed:?}").contains("0f0f0f0f"));
    }

    #[test]
    fn suffix_makes_the_four_names() {
        let text = format!("{KEY};EndpointSuffix=applicationinsights.us");
        let expected = ["dc", "live", "profiler", "snapshot"].map(|prefix| format!("{prefix}.applicationinsights.us"));
        assert_eq!(hosts(&text).into_iter().map(|(_, host)| host).collect::<Vec<_>>(), expected);
        assert_eq!(text.parse::<ConnectionString>().expect("a string").cloud, Some(Cloud::UsGov));
        let explicit = format!("{text};LiveEndpoint=https://live.example.test");
        assert!(hosts(&explicit).contains(&(AppInsightsRole::Live, "live.example.test".into())));
    }

    #[test]
    fn location_stands_before_the_prefix_and_a_full_endpoint_wins() {
        let text = format!("{KEY};EndpointSuffix=applicationinsights.us;Location=usgovvirginia");
        let parsed: ConnectionString = text.parse().expect("a string");
        assert_eq!(&*parsed.endpoints[0].host, "usgovvirginia.dc.applicationinsights.us");
        assert_eq!(parsed.region().map(Region::as_str), Some("usgovvirginia"));
        let explicit = format!("{text};IngestionEndpoint=https://dc.applicationinsights.us/");
        let parsed: ConnectionString = explicit.parse().expect("a string");
        assert_eq!((parsed.endpoints[0].host.as_str(), parsed.region()), ("dc.applicationinsights.us", None));
        assert!(parsed.endpoints.iter().any(|endpoint| &*endpoint.host == "usgovvirginia.live.applicationinsights.us"));
        assert_eq!(
            hosts(&format!("{KEY};EndpointSuffix=applicationinsights.us;Location="))[0].1,
            "dc.applicationinsights.us"
        );
        assert!(
            format!("{KEY};EndpointSuffix=applicationinsights.us;Location=a.b").parse::<ConnectionString>().is_err()
        );
    }

    #[test]
    fn region_is_taken_from_regional_ingestion_without_a_number() {
        let text = format!("{KEY};IngestionEndpoint=https://westeurope.in.applicationinsights.azure.com/");
        let parsed: ConnectionString = text.parse().expect("a string");
        assert_eq!((parsed.region().map(Region::as_str), &parsed.stamp), (Some("westeurope"), &None));
    }

    #[test]
    fn suffix_of_an_unknown_cloud_is_named() {
        let text = format!("{KEY};EndpointSuffix=applicationinsights.azure.eaglex.ic.gov");
        let message = text.parse::<ConnectionString>().expect_err("another cloud").to_string();
        assert!(message.contains("azure.eaglex.ic.gov") && message.contains("--endpoint"), "{message}");
    }

    #[test]
    fn bare_key_means_the_global_name_and_no_cloud() {
        assert_eq!(hosts(KEY), [(AppInsightsRole::Ingestion, "dc.services.visualstudio.com".into())]);
        assert_eq!(KEY.parse::<ConnectionString>().expect("a string").cloud, None);
    }

    #[test]
    fn bad_strings_are_refused_without_showing_a_key() {
        let table = [
            "0f0f0f0f-2222-3333-4444-555555555555".to_owned(),
            String::new(),
            "Foo=bar".to_owned(),
            format!("{KEY};IngestionEndpoint=not a host"),
            format!("{KEY};IngestionEndpoint="),
            format!("{KEY};IngestionEndpoint=https://dc.applicationinsights.us;LiveEndpoint=https://live.x.azure.cn"),
            format!("{KEY};x={}", "y".repeat(5000)),
        ];
        for text in table {
            let message = text.parse::<ConnectionString>().expect_err("a bad string").to_string();
            assert!(!message.contains("0f0f0f0f") && !message.contains('\n'), "{message}");
        }
    }
}
