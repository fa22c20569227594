//! CdcPdu, and reading a stream of them.

use super::{
    Answer, CcChange, CcClose, CcOpen, ConferencePartyChange, DialedDigitExtraction, MediaReport, NetworkSignal,
    Origination, Redirection, Release, ServiceInstance, SubjectSignal, TerminationAttempt,
};
use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
    pspdu::{
        DecodeError, Limits, RawElement,
        decode::{InField, frame_of},
        sequence::{FieldWriter, Fields},
    },
    us::fields::{self, Choice, Decoded, Value, Version},
};

const CDC_PDU: &str = "CdcPdu";

/// `protocolVersion`: decides which messages and fields there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProtocolVersion {
    /// Version 3: PacketCable Electronic Surveillance Specification I03.
    V3,
    /// Version 4: I04.
    V4,
    /// Another one. From 5 on it is read and written like version 4, below 3 like version 3.
    Other(i64),
}

impl ProtocolVersion {
    /// For its number on the wire.
    pub const fn from_number(number: i64) -> Self {
        match number {
            3 => Self::V3,
            4 => Self::V4,
            other => Self::Other(other),
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> i64 {
        match self {
            Self::V3 => 3,
            Self::V4 => 4,
            Self::Other(other) => other,
        }
    }
}

/// CdcPdu: one call event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdcPdu<'a> {
    /// `protocolVersion [0]`.
    pub version: ProtocolVersion,
    /// `message [1]`.
    pub message: Message<'a>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// The messages, and where they stand in the CHOICE.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident [$number:literal] = $field:literal since $since:expr,)*) => {
        /// Message.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Message<'a> {
            $($(#[$doc])* $name($name<'a>),)*
            /// Any other alternative: those that are reserved, and what later versions add.
            Other(RawElement<'a>),
        }

        impl<'a> Choice<'a> for Message<'a> {
            fn read(element: &Element<'a>, version: Version) -> Result<Self, DecodeError> {
                match element.tag().context_number() {
                    $(Some($number) if version >= $since => {
                        Value::read(element, $field, version).map(Self::$name)
                    })*
                    _ => Ok(Self::Other(RawElement::from_element(element))),
                }
            }

            fn write(&self, writer: &mut Writer<'_>, version: Version) -> Result<(), EncodeError> {
                match self {
                    $(Self::$name(_) if version < $since => Err(EncodeError::ValueOutOfRange { field: $field }),)*
                    $(Self::$name(message) => message.write(writer, Tag::context($number), $field, version),)*
                    Self::Other(raw) => {
                        writer.raw(raw.octets());
                        Ok(())
                    }
                }
            }
        }
    };
}

messages! {
    /// `answer [1]`.
    Answer [1] = "answer" since Version::MIN,
    /// `ccclose [2]`.
    CcClose [2] = "ccclose" since Version::MIN,
    /// `ccopen [3]`.
    CcOpen [3] = "ccopen" since Version::MIN,
    /// `origination [5]`.
    Origination [5] = "origination" since Version::MIN,
    /// `redirection [7]`.
    Redirection [7] = "redirection" since Version::MIN,
    /// `release [8]`.
    Release [8] = "release" since Version::MIN,
    /// `terminationattempt [10]`.
    TerminationAttempt [10] = "terminationattempt" since Version::MIN,
    /// `ccchange [12]`.
    CcChange [12] = "ccchange" since Version::MIN,
    /// `dialeddigitextraction [15]`: from version 4 on.
    DialedDigitExtraction [15] = "dialeddigitextraction" since 4,
    /// `networksignal [16]`.
    NetworkSignal [16] = "networksignal" since Version::MIN,
    /// `subjectsignal [17]`.
    SubjectSignal [17] = "subjectsignal" since Version::MIN,
    /// `mediareport [18]`.
    MediaReport [18] = "mediareport" since Version::MIN,
    /// `serviceinstance [19]`.
    ServiceInstance [19] = "serviceinstance" since Version::MIN,
    /// `confpartychange [20]`: from version 4 on.
    ConferencePartyChange [20] = "confpartychange" since 4,
}

impl Message<'_> {
    fn check(&self) -> Result<(), EncodeError> {
        match self {
            Self::NetworkSignal(message) => message.check(),
            Self::SubjectSignal(message) => message.check(),
            Self::DialedDigitExtraction(message) => message.check(),
            _ => Ok(()),
        }
    }
}

impl<'a> CdcPdu<'a> {
    /// A PDU without fields of other tags.
    pub const fn new(version: ProtocolVersion, message: Message<'a>) -> Self {
        Self { version, message, others: Vec::new() }
    }

    /// Writes the PDU at the end of `out`. On an error `out` is as it was.
    ///
    /// Fails with [`EncodeError::ValueOutOfRange`] if the version does not have the message or a field of it.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        fields::encode(self, out, CDC_PDU)
    }

    /// The PDU as octets.
    pub fn to_vec(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::new();
        self.encode(&mut out)?;
        Ok(out)
    }
}

impl<'a> Value<'a> for CdcPdu<'a> {
    fn read(element: &Element<'a>, name: &'static str, _: Version) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, name)?;
        let (mut version, mut message) = (None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => version = Some(field.signed().in_field("protocolVersion")?),
                Some(1) => message = Some(field),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        let version = fields.require(version, "protocolVersion")?;
        let message = fields.require(message, "message")?.only_child().in_field("message")?;
        let message = Message::read(&message, version)?;
        Ok(Self { version: ProtocolVersion::from_number(version), message, others })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag, _: &'static str, _: Version) -> Result<(), EncodeError> {
        self.message.check()?;
        let version = self.version.number();
        writer.constructed(tag, |writer| {
            let mut fields = FieldWriter::new(writer, &self.others);
            fields.enumerated(0, version);
            fields.constructed(1, |writer| self.message.write(writer, version))?;
            fields.finish()
        })
    }
}

/// Where the PDU at the start of `input` ends, or `None` if more octets are needed.
///
/// What the first octets already show to be wrong is refused without waiting for the rest.
pub fn frame(input: &[u8], limits: &Limits) -> Result<Option<usize>, DecodeError> {
    frame_of(input, limits, CDC_PDU)
}

/// Reads the PDU at the start of `input`, or gives `None` if more octets are needed.
///
/// After an error, [`frame`] tells whether the PDU's end is known and the stream can go on after it.
pub fn decode<'a>(input: &'a [u8], limits: &Limits) -> Result<Option<Decoded<CdcPdu<'a>>>, DecodeError> {
    fields::decode(input, limits, CDC_PDU)
}
