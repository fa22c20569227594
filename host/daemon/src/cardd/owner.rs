//! The one loop: who comes, what is asked, which index moved, whether the card still lives.

use crate::{adapter::Adapter, say};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::rand::GetRandomFlags;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use writ_abi::registers::{BAR_BYTES, control};
use writ_driver::Bar;
use writ_driver::bus::cardd::message::{Answer, DESCRIPTORS, Reason, Request, VERSION, answer, request};
use writ_driver::bus::place::OwnedCard;
use writ_driver::memory::IndexPage;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U32, U64};

/// Longest time until a peer has said what it wants; until then nobody else can have the card.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);
/// How long nobody is let in after somebody could not be.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// Longest time for an answer to be taken. A daemon that is stopped has asked nothing before.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// How often it is looked what happened on the bus.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
/// Bytes of requests that are looked at together.
const CHUNK_BYTES: usize = 4096;

/// The card and whoever has it.
pub(crate) struct Owner {
    card: OwnedCard,
    bar: Arc<dyn Bar>,
    /// Of a card on a bus.
    adapter: Option<Adapter>,
    looked_at: Instant,
    listener: UnixListener,
    allowed_uid: u32,
    indices: IndexPage,
    doorbell: OwnedFd,
    /// What the card was told of each index.
    carried: [u32; IndexPage::COUNT],
    daemon: Option<Daemon>,
    /// Nobody is let in before.
    deaf_until: Option<Instant>,
    /// Daemons that have had the card.
    daemons: u32,
    /// Names the card's life since its last reset; 0: nothing does.
    session: u64,
}

/// A connection that may have the card.
struct Daemon {
    stream: UnixStream,
    /// Part of a request.
    rest: Vec<u8>,
    welcomed: bool,
    since: Instant,
}

/// Why a daemon's connection ends.
enum End {
    /// It went.
    Gone,
    /// It is sent away.
    Refused(Reason),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Owner {
    pub(crate) fn new(
        card: OwnedCard,
        adapter: Option<Adapter>,
        listener: UnixListener,
        allowed_uid: u32,
    ) -> Result<Self, String> {
        let fail = |what: &str| format!("setting up: {what}");
        let indices = IndexPage::new().map_err(|error| fail(&error.to_string()))?;
        let doorbell = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let doorbell = doorbell.map_err(|error| fail(&error.to_string()))?;
        let carried = [0; IndexPage::COUNT];
        let (bar, daemon, session) = (card.bar(), None, new_session());
        let looked_at = Instant::now();
        Ok(Self {
            bar,
            card,
            adapter,
            looked_at,
            listener,
            allowed_uid,
            indices,
            doorbell,
            carried,
            daemon,
            deaf_until: None,
            daemons: 0,
            session,
        })
    }

    /// Serves until the card is gone, and says so.
    pub(crate) fn run(&mut self) -> String {
        loop {
            match self.turn() {
                Ok(()) => {}
                Err(why) => return why,
            }
        }
    }

    fn turn(&mut self) -> Result<(), String> {
        let wait = self.wait();
        // A listener that nothing is wanted of says nothing.
        let from_listener = if self.deaf_until.is_some() { PollFlags::empty() } else { PollFlags::IN };
        let mut fds = vec![
            PollFd::from_borrowed_fd(self.card.lifeline(), PollFlags::RDHUP),
            PollFd::new(&self.listener, from_listener),
            PollFd::new(&self.doorbell, PollFlags::IN),
        ];
        if let Some(daemon) = &self.daemon {
            fds.push(PollFd::new(&daemon.stream, PollFlags::IN));
        }
        match rustix::event::poll(&mut fds, wait.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(format!("waiting: {errno}")),
        }
        let is_ready = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
        let (card, comer, doorbell, asked) = (is_ready(0), is_ready(1), is_ready(2), is_ready(3));
        drop(fds);
        if card {
            return Err("the card is gone".to_owned());
        }
        if doorbell {
            // How often it rang does not matter.
            let _ = rustix::io::read(&self.doorbell, &mut [0; 8]);
            self.carry_indices();
        }
        if asked {
            self.serve();
        }
        if comer {
            self.meet();
        }
        self.look();
        self.lose_patience();
        Ok(())
    }

    /// How long nothing has to be done unless somebody asks for it.
    fn wait(&self) -> Option<Timespec> {
        let silent = self.daemon.as_ref().filter(|daemon| !daemon.welcomed).map(|daemon| daemon.since + HELLO_TIMEOUT);
        let look = self.adapter.as_ref().map(|_| self.looked_at + LOOK_PERIOD);
        let next = [silent, look, self.deaf_until].into_iter().flatten().min()?;
        // Rounded up: a wait that ends early is one for nothing.
        let left = next.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        Some(Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() })
    }

    /// Sends away who says nothing, and listens again.
    fn lose_patience(&mut self) {
        let now = Instant::now();
        self.deaf_until = self.deaf_until.filter(|until| *until > now);
        let is_silent = |daemon: &mut Daemon| !daemon.welcomed && now >= daemon.since + HELLO_TIMEOUT;
        if let Some(silent) = self.daemon.take_if(is_silent) {
            say("a peer said nothing, and was sent away");
            send_away(silent.stream, Reason::Protocol);
        }
    }

    /// Tells what has happened on the bus.
    fn look(&mut self) {
        let Some(adapter) = &mut self.adapter else { return };
        if self.looked_at.elapsed() >= LOOK_PERIOD {
            self.looked_at = Instant::now();
            adapter.news().iter().for_each(|line| say(line));
        }
    }

    /// Carries the indices that have moved to the card.
    fn carry_indices(&mut self) {
        for index in 0..IndexPage::COUNT {
            let value = self.indices.load(index);
            if value != self.carried[index] {
                self.carried[index] = value;
                self.bar.write32(IndexPage::register(index), value);
            }
        }
    }

