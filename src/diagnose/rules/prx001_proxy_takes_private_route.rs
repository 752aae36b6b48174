//! PRX001: a proxy applies to a name that is private here.

use ampls_probes::azure::AgentKind;
use ampls_probes::endpoint::Group;
use ampls_probes::no_proxy::exempts;
use ampls_probes::observation::AgentProxy;

use crate::diagnose::command::command;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, HttpFault, ProxyFault, Route};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// The name is private on this machine, but a proxy applies to it, and a proxy resolves names itself. What the private
    /// endpoint would take goes to the proxy instead, and from there wherever the proxy's own DNS leads: usually over the
    /// internet.
    ///
    /// It is information while only the environment of the shell that started this program names the proxy: services such as
    /// the agents do not inherit it, but every program started in that shell uses the proxy. With `--proxy`, or where an
    /// agent is configured to use it, it is a warning, and an error where the proxy gives no tunnel or the service refuses what comes that way.
    ///
    /// ## Why it matters
    ///
    /// The private link is not used, although every test of name resolution says that it is. A service that accepts no public
    /// traffic answers 403, because it sees the proxy's public address.
    ///
    /// ## How to fix
    ///
    /// Exempt the private names from the proxy, for the agents where their proxy is set (extension settings, Arc agent), for
    /// programs in `NO_PROXY`. Check first that the direct path is open.
    ///
    /// ## How to confirm
    ///
    /// With the exemption this program connects to the private address itself: the finding is gone, and the endpoint answers.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://learn.microsoft.com/azure/azure-arc/servers/manage-agent>
    /// - <https://curl.se/docs/manpage.html>
    PRX001 = "proxy-takes-private-route" {
        layer: Proxy,
        severity: Warning,
        owner: Os,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["TLS006", "TLS007", "HTP001", "HTP005", "PRX002", "PRX003", "PRX004"]],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let taken: Vec<&EndpointFacts<'_>> = facts.endpoints().iter().filter(|name| is_taken(name)).collect();
    let names: Vec<&str> = taken.iter().map(|name| name.fqdn()).collect();
    let run = taken.iter().filter_map(|name| draft(facts, name, &names));
    run.chain(of_agents(facts)).collect()
}

/// What the agents themselves are configured to use; nothing was sent through it.
fn of_agents(facts: &Facts<'_>) -> Vec<Draft> {
    let proxies = facts.agents().map_or(&[][..], |agents| agents.proxies.as_slice());
    let monitoring = proxies.iter().filter(|proxy| proxy.effective && proxy.used_by != AgentKind::Arc);
    monitoring.filter_map(|proxy| of_agent(facts, proxy)).collect()
}

fn of_agent(facts: &Facts<'_>, proxy: &AgentProxy) -> Option<Draft> {
    let taken = |name: &&EndpointFacts<'_>| {
        let private = matches!(name.route(), Route::Private | Route::Mixed);
        let own = name.endpoint.group == Group::Agent && name.proxy().is_none_or(|known| known.url != proxy.url);
        private && own && !exempts(&proxy.no_proxy, name.fqdn())
    };
    let names: Vec<&EndpointFacts<'_>> = facts.endpoints().iter().filter(taken).collect();
    let first = names.first()?;
    let agent = proxy.used_by.as_str();
    let title = format!(
        "{} sends data to proxy {} instead of the private endpoint: ",
        proxy.used_by.called(),
        quote(&proxy.url)
    );
    Some(
        Draft::new(Severity::Warning, Owner::Os, Title::list(&title, names.iter().map(|name| name.fqdn()), ""))
            .about(names.iter().map(|name| name.fqdn()))
            .group(format!("{agent} {} {}", proxy.url, proxy.source))
            .summary(format!(
                "the names are private here, but {} tells the agent to use a proxy, which resolves them itself and does not use this machine's private link",
                quote(&proxy.source)
            ))
            .evidence([format!("{} names the proxy {}", quote(&proxy.source), quote(&proxy.url))])
            .evidence(first.system().map(|view| facts.view_line(first, view)))
            .list("proxy", [proxy.url.clone()])
            .list("source", [proxy.source.clone()])
            .list("agent", [agent])
            .reaching(Reach::Nothing)
            .fix([
                Fix::look("check where proxies are set on this machine", remedy::local::show_proxies(facts.on_windows())),
                exempt_for_agent(facts, proxy),
            ]),
    )
}

