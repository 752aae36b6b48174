//! AZR003: Azure's own DNS does not answer.

use ampls_probes::observation::ServerRole;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, Status};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// 168.63.129.16 answers none of this program's DNS questions. Outside Azure it never does. In Azure a network security
    /// group can deny it (service tag `AzurePlatformDNS`), and a guest firewall can: some do so on purpose.
    ///
    /// Where this machine is configured to use it, DNS008 speaks of it instead.
    ///
    /// ## Why it matters
    ///
    /// Nothing depends on it while other servers resolve. Only this program's comparison is missing: what the virtual network
    /// itself sees cannot be held against what the configured servers say, so a forwarder that does not use Azure's DNS is harder
    /// to tell from a zone that is not linked.
    ///
    /// ## How to fix
    ///
    /// Nothing has to be repaired. To allow the comparison on an Azure VM, allow UDP and TCP 53 to 168.63.129.16.
    ///
    /// ## How to confirm
    ///
    /// `nslookup global.handler.control.monitor.azure.com 168.63.129.16` gets an answer.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    AZR003 = "azure-dns-silent" {
        layer: Metadata,
        severity: Info,
        owner: Network,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let used = |role: &ServerRole| role.is_used();
    let azure = facts.servers().iter().filter(|server| Facts::is_azure_dns(server.address));
    azure
        .filter(|server| !server.roles.iter().any(used))
        .filter_map(|server| {
            let asked: Vec<_> = facts.asked_of(server.address).collect();
            let dead = |status: &Status| matches!(status, Status::Timeout | Status::Unreachable);
            let open = |status: &Status| matches!(status, Status::Cancelled | Status::Skipped);
            let silent = asked.iter().all(|(_, status)| dead(status) || open(status));
            if !silent || !asked.iter().any(|(_, status)| dead(status)) {
                return None;
            }
            let lines = asked.iter().filter(|(_, status)| dead(status)).take(2);
            Some(
                Draft::new(Severity::Info, Owner::Network, Title::plain("Azure's own DNS, `168.63.129.16`, does not answer"))
                    .summary("the virtual network's own answers cannot be compared with those of this machine's servers; this is normal outside Azure, and where it is blocked on purpose")
                    .evidence(lines.map(|(answer, _)| facts.answer_line(answer)))
                    .arg("questions", asked.len().to_string())
                    .reaching(Reach::Nothing)
                    .fix(remedy::machine::look_at_groups(
                        facts,
                        "on an Azure VM, check for a rule that blocks the service tag `AzurePlatformDNS`, and for one in this machine's own firewall",
                    )),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Metadata, Observation, Outcome, Timing, WireServer};
    use ampls_probes::testing::{AZURE, CUSTOM, Says, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_it_answers_nothing() {
        for says in [Says::Silence, Says::Closed] {
            let found = fires_as_declared(&AZR003, &private_world().server_says(AZURE, &says));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
        }
    }

    #[test]
    fn fires_as_a_consequence_outside_azure() {
        let scene = private_world().server_says(AZURE, &Says::Silence).edit(|seen| {
            let timing = Timing::default();
            seen.seen.push(Observation::Metadata(Metadata { timing, outcome: Outcome::TimedOut }));
            seen.seen.push(Observation::WireServer(WireServer { timing, outcome: Outcome::TimedOut }));
        });
        let found = diagnose(&scene.observations());
        let order: Vec<_> = found.iter().map(|seen| (seen.code.as_str(), seen.caused_by.as_deref())).collect();
        assert_eq!(order, [("AZR001", None), ("AZR003", Some("AZR001"))]);
    }

    #[test]
    fn silent_where_it_is_the_configured_server() {
        let scene = private_world().server(AZURE, &[ServerRole::Configured, ServerRole::Azure]);
        assert_eq!(drafts(&AZR003, &scene.server_says(AZURE, &Says::Silence)), []);
    }

    #[test]
    fn silent_when_it_answers_or_was_not_asked() {
        assert_eq!(drafts(&AZR003, &private_world()), []);
        assert_eq!(drafts(&AZR003, &private_world().server_says(CUSTOM, &Says::Silence)), []);
        assert_eq!(drafts(&AZR003, &private_world().server_says(AZURE, &Says::Unfinished)), []);
    }
}
