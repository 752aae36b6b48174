//! AZR006: this version does not know this machine's cloud.

use ampls_probes::plan::UNKNOWN_CLOUD;

use crate::diagnose::command::command;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::rule;
use crate::text::escape;

rule! {
    /// ## What it means
    ///
    /// The metadata service or an agent's configuration names a cloud that this version does not know: an air-gapped or
    /// sovereign cloud, or one that is closed. No name of another cloud was looked at.
    ///
    /// ## Why it matters
    ///
    /// Names of the public cloud say nothing about this machine, and asking for them would show them, and the workspace's id,
    /// to this network's DNS servers.
    ///
    /// ## How to fix
    ///
    /// Name what to look at: `--endpoint NAME=private` for each name that the machine needs, and `--public-roots FILE` with the
    /// cloud's certificate roots. If the machine is in the public cloud, Azure Government or Azure in China, give `--cloud`.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor` lists the names that were given, each with its route.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
    AZR006 = "cloud-unknown" {
        layer: Metadata,
        severity: Error,
        owner: Monitor,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let asked = &facts.observations().asked;
    if asked.cloud != UNKNOWN_CLOUD {
        return Vec::new();
    }
    let claims = asked.clouds.iter().filter(|claim| claim.cloud == UNKNOWN_CLOUD);
    let says: Vec<String> = claims.map(|claim| escape(&claim.says, 200)).collect();
    let draft =
        Draft::new(Severity::Error, Owner::Monitor, Title::plain("this version does not know this machine's cloud"))
            .summary("no name was tested; give the names with --endpoint and the roots with --public-roots")
            .evidence(says.iter().map(|says| format!("{says} names a cloud that is not known")))
            .reaching(Reach::Nothing)
            .as_stated()
            .fix([Fix::look(
                "test the names that this machine needs, with the roots of its cloud",
                [command!(Any, "ampls-doctor check --endpoint HOST_NAME=private --public-roots FILE_PATH")],
            )]);
    vec![draft]
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{ClaimSource, CloudClaim};
    use ampls_probes::testing::{Scene, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn in_cloud(cloud: &str) -> Scene {
        public_world().edit(|seen| {
            cloud.clone_into(&mut seen.asked.cloud);
            seen.asked.clouds = vec![CloudClaim {
                cloud: cloud.to_owned(),
                source: ClaimSource::Metadata,
                says: "the metadata service (`AzureUSNatCloud`)".to_owned(),
            }];
        })
    }

    #[test]
    fn fires_with_the_source_that_names_it() {
        let found = fires_as_declared(&AZR006, &in_cloud(UNKNOWN_CLOUD));
        assert!(found[0].evidence[0].contains("AzureUSNatCloud"), "{:?}", found[0].evidence);
    }

    #[test]
    fn silent_in_known_clouds() {
        for cloud in ["public", "usgov", "china"] {
            assert_eq!(drafts(&AZR006, &in_cloud(cloud)), [], "{cloud}");
        }
    }
}
