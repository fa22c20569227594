//! TLS towards destinations: mutual, AEAD suites with forward secrecy only, 1.3 unless a destination is excused.

use crate::{
    config::Tls,
    process::{self, ProcessError},
};
use rustls::{
    ClientConfig, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use std::{fmt, path::Path, path::PathBuf, sync::Arc};
use writ_control::MinTls;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What is wrong with certificates, keys or names.
#[derive(Debug)]
pub(crate) struct TlsError {
    place: String,
    what: String,
}

impl TlsError {
    fn new(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self { place: place.to_string(), what: what.to_string() }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl std::error::Error for TlsError {}

/// Who we are to the destinations, and whom we trust by default.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    default_authorities: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    not_after_posix_s: i64,
    files: [PathBuf; 2],
}

impl Identity {
    /// Reads certificate chain, key and default authorities, and checks that they fit together.
    pub(crate) fn load(tls: &Tls) -> Result<Self, TlsError> {
        process::require_private_file(&tls.key).map_err(|error: ProcessError| TlsError::new("tls.key", error))?;
        let chain = certificates(&read("tls.certificate", &tls.certificate)?, "tls.certificate")?;
        let key = PrivateKeyDer::from_pem_slice(&read("tls.key", &tls.key)?)
            .map_err(|error| TlsError::new(format_args!("tls.key {}", tls.key.display()), error))?;
        let default_authorities = authorities(&read("tls.ca", &tls.ca)?, "tls.ca")?;
        let first = chain.first().ok_or_else(|| TlsError::new("tls.certificate", "holds no certificate"))?;
        let (_, parsed) = X509Certificate::from_der(first).map_err(|error| TlsError::new("tls.certificate", error))?;
        let identity = Self {
            not_after_posix_s: parsed.validity().not_after.timestamp(),
            chain,
            key,
            default_authorities: Arc::new(default_authorities),
            provider: Arc::new(provider()),
            files: [tls.certificate.clone(), tls.key.clone()],
        };
        identity.client(None, MinTls::Tls13)?;
        Ok(identity)
    }

    /// A configuration for one destination. `ca_pem`: its own authorities instead of the default ones.
    pub(crate) fn client(&self, ca_pem: Option<&str>, min_tls: MinTls) -> Result<Arc<ClientConfig>, TlsError> {
        let roots = match ca_pem {
            Some(pem) => Arc::new(authorities(pem.as_bytes(), "ca")?),
            None => Arc::clone(&self.default_authorities),
        };
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(versions(min_tls))
            .map_err(|error| TlsError::new("tls", error))?
            .with_root_certificates(roots)
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())
            .map_err(|error| {
                let [certificate, key] = &self.files;
                let place = format!("tls.certificate {} and tls.key {}", certificate.display(), key.display());
                TlsError::new(place, error)
            })?;
        // Early data may be replayed by whoever records it.
        config.enable_early_data = false;
        Ok(Arc::new(config))
    }

    /// When our own certificate stops being valid, POSIX seconds.
    pub(crate) const fn not_after_posix_s(&self) -> i64 {
        self.not_after_posix_s
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("files", &self.files).finish_non_exhaustive()
    }
}

/// The name that a destination's certificate has to carry.
pub(crate) fn server_name(text: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(text.to_owned()).map_err(|_| TlsError::new("server_name", "no DNS name and no IP address"))
}

static FROM_TLS12: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
static FROM_TLS13: [&SupportedProtocolVersion; 1] = [&TLS13];

fn versions(min_tls: MinTls) -> &'static [&'static SupportedProtocolVersion] {
    match min_tls {
        MinTls::Tls12 => &FROM_TLS12,
        MinTls::Tls13 => &FROM_TLS13,
    }
}

/// What rustls offers here is AEAD with forward secrecy already; the filter keeps it so whatever a later version adds.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| match suite {
        SupportedCipherSuite::Tls13(_) => true,
        SupportedCipherSuite::Tls12(_) => {
            let name = suite.suite().as_str().unwrap_or_default();
            name.starts_with("TLS_ECDHE_") && (name.contains("_GCM_") || name.contains("_POLY1305_"))
        }
    });
    provider
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::new(format_args!("{key} {}", path.display()), error))
}

fn certificates(pem: &[u8], place: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let list: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let list = list.map_err(|error| TlsError::new(place, error))?;
    if list.is_empty() { Err(TlsError::new(place, "holds no PEM certificate")) } else { Ok(list) }
}

fn authorities(pem: &[u8], place: &str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, place)? {
        roots.add(certificate).map_err(|error| TlsError::new(place, error))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_and_names() {
        let provider = provider();
        assert!(!provider.cipher_suites.is_empty());
        for suite in &provider.cipher_suites {
            let name = suite.suite().as_str().unwrap_or_default();
            assert!(name.contains("GCM") || name.contains("POLY1305"), "{name}");
        }
        assert!(server_name("lemf.example").is_ok() && server_name("192.0.2.1").is_ok());
        assert!(server_name("two words").is_err() && server_name("").is_err());
    }

    #[test]
    fn authorities_have_to_be_certificates() {
        for bad in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let error = authorities(bad.as_bytes(), "ca").expect_err(bad).to_string();
            assert!(error.starts_with("ca: "), "{error}");
        }
    }
}
