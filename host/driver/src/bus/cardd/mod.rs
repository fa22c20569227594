//! A card that `writ-cardd` owns: this process may die, the card goes on.
//!
//! `writ-cardd` hands out the ring memory, the event descriptors of the interrupts, and a page of indices ([`IndexPage`]). Indices are stored there and
//! a doorbell is rung; every other register is a question and an answer over the socket. `writ-cardd` carries stored indices to the card before it
//! looks at the next question, so that accesses of a thread reach the card in their order.
//!
//! # Blocking
//! A register that is no index is read or written when the answer is there; if there is none within 10 s the card is gone from then on.

pub mod message;

use super::event::{EventIrq, Lifeline};
use crate::memory::{HostMemory, IndexPage, SharedError};
use crate::{Bar, CardError, Irq, Irqs};
use message::{Answer, DESCRIPTORS, Reason, Request, VERSION, answer, request};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use std::fs::File;
use std::io::{self, IoSliceMut, Read, Write};
use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use writ_abi::registers::{BAR_BYTES, identity};
use zerocopy::IntoBytes;

/// How long `writ-cardd` may take for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the card cannot be had from `writ-cardd`.
#[derive(Debug)]
pub enum CarddError {
    /// Nobody listens there, or may be reached.
    Connect {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another daemon has the card.
    InUse,
    /// This process runs under a uid that may not have the card.
    Stranger,
    /// `writ-cardd` and this host are of different versions.
    Version,
    /// `writ-cardd` breaks the protocol.
    Protocol(&'static str),
    /// `writ-cardd` ended the connection, or does not answer.
    Gone(io::Error),
    /// The memory that it hands out cannot be used.
    Memory(SharedError),
}

impl std::fmt::Display for CarddError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect { path, source } => {
                write!(f, "writ-cardd at {}: {source}; is it running?", path.display())
            }
            Self::InUse => write!(f, "writ-cardd refuses: another daemon has the card"),
            Self::Stranger => write!(f, "writ-cardd refuses: this uid may not have the card (its option --allow-uid)"),
            Self::Version => write!(f, "writ-cardd is of another version than this host: install both together"),
            Self::Protocol(what) => write!(f, "writ-cardd breaks the protocol: {what}"),
            Self::Gone(source) => write!(f, "writ-cardd is gone: {source}"),
            Self::Memory(source) => write!(f, "memory from writ-cardd: {source}"),
        }
    }
}

impl std::error::Error for CarddError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect { source, .. } | Self::Gone(source) => Some(source),
            Self::Memory(source) => Some(source),
            _ => None,
        }
    }
}

/// A card of `writ-cardd`. Dropping it leaves the card as it is: armed, if it was.
pub struct CarddCard {
    link: Arc<Link>,
    memory: Arc<HostMemory>,
    events: Vec<OwnedFd>,
    daemons_before: u32,
}

