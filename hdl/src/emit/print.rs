//! Prints modules.
//!
//! Both sides of every operator have one width and every result has the width of its place, so Verilog's extension to the
//! width of the context never does anything. Sums and inversions stand in a concatenation all the same: its operands are
//! self-determined, whatever is printed around them.

use super::expr::{Expr, Op};
use super::module::Module;
use super::names::Names;
use super::primitive;
use super::program::Body;
use super::stmt::Stmt;
use super::symbols::Role;
use super::value::mask;
use num_bigint::BigUint;
use rust_hdl::core::prelude::clog2;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A declared range with a blank behind it; nothing for one bit.
pub(super) fn range(width: usize) -> String {
    if width == 1 { String::new() } else { format!("[{}:0] ", width - 1) }
}

/// Turns expressions of one module into text and notes which bits are read.
pub(super) struct Printer<'a> {
    module: &'a Module,
    names: Names,
    read: BTreeMap<usize, BigUint>,
}

impl<'a> Printer<'a> {
    fn new(module: &'a Module) -> Self {
        Self { module, names: module.names.clone(), read: BTreeMap::new() }
    }

    pub(super) fn unique(&mut self, wanted: &str) -> String {
        self.names.unique(wanted)
    }

    fn note(&mut self, net: usize, lsb: usize, width: usize) {
        *self.read.entry(net).or_default() |= mask(width) << lsb;
    }

    fn part(&mut self, net: usize, lsb: usize, width: usize) -> String {
        self.note(net, lsb, width);
        let wire = &self.module.wires[net];
        match (width, wire.net.width) {
            (_, whole) if whole == width => wire.name.clone(),
            (1, _) => format!("{}[{lsb}]", wire.name),
            _ => format!("{}[{}:{lsb}]", wire.name, lsb + width - 1),
        }
    }

    /// The expression as a primary: nothing around it can take it apart.
    pub(super) fn expr(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::Const(value) => value.to_string(),
            Expr::Read(read) => self.part(read.net, read.lsb, read.width),
            Expr::Concat(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.expr(part)).collect();
                format!("{{{}}}", parts.join(", "))
            }
            Expr::Not(inner) => format!("{{~{}}}", self.expr(inner)),
            Expr::Binary(op, left, right) => {
                let (left, right) = (self.expr(left), self.expr(right));
                match op {
                    Op::Add | Op::Sub | Op::Shl | Op::Shr => format!("{{{left} {} {right}}}", op.symbol()),
                    _ => format!("({left} {} {right})", op.symbol()),
                }
            }
            Expr::Reduce(op, inner) => format!("({}{})", op.symbol(), self.expr(inner)),
            Expr::Select { of, offset, width } => {
                self.note(of.net, of.lsb, of.width);
                let wire = &self.module.wires[of.net];
                let index_width = clog2(wire.net.width).max(1);
                let offset = self.expr(&(**offset).clone().resize(index_width));
                match width {
                    1 => format!("{}[{offset}]", wire.name),
                    _ => format!("{}[{offset} +: {width}]", wire.name),
                }
            }
            Expr::Cut { of, lsb: 0, width } => format!("{width}'({})", self.expr(of)),
            Expr::Cut { of, lsb, width } => format!("{width}'({} >> {lsb})", self.expr(of)),
        }
    }

    fn body(&mut self, target: usize, body: &Body, out: &mut String) {
        match body {
            Body::Assign(value) => {
                let value = self.expr(value);
                let _ = writeln!(out, "    assign {} = {value};", self.module.wires[target].name);
            }
            Body::Always(block) => {
                let _ = writeln!(out, "    always_comb begin");
                self.block(block, 2, "=", out);
                let _ = writeln!(out, "    end");
            }
        }
    }

    /// Statements, with `assignment` as the operator of assignment.
    pub(super) fn block(&mut self, block: &[Stmt], depth: usize, assignment: &str, out: &mut String) {
        let indent = "    ".repeat(depth);
        for statement in block {
            match statement {
                Stmt::Write { net, lsb, value, .. } => {
                    let width = value.width();
                    let wire = &self.module.wires[*net];
                    let target = match (width, wire.net.width) {
                        (_, whole) if whole == width => wire.name.clone(),
                        (1, _) => format!("{}[{lsb}]", wire.name),
                        _ => format!("{}[{}:{lsb}]", wire.name, lsb + width - 1),
                    };
                    let value = self.expr(value);
                    let _ = writeln!(out, "{indent}{target} {assignment} {value};");
                }
                Stmt::If { test, then, otherwise } => self.conditional((test, then, otherwise), depth, assignment, out),
                Stmt::Case { test, arms, default } => {
                    let test = self.expr(test);
                    let _ = writeln!(out, "{indent}case ({test})");
                    for (values, arm) in arms {
                        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                        let _ = writeln!(out, "{indent}    {}: begin", values.join(", "));
                        self.block(arm, depth + 2, assignment, out);
                        let _ = writeln!(out, "{indent}    end");
                    }
                    let _ = writeln!(out, "{indent}    default: begin");
                    self.block(default, depth + 2, assignment, out);
                    let _ = writeln!(out, "{indent}    end");
                    let _ = writeln!(out, "{indent}endcase");
                }
            }
        }
    }

    fn conditional(&mut self, parts: (&Expr, &[Stmt], &[Stmt]), depth: usize, assignment: &str, out: &mut String) {
        let (test, then, otherwise) = parts;
        let indent = "    ".repeat(depth);
        let (test, then, otherwise) = match then.is_empty() {
            true => (Expr::not(test.clone()), otherwise, then),
            false => (test.clone(), then, otherwise),
        };
        let test = self.expr(&test);
        let _ = writeln!(out, "{indent}if ({test}) begin");
        self.block(then, depth + 1, assignment, out);
        match otherwise {
            [] => {
                let _ = writeln!(out, "{indent}end");
            }
            [Stmt::If { test, then, otherwise }] => {
                let _ = write!(out, "{indent}end else ");
                let mut chained = String::new();
                self.conditional((test, then, otherwise), depth, assignment, &mut chained);
                out.push_str(chained.trim_start());
            }
            otherwise => {
                let _ = writeln!(out, "{indent}end else begin");
                self.block(otherwise, depth + 1, assignment, out);
                let _ = writeln!(out, "{indent}end");
            }
        }
    }
}

