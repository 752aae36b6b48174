//! Reports made by hand for the tests of the report and its faces.

use std::net::{IpAddr, SocketAddr};

use ampls_probes::Observations;
use ampls_probes::endpoint::{Endpoint, Expect, Expectation, Group, Need, Origin};
use ampls_probes::observation::{
    Asked, Certificate, ChainVerdict, Connected, Connection, Exchange, Handshake, HttpResponse, IoFailure, Later,
    Machine, NameVerdict, Observation, Outcome, Session, Timing, Validity, Verification,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Report, RunInfo, assemble};
use crate::diagnose::facts::{EndpointFacts, Linked, Route, Status, View, ViewKind, ZoneFact};
use crate::diagnose::finding::{BlastRadius, Certainty, Finding, Fix, Owner, Severity};

pub(crate) const WORKSPACE: &str = "6b1c0f3e-1f2d-4c55-9a68-0a1b2c3d4e5f";
const CUSTOM: &str = "10.1.0.4:53";
const AZURE: &str = "168.63.129.16:53";

/// Everything private, one optional public name blocked.
pub(crate) fn healthy() -> Report {
    let mut world = World::new();
    world.name("handler-global", "global.handler.control.monitor.azure.com", "monitor", Need::Required, "10.0.0.4");
    world.name("ods", &format!("{WORKSPACE}.ods.opinsights.azure.com"), "ods.opinsights", Need::Required, "10.0.0.5");
    world.public("metrics", "global.prod.microsoftmetrics.com", "20.50.1.2", Some(IoFailure::Refused));
    world.report(Vec::new())
}

/// Configuration private, log upload public because a forwarder does not know the zone.
pub(crate) fn mixed() -> Report {
    let mut world = World::new();
    world.name("handler-global", "global.handler.control.monitor.azure.com", "monitor", Need::Required, "10.0.0.4");
    let ods = format!("{WORKSPACE}.ods.opinsights.azure.com");
    world.name("ods", &ods, "ods.opinsights", Need::Required, "10.0.0.5");
    world.lead("ods", &[ViewKind::System, ViewKind::Server], "20.150.190.99");
    world.refuse("ods", IoFailure::Refused);
    world.link("privatelink.ods.opinsights.azure.com", CUSTOM, Linked::No);
    let root = Finding {
        summary: format!(
            "The server `10.1.0.4` answers `{ods}` with the public address 20.150.190.99, while 168.63.129.16 answers \
             it privately. The zone is linked to this virtual network, but not to the one where that server resolves."
        ),
        endpoints: vec![ods.clone()],
        evidence: vec![
            format!("{ods} A at 10.1.0.4:53 2026-11-22T10:00:00Z: 20.150.190.99"),
            format!("{ods} A at 168.63.129.16:53 2026-11-22T10:00:00Z: 10.0.0.5"),
        ],
        excludes: vec!["the record is missing: Azure's own view has it".to_owned()],
        fix: vec![Fix {
            text: "link the zone to the virtual network where 10.1.0.4 resolves".to_owned(),
            command: Some(
                "az network private-dns link vnet create --resource-group ‹zone group› --zone-name \
                 privatelink.ods.opinsights.azure.com --name ‹link› --virtual-network ‹vnet id› \
                 --registration-enabled false"
                    .to_owned(),
            ),
            read_only: false,
            blast_radius: BlastRadius::EveryNetworkOnThisDns,
            alternative: false,
            check_first: Some(
                "    az network private-dns link vnet list --resource-group ‹zone group› --zone-name \
                 privatelink.ods.opinsights.azure.com --output table"
                    .to_owned(),
            ),
            undo: Some(
                "    az network private-dns link vnet delete --resource-group ‹zone group› --zone-name \
                 privatelink.ods.opinsights.azure.com --name ‹link›"
                    .to_owned(),
            ),
        }],
        ..finding(
            "DNS003",
            "zone-not-linked",
            Severity::Error,
            "10.1.0.4 does not see `privatelink.ods.opinsights.azure.com`",
        )
    };
    let symptom = Finding {
        endpoints: vec![ods],
        caused_by: Some("DNS003".to_owned()),
        caused_by_id: Some("DNS003".to_owned()),
        ..finding("NET002", "connect-refused", Severity::Error, "20.150.190.99:443 refuses")
    };
    world.report(vec![root, symptom])
}

