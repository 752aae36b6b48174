//! NET003: there is no way to the address.

use ampls_probes::observation::{IoFailure, Outcome};

use crate::diagnose::command::{Address, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{ConnectFault, EndpointFacts, Facts};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// The connection was not even attempted, or a router said that it cannot be: this machine has no route to the address, a
    /// router answered "unreachable", or this machine's own firewall refused to send. Which of them it was stands in the
    /// evidence and in the argument `reason`.
    ///
    /// An address of a family for which the machine has no route at all (IPv6 on an IPv4-only machine) is skipped and never
    /// a fault.
    ///
    /// ## Why it matters
    ///
    /// Nothing can be delivered to the name until the way is there.
    ///
    /// ## How to fix
    ///
    /// - `own-firewall`: allow outgoing TCP 443 in this machine's firewall or security module.
    /// - `no-route`: the routing table has no entry for the address: the default route is missing, or a VPN took it.
    /// - `host-unreachable`: a router or firewall rejects with ICMP, or the host in the machine's own subnet does not exist.
    ///
    /// ## How to confirm
    ///
    /// `ip route get <address>` (Linux) or `Find-NetRoute -RemoteIPAddress <address>` (Windows) shows a route, and the
    /// connection is made.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-overview>
    NET003 = "no-route" {
        layer: Tcp,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: true,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let cut_off = facts.endpoints().iter().filter(|name| name.connect_fault() == Some(ConnectFault::Unreachable));
    cut_off.map(|name| draft(facts, name)).collect()
}

/// The reason that this machine can fix is the one to name.
fn reason(name: &EndpointFacts<'_>) -> (&'static str, &'static str) {
    let failed = |wanted: IoFailure| name.connections.iter().any(|seen| seen.outcome == Outcome::Failed(wanted));
    if failed(IoFailure::NotPermitted) {
        return ("own-firewall", "this machine itself refused to send: its own firewall or a security module");
    }
    if failed(IoFailure::HostUnreachable) {
        return ("host-unreachable", "a router or firewall on the way says that the host cannot be reached");
    }
    if failed(IoFailure::NetworkUnreachable) {
        return ("no-route", "this machine or a router on the way has no route to the address");
    }
    if failed(IoFailure::NoLocalAddress) {
        return ("no-local-address", "this machine has no local address or port left for the connection");
    }
    ("other", "the operating system could not make the connection")
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let (reason, summary) = reason(name);
    let address = name.addresses().first().map(ToString::to_string).unwrap_or_default();
    let own = matches!(reason, "own-firewall" | "no-local-address" | "other");
    let port = name.endpoint.port;
    let draft = Draft::new(
        Severity::Error,
        if own { Owner::Os } else { Owner::Network },
        Title::list(&format!("no route to TCP {port} ({reason}): "), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(format!("{reason} {port}"))
    .summary(summary)
    .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
    .arg("reason", reason)
    .list("address", [address.clone()])
    .arg("port", port.to_string())
    .excludes("a private endpoint that does not answer: no packet reached it")
    .reaching(Reach::Nothing);
    let route = if facts.on_windows() {
        command!(PowerShell, "Find-NetRoute -RemoteIPAddress {}", Address::new(&address))
    } else {
        command!(Sh, "ip route get {}", Address::new(&address))
    };
    let firewall = if facts.on_windows() {
        vec![command!(PowerShell, "Get-NetFirewallRule -Direction Outbound -Action Block -Enabled True")]
    } else {
        vec![command!(Sh, "sudo nft list ruleset"), command!(Sh, "sudo iptables -S OUTPUT")]
    };
    let look_at_route = Fix::look("check which route this machine uses for the address", [route]);
    if own {
        return draft.fix([
            Fix::look(
                format!("check for a rule in this machine's own firewall that blocks outgoing TCP {port}"),
                firewall,
            ),
            look_at_route,
        ]);
    }
    draft.fix([look_at_route]).fix(remedy::machine::effective_route(facts, &address))
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::Skip;
    use ampls_probes::testing::{ODS, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_with_the_reason() {
        for (failure, reason, owner) in [
            (IoFailure::HostUnreachable, "host-unreachable", Owner::Network),
            (IoFailure::NetworkUnreachable, "no-route", Owner::Network),
            (IoFailure::NotPermitted, "own-firewall", Owner::Os),
        ] {
            let found = drafts(&NET003, &private_world().connects(ODS, &Outcome::Failed(failure)));
            assert_eq!((found[0].args["reason"].as_str(), found[0].owner), (reason, owner));
            assert_eq!(found[0].severity, Severity::Error);
            assert!(!format!("{:?}", found[0].fix).contains("nsg"), "a network security group drops without a word");
        }
    }

    #[test]
    fn fires_where_the_routing_table_has_no_entry() {
        let failure = Outcome::Failed(IoFailure::NetworkUnreachable);
        fires_as_declared(&NET003, &private_world().connects(ODS, &failure));
    }

    #[test]
    fn silent_about_a_family_without_route() {
        let scene = private_world().attempt(ODS, "fd00::1", &Outcome::Skipped(Skip::NoRouteForFamily));
        assert_eq!(drafts(&NET003, &scene), []);
    }

    #[test]
    fn silent_when_this_program_has_no_sockets_left() {
        let scene = private_world().connects(ODS, &Outcome::Failed(IoFailure::NoSockets));
        assert_eq!(drafts(&NET003, &scene), []);
    }

    #[test]
    fn silent_when_another_address_times_out() {
        let scene = private_world().connects(ODS, &Outcome::TimedOut).attempt(
            ODS,
            "fd00::1",
            &Outcome::Failed(IoFailure::NetworkUnreachable),
        );
        assert_eq!(drafts(&NET003, &scene), []);
    }
}
