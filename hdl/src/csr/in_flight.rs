//! How many frames are on the way between two points that count them.
//!
//! # Theory of operation
//! A level goes up by what enters and down by what leaves. It is no difference of counters: a frame that is lost in between stays in the level
//! for ever, and a snapshot of it beside the counters shows that ([`writ_abi::balance`]). It follows its events by as many clocks as a
//! [`super::counters::CounterCell`] does, so a snapshot that copies both shows them of the same clock.

use crate::prelude::*;

/// A level and its copy.
#[derive(LogicBlock, Default)]
pub struct InFlight {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Sets everything to zero.
    pub reset: Signal<In, Bit>,
    /// One enters.
    pub enters: Signal<In, Bit>,
    /// One leaves.
    pub leaves: Signal<In, Bit>,
    /// Copy the level.
    pub snapshot: Signal<In, Bit>,
    /// The copy.
    pub shown: Signal<Out, Bits<64>>,
    entered: RegR<Bit>,
    left: RegR<Bit>,
    level: RegR<Bits<12>>,
    copy: RegR<Bits<12>>,
}

impl Logic for InFlight {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, entered, left, level, copy);
        self.entered.reset.next = self.reset.val();
        self.left.reset.next = self.reset.val();
        self.level.reset.next = self.reset.val();
        self.copy.reset.next = self.reset.val();
        self.entered.d.next = self.enters.val();
        self.left.d.next = self.leaves.val();
        if self.entered.q.val() & !self.left.q.val() {
            self.level.d.next = self.level.q.val() + bits::<12>(1);
        }
        if self.left.q.val() & !self.entered.q.val() {
            self.level.d.next = self.level.q.val() - bits::<12>(1);
        }
        if self.snapshot.val() {
            self.copy.d.next = self.level.q.val();
        }
        self.shown.next = bit_cast::<64, 12>(self.copy.q.val());
    }
}
