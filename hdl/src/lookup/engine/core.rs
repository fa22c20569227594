//! The engine's states.
//!
//! # Theory of operation
//! What the engine decides in a clock reaches the memories in the next one. So it asks whether keys will enter then (`arriving`), and notes the
//! time and the counts of a command's effect then too.

use super::{Answer, CommandCheck, CommandKind, Loader, Scrubber, Sweeper};
use crate::lookup::types::{RowAccess, RowData, RuleWord, SweepMode};
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
    /// Loading what it writes.
    Load,
    /// Summing parities.
    Parity,
    /// Waiting for a clock without keys.
    Slot,
    /// Waiting for what was read.
    Wait,
    /// Looking at what was read.
    Judge,
    /// Waiting until a write has reached the rules' rows.
    Drain,
    /// Waiting for a rule's cells.
    Cells,
    /// Waiting for the sweep.
    Sweep,
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
    /// CONTROL.ARMED.
    pub armed: Signal<In, Bit>,
    /// Commands are wanted. While low a command under way is dropped; what it has already changed stays changed.
    pub enable: Signal<In, Bit>,
    /// There is a command.
    pub command_valid: Signal<In, Bit>,
    /// The command.
    pub command: Signal<In, Bits<512>>,
    /// The command is taken.
    pub command_take: Signal<Out, Bit>,
    /// Leave one slot of the pipeline empty.
    pub hold: Signal<Out, Bit>,
    /// A frame's keys enter lookup at the next clock.
    pub arriving: Signal<In, Bit>,
    /// A frame's keys enter lookup at this clock.
    pub entering: Signal<In, Bit>,
    /// Its port.
    pub entering_port: Signal<In, Bit>,
    /// What to do with which row, at this clock.
    pub access: Signal<Out, RowAccess>,
    /// Key to write.
    pub write_key: Signal<Out, Bits<304>>,
    /// Its parity.
    pub write_parity: Signal<Out, Bits<8>>,
    /// Row to write.
    pub write_row: Signal<Out, RowData>,
    /// Rule to write.
    pub write_word: Signal<Out, RuleWord>,
    /// Write the cells of the rule.
    pub cells_start: Signal<Out, Bit>,
    /// They are being written.
    pub cells_busy: Signal<In, Bit>,
    /// A rule is being written.
    pub rules_active: Signal<Out, Bit>,
    /// The batch sweep.
    pub sweep: Signal<Out, SweepMode>,
    /// The sweep has something to write back.
    pub dirty: Signal<In, Bit>,
    /// Four clocks after a read of a table: valid ways.
    pub row_valid: Signal<In, Bits<4>>,
    /// And damaged ones.
    pub row_damaged: Signal<In, Bits<4>>,
    /// And the row of the way that was asked for.
    pub shown_row: Signal<In, RowData>,
    /// And its key.
    pub shown_key: Signal<In, Bits<304>>,
    /// Eight clocks after a read of rules: valid banks.
    pub rule_valid: Signal<In, Bits<4>>,
    /// And damaged ones.
    pub rule_damaged: Signal<In, Bits<4>>,
    /// And the row of the bank that was asked for.
    pub rule_row: Signal<In, RowData>,
    /// And its value and mask.
    pub rule_word: Signal<In, RuleWord>,
    /// Read the drop counters of `drop_index`; held until `drop_done`.
    pub drop_request: Signal<Out, Bit>,
    /// And set them to zero.
    pub drop_clear: Signal<Out, Bit>,
    /// Which.
    pub drop_index: Signal<Out, Bits<17>>,
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
    /// The sweep after the reset is over.
    pub ready: Signal<Out, Bit>,
    /// A batch is committed and not settled.
    pub committed: Signal<Out, Bit>,
    /// Tables that may hold rows.
    pub used: Signal<Out, Bits<7>>,
    /// No command under way.
    pub idle: Signal<Out, Bit>,
    /// A command has been answered.
    pub answered: Signal<Out, Bit>,
    /// See [`Scrubber`].
    pub damaged_rows: Signal<Out, Bits<3>>,
    /// See [`Scrubber`].
    pub scrub_round: Signal<Out, Bit>,
    /// See [`Scrubber`].
    pub damage: Signal<Out, Bits<32>>,
    state: RegR<EngineState>,
    erased: RegR<Bit>,
    erase_row: RegR<Bits<14>>,
    count_a: WideCounter,
    count_b: WideCounter,
    staged: RegR<Bit>,
    batch: RegR<Bit>,
    hold_timer: Reg<Bits<4>>,
    current: Reg<Bits<512>>,
    rewrite: Reg<Bit>,
    vacate: Reg<Bit>,
    flight: RegR<Bits<9>>,
    access_register: RegR<RowAccess>,
    effect_register: RegR<Bit>,
    hold_register: RegR<Bit>,
    at_rest: RegR<Bit>,
    at_hand: RegR<Bit>,
    whole: RegR<Bit>,
    kinds: Reg<CommandKind>,
    found_valid: Reg<Bit>,
    found_damaged: Reg<Bit>,
    found_same: Reg<Bit>,
    found_row: Reg<RowData>,
    check: CommandCheck,
    loader: Loader,
    answer: Answer,
    scrubber: Scrubber,
    sweeper: Sweeper,
    kind: Signal<Local, CommandKind>,
    free: Signal<Local, Bit>,
    tables_ready: Signal<Local, Bit>,
    can_take: Signal<Local, Bit>,
    on_rules: Signal<Local, Bit>,
    first_reads: Signal<Local, Bit>,
    touches: Signal<Local, Bit>,
    way_bit: Signal<Local, Bits<4>>,
    shown_rule: Signal<Local, RuleWord>,
    loaded: Signal<Local, RuleWord>,
    reads: Signal<Local, Bit>,
    writes: Signal<Local, Bit>,
    effect: Signal<Local, Bit>,
    wants_slot: Signal<Local, Bit>,
    back_in: Signal<Local, Bit>,
    now_access: Signal<Local, RowAccess>,
    next_access: Signal<Local, RowAccess>,
    comes: Signal<Local, Bit>,
}

