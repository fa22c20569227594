//! What the lookup path has to do, in lists.

use crate::card::{Card, Event, Hit, Verdict};
use crate::frames::{Frame, Random};
use std::collections::BTreeMap;
use writ_abi::command::{Command, Completion, Opcode, RowState, Status, flags};
use writ_abi::{Lookup, PortSide, Table, hash, limits};
use zerocopy::{FromZeros, IntoBytes, little_endian::U32};

/// A row or rule. For a rule `key` is the mask.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    valid: bool,
    damaged: bool,
    pending: bool,
    clear: bool,
    destination: bool,
    key: [u8; 38],
    value: [u8; 38],
    content: (u32, u8, u8),
    not_after: u64,
}

const EMPTY: Stored = Stored {
    valid: false,
    damaged: false,
    pending: false,
    clear: false,
    destination: false,
    key: [0; 38],
    value: [0; 38],
    content: (0, 0, 0),
    not_after: 0,
};

impl Stored {
    fn of(command: &Command) -> Self {
        let mut key = command.key;
        if command.opcode == Opcode::WriteRow as u8 {
            let bytes = Table::from_bits(command.table).expect("checked").key_bytes();
            key[bytes..].fill(0);
        }
        Self {
            valid: true,
            damaged: false,
            pending: command.flags & flags::PENDING != 0,
            clear: false,
            destination: false,
            key,
            value: [0; 38],
            content: (command.match_index_bits(), command.scope, command.flags & flags::RING_MASK),
            not_after: command.not_after_ticks(),
        }
    }

    fn visible(&self, committed: bool) -> bool {
        let (come, gone) = (committed || !self.pending, committed && self.clear);
        self.valid && come && !gone
    }

    /// What a hit takes from it; rules differ in the destination too.
    fn differs(&self, other: &Self) -> bool {
        (self.content, self.not_after, self.destination) != (other.content, other.not_after, other.destination)
    }

    fn settle(&mut self) {
        if self.damaged || !self.valid {
            return;
        }
        self.pending = false;
        if self.clear {
            *self = EMPTY;
        }
    }

    fn abort(&mut self) {
        if self.damaged || !self.valid {
            return;
        }
        self.clear = false;
        if self.pending {
            *self = EMPTY;
        }
    }
}

/// What an answer says besides status and counts.
#[derive(Debug, PartialEq, Eq)]
struct Answered {
    status: Status,
    state: RowState,
    row: Vec<u8>,
    drops: (u64, u64),
}

/// Tables and banks as lists.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reference {
    rows: BTreeMap<(u8, u8, u32), Stored>,
    rules: BTreeMap<(u8, u32), Stored>,
    staged: Option<[u8; 38]>,
    committed: bool,
}

impl Reference {
    fn look_up(&self, frame: &Frame, armed: bool, floor: u64, prefix_bits: u8) -> Verdict {
        let mut verdict = Verdict { stamp: frame.stamp, ..Verdict::default() };
        let tick = (frame.stamp >> 20).max(floor);
        let mut hits: Vec<Hit> = Vec::new();
        for slot in 0..limits::HITS_MAX {
            let (read, more) = match slot.checked_sub(17) {
                None => (self.rows_of(frame, Lookup::ALL[slot], prefix_bits), false),
                Some(bank) => self.rules_of(frame, bank as u8),
            };
            verdict.damaged += u32::from(read.iter().any(|(row, _)| row.damaged));
            let matching: Vec<_> = read
                .iter()
                .filter(|(row, equal)| !row.damaged && *equal && row.visible(self.committed))
                .map(|(row, _)| *row)
                .collect();
            let live: Vec<_> = matching.iter().filter(|row| tick < row.not_after).collect();
            verdict.expired += u32::from(live.is_empty() && !matching.is_empty());
            verdict.multi += u32::from(more || live.iter().any(|row| row.differs(live[0])));
            if let Some(row) = live.first() {
                hits.push((slot, row.content.0, row.content.1, row.content.2, row.destination));
            }
        }
        if !armed {
            return Verdict { stamp: frame.stamp, ..Verdict::default() };
        }
        if frame.quality == 0 {
            verdict.suppressed = !hits.is_empty();
        } else {
            verdict.hits = hits;
        }
        verdict
    }

    /// Rows that a lookup reads, and whether each has the key.
    fn rows_of(&self, frame: &Frame, lookup: Lookup, prefix_bits: u8) -> Vec<(&Stored, bool)> {
        let Some((table, key)) = frame.key(lookup, prefix_bits) else { return Vec::new() };
        let places = hash::rows(&key, table.rows_per_way());
        let rows = (0..4_u8).zip(places).filter_map(|(way, row)| self.rows.get(&(table as u8, way, row)));
        rows.map(|row| (row, row.key[..key.len()] == key[..])).collect()
    }

