//! The card's tables as text, for the store: what a daemon that comes back needs to go on with a card that ran on. Sealed there, because it holds
//! match keys. Orders are not repeated here; they stand with their tasks.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};
use writ_abi::key::KEY_BYTES_MAX;
use writ_mediation::units;
use writ_tables::{Area, EndedShare, Entry, Kept, Key, MatchIndex, Place, Scope, Share, Table, Task, TaskIndex};

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct KeptCard {
    /// The tables.
    pub(crate) tables: Kept,
    /// What of its losses was told.
    pub(crate) told: Told,
}

/// Packets that the card dropped for a match, and their bytes on the wire, without FCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "(u64, u64)", into = "(u64, u64)")]
pub(crate) struct Drops {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

impl From<(u64, u64)> for Drops {
    fn from((packets, bytes): (u64, u64)) -> Self {
        Self { packets, bytes }
    }
}

impl From<Drops> for (u64, u64) {
    fn from(drops: Drops) -> Self {
        (drops.packets, drops.bytes)
    }
}

/// Which of the card's losses were told to tasks, as the card counts them since it was brought up. It is written down together with what the tasks
/// counted, all or nothing, and a counter is cleared after that only: so the next process tells what is new, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    matches: BTreeMap<u32, Drops>,
    tasks: BTreeMap<u32, u64>,
    /// Losses that nobody knows the owner of: records that the card did not make, frames that it never looked up.
    pub(crate) unattributed: [u64; 2],
}

impl Told {
    /// Takes what a match's counters hold. What of it is new.
    pub(crate) fn take(&mut self, index: MatchIndex, counted: Drops) -> Drops {
        if counted == Drops::default() {
            return counted;
        }
        let told = self.matches.insert(index.value(), counted).unwrap_or_default();
        // Counters that hold less were cleared by a process that could not write that down any more.
        if counted.packets < told.packets {
            return counted;
        }
        Drops { packets: counted.packets - told.packets, bytes: counted.bytes.saturating_sub(told.bytes) }
    }

    /// A match's counters are cleared.
    pub(crate) fn cleared(&mut self, index: MatchIndex) {
        self.matches.remove(&index.value());
    }

    /// A task is told of so many more.
    pub(crate) fn add(&mut self, task: units::TaskIndex, packets: u64) {
        *self.tasks.entry(task.0).or_default() += packets;
    }

    /// What a task was told of, in all.
    pub(crate) fn of_task(&self, task: units::TaskIndex) -> u64 {
        self.tasks.get(&task.0).copied().unwrap_or_default()
    }

    /// A task is over.
    pub(crate) fn forget(&mut self, task: units::TaskIndex) {
        self.tasks.remove(&task.0);
    }

    /// As text, for the store.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("numbers always serialise")
    }

    /// From text.
    fn parse(text: &str) -> Result<Self, KeptError> {
        serde_json::from_str(text).map_err(|_| KeptError::Text)
    }
}

/// What was kept cannot be used. Says where, never what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeptError {
    /// It is no text of this version.
    Text,
    /// A row has no meaning.
    Row,
    /// A number is out of range.
    Number,
    /// The store does not know the task as one that is not over.
    Task(u32),
}

