//! Addresses moved under a key: the class stays, equal ones stay equal, and two that share a prefix share one as long.
//!
//! Each bit is flipped or not by a keyed hash of the bits before it, as in Crypto-PAn
//! (<https://doi.org/10.1109/ICNP.2002.1181415>); the bits that make the class are left alone.

use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ampls_probes::addr::{AZURE_DNS, Class, METADATA, classify, embedded_ipv4};
use siphasher::sip::SipHasher24;

/// Prefixes shorter than this name no network in particular.
pub(super) const SHORTEST: u8 = 8;

/// Public resolvers that everybody may use: they tell nothing of a network but that it uses them, which rules depend on.
const PUBLIC_RESOLVERS: [&str; 15] = [
    "1.0.0.1",
    "1.1.1.1",
    "8.8.4.4",
    "8.8.8.8",
    "9.9.9.9",
    "149.112.112.112",
    "208.67.220.220",
    "208.67.222.222",
    "94.140.14.14",
    "94.140.15.15",
    "2001:4860:4860::8844",
    "2001:4860:4860::8888",
    "2606:4700:4700::1001",
    "2606:4700:4700::1111",
    "2620:fe::fe",
];

/// Moves addresses.
pub(super) struct Addresses {
    key: [u8; 16],
}

impl Addresses {
    pub(super) fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// Where an address is moved to. Those that are the same everywhere stay.
    pub(super) fn moved(&self, address: IpAddr) -> IpAddr {
        let everywhere = [AZURE_DNS.ip(), METADATA.ip()].contains(&address)
            || PUBLIC_RESOLVERS.iter().any(|known| known.parse() == Ok(address));
        if everywhere {
            return address;
        }
        match address {
            IpAddr::V4(address) => self.v4(address).into(),
            IpAddr::V6(address) => self.v6(address).into(),
        }
    }

    fn v4(&self, address: Ipv4Addr) -> Ipv4Addr {
        let octets = address.octets();
        let fixed = match octets {
            [0 | 127 | 224..=255, ..] => return address,
            [10, ..] => 8,
            [100, second, ..] if second & 0xc0 == 64 => 10,
            [172, second, ..] if second & 0xf0 == 16 => 12,
            [192, 168, ..] | [169, 254, ..] => 16,
            _ => return self.public_v4(octets),
        };
        let moved = self.flipped(4, u128::from(address.to_bits()) << 96, fixed, 32) >> 96;
        Ipv4Addr::from_bits(u32::try_from(moved).unwrap_or_default())
    }

    /// The first octet is exchanged for one whose addresses are all public too, or, where only a part of them is, the
    /// second for one of that part.
    fn public_v4(&self, octets: [u8; 4]) -> Ipv4Addr {
        let public = |first: u8, second: u8| classify(Ipv4Addr::new(first, second, 0, 0).into(), &[]) == Class::Public;
        let whole = |first: &u8| {
            (0..=255).step_by(8).all(|second| public(*first, second)) && public(*first, 168) && public(*first, 254)
        };
        let [first, second, ..] = octets;
        let moved = |fixed| {
            let bits = u128::from(u32::from_be_bytes(octets)) << 96;
            u32::try_from(self.flipped(4, bits, fixed, 32) >> 96).unwrap_or_default().to_be_bytes()
        };
        if whole(&first) {
            let [_, second, third, fourth] = moved(8);
            let firsts: Vec<u8> = (1..224).filter(whole).collect();
            return Ipv4Addr::new(self.exchanged(0, first, &firsts), second, third, fourth);
        }
        let seconds: Vec<u8> = (0..=255).filter(|second| public(first, *second)).collect();
        let [_, _, third, fourth] = moved(16);
        Ipv4Addr::new(first, self.exchanged(first, second, &seconds), third, fourth)
    }

    /// A permutation of some octets under the key.
    fn exchanged(&self, salt: u8, octet: u8, octets: &[u8]) -> u8 {
        let mut shuffled = octets.to_vec();
        shuffled.sort_by_key(|octet| self.hash(&[0, salt, *octet]));
        octets.iter().position(|it| *it == octet).and_then(|at| shuffled.get(at)).copied().unwrap_or(octet)
    }

