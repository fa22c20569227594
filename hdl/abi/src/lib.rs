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

pub mod command;
pub mod crc;
pub mod hash;
pub mod key;
pub mod limits;
pub mod parse;
pub mod record;
pub mod registers;
pub mod time;

/// Incompatible changes of the contract. The host refuses a card with another value.
pub const ABI_MAJOR: u16 = 1;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Lookup {
    /// Address table, key from the source address of the outermost IP header.
    AddressSource = 0,
    /// Address table, key from the destination address of the outermost IP header.
    AddressDestination = 1,
    /// Endpoint table, key from source address, protocol and source port.
    EndpointSource = 2,
    /// Endpoint table, key from destination address, protocol and destination port.
    EndpointDestination = 3,
}

impl Lookup {
    /// All lookups, in the order of their numbers.
    pub const ALL: [Self; 4] =
        [Self::AddressSource, Self::AddressDestination, Self::EndpointSource, Self::EndpointDestination];

    /// The lookup for its number on the bus, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AddressSource),
            1 => Some(Self::AddressDestination),
            2 => Some(Self::EndpointSource),
            3 => Some(Self::EndpointDestination),
            _ => None,
        }
    }

    /// The table that the lookup reads.
    pub const fn table(self) -> Table {
        match self {
            Self::AddressSource | Self::AddressDestination => Table::Address,
            Self::EndpointSource | Self::EndpointDestination => Table::Endpoint,
        }
    }

    /// Whether the key was taken from the sender's half of the packet: the target sent what a hit of it selects.
    pub const fn is_source(self) -> bool {
        matches!(self, Self::AddressSource | Self::EndpointSource)
    }
}

/// A match table of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Exact IPv4 or IPv6 address, key of [`key::ADDRESS_KEY_BYTES`] bytes.
    Address = 0,
    /// Exact {address, protocol, port}, key of [`key::ENDPOINT_KEY_BYTES`] bytes.
    Endpoint = 1,
}

impl Table {
    /// All tables, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Address, Self::Endpoint];

    /// The table for its number on the bus, or `None` for a number without meaning.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Address),
            1 => Some(Self::Endpoint),
            _ => None,
        }
    }

    /// Bytes of the table's key.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Address => key::ADDRESS_KEY_BYTES,
            Self::Endpoint => key::ENDPOINT_KEY_BYTES,
        }
    }

    /// Rows in each of the [`limits::WAYS`] ways of the table.
    pub const fn rows_per_way(self) -> u32 {
        match self {
            Self::Address => limits::ADDRESS_ROWS_PER_WAY,
            Self::Endpoint => limits::ENDPOINT_ROWS_PER_WAY,
        }
    }
}
