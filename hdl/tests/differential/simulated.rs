//! RustHDL's own simulator as the reference of a block.

use crate::bench::{Edges, Reference};
use num_bigint::BigUint;
use rust_hdl::core::prelude::*;

/// Types of ports that the tests drive.
pub(crate) trait Value: Synth {
    fn of(bits: &BigUint) -> Self;
    fn bits(self) -> BigUint;
}

impl Value for bool {
    fn of(bits: &BigUint) -> Self {
        *bits != BigUint::ZERO
    }
    fn bits(self) -> BigUint {
        u8::from(self).into()
    }
}

impl<const N: usize> Value for Bits<N> {
    fn of(bits: &BigUint) -> Self {
        bits.clone().into()
    }
    fn bits(self) -> BigUint {
        self.into()
    }
}

/// A block in RustHDL's simulator.
pub(crate) struct Simulated<B> {
    pub block: B,
    pub set: fn(&mut B, &[BigUint]),
    pub get: fn(&B) -> Vec<BigUint>,
    pub clock: fn(&mut B, Edges),
}

impl<B: Block> Simulated<B> {
    fn settle(&mut self) -> Vec<BigUint> {
        assert!(simulate(&mut self.block, 1000), "the block does not settle");
        (self.get)(&self.block)
    }
}

impl<B: Block> Reference for Simulated<B> {
    fn low(&mut self, inputs: &[BigUint]) -> Vec<BigUint> {
        (self.clock)(&mut self.block, [false; 2]);
        (self.set)(&mut self.block, inputs);
        self.settle()
    }

    fn high(&mut self, edges: Edges) -> Vec<BigUint> {
        (self.clock)(&mut self.block, edges);
        self.settle()
    }
}

/// Names of the data ports of a design in one direction, dots for `$`.
pub(crate) fn port_names(emitted: &writ_hdl::emit::Emitted, direction: writ_hdl::emit::Direction) -> Vec<String> {
    let ports = emitted.ports.iter().filter(|port| port.direction == direction && !port.is_clock);
    ports.map(|port| port.path.replace('$', ".")).collect()
}

/// A case from a block and the names of its ports in the order of their declaration; its clocks, the first one first, at the end.
#[macro_export]
macro_rules! case {
    ($name:literal, $block:expr, [$($($input:ident).+),*], [$($($output:ident).+),*] $(, $clock:ident)*) => {{
        let mut block = $block;
        block.connect_all();
        let emitted = writ_hdl::emit::emit(&block, $name).unwrap_or_else(|error| panic!("{error}"));
        let inputs: Vec<String> = vec![$(stringify!($($input).+).replace(' ', "")),*];
        let outputs: Vec<String> = vec![$(stringify!($($output).+).replace(' ', "")),*];
        assert_eq!($crate::simulated::port_names(&emitted, writ_hdl::emit::Direction::Input), inputs);
        assert_eq!($crate::simulated::port_names(&emitted, writ_hdl::emit::Direction::Output), outputs);
        $crate::bench::Case {
            emitted,
            reference: Box::new($crate::simulated::Simulated {
                block,
                set: |_block, _values| {
                    let mut _values = _values.iter();
                    $(_block.$($input).+.next = $crate::simulated::Value::of(_values.next().expect("a value"));)*
                },
                get: |block| vec![$($crate::simulated::Value::bits(block.$($output).+.val())),*],
                clock: |_block, _edges| {
                    let mut _edges = _edges.into_iter();
                    $(_block.$clock.next = _edges.next().expect("at most two clocks").into();)*
                },
            }),
            stimulus: $crate::bench::any,
            directed: Vec::new(),
            description: String::new(),
        }
    }};
}
