//! PS-PDU and its payload (TS 102 232-1 annex A).

use super::{
    EncryptionContainer, GeneralizedTime, Hi1Operation, IpCc, IpIri, IpmmCc, IpmmIri, IriType, MicroSecondTimeStamp,
    PacketReport, PayloadDirection, PsHeader, RawElement, TimeStampQualifier, Tri, Warning,
    decode::{DecodeError, DecodeErrorKind, InField},
    sequence::{FieldWriter, Fields, octets},
};
use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
};

/// PS-PDU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PsPdu<'a> {
    /// `pSHeader [1]`.
    pub header: PsHeader<'a>,
    /// `payload [2]`.
    pub payload: Payload<'a>,
}

/// Payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload<'a> {
    /// `iRIPayloadSequence [0]`.
    Iri(Vec<IriPayload<'a>>),
    /// `cCPayloadSequence [1]`.
    Cc(Vec<CcPayload<'a>>),
    /// `tRIPayload [2]`.
    Tri(Tri<'a>),
    /// `hI1-Operation [3]`.
    Hi1(Hi1Operation<'a>),
    /// `encryptionContainer [4]`.
    Encrypted(EncryptionContainer<'a>),
    /// Anything else: `threeGPP-HI1-Operation [5]`, `iLHIPayload [6]`, `hI4Payload [7]` and what may follow.
    Other(RawElement<'a>),
}

/// CCPayload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CcPayload<'a> {
    /// `payloadDirection [0]`.
    pub direction: Option<PayloadDirection>,
    /// `timeStamp [1]`, where payloads are aggregated.
    pub time_stamp: Option<GeneralizedTime<'a>>,
    /// `cCContents [2]`.
    pub contents: CcContents<'a>,
    /// `microSecondTimeStamp [3]`, where payloads are aggregated.
    pub micro_second_time_stamp: Option<MicroSecondTimeStamp>,
    /// `timeStampQualifier [4]`.
    pub time_stamp_qualifier: Option<TimeStampQualifier>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// CCContents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CcContents<'a> {
    /// `iPCC [2]`.
    IpCc(IpCc<'a>),
    /// `iPMMCC [12]`.
    IpmmCc(IpmmCc<'a>),
    /// Content of another service.
    Other(RawElement<'a>),
}

/// IRIPayload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IriPayload<'a> {
    /// `iRIType [0]`.
    pub iri_type: Option<IriType>,
    /// `timeStamp [1]`, where payloads are aggregated.
    pub time_stamp: Option<GeneralizedTime<'a>>,
    /// `iRIContents [2]`.
    pub contents: IriContents<'a>,
    /// `microSecondTimeStamp [3]`, where payloads are aggregated.
    pub micro_second_time_stamp: Option<MicroSecondTimeStamp>,
    /// `timeStampQualifier [4]`.
    pub time_stamp_qualifier: Option<TimeStampQualifier>,
    /// `sessionDirection [5]`.
    pub session_direction: Option<PayloadDirection>,
    /// `payloadDirection [6]`.
    pub payload_direction: Option<PayloadDirection>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// IRIContents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IriContents<'a> {
    /// `iPIRI [2]`.
    IpIri(Box<IpIri<'a>>),
    /// `iPMMIRI [11]`.
    IpmmIri(IpmmIri<'a>),
    /// `iPIRIPacketReport [20]`.
    PacketReport(PacketReport<'a>),
    /// IRI of another service.
    Other(RawElement<'a>),
}

impl<'a> PsPdu<'a> {
    /// Writes the PDU at the end of `out`. On an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        let written = Writer::new(out).constructed(Tag::SEQUENCE, |writer| {
            writer.constructed(Tag::context(1), |writer| self.header.write(writer))?;
            writer.constructed(Tag::context(2), |writer| self.payload.write(writer))
        });
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    /// The PDU as octets.
    pub fn to_vec(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::new();
        self.encode(&mut out)?;
        Ok(out)
    }

    pub(super) fn read(element: &Element<'a>, warnings: &mut Vec<Warning>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "PS-PDU")?;
        let (mut header, mut payload) = (None, None);
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(1) => header = Some(PsHeader::read(&field, warnings)?),
                Some(2) => payload = Some(Payload::read(&field.only_child().in_field("payload")?, warnings)?),
                // The type is not extensible.
                _ => {
                    return Err(DecodeError {
                        offset: field.offset(),
                        field: "PS-PDU",
                        kind: DecodeErrorKind::Tag(field.tag()),
                    });
                }
            }
        }
        Ok(Self { header: fields.require(header, "pSHeader")?, payload: fields.require(payload, "payload")? })
    }
}

impl<'a> Payload<'a> {
    pub(super) fn read(element: &Element<'a>, warnings: &mut Vec<Warning>) -> Result<Self, DecodeError> {
        Ok(match element.tag().context_number() {
            Some(0) => Self::Iri(list(element, "iRIPayloadSequence", |element| IriPayload::read(element, warnings))?),
            Some(1) => Self::Cc(list(element, "cCPayloadSequence", CcPayload::read)?),
            Some(2) => Self::Tri(Tri::read(&element.only_child().in_field("tRIPayload")?)?),
            Some(3) => Self::Hi1(Hi1Operation::read(&element.only_child().in_field("hI1-Operation")?)?),
            Some(4) => Self::Encrypted(EncryptionContainer::read(element)?),
            _ => Self::Other(RawElement::from_element(element)),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let sequence_of = |writer: &mut Writer<'_>, write: &dyn Fn(&mut Writer<'_>) -> Result<(), EncodeError>| {
            writer.constructed(Tag::SEQUENCE, write)
        };
        match self {
            Self::Iri(payloads) => writer.constructed(Tag::context(0), |writer| {
                payloads.iter().try_for_each(|payload| sequence_of(writer, &|writer| payload.write(writer)))
            }),
            Self::Cc(payloads) => writer.constructed(Tag::context(1), |writer| {
                payloads.iter().try_for_each(|payload| sequence_of(writer, &|writer| payload.write(writer)))
            }),
            Self::Tri(tri) => writer.constructed(Tag::context(2), |writer| tri.write(writer)),
            Self::Hi1(operation) => writer.constructed(Tag::context(3), |writer| operation.write(writer)),
            Self::Encrypted(container) => writer.constructed(Tag::context(4), |writer| container.write(writer)),
            Self::Other(raw) => {
                writer.raw(raw.octets());
                Ok(())
            }
        }
    }
}

/// Reads a SEQUENCE OF SEQUENCE.
fn list<'a, T>(
    element: &Element<'a>,
    field: &'static str,
    mut read: impl FnMut(&Element<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut children = element.children().in_field(field)?;
    let mut items = Vec::new();
    while let Some(child) = children.next().in_field(field)? {
        if child.tag() != Tag::SEQUENCE {
            return Err(DecodeError { offset: child.offset(), field, kind: DecodeErrorKind::Tag(child.tag()) });
        }
        items.push(read(&child)?);
    }
    Ok(items)
}

impl<'a> CcPayload<'a> {
    /// A payload without a stamp of its own: the header's holds.
    pub const fn new(direction: PayloadDirection, contents: CcContents<'a>) -> Self {
        Self {
            direction: Some(direction),
            time_stamp: None,
            contents,
            micro_second_time_stamp: None,
            time_stamp_qualifier: None,
            others: Vec::new(),
        }
    }

    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "CCPayload")?;
        let (mut direction, mut time_stamp, mut contents, mut micro, mut qualifier) = (None, None, None, None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => direction = Some(PayloadDirection::read(&field, "payloadDirection")?),
                Some(1) => time_stamp = Some(GeneralizedTime(octets(&field, "timeStamp")?)),
                Some(2) => contents = Some(CcContents::read(&field.only_child().in_field("cCContents")?)?),
                Some(3) => micro = Some(MicroSecondTimeStamp::read(&field)?),
                Some(4) => qualifier = Some(TimeStampQualifier::read(&field, "timeStampQualifier")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            direction,
            time_stamp,
            contents: fields.require(contents, "cCContents")?,
            micro_second_time_stamp: micro,
            time_stamp_qualifier: qualifier,
            others,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        if let Some(direction) = self.direction {
            fields.enumerated(0, direction.number());
        }
        fields.optional(1, self.time_stamp.as_ref().map(|time| &time.0), "timeStamp", 1, usize::MAX)?;
        fields.constructed(2, |writer| self.contents.write(writer))?;
        if let Some(stamp) = self.micro_second_time_stamp {
            fields.constructed(3, |writer| stamp.write(writer))?;
        }
        if let Some(qualifier) = self.time_stamp_qualifier {
            fields.enumerated(4, qualifier.number());
        }
        fields.finish()
    }
}

impl<'a> CcContents<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        Ok(match element.tag().context_number() {
            Some(2) => Self::IpCc(IpCc::read(element)?),
            Some(12) => Self::IpmmCc(IpmmCc::read(element)?),
            _ => Self::Other(RawElement::from_element(element)),
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::IpCc(contents) => writer.constructed(Tag::context(2), |writer| contents.write(writer)),
            Self::IpmmCc(contents) => writer.constructed(Tag::context(12), |writer| contents.write(writer)),
            Self::Other(raw) => {
                writer.raw(raw.octets());
                Ok(())
            }
        }
    }
}

impl<'a> IriPayload<'a> {
    /// A payload without a stamp of its own: the header's holds.
    pub const fn new(iri_type: IriType, contents: IriContents<'a>) -> Self {
        Self {
            iri_type: Some(iri_type),
            time_stamp: None,
            contents,
            micro_second_time_stamp: None,
            time_stamp_qualifier: None,
            session_direction: None,
            payload_direction: None,
            others: Vec::new(),
        }
    }

    fn read(element: &Element<'a>, warnings: &mut Vec<Warning>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "IRIPayload")?;
        let (mut iri_type, mut time_stamp, mut contents, mut micro, mut qualifier) = (None, None, None, None, None);
        let (mut session_direction, mut payload_direction) = (None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => iri_type = Some(IriType::read(&field, "iRIType")?),
                Some(1) => time_stamp = Some(GeneralizedTime(octets(&field, "timeStamp")?)),
                Some(2) => contents = Some(IriContents::read(&field.only_child().in_field("iRIContents")?, warnings)?),
                Some(3) => micro = Some(MicroSecondTimeStamp::read(&field)?),
                Some(4) => qualifier = Some(TimeStampQualifier::read(&field, "timeStampQualifier")?),
                Some(5) => session_direction = Some(PayloadDirection::read(&field, "sessionDirection")?),
                Some(6) => payload_direction = Some(PayloadDirection::read(&field, "payloadDirection")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            iri_type,
            time_stamp,
            contents: fields.require(contents, "iRIContents")?,
            micro_second_time_stamp: micro,
            time_stamp_qualifier: qualifier,
            session_direction,
            payload_direction,
            others,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        if let Some(iri_type) = self.iri_type {
            fields.enumerated(0, iri_type.number());
        }
        fields.optional(1, self.time_stamp.as_ref().map(|time| &time.0), "timeStamp", 1, usize::MAX)?;
        fields.constructed(2, |writer| self.contents.write(writer))?;
        if let Some(stamp) = self.micro_second_time_stamp {
            fields.constructed(3, |writer| stamp.write(writer))?;
        }
        if let Some(qualifier) = self.time_stamp_qualifier {
            fields.enumerated(4, qualifier.number());
        }
        if let Some(direction) = self.session_direction {
            fields.enumerated(5, direction.number());
        }
        if let Some(direction) = self.payload_direction {
            fields.enumerated(6, direction.number());
        }
        fields.finish()
    }
}

impl<'a> IriContents<'a> {
    fn read(element: &Element<'a>, warnings: &mut Vec<Warning>) -> Result<Self, DecodeError> {
        Ok(match element.tag().context_number() {
            Some(2) => Self::IpIri(Box::new(IpIri::read(element, warnings)?)),
            Some(11) => Self::IpmmIri(IpmmIri::read(element)?),
            Some(20) => Self::PacketReport(PacketReport::read(element)?),
            _ => Self::Other(RawElement::from_element(element)),
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::IpIri(contents) => writer.constructed(Tag::context(2), |writer| contents.write(writer)),
            Self::IpmmIri(contents) => writer.constructed(Tag::context(11), |writer| contents.write(writer)),
            Self::PacketReport(contents) => writer.constructed(Tag::context(20), |writer| contents.write(writer)),
            Self::Other(raw) => {
                writer.raw(raw.octets());
                Ok(())
            }
        }
    }
}
