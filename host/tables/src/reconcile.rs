//! Compares what the card holds with what it should hold.

use crate::plan::Writes;
use crate::shadow::Shadow;
use crate::{Area, Entry, Key, MatchIndex, Place, RowWrite};
use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use writ_abi::Scope;
use writ_abi::command::{Command, Completion, RowState, flags};

/// One row as the card gave it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadBack {
    /// Where it stands.
    pub place: Place,
    /// What it holds.
    pub row: ReadBackRow,
}

/// Content of a row as the card gave it back. `Debug` does not show the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ReadBackRow {
    /// The row is invalid.
    Invalid,
    /// The row is valid.
    Valid(Entry),
    /// The row is valid, but what it holds has no meaning in the ABI.
    Damaged,
}

impl fmt::Debug for ReadBackRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "Invalid",
            Self::Valid(_) => "Valid(redacted)",
            Self::Damaged => "Damaged",
        })
    }
}

impl ReadBack {
    /// Takes the row or rule out of the completions of [`Place::read_commands`], all of which were done.
    pub fn parse(place: Place, completions: &[Completion]) -> Self {
        let state = |completion: &Completion| RowState::from_bits(completion.row_state);
        let row = match (place.area, completions) {
            (Area::Table(_), [row]) | (Area::Rules, [row, _]) if state(row) == Some(RowState::Invalid) => {
                ReadBackRow::Invalid
            }
            (Area::Table(_), [row]) if state(row) == Some(RowState::Valid) => parse_row(place, &row.row, &row.row),
            (Area::Rules, [value, mask])
                if [value, mask].into_iter().all(|half| state(half) == Some(RowState::Valid)) =>
            {
                parse_row(place, &value.row, &mask.row)
            }
            _ => ReadBackRow::Damaged,
        };
        Self { place, row }
    }
}

/// `second` is a rule's mask; of a row it is the row again.
fn parse_row(place: Place, first: &Command, second: &Command) -> ReadBackRow {
    let entry = || {
        let key = match place.area {
            Area::Table(table) if first.table == table as u8 => Key::from_row(table, &first.key)?,
            Area::Table(_) => return None,
            Area::Rules => Key::from_rule(&first.key, &second.key, first.flags & flags::DESTINATION != 0)?,
        };
        // No batch is ever left open: whoever marked the row was not this host.
        let settled = first.flags & (flags::PENDING | flags::PENDING_CLEAR) == 0;
        let here = (first.way, first.row.get()) == (place.way, place.row) && settled;
        here.then_some(Entry {
            key,
            match_index: MatchIndex::new(first.match_index_bits())?,
            scope: Scope::from_bits(first.scope)?,
            not_after: first.not_after_ticks(),
            ring: first.flags & flags::RING_MASK,
        })
    };
    entry().map_or(ReadBackRow::Damaged, ReadBackRow::Valid)
}

/// One way in which the card differs from what it should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// A row that should be there is not: its tasks miss packets.
    Missing(Place),
    /// A valid row whose key no task names: the card copies what no order allows.
    Foreign(Place),
    /// A valid row whose key belongs to another place, where it is or will be.
    Stray(Place),
    /// A valid row without meaning.
    Damaged(Place),
    /// The right key with something else beside it.
    Different {
        /// Where.
        place: Place,
        /// The match index is another one.
        match_index: bool,
        /// The card's scope is another one.
        scope: bool,
        /// The card's end is another one.
        not_after: bool,
        /// The card's record ring is another one.
        ring: bool,
        /// The card allows more than the orders do: a wider scope or a later end.
        wider: bool,
    },
}

impl Difference {
    /// Where.
    pub const fn place(&self) -> Place {
        match *self {
            Self::Missing(place) | Self::Foreign(place) | Self::Stray(place) | Self::Damaged(place) => place,
            Self::Different { place, .. } => place,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place())?;
        match self {
            Self::Missing(_) => f.write_str("the row is missing"),
            Self::Foreign(_) => f.write_str("a row that no task asks for"),
            Self::Stray(_) => f.write_str("a row that belongs to another place"),
            Self::Damaged(_) => f.write_str("a row without meaning"),
            Self::Different { match_index, scope, not_after, ring, wider, .. } => {
                let parts =
                    [(*match_index, "match index"), (*scope, "scope"), (*not_after, "end"), (*ring, "record ring")];
                let names: Vec<&str> = parts.iter().filter(|(differs, _)| *differs).map(|(_, name)| *name).collect();
                write!(f, "another {}", names.join(" and "))?;
                f.write_str(if *wider { "; the card allows more than was ordered" } else { "" })
            }
        }
    }
}

