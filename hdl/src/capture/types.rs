//! What travels between the blocks of the capture side.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::lookup::types::{Hit, Verdict};
use crate::parse::types::{Headers, Ticket};
use crate::prelude::*;
use core::mem::offset_of;
use writ_abi::limits;
use writ_abi::record::{self, DropCause, GapRecord, PacketHeader, RecordKind};

/// What a frame store says about a frame that has ended.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Description {
    /// Bytes with FCS, at most 65535.
    pub length: Bits<16>,
    /// The MAC marked it as damaged.
    pub error: Bit,
    /// Longer than the copy path takes.
    pub oversize: Bit,
    /// All its lines are in the store.
    pub stored: Bit,
}

/// A verdict with hits, the rings that they name, and which description is its frame's.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Pending {
    /// The verdict.
    pub verdict: Verdict,
    /// The frame's tunnel is one of the carrier's own.
    pub own_tunnel: Bit,
    /// One bit a ring.
    pub rings: Bits<4>,
    /// Number of the frame among those of its port that are looked up, modulo the store's descriptions.
    pub number: Bits<10>,
}

/// Hits as they stand in a record, in the order of their lookups and without holes; unused ones are zero.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct HitList {
    pub hit_0: Bits<24>,
    pub hit_1: Bits<24>,
    pub hit_2: Bits<24>,
    pub hit_3: Bits<24>,
    pub hit_4: Bits<24>,
    pub hit_5: Bits<24>,
    pub hit_6: Bits<24>,
    pub hit_7: Bits<24>,
    pub hit_8: Bits<24>,
    pub hit_9: Bits<24>,
    pub hit_10: Bits<24>,
    pub hit_11: Bits<24>,
    pub hit_12: Bits<24>,
    pub hit_13: Bits<24>,
    pub hit_14: Bits<24>,
    pub hit_15: Bits<24>,
    pub hit_16: Bits<24>,
    pub hit_17: Bits<24>,
    pub hit_18: Bits<24>,
    pub hit_19: Bits<24>,
    pub hit_20: Bits<24>,
}

/// A record that is due: a frame, and one of the rings that its hits name.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Due {
    /// Which frame.
    pub ticket: Ticket,
    /// Its headers.
    pub headers: Headers,
    /// Its tunnel is one of the carrier's own.
    pub own_tunnel: Bit,
    /// Its description.
    pub description: Description,
    /// Its bytes without FCS.
    pub original: Bits<16>,
    /// The ring, one bit each.
    pub ring: Bits<4>,
    /// It is the first record of its frame.
    pub first: Bit,
    /// It is the last record of its frame.
    pub last: Bit,
}

/// A record that is due, and how much room it takes.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct SizedDue {
    /// The record.
    pub due: Due,
    /// Bytes that the hits allow.
    pub captured: Bits<16>,
    /// Lines of the payload.
    pub lines: Bits<8>,
    /// Lines behind its first one, a second header line among them.
    pub rest: Bits<9>,
    /// Lines of the whole record: one more.
    pub room: Bits<9>,
    /// The same with a gap record in front: two more.
    pub room_with_gap: Bits<9>,
}

/// Numbers that are missing from a ring.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Gap {
    /// There are any.
    pub open: Bit,
    /// One bit a cause.
    pub causes: Bits<8>,
    /// First missing number.
    pub first_sequence: Bits<32>,
    /// Stamp of its frame.
    pub first_stamp: Bits<64>,
    /// Stamp of the last missing number's frame.
    pub last_stamp: Bits<64>,
}

/// Records to write, with room reserved: a gap record, a packet record, or a gap and the packet behind it.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Job {
    /// The ring, one bit each.
    pub ring: Bits<4>,
    /// Write this gap record first, if it is open.
    pub gap: Gap,
    /// Write a packet record.
    pub packet: Bit,
    /// The packet's frame.
    pub ticket: Ticket,
    /// Its headers.
    pub headers: Headers,
    /// Its tunnel is one of the carrier's own.
    pub own_tunnel: Bit,
    /// Bytes of the frame without FCS.
    pub original: Bits<16>,
    /// Bytes that the hits allow.
    pub captured: Bits<16>,
    /// Lines of the payload.
    pub lines: Bits<8>,
    /// The packet's number; without a packet the number behind the gap.
    pub sequence: Bits<32>,
    /// How many hits there are.
    pub hit_count: Bits<5>,
    /// The hits.
    pub hits: HitList,
}

