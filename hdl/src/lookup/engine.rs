//! The table engine: executes commands one after the other and answers each.
//!
//! # Theory of operation
//! A command is checked in the order that [`writ_abi::command::Status`] gives: CRC, opcode, fields, tables swept. A row command then waits
//! for a clock in which no keys enter lookup and takes effect in it, with the card's time and the counts of frames looked up
//! so far. `hold` asks the merger for one empty slot as soon as a command arrives, so the wait is bounded whatever the traffic. Drop
//! commands go to the drop counters.
//!
//! After a reset a sweep writes every row of every way invalid, one row number a clock; until it is over, and the drop counters have been
//! swept too, commands that need either end with `NotReady`, and nothing is armed.
//!
//! # Limits
//! One command at a time: 8 to 30 clocks each, more than 10 million a second.

use super::check::CommandCheck;
use super::types::{CompletionHead, CompletionRow, RowAccess, RowData};
use crate::prelude::*;

/// What the engine is doing.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum EngineState {
    /// Waiting for a command.
    Idle,
    /// Computing its CRC.
    Sum,
    /// Checking it.
    Check,
    /// Starting it.
    Start,
    /// Waiting for a clock without keys.
    Slot,
    /// The row is at the memories' outputs.
    Read,
    /// Waiting for the drop counters.
    Drops,
    /// Waiting until the completion is taken.
    Answer,
}

/// Executes commands.
#[derive(LogicBlock, Default)]
pub struct TableEngine {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Reset of the copy side.
    pub reset: Signal<In, Bit>,
    /// Card time.
    pub now_ns: Signal<In, Bits<64>>,
    /// Commands are wanted. While low a command under way is dropped; a row that it has already changed stays changed.
    pub enable: Signal<In, Bit>,
    /// There is a command.
    pub command_valid: Signal<In, Bit>,
    /// The command.
    pub command: Signal<In, Bits<512>>,
    /// The command is taken.
    pub command_take: Signal<Out, Bit>,
    /// Leave one slot of the pipeline empty.
    pub hold: Signal<Out, Bit>,
    /// A frame's keys enter lookup at this clock.
    pub entering: Signal<In, Bit>,
    /// Its port.
    pub entering_port: Signal<In, Bit>,
    /// What to do with which row.
    pub access: Signal<Out, RowAccess>,
    /// The access is done at this clock.
    pub slot_free: Signal<In, Bit>,
    /// One clock after a read: the table to show.
    pub read_table: Signal<Out, Bit>,
    /// And its way.
    pub read_way: Signal<Out, Bits<2>>,
    /// The row's key.
    pub read_key: Signal<In, Bits<160>>,
    /// The row.
    pub read_data: Signal<In, RowData>,
    /// Read the drop counters of `drop_index`; held until `drop_done`.
    pub drop_request: Signal<Out, Bit>,
    /// And set them to zero.
    pub drop_clear: Signal<Out, Bit>,
    /// Which.
    pub drop_index: Signal<Out, Bits<15>>,
    /// The counters are there.
    pub drop_done: Signal<In, Bit>,
    /// Packets dropped.
    pub drop_packets: Signal<In, Bits<64>>,
    /// Bytes dropped.
    pub drop_bytes: Signal<In, Bits<64>>,
    /// The drop counters are swept.
    pub drops_ready: Signal<In, Bit>,
    /// There is a completion.
    pub completion_valid: Signal<Out, Bit>,
    /// Its first line.
    pub completion_head: Signal<Out, Bits<512>>,
    /// Its second line.
    pub completion_row: Signal<Out, Bits<512>>,
    /// The completion is taken.
    pub completion_take: Signal<In, Bit>,
    /// The sweep is over.
    pub ready: Signal<Out, Bit>,
    /// No command under way.
    pub idle: Signal<Out, Bit>,
    /// A command has been answered.
    pub answered: Signal<Out, Bit>,
    /// Frames of port A looked up.
    pub looked_up_a: Signal<Out, Bits<64>>,
    /// Frames of port B looked up.
    pub looked_up_b: Signal<Out, Bits<64>>,
    state: RegR<EngineState>,
    swept: RegR<Bit>,
    sweep_row: RegR<Bits<12>>,
    count_a: RegR<Bits<64>>,
    count_b: RegR<Bits<64>>,
    current: Reg<Bits<512>>,
    head: Reg<CompletionHead>,
    row: Reg<CompletionRow>,
    check: CommandCheck,
    opcode: Signal<Local, Bits<8>>,
    tables_ready: Signal<Local, Bit>,
    is_done: Signal<Local, Bit>,
    effect: Signal<Local, Bit>,
    new_head: Signal<Local, CompletionHead>,
    new_row: Signal<Local, CompletionRow>,
    found: Signal<Local, RowData>,
    written: Signal<Local, RowData>,
}