/// Where the agent's own proxy is set: each place has its own way to pass names by.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>,
/// <https://learn.microsoft.com/azure/azure-arc/servers/manage-agent>
fn exempt_for_agent(facts: &Facts<'_>, proxy: &AgentProxy) -> Fix {
    let change = |text: String| Fix::change(BlastRadius::Machine, text).under(remedy::Right::MACHINE);
    let direct = "check whether the direct path is open";
    if proxy.source.contains("azcmagent") || proxy.source.contains("AzureConnectedMachineAgent") {
        let [set, clear] = if facts.on_windows() {
            [
                command!(PowerShell, "azcmagent config set proxy.bypass AMA"),
                command!(PowerShell, "azcmagent config clear proxy.bypass"),
            ]
        } else {
            [
                command!(Sh, "sudo azcmagent config set proxy.bypass AMA"),
                command!(Sh, "sudo azcmagent config clear proxy.bypass"),
            ]
        };
        return change("make the Azure Monitor Agent bypass the Arc proxy".to_owned())
            .with([set])
            .after_looking(
                format!("{direct}; this replaces an existing list, so name its other services together with `AMA`"),
                [command!(Any, "ampls-doctor check --proxy none"), command!(Any, "azcmagent config get proxy.bypass")],
            )
            .undone_with("or set the former list again", [clear]);
    }
    if proxy.used_by == AgentKind::Mma {
        return change("remove the proxy from the agent, which knows no exemptions".to_owned())
            .with([
                command!(PowerShell, "(New-Object -ComObject AgentConfigManager.MgmtSvcCfg).SetProxyInfo('', '', '')"),
                command!(PowerShell, "Restart-Service HealthService"),
            ])
            .after_looking(
                format!("{direct}, for public names too; an extension with a proxy in its settings writes it back"),
                [
                    command!(Any, "ampls-doctor check --proxy none"),
                    command!(PowerShell, "(New-Object -ComObject AgentConfigManager.MgmtSvcCfg).proxyUrl"),
                ],
            )
            .undone_by("set the former proxy again in the agent's control panel");
    }
    if proxy.source == "/etc/default/azuremonitoragent" || proxy.source.contains("AzureMonitorWindowsAgent") {
        let [direct_settings, former_settings] = remedy::machine::set_extension_direct(facts);
        return change(
            "remove the proxy from the agent's extension settings, which write this file and know no exemptions"
                .to_owned(),
        )
        .with([direct_settings])
        .after_looking(
            format!("{direct}, for public names too; keep the settings that are there"),
            std::iter::once(command!(Any, "ampls-doctor check --proxy none"))
                .chain(remedy::machine::show_extension(facts)),
        )
        .undone_with("with the former settings", [former_settings]);
    }
    change(format!(
        "add the names to `NO_PROXY` in {}, next to the proxy; then reload systemd and restart the agent",
        quote(&proxy.source)
    ))
    .after_looking(direct, [command!(Any, "ampls-doctor check --proxy none")])
    .undone_by("restore the former lines, reload systemd and restart the agent")
}

