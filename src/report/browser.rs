//! The browsers, as the report lists them.

use ampls_probes::Observations;
use ampls_probes::observation::{Asks, BrowserSetting, Observation, SecureDnsMode, SetBy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A profile of a browser, or a browser that has policies and no profile.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct BrowserReport {
    /// Name of the browser.
    pub name: String,
    /// The folder of the profile or user data.
    pub profile: Option<String>,
    /// The mode that holds.
    pub mode: SecureDnsMode,
    /// Who set it.
    pub set_by: SetBy,
    /// URI templates of its resolvers, separated by spaces.
    pub template: Option<String>,
    /// The file that decides; empty when nothing does.
    pub source: String,
    /// The resolver that it asks.
    pub asks: Asks,
}

/// Every browser that was found, by browser, then by profile.
pub(super) fn browsers(observations: &Observations) -> Vec<BrowserReport> {
    let seen = observations.seen.iter().filter_map(|seen| match seen {
        Observation::Browsers(browsers) => browsers.outcome.seen(),
        _ => None,
    });
    seen.flat_map(|seen| seen.settings.iter().map(BrowserReport::new)).collect()
}

impl BrowserReport {
    fn new(setting: &BrowserSetting) -> Self {
        Self {
            name: setting.name.clone(),
            profile: setting.profile.clone(),
            mode: setting.mode,
            set_by: setting.set_by,
            template: setting.template.clone(),
            source: setting.source.clone(),
            asks: setting.asks,
        }
    }
}
