//! What the card writes into a record ring: packet, gap and skip records, each a whole number of 64-byte lines.
//!
//! A record starts with one header line; a packet record with more than [`HITS_INLINE`] hits has a second header line with up to
//! [`HITS_SECOND_LINE`] more; the payload follows, padded with zeros to the next line. A record never straddles the end of
//! the ring: a skip record fills the rest and the reader goes on at the start.
//!
//! # When a record is made
//! Each hit's row names a ring. A frame makes one record in each ring that a hit of it names, with that ring's hits and no
//! others. For every ring with a hit the frame takes the ring's next `record_sequence` at the verdict. If it cannot be copied into that ring it
//! is dropped there, counted by cause and by each distinct match index among the ring's hits, and its number is missing from the ring. Before
//! the ring's next packet record, or once half of the ring's FIFO is free, a gap record names the missing numbers. A frame that the MAC marked as
//! damaged makes no record and takes no number.
//!
//! # What is captured
//! A hit is *of* an IP header: the outer one for a [`crate::HitLayer`] of `Link` or `Outer`, the inner one for `Inner` and `Innermost`; where there is no
//! inner one, of the outer. If the tunnel over the frame's outer IP header is of a kind set in [`crate::registers::lookup`]'s OWN_TUNNELS
//! when the frame's keys enter lookup, every hit is of the inner header as soon as there is one. `cut` of a hit: the whole frame without FCS for [`crate::Scope::Content`], `l4_end` of that header for
//! `HeadersL4`, `l3_end` for `HeadersL3`; in a frame without IP headers 14, the Ethernet header.
//! `captured_bytes` is the largest cut of the record's hits, at most `original_bytes`.

use crate::{HitLayer, Lookup, MatchIndex, PortSide, Scope, crc, limits, parse::ParseClass, time::TimeQuality};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U16, U32, U64},
};

/// Hits in the first header line.
pub const HITS_INLINE: usize = 8;
/// Hits in the second header line.
pub const HITS_SECOND_LINE: usize = 21;
const _: () = assert!(limits::HITS_MAX <= HITS_INLINE + HITS_SECOND_LINE);

/// First byte of a record: what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// A copied frame.
    Packet = 1,
    /// Numbers that are missing, and why.
    Gap = 2,
    /// Nothing: go on at the start of the ring.
    Skip = 3,
}

/// One hit as it stands in a record: 24 bits, little-endian. Bits 0..=16 match index, 17..=18 scope, 19..=23 lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct RawHit(pub [u8; 3]);

/// One hit: what matched, how much of the frame its row allows, which lookup found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// What the row returned.
    pub match_index: MatchIndex,
    /// The row's scope.
    pub scope: Scope,
    /// The lookup that found it.
    pub lookup: Lookup,
}

impl RawHit {
    /// Packs a hit.
    pub const fn new(hit: Hit) -> Self {
        let bits = hit.match_index.value() | (hit.scope as u32) << 17 | (hit.lookup as u32) << 19;
        let [a, b, c, _] = bits.to_le_bytes();
        Self([a, b, c])
    }

    /// Unpacks a hit, or `None` if one of its numbers has no meaning in this ABI.
    pub const fn parse(self) -> Option<Hit> {
        let bits = u32::from_le_bytes([self.0[0], self.0[1], self.0[2], 0]);
        match (
            MatchIndex::new(bits & 0x1_ffff),
            Scope::from_bits((bits >> 17 & 3) as u8),
            Lookup::from_bits((bits >> 19) as u8),
        ) {
            (Some(match_index), Some(scope), Some(lookup)) => Some(Hit { match_index, scope, lookup }),
            _ => None,
        }
    }
}

