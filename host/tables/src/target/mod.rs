//! Target identifiers: what an order names, as text and as match keys.

mod fault;
mod key;
mod parse;
mod text;

use crate::Key;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use writ_abi::{PortSide, parse::TunnelKind};

pub use fault::{ParseTargetError, ParseTargetErrorKind, TargetFault};

/// Shortest IPv4 prefix that a target may be.
pub const IPV4_PREFIX_BITS_MIN: u8 = 16;
/// Shortest IPv6 prefix that a target may be.
pub const IPV6_PREFIX_BITS_MIN: u8 = 32;
/// Highest VLAN id; 0 and 4095 name no VLAN.
const VLAN_ID_MAX: u16 = 4094;

/// A transport protocol whose ports the card's parser reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// IP protocol number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    /// Name in lower case, as [`Target`] reads and writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }

    /// The protocol for its name in any case, or for its number in decimal.
    fn from_text(text: &str) -> Option<Self> {
        let number = text.parse::<u8>().ok();
        Self::ALL.into_iter().find(|each| text.eq_ignore_ascii_case(each.name()) || number == Some(each.number()))
    }
}

/// One end of a flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    /// Its address.
    pub address: IpAddr,
    /// Its port, not 0.
    pub port: u16,
}

/// Where the packets of a tunnel go, next to its identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TunnelTarget {
    /// A tunnel over IP, towards one address. A tunnel has one identifier for each direction; an order for both names two.
    Ip {
        /// Kind, one of those over IP.
        kind: TunnelKind,
        /// Identifier; 0 for a kind that has none.
        identifier: u32,
        /// Destination of the outer packets.
        destination: IpAddr,
    },
    /// A PPPoE session, towards one MAC address.
    Pppoe {
        /// Session id.
        session: u16,
        /// Destination of the frames.
        destination: [u8; 6],
    },
    /// An MPLS label at the bottom of the stack.
    Mpls {
        /// The label, 20 bits.
        label: u32,
    },
}

/// One identifier that an order names. Read from text with [`str::parse`].
///
/// `Debug` shows the kind only: who is under interception does not belong into logs. [`Target::reveal`] shows all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// One IPv4 address, any port and protocol. Text: `ipv4=192.0.2.1`.
    Ipv4(Ipv4Addr),
    /// One IPv6 address, any port and protocol. Text: `ipv6=2001:db8::1`.
    Ipv6(Ipv6Addr),
    /// The addresses of an IPv4 prefix. Text: `ipv4=192.0.2.0/24`.
    Ipv4Prefix {
        /// Its first address.
        network: Ipv4Addr,
        /// Its length.
        bits: u8,
    },
    /// The addresses of an IPv6 prefix, such as a subscriber's delegated one. Text: `ipv6=2001:db8:0:100::/56`.
    Ipv6Prefix {
        /// Its first address.
        network: Ipv6Addr,
        /// Its length.
        bits: u8,
    },
    /// One transport endpoint. Text: `endpoint=192.0.2.1:5060/udp` or `endpoint=[2001:db8::1]:443/tcp`.
    Endpoint {
        /// Address of the endpoint.
        address: IpAddr,
        /// Transport protocol.
        protocol: Protocol,
        /// Port, not 0.
        port: u16,
    },
    /// One flow, both ways. Text: `flow=192.0.2.1:1025-198.51.100.7:443/tcp`; the first end is the target's.
    Flow {
        /// The target's end.
        target: End,
        /// The other end.
        peer: End,
        /// Transport protocol.
        protocol: Protocol,
    },
    /// What one tunnel carries. Text: `tunnel=gtpu:0x1a2b@192.0.2.1`, `vxlan:77@…`, `geneve:77@…`, `gre:5@…`, `gre@…` (no key), `l2tp:12/34@…`,
    /// `ipip@…`, `pppoe:17@00:53:00:00:00:01`, `mpls:16001`.
    Tunnel(TunnelTarget),
    /// One station. Text: `mac=00:53:00:00:00:01`.
    Mac([u8; 6]),
    /// One VLAN of one port. Text: `vlan=a:100`, or `vlan=a:100.200` for the VLAN 200 inside VLAN 100.
    Vlan {
        /// The port that frames come in on.
        port: PortSide,
        /// Id of the first tag.
        first: u16,
        /// Id of the second tag; without it frames with one tag.
        second: Option<u16>,
    },
}

