//! The capture side, put together.

use super::decide::{CutFinder, Decider, Expander, HitPacker};
use super::record::{Copier, RecordFifo};
use super::types::Job;
use super::{DropCounters, FrameStore, HitQueue, OwnTunnels, Release};
use crate::axis::TapBeat;
use crate::lookup::types::Verdict;
use crate::parse::types::Ticket;
use crate::prelude::*;
use writ_abi::limits;

/// Frame stores of both ports, everything between verdict and record, and the drop counters. Of what belongs to ports, index 0 is port A, 1 is
/// port B; of what belongs to rings, index `n` is record ring `n`.
#[derive(LogicBlock)]
pub struct CapturePath {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// A beat.
    pub beat: [Signal<In, TapBeat>; 2],
    /// Its data.
    pub data: [Signal<In, Bits<512>>; 2],
    /// The beat completes its frame's window.
    pub window_complete: [Signal<In, Bit>; 2],
    /// The frame will not be looked up.
    pub window_dropped: [Signal<In, Bit>; 2],
    /// With a frame's first beat: where it starts in its store.
    pub start: [Signal<Out, Bits<12>>; 2],
    /// A frame has its verdict.
    pub done: Signal<In, Bit>,
    /// With `done`: it has hits.
    pub hit: Signal<In, Bit>,
    /// With `done`: the frame.
    pub verdict: Signal<In, Verdict>,
    /// LOOKUP.OWN_TUNNELS.
    pub own_tunnels: Signal<In, Bits<10>>,
    /// A frame's keys enter lookup.
    pub entering: Signal<In, Bit>,
    /// Let no frame into the parser.
    pub stall: Signal<Out, Bit>,
    /// There is a record.
    pub header_valid: [Signal<Out, Bit>; limits::RECORD_RINGS],
    /// Its first line.
    pub header: [Signal<Out, Bits<512>>; limits::RECORD_RINGS],
    /// Take it.
    pub take_header: [Signal<In, Bit>; limits::RECORD_RINGS],
    /// The oldest line behind a first line.
    pub rest: [Signal<Out, Bits<512>>; limits::RECORD_RINGS],
    /// There is one.
    pub rest_valid: [Signal<Out, Bit>; limits::RECORD_RINGS],
    /// Take it.
    pub take_rest: [Signal<In, Bit>; limits::RECORD_RINGS],
    /// See [`DropCounters`].
    pub drop_request: Signal<In, Bit>,
    /// See [`DropCounters`].
    pub drop_clear: Signal<In, Bit>,
    /// See [`DropCounters`].
    pub drop_index: Signal<In, Bits<17>>,
    /// See [`DropCounters`].
    pub drop_done: Signal<Out, Bit>,
    /// See [`DropCounters`].
    pub drop_packets: Signal<Out, Bits<64>>,
    /// See [`DropCounters`].
    pub drop_bytes: Signal<Out, Bits<64>>,
    /// See [`DropCounters`].
    pub drops_ready: Signal<Out, Bit>,
    /// See [`DropCounters`].
    pub unattributed: Signal<Out, Bit>,
    /// See [`Decider`].
    pub outcome: Signal<Out, Bit>,
    /// See [`Decider`].
    pub outcome_cause: Signal<Out, Bits<3>>,
    /// See [`Decider`].
    pub outcome_first: Signal<Out, Bit>,
    /// See [`Decider`].
    pub outcome_ring: Signal<Out, Bits<2>>,
    /// A gap record is on its way.
    pub gap_record: Signal<Out, Bit>,
    /// A frame with hits was discarded because the MAC flagged it.
    pub flagged: Signal<Out, Bit>,
    /// See [`HitQueue`].
    pub patience: Signal<In, Bits<11>>,
    /// One clock ago no verdict waited, no record was being made or waited for the bus.
    pub idle: Signal<Out, Bit>,
    store: [FrameStore; 2],
    release: [Release; 2],
    tunnels: OwnTunnels,
    queue: HitQueue,
    expander: Expander,
    cut: CutFinder,
    packer: HitPacker,
    decider: Decider,
    jobs: Fifo<Job, 11, 12>,
    copier: Copier,
    records: [RecordFifo; limits::RECORD_RINGS],
    drops: DropCounters,
    resting: RegR<Bits<6>>,
    verdict_ticket: Signal<Local, Ticket>,
    decided_ticket: Signal<Local, Ticket>,
    begun_ticket: Signal<Local, Ticket>,
}

const _: () = assert!(limits::RECORD_RINGS * limits::RECORD_FIFO_LINES <= 1 << 11, "each line may be a job's");

