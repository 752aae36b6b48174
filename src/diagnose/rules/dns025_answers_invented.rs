//! DNS025: a DNS server has addresses for names that nobody has.

use std::net::{IpAddr, SocketAddr};

use ampls_probes::addr::Class;

use crate::diagnose::command::{Host, command};
use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy::Right;
use crate::diagnose::rule::rule;
use crate::text;

rule! {
    /// ## What it means
    ///
    /// A DNS server of this machine gives an address for `ampls-doctor-canary.privatelink.…`, a name that does not exist, although
    /// Azure's own DNS does not; or it gives a private address for a name that is never private. It makes answers up: a provider
    /// that leads denials to a page of its own, a wildcard in somebody's zone, a block page, a VPN or security client that
    /// answers on the way with synthetic addresses (often 100.64.0.0/10).
    ///
    /// What such a server says of missing names proves nothing: a record that a private zone lacks looks like one that is there.
    /// So an address in the record of a `privatelink` name is not taken for a private endpoint on this server's word.
    ///
    /// It is a warning while no required name is led to such an address.
    ///
    /// ## Why it matters
    ///
    /// A missing record does not fail, it leads somewhere else: to a page that answers with a foreign certificate, or to an
    /// address where nothing answers. Agents report time-outs and TLS errors in place of "no such name".
    ///
    /// ## How to fix
    ///
    /// Find out who answers: the server itself (BIND `nxdomain-redirect`, unbound `local-zone … redirect`, dnsmasq
    /// `address=/#/…`, the "search assistance" of a provider), a zone with a wildcard, or a client on this machine. Switch that off
    /// for the suffixes of Azure Monitor, or let the server forward them to Azure's DNS.
    ///
    /// ## How to confirm
    ///
    /// `nslookup ampls-doctor-canary.privatelink.monitor.azure.com <server>` says that there is no such name.
    ///
    /// ## References
    ///
    /// - <https://www.rfc-editor.org/rfc/rfc8020>
    /// - <https://www.rfc-editor.org/rfc/rfc6598>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    DNS025 = "answers-invented" {
        layer: Dns,
        severity: Warning,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&[
            "DNS001", "DNS002", "DNS003", "DNS005", "DNS007", "DNS014", "DNS015", "DNS017", "DNS020", "DNS023", "NET001",
            "NET002", "NET003", "NET004", "NET005", "NET006", "TLS001", "TLS002", "TLS003", "TLS006", "TLS007", "TLS008", "HTP002",
            "HTP005", "AGT008", "AGT009"
        ]],
    }
}

/// Fires for a resolving server that answers a canary otherwise than Azure's own DNS, or the control name privately. The names
/// that it leads to an address that it made up go wrong by it; of synthetic addresses, all that lie in shared address space.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.resolving_servers().into_iter().filter_map(|server| invents(facts, server)).collect()
}