impl Target {
    /// The match keys of the target. `prefix_bits` is the length of the prefixes in the card's prefix table, if it has one.
    ///
    /// A prefix of another length, or of IPv4, takes two rules.
    pub fn keys(&self, prefix_bits: Option<u8>) -> Vec<Key> {
        match *self {
            Self::Ipv4(address) => vec![Key::address(address.into())],
            Self::Ipv6(address) => vec![Key::address(address.into())],
            Self::Ipv4Prefix { network, bits } => Key::prefix_rules(network.into(), bits).into(),
            Self::Ipv6Prefix { network, bits } if prefix_bits == Some(bits) => vec![Key::prefix(network, bits)],
            Self::Ipv6Prefix { network, bits } => Key::prefix_rules(network.into(), bits).into(),
            Self::Endpoint { address, protocol, port } => vec![Key::endpoint(address, protocol, port)],
            Self::Flow { target, peer, protocol } => Key::flow(target, peer, protocol).into_iter().collect(),
            Self::Tunnel(tunnel) => vec![Key::tunnel(&tunnel)],
            Self::Mac(address) => vec![Key::mac(address)],
            Self::Vlan { port, first, second } => vec![Key::vlan(port, first, second)],
        }
    }

    /// Whether hits of the target may be frames without an IP packet, so that only a delivery of whole frames carries all of them.
    ///
    /// They are those whose key stands in front of the outer IP header: a PPPoE session carries its own control packets, and a label any payload.
    pub const fn selects_frames(&self) -> bool {
        match self {
            Self::Mac(_) | Self::Vlan { .. } => true,
            Self::Tunnel(TunnelTarget::Pppoe { .. } | TunnelTarget::Mpls { .. }) => true,
            Self::Tunnel(TunnelTarget::Ip { .. }) => false,
            Self::Ipv4(_) | Self::Ipv6(_) | Self::Ipv4Prefix { .. } | Self::Ipv6Prefix { .. } => false,
            Self::Endpoint { .. } | Self::Flow { .. } => false,
        }
    }

    /// Checks that the target names one host or one subscriber's piece of network, so that nobody else's packets are selected with it.
    ///
    /// # Errors
    /// [`TargetFault`].
    pub fn check(&self) -> Result<(), TargetFault> {
        match *self {
            Self::Ipv4(address) => check_ipv4(address),
            Self::Ipv6(address) => check_ipv6(address),
            Self::Ipv4Prefix { network, bits } => check_ipv4_prefix(network, bits),
            Self::Ipv6Prefix { network, bits } => check_ipv6_prefix(network, bits),
            Self::Endpoint { address, port, .. } => check_end(&End { address, port }),
            Self::Flow { target, peer, .. } if target.address.is_ipv4() != peer.address.is_ipv4() => {
                Err(TargetFault::TwoVersions)
            }
            Self::Flow { target, peer, .. } => check_end(&target).and(check_end(&peer)),
            Self::Tunnel(tunnel) => check_tunnel(&tunnel),
            Self::Mac(address) => check_mac(address),
            Self::Vlan { first, second, .. } => check_vlan(first, second),
        }
    }
}

fn check_end(end: &End) -> Result<(), TargetFault> {
    if end.port == 0 { Err(TargetFault::PortZero) } else { check_address(end.address) }
}

fn check_address(address: IpAddr) -> Result<(), TargetFault> {
    match address {
        IpAddr::V4(address) => check_ipv4(address),
        IpAddr::V6(address) => check_ipv6(address),
    }
}

