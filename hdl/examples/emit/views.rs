//! Names for the parts of a block's structures, and for the values of its enumerations.
//!
//! Emitted text has structures as plain vectors. A property that said `job[438:407]` would silently look at something else as soon as
//! a field is added, so properties say `job__sequence`, which stands here for whatever bits the field has today.
//! `Job__sequence__lsb` and `Job__sequence__bits` say where the field is in any vector that holds a `Job`.

use rust_hdl::core::prelude::*;
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Declarations for the module of the instance `path` of `block`; `verilog` has that module as its last.
pub(crate) fn of(block: &dyn Block, path: &str, verilog: &str) -> String {
    let mut views = Views {
        wanted: path.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect(),
        open: Vec::new(),
        module: verilog.rsplit("\nmodule ").next().unwrap_or_default(),
        constants: BTreeMap::new(),
        text: String::new(),
    };
    block.accept("top", &mut views);
    let constants = views.constants.iter().map(|(name, value)| format!("    localparam {name} = {value};\n"));
    constants.collect::<String>() + &views.text
}

struct Views<'a> {
    /// Names of instances from the top down.
    wanted: Vec<String>,
    /// The same of the scope that is being looked at, the top's own name first.
    open: Vec<String>,
    /// The text of the module.
    module: &'a str,
    constants: BTreeMap<String, String>,
    text: String,
}

impl Probe for Views<'_> {
    fn visit_start_scope(&mut self, name: &str, _node: &dyn Block) {
        self.open.push(name.replace('$', "_"));
    }

    fn visit_start_namespace(&mut self, _name: &str, _node: &dyn Block) {}

    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        let Some(inside) = self.open.get(1..).and_then(|open| open.strip_prefix(&self.wanted[..])) else { return };
        let name = match inside {
            [] => name.replace('$', "_"),
            // What an instance gives is a signal of the module, too.
            [child] => format!("{child}_{}", name.replace('$', "_")),
            _ => return,
        };
        let is_declared = [",", ";", "\n"].iter().any(|end| self.module.contains(&format!(" {name}{end}")));
        let descriptor = signal.descriptor();
        self.declare(&descriptor);
        if is_declared {
            self.parts(&name, &name, 0, &descriptor.kind);
        }
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {}

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.open.pop();
    }
}

impl Views<'_> {
    fn parts(&mut self, whole: &str, name: &str, lsb: usize, kind: &TypeKind) {
        let TypeKind::Composite(fields) = kind else { return };
        let mut lsb = lsb;
        for field in fields {
            let width = width(&field.kind.kind);
            let name = format!("{name}__{}", field.fieldname);
            let _ = writeln!(self.text, "    wire [{}:0] {name} = {whole}[{}:{lsb}];", width - 1, lsb + width - 1);
            self.parts(whole, &name, lsb, &field.kind.kind);
            lsb += width;
        }
    }

    /// The constants of a type, and of the types in it.
    fn declare(&mut self, descriptor: &TypeDescriptor) {
        let type_name = descriptor.name.rsplit("::").next().unwrap_or_default();
        match &descriptor.kind {
            TypeKind::Enum(variants) => {
                let width = width(&descriptor.kind);
                for (value, variant) in variants.iter().enumerate() {
                    let variant = variant.rsplit("::").next().unwrap_or_default();
                    self.constants.insert(format!("{type_name}__{variant}"), format!("{width}'d{value}"));
                }
            }
            TypeKind::Composite(fields) => {
                let mut lsb = 0;
                for field in fields {
                    let (name, bits) = (format!("{type_name}__{}", field.fieldname), width(&field.kind.kind));
                    self.constants.insert(format!("{name}__lsb"), lsb.to_string());
                    self.constants.insert(format!("{name}__bits"), bits.to_string());
                    self.declare(&field.kind);
                    lsb += bits;
                }
            }
            TypeKind::Bits(_) | TypeKind::Signed(_) => {}
        }
    }
}

fn width(kind: &TypeKind) -> usize {
    match kind {
        TypeKind::Bits(width) | TypeKind::Signed(width) => *width,
        TypeKind::Enum(variants) => clog2(variants.len()),
        TypeKind::Composite(fields) => fields.iter().map(|field| width(&field.kind.kind)).sum(),
    }
}
