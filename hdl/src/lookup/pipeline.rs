//! Four lookups a frame, and the verdict.
//!
//! # Theory of operation
//! See the table of stages in [`crate::lookup`]. The state that a verdict depends on besides the rows (`armed`, expiry floor) is
//! taken in the clock in which the keys enter, so that one clock orders everything: commands, arming, frames.

use super::table::MatchTable;
use super::types::{Hit, RowAccess, RowData, Verdict};
use crate::parse::types::{Headers, Parsed, Ticket};
use crate::prelude::*;
use writ_abi::limits;

const _: () = assert!(limits::ADDRESS_ROWS_PER_WAY == 1 << 12 && limits::ENDPOINT_ROWS_PER_WAY == 1 << 10);

/// Both tables and the verdict.
#[derive(LogicBlock)]
pub struct Lookup {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// There is a frame.
    pub valid: Signal<In, Bit>,
    /// What the parser says.
    pub parsed: Signal<In, Parsed>,
    /// Hits are wanted and the tables are swept.
    pub armed: Signal<In, Bit>,
    /// See [`crate::time::CardClock`].
    pub expiry_floor: Signal<In, Bits<44>>,
    /// The table engine's access; done at this clock if `slot_free`.
    pub access: Signal<In, RowAccess>,
    /// No keys enter at this clock.
    pub slot_free: Signal<Out, Bit>,
    /// One clock after a read: which table and way to show.
    pub read_table: Signal<In, Bit>,
    /// See `read_table`.
    pub read_way: Signal<In, Bits<2>>,
    /// The row's key.
    pub read_key: Signal<Out, Bits<160>>,
    /// The row.
    pub read_data: Signal<Out, RowData>,
    /// A frame's keys enter lookup at this clock.
    pub entering: Signal<Out, Bit>,
    /// Which frame.
    pub entering_ticket: Signal<Out, Ticket>,
    /// A frame has its verdict.
    pub done: Signal<Out, Bit>,
    /// With `done`: it has at least one hit that counts.
    pub hit: Signal<Out, Bit>,
    /// With `done`: the frame.
    pub verdict: Signal<Out, Verdict>,
    /// With `done`: it would have hit while armed, but the time is not set.
    pub suppressed: Signal<Out, Bit>,
    /// With `done`: lookups that found expired rows only, while armed.
    pub expired: Signal<Out, Bits<3>>,
    addresses: MatchTable<136, 12>,
    endpoints: MatchTable<160, 10>,
    // Stage 2
    enter: RegR<Bit>,
    enter_parsed: Reg<Parsed>,
    // Stage 3
    compare: RegR<Bit>,
    compare_parsed: Reg<Parsed>,
    compare_armed: Reg<Bit>,
    compare_tick: Reg<Bits<44>>,
    // Stage 4
    choose: RegR<Bit>,
    choose_ticket: Reg<Ticket>,
    choose_headers: Reg<Headers>,
    choose_armed: Reg<Bit>,
    // Stage 5
    finished: RegR<Bit>,
    finished_hit: RegR<Bit>,
    finished_verdict: Reg<Verdict>,
    finished_suppressed: RegR<Bit>,
    finished_expired: RegR<Bits<3>>,
    arriving: Signal<Local, Parsed>,
    entering_parsed: Signal<Local, Parsed>,
    comparing: Signal<Local, Parsed>,
    stamp_tick: Signal<Local, Bits<44>>,
    result: Signal<Local, Verdict>,
    timed: Signal<Local, Bit>,
    hit_0: Signal<Local, Hit>,
    hit_1: Signal<Local, Hit>,
    hit_2: Signal<Local, Hit>,
    hit_3: Signal<Local, Hit>,
    found: Signal<Local, Bit>,
    expired_count: Signal<Local, Bits<3>>,
    free: Signal<Local, Bit>,
    ways: Signal<Local, Bits<4>>,
}

