//! The card with its adapter: [`Top`], and the hard block's streams in place of the core's bus. Composition only.
//!
//! # Clocks
//! Those of [`Top`], and `clk_pcie`, the hard block's `user_clk`, 250 MHz. `reset` is that of the core at power-up; the adapter resets the core
//! besides when the bus cannot be used any more.

use super::PcieAdapter;
use crate::emit::{self, EmitError, Emitted};
use crate::prelude::*;
use crate::top::{Top, on_a_big_stack};

/// Name of the emitted module.
pub const PCIE_TOP_NAME: &str = "writ_pcie_top";

/// The card behind a PCIe hard block.
#[derive(LogicBlock, Default)]
pub struct PcieTop {
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
    pub rx_a_data: Signal<In, Bits<512>>,
    /// Port B receives a beat.
    pub rx_b_valid: Signal<In, Bit>,
    /// The frame's last.
    pub rx_b_last: Signal<In, Bit>,
    /// With last: damaged.
    pub rx_b_error: Signal<In, Bit>,
    /// With last: bytes in the beat.
    pub rx_b_bytes: Signal<In, Bits<7>>,
    /// The beat.
    pub rx_b_data: Signal<In, Bits<512>>,
    /// Port A sends a beat.
    pub tx_a_valid: Signal<Out, Bit>,
    /// The frame's last.
    pub tx_a_last: Signal<Out, Bit>,
    /// As it came in.
    pub tx_a_error: Signal<Out, Bit>,
    /// As it came in.
    pub tx_a_bytes: Signal<Out, Bits<7>>,
    /// The beat.
    pub tx_a_data: Signal<Out, Bits<512>>,
    /// Port B sends a beat.
    pub tx_b_valid: Signal<Out, Bit>,
    /// The frame's last.
    pub tx_b_last: Signal<Out, Bit>,
    /// As it came in.
    pub tx_b_error: Signal<Out, Bit>,
    /// As it came in.
    pub tx_b_bytes: Signal<Out, Bits<7>>,
    /// The beat.
    pub tx_b_data: Signal<Out, Bits<512>>,
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
    /// `user_clk`.
    pub clk_pcie: Signal<In, Clock>,
    /// `user_reset`.
    pub pcie_reset: Signal<In, Bit>,
    /// `user_lnk_up`.
    pub link_up: Signal<In, Bit>,
    /// `cfg_function_status[2]`: bus master enable.
    pub bus_master: Signal<In, Bit>,
    /// `cfg_max_payload`.
    pub cfg_max_payload: Signal<In, Bits<2>>,
    /// `cfg_flr_in_process[0]`.
    pub cfg_flr_in_process: Signal<In, Bit>,
    /// `cfg_flr_done[0]`.
    pub cfg_flr_done: Signal<Out, Bit>,
    /// `cfg_interrupt_msix_enable[0]`.
    pub cfg_interrupt_msix_enable: Signal<In, Bit>,
    /// `cfg_interrupt_msix_mask[0]`.
    pub cfg_interrupt_msix_mask: Signal<In, Bit>,
    /// CQ.
    pub cq_tvalid: Signal<In, Bit>,
    /// CQ.
    pub cq_tready: Signal<Out, Bit>,
    /// CQ.
    pub cq_tlast: Signal<In, Bit>,
    /// CQ.
    pub cq_tdata: Signal<In, Bits<512>>,
    /// CQ.
    pub cq_tuser: Signal<In, Bits<183>>,
    /// CC.
    pub cc_tvalid: Signal<Out, Bit>,
    /// CC.
    pub cc_tready: Signal<In, Bit>,
    /// CC.
    pub cc_tlast: Signal<Out, Bit>,
    /// CC.
    pub cc_tkeep: Signal<Out, Bits<16>>,
    /// CC.
    pub cc_tdata: Signal<Out, Bits<512>>,
    /// CC.
    pub cc_tuser: Signal<Out, Bits<81>>,
    /// RQ.
    pub rq_tvalid: Signal<Out, Bit>,
    /// RQ.
    pub rq_tready: Signal<In, Bit>,
    /// RQ.
    pub rq_tdata: Signal<Out, Bits<512>>,
    /// RQ.
    pub rq_tuser: Signal<Out, Bits<137>>,
    /// Credit for reads.
    pub pcie_tfc_nph_av: Signal<In, Bits<4>>,
    /// Tags for reads.
    pub pcie_rq_tag_av: Signal<In, Bits<4>>,
    /// Tag of the first read of a beat of RQ.
    pub pcie_rq_tag_vld0: Signal<In, Bit>,
    /// The tag.
    pub pcie_rq_tag0: Signal<In, Bits<8>>,
    /// Tag of the second one.
    pub pcie_rq_tag_vld1: Signal<In, Bit>,
    /// The tag.
    pub pcie_rq_tag1: Signal<In, Bits<8>>,
    /// RC.
    pub rc_tvalid: Signal<In, Bit>,
    /// RC.
    pub rc_tlast: Signal<In, Bit>,
    /// RC.
    pub rc_tkeep: Signal<In, Bits<16>>,
    /// RC.
    pub rc_tdata: Signal<In, Bits<512>>,
    /// RC.
    pub rc_tuser: Signal<In, Bits<161>>,
    card: Top<512, 1>,
    adapter: PcieAdapter,
}

