//! The JSON forms. Each object is recognised by the field that holds its records; PowerShell writes other letters as capitals
//! than `az` does, so the case of a field's name does not count.

use std::fmt;
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{ExpectedError, FORMS, Records, is_zone, public_name};
use crate::text;

type Object = Map<String, Value>;

/// Takes the records of one object or of a list of objects.
pub(super) fn read(document: &Value, records: &mut Records) -> Result<(), ExpectedError> {
    let empty = matches!(document, Value::Array(items) if items.is_empty());
    let known = any(document, "$", records)?;
    if !known && !empty && records.left_out.is_empty() {
        return Err(ExpectedError(format!("holds none of the forms that are known; {FORMS}")));
    }
    Ok(())
}

/// Whether something of a known form is there.
fn any(value: &Value, place: &str, records: &mut Records) -> Result<bool, ExpectedError> {
    match value {
        Value::Array(items) => {
            let mut known = false;
            for (index, item) in items.iter().enumerate() {
                known |= any(item, &format!("{place}[{index}]"), records)?;
            }
            Ok(known)
        }
        Value::Object(object) => object_records(object, place, records),
        _ => {
            records.leave_out(place, "an object is wanted");
            Ok(false)
        }
    }
}

/// Whether the object is of a known form, with its records taken.
fn object_records(object: &Object, place: &str, records: &mut Records) -> Result<bool, ExpectedError> {
    if object.contains_key("schema") || object.contains_key("observations") {
        report(object, place, records)?;
        return Ok(true);
    }
    // The REST service puts lists into `value`.
    if let Some(value @ Value::Array(_)) = get(object, "value") {
        return any(value, &format!("{place}.value"), records);
    }
    // `az rest` and older tools wrap everything but the name into `properties`.
    if let Some(Value::Object(inner)) = get(object, "properties") {
        let mut flat = inner.clone();
        for key in ["id", "name", "fqdn"] {
            if let (Some(value), false) = (get(object, key), get(inner, key).is_some()) {
                flat.insert(key.to_owned(), value.clone());
            }
        }
        return object_records(&flat, &format!("{place}.properties"), records);
    }
    let mut known = false;
    if let Some(configs) = list(object, "customDnsConfigs", place, records) {
        known = true;
        // Azure leaves the list empty once a zone group keeps the records.
        // https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration
        records.hint = records.hint.or(Some(OF_ZONE_GROUP));
        for (config, place) in configs {
            named(config, &place, records)?;
        }
    }
    if let Some(configs) = list(object, "privateDnsZoneConfigs", place, records) {
        known = true;
        for (config, place) in configs {
            let (config, place) = unwrapped(config, place);
            for (set, place) in list(config, "recordSets", &place, records).unwrap_or_default() {
                named(set, &place, records)?;
            }
        }
    }
    if let Some(configurations) = list(object, "ipConfigurations", place, records) {
        known = true;
        for (configuration, place) in configurations {
            let (configuration, place) = unwrapped(configuration, place);
            interface(configuration, &place, records)?;
        }
    }
    for (key, field) in RECORD_TYPES {
        // Every record set of `record-set list` carries these fields, most of them null.
        let Some(set) = list(object, key, place, records) else { continue };
        known = true;
        let Some(name) = record_name(object) else { continue };
        let addresses: Vec<Item<'_>> = set;
        let texts = addresses.iter().map(|(record, place)| (get(record, field), format!("{place}.{field}")));
        add(records, &[name], texts.collect())?;
    }
    known |= RECORD_TYPES.iter().any(|(key, _)| get(object, key).is_some()) || get(object, "soaRecord").is_some();
    if known {
        return Ok(true);
    }
    let bare = ["fqdn", "fqdns"].iter().any(|key| get(object, key).is_some());
    if bare {
        named(object, place, records)?;
    }
    Ok(bare)
}

/// Fields of a record set, and the field that holds the address. `Records` is PowerShell's.
const RECORD_TYPES: [(&str, &str); 4] = [
    ("aRecords", "ipv4Address"),
    ("aaaaRecords", "ipv6Address"),
    ("records", "ipv4Address"),
    ("records", "ipv6Address"),
];

const OF_ZONE_GROUP: &str = "an endpoint with a DNS zone group lists none itself: give the JSON of `az network private-endpoint \
     dns-zone-group list -g RESOURCE_GROUP --endpoint-name PRIVATE_ENDPOINT` or, with PowerShell, of \
     `Get-AzPrivateDnsZoneGroup -ResourceGroupName RESOURCE_GROUP -PrivateEndpointName PRIVATE_ENDPOINT | ConvertTo-Json -Depth 10`";

/// A field, whatever the case of its name.
fn get<'v>(object: &'v Object, key: &str) -> Option<&'v Value> {
    object.get(key).or_else(|| object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value))
}

/// `{fqdn, ipAddresses}`, and what `--query` makes of an interface: `{FQDNs, IPAddress}`.
fn named(object: &Object, place: &str, records: &mut Records) -> Result<(), ExpectedError> {
    let found =
        ["fqdn", "fqdns"].into_iter().find_map(|key| Some((key, get(object, key).filter(|name| !name.is_null())?)));
    let Some((key, names)) = found else {
        records.leave_out(place, "has no `fqdn`");
        return Ok(());
    };
    let names = many(names, &format!("{place}.{key}"));
    let names: Vec<String> = names.iter().filter_map(|(value, place)| name(*value, place, records)).collect();
    let fields = ["ipAddresses", "ipAddress", "privateIPAddress"];
    let Some((field, addresses)) = fields.into_iter().find_map(|key| Some((key, get(object, key)?))) else {
        records.leave_out(place, "has no `ipAddresses`");
        return Ok(());
    };
    if addresses.is_object() {
        records.leave_out(format!("{place}.{field}"), "a list is wanted");
        return Ok(());
    }
    add(records, &names, many(addresses, &format!("{place}.{field}")))
}

