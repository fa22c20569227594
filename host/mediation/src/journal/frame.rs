//! Segment headers and frames as bytes.

use super::storage::{Entropy, JournalKey, SegmentId};
use crate::{arena::Entry, units::SessionKey};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// Most bytes of PDUs in a frame, unless a single PDU is longer.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

const MAGIC: [u8; 8] = *b"WRITJNL1";
const HEADER_AAD_BYTES: usize = 20;
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// Magic 8, segment 8, destination 2, interface 1, zero 1, nonce 12, wrapped key 48, zeros.
pub(super) const SEGMENT_HEADER_BYTES: usize = 128;
pub(super) const FRAME_HEADER_BYTES: usize = 8;
const DATA_HEAD_BYTES: usize = 24;
const ENTRY_BYTES: usize = 20;
const MARK_BYTES: usize = 20;
const KIND_DATA: u8 = 1;
const KIND_MARK: u8 = 2;

/// Seals and opens the frames of one segment.
pub(super) struct Sealer {
    key: LessSafeKey,
    segment: SegmentId,
    session: SessionKey,
}

/// A frame's content.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// PDUs of one block.
    Data {
        /// Arena, block, number of the first entry in the block.
        origin: (u64, u64, u32),
        /// Index entries; `end` counts from the start of this frame's PDUs.
        entries: Vec<Entry>,
        /// The PDUs.
        pdus: Vec<u8>,
    },
    /// All frames before (segment, number), and the first entries of that one, were confirmed.
    Mark(SegmentId, u64, u32),
}

fn key_from(bytes: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).expect("32 bytes are an AES-256 key"))
}

fn header_start(segment: SegmentId, session: SessionKey) -> [u8; HEADER_AAD_BYTES] {
    let mut start = [0; HEADER_AAD_BYTES];
    start[..8].copy_from_slice(&MAGIC);
    start[8..16].copy_from_slice(&segment.0.to_le_bytes());
    start[16..18].copy_from_slice(&session.destination.0.to_le_bytes());
    start[18] = session.interface as u8;
    start
}

impl Sealer {
    /// A fresh data key, and the segment header that holds it wrapped.
    pub(super) fn create(
        key: &JournalKey,
        entropy: &mut dyn Entropy,
        segment: SegmentId,
        session: SessionKey,
    ) -> (Self, [u8; SEGMENT_HEADER_BYTES]) {
        let (mut data_key, mut nonce) = (vec![0; KEY_BYTES], [0; NONCE_LEN]);
        entropy.fill(&mut data_key);
        entropy.fill(&mut nonce);
        let sealer = Self { key: key_from(&data_key), segment, session };
        let start = header_start(segment, session);
        key_from(&key.0)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(start), &mut data_key)
            .expect("sealing 32 bytes cannot fail");
        let mut header = [0; SEGMENT_HEADER_BYTES];
        header[..HEADER_AAD_BYTES].copy_from_slice(&start);
        header[20..32].copy_from_slice(&nonce);
        header[32..32 + KEY_BYTES + TAG_BYTES].copy_from_slice(&data_key);
        (sealer, header)
    }

    /// Unwraps the data key of a segment header. `None` if it is none, or of another key, session or segment.
    pub(super) fn open(
        key: &JournalKey,
        header: &[u8; SEGMENT_HEADER_BYTES],
        segment: SegmentId,
        session: SessionKey,
    ) -> Option<Self> {
        let start = header_start(segment, session);
        if header[..HEADER_AAD_BYTES] != start {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(&header[20..32]).ok()?;
        let mut wrapped = header[32..32 + KEY_BYTES + TAG_BYTES].to_vec();
        let data_key = key_from(&key.0).open_in_place(nonce, Aad::from(start), &mut wrapped).ok()?;
        Some(Self { key: key_from(data_key), segment, session })
    }

    fn nonce(number: u64) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[4..].copy_from_slice(&number.to_le_bytes());
        Nonce::assume_unique_for_key(nonce)
    }

    fn aad(&self, number: u64, kind: u8) -> Aad<[u8; HEADER_AAD_BYTES + 9]> {
        let mut aad = [0; HEADER_AAD_BYTES + 9];
        aad[..HEADER_AAD_BYTES].copy_from_slice(&header_start(self.segment, self.session));
        aad[HEADER_AAD_BYTES..HEADER_AAD_BYTES + 8].copy_from_slice(&number.to_le_bytes());
        aad[HEADER_AAD_BYTES + 8] = kind;
        Aad::from(aad)
    }

    /// A whole frame, header included. `number` must not have been used in this segment.
    pub(super) fn seal(&self, number: u64, body: &BodyRef<'_>, scratch: &mut Vec<u8>) -> Vec<u8> {
        scratch.clear();
        let kind = body.write(scratch);
        self.key
            .seal_in_place_append_tag(Self::nonce(number), self.aad(number, kind), scratch)
            .expect("frames are far below the limit of the cipher");
        let mut frame = Vec::with_capacity(FRAME_HEADER_BYTES + scratch.len());
        frame.extend_from_slice(&(scratch.len() as u32).to_le_bytes());
        frame.extend_from_slice(&[kind, 0, 0, 0]);
        frame.extend_from_slice(scratch);
        frame
    }

    /// Opens the sealed octets of a frame.
    pub(super) fn open_frame(&self, number: u64, kind: u8, sealed: &mut [u8]) -> Option<Body> {
        let plain = self.key.open_in_place(Self::nonce(number), self.aad(number, kind), sealed).ok()?;
        Body::parse(kind, plain)
    }
}

