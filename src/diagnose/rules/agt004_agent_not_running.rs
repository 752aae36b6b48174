//! AGT004: an agent is installed and does not run.

use ampls_probes::azure::AgentKind;
use ampls_probes::observation::{Agent, AgentService, ServiceStart};

use crate::diagnose::command::{Command, ServiceName, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, agent_line};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// A package, an extension's folder or a cached configuration shows that the agent belongs on this machine, and none of
    /// its programs is among running processes.
    ///
    /// ## Why it matters
    ///
    /// Nothing is sent, however good the network is: every test of a path may be green.
    ///
    /// ## How to fix
    ///
    /// Look at the service's state and its own log, fix what stopped it (a full disk, a missing certificate bundle, a half
    /// removed version) and start it. An agent that should be gone leaves files behind: remove it properly, through the
    /// extension or the package that brought it, so that its folder and cached configuration go with it.
    ///
    /// On Windows a service that is disabled is named: it has to be given back its way of starting first. The Azure Monitor
    /// Agent has a service there only from the installer for client computers; its extension starts it without one.
    ///
    /// Processes of other users may be hidden from a plain user: then the agent counts as unknown, not as stopped.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor` shows the agent as running, and a heartbeat arrives within minutes.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-troubleshoot-linux-vm>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-troubleshoot-windows-vm>
    AGT004 = "agent-not-running" {
        layer: Agent,
        severity: Error,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    // A legacy agent without a workspace has nothing to start for.
    let has_work = |agent: &&Agent| !agent.kind.is_legacy() || !agent.workspaces.is_empty();
    let stopped =
        |agent: &&Agent| agent.running == Some(false) || (agent.running.is_none() && disabled(agent).is_some());
    facts.all_agents().iter().filter(has_work).filter(stopped).map(|agent| draft(facts, agent)).collect()
}

/// A service of the agent that Windows never starts.
fn disabled(agent: &Agent) -> Option<&AgentService> {
    agent.services.iter().find(|service| service.start == ServiceStart::Disabled)
}

fn draft(facts: &Facts<'_>, agent: &Agent) -> Draft {
    let service = disabled(agent);
    let title = match service {
        Some(service) => format!("{} is installed and its service {} is disabled", agent.name, quote(&service.name)),
        None => format!("{} is installed but not running", agent.name),
    };
    Draft::new(Severity::Error, Owner::Os, Title::plain(title))
        .group(agent.kind.as_str())
        .summary(match (service, agent.running) {
            (Some(_), None) => "Windows never starts a service that is disabled, so it sends no data",
            _ => "none of its processes runs, so it sends no data",
        })
        .evidence([agent_line(agent)])
        .evidence(service.map(|service| format!("`Start` is 4 (disabled) in {}", quote(&service.source))))
        .evidence(idle_installers(facts, agent))
        .list("agent", [agent.kind.as_str()])
        .reaching(Reach::Nothing)
        .fix(fixes(agent, facts.on_windows() || agent.kind == AgentKind::Mma))
}

/// What should start an agent that has no service of its own, and cannot.
fn idle_installers(facts: &Facts<'_>, agent: &Agent) -> Vec<String> {
    let installers = facts.agents().map(|agents| agents.installers.as_slice()).unwrap_or_default();
    let disabled = installers.iter().filter(|service| service.start == ServiceStart::Disabled);
    let line = |service: &AgentService| {
        let (name, source) = (quote(&service.name), quote(&service.source));
        format!("{name} is disabled, which installs extensions and starts what they bring: `Start` is 4 in {source}")
    };
    disabled.filter(|_| agent.kind == AgentKind::Ama && agent.services.is_empty()).map(line).collect()
}

fn fixes(agent: &Agent, windows: bool) -> Vec<Fix> {
    let kind = agent.kind;
    let start_again = if agent.retired.is_some() {
        "if it is still to send data until it is replaced (AGT003), remove what stopped it, then start it"
    } else {
        "remove what stopped it, then start it"
    };
    let (look, start) = if windows { on_windows(agent) } else { on_linux(kind) };
    let change = Fix::change(BlastRadius::Machine, start_again).under(remedy::Right::MACHINE).after(
        "read what the command above says; an agent that was removed on purpose leaves files behind and should stay stopped",
    );
    let change = match disabled(agent).filter(|_| windows) {
        // What is disabled cannot be started.
        Some(service) => {
            let name = ServiceName::new(&service.name);
            let enable = command!(PowerShell, "Set-Service {} -StartupType Automatic", name.clone());
            change.with([enable, start]).undone_with(
                "stop the service and disable it again",
                [
                    command!(PowerShell, "Stop-Service {}", name.clone()),
                    command!(PowerShell, "Set-Service {} -StartupType Disabled", name),
                ],
            )
        }
        None => change.with([start]).undone_by("stop the service again"),
    };
    vec![Fix::look("check the state of its service and the free disk space", look), change]
}

