//! The completion of a command.

use super::check::CommandKind;
use crate::lookup::types::{CompletionHead, CompletionRow, RowData};
use crate::prelude::*;
use writ_abi::command::RowState;

const _: () = {
    assert!(RowState::Invalid as u8 == 0 && RowState::Valid as u8 == 1 && RowState::Damaged as u8 == 2);
};

/// Two lines, filled step by step.
#[derive(LogicBlock, Default)]
pub struct Answer {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Begin: tag, status, opcode; all the rest is zero.
    pub begin: Signal<In, Bit>,
    /// With `begin`.
    pub tag: Signal<In, Bits<32>>,
    /// With `begin`.
    pub status: Signal<In, Bits<8>>,
    /// With `begin`.
    pub opcode: Signal<In, Bits<8>>,
    /// The command takes effect at this clock.
    pub effect: Signal<In, Bit>,
    /// Card time.
    pub now_ns: Signal<In, Bits<64>>,
    /// Frames of port A looked up before this clock.
    pub looked_up_a: Signal<In, Bits<64>>,
    /// Frames of port B looked up before this clock.
    pub looked_up_b: Signal<In, Bits<64>>,
    /// Take the drop counters.
    pub take_drops: Signal<In, Bit>,
    /// Packets dropped.
    pub drop_packets: Signal<In, Bits<64>>,
    /// Bytes dropped.
    pub drop_bytes: Signal<In, Bits<64>>,
    /// Take a row that was read.
    pub take_row: Signal<In, Bit>,
    /// What the command is.
    pub kind: Signal<In, CommandKind>,
    /// Table.
    pub table: Signal<In, Bits<3>>,
    /// Way or bank.
    pub way: Signal<In, Bits<2>>,
    /// Row or rule.
    pub row_number: Signal<In, Bits<13>>,
    /// It is valid.
    pub valid: Signal<In, Bit>,
    /// It is damaged.
    pub damaged: Signal<In, Bit>,
    /// The row.
    pub row: Signal<In, RowData>,
    /// DESTINATION of a rule.
    pub destination: Signal<In, Bit>,
    /// Its key, value or mask.
    pub key: Signal<In, Bits<304>>,
    /// First line.
    pub head_line: Signal<Out, Bits<512>>,
    /// Second line.
    pub row_line: Signal<Out, Bits<512>>,
    /// The status.
    pub refused: Signal<Out, Bit>,
    head: Reg<CompletionHead>,
    second: Reg<CompletionRow>,
    new_head: Signal<Local, CompletionHead>,
    new_row: Signal<Local, CompletionRow>,
}

impl Logic for Answer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, head, second);
        self.new_head.next = self.head.q.val();
        if self.begin.val() {
            self.new_head.next.tag = self.tag.val();
            self.new_head.next.status = self.status.val();
            self.new_head.next.opcode = self.opcode.val();
            self.new_head.next.row_state = bits::<8>(0);
            self.new_head.next.reserved = bits::<8>(0);
            self.new_head.next.drop_packets = bits::<64>(0);
            self.new_head.next.drop_bytes = bits::<64>(0);
            self.new_head.next.reserved_2 = bits::<128>(0);
        }
        if self.effect.val() {
            self.new_head.next.stamp_ns = self.now_ns.val();
            self.new_head.next.frames_looked_up_a = self.looked_up_a.val();
            self.new_head.next.frames_looked_up_b = self.looked_up_b.val();
        }
        if self.take_drops.val() {
            self.new_head.next.drop_packets = self.drop_packets.val();
            self.new_head.next.drop_bytes = self.drop_bytes.val();
        }
        self.new_row.next.opcode = bits::<8>(0);
        self.new_row.next.table = bits::<8>(0);
        self.new_row.next.way = bits::<8>(0);
        self.new_row.next.scope = bits::<8>(0);
        self.new_row.next.tag = bits::<32>(0);
        self.new_row.next.row = bits::<32>(0);
        self.new_row.next.match_index = bits::<24>(0);
        self.new_row.next.not_after = bits::<48>(0);
        self.new_row.next.key = bits::<304>(0);
        self.new_row.next.flags = bits::<8>(0);
        self.new_row.next.crc32c = bits::<32>(0);
        if self.take_row.val() {
            if self.damaged.val() {
                self.new_head.next.row_state = bits::<8>(2);
            } else if self.valid.val() {
                self.new_head.next.row_state = bits::<8>(1);
                if self.kind.val().read_row {
                    self.new_row.next.table = bit_cast::<8, 3>(self.table.val());
                }
                self.new_row.next.way = bit_cast::<8, 2>(self.way.val());
                self.new_row.next.scope = bit_cast::<8, 2>(self.row.val().scope);
                self.new_row.next.row = bit_cast::<32, 13>(self.row_number.val());
                self.new_row.next.match_index = bit_cast::<24, 17>(self.row.val().match_index);
                self.new_row.next.not_after = bit_cast::<48, 44>(self.row.val().not_after);
                self.new_row.next.key = self.key.val();
                self.new_row.next.flags = bit_cast::<8, 2>(self.row.val().ring)
                    | (bit_cast::<8, 1>(self.row.val().pending.into()) << 2)
                    | (bit_cast::<8, 1>(self.destination.val().into()) << 3)
                    | (bit_cast::<8, 1>(self.row.val().pending_clear.into()) << 5);
            }
        }
        if self.begin.val() | self.effect.val() | self.take_drops.val() | self.take_row.val() {
            self.head.d.next = self.new_head.val();
        }
        if self.begin.val() | self.take_row.val() {
            self.second.d.next = self.new_row.val();
        }
        self.head_line.next = self.head.q.val().into();
        self.row_line.next = self.second.q.val().into();
        self.refused.next = self.head.q.val().status.any();
    }
}
