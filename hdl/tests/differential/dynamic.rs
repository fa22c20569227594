//! A block whose ports and kernel are made at run time, for the emitter only.

use rust_hdl::core::ast::VerilogLiteral;
use rust_hdl::core::constraint::PinConstraint;
use rust_hdl::core::prelude::*;
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};

pub(crate) struct DynamicSignal {
    pub name: String,
    pub kind: AtomKind,
    pub width: usize,
    pub is_clock: bool,
}

impl Atom for DynamicSignal {
    fn bits(&self) -> usize {
        self.width
    }
    fn connected(&self) -> bool {
        true
    }
    fn changed(&self) -> bool {
        false
    }
    fn kind(&self) -> AtomKind {
        self.kind
    }
    fn descriptor(&self) -> TypeDescriptor {
        let name = if self.is_clock { "clock".to_owned() } else { format!("Bits::<{}>", self.width) };
        TypeDescriptor { name, kind: TypeKind::Bits(self.width) }
    }
    fn vcd(&self) -> VCDValue {
        false.into()
    }
    fn id(&self) -> usize {
        0
    }
    fn verilog(&self) -> VerilogLiteral {
        false.into()
    }
    fn constraints(&self) -> Vec<PinConstraint> {
        Vec::new()
    }
}

pub(crate) struct DynamicBlock {
    pub(crate) name: String,
    pub(crate) signals: Vec<DynamicSignal>,
    pub(crate) code: Verilog,
    pub(crate) children: Vec<DynamicBlock>,
}

impl Logic for DynamicBlock {
    fn update(&mut self) {}
    fn hdl(&self) -> Verilog {
        self.code.clone()
    }
}

impl Block for DynamicBlock {
    fn connect_all(&mut self) {}
    fn update_all(&mut self) {}
    fn has_changed(&self) -> bool {
        false
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        for signal in &self.signals {
            probe.visit_atom(&signal.name, signal);
        }
        for child in &self.children {
            child.accept(&child.name, probe);
        }
        probe.visit_end_scope(name, self);
    }
}
