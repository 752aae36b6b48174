//! BRW003: a policy keeps the portal from private addresses.

use ampls_probes::observation::{BrowserSetting, LocalNetwork};

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// Chromium and its relatives ask before a public site reaches private addresses (local network access). A policy of this
    /// machine forbids it to the Azure portal: by its name, by a pattern that covers it, or to all sites.
    ///
    /// ## Why it matters
    ///
    /// Behind a private link the portal, a public site, queries logs and Application Insights at private addresses. The browser
    /// blocks that without asking, and the portal says that it is unable to connect.
    ///
    /// ## How to fix
    ///
    /// Take the portal out of the pattern, or out of the list. A list of allowed sites does not help: the blocked ones count
    /// first.
    ///
    /// ## How to confirm
    ///
    /// `chrome://policy` or `edge://policy` shows the policy; the portal's Logs page answers a query.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/logs/private-link-configure>
    /// - <https://learn.microsoft.com/deployedge/microsoft-edge-policies/localnetworkaccessblockedforurls>
    /// - <https://wicg.github.io/local-network-access/>
    BRW003 = "local-network-blocked" {
        layer: Browser,
        severity: Info,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let blocked = |setting: &'_ BrowserSetting| setting.local_network.clone().filter(|policy| policy.blocked);
    let found = facts.browsers().iter().filter_map(|setting| Some(draft(facts, setting, &blocked(setting)?)));
    found.collect()
}

fn draft(facts: &Facts<'_>, setting: &BrowserSetting, found: &LocalNetwork) -> Draft {
    let LocalNetwork { policy, pattern, portal, source, .. } = found;
    let title = format!("`{}` keeps `{portal}` from private addresses", setting.name);
    Draft::new(Severity::Info, Owner::Os, Title::plain(title))
        .as_stated()
        .group(setting.id.clone())
        .summary("a policy on this machine blocks requests from the portal to private addresses, where its queries go behind a private link")
        .evidence([format!("{}: `{policy}` in `{source}` holds `{pattern}`", setting.name)])
        .list("browser", [setting.id.clone()])
        .arg("policy", policy)
        .list("pattern", [pattern])
        .reaching(Reach::Nothing)
        .fix([Fix::change(
            BlastRadius::Machine,
            format!("take `{pattern}` out of `{policy}` in `{source}`, or name the sites it is meant for"),
        )
        .under(remedy::Right::MACHINE)
        .after_looking("", [remedy::local::show(facts, source)])
        .undone_by("put the pattern back")])
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::Asks;
    use ampls_probes::testing::{browser, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn policy(blocked: bool) -> BrowserSetting {
        let mut setting = browser("edge", Asks::System);
        setting.local_network = Some(LocalNetwork {
            policy: "LocalNetworkAccessBlockedForUrls".to_owned(),
            pattern: "*".to_owned(),
            portal: "https://portal.azure.com".to_owned(),
            blocked,
            source: "/etc/opt/edge/policies/managed/a.json".to_owned(),
        });
        setting
    }

    #[test]
    fn fires_when_the_portal_is_blocked() {
        let found = fires_as_declared(&BRW003, &private_world().browser(policy(true)));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
        assert!(found[0].fix[0].text.contains("/etc/opt/edge/policies/managed/a.json"));
    }

    #[test]
    fn silent_when_it_is_allowed_or_nothing_is_set() {
        assert_eq!(drafts(&BRW003, &private_world().browser(policy(false))), []);
        assert_eq!(drafts(&BRW003, &private_world().browser(browser("edge", Asks::System))), []);
    }
}
