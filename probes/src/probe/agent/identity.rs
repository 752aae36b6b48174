//! The managed identity that the Azure Monitor Agent is set to use. Its name is public: what it may do, only its token can.
//!
//! Sources: <https://github.com/Azure/azure-linux-extensions/blob/master/AzureMonitorAgent/agent.py> (`MANAGED_IDENTITY`),
//! <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-manage> (`authentication.managedIdentity`)

use serde_json::Value;

use super::extension::{newest_settings, public};
use super::files::Files;
use super::settings::pairs;
use crate::azure::AgentKind;
use crate::catalogue::agents::{AgentFile, Agents as Known, System};
use crate::version::Version;

/// Parameters that name an identity to the metadata service.
const PARAMETERS: [&str; 3] = ["mi_res_id", "object_id", "client_id"];
/// Octets of a value: a resource id, or a GUID.
const LONGEST: usize = 1024;

/// Parameter, value and file, of the agent on Linux: the extension writes it into the environment of the service.
pub(super) fn on_linux(files: &mut Files<'_>, known: &Known) -> Option<(String, String, String)> {
    let path = known.paths(AgentKind::Ama, AgentFile::Proxy).first()?;
    let text = files.text(path).unwrap_or_default();
    let written = pairs(&text).filter(|(key, _)| *key == "MANAGED_IDENTITY").last();
    if let Some((name, value)) = written.and_then(|(_, value)| value.split_once('#')) {
        return named(name, value, path);
    }
    let agent = known.of(AgentKind::Ama, System::Linux)?;
    let (folder, extension) = (&known.extensions_folder, agent.extensions.first()?);
    let version = |name: &String| {
        name.strip_prefix(extension.as_str())?.strip_prefix('-').and_then(|version| version.parse::<Version>().ok())
    };
    let newest = files.folders(folder).into_iter().filter(|name| version(name).is_some()).max_by_key(version)?;
    let (document, path) = newest_settings(files, &format!("{folder}/{newest}/config"), '/')?;
    of_document(&document, &path)
}

/// The same in the public settings of an extension.
pub(super) fn of_document(document: &Value, path: &str) -> Option<(String, String, String)> {
    let authentication = public(document)?.get("authentication")?;
    let identity = authentication.get("managedIdentity").or_else(|| authentication.get("managedidentity"))?;
    let text = |key: &str| identity.get(key).and_then(Value::as_str);
    named(text("identifier-name")?, text("identifier-value")?, path)
}

fn named(name: &str, value: &str, path: &str) -> Option<(String, String, String)> {
    let parameter = PARAMETERS.iter().find(|known| known.eq_ignore_ascii_case(name.trim()))?;
    let value = value.trim();
    let plain = (1..=LONGEST).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| ((*parameter).to_owned(), value.to_owned(), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(identity: &Value) -> Value {
        json!({"runtimeSettings": [{"handlerSettings": {"publicSettings": {"authentication": identity}}}]})
    }

    #[test]
    fn the_identity_of_the_settings_is_named_by_a_parameter_that_the_service_knows() {
        let id = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-ama";
        let named = |name: &str| {
            let identity = json!({"identifier-name": name, "identifier-value": id});
            of_document(&settings(&json!({ "managedIdentity": identity })), "/s")
        };
        assert_eq!(named("mi_res_id"), Some(("mi_res_id".to_owned(), id.to_owned(), "/s".to_owned())));
        assert_eq!(named("resource&x"), None);
        assert_eq!(of_document(&settings(&json!({})), "/s"), None);
        let empty = json!({"managedidentity": {"identifier-name": "client_id", "identifier-value": " "}});
        assert_eq!(of_document(&settings(&empty), "/s"), None);
    }
}
