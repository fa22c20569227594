//! Takes a command apart and says whether it may be executed.
//!
//! # Theory of operation
//! No register but the CRC's remainder, which `sum` computes in the clock before the result is looked at. The order of the checks is that of
//! [`writ_abi::command::Status`].
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::axis::{XorMatrix, xor_matrix};
use crate::lookup::types::RowData;
use crate::prelude::*;
use writ_abi::command::{Opcode, Status};
use writ_abi::{Scope, Table, crc, limits};

const _: () = {
    assert!(Opcode::Nop as u8 == 0 && Opcode::WriteRow as u8 == 1 && Opcode::ClearRow as u8 == 2);
    assert!(Opcode::ReadRow as u8 == 3 && Opcode::ReadDrops as u8 == 4 && Opcode::ClearDrops as u8 == 5);
    assert!(Opcode::StageRule as u8 == 6 && Opcode::WriteRule as u8 == 7 && Opcode::ClearRule as u8 == 8);
    assert!(Opcode::ReadRule as u8 == 9 && Opcode::Commit as u8 == 10 && Opcode::Settle as u8 == 11);
    assert!(Opcode::Abort as u8 == 12 && Opcode::CorruptRow as u8 == 13 && Opcode::ALL.len() == 14);
    assert!(Status::Done as u8 == 0 && Status::BadCrc as u8 == 1 && Status::BadOpcode as u8 == 2);
    assert!(Status::BadField as u8 == 3 && Status::NotReady as u8 == 4 && Status::BadState as u8 == 5);
    assert!(Scope::ALL.len() == 3 && limits::MATCH_INDEX_COUNT == 1 << 17, "the kernel writes these as numbers");
};

/// What a command is, one bit a kind.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct CommandKind {
    /// `WriteRow`.
    pub write_row: Bit,
    /// `ClearRow`.
    pub clear_row: Bit,
    /// `ReadRow`.
    pub read_row: Bit,
    /// `ReadDrops`, `ClearDrops`.
    pub drops: Bit,
    /// `StageRule`.
    pub stage_rule: Bit,
    /// `WriteRule`.
    pub write_rule: Bit,
    /// `ClearRule`.
    pub clear_rule: Bit,
    /// `ReadRule`.
    pub read_rule: Bit,
    /// `Commit`.
    pub commit: Bit,
    /// `Settle`.
    pub settle: Bit,
    /// `Abort`.
    pub abort: Bit,
    /// `CorruptRow`.
    pub corrupt: Bit,
    /// PENDING is set.
    pub pending: Bit,
}

/// Checks a command.
#[derive(LogicBlock)]
pub struct CommandCheck {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// The command.
    pub command: Signal<In, Bits<512>>,
    /// Compute its CRC at this clock.
    pub sum: Signal<In, Bit>,
    /// The tables are swept.
    pub tables_ready: Signal<In, Bit>,
    /// A value is staged.
    pub staged: Signal<In, Bit>,
    /// A batch is committed and not settled.
    pub committed: Signal<In, Bit>,
    /// The card is armed.
    pub armed: Signal<In, Bit>,
    /// One clock after `sum`: the status with which the command has to be refused, or 0.
    pub status: Signal<Out, Bits<8>>,
    /// Opcode.
    pub opcode: Signal<Out, Bits<8>>,
    /// What it is.
    pub kind: Signal<Out, CommandKind>,
    /// Table.
    pub table: Signal<Out, Bits<3>>,
    /// Way or bank.
    pub way: Signal<Out, Bits<2>>,
    /// Row or rule.
    pub row_number: Signal<Out, Bits<13>>,
    /// Key.
    pub key: Signal<Out, Bits<304>>,
    /// Bits of the key that the table has.
    pub key_mask: Signal<Out, Bits<304>>,
    /// The row that the command would write, without parity.
    pub row: Signal<Out, RowData>,
    /// DESTINATION.
    pub destination: Signal<Out, Bit>,
    /// MASK.
    pub mask: Signal<Out, Bit>,
    remainder: Reg<Bits<32>>,
    crc: XorMatrix<512, 32>,
    crc_start: Constant<Bits<32>>,
    mask_of: [Constant<Bits<304>>; 7],
    table_field: Signal<Local, Bits<8>>,
    way_field: Signal<Local, Bits<8>>,
    scope: Signal<Local, Bits<8>>,
    flags: Signal<Local, Bits<8>>,
    row_field: Signal<Local, Bits<32>>,
    rows_end: Signal<Local, Bits<32>>,
    match_index: Signal<Local, Bits<24>>,
    not_after: Signal<Local, Bits<48>>,
    row_exists: Signal<Local, Bit>,
    rule_exists: Signal<Local, Bit>,
    index_exists: Signal<Local, Bit>,
    content_good: Signal<Local, Bit>,
    fields_good: Signal<Local, Bit>,
    changes: Signal<Local, Bit>,
    state_good: Signal<Local, Bit>,
}

