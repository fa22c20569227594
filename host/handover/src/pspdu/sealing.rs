//! Putting the payload of a PS-PDU into an encryption container (TS 102 232-1 clause 7.3), see [`super::EncryptionContainer`]. The cipher is the caller's.

use super::{
    EncryptedPayloadType, EncryptionType,
    decode::{DecodeError, InField},
};
use crate::ber::{Reader, Tag, Writer, tlv_octets, unsigned_octets};

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
