//! The contract between Writ's card and its host: registers, records, commands, keys, hashes and limits.
//!
//! Everything that crosses the bus is defined here and nowhere else. The gateware builds its address decode from
//! [`registers`], the driver reads and writes through the same tables, the golden model dispatches on them, and the
//! printed register reference comes out of them. Structures that cross the bus ([`record`], [`command`]) are
//! `#[repr(C)]`, little-endian, free of padding, and their size and offsets are asserted at compile time.
//!
//! What the crate refuses: allocation, I/O, dependencies beyond `zerocopy`. It is `no_std`.
//!
//! # Versions
//! [`ABI_MAJOR`] changes when a host built for the old one would misread the card; the host refuses another major.
//! [`ABI_MINOR`] changes when something is added. A snapshot of the printed ABI is a test of this crate: whoever
//! changes the ABI sees it there and bumps one of the two.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod balance;
pub mod command;
pub mod counter;
pub mod crc;
pub mod hash;
pub mod key;
pub mod limits;
pub mod parse;
pub mod pci;
pub mod record;
pub mod registers;
pub mod self_test;
pub mod time;

/// Incompatible changes of the contract. The host refuses a card with another value.
pub const ABI_MAJOR: u16 = 2;
/// Compatible additions to the contract.
pub const ABI_MINOR: u16 = 0;
/// Content of the first register of BAR 0: the ASCII letters `WRIT`, first letter in the lowest byte.
pub const MAGIC: u32 = u32::from_le_bytes(*b"WRIT");

/// Which of the card's two ports a frame came in on (which wire, not which way the target speaks).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PortSide {
    /// Came in on port A, leaves on port B.
    A = 0,
    /// Came in on port B, leaves on port A.
    B = 1,
}

impl PortSide {
    /// Both sides, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The side for its number on the bus, or `None` if there is no such port.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::A),
            1 => Some(Self::B),
            _ => None,
        }
    }
}

/// How much of a matched frame an order allows to leave the card. Ordered: a later one contains an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Scope {
    /// Up to the end of the IP header of the layer that matched (an order without ports).
    HeadersL3 = 0,
    /// Up to the end of the transport header of the layer that matched.
    HeadersL4 = 1,
    /// The whole frame.
    Content = 2,
}

impl Scope {
    /// All scopes, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::HeadersL3, Self::HeadersL4, Self::Content];

    /// The scope for its number on the bus, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::HeadersL3),
            1 => Some(Self::HeadersL4),
            2 => Some(Self::Content),
            _ => None,
        }
    }
}

/// What a row of a match table returns. Dense, given by the host, mapped there to a set of tasks. The card knows no
/// task, no warrant and no agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchIndex(u32);

impl MatchIndex {
    /// The index, or `None` if `value` is not below [`limits::MATCH_INDEX_COUNT`].
    pub const fn new(value: u32) -> Option<Self> {
        if value < limits::MATCH_INDEX_COUNT { Some(Self(value)) } else { None }
    }

    /// The number as it stands in rows and records.
    pub const fn value(self) -> u32 {
        self.0
    }
}

