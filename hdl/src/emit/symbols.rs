//! What the names in a kernel mean.

use super::design::{Item, Scope, type_width};
use super::error::Problem;
use super::value::Value;
use rust_hdl::core::prelude::*;
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};
use std::collections::{BTreeMap, BTreeSet};

/// What drives a signal, and who may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Input port of the block.
    Input,
    /// Output port of the block.
    Output,
    /// Local signal.
    Local,
    /// Input of an instance in the block, which the block drives.
    ChildInput,
    /// Output of an instance in the block.
    ChildOutput,
    /// Made by the back end.
    Internal,
}

impl Role {
    pub(super) fn is_driven_by_kernel(self) -> bool {
        matches!(self, Role::Output | Role::Local | Role::ChildInput)
    }

    /// RustHDL reads such a signal with the writes of the running kernel in it.
    pub(super) fn shows_writes_at_once(self) -> bool {
        matches!(self, Role::Output | Role::Local)
    }
}

/// A signal that a block sees.
#[derive(Clone, Debug)]
pub(super) struct Net {
    /// As in the kernel's tree, for example `child$port`.
    pub(super) name: String,
    pub(super) width: usize,
    pub(super) role: Role,
    pub(super) is_clock: bool,
    /// Position of the instance in the scope, for `ChildInput` and `ChildOutput`.
    pub(super) child: usize,
    pub(super) descriptor: TypeDescriptor,
}

/// A part of a signal.
pub(super) struct Place {
    pub(super) net: usize,
    pub(super) lsb: usize,
    pub(super) width: usize,
}

/// What a name stands for.
pub(super) enum Meaning {
    Place(Place),
    Constant(Value),
}

/// All names of a block.
#[derive(Default)]
pub(super) struct Symbols {
    pub(super) nets: Vec<Net>,
    by_name: BTreeMap<String, usize>,
    constants: BTreeMap<String, Value>,
    /// `Enum::Variant` -> codes.
    variants: BTreeMap<String, BTreeSet<Value>>,
}

impl Symbols {
    pub(super) fn of(scope: &Scope) -> Result<Symbols, Problem> {
        let mut symbols = Symbols::default();
        for item in &scope.items {
            match item.kind {
                AtomKind::InputParameter => symbols.add(item, None, Role::Input)?,
                AtomKind::OutputParameter => symbols.add(item, None, Role::Output)?,
                AtomKind::LocalSignal => symbols.add(item, None, Role::Local)?,
                AtomKind::Constant => symbols.add_constant(item)?,
                other => return Err(Problem::Unsupported(format!("`{}` of kind {other:?}", item.name))),
            }
        }
        for (index, child) in scope.children.iter().enumerate() {
            for item in &child.items {
                match item.kind {
                    AtomKind::InputParameter => symbols.add(item, Some((index, child)), Role::ChildInput)?,
                    AtomKind::OutputParameter => symbols.add(item, Some((index, child)), Role::ChildOutput)?,
                    _ => {}
                }
            }
        }
        Ok(symbols)
    }

    fn add(&mut self, item: &Item, child: Option<(usize, &Scope)>, role: Role) -> Result<(), Problem> {
        let name = match child {
            Some((_, child)) => format!("{}${}", child.name, item.name),
            None => item.name.clone(),
        };
        self.add_variants(&item.descriptor);
        let net = Net {
            name: name.clone(),
            width: item.width,
            role,
            is_clock: item.is_clock(),
            child: child.map_or(0, |(index, _)| index),
            descriptor: item.descriptor.clone(),
        };
        self.nets.push(net);
        if self.by_name.insert(name.clone(), self.nets.len() - 1).is_some() || self.constants.contains_key(&name) {
            return Err(Problem::DuplicateName(name));
        }
        Ok(())
    }

    fn add_constant(&mut self, item: &Item) -> Result<(), Problem> {
        self.add_variants(&item.descriptor);
        let value = Value::new(item.width, item.value.clone())
            .ok_or_else(|| Problem::LiteralTooWide { value: item.value.to_string(), width: item.width })?;
        if self.constants.insert(item.name.clone(), value).is_some() || self.by_name.contains_key(&item.name) {
            return Err(Problem::DuplicateName(item.name.clone()));
        }
        Ok(())
    }

