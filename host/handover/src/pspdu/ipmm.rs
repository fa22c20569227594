//! IP multimedia: TS 102 232-5.

use super::{
    FrameType, IpAddress, MediaProtocol, Octets, RawElement, RelativeOid,
    decode::{DecodeError, InField},
    sequence::{FieldWriter, Fields, octets},
};
use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
};

/// IPMMCC: one packet of a media stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpmmCc<'a> {
    /// `iPMMCCObjId [0]`.
    pub object_id: RelativeOid<'a>,
    /// `mMCCContents [1]`.
    pub contents: Octets<'a>,
    /// `frameType [2]`.
    pub frame_type: Option<FrameType>,
    /// `streamIdentifier [3]`.
    pub stream_identifier: Option<Octets<'a>>,
    /// `mMCCprotocol [4]`.
    pub protocol: Option<MediaProtocol>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// IPMMIRI: one signalling message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpmmIri<'a> {
    /// `iPMMIRIObjId [0]`.
    pub object_id: RelativeOid<'a>,
    /// `iPMMIRIContents [1]`.
    pub contents: IpmmIriContents<'a>,
    /// Fields with other tags: `targetLocation [2]`, `additionalSignalling [3]` and what may follow.
    pub others: Vec<RawElement<'a>>,
}

/// IPIRIContents of TS 102 232-5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IpmmIriContents<'a> {
    /// `originalIPMMMessage [0]`: from the IP header on.
    Original(Octets<'a>),
    /// `sIPMessage [1]`.
    Sip(SipMessage<'a>),
    /// `xCAPMessage [4]`.
    Xcap(Octets<'a>),
    /// `iRIOnlyOriginalIPMMMessage [5]`.
    IriOnlyOriginal(Octets<'a>),
    /// `iRIOnlySIPMessage [6]`.
    IriOnlySip(SipMessage<'a>),
    /// `iRIOnlyRTPPacket [7]`.
    IriOnlyRtp(Octets<'a>),
    /// Anything else: `h323Message [2]`, `nationalIPMMIRIParameters [3]` and what may follow.
    Other(RawElement<'a>),
}

/// SIPMessage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipMessage<'a> {
    /// `iPSourceAddress [0]`.
    pub source: IpAddress<'a>,
    /// `iPDestinationAddress [1]`.
    pub destination: IpAddress<'a>,
    /// `sIPContent [2]`.
    pub content: Octets<'a>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

impl<'a> IpmmCc<'a> {
    pub(super) fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "iPMMCC")?;
        let (mut object_id, mut contents) = (None, None);
        let (mut frame_type, mut stream_identifier, mut protocol) = (None, None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => object_id = Some(RelativeOid::from_octets(octets(&field, "iPMMCCObjId")?)),
                Some(1) => contents = Some(octets(&field, "mMCCContents")?),
                Some(2) => frame_type = Some(FrameType::read(&field, "frameType")?),
                Some(3) => stream_identifier = Some(octets(&field, "streamIdentifier")?),
                Some(4) => protocol = Some(MediaProtocol::read(&field, "mMCCprotocol")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            object_id: fields.require(object_id, "iPMMCCObjId")?,
            contents: fields.require(contents, "mMCCContents")?,
            frame_type,
            stream_identifier,
            protocol,
            others,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.octets(0, self.object_id.octets());
        fields.octets(1, &self.contents);
        if let Some(frame_type) = self.frame_type {
            fields.enumerated(2, frame_type.number());
        }
        fields.optional(3, self.stream_identifier.as_ref(), "streamIdentifier", 0, usize::MAX)?;
        if let Some(protocol) = self.protocol {
            fields.enumerated(4, protocol.number());
        }
        fields.finish()
    }
}

impl<'a> IpmmIri<'a> {
    pub(super) fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "iPMMIRI")?;
        let (mut object_id, mut contents) = (None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => object_id = Some(RelativeOid::from_octets(octets(&field, "iPMMIRIObjId")?)),
                Some(1) => contents = Some(IpmmIriContents::read(&field.only_child().in_field("iPMMIRIContents")?)?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            object_id: fields.require(object_id, "iPMMIRIObjId")?,
            contents: fields.require(contents, "iPMMIRIContents")?,
            others,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.octets(0, self.object_id.octets());
        fields.constructed(1, |writer| self.contents.write(writer))?;
        fields.finish()
    }
}

impl<'a> IpmmIriContents<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        Ok(match element.tag().context_number() {
            Some(0) => Self::Original(octets(element, "originalIPMMMessage")?),
            Some(1) => Self::Sip(SipMessage::read(element)?),
            Some(4) => Self::Xcap(octets(element, "xCAPMessage")?),
            Some(5) => Self::IriOnlyOriginal(octets(element, "iRIOnlyOriginalIPMMMessage")?),
            Some(6) => Self::IriOnlySip(SipMessage::read(element)?),
            Some(7) => Self::IriOnlyRtp(octets(element, "iRIOnlyRTPPacket")?),
            _ => Self::Other(RawElement::from_element(element)),
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Original(message) => writer.primitive(Tag::context(0), message),
            Self::Sip(message) => return writer.constructed(Tag::context(1), |writer| message.write(writer)),
            Self::Xcap(message) => writer.primitive(Tag::context(4), message),
            Self::IriOnlyOriginal(message) => writer.primitive(Tag::context(5), message),
            Self::IriOnlySip(message) => return writer.constructed(Tag::context(6), |writer| message.write(writer)),
            Self::IriOnlyRtp(packet) => writer.primitive(Tag::context(7), packet),
            Self::Other(raw) => writer.raw(raw.octets()),
        }
        Ok(())
    }
}

impl<'a> SipMessage<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "sIPMessage")?;
        let (mut source, mut destination, mut content) = (None, None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => source = Some(IpAddress::read(&field)?),
                Some(1) => destination = Some(IpAddress::read(&field)?),
                Some(2) => content = Some(octets(&field, "sIPContent")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            source: fields.require(source, "iPSourceAddress")?,
            destination: fields.require(destination, "iPDestinationAddress")?,
            content: fields.require(content, "sIPContent")?,
            others,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.constructed(0, |writer| self.source.write(writer))?;
        fields.constructed(1, |writer| self.destination.write(writer))?;
        fields.octets(2, &self.content);
        fields.finish()
    }
}