impl CarddCard {
    /// Takes the card from the `writ-cardd` that listens at `path`. Changes nothing of the card.
    ///
    /// # Errors
    /// [`CarddError`].
    pub fn connect(path: &Path) -> Result<Self, CarddError> {
        let connect = |source| CarddError::Connect { path: path.to_path_buf(), source };
        let mut stream = UnixStream::connect(path).map_err(connect)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).map_err(connect)?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT)).map_err(connect)?;
        // Refused before the first word is refused all the same: the answer says why.
        let _ = stream.write_all(Request::new(request::HELLO, VERSION, 0).as_bytes());
        let (welcome, descriptors) = welcomed(&stream).map_err(CarddError::Gone)?;
        match (welcome.kind.get(), welcome.value.get()) {
            (answer::WELCOME, VERSION) => {}
            (answer::WELCOME, _) => return Err(CarddError::Version),
            (answer::REFUSED, reason) => return Err(Reason::error(reason)),
            _ => return Err(CarddError::Protocol("its first word is no welcome")),
        }
        let mut descriptors = descriptors.into_iter();
        let mut next = || descriptors.next().ok_or(CarddError::Protocol("descriptors are missing"));
        let memory = HostMemory::adopt(File::from(next()?)).map_err(CarddError::Memory)?;
        let indices = IndexPage::adopt(File::from(next()?)).map_err(CarddError::Memory)?;
        let doorbell = next()?;
        let events: Vec<OwnedFd> = descriptors.collect();
        if events.len() + 3 != DESCRIPTORS || welcome.bytes.get() != memory.len() as u64 {
            return Err(CarddError::Protocol("what it hands out is not what it says"));
        }
        let watched = stream.try_clone().map_err(CarddError::Gone)?;
        let link = Link { watched, stream: Mutex::new(Some(stream)), indices, doorbell };
        Ok(Self { link: Arc::new(link), memory, events, daemons_before: welcome.before.get() })
    }

    /// The card's registers.
    pub fn bar(&self) -> Arc<dyn Bar> {
        Arc::new(CarddBar(Arc::clone(&self.link)))
    }

    /// The memory that the card can reach; it is a [`crate::Dma`]. No region has any of it yet: whoever asks for the same regions as the daemon
    /// before gets the same ones.
    pub fn dma(&self) -> Arc<HostMemory> {
        Arc::clone(&self.memory)
    }

    /// The card's interrupts. Each is for one waiter.
    ///
    /// # Errors
    /// Those of the operating system, if there are no descriptors left.
    pub fn irqs(&self) -> io::Result<Irqs> {
        let clones = self.events.iter().map(OwnedFd::try_clone).collect::<io::Result<Vec<_>>>()?;
        let mut irqs = clones.into_iter().map(|event| -> Box<dyn Irq> {
            Box::new(EventIrq::new(event, Arc::clone(&self.link) as Arc<dyn Lifeline>))
        });
        // Records first, completions last: in the order of the vectors.
        Ok(Irqs::each(|| irqs.next().unwrap_or_else(|| Box::new(crate::NoIrq))))
    }

    /// What names the card's life from one reset to the next: a random number of `writ-cardd`'s, which it draws anew whenever the card is reset. Whoever
    /// finds the one that it knows finds the card that it knows.
    ///
    /// # Errors
    /// [`CardError::Gone`] if `writ-cardd` does not answer.
    pub fn session(&self) -> Result<Option<NonZeroU64>, CardError> {
        let answer = self.link.answer(Request::new(request::SESSION, 0, 0), answer::SESSION);
        let answer = answer.ok_or(CardError::Gone { register: identity::MAGIC_AT })?;
        Ok(NonZeroU64::new(answer.bytes.get()))
    }

    /// How many daemons have had the card since `writ-cardd` opened it. 0: it was just reset, and its rings were never set up.
    pub fn daemons_before(&self) -> u32 {
        self.daemons_before
    }
}

impl std::fmt::Debug for CarddCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { memory, daemons_before, .. } = self;
        f.debug_struct("CarddCard")
            .field("memory", memory)
            .field("daemons_before", daemons_before)
            .finish_non_exhaustive()
    }
}

/// Reads the first answer and what comes with it.
fn welcomed(stream: &UnixStream) -> io::Result<(Answer, Vec<OwnedFd>)> {
    let mut bytes = [0; size_of::<Answer>()];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let got = rustix::net::recvmsg(stream, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags)?;
    let rights = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(rights) => Some(rights),
        _ => None,
    });
    let descriptors = rights.flatten().collect();
    if got.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut stream = stream;
    stream.read_exact(&mut bytes[got.bytes..])?;
    Ok((zerocopy::transmute!(bytes), descriptors))
}

/// The connection.
struct Link {
    /// To wait for its end.
    watched: UnixStream,
    /// `None`: it failed.
    stream: Mutex<Option<UnixStream>>,
    indices: IndexPage,
    doorbell: OwnedFd,
}

impl Lifeline for Link {
    fn lifeline(&self) -> BorrowedFd<'_> {
        self.watched.as_fd()
    }
}

impl Link {
    fn ask(&self, request: Request) -> Option<u32> {
        self.answer(request, answer::VALUE).map(|answer| answer.value.get())
    }

    fn answer(&self, request: Request, wanted: u32) -> Option<Answer> {
        let mut held = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = held.as_mut()?;
        let mut bytes = [0; size_of::<Answer>()];
        let asked = stream.write_all(request.as_bytes()).and_then(|()| stream.read_exact(&mut bytes));
        let answer: Answer = zerocopy::transmute!(bytes);
        if asked.is_ok() && answer.kind.get() == wanted {
            return Some(answer);
        }
        // Nobody knows any more which answer would belong to what.
        *held = None;
        None
    }
}

struct CarddBar(Arc<Link>);

fn is_register(offset: u32) -> bool {
    offset.is_multiple_of(4) && offset < BAR_BYTES
}

impl Bar for CarddBar {
    fn read32(&self, offset: u32) -> u32 {
        if !is_register(offset) {
            return u32::MAX;
        }
        self.0.ask(Request::new(request::READ, offset, 0)).unwrap_or(u32::MAX)
    }

    fn write32(&self, offset: u32, value: u32) {
        if let Some(index) = IndexPage::index_of(offset) {
            self.0.indices.store(index, value);
            // A doorbell whose count is full rings already; with nobody at home the next read tells.
            let _ = rustix::io::write(&self.0.doorbell, &1_u64.to_ne_bytes());
        } else if is_register(offset) {
            // A card that is gone does nothing; the next read tells.
            let _ = self.0.ask(Request::new(request::WRITE, offset, value));
        }
    }
}
