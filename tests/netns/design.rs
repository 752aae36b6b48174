//! How a lab is set up: what is linked, who answers, and what is broken.

use super::names::{Names, Zone};

/// Azure's DNS as a virtual network sees it.
pub(super) const AZURE_DNS: &str = "168.63.129.16";
/// A resolver of the public internet.
pub(super) const PUBLIC_DNS: &str = "8.8.8.8";
/// The customer's own DNS server.
pub(super) const CUSTOM_DNS: &str = "10.0.0.4";
/// A second one.
pub(super) const SECOND_DNS: &str = "10.0.0.6";
/// Azure's private zones where a ruleset stands before them.
pub(super) const BEHIND_RULESET: &str = "168.63.129.17";
/// The DNS server of a VPN, which forwards to the internet.
pub(super) const VPN_DNS: &str = "10.8.0.1";
/// The customer's proxy.
pub(super) const PROXY: &str = "10.0.0.5";

/// How a lab is set up.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the lab")]
pub(super) struct Design {
    pub(super) names: Names,
    /// Private zones linked to the virtual network.
    pub(super) linked: Vec<Zone>,
    /// Those of them without a record.
    pub(super) empty: Vec<Zone>,
    /// A forwarding ruleset sends the public suffixes to the internet, before the linked zones are asked.
    pub(super) ruleset: bool,
    /// Those of them without a record whose link falls back to the internet.
    pub(super) fallback: Vec<Zone>,
    /// The text of the machine's resolv.conf.
    pub(super) resolv_conf: String,
    /// Lines of the machine's hosts file besides localhost.
    pub(super) hosts: String,
    /// The server at [`CUSTOM_DNS`].
    pub(super) custom: Custom,
    /// What listens at 127.0.0.53 on the machine.
    pub(super) stub: Stub,
    /// A dnsmasq at [`SECOND_DNS`] that forwards everything to Azure's DNS.
    pub(super) second: bool,
    /// Servers of nginx beside those that answer as Azure does: what is wrong with some address or name.
    pub(super) front: &'static str,
    /// nftables rules for what comes to Azure's side from the machine.
    pub(super) firewall: &'static str,
    /// The machine's trust store lacks the root of the fronts.
    pub(super) distrustful: bool,
    /// Who inspects TLS, if anyone.
    pub(super) inspection: Inspection,
    /// Whose authority that is.
    pub(super) inspector: &'static str,
    /// A squid at [`PROXY`], port 3128.
    pub(super) proxy: bool,
    /// What it does not allow.
    pub(super) proxy_rules: &'static str,
    /// One-way delay between the machine and everything else, in milliseconds.
    pub(super) delay_ms: Option<u32>,
    /// The largest packet that a router in between passes on to the machine, in octets; the messages that say so get lost.
    pub(super) largest_packet: Option<u32>,
}

/// The server at [`CUSTOM_DNS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Custom {
    /// There is none: questions to it vanish.
    Absent,
    /// dnsmasq that forwards everything to this server.
    Dnsmasq(&'static str),
    /// unbound that forwards everything to this server.
    Unbound(&'static str),
    /// bind that forwards everything to this server.
    Bind(&'static str),
    /// dnsmasq that has nobody to forward to: it refuses.
    Refusing,
    /// dnsmasq that forwards this suffix to Azure's DNS and everything else to the internet.
    Partial(&'static str),
    /// unbound that forwards everything to Azure's DNS, with these lines under `server:`.
    Unbending(&'static str),
    /// bind that forwards everything to Azure's DNS, with a zone of its own: origin and records.
    Zoned(&'static str, &'static str),
    /// dnsmasq that forwards to Azure's DNS and takes private addresses out of the answers.
    Guarding,
    /// dnsmasq that forwards the `privatelink` zones to Azure's DNS and everything else to the internet, and keeps answers.
    AliasZones,
    /// dnsmasq that forwards to Azure's DNS and leads names which do not exist to a page.
    Redirecting,
    /// bind of a closed network: it holds the root zone itself, and no other.
    ClosedRoot,
    /// bind in another virtual network, to which every private zone is linked.
    Hub,
    /// A server that passes questions on to Azure's DNS, but denies names: suffix (and `>` with an alias), and the owner of the SOA.
    Denying([(&'static str, &'static str); 4]),
    /// The machine is there, and nobody listens on port 53.
    Closed,
}

/// What listens at 127.0.0.53 on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stub {
    /// Nothing.
    Absent,
    /// unbound that asks Azure's DNS and validates against a key that signs nothing there.
    Validating,
    /// dnsmasq that asks this server.
    Asks(&'static str),
    /// systemd-resolved with two links: the machine's own, with Azure's DNS, and a VPN's, with [`VPN_DNS`]; the domains of each.
    Resolved { own: &'static str, vpn: &'static str },
}

/// Who breaks TLS open on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inspection {
    None,
    /// A firewall whose authority the machine trusts.
    Trusted,
    /// An old device that speaks nothing newer than TLS 1.1.
    Old,
    /// mitmproxy, whose authority the machine does not know.
    Mitmproxy,
}

impl Default for Design {
    /// A virtual network with a private link, everything right.
    fn default() -> Self {
        Self {
            names: Names::default(),
            linked: Zone::ALL.to_vec(),
            empty: Vec::new(),
            fallback: Vec::new(),
            ruleset: false,
            stub: Stub::Absent,
            resolv_conf: format!("nameserver {AZURE_DNS}\n"),
            hosts: String::new(),
            custom: Custom::Absent,
            second: false,
            front: "",
            firewall: "",
            distrustful: false,
            inspection: Inspection::None,
            inspector: "Contoso Inspection",
            proxy: false,
            proxy_rules: "",
            delay_ms: None,
            largest_packet: None,
        }
    }
}
