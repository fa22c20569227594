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
const GRAY_COUNTER: &[&str] = &["clock", "reset", "step", "count", "gray"];
const DUAL_CLOCK_MEMORY: &[&str] = &[
    "write_clock",
    "write_enable",
    "write_address",
    "write_data",
    "read_clock",
    "read_enable",
    "read_address",
    "read_data",
];
const SHARED_MEMORY: &[&str] =
    &["clock", "enable_0", "write_0", "address_0", "write_data", "read_data_0", "enable_1", "address_1", "read_data_1"];
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
        Marker::SharedMemory { .. } => SHARED_MEMORY,
        Marker::LutRam => LUT_RAM,
        Marker::DualClockMemory { .. } => DUAL_CLOCK_MEMORY,
        Marker::GrayCounter => GRAY_COUNTER,
    }
}

/// What happens in a primitive on one clock: the clock's port, the inputs that wait for it, the outputs that change with it. Inputs
/// that lead to an output at once are in no part.
pub(super) struct Part {
    pub(super) clock: &'static str,
    pub(super) inputs: &'static [&'static str],
    pub(super) outputs: &'static [&'static str],
}

/// The clocked parts of a primitive.
pub(super) fn parts(marker: &Marker) -> &'static [Part] {
    match marker {
        Marker::Register { .. } | Marker::Synchronizer { .. } => {
            &[Part { clock: "clock", inputs: &["d"], outputs: &["q"] }]
        }
        Marker::RegisterWithReset { .. } => &[Part { clock: "clock", inputs: &["reset", "d"], outputs: &["q"] }],
        Marker::GrayCounter => &[Part { clock: "clock", inputs: &["reset", "step"], outputs: &["count", "gray"] }],
        Marker::SharedMemory { .. } => &[Part {
            clock: "clock",
            inputs: &["enable_0", "write_0", "address_0", "write_data", "enable_1", "address_1"],
            outputs: &["read_data_0", "read_data_1"],
        }],
        Marker::LutRam => &[Part {
            clock: "clock",
            inputs: &["write_enable", "write_address", "write_data"],
            outputs: &["read_data"],
        }],
        Marker::Memory { read_ports: 2, .. } => &[Part {
            clock: "clock",
            inputs: &[
                "write_enable",
                "write_address",
                "write_data",
                "read_enable_0",
                "read_address_0",
                "read_enable_1",
                "read_address_1",
            ],
            outputs: &["read_data_0", "read_data_1"],
        }],
        Marker::Memory { .. } => &[Part {
            clock: "clock",
            inputs: &["write_enable", "write_address", "write_data", "read_enable", "read_address"],
            outputs: &["read_data"],
        }],
        Marker::DualClockMemory { .. } => &[
            Part { clock: "write_clock", inputs: &["write_enable", "write_address", "write_data"], outputs: &[] },
            Part { clock: "read_clock", inputs: &["read_enable", "read_address"], outputs: &["read_data"] },
        ],
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
        Marker::SharedMemory { style } => shared_memory(module, primitive, *style, printer, out),
        Marker::LutRam => memory(module, primitive, RamStyle::Distributed, printer, out),
        Marker::DualClockMemory { style } => memory(module, primitive, *style, printer, out),
        Marker::GrayCounter => gray_counter(module, primitive, printer, out),
        Marker::Synchronizer { initial } => synchronizer(module, primitive, initial, printer, out),
    }
}

fn synchronizer(module: &Module, primitive: &Primitive, initial: &str, printer: &mut Printer<'_>, out: &mut String) {
    let q = primitive.ports["q"];
    let (q_name, width) = (&module.wires[q].name, module.wires[q].net.width);
    let first = printer.unique(&format!("{}_first", primitive.name));
    let second = printer.unique(&format!("{}_second", primitive.name));
    let bits = BigUint::parse_bytes(initial.as_bytes(), 16).unwrap_or_default();
    let initial = Value::truncated(width, &bits);
    let clock = printer.expr(&primitive.source(module, "clock"));
    let d = printer.expr(&primitive.source(module, "d"));
    for (name, from) in [(&first, &d), (&second, &first)] {
        let _ = writeln!(out, "    (* async_reg = \"true\" *)");
        let _ = writeln!(out, "    logic {}{name};", range(width));
        let _ = writeln!(out, "    initial {name} = {initial};");
        let _ = writeln!(out, "    always_ff @(posedge {clock}) {name} <= {from};");
    }
    let _ = writeln!(out, "    assign {q_name} = {second};");
}

