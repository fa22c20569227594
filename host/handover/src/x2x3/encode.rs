//! Writing any PDU.

use super::{Attribute, HEADER_OCTETS, PayloadDirection, PayloadFormat, PduType, Version};
use crate::{EncodeError, cursor::Cursor, ids::Xid};

/// Octets of a keep-alive and of its acknowledgement.
pub const KEEPALIVE_OCTETS: usize = HEADER_OCTETS + 8;

/// The fixed header without the lengths, which [`encode`] computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Version to write.
    pub version: Version,
    /// What the PDU is.
    pub pdu_type: PduType,
    /// What the payload is.
    pub payload_format: PayloadFormat,
    /// Which way it went.
    pub payload_direction: PayloadDirection,
    /// The task.
    pub xid: Xid,
    /// Groups PDUs of one communication; 0 where nothing is correlated.
    pub correlation_id: u64,
}

impl Head {
    /// Writes the fixed header. There is room.
    pub(crate) fn write(&self, out: &mut Cursor<'_>, header_length: u32, payload_length: u32) {
        out.put(&[self.version.major, self.version.minor]);
        out.put_u16(self.pdu_type.number());
        out.put_u32(header_length);
        out.put_u32(payload_length);
        out.put_u16(self.payload_format.number());
        out.put_u16(self.payload_direction.number());
        out.put(&self.xid.0);
        out.put(&self.correlation_id.to_be_bytes());
    }
}

/// Octets of header, attributes and payload, each checked against what its length field can say.
fn lengths(attributes: &[Attribute<'_>], payload: &[u8]) -> Result<(u32, u32), EncodeError> {
    let mut header_length = HEADER_OCTETS;
    for attribute in attributes {
        header_length += attribute.checked_length()?;
    }
    let fits = |field, length: usize| {
        u32::try_from(length).map_err(|_| EncodeError::FieldTooLong { field, length, length_max: u32::MAX as usize })
    };
    Ok((fits("header", header_length)?, fits("payload", payload.len())?))
}

/// Octets that [`encode`] will write.
pub fn encoded_length(attributes: &[Attribute<'_>], payload: &[u8]) -> Result<usize, EncodeError> {
    let (header_length, payload_length) = lengths(attributes, payload)?;
    Ok(header_length as usize + payload_length as usize)
}

/// Writes one PDU to the start of `out`, attributes in the order given, and says how long it is. On an error nothing was written.
pub fn encode(out: &mut [u8], head: &Head, attributes: &[Attribute<'_>], payload: &[u8]) -> Result<usize, EncodeError> {
    let (header_length, payload_length) = lengths(attributes, payload)?;
    let needed = header_length as usize + payload_length as usize;
    let out = out.get_mut(..needed).ok_or(EncodeError::NoRoom { needed })?;
    let mut cursor = Cursor::new(out);
    head.write(&mut cursor, header_length, payload_length);
    for attribute in attributes {
        attribute.write(&mut cursor);
    }
    cursor.put(payload);
    Ok(cursor.written())
}

/// A keep-alive. Its numbers are counted per connection, apart from those of X2 and X3.
pub fn keepalive(version: Version, sequence: u32) -> [u8; KEEPALIVE_OCTETS] {
    liveness(version, PduType::Keepalive, sequence)
}

/// The answer to the keep-alive with this number.
pub fn keepalive_ack(version: Version, sequence: u32) -> [u8; KEEPALIVE_OCTETS] {
    liveness(version, PduType::KeepaliveAck, sequence)
}

fn liveness(version: Version, pdu_type: PduType, sequence: u32) -> [u8; KEEPALIVE_OCTETS] {
    let mut octets = [0; KEEPALIVE_OCTETS];
    let head = Head {
        version,
        pdu_type,
        payload_format: PayloadFormat::Keepalive,
        payload_direction: PayloadDirection::Reserved,
        xid: Xid::NIL,
        correlation_id: 0,
    };
    let mut cursor = Cursor::new(&mut octets);
    head.write(&mut cursor, KEEPALIVE_OCTETS as u32, 0);
    Attribute::SequenceNumber(sequence).write(&mut cursor);
    octets
}