impl Logic for TableEngine {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, swept, sweep_row, count_a, count_b, current, head, row);
        clock!(self, clock, check);
        self.state.reset.next = self.reset.val();
        self.swept.reset.next = self.reset.val();
        self.sweep_row.reset.next = self.reset.val();
        self.count_a.reset.next = self.reset.val();
        self.count_b.reset.next = self.reset.val();

        // Sweep.
        if !self.swept.q.val() {
            self.sweep_row.d.next = self.sweep_row.q.val() + bits::<12>(1);
            if self.sweep_row.q.val().all() {
                self.swept.d.next = true;
            }
        }
        self.tables_ready.next = self.swept.q.val() & self.drops_ready.val();
        self.ready.next = self.tables_ready.val();

        // Frames looked up.
        if self.entering.val() {
            if self.entering_port.val() {
                self.count_b.d.next = self.count_b.q.val() + bits::<64>(1);
            } else {
                self.count_a.d.next = self.count_a.q.val() + bits::<64>(1);
            }
        }
        self.looked_up_a.next = self.count_a.q.val();
        self.looked_up_b.next = self.count_b.q.val();

        // The command.
        self.check.command.next = self.current.q.val();
        self.check.sum.next = self.state.q.val() == EngineState::Sum;
        self.check.tables_ready.next = self.tables_ready.val();
        self.opcode.next = self.check.opcode.val();

        // The access. The sweep owns the write port while it runs; no row command gets this far then.
        self.written.next = self.check.row.val();
        self.access.next.every = !self.swept.q.val();
        self.access.next.write = (self.state.q.val() == EngineState::Slot) & (self.opcode.val() != bits::<8>(3));
        self.access.next.read = (self.state.q.val() == EngineState::Slot) & (self.opcode.val() == bits::<8>(3));
        self.access.next.table = self.check.table.val().get_bit(0);
        self.access.next.way = self.check.way.val().get_bits::<2>(0);
        self.access.next.row = self.check.row_number.val().get_bits::<12>(0);
        self.access.next.key = self.check.key.val();
        self.access.next.data = self.written.val();
        if !self.swept.q.val() {
            self.written.next.valid = false;
            self.access.next.row = self.sweep_row.q.val();
            self.access.next.data = self.written.val();
        }
        self.read_table.next = self.check.table.val().get_bit(0);
        self.read_way.next = self.check.way.val().get_bits::<2>(0);
        self.drop_request.next = self.state.q.val() == EngineState::Drops;
        self.drop_clear.next = self.opcode.val() == bits::<8>(5);
        self.drop_index.next = self.written.val().match_index;

        // Completion: `effect` marks the clock in which the command takes effect.
        self.is_done.next = self.head.q.val().status == bits::<8>(0);
        self.effect.next = false;
        self.new_head.next = self.head.q.val();
        self.new_row.next = self.row.q.val();
        self.found.next = self.read_data.val();
        self.command_take.next = false;
        self.hold.next = false;
        self.completion_valid.next = false;
        self.answered.next = false;
        self.idle.next = self.state.q.val() == EngineState::Idle;
        match self.state.q.val() {
            EngineState::Idle => {
                if self.command_valid.val() {
                    self.command_take.next = true;
                    self.hold.next = true;
                    self.current.d.next = self.command.val();
                    self.state.d.next = EngineState::Sum;
                }
            }
            EngineState::Sum => {
                self.state.d.next = EngineState::Check;
            }
            EngineState::Check => {
                self.new_head.next.tag = self.current.q.val().get_bits::<32>(32);
                self.new_head.next.status = self.check.status.val();
                self.new_head.next.opcode = self.opcode.val();
                self.new_head.next.row_valid = bits::<8>(0);
                self.new_head.next.reserved = bits::<8>(0);
                self.new_head.next.drop_packets = bits::<64>(0);
                self.new_head.next.drop_bytes = bits::<64>(0);
                self.new_head.next.reserved_2 = bits::<128>(0);
                self.new_row.next.opcode = bits::<8>(0);
                self.new_row.next.table = bits::<8>(0);
                self.new_row.next.way = bits::<8>(0);
                self.new_row.next.scope = bits::<8>(0);
                self.new_row.next.tag = bits::<32>(0);
                self.new_row.next.row = bits::<32>(0);
                self.new_row.next.match_index = bits::<24>(0);
                self.new_row.next.not_after = bits::<48>(0);
                self.new_row.next.key = bits::<304>(0);
                self.new_row.next.reserved = bits::<8>(0);
                self.new_row.next.crc32c = bits::<32>(0);
                self.state.d.next = EngineState::Start;
            }
            EngineState::Start => {
                if self.is_done.val() & self.check.row_command.val() {
                    self.state.d.next = EngineState::Slot;
                } else if self.is_done.val() & self.check.drop_command.val() {
                    self.state.d.next = EngineState::Drops;
                } else {
                    self.effect.next = true;
                    self.state.d.next = EngineState::Answer;
                }
            }
            EngineState::Slot => {
                if self.slot_free.val() {
                    self.effect.next = true;
                    self.state.d.next = EngineState::Answer;
                    if self.opcode.val() == bits::<8>(3) {
                        self.state.d.next = EngineState::Read;
                    }
                }
            }
            EngineState::Read => {
                if self.found.val().valid {
                    self.new_head.next.row_valid = bits::<8>(1);
                    self.new_row.next.table = self.check.table.val();
                    self.new_row.next.way = self.check.way.val();
                    self.new_row.next.scope = bit_cast::<8, 2>(self.found.val().scope);
                    self.new_row.next.row = self.check.row_number.val();
                    self.new_row.next.match_index = bit_cast::<24, 15>(self.found.val().match_index);
                    self.new_row.next.not_after = bit_cast::<48, 44>(self.found.val().not_after);
                    self.new_row.next.key = bit_cast::<304, 160>(self.read_key.val());
                }
                self.state.d.next = EngineState::Answer;
            }
            EngineState::Drops => {
                if self.drop_done.val() {
                    self.effect.next = true;
                    self.new_head.next.drop_packets = self.drop_packets.val();
                    self.new_head.next.drop_bytes = self.drop_bytes.val();
                    self.state.d.next = EngineState::Answer;
                }
            }
            EngineState::Answer => {
                self.completion_valid.next = true;
                if self.completion_take.val() {
                    self.answered.next = true;
                    self.state.d.next = EngineState::Idle;
                }
            }
        }
        if !self.enable.val() {
            self.state.d.next = EngineState::Idle;
        }
        if self.effect.val() {
            self.new_head.next.stamp_ns = self.now_ns.val();
            self.new_head.next.frames_looked_up_a = self.count_a.q.val();
            self.new_head.next.frames_looked_up_b = self.count_b.q.val();
        }
        if self.state.q.val() != EngineState::Idle {
            self.head.d.next = self.new_head.val();
            self.row.d.next = self.new_row.val();
        }
        self.completion_head.next = self.head.q.val().into();
        self.completion_row.next = self.row.q.val().into();
    }
}