/// The service that starts an agent on Windows: a disabled one first, then what the machine has, else what the kind usually has.
/// The extension starts the Azure Monitor Agent without one.
fn service(agent: &Agent) -> Option<ServiceName> {
    let usual = match agent.kind {
        AgentKind::Mma | AgentKind::Oms => Some("HealthService"),
        AgentKind::Dependency => Some("MicrosoftDependencyAgent"),
        AgentKind::Arc => Some("himds"),
        AgentKind::Ama => None,
    };
    let own = disabled(agent).or(agent.services.first()).map(|service| service.name.as_str());
    own.or(usual).and_then(ServiceName::new)
}

fn on_windows(agent: &Agent) -> (Vec<Command>, Command) {
    let Some(service) = service(agent) else {
        // The extension's handler starts its programs when the guest agent, or that of Arc, starts.
        let look =
            command!(PowerShell, "Get-Service WindowsAzureGuestAgent, ExtensionService -ErrorAction SilentlyContinue");
        let restart = command!(
            PowerShell,
            "Get-Service WindowsAzureGuestAgent, ExtensionService -ErrorAction SilentlyContinue | Restart-Service"
        );
        return ([look].into_iter().chain(processes_and_disk()).collect(), restart);
    };
    let look = if agent.kind == AgentKind::Arc {
        command!(PowerShell, "Get-Service {}, GCArcService, ExtensionService", service.clone())
    } else {
        command!(PowerShell, "Get-Service {}", service.clone())
    };
    let more =
        if agent.kind == AgentKind::Ama { processes_and_disk() } else { vec![command!(PowerShell, "Get-PSDrive C")] };
    ([look].into_iter().chain(more).collect(), command!(PowerShell, "Start-Service {}", service))
}

fn processes_and_disk() -> Vec<Command> {
    vec![
        command!(PowerShell, "Get-Process MonAgent*, AMA* -ErrorAction SilentlyContinue"),
        command!(PowerShell, "Get-PSDrive C"),
    ]
}

