//! A company for tests: machines in spokes of hubs, in regions and subscriptions, with agents of several versions.
//!
//! What is wrong enters as observations, and `diagnose` judges them; [`truth`] counts from the same description, never from
//! findings, which causes how many machines have.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ampls_probes::azure::AgentKind;
use ampls_probes::observation::{Observation, Outcome, ServerRole};
use ampls_probes::testing::{
    AZURE, CUSTOM, HANDLER, ODS, OMS, Says, Scene, Tls, ZONES, agent, private_world, public_world,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::diagnose::diagnose_facts;
use crate::diagnose::facts::Facts;
use crate::report::{Report, RunInfo};

/// Hubs; each has its own DNS server, and its own fault or none.
const HUBS: usize = 5;
/// Spokes of a hub.
const SPOKES: usize = 4;
/// One of so many machines has an agent that is too old.
const OLD: usize = 49;
const INSPECTION: &str = "CN=Hub 3 Inspection,O=Corp";
const SILENT: &str = "10.9.9.9:53";

/// A machine by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vm {
    pub(crate) number: usize,
}

impl Vm {
    fn hub(self) -> usize {
        self.number % HUBS
    }

    fn spoke(self) -> usize {
        self.number / HUBS % SPOKES
    }

    fn region(self) -> &'static str {
        ["westeurope", "northeurope"][self.hub() % 2]
    }

    fn subscription(self) -> String {
        format!("00000000-0000-4000-8000-00000000000{}", self.hub() % 3)
    }

    fn has_an_old_agent(self) -> bool {
        self.number % OLD == OLD - 1
    }

    /// The one machine that asks a server that nobody runs any more.
    fn is_odd(self) -> bool {
        self.number == HUBS * 2
    }

    pub(crate) fn name(self) -> String {
        format!("vm-{:06}", self.number)
    }

    fn began(self) -> Timestamp {
        let first = Timestamp::from_second(1_795_341_600).expect("a time");
        let seconds = i64::try_from(self.number % 86_400).expect("a day");
        first.checked_add(SignedDuration::from_secs(seconds)).expect("a time")
    }

    fn scene(self, fault: usize) -> Scene {
        let whole = private_world();
        let scene = match (fault, self.spoke()) {
            (1, _) => {
                let names = [(HANDLER, "10.0.0.5"), (ODS, "10.0.0.6"), (OMS, "10.0.0.7")];
                names
                    .into_iter()
                    .fold(public_world(), |scene, (name, address)| scene.says(AZURE, name, &Says::Private(address)))
            }
            (2, _) => without_a_zone(whole),
            (3, _) => [HANDLER, ODS, OMS]
                .into_iter()
                .fold(whole, |scene, name| scene.tls(name, Tls::intercepted(name, INSPECTION, false))),
            (4, spoke) => {
                let scene = if spoke == 1 { without_a_zone(whole) } else { whole };
                scene.server(CUSTOM, &[ServerRole::Extra]).server(AZURE, &[ServerRole::Configured, ServerRole::Azure])
            }
            _ => whole,
        };
        let scene = if self.is_odd() {
            scene.server(SILENT, &[ServerRole::Configured]).server_says(SILENT, &Says::Silence)
        } else {
            scene
        };
        let version = if self.has_an_old_agent() { "1.12.10" } else { "1.14.9" };
        scene.agents([agent(AgentKind::Oms, version)]).subnet(&format!("10.{}.{}.0/24", self.hub(), self.spoke()))
    }

    /// The report of this machine.
    pub(crate) fn report(self) -> Report {
        self.judged(&self.scene(self.hub()), self.began())
    }

    /// Its report of two days before: hub 0 had what is wrong in hub 2 now, and there nothing was wrong.
    pub(crate) fn report_before(self) -> Report {
        let fault = match self.hub() {
            0 => 2,
            2 => 0,
            hub => hub,
        };
        let began = self.began().checked_sub(SignedDuration::from_hours(48)).expect("a time");
        self.judged(&self.scene(fault), began)
    }

    fn judged(self, scene: &Scene, began: Timestamp) -> Report {
        let mut seen = scene.observations();
        let custom: SocketAddr = CUSTOM.parse().expect("an address");
        let own: SocketAddr = format!("10.{}.0.4:53", self.hub()).parse().expect("an address");
        seen.machine.name = self.name();
        seen.started_at = began;
        for one in &mut seen.seen {
            match one {
                Observation::Answer(answer) if answer.server == custom => answer.server = own,
                Observation::Resolver(resolver) => {
                    let servers = resolver.servers.iter_mut().filter(|server| server.address == custom);
                    servers.for_each(|server| server.address = own);
                }
                Observation::Metadata(metadata) => {
                    if let Outcome::Seen(instance) = &mut metadata.outcome {
                        instance.location = Some(self.region().to_owned());
                        instance.environment = Some("AzurePublicCloud".to_owned());
                        instance.vm_id = Some(Uuid::from_u128(self.number as u128 + 1).to_string());
                        let (subscription, name) = (self.subscription(), self.name());
                        instance.resource_id = Some(format!(
                            "/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/{name}"
                        ));
                    }
                }
                _ => {}
            }
        }
        let facts = Facts::new(&seen);
        let run = RunInfo { id: Uuid::from_u128(self.number as u128 + 1_000_000), tool_version: "0.1.0".to_owned() };
        Report::new(&seen, &facts, diagnose_facts(&facts), run)
    }
}

/// Log upload is public everywhere: its zone is not linked.
fn without_a_zone(scene: Scene) -> Scene {
    let scene = scene.everywhere(ODS, &Says::Public("20.50.88.6"));
    [CUSTOM, AZURE].into_iter().fold(scene, |scene, server| scene.soa(server, ZONES[2], &Says::PublicZone))
}

/// The errors of so many machines: code and what its machines share, with how many they are.
pub(crate) fn truth(machines: usize) -> BTreeMap<(String, String), usize> {
    let mut truth: BTreeMap<(String, String), usize> = BTreeMap::new();
    for vm in (0..machines).map(|number| Vm { number }) {
        let mut causes = Vec::new();
        match (vm.hub(), vm.spoke()) {
            (1, _) => causes.push(("DNS002", "server=10.1.0.4".to_owned())),
            (2, _) => causes.push(("DNS003", "server=10.2.0.4".to_owned())),
            (3, _) => causes.push(("TLS001", format!("issuer={INSPECTION}"))),
            (4, 1) => causes.push((
                "DNS003",
                format!("server=168.63.129.16 subscription={} region={}", vm.subscription(), vm.region()),
            )),
            _ => {}
        }
        if vm.has_an_old_agent() {
            causes.push(("AGT001", "version=1.12.10".to_owned()));
        }
        for (code, shared) in causes {
            *truth.entry((code.to_owned(), shared)).or_default() += 1;
        }
    }
    truth
}

/// The warning of one machine alone.
pub(crate) fn odd() -> (String, String) {
    ("DNS008".to_owned(), format!("server={}", SILENT.trim_end_matches(":53")))
}
