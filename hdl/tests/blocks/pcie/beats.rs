//! Streams of the hard block as bytes, read and written by their tables alone.

use crate::bench::{to_bits, to_bytes};
use rust_hdl::core::prelude::*;

/// Bits `lsb` to `lsb + width - 1` of bytes.
pub(super) fn field(bytes: &[u8], lsb: usize, width: usize) -> u64 {
    (0..width).fold(0, |value, bit| {
        let at = lsb + bit;
        value | u64::from(bytes[at / 8] >> (at % 8) & 1) << bit
    })
}

/// Sets bits of bytes.
pub(super) fn set(bytes: &mut [u8], lsb: usize, width: usize, value: u64) {
    for bit in 0..width {
        let at = lsb + bit;
        bytes[at / 8] = bytes[at / 8] & !(1 << (at % 8)) | ((value >> bit & 1) as u8) << (at % 8);
    }
}

/// Bytes of bits whose number is no multiple of 8.
pub(super) fn user_bytes<const N: usize>(user: Bits<N>) -> Vec<u8> {
    let mut bytes = vec![0; N.div_ceil(8)];
    for bit in 0..N {
        set(&mut bytes, bit, 1, u64::from(user.get_bit(bit)));
    }
    bytes
}

/// A request as it was sent on RQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    Write { address: u64, data: Vec<u8> },
    Read { address: u64, bytes: usize },
}

/// Reads RQ in dword-aligned mode with straddle.
#[derive(Default)]
pub(super) struct RqReader {
    /// Bytes of a TLP that has begun, with its byte enables.
    open: Option<(Vec<u8>, u64, u64)>,
    pub(super) sent: Vec<Sent>,
    pub(super) beats: u64,
    /// Beats in which one TLP ends and another begins.
    pub(super) straddled: u64,
}

impl RqReader {
    /// Takes a beat with `user` from bit 0 of `s_axis_rq_tuser` on.
    pub(super) fn beat(&mut self, data: &[u8], user: &[u8]) {
        self.beats += 1;
        let (begins, ends) = (field(user, 20, 2), field(user, 26, 2));
        let begin_at = [field(user, 22, 2) as usize * 16, field(user, 24, 2) as usize * 16];
        let end_at = [field(user, 28, 4) as usize * 4 + 4, field(user, 32, 4) as usize * 4 + 4];
        assert!(begins != 2 && ends != 2, "only the second of two");
        let (mut begun, mut ended, mut at) = (0, 0, 0);
        while at < 64 {
            if self.open.is_none() {
                if begun == begins.count_ones() as usize {
                    break;
                }
                assert!(begin_at[begun] >= at && [0, 32].contains(&begin_at[begun]), "begins at {}", begin_at[begun]);
                at = begin_at[begun];
                assert!(at == 0 || ended == 1, "begins in the upper half, and nothing ends in the lower");
                let enables = (field(user, 4 * begun, 4), field(user, 8 + 4 * begun, 4));
                self.open = Some((Vec::new(), enables.0, enables.1));
                begun += 1;
            }
            let ends_here = ended < ends.count_ones() as usize;
            let end = if ends_here { end_at[ended] } else { 64 };
            assert!(end > at);
            let open = self.open.as_mut().expect("a TLP");
            open.0.extend(&data[at..end]);
            at = end;
            if ends_here {
                ended += 1;
                self.close();
                at = at.next_multiple_of(32);
            }
        }
        assert_eq!((begun, ended), (begins.count_ones() as usize, ends.count_ones() as usize));
        self.straddled += u64::from(begins != 0 && begin_at[0] == 32);
    }

    /// A whole TLP: descriptor of 128 bits, payload.
    fn close(&mut self) {
        let (bytes, first, last) = self.open.take().expect("a TLP");
        assert_eq!(field(&bytes, 0, 2), 0, "address type");
        let address = field(&bytes, 2, 62) << 2;
        let words = field(&bytes, 64, 11) as usize;
        assert_eq!(
            field(&bytes, 79, 49),
            0,
            "no poison, requester and completer left to the block, no tag, class or attribute"
        );
        assert_eq!((first, last), (15, if words == 1 { 0 } else { 15 }), "byte enables");
        assert!(address % 4_096 + words as u64 * 4 <= 4_096, "over a boundary of 4 KiB");
        match field(&bytes, 75, 4) {
            0 => {
                assert_eq!(bytes.len(), 16);
                self.sent.push(Sent::Read { address, bytes: words * 4 });
            }
            1 => {
                assert_eq!(bytes.len(), 16 + words * 4, "as long as it says");
                self.sent.push(Sent::Write { address, data: bytes[16..].to_vec() });
            }
            kind => panic!("request type {kind}"),
        }
    }

    pub(super) fn is_between(&self) -> bool {
        self.open.is_none()
    }

    /// Bytes of payload so far.
    pub(super) fn payload(&self) -> usize {
        let bytes = |sent: &Sent| if let Sent::Write { data, .. } = sent { data.len() } else { 0 };
        self.sent.iter().map(bytes).sum()
    }
}

/// A completion for RC: lower address, byte count, what of the line, tag.
pub(super) struct Completion {
    pub(super) lower: u64,
    pub(super) byte_count: u64,
    pub(super) payload: Vec<u8>,
    pub(super) tag: u8,
    pub(super) code: u64,
    pub(super) completed: bool,
}

impl Completion {
    /// Beats of RC, straddle off: data, keep, last.
    pub(super) fn beats(&self) -> Vec<(Bits<512>, u16, bool)> {
        let mut packet = vec![0; 12];
        set(&mut packet, 0, 12, self.lower);
        set(&mut packet, 12, 4, self.code);
        set(&mut packet, 16, 13, self.byte_count);
        set(&mut packet, 30, 1, u64::from(self.completed));
        set(&mut packet, 32, 11, self.payload.len() as u64 / 4);
        set(&mut packet, 43, 3, if self.code == 2 { 1 } else { 0 });
        set(&mut packet, 46, 1, u64::from(self.code == 1));
        set(&mut packet, 64, 8, u64::from(self.tag));
        packet.extend(&self.payload);
        let count = packet.len().div_ceil(64);
        let chunks = packet.chunks(64).enumerate();
        chunks.map(|(n, chunk)| (to_bits(chunk), ((1_u32 << (chunk.len() / 4)) - 1) as u16, n + 1 == count)).collect()
    }
}

/// A beat's bytes.
pub(super) fn data_bytes(data: Bits<512>) -> Vec<u8> {
    to_bytes(data)
}
