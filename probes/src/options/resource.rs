//! Azure's things as people name them: by id, by host name, by URL, by resource id, by their name in the portal.
//!
//! What the text holds is taken out of it. What only Azure knows is refused with the `az` command that prints it; a resource
//! id is filled in, so that the command can be copied as it stands. [`std::str::FromStr`] of each type stays strict: agents'
//! files hold one form.

use uuid::Uuid;

use super::ConnectionString;
use crate::azure::{BadValue, Dce, HostName, StorageAccount, WorkspaceId, is_within, quoted};

/// The longest resource id that is written into a command: a group's name has at most 90 characters, a resource's rarely more.
/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>
const LONGEST_ID: usize = 500;

/// A Log Analytics workspace (`--workspace`): its id with or without hyphens or braces, or a host name or URL with the id in it.
pub fn workspace(text: &str) -> Result<WorkspaceId, BadValue> {
    let given = text.trim();
    let bare = given.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(given);
    if let Some(id) = guid(bare).or_else(|| workspace_of_host(given)) {
        return Ok(id);
    }
    if let Some(resource) = ResourceId::within(given) {
        if !resource.is("Microsoft.OperationalInsights/workspaces") {
            return Err(resource.other_than("a Log Analytics workspace"));
        }
        let ids = resource.argument();
        return Err(BadValue::new(format!(
            "{} is a resource id, which does not hold the workspace id; print that with: \
             az monitor log-analytics workspace show --ids {ids} --query customerId -o tsv",
            quoted(given)
        )));
    }
    if is_resource_name(given) {
        return Err(BadValue::new(format!(
            "{} is the name of a workspace, not its id; print the id with: \
             az monitor log-analytics workspace list --query \"[?name=='{given}'].customerId\" -o tsv",
            quoted(given)
        )));
    }
    given.parse()
}

/// A data collection endpoint (`--dce`): any of its host names or URLs.
pub fn data_collection_endpoint(text: &str) -> Result<Dce, BadValue> {
    const SHOW_HOST: &str = "--query properties.logsIngestion.endpoint -o tsv";
    let given = text.trim();
    if let Some(resource) = ResourceId::within(given) {
        let ids = resource.argument();
        if resource.is("Microsoft.Insights/dataCollectionRules") {
            return Err(BadValue::new(format!(
                "{} is a data collection rule; print the resource id of its endpoint with: \
                 az resource show --ids {ids} --query properties.dataCollectionEndpointId -o tsv",
                quoted(given)
            )));
        }
        if !resource.is("Microsoft.Insights/dataCollectionEndpoints") {
            return Err(resource.other_than("a data collection endpoint"));
        }
        return Err(BadValue::new(format!(
            "{} is a resource id, which does not hold the endpoint's host; print the host with: \
             az resource show --ids {ids} {SHOW_HOST}",
            quoted(given)
        )));
    }
    if is_resource_name(given) {
        return Err(BadValue::new(format!(
            "{} is the name of a data collection endpoint, not its host; print the host with: az resource show \
             -g DCE_RESOURCE_GROUP -n {given} --resource-type Microsoft.Insights/dataCollectionEndpoints {SHOW_HOST}",
            quoted(given)
        )));
    }
    given.parse().or_else(|bad| HostName::of_url(given).and_then(|host| host.parse().ok()).ok_or(bad))
}

/// A connection string of Application Insights (`--app-insights`). Messages never repeat a key.
pub fn app_insights(text: &str) -> Result<ConnectionString, BadValue> {
    let given = text.trim();
    if let Some(resource) = ResourceId::within(given) {
        if !resource.is("Microsoft.Insights/components") {
            return Err(resource.other_than("an Application Insights resource"));
        }
        let ids = resource.argument();
        return Err(BadValue::new(format!(
            "{} is a resource id, which does not hold the connection string; print that with: \
             az resource show --ids {ids} --query properties.ConnectionString -o tsv",
            quoted(given)
        )));
    }
    if guid(given).is_some() {
        return Err(BadValue::new(
            "this is an instrumentation key alone, which names no endpoint: give the whole connection string \
             (Application Insights › Overview)",
        ));
    }
    given.parse()
}

