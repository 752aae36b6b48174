//! DNS022: a search suffix answers a name that does not exist.

use crate::diagnose::command::{Host, command};
use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Status, View};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::{NO_CONNECTION, rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// Every DNS server that this machine uses denies the name as it stands, and still the operating system gives an address:
    /// after the denial it appends the search domains of its configuration one by one, and one of them, usually by a wildcard
    /// record (`*.corp.example`), answers. No line of the hosts file is involved.
    ///
    /// The name itself still does not exist; where a zone or Microsoft denies it, another finding says so.
    ///
    /// ## Why it matters
    ///
    /// Programs connect to whatever stands behind the wildcard: a web server with another certificate, a login page. Their
    /// messages tell of certificates and pages, not of DNS, and `nslookup` shows yet another thing.
    ///
    /// ## How to fix
    ///
    /// Take the wildcard record out of the search domain, or the search domain out of the configuration (on Azure the suffix
    /// that DHCP hands out). A higher `ndots` makes it worse: the suffixes are tried first then.
    ///
    /// ## How to confirm
    ///
    /// `getent ahosts <name>` gives the same as `getent ahosts <name>.` with a dot at the end.
    ///
    /// ## References
    ///
    /// - <https://man7.org/linux/man-pages/man5/resolv.conf.5.html>
    /// - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances>
    DNS022 = "search-domain-answer" {
        layer: Dns,
        severity: Warning,
        owner: Dns,
        hops: [Alias],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS007", "DNS015", "DNS023", "NET006", "TLS001", "TLS003", "TLS004", "TLS006", "TLS007", "TLS008", "HTP002", "HTP005"], NO_CONNECTION],
    }
}

/// Fires for a name when all hold:
///
/// 1. The system gave an address.
/// 2. The system has search domains.
/// 3. No line of the hosts file names the name.
/// 4. A resolving server answered, and all that did deny the name; or the system calls it by the name and one of its search
///    domains, and no resolving server gave any of the system's addresses for the name itself.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.endpoints().iter().filter_map(|name| answered(facts, name)).collect()
}

fn answered(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let suffix = facts.answered_by_search(name)?;
    let system = name.system()?;
    let search = facts.resolver_config().map(|config| config.search.join(", ")).unwrap_or_default();
    let by = suffix.as_ref().map_or_else(|| format!("one of {}", quote(&search)), |suffix| quote(suffix));
    let address = system.addresses.first().map(ToString::to_string).unwrap_or_default();
    let denied = name.server_views().filter(|view| view.denied());
    let early = name.server_views().any(|view| view.status == Status::Ok);
    let draft = Draft::new(
        Severity::Warning,
        Owner::Dns,
        Title::list(
            if early { "a search domain answers before the name itself is asked: " } else { "a search domain answers for a name that does not exist: " },
            [name.fqdn()],
            format!(" (search domain {by})"),
        ),
    )
    .about([name.fqdn()])
    .group(by.clone())
    .summary(if early {
        format!("servers know the name as it stands, but the operating system tries its search domains first because the name has fewer dots than `ndots` asks for, and {by} answers with `{address}`: programs talk to whatever stands there")
    } else {
        format!("the name as it stands is denied, but the operating system appends its search domains, and {by} answers with `{address}`: programs talk to whatever stands there")
    })
    .evidence([facts.view_line(name, system)])
    .evidence(system.cname.first().map(|canonical: &String| format!("the system calls it {}", quote(canonical))))
    .evidence(denied.map(|view: &View| facts.view_line(name, view)))
    .arg("search", search)
    .list("suffix", [suffix.clone().unwrap_or_default()])
    .list("address", [address])
    .excludes("the hosts file: no line of it names the endpoint")
    .fix(fixes(facts, name.fqdn(), suffix.as_deref()));
    Some(if suffix.is_some() { draft } else { draft.likely() })
}