    fn add_variants(&mut self, descriptor: &TypeDescriptor) {
        match &descriptor.kind {
            TypeKind::Enum(variants) => {
                let width = clog2(variants.len());
                for (code, variant) in variants.iter().enumerate() {
                    if let Some(value) = Value::new(width, code.into()) {
                        self.variants.entry(variant.replace("::", "$")).or_default().insert(value);
                    }
                }
            }
            TypeKind::Composite(fields) => fields.iter().for_each(|field| self.add_variants(&field.kind)),
            TypeKind::Bits(_) | TypeKind::Signed(_) => {}
        }
    }

    /// The signal called `name`.
    pub(super) fn net(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Whether a signal or constant is called `name`.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(name) || self.constants.contains_key(name)
    }

    /// What `name` reads: a signal, a field of one (`signal$val()$a$b`), a constant, or an enum variant.
    pub(super) fn read(&self, name: &str) -> Result<Meaning, Problem> {
        if let Some(net) = self.net(name) {
            return Ok(Meaning::Place(Place { net, lsb: 0, width: self.nets[net].width }));
        }
        if let Some(value) = self.constants.get(name) {
            return Ok(Meaning::Constant(value.clone()));
        }
        if let Some((signal, fields)) = name.split_once("$val()$") {
            return match self.net(signal) {
                Some(net) => Ok(Meaning::Place(self.field(net, fields, name)?)),
                None => self.constant_field(signal, name),
            };
        }
        let mut segments = name.rsplit('$');
        let variant = match (segments.next(), segments.next()) {
            (Some(variant), Some(of)) => format!("{of}${variant}"),
            _ => return Err(Problem::UnknownName(name.to_owned())),
        };
        match self.variants.get(&variant).map(|codes| (codes.len(), codes.first())) {
            Some((1, Some(code))) => Ok(Meaning::Constant(code.clone())),
            Some(_) => Err(Problem::AmbiguousVariant(variant)),
            None => Err(Problem::UnknownName(name.to_owned())),
        }
    }

    fn constant_field(&self, signal: &str, name: &str) -> Result<Meaning, Problem> {
        match self.constants.contains_key(signal) {
            true => Err(Problem::Unsupported(format!("a field of a field of the constant `{signal}`"))),
            false => Err(Problem::UnknownName(name.to_owned())),
        }
    }

    /// What an assignment to `name` writes: `signal`, `signal$next` or `signal$next$a$b`.
    pub(super) fn written(&self, name: &str) -> Result<Place, Problem> {
        let (signal, fields) = match name.split_once("$next$") {
            Some((signal, fields)) => (signal, Some(fields)),
            None => (name.strip_suffix("$next").unwrap_or(name), None),
        };
        let net = self.net(signal).ok_or_else(|| Problem::UnknownName(signal.to_owned()))?;
        if !self.nets[net].role.is_driven_by_kernel() {
            return Err(Problem::NotDrivable(signal.to_owned()));
        }
        match fields {
            Some(fields) => self.field(net, fields, name),
            None => Ok(Place { net, lsb: 0, width: self.nets[net].width }),
        }
    }

    /// The field `a$b$c` of a signal whose type is a struct.
    fn field(&self, net: usize, fields: &str, name: &str) -> Result<Place, Problem> {
        let mut lsb = 0;
        let mut descriptor = &self.nets[net].descriptor;
        for wanted in fields.split('$') {
            let TypeKind::Composite(members) = &descriptor.kind else {
                return Err(Problem::UnknownName(name.to_owned()));
            };
            let position = members.iter().position(|member| member.fieldname == wanted);
            let Some(position) = position else { return Err(Problem::UnknownName(name.to_owned())) };
            lsb += members[..position].iter().map(|member| type_width(&member.kind.kind)).sum::<usize>();
            descriptor = &members[position].kind;
        }
        Ok(Place { net, lsb, width: type_width(&descriptor.kind) })
    }
}
