//! The clouds, and what the `[cloud]` table of each catalogue file says about them: suffixes, regions, domains.
//!
//! The tables are read here because host names and regions name a cloud before any catalogue is at hand.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::host::is_within;
use super::text::{file_of_the_catalogue, taken};
use super::unknown::is_of_unknown_cloud;
use super::value::{BadValue, quoted};

macro_rules! clouds {
    ($($(#[$doc:meta])+ $variant:ident = $word:literal,)+) => {
        /// A cloud with endpoints of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Cloud {
            $($(#[$doc])+ #[serde(rename = $word)] $variant,)+
        }

        impl Cloud {
            /// All of them by their words.
            pub const WORDS: [(&'static str, Self); [$($word),+].len()] = [$(($word, Self::$variant)),+];
            /// All of them.
            pub const ALL: [Self; Self::WORDS.len()] = [$(Self::$variant),+];

            /// Its word, which is also the name of its catalogue file.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The name of its catalogue file and what that holds, which is taken out of the text once.
            pub(crate) fn file(self) -> (&'static str, Result<&'static Value, &'static String>) {
                match self {
                    $(Self::$variant => {
                        static VALUES: LazyLock<Result<Value, String>> =
                            LazyLock::new(|| file_of_the_catalogue!($word));
                        (concat!($word, ".toml"), VALUES.as_ref())
                    })+
                }
            }
        }
    };
}

// A cloud is its file and its line here: the compiler takes files in by name, and code names the cloud that is the default.
// A file without its line fails a test.
clouds! {
    /// Azure, the public cloud.
    Public = "public",
    /// Azure for US Government.
    UsGov = "usgov",
    /// Azure operated by 21Vianet.
    China = "china",
}

impl Cloud {
    /// What its catalogue file says about it; `None` only in a build that never passed its tests.
    pub fn facts(self) -> Option<&'static CloudFacts> {
        FACTS.iter().find(|facts| facts.name == self)
    }

    /// The public suffix of Azure Monitor's own names.
    pub fn monitor_suffix(self) -> &'static str {
        self.facts().map_or("", |facts| &facts.monitor_suffix)
    }

    /// The cloud whose names end like this host, by the suffixes that name a cloud at all.
    pub(crate) fn of_host(host: &str) -> Option<Self> {
        let below = |facts: &&CloudFacts| facts.suffixes.iter().any(|suffix| host != suffix && is_within(host, suffix));
        FACTS.iter().find(below).map(|facts| facts.name)
    }

    /// The cloud that `az cloud list`, the metadata service or a connected machine calls so, in any case of letters.
    pub fn of_az_name(name: &str) -> Option<Self> {
        let is = |facts: &&CloudFacts| {
            facts.az_names.iter().chain(&facts.azure_environments).any(|known| known.eq_ignore_ascii_case(name))
        };
        FACTS.iter().find(is).map(|facts| facts.name)
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Cloud {
    type Err = BadValue;

    /// `public`, `usgov` or `china`, or what `az cloud list` and the metadata service call it; in any case of letters.
    fn from_str(text: &str) -> Result<Self, BadValue> {
        let text = text.trim();
        let own = Self::WORDS.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, cloud)| cloud);
        own.or_else(|| Self::of_az_name(text)).ok_or_else(|| {
            let words = Self::WORDS.map(|(word, _)| format!("`{word}`")).join(", ");
            let names = format!("give one of {words}, or the name of `az cloud list`");
            let meant = meant(text).map(|cloud| format!("did you mean `{cloud}`? ")).unwrap_or_default();
            BadValue::new(format!("no cloud {}: {meant}{names}", quoted(text)))
        })
    }
}

/// The cloud that another name of it suggests.
fn meant(text: &str) -> Option<Cloud> {
    let text = text.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    match text.as_str() {
        _ if has(&["gov", "fairfax"]) => Some(Cloud::UsGov),
        _ if has(&["china", "21vianet", "mooncake"]) => Some(Cloud::China),
        _ if has(&["german", "stack", "private"]) => None,
        _ if has(&["azure", "commercial", "global", "publ"]) => Some(Cloud::Public),
        _ => None,
    }
}

/// What is known of a cloud besides the names of its endpoints: the `[cloud]` table of a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudFacts {
    /// The cloud.
    pub name: Cloud,
    /// What the metadata service calls it (`azEnvironment`).
    pub azure_environments: Vec<String>,
    /// What `az cloud list` and the agent of Azure Arc call it.
    pub az_names: Vec<String>,
    /// The public suffix of Azure Monitor's own names.
    pub monitor_suffix: String,
    /// Domains, without leading dot, below which a name belongs to this cloud and to no other.
    pub suffixes: Vec<String>,
    /// The host of its portal.
    pub portal: String,
    /// Its regions.
    pub regions: Regions,
    /// Domains of Microsoft behind its names.
    pub domains: Domains,
    /// Keys of the file's sources.
    pub source: Vec<String>,
    /// The day on which this was taken from them, `YYYY-MM-DD`.
    pub date: String,
}

/// The regions of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regions {
    /// What the name of every region of it begins with; empty where it has no mark.
    pub prefixes: Vec<String>,
    /// Short names, lower case, with the geographies that stand in names of services.
    pub names: Vec<String>,
    /// Keys of the file's sources.
    pub source: Vec<String>,
    /// The day on which this was taken from them, `YYYY-MM-DD`.
    pub date: String,
}

/// Domains of Microsoft behind the names of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domains {
    /// Of servers and mailboxes in the SOA records of public zones.
    pub authorities: Vec<String>,
    /// Of the servers in the SOA records of private zones.
    pub private_authorities: Vec<String>,
    /// Whole names of mailboxes and servers in SOA records.
    pub mailboxes: Vec<String>,
    /// What services redirect to.
    pub redirects: Vec<String>,
    /// Behind aliases, load balancers and policies.
    pub infrastructure: Vec<String>,
    /// Labels below a domain that are the service's own, by domain.
    #[serde(default)]
    pub labels: BTreeMap<String, Vec<String>>,
    /// Keys of the file's sources.
    pub source: Vec<String>,
    /// The day on which this was taken from them, `YYYY-MM-DD`.
    pub date: String,
}

