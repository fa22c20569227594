use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustls::{ServerConnection, Stream};

use super::framing::{FramingError, Unit, next_unit};
use super::{Answer, Behaviour, Connection, End, Interface, Shared};

/// How long a read waits before it looks at behaviour and stop flag again.
const READ_PAUSE: Duration = Duration::from_millis(10);
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
const READ_BYTES: usize = 64 * 1024;

/// Serves one connection until it ends.
pub(super) fn serve(shared: &Arc<Shared>, interface: Interface, mut socket: TcpStream) {
    match shake_hands(shared, &mut socket) {
        Ok(tls) => {
            let number = register(shared, interface);
            let mut session =
                Session { shared, interface, number, tls, socket, unread: Vec::new(), octets: 0, tokens: 0.0 };
            let end = session.run();
            shared.state().connections[number].end = end;
        }
        Err(reason) => shared.state().refused.push(format!("{}: {reason}", interface.name())),
    }
}

fn register(shared: &Shared, interface: Interface) -> usize {
    let mut state = shared.state();
    let number = state.connections.len();
    let file = shared.folder.join(format!("{number:03}-{}.bin", interface.name()));
    state.connections.push(Connection {
        number,
        interface,
        file,
        octets: 0,
        pdus: 0,
        answers: Vec::new(),
        end: End::Open,
    });
    number
}

fn shake_hands(shared: &Shared, socket: &mut TcpStream) -> Result<ServerConnection, String> {
    let text = |error: io::Error| error.to_string();
    // The listener is non-blocking, and on some systems what it accepts is too.
    socket.set_nonblocking(false).map_err(text)?;
    socket.set_read_timeout(Some(READ_PAUSE)).map_err(text)?;
    socket.set_nodelay(true).map_err(text)?;
    let mut tls = ServerConnection::new(Arc::clone(&shared.tls)).map_err(|error| error.to_string())?;
    let deadline = Instant::now() + HANDSHAKE_TIME_MAX;
    while tls.is_handshaking() {
        if shared.stopping() || Instant::now() > deadline {
            return Err("the TLS handshake did not end in time".to_owned());
        }
        match tls.complete_io(socket) {
            Ok(_) => {}
            Err(error) if is_pause(&error) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    match tls.peer_certificates() {
        Some([own, ..]) if *own == shared.client => Ok(tls),
        Some([_, ..]) => Err("a certificate of the right authority, but of somebody else".to_owned()),
        _ => Err("no client certificate".to_owned()),
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

struct Session<'a> {
    shared: &'a Shared,
    interface: Interface,
    number: usize,
    tls: ServerConnection,
    socket: TcpStream,
    /// Octets behind the last whole PDU.
    unread: Vec<u8>,
    octets: u64,
    /// Octets that may be read now, where reading is limited.
    tokens: f64,
}

impl Session<'_> {
    fn run(&mut self) -> End {
        let path = self.shared.state().connections[self.number].file.clone();
        let mut file = match File::create(&path) {
            Ok(file) => file,
            Err(error) => return End::Broken(format!("{}: {error}", path.display())),
        };
        let mut buffer = vec![0; READ_BYTES];
        let mut last = Instant::now();
        loop {
            if self.shared.stopping() {
                return End::Stopped;
            }
            let behaviour = self.shared.state().behaviour.clone();
            let limit = self.allowance(&behaviour, last.elapsed());
            last = Instant::now();
            if behaviour.hold || limit == 0 {
                std::thread::sleep(READ_PAUSE);
                continue;
            }
            let read = Stream::new(&mut self.tls, &mut self.socket).read(&mut buffer[..limit]);
            let length = match read {
                Ok(0) => return End::Closed,
                Ok(length) => length,
                Err(error) if is_pause(&error) => continue,
                Err(error) => return End::Broken(error.to_string()),
            };
            self.tokens -= length as f64;
            if let Err(error) = file.write_all(&buffer[..length]) {
                return End::Broken(format!("{}: {error}", path.display()));
            }
            if let Err(end) = self.take(&buffer[..length], &behaviour) {
                return end;
            }
            if behaviour.reset_after_bytes.is_some_and(|limit| self.octets >= limit) {
                // No goodbye: for the peer this is a line that was cut.
                let _ = self.socket.shutdown(Shutdown::Both);
                return End::Reset;
            }
        }
    }

    /// Octets that may be read now.
    fn allowance(&mut self, behaviour: &Behaviour, passed: Duration) -> usize {
        let Some(rate) = behaviour.read_bytes_per_s else {
            self.tokens = 0.0;
            return READ_BYTES;
        };
        let most = (rate as f64 / 20.0).clamp(1.0, READ_BYTES as f64);
        self.tokens = (self.tokens + rate as f64 * passed.as_secs_f64()).min(most);
        if self.tokens < 1.0 { 0 } else { self.tokens as usize }
    }

    /// Takes octets in, answers the keep-alives in them.
    fn take(&mut self, received: &[u8], behaviour: &Behaviour) -> Result<(), End> {
        self.unread.extend_from_slice(received);
        self.octets += received.len() as u64;
        let mut used = 0;
        let mut pdus = 0;
        let mut answers = Vec::new();
        let start = self.octets - self.unread.len() as u64;
        let end = loop {
            match next_unit(self.interface, &self.unread[used..]) {
                Ok(Some((unit, length))) => {
                    used += length;
                    pdus += 1;
                    if let Unit::KeepAlive { answer } = unit {
                        answers.push((start + used as u64, answer));
                    }
                }
                Ok(None) => break Ok(()),
                Err(FramingError { text, .. }) => {
                    break Err(End::Unreadable(format!("octet {}: {text}", start + used as u64)));
                }
            }
        };
        self.unread.drain(..used);
        self.shared.pdus.fetch_add(pdus, Ordering::Relaxed);
        {
            let connection = &mut self.shared.state().connections[self.number];
            connection.octets = self.octets;
            connection.pdus += pdus;
        }
        if !behaviour.silent {
            self.answer(answers)?;
        }
        end
    }

    fn answer(&mut self, answers: Vec<(u64, Vec<u8>)>) -> Result<(), End> {
        for (octets, answer) in answers {
            let mut stream = Stream::new(&mut self.tls, &mut self.socket);
            stream.write_all(&answer).and_then(|()| stream.flush()).map_err(|error| End::Broken(error.to_string()))?;
            let answer = Answer { octets, at: Instant::now() };
            self.shared.state().connections[self.number].answers.push(answer);
        }
        Ok(())
    }
}
