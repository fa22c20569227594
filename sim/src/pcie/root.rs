//! The root complex: host memory behind an IOMMU, message-signalled interrupts, completions of reads.

use super::beats::Request;
use super::settings::{BusSettings, Chance, ReadFault};
use crate::card::MESSAGES_AT;
use std::collections::VecDeque;
use writ_abi::limits::LINE_BYTES;
use writ_driver::memory::{CardMemory, Line};

/// Where message-signalled interrupts are written to: 1 MiB.
const MESSAGES: std::ops::Range<u64> = MESSAGES_AT..MESSAGES_AT + (1 << 20);

/// A part of an answer to a read, on its way to the card.
pub(super) struct Reply {
    /// The clock in which it arrives.
    pub(super) clock: u64,
    /// Number of the read.
    pub(super) read: u64,
    /// PCIe completion status: 0 good, 1 unsupported request, 4 completer abort.
    pub(super) status: u32,
    pub(super) is_poisoned: bool,
    /// Of the first byte.
    pub(super) address: u64,
    /// Bytes that are left of the request, these included.
    pub(super) bytes_left: u32,
    pub(super) words: Vec<u32>,
}

/// What the root complex has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RootCounts {
    /// Lines written to and read from memory.
    pub lines: u64,
    /// Accesses outside of it.
    pub faults: u64,
    /// Interrupt messages.
    pub messages: u64,
}

pub(crate) struct Root {
    memory: CardMemory,
    replies: VecDeque<Reply>,
    /// Vectors that were signalled and not taken.
    vectors: u64,
    /// What happens to the next reads, before chance decides.
    pub(crate) script: VecDeque<Option<ReadFault>>,
    pub(crate) counts: RootCounts,
}

impl Root {
    pub(super) fn new() -> Self {
        Self {
            memory: CardMemory::none(),
            replies: VecDeque::new(),
            vectors: 0,
            script: VecDeque::new(),
            counts: RootCounts::default(),
        }
    }

    pub(super) fn set_memory(&mut self, memory: CardMemory) {
        self.memory = memory;
    }

    pub(crate) fn take_vectors(&mut self) -> u64 {
        std::mem::take(&mut self.vectors)
    }

    /// The link went down: what was under way is lost.
    pub(super) fn forget(&mut self) {
        self.replies.clear();
    }

    pub(super) fn write(&mut self, address: u64, data: &[u8]) {
        if MESSAGES.contains(&address) {
            let vector = data.first().copied().unwrap_or(0);
            self.counts.messages += 1;
            self.vectors |= 1_u64.checked_shl(vector.into()).unwrap_or(0);
            return;
        }
        for (line, at) in data.chunks(LINE_BYTES).zip((address..).step_by(LINE_BYTES)) {
            let written = <&Line>::try_from(line).is_ok_and(|line| self.memory.write_line(at, line).is_ok());
            self.counts.lines += u64::from(written);
            self.counts.faults += u64::from(!written);
        }
    }

    /// Answers a read that arrived in `clock`.
    pub(super) fn read(
        &mut self,
        clock: u64,
        read: u64,
        address: u64,
        bytes: u32,
        settings: &BusSettings,
        chance: &mut Chance,
    ) {
        let fault = self.script.pop_front().unwrap_or_else(|| chance.read_fault(&settings.faults));
        let mut due = clock + settings.memory_clocks + settings.latency_clocks;
        match fault {
            Some(ReadFault::Lost) => return,
            Some(ReadFault::Late) => due += 2 * settings.timeout_clocks,
            Some(ReadFault::Reordered) => due += 2 * (settings.memory_clocks + settings.latency_clocks),
            _ => {}
        }
        let status = match fault {
            Some(ReadFault::Unsupported) => 1,
            Some(ReadFault::Aborted) => 4,
            _ => 0,
        };
        let line = match self.memory.read_line(address) {
            Ok(line) if bytes as usize == LINE_BYTES && status == 0 => line,
            found => {
                let is_wrong = found.is_err() || bytes as usize != LINE_BYTES;
                self.counts.faults += u64::from(is_wrong);
                let status = if is_wrong { 1 } else { status };
                let (clock, is_poisoned, bytes_left, words) = (due, false, bytes, Vec::new());
                self.reply(Reply { clock, read, status, is_poisoned, address, bytes_left, words });
                return;
            }
        };
        self.counts.lines += 1;
        let words: Vec<u32> =
            line.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
        // One that is short, and says no more than it has, looks whole to the hard block.
        let bytes = if fault == Some(ReadFault::Short) { bytes - 4 } else { bytes };
        let mut at = 0;
        while at < bytes {
            // Up to the boundary, at most what one completion may hold, in whole words.
            let to_boundary = settings.read_boundary_bytes
                - ((address + u64::from(at)) % u64::from(settings.read_boundary_bytes)) as u32;
            let now = (bytes - at).min(to_boundary).min(settings.completion_bytes_max.max(4)) & !3;
            let part = words[at as usize / 4..(at + now) as usize / 4].to_vec();
            let is_poisoned = fault == Some(ReadFault::Poisoned);
            self.reply(Reply {
                clock: due,
                read,
                status: 0,
                is_poisoned,
                address: (address + u64::from(at)) ^ if fault == Some(ReadFault::WrongAddress) { 4 } else { 0 },
                bytes_left: bytes - at + if fault == Some(ReadFault::WrongCount) { 4 } else { 0 },
                words: part,
            });
            at += now;
            // Parts of one answer keep their order; those of others may come between.
            due += u64::from(now < bytes) * (chance.next() % 4);
        }
    }

    fn reply(&mut self, reply: Reply) {
        // By arrival; equal ones in the order in which they were made.
        let at = self.replies.partition_point(|other| other.clock <= reply.clock);
        self.replies.insert(at, reply);
    }

    /// Of which read the next part is that has arrived.
    pub(super) fn next_arrived(&self, clock: u64) -> Option<u64> {
        self.replies.front().filter(|reply| reply.clock <= clock).map(|reply| reply.read)
    }

    pub(super) fn take_arrived(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    /// A TLP of the card, without reads.
    pub(super) fn posted(&mut self, request: &Request) {
        if let Request::Write { address, data } = request {
            self.write(*address, data);
        }
    }
}
