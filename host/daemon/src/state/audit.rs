//! The audit log as the daemon keeps it: mediation's chain, this host's disk.

use crate::{
    clock,
    state::audit_file::AuditFile,
    state::keys::{self, MasterKey, Purpose},
};
use serde_json::Value;
use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use writ_control::report::{AuditPage, AuditVerdict, AuditView, Instant};
use writ_mediation::{
    audit::{AuditKeys, AuditTime, Defect, DefectReason, Event, EventKind, Log, Verifier},
    units::TaiNs,
};

/// Records after which a checkpoint is signed.
const CHECKPOINT_RECORDS: u64 = 64;

/// What is wrong with the log.
#[derive(Debug)]
pub(crate) enum AuditError {
    /// The file.
    Io(PathBuf, io::Error),
    /// It is not as it was written.
    Defect(PathBuf, Defect),
    /// The keys, or randomness.
    Keys(String),
    /// A public key or a head that is none.
    Hex(&'static str),
    /// Records were there that are not there any more.
    Cut {
        /// Its path.
        path: PathBuf,
        /// Records that are there.
        records: u64,
        /// Records that there were, at least.
        wanted: u64,
    },
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "audit log {}: {error}", path.display()),
            Self::Defect(path, defect) => write!(
                f,
                "audit log {}: {defect}; somebody has to look at this: keep the file, then move it away to begin a new log",
                path.display()
            ),
            Self::Keys(what) => write!(f, "audit log: {what}"),
            Self::Cut { path, records, wanted } => write!(
                f,
                "audit log {}: holds {records} records, but there were {wanted}: its end was cut off; somebody has to look at this: put \
                 the whole log back, or keep the file, then move it away to begin a new log",
                path.display()
            ),
            Self::Hex(what) => write!(f, "{what}: 64 hexadecimal digits are wanted"),
        }
    }
}

impl std::error::Error for AuditError {}

/// The log, open for writing.
#[derive(Debug)]
pub(crate) struct AuditLog {
    file: AuditFile,
    log: Log,
    /// Records that survive a power cut.
    durable: u64,
    unsigned: u64,
    public_key: [u8; 32],
}

/// What was found when the log was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuditFound {
    /// Records that were there.
    pub(crate) records: u64,
    /// The largest numbers that they name.
    pub(crate) named: NamedNumbers,
    /// Bytes of a torn last line, which was cut off.
    pub(crate) torn_bytes: u64,
}

/// The largest numbers of tasks and destinations that a log names. Each was given by the store before its record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct NamedNumbers {
    /// Of tasks.
    pub(crate) task: Option<u64>,
    /// Of destinations.
    pub(crate) destination: Option<u64>,
}

impl NamedNumbers {
    fn of(text: &[u8]) -> Self {
        #[derive(serde::Deserialize)]
        struct Record {
            body: Body,
        }
        #[derive(serde::Deserialize)]
        struct Body {
            fields: Fields,
        }
        #[derive(serde::Deserialize)]
        struct Fields {
            task: Option<u64>,
            destination: Option<u64>,
        }
        let records = text.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice::<Record>(line).ok());
        records.fold(Self::default(), |named, Record { body: Body { fields } }| Self {
            task: named.task.max(fields.task),
            destination: named.destination.max(fields.destination),
        })
    }
}

impl AuditLog {
    /// Opens `audit.log` in a folder, after verifying all of it, or begins it. The public key is laid beside it.
    pub(crate) fn open(folder: &Path, master: &MasterKey) -> Result<(Self, AuditFound), AuditError> {
        let path = folder.join("audit.log");
        let io = |error| AuditError::Io(path.clone(), error);
        let audit_keys = AuditKeys::new(&master.derive(Purpose::AuditSign), &master.derive(Purpose::AuditSeal))
            .map_err(|error| AuditError::Keys(error.to_string()))?;
        let public_key = audit_keys.public_key();
        let (file, text, torn_bytes) = AuditFile::open(&path).map_err(io)?;
        publish_key(&folder.join("audit.pub"), &public_key)?;
        let resumed = Log::resume(audit_keys, &text).map_err(|defect| AuditError::Defect(path.clone(), defect))?;
        let named = NamedNumbers::of(&text);
        let found = AuditFound { records: resumed.verified.records, named, torn_bytes };
        let unsigned = resumed.verified.records - resumed.verified.signed_records;
        let durable = resumed.verified.records;
        Ok((Self { file, log: resumed.log, durable, unsigned, public_key }, found))
    }

    /// Refuses a log that had more records. One that is begun anew, because the old one was moved away, is good.
    pub(crate) fn require_records(&self, wanted: u64) -> Result<(), AuditError> {
        if self.durable == 0 || self.durable >= wanted {
            return Ok(());
        }
        Err(AuditError::Cut { path: self.file.path().to_owned(), records: self.durable, wanted })
    }

