//! Table commands to the card, and their completions.

use crate::memory::Region;
use crate::{Bar, Irq, Wake};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use writ_abi::command::{Command, Completion, Opcode, RowState, Rule, Status};
use writ_abi::registers::{identity, rings};
use zerocopy::little_endian::U32;

/// Where the channel keeps, in the region of the completion index, how many completions were taken.
const CURSOR_LINE: usize = 1;

/// The command ring and its completion ring.
///
/// Commands are executed in the order of their submission and complete in that order. The channel numbers them by itself: the tag
/// of a command is replaced by the channel's running number, so that a completion can belong to one command only.
///
/// After [`CommandError::Tag`], [`CommandError::Timeout`], [`CommandError::Producer`] or [`CommandError::Gone`] nobody knows what the tables
/// hold: the channel refuses everything from then on with [`CommandError::Broken`], and the card has to be brought up anew.
///
/// A command that the card could not read over the bus (time-out, poison, unsupported request) is refused with [`Status::BadCrc`], like one that was damaged: it
/// did nothing and can be submitted again.
pub struct CommandChannel {
    bar: Arc<dyn Bar>,
    commands: Region,
    completions: Region,
    index: Region,
    irq: Box<dyn Irq>,
    /// Commands written so far.
    produced: u32,
    /// Completions read so far.
    completed: u32,
    /// Opcodes of outstanding commands, oldest first; tags are the numbers from `completed` on.
    outstanding: VecDeque<u8>,
    broken: bool,
}

/// A completion that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completed {
    /// How the command ended.
    pub status: Status,
    /// What a `ReadRow` or `ReadRule` found; [`RowState::Invalid`] for other commands.
    pub row_state: RowState,
    /// As the card wrote it.
    pub completion: Completion,
}

/// What went wrong with commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandError {
    /// More commands than the rings can hold at a time. The caller is at fault; nothing was submitted.
    TooMany {
        /// Commands given.
        given: usize,
        /// Commands that have room now.
        room: usize,
    },
    /// The card refused a command; those before it were done, and those behind it were executed as well.
    Refused {
        /// Which of the given commands, from 0.
        position: usize,
        /// Its opcode.
        opcode: u8,
        /// The card's reason.
        status: Status,
    },
    /// A completion's tag or opcode is not that of the oldest outstanding command. The card is at fault.
    Tag {
        /// Tag of the oldest outstanding command.
        expected: u32,
        /// Tag of the completion.
        found: u32,
    },
    /// A completion's status has no meaning in this ABI. The card is at fault.
    UnknownStatus {
        /// Tag of the command.
        tag: u32,
        /// The status.
        status: u8,
    },
    /// A completion's row state has no meaning in this ABI. The card is at fault.
    UnknownRowState {
        /// Tag of the command.
        tag: u32,
        /// The state.
        state: u8,
    },
    /// The card claims more completions than there are commands. The card is at fault.
    Producer {
        /// Completions read so far.
        completed: u32,
        /// Commands outstanding.
        outstanding: usize,
        /// The card's completion index.
        found: u32,
    },
    /// Not all commands completed in time.
    Timeout {
        /// How long was waited.
        waited: Duration,
        /// Commands still outstanding.
        outstanding: usize,
    },
    /// The card does not answer.
    Gone,
    /// An earlier error made the channel unusable; bring the card up anew.
    Broken,
}

impl std::fmt::Display for CommandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooMany { given, room } => write!(f, "{given} commands given, the rings have room for {room}"),
            Self::Refused { position, opcode, status } => {
                write!(f, "card refused command {position} (opcode {opcode}): {status:?}")
            }
            Self::Tag { expected, found } => {
                write!(f, "card completed command {found}, command {expected} is the oldest outstanding one")
            }
            Self::UnknownStatus { tag, status } => {
                write!(f, "card completed command {tag} with unknown status {status}")
            }
            Self::UnknownRowState { tag, state } => {
                write!(f, "card completed command {tag} with unknown row state {state}")
            }
            Self::Producer { completed, outstanding, found } => write!(
                f,
                "card's completion index is {found}; {completed} completions were read and {outstanding} commands are outstanding"
            ),
            Self::Timeout { waited, outstanding } => {
                write!(f, "{outstanding} commands not completed after {} ms", waited.as_millis())
            }
            Self::Gone => write!(f, "card is gone"),
            Self::Broken => write!(f, "command channel is broken; the card has to be brought up anew"),
        }
    }
}

impl std::error::Error for CommandError {}

impl CommandChannel {
    pub(crate) fn new(
        bar: Arc<dyn Bar>,
        commands: Region,
        completions: Region,
        index: Region,
        irq: Box<dyn Irq>,
    ) -> Self {
        let outstanding = VecDeque::with_capacity(commands.lines());
        Self { bar, commands, completions, index, irq, produced: 0, completed: 0, outstanding, broken: false }
    }

