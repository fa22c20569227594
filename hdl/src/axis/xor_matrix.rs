//! Linear functions of bits: each output bit is the parity of some of the input bits.
//!
//! CRCs and the match tables' hash are such functions. The masks come from the ABI's own CRC, bit by bit, at construction, so
//! there is no second description of a polynomial anywhere in the gateware.

use crate::prelude::*;
use writ_abi::crc;

/// `result[i]` is the parity of `operand & mask[i]`, or 0 while `enable` is low. No register.
#[derive(LogicBlock)]
pub struct XorMatrix<const I: usize, const O: usize> {
    /// While low the result is zero and nothing switches.
    pub enable: Signal<In, Bit>,
    /// Bits in.
    pub operand: Signal<In, Bits<I>>,
    /// Bits out.
    pub result: Signal<Out, Bits<O>>,
    mask: [Constant<Bits<I>>; O],
}

impl<const I: usize, const O: usize> XorMatrix<I, O> {
    /// The function that `column` describes: `column(i)` is the output that input bit `i` alone gives. Bit `o` of
    /// the output is bit `o % 8` of byte `o / 8`.
    pub fn new(column: impl Fn(usize) -> Vec<u8>) -> Self {
        let columns: Vec<Vec<u8>> = (0..I).map(column).collect();
        let mask = core::array::from_fn(|output| {
            let row = (0..I).fold(Bits::<I>::default(), |row, input| {
                row.replace_bit(input, columns[input][output / 8] >> (output % 8) & 1 == 1)
            });
            Constant::new(row)
        });
        Self { enable: Signal::default(), operand: Signal::default(), result: Signal::default(), mask }
    }
}

/// What bit `bit` alone of a 64-byte line adds to the line's CRC-32C remainder.
pub fn line_crc_column(bit: usize) -> Vec<u8> {
    let mut line = [0; 64];
    line[bit / 8] = 1 << (bit % 8);
    crc::remainder_crc32c(&line).to_le_bytes().to_vec()
}

/// CRC-32C remainder of a 64-byte line, start value zero.
pub fn line_crc() -> XorMatrix<512, 32> {
    XorMatrix::new(line_crc_column)
}

/// What a CRC-32C remainder becomes when 64 zero bytes follow. A remainder acts like data in the next four bytes.
pub fn line_crc_advance() -> XorMatrix<32, 32> {
    XorMatrix::new(line_crc_column)
}

/// What a 32-bit word at byte `byte` of a line adds to the line's CRC-32C remainder.
pub fn line_crc_of_word_at(byte: usize) -> XorMatrix<32, 32> {
    XorMatrix::new(|bit| line_crc_column(byte * 8 + bit))
}

impl<const I: usize, const O: usize> Logic for XorMatrix<I, O> {
    #[hdl_gen]
    fn update(&mut self) {
        self.result.next = bits::<O>(0);
        if self.enable.val() {
            for i in 0..O {
                self.result.next = self.result.val().replace_bit(i, (self.operand.val() & self.mask[i].val()).xor());
            }
        }
    }
}
