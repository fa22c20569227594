//! Everything on the core's clock: windows of both directions, parser, tables, capture, host memory, registers, the card's clock.
//!
//! # Overview
//! Beats come from the [`crate::axis::TapBranch`] of each port, which brings them over from the wire's clock. A [`SelfTest`] stands between
//! each branch and the copy side. Names of ports are those of [`crate::top::Top`]; index 0 is port A, 1 is port B.
//!
//! # Limits
//! One clock. Nothing in here reaches a wire: what goes back to the branches is the reset, the time, and the request for a snapshot.

use crate::axis::{SelfTest, TapBeat, WIRE_COUNTS};
use crate::capture::CapturePath;
use crate::csr::{Counters, Registers};
use crate::dma::types::LineWrite;
use crate::dma::{CommandRing, CompletionRing, RecordRing, WriteArbiter};
use crate::lookup::LookupPath;
use crate::lookup::types::Verdict;
use crate::parse::types::{Headers, Ticket};
use crate::parse::{Merger, PARSER_CLOCKS, Parser, WindowCollector};
use crate::prelude::*;
use crate::time::SteeredClock;
use writ_abi::{limits, pci};

const _: () = assert!(PARSER_CLOCKS + 64 <= 128, "frames behind a stall, for which the queue of verdicts has room");
const _: () =
    assert!(pci::COMPLETION_VECTOR == 4 && pci::record_vector(3) == 3, "vectors are numbers of the arbiter's writers");

/// The card's core.
#[derive(LogicBlock)]
pub struct Core {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Power-up reset.
    pub reset: Signal<In, Bit>,
    /// BLAKE3 of the emitted Verilog.
    pub build_hash: Signal<In, Bits<256>>,
    /// Clocks that a frame's record may wait for the end of its frame: more than the longest frame lasts. Constant.
    pub patience: Signal<In, Bits<11>>,
    /// Pulse per second, without relation to any clock.
    pub pps: Signal<In, Bit>,
    /// A beat of a port.
    pub beat: [Signal<In, TapBeat>; 2],
    /// With the beat's `last` and `error`: the frame lost its end on the way here.
    pub cut: [Signal<In, Bit>; 2],
    /// Its data.
    pub data: [Signal<In, Bits<512>>; 2],
    /// Its frame's stamp.
    pub stamp_ns: [Signal<In, Bits<64>>; 2],
    /// The stamp's quality.
    pub stamp_quality: [Signal<In, Bits<2>>; 2],
    /// A frame is at the port or on its way here.
    pub busy: [Signal<In, Bit>; 2],
    /// Counts of the port's wire have not come yet.
    pub snapshot_pending: [Signal<In, Bit>; 2],
    /// See [`Counters`].
    pub wire_a: [Signal<In, Bits<64>>; WIRE_COUNTS],
    /// See [`Counters`].
    pub wire_b: [Signal<In, Bits<64>>; WIRE_COUNTS],
    /// Reset of the copy side.
    pub copy_reset: Signal<Out, Bit>,
    /// Quality of the card's time.
    pub quality: Signal<Out, Bits<2>>,
    /// From the next clock on the time has nothing to do with what it was.
    pub step: Signal<Out, Bit>,
    /// Copy all counts.
    pub snapshot: Signal<Out, Bit>,
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
    /// Its interrupt vector.
    pub irq_vector: Signal<Out, Bits<3>>,
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
    self_test: [SelfTest; 2],
    windows: [WindowCollector; 2],
    merger: Merger,
    parser: Parser,
    lookup: LookupPath,
    capture: CapturePath,
    records: [RecordRing; limits::RECORD_RINGS],
    commands: CommandRing,
    completions: CompletionRing,
    arbiter: WriteArbiter,
    card_clock: SteeredClock,
    registers: Registers,
    counters: Counters,
    waiting: RegR<Bits<9>>,
    resting: RegR<Bit>,
    busy_before: RegR<Bit>,
    tap_a: Signal<Local, TapBeat>,
    tap_b: Signal<Local, TapBeat>,
    entering: Signal<Local, Ticket>,
    verdict: Signal<Local, Verdict>,
    verdict_headers: Signal<Local, Headers>,
    write: Signal<Local, LineWrite>,
    lost_a: Signal<Local, Bit>,
    lost_b: Signal<Local, Bit>,
    accepted: Signal<Local, Bits<9>>,
    rings_idle: Signal<Local, Bit>,
}

