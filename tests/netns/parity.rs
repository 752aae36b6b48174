//! One fault in two worlds: the simulated Azure of `tests/scenarios` and a lab of real servers must give the same findings.
//!
//! The table names the lab that each world stands for. Both get the same arguments and the same environment; only the
//! lab's own workspace, data collection endpoint and proxy are put in their places.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use ampls_doctor::diagnose::diagnose;
use ampls_doctor::diagnose::facts::Facts;
use ampls_doctor::report::{Report, RunInfo};
use ampls_probes::Catalogue;
use ampls_world::Scenario;
use serde_json::Value;
use uuid::Uuid;

use super::design::{CUSTOM_DNS, Custom, Design, Inspection, PROXY, PUBLIC_DNS, SECOND_DNS};
use super::doctor::{Examination, examine_as};
use super::lab::{Lab, Result, possible};
use super::names::{DCE, WORKSPACE, Zone};
use super::{SHORT, all_but, custom, ods};

/// Simulated worlds examined side by side.
const WORLDS: usize = 6;

/// Labs side by side.
const LABS: usize = 3;

/// A world and the lab that is the same.
struct Pair {
    /// The name of the world file.
    world: &'static str,
    design: fn() -> Design,
    /// Codes that differ by nature, and why.
    apart: &'static [(&'static str, &'static str)],
}

const fn pair(world: &'static str, design: fn() -> Design) -> Pair {
    Pair { world, design, apart: &[] }
}

const fn pair_but(world: &'static str, design: fn() -> Design, apart: &'static [(&'static str, &'static str)]) -> Pair {
    Pair { world, design, apart }
}

/// A server of nginx: where it listens, which certificate it has, what it does with a request.
macro_rules! front {
    ($listen:literal, $certificate:literal, $answer:literal) => {
        concat!(
            "server {\nlisten ",
            $listen,
            ";\nssl_certificate @FOLDER@/",
            $certificate,
            ".pem;\nssl_certificate_key @FOLDER@/front.key;\nlocation / {\n",
            $answer,
            "\n}\n}\n",
        )
    };
}