fn check_ipv4(address: Ipv4Addr) -> Result<(), TargetFault> {
    // 0.0.0.0 and 255.255.255.255 stand in every subscriber's DHCP packets.
    if address.is_unspecified() || address.is_broadcast() {
        Err(TargetFault::SharedAddress)
    } else if address.is_multicast() {
        Err(TargetFault::Multicast)
    } else {
        Ok(())
    }
}

fn check_ipv6(address: Ipv6Addr) -> Result<(), TargetFault> {
    if address.is_unspecified() {
        Err(TargetFault::SharedAddress)
    } else if address.is_multicast() {
        Err(TargetFault::Multicast)
    } else if address.to_ipv4_mapped().is_some() {
        Err(TargetFault::MappedIpv4)
    } else {
        Ok(())
    }
}

fn check_ipv4_prefix(network: Ipv4Addr, bits: u8) -> Result<(), TargetFault> {
    if !(IPV4_PREFIX_BITS_MIN..32).contains(&bits) {
        return Err(TargetFault::PrefixLength { minimum: IPV4_PREFIX_BITS_MIN, maximum: 31 });
    }
    if u32::from(network) << bits != 0 {
        return Err(TargetFault::HostBits);
    }
    check_ipv4(network)
}

fn check_ipv6_prefix(network: Ipv6Addr, bits: u8) -> Result<(), TargetFault> {
    if !(IPV6_PREFIX_BITS_MIN..128).contains(&bits) {
        return Err(TargetFault::PrefixLength { minimum: IPV6_PREFIX_BITS_MIN, maximum: 127 });
    }
    if u128::from(network) << bits != 0 {
        return Err(TargetFault::HostBits);
    }
    check_ipv6(network)
}

fn check_tunnel(tunnel: &TunnelTarget) -> Result<(), TargetFault> {
    match *tunnel {
        TunnelTarget::Ip { kind: TunnelKind::Pppoe | TunnelKind::Mpls, .. } => Err(TargetFault::NotOverIp),
        TunnelTarget::Ip { kind, identifier, destination } => {
            if u64::from(identifier) >> kind.identifier_bits() != 0 {
                return Err(TargetFault::Identifier { bits: kind.identifier_bits() });
            }
            check_address(destination)
        }
        // Session 0 is discovery, session 0xffff is reserved [RFC 2516 §4].
        TunnelTarget::Pppoe { session: 0 | 0xffff, .. } => Err(TargetFault::Reserved),
        TunnelTarget::Pppoe { destination, .. } => check_mac(destination),
        // Labels 0 to 15 have a meaning for every router [RFC 3032 §2.1].
        TunnelTarget::Mpls { label: 0..=15 } => Err(TargetFault::Reserved),
        TunnelTarget::Mpls { label } if label >> 20 != 0 => Err(TargetFault::Identifier { bits: 20 }),
        TunnelTarget::Mpls { .. } => Ok(()),
    }
}

fn check_mac(address: [u8; 6]) -> Result<(), TargetFault> {
    if address == [0; 6] || address == [0xff; 6] {
        Err(TargetFault::SharedAddress)
    } else if address[0] & 1 == 1 {
        Err(TargetFault::Multicast)
    } else {
        Ok(())
    }
}

fn check_vlan(first: u16, second: Option<u16>) -> Result<(), TargetFault> {
    let named = |id: u16| (1..=VLAN_ID_MAX).contains(&id);
    if named(first) && second.is_none_or(named) { Ok(()) } else { Err(TargetFault::VlanId) }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4(_) => "Ipv4(redacted)",
            Self::Ipv6(_) => "Ipv6(redacted)",
            Self::Ipv4Prefix { .. } => "Ipv4Prefix(redacted)",
            Self::Ipv6Prefix { .. } => "Ipv6Prefix(redacted)",
            Self::Endpoint { .. } => "Endpoint(redacted)",
            Self::Flow { .. } => "Flow(redacted)",
            Self::Tunnel(_) => "Tunnel(redacted)",
            Self::Mac(_) => "Mac(redacted)",
            Self::Vlan { .. } => "Vlan(redacted)",
        })
    }
}
