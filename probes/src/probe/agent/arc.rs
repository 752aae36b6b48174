//! The Azure Connected Machine agent: where its machine resource is.
//!
//! Its certificate's thumbprint, tenant and ids stay in the file.
//! Source: <https://learn.microsoft.com/azure/azure-arc/servers/agent-overview>

use serde_json::Value;

use super::files::Files;
use super::settings::note_cloud;
use crate::azure::{AgentsSeen, Cloud};

/// Reads the region and the cloud. The path is given if the machine is connected.
pub(super) fn read(files: &mut Files<'_>, paths: &[String], seen: &mut AgentsSeen) -> Option<String> {
    let path = paths.first()?;
    let config = files.json(path)?;
    let text = |key: &str| config.get(key).and_then(Value::as_str);
    // What the Azure Monitor Agent got from the service is nearer to what it uses.
    seen.region = seen.region.take().or_else(|| text("location")?.parse().ok());
    if let Some(name) = text("cloud").filter(|_| seen.cloud.is_none()) {
        seen.cloud = Cloud::of_az_name(name);
        if seen.cloud.is_none() {
            note_cloud(seen, name, path);
        }
    }
    text("resourceName").map(|_| path.clone())
}
