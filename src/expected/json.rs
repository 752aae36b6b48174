//! The JSON forms. Each object is recognised by the field that holds its records.

use std::fmt;

use serde_json::{Map, Value};

use super::{ExpectedError, FORMS, Records, is_zone, public_name};
use crate::text;

/// Takes the records of one object or of a list of objects.
pub(super) fn read(document: &Value, records: &mut Records) -> Result<(), ExpectedError> {
    let one = [document];
    let (items, listed): (Vec<&Value>, bool) = match document {
        Value::Array(items) => (items.iter().collect(), true),
        _ => (one.to_vec(), false),
    };
    let mut known = items.is_empty();
    let mut hint = None;
    for (index, item) in items.into_iter().enumerate() {
        let place = if listed { format!("$[{index}]") } else { "$".to_owned() };
        let Value::Object(object) = item else {
            return Err(at(&place, format!("an object is wanted; {FORMS}")));
        };
        known |= object_records(object, &place, records)?;
        hint = hint.or_else(|| empty_because(object));
    }
    if !known {
        return Err(ExpectedError(format!("holds none of the forms that are known; {FORMS}")));
    }
    if records.0.is_empty() {
        return Err(ExpectedError(format!("holds no record with an address; {}", hint.unwrap_or(FORMS))));
    }
    Ok(())
}

/// Whether the object is of a known form, with its records taken.
fn object_records(object: &Map<String, Value>, place: &str, records: &mut Records) -> Result<bool, ExpectedError> {
    if object.contains_key("schema") || object.contains_key("observations") {
        report(object, place, records)?;
        return Ok(true);
    }
    // `az rest` and older tools wrap everything but the name into `properties`.
    if let Some(Value::Object(inner)) = object.get("properties") {
        let mut flat = inner.clone();
        for key in ["id", "name", "fqdn"] {
            if let (Some(value), false) = (object.get(key), flat.contains_key(key)) {
                flat.insert(key.to_owned(), value.clone());
            }
        }
        return object_records(&flat, &format!("{place}.properties"), records);
    }
    let mut known = false;
    if let Some(configs) = list(object, "customDnsConfigs", place)? {
        known = true;
        for (config, place) in configs {
            named(config, &place, records)?;
        }
    }
    if let Some(configs) = list(object, "privateDnsZoneConfigs", place)? {
        known = true;
        for (config, place) in configs {
            let (config, place) = unwrapped(config, place);
            for (set, place) in list(config, "recordSets", &place)?.unwrap_or_default() {
                named(set, &place, records)?;
            }
        }
    }
    if let Some(configurations) = list(object, "ipConfigurations", place)? {
        known = true;
        for (configuration, place) in configurations {
            let (configuration, place) = unwrapped(configuration, place);
            interface(configuration, &place, records)?;
        }
    }
    for (key, field) in RECORD_TYPES {
        // Every record set of `record-set list` carries these fields, most of them null.
        let Some(set) = list(object, key, place)? else { continue };
        known = true;
        for (record, place) in set {
            let Some(name) = record_name(object) else { continue };
            add(records, &name, record.get(field), &format!("{place}.{field}"))?;
        }
    }
    Ok(known || RECORD_TYPES.iter().any(|(key, _)| object.contains_key(*key)) || object.contains_key("soaRecord"))
}

/// Fields of a record set, and the field that holds the address.
const RECORD_TYPES: [(&str, &str); 4] = [
    ("aRecords", "ipv4Address"),
    ("aaaaRecords", "ipv6Address"),
    ("ARecords", "ipv4Address"),
    ("AAAARecords", "ipv6Address"),
];

/// Why a form that is known may hold nothing.
fn empty_because(object: &Map<String, Value>) -> Option<&'static str> {
    let object = match object.get("properties") {
        Some(Value::Object(inner)) => inner,
        _ => object,
    };
    // Azure leaves the list empty once a zone group keeps the records.
    // https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration
    object.contains_key("customDnsConfigs").then_some(
        "an endpoint with a DNS zone group lists none itself: give the JSON of `az network private-endpoint \
         dns-zone-group show`",
    )
}

/// `{fqdn, ipAddresses}`
fn named(object: &Map<String, Value>, place: &str, records: &mut Records) -> Result<(), ExpectedError> {
    let Some(fqdn) = object.get("fqdn").filter(|fqdn| !fqdn.is_null()) else {
        return Err(at(place, "has no `fqdn`"));
    };
    let place_of_name = format!("{place}.fqdn");
    let name = name(fqdn, &place_of_name)?;
    let Some(addresses) = object.get("ipAddresses") else {
        return Err(at(place, "has no `ipAddresses`"));
    };
    let Value::Array(addresses) = addresses else {
        return Err(at(&format!("{place}.ipAddresses"), "a list is wanted"));
    };
    for (index, address) in addresses.iter().enumerate() {
        add(records, &name, Some(address), &format!("{place}.ipAddresses[{index}]"))?;
    }
    Ok(())
}

