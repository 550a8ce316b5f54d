//! The addresses that a name may stand for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a name may stand for the address. Whoever controls a name can resolve it to any address.
/// So this machine, link-local addresses, and the metadata services of clouds, which give a machine
/// its secrets, must be allowed by address.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_4(ip),
        IpAddr::V6(ip) => is_public_6(ip),
    }
}

fn is_public_4(ip: Ipv4Addr) -> bool {
    // Those of Alibaba and Azure lie among addresses that are public elsewhere.
    const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
    match ip.octets() {
        // This network, this machine, and addresses for protocols: Oracle's metadata service is
        // 192.0.0.192.
        [0 | 127, ..] | [192, 0, 0, _] => false,
        // Link-local; most metadata services are 169.254.169.254.
        [169, 254, ..] => false,
        // Multicast and reserved.
        [224..=255, ..] => false,
        _ => !METADATA.contains(&ip),
    }
}

fn is_public_6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        // A local NAT64, whose format is not known here.
        [0x64, 0xFF9B, 1, ..] => false,
        // Multicast, link-local and site-local.
        [0xFF00..=0xFFFF, ..] | [0xFE80..=0xFEFF, ..] => false,
        // The metadata services of Amazon, Google and Scaleway.
        [0xFD00, 0xEC2, ..] | [0xFD20, 0xCE, ..] | [0xFD00, 0x42, ..] => false,
        // This machine, the unspecified address, and IPv4-compatible addresses.
        [0, 0, 0, 0, 0, 0, ..] => false,
        _ => within(ip).is_none_or(is_public_4),
    }
}

/// The IPv4 address that an IPv6 address leads to, through a router or a tunnel.
fn within(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let pair = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match ip.segments() {
        // IPv4-translated, and NAT64.
        [0, 0, 0, 0, 0xFFFF, 0, high, low] => Some(pair(high, low)),
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => Some(pair(high, low)),
        // 6to4, and Teredo, which inverts the bits.
        [0x2002, high, low, ..] => Some(pair(high, low)),
        [0x2001, 0, _, _, _, _, high, low] => Some(pair(!high, !low)),
        // ISATAP, with any prefix.
        [_, _, _, _, 0 | 0x200, 0x5EFE, high, low] => Some(pair(high, low)),
        _ => None,
    }
}