impl Logic for TableEngine {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, erased, erase_row, staged, batch, hold_timer, current);
        dff_setup!(self, clock, access_register, effect_register, hold_register, at_rest, at_hand, whole, kinds);
        dff_setup!(self, clock, rewrite, vacate, flight, found_valid, found_damaged, found_same, found_row);
        clock!(self, clock, check, loader, answer, scrubber, sweeper, count_a, count_b);
        self.state.reset.next = self.reset.val();
        self.erased.reset.next = self.reset.val();
        self.erase_row.reset.next = self.reset.val();
        self.count_a.reset.next = self.reset.val();
        self.count_b.reset.next = self.reset.val();
        self.staged.reset.next = self.reset.val();
        self.batch.reset.next = self.reset.val();
        self.flight.reset.next = self.reset.val();
        self.access_register.reset.next = self.reset.val();
        self.effect_register.reset.next = self.reset.val();
        self.hold_register.reset.next = self.reset.val();
        self.at_rest.reset.next = self.reset.val();
        self.at_hand.reset.next = self.reset.val();
        self.whole.reset.next = self.reset.val();
        self.now_access.next = self.access_register.q.val();
        self.access.next = self.access_register.q.val();
        self.loader.reset.next = self.reset.val();
        self.scrubber.reset.next = self.reset.val();
        self.sweeper.reset.next = self.reset.val() | !self.enable.val();

        // Erasing after a reset. The first rows are erased a second time at its end: frames that were under way when the reset came had the
        // use of the memories in the first clocks.
        if !self.erased.q.val() {
            self.erase_row.d.next = self.erase_row.q.val() + bits::<14>(1);
            if self.erase_row.q.val() == bits::<14>(8207) {
                self.erased.d.next = true;
            }
        }
        self.whole.d.next = self.erased.q.val() & !self.now_access.val().erase & self.drops_ready.val();
        self.tables_ready.next = self.whole.q.val();
        self.ready.next = self.tables_ready.val();

        // Frames looked up.
        self.free.next = !self.arriving.val();
        self.count_a.add.next = bit_cast::<16, 1>((self.entering.val() & !self.entering_port.val()).into());
        self.count_b.add.next = bit_cast::<16, 1>((self.entering.val() & self.entering_port.val()).into());

        // The command.
        self.check.command.next = self.current.q.val();
        self.check.sum.next = self.state.q.val() == EngineState::Sum;
        self.check.tables_ready.next = self.tables_ready.val();
        self.check.staged.next = self.staged.q.val();
        self.check.committed.next = self.batch.q.val();
        self.check.armed.next = self.armed.val();
        // Known from the clock of the check on.
        self.kinds.d.next = self.check.kind.val();
        self.kind.next = self.kinds.q.val();
        self.on_rules.next = self.kind.val().write_rule | self.kind.val().clear_rule | self.kind.val().read_rule;
        self.first_reads.next = self.kind.val().read_row
            | self.kind.val().read_rule
            | self.kind.val().corrupt
            | self.kind.val().write_rule
            | ((self.kind.val().clear_row | self.kind.val().clear_rule) & self.kind.val().pending);
        self.touches.next = self.on_rules.val()
            | self.kind.val().write_row
            | self.kind.val().clear_row
            | self.kind.val().read_row
            | self.kind.val().corrupt
            | self.kind.val().commit
            | self.kind.val().settle
            | self.kind.val().abort;
        self.committed.next = self.batch.q.val();
        self.idle.next = self.state.q.val() == EngineState::Idle;
        self.rules_active.next = (self.state.q.val() != EngineState::Idle)
            & (self.state.q.val() != EngineState::Sum)
            & self.kind.val().write_rule;

        // What is written.
        self.loader.command_key.next = self.check.key.val();
        self.loader.command_row.next = self.check.row.val();
        self.loader.command_destination.next = self.check.destination.val();
        self.loader.key_mask.next = self.check.key_mask.val();
        self.loader.found_row.next = self.found_row.q.val();
        self.loader.stage.next = false;
        self.loader.take.next = false;
        self.loader.blank.next = false;
        self.loader.sum.next = self.state.q.val() == EngineState::Parity;
        self.loader.take_marked.next = false;
        self.loader.take_corrupt.next = false;
        self.write_key.next = self.loader.key.val();
        self.write_parity.next = self.loader.key_parity.val();
        self.write_row.next = self.loader.row.val();
        self.loaded.next.parity = self.loader.rule_parity.val();
        self.loaded.next.destination = self.loader.destination.val();
        self.loaded.next.spare = bits::<7>(0);
        self.loaded.next.value = self.loader.value.val();
        self.loaded.next.mask = self.loader.key.val();
        self.write_word.next = self.loaded.val();
        self.cells_start.next = false;

        // What was read.
        self.way_bit.next = bits::<4>(1) << self.check.way.val();
        self.shown_rule.next = self.rule_word.val();
        self.flight.d.next = self.flight.q.val() << 1;
        self.back_in.next = self.flight.q.val().get_bit(4);
        if self.on_rules.val() {
            self.back_in.next = self.flight.q.val().get_bit(8);
        }

        // The scrubber, when there is nothing else to do.
        self.can_take.next = (self.state.q.val() == EngineState::Idle)
            & !self.flight.q.val().any()
            & !self.cells_busy.val()
            & !self.scrubber.busy.val();
        self.comes.next = self.command_valid.val() & self.enable.val();
        self.at_rest.d.next = self.can_take.val() & !self.comes.val() & self.tables_ready.val();
        self.scrubber.may.next = self.at_rest.q.val() & !self.comes.val() & self.free.val();
        self.at_hand.d.next = self.can_take.val() & !self.scrubber.read.val() & !self.command_take.val();
        self.scrubber.writes.next = false;
        self.scrubber.writes_table.next = self.check.table.val();
        self.scrubber.row_valid.next = self.row_valid.val();
        self.scrubber.row_damaged.next = self.row_damaged.val();
        self.scrubber.rule_damaged.next = self.rule_damaged.val();
        self.used.next = bits::<7>(0);
        if self.tables_ready.val() {
            self.used.next = self.scrubber.used.val();
        }
        self.damaged_rows.next = self.scrubber.damaged_rows.val();
        self.scrub_round.next = self.scrubber.round.val();
        self.damage.next = self.scrubber.damage.val();

        // The sweep of a batch.
        self.sweeper.start.next = false;
        self.sweeper.start_settle.next = self.kind.val().settle;
        self.sweeper.slot_free.next = self.free.val();
        self.sweeper.dirty.next = self.dirty.val();
        self.sweep.next = self.sweeper.mode.val();

        // Drop counters.
        self.drop_request.next = self.state.q.val() == EngineState::Drops;
        self.drop_clear.next = self.check.opcode.val().get_bit(0);
        self.drop_index.next = self.check.row.val().match_index;

        // The completion.
        self.effect.next = false;
        self.answer.begin.next = self.state.q.val() == EngineState::Check;
        self.answer.tag.next = self.current.q.val().get_bits::<32>(32);
        self.answer.status.next = self.check.status.val();
        self.answer.opcode.next = self.check.opcode.val();
        self.answer.now_ns.next = self.now_ns.val();
        self.answer.looked_up_a.next = self.count_a.value.val();
        self.answer.looked_up_b.next = self.count_b.value.val();
        self.answer.take_drops.next = false;
        self.answer.drop_packets.next = self.drop_packets.val();
        self.answer.drop_bytes.next = self.drop_bytes.val();
        self.answer.take_row.next = false;
        self.answer.kind.next = self.kind.val();
        self.answer.table.next = self.check.table.val();
        self.answer.way.next = self.check.way.val();
        self.answer.row_number.next = self.check.row_number.val();
        self.answer.valid.next = self.found_valid.q.val();
        self.answer.damaged.next = self.found_damaged.q.val();
        self.answer.row.next = self.found_row.q.val();
        self.answer.destination.next = self.on_rules.val() & self.shown_rule.val().destination;
        self.answer.key.next = self.shown_key.val();
        if self.on_rules.val() {
            self.answer.key.next = self.shown_rule.val().value;
            if self.check.mask.val() {
                self.answer.key.next = self.shown_rule.val().mask;
            }
        }
        self.completion_head.next = self.answer.head_line.val();
        self.completion_row.next = self.answer.row_line.val();
        self.completion_valid.next = false;
        self.answered.next = false;

        // States.
        self.command_take.next = false;
        self.reads.next = false;
        self.writes.next = false;
        self.wants_slot.next = self.state.q.val() != EngineState::Idle;
        match self.state.q.val() {
            EngineState::Idle => {
                if self.at_hand.q.val() & self.comes.val() {
                    self.command_take.next = true;
                    self.wants_slot.next = true;
                    self.current.d.next = self.command.val();
                    self.state.d.next = EngineState::Sum;
                }
            }
            EngineState::Sum => {
                self.state.d.next = EngineState::Check;
            }
            EngineState::Check => {
                self.state.d.next = EngineState::Load;
            }
            EngineState::Load => {
                self.rewrite.d.next = false;
                self.vacate.d.next = false;
                self.staged.d.next = self.kind.val().stage_rule & !self.answer.refused.val();
                if self.answer.refused.val() {
                    self.effect.next = true;
                    self.state.d.next = EngineState::Answer;
                } else if self.touches.val() {
                    self.loader.take.next = self.kind.val().write_row | self.kind.val().write_rule;
                    self.loader.blank.next = !(self.kind.val().write_row | self.kind.val().write_rule);
                    self.scrubber.writes.next = self.kind.val().write_row | self.kind.val().corrupt;
                    self.state.d.next = EngineState::Parity;
                } else if self.kind.val().drops {
                    self.state.d.next = EngineState::Drops;
                } else {
                    self.loader.stage.next = self.kind.val().stage_rule;
                    self.effect.next = true;
                    self.state.d.next = EngineState::Answer;
                }
            }
            EngineState::Parity => {
                self.state.d.next = EngineState::Slot;
                if self.kind.val().settle | self.kind.val().abort {
                    self.sweeper.start.next = true;
                    self.state.d.next = EngineState::Sweep;
                }
            }
            EngineState::Slot => {
                if self.free.val() {
                    self.effect.next = true;
                    if self.kind.val().commit {
                        self.batch.d.next = true;
                        self.state.d.next = EngineState::Answer;
                    } else if self.first_reads.val() & !self.rewrite.q.val() & !self.vacate.q.val() {
                        self.reads.next = true;
                        self.flight.d.next = bits::<9>(1);
                        self.state.d.next = EngineState::Wait;
                    } else {
                        self.writes.next = true;
                        self.state.d.next = EngineState::Answer;
                        if self.on_rules.val() {
                            self.flight.d.next = bits::<9>(1);
                            self.state.d.next = EngineState::Drain;
                        }
                    }
                }
            }
            EngineState::Wait => {
                if self.back_in.val() {
                    self.found_row.d.next = self.shown_row.val();
                    self.found_valid.d.next = (self.row_valid.val() & self.way_bit.val()).any();
                    self.found_damaged.d.next = (self.row_damaged.val() & self.way_bit.val()).any();
                    if self.on_rules.val() {
                        self.found_row.d.next = self.rule_row.val();
                        self.found_valid.d.next = (self.rule_valid.val() & self.way_bit.val()).any();
                        self.found_damaged.d.next = (self.rule_damaged.val() & self.way_bit.val()).any();
                    }
                    self.found_same.d.next = (self.shown_rule.val().value == self.loader.value.val())
                        & (self.shown_rule.val().mask == self.loader.key.val())
                        & (self.shown_rule.val().destination == self.loader.destination.val());
                    self.state.d.next = EngineState::Judge;
                }
            }
            EngineState::Judge => {
                self.state.d.next = EngineState::Answer;
                if self.kind.val().read_row | self.kind.val().read_rule {
                    self.answer.take_row.next = true;
                } else if self.kind.val().write_rule {
                    self.state.d.next = EngineState::Slot;
                    if self.found_valid.q.val() & !self.found_damaged.q.val() & self.found_same.q.val() {
                        self.rewrite.d.next = true;
                    } else {
                        self.vacate.d.next = true;
                    }
                } else if self.kind.val().corrupt {
                    if !self.found_damaged.q.val() {
                        self.loader.take_corrupt.next = true;
                        self.rewrite.d.next = true;
                        self.state.d.next = EngineState::Slot;
                    }
                } else if self.found_valid.q.val() & !self.found_damaged.q.val() {
                    self.loader.take_marked.next = true;
                    self.rewrite.d.next = true;
                    self.state.d.next = EngineState::Slot;
                }
            }
            EngineState::Drain => {
                if self.flight.q.val().get_bit(8) {
                    self.state.d.next = EngineState::Answer;
                    if self.vacate.q.val() {
                        self.cells_start.next = true;
                        self.state.d.next = EngineState::Cells;
                    }
                }
            }
            EngineState::Cells => {
                self.vacate.d.next = false;
                self.rewrite.d.next = true;
                if !self.cells_busy.val() {
                    self.state.d.next = EngineState::Slot;
                }
            }
            EngineState::Sweep => {
                if self.sweeper.finished.val() {
                    self.effect.next = true;
                    self.batch.d.next = false;
                    self.state.d.next = EngineState::Answer;
                }
            }
            EngineState::Drops => {
                if self.drop_done.val() {
                    self.effect.next = true;
                    self.answer.take_drops.next = true;
                    self.state.d.next = EngineState::Answer;
                }
            }
            EngineState::Answer => {
                // What the command's effect adds to the completion stands in it one clock behind the effect.
                self.completion_valid.next = !self.effect_register.q.val();
                if self.completion_take.val() & !self.effect_register.q.val() {
                    self.answered.next = true;
                    self.state.d.next = EngineState::Idle;
                }
            }
        }
        if !self.enable.val() {
            self.state.d.next = EngineState::Idle;
        }
        self.effect_register.d.next = self.effect.val();
        self.answer.effect.next = self.effect_register.q.val();

        // One slot in 16.
        self.hold_register.d.next = false;
        self.hold.next = self.hold_register.q.val();
        if !self.hold_timer.q.val().all() {
            self.hold_timer.d.next = self.hold_timer.q.val() + bits::<4>(1);
        } else if self.wants_slot.val() {
            self.hold_register.d.next = true;
            self.hold_timer.d.next = bits::<4>(0);
        }

        // The access. One of erasing, scrubber, sweep and command at a time.
        self.next_access.next.read = self.reads.val();
        self.next_access.next.write = self.writes.val();
        self.next_access.next.write_key = self.kind.val().write_row
            | self.kind.val().write_rule
            | ((self.kind.val().clear_row | self.kind.val().clear_rule) & !self.kind.val().pending);
        self.next_access.next.blank = self.vacate.q.val();
        self.next_access.next.back = false;
        self.next_access.next.erase = false;
        self.next_access.next.every = false;
        self.next_access.next.rules = self.on_rules.val();
        self.next_access.next.table = self.check.table.val();
        self.next_access.next.way = self.check.way.val();
        self.next_access.next.row = self.check.row_number.val();
        if !self.erased.q.val() {
            self.next_access.next.erase = true;
            self.next_access.next.row = self.erase_row.q.val().get_bits::<13>(0);
        } else if self.scrubber.read.val() | self.scrubber.busy.val() {
            self.next_access.next.read = self.scrubber.read.val();
            self.next_access.next.every = self.scrubber.rules.val();
            self.next_access.next.rules = self.scrubber.rules.val();
            self.next_access.next.table = self.scrubber.table.val();
            self.next_access.next.row = self.scrubber.row.val();
        } else if self.state.q.val() == EngineState::Sweep {
            self.next_access.next.read = self.sweeper.read.val();
            self.next_access.next.back = self.sweeper.back.val();
            self.next_access.next.every = true;
            self.next_access.next.rules = self.sweeper.rules.val();
            self.next_access.next.row = self.sweeper.row.val();
        }
        self.access_register.d.next = self.next_access.val();
    }
}