/// Names, servers, zones.
const DNS: [Pair; 28] = [
    pair("healthy-private", Design::default),
    pair("healthy-public", || unlinked(Design::default())),
    pair("spoke-without-links", || unlinked(Design::default())),
    pair("hub-and-spoke", || unlinked(custom(Custom::Hub))),
    pair("custom-dns-forwards-to-public", || custom(Custom::Dnsmasq(PUBLIC_DNS))),
    pair("zone-not-linked-ods", || Design { linked: all_but(Zone::Ods), ..Design::default() }),
    pair("empty-monitor-zone", || {
        let monitor = vec![Zone::Monitor];
        Design { linked: monitor.clone(), empty: monitor, ..Design::default() }
    }),
    pair("record-missing-behind-fallback", || Design { fallback: vec![Zone::Ods], ..Design::default() }),
    pair("servers-disagree", || {
        let resolv_conf = format!("nameserver {SECOND_DNS}\nnameserver {CUSTOM_DNS}\n");
        unlinked(Design { second: true, custom: Custom::Hub, resolv_conf, ..Design::default() })
    }),
    pair("hosts-entry-dead", || Design { hosts: format!("10.9.9.9 {}\n", ods()), ..Design::default() }),
    pair("hosts-entry-public", || Design {
        hosts: format!("20.99.9.9 {}\n", ods()),
        firewall: "ip daddr 20.99.9.9 drop",
        ..Design::default()
    }),
    pair("server-silent-all", || asking(CUSTOM_DNS, Custom::Absent)),
    pair("server-silent-one", || {
        let resolv_conf = format!("nameserver {CUSTOM_DNS}\nnameserver {SECOND_DNS}\n{SHORT}");
        Design { second: true, resolv_conf, ..Design::default() }
    }),
    // The kernel bounds how often it says that a port is closed: the machine must not wait long for what is left unsaid.
    pair("server-closed", || asking(CUSTOM_DNS, Custom::Closed)),
    pair("server-refused", || {
        let resolv_conf = format!("nameserver {CUSTOM_DNS}\nnameserver {SECOND_DNS}\n");
        Design { second: true, custom: Custom::Refusing, resolv_conf, ..Design::default() }
    }),
    pair("truncated-dns-over-tcp", || custom(Custom::Unbending("max-udp-size: 95"))),
    pair_but(
        "dns-over-tcp-blocked",
        || Design {
            firewall: "ip daddr 10.0.0.4 tcp dport 53 drop",
            ..asking(CUSTOM_DNS, Custom::Unbending("max-udp-size: 95"))
        },
        &[(
            "RUN001",
            "glibc waits for TCP 53 as long as the kernel tries to connect, the simulated resolver its time-out",
        )],
    ),
    pair("sinkholed", || {
        custom(Custom::Unbending(
            "local-zone: \"ods.opinsights.azure.com.\" redirect\n    local-data: \"ods.opinsights.azure.com. A 0.0.0.0\"",
        ))
    }),
    pair("workspace-deleted", Design::default),
    pair("forwarder-for-some-suffixes", || custom(Custom::Partial("monitor.azure.com"))),
    pair("split-brain-zone", || custom(Custom::Zoned("ods.opinsights.azure.com", "another IN A 10.1.2.77\n"))),
    pair("shadow-zone-that-works", || {
        let records = "global IN A 10.1.0.12\nwesteurope IN A 20.50.1.2\n";
        custom(Custom::Zoned("handler.control.monitor.azure.com", records))
    }),
    pair("search-domain-answers", || Design {
        resolv_conf: format!("nameserver {CUSTOM_DNS}\nsearch corp.example\n"),
        firewall: "ip daddr 10.7.7.7 tcp dport 443 reject with tcp reset",
        ..custom(Custom::Zoned("corp.example", "dc1 IN A 10.0.0.4\n*.ods.opinsights.azure.com IN A 10.7.7.7\n"))
    }),
    pair("azure-dns-blocked", || Design {
        firewall: "ip daddr 168.63.129.16 meta l4proto { tcp, udp } th dport 53 drop",
        ..unlinked(custom(Custom::Hub))
    }),
    pair("two-faults-zone-and-hosts", || Design {
        linked: all_but(Zone::Ods),
        hosts: "10.9.9.9 global.handler.control.monitor.azure.com\n".to_owned(),
        ..Design::default()
    }),
    pair("two-faults-split-brain-and-hosts", || Design {
        hosts: "10.9.9.9 global.handler.control.monitor.azure.com\n".to_owned(),
        ..custom(Custom::Zoned("ods.opinsights.azure.com", "another IN A 10.1.2.77\n"))
    }),
    pair("two-faults-dns-and-tls", || Design {
        inspection: Inspection::Trusted,
        ..custom(Custom::Dnsmasq(PUBLIC_DNS))
    }),
    pair("two-faults-server-and-port", || Design {
        second: true,
        resolv_conf: format!("nameserver {SECOND_DNS}\nnameserver {CUSTOM_DNS}\n{SHORT}"),
        firewall: "ip daddr 10.1.0.20 tcp dport 443 reject with tcp reset",
        ..Design::default()
    }),
];

/// What happens to connections, and who answers them.
const FRONTS: [Pair; 19] = [
    pair("private-port-dropped", || filtered("ip daddr 10.1.0.0/24 tcp dport 443 drop")),
    pair("port-refused", || filtered("ip daddr 10.1.0.20 tcp dport 443 reject with tcp reset")),
    pair("unreachable", || filtered("ip daddr 10.1.0.0/24 tcp dport 443 reject with icmp type host-unreachable")),
    pair("tls-silent", || filtered("ip daddr 10.1.0.0/24 tcp dport 443 ip length > 120 drop")),
    pair("reset-after-client-hello", || {
        filtered("ip daddr 10.1.0.20 tcp dport 443 ip length > 120 reject with tcp reset")
    }),
    pair("intercepted-trusted", || Design { inspection: Inspection::Trusted, ..Design::default() }),
    pair("roots-out-of-date", || Design { distrustful: true, ..Design::default() }),
    pair("tls-too-old", || Design { inspection: Inspection::Old, ..Design::default() }),
    pair("self-signed", || answered(front!("10.1.0.20:443 ssl", "front-alone", "return 200;"))),
    pair("wrong-name", || answered(front!("10.1.0.20:443 ssl", "front-elsewhere", "return 200;"))),
    pair("expired-clock-right", || answered(front!("10.1.0.20:443 ssl", "front-expired", "return 200;"))),
    pair("chain-incomplete", || answered(front!("10.1.0.20:443 ssl", "front-leaf", "return 200;"))),
    pair("plain-http-answers", || answered("server { listen 10.1.0.20:443; location / { return 400; } }")),
    pair("query-from-outside", || {
        unlinked(answered(front!(
            "443 ssl; server_name api.monitor.azure.com",
            "front",
            "default_type application/json; return 403 '{\"error\":{\"code\":\"InsufficientAccessError\",\"innererror\":\
                 {\"code\":\"NspValidationFailedError\",\"message\":\"Access from 20.31.4.5 is denied.\"}}}';"
        )))
    }),
    pair("handler-not-healthy", || {
        answered(front!(
            "10.1.0.12:443 ssl",
            "front",
            "default_type text/html; return 200 '<html><body>Welcome</body></html>';"
        ))
    }),
    pair("endpoint-association-missing", || {
        answered(front!(
            "10.1.0.12:443 ssl",
            "front",
            "default_type application/json; return 403 '{\"error\":{\"code\":\"InvalidAccess\",\"message\":\"Data collection \
                 endpoint must be used to access configuration over private link.\"}}';"
        ))
    }),
    pair("service-busy", || {
        answered(front!("10.1.0.20:443 ssl", "front", "add_header x-ms-request-id a1b2c3 always; return 503;"))
    }),
    pair("http-close", || answered(front!("10.1.0.20:443 ssl", "front", "return 444;"))),
    pair("metadata-hidden", || filtered("ip daddr 169.254.169.254 drop")),
];

