//! Constants of a known width.

use num_bigint::BigUint;
use rust_hdl::core::ast::VerilogLiteral;
use std::fmt;

/// A constant of `width` bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Value {
    width: usize,
    bits: BigUint,
}

/// All ones, `width` bits wide.
pub(super) fn mask(width: usize) -> BigUint {
    (BigUint::from(1_u8) << width) - 1_u8
}

impl Value {
    /// `None`: the bits do not fit.
    pub(super) fn new(width: usize, bits: BigUint) -> Option<Self> {
        (bits.bits() <= width as u64).then_some(Self { width, bits })
    }

    pub(super) fn zero(width: usize) -> Self {
        Self { width, bits: BigUint::ZERO }
    }

    pub(super) fn bit(value: bool) -> Self {
        Self { width: 1, bits: u8::from(value).into() }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn bits(&self) -> &BigUint {
        &self.bits
    }

    pub(super) fn is_zero(&self) -> bool {
        self.bits == BigUint::ZERO
    }

    pub(super) fn is_ones(&self) -> bool {
        self.bits.count_ones() == self.width as u64
    }

    /// `width` bits from `lsb` on; zeros past the end.
    pub(super) fn slice(&self, lsb: usize, width: usize) -> Self {
        Self { width, bits: (&self.bits >> lsb) & mask(width) }
    }

    /// `self` above `low`.
    pub(super) fn above(&self, low: &Value) -> Self {
        Self { width: self.width + low.width, bits: (&self.bits << low.width) | &low.bits }
    }

    /// The bits of `bits` that fit.
    pub(super) fn truncated(width: usize, bits: &BigUint) -> Self {
        Self { width, bits: bits & mask(width) }
    }
}

/// As a sized Verilog literal.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.width == 1 { write!(f, "1'b{}", self.bits) } else { write!(f, "{}'h{:x}", self.width, self.bits) }
    }
}

/// Width and value of a literal of RustHDL's tree. `None`: it is negative, so signed.
pub(super) fn literal(literal: &VerilogLiteral) -> Option<(usize, BigUint)> {
    let text = format!("{literal:x}");
    let (width, digits) = text.split_once("'h")?;
    Some((width.parse().ok()?, BigUint::parse_bytes(digits.as_bytes(), 16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::core::prelude::*;

    #[test]
    fn literals_of_the_tree_are_read() {
        assert_eq!(literal(&VerilogLiteral::from(true)), Some((1, 1_u8.into())));
        assert_eq!(literal(&VerilogLiteral::from(255_u8)), Some((8, 255_u8.into())));
        let wide = bits::<100>(0xdead_beef) << bits::<7>(60);
        assert_eq!(literal(&wide.into()), Some((100, BigUint::from(0xdead_beef_u64) << 60 & mask(100))));
        assert_eq!(literal(&VerilogLiteral::from(-1_i32)), None);
    }

    #[test]
    fn values_keep_their_width() {
        let value = Value::new(12, 0xabc_u16.into()).expect("fits");
        assert_eq!(Value::new(11, 0xabc_u16.into()), None);
        assert_eq!(value.slice(4, 8).to_string(), "8'hab");
        assert_eq!(value.slice(8, 8).to_string(), "8'ha");
        let ones = |width| Value::new(width, mask(width)).expect("fits");
        assert_eq!(value.above(&ones(3)).to_string(), "15'h55e7");
        assert!(ones(65).is_ones() && Value::zero(65).is_zero() && !Value::zero(65).is_ones());
        assert_eq!(Value::bit(true).to_string(), "1'b1");
    }
}
