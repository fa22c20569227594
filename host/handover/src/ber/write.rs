//! Writing: definite lengths of the shortest form.

use super::Tag;

/// Octets of the length field for contents of this length.
#[inline]
pub const fn length_octets(length: usize) -> usize {
    if length < 0x80 { 1 } else { 1 + significant_octets(length as u64) }
}

const fn significant_octets(value: u64) -> usize {
    (71 - (value | 1).leading_zeros() as usize) / 8
}

/// Octets of the identifier field of this tag.
pub const fn tag_octets(tag: Tag) -> usize {
    if tag.number < 31 { 1 } else { 1 + (38 - tag.number.leading_zeros() as usize) / 7 }
}

/// Octets of an element whose tag number is below 31 and whose contents have this length.
#[inline]
pub const fn tlv_octets(length: usize) -> usize {
    1 + length_octets(length) + length
}

/// Contents octets of a non-negative INTEGER.
#[inline]
pub const fn unsigned_octets(value: u64) -> usize {
    // A leading one bit would make it negative: one bit more than the value has.
    (64 - value.leading_zeros() as usize) / 8 + 1
}

/// Contents octets of an INTEGER.
pub const fn signed_octets(value: i64) -> usize {
    let magnitude = if value < 0 { !value } else { value };
    unsigned_octets(magnitude as u64)
}

/// Writes a length field to the start of `out`, which has room for it, and says how long it is.
#[inline]
pub fn put_length(out: &mut [u8], length: usize) -> usize {
    let octets = length_octets(length);
    if octets == 1 {
        out[0] = length as u8;
    } else {
        out[0] = 0x80 | (octets - 1) as u8;
        out[1..octets].copy_from_slice(&length.to_be_bytes()[size_of::<usize>() + 1 - octets..]);
    }
    octets
}

/// Writes the contents octets of a non-negative INTEGER to the start of `out`, which has room for them, and says how many they are.
#[inline]
pub fn put_unsigned(out: &mut [u8], value: u64) -> usize {
    let octets = unsigned_octets(value);
    let wide = u128::from(value).to_be_bytes();
    out[..octets].copy_from_slice(&wide[16 - octets..]);
    octets
}

/// Writes elements at the end of a vector.
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    /// Writes at the end of `out`.
    pub const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Octets in the vector.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    fn identifier(&mut self, tag: Tag, constructed: bool) {
        let first = (tag.class as u8) << 6 | u8::from(constructed) << 5;
        if tag.number < 31 {
            self.out.push(first | tag.number as u8);
            return;
        }
        self.out.push(first | 0x1f);
        for group in (0..tag_octets(tag) - 1).rev() {
            let more = if group > 0 { 0x80 } else { 0 };
            self.out.push(more | (tag.number >> (7 * group)) as u8 & 0x7f);
        }
    }

    /// A primitive element.
    pub fn primitive(&mut self, tag: Tag, contents: &[u8]) {
        self.identifier(tag, false);
        self.length_at_end(contents.len());
        self.out.extend_from_slice(contents);
    }

    fn length_at_end(&mut self, length: usize) {
        let mut field = [0; 9];
        let octets = put_length(&mut field, length);
        self.out.extend_from_slice(&field[..octets]);
    }

    /// A constructed element with what `contents` writes.
    pub fn constructed<E>(
        &mut self,
        tag: Tag,
        contents: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.identifier(tag, true);
        let start = self.out.len();
        contents(&mut Writer { out: self.out })?;
        let length = self.out.len() - start;
        let mut field = [0; 9];
        let octets = put_length(&mut field, length);
        // The length is known only now: the contents move up to make room for it.
        self.out.splice(start..start, field[..octets].iter().copied());
        Ok(())
    }

    /// An INTEGER that is not negative.
    pub fn unsigned(&mut self, tag: Tag, value: u64) {
        let mut contents = [0; 9];
        let octets = put_unsigned(&mut contents, value);
        self.primitive(tag, &contents[..octets]);
    }

    /// An INTEGER or ENUMERATED.
    pub fn signed(&mut self, tag: Tag, value: i64) {
        self.primitive(tag, &value.to_be_bytes()[8 - signed_octets(value)..]);
    }

    /// A BOOLEAN.
    pub fn boolean(&mut self, tag: Tag, value: bool) {
        self.primitive(tag, &[if value { 0xff } else { 0 }]);
    }

    /// A NULL.
    pub fn null(&mut self, tag: Tag) {
        self.primitive(tag, &[]);
    }

    /// An element as it is.
    pub fn raw(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
    }
}
