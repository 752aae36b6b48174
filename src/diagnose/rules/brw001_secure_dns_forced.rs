//! BRW001: a browser never asks this machine's resolver.

use ampls_probes::observation::Asks;

use crate::diagnose::browser;
use crate::diagnose::draft::Draft;
use crate::diagnose::facts::Facts;
use crate::diagnose::rule::rule;

rule! {
    /// ## What it means
    ///
    /// A browser on this machine is set to ask an encrypted resolver and nobody else: mode `secure` of Chrome, Edge and their
    /// relatives (by the policy `DnsOverHttpsMode` or by the user), `network.trr.mode` 3 of Firefox. Private DNS zones, the
    /// hosts file and the DNS servers of the network do not exist for it.
    ///
    /// It is information while no name that a private link covers is private here.
    ///
    /// What that resolver answers a setting does not tell, so the finding is likely. With `--view encrypted` the resolver is asked
    /// for names that many customers share (never those of a workspace or an endpoint): the finding is proven where it does not
    /// give the private addresses that this machine has, and information where it does.
    ///
    /// ## Why it matters
    ///
    /// Agents on the same machine work, and the person in front of it does not: the portal's queries go to public addresses,
    /// past the private link, and are refused (403) where public queries are switched off.
    ///
    /// ## How to fix
    ///
    /// Set the policy `DnsOverHttpsMode` to `off` (Chrome, Edge, Chromium, Brave) or `DNSOverHTTPS` with `Enabled` false and
    /// `Locked` true (Firefox) in the file that the finding names. Firefox can leave the names of Azure Monitor out instead:
    /// `ExcludedDomains`.
    ///
    /// ## How to confirm
    ///
    /// `chrome://policy`, `edge://policy` or `about:policies` shows the policy; `chrome://net-internals/#dns` or
    /// `about:networking#dns` resolves the name to its private address.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/logs/private-link-configure>
    /// - <https://chromeenterprise.google/policies/#DnsOverHttpsMode>
    /// - <https://mozilla.github.io/policy-templates/#dnsoverhttps>
    BRW001 = "secure-dns-forced" {
        layer: Browser,
        severity: Warning,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let forced = facts.browsers().iter().filter_map(|setting| {
        let names = facts.asked_so(setting, Asks::EncryptedOnly);
        let how = "never asks this machine's resolver";
        (!names.is_empty()).then(|| browser::draft(facts, setting, &names, how))
    });
    forced.collect()
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::Asks;
    use ampls_probes::testing::{browser, private_world, public_world};

    use super::*;
    use crate::diagnose::finding::Severity;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_private_names_are_never_asked_here() {
        let found = fires_as_declared(&BRW001, &private_world().browser(browser("chrome", Asks::EncryptedOnly)));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        let command = found[0].fix[0].lines();
        assert!(command.contains("/etc/opt/chrome/policies/managed/ampls.json"), "{command}");
    }

    #[test]
    fn fires_as_information_without_a_private_link() {
        let found = drafts(&BRW001, &public_world().browser(browser("firefox", Asks::EncryptedOnly)));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
        assert!(found[0].fix[0].text.contains("policies.json"), "{:?}", found[0].fix);
    }

    #[test]
    fn silent_about_browsers_that_ask_the_system_or_fall_back() {
        for asks in [Asks::System, Asks::EncryptedFirst] {
            assert_eq!(drafts(&BRW001, &private_world().browser(browser("chrome", asks))), []);
        }
    }

    #[test]
    fn silent_when_the_names_are_excluded() {
        let mut setting = browser("firefox", Asks::EncryptedOnly);
        let zones = ["azure.com", ".azure-automation.net", "blob.core.windows.net"];
        setting.excluded_domains = zones.map(str::to_owned).to_vec();
        assert_eq!(drafts(&BRW001, &private_world().browser(setting)), []);
    }
}
