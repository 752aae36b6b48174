//! What is Azure's own, as the catalogues have it: whole names, domains, values and places of files.

use std::collections::{BTreeMap, BTreeSet};

use ampls_probes::Catalogue;
use ampls_probes::catalogue::BrowserCatalogue;
use ampls_probes::catalogue::agents::{Agents, System};
use ampls_probes::catalogue::sinkholes::Sinkholes;

use super::words;

/// More labels than any domain of Azure's has.
const DEEPEST: usize = 10;

/// What purposes the plan gives to names that an argument names.
const PURPOSES: [&str; 2] = ["Application Insights, as the connection string names it", "named with `--endpoint`"];

/// What is known.
pub(super) struct Known {
    /// Names and domains, with every parent of those of Azure.
    domains: BTreeSet<String>,
    /// Texts that are kept as wholes: purposes, tags, names of agents and browsers.
    pub(super) wholes: BTreeSet<String>,
    /// What ids of endpoints begin with.
    pub(super) ids: BTreeSet<String>,
    /// Absolute files and folders, lower case, and all folders above them.
    pub(super) places: BTreeSet<String>,
    /// The same below the home of a user.
    pub(super) below_home: BTreeSet<String>,
    /// Folders of extensions, without their version, lower case.
    pub(super) extensions: BTreeSet<String>,
    labels: BTreeMap<String, Vec<String>>,
    regions: BTreeSet<String>,
}

impl Known {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        let mut known = Self {
            domains: words::PUBLIC_RESOLVERS.split(' ').map(str::to_owned).collect(),
            wholes: PURPOSES.iter().map(|purpose| (*purpose).to_owned()).collect(),
            ids: BTreeSet::from(["endpoint".to_owned()]),
            places: BTreeSet::new(),
            below_home: BTreeSet::new(),
            extensions: BTreeSet::new(),
            labels: BTreeMap::new(),
            regions: BTreeSet::new(),
        };
        for path in words::PATHS {
            add_place(path, &mut known.places);
        }
        known.add_catalogue(catalogue);
        // These files are parts of the program, and tests hold that they can be read.
        if let Ok(agents) = Agents::builtin() {
            known.add_agents(&agents);
        }
        if let Ok(browsers) = BrowserCatalogue::builtin() {
            known.add_browsers(&browsers);
        }
        let sinkholes = Sinkholes::builtin().into_iter().flat_map(|file| file.known);
        sinkholes.flat_map(|filter| filter.aliases).for_each(|alias| known.add_domain(&alias));
        known
    }

    /// Where the part of a name begins that is a domain of Azure's or a public resolver's, and that domain.
    pub(super) fn domain<'a>(&self, name: &'a str) -> Option<(usize, &'a str)> {
        let mut longest = None;
        let ends = name.rmatch_indices('.').map(|(at, _)| at + 1);
        for start in ends.chain([0]).take(DEEPEST) {
            let domain = name.get(start..)?;
            if self.domains.contains(domain) {
                longest = Some((start, domain));
            }
            if start == 0 {
                break;
            }
        }
        longest
    }

    /// A region, or a region with its number, as stamps of Azure's services have it.
    pub(super) fn is_region(&self, label: &str) -> bool {
        let numbered = label.rsplit_once('-').filter(|(_, number)| {
            (1..=2).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit())
        });
        self.regions.contains(numbered.map_or(label, |(region, _)| region))
    }

    /// A label of Azure's own below one of its domains.
    pub(super) fn is_own_label(&self, label: &str, domain: &str) -> bool {
        label == "privatelink"
            || self.is_region(label)
            || self.labels.get(domain).is_some_and(|labels| labels.iter().any(|own| own == label))
            || (domain.starts_with("azure-dns.") && is_name_server(label))
    }

    fn add_domain(&mut self, name: &str) {
        let name = name.trim_matches(['.', '*', ' ']).to_ascii_lowercase();
        let parents = name.match_indices('.').filter_map(|(at, _)| name.get(at + 1..));
        self.domains.extend(parents.map(str::to_owned));
        self.domains.insert(name);
    }

    /// A name with parameters: what stands behind the last of them.
    fn add_template(&mut self, name: &str) {
        match name.rsplit_once('>') {
            None => self.add_domain(name),
            Some((_, rest)) => {
                if let Some((_, domain)) = rest.split_once('.') {
                    self.add_domain(domain);
                }
            }
        }
    }

    fn add_catalogue(&mut self, catalogue: &Catalogue) {
        for cloud in &catalogue.clouds {
            let facts = &cloud.facts;
            self.wholes.extend(facts.azure_environments.iter().cloned());
            facts.microsoft_domains().for_each(|name| self.add_domain(name));
            self.labels.extend(facts.domains.labels.clone());
            self.regions.extend(facts.regions.names.iter().cloned());
            for zone in &cloud.zones {
                self.add_domain(&zone.name);
                zone.forwards.iter().for_each(|name| self.add_domain(name));
            }
            for entry in &cloud.entries {
                self.add_template(&entry.name.to_string());
                entry.alias.iter().for_each(|alias| self.add_template(&alias.to_string()));
                let id = entry.id.to_string();
                self.ids.insert(id.split(':').next().unwrap_or_default().to_owned());
                self.wholes.extend([entry.path.clone(), entry.purpose.clone()]);
                self.wholes.extend(entry.service_tag.clone());
            }
            for pattern in &cloud.patterns {
                self.add_template(&pattern.name);
                self.wholes.insert(pattern.purpose.clone());
                self.wholes.extend(pattern.service_tag.clone());
            }
        }
    }

    fn add_agents(&mut self, agents: &Agents) {
        add_place(&agents.extensions_folder, &mut self.places);
        for agent in agents.agents.iter().filter(|agent| agent.system == System::Windows) {
            self.wholes.extend(agent.services.iter().cloned());
            for extension in &agent.extensions {
                add_place(&format!(r"{}\{extension}", agents.windows_extensions_folder), &mut self.places);
            }
        }
        for agent in &agents.agents {
            self.wholes.insert(agent.name.clone());
            let files = agent.files.values().flatten();
            let paths = agent.signs.iter().chain(&agent.programs).chain(files);
            paths.for_each(|path| add_place(path, &mut self.places));
            self.extensions.extend(agent.extensions.iter().map(|name| name.to_ascii_lowercase()));
        }
    }

    fn add_browsers(&mut self, browsers: &BrowserCatalogue) {
        for browser in &browsers.chromium {
            self.wholes.extend([browser.id.clone(), browser.name.clone()]);
            let folders = browser.managed.iter().chain(&browser.recommended);
            folders.for_each(|path| add_place(path, &mut self.places));
            browser.policy_file().iter().for_each(|path| add_place(path, &mut self.places));
            browser.data.iter().for_each(|path| add_place(path, &mut self.below_home));
        }
        for browser in &browsers.firefox {
            self.wholes.extend([browser.id.clone(), browser.name.clone()]);
            let files = browser.policies.iter().chain(&browser.defaults);
            files.for_each(|path| add_place(path, &mut self.places));
            browser.profiles.iter().for_each(|path| add_place(path, &mut self.below_home));
        }
        self.wholes.extend(browsers.providers.iter().map(|provider| provider.name.clone()));
    }
}

