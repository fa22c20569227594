//! Takes a kernel apart into one small program for every signal that it writes.
//!
//! Signals that have nothing to do with each other must not share an `always` block: a simulator would see loops where there
//! are none. Where a kernel reads a signal between two of its writes, the value of that moment becomes a signal of its own.

use super::expr::{At, Expr, Read};
use super::stmt::Stmt;
use super::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Number of a write that begins a program and is none of the kernel's own. It never reads the program's signal.
const STARTING: usize = usize::MAX;

/// What a signal is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// One expression.
    Assign(Expr),
    /// Statements of an `always_comb`, all writing the one signal.
    Always(Vec<Stmt>),
}

/// A signal and what drives it.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) net: usize,
    /// The value after so many writes, which is a signal of its own; `None`: the final value.
    pub(super) moment: Option<usize>,
    /// The program begins with the value after so many writes.
    start: usize,
    pub(super) body: Body,
}

impl Program {
    /// Calls `visit` for all expressions, with whether they may read what the program itself has made of its signal so far.
    pub(super) fn for_each_expr(&self, visit: &mut dyn FnMut(&Expr, bool)) {
        match &self.body {
            Body::Assign(value) => visit(value, false),
            Body::Always(body) => for_each_expr(body, visit),
        }
    }

    /// As `for_each_expr`.
    pub(super) fn change_exprs(&mut self, change: &mut dyn FnMut(&mut Expr, bool)) {
        match &mut self.body {
            Body::Assign(value) => change(value, false),
            Body::Always(body) => change_exprs(body, change),
        }
    }

    /// Whether `read` means the program's own signal as the program has it at that place.
    pub(super) fn is_own(&self, read: &Read) -> bool {
        is_own(read, self.net, self.start)
    }
}

fn for_each_expr(body: &[Stmt], visit: &mut dyn FnMut(&Expr, bool)) {
    for statement in body {
        match statement {
            Stmt::Write { number, value, .. } => visit(value, *number != STARTING),
            Stmt::If { test, then, otherwise } => {
                visit(test, true);
                for_each_expr(then, visit);
                for_each_expr(otherwise, visit);
            }
            Stmt::Case { test, arms, default } => {
                visit(test, true);
                arms.iter().for_each(|(_, arm)| for_each_expr(arm, visit));
                for_each_expr(default, visit);
            }
        }
    }
}

fn change_exprs(body: &mut [Stmt], change: &mut dyn FnMut(&mut Expr, bool)) {
    for statement in body {
        match statement {
            Stmt::Write { number, value, .. } => change(value, *number != STARTING),
            Stmt::If { test, then, otherwise } => {
                change(test, true);
                change_exprs(then, change);
                change_exprs(otherwise, change);
            }
            Stmt::Case { test, arms, default } => {
                change(test, true);
                arms.iter_mut().for_each(|(_, arm)| change_exprs(arm, change));
                change_exprs(default, change);
            }
        }
    }
}

/// The programs of all signals that `block` writes. `writes` and `widths` are by signal.
pub(super) fn take_apart(block: &[Stmt], writes: &[usize], widths: &[usize]) -> Vec<Program> {
    // First find all moments that are read by others; moments make programs that may read more moments.
    let mut moments: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    loop {
        let programs = with_moments(block, writes, widths, &moments);
        let mut found = moments.clone();
        for program in &programs {
            for_each_foreign_moment(program, &mut |net, moment| {
                found.entry(net).or_default().insert(moment);
            });
        }
        if found == moments {
            return programs;
        }
        moments = found;
    }
}

fn with_moments(
    block: &[Stmt],
    writes: &[usize],
    widths: &[usize],
    moments: &BTreeMap<usize, BTreeSet<usize>>,
) -> Vec<Program> {
    let mut programs = Vec::new();
    for net in (0..writes.len()).filter(|&net| writes[net] > 0) {
        let mut from = None;
        let ends = moments.get(&net).into_iter().flatten().map(|&moment| Some(moment)).chain([None]);
        for moment in ends {
            let range = from.unwrap_or(0)..moment.unwrap_or(writes[net]);
            let mut body = extract(block, net, &range);
            let full = assigns_all(&body, widths[net]);
            if let Some(from) = from {
                let start = Expr::net(net, At::After(from), widths[net]);
                body.insert(0, Stmt::Write { number: STARTING, net, lsb: 0, value: start });
            } else if !full {
                // Only paths that have assigned the signal read it at this moment; the others see a zero that nobody reads.
                body.insert(0, Stmt::Write { number: STARTING, net, lsb: 0, value: Expr::zero(widths[net]) });
            }
            let start = range.start;
            programs.push(Program { net, moment, start, body: simplify(body, net, start, widths[net]) });
            from = moment;
        }
    }
    programs
}

/// The statements of `block` that write `net`, those with a number in `range`, and what they stand in.
fn extract(block: &[Stmt], net: usize, range: &std::ops::Range<usize>) -> Vec<Stmt> {
    let mut kept = Vec::new();
    for statement in block {
        match statement {
            Stmt::Write { number, net: target, .. } if *target == net && range.contains(number) => {
                kept.push(statement.clone());
            }
            Stmt::Write { .. } => {}
            Stmt::If { test, then, otherwise } => {
                let (then, otherwise) = (extract(then, net, range), extract(otherwise, net, range));
                if !then.is_empty() || !otherwise.is_empty() {
                    kept.push(Stmt::If { test: test.clone(), then, otherwise });
                }
            }
            Stmt::Case { test, arms, default } => {
                let arms: Vec<_> =
                    arms.iter().map(|(values, arm)| (values.clone(), extract(arm, net, range))).collect();
                let default = extract(default, net, range);
                if !default.is_empty() || arms.iter().any(|(_, arm)| !arm.is_empty()) {
                    kept.push(Stmt::Case { test: test.clone(), arms: merge_arms(arms, &default), default });
                }
            }
        }
    }
    kept
}

