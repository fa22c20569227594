//! Encrypted payloads (TS 102 232-1 clause 7.3): the container, what is in it once decrypted, and how a payload gets into one. No cipher here.

use super::{
    EncryptedPayloadType, EncryptionType, Octets, Payload, RawElement, Warning,
    decode::{DecodeError, DecodeErrorKind, InField},
    sequence::{FieldWriter, Fields, octets},
};
use crate::{
    EncodeError,
    ber::{Element, Reader, Tag, Writer, tlv_octets, unsigned_octets},
};

/// EncryptionContainer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptionContainer<'a> {
    /// `encryptionType [0]`.
    pub encryption_type: EncryptionType,
    /// `encryptedPayload [1]`: ciphertext of an [`EncryptedPayload`].
    pub encrypted_payload: Octets<'a>,
    /// `encryptedPayloadType [2]`.
    pub payload_type: Option<EncryptedPayloadType>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

impl<'a> EncryptionContainer<'a> {
    pub(super) fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "encryptionContainer")?;
        let (mut encryption_type, mut encrypted_payload, mut payload_type) = (None, None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => encryption_type = Some(EncryptionType::read(&field, "encryptionType")?),
                Some(1) => encrypted_payload = Some(octets(&field, "encryptedPayload")?),
                Some(2) => payload_type = Some(EncryptedPayloadType::read(&field, "encryptedPayloadType")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            encryption_type: fields.require(encryption_type, "encryptionType")?,
            encrypted_payload: fields.require(encrypted_payload, "encryptedPayload")?,
            payload_type,
            others,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.enumerated(0, self.encryption_type.number());
        fields.octets(1, &self.encrypted_payload);
        if let Some(payload_type) = self.payload_type {
            fields.enumerated(2, payload_type.number());
        }
        fields.finish()
    }
}

/// EncryptedPayload: what a container holds once decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptedPayload<'a> {
    /// `byteCounter [0]`: octets sent before this PDU, started at the time in seconds times 2^32.
    pub byte_counter: u64,
    /// `payload [1]`.
    pub payload: Payload<'a>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// What decrypted octets hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecryptedPayload<'a> {
    /// The payload.
    pub payload: EncryptedPayload<'a>,
    /// Octets after it.
    pub padding: Octets<'a>,
    /// What the peer does wrong.
    pub warnings: Vec<Warning>,
}

impl<'a> EncryptedPayload<'a> {
    /// Reads decrypted octets. What stands after the element is the cipher's padding and left to the caller: see
    /// [`DecryptedPayload::padding`].
    pub fn decode(plaintext: &'a [u8]) -> Result<DecryptedPayload<'a>, DecodeError> {
        const NAME: &str = "EncryptedPayload";
        let mut reader = Reader::new(plaintext);
        let element = reader.require().in_field(NAME)?;
        if element.tag() != Tag::SEQUENCE {
            return Err(DecodeError {
                offset: element.offset(),
                field: NAME,
                kind: DecodeErrorKind::Tag(element.tag()),
            });
        }
        let padding = Octets::borrowed(plaintext.get(reader.offset()..).unwrap_or_default());
        let mut warnings = Vec::new();
        let mut fields = Fields::of(&element, NAME)?;
        let (mut byte_counter, mut payload) = (None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => byte_counter = Some(field.unsigned().in_field("byteCounter")?),
                Some(1) => payload = Some(Payload::read(&field.only_child().in_field("payload")?, &mut warnings)?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        let payload = Self {
            byte_counter: fields.require(byte_counter, "byteCounter")?,
            payload: fields.require(payload, "payload")?,
            others,
        };
        Ok(DecryptedPayload { payload, padding, warnings })
    }
}

/// A PS-PDU whose payload is being encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealing<'a> {
    /// PSHeader with its tag: it stays readable.
    header: &'a [u8],
    /// The payload's alternative, which stands in `payload [2]`.
    payload: &'a [u8],
}

impl<'a> Sealing<'a> {
    /// Takes a PS-PDU apart.
    ///
    /// # Errors
    /// [`DecodeError`] if it is none.
    pub fn of(pdu: &'a [u8]) -> Result<Self, DecodeError> {
        const NAME: &str = "PS-PDU";
        let outer = Reader::new(pdu).require().in_field(NAME)?;
        let mut parts = outer.children().in_field(NAME)?;
        let header = parts.require().in_field("PSHeader")?;
        let payload = parts.require().in_field("payload")?;
        Ok(Self { header: header.raw(), payload: payload.contents() })
    }

    /// Octets of the plaintext before padding.
    pub fn plaintext_octets(&self, byte_counter: u64) -> usize {
        tlv_octets(tlv_octets(unsigned_octets(byte_counter)) + tlv_octets(self.payload.len()))
    }

    /// Puts the plaintext, which is an EncryptedPayload, at the end of `out`.
    pub fn plaintext(&self, byte_counter: u64, out: &mut Vec<u8>) {
        let written: Result<(), std::convert::Infallible> = Writer::new(out).constructed(Tag::SEQUENCE, |writer| {
            writer.unsigned(Tag::context(0), byte_counter);
            writer.constructed(Tag::context(1), |writer| {
                writer.raw(self.payload);
                Ok(())
            })
        });
        match written {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// Puts the PDU with the ciphertext in place of its payload at the end of `out`.
    pub fn sealed(&self, encryption: EncryptionType, kind: EncryptedPayloadType, ciphertext: &[u8], out: &mut Vec<u8>) {
        let written: Result<(), std::convert::Infallible> = Writer::new(out).constructed(Tag::SEQUENCE, |writer| {
            writer.raw(self.header);
            writer.constructed(Tag::context(2), |writer| {
                writer.constructed(Tag::context(4), |writer| {
                    writer.signed(Tag::context(0), encryption.number());
                    writer.primitive(Tag::context(1), ciphertext);
                    writer.signed(Tag::context(2), kind.number());
                    Ok(())
                })
            })
        });
        match written {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }
}
