//! Follows the clocks through the whole design and refuses every path from one to another.
//!
//! A path may cross in a [`Marker::Synchronizer`](crate::prim::Marker) only. An input of the top has no clock of its own, but
//! what it leads to has to agree on one.

use super::Finished;
use super::error::{EmitError, Problem};
use super::flat::{Clocked, Flat, Node};
use super::symbols::Role;
use std::collections::BTreeMap;

/// Checks the design `flat` whose top is `modules[top]`.
pub(super) fn check(flat: &Flat<'_>, modules: &[Finished], top: usize, name: &str) -> Result<(), EmitError> {
    let mut by_clock: BTreeMap<Node, Vec<&Clocked>> = BTreeMap::new();
    for clocked in &flat.clocked {
        by_clock.entry(flat.origin(clocked.clock)).or_default().push(clocked);
    }
    if by_clock.len() < 2 {
        return Ok(());
    }
    for (&clock, members) in &by_clock {
        let mut reached = BTreeMap::new();
        flat.reach(members.iter().flat_map(|clocked| clocked.outputs.iter().copied()), &mut reached);
        for (&other, victims) in by_clock.iter().filter(|(other, _)| **other != clock) {
            for victim in victims.iter().filter(|victim| !victim.is_crossing) {
                if let Some(start) = victim.inputs.iter().find_map(|input| reached.get(input)) {
                    let from = format!("{} ({})", flat.names[*start], flat.names[clock]);
                    let to = format!("{} ({})", victim.name, flat.names[other]);
                    return Err(crossing(name, from, to));
                }
            }
        }
    }
    for clocked in flat.clocked.iter().filter(|clocked| clocked.is_crossing) {
        if let Some(&input) = clocked.inputs.iter().find(|&&input| !flat.is_plain(input)) {
            let from = format!("logic at {}, which may glitch,", flat.names[input]);
            return Err(crossing(name, from, clocked.name.clone()));
        }
    }
    check_inputs(modules, top, name, flat, &by_clock)
}

/// Every data input of the top belongs to one clock.
fn check_inputs(
    modules: &[Finished],
    top: usize,
    name: &str,
    flat: &Flat<'_>,
    by_clock: &BTreeMap<Node, Vec<&Clocked>>,
) -> Result<(), EmitError> {
    let module = &modules[top].module;
    for &port in module.ports.iter().filter(|&&port| module.wires[port].net.role == Role::Input) {
        if module.wires[port].net.is_clock {
            continue;
        }
        let mut reached = BTreeMap::new();
        flat.reach([port].into_iter(), &mut reached);
        let mut first: Option<(Node, &str)> = None;
        for (&clock, members) in by_clock {
            let touched = members.iter().filter(|member| !member.is_crossing);
            let touched = touched.filter(|member| member.inputs.iter().any(|input| reached.contains_key(input)));
            for member in touched {
                match first {
                    Some((other, _)) if other != clock => {
                        let from = format!("input {}", flat.names[port]);
                        let to = format!("{} ({})", member.name, flat.names[clock]);
                        return Err(crossing(name, from, to));
                    }
                    _ => first = Some((clock, &member.name)),
                }
            }
        }
    }
    Ok(())
}

fn crossing(name: &str, from: String, to: String) -> EmitError {
    EmitError { instance: name.to_owned(), statement: None, problem: Problem::ClockCrossing { from, to } }
}
