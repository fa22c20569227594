//! From expressions of RustHDL's tree to the back end's own form, with the width of everything decided.
//!
//! The tree has no types. Signals have widths; integers take theirs from what they meet, exactly as RustHDL's operators
//! convert an integer to the other side's type. Where the tree leaves two readings that differ, the kernel is refused.

use super::error::Problem;
use super::expr::{At, Expr, Op, Read};
use super::index::{self, Loops};
use super::offset::dynamic_slice;
use super::symbols::{Meaning, Symbols};
use super::value::{self, Value};
use num_bigint::BigUint;
use rust_hdl::core::ast::{VerilogExpression, VerilogOp, VerilogOpUnary};

/// RustHDL's integer type has this many bits; it shows only in `integer << signal`.
pub(super) const INTEGER_BITS: usize = 64;

/// An expression with a width, or an integer without.
pub(super) enum Lowered {
    Sized(Expr),
    Integer(BigUint),
}

impl Lowered {
    /// The expression; an integer becomes `width` bits wide.
    pub(super) fn sized(self, width: usize) -> Result<Expr, Problem> {
        match self {
            Lowered::Sized(expr) => Ok(expr),
            Lowered::Integer(integer) => sized_integer(integer, width),
        }
    }

    fn known_width(&self) -> Option<usize> {
        match self {
            Lowered::Sized(expr) => Some(expr.width()),
            Lowered::Integer(_) => None,
        }
    }

    pub(super) fn bound(&self) -> BigUint {
        match self {
            Lowered::Sized(expr) => expr.bound(),
            Lowered::Integer(integer) => integer.clone(),
        }
    }
}

pub(super) fn sized_integer(integer: BigUint, width: usize) -> Result<Expr, Problem> {
    let value = Value::new(width, integer.clone());
    value.map(Expr::Const).ok_or_else(|| Problem::LiteralTooWide { value: integer.to_string(), width })
}

/// Bits that a value up to `bound` needs; at least one.
pub(super) fn bits_for(bound: &BigUint) -> usize {
    bound.bits().max(1) as usize
}

/// Names and loop variables in force where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Lowering<'a> {
    pub(super) symbols: &'a Symbols,
    pub(super) loops: &'a Loops,
}