/// First header line of a packet record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct PacketHeader {
    /// [`RecordKind::Packet`].
    pub kind: u8,
    /// See [`flags`].
    pub flags: u8,
    /// Hits in both header lines.
    pub hit_count: u8,
    /// [`PortSide`] that the frame came in on.
    pub port_side: u8,
    /// Number of the record in its ring; wraps.
    pub record_sequence: U32,
    /// Arrival of the frame's first beat, ns of TAI since the PTP epoch.
    pub stamp_ns: U64,
    /// Bytes of the frame on the wire, without FCS.
    pub original_bytes: U16,
    /// Bytes of the frame that follow the header, from its first byte on.
    pub captured_bytes: U16,
    /// [`ParseClass`].
    pub parse_class: u8,
    /// See [`link`].
    pub link: u8,
    /// See [`tunnel`].
    pub tunnel: u8,
    /// See [`layer_flags`].
    pub layer_flags: u8,
    /// The outer IP header.
    pub outer: Layer,
    /// The inner IP header.
    pub inner: Layer,
    /// CRC-32C over the payload with its padding; 0 for an empty one.
    pub payload_crc32c: U32,
    /// CRC-32C over the header lines with this field zero.
    pub header_crc32c: U32,
    /// The first hits; unused ones are zero.
    pub hits: [RawHit; HITS_INLINE],
}

/// Where an IP header and the transport header behind it stand in the frame, see [`crate::parse`]. All zero: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Layer {
    /// First byte of the IP header.
    pub l3_offset: u8,
    /// End of the IP header with the extension headers that were parsed.
    pub l3_end: u8,
    /// End of the transport header; `l3_end` if none was recognised.
    pub l4_end: u8,
    /// IP protocol number.
    pub protocol: u8,
}

impl Layer {
    /// Whether there is such a header.
    pub const fn exists(&self) -> bool {
        self.l3_offset != 0
    }

    /// Whether a transport header was recognised.
    pub const fn has_l4(&self) -> bool {
        self.l4_end > self.l3_end
    }
}

/// Bits of [`PacketHeader::link`].
pub mod link {
    /// VLAN tags, two bits.
    pub const VLAN_TAGS_MASK: u8 = 0x03;
    /// Lowest bit of the number of MPLS labels, three bits.
    pub const MPLS_LABELS_LSB: u8 = 2;
    /// The frame is in a PPPoE session.
    pub const PPPOE: u8 = 1 << 5;
    /// There is a pseudowire's Ethernet header.
    pub const PSEUDOWIRE: u8 = 1 << 6;
}

/// Bits of [`PacketHeader::tunnel`].
pub mod tunnel {
    /// [`crate::parse::TunnelKind`] of the tunnel over the outer IP header, or 0.
    pub const KIND_MASK: u8 = 0x0f;
    /// The tunnel carries Ethernet.
    pub const INNER_ETHERNET: u8 = 1 << 7;
}

/// Bits of [`PacketHeader::layer_flags`].
pub mod layer_flags {
    /// The outer transport header has ports.
    pub const OUTER_PORTS: u8 = 1 << 0;
    /// The outer packet is a fragment and not the first.
    pub const OUTER_FRAGMENT: u8 = 1 << 1;
    /// The inner transport header has ports.
    pub const INNER_PORTS: u8 = 1 << 4;
    /// The inner packet is a fragment and not the first.
    pub const INNER_FRAGMENT: u8 = 1 << 5;
}

/// Bits of [`PacketHeader::flags`].
pub mod flags {
    /// A second header line follows.
    pub const SECOND_LINE: u8 = 1 << 0;
    /// `captured_bytes` is less than `original_bytes`.
    pub const CUT: u8 = 1 << 1;
    /// The tunnel over the outer IP header is one of the carrier's own: every hit is of the inner IP header, if there is one.
    pub const OWN_TUNNEL: u8 = 1 << 2;
    /// Lowest bit of the two-bit [`crate::time::TimeQuality`] at the stamp.
    pub const TIME_QUALITY_LSB: u8 = 6;
}

/// Second header line: more hits. The last byte is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct SecondLine {
    /// Hits from number [`HITS_INLINE`] on; unused ones are zero.
    pub hits: [RawHit; HITS_SECOND_LINE],
    /// Zero.
    pub reserved: u8,
}

