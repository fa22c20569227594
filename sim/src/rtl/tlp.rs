//! The Verilated card behind TLPs as a [`SimCard`].

use super::RtlCard;
use crate::card::{Arrival, EgressFrame, FunctionState, IngressFrame, Latency, MESSAGES_AT, SimCard};
use crate::pcie::{Bus, BusCounts, BusSettings, FaultRates, Holds, HostAccess, Pins, ReadFault, RootCounts, Violation};
use std::ffi::c_void;
use std::ptr::NonNull;
use writ_abi::PortSide;
use writ_abi::pci::{BAR_0_BYTES, MSIX_ENTRY_BYTES, MSIX_TABLE_AT, VECTORS};
use writ_driver::memory::CardMemory;

/// Core clocks between two looks at whether a register has been read.
const LOOK_CLOCKS: u64 = 16;
/// Core clocks after which the host gives a read up: longer than the card's own patience.
const READ_CLOCKS_MAX: u64 = 1 << 16;
/// Core clocks after which a function-level reset has to be over.
const RESET_CLOCKS_MAX: u64 = 1 << 20;
/// Accesses on their way to the card, at most.
const ACCESSES_MAX: usize = 32;

/// Owns the bus, whose address the harness has.
struct BusOwner(NonNull<Bus>);

// SAFETY: the bus is plain data; whoever has the owner has the bus, but for the calls that the card makes while it runs, which `&mut self` on
// everything that runs it keeps apart.
unsafe impl Send for BusOwner {}

impl BusOwner {
    fn get(&self) -> &Bus {
        // SAFETY: the pointer is that of a box, freed in `drop` alone; the card does not run while `&self` of the whole card lives.
        unsafe { self.0.as_ref() }
    }

