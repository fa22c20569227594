//! Match keys: the bits that the card compares, byte for byte.
//!
//! Numbers stand in network order. An address takes 17 bytes: its IP version, so that an IPv4 address never equals an IPv6
//! packet's bytes, then 16 bytes of which an IPv4 address takes the first four; the rest is zero.

use crate::parse::TunnelKind;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of an address key: version, address. A prefix key is an address key whose bits behind the prefix are zero.
pub const ADDRESS_KEY_BYTES: usize = 17;
/// Bytes of an endpoint key: address key, protocol, port.
pub const ENDPOINT_KEY_BYTES: usize = 20;
/// Bytes of a 5-tuple key: version, source address, destination address, protocol, source port, destination port.
pub const FIVE_TUPLE_KEY_BYTES: usize = 38;
/// Bytes of a tunnel key: [`TunnelKind`], identifier, address key of the outer destination.
pub const TUNNEL_KEY_BYTES: usize = 22;
/// Bytes of a MAC key.
pub const MAC_KEY_BYTES: usize = 6;
/// Bytes of a VLAN key: [`crate::PortSide`], VLAN id of the first tag, VLAN id of the second or [`NO_VLAN`].
pub const VLAN_KEY_BYTES: usize = 5;
/// Bytes that a command or completion reserves for the key of any table.
pub const KEY_BYTES_MAX: usize = 38;

/// In a VLAN key: there is no second tag.
pub const NO_VLAN: u16 = 0xffff;

/// An address key as the card compares it.
pub fn address_key(address: IpAddr) -> [u8; ADDRESS_KEY_BYTES] {
    let mut key = [0; ADDRESS_KEY_BYTES];
    match address {
        IpAddr::V4(v4) => {
            key[0] = 4;
            key[1..5].copy_from_slice(&v4.octets());
        }
        IpAddr::V6(v6) => {
            key[0] = 6;
            key[1..17].copy_from_slice(&v6.octets());
        }
    }
    key
}

/// A prefix key: the address key of the network. Bits behind the first `bits` are cleared.
pub fn prefix_key(network: Ipv6Addr, bits: u8) -> [u8; ADDRESS_KEY_BYTES] {
    let mask = if bits == 0 { 0 } else { u128::MAX << (128 - u32::from(bits.min(128))) };
    address_key(Ipv6Addr::from(u128::from(network) & mask).into())
}

/// An endpoint key as the card compares it. `protocol` is the IP protocol number.
pub fn endpoint_key(address: IpAddr, protocol: u8, port: u16) -> [u8; ENDPOINT_KEY_BYTES] {
    let mut key = [0; ENDPOINT_KEY_BYTES];
    key[..ADDRESS_KEY_BYTES].copy_from_slice(&address_key(address));
    key[17] = protocol;
    key[18..20].copy_from_slice(&port.to_be_bytes());
    key
}

/// A 5-tuple key as the card compares it, or `None` if the addresses are of two versions. `ports` are source and destination; for a
/// rule on a packet without ports both are 0.
pub fn five_tuple_key(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    ports: [u16; 2],
) -> Option<[u8; FIVE_TUPLE_KEY_BYTES]> {
    if source.is_ipv4() != destination.is_ipv4() {
        return None;
    }
    let mut key = [0; FIVE_TUPLE_KEY_BYTES];
    key[..17].copy_from_slice(&address_key(source));
    key[17..33].copy_from_slice(&address_key(destination)[1..]);
    key[33] = protocol;
    key[34..36].copy_from_slice(&ports[0].to_be_bytes());
    key[36..38].copy_from_slice(&ports[1].to_be_bytes());
    Some(key)
}

/// The key of a tunnel over IP: `outer_destination` is where the outer packet goes.
pub fn tunnel_key(kind: TunnelKind, identifier: u32, outer_destination: IpAddr) -> [u8; TUNNEL_KEY_BYTES] {
    tunnel(kind, identifier, &address_key(outer_destination))
}

