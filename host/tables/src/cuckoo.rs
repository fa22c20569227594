//! Finds a place for a key: of a row, moving others out of the way along the shortest chain; of a rule, in a bank where it overlaps none.

use crate::shadow::Draft;
use crate::{Area, Entry, Key, Place};
use writ_abi::limits;

/// Why a key has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// No chain of moves, or no bank with a free rule.
    Full,
    /// The rule overlaps one in every bank.
    Overlap,
}

/// Puts a key that is not there into the draft: the row at its end, the moves that it needs before it. No change if there is no place.
pub(crate) fn insert(draft: &mut Draft<'_>, entry: Entry) -> Result<(), NoPlace> {
    let key = &entry.key;
    debug_assert!(draft.place_of(key).is_none(), "the key stands already");
    if key.area() == Area::Rules {
        let place = place_of_rule(draft, key)?;
        draft.write(place, Some(entry));
        return Ok(());
    }
    let chain = shortest_chain(draft, key).ok_or(NoPlace::Full)?;
    // From the free end backwards: every write puts a copy of a row where nothing, or an already copied row, stands. At no moment is
    // a moved key absent.
    for pair in chain.windows(2).rev() {
        let moved = draft.row_at(pair[0]).copied();
        draft.write(pair[1], moved);
    }
    draft.write(chain[0], Some(entry));
    Ok(())
}

/// The first free place of the first bank in which no rule overlaps the new one.
fn place_of_rule(draft: &Draft<'_>, key: &Key) -> Result<Place, NoPlace> {
    let mut reason = NoPlace::Overlap;
    for bank in 0..limits::RULE_BANKS as u8 {
        let rules =
            (0..draft.geometry().rows_per_way(Area::Rules)).map(|row| Place { area: Area::Rules, way: bank, row });
        if rules.clone().filter_map(|place| draft.row_at(place)).any(|entry| entry.key.overlaps(key)) {
            continue;
        }
        match rules.clone().find(|place| draft.row_at(*place).is_none()) {
            Some(free) => return Ok(free),
            None => reason = NoPlace::Full,
        }
    }
    Err(reason)
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
    let starts = geometry.places_of(key)?;
    if let Some(free) = starts.into_iter().find(|place| draft.row_at(*place).is_none()) {
        return Some(vec![free]);
    }
    let rows_per_way = geometry.rows_per_way(key.area()) as usize;
    let position = |place: Place| place.way as usize * rows_per_way + place.row as usize;
    let mut seen = vec![false; rows_per_way * limits::WAYS];
    let mut steps: Vec<Step> = starts.into_iter().map(|place| Step { place, from: None }).collect();
    for place in starts {
        seen[position(place)] = true;
    }
    let mut next = 0;
    while let Some(step) = steps.get(next) {
        let occupant = draft.row_at(step.place).expect("free places end the search at once");
        for place in geometry.places_of(&occupant.key).into_iter().flatten() {
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
