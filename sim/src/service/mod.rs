//! A simulated card in a thread of its own: registers, memory and interrupts for a driver in the same process, wires for
//! another one.
//!
//! # When the card runs
//! While frames are due on its wires, while the host reads or writes registers, and for [`LINGER_CLOCKS`] after anything happened, or
//! [`LINGER_COMMAND_CLOCKS`] after commands. Otherwise its thread sleeps and card time stands still; or, with [`Pace::Host`], goes on as the host's
//! clock does.

mod handles;
mod pace;
mod player;
mod runner;
mod socket;

use crate::card::{FunctionState, SimCard};
use crate::model::ModelCard;
use crate::wire::Statistics;
use crossbeam_channel::{Sender, bounded};
pub(crate) use handles::VectorWait;
use handles::{BarHandle, BusRequest, Signal};
use runner::Runner;
use socket::WireSocket;
pub(crate) use socket::remove_stale;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use writ_abi::pci::VECTORS;
use writ_driver::memory::{CardMemory, HostMemory};
use writ_driver::{Bar, Irqs, RingSizes};

pub use pace::{CATCH_UP, Pace};

/// Clocks that the card runs on after the last sign of life. Longer than anything that goes on inside it unseen, but for sweeps: the host waits
/// for the one after a reset by reading, and for those of commands there is [`LINGER_COMMAND_CLOCKS`].
pub const LINGER_CLOCKS: u64 = 2048;

/// Clocks that the card runs on after the doorbell of the command ring and the last sign of life after it: several sweeps of all rows.
pub const LINGER_COMMAND_CLOCKS: u64 = 4 * writ_abi::limits::ROWS_PER_WAY_MAX as u64;

/// Bytes of preamble, start delimiter and smallest gap between two frames of Ethernet.
pub const ETHERNET_OVERHEAD_BYTES: u32 = 20;

/// Which card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The golden model.
    Model,
    /// The Verilated gateware at its core's bus. Needs the cargo feature `rtl`.
    Rtl,
    /// The Verilated gateware with its adapter to PCIe, behind TLPs. Needs the cargo feature `rtl-pcie`.
    Tlp,
}

impl std::str::FromStr for Backend {
    type Err = ServiceError;

    fn from_str(name: &str) -> Result<Self, ServiceError> {
        match name {
            "model" => Ok(Self::Model),
            "rtl" => Ok(Self::Rtl),
            "tlp" => Ok(Self::Tlp),
            _ => Err(ServiceError::UnknownBackend { name: name.to_owned() }),
        }
    }
}

/// How to run a card.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of host memory that the card can reach; [`RingSizes::memory_bytes`] says how much its rings take.
    pub memory_bytes: usize,
    /// Where to listen for the wires, if anywhere. A socket that is left over there is replaced.
    pub wire_socket: Option<PathBuf>,
    /// Bytes that the line spends between two frames of a port, at 100 Gb/s.
    pub overhead_bytes: u32,
    /// What the card's time follows.
    pub pace: Pace,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory_bytes: RingSizes::default().memory_bytes(),
            wire_socket: None,
            overhead_bytes: ETHERNET_OVERHEAD_BYTES,
            pace: Pace::Events,
        }
    }
}

