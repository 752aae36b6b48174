//! Ids of resources, as Azure Resource Manager writes them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::value::{BadValue, quoted};

/// Characters of an id at most: the longest names of subscription, group and resource leave it far below.
const LONGEST: usize = 512;

/// The id of a resource in a resource group, or of one of its children. Ids that differ in case name the same resource.
///
/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>
#[derive(Clone, Debug)]
pub struct ResourceId {
    text: String,
    lower: String,
}

impl ResourceId {
    /// The id as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The subscription, as it was written.
    pub fn subscription(&self) -> &str {
        self.part(1)
    }

    /// The resource group.
    pub fn group(&self) -> &str {
        self.part(3)
    }

    /// The name of the resource, without those of its parents.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// The type in lower case, like `microsoft.network/privatednszones/virtualnetworklinks`.
    pub fn kind(&self) -> String {
        let provider = self.lower.rsplit("/providers/").next().unwrap_or_default();
        let mut parts = provider.split('/');
        let namespace = parts.next().unwrap_or_default().to_owned();
        parts.step_by(2).fold(namespace, |kind, part| format!("{kind}/{part}"))
    }

    /// The resource that this one is part of: a zone's link has the zone, a subnet its network.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let parts: Vec<&str> = self.text.split('/').collect();
        let parent = parts.get(..parts.len().checked_sub(2)?)?.join("/");
        parent.parse().ok()
    }

    fn part(&self, number: usize) -> &str {
        self.text.split('/').nth(number + 1).unwrap_or_default()
    }
}

impl FromStr for ResourceId {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let parts: Vec<&str> = text.split('/').collect();
        let word = |number: usize, word: &str| parts.get(number).is_some_and(|part| part.eq_ignore_ascii_case(word));
        let fits = text.len() <= LONGEST
            && parts.first().is_some_and(|part| part.is_empty())
            && word(1, "subscriptions")
            && word(3, "resourceGroups")
            && word(5, "providers")
            && parts.len() >= 9
            && parts.len() % 2 == 1
            && parts.iter().skip(1).all(|part| is_part(part));
        if !fits {
            return Err(BadValue::new(format!("{} is not the id of a resource", quoted(text))));
        }
        Ok(Self { text: text.to_owned(), lower: text.to_ascii_lowercase() })
    }
}

/// One step of an id: what is made of dots alone leads elsewhere.
fn is_part(part: &str) -> bool {
    !part.starts_with('-')
        && part.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-()".contains(&byte))
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.lower == other.lower
    }
}

impl Eq for ResourceId {}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.lower.cmp(&other.lower)
    }
}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lower.hash(state);
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-dns/providers/Microsoft.Network/privateDnsZones/privatelink.monitor.azure.com/virtualNetworkLinks/hub-link";

    #[test]
    fn an_id_is_read_in_its_parts() {
        let link: ResourceId = LINK.parse().expect("an id");
        assert_eq!(link.subscription(), "00000000-0000-4000-8000-000000000001");
        assert_eq!((link.group(), link.name()), ("rg-dns", "hub-link"));
        assert_eq!(link.kind(), "microsoft.network/privatednszones/virtualnetworklinks");
        let zone = link.parent().expect("its zone");
        assert_eq!(
            (zone.name(), zone.kind()),
            ("privatelink.monitor.azure.com", "microsoft.network/privatednszones".to_owned())
        );
        assert_eq!(zone.parent(), None, "a group is not a resource");
    }

    #[test]
    fn case_does_not_tell_two_resources_apart() {
        assert_eq!(LINK.parse::<ResourceId>().expect("an id"), LINK.to_uppercase().parse().expect("the same id"));
    }

    #[test]
    fn what_is_not_an_id_is_refused_in_harmless_words() {
        let long = format!("{LINK}/x/{}", "y".repeat(LONGEST));
        for text in [
            "",
            "/",
            "/subscriptions/x",
            "/subscriptions/a/resourceGroups/b/providers/c/d",
            "/subscriptions/a/resourceGroups/../providers/c/d/e",
            "x/subscriptions/a/resourceGroups/b/providers/c/d/e",
            "/subscriptions/a/resourceGroups/b/providers/c/d/$(id)",
            "/subscriptions/a/resourceGroups/b/providers/c/d/-x",
            "/subscriptions/a/resourceGroups/b/providers/c/d/\u{1b}[2J",
            &long,
        ] {
            let message = text.parse::<ResourceId>().expect_err("not an id").to_string();
            assert!(message.contains("is not the id of a resource") && !message.contains('\u{1b}'), "{message}");
        }
    }
}