/// A gap record: one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct GapRecord {
    /// [`RecordKind::Gap`].
    pub kind: u8,
    /// One bit a [`DropCause`] (bit number = cause) among the missing frames.
    pub causes: u8,
    /// Zero.
    pub reserved: [u8; 2],
    /// First missing record sequence.
    pub first_sequence: U32,
    /// Stamp of the first missing frame.
    pub first_stamp_ns: U64,
    /// Last missing record sequence.
    pub last_sequence: U32,
    /// Zero.
    pub reserved2: U32,
    /// Stamp of the last missing frame.
    pub last_stamp_ns: U64,
    /// CRC-32C over the line with this field zero, at the same offset as in a packet header.
    pub header_crc32c: U32,
    /// Zero.
    pub reserved3: [u8; 28],
}

/// A skip record: one line of which only the first byte counts; the rest is zero.
pub const SKIP_LINE: [u8; limits::LINE_BYTES] = {
    let mut line = [0; limits::LINE_BYTES];
    line[0] = RecordKind::Skip as u8;
    line
};

const _: () = {
    assert!(size_of::<PacketHeader>() == limits::LINE_BYTES);
    assert!(size_of::<SecondLine>() == limits::LINE_BYTES);
    assert!(size_of::<GapRecord>() == limits::LINE_BYTES);
    assert!(core::mem::offset_of!(PacketHeader, stamp_ns) == 8);
    assert!(core::mem::offset_of!(PacketHeader, original_bytes) == 16);
    assert!(core::mem::offset_of!(PacketHeader, parse_class) == 20);
    assert!(core::mem::offset_of!(PacketHeader, outer) == 24);
    assert!(core::mem::offset_of!(PacketHeader, payload_crc32c) == 32);
    assert!(core::mem::offset_of!(PacketHeader, header_crc32c) == 36);
    assert!(core::mem::offset_of!(PacketHeader, hits) == 40);
    assert!(core::mem::offset_of!(GapRecord, header_crc32c) == 32);
};

/// Why a frame that had hits was not copied, or could not be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum DropCause {
    /// The copy frame FIFO of the port had no room for the whole frame.
    CopyFifo = 0,
    /// The record FIFO had no room for the whole record: the ring is full or the bus too slow. From the first such record on all of
    /// the ring's are dropped until [`limits::RECORD_FIFO_RESUME_LINES`] are free, so that a ring under too much load carries records and not gaps.
    RecordFifo = 1,
    /// The frame is longer than [`limits::FRAME_BYTES_MAX`].
    Oversize = 2,
    /// The MAC marked the frame as damaged. Such a frame takes no record sequence: it is no communication that arrived.
    WireError = 3,
    /// The window FIFO of the direction was full: the frame was never looked up, so nobody knows whether it would have matched.
    WindowFifo = 4,
}

impl DropCause {
    /// All causes, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::CopyFifo, Self::RecordFifo, Self::Oversize, Self::WireError, Self::WindowFifo];
}

/// What is wrong with bytes that should be a record. The card is at fault, or the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordError {
    /// First byte is no [`RecordKind`].
    UnknownKind(u8),
    /// Fewer bytes than the record says it has.
    Short {
        /// Bytes that the record needs.
        needed: usize,
        /// Bytes that were there.
        available: usize,
    },
    /// The header's CRC does not fit.
    HeaderCrc {
        /// As it stands in the header.
        stated: u32,
        /// As computed.
        computed: u32,
    },
    /// The payload's CRC does not fit.
    PayloadCrc {
        /// As it stands in the header.
        stated: u32,
        /// As computed.
        computed: u32,
    },
    /// A field of the header has a value without meaning; its name.
    Field(&'static str),
}

impl core::fmt::Display for RecordError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::UnknownKind(kind) => write!(f, "record kind {kind} does not exist"),
            Self::Short { needed, available } => {
                write!(f, "record needs {needed} bytes, only {available} are there")
            }
            Self::HeaderCrc { stated, computed } => {
                write!(f, "record header CRC is {computed:#010x}, the header says {stated:#010x}")
            }
            Self::PayloadCrc { stated, computed } => {
                write!(f, "record payload CRC is {computed:#010x}, the header says {stated:#010x}")
            }
            Self::Field(name) => write!(f, "record field {name} has a value without meaning"),
        }
    }
}

