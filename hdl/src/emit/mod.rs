//! The Verilog back end.
//!
//! RustHDL 0.46 simulates one thing and emits another (`hdl/README.md` has the cases), so nothing here uses its emitter.
//! This back end walks RustHDL's public syntax tree and prints SystemVerilog that means what RustHDL simulates. It works in
//! these steps, one file each: `design` collects the blocks, `symbols` and `index` say what names mean, `lower` and `stmt`
//! give every expression a width, `flow` decides which value each place reads and refuses latches, `program` makes one
//! small program of every signal, `module` and `primitive` put them together, `print` writes them, `clocks` follows the
//! clocks. Whatever a step does not know for certain is an [`EmitError`], never a guess.
//!
//! # Examples
//! ```
//! use writ_hdl::prelude::*;
//!
//! #[derive(LogicBlock, Default)]
//! struct Sum {
//!     pub a: Signal<In, Bits<8>>,
//!     pub b: Signal<In, Bits<8>>,
//!     pub sum: Signal<Out, Bits<16>>,
//! }
//!
//! impl Logic for Sum {
//!     #[hdl_gen]
//!     fn update(&mut self) {
//!         self.sum.next = bit_cast::<16, 8>(self.a.val() + self.b.val());
//!     }
//! }
//!
//! let mut block = Sum::default();
//! block.connect_all();
//! let emitted = writ_hdl::emit::emit(&block, "sum")?;
//! assert!(emitted.verilog.contains("assign sum = {8'h0, {a + b}};"));
//! # Ok::<(), writ_hdl::emit::EmitError>(())
//! ```

mod blocks;
mod clocks;
mod design;
mod error;
mod expr;
mod flat;
mod flow;
mod index;
mod loops;
mod lower;
mod module;
mod names;
mod offset;
mod parts;
mod primitive;
mod print;
mod program;
mod stmt;
mod symbols;
mod value;
mod wiring;

pub use blocks::TextBlock;
pub use error::{EmitError, Problem};

use crate::prim::Marker;
use design::Scope;
use module::Module;
use names::Names;
use rust_hdl::core::prelude::{Block, Verilog};
use std::collections::BTreeMap;
use symbols::Role;

/// Which way a port of the top goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Into the design.
    Input,
    /// Out of the design.
    Output,
}

/// A port of the top module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Verilog name.
    pub name: String,
    /// Name in RustHDL: `field`, or `interface$member`.
    pub path: String,
    /// Direction.
    pub direction: Direction,
    /// Bits.
    pub width: usize,
    /// Whether it is a clock.
    pub is_clock: bool,
}

/// A module of the emitted design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleSummary {
    /// Verilog name.
    pub name: String,
    /// How many of it the whole design has.
    pub instances: usize,
    /// Bits in its own registers, without instances and without memories.
    pub register_bits: usize,
    /// Bits in its own memories.
    pub memory_bits: u64,
}

/// An emitted design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// The whole text, the top module last.
    pub verilog: String,
    /// Name of the top module.
    pub top: String,
    /// Ports of the top module.
    pub ports: Vec<Port>,
    /// All modules in the order of the text.
    pub modules: Vec<ModuleSummary>,
    /// BLAKE3 of the text, hexadecimal.
    pub blake3: String,
    pieces: Vec<blocks::Piece>,
}

const PREAMBLE: &str = "\
// Emitted from RustHDL by writ-hdl. Do not edit.
// One file holds all modules, so that one hash covers the design: file and module names differ.
/* verilator lint_off DECLFILENAME */
";

/// Emits the design under `top`, whose `connect_all` has been called, as modules whose names begin with `name`.
///
/// The same design gives the same text every time.
///
/// # Errors
/// If the design holds anything whose meaning in Verilog is not certain.
pub fn emit(top: &dyn Block, name: &str) -> Result<Emitted, EmitError> {
    let scope = design::collect(top, name)?;
    if is_primitive(&scope) {
        return Err(scope.error(Problem::PrimitiveAsTop));
    }
    let mut emitter = Emitter { prefix: names::identifier(name), ..Emitter::default() };
    let top = emitter.scope(&scope, true)?;
    let flat = flat::Flat::of(&emitter.modules, top, name);
    loops::check(&flat, name)?;
    clocks::check(&flat, &emitter.modules, top, name)?;
    Ok(emitter.finish(top))
}

