//! The audit log: an append-only chain of records that nobody can change, reorder or cut unnoticed.
//!
//! # Form
//! One record a line: `{"body":{..},"hash":"<64 hex digits>"}`. A body is canonical JSON (keys sorted, no white space) with `n`
//! (record number from 0), `prev` (hash of the record before; zeros in the first), `utc`, `tai_ns`, `event`, `fields` and `v` (1).
//! `hash` is BLAKE3 in derive-key mode over the octets of the body. A *checkpoint* is a record whose fields hold an Ed25519
//! signature over the number of records and the hash before it; checkpoints also leave the host, so that a log that was rewritten
//! as a whole shows.
//!
//! # Identifiers
//! Whatever identifies a target, an officer or a subscriber stands in a record as a commitment (BLAKE3 keyed with a random salt)
//! and a sealed field (AES-256-GCM over salt and value). The chain verifies without any secret; who holds the sealing key can open
//! a field; who is given salt and value can check the commitment without the key.
//!
//! # What it refuses
//! It does no I/O: [`Log::append`] gives octets that the caller writes and syncs *before* it acts. Random octets are arguments.
//! [`verify()`] needs the file and the public key only.
//!
//! # Clauses
//! 47 CFR 1.20004 (record of each interception): see [`Event::interception`].

mod seal;
mod verify;

pub use seal::{AuditKeys, KeyRejected, Opened};
pub use verify::{Defect, DefectReason, Verified, Verifier, verify};

use crate::{
    task::{TaskSpec, names},
    units::{Sensitive, TaiNs, TaskIndex},
};
use seal::FieldSealer;
use serde_json::{Map, Value, json};
use writ_handover::time::UnixTime;

const VERSION: u64 = 1;
/// Hash before the first record.
const NOTHING_BEFORE: [u8; 32] = [0; 32];

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names in the log say it")]
pub enum EventKind {
    LogBegun,
    ProcessStarted,
    ProcessStopped,
    Checkpoint,
    CardUp,
    CardAdopted,
    CardDown,
    CardDifference,
    CardRepaired,
    CardLoss,
    TimeSet,
    LeapTableStale,
    ArenaOpened,
    ActivationIntended,
    ActivationDone,
    ActivationFailed,
    DeactivationIntended,
    DeactivationDone,
    RevocationIntended,
    RevocationDone,
    TaskExpired,
    TaskDraining,
    TaskEnded,
    WithheldReleased,
    WithheldDestroyed,
    DestinationAdded,
    DestinationRemoved,
    SessionUp,
    SessionDown,
    SessionFault,
    Plaintext,
    Loss,
    Refused,
    IdentifiersShown,
    ConfigurationLoaded,
    KeyChanged,
    Other,
}

names!(EventKind {
    LogBegun = "log-begun",
    ProcessStarted = "process-started",
    ProcessStopped = "process-stopped",
    Checkpoint = "checkpoint",
    CardUp = "card-up",
    CardAdopted = "card-adopted",
    CardDown = "card-down",
    CardDifference = "card-difference",
    CardRepaired = "card-repaired",
    CardLoss = "card-loss",
    TimeSet = "time-set",
    LeapTableStale = "leap-table-stale",
    ArenaOpened = "arena-opened",
    ActivationIntended = "activation-intended",
    ActivationDone = "activation-done",
    ActivationFailed = "activation-failed",
    DeactivationIntended = "deactivation-intended",
    DeactivationDone = "deactivation-done",
    RevocationIntended = "revocation-intended",
    RevocationDone = "revocation-done",
    TaskExpired = "task-expired",
    TaskDraining = "task-draining",
    TaskEnded = "task-ended",
    WithheldReleased = "withheld-released",
    WithheldDestroyed = "withheld-destroyed",
    DestinationAdded = "destination-added",
    DestinationRemoved = "destination-removed",
    SessionUp = "session-up",
    SessionDown = "session-down",
    SessionFault = "session-fault",
    Plaintext = "plaintext",
    Loss = "loss",
    Refused = "refused",
    IdentifiersShown = "identifiers-shown",
    ConfigurationLoaded = "configuration-loaded",
    KeyChanged = "key-changed",
    Other = "other",
});

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum FieldValue {
    Text(String),
    Number(u64),
    Flag(bool),
    Identifier(Sensitive),
    Identifiers(Vec<Sensitive>),
}

