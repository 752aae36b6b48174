//! `NO_PROXY`: which hosts go around a proxy, as curl decides it.
//!
//! Source: `Curl_check_noproxy`, <https://github.com/curl/curl/blob/master/lib/noproxy.c>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::azure::is_within;

/// Octets of an entry that curl takes for an address.
const LONGEST_ADDRESS: usize = 128;

/// Whether a list exempts a host: a name, or an address without brackets. Ports play no part.
///
/// Entries are separated by commas and blanks. `*` alone exempts everything. A name exempts itself and all names below it,
/// with or without a leading dot; one trailing dot is ignored. An address exempts itself, `10.0.0.0/8` its range. A pattern
/// like `10.*` exempts nothing. Ranges of IPv6 are matched as curl's manual has them; curl 7.88 compares such addresses as
/// text.
pub fn exempts(no_proxy: &str, host: &str) -> bool {
    if no_proxy == "*" {
        return true;
    }
    let mut entries = no_proxy.split([' ', '\t', ',']).filter(|entry| !entry.is_empty());
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return entries.any(|entry| holds_address(entry, address));
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    !host.is_empty() && entries.any(|entry| holds_name(entry, host))
}

fn holds_name(entry: &str, host: &str) -> bool {
    let entry = entry.strip_suffix('.').unwrap_or(entry);
    let entry = entry.strip_prefix('.').unwrap_or(entry);
    is_within(&host.to_ascii_lowercase(), &entry.to_ascii_lowercase())
}

fn holds_address(entry: &str, address: IpAddr) -> bool {
    if entry.len() >= LONGEST_ADDRESS {
        return false;
    }
    let (network, bits) = match entry.split_once('/') {
        // Like C's `atoi`, which curl uses: what is not a number is 0, and 0 stands for the address itself.
        Some((network, bits)) => (network, leading_number(bits)),
        None => (entry, 0),
    };
    match address {
        IpAddr::V4(address) => network.parse::<Ipv4Addr>().is_ok_and(|network| {
            same_bits(u128::from(network.to_bits()), u128::from(address.to_bits()), bits, u32::BITS)
        }),
        IpAddr::V6(address) => network
            .parse::<Ipv6Addr>()
            .is_ok_and(|network| same_bits(network.to_bits(), address.to_bits(), bits, u128::BITS)),
    }
}

fn leading_number(text: &str) -> u32 {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn same_bits(network: u128, address: u128, bits: u32, width: u32) -> bool {
    if bits > width {
        return false;
    }
    let shift = if bits == 0 { 0 } else { width - bits };
    network.checked_shr(shift) == address.checked_shr(shift)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_networks_are_matched_as_curl_does() {
        let table = [
            ("*", "anything.example", true),
            ("example.com", "ods.example.com", true),
            (".example.com", "example.com", true),
            ("example.com", "notexample.com", false),
            ("a, b.com", "x.B.com", true),
            ("169.254.169.254", "169.254.169.254", true),
            ("169.254.0.0/16", "169.254.169.254", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "[fd12::1]", true),
            ("", "example.com", false),
            (",,", "example.com", false),
            ("10.*", "10.1.2.3", false),
            ("10.0.0.0/x", "10.0.0.0", true),
            ("10.0.0.0/x", "10.0.0.1", false),
            ("10.0.0.0/x", "11.0.0.1", false),
            ("10.0.0.0/8x", "10.9.9.9", true),
            ("10.0.0.0/0", "10.0.0.1", false),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("0.0.0.0/1", "128.0.0.1", false),
            ("fd00::/129", "fd00::", false),
            ("fd12::1/x", "fd12::1", true),
            ("example.com", "m", false),
            ("*", "", true),
            ("", "", false),
            (" ", "", false),
            ("*,", "example.com", false),
        ];
        for (list, host, exempt) in table {
            assert_eq!(exempts(list, host), exempt, "{list} {host}");
        }
    }

    #[test]
    fn entry_longer_than_curl_takes_is_no_address() {
        let network = |length: usize| format!("10.0.0.0/{}8", "0".repeat(length - "10.0.0.0/8".len()));
        assert!(exempts(&network(LONGEST_ADDRESS - 1), "10.1.2.3"));
        assert!(!exempts(&network(LONGEST_ADDRESS), "10.1.2.3"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_list_is_taken_and_exempts_what_it_names(
            list: String,
            like in "[a-z0-9.:/*, ]{0,30}",
            name in "[a-z]([a-z0-9-]{0,9}[a-z0-9])?(\\.[a-z]([a-z0-9-]{0,9}[a-z0-9])?){0,3}",
            octets: [u8; 4],
        ) {
            let _ = exempts(&like, &list);
            let address = IpAddr::from(octets).to_string();
            for host in [&name, &address] {
                let among = format!("a.invalid,{host}");
                prop_assert!(exempts(host, host) && exempts(&among, host));
                prop_assert!(!exempts("a.invalid 255.255.255.255/32", host) || octets == [255; 4]);
            }
            let below = format!("x.{name}");
            prop_assert!(exempts(&name, &below) && !exempts(&below, &name), "{name}");
            let apart = format!("x{name}");
            prop_assert!(!exempts(&name, &apart), "{name}");
        }
    }
}
