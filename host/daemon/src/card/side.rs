//! The control thread's end of the card: tables, commands, clock, counters. Changes of the tables go through here and nowhere else.

use std::{fmt, sync::Arc, time::Duration};
use writ_abi::command::{Command, Completion};
use writ_driver::{Card, CardError, CardStatus, CommandChannel, CommandError, Completed, Counters};
use writ_mediation::units::TaiNs;
use writ_tables::{
    Change, Committed, ExecuteError, FanOut, MatchIndex, Misuse, Place, Plan, ReadBack, Refusal, Tables,
};

/// Longest time for a batch of commands. A Verilated card needs some milliseconds, a real one microseconds.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// Why a change did not reach the card.
#[derive(Debug)]
pub(crate) enum ChangeError {
    /// It cannot be done; nothing was changed.
    Refused(Refusal),
    /// The card refused a row; everything was taken back.
    RolledBack(String),
    /// What the card holds is not certain any more: it has to be disarmed and brought up anew.
    CardLost(String),
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::RolledBack(what) | Self::CardLost(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ChangeError {}

/// What the card counted as dropped for a match index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// The index.
    pub(crate) index: MatchIndex,
    /// Packets.
    pub(crate) packets: u64,
    /// Their bytes on the wire, without FCS.
    pub(crate) bytes: u64,
}

/// A row of the card beside what it should be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckedRow {
    /// Where.
    pub(crate) place: Place,
    /// What it should hold.
    pub(crate) row: writ_abi::command::Row,
    /// Whether it does.
    pub(crate) as_planned: bool,
}

/// Card, commands and tables.
pub(crate) struct CardSide {
    card: Arc<Card>,
    commands: CommandChannel,
    tables: Tables,
    /// Once true, nothing is sent to the card any more but the order to disarm.
    lost: bool,
}

