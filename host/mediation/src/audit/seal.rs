//! Keys of the log: signing, sealing of identifiers, commitments.

use super::{hex, unhex};
use crate::units::Sensitive;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    signature::{Ed25519KeyPair, KeyPair},
};
use core::fmt;
use serde_json::{Value, json};

const SALT_BYTES: usize = 32;

/// Why key octets are no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRejected;

impl fmt::Display for KeyRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the octets given are no Ed25519 key")
    }
}

impl core::error::Error for KeyRejected {}

/// What a log is written with. `Debug` shows nothing of it.
pub struct AuditKeys {
    signing: Ed25519KeyPair,
    sealing: LessSafeKey,
}

impl fmt::Debug for AuditKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKeys(<redacted>)")
    }
}

/// A sealed field, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The salt; with it anyone can check the commitment.
    pub salt: [u8; SALT_BYTES],
    /// The value.
    pub value: Sensitive,
}

impl AuditKeys {
    /// From the seed of the Ed25519 key (32 octets) and the sealing key.
    ///
    /// # Errors
    /// [`KeyRejected`].
    pub fn new(signing_seed: &[u8; 32], sealing_key: &[u8; 32]) -> Result<Self, KeyRejected> {
        Ok(Self {
            signing: Ed25519KeyPair::from_seed_unchecked(signing_seed).map_err(|_| KeyRejected)?,
            sealing: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, sealing_key).map_err(|_| KeyRejected)?),
        })
    }

    /// The public key: all that [`super::verify()`] needs besides the file.
    pub fn public_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(self.signing.public_key().as_ref());
        key
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.signing.sign(message).as_ref().to_vec()
    }

    /// Opens the `sealed` text of a field called `name`. `None`: another key, another field, or damaged.
    pub fn open(&self, name: &str, sealed: &str) -> Option<Opened> {
        let mut octets = unhex(sealed)?;
        let (nonce, sealed) = octets.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.sealing.open_in_place(nonce, Aad::from(name.as_bytes()), sealed).ok()?;
        let (salt, value) = plain.split_first_chunk::<SALT_BYTES>()?;
        Some(Opened { salt: *salt, value: Sensitive::new(core::str::from_utf8(value).ok()?) })
    }
}

/// The commitment to a value: anyone who is given salt and value can check it.
pub(super) fn commitment(name: &str, salt: &[u8; SALT_BYTES], value: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(salt);
    hasher.update(&(name.len() as u64).to_le_bytes());
    hasher.update(name.as_bytes());
    hasher.update(value.as_bytes());
    hasher.finalize().into()
}

impl Opened {
    /// Whether this is what the record's `commitment` was made of.
    pub fn fits(&self, name: &str, commitment_text: &str) -> bool {
        hex(&commitment(name, &self.salt, self.value.reveal())) == commitment_text
    }
}

/// Seals the identifiers of one record with salts and nonces out of its random octets.
pub(super) struct FieldSealer<'a> {
    keys: &'a AuditKeys,
    stream: blake3::OutputReader,
}

impl<'a> FieldSealer<'a> {
    pub(super) fn new(keys: &'a AuditKeys, random: [u8; 32]) -> Self {
        let stream = blake3::Hasher::new_derive_key("writ audit salts and nonces 1").update(&random).finalize_xof();
        Self { keys, stream }
    }

    pub(super) fn seal(&mut self, name: &str, value: &Sensitive) -> Value {
        let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_LEN]);
        self.stream.fill(&mut salt);
        self.stream.fill(&mut nonce);
        let mut sealed = salt.to_vec();
        sealed.extend_from_slice(value.reveal().as_bytes());
        self.keys
            .sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name.as_bytes()), &mut sealed)
            .expect("identifiers are far below the limit of the cipher");
        let sealed = [nonce.as_slice(), &sealed].concat();
        json!({ "commitment": hex(&commitment(name, &salt, value.reveal())), "sealed": hex(&sealed) })
    }
}
