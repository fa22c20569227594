//! Taking over a card that runs: its rings, its commands and its tables go on as the process before left them.

use super::with_irqs;
use crate::card::{self, Card, CardError};
use crate::records::{CURSOR_LINE, RecordMemory};
use crate::{
    Bar, CommandChannel, CommandError, Completed, Irqs, LookupSettings, Parts, RecordRing, RingMemory, lookup,
};
use std::sync::Arc;
use std::time::Duration;
use writ_abi::command::{Command, Opcode, Status};
use writ_abi::registers::{clock, control, rings};
use writ_abi::time::TimeQuality;

/// What adoption needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adopt {
    /// What lookups depend on besides rows: the card has to be set to this.
    pub lookup: LookupSettings,
    /// How long the card may take for the commands that are left, and for the end of a batch.
    pub timeout: Duration,
}

/// A card that was taken over.
#[derive(Debug)]
pub struct Adopted {
    /// As after bring-up, but nothing of the card was changed: rows, clock, arming, and what waits in the rings are as they were.
    pub parts: Parts,
    /// Commands of the process before whose completions it did not take.
    pub left: Vec<(Command, Completed)>,
}

/// Why a card was not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdoptFault {
    /// The card cannot be used at all, or not with these rings.
    Card(CardError),
    /// A register is not as the process before must have left it: other rings, or a reset since.
    Register {
        /// Offset of the register.
        register: u32,
        /// What it would hold.
        expected: u32,
        /// What it holds.
        found: u32,
    },
    /// The clock is not set, or nobody can rely on it: the CLOCK block's STATE register.
    Clock {
        /// What it holds.
        state: u32,
    },
    /// Lookups are set otherwise than wanted.
    Lookup {
        /// As they are.
        found: LookupSettings,
    },
    /// The indices of a record ring do not fit one another.
    Ring {
        /// The ring.
        ring: u8,
        /// Lines that the card knows to be released.
        released: u32,
        /// Lines that were consumed.
        consumed: u32,
        /// Lines that the card has written.
        produced: u32,
    },
    /// The indices of the command ring do not fit one another.
    CommandRing {
        /// Completions that were taken.
        taken: u32,
        /// Commands that were submitted.
        submitted: u32,
        /// Completions that the card has written.
        completed: u32,
    },
    /// Commands that were left did not complete, or a batch could not be ended.
    Commands(CommandError),
}

impl std::fmt::Display for AdoptFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Card(error) => error.fmt(f),
            Self::Register { register, expected, found } => {
                write!(f, "register {register:#05x} holds {found:#010x}, the process before left {expected:#010x}")
            }
            Self::Clock { state } => write!(f, "the card's clock cannot be relied on: its state is {state:#x}"),
            Self::Lookup { .. } => write!(f, "prefix length or own tunnels are set otherwise than configured"),
            Self::Ring { ring, released, consumed, produced } => write!(
                f,
                "record ring {ring}: {released} lines released, {consumed} consumed, {produced} written cannot be"
            ),
            Self::CommandRing { taken, submitted, completed } => {
                write!(f, "command ring: {submitted} submitted, {completed} completed, {taken} taken cannot be")
            }
            Self::Commands(error) => write!(f, "commands that were left: {error}"),
        }
    }
}

/// A card that was not taken over. Nothing but the end of its open batch has changed; its rings may be in use by it.
#[derive(Debug)]
pub struct NotAdopted {
    /// Why not.
    pub fault: AdoptFault,
    /// The memory of the rings, for [`Card::bring_up`].
    pub memory: RingMemory,
}

impl std::fmt::Display for NotAdopted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for NotAdopted {}

impl From<CardError> for AdoptFault {
    fn from(error: CardError) -> Self {
        Self::Card(error)
    }
}

