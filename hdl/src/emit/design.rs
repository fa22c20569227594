//! Collects a RustHDL design into a plain tree of scopes.

use super::error::{EmitError, Problem};
use super::value;
use num_bigint::BigUint;
use rust_hdl::core::prelude::*;
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};

/// A signal or constant of a scope. Members of an interface are called `interface$member`.
pub(super) struct Item {
    pub(super) name: String,
    pub(super) kind: AtomKind,
    pub(super) width: usize,
    pub(super) descriptor: TypeDescriptor,
    /// Present value; of use for constants only.
    pub(super) value: BigUint,
}

impl Item {
    pub(super) fn is_clock(&self) -> bool {
        self.descriptor.name == "clock"
    }
}

/// One instance of a block.
pub(super) struct Scope {
    pub(super) name: String,
    /// Names from the top on, separated by dots.
    pub(super) path: String,
    pub(super) items: Vec<Item>,
    pub(super) children: Vec<Scope>,
    pub(super) code: Verilog,
}

impl Scope {
    pub(super) fn error(&self, problem: Problem) -> EmitError {
        EmitError { instance: self.path.clone(), statement: None, problem }
    }
}

#[derive(Default)]
struct Collector {
    open: Vec<Scope>,
    /// Open interfaces, each with the number of scopes that were open then.
    interfaces: Vec<(usize, String)>,
    top: Option<Scope>,
    error: Option<EmitError>,
}

impl Collector {
    fn refuse(&mut self, problem: Problem) {
        if let (None, Some(scope)) = (&self.error, self.open.last()) {
            self.error = Some(scope.error(problem));
        }
    }

    /// The name with the interfaces of the present scope before it.
    fn qualified(&self, depth: usize, name: &str) -> String {
        let mut parts: Vec<&str> = self
            .interfaces
            .iter()
            .filter(|(opened_at, _)| *opened_at == depth)
            .map(|(_, name)| name.as_str())
            .collect();
        parts.push(name);
        parts.join("$")
    }
}

impl Probe for Collector {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        let name = self.qualified(self.open.len(), name);
        let path = match self.open.last() {
            Some(parent) => format!("{}.{}", parent.path, name),
            None => name.clone(),
        };
        self.open.push(Scope { name, path, items: Vec::new(), children: Vec::new(), code: node.hdl() });
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        self.interfaces.push((self.open.len(), name.to_owned()));
    }

    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        let name = self.qualified(self.open.len(), name);
        let descriptor = signal.descriptor();
        let literal = value::literal(&signal.verilog());
        let problem = if holds_signed(&descriptor.kind) {
            Some(Problem::Signed(name.clone()))
        } else if signal.kind() == AtomKind::InOutParameter {
            Some(Problem::InOut(name.clone()))
        } else if signal.bits() == 0 {
            Some(Problem::ZeroWidth(name.clone()))
        } else {
            None
        };
        if let Some(problem) = problem {
            return self.refuse(problem);
        }
        let Some((_, value)) = literal else { return self.refuse(Problem::Signed(name)) };
        let item = Item { name, kind: signal.kind(), width: signal.bits(), descriptor, value };
        if let Some(scope) = self.open.last_mut() {
            scope.items.push(item);
        }
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        self.interfaces.pop();
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        if let Some(scope) = self.open.pop() {
            match self.open.last_mut() {
                Some(parent) => parent.children.push(scope),
                None => self.top = Some(scope),
            }
        }
    }
}

fn holds_signed(kind: &TypeKind) -> bool {
    match kind {
        TypeKind::Signed(_) => true,
        TypeKind::Composite(fields) => fields.iter().any(|field| holds_signed(&field.kind.kind)),
        TypeKind::Bits(_) | TypeKind::Enum(_) => false,
    }
}

/// Bits of a type.
pub(super) fn type_width(kind: &TypeKind) -> usize {
    match kind {
        TypeKind::Bits(width) | TypeKind::Signed(width) => *width,
        TypeKind::Enum(variants) => clog2(variants.len()),
        TypeKind::Composite(fields) => fields.iter().map(|field| type_width(&field.kind.kind)).sum(),
    }
}

/// The design under `top` as a tree whose root is called `name`.
pub(super) fn collect(top: &dyn Block, name: &str) -> Result<Scope, EmitError> {
    let mut collector = Collector::default();
    top.accept(name, &mut collector);
    match (collector.error, collector.top) {
        (Some(error), _) => Err(error),
        (None, Some(scope)) => Ok(scope),
        (None, None) => Err(EmitError {
            instance: name.to_owned(),
            statement: None,
            problem: Problem::Unsupported("a top that is no block".to_owned()),
        }),
    }
}
