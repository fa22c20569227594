//! The published rows: expressions that RustHDL 0.46 simulates one way and emits another. Each is held to the value that
//! RustHDL simulates; the value that its own Verilog gives is recorded beside it.

use crate::bench::{Case, Edges, Reference};
use crate::case;
use crate::kernels::PublishedRows;
use num_bigint::BigUint;
use writ_hdl::prelude::*;

/// Inputs `a, b, mask, key`, the output's position, what RustHDL simulates, and what its own Verilog says.
const ROWS: [([u8; 4], usize, u16, u16); 5] = [
    // `a & mask == key` came out without parentheses; in Verilog `==` binds first.
    ([0x35, 0, 0xf0, 0x30], 0, 1, 0),
    // `bit_cast::<16, 8>(a + b)` became `(a + b) & 16'hffff`, which keeps the carry.
    ([0xff, 0x02, 0, 0], 1, 0x0001, 0x0101),
    // `bit_cast::<16, 8>(!a)` inverted the upper bits too.
    ([0x0f, 0, 0, 0], 2, 0x00f0, 0xfff0),
    // `(b - bits::<8>(1)) == bits::<8>(255)` was compared at 32 bits.
    ([0, 0x00, 0, 0], 3, 1, 0),
    // `!b == bits::<8>(0xff)` was compared at 32 bits.
    ([0, 0x00, 0, 0], 4, 1, 0),
];

/// Wraps the simulator and holds it to the table wherever the inputs are those of a row.
struct Held(Box<dyn Reference>);

impl Reference for Held {
    fn low(&mut self, inputs: &[BigUint]) -> Vec<BigUint> {
        let outputs = self.0.low(inputs);
        for (row, output, right, wrong) in ROWS {
            if row.map(BigUint::from) == inputs[..] {
                assert_eq!(outputs[output], BigUint::from(right));
                assert_ne!(outputs[output], BigUint::from(wrong));
            }
        }
        outputs
    }

    fn high(&mut self, edges: Edges) -> Vec<BigUint> {
        self.0.high(edges)
    }
}

/// The case, with the inputs of the rows first.
pub(crate) fn case() -> Case {
    let case = case!(
        "published_rows",
        PublishedRows::default(),
        [a, b, mask, key],
        [precedence, carry, inversion, borrow, inverted_equal]
    );
    let directed = ROWS.iter().map(|(row, ..)| row.map(BigUint::from).to_vec()).collect();
    Case { reference: Box::new(Held(case.reference)), directed, ..case }
}
