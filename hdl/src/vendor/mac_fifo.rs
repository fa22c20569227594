//! The FIFO in front of a transmitting MAC. It cuts through: a frame leaves before it has come in whole.
//!
//! # Theory of operation
//! A transmitter that wants a beat inside a frame must get it; it may take beats faster than its line sends them, or none for a while.
//! A frame may start when [`MAC_START_BEATS`] of it are held, or its end. From then on the transmitter gets what it asks for. Between
//! frames the idle shrinks or grows, which is how the clocks of two links are evened out. The side that writes says once for each frame
//! that it may start; the side that reads counts how many may that have not.
//!
//! Beats come when the receiver has them and cannot be held back. What finds no room is handled by
//! [`FrameGuard`]: whole frames are lost, or a frame ends early and says so by `tx_cut`, upon which the transmitter has to spoil its FCS.
//!
//! # Arithmetic
//! 100 Gb/s are 20/33 beats of 64 bytes a clock of 322.265625 MHz. A line is off by up to 100 ppm, two lines by up to 200 ppm
//! against each other. Every 2,621,440 octets a line sends alignment markers, 160 octets long, and nothing else.
//!
//! **Start.** Against a frame's first beat going out, the transmitter can be ahead by:
//!
//! | | beats |
//! |---|---|
//! | what it takes ahead of its line ([`MAC_AHEAD_BEATS`]), and the beat that it is sending | 9 |
//! | receiver in alignment markers: 160 octets | 2.5 |
//! | receiver late otherwise: a beat that is not complete, two of jitter behind its decoder | 3 |
//! | this FIFO's two clocks from write to output | 1.2 |
//! | 200 ppm of 9600 bytes | 0.03 |
//!
//! Together 15.73: 16 beats. The transmitter never waits inside a frame.
//!
//! **Depth.** Octets of line time that may be behind the transmitter:
//!
//! | | octets |
//! |---|---|
//! | the start: 16 beats | 1024 |
//! | transmitter in alignment markers | 160 |
//! | receiver early: two beats of jitter | 128 |
//! | preamble and shortest idle of a frame in between | 20 |
//! | 200 ppm of 9620 octets | 2 |
//!
//! Together 1334. Nothing adds up from frame to frame as long as the transmitter may shrink the idle by the drift: 2 octets of 12 for
//! frames of 9600 bytes. So the MAC has to be set to an idle of 10 octets or less on average. Beats are densest
//! with frames of 65 bytes: 2 in 85 octets, so 1334 octets are 31.4 beats; with the one that leaves and the one that
//! comes, 34 of [`MAC_DEPTH_BEATS`], of which 62 are used.
//!
//! **Latency.** 2 clocks at least; at most those of 1334 octets and the FIFO's two: 36.4 clocks, 113 ns. A frame of 16 beats or more has at
//! least the time of 15 beats: 24.75 clocks.
//!
//! # Limits
//! [`MAC_AHEAD_BEATS`] is an assumption about the MAC that its guide does not confirm; `underflow` shows on the device whether it holds. `reset` is
//! for power-up alone.

use crate::axis::{Beat, FrameGuard, MacHead};
use crate::prelude::*;

/// Beats that a transmitter may take ahead of what its line has sent.
pub const MAC_AHEAD_BEATS: usize = 8;
/// Beats of a frame that must be there before it starts, unless its end is.
pub const MAC_START_BEATS: usize = 16;
/// Beats that the FIFO holds.
pub const MAC_DEPTH_BEATS: usize = 64;

/// Clocks from a beat's arrival to its departure at most, at the limits of clocks, markers and jitter that the tables above name.
pub const MAC_LATENCY_CLOCKS_MAX: usize = (BEHIND_OCTETS * 33).div_ceil(20 * 64) + 2;
/// Octets of line time that may be behind the transmitter.
const BEHIND_OCTETS: usize = MAC_START_BEATS * 64 + 160 + 128 + 20 + 2;