impl fmt::Debug for CardSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardSide").field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl CardSide {
    /// A card that was just brought up: disarmed, all rows swept.
    pub(crate) fn new(card: Arc<Card>, commands: CommandChannel, tables: Tables) -> Self {
        Self { card, commands, tables, lost: false }
    }

    /// The card.
    pub(crate) fn card(&self) -> &Card {
        &self.card
    }

    /// The tables, to look at.
    pub(crate) const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The card's clock.
    pub(crate) fn now(&self) -> Result<TaiNs, CardError> {
        self.card.now_ns().map(TaiNs)
    }

    /// The card's state.
    pub(crate) fn status(&self) -> Result<CardStatus, CardError> {
        self.card.status()
    }

    /// All counters.
    pub(crate) fn counters(&self) -> Result<Counters, CardError> {
        self.card.counters()
    }

    /// Lets hits be copied. With empty tables there are none.
    pub(crate) fn arm(&self) -> Result<(), CardError> {
        self.card.arm()
    }

    /// Makes the card a wire. Works whatever else is broken, as long as the card answers.
    pub(crate) fn disarm(&self) -> Result<(), CardError> {
        self.card.disarm()
    }

    /// What a change would take. Changes nothing.
    pub(crate) fn plan(&self, changes: &[Change]) -> Result<Plan, Refusal> {
        self.tables.plan(changes)
    }

    /// Carries changes out. `publish` has to bring the shares to whoever consumes records before it returns: it is called before the first row is
    /// written and after the last one.
    pub(crate) fn change(
        &mut self,
        changes: &[Change],
        publish: &mut dyn FnMut(FanOut),
    ) -> Result<Committed, ChangeError> {
        if self.lost {
            return Err(ChangeError::CardLost("the card was given up after an earlier fault".into()));
        }
        let plan = self.tables.plan(changes).map_err(ChangeError::Refused)?;
        self.tables.begin(plan).map_err(|misuse| self.give_up(&misuse))?;
        publish(self.tables.fan_out());
        let Self { commands, tables, .. } = self;
        let result = tables.execute(|batch| submit(commands, batch));
        let outcome = match result {
            Ok(committed) => Ok(committed),
            Err(error @ ExecuteError::RolledBack { .. }) => Err(ChangeError::RolledBack(error.to_string())),
            Err(error) => Err(self.give_up(&error)),
        };
        publish(self.tables.fan_out());
        outcome
    }

    /// The tables do not know any more what the card holds. The card fails closed.
    fn give_up(&mut self, why: &dyn fmt::Display) -> ChangeError {
        self.lost = true;
        if self.tables.is_open() {
            // It cannot fail: a plan is open.
            let _: Result<(), Misuse> = self.tables.abandon();
        }
        match self.card.disarm() {
            Ok(()) => ChangeError::CardLost(format!("{why}; the card was disarmed")),
            Err(error) => ChangeError::CardLost(format!("{why}; disarming the card failed, too: {error}")),
        }
    }

    /// The ring was consumed past a change: what it retired can be counted up and used again. Returns what the card dropped for it.
    pub(crate) fn drained(
        &mut self,
        generation: writ_tables::Generation,
        publish: &mut dyn FnMut(FanOut),
    ) -> Result<Vec<Dropped>, ChangeError> {
        self.tables.drained(generation);
        let due: Vec<MatchIndex> = self.tables.counters_due().collect();
        let dropped = self.take_drops(&due)?;
        for &index in &due {
            self.tables.counters_cleared(index).map_err(|misuse| self.give_up(&misuse))?;
        }
        publish(self.tables.fan_out());
        Ok(dropped)
    }

    /// Reads and clears the drop counters of all indices in use.
    pub(crate) fn take_all_drops(&mut self) -> Result<Vec<Dropped>, ChangeError> {
        let used: Vec<MatchIndex> = self.tables.rows().map(|(_, row)| row.match_index).collect();
        self.take_drops(&used)
    }

    fn take_drops(&mut self, indices: &[MatchIndex]) -> Result<Vec<Dropped>, ChangeError> {
        let commands: Vec<Command> = indices.iter().map(|&index| Command::drops(0, index, true)).collect();
        let completed = self.execute(&commands)?;
        let dropped = |(&index, done): (&MatchIndex, &Completed)| Dropped {
            index,
            packets: done.completion.drop_packets.get(),
            bytes: done.completion.drop_bytes.get(),
        };
        Ok(indices.iter().zip(&completed).map(dropped).filter(|dropped| dropped.packets > 0).collect())
    }

    /// Reads a page of the rows that should be there.
    pub(crate) fn check_rows(&mut self, skip: usize, limit: usize) -> Result<(usize, Vec<CheckedRow>), ChangeError> {
        let rows: Vec<_> = self.tables.rows().map(|(place, row)| (place, *row)).collect();
        let page: Vec<_> = rows.iter().copied().skip(skip).take(limit).collect();
        let places: Vec<Place> = page.iter().map(|(place, _)| *place).collect();
        let found = self.read_back(&places)?;
        let checked = page.into_iter().zip(found).map(|((place, row), back)| CheckedRow {
            place,
            row,
            as_planned: back.row == writ_tables::ReadBackRow::Valid(row),
        });
        Ok((rows.len(), checked.collect()))
    }

    fn read_back(&mut self, places: &[Place]) -> Result<Vec<ReadBack>, ChangeError> {
        let command = |place: &Place| Command::read_row(0, place.table, place.way, place.row);
        let commands: Vec<Command> = places.iter().map(command).collect();
        let completed = self.execute(&commands)?;
        Ok(places.iter().zip(&completed).map(|(&place, done)| ReadBack::parse(place, &done.completion)).collect())
    }

    fn execute(&mut self, commands: &[Command]) -> Result<Vec<Completed>, ChangeError> {
        if self.lost {
            return Err(ChangeError::CardLost("the card was given up after an earlier fault".into()));
        }
        self.commands.execute(commands, COMMAND_TIMEOUT).map_err(|error| self.give_up(&error))
    }
}

/// Gives a batch to the card and waits. The channel numbers commands by itself and has checked its own numbers, so the completions get
/// back the tags of the commands that they belong to.
fn submit(channel: &mut CommandChannel, batch: &[Command]) -> Result<Vec<Completion>, CommandError> {
    let mut done = Vec::with_capacity(batch.len());
    for part in batch.chunks(channel.capacity()) {
        channel.submit(part)?;
        channel.wait_all(COMMAND_TIMEOUT, &mut done)?;
    }
    let tagged = |(command, done): (&Command, &Completed)| Completion { tag: command.tag, ..done.completion };
    Ok(batch.iter().zip(&done).map(tagged).collect())
}
