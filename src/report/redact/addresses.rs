//! Addresses moved under a key: the class stays, equal ones stay equal, and two private ones that share a prefix share one as
//! long.
//!
//! A public address becomes one of the ranges for documentation and, when these are used up, of the range for benchmarks:
//! nobody owns them, so nobody is suspected who looks a pseudonym up. Only a public range that a network uses as its own, and
//! the addresses in it, are moved like private ones, because what lies in it is judged by that.
//!
//! Of the others each bit is flipped or not by a keyed hash of the bits before it, as in Crypto-PAn
//! (<https://doi.org/10.1109/ICNP.2002.1181415>). A bit on the way to a range that is the same everywhere is left alone, so
//! that every range, of whatever length, holds after the move exactly what it held before.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ampls_probes::addr::{Class, classify, embedded_ipv4};
use ampls_probes::catalogue::sinkholes::Sinkholes;
use ipnet::IpNet;
use siphasher::sip::SipHasher24;

/// Ranges whose addresses are the same everywhere and stay: this host, loopback, multicast and reserved, Azure's DNS and
/// metadata, and the ranges of resolvers that everybody may use, which show nothing of a network but that it uses them.
const STAY: [&str; 26] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "168.63.129.16/32",
    "169.254.169.254/32",
    "1.0.0.0/24",
    "1.1.1.0/24",
    "8.8.4.0/24",
    "8.8.8.0/24",
    "9.9.9.0/24",
    "149.112.112.0/24",
    "208.67.220.0/24",
    "208.67.222.0/24",
    "94.140.14.0/24",
    "94.140.15.0/24",
    "::/128",
    "::1/128",
    "fec0:0:0:ffff::/64",
    "ff00::/8",
    "2001:4860:4860::/48",
    "2606:4700:4700::/48",
    "2620:fe::/48",
    "2620:119:35::/48",
    "2620:119:53::/48",
    "2a10:50c0::/32",
];

/// Ranges with a meaning of their own, which the addresses in them do not leave and no other enters. The last five are those
/// of public addresses' pseudonyms.
const CLASSES: [&str; 17] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "fc00::/7",
    "fd40::/16",
    "fe80::/10",
    "2000::/3",
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "198.18.0.0/15",
    "2001:db8::/32",
];

/// Where public IPv4 addresses go: the first address and the number of each range, without its first and last.
/// Sources: RFC 5737 (documentation) and RFC 2544 C.2.2 (benchmarks).
const DOCUMENTATION: [Ipv4Addr; 3] =
    [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(198, 51, 100, 1), Ipv4Addr::new(203, 0, 113, 1)];
const HOSTS: u32 = 254;
const BENCHMARKS: (Ipv4Addr, u32) = (Ipv4Addr::new(198, 18, 0, 1), 131_070);

/// Where public IPv6 addresses go. Source: RFC 3849
const DOCUMENTATION_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0);

/// Steps through the ranges; each shares no divisor with the number of addresses there, so that all are reached.
const STEPS: (u32, u32) = (311, 7_919);

/// A range as its first bits, from the left, and their number.
#[derive(Clone, Copy)]
struct Range {
    bits: u128,
    length: u32,
}

/// Moves addresses.
pub(super) struct Addresses {
    key: [u8; 16],
    /// By family: ranges that stay, then classes.
    stay: [Vec<Range>; 2],
    classes: [Vec<Range>; 2],
    /// Public ranges that a network uses as its own, and where they go.
    own: Vec<IpNet>,
    moved_own: Vec<IpNet>,
    /// Where known filters lead what they block: everybody knows these.
    of_filters: BTreeSet<IpAddr>,
    /// Originals that no pseudonym may look like.
    originals: BTreeSet<IpAddr>,
    /// How many public addresses of each family have a pseudonym.
    given: RefCell<[u32; 2]>,
    known: RefCell<BTreeMap<IpAddr, IpAddr>>,
}

