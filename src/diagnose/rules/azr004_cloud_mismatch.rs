//! AZR004: different clouds are named.

use std::collections::BTreeSet;

use ampls_probes::azure::Cloud;
use ampls_probes::observation::ClaimSource;

use crate::diagnose::command::{CloudName, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};
use crate::text::{escape, quote};

rule! {
    /// ## What it means
    ///
    /// Arguments, the agents' configuration and the metadata service do not name the same cloud: a machine in one cloud is
    /// examined with, or configured for, the names of another. The strongest source decides which names were looked at:
    /// arguments before configuration before the metadata service.
    ///
    /// ## Why it matters
    ///
    /// Names of another cloud resolve and answer, and yet every credential is refused there; workspaces do not exist in it;
    /// private links of this cloud cannot hold its names.
    ///
    /// ## How to fix
    ///
    /// Examine with the cloud of the machine. If an agent's configuration names the wrong one, onboard it again for the right
    /// cloud. A workspace in another cloud on purpose is possible only over public addresses and with that cloud's
    /// credentials.
    ///
    /// ## How to confirm
    ///
    /// Without `--cloud` the finding is gone.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure>
    /// - <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
    AZR004 = "cloud-mismatch" {
        layer: Metadata,
        severity: Error,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS001", "DNS013"], NOT_DELIVERED],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let asked = &facts.observations().asked;
    let clouds: BTreeSet<&str> = asked.clouds.iter().map(|claim| claim.cloud.as_str()).collect();
    if clouds.len() < 2 {
        return Vec::new();
    }
    let metadata = asked.clouds.iter().find(|claim| claim.source == ClaimSource::Metadata);
    let by_argument =
        asked.clouds.iter().any(|claim| claim.source == ClaimSource::Argument && claim.cloud == asked.cloud);
    let draft =
        Draft::new(Severity::Error, Owner::Os, Title::list("different clouds are named: ", clouds.iter().copied(), ""))
            .summary(format!(
                "the names of the cloud {} were tested; not every source agrees that this machine belongs there",
                quote(&asked.cloud)
            ))
            .evidence(
                asked
                    .clouds
                    .iter()
                    .map(|claim| format!("{} names the cloud {}", escape(&claim.says, 200), quote(&claim.cloud))),
            )
            .list("clouds", clouds.iter())
            .arg("looked_at", asked.cloud.clone())
            .reaching(Reach::Machine);
    let known = |cloud: &&str| cloud.parse::<Cloud>().is_ok();
    let right = metadata.map(|claim| claim.cloud.as_str()).filter(known);
    let again = Fix::look(
        "test the names of this machine's own cloud",
        [command!(Any, "ampls-doctor check --cloud {}", right.and_then(CloudName::new))],
    );
    if by_argument {
        return vec![draft.fix([again])];
    }
    let reonboard = Fix::change(BlastRadius::Machine, format!("onboard the agent again for the cloud {}", quote(right.unwrap_or("CLOUD_NAME"))))
        .under(remedy::Right::MACHINE)
        .after("check which workspace and data collection rules this machine should report to; the former workspace then gets no more data")
        .undone_by("onboard it to the former workspace again");
    vec![draft.fix([again, reonboard])]
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::CloudClaim;
    use ampls_probes::testing::{ODS, Says, Scene, public_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn claims(claims: &[(&str, ClaimSource)]) -> Scene {
        let claims = claims.iter().map(|(cloud, source)| CloudClaim {
            cloud: (*cloud).to_owned(),
            source: *source,
            says: format!("{source:?}"),
        });
        public_world().edit(|seen| seen.asked.clouds = claims.collect())
    }

    #[test]
    fn fires_when_an_argument_and_the_metadata_service_disagree() {
        let found =
            fires_as_declared(&AZR004, &claims(&[("public", ClaimSource::Argument), ("usgov", ClaimSource::Metadata)]));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].fix[0].lines(), "ampls-doctor check --cloud usgov");
    }

    #[test]
    fn fires_when_an_agent_is_configured_for_another_cloud() {
        let found =
            drafts(&AZR004, &claims(&[("public", ClaimSource::Configuration), ("usgov", ClaimSource::Metadata)]));
        assert!(found[0].fix.iter().any(|fix| !fix.read_only));
    }

    #[test]
    fn fires_and_explains_a_workspace_that_does_not_exist_there() {
        let scene = claims(&[("public", ClaimSource::Argument), ("usgov", ClaimSource::Metadata)]);
        let found = diagnose(&scene.everywhere(ODS, &Says::NoSuchName).observations());
        assert_eq!(found[0].code, "AZR004");
        assert!(found.iter().skip(1).all(|seen| seen.caused_by.as_deref() == Some("AZR004")));
    }

    #[test]
    fn silent_when_all_agree_or_one_speaks_alone() {
        assert_eq!(drafts(&AZR004, &claims(&[("usgov", ClaimSource::Argument), ("usgov", ClaimSource::Metadata)])), []);
        assert_eq!(drafts(&AZR004, &claims(&[("china", ClaimSource::Metadata)])), []);
        assert_eq!(drafts(&AZR004, &public_world()), []);
    }
}
