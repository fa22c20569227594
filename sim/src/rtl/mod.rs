//! The Verilated gateware behind [`SimCard`].
//!
//! `build.rs` emits the gateware, has Verilator translate it, and compiles the result with `harness.cpp`, which runs many clocks a
//! call. Nothing of the card's behaviour is in here; what the harness adds is the world around it: ports, memory, and a bus
//! that answers reads after a fixed time and takes writes at once.

mod ffi;
#[cfg(feature = "rtl-pcie")]
mod tlp;

#[cfg(feature = "rtl-pcie")]
pub use tlp::TlpCard;

use crate::card::{Arrival, EgressFrame, FRAME_BYTES_MAX, IngressFrame, Latency, SimCard};
use std::ptr::NonNull;
use writ_abi::PortSide;
use writ_abi::registers::{clock, control};
use writ_abi::time::{INCREMENT_FRACTION, INCREMENT_NS, TimeQuality};
use writ_driver::memory::{Access, CardMemory};

/// The Verilated top.
pub struct RtlCard {
    raw: NonNull<ffi::WritRtl>,
    harness: &'static ffi::Functions,
    /// Keeps the mapping alive that the harness writes into.
    _memory: CardMemory,
    /// What the host last set; there is no way to see it from outside without taking part in the traffic.
    increment_ns: u32,
    increment_fraction: u32,
}

// SAFETY: the harness has no thread-local state of its own and one owner; it is used by one thread at a time, which
// `&mut self` on everything that changes it ensures.
unsafe impl Send for RtlCard {}

/// Something that happened inside the gateware, for equivalence with the model. In order of clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tap {
    /// A frame of the port was stamped.
    Stamp {
        /// The port.
        port: PortSide,
        /// The stamp.
        stamp_ns: u64,
        /// The quality at the stamp, as on the bus.
        quality: u8,
    },
    /// A frame's window is complete.
    Window {
        /// The port.
        port: PortSide,
        /// There was no room for it: it is never looked up.
        dropped: bool,
    },
    /// The keys of the port's next frame enter lookup.
    Lookup {
        /// The port.
        port: PortSide,
        /// The frame's stamp.
        stamp_ns: u64,
        /// Its quality.
        quality: TimeQuality,
        /// CONTROL.ARMED.
        armed: bool,
        /// Rows that expired before this tick stay expired.
        expiry_floor: u64,
        /// A batch is committed and not settled.
        committed: bool,
    },
    /// The next record sequence of a ring was given and decided on.
    Outcome {
        /// The ring.
        ring: u8,
        /// Number of the drop cause; `None`: copied.
        dropped: Option<u8>,
        /// A gap record goes before the packet record.
        gap: bool,
    },
    /// A gap record was made on its own.
    Gap {
        /// The ring.
        ring: u8,
    },
    /// A frame with hits was discarded because it is damaged.
    Damaged,
    /// The host is about to write CONTROL.RESET. What the next few clocks show is still of before.
    Reset,
}

impl RtlCard {
    /// A card that was just powered up.
    #[cfg(feature = "rtl")]
    pub fn new(memory: CardMemory) -> Self {
        Self::with(&ffi::WIDE, build_hash(), memory)
    }

    /// The card for a small FPGA, whose wires have beats of 64 bits.
    #[cfg(feature = "rtl-narrow")]
    pub fn narrow(memory: CardMemory) -> Self {
        Self::with(&ffi::NARROW, digest(env!("WRIT_RTL_NARROW_BLAKE3")), memory)
    }

    /// The card behind TLPs. In every clock of the hard block `bus` is called with `context`.
    ///
    /// # Safety
    /// For as long as the card lives, `bus` may be called with `context` from the thread that runs the card; nobody else uses what is behind
    /// `context` meanwhile.
    #[cfg(feature = "rtl-pcie")]
    pub(crate) unsafe fn behind(bus: ffi::Bus, context: *mut std::ffi::c_void) -> Self {
        let card = Self::with(&ffi::PCIE, digest(env!("WRIT_RTL_PCIE_BLAKE3")), CardMemory::none());
        // SAFETY: `raw` is alive and ours alone; the rest is this function's contract.
        unsafe { ffi::writ_rtl_pcie_set_bus(card.raw.as_ptr(), bus, context) };
        card
    }

