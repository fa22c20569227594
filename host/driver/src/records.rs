//! Record rings: intercepted frames, in place.

use crate::memory::Region;
use crate::{Bar, Irq, Wake};
use std::sync::Arc;
use std::time::Duration;
use writ_abi::record::{self, Checks, GapRecord, Packet, Record, RecordError};
use writ_abi::registers::rings;

/// The consumer's end of one record ring. The rings of a card are independent of one another: each has its own consumer, and may have
/// a thread of its own.
///
/// # Releasing
/// Lines go back to the card by one register write for each [`RecordRing::poll`] that consumed something, at its end. A consumer that
/// cannot take a record answers [`Flow::Later`]; the record stays, and if the ring fills up, loss happens in the card, where it is
/// counted by cause and by match.
///
/// # Bad records
/// A record that does not check hides where the next one begins. But the card moves its producer index only to the
/// beginning of a record that is not there yet, so that is where the reader goes on: everything from the bad record up to the
/// producer index is given up, counted in lines, and returned as [`RingError::BadRecord`]. The numbers of what was
/// given up are then missing before the next record and come as [`Event::Lost`].
///
/// # When the process dies
/// How far the ring was taken stands in the ring's own memory, record by record, so that [`crate::Card::adopt`] goes on behind the last record that the
/// consumer took, released or not. The one record that it was at comes again.
///
/// # Numbers
/// Every `record_sequence` reaches the consumer exactly once: as a packet, inside a gap that the card states, or inside an
/// [`Event::Lost`]. A record whose number was there before is a bad record.
pub struct RecordRing {
    bar: Arc<dyn Bar>,
    number: u8,
    lines: Region,
    index: Region,
    irq: Box<dyn Irq>,
    /// Lines consumed so far; equal to what the card was told, outside `poll`.
    consumed: u32,
    next_sequence: u32,
    payload_check: PayloadCheck,
    statistics: RingStatistics,
}

/// The card's line in a ring's index region, and the consumer's.
pub(crate) const INDEX_LINES: usize = 2;
/// Where the consumer keeps how far it is: lines consumed, next number.
pub(crate) const CURSOR_LINE: usize = 1;

/// Whether the CRC of a record's payload is compared before the consumer gets it. That of the header always is: the header says where the next
/// record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayloadCheck {
    /// It is. A payload that changed between card and consumer is never delivered.
    #[default]
    Crc,
    /// It is not. Every byte is then read by the consumer alone, once, and one that looks at headers only costs no memory bandwidth for the rest. For
    /// such consumers, and for finding out what the check costs: what is delivered as evidence has to be checked.
    Off,
}

/// The memory of one ring.
#[derive(Debug)]
pub(crate) struct RecordMemory {
    pub(crate) number: u8,
    pub(crate) lines: Region,
    pub(crate) index: Region,
}

/// What the ring holds for its consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A copied frame.
    Packet(Packet<'a>),
    /// Frames that the card could not copy, and why.
    Gap(&'a GapRecord),
    /// Numbers that are missing without a gap record: records that did not check. Card or memory are at fault.
    Lost {
        /// First missing number.
        first_sequence: u32,
        /// Last missing number.
        last_sequence: u32,
    },
}

/// What the consumer did with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Took it. It will not come again.
    Taken,
    /// Cannot take it now. It comes again with the next poll, which returns at once to here.
    Later,
}

/// What a poll did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Packet and gap records that were taken.
    pub records: u32,
    /// Lines that were given back to the card.
    pub lines: u32,
    /// The consumer said [`Flow::Later`].
    pub stopped: bool,
}

/// Sums since bring-up or adoption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RingStatistics {
    /// Packet records taken.
    pub packets: u64,
    /// Gap records taken.
    pub gaps: u64,
    /// Frames that the card reported missing.
    pub missing: u64,
    /// Frames missing without a gap record.
    pub lost: u64,
    /// Records that did not check.
    pub bad_records: u64,
    /// Lines given up because of them.
    pub lines_discarded: u64,
}

/// The ring holds what it must not hold. Card or memory are at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RingError {
    /// A record did not check. The reader has gone on behind it: see [`RecordRing`].
    BadRecord {
        /// The ring.
        ring: u8,
        /// Where it stood, in lines since bring-up.
        at_line: u32,
        /// What was wrong.
        error: RecordError,
        /// Lines given up.
        lines_discarded: u32,
    },
    /// The producer index is further ahead than the ring is long, or behind the consumer. Nothing can be read any more; the
    /// card has to be brought up anew.
    Producer {
        /// The ring.
        ring: u8,
        /// Lines consumed.
        consumed: u32,
        /// The card's producer index.
        found: u32,
        /// Lines of the ring.
        lines: u32,
    },
}