/// Binary and Gray form in registers of their own: what leaves the clock must come straight from a register.
fn gray_counter(module: &Module, primitive: &Primitive, printer: &mut Printer<'_>, out: &mut String) {
    let (count, gray) = (&module.wires[primitive.ports["count"]].name, &module.wires[primitive.ports["gray"]].name);
    let width = module.wires[primitive.ports["count"]].net.width;
    let next = printer.unique(&format!("{}_next", primitive.name));
    let clock = printer.expr(&primitive.source(module, "clock"));
    let reset = printer.expr(&primitive.source(module, "reset"));
    let step = printer.expr(&primitive.source(module, "step"));
    let zero = Value::zero(width);
    let _ = writeln!(out, "    logic {}{next};", range(width));
    let _ = writeln!(out, "    assign {next} = {{{count} + {width}'h1}};");
    let _ = writeln!(out, "    initial {count} = {zero};");
    let _ = writeln!(out, "    initial {gray} = {zero};");
    let _ = writeln!(out, "    always_ff @(posedge {clock}) begin");
    let _ = writeln!(out, "        if ({reset}) begin");
    let _ = writeln!(out, "            {count} <= {zero};");
    let _ = writeln!(out, "            {gray} <= {zero};");
    let _ = writeln!(out, "        end else if ({step}) begin");
    let _ = writeln!(out, "            {count} <= {next};");
    let _ = writeln!(out, "            {gray} <= ({next} ^ ({next} >> 1));");
    let _ = writeln!(out, "        end");
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
    let [write_clock, read_clock] = match primitive.marker {
        Marker::DualClockMemory { .. } => ["write_clock", "read_clock"].map(|port| source(printer, port)),
        _ => ["clock", "clock"].map(|port| source(printer, port)),
    };
    let memory = words_of(primitive, width, words, style, printer, out);
    let (enable, address, data) =
        (source(printer, "write_enable"), source(printer, "write_address"), source(printer, "write_data"));
    let _ = writeln!(out, "    always_ff @(posedge {write_clock}) if ({enable}) {memory}[{address}] <= {data};");
    for (enable, address, data) in reads {
        let address = source(printer, address);
        let data = &module.wires[primitive.ports[*data]].name;
        if matches!(primitive.marker, Marker::LutRam) {
            let _ = writeln!(out, "    assign {data} = {memory}[{address}];");
        } else {
            let enable = source(printer, enable);
            let _ = writeln!(out, "    initial {data} = {};", Value::zero(width));
            let condition = if enable == "1'b1" { String::new() } else { format!("if ({enable}) ") };
            let _ = writeln!(out, "    always_ff @(posedge {read_clock}) {condition}{data} <= {memory}[{address}];");
        }
    }
}

/// Declares a memory's words. Returns their name.
fn words_of(
    primitive: &Primitive,
    width: usize,
    words: u64,
    style: RamStyle,
    printer: &mut Printer<'_>,
    out: &mut String,
) -> String {
    let memory = printer.unique(&format!("{}_words", primitive.name));
    let index = printer.unique("word_index");
    let _ = writeln!(out, "    (* ram_style = \"{}\" *)", style.attribute());
    let _ = writeln!(out, "    logic {}{memory} [0:{}];", range(width), words - 1);
    let _ = writeln!(out, "`ifndef SYNTHESIS");
    let _ = writeln!(
        out,
        "    initial for (int {index} = 0; {index} < {words}; {index}++) {memory}[{index}] = {};",
        Value::zero(width)
    );
    let _ = writeln!(out, "`endif");
    memory
}

/// One process a port, the write in that of port 0: so tools see that two ports are enough.
fn shared_memory(module: &Module, primitive: &Primitive, style: RamStyle, printer: &mut Printer<'_>, out: &mut String) {
    let width = module.wires[primitive.ports["read_data_0"]].net.width;
    let words = 1_u64 << module.wires[primitive.ports["address_0"]].net.width;
    let memory = words_of(primitive, width, words, style, printer, out);
    let mut source = |port: &str| printer.expr(&primitive.source(module, port));
    let (clock, write_data) = (source("clock"), source("write_data"));
    let [enable_0, write_0, address_0] = ["enable_0", "write_0", "address_0"].map(&mut source);
    let [enable_1, address_1] = ["enable_1", "address_1"].map(&mut source);
    let [data_0, data_1] = ["read_data_0", "read_data_1"].map(|port| &module.wires[primitive.ports[port]].name);
    let otherwise = if style == RamStyle::Ultra { "else " } else { "" };
    for data in [data_0, data_1] {
        let _ = writeln!(out, "    initial {data} = {};", Value::zero(width));
    }
    let _ = writeln!(out, "    always_ff @(posedge {clock}) begin");
    let _ = writeln!(out, "        if ({enable_0}) begin");
    let _ = writeln!(out, "            if ({write_0}) {memory}[{address_0}] <= {write_data};");
    let _ = writeln!(out, "            {otherwise}{data_0} <= {memory}[{address_0}];");
    let _ = writeln!(out, "        end");
    let _ = writeln!(out, "    end");
    let _ = writeln!(out, "    always_ff @(posedge {clock}) if ({enable_1}) {data_1} <= {memory}[{address_1}];");
}
