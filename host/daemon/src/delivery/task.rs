//! One tokio task a session: moves octets between the connection and the sans-I/O session, blocks between the ring thread and the
//! session, and reports to the control thread. Whatever is decided is decided by [`Session`].

use crate::{
    clock::HostClock,
    delivery::journal::JournalFolder,
    delivery::transport::{ConnectError, Endpoint, Stream},
    delivery::withheld::WithheldFile,
    mailbox::{Carried, Mailbox, Message},
};
use crossbeam_channel::{Receiver, Sender};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::Notify,
    time::Instant,
};
use writ_control::report::ConnectionState;
use writ_driver::memory::BlockMemory;
use writ_mediation::{
    arena::{BLOCK_BYTES, FreeBlock, SealedBlock},
    session::{Action, Counts, Fault, Session, SessionStatus},
    units::ContextIndex,
};

/// While a write is stuck, the session is asked this often whether it has had enough.
const STALL_CHECK: Duration = Duration::from_millis(200);

/// The sessions of this daemon.
pub(crate) type DaemonSession = Session<BlockMemory, JournalFolder>;

/// What the control thread may tell a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionOrder {
    /// Send nothing more of this numbering.
    Withhold(ContextIndex),
    /// It may hold so many blocks of the arena.
    Share(usize),
    /// Close the connection and end.
    Stop,
}

/// What others may see of a session. Updated between actions.
#[derive(Debug, Clone)]
pub(crate) struct SessionView {
    /// From the session itself.
    pub(crate) status: SessionStatus,
    /// State of the connection.
    pub(crate) state: ConnectionState,
    /// What went wrong last.
    pub(crate) last_error: Option<String>,
}

/// Handle of a running session.
#[derive(Debug, Clone)]
pub(crate) struct SessionHandle {
    orders: Sender<SessionOrder>,
    wake: Arc<Notify>,
    view: Arc<Mutex<SessionView>>,
}

impl SessionHandle {
    /// Gives an order. It is carried out before the next octet is chosen.
    pub(crate) fn order(&self, order: SessionOrder) {
        if self.orders.send(order).is_ok() {
            self.wake.notify_one();
        }
    }

    /// The session as of a moment ago.
    pub(crate) fn view(&self) -> SessionView {
        lock(&self.view).clone()
    }
}

/// A panic while the lock was held cannot have left a view that is half written in a way that matters.
fn lock(view: &Mutex<SessionView>) -> MutexGuard<'_, SessionView> {
    view.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A session and its surroundings.
pub(crate) struct Delivery {
    session: DaemonSession,
    endpoint: Endpoint,
    journalled: bool,
    blocks: Receiver<SealedBlock<BlockMemory>>,
    freed: Sender<FreeBlock<BlockMemory>>,
    orders: Receiver<SessionOrder>,
    wake: Arc<Notify>,
    control: Mailbox,
    view: Arc<Mutex<SessionView>>,
    keeper: WithheldFile,
    clock: HostClock,
    name: String,
    /// The error that was logged last, until a connection is up again.
    logged: Option<String>,
    stopping: bool,
    /// The first step is done.
    reported: bool,
    /// What the first step held back.
    first_withheld: Vec<(ContextIndex, Counts)>,
}

/// The channels that tie a session to its surroundings.
pub(crate) struct Surroundings {
    /// Blocks for the session.
    pub(crate) blocks: Receiver<SealedBlock<BlockMemory>>,
    /// Where free memory goes.
    pub(crate) freed: Sender<FreeBlock<BlockMemory>>,
    /// Woken when there is a block or an order.
    pub(crate) wake: Arc<Notify>,
    /// Where reports go.
    pub(crate) control: Mailbox,
    /// Keeps what is withheld.
    pub(crate) keeper: WithheldFile,
    /// The host's clock.
    pub(crate) clock: HostClock,
    /// What the operator calls the destination.
    pub(crate) name: String,
}

struct Connection {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    /// Octets were written that may still be in our TLS buffers.
    unflushed: bool,
}

/// What ended a wait.
enum Woken {
    Read(io::Result<usize>),
    Written(io::Result<usize>),
    Flushed(io::Result<()>),
    Other,
}

impl Delivery {
    /// A session that is not running yet, and its handle.
    pub(crate) fn new(session: DaemonSession, endpoint: Endpoint, around: Surroundings) -> (Self, SessionHandle) {
        let (order_sender, orders) = crossbeam_channel::unbounded();
        let status = session.status();
        let view = SessionView { status, state: ConnectionState::Connecting, last_error: None };
        let view = Arc::new(Mutex::new(view));
        let handle = SessionHandle { orders: order_sender, wake: Arc::clone(&around.wake), view: Arc::clone(&view) };
        let journalled = status.key.interface.is_journalled();
        let Surroundings { blocks, freed, wake, control, keeper, clock, name } = around;
        let delivery = Self {
            session,
            endpoint,
            journalled,
            blocks,
            freed,
            orders,
            wake,
            control,
            view,
            keeper,
            clock,
            name,
            logged: None,
            stopping: false,
            reported: false,
            first_withheld: Vec::new(),
        };
        (delivery, handle)
    }

