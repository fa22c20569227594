//! The one way from a clock to another.

use super::marker::Marker;
use rust_hdl::core::prelude::*;

/// Two registers in a row on the receiving clock. `d` comes straight from a register of another clock, and no two of its bits
/// change at once: a single bit, or a Gray code.
#[derive(Clone, Debug, LogicBlock)]
pub struct Synchronizer<T: Synth> {
    /// Receiving clock.
    pub clock: Signal<In, Clock>,
    /// Value from the other clock.
    pub d: Signal<In, T>,
    /// The value two clocks later.
    pub q: Signal<Out, T>,
    _first: T,
}

impl<T: Synth> Default for Synchronizer<T> {
    fn default() -> Self {
        Self { clock: Signal::default(), d: Signal::default(), q: Signal::default(), _first: T::default() }
    }
}

impl<T: Synth> Logic for Synchronizer<T> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.q.next = self._first;
            self._first = self.d.val();
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        Marker::Synchronizer { initial: Marker::digits(T::default()) }.verilog()
    }
}
