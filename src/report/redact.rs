//! Pseudonyms for names and addresses in what a run saw, so that a report can be shown to strangers and still be judged.
//!
//! Everything that is text is replaced unless it is known to be Azure's or the program's own: the words of the catalogue, the
//! variants of our own types, and a short list. The same original has the same pseudonym throughout a report. Names get
//! running numbers, which hold nothing of the original; addresses are moved under a random key that is never kept.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ampls_probes::observation::Observation;
use ampls_probes::{Catalogue, Observations};
use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{Redacted, Replaced};
use addresses::Addresses;
use masking::Masking;

mod addresses;
mod masking;
mod words;

/// Fields that hold words of standards and of this program, never of a network.
const KEPT: [&str; 26] = [
    "alert",
    "alpn",
    "arch",
    "cipher",
    "cloud",
    "date",
    "invalid",
    "kind",
    "minimum",
    "os",
    "outcome",
    "policy",
    "portal",
    "probe",
    "protocol",
    "purpose",
    "region",
    "service",
    "service_tag",
    "set_by",
    "setting",
    "signature",
    "unsupported-scheme",
    "upgraded_to",
    "version",
    "wants-credentials",
];

/// Replaces names and addresses. `key` is random, made for this report and forgotten.
pub fn redact(
    seen: &Observations,
    catalogue: &Catalogue,
    key: [u8; 16],
) -> Result<(Observations, Redacted), serde_json::Error> {
    let pseudonyms = Pseudonyms::new(seen, catalogue, key);
    let masked = seen.serialize(Masking::new(serde_json::value::Serializer, &pseudonyms, ""))?;
    let manifest = pseudonyms.counts.into_inner();
    Ok((serde_json::from_value(masked)?, Redacted { manifest }))
}

/// Originals and what stands for them.
struct Pseudonyms {
    kept: BTreeSet<String>,
    regions: BTreeSet<String>,
    addresses: Addresses,
    given: std::cell::RefCell<BTreeMap<(&'static str, String), usize>>,
    counts: std::cell::RefCell<BTreeMap<String, Replaced>>,
}

impl Pseudonyms {
    fn new(seen: &Observations, catalogue: &Catalogue, key: [u8; 16]) -> Self {
        let mut regions: BTreeSet<String> =
            seen.asked.region.iter().map(|region| region.to_ascii_lowercase()).collect();
        for observation in &seen.seen {
            if let Observation::Metadata(metadata) = observation {
                let location = metadata.outcome.seen().and_then(|instance| instance.location.as_ref());
                regions.extend(location.map(|region| region.to_ascii_lowercase()));
            }
        }
        Self {
            kept: words::kept(catalogue),
            regions,
            addresses: Addresses::new(key),
            given: std::cell::RefCell::default(),
            counts: std::cell::RefCell::default(),
        }
    }

    /// The text of a field.
    fn field(&self, field: &str, text: &str) -> String {
        if KEPT.contains(&field) || text.parse::<Timestamp>().is_ok() {
            return text.to_owned();
        }
        if field == "sha256" {
            return self.fingerprint(text);
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return self.net(net).to_string();
        }
        self.text(text)
    }

    /// Any text: what is an address, an id or a name in it is replaced.
    fn text(&self, text: &str) -> String {
        let part = |c: char| c.is_alphanumeric() || "_.:-".contains(c);
        let mut masked = String::with_capacity(text.len());
        let mut token = String::new();
        for character in text.chars().map(Some).chain([None]) {
            match character {
                Some(character) if part(character) => token.push(character),
                delimiter => {
                    masked.push_str(&self.token(&token));
                    token.clear();
                    masked.extend(delimiter);
                }
            }
        }
        masked
    }

