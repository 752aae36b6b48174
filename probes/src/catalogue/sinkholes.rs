//! Where DNS filters lead what they block, as data: `catalogue/sinkholes.toml`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::Value;

use super::CatalogueError;
use crate::azure::{file_of_the_catalogue, taken, values};

const FILE: &str = "sinkholes.toml";

/// The file, parsed and checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sinkholes {
    /// The day on which this was taken from the sources, `YYYY-MM-DD`.
    pub date: String,
    /// Where the facts are from, by key.
    pub sources: BTreeMap<String, String>,
    /// By filter.
    #[serde(rename = "sinkhole")]
    pub known: Vec<Sinkhole>,
}

/// Where one filter leads names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sinkhole {
    /// The product or service.
    pub filter: String,
    /// Its addresses.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    /// Its names, lower case, without trailing dot: the end of the chain.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Keys of [`Sinkholes::sources`].
    pub source: Vec<String>,
}

impl Sinkholes {
    /// The file that is part of the program.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::checked(file_of_the_catalogue!("sinkholes"))
    }

    /// Parses the text of such a file.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        Self::checked(values(text))
    }

    fn checked(values: Result<Value, String>) -> Result<Self, CatalogueError> {
        let wrong = |message: String| CatalogueError { file: FILE.to_owned(), message };
        let parsed: Self = values.and_then(|values| taken(&values)).map_err(wrong)?;
        for known in &parsed.known {
            let name = &known.filter;
            if known.addresses.is_empty() && known.aliases.is_empty() {
                return Err(wrong(format!("sinkhole `{name}`: `addresses` or `aliases` must name one")));
            }
            if known.aliases.iter().any(|alias| *alias != alias.to_lowercase() || alias.ends_with('.')) {
                return Err(wrong(format!("sinkhole `{name}`: `aliases` are lower case, without trailing dot")));
            }
            if known.source.is_empty() || known.source.iter().any(|key| !parsed.sources.contains_key(key)) {
                return Err(wrong(format!("sinkhole `{name}`: `source` must name keys of `[sources]`")));
            }
        }
        Ok(parsed)
    }

    /// The filter that these aliases or addresses belong to.
    pub fn filter(&self, aliases: &[String], addresses: &[IpAddr]) -> Option<&str> {
        let leads = |known: &&Sinkhole| {
            aliases.iter().any(|alias| known.aliases.contains(alias))
                || addresses.iter().any(|address| known.addresses.contains(address))
        };
        self.known.iter().find(leads).map(|known| known.filter.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_told_by_address_and_by_alias() {
        let known = Sinkholes::builtin().expect("the built-in file");
        let address = |text: &str| vec![text.parse().expect("an address")];
        assert_eq!(known.filter(&[], &address("146.112.61.106")), Some("Cisco Umbrella"));
        assert_eq!(known.filter(&[], &address("146.112.61.109")), None);
        let alias = ["sinkhole.paloaltonetworks.com".to_owned()];
        assert_eq!(known.filter(&alias, &address("198.51.100.1")), Some("Palo Alto Networks DNS sinkhole"));
    }

    #[test]
    fn a_wrong_file_is_an_error_that_names_file_and_key() {
        let good = include_str!("../../catalogue/sinkholes.toml");
        for (text, key) in [
            (good.replacen("addresses =", "adresses =", 1), "adresses"),
            (good.replacen("source = [\"umbrella\"]", "source = [\"nowhere\"]", 1), "source"),
            (good.replacen("62.0.58.94", "62.0.58", 1), "addresses"),
        ] {
            let error = Sinkholes::parse(&text).expect_err(key).to_string();
            assert!(error.contains("sinkholes.toml") && error.contains(key), "{error}");
        }
    }
}
