//! Proxies as each agent on Windows sees them. What is set for the whole system is not theirs: neither of the two agents for logs
//! reads it.
//!
//! Source: <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>

use super::{extensions, mma};
use crate::azure::AgentKind;
use crate::catalogue::agents::{AgentFile, Agents as Known, System};
use crate::observation::{Agent, AgentProxy};
use crate::probe::agent::extension::public;
use crate::probe::agent::files::Files;
use crate::probe::agent::proxies::{Setting, ama, arc, effective};
use crate::probe::proxy::masked::masked;
use crate::registry::Keys;
use crate::world::ENVIRONMENT_KEY;

/// The settings of each agent that is there, the strongest first.
pub(super) fn read(keys: &mut Keys<'_>, files: &mut Files<'_>, known: &Known, agents: &[Agent]) -> Vec<AgentProxy> {
    let there = |kind| agents.iter().any(|agent| agent.kind == kind);
    let of_arc = known.paths_on(System::Windows, AgentKind::Arc, AgentFile::Proxy);
    let of_arc = if there(AgentKind::Arc) { arc(files, of_arc, known) } else { None };
    let mut all = Vec::new();
    if there(AgentKind::Mma) {
        let of_extension =
            keys.text(mma::EXTENSION, "VMExtensionProxyUri").and_then(|value| setting(&value, mma::EXTENSION));
        let of_settings = settings(files, known, AgentKind::Mma)
            .and_then(|(document, path)| setting(public(&document)?.get("proxyUri")?.as_str()?, &path));
        all.extend(effective(AgentKind::Mma, of_extension.into_iter().chain(of_settings).collect()));
    }
    if there(AgentKind::Ama) {
        // The connected machine's proxy goes before the extension's own, unless it is set to pass the agent by.
        let of_machine = of_arc.iter().filter(|setting| !setting.passes_ama_by);
        let of_machine = of_machine.map(|setting| Setting { no_proxy: String::new(), ..setting.clone() });
        let own =
            settings(files, known, AgentKind::Ama).and_then(|(document, path)| ama::of_document(&document, &path));
        all.extend(effective(AgentKind::Ama, of_machine.chain(own).collect()));
    }
    if there(AgentKind::Arc) {
        let of_environment =
            keys.text(ENVIRONMENT_KEY, "HTTPS_PROXY").and_then(|value| setting(&value, ENVIRONMENT_KEY));
        all.extend(effective(AgentKind::Arc, of_arc.into_iter().chain(of_environment).collect()));
    }
    all
}

fn settings(files: &mut Files<'_>, known: &Known, kind: AgentKind) -> Option<(serde_json::Value, String)> {
    let extension = known.of(kind, System::Windows)?.extensions.first()?;
    extensions::settings(files, &known.windows_extensions_folder, extension)
}

fn setting(value: &str, source: &str) -> Option<Setting> {
    let (url, has_credentials) = masked(value)?;
    Some(Setting { url, has_credentials, source: source.to_owned(), ..Setting::default() })
}
