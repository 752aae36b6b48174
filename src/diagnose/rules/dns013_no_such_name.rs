//! DNS013: Microsoft says that the name does not exist.

use crate::diagnose::command::{Guid, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Authorities, EndpointFacts, Facts, Status, View};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::{NOT_DELIVERED, rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// Every DNS server that answers says that the public name does not exist; there is no `privatelink` alias in the answer,
    /// and the denial comes from Microsoft's own public DNS. No private zone is involved: the name is not there for anybody.
    /// The workspace or data collection endpoint was deleted, its identifier is mistyped, or it lives in another cloud
    /// (`.com`, `.us`, `.cn`).
    ///
    /// ## Why it matters
    ///
    /// An agent that is configured with the name can never deliver anything: `Error resolving host during the onboarding
    /// request. Workspace might be deleted.`
    ///
    /// ## How to fix
    ///
    /// Look for the workspace by its identifier in the subscriptions of that cloud. If it exists, correct the identifier or the
    /// cloud. If it was deleted within the last 14 days it can be recovered; otherwise remove it from the agent or from the
    /// data collection rules that send to it.
    ///
    /// ## How to confirm
    ///
    /// `nslookup <name>` from any network gives an address.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/logs/delete-workspace>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    DNS013 = "no-such-name" {
        layer: Dns,
        severity: Error,
        owner: Monitor,
        hops: [Alias],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS015"], NOT_DELIVERED],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.endpoints().iter().filter(|name| is_unknown(facts, name)).map(|name| draft(facts, name)).collect()
}

fn is_unknown(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> bool {
    let mut answering = name.views.iter().filter(|view| view.server.is_some() && view.answered()).peekable();
    let resolved =
        name.system().is_some_and(|view| view.status == Status::Ok) && facts.answered_by_search(name).is_none();
    !resolved && answering.peek().is_some() && answering.all(|view| denied_by_microsoft(facts, view))
}

fn denied_by_microsoft(facts: &Facts<'_>, view: &View) -> bool {
    view.status == Status::NxDomain
        && !view.blocked_by_policy()
        && !view.cname.iter().any(|alias| facts.is_ampls_name(alias))
        && view.authority.as_ref().is_some_and(Authorities::microsoft)
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let label = name.fqdn().split('.').next().unwrap_or_default();
    let views = name.views.iter().filter(|view| view.server.is_some() && view.answered());
    Draft::new(Severity::Error, Owner::Monitor, Title::list("no such name: ", [name.fqdn()], ", says Microsoft's DNS"))
        .about([name.fqdn()])
        .group(label)
        .summary("every server that answers denies the public name, without a `privatelink` alias, and the denial is Microsoft's own: the resource was deleted, its identifier is mistyped, or it lives in another cloud")
        .evidence(views.map(|view| facts.view_line(name, view)))
        .arg("label", label)
        .arg("cloud", facts.observations().asked.cloud.clone())
        .excludes("a private zone without the record: the public name itself is denied, without its `privatelink` alias")
        .excludes("a local zone that shadows the name: the denial is Microsoft's")
        .reaching(Reach::Own)
        .fix([
            Fix::look(
                format!("find a workspace with the id {} in this cloud", quote(label)),
                [command!(
                    Any,
                    "az graph query -q \"resources | where type =~ 'microsoft.operationalinsights/workspaces' and tostring(properties.customerId) =~ '{}' | project name, resourceGroup, location, subscriptionId\" --query data -o table",
                    Guid::new(label)
                )],
            ),
            Fix::look(
                "look for workspaces that were deleted and can still be recovered",
                [command!(Any, "az monitor log-analytics workspace list-deleted-workspaces -o table")],
            ),
            Fix::look(
                "look for data collection endpoints",
                [command!(
                    Any,
                    "az graph query -q \"resources | where type =~ 'microsoft.insights/datacollectionendpoints' | project name, configuration=tostring(properties.configurationAccess.endpoint), logs=tostring(properties.logsIngestion.endpoint)\" --query data -o table"
                )],
            ),
        ])
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Answer, Observation, Outcome, Record, RecordData};
    use ampls_probes::testing::{CUSTOM, ODS, OMS, Says, WORKSPACE, private_world, public_world};

    use super::*;
    use crate::diagnose::facts::BLOCK_POLICY;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_microsoft_denies_the_public_name() {
        let scene = private_world().everywhere(ODS, &Says::NoSuchName).everywhere(OMS, &Says::NoSuchName);
        let found = fires_as_declared(&DNS013, &scene);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|draft| draft.group == WORKSPACE && draft.severity == Severity::Error));
    }

    #[test]
    fn fires_although_one_server_is_silent() {
        let scene = public_world().everywhere(ODS, &Says::NoSuchName).says(CUSTOM, ODS, &Says::Silence);
        assert_eq!(drafts(&DNS013, &scene).len(), 1);
    }

    #[test]
    fn silent_when_somebody_resolves_it() {
        let scene = public_world().everywhere(ODS, &Says::NoSuchName).says(CUSTOM, ODS, &Says::Public("20.1.1.1"));
        assert_eq!(drafts(&DNS013, &scene), []);
    }

    #[test]
    fn silent_when_a_private_or_local_zone_denies() {
        for says in [Says::DeniedByPrivateZone, Says::DeniedAnonymously, Says::DeniedLocally, Says::BlockedByPolicy] {
            assert_eq!(drafts(&DNS013, &private_world().everywhere(ODS, &says)), [], "{says:?}");
        }
    }

    #[test]
    fn silent_when_nobody_answers() {
        assert_eq!(drafts(&DNS013, &private_world().everywhere(ODS, &Says::Silence)), []);
    }

    #[test]
    fn silent_about_a_denial_behind_a_private_link_or_a_policy_that_microsoft_signs() {
        let private = ODS.replacen(".ods.", ".privatelink.ods.", 1);
        for alias in [private.as_str(), BLOCK_POLICY] {
            let scene = private_world().everywhere(ODS, &Says::NoSuchName);
            let mut seen = scene.observations();
            let mut changed = 0;
            for observation in &mut seen.seen {
                let Observation::Answer(Answer { name, outcome: Outcome::Seen(response), .. }) = observation else {
                    continue;
                };
                if name.as_str() == ODS {
                    let data = RecordData::Cname(alias.to_owned());
                    response.records.push(Record { owner: ODS.to_owned(), ttl: 10, data });
                    changed += 1;
                }
            }
            assert!(changed > 1 && !drafts(&DNS013, &scene).is_empty());
            assert_eq!(check(&Facts::new(&seen)), [], "{alias}");
        }
    }
}
