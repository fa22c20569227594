//! Twenty-one lookups a frame, the engine that changes what they find, and the verdict.
//!
//! # Theory of operation
//! See the table of clocks in [`crate::lookup`]. The state that a verdict depends on besides rows and rules (`armed`, expiry floor, the batch) is taken
//! in the clock in which the keys enter, so that one clock orders everything: commands, arming, frames.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use super::delay::Delay;
use super::engine::TableEngine;
use super::exact::ExactLookup;
use super::rules::RuleLookup;
use super::types::Verdict;
use crate::parse::types::{Headers, Parsed, Ticket};
use crate::prelude::*;

/// What the tables found for one frame.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct ExactResult {
    /// As in a [`Verdict`].
    hits: Bits<391>,
    /// There is a hit.
    some: Bit,
    /// Lookups with expired rows only.
    expired: Bits<5>,
    /// Lookups with rows that differ.
    multi: Bits<5>,
    /// Lookups with damaged rows.
    damaged: Bits<5>,
}

/// A frame on its way, apart from its keys.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Passenger {
    /// Which frame.
    ticket: Ticket,
    /// Its headers.
    headers: Headers,
}

/// From parsed frames to verdicts.
#[derive(LogicBlock)]
pub struct LookupPath {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// What the parser says.
    pub parsed: Signal<In, Parsed>,
    /// Hits are wanted.
    pub armed: Signal<In, Bit>,
    /// See [`crate::time::SteeredClock`].
    pub expiry_floor: Signal<In, Bits<44>>,
    /// Length of the prefixes in the prefix table. Does not change while armed.
    pub prefix_bits: Signal<In, Bits<8>>,
    /// Card time.
    pub now_ns: Signal<In, Bits<64>>,
    /// See [`TableEngine`].
    pub enable: Signal<In, Bit>,
    /// See [`TableEngine`].
    pub command_valid: Signal<In, Bit>,
    /// See [`TableEngine`].
    pub command: Signal<In, Bits<512>>,
    /// See [`TableEngine`].
    pub command_take: Signal<Out, Bit>,
    /// See [`TableEngine`].
    pub hold: Signal<Out, Bit>,
    /// See [`TableEngine`].
    pub completion_valid: Signal<Out, Bit>,
    /// See [`TableEngine`].
    pub completion_head: Signal<Out, Bits<512>>,
    /// See [`TableEngine`].
    pub completion_row: Signal<Out, Bits<512>>,
    /// See [`TableEngine`].
    pub completion_take: Signal<In, Bit>,
    /// See [`TableEngine`].
    pub drop_request: Signal<Out, Bit>,
    /// See [`TableEngine`].
    pub drop_clear: Signal<Out, Bit>,
    /// See [`TableEngine`].
    pub drop_index: Signal<Out, Bits<17>>,
    /// See [`TableEngine`].
    pub drop_done: Signal<In, Bit>,
    /// See [`TableEngine`].
    pub drop_packets: Signal<In, Bits<64>>,
    /// See [`TableEngine`].
    pub drop_bytes: Signal<In, Bits<64>>,
    /// See [`TableEngine`].
    pub drops_ready: Signal<In, Bit>,
    /// See [`TableEngine`].
    pub ready: Signal<Out, Bit>,
    /// See [`TableEngine`].
    pub committed: Signal<Out, Bit>,
    /// See [`TableEngine`].
    pub idle: Signal<Out, Bit>,
    /// See [`TableEngine`].
    pub answered: Signal<Out, Bit>,
    /// See [`TableEngine`].
    pub damaged_rows: Signal<Out, Bits<3>>,
    /// See [`TableEngine`].
    pub scrub_round: Signal<Out, Bit>,
    /// See [`TableEngine`].
    pub damage: Signal<Out, Bits<32>>,
    /// A frame's keys enter lookup at this clock.
    pub entering: Signal<Out, Bit>,
    /// Which frame.
    pub entering_ticket: Signal<Out, Ticket>,
    /// Hits count for frames that enter at this clock. Falls with `armed`, rises two clocks later, when all that may change before arming has settled.
    pub entering_armed: Signal<Out, Bit>,
    /// A frame has its verdict, ten clocks after it entered.
    pub done: Signal<Out, Bit>,
    /// With `done`: it has at least one hit that counts.
    pub hit: Signal<Out, Bit>,
    /// With `done`: the frame; its hits only with `hit`.
    pub verdict: Signal<Out, Verdict>,
    /// With `done`: it would have hit while armed, but the time is not set.
    pub suppressed: Signal<Out, Bit>,
    /// With `done`: lookups that found expired rows only, while armed.
    pub expired: Signal<Out, Bits<5>>,
    /// With `done`: lookups that found rows that differ, while armed.
    pub multi_hits: Signal<Out, Bits<5>>,
    /// With `done`: lookups that read damaged rows, while armed.
    pub damaged_reads: Signal<Out, Bits<5>>,
    exact: ExactLookup,
    rules: RuleLookup,
    engine: TableEngine,
    passengers: Delay<Passenger, 4>,
    results: Delay<ExactResult, 3>,
    raw_some: Reg<Bit>,
    raw_hits: Reg<Bits<391>>,
    raw_expired: Reg<Bits<17>>,
    raw_multi: Reg<Bits<17>>,
    raw_damaged: Reg<Bits<17>>,
    armed_1: RegR<Bit>,
    armed_2: RegR<Bit>,
    /// Bit i: a frame is i + 1 clocks behind its arrival.
    stages: RegR<Bits<11>>,
    armed_stages: Reg<Bits<9>>,
    event_stages: Reg<Bits<3>>,
    entered: Reg<Passenger>,
    fetched_tick: Reg<Bits<44>>,
    fetched_committed: Reg<Bit>,
    compared_tick: Reg<Bits<44>>,
    compared_committed: Reg<Bit>,
    exact_result: Reg<ExactResult>,
    finished_hit: RegR<Bit>,
    finished_suppressed: RegR<Bit>,
    finished_expired: RegR<Bits<5>>,
    finished_multi: RegR<Bits<5>>,
    finished_damaged: RegR<Bits<5>>,
    finished_frame: Reg<Passenger>,
    finished_hits: Reg<Bits<483>>,
    arriving: Signal<Local, Parsed>,
    boarding: Signal<Local, Passenger>,
    seated: Signal<Local, Passenger>,
    seated_ticket: Signal<Local, Ticket>,
    stamp_tick: Signal<Local, Bits<44>>,
    tick: Signal<Local, Bits<44>>,
    counts: Signal<Local, Bit>,
    enters: Signal<Local, Bit>,
    table_found: [Signal<Local, Bits<26>>; 17],
    table_hit: [Signal<Local, Bits<23>>; 17],
    table_result: Signal<Local, ExactResult>,
    table_hits: Signal<Local, Bits<391>>,
    table_some: Signal<Local, Bit>,
    table_expired: Signal<Local, Bits<17>>,
    table_multi: Signal<Local, Bits<17>>,
    table_damaged: Signal<Local, Bits<17>>,
    table_event: Signal<Local, Bit>,
    table_marks: Signal<Local, Bits<17>>,
    count_expired: Signal<Local, Bits<5>>,
    count_multi: Signal<Local, Bits<5>>,
    count_damaged: Signal<Local, Bits<5>>,
    rule_found: [Signal<Local, Bits<26>>; 4],
    rule_hit: [Signal<Local, Bits<23>>; 4],
    delayed: Signal<Local, ExactResult>,
    hits: Signal<Local, Bits<483>>,
    some: Signal<Local, Bit>,
    sum_expired: Signal<Local, Bits<5>>,
    sum_multi: Signal<Local, Bits<5>>,
    sum_damaged: Signal<Local, Bits<5>>,
    judging_armed: Signal<Local, Bit>,
    out_verdict: Signal<Local, Verdict>,
    seated_last: Signal<Local, Passenger>,
    finished: Signal<Local, Passenger>,
    timed: Signal<Local, Bit>,
    one: Signal<Local, Bits<1>>,
    resulted: Reg<Bit>,
}