/// The differences between card and shadow, and how to mend them. Made by [`crate::Tables::reconcile`].
#[derive(Debug, Clone)]
pub struct Reconciliation {
    pub(crate) version: u64,
    pub(crate) differences: Vec<Difference>,
    pub(crate) writes: Writes,
    /// Indices that the card may have returned though they were not given out.
    pub(crate) foreign_indices: BTreeSet<MatchIndex>,
    /// Whether every row of the card was compared.
    pub(crate) complete: bool,
}

impl Reconciliation {
    /// What differs, by rising place.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// Whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }

    /// Whether every row of the card was compared, so that the card is known as a whole.
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// The writes that mend the card, batch by batch.
    pub fn writes(&self) -> &[RowWrite] {
        &self.writes.writes
    }
}

/// Compares rows with the shadow. `now_tick` is the card's time in ticks of `not_after`: a row that has expired by then may
/// be gone from the card.
pub(crate) fn reconcile(
    version: u64,
    shadow: &Shadow,
    card: &BTreeMap<Place, ReadBackRow>,
    now_tick: u64,
) -> Reconciliation {
    let mut differences = Vec::new();
    let mut foreign_indices = BTreeSet::new();
    let mut mends = Mends { shadow, card, writes: BTreeMap::new(), stray_clears: Vec::new() };
    for (&place, found) in card {
        let wanted = shadow.row_at(place);
        let row = match found {
            ReadBackRow::Invalid => None,
            ReadBackRow::Valid(row) => Some(row),
            ReadBackRow::Damaged => {
                differences.push(Difference::Damaged(place));
                mends.write(place, wanted);
                continue;
            }
        };
        match (wanted, row) {
            (Some(wanted), Some(row)) if wanted == row => continue,
            (Some(wanted), None) if wanted.not_after <= now_tick => continue,
            (None, None) => continue,
            (Some(wanted), Some(row)) if wanted.key == row.key => differences.push(different(place, wanted, row)),
            (_, Some(row)) => {
                let known = shadow.place_of(&row.key).is_some();
                differences.push(if known { Difference::Stray(place) } else { Difference::Foreign(place) });
                if wanted.is_some() {
                    differences.push(Difference::Missing(place));
                }
            }
            (Some(_), None) => differences.push(Difference::Missing(place)),
        }
        foreign_indices.extend(row.map(|row| row.match_index));
        mends.write(place, wanted);
    }
    let complete = shadow.geometry().places().all(|place| card.contains_key(&place));
    Reconciliation { version, differences, writes: mends.in_batches(), foreign_indices, complete }
}

fn different(place: Place, wanted: &Entry, row: &Entry) -> Difference {
    Difference::Different {
        place,
        match_index: wanted.match_index != row.match_index,
        scope: wanted.scope != row.scope,
        not_after: wanted.not_after != row.not_after,
        ring: wanted.ring != row.ring,
        wider: row.scope > wanted.scope || row.not_after > wanted.not_after,
    }
}

/// The writes that mend a card, before they have an order.
struct Mends<'a> {
    shadow: &'a Shadow,
    card: &'a BTreeMap<Place, ReadBackRow>,
    writes: BTreeMap<Place, RowWrite>,
    stray_clears: Vec<RowWrite>,
}

impl Mends<'_> {
    /// The key that the card finds at `place` and whose place is another one.
    fn stray_key(&self, place: Place) -> Option<Key> {
        let Some(ReadBackRow::Valid(row)) = self.card.get(&place) else { return None };
        self.shadow.place_of(&row.key).is_some_and(|home| home != place).then_some(row.key)
    }

    fn write(&mut self, place: Place, wanted: Option<&Entry>) {
        let write = RowWrite::new(place, None, wanted.copied());
        if wanted.is_none() && self.stray_key(place).is_some() {
            self.stray_clears.push(write);
        } else {
            self.writes.insert(place, write);
        }
    }

    /// Rows that no order allows go first, with all that stands in nobody's way. What overwrites a stray row waits until its key
    /// stands where it belongs. Strays are cleared last.
    fn in_batches(mut self) -> Writes {
        let mut ordered = Vec::new();
        let mut level = 0;
        while !self.writes.is_empty() {
            let waits = |place: &Place| {
                let home = self.stray_key(*place).and_then(|key| self.shadow.place_of(&key));
                home.is_some_and(|home| self.writes.contains_key(&home))
            };
            let mut now: Vec<Place> = self.writes.keys().filter(|place| !waits(place)).copied().collect();
            if now.is_empty() {
                // Rows that stand in a circle in each other's places. No plan leaves a card like that; whoever did has broken it.
                now = self.writes.keys().copied().collect();
            }
            ordered
                .extend(now.iter().filter_map(|place| self.writes.remove(place)).map(|write| write.with_level(level)));
            level += 1;
        }
        ordered.extend(self.stray_clears.into_iter().map(|write| write.with_level(level)));
        Writes::by_level(ordered)
    }
}
