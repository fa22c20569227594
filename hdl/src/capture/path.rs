//! The capture side, put together.

use super::types::{DroppedFrame, Job};
use super::{Copier, Decider, DropCounters, FrameStore, HitQueue, RecordFifo, Release};
use crate::axis::TapBeat;
use crate::lookup::types::Verdict;
use crate::parse::types::Ticket;
use crate::prelude::*;

/// Frame stores of both ports, everything between verdict and record, and the drop counters. Index 0 is port A, 1 is port B.
#[derive(LogicBlock, Default)]
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
    /// Let no frame into the parser.
    pub stall: Signal<Out, Bit>,
    /// There is a record.
    pub header_valid: Signal<Out, Bit>,
    /// Its header line.
    pub header: Signal<Out, Bits<512>>,
    /// Take it.
    pub take_header: Signal<In, Bit>,
    /// The oldest line of payload.
    pub payload: Signal<Out, Bits<512>>,
    /// There is one.
    pub payload_valid: Signal<Out, Bit>,
    /// Take it.
    pub take_payload: Signal<In, Bit>,
    /// See [`DropCounters`].
    pub drop_request: Signal<In, Bit>,
    /// See [`DropCounters`].
    pub drop_clear: Signal<In, Bit>,
    /// See [`DropCounters`].
    pub drop_index: Signal<In, Bits<15>>,
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
    /// A packet record is on its way.
    pub packet_record: Signal<Out, Bit>,
    /// A gap record is on its way.
    pub gap_record: Signal<Out, Bit>,
    /// A frame with hits was discarded because the MAC flagged it.
    pub flagged: Signal<Out, Bit>,
    /// No verdict waits, no record is being made or waits for the bus.
    pub idle: Signal<Out, Bit>,
    store: [FrameStore; 2],
    release: [Release; 2],
    queue: HitQueue,
    decider: Decider,
    jobs: Fifo<Job, 9, 10>,
    copier: Copier,
    records: RecordFifo,
    drops: DropCounters,
    verdict_ticket: Signal<Local, Ticket>,
    decided_ticket: Signal<Local, Ticket>,
    begun_ticket: Signal<Local, Ticket>,
    dropped: Signal<Local, DroppedFrame>,
}

impl Logic for CapturePath {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, queue, decider, jobs, copier, records, drops);
        self.queue.reset.next = self.reset.val();
        self.decider.reset.next = self.reset.val();
        self.jobs.reset.next = self.reset.val();
        self.copier.reset.next = self.reset.val();
        self.records.reset.next = self.reset.val();
        self.drops.reset.next = self.reset.val();

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

        self.queue.done.next = self.done.val();
        self.queue.hit.next = self.hit.val();
        self.queue.verdict.next = self.verdict.val();
        self.queue.described_a.next = self.store[0].described.val();
        self.queue.described_b.next = self.store[1].described.val();
        self.queue.description_a.next = self.store[0].description.val();
        self.queue.description_b.next = self.store[1].description.val();
        self.stall.next = self.queue.stall.val();

        self.decider.valid.next = self.queue.valid.val();
        self.decider.verdict.next = self.queue.out_verdict.val();
        self.decider.description.next = self.queue.description.val();
        self.decider.more.next = !self.queue.idle.val();
        self.decider.line_freed.next = self.records.line_freed.val();
        self.jobs.write.next = self.decider.job_valid.val();
        self.jobs.data_in.next = self.decider.job.val();

        self.copier.job_valid.next = self.jobs.valid.val();
        self.copier.job.next = self.jobs.data_out.val();
        self.jobs.read.next = self.copier.job_take.val();
        self.copier.line_a.next = self.store[0].line.val();
        self.copier.line_b.next = self.store[1].line.val();

        self.records.write_header.next = self.copier.write_header.val();
        self.records.write_payload.next = self.copier.write_payload.val();
        self.records.line.next = self.copier.line.val();
        self.records.take_header.next = self.take_header.val();
        self.records.take_payload.next = self.take_payload.val();
        self.header_valid.next = self.records.header_valid.val();
        self.header.next = self.records.header.val();
        self.payload.next = self.records.payload.val();
        self.payload_valid.next = self.records.payload_valid.val();

        self.dropped.next = self.decider.dropped_frame.val();
        self.drops.dropped.next = self.decider.dropped.val();
        self.drops.frame.next = self.dropped.val();
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
        self.packet_record.next = self.decider.decided_copy.val();
        self.gap_record.next = self.decider.gap_record.val();
        self.flagged.next = self.decider.flagged.val();
        self.idle.next = self.queue.idle.val()
            & self.decider.idle.val()
            & !self.jobs.count.val().any()
            & self.copier.idle.val()
            & self.records.idle.val();
    }
}
