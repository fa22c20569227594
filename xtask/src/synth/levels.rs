//! LUT levels between registers, over the boundaries of blocks.
//!
//! Every instance of every block is laid out as one graph of signals, so that a path through several blocks counts in full. A path
//! starts at the output of a register, memory or shift register or at an input of the card, and ends at an input of one of these or at
//! an output of the card. It belongs to the block in which it ends.

use std::collections::BTreeMap;

use super::cells::{Kind, address_of};
use super::netlist::{Cell, Net, Netlist};

type Node = u32;

/// The longest path into a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Longest {
    pub(super) levels: u32,
    /// Signals from the start to the end, each with the levels up to it.
    pub(super) path: Vec<(u32, String)>,
}

/// The longest path into each block of the design under `top`.
pub(super) fn longest(netlists: &[Netlist], top: &str) -> Result<BTreeMap<String, Longest>, String> {
    let mut graph = Graph::new(netlists);
    graph.lay_out(graph.block(top)?, top, None)?;
    graph.connect();
    graph.measure()
}

/// An instance of a block, laid out.
struct Instance {
    block: usize,
    path: String,
    /// Node of its signal 0; the others follow.
    base: Node,
}

struct Graph<'a> {
    netlists: &'a [Netlist],
    instances: Vec<Instance>,
    /// Union of nodes that are one signal.
    parent: Vec<Node>,
    /// What a signal depends on without a register between, and the levels that lie there.
    sources: Vec<Vec<(Node, u8)>>,
    /// Where paths end, and in which instance.
    ends: Vec<(Node, usize)>,
}

impl<'a> Graph<'a> {
    fn new(netlists: &'a [Netlist]) -> Self {
        Self { netlists, instances: Vec::new(), parent: Vec::new(), sources: Vec::new(), ends: Vec::new() }
    }

    fn block(&self, name: &str) -> Result<usize, String> {
        let found = self.netlists.iter().position(|netlist| netlist.name == name);
        found.ok_or_else(|| format!("no netlist of {name}"))
    }

    /// Gives every signal of an instance, and of all that it holds, a node.
    fn lay_out(&mut self, block: usize, path: &str, outside: Option<(usize, usize)>) -> Result<(), String> {
        let netlist = &self.netlists[block];
        let base = self.parent.len() as Node;
        self.parent.extend((0..netlist.nets).map(|net| base + net));
        let own = self.instances.len();
        self.instances.push(Instance { block, path: path.to_owned(), base });
        if let Some((holder, child)) = outside {
            let (holder, holder_netlist) = (&self.instances[holder], &self.netlists[self.instances[holder].block]);
            let mut pairs = Vec::new();
            for (port, bits) in &holder_netlist.children[child].ports {
                let inner = netlist.ports.get(port).ok_or_else(|| format!("{path} has no port {port}"))?;
                let bits = bits.iter().zip(inner).filter_map(|(outer, inner)| Some(((*outer)?, (*inner)?)));
                pairs.extend(bits.map(|(outer, inner)| (holder.base + outer, base + inner)));
            }
            pairs.into_iter().for_each(|(outer, inner)| self.join(outer, inner));
        }
        for (index, child) in netlist.children.iter().enumerate() {
            let inner = self.block(&child.block)?;
            self.lay_out(inner, &format!("{path}.{}", child.instance), Some((own, index)))?;
        }
        Ok(())
    }

    fn find(&mut self, mut node: Node) -> Node {
        while self.parent[node as usize] != node {
            let above = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = above;
            node = above;
        }
        node
    }

    fn join(&mut self, one: Node, other: Node) {
        let (one, other) = (self.find(one), self.find(other));
        self.parent[other as usize] = one;
    }

    /// Finds what every signal depends on.
    fn connect(&mut self) {
        self.sources = vec![Vec::new(); self.parent.len()];
        for index in 0..self.instances.len() {
            let (base, netlist) = (self.instances[index].base, &self.netlists[self.instances[index].block]);
            let chains = chain_positions(&netlist.cells);
            for (cell, position) in netlist.cells.iter().zip(&chains) {
                for (from, to, levels) in arcs(cell, *position) {
                    let (from, to) = (self.find(base + from), self.find(base + to));
                    self.sources[to as usize].push((from, levels));
                }
                for end in ends(cell) {
                    let end = self.find(base + end);
                    self.ends.push((end, index));
                }
            }
            if index == 0 {
                for net in netlist.outputs.iter().flat_map(|port| netlist.ports[port].iter().flatten()) {
                    let end = self.find(base + net);
                    self.ends.push((end, 0));
                }
            }
        }
    }

