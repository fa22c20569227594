//! The card: both wires, a tap branch of each, and the core. Composition only.
//!
//! # Overview
//! Ports of the emitted module are this block's fields. Byte `i` of a beat or line is bits `8 * i` to `8 * i + 7`.
//! The `tap_*` ports and `now_ns` have no function on the card; tests read the order of events from them. `_a` and `_b` name the
//! port that a frame came in on, apart from `tx_a_*`, `tx_b_*` and `mac_*`, which name the port that it leaves on.
//!
//! # Clocks
//! | clock | what is on it |
//! |---|---|
//! | `clk_wire_a` | the wire from port A to port B: `rx_a_*`, `tx_b_*`, `mac_*_b`, `wire_reset_a`, `tap_stamp_a_*` |
//! | `clk_wire_b` | the wire from port B to port A: `rx_b_*`, `tx_a_*`, `mac_*_a`, `wire_reset_b`, `tap_stamp_b_*` |
//! | `clk_core` | everything else but `pps`, which has no relation to any clock |
//!
//! A receiver takes the clock of the transmitter at the other end of its wire, so a wire has one clock. What crosses to the core does so in
//! [`TapBranch`]; [`crate::emit`] refuses any other path.
//!
//! # Limits
//! The adapters to MAC and PCIe hard blocks, with the FIFO in front of each transmitter ([`crate::vendor`]), go around this block.

use crate::axis::{Beat, TapBranch, WIRE_COUNTS, WirePath};
use crate::core::Core;
use crate::emit::{self, EmitError, Emitted};
use crate::prelude::*;

/// Name of the emitted module.
pub const TOP_NAME: &str = "writ_top";
/// Name of the emitted module whose wires have beats of 64 bits.
pub const NARROW_TOP_NAME: &str = "writ_top_narrow";

