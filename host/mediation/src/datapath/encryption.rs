//! Encryption of payloads on HI2 and HI3, beside what TLS does: for agencies behind somebody else's receiver.
//!
//! The header of a PS-PDU stays readable; its payload becomes an encryption container with an EncryptedPayload in it, AES-CBC, zeros behind it to the next multiple
//! of 16 octets. The initialisation vector is the PDU's number, four times, as the one known implementation has it. The key has to be one that is used for
//! nothing else: number and key together must not come twice. Integrity checks are over the PDU as it was before.
//!
//! # Clauses
//! TS 102 232-1 7.3.

use crate::arena::SequenceKind;
use aes::{Aes192, Aes256};
use cbc::{
    Encryptor,
    cipher::{BlockModeEncrypt, KeyIvInit as _, block_padding::NoPadding},
};
use core::fmt;
use writ_handover::{
    pspdu::{EncryptedPayloadType, EncryptionType, Sealing},
    time::UnixTime,
};

/// Octets of a block of the cipher.
const BLOCK_OCTETS: usize = 16;

/// A key for payloads. `Debug` shows its length.
#[derive(Clone, PartialEq, Eq)]
pub enum PayloadKey {
    /// AES-192.
    Aes192([u8; 24]),
    /// AES-256.
    Aes256([u8; 32]),
}

impl PayloadKey {
    /// A key of 24 or 32 octets; `None` for another length.
    pub fn new(octets: &[u8]) -> Option<Self> {
        let aes192 = <[u8; 24]>::try_from(octets).map(Self::Aes192);
        aes192.or_else(|_| <[u8; 32]>::try_from(octets).map(Self::Aes256)).ok()
    }

    const fn encryption(&self) -> EncryptionType {
        match self {
            Self::Aes192(_) => EncryptionType::Aes192Cbc,
            Self::Aes256(_) => EncryptionType::Aes256Cbc,
        }
    }

    /// Encrypts whole blocks where they stand.
    fn encrypt(&self, sequence: u32, blocks: &mut [u8]) {
        let mut vector = [0; BLOCK_OCTETS];
        vector.as_chunks_mut::<4>().0.fill(sequence.to_be_bytes());
        match self {
            Self::Aes192(key) => in_place(Encryptor::<Aes192>::new(key.into(), &vector.into()), blocks),
            Self::Aes256(key) => in_place(Encryptor::<Aes256>::new(key.into(), &vector.into()), blocks),
        }
    }
}

fn in_place(cipher: impl BlockModeEncrypt, blocks: &mut [u8]) {
    let length = blocks.len();
    cipher.encrypt_padded::<NoPadding>(blocks, length).expect("whole blocks");
}

impl fmt::Debug for PayloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aes192(_) => "PayloadKey(192 bits)",
            Self::Aes256(_) => "PayloadKey(256 bits)",
        })
    }
}

/// Encrypts the payloads of one route.
pub(super) struct Sealer {
    key: PayloadKey,
    /// Octets of plaintext so far of IRI and of content, begun at the time of the first PDU in seconds times 2^32.
    byte_counters: [Option<u64>; 2],
    /// The PDU before, for whoever encodes one.
    pub(super) plain: Vec<u8>,
    blocks: Vec<u8>,
    sealed: Vec<u8>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Sealer {
    pub(super) const fn new(key: PayloadKey) -> Self {
        Self { key, byte_counters: [None; 2], plain: Vec::new(), blocks: Vec::new(), sealed: Vec::new() }
    }

    /// The PDU with its payload encrypted. It counts as sent when [`Sealer::accepted`] says so.
    pub(super) fn seal(&mut self, kind: SequenceKind, pdu: &[u8], sequence: u32, time: UnixTime) -> &[u8] {
        let parts = Sealing::of(pdu).expect("the encoder writes PS-PDUs");
        let counter = *self.byte_counters[stream(kind)].get_or_insert(time.seconds() << 32);
        self.blocks.clear();
        parts.plaintext(counter, &mut self.blocks);
        self.blocks.resize(self.blocks.len().next_multiple_of(BLOCK_OCTETS), 0);
        self.key.encrypt(sequence, &mut self.blocks);
        self.sealed.clear();
        parts.sealed(self.key.encryption(), EncryptedPayloadType::Part3, &self.blocks, &mut self.sealed);
        &self.sealed
    }

    /// The PDU that was sealed last was accepted.
    pub(super) fn accepted(&mut self, kind: SequenceKind) {
        if let Some(counter) = &mut self.byte_counters[stream(kind)] {
            *counter = counter.wrapping_add(self.blocks.len() as u64);
        }
    }
}

/// IRI and content are counted apart.
const fn stream(kind: SequenceKind) -> usize {
    if matches!(kind, SequenceKind::Content) { 1 } else { 0 }
}
