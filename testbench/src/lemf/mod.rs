//! Mock receivers: a LEMF for HI2 and HI3, a mediation function for X2 and X3.
//!
//! A [`Receiver`] listens on one port per interface, takes mutual TLS 1.3 only, writes the octets of every connection to a file as
//! they come, answers keep-alives, and can be told to be slow, silent or rude. What it received is judged afterwards, from the
//! files, by [`crate::check`]. One agency is one receiver; two receivers share nothing.

mod connection;
mod framing;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;

pub use framing::{FramingError, Unit, next_unit};

/// A handover interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// Intercept-related information to a LEMF.
    Hi2,
    /// Content to a LEMF.
    Hi3,
    /// Intercept-related information to a mediation function.
    X2,
    /// Content to a mediation function.
    X3,
}

impl Interface {
    /// The name in file names and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hi2 => "hi2",
            Self::Hi3 => "hi3",
            Self::X2 => "x2",
            Self::X3 => "x3",
        }
    }

    /// Whether it carries PS-PDUs; the others carry X2/X3 PDUs.
    pub fn is_hi(self) -> bool {
        matches!(self, Self::Hi2 | Self::Hi3)
    }
}

/// How a receiver treats its connections; may be changed at any time.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Reads at most so many bytes a second; `None`: as fast as it can.
    pub read_bytes_per_s: Option<u64>,
    /// Leaves keep-alives unanswered.
    pub silent: bool,
    /// Does not read at all.
    pub hold: bool,
    /// Breaks each connection off, without a TLS goodbye, once it has received so many octets.
    pub reset_after_bytes: Option<u64>,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It is still open.
    Open,
    /// The peer said goodbye.
    Closed,
    /// The peer's connection was cut, or an error came up.
    Broken(String),
    /// The receiver broke it off, as it was told to.
    Reset,
    /// The receiver was stopped.
    Stopped,
    /// Octets came that are no PDU.
    Unreadable(String),
}

/// A keep-alive that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Octets of the stream up to and with the keep-alive.
    pub octets: u64,
    /// When the answer had been written.
    pub at: Instant,
}

/// What is known of one connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its number at this receiver, from 0, over all interfaces, in the order of acceptance.
    pub number: usize,
    /// Its interface.
    pub interface: Interface,
    /// File of the octets received, exactly as they came.
    pub file: PathBuf,
    /// Octets received.
    pub octets: u64,
    /// PDUs received whole, keep-alives included.
    pub pdus: u64,
    /// Keep-alives answered so far.
    pub answers: Vec<Answer>,
    /// How it ended.
    pub end: End,
}

/// What a receiver knows.
#[derive(Debug, Default)]
struct State {
    behaviour: Behaviour,
    connections: Vec<Connection>,
    refused: Vec<String>,
}

struct Shared {
    name: String,
    folder: PathBuf,
    tls: Arc<ServerConfig>,
    client: CertificateDer<'static>,
    state: Mutex<State>,
    pdus: AtomicU64,
    stop: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A poisoned lock means that a connection thread panicked; its data is still what was received.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A running mock LEMF or mediation function.
pub struct Receiver {
    shared: Arc<Shared>,
    addresses: Vec<(Interface, SocketAddr)>,
    threads: Vec<JoinHandle<()>>,
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(5);

impl Receiver {
    /// Starts listening on 127.0.0.1, one free port for each interface. `client` is the only certificate that may connect. The streams go
    /// into `folder`, which is created.
    pub fn start(
        name: &str,
        interfaces: &[Interface],
        tls: Arc<ServerConfig>,
        client: CertificateDer<'static>,
        folder: &Path,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            folder: folder.to_path_buf(),
            tls,
            client,
            state: Mutex::default(),
            pdus: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let mut receiver = Self { shared, addresses: Vec::new(), threads: Vec::new() };
        for &interface in interfaces {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            receiver.addresses.push((interface, listener.local_addr()?));
            let shared = Arc::clone(&receiver.shared);
            receiver.threads.push(std::thread::spawn(move || accept(&shared, interface, &listener)));
        }
        Ok(receiver)
    }

    /// The name that it was started with.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Where an interface listens; `None` if it was not asked for.
    pub fn address(&self, interface: Interface) -> Option<SocketAddr> {
        self.addresses.iter().find(|(known, _)| *known == interface).map(|(_, address)| *address)
    }

    /// Changes how connections are treated, open ones too.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.state().behaviour = behaviour;
    }

    /// PDUs received so far over all connections.
    pub fn pdus(&self) -> u64 {
        self.shared.pdus.load(Ordering::Relaxed)
    }

    /// All connections so far, in the order of acceptance.
    pub fn connections(&self) -> Vec<Connection> {
        self.shared.state().connections.clone()
    }

    /// Connections that were refused, with the reason: no or a wrong certificate, an old TLS version, no TLS.
    pub fn refused(&self) -> Vec<String> {
        self.shared.state().refused.clone()
    }

    /// Stops, waits for all threads, and tells what was received.
    pub fn stop(mut self) -> Vec<Connection> {
        self.join();
        self.connections()
    }

    fn join(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A panic of a connection shows as a connection that never ended.
            let _ = thread.join();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.join();
    }
}

fn accept(shared: &Arc<Shared>, interface: Interface, listener: &TcpListener) {
    let mut connections = Vec::new();
    while !shared.stopping() {
        match listener.accept() {
            Ok((socket, _)) => {
                let shared = Arc::clone(shared);
                connections.push(std::thread::spawn(move || connection::serve(&shared, interface, socket)));
            }
            // Nothing waits, or the peer was gone before it was accepted.
            Err(_) => std::thread::sleep(ACCEPT_PAUSE),
        }
    }
    for connection in connections {
        let _ = connection.join();
    }
}

#[cfg(test)]
mod tests;