impl std::fmt::Display for RingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BadRecord { ring, at_line, error, lines_discarded } => {
                write!(
                    f,
                    "bad record at line {at_line} of record ring {ring}: {error}; {lines_discarded} lines given up"
                )
            }
            Self::Producer { ring, consumed, found, lines } => write!(
                f,
                "card's index of record ring {ring} is {found}; {consumed} lines were consumed and the ring has {lines}; the card has to be brought up anew"
            ),
        }
    }
}

impl std::error::Error for RingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::BadRecord { error, .. } => Some(error),
            Self::Producer { .. } => None,
        }
    }
}

impl RecordRing {
    pub(crate) fn new(bar: Arc<dyn Bar>, memory: RecordMemory, irq: Box<dyn Irq>) -> Self {
        let RecordMemory { number, lines, index } = memory;
        Self {
            bar,
            number,
            lines,
            index,
            irq,
            consumed: 0,
            next_sequence: 0,
            payload_check: PayloadCheck::default(),
            statistics: RingStatistics::default(),
        }
    }

    /// Goes on where the consumer before stopped.
    pub(crate) fn adopt(bar: Arc<dyn Bar>, memory: RecordMemory, irq: Box<dyn Irq>) -> Self {
        let [consumed, next_sequence] = memory.index.load_pair(CURSOR_LINE);
        let ring = Self { consumed, next_sequence, ..Self::new(bar, memory, irq) };
        ring.release();
        ring
    }

    pub(crate) fn into_memory(self) -> RecordMemory {
        RecordMemory { number: self.number, lines: self.lines, index: self.index }
    }

    /// Which of the card's rings it is: the number that rows name.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// Number of the record that comes next.
    pub fn next_sequence(&self) -> u32 {
        self.next_sequence
    }

    /// Lines that wait to be consumed, as far as the card has said.
    pub fn waiting_lines(&self) -> u32 {
        self.index.load_index(0).wrapping_sub(self.consumed)
    }

    /// Sets what is checked from the next poll on; [`PayloadCheck::Crc`] after bring-up.
    pub fn set_payload_check(&mut self, check: PayloadCheck) {
        self.payload_check = check;
    }

    /// Sums since bring-up or adoption.
    pub fn statistics(&self) -> RingStatistics {
        self.statistics
    }

    /// Waits until the card signals new records or `timeout` is over. Whatever the answer, poll afterwards.
    pub fn wait(&mut self, timeout: Duration) -> Wake {
        if self.index.load_index(0) != self.consumed {
            return Wake::Signalled;
        }
        self.irq.wait(timeout)
    }

