//! What lookups depend on besides rows, and the alarm of rows that are damaged.

use crate::Bar;
use crate::card::{CardError, read, write_checked};
use writ_abi::Table;
use writ_abi::limits::{RULE_BANKS, RULES_PER_BANK, WAYS};
use writ_abi::parse::TunnelKind;
use writ_abi::registers::lookup;

/// A set of tunnel kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TunnelKinds(u32);

impl TunnelKinds {
    /// No kind.
    pub const NONE: Self = Self(0);

    /// The set with one kind more.
    #[must_use]
    pub const fn with(self, kind: TunnelKind) -> Self {
        Self(self.0 | 1 << kind as u32)
    }

    /// Whether the kind is in the set.
    pub const fn contains(self, kind: TunnelKind) -> bool {
        self.0 >> kind as u32 & 1 == 1
    }

    /// The kinds of the set, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = TunnelKind> {
        TunnelKind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<TunnelKind> for TunnelKinds {
    fn from_iter<I: IntoIterator<Item = TunnelKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::NONE, Self::with)
    }
}

/// What lookups depend on besides rows. The default: no prefix matches, no tunnel is the carrier's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LookupSettings {
    /// Length of the IPv6 prefixes in the prefix table, 1 to 128; `None`: no prefix matches.
    pub prefix_bits: Option<u8>,
    /// Tunnels of the carrier's own: what may be seen of their packets is counted from the inner IP header.
    pub own_tunnels: TunnelKinds,
}

impl LookupSettings {
    pub(crate) fn check(&self) -> Result<(), CardError> {
        match self.prefix_bits {
            Some(bits) if !(1..=128).contains(&bits) => {
                Err(CardError::Setting { name: "prefix_bits", given: bits.into() })
            }
            _ => Ok(()),
        }
    }
}

/// Where a damaged row stands. It matches nothing until it is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamagedPlace {
    /// A row of a table.
    Row {
        /// The table.
        table: Table,
        /// The way.
        way: u8,
        /// The row of the way.
        row: u32,
    },
    /// A wildcard rule.
    Rule {
        /// The bank.
        bank: u8,
        /// The rule's number in the bank.
        number: u32,
    },
}

/// What stands in the field for the table if it is the rules.
const RULES: u32 = 15;

/// Writes the settings into a card that is disarmed.
pub(crate) fn write_settings(bar: &dyn Bar, settings: &LookupSettings) -> Result<(), CardError> {
    let prefix = lookup::PREFIX_BITS.place(settings.prefix_bits.unwrap_or(0).into());
    write_checked(bar, lookup::PREFIX_AT, prefix)?;
    write_checked(bar, lookup::OWN_TUNNELS_AT, lookup::OWN_TUNNELS.place(settings.own_tunnels.0))
}

pub(crate) fn read_settings(bar: &dyn Bar) -> Result<LookupSettings, CardError> {
    let bits = lookup::PREFIX_BITS.extract(read(bar, lookup::PREFIX_AT)?) as u8;
    let kinds = lookup::OWN_TUNNELS.extract(read(bar, lookup::OWN_TUNNELS_AT)?);
    Ok(LookupSettings {
        prefix_bits: Some(bits).filter(|bits| (1..=128).contains(bits)),
        own_tunnels: TunnelKind::ALL.into_iter().filter(|kind| TunnelKinds(kinds).contains(*kind)).collect(),
    })
}

pub(crate) fn read_damage(bar: &dyn Bar) -> Result<Option<DamagedPlace>, CardError> {
    let register = read(bar, lookup::DAMAGE_AT)?;
    if lookup::DAMAGE_SEEN.extract(register) == 0 {
        return Ok(None);
    }
    let (way, row) = (lookup::DAMAGE_WAY.extract(register), lookup::DAMAGE_ROW.extract(register));
    let place = match lookup::DAMAGE_TABLE.extract(register) {
        RULES if way < RULE_BANKS as u32 && row < RULES_PER_BANK => {
            Some(DamagedPlace::Rule { bank: way as u8, number: row })
        }
        table => Table::from_bits(table as u8)
            .filter(|table| way < WAYS as u32 && row < table.rows_per_way())
            .map(|table| DamagedPlace::Row { table, way: way as u8, row }),
    };
    place.map(Some).ok_or(CardError::UnknownDamage { register })
}
