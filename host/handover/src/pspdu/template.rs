//! The hot path: PS-PDUs of one LIID and CIN, of which little differs from packet to packet.
//!
//! What stands before the packet is kept as it was written last: the header, in which only numbers change as long as they take as many octets as the last
//! ones, and the heads of the payload's elements, which change with the packet's length only. Where one of them does not fit any more it is put together
//! anew, all lengths computed from the inside out, by stores of a fixed width, of which the next one overwrites what is too much; copies of a length
//! known only at run time would cost several times as much. Then come three copies: header, heads, packet.

use super::{
    Context, IriType, PayloadDirection, RelativeOid,
    scratch::{Padded, Scratch},
};
use crate::{
    EncodeError,
    ber::{put_length, tlv_octets, unsigned_octets},
    redact::Redacted,
    time::UnixTime,
};
use std::fmt;

/// Lowest version of LI-PS-PDU that has IPIRIPacketReport.
pub const LI_PS_VERSION_PACKET_REPORT_MIN: u8 = 40;

/// What differs from packet to packet, besides the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// `sequenceNumber`: within LIID, CIN and kind (IRI or CC).
    pub sequence: u32,
    /// When the packet was seen; microseconds go on the wire.
    pub time: UnixTime,
    /// Which way it went.
    pub direction: PayloadDirection,
}

/// The longest packet that the templates take, in octets: far over any IP packet, so that every length has at most three octets.
pub const PACKET_OCTETS_MAX: usize = 1 << 20;

/// Room for what stands before the packet: under 210 octets at the longest identifiers and lengths, and slack for the last store.
const SCRATCH_OCTETS: usize = 256;

/// Most octets that stand around the packet in a PDU of a template.
pub const OVERHEAD_OCTETS_MAX: usize = 256;

/// Everything of a context's PDUs that does not change from packet to packet, laid out once.
#[derive(Clone)]
pub struct Template {
    /// Fields 0 to 3 of PSHeader.
    head: Padded<128>,
    /// Field 6 of PSHeader, if there is one.
    interception_point: Padded<16>,
    /// `iPCCObjId` with its tag.
    cc_object_id: Padded<16>,
    /// `iPIRIPacketReportObjId` with its tag.
    report_object_id: Padded<16>,
    /// Whether the version of LI-PS-PDU has packet reports.
    has_packet_report: bool,
    /// PSHeader as it was written last.
    header: KeptHeader,
    /// The heads of an IPCC, up to the packet.
    cc_heads: KeptHeads,
    /// The heads of a packet report, up to the headers.
    report_heads: KeptHeads,
}

/// PSHeader with its tag.
#[derive(Clone)]
struct KeptHeader {
    /// Octets of sequence number, seconds and microseconds.
    widths: [usize; 3],
    /// Where they stand.
    places: [usize; 3],
    octets: Scratch<SCRATCH_OCTETS>,
}

/// Tags and lengths from the payload to the packet.
#[derive(Clone)]
struct KeptHeads {
    packet_length: usize,
    /// Where the direction stands, if it stands before the packet.
    direction_at: usize,
    octets: Scratch<SCRATCH_OCTETS>,
}

impl KeptHeads {
    /// Of no packet: none is so long.
    const fn none() -> Self {
        Self { packet_length: usize::MAX, direction_at: 0, octets: Scratch::new() }
    }
}

/// `timeStampQualifier` timeOfInterception.
const QUALIFIER: [u8; 3] = [0x88, 1, 1];
/// `iRIType` iRI-Report.
const IRI_REPORT: [u8; 3] = [0x80, 1, IriType::Report.number() as u8];
/// An enumeration with its tag and length, of a small number.
const ENUMERATED_OCTETS: usize = 3;