    /// Hands out at most `records_max` records in place, oldest first, then gives their lines back to the card.
    ///
    /// # Errors
    /// [`RingError`]; records before the bad one were handed out, and all consumed lines were given back.
    pub fn poll(
        &mut self,
        records_max: u32,
        mut consumer: impl FnMut(Event<'_>) -> Flow,
    ) -> Result<Progress, RingError> {
        let start = self.consumed;
        let mut progress = Progress::default();
        let result = self.consume(records_max, &mut consumer, &mut progress);
        progress.lines = self.consumed.wrapping_sub(start);
        if progress.lines > 0 {
            self.release();
        }
        result.map(|()| progress)
    }

    fn release(&self) {
        let consumer = rings::RECORD_CONSUMER_AT + u32::from(self.number) * rings::RECORD_STRIDE;
        self.bar.write32(consumer, self.consumed);
    }

    /// For whoever adopts the ring.
    #[inline]
    fn keep_cursor(&mut self) {
        self.index.store_pair(CURSOR_LINE, [self.consumed, self.next_sequence]);
    }

    fn consume(
        &mut self,
        records_max: u32,
        consumer: &mut dyn FnMut(Event<'_>) -> Flow,
        progress: &mut Progress,
    ) -> Result<(), RingError> {
        let size = self.lines.lines() as u32;
        let produced = self.index.load_index(0);
        if produced.wrapping_sub(self.consumed) > size {
            return Err(RingError::Producer {
                ring: self.number,
                consumed: self.consumed,
                found: produced,
                lines: size,
            });
        }
        let checks = Checks { crc32c: crc32c::crc32c, payload: self.payload_check == PayloadCheck::Crc };
        while self.consumed != produced && progress.records < records_max {
            let at = self.consumed % size;
            let ready = produced.wrapping_sub(self.consumed).min(size - at);
            // SAFETY: the producer index says that the card has finished these lines, and it may not touch them again before
            // RECORD_CONSUMER is written, which happens in `poll` after the last use of the slice.
            let bytes = unsafe { self.lines.bytes(at as usize, ready as usize) };
            let (record, used_bytes) = match record::parse_with(bytes, &checks) {
                Ok(found) => found,
                Err(error) => return Err(self.give_up(produced, error)),
            };
            if is_repeated(&record, self.next_sequence) {
                return Err(self.give_up(produced, RecordError::Field("record_sequence")));
            }
            match deliver(&record, &mut self.next_sequence, &mut self.statistics, consumer) {
                Flow::Later => {
                    progress.stopped = true;
                    // What is missing before it may have been taken.
                    self.keep_cursor();
                    return Ok(());
                }
                Flow::Taken => {}
            }
            let used = match record {
                Record::Skip => size - at,
                Record::Packet(_) | Record::Gap(_) => {
                    progress.records += 1;
                    (used_bytes / writ_abi::limits::LINE_BYTES) as u32
                }
            };
            if used > produced.wrapping_sub(self.consumed) {
                return Err(self.give_up(produced, RecordError::Field("skip")));
            }
            self.consumed = self.consumed.wrapping_add(used);
            self.keep_cursor();
        }
        Ok(())
    }

    fn give_up(&mut self, produced: u32, error: RecordError) -> RingError {
        let (at_line, lines_discarded) = (self.consumed, produced.wrapping_sub(self.consumed));
        self.consumed = produced;
        self.keep_cursor();
        self.statistics.bad_records += 1;
        self.statistics.lines_discarded += u64::from(lines_discarded);
        RingError::BadRecord { ring: self.number, at_line, error, lines_discarded }
    }
}

/// First and last number that a record stands for.
fn numbers(record: &Record<'_>) -> Option<(u32, u32)> {
    match record {
        Record::Packet(packet) => Some((packet.header.record_sequence.get(), packet.header.record_sequence.get())),
        Record::Gap(gap) => Some((gap.first_sequence.get(), gap.last_sequence.get())),
        Record::Skip => None,
    }
}

/// Whether a record stands for a number that was there before, or runs backwards. Numbers wrap, so they are compared serially.
fn is_repeated(record: &Record<'_>, next: u32) -> bool {
    let behind = |from: u32, to: u32| to.wrapping_sub(from) > u32::MAX / 2;
    numbers(record).is_some_and(|(first, last)| behind(next, first) || behind(first, last))
}

/// Gives a record to the consumer, and before it what is missing without a word. `next` moves with everything that was taken.
fn deliver(
    record: &Record<'_>,
    next: &mut u32,
    statistics: &mut RingStatistics,
    consumer: &mut dyn FnMut(Event<'_>) -> Flow,
) -> Flow {
    let Some((first, last)) = numbers(record) else { return Flow::Taken };
    let event = match record {
        Record::Packet(packet) => Event::Packet(*packet),
        Record::Gap(gap) => Event::Gap(gap),
        Record::Skip => return Flow::Taken,
    };
    if first != *next {
        let lost = Event::Lost { first_sequence: *next, last_sequence: first.wrapping_sub(1) };
        if consumer(lost) == Flow::Later {
            return Flow::Later;
        }
        statistics.lost += u64::from(first.wrapping_sub(*next));
        *next = first;
    }
    if consumer(event) == Flow::Later {
        return Flow::Later;
    }
    match event {
        Event::Packet(_) => statistics.packets += 1,
        _ => {
            statistics.gaps += 1;
            statistics.missing += u64::from(last.wrapping_sub(first)) + 1;
        }
    }
    *next = last.wrapping_add(1);
    Flow::Taken
}

impl std::fmt::Debug for RecordRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordRing")
            .field("number", &self.number)
            .field("consumed", &self.consumed)
            .field("next_sequence", &self.next_sequence)
            .field("statistics", &self.statistics)
            .finish_non_exhaustive()
    }
}
