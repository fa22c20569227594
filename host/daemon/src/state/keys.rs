//! The master key, what is derived from it, and sealing with that.

use crate::{
    config::Keys,
    process::{self, ProcessError},
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};
use std::{
    fmt,
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Bytes of every key here.
pub(crate) const KEY_BYTES: usize = 32;

/// Why there is no master key.
#[derive(Debug)]
pub(crate) enum KeyError {
    /// The key file.
    File {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read it.
    Process(ProcessError),
    /// It holds no key.
    Length {
        /// Its path.
        path: PathBuf,
        /// Bytes that it holds.
        bytes: usize,
    },
    /// There is state, but the key that it was sealed with is gone.
    Lost(PathBuf),
    /// systemd handed over no credentials.
    NoCredentials,
    /// The system has no randomness.
    Randomness,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(f, "master key {}: {source}", path.display()),
            Self::Process(error) => write!(f, "master key: {error}"),
            Self::Length { path, bytes } => {
                write!(f, "master key {}: holds {bytes} bytes, {KEY_BYTES} are wanted", path.display())
            }
            Self::Lost(path) => write!(
                f,
                "master key {}: is missing, but there is state that was sealed with it; put it back from its safe copy",
                path.display()
            ),
            Self::NoCredentials => {
                write!(f, "keys.credential is configured, but CREDENTIALS_DIRECTORY is not set: start writd by systemd")
            }
            Self::Randomness => write!(f, "the system gives no randomness"),
        }
    }
}

impl std::error::Error for KeyError {}

/// The key from which all others come. Never printed, never stored by this program but at its very first start.
pub(crate) struct MasterKey([u8; KEY_BYTES]);

/// What a derived key is for. Each gives another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Seals rows of the store.
    StoreSeal,
    /// Finds rows of the store without showing what they are about.
    StoreIndex,
    /// Seals journals.
    Journal,
    /// Seals fields of the audit log.
    AuditSeal,
    /// Seed of the key that signs the audit log.
    AuditSign,
}

impl Purpose {
    const fn context(self) -> &'static str {
        match self {
            Self::StoreSeal => "writ 2026-01 store seal v1",
            Self::StoreIndex => "writ 2026-01 store index v1",
            Self::Journal => "writ 2026-01 journal v1",
            Self::AuditSeal => "writ 2026-01 audit seal v1",
            Self::AuditSign => "writ 2026-01 audit signature v1",
        }
    }
}

impl MasterKey {
    /// Fetches the key. `fresh`: there is no state yet, so a laboratory's key file may be made.
    pub(crate) fn load(keys: &Keys, fresh: bool) -> Result<Self, KeyError> {
        if let Some(name) = &keys.credential {
            let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or(KeyError::NoCredentials)?;
            return Self::read(&Path::new(&folder).join(name));
        }
        let path = keys.danger_key_file.as_deref().unwrap_or(Path::new("master.key"));
        match Self::read(path) {
            Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound && fresh => Self::make(path),
            Err(KeyError::File { source, path }) if source.kind() == io::ErrorKind::NotFound => {
                Err(KeyError::Lost(path))
            }
            Ok(key) => {
                process::require_private_file(path).map_err(KeyError::Process)?;
                Ok(key)
            }
            other => other,
        }
    }

    /// Looks at a key that is there as [`MasterKey::load`] would. One that systemd hands over is not there yet.
    pub(crate) fn check(keys: &Keys) -> Result<(), KeyError> {
        match &keys.danger_key_file {
            Some(path) if path.exists() => Self::load(keys, false).map(drop),
            _ => Ok(()),
        }
    }

    fn read(path: &Path) -> Result<Self, KeyError> {
        let bytes = std::fs::read(path).map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        let key = bytes.as_slice().try_into().map(Self);
        key.map_err(|_| KeyError::Length { path: path.to_owned(), bytes: bytes.len() })
    }

    fn make(path: &Path) -> Result<Self, KeyError> {
        let fail = |source| KeyError::File { path: path.to_owned(), source };
        let mut key = [0; KEY_BYTES];
        rand::fill(&mut key).map_err(|_| KeyError::Randomness)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(fail)?;
        file.write_all(&key).and_then(|()| file.sync_all()).map_err(fail)?;
        if let Some(folder) = path.parent() {
            process::sync_folder(folder).map_err(fail)?;
        }
        Ok(Self(key))
    }

    /// The key for a purpose.
    pub(crate) fn derive(&self, purpose: Purpose) -> [u8; KEY_BYTES] {
        blake3::derive_key(purpose.context(), &self.0)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

/// Sealed bytes do not open: another key, another place, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealBroken;

impl fmt::Display for SealBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sealed data does not open: it was damaged, moved, or sealed with another master key")
    }
}

impl std::error::Error for SealBroken {}

/// Seals small pieces: AES-256-GCM with random nonces, which is good for 2^32 pieces a key.
pub(crate) struct Sealer {
    key: RandomizedNonceKey,
}

impl Sealer {
    /// With a derived key.
    pub(crate) fn new(key: &[u8; KEY_BYTES]) -> Self {
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).expect("an AES-256 key has 32 bytes");
        Self { key }
    }

    /// Nonce, ciphertext, tag. `place` says where the piece belongs; it opens nowhere else.
    pub(crate) fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealBroken> {
        let mut body = plain.to_vec();
        let nonce = self.key.seal_in_place_append_tag(Aad::from(place), &mut body).map_err(|_| SealBroken)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// The inverse of [`Sealer::seal`].
    pub(crate) fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealBroken> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(SealBroken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealBroken)?;
        let mut body = body.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(place), &mut body).map_err(|_| SealBroken)?;
        Ok(plain.to_vec())
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| KeyError::Randomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_pieces_open_at_their_place_only() {
        let sealer = Sealer::new(&[7; KEY_BYTES]);
        let sealed = sealer.seal(b"task 1", b"secret").expect("works");
        assert_eq!(sealer.open(b"task 1", &sealed).as_deref(), Ok(&b"secret"[..]));
        assert_eq!(sealer.open(b"task 2", &sealed), Err(SealBroken));
        assert_eq!(Sealer::new(&[8; KEY_BYTES]).open(b"task 1", &sealed), Err(SealBroken));
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(sealer.open(b"task 1", &damaged), Err(SealBroken), "byte {at}");
            assert_eq!(sealer.open(b"task 1", &sealed[..at]), Err(SealBroken), "{at} bytes");
        }
        assert_ne!(sealer.seal(b"task 1", b"secret").expect("works"), sealed);
    }

    #[test]
    fn key_file_is_made_once_and_never_replaced() {
        let folder = std::env::temp_dir().join(format!("writd-keys-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("temporary folder");
        let path = folder.join("master.key");
        let keys = Keys {
            danger_key_file: Some(path.clone()),
            credential: None,
            integrity: None,
            payload: Default::default(),
        };
        let lost = MasterKey::load(&keys, false).expect_err("none yet").to_string();
        assert!(lost.contains("put it back"), "{lost}");
        let made = MasterKey::load(&keys, true).expect("made").derive(Purpose::StoreSeal);
        let again = MasterKey::load(&keys, true).expect("there");
        assert_eq!(again.derive(Purpose::StoreSeal), made);
        assert_ne!(again.derive(Purpose::StoreIndex), made);
        std::fs::write(&path, b"short").expect("own file");
        let short = MasterKey::load(&keys, true).expect_err("short").to_string();
        assert!(short.contains("5 bytes"), "{short}");
        std::fs::remove_dir_all(&folder).expect("own folder");
    }
}
