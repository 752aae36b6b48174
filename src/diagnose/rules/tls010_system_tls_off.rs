//! TLS010: the system's own TLS has TLS 1.2 switched off.

use ampls_probes::observation::ProtocolSwitch;

use crate::diagnose::command::{RegistryKey, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::Facts;
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
    /// The agents use the system's TLS. Azure Monitor accepts nothing below TLS 1.2, so no upload succeeds, however good the
    /// network is.
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

/// The oldest version that Azure Monitor accepts. Newer ones are not in every Windows.
const VERSION: &str = "TLS 1.2";

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let switches = facts.registry().into_iter().flat_map(|registry| &registry.protocols);
    switches.filter(|switch| switch.protocol == VERSION).filter_map(draft).collect()
}

fn draft(switch: &ProtocolSwitch) -> Option<Draft> {
    let off = switch.enabled == Some(false);
    if !off && switch.disabled_by_default != Some(true) {
        return None;
    }
    let (severity, title, how) = if off {
        (Severity::Error, "Windows has TLS 1.2 switched off for clients", "`Enabled` is 0")
    } else {
        (Severity::Warning, "Windows does not offer TLS 1.2 by default", "`DisabledByDefault` is 1")
    };
    let key = RegistryKey::new(&switch.source);
    Some(
        Draft::new(severity, Owner::Os, Title::plain(title))
            .as_stated()
            .group(VERSION)
            .summary("the agents use the system's TLS and Azure Monitor accepts nothing older, so their uploads fail although the handshakes shown here succeed")
            .evidence([format!("{how} in {}", quote(&switch.source))])
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
    use ampls_probes::observation::{Observation, Outcome, Registry, RegistrySeen, Timing};
    use ampls_probes::testing::{Scene, private_world};

    use super::*;
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