/// A value alone or the items of a list, each with its place.
fn many<'v>(value: &'v Value, place: &str) -> Vec<(Option<&'v Value>, String)> {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (Some(item), format!("{place}[{index}]"))).collect()
        }
        value => vec![(Some(value), place.to_owned())],
    }
}

/// An address of an interface and the names it serves. The addresses that a private endpoint was given in advance
/// (`memberName`, `groupId`) name no host: they are left out.
fn interface(object: &Object, place: &str, records: &mut Records) -> Result<(), ExpectedError> {
    let Some(Value::Object(link)) = get(object, "privateLinkConnectionProperties") else { return Ok(()) };
    let Some(names @ Value::Array(_)) = get(link, "fqdns") else { return Ok(()) };
    let names = many(names, &format!("{place}.privateLinkConnectionProperties.fqdns"));
    let names: Vec<String> = names.iter().filter_map(|(value, place)| name(*value, place, records)).collect();
    add(records, &names, vec![(get(object, "privateIPAddress"), format!("{place}.privateIPAddress"))])
}

/// The name of a record set: its `fqdn`, else its name below the zone that it or its id names. `None` for the zone itself, for
/// a wildcard, and where neither gives it.
fn record_name(object: &Object) -> Option<String> {
    let text = |key: &str| get(object, key).and_then(Value::as_str);
    if let Some(fqdn) = text("fqdn") {
        return if is_zone(fqdn) { None } else { public_name(fqdn) };
    }
    let of_id = || {
        let mut parts = text("id")?.split('/').skip_while(|part| !part.eq_ignore_ascii_case("privateDnsZones")).skip(1);
        parts.next()
    };
    let zone = text("zoneName").or_else(of_id)?;
    match text("name")? {
        "@" => None,
        name => public_name(&format!("{name}.{zone}")),
    }
}

/// The private addresses of an earlier report.
fn report(object: &Object, place: &str, records: &mut Records) -> Result<(), ExpectedError> {
    const WANTED: &str = "give a report that `ampls-doctor --format json` wrote on a machine where all is well";
    if object.get("kind").and_then(Value::as_str) == Some("digest") {
        return Err(ExpectedError(format!("is a digest, which holds no addresses; {WANTED}")));
    }
    let Some(endpoints) = list(object, "endpoints", place, records) else {
        return Err(ExpectedError(format!("is a report without `endpoints`; {WANTED}")));
    };
    for (endpoint, place) in endpoints {
        if endpoint.get("route").and_then(Value::as_str) == Some("private") {
            let names = name(endpoint.get("fqdn"), &format!("{place}.fqdn"), records);
            let addresses = endpoint.get("addresses").unwrap_or(&Value::Null);
            add(records, names.as_slice(), many(addresses, &format!("{place}.addresses")))?;
        }
    }
    if records.names.is_empty() {
        return Err(ExpectedError(format!("is a report in which no name was private; {WANTED}")));
    }
    Ok(())
}

type Item<'v> = (&'v Object, String);

/// A list of objects with the place of each; `None` where the field is missing or null. PowerShell writes a list of one as the
/// object alone.
fn list<'v>(object: &'v Object, key: &str, place: &str, records: &mut Records) -> Option<Vec<Item<'v>>> {
    let place = format!("{place}.{key}");
    let items = match get(object, key)? {
        Value::Null => return None,
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (item, format!("{place}[{index}]"))).collect()
        }
        item @ Value::Object(fields) if !fields.is_empty() => vec![(item, place)],
        _ => {
            records.leave_out(&place, "a list is wanted");
            return None;
        }
    };
    let mut objects = Vec::new();
    for (item, place) in items {
        match item {
            Value::Object(object) => objects.push((object, place)),
            _ => records.leave_out(&place, "an object is wanted"),
        }
    }
    Some(objects)
}

fn unwrapped(object: &Object, place: String) -> Item<'_> {
    match get(object, "properties") {
        Some(Value::Object(inner)) => (inner, format!("{place}.properties")),
        _ => (object, place),
    }
}

fn name(value: Option<&Value>, place: &str, records: &mut Records) -> Option<String> {
    let Some(Value::String(name)) = value else {
        records.leave_out(place, "a host name is wanted");
        return None;
    };
    let found = public_name(name);
    if found.is_none() {
        records.leave_out(place, format!("{} is not a full host name", text::quote(name)));
    }
    found
}

/// Adds the addresses to every name. With one of them unreadable, a name would seem to have others than the file says: then
/// none is taken.
fn add(records: &mut Records, names: &[String], values: Vec<(Option<&Value>, String)>) -> Result<(), ExpectedError> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    let mut place_of_all = String::new();
    for (value, place) in values {
        let Some(Value::String(text)) = value else {
            // A record set of the other family has its field alone.
            if value.is_some_and(|value| !value.is_null()) || value == Some(&Value::Null) {
                records.leave_out(&place, "an address is wanted");
                return Ok(());
            }
            continue;
        };
        let Ok(address) = text.trim().parse() else {
            records.leave_out(&place, format!("{} is not an address", text::quote(text)));
            return Ok(());
        };
        addresses.push(address);
        place_of_all = place;
    }
    if addresses.is_empty() {
        return Ok(());
    }
    for name in names {
        records.add(name, addresses.iter().copied()).map_err(|what| at(&place_of_all, what))?;
    }
    Ok(())
}

fn at(place: &str, what: impl fmt::Display) -> ExpectedError {
    ExpectedError(format!("{place}: {what}"))
}
