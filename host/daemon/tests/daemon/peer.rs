//! A receiver: takes PS-PDUs or X2/X3 PDUs over mutual TLS (or plain TCP), answers keep-alives when told to, keeps everything.

use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{
    collections::BTreeSet,
    io::{ErrorKind, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use writ_handover::{
    ids::{CountryCode, Liid, OperatorId},
    pspdu::{self, Payload, PsPdu, Tri},
    time::UnixTime,
    x2x3,
};

/// Which language it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// PS-PDUs.
    Handover,
    /// X2/X3.
    X,
}

#[derive(Default)]
struct Shared {
    /// Whole PDUs, keep-alives left out, exactly as received, in order, over all connections.
    pdus: Mutex<Vec<Vec<u8>>>,
    answering: AtomicBool,
    reading: AtomicBool,
    stop: AtomicBool,
    connections: AtomicU32,
    /// Where connections came from, each address once.
    clients: Mutex<BTreeSet<IpAddr>>,
}

/// A receiver of one interface.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Listens, with the certificate, key and client authority of a folder; plain TCP without one.
    pub(crate) fn new(language: Language, pki: Option<&Path>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("own socket");
        let address = listener.local_addr().expect("own socket");
        let tls = pki.map(server_config);
        let shared = Arc::new(Shared::default());
        shared.answering.store(true, Ordering::Relaxed);
        shared.reading.store(true, Ordering::Relaxed);
        let thread = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || accept(&listener, language, tls.as_ref(), &shared))
        };
        Self { address, shared, thread: Some(thread) }
    }

    /// All PDUs so far, keep-alives left out.
    pub(crate) fn pdus(&self) -> Vec<Vec<u8>> {
        self.shared.pdus.lock().expect("no panic").clone()
    }

    /// Where connections came from.
    pub(crate) fn clients(&self) -> Vec<String> {
        self.shared.clients.lock().expect("no panic").iter().map(IpAddr::to_string).collect()
    }

    /// Whether keep-alives are answered.
    pub(crate) fn answer(&self, yes: bool) {
        self.shared.answering.store(yes, Ordering::Relaxed);
    }

    /// Whether anything is read.
    pub(crate) fn read(&self, yes: bool) {
        self.shared.reading.store(yes, Ordering::Relaxed);
    }

    /// Connections that were accepted, TLS included.
    pub(crate) fn connections(&self) -> u32 {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("peer ends");
        }
    }
}

fn server_config(folder: &Path) -> Arc<ServerConfig> {
    let read = |name: &str| std::fs::read(folder.join(name)).expect("made by the site");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&read("ca.pem")).expect("PEM")).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().expect("has roots");
    let chain = vec![CertificateDer::from_pem_slice(&read("peer.pem")).expect("PEM")];
    let key = PrivateKeyDer::from_pem_slice(&read("peer.key")).expect("PEM");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("known versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .expect("they fit");
    Arc::new(config)
}

fn accept(listener: &TcpListener, language: Language, tls: Option<&Arc<ServerConfig>>, shared: &Arc<Shared>) {
    let mut connections = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        let Ok((tcp, from)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        shared.clients.lock().expect("no panic").insert(from.ip());
        tcp.set_nonblocking(false).expect("own socket");
        tcp.set_read_timeout(Some(Duration::from_millis(20))).expect("own socket");
        let (shared, tls) = (Arc::clone(shared), tls.cloned());
        connections.push(std::thread::spawn(move || match tls {
            None => serve(tcp, language, &shared),
            Some(config) => {
                if let Some(stream) = handshake(tcp, config, &shared) {
                    serve(stream, language, &shared);
                }
            }
        }));
    }
    for connection in connections {
        connection.join().expect("connection ends");
    }
}

fn handshake(
    mut tcp: TcpStream,
    config: Arc<ServerConfig>,
    shared: &Shared,
) -> Option<StreamOwned<ServerConnection, TcpStream>> {
    let mut tls = ServerConnection::new(config).expect("good configuration");
    while tls.is_handshaking() && !shared.stop.load(Ordering::Relaxed) {
        match tls.complete_io(&mut tcp) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return None,
        }
    }
    Some(StreamOwned::new(tls, tcp))
}

fn serve(mut stream: impl Read + Write, language: Language, shared: &Shared) {
    shared.connections.fetch_add(1, Ordering::Relaxed);
    let mut input = Vec::new();
    let mut chunk = [0; 4096];
    while !shared.stop.load(Ordering::Relaxed) {
        if !shared.reading.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        match stream.read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => input.extend_from_slice(&chunk[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => return,
        }
        while let Some((used, keep_alive)) = first(language, &input) {
            let pdu: Vec<u8> = input.drain(..used).collect();
            match keep_alive {
                None => shared.pdus.lock().expect("no panic").push(pdu),
                Some(sequence) if shared.answering.load(Ordering::Relaxed) => {
                    if stream.write_all(&answer(language, sequence)).and_then(|()| stream.flush()).is_err() {
                        return;
                    }
                }
                Some(_) => {}
            }
        }
    }
}

/// Length of the first PDU, and its number if it is a keep-alive.
fn first(language: Language, input: &[u8]) -> Option<(usize, Option<u32>)> {
    if input.is_empty() {
        return None;
    }
    match language {
        Language::Handover => {
            let decoded = pspdu::decode(input, &pspdu::Limits::default()).expect("a PS-PDU")?;
            let keep_alive = matches!(decoded.pdu.payload, Payload::Tri(Tri::KeepAlive));
            Some((decoded.length, keep_alive.then_some(decoded.pdu.header.sequence)))
        }
        Language::X => {
            let (pdu, used) = x2x3::decode(input, &x2x3::Limits::default()).expect("an X2/X3 PDU")?;
            let keep_alive = pdu.header.pdu_type == x2x3::PduType::Keepalive;
            Some((used, if keep_alive { pdu.sequence_number() } else { None }))
        }
    }
}

fn answer(language: Language, sequence: u32) -> Vec<u8> {
    match language {
        Language::X => x2x3::keepalive_ack(x2x3::Version::default(), sequence).to_vec(),
        Language::Handover => {
            let context = pspdu::Context {
                versions: pspdu::Versions::default(),
                liid: Liid::parse("peer").expect("an LIID"),
                authorization_country: CountryCode::parse("US").expect("a country"),
                operator: OperatorId::parse("LEA").expect("an operator"),
                network_element: None,
                cin: None,
                delivery_country: None,
                interception_point: None,
            };
            let header = context.header(sequence, UnixTime::EPOCH);
            PsPdu { header, payload: Payload::Tri(Tri::KeepAliveResponse) }.to_vec().expect("short")
        }
    }
}