impl Card {
    /// Takes over a card that runs with the rings in `memory`: the same allocation, in memory that outlived the process that brought the card up.
    /// Each ring goes on behind the last record that was taken, commands go on with their numbers, a batch that was left open is ended: settled if
    /// it was committed, else aborted.
    ///
    /// That the card is the one that the caller means, and not another one that was brought up in the same way, it has to know by itself.
    ///
    /// # Errors
    /// [`NotAdopted`] with the memory.
    pub fn adopt(bar: Arc<dyn Bar>, memory: RingMemory, irqs: Irqs, how: &Adopt) -> Result<Adopted, Box<NotAdopted>> {
        let identity = match check(&*bar, &memory, how) {
            Ok(identity) => identity,
            Err(fault) => return Err(Box::new(NotAdopted { fault, memory })),
        };
        let RingMemory { records, commands, completions, completion_index } = memory;
        let mut commands =
            CommandChannel::new(Arc::clone(&bar), commands, completions, completion_index, irqs.completions);
        let refuse = |fault, channel: CommandChannel, records: Vec<RecordMemory>| {
            let (commands, completions, completion_index) = channel.into_memory();
            let memory = RingMemory { records, commands, completions, completion_index };
            Err(Box::new(NotAdopted { fault, memory }))
        };
        if let Err([taken, submitted, completed]) = commands.adopt(bar.read32(rings::COMMAND_PRODUCER_AT)) {
            return refuse(AdoptFault::CommandRing { taken, submitted, completed }, commands, records);
        }
        let left = match commands.take_left(how.timeout).and_then(|left| {
            end_batch(&mut commands, how.timeout)?;
            Ok(left)
        }) {
            Ok(left) => left,
            Err(error) => return refuse(AdoptFault::Commands(error), commands, records),
        };
        let ring = |(memory, irq)| RecordRing::adopt(Arc::clone(&bar), memory, irq);
        let rings = with_irqs(records, irqs.records).map(ring).collect();
        Ok(Adopted { parts: Parts { card: Self::new(bar, identity), commands, rings }, left })
    }
}

/// Whether the card is as the process before left it. Changes nothing.
fn check(bar: &dyn Bar, memory: &RingMemory, how: &Adopt) -> Result<crate::Identity, AdoptFault> {
    let identity = Card::identify(bar)?;
    memory.check(&identity)?;
    let enabled = [(rings::ENABLE_AT, memory.enable())];
    for (register, expected) in enabled.into_iter().chain(memory.registers()) {
        let found = bar.read32(register);
        if found != expected {
            return Err(AdoptFault::Register { register, expected, found });
        }
    }
    let status = card::read(bar, control::STATUS_AT)?;
    if control::TABLES_READY.extract(status) == 0 {
        return Err(CardError::NotReady { waited: Duration::ZERO, status }.into());
    }
    let state = card::read(bar, clock::STATE_AT)?;
    if clock::STATE_QUALITY.extract(state) == TimeQuality::Unset as u32 || clock::STATE_REFUSED.extract(state) == 1 {
        return Err(AdoptFault::Clock { state });
    }
    let found = lookup::read_settings(bar)?;
    if found != how.lookup {
        return Err(AdoptFault::Lookup { found });
    }
    memory.records.iter().try_for_each(|ring| check_ring(bar, ring))?;
    Ok(identity)
}

fn check_ring(bar: &dyn Bar, ring: &RecordMemory) -> Result<(), AdoptFault> {
    let released = bar.read32(rings::RECORD_CONSUMER_AT + u32::from(ring.number) * rings::RECORD_STRIDE);
    let [consumed, _] = ring.index.load_pair(CURSOR_LINE);
    let produced = ring.index.load_index(0);
    // Consumed is between released and produced, and all of it fits the ring.
    let (held, unreleased) = (produced.wrapping_sub(released), consumed.wrapping_sub(released));
    if held as usize <= ring.lines.lines() && unreleased <= held {
        return Ok(());
    }
    Err(AdoptFault::Ring { ring: ring.number, released, consumed, produced })
}

/// Ends a batch that was left: nothing but the marks of its rows tells whether there is one.
fn end_batch(commands: &mut CommandChannel, timeout: Duration) -> Result<(), CommandError> {
    match commands.execute_plain(Opcode::Abort, timeout) {
        // It was committed.
        Err(CommandError::Refused { status: Status::BadState, .. }) => {
            commands.execute_plain(Opcode::Settle, timeout).map(drop)
        }
        aborted => aborted.map(drop),
    }
}
