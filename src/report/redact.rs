//! Pseudonyms for names and addresses in what a run saw, so that a report can be shown to strangers and still be judged.
//!
//! Everything that is text is replaced unless its field and what is publicly known show it to be Azure's or the program's
//! own: whole names and domains of the catalogue, the variants of our own types, well-known values of a field of that kind,
//! whole sentences of known refusals. No word stays for being common, so what is left does not depend on how somebody calls
//! his machines. The same original has the same pseudonym throughout a report. Names get running numbers, which hold nothing
//! of the original; addresses are moved under a random key that is never kept, public ones into ranges that nobody owns.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::net::{IpAddr, SocketAddr};

use ampls_probes::addr::{Class, classify};
use ampls_probes::{Catalogue, Observations};
use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use siphasher::sip::SipHasher24;
use uuid::Uuid;

use super::{Redacted, Replaced};
use addresses::Addresses;
pub(crate) use addresses::is_same_everywhere;
use fields::Kind;
use known::Known;
use masking::{Masking, Place};
use tokens::Ports;

mod addresses;
mod fields;
mod forms;
mod known;
mod masking;
mod tokens;
mod words;

/// Replaces names and addresses. `key` is random, made for this report and forgotten.
pub fn redact(
    seen: &Observations,
    catalogue: &Catalogue,
    key: [u8; 16],
) -> Result<(Observations, Redacted), serde_json::Error> {
    Redactor::new(&[seen], catalogue, key)?.redact(seen)
}

/// Gives the same original the same pseudonym in each of several runs.
pub struct Redactor {
    pseudonyms: Pseudonyms,
    set: Option<Uuid>,
}

impl Redactor {
    /// Of all these runs. `key` is random, made for them and forgotten.
    pub fn new(all: &[&Observations], catalogue: &Catalogue, key: [u8; 16]) -> Result<Self, serde_json::Error> {
        let (mut own, mut originals) = (BTreeSet::new(), BTreeSet::new());
        for seen in all {
            let text = serde_json::to_string(seen)?;
            let words = text.split(|c: char| c == '"' || c == ',' || c.is_whitespace());
            for word in words.filter(|word| word.len() < LONGEST_RANGE) {
                if let Ok(address) = word.parse::<IpAddr>().or_else(|_| word.parse::<SocketAddr>().map(|it| it.ip())) {
                    originals.insert(address);
                } else if let Ok(net) = word.parse::<IpNet>() {
                    let is_public = classify(net.addr(), &[]) == Class::Public;
                    own.extend((is_public && net.prefix_len() < net.max_prefix_len()).then(|| net.trunc()));
                }
            }
        }
        let addresses = Addresses::new(key, own.into_iter().collect(), originals);
        let set = (all.len() > 1).then(|| set_of(key));
        Ok(Self { pseudonyms: Pseudonyms::new(catalogue, addresses), set })
    }

    /// Replaces the names and addresses of one of the runs.
    pub fn redact(&self, seen: &Observations) -> Result<(Observations, Redacted), serde_json::Error> {
        // Written out: a document of values would take many times the room.
        let mut text = Vec::new();
        let mut json = serde_json::Serializer::new(&mut text);
        seen.serialize(Masking::new(&mut json, &self.pseudonyms, Place { owner: "", field: "" }))?;
        let manifest = self.pseudonyms.counted();
        Ok((serde_json::from_slice(&text)?, Redacted { manifest, set: self.set }))
    }
}

/// Characters of a range of addresses at most: an IPv6 address that ends like an IPv4 address, and its prefix length.
const LONGEST_RANGE: usize = 50;

/// A name for the pseudonyms of a key, which shows nothing of it.
fn set_of(key: [u8; 16]) -> Uuid {
    let half = |part: u8| {
        let mut hasher = SipHasher24::new_with_key(&key);
        hasher.write(&[b's', b'e', b't', part]);
        hasher.finish()
    };
    uuid::Builder::from_random_bytes((u128::from(half(0)) << 64 | u128::from(half(1))).to_be_bytes()).into_uuid()
}

/// Originals and what stands for them.
struct Pseudonyms {
    known: Known,
    addresses: Addresses,
    given: RefCell<BTreeMap<(&'static str, String), usize>>,
    /// How many originals of each kind have a number, in all runs.
    numbers: RefCell<BTreeMap<&'static str, usize>>,
    /// What was replaced in one run, by kind: numbers, and how often any of them.
    counts: RefCell<BTreeMap<&'static str, (BTreeSet<usize>, usize)>>,
}

impl Pseudonyms {
    fn new(catalogue: &Catalogue, addresses: Addresses) -> Self {
        Self {
            known: Known::new(catalogue),
            addresses,
            given: RefCell::default(),
            numbers: RefCell::default(),
            counts: RefCell::default(),
        }
    }

    /// What was replaced since this was last asked for.
    fn counted(&self) -> BTreeMap<String, Replaced> {
        let counts = self.counts.take().into_iter();
        counts
            .map(|(kind, (values, occurrences))| (kind.to_owned(), Replaced { values: values.len(), occurrences }))
            .collect()
    }