fn is_within(address: IpAddr, ranges: &[IpNet]) -> bool {
    ranges.iter().any(|range| range.contains(&address))
}

impl Addresses {
    /// `own` are public ranges that a network uses as its own, `originals` the addresses that will be moved.
    pub(super) fn new(key: [u8; 16], own: Vec<IpNet>, originals: BTreeSet<IpAddr>) -> Self {
        let of_filters = Sinkholes::builtin().into_iter().flat_map(|file| file.known).flat_map(|known| known.addresses);
        let of_filters: BTreeSet<IpAddr> = of_filters.collect();
        let ranges_of_filters: Vec<String> = of_filters.iter().map(|it| IpNet::from(*it).to_string()).collect();
        let stay: Vec<&str> = STAY.into_iter().chain(ranges_of_filters.iter().map(String::as_str)).collect();
        let mut moving = Self {
            key,
            stay: [ranges(&stay, true), ranges(&stay, false)],
            classes: [ranges(&CLASSES, true), ranges(&CLASSES, false)],
            own,
            moved_own: Vec::new(),
            of_filters,
            originals,
            given: RefCell::default(),
            known: RefCell::default(),
        };
        let moved = |net: &IpNet| IpNet::new(moving.moved(net.addr()), net.prefix_len()).ok();
        moving.moved_own = moving.own.iter().filter_map(moved).collect();
        moving
    }

    /// Where an address is moved to. Those that are the same everywhere stay.
    pub(super) fn moved(&self, address: IpAddr) -> IpAddr {
        if let Some(known) = self.known.borrow().get(&address) {
            return *known;
        }
        let moved = match address {
            IpAddr::V4(address) => self.v4(address).into(),
            IpAddr::V6(address) => self.v6(address).into(),
        };
        self.known.borrow_mut().insert(address, moved);
        moved
    }

    fn v4(&self, address: Ipv4Addr) -> Ipv4Addr {
        if self.is_anybodys(address.into()) {
            return self.documented_v4(address);
        }
        let moved = self.prefix_kept(true, u128::from(address.to_bits()) << 96) >> 96;
        Ipv4Addr::from_bits(u32::try_from(moved).unwrap_or_default())
    }

    fn v6(&self, address: Ipv6Addr) -> Ipv6Addr {
        let bits = address.to_bits();
        // The platform's own addresses of Private Link carry the machine's in the last 32 bits, as translated ones do.
        let inner = embedded_ipv4(address.into()).or_else(|| ampls_probes::addr::heartbeat_ipv4(address));
        let Some(inner) = inner else {
            if self.is_anybodys(address.into()) {
                return self.documented_v6(address);
            }
            return Ipv6Addr::from_bits(self.prefix_kept(false, bits));
        };
        let moved = self.v4(inner);
        if bits & 0xffff_ffff == u128::from(inner.to_bits()) {
            let link = self.prefix_kept(false, bits) >> 32 << 32;
            return Ipv6Addr::from_bits(link | u128::from(moved.to_bits()));
        }
        // The /48 form of RFC 6052 2.2.
        let mut octets = address.octets();
        let [a, b, c, d] = moved.octets();
        for (at, octet) in [(6, a), (7, b), (9, c), (10, d)] {
            if let Some(place) = octets.get_mut(at) {
                *place = octet;
            }
        }
        octets.into()
    }

    /// A public address that no network has as its own.
    fn is_anybodys(&self, address: IpAddr) -> bool {
        let known = is_same_everywhere(address) || self.of_filters.contains(&address);
        classify(address, &[]) == Class::Public && !known && !is_within(address, &self.own)
    }

