use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use writ_handover::x2x3;

use super::*;
use crate::pki::{Authority, Identity};

struct Bench {
    folder: PathBuf,
    authority: Authority,
    client: Identity,
    receiver: Receiver,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn bench(name: &str) -> Bench {
    let folder = std::env::temp_dir().join(format!("writ-lemf-{}-{name}", std::process::id()));
    let authority = Authority::new("test authority").expect("a key pair");
    let client = authority.client("writd").expect("a key pair");
    let tls = authority.server_config(&authority.server("mdf.test").expect("a key pair")).expect("a good identity");
    let interfaces = [Interface::X2, Interface::X3];
    let receiver = Receiver::start("mdf", &interfaces, tls, client.certificate().clone(), &folder).expect("free ports");
    Bench { folder, authority, client, receiver }
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

impl Bench {
    fn connect(&self, identity: Option<&Identity>) -> Tls {
        let folder = &self.folder;
        self.authority.write(&folder.join("ca.pem")).expect("a folder");
        let ca = std::fs::read(folder.join("ca.pem")).expect("just written");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&ca).expect("PEM")).expect("a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has TLS")
            .with_root_certificates(roots);
        let config = match identity {
            Some(identity) => {
                let files = identity.write(folder, "client").expect("a folder");
                let key = PrivateKeyDer::from_pem_file(files.key).expect("PEM");
                builder.with_client_auth_cert(vec![identity.certificate().clone()], key).expect("they belong together")
            }
            None => builder.with_no_client_auth(),
        };
        let name = ServerName::try_from("mdf.test").expect("a name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("a good configuration");
        let socket = TcpStream::connect(self.receiver.address(Interface::X2).expect("asked for")).expect("it listens");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
        StreamOwned::new(connection, socket)
    }

    fn wait(&self, what: impl Fn(&Receiver) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !what(&self.receiver) {
            assert!(Instant::now() < deadline, "{:?} {:?}", self.receiver.connections(), self.receiver.refused());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn keepalive(number: u32) -> Vec<u8> {
    x2x3::keepalive(x2x3::Version::V0_5, number).to_vec()
}

#[test]
fn keepalives_are_answered_and_octets_are_kept() {
    let bench = bench("answers");
    let mut tls = bench.connect(Some(&bench.client));
    for number in [1, 2] {
        tls.write_all(&keepalive(number)).expect("it reads");
        let mut answer = [0; x2x3::KEEPALIVE_OCTETS];
        tls.read_exact(&mut answer).expect("it answers");
        assert_eq!(answer, x2x3::keepalive_ack(x2x3::Version::V0_5, number));
    }
    tls.write_all(&keepalive(3)[..20]).expect("it reads");
    tls.conn.send_close_notify();
    tls.flush().expect("it reads");
    bench.wait(|receiver| receiver.connections().first().is_some_and(|first| first.end == End::Closed));
    let connection = bench.receiver.connections().remove(0);
    assert_eq!((connection.pdus, connection.octets, connection.answers.len()), (2, 116, 2));
    assert_eq!(connection.answers[1].octets, 96);
    let octets = std::fs::read(&connection.file).expect("it was written");
    assert_eq!(octets, [keepalive(1), keepalive(2), keepalive(3)[..20].to_vec()].concat());
}

#[test]
fn silence_limits_and_resets() {
    let bench = bench("rude");
    bench.receiver.behave(Behaviour { silent: true, reset_after_bytes: Some(96), ..Behaviour::default() });
    let mut tls = bench.connect(Some(&bench.client));
    tls.write_all(&keepalive(1)).expect("it reads");
    bench.wait(|receiver| receiver.pdus() == 1);
    tls.write_all(&keepalive(2)).expect("it reads");
    bench.wait(|receiver| receiver.connections()[0].end == End::Reset);
    assert!(bench.receiver.connections()[0].answers.is_empty());
    let error = tls.read(&mut [0]).expect_err("the line was cut, without a goodbye");
    assert!(!error.to_string().is_empty());

    bench.receiver.behave(Behaviour { read_bytes_per_s: Some(400), ..Behaviour::default() });
    let mut tls = bench.connect(Some(&bench.client));
    let begun = Instant::now();
    for number in 0..5 {
        tls.write_all(&keepalive(number)).expect("buffers are larger than this");
    }
    bench.wait(|receiver| receiver.pdus() == 2 + 5);
    assert!(begun.elapsed() > Duration::from_millis(400), "{:?}", begun.elapsed());
}

#[test]
fn holding_receiver_reads_nothing() {
    let bench = bench("hold");
    let mut tls = bench.connect(Some(&bench.client));
    tls.write_all(&keepalive(1)).expect("it reads");
    bench.wait(|receiver| receiver.pdus() == 1);
    bench.receiver.behave(Behaviour { hold: true, ..Behaviour::default() });
    std::thread::sleep(Duration::from_millis(100));
    tls.write_all(&keepalive(2)).expect("buffers are larger than this");
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(bench.receiver.pdus(), 1);
    bench.receiver.behave(Behaviour::default());
    bench.wait(|receiver| receiver.pdus() == 2);
}

#[test]
fn only_the_one_client_is_let_in() {
    let bench = bench("strangers");
    let other = bench.authority.client("somebody else").expect("a key pair");
    let rogue = Authority::new("rogue authority").expect("a key pair").client("writd").expect("a key pair");
    for (count, (identity, wanted)) in
        [(Some(&other), "somebody else"), (Some(&rogue), "certificate"), (None, "certificate")].into_iter().enumerate()
    {
        let mut tls = bench.connect(identity);
        // In TLS 1.3 the client learns of its refusal only when it reads.
        let _ = tls.write_all(&keepalive(1));
        bench.wait(|receiver| receiver.refused().len() > count);
        let reason = &bench.receiver.refused()[count];
        assert!(reason.to_lowercase().contains(wanted), "{reason}");
    }
    let mut plain = TcpStream::connect(bench.receiver.address(Interface::X2).expect("asked for")).expect("it listens");
    plain.write_all(&keepalive(1)).expect("a socket");
    bench.wait(|receiver| receiver.refused().len() == 4);
    assert!(bench.receiver.connections().is_empty());
}

#[test]
fn nonsense_ends_the_connection() {
    let bench = bench("nonsense");
    let mut tls = bench.connect(Some(&bench.client));
    tls.write_all(&keepalive(1)).expect("it reads");
    tls.write_all(&[9; 60]).expect("it reads");
    bench.wait(|receiver| {
        receiver
            .connections()
            .first()
            .is_some_and(|first| matches!(&first.end, End::Unreadable(text) if text.starts_with("octet 48: ")))
    });
}
