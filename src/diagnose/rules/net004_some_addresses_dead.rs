//! NET004: some addresses of a name are dead while another answers.

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Path};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// The name has several addresses. At least one of them answers on its port, and at least one does not: it is silent, refuses,
    /// or cannot be reached. An address of a family for which this machine has no route at all is skipped and never counts.
    ///
    /// For private addresses the dead one is usually left from an endpoint that was deleted, or belongs to another scope whose
    /// network this machine cannot reach. For public addresses a firewall knows only some of them.
    ///
    /// ## Why it matters
    ///
    /// Programs try addresses in the order that the system gives, and most wait for one to fail before they try the next. Where the
    /// dead address comes first every connection waits for it; where the order changes from answer to answer only some do, which
    /// looks like a network that is slow now and then.
    ///
    /// ## How to fix
    ///
    /// Find the private endpoint that holds the dead address. If there is none, delete the address from the record and let the
    /// zone group keep the rest. If there is one, check which route and which rule of a network security group or firewall is in the
    /// way.
    ///
    /// ## How to confirm
    ///
    /// `nc -vz <address> 443` (Linux) or `Test-NetConnection <address> -Port 443` (Windows) connects for every address, or the name
    /// no longer has the dead one.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-overview>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://www.rfc-editor.org/rfc/rfc6724>
    NET004 = "some-addresses-dead" {
        layer: Tcp,
        severity: Warning,
        owner: Dns,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let answering = facts.endpoints().iter().filter(|name| name.tcp() == Path::Passed);
    answering.filter_map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let dead = name.dead_addresses();
    let first = dead.first()?.to_string();
    let port = name.endpoint.port;
    let waits = name.addresses().first().is_some_and(|address| dead.contains(address));
    let summary = if waits {
        "the first address in the system's order does not answer, another does: every connection waits for the dead one before it tries the next"
    } else {
        "an address that comes later in the system's order does not answer: a program that gets or tries them in another order waits for it"
    };
    let private = facts.leads_private(name.fqdn(), *dead.first()?) == Some(true);
    let listed = dead.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut draft = Draft::new(
        Severity::Warning,
        if private { Owner::Dns } else { Owner::Network },
        Title::list(&format!("some addresses do not answer on TCP {port}: "), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(port)
    .group(format!("{listed} {port}"))
    .summary(summary)
    .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
    .arg("port", port.to_string())
    .list("dead", &dead)
    .arg("first", if waits { "yes" } else { "no" })
    .excludes("a closed path: another address of the name answers")
    .reaching(Reach::Nothing);
    if private {
        draft = draft.fix(remedy::endpoint::find_by_address(&first));
    }
    Some(draft.fix(remedy::machine::effective_rules(facts, &first, &format!("TCP {port}"))))
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{IoFailure, Outcome, Skip};
    use ampls_probes::testing::{ODS, Says, open, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_one_of_several_addresses_is_dead() {
        for attempt in
            [Outcome::TimedOut, Outcome::Failed(IoFailure::Refused), Outcome::Failed(IoFailure::HostUnreachable)]
        {
            let scene = private_world().attempt(ODS, "10.0.0.99", &attempt).attempt(ODS, "10.0.0.6", &open());
            let found = fires_as_declared(&NET004, &scene);
            assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{attempt:?}");
            assert_eq!(found[0].lists["dead"], ["10.0.0.99"]);
            assert_eq!(found[0].args["first"], "no", "the lookup does not give the dead address");
        }
    }

    #[test]
    fn fires_and_says_that_the_dead_address_comes_first() {
        let scene = private_world()
            .everywhere(ODS, &Says::Plain("10.9.9.9"))
            .attempt(ODS, "10.9.9.9", &Outcome::TimedOut)
            .attempt(ODS, "10.0.0.6", &open());
        assert_eq!(drafts(&NET004, &scene)[0].args["first"], "yes");
    }

    #[test]
    fn fires_as_a_consequence_of_a_line_in_the_hosts_file() {
        let scene = private_world().hosts("10.9.9.9", ODS).attempt(ODS, "10.9.9.9", &Outcome::TimedOut).attempt(
            ODS,
            "10.0.0.6",
            &open(),
        );
        let found = diagnose(&scene.observations());
        let root =
            |code: &str| found.iter().find(|finding| finding.code == code).map(|finding| finding.caused_by.is_none());
        assert_eq!((root("DNS006"), root("NET004")), (Some(true), Some(false)), "{found:?}");
    }

    #[test]
    fn silent_when_all_addresses_are_dead_or_all_answer() {
        let all = private_world().connects(ODS, &Outcome::TimedOut).attempt(ODS, "10.0.0.99", &Outcome::TimedOut);
        assert_eq!(drafts(&NET004, &all), []);
        assert_eq!(drafts(&NET004, &private_world()), []);
    }

    #[test]
    fn silent_about_addresses_that_were_not_tried() {
        for attempt in
            [Outcome::Skipped(Skip::NoRouteForFamily), Outcome::Cancelled, Outcome::Failed(IoFailure::NoSockets)]
        {
            let scene = private_world().attempt(ODS, "fd00::9", &attempt).attempt(ODS, "10.0.0.6", &open());
            assert_eq!(drafts(&NET004, &scene), [], "{attempt:?}");
        }
    }
}