impl Template {
    /// Lays a template out.
    pub fn new(context: &Context) -> Self {
        // The cold encoder writes these fields, so that both ways of writing agree.
        let header = context.header(0, UnixTime::EPOCH);
        let (head, interception_point) =
            header.static_parts().expect("identifiers have lengths that the header allows");
        let object_id = |id: RelativeOid<'_>| {
            let mut element = vec![0x80, id.octets().len() as u8];
            element.extend_from_slice(id.octets());
            Padded::new(&element)
        };
        Self {
            head: Padded::new(&head),
            interception_point: Padded::new(&interception_point),
            cc_object_id: object_id(RelativeOid::ip_cc(context.versions.ip_access)),
            report_object_id: object_id(RelativeOid::ip_iri_packet_report(context.versions.ip_access)),
            has_packet_report: context.versions.li_ps >= LI_PS_VERSION_PACKET_REPORT_MIN,
            // Every number takes octets, so that the first PDU puts the header together.
            header: KeptHeader { widths: [0; 3], places: [0; 3], octets: Scratch::new() },
            cc_heads: KeptHeads::none(),
            report_heads: KeptHeads::none(),
        }
    }

    /// Brings the header up to this stamp.
    #[inline]
    fn stamp(&mut self, stamp: &Stamp) {
        let numbers = [stamp.sequence.into(), stamp.time.seconds(), stamp.time.microseconds().into()];
        let widths = numbers.map(unsigned_octets);
        if widths != self.header.widths {
            self.lay_header_out(widths);
        }
        let KeptHeader { places, octets, .. } = &mut self.header;
        for (place, number) in places.iter().zip(numbers) {
            octets.put_unsigned_at(*place, number);
        }
    }

    #[cold]
    fn lay_header_out(&mut self, widths: [usize; 3]) {
        let [sequence, seconds, micro_seconds] = widths;
        let stamp = 2 + seconds + 2 + micro_seconds;
        let length = self.head.len() + 2 + sequence + self.interception_point.len() + 2 + stamp + QUALIFIER.len();
        let mut out = Scratch::new();
        out.put_tag_length(0xa1, length);
        out.put_padded(&self.head);
        out.put([0x84, sequence as u8]);
        let sequence_at = out.skip(sequence);
        out.put_padded(&self.interception_point);
        out.put([0xa7, stamp as u8, 0x80, seconds as u8]);
        let seconds_at = out.skip(seconds);
        out.put([0x81, micro_seconds as u8]);
        let micro_seconds_at = out.skip(micro_seconds);
        out.put(QUALIFIER);
        self.header = KeptHeader { widths, places: [sequence_at, seconds_at, micro_seconds_at], octets: out };
    }

    #[cold]
    fn lay_cc_heads_out(&mut self, packet_length: usize) {
        let contents = tlv_octets(packet_length);
        let ipcc = self.cc_object_id.len() + tlv_octets(contents);
        let cc_contents = tlv_octets(ipcc);
        let cc_payload = ENUMERATED_OCTETS + tlv_octets(cc_contents);
        let sequence = tlv_octets(cc_payload);
        let mut out = Scratch::new();
        out.put_tag_length(0xa2, tlv_octets(sequence));
        out.put_tag_length(0xa1, sequence);
        out.put_tag_length(0x30, cc_payload);
        out.put([0x80, 1]);
        let direction_at = out.skip(1);
        out.put_tag_length(0xa2, cc_contents);
        out.put_tag_length(0xa2, ipcc);
        out.put_padded(&self.cc_object_id);
        out.put_tag_length(0xa1, contents);
        out.put_tag_length(0x80, packet_length);
        self.cc_heads = KeptHeads { packet_length, direction_at, octets: out };
    }

    /// Writes a PS-PDU with one IPCC (HI3) to the start of `out` and says how long it is: at most [`OVERHEAD_OCTETS_MAX`] longer than the packet. Does not
    /// allocate. On an error nothing was written.
    #[inline]
    pub fn encode_ipcc(&mut self, out: &mut [u8], stamp: &Stamp, packet: &[u8]) -> Result<usize, EncodeError> {
        check_length(packet)?;
        let direction = direction(stamp.direction)?;
        self.stamp(stamp);
        if self.cc_heads.packet_length != packet.len() {
            self.lay_cc_heads_out(packet.len());
        }
        let KeptHeads { direction_at, octets, .. } = &mut self.cc_heads;
        octets.put_octet_at(*direction_at, direction);
        put_pdu(out, [self.header.octets.octets(), octets.octets(), packet, &[]])
    }

    #[cold]
    fn lay_report_heads_out(&mut self, packet_length: usize) {
        let header = tlv_octets(packet_length);
        let report = tlv_octets(header);
        let packet_report = self.report_object_id.len() + tlv_octets(report);
        let iri_contents = tlv_octets(packet_report);
        let iri_payload = ENUMERATED_OCTETS + tlv_octets(iri_contents) + ENUMERATED_OCTETS;
        let sequence = tlv_octets(iri_payload);
        let mut out = Scratch::new();
        out.put_tag_length(0xa2, tlv_octets(sequence));
        out.put_tag_length(0xa0, sequence);
        out.put_tag_length(0x30, iri_payload);
        out.put(IRI_REPORT);
        out.put_tag_length(0xa2, iri_contents);
        out.put_tag_length(0xb4, packet_report);
        out.put_padded(&self.report_object_id);
        out.put_tag_length(0xa1, report);
        out.put_tag_length(0xa1, header);
        out.put_tag_length(0x81, packet_length);
        self.report_heads = KeptHeads { packet_length, octets: out, ..KeptHeads::none() };
    }

    /// Writes a PS-PDU with one header report (IPIRIPacketReport, HI2) to the start of `out` and says how long it is: at most [`OVERHEAD_OCTETS_MAX`] longer
    /// than the headers. `header` holds the packet's headers and nothing after them. Does not allocate. On an error nothing was written.
    ///
    /// Fails with [`EncodeError::ValueOutOfRange`] if the context says a version below [`LI_PS_VERSION_PACKET_REPORT_MIN`].
    #[inline]
    pub fn encode_packet_report(&mut self, out: &mut [u8], stamp: &Stamp, header: &[u8]) -> Result<usize, EncodeError> {
        if !self.has_packet_report {
            return Err(EncodeError::ValueOutOfRange { field: "li-psDomainId" });
        }
        check_length(header)?;
        let direction = direction(stamp.direction)?;
        self.stamp(stamp);
        if self.report_heads.packet_length != header.len() {
            self.lay_report_heads_out(header.len());
        }
        let after = [0x86, 1, direction];
        put_pdu(out, [self.header.octets.octets(), self.report_heads.octets.octets(), header, &after])
    }
}

