//! Reading a stream of PDUs.

use super::{Attribute, Attributes, HEADER_OCTETS, Header, PayloadDirection, PayloadFormat, PduType, Version};
use crate::{ids::Xid, redact::Redacted, time::UnixTime};
use std::fmt;

/// The longest that a PDU may be. What is over it is refused as soon as its header is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest header with attributes, in octets.
    pub header_length_max: u32,
    /// Longest payload, in octets.
    pub payload_length_max: u32,
}

impl Default for Limits {
    /// 64 KiB of header, 1 MiB of payload: every packet and message there is fits.
    fn default() -> Self {
        Self { header_length_max: 64 << 10, payload_length_max: 1 << 20 }
    }
}

/// Why a PDU was refused. The peer that sent it is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// Where in the PDU, counted from its first octet.
    pub offset: usize,
    /// Which field: its name in the standard.
    pub field: &'static str,
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Octets of the whole PDU, if they can be told: a reader may go on after them. `None`: the stream is lost.
    pub pdu_length: Option<usize>,
}

/// What is wrong with a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Another major version: another format.
    MajorVersion {
        /// The one that was sent.
        major: u8,
    },
    /// The header says that it is shorter than a header is.
    HeaderTooShort {
        /// The length that was sent.
        length: u32,
    },
    /// Longer than the reader accepts.
    OverLimit {
        /// The length that was sent.
        length: u32,
        /// The reader's limit.
        length_max: u32,
    },
    /// An attribute reaches over the end of the header.
    Truncated {
        /// Octets that it says it has.
        needed: usize,
        /// Octets left in the header.
        left: usize,
    },
    /// An attribute of fixed length has another one.
    Length {
        /// The length that was sent.
        length: usize,
        /// The length that the standard sets.
        expected: usize,
    },
    /// A text is not UTF-8.
    NotUtf8 {
        /// Octets of it that are.
        valid_up_to: usize,
    },
    /// A timestamp has a second or more in its nanoseconds.
    Nanoseconds {
        /// The number that was sent.
        nanoseconds: u32,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "X2/X3 PDU from the peer, octet {}, {}: ", self.offset, self.field)?;
        match self.kind {
            DecodeErrorKind::MajorVersion { major } => write!(f, "major version {major} is not supported, only 0 is"),
            DecodeErrorKind::HeaderTooShort { length } => {
                write!(f, "a header of {length} octets is shorter than {HEADER_OCTETS}")
            }
            DecodeErrorKind::OverLimit { length, length_max } => {
                write!(f, "{length} octets are more than the limit of {length_max}")
            }
            DecodeErrorKind::Truncated { needed, left } => {
                write!(f, "{needed} octets are announced and {left} are left in the header")
            }
            DecodeErrorKind::Length { length, expected } => write!(f, "{length} octets instead of {expected}"),
            DecodeErrorKind::NotUtf8 { valid_up_to } => write!(f, "not UTF-8 after {valid_up_to} octets"),
            DecodeErrorKind::Nanoseconds { nanoseconds } => write!(f, "{nanoseconds} nanoseconds are a second or more"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// One PDU, borrowed from the stream's buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pdu<'a> {
    /// The fixed header.
    pub header: Header,
    attributes: &'a [u8],
    /// The payload.
    pub payload: &'a [u8],
}

impl<'a> Pdu<'a> {
    /// The attributes, in their order.
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.attributes)
    }

    /// The sequence number (the first, if a peer repeats it).
    pub fn sequence_number(&self) -> Option<u32> {
        self.attributes().find_map(|attribute| match attribute {
            Attribute::SequenceNumber(sequence) => Some(sequence),
            _ => None,
        })
    }

    /// The timestamp (the first, if a peer repeats it).
    pub fn timestamp(&self) -> Option<UnixTime> {
        self.attributes().find_map(|attribute| match attribute {
            Attribute::Timestamp(time) => Some(time),
            _ => None,
        })
    }

    /// The matched target identifiers, as XML.
    pub fn matched_targets(&self) -> impl Iterator<Item = &'a str> {
        self.attributes().filter_map(|attribute| match attribute {
            Attribute::MatchedTarget(text) => Some(text),
            _ => None,
        })
    }
}

impl fmt::Debug for Pdu<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pdu")
            .field("header", &self.header)
            .field("attributes", &self.attributes())
            .field("payload", &Redacted(self.payload.len()))
            .finish()
    }
}

/// Reads the PDU at the start of `input`; gives it and its length, or `None` if more octets are needed.
///
/// What the first octets already show to be wrong is refused without waiting for the rest.
pub fn decode<'a>(input: &'a [u8], limits: &Limits) -> Result<Option<(Pdu<'a>, usize)>, DecodeError> {
    let fault = |offset, field, kind| DecodeError { offset, field, kind, pdu_length: None };
    if let Some(&major) = input.first()
        && major != 0
    {
        return Err(fault(0, "version", DecodeErrorKind::MajorVersion { major }));
    }
    let Some(header_length) = u32_at(input, 4) else { return Ok(None) };
    if (header_length as usize) < HEADER_OCTETS {
        return Err(fault(4, "header length", DecodeErrorKind::HeaderTooShort { length: header_length }));
    }
    let over_limit = |length, length_max| DecodeErrorKind::OverLimit { length, length_max };
    if header_length > limits.header_length_max {
        return Err(fault(4, "header length", over_limit(header_length, limits.header_length_max)));
    }
    let Some(payload_length) = u32_at(input, 8) else { return Ok(None) };
    if payload_length > limits.payload_length_max {
        return Err(fault(8, "payload length", over_limit(payload_length, limits.payload_length_max)));
    }
    let pdu_length = header_length as usize + payload_length as usize;
    let Some(octets) = input.get(..pdu_length) else { return Ok(None) };
    let (head, payload) = octets.split_at(header_length as usize);
    let (fixed, attributes) = head.split_at(HEADER_OCTETS);
    check_attributes(attributes).map_err(|error| DecodeError { pdu_length: Some(pdu_length), ..error })?;
    Ok(Some((Pdu { header: header(fixed), attributes, payload }, pdu_length)))
}

fn check_attributes(attributes: &[u8]) -> Result<(), DecodeError> {
    let mut rest = attributes;
    while !rest.is_empty() {
        let offset = HEADER_OCTETS + attributes.len() - rest.len();
        (_, rest) = Attribute::read(rest, offset)?;
    }
    Ok(())
}

/// Reads the fixed header; `fixed` has [`HEADER_OCTETS`] octets.
fn header(fixed: &[u8]) -> Header {
    let number = |at| u16_at(fixed, at).expect("the fixed header is complete");
    let word = |at| u32_at(fixed, at).expect("the fixed header is complete");
    let mut xid = [0; 16];
    xid.copy_from_slice(&fixed[16..32]);
    Header {
        version: Version { major: fixed[0], minor: fixed[1] },
        pdu_type: PduType::from_number(number(2)),
        header_length: word(4),
        payload_length: word(8),
        payload_format: PayloadFormat::from_number(number(12)),
        payload_direction: PayloadDirection::from_number(number(14)),
        xid: Xid(xid),
        correlation_id: u64::from(word(32)) << 32 | u64::from(word(36)),
    }
}

fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..)?.first_chunk().map(|&chunk| u16::from_be_bytes(chunk))
}

fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|&chunk| u32::from_be_bytes(chunk))
}