    fn token(&self, token: &str) -> String {
        let whole = token.trim_end_matches(['.', ':', '-']);
        let end = token.get(whole.len()..).unwrap_or_default();
        if let Ok(address) = whole.parse::<IpAddr>() {
            return format!("{}{end}", self.address(address));
        }
        if let Ok(address) = whole.parse::<SocketAddr>() {
            return format!("{}{end}", SocketAddr::new(self.address(address.ip()), address.port()));
        }
        // An IPv6 address directly before or after a colon of the text around it.
        if let Ok(address) = token.parse::<IpAddr>() {
            return self.address(address).to_string();
        }
        if whole.parse::<Timestamp>().is_ok() {
            return token.to_owned();
        }
        let range: Vec<&str> = whole.split('-').collect();
        if range.len() == 2 && range.iter().all(|end| end.parse::<IpAddr>().is_ok()) {
            let ends: Vec<_> = range.iter().map(|one| self.token(one)).collect();
            return format!("{}{end}", ends.join("-"));
        }
        let reverse = whole.to_ascii_lowercase().ends_with(".arpa");
        let mut masked = String::new();
        for piece in token.split_inclusive(['.', ':']) {
            let label = piece.trim_end_matches(['.', ':']);
            masked.push_str(&if reverse && !label.eq_ignore_ascii_case("arpa") {
                self.name(label)
            } else {
                self.label(label)
            });
            masked.push_str(piece.get(label.len()..).unwrap_or_default());
        }
        masked
    }

    fn label(&self, label: &str) -> String {
        if label.is_empty() || self.is_kept(label) {
            return label.to_owned();
        }
        if let Some((before, id, after)) = guid(label) {
            return format!("{}{}{}", self.joined(before), self.id(id), self.joined(after));
        }
        self.name(label)
    }

    /// What stands beside an id within a label, joined to it by a hyphen.
    fn joined(&self, text: &str) -> String {
        let label = text.trim_matches('-');
        if label.is_empty() { text.to_owned() } else { text.replace(label, &self.label(label)) }
    }

    fn is_kept(&self, label: &str) -> bool {
        let label = label.to_ascii_lowercase();
        let known = |part: &str| self.kept.contains(part) || self.regions.contains(part);
        let number = |part: &str| !part.is_empty() && part.len() <= 5 && part.bytes().all(|b| b.is_ascii_digit());
        if known(&label) || number(&label) {
            return true;
        }
        let mut parts = label.split(['-', '_']);
        parts.all(|part| known(part) || (number(part) && part.len() <= 2))
    }

    fn address(&self, address: IpAddr) -> IpAddr {
        let moved = self.addresses.moved(address);
        if moved != address {
            self.count("address", address.to_string());
        }
        moved
    }

    fn net(&self, net: IpNet) -> IpNet {
        if net.prefix_len() < addresses::SHORTEST {
            return net;
        }
        let moved = IpNet::new(self.address(net.addr()), net.prefix_len()).unwrap_or(net);
        if net.addr() == net.network() { moved.trunc() } else { moved }
    }

    pub(super) fn id(&self, id: Uuid) -> Uuid {
        if id.is_nil() {
            return id;
        }
        let number = self.count("id", id.to_string());
        // The version and variant of RFC 9562, so that it passes wherever an id is wanted.
        Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0000 | u128::try_from(number).unwrap_or_default())
    }

    fn name(&self, name: &str) -> String {
        let number = self.count("name", name.to_lowercase());
        // Nodes of AKS are known by how their names and groups begin.
        let lower = name.to_ascii_lowercase();
        let start =
            ["aks-", "mc_"].iter().find(|start| lower.starts_with(**start)).and_then(|start| name.get(..start.len()));
        format!("{}name-{number}", start.unwrap_or_default())
    }

    fn fingerprint(&self, text: &str) -> String {
        format!("{:064x}", self.count("fingerprint", text.to_owned()))
    }

    /// The number of a value within its kind.
    fn count(&self, kind: &'static str, original: String) -> usize {
        let mut given = self.given.borrow_mut();
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(kind.to_owned()).or_default();
        count.occurrences += 1;
        *given.entry((kind, original)).or_insert_with(|| {
            count.values += 1;
            count.values
        })
    }
}

/// The first id in a label, with what stands before and after it.
fn guid(label: &str) -> Option<(&str, Uuid, &str)> {
    const LENGTH: usize = 36;
    (0..label.len()).find_map(|start| {
        let id = label.get(start..start + LENGTH)?;
        let parsed = Uuid::try_parse(id).ok()?;
        Some((label.get(..start)?, parsed, label.get(start + LENGTH..)?))
    })
}

#[cfg(test)]
mod tests;
