//! What a redacted report of any world holds does not depend on how the customer calls his things.
//!
//! A name like `edge`, `prod` or `4711` stands in a report for other reasons, too: a browser, a domain of Azure's, a port. To
//! look whether it occurs proves nothing in either direction. So every world is given two sets of names that are equal in
//! form: one of words that could be taken for Azure's own or for numbers, one of words that exist nowhere. Under one key both
//! must give the same redacted report, byte for byte and in every format: then nothing of the names is in it, in no disguise.
//! Addresses are moved by their value, so they are looked for, under two keys: what stays under both was not moved.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::render::page::{Detail, Style};
use ampls_doctor::render::{self, Format};
use ampls_doctor::report::{FailOn, Report, RunInfo, redact};
use ampls_probes::{Catalogue, Observations};
use ampls_world::Embedded;
use serde_json::{Value, json};
use uuid::Uuid;

use super::scenarios::{Pace, observe, side_by_side};

const FORMATS: [Format; 7] =
    [Format::Table, Format::Json, Format::Ndjson, Format::Compact, Format::Html, Format::Junit, Format::Metrics];

/// Names of machines, groups and people that are also words of Azure, of protocols and of this program, or numbers.
const NAMES: [&str; 24] = [
    "edge",
    "4711",
    "gateway-01",
    "monitoring",
    "dc-01",
    "prod",
    "proxy-10-1-0-4",
    "core",
    "storage-01",
    "workspace",
    "policy-01",
    "error",
    "localhost",
    "westeurope",
    "us",
    "html",
    "com",
    "windows",
    "name-1",
    "resourcegroups",
    "443",
    "azure",
    "privatelink-1",
    "squid",
];

/// Everything that a world is given, by the place of a name in [`NAMES`].
struct Names {
    machine: &'static str,
    vm: &'static str,
    group: &'static str,
    user: &'static str,
}

impl Names {
    fn of(world: usize) -> Self {
        let name = |at: usize| NAMES[(world + at) % NAMES.len()];
        Self { machine: name(0), vm: name(5), group: name(11), user: name(17) }
    }

    /// The observations with these names in every place where something of the customer's is named. `other` stands for the
    /// names by words of the same form.
    fn given_to(&self, seen: &Observations, other: &mut dyn FnMut(&str) -> String) -> Observations {
        let Self { machine, vm, group, user } = self;
        let mut seen = serde_json::to_value(seen).expect("observations are JSON");
        seen["machine"]["name"] = json!(other(machine));
        seen["machine"]["os"] = json!(format!("{} (10.55.66.77)", other("Contoso Golden Image 9")));
        for step in seen["seen"].as_array_mut().expect("steps") {
            let probe = step["probe"].as_str().unwrap_or_default().to_owned();
            let seen = step["outcome"] == "seen";
            let what = &mut step["what"];
            match probe.as_str() {
                "metadata" if seen => {
                    what["name"] = json!(other(vm));
                    what["resource_id"] = json!(format!(
                        "/subscriptions/0d5e7c11-93a2-4b7f-8c46-51e2f0a9b3d9/resourceGroups/{}/providers/\
                         Microsoft.Compute/virtualMachines/{}",
                        other(group),
                        other(vm)
                    ));
                }
                "resolver" if seen => {
                    for suffix in ["prod.core.local", "google.local", "77.88.local"] {
                        push(&mut what["search"], json!(other(suffix)));
                    }
                }
                "hosts" if seen => {
                    for name in ["dc-01.local", "10442.local", machine] {
                        push(&mut what["entries"], json!({"line": 99, "address": "10.9.9.8", "name": other(name)}));
                    }
                }
                "agents" => {
                    // What kind of file it is stays.
                    let (user, log) = (other(user), format!("{}.log", other("10-71-72-74")));
                    for path in [format!("/home/{user}/{log}"), format!("C:\\Users\\{user}\\{log}")] {
                        push(&mut step["unread"], json!({"path": path, "why": "link"}));
                    }
                    for agent in step["found"].as_array_mut().into_iter().flatten() {
                        let version = format!("1.0-{}", other("contososecret"));
                        push(&mut agent["versions"], json!({"version": version, "source": "/var/lib/waagent"}));
                    }
                }
                "browsers" if seen => {
                    for setting in what["settings"].as_array_mut().into_iter().flatten() {
                        if setting["profile"].is_string() {
                            setting["profile"] = json!(format!("/home/{}/.config/google-chrome", other(user)));
                        }
                    }
                }
                "encrypted-dns" if seen => {
                    for service in what.as_array_mut().into_iter().flatten() {
                        service["setting"] = json!(format!("server = /{}", other("contoso.intern")));
                        push(&mut service["servers"], json!(format!("10.99.98.97#{}", other("dns.contoso.intern"))));
                    }
                }
                "proxy-settings" => {
                    let before = step["exempt"]["names"].as_str().map_or_else(String::new, |names| format!("{names},"));
                    let names = other(
                        "10.77.88.,10.77.66.*,192.168.77.*,10.31.41.59.intern.contoso,10.31.41.58-primary,172.16.99,\
                         dns-10-66-77-88.core.local,dc-01.local,010.033.044.055,0x0a4d5801,contoso-10_44_55_69",
                    );
                    step["exempt"] = json!({"source": "NO_PROXY", "names": format!("{before}{names}")});
                }
                "exchange" if seen => {
                    what["via"] = json!(format!("1.1 {} (squid/5.7)", other("proxy-01")));
                    what["request_id"] = json!(other("12345678"));
                    what["authenticate"] = json!(format!("Basic realm={}", other("contoso")));
                    // A workspace of one world is called so.
                    let body =
                        what["body"].as_str().unwrap_or_default().replace("'prod'", &format!("'{}'", other("prod")));
                    if body.starts_with(['{', '<']) {
                        what["body"] =
                            json!(format!("{body} Client-IP:10.44.55.68 {} {}", other(user), other("ä10.44.55.71")));
                    }
                }
                "handshake" => {
                    for certificate in step["chain"].as_array_mut().into_iter().flatten().skip(1) {
                        push(&mut certificate["names"], json!(other("ca.prod.core.local")));
                        certificate["subject"] = json!(format!("CN={},O={}", other(group), other("contoso")));
                    }
                }
                _ => {}
            }
        }
        serde_json::from_value(seen).expect("still observations")
    }
}

