//! Follows the clocks through the whole design and refuses every path from one to another.
//!
//! A path may cross in a [`Marker::Synchronizer`](crate::prim::Marker), whose input is a register as it is: one bit, or the whole Gray
//! code of a [`Marker::GrayCounter`](crate::prim::Marker). And it may cross in the memory of a FIFO: a
//! [`Marker::DualClockMemory`](crate::prim::Marker) each of whose addresses is such a counter, with its code synchronised to the other
//! side. An input of the top has no clock of its own, but what it leads to has to agree on one.
//!
//! # Limits
//! Whether a FIFO's two sides look at each other's counter before they touch a word, and whether counters are reset only
//! while nobody looks, is behaviour and not structure: tests and proofs of the FIFO have to show it.

use super::Finished;
use super::error::{EmitError, Problem};
use super::flat::{Clocked, Counter, Flat, Node};
use super::symbols::Role;
use std::collections::BTreeMap;

/// Checks the design `flat` whose top is `modules[top]`.
pub(super) fn check(flat: &Flat<'_>, modules: &[Finished], top: usize, name: &str) -> Result<(), EmitError> {
    let mut by_clock: BTreeMap<Node, Vec<&Clocked>> = BTreeMap::new();
    for clocked in &flat.clocked {
        by_clock.entry(flat.origin(clocked.clock)).or_default().push(clocked);
    }
    for clocked in flat.clocked.iter().filter(|clocked| clocked.is_crossing) {
        check_synchronizer(flat, clocked, name)?;
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
    check_memories(flat, name)?;
    check_inputs(modules, top, name, flat, &by_clock)
}

/// What enters a synchroniser is a register as it is: one bit, or a whole Gray code.
fn check_synchronizer(flat: &Flat<'_>, synchronizer: &Clocked, name: &str) -> Result<(), EmitError> {
    for &input in &synchronizer.inputs {
        let Some(source) = flat.plain_source(input) else {
            let from = format!("logic at {}, which may glitch,", flat.names[input]);
            return Err(crossing(name, from, synchronizer.name.clone()));
        };
        let is_gray = flat.counters.iter().any(|counter| counter.gray == source);
        if flat.widths[input] > 1 && !(is_gray && flat.widths[source] == flat.widths[input]) {
            let from = format!("{}, {} bits that are no Gray code,", flat.names[source], flat.widths[input]);
            return Err(crossing(name, from, synchronizer.name.clone()));
        }
    }
    Ok(())
}

/// Each address of a memory with two clocks is a counter whose Gray code is synchronised to the other side.
fn check_memories(flat: &Flat<'_>, name: &str) -> Result<(), EmitError> {
    for memory in &flat.dual_clock {
        let [write_clock, read_clock] = [memory.write.0, memory.read.0].map(|clock| flat.origin(clock));
        if write_clock == read_clock {
            continue;
        }
        for (side, clock, address, other) in
            [("write", write_clock, memory.write.1, read_clock), ("read", read_clock, memory.read.1, write_clock)]
        {
            let counter = flat.plain_source(address).and_then(|source| {
                let mut counters = flat.counters.iter();
                counters.find(|counter| counter.count == source && flat.origin(counter.clock) == clock)
            });
            if !counter.is_some_and(|counter| is_synchronized(flat, counter, other)) {
                let from = format!("{side} address of {}, which is no counter synchronised to", memory.name);
                return Err(crossing(name, from, flat.names[other].clone()));
            }
        }
    }
    Ok(())
}

fn is_synchronized(flat: &Flat<'_>, counter: &Counter, to: Node) -> bool {
    let mut crossings = flat.clocked.iter().filter(|clocked| clocked.is_crossing && flat.origin(clocked.clock) == to);
    crossings.any(|crossing| crossing.inputs.iter().any(|&input| flat.plain_source(input) == Some(counter.gray)))
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