impl Default for LookupPath {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            parsed: Signal::default(),
            armed: Signal::default(),
            expiry_floor: Signal::default(),
            prefix_bits: Signal::default(),
            now_ns: Signal::default(),
            enable: Signal::default(),
            command_valid: Signal::default(),
            command: Signal::default(),
            command_take: Signal::default(),
            hold: Signal::default(),
            completion_valid: Signal::default(),
            completion_head: Signal::default(),
            completion_row: Signal::default(),
            completion_take: Signal::default(),
            drop_request: Signal::default(),
            drop_clear: Signal::default(),
            drop_index: Signal::default(),
            drop_done: Signal::default(),
            drop_packets: Signal::default(),
            drop_bytes: Signal::default(),
            drops_ready: Signal::default(),
            ready: Signal::default(),
            committed: Signal::default(),
            idle: Signal::default(),
            answered: Signal::default(),
            damaged_rows: Signal::default(),
            scrub_round: Signal::default(),
            damage: Signal::default(),
            entering: Signal::default(),
            entering_ticket: Signal::default(),
            entering_armed: Signal::default(),
            done: Signal::default(),
            hit: Signal::default(),
            verdict: Signal::default(),
            suppressed: Signal::default(),
            expired: Signal::default(),
            multi_hits: Signal::default(),
            damaged_reads: Signal::default(),
            exact: ExactLookup::default(),
            rules: RuleLookup::default(),
            engine: TableEngine::default(),
            passengers: Delay::new(9),
            results: Delay::new(2),
            raw_some: Reg::default(),
            raw_hits: Reg::default(),
            raw_expired: Reg::default(),
            raw_multi: Reg::default(),
            raw_damaged: Reg::default(),
            armed_1: RegR::default(),
            armed_2: RegR::default(),
            stages: RegR::default(),
            armed_stages: Reg::default(),
            event_stages: Reg::default(),
            entered: Reg::default(),
            fetched_tick: Reg::default(),
            fetched_committed: Reg::default(),
            compared_tick: Reg::default(),
            compared_committed: Reg::default(),
            exact_result: Reg::default(),
            finished_hit: RegR::default(),
            finished_suppressed: RegR::default(),
            finished_expired: RegR::default(),
            finished_multi: RegR::default(),
            finished_damaged: RegR::default(),
            finished_frame: Reg::default(),
            finished_hits: Reg::default(),
            arriving: Signal::default(),
            boarding: Signal::default(),
            seated: Signal::default(),
            seated_ticket: Signal::default(),
            stamp_tick: Signal::default(),
            tick: Signal::default(),
            counts: Signal::default(),
            enters: Signal::default(),
            table_found: Default::default(),
            table_hit: Default::default(),
            table_result: Signal::default(),
            table_hits: Signal::default(),
            table_some: Signal::default(),
            table_expired: Signal::default(),
            table_multi: Signal::default(),
            table_damaged: Signal::default(),
            table_event: Signal::default(),
            table_marks: Signal::default(),
            count_expired: Signal::default(),
            count_multi: Signal::default(),
            count_damaged: Signal::default(),
            rule_found: Default::default(),
            rule_hit: Default::default(),
            delayed: Signal::default(),
            hits: Signal::default(),
            some: Signal::default(),
            sum_expired: Signal::default(),
            sum_multi: Signal::default(),
            sum_damaged: Signal::default(),
            judging_armed: Signal::default(),
            out_verdict: Signal::default(),
            seated_last: Signal::default(),
            finished: Signal::default(),
            timed: Signal::default(),
            one: Signal::default(),
            resulted: Reg::default(),
        }
    }
}