    fn with(harness: &'static ffi::Functions, hash: [u8; 32], memory: CardMemory) -> Self {
        // SAFETY: the harness copies the 32 bytes of the hash before it returns.
        let raw = unsafe { (harness.new)(hash.as_ptr()) };
        let raw = NonNull::new(raw).expect("C++'s `new` gives memory or ends the process");
        let none = CardMemory::none();
        let mut card =
            Self { raw, harness, _memory: none, increment_ns: INCREMENT_NS, increment_fraction: INCREMENT_FRACTION };
        card.set_memory(memory);
        card
    }

    /// Gives the three clocks periods of their own from now on: the wires' are faster than the core's by so many parts in a million, and
    /// rise first so many femtoseconds behind it. The core's is nominal. [`Arrival::clock`] and the clocks of [`EgressFrame`] are of the
    /// wire then, everything else is of the core.
    pub fn set_apart(&mut self, ppm: [i64; 2], phase_fs: [u64; 2]) {
        // SAFETY: `raw` is alive and ours alone; the harness reads two numbers of each before it returns.
        unsafe { (self.harness.set_apart)(self.raw.as_ptr(), ppm.as_ptr(), phase_fs.as_ptr()) };
    }

    /// How far a stamp was off the card's time at its frame's first beat, at most; frames right behind a step of the time do not count.
    pub fn stamp_error_ns_max(&self) -> u64 {
        self.counts().stamp_error_max
    }

    /// Clocks of each wire, by the port that its frames come in on.
    pub fn wire_clocks(&self) -> [u64; 2] {
        self.counts().wire_clocks
    }

    /// Notes what a write to a register changes that the harness has to know.
    fn note_write(&mut self, offset: u32, value: u32) {
        match offset {
            control::CONTROL_AT if control::RESET.extract(value) == 1 => {
                (self.increment_ns, self.increment_fraction) = (INCREMENT_NS, INCREMENT_FRACTION);
                // SAFETY: `raw` is alive and ours alone.
                unsafe { (self.harness.note_reset)(self.raw.as_ptr()) };
            }
            clock::INCREMENT_NS_AT => self.increment_ns = clock::INCREMENT_NS_FIELD.extract(value),
            clock::INCREMENT_FRACTION_AT => self.increment_fraction = value,
            _ => {}
        }
    }

    fn counts(&self) -> ffi::Counts {
        let mut counts = ffi::Counts::default();
        // SAFETY: `raw` is alive; the harness fills the structure and keeps no pointer to it.
        unsafe { (self.harness.counts)(self.raw.as_ptr(), &mut counts) };
        counts
    }

    /// Makes the world around the card less smooth, repeatably: holes inside frames in `ingress_of_256` of 256 clocks, and a
    /// bus that is not ready, or answers later, in `dma_of_256` of them. Both 0: as at first.
    pub fn disturb(&mut self, seed: u64, ingress_of_256: u8, dma_of_256: u8) {
        // SAFETY: `raw` is alive and ours alone.
        unsafe { (self.harness.disturb)(self.raw.as_ptr(), seed, ingress_of_256.into(), dma_of_256.into()) };
    }

    /// Starts or stops noting what the taps say. Off at first, for it takes time and memory.
    pub fn trace(&mut self, on: bool) {
        // SAFETY: `raw` is alive and ours alone.
        unsafe { (self.harness.trace)(self.raw.as_ptr(), on) };
    }

    /// Moves out what the taps said since the last call, with the clocks.
    pub fn take_taps(&mut self, out: &mut Vec<(u64, Tap)>) {
        let mut first = std::ptr::null();
        // SAFETY: `raw` is alive; the harness stores a pointer to its own vector.
        let count = unsafe { (self.harness.taps)(self.raw.as_ptr(), &mut first) };
        // SAFETY: `first` points to `count` initialised elements, which stay until the vector is changed below.
        let taps = unsafe { slice(first, count) };
        out.extend(taps.iter().map(|event| (event.clock, tap(event))));
        // SAFETY: `raw` is alive and ours alone; the slice is not used any more.
        unsafe { (self.harness.forget_taps)(self.raw.as_ptr()) };
    }
}