/// Names of instances' modules and of their ports.
pub(super) type Instances<'a> = &'a dyn Fn(usize) -> (String, Vec<String>);

/// The text of `module` without its first word and name, so that equal modules give equal text.
pub(super) fn module(module: &Module, instances: Instances<'_>) -> String {
    let mut printer = Printer::new(module);
    let mut logic = String::new();
    for primitive in &module.primitives {
        primitive::print(module, primitive, &mut printer, &mut logic);
    }
    for instance in &module.instances {
        let (kind, ports) = instances(instance.module);
        let _ = writeln!(logic, "    {kind} {} (", instance.name);
        for (index, (port, &net)) in ports.iter().zip(&instance.ports).enumerate() {
            let comma = if index + 1 == ports.len() { "" } else { "," };
            let connected = match module.wires[net].net.role {
                Role::ChildOutput => module.wires[net].name.clone(),
                _ => printer.expr(&module.source(net)),
            };
            let _ = writeln!(logic, "        .{port}({connected}){comma}");
        }
        let _ = writeln!(logic, "    );");
    }
    for (target, body) in &module.bodies {
        printer.body(*target, body, &mut logic);
    }
    let mut text = String::new();
    header(module, &mut text);
    for (index, wire) in module.wires.iter().enumerate() {
        let is_declared = !module.ports.contains(&index) && !wire.is_hidden;
        if is_declared && is_alive(module, index, &printer) {
            let _ = writeln!(text, "    logic {}{};", range(wire.net.width), wire.name);
        }
    }
    text.push_str(&logic);
    unused(module, &printer, &mut text);
    text.push_str("endmodule\n");
    text
}

/// A local signal that is neither written nor read is not in the Verilog.
fn is_alive(module: &Module, net: usize, printer: &Printer<'_>) -> bool {
    module.wires[net].net.role != Role::Local
        || printer.read.contains_key(&net)
        || module.bodies.iter().any(|(target, _)| *target == net)
}

fn header(module: &Module, text: &mut String) {
    text.push_str(" (\n");
    for (position, &net) in module.ports.iter().enumerate() {
        let wire = &module.wires[net];
        let direction = if wire.net.role == Role::Input { "input" } else { "output" };
        let comma = if position + 1 == module.ports.len() { "" } else { "," };
        let _ = writeln!(text, "    {direction} logic {}{}{comma}", range(wire.net.width), wire.name);
    }
    text.push_str(");\n");
}

/// Bits that nobody reads are named, so that lint can find those that are forgotten by the back end.
fn unused(module: &Module, printer: &Printer<'_>, text: &mut String) {
    let mut parts = Vec::new();
    for (index, wire) in module.wires.iter().enumerate() {
        if wire.net.role == Role::Output || wire.is_hidden || !is_alive(module, index, printer) {
            continue;
        }
        let read = printer.read.get(&index).cloned().unwrap_or_default();
        let mut bit = 0;
        while bit < wire.net.width {
            let from = bit;
            while bit < wire.net.width && !read.bit(bit as u64) {
                bit += 1;
            }
            if bit > from {
                parts.push(match (bit - from, wire.net.width) {
                    (count, whole) if count == whole => wire.name.clone(),
                    (1, _) => format!("{}[{from}]", wire.name),
                    _ => format!("{}[{}:{from}]", wire.name, bit - 1),
                });
            }
            bit += 1;
        }
    }
    if !parts.is_empty() {
        let _ =
            writeln!(text, "    wire unused = &{{1'b0, {}}}; // what no reader of this block wants", parts.join(", "));
    }
}