/// Length of the sealed octets and kind of a frame, if it can be one.
pub(super) fn parse_frame_header(header: [u8; FRAME_HEADER_BYTES]) -> Option<(u32, u8)> {
    let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    let known = matches!(header[4], KIND_DATA | KIND_MARK) && header[5..] == [0; 3];
    let possible = (TAG_BYTES as u32..=2 * crate::arena::BLOCK_BYTES as u32).contains(&length);
    (known && possible).then_some((length, header[4]))
}

/// A frame's content, to be written.
pub(super) enum BodyRef<'a> {
    Data { origin: (u64, u64, u32), entries: &'a [Entry], pdus: &'a [u8] },
    Mark(SegmentId, u64, u32),
}

impl BodyRef<'_> {
    fn write(&self, out: &mut Vec<u8>) -> u8 {
        match self {
            Self::Data { origin: (arena, block, first), entries, pdus } => {
                out.extend_from_slice(&arena.to_le_bytes());
                out.extend_from_slice(&block.to_le_bytes());
                out.extend_from_slice(&first.to_le_bytes());
                out.extend_from_slice(&(entries.len() as u32).to_le_bytes());
                for entry in *entries {
                    out.extend_from_slice(&entry.end.to_le_bytes());
                    out.extend_from_slice(&entry.context.0.to_le_bytes());
                    out.extend_from_slice(&entry.sequence.to_le_bytes());
                    out.extend_from_slice(&entry.record.sequence.to_le_bytes());
                    out.extend_from_slice(&entry.meta().to_le_bytes());
                }
                out.extend_from_slice(pdus);
                KIND_DATA
            }
            Self::Mark(segment, number, entries) => {
                out.extend_from_slice(&segment.0.to_le_bytes());
                out.extend_from_slice(&number.to_le_bytes());
                out.extend_from_slice(&entries.to_le_bytes());
                KIND_MARK
            }
        }
    }
}

/// Reads numbers off the front of a slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(bytes)?;
        self.0 = tail;
        Some(head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from(self.u32()?) | u64::from(self.u32()?) << 32)
    }
}

impl Body {
    fn parse(kind: u8, plain: &[u8]) -> Option<Self> {
        let mut reader = Reader(plain);
        match kind {
            KIND_DATA if plain.len() >= DATA_HEAD_BYTES => {
                let origin = (reader.u64()?, reader.u64()?, reader.u32()?);
                let count = reader.u32()? as usize;
                if count == 0 || count > reader.0.len() / ENTRY_BYTES {
                    return None;
                }
                let mut entries = Vec::with_capacity(count);
                for _ in 0..count {
                    let (end, context, sequence, record) = (reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?);
                    entries.push(Entry::from_words(end, context, sequence, record, reader.u32()?));
                }
                let ordered = entries.is_sorted_by(|a, b| a.end < b.end);
                let complete = entries.last().is_some_and(|last| last.end as usize == reader.0.len());
                (ordered && complete).then(|| Self::Data { origin, entries, pdus: reader.0.to_vec() })
            }
            KIND_MARK if plain.len() == MARK_BYTES => {
                Some(Self::Mark(SegmentId(reader.u64()?), reader.u64()?, reader.u32()?))
            }
            _ => None,
        }
    }
}
