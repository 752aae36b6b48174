//! The Azure Connected Machine agent: where its machine resource is.
//!
//! Its certificate's thumbprint, tenant and ids stay in the file.
//! Source: <https://learn.microsoft.com/azure/azure-arc/servers/agent-overview>

use serde_json::Value;

use super::files::Files;
use crate::azure::Cloud;
use crate::plan::AgentsSeen;

const CONFIG: &str = "/var/opt/azcmagent/agentconfig.json";

/// Reads the region and the cloud. The path is given if the machine is connected.
pub(super) fn read(files: &mut Files<'_>, seen: &mut AgentsSeen) -> Option<String> {
    let config = files.json(CONFIG)?;
    let text = |key: &str| config.get(key).and_then(Value::as_str);
    // What the Azure Monitor Agent was told by the service is nearer to what it uses.
    seen.region = seen.region.take().or_else(|| text("location")?.parse().ok());
    seen.cloud = seen.cloud.or_else(|| match text("cloud")?.to_ascii_lowercase().as_str() {
        "azurecloud" | "azurepubliccloud" => Some(Cloud::Public),
        "azureusgovernment" | "azureusgovernmentcloud" => Some(Cloud::UsGov),
        "azurechinacloud" => Some(Cloud::China),
        _ => None,
    });
    text("resourceName").map(|_| CONFIG.to_owned())
}