/// Why a card could not be started.
#[derive(Debug)]
pub enum ServiceError {
    /// There is no card of this name.
    UnknownBackend {
        /// The name.
        name: String,
    },
    /// This program was built without the Verilated card.
    NoRtl {
        /// The cargo feature that has it.
        feature: &'static str,
    },
    /// Memory of this size could not be had.
    Memory {
        /// How much.
        bytes: usize,
        /// What the system says.
        source: io::Error,
    },
    /// No thread could be started.
    Thread(io::Error),
    /// The wire socket could not be had.
    Socket {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl std::fmt::Display for ServiceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownBackend { name } => write!(f, "card {name:?} does not exist; there are model, rtl and tlp"),
            Self::NoRtl { feature } => write!(f, "this program was built without that card (cargo feature {feature})"),
            Self::Memory { bytes, source } => write!(f, "card memory of {bytes} bytes: {source}"),
            Self::Thread(source) => write!(f, "thread of the card: {source}"),
            Self::Socket { path, source } => write!(f, "wire socket {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for ServiceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Memory { source, .. } | Self::Thread(source) | Self::Socket { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A running card without a host: in its slot, with power and cables. Dropping it takes the card off the bus: registers read as all ones
/// from then on.
pub struct Slot {
    bus: Sender<BusRequest>,
    signal: Arc<Signal>,
    sums: Arc<Mutex<Statistics>>,
    thread: Option<JoinHandle<()>>,
    socket: Option<WireSocket>,
    has_bus: bool,
}

impl Slot {
    /// Makes a card and starts it. It reaches no memory yet.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn start(backend: Backend, options: &Options) -> Result<Self, ServiceError> {
        Self::start_card(make(backend, None)?, options)
    }

    /// Starts a card that was made by the caller.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn start_card(card: Box<dyn SimCard>, options: &Options) -> Result<Self, ServiceError> {
        let (bus, bus_requests) = bounded(1024);
        let (wires, wire_requests) = bounded(player::QUEUE_FRAMES);
        let socket = match &options.wire_socket {
            None => None,
            Some(path) => {
                Some(WireSocket::open(path, card.name(), wires).map_err(|source| socket_error(path, source))?)
            }
        };
        let signal = Arc::new(Signal::default());
        let sums = Arc::new(Mutex::new(Statistics::default()));
        let has_bus = card.has_bus();
        let runner = Runner::new(
            card,
            bus_requests,
            wire_requests,
            socket.as_ref().map(WireSocket::connections),
            Arc::clone(&signal),
            Arc::clone(&sums),
            options,
        );
        let thread = std::thread::Builder::new()
            .name("card".into())
            .spawn(move || runner.run())
            .map_err(ServiceError::Thread)?;
        Ok(Self { bus, signal, sums, thread: Some(thread), socket, has_bus })
    }

    /// The card's registers.
    pub fn bar(&self) -> Arc<dyn Bar> {
        Arc::new(BarHandle::new(self.bus.clone()))
    }

    /// All of BAR 0, for a card that [has a bus](SimCard::has_bus).
    pub(crate) fn whole_bar(&self) -> Arc<dyn Bar> {
        Arc::new(BarHandle::whole(self.bus.clone()))
    }

    /// The card's interrupts.
    pub fn irqs(&self) -> Irqs {
        let mut vectors = 0..VECTORS;
        Irqs::each(|| Box::new(self.vectors(1 << vectors.next().unwrap_or_default())))
    }

    /// One more waiter for some of the card's vectors, one bit each.
    pub(crate) fn vectors(&self, vectors: u64) -> VectorWait {
        VectorWait::new(Arc::clone(&self.signal), vectors)
    }

    /// The card stands behind a bus.
    pub(crate) fn has_bus(&self) -> bool {
        self.has_bus
    }

    /// Tells the card what its configuration space says. When this returns, it goes by that.
    pub(crate) fn set_function(&self, state: FunctionState) {
        self.ask(|done| BusRequest::Function { state, done });
    }

    /// Resets the function. When this returns, it is as after power-up, but for the wires.
    pub(crate) fn reset_function(&self) {
        self.ask(|done| BusRequest::ResetFunction { done });
    }

    fn ask(&self, request: impl FnOnce(Sender<()>) -> BusRequest) {
        let (done, wait) = bounded(1);
        // A card that is gone does nothing any more.
        if self.bus.send(request(done)).is_ok() {
            let _ = wait.recv();
        }
    }

    /// Gives the card other memory. When this returns, the card never touches the one before again.
    pub fn set_memory(&self, memory: CardMemory) {
        self.ask(|done| BusRequest::Memory { memory, done });
    }

    /// Sums since the card was made.
    pub fn statistics(&self) -> Statistics {
        *self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A card as it was powered up; with memory as a host has set it up.
fn make(backend: Backend, memory: Option<CardMemory>) -> Result<Box<dyn SimCard>, ServiceError> {
    match backend {
        Backend::Model => Ok(Box::new(ModelCard::new(memory.unwrap_or_default()))),
        #[cfg(feature = "rtl")]
        Backend::Rtl => Ok(Box::new(crate::rtl::RtlCard::new(memory.unwrap_or_default()))),
        #[cfg(not(feature = "rtl"))]
        Backend::Rtl => Err(ServiceError::NoRtl { feature: "rtl" }),
        #[cfg(feature = "rtl-pcie")]
        Backend::Tlp => {
            use crate::{pcie::BusSettings, rtl::TlpCard};
            let settings = BusSettings::default();
            Ok(Box::new(match memory {
                Some(memory) => TlpCard::started(settings, memory),
                None => TlpCard::new(settings),
            }))
        }
        #[cfg(not(feature = "rtl-pcie"))]
        Backend::Tlp => Err(ServiceError::NoRtl { feature: "rtl-pcie" }),
    }
}

/// A running card with memory of this process, for a driver of this process.
#[derive(Debug)]
pub struct Service {
    slot: Slot,
    memory: Arc<HostMemory>,
}

impl Service {
    /// Makes a card and starts it.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn start(backend: Backend, options: &Options) -> Result<Self, ServiceError> {
        let memory = HostMemory::new(options.memory_bytes)
            .map_err(|source| ServiceError::Memory { bytes: options.memory_bytes, source })?;
        let slot = Slot::start_card(make(backend, Some(memory.card()))?, options)?;
        Ok(Self { slot, memory })
    }

    /// The card's registers.
    pub fn bar(&self) -> Arc<dyn Bar> {
        self.slot.bar()
    }

    /// The memory that the card can reach; it is a [`writ_driver::Dma`].
    pub fn dma(&self) -> Arc<HostMemory> {
        Arc::clone(&self.memory)
    }

    /// The card's interrupts.
    pub fn irqs(&self) -> Irqs {
        self.slot.irqs()
    }

    /// Sums since the card was made.
    pub fn statistics(&self) -> Statistics {
        self.slot.statistics()
    }
}

fn socket_error(path: &Path, source: io::Error) -> ServiceError {
    ServiceError::Socket { path: path.to_path_buf(), source }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // A thread that has ended already took its end of the channel with it.
        let _ = self.bus.send(BusRequest::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic of the card was reported by its own thread; here it only means that the card is gone.
            let _ = thread.join();
        }
        self.socket = None;
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}