    /// Levels up to every signal, then the longest path into each block.
    fn measure(&mut self) -> Result<BTreeMap<String, Longest>, String> {
        const OPEN: u32 = u32::MAX - 1;
        const UNKNOWN: u32 = u32::MAX;
        let mut levels = vec![UNKNOWN; self.parent.len()];
        let mut longest: BTreeMap<usize, (u32, Node)> = BTreeMap::new();
        for &(end, instance) in &self.ends {
            let mut stack = vec![end];
            while let Some(&node) = stack.last() {
                let sources = &self.sources[node as usize];
                match levels[node as usize] {
                    UNKNOWN => {
                        levels[node as usize] = OPEN;
                        for &(source, _) in sources {
                            match levels[source as usize] {
                                UNKNOWN => stack.push(source),
                                OPEN => return Err(format!("a combinational loop through {}", self.describe(source))),
                                _ => {}
                            }
                        }
                    }
                    OPEN => {
                        let reached = sources.iter().map(|&(source, own)| levels[source as usize] + u32::from(own));
                        levels[node as usize] = reached.max().unwrap_or(0);
                        stack.pop();
                    }
                    _ => {
                        stack.pop();
                    }
                }
            }
            let found = (levels[end as usize], end);
            let best = longest.entry(self.instances[instance].block).or_insert(found);
            if found.0 > best.0 {
                *best = found;
            }
        }
        Ok(longest
            .into_iter()
            .map(|(block, (count, end))| {
                let path = self.path_to(end, &levels);
                (self.netlists[block].name.clone(), Longest { levels: count, path })
            })
            .collect())
    }

    fn path_to(&self, end: Node, levels: &[u32]) -> Vec<(u32, String)> {
        let mut path = vec![(levels[end as usize], self.describe(end))];
        let mut node = end;
        while let Some(&(source, _)) = self.sources[node as usize]
            .iter()
            .find(|&&(source, own)| levels[source as usize] + u32::from(own) == levels[node as usize])
        {
            node = source;
            path.push((levels[node as usize], self.describe(node)));
        }
        path.reverse();
        path
    }

    /// Name of a signal: that of the outermost instance that has one for it.
    fn describe(&self, node: Node) -> String {
        for instance in &self.instances {
            let netlist = &self.netlists[instance.block];
            if let Some(net) = node.checked_sub(instance.base).filter(|net| *net < netlist.nets) {
                return match netlist.name_of(net as Net) {
                    Some(name) => format!("{}.{name}", instance.path),
                    None => instance.path.clone(),
                };
            }
        }
        String::new()
    }
}

/// For every carry cell its place in its chain, counted from the chain's start.
fn chain_positions(cells: &[Cell]) -> Vec<u32> {
    let carry_in =
        |cell: &Cell| cell.inputs.iter().find(|pin| pin.name == "CI").and_then(|pin| pin.bits.first().copied()?);
    let mut by_carry_out = BTreeMap::new();
    for (index, cell) in cells.iter().enumerate().filter(|(_, cell)| cell.kind == Kind::Carry) {
        if let Some(net) = cell.outputs.iter().find(|pin| pin.name == "CO").and_then(|pin| *pin.bits.get(3)?) {
            by_carry_out.insert(net, index);
        }
    }
    let mut positions = vec![0; cells.len()];
    for (index, _) in cells.iter().enumerate().filter(|(_, cell)| cell.kind == Kind::Carry) {
        let mut before = carry_in(&cells[index]).and_then(|net| by_carry_out.get(&net));
        // A chain cannot be longer than there are cells.
        while let Some(&cell) = before.filter(|_| (positions[index] as usize) < cells.len()) {
            positions[index] += 1;
            before = carry_in(&cells[cell]).and_then(|net| by_carry_out.get(&net));
        }
    }
    positions
}

