//! Putting the octets before a packet together by stores of fixed width.

use crate::ber::{length_octets, put_unsigned, unsigned_octets};

/// Octets with padding, so that a copy has a length known at compile time.
#[derive(Clone)]
pub(crate) struct Padded<const N: usize> {
    octets: [u8; N],
    length: usize,
}

impl<const N: usize> Padded<N> {
    /// `octets` are at most `N`: what a template holds is bounded by the types of its identifiers.
    pub(crate) fn new(octets: &[u8]) -> Self {
        let mut padded = [0; N];
        padded[..octets.len()].copy_from_slice(octets);
        Self { octets: padded, length: octets.len() }
    }

    /// Octets without padding.
    pub(crate) const fn len(&self) -> usize {
        self.length
    }
}

/// The octets before a packet: `ROOM` leaves slack for the last store.
#[derive(Clone)]
pub(crate) struct Scratch<const ROOM: usize> {
    octets: [u8; ROOM],
    at: usize,
}

impl<const ROOM: usize> Scratch<ROOM> {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { octets: [0; ROOM], at: 0 }
    }

    /// What was put.
    #[inline]
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets[..self.at]
    }

    /// Stores all of `wide`, of which the first `length` octets count.
    #[inline]
    pub(crate) fn store<const N: usize>(&mut self, wide: [u8; N], length: usize) {
        self.octets[self.at..self.at + N].copy_from_slice(&wide);
        self.at += length;
    }

    #[inline]
    pub(crate) fn put<const N: usize>(&mut self, octets: [u8; N]) {
        self.store(octets, N);
    }

    #[inline]
    pub(crate) fn put_padded<const N: usize>(&mut self, padded: &Padded<N>) {
        self.store(padded.octets, padded.length);
    }

    /// A tag and a length below 2^24.
    #[inline]
    pub(crate) fn put_tag_length(&mut self, tag: u8, length: usize) {
        let [_, high, middle, low] = (length as u32).to_be_bytes();
        let octets = length_octets(length);
        let wide = match octets {
            1 => [tag, low, 0, 0, 0, 0, 0, 0],
            2 => [tag, 0x81, low, 0, 0, 0, 0, 0],
            3 => [tag, 0x82, middle, low, 0, 0, 0, 0],
            _ => [tag, 0x83, high, middle, low, 0, 0, 0],
        };
        self.store(wide, 1 + octets);
    }

    /// Leaves room for octets that come later; says where.
    pub(crate) const fn skip(&mut self, octets: usize) -> usize {
        self.at += octets;
        self.at - octets
    }

    /// Puts one octet into room that was left for it.
    #[inline]
    pub(crate) fn put_octet_at(&mut self, at: usize, octet: u8) {
        self.octets[at] = octet;
    }

    /// Puts the contents octets of a non-negative INTEGER into room that was left for them.
    #[inline]
    pub(crate) fn put_unsigned_at(&mut self, at: usize, value: u64) {
        let octets = unsigned_octets(value);
        let room = &mut self.octets[at..at + octets];
        let wide = value.to_be_bytes();
        match octets {
            1 => room.copy_from_slice(&wide[7..]),
            2 => room.copy_from_slice(&wide[6..]),
            3 => room.copy_from_slice(&wide[5..]),
            4 => room.copy_from_slice(&wide[4..]),
            _ => {
                put_unsigned(room, value);
            }
        }
    }

    /// The contents octets of a non-negative INTEGER.
    #[inline]
    pub(crate) fn put_unsigned(&mut self, value: u64) {
        let octets = unsigned_octets(value);
        if octets > 8 {
            self.put([0]);
            self.put(value.to_be_bytes());
        } else {
            self.store((value << (64 - 8 * octets)).to_be_bytes(), octets);
        }
    }
}
