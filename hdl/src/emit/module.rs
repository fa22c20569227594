//! One module: its signals, what drives them, its primitives and its instances.

use super::design::Scope;
use super::error::{EmitError, Problem};
use super::expr::{At, Expr};
use super::flow;
use super::names::Names;
use super::program::{self, Body};
use super::stmt::{Kernel, Stmt};
use super::symbols::{Net, Role, Symbols};
use super::wiring::retarget;
use crate::prim::Marker;
use rust_hdl::core::prelude::Verilog;
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};
use std::collections::BTreeMap;

/// A signal of a module.
pub(super) struct Wire {
    pub(super) net: Net,
    /// Its Verilog name.
    pub(super) name: String,
    /// Where it only passes something on: that.
    pub(super) alias: Option<Expr>,
    /// Not in the Verilog: an alias, or part of a register.
    pub(super) is_hidden: bool,
}

/// A primitive and the signals at its ports.
pub(super) struct Primitive {
    pub(super) marker: Marker,
    /// Prefix of the names that it needs.
    pub(super) name: String,
    pub(super) ports: BTreeMap<String, usize>,
    /// What drives `d` of a register, if nobody else reads `d`: it then needs no signal, and a simulator need not copy a
    /// wide register that keeps its value.
    pub(super) next: Option<Body>,
}

/// An instance of another module.
pub(super) struct Instance {
    /// Position in the list of modules.
    pub(super) module: usize,
    pub(super) name: String,
    /// Its ports, in the module's order: signals of the module that holds it.
    pub(super) ports: Vec<usize>,
}

/// A module, ready to be printed.
pub(super) struct Module {
    pub(super) wires: Vec<Wire>,
    /// Signals that are ports.
    pub(super) ports: Vec<usize>,
    /// What drives the signals that the module drives itself.
    pub(super) bodies: Vec<(usize, Body)>,
    pub(super) primitives: Vec<Primitive>,
    pub(super) instances: Vec<Instance>,
    pub(super) names: Names,
}

impl Module {
    /// What stands for a signal where it is read: itself, or what it passes on.
    pub(super) fn source(&self, net: usize) -> Expr {
        match &self.wires[net].alias {
            Some(alias) => alias.clone(),
            None => Expr::net(net, At::End, self.wires[net].net.width),
        }
    }
}

/// Names of the ports of a module that is built already.
pub(super) type PortNames<'a> = &'a dyn Fn(usize) -> Vec<String>;

/// Builds the module of `scope`. `children`: for every child of the scope its module, `None` for a primitive.
pub(super) fn build(scope: &Scope, children: &[Option<usize>], port_names: PortNames<'_>) -> Result<Module, EmitError> {
    let symbols = Symbols::of(scope).map_err(|problem| scope.error(problem))?;
    let located = |(statement, problem)| EmitError { instance: scope.path.clone(), statement, problem };
    let mut kernel = Kernel::new(&symbols);
    let mut block = match &scope.code {
        Verilog::Combinatorial(code) => kernel.block(code).map_err(located)?,
        Verilog::Empty => Vec::new(),
        Verilog::Custom(text) => return Err(scope.error(Problem::ForeignText(beginning(text)))),
        Verilog::Wrapper(wrapper) => return Err(scope.error(Problem::ForeignText(beginning(&wrapper.code)))),
        Verilog::Blackbox(black_box) => return Err(scope.error(Problem::ForeignText(beginning(&black_box.code)))),
    };
    let writes = kernel.into_writes();
    flow::settle(&mut block, &symbols.nets, &writes).map_err(located)?;

    let mut module = Module {
        wires: Vec::new(),
        ports: Vec::new(),
        bodies: Vec::new(),
        primitives: Vec::new(),
        instances: Vec::new(),
        names: Names::default(),
    };
    let unused = module.names.unique("unused");
    debug_assert_eq!(unused, "unused");
    for (index, net) in symbols.nets.iter().enumerate() {
        let name = module.names.unique(&net.name);
        if matches!(net.role, Role::Input | Role::Output) {
            module.ports.push(index);
        }
        module.wires.push(Wire { net: net.clone(), name, alias: None, is_hidden: false });
    }
    module.add_programs(&block, &writes);
    module.share_conditions();
    module.check_drivers(&writes).map_err(|problem| scope.error(problem))?;
    module.check_clocks().map_err(|problem| scope.error(problem))?;
    module.find_aliases();
    for (index, child) in scope.children.iter().enumerate() {
        match children[index] {
            None => module.add_primitive(child, index)?,
            Some(built) => module.add_instance(child, index, built, &port_names(built)),
        }
    }
    module.fold_registers();
    Ok(module)
}

