//! A small builder over RustHDL's syntax tree, for blocks whose logic comes from a table and not from a kernel.
//!
//! Such a block implements `Logic` by hand: `update` in Rust, `connect` for what it drives, and `hdl` from these
//! functions. Names are those of the kernel's tree: `"data"`, `"child$port"`, `"bus$field"`, `"array[3]$port"`. A test
//! in RustHDL and Verilator has to hold `update` and `hdl` together, because the compiler cannot.

use rust_hdl::core::ast::{
    VerilogBlock, VerilogBlockOrConditional, VerilogCase, VerilogConditional, VerilogExpression, VerilogMatch,
    VerilogOp, VerilogOpUnary, VerilogStatement,
};
use rust_hdl::core::prelude::*;

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr(VerilogExpression);

/// The present value of a signal.
pub fn signal(name: impl Into<String>) -> Expr {
    Expr(VerilogExpression::Signal(name.into()))
}

/// A constant of `width` bits.
pub fn literal(width: usize, value: u128) -> Expr {
    Expr(VerilogExpression::Cast(Box::new(VerilogExpression::Literal(value.into())), width))
}

/// A constant of `width` bits whose byte `i` is `bytes[i]`, least significant first.
pub fn literal_bytes(width: usize, bytes: &[u8]) -> Expr {
    let chunks = bytes.chunks(16).enumerate().filter(|(_, chunk)| chunk.iter().any(|&byte| byte != 0));
    let parts = chunks.map(|(index, chunk)| {
        let value = chunk.iter().rev().fold(0_u128, |value, &byte| value << 8 | u128::from(byte));
        let bits = chunk.len() * 8;
        literal(bits, value).cast(width).shifted_left(index * 128)
    });
    any_of(width, parts.collect())
}

/// Parts side by side, the first at bit 0, each with its width; together `width` bits.
///
/// The tree has no concatenation, so this is a disjunction of shifted parts; `emit` turns it back into a concatenation.
pub fn concat(width: usize, parts: impl IntoIterator<Item = (usize, Expr)>) -> Expr {
    let mut offset = 0;
    let placed = parts.into_iter().map(|(part_width, part)| {
        let placed = part.cast(width).shifted_left(offset);
        offset += part_width;
        placed
    });
    any_of(width, placed.collect())
}

/// The disjunction of all, as a tree of little depth: what walks it is recursive.
fn any_of(width: usize, mut parts: Vec<Expr>) -> Expr {
    while parts.len() > 1 {
        let mut pairs = parts.into_iter();
        parts = Vec::new();
        while let Some(one) = pairs.next() {
            parts.push(match pairs.next() {
                Some(other) => one.or(other),
                None => one,
            });
        }
    }
    parts.pop().unwrap_or_else(|| literal(width, 0))
}

impl Expr {
    fn binary(self, op: VerilogOp, other: Expr) -> Expr {
        Expr(VerilogExpression::Binary(Box::new(self.0), op, Box::new(other.0)))
    }

    fn unary(self, op: VerilogOpUnary) -> Expr {
        Expr(VerilogExpression::Unary(op, Box::new(self.0)))
    }

    /// The expression in RustHDL's own type.
    pub fn tree(self) -> VerilogExpression {
        self.0
    }

    /// Bits `lsb` to `lsb + width - 1`. Bits past the end are zero.
    pub fn slice(self, lsb: usize, width: usize) -> Expr {
        let offset = VerilogExpression::Literal(lsb.into());
        Expr(VerilogExpression::Slice(Box::new(self.0), width, Box::new(offset)))
    }

    /// `width` bits from the bit that `lsb` names. Bits past the end are zero. A sum as `lsb` that may overflow is refused.
    pub fn slice_at(self, lsb: Expr, width: usize) -> Expr {
        Expr(VerilogExpression::Slice(Box::new(self.0), width, lsb.into_index()))
    }

    /// One bit.
    pub fn bit(self, index: usize) -> Expr {
        Expr(VerilogExpression::Index(Box::new(self.0), Box::new(VerilogExpression::Literal(index.into()))))
    }

    /// The bit that `index` names, which has to be there. A sum as `index` that may overflow is refused.
    pub fn bit_at(self, index: Expr) -> Expr {
        Expr(VerilogExpression::Index(Box::new(self.0), index.into_index()))
    }

