//! Events of one clock as events of another, none lost and none twice.
//!
//! # Theory of operation
//! The sending side counts events in a Gray counter; the receiving side sees the count and follows it one event a clock. So two events
//! in neighbouring clocks arrive as two, however the clocks are to each other.
//!
//! # Limits
//! At most 2^N - 1 events may be under way: more than that and 2^N of them are lost. The counter has no reset; after a reset of
//! the receiving side events from before are not reported.

use crate::prelude::*;

/// Carries events across.
#[derive(LogicBlock, Default)]
pub struct EventCrossing<const N: usize> {
    /// Clock of the events.
    pub from_clock: Signal<In, Clock>,
    /// An event.
    pub event: Signal<In, Bit>,
    /// Clock of whoever hears of them.
    pub clock: Signal<In, Clock>,
    /// Forget events that are under way.
    pub reset: Signal<In, Bit>,
    /// An event, later.
    pub seen: Signal<Out, Bit>,
    sent: GrayCounter<N>,
    arrived: Synchronizer<Bits<N>>,
    total: Reg<Bits<N>>,
    reported: Reg<Bits<N>>,
    binary: Signal<Local, Bits<N>>,
    behind: Signal<Local, Bit>,
}

impl<const N: usize> Logic for EventCrossing<N> {
    #[hdl_gen]
    fn update(&mut self) {
        self.sent.clock.next = self.from_clock.val();
        self.sent.reset.next = false;
        self.sent.step.next = self.event.val();

        dff_setup!(self, clock, total, reported);
        clock!(self, clock, arrived);
        self.arrived.d.next = self.sent.gray.val();
        self.binary.next = bits::<N>(0);
        for i in 0..N {
            self.binary.next = self.binary.val().replace_bit(i, self.arrived.q.val().get_bits::<N>(i).xor());
        }
        self.total.d.next = self.binary.val();
        self.behind.next = self.total.q.val() != self.reported.q.val();
        if self.behind.val() {
            self.reported.d.next = self.reported.q.val() + bits::<N>(1);
        }
        if self.reset.val() {
            self.reported.d.next = self.binary.val();
        }
        self.seen.next = self.behind.val() & !self.reset.val();
    }
}
