//! What shells offer for an argument whose help does not list its values.

use std::sync::LazyLock;

use ampls_probes::azure::Region;

use super::output::LEVELS;
use crate::diagnose::rules::RULES;
use crate::render::explain::glossary;

/// Our names of the clouds, and those of `az cloud list`.
pub(super) fn clouds() -> Vec<&'static str> {
    vec!["public", "usgov", "china", "AzureCloud", "AzureUSGovernment", "AzureChinaCloud"]
}

/// The regions of all clouds.
pub(super) fn regions() -> Vec<&'static str> {
    Region::known().collect()
}

/// What `explain` knows by its name alone.
pub(super) fn topics() -> Vec<&'static str> {
    let codes = RULES.iter().map(|rule| rule.code);
    codes.chain(glossary::names()).chain(RULES.iter().map(|rule| rule.name)).collect()
}

/// The worlds of `demo`.
#[cfg(feature = "demo")]
pub(super) fn worlds() -> Vec<&'static str> {
    ampls_world::scenarios().iter().map(|world| world.name).collect()
}

/// Every value of `--rule`.
pub(super) fn levels() -> Vec<&'static str> {
    static VALUES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let of = |code: &str| LEVELS.map(|(level, _)| format!("{code}={level}"));
        RULES.iter().flat_map(|rule| of(rule.code)).collect()
    });
    VALUES.iter().map(String::as_str).collect()
}
