//! The tap branch of one direction: where frames begin and end, how long they are, when they came.
//!
//! # Theory of operation
//! `in_frame` and `length` follow the wire and know nothing of the copy side's reset, so that a reset in the middle of a frame
//! does not shift what counts as a frame's start. The copy side's own view (`beat`) starts with the first frame whose first beat comes
//! after the reset: `live` says so. The stamp is the clock's register in the very clock in which the frame's first beat
//! is at the receiver.
//!
//! # Limits
//! Lengths stop at 65535 bytes.

use super::beat::{Beat, TapBeat};
use crate::prelude::*;

/// Tap branch of one direction. Everything comes out one clock after it was at the receiver.
#[derive(LogicBlock, Default)]
pub struct Tap {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// Power-up reset.
    pub wire_reset: Signal<In, Bit>,
    /// From the receiving MAC.
    pub rx: Signal<In, Beat>,
    /// Its data.
    pub rx_data: Signal<In, Bits<512>>,
    /// Card time.
    pub now_ns: Signal<In, Bits<64>>,
    /// Time quality.
    pub quality: Signal<In, Bits<2>>,
    /// The copy side's view of the beat.
    pub beat: Signal<Out, TapBeat>,
    /// Its data.
    pub data: Signal<Out, Bits<512>>,
    /// Stamp of the frame that `beat` belongs to.
    pub stamp_ns: Signal<Out, Bits<64>>,
    /// Time quality at the stamp.
    pub stamp_quality: Signal<Out, Bits<2>>,
    /// A frame has ended, whether the copy side saw its start or not.
    pub arrived: Signal<Out, Bit>,
    /// The MAC marked it as damaged.
    pub arrived_error: Signal<Out, Bit>,
    /// Its bytes with FCS.
    pub arrived_bytes: Signal<Out, Bits<16>>,
    /// A frame is under way, or its last beat is at `beat`.
    pub busy: Signal<Out, Bit>,
    in_frame: RegR<Bit>,
    live: RegR<Bit>,
    seen: RegR<TapBeat>,
    length: Reg<Bits<16>>,
    payload: Reg<Bits<512>>,
    stamp: Reg<Bits<64>>,
    stamp_grade: Reg<Bits<2>>,
    ended: RegR<Bit>,
    ended_error: Reg<Bit>,
    first: Signal<Local, Bit>,
    before: Signal<Local, Bits<17>>,
    bytes: Signal<Local, Bits<17>>,
    sum: Signal<Local, Bits<17>>,
    total: Signal<Local, Bits<16>>,
}

impl Logic for Tap {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, in_frame, live, seen, length, payload, stamp, stamp_grade, ended, ended_error);
        self.in_frame.reset.next = self.wire_reset.val();
        self.ended.reset.next = self.wire_reset.val();
        self.live.reset.next = self.reset.val();
        self.seen.reset.next = self.reset.val();

        self.first.next = self.rx.val().valid & !self.in_frame.q.val();
        if self.rx.val().valid {
            self.in_frame.d.next = !self.rx.val().last;
        }

        self.before.next = bit_cast::<17, 16>(self.length.q.val());
        if self.first.val() {
            self.before.next = bits::<17>(0);
        }
        self.bytes.next = bits::<17>(64);
        if self.rx.val().last {
            self.bytes.next = bit_cast::<17, 7>(self.rx.val().bytes);
        }
        self.sum.next = self.before.val() + self.bytes.val();
        self.total.next = self.sum.val().get_bits::<16>(0);
        if self.sum.val().get_bit(16) {
            self.total.next = bits::<16>(0xffff);
        }

        self.live.d.next = self.live.q.val() | self.first.val();
        self.seen.d.next.valid = self.rx.val().valid & (self.first.val() | self.live.q.val());
        self.seen.d.next.first = self.first.val();
        self.seen.d.next.last = self.rx.val().last;
        self.seen.d.next.error = self.rx.val().error;
        self.seen.d.next.length = self.total.val();
        self.ended.d.next = self.rx.val().valid & self.rx.val().last;
        self.ended_error.d.next = self.rx.val().error;
        if self.rx.val().valid {
            self.length.d.next = self.total.val();
            self.payload.d.next = self.rx_data.val();
        }
        if self.first.val() {
            self.stamp.d.next = self.now_ns.val();
            self.stamp_grade.d.next = self.quality.val();
        }

        self.beat.next = self.seen.q.val();
        self.data.next = self.payload.q.val();
        self.stamp_ns.next = self.stamp.q.val();
        self.stamp_quality.next = self.stamp_grade.q.val();
        self.busy.next = self.in_frame.q.val() | self.seen.q.val().valid;
        self.arrived.next = self.ended.q.val();
        self.arrived_error.next = self.ended_error.q.val();
        self.arrived_bytes.next = self.length.q.val();
    }
}