/// How signals go through a cell without waiting for a clock: from, to, levels.
fn arcs(cell: &Cell, chain_position: u32) -> Vec<(Net, Net, u8)> {
    let mut arcs = Vec::new();
    for output in &cell.outputs {
        for input in &cell.inputs {
            for (place, to) in output.bits.iter().enumerate() {
                for (bit, from) in input.bits.iter().enumerate() {
                    let levels = match cell.kind {
                        Kind::Logic { levels, .. } => Some(levels as u8),
                        Kind::LutRam { .. } => address_of(&output.name, &input.name).then_some(1),
                        Kind::Carry => carry_levels(&output.name, place, &input.name, bit, chain_position),
                        Kind::State { .. } => None,
                    };
                    if let (Some(levels), Some(from), Some(to)) = (levels, from, to) {
                        arcs.push((*from, *to, levels));
                    }
                }
            }
        }
    }
    arcs
}

/// The target's chains run in pieces of eight bits, two cells each: entering a chain costs a level, and so does each further piece.
fn carry_levels(output: &str, place: usize, input: &str, bit: usize, chain_position: u32) -> Option<u8> {
    match input {
        "CI" => Some(u8::from(chain_position.is_multiple_of(2))),
        "CYINIT" => Some(1),
        "S" => (bit <= place).then_some(1),
        "DI" => (bit < place || (bit == place && output == "CO")).then_some(1),
        _ => None,
    }
}