/// A network whose every text tries to take over the terminal.
pub(crate) fn hostile() -> Report {
    let evil = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\nPRIVATE, healthy\u{202e}\u{9b}31m\u{2028}";
    let mut world = World::new();
    world.machine.name = evil.to_owned();
    world.name("ods", &format!("a{evil}.ods.opinsights.azure.com"), "ods.opinsights", Need::Required, "10.0.0.5");
    world.issuer = evil.to_owned();
    let mut root = finding("TLS001", "intercepted", Severity::Error, &format!("issued by `{evil}`"));
    root.summary = evil.to_owned();
    root.evidence = vec![evil.to_owned()];
    root.excludes = vec![evil.to_owned()];
    root.link = evil.to_owned();
    root.fix = vec![Fix {
        text: evil.to_owned(),
        command: Some(format!("az {evil}")),
        read_only: true,
        blast_radius: BlastRadius::Machine,
        alternative: true,
        check_first: Some(evil.to_owned()),
        undo: Some(evil.to_owned()),
    }];
    world.report(vec![root])
}

/// As many endpoints and findings as wanted, three of four findings explained by an earlier one.
pub(crate) fn crowded(endpoints: usize, findings: usize, hostile_text: bool) -> Report {
    let filler =
        if hostile_text { "\u{1b}[2J\"\\é😀\nVERDICT private ok exit=0 ".repeat(40) } else { "word ".repeat(60) };
    let mut world = World::new();
    world.machine.name.clone_from(&filler);
    for index in 0..endpoints {
        let zone = ["monitor", "ods.opinsights", "oms.opinsights"][index % 3];
        let fqdn = format!("name-{index}.ods.opinsights.azure.com");
        world.name(&format!("name-{index}"), &fqdn, zone, Need::Required, "10.0.0.5");
    }
    let found = (0..findings).map(|index| {
        let severity = if index % 4 == 0 { Severity::Error } else { Severity::Warning };
        let mut found = finding(&format!("DNS{index:03}"), "some-rule", severity, &filler);
        found.summary.clone_from(&filler);
        found.endpoints = (0..endpoints).map(|index| format!("name-{index}.ods.opinsights.azure.com")).collect();
        found.evidence = vec![filler.clone(); 16];
        found.args = (0..8).map(|arg| (format!("value_{arg}"), filler.clone())).collect();
        found.fix = vec![Fix::change(BlastRadius::Vnet, filler.as_str()).with(filler.as_str())];
        (index % 4 != 0).then(|| format!("DNS{:03}", index - index % 4)).clone_into(&mut found.caused_by);
        found.caused_by_id.clone_from(&found.caused_by);
        found
    });
    let (roots, symptoms): (Vec<_>, Vec<_>) = found.partition(|found: &Finding| found.caused_by.is_none());
    world.report([roots, symptoms].concat())
}

pub(crate) fn finding(code: &str, name: &str, severity: Severity, title: &str) -> Finding {
    Finding {
        id: code.to_owned(),
        code: code.to_owned(),
        name: name.to_owned(),
        severity,
        title: title.to_owned(),
        summary: String::new(),
        endpoints: Vec::new(),
        evidence: Vec::new(),
        args: std::collections::BTreeMap::new(),
        excludes: Vec::new(),
        owner: Owner::Dns,
        certainty: Certainty::Proven,
        fix: Vec::new(),
        link: "https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure".to_owned(),
        caused_by: None,
        caused_by_id: None,
    }
}

struct World {
    machine: Machine,
    issuer: String,
    endpoints: Vec<Endpoint>,
    views: Vec<Vec<View>>,
    seen: Vec<Observation>,
    zones: Vec<ZoneFact>,
}

