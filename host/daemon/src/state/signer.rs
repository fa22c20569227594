//! The key that signs what is delivered: ECDSA with P-256, or Ed25519.

use crate::process;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use std::{fmt, path::Path};
use writ_handover::pspdu::SignatureAlgorithm;
use writ_mediation::datapath::Signer;

/// What is wrong with the key.
#[derive(Debug)]
pub(crate) struct SignerError(String);

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys.integrity: {}", self.0)
    }
}

impl std::error::Error for SignerError {}

/// A key to sign with.
pub(crate) enum IntegrityKey {
    Ecdsa(EcdsaKeyPair),
    Eddsa(Ed25519KeyPair),
}

impl IntegrityKey {
    /// Reads a private key, PEM, that nobody else can read.
    pub(crate) fn load(path: &Path) -> Result<Self, SignerError> {
        let fail = |what: &dyn fmt::Display| SignerError(what.to_string());
        process::require_private_file(path).map_err(|error| fail(&error))?;
        let named = |what: &dyn fmt::Display| SignerError(format!("{}: {what}", path.display()));
        let key = PrivateKeyDer::from_pem_file(path).map_err(|error| named(&error))?;
        Self::from_der(key.secret_der()).ok_or_else(|| named(&"holds no private key of ECDSA with P-256 or of Ed25519"))
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let ecdsa = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, der).map(Self::Ecdsa);
        ecdsa.or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Self::Eddsa)).ok()
    }
}

impl Signer for IntegrityKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::Ecdsa(_) => SignatureAlgorithm::Ecdsa,
            Self::Eddsa(_) => SignatureAlgorithm::Eddsa,
        }
    }

    fn sign(&self, octets: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ecdsa(key) => Some(key.sign(&SystemRandom::new(), octets).ok()?.as_ref().to_vec()),
            Self::Eddsa(key) => Some(key.sign(octets).as_ref().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING, ED25519, KeyPair as _, UnparsedPublicKey,
    };
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn both_kinds_of_keys_sign_and_others_are_refused() {
        let ecdsa = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("randomness");
        let Some(key @ IntegrityKey::Ecdsa(_)) = IntegrityKey::from_der(&ecdsa.serialize_der()) else {
            panic!("a key")
        };
        let signature = key.sign(b"check").expect("signed");
        let IntegrityKey::Ecdsa(pair) = &key else { panic!("a key") };
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, pair.public_key().as_ref().to_vec());
        public.verify(b"check", &signature).expect("good");
        let eddsa = KeyPair::generate_for(&PKCS_ED25519).expect("randomness");
        let Some(key @ IntegrityKey::Eddsa(_)) = IntegrityKey::from_der(&eddsa.serialize_der()) else {
            panic!("a key")
        };
        let IntegrityKey::Eddsa(pair) = &key else { panic!("a key") };
        let public = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref().to_vec());
        public.verify(b"check", &key.sign(b"check").expect("signed")).expect("good");
        let larger = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).expect("randomness");
        let larger = larger.to_pkcs8v1().expect("a key");
        assert!(IntegrityKey::from_der(larger.as_ref()).is_none());
    }

    #[test]
    fn a_file_that_others_read_or_that_holds_no_key_is_refused_by_name() {
        let path = std::env::temp_dir().join(format!("writd-signer-{}", std::process::id()));
        for (text, mode, wanted) in [("", 0o600, "no"), ("nonsense", 0o600, "no"), ("", 0o644, "mode 0644")] {
            std::fs::write(&path, text).expect("a file");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("ours");
            let error = IntegrityKey::load(&path).err().expect("no key").to_string();
            assert!(error.contains("keys.integrity") && error.contains(wanted), "{error}");
        }
        let _ = std::fs::remove_file(&path);
    }
}
