//! A throw-away public-key infrastructure: an authority, server certificates for LEMF and MDF, a client certificate for `writd`.
//!
//! Keys live as long as the folder that they are written to. Nothing here is fit for anything but tests and the demo.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// An authority that can issue certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// A certificate with its key.
pub struct Identity {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key_pem: String,
}

/// Paths of an identity's files.
#[derive(Debug, Clone)]
pub struct IdentityFiles {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its key, PKCS#8 PEM, readable by the owner alone.
    pub key: PathBuf,
}

impl Authority {
    /// Makes a new authority.
    pub fn new(name: &str) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self { certificate: certificate.der().clone(), pem: certificate.pem(), issuer: Issuer::new(params, key) })
    }

    /// Issues a certificate for a server of this DNS name, good for 127.0.0.1 too.
    pub fn server(&self, name: &str) -> Result<Identity, rcgen::Error> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.subject_alt_names.push(SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()));
        self.issue(name, params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Issues a certificate for a client.
    pub fn client(&self, name: &str) -> Result<Identity, rcgen::Error> {
        self.issue(name, CertificateParams::new(vec![name.to_owned()])?, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(
        &self,
        name: &str,
        mut params: CertificateParams,
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<Identity, rcgen::Error> {
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            certificate: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// Writes the authority's certificate.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, &self.pem)
    }

    /// TLS 1.3 for a server with this identity that asks its clients for a certificate of this authority.
    pub fn server_config(&self, identity: &Identity) -> Result<Arc<ServerConfig>, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![identity.certificate.clone()], key)?;
        Ok(Arc::new(config))
    }
}

impl Identity {
    /// Writes `NAME.pem` and `NAME.key` into a folder.
    pub fn write(&self, folder: &Path, name: &str) -> io::Result<IdentityFiles> {
        let files =
            IdentityFiles { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
        fs::write(&files.certificate, &self.certificate_pem)?;
        let mut key = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&files.key)?;
        key.write_all(self.key_pem.as_bytes())?;
        Ok(files)
    }

    /// The certificate as DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }
}
