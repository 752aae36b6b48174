//! PRX005: a proxy stands before the platform's own addresses.

use ampls_probes::addr::{METADATA, WIRE_SERVER};
use ampls_probes::no_proxy;
use ampls_probes::observation::AgentProxy;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// Proxy variables apply to `http://169.254.169.254` (the metadata service, which gives tokens) or `http://168.63.129.16`
    /// (the wire server): neither is on the exemption list. A proxy cannot reach them: they exist on this machine's own host
    /// only, and the metadata service refuses what a proxy has passed on.
    ///
    /// It is information while only the environment of the shell that started this program says so. This program asks both
    /// without a proxy.
    ///
    /// ## Why it matters
    ///
    /// An agent or script with these variables gets no token (`Failed to get MSI token from IMDS endpoint`) and reports
    /// nothing, or sends the request for a token to the proxy.
    ///
    /// ## How to fix
    ///
    /// Add both addresses to `NO_PROXY` wherever the proxy is set.
    ///
    /// ## How to confirm
    ///
    /// `curl -H Metadata:true "http://169.254.169.254/metadata/instance?api-version=2021-02-01"` prints the document without
    /// `--noproxy`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
    /// - <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
    PRX005 = "proxy-catches-metadata" {
        layer: Proxy,
        severity: Warning,
        owner: Os,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [NOT_DELIVERED],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    // Where neither service answers there is nothing for a proxy to catch.
    if facts.platform_is_silent() {
        return Vec::new();
    }
    let mut drafts: Vec<Draft> = of_environment(facts).into_iter().collect();
    let proxies = facts.agents().map_or(&[][..], |agents| agents.proxies.as_slice());
    drafts.extend(proxies.iter().filter_map(|proxy| of_unit(facts, proxy)));
    drafts
}

/// A proxy in the environment of an agent's service. Only there does it apply to every request of the agent: a proxy of the
/// agent's own settings is for Azure Monitor alone.
fn of_unit(facts: &Facts<'_>, proxy: &AgentProxy) -> Option<Draft> {
    // A connected machine has a metadata service of its own, on loopback.
    if facts.instance().is_none() || !proxy.effective || !proxy.source.contains("/systemd/") {
        return None;
    }
    let caught: Vec<String> = [METADATA, WIRE_SERVER]
        .map(|address| address.ip().to_string())
        .into_iter()
        .filter(|address| !no_proxy::exempts(&proxy.no_proxy, address))
        .collect();
    if caught.is_empty() {
        return None;
    }
    let names: Vec<&str> = caught.iter().map(String::as_str).collect();
    let title = Title::list(
        &format!("the proxy {} of {} catches ", quote(&proxy.url), proxy.used_by.called()),
        caught.clone(),
        "",
    );
    let exempt = if proxy.no_proxy.is_empty() { "nothing".to_owned() } else { quote(&proxy.no_proxy) };
    Some(
        Draft::new(Severity::Warning, Owner::Os, title)
            .group(proxy.source.clone())
            .summary(format!(
                "the agent's environment, set by {}, sends requests for the metadata service to a proxy, which cannot reach it: the agent gets no token",
                quote(&proxy.source)
            ))
            .likely()
            .evidence([format!("{} names the proxy {} and exempts {exempt}", quote(&proxy.source), quote(&proxy.url))])
            .list("proxy", [proxy.url.clone()])
            .list("source", [proxy.source.clone()])
            .list("addresses", &caught)
            .reaching(Reach::Nothing)
            .fix([remedy::local::exempt_from_proxy(facts, &names)]),
    )
}

/// A proxy in the environment of this program.
fn of_environment(facts: &Facts<'_>) -> Option<Draft> {
    facts.proxy_settings().and_then(|settings| {
        let caught: Vec<_> = settings.platform.iter().filter_map(|to| Some((to.address, to.proxy.as_ref()?))).collect();
        let (_, proxy) = caught.first()?;
        let addresses: Vec<String> = caught.iter().map(|(address, _)| address.to_string()).collect();
        let severity = if facts.only_this_shell(proxy) { Severity::Info } else { Severity::Warning };
        let exempt = settings.exempt.as_ref();
        let names: Vec<&str> = addresses.iter().map(String::as_str).collect();
        Some(
            Draft::new(
                severity,
                Owner::Os,
                Title::list(&format!("the proxy {} catches ", quote(&proxy.url)), addresses.clone(), ""),
            )
            .summary(format!(
                "the variable {} sends requests for the metadata service to a proxy, which cannot reach it: programs with this environment get no token",
                quote(&proxy.source)
            ))
            .evidence(settings.variables.iter().map(|named| format!("{} names the proxy {}", quote(&named.source), quote(&named.url))))
            .evidence([exempt.map_or_else(
                || "`NO_PROXY` is not set".to_owned(),
                |exempt| format!("{} is {}", quote(&exempt.source), quote(&exempt.names)),
            )])
            .list("proxy", [proxy.url.clone()])
            .list("source", [proxy.source.clone()])
            .list("addresses", &addresses)
            .reaching(Reach::Nothing)
            .fix([
                Fix::look("check where proxies are set on this machine", remedy::local::show_proxies(facts.on_windows())),
                remedy::local::exempt_from_proxy(facts, &names),
            ]),
        )
    })
}

