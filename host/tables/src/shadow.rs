//! What the card's rows hold, and a draft of what they will hold.

use crate::{Geometry, Key, Place, RowWrite, Table};
use core::fmt;
use std::collections::BTreeMap;
use writ_abi::command::Row;

/// What the card holds after the last plan that was carried out. Every key stands once.
#[derive(Clone)]
pub(crate) struct Shadow {
    geometry: Geometry,
    /// Table by table, way by way, row by row.
    rows: [Vec<Option<Row>>; Table::ALL.len()],
    rows_used: [u32; Table::ALL.len()],
    places: BTreeMap<Key, Place>,
}

/// Rows hold target identifiers, so only their number is shown.
impl fmt::Debug for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadow").field("rows_used", &self.rows_used).finish_non_exhaustive()
    }
}

impl Shadow {
    pub(crate) fn new(geometry: Geometry) -> Self {
        let rows = Table::ALL.map(|table| vec![None; geometry.rows(table) as usize]);
        Self { geometry, rows, rows_used: [0; Table::ALL.len()], places: BTreeMap::new() }
    }

    pub(crate) fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn position(&self, place: Place) -> usize {
        place.way as usize * self.geometry.rows_per_way(place.table) as usize + place.row as usize
    }

    pub(crate) fn row_at(&self, place: Place) -> Option<&Row> {
        self.rows[place.table as usize][self.position(place)].as_ref()
    }

    pub(crate) fn place_of(&self, key: &Key) -> Option<Place> {
        self.places.get(key).copied()
    }

    pub(crate) fn rows_used(&self, table: Table) -> u32 {
        self.rows_used[table as usize]
    }

    /// Rows in use, by rising place.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Place, &Row)> {
        self.geometry.places().filter_map(|place| Some((place, self.row_at(place)?)))
    }

    pub(crate) fn apply(&mut self, write: &RowWrite) {
        let place = write.place();
        if let Some(before) = write.before() {
            let key = key_of(place, before);
            // A moved key's old copy goes after the new one came: the new place stays.
            if self.places.get(&key) == Some(&place) {
                self.places.remove(&key);
                self.rows_used[place.table as usize] -= 1;
            }
        }
        if let Some(after) = write.after()
            && self.places.insert(key_of(place, after), place).is_none()
        {
            self.rows_used[place.table as usize] += 1;
        }
        let position = self.position(place);
        self.rows[place.table as usize][position] = write.after().copied();
    }
}

/// The key of a row that this crate made.
pub(crate) fn key_of(place: Place, row: &Row) -> Key {
    Key::from_row(place.table, &row.key).expect("rows are made from keys")
}

/// A shadow with writes on top that have not been carried out.
pub(crate) struct Draft<'a> {
    shadow: &'a Shadow,
    rows: BTreeMap<Place, Option<Row>>,
    places: BTreeMap<Key, Option<Place>>,
    rows_used: [u32; Table::ALL.len()],
    pub(crate) writes: Vec<RowWrite>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(shadow: &'a Shadow) -> Self {
        Self { shadow, rows: BTreeMap::new(), places: BTreeMap::new(), rows_used: shadow.rows_used, writes: Vec::new() }
    }

    pub(crate) fn geometry(&self) -> Geometry {
        self.shadow.geometry
    }

    pub(crate) fn row_at(&self, place: Place) -> Option<&Row> {
        match self.rows.get(&place) {
            Some(row) => row.as_ref(),
            None => self.shadow.row_at(place),
        }
    }

    pub(crate) fn place_of(&self, key: &Key) -> Option<Place> {
        match self.places.get(key) {
            Some(place) => *place,
            None => self.shadow.place_of(key),
        }
    }

    pub(crate) fn rows_used(&self, table: Table) -> u32 {
        self.rows_used[table as usize]
    }

    /// Adds a write. Whatever stood at the place has a copy elsewhere, or is meant to go.
    pub(crate) fn write(&mut self, place: Place, after: Option<Row>) {
        let before = self.row_at(place).copied();
        if let Some(before) = &before {
            let key = key_of(place, before);
            if self.place_of(&key) == Some(place) {
                self.places.insert(key, None);
                self.rows_used[place.table as usize] -= 1;
            }
        }
        if let Some(after) = &after {
            let key = key_of(place, after);
            if self.place_of(&key).is_none() {
                self.rows_used[place.table as usize] += 1;
            }
            self.places.insert(key, Some(place));
        }
        self.rows.insert(place, after);
        self.writes.push(RowWrite::new(place, before, after));
    }
}
