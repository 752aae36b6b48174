//! BRW002: a browser asks an encrypted resolver before this machine's own.

use ampls_probes::observation::Asks;

use crate::diagnose::browser;
use crate::diagnose::draft::Draft;
use crate::diagnose::facts::Facts;
use crate::diagnose::rule::rule;

rule! {
    /// ## What it means
    ///
    /// A browser on this machine asks an encrypted resolver first and this machine's own only when that fails:
    /// `network.trr.mode` 2 of Firefox, mode `automatic` of Chrome, Edge and their relatives. The latter, which is also their
    /// default, does so where templates are set, or where this machine's DNS server belongs to a provider that the browser
    /// knows (8.8.8.8, 1.1.1.1); with Azure's DNS or a server of the network it asks the system.
    ///
    /// It is information while no name that a private link covers is private here.
    ///
    /// What that resolver answers a setting does not tell, so the finding is likely. With `--view encrypted` the resolver is asked
    /// for names that many customers share (never those of a workspace or an endpoint): the finding is proven where it does not
    /// give the private addresses that this machine has, and information where it does.
    ///
    /// ## Why it matters
    ///
    /// A public resolver answers every name of Azure Monitor, so the fallback is never used: the browser gets public addresses
    /// and goes past the private link.
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
    /// - <https://support.mozilla.org/kb/dns-over-https>
    BRW002 = "secure-dns-preferred" {
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
    let preferred = facts.browsers().iter().filter_map(|setting| {
        let names = facts.asked_so(setting, Asks::EncryptedFirst);
        let how = "asks an encrypted resolver before this machine's own";
        (!names.is_empty()).then(|| browser::draft(facts, setting, &names, how))
    });
    preferred.collect()
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Asks, SetBy};
    use ampls_probes::testing::{browser, private_world, public_world};

    use super::*;
    use crate::diagnose::finding::Severity;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_private_names_are_asked_elsewhere_first() {
        let found = fires_as_declared(&BRW002, &private_world().browser(browser("firefox", Asks::EncryptedFirst)));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    }

    #[test]
    fn fires_with_the_file_of_the_policy_that_does_it() {
        let mut setting = browser("chrome", Asks::EncryptedFirst);
        setting.set_by = SetBy::Policy;
        "/etc/opt/chrome/policies/managed/it.json".clone_into(&mut setting.source);
        let found = drafts(&BRW002, &private_world().browser(setting));
        assert!(found[0].fix[0].text.contains("/etc/opt/chrome/policies/managed/it.json"), "{:?}", found[0].fix);
    }

    #[test]
    fn fires_as_information_without_a_private_link() {
        let found = drafts(&BRW002, &public_world().browser(browser("chrome", Asks::EncryptedFirst)));
        assert_eq!(found[0].severity, Severity::Info);
    }

    #[test]
    fn silent_about_browsers_that_ask_the_system_or_nobody_else() {
        for asks in [Asks::System, Asks::EncryptedOnly] {
            assert_eq!(drafts(&BRW002, &private_world().browser(browser("chrome", asks))), []);
        }
    }
}
