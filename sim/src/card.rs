//! The seam between a simulated card and whoever runs it.

use std::any::Any;
use writ_abi::PortSide;
use writ_driver::memory::CardMemory;

/// A frame on its way to a port.
#[derive(Clone, PartialEq, Eq)]
pub struct IngressFrame {
    /// Chosen by the caller; comes back with everything that is said about the frame.
    pub number: u64,
    /// The port that it comes in on.
    pub port: PortSide,
    /// First clock in which its first beat may be on the port. It comes later if the port is busy then, or if that clock is over.
    pub earliest_clock: u64,
    /// The frame as it is on the wire, FCS included; not empty, at most [`FRAME_BYTES_MAX`].
    pub bytes: Vec<u8>,
    /// The MAC marks it as damaged.
    pub damaged: bool,
}

/// Longest frame that a simulated port takes, FCS included: more than the card can copy, so that its refusal can be tested.
pub const FRAME_BYTES_MAX: usize = 16_000;

/// A frame's first beat was on the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The caller's number.
    pub number: u64,
    /// The port that it came in on.
    pub port: PortSide,
    /// The clock of its first beat.
    pub clock: u64,
    /// The frame's stamp, or the card's time in that clock if the copy side did not look at the frame.
    pub stamp_ns: u64,
}

/// A frame's last beat has left.
#[derive(Clone, PartialEq, Eq)]
pub struct EgressFrame {
    /// The caller's number.
    pub number: u64,
    /// The port that it left on.
    pub port: PortSide,
    /// The clock in which its first beat came in.
    pub ingress_clock: u64,
    /// The clock in which its first beat left.
    pub egress_clock: u64,
    /// The frame as it left, FCS included.
    pub bytes: Vec<u8>,
    /// Marked as damaged.
    pub damaged: bool,
}

impl std::fmt::Debug for IngressFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the bytes: traffic does not belong into logs.
        f.debug_struct("IngressFrame")
            .field("number", &self.number)
            .field("port", &self.port)
            .field("earliest_clock", &self.earliest_clock)
            .field("length", &self.bytes.len())
            .field("damaged", &self.damaged)
            .finish()
    }
}

impl std::fmt::Debug for EgressFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EgressFrame")
            .field("number", &self.number)
            .field("port", &self.port)
            .field("ingress_clock", &self.ingress_clock)
            .field("egress_clock", &self.egress_clock)
            .field("length", &self.bytes.len())
            .field("damaged", &self.damaged)
            .finish()
    }
}

/// Smallest and largest number of clocks between a first beat's arrival and its departure, in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// Smallest.
    pub clocks_min: u64,
    /// Largest.
    pub clocks_max: u64,
}

impl Latency {
    /// The range that holds both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { clocks_min: self.clocks_min.min(other.clocks_min), clocks_max: self.clocks_max.max(other.clocks_max) }
    }
}

/// Where a simulated host's message-signalled interrupts are written to, as on a PC; the data is the vector.
pub const MESSAGES_AT: u64 = 0xfee0_0000;

/// What a function's configuration space tells the card.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FunctionState {
    /// Command register: bus master.
    pub is_bus_master: bool,
    /// MSI-X control: enabled.
    pub is_msix_enabled: bool,
    /// MSI-X control: all vectors masked.
    pub is_msix_masked: bool,
}

/// A card, run clock by clock by its owner.
///
/// Memory is the [`CardMemory`] that the card was made with, or that it was given last. Between two calls of [`SimCard::run`] nothing
/// moves.
pub trait SimCard: Any + Send {
    /// What it is: `model` or `rtl`.
    fn name(&self) -> &'static str;

    /// Reads a register as the bus would. May run a few clocks, as many as the card takes to answer.
    fn read32(&mut self, offset: u32) -> u32;

    /// Writes a register as the bus would. May run a few clocks.
    fn write32(&mut self, offset: u32, value: u32);

    /// Runs as many clocks.
    fn run(&mut self, clocks: u64);

    /// Clocks since the card was made.
    fn clocks(&self) -> u64;

    /// The card's clock register, without any effect on the card.
    fn now_ns(&self) -> u64;

    /// How far the card's clock goes in a clock, in 2^-32 ns, as currently set.
    fn increment(&self) -> u64;

    /// Puts a frame at the end of its port's queue.
    ///
    /// # Panics
    /// If it is empty or longer than [`FRAME_BYTES_MAX`]: whoever lets frames in checks them.
    fn push(&mut self, frame: IngressFrame);

    /// Frames that were pushed and are not wholly on the wire yet.
    fn queued(&self) -> usize;

    /// Moves out what arrived since the last call, in order for each port.
    fn take_arrivals(&mut self, out: &mut Vec<Arrival>);

    /// Moves out what left since the last call, in order for each port.
    fn take_egress(&mut self, out: &mut Vec<EgressFrame>);

    /// Latency of the frames that came in on `port` so far.
    fn latency(&self, port: PortSide) -> Option<Latency>;

    /// Sets the level of the pulse-per-second input, from the next clock on.
    fn set_pps(&mut self, high: bool);

    /// Lines read and written by DMA so far: tells whether something is still going on.
    fn dma_lines(&self) -> u64;

    /// Accesses to addresses outside the card's memory so far. Any is a fault of the card or of its set-up.
    fn dma_faults(&self) -> u64;

    /// Index write-backs so far: each is an interrupt.
    fn interrupts(&self) -> u64;

    /// Gives the card other memory. It never touches the one before again.
    fn set_memory(&mut self, memory: CardMemory);

    /// Vectors that were signalled since the last call, one bit each. A card that does not tell them apart means all.
    fn take_vectors(&mut self) -> u64 {
        u64::MAX
    }

    /// It stands behind a PCIe bus: it knows bus master, has its own MSI-X table in BAR 0, and a reset that is more than a register.
    fn has_bus(&self) -> bool {
        false
    }

    /// Tells a card behind a bus what its configuration space says.
    fn set_function(&mut self, _state: FunctionState) {}

    /// Function-level reset: as after power-up, but for the wires. Configuration space forgets by itself.
    fn reset_function(&mut self) {
        self.write32(writ_abi::registers::control::CONTROL_AT, writ_abi::registers::control::RESET.mask());
    }
}
