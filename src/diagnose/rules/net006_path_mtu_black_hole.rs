//! NET006: packets from a size on are lost on the way, and nothing says so.

use crate::diagnose::command::{Address, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{BlackHole, EndpointFacts, Facts, Sizes, bytes};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};

rule! {
    /// ## What it means
    ///
    /// TCP connects and small packets pass, but packets from a certain size on get lost. A part of the way (a VPN, a tunnel between
    /// sites, an overlay) carries only smaller packets (its MTU). The device before it has to say so in an ICMP message, and the
    /// sender would then send smaller ones. Here that message never arrives, so the sender repeats the same large packet for ever.
    ///
    /// This is measured: the step that stalled was taken again over connections that name smaller TCP segments (MSS). They were
    /// answered, while those of the usual size were silent again.
    ///
    /// ## Why it matters
    ///
    /// Every test that only connects succeeds. The certificates of a TLS handshake are the first large answer, so agents hang there
    /// and deliver nothing.
    ///
    /// ## How to fix
    ///
    /// On the device where the way gets narrow, clamp the MSS: it then writes the smaller size into every new connection. Or let
    /// ICMP type 3 code 4 ("fragmentation needed", for IPv6 ICMPv6 type 2) pass in both directions; firewalls that drop all ICMP
    /// are the usual cause. A smaller MTU of this machine's interface helps this machine alone.
    ///
    /// ## How to confirm
    ///
    /// `openssl s_client -connect <address>:443 -servername <name>` shows a certificate within a second.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-network/virtual-network-tcpip-performance-tuning>
    /// - <https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-devices>
    /// - <https://www.rfc-editor.org/rfc/rfc2923>
    NET006 = "path-mtu-black-hole" {
        layer: Tcp,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: true,
        explains: [&["TLS007", "HTP005"], NOT_DELIVERED],
    }
}

/// A name, and what gets lost on the way to it.
type Lost<'f, 'a> = (&'f EndpointFacts<'a>, BlackHole);

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let lost = facts.endpoints().iter().filter_map(|name| match name.sizes()? {
        Sizes::Matter(hole) => Some((name, hole)),
        Sizes::DoNotMatter | Sizes::Passed => None,
    });
    let lost: Vec<Lost<'_, '_>> = lost.collect();
    lost.iter().map(|(name, hole)| draft(facts, name, together(&lost, *hole))).collect()
}

/// What all names show together, where that is one size: a search that had less time ends with wider bounds.
fn together(lost: &[Lost<'_, '_>], own: BlackHole) -> BlackHole {
    let alike = || lost.iter().map(|(_, hole)| hole).filter(|hole| hole.headers == own.headers);
    let (Some(passes), lost) = (alike().map(|hole| hole.passes).max(), alike().filter_map(|hole| hole.lost).min())
    else {
        return own;
    };
    if lost.is_some_and(|lost| lost <= passes) { own } else { BlackHole { passes, lost, ..own } }
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>, hole: BlackHole) -> Draft {
    let (passes, segment) = (bytes(hole.passes), hole.segment());
    let address = name.segments.map(|segments| segments.address.ip().to_string()).unwrap_or_default();
    let before = match hole.lost {
        _ if hole.is_exact() => format!("packets of more than {passes} bytes get lost on the way to "),
        Some(lost) => format!("packets of {} bytes get lost on the way, of {passes} pass: ", bytes(lost)),
        None => format!("large packets get lost on the way, of {passes} bytes pass: "),
    };
    let draft = Draft::new(Severity::Error, Owner::Network, Title::list(&before, [name.fqdn()], ""))
        .about([name.fqdn()])
        .at_port(name.endpoint.port)
        .group(format!("{passes} {:?}", hole.lost))
        .summary("a part of the way carries only smaller packets, and the ICMP messages that say so are lost: small TCP segments are answered, those of the usual size are not")
        .evidence(name.handshake.map(|handshake| facts.handshake_line(name, handshake)))
        .evidence(facts.sizes_line(name))
        .evidence(facts.path_mtu_line(name))
        .evidence(facts.mtu_line())
        .arg("largest_packet", hole.passes.to_string())
        .arg("largest_segment", segment.to_string())
        .list("address", [address.clone()])
        .excludes("a blocked port: TCP connects")
        .excludes("a server that is slow or silent, and a filter that reads the name: over small segments the same request is answered at once")
        .reaching(Reach::Own)
        .fix(where_it_gets_narrow(facts, &address))
        .fix([clamp(segment), let_messages_pass(), smaller_here(facts, &passes)]);
    let draft = match hole.lost {
        Some(lost) => draft.arg("smallest_lost", lost.to_string()),
        // Seen once, a server that stalls at times would look the same.
        None => draft.likely(),
    };
    match name.segments.and_then(|segments| segments.outcome.seen()?.path_mtu) {
        Some(mtu) => draft.arg("path_mtu", mtu.to_string()),
        None => draft,
    }
}

