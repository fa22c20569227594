//! IPIRIPacketReport: headers without content (TS 102 232-3 clause 6.2.5).

use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
    pspdu::{
        GeneralizedTime, Octets, PacketReportTrigger, RawElement, RelativeOid,
        decode::{DecodeError, DecodeErrorKind, InField},
        sequence::{FieldWriter, Fields, octets},
    },
};

/// IPIRIPacketReport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketReport<'a> {
    /// `iPIRIPacketReportObjId [0]`.
    pub object_id: RelativeOid<'a>,
    /// `report [1]`.
    pub report: PacketReportContents<'a>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// PacketReport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacketReportContents<'a> {
    /// `header [1]`: the headers of one packet.
    Header {
        /// `header [1]`: from the first octet of IP on.
        header: Octets<'a>,
        /// Fields with other tags.
        others: Vec<RawElement<'a>>,
    },
    /// `summary [2]`: the headers that the packets of a flow have in common.
    Summary {
        /// `header [1]`: what differs between the packets is zero or left out, as the indications say.
        header: Octets<'a>,
        /// `indications [2]`.
        indications: Indications,
        /// `trigger [3]`.
        trigger: PacketReportTrigger,
        /// `packetCount [4]`.
        packet_count: Option<u64>,
        /// `byteCount [5]`.
        byte_count: Option<u64>,
        /// `firstTimestamp [6]`.
        first: Option<GeneralizedTime<'a>>,
        /// `lastTimestamp [7]`.
        last: Option<GeneralizedTime<'a>>,
        /// Fields with other tags.
        others: Vec<RawElement<'a>>,
    },
    /// Anything else.
    Other(RawElement<'a>),
}

/// PacketReportIndications: which fields of the headers were zeroed or left out. Bit n of the standard is bit n of the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Indications(pub u32);

impl Indications {
    /// IPv4 total length is zeroed.
    pub const ZEROED_IPV4_TOTAL_LENGTH: Self = Self(1 << 0);
    /// IPv4 flags are zeroed.
    pub const ZEROED_IPV4_FLAGS: Self = Self(1 << 1);
    /// IPv4 time to live is zeroed.
    pub const ZEROED_IPV4_TIME_TO_LIVE: Self = Self(1 << 2);
    /// IPv4 header checksum is zeroed.
    pub const ZEROED_IPV4_HEADER_CHECKSUM: Self = Self(1 << 3);
    /// IPv6 payload length is zeroed.
    pub const ZEROED_IPV6_PAYLOAD_LENGTH: Self = Self(1 << 4);
    /// IPv6 extension headers are left out.
    pub const REMOVED_IPV6_EXTENSION_HEADERS: Self = Self(1 << 5);
    /// TCP sequence number is zeroed.
    pub const ZEROED_TCP_SEQUENCE_NUMBER: Self = Self(1 << 6);
    /// TCP acknowledgement number is zeroed.
    pub const ZEROED_TCP_ACKNOWLEDGEMENT_NUMBER: Self = Self(1 << 7);
    /// TCP flags are zeroed.
    pub const ZEROED_TCP_FLAGS: Self = Self(1 << 8);
    /// TCP window size is zeroed.
    pub const ZEROED_TCP_WINDOW_SIZE: Self = Self(1 << 9);
    /// TCP checksum is zeroed.
    pub const ZEROED_TCP_CHECKSUM: Self = Self(1 << 10);
    /// UDP length is zeroed.
    pub const ZEROED_UDP_LENGTH: Self = Self(1 << 11);
    /// UDP checksum is zeroed.
    pub const ZEROED_UDP_CHECKSUM: Self = Self(1 << 12);

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Contents octets of a BIT STRING of named bits: without zero bits at its end.
    fn contents(self) -> Vec<u8> {
        // Bit 0 of the standard is the highest bit of the first octet.
        let bits = self.0.reverse_bits();
        let used = 32 - bits.trailing_zeros();
        let octets = used.div_ceil(8);
        let mut contents = vec![(octets * 8 - used) as u8];
        contents.extend(bits.to_be_bytes().iter().take(octets as usize));
        contents
    }

    fn read(element: &Element<'_>) -> Result<Self, DecodeError> {
        const NAME: &str = "indications";
        let (octets, unused) = element.bit_string().in_field(NAME)?;
        if octets.len() > 4 {
            return Err(DecodeError { offset: element.offset(), field: NAME, kind: DecodeErrorKind::Value });
        }
        let mut padded = [0; 4];
        padded[..octets.len()].copy_from_slice(octets);
        // What the unused bits hold has no meaning.
        let used = octets.len() as u32 * 8 - u32::from(unused);
        let mask = u32::MAX.checked_shl(32 - used).unwrap_or(0);
        Ok(Self((u32::from_be_bytes(padded) & mask).reverse_bits()))
    }
}

impl<'a> PacketReport<'a> {
    /// The report of one packet's headers.
    pub const fn header(object_id: RelativeOid<'a>, header: Octets<'a>) -> Self {
        Self { object_id, report: PacketReportContents::Header { header, others: Vec::new() }, others: Vec::new() }
    }

    pub(in crate::pspdu) fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "iPIRIPacketReport")?;
        let (mut object_id, mut report) = (None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => object_id = Some(RelativeOid::from_octets(octets(&field, "iPIRIPacketReportObjId")?)),
                Some(1) => report = Some(PacketReportContents::read(&field.only_child().in_field("report")?)?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            object_id: fields.require(object_id, "iPIRIPacketReportObjId")?,
            report: fields.require(report, "report")?,
            others,
        })
    }

    pub(in crate::pspdu) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.octets(0, self.object_id.octets());
        fields.constructed(1, |writer| self.report.write(writer))?;
        fields.finish()
    }
}

