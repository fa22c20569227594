//! The record path behind the verdict, once for each ring: record FIFO, ring writer, index write-back.

use super::registers::RegisterFile;
use std::collections::VecDeque;
use writ_abi::limits::{
    INDEX_WRITE_BACK_RECORDS, LINE_BYTES, RECORD_FIFO_LINES, RECORD_FIFO_RESUME_LINES, RING_LINES_MAX, RING_LINES_MIN,
};
use writ_abi::record::SKIP_LINE;
use writ_abi::registers::rings;
use writ_driver::memory::{CardMemory, Line};

/// DMA as the model's engines see it: faults are counted, never fatal.
pub(super) struct Bus {
    memory: CardMemory,
    pub(super) lines: u64,
    pub(super) faults: u64,
    pub(super) interrupts: u64,
}

impl Bus {
    pub(super) fn new(memory: CardMemory) -> Self {
        Self { memory, lines: 0, faults: 0, interrupts: 0 }
    }

    pub(super) fn set_memory(&mut self, memory: CardMemory) {
        self.memory = memory;
    }

    pub(super) fn write(&mut self, address: u64, line: &Line) {
        match self.memory.write_line(address, line) {
            Ok(()) => self.lines += 1,
            Err(_) => self.faults += 1,
        }
    }

    /// A read that nobody answers gives all ones, as on PCIe.
    pub(super) fn read(&mut self, address: u64) -> Line {
        match self.memory.read_line(address) {
            Ok(line) => {
                self.lines += 1;
                line
            }
            Err(_) => {
                self.faults += 1;
                [0xff; LINE_BYTES]
            }
        }
    }

    /// Writes an index line: the index, then zeros; and signals.
    pub(super) fn write_index(&mut self, address: u64, index: u32) {
        let mut line = [0; LINE_BYTES];
        line[..4].copy_from_slice(&index.to_le_bytes());
        self.write(address, &line);
        self.interrupts += 1;
    }
}

/// What stands between the verdicts and one record ring.
pub(super) struct RecordPath {
    ring: u32,
    fifo: VecDeque<Vec<u8>>,
    fifo_lines: usize,
    /// Lines written since the ring was enabled.
    producer: u32,
    /// What the host was told.
    written_back: u32,
    records_since_write_back: u32,
    busy_until: u64,
}

impl RecordPath {
    pub(super) fn new(ring: u8) -> Self {
        Self {
            ring: ring.into(),
            fifo: VecDeque::new(),
            fifo_lines: 0,
            producer: 0,
            written_back: 0,
            records_since_write_back: 0,
            busy_until: 0,
        }
    }

    /// The register of this ring, given that of ring 0.
    fn at(&self, register: u32) -> u32 {
        register + self.ring * rings::RECORD_STRIDE
    }

    fn is_enabled(&self, registers: &RegisterFile) -> bool {
        registers.field(rings::ENABLE_AT, rings::ENABLE_RECORDS) >> self.ring & 1 == 1
    }

    /// Size of the ring, if it is one that the ABI allows.
    fn ring_lines(&self, registers: &RegisterFile) -> Option<u32> {
        let lines = registers.value(self.at(rings::RECORD_LINES_AT));
        (lines.is_power_of_two() && (RING_LINES_MIN..=RING_LINES_MAX).contains(&lines)).then_some(lines)
    }

    pub(super) fn has_room(&self, lines: usize) -> bool {
        self.fifo_lines + lines <= RECORD_FIFO_LINES
    }

    /// A FIFO that was full takes records again.
    pub(super) fn takes_again(&self) -> bool {
        self.fifo_lines + RECORD_FIFO_RESUME_LINES <= RECORD_FIFO_LINES
    }

    pub(super) fn push(&mut self, record: Vec<u8>) {
        self.fifo_lines += record.len() / LINE_BYTES;
        self.fifo.push_back(record);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fifo.is_empty()
    }

    /// Nothing waits and the host knows of everything.
    pub(super) fn is_idle(&self) -> bool {
        self.fifo.is_empty() && self.producer == self.written_back
    }

    /// The ring was enabled.
    pub(super) fn enable(&mut self) {
        self.producer = 0;
        self.written_back = 0;
        self.records_since_write_back = 0;
    }

    pub(super) fn next_event(&self, registers: &RegisterFile) -> Option<u64> {
        let can_move = self.next_step(registers).is_some();
        (can_move || (self.is_enabled(registers) && self.producer != self.written_back)).then_some(self.busy_until)
    }

    /// One clock: a record moves if it has its place in the ring, or else the index is written back.
    pub(super) fn tick(&mut self, clock: u64, registers: &RegisterFile, bus: &mut Bus) {
        if clock < self.busy_until || !self.is_enabled(registers) {
            return;
        }
        match self.next_step(registers) {
            Some(Step::Skip { lines }) => {
                bus.write(self.address(registers), &SKIP_LINE);
                self.producer = self.producer.wrapping_add(lines);
                return;
            }
            Some(Step::Record) => {
                self.write_record(clock, registers, bus);
                self.records_since_write_back += 1;
                if self.records_since_write_back < INDEX_WRITE_BACK_RECORDS {
                    return;
                }
            }
            None => {}
        }
        if self.producer != self.written_back {
            let address = registers.wide(self.at(rings::RECORD_INDEX_LO_AT), self.at(rings::RECORD_INDEX_HI_AT));
            bus.write_index(address, self.producer);
            self.written_back = self.producer;
            self.records_since_write_back = 0;
        }
    }

    /// What there is room for. A skip does not wait for room for the record behind it: in a small ring both together may be more
    /// than the ring holds.
    fn next_step(&self, registers: &RegisterFile) -> Option<Step> {
        let size = self.ring_lines(registers).filter(|_| self.is_enabled(registers))?;
        let lines = (self.fifo.front()?.len() / LINE_BYTES) as u32;
        // A consumer index that is ahead of the producer makes `used` huge: nothing moves.
        let used = self.producer.wrapping_sub(registers.value(self.at(rings::RECORD_CONSUMER_AT)));
        let free = size.saturating_sub(used);
        let to_end = size - self.producer % size;
        if lines <= to_end {
            (lines <= free).then_some(Step::Record)
        } else {
            (to_end <= free).then_some(Step::Skip { lines: to_end })
        }
    }

    fn write_record(&mut self, clock: u64, registers: &RegisterFile, bus: &mut Bus) {
        let Some(record) = self.fifo.pop_front() else { return };
        for bytes in record.chunks_exact(LINE_BYTES) {
            let mut line = [0; LINE_BYTES];
            line.copy_from_slice(bytes);
            bus.write(self.address(registers), &line);
            self.producer = self.producer.wrapping_add(1);
            self.fifo_lines -= 1;
            self.busy_until = self.busy_until.max(clock) + 1;
        }
    }

    /// Where the next line goes.
    fn address(&self, registers: &RegisterFile) -> u64 {
        let base = registers.wide(self.at(rings::RECORD_BASE_LO_AT), self.at(rings::RECORD_BASE_HI_AT));
        let place = self.ring_lines(registers).map_or(0, |size| self.producer % size);
        base.wrapping_add(u64::from(place) * LINE_BYTES as u64)
    }
}

enum Step {
    /// Go on at the start of the ring.
    Skip { lines: u32 },
    /// Write the oldest record.
    Record,
}
