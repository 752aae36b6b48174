//! TLS010: the system's own TLS has TLS 1.2 switched off.

use ampls_probes::observation::ProtocolSwitch;

use crate::diagnose::command::{RegistryKey, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, delivery};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// The registry of this Windows switches TLS 1.2 off for clients of its own TLS (`SChannel`): `Enabled` is 0. It is a warning
    /// where it is only `DisabledByDefault`: then programs that ask for it by name still get it, and others do not.
    ///
    /// This program brings its own TLS, so its own handshakes may all succeed.
    ///
    /// ## Why it matters
    ///
    /// The agents use the system's TLS. Azure Monitor accepts nothing below TLS 1.2, so an agent that has no TLS 1.3 sends
    /// nothing, however good the network is.
    ///
    /// It is proven where this Windows has no TLS 1.3: before Windows Server 2022 and Windows 11, or where that is switched off
    /// too. Where it has, the agent may use it, and the finding is likely. It is a warning where the agent's own files say that
    /// it reached the service in the last minutes: the switch may hold only for programs that were started after it was set.
    ///
    /// ## How to fix
    ///
    /// Switch it on, or remove both values: Windows has TLS 1.2 on where nothing is set. Then restart the machine. What switched
    /// it off (a hardening template, a group policy) may do so again.
    ///
    /// ## How to confirm
    ///
    /// The finding is gone after a restart, and the workspace gets a heartbeat from this machine.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/windows-server/security/tls/tls-registry-settings>
    /// - <https://learn.microsoft.com/windows/win32/secauthn/protocols-in-tls-ssl--schannel-ssp->
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/azure-monitor-network-access>
    TLS010 = "system-tls-off" {
        layer: Tls,
        severity: Error,
        owner: Os,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

/// The oldest version that Azure Monitor accepts.
const VERSION: &str = "TLS 1.2";
/// The next one, which not every Windows has.
const NEXT: &str = "TLS 1.3";
/// The first build that has it for programs that do not ask for it: Windows Server 2022. Windows 11 has later ones.
/// Source: <https://learn.microsoft.com/windows/win32/secauthn/protocols-in-tls-ssl--schannel-ssp->
const FIRST_WITH_NEXT: u32 = 20348;

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let switches = facts.registry().into_iter().flat_map(|registry| &registry.protocols);
    switches.filter(|switch| switch.protocol == VERSION).filter_map(|switch| draft(facts, switch)).collect()
}

/// Whether an agent may use the next version: this Windows has it, as far as its build is known, and it is not switched off.
fn may_use_next(facts: &Facts<'_>) -> bool {
    let mut switches = facts.registry().into_iter().flat_map(|registry| &registry.protocols);
    let off = |switch: &ProtocolSwitch| {
        switch.protocol == NEXT && (switch.enabled == Some(false) || switch.disabled_by_default == Some(true))
    };
    facts.windows_build().is_none_or(|build| build >= FIRST_WITH_NEXT) && !switches.any(off)
}