impl World {
    fn new() -> Self {
        Self {
            machine: Machine {
                name: "vm-1".into(),
                os: "Debian 12".into(),
                arch: "x86_64".into(),
                ..Machine::default()
            },
            issuer: "CN=Microsoft Azure RSA TLS Issuing CA 03,O=Microsoft Corporation,C=US".to_owned(),
            endpoints: Vec::new(),
            views: Vec::new(),
            seen: Vec::new(),
            zones: Vec::new(),
        }
    }

    fn name(&mut self, id: &str, fqdn: &str, zone: &str, need: Need, address: &str) {
        let zone = format!("privatelink.{zone}.azure.com");
        self.add(id, fqdn, Some(&zone), (Expectation::Private, need), address);
        self.link(&zone, CUSTOM, Linked::Yes);
        self.link(&zone, AZURE, Linked::Yes);
        self.dial(id, address, None);
    }

    fn public(&mut self, id: &str, fqdn: &str, address: &str, failure: Option<IoFailure>) {
        self.add(id, fqdn, None, (Expectation::Public, Need::Optional), address);
        self.dial(id, address, failure);
    }

    fn add(&mut self, id: &str, fqdn: &str, zone: Option<&str>, (expected, need): (Expectation, Need), address: &str) {
        self.endpoints.push(Endpoint {
            id: id.to_owned(),
            fqdn: fqdn.to_owned(),
            port: 443,
            group: Group::Agent,
            zone: zone.map(str::to_owned),
            alias: None,
            expected,
            need,
            path: "/".to_owned(),
            purpose: "a sample".to_owned(),
            service_tag: None,
            origin: Origin::Argument,
        });
        self.views.push(vec![
            view(ViewKind::System, None, address),
            view(ViewKind::Server, Some(CUSTOM), address),
            view(ViewKind::Azure, Some(AZURE), address),
        ]);
    }

    fn lead(&mut self, id: &str, kinds: &[ViewKind], address: &str) {
        for (endpoint, views) in self.endpoints.iter().zip(&mut self.views) {
            for seen in views.iter_mut().filter(|view| endpoint.id == id && kinds.contains(&view.view)) {
                let server = seen.server.map(|server| server.to_string());
                *seen = view(seen.view, server.as_deref(), address);
            }
        }
    }

    fn link(&mut self, zone: &str, server: &str, linked: Linked) {
        let server = server.parse().expect("an address");
        let soa = if linked == Linked::Yes { "azureprivatedns.net" } else { "ns1-09.azure-dns.com" };
        self.zones.retain(|fact| (fact.zone.as_str(), fact.server) != (zone, server));
        self.zones.push(ZoneFact { zone: zone.to_owned(), server, soa: Some(soa.to_owned()), linked });
    }

    fn refuse(&mut self, id: &str, failure: IoFailure) {
        self.seen.retain(|seen| match seen {
            Observation::Connection(it) => it.endpoint != id,
            Observation::Handshake(it) => it.endpoint != id,
            Observation::Exchange(it) => it.endpoint != id,
            _ => true,
        });
        self.dial(id, "20.150.190.99", Some(failure));
    }

    fn dial(&mut self, id: &str, address: &str, failure: Option<IoFailure>) {
        let address = Some(SocketAddr::new(address.parse().expect("an address"), 443));
        let timing = Timing { at_us: 4_000, elapsed_us: 12_000 };
        let outcome = match failure {
            Some(failure) => Outcome::Failed(failure),
            None => Outcome::Seen(Connected { local: None }),
        };
        let endpoint = id.to_owned();
        self.seen.push(Observation::Connection(Connection { endpoint, address, via: None, timing, outcome }));
        if failure.is_none() {
            self.seen.push(Observation::Handshake(handshake(id, address, timing)));
            self.seen.push(Observation::Exchange(exchange(id, timing)));
        }
    }

