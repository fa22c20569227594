//! Blocks with two clocks, and what belongs to them.

use crate::bench::{Case, Edges, Random};
use crate::case;
use num_bigint::BigUint;
use writ_hdl::axis::{AsyncFifo, Beat, TapBeat, TapCrossing, WireCounters};
use writ_hdl::cdc::EventCrossing;
use writ_hdl::emit::Port;
use writ_hdl::prelude::*;
use writ_hdl::time::{SteeredClock, TimeCrossing};
use writ_hdl::vendor::MacFifo;

/// [`TapCrossing`] and [`MacFifo`] with narrow data, every member of their beats a port; and [`WireCounters`] on the same events.
#[derive(LogicBlock)]
struct Branch {
    pub wire_clock: Signal<In, Clock>,
    pub clock: Signal<In, Clock>,
    pub wire_reset: Signal<In, Bit>,
    pub reset: Signal<In, Bit>,
    pub tap_valid: Signal<In, Bit>,
    pub first: Signal<In, Bit>,
    pub last: Signal<In, Bit>,
    pub error: Signal<In, Bit>,
    pub length: Signal<In, Bits<16>>,
    pub data: Signal<In, Bits<16>>,
    pub stamp: Signal<In, Bits<64>>,
    pub tx_ready: Signal<In, Bit>,
    pub snapshot: Signal<In, Bit>,
    pub beat: Signal<Out, Bits<20>>,
    pub beat_data: Signal<Out, Bits<16>>,
    pub beat_stamp: Signal<Out, Bits<64>>,
    pub flags: Signal<Out, Bits<8>>,
    pub tx: Signal<Out, Bits<11>>,
    pub tx_data: Signal<Out, Bits<16>>,
    pub bytes_in: Signal<Out, Bits<64>>,
    pub frames_out: Signal<Out, Bits<64>>,
    pub waits: Signal<Out, Bits<64>>,
    crossing: TapCrossing<16>,
    fifo: MacFifo<16, 3, 4>,
    counters: WireCounters,
    tapped: Signal<Local, TapBeat>,
    out: Signal<Local, TapBeat>,
    sent: Signal<Local, Beat>,
}

impl Default for Branch {
    fn default() -> Self {
        Self {
            wire_clock: Signal::default(),
            clock: Signal::default(),
            wire_reset: Signal::default(),
            reset: Signal::default(),
            tap_valid: Signal::default(),
            first: Signal::default(),
            last: Signal::default(),
            error: Signal::default(),
            length: Signal::default(),
            data: Signal::default(),
            stamp: Signal::default(),
            tx_ready: Signal::default(),
            snapshot: Signal::default(),
            beat: Signal::default(),
            beat_data: Signal::default(),
            beat_stamp: Signal::default(),
            flags: Signal::default(),
            tx: Signal::default(),
            tx_data: Signal::default(),
            bytes_in: Signal::default(),
            frames_out: Signal::default(),
            waits: Signal::default(),
            crossing: TapCrossing::default(),
            fifo: MacFifo::new(4),
            counters: WireCounters::default(),
            tapped: Signal::default(),
            out: Signal::default(),
            sent: Signal::default(),
        }
    }
}