/// Something to be recorded. Fields are kept sorted by name; giving a name twice replaces the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    kind: EventKind,
    fields: Vec<(&'static str, FieldValue)>,
}

impl Event {
    /// Without fields.
    pub const fn new(kind: EventKind) -> Self {
        Self { kind, fields: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: FieldValue) -> Self {
        self.fields.retain(|(known, _)| *known != name);
        self.fields.push((name, value));
        self
    }

    /// Adds a text that identifies nobody.
    #[must_use]
    pub fn text(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with(name, FieldValue::Text(text.into()))
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, name: &'static str, number: u64) -> Self {
        self.with(name, FieldValue::Number(number))
    }

    /// Adds a yes or no.
    #[must_use]
    pub fn flag(self, name: &'static str, flag: bool) -> Self {
        self.with(name, FieldValue::Flag(flag))
    }

    /// Adds something that identifies a person, a target or an interception: it is committed to and sealed.
    #[must_use]
    pub fn identifier(self, name: &'static str, value: impl Into<String>) -> Self {
        self.with(name, FieldValue::Identifier(Sensitive::new(value)))
    }

    /// Who did it: from the peer's uid.
    #[must_use]
    pub fn actor(self, uid: u32, role: &'static str) -> Self {
        self.number("actor_uid", uid.into()).text("actor_role", role)
    }

    /// What 47 CFR 1.20004 asks of the record of an interception, and what this product adds: for activation, deactivation and the
    /// end.
    pub fn interception(kind: EventKind, index: TaskIndex, spec: &TaskSpec) -> Self {
        let targets = spec.targets.iter().map(|target| target.text.clone()).collect();
        let destinations: Vec<String> = spec.destinations.iter().map(|destination| destination.0.to_string()).collect();
        Self::new(kind)
            .number("task", index.0.into())
            .identifier("xid", spec.xid.text())
            .identifier("liid", spec.liid.text())
            .text("order_kind", spec.kind.name())
            .identifier("authority_reference", spec.authority_reference.reveal())
            .identifier("officer", spec.officer.reveal())
            .identifier("signer", spec.signer.reveal())
            .identifier("circuit", spec.circuit.reveal())
            .identifier("username", spec.username.reveal())
            .with("targets", FieldValue::Identifiers(targets))
            .text("scope", spec.scope.name())
            .text("delivery", spec.delivery.name())
            .text("destinations", destinations.join(","))
            .number("start_tai_ns", spec.start.0)
            .number("end_tai_ns", spec.end.0)
            .number("responsible_uid", spec.responsible.uid.into())
            .identifier("responsible", spec.responsible.name.reveal())
    }

    fn body(&self, record: u64, prev: &[u8; 32], time: AuditTime, sealer: &mut FieldSealer<'_>) -> Value {
        let mut fields = Map::new();
        for (name, value) in &self.fields {
            let value = match value {
                FieldValue::Text(text) => json!(text),
                FieldValue::Number(number) => json!(number),
                FieldValue::Flag(flag) => json!(flag),
                FieldValue::Identifier(value) => sealer.seal(name, value),
                FieldValue::Identifiers(values) => values.iter().map(|value| sealer.seal(name, value)).collect(),
            };
            fields.insert((*name).into(), value);
        }
        json!({
            "v": VERSION,
            "n": record,
            "prev": hex(prev),
            "utc": utc_text(time.utc),
            "tai_ns": time.tai.0,
            "event": self.kind.name(),
            "fields": fields,
        })
    }
}

/// When something happened: on the host's wall clock and on the card's clock (0 while there is no card).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditTime {
    /// UTC.
    pub utc: UnixTime,
    /// Card time.
    pub tai: TaiNs,
}

/// A signed statement that the log had so many records with this hash at the end. Send it away from the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Records before it.
    pub records: u64,
    /// Hash of the last of them.
    pub head: [u8; 32],
    /// Ed25519 signature.
    pub signature: Vec<u8>,
}