fn on_linux(kind: AgentKind) -> (Vec<Command>, Command) {
    match kind {
        AgentKind::Ama => (
            vec![command!(Sh, "systemctl status azuremonitoragent"), command!(Sh, "df -h /var /etc")],
            command!(Sh, "sudo systemctl restart azuremonitoragent"),
        ),
        AgentKind::Oms | AgentKind::Mma => (
            vec![command!(Sh, "systemctl status 'omsagent-*'"), command!(Sh, "df -h /var")],
            command!(Sh, "sudo /opt/microsoft/omsagent/bin/service_control restart"),
        ),
        AgentKind::Dependency => (
            vec![command!(Sh, "systemctl status microsoft-dependency-agent")],
            command!(Sh, "sudo systemctl restart microsoft-dependency-agent"),
        ),
        AgentKind::Arc => {
            (vec![command!(Sh, "systemctl status himdsd")], command!(Sh, "sudo systemctl restart himdsd"))
        }
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::Observation;
    use ampls_probes::testing::{agent, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn stopped(kind: AgentKind) -> Agent {
        Agent { running: Some(false), ..agent(kind, "1.33.1") }
    }

    #[test]
    fn fires_for_every_kind_that_is_installed_and_stopped() {
        for kind in [AgentKind::Ama, AgentKind::Oms, AgentKind::Mma, AgentKind::Dependency, AgentKind::Arc] {
            assert_eq!(
                fires_as_declared(&AGT004, &private_world().agents([stopped(kind)]))[0].severity,
                Severity::Error
            );
        }
    }

    #[test]
    fn fires_and_shows_the_state_of_the_service() {
        for kind in [AgentKind::Ama, AgentKind::Oms, AgentKind::Mma, AgentKind::Dependency, AgentKind::Arc] {
            let found = drafts(&AGT004, &private_world().agents([stopped(kind)]));
            let look = found[0].fix[0].lines();
            assert!(look.starts_with("systemctl status ") || look.starts_with("Get-Service "), "{look}");
        }
    }

    #[test]
    fn fires_for_a_disabled_service_where_no_process_can_be_seen() {
        let service = |start| AgentService { name: "HealthService".to_owned(), start, source: r"HKLM\X".to_owned() };
        let unseen =
            |start| Agent { running: None, services: vec![service(start)], ..agent(AgentKind::Mma, "10.20.18069.0") };
        let found = drafts(&AGT004, &private_world().windows().agents([unseen(ServiceStart::Disabled)]));
        assert!(
            found[0].fix[1].lines().starts_with("Set-Service HealthService -StartupType Automatic"),
            "{:?}",
            found[0].fix
        );
        assert_eq!(drafts(&AGT004, &private_world().windows().agents([unseen(ServiceStart::Automatic)])), []);
        let runs = Agent { running: Some(true), ..unseen(ServiceStart::Disabled) };
        assert_eq!(drafts(&AGT004, &private_world().windows().agents([runs])), []);
    }

    #[test]
    fn fires_and_looks_at_the_processes_of_an_agent_without_a_service() {
        let found = drafts(&AGT004, &private_world().windows().agents([stopped(AgentKind::Ama)]));
        let look = found[0].fix[0].lines();
        assert!(look.contains("\nGet-Process MonAgent*") && look.ends_with("\nGet-PSDrive C"), "{look}");
    }

    #[test]
    fn fires_with_the_service_that_the_machine_has() {
        let own = |start| AgentService {
            name: "AzureMonitorAgent".to_owned(),
            start,
            source: r"HKLM\SYSTEM\CurrentControlSet\Services\AzureMonitorAgent".to_owned(),
        };
        let with = |start| Agent { services: vec![own(start)], ..stopped(AgentKind::Ama) };
        let fix = |start| {
            let found = drafts(&AGT004, &private_world().windows().agents([with(start)]));
            found[0].fix[1].clone()
        };
        let disabled = fix(ServiceStart::Disabled);
        let commands = ["Set-Service AzureMonitorAgent -StartupType Automatic", "Start-Service AzureMonitorAgent"];
        assert_eq!(disabled.lines(), commands.join("\n"));
        let undo = disabled.undo.expect("it can be undone");
        let undo: Vec<&str> = undo.commands.iter().map(Command::as_str).collect();
        assert_eq!(undo, ["Stop-Service AzureMonitorAgent", "Set-Service AzureMonitorAgent -StartupType Disabled"]);
        assert_eq!(fix(ServiceStart::Automatic).lines(), "Start-Service AzureMonitorAgent");
    }

    #[test]
    fn fires_and_names_what_should_have_started_an_agent_without_a_service() {
        let name = "WindowsAzureGuestAgent".to_owned();
        let source = r"HKLM\SYSTEM\CurrentControlSet\Services\WindowsAzureGuestAgent".to_owned();
        let with = |kind, start| {
            let installer = AgentService { name: name.clone(), start, source: source.clone() };
            let scene = private_world().windows().agents([stopped(kind)]).edit(|seen| {
                for seen in &mut seen.seen {
                    if let Observation::Agents(agents) = seen {
                        agents.installers = vec![installer.clone()];
                    }
                }
            });
            drafts(&AGT004, &scene)[0].evidence.iter().any(|line| line.contains(&source))
        };
        assert!(with(AgentKind::Ama, ServiceStart::Disabled));
        assert!(!with(AgentKind::Ama, ServiceStart::Automatic) && !with(AgentKind::Mma, ServiceStart::Disabled));
    }

    #[test]
    fn fires_on_windows_with_its_own_commands() {
        for kind in [AgentKind::Ama, AgentKind::Mma, AgentKind::Dependency, AgentKind::Arc] {
            let found = drafts(&AGT004, &private_world().windows().agents([stopped(kind)]));
            let commands: Vec<String> = found[0].fix.iter().map(Fix::lines).collect();
            assert!(!commands.concat().contains("sudo") && commands[0].starts_with("Get-Service "), "{commands:?}");
        }
    }

    #[test]
    fn silent_when_it_runs_or_nobody_could_see() {
        let unseen = Agent { running: None, ..stopped(AgentKind::Ama) };
        let idle = Agent { workspaces: Vec::new(), ..stopped(AgentKind::Oms) };
        assert_eq!(drafts(&AGT004, &private_world().agents([unseen, idle, agent(AgentKind::Arc, "1.44")])), []);
    }
}
