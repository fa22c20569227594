//! The last place in front of RQ: what has begun there goes on to its end, and nothing else begins when the session is over.
//!
//! # Theory of operation
//! A beat that was shown stays until it is taken. While `open` is low a beat is shown only if it was shown before, or belongs to a TLP that has begun; if another TLP
//! begins in such a beat, in its upper half, its marks are taken off, and the hard block sees no more of it. What stands behind is thrown away by the reset,
//! which has to wait until nothing is half out (`between`).

use crate::pcie::types::RqBeat;
use crate::prelude::*;

/// Beats to RQ.
#[derive(LogicBlock, Default)]
pub struct Outlet {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Forgets what is half out: with the hard block's reset alone, or while `between`.
    pub reset: Signal<In, Bit>,
    /// TLPs may begin.
    pub open: Signal<In, Bit>,
    /// There is a beat.
    pub beat_valid: Signal<In, Bit>,
    /// The beat.
    pub beat: Signal<In, RqBeat>,
    /// It is taken.
    pub beat_take: Signal<Out, Bit>,
    /// `s_axis_rq_tvalid`.
    pub rq_valid: Signal<Out, Bit>,
    /// `s_axis_rq_tready`, any of its four bits.
    pub rq_ready: Signal<In, Bit>,
    /// The beat, as RQ gets it.
    pub rq: Signal<Out, RqBeat>,
    /// A read went out, from a register.
    pub read_sent: Signal<Out, Bit>,
    /// A line that a beat brought has begun to go out.
    pub line_out: Signal<Out, Bit>,
    /// RQ has a beat and does not take it.
    pub waits: Signal<Out, Bit>,
    /// No TLP is half out, none is shown, and the reads are told.
    pub between: Signal<Out, Bit>,
    inside: RegR<Bit>,
    shown: RegR<Bit>,
    cut: RegR<Bit>,
    sent: RegR<Bit>,
    present: Signal<Local, RqBeat>,
    begins: Signal<Local, Bit>,
    ends: Signal<Local, Bits<2>>,
    shows: Signal<Local, Bit>,
    cuts: Signal<Local, Bit>,
    takes: Signal<Local, Bit>,
    goes_on: Signal<Local, Bit>,
}

impl Logic for Outlet {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, inside, shown, cut, sent);
        self.inside.reset.next = self.reset.val();
        self.shown.reset.next = self.reset.val();
        self.cut.reset.next = self.reset.val();
        self.sent.reset.next = self.reset.val();

        self.present.next = self.beat.val();
        self.begins.next = self.present.val().user.get_bit(20);
        self.ends.next = self.present.val().user.get_bits::<2>(26);
        self.shows.next = self.beat_valid.val() & (self.open.val() | self.inside.q.val() | self.shown.q.val());
        self.cuts.next = self.inside.q.val() & !self.open.val() & self.begins.val();
        if self.shown.q.val() {
            // As it was shown.
            self.cuts.next = self.cut.q.val();
        }
        self.takes.next = self.shows.val() & self.rq_ready.val();
        self.shown.d.next = self.shows.val() & !self.rq_ready.val();
        self.cut.d.next = self.cuts.val();

        // Whether a TLP goes on behind this beat: the one that began before it, or the one that begins in it.
        self.goes_on.next = self.begins.val() & !self.cuts.val() & !self.ends.val().get_bit(0);
        if self.inside.q.val() {
            self.goes_on.next =
                !self.ends.val().get_bit(0) | (self.begins.val() & !self.cuts.val() & !self.ends.val().get_bit(1));
        }
        if self.takes.val() {
            self.inside.d.next = self.goes_on.val();
        }
        self.sent.d.next = self.takes.val() & self.present.val().read & !self.cuts.val();

        self.rq.next = self.beat.val();
        if self.cuts.val() {
            // `is_eop[0]` and its pointer stay.
            self.rq.next.user = self.present.val().user & (bits::<36>(0xf4) << 24);
        }
        self.rq_valid.next = self.shows.val();
        self.beat_take.next = self.rq_ready.val() & (self.open.val() | self.inside.q.val() | self.shown.q.val());
        self.read_sent.next = self.sent.q.val();
        self.line_out.next = self.takes.val() & self.present.val().line & !self.cuts.val();
        self.waits.next = self.shown.q.val();
        self.between.next = !self.inside.q.val() & !self.shown.q.val() & !self.sent.q.val();
    }
}