#[cfg(test)]
mod tests {
    use ampls_probes::azure::AgentKind;
    use ampls_probes::observation::{
        Exemptions, Metadata, Observation, Outcome, PlatformProxy, ProxySettings, Timing, WireServer,
    };
    use ampls_probes::testing::{Scene, private_world, shell_proxy};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn with_settings(caught: &[(&str, bool)], exempt: Option<&str>) -> Scene {
        let platform = caught.iter().map(|(address, caught)| PlatformProxy {
            address: address.parse().expect("an address"),
            proxy: caught.then(shell_proxy),
        });
        let settings = ProxySettings {
            timing: Timing::default(),
            variables: vec![shell_proxy()],
            exempt: exempt.map(|names| Exemptions { source: "NO_PROXY".to_owned(), names: names.to_owned() }),
            platform: platform.collect(),
        };
        private_world().edit(|seen| seen.seen.push(Observation::ProxySettings(settings)))
    }

    #[test]
    fn fires_as_information_for_what_is_not_exempt() {
        let found =
            drafts(&PRX005, &with_settings(&[("169.254.169.254", true), ("168.63.129.16", true)], Some("localhost")));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
        let command = found[0].fix[1].lines();
        assert!(command.contains("localhost,169.254.169.254,168.63.129.16"), "{command}");
    }

    #[test]
    fn fires_for_one_of_the_two() {
        let found = drafts(&PRX005, &with_settings(&[("169.254.169.254", false), ("168.63.129.16", true)], None));
        assert_eq!(found[0].lists["addresses"], ["168.63.129.16"]);
    }

    #[test]
    fn silent_when_both_are_exempt_and_where_nothing_was_read() {
        assert_eq!(drafts(&PRX005, &with_settings(&[("169.254.169.254", false), ("168.63.129.16", false)], None)), []);
        assert_eq!(drafts(&PRX005, &private_world()), []);
    }

    fn unit(source: &str, no_proxy: &str) -> AgentProxy {
        AgentProxy {
            used_by: AgentKind::Ama,
            url: "http://10.1.0.9:3128".to_owned(),
            has_credentials: false,
            source: source.to_owned(),
            no_proxy: no_proxy.to_owned(),
            effective: true,
        }
    }

    const DROP_IN: &str = "/etc/systemd/system/azuremonitor-coreagent.service.d/proxy.conf";

    #[test]
    fn fires_for_a_service_whose_environment_exempts_nothing() {
        let found =
            fires_as_declared(&PRX005, &private_world().subnet("10.0.0.0/24").agent_proxy(unit(DROP_IN, "localhost")));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].lists["addresses"], ["169.254.169.254", "168.63.129.16"]);
    }

    #[test]
    fn silent_for_a_service_that_exempts_both_and_for_the_agents_own_setting() {
        let exempt = unit(DROP_IN, "169.254.169.254,168.63.129.16");
        assert_eq!(drafts(&PRX005, &private_world().subnet("10.0.0.0/24").agent_proxy(exempt)), []);
        // A connected machine, where the service of Azure's machines does not exist.
        assert_eq!(drafts(&PRX005, &private_world().agent_proxy(unit(DROP_IN, ""))), []);
        let own = unit("/etc/default/azuremonitoragent", "");
        assert_eq!(drafts(&PRX005, &private_world().subnet("10.0.0.0/24").agent_proxy(own)), []);
    }

    #[test]
    fn silent_outside_azure() {
        let scene = with_settings(&[("169.254.169.254", true)], None).edit(|seen| {
            let timing = Timing::default();
            seen.seen.push(Observation::Metadata(Metadata { timing, outcome: Outcome::TimedOut }));
            seen.seen.push(Observation::WireServer(WireServer { timing, outcome: Outcome::TimedOut }));
        });
        assert_eq!(drafts(&PRX005, &scene), []);
    }
}
