//! The hot path: PS-PDUs of one LIID and CIN, of which little differs from packet to packet.
//!
//! All lengths are computed from the inside out before the first octet is written. What stands before the packet is put together in a
//! scratch buffer on the stack by stores of a fixed width, of which the next one overwrites what is too much; copies of a
//! length known only at run time would cost several times as much. Then come two copies: that, and the packet.

use super::{
    Context, IriType, PayloadDirection, RelativeOid,
    scratch::{Padded, Scratch},
};
use crate::{
    EncodeError,
    ber::{tlv_octets, unsigned_octets},
    redact::Redacted,
    time::UnixTime,
};
use std::fmt;

/// Room for everything before the packet: under 210 octets at the longest identifiers and lengths, and slack for the last store.
const SCRATCH_OCTETS: usize = 256;

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
}

/// `timeStampQualifier` timeOfInterception.
const QUALIFIER: [u8; 3] = [0x88, 1, 1];
/// `iRIType` iRI-Report.
const IRI_REPORT: [u8; 3] = [0x80, 1, IriType::Report.number() as u8];
/// An enumeration with its tag and length, of a small number.
const ENUMERATED_OCTETS: usize = 3;

/// Lengths of the contents of PSHeader and its parts.
struct HeaderLengths {
    sequence: usize,
    stamp: usize,
    header: usize,
}

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
        }
    }

    #[inline]
    fn header_lengths(&self, stamp: &Stamp) -> HeaderLengths {
        let sequence = unsigned_octets(u64::from(stamp.sequence));
        let seconds = unsigned_octets(stamp.time.seconds());
        let micro_seconds = unsigned_octets(u64::from(stamp.time.microseconds()));
        let stamp = 2 + seconds + 2 + micro_seconds;
        let header = self.head.len() + 2 + sequence + self.interception_point.len() + 2 + stamp + QUALIFIER.len();
        HeaderLengths { sequence, stamp, header }
    }

    /// Writes everything up to the payload's contents.
    #[inline]
    fn write_header(
        &self,
        out: &mut Scratch<SCRATCH_OCTETS>,
        stamp: &Stamp,
        lengths: &HeaderLengths,
        pdu_contents: usize,
    ) {
        out.put_tag_length(0x30, pdu_contents);
        out.put_tag_length(0xa1, lengths.header);
        out.put_padded(&self.head);
        out.put([0x84, lengths.sequence as u8]);
        out.put_unsigned(u64::from(stamp.sequence));
        out.put_padded(&self.interception_point);
        out.put([0xa7, lengths.stamp as u8, 0x80, unsigned_octets(stamp.time.seconds()) as u8]);
        out.put_unsigned(stamp.time.seconds());
        out.put([0x81, unsigned_octets(u64::from(stamp.time.microseconds())) as u8]);
        out.put_unsigned(u64::from(stamp.time.microseconds()));
        out.put(QUALIFIER);
    }

    /// Octets that [`Template::encode_ipcc`] will write for a packet of this length.
    pub fn ipcc_octets(&self, stamp: &Stamp, packet_length: usize) -> usize {
        let lengths = self.header_lengths(stamp);
        tlv_octets(tlv_octets(lengths.header) + tlv_octets(self.ipcc_lengths(packet_length)[0]))
    }

    /// Lengths of contents: payload, cCPayloadSequence, CCPayload, cCContents, iPCC, iPCCContents.
    #[inline]
    fn ipcc_lengths(&self, packet_length: usize) -> [usize; 6] {
        let contents = tlv_octets(packet_length);
        let ipcc = self.cc_object_id.len() + tlv_octets(contents);
        let cc_contents = tlv_octets(ipcc);
        let cc_payload = ENUMERATED_OCTETS + tlv_octets(cc_contents);
        let sequence = tlv_octets(cc_payload);
        let payload = tlv_octets(sequence);
        [payload, sequence, cc_payload, cc_contents, ipcc, contents]
    }

    /// Writes a PS-PDU with one IPCC (HI3) to the start of `out` and says how long it is. Does not allocate. On an error nothing was
    /// written.
    #[inline]
    pub fn encode_ipcc(&self, out: &mut [u8], stamp: &Stamp, packet: &[u8]) -> Result<usize, EncodeError> {
        check_length(packet)?;
        let direction = direction(stamp.direction)?;
        let header = self.header_lengths(stamp);
        let [payload, sequence, cc_payload, cc_contents, ipcc, contents] = self.ipcc_lengths(packet.len());
        let pdu_contents = tlv_octets(header.header) + tlv_octets(payload);
        let needed = tlv_octets(pdu_contents);
        let pdu = out.get_mut(..needed).ok_or(EncodeError::NoRoom { needed })?;
        let mut out = Scratch::<SCRATCH_OCTETS>::new();
        self.write_header(&mut out, stamp, &header, pdu_contents);
        out.put_tag_length(0xa2, payload);
        out.put_tag_length(0xa1, sequence);
        out.put_tag_length(0x30, cc_payload);
        out.put([0x80, 1, direction]);
        out.put_tag_length(0xa2, cc_contents);
        out.put_tag_length(0xa2, ipcc);
        out.put_padded(&self.cc_object_id);
        out.put_tag_length(0xa1, contents);
        out.put_tag_length(0x80, packet.len());
        let (before, rest) = pdu.split_at_mut(needed - packet.len());
        before.copy_from_slice(out.octets());
        rest.copy_from_slice(packet);
        Ok(needed)
    }

    /// Octets that [`Template::encode_packet_report`] will write for headers of this length.
    pub fn packet_report_octets(&self, stamp: &Stamp, header_length: usize) -> usize {
        let lengths = self.header_lengths(stamp);
        tlv_octets(tlv_octets(lengths.header) + tlv_octets(self.report_lengths(header_length)[0]))
    }

    /// Lengths of contents: payload, iRIPayloadSequence, IRIPayload, iRIContents, iPIRIPacketReport, report, header.
    #[inline]
    fn report_lengths(&self, header_length: usize) -> [usize; 7] {
        let header = tlv_octets(header_length);
        let report = tlv_octets(header);
        let packet_report = self.report_object_id.len() + tlv_octets(report);
        let iri_contents = tlv_octets(packet_report);
        let iri_payload = ENUMERATED_OCTETS + tlv_octets(iri_contents) + ENUMERATED_OCTETS;
        let sequence = tlv_octets(iri_payload);
        let payload = tlv_octets(sequence);
        [payload, sequence, iri_payload, iri_contents, packet_report, report, header]
    }

    /// Writes a PS-PDU with one header report (IPIRIPacketReport, HI2) to the start of `out` and says how long it is. `header` holds
    /// the packet's headers and nothing after them. Does not allocate. On an error nothing was written.
    ///
    /// Fails with [`EncodeError::ValueOutOfRange`] if the context says a version below [`LI_PS_VERSION_PACKET_REPORT_MIN`].
    #[inline]
    pub fn encode_packet_report(&self, out: &mut [u8], stamp: &Stamp, header: &[u8]) -> Result<usize, EncodeError> {
        if !self.has_packet_report {
            return Err(EncodeError::ValueOutOfRange { field: "li-psDomainId" });
        }
        check_length(header)?;
        let direction = direction(stamp.direction)?;
        let ps_header = self.header_lengths(stamp);
        let [payload, sequence, iri_payload, iri_contents, packet_report, report, report_header] =
            self.report_lengths(header.len());
        let pdu_contents = tlv_octets(ps_header.header) + tlv_octets(payload);
        let needed = tlv_octets(pdu_contents);
        let pdu = out.get_mut(..needed).ok_or(EncodeError::NoRoom { needed })?;
        let mut out = Scratch::<SCRATCH_OCTETS>::new();
        self.write_header(&mut out, stamp, &ps_header, pdu_contents);
        out.put_tag_length(0xa2, payload);
        out.put_tag_length(0xa0, sequence);
        out.put_tag_length(0x30, iri_payload);
        out.put(IRI_REPORT);
        out.put_tag_length(0xa2, iri_contents);
        out.put_tag_length(0xb4, packet_report);
        out.put_padded(&self.report_object_id);
        out.put_tag_length(0xa1, report);
        out.put_tag_length(0xa1, report_header);
        out.put_tag_length(0x81, header.len());
        let (before, rest) = pdu.split_at_mut(needed - header.len() - ENUMERATED_OCTETS);
        before.copy_from_slice(out.octets());
        let (copy, after) = rest.split_at_mut(header.len());
        copy.copy_from_slice(header);
        after.copy_from_slice(&[0x86, 1, direction]);
        Ok(needed)
    }
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