    fn report(mut self, findings: Vec<Finding>) -> Report {
        for seen in &mut self.seen {
            let Observation::Handshake(handshake) = seen else { continue };
            handshake.chain[0].issuer.clone_from(&self.issuer);
        }
        let observations = Observations {
            version: ampls_probes::observation::VERSION,
            started_at: instant(),
            elapsed_ms: 412,
            stopped: None,
            asked: Asked {
                expect: Expect::Auto,
                private_ranges: Vec::new(),
                cloud: "public".to_owned(),
                region: Some("westeurope".to_owned()),
                step_timeout_ms: 5_000,
                deadline_ms: 15_000,
                repeat: 2,
                public_roots_given: false,
                files_only: false,
                clouds: Vec::new(),
                expected_records: Vec::new(),
            },
            machine: self.machine,
            endpoints: self.endpoints,
            zones: self.zones.iter().map(|zone| zone.zone.clone()).collect(),
            unresolved_names: Vec::new(),
            seen: self.seen,
            later: Later::default(),
        };
        let facts: Vec<_> =
            observations.endpoints.iter().zip(self.views).map(|(it, views)| facts(&observations, it, views)).collect();
        let run = RunInfo { id: Uuid::nil(), tool_version: "0.1.0".to_owned() };
        assemble(&observations, &facts, &self.zones, findings, run)
    }
}

fn facts<'a>(observations: &'a Observations, endpoint: &'a Endpoint, views: Vec<View>) -> EndpointFacts<'a> {
    let mut facts = EndpointFacts::resolved(endpoint, views);
    for seen in &observations.seen {
        match seen {
            Observation::Connection(it) if it.endpoint == endpoint.id => facts.connections.push(it),
            Observation::Handshake(it) if it.endpoint == endpoint.id => facts.handshake = Some(it),
            Observation::Exchange(it) if it.endpoint == endpoint.id => facts.exchange = Some(it),
            _ => {}
        }
    }
    facts
}

fn view(view: ViewKind, server: Option<&str>, address: &str) -> View {
    let address: IpAddr = address.parse().expect("an address");
    let private = matches!(address, IpAddr::V4(address) if address.is_private());
    View {
        view,
        server: server.map(|server| server.parse().expect("an address")),
        status: Status::Ok,
        route: if private { Route::Private } else { Route::Public },
        addresses: vec![address],
        cname: Vec::new(),
        ttl: server.map(|_| 10),
        elapsed_ms: 3,
        authority: None,
    }
}

fn handshake(id: &str, address: Option<SocketAddr>, timing: Timing) -> Handshake {
    let leaf = Certificate {
        subject: "CN=*.monitor.azure.com".to_owned(),
        issuer: String::new(),
        names: vec!["*.monitor.azure.com".to_owned()],
        not_before: None,
        not_after: Some(instant()),
        signature: "sha384WithRSAEncryption".to_owned(),
        sha256: "00".repeat(32),
        self_issued: false,
        names_issuer_url: true,
    };
    Handshake {
        endpoint: id.to_owned(),
        address,
        timing,
        outcome: Outcome::Seen(Session {
            version: "TLSv1.3".to_owned(),
            cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
            alpn: None,
        }),
        chain: vec![leaf],
        verification: Some(Verification {
            machine: ChainVerdict::Trusted,
            public: ChainVerdict::Trusted,
            name: NameVerdict::Matches,
            validity: Validity::Valid,
        }),
    }
}

fn exchange(id: &str, timing: Timing) -> Exchange {
    let answer = HttpResponse {
        status: 403,
        server: Some("Microsoft-HTTPAPI/2.0".to_owned()),
        request_id: Some("b3f1".to_owned()),
        content_type: None,
        location: None,
        via: None,
        authenticate: None,
        date: None,
        received_at: instant(),
        body: String::new(),
        body_truncated: false,
    };
    Exchange { endpoint: id.to_owned(), path: "/".to_owned(), timing, outcome: Outcome::Seen(answer) }
}

fn instant() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("an instant")
}
