//! The adapter as a whole: the core's bus on one side, the hard block's streams and configuration signals on the other.
//!
//! # Interfaces
//! Names of the hard block's ports are AMD's, without `s_axis_` and `m_axis_`. Constant inputs of the hard block, for whoever instantiates it: `s_axis_rq_tkeep` all
//! ones, `s_axis_rq_tlast` 0 (straddle does without both), `m_axis_rc_tready` 1, `pcie_cq_np_req` 3.

use super::completer::{Completer, RegisterAccess};
use super::crossing::WriteCrossing;
use super::requester::reader::WATCHDOG_CLOCKS;
use super::requester::{Completions, Reader, RequestPath};
use super::types::{AccessAnswer, AccessRequest, ReadLine, RqBeat};
use super::{CoreReset, MsiX, ReadOrder, Session, StallWatch, Status};
use crate::axis::AsyncFifo;
use crate::prelude::*;
use writ_abi::pci;

const _: () = assert!(pci::ERROR_VECTOR == 5, "the kernel writes this out");

/// The adapter.
#[derive(LogicBlock)]
pub struct PcieAdapter {
    /// Clock of the core.
    pub clk_core: Signal<In, Clock>,
    /// Power-up reset of the core.
    pub reset: Signal<In, Bit>,
    /// Reset of the core: at power-up, and when the bus cannot be used any more.
    pub core_reset: Signal<Out, Bit>,
    /// Write a register.
    pub mmio_write_valid: Signal<Out, Bit>,
    /// Where.
    pub mmio_write_address: Signal<Out, Bits<12>>,
    /// What.
    pub mmio_write_data: Signal<Out, Bits<32>>,
    /// Read a register.
    pub mmio_read_valid: Signal<Out, Bit>,
    /// Where.
    pub mmio_read_address: Signal<Out, Bits<12>>,
    /// The answer.
    pub mmio_read_data_valid: Signal<In, Bit>,
    /// What stands there.
    pub mmio_read_data: Signal<In, Bits<32>>,
    /// A line for host memory.
    pub dma_write_valid: Signal<In, Bit>,
    /// It is taken.
    pub dma_write_ready: Signal<Out, Bit>,
    /// Where.
    pub dma_write_address: Signal<In, Bits<64>>,
    /// The line.
    pub dma_write_data: Signal<In, Bits<512>>,
    /// Read a line of host memory.
    pub dma_read_valid: Signal<In, Bit>,
    /// The request is taken.
    pub dma_read_ready: Signal<Out, Bit>,
    /// Where.
    pub dma_read_address: Signal<In, Bits<64>>,
    /// An answer, in the order of the requests.
    pub dma_read_data_valid: Signal<Out, Bit>,
    /// The line; all ones if it could not be read.
    pub dma_read_data: Signal<Out, Bits<512>>,
    /// It could not be read.
    pub dma_read_error: Signal<Out, Bit>,
    /// The line of the clock before is an index line.
    pub irq: Signal<In, Bit>,
    /// Its interrupt vector.
    pub irq_vector: Signal<In, Bits<3>>,
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
    completer: Completer,
    requests: AsyncFifo<AccessRequest, 3, 4>,
    answers: AsyncFifo<AccessAnswer, 3, 4>,
    access: RegisterAccess,
    writes: WriteCrossing,
    reads: AsyncFifo<Bits<64>, 4, 5>,
    lines: AsyncFifo<ReadLine, 4, 5>,
    path: RequestPath,
    reader: Reader,
    completions: Completions,
    msix: MsiX,
    status: Status,
    session: Session,
    order: ReadOrder,
    stall: StallWatch,
    core_end: CoreReset,
    read_line: Signal<Local, ReadLine>,
    beat: Signal<Local, RqBeat>,
    is_code: Signal<Local, Bits<4>>,
    counted: Signal<Local, Bits<14>>,
    trouble: Signal<Local, Bit>,
    moved: Signal<Local, Bits<8>>,
    flushed_lines: Signal<Local, Bits<6>>,
}