impl Lowering<'_> {
    pub(super) fn expression(&self, expr: &VerilogExpression) -> Result<Lowered, Problem> {
        match expr {
            VerilogExpression::Signal(name) => self.name(name),
            VerilogExpression::Literal(literal) => match value::literal(literal) {
                Some((1, bits)) => sized_integer(bits, 1).map(Lowered::Sized),
                Some((_, bits)) => Ok(Lowered::Integer(bits)),
                None => Err(Problem::Signed(literal.to_string())),
            },
            VerilogExpression::Cast(inner, width) => match self.expression(inner)? {
                Lowered::Sized(_) | Lowered::Integer(_) if *width == 0 => Err(Problem::ZeroWidth("cast".to_owned())),
                Lowered::Sized(inner) => Ok(Lowered::Sized(inner.resize(*width))),
                Lowered::Integer(integer) => sized_integer(integer, *width).map(Lowered::Sized),
            },
            VerilogExpression::Paren(inner) => self.expression(inner),
            VerilogExpression::Binary(left, op, right) => binary(op, self.expression(left)?, self.expression(right)?),
            VerilogExpression::Unary(op, inner) => self.unary(op, inner),
            VerilogExpression::Index(of, at) => self.slice(of, 1, at, true),
            VerilogExpression::Slice(of, width, at) => self.slice(of, *width, at, false),
            VerilogExpression::IndexReplace(of, at, bit) => self.replace(of, at, bit),
            VerilogExpression::Signed(_) | VerilogExpression::Unsigned(_) => Err(Problem::Signed("a cast".to_owned())),
        }
    }

    /// An expression of one bit.
    pub(super) fn condition(&self, expr: &VerilogExpression) -> Result<Expr, Problem> {
        let test = self.expression(expr)?.sized(1)?;
        match test.width() {
            1 => Ok(test),
            width => Err(Problem::WidthMismatch { operation: "condition".to_owned(), left: width, right: 1 }),
        }
    }

    fn has_width(&self, expr: &VerilogExpression, place: &str) -> Result<Expr, Problem> {
        match self.expression(expr)? {
            Lowered::Sized(expr) => Ok(expr),
            Lowered::Integer(_) => Err(Problem::UnsizedLiteral(place.to_owned())),
        }
    }

    fn name(&self, name: &str) -> Result<Lowered, Problem> {
        if let Some(value) = index::loop_variable(name, self.loops) {
            return Ok(Lowered::Integer(value.clone()));
        }
        let name = index::resolve(name, self.loops)?;
        Ok(Lowered::Sized(match self.symbols.read(&name)? {
            Meaning::Constant(value) => Expr::Const(value),
            Meaning::Place(place) => {
                Expr::Read(Read { net: place.net, at: At::Open, lsb: place.lsb, width: place.width })
            }
        }))
    }

    fn unary(&self, op: &VerilogOpUnary, inner: &VerilogExpression) -> Result<Lowered, Problem> {
        let inner = match op {
            VerilogOpUnary::Neg => return Err(Problem::Signed("negation".to_owned())),
            _ => self.has_width(inner, "operand of `!`, any, all or xor")?,
        };
        Ok(Lowered::Sized(match op {
            VerilogOpUnary::All => Expr::reduce(Op::And, inner),
            VerilogOpUnary::Any => Expr::reduce(Op::Or, inner),
            VerilogOpUnary::Xor => Expr::reduce(Op::Xor, inner),
            VerilogOpUnary::Not | VerilogOpUnary::Neg => Expr::not(inner),
        }))
    }

    /// `width` bits of `of` from `at` on; what lies past the end is zero, but a single bit has to be there.
    fn slice(
        &self,
        of: &VerilogExpression,
        width: usize,
        at: &VerilogExpression,
        single: bool,
    ) -> Result<Lowered, Problem> {
        let of = self.has_width(of, "operand of get_bit or get_bits")?;
        let own = of.width();
        if width == 0 {
            return Err(Problem::ZeroWidth("slice".to_owned()));
        }
        let offset = match self.offset(at)? {
            Lowered::Sized(Expr::Const(value)) => Lowered::Integer(value.bits().clone()),
            other => other,
        };
        Ok(Lowered::Sized(match offset {
            Lowered::Integer(offset) => {
                let lsb = usize::try_from(&offset).ok().filter(|&lsb| lsb < own || (lsb == own && !single));
                let lsb = lsb.ok_or_else(|| Problem::OutOfRange(format!("bit {offset} of {own}")))?;
                if lsb == own { Expr::zero(width) } else { of.slice(lsb, width.min(own - lsb)).resize(width) }
            }
            Lowered::Sized(offset) => dynamic_slice(of, width, offset),
        }))
    }

    fn replace(
        &self,
        of: &VerilogExpression,
        at: &VerilogExpression,
        bit: &VerilogExpression,
    ) -> Result<Lowered, Problem> {
        let of = self.has_width(of, "operand of replace_bit")?;
        let bit = self.condition(bit)?;
        let own = of.width();
        Ok(Lowered::Sized(match self.offset(at)? {
            Lowered::Integer(offset) => {
                let lsb = usize::try_from(&offset).ok().filter(|&lsb| lsb < own);
                let lsb = lsb.ok_or_else(|| Problem::OutOfRange(format!("bit {offset} of {own}")))?;
                let high = of.clone().slice_or_nothing(lsb + 1, own - lsb - 1);
                let low = of.slice_or_nothing(0, lsb);
                Expr::concat(high.into_iter().chain([bit]).chain(low))
            }
            Lowered::Sized(offset) => {
                let one = Expr::zero(own - 1).above_bit(Expr::bit(true));
                let hole = Expr::not(Expr::shift(Op::Shl, one, offset.clone()));
                let placed = Expr::shift(Op::Shl, Expr::zero(own - 1).above_bit(bit), offset);
                Expr::bitwise(Op::Or, Expr::bitwise(Op::And, of, hole), placed)
            }
        }))
    }
}

impl Expr {
    fn slice_or_nothing(self, lsb: usize, width: usize) -> Option<Expr> {
        (width > 0).then(|| self.slice(lsb, width))
    }

    fn above_bit(self, bit: Expr) -> Expr {
        Expr::concat([self, bit])
    }
}

