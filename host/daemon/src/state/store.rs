//! What has to be known again after a restart: destinations, tasks and where they stand, numbers that must never be given
//! twice. SQLite in WAL mode with `synchronous = FULL`, one writer; whatever identifies a target is sealed.

use crate::{
    convert,
    state::{
        audit::NamedNumbers,
        keys::{KEY_BYTES, MasterKey, Purpose, SealBroken, Sealer},
    },
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{fmt, num::NonZeroU64, path::Path};
use writ_control::{AddDestination, Uuid};
use writ_mediation::{
    StoredError,
    lifecycle::{CloseReason, TaskState},
    task::TaskSpec,
    units::{DestinationIndex, TaiNs, TaskIndex},
};

/// Version of the schema, in `PRAGMA user_version`.
const SCHEMA_VERSION: i64 = 3;
const SCHEMA: &str = "
CREATE TABLE number (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE destination (
    number INTEGER PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL
) STRICT;
CREATE TABLE task (
    number INTEGER PRIMARY KEY NOT NULL,
    xid_index BLOB NOT NULL,
    spec BLOB NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    cin INTEGER NOT NULL,
    correlation INTEGER NOT NULL,
    armed_ns INTEGER,
    first_selected_ns INTEGER,
    account TEXT
) STRICT;
CREATE INDEX task_by_xid ON task (xid_index);
CREATE INDEX task_by_state ON task (state);
";
/// New in version 2.
const SCHEMA_CARD: &str = "
CREATE TABLE card (one INTEGER PRIMARY KEY NOT NULL CHECK (one = 0), session INTEGER NOT NULL, tables BLOB NOT NULL) STRICT;
";
/// New in version 3: what was told of the card's losses, which changes more often than the tables.
const SCHEMA_TOLD: &str = "
ALTER TABLE card ADD COLUMN told TEXT;
";

/// What each version added to the one before.
const SCHEMA_STEPS: [&str; SCHEMA_VERSION as usize] = [SCHEMA, SCHEMA_CARD, SCHEMA_TOLD];

/// What is wrong with the store.
#[derive(Debug)]
pub(crate) enum StoreError {
    /// SQLite said no.
    Sql(rusqlite::Error),
    /// SQLite found its file damaged.
    Damaged(String),
    /// Written by another version.
    Schema(i64),
    /// A sealed field does not open.
    Seal {
        /// Number of the task.
        task: u32,
    },
    /// A field holds what this version does not write.
    Field {
        /// Table and number of the row.
        row: String,
        /// What is wrong.
        what: String,
    },
    /// All numbers of a kind are used up.
    NumbersExhausted(&'static str),
    /// The audit log names numbers of a kind that the store has not given.
    OlderThanAudit(&'static str),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(error) => write!(f, "store: {error}"),
            Self::Damaged(what) => write!(f, "store is damaged: {what}; put it back from its safe copy"),
            Self::Schema(found) => write!(f, "store has schema {found}, this writd reads {SCHEMA_VERSION}"),
            Self::Seal { task } => write!(f, "store, task {task}: {SealBroken}"),
            Self::Field { row, what } => write!(f, "store, {row}: {what}"),
            Self::NumbersExhausted(name) => write!(f, "store: all numbers for {name} are used up"),
            Self::OlderThanAudit(name) => write!(
                f,
                "store is missing or older than the audit log, which names a {name} that the store does not know; put its last state \
                 back, or move the whole state folder away to begin anew"
            ),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// A number that is given once and never again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counter {
    /// [`TaskIndex`].
    Task,
    /// [`DestinationIndex`].
    Destination,
    /// Communication identity numbers.
    Cin,
    /// X2/X3 correlation ids; 0 means "not correlated" and is never given.
    Correlation,
}

impl Counter {
    const fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Destination => "destination",
            Self::Cin => "cin",
            Self::Correlation => "correlation",
        }
    }

    /// First number, and the last one that its users can hold.
    const fn range(self) -> (i64, i64) {
        match self {
            Self::Task => (0, u32::MAX as i64),
            Self::Destination => (0, u16::MAX as i64),
            Self::Cin => (1, u32::MAX as i64),
            Self::Correlation => (1, i64::MAX),
        }
    }
}

/// What is stored of the card.
pub(crate) struct StoredCard {
    /// Its life.
    pub(crate) session: u64,
    /// What its tables should hold, or why that cannot be had.
    pub(crate) tables: Result<String, SealBroken>,
    /// Which of its losses were told; none by a process that did not write that down apart.
    pub(crate) told: Option<String>,
}

/// A task as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredTask {
    /// Dense number on this host.
    pub(crate) index: TaskIndex,
    /// The order.
    pub(crate) spec: TaskSpec,
    /// Where it stands.
    pub(crate) state: TaskState,
    /// Why it ends, once it does.
    pub(crate) reason: CloseReason,
    /// Its communication identity number.
    pub(crate) cin: u32,
    /// Its correlation id on X2/X3.
    pub(crate) correlation: u64,
    /// Card time at which all its rows were in force.
    pub(crate) armed: Option<TaiNs>,
    /// Stamp of the first packet that it selected.
    pub(crate) first_selected: Option<TaiNs>,
    /// Its account as of the last time that it was written down, as JSON.
    pub(crate) account: Option<String>,
}

/// A destination as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredDestination {
    /// Number, never given to another one.
    pub(crate) index: DestinationIndex,
    /// The rest.
    pub(crate) definition: AddDestination,
}

