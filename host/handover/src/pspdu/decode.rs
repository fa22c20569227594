//! Reading a stream of PS-PDUs: framing, errors, warnings.

use super::PsPdu;
use crate::ber;
use std::fmt;

/// The longest that a PDU may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest PDU, in octets.
    pub pdu_length_max: usize,
}

impl Default for Limits {
    /// 256 KiB: four times the longest IP packet.
    fn default() -> Self {
        Self { pdu_length_max: 256 << 10 }
    }
}

/// Why a PDU was refused. The peer that sent it is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// Where, counted from the first octet given.
    pub offset: usize,
    /// Which field or type: its name in the standard.
    pub field: &'static str,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

/// What is wrong with a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// No BER, or not the type that the field has.
    Ber(ber::ErrorKind),
    /// A field that has to be there is not.
    Missing,
    /// A field stands twice.
    Repeated,
    /// Another tag than the type has.
    Tag(ber::Tag),
    /// A value that the type does not allow.
    Value,
    /// Longer than the reader accepts.
    OverLimit {
        /// Octets, as far as they are known.
        length: usize,
        /// The reader's limit.
        length_max: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PDU from the peer, octet {}, {}: ", self.offset, self.field)?;
        match self.kind {
            DecodeErrorKind::Ber(kind) => write!(f, "{kind}"),
            DecodeErrorKind::Missing => write!(f, "missing"),
            DecodeErrorKind::Repeated => write!(f, "a field stands twice"),
            DecodeErrorKind::Tag(tag) => write!(f, "unexpected tag {tag}"),
            DecodeErrorKind::Value => write!(f, "the value is not allowed"),
            DecodeErrorKind::OverLimit { length, length_max } => {
                write!(f, "{length} octets or more are over the limit of {length_max}")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// Names the field that something is wrong with.
pub(crate) trait InField<T> {
    /// In this field.
    fn in_field(self, field: &'static str) -> Result<T, DecodeError>;
}

impl<T> InField<T> for Result<T, ber::Error> {
    fn in_field(self, field: &'static str) -> Result<T, DecodeError> {
        self.map_err(|error| DecodeError { offset: error.offset, field, kind: DecodeErrorKind::Ber(error.kind) })
    }
}

/// Something that a peer does wrong and that can be understood all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// Where, counted from the first octet given.
    pub offset: usize,
    /// What.
    pub kind: WarningKind,
}

/// What a peer does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// `li-psDomainId` has a stray zero at its end: `{0 4 0 2 2 5 1 N 0}`. Facilities have refused such PDUs.
    DomainIdStrayZero,
    /// `li-psDomainId` is not of TS 102 232-1.
    DomainIdForeign,
    /// A field is missing that its type demands.
    MissingField(&'static str),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PS-PDU from the peer, octet {}: ", self.offset)?;
        match self.kind {
            WarningKind::DomainIdStrayZero => write!(f, "li-psDomainId ends with a stray zero"),
            WarningKind::DomainIdForeign => write!(f, "li-psDomainId is not of TS 102 232-1"),
            WarningKind::MissingField(field) => write!(f, "{field} is missing"),
        }
    }
}

/// A PDU that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The PDU.
    pub pdu: PsPdu<'a>,
    /// Its length: the next PDU starts there.
    pub length: usize,
    /// What the peer does wrong.
    pub warnings: Vec<Warning>,
}

const PS_PDU: &str = "PS-PDU";

/// Where the PDU at the start of `input` ends, or `None` if more octets are needed.
///
/// What the first octets already show to be wrong is refused without waiting for the rest.
pub fn frame(input: &[u8], limits: &Limits) -> Result<Option<usize>, DecodeError> {
    frame_of(input, limits, PS_PDU)
}

/// [`frame`] for a SEQUENCE of another name.
pub(crate) fn frame_of(input: &[u8], limits: &Limits, name: &'static str) -> Result<Option<usize>, DecodeError> {
    let fault = |offset, kind| DecodeError { offset, field: name, kind };
    let length_max = limits.pdu_length_max;
    let over_limit = |length| fault(0, DecodeErrorKind::OverLimit { length, length_max });
    let extent = ber::extent(input).in_field(name)?;
    if let Some(tag) = extent.tag
        && tag != ber::Tag::SEQUENCE
    {
        return Err(fault(0, DecodeErrorKind::Tag(tag)));
    }
    match extent.length {
        Some(length) if length > length_max => Err(over_limit(length)),
        Some(length) => Ok((length <= input.len()).then_some(length)),
        None if input.len() > length_max => Err(over_limit(input.len())),
        None => Ok(None),
    }
}

/// Reads the PDU at the start of `input`, or gives `None` if more octets are needed.
///
/// After an error, [`frame`] tells whether the PDU's end is known and the stream can go on after it.
pub fn decode<'a>(input: &'a [u8], limits: &Limits) -> Result<Option<Decoded<'a>>, DecodeError> {
    let Some(length) = frame(input, limits)? else { return Ok(None) };
    let mut reader = ber::Reader::new(&input[..length]);
    let element = reader.require().in_field(PS_PDU)?;
    let mut warnings = Vec::new();
    let pdu = PsPdu::read(&element, &mut warnings)?;
    Ok(Some(Decoded { pdu, length, warnings }))
}
