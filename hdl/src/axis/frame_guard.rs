//! Keeps half frames out of a FIFO that nothing can hold back: what does not fit is dropped to the end of its frame, and what is
//! inside of that frame gets an end.
//!
//! # Theory of operation
//! A beat that is not its frame's last enters only if a place is left behind it. So a frame whose next beat finds no room still has one place for
//! an end, which goes in instead of that beat and says that the frame was cut. The rest of the frame is dropped. A frame whose first
//! beat finds no room is dropped whole and leaves no trace but the count.
//!
//! # Limits
//! `room` and `spare` may be low estimates, but a place that was announced must stay until it is used.

use crate::prelude::*;

/// Decides about each beat.
#[derive(LogicBlock, Default)]
pub struct FrameGuard {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Wait for the start of a frame.
    pub reset: Signal<In, Bit>,
    /// There is a beat.
    pub valid: Signal<In, Bit>,
    /// It is the frame's first.
    pub first: Signal<In, Bit>,
    /// It is the frame's last.
    pub last: Signal<In, Bit>,
    /// The FIFO has at least one place.
    pub room: Signal<In, Bit>,
    /// It has at least two.
    pub spare: Signal<In, Bit>,
    /// The beat goes into the FIFO.
    pub take: Signal<Out, Bit>,
    /// The beat goes into the FIFO as the end of a frame that was cut.
    pub cut: Signal<Out, Bit>,
    /// With this beat a frame is lost, whole or from here on.
    pub lost: Signal<Out, Bit>,
    inside: RegR<Bit>,
    fits: Signal<Local, Bit>,
}

impl Logic for FrameGuard {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, inside);
        self.inside.reset.next = self.reset.val();

        // `inside`: the frame under way is in the FIFO so far.
        self.fits.next = self.spare.val() | (self.last.val() & self.room.val());
        self.take.next = self.valid.val() & (self.first.val() | self.inside.q.val()) & self.fits.val();
        self.cut.next = self.valid.val() & !self.first.val() & self.inside.q.val() & !self.fits.val();
        self.lost.next = self.valid.val() & (self.first.val() | self.inside.q.val()) & !self.fits.val();
        if self.valid.val() {
            self.inside.d.next = self.take.val() & !self.last.val();
        }
    }
}
