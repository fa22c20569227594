//! The scrubber: reads all rows and rules, round after round, and looks at their parity.
//!
//! # Theory of operation
//! It reads one row of all ways of one table, or one rule of all banks, every 64 clocks, in a clock in which no keys enter and the engine has
//! nothing to do. A round takes about a million clocks. On its way it learns which tables hold no row: those need not be read for frames.

use crate::prelude::*;
use writ_abi::limits;

const _: () = {
    assert!(limits::ADDRESS_ROWS_PER_WAY == 8192 && limits::PREFIX_ROWS_PER_WAY == 1024);
    assert!(limits::ENDPOINT_ROWS_PER_WAY == 2048 && limits::FIVE_TUPLE_ROWS_PER_WAY == 2048);
    assert!(limits::TUNNEL_ROWS_PER_WAY == 2048 && limits::MAC_ROWS_PER_WAY == 1024);
    assert!(limits::VLAN_ROWS_PER_WAY == 256 && limits::RULES_PER_BANK == 128, "the kernel writes these as numbers");
};

/// Walks through tables and banks.
#[derive(LogicBlock, Default)]
pub struct Scrubber {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// To the first row; all tables are empty.
    pub reset: Signal<In, Bit>,
    /// A row may be read at the next clock.
    pub may: Signal<In, Bit>,
    /// A row of this table is about to be written.
    pub writes: Signal<In, Bit>,
    /// With `writes`.
    pub writes_table: Signal<In, Bits<3>>,
    /// Four clocks after a read: ways whose row is valid.
    pub row_valid: Signal<In, Bits<4>>,
    /// Four clocks after a read: ways whose row is damaged.
    pub row_damaged: Signal<In, Bits<4>>,
    /// Eight clocks after a read: banks whose rule is damaged.
    pub rule_damaged: Signal<In, Bits<4>>,
    /// Read at the next clock.
    pub read: Signal<Out, Bit>,
    /// The table.
    pub table: Signal<Out, Bits<3>>,
    /// The rules, not a table.
    pub rules: Signal<Out, Bit>,
    /// The row.
    pub row: Signal<Out, Bits<13>>,
    /// What was read is not back yet.
    pub busy: Signal<Out, Bit>,
    /// Tables that may hold rows.
    pub used: Signal<Out, Bits<7>>,
    /// Damaged rows that were found at this clock.
    pub damaged_rows: Signal<Out, Bits<3>>,
    /// A round ends at this clock.
    pub round: Signal<Out, Bit>,
    /// Where the last damaged row stood, as the register shows it.
    pub damage: Signal<Out, Bits<32>>,
    timer: RegR<Bits<6>>,
    position: RegR<Bits<13>>,
    number: RegR<Bits<3>>,
    flight: RegR<Bits<10>>,
    back_valid: Reg<Bits<4>>,
    back_damaged: Reg<Bits<4>>,
    back_rules: Reg<Bits<4>>,
    used_register: RegR<Bits<7>>,
    seen: RegR<Bits<7>>,
    found: RegR<Bits<3>>,
    ended: RegR<Bit>,
    place: RegR<Bits<32>>,
    on_rules: Signal<Local, Bit>,
    last: Signal<Local, Bits<13>>,
    returns: Signal<Local, Bit>,
    damaged: Signal<Local, Bits<4>>,
    place_table: Signal<Local, Bits<4>>,
    place_way: Signal<Local, Bits<4>>,
    table_bit: Signal<Local, Bits<7>>,
    written: Signal<Local, Bits<7>>,
    shows: Signal<Local, Bits<7>>,
}