// The tables above, in 1/100 beats and in octets.
const _: () = assert!((MAC_AHEAD_BEATS + 1) * 100 + 250 + 300 + 122 + 3 <= MAC_START_BEATS * 100);
const _: () = assert!(BEHIND_OCTETS * 2 / 85 + 3 <= MAC_DEPTH_BEATS - 2 && MAC_LATENCY_CLOCKS_MAX == 37);

/// FIFO of one direction whose beats have `W` bits. It holds 2^A beats; `C` is A + 1.
#[derive(LogicBlock)]
pub struct MacFifo<const W: usize = 512, const A: usize = 6, const C: usize = 7> {
    /// Clock of the wire.
    pub clock: Signal<In, Clock>,
    /// Power-up reset.
    pub reset: Signal<In, Bit>,
    /// A beat that comes.
    pub rx: Signal<In, Beat>,
    /// Its data.
    pub rx_data: Signal<In, Bits<W>>,
    /// A beat for the transmitter.
    pub tx: Signal<Out, Beat>,
    /// Its data.
    pub tx_data: Signal<Out, Bits<W>>,
    /// With `tx.last`: the rest of the frame was lost here; it must not leave as a good frame.
    pub tx_cut: Signal<Out, Bit>,
    /// The transmitter takes the beat.
    pub tx_ready: Signal<In, Bit>,
    /// A frame was lost or cut because there was no room.
    pub overflow: Signal<Out, Bit>,
    /// The transmitter wants a beat inside a frame and there is none.
    pub underflow: Signal<Out, Bit>,
    guard: FrameGuard,
    heads: Fifo<MacHead, A, C>,
    words: Fifo<Bits<W>, A, C>,
    receiving: RegR<Bit>,
    own: RegR<Bits<C>>,
    allowed: RegR<Bit>,
    allow: RegR<Bit>,
    room: RegR<Bit>,
    spare: RegR<Bit>,
    startable: RegR<Bits<C>>,
    sending: RegR<Bit>,
    head_in: Signal<Local, MacHead>,
    head: Signal<Local, MacHead>,
    write: Signal<Local, Bit>,
    valid: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    starts: Signal<Local, Bit>,
    start: Constant<Bits<C>>,
    full_beat: Constant<Bits<7>>,
}

impl<const W: usize, const A: usize, const C: usize> MacFifo<W, A, C> {
    /// A FIFO that starts a frame when `start_beats` of it are held.
    ///
    /// # Panics
    /// If `start_beats` do not fit with room for an end, if `C` is not `A + 1`, or if a beat's bytes do not fit a [`Beat`].
    pub fn new(start_beats: usize) -> Self {
        assert!(start_beats > 0 && start_beats + 4 <= 1 << A, "{start_beats} of {} beats to start", 1 << A);
        assert!(W.is_multiple_of(8) && W <= 512, "beats of {W} bits");
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            rx: Signal::default(),
            rx_data: Signal::default(),
            tx: Signal::default(),
            tx_data: Signal::default(),
            tx_cut: Signal::default(),
            tx_ready: Signal::default(),
            overflow: Signal::default(),
            underflow: Signal::default(),
            guard: FrameGuard::default(),
            heads: Fifo::new(RamStyle::Distributed),
            words: Fifo::new(RamStyle::Distributed),
            receiving: RegR::default(),
            own: RegR::default(),
            allowed: RegR::default(),
            allow: RegR::default(),
            room: RegR::default(),
            spare: RegR::default(),
            startable: RegR::default(),
            sending: RegR::default(),
            head_in: Signal::default(),
            head: Signal::default(),
            write: Signal::default(),
            valid: Signal::default(),
            take: Signal::default(),
            starts: Signal::default(),
            start: Constant::new((start_beats as LiteralType - 1).into()),
            full_beat: Constant::new(((W / 8) as LiteralType).into()),
        }
    }
}

