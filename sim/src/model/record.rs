//! The bytes of records.

use super::parse::{IpHeader, Parsed};
use super::tables::{Conditions, Frame, Looked};
use writ_abi::limits::LINE_BYTES;
use writ_abi::record::{
    DropCause, ETHERNET_BYTES, GapRecord, HITS_INLINE, Hit, Layer, PacketHeader, RawHit, RecordKind, SecondLine, flags,
    layer_flags, link, tunnel,
};
use writ_abi::{HitLayer, Lookup, Scope, crc};
use zerocopy::{
    FromZeros, IntoBytes,
    little_endian::{U16, U32, U64},
};

/// The IP header that a hit is of.
fn header_of(looked: &Looked, lookup: Lookup) -> Option<&IpHeader> {
    let Parsed { outer, inner, .. } = &looked.parsed;
    let is_deep = looked.own_tunnel || matches!(lookup.layer(), HitLayer::Inner | HitLayer::Innermost);
    if is_deep { inner.as_ref().or(outer.as_ref()) } else { outer.as_ref() }
}

/// Bytes of the frame that a record with these hits shows: their largest cut.
pub fn captured_bytes(frame: &Frame<'_>, looked: &Looked, hits: &[Hit]) -> usize {
    let cut = |hit: &Hit| match (hit.scope, header_of(looked, hit.lookup)) {
        (Scope::Content, _) => frame.original_bytes(),
        (Scope::HeadersL4, Some(header)) => header.l4_end,
        (Scope::HeadersL3, Some(header)) => header.l3_end,
        (_, None) => ETHERNET_BYTES,
    };
    hits.iter().map(cut).max().unwrap_or(0).min(frame.original_bytes())
}

/// Lines that the packet record of a frame with these hits takes.
pub fn packet_lines(frame: &Frame<'_>, looked: &Looked, hits: &[Hit]) -> usize {
    let headers = if hits.len() > HITS_INLINE { 2 } else { 1 };
    headers + captured_bytes(frame, looked, hits).div_ceil(LINE_BYTES)
}

/// The packet record of a frame with the hits of one ring, whole lines.
pub fn packet(
    frame: &Frame<'_>,
    looked: &Looked,
    hits: &[Hit],
    conditions: &Conditions,
    record_sequence: u32,
) -> Vec<u8> {
    let captured = captured_bytes(frame, looked, hits);
    let payload = &frame.bytes[..captured];
    let mut header = PacketHeader::new_zeroed();
    header.kind = RecordKind::Packet as u8;
    header.flags = (conditions.quality as u8) << flags::TIME_QUALITY_LSB;
    let mut set = |flag, condition| header.flags |= if condition { flag } else { 0 };
    set(flags::SECOND_LINE, hits.len() > HITS_INLINE);
    set(flags::CUT, captured < frame.original_bytes());
    set(flags::OWN_TUNNEL, looked.own_tunnel);
    header.hit_count = hits.len() as u8;
    header.port_side = frame.port as u8;
    header.record_sequence = U32::new(record_sequence);
    header.stamp_ns = U64::new(conditions.stamp_ns);
    header.original_bytes = U16::new(frame.original_bytes() as u16);
    header.captured_bytes = U16::new(captured as u16);
    describe(&looked.parsed, &mut header);
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

/// Puts the parser's results into the header.
fn describe(parsed: &Parsed, header: &mut PacketHeader) {
    let bit = |flag, condition| if condition { flag } else { 0 };
    header.parse_class = parsed.class as u8;
    header.link = parsed.vlan_ids.len() as u8
        | parsed.mpls_labels << link::MPLS_LABELS_LSB
        | bit(link::PPPOE, parsed.pppoe_session.is_some())
        | bit(link::PSEUDOWIRE, parsed.pseudowire);
    header.tunnel =
        parsed.tunnel.map_or(0, |(kind, _)| kind as u8) | bit(tunnel::INNER_ETHERNET, parsed.inner_ethernet);
    let has_ports = |header: &Option<IpHeader>| header.is_some_and(|header| header.ports.is_some());
    let is_fragment = |header: &Option<IpHeader>| header.is_some_and(|header| header.is_fragment);
    header.layer_flags = bit(layer_flags::OUTER_PORTS, has_ports(&parsed.outer))
        | bit(layer_flags::OUTER_FRAGMENT, is_fragment(&parsed.outer))
        | bit(layer_flags::INNER_PORTS, has_ports(&parsed.inner))
        | bit(layer_flags::INNER_FRAGMENT, is_fragment(&parsed.inner));
    header.outer = layer(parsed.outer.as_ref());
    header.inner = layer(parsed.inner.as_ref());
}

fn layer(header: Option<&IpHeader>) -> Layer {
    // All places lie inside the window, which is shorter than 256 bytes.
    header.map_or(Layer::default(), |header| Layer {
        l3_offset: header.l3_offset as u8,
        l3_end: header.l3_end as u8,
        l4_end: header.l4_end as u8,
        protocol: header.protocol,
    })
}

/// Adjacent missing numbers of a ring that no gap record has named yet.
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

    /// One of them is missing for this reason.
    pub fn names(&self, cause: DropCause) -> bool {
        self.causes >> cause as u8 & 1 == 1
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