impl Default for Core {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            build_hash: Signal::default(),
            patience: Signal::default(),
            pps: Signal::default(),
            beat: Default::default(),
            cut: Default::default(),
            data: Default::default(),
            stamp_ns: Default::default(),
            stamp_quality: Default::default(),
            busy: Default::default(),
            snapshot_pending: Default::default(),
            wire_a: Default::default(),
            wire_b: Default::default(),
            copy_reset: Signal::default(),
            quality: Signal::default(),
            step: Signal::default(),
            snapshot: Signal::default(),
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
            irq: Signal::default(),
            irq_vector: Signal::default(),
            tap_window_a_valid: Signal::default(),
            tap_window_a_dropped: Signal::default(),
            tap_window_b_valid: Signal::default(),
            tap_window_b_dropped: Signal::default(),
            tap_lookup_valid: Signal::default(),
            tap_lookup_port: Signal::default(),
            tap_lookup_stamp_ns: Signal::default(),
            tap_lookup_quality: Signal::default(),
            tap_lookup_armed: Signal::default(),
            tap_lookup_expiry_floor: Signal::default(),
            tap_lookup_committed: Signal::default(),
            tap_outcome_valid: Signal::default(),
            tap_outcome_ring: Signal::default(),
            tap_outcome_cause: Signal::default(),
            tap_outcome_gap: Signal::default(),
            tap_gap_valid: Signal::default(),
            tap_gap_ring: Signal::default(),
            tap_verdict_error_valid: Signal::default(),
            now_ns: Signal::default(),
            self_test: [SelfTest::new(0), SelfTest::new(1)],
            windows: Default::default(),
            merger: Merger::default(),
            parser: Parser::default(),
            lookup: LookupPath::default(),
            capture: CapturePath::default(),
            records: Default::default(),
            commands: CommandRing::default(),
            completions: CompletionRing::default(),
            arbiter: WriteArbiter::default(),
            card_clock: SteeredClock::default(),
            registers: Registers::default(),
            counters: Counters::default(),
            waiting: RegR::default(),
            resting: RegR::default(),
            busy_before: RegR::default(),
            tap_a: Signal::default(),
            tap_b: Signal::default(),
            entering: Signal::default(),
            verdict: Signal::default(),
            verdict_headers: Signal::default(),
            write: Signal::default(),
            lost_a: Signal::default(),
            lost_b: Signal::default(),
            accepted: Signal::default(),
            rings_idle: Signal::default(),
        }
    }
}

