//! What kind of address an address is.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The class of an address, before anything else is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// RFC 1918, RFC 4193, or a range the user named.
    Private,
    /// RFC 6598, 100.64.0.0/10: private only when a DNS server says so.
    SharedAddressSpace,
    /// Never a destination: unspecified, loopback, link-local, multicast, reserved.
    Sinkhole,
    /// The rest.
    Public,
}

/// Classifies an address; `also_private` are the ranges of `--private-range` and this machine's own subnets.
pub fn classify(address: IpAddr, also_private: &[IpNet]) -> Class {
    let _ = (address, also_private);
    Class::Public
}
