//! One connection to a vfio-user server: requests and their answers.

use super::VfioUserError;
use super::message::{Command, HEADER_BYTES, Header, MESSAGE_BYTES_MAX, flags};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, IntoBytes};

/// How long the server may take for an answer. One that takes longer is gone, as a function is whose completions time out.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection. Any number of threads may ask; one after the other.
pub(super) struct Connection {
    /// For whoever has to see its end without asking.
    watched: UnixStream,
    wire: Mutex<Wire>,
}

struct Wire {
    stream: UnixStream,
    next_id: u16,
    /// Requests went unanswered or answers made no sense: nobody knows any more which answer belongs to what.
    broken: bool,
}

impl Connection {
    pub(super) fn open(path: &Path) -> Result<Self, VfioUserError> {
        let connect = |source| VfioUserError::Connect { path: path.to_path_buf(), source };
        let stream = UnixStream::connect(path).map_err(connect)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).map_err(connect)?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT)).map_err(connect)?;
        let watched = stream.try_clone().map_err(connect)?;
        Ok(Self { watched, wire: Mutex::new(Wire { stream, next_id: 0, broken: false }) })
    }

    /// The socket, to wait for its end. Nothing may be read from it.
    pub(super) fn watched(&self) -> BorrowedFd<'_> {
        self.watched.as_fd()
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks and waits for the answer's body.
    pub(super) fn ask(
        &self,
        command: Command,
        body: &[&[u8]],
        fd: Option<BorrowedFd<'_>>,
    ) -> Result<Vec<u8>, VfioUserError> {
        let mut wire = self.wire();
        let id = wire.send(command, 0, body, fd)?;
        wire.answer(command, id)
    }

    /// Asks for something that is not answered.
    pub(super) fn post(&self, command: Command, body: &[&[u8]]) -> Result<(), VfioUserError> {
        self.wire().send(command, flags::NO_REPLY, body, None).map(|_| ())
    }

    /// Asks and reads a fixed structure out of the answer.
    pub(super) fn ask_for<T: FromBytes>(&self, command: Command, body: &[&[u8]]) -> Result<T, VfioUserError> {
        let answer = self.ask(command, body, None)?;
        let (value, _) = T::read_from_prefix(&answer).map_err(|_| VfioUserError::Protocol("an answer is too short"))?;
        Ok(value)
    }
}

impl Wire {
    fn send(
        &mut self,
        command: Command,
        flags: u32,
        body: &[&[u8]],
        fd: Option<BorrowedFd<'_>>,
    ) -> Result<u16, VfioUserError> {
        if self.broken {
            return Err(VfioUserError::Gone);
        }
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        let bytes = HEADER_BYTES + body.iter().map(|part| part.len()).sum::<usize>();
        let header = Header {
            id: U16::new(id),
            command: U16::new(command as u16),
            bytes: U32::new(bytes as u32),
            flags: U32::new(flags),
            error: U32::new(0),
        };
        // One message, one write: a server that reads the header alone gets the descriptor with it.
        let message = [&[header.as_bytes()], body].concat().concat();
        self.write(&message, fd).map_err(|error| self.fail(error))?;
        Ok(id)
    }

    fn write(&mut self, message: &[u8], fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let Some(fd) = fd else { return self.stream.write_all(message) };
        let fds = [fd];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(io::Error::other("no room for a descriptor"));
        }
        let sent = rustix::net::sendmsg(&self.stream, &[IoSlice::new(message)], &mut control, SendFlags::NOSIGNAL)?;
        self.stream.write_all(&message[sent..])
    }

    fn answer(&mut self, command: Command, id: u16) -> Result<Vec<u8>, VfioUserError> {
        loop {
            let (header, body) = self.receive()?;
            let is_reply = header.flags.get() & flags::TYPE_MASK == flags::REPLY;
            if !is_reply {
                self.broken = true;
                return Err(VfioUserError::Protocol("the server asks something of its client"));
            }
            if header.id.get() != id {
                // A server may complain about something that no answer was wanted for. Registers that do not take a write show that when
                // they are read.
                if header.flags.get() & flags::ERROR != 0 {
                    continue;
                }
                self.broken = true;
                return Err(VfioUserError::Protocol("an answer to something else"));
            }
            if header.flags.get() & flags::ERROR != 0 {
                let errno = header.error.get();
                return Err(VfioUserError::Refused { command: command as u16, errno });
            }
            return Ok(body);
        }
    }

    fn receive(&mut self) -> Result<(Header, Vec<u8>), VfioUserError> {
        let mut header = [0; HEADER_BYTES];
        self.stream.read_exact(&mut header).map_err(|error| self.fail(error))?;
        let header: Header = zerocopy::transmute!(header);
        let bytes = header.bytes.get() as usize;
        let Some(rest) = bytes.checked_sub(HEADER_BYTES).filter(|rest| *rest <= MESSAGE_BYTES_MAX) else {
            self.broken = true;
            return Err(VfioUserError::Protocol("an answer of an impossible size"));
        };
        let mut body = vec![0; rest];
        self.stream.read_exact(&mut body).map_err(|error| self.fail(error))?;
        Ok((header, body))
    }

    fn fail(&mut self, error: io::Error) -> VfioUserError {
        self.broken = true;
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                VfioUserError::Gone
            }
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => VfioUserError::Silent { waited: ANSWER_TIMEOUT },
            _ => VfioUserError::Io(error),
        }
    }
}
