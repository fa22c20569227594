//! Words that wait for a slower path, in LUT memory.

use crate::prelude::*;

/// A word that is written at one clock is at the output `clocks` later, if `read` is high in the clock before. In other clocks the output
/// stays. `clocks` is 2 to 2^A.
#[derive(LogicBlock)]
pub struct Delay<T: Synth, const A: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// There is a word.
    pub write: Signal<In, Bit>,
    /// The word.
    pub data_in: Signal<In, T>,
    /// Show the word that was written `clocks - 1` ago.
    pub read: Signal<In, Bit>,
    /// It.
    pub data_out: Signal<Out, T>,
    memory: Ram1r1w<T, A>,
    position: Reg<Bits<A>>,
    distance: Constant<Bits<A>>,
}

impl<T: Synth, const A: usize> Delay<T, A> {
    /// A delay of `clocks`.
    ///
    /// # Panics
    /// If the memory is too small for it.
    pub fn new(clocks: usize) -> Self {
        assert!((2..=1 << A).contains(&clocks), "{clocks} clocks in 2^{A} words");
        Self {
            clock: Signal::default(),
            write: Signal::default(),
            data_in: Signal::default(),
            read: Signal::default(),
            data_out: Signal::default(),
            memory: Ram1r1w::new(RamStyle::Distributed),
            position: Reg::default(),
            distance: Constant::new(((clocks - 1) as LiteralType).into()),
        }
    }
}

impl<T: Synth, const A: usize> Logic for Delay<T, A> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, position);
        clock!(self, clock, memory);
        self.position.d.next = self.position.q.val() + bits::<A>(1);
        self.memory.write_enable.next = self.write.val();
        self.memory.write_address.next = self.position.q.val();
        self.memory.write_data.next = self.data_in.val();
        self.memory.read_enable.next = self.read.val();
        self.memory.read_address.next = self.position.q.val() - self.distance.val();
        self.data_out.next = self.memory.read_data.val();
    }
}