/// A path and every folder above it; the program itself stands for `\` as well as `/`.
fn add_place(path: &str, places: &mut BTreeSet<String>) {
    let path = path.replace('\\', "/").to_ascii_lowercase();
    let above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
    places.extend(above.filter(|folder| !folder.is_empty()).map(str::to_owned));
    places.insert(path);
}

/// `ns1-38`, as Azure numbers its public DNS servers.
fn is_name_server(label: &str) -> bool {
    let number = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    label.strip_prefix("ns").and_then(|rest| rest.split_once('-')).is_some_and(|(one, two)| number(one) && number(two))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_azure_are_known_and_others_not() {
        let known = Known::new(&Catalogue::builtin().unwrap());
        let domain = |name| known.domain(name).map(|(_, domain)| domain);
        assert_eq!(domain("x.ods.opinsights.azure.com"), Some("ods.opinsights.azure.com"));
        assert_eq!(domain("a.privatelink.ods.opinsights.azure.com"), Some("privatelink.ods.opinsights.azure.com"));
        assert_eq!(domain("a-1.westeurope-1.ingest.monitor.azure.com"), Some("ingest.monitor.azure.com"));
        assert_eq!(domain("notazure.com"), Some("com"));
        for strange in ["prod.core.local", "google.local", "westeurope", "prod", "core", "gateway", "local", ""] {
            assert_eq!(domain(strange), None, "{strange}");
        }
    }

    #[test]
    fn both_catalogues_are_read() {
        let known = Known::new(&Catalogue::builtin().unwrap());
        assert!(known.wholes.contains("Microsoft Edge") && known.wholes.contains("Log Analytics agent for Linux"));
        assert!(known.places.contains("/etc/opt/edge/policies") && known.below_home.contains(".mozilla"));
        assert!(known.is_region("westeurope-5") && !known.is_region("prod-5") && !known.is_region("westeurope-500"));
    }
}
