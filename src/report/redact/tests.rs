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
    let mut outline: Vec<String> = diagnose(seen)
        .iter()
        .map(|it| {
            format!("{} {:?} {:?} {} {}", it.code, it.severity, it.caused_by, it.endpoints.len(), it.evidence.len())
        })
        .collect();
    outline.sort();
    outline
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
    assert!(text.contains("00000001-0000-4000-8000-000000000000.ods.opinsights.azure.com"), "{text}");
    assert!(text.contains("00000001-0000-4000-8000-000000000000.privatelink.ods.opinsights.azure.com"), "{text}");
}

fn pseudonyms() -> Pseudonyms {
    Pseudonyms::new(&Catalogue::builtin().unwrap(), Addresses::new([1; 16], Vec::new(), BTreeSet::new()))
}

/// What becomes of a text at a place.
fn at(owner: &'static str, field: &'static str, text: &str) -> String {
    pseudonyms().masked(Place { owner, field }, text)
}

#[test]
fn names_of_azure_stay() {
    for (owner, field, kept) in [
        ("", "name", "global.handler.control.monitor.azure.com"),
        ("", "name", "westeurope.handler.control.monitor.azure.com"),
        ("", "name", "privatelink.oms.opinsights.azure.com"),
        ("", "canonical", "westeurope-1.in.applicationinsights.azure.com"),
        ("Observations", "unresolved_names", "<region>.handler.control.monitor.azure.com"),
        ("Authority", "mname", "azureprivatedns.net"),
        ("Authority", "mname", "ns1-38.azure-dns.com"),
        ("Authority", "rname", "azureprivatedns-host.microsoft.com"),
        ("ResolverConfig", "source", "/etc/resolv.conf"),
        ("AgentProxy", "source", "/var/opt/azcmagent/localconfig.json"),
        ("Installed", "source", "/var/lib/waagent/Microsoft.Azure.Monitor.AzureMonitorLinuxAgent-1.33.1"),
        ("BrowserSetting", "source", "/etc/opt/edge/policies/managed"),
        ("BrowserSetting", "policy_file", "/etc/opt/edge/policies/managed/ampls.json"),
        ("BrowserSetting", "name", "Microsoft Edge"),
        ("BrowserSetting", "template", "https://dns.google/dns-query{?dns}"),
        ("LocalNetwork", "portal", "https://portal.azure.com"),
        ("LocalNetwork", "pattern", "https://[*.]azure.com"),
        ("Certificate", "subject", "CN=Microsoft Azure RSA TLS Issuing CA 03,O=Microsoft Corporation,C=US"),
        ("ProxyChoice", "url", "http://127.0.0.1:3128"),
        ("Endpoint", "id", "handler-global"),
        ("", "endpoint", "handler-region:westeurope"),
        ("", "endpoint", "endpoint:westeurope.monitoring.azure.com:443"),
        ("Exemptions", "names", "169.254.169.254,168.63.129.16,.opinsights.azure.com, com,*"),
        ("CloudClaim", "says", "`--region westeurope`"),
        ("CloudClaim", "says", "the metadata service (`AzurePublicCloud`)"),
        ("Machine", "os", "Debian GNU/Linux 12"),
        ("Machine", "os", "Ubuntu 22.04.4 LTS"),
        ("Machine", "os", "Windows Server 2022 Datacenter"),
        ("EncryptedResolver", "setting", "DNSOverTLS=yes"),
        ("Installed", "version", "1.12.24-0"),
        ("Installed", "version", "10.20.18038.0"),
        ("HttpResponse", "server", "Microsoft-HTTPAPI/2.0"),
        ("HttpResponse", "content_type", "text/html; charset=utf-8"),
        ("HttpResponse", "body", "Healthy"),
        ("Session", "cipher", "TLS_AES_256_GCM_SHA384"),
        ("Instance", "location", "westeurope"),
        ("Endpoint", "purpose", "log upload"),
    ] {
        assert_eq!(at(owner, field, kept), kept, "{owner}.{field}");
    }
}