fn is_primitive(scope: &Scope) -> bool {
    matches!(&scope.code, Verilog::Custom(text) if Marker::parse(text).is_some())
}

/// A module with its name and text.
pub(crate) struct Finished {
    name: String,
    module: Module,
    text: String,
}

#[derive(Default)]
struct Emitter {
    prefix: String,
    modules: Vec<Finished>,
    by_text: BTreeMap<String, usize>,
    names: Names,
}

impl Emitter {
    /// Builds `scope` and all below it. Returns its module's position.
    fn scope(&mut self, scope: &Scope, is_top: bool) -> Result<usize, EmitError> {
        let mut children = Vec::new();
        for child in &scope.children {
            children.push(if is_primitive(child) { None } else { Some(self.scope(child, false)?) });
        }
        let port_names = |index: usize| port_names(&self.modules[index].module);
        let module = module::build(scope, &children, &port_names)?;
        let text = print::module(&module, &|index| (self.modules[index].name.clone(), port_names(index)));
        if let Some(&same) = self.by_text.get(&text).filter(|_| !is_top) {
            return Ok(same);
        }
        let name = if is_top {
            self.names.unique(&self.prefix)
        } else {
            self.names.unique(&format!("{}_{}", self.prefix, without_index(&scope.name)))
        };
        self.by_text.insert(text.clone(), self.modules.len());
        self.modules.push(Finished { name, module, text });
        Ok(self.modules.len() - 1)
    }

    fn finish(self, top: usize) -> Emitted {
        let mut instances = vec![0; self.modules.len()];
        instances[top] = 1;
        // Instances come before what holds them.
        for index in (0..self.modules.len()).rev() {
            for instance in &self.modules[index].module.instances {
                instances[instance.module] += instances[index];
            }
        }
        let mut verilog = PREAMBLE.to_owned();
        let mut modules = Vec::new();
        for (finished, instances) in self.modules.iter().zip(instances) {
            verilog.push_str(&format!("\nmodule {}{}", finished.name, finished.text));
            modules.push(finished.summary(instances));
        }
        Emitted {
            blake3: blake3::hash(verilog.as_bytes()).to_hex().to_string(),
            verilog,
            top: self.modules[top].name.clone(),
            ports: ports(&self.modules[top].module),
            pieces: self.modules.iter().map(|finished| blocks::Piece::of(finished, &self.modules)).collect(),
            modules,
        }
    }
}

impl Finished {
    fn summary(&self, instances: usize) -> ModuleSummary {
        let mut summary = ModuleSummary { name: self.name.clone(), instances, register_bits: 0, memory_bits: 0 };
        for primitive in &self.module.primitives {
            let width = |port: &str| self.module.wires[primitive.ports[port]].net.width;
            match primitive.marker {
                Marker::Register { .. } | Marker::RegisterWithReset { .. } => summary.register_bits += width("q"),
                Marker::Synchronizer { .. } => summary.register_bits += 2 * width("q"),
                Marker::GrayCounter => summary.register_bits += 2 * width("count"),
                Marker::SharedMemory { .. } => {
                    summary.memory_bits += (width("write_data") as u64) << width("address_0");
                }
                Marker::Memory { .. } | Marker::LutRam | Marker::DualClockMemory { .. } => {
                    summary.memory_bits += (width("write_data") as u64) << width("write_address");
                }
            }
        }
        summary
    }
}

/// `stage$3` is named `stage`: all elements of an array that are equal share one module.
fn without_index(name: &str) -> &str {
    let trimmed = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '$' || c == '_');
    if trimmed.is_empty() || !name.contains('$') { name } else { trimmed }
}

fn port_names(module: &Module) -> Vec<String> {
    module.ports.iter().map(|&net| module.wires[net].name.clone()).collect()
}

fn ports(module: &Module) -> Vec<Port> {
    let port = |&net: &usize| {
        let wire = &module.wires[net];
        let direction = if wire.net.role == Role::Input { Direction::Input } else { Direction::Output };
        let (name, path) = (wire.name.clone(), wire.net.name.clone());
        Port { name, path, direction, width: wire.net.width, is_clock: wire.net.is_clock }
    };
    module.ports.iter().map(port).collect()
}
