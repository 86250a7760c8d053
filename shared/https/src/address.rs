//! Public addresses: all that the IANA registries do not reserve.
//!
//! Sources: <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>. UNVERIFIED: compare the tables before going live.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of addresses: its first address and the length of its prefix in bits.
#[derive(Clone, Copy)]
struct Block<A> {
    start: A,
    prefix: u32,
}

/// The reserved blocks of IPv4, which no endpoint of a brand may use.
const RESERVED_V4: [Block<Ipv4Addr>; 16] = [
    Block { start: Ipv4Addr::new(0, 0, 0, 0), prefix: 8 }, // "this" network
    Block { start: Ipv4Addr::new(10, 0, 0, 0), prefix: 8 }, // private
    Block { start: Ipv4Addr::new(100, 64, 0, 0), prefix: 10 }, // carrier-grade NAT
    Block { start: Ipv4Addr::new(127, 0, 0, 0), prefix: 8 }, // loopback
    Block { start: Ipv4Addr::new(169, 254, 0, 0), prefix: 16 }, // link-local, and every cloud's metadata service
    Block { start: Ipv4Addr::new(172, 16, 0, 0), prefix: 12 },  // private
    Block { start: Ipv4Addr::new(192, 0, 0, 0), prefix: 24 },   // protocol assignments
    Block { start: Ipv4Addr::new(192, 0, 2, 0), prefix: 24 },   // documentation
    Block { start: Ipv4Addr::new(192, 88, 99, 0), prefix: 24 }, // 6to4 relays
    Block { start: Ipv4Addr::new(192, 168, 0, 0), prefix: 16 }, // private
    Block { start: Ipv4Addr::new(198, 18, 0, 0), prefix: 15 },  // benchmarks
    Block { start: Ipv4Addr::new(198, 51, 100, 0), prefix: 24 }, // documentation
    Block { start: Ipv4Addr::new(203, 0, 113, 0), prefix: 24 }, // documentation
    Block { start: Ipv4Addr::new(224, 0, 0, 0), prefix: 4 },    // multicast
    Block { start: Ipv4Addr::new(240, 0, 0, 0), prefix: 4 },    // reserved
    Block { start: Ipv4Addr::new(255, 255, 255, 255), prefix: 32 },
];

/// The reserved blocks within IPv6's global unicast space. Every address outside that space is refused.
///
/// Outside are loopback, link-local, unique-local and multicast addresses, and IPv4 in its mapped, compatible and NAT64
/// forms.
const RESERVED_V6: [Block<Ipv6Addr>; 4] = [
    Block { start: Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), prefix: 23 }, // protocol assignments, Teredo among them
    Block { start: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), prefix: 32 }, // documentation
    Block { start: Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), prefix: 16 }, // 6to4: IPv4 within
    Block { start: Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), prefix: 20 }, // documentation
];

const GLOBAL_UNICAST: Block<Ipv6Addr> =
    Block { start: Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), prefix: 3 };

/// Returns whether an endpoint of a brand may have this address.
///
/// ```
/// assert!(https::is_public("8.8.8.8".parse().unwrap()));
/// assert!(!https::is_public("169.254.169.254".parse().unwrap()));
/// ```
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !RESERVED_V4.iter().any(|block| within_v4(address, *block)),
        IpAddr::V6(address) => {
            within_v6(address, GLOBAL_UNICAST)
                && !RESERVED_V6.iter().any(|block| within_v6(address, *block))
        }
    }
}

fn within_v4(address: Ipv4Addr, block: Block<Ipv4Addr>) -> bool {
    let rest = 32_u32.saturating_sub(block.prefix);
    address.to_bits() >> rest == block.start.to_bits() >> rest
}

fn within_v6(address: Ipv6Addr, block: Block<Ipv6Addr>) -> bool {
    let rest = 128_u32.saturating_sub(block.prefix);
    address.to_bits() >> rest == block.start.to_bits() >> rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_address_is_not_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn neighbour_of_a_reserved_block_is_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.0.3.1",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
            "3ffe::1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }
}
