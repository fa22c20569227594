//! A card that makes records as fast as memory takes them. Registers, tables and commands are the golden model's; the records of a few frames are made by it
//! once, and then written into the rings again and again, each under a number and a stamp of its own.

use std::mem::offset_of;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use writ_abi::limits::{LINE_BYTES, RECORD_RINGS};
use writ_abi::record::{PacketHeader, SKIP_LINE};
use writ_abi::registers::{control, rings};
use writ_abi::{PortSide, crc};
use writ_driver::memory::CardMemory;
use writ_sim::card::{Arrival, EgressFrame, FunctionState, IngressFrame, Latency, SimCard};
use writ_sim::model::ModelCard;

/// Records that are written before the card looks at its registers again.
const BATCH_RECORDS: u32 = 4096;

/// What the bench tells the card, and the other way round.
#[derive(Default)]
pub(crate) struct Flood {
    frames: Mutex<Vec<Vec<u8>>>,
    /// Counts up with each change of the frames.
    asked: AtomicU64,
    /// As far as the card has followed.
    followed: AtomicU64,
    /// Frames of which the card makes no record.
    missed: AtomicU64,
    is_on: AtomicBool,
    /// Packets that may be under way.
    window: AtomicU64,
    pub(crate) produced: AtomicU64,
    pub(crate) delivered: AtomicU64,
}

impl Flood {
    /// Other frames, FCS included, of which so many packets may be under way at a time.
    pub(crate) fn set_frames(&self, frames: Vec<Vec<u8>>, window: u64) {
        *self.frames.lock().unwrap_or_else(PoisonError::into_inner) = frames;
        self.window.store(window, Ordering::Relaxed);
        self.asked.fetch_add(1, Ordering::AcqRel);
    }

    /// How many of the frames select nothing; `None` as long as the card has not looked.
    pub(crate) fn missed(&self) -> Option<u64> {
        let is_done = self.followed.load(Ordering::Acquire) == self.asked.load(Ordering::Acquire);
        is_done.then(|| self.missed.load(Ordering::Acquire))
    }

    pub(crate) fn turn(&self, on: bool) {
        self.is_on.store(on, Ordering::Release);
    }

    /// Packets that were made and have not arrived.
    pub(crate) fn under_way(&self) -> u64 {
        self.produced.load(Ordering::Acquire).saturating_sub(self.delivered.load(Ordering::Acquire))
    }
}

/// The card's end of a ring.
#[derive(Default)]
struct End {
    producer: u32,
    written_back: u32,
    sequence: u32,
}

pub(crate) struct FloodCard {
    model: ModelCard,
    memory: CardMemory,
    flood: Arc<Flood>,
    ends: [End; RECORD_RINGS],
    records: Vec<(usize, Vec<u8>)>,
    next: usize,
    generation: u64,
    lines: u64,
    interrupts: u64,
    faults: u64,
}

impl FloodCard {
    pub(crate) fn new(flood: Arc<Flood>) -> Self {
        Self {
            model: ModelCard::new(CardMemory::default()),
            memory: CardMemory::default(),
            flood,
            ends: std::array::from_fn(|_| End::default()),
            records: Vec::new(),
            next: 0,
            generation: 0,
            lines: 0,
            interrupts: 0,
            faults: 0,
        }
    }

    /// Makes the records of the frames that are asked for now.
    fn follow(&mut self) {
        let asked = self.flood.asked.load(Ordering::Acquire);
        if asked == self.generation {
            return;
        }
        let frames = self.flood.frames.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.records.clear();
        let mut missed = 0;
        for frame in &frames {
            let made = self.model.records_of(PortSide::A, frame);
            missed += u64::from(made.is_empty());
            self.records.extend(made.into_iter().map(|(ring, record)| (usize::from(ring), record)));
        }
        (self.next, self.generation) = (0, asked);
        self.flood.missed.store(missed, Ordering::Release);
        self.flood.followed.store(asked, Ordering::Release);
    }

    fn register(&mut self, register: u32, ring: usize) -> u32 {
        self.model.read32(register + ring as u32 * rings::RECORD_STRIDE)
    }

    /// Fills the rings, as far as there is room and as many packets may be under way.
    fn fill(&mut self) {
        if !self.flood.is_on.load(Ordering::Acquire) || self.records.is_empty() {
            return;
        }
        let window = self.flood.window.load(Ordering::Relaxed).saturating_sub(self.flood.under_way());
        let stamp_ns = self.model.now_ns();
        let sizes: [u32; RECORD_RINGS] = std::array::from_fn(|ring| self.register(rings::RECORD_LINES_AT, ring));
        let consumers: [u32; RECORD_RINGS] = std::array::from_fn(|ring| self.register(rings::RECORD_CONSUMER_AT, ring));
        let bases: [u64; RECORD_RINGS] =
            std::array::from_fn(|ring| self.wide(rings::RECORD_BASE_LO_AT, rings::RECORD_BASE_HI_AT, ring));
        let mut produced = 0;
        while produced < window.min(BATCH_RECORDS.into()) {
            let ring = self.records[self.next].0;
            if sizes[ring] == 0 || !self.put(stamp_ns, bases[ring], sizes[ring], consumers[ring]) {
                break;
            }
            produced += 1;
        }
        // Counted before the host can see them: delivered is never more than produced.
        self.flood.produced.fetch_add(produced, Ordering::AcqRel);
        for ring in 0..RECORD_RINGS {
            self.write_back(ring);
        }
    }

