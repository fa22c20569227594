//! Takes a command apart and says whether it may be executed.
//!
//! # Theory of operation
//! No register but the CRC's remainder, which `sum` computes in the clock before the result is looked at. The order of the checks is that of
//! [`writ_abi::command::Status`].

use super::types::RowData;
use crate::axis::{XorMatrix, xor_matrix};
use crate::prelude::*;
use writ_abi::command::{Opcode, Status};
use writ_abi::crc;

const _: () = {
    assert!(Opcode::Nop as u8 == 0 && Opcode::WriteRow as u8 == 1 && Opcode::ClearRow as u8 == 2);
    assert!(Opcode::ReadRow as u8 == 3 && Opcode::ReadDrops as u8 == 4 && Opcode::ClearDrops as u8 == 5);
    assert!(Status::Done as u8 == 0 && Status::BadCrc as u8 == 1 && Status::BadOpcode as u8 == 2);
    assert!(Status::BadField as u8 == 3 && Status::NotReady as u8 == 4, "the kernel writes these as numbers");
};

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
    /// One clock after `sum`: the status with which the command has to be refused, or 0.
    pub status: Signal<Out, Bits<8>>,
    /// Opcode.
    pub opcode: Signal<Out, Bits<8>>,
    /// Table.
    pub table: Signal<Out, Bits<8>>,
    /// Way.
    pub way: Signal<Out, Bits<8>>,
    /// Row of the way.
    pub row_number: Signal<Out, Bits<32>>,
    /// Key, the longest there is.
    pub key: Signal<Out, Bits<160>>,
    /// The row that the command would write.
    pub row: Signal<Out, RowData>,
    /// It needs a row.
    pub row_command: Signal<Out, Bit>,
    /// It needs the drop counters.
    pub drop_command: Signal<Out, Bit>,
    remainder: Reg<Bits<32>>,
    crc: XorMatrix<512, 32>,
    crc_start: Constant<Bits<32>>,
    scope: Signal<Local, Bits<8>>,
    match_index: Signal<Local, Bits<24>>,
    not_after: Signal<Local, Bits<48>>,
    row_exists: Signal<Local, Bit>,
    index_exists: Signal<Local, Bit>,
    fields_good: Signal<Local, Bit>,
}

impl Default for CommandCheck {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            command: Signal::default(),
            sum: Signal::default(),
            tables_ready: Signal::default(),
            status: Signal::default(),
            opcode: Signal::default(),
            table: Signal::default(),
            way: Signal::default(),
            row_number: Signal::default(),
            key: Signal::default(),
            row: Signal::default(),
            row_command: Signal::default(),
            drop_command: Signal::default(),
            remainder: Reg::default(),
            crc: xor_matrix::line_crc(),
            crc_start: Constant::new((!crc::crc32c(&[0; 60]) as LiteralType).into()),
            scope: Signal::default(),
            match_index: Signal::default(),
            not_after: Signal::default(),
            row_exists: Signal::default(),
            index_exists: Signal::default(),
            fields_good: Signal::default(),
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
        self.table.next = self.command.val().get_bits::<8>(8);
        self.way.next = self.command.val().get_bits::<8>(16);
        self.scope.next = self.command.val().get_bits::<8>(24);
        self.row_number.next = self.command.val().get_bits::<32>(64);
        self.match_index.next = self.command.val().get_bits::<24>(96);
        self.not_after.next = self.command.val().get_bits::<48>(120);
        self.row_command.next = (self.opcode.val() >= bits::<8>(1)) & (self.opcode.val() <= bits::<8>(3));
        self.drop_command.next = (self.opcode.val() == bits::<8>(4)) | (self.opcode.val() == bits::<8>(5));
        self.index_exists.next = self.match_index.val() < bits::<24>(32768);
        self.row_exists.next = (self.way.val() < bits::<8>(4))
            & (((self.table.val() == bits::<8>(0)) & (self.row_number.val() < bits::<32>(4096)))
                | ((self.table.val() == bits::<8>(1)) & (self.row_number.val() < bits::<32>(1024))));
        self.key.next = self.command.val().get_bits::<160>(168);
        self.row.next.valid = self.opcode.val() == bits::<8>(1);
        self.row.next.match_index = self.match_index.val().get_bits::<15>(0);
        self.row.next.scope = self.scope.val().get_bits::<2>(0);
        self.row.next.not_after = self.not_after.val().get_bits::<44>(0);
        self.fields_good.next = true;
        if self.opcode.val() == bits::<8>(1) {
            self.fields_good.next = self.row_exists.val()
                & self.index_exists.val()
                & (self.scope.val() < bits::<8>(3))
                & !self.not_after.val().get_bits::<4>(44).any();
        } else if self.row_command.val() {
            self.fields_good.next = self.row_exists.val();
        } else if self.drop_command.val() {
            self.fields_good.next = self.index_exists.val();
        }

        // Status.
        self.status.next = bits::<8>(0);
        if (self.remainder.q.val() ^ self.crc_start.val()) != !self.command.val().get_bits::<32>(480) {
            self.status.next = bits::<8>(1);
        } else if self.opcode.val() > bits::<8>(5) {
            self.status.next = bits::<8>(2);
        } else if !self.fields_good.val() {
            self.status.next = bits::<8>(3);
        } else if (self.row_command.val() | self.drop_command.val()) & !self.tables_ready.val() {
            self.status.next = bits::<8>(4);
        }
    }
}