/// BLAKE3 of the Verilog that this program holds.
#[cfg(feature = "rtl")]
pub fn build_hash() -> [u8; 32] {
    digest(env!("WRIT_RTL_BLAKE3"))
}

/// Clocks that a beat waits at most in the FIFO in front of a transmitter, which stands outside of the simulated card: at most this with the
/// clocks of two links as far apart as they may be, frames of all lengths and alignment markers. The gateware's own test holds the FIFO to it.
pub fn mac_fifo_latency_clocks_max() -> u64 {
    env!("WRIT_RTL_MAC_LATENCY_CLOCKS_MAX").parse().expect("build.rs writes a number")
}

fn digest(hex: &str) -> [u8; 32] {
    let hex = hex.as_bytes();
    let digit = |at: usize| (hex[at] as char).to_digit(16).expect("build.rs checked the digits") as u8;
    std::array::from_fn(|i| digit(2 * i) << 4 | digit(2 * i + 1))
}

/// # Safety
/// `first` points to `count` initialised elements that nobody changes while the slice lives, or `count` is 0.
unsafe fn slice<'a, T>(first: *const T, count: u64) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: by this function's contract.
    unsafe { std::slice::from_raw_parts(first, count as usize) }
}

fn port(bits: u8) -> PortSide {
    PortSide::from_bits(bits).expect("the harness knows two ports")
}

fn tap(event: &ffi::TapEvent) -> Tap {
    let port = port(event.port);
    let flag = event.flag != 0;
    match event.kind {
        1 => Tap::Stamp { port, stamp_ns: event.stamp_ns, quality: event.value },
        2 => Tap::Window { port, dropped: flag },
        3 => Tap::Lookup {
            port,
            stamp_ns: event.stamp_ns,
            quality: TimeQuality::from_bits(event.value).unwrap_or(TimeQuality::Unset),
            armed: flag,
            expiry_floor: event.expiry_floor,
            committed: event.committed != 0,
        },
        4 => Tap::Outcome { ring: event.ring, dropped: Some(event.value).filter(|cause| *cause != 7), gap: flag },
        5 => Tap::Gap { ring: event.ring },
        6 => Tap::Damaged,
        7 => Tap::Reset,
        kind => unreachable!("the harness knows no tap {kind}"),
    }
}