impl Logic for Branch {
    #[hdl_gen]
    fn update(&mut self) {
        self.crossing.wire_clock.next = self.wire_clock.val();
        self.crossing.clock.next = self.clock.val();
        self.crossing.reset.next = self.reset.val();
        self.tapped.next.valid = self.tap_valid.val();
        self.tapped.next.first = self.first.val();
        self.tapped.next.last = self.last.val();
        self.tapped.next.error = self.error.val();
        self.tapped.next.length = self.length.val();
        self.crossing.tap_beat.next = self.tapped.val();
        self.crossing.tap_data.next = self.data.val();
        self.crossing.tap_stamp_ns.next = self.stamp.val();
        self.crossing.tap_stamp_quality.next = self.stamp.val().get_bits::<2>(0);
        self.crossing.tap_busy.next = self.tap_valid.val();
        self.out.next = self.crossing.beat.val();
        self.beat.next = bit_cast::<20, 16>(self.out.val().length)
            | (bit_cast::<20, 1>(self.out.val().valid.into()) << 16)
            | (bit_cast::<20, 1>(self.out.val().first.into()) << 17)
            | (bit_cast::<20, 1>(self.out.val().last.into()) << 18)
            | (bit_cast::<20, 1>(self.out.val().error.into()) << 19);
        self.beat_data.next = self.crossing.data.val();
        self.beat_stamp.next = self.crossing.stamp_ns.val();

        self.fifo.clock.next = self.wire_clock.val();
        self.fifo.reset.next = self.wire_reset.val();
        self.fifo.rx.next.valid = self.tap_valid.val();
        self.fifo.rx.next.last = self.last.val();
        self.fifo.rx.next.error = self.error.val();
        self.fifo.rx.next.bytes = self.length.val().get_bits::<7>(0);
        self.fifo.rx_data.next = self.data.val();
        self.fifo.tx_ready.next = self.tx_ready.val();
        self.sent.next = self.fifo.tx.val();
        self.tx.next = bit_cast::<11, 7>(self.sent.val().bytes)
            | (bit_cast::<11, 1>(self.sent.val().valid.into()) << 7)
            | (bit_cast::<11, 1>(self.sent.val().last.into()) << 8)
            | (bit_cast::<11, 1>(self.sent.val().error.into()) << 9)
            | (bit_cast::<11, 1>(self.fifo.tx_cut.val().into()) << 10);
        self.tx_data.next = self.fifo.tx_data.val();

        self.counters.wire_clock.next = self.wire_clock.val();
        self.counters.clock.next = self.clock.val();
        self.counters.reset.next = self.reset.val();
        self.counters.arrived.next = self.tap_valid.val() & self.last.val();
        self.counters.arrived_bytes.next = self.length.val();
        self.counters.arrived_error.next = self.error.val();
        self.counters.departed.next = self.sent.val().valid & self.sent.val().last & self.tx_ready.val();
        self.counters.tap_lost.next = self.crossing.tap_lost.val();
        self.counters.mac_overflow.next = self.fifo.overflow.val();
        self.counters.mac_underflow.next = self.fifo.underflow.val();
        self.counters.snapshot.next = self.snapshot.val();
        self.bytes_in.next = self.counters.values[1].val();
        self.frames_out.next = self.counters.values[3].val();
        self.waits.next = self.counters.values[4].val()
            ^ (self.counters.values[5].val() << 20)
            ^ (self.counters.values[6].val() << 40)
            ^ (self.counters.values[0].val() << 10)
            ^ (self.counters.values[2].val() << 30);
        self.flags.next = bit_cast::<8, 2>(self.crossing.stamp_quality.val())
            | (bit_cast::<8, 1>(self.crossing.cut.val().into()) << 2)
            | (bit_cast::<8, 1>(self.crossing.lost.val().into()) << 3)
            | (bit_cast::<8, 1>(self.crossing.busy.val().into()) << 4)
            | (bit_cast::<8, 1>(self.counters.pending.val().into()) << 5);
    }
}

/// Clocks without any relation: one, the other, both at once, none.
pub(crate) fn edges(random: &mut Random) -> Edges {
    [!random.one_in(3), random.one_in(2)]
}

/// Bursts that fill and empty a FIFO; resets are rare and short.
fn bursts(random: &mut Random, port: &Port) -> BigUint {
    match port.name.as_str() {
        name if name.ends_with("reset") => u8::from(random.one_in(200)).into(),
        "step" | "snapshot" | "set" | "slew" => u8::from(random.one_in(50)).into(),
        "slew_interval" => random.below(6).into(),
        "write" | "read" | "tap_valid" | "tx_ready" => u8::from(!random.one_in(3)).into(),
        _ => random.value(port.width),
    }
}

/// All cases of this file.
pub(crate) fn cases() -> Vec<Case> {
    let cases = vec![
        case!(
            "async_fifo_block",
            AsyncFifo::<Bits<40>, 3, 4>::new(RamStyle::Block),
            [write_reset, write, data_in, read_reset, read],
            [full, space, open, data_out, valid, count],
            write_clock,
            read_clock
        ),
        case!(
            "async_fifo_distributed",
            AsyncFifo::<Bits<1>, 1, 2>::new(RamStyle::Distributed),
            [write_reset, write, data_in, read_reset, read],
            [full, space, open, data_out, valid, count],
            write_clock,
            read_clock
        ),
        case!(
            "branch",
            Branch::default(),
            [wire_reset, reset, tap_valid, first, last, error, length, data, stamp, tx_ready, snapshot],
            [beat, beat_data, beat_stamp, flags, tx, tx_data, bytes_in, frames_out, waits],
            wire_clock,
            clock
        ),
        case!(
            "time",
            TimeCrossing::default(),
            [reset, now_ns, quality, step],
            [wire_now_ns, wire_quality],
            clock,
            wire_clock
        ),
        case!(
            "steered_clock",
            SteeredClock::default(),
            [
                reset,
                armed,
                set,
                set_ns,
                set_quality,
                increment_ns,
                increment_fraction,
                slew,
                slew_ns,
                slew_interval,
                pps
            ],
            [now_ns, quality, stepped, refused, in_doubt, expiry_floor, slew_left, pps_ns, pps_count],
            clock
        ),
        case!("events", EventCrossing::<4>::default(), [event, reset], [seen], from_clock, clock),
    ];
    cases.into_iter().map(|case| Case { stimulus: bursts, ..case }).collect()
}