impl<'a> PacketReportContents<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        match element.tag().context_number() {
            Some(1) => Self::read_header(element),
            Some(2) => Self::read_summary(element),
            _ => Ok(Self::Other(RawElement::from_element(element))),
        }
    }

    fn read_header(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "header")?;
        let mut header = None;
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(1) => header = Some(octets(&field, "header")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self::Header { header: fields.require(header, "header")?, others })
    }

    fn read_summary(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "summary")?;
        let (mut header, mut indications, mut trigger) = (None, None, None);
        let (mut packet_count, mut byte_count, mut first, mut last) = (None, None, None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(1) => header = Some(octets(&field, "header")?),
                Some(2) => indications = Some(Indications::read(&field)?),
                Some(3) => trigger = Some(PacketReportTrigger::read(&field, "trigger")?),
                Some(4) => packet_count = Some(field.unsigned().in_field("packetCount")?),
                Some(5) => byte_count = Some(field.unsigned().in_field("byteCount")?),
                Some(6) => first = Some(GeneralizedTime(octets(&field, "firstTimestamp")?)),
                Some(7) => last = Some(GeneralizedTime(octets(&field, "lastTimestamp")?)),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self::Summary {
            header: fields.require(header, "header")?,
            indications: fields.require(indications, "indications")?,
            trigger: fields.require(trigger, "trigger")?,
            packet_count,
            byte_count,
            first,
            last,
            others,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Header { header, others } => writer.constructed(Tag::context(1), |writer| {
                let mut fields = FieldWriter::new(writer, others);
                fields.octets(1, header);
                fields.finish()
            }),
            Self::Summary { header, indications, trigger, packet_count, byte_count, first, last, others } => writer
                .constructed(Tag::context(2), |writer| {
                    let mut fields = FieldWriter::new(writer, others);
                    fields.octets(1, header);
                    fields.octets(2, &indications.contents());
                    fields.enumerated(3, trigger.number());
                    if let Some(count) = packet_count {
                        fields.unsigned(4, *count);
                    }
                    if let Some(count) = byte_count {
                        fields.unsigned(5, *count);
                    }
                    fields.optional(6, first.as_ref().map(|time| &time.0), "firstTimestamp", 1, usize::MAX)?;
                    fields.optional(7, last.as_ref().map(|time| &time.0), "lastTimestamp", 1, usize::MAX)?;
                    fields.finish()
                }),
            Self::Other(raw) => {
                writer.raw(raw.octets());
                Ok(())
            }
        }
    }
}