/// An address of an interface and the names it serves. The addresses that a private endpoint was given in advance
/// (`memberName`, `groupId`) name no host: they are left out.
fn interface(object: &Map<String, Value>, place: &str, records: &mut Records) -> Result<(), ExpectedError> {
    let Some(Value::Object(link)) = object.get("privateLinkConnectionProperties") else { return Ok(()) };
    let key = if object.contains_key("privateIPAddress") { "privateIPAddress" } else { "privateIpAddress" };
    let Some(Value::Array(names)) = link.get("fqdns") else { return Ok(()) };
    for (index, fqdn) in names.iter().enumerate() {
        let name = name(fqdn, &format!("{place}.privateLinkConnectionProperties.fqdns[{index}]"))?;
        add(records, &name, object.get(key), &format!("{place}.{key}"))?;
    }
    Ok(())
}

/// The name of a record set: its `fqdn`, else its name below the zone that its id names. `None` for the zone itself, for a
/// wildcard, and where neither gives it.
fn record_name(object: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    if let Some(fqdn) = text("fqdn") {
        return if is_zone(fqdn) { None } else { public_name(fqdn) };
    }
    let mut parts = text("id")?.split('/').skip_while(|part| !part.eq_ignore_ascii_case("privateDnsZones")).skip(1);
    let zone = parts.next()?;
    match text("name")? {
        "@" => None,
        name => public_name(&format!("{name}.{zone}")),
    }
}

/// The private addresses of an earlier report.
fn report(object: &Map<String, Value>, place: &str, records: &mut Records) -> Result<(), ExpectedError> {
    const WANTED: &str = "give a report that `ampls-doctor --format json` wrote on a machine where all is well";
    if object.get("kind").and_then(Value::as_str) == Some("digest") {
        return Err(ExpectedError(format!("is a digest, which holds no addresses; {WANTED}")));
    }
    let Some(endpoints) = list(object, "endpoints", place)? else {
        return Err(ExpectedError(format!("is a report without `endpoints`; {WANTED}")));
    };
    for (endpoint, place) in endpoints {
        if endpoint.get("route").and_then(Value::as_str) == Some("private") {
            let Some(fqdn) = endpoint.get("fqdn") else { return Err(at(&place, "has no `fqdn`")) };
            let name = name(fqdn, &format!("{place}.fqdn"))?;
            let Some(Value::Array(addresses)) = endpoint.get("addresses") else {
                return Err(at(&place, "has no `addresses`"));
            };
            for (index, address) in addresses.iter().enumerate() {
                add(records, &name, Some(address), &format!("{place}.addresses[{index}]"))?;
            }
        }
    }
    if records.0.is_empty() {
        return Err(ExpectedError(format!("is a report in which no name was private; {WANTED}")));
    }
    Ok(())
}

type Item<'v> = (&'v Map<String, Value>, String);

/// A list of objects with the place of each; `None` where the field is missing or null.
fn list<'v>(object: &'v Map<String, Value>, key: &str, place: &str) -> Result<Option<Vec<Item<'v>>>, ExpectedError> {
    let items = match object.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(at(&format!("{place}.{key}"), "a list is wanted")),
    };
    let objects = items.iter().enumerate().map(|(index, item)| {
        let place = format!("{place}.{key}[{index}]");
        match item {
            Value::Object(object) => Ok((object, place)),
            _ => Err(at(&place, "an object is wanted")),
        }
    });
    objects.collect::<Result<_, _>>().map(Some)
}

fn unwrapped(object: &Map<String, Value>, place: String) -> Item<'_> {
    match object.get("properties") {
        Some(Value::Object(inner)) => (inner, format!("{place}.properties")),
        _ => (object, place),
    }
}

fn name(value: &Value, place: &str) -> Result<String, ExpectedError> {
    let Value::String(name) = value else { return Err(at(place, "a host name is wanted")) };
    public_name(name).ok_or_else(|| at(place, format!("{} is not a full host name", text::quote(name))))
}

fn add(records: &mut Records, name: &str, address: Option<&Value>, place: &str) -> Result<(), ExpectedError> {
    let Some(Value::String(text)) = address else { return Err(at(place, "an address is wanted")) };
    let parsed = text.trim().parse().map_err(|_| at(place, format!("{} is not an address", text::quote(text))))?;
    records.add(name, parsed).map_err(|what| at(place, what))
}

fn at(place: &str, what: impl fmt::Display) -> ExpectedError {
    ExpectedError(format!("{place}: {what}"))
}
