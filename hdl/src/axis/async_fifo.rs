//! FIFO between two clocks.
//!
//! # Theory of operation
//! Words are written at `head` and read at `tail`, two counters with one bit more than an address, so that a full FIFO and an empty
//! one differ. Each side sees the other's counter through its Gray code, a few clocks late: the writer may take a place
//! for used that is free already, the reader may miss a word that is there already, never the other way round. A word
//! is fetched into the memory's output register as soon as that is free, so the first word falls through.
//!
//! **Reset.** A counter that goes back to zero changes many bits at once, so it must do so while the other side does not look. A reset
//! of either side starts one exchange, which the write side leads:
//!
//! | | write side | read side |
//! |---|---|---|
//! | 1 | stops taking words, raises `ask` | (its own reset: stops giving words, raises `request`, which starts 1) |
//! | 2 | | sees `ask`: stops, clears `tail`, raises `held` |
//! | 3 | sees `held`: clears `head`; once no reset is wanted any more drops `ask` | |
//! | 4 | | sees no `ask`: goes on, drops `held` |
//! | 5 | sees no `held`: takes words again | |
//!
//! So each counter is cleared while the other side is stopped, and a reset that is shorter than a clock of the other side is
//! not missed. What was inside at a reset is gone, and so is what the write side takes before it hears of a reset of the other; from 5 on
//! nothing is lost.
//!
//! # Limits
//! If one clock stands still, the exchange waits for it. `space` and `count` are low estimates. A word shows at `data_out` with the
//! fourth rising edge of the read clock behind that of its write, or the fifth if the first samples the change too late.

use crate::prelude::*;

/// What the write side is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum WriteSide {
    /// Taking words.
    Open,
    /// Waiting until the read side has stopped.
    Asking,
    /// Clearing.
    Clearing,
    /// Waiting until the read side goes on.
    Releasing,
}

/// A FIFO of 2^A words between two clocks, all but its memory; `C` is A + 1. Blocks with words of several parts put a
/// [`DualClockRam`] for each part beside it.
#[derive(LogicBlock)]
pub struct AsyncFifoControl<const A: usize, const C: usize> {
    /// Clock of the write side.
    pub write_clock: Signal<In, Clock>,
    /// Empties the FIFO.
    pub write_reset: Signal<In, Bit>,
    /// Take a word at this clock. Ignored while `full`.
    pub write: Signal<In, Bit>,
    /// No room, or a reset of either side is not over.
    pub full: Signal<Out, Bit>,
    /// Words that fit for certain.
    pub space: Signal<Out, Bits<C>>,
    /// At least two words fit, from a register: false for two clocks more than it might.
    pub spare: Signal<Out, Bit>,
    /// No reset of either side is going on.
    pub open: Signal<Out, Bit>,
    /// For the memory: write.
    pub write_enable: Signal<Out, Bit>,
    /// For the memory: where.
    pub write_address: Signal<Out, Bits<A>>,
    /// Clock of the read side.
    pub read_clock: Signal<In, Clock>,
    /// Empties the FIFO.
    pub read_reset: Signal<In, Bit>,
    /// Drop the word at the output at this clock. Ignored while not `valid`.
    pub read: Signal<In, Bit>,
    /// The memory's output is the oldest word.
    pub valid: Signal<Out, Bit>,
    /// Words that are there for certain, that at the output included.
    pub count: Signal<Out, Bits<C>>,
    /// For the memory: read.
    pub read_enable: Signal<Out, Bit>,
    /// For the memory: what.
    pub read_address: Signal<Out, Bits<A>>,
    head: GrayCounter<C>,
    tail: GrayCounter<C>,
    head_seen: Synchronizer<Bits<C>>,
    tail_seen: Synchronizer<Bits<C>>,
    written: RegR<Bits<C>>,
    limit: RegR<Bits<C>>,
    roomy: RegR<Bit>,
    shown: RegR<Bit>,
    state: Reg<WriteSide>,
    want: Reg<Bit>,
    ask: Reg<Bit>,
    ask_seen: Synchronizer<Bit>,
    held: Reg<Bit>,
    held_seen: Synchronizer<Bit>,
    request: Reg<Bit>,
    request_seen: Synchronizer<Bit>,
    wanted: Signal<Local, Bit>,
    takes: Signal<Local, Bit>,
    room: Signal<Local, Bits<C>>,
    stopped: Signal<Local, Bit>,
    fetch: Signal<Local, Bit>,
    waiting: Signal<Local, Bits<C>>,
    head_binary: Signal<Local, Bits<C>>,
    tail_binary: Signal<Local, Bits<C>>,
    depth: Constant<Bits<C>>,
}

