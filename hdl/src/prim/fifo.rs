//! A FIFO for one clock.

use super::{Ram1r1w, RamStyle, RegR};
use rust_hdl::core::prelude::*;
use rust_hdl::widgets::dff_setup;

/// A FIFO of 2^A words in one memory, first word falling through: `data_out` is the oldest word while `valid` is high.
///
/// `C` is A + 1, the width of a count from 0 to 2^A. One word a clock in and one out. A word shows at the output two
/// clocks after it was written. `count` and `full` include the words that do not show yet.
///
/// What a read or write has to know of the filling stands in registers (`filled`, `some`, `one`), and so does the place behind the one that is
/// read: readers and writers ask late in a clock, and a sum behind the question would come too late.
#[derive(LogicBlock)]
pub struct Fifo<D: Synth, const A: usize, const C: usize> {
    /// Clock of both sides.
    pub clock: Signal<In, Clock>,
    /// Empties the FIFO.
    pub reset: Signal<In, Bit>,
    /// Take `data_in` at this clock. Ignored while `full`: whoever may not lose a word looks at `full` or `space`.
    pub write: Signal<In, Bit>,
    /// The word to take.
    pub data_in: Signal<In, D>,
    /// No room. A read in the same clock does not make any.
    pub full: Signal<Out, Bit>,
    /// Drop the word at the output at this clock. Ignored while not `valid`.
    pub read: Signal<In, Bit>,
    /// The oldest word.
    pub data_out: Signal<Out, D>,
    /// `data_out` holds a word.
    pub valid: Signal<Out, Bit>,
    /// Words inside.
    pub count: Signal<Out, Bits<C>>,
    /// Words that still fit.
    pub space: Signal<Out, Bits<C>>,
    memory: Ram1r1w<D, A>,
    write_pointer: RegR<Bits<A>>,
    read_pointer: RegR<Bits<A>>,
    behind: RegR<Bits<A>>,
    occupied: RegR<Bits<C>>,
    free: RegR<Bits<C>>,
    filled: RegR<Bit>,
    some: RegR<Bit>,
    one: RegR<Bit>,
    shown: RegR<Bit>,
    accept: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    read_next: Signal<Local, Bits<A>>,
    left: Signal<Local, Bit>,
    comes: Signal<Local, Bit>,
    goes: Signal<Local, Bit>,
    nearly_full: Signal<Local, Bit>,
    two: Signal<Local, Bit>,
}

impl<D: Synth, const A: usize, const C: usize> Fifo<D, A, C> {
    /// A FIFO in a memory made of `style`.
    ///
    /// # Panics
    /// If `C` is not `A + 1`.
    pub fn new(style: RamStyle) -> Self {
        assert!(C == A + 1, "Fifo<_, A, C> needs C = A + 1, not A = {A}, C = {C}");
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            write: Signal::default(),
            data_in: Signal::default(),
            full: Signal::default(),
            read: Signal::default(),
            data_out: Signal::default(),
            valid: Signal::default(),
            count: Signal::default(),
            space: Signal::default(),
            memory: Ram1r1w::new(style),
            write_pointer: RegR::default(),
            read_pointer: RegR::default(),
            behind: RegR::new(bits::<A>(1)),
            occupied: RegR::default(),
            free: RegR::new(bits::<C>(1 << A)),
            filled: RegR::default(),
            some: RegR::default(),
            one: RegR::default(),
            shown: RegR::default(),
            accept: Signal::default(),
            take: Signal::default(),
            read_next: Signal::default(),
            left: Signal::default(),
            comes: Signal::default(),
            goes: Signal::default(),
            nearly_full: Signal::default(),
            two: Signal::default(),
        }
    }
}

impl<D: Synth, const A: usize, const C: usize> Default for Fifo<D, A, C> {
    fn default() -> Self {
        Self::new(RamStyle::Block)
    }
}

impl<D: Synth, const A: usize, const C: usize> Logic for Fifo<D, A, C> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, write_pointer, read_pointer, behind, occupied, free, filled, some, one, shown);
        clock!(self, clock, memory);
        self.write_pointer.reset.next = self.reset.val();
        self.read_pointer.reset.next = self.reset.val();
        self.behind.reset.next = self.reset.val();
        self.occupied.reset.next = self.reset.val();
        self.free.reset.next = self.reset.val();
        self.filled.reset.next = self.reset.val();
        self.some.reset.next = self.reset.val();
        self.one.reset.next = self.reset.val();
        self.shown.reset.next = self.reset.val();

        self.full.next = self.filled.q.val();
        self.count.next = self.occupied.q.val();
        self.space.next = self.free.q.val();
        self.accept.next = self.write.val() & !self.full.val();
        self.take.next = self.read.val() & self.shown.q.val();

        self.memory.write_enable.next = self.accept.val();
        self.memory.write_address.next = self.write_pointer.q.val();
        self.memory.write_data.next = self.data_in.val();
        if self.accept.val() {
            self.write_pointer.d.next = self.write_pointer.q.val() + bits::<A>(1);
        }

        // A word written at this clock is not in the memory yet when the memory is read, so it cannot be shown next.
        self.left.next = self.some.q.val() & !(self.take.val() & self.one.q.val());

        // The memory reads ahead: at the next clock its output is the word that is the oldest then.
        self.read_next.next = self.read_pointer.q.val();
        if self.take.val() {
            self.read_next.next = self.behind.q.val();
            self.behind.d.next = self.behind.q.val() + bits::<A>(1);
        }
        // Only when the output has to change, so that a wide word does not move for nothing.
        self.memory.read_enable.next = self.left.val() & (self.take.val() | !self.shown.q.val());
        self.read_pointer.d.next = self.read_next.val();
        self.memory.read_address.next = self.read_next.val();
        self.data_out.next = self.memory.read_data.val();

        self.shown.d.next = self.left.val();
        self.valid.next = self.shown.q.val();
        // Both counts together are 2^A, so one less than one of them is the other inverted: no sum has to wait for which way it goes.
        self.comes.next = self.accept.val() & !self.take.val();
        self.goes.next = !self.accept.val() & self.take.val();
        if self.comes.val() {
            self.occupied.d.next = self.occupied.q.val() + bits::<C>(1);
            self.free.d.next = bit_cast::<C, A>(!self.occupied.q.val().get_bits::<A>(0));
        }
        if self.goes.val() {
            self.occupied.d.next = bit_cast::<C, A>(!self.free.q.val().get_bits::<A>(0));
            self.free.d.next = self.free.q.val() + bits::<C>(1);
        }
        self.nearly_full.next = self.free.q.val() == bits::<C>(1);
        self.two.next = self.occupied.q.val() == bits::<C>(2);
        self.filled.d.next = (self.filled.q.val() & !self.goes.val()) | (self.nearly_full.val() & self.comes.val());
        self.some.d.next = self.accept.val() | self.left.val();
        self.one.d.next = (self.one.q.val() & !self.comes.val() & !self.goes.val())
            | (!self.some.q.val() & self.comes.val())
            | (self.two.val() & self.goes.val());
    }
}
