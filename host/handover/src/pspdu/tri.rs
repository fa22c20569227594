//! Transport-related information (TS 102 232-1 clauses 6.3 and 7.2).

use super::{
    CheckType, DataType, HashAlgorithm, MessagePriority, Octets, RawElement, SignatureAlgorithm,
    decode::{DecodeError, InField},
    sequence::{FieldWriter, Fields, octets},
};
use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
};

/// TRIPayload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tri<'a> {
    /// `integrityCheck [0]`.
    IntegrityCheck(IntegrityCheck<'a>),
    /// `testPDU [1]`.
    TestPdu,
    /// `paddingPDU [2]`: to be thrown away.
    PaddingPdu(Octets<'a>),
    /// `keep-alive [3]`.
    KeepAlive,
    /// `keep-aliveResponse [4]`: has the sequence number of the keep-alive.
    KeepAliveResponse,
    /// `firstSegmentFlag [5]`.
    FirstSegment,
    /// `lastSegmentFlag [6]`.
    LastSegment,
    /// `cINReset [7]`.
    CinReset,
    /// `operatorLeaMessage [8]`.
    OperatorLeaMessage(OperatorLeaMessage<'a>),
    /// `optionRequest [9]`.
    OptionRequest(OptionRequest<'a>),
    /// `optionResponse [10]`.
    OptionResponse(OptionResponse<'a>),
    /// `optionComplete [11]`.
    OptionComplete,
    /// `pDUAcknowledgementRequest [12]`.
    PduAcknowledgementRequest,
    /// `pDUAcknowledgementResponse [13]`.
    PduAcknowledgementResponse,
    /// Anything else.
    Other(RawElement<'a>),
}

/// IntegrityCheck: a hash over PDUs, or a signature over hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrityCheck<'a> {
    /// `includedSequenceNumbers [0]`, in the order of processing.
    pub included_sequence_numbers: Vec<u32>,
    /// `checkType [1]`.
    pub check_type: CheckType,
    /// `dataType [2]`.
    pub data_type: Option<DataType>,
    /// `checkValue [3]`.
    pub check_value: Octets<'a>,
    /// `hashAlgorithm [4]`.
    pub hash_algorithm: Option<HashAlgorithm>,
    /// `signatureAlgorithm [5]`.
    pub signature_algorithm: Option<SignatureAlgorithm>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// OperatorLeaMessage: text for the people at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorLeaMessage<'a> {
    /// `messagePriority [0]`.
    pub priority: MessagePriority,
    /// `message [1]`: 1 to 255 octets.
    pub message: Octets<'a>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// Option: something that both ends have to agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOption<'a> {
    /// `pDUAcknowledgement [0]`.
    PduAcknowledgement,
    /// Anything else.
    Other(RawElement<'a>),
}

/// OptionRequest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionRequest<'a> {
    /// `requestedOptions [0]`.
    pub requested: Vec<DeliveryOption<'a>>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// OptionResponse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionResponse<'a> {
    /// `acceptedOptions [0]`.
    pub accepted: Vec<DeliveryOption<'a>>,
    /// `declinedOptions [1]`.
    pub declined: Vec<DeliveryOption<'a>>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

impl<'a> Tri<'a> {
    pub(super) fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let flag = |field, value: Self| element.null().in_field(field).map(|()| value);
        match element.tag().context_number() {
            Some(0) => IntegrityCheck::read(element).map(Self::IntegrityCheck),
            Some(1) => flag("testPDU", Self::TestPdu),
            Some(2) => octets(element, "paddingPDU").map(Self::PaddingPdu),
            Some(3) => flag("keep-alive", Self::KeepAlive),
            Some(4) => flag("keep-aliveResponse", Self::KeepAliveResponse),
            Some(5) => flag("firstSegmentFlag", Self::FirstSegment),
            Some(6) => flag("lastSegmentFlag", Self::LastSegment),
            Some(7) => flag("cINReset", Self::CinReset),
            Some(8) => OperatorLeaMessage::read(element).map(Self::OperatorLeaMessage),
            Some(9) => OptionRequest::read(element).map(Self::OptionRequest),
            Some(10) => OptionResponse::read(element).map(Self::OptionResponse),
            Some(11) => flag("optionComplete", Self::OptionComplete),
            Some(12) => flag("pDUAcknowledgementRequest", Self::PduAcknowledgementRequest),
            Some(13) => flag("pDUAcknowledgementResponse", Self::PduAcknowledgementResponse),
            _ => Ok(Self::Other(RawElement::from_element(element))),
        }
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::IntegrityCheck(check) => return writer.constructed(Tag::context(0), |writer| check.write(writer)),
            Self::TestPdu => writer.null(Tag::context(1)),
            Self::PaddingPdu(padding) => writer.primitive(Tag::context(2), padding),
            Self::KeepAlive => writer.null(Tag::context(3)),
            Self::KeepAliveResponse => writer.null(Tag::context(4)),
            Self::FirstSegment => writer.null(Tag::context(5)),
            Self::LastSegment => writer.null(Tag::context(6)),
            Self::CinReset => writer.null(Tag::context(7)),
            Self::OperatorLeaMessage(message) => {
                return writer.constructed(Tag::context(8), |writer| message.write(writer));
            }
            Self::OptionRequest(request) => return writer.constructed(Tag::context(9), |writer| request.write(writer)),
            Self::OptionResponse(response) => {
                return writer.constructed(Tag::context(10), |writer| response.write(writer));
            }
            Self::OptionComplete => writer.null(Tag::context(11)),
            Self::PduAcknowledgementRequest => writer.null(Tag::context(12)),
            Self::PduAcknowledgementResponse => writer.null(Tag::context(13)),
            Self::Other(raw) => writer.raw(raw.octets()),
        }
        Ok(())
    }
}

impl<'a> IntegrityCheck<'a> {
    /// The check alone, as it stands in a PDU. With an empty `checkValue` these are the octets that a signature is made over.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let written: Result<(), EncodeError> =
            Writer::new(&mut out).constructed(Tag::context(0), |writer| self.write(writer));
        written.expect("none of its fields has a limit");
        out
    }

    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "integrityCheck")?;
        let (mut numbers, mut check_type, mut check_value) = (None, None, None);
        let (mut data_type, mut hash_algorithm, mut signature_algorithm) = (None, None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => numbers = Some(sequence_numbers(&field)?),
                Some(1) => check_type = Some(CheckType::read(&field, "checkType")?),
                Some(2) => data_type = Some(DataType::read(&field, "dataType")?),
                Some(3) => check_value = Some(octets(&field, "checkValue")?),
                Some(4) => hash_algorithm = Some(HashAlgorithm::read(&field, "hashAlgorithm")?),
                Some(5) => signature_algorithm = Some(SignatureAlgorithm::read(&field, "signatureAlgorithm")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            included_sequence_numbers: fields.require(numbers, "includedSequenceNumbers")?,
            check_type: fields.require(check_type, "checkType")?,
            data_type,
            check_value: fields.require(check_value, "checkValue")?,
            hash_algorithm,
            signature_algorithm,
            others,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.constructed(0, |writer| {
            for &sequence in &self.included_sequence_numbers {
                writer.unsigned(Tag::INTEGER, u64::from(sequence));
            }
            Ok(())
        })?;
        fields.enumerated(1, self.check_type.number());
        if let Some(data_type) = self.data_type {
            fields.enumerated(2, data_type.number());
        }
        fields.octets(3, &self.check_value);
        if let Some(algorithm) = self.hash_algorithm {
            fields.enumerated(4, algorithm.number());
        }
        if let Some(algorithm) = self.signature_algorithm {
            fields.enumerated(5, algorithm.number());
        }
        fields.finish()
    }
}

fn sequence_numbers(element: &Element<'_>) -> Result<Vec<u32>, DecodeError> {
    const NAME: &str = "includedSequenceNumbers";
    let mut children = element.children().in_field(NAME)?;
    let mut numbers = Vec::new();
    while let Some(child) = children.next().in_field(NAME)? {
        numbers.push(child.unsigned_u32().in_field(NAME)?);
    }
    Ok(numbers)
}

impl<'a> OperatorLeaMessage<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "operatorLeaMessage")?;
        let (mut priority, mut message) = (None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => priority = Some(MessagePriority::read(&field, "messagePriority")?),
                Some(1) => message = Some(octets(&field, "message")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            priority: fields.require(priority, "messagePriority")?,
            message: fields.require(message, "message")?,
            others,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.enumerated(0, self.priority.number());
        fields.sized(1, &self.message, "message", 1, 255)?;
        fields.finish()
    }
}

fn read_options<'a>(element: &Element<'a>, field: &'static str) -> Result<Vec<DeliveryOption<'a>>, DecodeError> {
    let mut children = element.children().in_field(field)?;
    let mut options = Vec::new();
    while let Some(child) = children.next().in_field(field)? {
        options.push(match child.tag().context_number() {
            Some(0) => {
                child.null().in_field("pDUAcknowledgement")?;
                DeliveryOption::PduAcknowledgement
            }
            _ => DeliveryOption::Other(RawElement::from_element(&child)),
        });
    }
    Ok(options)
}

fn write_options(options: &[DeliveryOption<'_>], writer: &mut Writer<'_>) -> Result<(), EncodeError> {
    for option in options {
        match option {
            DeliveryOption::PduAcknowledgement => writer.null(Tag::context(0)),
            DeliveryOption::Other(raw) => writer.raw(raw.octets()),
        }
    }
    Ok(())
}

impl<'a> OptionRequest<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "optionRequest")?;
        let mut requested = None;
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => requested = Some(read_options(&field, "requestedOptions")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self { requested: fields.require(requested, "requestedOptions")?, others })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.constructed(0, |writer| write_options(&self.requested, writer))?;
        fields.finish()
    }
}

impl<'a> OptionResponse<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "optionResponse")?;
        let (mut accepted, mut declined) = (None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => accepted = Some(read_options(&field, "acceptedOptions")?),
                Some(1) => declined = Some(read_options(&field, "declinedOptions")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            accepted: fields.require(accepted, "acceptedOptions")?,
            declined: fields.require(declined, "declinedOptions")?,
            others,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.constructed(0, |writer| write_options(&self.accepted, writer))?;
        fields.constructed(1, |writer| write_options(&self.declined, writer))?;
        fields.finish()
    }
}
