//! A card that does nothing but hold registers and write records into its ring.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use writ_abi::limits::LINE_BYTES;
use writ_abi::record::{Hit, Layer, PacketHeader, RawHit, RecordKind, SKIP_LINE, layer_flags};
use writ_abi::registers::{BAR_BYTES, BLOCKS, control, rings};
use writ_abi::time::TimeQuality;
use writ_abi::{Lookup, MatchIndex, Scope, crc};
use writ_driver::memory::{CardMemory, HostMemory, PageSize};
use writ_driver::{Bar, BringUp, Card, Irqs, LookupSettings, RecordRing, RingMemory, RingSizes};
use zerocopy::{FromZeros, IntoBytes};

/// Registers that keep what is written to them.
struct Registers(Vec<AtomicU32>);

impl Registers {
    fn new() -> Self {
        let words: Vec<AtomicU32> = (0..BAR_BYTES / 4).map(|_| AtomicU32::new(0)).collect();
        for block in BLOCKS {
            for register in block.registers {
                let reset = register.fields.iter().fold(0, |value, field| value | field.place(field.reset));
                words[(block.offset + register.offset) as usize / 4].store(reset, Ordering::Relaxed);
            }
        }
        words[control::STATUS_AT as usize / 4].fetch_or(control::TABLES_READY.mask(), Ordering::Relaxed);
        Self(words)
    }
}

impl Bar for Registers {
    fn read32(&self, offset: u32) -> u32 {
        self.0.get(offset as usize / 4).map_or(u32::MAX, |word| word.load(Ordering::Acquire))
    }

    fn write32(&self, offset: u32, value: u32) {
        // Pulses read as zero.
        let value = match offset {
            writ_abi::registers::clock::SET_AT => value & !writ_abi::registers::clock::APPLY.mask(),
            _ => value,
        };
        if let Some(word) = self.0.get(offset as usize / 4) {
            word.store(value, Ordering::Release);
        }
    }
}

/// When all frames came in, TAI.
pub(crate) const STAMP_NS: u64 = 1_750_000_000_000_000_000;
/// Where the headers of a datagram stand.
const UDP_OVER_IPV4: Layer = Layer { l3_offset: 14, l3_end: 34, l4_end: 42, protocol: 17 };

/// A frame without check sequence: Ethernet, IPv4, UDP.
fn datagram(frame_bytes: u16) -> Result<Vec<u8>, String> {
    let (l3, l4) = (usize::from(UDP_OVER_IPV4.l3_offset), usize::from(UDP_OVER_IPV4.l4_end));
    let mut frame: Vec<u8> = (0..frame_bytes).map(|at| (u32::from(at) * 131 / 8) as u8).collect();
    if frame.len() < l4 {
        return Err(format!("a datagram does not fit into {frame_bytes} bytes"));
    }
    let ip_bytes = frame_bytes - l3 as u16;
    frame[l3..l3 + 2].copy_from_slice(&[0x45, 0]);
    frame[l3 + 2..l3 + 4].copy_from_slice(&ip_bytes.to_be_bytes());
    Ok(frame)
}

/// Records of one size, one behind the other, numbered on.
pub(crate) struct Encoder {
    record: Vec<u8>,
    sequence: u32,
}

impl Encoder {
    /// Records of frames of this size that a row of `match_index` selects.
    pub(crate) fn new(frame_bytes: u32, match_index: MatchIndex) -> Result<Self, String> {
        let captured = u16::try_from(frame_bytes).map_err(|_| format!("frames of {frame_bytes} bytes do not exist"))?;
        let payload = datagram(captured)?;
        let mut header = PacketHeader::new_zeroed();
        (header.kind, header.hit_count, header.parse_class) = (RecordKind::Packet as u8, 1, 4);
        (header.outer, header.layer_flags) = (UDP_OVER_IPV4, layer_flags::OUTER_PORTS);
        header.stamp_ns = STAMP_NS.into();
        header.original_bytes = captured.into();
        header.captured_bytes = captured.into();
        header.payload_crc32c = crc::crc32c_padded(&payload).into();
        header.hits[0] = RawHit::new(Hit { match_index, scope: Scope::Content, lookup: Lookup::OuterSource });
        let mut record = header.as_bytes().to_vec();
        record.extend(payload);
        record.resize(record.len().next_multiple_of(LINE_BYTES), 0);
        Ok(Self { record, sequence: 0 })
    }