fn is_taken(name: &EndpointFacts<'_>) -> bool {
    name.proxy().is_some() && matches!(name.route(), Route::Private | Route::Mixed)
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>, all: &[&str]) -> Option<Draft> {
    let proxy = name.proxy()?;
    let fault = facts.proxy_fault(name);
    let fails = fault.is_some_and(|fault| !matches!(fault, ProxyFault::Scheme(_)));
    let refused = name.http_fault() == Some(HttpFault::DeniedByScope);
    let severity = match (facts.only_this_shell(proxy), fails || refused) {
        (true, _) => Severity::Info,
        (false, true) => Severity::Error,
        (false, false) => Severity::Warning,
    };
    let by = if facts.only_this_shell(proxy) {
        format!("the variable {} of this program's environment", quote(&proxy.source))
    } else {
        quote(&proxy.source)
    };
    let proxies = facts.agents().map_or(&[][..], |agents| agents.proxies.as_slice());
    let agents =
        proxies.iter().filter(|known| known.effective && known.url == proxy.url && known.used_by != AgentKind::Arc);
    let consequence = if refused {
        "; the service refuses requests from there"
    } else if fails {
        "; the proxy refuses a tunnel for it"
    } else {
        ""
    };
    Some(
        Draft::new(
            severity,
            Owner::Os,
            Title::list(&format!("traffic goes to proxy {} instead of the private endpoint: ", quote(&proxy.url)), [name.fqdn()], ""),
        )
        .about([name.fqdn()])
        .group(format!("{} {}", proxy.url, proxy.source))
        .summary(format!(
            "the name is private here, but {by} sends it to a proxy, which resolves the name itself and does not use this machine's private link{consequence}"
        ))
        .evidence(name.system().map(|view| facts.view_line(name, view)))
        .evidence(name.tunnel.map(|tunnel| facts.tunnel_line(name, tunnel)))
        .evidence(name.exchange.map(|exchange| facts.exchange_line(name, exchange)))
        .list("proxy", [proxy.url.clone()])
        .list("source", [proxy.source.clone()])
        .excludes("name resolution on this machine: it gives the private address")
        .reaching(Reach::Own)
        .fix([
            Fix::look(
                "check where proxies are set on this machine",
                remedy::local::show_proxies(facts.on_windows()),
            ),
        ])
        .fix(agents.map(|proxy| exempt_for_agent(facts, proxy)))
        .fix([remedy::local::exempt_from_proxy(facts, all)]),
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::agent;

    use ampls_probes::observation::{Outcome, TunnelFailure};
    use ampls_probes::testing::{HANDLER, ODS, private_world, public_world, shell_proxy};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared, says_http};

    const ISOLATED: &str = r#"{"error":{"code":"NspValidationFailedError"}}"#;

    /// A proxy that is set for the Azure Monitor Agent.
    fn of_ama() -> AgentProxy {
        AgentProxy {
            used_by: AgentKind::Ama,
            url: "http://proxy:3128".to_owned(),
            has_credentials: false,
            source: "/etc/default/azuremonitoragent".to_owned(),
            no_proxy: String::new(),
            effective: true,
        }
    }

    #[test]
    fn fires_for_the_proxy_of_an_agent_and_minds_what_it_is_not_used_for() {
        let proxy = |no_proxy: &str| AgentProxy { no_proxy: no_proxy.to_owned(), ..of_ama() };
        let scene = || ampls_probes::testing::private_world().agents([agent(AgentKind::Ama, "1.33.1")]);
        let found = check(&Facts::new(&scene().agent_proxy(proxy("")).observations()));
        assert_eq!(found.iter().map(|draft| draft.severity).collect::<Vec<_>>(), [Severity::Warning]);
        let exempt = scene().agent_proxy(proxy("monitor.azure.com,.opinsights.azure.com,azure-automation.net"));
        assert_eq!(check(&Facts::new(&exempt.observations())), []);
    }

    #[test]
    fn what_a_run_went_through_is_not_said_of_the_agents_proxy_again() {
        let of_agent = |url: &str| {
            let proxy = AgentProxy { url: url.to_owned(), ..of_ama() };
            let scene = private_world().agents([agent(AgentKind::Ama, "1.33.1")]).agent_proxy(proxy);
            let seen = scene.tunnel(ODS, "--proxy", Outcome::Seen(200)).observations();
            of_agents(&Facts::new(&seen))[0].endpoints.clone()
        };
        let (same, another) = (of_agent(&shell_proxy().url), of_agent("http://another:3128"));
        assert!(!same.iter().any(|name| name == ODS) && same.iter().any(|name| name == HANDLER), "{same:?}");
        assert!(another.iter().any(|name| name == ODS), "{another:?}");
    }

    #[test]
    fn an_agents_own_proxy_is_changed_where_it_is_set() {
        for (source, expected) in [
            ("/var/opt/azcmagent/localconfig.json", "sudo azcmagent config set proxy.bypass AMA"),
            ("/etc/default/azuremonitoragent", "az vm extension set"),
        ] {
            let proxy = AgentProxy { source: source.to_owned(), ..of_ama() };
            let scene = private_world().agents([agent(AgentKind::Ama, "1.33.1")]).agent_proxy(proxy);
            let found = drafts(&PRX001, &scene);
            let command = found[0].fix.iter().find(|fix| !fix.read_only).map(Fix::lines);
            assert!(command.as_deref().is_some_and(|command| command.starts_with(expected)), "{command:?}");
        }
    }

    #[test]
    fn fires_as_warning_for_a_given_proxy() {
        let found = fires_as_declared(&PRX001, &private_world().tunnel(ODS, "--proxy", Outcome::Seen(200)));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].endpoints, [ODS]);
    }

    #[test]
    fn fires_as_information_where_only_this_shell_says_so() {
        let found = drafts(&PRX001, &private_world().tunnel(ODS, "HTTPS_PROXY", Outcome::Seen(200)));
        assert_eq!(found[0].severity, Severity::Info);
    }

    #[test]
    fn a_proxy_is_this_shells_alone_where_no_agent_uses_it() {
        let alone = |url: &str, effective: bool| {
            let proxy = AgentProxy { url: url.to_owned(), effective, ..of_ama() };
            let seen = private_world().agents([agent(AgentKind::Ama, "1.33.1")]).agent_proxy(proxy).observations();
            Facts::new(&seen).only_this_shell(&shell_proxy())
        };
        assert!(alone("http://another:8080", true) && alone(&shell_proxy().url, false));
        assert!(!alone(&shell_proxy().url, true));
    }

    #[test]
    fn fires_as_error_when_the_proxy_gives_no_tunnel() {
        let denied = Outcome::Failed(TunnelFailure::Status(403));
        let scene = private_world().tunnel(ODS, "--proxy", denied);
        assert_eq!(drafts(&PRX001, &scene)[0].severity, Severity::Error);
        let found = diagnose(&scene.observations());
        let order: Vec<_> = found.iter().map(|seen| (seen.code.as_str(), seen.caused_by.as_deref())).collect();
        assert_eq!(order, [("PRX001", None), ("PRX004", Some("PRX001"))]);
    }

    #[test]
    fn fires_as_error_and_explains_the_refusal_of_what_comes_that_way() {
        let scene = says_http(private_world().tunnel(ODS, "--proxy", Outcome::Seen(200)), ODS, 403, ISOLATED);
        let found = diagnose(&scene.observations());
        let order: Vec<_> = found.iter().map(|seen| (seen.code.as_str(), seen.caused_by.as_deref())).collect();
        assert_eq!(order, [("PRX001", None), ("HTP001", Some("PRX001"))]);
        assert_eq!(found[0].severity, Severity::Error);
    }

    #[test]
    fn one_exemption_names_all_that_is_taken() {
        let scene =
            private_world().tunnel(ODS, "--proxy", Outcome::Seen(200)).tunnel(HANDLER, "--proxy", Outcome::Seen(200));
        let found = diagnose(&scene.observations());
        let command = found[0].fix.iter().map(Fix::lines).find(|command| command.contains("NO_PROXY"));
        assert!(
            command.as_deref().is_some_and(|command| command.contains(ODS) && command.contains(HANDLER)),
            "{command:?}"
        );
    }

    #[test]
    fn silent_for_public_names_and_without_a_proxy() {
        assert_eq!(drafts(&PRX001, &public_world().tunnel(ODS, "--proxy", Outcome::Seen(200))), []);
        assert_eq!(drafts(&PRX001, &private_world()), []);
    }
}