/// Ones in the bits of a table's key.
fn key_mask(table: usize) -> Constant<Bits<304>> {
    let mask =
        (0..Table::ALL[table].key_bytes() * 8).fold(Bits::default(), |mask: Bits<304>, i| mask.replace_bit(i, true));
    Constant::new(mask)
}

impl Default for CommandCheck {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            command: Signal::default(),
            sum: Signal::default(),
            tables_ready: Signal::default(),
            staged: Signal::default(),
            committed: Signal::default(),
            armed: Signal::default(),
            status: Signal::default(),
            opcode: Signal::default(),
            kind: Signal::default(),
            table: Signal::default(),
            way: Signal::default(),
            row_number: Signal::default(),
            key: Signal::default(),
            key_mask: Signal::default(),
            row: Signal::default(),
            destination: Signal::default(),
            mask: Signal::default(),
            remainder: Reg::default(),
            crc: xor_matrix::line_crc(),
            crc_start: Constant::new((!crc::crc32c(&[0; 60]) as LiteralType).into()),
            mask_of: core::array::from_fn(key_mask),
            table_field: Signal::default(),
            way_field: Signal::default(),
            scope: Signal::default(),
            flags: Signal::default(),
            row_field: Signal::default(),
            rows_end: Signal::default(),
            match_index: Signal::default(),
            not_after: Signal::default(),
            row_exists: Signal::default(),
            rule_exists: Signal::default(),
            index_exists: Signal::default(),
            content_good: Signal::default(),
            fields_good: Signal::default(),
            changes: Signal::default(),
            state_good: Signal::default(),
        }
    }
}