impl fmt::Display for KeptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("the tables that were kept are not of this version"),
            Self::Row => f.write_str("a row that was kept has no meaning"),
            Self::Number => f.write_str("a number that was kept is out of range"),
            Self::Task(task) => write!(f, "tables were kept with task {task}, which the store does not have"),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CardText {
    tasks: Vec<TaskText>,
    rows: Vec<RowText>,
    resting: Vec<u32>,
    ended: Vec<ShareText>,
    /// Written before [`Told`] had a place of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_losses: Option<[u64; 2]>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskText {
    task: u32,
    start_ns: u64,
    ring: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowText {
    /// Number of the table; none: a rule.
    table: Option<u8>,
    way: u8,
    row: u32,
    key: Vec<u8>,
    mask: Vec<u8>,
    destination: bool,
    match_index: u32,
    scope: u8,
    not_after: u64,
    ring: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareText {
    match_index: u32,
    task: u32,
    scope: u8,
    start_ns: u64,
    end_ns: u64,
    target: u16,
    floor_ns: u64,
}

impl KeptCard {
    /// The tables as text.
    pub(crate) fn text(tables: &Kept) -> String {
        let Kept { tasks, rows, resting, ended } = tables;
        let text = CardText {
            tasks: tasks
                .iter()
                .map(|(task, ring)| TaskText { task: task.index.0, start_ns: task.start_ns, ring: *ring })
                .collect(),
            rows: rows.iter().map(row_text).collect(),
            resting: resting.iter().map(|index| index.value()).collect(),
            ended: ended.iter().map(share_text).collect(),
            told_losses: None,
        };
        // Nothing in it can fail to be written: no maps, no floats.
        serde_json::to_string(&text).unwrap_or_default()
    }

    /// From text. `task` finds the order of a task, with the time from which on it counts.
    pub(crate) fn parse(
        text: &str,
        told: Option<&str>,
        task: impl Fn(u32, u64) -> Option<Task>,
    ) -> Result<Self, KeptError> {
        let text: CardText = serde_json::from_str(text).map_err(|_| KeptError::Text)?;
        let index = |value| MatchIndex::new(value).ok_or(KeptError::Number);
        let tasks = text.tasks.iter().map(|kept| {
            let task = task(kept.task, kept.start_ns).ok_or(KeptError::Task(kept.task))?;
            Ok((task, kept.ring))
        });
        let tables = Kept {
            tasks: tasks.collect::<Result<_, KeptError>>()?,
            rows: text.rows.iter().map(parse_row).collect::<Result<_, _>>()?,
            resting: text.resting.iter().map(|&value| index(value)).collect::<Result<_, _>>()?,
            ended: text.ended.iter().map(parse_share).collect::<Result<_, _>>()?,
        };
        let told = match told {
            Some(told) => Told::parse(told)?,
            None => Told { unattributed: text.told_losses.unwrap_or_default(), ..Told::default() },
        };
        Ok(Self { tables, told })
    }
}

fn row_text((place, entry): &(Place, Entry)) -> RowText {
    let table = match place.area {
        Area::Table(table) => Some(table as u8),
        Area::Rules => None,
    };
    RowText {
        table,
        way: place.way,
        row: place.row,
        key: entry.key.padded_bytes().to_vec(),
        mask: entry.key.mask().to_vec(),
        destination: entry.key.is_destination(),
        match_index: entry.match_index.value(),
        scope: entry.scope as u8,
        not_after: entry.not_after,
        ring: entry.ring,
    }
}

fn parse_row(text: &RowText) -> Result<(Place, Entry), KeptError> {
    let parse = || {
        let bytes: &[u8; KEY_BYTES_MAX] = text.key.as_slice().try_into().ok()?;
        let mask: &[u8; KEY_BYTES_MAX] = text.mask.as_slice().try_into().ok()?;
        let (area, key) = match text.table {
            Some(table) => {
                let table = Table::from_bits(table)?;
                (Area::Table(table), Key::from_row(table, bytes)?)
            }
            None => (Area::Rules, Key::from_rule(bytes, mask, text.destination)?),
        };
        let entry = Entry {
            key,
            match_index: MatchIndex::new(text.match_index)?,
            scope: Scope::from_bits(text.scope)?,
            not_after: text.not_after,
            ring: text.ring,
        };
        Some((Place { area, way: text.way, row: text.row }, entry))
    };
    parse().ok_or(KeptError::Row)
}

fn share_text(ended: &EndedShare) -> ShareText {
    let EndedShare { index, share, floor_ns } = *ended;
    let Share { task, scope, start_ns, end_ns, target } = share;
    let (match_index, task, scope) = (index.value(), task.0, scope as u8);
    ShareText { match_index, task, scope, start_ns, end_ns, target, floor_ns }
}

fn parse_share(text: &ShareText) -> Result<EndedShare, KeptError> {
    let ShareText { match_index, task, scope, start_ns, end_ns, target, floor_ns } = *text;
    let index = MatchIndex::new(match_index).ok_or(KeptError::Number)?;
    let scope = Scope::from_bits(scope).ok_or(KeptError::Number)?;
    Ok(EndedShare { index, share: Share { task: TaskIndex(task), scope, start_ns, end_ns, target }, floor_ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> KeptCard {
        let key = Key::address("192.0.2.1".parse().expect("an address"));
        let rule = Key::prefix_rules("198.51.0.0".parse().expect("an address"), 16)[1];
        let index = |value| MatchIndex::new(value).expect("in range");
        let entry =
            |key, value| Entry { key, match_index: index(value), scope: Scope::Content, not_after: 77, ring: 2 };
        let order = |number| Task {
            index: TaskIndex(number),
            targets: vec!["ipv4=192.0.2.1".parse().expect("good text")],
            scope: Scope::Content,
            start_ns: 5,
            end_ns: u64::MAX,
        };
        let share = Share { task: TaskIndex(9), scope: Scope::HeadersL3, start_ns: 1, end_ns: 2, target: 3 };
        let tables = Kept {
            tasks: vec![(order(4), 2)],
            rows: vec![
                (Place { area: Area::Table(Table::Address), way: 3, row: 17 }, entry(key, 8)),
                (Place { area: Area::Rules, way: 1, row: 5 }, entry(rule, 11)),
            ],
            resting: vec![index(12)],
            ended: vec![EndedShare { index: index(12), share, floor_ns: 6 }],
        };
        let mut told = Told { unattributed: [3, 4], ..Told::default() };
        told.take(index(12), Drops { packets: 5, bytes: 600 });
        told.add(units::TaskIndex(4), 5);
        KeptCard { tables, told }
    }

    fn order(number: u32, start_ns: u64) -> Option<Task> {
        kept().tables.tasks.iter().map(|(task, _)| task.clone()).find(|task| task.index.0 == number && start_ns == 5)
    }

    #[test]
    fn what_is_kept_comes_back() {
        let again = |kept: &KeptCard| KeptCard::parse(&KeptCard::text(&kept.tables), Some(&kept.told.text()), order);
        assert_eq!(again(&kept()), Ok(kept()));
        assert_eq!(again(&KeptCard::default()), Ok(KeptCard::default()));
        // As it was written before.
        let text = KeptCard::text(&kept().tables).replace("\"resting\"", "\"told_losses\":[3,4],\"resting\"");
        let told = Told { unattributed: [3, 4], ..Told::default() };
        assert_eq!(KeptCard::parse(&text, None, order), Ok(KeptCard { told, ..kept() }));
    }

    #[test]
    fn only_what_is_new_is_told() {
        let drops = |packets| Drops { packets, bytes: 100 * packets };
        let index = |value| MatchIndex::new(value).expect("in range");
        let mut told = Told::default();
        assert_eq!(told.take(index(1), drops(0)), drops(0));
        assert_eq!(told, Told::default(), "nothing to write down");
        assert_eq!(told.take(index(1), drops(5)), drops(5));
        assert_eq!(told.take(index(2), drops(7)), drops(7));
        assert_eq!(told.take(index(1), drops(5)), drops(0));
        assert_eq!(told.take(index(1), drops(9)), drops(4));
        assert_eq!(told.take(index(1), drops(2)), drops(2), "cleared meanwhile");
        told.cleared(index(2));
        assert_eq!(told.take(index(2), drops(1)), drops(1));
        let task = units::TaskIndex(3);
        told.add(task, 4);
        told.add(task, 5);
        assert_eq!((told.of_task(task), told.of_task(units::TaskIndex(4))), (9, 0));
        told.forget(task);
        assert_eq!(told.of_task(task), 0);
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        let text = KeptCard::text(&kept().tables);
        let parse = |text: &str| KeptCard::parse(text, None, order);
        assert_eq!(parse(&text[1..]), Err(KeptError::Text));
        assert_eq!(KeptCard::parse(&text, None, |_, _| None), Err(KeptError::Task(4)));
        assert_eq!(KeptCard::parse(&text, Some("{}"), order), Err(KeptError::Text));
        for (from, to, error) in [
            ("\"ended\"", "\"else\"", KeptError::Text),
            ("\"table\":0", "\"table\":14", KeptError::Row),
            ("\"match_index\":8", "\"match_index\":99999999", KeptError::Row),
            ("\"resting\":[12]", "\"resting\":[99999999]", KeptError::Number),
        ] {
            assert!(text.contains(from), "{from}");
            assert_eq!(parse(&text.replacen(from, to, 1)), Err(error), "{to}");
        }
    }
}