/// The card with its adapter as Verilog.
///
/// # Errors
/// Those of [`crate::top::emit_top`].
///
/// # Panics
/// If the operating system gives no thread.
pub fn emit_pcie_top() -> Result<Emitted, EmitError> {
    on_a_big_stack(|| emit::emit(&PcieTop::connected(), PCIE_TOP_NAME))
}

impl PcieTop {
    /// The card, ready for [`crate::emit`].
    pub fn connected() -> Self {
        let mut top = Self::default();
        for clock in [&mut top.clk_wire_a, &mut top.clk_wire_b, &mut top.clk_core, &mut top.clk_pcie] {
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
            &mut top.rx_a_valid,
            &mut top.rx_a_last,
            &mut top.rx_a_error,
            &mut top.rx_b_valid,
            &mut top.rx_b_last,
            &mut top.rx_b_error,
            &mut top.pcie_reset,
            &mut top.link_up,
            &mut top.bus_master,
            &mut top.cfg_flr_in_process,
            &mut top.cfg_interrupt_msix_enable,
            &mut top.cfg_interrupt_msix_mask,
            &mut top.cq_tvalid,
            &mut top.cq_tlast,
            &mut top.cc_tready,
            &mut top.rq_tready,
            &mut top.pcie_rq_tag_vld0,
            &mut top.pcie_rq_tag_vld1,
            &mut top.rc_tvalid,
            &mut top.rc_tlast,
        ] {
            input.connect();
        }
        top.build_hash.connect();
        top.rx_a_bytes.connect();
        top.rx_a_data.connect();
        top.rx_b_bytes.connect();
        top.rx_b_data.connect();
        top.cfg_max_payload.connect();
        top.cq_tdata.connect();
        top.cq_tuser.connect();
        top.pcie_tfc_nph_av.connect();
        top.pcie_rq_tag_av.connect();
        top.pcie_rq_tag0.connect();
        top.pcie_rq_tag1.connect();
        top.rc_tkeep.connect();
        top.rc_tdata.connect();
        top.rc_tuser.connect();
        top.connect_all();
        top
    }
}