#[test]
fn what_names_something_of_the_customers_goes() {
    for (owner, field, original, gone) in [
        ("Machine", "name", "edge", "edge"),
        ("Machine", "name", "4711", "4711"),
        ("Machine", "name", "us", "us"),
        ("Machine", "name", "dc-01", "dc-01"),
        ("Machine", "name", "proxy-10-1-0-4", "10-1-0-4"),
        ("Machine", "os", "Contoso Golden Image 9 (10.55.66.77)", "10.55.66.77"),
        ("Machine", "os", "Contoso Golden Image 9", "9"),
        ("Machine", "arch", "contoso", "contoso"),
        ("ResolverConfig", "search", "prod.core.local", "prod"),
        ("ResolverConfig", "search", "brave.io", "brave"),
        ("ResolverConfig", "search", "77.88.local", "77"),
        ("HostsEntry", "name", "10442.local", "10442"),
        ("ProxyChoice", "url", "http://proxy.contoso.corp:3128", "contoso"),
        ("BrowserSetting", "profile", "/home/alice/.config/google-chrome", "alice"),
        ("BrowserSetting", "profile", "/home/4711/.config/google-chrome", "4711"),
        ("Unread", "path", r"C:\Users\edge\AppData\10.71.72.74.log", "edge"),
        ("Unread", "path", r"C:\Users\edge\AppData\10.71.72.74.log", "10.71.72.74"),
        ("Unread", "path", "/etc/opt/prod/policies/managed", "prod"),
        ("Unread", "path", "/edge/policies", "edge"),
        ("Certificate", "issuer", "CN=Contoso Root,O=Contoso", "Contoso"),
        ("Certificate", "issuer", "CN=us,O=baltimore", "us"),
        ("", "name", "contosodce-x1y2.westeurope-1.ingest.monitor.azure.com", "contosodce"),
        ("", "name", "ingest.blob.core.windows.net", "ingest"),
        ("", "name", "gateway.azure.com", "gateway"),
        (
            "Instance",
            "resource_id",
            "/subscriptions/6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64/resourceGroups/providers/providers/Microsoft.Compute",
            "resourceGroups/providers",
        ),
        (
            "Instance",
            "resource_id",
            "/subscriptions/x/resourceGroups/monitoring/providers/Microsoft.Compute/virtualMachines/machines",
            "machines",
        ),
        ("", "name", "5.0.0.10.in-addr.arpa", "10"),
        ("HttpResponse", "body", "from 10.0.0.5, 10.0.0.6-10.0.0.9 and [fd00::5]:443", "10.0.0.6"),
        ("HttpResponse", "body", "Client-IP:10.44.55.68", "10.44.55.68"),
        ("HttpResponse", "body", "10.44.55.69_a", "10.44.55"),
        ("HttpResponse", "body", "ä10.44.55.71", "10.44.55"),
        ("HttpResponse", "body", "010.033.044.055", "033"),
        ("HttpResponse", "body", "172.16.99", "172.16"),
        ("HttpResponse", "body", "user 5551234", "5551234"),
        ("HttpResponse", "body", "6b1c0f5e2d4a4c8e9f317a5d0c2b9e64", "6b1c0f5e"),
        ("HttpResponse", "via", "1.1 proxy-01 (squid/5.7), 1.1 10.85.86.87:3128", "proxy-01"),
        ("HttpResponse", "via", "1.1 proxy-01 (squid/5.7), 1.1 10.85.86.87:3128", "10.85.86.87"),
        ("HttpResponse", "via", "1.1 squid", "squid"),
        ("ProxyChoice", "url", "http://dns:3128", "/dns:"),
        ("HttpResponse", "content_type", "text/x-contoso", "contoso"),
        ("HttpResponse", "authenticate", "Basic realm=\"contoso 10.20\"", "10.20"),
        ("HttpResponse", "server", "srv01.contoso", "srv01"),
        ("Exemptions", "names", "10.77.88.", "10.77"),
        ("Exemptions", "names", "10.77.66.*", "10.77"),
        ("Exemptions", "names", "10.31.41.59.corp.contoso", "10.31"),
        ("Exemptions", "names", "10.31.41.58-primary", "10.31"),
        ("Exemptions", "names", "dns-10-66-77-88.core.local", "10-66"),
        ("Exemptions", "names", "10.91.92.93:443:x", "10.91"),
        ("Exemptions", "names", "10.91.92.0/24x", "10.91"),
        ("EncryptedResolver", "setting", "server = /contoso.corp/10.99.98.97", "contoso"),
        ("EncryptedResolver", "servers", "10.99.98.97#dns.contoso.corp", "contoso"),
        ("Installed", "version", "1.0-contososecret", "contososecret"),
        ("Installed", "version", "10.55.66.77", "10.55.66.77"),
        ("CloudClaim", "says", "`--region contoso`", "contoso"),
        ("Endpoint", "purpose", "contoso", "contoso"),
        ("Endpoint", "id", "ods:edge.prod", "edge"),
        ("", "name", "münchen-vm", "münchen"),
        ("Unheard", "of", "prod", "prod"),
    ] {
        let masked = at(owner, field, original);
        let words: Vec<&str> = masked.split(|c: char| !c.is_alphanumeric() && !".-/".contains(c)).collect();
        assert!(!masked.contains(gone) || (gone.len() < 3 && !words.contains(&gone)), "{masked}");
    }
    assert_eq!(at("Instance", "name", "aks-pool1-42-vmss0").split('-').next(), Some("aks"));
}

#[test]
fn a_sentence_of_a_refusal_stays_and_its_words_elsewhere_go() {
    let body = |text| at("HttpResponse", "body", text);
    let sentence = "Access to workspace 'workspace' from '168.63.129.16' is denied";
    assert_eq!(body(sentence), "Access to workspace 'name-1' name-2 '168.63.129.16' is denied");
    assert_eq!(body("workspace error html"), "name-1 name-2 name-3");
    assert_eq!(body("x.InvalidAccess-y InvalidAccessed"), "name-1.InvalidAccess-name-2 name-3");
    for page in ["<!DOCTYPE html><p>edge", " <HTML lang=edge>"] {
        assert!(body(page).starts_with(&page[..4]) && !body(page).contains("edge"));
    }
}

