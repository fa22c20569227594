//! What travels between the parser's stages, and what leaves it.
//!
//! Nested structs (`parsed.val().headers.outer.l3_end`) are fine for the simulator and for [`crate::emit`].
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::prelude::*;
use writ_abi::parse::{ParseClass as Class, TunnelKind as Kind};
use writ_abi::{key, limits};

const _: () = {
    assert!(limits::WINDOW_BYTES == 192 && limits::VLAN_TAGS_MAX == 3 && limits::INNER_VLAN_TAGS_MAX == 2);
    assert!(limits::MPLS_LABELS_MAX == 4 && limits::IPV6_EXTENSION_HEADERS_MAX == 4);
    assert!(limits::GTPU_EXTENSION_HEADERS_MAX == 2);
    assert!(key::ADDRESS_KEY_BYTES * 8 == ADDRESS_KEY_BITS);
    // Kernels write classes and kinds as numbers.
    assert!(Class::NonIp as u8 == 0 && Class::Truncated as u8 == 1 && Class::VlanDepth as u8 == 2);
    assert!(Class::MalformedIp as u8 == 3 && Class::Ports as u8 == 4 && Class::NoPorts as u8 == 5);
    assert!(Class::Fragment as u8 == 6 && Class::ExtensionDepth as u8 == 7 && Class::L4Truncated as u8 == 8);
    assert!(Class::WindowExceeded as u8 == 9 && Class::MplsDepth as u8 == 10 && Class::LinkPayload as u8 == 11);
    assert!(Class::TunnelPayload as u8 == 12 && Class::TunnelHeader as u8 == 13);
    assert!(Class::TunnelDepth as u8 == 14 && Class::InnerIp as u8 == 15);
    assert!(Kind::GtpU as u8 == 1 && Kind::Vxlan as u8 == 2 && Kind::Geneve as u8 == 3 && Kind::GreKey as u8 == 4);
    assert!(Kind::Gre as u8 == 5 && Kind::L2tp as u8 == 6 && Kind::IpInIp as u8 == 7 && Kind::Pppoe as u8 == 8);
    assert!(Kind::Mpls as u8 == 9);
};

/// Bits of an address key.
pub const ADDRESS_KEY_BITS: usize = 136;
/// Bits of a tunnel key: kind, identifier, address key.
pub const TUNNEL_KEY_BITS: usize = 176;

/// What a frame is known by, apart from its bytes: travels with it through parser and lookup.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Ticket {
    /// The port it came in on: 0 A, 1 B.
    pub port: Bit,
    /// Time quality at the stamp.
    pub quality: Bits<2>,
    /// Arrival of its first beat.
    pub stamp: Bits<64>,
    /// Where it starts in its port's frame store (one bit more than an address, so that laps differ).
    pub start: Bits<12>,
}

/// A window as it waits for the parser. The port is that of the FIFO.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Window {
    /// Byte `i` of the frame is bits `8 * i` to `8 * i + 7`.
    pub bytes: Bits<1536>,
    /// `W` of [`writ_abi::parse`]: bytes that the parser may look at.
    pub length: Bits<8>,
    /// Time quality at the stamp.
    pub quality: Bits<2>,
    /// Arrival of the frame's first beat.
    pub stamp: Bits<64>,
    /// Where the frame starts in its port's frame store.
    pub start: Bits<12>,
}

/// What is known of one IP header and of what stands behind it; all 0 if the frame has no such header.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Layer {
    /// See [`writ_abi::parse`].
    pub l3_offset: Bits<8>,
    /// See [`writ_abi::parse`].
    pub l3_end: Bits<8>,
    /// See [`writ_abi::parse`].
    pub l4_end: Bits<8>,
    /// See [`writ_abi::parse`].
    pub protocol: Bits<8>,
    /// A transport header with ports stands behind it, and is good.
    pub has_ports: Bit,
    /// The packet is a fragment that is not the first.
    pub fragment: Bit,
}

/// The parser's result as it stands in a record.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Headers {
    /// [`writ_abi::parse::ParseClass`].
    pub class: Bits<4>,
    /// Tags stepped over.
    pub vlan_tags: Bits<2>,
    /// MPLS labels stepped over.
    pub mpls_labels: Bits<3>,
    /// A PPPoE session.
    pub pppoe: Bit,
    /// A pseudowire's Ethernet header.
    pub pseudowire: Bit,
    /// [`writ_abi::parse::TunnelKind`] of the IP tunnel; 0: none.
    pub tunnel: Bits<4>,
    /// An Ethernet header inside the IP tunnel.
    pub inner_ethernet: Bit,
    /// The outer IP header.
    pub outer: Layer,
    /// The inner IP header.
    pub inner: Layer,
}

/// A frame as it leaves the parser. Keys hold bytes in the order of the wire, the first one lowest. What stands in a key whose `has_` is low
/// means nothing, but for `ports`.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Parsed {
    /// Which frame it is.
    pub ticket: Ticket,
    /// What its headers are.
    pub headers: Headers,
    /// The Ethernet header is there.
    pub has_mac: Bit,
    /// Source MAC address.
    pub mac_source: Bits<48>,
    /// Destination MAC address.
    pub mac_destination: Bits<48>,
    /// There is a VLAN tag.
    pub has_vlan: Bit,
    /// VLAN of the first tag, VLAN of the second, two bytes each; no second tag: 0xffff.
    pub vlan: Bits<32>,
    /// The frame is in a PPPoE session or behind MPLS labels.
    pub has_link_tunnel: Bit,
    /// Key of that: kind, identifier, 17 bytes: PPPoE 0 and the destination MAC address, MPLS all 0.
    pub link_tunnel: Bits<176>,
    /// There is an IP tunnel.
    pub has_ip_tunnel: Bit,
    /// Key of that: kind, identifier, address key of the outer destination.
    pub ip_tunnel: Bits<176>,
    /// The outer IP header is there.
    pub has_outer: Bit,
    /// Address key of the outer source.
    pub outer_source: Bits<136>,
    /// Address key of the outer destination.
    pub outer_destination: Bits<136>,
    /// The inner IP header is there.
    pub has_inner: Bit,
    /// Address key of the inner source.
    pub inner_source: Bits<136>,
    /// Address key of the inner destination.
    pub inner_destination: Bits<136>,
    /// The innermost IP header has ports.
    pub has_ports: Bit,
    /// Its source and destination port, four bytes; all 0 if it has none.
    pub ports: Bits<32>,
}