    fn documented_v4(&self, address: Ipv4Addr) -> Ipv4Addr {
        let documented = u32::try_from(DOCUMENTATION.len()).unwrap_or_default() * HOSTS;
        self.documented(address.into(), documented + BENCHMARKS.1, |number| {
            let nth = |step: u32, of: u32| {
                let place = (u64::from(self.start()) + u64::from(number) * u64::from(step)) % u64::from(of);
                u32::try_from(place).unwrap_or_default()
            };
            let (first, at) = if number < documented {
                let place = nth(STEPS.0, documented);
                let range = usize::try_from(place / HOSTS).unwrap_or_default();
                (DOCUMENTATION.get(range).copied().unwrap_or(BENCHMARKS.0), place % HOSTS)
            } else {
                (BENCHMARKS.0, nth(STEPS.1, BENCHMARKS.1))
            };
            IpAddr::V4(Ipv4Addr::from_bits(first.to_bits() + at))
        })
        .map_or(address, |pseudonym| match pseudonym {
            IpAddr::V4(pseudonym) => pseudonym,
            IpAddr::V6(_) => address,
        })
    }

    fn documented_v6(&self, address: Ipv6Addr) -> Ipv6Addr {
        self.documented(address.into(), u32::MAX, |number| {
            let place = self.start().wrapping_add(number);
            IpAddr::V6(Ipv6Addr::from_bits(DOCUMENTATION_V6.to_bits() | u128::from(place)))
        })
        .map_or(address, |pseudonym| match pseudonym {
            IpAddr::V6(pseudonym) => pseudonym,
            IpAddr::V4(_) => address,
        })
    }

    /// The next of so many pseudonyms that is nobody's original and in no range of the network's own; of the last ones, which
    /// no report of this world needs, some stand for several addresses.
    fn documented(&self, address: IpAddr, many: u32, nth: impl Fn(u32) -> IpAddr) -> Option<IpAddr> {
        let mut given = self.given.borrow_mut();
        if let Some(known) = self.known.borrow().get(&address) {
            return Some(*known);
        }
        let given = given.get_mut(usize::from(address.is_ipv6()))?;
        for _ in 0..many {
            let candidate = nth(*given % many);
            *given = given.wrapping_add(1);
            if !self.originals.contains(&candidate) && !is_within(candidate, &self.moved_own) {
                // An address within another one is asked for by itself, too.
                self.known.borrow_mut().insert(address, candidate);
                return Some(candidate);
            }
        }
        None
    }

    /// Where the pseudonyms of public addresses begin.
    fn start(&self) -> u32 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(b"start");
        u32::try_from(hasher.finish() >> 32).unwrap_or_default()
    }

    fn prefix_kept(&self, v4: bool, bits: u128) -> u128 {
        let family = usize::from(!v4);
        let of = |ranges: &[Vec<Range>; 2]| ranges.get(family).cloned().unwrap_or_default();
        let (stay, classes) = (of(&self.stay), of(&self.classes));
        if stay.iter().any(|range| range.shared(bits) == range.length) {
            return bits;
        }
        // Above the fork from a range the two halves differ in kind and cannot be exchanged.
        let fixed = stay.iter().chain(&classes).map(|range| (range.shared(bits) + 1).min(range.length)).max();
        let (width, name) = if v4 { (32, 4) } else { (128, 6) };
        self.flipped(name, bits, fixed.unwrap_or_default(), width)
    }

    /// Bits from `fixed` to `width`, counted from the left, flipped by what stands before each.
    fn flipped(&self, family: u8, bits: u128, fixed: u32, width: u32) -> u128 {
        (fixed..width).fold(bits, |moved, at| {
            let before = if at == 0 { 0 } else { bits >> (128 - at) };
            let mut hasher = SipHasher24::new_with_key(&self.key);
            hasher.write(&[family, u8::try_from(at).unwrap_or_default()]);
            hasher.write(&before.to_be_bytes());
            moved ^ (u128::from(hasher.finish() & 1) << (127 - at))
        })
    }
}

/// Whether an address is the same everywhere and never replaced.
pub(crate) fn is_same_everywhere(address: IpAddr) -> bool {
    STAY.iter().filter_map(|text| text.parse::<IpNet>().ok()).any(|net| net.contains(&address))
}