    /// Goes on where the channel before stopped: `produced` is what the card was told. Nothing has been taken yet; [`CommandChannel::take_left`] is
    /// next.
    ///
    /// # Errors
    /// The indices, if they cannot be those of this channel: commands taken, commands told, and the card's completion index.
    pub(crate) fn adopt(&mut self, produced: u32) -> Result<(), [u32; 3]> {
        let [completed, _] = self.index.load_pair(CURSOR_LINE);
        let done = self.index.load_index(0);
        let left = produced.wrapping_sub(completed) as usize;
        if left > self.capacity() || done.wrapping_sub(completed) as usize > left {
            return Err([completed, produced, done]);
        }
        (self.produced, self.completed) = (produced, completed);
        self.outstanding = (0..left).map(|ahead| self.command(completed.wrapping_add(ahead as u32)).opcode).collect();
        Ok(())
    }

    /// Waits for the commands of the channel before, and takes what of their completions was not taken.
    pub(crate) fn take_left(&mut self, timeout: Duration) -> Result<Vec<(Command, Completed)>, CommandError> {
        let first = self.completed;
        let mut completed = Vec::with_capacity(self.outstanding.len());
        if !self.outstanding.is_empty() {
            self.wait_all(timeout, &mut completed)?;
        }
        let number = |ahead: usize| first.wrapping_add(ahead as u32);
        Ok(completed.into_iter().enumerate().map(|(ahead, done)| (self.command(number(ahead)), done)).collect())
    }

    /// The command as it stands in the ring.
    fn command(&self, number: u32) -> Command {
        let line = self.commands.read_line(number as usize % self.capacity());
        zerocopy::transmute!(line)
    }

    pub(crate) fn into_memory(self) -> (Region, Region, Region) {
        (self.commands, self.completions, self.index)
    }

    /// The most commands that can be outstanding.
    pub fn capacity(&self) -> usize {
        self.commands.lines()
    }

    /// Commands submitted and not completed yet.
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// Whether an earlier error made the channel unusable.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Submits commands without waiting, all or none. They are numbered and sealed anew.
    ///
    /// # Errors
    /// [`CommandError::TooMany`], [`CommandError::Broken`].
    pub fn submit(&mut self, commands: &[Command]) -> Result<(), CommandError> {
        self.submit_each(commands, |command, tag| {
            let mut command = *command;
            command.tag = U32::new(tag);
            command.seal()
        })
    }

    /// The tag that the next command will get.
    pub fn next_tag(&self) -> u32 {
        self.produced
    }

    /// Submits a command as it is but for its tag, which is replaced without sealing anew. It is how the card's checks are tested:
    /// a card returns the tag even of a command that it refuses.
    ///
    /// # Errors
    /// As [`CommandChannel::submit`].
    pub fn submit_unsealed(&mut self, command: &Command) -> Result<(), CommandError> {
        self.submit_each(std::slice::from_ref(command), |command, tag| {
            let mut command = *command;
            command.tag = U32::new(tag);
            command
        })
    }

    fn submit_each(
        &mut self,
        commands: &[Command],
        prepare: impl Fn(&Command, u32) -> Command,
    ) -> Result<(), CommandError> {
        if self.broken {
            return Err(CommandError::Broken);
        }
        let room = self.capacity() - self.outstanding.len();
        if commands.len() > room {
            return Err(CommandError::TooMany { given: commands.len(), room });
        }
        if commands.is_empty() {
            return Ok(());
        }
        for command in commands {
            let command = prepare(command, self.produced);
            let line: [u8; 64] = zerocopy::transmute!(command);
            self.commands.write_line(self.produced as usize % self.capacity(), &line);
            self.outstanding.push_back(command.opcode);
            self.produced = self.produced.wrapping_add(1);
        }
        self.bar.write32(rings::COMMAND_PRODUCER_AT, self.produced);
        Ok(())
    }

    /// Takes the completions that are there, in order, without waiting, and says how many.
    ///
    /// # Errors
    /// Those of a card that does not keep to the ABI; see [`CommandChannel`].
    pub fn poll(&mut self, completed: &mut Vec<Completed>) -> Result<usize, CommandError> {
        if self.broken {
            return Err(CommandError::Broken);
        }
        self.take(completed).inspect_err(|_| self.broken = true)
    }

    fn take(&mut self, completed: &mut Vec<Completed>) -> Result<usize, CommandError> {
        let found = self.index.load_index(0);
        let ready = found.wrapping_sub(self.completed) as usize;
        if ready > self.outstanding.len() {
            return Err(CommandError::Producer {
                completed: self.completed,
                outstanding: self.outstanding.len(),
                found,
            });
        }
        for _ in 0..ready {
            completed.push(self.take_one()?);
        }
        Ok(ready)
    }

