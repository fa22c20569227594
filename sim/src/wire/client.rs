//! The player's end of the wire socket.

use super::message::{self, Answer, Malformed, Request};
use super::{Statistics, VERSION};
use std::io::{self, BufReader, BufWriter, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use writ_abi::PortSide;

/// A connection to a simulated card's wire socket. Blocking; one call at a time.
///
/// A thread of its own takes in what the server says, so that neither side ever waits for the other while both are sending.
#[derive(Debug)]
pub struct Client {
    stream: BufWriter<UnixStream>,
    answers: mpsc::Receiver<Result<Answer, ClientError>>,
    reader: Option<JoinHandle<()>>,
    backend: String,
    /// Sums over the plays of this connection so far.
    played: PlaySummary,
}

/// A frame to play.
#[derive(Clone, PartialEq, Eq)]
pub struct PlayFrame {
    /// The port that it comes in on.
    pub port: PortSide,
    /// Card time before which it must not come in, ns of TAI.
    pub at_ns: u64,
    /// The frame with its FCS.
    pub bytes: Vec<u8>,
    /// The MAC marks it as damaged.
    pub damaged: bool,
}

impl PlayFrame {
    /// A good frame; its FCS is appended.
    pub fn new(port: PortSide, at_ns: u64, frame: impl Into<Vec<u8>>) -> Self {
        let mut bytes = frame.into();
        bytes.extend(writ_abi::crc::ethernet_fcs(&bytes).to_le_bytes());
        Self { port, at_ns, bytes, damaged: false }
    }
}

impl std::fmt::Debug for PlayFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the bytes: traffic does not belong into logs.
        f.debug_struct("PlayFrame")
            .field("port", &self.port)
            .field("at_ns", &self.at_ns)
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// What happened to a played frame. `number` is its position among the frames of this play, from 0.
#[derive(Clone, PartialEq, Eq)]
pub enum Seen {
    /// Its first beat came in.
    Arrived {
        /// Which frame.
        number: u64,
        /// The port that it came in on.
        port: PortSide,
        /// The clock of its first beat.
        clock: u64,
        /// The card's time in that clock: its stamp.
        stamp_ns: u64,
    },
    /// Its last beat left.
    Left {
        /// Which frame.
        number: u64,
        /// The port that it left on.
        port: PortSide,
        /// The clock in which its first beat came in.
        ingress_clock: u64,
        /// The clock in which its first beat left.
        egress_clock: u64,
        /// The frame as it left, with FCS.
        bytes: Vec<u8>,
        /// Marked as damaged.
        damaged: bool,
    },
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Arrived { number, port, clock, .. } => write!(f, "Arrived({number} on {port:?} at clock {clock})"),
            // Not the bytes: traffic does not belong into logs.
            Self::Left { number, port, egress_clock, bytes, .. } => {
                write!(f, "Left({number} on {port:?} at clock {egress_clock}, {} bytes)", bytes.len())
            }
        }
    }
}

/// What a play did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlaySummary {
    /// Frames played.
    pub frames: u64,
    /// Of these, placed later than asked for because their time was over.
    pub late: u64,
    /// Of these, never came out of the card. Any is a fault of the card.
    pub lost: u64,
}

/// Why the client gave up. The connection is of no further use.
#[derive(Debug)]
pub enum ClientError {
    /// The socket failed.
    Io(io::Error),
    /// The server ended the connection, and says why.
    Refused(String),
    /// The server ended the connection without a word.
    Closed,
    /// The server sent something that is no message.
    Malformed(Malformed),
    /// The server sent a message out of turn.
    OutOfTurn,
    /// The server speaks another version of the protocol.
    Version {
        /// The server's.
        server: u16,
        /// This client's.
        client: u16,
    },
}

impl std::fmt::Display for ClientError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "wire socket: {error}"),
            Self::Refused(reason) => write!(f, "wire server refused: {reason}"),
            Self::Closed => write!(f, "wire server closed the connection"),
            Self::Malformed(what) => write!(f, "wire server sent no message: {what}"),
            Self::OutOfTurn => write!(f, "wire server sent a message out of turn"),
            Self::Version { server, client } => {
                write!(f, "wire server speaks version {server}, this client speaks version {client}")
            }
        }
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Malformed(what) => Some(what),
            _ => None,
        }
    }
}