impl Logic for Scrubber {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, timer, position, number, flight, used_register, seen, found, ended, place);
        dff_setup!(self, clock, back_valid, back_damaged, back_rules);
        self.timer.reset.next = self.reset.val();
        self.position.reset.next = self.reset.val();
        self.number.reset.next = self.reset.val();
        self.flight.reset.next = self.reset.val();
        self.used_register.reset.next = self.reset.val();
        self.seen.reset.next = self.reset.val();
        self.found.reset.next = self.reset.val();
        self.ended.reset.next = self.reset.val();
        self.place.reset.next = self.reset.val();

        // One read every 64 clocks, later if the clock is not free. Number 7 is the rules.
        self.on_rules.next = self.number.q.val() == bits::<3>(7);
        self.read.next = false;
        if !self.timer.q.val().all() {
            self.timer.d.next = self.timer.q.val() + bits::<6>(1);
        }
        self.flight.d.next = self.flight.q.val() << 1;
        if self.timer.q.val().all() & self.may.val() {
            self.read.next = true;
            self.timer.d.next = bits::<6>(0);
            self.flight.d.next = (self.flight.q.val() << 1) | bits::<10>(1);
        }
        self.table.next = self.number.q.val();
        self.rules.next = self.on_rules.val();
        self.row.next = self.position.q.val();
        self.busy.next = self.flight.q.val().any();

        // What came back one clock ago.
        self.back_valid.d.next = self.row_valid.val();
        self.back_damaged.d.next = self.row_damaged.val();
        self.back_rules.d.next = self.rule_damaged.val();
        self.returns.next = self.flight.q.val().get_bit(5) & !self.on_rules.val();
        self.damaged.next = self.back_damaged.q.val();
        self.place_table.next = bit_cast::<4, 3>(self.number.q.val());
        if self.on_rules.val() {
            self.returns.next = self.flight.q.val().get_bit(9);
            self.damaged.next = self.back_rules.q.val();
            self.place_table.next = bits::<4>(15);
        }
        self.place_way.next = bits::<4>(0);
        if self.damaged.val().get_bit(3) {
            self.place_way.next = bits::<4>(3);
        } else if self.damaged.val().get_bit(2) {
            self.place_way.next = bits::<4>(2);
        } else if self.damaged.val().get_bit(1) {
            self.place_way.next = bits::<4>(1);
        }
        self.found.d.next = bits::<3>(0);
        self.ended.d.next = false;
        self.table_bit.next = bits::<7>(1) << self.number.q.val();
        self.written.next = bits::<7>(0);
        if self.writes.val() {
            self.written.next = bits::<7>(1) << self.writes_table.val();
        }
        self.shows.next = bits::<7>(0);
        if self.returns.val() & !self.on_rules.val() & (self.back_valid.q.val().any() | self.back_damaged.q.val().any())
        {
            self.shows.next = self.table_bit.val();
        }
        self.used_register.d.next = self.used_register.q.val() | self.written.val();
        self.seen.d.next = self.seen.q.val() | self.written.val() | self.shows.val();
        self.last.next = bits::<13>(2047);
        if self.number.q.val() == bits::<3>(0) {
            self.last.next = bits::<13>(8191);
        } else if (self.number.q.val() == bits::<3>(1)) | (self.number.q.val() == bits::<3>(5)) {
            self.last.next = bits::<13>(1023);
        } else if self.number.q.val() == bits::<3>(6) {
            self.last.next = bits::<13>(255);
        } else if self.on_rules.val() {
            self.last.next = bits::<13>(127);
        }
        if self.returns.val() {
            self.flight.d.next = bits::<10>(0);
            self.found.d.next = bit_cast::<3, 1>(self.damaged.val().get_bit(0).into())
                + bit_cast::<3, 1>(self.damaged.val().get_bit(1).into())
                + bit_cast::<3, 1>(self.damaged.val().get_bit(2).into())
                + bit_cast::<3, 1>(self.damaged.val().get_bit(3).into());
            if self.damaged.val().any() {
                self.place.d.next = bit_cast::<32, 13>(self.position.q.val())
                    | (bit_cast::<32, 4>(self.place_way.val()) << 16)
                    | (bit_cast::<32, 4>(self.place_table.val()) << 20)
                    | (bits::<32>(1) << 31);
            }
            self.position.d.next = self.position.q.val() + bits::<13>(1);
            if self.position.q.val() == self.last.val() {
                self.position.d.next = bits::<13>(0);
                self.number.d.next = self.number.q.val() + bits::<3>(1);
                if self.on_rules.val() {
                    self.ended.d.next = true;
                    // A row that was written in this round is among those seen.
                    self.used_register.d.next = self.seen.q.val() | self.written.val();
                    self.seen.d.next = self.written.val();
                }
            }
        }
        self.used.next = self.used_register.q.val();
        self.damaged_rows.next = self.found.q.val();
        self.round.next = self.ended.q.val();
        self.damage.next = self.place.q.val();
    }
}
