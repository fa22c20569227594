//! Match tables and wildcard rules, and what they make of frames.

mod execute;

use super::parse::{Parsed, five_tuple, key_of, parse};
use writ_abi::command::{Command, Row, RowState, Rule, Status};
use writ_abi::key::KEY_BYTES_MAX;
use writ_abi::limits::{FCS_BYTES, MATCH_INDEX_COUNT, RECORD_RINGS, RULE_BANKS, RULES_PER_BANK, WAYS};
use writ_abi::record::Hit;
use writ_abi::time::{NOT_AFTER_SHIFT, TimeQuality};
use writ_abi::{Lookup, PortSide, Table, hash};

/// A frame as it is on the wire.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// The port that it came in on.
    pub port: PortSide,
    /// Its bytes, FCS included.
    pub bytes: &'a [u8],
    /// The MAC marked it as damaged.
    pub damaged: bool,
}

impl std::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the bytes: traffic does not belong into logs.
        write!(f, "Frame(on {:?}, {} bytes)", self.port, self.bytes.len())
    }
}

impl Frame<'_> {
    /// Bytes without the FCS; 0 for what is shorter than one.
    pub fn original_bytes(&self) -> usize {
        self.bytes.len().saturating_sub(FCS_BYTES)
    }
}

/// What a frame's lookup depends on besides the frame and the tables, as of the clock in which its keys entered lookup (stamp and
/// quality: of its arrival).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditions {
    /// The frame's stamp.
    pub stamp_ns: u64,
    /// The quality of the stamp.
    pub quality: TimeQuality,
    /// CONTROL.ARMED.
    pub armed: bool,
    /// Rows that expired before this tick stay expired, whatever the clock says now.
    pub expiry_floor: u64,
    /// LOOKUP.PREFIX.
    pub prefix_bits: u8,
    /// LOOKUP.OWN_TUNNELS.
    pub own_tunnels: u32,
}

/// A hit and the record ring that its row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The hit.
    pub hit: Hit,
    /// The ring.
    pub ring: u8,
}

/// What the lookups found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The parser's result.
    pub parsed: Parsed,
    /// The tunnel over the outer IP header is one of the carrier's own.
    pub own_tunnel: bool,
    /// Hits that count as far as lookup knows, in the order of their lookups: a damaged frame's do not.
    pub hits: Vec<Found>,
    /// Lookups that found expired rows only.
    pub expired: u64,
    /// Lookups that found two rows that contradict each other.
    pub multi: u64,
    /// Lookups that read a damaged row.
    pub damaged: u64,
    /// There would be hits, had the clock been set.
    pub suppressed: bool,
}

impl Looked {
    /// The rings that the hits name, by rising number, each with its hits.
    pub fn rings(&self) -> Vec<(u8, Vec<Hit>)> {
        let of = |ring: u8| self.hits.iter().filter(move |found| found.ring == ring).map(|found| found.hit).collect();
        (0..RECORD_RINGS as u8)
            .map(|ring| (ring, of(ring)))
            .filter(|(_, hits): &(u8, Vec<Hit>)| !hits.is_empty())
            .collect()
    }
}

/// What a command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Executed {
    /// How it ended.
    pub status: Status,
    /// For `ReadRow` and `ReadRule`: what stands there.
    pub row_state: RowState,
    /// For `ReadRow` and `ReadRule`: the row, as the completion shows it; all zero if it is not valid.
    pub row: Command,
    /// For drop commands: packets and bytes.
    pub drops: Drops,
}

/// What a command depends on besides the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardState {
    /// The tables have been swept since the last reset.
    pub tables_ready: bool,
    /// CONTROL.ARMED.
    pub armed: bool,
}

/// Drop counters of one match index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drops {
    /// Packets.
    pub packets: u64,
    /// Bytes without FCS.
    pub bytes: u64,
}

/// The marks of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Marks {
    pending: bool,
    pending_clear: bool,
}

impl Marks {
    fn allow(self, committed: bool) -> bool {
        let is_hidden = if committed { self.pending_clear } else { self.pending };
        !is_hidden
    }
}

/// Where a row of a table can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Empty,
    Damaged,
    Taken(Row, Marks),
}

/// Where a rule can stand. There is no command that damages one.
type RulePlace = Option<(Rule, Marks)>;

/// Tables, rules, the open batch, and the per-match drop counters.
pub struct Tables {
    /// By table, way, row.
    rows: [[Vec<Place>; WAYS]; Table::ALL.len()],
    /// By bank and number.
    rules: [Vec<RulePlace>; RULE_BANKS],
    /// The value that the command before has staged.
    staged: Option<[u8; KEY_BYTES_MAX]>,
    committed: bool,
    drops: Vec<Drops>,
}

impl Default for Tables {
    fn default() -> Self {
        Self::new()
    }
}

impl Tables {
    /// All rows and rules invalid, all counters zero.
    pub fn new() -> Self {
        Self {
            rows: Table::ALL
                .map(|table| std::array::from_fn(|_| vec![Place::default(); table.rows_per_way() as usize])),
            rules: std::array::from_fn(|_| vec![None; RULES_PER_BANK as usize]),
            staged: None,
            committed: false,
            drops: vec![Drops::default(); MATCH_INDEX_COUNT as usize],
        }
    }