impl Client {
    /// Connects and greets.
    ///
    /// # Errors
    /// [`ClientError`]; another client that is connected already shows as `Refused`.
    pub fn connect(socket: &Path) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(socket).map_err(ClientError::Io)?;
        let incoming = stream.try_clone().map_err(ClientError::Io)?;
        let (sender, answers) = mpsc::channel();
        let reader = std::thread::Builder::new()
            .name("wire-client".into())
            .spawn(move || read_answers(incoming, &sender))
            .map_err(ClientError::Io)?;
        let mut client = Self {
            stream: BufWriter::with_capacity(1 << 16, stream),
            answers,
            reader: Some(reader),
            backend: String::new(),
            played: PlaySummary::default(),
        };
        match client.ask(&Request::Hello { version: VERSION })? {
            Answer::Welcome { version, backend } if version == VERSION => client.backend = backend,
            Answer::Welcome { version, .. } => {
                return Err(ClientError::Version { server: version, client: VERSION });
            }
            _ => return Err(ClientError::OutOfTurn),
        }
        Ok(client)
    }

    /// Which card it is: `model` or `rtl`.
    pub fn backend(&self) -> &str {
        &self.backend
    }

    /// The card's time now, ns of TAI.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn card_time_ns(&mut self) -> Result<u64, ClientError> {
        match self.ask(&Request::Time)? {
            Answer::Time { now_ns } => Ok(now_ns),
            _ => Err(ClientError::OutOfTurn),
        }
    }

    /// Sums since the card was made.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn statistics(&mut self) -> Result<Statistics, ClientError> {
        match self.ask(&Request::Statistics)? {
            Answer::Statistics(sums) => Ok(sums),
            _ => Err(ClientError::OutOfTurn),
        }
    }

    /// Lets the card run until its time is at least `until_ns`, and returns its time then.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn advance_to(&mut self, until_ns: u64) -> Result<u64, ClientError> {
        match self.ask(&Request::Advance { until_ns })? {
            Answer::Time { now_ns } => Ok(now_ns),
            _ => Err(ClientError::OutOfTurn),
        }
    }

    /// Plays frames, in time order, and tells `seen` what happens to each; returns when all have left.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn play(
        &mut self,
        frames: impl IntoIterator<Item = PlayFrame>,
        mut seen: impl FnMut(Seen),
    ) -> Result<PlaySummary, ClientError> {
        let before = self.played;
        let mut event = |answer| event(answer, before.frames).map(&mut seen);
        for PlayFrame { port, at_ns, bytes, damaged } in frames {
            self.send(&Request::Frame { at_ns, port, damaged, bytes })?;
            self.played.frames += 1;
            while let Ok(answer) = self.answers.try_recv() {
                event(answer?)?;
            }
        }
        self.send(&Request::Flush)?;
        self.flush()?;
        (self.played.late, self.played.lost) = loop {
            match self.receive()? {
                Answer::Flushed { late, lost } => break (late, lost),
                answer => event(answer)?,
            }
        };
        Ok(PlaySummary {
            frames: self.played.frames - before.frames,
            late: self.played.late.saturating_sub(before.late),
            lost: self.played.lost.saturating_sub(before.lost),
        })
    }

    fn ask(&mut self, request: &Request) -> Result<Answer, ClientError> {
        self.send(request)?;
        self.flush()?;
        self.receive()
    }

    fn send(&mut self, request: &Request) -> Result<(), ClientError> {
        message::write_body(&mut self.stream, &request.encode()).map_err(|error| self.why(error))
    }

    fn flush(&mut self) -> Result<(), ClientError> {
        self.stream.flush().map_err(|error| self.why(error))
    }

    fn receive(&mut self) -> Result<Answer, ClientError> {
        self.answers.recv().unwrap_or(Err(ClientError::Closed))
    }

    /// A server that closed the connection has said why before; that is worth more than a broken pipe.
    fn why(&self, error: io::Error) -> ClientError {
        if error.kind() != io::ErrorKind::BrokenPipe {
            return ClientError::Io(error);
        }
        let said = self.answers.iter().find_map(|answer| match answer {
            Err(error @ ClientError::Refused(_)) => Some(error),
            _ => None,
        });
        said.unwrap_or(ClientError::Io(error))
    }
}

/// `first` is the number of the play's first frame on the connection.
fn event(answer: Answer, first: u64) -> Result<Seen, ClientError> {
    let position = |number: u64| number.checked_sub(first).ok_or(ClientError::OutOfTurn);
    match answer {
        Answer::Arrived { number, port, clock, stamp_ns } => {
            Ok(Seen::Arrived { number: position(number)?, port, clock, stamp_ns })
        }
        Answer::Left { number, port, ingress_clock, egress_clock, bytes, damaged } => {
            Ok(Seen::Left { number: position(number)?, port, ingress_clock, egress_clock, bytes, damaged })
        }
        _ => Err(ClientError::OutOfTurn),
    }
}

/// Takes in everything that the server says. What piles up here is bounded by what the server has accepted.
fn read_answers(stream: UnixStream, answers: &mpsc::Sender<Result<Answer, ClientError>>) {
    let mut stream = BufReader::with_capacity(1 << 16, stream);
    loop {
        let answer = match message::read_body(&mut stream) {
            Ok(Some(body)) => match Answer::decode(&body) {
                Ok(Answer::Refused { reason }) => Err(ClientError::Refused(reason)),
                Ok(answer) => Ok(answer),
                Err(malformed) => Err(ClientError::Malformed(malformed)),
            },
            Ok(None) => Err(ClientError::Closed),
            Err(error) => Err(ClientError::Io(error)),
        };
        let last = answer.is_err();
        if answers.send(answer).is_err() || last {
            return;
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Wakes the reader; a socket that is closed already is just as good.
        let _ = self.stream.get_ref().shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            // It has no result, and a panic of it has been reported by its own thread.
            let _ = reader.join();
        }
    }
}
