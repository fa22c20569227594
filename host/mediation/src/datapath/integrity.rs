//! Integrity of what goes over HI2 and HI3: hashes over PDUs, and signatures.
//!
//! Each LIID and CIN has a chain for IRI and one for content. A hash is over the octets of the PDUs that it names, one behind the other, as they are sent; hashes
//! are numbered from 1. A signature is over the integrity check that carries it, with nothing where the signature goes: as far as is known that is what receivers
//! check, and it proves which hashes there were, not what they were. What was accepted and not hashed yet when the process is killed is delivered without a
//! hash.
//!
//! # Clauses
//! TS 102 232-1 7.2.

use super::{ArenaFull, route::Numbering};
use crate::{
    arena::{Arena, BlockMemory},
    units::HostNs,
};
use aws_lc_rs::digest;
use core::fmt;
use writ_handover::{
    pspdu::{
        self, CheckType, DataType, HashAlgorithm, IntegrityCheck, Octets, Payload, PsPdu, SignatureAlgorithm, Tri,
    },
    time::UnixTime,
};

/// Most PDUs that one hash may name: as many numbers fit into any PDU with room to spare.
pub const HASHED_PDUS_MAX: u32 = 10_000;

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// When to hash, and when to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntegrityPolicy {
    /// With what.
    pub hash: Hash,
    /// A hash after so many PDUs, at most [`HASHED_PDUS_MAX`],
    pub pdus: u32,
    /// or when the first of them is so old.
    pub after_ns: u64,
    /// Signatures, if they are wanted and the encoder has a [`Signer`].
    pub signature: Option<SignaturePolicy>,
}

/// When to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignaturePolicy {
    /// After so many hashes,
    pub hashes: u32,
    /// or when the first of them is so old.
    pub after_ns: u64,
}

/// Signs with a key that stays where it is.
pub trait Signer: Send {
    /// What it signs with.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// The signature as the algorithm's usual octets (ECDSA: DER). `None`: it could not be made now, and is asked for again.
    fn sign(&self, octets: &[u8]) -> Option<Vec<u8>>;
}

/// PDUs that wait for their hash, and hashes that wait for their signature.
pub(super) struct Chain {
    policy: IntegrityPolicy,
    data: DataType,
    hashes: Numbering,
    signatures: Option<Numbering>,
    open: digest::Context,
    open_numbers: Vec<u32>,
    open_since: HostNs,
    unsigned: Vec<u32>,
    unsigned_since: HostNs,
    /// Stamp of the last PDU.
    last: UnixTime,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, unsigned) = (self.open_numbers.len(), self.unsigned.len());
        f.debug_struct("Chain").field("open", &open).field("unsigned", &unsigned).finish_non_exhaustive()
    }
}

impl Chain {
    pub(super) fn new(
        policy: IntegrityPolicy,
        data: DataType,
        hashes: Numbering,
        signatures: Option<Numbering>,
    ) -> Self {
        Self {
            policy,
            data,
            hashes,
            signatures,
            open: digest::Context::new(policy.hash.algorithm()),
            open_numbers: Vec::with_capacity(policy.pdus.min(HASHED_PDUS_MAX) as usize),
            open_since: HostNs(0),
            unsigned: Vec::new(),
            unsigned_since: HostNs(0),
            last: UnixTime::EPOCH,
        }
    }

    pub(super) fn numberings(&mut self) -> impl Iterator<Item = &mut Numbering> {
        [Some(&mut self.hashes), self.signatures.as_mut()].into_iter().flatten()
    }

    /// A PDU is about to be accepted.
    #[inline]
    pub(super) fn note(&mut self, pdu: &[u8], sequence: u32, time: UnixTime, now: HostNs) {
        if self.open_numbers.is_empty() {
            self.open_since = now;
        }
        self.open.update(pdu);
        self.open_numbers.push(sequence);
        self.last = time;
    }

    /// As many PDUs as one hash may name.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.open_numbers.len() >= self.policy.pdus.min(HASHED_PDUS_MAX) as usize
    }

    /// Puts what is due, or everything.
    pub(super) fn put<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        header: &pspdu::Context,
        signer: Option<&dyn Signer>,
        now: HostNs,
        everything: bool,
    ) -> Result<(), ArenaFull> {
        let is_old = now.since(self.open_since) >= self.policy.after_ns;
        if !self.open_numbers.is_empty() && (everything || is_old || self.is_full()) {
            self.put_hash(arena, header, now)?;
        }
        let Some((policy, signer)) = self.policy.signature.zip(signer) else {
            self.unsigned.clear();
            return Ok(());
        };
        let is_old = now.since(self.unsigned_since) >= policy.after_ns;
        let is_full = self.unsigned.len() >= policy.hashes as usize;
        if !self.unsigned.is_empty() && (everything || is_old || is_full) {
            self.put_signature(arena, header, signer, now)?;
        }
        Ok(())
    }

    fn put_hash<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        header: &pspdu::Context,
        now: HostNs,
    ) -> Result<(), ArenaFull> {
        let value = self.open.clone().finish();
        let check = IntegrityCheck {
            included_sequence_numbers: self.open_numbers.clone(),
            check_type: CheckType::Hash,
            data_type: Some(self.data),
            check_value: Octets::borrowed(value.as_ref()),
            hash_algorithm: Some(self.policy.hash.number()),
            signature_algorithm: None,
            others: Vec::new(),
        };
        let number = put(&mut self.hashes, arena, header, check, self.last, now)?;
        self.open = digest::Context::new(self.policy.hash.algorithm());
        self.open_numbers.clear();
        if self.unsigned.is_empty() {
            self.unsigned_since = now;
        }
        self.unsigned.push(number);
        Ok(())
    }

    fn put_signature<B: BlockMemory>(
        &mut self,
        arena: &mut Arena<B>,
        header: &pspdu::Context,
        signer: &dyn Signer,
        now: HostNs,
    ) -> Result<(), ArenaFull> {
        let Some(numbering) = &mut self.signatures else { return Ok(()) };
        let mut check = IntegrityCheck {
            included_sequence_numbers: self.unsigned.clone(),
            check_type: CheckType::Signature,
            data_type: Some(self.data),
            check_value: Octets::default(),
            hash_algorithm: None,
            signature_algorithm: Some(signer.algorithm()),
            others: Vec::new(),
        };
        let Some(signature) = signer.sign(&check.to_vec()) else { return Ok(()) };
        check.check_value = Octets::from(signature);
        put(numbering, arena, header, check, self.last, now)?;
        self.unsigned.clear();
        Ok(())
    }
}

/// Puts a check under the next number, counted from 1. Gives the number.
fn put<B: BlockMemory>(
    numbering: &mut Numbering,
    arena: &mut Arena<B>,
    header: &pspdu::Context,
    check: IntegrityCheck<'_>,
    time: UnixTime,
    now: HostNs,
) -> Result<u32, ArenaFull> {
    let number = (numbering.next as u32).wrapping_add(1);
    let pdu = PsPdu { header: header.header(number, time), payload: Payload::Tri(Tri::IntegrityCheck(check)) };
    let pdu = pdu.to_vec().expect("a header that a template was made of can be written");
    numbering.put_event(arena, &pdu, now)?;
    Ok(number)
}

impl Hash {
    const fn number(self) -> HashAlgorithm {
        match self {
            Self::Sha256 => HashAlgorithm::Sha256,
            Self::Sha384 => HashAlgorithm::Sha384,
            Self::Sha512 => HashAlgorithm::Sha512,
        }
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}