/// The card, with beats of `W` bits on its wires, `R` of which make one of the core's.
#[derive(LogicBlock, Default)]
pub struct Top<const W: usize = 512, const R: usize = 1> {
    /// Clock of the wire from port A to port B.
    pub clk_wire_a: Signal<In, Clock>,
    /// Clock of the wire from port B to port A.
    pub clk_wire_b: Signal<In, Clock>,
    /// Clock of everything else.
    pub clk_core: Signal<In, Clock>,
    /// Reset of everything but the wires.
    pub reset: Signal<In, Bit>,
    /// Power-up reset of the wire from port A.
    pub wire_reset_a: Signal<In, Bit>,
    /// Power-up reset of the wire from port B.
    pub wire_reset_b: Signal<In, Bit>,
    /// BLAKE3 of the emitted Verilog.
    pub build_hash: Signal<In, Bits<256>>,
    /// Pulse per second.
    pub pps: Signal<In, Bit>,
    /// A frame was lost or cut in front of the transmitter of port A.
    pub mac_overflow_a: Signal<In, Bit>,
    /// The transmitter of port A wants a beat inside a frame and there is none.
    pub mac_underflow_a: Signal<In, Bit>,
    /// A frame was lost or cut in front of the transmitter of port B.
    pub mac_overflow_b: Signal<In, Bit>,
    /// The transmitter of port B wants a beat inside a frame and there is none.
    pub mac_underflow_b: Signal<In, Bit>,
    /// Port A receives a beat.
    pub rx_a_valid: Signal<In, Bit>,
    /// The frame's last.
    pub rx_a_last: Signal<In, Bit>,
    /// With last: damaged.
    pub rx_a_error: Signal<In, Bit>,
    /// With last: bytes in the beat.
    pub rx_a_bytes: Signal<In, Bits<7>>,
    /// The beat.
    pub rx_a_data: Signal<In, Bits<W>>,
    /// Port B receives a beat.
    pub rx_b_valid: Signal<In, Bit>,
    /// The frame's last.
    pub rx_b_last: Signal<In, Bit>,
    /// With last: damaged.
    pub rx_b_error: Signal<In, Bit>,
    /// With last: bytes in the beat.
    pub rx_b_bytes: Signal<In, Bits<7>>,
    /// The beat.
    pub rx_b_data: Signal<In, Bits<W>>,
    /// Port A sends a beat.
    pub tx_a_valid: Signal<Out, Bit>,
    /// The frame's last.
    pub tx_a_last: Signal<Out, Bit>,
    /// As it came in.
    pub tx_a_error: Signal<Out, Bit>,
    /// As it came in.
    pub tx_a_bytes: Signal<Out, Bits<7>>,
    /// The beat.
    pub tx_a_data: Signal<Out, Bits<W>>,
    /// Port B sends a beat.
    pub tx_b_valid: Signal<Out, Bit>,
    /// The frame's last.
    pub tx_b_last: Signal<Out, Bit>,
    /// As it came in.
    pub tx_b_error: Signal<Out, Bit>,
    /// As it came in.
    pub tx_b_bytes: Signal<Out, Bits<7>>,
    /// The beat.
    pub tx_b_data: Signal<Out, Bits<W>>,
    /// Write a register.
    pub mmio_write_valid: Signal<In, Bit>,
    /// Where.
    pub mmio_write_address: Signal<In, Bits<12>>,
    /// What.
    pub mmio_write_data: Signal<In, Bits<32>>,
    /// Read a register.
    pub mmio_read_valid: Signal<In, Bit>,
    /// Where.
    pub mmio_read_address: Signal<In, Bits<12>>,
    /// The answer, a constant number of clocks later.
    pub mmio_read_data_valid: Signal<Out, Bit>,
    /// What stands there.
    pub mmio_read_data: Signal<Out, Bits<32>>,
    /// A line for host memory.
    pub dma_write_valid: Signal<Out, Bit>,
    /// It is taken.
    pub dma_write_ready: Signal<In, Bit>,
    /// Where.
    pub dma_write_address: Signal<Out, Bits<64>>,
    /// The line.
    pub dma_write_data: Signal<Out, Bits<512>>,
    /// Read a line of host memory.
    pub dma_read_valid: Signal<Out, Bit>,
    /// The request is taken.
    pub dma_read_ready: Signal<In, Bit>,
    /// Where.
    pub dma_read_address: Signal<Out, Bits<64>>,
    /// An answer, in the order of the requests.
    pub dma_read_data_valid: Signal<In, Bit>,
    /// The line.
    pub dma_read_data: Signal<In, Bits<512>>,
    /// An index line went to host memory.
    pub irq: Signal<Out, Bit>,
    /// Its interrupt vector, see [`writ_abi::pci`].
    pub irq_vector: Signal<Out, Bits<3>>,
    /// A frame of port A got its stamp.
    pub tap_stamp_a_valid: Signal<Out, Bit>,
    /// The stamp.
    pub tap_stamp_a_ns: Signal<Out, Bits<64>>,
    /// Its quality.
    pub tap_stamp_a_quality: Signal<Out, Bits<2>>,
    /// A frame of port B got its stamp.
    pub tap_stamp_b_valid: Signal<Out, Bit>,
    /// The stamp.
    pub tap_stamp_b_ns: Signal<Out, Bits<64>>,
    /// Its quality.
    pub tap_stamp_b_quality: Signal<Out, Bits<2>>,
    /// A window of port A is complete.
    pub tap_window_a_valid: Signal<Out, Bit>,
    /// And found no room.
    pub tap_window_a_dropped: Signal<Out, Bit>,
    /// A window of port B is complete.
    pub tap_window_b_valid: Signal<Out, Bit>,
    /// And found no room.
    pub tap_window_b_dropped: Signal<Out, Bit>,
    /// A frame's keys enter lookup.
    pub tap_lookup_valid: Signal<Out, Bit>,
    /// Its port.
    pub tap_lookup_port: Signal<Out, Bit>,
    /// Its stamp.
    pub tap_lookup_stamp_ns: Signal<Out, Bits<64>>,
    /// The stamp's quality.
    pub tap_lookup_quality: Signal<Out, Bits<2>>,
    /// Hits count for it.
    pub tap_lookup_armed: Signal<Out, Bit>,
    /// Its expiry floor.
    pub tap_lookup_expiry_floor: Signal<Out, Bits<44>>,
    /// A batch is committed for it.
    pub tap_lookup_committed: Signal<Out, Bit>,
    /// A record number was given.
    pub tap_outcome_valid: Signal<Out, Bit>,
    /// Of which ring.
    pub tap_outcome_ring: Signal<Out, Bits<2>>,
    /// Why the record was dropped; 7: it is made.
    pub tap_outcome_cause: Signal<Out, Bits<3>>,
    /// A gap record precedes it.
    pub tap_outcome_gap: Signal<Out, Bit>,
    /// A gap record goes out alone.
    pub tap_gap_valid: Signal<Out, Bit>,
    /// In which ring.
    pub tap_gap_ring: Signal<Out, Bits<2>>,
    /// A frame with hits was discarded because the MAC flagged it.
    pub tap_verdict_error_valid: Signal<Out, Bit>,
    /// Card time.
    pub now_ns: Signal<Out, Bits<64>>,
    wire_path: [WirePath<W>; 2],
    branch: [TapBranch<W, R>; 2],
    core: Core,
    departed_a: RegR<Bit>,
    departed_b: RegR<Bit>,
    beat_a: Signal<Local, Beat>,
    beat_b: Signal<Local, Beat>,
    out_a: Signal<Local, Beat>,
    out_b: Signal<Local, Beat>,
}

