//! Writing forward into memory whose room has been checked.

/// Writes one field after the other.
///
/// The encoders compute a PDU's length, compare it with the room there is, and only then write; to run over the end is
/// a mistake of theirs and stops by the bounds check of the slice.
pub(crate) struct Cursor<'o> {
    out: &'o mut [u8],
    at: usize,
}

impl<'o> Cursor<'o> {
    pub(crate) const fn new(out: &'o mut [u8]) -> Self {
        Self { out, at: 0 }
    }

    /// Octets written so far.
    pub(crate) const fn written(&self) -> usize {
        self.at
    }

    #[inline]
    pub(crate) fn put(&mut self, octets: &[u8]) {
        let end = self.at + octets.len();
        self.out[self.at..end].copy_from_slice(octets);
        self.at = end;
    }

    #[inline]
    pub(crate) fn put_u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    #[inline]
    pub(crate) fn put_u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }
}
