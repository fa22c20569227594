//! The control thread's end of the card: tables, commands, clock, counters. Changes of the tables go through here and nowhere else.

use crate::state::kept::Drops;
use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};
use writ_abi::command::{Command, Completion};
use writ_driver::{Card, CardError, CardStatus, CommandChannel, CommandError, Completed, Counters, DamagedPlace};
use writ_mediation::units::TaiNs;
use writ_tables::{
    Area, Change, Committed, Difference, Entry, ExecuteError, FanOut, MatchIndex, Misuse, Place, Plan, ReadBack,
    ReadBackRow, Refusal, Tables,
};

/// Longest time for a batch of commands. A Verilated card needs some milliseconds, a real one microseconds.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// Places that are read back together.
const READ_TOGETHER: usize = 4096;

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

/// What the card counts as dropped for a match index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// The index.
    pub(crate) index: MatchIndex,
    /// Since its counters were cleared.
    pub(crate) drops: Drops,
}

/// A row or rule of the card beside what it should be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckedRow {
    /// Where.
    pub(crate) place: Place,
    /// What it should hold.
    pub(crate) row: Entry,
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

    /// The ring was consumed past a change: what it retired will not be counted for any more.
    pub(crate) fn drained(&mut self, generation: writ_tables::Generation) {
        self.tables.drained(generation);
    }

    /// Reads the drop counters of all indices in use.
    pub(crate) fn drops_in_use(&mut self) -> Result<Vec<Dropped>, ChangeError> {
        let used: BTreeSet<MatchIndex> = self.tables.rows().map(|(_, row)| row.match_index).collect();
        self.drops(used, false)
    }

    /// Reads the drop counters of indices that are out of use and nothing counts for any more.
    pub(crate) fn drops_due(&mut self) -> Result<Vec<Dropped>, ChangeError> {
        let due: Vec<MatchIndex> = self.tables.counters_due().collect();
        self.drops(due, false)
    }

    /// Clears those, so that the indices can be used again. Returns what the counters held.
    pub(crate) fn clear_due(&mut self, publish: &mut dyn FnMut(FanOut)) -> Result<Vec<Dropped>, ChangeError> {
        let due: Vec<MatchIndex> = self.tables.counters_due().collect();
        let cleared = self.drops(due.iter().copied(), true)?;
        for &index in &due {
            self.tables.counters_cleared(index).map_err(|misuse| self.give_up(&misuse))?;
        }
        publish(self.tables.fan_out());
        Ok(cleared)
    }

    fn drops(
        &mut self,
        indices: impl IntoIterator<Item = MatchIndex>,
        clear: bool,
    ) -> Result<Vec<Dropped>, ChangeError> {
        let indices: Vec<MatchIndex> = indices.into_iter().collect();
        let commands: Vec<Command> = indices.iter().map(|&index| Command::drops(0, index, clear)).collect();
        let completed = self.execute(&commands)?;
        let dropped = |(&index, done): (&MatchIndex, &Completed)| {
            let drops = Drops { packets: done.completion.drop_packets.get(), bytes: done.completion.drop_bytes.get() };
            Dropped { index, drops }
        };
        Ok(indices.iter().zip(&completed).map(dropped).collect())
    }

    /// After the card was taken over: reads back all that it holds, and makes it what it should be. What differed, and the repair.
    pub(crate) fn take_over(&mut self) -> Result<(Vec<Difference>, Committed), ChangeError> {
        let places: Vec<Place> = self.tables.places().collect();
        let mut found = Vec::with_capacity(places.len());
        for part in places.chunks(READ_TOGETHER) {
            found.extend(self.read_back(part)?);
        }
        let now = self.now().map_err(|error| self.give_up(&error))?;
        let repair = self.tables.reconcile(&found, now.0).map_err(|misuse| self.give_up(&misuse))?;
        let differences = repair.differences().to_vec();
        self.tables.begin_repair(repair).map_err(|misuse| self.give_up(&misuse))?;
        let Self { commands, tables, .. } = self;
        let result = tables.execute(|batch| submit(commands, batch));
        let committed = result.map_err(|error| self.give_up(&error))?;
        Ok((differences, committed))
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
            as_planned: back.row == ReadBackRow::Valid(row),
        });
        Ok((rows.len(), checked.collect()))
    }

    fn read_back(&mut self, places: &[Place]) -> Result<Vec<ReadBack>, ChangeError> {
        let commands: Vec<Vec<Command>> = places.iter().map(|place| place.read_commands(|| 0)).collect();
        let completed = self.execute(&commands.concat())?;
        let mut completions = completed.iter().map(|done| done.completion);
        let parse = |(&place, commands): (&Place, &Vec<Command>)| {
            let of_place: Vec<Completion> = completions.by_ref().take(commands.len()).collect();
            ReadBack::parse(place, &of_place)
        };
        Ok(places.iter().zip(&commands).map(parse).collect())
    }

    /// Where the card found a damaged row last.
    pub(crate) fn damage(&self) -> Result<Option<Place>, CardError> {
        Ok(self.card.damage()?.map(|damaged| match damaged {
            DamagedPlace::Row { table, way, row } => Place { area: Area::Table(table), way, row },
            DamagedPlace::Rule { bank, number } => Place { area: Area::Rules, way: bank, row: number },
        }))
    }

    /// Reads a place back and puts right what is not as it should be: writes what the orders ask for, or clears what they do not. False: all was
    /// well there.
    pub(crate) fn repair(&mut self, place: Place) -> Result<bool, ChangeError> {
        let found = self.read_back(&[place])?;
        let now = self.now().map_err(|error| self.give_up(&error))?;
        let repair = self.tables.reconcile(&found, now.0).map_err(|misuse| self.give_up(&misuse))?;
        if repair.is_clean() {
            return Ok(false);
        }
        self.tables.begin_repair(repair).map_err(|misuse| self.give_up(&misuse))?;
        let Self { commands, tables, .. } = self;
        let result = tables.execute(|batch| submit(commands, batch));
        result.map_err(|error| self.give_up(&error))?;
        Ok(true)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;
    use writ_abi::{registers::Counter, time::TimeQuality};
    use writ_driver::{BringUp, LookupSettings, RecordRing, RingMemory, RingSizes};
    use writ_sim::service::{Backend, Options, Service};
    use writ_tables::{Capabilities, Geometry, Scope, Task, TaskIndex};

    /// A simulated card with the tables of a daemon.
    struct Bench {
        side: CardSide,
        _rings: Vec<RecordRing>,
        _service: Service,
    }

    impl Bench {
        fn new() -> Self {
            let sizes = RingSizes::uniform(256, 64);
            let options = Options { memory_bytes: sizes.memory_bytes(), ..Options::default() };
            let service = Service::start(Backend::Model, &options).expect("the model");
            let memory = RingMemory::allocate(&service.dma(), &sizes).expect("as much as it takes");
            let how = BringUp {
                now_ns: 1_700_000_000_000_000_000,
                quality: TimeQuality::Free,
                lookup: LookupSettings::default(),
                ready_timeout: COMMAND_TIMEOUT,
            };
            let parts = Card::bring_up(service.bar(), memory, service.irqs(), &how).expect("a good card");
            let identity = parts.card.identity();
            let capabilities = Capabilities {
                rows_per_way: identity.table_rows_per_way,
                rules_per_bank: identity.rules_per_bank,
                match_indices: identity.match_indices,
                rings: identity.record_rings,
            };
            let tables = Tables::new(Geometry::new(&capabilities).expect("a good card"));
            let side = CardSide::new(Arc::new(parts.card), parts.commands, tables);
            Self { side, _rings: parts.rings, _service: service }
        }

        fn add(&mut self, index: u32, targets: &[&str]) {
            let task = Task {
                index: TaskIndex(index),
                targets: targets.iter().map(|text| text.parse().expect("good text")).collect(),
                scope: Scope::Content,
                start_ns: 0,
                end_ns: 1_800_000_000_000_000_000,
            };
            self.side.change(&[Change::Add(task)], &mut |_| {}).expect("there is room");
        }

        fn damage(&mut self, place: Place) {
            let Area::Table(table) = place.area else { panic!("only rows can be damaged on purpose") };
            let command = Command::corrupt_row(0, table, place.way, place.row);
            self.side.execute(&[command]).expect("a disarmed card does it");
        }

        /// Times that the scrubber found a damaged row; it finds one that stays damaged again and again.
        fn times_found(&mut self) -> u64 {
            self.side.counters().expect("it answers").value(Counter::DamagedRows)
        }

        /// Waits until the scrubber has found something more than `before`.
        fn found(&mut self, before: u64) -> Option<Place> {
            let start = Instant::now();
            loop {
                if self.times_found() > before {
                    return self.side.damage().expect("it answers");
                }
                assert!(start.elapsed() < Duration::from_secs(60), "the scrubber found nothing");
            }
        }
    }

    #[test]
    fn rows_and_rules_read_back_as_they_were_written() {
        let mut bench = Bench::new();
        bench.add(1, &["ipv4=192.0.2.1", "ipv4=192.0.2.0/24", "flow=192.0.2.1:1-198.51.100.7:2/udp"]);
        bench.add(2, &["ipv6=2001:db8::1", "mac=02:00:5e:00:53:01", "vlan=b:7.8", "tunnel=gtpu:7@192.0.2.9"]);
        bench.add(3, &["endpoint=[2001:db8::1]:443/tcp", "ipv6=2001:db8:1::/48"]);
        let (total, rows) = bench.side.check_rows(0, usize::MAX).expect("it answers");
        assert_eq!((total, rows.len()), (11, 11), "two rules a prefix");
        assert!(rows.iter().all(|row| row.as_planned), "{rows:?}");
        assert_eq!(rows.iter().filter(|row| row.place.area == Area::Rules).count(), 4);
        let (_, page) = bench.side.check_rows(9, 1).expect("it answers");
        assert_eq!(page.iter().map(|row| row.place).collect::<Vec<_>>(), [rows[9].place]);
    }

    #[test]
    fn a_damaged_row_is_found_and_written_again() {
        let mut bench = Bench::new();
        bench.add(1, &["ipv4=192.0.2.1"]);
        assert_eq!(bench.side.damage().expect("it answers"), None);
        let (place, entry) = bench.side.tables().rows().map(|(place, entry)| (place, *entry)).next().expect("a row");
        bench.damage(place);
        assert_eq!(bench.found(0), Some(place));
        let (_, rows) = bench.side.check_rows(0, 9).expect("it answers");
        assert!(!rows[0].as_planned, "damaged and unseen");
        assert!(bench.side.repair(place).expect("it can be written"));
        let (_, rows) = bench.side.check_rows(0, 9).expect("it answers");
        assert!(rows[0].as_planned && rows[0].row == entry);
        assert!(!bench.side.repair(place).expect("it answers"), "nothing is left to do");

        // One that no order asks for is cleared, so that the alarm stops.
        let unused = Place { way: (place.way + 1) % 4, ..place };
        let before = bench.times_found();
        bench.damage(unused);
        assert_eq!(bench.found(before), Some(unused));
        assert!(bench.side.repair(unused).expect("it can be cleared"));
        assert!(!bench.side.repair(unused).expect("it answers"));
        assert_eq!(bench.side.tables().rows().count(), 1);
    }
}
