//! Redacted worlds are judged like the original ones.

use ampls_probes::observation::{NameVerdict, Outcome, ServerRole};
use ampls_probes::testing::{
    AGENTSVC, AZURE, CUSTOM, HANDLER, ODS, OMS, Says, Scene, Tls, WORKSPACE, ZONES, private_world, public_world,
};

use super::*;
use crate::diagnose::diagnose;

fn redacted(seen: &Observations) -> (Observations, Redacted) {
    redact(seen, &Catalogue::builtin().unwrap(), [42; 16]).unwrap()
}

fn outline(seen: &Observations) -> Vec<String> {
    let mut told: Vec<String> = diagnose(seen)
        .iter()
        .map(|it| {
            format!("{} {:?} {:?} {} {}", it.code, it.severity, it.caused_by, it.endpoints.len(), it.evidence.len())
        })
        .collect();
    told.sort();
    told
}

fn scenes() -> Vec<Scene> {
    let unlinked = private_world()
        .everywhere(ODS, &Says::Public("20.150.190.99"))
        .soa(CUSTOM, ZONES[2], &Says::PublicZone)
        .soa(AZURE, ZONES[2], &Says::PublicZone);
    let wrong = Tls::intercepted(HANDLER, "CN=Contoso Inspection CA,O=Contoso", false).verdict(|seen| {
        seen.name = NameVerdict::Other;
    });
    vec![
        private_world(),
        public_world(),
        unlinked,
        private_world().everywhere(ODS, &Says::DeniedByPrivateZone),
        private_world().everywhere(OMS, &Says::NoSuchName),
        private_world().everywhere(AGENTSVC, &Says::BlockedByPolicy),
        private_world().everywhere(ODS, &Says::Plain("0.0.0.0")),
        private_world().everywhere(ODS, &Says::Plain("100.64.0.9")),
        private_world().everywhere(ODS, &Says::Private("165.21.17.148")),
        public_world().everywhere(ODS, &Says::Plain("51.1.2.9")).private_range("51.0.0.0/8"),
        public_world().everywhere(ODS, &Says::Plain("51.1.2.9")).interface("51.1.2.4/24"),
        private_world().hosts("10.9.9.9", ODS).connects(ODS, &Outcome::TimedOut),
        private_world().tls(HANDLER, wrong),
        private_world().server("10.1.0.5:53", &[ServerRole::Configured]).server_says("10.1.0.5:53", &Says::Silence),
    ]
}

#[test]
fn a_redacted_world_has_the_same_findings() {
    for scene in scenes() {
        let seen = scene.observations();
        assert_eq!(outline(&redacted(&seen).0), outline(&seen));
    }
}

#[test]
fn pseudonyms_are_the_same_throughout_and_counted() {
    let (seen, redacted) = redacted(&private_world().observations());
    let text = serde_json::to_string(&seen).unwrap();
    assert!(!text.contains(WORKSPACE));
    assert_eq!(redacted.manifest["id"].values, 1);
    assert!(redacted.manifest["id"].occurrences > 3);
    assert!(text.contains("00000000-0000-4000-8000-000000000001.ods.opinsights.azure.com"), "{text}");
    assert!(text.contains("00000000-0000-4000-8000-000000000001.privatelink.ods.opinsights.azure.com"), "{text}");
}

#[test]
fn names_of_azure_stay_and_names_of_people_go() {
    let seen = private_world().observations();
    let pseudonyms = Pseudonyms::new(&seen, &Catalogue::builtin().unwrap(), [1; 16]);
    for kept in [
        "global.handler.control.monitor.azure.com",
        "westeurope-1.ingest.monitor.azure.com",
        "privatelink.oms.opinsights.azure.com",
        "azureprivatedns.net",
        "/etc/resolv.conf",
        "CN=Microsoft Azure RSA TLS Issuing CA 03,O=Microsoft Corporation,C=US",
        "http://127.0.0.1:3128",
        "handler-global",
    ] {
        assert_eq!(pseudonyms.text(kept), kept);
    }
    for (original, gone) in [
        ("http://proxy.contoso.corp:3128", "contoso"),
        ("dc01.contoso.corp", "dc01"),
        ("/home/alice/.config/google-chrome", "alice"),
        ("CN=Contoso Root,O=Contoso", "Contoso"),
        ("contosodce-x1y2.westeurope-1.ingest.monitor.azure.com", "contosodce"),
        (
            "/subscriptions/6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64/resourceGroups/rg-prod/providers/Microsoft.Compute",
            "rg-prod",
        ),
        ("5.0.0.10.in-addr.arpa", "10.in"),
        ("from 10.0.0.5, 10.0.0.6-10.0.0.9 and [fd00::5]:443", "10.0.0"),
        ("6b1c0f5e2d4a4c8e9f317a5d0c2b9e64", "6b1c0f5e"),
        ("münchen-vm", "münchen"),
    ] {
        let masked = pseudonyms.text(original);
        assert!(!masked.contains(gone), "{masked}");
    }
    assert_eq!(pseudonyms.text("aks-pool1-42-vmss0").split('-').next(), Some("aks"));
}
