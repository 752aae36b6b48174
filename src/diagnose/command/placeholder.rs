//! What stands in a command for what was not observed, or was and cannot be written there.

/// A name in capitals, the same in every format: it pastes harmlessly in POSIX shells, cmd and PowerShell alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placeholder(&'static str);

impl Placeholder {
    /// A name; one that is not in capitals does not compile where it is a constant.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            assert!(matches!(bytes[at], b'A'..=b'Z' | b'0'..=b'9' | b'_'), "capitals, digits and underscores");
            at += 1;
        }
        assert!(!bytes.is_empty() && bytes[0].is_ascii_uppercase(), "a capital first");
        Self(name)
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Every placeholder, and what is to be put in its place. The same name means the same thing everywhere.
pub const PLACEHOLDERS: &[(&str, &str)] = &[
    ("ADDRESS", "an IP address"),
    ("ADDRESS_AND_PORT", "an IP address and a port"),
    ("CLOUD_NAME", "the cloud of this machine, as `--cloud` takes it"),
    ("CONNECTION_NAME", "a name for the private endpoint's connection"),
    ("DCE_RESOURCE_ID", "the resource id of a data collection endpoint"),
    ("DNS_RESOURCE_GROUP", "the resource group of the private DNS zone"),
    ("DNS_SUBSCRIPTION", "the subscription of the private DNS zone"),
    ("ENDPOINT_RESOURCE_GROUP", "the resource group of the private endpoint"),
    ("ENDPOINT_SUBNET_ID", "the resource id of the private endpoint's subnet"),
    ("ENDPOINT_SUBNET_PREFIX", "the address prefix of the private endpoint's subnet"),
    ("ENDPOINT_SUBSCRIPTION", "the subscription of the private endpoint"),
    ("FILE_PATH", "the file that the text names"),
    ("FIREWALL_POLICY", "the policy of the firewall on the way"),
    ("FIREWALL_RESOURCE_GROUP", "the resource group of that policy"),
    ("FIREWALL_SUBSCRIPTION", "the subscription of the firewall's policy"),
    ("FORMER_SETTINGS", "the settings that were there before, as JSON"),
    ("FORMER_VALUE", "what was set before"),
    ("HOST_NAME", "the host name that the text names"),
    ("LINKED_REPORT", "the report of a machine where the zone is linked"),
    ("LINK_NAME", "the name of the link between zone and virtual network"),
    ("NEW_PRIVATE_ENDPOINT", "a name for the new private endpoint, another than the old one's"),
    ("NIC_ID", "the resource id of this machine's network interface"),
    ("NSG_NAME", "the network security group"),
    ("NSG_RESOURCE_GROUP", "the resource group of the network security group"),
    ("NSG_SUBSCRIPTION", "the subscription of the network security group"),
    ("PORT", "a port"),
    ("PRIORITY", "a priority that is still free"),
    ("PRIVATE_ENDPOINT", "the private endpoint of the scope"),
    ("PRIVATE_ENDPOINT_ADDRESS", "the private endpoint's address for that name"),
    ("PRIVATE_ENDPOINT_ID", "the resource id of the private endpoint"),
    ("PROXY_URL", "the proxy that the text names"),
    ("RECORD_NAME", "the record set: the name without the zone"),
    ("REGION_NAME", "a region of Azure"),
    ("REGISTRY_KEY", "the key of the registry that the text names"),
    ("REPLICATION_SCOPE", "the replication scope that was shown"),
    ("REPORTS_FOLDER", "the folder with the reports of the machines"),
    ("RESOURCE_ID", "the resource id of what is added"),
    ("RESOURCE_NAME", "a name of a resource"),
    ("RULESET_ID", "the resource id of the DNS forwarding ruleset"),
    ("RULE_COLLECTION", "the rule collection"),
    ("RULE_COLLECTION_GROUP", "the rule collection group"),
    ("SCOPED_RESOURCE_NAME", "a name for the resource within the scope"),
    ("SCOPE_ID", "the resource id of the Azure Monitor Private Link Scope"),
    ("SCOPE_NAME", "the Azure Monitor Private Link Scope"),
    ("SCOPE_RESOURCE_GROUP", "the resource group of the scope"),
    ("SCOPE_SUBSCRIPTION", "the subscription of the scope"),
    ("SEARCH_DOMAIN", "the search domain that the text names"),
    ("SERVICE_NAME", "the service that the text names"),
    ("SERVICE_TAG", "the service tag that holds the addresses"),
    ("SUBNET_PREFIX", "the address prefix of this machine's subnet"),
    ("URL_PATH", "the path of the URL"),
    ("VALUE", "the value that the text names"),
    ("VM_NAME", "this machine's name in Azure"),
    ("VM_RESOURCE_GROUP", "this machine's resource group"),
    ("VM_RESOURCE_ID", "this machine's resource id"),
    ("VM_SUBNET_ID", "the resource id of this machine's subnet"),
    ("VM_SUBSCRIPTION", "this machine's subscription"),
    ("VNET_ID", "the resource id of the virtual network"),
    ("WORKSPACE_ID", "the workspace's id, a GUID"),
    ("WORKSPACE_KEY", "the workspace's key"),
    ("ZONE_GROUP", "the zone group of the private endpoint"),
    ("ZONE_NAME", "the zone that the text names"),
];
