//! What Azure calls things: clouds, regions, workspaces, storage accounts, data collection endpoints, host names, resources.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use agent::{AgentKind, AgentsSeen, LegacyAgent};
pub use cloud::{Cloud, CloudFacts, Domains, Regions, is_authority, is_private_authority, is_redirect_target};
pub(crate) use dce::stamp;
pub use dce::{Dce, DceHost};
pub use host::{HostName, is_within};
pub use resource::ResourceId;
pub(crate) use text::{file_of_the_catalogue, of_the_program, taken, values};
pub use value::BadValue;
pub(crate) use value::quoted;

pub(crate) use unknown::unknown_cloud;
pub use unknown::unknown_suffix;

mod agent;
mod cloud;
mod dce;
mod host;
mod resource;
mod text;
mod unknown;
mod value;

/// A region by its short name, like `westeurope`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

impl Region {
    /// The short name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The regions that the catalogue knows, of all clouds.
    pub fn known() -> impl Iterator<Item = &'static str> {
        let facts = Cloud::ALL.into_iter().filter_map(Cloud::facts);
        facts.flat_map(|facts| &facts.regions.names).map(String::as_str)
    }

    /// The cloud a region of this name is in: those of the sovereign clouds carry it in their name.
    pub fn cloud(&self) -> Cloud {
        let marked = |cloud: &Cloud| {
            let prefixes = cloud.facts().map(|facts| facts.regions.prefixes.as_slice()).unwrap_or_default();
            prefixes.iter().any(|prefix| self.0.starts_with(prefix))
        };
        Cloud::ALL.into_iter().find(marked).unwrap_or(Cloud::Public)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Region {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        // The portal shows `West Europe`, the API says `westeurope`.
        let name: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_lowercase()).collect();
        let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 40
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !fits {
            return Err(BadValue::new(format!(
                "region {} is not a region name: give its short name, like `westeurope` (az account list-locations)",
                quoted(text)
            )));
        }
        Ok(Self(name))
    }
}

impl TryFrom<String> for Region {
    type Error = BadValue;

    fn try_from(text: String) -> Result<Self, BadValue> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0
    }
}

/// The id of a Log Analytics workspace (its customer id, not its resource id).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkspaceId(Uuid);

impl fmt::Display for WorkspaceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.hyphenated())
    }
}

impl FromStr for WorkspaceId {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let parsed = is_guid(text).then(|| Uuid::try_parse(text).ok()).flatten();
        parsed.map(Self).ok_or_else(|| {
            BadValue::new(format!(
                "workspace {} is not a GUID: give the workspace id, like `11111111-2222-3333-4444-555555555555` \
                 (Log Analytics workspace › Overview)",
                quoted(text)
            ))
        })
    }
}

/// The hyphenated form only: `uuid` takes braces, URNs and bare digits as well.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36 && text.is_ascii() && Uuid::try_parse(text).is_ok()
}

/// The name of a storage account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageAccount(String);

impl StorageAccount {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StorageAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for StorageAccount {
    type Err = BadValue;

    /// Source: <https://learn.microsoft.com/azure/storage/common/storage-account-overview>
    fn from_str(text: &str) -> Result<Self, BadValue> {
        let fits = (3..=24).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !fits {
            return Err(BadValue::new(format!(
                "storage account {} is not an account name: give 3 to 24 lower-case letters and digits, without the suffix",
                quoted(text)
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_is_taken_in_its_short_and_its_display_form() {
        for text in ["westeurope", "West Europe", "WestEurope"] {
            assert_eq!(text.parse::<Region>().expect("a region").as_str(), "westeurope");
        }
        for text in ["", " ", "west-europe", "west.europe", "2west", "west\neurope", "wésteurope", "<region>"] {
            assert!(text.parse::<Region>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn workspace_is_a_guid_in_lower_case() {
        let id: WorkspaceId = "ABCDEF00-2222-3333-4444-555555555555".parse().expect("a GUID");
        assert_eq!(id.to_string(), "abcdef00-2222-3333-4444-555555555555");
        let bad =
            ["abc", "", "{11111111-2222-3333-4444-555555555555}", "11111111222233334444555555555555", "\u{1b}[0m"];
        for text in bad {
            let message = text.parse::<WorkspaceId>().expect_err("not a GUID").to_string();
            assert!(message.contains("is not a GUID") && !message.chars().any(char::is_control), "{message}");
        }
    }

    #[test]
    fn storage_account_is_three_to_twenty_four_lower_case_letters_and_digits() {
        for text in ["abc", "abcdefghij0123456789abcd"] {
            assert!(text.parse::<StorageAccount>().is_ok(), "{text}");
        }
        for text in ["ab", "abcdefghij0123456789abcde", "Abc", "a-bc", "abc.blob.core.windows.net"] {
            assert!(text.parse::<StorageAccount>().is_err(), "{text}");
        }
    }
}