impl Default for PcieAdapter {
    fn default() -> Self {
        Self {
            clk_core: Signal::default(),
            reset: Signal::default(),
            core_reset: Signal::default(),
            mmio_write_valid: Signal::default(),
            mmio_write_address: Signal::default(),
            mmio_write_data: Signal::default(),
            mmio_read_valid: Signal::default(),
            mmio_read_address: Signal::default(),
            mmio_read_data_valid: Signal::default(),
            mmio_read_data: Signal::default(),
            dma_write_valid: Signal::default(),
            dma_write_ready: Signal::default(),
            dma_write_address: Signal::default(),
            dma_write_data: Signal::default(),
            dma_read_valid: Signal::default(),
            dma_read_ready: Signal::default(),
            dma_read_address: Signal::default(),
            dma_read_data_valid: Signal::default(),
            dma_read_data: Signal::default(),
            dma_read_error: Signal::default(),
            irq: Signal::default(),
            irq_vector: Signal::default(),
            clk_pcie: Signal::default(),
            pcie_reset: Signal::default(),
            link_up: Signal::default(),
            bus_master: Signal::default(),
            cfg_max_payload: Signal::default(),
            cfg_flr_in_process: Signal::default(),
            cfg_flr_done: Signal::default(),
            cfg_interrupt_msix_enable: Signal::default(),
            cfg_interrupt_msix_mask: Signal::default(),
            cq_tvalid: Signal::default(),
            cq_tready: Signal::default(),
            cq_tlast: Signal::default(),
            cq_tdata: Signal::default(),
            cq_tuser: Signal::default(),
            cc_tvalid: Signal::default(),
            cc_tready: Signal::default(),
            cc_tlast: Signal::default(),
            cc_tkeep: Signal::default(),
            cc_tdata: Signal::default(),
            cc_tuser: Signal::default(),
            rq_tvalid: Signal::default(),
            rq_tready: Signal::default(),
            rq_tdata: Signal::default(),
            rq_tuser: Signal::default(),
            pcie_tfc_nph_av: Signal::default(),
            pcie_rq_tag_av: Signal::default(),
            pcie_rq_tag_vld0: Signal::default(),
            pcie_rq_tag0: Signal::default(),
            pcie_rq_tag_vld1: Signal::default(),
            pcie_rq_tag1: Signal::default(),
            rc_tvalid: Signal::default(),
            rc_tlast: Signal::default(),
            rc_tkeep: Signal::default(),
            rc_tdata: Signal::default(),
            rc_tuser: Signal::default(),
            completer: Completer::default(),
            requests: AsyncFifo::default(),
            answers: AsyncFifo::default(),
            access: RegisterAccess::default(),
            writes: WriteCrossing::default(),
            reads: AsyncFifo::default(),
            lines: AsyncFifo::default(),
            path: RequestPath::default(),
            reader: Reader::new(WATCHDOG_CLOCKS),
            completions: Completions::default(),
            msix: MsiX::new(),
            status: Status::new(),
            session: Session::default(),
            order: ReadOrder::default(),
            stall: StallWatch::default(),
            core_end: CoreReset::default(),
            read_line: Signal::default(),
            beat: Signal::default(),
            is_code: Signal::default(),
            counted: Signal::default(),
            trouble: Signal::default(),
            moved: Signal::default(),
            flushed_lines: Signal::default(),
        }
    }
}

impl PcieAdapter {
    /// With a watchdog for reads that bites after so many clocks of `clk_pcie`.
    pub fn new(watchdog_clocks: u64) -> Self {
        Self { reader: Reader::new(watchdog_clocks), ..Self::default() }
    }
}

