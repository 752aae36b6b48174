//! `catalogue/browsers.toml`: where browsers keep policies and profiles, and which resolvers Chromium upgrades by itself.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use super::CatalogueError;
use super::file::confirmed;
use crate::azure::{file_of_the_catalogue, taken};

/// All browsers that are looked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrowserCatalogue {
    /// Where the facts are from: an address for each key that `source` names.
    pub sources: BTreeMap<String, String>,
    /// Chromium and its relatives.
    pub chromium: Vec<ChromiumPlaces>,
    /// Firefox and how it is packaged.
    pub firefox: Vec<FirefoxPlaces>,
    /// Resolvers that Chromium's automatic mode upgrades.
    #[serde(rename = "provider")]
    pub providers: Vec<Provider>,
}

/// Where a relative of Chromium keeps its files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChromiumPlaces {
    /// Unique, e.g. `chrome`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Folders of mandatory policies.
    pub managed: Vec<String>,
    /// Folders of recommended policies.
    pub recommended: Vec<String>,
    /// Roots of user data, below a home.
    pub data: Vec<String>,
    /// The same on Windows; `None` for packages that Windows does not have.
    pub windows: Option<ChromiumOnWindows>,
    /// False when no source proves it.
    #[serde(default = "confirmed")]
    pub confirmed: bool,
    /// Where this is from.
    pub source: Vec<String>,
}

impl ChromiumPlaces {
    /// The file of mandatory policies that this program's fixes write; `None` where no folder is known.
    pub fn policy_file(&self) -> Option<String> {
        self.managed.first().map(|folder| format!("{folder}/ampls.json"))
    }
}

/// Where a relative of Chromium keeps its settings on Windows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChromiumOnWindows {
    /// Its key below `SOFTWARE\Policies`.
    pub policy: String,
    /// Roots of user data, below a home.
    pub data: Vec<String>,
}

/// Where a Firefox keeps its settings on Windows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirefoxOnWindows {
    /// Its key below `SOFTWARE\Policies`.
    pub policy: String,
    /// Files of policies: the first that exists counts.
    pub policies: Vec<String>,
    /// Folders of profiles, below a home.
    pub profiles: Vec<String>,
}

/// Where a Firefox keeps its files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirefoxPlaces {
    /// Unique, e.g. `firefox-esr`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Files of policies: the first that exists counts.
    pub policies: Vec<String>,
    /// Preference files of the system, later ones win.
    #[serde(default)]
    pub defaults: Vec<String>,
    /// The end of the installation's folder, by which a profile (`compatibility.ini`) tells which Firefox used it last.
    pub installed: Option<String>,
    /// Folders of profiles, below a home.
    pub profiles: Vec<String>,
    /// The same on Windows; `None` for packages that Windows does not have.
    pub windows: Option<FirefoxOnWindows>,
    /// Where this is from.
    pub source: Vec<String>,
}

/// A resolver that answers plain and encrypted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// For people.
    pub name: String,
    /// Its addresses for plain DNS.
    pub addresses: Vec<IpAddr>,
    /// The URI template that Chromium asks instead; `None` where no source names it.
    pub template: Option<String>,
    /// The templates of addresses that have one of their own.
    #[serde(default)]
    pub templates: BTreeMap<String, Vec<IpAddr>>,
    /// Where this is from.
    pub source: Vec<String>,
}

const FILE: &str = "browsers.toml";

impl BrowserCatalogue {
    /// The catalogue inside the program. A test parses it: it fails only in a build that never passed its tests.
    pub fn builtin() -> Result<Self, CatalogueError> {
        file_of_the_catalogue!("browsers")
            .and_then(|values| taken(&values))
            .map_err(|message| CatalogueError { file: FILE.to_owned(), message })
    }

    /// The provider that a resolver's address belongs to.
    pub fn provider(&self, address: IpAddr) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.addresses.contains(&address))
    }

    /// The template that Chromium asks instead of a resolver's address.
    pub fn template(&self, address: IpAddr) -> Option<&str> {
        let provider = self.provider(address)?;
        let own = provider.templates.iter().find(|(_, addresses)| addresses.contains(&address));
        own.map(|(template, _)| template.as_str()).or(provider.template.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn built_in_file_is_valid_and_names_its_sources() {
        let catalogue = BrowserCatalogue::builtin().unwrap();
        let chromium = catalogue.chromium.iter().map(|places| (&places.id, &places.source));
        let firefox = catalogue.firefox.iter().map(|places| (&places.id, &places.source));
        let providers = catalogue.providers.iter().map(|provider| (&provider.name, &provider.source));
        let mut ids = BTreeSet::new();
        for (id, sources) in chromium.chain(firefox).chain(providers) {
            assert!(ids.insert(id), "{id} twice");
            assert!(!sources.is_empty(), "{id} has no source");
            assert!(sources.iter().all(|key| catalogue.sources.contains_key(key)), "{id} names an unknown source");
        }
    }

    #[test]
    fn places_are_absolute_for_the_machine_and_relative_for_a_home() {
        let catalogue = BrowserCatalogue::builtin().unwrap();
        for places in &catalogue.chromium {
            assert!(places.managed.iter().chain(&places.recommended).all(|path| path.starts_with('/')));
            let windows = places.windows.iter().flat_map(|places| &places.data);
            assert!(places.data.iter().chain(windows).all(|path| !path.starts_with('/') && !path.contains("..")));
        }
        for places in &catalogue.firefox {
            assert!(places.policies.iter().chain(&places.defaults).all(|path| path.starts_with('/')));
            assert!(places.profiles.iter().all(|path| !path.starts_with('/') && !path.contains("..")));
        }
    }

    #[test]
    fn azure_dns_belongs_to_no_provider() {
        let catalogue = BrowserCatalogue::builtin().unwrap();
        assert!(catalogue.provider("168.63.129.16".parse().unwrap()).is_none());
        assert_eq!(
            catalogue.provider("8.8.4.4".parse().unwrap()).map(|provider| provider.name.as_str()),
            Some("Google")
        );
        assert!(catalogue.provider("9.9.9.9".parse().unwrap()).is_none());
    }

    #[test]
    fn address_with_a_template_of_its_own_has_that() {
        let catalogue = BrowserCatalogue::builtin().unwrap();
        let template = |address: &str| catalogue.template(address.parse().unwrap());
        assert_eq!(template("208.67.222.222"), Some("https://doh.opendns.com/dns-query{?dns}"));
        assert_eq!(template("208.67.222.123"), Some("https://doh.familyshield.opendns.com/dns-query{?dns}"));
        assert_eq!(template("168.63.129.16"), None);
        for provider in &catalogue.providers {
            let own = provider.templates.iter();
            assert!(own.clone().flat_map(|(_, all)| all).all(|one| provider.addresses.contains(one)), "{provider:?}");
            let mut templates = own.map(|(template, _)| template).chain(&provider.template);
            assert!(templates.all(|template| template.starts_with("https://")), "{provider:?}");
        }
    }
}