impl Default for MacFifo {
    /// For a MAC of 100 Gb/s.
    fn default() -> Self {
        const { assert!(MAC_DEPTH_BEATS == 1 << 6, "the type's default depth") };
        Self::new(MAC_START_BEATS)
    }
}

impl<const W: usize, const A: usize, const C: usize> Logic for MacFifo<W, A, C> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, receiving, own, allowed, allow, room, spare, startable, sending);
        clock!(self, clock, guard, heads, words);
        self.receiving.reset.next = self.reset.val();
        self.own.reset.next = self.reset.val();
        self.allowed.reset.next = self.reset.val();
        self.allow.reset.next = self.reset.val();
        self.room.reset.next = self.reset.val();
        self.spare.reset.next = self.reset.val();
        self.startable.reset.next = self.reset.val();
        self.sending.reset.next = self.reset.val();
        self.guard.reset.next = self.reset.val();
        self.heads.reset.next = self.reset.val();
        self.words.reset.next = self.reset.val();

        // In.
        if self.rx.val().valid {
            self.receiving.d.next = !self.rx.val().last;
        }
        self.guard.valid.next = self.rx.val().valid;
        self.guard.first.next = !self.receiving.q.val();
        self.guard.last.next = self.rx.val().last;
        // Of the places that are free, one may go at this clock.
        self.room.d.next = self.heads.space.val() > bits::<C>(1);
        self.guard.room.next = self.room.q.val();
        self.spare.d.next = self.heads.space.val() > bits::<C>(2);
        self.guard.spare.next = self.spare.q.val();
        self.overflow.next = self.guard.lost.val();
        self.write.next = self.guard.take.val() | self.guard.cut.val();
        self.head_in.next.last = self.rx.val().last | self.guard.cut.val();
        self.head_in.next.error = self.rx.val().error;
        self.head_in.next.cut = self.guard.cut.val();
        self.head_in.next.bytes = self.rx.val().bytes;
        if self.guard.cut.val() {
            self.head_in.next.bytes = self.full_beat.val();
        }
        self.heads.write.next = self.write.val();
        self.heads.data_in.next = self.head_in.val();
        self.words.write.next = self.write.val();
        self.words.data_in.next = self.rx_data.val();

        // `own` counts the frame's beats before this one, until it may start.
        self.allow.d.next = self.write.val()
            & !self.allowed.q.val()
            & (self.head_in.val().last | (self.own.q.val() == self.start.val()));
        if self.write.val() {
            self.allowed.d.next = (self.allowed.q.val() | self.allow.d.val()) & !self.head_in.val().last;
            if self.head_in.val().last {
                self.own.d.next = bits::<C>(0);
            } else if !self.allowed.q.val() {
                self.own.d.next = self.own.q.val() + bits::<C>(1);
            }
        }

        // Out.
        self.head.next = self.heads.data_out.val();
        self.valid.next = self.heads.valid.val() & (self.sending.q.val() | self.startable.q.val().any());
        self.take.next = self.valid.val() & self.tx_ready.val();
        self.heads.read.next = self.take.val();
        self.words.read.next = self.take.val();
        self.tx.next.valid = self.valid.val();
        self.tx.next.last = self.head.val().last;
        self.tx.next.error = self.head.val().error;
        self.tx.next.bytes = self.head.val().bytes;
        self.tx_cut.next = self.head.val().cut;
        self.tx_data.next = self.words.data_out.val();
        self.underflow.next = self.sending.q.val() & self.tx_ready.val() & !self.heads.valid.val();
        if self.take.val() {
            self.sending.d.next = !self.head.val().last;
        }

        self.starts.next = self.take.val() & !self.sending.q.val();
        if self.allow.q.val() & !self.starts.val() {
            self.startable.d.next = self.startable.q.val() + bits::<C>(1);
        }
        if !self.allow.q.val() & self.starts.val() {
            self.startable.d.next = self.startable.q.val() - bits::<C>(1);
        }
    }
}
