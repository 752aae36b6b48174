//! What kind of address an address is: pure functions of the address and the ranges that a machine counts as its own.
//!
//! Who owns a record, and whether a shared address (RFC 6598) counts as private, is not decided here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

/// Azure's DNS, metadata, wire server: the same in every region and cloud.
/// Source: <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
pub const AZURE_DNS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)), 53);
/// The wire server.
pub const WIRE_SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)), 80);
/// The instance metadata service.
/// Source: <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
pub const METADATA: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), 80);

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

/// RFC 1122 3.2.1.3 (this host, loopback), RFC 3927 (link-local), RFC 5771 (multicast), RFC 1112 4 (reserved, broadcast).
const SINKHOLE_V4: [Ipv4Net; 5] = [v4(0, 0, 8), v4(127, 0, 8), v4(169, 254, 16), v4(224, 0, 4), v4(240, 0, 4)];

/// RFC 4291: unspecified, loopback, link-local, multicast.
const SINKHOLE_V6: [Ipv6Net; 4] = [
    Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128),
    Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128),
    v6(0xfe80, 10),
    v6(0xff00, 8),
];

/// RFC 1918.
const PRIVATE_V4: [Ipv4Net; 3] = [v4(10, 0, 8), v4(172, 16, 12), v4(192, 168, 16)];

/// RFC 4193.
const PRIVATE_V6: Ipv6Net = v6(0xfc00, 7);

/// RFC 6598.
const SHARED_V4: Ipv4Net = v4(100, 64, 10);

/// RFC 6052 2.1: the well-known prefix of NAT64 and DNS64.
const NAT64: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// RFC 8215: the prefix for translation within one network.
const NAT64_LOCAL: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48);

const fn v4(first: u8, second: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(first, second, 0, 0), length)
}

const fn v6(first: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0), length)
}

/// Classifies an address; `also_private` are the ranges of `--private-range` and this machine's own subnets.
///
/// Of an IPv4-mapped or NAT64 address the embedded IPv4 address is judged. A range in `also_private` makes shared and
/// public addresses private, never a sinkhole.
pub fn classify(address: IpAddr, also_private: &[IpNet]) -> Class {
    let class = own_class(address);
    let judged = embedded_ipv4(address).map_or(address, IpAddr::V4);
    let named = || also_private.iter().any(|range| range.contains(&judged) || range.contains(&address));
    match class {
        Class::SharedAddressSpace | Class::Public if named() => Class::Private,
        class => class,
    }
}

fn own_class(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(v4) => class_v4(v4),
        IpAddr::V6(v6) => match embedded_ipv4(address) {
            Some(v4) => class_v4(v4),
            None => class_v6(v6),
        },
    }
}

fn class_v4(address: Ipv4Addr) -> Class {
    if SINKHOLE_V4.iter().any(|range| range.contains(&address)) {
        return Class::Sinkhole;
    }
    if PRIVATE_V4.iter().any(|range| range.contains(&address)) {
        return Class::Private;
    }
    if SHARED_V4.contains(&address) {
        return Class::SharedAddressSpace;
    }
    Class::Public
}

fn class_v6(address: Ipv6Addr) -> Class {
    if SINKHOLE_V6.iter().any(|range| range.contains(&address)) {
        return Class::Sinkhole;
    }
    if PRIVATE_V6.contains(&address) {
        return Class::Private;
    }
    Class::Public
}

/// The IPv4 address that an IPv6 address stands for: IPv4-mapped (RFC 4291 2.5.5.2), NAT64's well-known prefix (RFC 6052)
/// or the local one (RFC 8215).
pub fn embedded_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(mapped);
    }
    if NAT64.contains(&address) {
        return Some(last_32_bits(address));
    }
    if !NAT64_LOCAL.contains(&address) {
        return None;
    }
    // RFC 8215 leaves the prefix length to the operator. RFC 6052 2.2 keeps the suffix of the /48 form zero, so the last
    // 32 bits are zero there and the address itself in the /96 form.
    let last = last_32_bits(address);
    if !last.is_unspecified() {
        return Some(last);
    }
    let [.., a, b, _, c, d, _, _, _, _, _] = address.octets();
    Some(Ipv4Addr::new(a, b, c, d))
}