    fn take_one(&mut self) -> Result<Completed, CommandError> {
        let slot = self.completed as usize % self.capacity();
        let lines = [self.completions.read_line(2 * slot), self.completions.read_line(2 * slot + 1)];
        let completion: Completion = zerocopy::transmute!(lines);
        let (expected, found) = (self.completed, completion.tag.get());
        // A command whose line the bus did not deliver: the card has a line of all ones in its place, and did nothing.
        let is_unread = found == u32::MAX && completion.opcode == u8::MAX && completion.status == Status::BadCrc as u8;
        if !is_unread && (found != expected || self.outstanding.front() != Some(&completion.opcode)) {
            return Err(CommandError::Tag { expected, found });
        }
        let status = Status::from_bits(completion.status)
            .ok_or(CommandError::UnknownStatus { tag: found, status: completion.status })?;
        let row_state = RowState::from_bits(completion.row_state)
            .ok_or(CommandError::UnknownRowState { tag: found, state: completion.row_state })?;
        self.outstanding.pop_front();
        self.completed = self.completed.wrapping_add(1);
        self.index.store_pair(CURSOR_LINE, [self.completed, 0]);
        Ok(Completed { status, row_state, completion })
    }

    /// Waits until no command is outstanding and takes the completions.
    ///
    /// # Errors
    /// [`CommandError::Timeout`], [`CommandError::Gone`], or those of a card that does not keep to the ABI; completions that came
    /// before the error are in `completed`.
    pub fn wait_all(&mut self, timeout: Duration, completed: &mut Vec<Completed>) -> Result<(), CommandError> {
        let start = Instant::now();
        loop {
            self.poll(completed)?;
            if self.outstanding.is_empty() {
                return Ok(());
            }
            let waited = start.elapsed();
            if waited >= timeout {
                return self.fail_waiting(waited);
            }
            if self.irq.wait(timeout - waited) == Wake::Gone {
                // What the card wrote before it went is lost with it: tables and arming are gone too.
                self.broken = true;
                return Err(CommandError::Gone);
            }
        }
    }

    fn fail_waiting(&mut self, waited: Duration) -> Result<(), CommandError> {
        self.broken = true;
        if self.bar.read32(identity::MAGIC_AT) != writ_abi::MAGIC {
            return Err(CommandError::Gone);
        }
        Err(CommandError::Timeout { waited, outstanding: self.outstanding.len() })
    }

    /// Executes commands one after the other, however many, and waits for all of them. One completion each, in order, every
    /// one [`Status::Done`].
    ///
    /// `timeout` is for as many commands as the rings hold; a longer list gets it once for each such batch.
    ///
    /// # Errors
    /// [`CommandError::Refused`] for the first command that was not done; everything else as [`CommandChannel::wait_all`].
    pub fn execute(&mut self, commands: &[Command], timeout: Duration) -> Result<Vec<Completed>, CommandError> {
        let mut completed = Vec::with_capacity(commands.len());
        if !self.outstanding.is_empty() {
            self.wait_all(timeout, &mut Vec::new())?;
        }
        for batch in commands.chunks(self.capacity()) {
            self.submit(batch)?;
            self.wait_all(timeout, &mut completed)?;
            if let Some(error) = first_refusal(&completed) {
                return Err(error);
            }
        }
        Ok(completed)
    }

    /// Executes one command without content: [`Opcode::Commit`], [`Opcode::Settle`], [`Opcode::Abort`] or [`Opcode::Nop`]. `Settle` and
    /// `Abort` take the time of a sweep over all rows.
    ///
    /// # Errors
    /// As [`CommandChannel::execute`]; [`Status::BadState`] says that the batch is not in the state that the command is for.
    pub fn execute_plain(&mut self, opcode: Opcode, timeout: Duration) -> Result<Completed, CommandError> {
        let completed = self.execute(&[Command::new(opcode, 0)], timeout)?;
        completed.last().copied().ok_or(CommandError::Broken)
    }
}

/// The two commands that write a wildcard rule, in their order. They have to follow one another without a command in between: give them to one
/// [`CommandChannel::submit`] or [`CommandChannel::execute`]. `pending`: as part of the open batch.
pub fn rule_commands(bank: u8, number: u32, rule: &Rule, pending: bool) -> [Command; 2] {
    let write = Command::write_rule(0, bank, number, rule);
    [Command::stage_rule(0, rule), if pending { write.pending() } else { write }]
}

fn first_refusal(completed: &[Completed]) -> Option<CommandError> {
    let position = completed.iter().position(|each| each.status != Status::Done)?;
    let Completed { status, completion, .. } = completed[position];
    Some(CommandError::Refused { position, opcode: completion.opcode, status })
}

impl Completed {
    /// The row that a `ReadRow` or `ReadRule` returned, `None` if it is invalid or damaged; [`Completed::row_state`] tells which.
    pub fn row(&self) -> Option<&Command> {
        (self.row_state == RowState::Valid).then_some(&self.completion.row)
    }

    /// Card time at which the command took effect.
    pub fn stamp_ns(&self) -> u64 {
        self.completion.stamp_ns.get()
    }

    /// Frames of ports A and B whose keys entered lookup before the command took effect.
    pub fn frames_looked_up(&self) -> [u64; 2] {
        self.completion.frames_looked_up.map(|frames| frames.get())
    }

    /// The opcode, if it has a meaning.
    pub fn opcode(&self) -> Option<Opcode> {
        Opcode::from_bits(self.completion.opcode)
    }
}

impl std::fmt::Debug for CommandChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the rings: commands hold target identifiers.
        f.debug_struct("CommandChannel")
            .field("produced", &self.produced)
            .field("completed", &self.completed)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}