    /// Records that survive a power cut.
    pub(crate) const fn durable_records(&self) -> u64 {
        self.durable
    }

    /// Whether everything reached the disk, with room for more.
    pub(crate) const fn is_sound(&self) -> bool {
        self.file.is_sound()
    }

    /// Writes a record. When it returns `Ok` it survives a power cut.
    pub(crate) fn write(&mut self, event: &Event, card_time: TaiNs) -> Result<(), AuditError> {
        let random = keys::random().map_err(|error| AuditError::Keys(error.to_string()))?;
        let line = self.log.append(event, time(card_time), random);
        self.unsigned += 1;
        self.store(&line)?;
        if self.unsigned >= CHECKPOINT_RECORDS { self.checkpoint(card_time) } else { Ok(()) }
    }

    /// Signs what is there, if anything is not signed. The checkpoint also goes to the process's log, so that it leaves the host with it.
    pub(crate) fn checkpoint(&mut self, card_time: TaiNs) -> Result<(), AuditError> {
        if self.unsigned == 0 {
            return Ok(());
        }
        let random = keys::random().map_err(|error| AuditError::Keys(error.to_string()))?;
        let (line, checkpoint) = self.log.checkpoint(time(card_time), random);
        self.store(&line)?;
        self.unsigned = 0;
        let (head, signature) = (hex(&checkpoint.head), hex(&checkpoint.signature));
        tracing::info!("audit checkpoint: {} records, head {head}, signature {signature}", checkpoint.records);
        Ok(())
    }

    fn store(&mut self, line: &[u8]) -> Result<(), AuditError> {
        self.file.append(line).map_err(|error| AuditError::Io(self.file.path().to_owned(), error))?;
        self.durable = self.log.records();
        Ok(())
    }

    /// Tries again what the disk did not take.
    pub(crate) fn retry(&mut self) {
        if !self.is_sound()
            && let Err(error) = self.file.flush()
        {
            tracing::warn!("audit log {}: {error}", self.file.path().display());
        }
    }

    /// A page of the log; with `tasks` only records about those.
    pub(crate) fn page(&self, tasks: Option<&[u64]>, skip: u64, limit: u32) -> Result<AuditPage, AuditError> {
        let io = |error| AuditError::Io(self.file.path().to_owned(), error);
        let mut page = AuditPage { total: 0, records: Vec::new() };
        for line in BufReader::new(File::open(self.file.path()).map_err(io)?).split(b'\n') {
            let line = line.map_err(io)?;
            let Ok(mut record) = serde_json::from_slice::<Value>(&line) else { continue };
            let about = record["body"]["fields"]["task"].as_u64();
            if tasks.is_some_and(|tasks| !about.is_some_and(|about| tasks.contains(&about))) {
                continue;
            }
            if page.total >= skip && page.records.len() < limit as usize {
                page.records.push(view(&mut record));
            }
            page.total += 1;
        }
        Ok(page)
    }

    /// Verifies the file as it is on the disk.
    pub(crate) fn verify(&self, expect_head: Option<&str>) -> Result<AuditVerdict, AuditError> {
        verify_file(self.file.path(), self.public_key, expect_head)
    }
}

fn time(card_time: TaiNs) -> AuditTime {
    AuditTime { utc: clock::universal_time(), tai: card_time }
}