fn push(list: &mut Value, value: Value) {
    if let Some(list) = list.as_array_mut() {
        list.push(value);
    }
}

/// For every label another one, the same throughout, of a word that exists nowhere. What the world itself has replaced stays
/// what it is, so that it has the same pseudonym with both sets.
fn others(replaced: &BTreeSet<String>) -> impl FnMut(&str) -> String + '_ {
    let mut given: BTreeMap<String, String> = BTreeMap::new();
    move |text| {
        let mut made = String::new();
        let mut label = String::new();
        for character in text.chars().map(Some).chain([None]) {
            match character {
                Some(c) if c.is_alphanumeric() || c == '-' || c == '_' => label.push(c),
                delimiter => {
                    if !label.is_empty() {
                        let number = given.len();
                        let lower = label.to_lowercase();
                        made += if replaced.contains(&lower) {
                            &label
                        } else {
                            given.entry(lower).or_insert_with(|| format!("qx{number}zz"))
                        };
                        label.clear();
                    }
                    made.extend(delimiter);
                }
            }
        }
        made
    }
}

/// The labels that a redacted report of the world has less often, or not any more.
fn replaced(seen: &Observations) -> Result<BTreeSet<String>, serde_json::Error> {
    let (redacted, _) = redact(seen, &Catalogue::builtin().expect("the catalogue"), [5; 16])?;
    let mut counts: BTreeMap<String, isize> = BTreeMap::new();
    for (seen, one) in [(seen, 1), (&redacted, -1)] {
        let text = serde_json::to_string(seen)?.to_lowercase();
        for label in text.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_') {
            *counts.entry(label.to_owned()).or_default() += one;
        }
    }
    Ok(counts.into_iter().filter(|(_, count)| *count > 0).map(|(label, _)| label).collect())
}

/// The report in every format.
fn in_every_format(seen: &Observations, key: u8) -> Vec<String> {
    let catalogue = Catalogue::builtin().expect("the catalogue");
    let (seen, redacted) = redact(seen, &catalogue, [key; 16]).expect("a redacted report");
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
    let mut report = Report::new(&seen, &Facts::new(&seen), diagnose(&seen), run);
    report.redacted = Some(redacted);
    let style = Style { detail: Detail::Everything, ..Style::default() };
    let write = |format: &Format| {
        let mut out = Vec::new();
        render::write(*format, &report, FailOn::Error, &style, &mut out).expect("memory takes it");
        String::from_utf8(out).expect("UTF-8")
    };
    FORMATS.iter().map(write).collect()
}

/// The findings but for the words that are replaced.
fn outline(seen: &Observations) -> Vec<String> {
    let mut outline: Vec<String> = diagnose(seen)
        .iter()
        .map(|it| {
            let args: Vec<&String> = it.args.keys().collect();
            let sizes = (it.endpoints.len(), it.evidence.len(), it.fix.len());
            format!(
                "{} {:?} {:?} {:?} {:?} {sizes:?} {args:?}",
                it.code, it.severity, it.certainty, it.owner, it.caused_by
            )
        })
        .collect();
    outline.sort();
    outline
}

