//! Random expressions over signals of random widths: the tree that a kernel would give, and what RustHDL makes of it.

use crate::bench::Random;
use crate::operations::{self as ops, Binary, Shift, Unary, WIDTHS};
use num_bigint::BigUint;
use rust_hdl::core::ast::{VerilogExpression, VerilogLiteral, VerilogOp, VerilogOpUnary};

/// Values of signals and of loop variables.
#[derive(Clone)]
pub(crate) struct Environment {
    pub signals: Vec<BigUint>,
    pub loops: Vec<usize>,
}

/// What an expression may read.
#[derive(Clone)]
pub(crate) struct Scope {
    pub signals: Vec<(String, usize)>,
    /// Names of loop variables and the bounds that they stay below.
    pub loops: Vec<(String, usize)>,
}

#[derive(Clone)]
pub(crate) struct Node {
    pub width: usize,
    kind: Kind,
}

/// A place in a word.
#[derive(Clone)]
enum Offset {
    Constant(usize),
    Loop(usize),
    /// `signal.index()`.
    Node(Box<Node>),
    /// `signal.index() * factor + constant`, in `usize`.
    Computed(Box<Node>, usize, usize),
}

#[derive(Clone)]
enum Kind {
    Signal(usize),
    Literal(BigUint),
    Unary(Unary, Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    /// The integer stands on the left if the flag is set.
    WithInteger(Binary, Box<Node>, u64, bool),
    AddBool(Box<Node>, Box<Node>),
    Logical(bool, Box<Node>, Box<Node>),
    Shift(Shift, Box<Node>, Box<Node>),
    ShiftByInteger(Shift, Box<Node>, usize),
    IntegerShift(Shift, u64, Box<Node>),
    Cast(Box<Node>),
    Slice(Box<Node>, Offset),
    Bit(Box<Node>, Offset),
    Replace(Box<Node>, Offset, Box<Node>),
    Parentheses(Box<Node>),
}

fn node(width: usize, kind: Kind) -> Box<Node> {
    Box::new(Node { width, kind })
}

/// The signal at a place of the scope, `width` bits wide.
pub(crate) fn signal(index: usize, width: usize) -> Box<Node> {
    node(width, Kind::Signal(index))
}

/// A random expression of `width` bits.
pub(crate) fn generate(random: &mut Random, scope: &Scope, width: usize, depth: usize) -> Box<Node> {
    if depth == 0 {
        return leaf(random, scope, width);
    }
    let deeper = |random: &mut Random, width: usize| generate(random, scope, width, depth - 1);
    if width == 1 && random.one_in(2) {
        return generate_bit(random, scope, depth);
    }
    let kind = match random.below(14) {
        0 => Kind::Unary(Unary::Not, deeper(random, width)),
        1..=4 => {
            let op = Binary::ALL[random.below(5)];
            if random.one_in(4) {
                let integer = small(random, width);
                Kind::WithInteger(op, deeper(random, width), integer, random.one_in(2))
            } else {
                Kind::Binary(op, deeper(random, width), deeper(random, width))
            }
        }
        5 if width > 1 => Kind::AddBool(deeper(random, width), deeper(random, 1)),
        6 => {
            let amount = *random.pick(&[1, 2, 3, 5, 7, 8]);
            Kind::Shift(shift(random), deeper(random, width), deeper(random, amount))
        }
        7 => Kind::ShiftByInteger(shift(random), deeper(random, width), random.below(width + 3)),
        8 | 13 if width == 64 => {
            let amount = *random.pick(&[1, 3, 5, 7, 8]);
            Kind::IntegerShift(shift(random), random.word() >> 33, deeper(random, amount))
        }
        9 | 10 => {
            let from = *random.pick(&WIDTHS);
            Kind::Cast(deeper(random, from))
        }
        11 => {
            let from = *random.pick(&WIDTHS);
            let of = deeper(random, from);
            Kind::Slice(of, offset(random, scope, from, depth))
        }
        12 => {
            let at = offset(random, scope, width - 1, depth);
            Kind::Replace(deeper(random, width), at, deeper(random, 1))
        }
        _ => Kind::Parentheses(deeper(random, width)),
    };
    node(width, kind)
}

fn generate_bit(random: &mut Random, scope: &Scope, depth: usize) -> Box<Node> {
    let deeper = |random: &mut Random, width: usize| generate(random, scope, width, depth - 1);
    let of = *random.pick(&WIDTHS);
    let kind = match random.below(6) {
        0 | 1 => {
            let op = Binary::ALL[5 + random.below(6)];
            if random.one_in(4) {
                let integer = small(random, of);
                Kind::WithInteger(op, deeper(random, of), integer, random.one_in(2))
            } else {
                Kind::Binary(op, deeper(random, of), deeper(random, of))
            }
        }
        2 => Kind::Unary(*random.pick(&[Unary::All, Unary::Any, Unary::Xor]), deeper(random, of)),
        3 => Kind::Logical(random.one_in(2), deeper(random, 1), deeper(random, 1)),
        _ => {
            let word = deeper(random, of);
            Kind::Bit(word, offset(random, scope, of - 1, depth))
        }
    };
    node(1, kind)
}

fn leaf(random: &mut Random, scope: &Scope, width: usize) -> Box<Node> {
    let fitting: Vec<usize> = (0..scope.signals.len()).filter(|&index| scope.signals[index].1 == width).collect();
    if !fitting.is_empty() && !random.one_in(5) {
        return node(width, Kind::Signal(*random.pick(&fitting)));
    }
    if random.one_in(3) || scope.signals.is_empty() {
        return node(width, Kind::Literal(random.value(width)));
    }
    let any = random.below(scope.signals.len());
    let of = node(scope.signals[any].1, Kind::Signal(any));
    node(width, Kind::Cast(of))
}

fn shift(random: &mut Random) -> Shift {
    if random.one_in(2) { Shift::Left } else { Shift::Right }
}

/// An integer that fits in `width` bits and in RustHDL's literals.
fn small(random: &mut Random, width: usize) -> u64 {
    random.value(width.min(31)).try_into().expect("at most 31 bits")
}

/// An offset that never exceeds `last`.
fn offset(random: &mut Random, scope: &Scope, last: usize, depth: usize) -> Offset {
    let loops: Vec<usize> = (0..scope.loops.len()).filter(|&index| scope.loops[index].1 <= last + 1).collect();
    if !loops.is_empty() && random.one_in(2) {
        return Offset::Loop(*random.pick(&loops));
    }
    let widths: Vec<usize> = [1, 2, 3, 5].into_iter().filter(|&width| (1 << width) - 1 <= last).collect();
    if widths.is_empty() || random.one_in(2) {
        return Offset::Constant(random.below(last + 1));
    }
    let width = *random.pick(&widths);
    let highest = (1 << width) - 1;
    let of = generate(random, scope, width, depth.min(2) - 1);
    if random.one_in(2) {
        return Offset::Node(of);
    }
    let factor = 1 + random.below(last / highest);
    Offset::Computed(of, factor, random.below(last - factor * highest + 1))
}

fn boxed(expr: VerilogExpression) -> Box<VerilogExpression> {
    Box::new(expr)
}

fn integer(value: u64) -> VerilogExpression {
    // As the macro does for a literal without suffix, where it fits.
    VerilogExpression::Literal(match i32::try_from(value) {
        Ok(value) => value.into(),
        Err(_) => value.into(),
    })
}

fn operator(op: Binary) -> VerilogOp {
    match op {
        Binary::Add => VerilogOp::Add,
        Binary::Sub => VerilogOp::Sub,
        Binary::And => VerilogOp::BitAnd,
        Binary::Or => VerilogOp::BitOr,
        Binary::Xor => VerilogOp::BitXor,
        Binary::Eq => VerilogOp::Eq,
        Binary::Ne => VerilogOp::Ne,
        Binary::Lt => VerilogOp::Lt,
        Binary::Le => VerilogOp::Le,
        Binary::Gt => VerilogOp::Gt,
        Binary::Ge => VerilogOp::Ge,
    }
}

fn shift_operator(op: Shift) -> VerilogOp {
    match op {
        Shift::Left => VerilogOp::Shl,
        Shift::Right => VerilogOp::Shr,
    }
}

impl Offset {
    fn tree(&self, scope: &Scope) -> VerilogExpression {
        match self {
            Offset::Constant(constant) => integer(*constant as u64),
            Offset::Loop(index) => VerilogExpression::Signal(scope.loops[*index].0.clone()),
            Offset::Node(node) => match node.tree(scope) {
                // `(a + b).index()`: the parentheses are needed in Rust, and sums in them are refused. A cast is not.
                tree @ VerilogExpression::Binary(..) => VerilogExpression::Cast(boxed(tree), node.width),
                tree => cast_if_parenthesised(tree, node.width),
            },
            Offset::Computed(node, factor, constant) => {
                let of = boxed(cast_if_parenthesised(node.tree(scope), node.width));
                let of = match *of {
                    tree @ VerilogExpression::Binary(..) => boxed(VerilogExpression::Cast(boxed(tree), node.width)),
                    tree => boxed(tree),
                };
                let product = VerilogExpression::Binary(of, VerilogOp::Mul, boxed(integer(*factor as u64)));
                VerilogExpression::Binary(boxed(product), VerilogOp::Add, boxed(integer(*constant as u64)))
            }
        }
    }

