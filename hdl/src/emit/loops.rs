//! Finds signals that depend on themselves within one clock.
//!
//! First whole signals: hardly any design has a circle of these. Only on such a circle are single bits followed, because
//! fields of one signal may well depend on each other.

use super::error::{EmitError, Problem};
use super::flat::{Flat, Node};
use std::collections::{BTreeMap, BTreeSet};

/// Refuses a design with a loop.
pub(super) fn check(flat: &Flat<'_>, name: &str) -> Result<(), EmitError> {
    let suspects = circles(flat);
    if suspects.is_empty() {
        return Ok(());
    }
    match bit_loop(flat, &suspects) {
        None => Ok(()),
        Some(names) => {
            let problem = Problem::CombinationalLoop(names);
            Err(EmitError { instance: name.to_owned(), statement: None, problem })
        }
    }
}

/// Signals that lie on a circle, or between two circles.
fn circles(flat: &Flat<'_>) -> BTreeSet<Node> {
    // Peel off, again and again, what nothing left leads to, then what leads to nothing left.
    let count = flat.leads_to.len();
    let mut backward = vec![Vec::new(); count];
    for (from, targets) in flat.leads_to.iter().enumerate() {
        targets.iter().for_each(|&to| backward[to].push(from));
    }
    let mut left: Vec<bool> = vec![true; count];
    for (ahead, behind) in [(&flat.leads_to, &backward), (&backward, &flat.leads_to)] {
        let mut needs: Vec<usize> = behind.iter().map(|sources| sources.iter().filter(|&&s| left[s]).count()).collect();
        let mut free: Vec<Node> = (0..count).filter(|&node| left[node] && needs[node] == 0).collect();
        while let Some(node) = free.pop() {
            left[node] = false;
            for &next in ahead[node].iter().filter(|&&next| left[next]) {
                needs[next] -= 1;
                if needs[next] == 0 {
                    free.push(next);
                }
            }
        }
    }
    (0..count).filter(|&node| left[node]).collect()
}

/// State of a bit in the search: on the present path, or done without a loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Done,
}

/// A loop of bits among `suspects`, as names.
fn bit_loop(flat: &Flat<'_>, suspects: &BTreeSet<Node>) -> Option<Vec<String>> {
    let mut states: BTreeMap<(Node, usize), State> = BTreeMap::new();
    for &node in suspects {
        for bit in 0..flat.widths[node] {
            // A path from its end to its beginning, each bit with those of its sources that are not looked at yet.
            let mut path = vec![((node, bit), flat.sources(node, bit))];
            if states.insert((node, bit), State::Open).is_some() {
                states.insert((node, bit), State::Done);
                continue;
            }
            while let Some((here, sources)) = path.last_mut() {
                let Some(next) = sources.pop() else {
                    states.insert(*here, State::Done);
                    path.pop();
                    continue;
                };
                if !suspects.contains(&next.0) {
                    continue;
                }
                match states.get(&next) {
                    Some(State::Done) => {}
                    Some(State::Open) => {
                        let begin = path.iter().position(|(on_path, _)| *on_path == next).unwrap_or_default();
                        let on_loop = path[begin..].iter().rev().map(|((node, _), _)| *node);
                        let mut names: Vec<String> = on_loop.map(|node| flat.names[node].clone()).collect();
                        names.dedup();
                        names.push(names[0].clone());
                        return Some(names);
                    }
                    None => {
                        states.insert(next, State::Open);
                        path.push((next, flat.sources(next.0, next.1)));
                    }
                }
            }
        }
    }
    None
}