/// Where paths end in a cell.
fn ends(cell: &Cell) -> impl Iterator<Item = Net> + '_ {
    let is_end = move |name: &str| match cell.kind {
        Kind::State { .. } => true,
        Kind::LutRam { .. } => !cell.outputs.iter().any(|output| address_of(&output.name, name)),
        Kind::Logic { .. } | Kind::Carry => false,
    };
    cell.inputs.iter().filter(move |pin| is_end(&pin.name)).flat_map(|pin| pin.bits.iter().flatten().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, direction and signals of each pin.
    type Pins<'a> = &'a [(&'a str, &'a str, &'a [u32])];

    /// A block from a list of cells: kind, connections; ports: name, direction, bits.
    fn netlist(name: &str, ports: Pins<'_>, cells: &[(&str, Pins<'_>)]) -> Netlist {
        let port = |(name, direction, bits): &(&str, &str, &[u32])| {
            format!(r#""{name}": {{"direction": "{direction}", "bits": {bits:?}}}"#)
        };
        let cell = |(index, (kind, pins)): (usize, &(&str, Pins<'_>))| {
            let directions: Vec<String> = pins.iter().map(|pin| format!(r#""{}": "{}""#, pin.0, pin.1)).collect();
            let connections: Vec<String> = pins.iter().map(|pin| format!(r#""{}": {:?}"#, pin.0, pin.2)).collect();
            format!(
                r#""cell_{index}": {{"type": "{kind}", "port_directions": {{{}}}, "connections": {{{}}}}}"#,
                directions.join(", "),
                connections.join(", ")
            )
        };
        let ports: Vec<String> = ports.iter().map(port).collect();
        let cells: Vec<String> = cells.iter().enumerate().map(cell).collect();
        let text = format!(
            r#"{{"modules": {{"{name}": {{"ports": {{{}}}, "cells": {{{}}}, "netnames": {{}}}}}}}}"#,
            ports.join(", "),
            cells.join(", ")
        );
        Netlist::parse(text.as_bytes(), name, &|kind| kind.starts_with("block")).expect("a netlist")
    }

    fn lut<'a>(inputs: &'a [u32], output: &'a [u32]) -> [(&'a str, &'a str, &'a [u32]); 2] {
        [("I", "input", inputs), ("O", "output", output)]
    }

    fn register<'a>(d: &'a [u32], q: &'a [u32]) -> [(&'a str, &'a str, &'a [u32]); 2] {
        [("D", "input", d), ("Q", "output", q)]
    }

    #[test]
    fn a_path_counts_through_blocks_and_belongs_to_its_end() {
        // Inside: register 2 -> LUT -> 3 out; in 4 -> MUXF7 -> LUT -> register.
        let inside = netlist(
            "block_inside",
            &[("out", "output", &[3]), ("in", "input", &[4])],
            &[
                ("FDRE", &register(&[6], &[2])),
                ("LUT2", &lut(&[2], &[3])),
                ("MUXF7", &lut(&[4], &[5])),
                ("LUT6", &lut(&[5, 2], &[6])),
            ],
        );
        // Around it: two LUTs from its output to its input, and a register behind the first of them.
        let around = netlist(
            "block_around",
            &[],
            &[
                ("block_inside", &[("out", "output", &[10]), ("in", "input", &[12])]),
                ("LUT1", &lut(&[10], &[11])),
                ("LUT1", &lut(&[11], &[12])),
                ("FDSE", &register(&[11], &[13])),
            ],
        );
        let found = longest(&[inside, around], "block_around").expect("levels");
        assert_eq!(found["block_inside"].levels, 4, "LUT2, two LUT1, MUXF7 for nothing, LUT6");
        assert_eq!(found["block_around"].levels, 2, "LUT2, LUT1");
        assert_eq!(found["block_inside"].path.len(), 6);
    }

    #[test]
    fn two_instances_are_two_paths() {
        let inside =
            netlist("block_inside", &[("in", "input", &[2]), ("out", "output", &[3])], &[("LUT1", &lut(&[2], &[3]))]);
        let chain = netlist(
            "block_chain",
            &[("a", "input", &[2]), ("b", "output", &[4])],
            &[
                ("block_inside", &[("in", "input", &[2]), ("out", "output", &[3])]),
                ("block_inside", &[("in", "input", &[3]), ("out", "output", &[4])]),
            ],
        );
        let found = longest(&[inside, chain], "block_chain").expect("levels");
        assert_eq!(found["block_chain"].levels, 2, "an output of the top is an end");
        assert!(!found.contains_key("block_inside"), "no path ends in it");
    }

    #[test]
    fn carry_chains_cost_a_level_for_eight_bits() {
        // Five cells in a row: bit 0 of the first to bit 3 of the last are three pieces of eight.
        let ci: Vec<[u32; 1]> = (0..5).map(|cell| [100 + cell]).collect();
        let co: Vec<[u32; 4]> = (0..5).map(|cell| [200 + cell, 300 + cell, 400 + cell, 101 + cell]).collect();
        let o: Vec<[u32; 4]> = (0..5).map(|cell| [500 + cell, 600 + cell, 700 + cell, 800 + cell]).collect();
        let s: Vec<[u32; 4]> = (0..5).map(|cell| [10 + cell, 20 + cell, 30 + cell, 40 + cell]).collect();
        let pins: Vec<[(&str, &str, &[u32]); 4]> = (0..5)
            .map(|cell| {
                let (ci, s): (&[u32], &[u32]) = (&ci[cell], &s[cell]);
                [("CI", "input", ci), ("S", "input", s), ("O", "output", &o[cell][..]), ("CO", "output", &co[cell][..])]
            })
            .collect();
        let mut cells: Vec<(&str, Pins<'_>)> = pins.iter().map(|pins| ("CARRY4", &pins[..])).collect();
        let from = register(&[1], &[10]);
        cells.push(("FDRE", &from));
        let of = |end: u32| {
            let d = [end];
            let q = [2];
            let to = register(&d, &q);
            let mut cells = cells.clone();
            cells.push(("FDRE", &to));
            longest(&[netlist("block", &[], &cells)], "block").expect("levels")["block"].levels
        };
        assert_eq!(of(800), 1, "the first four bits");
        assert_eq!(of(801), 1, "the first eight");
        assert_eq!(of(502), 2, "the ninth");
        assert_eq!(of(804), 3, "the last");
    }

    #[test]
    fn loops_are_refused() {
        let block = netlist(
            "block",
            &[],
            &[("LUT1", &lut(&[2], &[3])), ("LUT1", &lut(&[3], &[2])), ("FDRE", &register(&[2], &[4]))],
        );
        assert!(longest(&[block], "block").expect_err("a loop").contains("loop"));
    }
}
