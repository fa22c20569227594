//! The design without its hierarchy: every signal of every instance, and what leads to what.

use super::Finished;
use super::expr::Expr;
use super::module::Primitive;
use super::primitive;
use super::program::Body;
use super::stmt::Stmt;
use super::symbols::Role;
use crate::prim::Marker;
use std::collections::{BTreeMap, BTreeSet};

/// A signal of an instance.
pub(super) type Node = usize;

/// Something that a clock drives: a primitive of an instance, or one side of it.
pub(super) struct Clocked {
    pub(super) name: String,
    pub(super) clock: Node,
    pub(super) inputs: Vec<Node>,
    pub(super) outputs: Vec<Node>,
    /// Its inputs may come from any clock.
    pub(super) is_crossing: bool,
}

/// A counter with a Gray code.
pub(super) struct Counter {
    pub(super) clock: Node,
    pub(super) count: Node,
    pub(super) gray: Node,
}

/// A memory with a clock for each side.
pub(super) struct DualClock {
    pub(super) name: String,
    /// Clock and address of the write side.
    pub(super) write: (Node, Node),
    /// Clock and address of the read side.
    pub(super) read: (Node, Node),
}

/// The design without its hierarchy.
#[derive(Default)]
pub(super) struct Flat<'a> {
    pub(super) names: Vec<String>,
    pub(super) widths: Vec<usize>,
    /// What each signal combinationally leads to.
    pub(super) leads_to: Vec<Vec<Node>>,
    /// What a signal that only passes something on passes on; followed for clocks.
    passes_on: BTreeMap<Node, Node>,
    /// Signals made by logic, not just passed on.
    computed: BTreeSet<Node>,
    /// What the signals are made of, and the first node of the instance that the expressions speak of.
    bodies: BTreeMap<Node, (Node, &'a Body)>,
    /// Inputs of instances that are a part of a signal, likewise.
    parts: BTreeMap<Node, (Node, &'a Expr)>,
    pub(super) clocked: Vec<Clocked>,
    pub(super) counters: Vec<Counter>,
    pub(super) dual_clock: Vec<DualClock>,
}

impl<'a> Flat<'a> {
    /// The design whose top is `modules[top]`, called `name`. The top's signals are the first nodes.
    pub(super) fn of(modules: &'a [Finished], top: usize, name: &str) -> Self {
        let mut flat = Flat::default();
        flat.add(modules, top, name);
        flat
    }

    /// The bits that bit `bit` of `node` is made of.
    pub(super) fn sources(&self, node: Node, bit: usize) -> Vec<(Node, usize)> {
        let mut sources = BTreeSet::new();
        match self.bodies.get(&node) {
            Some((base, Body::Assign(value))) => reads_of(value.clone().slice(bit, 1), *base, &mut sources),
            Some((base, Body::Always(body))) => reads_of_block(body, bit, (node, *base), &mut sources),
            None => match (self.parts.get(&node), self.passes_on.get(&node)) {
                (Some((base, part)), _) => reads_of((*part).clone().slice(bit, 1), *base, &mut sources),
                (None, Some(&from)) if !self.computed.contains(&node) => {
                    sources.insert((from, bit));
                }
                _ => {}
            },
        }
        sources.into_iter().collect()
    }

    /// Adds an instance of `module` and all below it. Returns its first node; its signals follow in order.
    fn add(&mut self, modules: &'a [Finished], module: usize, path: &str) -> Node {
        let built = &modules[module].module;
        let base = self.names.len();
        for wire in &built.wires {
            self.names.push(format!("{path}.{}", wire.net.name.replace('$', ".")));
            self.widths.push(wire.net.width);
            self.leads_to.push(Vec::new());
        }
        for (net, wire) in built.wires.iter().enumerate() {
            if let Some(alias) = &wire.alias {
                self.parts.insert(base + net, (base, alias));
                alias.for_each_read(&mut |read| self.connect(base + read.net, base + net));
            }
        }
        for (target, body) in &built.bodies {
            self.bodies.insert(base + target, (base, body));
            if !matches!(body, Body::Assign(Expr::Read(_))) {
                self.computed.insert(base + target);
            }
            body.for_each_expr(&mut |expr| {
                expr.for_each_read(&mut |read| self.connect(base + read.net, base + target));
            });
        }
        for primitive in &built.primitives {
            self.add_primitive(primitive, base, path);
        }
        for instance in &built.instances {
            let inner = self.add(modules, instance.module, &format!("{path}.{}", instance.name));
            let inside = &modules[instance.module].module;
            for (&port, &net) in inside.ports.iter().zip(&instance.ports) {
                if inside.wires[port].net.role == Role::Input {
                    self.connect(base + net, inner + port);
                } else {
                    self.connect(inner + port, base + net);
                }
            }
        }
        base
    }

    fn connect(&mut self, from: Node, to: Node) {
        self.leads_to[from].push(to);
        self.passes_on.insert(to, from);
    }

    fn add_primitive(&mut self, primitive: &Primitive, base: Node, path: &str) {
        let node = |port: &str| base + primitive.ports[port];
        if let (Some(body), Some(&d)) = (&primitive.next, primitive.ports.get("d")) {
            body.for_each_expr(&mut |expr| {
                expr.for_each_read(&mut |read| self.connect(base + read.net, base + d));
            });
        }
        if matches!(primitive.marker, Marker::LutRam) {
            self.connect(node("read_address"), node("read_data"));
            self.computed.insert(node("read_data"));
        }
        let name = format!("{path}.{}", primitive.name.replace('$', "."));
        for part in primitive::parts(&primitive.marker) {
            self.clocked.push(Clocked {
                name: name.clone(),
                clock: node(part.clock),
                inputs: part.inputs.iter().map(|port| node(port)).collect(),
                outputs: part.outputs.iter().map(|port| node(port)).collect(),
                is_crossing: matches!(primitive.marker, Marker::Synchronizer { .. }),
            });
        }
        match primitive.marker {
            Marker::GrayCounter => {
                self.counters.push(Counter { clock: node("clock"), count: node("count"), gray: node("gray") });
            }
            Marker::DualClockMemory { .. } => self.dual_clock.push(DualClock {
                name,
                write: (node("write_clock"), node("write_address")),
                read: (node("read_clock"), node("read_address")),
            }),
            _ => {}
        }
    }

    /// Where a clock comes from.
    pub(super) fn origin(&self, mut clock: Node) -> Node {
        while let Some(&from) = self.passes_on.get(&clock) {
            clock = from;
        }
        clock
    }

    /// The output of a primitive or input of the top that a signal is, or is a part of. `None`: logic makes it.
    pub(super) fn plain_source(&self, mut node: Node) -> Option<Node> {
        while !self.computed.contains(&node) {
            match self.passes_on.get(&node) {
                Some(&from) => node = from,
                None => return Some(node),
            }
        }
        None
    }

    /// Marks everything that `starts` combinationally lead to with the start that it was reached from.
    pub(super) fn reach(&self, starts: impl Iterator<Item = Node>, reached_from: &mut BTreeMap<Node, Node>) {
        let mut open = Vec::new();
        for start in starts {
            reached_from.insert(start, start);
            open.push(start);
        }
        while let Some(node) = open.pop() {
            let start = reached_from[&node];
            for &next in &self.leads_to[node] {
                if let std::collections::btree_map::Entry::Vacant(entry) = reached_from.entry(next) {
                    entry.insert(start);
                    open.push(next);
                }
            }
        }
    }
}

/// Bits that an expression over the instance at `base` reads.
fn reads_of(expr: Expr, base: Node, sources: &mut BTreeSet<(Node, usize)>) {
    expr.for_each_read(&mut |read| {
        sources.extend((read.lsb..read.lsb + read.width).map(|bit| (base + read.net, bit)));
    });
}

/// Bits that the statements of `node` read to make its bit `bit`; what they read of `node` itself is no loop.
fn reads_of_block(block: &[Stmt], bit: usize, (node, base): (Node, Node), sources: &mut BTreeSet<(Node, usize)>) {
    let mut found = BTreeSet::new();
    for statement in block {
        match statement {
            Stmt::Write { lsb, value, .. } if (*lsb..lsb + value.width()).contains(&bit) => {
                reads_of(value.clone().slice(bit - lsb, 1), base, &mut found);
            }
            Stmt::Write { .. } => {}
            Stmt::If { test, then, otherwise } => {
                reads_of(test.clone(), base, &mut found);
                reads_of_block(then, bit, (node, base), &mut found);
                reads_of_block(otherwise, bit, (node, base), &mut found);
            }
            Stmt::Case { test, arms, default } => {
                reads_of(test.clone(), base, &mut found);
                arms.iter().for_each(|(_, arm)| reads_of_block(arm, bit, (node, base), &mut found));
                reads_of_block(default, bit, (node, base), &mut found);
            }
        }
    }
    sources.extend(found.into_iter().filter(|(source, _)| *source != node));
}
