//! Keys for what is delivered, besides those of TLS: one that signs, ECDSA with P-256 or Ed25519; and those that encrypt payloads.

use crate::{config::Keys, process};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use std::{collections::BTreeMap, fmt, path::Path};
use writ_handover::pspdu::SignatureAlgorithm;
use writ_mediation::datapath::{PayloadKey, Signer};

/// What is wrong with a key.
#[derive(Debug)]
pub(crate) struct SignerError {
    setting: &'static str,
    what: String,
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.what)
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
        let fail = |what: &dyn fmt::Display| SignerError { setting: "keys.integrity", what: what.to_string() };
        process::require_private_file(path).map_err(|error| fail(&error))?;
        let named = |what: &dyn fmt::Display| fail(&format!("{}: {what}", path.display()));
        let key = PrivateKeyDer::from_pem_file(path).map_err(|error| named(&error))?;
        Self::from_der(key.secret_der()).ok_or_else(|| named(&"holds no private key of ECDSA with P-256 or of Ed25519"))
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let ecdsa = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, der).map(Self::Ecdsa);
        ecdsa.or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Self::Eddsa)).ok()
    }
}

/// Reads the keys for payloads, from files that nobody else can read.
pub(crate) fn load_payload_keys(keys: &Keys) -> Result<BTreeMap<String, PayloadKey>, SignerError> {
    keys.payload.iter().map(|(name, path)| Ok((name.clone(), load_payload_key(path)?))).collect()
}

fn load_payload_key(path: &Path) -> Result<PayloadKey, SignerError> {
    let fail = |what: &dyn fmt::Display| SignerError { setting: "keys.payload", what: what.to_string() };
    process::require_private_file(path).map_err(|error| fail(&error))?;
    let text = std::fs::read_to_string(path).map_err(|error| fail(&format!("{}: {error}", path.display())))?;
    let key = octets_of(text.trim()).as_deref().and_then(PayloadKey::new);
    key.ok_or_else(|| fail(&format!("{}: 48 or 64 hexadecimal digits are wanted", path.display())))
}

fn octets_of(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let octets = pairs.iter().map(|&[high, low]| Some(value(high)? << 4 | value(low)?)).collect::<Option<Vec<u8>>>();
    octets.filter(|_| rest.is_empty())
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
    fn payload_keys_are_hexadecimal_digits() {
        assert_eq!(octets_of("00fFa1"), Some(vec![0, 255, 161]));
        assert_eq!((octets_of("0"), octets_of("0g"), octets_of("é0")), (None, None, None));
        let path = std::env::temp_dir().join(format!("writ-payload-{}", std::process::id()));
        for (text, is_good) in
            [("ab".repeat(24), true), ("ab".repeat(32) + "\n", true), ("ab".repeat(16), false), (String::new(), false)]
        {
            std::fs::write(&path, text).expect("a file");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("ours");
            assert_eq!(load_payload_key(&path).is_ok(), is_good);
        }
        let _ = std::fs::remove_file(&path);
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
