//! Where the machine is: its interface, its subnet, the networks in which its names are resolved, its private endpoint.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use ampls_probes::observation::Instance;
use ipnet::IpNet;

use super::{Held, machine_id, only};
use crate::diagnose::facts::{Facts, View};
use crate::facts_file::{Network, PrivateEndpoint};
use crate::text::quote;

impl<'h> Held<'h> {
    /// By the machine's own interface; else by its subnet, where its subscription and region have only one of that prefix: an
    /// interface lies in the subscription and the region of its network.
    ///
    /// Source: <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>
    pub(super) fn find_machine(&mut self, facts: &Facts<'_>) {
        let instance = facts.instance();
        let Some(id) = machine_id(instance) else {
            let why = "the metadata service gave no resource id of this machine";
            self.unplaced = Some(why.to_owned());
            return;
        };
        let own: BTreeSet<IpAddr> =
            facts.observations().machine.interfaces.iter().map(|interface| interface.address.addr()).collect();
        let prefixes: Vec<IpNet> = instance.map(prefixes).unwrap_or_default();
        let mine = || self.holdings.interfaces.iter().filter(|interface| interface.machine.as_ref() == Some(&id));
        let found = mine()
            .find_map(|interface| {
                let it = interface.configurations.iter().find(|it| own.contains(&it.address))?;
                Some((interface, it))
            })
            .or_else(|| mine().find_map(|interface| Some((interface, interface.configurations.first()?))));
        if let Some((interface, configuration)) = found {
            let network = self.network_of(configuration.subnet.as_ref());
            let subnets = network.iter().flat_map(|network| &network.subnets);
            let subnet = subnets.into_iter().find(|subnet| Some(&subnet.id) == configuration.subnet.as_ref());
            // A machine that was moved since is elsewhere than the file says.
            let moved = subnet.is_some_and(|subnet| {
                !prefixes.is_empty()
                    && !subnet.prefixes.is_empty()
                    && !prefixes.iter().any(|it| subnet.prefixes.contains(it))
            });
            if moved {
                let (seen, held) = (listed(&prefixes), subnet.map(|it| listed(&it.prefixes)).unwrap_or_default());
                self.unplaced =
                    Some(format!("this machine is in subnet {seen}, the file says {held}: it is out of date"));
                return;
            }
            (self.interface, self.subnet, self.network) = (Some(interface), subnet, network);
            if network.is_none() {
                self.unplaced = Some("the file holds this machine's interface and not its virtual network".to_owned());
            }
            return;
        }
        let region = instance.and_then(|instance| instance.location.as_deref());
        let near = |network: &&Network| {
            network.id.subscription().eq_ignore_ascii_case(id.subscription())
                && network.region.as_ref().is_none_or(|it| region.is_none_or(|region| it.as_str() == region))
        };
        let networks = self.holdings.networks.iter().filter(near);
        let subnets = networks.flat_map(|network| network.subnets.iter().map(move |subnet| (network, subnet)));
        let mine = subnets.filter(|(_, subnet)| subnet.prefixes.iter().any(|prefix| prefixes.contains(prefix)));
        if let Some((network, subnet)) = only(mine) {
            (self.subnet, self.network) = (Some(subnet), Some(network));
            return;
        }
        self.unplaced = Some(format!(
            "the file holds no interface of {}, and not exactly one subnet {} of its subscription and region",
            quote(id.name()),
            listed(&prefixes)
        ));
    }

    /// Azure's DNS resolves in the machine's own network; another server in the network where its address is.
    pub(super) fn find_resolving(&self, facts: &Facts<'_>) -> Vec<(SocketAddr, Option<&'h Network>)> {
        let of = |server: SocketAddr| {
            let network = if Facts::is_azure_dns(server) { self.network } else { self.network_with(server.ip()) };
            (server, network)
        };
        facts.resolving_servers().into_iter().filter(|server| !server.ip().is_loopback()).map(of).collect()
    }

    /// The network in which an address is somebody's: this machine's own where it is there too.
    pub(super) fn network_with(&self, address: IpAddr) -> Option<&'h Network> {
        let inbound = self.holdings.inbound.iter().filter(|it| it.address == address).map(|it| Some(&it.subnet));
        let configurations = self.holdings.interfaces.iter().flat_map(|interface| &interface.configurations);
        let of_interfaces = configurations.filter(|it| it.address == address).map(|it| it.subnet.as_ref());
        let mut networks: Vec<&Network> = Vec::new();
        for network in inbound.chain(of_interfaces).filter_map(|subnet| self.network_of(subnet)) {
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        if let Some(own) = self.network.filter(|own| networks.contains(own)) {
            return Some(own);
        }
        only(networks.into_iter())
    }

    /// The private endpoint that this machine uses: the one whose addresses its names have; else the one whose zone groups
    /// write into the zones that are linked; else the one in its own network; else the only one.
    pub(super) fn find_endpoint(&self, facts: &Facts<'_>) -> Option<&'h PrivateEndpoint> {
        if !self.is_placed() {
            return None;
        }
        let endpoints = &self.holdings.endpoints;
        let seen: BTreeSet<IpAddr> = facts
            .ampls_endpoints()
            .flat_map(|name| name.views.iter().filter(|view| view.is_private()))
            .flat_map(|view: &View| view.addresses.iter().copied())
            .collect();
        let used = |endpoint: &&PrivateEndpoint| self.addresses_of(endpoint).iter().any(|it| seen.contains(it));
        let zones = &facts.observations().zones;
        let linked: Vec<_> = zones.iter().filter_map(|zone| self.linked_zone(zone)).map(|zone| &zone.id).collect();
        let writes = |endpoint: &&PrivateEndpoint| {
            let mut zones = endpoint.zone_groups.iter().flat_map(|group| &group.zones);
            zones.any(|zone| linked.contains(&zone))
        };
        let near = |endpoint: &&PrivateEndpoint| {
            let network = self.network_of(endpoint.subnet.as_ref());
            network.is_some() && (network == self.network || self.networks().iter().any(|it| Some(*it) == network))
        };
        only(endpoints.iter().filter(used))
            .or_else(|| only(endpoints.iter().filter(writes)))
            .or_else(|| only(endpoints.iter().filter(near)))
            .or_else(|| only(endpoints.iter()))
    }

    /// The addresses of a private endpoint.
    pub(super) fn addresses_of(&self, endpoint: &PrivateEndpoint) -> Vec<IpAddr> {
        let interfaces = self.holdings.interfaces.iter();
        let own = interfaces.filter(|interface| interface.endpoint.as_ref() == Some(&endpoint.id));
        own.flat_map(|interface| interface.configurations.iter().map(|it| it.address)).collect()
    }
}

fn prefixes(instance: &Instance) -> Vec<IpNet> {
    instance.subnets.iter().map(|subnet| subnet.cidr.trunc()).collect()
}

fn listed(prefixes: &[IpNet]) -> String {
    let texts: Vec<String> = prefixes.iter().map(|prefix| format!("`{prefix}`")).collect();
    if texts.is_empty() { "(not known)".to_owned() } else { texts.join(", ") }
}
