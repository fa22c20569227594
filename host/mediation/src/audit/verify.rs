//! Verifying a log with nothing but the file and the public key.

use super::{EventKind, NOTHING_BEFORE, VERSION, checkpoint_message, hex, record_hash, unhex};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use core::fmt;
use serde_json::Value;

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefectReason {
    /// The line is no record; the last one may have been cut in the middle.
    Form,
    /// The body is not in canonical form: somebody wrote it with another tool.
    NotCanonical,
    /// The record's format version is not known.
    Version,
    /// The record's number is not one more than the one before: records are missing, doubled or reordered.
    Number,
    /// The record does not continue the one before: that one was changed or replaced.
    Chain,
    /// The record's hash does not fit its body: it was changed.
    Hash,
    /// The checkpoint does not say what the log has before it.
    CheckpointContent,
    /// The checkpoint's signature was not made with this key.
    Signature,
    /// The expected head is the hash of no record: the log was cut, or replaced as a whole.
    HeadNotFound,
}

impl fmt::Display for DefectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "is no complete record",
            Self::NotCanonical => "is not in canonical form",
            Self::Version => "has an unknown version",
            Self::Number => "does not have the next number: records are missing, doubled or reordered",
            Self::Chain => "does not continue the record before it",
            Self::Hash => "does not have the hash of its body: it was changed",
            Self::CheckpointContent => "is a checkpoint that does not fit the records before it",
            Self::Signature => "is a checkpoint that was not signed with this key",
            Self::HeadNotFound => "should exist: no record has the expected head, so the log was cut or replaced",
        })
    }
}

/// The first record that is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// Its number by its place in the file, from 0.
    pub record: u64,
    /// What is wrong with it.
    pub reason: DefectReason,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "audit record {} {}", self.record, self.reason)
    }
}

impl core::error::Error for Defect {}

/// What could be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Records, all of them whole and in their place.
    pub records: u64,
    /// Hash of the last one.
    pub head: [u8; 32],
    /// Records in front of the last checkpoint: for these nobody without the signing key can have written another log.
    pub signed_records: u64,
    /// Number of the record with the expected head. `None`: none was given, and records may have been cut off the end.
    pub anchored_at: Option<u64>,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(last) = self.records.checked_sub(1) else { return write!(f, "no records") };
        write!(f, "verified up to record {last}, signed: {}", self.signed_records)?;
        match self.anchored_at {
            Some(anchor) => write!(f, "; the expected head is record {anchor}"),
            None => write!(f, "; without an expected head nothing is known about records after it"),
        }
    }
}

/// Verifies record by record, in constant memory.
#[derive(Debug)]
pub struct Verifier {
    public_key: [u8; 32],
    expected_head: Option<[u8; 32]>,
    verified: Verified,
}

impl Verifier {
    /// Begins with the first record.
    pub const fn new(public_key: [u8; 32], expected_head: Option<[u8; 32]>) -> Self {
        let verified = Verified { records: 0, head: NOTHING_BEFORE, signed_records: 0, anchored_at: None };
        Self { public_key, expected_head, verified }
    }

    /// The next line, without its newline.
    ///
    /// # Errors
    /// [`Defect`]: this is the first bad record.
    pub fn record(&mut self, line: &[u8]) -> Result<(), Defect> {
        let record = self.verified.records;
        let fail = |reason| Err(Defect { record, reason });
        let Some((body, hash)) = split(line) else { return fail(DefectReason::Form) };
        let Ok(value) = serde_json::from_slice::<Value>(body) else { return fail(DefectReason::Form) };
        if serde_json::to_vec(&value).ok().as_deref() != Some(body) {
            return fail(DefectReason::NotCanonical);
        }
        if value["v"].as_u64() != Some(VERSION) {
            return fail(DefectReason::Version);
        }
        if value["n"].as_u64() != Some(record) {
            return fail(DefectReason::Number);
        }
        if value["prev"].as_str() != Some(&hex(&self.verified.head)) {
            return fail(DefectReason::Chain);
        }
        let computed = record_hash(body);
        if hash != hex(&computed) {
            return fail(DefectReason::Hash);
        }
        if value["event"].as_str() == Some(EventKind::Checkpoint.name()) {
            self.checkpoint(&value["fields"]).map_err(|reason| Defect { record, reason })?;
        }
        if self.expected_head == Some(computed) {
            self.verified.anchored_at = Some(record);
        }
        (self.verified.records, self.verified.head) = (record + 1, computed);
        Ok(())
    }

    fn checkpoint(&mut self, fields: &Value) -> Result<(), DefectReason> {
        let Verified { records, head, .. } = self.verified;
        if fields["records"].as_u64() != Some(records) || fields["head"].as_str() != Some(&hex(&head)) {
            return Err(DefectReason::CheckpointContent);
        }
        let signature = fields["signature"].as_str().and_then(unhex).ok_or(DefectReason::CheckpointContent)?;
        UnparsedPublicKey::new(&ED25519, self.public_key)
            .verify(&checkpoint_message(records, &head), &signature)
            .map_err(|_| DefectReason::Signature)?;
        self.verified.signed_records = records;
        Ok(())
    }

    /// No more records.
    ///
    /// # Errors
    /// [`Defect`] with the number of the first record that is missing, if a head was expected and not met.
    pub fn finish(self) -> Result<Verified, Defect> {
        if self.expected_head.is_some() && self.verified.anchored_at.is_none() {
            return Err(Defect { record: self.verified.records, reason: DefectReason::HeadNotFound });
        }
        Ok(self.verified)
    }
}

/// Body and hash of a line.
fn split(line: &[u8]) -> Option<(&[u8], &str)> {
    let rest = line.strip_prefix(b"{\"body\":")?.strip_suffix(b"\"}")?;
    let (rest, hash) = rest.split_last_chunk::<64>()?;
    Some((rest.strip_suffix(b",\"hash\":\"")?, core::str::from_utf8(hash).ok()?))
}

/// Verifies the log in `file`. `expected_head` is a hash from a checkpoint that was kept elsewhere: without one a log that was cut
/// at its end cannot be told from a shorter one.
///
/// # Errors
/// [`Defect`]: the first bad record.
pub fn verify(file: &[u8], public_key: &[u8; 32], expected_head: Option<[u8; 32]>) -> Result<Verified, Defect> {
    let mut verifier = Verifier::new(*public_key, expected_head);
    let mut rest = file;
    while !rest.is_empty() {
        let Some(end) = rest.iter().position(|&octet| octet == b'\n') else {
            return Err(Defect { record: verifier.verified.records, reason: DefectReason::Form });
        };
        verifier.record(&rest[..end])?;
        rest = &rest[end + 1..];
    }
    verifier.finish()
}
