//! Offsets of bits and slices: in Rust they are `usize`, in the tree they look like any expression.

use super::error::Problem;
use super::expr::{Expr, Op};
use super::lower::{INTEGER_BITS, Lowered, Lowering, bits_for, integers, sized_integer};
use super::value::{Value, mask};
use num_bigint::BigUint;
use rust_hdl::core::ast::{VerilogExpression, VerilogOp};

impl Lowering<'_> {
    /// An offset of get_bit, get_bits or replace_bit. In Rust it is a `usize`; so an operation that is not in parentheses is
    /// one on `usize` and never overflows. In parentheses it may also be one on `Bits` whose `.index()` was taken.
    pub(super) fn offset(&self, expr: &VerilogExpression) -> Result<Lowered, Problem> {
        match expr {
            VerilogExpression::Binary(left, op, right) => index_arithmetic(op, self.offset(left)?, self.offset(right)?),
            VerilogExpression::Paren(inner) => self.offset_in_parentheses(inner),
            other => self.expression(other),
        }
    }

    fn offset_in_parentheses(&self, inner: &VerilogExpression) -> Result<Lowered, Problem> {
        let VerilogExpression::Binary(_, op, _) = inner else { return self.offset(inner) };
        let as_bits = self.expression(inner);
        let as_index = self.offset(inner);
        match (as_bits, as_index) {
            (Ok(Lowered::Sized(bits)), Ok(index)) => {
                // A difference that is negative as an index panics in RustHDL; all others agree.
                let agree = matches!(op, VerilogOp::Sub) || index.bound() <= mask(bits.width());
                if agree { Ok(Lowered::Sized(bits)) } else { Err(Problem::AmbiguousIndexArithmetic) }
            }
            (Ok(bits), Err(_)) => Ok(bits),
            (_, index) => index,
        }
    }
}

/// `width` bits of `of` from a variable offset on; zeros past the end.
pub(super) fn dynamic_slice(of: Expr, width: usize, offset: Expr) -> Expr {
    let own = of.width();
    let last = offset.bound() + width;
    match of {
        Expr::Read(read) if last <= BigUint::from(own) => {
            let top = BigUint::from(read.lsb) + offset.bound();
            let offset = if read.lsb == 0 {
                offset
            } else {
                let bits = bits_for(&top);
                let base = Expr::Const(Value::truncated(bits, &read.lsb.into()));
                Expr::arithmetic(Op::Add, offset.resize(bits), base)
            };
            Expr::Select { of: read, offset: Box::new(offset), width }
        }
        of => Expr::shift(Op::Shr, of, offset).resize(width),
    }
}

/// An operation on `usize`, wide enough never to overflow.
fn index_arithmetic(op: &VerilogOp, left: Lowered, right: Lowered) -> Result<Lowered, Problem> {
    let (left, right) = match (left, right) {
        (Lowered::Integer(left), Lowered::Integer(right)) => return integers(op, left, right),
        (left, right) => (left, right),
    };
    let (left_bound, right_bound) = (left.bound(), right.bound());
    let wide = |lowered: Lowered, width: usize| lowered.sized(width).map(|expr| expr.resize(width));
    let same = bits_for(&left_bound).max(bits_for(&right_bound));
    Ok(Lowered::Sized(match (op, right) {
        (VerilogOp::Add, right) => {
            let width = bits_for(&(left_bound + right_bound));
            Expr::arithmetic(Op::Add, wide(left, width)?, wide(right, width)?)
        }
        (VerilogOp::Sub, right) => Expr::arithmetic(Op::Sub, wide(left, same)?, wide(right, same)?),
        (VerilogOp::BitAnd, right) => Expr::bitwise(Op::And, wide(left, same)?, wide(right, same)?),
        (VerilogOp::BitOr, right) => Expr::bitwise(Op::Or, wide(left, same)?, wide(right, same)?),
        (VerilogOp::BitXor, right) => Expr::bitwise(Op::Xor, wide(left, same)?, wide(right, same)?),
        (VerilogOp::Mul, right) => return index_product(left, right),
        (VerilogOp::Shl, Lowered::Integer(amount)) if amount < BigUint::from(INTEGER_BITS) => {
            let shifted = &left_bound << usize::try_from(&amount).unwrap_or(INTEGER_BITS);
            let width = bits_for(&shifted);
            Expr::shift(Op::Shl, wide(left, width)?, sized_integer(amount, 7)?)
        }
        (VerilogOp::Shr, right @ Lowered::Integer(_)) => {
            let width = bits_for(&right_bound);
            Expr::shift(Op::Shr, wide(left, same)?, right.sized(width)?)
        }
        _ => return Err(Problem::Unsupported(format!("{op:?} in an index"))),
    }))
}

/// A product with an integer, as a sum of shifted copies.
fn index_product(left: Lowered, right: Lowered) -> Result<Lowered, Problem> {
    let (factor, expr) = match (left, right) {
        (Lowered::Integer(factor), Lowered::Sized(expr)) | (Lowered::Sized(expr), Lowered::Integer(factor)) => {
            (factor, expr)
        }
        _ => return Err(Problem::Unsupported("multiplication of signals".to_owned())),
    };
    let width = bits_for(&(expr.bound() * &factor));
    let copies = (0..factor.bits()).filter(|&bit| factor.bit(bit)).map(|bit| {
        let amount = Expr::Const(Value::truncated(64, &bit.into()));
        Expr::shift(Op::Shl, expr.clone().resize(width), amount)
    });
    let sum = copies.reduce(|sum, copy| Expr::arithmetic(Op::Add, sum, copy));
    Ok(sum.map_or(Lowered::Integer(BigUint::ZERO), Lowered::Sized))
}
