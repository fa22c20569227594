//! The hot paths: content and header reports of one surveillance, of which little differs from packet to packet.
//!
//! As in [`crate::pspdu::Template`], lengths are computed first, what stands before the packet is put together by stores of a fixed
//! width, and parts that do not change were written by the cold encoder.

use super::{AllocationMethod, CMII, CaseId, ContentIdentifier, CorrelationInfo, IapSystemId, PacketDirection};
use crate::{
    EncodeError,
    ber::{Tag, Writer, tlv_octets, unsigned_octets},
    pspdu::{
        PACKET_OCTETS_MAX,
        scratch::{Padded, Scratch},
        time::generalized_time,
    },
    redact::Redacted,
    time::UnixTime,
    us::fields::{Value, Version},
};
use core::net::IpAddr;
use std::fmt;

const VERSION: Version = 0;
/// Room before a packet: under 280 octets at the longest identifiers, and slack for the last store.
const CONTENT_ROOM: usize = 512;
/// Room for a header report: under 420 octets at the longest identifiers, and slack for the last store.
const REPORT_ROOM: usize = 640;
/// An element of one octet.
const ONE_OCTET: usize = 3;

/// A time stamp as text, or why it has none.
#[inline]
fn time_text(time: UnixTime, field: &'static str) -> Result<([u8; 22], usize), EncodeError> {
    generalized_time(time).ok_or(EncodeError::ValueOutOfRange { field })
}

/// Elements that do not change, written by the cold encoder.
fn fixed<const N: usize>(
    field: &'static str,
    write: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
) -> Result<Padded<N>, EncodeError> {
    let mut octets = Vec::new();
    write(&mut Writer::new(&mut octets))?;
    if octets.len() > N {
        return Err(EncodeError::FieldTooLong { field, length: octets.len(), length_max: N });
    }
    Ok(Padded::new(&octets))
}

/// What differs between PDUs of content, besides the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentStamp {
    /// When the packet was seen; microseconds go on the wire.
    pub time: UnixTime,
    /// Which way it went.
    pub direction: PacketDirection,
    /// `sequenceNumber`.
    pub sequence: u32,
}

/// IAS-CC-APDUs of one surveillance, with time stamp, direction and sequence number.
#[derive(Clone)]
pub struct ContentTemplate {
    /// `correlationInfo` with its tag.
    correlation: Padded<224>,
}

impl ContentTemplate {
    /// Lays a template out. Fails if an identifier is none that can be written, or if all together are longer than 224 octets.
    pub fn new(correlation: &CorrelationInfo<'_>) -> Result<Self, EncodeError> {
        const FIELD: &str = "correlationInfo";
        let write = |writer: &mut Writer<'_>| correlation.write(writer, Tag::context(0), FIELD, VERSION);
        Ok(Self { correlation: fixed(FIELD, write)? })
    }

    /// Writes the PDU of a packet to the start of `out` and says how long it is. Does not allocate. On an error nothing was written.
    #[inline]
    pub fn encode(&self, out: &mut [u8], stamp: &ContentStamp, packet: &[u8]) -> Result<usize, EncodeError> {
        if packet.len() > PACKET_OCTETS_MAX {
            let (length, length_max) = (packet.len(), PACKET_OCTETS_MAX);
            return Err(EncodeError::FieldTooLong { field: "payload", length, length_max });
        }
        let direction = match stamp.direction.number() {
            number @ 0..=0x7f => number as u8,
            _ => return Err(EncodeError::ValueOutOfRange { field: "packetDirection" }),
        };
        let (time, time_octets) = time_text(stamp.time, "timeStamp")?;
        let sequence_octets = unsigned_octets(u64::from(stamp.sequence));
        let header = self.correlation.len() + tlv_octets(time_octets) + ONE_OCTET + tlv_octets(sequence_octets);
        let contents = tlv_octets(header) + tlv_octets(packet.len());
        let needed = tlv_octets(contents);
        let pdu = out.get_mut(..needed).ok_or(EncodeError::NoRoom { needed })?;
        let mut out = Scratch::<CONTENT_ROOM>::new();
        out.put_tag_length(0x30, contents);
        out.put_tag_length(0xa0, header);
        out.put_padded(&self.correlation);
        out.put([0x81, time_octets as u8]);
        out.store(time, time_octets);
        out.put([0x82, 1, direction, 0x83, sequence_octets as u8]);
        out.put_unsigned(u64::from(stamp.sequence));
        out.put_tag_length(0x81, packet.len());
        let (before, rest) = pdu.split_at_mut(needed - packet.len());
        before.copy_from_slice(out.octets());
        rest.copy_from_slice(packet);
        Ok(needed)
    }
}

impl fmt::Debug for ContentTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContentTemplate").field(&Redacted(self.correlation.len())).finish()
    }
}

/// How an address was given out: [`AllocationMethod`] where nothing else can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Allocation {
    /// For good.
    Static = 0,
    /// For a time.
    Dynamic = 1,
    /// Not known.
    Unknown = 2,
    /// Does not matter: the other party's, for one.
    NotApplicable = 3,
}

impl From<Allocation> for AllocationMethod<'static> {
    fn from(allocation: Allocation) -> Self {
        match allocation {
            Allocation::Static => Self::Static,
            Allocation::Dynamic => Self::Dynamic,
            Allocation::Unknown => Self::Unknown,
            Allocation::NotApplicable => Self::NotApplicable,
        }
    }
}