/// Which lookup of the card found a hit. The number is the hit's rank: hits stand in a record in rising order.
///
/// *Innermost* is the inner IP header of a tunnel, or the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Lookup {
    /// Address table, source address of the outer IP header.
    OuterSource = 0,
    /// Address table, destination address of the outer IP header.
    OuterDestination = 1,
    /// Address table, source address of the inner IP header.
    InnerSource = 2,
    /// Address table, destination address of the inner IP header.
    InnerDestination = 3,
    /// Prefix table, source address of the outer IP header.
    OuterSourcePrefix = 4,
    /// Prefix table, destination address of the outer IP header.
    OuterDestinationPrefix = 5,
    /// Prefix table, source address of the inner IP header.
    InnerSourcePrefix = 6,
    /// Prefix table, destination address of the inner IP header.
    InnerDestinationPrefix = 7,
    /// Endpoint table, innermost source address, protocol and source port.
    EndpointSource = 8,
    /// Endpoint table, innermost destination address, protocol and destination port.
    EndpointDestination = 9,
    /// 5-tuple table, innermost, as it stands in the packet: the key's first end sent it.
    FiveTuple = 10,
    /// 5-tuple table, innermost, the other way round: the key's second end sent it.
    FiveTupleReversed = 11,
    /// Tunnel table, PPPoE session or MPLS label.
    LinkTunnel = 12,
    /// Tunnel table, tunnel over the outer IP header.
    IpTunnel = 13,
    /// MAC table, source address of the frame.
    MacSource = 14,
    /// MAC table, destination address of the frame.
    MacDestination = 15,
    /// VLAN table.
    Vlan = 16,
    /// Rule of bank 0 that stands for the sender.
    Rule0Source = 17,
    /// Rule of bank 0 that stands for the receiver.
    Rule0Destination = 18,
    /// Rule of bank 1 that stands for the sender.
    Rule1Source = 19,
    /// Rule of bank 1 that stands for the receiver.
    Rule1Destination = 20,
    /// Rule of bank 2 that stands for the sender.
    Rule2Source = 21,
    /// Rule of bank 2 that stands for the receiver.
    Rule2Destination = 22,
    /// Rule of bank 3 that stands for the sender.
    Rule3Source = 23,
    /// Rule of bank 3 that stands for the receiver.
    Rule3Destination = 24,
}

/// Whose packet a hit selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HitSide {
    /// The target sent it.
    Source,
    /// It goes to the target.
    Destination,
    /// The key names a piece of network, not an end: direction is not known.
    Either,
}

/// Which headers a hit was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HitLayer {
    /// In front of the outer IP header.
    Link,
    /// The outer IP header.
    Outer,
    /// The inner IP header, or the tunnel header in front of it.
    Inner,
    /// The inner IP header if there is one, else the outer.
    Innermost,
}

impl Lookup {
    /// All lookups, in the order of their numbers.
    pub const ALL: [Self; 25] = [
        Self::OuterSource,
        Self::OuterDestination,
        Self::InnerSource,
        Self::InnerDestination,
        Self::OuterSourcePrefix,
        Self::OuterDestinationPrefix,
        Self::InnerSourcePrefix,
        Self::InnerDestinationPrefix,
        Self::EndpointSource,
        Self::EndpointDestination,
        Self::FiveTuple,
        Self::FiveTupleReversed,
        Self::LinkTunnel,
        Self::IpTunnel,
        Self::MacSource,
        Self::MacDestination,
        Self::Vlan,
        Self::Rule0Source,
        Self::Rule0Destination,
        Self::Rule1Source,
        Self::Rule1Destination,
        Self::Rule2Source,
        Self::Rule2Destination,
        Self::Rule3Source,
        Self::Rule3Destination,
    ];

    /// The lookup for its number on the bus, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if (bits as usize) < Self::ALL.len() { Some(Self::ALL[bits as usize]) } else { None }
    }

    /// The lookup that a rule's hit is reported under. `bank` below [`limits::RULE_BANKS`].
    pub const fn of_rule(bank: u8, destination: bool) -> Option<Self> {
        if (bank as usize) < limits::RULE_BANKS { Self::from_bits(17 + 2 * bank + destination as u8) } else { None }
    }

    /// The table that the lookup reads, or `None` for the rules.
    pub const fn table(self) -> Option<Table> {
        match self as u8 {
            0..=3 => Some(Table::Address),
            4..=7 => Some(Table::Prefix),
            8..=9 => Some(Table::Endpoint),
            10..=11 => Some(Table::FiveTuple),
            12..=13 => Some(Table::Tunnel),
            14..=15 => Some(Table::Mac),
            16 => Some(Table::Vlan),
            _ => None,
        }
    }

    /// Whose packet a hit of this lookup selects.
    pub const fn side(self) -> HitSide {
        match self {
            Self::LinkTunnel | Self::IpTunnel | Self::Vlan => HitSide::Either,
            Self::OuterSource
            | Self::InnerSource
            | Self::OuterSourcePrefix
            | Self::InnerSourcePrefix
            | Self::EndpointSource
            | Self::FiveTuple
            | Self::MacSource
            | Self::Rule0Source
            | Self::Rule1Source
            | Self::Rule2Source
            | Self::Rule3Source => HitSide::Source,
            _ => HitSide::Destination,
        }
    }

    /// The headers that the lookup's key was taken from.
    pub const fn layer(self) -> HitLayer {
        match self {
            Self::OuterSource | Self::OuterDestination | Self::OuterSourcePrefix | Self::OuterDestinationPrefix => {
                HitLayer::Outer
            }
            Self::InnerSource
            | Self::InnerDestination
            | Self::InnerSourcePrefix
            | Self::InnerDestinationPrefix
            | Self::IpTunnel => HitLayer::Inner,
            Self::LinkTunnel | Self::MacSource | Self::MacDestination | Self::Vlan => HitLayer::Link,
            _ => HitLayer::Innermost,
        }
    }
}

