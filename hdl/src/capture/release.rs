//! How far a port's frame store may be overwritten.
//!
//! # Theory of operation
//! Verdicts, decisions and copies of a port each come in the order of its frames, decisions and copies of a frame once for each ring that its hits name.
//! Whatever is furthest behind and still has work bounds the free position: the copy under way, else the next frame to be decided, else the last frame
//! with a verdict. Frames without a hit need no step of their own; the next event behind them frees them.
//!
//! # Limits
//! The lines of the last frame with a verdict stay taken until the port's next verdict.

use crate::prelude::*;

/// Free position of one port.
#[derive(LogicBlock, Default)]
pub struct Release {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// A frame of this port has its verdict.
    pub verdict: Signal<In, Bit>,
    /// With `verdict`: it has hits and waits for its decision.
    pub verdict_hit: Signal<In, Bit>,
    /// With `verdict`: where it starts.
    pub verdict_start: Signal<In, Bits<12>>,
    /// A record of a frame of this port is decided.
    pub decided: Signal<In, Bit>,
    /// With `decided`: it will be made.
    pub decided_copy: Signal<In, Bit>,
    /// With `decided`: it is the last of its frame.
    pub decided_last: Signal<In, Bit>,
    /// With `decided`: where the frame starts.
    pub decided_start: Signal<In, Bits<12>>,
    /// A copy from this port begins.
    pub begun: Signal<In, Bit>,
    /// With `begun`: where the frame starts.
    pub begun_start: Signal<In, Bits<12>>,
    /// A copy from this port has read its last line.
    pub copied: Signal<In, Bit>,
    /// Everything in front of this position may be overwritten.
    pub free: Signal<Out, Bits<12>>,
    undecided: RegR<Bits<10>>,
    copies: RegR<Bits<12>>,
    newest: RegR<Bits<12>>,
    position: RegR<Bits<12>>,
    one_more: Signal<Local, Bit>,
    one_less: Signal<Local, Bit>,
    one_copy_more: Signal<Local, Bit>,
}

impl Logic for Release {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, undecided, copies, newest, position);
        self.undecided.reset.next = self.reset.val();
        self.copies.reset.next = self.reset.val();
        self.newest.reset.next = self.reset.val();
        self.position.reset.next = self.reset.val();

        self.one_more.next = self.verdict.val() & self.verdict_hit.val();
        self.one_less.next = self.decided.val() & self.decided_last.val();
        if self.one_more.val() & !self.one_less.val() {
            self.undecided.d.next = self.undecided.q.val() + bits::<10>(1);
        } else if self.one_less.val() & !self.one_more.val() {
            self.undecided.d.next = self.undecided.q.val() - bits::<10>(1);
        }
        self.one_copy_more.next = self.decided.val() & self.decided_copy.val();
        if self.one_copy_more.val() & !self.copied.val() {
            self.copies.d.next = self.copies.q.val() + bits::<12>(1);
        } else if self.copied.val() & !self.one_copy_more.val() {
            self.copies.d.next = self.copies.q.val() - bits::<12>(1);
        }
        if self.verdict.val() {
            self.newest.d.next = self.verdict_start.val();
        }

        if self.begun.val() {
            self.position.d.next = self.begun_start.val();
        } else if !self.copies.q.val().any() {
            if self.decided.val() {
                self.position.d.next = self.decided_start.val();
            } else if !self.undecided.q.val().any() {
                self.position.d.next = self.newest.q.val();
            }
        }
        self.free.next = self.position.q.val();
    }
}