    /// In parentheses, so that an operation is taken for one on bits, as all operations here are.
    fn into_index(self) -> Box<VerilogExpression> {
        Box::new(VerilogExpression::Paren(Box::new(self.0)))
    }

    /// Cut to, or extended with zeros to, `width` bits.
    pub fn cast(self, width: usize) -> Expr {
        Expr(VerilogExpression::Cast(Box::new(self.0), width))
    }

    /// Shifted up by a constant; the width stays.
    pub fn shifted_left(self, bits: usize) -> Expr {
        self.binary(VerilogOp::Shl, Expr(VerilogExpression::Literal(bits.into())))
    }

    /// Shifted down by a constant.
    pub fn shifted_right(self, bits: usize) -> Expr {
        self.binary(VerilogOp::Shr, Expr(VerilogExpression::Literal(bits.into())))
    }

    /// Bitwise and.
    pub fn and(self, other: Expr) -> Expr {
        self.binary(VerilogOp::BitAnd, other)
    }

    /// Bitwise or.
    pub fn or(self, other: Expr) -> Expr {
        self.binary(VerilogOp::BitOr, other)
    }

    /// Bitwise exclusive or.
    pub fn xor(self, other: Expr) -> Expr {
        self.binary(VerilogOp::BitXor, other)
    }

    /// Bitwise inversion.
    pub fn inverted(self) -> Expr {
        self.unary(VerilogOpUnary::Not)
    }

    /// Sum, cut to the width of both.
    pub fn plus(self, other: Expr) -> Expr {
        self.binary(VerilogOp::Add, other)
    }

    /// Difference, cut to the width of both.
    pub fn minus(self, other: Expr) -> Expr {
        self.binary(VerilogOp::Sub, other)
    }

    /// Equality; one bit.
    pub fn equals(self, other: Expr) -> Expr {
        self.binary(VerilogOp::Eq, other)
    }

    /// Unsigned `<`; one bit.
    pub fn less_than(self, other: Expr) -> Expr {
        self.binary(VerilogOp::Lt, other)
    }

    /// Whether any bit is set.
    pub fn any(self) -> Expr {
        self.unary(VerilogOpUnary::Any)
    }

    /// Whether all bits are set.
    pub fn all(self) -> Expr {
        self.unary(VerilogOpUnary::All)
    }

    /// Parity.
    pub fn parity(self) -> Expr {
        self.unary(VerilogOpUnary::Xor)
    }
}

/// Drives a signal. The name has no `$next`.
pub fn assign(target: impl Into<String>, value: Expr) -> VerilogStatement {
    VerilogStatement::Assignment(VerilogExpression::Signal(target.into()), value.0)
}

/// Drives `width` bits of a signal from bit `lsb` on.
pub fn assign_slice(target: impl Into<String>, lsb: usize, width: usize, value: Expr) -> VerilogStatement {
    VerilogStatement::SliceAssignment {
        base: VerilogExpression::Signal(target.into()),
        width,
        offset: VerilogExpression::Literal(lsb.into()),
        replacement: value.0,
    }
}

/// `if` with an optional `else` (empty: none).
pub fn when(test: Expr, then: VerilogBlock, otherwise: VerilogBlock) -> VerilogStatement {
    let otherwise = if otherwise.is_empty() {
        VerilogBlockOrConditional::None
    } else {
        VerilogBlockOrConditional::Block(otherwise)
    };
    VerilogStatement::If(VerilogConditional { test: test.0, then, otherwise })
}

/// One arm for each value, and one for all the others.
pub fn switch(
    test: Expr,
    arms: impl IntoIterator<Item = (u128, VerilogBlock)>,
    otherwise: VerilogBlock,
) -> VerilogStatement {
    let mut cases: Vec<VerilogCase> =
        arms.into_iter().map(|(value, block)| VerilogCase { condition: value.to_string(), block }).collect();
    cases.push(VerilogCase { condition: "default".to_owned(), block: otherwise });
    VerilogStatement::Match(VerilogMatch { test: test.0, cases })
}

/// The statements as what `Logic::hdl` returns.
pub fn kernel(statements: VerilogBlock) -> Verilog {
    Verilog::Combinatorial(statements)
}
