//! TLS007: the handshake never finishes.

use crate::diagnose::command::{Address, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Sizes, TlsFault, route_word};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// TCP connects at once, the `ClientHello` is sent, and then nothing comes until the step's time is over. Small packets pass
    /// and the large ones of the server's certificates do not: a tunnel or VPN with a smaller packet size (MTU) whose ICMP
    /// messages are filtered. Or something that inspects connections accepts them and cannot reach the real server, or holds
    /// a name that it does not want to pass.
    ///
    /// The handshake is tried again over small TCP segments, which tells the first cause from the others: where it passes, NET006
    /// is found. Windows cannot bound the segments of one connection, so there both causes stay open.
    ///
    /// ## Why it matters
    ///
    /// Tests that only connect succeed, while agents hang and time out.
    ///
    /// ## How to fix
    ///
    /// Send packets of growing size with fragmentation forbidden towards another host on the same path to find the largest that
    /// passes, and let ICMP "fragmentation needed" through, or clamp the TCP segment size on the tunnel. If a firewall inspects
    /// on that path, exempt the name.
    ///
    /// ## How to confirm
    ///
    /// `openssl s_client -connect <address>:443 -servername <name>` shows a certificate within a second.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-network/virtual-network-tcpip-performance-tuning>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://www.rfc-editor.org/rfc/rfc2923>
    TLS007 = "handshake-stalled" {
        layer: Tls,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: true,
        explains: [&["TLS001", "TLS002", "TLS003", "TLS004"]],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let stalled = facts.endpoints().iter().filter(|name| name.has_tls_fault(TlsFault::Stalled));
    stalled.filter_map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let handshake = name.handshake?;
    let socket = handshake.address.map(|address| address.to_string());
    let connect = socket.unwrap_or_else(|| format!("{}:{}", name.fqdn(), name.endpoint.port));
    let address = handshake.address.map(|address| address.ip().to_string()).unwrap_or_default();
    let sizes = name.sizes();
    let draft = Draft::new(
        Severity::Error,
        Owner::Network,
        Title::list(
            &format!("TCP connects but TLS never finishes ({}): ", route_word(name.route())),
            [name.fqdn()],
            "",
        ),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(route_word(name.route()))
    .summary(summary(sizes))
    .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
    .evidence([facts.handshake_line(name, handshake)])
    .evidence(facts.sizes_line(name))
    .evidence(facts.mtu_line())
    .list("address", [address.clone()])
    .arg("waited_ms", (handshake.timing.elapsed_us / 1_000).to_string())
    .excludes("a blocked port: TCP connects")
    .excludes("a certificate that is not trusted: none came")
    .likely()
    .reaching(Reach::Own)
    .fix([remedy::local::show_chain(facts, &connect, name.fqdn())]);
    let draft = match sizes {
        Some(Sizes::DoNotMatter) => {
            draft.excludes("packets that are too large for the way (MTU): small ones get no answer either")
        }
        Some(Sizes::Passed) => {
            draft.excludes("packets that are too large for the way (MTU): the same ones passed the second time")
        }
        Some(Sizes::Matter(_)) | None => draft.fix([packet_size(facts, &address)]),
    };
    Some(draft.fix(remedy::machine::effective_route(facts, &address)))
}

fn summary(sizes: Option<Sizes>) -> &'static str {
    match sizes {
        Some(Sizes::DoNotMatter) => {
            "TCP connects, but the ClientHello gets no answer, over small packets neither: a device on the way holds the connection, or the server is silent"
        }
        Some(Sizes::Passed) => {
            "TCP connects, but the first ClientHello got no answer; a second one did: the server, or a device on the way, is slow or drops some connections"
        }
        Some(Sizes::Matter(_)) | None => {
            "TCP connects, but the ClientHello gets no answer: large packets are lost on the way (MTU), or an inspecting device holds the connection"
        }
    }
}

fn packet_size(facts: &Facts<'_>, address: &str) -> Fix {
    let look = if facts.on_windows() {
        vec![command!(Any, "ping -f -l 1472 {}", Address::new(address))]
    } else {
        vec![
            command!(Sh, "tracepath -n {}", Address::new(address)),
            command!(Sh, "ip route get {}", Address::new(address)),
        ]
    };
    Fix::look("check which packet size gets through, and which interface and MTU the route uses", look)
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{
        InterfaceMtu, IoFailure, Mtu, Observation, Outcome, SegmentAnswer, Timing, TlsFailure,
    };
    use ampls_probes::testing::{ODS, Tls, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_tcp_connects_and_tls_is_silent() {
        let found = fires_as_declared(&TLS007, &private_world().tls(ODS, Tls::failed(Outcome::TimedOut)));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].args["waited_ms"], "5000");
    }

    #[test]
    fn fires_with_the_largest_packets_of_the_interfaces() {
        let eth0 = InterfaceMtu { interface: "eth0".to_owned(), mtu: 1500 };
        let mtu = Mtu { timing: Timing::default(), outcome: Outcome::Seen(vec![eth0]) };
        let scene = private_world().edit(|seen| seen.seen.push(Observation::Mtu(mtu)));
        let found = drafts(&TLS007, &scene.tls(ODS, Tls::failed(Outcome::TimedOut)));
        assert!(found[0].evidence.iter().any(|line| line.ends_with("`eth0` 1500")), "{:?}", found[0].evidence);
    }

    #[test]
    fn fires_without_packet_sizes_where_small_ones_are_silent_too() {
        let silent = [(Some(536), SegmentAnswer::Silent)];
        let found = drafts(&TLS007, &private_world().tls(ODS, Tls::failed(Outcome::TimedOut)).segments(ODS, &silent));
        assert!(found[0].excludes.iter().any(|line| line.contains("MTU")), "{:?}", found[0].excludes);
        assert!(!format!("{:?}", found[0].fix).contains("tracepath"), "{:?}", found[0].fix);
    }

    #[test]
    fn silent_when_tcp_does_not_connect() {
        assert_eq!(drafts(&TLS007, &private_world().connects(ODS, &Outcome::TimedOut)), []);
    }

    #[test]
    fn silent_when_the_handshake_is_reset_or_the_run_ends() {
        let reset = Outcome::Failed(TlsFailure::ClosedAfterClientHello(IoFailure::Reset));
        assert_eq!(drafts(&TLS007, &private_world().tls(ODS, Tls::failed(reset))), []);
        assert_eq!(drafts(&TLS007, &private_world().tls(ODS, Tls::failed(Outcome::Cancelled))), []);
    }
}
