//! HI1 notifications inside PS-PDUs: HI1NotificationOperations version 7 (TS 102 232-1, before that TS 101 671).

use super::{
    GeneralizedTime, Octets, RawElement, SeasonIndication, UtcTime,
    decode::{DecodeError, DecodeErrorKind, InField},
    sequence::{FieldWriter, Fields, octets},
};
use crate::{
    EncodeError,
    ber::{Element, Tag, Writer},
    ids::{Liid, OperatorId},
    time::UnixTime,
};

/// HI1-Operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hi1Operation<'a> {
    /// `liActivated [1]`.
    Activated(Notification<'a>),
    /// `liDeactivated [2]`.
    Deactivated(Notification<'a>),
    /// `liModified [3]`.
    Modified(Notification<'a>),
    /// `alarms-indicator [4]`.
    Alarm(AlarmIndicator<'a>),
    /// Anything else: `national-HI1-ASN1parameters [5]` and what may follow.
    Other(RawElement<'a>),
}

/// Notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification<'a> {
    /// `domainID [0]`: contents octets of `{0 4 0 2 2 0 1 6}`. Needed for delivery as files only.
    pub domain_id: Option<Octets<'a>>,
    /// `lawfulInterceptionIdentifier [1]`.
    pub lawful_interception_identifier: Octets<'a>,
    /// `communicationIdentifier [2]`.
    pub communication: Option<Hi1CommunicationIdentifier<'a>>,
    /// `timeStamp [3]`.
    pub time_stamp: Hi1TimeStamp<'a>,
    /// `target-Information [6]`: 1 to 256 octets.
    pub target_information: Option<Octets<'a>>,
    /// Fields with other tags (`national-HI1-ASN1parameters [5]` among them).
    pub others: Vec<RawElement<'a>>,
}

/// Alarm-Indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmIndicator<'a> {
    /// `domainID [0]`.
    pub domain_id: Option<Octets<'a>>,
    /// `communicationIdentifier [1]`.
    pub communication: Option<Hi1CommunicationIdentifier<'a>>,
    /// `timeStamp [2]`.
    pub time_stamp: Hi1TimeStamp<'a>,
    /// `alarm-information [3]`: 1 to 256 octets.
    pub alarm_information: Octets<'a>,
    /// `lawfulInterceptionIdentifier [4]`.
    pub lawful_interception_identifier: Option<Octets<'a>>,
    /// Fields with other tags (`national-HI1-ASN1parameters [5]` among them).
    pub others: Vec<RawElement<'a>>,
}

/// CommunicationIdentifier of HI2Operations: not the one of the PS header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hi1CommunicationIdentifier<'a> {
    /// `communication-Identity-Number [0]`: 1 to 8 digits.
    pub communication_identity_number: Option<Octets<'a>>,
    /// `network-Identifier [1]`, its `operator-Identifier [0]`: 1 to 5 octets.
    pub operator: Octets<'a>,
    /// Fields of `network-Identifier` with other tags (`network-Element-Identifier [1]` among them).
    pub network_others: Vec<RawElement<'a>>,
    /// Fields with other tags.
    pub others: Vec<RawElement<'a>>,
}

/// TimeStamp of HI2Operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hi1TimeStamp<'a> {
    /// `localTime [0]`.
    Local {
        /// `generalizedTime [0]`.
        time: GeneralizedTime<'a>,
        /// `winterSummerIndication [1]`.
        season: SeasonIndication,
    },
    /// `utcTime [1]`.
    Utc(UtcTime<'a>),
}

impl Hi1TimeStamp<'static> {
    /// `localTime` that says its offset itself (`Z`): keeps the microseconds, which `utcTime` cannot.
    pub fn from_unix(time: UnixTime) -> Result<Self, EncodeError> {
        Ok(Self::Local { time: GeneralizedTime::from_unix(time)?, season: SeasonIndication::NotProvided })
    }
}

