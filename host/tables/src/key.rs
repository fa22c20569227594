//! Match keys, places in the card, and the size of its tables.

use crate::{Protocol, Table};
use core::fmt;
use core::net::IpAddr;
use writ_abi::{hash, key, limits};

/// A match key: the bits that one table of the card compares. `Debug` shows the table only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    table: Table,
    /// Bytes behind the table's key are zero.
    bytes: [u8; key::KEY_BYTES_MAX],
}

impl Key {
    /// Key of an address in [`Table::Address`].
    pub fn address(address: IpAddr) -> Self {
        Self::padded(Table::Address, &key::address_key(address))
    }

    /// Key of an endpoint in [`Table::Endpoint`].
    pub fn endpoint(address: IpAddr, protocol: Protocol, port: u16) -> Self {
        Self::padded(Table::Endpoint, &key::endpoint_key(address, protocol.number(), port))
    }

    /// The key as a row of `table` holds it, or `None` if a byte behind the table's key is not zero.
    pub fn from_row(table: Table, bytes: &[u8; key::KEY_BYTES_MAX]) -> Option<Self> {
        let clean = bytes[table.key_bytes()..].iter().all(|&byte| byte == 0);
        clean.then_some(Self { table, bytes: *bytes })
    }

    fn padded(table: Table, key: &[u8]) -> Self {
        let mut bytes = [0; key::KEY_BYTES_MAX];
        bytes[..key.len()].copy_from_slice(key);
        Self { table, bytes }
    }

    /// The table that compares it.
    pub const fn table(&self) -> Table {
        self.table
    }

    /// The bytes that the card compares.
    pub fn compared(&self) -> &[u8] {
        &self.bytes[..self.table.key_bytes()]
    }

    /// The bytes as they stand in a row, padded with zeros.
    pub const fn padded_bytes(&self) -> &[u8; key::KEY_BYTES_MAX] {
        &self.bytes
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, redacted)", self.table)
    }
}

/// Where a row stands in the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Table.
    pub table: Table,
    /// Way of the table, below [`limits::WAYS`].
    pub way: u8,
    /// Row of the way, below [`Geometry::rows_per_way`].
    pub row: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} table, way {}, row {}", self.table, self.way, self.row)
    }
}

/// How big a card's tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    rows_per_way: [u32; Table::ALL.len()],
    match_indices: u32,
}

impl Geometry {
    /// The biggest tables that the ABI allows.
    pub const ABI: Self = Self {
        rows_per_way: [limits::ADDRESS_ROWS_PER_WAY, limits::ENDPOINT_ROWS_PER_WAY],
        match_indices: limits::MATCH_INDEX_COUNT,
    };

    /// Takes the numbers from a card's capability registers.
    ///
    /// # Errors
    /// [`GeometryError`] for a card that contradicts the ABI.
    pub fn new(
        address_rows_per_way: u32,
        endpoint_rows_per_way: u32,
        match_indices: u32,
    ) -> Result<Self, GeometryError> {
        let check = |name, value: u32, maximum, power_of_two: bool| {
            let ok = (1..=maximum).contains(&value) && (!power_of_two || value.is_power_of_two());
            if ok { Ok(value) } else { Err(GeometryError { name, value, maximum, power_of_two }) }
        };
        Ok(Self {
            rows_per_way: [
                check("ADDRESS_ROWS", address_rows_per_way, limits::ADDRESS_ROWS_PER_WAY, true)?,
                check("ENDPOINT_ROWS", endpoint_rows_per_way, limits::ENDPOINT_ROWS_PER_WAY, true)?,
            ],
            match_indices: check("MATCH_INDICES", match_indices, limits::MATCH_INDEX_COUNT, false)?,
        })
    }

    /// Rows in one way of a table.
    pub const fn rows_per_way(&self, table: Table) -> u32 {
        self.rows_per_way[table as usize]
    }

    /// Rows in all ways of a table.
    pub const fn rows(&self, table: Table) -> u32 {
        self.rows_per_way(table) * limits::WAYS as u32
    }

    /// Match indices that the card knows.
    pub const fn match_indices(&self) -> u32 {
        self.match_indices
    }

    /// The places in which a lookup of the card searches a key, lowest way first.
    pub fn places_of(&self, key: &Key) -> [Place; limits::WAYS] {
        let table = key.table();
        let rows = hash::rows(key.compared(), self.rows_per_way(table));
        core::array::from_fn(|way| Place { table, way: way as u8, row: rows[way] })
    }

    /// All places of all tables, in order.
    pub fn places(self) -> impl Iterator<Item = Place> {
        Table::ALL.into_iter().flat_map(move |table| {
            (0..limits::WAYS as u8)
                .flat_map(move |way| (0..self.rows_per_way(table)).map(move |row| Place { table, way, row }))
        })
    }
}

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