impl Default for Lookup {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            valid: Signal::default(),
            parsed: Signal::default(),
            armed: Signal::default(),
            expiry_floor: Signal::default(),
            access: Signal::default(),
            slot_free: Signal::default(),
            read_table: Signal::default(),
            read_way: Signal::default(),
            read_key: Signal::default(),
            read_data: Signal::default(),
            entering: Signal::default(),
            entering_ticket: Signal::default(),
            done: Signal::default(),
            hit: Signal::default(),
            verdict: Signal::default(),
            suppressed: Signal::default(),
            expired: Signal::default(),
            addresses: MatchTable::new(RamStyle::Ultra),
            endpoints: MatchTable::new(RamStyle::Block),
            enter: RegR::default(),
            enter_parsed: Reg::default(),
            compare: RegR::default(),
            compare_parsed: Reg::default(),
            compare_armed: Reg::default(),
            compare_tick: Reg::default(),
            choose: RegR::default(),
            choose_ticket: Reg::default(),
            choose_headers: Reg::default(),
            choose_armed: Reg::default(),
            finished: RegR::default(),
            finished_hit: RegR::default(),
            finished_verdict: Reg::default(),
            finished_suppressed: RegR::default(),
            finished_expired: RegR::default(),
            arriving: Signal::default(),
            entering_parsed: Signal::default(),
            comparing: Signal::default(),
            stamp_tick: Signal::default(),
            result: Signal::default(),
            timed: Signal::default(),
            hit_0: Signal::default(),
            hit_1: Signal::default(),
            hit_2: Signal::default(),
            hit_3: Signal::default(),
            found: Signal::default(),
            expired_count: Signal::default(),
            free: Signal::default(),
            ways: Signal::default(),
        }
    }
}

