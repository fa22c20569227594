//! Conditional attributes (table 5.3.1-2).

use super::decode::{DecodeError, DecodeErrorKind};
use crate::{EncodeError, cursor::Cursor, redact::Redacted, time::UnixTime};
use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

/// Octets of type and length before an attribute's value.
pub(crate) const ATTRIBUTE_HEADER_OCTETS: usize = 4;

/// One conditional attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Attribute<'a> {
    /// 1: defined by TS 102 232-1.
    Ts102232(&'a [u8]),
    /// 2: defined by TS 33.128.
    Ts33128(&'a [u8]),
    /// 3: defined by TS 33.108.
    Ts33108(&'a [u8]),
    /// 4: agreed between the two ends.
    Proprietary(&'a [u8]),
    /// 5: DID, the domain.
    DomainId(&'a [u8]),
    /// 6: NFID, the network function that intercepts.
    NetworkFunctionId(&'a [u8]),
    /// 7: IPID, the point of interception in it.
    PointOfInterceptionId(&'a [u8]),
    /// 8: number of the PDU in its context.
    SequenceNumber(u32),
    /// 9: when the payload was seen.
    Timestamp(UnixTime),
    /// 10.
    SourceIpv4(Ipv4Addr),
    /// 11.
    DestinationIpv4(Ipv4Addr),
    /// 12.
    SourceIpv6(Ipv6Addr),
    /// 13.
    DestinationIpv6(Ipv6Addr),
    /// 14.
    SourcePort(u16),
    /// 15.
    DestinationPort(u16),
    /// 16: number of the IP protocol.
    IpProtocol(u8),
    /// 17: the identifier of the target that matched, as XML: see [`super::target`]. Repeatable.
    MatchedTarget(&'a str),
    /// 18: another identifier of the same target, as XML. Repeatable.
    OtherTarget(&'a str),
    /// 19: MIME content type.
    MimeContentType(&'a str),
    /// 20: MIME content transfer encoding.
    MimeTransferEncoding(&'a str),
    /// 21: AXRI, additional information that belongs to the XID.
    AdditionalXidInformation(&'a [u8]),
    /// 22: SDP session description.
    SessionDescription(&'a str),
    /// Any other number.
    Other {
        /// The attribute's number.
        number: u16,
        /// Its value.
        value: &'a [u8],
    },
}

impl<'a> Attribute<'a> {
    /// The attribute's number on the wire.
    pub const fn number(&self) -> u16 {
        match self {
            Self::Ts102232(_) => 1,
            Self::Ts33128(_) => 2,
            Self::Ts33108(_) => 3,
            Self::Proprietary(_) => 4,
            Self::DomainId(_) => 5,
            Self::NetworkFunctionId(_) => 6,
            Self::PointOfInterceptionId(_) => 7,
            Self::SequenceNumber(_) => 8,
            Self::Timestamp(_) => 9,
            Self::SourceIpv4(_) => 10,
            Self::DestinationIpv4(_) => 11,
            Self::SourceIpv6(_) => 12,
            Self::DestinationIpv6(_) => 13,
            Self::SourcePort(_) => 14,
            Self::DestinationPort(_) => 15,
            Self::IpProtocol(_) => 16,
            Self::MatchedTarget(_) => 17,
            Self::OtherTarget(_) => 18,
            Self::MimeContentType(_) => 19,
            Self::MimeTransferEncoding(_) => 20,
            Self::AdditionalXidInformation(_) => 21,
            Self::SessionDescription(_) => 22,
            Self::Other { number, .. } => *number,
        }
    }

    /// The attribute's name in errors: the standard's.
    const fn name_of(number: u16) -> &'static str {
        match number {
            1 => "TS 102 232-1 defined attribute",
            2 => "TS 33.128 defined attribute",
            3 => "TS 33.108 defined attribute",
            4 => "proprietary attribute",
            5 => "DID",
            6 => "NFID",
            7 => "IPID",
            8 => "sequence number",
            9 => "timestamp",
            10 => "source IPv4 address",
            11 => "destination IPv4 address",
            12 => "source IPv6 address",
            13 => "destination IPv6 address",
            14 => "source port",
            15 => "destination port",
            16 => "IP protocol",
            17 => "matched target identifier",
            18 => "other target identifier",
            19 => "MIME content type",
            20 => "MIME content transfer encoding",
            21 => "AXRI",
            22 => "SDP session description",
            _ => "attribute of an unknown type",
        }
    }

    /// Octets of the value.
    fn value_length(&self) -> usize {
        match self {
            Self::Ts102232(value)
            | Self::Ts33128(value)
            | Self::Ts33108(value)
            | Self::Proprietary(value)
            | Self::DomainId(value)
            | Self::NetworkFunctionId(value)
            | Self::PointOfInterceptionId(value)
            | Self::AdditionalXidInformation(value)
            | Self::Other { value, .. } => value.len(),
            Self::MatchedTarget(text)
            | Self::OtherTarget(text)
            | Self::MimeContentType(text)
            | Self::MimeTransferEncoding(text)
            | Self::SessionDescription(text) => text.len(),
            Self::IpProtocol(_) => 1,
            Self::SourcePort(_) | Self::DestinationPort(_) => 2,
            Self::SequenceNumber(_) | Self::SourceIpv4(_) | Self::DestinationIpv4(_) => 4,
            Self::Timestamp(_) => 8,
            Self::SourceIpv6(_) | Self::DestinationIpv6(_) => 16,
        }
    }

    /// Octets of the whole attribute, or why it cannot be written.
    pub(crate) fn checked_length(&self) -> Result<usize, EncodeError> {
        let length = self.value_length();
        let field = Self::name_of(self.number());
        if length > usize::from(u16::MAX) {
            return Err(EncodeError::FieldTooLong { field, length, length_max: usize::from(u16::MAX) });
        }
        match self {
            Self::Timestamp(time) if u32::try_from(time.seconds()).is_err() => {
                Err(EncodeError::ValueOutOfRange { field })
            }
            // A known number under `Other` would be read back as something else.
            Self::Other { number: 1..=22, .. } => Err(EncodeError::ValueOutOfRange { field }),
            _ => Ok(ATTRIBUTE_HEADER_OCTETS + length),
        }
    }

    /// Writes the attribute. `checked_length` has been asked and there is room.
    pub(crate) fn write(&self, out: &mut Cursor<'_>) {
        out.put_u16(self.number());
        out.put_u16(self.value_length() as u16);
        match self {
            Self::Ts102232(value)
            | Self::Ts33128(value)
            | Self::Ts33108(value)
            | Self::Proprietary(value)
            | Self::DomainId(value)
            | Self::NetworkFunctionId(value)
            | Self::PointOfInterceptionId(value)
            | Self::AdditionalXidInformation(value)
            | Self::Other { value, .. } => out.put(value),
            Self::MatchedTarget(text)
            | Self::OtherTarget(text)
            | Self::MimeContentType(text)
            | Self::MimeTransferEncoding(text)
            | Self::SessionDescription(text) => out.put(text.as_bytes()),
            Self::IpProtocol(protocol) => out.put(&[*protocol]),
            Self::SourcePort(port) | Self::DestinationPort(port) => out.put_u16(*port),
            Self::SequenceNumber(sequence) => out.put_u32(*sequence),
            Self::SourceIpv4(address) | Self::DestinationIpv4(address) => out.put(&address.octets()),
            Self::SourceIpv6(address) | Self::DestinationIpv6(address) => out.put(&address.octets()),
            Self::Timestamp(time) => {
                out.put_u32(time.seconds() as u32);
                out.put_u32(time.nanoseconds());
            }
        }
    }

    /// Reads the first attribute of `octets`, which start at `offset` of the PDU; gives the octets after it.
    pub(crate) fn read(octets: &'a [u8], offset: usize) -> Result<(Self, &'a [u8]), DecodeError> {
        let error = |field, kind| DecodeError { offset, field, kind, pdu_length: None };
        let Some((&[n1, n0, l1, l0], rest)) = octets.split_first_chunk::<ATTRIBUTE_HEADER_OCTETS>() else {
            return Err(error(
                "attribute",
                DecodeErrorKind::Truncated { needed: ATTRIBUTE_HEADER_OCTETS, left: octets.len() },
            ));
        };
        let number = u16::from_be_bytes([n1, n0]);
        let length = usize::from(u16::from_be_bytes([l1, l0]));
        let field = Self::name_of(number);
        let truncated = error(field, DecodeErrorKind::Truncated { needed: length, left: rest.len() });
        let (value, rest) = rest.split_at_checked(length).ok_or(truncated)?;
        let attribute = Self::from_value(number, value).map_err(|kind| error(field, kind))?;
        Ok((attribute, rest))
    }

    fn from_value(number: u16, value: &'a [u8]) -> Result<Self, DecodeErrorKind> {
        Ok(match number {
            1 => Self::Ts102232(value),
            2 => Self::Ts33128(value),
            3 => Self::Ts33108(value),
            4 => Self::Proprietary(value),
            5 => Self::DomainId(value),
            6 => Self::NetworkFunctionId(value),
            7 => Self::PointOfInterceptionId(value),
            8 => Self::SequenceNumber(u32::from_be_bytes(exactly(value)?)),
            9 => Self::Timestamp(timestamp(exactly(value)?)?),
            10 => Self::SourceIpv4(exactly::<4>(value)?.into()),
            11 => Self::DestinationIpv4(exactly::<4>(value)?.into()),
            12 => Self::SourceIpv6(exactly::<16>(value)?.into()),
            13 => Self::DestinationIpv6(exactly::<16>(value)?.into()),
            14 => Self::SourcePort(u16::from_be_bytes(exactly(value)?)),
            15 => Self::DestinationPort(u16::from_be_bytes(exactly(value)?)),
            16 => Self::IpProtocol(exactly::<1>(value)?[0]),
            17 => Self::MatchedTarget(text(value)?),
            18 => Self::OtherTarget(text(value)?),
            19 => Self::MimeContentType(text(value)?),
            20 => Self::MimeTransferEncoding(text(value)?),
            21 => Self::AdditionalXidInformation(value),
            22 => Self::SessionDescription(text(value)?),
            _ => Self::Other { number, value },
        })
    }
}

fn exactly<const N: usize>(value: &[u8]) -> Result<[u8; N], DecodeErrorKind> {
    value.try_into().map_err(|_| DecodeErrorKind::Length { length: value.len(), expected: N })
}

fn text(value: &[u8]) -> Result<&str, DecodeErrorKind> {
    std::str::from_utf8(value).map_err(|error| DecodeErrorKind::NotUtf8 { valid_up_to: error.valid_up_to() })
}

fn timestamp(value: [u8; 8]) -> Result<UnixTime, DecodeErrorKind> {
    let [s3, s2, s1, s0, n3, n2, n1, n0] = value;
    let nanoseconds = u32::from_be_bytes([n3, n2, n1, n0]);
    UnixTime::new(u64::from(u32::from_be_bytes([s3, s2, s1, s0])), nanoseconds)
        .ok_or(DecodeErrorKind::Nanoseconds { nanoseconds })
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_tuple(Self::name_of(self.number()));
        match self {
            Self::SequenceNumber(sequence) => shown.field(sequence),
            Self::Timestamp(time) => shown.field(time),
            Self::IpProtocol(protocol) => shown.field(protocol),
            Self::NetworkFunctionId(value) | Self::PointOfInterceptionId(value) => {
                shown.field(&String::from_utf8_lossy(value))
            }
            Self::Other { number, value } => shown.field(number).field(&Redacted(value.len())),
            // Addresses, ports and identifiers point to the target; the rest may be content.
            _ => shown.field(&Redacted(self.value_length())),
        };
        shown.finish()
    }
}

/// The attributes of a PDU that was read, in their order.
#[derive(Clone)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        // The PDU was checked as a whole when it was read: what is no attribute here is the end.
        let (attribute, rest) = Attribute::read(self.rest, 0).ok()?;
        self.rest = rest;
        Some(attribute)
    }
}

impl fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
