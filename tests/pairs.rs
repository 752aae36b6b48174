//! Two faults at once: every pair of independent faults, in a simulated Azure and through the real probes, gives both roots.
//!
//! Each fault is a fragment of a world file about names of its own, mostly those of its own data collection endpoint, so that
//! none stands physically before another: a name whose port refuses cannot show its certificate.
//! `PAIRS=name,name cargo test pairs` examines the pairs of some of them.

use std::env;

use ampls_doctor::diagnose::finding::{Finding, Severity};
use ampls_world::Scenario;
use toml::{Table, Value};

use crate::scenarios::{Pace, judged_again, line, observe, side_by_side};

/// What all of these worlds share: one workspace, a data collection endpoint, a DNS server.
/// Patience is for busy machines; only faults that are silence spend it.
const BASE: &str = r#"
title = "Pairs"
story = "Faults at once."
workspaces = ["6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64"]
dces = ["healthy-ab12.westeurope-1"]
arguments = ["--timeout", "4", "--deadline", "40"]

[[server]]
address = "10.1.0.4"
"#;

/// A fault, the code of its root, and what the root names.
struct Fault {
    name: &'static str,
    code: &'static str,
    about: &'static str,
    fragment: &'static str,
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "zone-not-linked",
        code: "DNS003",
        about: "<workspace>.oms.opinsights.azure.com",
        fragment: r#"vnet.linked = ["monitor", "ods", "agentsvc", "blob"]"#,
    },
    Fault {
        name: "forwarder-bypasses",
        code: "DNS002",
        about: "10.1.0.6",
        fragment: "server = [{ address = \"10.1.0.6\", resolves = \"public\" }]",
    },
    Fault {
        name: "forwarder-forgets",
        code: "DNS020",
        about: "forgotten-ab12.westeurope-1.ingest.monitor.azure.com",
        fragment: r#"
            dces = ["forgotten-ab12.westeurope-1"]
            [[server]]
            address = "10.1.0.4"
            forward = { "forgotten-ab12.westeurope-1.ingest.monitor.azure.com" = "public" }
        "#,
    },
    Fault {
        name: "record-missing",
        code: "DNS004",
        about: "missing-ab12.westeurope-1.ingest.monitor.azure.com",
        fragment: r#"
            dces = ["missing-ab12.westeurope-1"]
            vnet.missing = ["missing-ab12.westeurope-1.ingest.monitor.azure.com"]
        "#,
    },
    Fault {
        name: "hosts-entry",
        code: "DNS006",
        about: "<workspace>.agentsvc.azure-automation.net",
        fragment: r#"machine.hosts."6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64.agentsvc.azure-automation.net" = "10.9.9.9""#,
    },
    Fault {
        name: "server-silent",
        code: "DNS008",
        about: "10.1.0.5",
        fragment: "server = [{ address = \"10.1.0.5\", fault = \"silent\" }]",
    },
    Fault {
        name: "workspace-deleted",
        code: "DNS013",
        about: "0d5e7c11-93a2-4b7f-8c46-51e2f0a9b3d8",
        fragment: r#"deleted-workspaces = ["0d5e7c11-93a2-4b7f-8c46-51e2f0a9b3d8"]"#,
    },
    Fault {
        name: "port-dropped",
        code: "NET001",
        about: "dropped-ab12.westeurope-1.ingest.monitor.azure.com",
        fragment: r#"
            dces = ["dropped-ab12.westeurope-1"]
            front = [{ at = ["dropped-ab12.westeurope-1.ingest.monitor.azure.com"], tcp = "drop" }]
        "#,
    },
    Fault {
        name: "port-refused",
        code: "NET002",
        about: "refused-ab12.westeurope-1.ingest.monitor.azure.com",
        fragment: r#"
            dces = ["refused-ab12.westeurope-1"]
            front = [{ at = ["refused-ab12.westeurope-1.ingest.monitor.azure.com"], tcp = "refuse" }]
        "#,
    },
    Fault {
        name: "intercepted",
        code: "TLS001",
        about: "inspected-ab12.westeurope-1.ingest.monitor.azure.com",
        fragment: r#"
            dces = ["inspected-ab12.westeurope-1"]
            [[front]]
            at = ["inspected-ab12.westeurope-1.ingest.monitor.azure.com"]
            tls = "intercepted"
            issuer = "Contoso TLS Inspection CA"
        "#,
    },
    Fault {
        name: "wrong-name",
        code: "TLS003",
        about: "misnamed-ab12.westeurope-1.ingest.monitor.azure.com",
        fragment: r#"
            dces = ["misnamed-ab12.westeurope-1"]
            front = [{ at = ["misnamed-ab12.westeurope-1.ingest.monitor.azure.com"], tls = "wrong-name" }]
        "#,
    },
    Fault {
        name: "expired",
        code: "TLS004",
        about: "expired-ab12.westeurope-1.ingest.monitor.azure.com",
        fragment: r#"
            dces = ["expired-ab12.westeurope-1"]
            front = [{ at = ["expired-ab12.westeurope-1.ingest.monitor.azure.com"], tls = "expired" }]
        "#,
    },
    Fault {
        name: "reset",
        code: "TLS006",
        about: "reset-ab12.westeurope-1.ingest.monitor.azure.com",
        fragment: r#"
            dces = ["reset-ab12.westeurope-1"]
            front = [{ at = ["reset-ab12.westeurope-1.ingest.monitor.azure.com"], tls = "reset" }]
        "#,
    },
    Fault {
        name: "refused-by-isolation",
        code: "HTP001",
        about: "<workspace>.ods.opinsights.azure.com",
        fragment: r#"
            [[front]]
            at = ["<workspace>.ods.opinsights.azure.com"]
            status = 403
            headers = { Content-Type = "application/json" }
            body = '{"error":{"code":"NspValidationFailedError","message":"Access to workspace is denied."}}'
        "#,
    },
    Fault {
        name: "association-missing",
        code: "HTP003",
        about: "global.handler.control.monitor.azure.com",
        fragment: r#"
            [[front]]
            at = ["global.handler.control.monitor.azure.com"]
            status = 403
            headers = { Content-Type = "application/json" }
            body = '{"error":{"code":"InvalidAccess","message":"Data collection endpoint must be used to access configuration over private link."}}'
        "#,
    },
    Fault {
        name: "proxy-catches-metadata",
        code: "PRX005",
        about: "169.254.169.254",
        fragment: r#"
            proxy.address = "10.1.0.9:3128"
            [environment]
            HTTP_PROXY = "http://10.1.0.9:3128"
            HTTPS_PROXY = "http://10.1.0.9:3128"
            NO_PROXY = ".azure.com,.azure-automation.net,.windows.net"
        "#,
    },
    Fault { name: "clock-behind", code: "AZR002", about: "1 h behind", fragment: "clock-shift-s = -3600" },
];