    /// The next record, sealed.
    fn next(&mut self) -> &[u8] {
        const SEQUENCE_AT: usize = std::mem::offset_of!(PacketHeader, record_sequence);
        const CRC_AT: usize = std::mem::offset_of!(PacketHeader, header_crc32c);
        self.record[SEQUENCE_AT..SEQUENCE_AT + 4].copy_from_slice(&self.sequence.to_le_bytes());
        self.record[CRC_AT..CRC_AT + 4].fill(0);
        let crc = crc::crc32c(&self.record[..LINE_BYTES]);
        self.record[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
        self.sequence = self.sequence.wrapping_add(1);
        &self.record
    }

    /// Fills a ring of `ring_lines` lines, of which the next free one is number `produced`, and says how far it got and with how many records.
    pub(crate) fn fill(&mut self, ring_lines: u32, produced: u32, mut put: impl FnMut(u32, &[u8])) -> (u32, u64) {
        let lines = (self.record.len() / LINE_BYTES) as u32;
        let (mut at, mut records) = (produced, 0);
        loop {
            let place = at % ring_lines;
            let skipped = if ring_lines - place < lines { ring_lines - place } else { 0 };
            if at.wrapping_sub(produced) + skipped + lines > ring_lines {
                return (at, records);
            }
            if skipped > 0 {
                put(place, &SKIP_LINE);
                at = at.wrapping_add(skipped);
            }
            put(at % ring_lines, self.next());
            (at, records) = (at.wrapping_add(lines), records + 1);
        }
    }
}

/// A ring and the card's end of it.
pub(crate) struct Rig {
    pub(crate) ring: RecordRing,
    card: CardMemory,
    lines_at: u64,
    index_at: u64,
    ring_lines: u32,
    produced: u32,
}

impl Rig {
    pub(crate) fn new(ring_lines: u32) -> Result<Self, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let sizes = RingSizes { record_lines: [ring_lines, 0, 0, 0], commands: 2 };
        let memory = HostMemory::shared(sizes.memory_bytes(), PageSize::Small).map_err(|error| text(&error))?;
        let rings = RingMemory::allocate(&memory, &sizes).map_err(|error| text(&error))?;
        let how = BringUp {
            now_ns: 1,
            quality: TimeQuality::Locked,
            lookup: LookupSettings::default(),
            ready_timeout: Duration::from_secs(1),
        };
        let bar: Arc<dyn Bar> = Arc::new(Registers::new());
        let parts = Card::bring_up(Arc::clone(&bar), rings, Irqs::none(), &how).map_err(|error| text(&error))?;
        let wide = |low, high| u64::from(bar.read32(high)) << 32 | u64::from(bar.read32(low));
        Ok(Self {
            ring: parts.rings.into_iter().next().ok_or("no ring")?,
            card: memory.card(),
            lines_at: wide(rings::RECORD_BASE_LO_AT, rings::RECORD_BASE_HI_AT),
            index_at: wide(rings::RECORD_INDEX_LO_AT, rings::RECORD_INDEX_HI_AT),
            ring_lines,
            produced: 0,
        })
    }

    /// Fills the ring, which must be empty, and hands it over. Returns the records that are in it now.
    pub(crate) fn fill(&mut self, encoder: &mut Encoder) -> Result<u64, String> {
        let (card, base) = (&self.card, self.lines_at);
        let mut fault = None;
        let (produced, records) = encoder.fill(self.ring_lines, self.produced, |line, bytes| {
            let lines = bytes.as_chunks::<LINE_BYTES>().0;
            for (address, line) in (base + u64::from(line) * LINE_BYTES as u64..).step_by(LINE_BYTES).zip(lines) {
                fault = card.write_line(address, line).err().or(fault);
            }
        });
        let mut index = [0; LINE_BYTES];
        index[..4].copy_from_slice(&produced.to_le_bytes());
        fault = card.write_line(self.index_at, &index).err().or(fault);
        self.produced = produced;
        fault.map_or(Ok(records), |fault| Err(format!("{fault:?}")))
    }
}
