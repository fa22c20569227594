//! Match tables, and what they make of frames and commands.

use super::parse::{Parsed, parse};
use writ_abi::command::{Command, Opcode, Row, Status};
use writ_abi::limits::{FCS_BYTES, MATCH_INDEX_COUNT, WAYS};
use writ_abi::record::Hit;
use writ_abi::time::{NOT_AFTER_SHIFT, TimeQuality};
use writ_abi::{Lookup, MatchIndex, PortSide, Scope, Table, hash, key};
use zerocopy::{FromZeros, little_endian::U32};

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
}

/// What the lookups found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The parser's result.
    pub parsed: Parsed,
    /// Hits that count as far as lookup knows, in the order of their lookups: a damaged frame's do not.
    pub hits: Vec<Hit>,
    /// Lookups that found a matching row which had expired, while armed.
    pub expired: u64,
    /// There would be hits, had the clock been set.
    pub suppressed: bool,
}

/// What a command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Executed {
    /// How it ended.
    pub status: Status,
    /// For `ReadRow`: the row, as the completion shows it; all zero if it is invalid.
    pub row: Command,
    /// For `ReadRow`: whether the row is valid.
    pub row_valid: bool,
    /// For drop commands: packets and bytes.
    pub drops: Drops,
}

/// Drop counters of one match index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drops {
    /// Packets.
    pub packets: u64,
    /// Bytes without FCS.
    pub bytes: u64,
}

/// The match tables and the per-match drop counters.
pub struct Tables {
    /// By table, way, row.
    rows: [[Vec<Option<Row>>; WAYS]; 2],
    drops: Vec<Drops>,
}

impl Default for Tables {
    fn default() -> Self {
        Self::new()
    }
}

impl Tables {
    /// All rows invalid, all counters zero.
    pub fn new() -> Self {
        let ways = |table: Table| std::array::from_fn(|_| vec![None; table.rows_per_way() as usize]);
        Self {
            rows: [ways(Table::Address), ways(Table::Endpoint)],
            drops: vec![Drops::default(); MATCH_INDEX_COUNT as usize],
        }
    }

    /// Looks a frame up.
    pub fn look_up(&self, frame: &Frame<'_>, conditions: &Conditions) -> Looked {
        let parsed = parse(frame.bytes);
        let mut looked = Looked { parsed, hits: Vec::new(), expired: 0, suppressed: false };
        if !conditions.armed {
            return looked;
        }
        let tick = (conditions.stamp_ns >> NOT_AFTER_SHIFT).max(conditions.expiry_floor);
        for lookup in Lookup::ALL {
            let Some(key) = key_of(&parsed, lookup) else { continue };
            let (live, expired): (Vec<&Row>, Vec<&Row>) =
                self.matching(lookup.table(), &key).into_iter().partition(|row| tick < row.not_after);
            match live.first() {
                // The lowest way counts; more than one match while a row is being moved.
                Some(row) => looked.hits.push(Hit { match_index: row.match_index, scope: row.scope, lookup }),
                None if !expired.is_empty() => looked.expired += 1,
                None => {}
            }
        }
        if conditions.quality == TimeQuality::Unset && !looked.hits.is_empty() {
            looked.suppressed = true;
            looked.hits.clear();
        }
        looked
    }

    /// Valid rows with this key, lowest way first.
    fn matching(&self, table: Table, key: &[u8]) -> Vec<&Row> {
        let places = hash::rows(key, table.rows_per_way());
        let ways = self.rows[table as usize].iter().zip(places);
        ways.filter_map(|(way, row)| way[row as usize].as_ref()).filter(|row| row.key[..key.len()] == *key).collect()
    }

    /// Executes a command. `ready`: the tables have been swept.
    pub fn execute(&mut self, command: &Command, ready: bool) -> Executed {
        let mut done =
            Executed { status: Status::Done, row: Command::new_zeroed(), row_valid: false, drops: Drops::default() };
        let opcode = match command.check() {
            Ok(opcode) if ready || opcode == Opcode::Nop => opcode,
            Ok(_) => return Executed { status: Status::NotReady, ..done },
            Err(status) => return Executed { status, ..done },
        };
        match opcode {
            Opcode::Nop => {}
            Opcode::WriteRow => {
                let row = row_content(command);
                if let Some(place) = self.place(command) {
                    *place = row;
                }
            }
            Opcode::ClearRow => {
                if let Some(place) = self.place(command) {
                    *place = None;
                }
            }
            Opcode::ReadRow => {
                if let Some(Some(row)) = self.place(command).map(|place| *place) {
                    done.row_valid = true;
                    done.row = row_as_command(command, &row);
                }
            }
            Opcode::ReadDrops | Opcode::ClearDrops => {
                if let Some(drops) = self.drops.get_mut(command.match_index_bits() as usize) {
                    done.drops = *drops;
                    if opcode == Opcode::ClearDrops {
                        *drops = Drops::default();
                    }
                }
            }
        }
        done
    }

    /// Counts a dropped frame for each distinct match index among its hits.
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

    /// Where a checked row command points.
    fn place(&mut self, command: &Command) -> Option<&mut Option<Row>> {
        let table = Table::from_bits(command.table)?;
        self.rows[table as usize].get_mut(usize::from(command.way))?.get_mut(command.row.get() as usize)
    }
}

/// The key of a lookup, if the frame has one.
fn key_of(parsed: &Parsed, lookup: Lookup) -> Option<Vec<u8>> {
    let side = usize::from(!lookup.is_source());
    let address = parsed.addresses?[side];
    Some(match lookup.table() {
        Table::Address => key::address_key(address).to_vec(),
        Table::Endpoint => key::endpoint_key(address, parsed.protocol, parsed.ports?[side]).to_vec(),
    })
}

/// What a checked `WriteRow` puts into its row. Bytes behind the table's key are not kept.
fn row_content(command: &Command) -> Option<Row> {
    let key_bytes = Table::from_bits(command.table)?.key_bytes();
    let mut row = Row {
        key: [0; key::KEY_BYTES_MAX],
        match_index: MatchIndex::new(command.match_index_bits())?,
        scope: Scope::from_bits(command.scope)?,
        not_after: command.not_after_ticks(),
    };
    row.key[..key_bytes].copy_from_slice(&command.key[..key_bytes]);
    Some(row)
}

/// A row as a completion shows it: the command that would write it, with tag, CRC and opcode zero.
fn row_as_command(place: &Command, row: &Row) -> Command {
    let table = Table::from_bits(place.table).unwrap_or(Table::Address);
    let mut command = Command::write_row(0, table, place.way, place.row.get(), row);
    command.opcode = 0;
    command.crc32c = U32::ZERO;
    command
}
