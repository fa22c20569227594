//! Prints primitives in place.

use super::expr::Expr;
use super::module::{Module, Primitive};
use super::print::{Printer, range};
use super::program::Body;
use super::value::Value;
use crate::prim::{Marker, RamStyle};
use num_bigint::BigUint;
use std::fmt::Write;

const REGISTER: &[&str] = &["clock", "d", "q"];
const REGISTER_WITH_RESET: &[&str] = &["clock", "reset", "d", "q"];
const LUT_RAM: &[&str] = &["clock", "write_enable", "write_address", "write_data", "read_address", "read_data"];
const MEMORY: &[&str] =
    &["clock", "write_enable", "write_address", "write_data", "read_enable", "read_address", "read_data"];
const MEMORY_2: &[&str] = &[
    "clock",
    "write_enable",
    "write_address",
    "write_data",
    "read_enable_0",
    "read_address_0",
    "read_data_0",
    "read_enable_1",
    "read_address_1",
    "read_data_1",
];

/// The ports that a primitive must have.
pub(super) fn port_names(marker: &Marker) -> &'static [&'static str] {
    match marker {
        Marker::Register { .. } | Marker::Synchronizer { .. } => REGISTER,
        Marker::RegisterWithReset { .. } => REGISTER_WITH_RESET,
        Marker::Memory { read_ports: 2, .. } => MEMORY_2,
        Marker::Memory { .. } => MEMORY,
        Marker::LutRam => LUT_RAM,
    }
}

/// Read ports as (enable, address, data).
fn read_ports(marker: &Marker) -> &'static [(&'static str, &'static str, &'static str)] {
    match marker {
        Marker::Memory { read_ports: 2, .. } => {
            &[("read_enable_0", "read_address_0", "read_data_0"), ("read_enable_1", "read_address_1", "read_data_1")]
        }
        _ => &[("read_enable", "read_address", "read_data")],
    }
}

impl Primitive {
    fn source(&self, module: &Module, port: &str) -> Expr {
        module.source(self.ports[port])
    }
}

/// Appends the primitive to `out`. Its output signals are declared already.
pub(super) fn print(module: &Module, primitive: &Primitive, printer: &mut Printer<'_>, out: &mut String) {
    match &primitive.marker {
        Marker::Register { initial } => register(module, primitive, initial, false, printer, out),
        Marker::RegisterWithReset { initial } => register(module, primitive, initial, true, printer, out),
        Marker::Memory { style, .. } => memory(module, primitive, *style, printer, out),
        Marker::LutRam => memory(module, primitive, RamStyle::Distributed, printer, out),
        Marker::Synchronizer { initial } => synchronizer(module, primitive, initial, printer, out),
    }
}

fn synchronizer(module: &Module, primitive: &Primitive, initial: &str, printer: &mut Printer<'_>, out: &mut String) {
    let q = primitive.ports["q"];
    let (q_name, width) = (&module.wires[q].name, module.wires[q].net.width);
    let first = printer.unique(&format!("{}_first", primitive.name));
    let bits = BigUint::parse_bytes(initial.as_bytes(), 16).unwrap_or_default();
    let initial = Value::truncated(width, &bits);
    let clock = printer.expr(&primitive.source(module, "clock"));
    let d = printer.expr(&primitive.source(module, "d"));
    let _ = writeln!(out, "    (* async_reg = \"true\" *)");
    let _ = writeln!(out, "    logic {}{first};", range(width));
    let _ = writeln!(out, "    initial {first} = {initial};");
    let _ = writeln!(out, "    initial {q_name} = {initial};");
    let _ = writeln!(out, "    always_ff @(posedge {clock}) begin");
    let _ = writeln!(out, "        {first} <= {d};");
    let _ = writeln!(out, "        {q_name} <= {first};");
    let _ = writeln!(out, "    end");
}

fn register(
    module: &Module,
    primitive: &Primitive,
    initial: &str,
    with_reset: bool,
    printer: &mut Printer<'_>,
    out: &mut String,
) {
    let q = primitive.ports["q"];
    let (q_name, width) = (&module.wires[q].name, module.wires[q].net.width);
    let bits = BigUint::parse_bytes(initial.as_bytes(), 16).unwrap_or_default();
    let initial = Value::truncated(width, &bits);
    let clock = printer.expr(&primitive.source(module, "clock"));
    let _ = writeln!(out, "    initial {q_name} = {initial};");
    let _ = writeln!(out, "    always_ff @(posedge {clock}) begin");
    let mut indent = "        ";
    if with_reset {
        let reset = printer.expr(&primitive.source(module, "reset"));
        let _ = writeln!(out, "        if ({reset}) begin");
        let _ = writeln!(out, "            {q_name} <= {initial};");
        let _ = writeln!(out, "        end else begin");
        indent = "            ";
    }
    match &primitive.next {
        Some(Body::Always(block)) => printer.block(block, indent.len() / 4, "<=", out),
        Some(Body::Assign(value)) => {
            let _ = writeln!(out, "{indent}{q_name} <= {};", printer.expr(value));
        }
        None => {
            let _ = writeln!(out, "{indent}{q_name} <= {};", printer.expr(&primitive.source(module, "d")));
        }
    }
    if with_reset {
        let _ = writeln!(out, "        end");
    }
    let _ = writeln!(out, "    end");
}

fn memory(module: &Module, primitive: &Primitive, style: RamStyle, printer: &mut Printer<'_>, out: &mut String) {
    let source = |printer: &mut Printer<'_>, port: &str| printer.expr(&primitive.source(module, port));
    let reads = read_ports(&primitive.marker);
    let width = module.wires[primitive.ports[reads[0].2]].net.width;
    let words = 1_u64 << module.wires[primitive.ports["write_address"]].net.width;
    let memory = printer.unique(&format!("{}_words", primitive.name));
    let index = printer.unique("word_index");
    let clock = source(printer, "clock");
    let _ = writeln!(out, "    (* ram_style = \"{}\" *)", style.attribute());
    let _ = writeln!(out, "    logic {}{memory} [0:{}];", range(width), words - 1);
    let _ = writeln!(out, "`ifndef SYNTHESIS");
    let _ = writeln!(
        out,
        "    initial for (int {index} = 0; {index} < {words}; {index}++) {memory}[{index}] = {};",
        Value::zero(width)
    );
    let _ = writeln!(out, "`endif");
    let (enable, address, data) =
        (source(printer, "write_enable"), source(printer, "write_address"), source(printer, "write_data"));
    let _ = writeln!(out, "    always_ff @(posedge {clock}) if ({enable}) {memory}[{address}] <= {data};");
    for (enable, address, data) in reads {
        let address = source(printer, address);
        let data = &module.wires[primitive.ports[*data]].name;
        if matches!(primitive.marker, Marker::LutRam) {
            let _ = writeln!(out, "    assign {data} = {memory}[{address}];");
        } else {
            let enable = source(printer, enable);
            let _ = writeln!(out, "    initial {data} = {};", Value::zero(width));
            let condition = if enable == "1'b1" { String::new() } else { format!("if ({enable}) ") };
            let _ = writeln!(out, "    always_ff @(posedge {clock}) {condition}{data} <= {memory}[{address}];");
        }
    }
}
