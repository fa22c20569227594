//! A receiver that does as little as it can: it cuts the stream into PDUs, counts them, and answers keep-alives.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use writ_testbench::lemf::{Interface, Unit, next_unit};

use crate::card::Flood;

const READ_BYTES: usize = 256 << 10;
/// No PDU of a packet is so short, and every keep-alive is.
const KEEP_ALIVE_BYTES_MAX: usize = 100;

/// What arrived.
#[derive(Default)]
pub(crate) struct Arrived {
    pub(crate) pdus: AtomicU64,
    pub(crate) octets: AtomicU64,
}

pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    pub(crate) arrived: Arc<Arrived>,
}

impl Sink {
    /// Listens on a port of its own until the process ends. `flood` is told of each PDU, if this is where the packets go.
    pub(crate) fn start(
        interface: Interface,
        tls: Option<Arc<ServerConfig>>,
        flood: Option<Arc<Flood>>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let arrived = Arc::new(Arrived::default());
        let counts = Arc::clone(&arrived);
        std::thread::Builder::new().name("sink".into()).spawn(move || {
            for socket in listener.incoming().flatten() {
                let (tls, counts, flood) = (tls.clone(), Arc::clone(&counts), flood.clone());
                std::thread::spawn(move || {
                    if let Err(error) = serve(interface, socket, tls, &counts, flood.as_deref()) {
                        eprintln!("sink of {}: {error}", interface.name());
                    }
                });
            }
        })?;
        Ok(Self { address, arrived })
    }
}

fn serve(
    interface: Interface,
    socket: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    counts: &Arrived,
    flood: Option<&Flood>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    match tls {
        None => read(interface, socket, counts, flood),
        Some(config) => {
            let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
            connection.set_buffer_limit(None);
            read(interface, StreamOwned::new(connection, socket), counts, flood)
        }
    }
}

fn read(
    interface: Interface,
    mut stream: impl Read + Write,
    counts: &Arrived,
    flood: Option<&Flood>,
) -> io::Result<()> {
    let mut buffer = vec![0; 2 * READ_BYTES];
    let mut filled = 0;
    loop {
        let read = match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            // `writd` is killed at the end, without a goodbye.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        filled += read;
        counts.octets.fetch_add(read as u64, Ordering::Relaxed);
        let (mut at, mut pdus) = (0, 0);
        while let Some(length) = pdu_length(interface, &buffer[at..filled])? {
            let pdu = &buffer[at..at + length];
            at += length;
            match keep_alive(interface, pdu) {
                Some(answer) => stream.write_all(&answer).and_then(|()| stream.flush())?,
                None => pdus += 1,
            }
        }
        buffer.copy_within(at..filled, 0);
        filled -= at;
        counts.pdus.fetch_add(pdus, Ordering::AcqRel);
        if let Some(flood) = flood {
            flood.delivered.fetch_add(pdus, Ordering::AcqRel);
        }
    }
}

/// Length of the PDU at the start, if the whole of it is there.
fn pdu_length(interface: Interface, octets: &[u8]) -> io::Result<Option<usize>> {
    let needed = if interface.is_hi() {
        match octets {
            [0x30, length @ 0..=0x7f, ..] => 2 + usize::from(*length),
            [0x30, 0x81, length, ..] => 3 + usize::from(*length),
            [0x30, 0x82, high, low, ..] => 4 + usize::from(u16::from_be_bytes([*high, *low])),
            [0x30, 0x83, a, b, c, ..] => 5 + u32::from_be_bytes([0, *a, *b, *c]) as usize,
            _ if octets.len() < 5 => return Ok(None),
            _ => return Err(io::Error::other("no PS-PDU")),
        }
    } else {
        let Some(&[.., h3, h2, h1, h0, p3, p2, p1, p0]) = octets.first_chunk::<12>() else { return Ok(None) };
        (u32::from_be_bytes([h3, h2, h1, h0]) + u32::from_be_bytes([p3, p2, p1, p0])) as usize
    };
    Ok((octets.len() >= needed).then_some(needed))
}

/// What answers a keep-alive; `None`: it is none.
fn keep_alive(interface: Interface, pdu: &[u8]) -> Option<Vec<u8>> {
    if pdu.len() > KEEP_ALIVE_BYTES_MAX {
        return None;
    }
    match next_unit(interface, pdu) {
        Ok(Some((Unit::KeepAlive { answer }, _))) => Some(answer),
        _ => None,
    }
}
