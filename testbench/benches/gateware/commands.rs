//! Table commands at a constant rate beside the traffic.

use writ_abi::command::{Command, Status};
use writ_abi::limits::WAYS;
use writ_abi::{Table, hash};
use writ_driver::CommandChannel;
use writ_testbench::traffic::Random;

use crate::card::{self, TARGET_WAY, target_row};
use crate::failure::Failure;

/// Clocks a second.
const CLOCKS_PER_S: u128 = 322_265_625;
/// Rows that are written and cleared, over and over.
const ROWS: u32 = 448;
/// First match index of theirs.
const FIRST_INDEX: u32 = 1000;
/// Commands that are handed over at once, so that the doorbell is rung as a host does it.
const AT_ONCE: usize = 8;

/// Writes and clears of rows in all tables, none of which is the target's or matches anything.
pub(crate) struct CommandLoad {
    rate_per_s: u32,
    first_clock: u64,
    cycle: Vec<Command>,
    submitted: u64,
    completed: u64,
    /// Completions that do not say that the command was done.
    pub(crate) refused: u64,
    stamps_ns: Option<(u64, u64)>,
}

impl CommandLoad {
    pub(crate) fn new(rate_per_s: u32, first_clock: u64) -> Result<Self, Failure> {
        let cycle = if rate_per_s == 0 { Vec::new() } else { cycle()? };
        Ok(Self { rate_per_s, first_clock, cycle, submitted: 0, completed: 0, refused: 0, stamps_ns: None })
    }

    /// Submits what is due. Returns how many commands that were.
    pub(crate) fn submit(&mut self, channel: &mut CommandChannel, clock: u64) -> Result<u64, Failure> {
        if self.cycle.is_empty() {
            return Ok(0);
        }
        let due = u128::from(clock.saturating_sub(self.first_clock)) * u128::from(self.rate_per_s) / CLOCKS_PER_S;
        let before = self.submitted;
        while u128::from(self.submitted) + AT_ONCE as u128 <= due
            && channel.outstanding() + AT_ONCE <= channel.capacity()
        {
            let at = self.submitted as usize % self.cycle.len();
            channel.submit(&self.cycle[at..at + AT_ONCE])?;
            self.submitted += AT_ONCE as u64;
        }
        Ok(self.submitted - before)
    }

    /// Takes what was done.
    pub(crate) fn complete(&mut self, channel: &mut CommandChannel) -> Result<(), Failure> {
        let mut completed = Vec::new();
        channel.poll(&mut completed)?;
        for done in &completed {
            let stamp = done.stamp_ns();
            let (first, _) = self.stamps_ns.unwrap_or((stamp, stamp));
            self.stamps_ns = Some((first, stamp));
            self.completed += 1;
            self.refused += u64::from(done.status != Status::Done);
        }
        Ok(())
    }

    /// Commands a second of card time, from the first that took effect to the last; 0 with fewer than two.
    pub(crate) fn rate_per_s(&self) -> f64 {
        match self.stamps_ns {
            Some((first, last)) if last > first => (self.completed - 1) as f64 * 1e9 / (last - first) as f64,
            _ => 0.0,
        }
    }

    /// Commands submitted and not completed.
    pub(crate) fn outstanding(&self) -> u64 {
        self.submitted - self.completed
    }
}

/// Eight writes, then the clears of the same rows, and so on.
fn cycle() -> Result<Vec<Command>, Failure> {
    let target = target_row()?;
    let mut random = Random::new(0x7461_626c);
    let mut writes = Vec::new();
    for number in 0..ROWS {
        let table = Table::ALL[number as usize % Table::ALL.len()];
        let way = (number as usize / Table::ALL.len() % WAYS) as u8;
        // First bytes that no key has which traffic of this measurement could make.
        let mut draw = || {
            let mut key = random.bytes(table.key_bytes());
            key[0] = 0xee;
            key
        };
        let is_target_place = |key: &[u8]| {
            let place = hash::rows(key, table.rows_per_way())[usize::from(way)];
            table == Table::Address && way == TARGET_WAY && place == target.row.get()
        };
        let mut key = draw();
        while is_target_place(&key) {
            key = draw();
        }
        writes.push((card::row(table, way, &key, card::index(FIRST_INDEX + number)?), table, way));
    }
    let mut cycle = Vec::new();
    for group in writes.chunks(AT_ONCE) {
        cycle.extend(group.iter().map(|(write, _, _)| *write));
        cycle.extend(group.iter().map(|(write, table, way)| Command::clear_row(0, *table, *way, write.row.get())));
    }
    Ok(cycle)
}