    /// Looks at who has come.
    fn meet(&mut self) {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => return,
            Err(error) => {
                say(&format!("nobody could be let in: {error}"));
                self.deaf_until = Some(Instant::now() + ACCEPT_AGAIN);
                return;
            }
        };
        let prepared = stream.set_nonblocking(false).and_then(|()| stream.set_write_timeout(Some(SEND_TIMEOUT)));
        if prepared.is_err() {
            return;
        }
        let uid = rustix::net::sockopt::socket_peercred(&stream).map(|peer| peer.uid.as_raw());
        if uid != Ok(self.allowed_uid) {
            say(&format!("refused a peer of uid {}", uid.map_or("unknown".to_owned(), |uid| uid.to_string())));
            send_away(stream, Reason::Stranger);
        } else if self.daemon.is_some() {
            say("refused a second daemon");
            send_away(stream, Reason::InUse);
        } else {
            self.daemon = Some(Daemon { stream, rest: Vec::new(), welcomed: false, since: Instant::now() });
        }
    }

    /// Takes what the daemon asks.
    fn serve(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        match self.hear(&mut daemon) {
            Ok(()) => self.daemon = Some(daemon),
            Err(end) => {
                // What it released before it went is released.
                self.carry_indices();
                if daemon.welcomed {
                    say("the daemon is gone; the card runs on");
                }
                if let End::Refused(reason) = end {
                    send_away(daemon.stream, reason);
                }
            }
        }
    }

    fn hear(&mut self, daemon: &mut Daemon) -> Result<(), End> {
        let mut chunk = [0; CHUNK_BYTES];
        let bytes = daemon.stream.read(&mut chunk)?;
        if bytes == 0 {
            return Err(End::Gone);
        }
        daemon.rest.extend_from_slice(&chunk[..bytes]);
        let whole = daemon.rest.len() / size_of::<Request>() * size_of::<Request>();
        let requests: Vec<u8> = daemon.rest.drain(..whole).collect();
        for bytes in requests.as_chunks::<{ size_of::<Request>() }>().0 {
            let request: Request = zerocopy::transmute!(*bytes);
            self.request(daemon, &request)?;
        }
        Ok(())
    }

    fn request(&mut self, daemon: &mut Daemon, request: &Request) -> Result<(), End> {
        let (kind, offset, value) = (request.kind.get(), request.offset.get(), request.value.get());
        if daemon.welcomed != (kind != request::HELLO) {
            return Err(End::Refused(Reason::Protocol));
        }
        // Indices that were stored before the question come before it.
        self.carry_indices();
        let is_register = offset.is_multiple_of(4) && offset < BAR_BYTES;
        match kind {
            request::HELLO if offset == VERSION => self.welcome(daemon),
            request::HELLO => Err(End::Refused(Reason::Version)),
            request::READ if is_register => reply(&daemon.stream, self.bar.read32(offset)),
            request::WRITE if is_register => {
                let resets = offset == control::CONTROL_AT && control::RESET.extract(value) == 1;
                if resets {
                    // Before the reset: no daemon may take what follows for what it knows.
                    self.session = new_session();
                }
                self.bar.write32(offset, value);
                if resets {
                    self.forget_indices();
                }
                reply(&daemon.stream, 0)
            }
            request::SESSION => {
                send(&daemon.stream, &Answer { bytes: U64::new(self.session), ..Answer::new(answer::SESSION, 0) })
            }
            _ => Err(End::Refused(Reason::Protocol)),
        }
    }

    /// The card was reset, and its index registers with it.
    fn forget_indices(&mut self) {
        self.carried = [0; IndexPage::COUNT];
        for index in 0..IndexPage::COUNT {
            self.indices.store(index, 0);
        }
    }

    fn welcome(&mut self, daemon: &mut Daemon) -> Result<(), End> {
        let memory = self.card.dma();
        let welcome = Answer {
            before: U32::new(self.daemons),
            bytes: U64::new(memory.len() as u64),
            ..Answer::new(answer::WELCOME, VERSION)
        };
        let file = memory.file().ok_or(End::Gone)?;
        let mut descriptors: Vec<BorrowedFd<'_>> =
            vec![file.as_fd(), self.indices.file().as_fd(), self.doorbell.as_fd()];
        descriptors.extend(self.card.events());
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if descriptors.len() != DESCRIPTORS || !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
            return Err(End::Gone);
        }
        let parts = [IoSlice::new(welcome.as_bytes())];
        let sent = rustix::net::sendmsg(&daemon.stream, &parts, &mut control, SendFlags::NOSIGNAL);
        if sent != Ok(size_of::<Answer>()) {
            return Err(End::Gone);
        }
        daemon.welcomed = true;
        say(&format!("daemon {} has the card", self.daemons));
        self.daemons += 1;
        Ok(())
    }
}

fn reply(stream: &UnixStream, value: u32) -> Result<(), End> {
    send(stream, &Answer::new(answer::VALUE, value))
}

fn send(mut stream: &UnixStream, answer: &Answer) -> Result<(), End> {
    Ok(stream.write_all(answer.as_bytes())?)
}

/// A random number; 0, which names nothing, if the system has none.
fn new_session() -> u64 {
    let mut bytes = [0; 8];
    match rustix::rand::getrandom(&mut bytes[..], GetRandomFlags::empty()) {
        Ok(8) => u64::from_ne_bytes(bytes),
        _ => 0,
    }
}

/// Tells a peer why it cannot have the card. One that does not listen cannot be helped.
fn send_away(mut stream: UnixStream, reason: Reason) {
    let _ = stream.write_all(Answer::new(answer::REFUSED, reason as u32).as_bytes());
}