const _: () = {
    let mut number = 0;
    while number < Lookup::ALL.len() {
        assert!(Lookup::ALL[number] as usize == number, "lookups stand in the order of their numbers");
        number += 1;
    }
    assert!(Lookup::ALL.len() == 17 + 2 * limits::RULE_BANKS && limits::HITS_MAX == 17 + limits::RULE_BANKS);
};

/// An exact match table of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// IPv4 or IPv6 address, key of [`key::ADDRESS_KEY_BYTES`] bytes.
    Address = 0,
    /// IPv6 prefix of the length in [`registers::lookup`], key of [`key::ADDRESS_KEY_BYTES`] bytes.
    Prefix = 1,
    /// {address, protocol, port}, key of [`key::ENDPOINT_KEY_BYTES`] bytes.
    Endpoint = 2,
    /// {source, destination, protocol, ports}, key of [`key::FIVE_TUPLE_KEY_BYTES`] bytes.
    FiveTuple = 3,
    /// {kind, identifier, outer destination}, key of [`key::TUNNEL_KEY_BYTES`] bytes.
    Tunnel = 4,
    /// MAC address, key of [`key::MAC_KEY_BYTES`] bytes.
    Mac = 5,
    /// {port, first VLAN id, second VLAN id}, key of [`key::VLAN_KEY_BYTES`] bytes.
    Vlan = 6,
}

impl Table {
    /// All tables, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Address, Self::Prefix, Self::Endpoint, Self::FiveTuple, Self::Tunnel, Self::Mac, Self::Vlan];

    /// The table for its number on the bus, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if (bits as usize) < Self::ALL.len() { Some(Self::ALL[bits as usize]) } else { None }
    }

    /// Bytes of the table's key.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Address | Self::Prefix => key::ADDRESS_KEY_BYTES,
            Self::Endpoint => key::ENDPOINT_KEY_BYTES,
            Self::FiveTuple => key::FIVE_TUPLE_KEY_BYTES,
            Self::Tunnel => key::TUNNEL_KEY_BYTES,
            Self::Mac => key::MAC_KEY_BYTES,
            Self::Vlan => key::VLAN_KEY_BYTES,
        }
    }

    /// Rows in each of the [`limits::WAYS`] ways of the table.
    pub const fn rows_per_way(self) -> u32 {
        match self {
            Self::Address => limits::ADDRESS_ROWS_PER_WAY,
            Self::Prefix => limits::PREFIX_ROWS_PER_WAY,
            Self::Endpoint => limits::ENDPOINT_ROWS_PER_WAY,
            Self::FiveTuple => limits::FIVE_TUPLE_ROWS_PER_WAY,
            Self::Tunnel => limits::TUNNEL_ROWS_PER_WAY,
            Self::Mac => limits::MAC_ROWS_PER_WAY,
            Self::Vlan => limits::VLAN_ROWS_PER_WAY,
        }
    }
}
