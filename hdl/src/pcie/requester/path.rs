//! Everything that goes out on RQ: [`Gather`], [`Packer`], a FIFO in front of the hard block, whose ready comes late in a clock, and [`Outlet`].

use super::{Gather, Outlet, Packer};
use crate::pcie::types::{BusLine, RqBeat};
use crate::prelude::*;

/// Requests of the card. Ports as those of [`Gather`] and [`Packer`].
#[derive(LogicBlock, Default)]
pub struct RequestPath {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Throws away what is inside. With the hard block's reset alone, or while `between`: else a TLP is cut in half.
    pub reset: Signal<In, Bit>,
    /// Lines, reads and messages may go to the bus.
    pub open: Signal<In, Bit>,
    /// `cfg_max_payload`.
    pub max_payload: Signal<In, Bits<2>>,
    /// There is a line.
    pub line_valid: Signal<In, Bit>,
    /// The line.
    pub line: Signal<In, BusLine>,
    /// It is taken.
    pub line_take: Signal<Out, Bit>,
    /// There is a read.
    pub read_valid: Signal<In, Bit>,
    /// Of which line.
    pub read_address: Signal<In, Bits<64>>,
    /// It is taken.
    pub read_take: Signal<Out, Bit>,
    /// There is an interrupt message.
    pub message_valid: Signal<In, Bit>,
    /// Where it goes.
    pub message_address: Signal<In, Bits<64>>,
    /// What it says.
    pub message_data: Signal<In, Bits<32>>,
    /// It is taken.
    pub message_take: Signal<Out, Bit>,
    /// `s_axis_rq_tvalid`.
    pub rq_valid: Signal<Out, Bit>,
    /// `s_axis_rq_tready`, any of its four bits.
    pub rq_ready: Signal<In, Bit>,
    /// The beat.
    pub rq: Signal<Out, RqBeat>,
    /// A read went out on RQ.
    pub read_sent: Signal<Out, Bit>,
    /// A write that ends with an index line is in the queue.
    pub index_queued: Signal<Out, Bit>,
    /// Its interrupt vector.
    pub index_vector: Signal<Out, Bits<3>>,
    /// A line was thrown away.
    pub dropped: Signal<Out, Bit>,
    /// Lines that a reset would throw away, while closed and `between`.
    pub waiting: Signal<Out, Bits<6>>,
    /// A line waits for the packer.
    pub busy: Signal<Out, Bit>,
    /// A line was packed.
    pub line_packed: Signal<Out, Bit>,
    /// Nothing stands behind the row of TLPs.
    pub idle: Signal<Out, Bit>,
    /// No TLP has begun on RQ that has not gone out as a whole.
    pub between: Signal<Out, Bit>,
    /// RQ has a beat and did not take it.
    pub waits: Signal<Out, Bit>,
    gather: Gather,
    packer: Packer,
    beats: Fifo<RqBeat, 4, 5>,
    outlet: Outlet,
    packed: RegR<Bits<5>>,
}

impl Logic for RequestPath {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, packed);
        clock!(self, clock, gather, packer, beats, outlet);
        self.gather.reset.next = self.reset.val();
        self.packer.reset.next = self.reset.val();
        self.beats.reset.next = self.reset.val();
        self.outlet.reset.next = self.reset.val();
        self.packed.reset.next = self.reset.val();
        self.gather.open.next = self.open.val();
        self.gather.max_payload.next = self.max_payload.val();
        self.gather.line_valid.next = self.line_valid.val();
        self.gather.line.next = self.line.val();
        self.line_take.next = self.gather.line_take.val();
        self.gather.read_valid.next = self.read_valid.val();
        self.gather.read_address.next = self.read_address.val();
        self.read_take.next = self.gather.read_take.val();
        self.gather.message_valid.next = self.message_valid.val();
        self.gather.message_address.next = self.message_address.val();
        self.gather.message_data.next = self.message_data.val();
        self.message_take.next = self.gather.message_take.val();
        self.gather.hungry.next = self.packer.hungry.val();
        self.gather.take_tlp.next = self.packer.take_tlp.val();
        self.gather.take_data.next = self.packer.take_line.val();
        self.packer.stop.next = !self.open.val();
        self.packer.tlp_valid.next = self.gather.tlp_valid.val();
        self.packer.tlp.next = self.gather.tlp.val();
        self.packer.line.next = self.gather.data.val();
        self.packer.room.next = !self.beats.full.val();
        self.beats.write.next = self.packer.beat_valid.val();
        self.beats.data_in.next = self.packer.beat.val();
        self.beats.read.next = self.outlet.beat_take.val();
        self.outlet.open.next = self.open.val();
        self.outlet.beat_valid.next = self.beats.valid.val();
        self.outlet.beat.next = self.beats.data_out.val();
        self.outlet.rq_ready.next = self.rq_ready.val();
        self.rq_valid.next = self.outlet.rq_valid.val();
        self.rq.next = self.outlet.rq.val();
        self.read_sent.next = self.outlet.read_sent.val();
        self.between.next = self.outlet.between.val();
        self.waits.next = self.outlet.waits.val();
        self.index_queued.next = self.gather.index_queued.val();
        self.index_vector.next = self.gather.index_vector.val();
        self.dropped.next = self.gather.dropped.val();
        self.busy.next = self.gather.busy.val();
        self.line_packed.next = self.packer.take_line.val();
        // Lines in beats are in no FIFO of lines any more.
        self.packed.d.next = self.packed.q.val() + bit_cast::<5, 1>(self.packer.take_line.val().into())
            - bit_cast::<5, 1>(self.outlet.line_out.val().into());
        self.waiting.next = self.gather.waiting.val() + bit_cast::<6, 5>(self.packed.q.val());
        self.idle.next = self.packer.idle.val() & !self.beats.count.val().any();
    }
}