fn invents(facts: &Facts<'_>, server: SocketAddr) -> Option<Draft> {
    let invented = facts.invented_by(server)?;
    let synthetic = invented.iter().any(|address| facts.class(*address) == Class::SharedAddressSpace);
    let made_up = |address: &IpAddr| {
        invented.contains(address) || (synthetic && facts.class(*address) == Class::SharedAddressSpace)
    };
    let led = |name: &&EndpointFacts<'_>| {
        name.view_of(server).is_some_and(|view| view.addresses.iter().any(made_up))
            && (facts.takes_turns(server) || name.addresses().iter().any(made_up))
    };
    let wrong: Vec<&EndpointFacts<'_>> = facts.endpoints().iter().filter(led).collect();
    let required = wrong.iter().any(|name| name.required());
    let severity = if required { Severity::Error } else { Severity::Warning };
    let shown = facts.inventions(server);
    let asked = shown.first().map(|answer| answer.name.as_str()).unwrap_or_default();
    let given: Vec<String> = invented.iter().map(ToString::to_string).collect();
    let mut draft = Draft::new(
        severity,
        Owner::Dns,
        Title::plain(format!("DNS server `{server}` invents answers: it returns an address for a name that does not exist")),
    )
    .about(wrong.iter().map(|name| name.fqdn()))
    .group(server.to_string())
    .summary(format!(
        "`{server}` answers `{asked}` with {}; what it says of missing names proves nothing, and a denial by a private zone cannot be seen through it{}",
        text::list(&given, 3),
        match wrong.len() {
            0 => String::new(),
            1 => "; one name here resolves to such an address".to_owned(),
            names => format!("; {names} names here resolve to such an address"),
        }
    ))
    .evidence(shown.iter().map(|answer| facts.answer_line(answer)))
    .arg("server", server.to_string())
    .list("addresses", &given)
    .arg("kind", if synthetic { "synthetic" } else { "redirected" })
    .fix([
        Fix::look(
            format!("ask `{}` for a name that does not exist", server.ip()),
            [command!(Any, "nslookup {} {}", Host::new(asked), server.ip())],
        ),
        Fix::change(
            BlastRadius::EveryNetworkOnThisDns,
            if synthetic {
                "exempt the suffixes of Azure Monitor from the VPN or security client that answers for this machine's DNS".to_owned()
            } else {
                format!("switch off the redirection of unknown names on `{}`, or forward the suffixes of Azure Monitor to Azure's DNS there", server.ip())
            },
        )
        .under(if synthetic { Right::DEVICE } else { Right::DNS_SERVER })
        .after("others may rely on the page shown for unknown names: ask who set it up, and for which names")
        .undone_by("switch it on again"),
    ]);
    for name in &wrong {
        draft = draft.evidence(name.view_of(server).map(|view| facts.view_line(name, view)));
    }
    // A wildcard that this network means cannot be distinguished where Azure's own DNS was not heard.
    if !facts.azure_answers() {
        draft = draft.likely();
    }
    Some(draft)
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Purpose, ServerRole};
    use ampls_probes::testing::{AZURE, CUSTOM, ODS, Says, Scene, ZONES, private_world};

    use super::*;
    use crate::diagnose::facts::Route;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    const PAGE: &str = "203.0.113.80";

    fn canary() -> String {
        format!("ampls-doctor-canary.{}", ZONES[0])
    }

    fn inventing() -> Scene {
        private_world().further(CUSTOM, Purpose::Canary, &canary(), &Says::Plain(PAGE))
    }

    #[test]
    fn fires_as_warning_while_no_name_is_led_there() {
        let found = fires_as_declared(&DNS025, &inventing());
        assert_eq!((found.len(), found[0].severity, found[0].certainty), (1, Severity::Warning, Certainty::Proven));
        assert!(found[0].endpoints.is_empty());
    }

    #[test]
    fn fires_as_error_for_a_required_name_that_is_led_there() {
        let found = drafts(&DNS025, &inventing().everywhere(ODS, &Says::Plain(PAGE)));
        assert_eq!((found[0].severity, found[0].endpoints.as_slice()), (Severity::Error, &[ODS.to_owned()][..]));
    }

    #[test]
    fn fires_for_a_private_answer_to_a_name_that_is_never_private() {
        let scene = private_world().further(CUSTOM, Purpose::Control, "portal.azure.com", &Says::Plain("100.64.1.9"));
        let found = drafts(&DNS025, &scene.everywhere(ODS, &Says::Plain("100.64.7.7")));
        assert_eq!(
            (found[0].args["kind"].as_str(), found[0].endpoints.as_slice()),
            ("synthetic", &[ODS.to_owned()][..])
        );
        let public = private_world().further(CUSTOM, Purpose::Control, "portal.azure.com", &Says::Plain("20.1.1.1"));
        assert_eq!(drafts(&DNS025, &public), []);
    }

    #[test]
    fn silent_where_azures_own_dns_answers_alike() {
        let wildcard = inventing().further(AZURE, Purpose::Canary, &canary(), &Says::Plain(PAGE));
        assert_eq!(drafts(&DNS025, &wildcard), []);
    }

    #[test]
    fn silent_where_the_name_is_denied_and_about_servers_that_are_not_used() {
        let denied = private_world().further(CUSTOM, Purpose::Canary, &canary(), &Says::DeniedByPrivateZone);
        assert_eq!(drafts(&DNS025, &denied), []);
        let extra = "10.9.9.9:53";
        let scene = private_world().server(extra, &[ServerRole::Extra]);
        assert_eq!(drafts(&DNS025, &scene.further(extra, Purpose::Canary, &canary(), &Says::Plain(PAGE))), []);
    }

    #[test]
    fn silent_is_the_proof_that_such_a_server_gives_of_a_private_record() {
        let owned = |scene: Scene| {
            let seen = scene.everywhere(ODS, &Says::Private("165.21.17.148")).observations();
            Facts::new(&seen).endpoint(ODS).map(EndpointFacts::route)
        };
        assert_eq!(owned(private_world()), Some(Route::Private));
        assert_eq!(owned(inventing().no_answer_of(AZURE)), Some(Route::Public));
    }
}