/// Proxies.
const PROXIES: [Pair; 11] = [
    pair("proxy-takes-private-names", proxied),
    pair("shell-proxy-takes-private-names", proxied),
    pair("proxy-exempts-private-names", proxied),
    pair("proxy-catches-metadata", proxied),
    pair("two-faults-proxy-and-dns", || Design { linked: all_but(Zone::Ods), ..proxied() }),
    pair("public-through-proxy", || unlinked(proxied())),
    pair("proxy-wants-credentials", || {
        let proxy_rules = "auth_param basic program /usr/lib/squid/basic_fake_auth\nauth_param basic realm lab\n\
                           acl known proxy_auth REQUIRED\nhttp_access deny !known";
        Design { proxy_rules, ..unlinked(proxied()) }
    }),
    pair("proxy-dead", || unlinked(Design::default())),
    pair("proxy-dead-private", || filtered("ip daddr 10.0.0.5 tcp dport 3128 drop")),
    pair("proxy-denies", || Design { proxy_rules: "http_access deny CONNECT", ..unlinked(proxied()) }),
    pair("proxy-silent", || Design {
        firewall: "ip daddr 10.0.0.5 tcp dport 3128 ip length > 80 drop",
        ..unlinked(proxied())
    }),
];

#[test]
fn simulated_and_real_dns_give_the_same_findings() {
    agree(&DNS);
}

#[test]
fn simulated_and_real_fronts_give_the_same_findings() {
    agree(&FRONTS);
}

#[test]
fn simulated_and_real_proxies_give_the_same_findings() {
    agree(&PROXIES);
}

static TURN: Mutex<()> = Mutex::new(());

/// Examines both worlds of every pair and compares what was found; `ONLY=name,name` examines some of them.
fn agree(pairs: &[Pair]) {
    if !possible() {
        return;
    }
    let only = std::env::var("ONLY").unwrap_or_default();
    let wanted = |pair: &&Pair| only.is_empty() || only.split(',').any(|name| name == pair.world);
    let pairs: Vec<&Pair> = pairs.iter().filter(wanted).collect();
    // One table after the other: what waits for silence may not wait for a processor too.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let look = |pairs: &[&Pair], worlds, labs| {
        let simulated = each(pairs, worlds, simulated);
        let real = each(pairs, labs, |pair| real(pair).map_err(|error| error.to_string()));
        let faults = pairs.iter().filter_map(|pair| {
            let fault = match (&simulated[pair.world], &real[pair.world]) {
                (Ok(simulated), Ok((outcome, _))) if simulated == outcome => return None,
                (Ok(simulated), Ok((outcome, seen))) => {
                    format!("simulated {simulated:?}\nreal      {outcome:?}\n{seen}")
                }
                (Err(error), _) => format!("simulated: {error}"),
                (_, Err(error)) => format!("real: {error}"),
            };
            Some((pair.world, fault))
        });
        faults.collect::<BTreeMap<_, _>>()
    };
    let differ = look(&pairs, WORLDS, LABS);
    // A busy machine lets a step time out that nothing is wrong with: what differs is looked at again with nothing beside it.
    let again: Vec<&Pair> = pairs.iter().copied().filter(|pair| differ.contains_key(pair.world)).collect();
    let faults = look(&again, 1, 1);
    let shown: Vec<String> = faults.iter().map(|(world, fault)| format!("{world}\n{fault}")).collect();
    assert!(faults.is_empty(), "{} of {} worlds differ:\n\n{}", faults.len(), pairs.len(), shown.join("\n\n"));
}