fn view(record: &mut Value) -> AuditView {
    let body = &mut record["body"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    AuditView {
        number: body["n"].as_u64().unwrap_or_default(),
        time: Instant { tai_ns: body["tai_ns"].as_u64().unwrap_or_default(), utc: text(&body["utc"]) },
        event: text(&body["event"]),
        fields: body["fields"].take(),
        hash: text(&record["hash"]),
    }
}

/// The key that others verify with. A file that is there and differs means that the master key was replaced.
fn publish_key(path: &Path, key: &[u8; 32]) -> Result<(), AuditError> {
    let io = |error| AuditError::Io(path.to_owned(), error);
    let text = format!("{}\n", hex(key));
    match std::fs::read_to_string(path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(AuditError::Keys(format!(
            "{} holds another key: the log was begun under another master key",
            path.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)
        }
        Err(error) => Err(io(error)),
    }
}

/// Verifies a log with nothing but its file and the public key.
pub(crate) fn verify_file(
    path: &Path,
    public_key: [u8; 32],
    expect_head: Option<&str>,
) -> Result<AuditVerdict, AuditError> {
    let io = |error| AuditError::Io(path.to_owned(), error);
    let expected = expect_head.map(|text| unhex(text).ok_or(AuditError::Hex("expected head"))).transpose()?;
    let mut verifier = Verifier::new(public_key, expected);
    let (mut records, mut checkpoints, mut head) = (0, 0, "0".repeat(64));
    let mut defect = None;
    let mut reader = BufReader::new(File::open(path).map_err(io)?);
    let mut line = Vec::new();
    let marker = format!("\"event\":\"{}\"", EventKind::Checkpoint.name());
    while reader.read_until(b'\n', &mut line).map_err(io)? > 0 {
        let Some(whole) = line.strip_suffix(b"\n") else {
            defect = Some(Defect { record: records, reason: DefectReason::Form });
            break;
        };
        if let Err(found) = verifier.record(whole) {
            defect = Some(found);
            break;
        }
        records += 1;
        checkpoints += u64::from(whole.windows(marker.len()).any(|window| window == marker.as_bytes()));
        // A good record ends with its hash.
        head = String::from_utf8_lossy(&whole[whole.len() - 66..whole.len() - 2]).into_owned();
        line.clear();
    }
    let (anchored, defect) = match (defect, verifier.finish()) {
        (Some(defect), finished) => (finished.is_ok_and(|verified| verified.anchored_at.is_some()), Some(defect)),
        (None, Ok(verified)) => (verified.anchored_at.is_some(), None),
        (None, Err(defect)) => (false, Some(defect)),
    };
    Ok(AuditVerdict {
        verified: defect.is_none(),
        records,
        checkpoints,
        head,
        head_found: expected.map(|_| anchored),
        problem: defect.map(|defect| defect.to_string()),
    })
}

/// Reads a public key as [`AuditLog::open`] lays it down.
pub(crate) fn read_public_key(path: &Path) -> Result<[u8; 32], AuditError> {
    let text = std::fs::read_to_string(path).map_err(|error| AuditError::Io(path.to_owned(), error))?;
    unhex(text.trim()).ok_or(AuditError::Hex("public key"))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Keys;

    #[test]
    fn the_log_goes_on_and_shows_what_was_changed() {
        let folder = std::env::temp_dir().join(format!("writd-auditlog-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("temporary folder");
        let keys = Keys {
            danger_key_file: Some(folder.join("master.key")),
            credential: None,
            integrity: None,
            payload: Default::default(),
        };
        let master = MasterKey::load(&keys, true).expect("laboratory key");
        let event = |number| Event::new(EventKind::Other).number("task", number).identifier("liid", "LIID-1");
        let (mut log, found) = AuditLog::open(&folder, &master).expect("new log");
        assert_eq!(found, AuditFound { records: 0, named: NamedNumbers::default(), torn_bytes: 0 });
        log.write(&event(1), TaiNs(5)).expect("room");
        log.write(&event(2), TaiNs(6)).expect("room");
        log.checkpoint(TaiNs(7)).expect("room");
        drop(log);
        let path = folder.join("audit.log");
        std::fs::OpenOptions::new().append(true).open(&path).and_then(|mut f| f.write_all(b"{\"bo")).expect("own file");

        let (mut log, found) = AuditLog::open(&folder, &master).expect("old log");
        let named = NamedNumbers { task: Some(2), destination: None };
        assert_eq!(found, AuditFound { records: 3, named, torn_bytes: 4 });
        log.write(&event(1), TaiNs(8)).expect("room");
        let verdict = log.verify(None).expect("readable");
        assert_eq!((verdict.verified, verdict.records, verdict.checkpoints), (true, 4, 1));
        assert_eq!(log.durable_records(), 4);
        log.require_records(4).expect("all there");
        let cut = log.require_records(5).expect_err("one is gone").to_string();
        assert!(cut.contains("4 records, but there were 5"), "{cut}");
        assert_eq!(log.verify(Some(&verdict.head)).expect("readable").head_found, Some(true));
        let missing = log.verify(Some(&"ab".repeat(32))).expect("readable");
        assert_eq!((missing.verified, missing.head_found), (false, Some(false)));
        let zero = log.verify(Some(&"0".repeat(64))).expect("readable");
        assert!(!zero.verified && zero.head_found == Some(false) && zero.problem.is_some());
        assert!(log.verify(Some("short")).is_err());
        let page = log.page(Some(&[1]), 1, 10).expect("readable");
        assert_eq!((page.total, page.records.len(), page.records[0].number), (2, 1, 3));
        assert!(!format!("{page:?}").contains("LIID-1"));

        let text = std::fs::read_to_string(&path).expect("own file").replace("\"tai_ns\":6", "\"tai_ns\":9");
        std::fs::write(&path, text).expect("own file");
        let public_key = read_public_key(&folder.join("audit.pub")).expect("laid down");
        let verdict = verify_file(&path, public_key, None).expect("readable");
        assert_eq!((verdict.verified, verdict.records), (false, 1));
        assert!(verdict.problem.is_some_and(|problem| problem.contains("record 1")));
        assert!(matches!(AuditLog::open(&folder, &master), Err(AuditError::Defect(..))));
        std::fs::remove_dir_all(&folder).expect("own folder");
    }
}
