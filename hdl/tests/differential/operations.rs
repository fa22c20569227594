//! RustHDL's own operations on `Bits<N>`, callable with a width that is known at run time only.

use num_bigint::BigUint;
use rust_hdl::core::prelude::*;

/// Widths that the random tests use: both sides of RustHDL's change of representation at 32 and of machine words.
pub(crate) const WIDTHS: [usize; 20] = [1, 2, 3, 5, 7, 8, 9, 12, 16, 17, 24, 31, 32, 33, 40, 48, 63, 64, 65, 80];

macro_rules! with_width {
    ($width:expr, $function:ident [$($before:tt)*] ($($argument:expr),*)) => {
        match $width {
            1 => $function::<$($before)* 1>($($argument),*),
            2 => $function::<$($before)* 2>($($argument),*),
            3 => $function::<$($before)* 3>($($argument),*),
            5 => $function::<$($before)* 5>($($argument),*),
            7 => $function::<$($before)* 7>($($argument),*),
            8 => $function::<$($before)* 8>($($argument),*),
            9 => $function::<$($before)* 9>($($argument),*),
            12 => $function::<$($before)* 12>($($argument),*),
            16 => $function::<$($before)* 16>($($argument),*),
            17 => $function::<$($before)* 17>($($argument),*),
            24 => $function::<$($before)* 24>($($argument),*),
            31 => $function::<$($before)* 31>($($argument),*),
            32 => $function::<$($before)* 32>($($argument),*),
            33 => $function::<$($before)* 33>($($argument),*),
            40 => $function::<$($before)* 40>($($argument),*),
            48 => $function::<$($before)* 48>($($argument),*),
            63 => $function::<$($before)* 63>($($argument),*),
            64 => $function::<$($before)* 64>($($argument),*),
            65 => $function::<$($before)* 65>($($argument),*),
            80 => $function::<$($before)* 80>($($argument),*),
            other => panic!("no operations of width {other}"),
        }
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Binary {
    pub(crate) const ALL: [Binary; 11] = [
        Binary::Add,
        Binary::Sub,
        Binary::And,
        Binary::Or,
        Binary::Xor,
        Binary::Eq,
        Binary::Ne,
        Binary::Lt,
        Binary::Le,
        Binary::Gt,
        Binary::Ge,
    ];

    pub(crate) fn is_comparison(self) -> bool {
        !matches!(self, Binary::Add | Binary::Sub | Binary::And | Binary::Or | Binary::Xor)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Unary {
    Not,
    All,
    Any,
    Xor,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Shift {
    Left,
    Right,
}

fn bits_of<const N: usize>(value: &BigUint) -> Bits<N> {
    value.clone().into()
}

fn truth(value: bool) -> BigUint {
    u8::from(value).into()
}

fn binary_n<const N: usize>(op: Binary, left: &BigUint, right: &BigUint) -> BigUint {
    let (a, b) = (bits_of::<N>(left), bits_of::<N>(right));
    match op {
        Binary::Add => (a + b).into(),
        Binary::Sub => (a - b).into(),
        Binary::And => (a & b).into(),
        Binary::Or => (a | b).into(),
        Binary::Xor => (a ^ b).into(),
        Binary::Eq => truth(a == b),
        Binary::Ne => truth(a != b),
        Binary::Lt => truth(a < b),
        Binary::Le => truth(a <= b),
        Binary::Gt => truth(a > b),
        Binary::Ge => truth(a >= b),
    }
}

pub(crate) fn binary(width: usize, op: Binary, left: &BigUint, right: &BigUint) -> BigUint {
    with_width!(width, binary_n [] (op, left, right))
}

fn add_bool_n<const N: usize>(left: &BigUint, right: bool) -> BigUint {
    (bits_of::<N>(left) + right).into()
}

pub(crate) fn add_bool(width: usize, left: &BigUint, right: bool) -> BigUint {
    with_width!(width, add_bool_n [] (left, right))
}

fn unary_n<const N: usize>(op: Unary, value: &BigUint) -> BigUint {
    let a = bits_of::<N>(value);
    match op {
        Unary::Not => (!a).into(),
        Unary::All => truth(a.all()),
        Unary::Any => truth(a.any()),
        Unary::Xor => truth(a.xor()),
    }
}

pub(crate) fn unary(width: usize, op: Unary, value: &BigUint) -> BigUint {
    with_width!(width, unary_n [] (op, value))
}

fn shift_n<const N: usize>(op: Shift, value: &BigUint, amount: u64) -> BigUint {
    let a = bits_of::<N>(value);
    match op {
        Shift::Left => (a << amount).into(),
        Shift::Right => (a >> amount).into(),
    }
}

pub(crate) fn shift(width: usize, op: Shift, value: &BigUint, amount: u64) -> BigUint {
    with_width!(width, shift_n [] (op, value, amount))
}

fn integer_shift_n<const N: usize>(op: Shift, value: u64, amount: &BigUint) -> BigUint {
    let amount = bits_of::<N>(amount);
    match op {
        Shift::Left => (value << amount).into(),
        Shift::Right => (value >> amount).into(),
    }
}

/// `integer << signal`, which RustHDL makes 64 bits wide. `width` is that of the amount.
pub(crate) fn integer_shift(width: usize, op: Shift, value: u64, amount: &BigUint) -> BigUint {
    with_width!(width, integer_shift_n [] (op, value, amount))
}

fn slice_nm<const N: usize, const M: usize>(value: &BigUint, offset: usize) -> BigUint {
    bits_of::<N>(value).get_bits::<M>(offset).into()
}

fn slice_n<const N: usize>(value: &BigUint, to: usize, offset: usize) -> BigUint {
    with_width!(to, slice_nm [N,] (value, offset))
}

pub(crate) fn slice(width: usize, value: &BigUint, to: usize, offset: usize) -> BigUint {
    with_width!(width, slice_n [] (value, to, offset))
}

fn cast_nm<const N: usize, const M: usize>(value: &BigUint) -> BigUint {
    bit_cast::<M, N>(bits_of::<N>(value)).into()
}

fn cast_n<const N: usize>(value: &BigUint, to: usize) -> BigUint {
    with_width!(to, cast_nm [N,] (value))
}

pub(crate) fn cast(width: usize, value: &BigUint, to: usize) -> BigUint {
    with_width!(width, cast_n [] (value, to))
}

fn bit_n<const N: usize>(value: &BigUint, index: usize) -> BigUint {
    truth(bits_of::<N>(value).get_bit(index))
}

pub(crate) fn bit(width: usize, value: &BigUint, index: usize) -> BigUint {
    with_width!(width, bit_n [] (value, index))
}

fn replace_n<const N: usize>(value: &BigUint, index: usize, bit: bool) -> BigUint {
    bits_of::<N>(value).replace_bit(index, bit).into()
}

pub(crate) fn replace(width: usize, value: &BigUint, index: usize, bit: bool) -> BigUint {
    with_width!(width, replace_n [] (value, index, bit))
}
