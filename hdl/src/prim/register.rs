//! Registers.

use super::marker::Marker;
use rust_hdl::core::prelude::*;

/// A register without reset, for data paths. Both fit RustHDL's macros `dff_setup!` and `clock!`.
#[derive(Clone, Debug, LogicBlock)]
pub struct Reg<T: Synth> {
    /// Clock; `q` changes at its rising edge.
    pub clock: Signal<In, Clock>,
    /// Next value.
    pub d: Signal<In, T>,
    /// Present value; `T::default()` after power-up.
    pub q: Signal<Out, T>,
}

impl<T: Synth> Default for Reg<T> {
    fn default() -> Self {
        Self { clock: Signal::default(), d: Signal::default(), q: Signal::default() }
    }
}

impl<T: Synth> Logic for Reg<T> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.q.next = self.d.val();
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        Marker::Register { initial: Marker::digits(T::default()) }.verilog()
    }
}

/// A register with a synchronous reset to a value given at construction.
#[derive(Clone, Debug, LogicBlock)]
pub struct RegR<T: Synth> {
    /// Clock; `q` changes at its rising edge.
    pub clock: Signal<In, Clock>,
    /// While high, the clock loads the reset value.
    pub reset: Signal<In, Bit>,
    /// Next value.
    pub d: Signal<In, T>,
    /// Present value; the reset value after power-up.
    pub q: Signal<Out, T>,
    initial: Constant<T>,
}

impl<T: Synth> RegR<T> {
    /// A register that powers up and resets to `initial`.
    pub fn new(initial: T) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            d: Signal::default(),
            q: Signal::new_with_default(initial),
            initial: Constant::new(initial),
        }
    }
}

impl<T: Synth> Default for RegR<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Synth> Logic for RegR<T> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.q.next = if self.reset.val() { self.initial.val() } else { self.d.val() };
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        Marker::RegisterWithReset { initial: Marker::digits(self.initial.val()) }.verilog()
    }
}