/// The store. Belongs to the control thread.
pub(crate) struct Store {
    sql: Connection,
    sealer: Sealer,
    index_key: [u8; KEY_BYTES],
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store, or makes it.
    pub(crate) fn open(path: &Path, master: &MasterKey) -> Result<Self, StoreError> {
        let sql = Connection::open(path)?;
        sql.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        sql.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        sql.pragma_update(None, "synchronous", "FULL")?;
        sql.pragma_update(None, "trusted_schema", false)?;
        sql.pragma_update(None, "secure_delete", true)?;
        let damage: String = sql.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if damage != "ok" {
            return Err(StoreError::Damaged(damage));
        }
        let found: i64 = sql.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let missing = match usize::try_from(found).ok().and_then(|found| SCHEMA_STEPS.get(found..)) {
            Some(steps) => steps.concat(),
            None => return Err(StoreError::Schema(found)),
        };
        if !missing.is_empty() {
            sql.execute_batch(&format!("BEGIN;{missing}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;"))?;
        }
        let sealer = Sealer::new(&master.derive(Purpose::StoreSeal));
        Ok(Self { sql, sealer, index_key: master.derive(Purpose::StoreIndex) })
    }

    /// Takes a number that was never given before. It is on the disk before this returns.
    pub(crate) fn take_number(&self, counter: Counter) -> Result<u64, StoreError> {
        let (first, last) = counter.range();
        let mut statement = self.sql.prepare_cached(
            "INSERT INTO number (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = value + 1
             WHERE value < ?3 RETURNING value",
        )?;
        let mut rows = statement.query(params![counter.name(), first, last])?;
        let value: Option<i64> = rows.next()?.map(|row| row.get(0)).transpose()?;
        // The statement commits when it ends, not when it gives its row: on a full disk the number would be given again.
        rows.next()?;
        Ok(value.ok_or(StoreError::NumbersExhausted(counter.name()))? as u64)
    }

    /// The number that was given last.
    fn last_number(&self, counter: Counter) -> Result<Option<u64>, StoreError> {
        let query = "SELECT value FROM number WHERE name = ?1";
        let value: Option<i64> = self.sql.query_row(query, [counter.name()], |row| row.get(0)).optional()?;
        Ok(value.map(|value| value as u64))
    }

    /// Refuses a store that is older than the audit log: it would give numbers a second time, and the journal of one
    /// destination to another.
    pub(crate) fn require_given(&self, named: &NamedNumbers) -> Result<(), StoreError> {
        for (counter, named) in [(Counter::Task, named.task), (Counter::Destination, named.destination)] {
            if named > self.last_number(counter)? {
                return Err(StoreError::OlderThanAudit(counter.name()));
            }
        }
        Ok(())
    }

    /// The card's clock must never be set below this: what expired by it stays expired.
    pub(crate) fn card_time_floor(&self) -> Result<TaiNs, StoreError> {
        let query = "SELECT value FROM number WHERE name = 'card_time_floor'";
        let value: Option<i64> = self.sql.query_row(query, [], |row| row.get(0)).optional()?;
        Ok(TaiNs(value.unwrap_or(0) as u64))
    }

