//! The addresses that names should have, read from what Azure's tools print.
//!
//! The forms are recognised by their own fields, whatever the case of their letters: `az network private-endpoint show` (and
//! `list`, with `--query customDnsConfigs`, through `az rest`), `Get-AzPrivateEndpoint | ConvertTo-Json`, `dns-zone-group show`
//! (and `list`), `az network nic show` of its interface, `az network private-dns record-set a list` (and `aaaa`, `list`,
//! `show`), an earlier report, and lines of text: a host name and its addresses, as a page, a ticket, a Markdown table or
//! `-o tsv` shows them. Names of a record become the public names that machines ask for. Reading the file is not done here.

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

const FORMS: &str = "with PowerShell: `Get-AzPrivateEndpoint -ResourceGroupName ENDPOINT_RESOURCE_GROUP -Name PRIVATE_ENDPOINT | ConvertTo-Json -Depth 10`; \
     with az: `az network private-endpoint dns-zone-group list -g ENDPOINT_RESOURCE_GROUP --endpoint-name PRIVATE_ENDPOINT`; \
     or write lines with a host name and its addresses";

/// What a file of expected records holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Records, sorted by name.
    pub records: Vec<ExpectedRecord>,
    /// What could not be used: the place and the reason, in the order of the file.
    pub left_out: Vec<String>,
}

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
pub fn read(bytes: &[u8]) -> Result<Expected, ExpectedError> {
    let text = text::decode(bytes).ok_or_else(|| ExpectedError(format!("is not UTF-8 or UTF-16 text; {FORMS}")))?;
    let trimmed = text.trim_start();
    if trimmed.is_empty() {
        return Err(ExpectedError(format!("is empty; {FORMS}")));
    }
    let mut records = Records::default();
    if trimmed.starts_with(['{', '[']) {
        let document: Value = serde_json::from_str(&text).map_err(|error| {
            let error = text::escape(&error.to_string(), text::MAX_QUOTED);
            ExpectedError(format!("the JSON is incomplete or wrong: {error}; {FORMS}"))
        })?;
        json::read(&document, &mut records)?;
    } else {
        lines::read(&text, &mut records)?;
    }
    if records.names.is_empty() {
        let first = records.left_out.first();
        let why = first.map_or_else(|| "holds no record with an address".to_owned(), String::clone);
        return Err(ExpectedError(format!("{why}; {}", records.hint.unwrap_or(FORMS))));
    }
    let mut left_out = records.left_out;
    let more = records.not_kept;
    left_out.extend((more > 0).then(|| format!("{more} more")));
    let records = records.names.into_iter().map(|(name, mut addresses)| {
        addresses.sort_unstable();
        ExpectedRecord { name, addresses }
    });
    Ok(Expected { records: records.collect(), left_out })
}

/// Places that are named of those that could not be used.
const MAX_LEFT_OUT: usize = 100;

/// The records found so far, each name once.
#[derive(Debug, Default)]
struct Records {
    names: BTreeMap<String, Vec<IpAddr>>,
    left_out: Vec<String>,
    not_kept: usize,
    /// Why a form that is known holds nothing.
    hint: Option<&'static str>,
}

impl Records {
    /// Adds the addresses of a name; fails when a bound is reached, and names it.
    fn add(&mut self, name: &str, new: impl IntoIterator<Item = IpAddr>) -> Result<(), String> {
        if self.names.len() >= MAX_NAMES && !self.names.contains_key(name) {
            return Err(format!("more than {MAX_NAMES} names; give the records of one private link scope"));
        }
        for address in new {
            let addresses = self.names.entry(name.to_owned()).or_default();
            if addresses.contains(&address) {
                continue;
            }
            if addresses.len() >= MAX_ADDRESSES {
                return Err(format!("more than {MAX_ADDRESSES} addresses of {}", text::quote(name)));
            }
            addresses.push(address);
        }
        Ok(())
    }

    /// Notes what cannot be used.
    fn leave_out(&mut self, place: impl fmt::Display, why: impl fmt::Display) {
        if self.left_out.len() < MAX_LEFT_OUT {
            self.left_out.push(format!("{place}: {why}"));
        } else {
            self.not_kept += 1;
        }
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