/// Joins arms of equal contents and drops those that do what the default does. All values are different, so order is free.
fn merge_arms(arms: Vec<(Vec<Value>, Vec<Stmt>)>, default: &[Stmt]) -> Vec<(Vec<Value>, Vec<Stmt>)> {
    let mut merged: Vec<(Vec<Value>, Vec<Stmt>)> = Vec::new();
    for (values, arm) in arms {
        if same_effect(&arm, default) {
            continue;
        }
        match merged.iter_mut().find(|(_, other)| same_effect(other, &arm)) {
            Some((others, _)) => others.extend(values),
            None => merged.push((values, arm)),
        }
    }
    merged
}

/// Whether two blocks are equal but for the numbers of their writes.
fn same_effect(one: &[Stmt], other: &[Stmt]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|pair| match pair {
            (Stmt::Write { net: n1, lsb: l1, value: v1, .. }, Stmt::Write { net: n2, lsb: l2, value: v2, .. }) => {
                n1 == n2 && l1 == l2 && v1 == v2
            }
            (one, other) => one == other,
        })
}

/// Whether every path through `body` assigns all bits of the one signal that it writes.
fn assigns_all(body: &[Stmt], width: usize) -> bool {
    fn assigned(body: &[Stmt], bits: &mut num_bigint::BigUint) {
        for statement in body {
            match statement {
                Stmt::Write { lsb, value, .. } => *bits |= super::value::mask(value.width()) << *lsb,
                Stmt::If { then, otherwise, .. } => join([then, otherwise].into_iter(), bits),
                Stmt::Case { arms, default, .. } => join(arms.iter().map(|(_, arm)| arm).chain([default]), bits),
            }
        }
    }
    fn join<'a>(branches: impl Iterator<Item = &'a Vec<Stmt>>, bits: &mut num_bigint::BigUint) {
        let common = branches
            .map(|branch| {
                let mut own = bits.clone();
                assigned(branch, &mut own);
                own
            })
            .reduce(|one, other| one & other);
        if let Some(common) = common {
            *bits = common;
        }
    }
    let mut bits = num_bigint::BigUint::ZERO;
    assigned(body, &mut bits);
    bits == super::value::mask(width)
}

/// Whether `expr` reads what the running program has made of `net` so far.
fn reads_own(expr: &Expr, net: usize, start: usize) -> bool {
    let mut found = false;
    expr.for_each_read(&mut |read| found |= is_own(read, net, start));
    found
}

/// A read in the program of `net` that begins after write `start`: of the signal as the program has it at that place.
fn is_own(read: &Read, net: usize, start: usize) -> bool {
    read.net == net && matches!(read.at, At::After(moment) if moment >= start)
}

/// Drops writes that nobody sees and joins leading writes to one.
fn simplify(mut body: Vec<Stmt>, net: usize, start: usize, width: usize) -> Body {
    let is_whole = |statement: &Stmt| {
        matches!(statement, Stmt::Write { number, lsb: 0, value, .. }
            if value.width() == width && (*number == STARTING || !reads_own(value, net, start)))
    };
    if let Some(last_whole) = body.iter().rposition(is_whole) {
        body.drain(..last_whole);
    }
    // A run of plain writes at the beginning is one expression.
    let mut parts: Vec<(usize, Expr)> = Vec::new();
    for statement in &body {
        match statement {
            Stmt::Write { number, lsb, value, .. } if *number == STARTING || !reads_own(value, net, start) => {
                parts.push((*lsb, value.clone()));
            }
            _ => break,
        }
    }
    match overlay(&parts, width) {
        Some(value) if parts.len() == body.len() => Body::Assign(value),
        Some(value) => {
            body.splice(..parts.len(), [Stmt::Write { number: STARTING, net, lsb: 0, value }]);
            Body::Always(body)
        }
        None => Body::Always(body),
    }
}

/// What writes of `(lsb, value)` one after the other leave. `None`: some bits are not written, or something would have to be
/// computed twice.
fn overlay(parts: &[(usize, Expr)], width: usize) -> Option<Expr> {
    let mut cuts: Vec<usize> = parts.iter().flat_map(|(lsb, value)| [*lsb, lsb + value.width()]).collect();
    cuts.extend([0, width]);
    cuts.sort_unstable();
    cuts.dedup();
    let mut pieces = Vec::new();
    let mut uses = vec![0; parts.len()];
    for pair in cuts.windows(2).rev() {
        let (from, to) = (pair[0], pair[1]);
        let index = parts.iter().rposition(|(lsb, value)| *lsb <= from && to <= lsb + value.width())?;
        let (lsb, value) = &parts[index];
        uses[index] += 1;
        if uses[index] > 1 && !value.is_divisible() {
            return None;
        }
        pieces.push(value.clone().slice(from - lsb, to - from));
    }
    Some(Expr::concat(pieces))
}

/// Visits the moments of signals that `program` reads and does not have itself.
fn for_each_foreign_moment(program: &Program, visit: &mut dyn FnMut(usize, usize)) {
    program.for_each_expr(&mut |expr, may_be_own| {
        expr.for_each_read(&mut |read| {
            if let At::After(moment) = read.at
                && !(may_be_own && program.is_own(read))
            {
                visit(read.net, moment);
            }
        });
    });
}

impl Body {
    /// Calls `visit` for all expressions.
    pub(super) fn for_each_expr(&self, visit: &mut dyn FnMut(&Expr)) {
        match self {
            Body::Assign(value) => visit(value),
            Body::Always(body) => for_each_expr(body, &mut |expr, _| visit(expr)),
        }
    }
}