/// An operation of a kernel.
fn binary(op: &VerilogOp, left: Lowered, right: Lowered) -> Result<Lowered, Problem> {
    let shift = match op {
        VerilogOp::Shl => Some(Op::Shl),
        VerilogOp::Shr => Some(Op::Shr),
        _ => None,
    };
    let (left, right) = match (left, right) {
        (Lowered::Integer(left), Lowered::Integer(right)) => return integers(op, left, right),
        (left, right) => (left, right),
    };
    if let Some(shift) = shift {
        let amount_width = bits_for(&right.bound());
        let amount = right.sized(amount_width)?;
        return Ok(Lowered::Sized(Expr::shift(shift, left.sized(INTEGER_BITS)?, amount)));
    }
    let width = left.known_width().or(right.known_width()).unwrap_or(INTEGER_BITS);
    let (left, right) = (left.sized(width)?, right.sized(width)?);
    let right = match op {
        // RustHDL adds a bool to any width.
        VerilogOp::Add if right.width() == 1 => right.resize(left.width()),
        _ => right,
    };
    if left.width() != right.width() {
        let operation = format!("{op:?}");
        return Err(Problem::WidthMismatch { operation, left: left.width(), right: right.width() });
    }
    Ok(Lowered::Sized(match op {
        VerilogOp::Add => Expr::arithmetic(Op::Add, left, right),
        VerilogOp::Sub => Expr::arithmetic(Op::Sub, left, right),
        VerilogOp::BitAnd => Expr::bitwise(Op::And, left, right),
        VerilogOp::BitOr => Expr::bitwise(Op::Or, left, right),
        VerilogOp::BitXor => Expr::bitwise(Op::Xor, left, right),
        VerilogOp::Eq => Expr::compare(Op::Eq, left, right),
        VerilogOp::Ne => Expr::compare(Op::Ne, left, right),
        VerilogOp::Lt => Expr::compare(Op::Lt, left, right),
        VerilogOp::Le => Expr::compare(Op::Le, left, right),
        VerilogOp::Gt => Expr::compare(Op::Lt, right, left),
        VerilogOp::Ge => Expr::compare(Op::Le, right, left),
        VerilogOp::LogicalAnd | VerilogOp::LogicalOr if left.width() != 1 => {
            return Err(Problem::WidthMismatch { operation: format!("{op:?}"), left: left.width(), right: 1 });
        }
        VerilogOp::LogicalAnd => Expr::bitwise(Op::And, left, right),
        VerilogOp::LogicalOr => Expr::bitwise(Op::Or, left, right),
        VerilogOp::Mul | VerilogOp::Shl | VerilogOp::Shr => {
            return Err(Problem::Unsupported("multiplication of signals".to_owned()));
        }
    }))
}

/// An operation on two integers, done here.
pub(super) fn integers(op: &VerilogOp, left: BigUint, right: BigUint) -> Result<Lowered, Problem> {
    let truth = |value: bool| Ok(Lowered::Sized(Expr::bit(value)));
    let refuse = || Problem::OutOfRange(format!("{left} {op:?} {right}"));
    let value = match op {
        VerilogOp::Add => &left + &right,
        VerilogOp::Sub if right > left => return Err(refuse()),
        VerilogOp::Sub => &left - &right,
        VerilogOp::Mul => &left * &right,
        VerilogOp::BitAnd => &left & &right,
        VerilogOp::BitOr => &left | &right,
        VerilogOp::BitXor => &left ^ &right,
        VerilogOp::Shl | VerilogOp::Shr => {
            let amount = usize::try_from(&right).ok().filter(|&amount| amount < INTEGER_BITS).ok_or_else(refuse)?;
            if matches!(op, VerilogOp::Shl) { &left << amount } else { &left >> amount }
        }
        VerilogOp::Eq => return truth(left == right),
        VerilogOp::Ne => return truth(left != right),
        VerilogOp::Lt => return truth(left < right),
        VerilogOp::Le => return truth(left <= right),
        VerilogOp::Gt => return truth(left > right),
        VerilogOp::Ge => return truth(left >= right),
        VerilogOp::LogicalAnd | VerilogOp::LogicalOr => return Err(refuse()),
    };
    // An overflow panics in Rust.
    if value.bits() > INTEGER_BITS as u64 { Err(refuse()) } else { Ok(Lowered::Integer(value)) }
}
