//! IPCC: an intercepted IP packet.

use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
    pspdu::{
        Octets, RawElement, RelativeOid,
        decode::{DecodeError, InField},
        sequence::{FieldWriter, Fields, octets},
    },
};

/// IPCC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpCc<'a> {
    /// `iPCCObjId [0]`.
    pub object_id: RelativeOid<'a>,
    /// `iPCCContents [1]`.
    pub contents: IpCcContents<'a>,
}

/// IPCCContents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IpCcContents<'a> {
    /// `iPPackets [0]`: one packet or more.
    Packets(Octets<'a>),
    /// `iPTruncatedPacket [1]`.
    Truncated {
        /// `truncatedPacket [0]`.
        packet: Octets<'a>,
        /// `originalLength [1]`.
        original_length: Option<u64>,
        /// Fields with other tags.
        others: Vec<RawElement<'a>>,
    },
    /// Anything else.
    Other(RawElement<'a>),
}

impl<'a> IpCc<'a> {
    pub(in crate::pspdu) fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "IPCC")?;
        let (mut object_id, mut contents) = (None, None);
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => object_id = Some(RelativeOid::from_octets(octets(&field, "iPCCObjId")?)),
                Some(1) => contents = Some(IpCcContents::read(&field.only_child().in_field("iPCCContents")?)?),
                // The type is not extensible: what stands here has no meaning.
                _ => {}
            }
        }
        Ok(Self {
            object_id: fields.require(object_id, "iPCCObjId")?,
            contents: fields.require(contents, "iPCCContents")?,
        })
    }

    pub(in crate::pspdu) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer.primitive(Tag::context(0), self.object_id.octets());
        writer.constructed(Tag::context(1), |writer| self.contents.write(writer))
    }
}

impl<'a> IpCcContents<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        match element.tag().context_number() {
            Some(0) => Ok(Self::Packets(octets(element, "iPPackets")?)),
            Some(1) => Self::read_truncated(element),
            _ => Ok(Self::Other(RawElement::from_element(element))),
        }
    }

    fn read_truncated(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "iPTruncatedPacket")?;
        let (mut packet, mut original_length) = (None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => packet = Some(octets(&field, "truncatedPacket")?),
                Some(1) => original_length = Some(field.unsigned().in_field("originalLength")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self::Truncated { packet: fields.require(packet, "truncatedPacket")?, original_length, others })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Packets(packets) => writer.primitive(Tag::context(0), packets),
            Self::Truncated { packet, original_length, others } => {
                return writer.constructed(Tag::context(1), |writer| {
                    let mut fields = FieldWriter::new(writer, others);
                    fields.octets(0, packet);
                    if let Some(length) = original_length {
                        fields.unsigned(1, *length);
                    }
                    fields.finish()
                });
            }
            Self::Other(raw) => writer.raw(raw.octets()),
        }
        Ok(())
    }
}