#[test]
fn ids_joined_without_end_are_replaced_in_time() {
    let id = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";
    for joint in ["-", "-x-", ".", ":", ""] {
        let masked = at("HttpResponse", "body", &vec![id; 20_000].join(joint));
        assert!(!masked.contains("6b1c0f5e") && masked.matches("-0000-4000-8000-").count() == 20_000, "{joint}");
    }
}

#[test]
fn the_same_value_has_the_same_token_whatever_stands_beside_it() {
    let pseudonyms = pseudonyms();
    let masked = |field, text: &str| pseudonyms.masked(Place { owner: "HttpResponse", field }, text);
    let address = masked("body", "10.44.55.68");
    assert_eq!(masked("body", "Client-IP:10.44.55.68,").split(':').nth(1), Some(format!("{address},").as_str()));
    assert_eq!(masked("location", "https://10.44.55.68:8443/"), format!("https://{address}:8443/"));
    let id = masked("body", "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64");
    assert_eq!(masked("body", "6b1c0f5e2d4a4c8e9f317a5d0c2b9e64"), id.replace('-', ""));
    assert_eq!(masked("body", "VM-APP-01"), masked("body", "vm-app-01"));
}

#[test]
fn a_search_suffix_stays_the_end_of_the_name_that_it_made() {
    let pseudonyms = pseudonyms();
    let masked = |name: &str| pseudonyms.masked(Place { owner: "", field: "name" }, name);
    for name in ["6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64.ods.opinsights.azure.com", "api.monitor.azure.com"] {
        for suffix in ["corp.example", "azure.com", "ods.opinsights.azure.com", "prod.core.io", "local"] {
            assert_eq!(masked(&format!("{name}.{suffix}")), format!("{}.{}", masked(name), masked(suffix)));
        }
    }
}

#[test]
fn private_ranges_hold_what_they_held_before() {
    for range in [
        "20.0.0.0/8",
        "20.0.0.0/7",
        "16.0.0.0/4",
        "20.0.0.0/6",
        "172.128.0.0/9",
        "172.144.0.0/12",
        "172.150.0.0/16",
        "100.0.0.0/10",
        "192.0.0.0/9",
        "198.0.0.0/8",
        "192.0.0.0/8",
        "8.0.0.0/8",
        "0.0.0.0/0",
        "51.1.2.9/32",
    ] {
        for address in ["20.1.2.9", "21.3.4.5", "172.150.1.1", "100.3.1.1", "192.5.1.1", "198.51.100.1", "51.1.2.9"] {
            let scene = public_world().everywhere(ODS, &Says::Plain(address)).private_range(range).observations();
            assert_eq!(outline(&redacted(&scene).0), outline(&scene), "{range} {address}");
        }
    }
}

#[test]
fn who_logs_in_by_an_address_is_replaced_whole() {
    for (url, wanted) in [
        (
            "https://bob:54321@doh.corp.example:8443/dns-query",
            "https://name-1:name-2@name-3.name-4.name-5:8443/dns-query",
        ),
        ("http://12345@proxy.corp:3128", "http://name-1@name-2.name-3:3128"),
    ] {
        assert_eq!(pseudonyms().url(url), wanted);
    }
}

#[test]
fn files_keep_what_kind_they_are() {
    let masked = at("ResolverConfig", "source", "/etc/systemd/resolved.conf.d/contoso.conf");
    assert!(masked.contains(".d/name-") && masked.contains(".conf") && !masked.contains("contoso"), "{masked}");
}

#[test]
fn several_runs_under_one_key_share_their_pseudonyms_and_say_so() {
    let (one, two) = (private_world().observations(), private_world().without(ODS).observations());
    let catalogue = Catalogue::builtin().unwrap();
    let redactor = Redactor::new(&[&two, &one], &catalogue, [42; 16]).unwrap();
    let ((second, of_second), (first, of_first)) = (redactor.redact(&two).unwrap(), redactor.redact(&one).unwrap());
    let names = |seen: &Observations| seen.endpoints.iter().map(|it| it.fqdn.clone()).collect::<BTreeSet<_>>();
    assert!(names(&second).is_subset(&names(&first)) && names(&second).len() < names(&first).len());
    assert!(of_first.set.is_some() && of_first.set == of_second.set);
    assert!(of_first.manifest["id"].occurrences > of_second.manifest["id"].occurrences, "each counts its own");
    assert_eq!(redacted(&one).1.set, None);
    let other = Redactor::new(&[&two, &one], &catalogue, [43; 16]).unwrap();
    assert_ne!(other.redact(&one).unwrap().1.set, of_first.set);
}
