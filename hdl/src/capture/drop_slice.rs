//! A third of a drop counter.
//!
//! # Theory of operation
//! A change of a counter takes two clocks here: in the first one the present bits are found, in the second one the sum. Present are those in the memory, or
//! what one of the changes two to six clocks before has made of them (`choice`), or the one right before (`again`), whose sum is there just in time.
//! The next slice does the same one clock later, with this one's carry.

use crate::prelude::*;

/// Results that the memory may not show yet, without the latest.
pub const DROP_RESULTS: usize = 5;

/// 22 bits of a counter.
#[derive(LogicBlock, Default)]
pub struct DropSlice {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// What the memory says.
    pub stored: Signal<In, Bits<22>>,
    /// One bit: which is present. Bit 0: `stored`; bit n: the result of n + 1 clocks before.
    pub choice: Signal<In, Bits<6>>,
    /// In the clock of the sum: the change one clock before was of the same counter.
    pub again: Signal<In, Bit>,
    /// In the clock of the sum: do not start at zero.
    pub keep: Signal<In, Bit>,
    /// In the clock of the sum: what is added.
    pub add: Signal<In, Bits<16>>,
    /// In the clock of the sum: show the present bits from the next clock on.
    pub look: Signal<In, Bit>,
    /// The sum of the clock before has a carry.
    pub carry: Signal<Out, Bit>,
    /// Sums of one, two and three clocks before.
    pub result: [Signal<Out, Bits<22>>; 3],
    /// What was looked at.
    pub seen: Signal<Out, Bits<22>>,
    present: Reg<Bits<22>>,
    results: [Reg<Bits<22>>; DROP_RESULTS],
    carried: Reg<Bit>,
    saw: Reg<Bits<22>>,
    mixed: Signal<Local, Bits<22>>,
    mask: Signal<Local, Bits<22>>,
    value: Signal<Local, Bits<22>>,
    sum: Signal<Local, Bits<23>>,
}

impl Logic for DropSlice {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, present, carried, saw);

        self.mask.next = bits::<22>(0);
        if self.choice.val().get_bit(0) {
            self.mask.next = !bits::<22>(0);
        }
        self.mixed.next = self.stored.val() & self.mask.val();
        for i in 0..5 {
            self.mask.next = bits::<22>(0);
            if self.choice.val().get_bit(i + 1) {
                self.mask.next = !bits::<22>(0);
            }
            self.mixed.next = self.mixed.val() | (self.results[i].q.val() & self.mask.val());
        }
        self.present.d.next = self.mixed.val();

        self.value.next = self.present.q.val();
        if self.again.val() {
            self.value.next = self.results[0].q.val();
        }
        if self.look.val() {
            self.saw.d.next = self.value.val();
        }
        self.mask.next = bits::<22>(0);
        if self.keep.val() {
            self.mask.next = !bits::<22>(0);
        }
        self.sum.next = bit_cast::<23, 22>(self.value.val() & self.mask.val()) + bit_cast::<23, 16>(self.add.val());
        self.carried.d.next = self.sum.val().get_bit(22);
        self.results[0].clock.next = self.clock.val();
        self.results[0].d.next = self.sum.val().get_bits::<22>(0);
        for i in 0..4 {
            self.results[i + 1].clock.next = self.clock.val();
            self.results[i + 1].d.next = self.results[i].q.val();
        }
        self.carry.next = self.carried.q.val();
        self.seen.next = self.saw.q.val();
        for i in 0..3 {
            self.result[i].next = self.results[i].q.val();
        }
    }
}