    /// Rules that a lookup reads, and whether there were more.
    fn rules_of(&self, frame: &Frame, bank: u8) -> (Vec<(&Stored, bool)>, bool) {
        let Some(key) = frame.rule_key() else { return (Vec::new(), false) };
        let fits = |rule: &Stored| (0..38).all(|i| (key[i] ^ rule.value[i]) & rule.key[i] == 0);
        let rules = self.rules.range((bank, 0)..(bank + 1, 0)).map(|(_, rule)| rule);
        let all: Vec<_> =
            rules.filter(|rule| rule.visible(self.committed) && fits(rule)).map(|rule| (rule, true)).collect();
        let more = all.len() > 2;
        (all.into_iter().take(2).collect(), more)
    }

    fn execute(&mut self, command: &Command, armed: bool) -> Answered {
        let status = self.status(command, armed);
        let staged = self.staged.take();
        let mut answered = Answered { status, state: RowState::Invalid, row: vec![0; 64], drops: (0, 0) };
        if status != Status::Done {
            return answered;
        }
        let opcode = Opcode::from_bits(command.opcode).expect("checked");
        let row_place = (command.table, command.way, command.row.get());
        let rule_place = (command.way, command.row.get());
        let pending = command.flags & flags::PENDING != 0;
        match opcode {
            Opcode::Nop => {}
            Opcode::WriteRow => {
                self.rows.insert(row_place, Stored::of(command));
            }
            Opcode::WriteRule => {
                let destination = command.flags & flags::DESTINATION != 0;
                let value = staged.expect("checked");
                self.rules.insert(rule_place, Stored { value, destination, ..Stored::of(command) });
            }
            Opcode::ClearRow if pending => mark(self.rows.get_mut(&row_place)),
            Opcode::ClearRule if pending => mark(self.rules.get_mut(&rule_place)),
            Opcode::ClearRow => {
                self.rows.remove(&row_place);
            }
            Opcode::ClearRule => {
                self.rules.remove(&rule_place);
            }
            Opcode::ReadRow => read(command, self.rows.get(&row_place), &mut answered),
            Opcode::ReadRule => read(command, self.rules.get(&rule_place), &mut answered),
            Opcode::ReadDrops | Opcode::ClearDrops => answered.drops = (11, 1_234),
            Opcode::StageRule => self.staged = Some(command.key),
            Opcode::Commit => self.committed = true,
            Opcode::Settle => {
                self.committed = false;
                self.rows.values_mut().chain(self.rules.values_mut()).for_each(Stored::settle);
            }
            Opcode::Abort => self.rows.values_mut().chain(self.rules.values_mut()).for_each(Stored::abort),
            Opcode::CorruptRow => self.rows.entry(row_place).or_insert(EMPTY).damaged = true,
        }
        answered
    }

    /// The state while `command` is executed, if it writes a rule into the place of another one.
    fn vacated_by(&self, command: &Command, armed: bool) -> Option<Self> {
        let writes = self.status(command, armed) == Status::Done && command.opcode == Opcode::WriteRule as u8;
        let place = (command.way, command.row.get());
        let old = self.rules.get(&place).filter(|old| writes && old.valid)?;
        let destination = command.flags & flags::DESTINATION != 0;
        if Some(old.value) == self.staged && old.key == command.key && old.destination == destination {
            return None;
        }
        let mut without = self.clone();
        without.rules.remove(&place);
        Some(without)
    }

    fn status(&self, command: &Command, armed: bool) -> Status {
        let opcode = match command.check() {
            Ok(opcode) => opcode,
            Err(status) => return status,
        };
        let changes = matches!(opcode, Opcode::WriteRow | Opcode::ClearRow | Opcode::WriteRule | Opcode::ClearRule);
        let bad = match opcode {
            Opcode::WriteRule if self.staged.is_none() => true,
            Opcode::Commit | Opcode::Abort => self.committed,
            Opcode::Settle => !self.committed,
            Opcode::CorruptRow => armed,
            _ => changes && command.flags & flags::PENDING != 0 && self.committed,
        };
        if bad { Status::BadState } else { Status::Done }
    }
}

fn mark(place: Option<&mut Stored>) {
    if let Some(stored) = place.filter(|stored| stored.valid && !stored.damaged) {
        stored.clear = true;
    }
}