/// Room for a card as a value: every signal of every width stands in it, several times over while it is being built.
const STACK_BYTES: usize = 256 << 20;

/// The card as Verilog: the one entry for whoever builds it. Works on a thread of its own, because a card is some megabytes of
/// value and callers' stacks differ.
///
/// # Errors
/// Those of [`emit::emit`]; a card that cannot be emitted is a bug of this crate.
///
/// # Panics
/// If the operating system gives no thread.
pub fn emit_top() -> Result<Emitted, EmitError> {
    on_a_big_stack(|| emit::emit(&Top::<512, 1>::connected(), TOP_NAME))
}

/// The card for a small FPGA: its wires have beats of 64 bits, the rest is the same.
///
/// # Errors
/// Those of [`emit_top`].
///
/// # Panics
/// If the operating system gives no thread.
pub fn emit_narrow_top() -> Result<Emitted, EmitError> {
    on_a_big_stack(|| emit::emit(&Top::<64, 8>::connected(), NARROW_TOP_NAME))
}

pub(crate) fn on_a_big_stack(work: fn() -> Result<Emitted, EmitError>) -> Result<Emitted, EmitError> {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    match thread.expect("a thread to build the card on").join() {
        Ok(emitted) => emitted,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

impl<const W: usize, const R: usize> Top<W, R> {
    /// The card, ready for [`crate::emit`].
    pub fn connected() -> Self {
        let mut top = Self::default();
        for clock in [&mut top.clk_wire_a, &mut top.clk_wire_b, &mut top.clk_core] {
            clock.connect();
        }
        for input in [
            &mut top.reset,
            &mut top.wire_reset_a,
            &mut top.wire_reset_b,
            &mut top.pps,
            &mut top.mac_overflow_a,
            &mut top.mac_underflow_a,
            &mut top.mac_overflow_b,
            &mut top.mac_underflow_b,
        ] {
            input.connect();
        }
        top.build_hash.connect();
        for (valid, last, error, bytes, data) in [
            (&mut top.rx_a_valid, &mut top.rx_a_last, &mut top.rx_a_error, &mut top.rx_a_bytes, &mut top.rx_a_data),
            (&mut top.rx_b_valid, &mut top.rx_b_last, &mut top.rx_b_error, &mut top.rx_b_bytes, &mut top.rx_b_data),
        ] {
            valid.connect();
            last.connect();
            error.connect();
            bytes.connect();
            data.connect();
        }
        top.mmio_write_valid.connect();
        top.mmio_write_address.connect();
        top.mmio_write_data.connect();
        top.mmio_read_valid.connect();
        top.mmio_read_address.connect();
        top.dma_write_ready.connect();
        top.dma_read_ready.connect();
        top.dma_read_data_valid.connect();
        top.dma_read_data.connect();
        top.connect_all();
        top
    }
}

impl<const W: usize, const R: usize> Logic for Top<W, R> {
    #[hdl_gen]
    fn update(&mut self) {
        // Wires.
        self.departed_a.clock.next = self.clk_wire_b.val();
        self.departed_a.reset.next = self.wire_reset_b.val();
        self.departed_b.clock.next = self.clk_wire_a.val();
        self.departed_b.reset.next = self.wire_reset_a.val();
        self.wire_path[0].clock.next = self.clk_wire_a.val();
        self.wire_path[0].reset.next = self.wire_reset_a.val();
        self.wire_path[1].clock.next = self.clk_wire_b.val();
        self.wire_path[1].reset.next = self.wire_reset_b.val();
        self.beat_a.next.valid = self.rx_a_valid.val();
        self.beat_a.next.last = self.rx_a_last.val();
        self.beat_a.next.error = self.rx_a_error.val();
        self.beat_a.next.bytes = self.rx_a_bytes.val();
        self.beat_b.next.valid = self.rx_b_valid.val();
        self.beat_b.next.last = self.rx_b_last.val();
        self.beat_b.next.error = self.rx_b_error.val();
        self.beat_b.next.bytes = self.rx_b_bytes.val();
        self.wire_path[0].rx.next = self.beat_a.val();
        self.wire_path[0].rx_data.next = self.rx_a_data.val();
        self.wire_path[1].rx.next = self.beat_b.val();
        self.wire_path[1].rx_data.next = self.rx_b_data.val();
        self.out_b.next = self.wire_path[0].tx.val();
        self.tx_b_valid.next = self.out_b.val().valid;
        self.tx_b_last.next = self.out_b.val().last;
        self.tx_b_error.next = self.out_b.val().error;
        self.tx_b_bytes.next = self.out_b.val().bytes;
        self.tx_b_data.next = self.wire_path[0].tx_data.val();
        self.out_a.next = self.wire_path[1].tx.val();
        self.tx_a_valid.next = self.out_a.val().valid;
        self.tx_a_last.next = self.out_a.val().last;
        self.tx_a_error.next = self.out_a.val().error;
        self.tx_a_bytes.next = self.out_a.val().bytes;
        self.tx_a_data.next = self.wire_path[1].tx_data.val();
        self.departed_a.d.next = self.out_a.val().valid & self.out_a.val().last;
        self.departed_b.d.next = self.out_b.val().valid & self.out_b.val().last;

        // Tap branches.
        self.branch[0].wire_clock.next = self.clk_wire_a.val();
        self.branch[0].wire_reset.next = self.wire_reset_a.val();
        self.branch[0].rx.next = self.beat_a.val();
        self.branch[0].rx_data.next = self.rx_a_data.val();
        self.branch[0].departed.next = self.departed_b.q.val();
        self.branch[0].mac_overflow.next = self.mac_overflow_b.val();
        self.branch[0].mac_underflow.next = self.mac_underflow_b.val();
        self.tap_stamp_a_valid.next = self.branch[0].stamped.val();
        self.tap_stamp_a_ns.next = self.branch[0].stamped_ns.val();
        self.tap_stamp_a_quality.next = self.branch[0].stamped_quality.val();
        self.branch[1].wire_clock.next = self.clk_wire_b.val();
        self.branch[1].wire_reset.next = self.wire_reset_b.val();
        self.branch[1].rx.next = self.beat_b.val();
        self.branch[1].rx_data.next = self.rx_b_data.val();
        self.branch[1].departed.next = self.departed_a.q.val();
        self.branch[1].mac_overflow.next = self.mac_overflow_a.val();
        self.branch[1].mac_underflow.next = self.mac_underflow_a.val();
        self.tap_stamp_b_valid.next = self.branch[1].stamped.val();
        self.tap_stamp_b_ns.next = self.branch[1].stamped_ns.val();
        self.tap_stamp_b_quality.next = self.branch[1].stamped_quality.val();
        self.core.patience.next = self.branch[0].frame_clocks.val();
        for port in 0..2 {
            self.branch[port].clock.next = self.clk_core.val();
            self.branch[port].reset.next = self.core.copy_reset.val();
            self.branch[port].now_ns.next = self.core.now_ns.val();
            self.branch[port].quality.next = self.core.quality.val();
            self.branch[port].step.next = self.core.step.val();
            self.branch[port].snapshot.next = self.core.snapshot.val();
            self.core.beat[port].next = self.branch[port].beat.val();
            self.core.cut[port].next = self.branch[port].cut.val();
            self.core.data[port].next = self.branch[port].data.val();
            self.core.stamp_ns[port].next = self.branch[port].stamp_ns.val();
            self.core.stamp_quality[port].next = self.branch[port].stamp_quality.val();
            self.core.busy[port].next = self.branch[port].busy.val();
            self.core.snapshot_pending[port].next = self.branch[port].snapshot_pending.val();
        }
        for i in 0..WIRE_COUNTS {
            self.core.wire_a[i].next = self.branch[0].counts[i].val();
            self.core.wire_b[i].next = self.branch[1].counts[i].val();
        }

        // Core.
        self.core.clock.next = self.clk_core.val();
        self.core.reset.next = self.reset.val();
        self.core.build_hash.next = self.build_hash.val();
        self.core.pps.next = self.pps.val();
        self.core.mmio_write_valid.next = self.mmio_write_valid.val();
        self.core.mmio_write_address.next = self.mmio_write_address.val();
        self.core.mmio_write_data.next = self.mmio_write_data.val();
        self.core.mmio_read_valid.next = self.mmio_read_valid.val();
        self.core.mmio_read_address.next = self.mmio_read_address.val();
        self.core.dma_write_ready.next = self.dma_write_ready.val();
        self.core.dma_read_ready.next = self.dma_read_ready.val();
        self.core.dma_read_data_valid.next = self.dma_read_data_valid.val();
        self.core.dma_read_data.next = self.dma_read_data.val();
        self.mmio_read_data_valid.next = self.core.mmio_read_data_valid.val();
        self.mmio_read_data.next = self.core.mmio_read_data.val();
        self.dma_write_valid.next = self.core.dma_write_valid.val();
        self.dma_write_address.next = self.core.dma_write_address.val();
        self.dma_write_data.next = self.core.dma_write_data.val();
        self.dma_read_valid.next = self.core.dma_read_valid.val();
        self.dma_read_address.next = self.core.dma_read_address.val();
        self.irq.next = self.core.irq.val();
        self.irq_vector.next = self.core.irq_vector.val();
        self.tap_window_a_valid.next = self.core.tap_window_a_valid.val();
        self.tap_window_a_dropped.next = self.core.tap_window_a_dropped.val();
        self.tap_window_b_valid.next = self.core.tap_window_b_valid.val();
        self.tap_window_b_dropped.next = self.core.tap_window_b_dropped.val();
        self.tap_lookup_valid.next = self.core.tap_lookup_valid.val();
        self.tap_lookup_port.next = self.core.tap_lookup_port.val();
        self.tap_lookup_stamp_ns.next = self.core.tap_lookup_stamp_ns.val();
        self.tap_lookup_quality.next = self.core.tap_lookup_quality.val();
        self.tap_lookup_armed.next = self.core.tap_lookup_armed.val();
        self.tap_lookup_expiry_floor.next = self.core.tap_lookup_expiry_floor.val();
        self.tap_lookup_committed.next = self.core.tap_lookup_committed.val();
        self.tap_outcome_valid.next = self.core.tap_outcome_valid.val();
        self.tap_outcome_ring.next = self.core.tap_outcome_ring.val();
        self.tap_outcome_cause.next = self.core.tap_outcome_cause.val();
        self.tap_outcome_gap.next = self.core.tap_outcome_gap.val();
        self.tap_gap_valid.next = self.core.tap_gap_valid.val();
        self.tap_gap_ring.next = self.core.tap_gap_ring.val();
        self.tap_verdict_error_valid.next = self.core.tap_verdict_error_valid.val();
        self.now_ns.next = self.core.now_ns.val();
    }
}