/// What differs between header reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeaderStamp {
    /// When the packet was seen; microseconds go on the wire.
    pub time: UnixTime,
    /// `streamID`, as its form `integer`: which flow.
    pub stream_id: u32,
    /// Where the packet came from.
    pub source: (IpAddr, Allocation),
    /// Where it went to.
    pub destination: (IpAddr, Allocation),
    /// Source and destination port: only where the order allows ports and the packet has them.
    pub ports: Option<(u16, u16)>,
}

impl fmt::Debug for HeaderStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderStamp").field("time", &self.time).finish_non_exhaustive()
    }
}

/// Header reports of one surveillance.
#[derive(Clone)]
pub struct HeaderReportTemplate {
    /// `protocolIdentifier` with its tag.
    protocol: Padded<16>,
    /// `caseId` and `iAPSystemId` with their tags.
    identifiers: Padded<96>,
    /// `contentIdentifier` with its tag.
    content_identifier: Padded<128>,
}

/// Contents octets of an `IPAddress` without its optional fields.
const fn assignment_octets(address: IpAddr) -> usize {
    let address = if address.is_ipv4() { 4 } else { 16 };
    tlv_octets(tlv_octets(address)) + tlv_octets(tlv_octets(0))
}

#[inline]
fn put_assignment<const ROOM: usize>(out: &mut Scratch<ROOM>, tag: u8, (address, allocation): (IpAddr, Allocation)) {
    out.put_tag_length(tag, assignment_octets(address));
    match address {
        IpAddr::V4(address) => {
            out.put([0xa0, 6, 0x81, 4]);
            out.put(address.octets());
        }
        IpAddr::V6(address) => {
            out.put([0xa0, 18, 0x82, 16]);
            out.put(address.octets());
        }
    }
    out.put([0xa1, 2, 0x80 | allocation as u8, 0]);
}

/// Decimal digits of a port: the first octets count, as many as the number says.
#[inline]
const fn port_text(port: u16) -> ([u8; 5], usize) {
    let digits = match port {
        0..10 => 1,
        10..100 => 2,
        100..1_000 => 3,
        1_000..10_000 => 4,
        _ => 5,
    };
    let mut text = [0; 5];
    let mut rest = port;
    let mut at = digits;
    while at > 0 {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    (text, digits)
}

impl HeaderReportTemplate {
    /// Lays a template out. Fails if an identifier is none that can be written, or if the content identifier takes more than 128 octets.
    pub fn new(
        case_id: &CaseId<'_>,
        iap_system_id: &IapSystemId<'_>,
        content_identifier: &ContentIdentifier<'_>,
    ) -> Result<Self, EncodeError> {
        const CONTENT_IDENTIFIER: &str = "contentIdentifier";
        Ok(Self {
            protocol: fixed("protocolIdentifier", |writer| {
                CMII.write(writer, Tag::context(0), "protocolIdentifier", VERSION)
            })?,
            identifiers: fixed("caseId and iAPSystemId", |writer| {
                case_id.write(writer, Tag::context(0), "caseId", VERSION)?;
                iap_system_id.write(writer, Tag::context(1), "iAPSystemId", VERSION)
            })?,
            content_identifier: fixed(CONTENT_IDENTIFIER, |writer| {
                content_identifier.write(writer, Tag::context(3), CONTENT_IDENTIFIER, VERSION)
            })?,
        })
    }

    /// Writes a header report to the start of `out` and says how long it is. Does not allocate. On an error nothing was written.
    #[inline]
    pub fn encode(&self, out: &mut [u8], stamp: &HeaderStamp) -> Result<usize, EncodeError> {
        let (time, time_octets) = time_text(stamp.time, "timestamp")?;
        let stream_octets = unsigned_octets(u64::from(stamp.stream_id));
        let ports = stamp.ports.map(|(source, destination)| (port_text(source), port_text(destination)));
        let ports_octets = ports.map_or(0, |((_, source), (_, destination))| 2 + source + 2 + destination);
        let header_set = tlv_octets(tlv_octets(stream_octets))
            + tlv_octets(assignment_octets(stamp.source.0))
            + tlv_octets(assignment_octets(stamp.destination.0))
            + ports_octets;
        let report =
            self.identifiers.len() + tlv_octets(time_octets) + self.content_identifier.len() + tlv_octets(header_set);
        let contents = self.protocol.len() + tlv_octets(tlv_octets(report));
        let needed = tlv_octets(contents);
        let pdu = out.get_mut(..needed).ok_or(EncodeError::NoRoom { needed })?;
        let mut out = Scratch::<REPORT_ROOM>::new();
        out.put_tag_length(0x30, contents);
        out.put_padded(&self.protocol);
        out.put_tag_length(0xa1, tlv_octets(report));
        out.put_tag_length(0xaa, report);
        out.put_padded(&self.identifiers);
        out.put([0x82, time_octets as u8]);
        out.store(time, time_octets);
        out.put_padded(&self.content_identifier);
        out.put_tag_length(0xa4, header_set);
        out.put([0xa0, tlv_octets(stream_octets) as u8, 0x82, stream_octets as u8]);
        out.put_unsigned(u64::from(stamp.stream_id));
        put_assignment(&mut out, 0xa1, stamp.source);
        put_assignment(&mut out, 0xa2, stamp.destination);
        if let Some(((source, source_octets), (destination, destination_octets))) = ports {
            out.put([0x83, source_octets as u8]);
            out.store(source, source_octets);
            out.put([0x84, destination_octets as u8]);
            out.store(destination, destination_octets);
        }
        pdu.copy_from_slice(out.octets());
        Ok(needed)
    }
}

impl fmt::Debug for HeaderReportTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HeaderReportTemplate").field(&Redacted(self.identifiers.len())).finish()
    }
}
