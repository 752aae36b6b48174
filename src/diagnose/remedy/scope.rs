//! The private link scope: what it holds, and how a resource comes into it.

use super::Right;
use crate::diagnose::command::{Command, Guid, Host, command};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{BlastRadius, Fix};
use crate::text::quote;

/// What a name belongs to, as far as the name tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::diagnose) enum Resource {
    /// A Log Analytics workspace, by its id.
    Workspace(String),
    /// A data collection endpoint, by the first labels of its host names.
    CollectionEndpoint(String),
    /// What stands behind a host name.
    Behind(String),
    /// Anything that the scope can hold.
    Any,
}

impl Resource {
    /// What a name belongs to; `None` for a name that all customers share. The three names of a data collection endpoint
    /// belong to the same.
    pub(in crate::diagnose) fn of(fqdn: &str) -> Option<Self> {
        let label = fqdn.split('.').next().unwrap_or_default();
        if label.len() == 36 && label.bytes().filter(|byte| *byte == b'-').count() == 4 {
            return Some(Self::Workspace(label.to_owned()));
        }
        let services = [".handler.control.monitor.", ".metrics.ingest.monitor.", ".ingest.monitor."];
        let own = services.iter().find_map(|service| fqdn.split_once(service)).map(|(own, _)| own);
        if let Some(own) = own.filter(|own| own.contains('.')) {
            return Some(Self::CollectionEndpoint(own.to_owned()));
        }
        fqdn.contains(".prometheus.monitor.").then(|| Self::Behind(fqdn.to_owned()))
    }

    fn words(&self) -> String {
        match self {
            Self::Workspace(id) => format!("workspace {}", quote(id)),
            Self::CollectionEndpoint(name) => {
                format!("the data collection endpoint {}", quote(name.split('.').next().unwrap_or_default()))
            }
            Self::Behind(fqdn) => format!("the resource behind {}", quote(fqdn)),
            Self::Any => {
                "a workspace, component or data collection endpoint (any of them makes the shared records appear)"
                    .to_owned()
            }
        }
    }

    fn find(&self) -> Command {
        match self {
            Self::Workspace(id) => find_workspace(Guid::new(id)),
            Self::CollectionEndpoint(name) | Self::Behind(name) => command!(
                Any,
                "az graph query -q \"resources | where type in~ ('microsoft.insights/datacollectionendpoints', 'microsoft.monitor/accounts') and tostring(properties) contains '{}' | project RESOURCE_ID=id, SCOPED_RESOURCE_NAME=name\" --query data",
                Host::new(name)
            ),
            Self::Any => command!(
                Any,
                "az graph query -q \"resources | where type in~ ('microsoft.operationalinsights/workspaces', 'microsoft.insights/components', 'microsoft.insights/datacollectionendpoints') | project RESOURCE_ID=id, SCOPED_RESOURCE_NAME=name\" --query data"
            ),
        }
    }
}

/// The workspaces whose names were looked at, in the plan's order.
pub(in crate::diagnose) fn workspaces(facts: &Facts<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in facts.endpoints() {
        if let Some(Resource::Workspace(id)) = Resource::of(name.fqdn())
            && !found.contains(&id)
        {
            found.push(id);
        }
    }
    found
}

/// A workspace by its id, over all subscriptions, and whether public networks may use it.
pub(in crate::diagnose) fn find_workspace(id: Option<Guid>) -> Command {
    command!(
        Any,
        "az graph query -q \"resources | where type =~ 'microsoft.operationalinsights/workspaces' and tostring(properties.customerId) =~ '{}' | project RESOURCE_ID=id, SCOPED_RESOURCE_NAME=name, ingestion=tostring(properties.publicNetworkAccessForIngestion), queries=tostring(properties.publicNetworkAccessForQuery)\" --query data",
        id
    )
}

/// Adds a workspace, component or data collection endpoint to the scope.
pub(in crate::diagnose) fn add(resource: &Resource) -> Fix {
    Fix::change(
        BlastRadius::EveryNetworkOnThisDns,
        format!("add {} to the Azure Monitor Private Link Scope; its records appear in the zones of the zone group", resource.words()),
    )
    .under(Right::SCOPE)
    .with([command!(
        Any,
        "az monitor private-link-scope scoped-resource create --subscription SCOPE_SUBSCRIPTION -g SCOPE_RESOURCE_GROUP --scope-name SCOPE_NAME -n SCOPED_RESOURCE_NAME --linked-resource RESOURCE_ID"
    )])
    .after_looking(
        "several scopes: use the one whose private endpoint this network reaches, or ask; every network that shares this DNS then reaches the resource privately or not at all",
        [resource.find(), find(), list()],
    )
    .undone_with("", [command!(
        Any,
        "az monitor private-link-scope scoped-resource delete --subscription SCOPE_SUBSCRIPTION -g SCOPE_RESOURCE_GROUP --scope-name SCOPE_NAME -n SCOPED_RESOURCE_NAME --yes"
    )])
}

/// Whether a scope holds a resource.
pub(in crate::diagnose) fn look() -> Fix {
    Fix::look("see whether the scope of this network holds it; if not, it has to be added", [find(), list()])
}

/// The scopes with their access modes, over all subscriptions.
pub(in crate::diagnose) fn find() -> Command {
    command!(
        Any,
        "az graph query -q \"resources | where type =~ 'microsoft.insights/privatelinkscopes' | project SCOPE_SUBSCRIPTION=subscriptionId, SCOPE_RESOURCE_GROUP=resourceGroup, SCOPE_NAME=name, modes=properties.accessModeSettings\" --query data"
    )
}

/// What the scope holds.
pub(in crate::diagnose) fn list() -> Command {
    command!(
        Any,
        "az monitor private-link-scope scoped-resource list --subscription SCOPE_SUBSCRIPTION -g SCOPE_RESOURCE_GROUP --scope-name SCOPE_NAME --query \"[].{name:name, resource:linkedResourceId}\" -o table"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_all_customers_share_belongs_to_no_resource() {
        for name in ["scadvisorcontentpl.blob.core.windows.net", "rt.services.visualstudio.com"] {
            assert_eq!(Resource::of(name), None);
        }
        assert_eq!(Resource::of("global.handler.control.monitor.azure.com"), None);
    }

    #[test]
    fn the_names_of_one_collection_endpoint_belong_to_one_resource() {
        for host in ["handler.control", "ingest", "metrics.ingest"] {
            let own = Resource::of(&format!("dce-ab12.westeurope-1.{host}.monitor.azure.com"));
            assert_eq!(own, Some(Resource::CollectionEndpoint("dce-ab12.westeurope-1".to_owned())));
            assert_eq!(own.map(|own| own.words()).as_deref(), Some("the data collection endpoint `dce-ab12`"));
        }
    }
}