impl core::error::Error for RecordError {}

/// A record that was checked and can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// A copied frame.
    Packet(Packet<'a>),
    /// Missing numbers.
    Gap(&'a GapRecord),
    /// Go on at the start of the ring.
    Skip,
}

/// A checked packet record, in place.
///
/// `Debug` leaves out the payload: it is somebody's communication.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// First header line.
    pub header: &'a PacketHeader,
    /// Second header line, if there is one.
    pub second: Option<&'a SecondLine>,
    /// The captured bytes, from the frame's first byte on.
    pub payload: &'a [u8],
}

impl core::fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Packet").field("header", self.header).field("second", &self.second).finish_non_exhaustive()
    }
}

impl<'a> Packet<'a> {
    /// The port that the frame came in on.
    pub fn port_side(&self) -> PortSide {
        PortSide::from_bits(self.header.port_side).unwrap_or(PortSide::A)
    }

    /// The parser's verdict.
    pub fn parse_class(&self) -> ParseClass {
        ParseClass::from_bits(self.header.parse_class).unwrap_or(ParseClass::NonIp)
    }

    /// How far the stamp can be trusted.
    pub fn time_quality(&self) -> TimeQuality {
        TimeQuality::from_bits(self.header.flags >> flags::TIME_QUALITY_LSB).unwrap_or(TimeQuality::Unset)
    }

    /// The hits, in the order of their lookups.
    pub fn hits(&self) -> impl Iterator<Item = Hit> + use<'a> {
        let inline = self.header.hits.iter();
        let more = self.second.map_or(&[][..], |line| &line.hits[..]).iter();
        inline.chain(more).take(usize::from(self.header.hit_count)).filter_map(|hit| hit.parse())
    }

    /// The IP header that a hit of this lookup is of, or `None` in a frame without IP headers.
    pub fn layer_of(&self, lookup: Lookup) -> Option<&'a Layer> {
        let (outer, inner) = (&self.header.outer, &self.header.inner);
        let deep = self.header.flags & flags::OWN_TUNNEL != 0
            || matches!(lookup.layer(), HitLayer::Inner | HitLayer::Innermost);
        let layer = if deep && inner.exists() { inner } else { outer };
        layer.exists().then_some(layer)
    }

    /// How many bytes of the payload a hit may see.
    pub fn cut(&self, hit: &Hit) -> usize {
        let wanted = match (hit.scope, self.layer_of(hit.lookup)) {
            (Scope::Content, _) => usize::from(self.header.original_bytes.get()),
            (Scope::HeadersL4, Some(layer)) => usize::from(layer.l4_end),
            (Scope::HeadersL3, Some(layer)) => usize::from(layer.l3_end),
            (_, None) => ETHERNET_BYTES,
        };
        wanted.min(self.payload.len())
    }
}

/// What a headers-only hit gets of a frame without IP headers.
pub const ETHERNET_BYTES: usize = 14;

/// Reads the record at the start of `bytes`, checks it, and says how many bytes it takes. A skip record takes one line here;
/// its meaning is that the rest of the ring holds nothing.
///
/// # Errors
/// [`RecordError`], with what was found. The reader cannot know where the next record starts after a bad header.
pub fn parse(bytes: &[u8]) -> Result<(Record<'_>, usize), RecordError> {
    parse_with(bytes, &Checks { crc32c: crc::crc32c, payload: true })
}

/// How [`parse_with`] checks.
#[derive(Debug, Clone, Copy)]
pub struct Checks<F> {
    /// What [`crc::crc32c`] does, by other means: this crate has tables only, processors have instructions.
    pub crc32c: F,
    /// Whether the payload's CRC is compared. The header's always is: it says where the next record begins.
    pub payload: bool,
}

