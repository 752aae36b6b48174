//! Browsers and encrypted DNS of a scene.

use super::Scene;
use crate::observation::{
    Asks, BrowserFamily, BrowserSetting, Browsers, BrowsersSeen, EncryptedDns, EncryptedResolver, Observation, Outcome,
    SecureDnsMode, SetBy, Timing,
};

/// A profile of a browser, `chrome`, `edge` or `firefox`, that a user set to ask so.
pub fn browser(id: &str, asks: Asks) -> BrowserSetting {
    let (name, family, policy_file) = match id {
        "firefox" => ("Firefox", BrowserFamily::Firefox, "/etc/firefox/policies/policies.json".to_owned()),
        "edge" => ("Microsoft Edge", BrowserFamily::Chromium, "/etc/opt/edge/policies/managed/ampls.json".to_owned()),
        _ => ("Google Chrome", BrowserFamily::Chromium, "/etc/opt/chrome/policies/managed/ampls.json".to_owned()),
    };
    let (mode, trr_mode) = match asks {
        Asks::System => (SecureDnsMode::Off, 5),
        Asks::EncryptedFirst => (SecureDnsMode::Automatic, 2),
        Asks::EncryptedOnly => (SecureDnsMode::Secure, 3),
    };
    BrowserSetting {
        id: id.to_owned(),
        name: name.to_owned(),
        family,
        profile: Some(format!("/home/a/{id}")),
        mode,
        trr_mode: (family == BrowserFamily::Firefox).then_some(trr_mode),
        set_by: SetBy::User,
        asks,
        template: (asks != Asks::System).then(|| "https://doh.example/dns-query".to_owned()),
        bootstrap: None,
        upgraded_to: None,
        source: format!("/home/a/{id}/settings"),
        rolled_out: false,
        excluded_domains: Vec::new(),
        allows_private: false,
        local_network: None,
        policy_file,
    }
}

impl Scene {
    /// Adds a profile of a browser.
    #[must_use]
    pub fn browser(self, setting: BrowserSetting) -> Self {
        self.edit(|observations| {
            let known = observations.seen.iter_mut().find_map(|seen| match seen {
                Observation::Browsers(Browsers { outcome: Outcome::Seen(seen), .. }) => Some(seen),
                _ => None,
            });
            if let Some(known) = known {
                known.settings.push(setting);
                return;
            }
            let seen = BrowsersSeen { settings: vec![setting], ..BrowsersSeen::default() };
            let browsers = Browsers { timing: Timing::default(), outcome: Outcome::Seen(seen) };
            observations.seen.push(Observation::Browsers(browsers));
        })
    }

    /// A service of the system asks encrypted.
    #[must_use]
    pub fn encrypted_dns(self, resolver: EncryptedResolver) -> Self {
        self.edit(|observations| {
            let (timing, outcome) = (Timing::default(), Outcome::Seen(vec![resolver]));
            observations.seen.push(Observation::EncryptedDns(EncryptedDns { timing, outcome, unread: Vec::new() }));
        })
    }
}
