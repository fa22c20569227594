//! Saves signals: conditions that many depend on are computed once, and what only passes something on is left out.

use super::expr::{At, Expr, Read};
use super::module::Module;
use super::program::Body;
use super::stmt::Stmt;
use super::symbols::Role;
use crate::prim::Marker;
use std::collections::{BTreeMap, BTreeSet};

impl Module {
    /// Conditions that several signals depend on become signals, so that they are computed once.
    pub(super) fn share_conditions(&mut self) {
        let mut uses: BTreeMap<Expr, usize> = BTreeMap::new();
        for (_, body) in &mut self.bodies {
            for_each_test(body, &mut |test| {
                if !is_trivial(test) && !reads_moment(test) {
                    *uses.entry(test.clone()).or_default() += 1;
                }
            });
        }
        let mut shared: BTreeMap<Expr, usize> = BTreeMap::new();
        let mut bodies = std::mem::take(&mut self.bodies);
        let mut conditions = Vec::new();
        for (_, body) in &mut bodies {
            for_each_test(body, &mut |test| {
                if uses.get(test).is_some_and(|&count| count > 1) {
                    let width = test.width();
                    let wire = *shared.entry(test.clone()).or_insert_with(|| {
                        let wire = self.add_wire(&format!("condition_{}", conditions.len() + 1), width);
                        conditions.push((wire, Body::Assign(test.clone())));
                        wire
                    });
                    *test = Expr::net(wire, At::End, width);
                }
            });
        }
        bodies.extend(conditions);
        self.bodies = bodies;
    }

    /// Signals that the kernel or an alias reads.
    pub(super) fn nets_read(&self) -> BTreeSet<usize> {
        let mut nets = BTreeSet::new();
        let mut note = |expr: &Expr| {
            expr.for_each_read(&mut |read| {
                nets.insert(read.net);
            });
        };
        self.bodies.iter().for_each(|(_, body)| body.for_each_expr(&mut note));
        self.wires.iter().filter_map(|wire| wire.alias.as_ref()).for_each(&mut note);
        nets
    }

    /// Inputs of instances that only pass on a signal, a part of one, or a constant need no signal of their own.
    pub(super) fn find_aliases(&mut self) {
        let read = self.nets_read();
        let mut kept = Vec::new();
        for (target, body) in std::mem::take(&mut self.bodies) {
            match body {
                Body::Assign(value @ (Expr::Read(_) | Expr::Const(_)))
                    if self.wires[target].net.role == Role::ChildInput && !read.contains(&target) =>
                {
                    self.wires[target].alias = Some(value);
                    self.wires[target].is_hidden = true;
                }
                body => kept.push((target, body)),
            }
        }
        self.bodies = kept;
    }

    /// Moves what drives `d` into the register, where nobody else reads `d`.
    pub(super) fn fold_registers(&mut self) {
        let read = self.nets_read();
        let mut bodies: BTreeMap<usize, Body> = BTreeMap::new();
        let mut order = Vec::new();
        for (target, body) in std::mem::take(&mut self.bodies) {
            order.push(target);
            bodies.insert(target, body);
        }
        for primitive in &mut self.primitives {
            let is_register = matches!(primitive.marker, Marker::Register { .. } | Marker::RegisterWithReset { .. });
            if !is_register || read.contains(&primitive.ports["d"]) {
                continue;
            }
            let (d, q) = (primitive.ports["d"], primitive.ports["q"]);
            if let Some(mut body) = bodies.remove(&d) {
                self.wires[d].is_hidden = true;
                retarget(&mut body, q);
                let whole = Expr::net(q, At::End, self.wires[q].net.width);
                if let Body::Always(statements) = &mut body
                    && matches!(statements.first(), Some(Stmt::Write { value, .. }) if *value == whole)
                {
                    statements.remove(0);
                }
                primitive.next = Some(body);
            }
        }
        self.bodies = order.into_iter().filter_map(|target| bodies.remove_entry(&target)).collect();
    }
}

fn is_trivial(test: &Expr) -> bool {
    match test {
        Expr::Read(_) | Expr::Const(_) => true,
        Expr::Not(inner) => is_trivial(inner),
        _ => false,
    }
}

fn reads_moment(expr: &Expr) -> bool {
    let mut found = false;
    expr.for_each_read(&mut |Read { at, .. }| found |= matches!(at, At::After(_)));
    found
}

/// Makes `target` what the statements write.
pub(super) fn retarget(body: &mut Body, target: usize) {
    fn block(statements: &mut [Stmt], target: usize) {
        for statement in statements {
            match statement {
                Stmt::Write { net, .. } => *net = target,
                Stmt::If { then, otherwise, .. } => {
                    block(then, target);
                    block(otherwise, target);
                }
                Stmt::Case { arms, default, .. } => {
                    arms.iter_mut().for_each(|(_, arm)| block(arm, target));
                    block(default, target);
                }
            }
        }
    }
    if let Body::Always(statements) = body {
        block(statements, target);
    }
}

fn for_each_test(body: &mut Body, visit: &mut dyn FnMut(&mut Expr)) {
    fn block(statements: &mut [Stmt], visit: &mut dyn FnMut(&mut Expr)) {
        for statement in statements {
            match statement {
                Stmt::Write { .. } => {}
                Stmt::If { test, then, otherwise } => {
                    visit(test);
                    block(then, visit);
                    block(otherwise, visit);
                }
                Stmt::Case { test, arms, default } => {
                    visit(test);
                    arms.iter_mut().for_each(|(_, arm)| block(arm, visit));
                    block(default, visit);
                }
            }
        }
    }
    if let Body::Always(statements) = body {
        block(statements, visit);
    }
}