    fn value(&self, environment: &Environment) -> usize {
        match self {
            Offset::Constant(constant) => *constant,
            Offset::Loop(index) => environment.loops[*index],
            Offset::Node(node) => index(&node.value(environment)),
            Offset::Computed(node, factor, constant) => index(&node.value(environment)) * factor + constant,
        }
    }
}

fn cast_if_parenthesised(tree: VerilogExpression, width: usize) -> VerilogExpression {
    match tree {
        tree @ VerilogExpression::Paren(_) => VerilogExpression::Cast(boxed(tree), width),
        tree => tree,
    }
}

fn index(value: &BigUint) -> usize {
    value.try_into().expect("an index is small")
}

impl Node {
    /// What RustHDL's macro makes of the expression.
    pub(crate) fn tree(&self, scope: &Scope) -> VerilogExpression {
        let tree = |node: &Node| boxed(node.tree(scope));
        match &self.kind {
            Kind::Signal(index) => VerilogExpression::Signal(scope.signals[*index].0.clone()),
            Kind::Literal(value) => {
                let literal: VerilogLiteral = u128::try_from(value).expect("at most 80 bits").into();
                VerilogExpression::Cast(boxed(VerilogExpression::Literal(literal)), self.width)
            }
            Kind::Unary(op, of) => {
                let op = match op {
                    Unary::Not => VerilogOpUnary::Not,
                    Unary::All => VerilogOpUnary::All,
                    Unary::Any => VerilogOpUnary::Any,
                    Unary::Xor => VerilogOpUnary::Xor,
                };
                VerilogExpression::Unary(op, tree(of))
            }
            Kind::Binary(op, left, right) => VerilogExpression::Binary(tree(left), operator(*op), tree(right)),
            Kind::WithInteger(op, of, value, true) => {
                VerilogExpression::Binary(boxed(integer(*value)), operator(*op), tree(of))
            }
            Kind::WithInteger(op, of, value, false) => {
                VerilogExpression::Binary(tree(of), operator(*op), boxed(integer(*value)))
            }
            Kind::AddBool(of, bit) => VerilogExpression::Binary(tree(of), VerilogOp::Add, tree(bit)),
            Kind::Logical(is_and, left, right) => {
                let op = if *is_and { VerilogOp::LogicalAnd } else { VerilogOp::LogicalOr };
                VerilogExpression::Binary(tree(left), op, tree(right))
            }
            Kind::Shift(op, of, amount) => VerilogExpression::Binary(tree(of), shift_operator(*op), tree(amount)),
            Kind::ShiftByInteger(op, of, amount) => {
                VerilogExpression::Binary(tree(of), shift_operator(*op), boxed(integer(*amount as u64)))
            }
            Kind::IntegerShift(op, value, amount) => {
                VerilogExpression::Binary(boxed(integer(*value)), shift_operator(*op), tree(amount))
            }
            Kind::Cast(of) => VerilogExpression::Cast(tree(of), self.width),
            Kind::Slice(of, at) => VerilogExpression::Slice(tree(of), self.width, boxed(at.tree(scope))),
            Kind::Bit(of, at) => VerilogExpression::Index(tree(of), boxed(at.tree(scope))),
            Kind::Replace(of, at, bit) => VerilogExpression::IndexReplace(tree(of), boxed(at.tree(scope)), tree(bit)),
            Kind::Parentheses(of) => VerilogExpression::Paren(tree(of)),
        }
    }