/// The key of a PPPoE session: `destination` is the MAC address that the frame goes to.
pub fn pppoe_key(session: u16, destination: [u8; 6]) -> [u8; TUNNEL_KEY_BYTES] {
    let mut address = [0; ADDRESS_KEY_BYTES];
    address[1..7].copy_from_slice(&destination);
    tunnel(TunnelKind::Pppoe, session.into(), &address)
}

/// The key of an MPLS label at the bottom of the stack; its upper 12 bits are zero.
pub fn mpls_key(label: u32) -> [u8; TUNNEL_KEY_BYTES] {
    tunnel(TunnelKind::Mpls, label, &[0; ADDRESS_KEY_BYTES])
}

fn tunnel(kind: TunnelKind, identifier: u32, address: &[u8; ADDRESS_KEY_BYTES]) -> [u8; TUNNEL_KEY_BYTES] {
    let mut key = [0; TUNNEL_KEY_BYTES];
    key[0] = kind as u8;
    key[1..5].copy_from_slice(&identifier.to_be_bytes());
    key[5..].copy_from_slice(address);
    key
}

/// A VLAN key as the card compares it: the port that frames come in on, the id of the first tag, and of the second if there is one.
/// A third tag does not count.
pub fn vlan_key(port: crate::PortSide, first: u16, second: Option<u16>) -> [u8; VLAN_KEY_BYTES] {
    let ([a, b], [c, d]) = (first.to_be_bytes(), second.unwrap_or(NO_VLAN).to_be_bytes());
    [port as u8, a, b, c, d]
}

/// The address in the first [`ADDRESS_KEY_BYTES`] bytes of a key, or `None` if they are no well-formed address key.
pub fn address_of(key: &[u8]) -> Option<IpAddr> {
    let address: [u8; 16] = key.get(1..17)?.try_into().ok()?;
    match key[0] {
        4 if address[4..].iter().all(|&byte| byte == 0) => {
            Some(IpAddr::V4(Ipv4Addr::new(address[0], address[1], address[2], address[3])))
        }
        6 => Some(IpAddr::V6(Ipv6Addr::from(address))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_address_is_not_the_ipv4_address() {
        let v4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
        assert_ne!(address_key(v4.into()), address_key(v4.to_ipv6_mapped().into()));
        assert_eq!(address_of(&address_key(v4.into())), Some(v4.into()));
        let v6: IpAddr = v4.to_ipv6_mapped().into();
        assert_eq!(address_of(&endpoint_key(v6, 17, 5060)), Some(v6));
    }

    #[test]
    fn a_prefix_key_forgets_what_lies_behind_the_prefix() {
        let host = Ipv6Addr::new(0x2001, 0xdb8, 0x1234, 0x5678, 1, 2, 3, 4);
        assert_eq!(prefix_key(host, 56), address_key(Ipv6Addr::new(0x2001, 0xdb8, 0x1234, 0x5600, 0, 0, 0, 0).into()));
        assert_eq!(prefix_key(host, 128), address_key(host.into()));
        assert_eq!(prefix_key(host, 0)[1..], [0; 16]);
    }

    #[test]
    fn keys_of_tunnels_differ_by_kind_and_place() {
        let outer = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
        let gtp = tunnel_key(TunnelKind::GtpU, 0x0102_0304, outer);
        assert_eq!(gtp[..10], [1, 1, 2, 3, 4, 4, 198, 51, 100, 7]);
        assert_ne!(gtp, tunnel_key(TunnelKind::GreKey, 0x0102_0304, outer));
        assert_eq!(pppoe_key(0x11, [1, 2, 3, 4, 5, 6])[..12], [8, 0, 0, 0, 0x11, 0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(mpls_key(0xf_ffff)[..5], [9, 0, 0x0f, 0xff, 0xff]);
        assert_eq!(vlan_key(crate::PortSide::B, 100, None), [1, 0, 100, 0xff, 0xff]);
        assert_eq!(five_tuple_key(outer, IpAddr::V6(Ipv6Addr::LOCALHOST), 6, [1, 2]), None);
    }
}