impl<const A: usize, const C: usize> Default for AsyncFifoControl<A, C> {
    /// # Panics
    /// If `C` is not `A + 1`.
    fn default() -> Self {
        assert!(C == A + 1, "a FIFO of 2^A words needs C = A + 1, not A = {A}, C = {C}");
        let depth = bits::<C>(1 << A);
        Self {
            write_clock: Signal::default(),
            write_reset: Signal::default(),
            write: Signal::default(),
            full: Signal::default(),
            space: Signal::default(),
            spare: Signal::default(),
            open: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            read_clock: Signal::default(),
            read_reset: Signal::default(),
            read: Signal::default(),
            valid: Signal::default(),
            count: Signal::default(),
            read_enable: Signal::default(),
            read_address: Signal::default(),
            head: GrayCounter::default(),
            tail: GrayCounter::default(),
            head_seen: Synchronizer::default(),
            tail_seen: Synchronizer::default(),
            written: RegR::default(),
            limit: RegR::new(depth),
            roomy: RegR::default(),
            shown: RegR::default(),
            state: Reg::default(),
            want: Reg::default(),
            ask: Reg::default(),
            ask_seen: Synchronizer::default(),
            held: Reg::default(),
            held_seen: Synchronizer::default(),
            request: Reg::default(),
            request_seen: Synchronizer::default(),
            wanted: Signal::default(),
            takes: Signal::default(),
            room: Signal::default(),
            stopped: Signal::default(),
            fetch: Signal::default(),
            waiting: Signal::default(),
            head_binary: Signal::default(),
            tail_binary: Signal::default(),
            depth: Constant::new(depth),
        }
    }
}

impl<const A: usize, const C: usize> Logic for AsyncFifoControl<A, C> {
    #[hdl_gen]
    fn update(&mut self) {
        // Write side.
        self.head.clock.next = self.write_clock.val();
        self.tail_seen.clock.next = self.write_clock.val();
        self.limit.clock.next = self.write_clock.val();
        self.roomy.clock.next = self.write_clock.val();
        self.state.clock.next = self.write_clock.val();
        self.want.clock.next = self.write_clock.val();
        self.ask.clock.next = self.write_clock.val();
        self.held_seen.clock.next = self.write_clock.val();
        self.request_seen.clock.next = self.write_clock.val();

        self.held_seen.d.next = self.held.q.val();
        self.request_seen.d.next = self.request.q.val();
        self.wanted.next = self.write_reset.val() | self.want.q.val() | self.request_seen.q.val();
        self.want.d.next = self.want.q.val() | self.write_reset.val();
        self.state.d.next = self.state.q.val();
        match self.state.q.val() {
            WriteSide::Open => {
                if self.wanted.val() {
                    self.state.d.next = WriteSide::Asking;
                }
            }
            WriteSide::Asking => {
                if self.held_seen.q.val() {
                    self.state.d.next = WriteSide::Clearing;
                }
            }
            WriteSide::Clearing => {
                self.want.d.next = self.write_reset.val();
                if !self.wanted.val() {
                    self.state.d.next = WriteSide::Releasing;
                }
            }
            WriteSide::Releasing => {
                if !self.held_seen.q.val() {
                    self.state.d.next = WriteSide::Open;
                }
            }
        }
        self.ask.d.next = (self.state.q.val() == WriteSide::Asking) | (self.state.q.val() == WriteSide::Clearing);

        // `limit` is the tail as it was seen, plus the depth.
        self.tail_seen.d.next = self.tail.gray.val();
        self.tail_binary.next = bits::<C>(0);
        for i in 0..C {
            self.tail_binary.next =
                self.tail_binary.val().replace_bit(i, self.tail_seen.q.val().get_bits::<C>(i).xor());
        }
        self.limit.d.next = self.tail_binary.val() ^ self.depth.val();
        self.limit.reset.next = self.state.q.val() != WriteSide::Open;

        self.open.next = (self.state.q.val() == WriteSide::Open) & !self.want.q.val() & !self.write_reset.val();
        self.room.next = self.limit.q.val() - self.head.count.val();
        self.space.next = bits::<C>(0);
        if self.open.val() {
            self.space.next = self.room.val();
        }
        // One of them may go at this clock.
        self.roomy.d.next = self.room.val() > bits::<C>(2);
        self.roomy.reset.next = !self.open.val();
        self.spare.next = self.roomy.q.val();
        self.full.next = !self.open.val() | (self.limit.q.val() == self.head.count.val());
        self.takes.next = self.write.val() & !self.full.val();
        self.head.step.next = self.takes.val();
        self.head.reset.next = self.state.q.val() == WriteSide::Clearing;
        self.write_enable.next = self.takes.val();
        self.write_address.next = self.head.count.val().get_bits::<A>(0);

        // Read side.
        self.tail.clock.next = self.read_clock.val();
        self.head_seen.clock.next = self.read_clock.val();
        self.written.clock.next = self.read_clock.val();
        self.shown.clock.next = self.read_clock.val();
        self.ask_seen.clock.next = self.read_clock.val();
        self.held.clock.next = self.read_clock.val();
        self.request.clock.next = self.read_clock.val();

        self.ask_seen.d.next = self.ask.q.val();
        self.held.d.next = self.ask_seen.q.val();
        self.request.d.next = (self.request.q.val() & !self.ask_seen.q.val()) | self.read_reset.val();
        self.stopped.next = self.ask_seen.q.val() | self.request.q.val() | self.read_reset.val();

        self.head_seen.d.next = self.head.gray.val();
        self.head_binary.next = bits::<C>(0);
        for i in 0..C {
            self.head_binary.next =
                self.head_binary.val().replace_bit(i, self.head_seen.q.val().get_bits::<C>(i).xor());
        }
        self.written.d.next = self.head_binary.val();
        self.written.reset.next = self.ask_seen.q.val();

        self.fetch.next = (self.written.q.val() != self.tail.count.val())
            & (self.read.val() | !self.shown.q.val())
            & !self.stopped.val();
        self.shown.d.next = self.fetch.val() | (self.shown.q.val() & !self.read.val());
        self.shown.reset.next = self.stopped.val();
        self.tail.step.next = self.fetch.val();
        self.tail.reset.next = self.ask_seen.q.val();
        self.read_enable.next = self.fetch.val();
        self.read_address.next = self.tail.count.val().get_bits::<A>(0);
        self.valid.next = self.shown.q.val() & !self.stopped.val();
        self.waiting.next = self.written.q.val() - self.tail.count.val();
        self.count.next = bits::<C>(0);
        if !self.stopped.val() {
            self.count.next = self.waiting.val() + bit_cast::<C, 1>(self.shown.q.val().into());
        }
    }
}