impl SimCard for RtlCard {
    fn name(&self) -> &'static str {
        "rtl"
    }

    fn read32(&mut self, offset: u32) -> u32 {
        // SAFETY: `raw` is alive and ours alone.
        unsafe { (self.harness.read)(self.raw.as_ptr(), offset) }
    }

    fn write32(&mut self, offset: u32, value: u32) {
        self.note_write(offset, value);
        // SAFETY: `raw` is alive and ours alone.
        unsafe { (self.harness.write)(self.raw.as_ptr(), offset, value) }
    }

    fn run(&mut self, clocks: u64) {
        // SAFETY: `raw` is alive and ours alone; host memory outlives it and is accessed in atomic words only.
        unsafe { (self.harness.run)(self.raw.as_ptr(), clocks) }
    }

    fn clocks(&self) -> u64 {
        self.counts().clocks
    }

    fn now_ns(&self) -> u64 {
        self.counts().now_ns
    }

    fn increment(&self) -> u64 {
        u64::from(self.increment_ns) << 32 | u64::from(self.increment_fraction)
    }

    fn push(&mut self, frame: IngressFrame) {
        let IngressFrame { number, port, earliest_clock, bytes, damaged } = frame;
        assert!(!bytes.is_empty() && bytes.len() <= FRAME_BYTES_MAX, "frame of {} bytes", bytes.len());
        let (start, count) = (bytes.as_ptr(), bytes.len() as u64);
        // SAFETY: `raw` is alive and ours alone; the harness copies the bytes before it returns.
        unsafe { (self.harness.push)(self.raw.as_ptr(), port as u32, number, earliest_clock, start, count, damaged) }
    }

    fn queued(&self) -> usize {
        self.counts().queued as usize
    }

    fn take_arrivals(&mut self, out: &mut Vec<Arrival>) {
        let mut first = std::ptr::null();
        // SAFETY: `raw` is alive; the harness stores a pointer to its own vector.
        let count = unsafe { (self.harness.arrivals)(self.raw.as_ptr(), &mut first) };
        // SAFETY: `first` points to `count` initialised elements, which stay until the vector is changed below.
        let arrivals = unsafe { slice(first, count) };
        out.extend(arrivals.iter().map(|&ffi::Arrival { number, clock, stamp_ns, port: bits }| Arrival {
            number,
            port: port(bits as u8),
            clock,
            stamp_ns,
        }));
        // SAFETY: `raw` is alive and ours alone; the slice is not used any more.
        unsafe { (self.harness.forget_arrivals)(self.raw.as_ptr()) };
    }

    fn take_egress(&mut self, out: &mut Vec<EgressFrame>) {
        let (mut first, mut bytes, mut byte_count) = (std::ptr::null(), std::ptr::null(), 0);
        // SAFETY: `raw` is alive; the harness stores pointers to its own vectors.
        let count = unsafe { (self.harness.egress)(self.raw.as_ptr(), &mut first, &mut bytes, &mut byte_count) };
        // SAFETY: both point to as many initialised elements, which stay until the vectors are changed below.
        let (frames, bytes) = unsafe { (slice(first, count), slice(bytes, byte_count)) };
        out.extend(frames.iter().map(|frame| {
            let start = frame.first_byte as usize;
            EgressFrame {
                number: frame.number,
                port: port(frame.port),
                ingress_clock: frame.ingress_clock,
                egress_clock: frame.egress_clock,
                bytes: bytes[start..start + frame.bytes as usize].to_vec(),
                damaged: frame.damaged != 0,
            }
        }));
        // SAFETY: `raw` is alive and ours alone; the slices are not used any more.
        unsafe { (self.harness.forget_egress)(self.raw.as_ptr()) };
    }

    fn latency(&self, port: PortSide) -> Option<Latency> {
        let counts = self.counts();
        let (clocks_min, clocks_max) = (counts.latency_min[port as usize], counts.latency_max[port as usize]);
        (clocks_min <= clocks_max).then_some(Latency { clocks_min, clocks_max })
    }

    fn set_pps(&mut self, high: bool) {
        // SAFETY: `raw` is alive and ours alone.
        unsafe { (self.harness.set_pps)(self.raw.as_ptr(), high) }
    }

    fn dma_lines(&self) -> u64 {
        self.counts().dma_lines
    }

    fn dma_faults(&self) -> u64 {
        self.counts().dma_faults
    }

    fn interrupts(&self) -> u64 {
        self.counts().interrupts
    }

    fn set_memory(&mut self, memory: CardMemory) {
        let window = |(bus_base, memory, bytes, access): (u64, *mut u8, usize, Access)| ffi::Window {
            bus_base,
            memory,
            bytes: bytes as u64,
            readable: access.read.into(),
            writable: access.write.into(),
        };
        let windows: Vec<ffi::Window> = memory.raw_parts().map(window).collect();
        // SAFETY: `raw` is alive and ours alone; the harness copies the windows. What they point to lives as long as `_memory`, which
        // is replaced only after the harness has let go of what it had before.
        unsafe { (self.harness.set_windows)(self.raw.as_ptr(), windows.as_ptr(), windows.len() as u64) };
        self._memory = memory;
    }
}

impl Drop for RtlCard {
    fn drop(&mut self) {
        // SAFETY: `raw` came from `writ_rtl_new` and is deleted once.
        unsafe { (self.harness.delete)(self.raw.as_ptr()) };
    }
}
