//! One direction between the MAC and the core: the tap on the wire's clock, its crossing, the time it stamps with, the wire's counters.
//!
//! # Overview
//! ```text
//! rx ──► WidthUp ──► Tap ──► TapCrossing ──► beats, stamps (core)
//!           ▲         ▲          │ open
//!           │         └──────────┘
//!      TimeCrossing ◄── card time (core)      WireCounters ──► counts (core)
//! ```
//! # Theory of operation
//! A frame is stamped in the clock of the wire in which its first beat stands at the receiver, whatever the wire's width. The error of that time against the card's is
//! [`TimeCrossing`]'s: 2.6 ns (5.7 ns in the rare case of a metastable sample), and within one direction stamps never go back.
//!
//! # Limits
//! Nothing leads from here to the wire.

use super::beat::{Beat, TapBeat};
use super::tap::Tap;
use super::tap_crossing::TapCrossing;
use super::width::WidthUp;
use super::wire_counters::{WIRE_COUNTS, WireCounters};
use crate::prelude::*;
use crate::time::TimeCrossing;
use writ_abi::limits;

/// Lines of the longest frame.
const FRAME_LINES: usize = limits::FRAME_BYTES_MAX.div_ceil(limits::LINE_BYTES);
/// What crossings and a wire that stalls for a moment may take besides.
const SLACK_CLOCKS: usize = 40;

/// Tap branch of one direction whose wire has beats of `W` bits, `R` of which make one of the core's.
#[derive(LogicBlock)]
pub struct TapBranch<const W: usize = 512, const R: usize = 1> {
    /// Clock of the wire.
    pub wire_clock: Signal<In, Clock>,
    /// Power-up reset, on the wire's clock.
    pub wire_reset: Signal<In, Bit>,
    /// From the receiving MAC.
    pub rx: Signal<In, Beat>,
    /// Its data.
    pub rx_data: Signal<In, Bits<W>>,
    /// A frame leaves for the transmitting MAC.
    pub departed: Signal<In, Bit>,
    /// See [`WireCounters`].
    pub mac_overflow: Signal<In, Bit>,
    /// See [`WireCounters`].
    pub mac_underflow: Signal<In, Bit>,
    /// On the wire's clock, for tests: a frame got its stamp.
    pub stamped: Signal<Out, Bit>,
    /// The stamp.
    pub stamped_ns: Signal<Out, Bits<64>>,
    /// Its quality.
    pub stamped_quality: Signal<Out, Bits<2>>,
    /// Clock of the core.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// Card time.
    pub now_ns: Signal<In, Bits<64>>,
    /// Its quality.
    pub quality: Signal<In, Bits<2>>,
    /// Card time is stepped: from the next clock on it is another.
    pub step: Signal<In, Bit>,
    /// Copy the wire's counts.
    pub snapshot: Signal<In, Bit>,
    /// The counts have not come yet.
    pub snapshot_pending: Signal<Out, Bit>,
    /// See [`WireCounters`].
    pub counts: [Signal<Out, Bits<64>>; WIRE_COUNTS],
    /// See [`TapCrossing`].
    pub beat: Signal<Out, TapBeat>,
    /// See [`TapCrossing`].
    pub cut: Signal<Out, Bit>,
    /// See [`TapCrossing`].
    pub data: Signal<Out, Bits<512>>,
    /// See [`TapCrossing`].
    pub stamp_ns: Signal<Out, Bits<64>>,
    /// See [`TapCrossing`].
    pub stamp_quality: Signal<Out, Bits<2>>,
    /// See [`TapCrossing`].
    pub lost: Signal<Out, Bit>,
    /// See [`TapCrossing`].
    pub busy: Signal<Out, Bit>,
    /// Clocks of the core that a frame may last: more than the longest needs. Never changes.
    pub frame_clocks: Signal<Out, Bits<11>>,
    frame_clocks_max: Constant<Bits<11>>,
    up: WidthUp<W, R>,
    tap: Tap,
    crossing: TapCrossing<512>,
    time: TimeCrossing,
    counters: WireCounters,
    tapped: Signal<Local, TapBeat>,
}