/// A storage account (`--storage`): its name, its resource id, or a host name or URL of it.
pub fn storage_account(text: &str) -> Result<StorageAccount, BadValue> {
    let given = text.trim();
    if let Some(resource) = ResourceId::within(given) {
        if !resource.is("Microsoft.Storage/storageAccounts") {
            return Err(resource.other_than("a storage account"));
        }
        return resource.name.parse();
    }
    let of_host = HostName::of_url(given).and_then(|host| {
        let (name, service) = host.split_once('.')?;
        let suffixes = ["core.windows.net", "core.usgovcloudapi.net", "core.chinacloudapi.cn"];
        suffixes.iter().any(|suffix| is_within(service, suffix)).then(|| name.parse().ok())?
    });
    of_host.map_or_else(|| given.parse(), Ok)
}

/// The id in its written forms of 36 characters, or of 32 without hyphens.
fn guid(text: &str) -> Option<WorkspaceId> {
    let id = matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok()).flatten()?;
    id.hyphenated().to_string().parse().ok()
}

/// The id in front of a workspace's own names.
fn workspace_of_host(text: &str) -> Option<WorkspaceId> {
    let host = HostName::of_url(text)?;
    let (label, rest) = host.split_once('.')?;
    let own = ["ods.", "oms.", "agentsvc.", "jrds.", "privatelink.", "api."];
    own.iter().any(|start| rest.starts_with(start)).then(|| guid(label)).flatten()
}

/// A name as the portal shows it: letters, digits and hyphens. A GUID with a digit too few is not meant as a name.
fn is_resource_name(text: &str) -> bool {
    let fits = (2..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let hexadecimal = text.len() > 24 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    fits && !hexadecimal
}

/// `/subscriptions/…/resourceGroups/…/providers/NAMESPACE/TYPE/NAME`
struct ResourceId<'t> {
    whole: &'t str,
    kind: String,
    name: &'t str,
}

impl<'t> ResourceId<'t> {
    /// The resource id in a text: alone, or in a URL of the portal, where the name of a page follows.
    fn within(text: &'t str) -> Option<Self> {
        let start = text.to_ascii_lowercase().find("/subscriptions/")?;
        let id = text.get(start..)?.split(['?', '#']).next()?.trim_end_matches('/');
        let parts: Vec<&str> = id.split('/').collect();
        let [_, _, _, groups, _, providers, namespace, kind, name, ..] = parts.as_slice() else { return None };
        let is_id = groups.eq_ignore_ascii_case("resourceGroups") && providers.eq_ignore_ascii_case("providers");
        let length = parts.iter().take(9).map(|part| part.len() + 1).sum::<usize>() - 1;
        let whole = id.get(..length)?;
        (is_id && !name.is_empty()).then(|| Self { whole, kind: format!("{namespace}/{kind}"), name })
    }

    fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind)
    }

    /// The id as an argument, where every shell takes it as one word.
    fn argument(&self) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.()".contains(&b);
        if self.whole.len() <= LONGEST_ID && self.whole.bytes().all(plain) {
            format!("\"{}\"", self.whole)
        } else {
            "RESOURCE_ID".to_owned()
        }
    }

    fn other_than(&self, wanted: &str) -> BadValue {
        BadValue::new(format!(
            "{} is the id of a resource of type {}, not of {wanted}",
            quoted(self.whole),
            quoted(&self.kind)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";
    const GROUP: &str = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-logs (eu)/providers";

    fn refusal<T>(result: Result<T, BadValue>) -> String {
        result.map(|_| ()).expect_err("a refusal").to_string()
    }

    fn group() -> String {
        GROUP.replace(' ', "_")
    }

    #[test]
    fn workspace_is_taken_in_every_form_that_holds_its_id() {
        for text in [
            ID.to_owned(),
            ID.to_uppercase(),
            format!(" {{{ID}}} "),
            ID.replace('-', ""),
            format!("{ID}.ods.opinsights.azure.com"),
            format!("https://{ID}.oms.opinsights.azure.us/path"),
            format!("{ID}.agentsvc.azure-automation.net:443"),
            format!("{ID}.privatelink.ods.opinsights.azure.com."),
        ] {
            assert_eq!(workspace(&text).map(|id| id.to_string()), Ok(ID.to_owned()), "{text}");
        }
        for text in ["", "x", "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e6", &format!("{ID}.example.net"), "a b"] {
            assert!(refusal(workspace(text)).contains("is not a GUID"), "{text}");
        }
    }

    #[test]
    fn workspace_by_resource_id_or_name_is_refused_with_the_command_that_prints_its_id() {
        let id = format!("{}/Microsoft.OperationalInsights/workspaces/law", group());
        let command = format!("az monitor log-analytics workspace show --ids \"{id}\" --query customerId -o tsv");
        for text in [id.clone(), format!("{id}/"), format!("https://portal.azure.com/#@x.net/resource{id}/overview")] {
            assert!(refusal(workspace(&text)).ends_with(&command), "{}", refusal(workspace(&text)));
        }
        let named = refusal(workspace("law-Prod-01"));
        assert!(named.ends_with("workspace list --query \"[?name=='law-Prod-01'].customerId\" -o tsv"), "{named}");
        let other = refusal(workspace(&format!("{}/Microsoft.Insights/components/app", group())));
        assert!(other.contains("`Microsoft.Insights/components`, not of a Log Analytics workspace"), "{other}");
    }

    #[test]
    fn a_resource_id_that_a_shell_could_misread_is_not_written_into_a_command() {
        for evil in ["rg\"; id #", "$(id)", "rg logs", "`id`", &"x".repeat(600)] {
            let id =
                format!("/subscriptions/x/resourceGroups/{evil}/providers/Microsoft.OperationalInsights/workspaces/l");
            let message = refusal(workspace(&id));
            assert!(message.contains("--ids RESOURCE_ID ") || !message.contains("--ids"), "{message}");
        }
    }

    #[test]
    fn endpoint_is_taken_by_host_or_url_and_refused_otherwise_with_the_command_that_prints_its_host() {
        for text in [
            "a-b1.westeurope-1.ingest.monitor.azure.com",
            "https://a-b1.westeurope-1.ingest.monitor.azure.com/dataCollectionRules/x?y",
            "a-b1.westeurope-1.ingest.monitor.azure.com:443",
            "a-b1.westeurope-1.ingest.monitor.azure.com/path",
        ] {
            assert_eq!(
                data_collection_endpoint(text).map(|dce| dce.stem()),
                Ok("a-b1.westeurope-1".to_owned()),
                "{text}"
            );
        }
        let id = format!("{}/Microsoft.Insights/dataCollectionEndpoints/mydce", group());
        let shown = format!("az resource show --ids \"{id}\" --query properties.logsIngestion.endpoint -o tsv");
        assert!(refusal(data_collection_endpoint(&id)).ends_with(&shown));
        let named = refusal(data_collection_endpoint("mydce"));
        assert!(named.contains("not its host") && named.contains("-g DCE_RESOURCE_GROUP -n mydce "), "{named}");
        let rule = refusal(data_collection_endpoint(&format!("{}/microsoft.insights/datacollectionrules/r", group())));
        assert!(rule.contains("properties.dataCollectionEndpointId"), "{rule}");
        assert!(refusal(data_collection_endpoint("example.net")).contains("is not a data collection endpoint"));
    }

    #[test]
    fn application_is_refused_by_resource_id_and_its_key_is_never_repeated() {
        let id = format!("{}/Microsoft.Insights/components/app", group());
        assert!(refusal(app_insights(&id)).contains("--query properties.ConnectionString -o tsv"));
        let key = refusal(app_insights(ID));
        assert!(key.contains("instrumentation key alone") && !key.contains(ID), "{key}");
    }

    #[test]
    fn storage_account_is_taken_by_name_resource_id_or_host() {
        let id = format!("{}/Microsoft.Storage/storageAccounts/abc1", group());
        for text in ["abc1", &id, "abc1.blob.core.windows.net", "https://abc1.blob.core.chinacloudapi.cn/x"] {
            assert_eq!(storage_account(text).map(|account| account.to_string()), Ok("abc1".to_owned()), "{text}");
        }
        assert!(storage_account("abc.example.net").is_err() && storage_account("A").is_err());
    }
}