impl Hi1TimeStamp<'_> {
    /// The point in time, if the text says its offset from UTC.
    pub fn to_unix(&self) -> Option<UnixTime> {
        match self {
            Self::Local { time, .. } => time.to_unix(),
            Self::Utc(time) => time.to_unix(),
        }
    }
}

impl<'a> Notification<'a> {
    /// `{0 4 0 2 2 0 1 6}`, hi1OperationId, for [`Notification::domain_id`].
    pub const DOMAIN_ID: Octets<'static> = Octets::borrowed(&[4, 0, 2, 2, 0, 1, 6]);

    /// A notification of something that happened to an interception at `time`.
    ///
    /// The operator is repeated from the PS header only if it fits: HI1 allows 5 octets, the PS header 16.
    pub fn new(liid: &'a Liid, operator: &'a OperatorId, time: UnixTime) -> Result<Self, EncodeError> {
        let operator = operator.as_octets();
        let communication = (operator.len() <= 5)
            .then(|| Hi1CommunicationIdentifier { operator: Octets::borrowed(operator), ..Default::default() });
        Ok(Self {
            domain_id: None,
            lawful_interception_identifier: Octets::borrowed(liid.as_octets()),
            communication,
            time_stamp: Hi1TimeStamp::from_unix(time)?,
            target_information: None,
            others: Vec::new(),
        })
    }

    fn read(element: &Element<'a>, name: &'static str) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, name)?;
        let (mut domain_id, mut liid, mut communication) = (None, None, None);
        let (mut time_stamp, mut target_information) = (None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => domain_id = Some(octets(&field, "domainID")?),
                Some(1) => liid = Some(octets(&field, "lawfulInterceptionIdentifier")?),
                Some(2) => communication = Some(Hi1CommunicationIdentifier::read(&field)?),
                Some(3) => time_stamp = Some(Hi1TimeStamp::read(&field.only_child().in_field("timeStamp")?)?),
                Some(6) => target_information = Some(octets(&field, "target-Information")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            domain_id,
            lawful_interception_identifier: fields.require(liid, "lawfulInterceptionIdentifier")?,
            communication,
            time_stamp: fields.require(time_stamp, "timeStamp")?,
            target_information,
            others,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.optional(0, self.domain_id.as_ref(), "domainID", 1, usize::MAX)?;
        fields.sized(1, &self.lawful_interception_identifier, "lawfulInterceptionIdentifier", 1, 25)?;
        if let Some(communication) = &self.communication {
            fields.constructed(2, |writer| communication.write(writer))?;
        }
        fields.constructed(3, |writer| self.time_stamp.write(writer))?;
        fields.optional(6, self.target_information.as_ref(), "target-Information", 1, 256)?;
        fields.finish()
    }
}

impl<'a> AlarmIndicator<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "alarms-indicator")?;
        let (mut domain_id, mut communication, mut time_stamp) = (None, None, None);
        let (mut alarm_information, mut liid) = (None, None);
        let mut others = Vec::new();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => domain_id = Some(octets(&field, "domainID")?),
                Some(1) => communication = Some(Hi1CommunicationIdentifier::read(&field)?),
                Some(2) => time_stamp = Some(Hi1TimeStamp::read(&field.only_child().in_field("timeStamp")?)?),
                Some(3) => alarm_information = Some(octets(&field, "alarm-information")?),
                Some(4) => liid = Some(octets(&field, "lawfulInterceptionIdentifier")?),
                _ => others.push(RawElement::from_element(&field)),
            }
        }
        Ok(Self {
            domain_id,
            communication,
            time_stamp: fields.require(time_stamp, "timeStamp")?,
            alarm_information: fields.require(alarm_information, "alarm-information")?,
            lawful_interception_identifier: liid,
            others,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.optional(0, self.domain_id.as_ref(), "domainID", 1, usize::MAX)?;
        if let Some(communication) = &self.communication {
            fields.constructed(1, |writer| communication.write(writer))?;
        }
        fields.constructed(2, |writer| self.time_stamp.write(writer))?;
        fields.sized(3, &self.alarm_information, "alarm-information", 1, 256)?;
        fields.optional(4, self.lawful_interception_identifier.as_ref(), "lawfulInterceptionIdentifier", 1, 25)?;
        fields.finish()
    }
}

