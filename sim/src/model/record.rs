//! The bytes of records.

use super::parse::Parsed;
use super::tables::{Conditions, Frame, Looked};
use writ_abi::limits::LINE_BYTES;
use writ_abi::record::{DropCause, GapRecord, HITS_INLINE, Hit, PacketHeader, RawHit, RecordKind, SecondLine, flags};
use writ_abi::{Scope, crc};
use zerocopy::{
    FromZeros, IntoBytes,
    little_endian::{U16, U32, U64},
};

/// Bytes of the frame that its record shows: the largest cut of its hits.
pub fn captured_bytes(frame: &Frame<'_>, parsed: &Parsed, hits: &[Hit]) -> usize {
    let cut = |hit: &Hit| match hit.scope {
        Scope::Content => frame.original_bytes(),
        Scope::HeadersL4 => usize::from(parsed.l4_end),
        Scope::HeadersL3 => usize::from(parsed.l3_end),
    };
    hits.iter().map(cut).max().unwrap_or(0).min(frame.original_bytes())
}

/// Lines that the packet record of a frame takes.
pub fn packet_lines(frame: &Frame<'_>, looked: &Looked) -> usize {
    let headers = if looked.hits.len() > HITS_INLINE { 2 } else { 1 };
    headers + captured_bytes(frame, &looked.parsed, &looked.hits).div_ceil(LINE_BYTES)
}

/// The packet record of a frame with hits, whole lines.
pub fn packet(frame: &Frame<'_>, looked: &Looked, conditions: &Conditions, record_sequence: u32) -> Vec<u8> {
    let Looked { parsed, hits, .. } = looked;
    let captured = captured_bytes(frame, parsed, hits);
    let payload = &frame.bytes[..captured];
    let mut header = PacketHeader::new_zeroed();
    header.kind = RecordKind::Packet as u8;
    header.flags = (conditions.quality as u8) << flags::TIME_QUALITY_LSB;
    if hits.len() > HITS_INLINE {
        header.flags |= flags::SECOND_LINE;
    }
    if captured < frame.original_bytes() {
        header.flags |= flags::CUT;
    }
    header.hit_count = hits.len() as u8;
    header.port_side = frame.port as u8;
    header.record_sequence = U32::new(record_sequence);
    header.stamp_ns = U64::new(conditions.stamp_ns);
    header.original_bytes = U16::new(frame.original_bytes() as u16);
    header.captured_bytes = U16::new(captured as u16);
    header.parse_class = parsed.class as u8;
    header.vlan_tags = parsed.vlan_tags;
    header.l3_offset = parsed.l3_offset;
    header.l3_end = parsed.l3_end;
    header.l4_offset = parsed.l4_offset;
    header.l4_end = parsed.l4_end;
    header.protocol = parsed.protocol;
    header.payload_crc32c = U32::new(crc::crc32c_padded(payload));
    let mut second = SecondLine::new_zeroed();
    for (slot, hit) in header.hits.iter_mut().chain(&mut second.hits).zip(hits) {
        *slot = RawHit::new(*hit);
    }

    let mut bytes = header.as_bytes().to_vec();
    if hits.len() > HITS_INLINE {
        bytes.extend_from_slice(second.as_bytes());
    }
    let header_crc = crc::crc32c(&bytes);
    let at = std::mem::offset_of!(PacketHeader, header_crc32c);
    bytes[at..at + 4].copy_from_slice(&header_crc.to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes.resize(bytes.len().next_multiple_of(LINE_BYTES), 0);
    bytes
}

/// Adjacent missing numbers that no gap record has named yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    causes: u8,
    first: (u32, u64),
    last: (u32, u64),
}

impl Missing {
    /// Adds the next missing number to those before it.
    pub fn merge(before: Option<Self>, sequence: u32, stamp_ns: u64, cause: DropCause) -> Self {
        let bit = 1 << cause as u8;
        match before {
            None => Self { causes: bit, first: (sequence, stamp_ns), last: (sequence, stamp_ns) },
            Some(earlier) => Self { causes: earlier.causes | bit, last: (sequence, stamp_ns), ..earlier },
        }
    }

    /// The gap record.
    pub fn record(&self) -> Vec<u8> {
        let mut gap = GapRecord::new_zeroed();
        gap.kind = RecordKind::Gap as u8;
        gap.causes = self.causes;
        gap.first_sequence = U32::new(self.first.0);
        gap.first_stamp_ns = U64::new(self.first.1);
        gap.last_sequence = U32::new(self.last.0);
        gap.last_stamp_ns = U64::new(self.last.1);
        gap.header_crc32c = U32::new(crc::crc32c(gap.as_bytes()));
        gap.as_bytes().to_vec()
    }
}
