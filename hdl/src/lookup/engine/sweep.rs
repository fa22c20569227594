//! The sweep that ends a batch: what it does to one row, and its walk over all rows and rules.

use crate::lookup::types::{Candidate, RowData, SweepMode};
use crate::prelude::*;

/// Keeps what a sweep makes of one row, until it is written back.
#[derive(LogicBlock)]
pub struct SweptRow {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// The sweep.
    pub sweep: Signal<In, SweepMode>,
    /// What was read is there.
    pub returned: Signal<In, Bit>,
    /// What was read.
    pub candidate: Signal<In, Candidate>,
    /// It is being written back.
    pub written: Signal<In, Bit>,
    /// The row has to be written back.
    pub dirty: Signal<Out, Bit>,
    /// And its key has to be erased.
    pub gone: Signal<Out, Bit>,
    /// The new row; keeps until the next is found.
    pub row: Signal<Out, RowData>,
    dirty_register: Reg<Bit>,
    gone_register: Reg<Bit>,
    row_register: Reg<RowData>,
    erase: Signal<Local, Bit>,
    old: Signal<Local, RowData>,
    kept: Signal<Local, RowData>,
    kept_parity: Signal<Local, Bits<4>>,
    nothing: Constant<RowData>,
}

impl Default for SweptRow {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            sweep: Signal::default(),
            returned: Signal::default(),
            candidate: Signal::default(),
            written: Signal::default(),
            dirty: Signal::default(),
            gone: Signal::default(),
            row: Signal::default(),
            dirty_register: Reg::default(),
            gone_register: Reg::default(),
            row_register: Reg::default(),
            erase: Signal::default(),
            old: Signal::default(),
            kept: Signal::default(),
            kept_parity: Signal::default(),
            nothing: Constant::new(RowData::default()),
        }
    }
}

impl Logic for SweptRow {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, dirty_register, gone_register, row_register);
        // A mark that is taken away takes its parity bit along.
        self.old.next = self.candidate.val().row;
        self.kept_parity.next = self.old.val().parity;
        if self.old.val().pending {
            self.kept_parity.next = self.kept_parity.val() ^ bits::<4>(2);
        }
        if self.old.val().pending_clear {
            self.kept_parity.next = self.kept_parity.val() ^ bits::<4>(4);
        }
        self.kept.next = self.old.val();
        self.kept.next.pending = false;
        self.kept.next.pending_clear = false;
        self.kept.next.parity = self.kept_parity.val();
        self.erase.next = self.old.val().pending;
        if self.sweep.val().settle {
            self.erase.next = self.old.val().pending_clear;
        }
        if self.returned.val() & self.sweep.val().capture {
            self.dirty_register.d.next = self.old.val().valid
                & (self.old.val().pending | self.old.val().pending_clear)
                & !self.candidate.val().damaged;
            self.gone_register.d.next = self.old.val().valid & self.erase.val() & !self.candidate.val().damaged;
            self.row_register.d.next = self.kept.val();
            if self.erase.val() {
                self.row_register.d.next = self.nothing.val();
            }
        }
        if self.written.val() | !self.sweep.val().active {
            self.dirty_register.d.next = false;
            self.gone_register.d.next = false;
        }
        self.dirty.next = self.dirty_register.q.val();
        self.gone.next = self.gone_register.q.val();
        self.row.next = self.row_register.q.val();
    }
}

