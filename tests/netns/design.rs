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
/// The customer's proxy.
pub(super) const PROXY: &str = "10.0.0.5";

/// How a lab is set up.
#[derive(Clone, Debug)]
pub(super) struct Design {
    pub(super) names: Names,
    /// Private zones linked to the virtual network.
    pub(super) linked: Vec<Zone>,
    /// Those of them without a record.
    pub(super) empty: Vec<Zone>,
    /// Those of them without a record whose link falls back to the internet.
    pub(super) fallback: Vec<Zone>,
    /// The text of the machine's resolv.conf.
    pub(super) resolv_conf: String,
    /// Lines of the machine's hosts file besides localhost.
    pub(super) hosts: String,
    /// The server at [`CUSTOM_DNS`].
    pub(super) custom: Custom,
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
    /// bind in another virtual network, to which every private zone is linked.
    Hub,
    /// A server that passes questions on to Azure's DNS, but denies names: suffix (and `>` with an alias), and the owner of the SOA.
    Denying([(&'static str, &'static str); 4]),
    /// The machine is there, and nobody listens on port 53.
    Closed,
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
        }
    }
}