/// [`parse`] with a CRC of the caller's.
///
/// # Errors
/// As [`parse`].
#[inline]
pub fn parse_with<'a, F: Fn(&[u8]) -> u32>(
    bytes: &'a [u8],
    checks: &Checks<F>,
) -> Result<(Record<'a>, usize), RecordError> {
    let line = limits::LINE_BYTES;
    let Some((first, _)) = bytes.split_first_chunk::<{ limits::LINE_BYTES }>() else {
        return Err(RecordError::Short { needed: line, available: bytes.len() });
    };
    match first[0] {
        kind if kind == RecordKind::Packet as u8 => parse_packet(bytes, first, checks),
        kind if kind == RecordKind::Gap as u8 => {
            let gap: &GapRecord = zerocopy::transmute_ref!(first);
            let mut copy = *gap;
            copy.header_crc32c = U32::ZERO;
            check_header_crc(gap.header_crc32c.get(), (checks.crc32c)(copy.as_bytes()))?;
            Ok((Record::Gap(gap), line))
        }
        kind if kind == RecordKind::Skip as u8 => Ok((Record::Skip, line)),
        kind => Err(RecordError::UnknownKind(kind)),
    }
}

fn check_header_crc(stated: u32, computed: u32) -> Result<(), RecordError> {
    if stated == computed { Ok(()) } else { Err(RecordError::HeaderCrc { stated, computed }) }
}

#[inline]
fn parse_packet<'a, F: Fn(&[u8]) -> u32>(
    bytes: &'a [u8],
    first: &'a [u8; limits::LINE_BYTES],
    checks: &Checks<F>,
) -> Result<(Record<'a>, usize), RecordError> {
    let line = limits::LINE_BYTES;
    let short = |needed| RecordError::Short { needed, available: bytes.len() };
    let header: &PacketHeader = zerocopy::transmute_ref!(first);
    let mut copy = *header;
    copy.header_crc32c = U32::ZERO;
    let (second, computed) = if header.flags & flags::SECOND_LINE == 0 {
        (None, (checks.crc32c)(copy.as_bytes()))
    } else {
        let second = bytes[line..].first_chunk::<{ limits::LINE_BYTES }>().ok_or(short(2 * line))?;
        let mut both = [0; 2 * limits::LINE_BYTES];
        both[..line].copy_from_slice(copy.as_bytes());
        both[line..].copy_from_slice(second);
        (Some(zerocopy::transmute_ref!(second)), (checks.crc32c)(&both))
    };
    check_header_crc(header.header_crc32c.get(), computed)?;
    check_fields(header, second)?;

    let header_bytes = if second.is_some() { 2 * line } else { line };
    let captured = usize::from(header.captured_bytes.get());
    let total = header_bytes + captured.next_multiple_of(line);
    let padded = bytes.get(header_bytes..total).ok_or(short(total))?;
    if checks.payload {
        let (stated, computed) = (header.payload_crc32c.get(), if captured == 0 { 0 } else { (checks.crc32c)(padded) });
        if stated != computed {
            return Err(RecordError::PayloadCrc { stated, computed });
        }
    }
    Ok((Record::Packet(Packet { header, second, payload: &padded[..captured] }), total))
}