/// The virtual machine's own IPv4 address in the `ComputerIP` of a heartbeat that came over a private link: the platform
/// carries it in the last 32 bits of an address in `fd40::/16`.
/// Source: <https://blog.cloudtrooper.net/2022/03/11/private-link-and-azure-monitor-what-is-an-ampls/>
pub fn heartbeat_ipv4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    (address.segments()[0] == 0xfd40).then(|| last_32_bits(address))
}

fn last_32_bits(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn class(address: &str) -> Class {
        classify(address.parse().expect("an address"), &[])
    }

    #[test]
    fn every_range_has_its_class_from_its_first_to_its_last_address() {
        let table = [
            (Class::Private, "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255"),
            (Class::Private, "fc00:: fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fd40:1085:12:6d79:7712:100:c0a8:4"),
            (Class::SharedAddressSpace, "100.64.0.0 100.127.255.255"),
            (Class::Sinkhole, "0.0.0.0 0.255.255.255 127.0.0.1 127.255.255.255 169.254.0.0 169.254.169.254"),
            (Class::Sinkhole, "224.0.0.0 239.255.255.255 240.0.0.0 255.255.255.255"),
            (Class::Sinkhole, ":: ::1 fe80:: febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff ff00:: ff02::1"),
            (Class::Public, "9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0"),
            (Class::Public, "100.63.255.255 100.128.0.0 1.0.0.0 126.255.255.255 128.0.0.0 223.255.255.255"),
            (Class::Public, "168.63.129.16 169.253.255.255 169.255.0.0 20.150.190.99"),
            (Class::Public, "::2 2603:1020::1 fbff::1 fe7f::1 fec0:0:0:ffff::1"),
        ];
        for (expected, addresses) in table {
            for address in addresses.split(' ') {
                assert_eq!(class(address), expected, "{address}");
            }
        }
    }

    #[test]
    fn embedded_address_is_judged() {
        let table = [
            ("::ffff:10.0.0.5", "10.0.0.5", Class::Private),
            ("::ffff:127.0.0.1", "127.0.0.1", Class::Sinkhole),
            ("64:ff9b::10.0.0.5", "10.0.0.5", Class::Private),
            ("64:ff9b::100.64.0.1", "100.64.0.1", Class::SharedAddressSpace),
            ("64:ff9b::20.150.190.99", "20.150.190.99", Class::Public),
            ("64:ff9b:1::10.0.0.5", "10.0.0.5", Class::Private),
            ("64:ff9b:1:abcd::10.0.0.5", "10.0.0.5", Class::Private),
            ("64:ff9b:1:0a00:0:0500::", "10.0.0.5", Class::Private),
            ("64:ff9b:1::", "0.0.0.0", Class::Sinkhole),
        ];
        for (address, embedded, expected) in table {
            assert_eq!(embedded_ipv4(address.parse().expect("an address")), embedded.parse().ok(), "{address}");
            assert_eq!(class(address), expected, "{address}");
        }
        for address in ["10.0.0.5", "2603::1", "64:ff9b:2::10.0.0.5", "64:ff9c::1"] {
            assert_eq!(embedded_ipv4(address.parse().expect("an address")), None, "{address}");
        }
    }

    #[test]
    fn named_range_wins_over_shared_and_public_but_never_over_a_sinkhole() {
        let ranges: Vec<IpNet> = ["165.21.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "2603::/16", "0.0.0.0/32"]
            .iter()
            .map(|range| range.parse().expect("a range"))
            .collect();
        let with = |address: &str| classify(address.parse().expect("an address"), &ranges);
        for address in ["165.21.17.148", "100.64.0.1", "2603::1", "64:ff9b::165.21.17.148", "::ffff:165.21.17.148"] {
            assert_eq!(with(address), Class::Private, "{address}");
        }
        for address in ["127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1"] {
            assert_eq!(with(address), Class::Sinkhole, "{address}");
        }
        assert_eq!(with("165.22.0.1"), Class::Public);
    }

    #[test]
    fn range_may_name_the_address_or_the_one_within_it() {
        let within = |range: &str| {
            classify("64:ff9b::20.150.190.99".parse().expect("an address"), &[range.parse().expect("a range")])
        };
        assert_eq!(within("64:ff9b::/96"), Class::Private);
        assert_eq!(within("20.150.0.0/16"), Class::Private);
        assert_eq!(within("20.151.0.0/16"), Class::Public);
    }

    #[test]
    fn heartbeat_address_holds_the_machines_own() {
        let table = [
            ("fd40:1085:12:6d79:7712:100:c0a8:4", "192.168.0.4"),
            ("fd40:1085:12:b979:7712:100:c0a8:104", "192.168.1.4"),
            ("fd40:1085:12:b879:7712:100:c0a8:204", "192.168.2.4"),
            ("fd40:1085:12:c879:7712:100:c0a8:304", "192.168.3.4"),
            ("fd40:1085:12:6c07:7412:100:c0a8:404", "192.168.4.4"),
        ];
        for (heartbeat, own) in table {
            assert_eq!(heartbeat_ipv4(heartbeat.parse().expect("an address")), own.parse().ok(), "{heartbeat}");
        }
        assert_eq!(heartbeat_ipv4("fd41::c0a8:4".parse().expect("an address")), None);
    }

    /// The ranges once more, as text and by another way of comparing: the longest match of a table decides.
    fn by_table(address: IpAddr) -> Class {
        const TABLE: [(&str, Class); 18] = [
            ("0.0.0.0/0", Class::Public),
            ("0.0.0.0/8", Class::Sinkhole),
            ("10.0.0.0/8", Class::Private),
            ("100.64.0.0/10", Class::SharedAddressSpace),
            ("127.0.0.0/8", Class::Sinkhole),
            ("169.254.0.0/16", Class::Sinkhole),
            ("172.16.0.0/12", Class::Private),
            ("192.168.0.0/16", Class::Private),
            ("224.0.0.0/4", Class::Sinkhole),
            ("240.0.0.0/4", Class::Sinkhole),
            ("::/0", Class::Public),
            ("::/128", Class::Sinkhole),
            ("::1/128", Class::Sinkhole),
            ("fc00::/8", Class::Private),
            ("fd00::/8", Class::Private),
            ("fe80::/10", Class::Sinkhole),
            ("ff00::/8", Class::Sinkhole),
            ("ff00::/16", Class::Sinkhole),
        ];
        let address = embedded_ipv4(address).map_or(address, IpAddr::V4);
        TABLE
            .iter()
            .map(|(range, class)| (range.parse::<IpNet>().expect("a range"), *class))
            .filter(|(range, _)| range.contains(&address))
            .max_by_key(|(range, _)| range.prefix_len())
            .map(|(_, class)| class)
            .expect("a default for each family")
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn classes_agree_with_the_table(v4: u32, v6: u128, low: u16, prefix in 0usize..6) {
            let heads: [u128; 6] = [0, 0xffff << 32, 0x0064_ff9b << 96, 0x0064_ff9b_0001 << 80, 0xfd40 << 112, 0xfe80 << 112];
            let close = heads[prefix] | u128::from(v4);
            for address in [
                IpAddr::V4(v4.into()),
                IpAddr::V6(v6.into()),
                IpAddr::V6(close.into()),
                IpAddr::V6((heads[prefix] | u128::from(low)).into()),
            ] {
                prop_assert_eq!(classify(address, &[]), by_table(address), "{}", address);
            }
        }

        #[test]
        fn naming_every_range_leaves_only_private_and_sinkholes(v4: u32, v6: u128) {
            let all = ["0.0.0.0/0".parse().expect("a range"), "::/0".parse().expect("a range")];
            for address in [IpAddr::V4(v4.into()), IpAddr::V6(v6.into())] {
                let class = classify(address, &all);
                prop_assert_eq!(class == Class::Sinkhole, classify(address, &[]) == Class::Sinkhole);
                prop_assert!(matches!(class, Class::Private | Class::Sinkhole));
            }
        }
    }
}
