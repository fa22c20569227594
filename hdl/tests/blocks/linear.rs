//! XOR matrices against the ABI's CRC code.

use crate::bench::{Random, number, to_bits, value};
use rust_hdl::core::prelude::*;
use rust_hdl::core::simulate::simulate;
use writ_abi::crc;
use writ_hdl::axis::XorMatrix;
use writ_hdl::axis::xor_matrix::{line_crc, line_crc_advance, line_crc_of_word_at};

fn apply<const I: usize, const O: usize>(matrix: &mut XorMatrix<I, O>, operand: Bits<I>) -> u64 {
    matrix.enable.next = true;
    matrix.operand.next = operand;
    assert!(simulate(matrix, 10));
    value(matrix.result.val())
}

#[test]
fn lines_add_up_to_the_crc_of_a_payload() {
    let (mut line, mut advance) = (line_crc(), line_crc_advance());
    let mut random = Random(2);
    for lines in 1..4 {
        let payload = random.bytes(64 * lines);
        let mut state = u64::from(u32::MAX);
        for chunk in payload.chunks(64) {
            state = apply(&mut advance, number(state)) ^ apply(&mut line, to_bits(chunk));
        }
        assert_eq!(!(state as u32), crc::crc32c(&payload));
    }
}

#[test]
fn a_word_adds_its_share() {
    let (mut line, mut share) = (line_crc(), line_crc_of_word_at(32));
    let mut random = Random(3);
    let bytes = random.bytes(64);
    let mut without = bytes.clone();
    without[32..36].fill(0);
    let word = u32::from_le_bytes(bytes[32..36].try_into().expect("four bytes"));
    let whole = apply(&mut line, to_bits(&bytes));
    assert_eq!(whole, apply(&mut line, to_bits(&without)) ^ apply(&mut share, number(u64::from(word))));
}

#[test]
fn nothing_comes_out_while_disabled() {
    let mut line = line_crc();
    line.operand.next = Bits::<512>::mask();
    assert!(simulate(&mut line, 10));
    assert_eq!(value(line.result.val()), 0);
}