/// Does this with every pair, some of them side by side: most of the time is waited.
fn each<T: Send>(
    pairs: &[&Pair],
    side_by_side: usize,
    examine: impl Fn(&Pair) -> std::result::Result<T, String> + Sync,
) -> BTreeMap<&'static str, std::result::Result<T, String>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(pair) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((pair.world, examine(pair)));
        }
        done
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..side_by_side).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no examination panics")).collect()
    })
}

/// What both worlds have to have in common. Information counts only where the world file names it, as for the world itself:
/// the lab has addresses of its own, on which some information depends.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    health: Value,
    route: Value,
    /// In the report's order.
    roots: Vec<String>,
    /// Symptom and cause.
    caused: BTreeSet<(String, String)>,
}

impl Outcome {
    fn new(report: &Value, scenario: &Scenario, pair: &Pair) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (mut roots, mut caused) = (Vec::new(), BTreeSet::new());
        for finding in report["findings"].as_array().into_iter().flatten() {
            let code = text(&finding["code"]);
            let quiet = finding["severity"] == "info" && !scenario.expect.roots.contains(&code);
            if quiet || pair.apart.iter().any(|(apart, _)| *apart == code) {
                continue;
            }
            if finding["caused_by"].is_null() {
                roots.push(code);
            } else {
                caused.insert((code, text(&finding["caused_by"])));
            }
        }
        let verdict = &report["verdict"];
        Self { health: verdict["health"].clone(), route: verdict["route"].clone(), roots, caused }
    }
}

fn simulated(pair: &Pair) -> std::result::Result<Outcome, String> {
    let scenario = scenario(pair)?;
    let options = crate::scenarios::options(&scenario)?;
    let running = ampls_world::start(&scenario).map_err(|error| error.to_string())?;
    let catalogue = Catalogue::builtin().map_err(|error| error.to_string())?;
    let observations = ampls_probes::run::run(running.world.clone(), options, &catalogue, &|_| {})
        .map_err(|error| error.to_string())?;
    let run = RunInfo { id: Uuid::nil(), tool_version: "0.0.0".to_owned() };
    let report = Report::new(&observations, &Facts::new(&observations), diagnose(&observations), run);
    let report = serde_json::to_value(&report).map_err(|error| error.to_string())?;
    Ok(Outcome::new(&report, &scenario, pair))
}

fn real(pair: &Pair) -> Result<(Outcome, Examination)> {
    let mut scenario = scenario(pair)?;
    let proxy = scenario.proxy.as_ref().map(|proxy| proxy.address.ip().to_string());
    let in_lab = |text: &str| proxy.as_ref().map_or_else(|| text.to_owned(), |proxy| text.replace(proxy, PROXY));
    scenario.workspaces.truncate(1);
    scenario.workspaces.iter_mut().for_each(|workspace| WORKSPACE.clone_into(workspace));
    scenario.dces.truncate(1);
    for dce in &mut scenario.dces {
        DCE.split(".ingest.").next().unwrap_or_default().clone_into(dce);
    }
    let arguments: Vec<String> = scenario.arguments().iter().map(|argument| in_lab(argument)).collect();
    let environment = scenario.environment.iter().map(|(name, value)| (name.clone(), in_lab(value))).collect();
    let lab = Lab::start_beside(&(pair.design)())?;
    let seen = examine_as(&lab, &arguments, &environment)?;
    Ok((Outcome::new(seen.report(), &scenario, pair), seen))
}

fn scenario(pair: &Pair) -> std::result::Result<Scenario, String> {
    let embedded = ampls_world::scenario(pair.world).ok_or_else(|| format!("there is no world `{}`", pair.world))?;
    embedded.parse().map_err(|error| error.to_string())
}

fn unlinked(design: Design) -> Design {
    Design { linked: Vec::new(), ..design }
}

fn asking(server: &str, custom: Custom) -> Design {
    Design { custom, resolv_conf: format!("nameserver {server}\n{SHORT}"), ..Design::default() }
}

fn filtered(firewall: &'static str) -> Design {
    Design { firewall, ..Design::default() }
}

fn answered(front: &'static str) -> Design {
    Design { front, ..Design::default() }
}

fn proxied() -> Design {
    Design { proxy: true, ..Design::default() }
}