impl CloudFacts {
    /// All names and domains of Microsoft in it; some stand in it twice.
    pub fn microsoft_domains(&self) -> impl Iterator<Item = &str> {
        let Domains { authorities, private_authorities, mailboxes, redirects, infrastructure, labels, .. } =
            &self.domains;
        let lists = [authorities, private_authorities, mailboxes, redirects, infrastructure, &self.suffixes];
        let own = [&self.portal, &self.monitor_suffix];
        lists.into_iter().flatten().chain(labels.keys()).chain(own).map(String::as_str)
    }

    /// What is wrong with it, given the keys of the file's sources.
    pub(crate) fn fault(&self, sources: &BTreeMap<String, String>) -> Option<String> {
        let parts = [
            ("cloud", &self.source, &self.date),
            ("cloud.regions", &self.regions.source, &self.regions.date),
            ("cloud.domains", &self.domains.source, &self.domains.date),
        ];
        parts.into_iter().find_map(|(table, source, date)| {
            if date.parse::<jiff::civil::Date>().is_err() {
                return Some(format!("`{table}`: `date` is not a day like `2026-11-22`"));
            }
            if source.is_empty() {
                return Some(format!("`{table}`: `source` must name one"));
            }
            let unknown = source.iter().find(|key| !sources.contains_key(*key))?;
            Some(format!("`{table}`: `source` names `{unknown}`, which `[sources]` does not hold"))
        })
    }
}

/// The `[cloud]` tables, in the order of [`Cloud::ALL`].
static FACTS: LazyLock<Vec<CloudFacts>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct File {
        cloud: CloudFacts,
    }
    Cloud::ALL.into_iter().filter_map(|cloud| Some(taken::<File>(cloud.file().1.ok()?).ok()?.cloud)).collect()
});

/// Whether a server or mailbox of an SOA record is Microsoft's, of a public zone.
pub fn is_authority(host: &str) -> bool {
    any_within(host, |domains| &domains.authorities)
}

/// Whether a server of an SOA record is that of Azure's private zones.
pub fn is_private_authority(host: &str) -> bool {
    any_within(host, |domains| &domains.private_authorities)
}