impl Logic for PcieAdapter {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clk_pcie, completer, path, reader, completions, msix, status, session, writes, order, stall);
        clock!(self, clk_core, access, core_end);

        // Registers.
        self.completer.reset.next = self.pcie_reset.val();
        self.completer.cq_valid.next = self.cq_tvalid.val();
        self.completer.cq_last.next = self.cq_tlast.val();
        self.completer.cq_data.next = self.cq_tdata.val();
        self.completer.cq_first_enables.next = self.cq_tuser.val().get_bits::<4>(0);
        self.completer.cq_last_enables.next = self.cq_tuser.val().get_bits::<4>(8);
        self.completer.cq_discontinue.next = self.cq_tuser.val().get_bit(96);
        self.cq_tready.next = self.completer.cq_ready.val();
        self.cc_tvalid.next = self.completer.cc_valid.val();
        self.order.asks.next = self.completer.cc_asks.val();
        self.order.open.next = self.session.open.val();
        self.order.line_waits.next = self.writes.line_valid.val() | self.path.busy.val();
        self.order.path_idle.next = self.path.idle.val();
        self.order.line_packed.next = self.path.line_packed.val();
        self.completer.cc_may_go.next = self.order.may_go.val();
        self.stall.open.next = self.session.open.val();
        self.stall.rq_waits.next = self.path.waits.val();
        self.stall.answer_waits.next = self.completer.cc_asks.val() & !self.order.may_go.val();
        self.stall.patience.next = self.status.patience.val();
        self.completer.cc_ready.next = self.cc_tready.val();
        self.cc_tlast.next = true;
        self.cc_tdata.next = bit_cast::<512, 160>(self.completer.cc_data.val());
        // `is_sop`, `is_eop` and `is_eop0_ptr`, the last word.
        self.cc_tkeep.next = bits::<16>(0x7);
        self.cc_tuser.next = bits::<81>(0x241);
        if self.completer.cc_words.val() == bits::<3>(4) {
            self.cc_tkeep.next = bits::<16>(0xf);
            self.cc_tuser.next = bits::<81>(0x341);
        }
        if self.completer.cc_words.val() == bits::<3>(5) {
            self.cc_tkeep.next = bits::<16>(0x1f);
            self.cc_tuser.next = bits::<81>(0x441);
        }
        self.requests.write_clock.next = self.clk_pcie.val();
        self.requests.write_reset.next = self.pcie_reset.val();
        self.requests.write.next = self.completer.request_valid.val();
        self.requests.data_in.next = self.completer.request.val();
        self.completer.request_ready.next = !self.requests.full.val();
        self.requests.read_clock.next = self.clk_core.val();
        self.requests.read_reset.next = false;
        self.requests.read.next = self.access.request_take.val();
        self.access.request_valid.next = self.requests.valid.val();
        self.access.request.next = self.requests.data_out.val();
        self.access.reset.next = self.reset.val();
        self.access.hold.next = self.core_end.core_reset.val();
        self.access.mmio_read_data_valid.next = self.mmio_read_data_valid.val();
        self.access.mmio_read_data.next = self.mmio_read_data.val();
        self.mmio_write_valid.next = self.access.mmio_write_valid.val();
        self.mmio_write_address.next = self.access.mmio_write_address.val();
        self.mmio_write_data.next = self.access.mmio_write_data.val();
        self.mmio_read_valid.next = self.access.mmio_read_valid.val();
        self.mmio_read_address.next = self.access.mmio_read_address.val();
        self.answers.write_clock.next = self.clk_core.val();
        self.answers.write_reset.next = false;
        self.answers.write.next = self.access.answer_valid.val();
        self.answers.data_in.next = self.access.answer.val();
        self.access.answer_ready.next = !self.answers.full.val();
        self.answers.read_clock.next = self.clk_pcie.val();
        self.answers.read_reset.next = self.pcie_reset.val();
        self.answers.read.next = true;
        self.completer.answer_valid.next = self.answers.valid.val();
        self.completer.answer.next = self.answers.data_out.val();
        self.completer.local_answer.next = self.msix.local_answer.val() | self.status.local_answer.val();

        // Lines out.
        self.writes.core_clock.next = self.clk_core.val();
        self.writes.core_reset.next = self.core_end.core_reset.val();
        self.writes.valid.next = self.dma_write_valid.val();
        self.writes.address.next = self.dma_write_address.val();
        self.writes.data.next = self.dma_write_data.val();
        self.writes.index.next = self.irq.val();
        self.writes.vector.next = self.irq_vector.val();
        self.dma_write_ready.next = self.writes.ready.val();
        // RQ has to be empty when the hard block comes out of its reset, a clock before the session flushes.
        self.path.reset.next = self.session.flush_path.val() | self.pcie_reset.val();
        self.path.open.next = self.session.open.val();
        self.path.max_payload.next = self.cfg_max_payload.val();
        self.path.line_valid.next = self.writes.line_valid.val();
        self.path.line.next = self.writes.line.val();
        self.writes.line_take.next = self.path.line_take.val();
        self.path.rq_ready.next = self.rq_tready.val();
        self.beat.next = self.path.rq.val();
        self.rq_tvalid.next = self.path.rq_valid.val();
        self.rq_tdata.next = self.beat.val().data;
        self.rq_tuser.next = bit_cast::<137, 36>(self.beat.val().user);

        // Lines in.
        self.reads.write_clock.next = self.clk_core.val();
        self.reads.write_reset.next = self.core_end.core_reset.val();
        self.reads.write.next = self.dma_read_valid.val();
        self.reads.data_in.next = self.dma_read_address.val();
        self.dma_read_ready.next = !self.reads.full.val();
        self.reads.read_clock.next = self.clk_pcie.val();
        self.reads.read_reset.next = false;
        self.reads.read.next = self.reader.request_take.val();
        self.reader.reset.next = self.session.flush.val() | self.pcie_reset.val();
        self.reader.open.next = self.session.open.val();
        self.reader.request_valid.next = self.reads.valid.val();
        self.reader.request_address.next = self.reads.data_out.val();
        self.reader.credits.next = self.pcie_tfc_nph_av.val();
        self.reader.free_tags.next = self.pcie_rq_tag_av.val();
        self.path.read_valid.next = self.reader.issue_valid.val();
        self.path.read_address.next = self.reader.issue_address.val();
        self.reader.issue_take.next = self.path.read_take.val();
        self.reader.sent.next = self.path.read_sent.val();
        self.reader.tag_valid[0].next = self.pcie_rq_tag_vld0.val();
        self.reader.tag_valid[1].next = self.pcie_rq_tag_vld1.val();
        self.reader.tag[0].next = self.pcie_rq_tag0.val();
        self.reader.tag[1].next = self.pcie_rq_tag1.val();
        self.completions.reset.next = self.pcie_reset.val();
        self.completions.rc_valid.next = self.rc_tvalid.val();
        self.completions.rc_last.next = self.rc_tlast.val();
        self.completions.rc_keep.next = self.rc_tkeep.val();
        self.completions.rc_discontinue.next = self.rc_tuser.val().get_bit(96);
        self.completions.rc_data.next = self.rc_tdata.val();
        self.reader.piece.next = self.completions.piece.val();
        self.lines.write_clock.next = self.clk_pcie.val();
        self.lines.write_reset.next = false;
        self.lines.write.next = self.reader.line_valid.val();
        self.lines.data_in.next = self.reader.line.val();
        self.reader.line_take.next = self.reader.line_valid.val() & !self.lines.full.val();
        self.lines.read_clock.next = self.clk_core.val();
        self.lines.read_reset.next = self.core_end.core_reset.val();
        self.lines.read.next = true;
        self.read_line.next = self.lines.data_out.val();
        self.dma_read_data_valid.next = self.lines.valid.val();
        self.dma_read_data.next = self.read_line.val().data;
        self.dma_read_error.next = self.read_line.val().error;

        // Interrupts: the vector of a ring for its index lines, vector 5 for whatever went wrong.
        self.msix.reset.next = self.pcie_reset.val() | self.session.forget.val();
        self.msix.open.next = self.session.open.val();
        self.msix.enabled.next = self.cfg_interrupt_msix_enable.val();
        self.msix.masked.next = self.cfg_interrupt_msix_mask.val();
        self.moved.next = bits::<8>(0);
        if self.path.index_queued.val() {
            self.moved.next = bits::<8>(1) << self.path.index_vector.val();
        }
        self.msix.events.next = self.moved.val() | (bit_cast::<8, 1>(self.trouble.val().into()) << 5);
        self.msix.interval.next = self.status.interval.val();
        self.msix.local_write.next = self.completer.local_write.val();
        self.msix.local_read.next = self.completer.local_read.val();
        self.msix.local_address.next = self.completer.local_address.val();
        self.msix.local_data.next = self.completer.local_data.val();
        self.path.message_valid.next = self.msix.message_valid.val();
        self.path.message_address.next = self.msix.message_address.val();
        self.path.message_data.next = self.msix.message_data.val();
        self.msix.message_take.next = self.path.message_take.val();

        // Registers of the adapter.
        self.is_code.next = bits::<4>(0);
        if self.reader.failed.val() {
            self.is_code.next = self.reader.failed_code.val();
        }
        self.trouble.next = self.reader.failed.val()
            | self.reader.short.val()
            | self.reader.abandoned.val()
            | self.completer.aborted.val();
        self.counted.next = bit_cast::<14, 1>(self.completer.unsupported.val().into())
            | (bit_cast::<14, 1>(self.completer.dropped.val().into()) << 1)
            | (bit_cast::<14, 1>(self.completer.aborted.val().into()) << 2)
            | (bit_cast::<14, 1>(self.path.dropped.val().into()) << 3)
            | (bit_cast::<14, 1>(self.reader.refused.val().into()) << 4)
            | (bit_cast::<14, 1>((self.is_code.val() == bits::<4>(2)).into()) << 5)
            | (bit_cast::<14, 1>((self.is_code.val() == bits::<4>(1)).into()) << 6)
            | (bit_cast::<14, 1>((self.is_code.val() == bits::<4>(9)).into()) << 7)
            | (bit_cast::<14, 1>(
                (((self.is_code.val() > bits::<4>(2)) & (self.is_code.val() != bits::<4>(9)))
                    | self.reader.short.val())
                .into(),
            ) << 8)
            | (bit_cast::<14, 1>(self.reader.abandoned.val().into()) << 9)
            | (bit_cast::<14, 1>(self.reader.unexpected.val().into()) << 10)
            | (bit_cast::<14, 1>(self.path.message_take.val().into()) << 11)
            | (bit_cast::<14, 1>(self.session.ended.val().into()) << 12)
            | (bit_cast::<14, 1>(
                (self.stall.noticed.val() | (self.reader.stuck.val() & self.session.open.val())).into(),
            ) << 13);
        self.flushed_lines.next = bits::<6>(0);
        if self.session.flush_path.val() {
            self.flushed_lines.next = self.path.waiting.val();
        }
        self.status.reset.next = self.pcie_reset.val() | self.session.forget.val();
        self.status.events.next = self.counted.val();
        self.status.lines.next = self.flushed_lines.val();
        self.status.state.next = bit_cast::<32, 1>(self.bus_master.val().into())
            | (bit_cast::<32, 1>(self.link_up.val().into()) << 1)
            | (bit_cast::<32, 1>(self.cfg_flr_in_process.val().into()) << 2)
            | (bit_cast::<32, 1>(self.cfg_interrupt_msix_enable.val().into()) << 3)
            | (bit_cast::<32, 1>(self.cfg_interrupt_msix_mask.val().into()) << 4)
            | (bit_cast::<32, 1>(self.stall.standing.val().into()) << 5)
            | (bit_cast::<32, 2>(self.cfg_max_payload.val()) << 8)
            | (bit_cast::<32, 3>(self.session.shown.val()) << 16);
        self.status.local_write.next = self.completer.local_write.val();
        self.status.local_read.next = self.completer.local_read.val();
        self.status.local_address.next = self.completer.local_address.val();
        self.status.local_data.next = self.completer.local_data.val();

        // The session.
        self.session.reset.next = self.pcie_reset.val();
        self.session.bus_master.next = self.bus_master.val();
        self.session.link_up.next = self.link_up.val();
        self.session.function_reset.next = self.cfg_flr_in_process.val();
        self.cfg_flr_done.next = self.session.function_reset_done.val();
        self.session.between.next = self.path.between.val();
        self.session.untagged.next = self.reader.untagged.val();
        self.session.stuck.next = self.reader.stuck.val() | self.stall.stuck.val();
        self.session.core_reset_done.next = self.core_end.done.val();
        self.core_end.reset.next = self.reset.val();
        self.core_end.wanted.next = self.session.core_reset_wanted.val();
        self.core_end.fifos_open.next = self.writes.open.val() & self.reads.open.val();
        self.core_reset.next = self.core_end.core_reset.val();
    }
}
