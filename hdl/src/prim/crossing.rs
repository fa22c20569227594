//! The one way from a clock to another: a [`Synchronizer`], and the [`GrayCounter`] that may stand in front of it.
//!
//! # Theory of operation
//! A register that is sampled while it changes gives its old or its new value, after a while that has no certain bound; two registers in a row
//! leave it a whole clock to settle. That holds for each bit alone. Several bits that change together may arrive at different
//! times, so a number crosses only as a Gray code, where one bit changes at a time and any mixture of old and new is one of the two.
//!
//! # Limits
//! What `emit` checks: what enters a synchroniser is a register as it is, no logic; one bit, or the whole `gray` of a [`GrayCounter`].
//! What it cannot check, and whoever uses these has to see to: a counter is reset only while the other side does not
//! look at it (a reset changes many bits at once; [`crate::axis::AsyncFifoControl`] has the handshake for that), and the
//! constraints of the device bound the skew between the bits of one code to less than one clock of the side that counts.

use super::marker::Marker;
use rust_hdl::core::prelude::*;

/// Two registers in a row on the receiving clock. `d` comes straight from a register of another clock: a single bit, or the
/// `gray` of a [`GrayCounter`].
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

/// A counter modulo 2^N whose value can cross to another clock.
#[derive(Clone, Debug, LogicBlock)]
pub struct GrayCounter<const N: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Back to zero. Only while nobody on another clock looks at `gray`.
    pub reset: Signal<In, Bit>,
    /// Count one up at this clock.
    pub step: Signal<In, Bit>,
    /// The count.
    pub count: Signal<Out, Bits<N>>,
    /// The count in Gray code, from registers of its own: the only word of several bits that a [`Synchronizer`] may take.
    pub gray: Signal<Out, Bits<N>>,
}

impl<const N: usize> Default for GrayCounter<N> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            step: Signal::default(),
            count: Signal::default(),
            gray: Signal::default(),
        }
    }
}

impl<const N: usize> Logic for GrayCounter<N> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            if self.reset.val() {
                self.count.next = Bits::default();
                self.gray.next = Bits::default();
            } else if self.step.val() {
                let next = self.count.val() + bits::<N>(1);
                self.count.next = next;
                self.gray.next = next ^ (next >> 1);
            }
        }
    }

    fn connect(&mut self) {
        self.count.connect();
        self.gray.connect();
    }

    fn hdl(&self) -> Verilog {
        Marker::GrayCounter.verilog()
    }
}
