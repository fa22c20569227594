//! What travels between the parser's stages.
//!
//! Places (`at`, `start`, `end`) are counted in units of two bytes behind byte 14 of the frame, lengths (`length`, `room`, `ip_end`) in bytes behind
//! byte 14.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::parse::types::Ticket;
use crate::prelude::*;

/// What the link's headers say, with which frame it is.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct LinkFacts {
    /// Which frame it is.
    pub ticket: Ticket,
    /// The Ethernet header is there.
    pub has_mac: Bit,
    /// Its destination address.
    pub mac_destination: Bits<48>,
    /// Its source address.
    pub mac_source: Bits<48>,
    /// Tags that are wholly there.
    pub vlan_tags: Bits<2>,
    /// As in [`crate::parse::types::Parsed`].
    pub vlan: Bits<32>,
    /// Labels that are wholly there.
    pub mpls_labels: Bits<3>,
    /// A PPPoE session.
    pub pppoe: Bit,
    /// Labels with a bottom of stack.
    pub mpls: Bit,
    /// A pseudowire's Ethernet header.
    pub pseudowire: Bit,
    /// Session id or label, three bytes in network order.
    pub identifier: Bits<24>,
}

/// A walk in front of an IP header.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Entry {
    /// There is to be an IP header at `at`; `class` is not final.
    pub open: Bit,
    /// [`writ_abi::parse::ParseClass`].
    pub class: Bits<4>,
    /// It is to be IPv6.
    pub v6: Bit,
    /// It stands behind an Ethernet header inside an IP tunnel.
    pub ethernet: Bit,
    /// Where the walk stands.
    pub at: Bits<7>,
    /// End of the window.
    pub length: Bits<8>,
    /// The frame is longer than the window.
    pub cut: Bit,
}

/// A walk in front of the link's payload.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct LinkWalk {
    /// Where the walk stands.
    pub entry: Entry,
    /// A PPPoE header stands there.
    pub pppoe: Bit,
    /// Labels stand there.
    pub mpls: Bit,
    /// Bytes of the window from there on.
    pub room: Bits<8>,
}

/// A walk behind an IP header. `open` says whether a later stage may still change it.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Walk {
    /// No rule has ended the walk; `class` is not final.
    pub open: Bit,
    /// [`writ_abi::parse::ParseClass`].
    pub class: Bits<4>,
    /// There is an IP header.
    pub ip: Bit,
    /// It is IPv6.
    pub v6: Bit,
    /// It is of a fragment that is not the first.
    pub fragment: Bit,
    /// As in [`Entry`].
    pub ethernet: Bit,
    /// The protocol of the header that starts at `at`.
    pub protocol: Bits<8>,
    /// Where the IP header starts.
    pub start: Bits<7>,
    /// Where the walk stands.
    pub at: Bits<7>,
    /// End of the IP packet; 255 for all that is more.
    pub ip_end: Bits<8>,
    /// End of the window.
    pub length: Bits<8>,
    /// The frame is longer than the window.
    pub cut: Bit,
}

/// The addresses of an IP header as they stand in keys, behind the version.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Addresses {
    /// They are IPv6's.
    pub v6: Bit,
    /// Source.
    pub source: Bits<128>,
    /// Destination.
    pub destination: Bits<128>,
}

/// What is known of an IP header and what stands behind it.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct LayerFacts {
    /// There is one.
    pub ip: Bit,
    /// Where it starts.
    pub start: Bits<7>,
    /// Where its last extension header ends.
    pub end: Bits<7>,
    /// Bytes of the transport header; 0: none.
    pub l4_bytes: Bits<6>,
    /// Protocol behind it.
    pub protocol: Bits<8>,
    /// A transport header with ports.
    pub has_ports: Bit,
    /// A fragment that is not the first.
    pub fragment: Bit,
    /// The ports.
    pub ports: Bits<32>,
}

/// What a protocol number means.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Meaning {
    /// TCP.
    pub tcp: Bit,
    /// UDP.
    pub udp: Bit,
    /// SCTP.
    pub sctp: Bit,
    /// ICMP of the header's IP version.
    pub icmp: Bit,
    /// GRE.
    pub gre: Bit,
    /// IPv4 in IP.
    pub ipv4: Bit,
    /// IPv6 in IP.
    pub ipv6: Bit,
    /// One more IPv6 extension header.
    pub extension: Bit,
}

/// A walk in front of, or inside, a tunnel header.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct TunnelWalk {
    /// No rule has ended the walk; `class` is not final.
    pub open: Bit,
    /// [`writ_abi::parse::ParseClass`].
    pub class: Bits<4>,
    /// What stands at `at`: see [`super`].
    pub follows: Bits<3>,
    /// If an IP header follows: it is to be IPv6.
    pub v6: Bit,
    /// As in [`Entry`].
    pub ethernet: Bit,
    /// Where the walk stands.
    pub at: Bits<7>,
    /// End of the window.
    pub length: Bits<8>,
    /// The frame is longer than the window.
    pub cut: Bit,
}

/// One kind's reading of the header.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Reading {
    /// [`writ_abi::parse::TunnelKind`].
    pub kind: Bits<4>,
    /// The bytes that the rest is read from are not all there.
    pub short: Bit,
    /// Contradictory, or of an unknown form.
    pub bad: Bit,
    /// A control message.
    pub control: Bit,
    /// Identifier, four bytes in network order.
    pub identifier: Bits<32>,
    /// Bytes without padding.
    pub size: Bits<9>,
    /// Padding that the header itself states.
    pub padding: Bits<8>,
    /// More padding than any window has bytes.
    pub far: Bit,
    /// As in [`TunnelWalk`].
    pub follows: Bits<3>,
    /// IPv6 follows.
    pub v6: Bit,
    /// The payload is of a kind that is not known.
    pub unknown: Bit,
}

/// What is known of a frame behind its tunnel header.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct OuterFacts {
    /// The outer IP header.
    pub layer: LayerFacts,
    /// [`writ_abi::parse::TunnelKind`]; 0: none.
    pub tunnel: Bits<4>,
    /// Identifier, four bytes in network order.
    pub identifier: Bits<32>,
}