    /// Runs until told to stop. What is not confirmed then stays in arena and journal.
    pub(crate) async fn run(mut self) {
        let mut connection = None;
        let mut buffer = vec![0; 16 * 1024];
        let withheld = self.keeper.counts();
        // The first step brings recovered blocks into the journal, so that nothing is counted twice.
        let mut action = self.step();
        let taken_out = std::mem::take(&mut self.first_withheld);
        self.report_carried(withheld, taken_out);
        loop {
            match action {
                Action::Connect => connection = self.connect().await,
                Action::Close(fault) => {
                    if fault != Fault::Stopping {
                        self.note_error(&fault);
                    }
                    close(connection.take()).await;
                    self.session.disconnected(self.clock.now());
                }
                Action::Write => {
                    if let Some(open) = &mut connection {
                        let woken = write_or_read(open, self.session.transmit(), &mut buffer, &self.wake).await;
                        self.woken(woken, &buffer, &mut connection);
                    } else {
                        self.session.disconnected(self.clock.now());
                    }
                }
                Action::Wait(_) if self.stopping && connection.is_none() => return,
                Action::Wait(until) => {
                    let until = until.map(|until| self.clock.instant(until));
                    let woken = wait(connection.as_mut(), &mut buffer, &self.wake, until).await;
                    self.woken(woken, &buffer, &mut connection);
                }
            }
            action = self.step();
        }
    }

    /// Says what an earlier process left to deliver.
    fn report_carried(&mut self, withheld: Vec<(ContextIndex, Counts)>, taken_out: Vec<(ContextIndex, Counts)>) {
        let key = self.session.status().key;
        let mut buffered = tokio::task::block_in_place(|| self.session.buffered()).unwrap_or_else(|error| {
            self.note_error(&error);
            Vec::new()
        });
        // What the first step held back was here when it began.
        buffered.extend(taken_out);
        self.control.send(Message::Carried(Carried { key, buffered, withheld }));
    }

