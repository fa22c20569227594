//! Match keys, places in the card, and the size of its tables.

use crate::{End, Protocol, Table, TunnelTarget};
use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use writ_abi::{PortSide, hash, key, limits};

/// Bytes of any key, value or mask as commands carry it.
pub(crate) type KeyBytes = [u8; key::KEY_BYTES_MAX];

/// A part of the card that holds keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// An exact table: a key has one place in each way.
    Table(Table),
    /// The wildcard rules: a rule has a place wherever it overlaps no other rule of the bank.
    Rules,
}

impl Area {
    /// How many there are.
    pub const COUNT: usize = Table::ALL.len() + 1;

    /// All of them, the rules last.
    pub fn all() -> [Self; Self::COUNT] {
        core::array::from_fn(|number| Table::ALL.get(number).map_or(Self::Rules, |table| Self::Table(*table)))
    }

    pub(crate) const fn number(self) -> usize {
        match self {
            Self::Table(table) => table as usize,
            Self::Rules => Table::ALL.len(),
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table(Table::Address) => "address table",
            Self::Table(Table::Prefix) => "prefix table",
            Self::Table(Table::Endpoint) => "endpoint table",
            Self::Table(Table::FiveTuple) => "flow table",
            Self::Table(Table::Tunnel) => "tunnel table",
            Self::Table(Table::Mac) => "MAC table",
            Self::Table(Table::Vlan) => "VLAN table",
            Self::Rules => "rules",
        })
    }
}

/// A match key: the bits that one table of the card, or one rule, compares. `Debug` shows the area only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    area: Area,
    /// Bytes behind the table's key are zero; of a rule, bits outside its mask.
    bytes: KeyBytes,
    /// Bits that count; zero for an exact key, all of whose bits do.
    mask: KeyBytes,
    /// The rule stands for the receiver of a packet.
    destination: bool,
}

impl Key {
    /// Key of an address in [`Table::Address`].
    pub fn address(address: IpAddr) -> Self {
        Self::exact(Table::Address, &key::address_key(address))
    }

    /// Key of an IPv6 prefix in [`Table::Prefix`].
    pub fn prefix(network: Ipv6Addr, bits: u8) -> Self {
        Self::exact(Table::Prefix, &key::prefix_key(network, bits))
    }

    /// Key of an endpoint in [`Table::Endpoint`].
    pub fn endpoint(address: IpAddr, protocol: Protocol, port: u16) -> Self {
        Self::exact(Table::Endpoint, &key::endpoint_key(address, protocol.number(), port))
    }

    /// Key of a flow in [`Table::FiveTuple`], or `None` if its ends are of two IP versions.
    pub fn flow(target: End, peer: End, protocol: Protocol) -> Option<Self> {
        let ports = [target.port, peer.port];
        let key = key::five_tuple_key(target.address, peer.address, protocol.number(), ports)?;
        Some(Self::exact(Table::FiveTuple, &key))
    }

    /// Key of a tunnel in [`Table::Tunnel`].
    pub fn tunnel(tunnel: &TunnelTarget) -> Self {
        let key = match *tunnel {
            TunnelTarget::Ip { kind, identifier, destination } => key::tunnel_key(kind, identifier, destination),
            TunnelTarget::Pppoe { session, destination } => key::pppoe_key(session, destination),
            TunnelTarget::Mpls { label } => key::mpls_key(label),
        };
        Self::exact(Table::Tunnel, &key)
    }

    /// Key of a station in [`Table::Mac`].
    pub fn mac(address: [u8; key::MAC_KEY_BYTES]) -> Self {
        Self::exact(Table::Mac, &address)
    }

    /// Key of a VLAN in [`Table::Vlan`].
    pub fn vlan(port: PortSide, first: u16, second: Option<u16>) -> Self {
        Self::exact(Table::Vlan, &key::vlan_key(port, first, second))
    }

