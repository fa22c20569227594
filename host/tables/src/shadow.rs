//! What the card's rows hold, and a draft of what they will hold.

use crate::{Area, Entry, Geometry, Key, Place, RowWrite};
use core::fmt;
use std::collections::BTreeMap;

/// What the card holds after the last plan that was carried out. Every key stands once.
#[derive(Clone)]
pub(crate) struct Shadow {
    geometry: Geometry,
    /// Area by area, way by way, row by row.
    rows: [Vec<Option<Entry>>; Area::COUNT],
    rows_used: [u32; Area::COUNT],
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
        let rows = Area::all().map(|area| vec![None; geometry.rows(area) as usize]);
        Self { geometry, rows, rows_used: [0; Area::COUNT], places: BTreeMap::new() }
    }

    pub(crate) fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn position(&self, place: Place) -> usize {
        place.way as usize * self.geometry.rows_per_way(place.area) as usize + place.row as usize
    }

    pub(crate) fn row_at(&self, place: Place) -> Option<&Entry> {
        self.rows[place.area.number()][self.position(place)].as_ref()
    }

    pub(crate) fn place_of(&self, key: &Key) -> Option<Place> {
        self.places.get(key).copied()
    }

    pub(crate) fn rows_used(&self, area: Area) -> u32 {
        self.rows_used[area.number()]
    }

    /// Rows in use, by rising place.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Place, &Entry)> {
        self.geometry.places().filter_map(|place| Some((place, self.row_at(place)?)))
    }

    pub(crate) fn apply(&mut self, write: &RowWrite) {
        let place = write.place();
        if let Some(before) = write.before() {
            let key = before.key;
            // A moved key's old copy goes after the new one came: the new place stays.
            if self.places.get(&key) == Some(&place) {
                self.places.remove(&key);
                self.rows_used[place.area.number()] -= 1;
            }
        }
        if let Some(after) = write.after()
            && self.places.insert(after.key, place).is_none()
        {
            self.rows_used[place.area.number()] += 1;
        }
        let position = self.position(place);
        self.rows[place.area.number()][position] = write.after().copied();
    }
}

/// A shadow with writes on top that have not been carried out.
pub(crate) struct Draft<'a> {
    shadow: &'a Shadow,
    rows: BTreeMap<Place, Option<Entry>>,
    places: BTreeMap<Key, Option<Place>>,
    rows_used: [u32; Area::COUNT],
    pub(crate) writes: Vec<RowWrite>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(shadow: &'a Shadow) -> Self {
        Self { shadow, rows: BTreeMap::new(), places: BTreeMap::new(), rows_used: shadow.rows_used, writes: Vec::new() }
    }

    pub(crate) fn geometry(&self) -> Geometry {
        self.shadow.geometry
    }

    pub(crate) fn row_at(&self, place: Place) -> Option<&Entry> {
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

    pub(crate) fn rows_used(&self, area: Area) -> u32 {
        self.rows_used[area.number()]
    }

    /// Adds a write. Whatever stood at the place has a copy elsewhere, or is meant to go.
    pub(crate) fn write(&mut self, place: Place, after: Option<Entry>) {
        let before = self.row_at(place).copied();
        if let Some(before) = &before {
            let key = before.key;
            if self.place_of(&key) == Some(place) {
                self.places.insert(key, None);
                self.rows_used[place.area.number()] -= 1;
            }
        }
        if let Some(after) = &after {
            let key = after.key;
            if self.place_of(&key).is_none() {
                self.rows_used[place.area.number()] += 1;
            }
            self.places.insert(key, Some(place));
        }
        self.rows.insert(place, after);
        self.writes.push(RowWrite::new(place, before, after));
    }
}