impl Logic for LookupPath {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, armed_1, armed_2, stages, armed_stages, event_stages, entered, resulted);
        dff_setup!(self, clock, fetched_tick, fetched_committed, compared_tick, compared_committed, exact_result);
        dff_setup!(self, clock, finished_hit, finished_suppressed, finished_expired, finished_multi);
        dff_setup!(self, clock, finished_damaged, finished_frame, finished_hits);
        dff_setup!(self, clock, raw_some, raw_hits, raw_expired, raw_multi, raw_damaged);
        clock!(self, clock, exact, rules, engine, passengers, results);
        self.armed_1.reset.next = self.reset.val();
        self.armed_2.reset.next = self.reset.val();
        self.stages.reset.next = self.reset.val();
        self.finished_hit.reset.next = self.reset.val();
        self.finished_suppressed.reset.next = self.reset.val();
        self.finished_expired.reset.next = self.reset.val();
        self.finished_multi.reset.next = self.reset.val();
        self.finished_damaged.reset.next = self.reset.val();
        self.rules.reset.next = self.reset.val();
        self.engine.reset.next = self.reset.val();

        self.one.next = bits::<1>(0);

        // Clock 0: keys.
        self.arriving.next = self.parsed.val();
        self.stages.d.next = (self.stages.q.val() << 1) | bit_cast::<11, 1>(self.valid.val().into());
        self.exact.valid.next = self.valid.val() & self.engine.ready.val();
        self.exact.parsed.next = self.parsed.val();
        self.exact.prefix_bits.next = self.prefix_bits.val();
        self.exact.used.next = self.engine.used.val();
        self.rules.valid.next = self.exact.has_tuple.val();
        self.rules.tuple.next = self.exact.tuple.val();
        self.boarding.next.ticket = self.arriving.val().ticket;
        self.boarding.next.headers = self.arriving.val().headers;
        if self.valid.val() {
            self.entered.d.next = self.boarding.val();
        }

        // Clock 1: the keys enter, or the engine uses the clock.
        self.armed_1.d.next = self.armed.val() & self.engine.ready.val();
        self.armed_2.d.next = self.armed_1.q.val() & self.armed.val() & self.engine.ready.val();
        self.counts.next = self.armed_2.q.val() & self.armed_1.q.val() & self.armed.val() & self.engine.ready.val();
        self.enters.next = self.stages.q.val().get_bit(0);
        self.entering.next = self.enters.val();
        self.seated.next = self.entered.q.val();
        self.seated_ticket.next = self.seated.val().ticket;
        self.entering_ticket.next = self.seated_ticket.val();
        self.entering_armed.next = self.counts.val();
        self.armed_stages.d.next =
            (self.armed_stages.q.val() << 1) | bit_cast::<9, 1>((self.enters.val() & self.counts.val()).into());
        self.passengers.write.next = self.enters.val();
        self.passengers.data_in.next = self.entered.q.val();
        self.stamp_tick.next = self.seated_ticket.val().stamp.get_bits::<44>(20);
        self.tick.next = self.stamp_tick.val();
        if self.expiry_floor.val() > self.stamp_tick.val() {
            self.tick.next = self.expiry_floor.val();
        }
        self.rules.tick.next = self.tick.val();
        self.rules.committed.next = self.engine.committed.val();
        if self.enters.val() {
            self.fetched_tick.d.next = self.tick.val();
            self.fetched_committed.d.next = self.engine.committed.val();
        }

        // Clocks 2 and 3.
        if self.stages.q.val().get_bit(1) {
            self.compared_tick.d.next = self.fetched_tick.q.val();
            self.compared_committed.d.next = self.fetched_committed.q.val();
        }
        self.exact.tick.next = self.compared_tick.q.val();
        self.exact.committed.next = self.compared_committed.q.val();

        // Clock 6: what the tables found. It waits for the rules.
        self.table_expired.next = bits::<17>(0);
        self.table_multi.next = bits::<17>(0);
        self.table_damaged.next = bits::<17>(0);
        self.table_some.next = false;
        for i in 0..17 {
            self.table_found[i].next = self.exact.found[i].val().into();
            self.table_hit[i].next = self.table_found[i].val().get_bits::<23>(0);
            self.table_some.next = self.table_some.val() | self.table_hit[i].val().get_bit(0);
            self.table_expired.next = self.table_expired.val().replace_bit(i, self.table_found[i].val().get_bit(23));
            self.table_multi.next = self.table_multi.val().replace_bit(i, self.table_found[i].val().get_bit(24));
            self.table_damaged.next = self.table_damaged.val().replace_bit(i, self.table_found[i].val().get_bit(25));
        }
        self.table_hits.next = bit_cast::<391, 23>(self.table_hit[0].val())
            | (bit_cast::<391, 23>(self.table_hit[1].val()) << 23)
            | (bit_cast::<391, 23>(self.table_hit[2].val()) << 46)
            | (bit_cast::<391, 23>(self.table_hit[3].val()) << 69)
            | (bit_cast::<391, 23>(self.table_hit[4].val()) << 92)
            | (bit_cast::<391, 23>(self.table_hit[5].val()) << 115)
            | (bit_cast::<391, 23>(self.table_hit[6].val()) << 138)
            | (bit_cast::<391, 23>(self.table_hit[7].val()) << 161)
            | (bit_cast::<391, 23>(self.table_hit[8].val()) << 184)
            | (bit_cast::<391, 23>(self.table_hit[9].val()) << 207)
            | (bit_cast::<391, 23>(self.table_hit[10].val()) << 230)
            | (bit_cast::<391, 23>(self.table_hit[11].val()) << 253)
            | (bit_cast::<391, 23>(self.table_hit[12].val()) << 276)
            | (bit_cast::<391, 23>(self.table_hit[13].val()) << 299)
            | (bit_cast::<391, 23>(self.table_hit[14].val()) << 322)
            | (bit_cast::<391, 23>(self.table_hit[15].val()) << 345)
            | (bit_cast::<391, 23>(self.table_hit[16].val()) << 368);
        self.table_marks.next = self.table_expired.val() | self.table_multi.val() | self.table_damaged.val();
        self.table_event.next = self.stages.q.val().get_bit(5) & (self.table_some.val() | self.table_marks.val().any());
        self.raw_some.d.next = self.table_some.val();
        self.raw_hits.d.next = self.table_hits.val();
        self.raw_expired.d.next = self.table_expired.val();
        self.raw_multi.d.next = self.table_multi.val();
        self.raw_damaged.d.next = self.table_damaged.val();
        self.event_stages.d.next = (self.event_stages.q.val() << 1) | bit_cast::<3, 1>(self.table_event.val().into());

        // Clock 7: how many.
        self.count_expired.next = bits::<5>(0);
        self.count_multi.next = bits::<5>(0);
        self.count_damaged.next = bits::<5>(0);
        for i in 0..17 {
            self.one.next = self.raw_expired.q.val().get_bits::<1>(i);
            self.count_expired.next = self.count_expired.val() + bit_cast::<5, 1>(self.one.val());
            self.one.next = self.raw_multi.q.val().get_bits::<1>(i);
            self.count_multi.next = self.count_multi.val() + bit_cast::<5, 1>(self.one.val());
            self.one.next = self.raw_damaged.q.val().get_bits::<1>(i);
            self.count_damaged.next = self.count_damaged.val() + bit_cast::<5, 1>(self.one.val());
        }
        self.table_result.next.hits = self.raw_hits.q.val();
        self.table_result.next.some = self.raw_some.q.val();
        self.table_result.next.expired = self.count_expired.val();
        self.table_result.next.multi = self.count_multi.val();
        self.table_result.next.damaged = self.count_damaged.val();
        self.exact_result.d.next = self.table_result.val();
        self.results.write.next = self.event_stages.q.val().get_bit(1);
        self.results.data_in.next = self.exact_result.q.val();
        self.results.read.next = self.event_stages.q.val().get_bit(2);

        // Clock 10: the verdict. Arrived at clock 0, entered at clock 1: `armed_stages` is one behind `stages`.
        self.delayed.next = self.results.data_out.val();
        for i in 0..4 {
            self.rule_found[i].next = self.rules.found[i].val().into();
            self.rule_hit[i].next = self.rule_found[i].val().get_bits::<23>(0);
        }
        self.hits.next = bits::<483>(0);
        self.some.next = false;
        self.sum_expired.next = bits::<5>(0);
        self.sum_multi.next = bits::<5>(0);
        self.sum_damaged.next = bits::<5>(0);
        self.judging_armed.next = self.armed_stages.q.val().get_bit(8);
        self.seated_last.next = self.passengers.data_out.val();
        self.passengers.read.next = self.stages.q.val().get_bit(8);
        if self.stages.q.val().get_bit(9) {
            if self.resulted.q.val() {
                self.hits.next = bit_cast::<483, 391>(self.delayed.val().hits);
                self.some.next = self.delayed.val().some;
                self.sum_expired.next = self.delayed.val().expired;
                self.sum_multi.next = self.delayed.val().multi;
                self.sum_damaged.next = self.delayed.val().damaged;
            }
            for i in 0..4 {
                self.some.next = self.some.val() | self.rule_hit[i].val().get_bit(0);
                self.one.next = self.rule_found[i].val().get_bits::<1>(23);
                self.sum_expired.next = self.sum_expired.val() + bit_cast::<5, 1>(self.one.val());
                self.one.next = self.rule_found[i].val().get_bits::<1>(24);
                self.sum_multi.next = self.sum_multi.val() + bit_cast::<5, 1>(self.one.val());
                self.one.next = self.rule_found[i].val().get_bits::<1>(25);
                self.sum_damaged.next = self.sum_damaged.val() + bit_cast::<5, 1>(self.one.val());
            }
            self.hits.next = self.hits.val()
                | (bit_cast::<483, 23>(self.rule_hit[0].val()) << 391)
                | (bit_cast::<483, 23>(self.rule_hit[1].val()) << 414)
                | (bit_cast::<483, 23>(self.rule_hit[2].val()) << 437)
                | (bit_cast::<483, 23>(self.rule_hit[3].val()) << 460);
        }
        self.timed.next = self.seated_last.val().ticket.quality.any();
        self.resulted.d.next = self.event_stages.q.val().get_bit(2);
        self.finished_hit.d.next = self.some.val() & self.judging_armed.val() & self.timed.val();
        self.finished_suppressed.d.next = self.some.val() & self.judging_armed.val() & !self.timed.val();
        self.finished_expired.d.next = bits::<5>(0);
        self.finished_multi.d.next = bits::<5>(0);
        self.finished_damaged.d.next = bits::<5>(0);
        if self.judging_armed.val() {
            self.finished_expired.d.next = self.sum_expired.val();
            self.finished_multi.d.next = self.sum_multi.val();
            self.finished_damaged.d.next = self.sum_damaged.val();
        }
        if self.stages.q.val().get_bit(9) {
            self.finished_frame.d.next = self.passengers.data_out.val();
        }
        if self.some.val() {
            self.finished_hits.d.next = self.hits.val();
        }

        // Clock 11.
        self.finished.next = self.finished_frame.q.val();
        self.out_verdict.next.ticket = self.finished.val().ticket;
        self.out_verdict.next.headers = self.finished.val().headers;
        self.out_verdict.next.hits = self.finished_hits.q.val();
        self.done.next = self.stages.q.val().get_bit(10);
        self.hit.next = self.finished_hit.q.val();
        self.verdict.next = self.out_verdict.val();
        self.suppressed.next = self.finished_suppressed.q.val();
        self.expired.next = self.finished_expired.q.val();
        self.multi_hits.next = self.finished_multi.q.val();
        self.damaged_reads.next = self.finished_damaged.q.val();

        // The engine.
        self.engine.now_ns.next = self.now_ns.val();
        self.engine.armed.next = self.armed.val();
        self.engine.enable.next = self.enable.val();
        self.engine.command_valid.next = self.command_valid.val();
        self.engine.command.next = self.command.val();
        self.command_take.next = self.engine.command_take.val();
        self.hold.next = self.engine.hold.val();
        self.engine.arriving.next = self.valid.val();
        self.engine.entering.next = self.enters.val();
        self.engine.entering_port.next = self.seated_ticket.val().port;
        self.exact.access.next = self.engine.access.val();
        self.exact.write_key.next = self.engine.write_key.val();
        self.exact.write_parity.next = self.engine.write_parity.val();
        self.exact.write_row.next = self.engine.write_row.val();
        self.exact.sweep.next = self.engine.sweep.val();
        self.rules.access.next = self.engine.access.val();
        self.rules.write_row.next = self.engine.write_row.val();
        self.rules.write_word.next = self.engine.write_word.val();
        self.rules.cells_start.next = self.engine.cells_start.val();
        self.rules.active.next = self.engine.rules_active.val();
        self.rules.sweep.next = self.engine.sweep.val();
        self.engine.cells_busy.next = self.rules.cells_busy.val();
        self.engine.dirty.next = self.exact.dirty.val() | self.rules.dirty.val();
        self.engine.row_valid.next = self.exact.row_valid.val();
        self.engine.row_damaged.next = self.exact.row_damaged.val();
        self.engine.shown_row.next = self.exact.shown_row.val();
        self.engine.shown_key.next = self.exact.shown_key.val();
        self.engine.rule_valid.next = self.rules.row_valid.val();
        self.engine.rule_damaged.next = self.rules.row_damaged.val();
        self.engine.rule_row.next = self.rules.shown_row.val();
        self.engine.rule_word.next = self.rules.shown_word.val();
        self.drop_request.next = self.engine.drop_request.val();
        self.drop_clear.next = self.engine.drop_clear.val();
        self.drop_index.next = self.engine.drop_index.val();
        self.engine.drop_done.next = self.drop_done.val();
        self.engine.drop_packets.next = self.drop_packets.val();
        self.engine.drop_bytes.next = self.drop_bytes.val();
        self.engine.drops_ready.next = self.drops_ready.val();
        self.completion_valid.next = self.engine.completion_valid.val();
        self.completion_head.next = self.engine.completion_head.val();
        self.completion_row.next = self.engine.completion_row.val();
        self.engine.completion_take.next = self.completion_take.val();
        self.ready.next = self.engine.ready.val();
        self.committed.next = self.engine.committed.val();
        self.idle.next = self.engine.idle.val();
        self.answered.next = self.engine.answered.val();
        self.damaged_rows.next = self.engine.damaged_rows.val();
        self.scrub_round.next = self.engine.scrub_round.val();
        self.damage.next = self.engine.damage.val();
    }
}
