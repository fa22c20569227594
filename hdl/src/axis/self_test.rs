//! A frame that the card makes itself, to show that the copy path works from the window to the host.
//!
//! # Theory of operation
//! The block stands between a tap branch and the copy side, on the core's clock. Once in a `period`, in the first clock in which neither a
//! frame is under way nor a beat comes, it gives a frame of its own, a single beat of 64 bytes. From there on that frame is one of its
//! port's: window, parser, lookup, frame store, record. It never comes near the wire, which ends in front of this block, and
//! it takes no place from a frame: the clock would have been empty. All beats leave through a register, one clock after they came, because much hangs
//! on them on the other side.
//!
//! [`writ_abi::self_test`] says what the frame holds. Its sequence number counts frames of this block since its reset.
//!
//! # Limits
//! A MAC leaves a clock without a beat between any two frames (84 octets of line for the shortest frame are more than two clocks), so a
//! frame waits one frame long at most. Its stamp is the core's time, which frames that come behind it may have got up to the
//! crossing's few clocks earlier. Wire counters do not count it; `sent` does.

use super::beat::TapBeat;
use crate::prelude::*;
use writ_abi::self_test;

/// Puts frames of the card's own into a port's copy side.
#[derive(LogicBlock)]
pub struct SelfTest {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// Make frames.
    pub enable: Signal<In, Bit>,
    /// Clocks from one frame to the next, less one.
    pub period: Signal<In, Bits<32>>,
    /// Stands in each frame.
    pub token: Signal<In, Bits<64>>,
    /// Card time.
    pub now_ns: Signal<In, Bits<64>>,
    /// Its quality.
    pub quality: Signal<In, Bits<2>>,
    /// From the tap branch.
    pub tap_beat: Signal<In, TapBeat>,
    /// Its data.
    pub tap_data: Signal<In, Bits<512>>,
    /// Its frame's stamp.
    pub tap_stamp_ns: Signal<In, Bits<64>>,
    /// The stamp's quality.
    pub tap_stamp_quality: Signal<In, Bits<2>>,
    /// For the copy side, one clock later.
    pub beat: Signal<Out, TapBeat>,
    /// Its data.
    pub data: Signal<Out, Bits<512>>,
    /// Its frame's stamp.
    pub stamp_ns: Signal<Out, Bits<64>>,
    /// The stamp's quality.
    pub stamp_quality: Signal<Out, Bits<2>>,
    /// `beat` is a frame of this block.
    pub sent: Signal<Out, Bit>,
    /// Frames of this block so far.
    pub count: Signal<Out, Bits<32>>,
    countdown: RegR<Bits<32>>,
    due: RegR<Bit>,
    in_frame: RegR<Bit>,
    sequence: RegR<Bits<32>>,
    out_beat: RegR<TapBeat>,
    out_data: Reg<Bits<512>>,
    out_stamp: Reg<Bits<64>>,
    out_quality: Reg<Bits<2>>,
    out_sent: RegR<Bit>,
    fixed: Constant<Bits<512>>,
    sends: Signal<Local, Bit>,
    next_beat: Signal<Local, TapBeat>,
}

impl SelfTest {
    /// The generator of a port: 0 A, 1 B.
    pub fn new(port: u8) -> Self {
        let frame = self_test::frame(port, 0, 0);
        let fixed = frame.iter().enumerate().fold(Bits::<512>::default(), |word, (at, byte)| {
            word | bit_cast::<512, 8>(bits::<8>(LiteralType::from(*byte))) << (at as LiteralType * 8)
        });
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            enable: Signal::default(),
            period: Signal::default(),
            token: Signal::default(),
            now_ns: Signal::default(),
            quality: Signal::default(),
            tap_beat: Signal::default(),
            tap_data: Signal::default(),
            tap_stamp_ns: Signal::default(),
            tap_stamp_quality: Signal::default(),
            beat: Signal::default(),
            data: Signal::default(),
            stamp_ns: Signal::default(),
            stamp_quality: Signal::default(),
            sent: Signal::default(),
            count: Signal::default(),
            countdown: RegR::default(),
            due: RegR::default(),
            in_frame: RegR::default(),
            sequence: RegR::default(),
            out_beat: RegR::default(),
            out_data: Reg::default(),
            out_stamp: Reg::default(),
            out_quality: Reg::default(),
            out_sent: RegR::default(),
            fixed: Constant::new(fixed),
            sends: Signal::default(),
            next_beat: Signal::default(),
        }
    }
}

const _: () = assert!(self_test::TOKEN_AT == 46 && self_test::SEQUENCE_AT == 54, "the kernel writes 8 times both");
const _: () = assert!(self_test::FRAME_BYTES == 64, "one beat");

impl Logic for SelfTest {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, countdown, due, in_frame, sequence);
        dff_setup!(self, clock, out_beat, out_data, out_stamp, out_quality, out_sent);
        self.countdown.reset.next = self.reset.val() | !self.enable.val();
        self.due.reset.next = self.reset.val() | !self.enable.val();
        self.in_frame.reset.next = self.reset.val();
        self.sequence.reset.next = self.reset.val();
        self.out_beat.reset.next = self.reset.val();
        self.out_sent.reset.next = self.reset.val();

        if self.tap_beat.val().valid {
            self.in_frame.d.next = !self.tap_beat.val().last;
        }
        self.sends.next = self.due.q.val() & !self.tap_beat.val().valid & !self.in_frame.q.val();
        self.countdown.d.next = self.countdown.q.val() - bits::<32>(1);
        self.due.d.next = self.due.q.val() & !self.sends.val();
        if !self.countdown.q.val().any() {
            self.countdown.d.next = self.period.val();
            self.due.d.next = true;
        }
        if self.sends.val() {
            self.sequence.d.next = self.sequence.q.val() + bits::<32>(1);
        }
        self.count.next = self.sequence.q.val();

        self.out_sent.d.next = self.sends.val();
        self.next_beat.next = self.tap_beat.val();
        self.out_data.d.next = self.tap_data.val();
        self.out_stamp.d.next = self.tap_stamp_ns.val();
        self.out_quality.d.next = self.tap_stamp_quality.val();
        if self.sends.val() {
            self.next_beat.next.valid = true;
            self.next_beat.next.first = true;
            self.next_beat.next.last = true;
            self.next_beat.next.error = false;
            self.next_beat.next.length = bits::<16>(64);
            self.out_data.d.next = self.fixed.val()
                | (bit_cast::<512, 64>(self.token.val()) << 368)
                | (bit_cast::<512, 32>(self.sequence.q.val()) << 432);
            self.out_stamp.d.next = self.now_ns.val();
            self.out_quality.d.next = self.quality.val();
        }
        self.out_beat.d.next = self.next_beat.val();
        self.beat.next = self.out_beat.q.val();
        self.data.next = self.out_data.q.val();
        self.stamp_ns.next = self.out_stamp.q.val();
        self.stamp_quality.next = self.out_quality.q.val();
        self.sent.next = self.out_sent.q.val();
    }
}
