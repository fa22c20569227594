//! Gathers the first 192 bytes of each frame of one direction.
//!
//! # Theory of operation
//! Beat `n` of a frame goes into slot `n` and nowhere else, so a window is complete in the clock after its last beat
//! without a multiplexer, and the next frame may overwrite it in that very clock, because the FIFO takes it at the same
//! edge. The last beat of a long frame's window is its fourth, which is not stored: up to four bytes in front of it may be FCS, and only the fourth says
//! how many. Whether there is room is decided in the clock of the completing beat, so that the frame store learns in time
//! that no verdict will come.

use super::types::Window;
use crate::axis::TapBeat;
use crate::prelude::*;
use writ_abi::limits;

const _: () = assert!(limits::WINDOW_BYTES == 3 * limits::LINE_BYTES && limits::FCS_BYTES == 4);

/// Window collector of one direction.
#[derive(LogicBlock, Default)]
pub struct WindowCollector {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// A beat.
    pub beat: Signal<In, TapBeat>,
    /// Its data.
    pub data: Signal<In, Bits<512>>,
    /// Stamp of the beat's frame.
    pub stamp_ns: Signal<In, Bits<64>>,
    /// Time quality at the stamp.
    pub stamp_quality: Signal<In, Bits<2>>,
    /// Where the beat's frame starts in the frame store.
    pub start: Signal<In, Bits<12>>,
    /// Windows that still fit into the FIFO behind.
    pub space: Signal<In, Bits<7>>,
    /// With this beat the frame's window is complete.
    pub complete: Signal<Out, Bit>,
    /// With `complete`: there is no room, the frame will not be looked up.
    pub dropped: Signal<Out, Bit>,
    /// Put `window` into the FIFO.
    pub push: Signal<Out, Bit>,
    /// A complete window.
    pub window: Signal<Out, Window>,
    slot_0: Reg<Bits<512>>,
    slot_1: Reg<Bits<512>>,
    slot_2: Reg<Bits<512>>,
    beats: RegR<Bits<3>>,
    length: Reg<Bits<8>>,
    stamp: Reg<Bits<64>>,
    quality: Reg<Bits<2>>,
    first_line: Reg<Bits<12>>,
    pushing: RegR<Bit>,
    index: Signal<Local, Bits<3>>,
    ends: Signal<Local, Bit>,
    room: Signal<Local, Bit>,
}

impl Logic for WindowCollector {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, slot_0, slot_1, slot_2, beats, length, stamp, quality, first_line, pushing);
        self.beats.reset.next = self.reset.val();
        self.pushing.reset.next = self.reset.val();

        // `beats` counts the frame's beats before this one and stops at 4: its window is complete.
        self.index.next = self.beats.q.val();
        if self.beat.val().first {
            self.index.next = bits::<3>(0);
        }
        self.ends.next = self.beat.val().valid
            & !self.index.val().get_bit(2)
            & (self.beat.val().last | (self.index.val() == bits::<3>(3)));
        self.room.next = self.space.val() > bit_cast::<7, 1>(self.pushing.q.val().into());
        self.complete.next = self.ends.val();
        self.dropped.next = !self.room.val();
        self.pushing.d.next = self.ends.val() & self.room.val();

        if self.beat.val().valid {
            if !self.index.val().get_bit(2) {
                self.beats.d.next = self.index.val() + bits::<3>(1);
            }
            if self.index.val() == bits::<3>(0) {
                self.slot_0.d.next = self.data.val();
                self.stamp.d.next = self.stamp_ns.val();
                self.quality.d.next = self.stamp_quality.val();
                self.first_line.d.next = self.start.val();
            }
            if self.index.val() == bits::<3>(1) {
                self.slot_1.d.next = self.data.val();
            }
            if self.index.val() == bits::<3>(2) {
                self.slot_2.d.next = self.data.val();
            }
            // The FCS does not count; longer than the window: all of that counts.
            if !self.beat.val().last | (self.beat.val().length > bits::<16>(195)) {
                self.length.d.next = bits::<8>(192);
            } else if self.beat.val().length < bits::<16>(4) {
                self.length.d.next = bits::<8>(0);
            } else {
                self.length.d.next = self.beat.val().length.get_bits::<8>(0) - bits::<8>(4);
            }
        }

        self.push.next = self.pushing.q.val();
        self.window.next.bytes = bit_cast::<1536, 512>(self.slot_0.q.val())
            | (bit_cast::<1536, 512>(self.slot_1.q.val()) << 512)
            | (bit_cast::<1536, 512>(self.slot_2.q.val()) << 1024);
        self.window.next.length = self.length.q.val();
        self.window.next.quality = self.quality.q.val();
        self.window.next.stamp = self.stamp.q.val();
        self.window.next.start = self.first_line.q.val();
    }
}