fn beginning(text: &str) -> String {
    text.trim_start().chars().take(40).collect()
}

impl Module {
    pub(super) fn add_wire(&mut self, wanted: &str, width: usize) -> usize {
        let name = self.names.unique(wanted);
        let descriptor = TypeDescriptor { name: String::new(), kind: TypeKind::Bits(width) };
        let net = Net { name: name.clone(), width, role: Role::Internal, is_clock: false, child: 0, descriptor };
        self.wires.push(Wire { net, name, alias: None, is_hidden: false });
        self.wires.len() - 1
    }

    /// The kernel, taken apart; moments of signals become signals.
    fn add_programs(&mut self, block: &[Stmt], writes: &[usize]) {
        let widths: Vec<usize> = self.wires.iter().map(|wire| wire.net.width).collect();
        let mut programs = program::take_apart(block, writes, &widths);
        let mut moments: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for program in &programs {
            if let Some(moment) = program.moment {
                let wanted = format!("{}_after_{moment}", self.wires[program.net].name);
                let wire = self.add_wire(&wanted, widths[program.net]);
                moments.insert((program.net, moment), wire);
            }
        }
        for program in &mut programs {
            let target = match program.moment {
                Some(moment) => moments[&(program.net, moment)],
                None => program.net,
            };
            let header = program.clone();
            program.change_exprs(&mut |expr, may_be_own| {
                expr.change_reads(&mut |read| {
                    if let At::After(moment) = read.at {
                        let own = may_be_own && header.is_own(read);
                        read.net = if own { target } else { moments[&(read.net, moment)] };
                        read.at = if own { At::After(moment) } else { At::End };
                    }
                });
            });
            let mut body = program.body.clone();
            retarget(&mut body, target);
            self.bodies.push((target, body));
        }
    }

    fn check_drivers(&self, writes: &[usize]) -> Result<(), Problem> {
        let read = self.nets_read();
        for (index, count) in writes.iter().enumerate() {
            let net = &self.wires[index].net;
            let needed = match net.role {
                Role::Output | Role::ChildInput => true,
                Role::Local => read.contains(&index),
                _ => false,
            };
            if needed && *count == 0 {
                return Err(Problem::NotDriven(net.name.clone()));
            }
        }
        Ok(())
    }

    fn check_clocks(&self) -> Result<(), Problem> {
        for (target, body) in &self.bodies {
            let target = &self.wires[*target].net;
            let passes_clock =
                matches!(body, Body::Assign(Expr::Read(read)) if read.width == 1 && self.wires[read.net].net.is_clock);
            let mut reads_clock = false;
            body.for_each_expr(&mut |expr| {
                expr.for_each_read(&mut |read| reads_clock |= self.wires[read.net].net.is_clock);
            });
            let good = if target.is_clock { passes_clock } else { !reads_clock };
            if !good {
                return Err(Problem::ClockLogic(target.name.clone()));
            }
        }
        Ok(())
    }

    fn add_primitive(&mut self, child: &Scope, index: usize) -> Result<(), EmitError> {
        let refuse = |text: &str| child.error(Problem::MalformedPrimitive(text.to_owned()));
        let marker = match &child.code {
            Verilog::Custom(text) => Marker::parse(text),
            _ => None,
        };
        let Some(marker) = marker else { return Err(refuse("no marker")) };
        let mut ports = BTreeMap::new();
        for (position, wire) in self.wires.iter().enumerate() {
            let is_port = matches!(wire.net.role, Role::ChildInput | Role::ChildOutput) && wire.net.child == index;
            if let Some(port) = wire.net.name.strip_prefix(&format!("{}$", child.name)).filter(|_| is_port) {
                ports.insert(port.to_owned(), position);
            }
        }
        let expected = super::primitive::port_names(&marker);
        if ports.len() != expected.len() || !expected.iter().all(|port| ports.contains_key(*port)) {
            return Err(refuse("unexpected ports"));
        }
        let name = child.name.clone();
        self.primitives.push(Primitive { marker, name, ports, next: None });
        Ok(())
    }

    fn add_instance(&mut self, child: &Scope, index: usize, module: usize, port_names: &[String]) {
        let wires = self.wires.iter().enumerate();
        let ports: Vec<usize> = wires
            .filter(|(_, wire)| {
                matches!(wire.net.role, Role::ChildInput | Role::ChildOutput) && wire.net.child == index
            })
            .map(|(position, _)| position)
            .collect();
        debug_assert_eq!(ports.len(), port_names.len());
        let name = self.names.unique(&child.name);
        self.instances.push(Instance { module, name, ports });
    }
}