    /// Takes in what came, asks the session, gives out what it has.
    fn step(&mut self) -> Action {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                SessionOrder::Withhold(context) => self.session.withhold(context),
                // A journal gives blocks back at once, whatever the peer does.
                SessionOrder::Share(_) if self.journalled => {}
                SessionOrder::Share(blocks) => self.session.set_share((blocks * BLOCK_BYTES) as u64),
                SessionOrder::Stop => {
                    self.session.stop();
                    self.stopping = true;
                }
            }
        }
        while let Ok(block) = self.blocks.try_recv() {
            if self.session.push(block).is_err() {
                tracing::error!("a block of another session was given up");
            }
        }
        let now = self.clock.now();
        // Journalled sessions wait for the disk in here.
        let action = if self.journalled {
            tokio::task::block_in_place(|| self.session.poll(now))
        } else {
            self.session.poll(now)
        };
        self.keep_withheld();
        while let Some(free) = self.session.pop_free() {
            // It fails only when the ring thread has stopped, and then nobody needs the block.
            let _ = self.freed.send(free);
        }
        if let Some(report) = self.session.take_report() {
            if !self.reported {
                self.first_withheld.clone_from(&report.withheld);
            }
            self.control.send(Message::Session(report.key, report));
        }
        self.reported = true;
        self.show(&action);
        action
    }

    /// Gives what is held back to its keeper. Only when it is safe there may arena and journal forget it.
    fn keep_withheld(&mut self) {
        let mut kept = Vec::new();
        let mut before: BTreeMap<ContextIndex, Counts> = BTreeMap::new();
        while let Some(withheld) = self.session.pop_withheld() {
            match self.keeper.keep(&withheld) {
                Ok(fresh) => {
                    if !fresh {
                        let counts =
                            Counts { pdus: 1, packets: withheld.packets.into(), bytes: withheld.pdu.len() as u64 };
                        *before.entry(withheld.context).or_default() += counts;
                    }
                    kept.push(withheld);
                }
                // It stays in arena or journal, unsent.
                Err(error) => self.note_error(&format_args!("keeping a withheld PDU: {error}")),
            }
        }
        if kept.is_empty() {
            return;
        }
        if !before.is_empty() {
            self.control.send(Message::KeptBefore(self.session.status().key, before.into_iter().collect()));
        }
        match tokio::task::block_in_place(|| self.keeper.sync()) {
            Ok(()) => kept.iter().for_each(|withheld| self.session.withheld_stored(withheld)),
            Err(error) => self.note_error(&format_args!("keeping withheld PDUs: {error}")),
        }
    }

    fn show(&self, action: &Action) {
        let status = self.session.status();
        let mut view = lock(&self.view);
        view.status = status;
        view.state = match action {
            _ if status.connected => ConnectionState::Connected,
            _ if self.stopping => ConnectionState::Off,
            Action::Connect => ConnectionState::Connecting,
            _ => ConnectionState::Waiting,
        };
    }

    fn note_error(&mut self, error: &dyn std::fmt::Display) {
        let key = self.session.status().key;
        let text = error.to_string();
        // A peer that is away is tried again and again, and fails in the same way.
        if self.logged.as_ref() != Some(&text) {
            tracing::warn!("destination {} {}: {text}", self.name, key.interface.name());
            self.logged = Some(text.clone());
        }
        lock(&self.view).last_error = Some(text);
    }

    /// Connects. Blocks and orders are taken in meanwhile, so that the journal does not wait for a peer.
    async fn connect(&mut self) -> Option<Connection> {
        let endpoint = self.endpoint.clone();
        let mut attempt = Box::pin(endpoint.connect());
        let wake = Arc::clone(&self.wake);
        let result: Result<Box<dyn Stream>, ConnectError> = loop {
            tokio::select! {
                result = &mut attempt => break result,
                () = wake.notified() => drop(self.step()),
            }
            if self.stopping {
                break Err(ConnectError::Stopping);
            }
        };
        let now = self.clock.now();
        match result {
            Ok(stream) => {
                self.session.connected(now);
                self.logged = None;
                let (reader, writer) = tokio::io::split(stream);
                Some(Connection { reader, writer, unflushed: false })
            }
            Err(error) => {
                self.note_error(&error);
                self.session.connect_failed(now);
                None
            }
        }
    }

    fn woken(&mut self, woken: Woken, buffer: &[u8], connection: &mut Option<Connection>) {
        let now = self.clock.now();
        let error = match woken {
            Woken::Read(Ok(0)) => io::Error::new(io::ErrorKind::UnexpectedEof, "the peer closed the connection"),
            Woken::Read(Ok(count)) => return self.session.received(&buffer[..count], now),
            Woken::Written(Ok(0)) => io::Error::new(io::ErrorKind::WriteZero, "the connection takes nothing more"),
            Woken::Written(Ok(count)) => {
                if let Some(open) = connection {
                    open.unflushed = true;
                }
                return self.session.transmitted(count, now);
            }
            Woken::Flushed(Ok(())) => {
                if let Some(open) = connection {
                    open.unflushed = false;
                }
                return;
            }
            Woken::Read(Err(error)) | Woken::Written(Err(error)) | Woken::Flushed(Err(error)) => error,
            Woken::Other => return,
        };
        self.note_error(&error);
        *connection = None;
        self.session.disconnected(now);
    }
}

/// Writes; but what the peer sends is read meanwhile, because its answers are what confirms. A peer that reads nothing does not keep orders
/// waiting, nor the session from noticing it.
async fn write_or_read(connection: &mut Connection, octets: &[u8], buffer: &mut [u8], wake: &Notify) -> Woken {
    let Connection { reader, writer, .. } = connection;
    tokio::select! {
        written = writer.write(octets) => Woken::Written(written),
        read = reader.read(buffer) => Woken::Read(read),
        () = wake.notified() => Woken::Other,
        () = tokio::time::sleep(STALL_CHECK) => Woken::Other,
    }
}

/// Says goodbye, if the peer still listens.
async fn close(connection: Option<Connection>) {
    if let Some(mut open) = connection {
        let _ = tokio::time::timeout(Duration::from_millis(500), open.writer.shutdown()).await;
    }
}

/// Waits for the peer, for a block or an order, or for the session's next deadline.
async fn wait(connection: Option<&mut Connection>, buffer: &mut [u8], wake: &Notify, until: Option<Instant>) -> Woken {
    let deadline = async {
        match until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    let traffic = async {
        match connection {
            Some(Connection { reader, writer, unflushed: true }) => tokio::select! {
                read = reader.read(buffer) => Woken::Read(read),
                flushed = writer.flush() => Woken::Flushed(flushed),
            },
            Some(Connection { reader, .. }) => Woken::Read(reader.read(buffer).await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        woken = traffic => woken,
        () = wake.notified() => Woken::Other,
        () = deadline => Woken::Other,
    }
}