    /// The two rules for the addresses of a prefix: what they send, and what goes to them.
    pub fn prefix_rules(network: IpAddr, bits: u8) -> [Self; 2] {
        let address = key::address_key(network);
        [(1, false), (17, true)].map(|(at, destination)| {
            let (mut bytes, mut mask) = ([0; key::KEY_BYTES_MAX], [0; key::KEY_BYTES_MAX]);
            (bytes[0], mask[0]) = (address[0], 0xff);
            for bit in 0..usize::from(bits.min(128)) {
                mask[at + bit / 8] |= 0x80 >> (bit % 8);
            }
            for (at, byte) in (at..).zip(&address[1..]) {
                bytes[at] = byte & mask[at];
            }
            Self { area: Area::Rules, bytes, mask, destination }
        })
    }

    /// The key as a row of `table` holds it, or `None` if a byte behind the table's key is not zero.
    pub fn from_row(table: Table, bytes: &KeyBytes) -> Option<Self> {
        let clean = bytes[table.key_bytes()..].iter().all(|&byte| byte == 0);
        clean.then(|| Self::exact(table, &bytes[..table.key_bytes()]))
    }

    /// The key as a rule holds it, or `None` if a bit outside the mask is set.
    pub fn from_rule(value: &KeyBytes, mask: &KeyBytes, destination: bool) -> Option<Self> {
        let clean = value.iter().zip(mask).all(|(value, mask)| value & !mask == 0);
        clean.then_some(Self { area: Area::Rules, bytes: *value, mask: *mask, destination })
    }

    fn exact(table: Table, key: &[u8]) -> Self {
        let mut bytes = [0; key::KEY_BYTES_MAX];
        bytes[..key.len()].copy_from_slice(key);
        Self { area: Area::Table(table), bytes, mask: [0; key::KEY_BYTES_MAX], destination: false }
    }

    /// The part of the card that compares it.
    pub const fn area(&self) -> Area {
        self.area
    }

    /// The bytes that are compared, padded with zeros; of a rule, its value.
    pub const fn padded_bytes(&self) -> &KeyBytes {
        &self.bytes
    }

    /// The bits that a rule compares.
    pub const fn mask(&self) -> &KeyBytes {
        &self.mask
    }

    /// Whether a rule stands for the receiver of a packet.
    pub const fn is_destination(&self) -> bool {
        self.destination
    }

    /// Whether some packet would match both rules.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let differ = |at: usize| (self.bytes[at] ^ other.bytes[at]) & self.mask[at] & other.mask[at] != 0;
        !(0..key::KEY_BYTES_MAX).any(differ)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, redacted)", self.area)
    }
}

/// Where a row or rule stands in the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Table, or the rules.
    pub area: Area,
    /// Way of the table, below [`limits::WAYS`]; bank of the rules, below [`limits::RULE_BANKS`].
    pub way: u8,
    /// Row of the way, below [`Geometry::rows_per_way`]; number of the rule in its bank.
    pub row: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (way, row) = if self.area == Area::Rules { ("bank", "rule") } else { ("way", "row") };
        write!(f, "{}, {way} {}, {row} {}", self.area, self.way, self.row)
    }
}

/// How big a card's tables are, and what its prefix table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Area by area.
    rows_per_way: [u32; Area::COUNT],
    match_indices: u32,
    rings: u8,
    prefix_bits: Option<u8>,
}

/// What a card's capability registers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Rows in one way of each table, in the order of [`Table::ALL`].
    pub rows_per_way: [u32; Table::ALL.len()],
    /// Rules in a bank.
    pub rules_per_bank: u32,
    /// Match indices.
    pub match_indices: u32,
    /// Record rings.
    pub rings: u32,
}

impl Geometry {
    /// The biggest tables that the ABI allows, and no prefix table.
    pub const ABI: Self = Self {
        rows_per_way: [
            limits::ADDRESS_ROWS_PER_WAY,
            limits::PREFIX_ROWS_PER_WAY,
            limits::ENDPOINT_ROWS_PER_WAY,
            limits::FIVE_TUPLE_ROWS_PER_WAY,
            limits::TUNNEL_ROWS_PER_WAY,
            limits::MAC_ROWS_PER_WAY,
            limits::VLAN_ROWS_PER_WAY,
            limits::RULES_PER_BANK,
        ],
        match_indices: limits::MATCH_INDEX_COUNT,
        rings: limits::RECORD_RINGS as u8,
        prefix_bits: None,
    };