impl Default for CapturePath {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            beat: Default::default(),
            data: Default::default(),
            window_complete: Default::default(),
            window_dropped: Default::default(),
            start: Default::default(),
            done: Signal::default(),
            hit: Signal::default(),
            verdict: Signal::default(),
            own_tunnels: Signal::default(),
            entering: Signal::default(),
            stall: Signal::default(),
            header_valid: Default::default(),
            header: Default::default(),
            take_header: Default::default(),
            rest: Default::default(),
            rest_valid: Default::default(),
            take_rest: Default::default(),
            drop_request: Signal::default(),
            drop_clear: Signal::default(),
            drop_index: Signal::default(),
            drop_done: Signal::default(),
            drop_packets: Signal::default(),
            drop_bytes: Signal::default(),
            drops_ready: Signal::default(),
            unattributed: Signal::default(),
            outcome: Signal::default(),
            outcome_cause: Signal::default(),
            outcome_first: Signal::default(),
            outcome_ring: Signal::default(),
            gap_record: Signal::default(),
            flagged: Signal::default(),
            idle: Signal::default(),
            store: Default::default(),
            release: Default::default(),
            tunnels: OwnTunnels::default(),
            patience: Signal::default(),
            queue: HitQueue::default(),
            expander: Expander::default(),
            cut: CutFinder::default(),
            packer: HitPacker::default(),
            decider: Decider::default(),
            jobs: Fifo::new(RamStyle::Ultra),
            copier: Copier::default(),
            records: Default::default(),
            drops: DropCounters::default(),
            resting: RegR::default(),
            verdict_ticket: Signal::default(),
            decided_ticket: Signal::default(),
            begun_ticket: Signal::default(),
        }
    }
}