/// Writes the parts of a PDU one behind the other.
#[inline]
fn put_pdu(out: &mut [u8], parts: [&[u8]; 4]) -> Result<usize, EncodeError> {
    let contents = parts.iter().map(|part| part.len()).sum();
    let needed = tlv_octets(contents);
    let pdu = out.get_mut(..needed).ok_or(EncodeError::NoRoom { needed })?;
    pdu[0] = 0x30;
    let mut at = 1 + put_length(&mut pdu[1..], contents);
    for part in parts {
        pdu[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    Ok(needed)
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&Redacted(self.head.len())).finish()
    }
}

/// The one octet of a direction.
#[inline]
fn direction(direction: PayloadDirection) -> Result<u8, EncodeError> {
    match direction.number() {
        number @ 0..=0x7f => Ok(number as u8),
        _ => Err(EncodeError::ValueOutOfRange { field: "payloadDirection" }),
    }
}

/// Fails for what is no packet: see [`PACKET_OCTETS_MAX`].
#[inline]
fn check_length(packet: &[u8]) -> Result<(), EncodeError> {
    if packet.len() <= PACKET_OCTETS_MAX {
        return Ok(());
    }
    Err(EncodeError::FieldTooLong { field: "packet", length: packet.len(), length_max: PACKET_OCTETS_MAX })
}
