//! What a change takes: the right, on which scope, and whose policy may refuse it or undo it.

use crate::diagnose::finding::Fix;

/// The right that a kind of change takes, and the policy that decides about it.
#[derive(Clone, Copy, Debug)]
pub(in crate::diagnose) struct Right {
    needs: &'static str,
    policy: &'static str,
}

impl Right {
    /// A change of a zone's link to a network.
    pub(in crate::diagnose) const ZONE_LINK: Self = Self {
        needs: "Private DNS Zone Contributor on the zone, and `Microsoft.Network/virtualNetworks/join/action` on the virtual network",
        policy: "a landing zone may refuse links (Deny) or make them itself (DeployIfNotExists): then the platform team's policy makes the change",
    };
    /// A change of a private zone's records.
    pub(in crate::diagnose) const ZONE_RECORDS: Self = Self {
        needs: "Private DNS Zone Contributor on the zone",
        policy: "the zone group of a private endpoint, or a landing zone's policy (DeployIfNotExists), may write the records again: then change it there",
    };
    /// A change of a private endpoint's zone group.
    pub(in crate::diagnose) const ZONE_GROUP: Self = Self {
        needs: "Network Contributor on the private endpoint, and `Microsoft.Network/privateDnsZones/join/action` on the zone",
        policy: "a landing zone may set zone groups itself (DeployIfNotExists): then the platform team's policy makes the change",
    };
    /// A new private endpoint in the place of an old one.
    pub(in crate::diagnose) const ENDPOINT: Self = Self {
        needs: "Network Contributor on the resource group of the private endpoint and on its subnet, and the approval of connections on the scope",
        policy: "a landing zone may refuse private endpoints (Deny) or set their zone groups itself (DeployIfNotExists)",
    };
    /// A change of what a private link scope holds.
    pub(in crate::diagnose) const SCOPE: Self = Self {
        needs: "`Microsoft.Insights/privateLinkScopes/scopedResources/write` on the scope (Monitoring Contributor), and Reader on the resource",
        policy: "a landing zone may keep one scope for all networks and refuse changes (Deny): then its owner makes the change",
    };
    /// Which endpoint and rules Azure associates with this machine.
    pub(in crate::diagnose) const ASSOCIATION: Self = Self {
        needs: "Monitoring Contributor on this machine and on the data collection endpoint",
        policy: "a policy that associates machines with rules (DeployIfNotExists) may set the association again: then change its parameter",
    };
    /// Which identities this machine has.
    pub(in crate::diagnose) const IDENTITY: Self = Self {
        needs: "Virtual Machine Contributor on this machine",
        policy: "a policy that gives machines an identity (Modify, DeployIfNotExists) may be meant to do it: then look at its assignment",
    };
    /// A change of an extension of this machine.
    pub(in crate::diagnose) const EXTENSION: Self = Self {
        needs: "Virtual Machine Contributor on this machine",
        policy: "a policy that installs the agent (DeployIfNotExists) may write its settings again: then change its parameter",
    };
    /// A rule of a network security group.
    pub(in crate::diagnose) const SECURITY_GROUP: Self = Self {
        needs: "Network Contributor on the network security group",
        policy: "security admin rules of Azure Virtual Network Manager come first, and a landing zone may refuse or remove the rule (Deny, DeployIfNotExists)",
    };
    /// A rule of an Azure Firewall.
    pub(in crate::diagnose) const FIREWALL: Self = Self {
        needs: "Network Contributor on the firewall's policy",
        policy: "firewall rules are often kept in a repository, whose next deployment removes what it does not hold: then change it there",
    };
    /// A rule of an Azure DNS security policy.
    pub(in crate::diagnose) const DNS_POLICY: Self = Self {
        needs: "Network Contributor on the DNS security policy and on its domain lists",
        policy: "the list is the security team's: it decides whether the name may be resolved",
    };
    /// Another DNS server than Azure's.
    pub(in crate::diagnose) const DNS_SERVER: Self = Self {
        needs: "the administrator of that DNS server (on Windows `DnsAdmins`)",
        policy: "servers of one site are often kept alike by configuration management or by replication: then change it there",
    };
    /// A firewall, proxy or other device on the way.
    pub(in crate::diagnose) const DEVICE: Self = Self {
        needs: "the administrator of that device",
        policy: "the organisation's rules for filtering and inspection decide whether the exemption may be made",
    };
    /// A change of this machine's own settings.
    pub(in crate::diagnose) const MACHINE: Self = Self {
        needs: "root on this machine",
        policy: "Puppet, Ansible, cloud-init or Group Policy may write the former settings back: then change it there",
    };
    /// The same on Windows.
    const WINDOWS_MACHINE: &'static str = "an administrator on this machine";
    /// The DNS servers of a virtual network or an interface.
    pub(in crate::diagnose) const NETWORK_DNS: Self = Self {
        needs: "Network Contributor on the virtual network (or on this machine's network interface, where its own list is set)",
        policy: "a landing zone may set the DNS servers of networks (Modify, DeployIfNotExists): then the platform team's policy makes the change",
    };
    /// What is set for this machine as an Azure resource.
    pub(in crate::diagnose) const AZURE_MACHINE: Self = Self {
        needs: "Virtual Machine Contributor on this machine, and Contributor on the gallery that holds the profile",
        policy: "the profile may be shared with other machines, or set by a policy (Deny, DeployIfNotExists): then its owner makes the change",
    };

    /// What has to be shown by Azure's platform and is more than reading.
    pub(in crate::diagnose) const EFFECTIVE: &'static str = "Network Contributor on this machine's network interface: what is effective is asked by an action that Reader lacks";
}

impl Fix {
    /// The right that it takes, and the policy that decides about it.
    #[must_use]
    pub(in crate::diagnose) fn under(mut self, right: Right) -> Self {
        self.needs = Some(right.needs.to_owned());
        self.policy = Some(right.policy.to_owned());
        self
    }

    /// The same, with the right as Windows names it.
    #[must_use]
    pub(in crate::diagnose) fn on_windows(mut self) -> Self {
        if self.needs.as_deref() == Some(Right::MACHINE.needs) {
            self.needs = Some(Right::WINDOWS_MACHINE.to_owned());
        }
        self
    }
}