impl Logic for CapturePath {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, resting);
        clock!(self, clock, tunnels, queue, expander, cut, packer, decider, jobs, copier, drops);
        self.resting.reset.next = self.reset.val();
        self.tunnels.reset.next = self.reset.val();
        self.queue.patience.next = self.patience.val();
        self.queue.reset.next = self.reset.val();
        self.expander.reset.next = self.reset.val();
        self.cut.reset.next = self.reset.val();
        self.packer.reset.next = self.reset.val();
        self.decider.reset.next = self.reset.val();
        self.jobs.reset.next = self.reset.val();
        self.copier.reset.next = self.reset.val();
        self.drops.reset.next = self.reset.val();

        // Ports.
        self.verdict_ticket.next = self.verdict.val().ticket;
        self.decided_ticket.next = self.decider.decided_ticket.val();
        self.begun_ticket.next = self.copier.begun_ticket.val();
        for port in 0..2 {
            self.store[port].clock.next = self.clock.val();
            self.store[port].reset.next = self.reset.val();
            self.store[port].beat.next = self.beat[port].val();
            self.store[port].data.next = self.data[port].val();
            self.store[port].window_complete.next = self.window_complete[port].val();
            self.store[port].window_dropped.next = self.window_dropped[port].val();
            self.store[port].free.next = self.release[port].free.val();
            self.store[port].describe_number.next = self.queue.describe_number.val();
            self.store[port].read_line.next = self.copier.read_line.val();
            self.start[port].next = self.store[port].start.val();
            self.release[port].clock.next = self.clock.val();
            self.release[port].reset.next = self.reset.val();
            self.release[port].verdict_hit.next = self.hit.val();
            self.release[port].verdict_start.next = self.verdict_ticket.val().start;
            self.release[port].decided_copy.next = self.decider.decided_copy.val();
            self.release[port].decided_last.next = self.decider.decided_last.val();
            self.release[port].decided_start.next = self.decided_ticket.val().start;
            self.release[port].begun_start.next = self.begun_ticket.val().start;
        }
        self.store[0].describe.next = self.queue.describe_a.val();
        self.store[1].describe.next = self.queue.describe_b.val();
        self.store[0].read.next = self.copier.read_a.val();
        self.store[1].read.next = self.copier.read_b.val();
        self.release[0].verdict.next = self.done.val() & !self.verdict_ticket.val().port;
        self.release[1].verdict.next = self.done.val() & self.verdict_ticket.val().port;
        self.release[0].decided.next = self.decider.decided.val() & !self.decided_ticket.val().port;
        self.release[1].decided.next = self.decider.decided.val() & self.decided_ticket.val().port;
        self.release[0].begun.next = self.copier.begun.val() & !self.begun_ticket.val().port;
        self.release[1].begun.next = self.copier.begun.val() & self.begun_ticket.val().port;
        self.release[0].copied.next = self.copier.copied.val() & !self.copier.copied_port.val();
        self.release[1].copied.next = self.copier.copied.val() & self.copier.copied_port.val();

        // Verdicts.
        self.queue.done.next = self.done.val();
        self.queue.hit.next = self.hit.val();
        self.queue.verdict.next = self.verdict.val();
        self.tunnels.kinds.next = self.own_tunnels.val();
        self.tunnels.entering.next = self.entering.val();
        self.tunnels.done.next = self.done.val();
        self.tunnels.tunnel.next = self.verdict.val().headers.tunnel;
        self.queue.own_tunnel.next = self.tunnels.own.val();
        self.queue.described_a.next = self.store[0].described.val();
        self.queue.described_b.next = self.store[1].described.val();
        self.queue.description_a.next = self.store[0].description.val();
        self.queue.description_b.next = self.store[1].description.val();
        self.queue.finished.next = self.expander.finished.val();
        self.stall.next = self.queue.stall.val();
        self.expander.valid.next = self.queue.valid.val();
        self.expander.verdict.next = self.queue.out_verdict.val();
        self.expander.own_tunnel.next = self.queue.out_own_tunnel.val();
        self.expander.rings.next = self.queue.rings.val();
        self.expander.single.next = self.queue.single.val();
        self.expander.description.next = self.queue.description.val();
        self.cut.valid.next = self.expander.out_valid.val();
        self.cut.due.next = self.expander.due.val();
        self.cut.hits.next = self.expander.hits.val();
        self.cut.selected.next = self.expander.selected.val();
        self.cut.many.next = self.packer.many.val();
        self.packer.valid.next = self.expander.out_valid.val();
        self.packer.hits.next = self.expander.hits.val();
        self.packer.selected.next = self.expander.selected.val();
        self.decider.valid.next = self.cut.out_valid.val();
        self.decider.sized.next = self.cut.sized.val();
        self.decider.list.next = self.packer.list.val();
        self.decider.count.next = self.packer.count.val();

        // Records.
        self.jobs.write.next = self.decider.job_valid.val();
        self.jobs.data_in.next = self.decider.job.val();
        self.copier.job_valid.next = self.jobs.valid.val();
        self.copier.job.next = self.jobs.data_out.val();
        self.jobs.read.next = self.copier.job_take.val();
        self.copier.line_a.next = self.store[0].line.val();
        self.copier.line_b.next = self.store[1].line.val();
        for i in 0..4 {
            self.records[i].clock.next = self.clock.val();
            self.records[i].reset.next = self.reset.val();
            self.records[i].write_header.next = self.copier.write_header.val().get_bit(i);
            self.records[i].write_rest.next = self.copier.write_rest.val().get_bit(i);
            self.records[i].line.next = self.copier.line.val();
            self.records[i].take_header.next = self.take_header[i].val();
            self.records[i].take_rest.next = self.take_rest[i].val();
            self.decider.line_freed[i].next = self.records[i].line_freed.val();
            self.header_valid[i].next = self.records[i].header_valid.val();
            self.header[i].next = self.records[i].header.val();
            self.rest[i].next = self.records[i].rest.val();
            self.rest_valid[i].next = self.records[i].rest_valid.val();
        }

        // Drops.
        self.drops.dropped.next = self.decider.dropped.val();
        self.drops.record.next = self.decider.dropped_record.val();
        self.drops.request.next = self.drop_request.val();
        self.drops.clear.next = self.drop_clear.val();
        self.drops.index.next = self.drop_index.val();
        self.drop_done.next = self.drops.done.val();
        self.drop_packets.next = self.drops.packets.val();
        self.drop_bytes.next = self.drops.bytes.val();
        self.drops_ready.next = self.drops.ready.val();
        self.unattributed.next = self.drops.unattributed.val();

        self.outcome.next = self.decider.outcome.val();
        self.outcome_cause.next = self.decider.outcome_cause.val();
        self.outcome_first.next = self.decider.outcome_first.val();
        self.outcome_ring.next = self.decider.ring.val();
        self.gap_record.next = self.decider.gap_record.val();
        self.flagged.next = self.decider.flagged.val();
        self.resting.d.next = bits::<6>(0)
            .replace_bit(0, self.copier.idle.val())
            .replace_bit(
                1,
                self.queue.idle.val()
                    & !self.expander.out_valid.val()
                    & self.cut.idle.val()
                    & self.decider.idle.val()
                    & !self.jobs.count.val().any(),
            )
            .replace_bit(2, self.records[0].idle.val())
            .replace_bit(3, self.records[1].idle.val())
            .replace_bit(4, self.records[2].idle.val())
            .replace_bit(5, self.records[3].idle.val());
        self.idle.next = self.resting.q.val().all();
    }
}
