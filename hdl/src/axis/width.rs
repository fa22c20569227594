//! The data path's width is a parameter: a wire has beats of `W` bits, the core has beats of 512.
//!
//! # Theory of operation
//! [`WidthUp`] gathers `R` beats of a wire in as many registers and gives them as one beat of 512 bits; the beat that ends a frame gives
//! what there is. So a wire of 64 bits gives one wide beat in eight clocks, and one core serves both widths with the
//! same blocks. The frame's stamp is that of its first narrow beat.
//!
//! [`WidthDown`] is the way back, for lines that leave a small FPGA over a narrow bus.
//!
//! # Limits
//! `W * R` is 512; `W` is 64 or 512. The wire path itself is not converted: [`super::WirePath`] has the wire's width.

use super::beat::Beat;
use crate::prelude::*;

/// Gathers `R` beats of `W` bits into one of 512.
#[derive(LogicBlock)]
pub struct WidthUp<const W: usize, const R: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-up reset.
    pub reset: Signal<In, Bit>,
    /// From the receiving MAC.
    pub rx: Signal<In, Beat>,
    /// Its data.
    pub rx_data: Signal<In, Bits<W>>,
    /// Time.
    pub now_ns: Signal<In, Bits<64>>,
    /// Its quality.
    pub quality: Signal<In, Bits<2>>,
    /// A wide beat, one clock after its last part.
    pub wide: Signal<Out, Beat>,
    /// Its data.
    pub wide_data: Signal<Out, Bits<512>>,
    /// When the first part of the frame that `wide` belongs to was at `rx`.
    pub stamp_ns: Signal<Out, Bits<64>>,
    /// Quality of that time.
    pub stamp_quality: Signal<Out, Bits<2>>,
    part: [Reg<Bits<W>>; R],
    position: RegR<Bits<3>>,
    in_frame: RegR<Bit>,
    beat: RegR<Beat>,
    stamp: Reg<Bits<64>>,
    stamp_grade: Reg<Bits<2>>,
    ends: Signal<Local, Bit>,
    one: Signal<Local, Bits<W>>,
    last_position: Constant<Bits<3>>,
    number: [Constant<Bits<3>>; R],
    offset: [Constant<Bits<9>>; R],
}

impl<const W: usize, const R: usize> Default for WidthUp<W, R> {
    /// # Panics
    /// If the widths are not those that the module names.
    fn default() -> Self {
        assert!(W * R == 512 && (W == 64 || W == 512), "{R} beats of {W} bits");
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            rx: Signal::default(),
            rx_data: Signal::default(),
            now_ns: Signal::default(),
            quality: Signal::default(),
            wide: Signal::default(),
            wide_data: Signal::default(),
            stamp_ns: Signal::default(),
            stamp_quality: Signal::default(),
            part: core::array::from_fn(|_| Reg::default()),
            position: RegR::default(),
            in_frame: RegR::default(),
            beat: RegR::default(),
            stamp: Reg::default(),
            stamp_grade: Reg::default(),
            ends: Signal::default(),
            one: Signal::default(),
            last_position: Constant::new((R as LiteralType - 1).into()),
            number: core::array::from_fn(|number| Constant::new((number as LiteralType).into())),
            offset: core::array::from_fn(|number| Constant::new(((number * W) as LiteralType).into())),
        }
    }
}

impl<const W: usize, const R: usize> Logic for WidthUp<W, R> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, position, in_frame, beat, stamp, stamp_grade);
        self.position.reset.next = self.reset.val();
        self.in_frame.reset.next = self.reset.val();
        self.beat.reset.next = self.reset.val();
        self.ends.next = self.rx.val().last | (self.position.q.val() == self.last_position.val());

        self.beat.d.next.valid = self.rx.val().valid & self.ends.val();
        self.beat.d.next.last = self.rx.val().last;
        self.beat.d.next.error = self.rx.val().error;
        // Eight bytes a part; with one part the position is 0.
        self.beat.d.next.bytes = self.rx.val().bytes + (bit_cast::<7, 3>(self.position.q.val()) << 3);
        if self.rx.val().valid {
            self.in_frame.d.next = !self.rx.val().last;
            self.position.d.next = self.position.q.val() + bits::<3>(1);
            if self.ends.val() {
                self.position.d.next = bits::<3>(0);
            }
        }
        if self.rx.val().valid & !self.in_frame.q.val() {
            self.stamp.d.next = self.now_ns.val();
            self.stamp_grade.d.next = self.quality.val();
        }
        self.wide_data.next = bits::<512>(0);
        for i in 0..R {
            self.part[i].clock.next = self.clock.val();
            self.part[i].d.next = self.part[i].q.val();
            if self.rx.val().valid & (self.position.q.val() == self.number[i].val()) {
                self.part[i].d.next = self.rx_data.val();
            }
            self.one.next = self.part[i].q.val();
            self.wide_data.next = self.wide_data.val() | (bit_cast::<512, W>(self.one.val()) << self.offset[i].val());
        }
        self.wide.next = self.beat.q.val();
        self.stamp_ns.next = self.stamp.q.val();
        self.stamp_quality.next = self.stamp_grade.q.val();
    }
}

/// Gives a beat of 512 bits as beats of 64.
#[derive(LogicBlock, Default)]
pub struct WidthDown {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Empties it.
    pub reset: Signal<In, Bit>,
    /// A wide beat; its `bytes` count with `last` only.
    pub wide: Signal<In, Beat>,
    /// Its data.
    pub wide_data: Signal<In, Bits<512>>,
    /// It is taken.
    pub wide_ready: Signal<Out, Bit>,
    /// A narrow beat.
    pub narrow: Signal<Out, Beat>,
    /// Its data.
    pub narrow_data: Signal<Out, Bits<64>>,
    /// It is taken.
    pub narrow_ready: Signal<In, Bit>,
    held: RegR<Bit>,
    word: Reg<Bits<512>>,
    last: Reg<Bit>,
    error: Reg<Bit>,
    bytes: Reg<Bits<7>>,
    ends: Signal<Local, Bit>,
    leaves: Signal<Local, Bit>,
}

impl Logic for WidthDown {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held, word, last, error, bytes);
        self.held.reset.next = self.reset.val();

        // `bytes` is what the word still has, `ends` that they fit into one narrow beat.
        self.ends.next = self.bytes.q.val() <= bits::<7>(8);
        self.leaves.next = self.held.q.val() & self.narrow_ready.val();
        self.narrow.next.valid = self.held.q.val();
        self.narrow.next.last = self.last.q.val() & self.ends.val();
        self.narrow.next.error = self.error.q.val();
        self.narrow.next.bytes = bits::<7>(8);
        if self.ends.val() {
            self.narrow.next.bytes = self.bytes.q.val();
        }
        self.narrow_data.next = self.word.q.val().get_bits::<64>(0);
        self.wide_ready.next = !self.held.q.val() | (self.leaves.val() & self.ends.val());
        if self.leaves.val() {
            self.word.d.next = self.word.q.val() >> 64;
            self.bytes.d.next = self.bytes.q.val() - bits::<7>(8);
            if self.ends.val() {
                self.held.d.next = false;
            }
        }
        if self.wide_ready.val() & self.wide.val().valid {
            self.held.d.next = true;
            self.word.d.next = self.wide_data.val();
            self.last.d.next = self.wide.val().last;
            self.error.d.next = self.wide.val().error;
            self.bytes.d.next = bits::<7>(64);
            if self.wide.val().last {
                self.bytes.d.next = self.wide.val().bytes;
            }
        }
    }
}