    /// How many records the audit log had at least.
    pub(crate) fn audit_records(&self) -> Result<u64, StoreError> {
        let query = "SELECT value FROM number WHERE name = 'audit_records'";
        let value: Option<i64> = self.sql.query_row(query, [], |row| row.get(0)).optional()?;
        Ok(value.unwrap_or(0) as u64)
    }

    fn set_audit_records(&self, records: u64) -> Result<(), StoreError> {
        self.sql.execute(
            "INSERT INTO number (name, value) VALUES ('audit_records', ?1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [records as i64],
        )?;
        Ok(())
    }

    /// Raises the floor.
    pub(crate) fn raise_card_time_floor(&self, floor: TaiNs) -> Result<(), StoreError> {
        self.sql.execute(
            "INSERT INTO number (name, value) VALUES ('card_time_floor', ?1)
             ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            [floor.0 as i64],
        )?;
        Ok(())
    }

    /// Keeps what the card's tables should hold, and in which of the card's lives; and which of its losses were told.
    pub(crate) fn keep_card(&self, session: NonZeroU64, tables: &str, told: &str) -> Result<(), StoreError> {
        let broken = |SealBroken| StoreError::Field { row: "card".to_owned(), what: SealBroken.to_string() };
        let sealed = self.sealer.seal(&card_place(session.get()), tables.as_bytes()).map_err(broken)?;
        self.sql.execute(
            "INSERT INTO card (one, session, tables, told) VALUES (0, ?1, ?2, ?3)
             ON CONFLICT (one) DO UPDATE SET session = excluded.session, tables = excluded.tables, told = excluded.told",
            params![session.get().cast_signed(), sealed, told],
        )?;
        Ok(())
    }

    /// Forgets what [`Store::keep_card`] kept.
    pub(crate) fn forget_card(&self) -> Result<(), StoreError> {
        self.sql.execute("DELETE FROM card", [])?;
        Ok(())
    }