/// Whether a host is one that Microsoft's services redirect to.
pub fn is_redirect_target(host: &str) -> bool {
    any_within(host, |domains| &domains.redirects) || is_of_unknown_cloud(host)
}

fn any_within(host: &str, list: impl Fn(&Domains) -> &[String]) -> bool {
    FACTS.iter().flat_map(|facts| list(&facts.domains)).any(|domain| is_within(host, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_is_known_by_its_word() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.as_str().parse(), Ok(cloud));
        }
        for (text, cloud) in
            [("Public", Cloud::Public), ("AZUREUSGOVERNMENT", Cloud::UsGov), ("azurecloud", Cloud::Public)]
        {
            assert_eq!(text.parse(), Ok(cloud), "{text}");
        }
    }

    #[test]
    fn another_name_of_a_cloud_is_refused_with_the_one_that_is_meant() {
        for (text, meant) in
            [("gov", "`usgov`?"), ("azure", "`public`?"), ("Mooncake", "`china`?"), ("moon", "give one of `public`")]
        {
            let message = text.parse::<Cloud>().expect_err(text).to_string();
            assert!(message.contains(meant), "{message}");
        }
        assert!(!"AzureGermanCloud".parse::<Cloud>().expect_err("closed").to_string().contains("did you mean"));
    }

    #[test]
    fn every_catalogue_file_of_a_cloud_has_its_line() {
        #[derive(Deserialize)]
        struct Table {
            name: String,
        }
        #[derive(Deserialize)]
        struct File {
            cloud: Option<Table>,
        }
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/catalogue")).expect("a folder");
        let mut named: Vec<String> = files
            .filter_map(|file| {
                let path = file.expect("an entry").path();
                let file: File = toml::from_str(&std::fs::read_to_string(&path).expect("a text")).expect("TOML");
                let name = file.cloud?.name;
                assert_eq!(path.file_stem().and_then(std::ffi::OsStr::to_str), Some(name.as_str()));
                Some(name)
            })
            .collect();
        named.sort();
        let mut words = Cloud::WORDS.map(|(word, _)| word);
        words.sort_unstable();
        assert_eq!(named, words);
    }

    #[test]
    fn every_cloud_has_its_facts() {
        for cloud in Cloud::ALL {
            let facts = cloud.facts().expect("a `[cloud]` table");
            assert!(facts.monitor_suffix.starts_with("monitor.azure.") && !facts.azure_environments.is_empty());
            for region in &facts.regions.names {
                assert_eq!(region.parse::<super::super::Region>().expect(region).cloud(), cloud, "{region}");
            }
        }
    }

    #[test]
    fn a_host_names_its_cloud_and_a_name_that_only_ends_alike_does_not() {
        for (host, cloud) in [
            ("x.ods.opinsights.azure.com", Some(Cloud::Public)),
            ("dc.services.visualstudio.com", Some(Cloud::Public)),
            ("x.monitor.azure.us", Some(Cloud::UsGov)),
            ("x.chinacloudapi.cn", Some(Cloud::China)),
            ("visualstudio.com", None),
            ("notazure.com", None),
            ("azure.com", None),
        ] {
            assert_eq!(Cloud::of_host(host), cloud, "{host}");
        }
    }

    #[test]
    fn clouds_are_known_by_the_names_that_az_and_arc_use() {
        for (name, cloud) in [
            ("AzureCloud", Some(Cloud::Public)),
            ("azurepubliccloud", Some(Cloud::Public)),
            ("AzureUSGovernment", Some(Cloud::UsGov)),
            ("AzureUSGovernmentCloud", Some(Cloud::UsGov)),
            ("azurechinacloud", Some(Cloud::China)),
            ("AzureGermanCloud", None),
        ] {
            assert_eq!(Cloud::of_az_name(name), cloud, "{name}");
        }
    }

    #[test]
    fn domains_are_distinguished_by_their_use() {
        assert!(is_private_authority("azureprivatedns.net") && !is_authority("azureprivatedns.net"));
        assert!(is_authority("ns1-07.azure-dns.com") && !is_authority("ns1.notmicrosoft.com"));
        assert!(is_redirect_target("login.microsoftonline.us") && !is_redirect_target("azure-dns.com"));
    }
}