fn fixes(facts: &Facts<'_>, fqdn: &str, suffix: Option<&str>) -> Vec<Fix> {
    let known = suffix.and_then(Host::new);
    let suffix = known.as_ref().map_or("SEARCH_DOMAIN", Host::as_str);
    let below = Host::new(fqdn).zip(known.as_ref()).map(|(name, suffix)| name.below(suffix));
    let unlikely = Host::new("nothing-has-this-name").zip(known.as_ref()).map(|(name, suffix)| name.below(suffix));
    if facts.on_windows() {
        return vec![
            Fix::look(
                "check which suffixes the system appends",
                [
                    command!(PowerShell, "Get-DnsClientGlobalSetting"),
                    command!(PowerShell, "Get-DnsClient | Select-Object InterfaceAlias, ConnectionSpecificSuffix"),
                ],
            ),
            Fix::look(
                format!("look for a wildcard in `{suffix}`"),
                [command!(PowerShell, "Resolve-DnsName {}", below)],
            ),
        ];
    }
    vec![
        Fix::look(
            "check which suffixes the system appends",
            [command!(Sh, "grep -E '^(search|domain|options)' /etc/resolv.conf")],
        ),
        Fix::look(
            format!("look for a wildcard in `{suffix}`"),
            [command!(Sh, "dig {}", below), command!(Sh, "dig {}", unlikely)],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Found, Lookup, Observation, Outcome, Timing};
    use ampls_probes::testing::{CUSTOM, ODS, Says, Scene, private_world};

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn wildcard() -> Scene {
        private_world().everywhere(ODS, &Says::NoSuchName).system(ODS, &Says::Plain("10.9.9.9"))
    }

    #[test]
    fn fires_when_a_search_domain_answers() {
        let found = fires_as_declared(&DNS022, &wildcard().search("corp.example"));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].certainty, Certainty::Likely);
    }

    #[test]
    fn fires_as_proven_when_the_system_names_the_suffix() {
        let canonical = Some(format!("{ODS}.corp.example"));
        let found = Found { addresses: vec!["10.9.9.9".parse().expect("an address")], canonical, more: 0 };
        let lookup = Lookup { name: ODS.to_owned(), timing: Timing::default(), outcome: Outcome::Seen(found) };
        let scene = wildcard().search("corp.example").edit(|seen| seen.seen.push(Observation::Lookup(lookup)));
        let found = drafts(&DNS022, &scene);
        assert_eq!((found[0].certainty, found[0].lists["suffix"][0].as_str()), (Certainty::Proven, "corp.example"));
    }

    #[test]
    fn silent_without_search_domains() {
        assert_eq!(drafts(&DNS022, &wildcard()), []);
    }

    #[test]
    fn silent_when_the_hosts_file_answers() {
        let scene = private_world().everywhere(ODS, &Says::NoSuchName).search("corp.example").hosts("10.9.9.9", ODS);
        assert_eq!(drafts(&DNS022, &scene), []);
    }

    #[test]
    fn silent_when_a_server_knows_the_name() {
        let scene = wildcard().search("corp.example").says(CUSTOM, ODS, &Says::Private("10.0.0.6"));
        assert_eq!(drafts(&DNS022, &scene), []);
        assert_eq!(drafts(&DNS022, &private_world().search("corp.example")), []);
    }

    #[test]
    fn fires_when_the_search_domain_is_tried_before_the_name_itself() {
        let canonical = Some(format!("{ODS}.corp.example"));
        let found = Found { addresses: vec!["203.0.113.80".parse().expect("an address")], canonical, more: 0 };
        let lookup = Lookup { name: ODS.to_owned(), timing: Timing::default(), outcome: Outcome::Seen(found) };
        let scene = private_world().search("corp.example").edit(|seen| seen.seen.push(Observation::Lookup(lookup)));
        let found = drafts(&DNS022, &scene);
        assert!(found[0].summary.contains("ndots"), "{}", found[0].summary);
    }

    #[test]
    fn fires_though_no_server_answered_where_the_system_names_the_suffix() {
        let canonical = Some(format!("{ODS}.corp.example"));
        let found = Found { addresses: vec!["203.0.113.80".parse().expect("an address")], canonical, more: 0 };
        let lookup = Lookup { name: ODS.to_owned(), timing: Timing::default(), outcome: Outcome::Seen(found) };
        let scene = private_world().says(CUSTOM, ODS, &Says::Silence).search("corp.example");
        let found = drafts(&DNS022, &scene.edit(|seen| seen.seen.push(Observation::Lookup(lookup))));
        assert_eq!(found[0].endpoints, [ODS]);
    }
}
