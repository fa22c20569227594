//! Finds a place for a key, moving others out of the way along the shortest chain.

use crate::shadow::{Draft, key_of};
use crate::{Key, Place};
use writ_abi::{command::Row, limits};

/// Puts a key that is not there into the draft: the row at its end, the moves that it needs before it. `false`, and no change,
/// if there is no chain at all.
pub(crate) fn insert(draft: &mut Draft<'_>, key: &Key, row: Row) -> bool {
    debug_assert!(draft.place_of(key).is_none(), "the key stands already");
    let Some(chain) = shortest_chain(draft, key) else { return false };
    // From the free end backwards: every write puts a copy of a row where nothing, or an already copied row, stands. At no moment is
    // a moved key absent.
    for pair in chain.windows(2).rev() {
        let moved = draft.row_at(pair[0]).copied();
        draft.write(pair[1], moved);
    }
    draft.write(chain[0], Some(row));
    true
}

/// A place that the search has reached.
struct Step {
    place: Place,
    /// Position of the step whose row would move here.
    from: Option<usize>,
}

/// The places of the shortest chain: the first is one of the key's, the last is free, and the row of each can move to the next.
/// Breadth first, lowest way first, so that the same tables always give the same chain.
fn shortest_chain(draft: &Draft<'_>, key: &Key) -> Option<Vec<Place>> {
    let geometry = draft.geometry();
    let starts = geometry.places_of(key);
    if let Some(free) = starts.into_iter().find(|place| draft.row_at(*place).is_none()) {
        return Some(vec![free]);
    }
    let rows_per_way = geometry.rows_per_way(key.table()) as usize;
    let position = |place: Place| place.way as usize * rows_per_way + place.row as usize;
    let mut seen = vec![false; rows_per_way * limits::WAYS];
    let mut steps: Vec<Step> = starts.into_iter().map(|place| Step { place, from: None }).collect();
    for place in starts {
        seen[position(place)] = true;
    }
    let mut next = 0;
    while let Some(step) = steps.get(next) {
        let occupant = draft.row_at(step.place).expect("free places end the search at once");
        for place in geometry.places_of(&key_of(step.place, occupant)) {
            if seen[position(place)] {
                continue;
            }
            seen[position(place)] = true;
            steps.push(Step { place, from: Some(next) });
            if draft.row_at(place).is_none() {
                return Some(chain_to(&steps));
            }
        }
        next += 1;
    }
    None
}

/// The chain that ends with the last step.
fn chain_to(steps: &[Step]) -> Vec<Place> {
    let mut chain = Vec::new();
    let mut at = steps.len().checked_sub(1);
    while let Some(step) = at.map(|at| &steps[at]) {
        chain.push(step.place);
        at = step.from;
    }
    chain.reverse();
    chain
}