    /// What was kept of the card last.
    pub(crate) fn kept_card(&self) -> Result<Option<StoredCard>, StoreError> {
        let query = "SELECT session, tables, told FROM card";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?));
        let found = self.sql.query_row(query, [], row).optional()?;
        Ok(found.map(|(session, sealed, told)| {
            let session = session.cast_unsigned();
            let plain = self.sealer.open(&card_place(session), &sealed);
            let tables = plain.and_then(|plain| String::from_utf8(plain).map_err(|_| SealBroken));
            StoredCard { session, tables, told }
        }))
    }

    /// All destinations, by number.
    pub(crate) fn destinations(&self) -> Result<Vec<StoredDestination>, StoreError> {
        let mut query = self.sql.prepare("SELECT number, definition FROM destination ORDER BY number")?;
        let rows = query.query_map([], |row| Ok((row.get::<_, u16>(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| {
            let (number, definition) = row?;
            let definition = serde_json::from_str(&definition)
                .map_err(|error| StoreError::Field { row: format!("destination {number}"), what: error.to_string() })?;
            Ok(StoredDestination { index: DestinationIndex(number), definition })
        })
        .collect()
    }

    /// Stores a new destination.
    pub(crate) fn insert_destination(&self, destination: &StoredDestination) -> Result<(), StoreError> {
        let row = || format!("destination {}", destination.index.0);
        let definition = serde_json::to_string(&destination.definition)
            .map_err(|error| StoreError::Field { row: row(), what: error.to_string() })?;
        let sql = "INSERT INTO destination (number, name, definition) VALUES (?1, ?2, ?3)";
        self.sql.execute(sql, params![destination.index.0, destination.definition.name, definition])?;
        Ok(())
    }

    /// Forgets a destination. Its number stays used.
    pub(crate) fn remove_destination(&self, index: DestinationIndex) -> Result<(), StoreError> {
        self.sql.execute("DELETE FROM destination WHERE number = ?1", [index.0])?;
        Ok(())
    }

    /// Stores a new task.
    pub(crate) fn insert_task(&self, task: &StoredTask) -> Result<(), StoreError> {
        let sealed = self
            .sealer
            .seal(&seal_place(task.index), &task.spec.to_stored())
            .map_err(|SealBroken| StoreError::Seal { task: task.index.0 })?;
        self.sql.execute(
            "INSERT INTO task (number, xid_index, spec, state, reason, cin, correlation, armed_ns, first_selected_ns, account)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                task.index.0,
                self.xid_index(&task.spec.xid.text()),
                sealed,
                task.state.name(),
                task.reason.name(),
                task.cin,
                task.correlation as i64,
                task.armed.map(|armed| armed.0 as i64),
                task.first_selected.map(|first| first.0 as i64),
                task.account,
            ],
        )?;
        Ok(())
    }

    /// Writes down where a task stands: everything but its order and number.
    pub(crate) fn update_task(&self, task: &StoredTask) -> Result<(), StoreError> {
        self.sql.execute(
            "UPDATE task SET state = ?2, reason = ?3, cin = ?4, correlation = ?5, armed_ns = ?6, first_selected_ns = ?7,
             account = ?8 WHERE number = ?1",
            params![
                task.index.0,
                task.state.name(),
                task.reason.name(),
                task.cin,
                task.correlation as i64,
                task.armed.map(|armed| armed.0 as i64),
                task.first_selected.map(|first| first.0 as i64),
                task.account,
            ],
        )?;
        Ok(())
    }

    /// Writes down several tasks, how many records the audit log has on the disk, and which of the card's losses were told, and raises the floor of
    /// the card's clock, all or nothing.
    pub(crate) fn write_down(
        &mut self,
        tasks: &[&StoredTask],
        floor: Option<TaiNs>,
        audit_records: u64,
        told: Option<&str>,
    ) -> Result<(), StoreError> {
        self.sql.execute_batch("BEGIN IMMEDIATE")?;
        let written = tasks
            .iter()
            .try_for_each(|task| self.update_task(task))
            .and_then(|()| floor.map_or(Ok(()), |floor| self.raise_card_time_floor(floor)))
            .and_then(|()| self.set_audit_records(audit_records))
            .and_then(|()| told.map_or(Ok(()), |told| self.set_told(told)));
        match written {
            Ok(()) => Ok(self.sql.execute_batch("COMMIT")?),
            Err(error) => {
                // Whatever it answers, the transaction is over with the next BEGIN at the latest.
                let _ = self.sql.execute_batch("ROLLBACK");
                Err(error)
            }
        }
    }

    fn set_told(&self, told: &str) -> Result<(), StoreError> {
        // Without a row there is no card that anybody could take over.
        self.sql.prepare_cached("UPDATE card SET told = ?1")?.execute([told])?;
        Ok(())
    }

    /// All tasks that are not over, by number.
    pub(crate) fn live_tasks(&self) -> Result<Vec<StoredTask>, StoreError> {
        self.select("WHERE state <> 'ended' ORDER BY number", [])
    }

    /// A page of all tasks, by number, and how many there are.
    pub(crate) fn task_page(&self, skip: u64, limit: u32) -> Result<(u64, Vec<StoredTask>), StoreError> {
        let total: i64 = self.sql.query_row("SELECT count(*) FROM task", [], |row| row.get(0))?;
        let skip = i64::try_from(skip).unwrap_or(i64::MAX);
        let page = self.select("ORDER BY number LIMIT ?2 OFFSET ?1", params![skip, limit])?;
        Ok((total as u64, page))
    }

    /// All tasks with an XID, ended ones too, by number.
    pub(crate) fn tasks_by_xid(&self, xid: Uuid) -> Result<Vec<StoredTask>, StoreError> {
        self.select("WHERE xid_index = ?1 ORDER BY number", [self.xid_index(&xid.to_string())])
    }

    fn select(&self, rest: &str, params: impl rusqlite::Params) -> Result<Vec<StoredTask>, StoreError> {
        let columns = "number, spec, state, reason, cin, correlation, armed_ns, first_selected_ns, account";
        let mut query = self.sql.prepare_cached(&format!("SELECT {columns} FROM task {rest}"))?;
        let mut rows = query.query(params)?;
        let mut tasks = Vec::new();
        while let Some(row) = rows.next()? {
            tasks.push(self.task(row)?);
        }
        Ok(tasks)
    }

    fn task(&self, row: &rusqlite::Row<'_>) -> Result<StoredTask, StoreError> {
        let index = TaskIndex(row.get(0)?);
        let field = |what: String| StoreError::Field { row: format!("task {}", index.0), what };
        let sealed: Vec<u8> = row.get(1)?;
        let plain = self.sealer.open(&seal_place(index), &sealed).map_err(|_| StoreError::Seal { task: index.0 })?;
        let spec = TaskSpec::from_stored(&plain, |text| convert::target(text).ok())
            .map_err(|error: StoredError| field(error.to_string()))?;
        let (state, reason): (String, String) = (row.get(2)?, row.get(3)?);
        let time = |column| row.get::<_, Option<i64>>(column).map(|value| value.map(|ns| TaiNs(ns as u64)));
        Ok(StoredTask {
            index,
            spec,
            state: TaskState::parse(&state).ok_or_else(|| field(format!("unknown state {state}")))?,
            reason: CloseReason::parse(&reason).ok_or_else(|| field(format!("unknown reason {reason}")))?,
            cin: row.get(4)?,
            correlation: row.get::<_, i64>(5)? as u64,
            armed: time(6)?,
            first_selected: time(7)?,
            account: row.get(8)?,
        })
    }

    fn xid_index(&self, xid: &str) -> Vec<u8> {
        blake3::keyed_hash(&self.index_key, xid.as_bytes()).as_bytes().to_vec()
    }
}

/// The card's tables open with the life of the card that they are of, only.
fn card_place(session: u64) -> Vec<u8> {
    format!("card {session:016x}").into_bytes()
}

/// A sealed order opens in its own row only.
fn seal_place(index: TaskIndex) -> Vec<u8> {
    format!("task {}", index.0).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Keys, state::keys::MasterKey};
    use std::path::PathBuf;
    use writ_control::{Confirmation, DestinationSettings, InterfaceAddresses, TransportSecurity};
    use writ_handover::ids::{Liid, Xid};
    use writ_mediation::{
        task::{AccessType, Delivery, OrderKind, Responsible, Scope},
        units::Sensitive,
    };

    const XID: &str = "11111111-2222-4333-8444-555555555555";

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("writd-store-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("temporary folder");
        folder
    }

    fn open(folder: &Path) -> Result<Store, StoreError> {
        let keys = Keys {
            danger_key_file: Some(folder.join("master.key")),
            credential: None,
            integrity: None,
            payload: Default::default(),
        };
        Store::open(&folder.join("store.sqlite"), &MasterKey::load(&keys, true).expect("laboratory key"))
    }

    fn task(number: u32) -> StoredTask {
        StoredTask {
            index: TaskIndex(number),
            spec: TaskSpec {
                xid: Xid::parse(XID).expect("a UUID"),
                liid: Liid::parse("LIID/1").expect("an LIID"),
                kind: OrderKind::Title3,
                authority_reference: Sensitive::new("ORDER-1"),
                officer: Sensitive::new("Officer Name"),
                signer: Sensitive::new("Judge Name"),
                circuit: Sensitive::new("circuit-17"),
                username: Sensitive::new("subscriber-name"),
                access_type: AccessType::Fttx,
                targets: vec![convert::target("ipv4=192.0.2.77").expect("a target")],
                scope: Scope::Content,
                delivery: Delivery::Hi2AndHi3,
                destinations: vec![DestinationIndex(0)],
                start: TaiNs(10),
                end: TaiNs(20),
                responsible: Responsible { uid: 7, name: Sensitive::new("Carrier Person") },
            },
            state: TaskState::Pending,
            reason: CloseReason::Deactivated,
            cin: 1,
            correlation: u64::MAX >> 1,
            armed: None,
            first_selected: None,
            account: None,
        }
    }

    /// As the version before wrote it.
    #[test]
    fn a_destination_without_settings_is_read() {
        let text = r#"{"name":"old","addresses":{"interface":"hi","hi2":"192.0.2.9:1","hi3":"192.0.2.9:2"},
            "security":{"transport":"danger_plaintext"},"confirmation":"barrier"}"#;
        let read: AddDestination = serde_json::from_str(text).expect("good");
        assert!(read.settings.is_empty());
    }

    /// A file of each earlier version is taken as it is, and has everything that a new one has.
    #[test]
    fn a_store_of_an_earlier_version_is_brought_up_to_date() {
        let shape = |folder: &Path| {
            let sql = Connection::open(folder.join("store.sqlite")).expect("it was closed");
            let version: i64 = sql.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number");
            let mut query = sql
                .prepare(
                    "SELECT m.name, c.name, c.type FROM sqlite_schema m JOIN pragma_table_info(m.name) c ORDER BY 1, 2",
                )
                .expect("good");
            let column = |row: &rusqlite::Row<'_>| Ok([0, 1, 2].map(|at| row.get::<_, String>(at).unwrap_or_default()));
            let columns: Vec<[String; 3]> = query.query_map([], column).expect("good").map(Result::unwrap).collect();
            (version, columns)
        };
        let fresh = folder("shape");
        drop(open(&fresh).expect("new"));
        let wanted = shape(&fresh);
        assert_eq!(wanted.0, SCHEMA_VERSION);
        for version in 1..SCHEMA_VERSION {
            let folder = folder(&format!("shape-{version}"));
            drop(open(&folder).expect("it makes the key"));
            std::fs::remove_file(folder.join("store.sqlite")).expect("it was closed");
            let sql = Connection::open(folder.join("store.sqlite")).expect("new");
            let steps = SCHEMA_STEPS[..version as usize].concat();
            sql.execute_batch(&format!("{steps}PRAGMA user_version = {version};")).expect("as it was made");
            sql.execute_batch("INSERT INTO number VALUES ('cin', 41)").expect("as it was written");
            if version >= 2 {
                sql.execute_batch("INSERT INTO card (one, session, tables) VALUES (0, 7, x'00')").expect("as it was");
            }
            drop(sql);
            let mut store = open(&folder).expect("brought up to date");
            assert_eq!(store.take_number(Counter::Cin).expect("works"), 42, "what was there is there");
            let card = store.kept_card().expect("works");
            assert_eq!(card.map(|card| (card.session, card.told)), (version >= 2).then_some((7, None)));
            store.keep_card(NonZeroU64::MIN, "tables", "told").expect("works");
            store.insert_task(&task(3)).expect("works");
            store.write_down(&[], None, 5, Some("more")).expect("works");
            let card = store.kept_card().expect("works").expect("kept");
            assert_eq!((card.session, card.told.as_deref()), (1, Some("more")));
            drop(store);
            assert_eq!(shape(&folder), wanted, "from version {version}");
            drop(open(&folder).expect("once more"));
            std::fs::remove_dir_all(&folder).expect("own folder");
        }
        std::fs::remove_dir_all(&fresh).expect("own folder");
    }

    #[test]
    fn everything_is_there_again_after_a_restart() {
        let folder = folder("restart");
        let store = open(&folder).expect("new store");
        let destination = StoredDestination {
            index: DestinationIndex(0),
            definition: AddDestination {
                name: "agency".into(),
                addresses: InterfaceAddresses::Hi {
                    hi2: "192.0.2.9:1".parse().expect("an address"),
                    hi3: "192.0.2.9:2".parse().expect("an address"),
                },
                security: TransportSecurity::DangerPlaintext,
                confirmation: Confirmation::Barrier,
                settings: DestinationSettings { dscp: Some(46), ..DestinationSettings::default() },
            },
        };
        store.insert_destination(&destination).expect("new");
        assert!(store.insert_destination(&destination).is_err(), "names and numbers are unique");
        let mut first = task(0);
        store.insert_task(&first).expect("new");
        store.insert_task(&task(1)).expect("new");
        (first.state, first.reason, first.armed) = (TaskState::Ended, CloseReason::Expired, Some(TaiNs(12)));
        first.account = Some("{}".into());
        store.update_task(&first).expect("there");
        store.raise_card_time_floor(TaiNs(500)).expect("works");
        store.raise_card_time_floor(TaiNs(400)).expect("works");
        assert_eq!([0, 1].map(|_| store.take_number(Counter::Cin).expect("plenty")), [1, 2]);
        drop(store);

        let store = open(&folder).expect("old store");
        assert_eq!(store.card_time_floor().expect("there"), TaiNs(500));
        assert_eq!(store.take_number(Counter::Cin).expect("plenty"), 3);
        assert_eq!(store.take_number(Counter::Task).expect("plenty"), 0);
        assert_eq!(store.destinations().expect("there")[0].definition, destination.definition);
        let live = store.live_tasks().expect("there");
        assert_eq!(live.iter().map(|task| task.index.0).collect::<Vec<_>>(), [1]);
        let (total, page) = store.task_page(0, 1).expect("there");
        assert_eq!((total, page.len()), (2, 1));
        assert_eq!((&page[0].spec, page[0].state, page[0].armed), (&first.spec, first.state, first.armed));
        assert_eq!(page[0].correlation, first.correlation);
        assert_eq!(store.tasks_by_xid(XID.parse().expect("a UUID")).expect("there").len(), 2);
        store.remove_destination(DestinationIndex(0)).expect("there");
        assert!(store.destinations().expect("none").is_empty());
        std::fs::remove_dir_all(&folder).expect("own folder");
    }

    #[test]
    fn the_file_shows_no_identity_and_opens_with_its_key_only() {
        let folder = folder("sealed");
        open(&folder).expect("new store").insert_task(&task(0)).expect("new");
        for entry in std::fs::read_dir(&folder).expect("own folder") {
            let bytes = std::fs::read(entry.expect("own folder").path()).expect("own file");
            for secret in ["192.0.2.77", "LIID/1", "circuit-17", "subscriber-name", "Officer Name", XID] {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
            }
        }
        std::fs::write(folder.join("master.key"), [9; KEY_BYTES]).expect("own file");
        let error = open(&folder).expect("the file itself is good").live_tasks().expect_err("another key");
        assert!(matches!(error, StoreError::Seal { task: 0 }), "{error}");
        std::fs::remove_dir_all(&folder).expect("own folder");
    }

    #[test]
    fn a_number_that_does_not_reach_the_disk_is_not_given() {
        let folder = folder("commit");
        let store = open(&folder).expect("new store");
        assert_eq!(store.take_number(Counter::Cin).expect("plenty"), 1);
        // A constraint that is looked at when the statement commits, as a full disk is found.
        let fail_at_commit = "PRAGMA foreign_keys = ON;
             CREATE TABLE parent (number INTEGER PRIMARY KEY) STRICT;
             CREATE TABLE child (number INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED) STRICT;
             CREATE TRIGGER fail AFTER UPDATE ON number BEGIN INSERT INTO child VALUES (1); END;";
        store.sql.execute_batch(fail_at_commit).expect("own file");
        assert!(store.take_number(Counter::Cin).is_err());
        store.sql.execute_batch("DROP TRIGGER fail;").expect("own file");
        assert_eq!(store.take_number(Counter::Cin).expect("plenty"), 2);
        std::fs::remove_dir_all(&folder).expect("own folder");
    }

    #[test]
    fn a_store_that_is_older_than_the_audit_log_is_refused() {
        let folder = folder("older");
        let store = open(&folder).expect("new store");
        let named = |task, destination| NamedNumbers { task, destination };
        store.require_given(&named(None, None)).expect("a log without tasks");
        assert!(matches!(store.require_given(&named(Some(0), None)), Err(StoreError::OlderThanAudit("task"))));
        store.take_number(Counter::Task).expect("plenty");
        store.require_given(&named(Some(0), None)).expect("given");
        let older = store.require_given(&named(Some(0), Some(3)));
        assert!(matches!(older, Err(StoreError::OlderThanAudit("destination"))));
        std::fs::remove_dir_all(&folder).expect("own folder");
    }

    #[test]
    fn damage_and_other_versions_are_refused() {
        let folder = folder("damage");
        drop(open(&folder).expect("new store"));
        let path = folder.join("store.sqlite");
        let sql = Connection::open(&path).expect("own file");
        sql.execute_batch("PRAGMA user_version = 9;").expect("own file");
        drop(sql);
        assert!(matches!(open(&folder), Err(StoreError::Schema(9))));
        std::fs::write(&path, b"this is no database, and long enough to be looked at").expect("own file");
        assert!(open(&folder).is_err());
        std::fs::remove_dir_all(&folder).expect("own folder");
    }
}
