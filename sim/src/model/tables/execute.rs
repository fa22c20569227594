//! What commands do to tables, rules and the open batch.

use super::{CardState, Drops, Executed, Marks, Place, RulePlace, Tables};
use writ_abi::command::{Command, Opcode, Row, RowState, Rule, Status, flags};
use writ_abi::{MatchIndex, Scope, Table, key};
use zerocopy::{FromZeros, little_endian::U32};

impl Tables {
    /// Executes a command. `Settle` and `Abort` are done at once: their sweep changes no lookup's result.
    pub fn execute(&mut self, command: &Command, card: CardState) -> Executed {
        let mut done = Executed {
            status: Status::Done,
            row_state: RowState::Invalid,
            row: Command::new_zeroed(),
            drops: Drops::default(),
        };
        let staged = self.staged.take();
        match self.check(command, card, staged.is_some()) {
            Ok(opcode) => self.carry_out(opcode, command, staged, &mut done),
            Err(status) => done.status = status,
        }
        done
    }

    /// Whether a command is one that takes the time of a sweep.
    pub fn takes_a_sweep(&self, command: &Command, card: CardState) -> bool {
        matches!(self.check(command, card, false), Ok(Opcode::Settle | Opcode::Abort))
    }

    fn check(&self, command: &Command, card: CardState, is_staged: bool) -> Result<Opcode, Status> {
        let opcode = command.check()?;
        if !card.tables_ready && opcode != Opcode::Nop {
            return Err(Status::NotReady);
        }
        let is_pending = command.flags & flags::PENDING != 0;
        let fits = match opcode {
            Opcode::WriteRow | Opcode::ClearRow | Opcode::ClearRule => !(is_pending && self.committed),
            Opcode::WriteRule => is_staged && !(is_pending && self.committed),
            Opcode::Commit | Opcode::Abort => !self.committed,
            Opcode::Settle => self.committed,
            Opcode::CorruptRow => !card.armed,
            Opcode::Nop | Opcode::ReadRow | Opcode::ReadRule | Opcode::StageRule => true,
            Opcode::ReadDrops | Opcode::ClearDrops => true,
        };
        if fits { Ok(opcode) } else { Err(Status::BadState) }
    }

    fn carry_out(
        &mut self,
        opcode: Opcode,
        command: &Command,
        staged: Option<[u8; key::KEY_BYTES_MAX]>,
        done: &mut Executed,
    ) {
        let pending = command.flags & flags::PENDING != 0;
        let marks = Marks { pending, pending_clear: false };
        match opcode {
            Opcode::Nop => {}
            Opcode::WriteRow => {
                let key_bytes = Table::from_bits(command.table).map_or(0, Table::key_bytes);
                if let (Some(row), Some(place)) = (content(command, key_bytes), self.place(command)) {
                    *place = Place::Taken(row, marks);
                }
            }
            Opcode::ClearRow => match self.place(command) {
                Some(Place::Taken(_, marks)) if pending => marks.pending_clear = true,
                Some(place) if !pending => *place = Place::Empty,
                _ => {}
            },
            Opcode::CorruptRow => {
                if let Some(place) = self.place(command) {
                    *place = Place::Damaged;
                }
            }
            Opcode::ReadRow => self.read_row(command, done),
            Opcode::StageRule => self.staged = Some(command.key),
            Opcode::WriteRule => {
                let destination = command.flags & flags::DESTINATION != 0;
                let rule = content(command, key::KEY_BYTES_MAX).zip(staged).map(|(row, value)| Rule {
                    row,
                    value,
                    destination,
                });
                if let (Some(rule), Some(place)) = (rule, self.rule_place(command)) {
                    *place = Some((rule, marks));
                }
            }
            Opcode::ClearRule => match self.rule_place(command) {
                Some(Some((_, marks))) if pending => marks.pending_clear = true,
                Some(place) if !pending => *place = None,
                _ => {}
            },
            Opcode::ReadRule => self.read_rule(command, done),
            Opcode::Commit => self.committed = true,
            Opcode::Settle => {
                self.sweep(|marks| !marks.pending_clear);
                self.committed = false;
            }
            Opcode::Abort => self.sweep(|marks| !marks.pending),
            Opcode::ReadDrops | Opcode::ClearDrops => {
                if let Some(drops) = self.drops.get_mut(command.match_index_bits() as usize) {
                    done.drops = *drops;
                    if opcode == Opcode::ClearDrops {
                        *drops = Drops::default();
                    }
                }
            }
        }
    }

    /// Takes all marks away. Of the rows and rules that had one, only those stay for which `stays` holds; damaged ones keep as they are.
    fn sweep(&mut self, stays: impl Fn(Marks) -> bool) {
        for place in self.rows.iter_mut().flatten().flatten() {
            if let Place::Taken(row, marks) = *place {
                *place = if stays(marks) { Place::Taken(row, Marks::default()) } else { Place::Empty };
            }
        }
        for place in self.rules.iter_mut().flatten() {
            *place = place.filter(|(_, marks)| stays(*marks)).map(|(rule, _)| (rule, Marks::default()));
        }
    }

    /// Where a checked row command points.
    fn place(&mut self, command: &Command) -> Option<&mut Place> {
        let table = Table::from_bits(command.table)?;
        self.rows[table as usize].get_mut(usize::from(command.way))?.get_mut(command.row.get() as usize)
    }

    /// Where a checked rule command points.
    fn rule_place(&mut self, command: &Command) -> Option<&mut RulePlace> {
        self.rules.get_mut(usize::from(command.way))?.get_mut(command.row.get() as usize)
    }

    fn read_row(&mut self, command: &Command, done: &mut Executed) {
        match self.place(command).copied() {
            Some(Place::Taken(row, marks)) => {
                let table = Table::from_bits(command.table).unwrap_or(Table::Address);
                let write = Command::write_row(0, table, command.way, command.row.get(), &row);
                (done.row_state, done.row) = (RowState::Valid, as_read(write, marks));
            }
            Some(Place::Damaged) => done.row_state = RowState::Damaged,
            Some(Place::Empty) | None => {}
        }
    }

    fn read_rule(&mut self, command: &Command, done: &mut Executed) {
        if let Some((rule, marks)) = self.rule_place(command).copied().flatten() {
            let mut write = Command::write_rule(0, command.way, command.row.get(), &rule);
            if command.flags & flags::MASK == 0 {
                write.key = rule.value;
            }
            (done.row_state, done.row) = (RowState::Valid, as_read(write, marks));
        }
    }
}

/// What a checked write puts into its row. Bytes behind the table's key are not kept.
fn content(command: &Command, key_bytes: usize) -> Option<Row> {
    let mut row = Row {
        key: [0; key::KEY_BYTES_MAX],
        match_index: MatchIndex::new(command.match_index_bits())?,
        scope: Scope::from_bits(command.scope)?,
        not_after: command.not_after_ticks(),
        ring: command.flags & flags::RING_MASK,
    };
    row.key[..key_bytes].copy_from_slice(&command.key[..key_bytes]);
    Some(row)
}

/// A row as a completion shows it: the command that would write it, with tag, CRC and opcode zero and its marks.
fn as_read(mut write: Command, marks: Marks) -> Command {
    write.opcode = 0;
    write.crc32c = U32::ZERO;
    write.flags |= if marks.pending { flags::PENDING } else { 0 };
    write.flags |= if marks.pending_clear { flags::PENDING_CLEAR } else { 0 };
    write
}