    fn get_mut(&mut self) -> &mut Bus {
        // SAFETY: as above, with `&mut self`.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for BusOwner {
    fn drop(&mut self) {
        // SAFETY: made by `Box::leak` in `TlpCard::new`, freed once.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// # Safety
/// `context` is a [`Bus`] that nobody else uses during the call; `pins` points to the harness's pins.
unsafe extern "C" fn bus_clock(context: *mut c_void, pins: *mut Pins) {
    // SAFETY: by this function's contract.
    let (bus, pins) = unsafe { (&mut *context.cast::<Bus>(), &mut *pins) };
    bus.clock(pins);
}

/// The Verilated card with its adapter, a hard block, a link and a root complex.
pub struct TlpCard {
    // Dropped before the bus that it calls.
    rtl: RtlCard,
    bus: BusOwner,
    next_tag: u8,
}

impl TlpCard {
    /// A card that was just plugged in: no bus master, no interrupts, no memory.
    pub fn new(settings: BusSettings) -> Self {
        let bus = NonNull::from(Box::leak(Box::new(Bus::new(settings))));
        // SAFETY: `rtl` is dropped before `bus`, and every function here that runs the card has the owner of both exclusively.
        let rtl = unsafe { RtlCard::behind(bus_clock, bus.as_ptr().cast()) };
        let mut card = Self { rtl, bus: BusOwner(bus), next_tag: 0 };
        card.await_link();
        card
    }

    /// A card that a host has found and set up: it reaches `memory`, is bus master, and its vectors are told apart.
    pub fn started(settings: BusSettings, memory: CardMemory) -> Self {
        let mut card = Self::new(settings);
        card.set_memory(memory);
        card.start();
        card
    }

    /// Fills the MSI-X table, then allows interrupts and bus master.
    pub fn start(&mut self) {
        for vector in 0..u32::from(VECTORS) {
            let at = MSIX_TABLE_AT + vector * MSIX_ENTRY_BYTES;
            let words = [MESSAGES_AT as u32, (MESSAGES_AT >> 32) as u32, vector, 0];
            for (value, at) in words.into_iter().zip((at..).step_by(4)) {
                self.write32(at, value);
            }
        }
        self.set_function(FunctionState { is_bus_master: true, is_msix_enabled: true, is_msix_masked: false });
        self.rtl.run(4 * LOOK_CLOCKS);
    }

    fn await_link(&mut self) {
        for _ in 0..LOOK_CLOCKS {
            if self.bus.get().is_link_up() {
                break;
            }
            self.rtl.run(LOOK_CLOCKS);
        }
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&mut self, faults: FaultRates) {
        self.bus.get_mut().settings.faults = faults;
    }

    /// What stands still from now on.
    pub fn hold(&mut self, holds: Holds) {
        self.bus.get_mut().holds = holds;
    }

    /// What happens to the card's next reads of host memory, one after the other; `None`: nothing. Chance decides again afterwards.
    pub fn script_reads(&mut self, faults: impl IntoIterator<Item = Option<ReadFault>>) {
        self.bus.get_mut().root.script.extend(faults);
    }

    /// Takes the link down for as many clocks of the hard block: everything under way is lost, the function has to be set up again. `u64::MAX`: the card
    /// was pulled out.
    pub fn drop_link(&mut self, clocks: u64) {
        self.bus.get_mut().drop_link(clocks);
    }

    /// Reads words of BAR 0 in one request, of each the bytes that its enables name. `None`: the card answered that it cannot, or not in time, or the link is down.
    ///
    /// # Panics
    /// If there are not one or two words: no request of a host has more.
    pub fn read_enabled(&mut self, offset: u32, enables: &[u8]) -> Option<Vec<u32>> {
        if offset >= BAR_0_BYTES || !self.bus.get().is_link_up() {
            return None;
        }
        let tag = self.next_tag;
        self.next_tag = tag.wrapping_add(1);
        let access = HostAccess { offset, words: enables.len(), enables: pair(enables), value: None, tag };
        self.bus.get_mut().access(access);
        let started = self.clocks();
        while self.clocks() - started < READ_CLOCKS_MAX && self.bus.get().is_link_up() {
            self.run(LOOK_CLOCKS);
            if let Some(answer) = self.bus.get_mut().take_answer(tag) {
                return answer.words;
            }
        }
        None
    }

    /// Writes words of BAR 0 in one request, of each the bytes that its enables name.
    ///
    /// # Panics
    /// If there are not one or two words: no request of a host has more.
    pub fn write_enabled(&mut self, offset: u32, words: &[u32], enables: &[u8]) {
        assert_eq!(words.len(), enables.len(), "enables for each word");
        if offset >= BAR_0_BYTES {
            return;
        }
        for (value, at) in words.iter().zip((offset..).step_by(4)) {
            if enables.iter().all(|&enables| enables == 0xf) {
                self.rtl.note_write(at, *value);
            }
        }
        let value = Some(pair(words));
        self.request(HostAccess { offset, words: words.len(), enables: pair(enables), value, tag: 0 });
    }

    fn request(&mut self, access: HostAccess) {
        self.bus.get_mut().access(access);
        while self.bus.get().accesses_waiting() > ACCESSES_MAX {
            self.run(LOOK_CLOCKS);
        }
    }

    /// What went over the bus.
    pub fn bus_counts(&self) -> BusCounts {
        self.bus.get().counts
    }

    /// What the root complex has seen.
    pub fn root_counts(&self) -> RootCounts {
        self.bus.get().root.counts
    }

    /// What the card did against the rules of the bus. Anything is a defect of the gateware.
    pub fn violations(&self) -> &[Violation] {
        &self.bus.get().violations
    }

    /// The card itself, for what is not of the bus.
    pub fn rtl(&mut self) -> &mut RtlCard {
        &mut self.rtl
    }
}

fn pair<T: Copy + Default>(of: &[T]) -> [T; 2] {
    assert!(matches!(of.len(), 1 | 2), "a request of {} words", of.len());
    [of[0], of.get(1).copied().unwrap_or_default()]
}

impl SimCard for TlpCard {
    fn name(&self) -> &'static str {
        "tlp"
    }

    fn read32(&mut self, offset: u32) -> u32 {
        self.read_enabled(offset, &[0xf]).map_or(u32::MAX, |words| words[0])
    }

    fn write32(&mut self, offset: u32, value: u32) {
        if offset < BAR_0_BYTES {
            self.rtl.note_write(offset, value);
            self.request(HostAccess::word(offset, Some(value), 0));
        }
    }

    /// # Panics
    /// If the card broke the rules of the bus: see [`TlpCard::violations`].
    fn run(&mut self, clocks: u64) {
        self.rtl.run(clocks);
        let violations = self.violations();
        assert!(violations.is_empty(), "the card broke the rules of the bus: {violations:?}");
    }

    fn clocks(&self) -> u64 {
        self.rtl.clocks()
    }

    fn now_ns(&self) -> u64 {
        self.rtl.now_ns()
    }

    fn increment(&self) -> u64 {
        self.rtl.increment()
    }

    fn push(&mut self, frame: IngressFrame) {
        self.rtl.push(frame);
    }

    fn queued(&self) -> usize {
        self.rtl.queued()
    }

    fn take_arrivals(&mut self, out: &mut Vec<Arrival>) {
        self.rtl.take_arrivals(out);
    }

    fn take_egress(&mut self, out: &mut Vec<EgressFrame>) {
        self.rtl.take_egress(out);
    }

    fn latency(&self, port: PortSide) -> Option<Latency> {
        self.rtl.latency(port)
    }

    fn set_pps(&mut self, high: bool) {
        self.rtl.set_pps(high);
    }

    fn dma_lines(&self) -> u64 {
        self.root_counts().lines
    }

    fn dma_faults(&self) -> u64 {
        self.root_counts().faults
    }

    fn interrupts(&self) -> u64 {
        self.root_counts().messages
    }

    fn set_memory(&mut self, memory: CardMemory) {
        self.bus.get_mut().set_memory(memory);
    }

    fn take_vectors(&mut self) -> u64 {
        self.bus.get_mut().root.take_vectors()
    }

    fn has_bus(&self) -> bool {
        true
    }

    fn set_function(&mut self, state: FunctionState) {
        self.bus.get_mut().set_function(state);
    }

    fn reset_function(&mut self) {
        self.set_function(FunctionState::default());
        self.bus.get_mut().reset_function();
        let started = self.clocks();
        while self.bus.get().is_resetting() && self.clocks() - started < RESET_CLOCKS_MAX {
            self.run(LOOK_CLOCKS);
        }
    }
}