impl<'a> Hi1CommunicationIdentifier<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(element, "communicationIdentifier")?;
        let mut network = None;
        let mut read = Self::default();
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => read.communication_identity_number = Some(octets(&field, "communication-Identity-Number")?),
                Some(1) => network = Some(field),
                _ => read.others.push(RawElement::from_element(&field)),
            }
        }
        let network = fields.require(network, "network-Identifier")?;
        let mut fields = Fields::of(&network, "network-Identifier")?;
        let mut operator = None;
        while let Some((number, field)) = fields.next()? {
            match number {
                Some(0) => operator = Some(octets(&field, "operator-Identifier")?),
                _ => read.network_others.push(RawElement::from_element(&field)),
            }
        }
        read.operator = fields.require(operator, "operator-Identifier")?;
        Ok(read)
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let mut fields = FieldWriter::new(writer, &self.others);
        fields.optional(0, self.communication_identity_number.as_ref(), "communication-Identity-Number", 1, 8)?;
        fields.constructed(1, |writer| {
            let mut fields = FieldWriter::new(writer, &self.network_others);
            fields.sized(0, &self.operator, "operator-Identifier", 1, 5)?;
            fields.finish()
        })?;
        fields.finish()
    }
}

impl<'a> Hi1TimeStamp<'a> {
    fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        match element.tag().context_number() {
            Some(0) => {
                let mut fields = Fields::of(element, "localTime")?;
                let (mut time, mut season) = (None, None);
                while let Some((number, field)) = fields.next()? {
                    match number {
                        Some(0) => time = Some(GeneralizedTime(octets(&field, "generalizedTime")?)),
                        Some(1) => season = Some(SeasonIndication::read(&field, "winterSummerIndication")?),
                        // The type is not extensible: what stands here has no meaning.
                        _ => {}
                    }
                }
                Ok(Self::Local {
                    time: fields.require(time, "generalizedTime")?,
                    season: fields.require(season, "winterSummerIndication")?,
                })
            }
            Some(1) => Ok(Self::Utc(UtcTime(octets(element, "utcTime")?))),
            _ => Err(DecodeError {
                offset: element.offset(),
                field: "timeStamp",
                kind: DecodeErrorKind::Tag(element.tag()),
            }),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Local { time, season } => writer.constructed(Tag::context(0), |writer| {
                writer.primitive(Tag::context(0), &time.0);
                writer.signed(Tag::context(1), season.number());
                Ok(())
            }),
            Self::Utc(time) => {
                writer.primitive(Tag::context(1), &time.0);
                Ok(())
            }
        }
    }
}

impl<'a> Hi1Operation<'a> {
    pub(super) fn read(element: &Element<'a>) -> Result<Self, DecodeError> {
        Ok(match element.tag().context_number() {
            Some(1) => Self::Activated(Notification::read(element, "liActivated")?),
            Some(2) => Self::Deactivated(Notification::read(element, "liDeactivated")?),
            Some(3) => Self::Modified(Notification::read(element, "liModified")?),
            Some(4) => Self::Alarm(AlarmIndicator::read(element)?),
            _ => Self::Other(RawElement::from_element(element)),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Activated(notification) => writer.constructed(Tag::context(1), |writer| notification.write(writer)),
            Self::Deactivated(notification) => writer.constructed(Tag::context(2), |writer| notification.write(writer)),
            Self::Modified(notification) => writer.constructed(Tag::context(3), |writer| notification.write(writer)),
            Self::Alarm(alarm) => writer.constructed(Tag::context(4), |writer| alarm.write(writer)),
            Self::Other(raw) => {
                writer.raw(raw.octets());
                Ok(())
            }
        }
    }
}