    /// The text of a field.
    fn masked(&self, place: Place<'_>, text: &str) -> String {
        let kind = fields::kind(place);
        match kind {
            Kind::Tag => return text.to_owned(),
            Kind::Fingerprint => return self.fingerprint(text),
            Kind::Time if text.parse::<Timestamp>().is_ok() || text.parse::<Date>().is_ok() => return text.to_owned(),
            Kind::Version => return self.version(text),
            _ => {}
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return self.net(net).to_string();
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return self.address(address).to_string();
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return SocketAddr::new(self.address(address.ip()), address.port()).to_string();
        }
        match kind {
            Kind::Listed(list) if list.contains(&text) => text.to_owned(),
            Kind::Spaced(list) if list.split_whitespace().any(|word| word == text) => text.to_owned(),
            Kind::Cipher if text.split('_').all(|part| words::CIPHER_PARTS.contains(&part)) => text.to_owned(),
            Kind::System => self.system(text),
            Kind::Region => self.region(text),
            Kind::Whole => self.whole(text),
            Kind::Saying => self.saying(text),
            Kind::Resource => self.resource(text),
            Kind::Endpoint => self.endpoint(text),
            Kind::Name => self.dns_name(text),
            Kind::Path => self.path(text),
            Kind::Exemptions => self.exemptions(text),
            Kind::Url => self.url(text),
            Kind::Server => self.products(text),
            Kind::Via => self.via(text),
            Kind::Content => self.content(text),
            Kind::Scheme => self.authentication(text),
            Kind::Distinguished => self.distinguished(text),
            Kind::Body => self.body(text),
            _ => self.text(text),
        }
    }

    fn whole(&self, text: &str) -> String {
        if self.known.wholes.contains(text) { text.to_owned() } else { self.text(text) }
    }

    fn region(&self, text: &str) -> String {
        if self.known.is_region(&text.to_ascii_lowercase()) { text.to_owned() } else { self.text(text) }
    }

    /// `ods:…`, `endpoint:host:443`: what the catalogue has before the colon stays.
    fn endpoint(&self, id: &str) -> String {
        let (start, rest) = id.split_once(':').unwrap_or((id, ""));
        if !self.known.ids.contains(start) {
            return self.tokens(id, Ports::Stay);
        }
        if rest.is_empty() {
            return id.to_owned();
        }
        if start == "endpoint" {
            return format!("{start}:{}", self.tokens(rest, Ports::Stay));
        }
        let labels =
            rest.split('.').map(|label| if self.known.is_region(label) { label.to_owned() } else { self.text(label) });
        format!("{start}:{}", labels.collect::<Vec<_>>().join("."))
    }

    /// A name of one label or many, perhaps with a star, or with a parameter that stayed unknown.
    fn dns_name(&self, name: &str) -> String {
        const PARAMETERS: [&str; 8] = ["workspace", "region", "dce", "stamp", "storage", "account", "rc", "amw"];
        let parameter = name.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(parameter, _)| parameter);
        match parameter.filter(|parameter| PARAMETERS.contains(parameter)) {
            Some(parameter) => {
                let (before, rest) = name.split_once('<').unwrap_or_default();
                let after = rest.split_once('>').map_or("", |(_, after)| after);
                format!("{}<{parameter}>{}", self.text(before), self.text(after))
            }
            None => self.text(name),
        }
    }

    fn address(&self, address: IpAddr) -> IpAddr {
        let moved = self.addresses.moved(address);
        if moved != address {
            self.count("address", &address.to_string());
        }
        moved
    }

    fn net(&self, net: IpNet) -> IpNet {
        let moved = IpNet::new(self.address(net.addr()), net.prefix_len()).unwrap_or(net);
        if net.addr() == net.network() { moved.trunc() } else { moved }
    }

    fn id(&self, id: Uuid) -> Uuid {
        if id.is_nil() {
            return id;
        }
        let number = self.count("id", &id.to_string());
        // The version and variant of RFC 9562, so that it passes wherever an id is wanted.
        // In front: tables show only the first digits.
        Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0000 | u128::try_from(number).unwrap_or_default() << 96)
    }

    fn name(&self, name: &str) -> String {
        let number = self.count("name", &name.to_lowercase());
        // Nodes of AKS are known by how their names and groups begin.
        let lower = name.to_ascii_lowercase();
        let start =
            ["aks-", "mc_"].iter().find(|start| lower.starts_with(**start)).and_then(|start| name.get(..start.len()));
        format!("{}name-{number}", start.unwrap_or_default())
    }

    fn fingerprint(&self, text: &str) -> String {
        format!("{:064x}", self.count("fingerprint", text))
    }

    /// The number of a value within its kind.
    fn count(&self, kind: &'static str, original: &str) -> usize {
        let mut given = self.given.borrow_mut();
        let number = *given.entry((kind, original.to_owned())).or_insert_with(|| {
            let mut numbers = self.numbers.borrow_mut();
            let last = numbers.entry(kind).or_default();
            *last += 1;
            *last
        });
        let mut counts = self.counts.borrow_mut();
        let (values, occurrences) = counts.entry(kind).or_default();
        values.insert(number);
        *occurrences += 1;
        number
    }
}

#[cfg(test)]
mod tests;