fn check_fields(header: &PacketHeader, second: Option<&SecondLine>) -> Result<(), RecordError> {
    let field = |ok: bool, name| if ok { Ok(()) } else { Err(RecordError::Field(name)) };
    let capacity = if second.is_some() { HITS_INLINE + HITS_SECOND_LINE } else { HITS_INLINE };
    field(usize::from(header.hit_count) <= capacity && header.hit_count > 0, "hit_count")?;
    field(PortSide::from_bits(header.port_side).is_some(), "port_side")?;
    field(ParseClass::from_bits(header.parse_class).is_some(), "parse_class")?;
    field(TimeQuality::from_bits(header.flags >> flags::TIME_QUALITY_LSB).is_some(), "flags")?;
    field(header.captured_bytes.get() <= header.original_bytes.get(), "captured_bytes")?;
    for layer in [&header.outer, &header.inner] {
        field(layer.l3_end >= layer.l3_offset && layer.l4_end >= layer.l3_end, "l3_end")?;
    }
    field(header.outer.exists() || !header.inner.exists(), "inner")?;
    let packet = Packet { header, second, payload: &[] };
    field(packet.hits().count() == usize::from(header.hit_count), "hits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    fn hit(index: u32) -> RawHit {
        let match_index = MatchIndex::new(index).expect("in range");
        RawHit::new(Hit { match_index, scope: Scope::Content, lookup: Lookup::OuterSource })
    }

    /// A record with `hits` hits and `payload` bytes of payload, as the card would write it.
    fn sample(buffer: &mut [u8], hits: usize, payload: &[u8]) -> usize {
        let mut header = PacketHeader::new_zeroed();
        header.kind = RecordKind::Packet as u8;
        header.hit_count = hits as u8;
        header.parse_class = ParseClass::Ports as u8;
        header.original_bytes = U16::new(payload.len() as u16);
        header.captured_bytes = U16::new(payload.len() as u16);
        header.payload_crc32c = U32::new(crc::crc32c_padded(payload));
        let mut second = SecondLine::new_zeroed();
        for i in 0..hits {
            match i.checked_sub(HITS_INLINE) {
                None => header.hits[i] = hit(i as u32),
                Some(more) => second.hits[more] = hit(i as u32),
            }
        }
        let two_lines = hits > HITS_INLINE;
        if two_lines {
            header.flags |= flags::SECOND_LINE;
        }
        let start = if two_lines { 128 } else { 64 };
        buffer[..64].copy_from_slice(header.as_bytes());
        if two_lines {
            buffer[64..128].copy_from_slice(second.as_bytes());
        }
        let crc = crc::crc32c(&buffer[..start]);
        buffer[36..40].copy_from_slice(&crc.to_le_bytes());
        buffer[start..start + payload.len()].copy_from_slice(payload);
        start + payload.len().next_multiple_of(64)
    }

    #[test]
    fn every_number_of_hits_fits() {
        for hits in 1..=HITS_INLINE + HITS_SECOND_LINE {
            let mut buffer = [0; 512];
            let total = sample(&mut buffer, hits, &[7; 100]);
            let (record, used) = parse(&buffer).expect("a good record");
            let Record::Packet(packet) = record else { panic!("not a packet record") };
            assert_eq!(used, total);
            assert_eq!(packet.hits().map(|hit| hit.match_index.value()).max(), Some(hits as u32 - 1));
            assert_eq!(packet.payload, [7; 100]);
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut good = [0; 256];
        let total = sample(&mut good, 3, &[0x5a; 70]);
        for bit in 0..total * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&bad).is_err() || parse(&bad) == Ok((Record::Skip, 64)), "bit {bit}");
        }
    }

    #[test]
    fn the_callers_checks_are_used() {
        let mut bytes = [0; 256];
        let total = sample(&mut bytes, 3, &[9; 70]);
        let good = parse(&bytes);
        assert_eq!(parse_with(&bytes, &Checks { crc32c: crc::crc32c, payload: true }), good);
        let wrong = parse_with(&bytes, &Checks { crc32c: |_: &[u8]| 7, payload: true });
        assert!(matches!(wrong, Err(RecordError::HeaderCrc { computed: 7, .. })));
        bytes[total - 1] ^= 1;
        assert!(matches!(parse(&bytes), Err(RecordError::PayloadCrc { .. })));
        let unchecked = Checks { crc32c: crc::crc32c, payload: false };
        assert!(matches!(parse_with(&bytes, &unchecked), Ok((Record::Packet(_), used)) if used == total));
        bytes[50] ^= 1;
        assert!(matches!(parse_with(&bytes, &unchecked), Err(RecordError::HeaderCrc { .. })));
    }

    #[test]
    fn every_shortened_record_is_refused() {
        let mut good = [0; 256];
        let total = sample(&mut good, 9, &[1; 64]);
        for length in 0..total {
            assert!(parse(&good[..length]).is_err(), "{length} bytes");
        }
    }
}