/// A FIFO of 2^A words between two clocks; `C` is A + 1. Ports as those of [`AsyncFifoControl`].
#[derive(LogicBlock)]
pub struct AsyncFifo<D: Synth, const A: usize, const C: usize> {
    /// Clock of the write side.
    pub write_clock: Signal<In, Clock>,
    /// Empties the FIFO.
    pub write_reset: Signal<In, Bit>,
    /// Take `data_in` at this clock. Ignored while `full`: whoever may not lose a word looks at `full` or `space`.
    pub write: Signal<In, Bit>,
    /// The word to take.
    pub data_in: Signal<In, D>,
    /// No room, or a reset of either side is not over.
    pub full: Signal<Out, Bit>,
    /// Words that fit for certain.
    pub space: Signal<Out, Bits<C>>,
    /// No reset of either side is going on.
    pub open: Signal<Out, Bit>,
    /// Clock of the read side.
    pub read_clock: Signal<In, Clock>,
    /// Empties the FIFO.
    pub read_reset: Signal<In, Bit>,
    /// Drop the word at the output at this clock. Ignored while not `valid`.
    pub read: Signal<In, Bit>,
    /// The oldest word, from a register.
    pub data_out: Signal<Out, D>,
    /// `data_out` holds a word.
    pub valid: Signal<Out, Bit>,
    /// Words that are there for certain, that at the output included.
    pub count: Signal<Out, Bits<C>>,
    control: AsyncFifoControl<A, C>,
    memory: DualClockRam<D, A>,
}

impl<D: Synth, const A: usize, const C: usize> AsyncFifo<D, A, C> {
    /// A FIFO in a memory made of `style`.
    ///
    /// # Panics
    /// If `C` is not `A + 1`.
    pub fn new(style: RamStyle) -> Self {
        Self {
            write_clock: Signal::default(),
            write_reset: Signal::default(),
            write: Signal::default(),
            data_in: Signal::default(),
            full: Signal::default(),
            space: Signal::default(),
            open: Signal::default(),
            read_clock: Signal::default(),
            read_reset: Signal::default(),
            read: Signal::default(),
            data_out: Signal::default(),
            valid: Signal::default(),
            count: Signal::default(),
            control: AsyncFifoControl::default(),
            memory: DualClockRam::new(style),
        }
    }
}

impl<D: Synth, const A: usize, const C: usize> Default for AsyncFifo<D, A, C> {
    fn default() -> Self {
        Self::new(RamStyle::Distributed)
    }
}

impl<D: Synth, const A: usize, const C: usize> Logic for AsyncFifo<D, A, C> {
    #[hdl_gen]
    fn update(&mut self) {
        self.control.write_clock.next = self.write_clock.val();
        self.control.write_reset.next = self.write_reset.val();
        self.control.write.next = self.write.val();
        self.full.next = self.control.full.val();
        self.space.next = self.control.space.val();
        self.open.next = self.control.open.val();
        self.control.read_clock.next = self.read_clock.val();
        self.control.read_reset.next = self.read_reset.val();
        self.control.read.next = self.read.val();
        self.valid.next = self.control.valid.val();
        self.count.next = self.control.count.val();
        self.memory.write_clock.next = self.write_clock.val();
        self.memory.write_enable.next = self.control.write_enable.val();
        self.memory.write_address.next = self.control.write_address.val();
        self.memory.write_data.next = self.data_in.val();
        self.memory.read_clock.next = self.read_clock.val();
        self.memory.read_enable.next = self.control.read_enable.val();
        self.memory.read_address.next = self.control.read_address.val();
        self.data_out.next = self.memory.read_data.val();
    }
}