    fn wide(&mut self, low: u32, high: u32, ring: usize) -> u64 {
        u64::from(self.register(high, ring)) << 32 | u64::from(self.register(low, ring))
    }

    /// Writes the next record, if its ring has room.
    fn put(&mut self, stamp_ns: u64, base: u64, size: u32, consumer: u32) -> bool {
        let (ring, record) = &mut self.records[self.next];
        let end = &mut self.ends[*ring];
        let lines = (record.len() / LINE_BYTES) as u32;
        let to_end = size - end.producer % size;
        let skipped = if to_end < lines { to_end } else { 0 };
        let used = end.producer.wrapping_sub(consumer);
        if used.saturating_add(skipped + lines) > size {
            return false;
        }
        let address = |line: u32| base + u64::from(line % size) * LINE_BYTES as u64;
        if skipped > 0 {
            self.faults += u64::from(self.memory.write_line(address(end.producer), &SKIP_LINE).is_err());
            end.producer = end.producer.wrapping_add(skipped);
        }
        seal(record, end.sequence, stamp_ns);
        for line in record.as_chunks::<LINE_BYTES>().0 {
            self.faults += u64::from(self.memory.write_line(address(end.producer), line).is_err());
            end.producer = end.producer.wrapping_add(1);
        }
        end.sequence = end.sequence.wrapping_add(1);
        self.lines += u64::from(skipped + lines);
        self.next = (self.next + 1) % self.records.len();
        true
    }

    fn write_back(&mut self, ring: usize) {
        if self.ends[ring].producer == self.ends[ring].written_back {
            return;
        }
        let address = self.wide(rings::RECORD_INDEX_LO_AT, rings::RECORD_INDEX_HI_AT, ring);
        let end = &mut self.ends[ring];
        let mut line = [0; LINE_BYTES];
        line[..4].copy_from_slice(&end.producer.to_le_bytes());
        self.faults += u64::from(self.memory.write_line(address, &line).is_err());
        end.written_back = end.producer;
        self.interrupts += 1;
    }

    /// What was switched off begins from 0 when it is switched on.
    fn forget_rings(&mut self) {
        let enabled = self.model.read32(rings::ENABLE_AT);
        for (ring, end) in self.ends.iter_mut().enumerate() {
            if rings::ENABLE_RECORDS.extract(enabled) >> ring & 1 == 0 {
                *end = End::default();
            }
        }
    }
}

/// Gives a record its number and its stamp. It has at most 8 hits, so its header is one line.
fn seal(record: &mut [u8], sequence: u32, stamp_ns: u64) {
    const SEQUENCE_AT: usize = offset_of!(PacketHeader, record_sequence);
    const STAMP_AT: usize = offset_of!(PacketHeader, stamp_ns);
    const CRC_AT: usize = offset_of!(PacketHeader, header_crc32c);
    record[SEQUENCE_AT..SEQUENCE_AT + 4].copy_from_slice(&sequence.to_le_bytes());
    record[STAMP_AT..STAMP_AT + 8].copy_from_slice(&stamp_ns.to_le_bytes());
    record[CRC_AT..CRC_AT + 4].fill(0);
    let crc = crc::crc32c(&record[..LINE_BYTES]);
    record[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
}

impl SimCard for FloodCard {
    fn name(&self) -> &'static str {
        "flood"
    }

    fn read32(&mut self, offset: u32) -> u32 {
        self.model.read32(offset)
    }

    fn write32(&mut self, offset: u32, value: u32) {
        self.model.write32(offset, value);
        if matches!(offset, control::CONTROL_AT | rings::ENABLE_AT) {
            self.forget_rings();
        }
    }

    fn run(&mut self, clocks: u64) {
        self.model.run(clocks);
        self.follow();
        self.fill();
    }

    fn clocks(&self) -> u64 {
        self.model.clocks()
    }

    fn now_ns(&self) -> u64 {
        self.model.now_ns()
    }

    fn increment(&self) -> u64 {
        self.model.increment()
    }

    fn push(&mut self, frame: IngressFrame) {
        self.model.push(frame);
    }

    fn queued(&self) -> usize {
        self.model.queued()
    }

    fn take_arrivals(&mut self, out: &mut Vec<Arrival>) {
        self.model.take_arrivals(out);
    }

    fn take_egress(&mut self, out: &mut Vec<EgressFrame>) {
        self.model.take_egress(out);
    }

    fn latency(&self, port: PortSide) -> Option<Latency> {
        self.model.latency(port)
    }

    fn set_pps(&mut self, high: bool) {
        self.model.set_pps(high);
    }

    fn dma_lines(&self) -> u64 {
        self.model.dma_lines() + self.lines
    }

    fn dma_faults(&self) -> u64 {
        self.model.dma_faults() + self.faults
    }

    fn interrupts(&self) -> u64 {
        self.model.interrupts() + self.interrupts
    }

    fn set_memory(&mut self, memory: CardMemory) {
        self.memory = memory.clone();
        self.model.set_memory(memory);
    }

    fn set_function(&mut self, state: FunctionState) {
        self.model.set_function(state);
    }

    fn reset_function(&mut self) {
        self.model.reset_function();
        self.forget_rings();
    }
}