/// Addresses and ids that stand in a text by themselves.
fn values(text: &str) -> BTreeSet<String> {
    let v4 = text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|token| token.trim_matches('.'));
    let v6 = text.split(|c: char| !c.is_ascii_hexdigit() && c != ':').filter(|token| token.matches(':').count() > 1);
    let addresses = v4.chain(v6).filter_map(|token| token.parse::<IpAddr>().ok());
    let ids = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-').filter_map(|token| Uuid::try_parse(token).ok());
    let ids = ids.filter(|id| !id.is_nil()).map(|id| id.to_string());
    addresses.map(|address| address.to_string()).chain(ids).collect()
}

/// The same everywhere: this host, Azure's own servers, public resolvers.
fn stays(value: &str) -> bool {
    // The last is where a DNS filter leads its customers, all of them.
    const EVERYWHERE: [&str; 7] =
        ["168.63.129.16", "169.254.169.254", "8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9", "146.112.61.106"];
    let address = value.parse::<IpAddr>().ok();
    EVERYWHERE.contains(&value) || address.is_some_and(|address| address.is_loopback() || address.is_unspecified())
}

fn faults(number: usize, world: &Embedded, pace: Pace) -> Result<Vec<String>, String> {
    let mut scenario = world.parse().map_err(|error| error.to_string())?;
    pace.set(&mut scenario);
    let seen = observe(&scenario)?.observations;
    let names = Names::of(number);
    let plain = names.given_to(&seen, &mut str::to_owned);
    let replaced = replaced(&seen).map_err(|error| error.to_string())?;
    let other = names.given_to(&seen, &mut others(&replaced));
    let text = serde_json::to_string(&plain).expect("observations are JSON");
    let mut faults = Vec::new();

    let machine = format!("\"name\":\"{}\"", names.machine);
    if !text.contains(&machine) || text == serde_json::to_string(&other).expect("observations are JSON") {
        faults.push("the names were not given".to_owned());
    }
    let (one, another) = (in_every_format(&plain, 3), in_every_format(&other, 3));
    for ((format, one), another) in FORMATS.iter().zip(&one).zip(&another) {
        let lines = one.split(['\n', ',']).zip(another.split(['\n', ',']));
        if let Some((one, another)) = lines.clone().find(|(one, another)| one != another) {
            let cut = |line: &str| line.chars().take(300).collect::<String>();
            faults.push(format!("{format:?} tells names apart: {} | {}", cut(one), cut(another)));
        }
    }
    let held = |texts: &[String]| texts.iter().flat_map(|text| values(text)).collect::<BTreeSet<_>>();
    let left: Vec<String> = held(&one).intersection(&held(&in_every_format(&plain, 4))).cloned().collect();
    let originals = values(&text);
    // Running numbers begin at one, so a pseudonym of an id may be an original of these worlds.
    let moved =
        |value: &&String| originals.contains(*value) && !stays(value) && !value.starts_with("00000000-0000-4000-8000-");
    faults.extend(left.iter().filter(moved).map(|value| format!("{value} survives")));
    let catalogue = Catalogue::builtin().map_err(|error| error.to_string())?;
    let (redacted, _) = redact(&plain, &catalogue, [3; 16]).map_err(|error| error.to_string())?;
    let (before, after) = (outline(&plain), outline(&redacted));
    faults.extend(before.iter().filter(|line| !after.contains(line)).map(|line| format!("lost: {line}")));
    faults.extend(after.iter().filter(|line| !before.contains(line)).map(|line| format!("new: {line}")));
    Ok(faults)
}

#[test]
fn no_world_shows_what_the_customer_calls_their_things() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let chosen = |world: &Embedded| only.is_empty() || only.split(',').any(|name| name == world.name);
    let worlds: Vec<(usize, &Embedded)> =
        ampls_world::scenarios().iter().enumerate().filter(|(_, world)| chosen(world)).collect();
    side_by_side(&worlds, |(_, world)| world.name.to_owned(), |(number, world), pace| faults(*number, world, pace));
}

#[test]
fn a_name_that_is_left_would_be_found() {
    assert_eq!(others(&BTreeSet::from(["corp".to_owned()]))("dc-01.corp, DC-01.x"), "qx0zz.corp, qx0zz.qx1zz");
    let found = values("a 10.0.0.5:443, [fd00::5]:53 and 6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64.ods at 10:00:05");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["10.0.0.5", "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64", "fd00::5"]);
}