/// A record that was dropped, on its way to the per-match counters.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct DroppedRecord {
    /// How many hits it would have had.
    pub hit_count: Bits<5>,
    /// Which.
    pub hits: HitList,
    /// Bytes of its frame without FCS.
    pub bytes: Bits<16>,
}

/// Per-match drop counters.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Drops {
    pub packets: Bits<64>,
    pub bytes: Bits<64>,
}

/// Where an IP header stands, as it lies in a packet record's first line ([`record::Layer`]).
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct LayerBytes {
    pub l3_offset: Bits<8>,
    pub l3_end: Bits<8>,
    pub l4_end: Bits<8>,
    pub protocol: Bits<8>,
}

/// A packet record's first line, as it lies in memory ([`PacketHeader`]).
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct PacketLine {
    pub kind: Bits<8>,
    pub flags: Bits<8>,
    pub hit_count: Bits<8>,
    pub port_side: Bits<8>,
    pub record_sequence: Bits<32>,
    pub stamp_ns: Bits<64>,
    pub original_bytes: Bits<16>,
    pub captured_bytes: Bits<16>,
    pub parse_class: Bits<8>,
    pub link: Bits<8>,
    pub tunnel: Bits<8>,
    pub layer_flags: Bits<8>,
    pub outer: LayerBytes,
    pub inner: LayerBytes,
    pub payload_crc32c: Bits<32>,
    pub header_crc32c: Bits<32>,
    pub hits: Bits<192>,
}

/// A gap record, as it lies in memory ([`GapRecord`]).
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct GapLine {
    pub kind: Bits<8>,
    pub causes: Bits<8>,
    pub reserved: Bits<16>,
    pub first_sequence: Bits<32>,
    pub first_stamp_ns: Bits<64>,
    pub last_sequence: Bits<32>,
    pub reserved_2: Bits<32>,
    pub last_stamp_ns: Bits<64>,
    pub header_crc32c: Bits<32>,
    pub reserved_3: Bits<224>,
}

const _: () = {
    assert!(Hit::BITS == 23 && limits::HITS_MAX == 21 && HitList::BITS == 21 * 24, "kernels write these out");
    assert!(record::HITS_INLINE == 8 && limits::RECORD_RINGS == 4);
    assert!(PacketLine::BITS == 512 && GapLine::BITS == 512);
    assert!(offset_of!(PacketHeader, record_sequence) == 4 && offset_of!(PacketHeader, stamp_ns) == 8);
    assert!(offset_of!(PacketHeader, original_bytes) == 16 && offset_of!(PacketHeader, captured_bytes) == 18);
    assert!(offset_of!(PacketHeader, parse_class) == 20 && offset_of!(PacketHeader, link) == 21);
    assert!(offset_of!(PacketHeader, tunnel) == 22 && offset_of!(PacketHeader, layer_flags) == 23);
    assert!(offset_of!(PacketHeader, outer) == 24 && offset_of!(PacketHeader, inner) == 28);
    assert!(offset_of!(record::Layer, l3_end) == 1 && offset_of!(record::Layer, protocol) == 3);
    assert!(offset_of!(PacketHeader, payload_crc32c) == 32 && offset_of!(PacketHeader, header_crc32c) == 36);
    assert!(offset_of!(PacketHeader, hits) == 40);
    assert!(offset_of!(GapRecord, first_sequence) == 4 && offset_of!(GapRecord, first_stamp_ns) == 8);
    assert!(offset_of!(GapRecord, last_sequence) == 16 && offset_of!(GapRecord, last_stamp_ns) == 24);
    assert!(offset_of!(GapRecord, header_crc32c) == 32);
    assert!(RecordKind::Packet as u8 == 1 && RecordKind::Gap as u8 == 2 && RecordKind::Skip as u8 == 3);
    assert!(DropCause::CopyFifo as u8 == 0 && DropCause::RecordFifo as u8 == 1 && DropCause::Oversize as u8 == 2);
    assert!(DropCause::WireError as u8 == 3 && DropCause::WindowFifo as u8 == 4, "kernels write these as numbers");
};
