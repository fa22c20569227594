//! What travels between the parser's stages.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::prelude::*;
use writ_abi::{key, limits, parse::ParseClass};

const _: () = {
    assert!(limits::WINDOW_BYTES == 192 && limits::VLAN_TAGS_MAX == 2 && limits::IPV6_EXTENSION_HEADERS_MAX == 4);
    assert!(key::ADDRESS_KEY_BYTES * 8 == ADDRESS_KEY_BITS && key::ENDPOINT_KEY_BYTES * 8 == ENDPOINT_KEY_BITS);
    assert!(ParseClass::NonIp as u8 == 0 && ParseClass::Truncated as u8 == 1 && ParseClass::VlanDepth as u8 == 2);
    assert!(ParseClass::MalformedIp as u8 == 3 && ParseClass::Ports as u8 == 4 && ParseClass::NoPorts as u8 == 5);
    assert!(ParseClass::Fragment as u8 == 6 && ParseClass::ExtensionDepth as u8 == 7);
    assert!(ParseClass::L4Truncated as u8 == 8, "kernels write the classes as numbers");
};

/// Bits of an address key.
pub const ADDRESS_KEY_BITS: usize = 136;
/// Bits of an endpoint key.
pub const ENDPOINT_KEY_BITS: usize = 160;
/// Bits of a window.
pub const WINDOW_BITS: usize = 1536;
/// Bits of the window that stages behind the IP header can need: bytes 34 to 191.
pub const REST_BITS: usize = 1264;

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

/// What the parser has found so far. `open` says whether a later stage may still change it.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Walk {
    /// No rule has ended the walk; `class` is not final.
    pub open: Bit,
    /// [`ParseClass`].
    pub class: Bits<4>,
    /// The IP header is IPv6.
    pub v6: Bit,
    /// Tags stepped over.
    pub vlan_tags: Bits<2>,
    /// The protocol of the header that starts at `word`.
    pub protocol: Bits<8>,
    /// Where the walk stands: at byte `14 + 4 * word`.
    pub word: Bits<6>,
    /// First byte behind the IP packet.
    pub ip_end: Bits<17>,
    /// `W`.
    pub length: Bits<8>,
}

/// What rides along through the stages behind the IP header and is looked at behind them.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Luggage {
    /// Which frame it is.
    pub ticket: Ticket,
    /// Key of the source address.
    pub source: Bits<136>,
    /// Key of the destination address.
    pub destination: Bits<136>,
}

/// The parser's result as it stands in a record.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Headers {
    /// [`ParseClass`].
    pub class: Bits<4>,
    /// Tags stepped over.
    pub vlan_tags: Bits<2>,
    /// See [`writ_abi::parse`].
    pub l3_offset: Bits<8>,
    /// See [`writ_abi::parse`].
    pub l3_end: Bits<8>,
    /// See [`writ_abi::parse`].
    pub l4_offset: Bits<8>,
    /// See [`writ_abi::parse`].
    pub l4_end: Bits<8>,
    /// See [`writ_abi::parse`].
    pub protocol: Bits<8>,
}

/// A frame as it leaves the parser.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Parsed {
    /// Which frame it is.
    pub ticket: Ticket,
    /// What its headers are.
    pub headers: Headers,
    /// The address keys exist.
    pub has_addresses: Bit,
    /// The endpoint keys exist.
    pub has_ports: Bit,
    /// Key of the source address.
    pub source: Bits<136>,
    /// Key of the destination address.
    pub destination: Bits<136>,
    /// Source and destination port, four bytes in the order of the wire.
    pub ports: Bits<32>,
}