impl Logic for PcieTop {
    #[hdl_gen]
    fn update(&mut self) {
        // Wires, and what tests look at.
        self.card.clk_wire_a.next = self.clk_wire_a.val();
        self.card.clk_wire_b.next = self.clk_wire_b.val();
        self.card.clk_core.next = self.clk_core.val();
        self.card.reset.next = self.adapter.core_reset.val();
        self.card.wire_reset_a.next = self.wire_reset_a.val();
        self.card.wire_reset_b.next = self.wire_reset_b.val();
        self.card.build_hash.next = self.build_hash.val();
        self.card.pps.next = self.pps.val();
        self.card.mac_overflow_a.next = self.mac_overflow_a.val();
        self.card.mac_underflow_a.next = self.mac_underflow_a.val();
        self.card.mac_overflow_b.next = self.mac_overflow_b.val();
        self.card.mac_underflow_b.next = self.mac_underflow_b.val();
        self.card.rx_a_valid.next = self.rx_a_valid.val();
        self.card.rx_a_last.next = self.rx_a_last.val();
        self.card.rx_a_error.next = self.rx_a_error.val();
        self.card.rx_a_bytes.next = self.rx_a_bytes.val();
        self.card.rx_a_data.next = self.rx_a_data.val();
        self.card.rx_b_valid.next = self.rx_b_valid.val();
        self.card.rx_b_last.next = self.rx_b_last.val();
        self.card.rx_b_error.next = self.rx_b_error.val();
        self.card.rx_b_bytes.next = self.rx_b_bytes.val();
        self.card.rx_b_data.next = self.rx_b_data.val();
        self.tx_a_valid.next = self.card.tx_a_valid.val();
        self.tx_a_last.next = self.card.tx_a_last.val();
        self.tx_a_error.next = self.card.tx_a_error.val();
        self.tx_a_bytes.next = self.card.tx_a_bytes.val();
        self.tx_a_data.next = self.card.tx_a_data.val();
        self.tx_b_valid.next = self.card.tx_b_valid.val();
        self.tx_b_last.next = self.card.tx_b_last.val();
        self.tx_b_error.next = self.card.tx_b_error.val();
        self.tx_b_bytes.next = self.card.tx_b_bytes.val();
        self.tx_b_data.next = self.card.tx_b_data.val();
        self.tap_stamp_a_valid.next = self.card.tap_stamp_a_valid.val();
        self.tap_stamp_a_ns.next = self.card.tap_stamp_a_ns.val();
        self.tap_stamp_a_quality.next = self.card.tap_stamp_a_quality.val();
        self.tap_stamp_b_valid.next = self.card.tap_stamp_b_valid.val();
        self.tap_stamp_b_ns.next = self.card.tap_stamp_b_ns.val();
        self.tap_stamp_b_quality.next = self.card.tap_stamp_b_quality.val();
        self.tap_window_a_valid.next = self.card.tap_window_a_valid.val();
        self.tap_window_a_dropped.next = self.card.tap_window_a_dropped.val();
        self.tap_window_b_valid.next = self.card.tap_window_b_valid.val();
        self.tap_window_b_dropped.next = self.card.tap_window_b_dropped.val();
        self.tap_lookup_valid.next = self.card.tap_lookup_valid.val();
        self.tap_lookup_port.next = self.card.tap_lookup_port.val();
        self.tap_lookup_stamp_ns.next = self.card.tap_lookup_stamp_ns.val();
        self.tap_lookup_quality.next = self.card.tap_lookup_quality.val();
        self.tap_lookup_armed.next = self.card.tap_lookup_armed.val();
        self.tap_lookup_expiry_floor.next = self.card.tap_lookup_expiry_floor.val();
        self.tap_lookup_committed.next = self.card.tap_lookup_committed.val();
        self.tap_outcome_valid.next = self.card.tap_outcome_valid.val();
        self.tap_outcome_ring.next = self.card.tap_outcome_ring.val();
        self.tap_outcome_cause.next = self.card.tap_outcome_cause.val();
        self.tap_outcome_gap.next = self.card.tap_outcome_gap.val();
        self.tap_gap_valid.next = self.card.tap_gap_valid.val();
        self.tap_gap_ring.next = self.card.tap_gap_ring.val();
        self.tap_verdict_error_valid.next = self.card.tap_verdict_error_valid.val();
        self.now_ns.next = self.card.now_ns.val();

        // The core's bus.
        self.adapter.clk_core.next = self.clk_core.val();
        self.adapter.reset.next = self.reset.val();
        self.card.mmio_write_valid.next = self.adapter.mmio_write_valid.val();
        self.card.mmio_write_address.next = self.adapter.mmio_write_address.val();
        self.card.mmio_write_data.next = self.adapter.mmio_write_data.val();
        self.card.mmio_read_valid.next = self.adapter.mmio_read_valid.val();
        self.card.mmio_read_address.next = self.adapter.mmio_read_address.val();
        self.adapter.mmio_read_data_valid.next = self.card.mmio_read_data_valid.val();
        self.adapter.mmio_read_data.next = self.card.mmio_read_data.val();
        self.adapter.dma_write_valid.next = self.card.dma_write_valid.val();
        self.card.dma_write_ready.next = self.adapter.dma_write_ready.val();
        self.adapter.dma_write_address.next = self.card.dma_write_address.val();
        self.adapter.dma_write_data.next = self.card.dma_write_data.val();
        self.adapter.dma_read_valid.next = self.card.dma_read_valid.val();
        self.card.dma_read_ready.next = self.adapter.dma_read_ready.val();
        self.adapter.dma_read_address.next = self.card.dma_read_address.val();
        self.card.dma_read_data_valid.next = self.adapter.dma_read_data_valid.val();
        self.card.dma_read_data.next = self.adapter.dma_read_data.val();
        self.adapter.irq.next = self.card.irq.val();
        self.adapter.irq_vector.next = self.card.irq_vector.val();

        // The hard block.
        self.adapter.clk_pcie.next = self.clk_pcie.val();
        self.adapter.pcie_reset.next = self.pcie_reset.val();
        self.adapter.link_up.next = self.link_up.val();
        self.adapter.bus_master.next = self.bus_master.val();
        self.adapter.cfg_max_payload.next = self.cfg_max_payload.val();
        self.adapter.cfg_flr_in_process.next = self.cfg_flr_in_process.val();
        self.cfg_flr_done.next = self.adapter.cfg_flr_done.val();
        self.adapter.cfg_interrupt_msix_enable.next = self.cfg_interrupt_msix_enable.val();
        self.adapter.cfg_interrupt_msix_mask.next = self.cfg_interrupt_msix_mask.val();
        self.adapter.cq_tvalid.next = self.cq_tvalid.val();
        self.cq_tready.next = self.adapter.cq_tready.val();
        self.adapter.cq_tlast.next = self.cq_tlast.val();
        self.adapter.cq_tdata.next = self.cq_tdata.val();
        self.adapter.cq_tuser.next = self.cq_tuser.val();
        self.cc_tvalid.next = self.adapter.cc_tvalid.val();
        self.adapter.cc_tready.next = self.cc_tready.val();
        self.cc_tlast.next = self.adapter.cc_tlast.val();
        self.cc_tkeep.next = self.adapter.cc_tkeep.val();
        self.cc_tdata.next = self.adapter.cc_tdata.val();
        self.cc_tuser.next = self.adapter.cc_tuser.val();
        self.rq_tvalid.next = self.adapter.rq_tvalid.val();
        self.adapter.rq_tready.next = self.rq_tready.val();
        self.rq_tdata.next = self.adapter.rq_tdata.val();
        self.rq_tuser.next = self.adapter.rq_tuser.val();
        self.adapter.pcie_tfc_nph_av.next = self.pcie_tfc_nph_av.val();
        self.adapter.pcie_rq_tag_av.next = self.pcie_rq_tag_av.val();
        self.adapter.pcie_rq_tag_vld0.next = self.pcie_rq_tag_vld0.val();
        self.adapter.pcie_rq_tag0.next = self.pcie_rq_tag0.val();
        self.adapter.pcie_rq_tag_vld1.next = self.pcie_rq_tag_vld1.val();
        self.adapter.pcie_rq_tag1.next = self.pcie_rq_tag1.val();
        self.adapter.rc_tvalid.next = self.rc_tvalid.val();
        self.adapter.rc_tlast.next = self.rc_tlast.val();
        self.adapter.rc_tkeep.next = self.rc_tkeep.val();
        self.adapter.rc_tdata.next = self.rc_tdata.val();
        self.adapter.rc_tuser.next = self.rc_tuser.val();
    }
}