    /// What RustHDL's simulator computes.
    pub(crate) fn value(&self, environment: &Environment) -> BigUint {
        let value = |node: &Node| node.value(environment);
        let is_set = |node: &Node| node.value(environment) != BigUint::ZERO;
        match &self.kind {
            Kind::Signal(index) => environment.signals[*index].clone(),
            Kind::Literal(value) => value.clone(),
            Kind::Unary(op, of) => ops::unary(of.width, *op, &value(of)),
            Kind::Binary(op, left, right) => ops::binary(left.width, *op, &value(left), &value(right)),
            Kind::WithInteger(op, of, integer, true) => ops::binary(of.width, *op, &(*integer).into(), &value(of)),
            Kind::WithInteger(op, of, integer, false) => ops::binary(of.width, *op, &value(of), &(*integer).into()),
            Kind::AddBool(of, bit) => ops::add_bool(of.width, &value(of), is_set(bit)),
            Kind::Logical(is_and, left, right) => {
                let (left, right) = (is_set(left), is_set(right));
                u8::from(if *is_and { left && right } else { left || right }).into()
            }
            Kind::Shift(op, of, amount) => {
                ops::shift(of.width, *op, &value(of), value(amount).try_into().expect("at most 8 bits"))
            }
            Kind::ShiftByInteger(op, of, amount) => ops::shift(of.width, *op, &value(of), *amount as u64),
            Kind::IntegerShift(op, integer, amount) => ops::integer_shift(amount.width, *op, *integer, &value(amount)),
            Kind::Cast(of) => ops::cast(of.width, &value(of), self.width),
            Kind::Slice(of, at) => ops::slice(of.width, &value(of), self.width, at.value(environment)),
            Kind::Bit(of, at) => ops::bit(of.width, &value(of), at.value(environment)),
            Kind::Replace(of, at, bit) => ops::replace(of.width, &value(of), at.value(environment), is_set(bit)),
            Kind::Parentheses(of) => value(of),
        }
    }

