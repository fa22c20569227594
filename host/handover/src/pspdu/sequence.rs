//! SEQUENCEs of context-tagged fields, both ways.

use super::{
    Octets, RawElement,
    decode::{DecodeError, DecodeErrorKind, InField},
};
use crate::{
    EncodeError,
    ber::{Element, Reader, Tag, Writer},
};

/// Reads the fields of a SEQUENCE.
pub(crate) struct Fields<'a> {
    reader: Reader<'a>,
    /// The type's name in the standard.
    type_name: &'static str,
    /// Where the SEQUENCE stands.
    offset: usize,
    /// Context tags seen, those below 64.
    seen: u64,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(element: &Element<'a>, type_name: &'static str) -> Result<Self, DecodeError> {
        let reader = element.children().in_field(type_name)?;
        Ok(Self { reader, type_name, offset: element.offset(), seen: 0 })
    }

    /// The next field and its tag's number, if that is a context tag.
    pub(crate) fn next(&mut self) -> Result<Option<(Option<u32>, Element<'a>)>, DecodeError> {
        let Some(field) = self.reader.next().in_field(self.type_name)? else { return Ok(None) };
        let number = field.tag().context_number();
        if let Some(bit) = number.and_then(|number| 1_u64.checked_shl(number)) {
            if self.seen & bit != 0 {
                return Err(DecodeError {
                    offset: field.offset(),
                    field: self.type_name,
                    kind: DecodeErrorKind::Repeated,
                });
            }
            self.seen |= bit;
        }
        Ok(Some((number, field)))
    }

    /// Whether a field of this number below 64 was read.
    pub(crate) fn has_seen(&self, number: u32) -> bool {
        1_u64.checked_shl(number).is_some_and(|bit| self.seen & bit != 0)
    }

    /// A field that the type demands.
    pub(crate) fn require<T>(&self, value: Option<T>, field: &'static str) -> Result<T, DecodeError> {
        value.ok_or(DecodeError { offset: self.offset, field, kind: DecodeErrorKind::Missing })
    }
}

/// The value of a string field.
pub(crate) fn octets<'a>(element: &Element<'a>, field: &'static str) -> Result<Octets<'a>, DecodeError> {
    element.octet_string().in_field(field).map(Octets::from)
}

/// Fails unless a string has a length that its type allows.
pub(crate) fn check_size(
    octets: &[u8],
    field: &'static str,
    length_min: usize,
    length_max: usize,
) -> Result<(), EncodeError> {
    if octets.len() < length_min {
        return Err(EncodeError::ValueOutOfRange { field });
    }
    if octets.len() > length_max {
        return Err(EncodeError::FieldTooLong { field, length: octets.len(), length_max });
    }
    Ok(())
}

/// Writes the fields of a SEQUENCE in the order of their tags, raw ones in between.
pub(crate) struct FieldWriter<'w, 'o, 'r> {
    writer: &'w mut Writer<'o>,
    others: &'r [RawElement<'r>],
}

impl<'w, 'o, 'r> FieldWriter<'w, 'o, 'r> {
    pub(crate) const fn new(writer: &'w mut Writer<'o>, others: &'r [RawElement<'r>]) -> Self {
        Self { writer, others }
    }

    /// The writer, after those raw fields that come before tag `number`.
    pub(crate) fn before(&mut self, number: u32) -> (&mut Writer<'o>, Tag) {
        let is_before = |other: &RawElement<'_>| other.tag().context_number().is_some_and(|other| other < number);
        while let Some((first, rest)) = self.others.split_first()
            && is_before(first)
        {
            self.writer.raw(first.octets());
            self.others = rest;
        }
        (self.writer, Tag::context(number))
    }

    pub(crate) fn octets(&mut self, number: u32, value: &[u8]) {
        let (writer, tag) = self.before(number);
        writer.primitive(tag, value);
    }

    /// A string whose type limits its length.
    pub(crate) fn sized(
        &mut self,
        number: u32,
        value: &[u8],
        field: &'static str,
        length_min: usize,
        length_max: usize,
    ) -> Result<(), EncodeError> {
        check_size(value, field, length_min, length_max)?;
        self.octets(number, value);
        Ok(())
    }

    /// An optional string whose type limits its length.
    pub(crate) fn optional(
        &mut self,
        number: u32,
        value: Option<&Octets<'_>>,
        field: &'static str,
        length_min: usize,
        length_max: usize,
    ) -> Result<(), EncodeError> {
        value.map_or(Ok(()), |value| self.sized(number, value, field, length_min, length_max))
    }

    pub(crate) fn unsigned(&mut self, number: u32, value: u64) {
        let (writer, tag) = self.before(number);
        writer.unsigned(tag, value);
    }

    pub(crate) fn enumerated(&mut self, number: u32, value: i64) {
        let (writer, tag) = self.before(number);
        writer.signed(tag, value);
    }

    pub(crate) fn constructed(
        &mut self,
        number: u32,
        contents: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let (writer, tag) = self.before(number);
        writer.constructed(tag, contents)
    }

    /// The raw fields that are left.
    pub(crate) fn finish(self) -> Result<(), EncodeError> {
        for other in self.others {
            self.writer.raw(other.octets());
        }
        Ok(())
    }
}