fn read(command: &Command, stored: Option<&Stored>, answered: &mut Answered) {
    let Some(stored) = stored else { return };
    if stored.damaged {
        answered.state = RowState::Damaged;
    } else if stored.valid {
        answered.state = RowState::Valid;
        let rule = command.opcode == Opcode::ReadRule as u8;
        let mut row = Command::new_zeroed();
        row.table = if rule { 0 } else { command.table };
        row.way = command.way;
        row.row = command.row;
        row.scope = stored.content.1;
        row.match_index.copy_from_slice(&stored.content.0.to_le_bytes()[..3]);
        row.not_after.copy_from_slice(&stored.not_after.to_le_bytes()[..6]);
        row.key = if rule && command.flags & flags::MASK == 0 { stored.value } else { stored.key };
        row.flags = stored.content.2
            | if stored.pending { flags::PENDING } else { 0 }
            | if stored.clear { flags::PENDING_CLEAR } else { 0 }
            | if stored.destination { flags::DESTINATION } else { 0 };
        row.crc32c = U32::new(0);
        answered.row = row.as_bytes().to_vec();
    }
}

/// A card and its reference, and what was given to both since the last comparison.
pub(crate) struct Pair {
    pub(crate) card: Card,
    pub(crate) reference: Reference,
    frames: Vec<Frame>,
    commands: Vec<Command>,
    looked_up: [u64; 2],
    armed: bool,
    floor: u64,
    prefix_bits: u8,
    noise: Random,
}

impl Pair {
    /// An armed card with swept tables, or `None` without Verilator.
    pub(crate) fn armed() -> Option<Self> {
        Some(Self {
            card: Card::armed()?,
            reference: Reference::default(),
            frames: Vec::new(),
            commands: Vec::new(),
            looked_up: [0; 2],
            armed: true,
            floor: 0,
            prefix_bits: 0,
            noise: Random(99),
        })
    }

    pub(crate) fn frame(&mut self, frame: &Frame) {
        self.card.frame(&frame.parsed(&mut self.noise));
        self.frames.push(frame.clone());
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.card.command(&command);
        self.commands.push(command);
    }

    /// Changes the inputs, when nothing is under way.
    pub(crate) fn set(&mut self, armed: bool, floor: u64, prefix_bits: u8) {
        assert!(self.frames.is_empty() && self.commands.is_empty());
        self.card.set(armed, floor, prefix_bits);
        self.card.idle(4);
        (self.armed, self.floor, self.prefix_bits) = (armed, floor, prefix_bits);
    }

    /// Compares all that happened, in the order that the completions give. Returns verdicts and completions.
    pub(crate) fn finish(&mut self) -> (Vec<Verdict>, Vec<Completion>) {
        let (mut armed, mut verdicts, mut completions) = (Vec::new(), Vec::new(), Vec::new());
        for event in self.card.finish() {
            match event {
                Event::Entered { armed: now } => armed.push(now),
                Event::Verdict(verdict) => verdicts.push(verdict),
                Event::Completed(completion) => completions.push(*completion),
            }
        }
        let (frames, commands) = (std::mem::take(&mut self.frames), std::mem::take(&mut self.commands));
        assert_eq!((armed.len(), verdicts.len()), (frames.len(), frames.len()), "frames in, verdicts out");
        assert_eq!(commands.len(), completions.len(), "commands, completions");
        let before = self.looked_up.iter().sum::<u64>();
        let mut next = 0;
        for (command, completion) in commands.iter().zip(&completions) {
            let counts = completion.frames_looked_up.map(|count| count.get());
            let until = (counts.iter().sum::<u64>() - before) as usize;
            let vacated = self.reference.vacated_by(command, self.armed);
            self.compare(&frames[next..until], &verdicts[next..until], &armed[next..until], vacated);
            next = until;
            assert_eq!(counts, self.looked_up, "counts of a completion");
            let expected = self.reference.execute(command, self.armed);
            let got = Answered {
                status: Status::from_bits(completion.status).expect("a status"),
                state: RowState::from_bits(completion.row_state).expect("a state"),
                row: completion.row.as_bytes().to_vec(),
                drops: (completion.drop_packets.get(), completion.drop_bytes.get()),
            };
            assert_eq!(got, expected, "{command:?}");
            assert_eq!((completion.tag.get(), completion.opcode), (command.tag.get(), command.opcode));
            assert_eq!((completion.reserved, completion.reserved2), (0, [0; 16]));
        }
        self.compare(&frames[next..], &verdicts[next..], &armed[next..], None);
        (verdicts, completions)
    }

    /// `vacated`: what holds from some frame on, because a rule is absent while another one is written into its place.
    fn compare(&mut self, frames: &[Frame], verdicts: &[Verdict], armed: &[bool], mut vacated: Option<Reference>) {
        for ((frame, got), &armed) in frames.iter().zip(verdicts).zip(armed) {
            let mut expected = self.reference.look_up(frame, armed, self.floor, self.prefix_bits);
            if let Some(without) = vacated.take_if(|_| *got != expected) {
                expected = without.look_up(frame, armed, self.floor, self.prefix_bits);
                self.reference = without;
            }
            assert_eq!(got, &expected, "{frame:?}");
            self.looked_up[usize::from(frame.port == PortSide::B)] += 1;
        }
    }
}