    fn v6(&self, address: Ipv6Addr) -> Ipv6Addr {
        let bits = address.to_bits();
        if let Some(inner) = embedded_ipv4(address.into()) {
            let moved = match self.moved(inner.into()) {
                IpAddr::V4(moved) => moved,
                IpAddr::V6(_) => inner,
            };
            let low = u128::from(inner.to_bits());
            if bits & 0xffff_ffff == low {
                return Ipv6Addr::from_bits(bits ^ low ^ u128::from(moved.to_bits()));
            }
            // The /48 form of RFC 6052 2.2.
            let mut octets = address.octets();
            let [a, b, c, d] = moved.octets();
            for (at, octet) in [(6, a), (7, b), (9, c), (10, d)] {
                if let Some(place) = octets.get_mut(at) {
                    *place = octet;
                }
            }
            return octets.into();
        }
        let fixed = match address.segments() {
            [0xfec0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0, 0, 0, _] | [0xff00..=0xffff, ..] => return address,
            [0xfe80..=0xfebf, ..] => 64,
            // The platform's own addresses of Private Link; the machine's stands in the last 32 bits.
            [0xfd40, ..] => 96,
            [0xfc00..=0xfdff, ..] => 8,
            [0x2000..=0x3fff, ..] => 3,
            _ => 16,
        };
        Ipv6Addr::from_bits(self.flipped(6, bits, fixed, 128))
    }

    /// Bits from `fixed` to `width`, counted from the left, flipped by what stands before each.
    fn flipped(&self, family: u8, bits: u128, fixed: u32, width: u32) -> u128 {
        (fixed..width).fold(bits, |moved, at| {
            let before = if at == 0 { 0 } else { bits >> (128 - at) };
            let [a, ..] = at.to_be_bytes();
            let mut input = vec![family, a, u8::try_from(at).unwrap_or_default()];
            input.extend(before.to_be_bytes());
            moved ^ (u128::from(self.hash(&input) & 1) << (127 - at))
        })
    }

    fn hash(&self, input: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(input);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shared(one: u128, other: u128) -> u32 {
        (one ^ other).leading_zeros()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_class_stays(key: [u8; 16], v4: u32, v6: u128, private in 0_u32..1 << 24, kind in 0_usize..5) {
            let moving = Addresses::new(key);
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
        fn neighbours_stay_neighbours_and_strangers_strangers(key: [u8; 16], one: u32, length in 16_u32..32) {
            let moving = Addresses::new(key);
            let other = one ^ (1 << (31 - length));
            let special = |it: u32| classify(Ipv4Addr::from_bits(it).into(), &[]) == Class::Sinkhole;
            prop_assume!(!special(one) && !special(other));
            let moved = |it: u32| match moving.moved(Ipv4Addr::from_bits(it).into()) {
                IpAddr::V4(it) => u128::from(it.to_bits()) << 96,
                IpAddr::V6(it) => it.to_bits(),
            };
            prop_assert_eq!(shared(moved(one), moved(other)), length);
        }

        #[test]
        fn two_addresses_never_become_one(key: [u8; 16], one: u32, other: u32) {
            let moving = Addresses::new(key);
            let moved = |it: u32| moving.moved(Ipv4Addr::from_bits(it).into());
            prop_assert_eq!(moved(one) == moved(other), one == other);
        }
    }

    #[test]
    fn what_is_the_same_everywhere_stays() {
        let moving = Addresses::new([7; 16]);
        for address in
            ["168.63.129.16", "169.254.169.254", "127.0.0.53", "0.0.0.0", "::1", "8.8.8.8", "fec0:0:0:ffff::1"]
        {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(moving.moved(address), address);
        }
    }

    #[test]
    fn another_key_moves_elsewhere() {
        let address: IpAddr = "10.0.0.5".parse().unwrap();
        assert_ne!(Addresses::new([1; 16]).moved(address), Addresses::new([2; 16]).moved(address));
    }
}
