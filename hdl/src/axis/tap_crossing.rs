//! A tap branch from the clock of its wire to the clock of the core.
//!
//! # Theory of operation
//! Behind the [`Tap`](super::Tap) beats, with the stamp that their frame got at the MAC, go through a FIFO of 64. It needs
//! the room only for a core clock that is a little slower and for the few clocks of crossing: a MAC of 100 Gb/s gives at most
//! 0.92 beats a clock. Should it fill all the same, [`FrameGuard`] sees to it that the copy side gets whole frames, or frames that end
//! with `error` and `cut`; each is counted, by pulses of `lost`. Nothing here can reach the wire: there is no way back.
//!
//! A reset of the core empties the FIFO and closes it; the tap's view of frames is to be reset while `open` is low, so that it starts
//! with a whole frame.
//!
//! # Limits
//! `busy` falls some clocks after the last beat has come out, never before.

use super::async_fifo::AsyncFifoControl;
use super::beat::{TapBeat, TapHead};
use super::frame_guard::FrameGuard;
use crate::cdc::EventCrossing;
use crate::prelude::*;

const _: () = assert!(writ_abi::limits::TAP_FIFO_BEATS == 1 << 6, "the depth is the FIFO's type");

/// Crossing of one tap branch whose beats have `W` bits.
#[derive(LogicBlock, Default)]
pub struct TapCrossing<const W: usize = 512> {
    /// Clock of the wire.
    pub wire_clock: Signal<In, Clock>,
    /// A beat of the tap.
    pub tap_beat: Signal<In, TapBeat>,
    /// Its data.
    pub tap_data: Signal<In, Bits<W>>,
    /// Its frame's stamp.
    pub tap_stamp_ns: Signal<In, Bits<64>>,
    /// The stamp's quality.
    pub tap_stamp_quality: Signal<In, Bits<2>>,
    /// The tap holds a frame.
    pub tap_busy: Signal<In, Bit>,
    /// On the wire's clock: the core is not in reset. The tap's copy side is to be held in reset while this is low.
    pub open: Signal<Out, Bit>,
    /// On the wire's clock: a frame is lost.
    pub tap_lost: Signal<Out, Bit>,
    /// Clock of the core.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// A beat.
    pub beat: Signal<Out, TapBeat>,
    /// With `beat.last` and `beat.error`: the frame was cut here, whatever the MAC says.
    pub cut: Signal<Out, Bit>,
    /// Its data.
    pub data: Signal<Out, Bits<W>>,
    /// Its frame's stamp.
    pub stamp_ns: Signal<Out, Bits<64>>,
    /// The stamp's quality.
    pub stamp_quality: Signal<Out, Bits<2>>,
    /// A frame was lost, whole or its end; once for each.
    pub lost: Signal<Out, Bit>,
    /// A frame is at the tap or on its way.
    pub busy: Signal<Out, Bit>,
    guard: FrameGuard,
    control: AsyncFifoControl<6, 7>,
    heads: DualClockRam<TapHead, 6>,
    words: DualClockRam<Bits<W>, 6>,
    loses: Reg<Bit>,
    losses: EventCrossing<8>,
    quiet: RegR<Bits<4>>,
    occupied: Reg<Bit>,
    occupied_seen: Synchronizer<Bit>,
    head_in: Signal<Local, TapHead>,
    head: Signal<Local, TapHead>,
}

impl<const W: usize> Logic for TapCrossing<W> {
    #[hdl_gen]
    fn update(&mut self) {
        self.guard.clock.next = self.wire_clock.val();
        self.control.write_clock.next = self.wire_clock.val();
        self.heads.write_clock.next = self.wire_clock.val();
        self.words.write_clock.next = self.wire_clock.val();
        self.loses.clock.next = self.wire_clock.val();
        self.losses.from_clock.next = self.wire_clock.val();
        self.quiet.clock.next = self.wire_clock.val();
        self.occupied.clock.next = self.wire_clock.val();

        // On the wire's clock.
        self.open.next = self.control.open.val();
        self.guard.reset.next = !self.control.open.val();
        self.guard.valid.next = self.tap_beat.val().valid & self.control.open.val();
        self.guard.first.next = self.tap_beat.val().first;
        self.guard.last.next = self.tap_beat.val().last;
        self.guard.room.next = !self.control.full.val();
        self.guard.spare.next = self.control.spare.val();
        self.loses.d.next = self.guard.lost.val();
        self.tap_lost.next = self.loses.q.val();
        self.losses.event.next = self.loses.q.val();
        self.control.write_reset.next = false;
        self.control.write.next = self.guard.take.val() | self.guard.cut.val();
        self.head_in.next.first = self.tap_beat.val().first;
        self.head_in.next.last = self.tap_beat.val().last | self.guard.cut.val();
        self.head_in.next.error = self.tap_beat.val().error | self.guard.cut.val();
        self.head_in.next.cut = self.guard.cut.val();
        self.head_in.next.length = self.tap_beat.val().length;
        self.head_in.next.stamp = self.tap_stamp_ns.val();
        self.head_in.next.quality = self.tap_stamp_quality.val();
        self.heads.write_enable.next = self.control.write_enable.val();
        self.heads.write_address.next = self.control.write_address.val();
        self.heads.write_data.next = self.head_in.val();
        self.words.write_enable.next = self.control.write_enable.val();
        self.words.write_address.next = self.control.write_address.val();
        self.words.write_data.next = self.tap_data.val();

        // Long enough for the last beat to be seen in the core's count before this falls.
        self.quiet.reset.next = self.tap_busy.val() | self.tap_beat.val().valid;
        self.quiet.d.next = self.quiet.q.val();
        if !self.quiet.q.val().all() {
            self.quiet.d.next = self.quiet.q.val() + bits::<4>(1);
        }
        self.occupied.d.next = !self.quiet.q.val().all();

        // On the core's clock.
        self.control.read_clock.next = self.clock.val();
        self.heads.read_clock.next = self.clock.val();
        self.words.read_clock.next = self.clock.val();
        clock!(self, clock, losses, occupied_seen);
        self.losses.reset.next = self.reset.val();
        self.occupied_seen.d.next = self.occupied.q.val();
        self.control.read_reset.next = self.reset.val();
        self.control.read.next = true;
        self.heads.read_enable.next = self.control.read_enable.val();
        self.heads.read_address.next = self.control.read_address.val();
        self.words.read_enable.next = self.control.read_enable.val();
        self.words.read_address.next = self.control.read_address.val();
        self.head.next = self.heads.read_data.val();
        self.beat.next.valid = self.control.valid.val();
        self.beat.next.first = self.head.val().first;
        self.beat.next.last = self.head.val().last;
        self.beat.next.error = self.head.val().error;
        self.beat.next.length = self.head.val().length;
        self.cut.next = self.head.val().cut;
        self.data.next = self.words.read_data.val();
        self.stamp_ns.next = self.head.val().stamp;
        self.stamp_quality.next = self.head.val().quality;
        self.lost.next = self.losses.seen.val();
        self.busy.next = self.occupied_seen.q.val() | self.control.count.val().any();
    }
}