fn where_it_gets_narrow(facts: &Facts<'_>, address: &str) -> Vec<Fix> {
    let mut looks = Vec::new();
    if !facts.on_windows() {
        let trace = command!(Sh, "tracepath -n {}", Address::new(address));
        looks.push(Fix::look(
            "look how far large packets get: the device after the last hop that answers is the one to ask about",
            [trace],
        ));
    }
    looks.extend(remedy::machine::effective_route(facts, address));
    looks
}

fn clamp(segment: u32) -> Fix {
    Fix::change(
        BlastRadius::Vnet,
        format!("clamp the TCP segment size (MSS) to {segment} on the gateway, tunnel or firewall where the way gets narrow, in both directions"),
    )
    .under(remedy::Right::DEVICE)
    .after("it applies to every new connection through that device: note the size that is set now, and let its owner confirm the MTU of the link behind it")
    .undone_by("set the former segment size again")
}

fn let_messages_pass() -> Fix {
    Fix::change(
        BlastRadius::Vnet,
        "let ICMP type 3 code 4 (fragmentation needed; for IPv6 ICMPv6 type 2) pass the firewalls in both directions",
    )
    .instead()
    .under(remedy::Right::DEVICE)
    .after("the rule applies to every machine behind that firewall: ask why ICMP was blocked")
    .undone_by("remove the rule again")
}

fn smaller_here(facts: &Facts<'_>, passes: &str) -> Fix {
    let fix = Fix::change(
        BlastRadius::Machine,
        format!("set the MTU of this machine's network interface to {passes} bytes, until the device is repaired"),
    )
    .instead()
    .under(remedy::Right::MACHINE)
    .after("it slows large transfers on this machine a little, and others on the same way stay cut off: note the MTU that is set now")
    .undone_by("set the former MTU again");
    if facts.on_windows() { fix.on_windows() } else { fix }
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::SegmentAnswer::{Answered, Silent};
    use ampls_probes::observation::{Outcome, SegmentAnswer};
    use ampls_probes::testing::{HANDLER, ODS, Scene, Tls, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    const EXACT: [(Option<u16>, SegmentAnswer); 5] =
        [(Some(536), Answered), (Some(536), Answered), (None, Silent), (Some(1360), Answered), (Some(1361), Silent)];

    fn stalled(name: &str, scene: Scene) -> Scene {
        scene.tls(name, Tls::failed(Outcome::TimedOut))
    }

    #[test]
    fn fires_with_the_largest_packet_that_passes() {
        let found = fires_as_declared(&NET006, &stalled(ODS, private_world()).segments(ODS, &EXACT));
        assert_eq!((found.len(), found[0].severity, found[0].certainty), (1, Severity::Error, Certainty::Proven));
        assert_eq!(
            (found[0].args["largest_packet"].as_str(), found[0].args["largest_segment"].as_str()),
            ("1400", "1360")
        );
        assert_eq!(found[0].args["path_mtu"], "1500");
        assert!(found[0].title.text().starts_with("packets of more than 1,400 bytes get lost on the way to "));
    }

    #[test]
    fn fires_as_the_root_of_the_silence_after_tls() {
        let scene = private_world().http(ODS, Outcome::TimedOut).segments(ODS, &EXACT);
        let found = diagnose(&scene.observations());
        let roots: Vec<&str> = found.iter().filter(|it| it.caused_by.is_none()).map(|it| it.code.as_str()).collect();
        assert!(roots.contains(&"NET006") && !roots.contains(&"HTP005"), "{roots:?}");
    }

    #[test]
    fn fires_once_for_names_whose_searches_had_different_time() {
        let scene = stalled(HANDLER, stalled(ODS, private_world())).segments(ODS, &EXACT);
        let scene = scene
            .segments(HANDLER, &[(Some(536), Answered), (None, Silent), (Some(1300), Answered), (Some(1430), Silent)]);
        let found = diagnose(&scene.observations());
        let ours: Vec<_> = found.iter().filter(|it| it.code == "NET006").collect();
        assert_eq!((ours.len(), ours[0].endpoints.len()), (1, 2), "{ours:#?}");
        assert!(found.iter().all(|it| it.code != "TLS007" || it.caused_by.as_deref() == Some("NET006")));
    }

    #[test]
    fn fires_as_likely_where_only_the_usual_size_was_seen_to_be_lost() {
        let tries = [(Some(536), Answered), (Some(536), Answered), (None, Silent)];
        let found = drafts(&NET006, &stalled(ODS, private_world()).segments(ODS, &tries));
        assert_eq!((found.len(), found[0].certainty), (1, Certainty::Likely));
    }

    #[test]
    fn silent_about_a_server_that_is_silent_or_slow() {
        for tries in [
            vec![(Some(536), Silent)],
            vec![(Some(536), Answered), (Some(536), Answered), (None, Answered)],
            vec![(Some(536), Answered), (Some(536), Silent), (None, Silent)],
        ] {
            assert_eq!(drafts(&NET006, &stalled(ODS, private_world()).segments(ODS, &tries)), [], "{tries:?}");
        }
    }

    #[test]
    fn silent_where_nothing_stalled() {
        assert_eq!(drafts(&NET006, &private_world().segments(ODS, &EXACT)), []);
    }
}