impl Logic for Lookup {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, enter, enter_parsed, compare, compare_parsed, compare_armed, compare_tick);
        dff_setup!(self, clock, choose, choose_ticket, choose_headers, choose_armed);
        dff_setup!(self, clock, finished, finished_hit, finished_verdict, finished_suppressed, finished_expired);
        clock!(self, clock, addresses, endpoints);
        self.enter.reset.next = self.reset.val();
        self.compare.reset.next = self.reset.val();
        self.choose.reset.next = self.reset.val();
        self.finished.reset.next = self.reset.val();
        self.finished_hit.reset.next = self.reset.val();
        self.finished_suppressed.reset.next = self.reset.val();
        self.finished_expired.reset.next = self.reset.val();

        // Stage 1: row numbers. An endpoint key is an address key, the protocol and the port, in the order of the wire.
        self.arriving.next = self.parsed.val();
        self.addresses.hash_enable.next = self.valid.val() & self.arriving.val().has_addresses;
        self.addresses.hash_key[0].next = self.arriving.val().source;
        self.addresses.hash_key[1].next = self.arriving.val().destination;
        self.endpoints.hash_enable.next = self.valid.val() & self.arriving.val().has_ports;
        self.endpoints.hash_key[0].next = bit_cast::<160, 136>(self.arriving.val().source)
            | (bit_cast::<160, 8>(self.arriving.val().headers.protocol) << 136)
            | (bit_cast::<160, 16>(self.arriving.val().ports.get_bits::<16>(0)) << 144);
        self.endpoints.hash_key[1].next = bit_cast::<160, 136>(self.arriving.val().destination)
            | (bit_cast::<160, 8>(self.arriving.val().headers.protocol) << 136)
            | (bit_cast::<160, 16>(self.arriving.val().ports.get_bits::<16>(16)) << 144);
        self.enter.d.next = self.valid.val();
        if self.valid.val() {
            self.enter_parsed.d.next = self.parsed.val();
        }

        // Stage 2: the keys enter, or the table engine uses the clock.
        self.entering_parsed.next = self.enter_parsed.q.val();
        self.addresses.enter.next = self.enter.q.val() & self.entering_parsed.val().has_addresses;
        self.endpoints.enter.next = self.enter.q.val() & self.entering_parsed.val().has_ports;
        self.free.next = !self.enter.q.val();
        self.slot_free.next = self.free.val();
        self.entering.next = self.enter.q.val();
        self.entering_ticket.next = self.entering_parsed.val().ticket;
        self.ways.next = bits::<4>(1) << bit_cast::<4, 2>(self.access.val().way);
        self.addresses.read.next = self.free.val() & self.access.val().read & !self.access.val().table;
        self.endpoints.read.next = self.free.val() & self.access.val().read & self.access.val().table;
        self.addresses.write_ways.next = bits::<4>(0);
        self.endpoints.write_ways.next = bits::<4>(0);
        if self.access.val().every {
            self.addresses.write_ways.next = bits::<4>(15);
            self.endpoints.write_ways.next = bits::<4>(15);
        } else if self.free.val() & self.access.val().write {
            if self.access.val().table {
                self.endpoints.write_ways.next = self.ways.val();
            } else {
                self.addresses.write_ways.next = self.ways.val();
            }
        }
        self.addresses.row.next = self.access.val().row;
        self.addresses.write_key.next = self.access.val().key.get_bits::<136>(0);
        self.addresses.write_data.next = self.access.val().data;
        self.endpoints.row.next = self.access.val().row.get_bits::<10>(0);
        self.endpoints.write_key.next = self.access.val().key;
        self.endpoints.write_data.next = self.access.val().data;

        self.stamp_tick.next = self.entering_parsed.val().ticket.stamp.get_bits::<44>(20);
        self.compare.d.next = self.enter.q.val();
        if self.enter.q.val() {
            self.compare_parsed.d.next = self.enter_parsed.q.val();
            self.compare_armed.d.next = self.armed.val();
            self.compare_tick.d.next = self.expiry_floor.val();
            if self.stamp_tick.val() > self.expiry_floor.val() {
                self.compare_tick.d.next = self.stamp_tick.val();
            }
        }

        // Stage 3: the memories have answered.
        self.comparing.next = self.compare_parsed.q.val();
        self.addresses.compare.next = self.compare.q.val() & self.comparing.val().has_addresses;
        self.addresses.key[0].next = self.comparing.val().source;
        self.addresses.key[1].next = self.comparing.val().destination;
        self.addresses.tick.next = self.compare_tick.q.val();
        self.endpoints.compare.next = self.compare.q.val() & self.comparing.val().has_ports;
        self.endpoints.key[0].next = bit_cast::<160, 136>(self.comparing.val().source)
            | (bit_cast::<160, 8>(self.comparing.val().headers.protocol) << 136)
            | (bit_cast::<160, 16>(self.comparing.val().ports.get_bits::<16>(0)) << 144);
        self.endpoints.key[1].next = bit_cast::<160, 136>(self.comparing.val().destination)
            | (bit_cast::<160, 8>(self.comparing.val().headers.protocol) << 136)
            | (bit_cast::<160, 16>(self.comparing.val().ports.get_bits::<16>(16)) << 144);
        self.endpoints.tick.next = self.compare_tick.q.val();
        self.choose.d.next = self.compare.q.val();
        if self.compare.q.val() {
            self.choose_ticket.d.next = self.comparing.val().ticket;
            self.choose_headers.d.next = self.comparing.val().headers;
            self.choose_armed.d.next = self.compare_armed.q.val();
        }

        // The engine's read, in the same clock of the memories.
        self.addresses.read_way.next = self.read_way.val();
        self.endpoints.read_way.next = self.read_way.val();
        self.read_key.next = bit_cast::<160, 136>(self.addresses.read_key.val());
        self.read_data.next = self.addresses.read_data.val();
        if self.read_table.val() {
            self.read_key.next = self.endpoints.read_key.val();
            self.read_data.next = self.endpoints.read_data.val();
        }

        // Stage 4: hits.
        self.hit_0.next = self.addresses.hit[0].val();
        self.hit_1.next = self.addresses.hit[1].val();
        self.hit_2.next = self.endpoints.hit[0].val();
        self.hit_3.next = self.endpoints.hit[1].val();
        self.result.next.ticket = self.choose_ticket.q.val();
        self.result.next.headers = self.choose_headers.q.val();
        self.result.next.hit_0 = self.hit_0.val();
        self.result.next.hit_1 = self.hit_1.val();
        self.result.next.hit_2 = self.hit_2.val();
        self.result.next.hit_3 = self.hit_3.val();
        self.found.next =
            self.hit_0.val().valid | self.hit_1.val().valid | self.hit_2.val().valid | self.hit_3.val().valid;
        self.expired_count.next = bit_cast::<3, 1>(self.addresses.expired[0].val().into())
            + bit_cast::<3, 1>(self.addresses.expired[1].val().into())
            + bit_cast::<3, 1>(self.endpoints.expired[0].val().into())
            + bit_cast::<3, 1>(self.endpoints.expired[1].val().into());
        self.timed.next = self.choose_ticket.q.val().quality.any();
        self.finished.d.next = self.choose.q.val();
        self.finished_hit.d.next =
            self.choose.q.val() & self.choose_armed.q.val() & self.found.val() & self.timed.val();
        self.finished_suppressed.d.next =
            self.choose.q.val() & self.choose_armed.q.val() & self.found.val() & !self.timed.val();
        self.finished_expired.d.next = bits::<3>(0);
        if self.choose.q.val() & self.choose_armed.q.val() {
            self.finished_expired.d.next = self.expired_count.val();
        }
        if self.choose.q.val() {
            self.finished_verdict.d.next = self.result.val();
        }

        // Stage 5: verdict.
        self.done.next = self.finished.q.val();
        self.hit.next = self.finished_hit.q.val();
        self.verdict.next = self.finished_verdict.q.val();
        self.suppressed.next = self.finished_suppressed.q.val();
        self.expired.next = self.finished_expired.q.val();
    }
}
