//! From a match key back to the target that it stands for.

use super::{End, Protocol, Target, TunnelTarget};
use crate::{Area, Key, Table};
use core::net::IpAddr;
use writ_abi::{PortSide, key, parse::TunnelKind};

impl Key {
    /// The target whose key this is, or one of whose keys; `None` for a key that no target has. `prefix_bits` is the length of the prefixes in the
    /// card's prefix table.
    pub fn target(&self, prefix_bits: Option<u8>) -> Option<Target> {
        let bytes = self.padded_bytes();
        let target = match self.area() {
            Area::Table(Table::Address) => match key::address_of(bytes)? {
                IpAddr::V4(address) => Target::Ipv4(address),
                IpAddr::V6(address) => Target::Ipv6(address),
            },
            Area::Table(Table::Prefix) => prefix(key::address_of(bytes)?, prefix_bits?),
            Area::Table(Table::Endpoint) => Target::Endpoint {
                address: key::address_of(bytes)?,
                protocol: protocol(bytes[17])?,
                port: u16::from_be_bytes([bytes[18], bytes[19]]),
            },
            Area::Table(Table::FiveTuple) => {
                let end = |address, port: usize| {
                    let port = u16::from_be_bytes([bytes[port], bytes[port + 1]]);
                    Some(End { address: address_at(bytes, address)?, port })
                };
                Target::Flow { target: end(1, 34)?, peer: end(17, 36)?, protocol: protocol(bytes[33])? }
            }
            Area::Table(Table::Tunnel) => Target::Tunnel(tunnel(bytes)?),
            Area::Table(Table::Mac) => Target::Mac(*bytes.first_chunk()?),
            Area::Table(Table::Vlan) => {
                let id = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
                let second = Some(id(3)).filter(|id| *id != key::NO_VLAN);
                Target::Vlan { port: PortSide::from_bits(bytes[0])?, first: id(1), second }
            }
            Area::Rules => {
                let at = if self.is_destination() { 17 } else { 1 };
                let ones: u32 = self.mask()[at..at + 16].iter().map(|byte| byte.count_ones()).sum();
                prefix(address_at(bytes, at)?, u8::try_from(ones).ok()?)
            }
        };
        target.keys(prefix_bits).contains(self).then_some(target)
    }
}

/// The address of which sixteen bytes stand at `at`; the version stands in front.
fn address_at(bytes: &[u8], at: usize) -> Option<IpAddr> {
    let mut address = [0; key::ADDRESS_KEY_BYTES];
    address[0] = bytes[0];
    address[1..].copy_from_slice(bytes.get(at..at + 16)?);
    key::address_of(&address)
}

const fn prefix(network: IpAddr, bits: u8) -> Target {
    match network {
        IpAddr::V4(network) => Target::Ipv4Prefix { network, bits },
        IpAddr::V6(network) => Target::Ipv6Prefix { network, bits },
    }
}

fn protocol(number: u8) -> Option<Protocol> {
    Protocol::ALL.into_iter().find(|protocol| protocol.number() == number)
}

fn tunnel(bytes: &[u8; key::KEY_BYTES_MAX]) -> Option<TunnelTarget> {
    let identifier = u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
    Some(match TunnelKind::from_bits(bytes[0])? {
        TunnelKind::Mpls => TunnelTarget::Mpls { label: identifier },
        TunnelKind::Pppoe => {
            TunnelTarget::Pppoe { session: u16::try_from(identifier).ok()?, destination: *bytes[6..].first_chunk()? }
        }
        kind => TunnelTarget::Ip { kind, identifier, destination: key::address_of(&bytes[5..])? },
    })
}