impl Logic for CommandCheck {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, remainder);
        // The CRC covers 60 bytes. Zeros in front of them do not change the remainder of a start value of zero.
        self.crc.enable.next = self.sum.val();
        self.crc.operand.next = self.command.val() << 32;
        if self.sum.val() {
            self.remainder.d.next = self.crc.result.val();
        }

        // Fields.
        self.opcode.next = self.command.val().get_bits::<8>(0);
        self.table_field.next = self.command.val().get_bits::<8>(8);
        self.way_field.next = self.command.val().get_bits::<8>(16);
        self.scope.next = self.command.val().get_bits::<8>(24);
        self.row_field.next = self.command.val().get_bits::<32>(64);
        self.match_index.next = self.command.val().get_bits::<24>(96);
        self.not_after.next = self.command.val().get_bits::<48>(120);
        self.flags.next = self.command.val().get_bits::<8>(472);
        self.table.next = self.table_field.val().get_bits::<3>(0);
        self.way.next = self.way_field.val().get_bits::<2>(0);
        self.row_number.next = self.row_field.val().get_bits::<13>(0);
        self.key.next = self.command.val().get_bits::<304>(168);
        self.row.next.valid = true;
        self.row.next.pending = self.flags.val().get_bit(2);
        self.row.next.pending_clear = false;
        self.row.next.ring = self.flags.val().get_bits::<2>(0);
        self.row.next.scope = self.scope.val().get_bits::<2>(0);
        self.row.next.match_index = self.match_index.val().get_bits::<17>(0);
        self.row.next.not_after = self.not_after.val().get_bits::<44>(0);
        self.row.next.parity = bits::<4>(0);
        self.destination.next = self.flags.val().get_bit(3);
        self.mask.next = self.flags.val().get_bit(4);

        // Kind.
        self.kind.next.write_row = self.opcode.val() == bits::<8>(1);
        self.kind.next.clear_row = self.opcode.val() == bits::<8>(2);
        self.kind.next.read_row = self.opcode.val() == bits::<8>(3);
        self.kind.next.drops = (self.opcode.val() == bits::<8>(4)) | (self.opcode.val() == bits::<8>(5));
        self.kind.next.stage_rule = self.opcode.val() == bits::<8>(6);
        self.kind.next.write_rule = self.opcode.val() == bits::<8>(7);
        self.kind.next.clear_rule = self.opcode.val() == bits::<8>(8);
        self.kind.next.read_rule = self.opcode.val() == bits::<8>(9);
        self.kind.next.commit = self.opcode.val() == bits::<8>(10);
        self.kind.next.settle = self.opcode.val() == bits::<8>(11);
        self.kind.next.abort = self.opcode.val() == bits::<8>(12);
        self.kind.next.corrupt = self.opcode.val() == bits::<8>(13);
        self.kind.next.pending = self.flags.val().get_bit(2);

        // What exists.
        self.rows_end.next = bits::<32>(2048);
        self.key_mask.next = !bits::<304>(0);
        if self.table_field.val() == bits::<8>(0) {
            self.rows_end.next = bits::<32>(8192);
        } else if (self.table_field.val() == bits::<8>(1)) | (self.table_field.val() == bits::<8>(5)) {
            self.rows_end.next = bits::<32>(1024);
        } else if self.table_field.val() == bits::<8>(6) {
            self.rows_end.next = bits::<32>(256);
        } else if self.table_field.val() > bits::<8>(6) {
            self.rows_end.next = bits::<32>(0);
        }
        if self.opcode.val() == bits::<8>(1) {
            self.key_mask.next = self.mask_of[3].val();
            if self.table.val() == bits::<3>(0) {
                self.key_mask.next = self.mask_of[0].val();
            } else if self.table.val() == bits::<3>(1) {
                self.key_mask.next = self.mask_of[1].val();
            } else if self.table.val() == bits::<3>(2) {
                self.key_mask.next = self.mask_of[2].val();
            } else if self.table.val() == bits::<3>(4) {
                self.key_mask.next = self.mask_of[4].val();
            } else if self.table.val() == bits::<3>(5) {
                self.key_mask.next = self.mask_of[5].val();
            } else if self.table.val() == bits::<3>(6) {
                self.key_mask.next = self.mask_of[6].val();
            }
        }
        self.row_exists.next = (self.way_field.val() < bits::<8>(4)) & (self.row_field.val() < self.rows_end.val());
        self.rule_exists.next = (self.way_field.val() < bits::<8>(4)) & (self.row_field.val() < bits::<32>(128));
        self.index_exists.next = self.match_index.val() < bits::<24>(131_072);
        self.content_good.next =
            self.index_exists.val() & (self.scope.val() < bits::<8>(3)) & !self.not_after.val().get_bits::<4>(44).any();
        self.fields_good.next = true;
        if self.opcode.val() == bits::<8>(1) {
            self.fields_good.next = self.row_exists.val() & self.content_good.val();
        } else if self.opcode.val() == bits::<8>(7) {
            self.fields_good.next = self.rule_exists.val() & self.content_good.val();
        } else if (self.opcode.val() == bits::<8>(2))
            | (self.opcode.val() == bits::<8>(3))
            | (self.opcode.val() == bits::<8>(13))
        {
            self.fields_good.next = self.row_exists.val();
        } else if (self.opcode.val() == bits::<8>(8)) | (self.opcode.val() == bits::<8>(9)) {
            self.fields_good.next = self.rule_exists.val();
        } else if (self.opcode.val() == bits::<8>(4)) | (self.opcode.val() == bits::<8>(5)) {
            self.fields_good.next = self.index_exists.val();
        }

        // What the card's state allows.
        self.changes.next = (self.opcode.val() == bits::<8>(1))
            | (self.opcode.val() == bits::<8>(2))
            | (self.opcode.val() == bits::<8>(7))
            | (self.opcode.val() == bits::<8>(8));
        self.state_good.next = true;
        if (self.opcode.val() == bits::<8>(7)) & !self.staged.val() {
            self.state_good.next = false;
        }
        if self.committed.val()
            & ((self.opcode.val() == bits::<8>(10))
                | (self.opcode.val() == bits::<8>(12))
                | (self.changes.val() & self.flags.val().get_bit(2)))
        {
            self.state_good.next = false;
        }
        if (self.opcode.val() == bits::<8>(11)) & !self.committed.val() {
            self.state_good.next = false;
        }
        if (self.opcode.val() == bits::<8>(13)) & self.armed.val() {
            self.state_good.next = false;
        }

        // Status.
        self.status.next = bits::<8>(0);
        if (self.remainder.q.val() ^ self.crc_start.val()) != !self.command.val().get_bits::<32>(480) {
            self.status.next = bits::<8>(1);
        } else if self.opcode.val() > bits::<8>(13) {
            self.status.next = bits::<8>(2);
        } else if !self.fields_good.val() {
            self.status.next = bits::<8>(3);
        } else if self.opcode.val().any() & !self.tables_ready.val() {
            self.status.next = bits::<8>(4);
        } else if !self.state_good.val() {
            self.status.next = bits::<8>(5);
        }
    }
}
