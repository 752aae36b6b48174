//! Digests of machines that have all but name, ids and time in common: what they have in common is read once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::sighting::{bounded_id, bounded_name};
use super::{LONGEST, LONGEST_ID, MachineKey, Shared, Sighting};
use crate::report::digest::{Digest, KIND};
use crate::report::{OLDEST_SCHEMA, SCHEMA};

/// Octets of texts that are remembered: those of some thousand networks.
const MOST: usize = 4 * 1024 * 1024;

/// What digests had in common, by the text that says it.
#[derive(Debug, Default)]
pub struct KnownDigests {
    known: RwLock<Texts>,
}

#[derive(Debug, Default)]
struct Texts {
    shared: HashMap<Box<str>, Arc<Shared>>,
    octets: usize,
}

/// A digest, of which only name, ids and time are read. What is not as this program writes it is read more closely elsewhere.
///
/// A field that is not among these may tell machines apart.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Brief<'t> {
    schema: u32,
    kind: &'t str,
    id: Uuid,
    at: Timestamp,
    host: &'t str,
    #[serde(default)]
    vm_id: Option<&'t str>,
    #[serde(default)]
    resource_id: Option<&'t str>,
    #[serde(borrow)]
    version: &'t RawValue,
    #[serde(borrow, default, deserialize_with = "raw")]
    cloud: Option<&'t RawValue>,
    #[serde(borrow, default, deserialize_with = "raw")]
    region: Option<&'t RawValue>,
    #[serde(borrow, default, deserialize_with = "raw")]
    subnet: Option<&'t RawValue>,
    #[serde(borrow, default, deserialize_with = "raw")]
    agents: Option<&'t RawValue>,
    #[serde(borrow, default, deserialize_with = "raw")]
    redacted: Option<&'t RawValue>,
    #[serde(borrow)]
    verdict: &'t RawValue,
    #[serde(borrow)]
    zones: &'t RawValue,
    #[serde(borrow)]
    servers: &'t RawValue,
    #[serde(borrow)]
    codes: &'t RawValue,
    #[serde(borrow, default, deserialize_with = "raw")]
    dropped: Option<&'t RawValue>,
}

/// `null` is a value too.
fn raw<'de: 't, 't, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'t RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl KnownDigests {
    /// What a digest says, where its text is one as this program writes it.
    pub fn read(&self, text: &str) -> Option<Sighting> {
        let brief: Brief<'_> = serde_json::from_str(text).ok()?;
        if brief.kind != KIND || !(OLDEST_SCHEMA..=SCHEMA).contains(&brief.schema) {
            return None;
        }
        let common = brief.common();
        let known =
            self.known.read().unwrap_or_else(PoisonError::into_inner).shared.get(common.as_str()).map(Arc::clone);
        if let Some(shared) = known.filter(|_| brief.is_short()) {
            return Some(brief.sighting(shared));
        }
        let digest: Digest = serde_json::from_str(text).ok()?;
        let sighting = Sighting::from(&digest.bounded());
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.octets > MOST {
            *known = Texts::default();
        }
        known.octets += common.len();
        known.shared.insert(common.into_boxed_str(), Arc::clone(&sighting.shared));
        Some(sighting)
    }
}

impl Brief<'_> {
    /// The text of all that machines may have in common.
    fn common(&self) -> String {
        let parts = [
            Some(self.version),
            self.cloud,
            self.region,
            self.subnet,
            self.agents,
            self.redacted,
            Some(self.verdict),
            Some(self.zones),
            Some(self.servers),
            Some(self.codes),
            self.dropped,
        ]
        .map(|part| part.map_or("", RawValue::get));
        // Of the resource id the subscription is shared.
        let subscription = self.resource_id.and_then(super::machine::subscription_in).unwrap_or_default();
        let length = parts.iter().map(|part| part.len() + 1).sum::<usize>() + subscription.len();
        let mut text = String::with_capacity(length);
        for part in parts {
            text.push_str(part);
            // No value of JSON holds a line break.
            text.push('\n');
        }
        text.push_str(subscription);
        text
    }

    /// Whether nothing of it would be cut.
    fn is_short(&self) -> bool {
        let id = self.vm_id.unwrap_or_default();
        self.host.len() <= LONGEST && id.len() <= LONGEST && self.resource_id.unwrap_or_default().len() <= LONGEST_ID
    }

    fn sighting(&self, shared: Arc<Shared>) -> Sighting {
        Sighting {
            at: self.at,
            run: self.id,
            key: MachineKey::new(self.vm_id, self.resource_id, self.host).within(shared.names, self.id),
            name: bounded_name(self.host),
            resource_id: self.resource_id.and_then(bounded_id),
            shared,
            source: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::company::Vm;
    use crate::report::{FailOn, exit_status};

    fn digest(number: usize) -> Digest {
        let report = Vm { number }.report();
        Digest::new(&report, exit_status(&report, FailOn::Error))
    }

    fn text(digest: &Digest) -> String {
        serde_json::to_string(digest).unwrap()
    }

    #[test]
    fn a_digest_says_the_same_whatever_was_read_before() {
        let known = KnownDigests::default();
        let mut all: Vec<Digest> = (0..120).map(digest).collect();
        for (number, change) in [
            |digest: &mut Digest| digest.host = "x".repeat(500),
            |digest: &mut Digest| digest.redacted = true,
            |digest: &mut Digest| digest.resource_id = None,
            |digest: &mut Digest| digest.vm_id = Some("not a GUID".to_owned()),
            |digest: &mut Digest| digest.host = "ü\u{1b}\"".to_owned(),
        ]
        .into_iter()
        .enumerate()
        {
            let mut changed = digest(number);
            change(&mut changed);
            all.push(changed);
        }
        let closely = |text: &str| Sighting::from(&serde_json::from_str::<Digest>(text).unwrap().bounded());
        let mut quickly = 0;
        for digest in all.iter().chain(&all) {
            let text = text(digest);
            if let Some(read) = known.read(&text) {
                assert_eq!(read, closely(&text), "{text}");
                quickly += 1;
            }
        }
        // Only a name with signs that JSON escapes is left to others.
        assert_eq!(quickly, 2 * all.len() - 2);
        let kins = known.known.read().unwrap().shared.len();
        assert!(kins < all.len() / 2, "{kins}");
    }

    #[test]
    fn what_is_no_digest_of_this_program_is_left_to_others() {
        let known = KnownDigests::default();
        let good = text(&digest(1));
        assert!(known.read(&good).is_some());
        let mut later = digest(1);
        later.schema = SCHEMA + 1;
        assert!(known.read(&text(&later)).is_none());
        assert!(known.read(&good.replace("\"digest\"", "\"run\"")).is_none());
        assert!(
            known
                .read(&good.replace("\"redacted\":", "\"x\":").replace("\"zones\":{", "\"zones\":{\"z\":1,"))
                .is_none()
        );
        assert!(known.read(&good[..good.len() - 1]).is_none());
        assert!(known.read(&good.replacen("\"cloud\":", "\"redacted\":null,\"cloud\":", 1)).is_none());
    }
}
