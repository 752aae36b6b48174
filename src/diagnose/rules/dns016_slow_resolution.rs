//! DNS016: a DNS server takes its time.

use std::net::SocketAddr;

use ampls_probes::observation::{RecordKind, Transport};

use crate::diagnose::command::{Host, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::duration_ms;

rule! {
    /// ## What it means
    ///
    /// Even the fastest of the answers that a DNS server of this machine gave about a name took longer than a second. The
    /// server answers rightly, but it asks far away, or one of the servers that it forwards to does not answer and it waits
    /// for that one first.
    ///
    /// ## Why it matters
    ///
    /// Nothing fails as long as programs wait. Records of private endpoints live for ten seconds, so that the wait comes again
    /// with nearly every connection; programs with short limits fail now and then.
    ///
    /// ## How to fix
    ///
    /// Look at that server's forwarders, in their order: a dead first one costs its timeout on every question. Look at the way
    /// to the server: a VPN, another region.
    ///
    /// ## How to confirm
    ///
    /// `dig <name> @<server>` shows the query time.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances>
    /// - <https://learn.microsoft.com/windows-server/networking/dns/troubleshoot/troubleshoot-dns-server>
    DNS016 = "slow-resolution" {
        layer: Dns,
        severity: Info,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

/// What a person notices, and what programs with short limits do not wait for.
const SLOW_US: u64 = 1_000_000;

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let servers = facts.resolving_servers();
    let names = facts.endpoints();
    servers.into_iter().flat_map(|server| names.iter().filter_map(move |name| slow(facts, name, server))).collect()
}

fn slow(facts: &Facts<'_>, name: &EndpointFacts<'_>, server: SocketAddr) -> Option<Draft> {
    let tries = [RecordKind::A, RecordKind::Aaaa].into_iter().flat_map(|kind| facts.answers(server, name.fqdn(), kind));
    let answered = tries.filter(|answer| answer.outcome.seen().is_some());
    let fastest = answered.min_by_key(|answer| answer.timing.elapsed_us)?;
    if fastest.timing.elapsed_us <= SLOW_US {
        return None;
    }
    let took = duration_ms(fastest.timing.elapsed_us / 1_000);
    Some(
        Draft::new(
            Severity::Info,
            Owner::Dns,
            Title::list(&format!("DNS server `{server}` is slow: over a second for "), [name.fqdn()], ""),
        )
        .about([name.fqdn()])
        .group(server.to_string())
        .summary("the fastest answer of this server took over a second; it is far away, or waits for a forwarder that does not answer")
        .evidence([format!("{} in {took}", facts.answer_line(fastest))])
        .list("server", [server.to_string()])
        .arg("fastest", took)
        .excludes("one lost packet: all tries were slow")
        .reaching(Reach::Nothing)
        .fix([Fix::look(
            format!("measure `{}` again, and look at what it forwards to", server.ip()),
            [if facts.on_windows() {
                remedy::local::ask_on_windows(server, Host::new(name.fqdn()), Transport::Udp)
            } else {
                command!(Sh, "dig {} @{}", Host::new(name.fqdn()), server.ip())
            }],
        )]),
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{AZURE, CUSTOM, ODS, Says, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_every_try_is_slow() {
        let found = fires_as_declared(&DNS016, &private_world().takes_ms(CUSTOM, 1_400));
        assert_eq!((found.len(), found[0].severity), (6, Severity::Info));
        assert_eq!(found[0].args["fastest"], "1.4 s");
    }

    #[test]
    fn silent_about_a_second_and_about_azures_view() {
        assert_eq!(drafts(&DNS016, &private_world().takes_ms(CUSTOM, 1_000)), []);
        assert_eq!(drafts(&DNS016, &private_world().takes_ms(AZURE, 1_400)), []);
    }

    #[test]
    fn silent_about_silence() {
        assert_eq!(drafts(&DNS016, &private_world().everywhere(ODS, &Says::Silence)), []);
    }
}