/// What a checkpoint signs.
pub(crate) fn checkpoint_message(records: u64, head: &[u8; 32]) -> Vec<u8> {
    let mut message = b"writ audit checkpoint 1\0".to_vec();
    message.extend_from_slice(&records.to_le_bytes());
    message.extend_from_slice(head);
    message
}

/// The writing end of a log.
#[derive(Debug)]
pub struct Log {
    keys: AuditKeys,
    next: u64,
    head: [u8; 32],
}

/// What was found in a log that is gone on with.
#[derive(Debug)]
pub struct Resumed {
    /// The log, ready for the next record.
    pub log: Log,
    /// What was verified.
    pub verified: Verified,
    /// Octets of a last line that was not finished when the process died: cut them off before appending.
    pub torn_bytes: usize,
}

impl Log {
    /// A log without records. The first one should be [`EventKind::LogBegun`].
    pub const fn begin(keys: AuditKeys) -> Self {
        Self { keys, next: 0, head: NOTHING_BEFORE }
    }

    /// Goes on with the log in `file`, after verifying all of it.
    ///
    /// # Errors
    /// [`Defect`]: the log was damaged or tampered with. Begin no new one in its place: somebody has to look at this.
    pub fn resume(keys: AuditKeys, file: &[u8]) -> Result<Resumed, Defect> {
        let whole = file.iter().rposition(|&octet| octet == b'\n').map_or(0, |last| last + 1);
        let verified = verify(&file[..whole], &keys.public_key(), None)?;
        let log = Self { keys, next: verified.records, head: verified.head };
        Ok(Resumed { log, verified, torn_bytes: file.len() - whole })
    }

    /// Records so far.
    pub const fn records(&self) -> u64 {
        self.next
    }

    /// Hash of the last record: what `--expect-head` takes.
    pub const fn head(&self) -> &[u8; 32] {
        &self.head
    }

    /// Opens a sealed field, for authorised eyes.
    pub fn keys(&self) -> &AuditKeys {
        &self.keys
    }

    /// The next record as one line, its newline included. `random` are fresh random octets. Write and sync the line before acting
    /// on it; if that fails, the log in memory is ahead of the file: [`Log::resume`] it.
    pub fn append(&mut self, event: &Event, time: AuditTime, random: [u8; 32]) -> Vec<u8> {
        let mut sealer = FieldSealer::new(&self.keys, random);
        let body = event.body(self.next, &self.head, time, &mut sealer);
        let body = serde_json::to_vec(&body).expect("strings and numbers always serialise");
        let hash = record_hash(&body);
        (self.next, self.head) = (self.next + 1, hash);
        let mut line = b"{\"body\":".to_vec();
        line.extend_from_slice(&body);
        line.extend_from_slice(b",\"hash\":\"");
        line.extend_from_slice(hex(&hash).as_bytes());
        line.extend_from_slice(b"\"}\n");
        line
    }

    /// Signs what is there: the checkpoint's record, to be written like any other, and the checkpoint itself, to be sent away.
    pub fn checkpoint(&mut self, time: AuditTime, random: [u8; 32]) -> (Vec<u8>, Checkpoint) {
        let signature = self.keys.sign(&checkpoint_message(self.next, &self.head));
        let checkpoint = Checkpoint { records: self.next, head: self.head, signature };
        let event = Event::new(EventKind::Checkpoint)
            .number("records", checkpoint.records)
            .text("head", hex(&checkpoint.head))
            .text("signature", hex(&checkpoint.signature));
        (self.append(&event, time, random), checkpoint)
    }
}

fn record_hash(body: &[u8]) -> [u8; 32] {
    blake3::Hasher::new_derive_key("writ audit record 1").update(body).finalize().into()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// `2026-01-31T12:00:00.000001Z`.
fn utc_text(time: UnixTime) -> String {
    let (days, second) = (time.seconds() / 86_400, time.seconds() % 86_400);
    // Days to a date of the proleptic Gregorian calendar, counted in eras of 400 years that begin on 1 March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", time.microseconds())
}

#[cfg(test)]
mod tests;
