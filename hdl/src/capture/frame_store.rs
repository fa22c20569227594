//! Keeps one port's frames until their verdict.
//!
//! # Theory of operation
//! The store is a ring of 2048 lines. A frame's lines are written as its beats come; whether they stay is known at its end. A frame that
//! did not fit, is too long, or was flagged by the MAC gives its lines back by moving the write position to where it
//! started, and leaves only a description. A frame whose window was dropped leaves nothing, because no verdict will ask for it. Positions have one
//! bit more than addresses, so that a full ring and an empty one differ.
//!
//! A frame that does not end within 1023 beats is described as it stands then, so that whoever waits for it does not
//! wait for ever.

use super::types::Description;
use crate::axis::TapBeat;
use crate::prelude::*;
use writ_abi::limits;

const _: () = {
    assert!(limits::COPY_FIFO_LINES == 1 << 11 && limits::FRAME_BYTES_MAX == 9_668);
    assert!(limits::COPY_FRAMES_MAX <= 1 << 10, "descriptions that the store keeps");
};

/// Frame store of one port.
#[derive(LogicBlock)]
pub struct FrameStore {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// A beat.
    pub beat: Signal<In, TapBeat>,
    /// Its data.
    pub data: Signal<In, Bits<512>>,
    /// With this beat the frame's window is complete.
    pub window_complete: Signal<In, Bit>,
    /// With `window_complete`: the frame will not be looked up.
    pub window_dropped: Signal<In, Bit>,
    /// Everything in front of this position may be overwritten.
    pub free: Signal<In, Bits<12>>,
    /// With a frame's first beat: where it starts.
    pub start: Signal<Out, Bits<12>>,
    /// Number of the first frame that has no description yet.
    pub described: Signal<Out, Bits<10>>,
    /// Read a description at this clock.
    pub describe: Signal<In, Bit>,
    /// Which.
    pub describe_number: Signal<In, Bits<10>>,
    /// The description, one clock later.
    pub description: Signal<Out, Description>,
    /// Read a line at this clock.
    pub read: Signal<In, Bit>,
    /// Which.
    pub read_line: Signal<In, Bits<11>>,
    /// The line, one clock later.
    pub line: Signal<Out, Bits<512>>,
    lines: Ram1r1w<Bits<512>, 11>,
    descriptions: Ram1r1w<Description, 10>,
    base: RegR<Bits<12>>,
    next_line: Reg<Bits<12>>,
    fits_so_far: Reg<Bit>,
    unseen: Reg<Bit>,
    settled: Reg<Bit>,
    count: RegR<Bits<10>>,
    at: Signal<Local, Bits<12>>,
    used: Signal<Local, Bits<12>>,
    fits: Signal<Local, Bit>,
    oversize: Signal<Local, Bit>,
    dropped: Signal<Local, Bit>,
    endless: Signal<Local, Bit>,
    settles: Signal<Local, Bit>,
    stored: Signal<Local, Bit>,
    words: Signal<Local, Description>,
}

impl Default for FrameStore {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            beat: Signal::default(),
            data: Signal::default(),
            window_complete: Signal::default(),
            window_dropped: Signal::default(),
            free: Signal::default(),
            start: Signal::default(),
            described: Signal::default(),
            describe: Signal::default(),
            describe_number: Signal::default(),
            description: Signal::default(),
            read: Signal::default(),
            read_line: Signal::default(),
            line: Signal::default(),
            lines: Ram1r1w::new(RamStyle::Ultra),
            descriptions: Ram1r1w::new(RamStyle::Block),
            base: RegR::default(),
            next_line: Reg::default(),
            fits_so_far: Reg::default(),
            unseen: Reg::default(),
            settled: Reg::default(),
            count: RegR::default(),
            at: Signal::default(),
            used: Signal::default(),
            fits: Signal::default(),
            oversize: Signal::default(),
            dropped: Signal::default(),
            endless: Signal::default(),
            settles: Signal::default(),
            stored: Signal::default(),
            words: Signal::default(),
        }
    }
}

impl Logic for FrameStore {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, base, next_line, fits_so_far, unseen, settled, count);
        clock!(self, clock, lines, descriptions);
        self.base.reset.next = self.reset.val();
        self.count.reset.next = self.reset.val();

        // Where this beat goes, and whether it may.
        self.at.next = self.next_line.q.val();
        if self.beat.val().first {
            self.at.next = self.base.q.val();
        }
        self.used.next = self.at.val() - self.free.val();
        self.fits.next = !self.used.val().get_bit(11) & (self.beat.val().first | self.fits_so_far.q.val());
        self.oversize.next = self.beat.val().length > bits::<16>(9668);
        self.lines.write_enable.next = self.beat.val().valid & self.fits.val() & !self.oversize.val();
        self.lines.write_address.next = self.at.val().get_bits::<11>(0);
        self.lines.write_data.next = self.data.val();

        // What becomes of the frame.
        self.dropped.next =
            (self.window_complete.val() & self.window_dropped.val()) | (self.unseen.q.val() & !self.beat.val().first);
        self.endless.next = self.beat.val().length.get_bits::<10>(6).all();
        self.settles.next = self.beat.val().valid
            & (self.beat.val().last | self.endless.val())
            & (self.beat.val().first | !self.settled.q.val());
        self.stored.next = self.beat.val().last
            & self.fits.val()
            & !self.oversize.val()
            & !self.beat.val().error
            & !self.dropped.val();
        self.words.next.length = self.beat.val().length;
        self.words.next.error = self.beat.val().last & self.beat.val().error;
        self.words.next.oversize = self.oversize.val();
        self.words.next.stored = self.stored.val();
        self.descriptions.write_enable.next = self.settles.val() & !self.dropped.val();
        self.descriptions.write_address.next = self.count.q.val();
        self.descriptions.write_data.next = self.words.val();
        if self.beat.val().valid {
            self.next_line.d.next = self.at.val() + bits::<12>(1);
            self.fits_so_far.d.next = self.fits.val();
            self.unseen.d.next = self.dropped.val();
            self.settled.d.next = self.settles.val() | (self.settled.q.val() & !self.beat.val().first);
        }
        if self.settles.val() & !self.dropped.val() {
            self.count.d.next = self.count.q.val() + bits::<10>(1);
        }
        if self.settles.val() & self.stored.val() {
            self.base.d.next = self.at.val() + bits::<12>(1);
        }
        self.start.next = self.base.q.val();
        self.described.next = self.count.q.val();

        self.descriptions.read_enable.next = self.describe.val();
        self.descriptions.read_address.next = self.describe_number.val();
        self.description.next = self.descriptions.read_data.val();
        self.lines.read_enable.next = self.read.val();
        self.lines.read_address.next = self.read_line.val();
        self.line.next = self.lines.read_data.val();
    }
}