    /// Whether a batch is committed and not settled.
    pub fn is_committed(&self) -> bool {
        self.committed
    }

    /// Damaged rows by table, way and row, in the order in which a scrubber comes by.
    pub fn damaged(&self) -> impl Iterator<Item = (Table, u8, u32)> {
        Table::ALL.into_iter().flat_map(move |table| {
            let ways = (0_u8..).zip(&self.rows[table as usize]);
            ways.flat_map(move |(way, rows)| {
                let damaged = (0_u32..).zip(rows).filter(|(_, place)| **place == Place::Damaged);
                damaged.map(move |(row, _)| (table, way, row))
            })
        })
    }

    /// Looks a frame up.
    pub fn look_up(&self, frame: &Frame<'_>, conditions: &Conditions) -> Looked {
        let parsed = parse(frame.bytes);
        let own_tunnel = parsed.tunnel.is_some_and(|(kind, _)| conditions.own_tunnels >> kind as u32 & 1 == 1);
        let mut looked =
            Looked { parsed, own_tunnel, hits: Vec::new(), expired: 0, multi: 0, damaged: 0, suppressed: false };
        if !conditions.armed {
            return looked;
        }
        let tick = (conditions.stamp_ns >> NOT_AFTER_SHIFT).max(conditions.expiry_floor);
        for lookup in Lookup::ALL {
            let Some(table) = lookup.table() else { continue };
            let Some(key) = key_of(&looked.parsed, frame.port, lookup, conditions.prefix_bits) else { continue };
            let mut found = self.read_table(table, &key);
            found.judge(tick, |_| lookup, &mut looked);
        }
        if let Some(key) = five_tuple(&looked.parsed) {
            for bank in 0..RULE_BANKS {
                let mut found = self.read_bank(bank, &key);
                // A bank that exists has its two lookups.
                let lookup = |destination| Lookup::of_rule(bank as u8, destination).unwrap_or(Lookup::Rule0Source);
                found.judge(tick, lookup, &mut looked);
            }
        }
        if conditions.quality == TimeQuality::Unset && !looked.hits.is_empty() {
            looked.suppressed = true;
            looked.hits.clear();
        }
        looked
    }

    /// What a lookup in a table reads: the place of the key in every way.
    fn read_table(&self, table: Table, key: &[u8]) -> Read {
        let mut read = Read::default();
        let places = hash::rows(key, table.rows_per_way());
        for (way, row) in self.rows[table as usize].iter().zip(places) {
            match way[row as usize] {
                Place::Damaged => read.damaged = true,
                Place::Taken(row, marks) if marks.allow(self.committed) && row.key[..key.len()] == *key => {
                    read.matching.push(Rule { row, value: [0; KEY_BYTES_MAX], destination: false });
                }
                _ => {}
            }
        }
        read
    }

    /// What a lookup in a bank reads: of the visible rules that fit, the two with the lowest numbers.
    fn read_bank(&self, bank: usize, key: &[u8]) -> Read {
        let fits = |rule: &Rule| {
            let bits = key.iter().zip(&rule.value).zip(&rule.row.key);
            bits.into_iter().all(|((byte, value), mask)| (byte ^ value) & mask == 0)
        };
        let visible = self.rules[bank].iter().flatten().filter(|(_, marks)| marks.allow(self.committed));
        let mut matching: Vec<Rule> = visible.map(|(rule, _)| *rule).filter(fits).collect();
        let too_many = matching.len() > 2;
        matching.truncate(2);
        Read { matching, damaged: false, too_many }
    }

    /// Counts a record that was not made for each distinct match index among its hits.
    pub fn count_drop(&mut self, hits: &[Hit], original_bytes: usize) {
        for (i, hit) in hits.iter().enumerate() {
            if hits[..i].iter().any(|earlier| earlier.match_index == hit.match_index) {
                continue;
            }
            if let Some(drops) = self.drops.get_mut(hit.match_index.value() as usize) {
                drops.packets += 1;
                drops.bytes += original_bytes as u64;
            }
        }
    }
}

/// What one lookup read.
#[derive(Default)]
struct Read {
    /// Visible rows and rules that match, the one that counts first; the value of a rule does not matter any more.
    matching: Vec<Rule>,
    /// A damaged row was among what was read.
    damaged: bool,
    /// More rules fit than were read.
    too_many: bool,
}

impl Read {
    /// Adds the lookup to what the others found.
    fn judge(&mut self, tick: u64, lookup: impl Fn(bool) -> Lookup, looked: &mut Looked) {
        let has_match = !self.matching.is_empty();
        self.matching.retain(|rule| tick < rule.row.not_after);
        let result = |rule: &Rule| {
            let Row { match_index, scope, not_after, ring, .. } = rule.row;
            (match_index, scope, not_after, ring, rule.destination)
        };
        match self.matching.first() {
            Some(first) => {
                let Row { match_index, scope, ring, .. } = first.row;
                looked.hits.push(Found { hit: Hit { match_index, scope, lookup: lookup(first.destination) }, ring });
            }
            None => looked.expired += u64::from(has_match),
        }
        let differ = self.matching.iter().any(|rule| result(rule) != result(&self.matching[0]));
        looked.multi += u64::from(differ || self.too_many);
        looked.damaged += u64::from(self.damaged);
    }
}
