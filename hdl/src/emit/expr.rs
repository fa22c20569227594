//! Expressions of the back end's own form. Each has one certain width, and what it means does not depend on where it
//! stands; the constructors here fold constants and turn shifts and disjunctions of separate parts into concatenations.

use super::parts::{by_parts, push_joined, slice_parts};
use super::value::{Value, mask};
use num_bigint::BigUint;

/// Which value of a signal an expression reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    /// Not decided yet; [`super::flow`] does.
    Open,
    /// The value at the end of the kernel.
    End,
    /// The value after the kernel's first so many writes to the signal.
    After(usize),
}

/// Bits `lsb` to `lsb + width - 1` of a signal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Read {
    pub(super) net: usize,
    pub(super) at: At,
    pub(super) lsb: usize,
    pub(super) width: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Op {
    And,
    Or,
    Xor,
    Add,
    Sub,
    Shl,
    Shr,
    Eq,
    Ne,
    Lt,
    Le,
}

impl Op {
    pub(super) fn is_bitwise(self) -> bool {
        matches!(self, Op::And | Op::Or | Op::Xor)
    }

    pub(super) fn is_comparison(self) -> bool {
        matches!(self, Op::Eq | Op::Ne | Op::Lt | Op::Le)
    }

    pub(super) fn symbol(self) -> &'static str {
        match self {
            Op::And => "&",
            Op::Or => "|",
            Op::Xor => "^",
            Op::Add => "+",
            Op::Sub => "-",
            Op::Shl => "<<",
            Op::Shr => ">>",
            Op::Eq => "==",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expr {
    Const(Value),
    Read(Read),
    /// At least two parts, the most significant first.
    Concat(Vec<Expr>),
    Not(Box<Expr>),
    /// Both sides of one width, but for shifts; comparisons give one bit.
    Binary(Op, Box<Expr>, Box<Expr>),
    /// `And`, `Or` or `Xor` over all bits.
    Reduce(Op, Box<Expr>),
    /// `width` bits of a whole signal; the offset is known to stay in range.
    Select {
        of: Read,
        offset: Box<Expr>,
        width: usize,
    },
    /// Bits of an expression that has no name.
    Cut {
        of: Box<Expr>,
        lsb: usize,
        width: usize,
    },
}

impl Expr {
    pub(super) fn zero(width: usize) -> Expr {
        Expr::Const(Value::zero(width))
    }

    pub(super) fn bit(value: bool) -> Expr {
        Expr::Const(Value::bit(value))
    }

    pub(super) fn net(net: usize, at: At, width: usize) -> Expr {
        Expr::Read(Read { net, at, lsb: 0, width })
    }

    pub(super) fn width(&self) -> usize {
        match self {
            Expr::Const(value) => value.width(),
            Expr::Read(read) => read.width,
            Expr::Concat(parts) => parts.iter().map(Expr::width).sum(),
            Expr::Not(inner) => inner.width(),
            Expr::Binary(op, left, _) => {
                if op.is_comparison() {
                    1
                } else {
                    left.width()
                }
            }
            Expr::Reduce(..) => 1,
            Expr::Select { width, .. } | Expr::Cut { width, .. } => *width,
        }
    }

    /// Parts side by side, the most significant first.
    pub(super) fn concat(parts: impl IntoIterator<Item = Expr>) -> Expr {
        let mut joined: Vec<Expr> = Vec::new();
        for part in parts {
            match part {
                Expr::Concat(inner) => inner.into_iter().for_each(|part| push_joined(&mut joined, part)),
                part => push_joined(&mut joined, part),
            }
        }
        match joined.len() {
            1 => joined.swap_remove(0),
            _ => Expr::Concat(joined),
        }
    }

    /// Cut to, or extended with zeros to, `width` bits.
    pub(super) fn resize(self, width: usize) -> Expr {
        let own = self.width();
        if width > own { Expr::concat([Expr::zero(width - own), self]) } else { self.slice(0, width) }
    }

    /// `width` bits from `lsb` on, all within the expression.
    pub(super) fn slice(self, lsb: usize, width: usize) -> Expr {
        if lsb == 0 && width == self.width() {
            return self;
        }
        match self {
            Expr::Const(value) => Expr::Const(value.slice(lsb, width)),
            Expr::Read(read) => Expr::Read(Read { lsb: read.lsb + lsb, width, ..read }),
            Expr::Concat(parts) => slice_parts(parts, lsb, width),
            Expr::Not(inner) => Expr::not(inner.slice(lsb, width)),
            Expr::Binary(op, left, right) if op.is_bitwise() => {
                Expr::bitwise(op, left.slice(lsb, width), right.slice(lsb, width))
            }
            Expr::Binary(op @ (Op::Add | Op::Sub), left, right) => {
                // Low bits of a sum depend on low bits only.
                let (left, right) = (left.slice(0, lsb + width), right.slice(0, lsb + width));
                Expr::arithmetic(op, left, right).cut(lsb, width)
            }
            Expr::Binary(Op::Shl, left, amount) => {
                Expr::shift(Op::Shl, left.slice(0, lsb + width), *amount).cut(lsb, width)
            }
            Expr::Select { of, offset, .. } if lsb == 0 => Expr::Select { of, offset, width },
            Expr::Cut { of, lsb: inner, .. } => Expr::Cut { of, lsb: inner + lsb, width },
            other => other.cut(lsb, width),
        }
    }

    fn cut(self, lsb: usize, width: usize) -> Expr {
        if lsb == 0 && width == self.width() { self } else { Expr::Cut { of: Box::new(self), lsb, width } }
    }

    pub(super) fn not(inner: Expr) -> Expr {
        match inner {
            Expr::Const(value) => Expr::Const(Value::truncated(value.width(), &(value.bits() ^ mask(value.width())))),
            Expr::Not(inner) => *inner,
            inner => Expr::Not(Box::new(inner)),
        }
    }

    /// `And`, `Or`, `Xor` of two expressions of one width.
    pub(super) fn bitwise(op: Op, left: Expr, right: Expr) -> Expr {
        if let (Expr::Const(a), Expr::Const(b)) = (&left, &right) {
            let bits = match op {
                Op::And => a.bits() & b.bits(),
                Op::Or => a.bits() | b.bits(),
                _ => a.bits() ^ b.bits(),
            };
            return Expr::Const(Value::truncated(a.width(), &bits));
        }
        match (&left, &right) {
            (Expr::Const(value), other) | (other, Expr::Const(value)) if value.is_zero() => {
                return if op == Op::And { left_zero(value) } else { other.clone() };
            }
            (Expr::Const(value), other) | (other, Expr::Const(value)) if value.is_ones() && op != Op::Xor => {
                return if op == Op::And { other.clone() } else { Expr::Const(value.clone()) };
            }
            _ => {}
        }
        match by_parts(op, &left, &right) {
            Some(parts) => Expr::concat(parts),
            None => Expr::Binary(op, Box::new(left), Box::new(right)),
        }
    }

    /// `Add`, `Sub` of two expressions of one width.
    pub(super) fn arithmetic(op: Op, left: Expr, right: Expr) -> Expr {
        match (&left, &right) {
            (Expr::Const(a), Expr::Const(b)) => {
                let full = if op == Op::Add {
                    a.bits() + b.bits()
                } else {
                    a.bits() + (BigUint::from(1_u8) << b.width()) - b.bits()
                };
                Expr::Const(Value::truncated(a.width(), &full))
            }
            (_, Expr::Const(b)) if b.is_zero() => left,
            (Expr::Const(a), _) if a.is_zero() && op == Op::Add => right,
            _ => Expr::Binary(op, Box::new(left), Box::new(right)),
        }
    }

    /// A comparison of two expressions of one width. What the ranges decide already is not computed.
    pub(super) fn compare(op: Op, left: Expr, right: Expr) -> Expr {
        let lowest = |expr: &Expr| if let Expr::Const(value) = expr { value.bits().clone() } else { BigUint::ZERO };
        let (left_range, right_range) = ((lowest(&left), left.bound()), (lowest(&right), right.bound()));
        let (below, above) = (left_range.1 < right_range.0, left_range.0 > right_range.1);
        let decided = match op {
            Op::Eq | Op::Ne if below || above => Some(op == Op::Ne),
            _ if left == right => Some(matches!(op, Op::Eq | Op::Le)),
            Op::Lt if below => Some(true),
            Op::Lt if left_range.0 >= right_range.1 => Some(false),
            Op::Le if left_range.1 <= right_range.0 => Some(true),
            Op::Le if above => Some(false),
            _ => None,
        };
        match decided {
            Some(truth) => Expr::bit(truth),
            None => Expr::Binary(op, Box::new(left), Box::new(right)),
        }
    }

    pub(super) fn reduce(op: Op, inner: Expr) -> Expr {
        match inner {
            Expr::Const(value) => Expr::bit(match op {
                Op::And => value.is_ones(),
                Op::Or => !value.is_zero(),
                _ => value.bits().count_ones() % 2 == 1,
            }),
            inner if inner.width() == 1 => inner,
            inner => Expr::Reduce(op, Box::new(inner)),
        }
    }

    /// A shift; zeros come in.
    pub(super) fn shift(op: Op, inner: Expr, amount: Expr) -> Expr {
        match amount {
            Expr::Const(amount) => {
                let width = inner.width();
                let amount = usize::try_from(amount.bits()).unwrap_or(usize::MAX).min(width);
                let kept = width - amount;
                match (kept, op) {
                    (0, _) => Expr::zero(width),
                    (_, _) if amount == 0 => inner,
                    (_, Op::Shl) => Expr::concat([inner.slice(0, kept), Expr::zero(amount)]),
                    (_, _) => Expr::concat([Expr::zero(amount), inner.slice(amount, kept)]),
                }
            }
            _ if matches!(&inner, Expr::Const(value) if value.is_zero()) => inner,
            amount => Expr::Binary(op, Box::new(inner), Box::new(shift_amount(amount))),
        }
    }

    /// A value that the expression never exceeds.
    pub(super) fn bound(&self) -> BigUint {
        let all = mask(self.width());
        match self {
            Expr::Const(value) => value.bits().clone(),
            Expr::Concat(parts) => {
                parts.iter().fold(BigUint::ZERO, |bound, part| (bound << part.width()) + part.bound())
            }
            Expr::Binary(Op::And, left, right) => left.bound().min(right.bound()),
            Expr::Binary(Op::Or | Op::Xor, left, right) => mask(left.bound().bits().max(right.bound().bits()) as usize),
            Expr::Binary(Op::Add, left, right) => {
                let sum = left.bound() + right.bound();
                if sum > all { all } else { sum }
            }
            Expr::Binary(Op::Shr, left, _) => left.bound(),
            Expr::Cut { of, lsb, .. } => {
                let bound = of.bound() >> *lsb;
                if bound > all { all } else { bound }
            }
            _ => all,
        }
    }

    /// Calls `visit` for every signal that the expression reads.
    pub(super) fn for_each_read(&self, visit: &mut dyn FnMut(&Read)) {
        match self {
            Expr::Const(_) => {}
            Expr::Read(read) => visit(read),
            Expr::Concat(parts) => parts.iter().for_each(|part| part.for_each_read(visit)),
            Expr::Not(inner) | Expr::Reduce(_, inner) | Expr::Cut { of: inner, .. } => inner.for_each_read(visit),
            Expr::Binary(_, left, right) => {
                left.for_each_read(visit);
                right.for_each_read(visit);
            }
            Expr::Select { of, offset, .. } => {
                visit(of);
                offset.for_each_read(visit);
            }
        }
    }

    /// Calls `change` for every signal that the expression reads.
    pub(super) fn change_reads(&mut self, change: &mut dyn FnMut(&mut Read)) {
        match self {
            Expr::Const(_) => {}
            Expr::Read(read) => change(read),
            Expr::Concat(parts) => parts.iter_mut().for_each(|part| part.change_reads(change)),
            Expr::Not(inner) | Expr::Reduce(_, inner) | Expr::Cut { of: inner, .. } => inner.change_reads(change),
            Expr::Binary(_, left, right) => {
                left.change_reads(change);
                right.change_reads(change);
            }
            Expr::Select { of, offset, .. } => {
                change(of);
                offset.change_reads(change);
            }
        }
    }

    /// Whether bits of the expression can be taken without evaluating others.
    pub(super) fn is_divisible(&self) -> bool {
        match self {
            Expr::Const(_) | Expr::Read(_) => true,
            Expr::Concat(parts) => parts.iter().all(Expr::is_divisible),
            Expr::Not(inner) => inner.is_divisible(),
            Expr::Binary(op, left, right) => op.is_bitwise() && left.is_divisible() && right.is_divisible(),
            Expr::Reduce(..) | Expr::Select { .. } | Expr::Cut { .. } => false,
        }
    }
}

/// A shift amount as 32 bits that stay below 2^17, which is more than any signal has bits.
///
/// Verilator 5.048 turns `(a << b) << c` into `a << (b + c)` and adds in the width of `b` (its issue 7955), so that the sum must
/// not overflow; Yosys takes huge amounts for negative ones (its issue 5996).
fn shift_amount(amount: Expr) -> Expr {
    const LOW: usize = 16;
    match amount.width() {
        32 if amount.bound().bits() <= LOW as u64 + 1 => amount,
        width if width <= LOW => amount.resize(32),
        width => {
            let far = Expr::reduce(Op::Or, amount.clone().slice(LOW, width - LOW));
            Expr::concat([far, amount.slice(0, LOW)]).resize(32)
        }
    }
}

fn left_zero(value: &Value) -> Expr {
    Expr::zero(value.width())
}