impl Range {
    /// How many of its bits an address begins with.
    fn shared(self, bits: u128) -> u32 {
        (self.bits ^ bits).leading_zeros().min(self.length)
    }
}

fn ranges(texts: &[&str], v4: bool) -> Vec<Range> {
    let nets = texts.iter().filter_map(|text| text.parse::<IpNet>().ok());
    nets.filter(|net| net.addr().is_ipv4() == v4)
        .map(|net| Range {
            bits: match net.addr() {
                IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
                IpAddr::V6(address) => address.to_bits(),
            },
            length: u32::from(net.prefix_len()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moving(key: [u8; 16]) -> Addresses {
        Addresses::new(key, Vec::new(), BTreeSet::new())
    }

    /// Every address lies in a range of the network's own.
    fn keeping(key: [u8; 16]) -> Addresses {
        let halves = ["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"];
        Addresses::new(key, halves.iter().map(|half| half.parse().unwrap()).collect(), BTreeSet::new())
    }

    #[test]
    fn public_addresses_go_where_nobody_lives() {
        let nobodys: Vec<IpNet> = CLASSES[12..].iter().map(|range| range.parse().unwrap()).collect();
        let moving = moving([9; 16]);
        let mut given = BTreeSet::new();
        for number in 0..2_000_u32 {
            let v4 = IpAddr::V4(Ipv4Addr::from_bits(0x1496_0000 + number * 37));
            let v6 = IpAddr::V6(Ipv6Addr::from_bits(0x2603_1020 << 96 | u128::from(number) << 40));
            for (number, address) in [v4, v6].into_iter().enumerate() {
                let moved = moving.moved(address);
                assert!(nobodys.iter().any(|range| range.contains(&moved)), "{address} became {moved}");
                assert!(given.insert(moved), "two addresses became {moved} ({number})");
                assert_eq!(moving.moved(address), moved);
            }
        }
        let documentation = |address: &&IpAddr| nobodys.iter().take(3).any(|range| range.contains(*address));
        assert_eq!(given.iter().filter(documentation).count(), 762, "they are used up before the others");
    }

    #[test]
    fn a_public_range_of_the_networks_own_keeps_what_lies_in_it() {
        let net: IpNet = "165.21.0.0/16".parse().unwrap();
        let moving = Addresses::new([4; 16], vec![net], BTreeSet::from(["192.0.2.7".parse().unwrap()]));
        let moved = IpNet::new(moving.moved(net.addr()), 16).unwrap();
        assert!(moved.contains(&moving.moved("165.21.17.148".parse().unwrap())));
        for number in 0..5_000_u32 {
            let pseudonym = moving.moved(IpAddr::V4(Ipv4Addr::from_bits(0x1400_0000 + number)));
            assert!(!moved.contains(&pseudonym) && pseudonym.to_string() != "192.0.2.7", "{pseudonym}");
        }
        let documented = Addresses::new([4; 16], vec!["192.0.0.0/8".parse().unwrap()], BTreeSet::new());
        let moved = documented.moved("20.1.2.3".parse().unwrap()).to_string();
        assert!(!moved.starts_with("192."), "{moved}");
    }

    fn shared(one: u128, other: u128) -> u32 {
        (one ^ other).leading_zeros()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_class_stays(key: [u8; 16], v4: u32, v6: u128, private in 0_u32..1 << 24, kind in 0_usize..5) {
            let moving = moving(key);
            let head = [10 << 24, 0xac10 << 16, 0xc0a8 << 16, 0x6440 << 16, 0xa9fe << 16][kind];
            for address in [
                IpAddr::V4(v4.into()),
                IpAddr::V6(v6.into()),
                IpAddr::V4((head | (private >> [0, 4, 8, 2, 8][kind])).into()),
                IpAddr::V6((0xffff_u128 << 32 | u128::from(v4)).into()),
                IpAddr::V6((0x0064_ff9b_u128 << 96 | u128::from(v4)).into()),
            ] {
                prop_assert_eq!(classify(moving.moved(address), &[]), classify(address, &[]), "{}", address);
            }
        }

        #[test]
        fn neighbours_stay_neighbours_and_strangers_strangers(key: [u8; 16], one: u32, length in 0_u32..32, noise: u32) {
            let moving = keeping(key);
            let other = one ^ (1 << (31 - length)) ^ (noise & ((1_u32 << (31 - length)) - 1));
            let moved = |it: u32| match moving.moved(Ipv4Addr::from_bits(it).into()) {
                IpAddr::V4(it) => u128::from(it.to_bits()) << 96,
                IpAddr::V6(it) => it.to_bits(),
            };
            prop_assert_eq!(shared(moved(one), moved(other)), length);
        }

        #[test]
        fn long_addresses_share_as_much_as_before(key: [u8; 16], one: u128, head in 0_usize..4, length in 0_u32..128) {
            let one = match head {
                0 => one,
                1 => one >> 8 | 0xfd << 120,
                2 => one >> 8 | 0x20 << 120,
                _ => one >> 16 | 0xfd40 << 112,
            };
            let other = one ^ (1 << (127 - length));
            let inside = |it: u128| Ipv6Addr::from_bits(it).segments()[..3] == [0x64, 0xff9b, 1];
            prop_assume!(!inside(one) && !inside(other));
            let moving = keeping(key);
            let moved = |it: u128| match moving.moved(Ipv6Addr::from_bits(it).into()) {
                IpAddr::V4(it) => u128::from(it.to_bits()),
                IpAddr::V6(it) => it.to_bits(),
            };
            prop_assert_eq!(shared(moved(one), moved(other)), length);
        }

        #[test]
        fn two_addresses_never_become_one(key: [u8; 16], one: u32, other: u32) {
            let moving = moving(key);
            let moved = |it: u32| moving.moved(Ipv4Addr::from_bits(it).into());
            prop_assert_eq!(moved(one) == moved(other), one == other);
        }
    }

    #[test]
    fn what_is_the_same_everywhere_stays() {
        let moving = moving([7; 16]);
        for address in
            ["168.63.129.16", "169.254.169.254", "127.0.0.53", "0.0.0.0", "::1", "8.8.8.8", "fec0:0:0:ffff::1"]
        {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(moving.moved(address), address);
        }
    }

    #[test]
    fn the_address_within_a_private_link_address_stays_the_machines() {
        let moving = moving([7; 16]);
        let moved = |text: &str| moving.moved(text.parse().unwrap());
        let IpAddr::V6(link) = moved("fd40:abcd:12:1234:6f10:5:a01:203") else { panic!("another family") };
        assert_eq!(ampls_probes::addr::heartbeat_ipv4(link).map(IpAddr::V4), Some(moved("10.1.2.3")));
        assert_ne!(link.segments()[1..6], [0xabcd, 0x12, 0x1234, 0x6f10, 5]);
        let IpAddr::V6(translated) = moved("64:ff9b:1:abcd::10.1.2.3") else { panic!("another family") };
        assert_eq!(embedded_ipv4(translated.into()).map(IpAddr::V4), Some(moved("10.1.2.3")));
        assert_ne!(translated.segments()[3], 0xabcd);
    }

    #[test]
    fn every_range_is_read() {
        let read = |v4| ranges(&STAY, v4).len() + ranges(&CLASSES, v4).len();
        assert_eq!(read(true) + read(false), STAY.len() + CLASSES.len());
    }

    #[test]
    fn another_key_moves_elsewhere() {
        let address: IpAddr = "10.0.0.5".parse().unwrap();
        assert_ne!(moving([1; 16]).moved(address), moving([2; 16]).moved(address));
    }
}