    /// Takes the numbers from a card's capability registers.
    ///
    /// # Errors
    /// [`GeometryError`] for a card that contradicts the ABI.
    pub fn new(card: &Capabilities) -> Result<Self, GeometryError> {
        const NAMES: [&str; Table::ALL.len()] =
            ["ADDRESS_ROWS", "PREFIX_ROWS", "ENDPOINT_ROWS", "FIVE_TUPLE_ROWS", "TUNNEL_ROWS", "MAC_ROWS", "VLAN_ROWS"];
        let check = |name, value: u32, maximum, power_of_two: bool| {
            let ok = (1..=maximum).contains(&value) && (!power_of_two || value.is_power_of_two());
            if ok { Ok(value) } else { Err(GeometryError { name, value, maximum, power_of_two }) }
        };
        let mut rows_per_way = Self::ABI.rows_per_way;
        for table in Table::ALL {
            let number = table as usize;
            rows_per_way[number] = check(NAMES[number], card.rows_per_way[number], table.rows_per_way(), true)?;
        }
        rows_per_way[Area::Rules.number()] =
            check("RULES_PER_BANK", card.rules_per_bank, limits::RULES_PER_BANK, false)?;
        Ok(Self {
            rows_per_way,
            match_indices: check("MATCH_INDICES", card.match_indices, limits::MATCH_INDEX_COUNT, false)?,
            rings: check("RECORD_RINGS", card.rings, limits::RECORD_RINGS as u32, false)? as u8,
            prefix_bits: None,
        })
    }

    /// The same card with its prefix table set to prefixes of `bits` bits, or to none.
    #[must_use]
    pub const fn with_prefix_bits(self, bits: Option<u8>) -> Self {
        Self { prefix_bits: bits, ..self }
    }

    /// Length of the prefixes in the prefix table, if there is one.
    pub const fn prefix_bits(&self) -> Option<u8> {
        self.prefix_bits
    }

    /// Record rings of the card.
    pub const fn rings(&self) -> u8 {
        self.rings
    }

    /// Rows in one way of a table, rules in one bank.
    pub const fn rows_per_way(&self, area: Area) -> u32 {
        self.rows_per_way[area.number()]
    }

    /// Rows in all ways of a table, rules in all banks.
    pub const fn rows(&self, area: Area) -> u32 {
        self.rows_per_way(area) * limits::WAYS as u32
    }

    /// Match indices that the card knows.
    pub const fn match_indices(&self) -> u32 {
        self.match_indices
    }

    /// The places in which a lookup of the card searches an exact key, lowest way first; `None` for a rule, which may stand anywhere.
    pub fn places_of(&self, key: &Key) -> Option<[Place; limits::WAYS]> {
        let Area::Table(table) = key.area() else { return None };
        let rows = hash::rows(&key.padded_bytes()[..table.key_bytes()], self.rows_per_way(key.area()));
        Some(core::array::from_fn(|way| Place { area: key.area(), way: way as u8, row: rows[way] }))
    }

    /// All places of an area, in order.
    pub fn places_in(self, area: Area) -> impl Iterator<Item = Place> {
        (0..limits::WAYS as u8)
            .flat_map(move |way| (0..self.rows_per_way(area)).map(move |row| Place { area, way, row }))
    }

    /// All places of the card, in order.
    pub fn places(self) -> impl Iterator<Item = Place> {
        Area::all().into_iter().flat_map(move |area| self.places_in(area))
    }

    /// Whether the card has the place.
    pub fn has(&self, place: Place) -> bool {
        usize::from(place.way) < limits::WAYS && place.row < self.rows_per_way(place.area)
    }
}

const _: () = assert!(limits::WAYS == limits::RULE_BANKS, "banks are numbered like ways");

/// A capability register holds a number that the ABI does not allow. The card is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeometryError {
    /// Name of the register in the block IDENTITY.
    pub name: &'static str,
    /// What it holds.
    pub value: u32,
    /// The biggest number allowed.
    pub maximum: u32,
    /// Whether only powers of two are allowed.
    pub power_of_two: bool,
}

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.power_of_two { "a power of two" } else { "a number" };
        write!(f, "card register {} holds {}, not {what} from 1 to {}", self.name, self.value, self.maximum)
    }
}

impl core::error::Error for GeometryError {}