fn draft(facts: &Facts<'_>, switch: &ProtocolSwitch) -> Option<Draft> {
    let off = switch.enabled == Some(false);
    if !off && switch.disabled_by_default != Some(true) {
        return None;
    }
    let reached = delivery::reached_lately(facts.observations());
    let next = may_use_next(facts);
    let (title, how) = if off {
        ("Windows has TLS 1.2 switched off for clients", "`Enabled` is 0")
    } else {
        ("Windows does not offer TLS 1.2 by default", "`DisabledByDefault` is 1")
    };
    let severity = if off && reached.is_none() { Severity::Error } else { Severity::Warning };
    let summary = match (reached.is_some(), next) {
        (true, _) => {
            "an agent reached the service in the last minutes all the same: it may use TLS 1.3, or have been started before the switch was set, and then fail when it is started again"
        }
        (false, true) => {
            "the agents use the system's TLS and Azure Monitor accepts nothing below TLS 1.2: an agent that does not use TLS 1.3, which this Windows has, cannot send although the handshakes shown here succeed"
        }
        (false, false) => {
            "the agents use the system's TLS, Azure Monitor accepts nothing below TLS 1.2, and this Windows offers no TLS 1.3: an agent cannot send although the handshakes shown here succeed"
        }
    };
    let key = RegistryKey::new(&switch.source);
    let draft = Draft::new(severity, Owner::Os, Title::plain(title));
    let draft = if off && !next && reached.is_none() { draft } else { draft.likely() };
    Some(
        draft
            .as_stated()
            .group(VERSION)
            .summary(summary)
            .evidence([format!("{how} in {}", quote(&switch.source))])
            .evidence(reached.map(|upload| {
                let at = upload.succeeded.map(|at| format!(" at {at:.0}")).unwrap_or_default();
                format!("{} reached the service{at} ({})", upload.agent.called(), quote(&upload.source))
            }))
            .arg("switch", if off { "enabled" } else { "default" })
            .reaching(Reach::Nothing)
            .fix([Fix::change(BlastRadius::Machine, "switch TLS 1.2 on for clients, then restart the machine")
                .under(remedy::Right::MACHINE)
                .with([
                    command!(PowerShell, "reg.exe add {} /v Enabled /t REG_DWORD /d 1 /f", key.clone()),
                    command!(PowerShell, "reg.exe add {} /v DisabledByDefault /t REG_DWORD /d 0 /f", key.clone()),
                ])
                .after_looking(
                    "it holds for every program that uses the system's TLS; a policy that set the values may set them again",
                    [command!(PowerShell, "reg.exe query {}", key)],
                )
                .undone_by("set the former values again, then restart the machine")]),
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::azure::AgentKind;
    use ampls_probes::observation::{Observation, Outcome, Registry, RegistrySeen, Timing, Upload, UploadProof};
    use ampls_probes::testing::{Scene, agent, private_world};

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn switched(protocol: &str, enabled: Option<bool>, disabled_by_default: Option<bool>) -> Scene {
        let source =
            format!(r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\{protocol}\Client");
        let switch = ProtocolSwitch { protocol: protocol.to_owned(), enabled, disabled_by_default, source };
        let seen = RegistrySeen { protocols: vec![switch], ..RegistrySeen::default() };
        let registry = Registry { timing: Timing::default(), outcome: Outcome::Seen(seen) };
        private_world().windows().edit(|seen| seen.seen.push(Observation::Registry(registry)))
    }

    #[test]
    fn fires_when_it_is_switched_off() {
        let found = fires_as_declared(&TLS010, &switched(VERSION, Some(false), None));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        let command = found[0].fix[0].lines();
        assert!(command.contains(r"Protocols\TLS 1.2\Client' /v Enabled"), "{command}");
    }

    fn with_os(scene: Scene, os: &str) -> Scene {
        scene.edit(|seen| os.clone_into(&mut seen.machine.os))
    }

    #[test]
    fn fires_as_proven_only_where_this_windows_offers_nothing_newer() {
        let off = || switched(VERSION, Some(false), None);
        let newer_off = off().edit(|seen| {
            for seen in &mut seen.seen {
                if let Observation::Registry(Registry { outcome: Outcome::Seen(seen), .. }) = seen {
                    let newer = ProtocolSwitch { protocol: NEXT.to_owned(), ..seen.protocols[0].clone() };
                    seen.protocols.push(newer);
                }
            }
        });
        for (scene, certainty) in [
            (with_os(off(), "Windows Server 2019 Datacenter (17763)"), Certainty::Proven),
            (with_os(off(), "Windows Server 2022 Datacenter (20348)"), Certainty::Likely),
            (with_os(newer_off, "Windows Server 2022 Datacenter (20348)"), Certainty::Proven),
            (with_os(off(), "Windows"), Certainty::Likely),
        ] {
            let found = drafts(&TLS010, &scene);
            assert_eq!((found[0].severity, found[0].certainty), (Severity::Error, certainty));
        }
    }

    #[test]
    fn fires_as_a_warning_where_an_agent_reached_the_service_all_the_same() {
        let scene = with_os(switched(VERSION, Some(false), None), "Windows Server 2019 Datacenter (17763)");
        let scene = scene.agents([agent(AgentKind::Ama, "1.33.0")]).edit(|seen| {
            let at = seen.started_at;
            for seen in &mut seen.seen {
                if let Observation::Agents(agents) = seen {
                    agents.uploads.push(Upload {
                        agent: AgentKind::Ama,
                        host: None,
                        proof: UploadProof::Reached,
                        succeeded: Some(at),
                        failing_since: None,
                        failed: None,
                        source: r"C:\x\monagentcore.hr.json".to_owned(),
                    });
                }
            }
        });
        let found = drafts(&TLS010, &scene);
        assert_eq!((found[0].severity, found[0].certainty), (Severity::Warning, Certainty::Likely));
        assert!(found[0].evidence.iter().any(|line| line.contains("monagentcore")), "{:?}", found[0].evidence);
    }

    #[test]
    fn fires_as_a_warning_when_it_is_off_by_default_only() {
        let found = drafts(&TLS010, &switched(VERSION, Some(true), Some(true)));
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn silent_when_it_is_on_and_about_other_versions() {
        assert_eq!(drafts(&TLS010, &switched(VERSION, Some(true), Some(false))), []);
        assert_eq!(drafts(&TLS010, &switched("TLS 1.3", Some(false), Some(true))), []);
        assert_eq!(drafts(&TLS010, &private_world().windows()), []);
    }
}
