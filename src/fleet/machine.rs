//! Machines: what distinguishes them, and where they stand.

use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::{LONGEST, LONGEST_ID};
use crate::report::Redacted;
use crate::text::escape;

/// What tells a machine from others: its id within Azure, else its resource id, else its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MachineKey {
    /// The id within Azure.
    VmId(Uuid),
    /// An id within Azure that is not a GUID.
    OtherId(Box<str>),
    /// The resource id, in lower case: Azure does not distinguish the cases.
    ResourceId(Box<str>),
    /// The host name, in lower case.
    Name(Box<str>),
    /// A pseudonym, and the set of reports, or the run alone, in which it stands for this machine.
    Pseudonym(Uuid, Box<Self>),
}

/// Where the names and addresses of a report mean the same. Ordered from everywhere to that report alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Names {
    /// Everywhere: they are the originals.
    Originals,
    /// In the reports that were redacted together.
    OfSet(Uuid),
    /// In this report.
    OfOneReport,
}

impl Names {
    /// Of a report, by what was replaced in it.
    pub fn of(redacted: Option<&Redacted>) -> Self {
        redacted.map_or(Self::Originals, |redacted| redacted.set.map_or(Self::OfOneReport, Self::OfSet))
    }

    /// Of a form that says no more than that something was replaced.
    pub fn of_mark(is_redacted: bool) -> Self {
        if is_redacted { Self::OfOneReport } else { Self::Originals }
    }

    /// Whether they are pseudonyms.
    pub fn are_pseudonyms(self) -> bool {
        self != Self::Originals
    }
}

impl MachineKey {
    /// The key of a machine of which this much is known.
    pub fn new(vm_id: Option<&str>, resource_id: Option<&str>, name: &str) -> Self {
        let given = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        if let Some(id) = given(vm_id) {
            return match Uuid::try_parse(&id) {
                Ok(id) => Self::VmId(id),
                Err(_) => Self::OtherId(escape(&id, LONGEST).to_ascii_lowercase().into()),
            };
        }
        match given(resource_id) {
            Some(id) => Self::ResourceId(escape(&id, LONGEST_ID).to_ascii_lowercase().into()),
            None => Self::Name(escape(name.trim(), LONGEST).to_lowercase().into()),
        }
    }

    /// The key where names are these: every report that was redacted alone counts its pseudonyms from one.
    #[must_use]
    pub fn within(self, names: Names, run: Uuid) -> Self {
        match names {
            Names::Originals => self,
            Names::OfSet(set) => Self::Pseudonym(set, Box::new(self)),
            Names::OfOneReport => Self::Pseudonym(run, Box::new(self)),
        }
    }
}

impl fmt::Display for MachineKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VmId(id) => write!(formatter, "{id}"),
            Self::OtherId(text) | Self::ResourceId(text) | Self::Name(text) => formatter.write_str(text),
            Self::Pseudonym(within, key) => write!(formatter, "{key} in {within}"),
        }
    }
}

impl Serialize for MachineKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where a machine stands, as far as its report says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
pub struct Place {
    /// Subscription, in lower case.
    pub subscription: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// The first subnet, as CIDR; digests of earlier versions do not say it.
    pub subnet: Option<String>,
}

impl Place {
    /// The place that these texts name.
    pub fn new(resource_id: Option<&str>, region: Option<&str>, subnet: Option<&str>) -> Self {
        let kept = |text: Option<&str>| text.filter(|text| !text.trim().is_empty()).map(|text| escape(text, LONGEST));
        Self { subscription: resource_id.and_then(subscription), region: kept(region), subnet: kept(subnet) }
    }
}

/// The subscription of a resource id.
fn subscription(resource_id: &str) -> Option<String> {
    subscription_in(resource_id).map(|id| escape(id, LONGEST).to_ascii_lowercase())
}

/// The same as it stands there.
pub(super) fn subscription_in(resource_id: &str) -> Option<&str> {
    let mut parts = resource_id.split('/').filter(|part| !part.is_empty());
    let first = parts.next()?;
    parts.next().filter(|_| first.eq_ignore_ascii_case("subscriptions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_known_by_its_id_then_its_resource_id_then_its_name() {
        let id = "5F1C0D6E-8a7b-4c2f-9d3e-1b2a3c4d5e6f";
        let resource = "/subscriptions/A/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/V";
        assert_eq!(MachineKey::new(Some(id), Some(resource), "x").to_string(), id.to_lowercase());
        assert_eq!(
            MachineKey::new(None, Some(resource), "x"),
            MachineKey::new(Some(" "), Some(&resource.to_lowercase()), "y")
        );
        assert_eq!(MachineKey::new(None, None, "VM"), MachineKey::new(None, Some(""), "vm"));
        assert_ne!(MachineKey::new(None, None, id), MachineKey::new(Some(id), None, ""));
    }

    #[test]
    fn the_subscription_is_a_part_of_the_resource_id() {
        let place = Place::new(Some("/SUBSCRIPTIONS/AB-1/resourceGroups/g"), Some("westeurope"), Some(" "));
        assert_eq!((place.subscription.as_deref(), place.subnet), (Some("ab-1"), None));
        assert_eq!(Place::new(Some("/resourceGroups/g"), None, None), Place::default());
    }
}
