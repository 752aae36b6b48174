//! Clouds that this version does not know: air-gapped, sovereign and closed ones. No name of another cloud stands in for theirs.

use super::{BadValue, is_within, quoted};

/// What names of these clouds end with.
/// Sources: <https://github.com/Azure/azure-linux-extensions/blob/master/OmsAgent/omsagent.py> (`CloudDomainMap`),
/// <https://github.com/Azure/prometheus-collector/blob/main/otelcollector/shared/helpers.go>
const UNKNOWN: [&str; 8] = [
    "azure.eaglex.ic.gov",
    "azure.microsoft.scloud",
    "microsoft.scloud",
    "sovcloud-api.fr",
    "sovcloud-api.de",
    "sovcloud-api.sg",
    "azure.de",
    "cloudapi.de",
];

/// Domains of those that sign in elsewhere.
const SIGN_IN: [&str; 2] = ["sovcloud-identity.fr", "sovcloud-identity.de"];

/// The suffix of a cloud that is known to exist and whose names this version does not hold.
pub fn unknown_suffix(host: &str) -> Option<&'static str> {
    UNKNOWN.into_iter().find(|suffix| is_within(host, suffix))
}

/// Whether a host belongs to such a cloud, or to where its people sign in.
pub(super) fn is_of_unknown_cloud(host: &str) -> bool {
    unknown_suffix(host).is_some() || SIGN_IN.into_iter().any(|suffix| is_within(host, suffix))
}

/// The error for an argument with such a suffix.
pub(crate) fn unknown_cloud(suffix: &str) -> BadValue {
    BadValue::new(format!(
        "the suffix {} belongs to a cloud that this version does not know: give the names with --endpoint and the roots \
         with --public-roots",
        quoted(suffix)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffix_is_whole_labels() {
        let table = [
            ("x.ods.opinsights.azure.eaglex.ic.gov", Some("azure.eaglex.ic.gov")),
            ("opinsights.azure.microsoft.scloud", Some("azure.microsoft.scloud")),
            ("global.handler.control.monitor.sovcloud-api.fr", Some("sovcloud-api.fr")),
            ("sovcloud-api.fr", Some("sovcloud-api.fr")),
            ("notsovcloud-api.fr", None),
            ("x.azure.com", None),
        ];
        for (host, expected) in table {
            assert_eq!(unknown_suffix(host), expected, "{host}");
        }
    }
}
