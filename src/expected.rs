//! The addresses that names should have, read from what Azure's tools print.
//!
//! The forms are recognised by their own fields: `az network private-endpoint show` (and `list`), its `dns-zone-group show`
//! (and `list`), `az network nic show` of its interface, `az network private-dns record-set a list` (and `aaaa`, `list`,
//! `show`), an earlier report, and lines of text: a host name and its addresses, as the portal's page *DNS configuration* is
//! copied. Names of a record become the public names that machines ask for. Reading the file is not done here.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ampls_probes::azure::HostName;
use ampls_probes::endpoint::ExpectedRecord;
use serde_json::Value;

use crate::text;

mod json;
mod lines;

/// Names taken from one file.
const MAX_NAMES: usize = 10_000;

/// Addresses of one name.
const MAX_ADDRESSES: usize = 64;

const FORMS: &str = "give the JSON of `az network private-endpoint dns-zone-group show`, of `az network private-endpoint show`, of \
     `az network private-dns record-set a list` or of an earlier report, or lines with a host name and its addresses";

/// What is wrong, where, and what is wanted, in one harmless line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedError(String);

impl fmt::Display for ExpectedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ExpectedError {}

/// Reads expected records, sorted by name. A file that holds none is an error: nothing would be compared with it.
pub fn read(bytes: &[u8]) -> Result<Vec<ExpectedRecord>, ExpectedError> {
    let text = text::decode(bytes).ok_or_else(|| ExpectedError(format!("is not UTF-8 text; {FORMS}")))?;
    let trimmed = text.trim_start();
    if trimmed.is_empty() {
        return Err(ExpectedError(format!("is empty; {FORMS}")));
    }
    let mut records = Records::default();
    if trimmed.starts_with(['{', '[']) {
        let document: Value = serde_json::from_str(&text).map_err(|error| {
            ExpectedError(format!("is not whole JSON: {}; {FORMS}", text::escape(&error.to_string(), text::MAX_QUOTED)))
        })?;
        json::read(&document, &mut records)?;
    } else {
        lines::read(&text, &mut records)?;
    }
    let mut records: Vec<ExpectedRecord> =
        records.0.into_iter().map(|(name, addresses)| ExpectedRecord { name, addresses }).collect();
    for record in &mut records {
        record.addresses.sort_unstable();
    }
    Ok(records)
}

/// The records found so far, each name once.
#[derive(Debug, Default)]
struct Records(BTreeMap<String, Vec<IpAddr>>);

impl Records {
    /// Adds an address of a name; fails when a bound is reached, and names it.
    fn add(&mut self, name: &str, address: IpAddr) -> Result<(), String> {
        if self.0.len() >= MAX_NAMES && !self.0.contains_key(name) {
            return Err(format!("more than {MAX_NAMES} names; give the records of one private link scope"));
        }
        let addresses = self.0.entry(name.to_owned()).or_default();
        if addresses.contains(&address) {
            return Ok(());
        }
        if addresses.len() >= MAX_ADDRESSES {
            return Err(format!("more than {MAX_ADDRESSES} addresses of {}", text::quote(name)));
        }
        addresses.push(address);
        Ok(())
    }
}

/// A full host name as machines ask for it: lower case, no trailing dot, and without the `privatelink` label of the zone
/// that holds its record. `None` for what is not a host name of at least two labels.
///
/// Source: <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>
fn public_name(name: &str) -> Option<String> {
    let name = String::from(HostName::of_name(name.trim())?);
    Some(match name.split_once(".privatelink.") {
        Some((owner, zone)) => format!("{owner}.{zone}"),
        None => name,
    })
}

/// A `privatelink` zone itself, which nobody asks for.
fn is_zone(name: &str) -> bool {
    name.trim().get(..12).is_some_and(|start| start.eq_ignore_ascii_case("privatelink."))
}

#[cfg(test)]
mod tests;