/// The walk. Rows of all tables side by side, one a clock; a row that changes costs some clocks more, because what was read behind it
/// is thrown away. Then the rules of all banks side by side, one after the other.
#[derive(LogicBlock, Default)]
pub struct Sweeper {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Ends the walk.
    pub reset: Signal<In, Bit>,
    /// Begin.
    pub start: Signal<In, Bit>,
    /// With `start`: `Settle`, not `Abort`.
    pub start_settle: Signal<In, Bit>,
    /// No keys enter at the next clock.
    pub slot_free: Signal<In, Bit>,
    /// Something has to be written back.
    pub dirty: Signal<In, Bit>,
    /// What memories have to know.
    pub mode: Signal<Out, SweepMode>,
    /// Read `row` at the next clock.
    pub read: Signal<Out, Bit>,
    /// Write back to `row` at the next clock.
    pub back: Signal<Out, Bit>,
    /// The row or rule.
    pub row: Signal<Out, Bits<13>>,
    /// Rules, not rows.
    pub rules: Signal<Out, Bit>,
    /// The walk was over one clock ago.
    pub finished: Signal<Out, Bit>,
    active: RegR<Bit>,
    settle: Reg<Bit>,
    on_rules: RegR<Bit>,
    next_row: Reg<Bits<14>>,
    returned_row: Reg<Bits<14>>,
    last_row: Reg<Bits<13>>,
    flight: RegR<Bits<9>>,
    writing: RegR<Bits<9>>,
    over: RegR<Bit>,
    all_read: Signal<Local, Bit>,
    may_read: Signal<Local, Bit>,
    reads: Signal<Local, Bit>,
    writes: Signal<Local, Bit>,
    returns: Signal<Local, Bit>,
    quiet: Signal<Local, Bit>,
}

impl Logic for Sweeper {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, active, settle, on_rules, next_row, returned_row, last_row, flight, writing, over);
        self.active.reset.next = self.reset.val();
        self.on_rules.reset.next = self.reset.val();
        self.flight.reset.next = self.reset.val();
        self.writing.reset.next = self.reset.val();
        self.over.reset.next = self.reset.val();

        // What comes back: rows 4 clocks after they are read, rules 8, and the read itself is one clock behind its decision.
        self.returns.next = self.flight.q.val().get_bit(4) & !self.dirty.val();
        self.all_read.next = self.next_row.q.val().get_bit(13);
        self.may_read.next = true;
        if self.on_rules.q.val() {
            self.returns.next = self.flight.q.val().get_bit(8) & !self.dirty.val();
            self.all_read.next = self.next_row.q.val().get_bit(7);
            self.may_read.next = !self.flight.q.val().any() & !self.writing.q.val().any();
        }
        self.quiet.next = !self.flight.q.val().any() & !self.writing.q.val().any() & !self.dirty.val();
        self.reads.next =
            self.active.q.val() & self.slot_free.val() & !self.dirty.val() & !self.all_read.val() & self.may_read.val();
        self.writes.next = self.active.q.val() & self.slot_free.val() & self.dirty.val();

        self.over.d.next = false;
        self.finished.next = self.over.q.val();
        if self.active.q.val() {
            self.flight.d.next = self.flight.q.val() << 1;
            self.writing.d.next = self.writing.q.val() << 1;
            if self.returns.val() {
                self.last_row.d.next = self.returned_row.q.val().get_bits::<13>(0);
                self.returned_row.d.next = self.returned_row.q.val() + bits::<14>(1);
            }
            if self.reads.val() {
                self.next_row.d.next = self.next_row.q.val() + bits::<14>(1);
                self.flight.d.next = (self.flight.q.val() << 1) | bits::<9>(1);
            }
            if self.writes.val() {
                self.next_row.d.next = self.returned_row.q.val();
                self.flight.d.next = bits::<9>(0);
                self.writing.d.next = bits::<9>(1);
            }
            if self.all_read.val() & self.quiet.val() {
                self.next_row.d.next = bits::<14>(0);
                self.returned_row.d.next = bits::<14>(0);
                self.on_rules.d.next = true;
                if self.on_rules.q.val() {
                    self.on_rules.d.next = false;
                    self.active.d.next = false;
                    self.over.d.next = true;
                }
            }
        }
        if self.start.val() {
            self.active.d.next = true;
            self.settle.d.next = self.start_settle.val();
            self.on_rules.d.next = false;
            self.next_row.d.next = bits::<14>(0);
            self.returned_row.d.next = bits::<14>(0);
            self.flight.d.next = bits::<9>(0);
            self.writing.d.next = bits::<9>(0);
        }
        self.read.next = self.reads.val();
        self.back.next = self.writes.val();
        self.rules.next = self.on_rules.q.val();
        self.row.next = self.next_row.q.val().get_bits::<13>(0);
        if self.dirty.val() {
            self.row.next = self.last_row.q.val();
        }
        self.mode.next.active = self.active.q.val();
        self.mode.next.settle = self.settle.q.val();
        self.mode.next.capture = self.returns.val();
    }
}