impl<const W: usize, const R: usize> TapBranch<W, R> {
    /// A branch that gets its time through `time`, which knows the clocks' periods.
    pub fn new(time: TimeCrossing) -> Self {
        Self {
            wire_clock: Signal::default(),
            wire_reset: Signal::default(),
            rx: Signal::default(),
            rx_data: Signal::default(),
            departed: Signal::default(),
            mac_overflow: Signal::default(),
            mac_underflow: Signal::default(),
            stamped: Signal::default(),
            stamped_ns: Signal::default(),
            stamped_quality: Signal::default(),
            clock: Signal::default(),
            reset: Signal::default(),
            now_ns: Signal::default(),
            quality: Signal::default(),
            step: Signal::default(),
            snapshot: Signal::default(),
            snapshot_pending: Signal::default(),
            counts: Default::default(),
            beat: Signal::default(),
            cut: Signal::default(),
            data: Signal::default(),
            stamp_ns: Signal::default(),
            stamp_quality: Signal::default(),
            lost: Signal::default(),
            busy: Signal::default(),
            frame_clocks: Signal::default(),
            frame_clocks_max: Constant::new(((FRAME_LINES * R + SLACK_CLOCKS) as LiteralType).into()),
            up: WidthUp::default(),
            tap: Tap::default(),
            crossing: TapCrossing::default(),
            time,
            counters: WireCounters::default(),
            tapped: Signal::default(),
        }
    }
}

impl<const W: usize, const R: usize> Default for TapBranch<W, R> {
    /// Both clocks at 322.265625 MHz.
    fn default() -> Self {
        Self::new(TimeCrossing::default())
    }
}

impl<const W: usize, const R: usize> Logic for TapBranch<W, R> {
    #[hdl_gen]
    fn update(&mut self) {
        self.frame_clocks.next = self.frame_clocks_max.val();
        self.tap.clock.next = self.wire_clock.val();
        self.tap.wire_reset.next = self.wire_reset.val();
        self.tap.reset.next = !self.crossing.open.val();
        self.up.clock.next = self.wire_clock.val();
        self.up.reset.next = self.wire_reset.val();
        self.up.rx.next = self.rx.val();
        self.up.rx_data.next = self.rx_data.val();
        self.up.now_ns.next = self.time.wire_now_ns.val();
        self.up.quality.next = self.time.wire_quality.val();
        self.tap.rx.next = self.up.wide.val();
        self.tap.rx_data.next = self.up.wide_data.val();
        self.tap.now_ns.next = self.up.stamp_ns.val();
        self.tap.quality.next = self.up.stamp_quality.val();
        self.tapped.next = self.tap.beat.val();
        self.stamped.next = self.tapped.val().valid & self.tapped.val().first;
        self.stamped_ns.next = self.tap.stamp_ns.val();
        self.stamped_quality.next = self.tap.stamp_quality.val();

        self.time.clock.next = self.clock.val();
        self.time.reset.next = self.reset.val();
        self.time.now_ns.next = self.now_ns.val();
        self.time.quality.next = self.quality.val();
        self.time.step.next = self.step.val();
        self.time.wire_clock.next = self.wire_clock.val();

        self.crossing.wire_clock.next = self.wire_clock.val();
        self.crossing.tap_beat.next = self.tap.beat.val();
        self.crossing.tap_data.next = self.tap.data.val();
        self.crossing.tap_stamp_ns.next = self.tap.stamp_ns.val();
        self.crossing.tap_stamp_quality.next = self.tap.stamp_quality.val();
        self.crossing.tap_busy.next = self.tap.busy.val() | self.rx.val().valid;
        self.crossing.clock.next = self.clock.val();
        self.crossing.reset.next = self.reset.val();
        self.beat.next = self.crossing.beat.val();
        self.cut.next = self.crossing.cut.val();
        self.data.next = self.crossing.data.val();
        self.stamp_ns.next = self.crossing.stamp_ns.val();
        self.stamp_quality.next = self.crossing.stamp_quality.val();
        self.lost.next = self.crossing.lost.val();
        self.busy.next = self.crossing.busy.val();

        self.counters.wire_clock.next = self.wire_clock.val();
        self.counters.arrived.next = self.tap.arrived.val();
        self.counters.arrived_bytes.next = self.tap.arrived_bytes.val();
        self.counters.arrived_error.next = self.tap.arrived_error.val();
        self.counters.departed.next = self.departed.val();
        self.counters.tap_lost.next = self.crossing.tap_lost.val();
        self.counters.mac_overflow.next = self.mac_overflow.val();
        self.counters.mac_underflow.next = self.mac_underflow.val();
        self.counters.clock.next = self.clock.val();
        self.counters.reset.next = self.reset.val();
        self.counters.snapshot.next = self.snapshot.val();
        self.snapshot_pending.next = self.counters.pending.val();
        for i in 0..WIRE_COUNTS {
            self.counts[i].next = self.counters.values[i].val();
        }
    }
}