    /// Operations that occur in the expression.
    pub(crate) fn count(&self, counts: &mut std::collections::BTreeMap<&'static str, usize>) {
        let (name, inner): (&'static str, Vec<&Node>) = match &self.kind {
            Kind::Signal(_) => ("signal", vec![]),
            Kind::Literal(_) => ("literal", vec![]),
            Kind::Unary(Unary::Not, of) => ("not", vec![of]),
            Kind::Unary(_, of) => ("reduce", vec![of]),
            Kind::Binary(op, left, right) => (if op.is_comparison() { "compare" } else { "binary" }, vec![left, right]),
            Kind::WithInteger(_, of, _, _) => ("with integer", vec![of]),
            Kind::AddBool(of, bit) => ("add bool", vec![of, bit]),
            Kind::Logical(_, left, right) => ("logical", vec![left, right]),
            Kind::Shift(_, of, amount) => ("shift", vec![of, amount]),
            Kind::ShiftByInteger(_, of, _) => ("shift by integer", vec![of]),
            Kind::IntegerShift(_, _, amount) => ("integer shift", vec![amount]),
            Kind::Cast(of) => ("cast", vec![of]),
            Kind::Slice(of, at) => (at.name("slice", "dynamic slice", "computed slice"), vec![of]),
            Kind::Bit(of, at) => (at.name("bit", "dynamic bit", "computed bit"), vec![of]),
            Kind::Replace(of, at, bit) => (at.name("replace", "dynamic replace", "computed replace"), vec![of, bit]),
            Kind::Parentheses(of) => ("parentheses", vec![of]),
        };
        *counts.entry(name).or_default() += 1;
        inner.into_iter().for_each(|node| node.count(counts));
    }
}

impl Offset {
    fn name(&self, constant: &'static str, dynamic: &'static str, computed: &'static str) -> &'static str {
        match self {
            Offset::Constant(_) | Offset::Loop(_) => constant,
            Offset::Node(_) => dynamic,
            Offset::Computed(..) => computed,
        }
    }
}