impl Logic for Core {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, waiting, resting, busy_before);
        clock!(self, clock, merger, parser, lookup, capture, commands, completions);
        clock!(self, clock, arbiter, card_clock, registers, counters);
        self.copy_reset.next = self.registers.copy_reset.val();
        self.merger.reset.next = self.copy_reset.val();
        self.parser.reset.next = self.copy_reset.val();
        self.lookup.reset.next = self.copy_reset.val();
        self.capture.reset.next = self.copy_reset.val();
        self.commands.reset.next = self.copy_reset.val();
        self.commands.card_reset.next = self.reset.val();
        self.completions.reset.next = self.copy_reset.val();
        self.arbiter.reset.next = self.copy_reset.val();
        self.card_clock.reset.next = self.copy_reset.val();
        self.counters.reset.next = self.copy_reset.val();
        self.registers.reset.next = self.reset.val();
        self.waiting.reset.next = self.copy_reset.val();
        self.resting.reset.next = self.copy_reset.val();
        self.busy_before.reset.next = self.copy_reset.val();

        // The card's own frames, windows, frame stores.
        for port in 0..2 {
            self.self_test[port].clock.next = self.clock.val();
            self.self_test[port].reset.next = self.copy_reset.val();
            self.self_test[port].enable.next = self.registers.self_test_ports.val().get_bit(port);
            self.self_test[port].period.next = self.registers.self_test_period.val();
            self.self_test[port].token.next = self.registers.self_test_token.val();
            self.self_test[port].now_ns.next = self.card_clock.now_ns.val();
            self.self_test[port].quality.next = self.card_clock.quality.val();
            self.self_test[port].tap_beat.next = self.beat[port].val();
            self.self_test[port].tap_data.next = self.data[port].val();
            self.self_test[port].tap_stamp_ns.next = self.stamp_ns[port].val();
            self.self_test[port].tap_stamp_quality.next = self.stamp_quality[port].val();
            self.windows[port].clock.next = self.clock.val();
            self.windows[port].reset.next = self.copy_reset.val();
            self.windows[port].beat.next = self.self_test[port].beat.val();
            self.windows[port].data.next = self.self_test[port].data.val();
            self.windows[port].stamp_ns.next = self.self_test[port].stamp_ns.val();
            self.windows[port].stamp_quality.next = self.self_test[port].stamp_quality.val();
            self.windows[port].start.next = self.capture.start[port].val();
            self.capture.beat[port].next = self.self_test[port].beat.val();
            self.capture.data[port].next = self.self_test[port].data.val();
            self.capture.window_complete[port].next = self.windows[port].complete.val();
            self.capture.window_dropped[port].next = self.windows[port].dropped.val();
            self.counters.self_test[port].next = self.self_test[port].sent.val();
            self.registers.self_test_sent[port].next = self.self_test[port].count.val();
        }
        self.tap_a.next = self.beat[0].val();
        self.tap_b.next = self.beat[1].val();
        self.counters.tap_cut[0].next = self.tap_a.val().valid & self.tap_a.val().last & self.cut[0].val();
        self.counters.tap_cut[1].next = self.tap_b.val().valid & self.tap_b.val().last & self.cut[1].val();
        for i in 0..WIRE_COUNTS {
            self.counters.wire_a[i].next = self.wire_a[i].val();
            self.counters.wire_b[i].next = self.wire_b[i].val();
        }
        self.windows[0].space.next = self.merger.space_a.val();
        self.windows[1].space.next = self.merger.space_b.val();
        self.lost_a.next = self.windows[0].complete.val() & self.windows[0].dropped.val();
        self.lost_b.next = self.windows[1].complete.val() & self.windows[1].dropped.val();

        // Parser and lookup.
        self.merger.push_a.next = self.windows[0].push.val();
        self.merger.window_a.next = self.windows[0].window.val();
        self.merger.push_b.next = self.windows[1].push.val();
        self.merger.window_b.next = self.windows[1].window.val();
        self.merger.hold.next = self.lookup.hold.val() | self.capture.stall.val();
        self.parser.valid.next = self.merger.valid.val();
        self.parser.port.next = self.merger.port.val();
        self.parser.window.next = self.merger.window.val();
        self.lookup.valid.next = self.parser.out_valid.val();
        self.lookup.parsed.next = self.parser.parsed.val();
        self.lookup.armed.next = self.registers.armed.val();
        self.lookup.prefix_bits.next = self.registers.prefix_bits.val();
        self.lookup.expiry_floor.next = self.card_clock.expiry_floor.val();
        self.entering.next = self.lookup.entering_ticket.val();
        self.verdict.next = self.lookup.verdict.val();
        self.verdict_headers.next = self.verdict.val().headers;

        // Commands.
        self.lookup.enable.next = self.registers.commands_enable.val();
        self.lookup.now_ns.next = self.card_clock.now_ns.val();
        self.lookup.command_valid.next = self.commands.command_valid.val();
        self.lookup.command.next = self.commands.command.val();
        self.lookup.drop_done.next = self.capture.drop_done.val();
        self.lookup.drop_packets.next = self.capture.drop_packets.val();
        self.lookup.drop_bytes.next = self.capture.drop_bytes.val();
        self.lookup.drops_ready.next = self.capture.drops_ready.val();
        self.lookup.completion_take.next = self.completions.take.val();

        // Capture.
        self.capture.patience.next = self.patience.val();
        self.capture.done.next = self.lookup.done.val();
        self.capture.hit.next = self.lookup.hit.val();
        self.capture.verdict.next = self.verdict.val();
        self.capture.entering.next = self.lookup.entering.val();
        self.capture.own_tunnels.next = self.registers.own_tunnels.val();
        self.capture.drop_request.next = self.lookup.drop_request.val();
        self.capture.drop_clear.next = self.lookup.drop_clear.val();
        self.capture.drop_index.next = self.lookup.drop_index.val();

        // Host memory.
        self.rings_idle.next = true;
        for i in 0..4 {
            self.records[i].clock.next = self.clock.val();
            self.records[i].reset.next = self.copy_reset.val();
            self.records[i].enable.next = self.registers.records_enable.val().get_bit(i);
            self.records[i].base.next = self.registers.record_base[i].val();
            self.records[i].ring_lines.next = self.registers.record_lines[i].val();
            self.records[i].index_address.next = self.registers.record_index[i].val();
            self.records[i].consumer.next = self.registers.record_consumer[i].val();
            self.records[i].header_valid.next = self.capture.header_valid[i].val();
            self.records[i].header.next = self.capture.header[i].val();
            self.records[i].rest.next = self.capture.rest[i].val();
            self.records[i].rest_valid.next = self.capture.rest_valid[i].val();
            self.records[i].line_accept.next = self.arbiter.accept[i].val();
            self.capture.take_header[i].next = self.records[i].take_header.val();
            self.capture.take_rest[i].next = self.records[i].take_rest.val();
            self.arbiter.valid[i].next = self.records[i].line_valid.val();
            self.arbiter.line[i].next = self.records[i].line.val();
            self.rings_idle.next = self.rings_idle.val() & self.records[i].idle.val();
        }
        self.commands.enable.next = self.registers.commands_enable.val();
        self.commands.base.next = self.registers.command_base.val();
        self.commands.ring_commands.next = self.registers.command_count.val();
        self.commands.ring_completions.next = self.registers.completion_count.val();
        self.commands.producer.next = self.registers.command_producer.val();
        self.commands.read_ready.next = self.dma_read_ready.val();
        self.commands.data_valid.next = self.dma_read_data_valid.val();
        self.commands.data.next = self.dma_read_data.val();
        self.commands.command_take.next = self.lookup.command_take.val();
        self.dma_read_valid.next = self.commands.read_valid.val();
        self.dma_read_address.next = self.commands.read_address.val();
        self.completions.enable.next = self.registers.commands_enable.val();
        self.completions.base.next = self.registers.completion_base.val();
        self.completions.ring_completions.next = self.registers.completion_count.val();
        self.completions.index_address.next = self.registers.completion_index.val();
        self.completions.valid.next = self.lookup.completion_valid.val();
        self.completions.head.next = self.lookup.completion_head.val();
        self.completions.row.next = self.lookup.completion_row.val();
        self.completions.more.next = !self.commands.idle.val() | !self.lookup.idle.val();
        self.completions.line_accept.next = self.arbiter.accept[4].val();
        self.arbiter.valid[4].next = self.completions.line_valid.val();
        self.arbiter.line[4].next = self.completions.line.val();
        self.arbiter.ready.next = self.dma_write_ready.val();
        self.write.next = self.arbiter.out_line.val();
        self.dma_write_valid.next = self.arbiter.out_valid.val();
        self.dma_write_address.next = self.write.val().address;
        self.dma_write_data.next = self.write.val().data;
        self.irq.next = self.arbiter.index_sent.val();
        // Writers of the arbiter and vectors have the same numbers.
        self.irq_vector.next = self.arbiter.index_writer.val();

        // Frames between window and verdict.
        self.accepted.next = bit_cast::<9, 1>((self.windows[0].complete.val() & !self.windows[0].dropped.val()).into())
            + bit_cast::<9, 1>((self.windows[1].complete.val() & !self.windows[1].dropped.val()).into());
        self.waiting.d.next =
            self.waiting.q.val() + self.accepted.val() - bit_cast::<9, 1>(self.lookup.done.val().into());

        // Registers, clock, counters.
        self.registers.build_hash.next = self.build_hash.val();
        self.registers.write_valid.next = self.mmio_write_valid.val();
        self.registers.write_address.next = self.mmio_write_address.val();
        self.registers.write_data.next = self.mmio_write_data.val();
        self.registers.read_valid.next = self.mmio_read_valid.val();
        self.registers.read_address.next = self.mmio_read_address.val();
        self.registers.now_ns.next = self.card_clock.now_ns.val();
        self.registers.tables_ready.next = self.lookup.ready.val();
        // As it was one clock ago, like what the capture side says of itself.
        self.registers.records_idle.next = self.resting.q.val() & self.capture.idle.val();
        self.busy_before.d.next = self.busy[0].val() | self.busy[1].val();
        self.resting.d.next =
            !self.busy_before.q.val() & !self.waiting.q.val().any() & self.rings_idle.val() & self.arbiter.idle.val();
        self.registers.committed.next = self.lookup.committed.val();
        self.registers.damage.next = self.lookup.damage.val();
        self.registers.counter.next = self.counters.shown.val();
        self.mmio_read_data_valid.next = self.registers.read_data_valid.val();
        self.mmio_read_data.next = self.registers.read_data.val();
        self.registers.quality.next = self.card_clock.quality.val();
        self.registers.refused.next = self.card_clock.in_doubt.val();
        self.registers.slew_left.next = self.card_clock.slew_left.val();
        self.registers.pps_count.next = self.card_clock.pps_count.val();
        self.registers.pps_ns.next = self.card_clock.pps_ns.val();
        self.registers.snapshot_pending.next = self.snapshot_pending[0].val() | self.snapshot_pending[1].val();
        self.card_clock.pps.next = self.pps.val();
        self.card_clock.slew.next = self.registers.slew.val();
        self.card_clock.slew_ns.next = self.registers.slew_ns.val();
        self.card_clock.slew_interval.next = self.registers.slew_interval.val();
        self.card_clock.armed.next = self.registers.armed.val();
        self.card_clock.set.next = self.registers.clock_set.val();
        self.card_clock.set_ns.next = self.registers.clock_set_ns.val();
        self.card_clock.set_quality.next = self.registers.clock_quality.val();
        self.card_clock.increment_ns.next = self.registers.increment_ns.val();
        self.card_clock.increment_fraction.next = self.registers.increment_fraction.val();
        self.quality.next = self.card_clock.quality.val();
        self.step.next = self.card_clock.stepped.val();
        self.snapshot.next = self.registers.snapshot.val();
        self.counters.snapshot.next = self.registers.snapshot.val();
        self.counters.read.next = self.registers.counter_read.val();
        self.counters.number.next = self.registers.counter_number.val();
        self.counters.window_dropped[0].next = self.lost_a.val();
        self.counters.window_dropped[1].next = self.lost_b.val();
        self.counters.window_kept[0].next = self.windows[0].complete.val() & !self.windows[0].dropped.val();
        self.counters.window_kept[1].next = self.windows[1].complete.val() & !self.windows[1].dropped.val();
        self.counters.looked_up.next = self.lookup.entering.val();
        self.counters.looked_up_port.next = self.entering.val().port;
        self.counters.done.next = self.lookup.done.val();
        self.counters.hit.next = self.lookup.hit.val();
        self.counters.flagged.next = self.capture.flagged.val();
        self.counters.class.next = self.verdict_headers.val().class;
        self.counters.suppressed.next = self.lookup.suppressed.val();
        self.counters.expired.next = self.lookup.expired.val();
        self.counters.multiple.next = self.lookup.multi_hits.val();
        self.counters.damaged_reads.next = self.lookup.damaged_reads.val();
        self.counters.damaged_rows.next = self.lookup.damaged_rows.val();
        self.counters.scrub_round.next = self.lookup.scrub_round.val();
        self.counters.outcome.next = self.capture.outcome.val();
        self.counters.outcome_cause.next = self.capture.outcome_cause.val();
        self.counters.outcome_first.next = self.capture.outcome_first.val();
        self.counters.gap_record.next = self.capture.gap_record.val();
        self.counters.unattributed.next = self.capture.unattributed.val();
        self.counters.answered.next = self.lookup.answered.val();

        // Taps for tests.
        self.tap_window_a_valid.next = self.windows[0].complete.val();
        self.tap_window_a_dropped.next = self.lost_a.val();
        self.tap_window_b_valid.next = self.windows[1].complete.val();
        self.tap_window_b_dropped.next = self.lost_b.val();
        self.tap_lookup_valid.next = self.lookup.entering.val();
        self.tap_lookup_port.next = self.entering.val().port;
        self.tap_lookup_stamp_ns.next = self.entering.val().stamp;
        self.tap_lookup_quality.next = self.entering.val().quality;
        self.tap_lookup_armed.next = self.lookup.entering_armed.val();
        self.tap_lookup_expiry_floor.next = self.card_clock.expiry_floor.val();
        self.tap_lookup_committed.next = self.lookup.committed.val();
        self.tap_outcome_valid.next = self.capture.outcome.val();
        self.tap_outcome_ring.next = self.capture.outcome_ring.val();
        self.tap_outcome_cause.next = self.capture.outcome_cause.val();
        self.tap_outcome_gap.next = self.capture.outcome.val() & self.capture.gap_record.val();
        self.tap_gap_valid.next = !self.capture.outcome.val() & self.capture.gap_record.val();
        self.tap_gap_ring.next = self.capture.outcome_ring.val();
        self.tap_verdict_error_valid.next = self.capture.flagged.val();
        self.now_ns.next = self.card_clock.now_ns.val();
    }
}
