//! Match keys: the bits that the card compares, byte for byte.
//!
//! Byte 0 is the IP version, so that an IPv4 address never equals an IPv6 packet's bytes. All numbers stand in network
//! order; an IPv4 address takes the first four address bytes, the rest is zero.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of an address key: version, address.
pub const ADDRESS_KEY_BYTES: usize = 17;
/// Bytes of an endpoint key: version, address, protocol, port.
pub const ENDPOINT_KEY_BYTES: usize = 20;
/// Bytes that a command or completion reserves for the key of any table.
pub const KEY_BYTES_MAX: usize = 38;

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

/// An endpoint key as the card compares it. `protocol` is the IP protocol number.
pub fn endpoint_key(address: IpAddr, protocol: u8, port: u16) -> [u8; ENDPOINT_KEY_BYTES] {
    let mut key = [0; ENDPOINT_KEY_BYTES];
    key[..ADDRESS_KEY_BYTES].copy_from_slice(&address_key(address));
    key[17] = protocol;
    key[18..20].copy_from_slice(&port.to_be_bytes());
    key
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
}
