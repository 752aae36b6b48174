//! Policies about requests from the portal to private addresses, as Chromium weighs them. No I/O.
//!
//! Source: <https://learn.microsoft.com/deployedge/microsoft-edge-policies/localnetworkaccessblockedforurls>

use serde_json::Value;

use super::policies::{LOCAL_NETWORK, Policies};
use crate::azure::Cloud;
use crate::observation::LocalNetwork;

/// What the policies say of the portals: of the first that is blocked, else of the first that is allowed.
pub(super) fn local_network(policies: &Policies) -> Option<LocalNetwork> {
    let portals = || Cloud::ALL.into_iter().filter_map(|cloud| Some(cloud.facts()?.portal.as_str()));
    let decisions = || portals().filter_map(|portal| decision(policies, portal));
    decisions().find(|decision| decision.blocked).or_else(|| decisions().next())
}

fn decision(policies: &Policies, portal: &str) -> Option<LocalNetwork> {
    LOCAL_NETWORK.into_iter().find_map(|(name, blocked)| {
        let policy = policies.managed(name)?;
        let patterns = policy.value.as_array()?.iter().filter_map(Value::as_str);
        let pattern = patterns.into_iter().find(|pattern| matches(pattern, portal))?;
        Some(LocalNetwork {
            policy: name.to_owned(),
            pattern: pattern.to_owned(),
            portal: format!("https://{portal}"),
            blocked,
            source: policy.source.clone(),
        })
    })
}

/// Whether a pattern matches `https://HOST`.
/// Source: <https://chromeenterprise.google/policies/url-patterns/>
fn matches(pattern: &str, host: &str) -> bool {
    let pattern = pattern.trim();
    if pattern == "*" {
        return true;
    }
    let (scheme, rest) = pattern.split_once("://").unwrap_or(("*", pattern));
    let rest = rest.split('/').next().unwrap_or_default();
    let (name, port) = rest.rsplit_once(':').unwrap_or((rest, "*"));
    if !matches!(scheme, "https" | "*") || !matches!(port, "443" | "*") {
        return false;
    }
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("[*.]") {
        Some(domain) => host == domain || host.strip_suffix(domain).is_some_and(|before| before.ends_with('.')),
        None => name == "*" || name == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_the_portal() {
        for pattern in [
            "*",
            "*://*",
            "https://*",
            "portal.azure.com",
            "https://portal.azure.com",
            "https://portal.azure.com:443/*",
            "[*.]azure.com",
            "https://[*.]azure.com",
            "[*.]portal.azure.com",
            "https://Portal.Azure.com/",
        ] {
            assert!(matches(pattern, "portal.azure.com"), "{pattern}");
        }
        for pattern in ["", "http://portal.azure.com", "azure.com", "[*.]zure.com", "portal.azure.com:8443", "ftp://*"]
        {
            assert!(!matches(pattern, "portal.azure.com"), "{pattern}");
        }
    }
}