#[test]
fn every_pair_of_faults_gives_both_roots() {
    let only = env::var("PAIRS").unwrap_or_default();
    let faults: Vec<&Fault> =
        FAULTS.iter().filter(|fault| only.is_empty() || only.split(',').any(|name| name == fault.name)).collect();
    let mut sets: Vec<Vec<&Fault>> = faults.iter().map(|fault| vec![*fault]).collect();
    for (place, one) in faults.iter().enumerate() {
        sets.extend(faults.iter().skip(place + 1).map(|other| vec![*one, *other]));
    }
    side_by_side(&sets, |set| named(set), |set, pace| examine(set, pace));
}

#[test]
fn fragments_that_contradict_each_other_are_not_merged() {
    let table = |text: &str| text.parse::<Table>().expect("TOML");
    let mut one = table("vnet.linked = ['ods']\nserver = [{ address = '10.1.0.4' }]");
    merge(&mut one, table("server = [{ address = '10.1.0.4', fault = 'silent' }, { address = '10.1.0.5' }]"))
        .expect("no contradiction");
    let wanted =
        "vnet.linked = ['ods']\nserver = [{ address = '10.1.0.4', fault = 'silent' }, { address = '10.1.0.5' }]";
    assert_eq!(one, table(wanted));
    assert!(merge(&mut table("region = 'a'"), table("region = 'b'")).is_err());
}

fn named(set: &[&Fault]) -> String {
    set.iter().map(|fault| fault.name).collect::<Vec<_>>().join(" + ")
}

/// What is missing from the findings of a world with these faults, and what is too much.
fn examine(set: &[&Fault], pace: Pace) -> Result<Vec<String>, String> {
    let mut world: Table = BASE.parse().map_err(|error: toml::de::Error| error.to_string())?;
    for fault in set {
        merge(&mut world, fault.fragment.parse().map_err(|error| format!("`{}`: {error}", fault.name))?)?;
    }
    let text = toml::to_string(&world).map_err(|error| error.to_string())?;
    let mut scenario = Scenario::parse(&named(set), &text).map_err(|error| error.to_string())?;
    pace.set(&mut scenario);
    let seen = observe(&scenario)?;
    let roots = || seen.findings.iter().filter(|finding| finding.caused_by.is_none());
    let mut differs = Vec::new();
    for fault in set {
        let about = scenario.expand(fault.about);
        if !roots().any(|root| root.code == fault.code && names(root, &about)) {
            differs.push(format!("{} about `{about}` is not a root", fault.code));
        }
    }
    let strangers = roots().filter(|root| root.severity > Severity::Info);
    let strangers = strangers.filter(|root| set.iter().all(|fault| fault.code != root.code));
    differs.extend(strangers.map(|root| format!("{} is a root that nobody made", root.id)));
    differs.extend(judged_again(&seen.observations, &seen.findings).err());
    if !differs.is_empty() {
        differs.extend(seen.findings.iter().map(line));
    }
    Ok(differs)
}

fn names(finding: &Finding, about: &str) -> bool {
    let said = [&finding.title, &finding.summary].into_iter().chain(&finding.endpoints).chain(&finding.evidence);
    said.into_iter().any(|text| text.contains(about))
}

/// Tables join, lists grow, list entries about the same address join; one key with two values is a contradiction.
fn merge(into: &mut Table, from: Table) -> Result<(), String> {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(known)), Value::Table(more)) => merge(known, more)?,
            (Some(Value::Array(known)), Value::Array(more)) => {
                for entry in more {
                    let same = known
                        .iter_mut()
                        .find(|old| entry.get("address").is_some() && old.get("address") == entry.get("address"));
                    match (same, entry) {
                        (Some(Value::Table(old)), Value::Table(mut new)) => {
                            new.remove("address");
                            merge(old, new)?;
                        }
                        (_, entry) => known.push(entry),
                    }
                }
            }
            (None, value) => {
                into.insert(key, value);
            }
            (Some(old), new) => return Err(format!("`{key}` is both `{old}` and `{new}`")),
        }
    }
    Ok(())
}
