//! What the browsers and the system's own services do with DNS.

use ampls_probes::observation::{Asks, BrowserSetting, EncryptedResolver};

use super::{EndpointFacts, Facts, Observation, View, ViewKind};

impl<'a> Facts<'a> {
    /// Every browser that was found, by browser, then by profile.
    pub fn browsers(&self) -> &'a [BrowserSetting] {
        let seen = self.observations().seen.iter().find_map(|seen| match seen {
            Observation::Browsers(browsers) => browsers.outcome.seen(),
            _ => None,
        });
        seen.map_or(&[], |seen| seen.settings.as_slice())
    }

    /// The system's services that ask encrypted.
    pub fn encrypted_resolvers(&self) -> &'a [EncryptedResolver] {
        let seen = self.observations().seen.iter().find_map(|seen| match seen {
            Observation::EncryptedDns(encrypted) => encrypted.outcome.seen(),
            _ => None,
        });
        seen.map_or(&[], Vec::as_slice)
    }

    /// Names of an AMPLS that are private here: in the system's or a configured server's view.
    pub fn private_here(&self) -> impl Iterator<Item = &EndpointFacts<'a>> {
        let private = |view: &View| matches!(view.view, ViewKind::System | ViewKind::Server) && view.is_private();
        self.ampls_endpoints().filter(move |facts| facts.views.iter().any(private))
    }

    /// The names of an AMPLS that a browser asks so; those it is set to leave out are not among them.
    pub fn asked_so(&self, setting: &BrowserSetting, asks: Asks) -> Vec<&EndpointFacts<'a>> {
        if setting.asks != asks {
            return Vec::new();
        }
        self.ampls_endpoints().filter(|facts| !is_excluded(setting, facts.fqdn())).collect()
    }
}

/// The name is one of the excluded domains, or below one.
fn is_excluded(setting: &BrowserSetting, fqdn: &str) -> bool {
    setting
        .excluded_domains
        .iter()
        .map(|domain| domain.trim_start_matches('.'))
        .any(|domain| fqdn == domain || fqdn.strip_suffix(domain).is_some_and(|before| before.ends_with('.')))
}
