//! What travels between the blocks of the capture side.
#![allow(missing_docs)] // `LogicStruct` writes accessors that cannot carry documentation

use crate::lookup::types::{Hit, Verdict};
use crate::prelude::*;
use core::mem::offset_of;
use writ_abi::record::{DropCause, GapRecord, PacketHeader, RecordKind};

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

/// A verdict with hits, and which description is its frame's.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Pending {
    /// The verdict.
    pub verdict: Verdict,
    /// Number of the frame among those of its port that are looked up, modulo the store's descriptions.
    pub number: Bits<10>,
}

/// Numbers that are missing from the ring.
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
    /// Write this gap record first, if it is open.
    pub gap: Gap,
    /// Write a packet record.
    pub packet: Bit,
    /// The packet's verdict.
    pub verdict: Verdict,
    /// Bytes of the frame without FCS.
    pub original: Bits<16>,
    /// Bytes that the hits allow.
    pub captured: Bits<16>,
    /// Lines of the payload.
    pub lines: Bits<8>,
    /// The packet's number; without a packet the number behind the gap.
    pub sequence: Bits<32>,
}

/// A dropped frame on its way to the per-match counters.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct DroppedFrame {
    pub hit_0: Hit,
    pub hit_1: Hit,
    pub hit_2: Hit,
    pub hit_3: Hit,
    /// Bytes without FCS.
    pub bytes: Bits<16>,
}

/// Per-match drop counters.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Drops {
    pub packets: Bits<64>,
    pub bytes: Bits<64>,
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
    pub vlan_tags: Bits<8>,
    pub l3_offset: Bits<8>,
    pub l3_end: Bits<8>,
    pub l4_offset: Bits<8>,
    pub l4_end: Bits<8>,
    pub protocol: Bits<8>,
    pub reserved: Bits<40>,
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
    assert!(PacketLine::BITS == 512 && GapLine::BITS == 512);
    assert!(offset_of!(PacketHeader, record_sequence) == 4 && offset_of!(PacketHeader, stamp_ns) == 8);
    assert!(offset_of!(PacketHeader, original_bytes) == 16 && offset_of!(PacketHeader, captured_bytes) == 18);
    assert!(offset_of!(PacketHeader, parse_class) == 20 && offset_of!(PacketHeader, protocol) == 26);
    assert!(offset_of!(PacketHeader, payload_crc32c) == 32 && offset_of!(PacketHeader, header_crc32c) == 36);
    assert!(offset_of!(PacketHeader, hits) == 40);
    assert!(offset_of!(GapRecord, first_sequence) == 4 && offset_of!(GapRecord, first_stamp_ns) == 8);
    assert!(offset_of!(GapRecord, last_sequence) == 16 && offset_of!(GapRecord, last_stamp_ns) == 24);
    assert!(offset_of!(GapRecord, header_crc32c) == 32);
    assert!(RecordKind::Packet as u8 == 1 && RecordKind::Gap as u8 == 2 && RecordKind::Skip as u8 == 3);
    assert!(DropCause::CopyFifo as u8 == 0 && DropCause::RecordFifo as u8 == 1 && DropCause::Oversize as u8 == 2);
    assert!(DropCause::WireError as u8 == 3 && DropCause::WindowFifo as u8 == 4, "kernels write these as numbers");
};
